"""The corpus on disk: `articles/*.md`, `references/*.md`, `exercises/*.md`, read and written.

A document is YAML front matter and Markdown. Beside it may lie `asked/articles/<slug>.yaml`: a
mapping from the document's headings to other words in which people ask the same. Reading is
strict about form (a file that is not what it should be is a `CorpusProblem`, never a crash) and
lenient about missing fields: what must be there is the audit's business.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from rag.citing import OTHERS
from rag.errors import CorpusError
from rag.types import Exercise, Reference, ReferenceStatus, SourceKind

FOLDERS: dict[SourceKind, str] = {
    "article": "articles",
    "reference": "references",
    "exercise": "exercises",
}
ASKED = "asked"
"""Folder of the files that say how people ask for a document's sections."""

NOT_COVERED = "not-covered.yaml"
"""File in `asked/` with questions that people ask and the corpus does not answer, by theme."""

FENCE = "---"

# libyaml's loader where PyYAML has it: ten times faster on three hundred front matters.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
AskedLoader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Reads every scalar as text: "yes" and "2023" are words that people ask with."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the corpus. `id` is the file's stem: an article's slug, a reference's id."""

    kind: SourceKind
    id: str
    meta: Mapping[str, Any]
    body: str
    path: Path
    body_line: int = 1
    """Line of the file on which the body begins, from 1."""
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Heading of a section: other words in which people ask what it answers."""

    @property
    def title(self) -> str:
        return str(self.meta.get("title") or self.meta.get("name") or self.id)

    @property
    def content_hash(self) -> str:
        """Changes when anything that shapes the document's passages does."""
        asked = sorted(self.asked.items())
        shape = repr((self.kind, self.id, sorted(self.meta.items(), key=lambda kv: kv[0]), asked))
        return sha256(f"{shape}\n{self.body}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CorpusProblem:
    """A file that could not be read, and why, in one line."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything readable below one folder, in a fixed order, and what was not."""

    folder: Path
    documents: tuple[Document, ...]
    problems: tuple[CorpusProblem, ...] = field(default=())
    not_covered: tuple[str, ...] = ()
    """Questions that people ask and the corpus does not answer."""

    def of_kind(self, kind: SourceKind) -> tuple[Document, ...]:
        return tuple(d for d in self.documents if d.kind == kind)


def read_corpus(folder: Path) -> Corpus:
    """Every document below `folder`; raises `CorpusError` where the folder is no corpus."""
    if not folder.is_dir():
        raise CorpusError(f"no corpus folder at {str(folder)!r}; name one with --corpus DIR or GLUTE_CORPUS")
    if not any((folder / name).is_dir() for name in FOLDERS.values()):
        raise CorpusError(
            f"{str(folder)!r} holds none of {', '.join(FOLDERS.values())}; is it the corpus folder?"
        )
    documents: list[Document] = []
    problems: list[CorpusProblem] = []
    for kind, name in FOLDERS.items():
        for path in sorted((folder / name).glob("*.md")):
            try:
                document = read_document(path, kind)
            except CorpusError as error:
                problems.append(CorpusProblem(path, str(error)))
                continue
            asked = asked_path(folder, kind, path.stem)
            try:
                document = replace(document, asked=read_asked(asked))
            except CorpusError as error:
                problems.append(CorpusProblem(asked, str(error)))
            documents.append(document)
    try:
        not_covered = read_asked(folder / ASKED / NOT_COVERED)
    except CorpusError as error:
        problems.append(CorpusProblem(folder / ASKED / NOT_COVERED, str(error)))
        not_covered = {}
    questions = dict.fromkeys(q for theme in not_covered.values() for q in theme)
    return Corpus(folder, tuple(documents), tuple(problems), tuple(questions))


def read_document(path: Path, kind: SourceKind) -> Document:
    """One file; raises `CorpusError` with a one-line reason where it is malformed."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise CorpusError(f"cannot be read: {unreadable_because(path, error)}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"is not UTF-8 text: {error}") from error
    meta, body, line = split_front_matter(text)
    return Document(kind, path.stem, meta, body, path, line)


def unreadable_because(path: Path, error: OSError) -> str:
    """Why a file of the corpus could not be opened, without the machine's path to it."""
    if path.is_symlink() and not path.exists():
        return "it is a link to a file that is not there"
    if path.is_dir():
        return "it is a folder, not a file"
    return error.strerror or type(error).__name__


def asked_path(folder: Path, kind: SourceKind, document_id: str) -> Path:
    """Where the ways of asking for a document's sections are kept."""
    return folder / ASKED / FOLDERS[kind] / f"{document_id}.yaml"


def read_asked(path: Path) -> dict[str, tuple[str, ...]]:
    """Heading to phrasings; empty where there is no file, `CorpusError` where it is malformed."""
    if not os.path.lexists(path):
        return {}
    try:
        found = yaml.load(path.read_text("utf-8-sig"), Loader=AskedLoader)
    except OSError as error:
        raise CorpusError(f"cannot be read: {unreadable_because(path, error)}") from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise CorpusError(f"is not valid YAML: {' '.join(str(error).split())}") from error
    if found is not None and not isinstance(found, dict):
        raise CorpusError("is not a mapping from headings to lists of questions")
    for heading, phrasings in (found or {}).items():
        if not isinstance(phrasings, list) or not all(isinstance(p, str) for p in phrasings):
            raise CorpusError(f"{heading!r} is not followed by a list of questions")
        if not all(p.strip() for p in phrasings):
            raise CorpusError(f"{heading!r} lists an empty question")
    return {heading: tuple(phrasings) for heading, phrasings in (found or {}).items()}


def split_front_matter(text: str) -> tuple[dict[str, Any], str, int]:
    """(front matter, body, the body's first line). No fence at the top: no front matter."""
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines or lines[0].strip() != FENCE:
        return {}, text, 1
    try:
        end = next(n for n, line in enumerate(lines[1:], 1) if line.strip() == FENCE)
    except StopIteration:
        raise CorpusError("front matter is opened by '---' but never closed") from None
    try:
        meta = yaml.load("\n".join(lines[1:end]), Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2024-13-45
        reason = " ".join(str(error).split())
        raise CorpusError(f"front matter is not valid YAML: {reason}") from error
    if meta is None:
        meta = {}
    if not isinstance(meta, dict):
        raise CorpusError("front matter is not a list of 'field: value' lines")
    return {str(k): v for k, v in meta.items()}, "\n".join(lines[end + 1 :]), end + 2


def dump_document(meta: Mapping[str, Any], body: str) -> str:
    """The text of a corpus file; reading it gives `meta` and `body` back."""
    head = yaml.safe_dump(
        dict(meta), sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
    )
    return f"{FENCE}\n{head}{FENCE}\n\n{body.strip()}\n"


def write_atomically(path: Path, text: str) -> None:
    """Writes `text`; a reader, or an interrupt at any moment, sees the old file or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# -- documents as the types that answers are made of -------------------------------------------

CSL_FIELDS = (
    "type", "title", "author", "issued", "container-title", "volume", "issue", "page",
    "publisher", "DOI", "PMID", "ISBN", "URL",
)  # fmt: skip


_ET_AL = re.compile(r"(?:^|,?\s+)et\.? al\b\.?\s*$", re.IGNORECASE)


def reference_of(document: Document) -> Reference:
    """A reference file's front matter as a `Reference`."""
    meta = document.meta
    year = year_of(meta.get("issued"))
    status = str(meta.get("status") or "ok")
    known: ReferenceStatus = (
        "retracted" if status == "retracted" else "concern" if status == "concern" else "ok"
    )
    size = meta.get("sample_size")
    return Reference(
        id=document.id,
        label=reference_label(meta.get("author"), year, document.title),
        title=document.title,
        year=year,
        kind=str(meta.get("kind") or ""),
        doi=str(meta.get("DOI") or ""),
        url=str(meta.get("URL") or ""),
        status=known,
        population=str(meta.get("population") or ""),
        sample_size=size if isinstance(size, int) else None,
        csl=csl_item(document),
        details={k: v for k, v in meta.items() if k not in CSL_FIELDS and v is not None},
    )


def csl_item(document: Document) -> dict[str, Any]:
    """The reference as a CSL-JSON item (https://docs.citationstyles.org, the JSON schema)."""
    item: dict[str, Any] = {"id": document.id}
    for name in CSL_FIELDS:
        value = document.meta.get(name)
        if value in (None, "", []):
            continue
        if name == "issued":
            year = year_of(value)
            if year:
                item["issued"] = {"date-parts": [[year]]}
        elif name == "author":
            item["author"] = authors_of(value)
        else:
            item[name] = str(value)
    item.setdefault("type", "document")
    return item


def exercise_of(document: Document) -> Exercise:
    """An exercise file's front matter as an `Exercise`."""
    aliases = tuple(str(a) for a in _listed(document.meta.get("aliases")))
    return Exercise(document.id, document.title, aliases, dict(document.meta))


def year_of(issued: Any) -> int | None:
    """The year of a CSL date, a date, a number or a string that begins with one."""
    if isinstance(issued, Mapping):
        parts = issued.get("date-parts")
        issued = parts[0][0] if parts and parts[0] else issued.get("raw")
    digits = str(issued or "")[:4]
    return int(digits) if digits.isdigit() and len(digits) == 4 else None


def reference_label(authors: Any, year: int | None, title: str) -> str:
    """ "Contreras et al., 2015", "Refalo & Pelland, 2023", "NICE, 2016"; a title without authors."""
    names = authors_of(authors)
    families = [str(a.get("family") or a.get("literal") or "") for a in names if a != OTHERS]
    families = [f for f in families if f]
    if OTHERS in names and families:
        families = [f"{families[0]} et al."]
    match families:
        case []:
            who = title if len(title) <= 40 else title[:40].rsplit(" ", 1)[0] + " …"
        case [one]:
            who = one
        case [one, two]:
            who = f"{one} & {two}"
        case [one, *_]:
            who = f"{one} et al."
    return f"{who}, {year}" if year else f"{who}, n.d."


def _listed(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def authors_of(authors: Any) -> list[dict[str, str]]:
    """CSL names; where the source's list was cut short ("et al."), `OTHERS` stands last."""
    names = [_name(author) for author in _listed(authors)]
    whole = [{k: _ET_AL.sub("", v) for k, v in name.items()} for name in names]
    found = [_surname(name, before) for name, before in zip(whole, names, strict=True)]
    known = [n for n in found if n and n != OTHERS]
    cut = whole != names or OTHERS in names
    return [*known, OTHERS] if known and cut else known


def _name(author: Any) -> dict[str, str]:
    if isinstance(author, Mapping):
        return {str(k): str(v) for k, v in author.items() if v}
    return {"literal": str(author)}


def _surname(name: dict[str, str], before: dict[str, str]) -> dict[str, str]:
    """What stands before "et al." is a surname, however the file calls it."""
    if name != before and name.get("literal"):
        return {"family": name["literal"]}
    return {k: v for k, v in name.items() if v}
