"""Quote mode: chooses the sentences that answer, orders them, and cites each. Pure.

A candidate is one sentence of a retrieved passage. Its worth to the reader is a weighted sum of
how well its passage, its heading and its own words meet the question, of where it stands (a
section's first sentence is its answer) and of whether it has what the question asks for (a
number, both sides of a comparison). The best one leads; what follows adds something: the same
section's next sentences, then other sources, then what limits the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.lexicon import ELSEWHERE, stems_of
from rag.library import Library, references_of
from rag.question import Shape, shape_of
from rag.types import (
    Audience,
    Citation,
    Evidence,
    Hit,
    Passage,
    Reference,
    Vectors,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """What makes a sentence worth quoting; tuned on tests/questions/dev.jsonl."""

    passage: float = 0.30
    heading: float = 0.40
    sentence: float = 0.50
    coverage: float = 0.45
    entities: float = 0.20
    lead: float = 0.22
    number: float = 0.12
    verdict: float = 0.06
    cited: float = 0.10
    other_register: float = 0.25
    own_register: float = 0.10
    digest: float = 0.16
    """Taken from a reference's own text for a client, who is better served by prose."""
    limits: float = 0.20
    on_topic: float = 0.40
    """For a heading whose words are all in the question: it asks the same and nothing else."""
    foreign: float = 0.35
    """Taken where the heading is about an exercise that a question naming exercises did not name."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much an answer may hold for one kind of reader."""

    sentences: int
    words: int
    per_passage: int
    sources: int


ROOMS: Mapping[Audience, Room] = {
    # About one phone screen; a trainer reads on.
    "client": Room(sentences=7, words=150, per_passage=3, sources=5),
    "trainer": Room(sentences=8, words=230, per_passage=3, sources=6),
}

FLOOR = 0.64
"""Share of the leading sentence's worth that a further one must have."""

SAME = 0.86
"""Cosine similarity from which two sentences say the same."""

IMPLIED = "better for glute growth, grow the glutes"
"""What a question to this coach means where it names no other aim."""

