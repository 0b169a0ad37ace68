"""Fits the weights of `rag.relevance.Weights`: `python -m tests.fit_relevance` prints them.

A passage counts as right for a question where it rests on a reference that the question's line
expects. The loss is the negative log of the share that a softmax over the retrieved passages gives
to the right ones; six-fold cross-validated shares of questions with a right passage first, and
among the first three, stand beside the weights. SciPy comes with sentence-transformers.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering import EVIDENCE, Coach, find
from rag.library import Library
from rag.question import parse_question
from rag.quoting import query_of, ranked_evidence
from rag.relevance import Weights
from rag.settings import load_settings
from rag.types import Passage

FOLDER = Path(__file__).parent / "questions"
FILES = ("dev", "paraphrases", "tuning-a", "tuning-b", "tuning-c", "tuning-d", "tuning-e", "tuning-f")
FOLDS = 6
RIDGE = 3e-4
SCALE = 10.0
"""Logits per unit of relevance: keeps relevance on the scale of a sentence's worth."""


def main() -> None:
    features, right = _table()
    mean, spread = features[right >= 0].mean(0), features[right >= 0].std(0) + 1e-6
    z = (features - mean) / spread
    fold = np.random.default_rng(0).integers(0, FOLDS, len(z))
    first: list[bool] = []
    third: list[bool] = []
    for n in range(FOLDS):
        weights = _fitted(z[fold != n], right[fold != n])
        scores = np.where(right[fold == n] >= 0, z[fold == n] @ weights, -np.inf)
        ordered = np.take_along_axis(right[fold == n] > 0, np.argsort(-scores, 1), 1)
        first += list(ordered[:, 0])
        third += list(ordered[:, :3].any(1))
    print(f"{len(z)} questions; right first {np.mean(first):.3f}, in the first three {np.mean(third):.3f}")
    found = _fitted(z, right) / spread / SCALE
    names = [f.name for f in fields(Weights)]
    print({n: round(float(w), 2) for n, w in zip(names, found, strict=True)})


def _fitted(z: Any, right: Any) -> Any:
    from scipy.optimize import minimize

    def loss(w: Any) -> tuple[float, Any]:
        scores = np.where(right >= 0, z @ w, -1e9)
        e = np.exp(scores - scores.max(1, keepdims=True))
        whole, good = e.sum(1), (e * (right > 0)).sum(1) + 1e-30
        pull = e / whole[:, None] - e * (right > 0) / good[:, None]
        gradient = (pull[:, :, None] * z).sum(1).mean(0) + 2 * RIDGE * w
        return float((np.log(whole) - np.log(good)).mean() + RIDGE * (w**2).sum()), gradient

    start = np.zeros(z.shape[2])
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 150}).x


def _table() -> tuple[Any, Any]:
    """Features, shape (questions, passages, features), and 1 right, 0 wrong, -1 no passage."""
    retriever = Coach(load_settings()).retriever()
    library = retriever.library
    rows = [r for r in _rows() if r.get("references") and r.get("safety") != "see_a_clinician"]
    names = [f.name for f in fields(Weights)]
    features = np.zeros((len(rows), EVIDENCE, len(names)))
    right = np.full((len(rows), EVIDENCE), -1)
    for n, row in enumerate(rows):
        question = parse_question(row["question"], row.get("history"), row.get("audience"))
        found = find(retriever, question).query
        hits = retriever.retrieve_vector(found.text, found.vector, k=EVIDENCE)
        query = query_of(library, found.text, found.vector, question.audience)
        for m, judged in enumerate(ranked_evidence(library, query, tuple(hits))):
            features[n, m] = [getattr(judged.features, name) for name in names]
            right[n, m] = _rests_on(library, judged.hit.passage, set(row["references"]))
    kept = (right > 0).any(1)
    return features[kept], right[kept]


def _rests_on(library: Library, passage: Passage, references: set[str]) -> bool:
    return library.rows[passage.id] in {r for i in references for r in library.study_rows.get(i, ())}


def _rows() -> list[dict[str, Any]]:
    lines = [ln for f in FILES for ln in (FOLDER / f"{f}.jsonl").read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
