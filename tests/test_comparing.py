"""Exercises side by side: which, both sides told, and the table of what differs."""

from __future__ import annotations

import re

import pytest

from ingest.at_a_glance import at_a_glance
from rag.answering import Coach, find
from rag.comparing import compared
from rag.question import parse_question
from rag.rendering import differing, fields_table
from rag.types import Answer, AnswerSentence

MARKER = re.compile(r"\[(\d+)\]")


def exercises_of(coach: Coach, text: str) -> list[str]:
    retriever = coach.retriever()
    query = find(retriever, parse_question(text)).query
    return [e.name for e in compared(retriever.library, query)]


def table_of(answer: Answer) -> list[list[str]]:
    lines = [line for line in answer.text.splitlines() if line.startswith("|")]
    return [[c.strip() for c in line.strip("| ").split(" | ")] for line in lines]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("hip thrust or glute bridge for my bum?", ["Barbell hip thrust", "Glute bridge"]),
        ("glute bridge vs hip thrust", ["Glute bridge", "Barbell hip thrust"]),
        ("clamshells or monster walks, which is better", ["Clamshell", "Monster walk"]),
        ("rdl, good mornings or kettlebell swings: which is best?",
         ["Romanian deadlift", "Good morning", "Kettlebell swing"]),
        ("are hip thrusts good for glutes?", []),
        ("hip thruster or BB hip thrust, what is the difference?", []),
        ("should I do hip thrusts or squats first?", []),
        ("so squats or hip thrusts then?", ["Back squat", "Barbell hip thrust"]),
    ],
)  # fmt: skip
def test_what_a_question_sets_side_by_side(coach: Coach, text: str, names: list[str]) -> None:
    assert exercises_of(coach, text) == names


@pytest.mark.parametrize("audience", ["client", "trainer"])
def test_a_comparison_shows_a_table_that_its_citations_quote(coach: Coach, audience: str) -> None:
    answer = coach.answer(parse_question("Hip thrust or glute bridge for glutes?", None, audience))
    head, dashes, *rows = table_of(answer)
    assert [re.sub(r" \[\d+\]$", "", h) for h in head] == ["Exercise", "Barbell hip thrust", "Glute bridge"]
    assert set("".join(dashes)) == {"-"}
    sides = [answer.citations[int(n) - 1] for n in MARKER.findall(" ".join(head))]
    assert [c.passage.source_id for c in sides] == ["barbell-hip-thrust", "glute-bridge"]
    assert rows
    for name, *values in rows:
        assert len(set(values)) > 1, "a row tells what differs"
        for value, side in zip(values, sides, strict=True):
            assert f"{name}: {value}." in side.quote
    shown = [s for s in answer.sentences if s.part == "table"]
    assert [s.text for s in shown] == [c.quote for c in sides]


def test_every_exercise_of_a_comparison_is_told_of(coach: Coach) -> None:
    answer = coach.answer(parse_question("clamshells or monster walks, which is better?"))
    prose = " ".join(s.text for s in answer.sentences if s.part != "table").lower()
    assert "clam" in prose
    assert "monster walk" in prose


def test_a_warning_sign_gets_no_table(coach: Coach) -> None:
    asked = "squats or hip thrusts, which is better? my groin is numb and I can't pee"
    answer = coach.answer(parse_question(asked))
    assert answer.safety is not None
    assert not table_of(answer)


def test_fields_are_found_by_no_search(coach: Coach) -> None:
    hits = coach.search("Equipment barbell bench main muscles gluteus maximus level", k=50)
    assert hits
    assert all(h.passage.role != "facts" for h in hits)


def test_a_reasoned_field_says_that_it_was_not_measured() -> None:
    meta = {"level": "beginner", "peak_tension_at": "mid-range", "peak_tension_basis": "reasoned"}
    section = at_a_glance("Clam", meta)
    assert section is not None
    assert [p.text for p in section.paragraphs] == [
        "Exercise: Clam.",
        "Hardest where the muscle is: mid-range (reasoned, not measured).",
        "Level: beginner.",
    ]


def test_fields_that_are_missing_or_bare_make_no_section() -> None:
    assert at_a_glance("Clam", {}) is None
    assert at_a_glance("Clam", {"level": "beginner", "equipment": []}) is None


def test_a_field_that_one_side_lacks_or_all_share_has_no_row() -> None:
    sides = [
        AnswerSentence("Exercise: A|B.\n\nLevel: easy.\n\nLoad: bar.\n\nKnees: bent.", (1,), "quote"),
        AnswerSentence("Exercise: *C*.\n\nLevel: hard.\n\nKnees: bent.", (2,), "quote"),
    ]
    assert fields_table(sides).splitlines() == [
        r"| Exercise | A\|B [1] | \*C\* [2] |",
        "| ---      | ---      | ---       |",
        "| Level    | easy     | hard      |",
    ]


def test_things_that_differ_in_nothing_but_their_names_have_no_fields_to_show() -> None:
    assert differing(["Exercise: A.\n\nLevel: easy.", "Exercise: B.\n\nLevel: easy."]) == []
    assert differing(["Exercise: A.\n\nLevel: easy.", "Exercise: B.\n\nLevel: hard."]) == ["Exercise", "Level"]
    assert differing([]) == []
