"""Reading a text into what it claims: its words by kind, numbers with units, clauses, negation.

Pure and linear in the text's length. `rag.checking` compares two readings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any

from rag.claim_words import (
    ANTONYMS,
    COUNTS,
    FRACTIONS,
    GENERIC,
    MULTIPLIERS,
    NUMBERS,
    PHRASES,
    STOP,
    SYNONYMS,
    UNITS,
)

_TOKEN = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[^\W\d_]+(?:²|\d(?!\d))?|[%°]|[.,;:!?()\[\]–/+=<>-]"
)
_BOUNDARY = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9−-])|\n+")
_CLAUSE_WORDS = frozenset(["but", "while", "whereas", "although", "though", "yet", "because", "since", "which", "who", "so"])
_CLAUSE_MARKS = frozenset(",;:.!?()[]")
_QUALIFIERS: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): kind
    for kind, phrases in {
        "ge": "at least, more than, over, above, greater than, minimum of, upwards of, exceeding",
        "le": "at most, up to, less than, fewer than, under, below, no more than, maximum of",
        "eq": "about, around, roughly, nearly, almost, approximately, some, circa, close to",
    }.items()
    for phrase in phrases.split(", ")
}
MAX_TOKENS = 6_000
"""Words of a text that are read; a passage has a few hundred."""

NEGATION_REACH = 8
"""Words after a negator, in its clause, that it may turn round."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase of a text. `key` is what it is compared by."""

    text: str
    key: str
    kind: str
    """A kind of `claim_words.PHRASES`, or word, name, number, stop, mark."""
    clause: int
    negated: bool = False
    light: bool = False
    """Whether a fair summary adds or drops it freely: "found", "performed"."""


@dataclass(frozen=True, slots=True)
class Number:
    """A figure, or a range from `low` to `high`, in the base of what it measures."""

    text: str
    low: float
    high: float
    dimension: str
    """What it measures: time, mass, ratio, sets, people, …; empty where no unit is known."""
    unit: str
    factor: float
    per: str
    qualifier: str
    """ge, le, eq (about) or empty."""
    at: int
    """Index of its word."""
    clause: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence, read."""

    text: str
    words: tuple[Word, ...]
    numbers: tuple[Number, ...]
    content: frozenset[str] = field(default=frozenset())

    def of_kind(self, *kinds: str) -> list[tuple[int, Word]]:
        """(index, word) of the words of these kinds, in order."""
        return [(i, w) for i, w in enumerate(self.words) if w.kind in kinds]


def sentences(text: str) -> list[str]:
    """The text's sentences, white space around them removed."""
    return [s for part in _BOUNDARY.split(text) if (s := part.strip())]


def plain(text: str) -> str:
    """`text` with one spelling for quotes, dashes, minus signs, ligatures and white space."""
    text = unicodedata.normalize("NFKC", text.replace("²", "2"))
    text = text.translate(_FOLD)
    return " ".join(text.split())


_FOLD = {ord(c): "'" for c in "’‘`´"} | {ord(c): '"' for c in "“”«»"} | {
    ord(c): "-" for c in "–—−‐‑‒"
}


@lru_cache(maxsize=2048)
def read(sentence: str) -> Claim:
    """The claim of one sentence (already `plain`)."""
    raw = _TOKEN.findall(_respelled(_without_contractions(sentence)))[:MAX_TOKENS]
    raw = _with_minus(raw)
    words = _with_numbers(_phrased(raw))
    numbers, words = _numbers(words)
    words = _negated(words)
    return Claim(sentence, tuple(words), tuple(numbers), content_of(words))


def content_of(words: Iterable[Word]) -> frozenset[str]:
    """Keys of the words that say something."""
    return frozenset(w.key for w in words if w.kind not in ("stop", "mark", "number", "neg"))


def _without_contractions(text: str) -> str:
    text = re.sub(r"\bcan't\b|\bcannot\b", "can not", text, flags=re.IGNORECASE)
    text = re.sub(r"\bwon't\b", "will not", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=[a-z])n't\b", " not", text, flags=re.IGNORECASE)
    return re.sub(r"'(?:s|re|ve|ll|d|m)\b", "", text)


