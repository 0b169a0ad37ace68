"""Studies that a question names: "Plotkin et al.", "Refalo vs Robinson", "NICE NG226". Pure.

A surname that is also an English word ("Crow", "Lee") or that many share counts only where it is
written as a name: with a year, "et al.", or a word such as "study" behind it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from rag.lexicon import is_english
from rag.types import Reference

_NAME = re.compile(r"[^\W\d_][\w'’-]*")
_YEAR = re.compile(r"[\s,('’s]*(?:et al\.?|and colleagues|and others)?[\s,(]*((?:19|20)\d\d)(?!\d)", re.I)
_AS_A_NAME = re.compile(
    r"(?:['’]s)?\s*(?:et al\b|and colleagues\b|(?:&|and|vs\.?|versus|or)\s+[A-Z][a-z]|[:,]|(?:study|trial|paper|"
    r"review|group|data|cohort|found|finds?|showed|shows|reported|reports|measured|concluded?|conclude)\b)",
    re.I,
)
_WITH_OTHERS = re.compile(r"\s+(?:et al\b|and colleagues\b)", re.I)
_OF_THE_GYM = re.compile(r"\s+(?:machine|press|squats?|rack)\b", re.I)
_SENTENCE_END = re.compile(r"[.!?]\s+$")


class Studies:
    """The references of a library, found by the names that people give them."""

    def __init__(self, references: Iterable[Reference]) -> None:
        self._by_name: dict[tuple[str, ...], list[Reference]] = defaultdict(list)
        self._acronyms: dict[str, list[Reference]] = defaultdict(list)
        for reference in references:
            for name in _names(reference):
                self._by_name[name].append(reference)
            first = reference.id.split("-")[0]
            if len(first) <= 5 and not reference.label.lower().startswith(first):
                self._acronyms[first.upper()].append(reference)
        self._longest = max((len(n) for n in self._by_name), default=1)
        self._words = {part for name in self._by_name for part in name}

    def knows(self, word: str) -> bool:
        """Whether the word is part of an author's name."""
        return plain(word) in self._words

    def named(self, text: str) -> tuple[str, ...]:
        """Ids of the references named in the text, in order; those of one author where no year tells."""
        found: list[str] = []
        words = list(_NAME.finditer(text))
        for at, word in enumerate(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                span = words[at : at + length]
                if references := self._at(text, word.start(), span[-1].end(), length):
                    found += [r.id for r in references]
                    break
        return tuple(dict.fromkeys(found))

    def _at(self, text: str, start: int, end: int, words: int) -> list[Reference]:
        said = text[start:end]
        candidates = self._acronyms.get(said) or self._by_name.get(_key(said))
        if not candidates:
            return []
        if year := _YEAR.match(text, end):
            return [r for r in candidates if r.year == int(year.group(1))]
        own = words > 1 or said.isupper() or not is_english(plain(said))
        return candidates if own or _written_as_a_name(text, start, end) else []


def _written_as_a_name(text: str, start: int, end: int) -> bool:
    """Whether an English word stands where only a name would: "What did Lee find?"."""
    if _WITH_OTHERS.match(text, end):
        return True
    if not text[start].isupper() or _OF_THE_GYM.match(text, end):
        return False
    inside = start > 0 and text[start - 1] == " " and not _SENTENCE_END.search(text[:start])
    return inside or bool(_AS_A_NAME.match(text, end))


def plain(word: str) -> str:
    """Lower case without accents or a possessive ending."""
    bare = re.sub(r"['’]s?$", "", word)
    return unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode().lower()


def _names(reference: Reference) -> list[tuple[str, ...]]:
    """The first author's surname, whole and, where it has several parts, its first."""
    authors = reference.csl.get("author") or ()
    if not authors:
        return []
    family = str(authors[0].get("family") or authors[0].get("literal") or "")
    parts = _key(family)
    shortened = (parts, parts[:1]) if "family" in authors[0] else (parts,)
    return [p for p in dict.fromkeys(shortened) if p and len(p[0]) > 1]


def _key(name: str) -> tuple[str, ...]:
    return tuple(plain(p) for p in re.split(r"[^\w'’]+", name) if plain(p))
