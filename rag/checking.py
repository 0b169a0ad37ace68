"""Does a passage support a sentence? A verdict with its reasons, without any model.

Each sentence of the passage is compared with the claim: shared words, every number with its unit,
direction, order of a comparison, negation, population, certainty. A hard difference in the
best-matching sentence is a contradiction; words that the passage lacks make a claim partly
supported or unsupported. An `Entailment` model, where given, decides what no rule refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rag.claim_words import BROADER, EXCLUSIVE
from rag.claims import Claim, Number, Word, antonyms, plain, read, sentences
from rag.errors import QuestionError
from rag.types import Embedder, Entailment, Verdict

SUPPORTED_AT = 0.75
"""Share of the claim's words that the passage must have."""
PARTLY_AT = 0.5
MAX_CLAIM = 4_000
MAX_PREMISE = 60_000
WEIGHT = {"word": 1.0, "name": 1.5, "number": 1.0}
_EMBEDS_CLAIM = re.compile(
    r"\b(?:no|not|never|false|myth|wrong|doubt\w*|whether|if|unclear|unproven)\b[^,;:]*$", re.I
)
_AXES = ("up", "down", "same")


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
    if len(hypothesis) > MAX_CLAIM:
        return Check("unsupported", 0.0, ("the statement is too long to check",))
    result = _by_rules(premise[:MAX_PREMISE], hypothesis, embedder)
    if entailment is None or result.verdict == "contradicted":
        return result
    return _by_model(entailment.judge(premise[:MAX_PREMISE], hypothesis))


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
    return not cut and not _EMBEDS_CLAIM.search(before)


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
    found = [read(s) for s in sentences(premise)]
    everything = frozenset().union(*(f.content for f in found))
    ranked = sorted(range(len(found)), key=lambda i: (-_coverage(claim, found[i].content), i))
    checks = [_against(claim, found[i], found, everything) for i in ranked[:3]]
    best = next((c for c in checks if c.verdict == "supported"), checks[0])
    if embedder is None or best.verdict != "partly":
        return best
    vectors = embedder.embed([hypothesis, found[ranked[0]].text])
    alike = float(vectors[0] @ vectors[1])
    if alike >= 0.85 and best.score >= 0.6 and not best.reasons[0].startswith("the passage is less"):
        return Check("supported", alike, ("same meaning as a sentence of the passage",))
    return best


def _against(claim: Claim, near: Claim, found: list[Claim], everything: frozenset[str]) -> Check:
    """The claim against its nearest sentence, with the others to fill in what that leaves out."""
    conflicts = [*_conflicts(claim, near)]
    missing = list(_missing(claim, near, found, everything, conflicts))
    covered = 0.7 * _coverage(claim, near.content) + 0.3 * _coverage(claim, everything)
    if conflicts and covered >= 0.3:
        return Check("contradicted", round(0.1 * covered, 4), tuple(conflicts))
    if covered < PARTLY_AT:
        absent = ", ".join(_absent(claim, everything)[:4])
        return Check("unsupported", round(0.5 * covered, 4), (f"not in the passage: {absent}",))
    if missing:
        return Check("unsupported", round(0.4 * covered, 4), tuple(missing))
    inflated = _inflated(claim, near)
    if inflated:
        return Check("partly", round(0.7 * covered, 4), (inflated,))
    if covered < SUPPORTED_AT:
        absent = ", ".join(_absent(claim, everything)[:4]) or "the link between its parts"
        return Check("partly", round(covered, 4), (f"not in the passage: {absent}",))
    return Check("supported", round(min(covered, 0.99), 4), ("the passage says the same",))


def _coverage(claim: Claim, content: frozenset[str]) -> float:
    total = have = 0.0
    for word in _carriers(claim):
        weight = WEIGHT.get(word.kind, 1.3)
        total += weight
        have += weight * (word.key in content or bool(BROADER.get(word.key, frozenset()) & content))
    return have / total if total else 0.0


def _carriers(claim: Claim) -> list[Word]:
    skip = ("stop", "mark", "number", "neg", "hedge", "boost", "all", "some", "most", "same")
    return [w for w in claim.words if w.kind not in skip]


def _absent(claim: Claim, content: frozenset[str]) -> list[str]:
    return list(dict.fromkeys(w.text for w in _carriers(claim) if w.key not in content))


