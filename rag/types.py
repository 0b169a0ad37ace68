"""The values that flow from question to answer, and the roles that touch the outside world.

Everything here is frozen and imports nothing of ours, so that every other module may import it.
The words are those of the README's vocabulary: a Document is cut into Passages, a Query finds
Hits, the chosen Hits are the Evidence, and an Answer's sentences rest on Citations, behind which
stand References.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SourceKind = Literal["article", "reference", "exercise"]
Audience = Literal["client", "trainer"]
Status = Literal["answered", "not_found", "out_of_scope"]
Mode = Literal["quote", "model"]
SafetyLevel = Literal["caution", "see_a_clinician"]
Verdict = Literal["supported", "partly", "unsupported", "contradicted"]
SentenceVerdict = Literal["quote", "notice", "supported", "partly", "unsupported", "contradicted"]
PassageRole = Literal["body", "limits", "facts"]
"""Prose that answers; what limits a study; an exercise's fields, which only tables show."""
ReferenceStatus = Literal["ok", "concern", "retracted"]

Vectors = NDArray[np.float32]
"""Shape (n, dimension), one unit-length row a text."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asked, with the conversation before it, oldest turn first."""

    text: str
    history: tuple[Turn, ...] = ()
    audience: Audience = "client"


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a passage's text at which references are cited in the source.

    The citation's own characters are not part of the text: `offset` is where they stood.
    """

    offset: int
    reference_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable piece of a document: running text without markup or citation keys."""

    id: str
    source_id: str
    """The article's or exercise's slug, or the reference's id."""
    source_kind: SourceKind
    title: str
    section: str
    """The heading that the passage stands under; empty before the first heading."""
    position: int
    """Place within its document, from 0."""
    text: str
    sentences: tuple[tuple[int, int], ...]
    """(start, end) of each sentence in `text`, in order."""
    mentions: tuple[Mention, ...] = ()
    url: str = ""
    audience: Audience | None = None
    """Set where the section is written for one kind of reader ("For trainers: …")."""
    role: PassageRole = "body"
    asked: tuple[str, ...] = ()
    """Other words in which people ask what the section answers; found by, never quoted."""

    def sentence(self, number: int) -> str:
        """The text of one sentence; `IndexError` where there is none."""
        start, end = self.sentences[number]
        return self.text[start:end]


@dataclass(frozen=True, slots=True)
class Reference:
    """The study, guideline or page behind a citation. `csl` holds its bibliographic fields."""

    id: str
    label: str
    """Short form for reading: "Contreras et al., 2015"."""
    title: str
    year: int | None
    kind: str
    doi: str = ""
    url: str = ""
    status: ReferenceStatus = "ok"
    population: str = ""
    sample_size: int | None = None
    csl: Mapping[str, Any] = field(default_factory=dict)
    """CSL-JSON item: id, type, author, issued, container-title, …"""
    details: Mapping[str, Any] = field(default_factory=dict)
    """The remaining front matter: weeks, outcomes, measurements, topics, …"""


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise's typed fields, as its file's front matter gives them."""

    id: str
    name: str
    aliases: tuple[str, ...]
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a query found. Higher scores are better; rank counts from 1."""

    passage: Passage
    score: float
    rank: int
    dense: float = 0.0
    """Cosine similarity of query and passage, -1 to 1."""
    lexical: float = 0.0
    """BM25 score, 0 upwards."""


Evidence = tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Safety:
    """What must be said about a person's health before the answer."""

    level: SafetyLevel
    message: str
    rule: str = ""
    """Id of the rule that fired."""
    references: tuple[str, ...] = ()
    """The references that the rule rests on."""

    @property
    def refers(self) -> bool:
        """Whether a clinician comes before any advice."""
        return self.level == "see_a_clinician"


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a passage that sentences of the answer rest on.

    `quote == passage.text[start:end]`, always.
    """

    marker: int
    passage: Passage
    start: int
    end: int
    references: tuple[Reference, ...]

    @property
    def quote(self) -> str:
        return self.passage.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One displayed sentence with the markers of its citations and the checker's verdict."""

    text: str
    citations: tuple[int, ...]
    verdict: SentenceVerdict
    part: str = "answer"
    """Which part of the answer it belongs to: a passage's id, or limits, disagreement, table, …"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader gets. Answers that decline carry no citations."""

    question: str
    standalone_question: str
    status: Status
    mode: Mode
    audience: Audience
    text: str
    sentences: tuple[AnswerSentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    safety: Safety | None = None
    notice: str | None = None
    follow_ups: tuple[str, ...] = ()
    timing_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sources:
    """First event of a streamed answer: what it is going to rest on."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer's text, in order."""

    text: str
    citations: tuple[Citation, ...] = ()
    """What the markers so far stand for, where that is not yet what `Sources` said."""


@dataclass(frozen=True, slots=True)
class Final:
    """Last event of a streamed answer: the whole of it."""

    answer: Answer


Event = Sources | Token | Final


class Embedder(Protocol):
    """Turns texts into unit-length vectors."""

    def embed(self, texts: Sequence[str]) -> Vectors: ...


class Retriever(Protocol):
    """Finds passages for a query, best first."""

    def retrieve(self, query: str, *, k: int, kind: SourceKind | None = None) -> list[Hit]: ...


class Reranker(Protocol):
    """Scores (query, text) pairs; higher means more relevant."""

    def score(self, query: str, texts: Sequence[str]) -> list[float]: ...


class Entailment(Protocol):
    """Probability, 0 to 1, that a premise supports, contradicts or leaves open a hypothesis."""

    def judge(self, premise: str, hypothesis: str) -> tuple[float, float, float]:
        """(supports, neutral, contradicts), summing to 1."""
        ...


class ChatModel(Protocol):
    """Streams a reply to a system and a user message, piece by piece.

    Raises `ModelUnavailableError` where it is away, late, over budget, or was cut off.
    """

    def stream(self, system: str, user: str) -> Iterator[str]: ...
