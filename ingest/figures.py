"""Figures in prose: numbers with the class of their unit ("6.7%", "ten weeks", "34 beginners").

Two figures are the same claim when value, sign and unit class agree, so that "9 weeks" is not borne
out by "9 days". A bare number's class is None and agrees with every class: a source that prints
"(12 squat, 10 hip thrust)" bears out "12 women".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "hundred": 100,
}  # fmt: skip

_CLASSES = {
    "percent": "% percent percentage",
    "second": "s sec secs second seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "day days",
    "week": "week weeks wk wks",
    "month": "month months",
    "year": "y yr yrs year years",
    "set": "set sets",
    "rep": "rep reps repetition repetitions RM rm times",
    "session": "session sessions workout workouts",
    "kilogram": "kg kgs kilogram kilograms kilo kilos",
    "gram": "g gram grams",
    "milligram": "mg milligram milligrams",
    "kilocalorie": "kcal calories kilocalories",
    "kilometre": "km kilometres kilometers",
    "metre": "m metre metres meter meters",
    "centimetre": "cm centimetre centimetres centimeters",
    "millimetre": "mm millimetre millimetres millimeters",
    "square centimetre": "cm² cm2",
    "degree": "° degree degrees",
    "torque": "Nm N·m",
    "newton": "N newton newtons",
    "point": "point points",
    "people": "people person persons adults men women participants patients athletes sprinters "
    "lifters runners players males females children adolescents teenagers beginners volunteers "
    "subjects squatters bodybuilders professionals physiotherapists physios cadets jumpers swimmers "
    "girls boys controls trainers trainees students powerlifters footballers exercisers pregnancies "
    "dancers recruits users trained untrained injured mothers",
    "exercise": "exercises drills lifts variations",
    "injury": "injuries sprains tears",
    "study": "study studies trial trials article articles paper papers review reviews rcts "
    "cohorts meta-analyses experiments programmes",
}
_CLASS_OF = {word: name for name, words in _CLASSES.items() for word in words.split()}
_SYMBOLS = {"%": "percent", "°": "degree"}

_COUNTS = frozenset({"people", "study", "year", "ratio"})
"""Classes whose unit a source often leaves to its columns: "(12 squat, 10 hip thrust)"."""
_COUNTED = _COUNTS - {"ratio"} | {
    "exercise",
    "set",
    "rep",
    "session",
    "day",
    "week",
    "month",
    "p value",
}
"""Classes of what a study did, of which it gives no interval."""

_P_BEFORE = re.compile(r"\b[pP](?:[ -]values?)?\s*(?:of|was|=|<|>|≤|≥)+\s*$")
_SETS_OF = re.compile(r"\bsets? of (?:about |around )?$", re.IGNORECASE)
# A mean's spread or an effect size: never a weight, a share or a time.
_RATIO_BEFORE = re.compile(
    r"(?:effect sizes?|\b[dgr]|\bSMD|difference|ratio|\bSUCRA|κ|kappa|\bI²)\s*(?:of|was|is|=|<|>|≤|≥|:)?"
    r"\s*(?:about\s*)?[<>=≤≥]?\s*[-−–]?$"
)
_RATIO_UNIT = re.compile(r"effect|standardised|cohen|smd|ratio|hedges", re.IGNORECASE)
# "95% CI" names an interval, and every interval has the same name.
_INTERVAL = re.compile(r"\b95\s?(?:%|per cent) (?=CI|confidence|credible|compatib|interval|HDI)")
_NUMBER = re.compile(
    r"(?<![\w.,])(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?!\d)|\b(?:"
    + "|".join(_WORDS)
    + r")\b",
    re.IGNORECASE,
)
_LESS = re.compile(
    r"\b(?:less|fewer|lower(?![ -](?:slice|body|back|limb|leg|glute))|smaller|weaker|slower|shorter|worse"
    r"|f[ae]ll|dips?|drop|cut|lost|loss|shr[aiu]nk|minus|below|down|behind|eased?|more|favou?r|decreas"
    r"|declin|reduc|impair|blunt|trim|inverse)",
    re.IGNORECASE,
)
"""Words by which a sentence says that a figure without a sign lies below zero."""
_STATISTIC = re.compile(
    r"(?:\b(?:[rdg]|ES|SMD|MD)|effect sizes?|correlat\w+|standardi[sz]ed|mean difference)"
    r"\s*(?:(?:of|was|is|by|at)\s*|[=:]\s*)?$"
)
_ITS_INTERVAL = re.compile(
    r"(?:(?!scale)[^\d.;:()]){0,30}[(,;]\s*(?:\d\d\s?%\s?)?(?:CI|CrI|(?:confidence |credible )?interval)[\s:,=]*[-−]?"
)
_OR_MORE = re.compile(r"\s+or (?:more|less|fewer|over|older|longer)\b")
_LIST = re.compile(r",\s*")
_RANGE = re.compile(r"\s*(?:to|and|or|-|–|−|/|versus|vs\.?|against)\s*[-−]?\s*$")
_SPAN = re.compile(r"\s*(?:%|°)?\s*(?:to|–|-)\s*[-−]?")
_MINUS = re.compile(r"(?<![\w%°)])(?:[-−–]|&minus;)$")
_TOKEN = re.compile(r"\s*(%|°|[A-Za-z²·]+2?)|\s*[-–](?=[A-Za-z])")
_SEES = 4
"""A unit stands at most this many words after its number ("34 untrained young women")."""
_STOPS = frozenset(
    [
        "a",
        "an",
        "per",
        "each",
        "every",
        "in",
        "on",
        "of",
        "at",
        "with",
        "for",
        "from",
        "by",
        "than",
        "over",
        "after",
        "versus",
        "against",
        "who",
        "and",
        "or",
        "to",
        "when",
        "if",
        "as",
        "that",
        "which",
        "while",
        "because",
        "but",
    ]
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a text. `unit` is its unit's class, None where none stands near it."""

    value: Decimal
    unit: str | None
    start: int
    end: int
    spelled: bool = False
    """Whether it is written as a word."""
    negative: bool = False
    """Whether a minus sign stands before it; `value` is without sign."""

    @property
    def signed(self) -> Decimal:
        return -self.value if self.negative else self.value


