"""What a sentence of a passage says otherwise than a claim: plain phrases, one a conflict. Pure.

Each rule compares two readings of `rag.claims`: figures and the arms they belong to, names that
exclude each other, directions by what they are said of, negation by what it denies, opposites.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from rag.claim_words import (
    BROADER,
    CHANGES,
    EXCLUSIVE,
    GOOD_WORDS,
    LESS_IS_BETTER,
    PHRASES,
    UNSTUDIED,
    VERBS_OF_GROWTH,
)
from rag.claims import Claim, Number, Word, antonyms, stem

Keys = frozenset[str]

AXES = ("up", "down", "same")
_SILENT = ("stop", "mark", "neg", "number", "hedge", "boost", "degree", *AXES)
"""Kinds of words that say nothing of what a direction or a figure is about."""
_OUTCOMES = frozenset(PHRASES["outcome"])
_MUSCLES = frozenset(PHRASES["muscle"])
_PREPOSITIONS = frozenset(
    ["than", "in", "with", "after", "during", "from", "for", "by", "at", "between", "across",
     "when", "as", "to", "on", "over", "through", "against", "versus", "vs", "without", "and", "or"]
)  # fmt: skip
_THEME_ENDS = frozenset(["than", "and", "as", "when", "if"])
_PLACES = frozenset(["before", "after", "over", "under", "with", "without", "up", "down", "off", "on", "first"])
_ORDINALS = frozenset(["first", "second", "third", "fourth", "fifth", "sixth"])
_ARMS = frozenset(["and", "against", "versus", "vs", "than", "but", "while", "whereas", "well", ",", ";", ":"])
_COMPATIBLE = {
    "up": {"up", "different", "notdown"},
    "down": {"down", "different", "notup"},
    "same": {"same", "notup", "notdown"},
    "different": {"different", "up", "down"},
    "notup": {"notup", "same", "down", "notdown"},
    "notdown": {"notdown", "same", "up", "notup"},
    "high": {"high"},
    "low": {"low"},
}
_FLIPPED = {"up": "down", "down": "up", "notup": "notdown", "notdown": "notup"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A direction or degree, and what it is said of."""

    family: str
    """compare, change or degree."""
    axis: str
    text: str
    core: Keys
    """The nearest word on each side."""
    theme: Keys
    """The few words on both sides."""


def conflicts(
    claim: Claim, near: Claim, *, close: bool, passage: Keys = frozenset()
) -> Iterator[str]:
    """What `near`, a sentence of the passage, says otherwise than `claim`.

    `close` says that the two share most words, so that their lone directions are of the same thing;
    `passage` holds the keys of the whole passage, from which a claim may put names together.
    """
    yield from number_conflicts(claim, near, close=close)
    if close:
        yield from arm_conflicts(claim, near)
    yield from name_conflicts(claim, near, passage)
    yield from direction_conflicts(claim, near, close=close)
    yield from negation_conflicts(claim, near)
    yield from unstudied(claim, near)
    yield from opposites(claim, near)
    if close:
        yield from replaced(claim, near)


# ------------------------------------------------------------------ figures


def number_conflicts(claim: Claim, near: Claim, *, close: bool) -> Iterator[str]:
    for number in claim.numbers:
        if any(same_number(number, other) for other in near.numbers):
            continue
        if any(_rivals(number, other) and (close or other.dimension) for other in near.numbers):
            shown = f"{number.text} {number.unit}".strip()
            yield f"the number {shown} is not what the passage says"


def _rivals(number: Number, other: Number) -> bool:
    """Whether the passage's figure stands where the claim's would: same unit, or same digits."""
    same_digits = (other.low, other.high) == (number.low, number.high) or other.text == number.text
    return other.dimension == number.dimension or same_digits


