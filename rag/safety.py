"""Warning signs in a person's own words: what must be said before any answer.

The rules are data (`safety_rules.yaml`): concepts as regular expressions, and patterns that join
concepts. Behind them stands a recogniser fitted from examples (`rag.recognising`), for the words
that no rule foresaw. A rule refers ("see_a_clinician") only where somebody has the sign; a question that is
merely about a condition is answered. Where in doubt a rule fires: a needless referral costs less
than a missed one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.lexicon import is_english
from rag.recognising import recognised
from rag.types import Question, Safety, SafetyLevel

NEAR = 8
"""Words that may stand between two concepts joined by `~`."""

NEGATION_REACH = 7
"""Words after "no" or "without" to which the negation still applies."""

NAMED_FROM = 0.5
"""Share from which a likeness names one rule: nine in ten are then right (cross-validated)."""

ASKED_MARGIN = 0.4
"""How much clearer the likeness must be where the message only asks about a thing."""

UNSURE = "possible-warning-sign"
"""The rule that speaks where a likeness is to several."""

Span = tuple[int, int]
"""First character and the one after the last."""

_CONTINUES = re.compile(
    r"\b(?:it|its|that|this|there|them|they|also|too|now|since then|still|and|same|either|both|"
    r"worse|then|as well|yes|yeah|plus)\b"
)
_BREAK = re.compile(r"\b(?:but|though|although|however|except|and|just|only|because|cos|so)\b|[.,]")
_UNITED = re.compile(r"\b(?:or|nor)\b")


@dataclass(frozen=True, slots=True)
class _Pattern:
    groups: tuple[tuple[str, ...], ...]
    """Every group must be found; the concepts of one group near each other."""
    unless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    level: SafetyLevel
    message: str
    references: tuple[str, ...]
    patterns: tuple[_Pattern, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    rules: tuple[_Rule, ...]
    concepts: Mapping[str, re.Pattern[str]]
    context: frozenset[str]
    lasting: frozenset[str]
    """Context that holds for the whole conversation, whatever the message's wording."""
    spelling: tuple[str, ...]
    asking: Mapping[str, re.Pattern[str]]
    negation: re.Pattern[str]
    not_negation: re.Pattern[str]


def assess(question: Question) -> Safety | None:
    """What a person must be told first, or None where nothing in the message calls for it."""
    return by_rule(question) or _by_likeness(question) or _first(question, "caution")


def by_rule(question: Question) -> Safety | None:
    """The referral of the first rule that refers, or None."""
    if _only_asks(folded(question.text), _rules().asking):
        return None
    return _first(question, "see_a_clinician")


def _by_likeness(question: Question) -> Safety | None:
    """The referral of the rule that the message reads like, though none of its patterns is met.

    Where it reads like several, the message that fits them all is given.
    """
    message = folded(question.text)
    found = recognised(message, carried_on(question, message))
    if found is None or (_only_asks(message, _rules().asking) and found.margin < ASKED_MARGIN):
        return None
    wanted = found.rule if found.share >= NAMED_FROM else UNSURE
    rule = next(rule for rule in _rules().rules if rule.id == wanted)
    return Safety(rule.level, rule.message, rule.id, rule.references)


def _first(question: Question, level: SafetyLevel) -> Safety | None:
    rules = _rules()
    message = _Text(folded(question.text), rules)
    earlier: _Text | None = None
    usable: frozenset[str] = frozenset()
    if question.history and level == "see_a_clinician":
        said = ". ".join(turn.content for turn in question.history if turn.role == "user")
        earlier = _Text(folded(said), rules)
        usable = rules.context if _CONTINUES.search(message.text) else rules.lasting
    for rule in rules.rules:
        if rule.level != level:
            continue
        if any(_matches(pattern, message, earlier, usable) for pattern in rule.patterns):
            return Safety(rule.level, rule.message, rule.id, rule.references)
    return None


def carried_on(question: Question, message: str) -> str:
    """The person's turn before, folded, where the folded message goes on from it; else empty."""
    said = [turn.content for turn in question.history if turn.role == "user"]
    return folded(said[-1]) if said and _CONTINUES.search(message) else ""


def folded(text: str) -> str:
    """Lower case, apostrophes gone, marks apart from words, typing errors in key words mended."""
    text = re.sub(r"[’'`´]", "", text.lower())
    text = re.sub(r"[.!?;:\n]+", " . ", text)
    text = re.sub(r"[^\w.,]+|_", " ", text).replace(",", " , ")
    return " ".join(_mended(word) for word in text.split())


@cache
def _mended(word: str) -> str:
    """The word, or the key word that it misspells; English words stay as they are."""
    if len(word) < 4 or not word.isalpha() or word in _rules().spelling or is_english(word):
        return word
    from rapidfuzz.distance import OSA

    allowed = 1 if len(word) < 8 else 2
    near = [
        (distance, target)
        for target in _rules().spelling
        if (distance := OSA.distance(word, target, score_cutoff=allowed)) <= allowed
    ]
    return min(near)[1] if near else word