def figures_of(text: str) -> list[Figure]:
    """The figures of a text in order. Names ("T12", "cm2") and "95% CI" are not figures."""
    blanked = _INTERVAL.sub(lambda m: " " * len(m.group()), text)
    found = [_figure(blanked, match) for match in _NUMBER.finditer(blanked)]
    return _share_units(blanked, _joined(blanked, found))


def figures_in_meta(meta: Mapping[str, Any]) -> list[Figure]:
    """Figures of a reference's front matter; volume, pages and identifiers are none."""
    figures: list[Figure] = []
    for name, value in meta.items():
        if name not in _BIBLIOGRAPHIC | _TRANSCRIBED:
            figures += _of_value(value, _FIELD_UNITS.get(name))
    return figures


def transcribed_figures(meta: Mapping[str, Any]) -> list[Figure]:
    """What a reference's `figures` (by name) and `other_figures` (as printed) transcribe of its text.

    A name may hold several units ("load_pct_1rm"): its values count once for each.
    """
    figures = _of_value(meta.get("other_figures"), None)
    entries = meta.get("figures")
    for entry in entries if isinstance(entries, list) else ():
        for name, value in entry.items() if isinstance(entry, Mapping) else ():
            words = str(name).lower().split("_")
            units = [_UNITS_IN_NAMES[w] for w in words if w in _UNITS_IN_NAMES] or [None]
            for figure in _of_value(value, None):
                figures += [replace(figure, unit=figure.unit or unit) for unit in units]
    return figures


_TRANSCRIBED = frozenset({"figures", "other_figures"})
_UNITS_IN_NAMES: dict[str, str | None] = {
    **_CLASS_OF,
    "pct": "percent", "deg": "degree", "nm": "torque", "p": "p value", "alpha": "p value",
    "es": "ratio", "smd": "ratio", "d": "ratio", "r": "ratio", "md": "ratio",
}  # fmt: skip
_BIBLIOGRAPHIC = frozenset(
    [
        "id",
        "type",
        "author",
        "volume",
        "issue",
        "page",
        "DOI",
        "PMID",
        "ISBN",
        "URL",
        "publisher",
        "container-title",
        "cites",
        "disagrees_with",
        "status",
        "checked",
    ]
)
_FIELD_UNITS = {"weeks": "week", "studies": "study", "issued": "year", "sample_size": "people"}


