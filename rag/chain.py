"""The coach as a LangChain runnable, for other people's chains.

Input: a question as text, or {"question", "history"?, "audience"?}. `stream` gives the events
{"sources"}, {"token"}…, {"answer"}; `invoke` gives one dict with all three keys, tokens joined.
A question that an earlier step streams in pieces is put together before it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

from langchain_core.runnables import Runnable, RunnableGenerator
from langchain_core.runnables.utils import AddableDict

from rag.answering import Coach
from rag.question import parse_question
from rag.rendering import answer_json, citation_json
from rag.types import Event, Final, Question, Sources


def as_runnable(coach: Coach) -> Runnable[Any, Any]:
    """A runnable that streams events; `invoke` gives them merged, the answer under "answer"."""

    def events(inputs: Iterator[Any]) -> Iterator[AddableDict]:
        for event in coach.stream(_question(reduce(add, inputs))):
            yield AddableDict(event_json(event))

    return RunnableGenerator(events)


def event_json(event: Event) -> dict[str, Any]:
    """An event as one JSON object whose only key names it."""
    if isinstance(event, Sources):
        return {"sources": [citation_json(c) for c in event.citations]}
    if isinstance(event, Final):
        return {"answer": answer_json(event.answer)}
    return {"token": event.text}


def _question(given: Any) -> Question:
    if isinstance(given, dict):
        return parse_question(given.get("question"), given.get("history"), given.get("audience"))
    return parse_question(given)
