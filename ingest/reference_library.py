"""The corpus's references while an import runs: found again, merged, added, left behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ingest.corpus_files import (
    CSL_FIELDS,
    dump_document,
    read_document,
    write_atomically,
    year_of,
)
from ingest.import_state import ImportState, Record, document_hash, hash_on_disk
from ingest.references import first_family, front_matter, plain_doi, reference_id, same_work
from ingest.sources.found import CslItem
from rag.errors import CorpusError


class ReferenceLibrary:
    """`references/*.md` by id. Files that a person wrote or digested are never changed."""

    def __init__(self, corpus: Path, state: ImportState, *, dry_run: bool = False) -> None:
        self._corpus = corpus
        self._state = state
        self._dry_run = dry_run
        self._metas: dict[str, Mapping[str, Any]] = {}
        self._near: defaultdict[tuple[str, int | None], list[str]] = defaultdict(list)
        self._dois: dict[str, str] = {}
        for path in sorted((corpus / "references").glob("*.md")):
            try:
                self._remember(path.stem, read_document(path, "reference").meta)
            except CorpusError:
                self._metas[path.stem] = {}  # unreadable: the audit's business, the name is taken

    def put(self, item: CslItem, *, entry: str = "", origin: str = "") -> tuple[str, str]:
        """(id, added | updated | unchanged). The work's own file if there is one, else a new one."""
        item = item if item.get("title") else {**item, "title": entry}
        known = self._find(item)
        if known is None:
            return self._add(item, entry, origin), "added"
        return known, "updated" if self._complete(known, item) else "unchanged"

    def drop_orphans(self, candidates: Iterable[str], used: set[str]) -> list[str]:
        """Removes references that imported articles left behind, untouched by anyone else."""
        dropped: list[str] = []
        for key in sorted(set(candidates) - used):
            record = self._state.get(_state_key(key))
            path = self._path(key)
            if record is None or record.scope != "article" or hash_on_disk(path) != record.hash:
                continue
            if not self._dry_run:
                path.unlink(missing_ok=True)
            self._state.drop(record.key)
            dropped.append(key)
        return dropped

    def _find(self, item: CslItem) -> str | None:
        doi = plain_doi(item)
        if doi and doi in self._dois:
            return self._dois[doi]
        near = self._near[first_family(item), year_of(item.get("issued"))]
        return next((key for key in near if same_work(item, self._metas[key])), None)

    def _add(self, item: CslItem, entry: str, origin: str) -> str:
        key = reference_id(item, self._metas)
        meta = front_matter(item, key)
        if entry:
            meta["entry"] = entry
        self._remember(key, meta)
        self._write(key, meta, "article" if entry else "library", origin)
        return key

    def _complete(self, key: str, item: CslItem) -> bool:
        """Adds fields that an undigested, unedited file of ours lacks; True where it did."""
        record = self._state.get(_state_key(key))
        if record is None or hash_on_disk(self._path(key)) != record.hash:
            return False
        old = dict(self._metas[key])
        if not old.get("undigested"):
            return False
        new = front_matter(item, key)
        gained = {k: new[k] for k in CSL_FIELDS if k in new and old.get(k) in (None, "", [])}
        if old.get("title") == old.get("entry") and item.get("title") != old.get("entry"):
            gained["title"] = new["title"]
        if not gained:
            return False
        self._remember(key, old | gained)
        self._write(key, old | gained, record.scope, record.source)
        return True

    def _write(self, key: str, meta: Mapping[str, Any], scope: str, origin: str) -> None:
        if not self._dry_run:
            write_atomically(self._path(key), dump_document(meta, ""))
        record = Record(
            _state_key(key), f"references/{key}.md", document_hash(meta, ""), origin, scope=scope
        )
        self._state.put(record)

    def _remember(self, key: str, meta: Mapping[str, Any]) -> None:
        self._metas[key] = meta
        near = self._near[first_family(meta), year_of(meta.get("issued"))]
        if key not in near:
            near.append(key)
        doi = plain_doi(meta)
        if doi:
            self._dois.setdefault(doi, key)

    def _path(self, key: str) -> Path:
        return self._corpus / "references" / f"{key}.md"


def _state_key(key: str) -> str:
    return f"reference:{key}"
