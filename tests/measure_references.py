"""Reads labelled bibliography entries and prints how well their fields were told.

    python tests/measure_references.py FOLDER [--misses FIELD]

FOLDER holds `anystyle-gold-*.xml` (AnyStyle's format: one `<sequence>` an entry, its children the
labelled pieces in order). The entry's line is its pieces joined by spaces. A title or container
counts as found where it equals the gold's letters and digits; families as a bag,
in entries whose authors are written with initials; DOI and year
exactly. Micro-averaged over all entries.
"""

from __future__ import annotations

import argparse
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.corpus_files import year_of
from ingest.reference_strings import clean_doi, parse_reference

FIELDS = ("year", "title", "family", "container", "doi")


@dataclass(slots=True)
class Score:
    """Counts of one field."""

    hits: int = 0
    said: int = 0
    gold: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(1, self.said + self.gold)


def entries(folder: Path) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """(line, label → pieces) for every entry of every gold file."""
    from defusedxml.ElementTree import parse

    for path in sorted(folder.glob("anystyle-gold-*.xml")):
        for sequence in parse(path).getroot():
            pieces = [(child.tag, " ".join((child.text or "").split())) for child in sequence]
            labels: dict[str, list[str]] = {}
            for tag, text in pieces:
                labels.setdefault(tag, []).append(text)
            yield " ".join(text for _, text in pieces), labels


def letters(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text)
    return re.sub(r"[\W_]+", "", "".join(c for c in folded if not unicodedata.combining(c))).lower()


def gold_fields(labels: dict[str, list[str]]) -> dict[str, list[str]]:
    years = re.findall(r"(?<!\d)(?:1[6-9]|20)\d{2}(?!\d)", " ".join(labels.get("date", [])))
    containers = labels.get("journal") or labels.get("container-title") or []
    names = [letters(f) for text in labels.get("author", []) for f in families(text)]
    dois = [
        clean_doi(m).lower()
        for t in labels.get("doi", []) + labels.get("url", [])
        for m in re.findall(r"10\.\d{4,}/\S+", t)
    ]
    return {
        "year": years[:1],
        "title": [letters(t) for t in labels.get("title", [])[:1]],
        "family": names,
        "container": [letters(re.sub(r"^(?:In|in)\b:?\s", "", c)) for c in containers[:1]],
        "doi": dois[:1],
    }


def families(text: str) -> list[str]:
    """Family names of a labelled author piece written with initials; none for other pieces.

    Read by simpler rules than the importer's, on text already known to be names only: words that
    are initials go, what is left of each name is the family.
    """
    text = re.sub(r"\(?\b[Ee]ds?\b\.?\)?|\bet\.? al\.?|\b(?:Jr|Sr)\b\.?|- ", "", text)
    found: list[str] = []
    for part in re.split(r"\s*(?:;|,|&|:|\band\b)\s*", text):
        words = [w for w in re.split(r"(?<=\.)(?=\w)|\s+", part.strip()) if w.strip(" .")]
        family = [w for w in words if not INITIALS.fullmatch(w)]
        if family:
            found.append(" ".join(family))
    return found


INITIALS = re.compile(r"-?(?:[A-ZÀ-Þ]\.?-?){1,3}\.?")


def uses_initials(labels: dict[str, list[str]]) -> bool:
    """Whether every author is written "Family, I." or the like: only then is the gold plain."""
    text = " ".join(labels.get("author", []))
    count = len(families(text))
    return 0 < count <= len(re.findall(r"(?<![^\W\d_])[A-ZÀ-Þ]{1,3}(?![^\W\d_])", text))


def said_fields(item: dict[str, Any]) -> dict[str, list[str]]:
    year = year_of(item.get("issued"))
    return {
        "year": [str(year)] if year else [],
        "title": [letters(item["title"])] if item.get("title") else [],
        "family": [
            letters(a.get("family") or a.get("literal", "")) for a in item.get("author", [])
        ],
        "container": [letters(item["container-title"])] if item.get("container-title") else [],
        "doi": [item["DOI"].lower()] if item.get("DOI") else [],
    }


def measure(folder: Path, misses: str = "") -> tuple[int, dict[str, Score]]:
    """(entries, field → score); prints the misses of one field if asked to."""
    scores = {name: Score() for name in FIELDS}
    count = 0
    for line, labels in entries(folder):
        count += 1
        gold, said = gold_fields(labels), said_fields(parse_reference(line).item)
        if not uses_initials(labels):
            gold["family"] = said["family"] = []
        for name, score in scores.items():
            left = list(gold[name])
            hits = 0
            for value in said[name]:
                if value in left:
                    left.remove(value)
                    hits += 1
            score.hits += hits
            score.said += len(said[name])
            score.gold += len(gold[name])
            if name == misses and hits < max(len(said[name]), len(gold[name])):
                print(f"{line}\n  gold {gold[name]}\n  said {said[name]}")
    return count, scores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--misses", choices=FIELDS, default="", help="print one field's misses")
    args = parser.parse_args()
    count, scores = measure(args.folder, args.misses)
    print(f"{count} entries")
    print(f"{'field':10} {'F1':>6} {'precision':>10} {'recall':>7} {'gold':>5}")
    for name, score in scores.items():
        print(
            f"{name:10} {score.f1:6.3f} {score.hits / max(1, score.said):10.3f} "
            f"{score.hits / max(1, score.gold):7.3f} {score.gold:5}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
