"""Follow-ups carry over what they lack; a change of topic carries nothing."""

from __future__ import annotations

import pytest

from rag.conversation import standalone
from rag.lexicon import Lexicon
from rag.types import Exercise, Question, Turn

LEXICON = Lexicon(
    [
        Exercise("barbell-hip-thrust", "Barbell hip thrust", ("hip thrust", "thrusts"), {}),
        Exercise("romanian-deadlift", "Romanian deadlift", ("RDL",), {}),
        Exercise("back-squat", "Back squat", ("squat",), {}),
    ],
    {},
)


def resolved(text: str, *turns: str) -> str:
    """`text` after turns of the user and the assistant by turns."""
    roles = ("user", "assistant")
    history = tuple(Turn(roles[n % 2], said) for n, said in enumerate(turns))  # type: ignore[arg-type]
    return standalone(Question(text, history), LEXICON).lower()


THRUSTS = ("are hip thrusts good for glutes?", "Yes, they are.")


@pytest.mark.parametrize(
    "text",
    ["how heavy?", "and how often then", "how many of them should i do", "is that enough?", "why?",
     "and for beginners?", "which is better?", "do they hurt the back", "whyy not tho"],
)
def test_a_follow_up_carries_the_exercise(text: str) -> None:
    assert "hip thrust" in resolved(text, *THRUSTS)


def test_a_new_exercise_takes_the_old_ones_place() -> None:
    answer = resolved("what about RDLs?", *THRUSTS)
    assert "rdls" in answer
    assert "glutes" in answer
    assert "thrust" not in answer


def test_chains_resolve_through_earlier_turns() -> None:
    answer = resolved("how heavy?", *THRUSTS, "what about RDLs?", "Also good.")
    assert "rdl" in answer
    assert "thrust" not in answer


@pytest.mark.parametrize(
    "text",
    ["how much protein do I need per day?", "totally different thing, is creatine safe",
     "Does sitting all day switch your glutes off?", "thanks!", "never mind that. do i squat deep",
     "is it ok to train with a cold every winter", "what is the capital of France?"],
)
def test_a_new_topic_carries_nothing(text: str) -> None:
    assert resolved(text, *THRUSTS) == text.lower()


def test_without_history_the_text_is_unchanged() -> None:
    assert standalone(Question("How heavy?"), LEXICON) == "How heavy?"


def test_chat_in_between_does_not_lose_the_topic() -> None:
    assert "thrust" in resolved("how heavy?", *THRUSTS, "ok thanks", "You're welcome.")
