"""Sentence boundaries that survive "et al.", "e.g.", "3.5", "vs." and reference strings.

pysbd (https://github.com/nipunsadvilkar/pySBD) proposes the boundaries; a boundary is taken back
where the words on its two sides show that it fell inside an abbreviation, a number or initials.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_ALWAYS_OPEN = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|fig|figs|eq|vol|pp|dr|prof)\.)$", re.IGNORECASE)
_STARTS_SENTENCE = re.compile(r"[\"'“‘(\[]*[A-Z0-9−-]")
_STARTS_LOWER = re.compile(r"[\"'“‘(\[]*[a-z&]")
# pysbd holds these open as abbreviations; in training prose they end sentences all the time.
_UNIT_END = re.compile(r"\b(?:reps?|min|sec|hrs?|wk|kg|lbs?|cm|mm|ft|in|no|1RM)\.\s+(?=[A-Z][a-z])")
_BIBLIOGRAPHY = re.compile(
    r"(?:\[?\d{1,3}[.)\]]\s+)?[A-Z][\w’'-]+,?\s(?:[A-Z]\.[\s,-]*)+.{0,300}\(\d{4}[a-z]?\)\.\s.+"
)
_ENDS_SENTENCE = re.compile(r"[.!?…:;][\"'”’)\]]*$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence of a paragraph, without the white space around it."""
    if _BIBLIOGRAPHY.fullmatch(text):
        return [(0, len(text))]
    spans: list[tuple[int, int]] = []
    for start, end in _proposed(text):
        if spans and _continues(text[spans[-1][0] : spans[-1][1]], text[start:end]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [part for span in spans for part in _split_after_units(text, span)]


def _split_after_units(text: str, span: tuple[int, int]) -> list[tuple[int, int]]:
    start, end = span
    parts: list[tuple[int, int]] = []
    for match in _UNIT_END.finditer(text, start, end):
        parts.append((start, match.end() - _trailing_space(match.group())))
        start = match.end()
    return [*parts, (start, end)]


def _proposed(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = 0
    for piece in _segmenter().segment(text):
        words = piece.strip()
        if not words:
            continue
        start = text.find(words, at)
        if start < 0:  # pysbd altered the text: give up on its boundaries from here
            break
        if text[at:start].strip() and spans:
            spans[-1] = (spans[-1][0], start - _trailing_space(text[:start]))
        elif text[at:start].strip():
            start = at
        at = start + len(words) if text[start : start + len(words)] == words else start
        spans.append((start, at))
    rest = text[at:].strip()
    if rest:
        start = text.find(rest, at)
        spans.append((start, start + len(rest)))
    return spans


def _continues(before: str, after: str) -> bool:
    """Whether a proposed boundary between the two pieces is none."""
    if _STARTS_LOWER.match(after) and not before.endswith(("!", "?")):
        return True
    if _ALWAYS_OPEN.search(before):
        return True
    if not _ENDS_SENTENCE.search(before):
        return True
    if re.search(r"\bet al\.$", before):
        return bool(re.match(r"\(?\d{4}|[a-z,;]|['’]s\b", after))
    if re.search(r"(?:^|[\s(,&.])[A-Z]\.$", before):  # initials: "Contreras, B. Cronin, J."
        return True
    if re.search(r"\d\.$", before) and re.match(r"\d", after):
        return True
    return before.count("(") > before.count(")") and not _STARTS_SENTENCE.match(after)


def _trailing_space(text: str) -> int:
    return len(text) - len(text.rstrip())


@cache
def _segmenter() -> Any:
    import pysbd

    return pysbd.Segmenter(language="en", clean=False)
