"""One question on its way through the web layer: checked, counted, kept, streamed.

The API and the chat page both go through here, so that limits, metrics and the question log are
the same for both.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

from rag.errors import QuestionError, RagError
from rag.question import parse_question
from rag.types import Answer, Event, Final, Question
from web.feedback import Ledger
from web.limits import ClientLimits
from web.metrics import Metrics
from web.ports import CoachPort

_LAYOUT = frozenset("\n\r\t\v\f")


class TooManyError(RagError):
    """The client asked too often; `seconds` until it may ask again."""

    def __init__(self, seconds: int) -> None:
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(f"that was a lot of questions at once; please try again in {seconds} {unit}")
        self.seconds = seconds


class Desk:
    """Where questions arrive."""

    def __init__(
        self, coach: CoachPort, limits: ClientLimits, ledger: Ledger, metrics: Metrics
    ) -> None:
        self.coach = coach
        self.ledger = ledger
        self.metrics = metrics
        self._limits = limits

    def admit(self, client: str, call: str) -> None:
        """Counts a call; raises `TooManyError` where there were too many."""
        seconds = self._limits.seconds_to_wait(client, call)
        if seconds:
            raise TooManyError(seconds)

    def answer(self, question: Question) -> tuple[str, Answer]:
        """The answer with its id."""
        answer = self.coach.answer(question)
        return self._noted(answer), answer

    def stream(self, question: Question) -> Iterator[tuple[str, Event]]:
        """The coach's events; the id is empty but for the last one's."""
        for event in self.coach.stream(question):
            if isinstance(event, Final):
                yield self._noted(event.answer), event
            else:
                yield "", event

    def _noted(self, answer: Answer) -> str:
        answer_id = uuid.uuid4().hex
        self.metrics.answer(answer)
        self.ledger.add_question(answer_id, answer)
        return answer_id


def checked_question(text: Any, history: Any = None, audience: Any = None) -> Question:
    """A `Question` from untrusted input; raises `QuestionError` in plain words."""
    question = parse_question(text, history, audience)
    if any(unicodedata.category(c) == "Cc" and c not in _LAYOUT for c in text):
        raise QuestionError(
            "the question holds control characters; please type it again as plain text"
        )
    return question
