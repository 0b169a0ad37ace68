"""`python -m ingest import`: sources in, corpus files out, a line of report an item.

A file is written when its source changed and nobody edited it; a person's edits win and are
reported. Every file is written whole or not at all, and remembered before the next is begun, so
an interrupt at any moment loses nothing and the next run goes on.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from textwrap import shorten
from typing import Any, Literal

from ingest.cleaning import summary_of
from ingest.corpus_files import dump_document, split_front_matter, write_atomically
from ingest.fetching import Fetcher
from ingest.import_state import FOLDER, ImportState, Record, document_hash, hash_on_disk
from ingest.markdown import CITATION, CITATION_KEY, NARRATIVE
from ingest.passages import slugify
from ingest.reference_library import ReferenceLibrary
from ingest.references import Listed, link_citations, split_reference_list
from ingest.sources.feed import page_key
from ingest.sources.found import (
    Article,
    Bibliography,
    Failed,
    Found,
    Gone,
    Known,
    Skipped,
    Unchanged,
)
from ingest.sources.opening import read_source
from rag.errors import CorpusError, RagError

Action = Literal["added", "updated", "unchanged", "skipped", "removed"]
ACTIONS: tuple[Action, ...] = ("added", "updated", "unchanged", "skipped", "removed")
_SLUG_LENGTH = 80
_DEVICE = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
_EMPTY_SLUGS = frozenset({"", "index", "default", "home", "untitled", "document"})


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the report."""

    source: str
    path: str | None
    """Below the corpus folder."""
    action: Action
    reason: str | None = None
    unresolved: tuple[str, ...] = ()
    """In-text citations that no entry of the reference list fits."""

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "source": self.source, "path": self.path, "action": self.action, "reason": self.reason,
        }  # fmt: skip
        return row | ({"unresolved": list(self.unresolved)} if self.unresolved else {})


@dataclass(slots=True)
class Report:
    """What an import did."""

    items: list[Item] = field(default_factory=list)
    references: Counter[str] = field(default_factory=Counter)
    failures: list[Failed] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        counts = Counter(item.action for item in self.items)
        return {
            "items": [item.as_json() for item in self.items],
            "counts": {action: counts[action] for action in ACTIONS},
            "references": {a: self.references[a] for a in ("added", "updated", "removed")},
        }

    @property
    def exit_code(self) -> int:
        """0; 1 where the network or a server failed; 2 where a source is no usable input."""
        if not self.failures:
            return 0
        return 1 if all(f.environment for f in self.failures) else 2


def import_sources(
    sources: Sequence[str],
    corpus: Path,
    *,
    dry_run: bool = False,
    fetcher: Fetcher | None = None,
    allow_private: bool = False,
) -> Generator[Item, None, Report]:
    """Imports each source, yielding a line an item; the generator's return value is the report."""
    return _Import(corpus, dry_run, fetcher, allow_private).run(sources)


def import_all(sources: Sequence[str], corpus: Path, **options: Any) -> Report:
    """`import_sources` to its end."""
    run = import_sources(sources, corpus, **options)
    while True:
        try:
            next(run)
        except StopIteration as end:
            report: Report = end.value
            return report


