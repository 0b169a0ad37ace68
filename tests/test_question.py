"""What is taken as a question, and what is refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import QuestionError
from rag.question import MAX_QUESTION, MAX_TURNS, cleaned, parse_question, shape_of
from rag.types import Turn


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  two   words\n\there ", "two words here"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("zero\u200bwidth", "zerowidth"),
        ("right\u202eto left", "rightto left"),
        ("cafe\u0301", "café"),
        ("\ud800lone", "lone"),
        ("naïve 臀 🍑", "naïve 臀 🍑"),
    ],
)
def test_invisible_characters_go_and_space_is_folded(text: str, clean: str) -> None:
    assert cleaned(text) == clean


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the question is empty; please type one"),
        ("   \n", "the question is empty; please type one"),
        ("?!…", "the question is empty; please type one"),
        ("\x00\x01", "the question is empty; please type one"),
        ("a" * 10_000, "the question is too long (10,000 characters); please ask in at most 2,000"),
        (None, "the question must be text"),
        (7, "the question must be text"),
        (["a"], "the question must be text"),
    ],
)
def test_what_is_no_question_is_refused(text: Any, why: str) -> None:
    with pytest.raises(QuestionError) as refused:
        parse_question(text)
    assert str(refused.value) == why


def test_the_longest_question_is_taken() -> None:
    assert len(parse_question("a" * MAX_QUESTION).text) == MAX_QUESTION


@pytest.mark.parametrize("audience", [None, "", "client"])
def test_a_client_is_the_default_reader(audience: Any) -> None:
    assert parse_question("squats?", audience=audience).audience == "client"


def test_an_unknown_reader_is_refused() -> None:
    with pytest.raises(QuestionError, match="client or trainer, not 'king'"):
        parse_question("squats?", audience="king")


def test_the_newest_turns_are_kept_oldest_first() -> None:
    history = [{"role": "user", "content": f"turn {n}"} for n in range(MAX_TURNS + 5)]
    kept = parse_question("squats?", history).history
    assert len(kept) == MAX_TURNS
    assert (kept[0], kept[-1]) == (Turn("user", "turn 5"), Turn("user", "turn 24"))


@pytest.mark.parametrize(
    "history",
    ["text", {"role": "user"}, 7, [7], [{"role": "system", "content": "x"}], [{"role": "user"}],
     [{"role": "user", "content": 3}], [{"role": ["user"], "content": "x"}]],
)  # fmt: skip
def test_a_history_of_another_shape_is_refused(history: Any) -> None:
    with pytest.raises(QuestionError, match="history"):
        parse_question("squats?", history)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("how many sets a week?", "number"),
        ("how heavy should i go", "number"),
        ("squat or hip thrust?", "comparison"),
        ("are squats better than lunges", "comparison"),
        ("why do my glutes not grow", "why"),
        ("do squats grow glutes", "yes-no"),
        ("ok but should i squat", "yes-no"),
        ("how do i set up a hip thrust", "how-to"),
        ("glute medius", "open"),
    ],
)
def test_the_wording_gives_the_shape(text: str, shape: str) -> None:
    assert shape_of(text) == shape
