"""The audit's rules for what documents say, sentence by sentence."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from ingest.corpus_files import Document
from ingest.figures import (
    Figure,
    figures_in_meta,
    figures_of,
    lost_its_sign,
    outside_intervals,
    ranges_of,
    spans,
    supported,
    transcribed_figures,
    unsigned,
)
from ingest.findings import Finding, Shelf, Statement, plain_text
from ingest.readability import grade

NEAR_DUPLICATE = 92.0
"""Token ratio, 0 to 100, from which two sentences say the same in the same words."""
READING_GRADE = 8.0
"""Flesch-Kincaid grade above which an article's plain sections are too hard to read."""

_OWNS_UP = re.compile(
    r"contested|retract|integrity|not (?:be )?(?:used|relied|trusted|support)|no support|set aside"
    r"|expression of concern|never (?:as )?(?:support|evidence)|doubt|not to be relied",
    re.IGNORECASE,
)
_EMG = (
    r"\b(?:s?EMG|electromyograph\w*|(?:muscle |glute )?activation|activates?\b|(?:muscle|glute) activity"
    r"|signals?|MVIC|MVC|fir(?:es?|ed|ing)\b|recruit\w*)"
)
_GROWS = (
    r"\b(?:gr[eo]ws?\b|growth|growing|hypertroph\w+|build(?:s|ers?)?\b|building|muscle gains?"
    r"|bigger (?:glutes|bum|butt|muscles)|(?:glute|muscle) (?:size|mass))"
)
_THEREFORE = (
    r"(?:\bso\b|\bthus\b|\bhence\b|\btherefore\b|\bwhich (?:means|shows|proves|makes|is why)\b"
    r"|\b(?:means?|shows?|proves?|predicts?|leads? to|translates? (?:in)?to|results? in|drives?)\b"
    r"|\bmaking (?:it|them)\b|\bmore growth\b|\bequals?\b|\bis (?:why|the reason)\b"
    r"|\b(?:better|best|superb|great|ideal|excellent|perfect|good)\b[^.;]{0,20}?\bfor\b)"
)
_EMG_SO_GROWTH = re.compile(
    rf"{_EMG}[^.;]*?{_THEREFORE}[^.;]{{0,60}}?{_GROWS}"
    rf"|\b(?:because|since|given) [^.;,]{{0,40}}?{_EMG}[^.;]*?{_GROWS}"
    rf"|{_GROWS}[^.;]{{0,60}}?\b(?:because|since|as (?:shown by|its|their)|due to|thanks to)\b[^.;]{{0,60}}?{_EMG}",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|no|never|nor|neither|nothing|cannot|can't|without|whether|hardly|rarely|alone|fail\w*"
    r"|myth|wrong|mistake|poor|weak|unknown|untested|unproven|if|would|nobody|none"
    r"|\w+n't|instead|rather than|separate\w*|limits?|caution|scepti\w+|claims?|assum\w+|broadly)\b",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(r"(?:So|Thus|Hence|Therefore|That|This|Which)\b")
_POINTS_BACK = re.compile(r"\b(?:the|these|those) $", re.IGNORECASE)
_FOR_TRAINERS = re.compile(r"\s*for (?:trainers|coaches|professionals)\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+(?:['’-][a-z]+)*|\d+(?:\.\d+)?")


def statement_findings(
    path: str, document: Document, statements: Iterable[Statement], shelf: Shelf
) -> Iterator[Finding]:
    """Findings of the rules that need one document and the shelf only."""
    before = ""
    for statement in statements:
        for key in statement.keys:
            if key not in shelf.figures:
                message = f"no reference '{key}' in references/"
                yield Finding(path, statement.line, "citation-key", message)
        for rule, message in (
            *figure_problems(statement, shelf),
            *contested_problems(statement, shelf),
            *emg_problems(statement, before),
        ):
            yield Finding(path, statement.line, rule, message)
        before = statement.text


def figure_problems(statement: Statement, shelf: Shelf) -> Iterator[tuple[str, str]]:
    """Figures of a citing sentence that none of its references bears out."""
    keys = [key for key in statement.keys if key in shelf.figures]
    if not keys or any(key in shelf.undigested for key in keys):
        return
    shelves = [shelf.figures[key] for key in keys]
    for figure, what in _wrong_figures(statement, shelves):
        start, end = figure
        printed = statement.text[start:end]
        yield "figure", f"'{printed}' {what.format(keys=', '.join(keys))}: {statement.text}"


def _wrong_figures(
    statement: Statement, shelves: Sequence[Sequence[Figure]]
) -> Iterator[tuple[tuple[int, int], str]]:
    """(where in the sentence, what is wrong with the figure there)."""
    text, sources = statement.text, [figure for figures in shelves for figure in figures]
    claims = [f for f in figures_of(text) if _is_claim(f, statement)]
    ranges = ranges_of(text, figures_of(text))
    spanned = {f for pair in ranges if spans(pair, shelves) for f in pair}
    missing = {f for f in claims if not supported(unsigned(f) if f in spanned else f, sources)}
    for figure in claims:
        at = (figure.start, figure.end)
        if figure in missing:
            yield at, (f"({figure.unit}) " if figure.unit else "") + "is in none of {keys}"
        elif figure not in spanned and lost_its_sign(figure, text, sources):
            yield at, "is below zero in {keys}"
    for figure in outside_intervals(text, ranges):
        yield (figure.start, figure.end), "is outside the interval behind it"
    for low, high in ranges:
        if not {low, high} & missing and low not in spanned:
            yield (low.start, high.end), "is a range in none of {keys}"


def _is_claim(figure: Figure, statement: Statement) -> bool:
    """Counting words without a unit ("of two lifts"), "one", and words that point back ("the two days")
    claim nothing; nor does the number of the studies that the sentence itself cites.
    """
    if not figure.spelled:
        return True
    if (
        figure.value == 1
        or figure.unit == "exercise"
        or _POINTS_BACK.search(statement.text[: figure.start])
    ):
        return False
    cited = figure.unit == "study" and figure.value == len(statement.keys)
    return figure.unit is not None and not cited


def measurement_problems(document: Document) -> Iterator[str]:
    """Measurements that the digest does not print, or prints with another unit or sign."""
    printed = figures_of(plain_text(document))
    values = {f.signed for f in printed}
    entries = document.meta.get("measurements")
    for entry in entries if isinstance(entries, list) else ():
        value = entry.get("value") if isinstance(entry, Mapping) else None
        if not printed or not isinstance(value, int | float):
            continue
        spread = {name: entry.get(name) for name in ("spread", "ci95", "interval")}
        for figure in figures_in_meta(spread):
            if figure.signed not in values:
                yield f"the text does not print {figure.signed} (around {entry.get('outcome')})"
        claim = figures_in_meta({"measurement": {"unit": entry.get("unit"), "value": value}})[0]
        # A digest prints the unit once for several values ("115, 100 and 64 points").
        units = {f.unit for f in printed if f.value == claim.value}
        if not units or (
            claim.unit not in {None, "ratio"} and not units & {claim.unit, None, "ratio"}
        ):
            yield f"the text does not print {value} {entry.get('unit')} ({entry.get('outcome')})"


def transcription_problems(document: Document) -> Iterator[tuple[str, str]]:
    """(field, problem) where a digest and the figures transcribed in its front matter part.

    Written twice, a figure that is changed in one place only shows.
    """
    meta = document.meta
    if "figures" not in meta:
        return
    printed = figures_of(plain_text(document))
    noted = [*transcribed_figures(meta), *figures_in_meta(meta)]
    for figure in printed:
        counting = figure.spelled and (figure.value == 1 or figure.unit in {None, "exercise"})
        if not counting and not supported(figure, noted):
            what = f"{'−' if figure.negative else ''}{figure.value} {figure.unit or ''}".strip()
            yield "figures", f"the text prints {what}, which the front matter does not"
    values = {(f.value, f.negative) for f in printed}
    for figure in transcribed_figures(meta):
        if (figure.value, figure.negative) not in values:
            yield "figures", f"{figure.signed} stands in the front matter and not in the text"


def contested_problems(statement: Statement, shelf: Shelf) -> Iterator[tuple[str, str]]:
    keys = statement.keys
    if keys and all(key in shelf.contested for key in keys) and not _OWNS_UP.search(statement.text):
        yield "contested", f"rests only on contested work ({', '.join(keys)}): {statement.text}"


def emg_problems(statement: Statement, before: str = "") -> Iterator[tuple[str, str]]:
    """Growth concluded from muscle activity, in one sentence or from the one before it."""
    text = statement.text
    if _CONCLUDES.match(text):
        text = f"{before.rstrip('.')}, so {text}"
    if _EMG_SO_GROWTH.search(text) and not _DENIES.search(text) and not text.endswith("?"):
        yield "emg-growth", f"concludes growth from muscle activity: {statement.text}"


def reading_grade(statements: Sequence[Statement]) -> float | None:
    """Flesch-Kincaid grade of the plain sections; None where there are none."""
    return grade([s.text for s in statements if not _FOR_TRAINERS.match(s.heading)])


def near_duplicates(
    statements: Sequence[tuple[str, Statement]], threshold: float = NEAR_DUPLICATE
) -> Iterator[Finding]:
    """Sentences of different files in nearly the same words, reported at the later file."""
    from rapidfuzz import fuzz

    tokens = [sorted(_WORD.findall(s.text.lower())) for _, s in statements]
    seen: set[tuple[int, int]] = set()
    for block in _blocks(tokens):
        for pair in combinations(block, 2):
            (path, one), (other_path, other) = (statements[n] for n in pair)
            if path == other_path or pair in seen:
                continue
            seen.add(pair)
            joined = (" ".join(tokens[n]) for n in pair)
            if fuzz.ratio(*joined, score_cutoff=threshold) >= threshold:
                message = f"says nearly the same as {path}:{one.line}: {other.text}"
                yield Finding(other_path, other.line, "near-duplicate", message)


def _blocks(tokens: Sequence[Sequence[str]], rare: int = 5, crowd: int = 60) -> list[list[int]]:
    """Groups of sentences that share one of their rarest words: only those are compared.

    A sentence and its near copy differ in a word or two, so that of five rare words some agree.
    """
    frequency = Counter(word for words in tokens for word in set(words))
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for number, words in enumerate(tokens):
        if len(words) < 8:
            continue
        shared = [w for w in set(words) if frequency[w] > 1]
        for word in sorted(shared, key=lambda w: (frequency[w], w))[:rare]:
            blocks[word].append(number)
    return [block for block in blocks.values() if 1 < len(block) <= crowd]