def same_number(a: Number, b: Number) -> bool:
    """Whether `b`, the passage's, is the claim's `a`: to rounding, and in whatever unit."""
    if a.dimension and b.dimension and a.dimension != b.dimension:
        return False
    if a.per and b.per and a.per != b.per:
        return False
    if {a.qualifier, b.qualifier} == {"ge", "le"}:
        return False
    rounder = _digits(a) < _digits(b)
    slack = 0.06 if rounder and "eq" in (a.qualifier, b.qualifier) else 0.0
    if a.unit.rstrip("s") != b.unit.rstrip("s") and a.factor != b.factor:
        slack = max(slack, 0.1 if a.dimension == "time" else 0.02)
    if _near(a.low, b.low, slack) and _near(a.high, b.high, slack):
        return True
    if a.low == a.high and b.low == b.high and _rounds(b.low / b.factor, a.low / a.factor):
        return a.factor == b.factor
    if a.qualifier == b.qualifier:
        return False
    return (a.qualifier == "ge" and b.low >= a.low) or (a.qualifier == "le" and b.high <= a.high)


def _digits(number: Number) -> int:
    """Significant digits: 500 has one, 503 three."""
    return len(f"{abs(number.low / number.factor):.12g}".replace(".", "").strip("0"))


def _near(a: float, b: float, slack: float) -> bool:
    return abs(a - b) <= max(1e-9, slack) * max(abs(a), abs(b), 1e-9)


def _rounds(exact: float, said: float) -> bool:
    """Whether a whole number is the rounding of a figure with decimals."""
    return float(said).is_integer() and not float(exact).is_integer() and round(exact) == said


def arm_conflicts(claim: Claim, near: Claim) -> Iterator[str]:
    """A right figure given to the wrong arm: "77% in A against 59% in B", told the other way."""
    for number in claim.numbers:
        own = next((n for n in near.numbers if same_number(number, n)), None)
        if own is None:
            continue
        here = _arm(claim, number.at)
        mine = _arm(near, own.at)
        for rival in near.numbers:
            like = rival.dimension in (own.dimension, number.dimension)
            comparable = like and not same_number(number, rival)
            if comparable and _misplaced(here, mine, _arm(near, rival.at)):
                yield f"the passage gives {number.text} for something else"
                return


def _arm(claim: Claim, at: int) -> dict[str, str]:
    """Key -> kind of the words in the stretch around a figure, up to "and", "against", a comma."""
    start = end = at
    inner = _bracket(claim, at)
    if inner and sum(n.at in inner for n in claim.numbers) > 1:
        return {}  # "(12% against 5%)" belongs to what stands before, in an order of its own
    while start > 0 and claim.words[start - 1].text not in _ARMS:
        start -= 1
    while end < len(claim.words) - 1 and claim.words[end + 1].text not in _ARMS:
        end += 1
    return {
        w.key: w.kind
        for w in claim.words[start : end + 1]
        if w.kind not in _SILENT and not w.light
    }


def _bracket(claim: Claim, at: int) -> range | None:
    """Places of the words of the bracket that a word stands in, if any."""
    opened = next((i for i in range(at, -1, -1) if claim.words[i].text in "()"), None)
    if opened is None or claim.words[opened].text != "(":
        return None
    closed = next((i for i in range(at, len(claim.words)) if claim.words[i].text == ")"), len(claim.words))
    return range(opened, closed)


def _misplaced(here: dict[str, str], mine: dict[str, str], other: dict[str, str]) -> bool:
    """Whether a figure's surroundings are those of the rival figure and not its own."""
    foreign = {k: v for k, v in other.items() if k not in mine and k in here}
    lost = {k: v for k, v in mine.items() if k not in other and k not in here}
    if not foreign or not lost:
        return False
    kept = any(k in here for k in mine if k not in other)
    names = {v for v in foreign.values() if v in (*EXCLUSIVE, "name")}
    return not kept or bool(names & set(lost.values()))


# ------------------------------------------------------------------ names


