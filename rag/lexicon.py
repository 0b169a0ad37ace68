"""The words of the field: names people use for exercises, muscles and ideas, and their spelling.

A `Lexicon` is made of the corpus's exercises (their names and aliases), the terms of
`terms.yaml`, and the index's own vocabulary. It finds entities in a text, mends typing errors,
and says what a text is called in the corpus's words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from rag.types import Exercise, Passage

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:\.\d+)?")

_PART = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")
"""A word or number, hyphenated ones apart: "step-up" is two, so that "step up" is the same."""

_EMOJI = re.compile(
    "[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\u20e3\ufe0e\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)
"""Pictures, their colours and joints; signs that text is set with ("45°", "→", "™") are none."""

_PEACH = re.compile("(?:\U0001f351[\ufe0e\ufe0f]?)+")

STOP_WORDS = frozenset(
    ["a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my", "of", "on", "or", "our", "should", "so", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your", "about", "am", "any", "get", "just", "really", "u", "ur", "im", "ive"]
)

MIN_TYPO_LENGTH = 4
"""Shorter words have too many neighbours to be mended safely."""

MIDDLING_WORD, LONG_WORD = 6, 8
"""Letters from which a second error is mended where the words are very alike, and in any case:
"protine" is protein and "excersise" an exercise, but "labral" is not lateral."""

VERY_LIKE = 0.94
"""Jaro-Winkler similarity, 0 to 1."""

CHAT = "chat"
ELSEWHERE = "elsewhere"
SETTING = "setting"
FOREIGN = (ELSEWHERE, SETTING)
"""Kinds of things that the corpus is not about: asked about, or only named in passing."""

REMEMBERED = 20_000
"""Texts whose entities are remembered: the corpus's sentences come up in question after question."""

_CONTRACTION = re.compile(
    r"(?:do|does|did|is|are|was|were|ca|wo|could|should|would|have|has|had|need)nt|"
    r"(?:you|we|they)(?:ll|ve|re|d)|(?:it|that|what|who|how|where|there|here|when)(?:s|ll|d)"
)
"""Contractions as people type them, without the apostrophe."""

RAREST = 18.0
"""Negative log of the share below which a word counts as unknown (about 1 in 65 million)."""

SEEN_OFTEN = 2
"""Uses in the corpus that make a word a target for mending."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A named thing in a text. `name` is the corpus's word for it; offsets are the text's."""

    kind: str
    """exercise, muscle or concept; elsewhere or setting for what the corpus is not about."""
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Term:
    kind: str
    name: str


