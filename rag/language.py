"""Whether a question is asked in another language than the corpus's. Pure.

Nobody's language is guessed: letters or words that neither English nor the corpus uses tell, where
no plain English word stands beside them. Typing errors, slang and Latin names must pass.
"""

from __future__ import annotations

import re

from rag.lexicon import STOP_WORDS, WORD, Lexicon

_SHARED = frozenset(
    ["a", "as", "at", "be", "by", "do", "for", "had", "i", "if", "in", "is", "it", "me", "of", "on", "our", "so", "to", "was", "we", "an", "am", "has", "were", "u", "ur", "will", "can", "any"]
)
"""Stop words that other languages have too: "was ist das", "es la mejor"."""

_PLAIN = (STOP_WORDS - _SHARED) | frozenset(
    ["since", "after", "before", "without", "during", "not", "while", "because", "feel", "ok", "best", "good", "like", "only", "more", "less", "much", "many", "every", "day", "between", "lol", "love", "load", "vs"]
)

_ELSEWHERE = frozenset(
    ["au", "auf", "beim", "com", "como", "con", "da", "das", "de", "dei", "del", "der", "des", "di", "du", "ein", "eine", "el", "en", "es", "est", "gli", "het", "il", "ist", "la", "las", "le", "les", "los", "mein", "meine", "mi", "mis", "mit", "na", "os", "ou", "para", "per", "pour", "por", "que", "ses", "un", "una", "und", "une", "van", "voor"]
)
"""Small words of the languages nearest to English."""

_FOREIGN_MARKS = re.compile(r"[¿¡À-ÖØ-öø-ÿĀ-ž]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]")

MOST = 0.4
"""Share of unknown words from which a text is not English, where nothing in it is plain English."""


def is_foreign(text: str, lexicon: Lexicon) -> bool:
    """Whether most of the text is in another script, or in words of another language."""
    letters = [c for c in text if c.isalpha()]
    if sum(bool(_LATIN.match(c)) for c in letters) < len(letters) / 2:
        return True
    words = _words(text, lexicon)
    unknown = [w for w in words if w in _ELSEWHERE or not lexicon.is_word(w)]
    if len(unknown) < MOST * len(words) or any(w in _PLAIN for w in words):
        return False
    marked = bool(_FOREIGN_MARKS.search(text)) or any(w in _ELSEWHERE for w in words)
    return len(unknown) >= (2 if marked else 3)


def _words(text: str, lexicon: Lexicon) -> list[str]:
    """The text's words, lower case, without numbers and the names of things of the field."""
    named = [(e.start, e.end) for e in lexicon.entities(text)]
    return [
        match.group().lower()
        for match in WORD.finditer(text)
        if not match.group()[0].isdigit() and not any(a <= match.start() < b for a, b in named)
    ]
