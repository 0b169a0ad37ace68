"""What the audit speaks of: findings, cited sentences, and what can be cited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.corpus_files import Corpus, Document
from ingest.figures import Figure, figures_in_meta, figures_of
from ingest.markdown import Section, sections_of, strip_citations
from ingest.sentences import sentence_spans

CONTESTED = frozenset({"concern", "retracted"})


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something wrong at a place of the corpus. `path` counts from the corpus folder."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a document and the references that it cites."""

    text: str
    keys: tuple[str, ...]
    heading: str
    line: int
    """Line of the file, from 1; the heading's where the sentence's own cannot be told."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What statements can be held against: the corpus's references and their figures."""

    figures: Mapping[str, tuple[Figure, ...]]
    contested: frozenset[str] = frozenset()
    undigested: frozenset[str] = frozenset()
    """References whose text nobody has read yet: their figures cannot be checked."""
    links: frozenset[str] = field(default=frozenset())
    """Paths of all documents, from the corpus folder."""


def shelf_of(corpus: Corpus) -> Shelf:
    references = corpus.of_kind("reference")
    return Shelf(
        {d.id: (*figures_in_meta(d.meta), *figures_of(plain_text(d))) for d in references},
        frozenset(d.id for d in references if str(d.meta.get("status")) in CONTESTED),
        frozenset(d.id for d in references if d.meta.get("undigested") and not d.body.strip()),
        frozenset(d.path.relative_to(corpus.folder).as_posix() for d in corpus.documents),
    )


def plain_text(document: Document) -> str:
    """The body's running text, one paragraph a line."""
    return "\n".join(p.text for s in sections_of(document.body) for p in s.paragraphs)


def statements_of(document: Document) -> list[Statement]:
    """Every sentence of a document's body with its citations."""
    lines = document.body.split("\n")
    return [
        statement
        for section in sections_of(document.body)
        for statement in _of_section(section, lines, document.body_line)
    ]


def _of_section(section: Section, lines: list[str], first: int) -> Iterable[Statement]:
    for paragraph in section.paragraphs:
        spans = sentence_spans(paragraph.text)
        for n, (start, end) in enumerate(spans):
            # A citation after the full stop ("… grew. [@a]") still belongs to the sentence.
            until = spans[n + 1][0] if n + 1 < len(spans) else len(paragraph.text) + 1
            keys = tuple(
                dict.fromkeys(
                    key
                    for mention in paragraph.mentions
                    if start < mention.offset < until or mention.offset == start == 0
                    for key in mention.reference_ids
                )
            )
            text = paragraph.text[start:end]
            yield Statement(text, keys, section.heading, first + _line_of(text, section, lines))


def _line_of(text: str, section: Section, lines: list[str]) -> int:
    start = " ".join(text.split()[:5])
    for number in range(section.line, len(lines)):
        if start in " ".join(strip_citations(lines[number]).text.split()):
            return number
    return section.line


def relative(document: Document, folder: Path) -> str:
    return document.path.relative_to(folder).as_posix()


def repeated_fields(document: Document) -> list[tuple[str, int]]:
    """(field, line) of front matter fields that stand there a second time: YAML keeps the last."""
    seen: set[str] = set()
    repeated: list[tuple[str, int]] = []
    with document.path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if number >= document.body_line:
                break
            if named := re.match(r"([A-Za-z][\w-]*):(?:\s|$)", line):
                if named.group(1) in seen:
                    repeated.append((named.group(1), number))
                seen.add(named.group(1))
    return repeated


def field_line(document: Document, name: str) -> int:
    """The line on which a front matter field stands, from 1; 1 where it is missing."""
    with document.path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if number >= document.body_line:
                break
            if line.startswith(f"{name}:"):
                return number
    return 1
