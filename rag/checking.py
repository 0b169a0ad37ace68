"""Does a passage support a sentence? A verdict with its reasons, without any model.

Each sentence of the passage is compared with the claim: shared words, every number with its unit,
direction, order of a comparison, negation, population, certainty. A hard difference in the
best-matching sentence is a contradiction; words that the passage lacks make a claim partly
supported or unsupported. An `Entailment` model, where given, decides what no rule refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from rag.claim_words import BROADER
from rag.claims import Claim, Number, Word, content_of, plain, read, sentences, stem
from rag.conflicts import AXES, conflicts, same_number
from rag.errors import QuestionError
from rag.types import Embedder, Entailment, Verdict

SUPPORTED_AT = 0.65
"""Share of the claim's words that the passage must have."""
PARTLY_AT = 0.5
MAX_CLAIM = 4_000
MAX_PREMISE = 60_000
MAX_FIGURES = 60
MAX_SENTENCES = 24
"""Sentences of a passage, the nearest in words, that a claim is compared with in full."""
ROOT = 5
"""Letters that two forms of a word share at the least."""
CONTRADICTED_AT = 0.4
"""Share below which a difference is no contradiction: the sentences are of different things."""
CLOSE_AT = 0.6
"""Share above which claim and sentence are taken to speak of the same thing."""
SAME_MEANING = 0.85
NEAR_MEANING = 0.55
"""Cosine of the embeddings of statement and sentence."""
MIN_PART = 4
"""Words that a clause needs to be looked for on its own."""
WEIGHT = {"word": 1.0, "name": 1.5, "number": 1.0}
_EMBEDS_CLAIM = re.compile(
    r"\b(?:no|not|nobody|none|neither|nor|cannot|without|never|false|myth|wrong|doubt\w*|whether|if|unclear|unproven)\b[^,;:]*$", re.I
)

_DENIES_ALL = re.compile(
    r"(?:it is|it's|it was) (?:not (?:true|right|correct|the case)|untrue|false|wrong|incorrect|a myth) that ",
    re.I,
)
_TURNS_CLAIM = re.compile(r"[\s,]+(?:not|never|only|unless|if|until|nor|but not|less|no)\b")


@dataclass(frozen=True, slots=True)
class Check:
    """What the checker found. `score`, 0 to 1, is how well the passage supports the sentence."""

    verdict: Verdict
    score: float
    reasons: tuple[str, ...] = ()


def check(
    premise: str,
    hypothesis: str,
    *,
    embedder: Embedder | None = None,
    entailment: Entailment | None = None,
) -> Check:
    """Whether `premise` supports `hypothesis`. Deterministic without an `entailment` model."""
    premise, hypothesis = plain(premise), plain(hypothesis)
    if not re.search(r"\w", hypothesis):
        return Check("unsupported", 0.0, ("there is no statement to check",))
    if not re.search(r"\w", premise):
        return Check("unsupported", 0.0, ("the passage is empty",))
    if _is_quote(premise, hypothesis):
        return Check("supported", 1.0, ("word for word in the passage",))
    if len(hypothesis) > MAX_CLAIM or len(read(hypothesis).numbers) > MAX_FIGURES:
        return Check("unsupported", 0.0, ("the statement is too long to check",))
    denied = _DENIES_ALL.match(hypothesis)
    if denied and not _DENIES_ALL.search(premise):
        inner = check(premise, hypothesis[denied.end() :], embedder=embedder, entailment=entailment)
        return _turned(inner)
    result = _by_rules(premise[:MAX_PREMISE], hypothesis, embedder)
    if entailment is None or result.verdict == "contradicted":
        return result
    return _by_model(entailment.judge(premise[:MAX_PREMISE], hypothesis))


def _turned(inner: Check) -> Check:
    """The verdict on "it is not true that …", from that on what it denies."""
    if inner.verdict == "supported":
        return Check("contradicted", 0.0, ("the passage says what this denies",))
    if inner.verdict == "contradicted":
        return Check("partly", 0.5, ("the passage does not say what this denies",))
    return inner