class _Import:
    def __init__(
        self, corpus: Path, dry_run: bool, fetcher: Fetcher | None, allow_private: bool
    ) -> None:
        self._corpus = corpus
        self._dry_run = dry_run
        self._given = fetcher
        self._own: Fetcher | None = None
        self._allow_private = allow_private
        self._report = Report()

    def run(self, sources: Sequence[str]) -> Generator[Item, None, Report]:
        if self._corpus.exists() and not self._corpus.is_dir():
            raise CorpusError(f"{str(self._corpus)!r} is a file; --corpus names a folder")
        with _locked(self._corpus, self._dry_run):
            self._state = ImportState(self._corpus, dry_run=self._dry_run)
            self._library = ReferenceLibrary(self._corpus, self._state, dry_run=self._dry_run)
            self._paths = {r.path: r.key for r in self._state if r.path.startswith("articles/")}
            self._urls = {page_key(r.url): r.key for r in self._state if r.url}
            self._left: set[str] = set()
            if not self._dry_run:
                _sweep(self._corpus)
            try:
                for source in sources:
                    for found in read_source(source, self._fetcher, self._known()):
                        for item in self._take(found):
                            self._report.items.append(item)
                            yield item
                self._drop_left_references()
            finally:
                self._state.close()
                if self._own is not None:
                    self._own.close()
        return self._report

    def _fetcher(self) -> Fetcher:
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own = Fetcher(allow_private=self._allow_private)
        return self._own

    def _known(self) -> Known:
        """Records whose files are there and were cleaned by these rules; others are read again."""
        from ingest.import_state import VERSION

        there = [
            r for r in self._state if (self._corpus / r.path).is_file() and r.version == VERSION
        ]
        return Known(
            {r.key: r.fingerprint for r in there},
            {r.key: r.source for r in self._state},
            {r.key: r.scope for r in self._state},
        )

    # -- one item ------------------------------------------------------------------------------

    def _take(self, found: Found) -> Iterator[Item]:
        match found:
            case Article():
                yield self._article(found)
            case Bibliography():
                yield from self._bibliography(found)
            case Unchanged():
                record = self._state.get(found.key)
                yield Item(found.source, record.path if record else None, "unchanged")
            case Gone():
                yield self._remove(found.key, found.source, found.reason)
            case Skipped() if found.key and self._state.get(found.key):
                yield self._remove(found.key, found.source, found.reason)
            case Skipped():
                yield Item(found.source, None, "skipped", found.reason)
            case Failed():
                self._report.failures.append(found)
                yield Item(found.source, None, "skipped", found.reason)

    def _article(self, article: Article) -> Item:
        record = self._record_of(article)
        if isinstance(record, Item):
            return record
        meta, body, references, unresolved = self._document(article)
        path = record.path if record else self._free_path(article)
        new_hash = document_hash(meta, body)
        meta["import"]["hash"] = new_hash
        disk = hash_on_disk(self._corpus / path)
        action, reason = _decide(record, disk, new_hash)
        if record:
            self._left |= set(record.references) - set(references)
        if action == "skipped" or (reason and action == "unchanged"):
            self._keep_theirs(path, meta, body, action)
            return Item(article.source, path, action, reason, unresolved)
        if action != "unchanged" and not self._dry_run:
            write_atomically(self._corpus / path, dump_document(meta, body))
        self._remember(article, path, new_hash, references)
        return Item(article.source, path, action, reason or _notice(unresolved), unresolved)

    def _record_of(self, article: Article) -> Record | Item | None:
        """The record of the file that holds the article; an Item where another source's does."""
        record = self._state.get(article.key)
        if record is not None:
            return record
        other = self._state.get(self._urls.get(page_key(article.url), "")) if article.url else None
        if other is not None and self._is_same(article, other):
            if article.key.startswith("wordpress:") and other.key.startswith("page:"):
                self._state.drop(other.key)
                return Record(**{**_fields(other), "key": article.key})
            said = f"is {other.source}, imported already"
            return Item(
                article.source,
                other.path,
                "unchanged",
                said if other.source != article.source else None,
            )
        return self._adopted(article)

    def _is_same(self, article: Article, other: Record) -> bool:
        """One article met twice under one address, as a post and a page say; two posts never."""
        posts = article.key.startswith("wordpress:") and other.key.startswith("wordpress:")
        there = (self._corpus / other.path).is_file()
        return not posts and there and other.title == article.title

    def _adopted(self, article: Article) -> Record | None:
        """A file whose own front matter says it is this article: the state was lost."""
        for path in self._named_after(article):
            try:
                meta, _, _ = split_front_matter(path.read_text("utf-8-sig"))
            except (OSError, UnicodeDecodeError, RagError):
                continue
            stamp = meta.get("import")
            if isinstance(stamp, Mapping) and stamp.get("source") == article.key:
                listed = meta.get("references")
                known = tuple(str(r) for r in listed) if isinstance(listed, list) else ()
                relative = path.relative_to(self._corpus).as_posix()
                return Record(article.key, relative, str(stamp.get("hash") or ""), references=known)
        return None

    def _named_after(self, article: Article) -> Iterator[Path]:
        """The files that the article may have been given: slug.md, slug-2.md, …"""
        slug, number = self._slug(article), 2
        path = self._corpus / "articles" / f"{slug}.md"
        while path.exists():
            yield path
            path, number = path.with_name(f"{slug}-{number}.md"), number + 1

    def _document(
        self, article: Article
    ) -> tuple[dict[str, Any], str, tuple[str, ...], tuple[str, ...]]:
        """(front matter, body, ids of its reference list, unresolved citations)."""
        text = article.body if article.cites else _citing_nothing(article.body)
        body, entries = split_reference_list(text)
        listed: list[Listed] = []
        for entry in entries:
            key, action = self._library.put(entry.item, entry=entry.raw, origin=article.key)
            self._report.references[action] += 1
            listed.append(Listed(key, entry))
        linked = link_citations(body, listed)
        references = tuple(dict.fromkeys(x.id for x in listed))
        meta: dict[str, Any] = {
            "title": article.title,
            "author": article.author or None,
            "date": _as_date(article.date),
            "updated": _as_date(article.updated or article.date),
            "url": article.url or None,
            "tags": list(article.tags),
            "summary": article.summary or summary_of(linked.body) or None,
        }
        if references:
            meta["references"] = list(references)
        stamp = {"source": article.key, "id": article.post_id, "modified": article.modified}
        meta["import"] = {k: v for k, v in stamp.items() if v}
        return meta, linked.body, references, tuple(linked.unresolved)

    def _free_path(self, article: Article) -> str:
        slug = self._slug(article)
        number, path = 2, f"articles/{slug}.md"
        while path in self._paths or (self._corpus / path).exists():
            path, number = f"articles/{slug}-{number}.md", number + 1
        self._paths[path] = article.key
        return path

    def _slug(self, article: Article) -> str:
        slug = slugify(re.sub(r"\.(?:html?|php|aspx?|md|pdf|docx|txt)$", "", article.slug))
        if slug in _EMPTY_SLUGS or slug.isdigit():
            slug = slugify(article.title)
        slug = slug[:_SLUG_LENGTH].strip("-")
        if _DEVICE.fullmatch(slug):  # no file of this name can be made on Windows
            slug = f"article-{slug}"
        return slug or f"article-{slugify(article.post_id or article.key)[-12:].strip('-')}"

    def _keep_theirs(self, path: str, meta: Mapping[str, Any], body: str, action: Action) -> None:
        """Puts what the source now says beside the corpus, for the person to compare."""
        if action == "skipped" and not self._dry_run:
            incoming = self._corpus / FOLDER / "incoming" / Path(path).name
            write_atomically(incoming, dump_document(meta, body))

    def _remember(
        self, article: Article, path: str, new_hash: str, references: tuple[str, ...]
    ) -> None:
        record = Record(
            article.key, path, new_hash, _plain_source(article), article.url, article.title,
            article.fingerprint, article.scope, references,
        )  # fmt: skip
        self._state.put(record)
        self._paths[path] = article.key
        if article.url:
            self._urls[page_key(article.url)] = article.key

    def _bibliography(self, found: Bibliography) -> Iterator[Item]:
        for item in found.items:
            key, action = self._library.put(item, origin=found.source)
            self._report.references[action] += 1
            name = f"{found.source}: {shorten(str(item.get('title')), 160, placeholder=' …')}"
            yield Item(
                name,
                f"references/{key}.md",
                "added"
                if action == "added"
                else ("updated" if action == "updated" else "unchanged"),
            )
        for reason in found.skipped:
            yield Item(found.source, None, "skipped", reason)

    def _remove(self, key: str, source: str, reason: str) -> Item:
        """The article leaves the corpus; a person's edited copy is set aside, not lost."""
        record = self._state.get(key)
        if record is None:
            return Item(source, None, "skipped", reason)
        path = self._corpus / record.path
        edited = hash_on_disk(path) not in {record.hash, None}
        if edited:
            aside = self._corpus / FOLDER / "removed" / path.name
            reason += f"; you had edited it: your copy is kept at {FOLDER}/removed/{path.name}"
        if not self._dry_run and path.is_file():
            if edited:
                aside.parent.mkdir(parents=True, exist_ok=True)
                path.replace(aside)
            else:
                path.unlink()
        self._left |= set(record.references)
        self._state.drop(key)
        self._paths.pop(record.path, None)
        return Item(source, record.path, "removed", reason)

    def _drop_left_references(self) -> None:
        if not self._left:
            return
        used = {r for record in self._state for r in record.references}
        for folder in ("articles", "exercises", "references"):
            for path in (self._corpus / folder).glob("*.md"):
                used |= _cited(path)
        dropped = self._library.drop_orphans(self._left, used)
        self._report.references["removed"] += len(dropped)