def name_conflicts(claim: Claim, near: Claim, passage: Keys) -> Iterator[str]:
    """Muscle, lift, sex, training, age, joint: one of a kind in place of another."""
    for kind in (*EXCLUSIVE, "outcome"):
        said = {w.key for _, w in claim.of_kind(kind)}
        there = {w.key for _, w in near.of_kind(kind)}
        for key in sorted(said - there):
            if said & there and key in passage:
                continue
            if there and not _stands_for(key, there) and not (there <= said):
                yield f"the passage speaks of {', '.join(sorted(there))}, not of {key}"


def _stands_for(key: str, there: set[str]) -> bool:
    return bool(BROADER.get(key, frozenset()) & there)


# ------------------------------------------------------------------ directions


def facts(claim: Claim) -> list[Fact]:
    """Every direction and degree of a sentence with what it is said of."""
    found: list[Fact] = []
    for i, word in enumerate(claim.words):
        for family, axis in _families(word):
            before, after = _theme(claim, i, -1), _theme(claim, i, 1)
            theme = frozenset([*before, *after])
            if word.text in GOOD_WORDS and LESS_IS_BETTER & theme:
                axis = _FLIPPED.get(axis, axis)
            found.append(Fact(family, axis, word.text, frozenset([*before[:1], *after[:1]]), theme))
    return found


def _families(word: Word) -> list[tuple[str, str]]:
    """(family, axis) of what a word says: "no effect" tells both a change and a comparison."""
    if word.kind == "degree":
        return [("degree", {"high": "low", "low": "high"}[word.key] if word.negated else word.key)]
    if word.key == "different":
        return [("compare", "same" if word.negated else "different")]
    if word.kind == "same":
        axis = "different" if word.negated else "same"
        changes = any(s in word.text for s in ("chang", "alter", "affect", "influenc", "effect"))
        return [("compare", axis), ("change", axis)] if changes else [("compare", axis)]
    axis = f"not{word.kind}" if word.negated else word.kind
    if word.kind in ("up", "down"):
        return [("change" if stem(word.text) in CHANGES else "compare", axis)]
    if word.key == "growth" and word.text in VERBS_OF_GROWTH:
        return [("change", "notup" if word.negated else "up")]
    return []


def _theme(claim: Claim, at: int, step: int) -> list[str]:
    """Keys of the few content words on one side, nearest first, within clause and phrase."""
    keys: list[str] = []
    i = at + step
    while 0 <= i < len(claim.words) and len(keys) < 4:
        word = claim.words[i]
        if word.kind == "mark" or word.clause != claim.words[at].clause or word.text in _THEME_ENDS:
            break
        if step > 0 and keys and word.text in _PREPOSITIONS:
            break
        if word.kind not in _SILENT and not word.light:
            keys.append(word.key)
        i += step
    return keys


def direction_conflicts(claim: Claim, near: Claim, *, close: bool) -> Iterator[str]:
    ours, theirs = facts(claim), facts(near)
    swapped = order_swapped(claim, near)
    for fact in ours:
        if fact.axis == "same" and fact.family == "compare" and _unequal(near):
            yield "the passage gives figures that differ"
            return
        turned = swapped and fact.family == "compare"
        rivals = _rival_facts(fact, ours, theirs, close=close)
        if rivals and not any(_agree(fact, f, turned=turned) for f in rivals):
            yield f"the passage says {rivals[0].text!r}, not {fact.text!r}"
            return


def _unequal(near: Claim) -> bool:
    """Whether the sentence sets two different figures against each other and says no more."""
    if near.of_kind("neg", "same"):
        return False
    for a, b in pairwise(near.numbers):
        between = {w.text for w in near.words[a.at : b.at]}
        if between & {"against", "versus", "vs"} and a.dimension == b.dimension:
            return abs(a.low - b.low) > 0.1 * max(abs(a.low), abs(b.low))
    return False