def agrees(claim: Figure, source: Figure) -> bool:
    """Whether a source's figure bears out a claim's: same value, and units that do not differ.

    A whole number without a unit is too common in a source to bear out "9 weeks" or "3 sets".
    """
    if claim.value != source.value or (claim.negative and not source.negative):
        return False
    if claim.unit is None or claim.unit == source.unit:
        return True
    if source.unit == "point" and claim.unit == "ratio":  # "a difference of 0.5" on some scale
        return True
    counts = claim.unit in _COUNTS and not source.spelled
    return source.unit is None and (counts or claim.value % 1 != 0)


def supported(claim: Figure, sources: Iterable[Figure]) -> bool:
    return any(agrees(claim, figure) for figure in sources)


def unsigned(figure: Figure) -> Figure:
    return replace(figure, negative=False)


def lost_its_sign(claim: Figure, text: str, sources: Iterable[Figure]) -> bool:
    """Whether sources print the figure below zero only, and no word of `text` says "less".

    A statistic by name ("r = −0.85") carries its sign whatever the words around it say.
    """
    by_name = _STATISTIC.search(text[: claim.start])
    if claim.negative or (_LESS.search(text) and not by_name and "negative" not in text):
        return False
    return all(figure.negative for figure in sources if agrees(claim, figure))


def ranges_of(text: str, figures: list[Figure]) -> list[tuple[Figure, Figure]]:
    """The pairs of a text's figures that are written as a range: "8 to 12", "−6.1 to 2.0".

    "From 59 to 78%" is a change, whose two ends a source may print far apart.
    """
    return [
        (low, high)
        for low, high in pairwise(figures)
        if _SPAN.fullmatch(text[low.end : high.start])
        and (low.negative or not re.search(r"\bfrom\s+$", text[: low.start], re.IGNORECASE))
    ]


def spans(pair: tuple[Figure, Figure], sources: Sequence[Sequence[Figure]]) -> bool:
    """Whether some source prints the two values next to each other, or two sources one each.

    "Fell by 2 to 5" is a source's "−5 to −2": a range may be turned over as a whole, not by one end.
    """
    low, high = (figure.signed for figure in pair)
    for one, other in (two for s in sources for two in pairwise(s)):
        if (low, high) in {(one.signed, other.signed), (-other.signed, -one.signed)}:
            return True
    lows = {n for n, s in enumerate(sources) if any(f.signed == low for f in s)}
    highs = {n for n, s in enumerate(sources) if any(f.signed == high for f in s)}
    return low < high and any(a != b for a in lows for b in highs)


def outside_intervals(text: str, ranges: Sequence[tuple[Figure, Figure]]) -> list[Figure]:
    """Estimates that do not lie between the ends of the interval printed behind them."""
    found = figures_of(text)
    estimate_of = {after.start: before for before, after in pairwise(found)}
    return [
        estimate
        for low, high in ranges
        if (estimate := estimate_of.get(low.start))
        and estimate.unit not in _COUNTED
        and _ITS_INTERVAL.fullmatch(text[estimate.end : low.start])
        and low.signed < high.signed
        and not low.signed <= estimate.signed <= high.signed
    ]


def _figure(text: str, match: re.Match[str]) -> Figure:
    word = match.group().lower()
    spelled = word in _WORDS
    value = Decimal(_WORDS[word]) if spelled else _decimal(word)
    unit = _unit_after(text, match.end(), sees=1)
    before = text[: match.start()]
    if unit in {None, "study"} and not spelled and re.fullmatch(r"(?:19|20)\d\d", word):
        unit = "year"  # "a 2019 review" dates the review
    elif unit is None and _P_BEFORE.search(before):
        unit = "p value"
    elif unit is None and _RATIO_BEFORE.search(before):
        unit = "ratio"
    elif unit is None and _SETS_OF.search(before):
        unit = "rep"
    unit = unit or _unit_after(text, match.end())
    minus = _MINUS.search(before) is not None
    return Figure(value, unit, match.start(), match.end(), spelled, minus)