def _conflicts(claim: Claim, near: Claim) -> Iterator[str]:
    """Plain phrases for what the nearest sentence says otherwise."""
    yield from _number_conflicts(claim, near)
    yield from _swaps(claim, near)
    yield from _direction_conflicts(claim, near)
    yield from _negation_conflicts(claim, near)
    for word in claim.words:
        opposite = antonyms().get(word.key, frozenset()) & near.content
        if opposite and word.key not in near.content and not _turned(word, near, opposite):
            yield f"the passage says the opposite of {word.text!r}"


def _turned(word: Word, near: Claim, opposite: frozenset[str]) -> bool:
    return any(w.key in opposite and w.negated != word.negated for w in near.words)


def _number_conflicts(claim: Claim, near: Claim) -> Iterator[str]:
    for number in claim.numbers:
        if any(_same_number(number, other) for other in near.numbers):
            continue
        rivals = [
            n
            for n in near.numbers
            if (n.dimension == number.dimension)
            or (n.low, n.high) == (number.low, number.high)
            or n.text == number.text
        ]
        if rivals:
            shown = f"{number.text} {number.unit}".strip()
            yield f"the number {shown} is not what the passage says"


def _same_number(a: Number, b: Number) -> bool:
    if a.dimension and b.dimension and a.dimension != b.dimension:
        return False
    if a.per and b.per and a.per != b.per:
        return False
    if {a.qualifier, b.qualifier} == {"ge", "le"}:
        return False
    slack = 0.06 if "eq" in (a.qualifier, b.qualifier) else 0.0
    if a.unit.rstrip("s") != b.unit.rstrip("s") and a.factor != b.factor:
        slack = max(slack, 0.1 if a.dimension == "time" else 0.02)
    if _near(a.low, b.low, slack) and _near(a.high, b.high, slack):
        return True
    if a.low == a.high and b.low == b.high and _rounds(b.low / b.factor, a.low / a.factor):
        return a.factor == b.factor
    return (a.qualifier == "ge" and b.low >= a.low) or (a.qualifier == "le" and b.high <= a.high)


def _near(a: float, b: float, slack: float) -> bool:
    return abs(a - b) <= max(1e-9, slack) * max(abs(a), abs(b), 1e-9)


def _rounds(exact: float, said: float) -> bool:
    """Whether a whole number is the rounding of a figure with decimals."""
    return float(said).is_integer() and not float(exact).is_integer() and round(exact) == said


def _swaps(claim: Claim, near: Claim) -> Iterator[str]:
    for kind in EXCLUSIVE:
        said = {w.key for _, w in claim.of_kind(kind)}
        there = {w.key for _, w in near.of_kind(kind)}
        for key in sorted(said - there):
            if there and not _stands_for(key, there) and not (there <= said):
                yield f"the passage speaks of {', '.join(sorted(there))}, not of {key}"


def _stands_for(key: str, there: set[str]) -> bool:
    return bool(BROADER.get(key, frozenset()) & there)


def _axis(word: Word) -> str:
    if word.key == "different":
        return "" if word.negated else "different"
    if word.negated and word.kind in ("up", "down"):
        return "same"
    return word.kind


def _direction_conflicts(claim: Claim, near: Claim) -> Iterator[str]:
    said = [(i, w, _axis(w)) for i, w in claim.of_kind(*_AXES)]
    there = [(i, w, _axis(w)) for i, w in near.of_kind(*_AXES)]
    if not said or not there:
        return
    swapped = _order_swapped(claim, near)
    for i, word, axis in said:
        rival = max(there, key=lambda t: (_shared(claim, i, near, t[0]), t[2] == axis))
        want = {"up": "down", "down": "up"}.get(axis, axis) if swapped else axis
        if rival[2] != want and {rival[2], want} != {"different", "up"} | set():
            if {rival[2], want} & {"different"} and {rival[2], want} & {"up", "down"}:
                continue
            yield f"the passage says {rival[1].text!r}, not {word.text!r}"
            return


def _shared(a: Claim, i: int, b: Claim, j: int) -> int:
    return len(_around(a, i) & _around(b, j))


