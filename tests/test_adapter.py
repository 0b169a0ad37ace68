"""The adapter: what it learns from phrasings, and when it learns nothing."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.adapter import FEWEST, fitted_adapter, key_of
from rag.types import Vectors

SIZE = 32


def phrasings(sections: int, each: int, seed: int = 0) -> tuple[Vectors, list[str]]:
    """Rows whose first half says which section they are of, and whose second half is louder and says nothing."""
    chance = np.random.default_rng(seed)
    topics = np.random.default_rng(7).normal(size=(sections, SIZE // 2))
    of = np.repeat(np.arange(sections), each)
    noise = 2 * chance.normal(size=(len(of), SIZE // 2))
    rows = np.hstack([topics[of], noise]).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), [f"section {n}" for n in of]


def told(known: Vectors, new: Vectors, sections: list[str], adapter: Vectors) -> float:
    """Share of the new rows whose nearest known row is of their section."""
    near = _adapted(new, adapter) @ _adapted(known, adapter).T
    return float(np.mean([sections[n] == sections[best] for n, best in enumerate(near.argmax(1))]))


def _adapted(rows: Vectors, adapter: Vectors) -> Vectors:
    rows = rows @ adapter
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_what_phrasings_share_tells_new_ones_apart() -> None:
    known, sections = phrasings(300, 12)
    new, _ = phrasings(300, 12, seed=1)
    adapter = fitted_adapter(known, sections)
    plain = told(known, new, sections, np.eye(SIZE, dtype=np.float32))
    assert told(known, new, sections, adapter) > plain + 0.05


def test_the_same_phrasings_teach_the_same() -> None:
    known, sections = phrasings(60, 4)
    assert (fitted_adapter(known, sections) == fitted_adapter(known, sections)).all()


@pytest.mark.parametrize(("sections", "each"), [(0, 1), (FEWEST - 1, 4), (FEWEST * 2, 1)])
def test_too_little_to_learn_from_changes_nothing(sections: int, each: int) -> None:
    rows, of = phrasings(sections, each)
    assert (fitted_adapter(rows, of) == np.eye(SIZE)).all()


@pytest.mark.parametrize("texts", [["how deep", "how low"], ["how deep"], ["how deep", "how wide", "x"]])
def test_the_key_changes_with_any_phrasing(texts: list[str]) -> None:
    before = key_of(["how deep", "how wide"], ["squats", "squats"])
    assert key_of(texts, ["squats"] * len(texts)) != before
    assert key_of(["how deep", "how wide"], ["squats", "stance"]) != before
