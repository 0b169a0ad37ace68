"""What earlier imports wrote: `.import/state.jsonl` in the corpus folder, a line a file.

Lines are appended as files are written, so an interrupt at any moment loses at most the line of a
file that is already whole; such a file is recognised by its own front matter. The file is written
anew, sorted, at the end of a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ingest.corpus_files import split_front_matter, write_atomically
from rag.errors import CorpusError

FOLDER = ".import"
VERSION = 2
"""Raised when the same source would now be cleaned differently, so that it is read again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One file that an import wrote."""

    key: str
    path: str
    """Below the corpus folder."""
    hash: str
    """Of the document as we wrote it (`document_hash`): another on disk means a person's edits."""
    source: str = ""
    url: str = ""
    title: str = ""
    fingerprint: str = ""
    scope: str = ""
    references: tuple[str, ...] = ()
    version: int = VERSION


def document_hash(meta: Mapping[str, Any], body: str) -> str:
    """Of a document's meaning: the same for other YAML layout of the same values."""
    plain = dict(meta)
    stamp = plain.get("import")
    if isinstance(stamp, Mapping):
        plain["import"] = {k: v for k, v in stamp.items() if k != "hash"}
    shape = json.dumps(plain, sort_keys=True, default=str, ensure_ascii=False)
    return sha256(f"{shape}\n{body.strip()}".encode()).hexdigest()[:16]


def hash_on_disk(path: Path) -> str | None:
    """`document_hash` of a file; None where there is none, "" where it cannot be read."""
    if not path.is_file():
        return None
    try:
        meta, body, _ = split_front_matter(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, CorpusError):
        return ""
    return document_hash(meta, body)


class ImportState:
    """The records of one corpus, by key. With `dry_run` nothing is written."""

    def __init__(self, corpus: Path, *, dry_run: bool = False) -> None:
        self.folder = corpus / FOLDER
        self._path = self.folder / "state.jsonl"
        self._dry_run = dry_run
        self._appended = False
        self._records = {record.key: record for record in self._read()}

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def get(self, key: str) -> Record | None:
        return self._records.get(key)

    def put(self, record: Record) -> None:
        """Remembers `record`, on disk before this returns."""
        if self._records.get(record.key) != record:
            self._records[record.key] = record
            self._append(asdict(record))

    def drop(self, key: str) -> None:
        """Forgets a key."""
        if self._records.pop(key, None) is not None:
            self._append({"key": key, "dropped": True})

    def close(self) -> None:
        """Writes the records anew, sorted, where they changed."""
        if self._dry_run or not self._path.exists():
            return
        lines = [_line(asdict(r)) for _, r in sorted(self._records.items())]
        text = "".join(lines)
        if self._path.read_text("utf-8", "replace") != text:
            write_atomically(self._path, text)

    def _append(self, record: Mapping[str, Any]) -> None:
        if self._dry_run:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            # A blank line first ends a line that an interrupt tore; readers pass over it.
            file.write(("" if self._appended else "\n") + _line(record))
        self._appended = True

    def _read(self) -> Iterator[Record]:
        found: dict[str, Record] = {}
        try:
            lines = self._path.read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        for line in lines:
            try:
                values = json.loads(line)
                if values.pop("dropped", False):
                    found.pop(values["key"], None)
                    continue
                values["references"] = tuple(values.get("references") or ())
                found[values["key"]] = Record(**values)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # a line cut off by an interrupt: its file is recognised by itself
        return iter(found.values())


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"