class Lexicon:
    """Finds, mends and renames; immutable after construction."""

    def __init__(
        self,
        exercises: Iterable[Exercise],
        vocabulary: Mapping[str, int],
        is_name: Callable[[str], bool] = lambda word: False,
    ) -> None:
        self._terms: dict[tuple[str, ...], _Term] = {}
        for kind, names in _terms().items():
            if kind == CHAT:
                continue
            for name, aliases in names.items():
                for alias in (name.split(" (")[0], *aliases):
                    self._add(alias, _Term(kind, name))
        for exercise in exercises:
            for alias in (*exercise.aliases, exercise.name):
                self._add(alias, _Term("exercise", exercise.name))
        self._longest = max((len(t) for t in self._terms), default=1)
        self._vocabulary = dict(vocabulary)
        own = {
            word
            for words, term in self._terms.items()
            if term.kind not in FOREIGN
            for word in words
            if not word.isdigit()
        }
        self._foreign_words = {w for t in self._terms for w in t} - own
        self._targets = own | {w for w, n in vocabulary.items() if n >= SEEN_OFTEN and len(w) > 3}
        self._own_words = own
        self._is_name = is_name
        self._found: dict[str, tuple[Entity, ...]] = {}

    def _add(self, alias: str, term: _Term) -> None:
        words = tuple(_folded(w) for w in words_of(alias))
        if words:
            self._terms.setdefault(words, term)
            self._terms.setdefault((*words[:-1], _plural(words[-1])), term)

    def entities(self, text: str) -> tuple[Entity, ...]:
        """Every named thing, longest match first, left to right, without overlaps."""
        found = self._found.get(text)
        if found is None:
            found = tuple(self._entities(text))
            if len(self._found) < REMEMBERED:
                self._found[text] = found
        return found

    def _entities(self, text: str) -> list[Entity]:
        found: list[Entity] = []
        matches = list(_PART.finditer(text))
        words = [_folded(m.group()) for m in matches]
        at = 0
        while at < len(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                term = self._terms.get(tuple(words[at : at + length]))
                if term:
                    start, end = matches[at].start(), matches[at + length - 1].end()
                    found.append(Entity(term.kind, term.name, start, end))
                    at += length
                    break
            else:
                at += 1
        return found

    def knows(self, word: str) -> bool:
        """Whether the corpus or the terms use the word."""
        folded = _folded(word)
        return (
            folded in self._vocabulary or folded in self._own_words or folded in self._foreign_words
        )

    def mended(self, text: str) -> str:
        """`text` with typing errors put right where the corpus's words make the right one plain.

        A word that is English, that the corpus uses, or that is an author's name is left alone:
        "pizza" never becomes "piriformis", nor "Delp" a "delt". Emoji go: they are no words.
        """
        return WORD.sub(lambda m: self._mended_word(spelt_out(m.group())), without_emoji(text))

    def _mended_word(self, word: str) -> str:
        folded = _folded(word)
        if len(folded) < MIN_TYPO_LENGTH or folded[0].isdigit() or self.is_word(word):
            return word
        if _CONTRACTION.fullmatch(folded):
            return word
        return self._nearest(folded) or word

    def is_word(self, word: str) -> bool:
        """Whether the corpus, its terms, an author's name or English has the word."""
        folded = _folded(word)
        return (
            self.knows(folded)
            or is_english(folded)
            or self._is_name(word)
            or _is_compound(folded, self.knows)
        )

    def _nearest(self, word: str) -> str | None:
        from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

        allowed = 1 if len(word) < MIDDLING_WORD else 2
        best: tuple[int, float, int, str] | None = None
        for target in self._targets:
            if abs(len(target) - len(word)) > allowed:
                continue
            distance = DamerauLevenshtein.distance(word, target, score_cutoff=allowed)
            if distance > allowed:
                continue
            similarity = JaroWinkler.similarity(word, target)
            if distance == 2 and len(word) < LONG_WORD and similarity < VERY_LIKE:
                continue
            own = 1 if target in self._own_words else 0
            key = (-distance, similarity + 0.03 * own, self._vocabulary.get(target, 0), target)
            if best is None or key > best:
                best = key
        return best[3] if best else None

    def renamed(self, text: str) -> str:
        """`text` in the corpus's words: each entity is followed by its name where they differ."""
        out, last = [], 0
        for entity in self.entities(text):
            said = text[entity.start : entity.end]
            out.append(text[last : entity.end])
            if self._adds_nothing(entity, said):
                last = entity.end
                continue
            out.append(f" ({entity.name})")
            last = entity.end
        out.append(text[last:])
        return "".join(out)


    def _adds_nothing(self, entity: Entity, said: str) -> bool:
        """Whether the corpus's name for a thing would only repeat what was said, or be foreign."""
        if entity.kind in FOREIGN or _same_words(said, entity.name):
            return True
        return not all(self._vocabulary.get(_folded(w)) for w in words_of(entity.name))


def lexicon_of(
    exercises: Iterable[Exercise],
    passages: Iterable[Passage],
    is_name: Callable[[str], bool] = lambda word: False,
) -> Lexicon:
    """The lexicon of an index: its exercises, and the words of its passages."""
    counts: Counter[str] = Counter()
    for passage in passages:
        text = f"{passage.title} {passage.section} {passage.text}"
        counts.update({_folded(w) for w in words_of(text)})
    return Lexicon(exercises, counts, is_name)


@lru_cache(maxsize=20_000)
def stems_of(text: str) -> tuple[str, ...]:
    """The text's words without stop words, spelling folded, stemmed; in order, with repeats."""
    words = (_folded_spelling(w.lower()) for w in words_of(text))
    return tuple(_stemmer().stemWords([w for w in words if w not in STOP_WORDS]))


def spelt_out(word: str) -> str:
    """A chat abbreviation as the word that it stands for ("shud": should); others unchanged.

    Only in lower case: "DB" may be a person's initials, and "V" a vitamin.
    """
    return _abbreviations().get(word, word)


def words_of(text: str) -> list[str]:
    """Words and numbers of a text, hyphenated ones apart, in order."""
    return _PART.findall(text)


def without_emoji(text: str) -> str:
    """The text without pictures; a peach says what it stands for. A text without any is left alone."""
    if not _EMOJI.search(text):
        return text
    return " ".join(_EMOJI.sub(" ", _PEACH.sub(" glutes ", text)).split())


@cache
def is_english(word: str) -> bool:
    """Whether pyspellchecker's English word list (https://pypi.org/project/pyspellchecker) has it."""
    return bool(_speller().known([word]))


def english_rarity(word: str) -> float:
    """0 for the commonest English words to 1 for those that the word list has not."""
    frequencies = _speller().word_frequency
    share = (frequencies[word.lower()] + 1) / frequencies.total_words
    return min(1.0, -math.log(share) / RAREST)


@cache
def _speller() -> Any:
    from spellchecker import SpellChecker

    return SpellChecker(language="en", distance=1)


@cache
def _abbreviations() -> dict[str, str]:
    return {said: word for word, all_said in _terms()[CHAT].items() for said in all_said}


@cache
def _terms() -> dict[str, dict[str, list[str]]]:
    text = Path(__file__).with_name("terms.yaml").read_text("utf-8")
    loaded: dict[str, dict[str, list[str]]] = yaml.safe_load(text)
    return loaded


def _is_compound(word: str, knows: Callable[[str], bool]) -> bool:
    """Whether every part of a hyphenated or shortened word ("step-ups", "I've") is one."""
    parts = [p for p in re.split(r"[-']", word) if p]
    return len(parts) > 1 and all(knows(p) or is_english(p) for p in parts)


def _folded(word: str) -> str:
    return word.lower().replace("’", "'")


def _plural(word: str) -> str:
    if word.endswith("s"):
        return word[:-1] if not word.endswith("ss") else word + "es"
    return word + ("es" if word.endswith(("ch", "sh", "x")) else "s")


def _same_words(said: str, name: str) -> bool:
    """Whether one of the two only shortens the other ("squats", "back squat"), plurals aside."""
    short = {w.lower().rstrip("s") for w in words_of(said)}
    long = {w.lower().rstrip("s") for w in words_of(name)}
    return short <= long or long <= short


_SPELLINGS = (
    (re.compile(r"^programmes?$"), "program"),
    (re.compile(r"^fibre(s?)$"), r"fiber\1"),
    (re.compile(r"^(cent|met|lit)re(s?)$"), r"\1er\2"),
    (re.compile(r"^oe(?=str|dem|soph)"), "e"),
    (re.compile(r"aem(?=i|o)"), "em"),
    (re.compile(r"^(col|fav|lab|behavi|tum|hum)our"), r"\1or"),
    (re.compile(r"(?<=[a-z]{3})is(e|es|ed|ing|ation|ations)$"), r"iz\1"),
    (re.compile(r"(?<=[a-z]{2})ll(ed|ing)$"), r"l\1"),
)


@cache
def _folded_spelling(word: str) -> str:
    for pattern, replacement in _SPELLINGS:
        word = pattern.sub(replacement, word)
    return word


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