def _agree(fact: Fact, other: Fact, *, turned: bool) -> bool:
    """Whether two facts say the same; more with light loads is less with heavy ones."""
    opposite = any(
        antonyms().get(k, frozenset()) & (other.core - fact.core) for k in fact.core - other.core
    )
    flipped = turned != opposite
    return other.axis in _COMPATIBLE[_FLIPPED.get(fact.axis, fact.axis) if flipped else fact.axis]


def _rival_facts(fact: Fact, ours: list[Fact], theirs: list[Fact], *, close: bool) -> list[Fact]:
    """The passage's facts about the same thing, the best matches only.

    A lone comparison beside a lone comparison is about the same thing where the sentences are
    close; a change stands for a comparison, and the reverse, where the passage has only the other.
    """
    alike = [f for f in theirs if f.family == fact.family]
    if not alike and fact.family != "degree" and fact.axis in ("up", "down"):
        alike = [f for f in theirs if f.family != "degree" and f.axis in ("up", "down")]
    scored = [(_likeness(fact, f), f) for f in alike]
    best = max((s for s, _ in scored), default=0)
    if best == 0:
        lone = len(alike) == 1 and sum(f.family == fact.family for f in ours) == 1
        return alike if lone and close and fact.family != "degree" else []
    return [f for s, f in scored if s == best]


def _likeness(a: Fact, b: Fact) -> int:
    if a.family == "degree":
        return len(a.core & b.core)
    for names in (_OUTCOMES, _MUSCLES):
        ours, theirs = a.theme & names, b.theme & names
        if ours and theirs and not ours & theirs and not any(_stands_for(k, set(theirs)) for k in ours):
            return 0
    score = 3 * len(a.core & b.core) + len(a.theme & b.theme)
    return score + 3 if score and stem(a.text) == stem(b.text) else score


def order_swapped(claim: Claim, near: Claim) -> bool:
    """Whether the two sides of "A more than B" changed places."""
    pairs = [(a, b) for a in _sides(claim) for b in _sides(near)]
    if not pairs:
        return False
    ours, theirs = max(pairs, key=lambda p: len((p[0].left | p[0].right) & (p[1].left | p[1].right)))
    moved = (theirs.head - ours.head) & ours.left
    back = ((ours.head - theirs.head) | (ours.right - theirs.right)) & theirs.left
    return bool(moved and back)


@dataclass(frozen=True, slots=True)
class _Sides:
    left: Keys
    head: Keys
    """The phrase right after "than"."""
    right: Keys
    """All that follows it in the clause."""


def _sides(claim: Claim) -> list[_Sides]:
    """What stands left and right of each "than", or of what does its work."""
    found: list[_Sides] = []
    start = 0
    for i, word in enumerate(claim.words):
        after = claim.words[i + 1].text if i + 1 < len(claim.words) else ""
        against = word.text in ("compared", "relative") and after in ("with", "to")
        if not against and word.text not in ("than", "versus", "vs", "outperform", "beat", "over", "beats"):
            continue
        if word.text == "over" and not (i and claim.words[i - 1].text in ("advantage", "favoured")):
            continue
        head: set[str] = set()
        right: set[str] = set()
        open_head = True
        for other in claim.words[i + 1 + against :]:
            if other.kind == "mark":
                break
            open_head = open_head and not (head and other.text in _PREPOSITIONS)
            if other.kind not in ("stop", "neg", *AXES):
                right.add(other.key)
                if open_head:
                    head.add(other.key)
        left = {w.key for w in claim.words[start:i] if w.kind not in ("stop", "mark", *AXES)}
        found.append(_Sides(frozenset(left), frozenset(head), frozenset(right)))
        start = i + 1
    return found


# ------------------------------------------------------------------ negation


def negation_conflicts(claim: Claim, near: Claim) -> Iterator[str]:
    """What one denies and the other states: the words right after each "not"."""
    for denies, states, text in ((near, claim, "denies"), (claim, near, "does not deny")):
        denied_too = {w.key for w in _denied(states)}
        for word in _denied(denies):
            mixed = any(w.key == word.key and not w.negated for w in denies.words)
            if word.key in denied_too or mixed:
                continue
            twins = _twins(word, denies, states)
            if twins and not any(w.negated for w in twins) and not _denies_most(states, denies):
                yield f"the passage {text} this: {twins[0].text!r}"
                return