def _is_quote(premise: str, hypothesis: str) -> bool:
    """Whether the words stand in the passage, and not inside "no evidence that …"."""
    words = hypothesis.strip(" .\"'").casefold()
    folded = premise.casefold()
    at = folded.find(words)
    if not words or at < 0:
        return False
    end = at + len(words)
    cut = (at and folded[at - 1].isalnum()) or (end < len(folded) and folded[end].isalnum())
    before = re.split(r"(?<=[.!?])\s", folded[max(0, at - 300) : at])[-1]
    turned = _TURNS_CLAIM.match(folded[end : end + 20])
    return not cut and not turned and not _EMBEDS_CLAIM.search(before)


def _by_model(odds: tuple[float, float, float]) -> Check:
    supports, neutral, contradicts = odds
    score = min(1.0, max(0.0, supports))
    if contradicts >= max(supports, neutral):
        return Check("contradicted", score, ("the entailment model finds a contradiction",))
    if supports >= max(neutral, 0.5):
        return Check("supported", score, ("the entailment model finds support",))
    verdict: Verdict = "partly" if supports >= 0.25 else "unsupported"
    return Check(verdict, score, ("the entailment model finds no full support",))


def _by_rules(premise: str, hypothesis: str, embedder: Embedder | None) -> Check:
    claim = read(hypothesis)
    found = [read(s) for s in dict.fromkeys(sentences(premise))]
    everything = _Content.of(found)
    found = _nearest(claim, found)
    checks = [_part(part, claim, found, everything) for part in parts(claim)]
    result = _together(checks, claim, found, everything)
    if embedder is None or not result.open:
        return result.check
    return _by_meaning(result.check, hypothesis, claim, found, embedder)


def _nearest(claim: Claim, found: list[Claim]) -> list[Claim]:
    """The sentences that share most words with the claim, in their order."""
    if len(found) <= MAX_SENTENCES:
        return found
    shared = [len(claim.content & f.content) + len(set(claim.numbers) & set(f.numbers)) for f in found]
    best = sorted(range(len(found)), key=lambda i: (-shared[i], i))[:MAX_SENTENCES]
    return [found[i] for i in sorted(best)]


@dataclass(frozen=True, slots=True)
class _Content:
    """The keys of one or several sentences, and pairs of their words run together."""

    keys: frozenset[str]
    joined: frozenset[str]
    numbers: tuple[Number, ...]
    roots: Mapping[str, tuple[str, ...]]
    """The keys by their first letters."""

    @classmethod
    def of(cls, claims: Iterable[Claim]) -> _Content:
        keys: set[str] = set()
        joined: set[str] = set()
        numbers: list[Number] = []
        for claim in claims:
            keys |= claim.content
            joined |= {
                stem(a.text + b.text) for a, b in pairwise(claim.words) if a.text.isalpha() and b.text.isalpha()
            }
            numbers += claim.numbers
        roots: dict[str, tuple[str, ...]] = {}
        for key in sorted(k for k in keys if len(k) >= ROOT):
            roots[key[:ROOT]] = (*roots.get(key[:ROOT], ()), key)
        different = {(n.low, n.high, n.dimension, n.unit, n.per, n.qualifier): n for n in numbers}
        return cls(frozenset(keys), frozenset(joined), tuple(different.values()), roots)

    def has(self, word: Word) -> bool:
        key = word.key
        if key in self.keys or key in self.joined or BROADER.get(key, frozenset()) & self.keys:
            return True
        return word.kind == "word" and any(_same_root(key, k) for k in self.roots.get(key[:ROOT], ()))


def _same_root(a: str, b: str) -> bool:
    """Whether two stems share most of their letters: tight, tightness."""
    longest = max(len(a), len(b))
    shared = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return min(len(a), len(b)) >= 0.75 * longest and shared >= max(ROOT, 0.7 * longest)


