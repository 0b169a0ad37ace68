"""Fits the constants of `rag.scope.FIT`: `python -m tests.fit_scope` prints them.

Reads the question files that may be tuned on, runs each question up to its signals, and fits a
logistic regression (scikit-learn, which sentence-transformers brings). Prints ten-fold
cross-validated rates for several thresholds beside the constants. A question that stands in the
corpus's own list of uncovered ones is compared with the others of the list only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering import Coach, Findings, find
from rag.library import Library
from rag.question import parse_question
from rag.quoting import ranked_evidence
from rag.scope import FIT, nearer
from rag.settings import load_settings

FOLDER = Path(__file__).parent / "questions"
FILES = (
    "dev", "refused", "paraphrases", "caution", "tuning-a", "tuning-b", "tuning-c", "tuning-d", "tuning-e", "tuning-f", "plain"
)  # fmt: skip
LEFT_OUT = {"warning-sign", "chit-chat", "follow-up"}

SAME = 0.985
"""Cosine from which two questions are one."""


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = [r for r in _rows() if r.get("type") not in LEFT_OUT]
    names = list(FIT.weights)
    retriever = Coach(load_settings()).retriever()
    table = []
    for row in rows:
        question = parse_question(row["question"], row.get("history"), row.get("audience"))
        found = find(retriever, question)
        signals = {n: float(getattr(found.signals, n)) for n in names}
        signals["uncovered"] = _uncovered_by_others(retriever.library, found)
        table.append([signals[n] for n in names])
    x, y = np.array(table), np.array(["answered" in r["status"] for r in rows])
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1.0, class_weight="balanced", max_iter=5000)
    )
    folds = StratifiedKFold(10, shuffle=True, random_state=1)
    p = cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1]
    types = np.array([r.get("type") for r in rows])
    for threshold in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55):
        refused = {
            kind: round(float((p[types == kind] < threshold).mean()), 3)
            for kind in ("beyond-corpus", "uncovered", "off-topic")
        }
        print(f"{threshold:.2f} answered {(p[y] >= threshold).mean():.3f} refused {refused}")
    model.fit(x, y)
    scaler, fitted = model[0], model[1]
    weights = fitted.coef_[0] / scaler.scale_
    print("intercept", round(float(fitted.intercept_[0] - (weights * scaler.mean_).sum()), 2))
    print({n: round(float(w), 2) for n, w in zip(names, weights, strict=True)})
    if "-v" in sys.argv:
        _worst(rows, p, y)


def _uncovered_by_others(library: Library, found: Findings) -> float:
    vector = found.query.vector
    others = library.not_covered_vectors @ vector < SAME
    features = [j.features for j in ranked_evidence(library, found.query, found.evidence)]
    return nearer(library.not_covered_similarities(vector)[others], features)


def _worst(rows: list[dict[str, Any]], p: Any, y: Any) -> None:
    order = np.argsort(p)
    print("refused though answerable:")
    for n in [n for n in order if y[n]][:30]:
        print(f"  {p[n]:.2f} {rows[n]['question'][:100]}")
    print("answered though not:")
    for n in [n for n in order[::-1] if not y[n]][:30]:
        print(f"  {p[n]:.2f} {rows[n]['question'][:100]}")


def _rows() -> list[dict[str, Any]]:
    lines = [ln for f in FILES for ln in (FOLDER / f"{f}.jsonl").read_text("utf-8").splitlines()]
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [r for r in rows if _promises_a_status(r)]


def _promises_a_status(row: dict[str, Any]) -> bool:
    """Answerable with a reference to cite, or to be refused; a caution alone promises neither."""
    statuses = set(row.get("status") or ())
    if row.get("references") or row.get("type") == "plain":
        return statuses == {"answered"}
    return bool(statuses) and "answered" not in statuses


if __name__ == "__main__":
    main()