_NO_HEADS = (
    "stop", "mark", "number", "hedge", "boost", "degree", "all", "some", "most", "only",
)  # fmt: skip


def _denied(claim: Claim) -> Iterator[Word]:
    """The head of each negation: its first word that says something, a name only for want of other.

    Directions are left out: they are compared by what they are said of.
    """
    for i, word in enumerate(claim.words):
        if word.kind != "neg":
            continue
        scope: list[Word] = []
        for other in claim.words[i + 1 :]:
            if other.kind in ("mark", "neg") or other.clause != word.clause:
                break
            if other.text in _PREPOSITIONS and any(w.kind not in ("stop", "hedge") for w in scope):
                break
            scope.append(other)
        lone = not any(w.kind != "stop" for w in scope)
        if lone:  # "and hip thrusts do not"
            scope = [w for w in claim.words[:i] if w.clause == word.clause and w.negated]
        said = [w for w in scope if w.negated and w.kind not in _NO_HEADS]
        head = next((w for w in said if not w.light and w.kind not in EXCLUSIVE), None)
        alone = lone or len(said) == 1  # "not the glutes"
        head = head or next((w for w in said if alone or w.kind not in EXCLUSIVE), None)
        if head and head.kind not in AXES:
            yield head


def unstudied(claim: Claim, near: Claim) -> Iterator[str]:
    """A statement of what the passage says that nobody has looked at."""
    shared = {w.clause: len(_clause_keys(near, w.clause) & claim.content) for w in near.words}
    denied = [
        w
        for i, n in enumerate(near.words)
        if n.kind == "neg" and 1 < shared[n.clause] == max(shared.values())
        for w in near.words[i + 1 : i + 4]
        if w.negated and stem(w.text) in UNSTUDIED
    ]
    if denied and not claim.of_kind("neg", "hedge") and not any(w.negated for w in claim.words):
        yield "the passage says that this was not studied or shown"


def _denies_most(here: Claim, there: Claim) -> bool:
    """Whether most of what the other sentence denies is denied here too, if in another order."""
    scope = {w.key for w in there.words if w.negated and w.kind not in _SILENT and not w.light}
    met = [w.negated for w in here.words if w.key in scope]
    return 2 * sum(met) > len(met)


def _twins(word: Word, there: Claim, here: Claim) -> list[Word]:
    """The same word in the other sentence, in the clauses that share most with its own."""
    found = [w for w in here.words if w.key == word.key]
    if len(found) < 2:
        return found
    around = _clause_keys(there, word.clause)
    scores = [len(around & _clause_keys(here, w.clause)) for w in found]
    return [w for w, s in zip(found, scores, strict=True) if s == max(scores)]


def _clause_keys(claim: Claim, clause: int) -> Keys:
    return frozenset(w.key for w in claim.words if w.clause == clause and w.kind not in _SILENT)


# ------------------------------------------------------------------ opposites


def opposites(claim: Claim, near: Claim) -> Iterator[str]:
    """A word whose opposite stands in the passage, and which does not stand there itself."""
    for word in near.words:
        if _unchanged(word, claim) and not near.of_kind("same", "neg"):
            yield f"the passage says {word.text!r}"
            return
    texts = {stem(w.text) for w in near.words}
    for word in claim.words:
        if word.kind in ("stop", "mark", "number", "neg") or word.key in near.content:
            continue
        # The key of a direction or degree is its axis, not a word.
        stems = {stem(word.text)} | ({word.key} if word.kind not in (*AXES, "degree") else set())
        opposite = frozenset().union(*(antonyms().get(s, frozenset()) for s in stems))
        opposite |= {t for t in texts if _prefix_turns(stem(word.text), t)}
        opposite |= _unchanged(word, near)
        met = [
            w
            for w in near.words
            if w.kind != "degree"
            and opposite & {w.key, stem(w.text)}
            and (near.words[-1].clause < 2 or _clause_keys(near, w.clause) & claim.content)
        ]
        if met and not any(w.negated != word.negated for w in met):
            yield f"the passage says {met[0].text!r}, not {word.text!r}"
            return