@dataclass(frozen=True, slots=True)
class _Found:
    """A check, and whether words alone decided it: only then may meaning change it."""

    check: Check
    open: bool
    coverage: float
    weight: float


def parts(claim: Claim) -> list[Claim]:
    """The claim's clauses, each with enough words to look for on its own."""
    groups: list[list[int]] = []
    last = None
    for i, word in enumerate(claim.words):
        if word.clause != last and (not groups or _substance(claim, groups[-1]) >= MIN_PART):
            groups.append([])
        last = word.clause
        groups[-1].append(i)
    if len(groups) > 1 and _substance(claim, groups[-1]) < MIN_PART:
        tail = groups.pop()
        groups[-1] += tail
    return [_cut(claim, g[0], g[-1] + 1) for g in groups]


def _substance(claim: Claim, at: list[int]) -> int:
    return sum(claim.words[i].kind not in ("stop", "mark") for i in at)


def _cut(claim: Claim, start: int, end: int) -> Claim:
    words = claim.words[start:end]
    numbers = tuple(replace(n, at=n.at - start) for n in claim.numbers if start <= n.at < end)
    return Claim(claim.text, words, numbers, content_of(words))


def _part(part: Claim, claim: Claim, found: list[Claim], everything: _Content) -> _Found:
    """One clause against the sentence that is nearest to it."""
    single = [_Content.of([f]) for f in found]
    near = [coverage(part, s) for s in single]
    whole = [coverage(claim, s) for s in single]
    ranked = sorted(range(len(found)), key=lambda i: (-(near[i] + 0.3 * whole[i]), i))
    tied = [i for i in ranked[:3] if near[i] >= near[ranked[0]] - 0.05]
    directed = [_directs(part) <= _directs(found[i]) for i in tied]
    told = [list(_told(part, found[i], near[i] >= CLOSE_AT, everything)) for i in tied]
    best = min(range(len(tied)), key=lambda n: (not directed[n], bool(told[n]), n))
    at = tied[best]
    covered = 0.6 * near[at] + 0.4 * coverage(part, everything)
    weight = sum(map(_weight, _carriers(part))) or 0.1
    check = _judged(part, found[at], single[at], covered, everything, told[best])
    return _Found(check, check.reasons[0].startswith("not in"), covered, weight)


def _told(part: Claim, near: Claim, close: bool, everything: _Content) -> Iterator[str]:
    """Conflicts with the sentence.

    A figure of another sentence is none where the two are not close, or share another figure but
    not all words: a claim may gather figures from several.
    """
    others = tuple(n for n in everything.numbers if n not in near.numbers)
    elsewhere = tuple(
        n
        for n in part.numbers
        if not any(same_number(n, m) for m in near.numbers) and any(same_number(n, m) for m in others)
    )
    words = coverage(replace(part, numbers=()), _Content.of([near]))
    gathered = words < 0.95 and any(same_number(n, m) for n in part.numbers for m in near.numbers)
    if not close or gathered:
        part = replace(part, numbers=tuple(n for n in part.numbers if n not in elsewhere))
    yield from conflicts(part, near, close=close, passage=everything.keys)


def _directs(claim: Claim) -> bool:
    """Whether it says more, less, the same or not: a sentence that does not cannot bear it out."""
    return bool(claim.of_kind("neg", *AXES))


