"""An article's reference list and its in-text citations; and which references are one work.

The list leaves the article's body and becomes entries; "(Contreras et al., 2013)", "[3]" and
superscripts become Pandoc's `[@id]`. A citation that fits no entry, or more than one, stays as
the text it was and is reported: a wrong reference is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ingest.cleaning import is_reference_heading
from ingest.corpus_files import year_of
from ingest.passages import slugify
from ingest.reference_strings import Entry, parse_reference, stands_for_author_before
from ingest.sources.found import CslItem

# -- the list ----------------------------------------------------------------------------------


def split_reference_list(body: str) -> tuple[str, list[Entry]]:
    """(the body without its reference list, the list's entries in order).

    A heading (or a line that stands alone) such as "References" opens a list; without one, only
    whole entries at the very end are a list. Prose that follows stays in the body.
    """
    lines = body.split("\n")
    start = _list_start(lines)
    if start is None:
        return _split_unheaded_list(lines)
    end = next(
        (n for n in range(start + 1, len(lines)) if re.match(r"#{1,6}\s", lines[n])), len(lines)
    )
    entries, used = _read_entries(lines[start + 1 : end])
    if not entries:
        return body, []
    rest = lines[start + 1 + used :]
    kept = "\n".join([*lines[:start], *rest]).strip()
    return re.sub(r"\n{3,}", "\n\n", kept), entries


def _split_unheaded_list(lines: Sequence[str]) -> tuple[str, list[Entry]]:
    """Two or more whole entries that end a text, behind at most one closing line."""
    blocks = _entry_blocks(lines)
    entries: list[Entry] = []
    first = last = len(blocks)
    while first:
        text, _, ordinal = blocks[first - 1]
        entry = _numbered(parse_reference(text), ordinal)
        if _is_whole_entry(entry):
            entries.insert(0, entry)
        elif entries or first < len(blocks) or len(text) >= 120:
            break
        else:
            last -= 1
        first -= 1
    if len(entries) < 2 or first == 0:
        return "\n".join(lines), []
    kept = [*lines[: blocks[first - 1][1]], "", *lines[blocks[last - 1][1] :]]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip(), entries


def _is_whole_entry(entry: Entry) -> bool:
    """Authors, year, title and where it appeared: no paragraph of prose has all of these."""
    item = entry.item
    placed = (
        item.get("DOI") or item.get("PMID") or (item.get("container-title") and item.get("page"))
    )
    return bool(
        len(entry.raw) < 700 and item.get("author") and item.get("title") and placed
        and year_of(item.get("issued"))
    )  # fmt: skip


def _numbered(entry: Entry, ordinal: int | None) -> Entry:
    return entry if entry.number is not None or ordinal is None else replace(entry, number=ordinal)


def _with_author_before(entry: Entry, before: Any) -> Entry:
    """Dashes in the authors' place stand for the authors of the entry before."""
    if not before or not stands_for_author_before(entry.raw):
        return entry
    return replace(entry, item={**entry.item, "author": before})


def _list_start(lines: Sequence[str]) -> int | None:
    """The last line that is a heading of references."""
    found = None
    for n, line in enumerate(lines):
        words = re.sub(r"^#{1,6}\s+|[*_]{1,3}", "", line).strip()
        is_alone = not line.strip() or n == 0 or not lines[n - 1].strip() or line.startswith("#")
        if words and len(words) < 40 and is_alone and is_reference_heading(words):
            found = n
    return found


def _read_entries(lines: Sequence[str]) -> tuple[list[Entry], int]:
    """(entries, lines used). One entry a paragraph, list item or hard-broken line."""
    entries: list[Entry] = []
    used = 0
    for block, end, ordinal in _entry_blocks(lines):
        before = entries[-1].item.get("author") if entries else None
        entry = _with_author_before(parse_reference(block), before)
        if not _is_entry(entry):
            if entries and _ends_list(block):
                break
            continue
        entries.append(_numbered(entry, ordinal))
        used = end
    return entries, used


def _entry_blocks(lines: Sequence[str]) -> list[tuple[str, int, int | None]]:
    """(text, line after it, ordinal in a numbered list) of each entry-like block."""
    blocks: list[tuple[str, int, int | None]] = []
    buffer: list[str] = []
    ordinal: int | None = None

    def close(end: int) -> None:
        nonlocal buffer, ordinal
        if buffer:
            blocks.append((" ".join(buffer), end, ordinal))
        buffer, ordinal = [], None

    for n, line in enumerate(lines):
        text = line.strip()
        if not text or text in {"---", "***"}:
            close(n)
            continue
        item = re.match(r"(?:(\d{1,3})[.)]|[-*•])\s+", text)
        if item or _opens_entry(text, buffer):
            close(n)
        if item:
            ordinal = int(item[1]) if item[1] else None
            text = text[item.end() :]
        buffer.append(text.removesuffix("\\").rstrip())
        if line.rstrip().endswith("\\"):
            close(n + 1)
    close(len(lines))
    return blocks


def _opens_entry(text: str, buffer: Sequence[str]) -> bool:
    """Whether a line begins an entry although the one before has not been closed by a blank."""
    if not buffer:
        return False
    if re.match(r"\\?\[\d{1,3}\]|\^\d{1,3}\^|\d{1,3}[.)]?\s+[A-Z]", text):
        return True
    # Only the last line tells: joined with all before it, a long table took minutes.
    whole = re.search(r"(?:[.)\]]|10\.\d{4,}/\S+|https?://\S+|\d)$", buffer[-1]) is not None
    entry = re.match(r"[^\d]{3,200}?\(?\b(?:1[89]|20)\d{2}[a-z]?\b", text) is not None
    named = re.match(r"[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)?,?\s+[A-Z]{1,3}(?:[.,\s]|$)", text)
    return whole and bool(named) and (entry or len(text) > 60)


def _is_entry(entry: Entry) -> bool:
    item = entry.item
    if item.get("DOI") or item.get("PMID"):
        return True
    if len(entry.raw) < 20:
        return False
    who = bool(item.get("author"))
    when = year_of(item.get("issued")) is not None
    return bool(item.get("title")) and (
        (who and (when or bool(item.get("container-title"))))
        or (when and bool(item.get("container-title") or item.get("URL")))
        or (entry.number is not None and (who or when or bool(item.get("URL"))))
        or (bool(item.get("URL")) and len(entry.raw) > 30)
    )


def _ends_list(block: str) -> bool:
    return len(block) > 60 or block.startswith(("#", "|", ">"))


# -- which works are one -----------------------------------------------------------------------


def first_family(item: CslItem) -> str:
    """The first author's family name (or organisation), folded; "" where there is none."""
    authors = item.get("author")
    if not isinstance(authors, Sequence) or isinstance(authors, str) or not authors:
        return folded(authors) if isinstance(authors, str) else ""
    first = authors[0]
    if isinstance(first, Mapping):
        return folded(str(first.get("family") or first.get("literal") or ""))
    return folded(str(first))


def folded(text: str) -> str:
    """Letters and digits in lower case without accents, for comparing names and titles."""
    plain = unicodedata.normalize(
        "NFKD", text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O")
    )
    return re.sub(r"[\W_]+", "", plain.encode("ascii", "ignore").decode()).lower()


def same_work(one: CslItem, other: CslItem) -> bool:
    """By DOI where both have one; else by title and year; never over years or first authors."""
    doi, other_doi = plain_doi(one), plain_doi(other)
    if doi and other_doi:
        return doi == other_doi
    pmid, other_pmid = str(one.get("PMID") or ""), str(other.get("PMID") or "")
    if pmid and pmid == other_pmid:
        return True
    year, other_year = year_of(one.get("issued")), year_of(other.get("issued"))
    if year != other_year or first_family(one) != first_family(other):
        return False
    return _same_title(str(one.get("title") or ""), str(other.get("title") or ""))


def _same_title(one: str, other: str) -> bool:
    """Whether two titles are one, but for typing slips, small words and a subtitle left out.

    A team's titles of one year differ by a word – "in women", "in men" – so each word must find
    its like; a ratio over the letters would join them.
    """
    a, b = folded(one), folded(other)
    if not a or not b:
        return False
    if a == b:
        return True
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False  # "Part 1" and "Part 2", "6 weeks" and "8 weeks" are two works
    shorter, longer = sorted((one, other), key=len)
    heads = (longer[: m.start()] for m in re.finditer(r"\s*[:.?–—(]", longer))
    if len(folded(shorter)) >= 25 and any(folded(head) == folded(shorter) for head in heads):
        return True
    left, right = _words_apart(one, other)
    return len(left) <= 3 and len(left) == len(right) and all(map(_is_slip, left, right))


def _words_apart(one: str, other: str) -> tuple[list[str], list[str]]:
    """The telling words that only one of two titles has, in order."""
    words = [[w for w in slugify(t).split("-") if w not in _SMALL_WORDS] for t in (one, other)]
    return (
        [w for w in words[0] if w not in words[1]],
        [w for w in words[1] if w not in words[0]],
    )


def _is_slip(one: str, other: str) -> bool:
    """Whether two words are one, mistyped, inflected or spelt the British way."""
    from rapidfuzz.distance import OSA, Prefix

    if {one[:6], other[:6]} == {"abduct", "adduct"}:
        return False  # one letter, and the other side of the hip
    shortest, longest = sorted((len(one), len(other)))
    stem = Prefix.similarity(one, other)
    mistyped = shortest >= 5 and one[0] == other[0] and OSA.distance(one, other) <= 1
    return mistyped or (stem >= 5 and stem >= 0.7 * longest)


def plain_doi(item: CslItem) -> str:
    """An item's DOI in lower case and without an address around it; "" where it has none."""
    text = str(item.get("DOI") or "").strip().lower()
    return re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", text)


_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "between",
        "by",
        "can",
        "do",
        "does",
        "during",
        "for",
        "from",
        "how",
        "in",
        "into",
        "is",
        "it",
        "of",
        "on",
        "or",
        "the",
        "to",
        "vs",
        "versus",
        "what",
        "when",
        "which",
        "with",
    ]
)