_RESPELLED = tuple(
    (re.compile(pattern, re.IGNORECASE), spelled)
    for pattern, spelled in (
        (r"^(?:yes|no)(?=[,;:]\s)", ""),  # an answer's first word denies the question, not the rest
        (r"\b(?:two|double|both)[- ]leg(?:ged|s)?\b", "bilateral"),
        (r"\bbilateral leg\b", "bilateral"),
        (r"\b(?:one|single)[- ]leg(?:ged)?\b|\bon one leg\b", "unilateral"),
        (r"\b(more|less|most|least|as|so) active\b(?! (?:wom|m[ae]n|peop|adult|person|lifest))", r"\1 muscle activity"),
        (r"\bback (?=pain|ache|injur)", "lower back "),
        (r"\b(?:low|lower) lower back\b", "lower back"),
        (r"\b(for|in|after|over|within) an? (?=(?:year|month|week|day|hour)\b)", r"\1 one "),
        (r"\btwice as (?=likely|high|much|many|big|large|often|common)", "doubled "),
        (r"\bonce (?!a\b|an\b|per\b|each\b|every\b|weekly|daily|or\b|in\b)", "when "),
        (r"\bwhether or not\b", "whether"),
        (r"\b(?:take|takes|took|taking) ([^,.;]{1,24}?) off\b", r"remove \1 from"),
        (r"\bdifference of [-−]?0(?:\.0+)?(?!\.?\d)", "no difference 0"),
        (r"\b(upper|lower)[- ](?=body(?! weight| mass| fat)|limb|leg|part|fib|half|extremit|glute|trap|region)", r"\1most "),
        (r"\b(?:half a|half-a|a half) year\b", "6 months"),
        (r"\b(?:a|one) year (?=later|after|on)", "12 months "),
        (r"\bhalf an hour\b", "30 minutes"),
        (r"\bhalf a second\b", "0.5 seconds"),
        (r"\b(a quarter|half|a third|two thirds|three quarters) of a (?=[a-z])", r"\1 "),
        (r"\b(the|these|those|other) two\b(?! (?:weeks|days|months|years|sets|minutes))", r"\1"),
        (r"\b(one|two|three|four|five|six|seven|eight|nine|\d) (?:in|out of)(?: every)? "
         r"(two|three|four|five|six|seven|eight|nine|ten|10|20|100|[2-9])\b(?! \w*(?:week|day|month|year|hour|second|minute|set|rep|man|men|woman|women|people|adult|trial|stud))",
         r"\1 of-each \2"),
    )
)


_MONTHS = (
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
)
_DATED = frozenset(_MONTHS) | {m[:3] for m in _MONTHS} | {"sept"}
_ISO_DATE = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-([0-3]\d)\b")


def _respelled(text: str) -> str:
    """One spelling for what is said with and without figures: "half a year", "two-legged"."""
    for pattern, spelled in _RESPELLED:
        text = pattern.sub(spelled, text)
    return _ISO_DATE.sub(lambda m: f"{int(m[3])} {_MONTHS[int(m[2]) - 1]} {m[1]}", text)


def _with_minus(raw: list[str]) -> list[str]:
    """Hyphens inside words dropped; a minus before a figure joined to it."""
    out: list[str] = []
    for i, token in enumerate(raw):
        if token != "-":
            minus = raw[i - 1] == "-" if i else False
            negative = minus and token[0].isdigit() and (i < 2 or not raw[i - 2][0].isdigit())
            bare = i >= 2 and raw[i - 2][0].isalpha()
            out.append(f"-{token}" if negative and not bare else token)
        elif 0 < i < len(raw) - 1 and raw[i - 1][0].isdigit() and raw[i + 1][0].isdigit():
            out.append("to")
    return out


def _phrased(raw: list[str]) -> list[Word]:
    """Words with kinds: the longest phrase of the tables first."""
    table, longest = _phrases()
    lower = [t.lower() for t in raw]
    stems = [stem(t) for t in lower]
    out: list[Word] = []
    clause = at = 0
    while at < len(raw):
        for length in range(min(longest, len(raw) - at), 0, -1):
            span = slice(at, at + length)
            found = table.get(tuple(lower[span])) or table.get(("~", *stems[span]))
            if found:
                if found[0] == "training" and length > 1 and unit_of(lower[at + length - 1])[0]:
                    length -= 1  # "trained men": the men are read on their own
                text = " ".join(lower[at : at + length])
                out.append(Word(text, found[1], found[0], clause))
                at += length
                break
        else:
            clause += lower[at] in _CLAUSE_MARKS or lower[at] in _CLAUSE_WORDS
            first = not out or out[-1].text in ".!?"
            out.append(_plain_word(raw[at], lower[at], stems[at], clause, first))
            at += 1
    return out