def _judged(
    part: Claim, near: Claim, content: _Content, covered: float, everything: _Content, told: list[str]
) -> Check:
    if told and covered >= CONTRADICTED_AT:
        return Check("contradicted", round(0.1 * covered, 4), tuple(told))
    missing = list(_missing(part, everything))
    if missing:
        return Check("unsupported", round(0.4 * covered, 4), tuple(missing))
    if told or covered < PARTLY_AT:
        absent = ", ".join(_absent(part, everything)[:4]) or "the link between its parts"
        return Check("unsupported", round(0.5 * covered, 4), (f"not in the passage: {absent}",))
    inflated = _inflated(part, near)
    if inflated:
        return Check("partly", round(0.7 * covered, 4), (inflated,))
    foreign = _foreign(part, near, content, everything)
    if foreign:
        return Check("partly", round(0.8 * covered, 4), (foreign,))
    if covered < SUPPORTED_AT:
        absent = ", ".join(_absent(part, everything)[:4]) or "the link between its parts"
        return Check("partly", round(covered, 4), (f"not in the passage: {absent}",))
    return Check("supported", round(min(covered, 0.99), 4), ("the passage says the same",))


_SEVERITY: tuple[Verdict, ...] = ("contradicted", "unsupported", "partly", "supported")


def _together(
    checks: list[_Found], claim: Claim, found: list[Claim], everything: _Content
) -> _Found:
    """The clauses' verdicts as one: the worst, but partly where one of two has no support."""
    worst = min(checks, key=lambda f: _SEVERITY.index(f.check.verdict))
    total = sum(f.weight for f in checks)
    covered = sum(f.weight * f.coverage for f in checks) / total
    reasons = tuple(dict.fromkeys(r for f in checks for r in f.check.reasons if f.check.verdict == worst.check.verdict))
    verdict = worst.check.verdict
    some = any(f.check.verdict in ("supported", "partly") for f in checks)
    if verdict == "unsupported" and some:
        verdict = "partly"
    if len(checks) > 1 and verdict == "partly" and worst.open and covered >= SUPPORTED_AT:
        verdict, reasons = "supported", ("the passage says the same",)
    score = worst.check.score if len(checks) == 1 or verdict in ("contradicted", "unsupported") else covered
    return _Found(Check(verdict, round(min(score, 0.99), 4), reasons), worst.open, covered, total)


def _by_meaning(
    check: Check, hypothesis: str, claim: Claim, found: list[Claim], embedder: Embedder
) -> Check:
    """Where only words differ: how near in meaning the statement is to what the passage says."""
    if check.verdict == "supported":
        return check
    score = [coverage(claim, _Content.of([f])) for f in found]
    best = sorted(sorted(range(len(found)), key=lambda i: (-score[i], i))[:4])
    texts = [found[i].text for i in best]
    vectors = embedder.embed([hypothesis, *texts, *([" ".join(texts)] if len(texts) > 1 else [])])
    alike = float((vectors[1:] @ vectors[0]).max())
    if alike >= SAME_MEANING and check.score >= 0.5:
        return Check("supported", round(alike, 4), ("same meaning as a sentence of the passage",))
    if check.verdict == "unsupported" and alike >= NEAR_MEANING:
        return Check("partly", round(0.6 * alike, 4), ("near in meaning; " + check.reasons[0],))
    return check


def coverage(claim: Claim, content: _Content) -> float:
    """Share of the claim's words and figures that the content has, 0 to 1."""
    total = have = 0.0
    for word in _carriers(claim):
        weight = _weight(word)
        total += weight
        have += weight * content.has(word)
    for number in claim.numbers:
        total += 1
        have += any(same_number(number, n) for n in content.numbers)
    return have / total if total else 0.0


def _weight(word: Word) -> float:
    if word.light:
        return 0.3
    return WEIGHT.get(word.kind, 1.3)


def _carriers(claim: Claim) -> list[Word]:
    return [w for w in claim.words if w.kind not in _NO_CARRIERS]


_NO_CARRIERS = ("stop", "mark", "number", "neg", "hedge", "boost", "all", "some", "most", "degree", "cause", "linked", *AXES)


def _absent(claim: Claim, content: _Content) -> list[str]:
    return list(dict.fromkeys(w.text for w in _carriers(claim) if not content.has(w)))


