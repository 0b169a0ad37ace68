"""Whether the corpus answers a question, holds something near, or is about something else. Pure.

A logistic score over a handful of signals. Its constants are fitted by `python -m tests.fit_scope`
on the question files that may be tuned on, never on tests/questions/heldout.jsonl.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rag.lexicon import ELSEWHERE, WORD, stems_of, words_of
from rag.library import Library
from rag.quoting import Candidate, Query, coverage
from rag.types import Embedder, Evidence, Status, Vectors

NEAREST = 5
"""Passages whose words count as found."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known before anything is quoted."""

    passage: float
    """Best cosine similarity of a passage."""
    sentence: float
    """Best cosine similarity of a sentence of the evidence."""
    heading: float
    """Best cosine similarity of a heading of the evidence."""
    coverage: float
    """Share, by rarity, of the question's words in the one passage that has most of them."""
    strange: float
    """Share of the question's content words that the corpus never uses."""
    moved: float
    """How far the question's meaning moves, 0 to 2, when the words that no passage found uses are
    left out: far, where they are what it is about."""
    gained: float
    """What the best similarity gains by leaving them out."""
    elsewhere: float
    """1 where the question names something the corpus is not about, and either no passage found
    names it too or nothing of the field stands beside it."""
    domain: float
    """1 where the question names a muscle, an exercise or an idea of the field."""

    def score(self, fit: Fit) -> float:
        parts = (w * float(getattr(self, name)) for name, w in fit.weights.items())
        return fit.intercept + sum(parts)


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients of the logistic score, and the thresholds between the three statuses."""

    intercept: float
    weights: Mapping[str, float]
    answer_from: float
    near_from: float
    """Similarity from which a refusal without a word of the field is still `not_found`."""


FIT = Fit(
    intercept=-5.67,
    weights={
        "passage": 5.67,
        "sentence": 4.41,
        "heading": 2.05,
        "coverage": 0.07,
        "strange": -2.5,
        "moved": -1.19,
        "gained": -1.41,
        "elsewhere": -5.02,
        "domain": 0.03,
    },
    answer_from=0.36,
    near_from=0.45,
)


def signals_of(library: Library, query: Query, evidence: Evidence) -> Signals:
    """The signals of one question and what was retrieved for it."""
    rows = [library.rows[h.passage.id] for h in evidence]
    size = len(library.passages)

    def rarity(stem: str) -> float:
        return math.log(1 + size / (1 + library.stem_frequencies.get(stem, 0)))

    texts = [f"{h.passage.title} {h.passage.section} {h.passage.text}" for h in evidence[:NEAREST]]
    found = {s for text in texts for s in stems_of(text)}
    words = _content_words(library, query.text)
    moved, gained = _without(library.embedder, library, query, rows, _unfound(words, found))
    return Signals(
        passage=max((h.dense for h in evidence), default=0.0),
        sentence=_best(library, rows, query.vector),
        heading=max((float(library.heading_vectors[r] @ query.vector) for r in rows), default=0.0),
        coverage=max((coverage(query.stems, [t], rarity) for t in texts), default=0.0),
        strange=_strange(library, words),
        moved=moved,
        gained=gained,
        elsewhere=_elsewhere(library, query, texts),
        domain=float(bool(query.entities)),
    )


def probability(signals: Signals, fit: Fit = FIT) -> float:
    """0 to 1: how sure it is that the corpus answers."""
    return 1 / (1 + math.exp(-signals.score(fit)))


def status_of(signals: Signals, chosen: list[Candidate], fit: Fit = FIT) -> Status:
    """What the answer's status must be."""
    if chosen and probability(signals, fit) >= fit.answer_from:
        return "answered"
    near = signals.domain > 0 or signals.passage >= fit.near_from
    return "not_found" if near else "out_of_scope"


def _content_words(library: Library, text: str) -> list[str]:
    """The text's words outside named things: those are known under their own names."""
    spans = [(e.start, e.end) for e in library.lexicon.entities(text) if e.kind != ELSEWHERE]
    kept = (
        m.group()
        for m in WORD.finditer(text)
        if not any(start <= m.start() < end for start, end in spans)
    )
    return [w for w in dict.fromkeys(p for k in kept for p in words_of(k)) if stems_of(w)]


def _unfound(words: list[str], found: set[str]) -> list[str]:
    return [w for w in words if not set(stems_of(w)) <= found]


def _without(
    embedder: Embedder, library: Library, query: Query, rows: list[int], words: list[str]
) -> tuple[float, float]:
    """How the question's vector moves, and its best similarity gains, without some words."""
    if not words:
        return 0.0, 0.0
    pattern = r"\b(?:" + "|".join(map(re.escape, words)) + r")\b"
    rest = " ".join(re.sub(pattern, " ", query.text).split())
    if not rest:
        return 1.0, 0.0
    vector = embedder.embed([rest])[0]
    gained = _best(library, rows, vector) - _best(library, rows, query.vector)
    return 1.0 - float(vector @ query.vector), gained


def _best(library: Library, rows: list[int], vector: Vectors) -> float:
    return max((float((library.sentence_rows(r) @ vector).max()) for r in rows), default=0.0)


def _strange(library: Library, words: list[str]) -> float:
    known = library.stem_frequencies
    strange = [w for w in words if not any(s in known for s in stems_of(w))]
    return len(strange) / max(1, len(words))


def _elsewhere(library: Library, query: Query, texts: list[str]) -> float:
    named = _named_elsewhere(library, query.text)
    if named and not query.entities:
        return 1.0
    held = {stems for t in texts for stems in _named_elsewhere(library, t)}
    return float(bool(named - held))


def _named_elsewhere(library: Library, text: str) -> set[tuple[str, ...]]:
    entities = library.lexicon.entities(text)
    return {tuple(stems_of(text[e.start : e.end])) for e in entities if e.kind == ELSEWHERE}