def _plain_word(token: str, lower: str, stemmed: str, clause: int, first: bool) -> Word:
    if not token[0].isalnum() and token[0] not in "-%°":
        return Word(token, token, "mark", clause)
    if lower in STOP:
        return Word(lower, lower, "stop", clause)
    kind = "name" if token[0].isupper() and not first else "word"
    return Word(lower, canonical(stemmed), kind, clause, light=stemmed in GENERIC)


def _with_numbers(words: list[Word]) -> list[Word]:
    """Figures and number words as words of kind number, `key` their value."""
    out: list[Word] = []
    at = 0
    while at < len(words):
        value, used = _value(words, at)
        if used:
            text = " ".join(w.text for w in words[at : at + used])
            out.append(Word(text, repr(value), "number", words[at].clause))
            at += used
        else:
            out.append(words[at])
            at += 1
    return out


def _value(words: list[Word], at: int) -> tuple[float, int]:
    """(value, words used) of the number that starts at `at`; (0, 0) where there is none."""
    text = words[at].text
    if [w.text for w in words[at + 1 : at + 3]] == ["of", "each"] and at + 3 < len(words):
        part, whole = _simple(words[at].text), _simple(words[at + 3].text)
        if 0 < part < whole:
            return part / whole, 4
    if text.lstrip("-")[:1].isdigit() and words[at].kind in ("word", "name"):
        digits = text.replace(",", "")
        value = float(digits) if len(digits) < 18 and re.fullmatch(r"-?[\d.]+", digits) else 0.0
        nxt = words[at + 1].text if at + 1 < len(words) else ""
        return (value * MULTIPLIERS[nxt], 2) if nxt in MULTIPLIERS else (value, 1)
    if text in COUNTS:
        return COUNTS[text], 1
    if text in FRACTIONS and text != "third" and text != "fifth":
        return FRACTIONS[text], 1
    if text == "a" and at + 1 < len(words) and words[at + 1].text in {**FRACTIONS, **MULTIPLIERS}:
        following = words[at + 1].text
        return {**FRACTIONS, **MULTIPLIERS}[following], 2
    if text in NUMBERS:
        return _spelled(words, at)
    return 0.0, 0


def _simple(text: str) -> float:
    """A single word's number; 0 where it is none."""
    return NUMBERS.get(text, 0.0) or (float(text) if text.isdecimal() and len(text) < 6 else 0.0)


def _spelled(words: list[Word], at: int) -> tuple[float, int]:
    value, used = NUMBERS[words[at].text], 1
    following = [w.text for w in words[at + 1 : at + 3]]
    if value >= 20 and following and 0 < NUMBERS.get(following[0], 0) < 10:
        value, used = value + NUMBERS[following.pop(0)], 2
    if following and following[0] in MULTIPLIERS:
        value, used = value * MULTIPLIERS[following[0]], used + 1
        joined = used + 1 if words[at + used : at + used + 1] and words[at + used].text == "and" else used
        if at + joined < len(words) and words[at + joined].text in NUMBERS and value >= 100:
            rest, more = _spelled(words, at + joined)
            return value + rest, joined + more
        return value, used
    if following and following[0] in FRACTIONS:
        return value * FRACTIONS[following[0]], used + 1
    in_range = len(following) > 1 and following[0] in ("or", "to") and following[1] in NUMBERS
    if words[at].text == "one" and not in_range and not (following and unit_of(following[0])[0]):
        return 0.0, 0  # "no one", "one of", "another one"
    return value, used


def _numbers(words: list[Word]) -> tuple[list[Number], list[Word]]:
    """The figures with units; the words that served as unit or qualifier become stop words."""
    found: list[Number] = []
    words = list(words)
    skip = -1
    for at, word in enumerate(words):
        if word.kind != "number" or at <= skip:
            continue
        last = _range_end(words, at)
        number, used = _measured(words, at, last)
        found.append(number)
        for i in used:
            if words[i].kind not in ("sex", "training", "age", "health", "number"):
                words[i] = replace(words[i], kind="stop")
        skip = last
    return found, words


def _range_end(words: list[Word], at: int) -> int:
    """Index of the second figure of "8 to 12" or "between 8 kg and 12 kg", else `at`."""
    before = words[at - 1].text if at else ""
    for joint in (at + 1, at + 2):
        if joint + 1 >= len(words) or words[joint + 1].kind != "number":
            continue
        if joint == at + 2 and not unit_of(words[at + 1].text)[0]:
            continue
        said = words[joint].text
        if said == "to" or (said == "or" and joint == at + 1) or (said == "and" and before == "between"):
            return joint + 1
    return at


