"""Fits the constants of `rag.scope.FIT`: `python -m tests.fit_scope` prints them.

Reads the question files that may be tuned on, runs each question up to its signals, and fits a
logistic regression (scikit-learn, which sentence-transformers brings). Prints ten-fold
cross-validated rates for several thresholds beside the constants.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering import Coach, find
from rag.question import parse_question
from rag.scope import FIT, signals_of
from rag.settings import load_settings

FOLDER = Path(__file__).parent / "questions"
FILES = ("dev", "refused", "paraphrases", "caution")
LEFT_OUT = {"warning-sign", "chit-chat"}


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    rows = [r for r in _rows() if r["type"] not in LEFT_OUT]
    names = list(FIT.weights)
    retriever = Coach(load_settings()).retriever()
    signals = []
    for row in rows:
        question = parse_question(row["question"], row.get("history"), row.get("audience"))
        found = find(retriever, question)
        signals.append(signals_of(retriever.library, found.query, found.evidence))
    x = np.array([[getattr(s, n) for n in names] for s in signals])
    y = np.array([bool(r.get("references")) for r in rows])
    model = LogisticRegression(C=3.0, class_weight="balanced", max_iter=5000)
    p = cross_val_predict(model, x, y, cv=10, method="predict_proba")[:, 1]
    for threshold in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
        refused = {
            kind: float(np.mean([p[n] < threshold for n, r in enumerate(rows) if r["type"] == kind]))
            for kind in ("beyond-corpus", "off-topic")
        }
        print(f"{threshold:.2f} answered {(p[y] >= threshold).mean():.3f} refused {refused}")
    model.fit(x, y)
    print("intercept", round(float(model.intercept_[0]), 2))
    print({n: round(float(w), 2) for n, w in zip(names, model.coef_[0], strict=True)})
    _worst(rows, p, y)


def _worst(rows: list[dict[str, Any]], p: Any, y: Any) -> None:
    order = np.argsort(p)
    print("refused though answerable:")
    for n in [n for n in order if y[n]][:15]:
        print(f"  {p[n]:.2f} {rows[n]['question'][:100]}")
    print("answered though not:")
    for n in [n for n in order[::-1] if not y[n]][:20]:
        print(f"  {p[n]:.2f} {rows[n]['question'][:100]}")


def _rows() -> list[dict[str, Any]]:
    lines = [ln for f in FILES for ln in (FOLDER / f"{f}.jsonl").read_text("utf-8").splitlines()]
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    # A caution question without references promises nothing about its status.
    return [r for r in rows if r.get("references") or r["status"] != ["answered"]]


if __name__ == "__main__":
    main()
