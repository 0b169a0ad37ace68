"""Fits `rag/safety_weights.json`, the recogniser of warning signs: `python -m tests.fit_safety`.

Reads the question files that may be tuned on (`FILES`) and how people ask for the corpus's sections, fits with scikit-learn (which
sentence-transformers brings), and writes the weights with a digest of what they were fitted on.
`--check` also cross-validates, without one author's phrasings at a time and ten-fold, and prints
recall and false alarms of rules and recogniser together for several thresholds.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy import sparse

from rag.recognising import WEIGHTS, Weights, features, likeness, stems_of_rule, weights_of
from rag.safety import UNSURE, by_rule, carried_on, folded
from rag.types import Question, Turn

FOLDER = Path(__file__).parent / "questions"
FILES = (
    *("safety-examples", "dev", "paraphrases", "refused", "caution", "plain"),
    *("tuning-a", "tuning-b", "tuning-c", "tuning-d", "tuning-e", "tuning-f", "talks", "talks-b"),
    *(f"{kind}{number}" for kind in ("warning-signs", "ordinary") for number in ("", "-2", "-3", "-4")),
)
ASKED = Path(__file__).parents[1] / "corpus" / "asked"
NONE = "none"
EARLIER = "earlier turn"
"""`rule` of a message whose sign stands in the turn before."""

THRESHOLD = -0.3
"""Score from which a message is referred: rules and recogniser together then find 98.9 % of the signs
and refer 1.4 % of the `ORDINARY` questions, ten-fold cross-validated. Made-up near misses (voice-2 to
voice-6) fare worse."""

AUTHORS = ("voice-1", "voice-2", "voice-3", "voice-4", "voice-5", "voice-6")
"""Those who wrote signs and near misses without having seen the rules."""

ORDINARY = ("ordinary", "voice-1", "questions")
"""Beginnings of the names of the sets whose false alarms the threshold is chosen by."""

SEEN = 3
"""Examples that a feature must occur in."""

SEEN_IN_SIGNS = 4
"""Warning signs that a word must occur in to help name the rule."""


@dataclass(frozen=True, slots=True)
class Example:
    """One phrasing. `rule` is the one that fits it, or `NONE`; `voice` says who wrote it."""

    question: Question
    rule: str
    voice: str

    @property
    def texts(self) -> tuple[str, str]:
        """The folded message, and the folded turn that it carries on from."""
        message = folded(self.question.text)
        return message, carried_on(self.question, message)


def examples() -> list[Example]:
    """Every example, in the order of the files; those whose safety is not settled left out.

    So is a follow-up whose sign was said in an earlier turn: its own words are no sign.
    """
    found = []
    for name in FILES:
        for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if row.get("safety") != "any" and row.get("rule") != EARLIER:
                found.append(_example(row, name))
                found += _said_before(found[-1])
    return found + asked()


def asked() -> list[Example]:
    """What people ask of the corpus: ordinary, save where a section is about warning signs.

    The questions that it does not cover are ordinary too.
    """
    groups = [
        phrasings
        for path in sorted((ASKED / "articles").glob("*.yaml"))
        for phrasings in yaml.safe_load(path.read_text("utf-8")).values()
    ]
    uncovered = yaml.safe_load((ASKED / "not-covered.yaml").read_text("utf-8"))
    groups += [[q] for questions in uncovered.values() for q in questions]
    questions = [[Question(p) for p in phrasings] for phrasings in groups]
    ordinary = [group for group in questions if not any(map(by_rule, group))]
    return [Example(q, NONE, ASKED.name) for group in ordinary for q in group]


def _example(row: dict[str, Any], name: str) -> Example:
    history = tuple(Turn(t["role"], t["content"]) for t in row.get("history", ()))
    question = Question(row["question"], history)
    rule = row.get("rule", NONE)
    if row.get("safety") == "see_a_clinician" and rule == NONE:
        fired = by_rule(question)
        if fired is None:
            raise SystemExit(f"{row['id']}: say which rule this warning sign belongs to")
        rule = fired.rule
    return Example(question, rule, row.get("voice", name))


def _said_before(example: Example) -> list[Example]:
    """The turns before an ordinary message, which are ordinary too, save those that a rule refers."""
    history = example.question.history
    if example.rule != NONE:
        return []
    said = [
        Question(turn.content, history[:at]) for at, turn in enumerate(history) if turn.role == "user"
    ]
    return [Example(q, NONE, example.voice) for q in said if by_rule(q) is None]


def digest(data: Sequence[Example]) -> str:
    """What the weights belong to: changes with the words, turns or rule of any example of the files.

    How people ask is left out: a line added there by the blog's owner asks for no fit.
    """
    rows = [
        [e.question.text, [[t.role, t.content] for t in e.question.history], e.rule]
        for e in data
        if e.voice != ASKED.name
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def fitted(data: Sequence[Example], texts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The weights as they are written, without the digest."""
    from sklearn.svm import LinearSVC

    counts = [features(*pair) for pair in texts]
    signs = np.array([e.rule != NONE for e in data])
    names, held = _matrix([dict(c) for c in counts], SEEN)
    held.data = 1 + np.log(held.data)
    seen = np.asarray((held > 0).sum(axis=0)).ravel()
    rarity = 1 + np.log((1 + len(data)) / (1 + seen))
    model = LinearSVC(C=2.0, random_state=0, max_iter=5000)
    model.fit(_scaled(held @ sparse.diags(rarity)), signs)
    weights: dict[str, dict[str, int]] = {}
    for name, times, weight in zip(names, seen, model.coef_[0], strict=True):
        weights.setdefault(str(times), {})[name] = round(100 * float(weight))
    return {
        "examples": len(data),
        "intercept": round(float(model.intercept_[0]), 4),
        "threshold": THRESHOLD,
        "signs": {t: weights[t] for t in sorted(weights, key=int)},
        **_fitted_rules([(e.rule, t) for e, t in zip(data, texts, strict=True) if e.rule not in (NONE, UNSURE)]),
    }


