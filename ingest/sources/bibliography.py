"""Reference libraries: BibTeX, RIS and CSL-JSON, as Zotero exports them, to CSL items."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ingest.cleaning import clean_line, clean_text, rendered_line
from ingest.corpus_files import year_of
from ingest.reference_strings import MAX_CHARACTERS, clean_doi
from ingest.sources.found import Bibliography, CslItem
from rag.errors import CorpusError

_BIBTEX_TYPES = {
    "article": "article-journal", "book": "book", "inbook": "chapter", "incollection": "chapter",
    "inproceedings": "paper-conference", "conference": "paper-conference", "phdthesis": "thesis",
    "mastersthesis": "thesis", "thesis": "thesis", "techreport": "report", "report": "report",
    "online": "webpage", "webpage": "webpage", "misc": "document",
}  # fmt: skip
_RIS_TYPES = {
    "JOUR": "article-journal", "EJOUR": "article-journal", "BOOK": "book", "CHAP": "chapter",
    "CONF": "paper-conference", "CPAPER": "paper-conference", "THES": "thesis", "RPRT": "report",
    "ELEC": "webpage", "WEB": "webpage", "MGZN": "article-magazine", "NEWS": "article-newspaper",
}  # fmt: skip


def read_bibtex(text: str, source: str) -> Bibliography:
    """The entries of a .bib file."""
    from bibtexparser import middlewares
    from bibtexparser.entrypoint import parse_string

    library = parse_string(
        clean_text(text),
        append_middleware=[middlewares.LatexDecodingMiddleware(keep_braced_groups=True)],
    )
    items = [_from_bibtex(entry.entry_type.lower(), _fields(entry)) for entry in library.entries]
    skipped = [
        f"entry at line {(block.start_line or 0) + 1}: not readable as BibTeX"
        for block in library.failed_blocks
    ]
    return _checked(items, skipped, source)


def _fields(entry: Any) -> dict[str, str]:
    fields = {f.key.lower(): clean_line(str(f.value)) for f in entry.fields}
    return {
        k: re.sub(r"[{}]", "", v) for k, v in fields.items() if k not in {"author", "editor"}
    } | {k: v for k, v in fields.items() if k in {"author", "editor"}}


def _from_bibtex(kind: str, fields: Mapping[str, str]) -> CslItem:
    year = re.search(r"\d{4}", fields.get("year") or fields.get("date") or "")
    authors = re.split(r"\s+and\s+(?![^{}]*\})", fields.get("author") or fields.get("editor") or "")
    return {
        "type": _BIBTEX_TYPES.get(kind, "document"),
        "title": fields.get("title", ""),
        "author": [_name(a) for a in authors if a.strip() and a.strip() != "others"],
        "issued": int(year.group()) if year else None,
        "container-title": fields.get("journal")
        or fields.get("journaltitle")
        or fields.get("booktitle", ""),
        "volume": fields.get("volume", ""),
        "issue": fields.get("number") or fields.get("issue", ""),
        "page": re.sub(r"\s*--+\s*", "–", fields.get("pages", "")),
        "publisher": fields.get("publisher", ""),
        "DOI": fields.get("doi", ""),
        "PMID": fields.get("pmid", ""),
        "ISBN": fields.get("isbn", ""),
        "URL": fields.get("url", ""),
    }


def read_ris(text: str, source: str) -> Bibliography:
    """The entries of a .ris file."""
    items: list[CslItem] = []
    skipped: list[str] = []
    for number, record in enumerate(_ris_records(clean_text(text)), 1):
        if "TY" in record:
            items.append(_from_ris(record))
        else:
            skipped.append(f"entry {number}: no TY line")
    return _checked(items, skipped, source)


def _ris_records(text: str) -> list[dict[str, list[str]]]:
    """Tag → values of each record; a line without a tag continues the one before."""
    records: list[dict[str, list[str]]] = []
    current: dict[str, list[str]] = {}
    tag = ""
    for line in text.split("\n"):
        match = re.match(r"([A-Z][A-Z0-9])  ?-\s?(.*)$", line.strip("\ufeff"))
        if match and match[1] == "ER":
            records.append(current)
            current, tag = {}, ""
        elif match:
            tag = match[1]
            current.setdefault(tag, []).append(match[2].strip())
        elif tag and line.strip():
            current[tag][-1] += f" {line.strip()}"
    return [*records, current] if current else records


def _from_ris(record: Mapping[str, list[str]]) -> CslItem:
    def first(*tags: str) -> str:
        return next((clean_line(v) for t in tags for v in record.get(t, ()) if v.strip()), "")

    year = re.search(r"\d{4}", first("PY", "Y1", "DA", "Y2"))
    start, end = first("SP"), first("EP")
    return {
        "type": _RIS_TYPES.get(first("TY"), "document"),
        "title": first("TI", "T1", "CT", "BT"),
        "author": [_name(a) for t in ("AU", "A1") for a in record.get(t, ()) if a.strip()],
        "issued": int(year.group()) if year else None,
        "container-title": first("JO", "JF", "T2", "JA", "J2"),
        "volume": first("VL"),
        "issue": first("IS"),
        "page": f"{start}–{end}" if start and end and "-" not in start else start,
        "publisher": first("PB"),
        "DOI": first("DO"),
        "PMID": first("PMID") or (first("AN") if first("DB").lower() in {"pubmed", "nlm"} else ""),
        "URL": first("UR", "L2", "LK"),
    }


def read_csl_json(text: str, source: str) -> Bibliography:
    """The items of a CSL-JSON file (also wrapped in {"items": […]})."""
    try:
        data = json.loads(clean_text(text))
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"not valid JSON ({clean_line(str(error))})") from error
    if isinstance(data, dict):
        data = data.get("items") or data.get("references") or [data]
    if not isinstance(data, list):
        raise CorpusError("JSON, but no list of CSL items")
    items = [_from_csl(item) for item in data if isinstance(item, Mapping)]
    skipped = [
        f"item {n}: no object" for n, item in enumerate(data, 1) if not isinstance(item, Mapping)
    ]
    return _checked(items, skipped, source)


def _from_csl(item: Mapping[str, Any]) -> CslItem:
    authors = item.get("author")
    names = [a for a in authors if isinstance(a, Mapping)] if isinstance(authors, list) else []
    return {
        **{str(k): v for k, v in item.items() if isinstance(v, str | int)},
        "title": rendered_line(str(item.get("title") or "")),
        "author": [
            {k: clean_line(str(a[k])) for k in ("family", "given", "literal") if a.get(k)}
            for a in names
        ],
        "issued": year_of(item.get("issued")),
    }


def _checked(items: list[CslItem], skipped: list[str], source: str) -> Bibliography:
    """Entries that say what work they mean; the rest are named."""
    good: list[CslItem] = []
    for number, item in enumerate(items, 1):
        tidy = {k: v for k, v in item.items() if v not in (None, "", [])}
        if tidy.get("DOI"):
            doi = re.search(r"10\.\d{4,9}/\S+", str(tidy["DOI"]))
            if doi:
                tidy["DOI"] = clean_doi(doi.group())
            else:
                del tidy["DOI"]
        title = str(tidy.get("title") or "")
        if 0 < len(title) <= MAX_CHARACTERS:
            good.append(tidy)
        else:
            problem = f"a title of {len(title)} characters" if title else "no title"
            skipped.append(f"entry {number}: {problem}")
    return Bibliography(source, tuple(good), tuple(skipped))


def _name(text: str) -> dict[str, str]:
    """ "Contreras, Bret", "Bret Contreras", "{World Health Organization}"."""
    words = clean_line(text)
    if words.startswith("{") and words.endswith("}"):
        return {"literal": words[1:-1]}
    words = re.sub(r"[{}]", "", words)
    family, comma, given = words.partition(",")
    if comma:
        return (
            {"family": family.strip(), "given": given.strip(" ,")}
            if given.strip(" ,")
            else {"family": family.strip()}
        )
    given, _, family = words.rpartition(" ")
    match = re.match(r"(.*?)\s+((?:van|von|de|der|den|del|di|da|la|le)\b.*)$", words)
    if match:
        given, family = match[1], match[2]
    return {"family": family, "given": given} if given else {"literal": words}