def _around(claim: Claim, at: int) -> set[str]:
    """Keys of the content words near a place, in its clause."""
    near = claim.words[max(0, at - 6) : at + 7]
    return {
        w.key
        for w in near
        if w.clause == claim.words[at].clause and w.kind not in ("stop", "mark", "neg", *_AXES)
    }


def _order_swapped(claim: Claim, near: Claim) -> bool:
    """Whether the two sides of "A more than B" changed places."""
    ours, theirs = _sides(claim), _sides(near)
    if ours is None or theirs is None:
        return False
    first, second = theirs[0] - theirs[1], theirs[1] - theirs[0]
    left, right = ours[0] - ours[1], ours[1] - ours[0]
    return bool(second & left or first & right) and not (first & left and second & right) and (
        len(second & left) + len(first & right) > len(second & right) + (len(first & left) > 1)
    )


def _sides(claim: Claim) -> tuple[set[str], set[str]] | None:
    """Keys left and right of "than" (or of what stands for it)."""
    for i, word in enumerate(claim.words):
        after = claim.words[i + 1].text if i + 1 < len(claim.words) else ""
        against = word.text in ("compared", "relative") and after in ("with", "to")
        if word.text in ("than", "above", "below", "versus", "vs", "outperform", "beat") or against:
            right: set[str] = set()
            for other in claim.words[i + 1 :]:
                if other.kind == "mark" or (right and other.text in ("over", "after", "during")):
                    break
                if other.kind not in ("stop", "neg", *_AXES):
                    right.add(other.key)
            left = {w.key for w in claim.words[:i] if w.kind not in ("stop", "mark", *_AXES)}
            return left, right
    return None


def _negation_conflicts(claim: Claim, near: Claim) -> Iterator[str]:
    for ours, theirs, text in ((claim, near, "denies"), (near, claim, "does not deny")):
        scope = {w.key for w in theirs.words if w.negated and w.kind not in ("stop", "number")}
        scope -= {"up", "down", "same", "different"}
        same = [w for w in ours.words if w.key in scope]
        if same and not any(w.negated for w in same) and 2 * len({w.key for w in same}) > len(scope):
            yield f"the passage {text} this: {same[0].text!r}"
            return


def _missing(
    claim: Claim, near: Claim, found: list[Claim], everything: frozenset[str], known: list[str]
) -> Iterator[str]:
    """What the claim states and no sentence of the passage does."""
    for number in claim.numbers:
        if not known and not any(_same_number(number, n) for f in found for n in f.numbers):
            yield f"the number {number.text} is not in the passage"
    for kind in ("sex", "training", "age", "health", "outcome"):
        for _, word in claim.of_kind(kind):
            if word.key not in everything:
                yield f"{word.text!r} is not in the passage"
    if claim.of_kind("up", "down", "same") and not near.of_kind(*_AXES):
        if re.search(r"\bthan\b", claim.text):
            yield "the passage makes no such comparison"


def _inflated(claim: Claim, near: Claim) -> str:
    """Why the claim is more certain or wider than the passage; empty where it is not."""

    def has(text: Claim, *kinds: str) -> bool:
        return bool(text.of_kind(*kinds))

    if has(near, "hedge") and not has(claim, "hedge") and not has(claim, "neg"):
        return "the passage is less certain than this"
    if has(claim, "boost") and not has(near, "boost"):
        return "the passage is less certain than this"
    if has(claim, "cause") and has(near, "linked") and not has(near, "cause"):
        return "the passage is less sure of a cause than this"
    if has(claim, "all") and has(near, "some", "most") and not has(near, "all"):
        return "the passage is less general than this"
    return ""


def verify_lines(
    lines: Iterable[str], check_pair: Callable[[str, str], Check]
) -> Iterator[dict[str, object]]:
    """One verdict a JSON line, in order; `QuestionError` names the line that is none."""
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise QuestionError(f"line {at} is not JSON ({error}); write one object a line") from error
        fields = [item.get(k) for k in ("premise", "hypothesis")] if isinstance(item, dict) else []
        if len(fields) != 2 or not all(isinstance(f, str) for f in fields) or "id" not in item:
            raise QuestionError(
                f'line {at} needs "id" and the texts "premise" and "hypothesis"'
            )
        done = check_pair(str(fields[0]), str(fields[1]))
        yield {"id": item["id"], "verdict": done.verdict, "score": done.score,
               "reasons": list(done.reasons)}
