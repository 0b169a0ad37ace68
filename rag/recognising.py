"""Warning signs known by their likeness to examples, where no rule has the words for them. Pure.

A linear score over word n-grams and pairs of words, fitted by `python -m tests.fit_safety` on the
phrasings of `tests/questions`, which writes `safety_weights.json`. Serving reads that file and adds
up: no model, no index, no scikit-learn.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).with_name("safety_weights.json")

LONGEST = 3
"""Words of the longest n-gram."""

REACH = 4
"""Content words after a word that it is paired with, within one sentence."""

BURIED = 0.6
"""Weight of the most alarming part of a long message beside the whole."""

SHORTEST = 6
"""Words of the shortest part that is scored by itself."""

_TOKEN = re.compile(r"\w+|[.,]")
_PLAIN = frozenset(
    ["i", "im", "ive", "my", "me", "a", "an", "the", "and", "or", "of", "to", "in", "on", "at", "it", "is", "was", "be", "been", "so", "that", "this", "for", "with", "just", "some", "ani", "do", "doe", "did", "has", "have", "had", "can", "if", "as", "are", "am", "from", "up"]
)
"""Stems of words that no pair is made with."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A message that reads like a warning sign."""

    margin: float
    """How far its score lies above the threshold; never negative."""
    rule: str
    """The rule of `safety_rules.yaml` that it reads most like."""
    share: float
    """0 to 1: how sure it is that this rule, and no other, is the right one."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What was fitted. A feature has its rarity (idf) and its weight; a stem one weight a rule."""

    digest: str
    """Of the examples that they were fitted on."""
    intercept: float
    threshold: float
    signs: Mapping[str, tuple[float, float]]
    rules: tuple[str, ...]
    rule_intercepts: Sequence[float]
    rule_weights: Mapping[str, Sequence[float]]


def recognised(message: str, earlier: str = "") -> Recognised | None:
    """What a folded message reads like, or None where it reads like an ordinary question.

    `earlier` is what the person wrote in the turn before, folded; empty where nothing carries on.
    """
    weights = fitted_weights()
    margin = likeness(weights, message, earlier) - weights.threshold
    if margin < 0:
        return None
    shares = rule_shares(weights, message, earlier)
    best = max(range(len(shares)), key=shares.__getitem__)
    return Recognised(margin, weights.rules[best], shares[best])


def likeness(weights: Weights, message: str, earlier: str = "") -> float:
    """The score of the whole message, drawn towards that of its most alarming part.

    Somebody who asks about three other things may name the sign in half a sentence.
    """
    whole = _score(weights, features(message, earlier))
    parts = [_score(weights, features(part, earlier)) for part in _parts(message)]
    return (1 - BURIED) * whole + BURIED * max(parts) if parts else whole


def features(message: str, earlier: str = "") -> Counter[str]:
    """The n-grams and pairs of a folded message, and those of the turn before marked `h:`."""
    found = Counter(_grams(_stems(message), LONGEST, REACH))
    found.update(f"h:{gram}" for gram in _grams(_stems(earlier), 1, 2))
    return found


def stems_of_rule(message: str, earlier: str = "") -> list[str]:
    """The stems by which a rule is named, each once."""
    return sorted({s for s in (*_stems(message), *_stems(earlier)) if s not in ".,"})


def rule_shares(weights: Weights, message: str, earlier: str = "") -> list[float]:
    """How likely each rule is, given that the message is a warning sign; they add up to one."""
    stems = stems_of_rule(message, earlier)
    known = [weights.rule_weights[s] for s in stems if s in weights.rule_weights]
    length = math.sqrt(len(known)) or 1.0
    totals = list(weights.rule_intercepts)
    for row in known:
        totals = [t + w / length for t, w in zip(totals, row, strict=True)]
    powers = [math.exp(t - max(totals)) for t in totals]
    return [p / sum(powers) for p in powers]


def _score(weights: Weights, counts: Mapping[str, int]) -> float:
    """The linear score of features, scaled to length one after tf-idf."""
    known = [(n, *weights.signs[f]) for f, n in counts.items() if f in weights.signs]
    scaled = [((1 + math.log(n)) * rarity, weight) for n, rarity, weight in known]
    length = math.sqrt(sum(value * value for value, _ in scaled)) or 1.0
    return weights.intercept + sum(value * weight for value, weight in scaled) / length


def _parts(message: str) -> list[str]:
    """Each sentence and each two neighbours, where there are more than two; no mere scraps."""
    sentences = [s.strip() for s in message.split(" . ") if s.strip()]
    if len(sentences) < 3:
        return []
    pairs = [f"{a} . {b}" for a, b in pairwise(sentences)]
    return [part for part in (*sentences, *pairs) if len(part.split()) >= SHORTEST]


def _stems(folded: str) -> list[str]:
    """Stems and stops in order; a number is known by its digits only."""
    words = _TOKEN.findall(folded)
    stems: list[str] = _stemmer().stemWords(words)
    return [f"#{len(s)}" if s.isdigit() else s for s in stems]


def _grams(stems: Sequence[str], longest: int, reach: int) -> Iterator[str]:
    for size in range(1, longest + 1):
        for start in range(len(stems) - size + 1):
            gram = stems[start : start + size]
            if "." not in gram and "," not in gram:
                yield " ".join(gram)
    for sentence in " ".join(stems).split("."):
        words = [w for w in sentence.split() if w != "," and w not in _PLAIN]
        for at, word in enumerate(words):
            for other in words[at + 1 : at + 1 + reach]:
                yield "~".join(sorted((word, other)))


@cache
def fitted_weights() -> Weights:
    """The weights in use."""
    return weights_of(json.loads(WEIGHTS.read_text("utf-8")))


def weights_of(raw: Mapping[str, Any]) -> Weights:
    """Weights as `tests.fit_safety` writes them: whole hundredths, features by how often seen."""
    examples = raw["examples"]
    return Weights(
        digest=raw["digest"],
        intercept=raw["intercept"],
        threshold=raw["threshold"],
        signs={
            feature: (1 + math.log((1 + examples) / (1 + int(seen))), weight / 100)
            for seen, weights in raw["signs"].items()
            for feature, weight in weights.items()
        },
        rules=tuple(raw["rules"]),
        rule_intercepts=raw["rule_intercepts"],
        rule_weights={s: [w / 100 for w in row] for s, row in raw["rule_weights"].items()},
    )


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
