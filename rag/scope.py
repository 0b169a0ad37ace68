"""Whether the corpus answers a question, holds something near, or is about something else. Pure.

A logistic score over a handful of signals. Its constants are fitted by `python -m tests.fit_scope`
on the question files that may be tuned on, never on the held-out ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.leaning import CHAT
from rag.lexicon import (
    ELSEWHERE,
    FOREIGN,
    SETTING,
    WORD,
    english_rarity,
    stems_of,
    words_of,
)
from rag.library import Library
from rag.quoting import Candidate, Query
from rag.relevance import Features, Judged, weighed
from rag.types import Status, Vectors

NEAREST = 5
"""Passages whose words count as found."""


BARE = 2
"""Words up to which a message names a topic rather than asks: what questions are not covered says nothing then."""

FAR = -0.25
"""Nearness of a question not covered below which it says nothing: it speaks against an answer only."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known before anything is quoted."""

    relevance: float
    """Of the best passage, whatever its register."""
    passage: float
    """Best cosine similarity of a passage."""
    sentence: float
    """Best cosine similarity of a sentence of the evidence."""
    heading: float
    """Best cosine similarity of a way of asking for a passage of the evidence."""
    words: float
    """Best share, by rarity, of the question's words in the ways of asking for one passage."""
    strange: float
    """Share of the question's content words that the corpus never uses."""
    missing: float
    """How rare in English, 0 to 1, the rarest content word is that no passage found uses."""
    moved: float
    """How far the question's meaning moves, 0 to 2, when the words that no passage found uses are
    left out: far, where they are what it is about."""
    gained: float
    """What the best similarity gains by leaving them out."""
    uncovered: float
    """By how much, in adapted cosines, a question that the corpus is known not to answer is nearer than
    the ways of asking for what it does answer; `FAR` where none is near."""
    elsewhere: float
    """1 where the question names something the corpus is not about, and no passage found does."""
    setting: float
    """1 where it names a sport, a job or a brand that no passage found does: often in passing."""
    domain: float
    """1 where the question names a muscle, an exercise or an idea of the field."""
    study: float
    """1 where it names a study that the corpus holds."""
    length: float
    """Natural logarithm of one more than the question's words."""

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
    intercept=-19.31,
    weights={
        "relevance": 3.46,
        "passage": -0.94,
        "sentence": 2.03,
        "heading": 0.05,
        "words": 1.5,
        "strange": -0.95,
        "missing": 1.51,
        "moved": -3.11,
        "gained": -9.39,
        "uncovered": -19.56,
        "elsewhere": -3.34,
        "setting": -1.26,
        "domain": -0.74,
        "study": 2.7,
        "length": 3.08,
    },
    answer_from=0.45,
    near_from=0.45,
)


def signals_of(library: Library, query: Query, ranked: Sequence[Judged]) -> Signals:
    """The signals of one question and what was found for it, most relevant first."""
    rows = [j.row for j in ranked]
    features = [j.features for j in ranked]
    nearest = [_everything(j) for j in ranked[:NEAREST]]
    found = {s for text in nearest for s in stems_of(text)}
    words = _content_words(library, query.text)
    unfound = [w for w in words if not set(stems_of(w)) <= found]
    moved, gained = _without(library, query, rows, unfound)
    heading = max((f.heading for f in features), default=0.0)
    return Signals(
        relevance=max((weighed(f) for f in features), default=0.0),
        passage=max((j.hit.dense for j in ranked), default=0.0),
        sentence=max((f.sentence for f in features), default=0.0),
        heading=heading,
        words=max((f.words for f in features), default=0.0),
        strange=_strange(library, words),
        missing=max((english_rarity(w) for w in unfound), default=0.0),
        moved=moved,
        gained=gained,
        uncovered=_uncovered(library, query, features),
        elsewhere=_foreign(library, query.text, nearest, ELSEWHERE),
        setting=_foreign(library, query.text, nearest, SETTING),
        domain=float(bool(query.entities)),
        study=float(bool(query.studies)),
        length=math.log(1 + len(query.text.split())),
    )


def probability(signals: Signals, fit: Fit = FIT) -> float:
    """0 to 1: how sure it is that the corpus answers."""
    return 1 / (1 + math.exp(-signals.score(fit)))


def status_of(signals: Signals, chosen: Sequence[Candidate], fit: Fit = FIT) -> Status:
    """What the answer's status must be."""
    if chosen and probability(signals, fit) >= fit.answer_from:
        return "answered"
    near = signals.domain > 0 or signals.passage >= fit.near_from
    return "not_found" if near else "out_of_scope"


def _everything(judged: Judged) -> str:
    passage = judged.hit.passage
    return " ".join((passage.title, passage.section, passage.text, *passage.asked))


def _content_words(library: Library, text: str) -> list[str]:
    """The text's words outside named things: those are known under their own names."""
    spans = [(e.start, e.end) for e in library.lexicon.entities(text) if e.kind not in FOREIGN]
    kept = (
        m.group()
        for m in WORD.finditer(text)
        if not any(start <= m.start() < end for start, end in spans)
    )
    return [w for w in dict.fromkeys(p for k in kept for p in words_of(k)) if stems_of(w)]


def _without(
    library: Library, query: Query, rows: list[int], words: list[str]
) -> tuple[float, float]:
    """How the question's vector moves, and its best similarity gains, without some words."""
    if not words:
        return 0.0, 0.0
    pattern = r"\b(?:" + "|".join(map(re.escape, words)) + r")\b"
    rest = " ".join(re.sub(pattern, " ", query.text).split())
    if not rest:
        return 1.0, 0.0
    vector = library.embedder.embed([rest])[0]
    gained = _best(library, rows, vector) - _best(library, rows, query.vector)
    return 1.0 - float(vector @ query.vector), gained


def _best(library: Library, rows: list[int], vector: Vectors) -> float:
    return max((float((library.sentence_rows(r) @ vector).max()) for r in rows), default=0.0)


def _uncovered(library: Library, query: Query, features: Sequence[Features]) -> float:
    """`Signals.uncovered`; a greeting ("good morning") is no topic, though an exercise has its name."""
    if len(query.text.split()) <= BARE and not CHAT.match(query.text.lower()):
        return FAR
    return nearer(library.not_covered_similarities(query.vector), features)


def nearer(not_covered: Vectors, features: Sequence[Features]) -> float:
    """By how much the nearest of the questions not covered is nearer than what was found."""
    nearest = float(not_covered.max()) if not_covered.size else -1.0
    return max(FAR, nearest - max((f.asked for f in features), default=0.0))


def _strange(library: Library, words: list[str]) -> float:
    known = library.stem_frequencies
    strange = [w for w in words if not any(s in known for s in stems_of(w))]
    return len(strange) / max(1, len(words))


def _foreign(library: Library, text: str, found: Sequence[str], kind: str) -> float:
    """1 where the text names a thing of a kind that no text found names."""
    named = _named(library, text, kind)
    return float(bool(named - {n for t in found for n in _named(library, t, kind)}))


def _named(library: Library, text: str, kind: str) -> set[tuple[str, ...]]:
    entities = library.lexicon.entities(text)
    return {tuple(stems_of(text[e.start : e.end])) for e in entities if e.kind == kind}