def _decide(record: Record | None, disk: str | None, new: str) -> tuple[Action, str | None]:
    """What to do, from what we wrote, what is on disk now, and what the source now says."""
    if record is None:
        return "added", None
    if disk is None:
        return "added", "its file was missing"
    if disk == new:
        return "unchanged", None
    if disk == record.hash:
        return "updated", None
    if new == record.hash:
        return "unchanged", "your edits are kept"
    return "skipped", (
        "edited by hand and changed at its source: yours is kept, the source's text is at "
        f"{FOLDER}/incoming/{Path(record.path).name}"
    )


def _citing_nothing(body: str) -> str:
    """Without what reads as a Pandoc citation: a page must not cite our references by their ids."""
    bare = CITATION.sub(lambda m: f"({m.group()[1:-1]})", body)
    return NARRATIVE.sub(lambda m: f"({m.group()})", bare)


def _as_date(day: str) -> date | None:
    return date.fromisoformat(day) if day else None


def _notice(unresolved: Sequence[str]) -> str | None:
    if not unresolved:
        return None
    shown = "; ".join(unresolved[:3]) + ("; …" if len(unresolved) > 3 else "")
    return f"{len(unresolved)} citations fit no entry of its reference list: {shown}"


def _plain_source(article: Article) -> str:
    """Files by their full path, so that a later run can see whether they are still there."""
    if article.key.startswith("file:"):
        return str(Path(article.source).expanduser().resolve())
    return article.source