def reference_id(item: CslItem, taken: Iterable[str] = ()) -> str:
    """ "contreras-2011-barbell-hip-thrust": family, year, first words of the title; unused yet."""
    words = [w for w in slugify(str(item.get("title") or "")).split("-") if w]
    telling = [w for w in words if w not in _SMALL_WORDS and len(w) > 1][:3] or words[:3]
    authors = item.get("author") or ()
    first = authors[0] if isinstance(authors, Sequence) and authors else ""
    name = (
        (first.get("family") or first.get("literal") or "") if isinstance(first, Mapping) else first
    )
    family = "-".join(slugify(str(name)).split("-")[:3])
    year = year_of(item.get("issued"))
    parts = [family, str(year) if year else "nd" if family else "", *telling]
    base = "-".join(p for p in parts if p)[:80].strip("-") or "reference"
    used = set(taken)
    number, candidate = 2, base
    while candidate in used:
        candidate, number = f"{base}-{number}", number + 1
    return candidate


# -- citations in the text ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the article's list together with the id of its reference."""

    id: str
    entry: Entry


@dataclass(slots=True)
class Linked:
    """The body with its citations resolved, and those that were not."""

    body: str
    cited: set[str] = field(default_factory=set)
    unresolved: list[str] = field(default_factory=list)


