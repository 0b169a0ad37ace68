"""Flesch-Kincaid grade of English text, without a pronouncing dictionary to download.

Kincaid et al. 1975: 0.39 words a sentence + 11.8 syllables a word - 15.59. Syllables are counted
from spelling, which is right for about nine words in ten and unbiased over a page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_VOWELS = re.compile(r"[aeiouy]+")
# A final e, ed or es is silent, unless it makes a syllable of its own ("table", "needed", "sizes").
_SILENT = re.compile(
    r"(?:[^aeiouyl]e|[aeiouy]le|[^aeioutd]ed|[^aeioucghlsxz]es|[aeiouy]les|[^aeiou]ement|[^aeiou]eless"
    r"|[^aeiou]ely)$|^(?:some|side)(?=[tw])"
)
# Two vowels that are two sounds, and those of them that are one after all ("-tion", "-cial").
_SPLIT = re.compile(
    r"i[aou](?!u)|eo(?!p)|(?<![gq])u[aeo]|[aeiouy]ing$|ism$|ea(?=s?$)|crea|[td]e(?=al|us|um)|opathy"
)
_ONE_SOUND = re.compile(r"[tcsx]i(?:on|al|an|ou|en)|gi(?:on|ou)")


def grade(sentences: Sequence[str]) -> float | None:
    """School grade that the sentences ask for; None where they hold no words."""
    words = [word for sentence in sentences for word in _WORD.findall(sentence)]
    if not words:
        return None
    per_sentence = len(words) / len(sentences)
    per_word = sum(map(syllables, words)) / len(words)
    return 0.39 * per_sentence + 11.8 * per_word - 15.59


def syllables(word: str) -> int:
    """Syllables of an English word as its spelling suggests them, at least 1."""
    word = re.sub(r"['’].*", "", word.lower())
    count = len(_VOWELS.findall(word))
    count += len(_SPLIT.findall(word)) - len(_ONE_SOUND.findall(word))
    if _SILENT.search(word):
        count -= 1
    return max(1, count)
