"""What limits the leading study of a trainer's answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rag.answering import Coach, find
from rag.limiting import with_limits
from rag.question import parse_question
from rag.types import Answer

QUESTIONS = [
    "Correlation of hip extension range with standing pelvic tilt?",
    "Gluteus maximus EMG in Romanian against stiff-leg deadlifts in bodybuilders?",
    "What correlated with sprint speed in Williams's hip thrust study?",
    "Heavy lifting or neuromuscular exercise for hip osteoarthritis?",
]


def limits_of(answer: Answer) -> list[str]:
    """Ids of the studies whose sections of limits the answer quotes, before what is only related."""
    return [
        c.passage.source_id
        for s, c in zip(answer.sentences, answer.citations, strict=True)
        if c.passage.role == "limits" and s.part == "limits"
    ]


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_trainer_is_told_a_limit_of_the_leading_study(coach: Coach, text: str) -> None:
    answer = coach.answer(parse_question(text, None, "trainer"))
    direct = next(c for c in answer.citations if c.references)
    assert {r.id for r in direct.references} & set(limits_of(answer))
    parts = [s.part for s in answer.sentences]
    assert "related" not in parts[: parts.index("limits")]


@pytest.mark.parametrize("text", QUESTIONS)
def test_what_is_added_is_no_note_on_how_the_study_was_looked_up(coach: Coach, text: str) -> None:
    retriever = coach.retriever()
    found = find(retriever, parse_question(text, None, "trainer"))
    body = [c for c in found.chosen if c.hit.passage.role != "limits"]
    added = [c for c in with_limits(retriever.library, found.query, body) if c not in body]
    assert [c.hit.passage.role for c in added] == ["limits"]
    assert not re.search(r"\babstract|\bread\b|\bpages?\b", added[0].text)
    as_client = replace(found.query, audience="client")
    assert with_limits(retriever.library, as_client, body) == tuple(body)


def test_somebody_who_needs_a_clinician_is_told_no_limits(coach: Coach) -> None:
    text = "client has numb genitals and cannot pee since deadlifts"
    answer = coach.answer(parse_question(text, None, "trainer"))
    assert answer.safety
    assert answer.safety.level == "see_a_clinician"
    assert not limits_of(answer)