_NAME = r"(?:(?:[Vv]an|[Vv]on|[Dd]e|[Dd]el|[Dd]ella|[Dd]er|[Dd]en|[Dd]a|[Dd]i|[Dd]os|[Ll]a|[Ll]e|[Tt]er|[Tt]en|Ó|O|Ní|Mac|Mc|St\.?)\s+){0,3}[A-ZÀ-ÞŁŚŠŽČĐ][\w'’‐-]*(?:\s[A-ZÀ-Þ][\w'’-]+)?"
_INITIAL = r"(?:[A-Z]\.\s?){0,3}"
_ETAL = r"(?:\s*,?\s*(?:\*?et\.?\s+al\b\.?\*?|and (?:colleagues|co-?workers|others)|& colleagues))"
_BEHIND = r"(?:,\s(?:[A-Z]\.\s?){1,3}|\s[A-Z]{1,2}(?=[\s,]))?"
"""Initials behind a name: "Smith, J., 2010", "Contreras B et al."."""
_NAMES = (
    rf"{_INITIAL}{_NAME}{_BEHIND}"
    rf"(?:(?:\s*,?\s*(?:&|and)\s*|\s*,\s*){_INITIAL}{_NAME}{_BEHIND}){{0,8}}{_ETAL}?"
)
_YEARS = r"(?:(?:1[89]|20)\d{2}[a-z]?|n\.d\.|in press)(?:\s*,\s*(?:(?:1[89]|20)\d{2}[a-z]?|[b-z]\b)){0,6}"
_ONE = re.compile(
    rf"^(?P<before>(?:(?:see(?: also)?|cf\.|e\.g\.|i\.e\.|as in|also|reviewed (?:in|by)|for (?:a )?reviews?,? see)[,:]?\s+)*)"
    rf"(?P<names>{_NAMES})\s*,?\s*\(?(?P<years>{_YEARS})\)?(?P<after>(?:\s*[,:]\s*.{{1,60}}|\s(?:for|but|in|on|who|which)\s.{{1,60}})?)$"
)
_PARENTHESES = re.compile(
    r"[(\[]((?:[^()\[\]]|\[[A-Z]{2,8}\]){0,400}?(?:\([^()]*\)[^()\[\]]*)?\b(?:1[89]|20)\d{2}[a-z]?\b[^()\[\]]*)[)\]](?!\()"
)
_NARRATIVE = re.compile(
    rf"(?P<names>{_NAMES})(?:['’]s?)?\s+[(\[](?P<years>{_YEARS})(?P<after>,\s*pp?\.\s*[\d–-]+)?[)\]](?!\()"
)
_NUMBERS = re.compile(r"\\?\[(\s*\d{1,3}(?:\s*[,;–—‐-]\s*\d{1,3})*\s*)\\?\](?!\()")
_BARE = re.compile(
    rf"(?P<names>{_INITIAL}{_NAME}{_BEHIND}{_ETAL}),?\s+(?P<years>(?:1[89]|20)\d{{2}}[a-z]?)(?=[\s,.;:)]|$)"
)
_IN_PARENTHESES = re.compile(
    r"(?<=[\w.,%”\"’])(\s?)\((\d{1,3}(?:\s*[,;–-]\s*\d{1,3}){0,9})\)(?=[\s.,;:!?]|$)"
)
_UNIT = re.compile(r"(?:\b(?:[ckmµ]?m|in|ft|s|h|R|r|kg/m|10)|χ|[ηω]p?)$")
"""What a raised 2 or 3 belongs to as an exponent."""
_SPLIT_RANGE = re.compile(r"\\?\[(\d{1,3})\\?\]\s?[–—‐-]\s?\\?\[(\d{1,3})\\?\](?!\()")
_SUPERSCRIPT = re.compile(r"\^(\d{1,3}(?:[,;–—-]\d{1,3})*)\^")
_UNICODE_SUPERSCRIPT = re.compile(
    r"(?<=[A-Za-z.,;)”\"’])([¹²³⁴-⁹⁰]{1,3}(?:[ˉ⁻,–-][¹²³⁴-⁹⁰]{1,3})*)"
)
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SUPERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def link_citations(body: str, listed: Sequence[Listed]) -> Linked:
    """The body with every citation that one entry fits turned into `[@id]`."""
    linked = _linked(body, _Finder(listed))
    if linked.cited or not listed:
        return linked
    counted = list(listed)
    if all(x.entry.number is None for x in listed):
        # A list without numbers cited by numbers: they count in the order of the list.
        counted = [Listed(x.id, replace(x.entry, number=n)) for n, x in enumerate(listed, 1)]
        by_order = _linked(body, _Finder(counted))
        if by_order.cited:
            return by_order
    return _linked_in_parentheses(body, _Finder(counted)) or linked