def _unit_after(text: str, at: int, sees: int = _SEES) -> str | None:
    """The class of the first unit within a few words of `at`, not across a stop or a number."""
    words: list[str] = []
    if skipped := _OR_MORE.match(text, at):
        at = skipped.end()
    while len(words) < sees and (token := _TOKEN.match(text, at)):
        at = token.end()
        word = token.group(1)
        if word is None:
            continue
        compound = word == "set" and text.startswith("-", at)  # "set-up", "set-matched"
        unit = None if compound else _class_of(word, directly=not words)
        if unit is not None:
            return _refined([*words, word.lower()], text[at : at + 20], unit)
        if word.lower() in _STOPS or word.lower() in _WORDS:
            return None
        words.append(word.lower())
    return None


def _class_of(word: str, *, directly: bool) -> str | None:
    if word in _SYMBOLS:
        return _SYMBOLS[word] if directly else None
    if len(word) <= 2 and not directly:  # "m", "g" and "s" far from a number are letters
        return None
    return _CLASS_OF.get(word) or _CLASS_OF.get(word.lower() if len(word) > 2 else word)


def _refined(words: list[str], rest: str, unit: str) -> str:
    """The class that a unit word, the last of `words`, has by what stands around it."""
    weekly = re.match(r"\s(?:a|per|each|every|weekly)\b", rest) is not None
    if words[-1] == "times":
        compares = re.match(r"\s(?:as|more|higher|greater|the)\b", rest) is not None
        return "session" if weekly else "fold" if compares else unit
    plan = re.match(r"[\w\s-]{0,12}\b(?:plan|split|routine|week)\b", rest) is not None
    if unit == "day" and (weekly or plan or "training" in words):
        return "session"
    if unit == "newton" and re.match(r"[\s·-]?m\b", rest):
        return "torque"
    return unit


def _joined(text: str, figures: list[Figure]) -> list[Figure]:
    """ "Twenty-four" and "two hundred" are one number."""
    out: list[Figure] = []
    for figure in figures:
        last = out[-1] if out else None
        between = text[last.end : figure.start] if last else ""
        if last and last.spelled and figure.spelled and between in {"-", " "}:
            hundreds = figure.value == 100
            value = last.value * 100 if hundreds else last.value + figure.value
            if hundreds or (last.value >= 20 and figure.value < 10):
                out[-1] = Figure(value, figure.unit, last.start, figure.end, True)
                continue
        out.append(figure)
    return out


def _share_units(text: str, figures: list[Figure]) -> list[Figure]:
    """In "10 to 12 weeks" and "0, 45 and 90 degrees" the last number's unit is that of all."""
    out: list[Figure] = []
    for figure in reversed(figures):
        between = text[figure.end : out[-1].start] if out else ""
        joined = figure.unit in {None, "year", "ratio"} and _RANGE.fullmatch(between)
        if out and (joined or (figure.unit is None and _LIST.fullmatch(between))):
            figure = replace(figure, unit=out[-1].unit)
        out.append(figure)
    return out[::-1]


def _of_value(value: Any, unit: str | None) -> list[Figure]:
    """Figures of a front matter value of any shape; a mapping's `unit` holds for its numbers."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float | Decimal):
        number = _decimal(str(value))
        return [Figure(abs(number), unit, 0, 0, negative=number < 0)]
    if isinstance(value, date):
        return [Figure(Decimal(value.year), "year", 0, 0)]
    if isinstance(value, Mapping):
        printed = value.get("unit")
        unit = unit_class(str(printed)) if printed else unit
        return [f for v in value.values() for f in _of_value(v, unit)]
    if isinstance(value, list | tuple):
        return [f for v in value for f in _of_value(v, unit)]
    found = figures_of(str(value))
    return [replace(f, unit=f.unit or unit) for f in found] if unit == "year" else found


def unit_class(unit: str) -> str | None:
    """The class of a unit as a field prints it: "% MVIC", "kg", "g/kg/day", "SMD"."""
    if _RATIO_UNIT.search(unit):
        return "ratio"
    return _unit_after(unit, 0)


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits.replace(",", "")).normalize() + 0
    except InvalidOperation:
        return Decimal(-1)
