"""Exports a sentence-transformers model to ONNX: `python -m rag.model_export SOURCE FOLDER NAME`.

Pooling and normalisation go into the graph, so that what serves needs no knowledge of the model.
The files appear in one step: a folder that exists is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

MAX_TOKENS = 512
"""More than this many word pieces a text is of no use to passages of a section's length."""


def export(source: str, folder: Path, name: str) -> None:
    """Writes `model.onnx`, `tokenizer.json` and `embedder.json` into `folder`."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(source, device="cpu")
    model.eval()
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.parent))
    try:
        names = _input_names(model)
        sample = model.tokenize(["the hip thrust trains the glutes", "squat"])
        batch, width = torch.export.Dim("batch"), torch.export.Dim("width")
        torch.onnx.export(
            _graph(model, names),
            tuple(sample[n] for n in names),
            str(building / "model.onnx"),
            input_names=names,
            output_names=["sentence_vector"],
            dynamo=True,
            dynamic_shapes=(tuple({0: batch, 1: width} for _ in names),),
            opset_version=18,
            external_data=False,
            verbose=False,
        )
        model.tokenizer.backend_tokenizer.save(str(building / "tokenizer.json"))
        config = {
            "name": name,
            "dimension": model.get_embedding_dimension(),
            "max_tokens": min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS),
            "pad_token": model.tokenizer.pad_token,
        }
        (building / "embedder.json").write_text(json.dumps(config, indent=1), "utf-8")
        if not folder.exists():
            os.replace(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _input_names(model: Any) -> list[str]:
    given = model.tokenize(["a"])
    return [n for n in ("input_ids", "attention_mask", "token_type_ids") if n in given]


def _graph(model: Any, names: list[str]) -> Any:
    import torch

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: Any) -> Any:
            features = self.model(dict(zip(names, inputs, strict=True)))
            return torch.nn.functional.normalize(features["sentence_embedding"], p=2, dim=1)

    return Graph()


if __name__ == "__main__":
    export(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