def _linked_in_parentheses(body: str, finder: _Finder) -> Linked | None:
    """ "growth (1, 3)." where nothing else cites, and such numbers name most of the list."""
    cited: set[str] = set()

    def link(match: re.Match[str]) -> str:
        ids = None if _enumerates(match) else finder.by_numbers(match[2].replace("–", "-"))
        cited.update(ids or ())
        return f" {_cite(ids)}" if ids else match.group()

    text = _IN_PARENTHESES.sub(link, body)
    return Linked(text, cited) if len(cited) > 0.5 * finder.size else None


def _enumerates(match: re.Match[str]) -> bool:
    """ "first (1) squats, then (2) thrusts": numbers of points, not of references."""
    if not match[2].isdigit() or not re.match(r"\s[a-z]", match.string[match.end() :]):
        return False
    number, text = int(match[2]), match.string
    near = text[max(0, match.start() - 150) : match.start()], text[match.end() : match.end() + 150]
    return any(
        re.search(rf"\({n}\)\s[a-z]", part)
        for n, part in zip((number - 1, number + 1), near, strict=True)
    )


def _linked(body: str, finder: _Finder) -> Linked:
    linked = Linked(body)
    pieces = re.split(r"(```.*?```|`[^`\n]+`|\]\([^()\s]+\))", body, flags=re.DOTALL)
    for n in range(0, len(pieces), 2):
        pieces[n] = _link_piece(pieces[n], finder, linked)
    text = "".join(pieces)
    text = re.sub(r"(\[@[^\]]+\])\s*(?=\[@)", r"\1 ", text)
    linked.body = text
    linked.unresolved = list(dict.fromkeys(linked.unresolved))
    return linked


