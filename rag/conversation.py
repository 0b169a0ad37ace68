"""Follow-ups made self-contained, without a model.

A question leans on what was said before where it points back ("them", "that", "which is
better"), leaves things out ("why?", "and for beginners?"), or swaps one thing ("what about
RDLs?"). What it lacks comes from the user's earlier turns, resolved in their order.
"""

from __future__ import annotations

import re

from rag.lexicon import Lexicon, words_of
from rag.types import Question

LONGEST_CONTEXT = 14
"""Words that may carry over: more would drown the new question."""

_SWITCH = re.compile(
    r"\b(?:(?:another|different|other|new|unrelated|separate|next) (?:\w+ )?(?:question|topic|thing|"
    r"subject|client)|change of (?:topic|subject)|changing (?:the )?(?:topic|subject)|never ?mind|"
    r"forget (?:that|it|about)|on another note|unrelated|switching (?:topics?|gears))\b"
)
_CHAT = re.compile(
    r"^(?:(?:ok|okay|thanks?|thank you|thx|ty|cheers|cool|great|nice|perfect|got it|hi|hello|hey|"
    r"bye|goodbye|lol|haha|yes|yeah|no|sure|good|awesome|brilliant|so much|a lot|very much|"
    r"makes sense|alright|you)\W*)+$"
)
_LEAD = re.compile(r"^(?:(?:ok|okay|right|so|cool|thanks|great|hmm|oh|ah|and|but|also|well)\W+)+")
_SWAP = re.compile(r"^(?:what about|how about|what of|and|or|same (?:for|with)|and what about)\b")
_POINTS = re.compile(
    r"\b(?:they|them|their|theirs|those|these|it|its|this|that|he|she|his|her|him|"
    r"(?:the )?(?:first|second|third|last|other|former|latter|same) ones?|the (?:former|latter|"
    r"others?)|this one|that one|ones|both|either|neither|there|such)\b"
)
_EMPTY_POINTERS = re.compile(
    r"\b(?:is|does|would|will|can|could|did|how long does|how long will|should) it (?:ok|okay|safe|"
    r"bad|good|better|best|normal|true|possible|necessary|worth|fine|harmful|important|take|matter|"
    r"make sense|be (?:better|best|ok|safe|bad))\b(?=.{12})|\b(?:think|say|says|said|know|heard|"
    r"read|true|mean|so|exercises?|muscles?|things?) that (?=\w+ )|\bthis (?:week|month|year|"
    r"morning|evening)\b|\bthere (?:is|are|any|a)\b|\b(?:is|are) there\b|\bhow many .{3,} are there"
    r"|\b(?:both|either) \w+|\bit(?:s| is) (?:ok|hard|normal|true|better|best)\b(?=.{12})"
)
_LEAVES_OUT = re.compile(
    r"^(?:why|why not|how come|how so|which|what if|what else|any (?:others?|more)|how (?:heavy|often|"
    r"many|much|long|deep|fast|high)(?: then)?\W*$|more\b|really|since when|in what way|"
    r"for example|like what|tell me more|go on|what (?:were|are|is) (?:its|their) )"
)
_TAIL = re.compile(r"\b(?:then|tho|though|instead|too|as well|either|enough|else|again)\W*$")
_COMPARES = re.compile(r"\b(?:which|better|worse|best|harder|easier|safer|difference|rather)\b")
_IN_REPLY = re.compile(
    r"\b(?:first|second|third|last|other|former|latter) ones?\b|\b(?:study|trial)\b"
)
_STOP = frozenset(
    ["a", "an", "the", "and", "or", "but", "if", "so", "as", "of", "in", "on", "at", "to", "for", "from", "by", "with", "about", "than", "then", "too", "also", "very", "is", "are", "was", "were", "be", "been", "being", "am", "do", "does", "did", "doing", "have", "has", "had", "having", "can", "could", "will", "would", "shall", "should", "may", "might", "must", "i", "im", "ive", "me", "my", "mine", "you", "your", "yours", "we", "us", "our", "it", "its", "they", "them", "their", "this", "that", "these", "those", "he", "she", "his", "her", "him", "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "there", "here", "not", "no", "yes", "any", "some", "more", "most", "much", "many", "few", "just", "only", "really", "actually", "please", "tell", "think", "know", "get", "got", "need", "want", "go", "going", "good", "ok", "okay", "well", "like", "dont", "cant", "whats", "hows", "one", "ones", "same", "other", "others", "else", "way", "thing", "things", "let", "make", "me", "us", "whether", "until", "up", "out", "over", "into", "per", "cool", "thanks", "describe", "explain", "mean", "give", "work", "works", "used", "use"]
)


def standalone(question: Question, lexicon: Lexicon) -> str:
    """The question as it reads without its history; unchanged where it needs none."""
    context, reply = "", ""
    for turn in question.history:
        if turn.role == "assistant":
            reply = turn.content
        elif not _CHAT.match(_plain(turn.content)):
            context = _resolved(turn.content, context, reply, lexicon)
    return _resolved(question.text, context, reply, lexicon)


def leans(text: str, lexicon: Lexicon) -> bool:
    """Whether the text needs what was said before it."""
    plain = _plain(text)
    if not plain or _CHAT.match(plain) or _SWITCH.search(plain):
        return False
    core = _LEAD.sub("", plain)
    if _SWAP.match(core) or (plain != core and plain.startswith("and ")):
        return True
    if _LEAVES_OUT.match(core) and not _names_its_subject(core, lexicon):
        return True
    if _points(core, lexicon):
        return True
    named = lexicon.entities(core)
    content = _content(core)
    if _TAIL.search(core) and len(content) <= 5 and not named:
        return True
    if _COMPARES.search(core) and not named and len(content) <= 2:
        return True
    return len(content) <= 1 and not named


def _points(core: str, lexicon: Lexicon) -> bool:
    """Whether a pronoun points outside the text; one that follows its own noun does not."""
    pointer = _POINTS.search(_EMPTY_POINTERS.sub(lambda m: " " * len(m.group()), core))
    if pointer is None:
        return False
    before = [e for e in lexicon.entities(core) if e.end <= pointer.start()]
    return not before or len(_content(core[: pointer.start()])) < 2


def _names_its_subject(core: str, lexicon: Lexicon) -> bool:
    exercises = [e for e in lexicon.entities(core) if e.kind in ("exercise", "muscle")]
    return bool(exercises) or len(_content(core)) > 4


def _resolved(text: str, context: str, reply: str, lexicon: Lexicon) -> str:
    if not context or not leans(text, lexicon):
        return text
    core = _LEAD.sub("", _plain(text))
    swapped = _with_replaced(core, context, lexicon) if _SWAP.match(core) else None
    if swapped:
        return f"{_bare(text)} ({swapped})"
    carried = _carried(core, context, lexicon)
    if _IN_REPLY.search(core):
        carried = " ".join((carried, *_content(reply)[:LONGEST_CONTEXT])).strip()
    return f"{_bare(text)} ({carried})" if carried else text


def _with_replaced(core: str, context: str, lexicon: Lexicon) -> str | None:
    """The earlier question with its thing of the same kind replaced by the new one."""
    for new in lexicon.entities(core):
        if new.kind not in ("exercise", "muscle"):
            continue
        same = [e for e in lexicon.entities(context) if e.kind == new.kind]
        if not same:
            continue
        out, last, said = "", 0, core[new.start : new.end]
        for number, old in enumerate(same):
            out += context[last : old.start] + (said if number == 0 else "")
            last = old.end
        return " ".join(_unique(_content(out + context[last:]))[:LONGEST_CONTEXT])
    return None


def _carried(core: str, context: str, lexicon: Lexicon) -> str:
    """What the text lacks of the context: its things where it asks for something of its own."""
    own = set(_content(core))
    things = [e for e in lexicon.entities(context) if e.kind in ("exercise", "muscle")]
    if things and re.match(r"how (?:heavy|often|many|much|long|deep|fast)\b", core):
        words = [w for e in things for w in words_of(context[e.start : e.end])]
    else:
        words = _content(context)
    return " ".join([w for w in _unique(words) if w.lower() not in own][:LONGEST_CONTEXT])


def _content(text: str) -> list[str]:
    plain = re.sub(r"[’']", "", text)
    return [w for w in words_of(plain) if w.lower() not in _STOP]


def _unique(words: list[str]) -> list[str]:
    return list({word.lower(): word for word in reversed(words)}.values())[::-1]


def _plain(text: str) -> str:
    return re.sub(r"[’'`]", "", text.strip().lower())


def _bare(text: str) -> str:
    return text.strip().rstrip(" ?.!") + "?"
