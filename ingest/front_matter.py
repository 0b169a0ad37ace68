"""What front matter must say: typed fields for each kind of document.

Every file needs its core (an imported article: title and date). A file that carries most of its
kind's full set is one that was meant to be complete, and is held to all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ingest.corpus_files import Document, year_of

_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]*[^\s\"<>.,;]")


def _dated(value: Any) -> Any:
    """A date as YAML reads it, or as text that begins with one."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        return date.fromisoformat(value[:10])
    if isinstance(value, datetime):
        return value.date()
    if value is not None and not isinstance(value, date):
        raise ValueError("must be a date such as 2026-11-23")
    return value


def _issued(value: Any) -> Any:
    try:
        known = value is None or (year_of(value) is not None and not _is_long(value))
    except (TypeError, IndexError, KeyError):  # a date of some other shape
        known = False
    if not known:
        raise ValueError("must begin with a year, such as 2023")
    return value


def _is_long(issued: Any) -> bool:
    return isinstance(issued, int) and issued > 9999


Text = Annotated[str, Field(min_length=1)]
Day = Annotated[date, BeforeValidator(_dated)]
Issued = Annotated[Any, BeforeValidator(_issued)]
Words = list[Text]
Count = Annotated[int, Field(ge=0, strict=True)]
Numeral = Annotated[str | int, Field(union_mode="left_to_right")]


class _Meta(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class ArticleMeta(_Meta):
    title: Text
    date: Day | None  # a page without a printed date says null
    author: str | None = None
    updated: Day | None = None
    url: str | None = None
    tags: list[str] | None = None
    summary: str | None = None


class OwnArticleMeta(ArticleMeta):
    date: Day
    author: Text
    updated: Day
    url: str | None
    tags: Annotated[Words, Field(min_length=1)]
    summary: Text
    topic: Text


class Disagreement(_Meta):
    id: Text
    about: Text


class Measurement(_Meta):
    outcome: Text
    unit: Text
    value: float | None
    group: str | None = None
    contrast: str | None = None


class ReferenceMeta(_Meta):
    type: Text
    title: Text
    author: list[dict[str, str] | str] | str | None = None
    issued: Issued = None
    volume: Numeral | None = None
    issue: Numeral | None = None
    page: Numeral | None = None
    PMID: Numeral | None = None
    kind: str | None = None
    population: str | None = None
    sample_size: Count | None = None
    studies: Count | None = None
    weeks: float | None = None
    status: Literal["ok", "concern", "retracted"] | None = None
    measurements: list[Measurement] | None = None
    disagrees_with: list[Disagreement] | None = None
    background: bool | None = None
    figures: list[dict[str, str | float | bool]] | None = None
    other_figures: Words | None = None


class FullReferenceMeta(ReferenceMeta):
    id: Text
    author: list[dict[str, str] | str]
    issued: Issued
    kind: Text
    population: Text
    sample_size: Count | None
    status: Literal["ok", "concern", "retracted"]


class ExerciseMeta(_Meta):
    name: Text
    aliases: Words | None = None
    equipment: Words | None = None
    primary_muscles: Words | None = None
    secondary_muscles: Words | None = None
    knee: Literal["bent", "straight"] | None = None
    load: str | None = None
    peak_tension_at: Literal["lengthened", "mid-range", "shortened", "unknown"] | None = None
    peak_tension_basis: Literal["measured", "modelled", "reasoned"] | None = None
    """Whether the place was measured, modelled from torques, or reasoned from the lever arms."""
    level: Literal["beginner", "intermediate", "advanced"] | None = None
    regressions: Words | None = None
    progressions: Words | None = None
    movement: str | None = None
    sides: Literal["both", "one"] | None = None
    growth_evidence: Literal["trial", "none"] | None = None


class FullExerciseMeta(ExerciseMeta):
    aliases: Words
    equipment: Words
    primary_muscles: Annotated[Words, Field(min_length=1)]
    knee: Literal["bent", "straight"]
    load: Text
    peak_tension_at: Literal["lengthened", "mid-range", "shortened", "unknown"]
    level: Literal["beginner", "intermediate", "advanced"]
    regressions: Words
    progressions: Words


class ComparableExerciseMeta(FullExerciseMeta):
    """Fields by which two exercises are set side by side in a table."""

    secondary_muscles: Words
    peak_tension_at: Literal["lengthened", "mid-range", "shortened"]
    peak_tension_basis: Literal["measured", "modelled", "reasoned"]
    movement: Literal["hip extension", "squat", "hinge", "lunge", "step", "abduction", "stability"]
    sides: Literal["both", "one"]
    load: Literal["axial", "horizontal", "bodyweight", "band", "cable", "machine", "free-hanging"]
    growth_evidence: Literal["trial", "none"]


def expected_of(document: Document) -> type[_Meta]:
    """The model that a document's front matter is held to."""
    meta = document.meta
    if document.kind == "article":
        return OwnArticleMeta if "topic" in meta else ArticleMeta
    if document.kind == "reference":
        full = _carries(meta, ("author", "issued", "kind", "population", "sample_size", "status"))
        return FullReferenceMeta if full and not meta.get("undigested") else ReferenceMeta
    if _carries(meta, ("movement", "sides", "growth_evidence")):
        return ComparableExerciseMeta
    fields = [n for n, f in FullExerciseMeta.model_fields.items() if f.is_required()]
    return FullExerciseMeta if _carries(meta, fields) else ExerciseMeta


def _carries(meta: Any, names: list[str] | tuple[str, ...]) -> bool:
    return 2 * sum(name in meta for name in names) > len(names)


def problems_of(document: Document) -> Iterator[tuple[str, str]]:
    """(field, what is wrong with it) for a document's front matter."""
    try:
        expected_of(document).model_validate(dict(document.meta))
    except ValidationError as error:
        for one in error.errors(include_url=False, include_context=False):
            place = ".".join(str(part) for part in one["loc"] if not _is_branch(part))
            what = one["msg"].removeprefix("Value error, ")
            what = "is missing" if one["type"] == "missing" else what[:1].lower() + what[1:]
            yield str(one["loc"][0]), f"field '{place}': {what}"
    stated = document.meta.get("id")
    if stated is not None and str(stated) != document.id:
        yield "id", f"field 'id': is '{stated}', and the file is named '{document.id}'"


def doi_problem(document: Document) -> str | None:
    doi = document.meta.get("DOI")
    if doi is None or _DOI.fullmatch(str(doi)):
        return None
    return f"'{doi}' is no DOI: write 10.NNNN/suffix, without https://doi.org/"


def _is_branch(part: int | str) -> bool:
    """Pydantic names the branch of a union in an error's place; readers need no such word."""
    return isinstance(part, str) and ("[" in part or part in {"str", "int"})