def _link_piece(text: str, finder: _Finder, linked: Linked) -> str:
    if finder.numbered:
        text = _SPLIT_RANGE.sub(r"[\1–\2]", text)  # IEEE's "[4]–[6]"
        text = _NUMBERS.sub(lambda m: _numbers(m, finder, linked), text)
        text = _UNICODE_SUPERSCRIPT.sub(lambda m: _unicode_numbers(m, finder, linked), text)
    text = _SUPERSCRIPT.sub(lambda m: _superscript(m, finder, linked), text)
    text = _organisations(text, finder, linked)
    text = _NARRATIVE.sub(lambda m: _narrative(m, finder, linked), text)
    text = _PARENTHESES.sub(lambda m: _parenthetical(m, finder, linked), text)
    return _bare(text, finder, linked)


def _organisations(text: str, finder: _Finder, linked: Linked) -> str:
    """ "World Health Organization (2020)", with or without its "[WHO]"."""
    for name in finder.organisations:
        narrative = (
            rf"{re.escape(name)}(?:\s\\?[\[(][A-Z]{{2,8}}\\?[\])])?\s\((?P<years>{_YEARS})\)"
        )
        text = re.sub(narrative, partial(_organisation_said, name, finder, linked), text)
    return text


def _organisation_said(name: str, finder: _Finder, linked: Linked, match: re.Match[str]) -> str:
    ids = [finder.by_organisation(name, *year) for year in _years(match["years"])]
    if not ids or None in ids:
        return match.group()
    keys = [key for key in ids if key]
    linked.cited.update(keys)
    return f"{match.group()[: match.start('years') - match.start() - 1]}{_cite(keys)}"


