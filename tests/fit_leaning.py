"""Fits the constants of `rag.leaning.FIT`: `python -m tests.fit_leaning FILE…` prints them.

Reads question files that may be tuned on. Lines of the type follow-up lean; lines of the type
topic-switch do not, nor does any question that stands alone, put behind another line's history
of another topic. Fits a logistic regression (scikit-learn, which sentence-transformers brings)
and prints ten-fold cross-validated rates for several thresholds beside the constants.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering import Coach, nearness_of
from rag.conversation import cues_after, exchanges_of
from rag.leaning import FIT, Cues, stands_apart
from rag.question import parse_question
from rag.settings import load_settings

WEIGHTS = {"follow-up": 3.0, "topic-switch": 3.0, "alone": 0.4}
"""Lines written as conversations count for more than those that were put together here."""

SHOWN = 25


def main(files: Sequence[str]) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    rows = conversations([json.loads(ln) for f in files for ln in Path(f).read_text("utf-8").splitlines()])
    names = list(FIT.weights)
    cues = list(map(_cues(), rows))
    decided = np.array([c.elsewhere for c in cues])
    x = np.array([[getattr(c, n) for n in names] for c in cues])
    kinds = np.array([r["kind"] for r in rows])
    y = kinds == "follow-up"
    weights = np.array([WEIGHTS[k] for k in kinds])
    model = LogisticRegression(C=10.0, max_iter=5000)
    p = np.zeros(len(y))
    for learnt, held in StratifiedKFold(10, shuffle=True, random_state=0).split(x, kinds):
        learnt = learnt[~decided[learnt]]
        p[held] = model.fit(x[learnt], y[learnt], weights[learnt]).predict_proba(x[held])[:, 1]
    p[decided] = 0.0
    for threshold in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6):
        rates = {k: round(float((p[kinds == k] >= threshold).mean()), 3) for k in WEIGHTS}
        print(f"{threshold:.2f} lean: {rates}")
    model.fit(x[~decided], y[~decided], weights[~decided])
    print("intercept", round(float(model.intercept_[0]), 2))
    print({n: round(float(w), 2) for n, w in zip(names, model.coef_[0], strict=True)})
    _worst(rows, p, y)


def conversations(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines with a history, and those without one behind a history of another topic."""
    talks = [r for r in lines if r.get("type") in ("follow-up", "topic-switch") and r.get("history")]
    rows = [{**r, "kind": r["type"]} for r in talks]
    chance = random.Random(1)
    for row in lines:
        if "question" not in row or row.get("history") or row.get("type") == "follow-up":
            continue
        same = {row.get("topic", ""), *row.get("references", ())}
        others = [t for t in talks if not same & {t.get("topic", "-"), *t.get("references", ())}]
        rows.append({**row, "kind": "alone", "history": chance.choice(others)["history"]})
    return [r for r in rows if any(map(str.isalnum, r["question"])) and not stands_apart(r["question"])]


def _cues() -> Any:
    retriever = Coach(load_settings()).retriever()
    lexicon, nearness = retriever.library.lexicon, nearness_of(retriever)

    def cues(row: dict[str, Any]) -> Cues:
        question = parse_question(row["question"], row["history"])
        before = exchanges_of(question.history)[-1]
        return cues_after(lexicon.mended(question.text), before, lexicon, nearness)

    return cues


def _worst(rows: list[dict[str, Any]], p: Any, y: Any) -> None:
    order = np.argsort(p)
    print("taken to stand alone:")
    for n in [n for n in order if y[n]][:SHOWN]:
        print(f"  {p[n]:.2f} {rows[n]['history'][-2]['content'][:50]} >> {rows[n]['question'][:90]}")
    print("taken to lean:")
    for n in [n for n in order[::-1] if not y[n]][: 2 * SHOWN]:
        print(f"  {p[n]:.2f} {rows[n]['history'][-2]['content'][:50]} >> {rows[n]['question'][:90]}")


if __name__ == "__main__":
    main(sys.argv[1:])
