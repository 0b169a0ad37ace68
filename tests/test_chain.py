"""The coach as a LangChain runnable: streams events, invokes to one dict, joins other chains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from langchain_core.runnables import RunnableGenerator, RunnableLambda

from rag.answering import Coach
from rag.chain import as_runnable
from rag.errors import QuestionError
from rag.rendering import answer_json
from rag.types import Question
from tests.fakes import QUOTE, FakeCoach

ASKED = "are hip thrusts better than squats?"


@pytest.fixture
def fake() -> FakeCoach:
    return FakeCoach()


def test_it_streams_sources_then_tokens_then_the_answer(fake: FakeCoach) -> None:
    events = list(as_runnable(cast(Coach, fake)).stream(ASKED))
    names = [next(iter(event)) for event in events]
    assert names == ["sources", *["token"] * (len(events) - 2), "answer"]
    assert all(len(event) == 1 for event in events)
    assert "".join(e.get("token", "") for e in events) == events[-1]["answer"]["text"]
    assert events[0]["sources"] == events[-1]["answer"]["citations"]


def test_invoke_merges_the_events(fake: FakeCoach) -> None:
    merged = as_runnable(cast(Coach, fake)).invoke(ASKED)
    assert merged["answer"] == answer_json(fake.answer(Question(ASKED)))
    assert merged["token"] == merged["answer"]["text"] == f"{QUOTE} [1]"
    assert merged["sources"] == merged["answer"]["citations"]


def test_history_and_reader_are_passed_on(fake: FakeCoach) -> None:
    given: dict[str, Any] = {
        "question": "and squats?",
        "history": [{"role": "user", "content": "are lunges good?"}],
        "audience": "trainer",
    }
    as_runnable(cast(Coach, fake)).invoke(given)
    (asked,) = fake.asked
    assert (asked.text, asked.audience, asked.history[0].content) == ("and squats?", "trainer", "are lunges good?")


def test_it_joins_another_chain(fake: FakeCoach) -> None:
    chain = as_runnable(cast(Coach, fake)) | RunnableLambda(lambda merged: merged["answer"]["status"])
    assert chain.invoke(ASKED) == "answered"
    assert chain.batch([ASKED, "the weather?"]) == ["answered", "out_of_scope"]


@pytest.mark.parametrize("given", ["", {"question": ""}, {"history": []}, 7])
def test_what_is_no_question_is_an_error(fake: FakeCoach, given: Any) -> None:
    with pytest.raises(QuestionError):
        as_runnable(cast(Coach, fake)).invoke(given)
    assert fake.asked == []


def test_a_question_that_comes_in_pieces_is_asked_once(fake: FakeCoach) -> None:
    def pieces(_: Iterator[Any]) -> Iterator[str]:
        yield from ("are hip thrusts ", "better than ", "squats?")

    chain = RunnableGenerator(pieces) | as_runnable(cast(Coach, fake))
    *_, last = chain.stream("anything")
    assert [q.text for q in fake.asked] == [ASKED]
    assert last["answer"]["question"] == ASKED
