"""The audit of `asked/`: the files that say how people ask for a document's sections.

A phrasing that leads nowhere, or to two documents at once, sends a reader to the wrong answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ingest.corpus_files import ASKED, FOLDERS, NOT_COVERED, AskedLoader, Corpus, asked_path
from ingest.findings import Finding
from ingest.markdown import sections_of

MAX_PHRASING = 200
"""Characters. Nobody asks in more, and the embedder reads about four times as many."""

RULE = "asked"


@dataclass(frozen=True, slots=True)
class _Line:
    """A heading or a phrasing, and the line of the file on which it stands, from 1."""

    text: str
    number: int

    @property
    def words(self) -> str:
        """What makes two of them the same: the words, not their punctuation or capitals."""
        return " ".join(re.findall(r"\w+", self.text.casefold()))


def asked_findings(corpus: Corpus) -> Iterator[Finding]:
    """Everything wrong in the `asked` files that could be read, and files that nothing reads."""
    yield from _unread(corpus.folder)
    unreadable = {problem.path for problem in corpus.problems}
    headings: dict[Path, frozenset[str] | None] = {
        asked_path(corpus.folder, d.kind, d.id): frozenset(s.heading for s in sections_of(d.body))
        for d in corpus.documents
    }
    headings[corpus.folder / ASKED / NOT_COVERED] = None
    first: dict[str, str] = {}
    for path, known in headings.items():
        if path not in unreadable and path.is_file():
            where = path.relative_to(corpus.folder).as_posix()
            for line, message in _of_file(_entries(path), known, where, first):
                yield Finding(where, line, RULE, message)


def _unread(folder: Path) -> Iterator[Finding]:
    """Files that lie beside no document."""
    for path in sorted((folder / ASKED).rglob("*.y*ml")):
        place = path.relative_to(folder / ASKED)
        if place == Path(NOT_COVERED):
            continue
        read = path.suffix == ".yaml" and len(place.parts) == 2 and place.parts[0] in FOLDERS.values()
        if not read or not (folder / place.with_suffix(".md")).exists():
            message = f"is not read: there is no document '{place.with_suffix('.md').as_posix()}'"
            if not read:
                message = f"is not read: name it {ASKED}/articles/SLUG.yaml or {ASKED}/exercises/SLUG.yaml"
            yield Finding(path.relative_to(folder).as_posix(), 1, "unread", message)


def _of_file(
    entries: list[tuple[_Line, list[_Line]]],
    headings: frozenset[str] | None,
    where: str,
    first: dict[str, str],
) -> Iterator[tuple[int, str]]:
    """(line, message) of one file; `first` keeps in which file each phrasing stood first.

    `headings` are the document's; None where the keys are only themes.
    """
    seen: set[str] = set()
    if not entries:
        yield 1, "is empty: list phrasings under headings, or remove the file"
    for heading, phrasings in entries:
        if headings is not None and heading.text not in headings:
            yield heading.number, f"'{heading.text}' is no heading of the document with text below it"
        if heading.text in seen:
            yield heading.number, f"'{heading.text}' stands there twice"
        seen.add(heading.text)
        if not phrasings:
            yield heading.number, f"'{heading.text}' has no phrasings"
        for phrasing in phrasings:
            yield from ((phrasing.number, message) for message in _of_phrasing(phrasing, where, first))


def _of_phrasing(phrasing: _Line, where: str, first: dict[str, str]) -> Iterator[str]:
    if len(phrasing.text) > MAX_PHRASING:
        yield f"'{phrasing.text[:40]} …' is longer than {MAX_PHRASING} characters"
    if not phrasing.words:
        yield "a phrasing without a word"
        return
    if other := first.get(phrasing.words):
        again = "stands there twice" if other == where else f"is asked in {other} too"
        yield f"'{phrasing.text}' {again}"
    first.setdefault(phrasing.words, where)


def _entries(path: Path) -> list[tuple[_Line, list[_Line]]]:
    """The file's headings and phrasings with their lines, repeated headings included."""
    node = yaml.compose(path.read_text("utf-8-sig"), Loader=AskedLoader)
    return [
        (_line(heading), [_line(phrasing) for phrasing in phrasings.value])
        for heading, phrasings in (node.value if node else ())
    ]


def _line(node: yaml.Node) -> _Line:
    return _Line(str(node.value), node.start_mark.line + 1)
