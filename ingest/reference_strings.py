"""One line of a reference list (APA, Vancouver, numbered, …) to a CSL item.

Pure text rules. What a line does not plainly say stays out of the item: a missing title is
better than a wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

MAX_CHARACTERS = 3000

_U = "A-ZÀ-ÖØ-ÞŁŚŞŽČĆĐĞİŐŘŠŤŰ"
_L = "a-zà-öø-ÿąćęłńóśźżčďěňřšťůžőűğışăâîșțđ'’ʼ"
_PARTICLE = r"(?:[Dd][ae]l?|[Dd]os|[Dd]as|[Dd]i|[Dd]u|[Vv][oa]n|[Dd]er|[Dd]en|[Tt]en|[Tt]er|[Ll]a|[Ll]e|[Ee]l|[Aa]l|[Bb]in|[Ii]bn|[Ss]t\.?|[Mm]ac|zu|Ó|Ní|d['’])"
_WORD = rf"(?:[{_U}]['’]?[{_U}]?[{_L}]+(?:[{_U}][{_L}]+)?(?:[-‐–][ ]?(?:[{_U}](?=-)|[{_U}]?[{_L}]+))*|[{_U}]{{2,}}(?:-[{_U}]{{2,}})*)"
_FAMILY = rf"(?:{_PARTICLE}[ -]?){{0,3}}{_WORD}(?:-{_PARTICLE}(?:[ ]{_PARTICLE})?[ ]{_WORD})?(?:[ ]{_WORD}){{0,2}}"
_INITIALS = rf"(?:[{_U}][{_L}]?\.[ ]?-?[ ]?){{1,5}}"
_BARE = rf"[{_U}](?:[ .-]?[{_U}]){{0,3}}(?![{_L}\w])\.?"
_SUFFIX = r"(?:,?[ ](?:Jr|Sr|II|III|IV|2nd|3rd)\.?)?"
_FIRST = rf"[{_U}][{_L}]+(?:-[{_U}][{_L}]+)?"
_GIVEN = rf"(?:{_FIRST}|[{_U}]\.(?=[ ]{_FIRST}[ ]))(?:[ ]{_FIRST}){{0,2}}?(?:[ ](?:{_INITIALS}|[{_U}]{{1,2}}\b\.?))?"

_ET_AL_WORDS = r"et\s+al\b"
_NAME = re.compile(
    rf"""(?:
      (?!(?!Ó)[{_U}]{{1,2}}\s[{_U}][{_L}])(?P<f1>{_FAMILY}){_SUFFIX}\s?,\s?(?P<g1>{_INITIALS}|{_BARE}){_SUFFIX}
     |(?P<f5>{_FAMILY})\s(?P<g5>{_INITIALS})(?=\s*[,;:&(]|\s+and\b|$|\s+[{_U}]|\s+[“"‘'])
     |(?P<f2>{_FAMILY})\s(?P<g2>{_BARE})(?!\.[{_U}]){_SUFFIX}(?=[,;.:&\s]|$)
     |(?P<g3>{_INITIALS})\s?(?P<f3>(?:{_PARTICLE}[ ]){{0,3}}{_WORD}(?:[ ]{_WORD})?){_SUFFIX}
     |(?P<g4>[{_U}]{{1,3}})[ ](?P<f4>{_WORD})(?=\s*[,;:&(]|\s+(?:and|et)\b)
    )""",
    re.VERBOSE,
)
_NAME_FOLLOWED = rf"(?=\s*[,;.:&(]|\s+and\b|\s+{_ET_AL_WORDS}|\s+(?:1[6-9]|20)\d\d\b|$)"
_FAMILY_FIRST = re.compile(rf"(?P<f1>{_FAMILY}),\s(?P<g1>{_GIVEN}){_NAME_FOLLOWED}")
_FAMILY_LAST = re.compile(
    rf"(?P<g3>{_GIVEN})\s(?P<f3>(?:{_PARTICLE}[ ]){{0,2}}{_WORD}){_NAME_FOLLOWED}"
)
_GIVEN_FIRST = re.compile(
    rf"(?:{_FIRST}\s(?:[{_U}]\.[ ]?){{1,3}}|[{_U}]\.[ ]{_FIRST}[ ])(?:{_PARTICLE}[ ]){{0,2}}{_WORD}(?=\s*[,.:(&]|\s+(?:and|&)\s)"
)
""""Stephen H. Kellert," and "J. Christian Gerdes.": no family name with its initial, then a title."""
_BETWEEN_NAMES = re.compile(
    r"\s*(?:[,;]*\s*(?:(?:\.\s?){3}|…)[\s,]*(?:(?:and|&)\s+)?"
    r"|[,;]+\s*(?:and|&|und|y|et)\s+|[,;]+\s*|\s+(?:and|&|und|y|et(?!\s+al))\s+|\s*&\s*|\.\s*,\s*)"
)
_UNMARKED = re.compile(r"\.?\s+")
_ET_AL = re.compile(r"[,;]?\s*(?:and\s+)?(?:et\s+al|and (?:others|colleagues))\.?,?", re.IGNORECASE)
_EDITORS = re.compile(r"\s*,?\s*\(?\b(?:[Ee]ds?|[Ee]ditors?|[Hh]rsg)\b\.?\)?[.,:]?")

DOI = re.compile(r"\b(10\.\d{4,9}/[^\s\"<>«»|\\]+)", re.IGNORECASE)
_DOI_LABEL = re.compile(
    r"(?:https?://(?:dx\.)?doi\.org/|\bdoi(?:\.org/)?\s*[:.]?\s*)$", re.IGNORECASE
)
_PMID = re.compile(r"\b(?:PMID|PubMed(?: PMID)?)\s*:?\s*(\d{4,9})\b\.?", re.IGNORECASE)
_PMCID = re.compile(r"\b(?:PMCID\s*:?\s*)?PMC\d{4,9}\b\.?")
_URL = re.compile(r"<?\b(?:https?://|www\.)[^\s<>]+>?", re.IGNORECASE)
_LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\]\((https?://[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)")
_NUMBER = re.compile(
    r"^\s*(?:\[(\d{1,3})\]|\((\d{1,3})\)|(\d{1,3})[.)](?=\s)|(\d{1,3})\s+(?=[A-ZÀ-Þ])|"
    r"\^(\d{1,3})\^|([¹²³⁰⁴-⁹]{1,3}))\s*[.:]?\s*"
)
_YEAR = r"(?:1[6-9]|20)\d{2}"
_MONTHS = (
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?(?:[ /-]+(?:Jan|Feb|Mar|Apr|May|"
    r"Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?)?|Spring|Summer|Autumn|Fall|Winter"
)
_PAREN_YEAR = re.compile(
    rf"[(\[]\s*(?:{_MONTHS})?[ ,]*(?P<year>{_YEAR})(?:\s?[-–/]\s?\d{{2,4}})?(?P<suffix>[a-z])?"
    rf"(?:,?\s*(?:{_MONTHS})[^()\[\]]{{0,20}}|,\s*\d[^()\[\]]{{0,20}})?\s*[)\]]"
)
_BARE_YEAR = re.compile(rf"(?<![\d./:–-])(?P<year>{_YEAR})(?P<suffix>[a-z])?(?![\d/–-]|\.\d)")
_NO_DATE = re.compile(
    r"\((?:n\.\s?d\.?|in press|forthcoming|accepted|undated)[^)]*\)", re.IGNORECASE
)
_SAME_AUTHOR = re.compile(r"^\W{0,2}[–—_‒-]{2,}[.,]?\s*")
"""The dashes that stand for the author of the entry before."""
_QUOTES = {"“": "”", '"': '"', "‘": "’", "«": "»", "„": "“”", "`": "'´"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a reference list, read. `item` is CSL; `suffix` the a of 2012a."""

    raw: str
    item: dict[str, Any]
    number: int | None = None
    suffix: str = ""


def parse_reference(line: str) -> Entry:
    """The entry's fields; those that could not be told are missing from `item`."""
    raw = " ".join(line.split())[:MAX_CHARACTERS]
    item: dict[str, Any] = {}
    text = _take_links(raw, item)
    number, text = _take_number(text)
    text = _take_identifiers(text, item)
    text = _SAME_AUTHOR.sub("", _plain(text))
    authors, year, suffix, rest = _head(text)
    if authors:
        item["author"] = authors
    if year:
        item["issued"] = {"date-parts": [[year]]}
    title, tail = _title(rest, has_year=bool(year))
    if title:
        item["title"] = title
    if not year:
        year, suffix, tail = _late_year(tail)
        if year:
            item["issued"] = {"date-parts": [[year]]}
    item.update(_locators(tail))
    item["type"] = _type_of(item, tail)
    return Entry(raw, item, number, suffix)


def stands_for_author_before(raw: str) -> bool:
    """Whether an entry begins with the dashes that repeat the authors of the one before."""
    return _SAME_AUTHOR.match(raw) is not None


# -- what is marked plainly --------------------------------------------------------------------


def _take_links(text: str, item: dict[str, Any]) -> str:
    """Markdown links: their words stay, their target is the entry's URL or DOI."""

    def judge(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        doi = DOI.search(target)
        if not re.search(r"\w", words) and not doi:
            return " "  # "↩": the way back from a footnote
        if doi:
            item.setdefault("DOI", clean_doi(doi[1]))
        elif re.search(r"pubmed\D*/(\d{4,9})", target):
            item.setdefault("PMID", re.search(r"/(\d{4,9})", target)[1])  # type: ignore[index]
        else:
            item.setdefault("URL", target)
        same = re.sub(r"\W", "", words) == re.sub(r"\W", "", target)
        return " " if same or DOI.search(words) else words

    return _LINK.sub(judge, text)


def _take_number(text: str) -> tuple[int | None, str]:
    text = re.sub(r"^\s*(?:[-*•·–]|\\-)\s+", "", text)
    match = _NUMBER.match(text.replace("\\", "", 1) if text.startswith("\\[") else text)
    if not match:
        return None, text
    digits = next(g for g in match.groups() if g)
    number = int("".join(str("⁰¹²³⁴⁵⁶⁷⁸⁹".find(c)) if c in "⁰¹²³⁴⁵⁶⁷⁸⁹" else c for c in digits))
    start = text[1:] if text.startswith("\\[") else text
    return number, start[match.end() :]


def _take_identifiers(text: str, item: dict[str, Any]) -> str:
    text = text.replace("\\_", "_")
    doi = DOI.search(text)
    if doi:
        found = clean_doi(doi[1])
        item.setdefault("DOI", found)
        before = _DOI_LABEL.sub("", text[: doi.start()])
        text = f"{before.rstrip()} {text[doi.start() + len(found) :].lstrip(' .')}"
    pmid = _PMID.search(text)
    if pmid:
        item.setdefault("PMID", pmid[1])
        text = text[: pmid.start()] + text[pmid.end() :]
    text = _PMCID.sub("", text)
    url = _URL.search(text)
    if url:
        address = url.group().strip("<>").rstrip(".,;)")
        item.setdefault("URL", address if "://" in address else f"https://{address}")
        text = re.sub(
            r"[(\[]?\s*(?:(?:Retrieved|Available|Accessed|Downloaded)\b[^.]{0,60}?(?:from|at|:)|URL:?|"
            r"Available:)?\s*$",
            "",
            text[: url.start()],
        ) + text[url.end() :].lstrip(">). ")
    return re.sub(r"\b(?:doi|DOI)\s*:\s*$", "", text).strip()


def clean_doi(text: str) -> str:
    """A DOI without what the sentence put behind it."""
    doi = text.strip()
    while doi and (doi[-1] in ".,;:'\"”’*_>" or (doi[-1] in ")]}" and _unbalanced(doi))):
        doi = doi[:-1]
    return doi


def _unbalanced(text: str) -> bool:
    close = text[-1]
    return text.count(close) > text.count({")": "(", "]": "[", "}": "{"}[close])


def _plain(text: str) -> str:
    """Markdown marks and page furniture gone; ligatures and soft hyphens as letters."""
    for ligature, letters in (("ﬁ", "fi"), ("ﬂ", "fl"), ("ﬀ", "ff"), ("ﬃ", "ffi"), ("ﬄ", "ffl")):
        text = text.replace(ligature, letters)
    text = re.sub(r"(?<!\\)\*{1,3}|(?<![\w\\])_(?=\w)|(?<=[\w.,])_(?!\w)", "", text)
    text = re.sub(r"\\([\\`*_<>\[\]#@.)+-])", r"\1", text)
    text = re.sub(
        r"\[(?:CrossRef|Google Scholar|PubMed|Medline|Web of Science|Free Full Text)\]", "", text
    )
    text = re.sub(r"\b(?:Google Scholar|CrossRef)\b", "", text)
    return " ".join(text.split())


_ORGANISATION = re.compile(rf"([A-Z][\w&.' -]{{1,60}}?)[,.]?\s({_YEAR})([a-z])?[.,:]\s")

_BODY_WORD = (
    r"\b(?:Organi[sz]ation|Association|College|Institutes?|Society|Department|Ministry|Council|Academy|"
    r"Cent(?:er|re)s?|Committee|Federation|Foundation|Agency|Collaboration|Trust|Service|Group)\b"
)
_DATED_BODY = re.compile(
    rf"(?=[^.(]{{0,110}}{_BODY_WORD})(?P<body>[A-Z][^.(\d]{{3,120}}?)\.?\s(?=\()"
)
_BODY = re.compile(
    rf"((?=[^.(]{{0,90}}{_BODY_WORD})"
    r"(?:[A-Z][\w&'’-]*|of|for|and|the|on|in|to|&|,)(?:\s(?:[A-Z][\w&'’-]*|of|for|and|the|on|in|to|&),?){1,11})"
    r"\.\s+(?=[A-Z0-9“\"‘])"
)
"""An organisation as Vancouver's author: "World Health Organization. Global …"."""

# -- authors and year --------------------------------------------------------------------------


def _head(text: str) -> tuple[list[dict[str, str]], int | None, str, str]:
    """(authors, year, its suffix, what follows): the year only where it stands behind them."""
    dated_body = _DATED_BODY.match(text)
    if dated_body:
        return _body_dated(text, dated_body)
    authors, end = ([], 0) if _GIVEN_FIRST.match(text) else read_names(text)
    dated = _year_at(text, end)
    if authors and dated:
        return authors, dated[0], dated[1], text[dated[2] :].lstrip(" .,:;")
    body = _BODY.match(text) if not authors else None
    if body:
        return [{"literal": body[1].strip()}], None, "", text[body.end() :].lstrip()
    organisation = _ORGANISATION.match(text) if not authors else None
    if organisation:
        names = [{"literal": organisation[1].strip(" .,")}]
        rest = text[organisation.end() :].lstrip(" .,:;")
        return names, int(organisation[2]), organisation[3] or "", rest
    if not authors:
        names, end = _leading_full_names(text)
        dated = _year_at(text, end) if names else None
        if dated:
            return names, dated[0], dated[1], text[dated[2] :].lstrip(" .,:;")
        if names:
            return names, None, "", text[end:].lstrip(" .,:;")
    early = _PAREN_YEAR.search(text, 0, 400) or _NO_DATE.search(text, 0, 400)
    before = text[: early.start()] if early else ""
    if early and not authors and (not before.strip() or _could_be_names(before)):
        names = _full_names(before)
        year = early.groupdict().get("year")
        suffix = early.groupdict().get("suffix") or ""
        return names, int(year) if year else None, suffix, text[early.end() :].lstrip(" .,:;")
    return authors, None, "", text[end:].lstrip(" .,:;") if authors else text


def _body_dated(
    text: str, body: re.Match[str]
) -> tuple[list[dict[str, str]], int | None, str, str]:
    """ "Kingston Hospital NHS Trust. (n.d.). Hips."."""
    dated = _year_at(text, body.end()) or (None, "", body.end())
    names = [{"literal": body["body"].strip(" ,")}]
    return names, dated[0], dated[1], text[dated[2] :].lstrip(" .,:;")


def _year_at(text: str, start: int) -> tuple[int | None, str, int] | None:
    """A year, or "(n.d.)", that stands right behind the authors."""
    lead = re.compile(r"[\s.,:;]*(?:\((?:[Ee]ds?|[Hh]rsg|[Ee]ditors?)\.?\)[\s.,]*)?").match(
        text, start
    )
    at = lead.end() if lead else start
    match = _PAREN_YEAR.match(text, at)
    if match:
        return int(match["year"]), match["suffix"] or "", match.end()
    none = _NO_DATE.match(text, at)
    if none:
        return None, "", none.end()
    bare = re.compile(rf"({_YEAR})([a-z])?(?=\s*[.,:;)]|\s+[“\"‘'A-Z])").match(text, at)
    if bare:
        return int(bare[1]), bare[2] or "", bare.end()
    return None


def read_names(text: str) -> tuple[list[dict[str, str]], int]:
    """The run of names with initials at the text's start, and where it ends."""
    names: list[dict[str, str]] = []
    at = 0
    while len(names) < 100:
        match = _NAME.match(text, at)
        if not match or (names and _starts_title(text, match)):
            break
        names.append(_person(match))
        at = _end_of(match)
        others = _ET_AL.match(text, at)
        if others:
            at = others.end()
            break
        between = _BETWEEN_NAMES.match(text, at) or _UNMARKED.match(text, at)
        if not between or not between.group():
            break
        following = _NAME.match(text, between.end())
        unmarked = not between.group().strip(" .")  # "Heinrichs, SC. Koob, GF."
        if unmarked and not (following and following["f1"]):
            break
        if not following:
            full = _full_name(text, between.end())
            if full and "and" in between.group() and not _looks_like_title(full.group()):
                names.append(_person(full))
                at = full.end()
            break
        at = between.end()
    editors = _EDITORS.match(text, at) if names else None
    return names, editors.end() if editors else at


def _end_of(match: re.Match[str]) -> int:
    """Initials take the blank behind them along; the name ends before it."""
    return match.start() + len(match.group().rstrip())


def _starts_title(text: str, match: re.Match[str]) -> bool:
    """ "Human A. sapiens …": initials-first matches deep in a title are no authors."""
    return match["g3"] is not None and len(match.group()) > 60


def _looks_like_title(text: str) -> bool:
    return len(text.split()) > 4


def _person(match: re.Match[str]) -> dict[str, str]:
    groups = match.groupdict()
    family = next((groups[k] for k in ("f1", "f2", "f3", "f4", "f5") if groups.get(k)), "")
    given = next((groups[k] for k in ("g1", "g2", "g3", "g4", "g5") if groups.get(k)), "")
    given = " ".join(given.split()).rstrip(",")
    if re.fullmatch(rf"[{_U}]{{1,4}}\.?", given):  # Vancouver's "BJ"
        given = " ".join(f"{letter}." for letter in given.rstrip("."))
    return {"family": _family(family), "given": given} if given else {"family": _family(family)}


def _family(text: str) -> str:
    family = re.sub(r"[-‐] ", "", " ".join(text.split()))
    return family.title() if family.isupper() and len(family) > 3 else family


def _could_be_names(text: str) -> bool:
    words = text.split()
    return 0 < len(words) <= 60 and not re.search(r"[“\"«‘]|[a-z]{3}\.\s+\S", text)


def _full_names(text: str) -> list[dict[str, str]]:
    """Names written out, or an organisation, from everything before the year."""
    text = text.strip(" .,;:(")
    if not text:
        return []
    names, end = _leading_full_names(text)
    if names and end >= len(text) - 8:
        return names
    return [{"literal": text}] if len(text) <= 150 else []


def _leading_full_names(text: str) -> tuple[list[dict[str, str]], int]:
    """ "Matolino, Bernard", "Derrick, D., I. Stavness and B. Gick", "Bill Nichols and Jane Doe"."""
    names: list[dict[str, str]] = []
    at = 0
    first = _full_name(text)
    if not first or (first.groupdict().get("f1") is None and not _is_name_run(text, first)):
        return [], 0
    names.append(_person(first))
    at = first.end()
    while len(names) < 60:
        others = _ET_AL.match(text, at)
        if others:
            return names, others.end()
        between = _BETWEEN_NAMES.match(text, at)
        if not between or not between.group():
            break
        following = _following_name(text, between)
        if not following or len(following.group().split()) > 5:
            break
        names.append(_person(following))
        at = following.end()
    editors = _EDITORS.match(text, at)
    return names, editors.end() if editors else at


def _full_name(text: str, at: int = 0) -> re.Match[str] | None:
    """A name written out, either way round: "Frank Hegel, Britta" begins with "Frank Hegel"."""
    first, last = _FAMILY_FIRST.match(text, at), _FAMILY_LAST.match(text, at)
    if first and last:
        plain = re.fullmatch(rf"{_FIRST}\s{_WORD}", first["f1"])
        return last if plain else first
    return first or last


def _is_name_run(text: str, first: re.Match[str]) -> bool:
    """Whether "David Chapman. Planning for …" opens with names: what follows reads as a title."""
    words = first.group().split()
    if len(words) > 4 or words[0].lower() in _ARTICLES:
        return False
    after = text[first.end() :]
    if re.match(
        r"\s*(?:,|&|\band\b|\(\s*(?:1[6-9]|20)\d\d|\s(?:1[6-9]|20)\d\d|et\s+al|\(?[Ee]d)", after
    ):
        return (
            re.match(r",?\s*(?:[a-z]{3,}|\d)", after.removeprefix(" and").lstrip()) is None
            or " and" in after[:6]
        )
    title = re.match(r"\s*[.:]\s+[“\"'«]?[A-Z0-9]\S*(?:\s+[^\s.]+){2,}", after)
    return title is not None


_ARTICLES = frozenset(
    {"the", "a", "an", "on", "in", "how", "what", "effects", "effect", "journal", "proceedings"}
)


def _following_name(text: str, between: re.Match[str]) -> re.Match[str] | None:
    """The next name of a list whose names may be written either way round."""
    at = between.end()
    if _GIVEN_FIRST.match(text, at):
        return _FAMILY_LAST.match(text, at)
    short = _NAME.match(text, at)
    swallowed = short and short["f1"] and re.match(rf"\s?[{_U}][{_L}]", text[short.end() :])
    if short and not swallowed:
        return short
    is_listed = re.search(r"[,;&]|and|und|et|y", between.group()) is not None
    return (_full_name(text, at) if is_listed else None) or short


# -- title -------------------------------------------------------------------------------------

_ABBREVIATION = re.compile(
    r"(?:\b(?:vs?|St|Dr|Mr|Mrs|Ms|Prof|No|no|Vol|vol|cf|etc|approx|ca|spp?|subsp|var|al|Fig|Jr|Sr|"
    r"i\.e|e\.g|[A-Z]|U\.S|U\.K|Inc|Ltd|Co|Int|Proc|J|Am|Med|Sci|Res|Phys|Rev|Lett)|\b[A-Z]\.[A-Z])$"
)
_CONTAINER_START = re.compile(
    r"^(?:In:?\s|in:\s|Proc\b|Proceedings\b|Journal\b|J\.?\s|The Journal\b|Annals\b|Trans|PhD\b|Ph\.|"
    r"Tech|Master|Doctoral|Dissertation|Unpublished|arXiv|IEEE\b|ACM\b|Lecture Notes|Advances in)"
)
_NUMBERS_NEXT = re.compile(
    rf"^(?:[Vv]ol(?:ume)?s?\.?\s*)?(?:\d{{1,4}}|[IVXLC]{{1,6}})\b|^(?:pp?\.|[Pp]ages?|no\.|[Nn]umber|issue)\s?\d|"
    rf"^\(?(?:{_MONTHS})?\s?{_YEAR}"
)


def _title(rest: str, *, has_year: bool) -> tuple[str, str]:
    """(title, what follows). "" where the text opens with a journal rather than a title."""
    rest = rest.strip()
    if not rest:
        return "", ""
    quoted = _quoted(rest)
    if quoted:
        return quoted
    if _opens_with_journal(rest):
        return "", rest
    for end, follows in _title_ends(rest):
        title = rest[:end].strip(" ,;:")
        if len(title.split()) >= 2 or (len(title) >= 5 and len(rest) - end > 5):
            return _trimmed(title), rest[follows:].strip()
    return _trimmed(rest.rstrip(" .,")), ""


def _quoted(rest: str) -> tuple[str, str] | None:
    closers = _QUOTES.get(rest[0])
    if not closers:
        return None
    ends = [m.start() for m in re.finditer(f"[{re.escape(closers)}]", rest[1:])]
    for end in (e + 1 for e in ends):
        after = rest[end + 1 :]
        inside = rest[1:end]
        apostrophe = rest[0] in "‘`'" and after[:1].isalpha()
        if (
            not apostrophe
            and len(inside) > 3
            and re.match(r"\s*(?:$|[.,;:(\[]|\s[A-Zinp\d])", after)
        ):
            return inside.strip(" .,;:"), after.lstrip(" .,;:")
    return None


def _opens_with_journal(rest: str) -> bool:
    """ "J. Appl. Phys. 87, pp. 334", "ApJ, 475, 163": an abbreviated name, then numbers."""
    match = re.match(r"^((?:[A-Z][\w&.]*\.?,?\s+(?:and |of |the |in |& )?){1,6}?)(?=[\d(])", rest)
    if match and not re.match(r"^[^.,]{45,}", rest):
        name = match[1].strip(" ,")
        if _TITLE_THEN_JOURNAL.match(match[1]) or re.search(
            r"[a-z]{6,}\.\s|,\s", match[1].rstrip(" ,.") + " "
        ):
            return False
        tail = rest[match.end() :]
        dotted = name.count(".") >= 1 or "," in match[1] or name.isupper() or len(name.split()) == 1
        return dotted and bool(
            re.match(
                rf"^(?:\d+|\(\d+\))\s*(?:\(\s*\d+\s*\))?\s*[,:;(]|^\({_YEAR}\)|^\d+\s*,|^\d+$", tail
            )
        )
    return False


_TITLE_THEN_JOURNAL = re.compile(
    r"[A-Z][a-z]+(?:\s[\w-]+)+\.\s[A-Z][a-z]+(?:\s(?:and\s|of\s|the\s|in\s|&\s)?[A-Z]\w+)*[.,]?\s*$"
)
""""Barbell Hip Thrust. Strength and Conditioning Journal, ": no abbreviations, so no one name."""


def _title_ends(rest: str) -> list[tuple[int, int]]:
    """Places at which the title may end: (end, start of what follows), best first."""
    ends: list[tuple[int, int]] = []
    for match in re.finditer(r"([.?!])[”\"’]?\s+(?=\S)|\s[–—]\s(?=In\b)", rest):
        before, after = rest[: match.start()], rest[match.end() :]
        mark = match[1]
        goes_on = _ABBREVIATION.search(before) or after[:1].islower()
        opens = after.startswith(("in ", "in:", "ed. ", "eds. ", "pp. ", "vol"))
        if mark == "." and goes_on and not opens:
            continue
        if mark in {"?", "!"} and not (_container_follows(after) or after[:1].isupper()):
            continue
        if mark in {"?", "!"} and _sentence_length(after) > 60 and not _container_follows(after):
            continue
        if (mark in {"?", "!"} or re.match(r"An?\s[a-z]", after)) and _subtitle_follows(after):
            continue
        keep = match.start() + (1 if mark in {"?", "!"} else 0)
        ends.append((keep, match.end()))
        break
    comma = _comma_end(rest, ends[0][0] if ends else len(rest))
    if comma and ends and _place_then_journal(rest[comma[1] : ends[0][0]], rest[ends[0][1] :]):
        return ends
    if comma:
        return [comma, *ends]
    bracket = re.search(
        r"\s[(\[](?=(?:\d+(?:st|nd|rd|th|\.?ª)|tr\.|[Tt]rans|[^()]{0,40}(?:Press|Publish|:[^()]*\b[12]\d{3}\))|[Rr]ev|[Vv]ol|[Ee]d|[Pp]p?\.|Doctoral|PhD|Unpub|Master))",
        rest,
    )
    if bracket and (not ends or bracket.start() < ends[0][0]):
        return [(bracket.start(), bracket.start() + 1), *ends]
    last = re.search(r"\.$", rest)
    if not ends and last:
        ends.append((last.start(), last.end()))
    return ends


def _place_then_journal(between: str, after: str) -> bool:
    """ "… Retreat, Gold Coast, Australia, 2017. Sports Med, 12": the commas are the title's."""
    if _CONTAINER_START.match(between) or re.search(r"\d.*\d{3}|\b[A-Z][a-z]{0,4}\.", between):
        return re.fullmatch(
            rf"(?:[A-Z][\w ]+,\s)*{_YEAR}", between
        ) is not None and _container_follows(after)
    return re.fullmatch(r"[A-Z][a-z]{0,5}", between) is None and _container_follows(after)


def _subtitle_follows(text: str) -> bool:
    """ "…? A Systematic Review. Sports, 12": a sentence comes before the journal."""
    match = re.match(r"([A-Z][^.?!\d]{8,200})[.?]\s+(?=[A-Z])", text)
    return (
        match is not None
        and not _ABBREVIATION.search(match[1])
        and len(match[1].split()) >= 3
        and _container_follows(text[match.end() :])
    )


def _sentence_length(text: str) -> int:
    match = re.search(r"[.?!]\s", text)
    return match.start() if match else len(text)


def _container_follows(text: str) -> bool:
    """Whether `text` begins like "Journal of Applied Physiology, 12(3), 4–5"."""
    if _CONTAINER_START.match(text):
        return True
    match = re.match(r"[A-Z][^,;:\d]{1,90}?[,;.:]?\s*(?=\d|\(|vol|[Vv]ol)", text)
    return bool(match)


def _comma_end(rest: str, limit: int) -> tuple[int, int] | None:
    """In "title, Journal, 12, …" the comma before the journal, if the style has no full stops."""
    commas = [m for m in re.finditer(r"[,;]\s+", rest) if m.start() < limit]
    for match in commas:
        before, after = rest[: match.start()], rest[match.end() :]
        if len(before.split()) < 3 or before.count("(") > before.count(")"):
            continue
        if re.match(r"(?:Number|No\.?|Part|Phase|Volume|Vol\.?)\s", after):
            continue
        if re.match(
            r"(?:in|In)[: ]\s?(?:[A-Z]|proc|“)|[Pp]roc\.|[Pp]roceedings of|[Pp]h\.?\s?D|arXiv",
            after,
        ):
            return match.start(), match.end()
        if _journal_then_numbers(after) or _PUBLISHER.match(after):
            return match.start(), match.end()
    return None


_PUBLISHER = re.compile(
    rf"(?:(?:[A-Z][\w&.'’-]*,?\s){{0,5}}(?:Press|Publish\w+|Verlag|Books|Wiley|Springer|Elsevier|Routledge|"
    rf"Academic|Human\sKinetics|Éditions?|Editions?)\b"
    rf"|[A-Z][\w.'’-]*(?:\s[A-Z][\w.'’-]*){{0,2}}(?:,\s[A-Z][\w.]+)?\s?:\s[A-Z]"
    rf"|(?:(?:{_MONTHS})\s)?{_YEAR}\W*$)"
)
"""What stands behind a book's title: a publisher, "Oxford: Blackwell", or the year alone."""


def _journal_then_numbers(text: str) -> bool:
    """ "Appl. Phys. Lett. 77, pp. 250": capitalised words, then a volume, pages or a year."""
    for gap in re.finditer(r"[,:]\s*|\s+", text[:100]):
        name = text[: gap.start()]
        if not re.fullmatch(r"[A-Z][\w.&'’() -]*", name) or not _is_title_case(name):
            return False
        if _NUMBERS_NEXT.match(text[gap.end() :]):
            return True
    return False


def _is_title_case(name: str) -> bool:
    small = {
        "of",
        "the",
        "and",
        "in",
        "for",
        "on",
        "de",
        "la",
        "et",
        "für",
        "der",
        "&",
        "to",
        "a",
        "an",
    }
    words = [w for w in name.split() if w.lower() not in small]
    return bool(words) and all(w[:1].isupper() or w[:1].isdigit() for w in words)


def _trimmed(title: str) -> str:
    title = re.sub(r"\s*\[(?:[^\[\]]{0,40})\]$", "", title)
    return title.strip(" ,;:").strip('“”"')


# -- container, volume, pages ------------------------------------------------------------------

_VOLUME_PAGES = re.compile(
    r"(?:[Vv]ol(?:ume)?\.?\s*)?(?P<volume>\b\d{1,4}[A-Z]?\b)\s*"
    r"(?:\(\s*(?P<issue>[^()]{1,25})\s*\)|,?\s*(?:[Nn]o\.?|[Ii]ssue|[Nn]umber|n[°º.])\s*(?P<issue2>[\d/–-]+))?\s*"
    r"(?:[,:.]|\s)\s*(?:pp?\.?\s*|[Pp]ages?\s*|art(?:icle)?\.?\s*)?"
    r"(?P<page>[A-Za-z]?\d+[A-Za-z]?(?:\s?[-–—‐]+\s?[A-Za-z]?\d+)?)"
)
_PAGES = re.compile(
    r"\b(?:pp?\.?|[Pp]ages?)\s*(?P<page>[A-Za-z]?\d+(?:\s?[-–—‐]+\s?[A-Za-z]?\d+)?)"
)


def _late_year(tail: str) -> tuple[int | None, str, str]:
    """The year of "Journal. 2011;25(3)" or "… 4–5 (2011)."; the text stays as it is."""
    paren = list(_PAREN_YEAR.finditer(tail))
    if paren:
        last = paren[-1]
        return int(last["year"]), last["suffix"] or "", tail
    bare = [
        m
        for m in _BARE_YEAR.finditer(tail)
        if not re.search(r"(?:pp?\.|[Pp]ages?|:)\s*$", tail[: m.start()])
    ]
    if not bare:
        return None, "", tail
    vancouver = next(
        (m for m in bare if re.match(r"\s*(?:[A-Z][a-z]{2}[^;]{0,12})?;", tail[m.end() :])), None
    )
    best = vancouver or bare[-1]
    return int(best["year"]), best["suffix"] or "", tail


def _locators(tail: str) -> dict[str, str]:
    """Container, volume, issue and pages from what follows the title."""
    found: dict[str, str] = {}
    rest = re.sub(r"^\s*(?:\[[^\[\]]*\]\s*\.?\s*)?", "", tail)
    chapter = re.match(r"^(?:In|in)\b:?\s+", rest)
    if chapter:
        rest = rest[chapter.end() :]
        rest = _after_editors(rest)
    name = _container_name(rest, chapter is not None)
    if name:
        found["container-title"] = name
    without_year = re.sub(
        rf"[(\[]?(?<![\d–-])\b{_YEAR}[a-z]?\b(?!\s?[\d–-])(?:\s+(?:{_MONTHS})[\w\s-]{{0,12}})?[)\]]?\s*;?",
        " ; ",
        rest,
    )
    numbers = _VOLUME_PAGES.search(without_year[len(name) if name else 0 :])
    if numbers:
        found["volume"] = numbers["volume"]
        issue = numbers["issue"] or numbers["issue2"]
        if issue:
            found["issue"] = issue.strip()
        found["page"] = _page(numbers["page"])
    elif pages := _PAGES.search(rest):
        found["page"] = _page(pages["page"])
    return found


def _page(text: str) -> str:
    return re.sub(r"\s?[-–—‐]+\s?", "–", text)


def _after_editors(text: str) -> str:
    marked = re.match(r"^.{3,160}?\(?\b[Ee]d(?:itor)?s?\b\.?\)?[,.:]?\s+", text)
    if marked and read_names(text)[0]:
        return text[marked.end() :]
    names, end = read_names(text)
    return text[end:].lstrip(" ,.:") if names and end > 6 else text


_NAME_END = re.compile(
    r"[,;:.]?\s*(?=\b(?:[Vv]ol(?:ume)?s?|[Nn]o|pp?|[Ii]ssue|eds?)\b\.?)|[,;]\s|\s*[(\[]|\s(?=\d)|\.\s|:\s|\.$|$"
)


def _container_name(rest: str, is_chapter: bool) -> str:
    """The journal's or book's name at the start of `rest`; "" where that is a publisher or none."""
    end = 0
    for match in _NAME_END.finditer(rest):
        if match.start() == 0:
            continue
        end = match.start()
        before = rest[:end]
        abbreviated = match.group().startswith(".") and re.search(
            r"(?:^|[\s.])[A-Z][a-z]{0,6}$", before
        )
        continues = abbreviated and re.match(r"[A-Z]", rest[match.end() :])
        if continues and re.search(r"\d", rest[match.end() : match.end() + 60]):
            continue
        series = match.group().startswith(",") and re.match(
            r"(?:and|&|[A-Z][a-z]+,? (?:and|&))\s", rest[match.end() :]
        )
        if series and (not is_chapter or before.startswith("Proc")):
            continue
        if (_BOOK_GOES_ON if is_chapter else _SUBTITLE).match(rest[end:]):
            continue
        break
    name = rest[:end].strip(' ,.;:*“”"')
    after = rest[end:]
    numbered = re.search(rf"\d|{_UNNUMBERED}", after[:60]) is not None
    numbered = numbered or (
        not after.strip(" .") and _is_title_case(name) and len(rest) > len(name)
    )
    if (
        len(name) < 2
        or len(name) > 160
        or re.fullmatch(r"[\d\W]+", name)
        or (name[0].islower() and not is_chapter)
    ):
        return ""
    if not is_chapter and (
        not numbered or _PUBLISHED_AT.match(after) or _IS_PUBLISHER.search(name)
    ):
        return ""
    return "" if _NO_CONTAINER.match(name) else name


_UNNUMBERED = r"\b(?:to appear|in press|submitted|forthcoming|accepted|advance online)\b"
_SUBTITLE = re.compile(
    r",\sIEEE\b|\s?:\s(?:(?:the\s)?official\b|[A-Z][\w ]{0,40}\b(?:Journal|Bulletin|Review|Letters)\b|(?:An?|The)\s[A-Z][\w ]+\b(?:Journal|Review)\b)"
)
"""A journal's second name: "Journal of Clinical Oncology : official journal of …"."""
_PUBLISHED_AT = re.compile(r"(?:,\s[A-Z][\w.]{1,3})?\s*:\s*[A-Z]")
_BOOK_GOES_ON = re.compile(r":\s(?=[A-Z])|\s\d+(?:st|nd|rd|th)\b|\.\s(?<=[A-Z]\.[A-Z]\.\s)")
"""In a book's name: its subtitle, "8th", "U.S."."""
_IS_PUBLISHER = re.compile(
    r"^(?!.*Journal\b).*\b(?:Press|Publish\w+|Pub|Verlag|Books|UP|Kinetics)$"
)
_NO_CONTAINER = re.compile(
    rf"(?:Retrieved|Available|Accessed|Unpublished|University|Press|Special|Vol|No|Editors?|Eds?|Pp?|Paris|London|New York|Ph\.?\s?D|Master['’]?s|{_MONTHS})\b(?!\s[A-Z])"
)


def _type_of(item: dict[str, Any], tail: str) -> str:
    if re.search(
        r"\b(?:PhD|Ph\.\s?D\.?|[Dd]octoral|[Mm]aster'?s?|[Dd]issertation|[Tt]hesis)\b", tail
    ):
        return "thesis"
    if re.match(r"^In:?\s", tail):
        return "chapter"
    if item.get("container-title"):
        return "article-journal"
    if item.get("URL") and not item.get("DOI"):
        return "webpage"
    return "document" if not item.get("DOI") else "article-journal"
