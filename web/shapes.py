"""The JSON that comes in and goes out, as models: incoming bodies are checked by them, and the
schema at /openapi.json is made of them. Answers are built by `rag.rendering`; tests hold both together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from rag.question import cleaned
from rag.types import Audience, Mode, ReferenceStatus, SentenceVerdict, SourceKind, Status

MAX_COMMENT = 2000


class TurnBody(BaseModel):
    role: Literal["user", "assistant"]
    content: str


class AskBody(BaseModel):
    """A question, with the conversation before it, oldest message first."""

    model_config = ConfigDict(strict=True)

    question: str
    history: list[TurnBody] | None = None
    audience: Literal["client", "trainer"] | None = None
    stream: bool | None = None


def _with_words(text: str) -> str:
    if not cleaned(text):
        raise ValueError("must hold the words that were asked")
    return text


def _whole_number(value: Any) -> Any:
    # Python takes True and 1.0 for 1.
    if type(value) is not int:
        raise ValueError("must be 1 or -1")
    return value


class FeedbackBody(BaseModel):
    """A thumb up (1) or down (-1)."""

    model_config = ConfigDict(strict=True)

    question: Annotated[str, Field(max_length=MAX_COMMENT), AfterValidator(_with_words)]
    answer_id: str | None = Field(default=None, max_length=100)
    rating: Annotated[Literal[1, -1], BeforeValidator(_whole_number)]
    comment: str | None = Field(default=None, max_length=MAX_COMMENT)


class ErrorDetail(BaseModel):
    code: str
    message: str


class ErrorBody(BaseModel):
    """Every 4xx and 5xx, in plain words."""

    error: ErrorDetail


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReferenceShape(_Shape):
    """A study, guideline or page behind a statement."""

    id: str
    label: str
    title: str
    year: int | None
    kind: str
    doi: str
    url: str
    status: ReferenceStatus
    population: str
    sample_size: int | None


class CitationShape(_Shape):
    """The place a sentence rests on: `quote` is the passage's text from `start` to `end`."""

    marker: int
    passage_id: str
    source_id: str
    source_kind: SourceKind
    title: str
    section: str
    url: str
    quote: str
    start: int
    end: int
    references: list[ReferenceShape]


class SafetyShape(_Shape):
    level: Literal["caution", "see_a_clinician"]
    message: str


class SentenceShape(_Shape):
    text: str
    citations: list[int]
    verdict: SentenceVerdict
    part: str


class AnswerShape(_Shape):
    """A whole answer; `text` is Markdown with markers like [1]."""

    answer_id: str
    question: str
    standalone_question: str
    status: Status
    safety: SafetyShape | None
    mode: Mode
    audience: Audience
    notice: str | None
    text: str
    sentences: list[SentenceShape]
    citations: list[CitationShape]
    follow_ups: list[str]
    timing_ms: dict[str, float]


class HitShape(_Shape):
    """A passage found, best first."""

    rank: int
    score: float
    passage_id: str
    source_id: str
    source_kind: SourceKind
    title: str
    section: str
    url: str
    text: str
    references: list[ReferenceShape]


class SearchShape(_Shape):
    query: str
    results: list[HitShape]


class MentionShape(_Shape):
    """Where in the text which references are cited."""

    offset: int
    reference_ids: list[str]


class PassageShape(_Shape):
    """A whole passage; `references` are those behind the stretch from `start` to `end`."""

    passage_id: str
    source_id: str
    source_kind: SourceKind
    title: str
    section: str
    position: int
    url: str
    text: str
    start: int
    end: int
    sentences: list[tuple[int, int]]
    mentions: list[MentionShape]
    references: list[ReferenceShape]
