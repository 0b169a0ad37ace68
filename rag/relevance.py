"""How well a passage answers a question: what ranks the evidence. Pure.

Retrieval finds passages that speak of the same things; relevance asks which of them answers. It
leans on how people ask: a passage's heading and, where the corpus keeps them, the other phrasings
of it. The weights are fitted by `python -m tests.fit_relevance` on the question files that may be
tuned on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.lexicon import stems_of
from rag.library import Library
from rag.types import Audience, Evidence, Hit, Passage, Vectors


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of one passage for one question; each 0 to about 1, save `fused`."""

    fused: float
    """The retriever's score, 0 to about 2."""
    asked: float
    """Adapted cosine of the ways of asking for the passage, near ones counted together."""
    words: float
    """Share, by rarity, of the question's words in the ways of asking for it."""
    sentence: float
    """Cosine of its nearest sentence."""
    heading: float
    """Cosine of the nearest way of asking for it; says how near, and ranks nothing."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Fitted on 1,526 questions by `python -m tests.fit_relevance`."""

    fused: float = 0.40
    asked: float = 1.68
    words: float = 1.09
    sentence: float = 0.17


# What suits one reader may be lost on another. Set by hand: the judged references do not tell.
TRAINER_SECTION: dict[Audience, float] = {"client": -0.25, "trainer": 0.10}
DIGEST: dict[Audience, float] = {"client": -0.16, "trainer": 0.10}
LIMITS = -0.20


@dataclass(frozen=True, slots=True)
class Judged:
    """A hit with what makes it relevant, and how much."""

    hit: Hit
    row: int
    features: Features
    relevance: float


def judged(
    library: Library,
    evidence: Evidence,
    vector: Vectors,
    stems: Iterable[str],
    audience: Audience,
    weights: Weights = Weights(),
) -> list[Judged]:
    """The evidence by relevance, best first; ties keep the retriever's order."""
    wanted = tuple(stems)
    headings, sentences = nearest_similarities(library, vector)
    asked = library.asked_similarities(vector)
    found: list[Judged] = []
    for hit in evidence:
        row = library.rows[hit.passage.id]
        words = coverage(wanted, ways_of_asking(hit.passage), rarity(library))
        features = Features(
            hit.score, float(asked[row]), words, float(sentences[row]), float(headings[row])
        )
        relevance = weighed(features, weights) + register(hit.passage, audience)
        found.append(Judged(hit, row, features, relevance))
    return sorted(found, key=lambda j: (-j.relevance, j.hit.rank))


def weighed(features: Features, weights: Weights = Weights()) -> float:
    return (
        weights.fused * features.fused
        + weights.asked * features.asked
        + weights.words * features.words
        + weights.sentence * features.sentence
    )


def register(passage: Passage, audience: Audience) -> float:
    """What the passage's kind is worth to this reader."""
    worth = TRAINER_SECTION[audience] * (passage.audience == "trainer")
    worth += DIGEST[audience] * (passage.source_kind == "reference")
    return worth + LIMITS * (passage.role == "limits")


def nearest_similarities(library: Library, vector: Vectors) -> tuple[Vectors, Vectors]:
    """Shape (passages,) each: cosines of the nearest way of asking, and of the nearest sentence.

    Where nobody wrote down how people ask, the passage's own sentences stand for it.
    """
    headings = library.heading_similarities(vector)
    sentences = library.sentence_similarities(vector)
    return np.where(library.has_phrasings, headings, np.maximum(headings, sentences)), sentences


def ways_of_asking(passage: Passage) -> Sequence[str]:
    """The texts whose words a question for this passage may be expected to use."""
    return (passage.title, passage.section, *(passage.asked or (passage.text,)))


def coverage(stems: Iterable[str], texts: Iterable[str], weight: Callable[[str], float]) -> float:
    """Share, 0 to 1, of the stems' weight that the texts hold."""
    held = {s for text in texts for s in stems_of(text)}
    total = {s: weight(s) for s in stems}
    whole = sum(total.values())
    return sum(w for s, w in total.items() if s in held) / whole if whole else 0.0


def rarity(library: Library) -> Callable[[str], float]:
    """Weight of a stem: high where few passages use it."""
    frequencies, size = library.stem_frequencies, len(library.passages)
    return lambda stem: float(np.log(1 + size / (1 + frequencies.get(stem, 0))))