def _measured(words: list[Word], at: int, last: int) -> tuple[Number, list[int]]:
    low, high = float(words[at].key), float(words[last].key)
    dimension, factor, unit, unit_at = _unit(words, last)
    of_each = " of each " in words[at].text
    if of_each or (not dimension and words[at].text.split()[-1] in FRACTIONS):
        dimension, factor, unit = "ratio", 1.0, "fraction"
    if not dimension and words[at].text in COUNTS:
        dimension, factor, unit = "times", 1.0, "time"
    if unit_at != last + 1 and (calendar := _calendar(words, at, last)):
        dimension, factor, unit, unit_at = calendar, 1.0, "", -1
    first = unit_of(words[at + 1].text) if last == at + 3 else ("", factor)
    first_factor = first[1] if first[0] == dimension else factor
    qualifier, used = _qualifier(words, at)
    if dimension == "time" and words[at - 1].text == "over":
        qualifier = ""  # "over 12 weeks" is a span, not a minimum
    if unit_at > last:
        used.append(unit_at)
    if last == at + 3:
        used.append(at + 1)
    per = _per(words, max(last, unit_at))
    text = words[at].text if at == last else f"{words[at].text} to {words[last].text}"
    return (
        Number(text, low * first_factor, high * factor, dimension, unit, factor, per, qualifier, at,
               words[at].clause),
        used,
    )


def _calendar(words: list[Word], at: int, last: int) -> str:
    """"year" or "date" for a figure that stands in a date; empty for any other."""
    text = words[at].text
    if at == last and re.fullmatch(r"1[5-9]\d\d|20\d\d|2100", text):
        return "year"
    beside = {words[i].text for i in (at - 1, last + 1) if 0 <= i < len(words)}
    return "date" if beside & _DATED and text.isdecimal() and len(text) < 3 else ""


def _unit(words: list[Word], last: int) -> tuple[str, float, str, int]:
    """(dimension, factor, unit, index) of the unit after the figure."""
    for i in range(last + 1, min(last + 6, len(words))):
        text = words[i].text
        if words[i].kind in ("mark", "number") or (text in STOP and text not in ("m", "s")):
            break
        dimension, factor = unit_of(text.split()[-1] if words[i].kind == "training" else text)
        if words[i].kind == "sex":
            dimension, factor = "people", 1.0
        direct = i == last + 1
        if dimension and (direct or dimension in ("people", "studies", "times", "sets", "reps")):
            slash = i + 2 < len(words) and words[i + 1].text == "/"
            if slash and unit_of(words[i + 2].text)[0] != "time":
                return f"{text}/{words[i + 2].text}", 1.0, f"{text}/{words[i + 2].text}", i
            return dimension, factor, text, i
    return "", 1.0, "", -1


def unit_of(text: str) -> tuple[str, float]:
    """(dimension, size) of a unit, plural or not; ("", 1) for any other word."""
    for form in (text, text.removesuffix("s"), text.removesuffix("es"), text.removesuffix("ly")):
        if form in UNITS:
            return UNITS[form]
    return "", 1.0


def _per(words: list[Word], last: int) -> str:
    """The period of a rate: "a week", "per day", "weekly"; empty where there is none."""
    for i in range(last + 1, min(last + 4, len(words))):
        text = words[i].text
        if text in ("weekly", "daily", "monthly"):
            return {"weekly": "week", "daily": "day", "monthly": "month"}[text]
        if text in ("a", "per", "each", "every", "/", "an") and i + 1 < len(words):
            unit = words[i + 1].text.removesuffix("s")
            return unit if unit in ("day", "week", "month", "session", "hour", "year") else ""
    return ""


def _qualifier(words: list[Word], at: int) -> tuple[str, list[int]]:
    before = [w.text for w in words[max(0, at - 3) : at]]
    for length in (3, 2, 1):
        spelled = " ".join(before[-length:]) if length <= len(before) else ""
        kind = _QUALIFIERS.get(tuple(spelled.split()))
        if kind:
            return kind, list(range(at - length, at))
    return "", []


_PHRASE_ENDS = frozenset(["in", "on", "at", "after", "during", "from", "for", "among", "across"])
_BACKWARD = frozenset(["untested", "unproven", "false", "myth", "untrue", "wrong", "absent"])


def _ends_clause(words: list[Word], at: int) -> bool:
    """Whether a negator denies what came before it: "and hip thrusts do not"."""
    if words[at].text != "not":
        return False
    for word in words[at + 1 :]:
        if word.clause != words[at].clause or word.kind == "mark":
            break
        if word.kind != "stop":
            return False
    return True