_CONTESTED = re.compile(r"\b(?:contested|retract\w+|not be used|withdrawn|in doubt|disputed)\b", re.I)
_HANGING = re.compile(
    r"^(?:this|that|these|those|it|they|its|their|he|she|such|however|also|but|and|so|instead|"
    r"(?:both|neither|another) (?:was|were|is|are|did|had|has|have|of)|the (?:study|trial|authors|review|same|other|latter|former))\b",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"^(?:yes|no|not|it depends|probably|usually|nothing|both|neither)\b|"
    r"\b(?:did not|does not|do not|is not|are not|cannot|no clear|about equally|no evidence|can)\b",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"\b(?:is|are) (?:covered|explained|described|set out|listed|discussed|compared|given) in\b|\b(?:see|read|go to) ", re.I
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence that may be quoted."""

    hit: Hit
    number: int
    """Which sentence of its passage, from 0."""
    worth: float
    vector: Vectors
    references: tuple[Reference, ...]

    @property
    def span(self) -> tuple[int, int]:
        return self.hit.passage.sentences[self.number]

    @property
    def text(self) -> str:
        return self.hit.passage.sentence(self.number)


@dataclass(frozen=True, slots=True)
class Query:
    """A standalone question as the engine sees it."""

    text: str
    """Mended and in the corpus's words."""
    vector: Vectors
    stems: frozenset[str]
    entities: frozenset[str]
    shape: Shape
    audience: Audience


def query_of(library: Library, searched: str, vector: Vectors, audience: Audience) -> Query:
    return Query(
        text=searched,
        vector=vector,
        stems=frozenset(stems_of(searched)),
        entities=frozenset(
            e.name for e in library.lexicon.entities(searched) if e.kind != ELSEWHERE
        ),
        shape=shape_of(searched),
        audience=audience,
    )


def chosen_sentences(
    library: Library, query: Query, evidence: Evidence, weights: Weights = Weights()
) -> list[Candidate]:
    """The sentences of the answer in reading order; empty where nothing may be quoted."""
    candidates = sorted(
        _candidates(library, query, evidence, weights), key=lambda c: (-c.worth, c.hit.rank, c.number)
    )
    if not candidates:
        return []
    lead = _lead(candidates)
    room = ROOMS[query.audience]
    chosen = [lead, *_companions(lead, candidates, room)]
    for candidate in candidates:
        if candidate.worth < FLOOR * lead.worth:
            break
        if _adds(candidate, chosen, room):
            chosen.append(candidate)
    return _ordered(chosen)


def citations_of(chosen: Sequence[Candidate]) -> list[Citation]:
    """One citation a sentence, numbered in order."""
    return [
        Citation(n, c.hit.passage, *c.span, references=c.references)
        for n, c in enumerate(chosen, 1)
    ]


def coverage(
    stems: Iterable[str], texts: Iterable[str], weight: Callable[[str], float]
) -> float:
    """Share, 0 to 1, of the stems' weight that the texts hold."""
    held = {s for text in texts for s in stems_of(text)}
    total = {s: weight(s) for s in stems}
    whole = sum(total.values())
    return sum(w for s, w in total.items() if s in held) / whole if whole else 0.0


def _candidates(
    library: Library, query: Query, evidence: Evidence, weights: Weights
) -> Iterable[Candidate]:
    best = max((h.score for h in evidence), default=0.0) or 1.0
    for hit in evidence:
        row = library.rows[hit.passage.id]
        vectors = library.sentence_rows(row)
        heading = float(library.heading_vectors[row] @ query.vector)
        around = f"{hit.passage.title} {hit.passage.section}"
        base = weights.passage * hit.score / best + weights.heading * heading
        base += weights.on_topic * _on_topic(library, query, hit.passage)
        base += _register(hit.passage, query.audience, weights)
        for number, vector in enumerate(vectors):
            text = hit.passage.sentence(number)
            references = references_of(library, hit.passage, *hit.passage.sentences[number])
            if not _may_be_quoted(text, references):
                continue
            worth = base + weights.sentence * float(vector @ query.vector)
            worth += _words_worth(library, query, text, around, weights)
            worth += weights.lead * (number == 0 and hit.passage.role == "body")
            worth += weights.cited * bool(references)
            worth -= 0.15 * bool(_HANGING.match(text)) + 0.5 * bool(_POINTER.search(text))
            yield Candidate(hit, number, worth, vector, references)


def _on_topic(library: Library, query: Query, passage: Passage) -> float:
    """Share, by rarity, of the heading's words that the question has; 0 without a heading."""
    if passage.source_kind == "reference":
        return 0.5
    return coverage(stems_of(passage.section), [query.text, IMPLIED], _rarity(library))


def _may_be_quoted(text: str, references: tuple[Reference, ...]) -> bool:
    """Not a question or a scrap; contested work only where the sentence says that it is."""
    if len(text.split()) < 4 or text.rstrip().endswith(("?", ":")):
        return False
    contested = bool(references) and all(r.status != "ok" for r in references)
    return not contested or bool(_CONTESTED.search(text))


def _register(passage: Passage, audience: Audience, weights: Weights) -> float:
    worth = -weights.limits if passage.role == "limits" else 0.0
    if audience == "client":
        worth -= weights.other_register * (passage.audience == "trainer")
        worth -= weights.digest * (passage.source_kind == "reference")
    else:
        worth += weights.own_register * (passage.audience == "trainer")
        worth += weights.own_register * (passage.source_kind == "reference")
    return worth


def _words_worth(
    library: Library, query: Query, text: str, around: str, weights: Weights
) -> float:
    rarity = _rarity(library)
    worth = weights.coverage * 0.6 * coverage(query.stems, [text], rarity)
    worth += weights.coverage * 0.4 * coverage(query.stems, [text, around], rarity)
    if query.entities:
        here = {e.name for e in library.lexicon.entities(f"{text} {around}")}
        worth += weights.entities * len(query.entities & here) / len(query.entities)
        worth -= weights.foreign * _foreign(library, query, around)
    if query.shape == "number":
        worth += weights.number * bool(re.search(r"\d", text))
    if query.shape in {"yes-no", "comparison"}:
        worth += weights.verdict * bool(_VERDICT.search(text))
    return worth


def _foreign(library: Library, query: Query, around: str) -> bool:
    """Whether title and heading name an exercise beside those that the question is about."""
    names = {e.name for e in library.exercises.values()}
    asked = query.entities & names
    headed = {e.name for e in library.lexicon.entities(around)} & names
    return bool(asked) and bool(headed - asked)


def _rarity(library: Library) -> Callable[[str], float]:
    frequencies, size = library.stem_frequencies, len(library.passages)
    return lambda stem: float(np.log(1 + size / (1 + frequencies.get(stem, 0))))


def _lead(candidates: Sequence[Candidate]) -> Candidate:
    """The best sentence that stands on its own; the best of all where none does."""
    alone = (c for c in candidates if not _HANGING.match(c.text))
    return next(alone, candidates[0])


def _companions(lead: Candidate, candidates: Sequence[Candidate], room: Room) -> list[Candidate]:
    """What follows the leading sentence in its passage: why, how much, for whom."""
    after = sorted(
        (c for c in candidates if c.hit is lead.hit and c.number > lead.number),
        key=lambda c: c.number,
    )
    chosen: list[Candidate] = []
    for candidate in after[: room.per_passage]:
        near = float(candidate.vector @ lead.vector) > 0.30 or candidate.worth > 0.6 * lead.worth
        if near and len(chosen) < room.per_passage - 1 and _adds(candidate, [lead, *chosen], room):
            chosen.append(candidate)
    return chosen


def _adds(candidate: Candidate, chosen: Sequence[Candidate], room: Room) -> bool:
    """Whether there is room for the sentence and it says something new."""
    if candidate in chosen or len(chosen) >= room.sentences:
        return False
    words = sum(len(c.text.split()) for c in chosen) + len(candidate.text.split())
    if words > room.words:
        return False
    same_passage = [c for c in chosen if c.hit is candidate.hit]
    if len(same_passage) >= room.per_passage:
        return False
    if _HANGING.match(candidate.text) and not any(
        c.number == candidate.number - 1 for c in same_passage
    ):
        return False
    sources = {c.hit.passage.source_id for c in chosen} | {candidate.hit.passage.source_id}
    if len(sources) > room.sources:
        return False
    return all(float(candidate.vector @ c.vector) < SAME for c in chosen)


def _ordered(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Passages in order of their best sentence, sentences of one passage together; limits last."""
    first: dict[str, int] = {}
    for n, candidate in enumerate(chosen):
        first.setdefault(candidate.hit.passage.id, n)
    return sorted(
        chosen,
        key=lambda c: (c.hit.passage.role == "limits", first[c.hit.passage.id], c.number),
    )
