"""Follow-ups made self-contained, without a model.

What a message lacks comes from the exchanges before it: the user's words, and what was replied.
Whether it lacks anything is decided in `rag.leaning`. Messages are resolved in their order, so
that a follow-up of a follow-up still reaches the topic, and the newest topic wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.leaning import (
    ASKS_ABOUT_A_STUDY,
    CHAT,
    LEAD,
    SWAP,
    SWITCH,
    Cues,
    Near,
    content_words,
    cues_of,
    leans,
    plain,
    stands_apart,
    unique,
)
from rag.lexicon import FOREIGN, Lexicon
from rag.types import Question, Turn

DEPTH = 5
"""Exchanges that are read, newest last: a topic further back has to be named again."""

CONTEXT_WORDS = 14
"""Words of the user's that may carry over: more would drown the new question."""

REPLY_WORDS = 16
"""The same of the reply. Its first sentences say what it is about."""

SHOWN_WORDS = 24
"""Words of the earlier question that are shown beside a follow-up."""

Nearness = Callable[[Sequence[str]], Sequence[tuple[float, str]]]
"""Texts to, for each, the nearest way in which the corpus is asked: its cosine, and its source's id."""

WORDS_BEFORE = 3
"""Words that may stand before "different topic" where it announces one: "ok, on a"."""

_ANNOUNCES = re.compile(rf"{SWITCH.pattern}(?: now| that| it| this)?\W+", re.IGNORECASE)
_RETURNS = re.compile(r"\b(?:back|return|returning) to (?:the |my |your |our )?")
_MARKER = re.compile(r"\[\d+\]|[*_`>#\\]+")


