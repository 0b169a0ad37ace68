"""From what came in to a `Question`, and what kind of question it is. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from rag.errors import QuestionError
from rag.types import Question, Turn

MAX_QUESTION = 2000
"""Characters. A long account of one's training fits; a pasted article does not."""

MAX_TURNS = 20
"""Turns of history that are read; older ones are dropped."""

Shape = Literal["yes-no", "number", "comparison", "how-to", "why", "open"]

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_NUMBER = re.compile(
    r"\bhow\s+(?:many|much|often|heavy|long|high|wide|low|close|deep|far|big|soon|old)\b|"
    r"\bwhat\s+(?:percent|percentage|number|dose|weight|load|angle|rep range)\b|\bhow\s+\w+\s+(?:sets|reps|days|weeks)\b",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\b(?:vs|versus|or|compared?|better|worse|difference|differences|instead of|rather than)\b", re.IGNORECASE
)
_YES_NO = re.compile(
    r"^(?:and |but |so |ok |hey |hi |um |well )*(?:is|are|am|r|was|were|do|does|did|can|could|will|would|should|"
    r"must|may|has|have|isn't|isnt|aren't|don't|dont|doesn't|doesnt|shouldn't|cant|can't)\b",
    re.IGNORECASE,
)


def parse_question(text: Any, history: Any = None, audience: Any = None) -> Question:
    """A `Question` from untrusted input; raises `QuestionError` in plain words."""
    if not isinstance(text, str):
        raise QuestionError("the question must be text")
    if len(text) > MAX_QUESTION:
        raise QuestionError(
            f"the question is too long ({len(text):,} characters); please ask in at most "
            f"{MAX_QUESTION:,}"
        )
    words = cleaned(text)
    if not any(c.isalnum() for c in words):
        raise QuestionError("the question is empty; please type one")
    if audience not in (None, "", "client", "trainer"):
        raise QuestionError(f"audience must be client or trainer, not {audience!r}")
    return Question(words, _turns(history), audience or "client")


def cleaned(text: str) -> str:
    """The text without control and other invisible characters, white space folded, NFC."""
    visible = (
        " " if c in "\n\r\t\v\f" else "" if unicodedata.category(c) in _INVISIBLE else c
        for c in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(visible).split())


def shape_of(text: str) -> Shape:
    """The kind of answer that the question asks for, from its wording."""
    if _NUMBER.search(text):
        return "number"
    if _COMPARISON.search(text):
        return "comparison"
    if re.search(r"\bwhy\b|\bhow come\b|\bwhat makes\b", text, re.IGNORECASE):
        return "why"
    if _YES_NO.match(text.strip()):
        return "yes-no"
    if re.search(r"\bhow\s+(?:do|can|should|to|would)\b", text, re.IGNORECASE):
        return "how-to"
    return "open"


def _turns(history: Any) -> tuple[Turn, ...]:
    if history is None:
        return ()
    if not isinstance(history, Iterable) or isinstance(history, str | bytes | Mapping):
        raise QuestionError("history must be a list of messages")
    turns: list[Turn] = []
    for message in list(history)[-MAX_TURNS:]:
        if not isinstance(message, Mapping) or message.get("role") not in ("user", "assistant"):
            raise QuestionError('each message of the history needs a "role": user or assistant')
        content = message.get("content")
        if not isinstance(content, str):
            raise QuestionError('each message of the history needs "content": text')
        turns.append(Turn(message["role"], cleaned(content[: 4 * MAX_QUESTION])))
    return tuple(turns)