class _Text:
    """A folded message with the places where concepts stand in it, found when asked for."""

    def __init__(self, text: str, rules: _Rules) -> None:
        self.text = text
        self.rules = rules
        self._found: dict[str, tuple[Span, ...]] = {}
        self._negated = _negated_parts(text, rules)

    def spans(self, concept: str, *, negated: bool = False) -> tuple[Span, ...]:
        """Where the concept stands, negated mentions left out unless wanted."""
        if concept not in self._found:
            matches = self.rules.concepts[concept].finditer(self.text)
            self._found[concept] = tuple(m.span() for m in matches)
        found = self._found[concept]
        return found if negated else tuple(s for s in found if not self._is_negated(s))

    def _is_negated(self, span: Span) -> bool:
        return any(start <= span[0] < end for start, end in self._negated)

    def near(self, first: Span, second: Span) -> bool:
        """Whether two places are in one sentence with at most `NEAR` words between them."""
        if first[0] > second[0]:
            first, second = second, first
        between = self.text[first[1] : second[0]]
        return " . " not in f" {between.strip()} " and len(between.split()) <= NEAR


def _negated_parts(text: str, rules: _Rules) -> list[Span]:
    """The stretches of text that a negation covers."""
    parts = []
    for match in rules.negation.finditer(text):
        if rules.not_negation.match(text, match.start()):
            continue
        start = match.end()
        sentence_end = text.find(" .", start)
        sentence = text[start : sentence_end if sentence_end >= 0 else len(text)]
        united = _UNITED.search(sentence)
        # "No numbness, tingling or weakness": a list with "or" is negated to its end.
        stop = _BREAK.search(sentence, united.end() if united and "," in sentence else 0)
        covered = sentence[: stop.start() if stop else len(sentence)]
        words = list(re.finditer(r"\w+", covered))
        reach = NEGATION_REACH + (6 if united else 0)
        if words:
            parts.append((start, start + words[: reach][-1].end()))
    return parts


def _only_asks(text: str, asking: Mapping[str, re.Pattern[str]]) -> bool:
    """Whether the message asks about a thing that nobody is said to have."""
    if asking["report"].search(text):
        return False
    if asking["hypothetical"].search(text):
        return True
    if asking["person"].search(text) or asking["worry"].search(text):
        return False
    return bool(asking["about"].search(text))


def _matches(
    pattern: _Pattern, message: _Text, earlier: _Text | None, usable: frozenset[str]
) -> bool:
    """Whether every group is found, at least one of them with a sign in the message itself."""
    if any(message.spans(concept, negated=True) for concept in pattern.unless):
        return False
    said_now = False
    for group in pattern.groups:
        if _group_found(group, message):
            said_now = said_now or len(pattern.groups) == 1 or not _is_context(group, message.rules)
        elif not (earlier and _carried(group, message, earlier, usable)):
            return False
        else:
            said_now = said_now or not _is_context(group, message.rules)
    return said_now or not earlier or all(_group_found(g, message) for g in pattern.groups)


def _is_context(group: tuple[str, ...], rules: _Rules) -> bool:
    return all(concept in rules.context for concept in group)


def _group_found(group: tuple[str, ...], text: _Text) -> bool:
    """Whether the group's concepts stand near one another, each near the first."""
    first, *others = (text.spans(concept) for concept in group)
    return any(
        all(any(text.near(span, other) for other in spans) for spans in others) for span in first
    )


def _carried(
    group: tuple[str, ...], message: _Text, earlier: _Text, usable: frozenset[str]
) -> bool:
    """Whether what the message lacks of the group is context that an earlier turn gave."""
    missing = [concept for concept in group if not message.spans(concept)]
    if not missing or any(c not in usable or not earlier.spans(c) for c in missing):
        return False
    present = tuple(concept for concept in group if concept not in missing)
    return not present or _group_found(present, message)


@cache
def _rules() -> _Rules:
    raw = yaml_file()
    concepts: dict[str, str] = {}
    for name, parts in raw["concepts"].items():
        concepts[name] = "(?:" + "|".join(_expanded(part, concepts) for part in parts) + ")"
    return _Rules(
        rules=tuple(_rule(rule) for rule in raw["rules"]),
        concepts={name: re.compile(rf"\b{source}\b") for name, source in concepts.items()},
        context=frozenset(raw["context"]),
        lasting=frozenset(raw["lasting"]),
        spelling=tuple(sorted(set(raw["spelling"].split()))),
        asking={
            name: re.compile(source if source.startswith("^") else rf"\b{source}\b")
            for name, source in raw["asking"].items()
        },
        negation=re.compile(rf"\b{raw['negation']}\b"),
        not_negation=re.compile(rf"{raw['not_negation']}\b"),
    )


def yaml_file() -> dict[str, Any]:
    """The rules as written in `safety_rules.yaml`."""
    import yaml

    text = Path(__file__).with_name("safety_rules.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _expanded(part: str, concepts: Mapping[str, str]) -> str:
    """A regular expression with other concepts and gaps of up to n words put in."""
    part = re.sub(r"\{([a-z_]+)\}", lambda m: concepts[m.group(1)], part)
    return re.sub(r" ?<(\d+)>", lambda m: _gap(m.group(), int(m.group(1))), part)


def _gap(written: str, words: int) -> str:
    return (" " if written.startswith(" ") else "") + rf"(?:[\w,]+ ){{0,{words}}}"


def _rule(raw: Mapping[str, Any]) -> _Rule:
    message = " ".join(raw["message"].split())
    patterns = tuple(_pattern(text) for text in raw["patterns"])
    return _Rule(raw["id"], raw["level"], message, tuple(raw["references"]), patterns)


def _pattern(text: str) -> _Pattern:
    wanted, _, unless = text.partition(" unless ")
    groups = tuple(tuple(c.strip() for c in part.split("~")) for part in wanted.split("+"))
    return _Pattern(groups, tuple(unless.split()))