def _negated(words: list[Word]) -> list[Word]:
    """Words in the reach of an odd number of negators marked."""
    flags = [False] * len(words)
    for at, word in enumerate(words):
        if word.kind == "same" and word.text.split()[0] in ("no", "not", "nothing"):
            for i in range(at + 1, min(at + 1 + NEGATION_REACH, len(words))):
                if words[i].clause != word.clause or (flags[i - 1] and words[i].text in _PHRASE_ENDS):
                    break
                flags[i] = words[i].kind != "stop"
        if word.kind != "neg":
            continue
        reach = NEGATION_REACH
        for i in range(at + 1, len(words)):
            if words[i].clause != word.clause or words[i].kind == "mark" or not reach:
                break
            if word.text == "without" and i > at + 1 and words[i].text in _PHRASE_ENDS:
                break
            if words[i].kind == "neg":
                flags[i] = not flags[i]
            if words[i].kind != "stop":
                reach -= 1
                flags[i] = word.text == "nor" or not flags[i]
        if word.text in _BACKWARD or _ends_clause(words, at):
            for i in range(at - 1, -1, -1):
                if words[i].clause != word.clause:
                    break
                flags[i] = not flags[i]
    return [replace(w, negated=True) if f else w for w, f in zip(words, flags, strict=True)]


@cache
def _phrases() -> tuple[dict[tuple[str, ...], tuple[str, str]], int]:
    """Phrase -> (kind, canonical name), as written and (after "~") by its stems."""
    table: dict[tuple[str, ...], tuple[str, str]] = {}
    for kind, groups in PHRASES.items():
        for name, phrases in groups.items():
            for phrase in phrases.split(","):
                words = tuple(phrase.split())
                table.setdefault(words, (kind, name))
                if kind == "training":
                    table.setdefault((*words[:-1], f"{words[-1]}s"), (kind, name))
                # "narrow" and "wide" are no comparisons, though "narrower" and "wider" are.
                compares = kind in ("up", "down") and words[-1].endswith(("er", "est"))
                if kind not in ("training", "neg") and not compares:
                    table.setdefault(("~", *(stem(w) for w in words)), (kind, name))
    return table, max(len(k) for k in table)


@cache
def _synonyms() -> dict[str, str]:
    """Stem -> the stem that stands for its group; the first group wins."""
    found: dict[str, str] = {}
    for line in SYNONYMS:
        stems = [stem(w) for w in line.split()]
        head = next((found[s] for s in stems if s in found), stems[0])
        for s in stems:
            found.setdefault(s, head)
    return found


@cache
def antonyms() -> dict[str, frozenset[str]]:
    """Key of a word -> the keys of its opposites."""
    found: dict[str, set[str]] = {}
    for line in ANTONYMS:
        left, right = (stem(w) for w in line.split())
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return {k: frozenset(v) for k, v in found.items()}


def canonical(stemmed: str) -> str:
    """What a stem is compared by."""
    if stemmed in antonyms():
        return stemmed
    return _synonyms().get(stemmed, stemmed)


_IRREGULAR = {
    "grew": "grow", "grown": "grow", "gave": "give", "given": "give", "led": "lead",
    "did": "do", "rose": "rise", "risen": "rise", "fell": "fall", "built": "build",
    "lost": "lose", "felt": "feel", "held": "hold", "kept": "keep", "took": "take",
    "wrote": "write", "written": "write", "began": "begin", "became": "become", "ran": "run",
    "won": "win", "sang": "sing", "sold": "sell", "bought": "buy", "hypertrophied": "hypertrophy",
    "women": "woman", "men": "man", "children": "child", "feet": "foot", "shown": "show",
    "lay": "lie", "fought": "fight", "met": "meet", "paid": "pay", "taught": "teach",
    "tore": "tear", "torn": "tear", "chose": "choose", "spent": "spend", "left": "leave", "brought": "bring", "told": "tell",
    "said": "say", "went": "go", "came": "come", "knew": "know", "known": "know", "made": "make",
    "slept": "sleep", "drew": "draw", "drawn": "draw", "drove": "drive", "broke": "break",
    "struck": "strike", "hid": "hide", "caught": "catch", "thought": "think",
    "saw": "see", "seen": "see", "stood": "stand", "sat": "sit", "swam": "swim", "threw": "throw",
}  # fmt: skip


def stem(word: str) -> str:
    """The Snowball stem of a lower-case word, irregular forms mended."""
    if len(word) > 60:
        return word
    return str(_stemmer().stemWord(_IRREGULAR.get(word, word)))


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
