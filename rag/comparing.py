"""Exercises side by side: both of them told, and a table of what differs. Pure.

The table shows fields of the exercises' files. They stand in the index as a passage of each
exercise, a line a field, so that every cell is to the letter what its column's citation quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.library import Library, references_of
from rag.quoting import Candidate, Query
from rag.rendering import differing
from rag.types import Citation, Exercise, Hit

AT_MOST = 3
"""Exercises that fit side by side on a phone."""

_IN_ORDER = re.compile(r"\b(?:first|last|before|after|order)\b", re.IGNORECASE)


def compared(library: Library, query: Query) -> tuple[Exercise, ...]:
    """The two or three exercises that a question sets side by side, as it orders them; else none."""
    if query.shape != "comparison" or _IN_ORDER.search(query.text):
        return ()
    by_name = {e.name: e for e in library.exercises.values()}
    named = [e.name for e in library.lexicon.entities(query.text) if e.name in by_name]
    found = tuple(by_name[name] for name in dict.fromkeys(named))
    return found if 2 <= len(found) <= AT_MOST else ()


def with_all_sides(
    library: Library, exercises: Sequence[Exercise], chosen: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """The chosen sentences, and the opening one of each exercise that none of them speaks of."""
    told = " ".join(f"{c.text} {c.hit.passage.title}" for c in chosen)
    names = {e.name for e in library.lexicon.entities(told)}
    missing = [e for e in exercises if e.name not in names]
    answer = [c for c in chosen if _answers(c)]
    rest = [c for c in chosen if not _answers(c)]
    return (*answer, *(s for e in missing for s in _opening(library, e)), *rest)


def table_citations(
    library: Library, exercises: Sequence[Exercise], first: int
) -> tuple[Citation, ...]:
    """A citation of each exercise's fields, numbered from `first`.

    None where an exercise has no fields, or where no field that all have differs.
    """
    facts = {p.source_id: p for p in library.passages if p.role == "facts"}
    passages = [facts[e.id] for e in exercises if e.id in facts]
    if len(passages) < len(exercises) or not differing(p.text for p in passages):
        return ()
    return tuple(
        Citation(n, p, 0, len(p.text), references=()) for n, p in enumerate(passages, first)
    )


def _answers(candidate: Candidate) -> bool:
    return not candidate.related and candidate.hit.passage.role == "body"


def _opening(library: Library, exercise: Exercise) -> list[Candidate]:
    """The first sentence of an exercise's own page, which says what it trains."""
    for row, passage in enumerate(library.passages):
        if (passage.source_id, passage.position) == (exercise.id, 0) and passage.role == "body":
            references = references_of(library, passage, *passage.sentences[0])
            vector = library.sentence_rows(row)[0]
            return [Candidate(Hit(passage, 0.0, 0), 0, 0.0, vector, references)]
    return []