def _bare(text: str, finder: _Finder, linked: Linked) -> str:
    """ "Contreras et al., 2013" without parentheses: only with "et al.", which prose never has."""
    pieces = re.split(r"(\[[^\[\]]*@[^\[\]]*\])", text)

    def link(match: re.Match[str]) -> str:
        found = [_by_trailing_names(finder, match["names"], *y) for y in _years(match["years"])]
        if len(found) != 1 or found[0] is None:
            return match.group()
        linked.cited.add(found[0])
        return f"{match['names']} {_cite([found[0]])}"

    pieces[::2] = [_BARE.sub(link, piece) for piece in pieces[::2]]
    return "".join(pieces)


class _Finder:
    """Finds the entries that a citation means."""

    def __init__(self, listed: Sequence[Listed]) -> None:
        self._listed = listed
        self._numbers = {x.entry.number: x.id for x in listed if x.entry.number is not None}
        self.numbered = bool(self._numbers)
        self.size = len({x.id for x in listed})
        self.knows_any = bool(listed)
        self.organisations = {
            name: x.id for x in listed for name in _organisation(x.entry.item) if " " in name
        }

    def by_numbers(self, text: str) -> list[str] | None:
        """The ids of "1,3-5"; None unless every one is in the list."""
        ids: list[str] = []
        for part in re.split(r"[,;]", text.replace(" ", "")):
            ends = [int(n) for n in re.findall(r"\d+", part)]
            if not ends or ends[-1] - ends[0] > 30:
                return None
            for number in range(ends[0], ends[-1] + 1):
                found = self._numbers.get(number)
                if found is None:
                    return None
                ids.append(found)
        return list(dict.fromkeys(ids)) or None

    def by_names(self, names: str, year: str, suffix: str) -> str | None:
        """The one id that "Contreras, Cronin & Schoenfeld" of a year can mean."""
        families = _cited_families(names)
        if not families:
            return None
        fits = [x for x in self._listed if self._fits(x, families, names, year)]
        exact = [x for x in fits if x.entry.suffix == suffix]
        if suffix and not exact and not any(x.entry.suffix for x in fits):
            # A list that forgot its letters: they count in the order of the list.
            place = ord(suffix) - ord("a")
            return fits[place].id if len(fits) > 1 and place < len(fits) else _only(fits)
        if suffix:
            return _only(exact)
        return _only(fits) or _only(_of_size(fits, families, names))

    def _fits(self, listed: Listed, families: Sequence[str], names: str, year: str) -> bool:
        item = listed.entry.item
        if str(year_of(item.get("issued")) or "") != year:
            return False
        authors = _families(item)
        if not authors or not _same_name(families[0], authors[0], item):
            return False
        return len(families) == 1 or all(
            any(_same_name(f, a, item) for a in authors) for f in families[1:]
        )

    def by_organisation(self, name: str, year: str, suffix: str) -> str | None:
        """The one id of an organisation's work, by its whole name."""
        fits = [
            x
            for x in self._listed
            if folded(name) in map(folded, _organisation(x.entry.item))
            and str(year_of(x.entry.item.get("issued")) or "") == year
        ]
        return _only([x for x in fits if x.entry.suffix == suffix] if suffix else fits)


def _organisation(item: CslItem) -> list[str]:
    """The name of an author that is no person, as it is written."""
    return [
        str(a["literal"])
        for a in list(item.get("author") or ())[:1]
        if isinstance(a, Mapping) and a.get("literal")
    ]


def _only(listed: Sequence[Listed]) -> str | None:
    ids = {x.id for x in listed}
    return ids.pop() if len(ids) == 1 else None


def _of_size(fits: Sequence[Listed], families: Sequence[str], names: str) -> list[Listed]:
    """Among several, those whose number of authors suits: "et al." means more than named."""
    others = re.search(_ETAL, names) is not None
    return [
        x
        for x in fits
        if (len(_families(x.entry.item)) > len(families)) == others
        and (others or len(_families(x.entry.item)) == len(families))
    ]