def _fitted_rules(named: Sequence[tuple[str, tuple[str, str]]]) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    rules, texts = zip(*named, strict=True)
    names, held = _matrix([dict.fromkeys(stems_of_rule(*pair), 1) for pair in texts], SEEN_IN_SIGNS)
    model = LogisticRegression(C=20.0, max_iter=500).fit(_scaled(held), rules)
    return {
        "rules": [str(c) for c in model.classes_],
        "rule_intercepts": [round(float(i), 3) for i in model.intercept_],
        "rule_weights": {
            name: [round(100 * float(w)) for w in column]
            for name, column in zip(names, model.coef_.T, strict=True)
        },
    }


def _matrix(rows: Sequence[dict[str, int]], seen: int) -> tuple[list[str], Any]:
    """Names and columns of the features that occur in at least `seen` rows."""
    from sklearn.feature_extraction import DictVectorizer

    maker = DictVectorizer()
    held = maker.fit_transform(rows).tocsr()
    often = np.asarray((held > 0).sum(axis=0)).ravel() >= seen
    return [n for n, kept in zip(maker.feature_names_, often, strict=True) if kept], held[:, often]


def _scaled(held: Any) -> Any:
    from sklearn.preprocessing import normalize

    return normalize(held)


def check(data: Sequence[Example], texts: Sequence[tuple[str, str]]) -> None:
    """Prints recall and false alarms on examples that the weights were not fitted on."""
    voices = np.array([e.voice for e in data])
    signs = np.array([e.rule != NONE for e in data])
    fired = np.array([by_rule(e.question) is not None for e in data])
    left_out = [(voice, voices == voice) for voice in AUTHORS]
    scores, named = _held_out(data, texts, fired, [own for _, own in left_out])
    _rates("caught / false alarms, without the author's own", fired, signs, scores, left_out)
    for share in (0.3, 0.4, 0.5, 0.6):
        sure = [right for s, right in named if s >= share]
        print(f"named at {share}: {len(sure) / len(named):.2f}, rightly {np.mean(sure):.3f}")
    folds = np.random.RandomState(1).randint(0, 10, len(data))
    scores, _ = _held_out(data, texts, fired, [folds == n for n in range(10)])
    ordinary = np.array([v.startswith(ORDINARY) for v in voices]) & ~signs
    sets = [(v, voices == v) for v in AUTHORS]
    sets += [("ordinary", ordinary | (signs & (voices != "own"))), ("all", voices != "")]
    _rates("caught / false alarms, ten-fold", fired, signs, scores, sets)
    _worst(data, scores, signs, fired)


def _held_out(
    data: Sequence[Example], texts: Sequence[tuple[str, str]], fired: Any, parts: Sequence[Any]
) -> tuple[Any, list[tuple[float, bool]]]:
    """Scores of each part under weights fitted on the rest; how sure and right the naming was."""
    scores = np.full(len(data), np.nan)
    named: list[tuple[float, bool]] = []
    for part in parts:
        kept = np.flatnonzero(~part)
        weights = weights_of({"digest": "", **fitted([data[i] for i in kept], [texts[i] for i in kept])})
        for i in np.flatnonzero(part):
            scores[i] = likeness(weights, *texts[i])
            if data[i].rule != NONE and not fired[i]:
                named.append(_named(weights, texts[i], data[i].rule))
    return scores, named


def _rates(title: str, fired: Any, signs: Any, scores: Any, sets: Sequence[tuple[str, Any]]) -> None:
    print(title)
    for threshold in (-0.35, -0.3, -0.25, -0.2, -0.15, -0.1, 0.0):
        told = fired | (scores >= threshold)
        parts = [f"{n} {told[s & signs].mean():.3f} / {told[s & ~signs].mean():.3f}" for n, s in sets]
        print(f"{threshold:5.2f}   " + "   ".join(parts))


def _named(weights: Weights, texts: tuple[str, str], rule: str) -> tuple[float, bool]:
    from rag.recognising import rule_shares

    shares = rule_shares(weights, *texts)
    best = int(np.argmax(shares))
    return shares[best], weights.rules[best] == rule


def _worst(data: Sequence[Example], scores: Any, signs: Any, fired: Any) -> None:
    order = [i for i in np.argsort(scores) if not np.isnan(scores[i]) and not fired[i]]
    print("missed, the worst first:")
    for i in [i for i in order if signs[i]][:15]:
        print(f"  {scores[i]:.2f} {data[i].rule}: {data[i].question.text[:110]}")
    print("false alarms, the worst first:")
    for i in [i for i in order[::-1] if not signs[i]][:15]:
        print(f"  {scores[i]:.2f} {data[i].question.text[:110]}")


def main(arguments: Sequence[str]) -> None:
    data = examples()
    texts = [e.texts for e in data]
    if "--check" in arguments:
        check(data, texts)
    written = {"digest": digest(data), **fitted(data, texts)}
    WEIGHTS.write_text(json.dumps(written, indent=0, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(data)} examples, {sum(e.rule != NONE for e in data)} of them warning signs")


if __name__ == "__main__":
    main(sys.argv[1:])
