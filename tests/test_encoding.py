"""The served embedder gives what sentence-transformers gives, without torch in the process."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.corpus_files import read_corpus
from ingest.passages import passages_of, retrieval_text
from rag.cross_encoders import load_cross_encoder
from rag.encoding import ensure_exported, model_folder, open_embedder
from rag.errors import IndexMismatchError, RagError, SettingsError
from rag.settings import DEFAULT_EMBEDDER
from tests.conftest import ROOT, SMALL_CORPUS

TEXTS = [
    "",
    "squat",
    "How do I grow my glutes?",
    "Größe, naïve, 深蹲 and 🍑: −1.6 cm² (95% CI −6.1 to 2.0)",
    "squat " * 600,
    "a\n\nb\tc",
]

_REFERENCE = """
import json, sys
from sentence_transformers import SentenceTransformer
from rag.encoding import model_source
model = SentenceTransformer(model_source(sys.argv[1]), device="cpu")
vectors = model.encode(json.load(sys.stdin), normalize_embeddings=True, batch_size=16)
json.dump(vectors.tolist(), sys.stdout)
"""


def test_vectors_equal_those_of_sentence_transformers(embedder: Any) -> None:
    found = read_corpus(SMALL_CORPUS).of_kind("article")
    texts = TEXTS + [retrieval_text(p) for d in found for p in passages_of(d, embedder.count_tokens)]
    done = subprocess.run(
        [sys.executable, "-c", _REFERENCE, DEFAULT_EMBEDDER],
        input=json.dumps(texts), capture_output=True, text=True, cwd=ROOT, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted = np.array(json.loads(done.stdout), dtype=np.float32)
    assert np.abs(embedder.embed(texts) - wanted).max() < 1e-5


def test_vectors_have_length_one_and_the_promised_shape(embedder: Any) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_a_text_has_one_vector_whatever_its_company(embedder: Any) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5


def test_progress_counts_every_text_once(embedder: Any) -> None:
    counts: list[int] = []
    embedder.embed(TEXTS * 3, counts.append)
    assert sum(counts) == len(TEXTS) * 3


def test_like_meanings_lie_nearer_than_unlike_ones(embedder: Any) -> None:
    a, b, c = embedder.embed(["grow my bum", "gluteal muscle growth", "tax return deadline"])
    assert a @ b > a @ c + 0.2


def test_word_pieces_are_counted_past_the_window(embedder: Any) -> None:
    assert embedder.count_tokens("squat " * 600) == 602
    assert embedder.count_tokens("") == 2


def test_an_exported_model_is_not_exported_again(exported_models: Path) -> None:
    folder = model_folder(exported_models, DEFAULT_EMBEDDER)
    before = (folder / "model.onnx").stat().st_mtime_ns
    assert ensure_exported(exported_models, DEFAULT_EMBEDDER) == folder
    assert (folder / "model.onnx").stat().st_mtime_ns == before


def test_another_model_has_another_folder(tmp_path: Path) -> None:
    assert model_folder(tmp_path, "a") != model_folder(tmp_path, "b")


def test_a_model_folder_that_changed_counts_as_another_model(tmp_path: Path) -> None:
    model = tmp_path / "mine"
    model.mkdir()
    (model / "weights").write_text("1", "utf-8")
    before = model_folder(tmp_path, str(model))
    (model / "weights").write_text("22", "utf-8")
    assert model_folder(tmp_path, str(model)) != before


def test_a_failed_export_says_which_setting_to_change_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A real exporter would load torch for many seconds only to fail.
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(RagError, match=r"GLUTE_EMBEDDER='nonsense' could not be prepared") as caught:
        ensure_exported(tmp_path / "models", "nonsense")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_damaged_model_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "embedder.json").write_text('{"name": "x", "dimension": 3, "max_tokens": 9}', "utf-8")
    with pytest.raises(IndexMismatchError, match="python -m ingest index"):
        open_embedder(tmp_path)


def test_a_cross_encoder_that_cannot_be_loaded_is_one_line_and_no_chatter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError, match=r"GLUTE_RERANKER='.*' cannot be loaded") as caught:
        load_cross_encoder("GLUTE_RERANKER", str(tmp_path))
    assert "\n" not in str(caught.value)
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert capfd.readouterr().err == ""