def _families(item: CslItem) -> list[str]:
    return [
        folded(str(a.get("family") or a.get("literal") or "") if isinstance(a, Mapping) else str(a))
        for a in item.get("author") or ()
    ]


def _same_name(cited: str, author: str, item: CslItem) -> bool:
    if cited == author:
        return True
    if len(cited) >= 3 and any(  # "WHO" for the World Health Organization
        isinstance(a, Mapping) and a.get("literal") and _acronym(str(a["literal"])) == cited
        for a in item.get("author") or ()
    ):
        return True
    if len(cited) < 6 or len(author) < 6:
        return False
    from rapidfuzz.distance import Levenshtein

    # A slip of one letter in a long name; the year still has to agree.
    return cited[0] == author[0] and Levenshtein.distance(cited, author) <= 1


def _acronym(name: str) -> str:
    return "".join(w[0] for w in re.findall(r"[A-Za-z]+", name) if w[0].isupper()).lower()


def _cited_families(names: str) -> list[str]:
    text = re.sub(_ETAL, "", names)
    text = re.sub(r"\b[A-Z]\.\s?|\s[A-Z]{1,2}(?=$|[\s,])", "", text)
    parts = re.split(r"\s*(?:,|&|\band\b)\s*", text)
    return [folded(re.sub(r"['’]s$", "", p)) for p in parts if folded(p)]


def _years(text: str) -> list[tuple[str, str]]:
    """ "2011a, b, 2013" → [("2011", "a"), ("2011", "b"), ("2013", "")]."""
    found: list[tuple[str, str]] = []
    for match in re.finditer(r"((?:1[89]|20)\d{2})([a-z])?|(?<=[,\s])([b-z])\b", text):
        if match[1]:
            found.append((match[1], match[2] or ""))
        elif found:
            found.append((found[-1][0], match[3]))
    return found


def _cite(keys: Sequence[str]) -> str:
    return "[" + "; ".join(f"@{key}" for key in keys) + "]"


def _numbers(match: re.Match[str], finder: _Finder, linked: Linked) -> str:
    ids = finder.by_numbers(re.sub(r"[–—‐]", "-", match[1]))
    if ids is None:
        linked.unresolved.append(match.group().replace("\\", ""))
        return match.group()
    linked.cited.update(ids)
    return _spaced(match, _cite(ids))


def _superscript(match: re.Match[str], finder: _Finder, linked: Linked) -> str:
    if _UNIT.search(match.string[: match.start()]):
        return match[1].translate(_SUPERS)
    ids = finder.by_numbers(re.sub(r"[–—]", "-", match[1])) if finder.numbered else None
    if ids is None:
        if finder.numbered:
            linked.unresolved.append(f"superscript {match[1]}")
        return match[1].translate(_SUPERS)
    linked.cited.update(ids)
    return _spaced(match, _cite(ids))


def _unicode_numbers(match: re.Match[str], finder: _Finder, linked: Linked) -> str:
    if _UNIT.search(match.string[: match.start()]):
        return match.group()
    ids = finder.by_numbers(re.sub(r"[ˉ⁻–]", "-", match[1].translate(_DIGITS)))
    if ids is None:
        return match.group()
    linked.cited.update(ids)
    return _spaced(match, _cite(ids))


def _spaced(match: re.Match[str], text: str) -> str:
    """A citation is a word of its own: "growth^3^ while" → "growth [@id] while"."""
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    lead = "" if not before or before.isspace() or before in "([" else " "
    return lead + text + (" " if after.isalnum() else "")


