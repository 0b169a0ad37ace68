"""Whether the corpus answers a question, holds something near, or is about something else. Pure.

A logistic score over a handful of signals, fitted on tests/questions/dev.jsonl together with
questions of other fields; `python -m tests.fit_scope` prints the constants again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rag.lexicon import is_english, words_of
from rag.library import Library
from rag.quoting import Candidate, Query, coverage
from rag.types import Evidence, Status

SIGNALS = ("passage", "sentence", "heading", "coverage", "sentence_coverage", "strange", "domain")


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known before anything is quoted; all but `strange` speak for an answer."""

    passage: float
    """Best cosine similarity of a passage."""
    sentence: float
    """Best cosine similarity of a sentence of the evidence."""
    heading: float
    """Best cosine similarity of a heading of the evidence."""
    coverage: float
    """Share of the question's words, by rarity, in the best five passages."""
    sentence_coverage: float
    """The same for the one sentence that covers most, its title and heading included."""
    strange: float
    """Share of the question's content words that the corpus never uses, English ones only."""
    domain: float
    """1 where the question names a muscle, an exercise or an idea of the field."""

    def values(self) -> tuple[float, ...]:
        return tuple(getattr(self, name) for name in SIGNALS)


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients of the logistic score, and the thresholds between the three statuses."""

    intercept: float
    weights: Mapping[str, float]
    answer_from: float
    near_from: float
    """Similarity or domain words from which a refusal is `not_found` and not `out_of_scope`."""


FIT = Fit(
    intercept=-6.0,
    weights={
        "passage": 4.0,
        "sentence": 4.0,
        "heading": 3.0,
        "coverage": 2.0,
        "sentence_coverage": 2.0,
        "strange": -2.0,
        "domain": 1.0,
    },
    answer_from=0.5,
    near_from=0.42,
)


def signals_of(library: Library, query: Query, evidence: Evidence) -> Signals:
    """The signals of one question and what was retrieved for it."""
    rows = [library.rows[h.passage.id] for h in evidence]
    sentences = [float((library.sentence_rows(r) @ query.vector).max()) for r in rows]
    headings = [float(library.heading_vectors[r] @ query.vector) for r in rows]
    size = len(library.passages)

    def rarity(stem: str) -> float:
        return math.log(1 + size / (1 + library.stem_frequencies.get(stem, 0)))

    texts = [f"{h.passage.title} {h.passage.section} {h.passage.text}" for h in evidence[:5]]
    return Signals(
        passage=max((h.dense for h in evidence), default=0.0),
        sentence=max(sentences, default=0.0),
        heading=max(headings, default=0.0),
        coverage=coverage(query.stems, texts, rarity),
        sentence_coverage=max((coverage(query.stems, [t], rarity) for t in texts), default=0.0),
        strange=_strange(library, query),
        domain=float(bool(query.entities)),
    )


def probability(signals: Signals, fit: Fit = FIT) -> float:
    """0 to 1: how sure it is that the corpus answers."""
    score = fit.intercept + sum(
        fit.weights[name] * value for name, value in zip(SIGNALS, signals.values(), strict=True)
    )
    return 1 / (1 + math.exp(-score))


def status_of(signals: Signals, chosen: list[Candidate], fit: Fit = FIT) -> Status:
    """What the answer's status must be."""
    if chosen and probability(signals, fit) >= fit.answer_from:
        return "answered"
    near = signals.domain > 0 or signals.passage >= fit.near_from
    return "not_found" if near else "out_of_scope"


def _strange(library: Library, query: Query) -> float:
    known = library.stem_frequencies
    strange = [s for s in query.stems if s not in known]
    words = {w.lower() for w in words_of(query.text)}
    # Names and numbers say little; an English word that no article uses says a lot.
    counted = [s for s in strange if any(w.startswith(s[:5]) and is_english(w) for w in words)]
    return len(counted) / max(1, len(query.stems))