def _fields(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in Record.__slots__}


def _cited(path: Path) -> set[str]:
    """The references that a corpus file names."""
    try:
        meta, body, _ = split_front_matter(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, RagError):
        return set()
    listed = meta.get("references")
    keys = {str(k) for k in listed} if isinstance(listed, list) else set()
    keys |= {k for m in CITATION.finditer(body) for k in CITATION_KEY.findall(m.group())}
    return keys | set(NARRATIVE.findall(body))


@contextmanager
def _locked(corpus: Path, dry_run: bool) -> Iterator[None]:
    """One import at a time writes to a corpus."""
    if dry_run:
        yield
        return
    from filelock import FileLock, Timeout

    folder = corpus / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=0):
            yield
    except Timeout as error:
        raise ImportBusy(f"another import into {str(corpus)!r} is running; wait for it") from error
    except PermissionError as error:
        raise ImportBusy(f"cannot write to {str(corpus)!r}: {error.strerror}") from error


class ImportBusy(RagError):
    """The corpus cannot be written to at the moment."""


def _sweep(corpus: Path) -> None:
    """Removes what a killed process left of files it was writing."""
    for folder in ("articles", "references"):
        for path in (corpus / folder).glob(".*.md.*"):
            path.unlink(missing_ok=True)


# -- the command -------------------------------------------------------------------------------


def add_import_parser(subparsers: Any) -> None:
    """Adds `import` to the commands of `python -m ingest`."""
    parser = subparsers.add_parser(
        "import",
        help="bring articles and references into the corpus",
        description=(
            "SOURCE is a file (.html .md .txt .pdf .docx, WordPress export .xml, .bib .ris .json), "
            "a folder of these, a feed or sitemap URL, a page URL, or a WordPress site's URL."
        ),
    )
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    parser.add_argument("--corpus", type=Path, metavar="DIR")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="read from loopback and private addresses too (a WordPress on this machine)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run_import)


def run_import(args: argparse.Namespace) -> int:
    """The command: a line an item on stdout, failures on stderr, exit 0, 1 or 2."""
    for name in ("trafilatura", "bibtexparser", "pypdf"):  # what they say, the report says
        logging.getLogger(name).setLevel(logging.CRITICAL)
    corpus = args.corpus
    if corpus is None:
        from rag.settings import load_settings

        corpus = load_settings().corpus
    report = _shown(
        import_sources(
            args.sources, corpus, dry_run=args.dry_run, allow_private=args.allow_private
        ),
        quiet=args.json,
    )
    if args.json:
        from rag.commands import print_json

        print_json(report.as_json())
    else:
        print(_summary(report, args.dry_run))
    for failure in report.failures:
        print(f"import: {failure.source}: {failure.reason}", file=sys.stderr)
    return report.exit_code


def _shown(run: Generator[Item, None, Report], *, quiet: bool) -> Report:
    """Runs the import, printing each line and, on a terminal, a bar."""
    from tqdm import tqdm

    with tqdm(desc="Importing", unit="item", disable=not sys.stderr.isatty()) as bar:
        while True:
            try:
                item = next(run)
            except StopIteration as end:
                report: Report = end.value
                return report
            bar.update()
            if not quiet:
                with tqdm.external_write_mode(file=sys.stdout):
                    print(line_of(item))


def line_of(item: Item) -> str:
    """ "added      articles/x.md  <- https://…  (why)"."""
    where = f"{item.path} <- {item.source}" if item.path else item.source
    return f"{item.action:10} {where}{f' ({item.reason})' if item.reason else ''}"


def _summary(report: Report, dry_run: bool) -> str:
    counts = Counter(item.action for item in report.items)
    said = ", ".join(f"{counts[a]} {a}" for a in ACTIONS if counts[a]) or "nothing found"
    references = report.references["added"]
    more = f"; {references} references added" if references else ""
    return f"{'Would be: ' if dry_run else ''}{said}{more}."
