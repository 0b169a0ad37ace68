"""Quote mode: chooses the sentences that answer, orders them, and cites each. Pure.

The most relevant passage leads: its own first sentence, as a rule, is the direct answer, and what
follows it there says why, how much and for whom. Other passages add a sentence or two where they
are nearly as relevant and say something new; then come limits, and last what is only related.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.lexicon import FOREIGN, stems_of
from rag.library import Library, references_of
from rag.question import Shape, shape_of
from rag.relevance import Judged, coverage, judged, rarity
from rag.types import Audience, Citation, Evidence, Hit, Passage, Reference, Vectors

Part = Literal["answer", "limits", "related"]
"""What a passage behind the leading one adds."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What makes a sentence of a relevant passage worth quoting."""

    similarity: float = 0.50
    words: float = 0.45
    lead: float = 0.22
    """For the first sentence of a section, which is its answer."""
    number: float = 0.12
    cited: float = 0.10
    study: float = 0.60
    """For resting on a study that the question names."""
    hanging: float = 0.15
    """Taken where the sentence leans on the one before it."""
    pointer: float = 0.50
    """Taken where the sentence only says where to read on."""
    record: float = 0.30
    """Taken where a limit tells how the study was looked up rather than what it shows."""
    verdict: float = 0.30
    """Taken where a "Yes" or "No" answers a heading that asks something else."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much an answer may hold for one kind of reader."""

    sentences: int
    words: int
    leading: int
    """Sentences of the leading passage."""
    further: int
    """Sentences of every other passage."""
    others: int
    """Other passages."""


ROOMS: Mapping[Audience, Room] = {
    # About one phone screen; a trainer reads on.
    "client": Room(sentences=7, words=150, leading=4, further=2, others=2),
    "trainer": Room(sentences=9, words=240, leading=5, further=2, others=3),
}

MARGIN = 0.45
"""How much less relevant than the leading passage another may be and still add to the answer …"""

RELATED_MARGIN = 0.7
"""… and still be quoted as related."""

SURE = 0.75
"""Adapted cosine from which the leading passage surely answers …"""

AS_ASKED: Mapping[Part, float] = {"answer": 0.58, "limits": 0.0, "related": 0.75}
"""… and what a further passage must have then: of the related ones with less, four in ten were beside
the question."""

ON_POINT = 0.5
"""Share of the leading passage's match in words that a further passage must have."""

WORTH_ADDING = 0.5
"""What a sentence must be worth that opens a further passage: about half of what a lead is."""

OPENING = 0.25
"""Share of the best sentence's worth that a section's own answer must have to go first."""

SAME_QUESTION = 0.55
"""Cosine of heading and question from which a "Yes" or "No" is an answer to the question …"""

SURELY_SAME = 0.68
"""… and from which it is one beside an answer that was given already."""

SAME = 0.82
"""Cosine similarity from which two sentences say the same …"""

SAME_FINDING = 0.68
"""… from which they do where they rest on a study in common …"""

SAME_FIGURES = 0.58
"""… and from which they do where, besides, the later one gives no figure that was not told."""