def _narrative(match: re.Match[str], finder: _Finder, linked: Linked) -> str:
    """ "Contreras et al. (2013)" → "Contreras et al. [@id]": the name is part of the sentence."""
    names = match["names"]
    ids: list[str] = []
    for year, suffix in _years(match["years"]):
        found = _by_trailing_names(finder, names, year, suffix)
        if found is None:
            if finder.knows_any:
                linked.unresolved.append(match.group())
            return match.group()
        ids.append(found)
    linked.cited.update(ids)
    head = match.group()[
        : match.group().rindex("(") if "(" in match.group() else match.group().rindex("[")
    ]
    locator = match["after"] or ""
    return head.rstrip() + " " + _cite(ids)[:-1] + locator + "]"


def _by_trailing_names(finder: _Finder, names: str, year: str, suffix: str) -> str | None:
    """The names as matched, or fewer: "However, Contreras et al." begins with a word too many."""
    found = finder.by_names(names, year, suffix)
    while found is None:
        cut = re.match(r"[^\s,]+,?\s+(?:and\s+|&\s+)?", names)
        if not cut or cut.end() >= len(names):
            return None
        names = names[cut.end() :]
        found = finder.by_names(names, year, suffix)
    return found


def _parenthetical(match: re.Match[str], finder: _Finder, linked: Linked) -> str:
    """ "(Smith, 2010; Jones & Lee, 2012a)" → "[@a; @b]"; what is unknown keeps its brackets."""
    if "@" in match[1]:
        return match.group()
    parts: list[str] = []
    left: list[str] = []
    for part in re.split(r"\s*;\s*", match[1].strip()):
        one = _ONE.match(part)
        cites = (_resolve(one, finder) if one else None) or _of_organisation(part, finder)
        if cites is None:
            left.append(part)
        else:
            parts += cites
    if not parts:
        if finder.knows_any and any(_ONE.match(p) for p in left):
            linked.unresolved.append(match.group())
        return match.group()
    linked.cited.update(re.findall(r"@([\w-]+)", " ".join(parts)))
    cited = "[" + "; ".join(parts) + "]"
    if not left:
        return cited
    linked.unresolved += [p for p in left if _ONE.match(p)]
    return f"({'; '.join(left)}) {cited}"


def _of_organisation(part: str, finder: _Finder) -> list[str] | None:
    """ "World Health Organization [WHO], 2020"."""
    match = re.fullmatch(rf"(.{{4,150}}?)(?:\s\\?\[[A-Z]{{2,8}}\\?\])?,?\s({_YEARS})", part)
    ids = [finder.by_organisation(match[1], *year) for year in _years(match[2])] if match else []
    return [f"@{key}" for key in ids] if ids and None not in ids else None


def _resolve(one: re.Match[str], finder: _Finder) -> list[str] | None:
    ids: list[str] = []
    for year, suffix in _years(one["years"]):
        found = finder.by_names(one["names"], year, suffix)
        if found is None:
            return None
        ids.append(found)
    if not ids:
        return None
    cites = [f"@{key}" for key in ids]
    before = one["before"].strip().rstrip(",")
    cites[0] = f"{before} {cites[0]}" if before else cites[0]
    cites[-1] += one["after"].replace("[", "(").replace("]", ")")
    return cites


def front_matter(item: CslItem, key: str) -> dict[str, Any]:
    """A reference file's front matter: the item's fields and nothing that nobody has read."""
    meta: dict[str, Any] = {"id": key, "type": item.get("type") or "document"}
    for name in (
        "title", "author", "issued", "container-title", "volume", "issue", "page", "publisher",
        "DOI", "PMID", "ISBN", "URL",
    ):  # fmt: skip
        value = item.get(name)
        if value in (None, "", []):
            continue
        if name == "issued":
            year = year_of(value)
            if year:
                meta["issued"] = year
        elif name == "author":
            meta["author"] = [
                dict(a) if isinstance(a, Mapping) else {"literal": str(a)} for a in value
            ]
        else:
            meta[name] = str(value)
    if "DOI" in meta and "URL" not in meta:
        meta["URL"] = f"https://doi.org/{meta['DOI']}"
    meta |= {"kind": None, "population": None, "sample_size": None, "status": "ok"}
    meta["undigested"] = True
    return meta