def _unchanged(word: Word, near: Claim) -> set[str]:
    """Keys of "did not change" and the like, where the word is "change"."""
    phrases = [w for w in near.words if w.kind == "same" and w.text.startswith(("not ", "no "))]
    met = any(stem(word.text) in map(stem, p.text.split()[1:]) for p in phrases)
    return {"same"} if met and word.kind in ("word", "up", "down") and not word.negated else set()


def replaced(claim: Claim, near: Claim) -> Iterator[str]:
    """What a claim that follows its sentence word for word has in another's place.

    Two words that changed places are left to `order_swapped`; a lone one is another claim.
    """
    ours, theirs = _told(claim), _told(near)
    matcher = SequenceMatcher(None, [w.key for w in theirs], [w.key for w in ours], autojunk=False)
    pairs: list[tuple[Word, Word]] = []
    uneven = len(claim.of_kind("neg")) != len(near.of_kind("neg"))
    alike = sum(block.size for block in matcher.get_matching_blocks()) >= 0.75 * len(ours)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "replace" and b - a == d - c:
            pairs += zip(theirs[a:b], ours[c:d], strict=True)
        lone = theirs[a:b] + ours[c:d] if tag in ("insert", "delete") and 0 < c < len(ours) else []
        if alike and uneven and len(lone) == 1 and lone[0].kind == "neg":
            yield f"{'the passage does not say' if tag == 'insert' else 'left out'}: {lone[0].text!r}"
            return
    if order_swapped(claim, near):
        return
    exchanged = {(x.key, y.key) for x, y in pairs}
    mutual = {frozenset(p) for p in exchanged if p[::-1] in exchanged}
    if len(mutual) > 1 or (mutual and _sides(claim) and _sides(near)):
        return  # both the things and what is said of them changed places
    for there, here in pairs:
        listed = frozenset((there.key, here.key)) in mutual and _side_by_side(theirs, there, here)
        more = sum(w.key == here.key for w in ours) > sum(w.key == here.key for w in theirs)
        known = not more and frozenset((there.key, here.key)) not in mutual
        if _excludes(there, here) and not listed and not known:
            yield f"the passage says {there.text!r}, not {here.text!r}"
            return


def _side_by_side(words: list[Word], a: Word, b: Word) -> bool:
    """Whether two words stand next to each other, as in a list: their order says nothing."""
    return any({x.key, y.key} == {a.key, b.key} for x, y in pairwise(words))


def _told(claim: Claim) -> list[Word]:
    """Words in order, without those that only join; "before" and "after" stay."""
    return [
        w
        for w in claim.words
        if w.kind not in ("mark", "number") and (w.kind != "stop" or w.text in _PLACES) and not w.light
    ]


def _excludes(a: Word, b: Word) -> bool:
    """Whether two words in the same place cannot both be right."""
    if a.kind == b.kind and a.kind in (*EXCLUSIVE, "outcome", "degree", *AXES):
        return a.key != b.key and not _stands_for(b.key, {a.key})
    if a.key != b.key and ({a.kind, b.kind} <= set(AXES) or {a.text, b.text} <= _ORDINALS):
        return True
    return bool(antonyms().get(stem(a.text), frozenset()) & {stem(b.text), b.key})


def _prefix_turns(a: str, b: str) -> bool:
    """Whether one is the other behind "un", "non", "in": stable, unstable."""
    short, long = sorted((a, b), key=len)
    return len(short) > 3 and any(long == p + short for p in ("un", "non", "in"))