def _foreign(part: Claim, near: Claim, content: _Content, everything: _Content) -> str:
    """A word of the claim that stands where the passage has another, or several it never had."""
    theirs = [w for w in _carriers(near) if not w.light]
    ours = [w for w in _carriers(part) if not w.light]
    kept = {w.key for w in ours if content.has(w)}
    run = 0
    for n, word in enumerate(ours):
        if everything.has(word):
            run = 0
            continue
        run += 1
        if run >= 2:
            return f"not said in the passage: {word.text}"
        before, after = ours[max(0, n - 1) : n], ours[n + 1 : n + 2]
        for at, other in enumerate(theirs):
            if other.key in {w.key for w in ours}:
                continue
            left = bool(before) and before[0].key in kept & {w.key for w in theirs[max(0, at - 1) : at]}
            right = bool(after) and after[0].key in kept & {w.key for w in theirs[at + 1 : at + 2]}
            verbatim = len(ours) < 4 or len(kept) >= 0.8 * len(ours)
            if (left and right) or ((left or right) and verbatim):
                return f"the passage says {other.text!r} where this says {word.text!r}"
    return ""


def _missing(claim: Claim, everything: _Content) -> Iterator[str]:
    """What the claim states and no sentence of the passage does."""
    for number in claim.numbers:
        if not any(same_number(number, n) for n in everything.numbers):
            yield f"the number {number.text} is not in the passage"
    for kind in ("sex", "training", "age", "health", "outcome", "joint"):
        for _, word in claim.of_kind(kind):
            if not everything.has(word):
                yield f"{word.text!r} is not in the passage"


def _inflated(claim: Claim, near: Claim) -> str:
    """Why the claim is more certain or wider than the passage; empty where it is not."""

    def has(text: Claim, *kinds: str) -> bool:
        return bool(text.of_kind(*kinds))

    denies = len(claim.of_kind("neg")) > len(near.of_kind("neg"))
    if _hedged(near, claim) and not has(claim, "hedge") and not denies:
        return "the passage is less certain than this"
    if has(claim, "boost") and not has(near, "boost"):
        return "the passage is less certain than this"
    if has(claim, "cause") and has(near, "linked") and not has(near, "cause"):
        return "the passage is less sure of a cause than this"
    if has(claim, "all") and has(near, "some", "most", "only") and not has(near, "all"):
        return "the passage is less general than this"
    return ""


def _hedged(near: Claim, claim: Claim) -> bool:
    """Whether the clause of the passage that says the same is a hedged one."""
    return any(
        {x.key for x in near.words if x.clause == w.clause and x.kind not in _NO_CARRIERS} & claim.content
        for _, w in near.of_kind("hedge")
    )


def verify_lines(
    lines: Iterable[str], check_pair: Callable[[str, str], Check]
) -> Iterator[dict[str, object]]:
    """One verdict a JSON line, in order; a line that cannot be read has its error in its place.

    When all are done, `QuestionError` names the lines that could not be.
    """
    bad: list[str] = []
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = _pair(line, at)
        except QuestionError as error:
            bad.append(str(error))
            yield {"id": None, "error": {"code": "bad_line", "message": str(error)}}
            continue
        done = check_pair(item["premise"], item["hypothesis"])
        yield {"id": item["id"], "verdict": done.verdict, "score": done.score,
               "reasons": list(done.reasons)}
    if bad:
        more = f" (and {len(bad) - 1} more lines)" if len(bad) > 1 else ""
        raise QuestionError(bad[0] + more)


def _pair(line: str, at: int) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise QuestionError(f"line {at} is not JSON ({error}); write one object a line") from error
    fields = [item.get(k) for k in ("premise", "hypothesis")] if isinstance(item, dict) else []
    if len(fields) != 2 or not all(isinstance(f, str) for f in fields) or "id" not in item:
        raise QuestionError(f'line {at} needs "id" and the texts "premise" and "hypothesis"')
    return dict(item)
