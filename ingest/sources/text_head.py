"""The top of a page copied as text: which lines are its title, byline and dates.

A byline or date line is the anchor; the title is the line near it that reads most like one. A line
that comes again (in the breadcrumb, above the comments) is the title more probably, the name in
the copyright line never.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ingest.cleaning import WRITTEN_DATE, written_day

_NAME_WORD = r"[A-ZÀ-ÞĀ-Ž][\w.'’-]*"
_PARTICLE = r"(?:de|del|della|da|dos|van|von|der|den|ter|la|le|al|bin|el)"
_DEGREE = (
    r"(?:Ph\.?\s?D|M\.?D|D\.?O|M\.?S\.?c?|B\.?S\.?c?|M\.?A|B\.?A|M\.?Ed|MPH|CSCS|CPT|NASM|NSCA|ACE|ACSM|"
    r"DPT|PT|RDN?|LDN|RN|ATC|FACSM|SCS|OCS)\b(?:[.*,]*(?=\W|$))(?:-[A-Z]+)?"
)
_CREDENTIALS = rf"(?:,?\s+{_DEGREE}|,\s*{_DEGREE})*"
_NO_NAME = (
    r"(?:The|An?|On|In|At|For|To|How|Why|What|When|Where|Who|Is|Are|Do|Does|Can|Should|My|Your|Our|This|These|That|"
    r"It|If|Best|Top|New|Deep|More|Most|Get|Train|Training|Guide|Glutes?|Hips?|Squats?|Thrusts?|Leave|No|Read|Table)\b"
)
PERSON = re.compile(
    rf"(?:(?:Dr|Prof)\.?\s+)?(?:(?!{_DEGREE}(?:\W|$)){_NAME_WORD})(?:\s+(?:{_PARTICLE}\s+)*(?!{_DEGREE}(?:\W|$)){_NAME_WORD}){{1,4}}{_CREDENTIALS}"
)
_BARE_PERSON = re.compile(rf"(?!{_NO_NAME}){PERSON.pattern}")
"""A name without "by": not the title "On Cable Kickbacks"."""
_BYLINE_NAME = rf"(?:{PERSON.pattern}|{_NAME_WORD}{_CREDENTIALS}|admin\b)"
_LABELS_BEHIND = r"(?:Published|Posted|Updated|Last|Reviewed|Medically|Written|On|In|Date|Leave|No|Add|Share|Filed|Comments?|Reading)\b"
_CHECKED_BY = re.compile(
    rf"(?i:(?:medically |expert |clinically |scientifically )?(?:reviewed|fact[- ]checked|edited|photos?|"
    rf"illustrations?|verified)\s+by:?)\s+{_BYLINE_NAME}"
)
_WRITTEN_BY = re.compile(
    rf"(?i:\b(?:(?:written|posted|published|authored|article|words|text|story|guest post)\s+)?by"
    rf"|\bauthors?)\s*:?\s+(?P<name>{_BYLINE_NAME}(?:(?:\s*,\s*|\s+(?:and|&)\s+){_BYLINE_NAME}){{0,4}})"
)
_UPDATED_LABEL = (
    r"(?:(?:last|recently|most recently)\s+)?(?:medically\s+)?"
    r"(?:updated?|modified|edited|revised|reviewed|changed)"
)
_FIRST_LABEL = r"(?:(?:first|originally|article|post|page)\s+)?(?:published|posted|written|created|added|date|on)"
_DATE = rf"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\.?,?\s+)?{WRITTEN_DATE.pattern}"
_UPDATED = re.compile(
    rf"\b{_UPDATED_LABEL}\b\s*(?:date\b\s*)?(?:on\b\s*)?[:–—-]?\s*(?P<day>{_DATE})", re.IGNORECASE
)
_PUBLISHED = re.compile(
    rf"\b(?:{_FIRST_LABEL}\b\s*){{1,2}}[:–—-]?\s*(?P<day>{_DATE})", re.IGNORECASE
)
_ANY_DATE = re.compile(rf"(?P<day>{_DATE})", re.IGNORECASE)
_BESIDE = re.compile(
    r"""\b(?:\d+\s*(?:comments?|responses?|repl(?:y|ies)|shares?|views?|likes?|claps?)
     |(?:leave|post|add|write|no)\s+(?:a\s+)?(?:comments?|reply|responses?)
     |\d+\s*[-–]?\s*min(?:ute)?s?(?:\s+(?:read|reading\s+time))?|(?:reading\s+time|time\s+to\s+read)\s*:?
     |(?:at\s+)?\d{1,2}:\d{2}(?:\s*[ap]\.?m\.?)?(?:\s+[A-Z]{2,4})?
     |(?:filed\s+under|posted\s+in|categor(?:y|ies)|in|tags?)\b:?\s*[\w&'’ ,/-]{0,80}$)""",
    re.VERBOSE | re.IGNORECASE,
)  # fmt: skip
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_SEPARATOR = re.compile(r"\s[/|·•–—-]\s|[|·•]|\t")
_CRUMB = re.compile(r"\s*[/»›>→|]\s*")
_COPYRIGHT = re.compile(
    r"(?:©|\(c\)|copyright)\s*(?:copyright|©)?\s*(?:\d{4}(?:\s*[-–]\s*(?:\d{4}|present))?)?\s*,?\s*"
    r"(?:by\s+)?(?P<site>[^·|.©–—-]{3,60})",
    re.IGNORECASE,
)
_LABEL_ALONE = re.compile(
    r"(?:post(?:ed)? (?:author|date|by)|(?:written |posted |published )?by|authors?|date|published(?: on)?|"
    r"updated(?: on)?|last updated(?: on)?)\s*:?",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Meta:
    """What one line, or several, say of author and days."""

    author: str = ""
    date: str = ""
    updated: str = ""

    def take(self, other: Meta) -> None:
        """Adds what is not known yet."""
        self.author = self.author or other.author
        self.date = self.date or other.date
        self.updated = self.updated or other.updated

    def __bool__(self) -> bool:
        return bool(self.author or self.date or self.updated)


@dataclass(slots=True)
class Head(Meta):
    """What the top of the page says about the article, and the line its text begins at."""

    title: str = ""
    subtitle: str = ""
    start: int = 0
    site: str = ""
    tags: list[str] = field(default_factory=list)


def read_meta(words: str) -> Meta | None:
    """A line that is a byline, a date, or both with comment counts and categories; else None."""
    if len(words) > 240:
        return None
    meta = Meta()
    left = _CHECKED_BY.sub(" | ", words)
    checked = left != words
    for pattern in (_UPDATED, _PUBLISHED, _ANY_DATE):
        while match := pattern.search(left):
            day = written_day(match["day"])
            if pattern is _UPDATED:
                meta.updated = meta.updated or day
            else:
                meta.date = meta.date or day
            left = f"{left[: match.start()]} | {left[match.end() :]}"
    byline = _WRITTEN_BY.search(left)
    if byline:
        name, cut = _clean_name(byline["name"])
        meta.author = name
        left = f"{left[: byline.start()]} | {left[byline.end() - cut :]}"
    if not (meta or checked) or not _is_remainder(_BESIDE.sub(" | ", left), words):
        return None
    return meta


def _clean_name(text: str) -> tuple[str, int]:
    """(the name, characters behind it that belong to the next label)."""
    label = re.search(rf"\s+{_LABELS_BEHIND}", text)
    name = text[: label.start()] if label else text
    cut = len(text) - len(name)
    name = name.strip(" ,;:–—-")
    return (name.title() if name.isupper() and len(name) > 4 else name), cut


def _is_remainder(left: str, words: str) -> bool:
    """Whether what is left of a line beside its byline and dates is small change."""
    pieces = [p for p in (re.sub(r"\W+", " ", p).split() for p in _SEPARATOR.split(left)) if p]
    count = sum(len(p) for p in pieces)
    if count <= 3:
        return not re.search(r"[a-z]{2}\.$", words) or count == 0 or len(words) < 90
    separated = len(_SEPARATOR.findall(words)) >= 1
    return separated and all(len(p) <= 4 for p in pieces) and count <= 12


def site_name(words: Sequence[str]) -> str:
    """The name in the copyright line, which heads the page but is not the article's title."""
    for line in reversed(words):
        match = _COPYRIGHT.search(line) if len(line) < 160 else None
        if match:
            return re.sub(
                r"(?i)\s*all rights reserved.*|\s+(?:inc|llc|ltd)\b.*", "", match["site"]
            ).strip(" ,.")
    return ""


def is_breadcrumb(words: str) -> bool:
    """ "Home » Training » The title", "You are here: Home / The title"."""
    if re.match(r"you are here\b", words, re.IGNORECASE):
        return True
    pieces = [p for p in re.split(r"\s+[/»›>→|]\s+|\s*[»›]\s*", words) if p]
    return (
        len(pieces) >= 2
        and len(pieces[0].split()) <= 3
        and re.match(r"(?:home|blog|start|articles?)\b", pieces[0], re.IGNORECASE) is not None
    )


HEAD_LINES = 400
_FOOT_LINES = 400
"""How many lines at either end are searched: menus are long, but not endless."""


class HeadReader:
    """Finds title, byline and dates among a page's first lines.

    For each line: its words, whether it is furniture, whether prose, whether such a line ends articles.
    """

    def __init__(
        self,
        words: Sequence[str],
        furniture: Sequence[bool],
        prose: Sequence[bool],
        ends: Sequence[bool],
    ) -> None:
        # The foot, with the comments' heading and the copyright line, tells the title from the site.
        self._words = words[:HEAD_LINES]
        self._foot = words[HEAD_LINES:][-_FOOT_LINES:]
        self._furniture = furniture
        self._prose = prose
        self._ends = ends
        self._head = Head(site=site_name(words))
        self._metas: dict[int, Meta] = {}

    def read(self) -> Head:
        """The head; its `start` is the first line that may be the article's text."""
        anchor = self._anchor()
        first_prose = next(
            (n for n in range(anchor or 0, len(self._words)) if self._prose[n]), len(self._words)
        )
        if anchor is not None:
            self._collect(anchor, first_prose)
            anchor = self._first_of_byline(anchor)
        title = self._choose_title(anchor, first_prose)
        last = max([-1, *self._metas, *([title] if title is not None else [])])
        self._head.start = last + 1 if last >= 0 else self._after_menu(first_prose)
        if title is not None:
            self._head.title = re.sub(r"^#+\s+", "", self._words[title])
        return self._head

    # -- byline and dates ----------------------------------------------------------------------

    def _anchor(self) -> int | None:
        """The first byline or date line with no more than a teaser or notice of prose above."""
        prose = 0
        for n, words in enumerate(self._words):
            if words and not is_breadcrumb(words) and (read_meta(words) or self._labels_name(n)):
                return n
            prose += self._prose[n]
            if prose > 2 or (prose and self._ends[n]):
                break
        return None

    def _first_of_byline(self, anchor: int) -> int:
        """The first of the byline's lines: a bare name may stand above the date."""
        while above := [n for n in range(anchor) if self._words[n]][-1:]:
            if above[0] not in self._metas:
                break
            anchor = above[0]
        return anchor

    def _labels_name(self, n: int) -> bool:
        """ "Written by", and on the next line the name."""
        return _LABEL_ALONE.fullmatch(self._words[n]) is not None and (
            PERSON.fullmatch(next((w for w in self._words[n + 1 :] if w), "")) is not None
        )

    def _collect(self, anchor: int, first_prose: int) -> None:
        """The lines of byline and dates, at most a few others between them."""
        since = 0
        for n in range(anchor, first_prose):
            words = self._words[n]
            meta = read_meta(words) if words else None
            if meta is not None or (words and self._labels_name(n)):
                self._metas[n] = meta or Meta()
                self._head.take(self._metas[n])
                since = 0
            elif words and not self._furniture[n]:
                since += 1
            if since > 4:
                break
        self._take_names_beside()
        self._take_category()

    def _take_category(self) -> None:
        """ "in" and the category, on lines of their own below the byline."""
        behind = [n for n in range(max(self._metas) + 1, len(self._words)) if self._words[n]][:2]
        if len(behind) == 2 and self._words[behind[0]].lower() in {"in", "posted in"}:
            self._metas |= {n: Meta() for n in behind}
            self._head.tags += [t.strip() for t in self._words[behind[1]].split(",")]

    def _take_names_beside(self) -> None:
        """A name on a line of its own, below "Written by" or beside the date."""
        lines = [n for n, w in enumerate(self._words) if w and n <= max(self._metas) + 6]
        for place, n in enumerate(lines):
            if _LABEL_ALONE.fullmatch(self._words[n]) and n >= min(self._metas) - 8:
                self._metas.setdefault(n, Meta())
                if place + 1 < len(lines) and PERSON.fullmatch(self._words[lines[place + 1]]):
                    self._take_name(lines[place + 1])
        if self._head.author:
            for n in lines:
                if self._words[n] == self._head.author:
                    self._metas.setdefault(n, Meta())
            return
        for name in self._names_beside(lines):
            self._take_name(name)
            for n in lines:  # shown twice: as the portrait's text and as a link
                if self._words[n] == self._words[name]:
                    self._metas.setdefault(n, Meta())
            return

    def _take_name(self, n: int) -> None:
        self._head.author = self._head.author or self._words[n]
        self._metas.setdefault(n, Meta())

    def _names_beside(self, lines: Sequence[int]) -> Iterator[int]:
        for date in sorted(self._metas):
            for piece in _SEPARATOR.split(self._words[date]):
                if _BARE_PERSON.fullmatch(piece.strip()) and not WRITTEN_DATE.search(piece):
                    self._head.author = piece.strip()
                    return
        others = [n for n in lines if n not in self._metas and len(self._words[n].split()) >= 3]
        for date in sorted(self._metas):
            near = [
                n
                for n in lines
                if n not in self._metas and abs(lines.index(n) - lines.index(date)) <= 5
            ]
            near.sort(key=lambda n: (abs(lines.index(n) - lines.index(date)), n < date))
            for n in near:
                words = self._words[n]
                is_name = _BARE_PERSON.fullmatch(words) and words != self._head.site
                twice = self._words[:n].count(words) + self._words[n + 1 :].count(words) > 0
                beside = abs(lines.index(n) - lines.index(date)) == 1
                if (
                    is_name
                    and not self._furniture[n]
                    and (beside or twice)
                    and [k for k in others if k != n]
                ):
                    yield n

    # -- the title -----------------------------------------------------------------------------

    def _choose_title(self, anchor: int | None, first_prose: int) -> int | None:
        end = first_prose if anchor is not None else min(first_prose, len(self._words))
        candidates = [n for n in range(end) if self._could_be_title(n)]
        if not candidates:
            return None
        above = [] if anchor is None else self._above(candidates, anchor)
        scores = {n: self._title_score(n, anchor, above) for n in candidates}
        best = max(candidates, key=lambda n: (scores[n], -n))
        self._take_subtitle(best, candidates, anchor)
        return best

    def _could_be_title(self, n: int) -> bool:
        words = self._words[n]
        return (
            n not in self._metas
            and not self._furniture[n]
            and not is_breadcrumb(words)
            and not words.lower().startswith(("http", "www."))
            and 3 <= len(words) <= 200
            and re.search(r"[A-Za-zÀ-ž]{2}", words) is not None
            and re.fullmatch(
                rf"\S+@\S+|\d{{1,2}} (?:{_MONTH})[a-z]*|(?:{_MONTH})[a-z]* \d{{1,2}}", words
            )
            is None
        )

    def _above(self, candidates: Sequence[int], anchor: int) -> list[int]:
        """Lines above the byline that may be titles by their length; a short one only right above it."""
        above = [n for n in candidates if n < anchor]
        long = [n for n in above if len(self._words[n].split()) >= 3]
        filled = [n for n in range(anchor) if self._words[n] and not self._furniture[n]]
        last = above[-1] if above and filled[-1:] == above[-1:] else None
        if last is None or last in long or len(self._words[last].split()) < 2:
            return long
        # Below a longer line it is the category, above the byline "On Cable Kickbacks" a blog's name.
        before = filled[-2:-1]
        is_category = bool(before and before[0] in long and not self._in_menu(before[0]))
        return long if is_category or not self._head.author else [*long, last]

    def _title_score(self, n: int, anchor: int | None, above: Sequence[int]) -> float:
        score = self._own_score(n) + 4.0 * self._comes_again(n, anchor)
        if anchor is None:
            return score + (1.5 if n == self._first_candidate() else 0.0)
        if n > anchor:
            opens = not self._head.author and self._prose[self._next_filled(n)]
            return score + 1.0 + 3.0 * opens
        if n in above:
            nearest = list(reversed(above)).index(n)
            score += max(0.0, 4.0 - 1.5 * nearest)
            explains = len(above) > 1 and self._is_subtitle(above[-1], above[-2])
            beside = nearest == 0 and not any(self._words[n + 1 : anchor])
            score += 3.0 * (nearest == 1 and explains) + 3.0 * (beside and not explains)
        return score

    def _own_score(self, n: int) -> float:
        """How much a line reads like a title by itself and by what stands around it."""
        words = self._words[n]
        count = len(words.split())
        score = 2.0 * (count >= 3) + 1.0 * (count >= 5) + 1.0 * words.endswith(("?", "!"))
        score += 12.0 * words.startswith("# ") + 1.0 * self._stands_alone(n)
        score -= 8.0 * (_letters(words) == _letters(self._head.site))
        score -= 2.0 * words.endswith((".", ":", ";", ","))
        return score - 2.0 * self._in_menu(n) - 5.0 * self._holds_another(n)

    def _next_filled(self, n: int) -> int:
        return next((k for k in range(n + 1, len(self._words)) if self._words[k]), n)

    def _first_candidate(self) -> int:
        return next(n for n in range(len(self._words)) if self._could_be_title(n))

    def _holds_another(self, n: int) -> bool:
        """The browser's title: "The title - Strong Body Blog", where "The title" is a line too."""
        parts = re.split(r"\s[|–—-]\s", self._words[n])
        return len(parts) > 1 and parts[0] in self._words

    def _comes_again(self, n: int, anchor: int | None) -> bool:
        """In the breadcrumb, the browser's title, "3 comments on “…”", or as a line again."""
        words = self._words[n]
        if len(words.split()) < 2 or len(words) < 10:
            return False
        letters = _letters(words)
        for k, other in enumerate([*self._words, *self._foot]):
            if k == n or len(other) > len(words) + 100 or letters not in _letters(other):
                continue
            if is_breadcrumb(other) or re.search(
                r"(?:comments?|thoughts?|repl(?:y|ies)|responses?) (?:on|to)\b",
                other,
                re.IGNORECASE,
            ):
                return True
            below = anchor is not None and n > anchor  # there it is a line of the contents
            if not below and re.match(rf"{re.escape(words)}(?:\s*$|\s+[|–—-]\s)", other):
                return True
        return False

    def _stands_alone(self, n: int) -> bool:
        return not self._word_at(n - 1) and not self._word_at(n + 1)

    def _in_menu(self, n: int) -> bool:
        """One of three or more short lines without a blank between."""
        start, end = n, n
        while self._is_item(start - 1):
            start -= 1
        while self._is_item(end + 1):
            end += 1
        return self._is_item(n) and end - start >= 2

    def _is_item(self, n: int) -> bool:
        words = self._word_at(n)
        return bool(words) and len(words.split()) <= 4 and n not in self._metas

    def _word_at(self, n: int) -> str:
        return self._words[n] if 0 <= n < len(self._words) else ""

    def _is_subtitle(self, lower: int, upper: int) -> bool:
        """Whether the line below a possible title explains it: a sentence's case, and longer."""
        between = [k for k in range(upper + 1, lower) if self._words[k]]
        one, other = self._words[upper], self._words[lower]
        if between or len(one.split()) < 4 or _letters(one) == _letters(self._head.site):
            return False
        return _is_titled(one) > _is_titled(other) or (
            _is_titled(one) == _is_titled(other) and len(other) > len(one)
        )

    def _take_subtitle(self, title: int, candidates: Sequence[int], anchor: int | None) -> None:
        below = [n for n in candidates if anchor is not None and title < n < anchor]
        if (
            below
            and not [k for k in range(title + 1, below[0]) if self._words[k]]
            and len(self._words[below[0]]) > 25
        ):
            self._head.subtitle = self._words[below[0]]

    def _after_menu(self, prose: int) -> int:
        return next((n for n in range(prose, -1, -1) if n == 0 or self._furniture[n - 1]), 0)


def _is_titled(words: str) -> bool:
    """Whether most longer words begin with a capital."""
    longer = [w for w in re.findall(r"[^\W\d_][\w'’-]*", words)[1:] if len(w) > 3]
    return bool(longer) and sum(w[0].isupper() for w in longer) > 0.6 * len(longer)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def lifted_byline(body: str) -> tuple[Meta, str]:
    """(what the byline lines at the top of a Markdown body say, the body without them)."""
    meta = Meta()
    blocks = body.split("\n\n")
    for block in blocks[:3]:
        found = [read_meta(line.removesuffix("\\").strip("*_ ")) for line in block.split("\n")]
        if not all(found):
            break
        for one in found:
            meta.take(one or Meta())
        blocks.remove(block)
    return meta, "\n\n".join(blocks).strip()