@dataclass(frozen=True, slots=True)
class Standalone:
    """A message that needs no history."""

    text: str
    """As a person reads it."""
    searched: str
    """As it is looked for: with the words of the reply it leans on."""
    leans_on: tuple[str, ...] = ()
    """What the user said before of the same topic, oldest first; none where nothing carries over."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message of the user's and what was replied to it."""

    said: str
    reply: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What the conversation is about after an exchange."""

    opened: str
    """The question that set it."""
    reply: str
    """To the newest message."""
    said: tuple[str, ...]
    """The messages of it, oldest first."""
    follow_up: str = ""
    """The newest message, where it leant on what was said before it."""

    @property
    def text(self) -> str:
        return f"{self.opened}: {self.follow_up}" if self.follow_up else self.opened


def standalone(question: Question, lexicon: Lexicon, nearness: Nearness) -> Standalone:
    """The question as it reads without its history; unchanged where it needs none."""
    exchanges = exchanges_of(question.history)
    if not exchanges or stands_apart(question.text):
        return Standalone(question.text, _without_announcement(question.text))
    topics = _topics(exchanges, lexicon, nearness)
    returned = _returned_to(question.text, topics, lexicon)
    if returned:
        return _in_topic(question.text, returned, lexicon)
    cues = cues_after(question.text, exchanges[-1], lexicon, nearness)
    if not leans(question.text, cues):
        return Standalone(question.text, question.text)
    return _in_topic(question.text, topics[-1], lexicon)


def exchanges_of(history: Sequence[Turn]) -> tuple[Exchange, ...]:
    """The last exchanges, oldest first; small talk and its replies are left out."""
    found: list[Exchange] = []
    chats = False
    for turn in history:
        if turn.role == "user":
            chats = bool(CHAT.match(plain(turn.content)))
            if not chats:
                found.append(Exchange(turn.content, ""))
        elif found and not chats:
            found[-1] = Exchange(found[-1].said, _MARKER.sub(" ", turn.content))
    return tuple(found[-DEPTH:])


def cues_after(text: str, before: Exchange, lexicon: Lexicon, nearness: Nearness) -> Cues:
    """What speaks for the text leaning on the exchange before it."""
    carried = " ".join(_unsaid([*content_words(before.said), *_reply_words(before.reply)], text))
    alone, together, earlier = nearness([text, f"{_bare(text)} ({carried})", before.said])
    near = Near(alone[0], together[0] - alone[0], alone[1] == earlier[1])
    return cues_of(text, f"{before.said} {before.reply}", near, lexicon)


def _topics(exchanges: Sequence[Exchange], lexicon: Lexicon, nearness: Nearness) -> list[Topic]:
    """The topic after each exchange."""
    topics = [_new_topic(exchanges[0])]
    for before, exchange in pairwise(exchanges):
        said, topic = exchange.said, topics[-1]
        so_far = (*topic.said, said)
        if stands_apart(said) or not leans(said, cues_after(said, before, lexicon, nearness)):
            topics.append(_new_topic(exchange))
        elif swapped := _with_replaced(said, topic.opened, lexicon):
            topics.append(Topic(swapped, exchange.reply, so_far))
        else:
            topics.append(Topic(topic.opened, exchange.reply, so_far, _core(said)))
    return topics


def _new_topic(exchange: Exchange) -> Topic:
    return Topic(_core(exchange.said), exchange.reply, (exchange.said,))


def _without_announcement(text: str) -> str:
    """The text behind "different topic:", which is nothing to search for."""
    announced = _ANNOUNCES.search(text)
    if announced is None or len(text[: announced.start()].split()) > WORDS_BEFORE:
        return text
    rest = text[announced.end() :]
    return rest if len(rest.split()) >= 3 else text


def _returned_to(text: str, topics: Sequence[Topic], lexicon: Lexicon) -> Topic | None:
    """The latest topic that has the things named behind "back to"."""
    said = plain(text)
    returns = _RETURNS.search(said)
    if not returns:
        return None
    wanted = _things(said[returns.end() :], lexicon)
    return next((t for t in reversed(topics) if wanted & _things(t.text, lexicon)), None)


def _in_topic(text: str, topic: Topic, lexicon: Lexicon) -> Standalone:
    """The text with what it lacks of the topic."""
    swapped = _with_replaced(text, topic.text, lexicon)
    if swapped:
        both = f"{_bare(text)} ({swapped})"
        return Standalone(both, both, topic.said)
    core = plain(text)
    own = unique(content_words(topic.text))[-CONTEXT_WORDS:]
    reply = _reply_words(topic.reply)
    carried = _unsaid([*reply, *own] if ASKS_ABOUT_A_STUDY.search(core) else [*own, *reply], text)
    searched = f"{_bare(text)} ({' '.join(carried)})" if carried else text
    return Standalone(f"{_bare(text)} ({_shortened(topic.text)})", searched, topic.said)


def _with_replaced(text: str, context: str, lexicon: Lexicon) -> str | None:
    """The earlier question with its thing of the same kind replaced by the new one."""
    core = LEAD.sub("", plain(text))
    if not SWAP.match(core):
        return None
    for new in lexicon.entities(core):
        if new.kind not in ("exercise", "muscle"):
            continue
        same = [e for e in lexicon.entities(context) if e.kind == new.kind]
        if not same or new.name in {e.name for e in same}:
            continue
        said = re.search(re.escape(core[new.start : new.end]), text, re.IGNORECASE)
        name = said.group() if said else core[new.start : new.end]
        return context[: same[0].start] + name + context[same[0].end :]
    return None


def _things(text: str, lexicon: Lexicon) -> set[str]:
    named = {e.name for e in lexicon.entities(text) if e.kind not in FOREIGN}
    return named | {w.lower().rstrip("s") for w in content_words(text)}


def _reply_words(reply: str) -> list[str]:
    return unique(content_words(reply))[:REPLY_WORDS]


def _unsaid(words: Sequence[str], text: str) -> list[str]:
    said = {w.lower() for w in content_words(text)}
    return [w for w in unique(words) if w.lower() not in said]


def _shortened(text: str) -> str:
    """The end of a long text: people tell their story first and ask last."""
    words = text.split()
    return text if len(words) <= SHOWN_WORDS else "… " + " ".join(words[-SHOWN_WORDS:])


def _core(text: str) -> str:
    """The text without "ok, so" before it and its marks at the end."""
    bare = text.strip().rstrip(" ?.!")
    lead = LEAD.match(bare.lower())
    return bare[lead.end() :] if lead else bare


def _bare(text: str) -> str:
    return text.strip().rstrip(" ?.!") + "?"