FIGURES_OF_ONE = 3
"""Figures in common that mark one finding of a study however it is worded."""

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_ENDS = re.compile(r"[.!…][\"'”’)\]]*$")
_CONTESTED = re.compile(r"\b(?:contested|retract\w+|not be used|withdrawn|in doubt|disputed)\b", re.I)
_HANGING = re.compile(
    r"^(?:this|that|these|those|it|they|its|their|he|she|such|however|also|but|and|so|instead|"
    r"(?:both|neither|another) (?:was|were|is|are|did|had|has|have|of)|the (?:study|trial|authors|review|same|other|latter|former))\b",
    re.IGNORECASE,
)
_SETS_AGAINST = re.compile(
    r"\b(?:others?|another|disagree\w*|contradict\w*|conflict\w*|differs?|agrees?|"
    r"replicat\w*|supersed\w*|since|later|earlier)\b",
    re.IGNORECASE,
)
"""Words of a question that sets a study against others."""
_OF_THE_RECORD = re.compile(
    r"\b(?:abstracts?|excerpts?|read|readable|visible|pages?|pmid|doi|reference list|machine-written|"
    r"secondary|summar(?:y|ies)|author list|cited only|known by)\b",
    re.IGNORECASE,
)
_VERDICT = re.compile(r"^(?:yes|no)\b", re.IGNORECASE)
_POINTER = re.compile(
    r"\b(?:is|are) (?:covered|explained|described|set out|laid out|listed|discussed|compared|given|shown|weighed up) in\b|"
    r"\b(?:see|read|go to) |^(?:compare|more on|more about|more is|for more)\b|\b(?:is|are) in how\b", re.I
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
    related: bool = False
    """Whether it tells of something beside the question rather than answers it."""

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
    studies: frozenset[str]
    """Ids of the references that the question names."""
    only: frozenset[str]
    """Those that it asks for by themselves: it names them, and sets them against no others."""
    shape: Shape
    audience: Audience


def query_of(library: Library, searched: str, vector: Vectors, audience: Audience) -> Query:
    return Query(
        text=searched,
        vector=vector,
        stems=frozenset(stems_of(searched)),
        entities=frozenset(
            e.name for e in library.lexicon.entities(searched) if e.kind not in FOREIGN
        ),
        studies=frozenset(library.studies.named(searched)),
        only=studies_alone(library, searched),
        shape=shape_of(searched),
        audience=audience,
    )


def studies_alone(library: Library, text: str) -> frozenset[str]:
    """Ids of the references that a text names without setting them against others."""
    return frozenset() if _SETS_AGAINST.search(text) else frozenset(library.studies.named(text))


def ranked_evidence(library: Library, query: Query, evidence: Evidence) -> list[Judged]:
    """The evidence by how well it answers, best first."""
    return judged(library, evidence, query.vector, query.stems, query.audience)


def chosen_sentences(
    library: Library, query: Query, ranked: Sequence[Judged], weights: Weights = Weights()
) -> list[Candidate]:
    """The sentences of the answer in reading order; empty where nothing may be quoted.

    A question that names a study, and does not set it against others, is answered from that study.
    """
    if query.only:
        by_digest = sorted(ranked, key=lambda j: not _tells_of(query, j.hit.passage))
        own = _chosen(library, query, by_digest, weights, _meant(library, query.only, ranked))
        if own:
            return own
    return _chosen(library, query, ranked, weights, frozenset())


def _meant(library: Library, named: frozenset[str], ranked: Sequence[Judged]) -> frozenset[str]:
    """The studies that were meant: of those with one label, the one whose digest answers best."""
    meant: dict[str, str] = {}
    for study in (p.hit.passage.source_id for p in ranked):
        if study in named:
            meant.setdefault(library.references[study].label, study)
    return frozenset(meant.values()) or named


def _chosen(
    library: Library,
    query: Query,
    ranked: Sequence[Judged],
    weights: Weights,
    studies: frozenset[str],
) -> list[Candidate]:
    """The sentences, of the studies only where any are given."""
    quotable = {p.row: list(_candidates(library, query, p, weights, studies)) for p in ranked}
    lead = next((p for p in ranked if quotable[p.row]), None)
    if lead is None:
        return []
    room = ROOMS[query.audience]
    chosen = _leading(quotable[lead.row], lead, room)
    parts: tuple[tuple[Part, Room], ...] = (
        ("answer", room),
        ("limits", replace(room, others=1)),
        ("related", replace(room, others=1, further=1)),
    )
    for part, space in parts:
        of_part = [p for p in ranked if p is not lead and _part_of(library, query, p, lead) == part]
        added = 0
        for passage in of_part:
            if added < space.others and not (part == "limits" and not _limits_any(passage, chosen)):
                further = _further(quotable[passage.row], chosen, passage, space)
                chosen += [replace(c, related=part == "related") for c in further]
                added += bool(further)
    return chosen


def _part_of(library: Library, query: Query, passage: Judged, lead: Judged) -> Part | None:
    """What a passage may add to an answer; None where it is beside the question."""
    behind = lead.relevance - passage.relevance
    if passage.hit.passage.role == "limits":
        part: Part = "limits"
    else:
        part = "answer" if behind <= MARGIN else "related"
    off = behind > RELATED_MARGIN or _off_the_point(library, query, passage, lead, part)
    return None if off else part


def _limits_any(passage: Judged, chosen: Sequence[Candidate]) -> bool:
    """Whether the passage limits a study that the chosen sentences rest on."""
    return any(r.id == passage.hit.passage.source_id for c in chosen for r in c.references)


def citations_of(chosen: Sequence[Candidate], first: int = 1) -> list[Citation]:
    """One citation a sentence, numbered in order from `first`."""
    return [
        Citation(n, c.hit.passage, *c.span, references=c.references)
        for n, c in enumerate(chosen, first)
    ]


def _tells_of(query: Query, passage: Passage) -> bool:
    """Whether a trainer should be told of the study that the question names by this passage first."""
    return query.audience == "trainer" and passage.role == "body" and passage.source_id in query.only


def _off_the_point(
    library: Library, query: Query, passage: Judged, lead: Judged, part: Part
) -> bool:
    """Whether a further passage is about something beside the question."""
    if passage.features.words < ON_POINT * lead.features.words:
        return True
    if lead.features.asked >= SURE and passage.features.asked < AS_ASKED[part]:
        return True
    return _about_another(library, query, passage.hit.passage)


def _about_another(library: Library, query: Query, passage: Passage) -> bool:
    """Whether title and heading name exercises, and none of those that the question names."""
    names = {e.name for e in library.exercises.values()}
    asked = query.entities & names
    around = f"{passage.title} {passage.section}"
    headed = {e.name for e in library.lexicon.entities(around)} & names
    return bool(asked and headed) and not asked & headed


def _candidates(
    library: Library, query: Query, passage: Judged, weights: Weights, studies: frozenset[str]
) -> Iterator[Candidate]:
    """The passage's sentences that may be quoted, in order, with their worth to the reader.

    Only those that rest on one of the studies, where any are given.
    """
    hit = passage.hit
    for number, vector in enumerate(library.sentence_rows(passage.row)):
        text = hit.passage.sentence(number)
        references = references_of(library, hit.passage, *hit.passage.sentences[number])
        if not _may_be_quoted(text, references):
            continue
        if studies and not studies & {r.id for r in references}:
            continue
        worth = weights.similarity * float(vector @ query.vector)
        worth += weights.words * coverage(query.stems, [text], rarity(library))
        worth += weights.lead * (number == 0 and hit.passage.role == "body")
        worth += weights.cited * bool(references)
        worth += weights.study * bool(query.studies & {r.id for r in references})
        worth += weights.number * (query.shape == "number" and bool(re.search(r"\d", text)))
        worth -= weights.hanging * bool(_HANGING.match(text))
        worth -= weights.pointer * bool(_POINTER.search(text))
        worth -= weights.record * (hit.passage.role == "limits" and is_of_the_record(text))
        worth -= weights.verdict * _answers_another(text, passage, SAME_QUESTION)
        yield Candidate(hit, number, worth, vector, references)


def _may_be_quoted(text: str, references: tuple[Reference, ...]) -> bool:
    """A whole statement, not a question, a heading or a scrap; contested work only where the sentence says that it is."""
    if len(text.split()) < 4 or not _ENDS.search(text.rstrip()):
        return False
    contested = bool(references) and all(r.status != "ok" for r in references)
    return not contested or bool(_CONTESTED.search(text))


def _answers_another(text: str, passage: Judged, same_from: float) -> bool:
    """Whether a "Yes" or "No" answers its own heading, and the question is another one."""
    return bool(_VERDICT.match(text)) and passage.features.heading < same_from


def _leading(
    candidates: Sequence[Candidate], passage: Judged, room: Room
) -> list[Candidate]:
    """The leading passage's answer and what follows it there, in order."""
    alone = [c for c in candidates if not _HANGING.match(c.text)] or list(candidates)
    if not alone:
        return []
    best = max(alone, key=lambda c: (c.worth, -c.number))
    opening = alone[0]
    first = opening if _opens(opening, best, passage) else best
    chosen = [first]
    behind = [c for c in candidates if c.number > first.number and not _POINTER.search(c.text)]
    if best.number > first.number + room.leading - 1:
        behind = [c for c in behind if c.number >= best.number]
    for candidate in behind:
        if len(chosen) < room.leading and _fits(candidate, chosen, room):
            chosen.append(candidate)
    return chosen


def _opens(opening: Candidate, best: Candidate, passage: Judged) -> bool:
    """Whether the section's own answer goes first, though another sentence of it is worth more.

    Sections for clients open with their answer; those for trainers and digests give one finding
    after another.
    """
    section = passage.hit.passage
    answers = opening.number == 0 and section.source_kind != "reference" and section.audience != "trainer"
    if not answers or _answers_another(opening.text, passage, SAME_QUESTION):
        return False
    return opening.worth >= OPENING * best.worth


def _further(
    candidates: Sequence[Candidate], chosen: Sequence[Candidate], passage: Judged, room: Room
) -> list[Candidate]:
    """What another passage adds: its best new sentence, and the one that follows it."""
    alone = [
        c
        for c in candidates
        if c.worth >= WORTH_ADDING
        and not _HANGING.match(c.text)
        and not _POINTER.search(c.text)
        and not _answers_another(c.text, passage, SURELY_SAME)
        and _fits(c, chosen, room)
    ]
    if not alone:
        return []
    first = max(alone, key=lambda c: (c.worth, -c.number))
    added = [first]
    for candidate in candidates:
        after = candidate.number == added[-1].number + 1
        if after and len(added) < room.further and _fits(candidate, [*chosen, *added], room):
            if candidate.worth >= 0.6 * first.worth and not _POINTER.search(candidate.text):
                added.append(candidate)
    return added


def _fits(candidate: Candidate, chosen: Sequence[Candidate], room: Room) -> bool:
    """Whether there is room for the sentence and it says something new."""
    words = sum(len(c.text.split()) for c in chosen) + len(candidate.text.split())
    if len(chosen) >= room.sentences or words > room.words:
        return False
    if _HANGING.match(candidate.text) and not any(
        c.hit is candidate.hit and c.number == candidate.number - 1 for c in chosen
    ):
        return False
    return not tells_again(candidate, chosen)


def is_of_the_record(text: str) -> bool:
    """Whether a limit is one of how the study was looked up rather than of what it shows."""
    return bool(_OF_THE_RECORD.search(text))


def tells_again(one: Candidate, told: Sequence[Candidate]) -> bool:
    """Whether a sentence tells what sentences of other passages have told already."""
    others = [c for c in told if c.hit is not one.hit]
    of_its_studies = [c for c in others if _studies(one) & _studies(c)]
    near = max((_similar(one, c) for c in of_its_studies), default=-1.0)
    figures = _figures(one.text)
    known = {f for c in of_its_studies for f in _figures(c.text)}
    return (
        any(is_repeated(one, c) for c in others)
        or near >= SAME_FINDING
        or (bool(figures) and figures <= known and near >= SAME_FIGURES)
    )


def is_repeated(one: Candidate, other: Candidate) -> bool:
    """Whether two sentences are the same in other words, or tell the same figures of a study."""
    same_study = bool(_studies(one) & _studies(other))
    shared = _figures(one.text) & _figures(other.text)
    return _similar(one, other) >= SAME or (same_study and len(shared) >= FIGURES_OF_ONE)


def _similar(one: Candidate, other: Candidate) -> float:
    return float(one.vector @ other.vector)


def _studies(candidate: Candidate) -> set[str]:
    return {r.id for r in candidate.references}


def _figures(text: str) -> set[str]:
    return set(_FIGURE.findall(text))
