"""Brings the index up to date with the corpus: `python -m ingest index`.

A new version is built whole beside the old one and then switched to in one atomic step, by one
process at a time. Vectors of texts that did not change are taken over from the old version, so
only what changed is embedded; what is gone leaves with the old version.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np

from ingest.adapter import fitted_adapter, key_of
from ingest.corpus_files import (
    ASKED,
    FOLDERS,
    NOT_COVERED,
    Corpus,
    exercise_of,
    read_corpus,
    reference_of,
)
from ingest.passages import MAX_TOKENS, passages_of, retrieval_text
from rag.encoding import OnnxEmbedder, ensure_exported, model_folder, open_embedder
from rag.errors import CorpusError, IndexMismatchError, IndexMissingError, RagError, SettingsError
from rag.index_files import (
    SCHEMA,
    Manifest,
    current_version,
    models_folder,
    read_manifest,
    switch_to,
    versions_folder,
    write_documents,
    write_manifest,
    write_passages,
)
from rag.settings import Settings
from rag.types import Passage, Reference, Vectors
from rag.vector_store import drop_collection, open_collection, write_collection

KEPT_VERSIONS = 2
"""The one in use and the one before it, which a running server may still be reading."""

LOCK_TIMEOUT_S = 600

NOT_ASKED = ""
"""The section of what the corpus does not answer: one of its own, for the adapter to set apart."""

Report = Callable[[int, int], None]
"""Called with (texts embedded so far, texts to embed)."""


@dataclass(frozen=True, slots=True)
class IndexResult:
    """What an index run did."""

    changed: bool
    documents: dict[str, int]
    passages: int
    embedded: int
    """Passages that were embedded in this run."""
    reused: int
    skipped: tuple[tuple[str, str], ...]
    """(file, reason) for every file that could not be read."""
    version: str


def update_index(settings: Settings, report: Report | None = None) -> IndexResult:
    """Indexes `settings.corpus` into `settings.index`; does nothing where it is up to date.

    Raises `CorpusError` for a folder that is no corpus or holds no text, `SettingsError` where the
    index cannot be written, `RagError` where another process has been building for more than ten
    minutes.
    """
    from filelock import FileLock, Timeout

    lock = _lock_file(settings.index)
    try:
        with FileLock(lock, timeout=LOCK_TIMEOUT_S):
            return _update(settings, report)
    except Timeout as error:
        raise RagError(f"another process is building the index at {str(settings.index)!r}") from error


def _lock_file(index: Path) -> Path:
    """The index's lock file, there and writable; `SettingsError` where it cannot be."""
    lock = index / "lock"
    try:
        index.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(
            f"GLUTE_INDEX: no index can be kept at {str(index)!r}: {reason}; name a folder that can "
            "be written"
        ) from error
    return lock


def is_stale(settings: Settings) -> bool:
    """Whether the index is missing, of another release or model, or behind the corpus."""
    try:
        manifest = read_manifest(current_version(settings.index))
    except (IndexMissingError, IndexMismatchError):
        return True
    return not _fits(manifest, settings, corpus_fingerprint(settings.corpus))


def corpus_fingerprint(folder: Path) -> str:
    """Changes with any byte of any corpus file."""
    digest = sha256()
    uncovered = folder / ASKED / NOT_COVERED
    digest.update(uncovered.read_bytes() if uncovered.is_file() else b"")
    for name in sorted(FOLDERS.values()):
        asked = (folder / ASKED / name).glob("*.yaml")
        for path in sorted([*(folder / name).glob("*.md"), *asked]):
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            try:
                digest.update(sha256(path.read_bytes()).digest())
            except OSError:  # `read_corpus` reports the file with its reason
                digest.update(b"unreadable")
    return digest.hexdigest()[:20]


def _update(settings: Settings, report: Report | None) -> IndexResult:
    fingerprint = corpus_fingerprint(settings.corpus)
    corpus = read_corpus(settings.corpus)
    skipped = tuple((str(p.path), p.reason) for p in corpus.problems)
    try:
        version = current_version(settings.index)
        manifest = read_manifest(version)
        if _fits(manifest, settings, fingerprint) and _whole(settings, version, manifest):
            documents = dict(manifest.documents)
            count = manifest.passages
            return IndexResult(False, documents, count, 0, count, skipped, manifest.version)
    except (IndexMissingError, IndexMismatchError):
        pass
    if not corpus.documents:
        raise CorpusError(f"the corpus at {str(settings.corpus)!r} holds no readable document")
    return _build(settings, corpus, fingerprint, skipped, report)


def _fits(manifest: Manifest, settings: Settings, fingerprint: str) -> bool:
    model = model_folder(models_folder(settings.index), settings.embedder).name
    return (
        manifest.corpus_fingerprint == fingerprint
        and manifest.model_folder == model
        and manifest.chroma_url == settings.chroma_url
    )


def _whole(settings: Settings, version: Path, manifest: Manifest) -> bool:
    """Whether the vector store still holds what the manifest says."""
    try:
        store = open_collection(version / "chroma", settings.chroma_url, manifest.version)
        return store.count() == manifest.passages
    except RagError:
        return False


def _build(
    settings: Settings,
    corpus: Corpus,
    fingerprint: str,
    skipped: tuple[tuple[str, str], ...],
    report: Report | None,
) -> IndexResult:
    folder = ensure_exported(models_folder(settings.index), settings.embedder)
    embedder = open_embedder(folder)
    window = min(MAX_TOKENS, embedder.max_tokens)
    names = {d.id: _in_a_sentence(reference_of(d)) for d in corpus.of_kind("reference")}
    passages = [
        p for d in corpus.documents for p in passages_of(d, embedder.count_tokens, window, names)
    ]
    if not passages:
        raise CorpusError(f"the corpus at {str(settings.corpus)!r} holds no text to index")
    texts = {
        "passages": [retrieval_text(p) for p in passages],
        "sentences": [p.sentence(n) for p in passages for n in range(len(p.sentences))],
        "headings": [h for p in passages for h in _headings(p)],
        "not_covered": list(corpus.not_covered),
    }
    known = _known_vectors(settings.index, folder.name)
    new = [t for t in dict.fromkeys(chain(*texts.values())) if _key(t) not in known]
    known |= _embedded(new, embedder, report)
    manifest = Manifest(
        schema=SCHEMA,
        version=f"v{datetime.now(UTC):%Y%m%d%H%M%S}-{uuid.uuid4().hex[:6]}",
        embedder=settings.embedder,
        model_folder=folder.name,
        dimension=embedder.dimension,
        max_tokens=window,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        corpus=str(settings.corpus),
        corpus_fingerprint=fingerprint,
        documents={str(k): len(corpus.of_kind(k)) for k in FOLDERS},
        passages=len(passages),
        sentences=len(texts["sentences"]),
        chroma_url=settings.chroma_url,
    )
    _write_version(settings, manifest, corpus, passages, texts, known)
    _drop_old_versions(settings, manifest.version)
    fresh = set(new)
    embedded = sum(t in fresh for t in texts["passages"])
    counts = dict(manifest.documents)
    return IndexResult(
        True, counts, len(passages), embedded, len(passages) - embedded, skipped, manifest.version
    )


def _in_a_sentence(reference: Reference) -> str:
    """ "Plotkin et al., 2023" as the subject of a sentence: "Plotkin et al. (2023)"."""
    who, _, year = reference.label.rpartition(", ")
    return f"{who} ({year})"


def _write_version(
    settings: Settings,
    manifest: Manifest,
    corpus: Corpus,
    passages: Sequence[Passage],
    texts: Mapping[str, Sequence[str]],
    known: Mapping[str, Vectors],
) -> None:
    """Writes a version whole and switches to it; leaves nothing behind where that fails."""
    target = versions_folder(settings.index) / manifest.version
    target.mkdir(parents=True)
    try:
        write_passages(target, passages)
        write_documents(
            target,
            map(reference_of, corpus.of_kind("reference")),
            map(exercise_of, corpus.of_kind("exercise")),
        )
        for name, of_kind in texts.items():
            _write_vectors(target, name, of_kind, _rows(of_kind, known))
        _write_adapter(settings.index, target, manifest, passages, corpus.not_covered, known)
        vectors = _rows(texts["passages"], known)
        write_collection(
            target / "chroma", settings.chroma_url, manifest.version, passages, vectors
        )
        write_manifest(target, manifest)
        switch_to(settings.index, manifest.version)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _headings(passage: Passage) -> tuple[str, ...]:
    """The passage's heading, and the other ways of asking for what stands under it."""
    own = passage.section if passage.source_kind == "article" else f"{passage.title} {passage.section}"
    return (own, *passage.asked)


def _key(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]


def _known_vectors(index: Path, model: str) -> dict[str, Vectors]:
    """Vectors of the version in use by text key, where the same model made them."""
    try:
        version = current_version(index)
        if read_manifest(version).model_folder != model:
            return {}
        known: dict[str, Vectors] = {}
        for name in ("passages", "sentences", "headings", "not_covered"):
            keys = (version / f"{name}.keys").read_text("utf-8").split()
            known |= dict(zip(keys, np.load(version / f"{name}.npy"), strict=True))
        return known
    except (IndexMissingError, IndexMismatchError, OSError, ValueError):
        return {}


def _embedded(
    texts: Sequence[str], embedder: OnnxEmbedder, report: Report | None
) -> dict[str, Vectors]:
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        if report:
            report(done, len(texts))

    vectors = embedder.embed(texts, step)
    return {_key(t): v for t, v in zip(texts, vectors, strict=True)}


def _rows(texts: Sequence[str], known: Mapping[str, Vectors]) -> Vectors:
    rows = [known[_key(t)] for t in texts]
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, 0), dtype=np.float32)


def _write_vectors(target: Path, name: str, texts: Sequence[str], vectors: Vectors) -> None:
    np.save(target / f"{name}.npy", vectors)
    (target / f"{name}.keys").write_text("\n".join(map(_key, texts)), "utf-8")


def _write_adapter(
    index: Path,
    target: Path,
    manifest: Manifest,
    passages: Sequence[Passage],
    not_covered: Sequence[str],
    known: Mapping[str, Vectors],
) -> None:
    """Learns the adapter, or takes it over where the phrasings are those of the version in use."""
    asked = {(f"{p.source_id}\n{p.section}", h): None for p in passages if p.asked for h in _headings(p)}
    asked |= dict.fromkeys((NOT_ASKED, text) for text in not_covered)
    sections, texts = [section for section, _ in asked], [text for _, text in asked]
    key = f"{manifest.model_folder} {key_of(texts, sections)}"
    adapter = _known_adapter(index, key)
    if adapter is None:
        vectors = _rows(texts, known) if texts else np.zeros((0, manifest.dimension), np.float32)
        adapter = fitted_adapter(vectors, sections)
    np.save(target / "adapter.npy", adapter)
    (target / "adapter.key").write_text(key, "utf-8")


def _known_adapter(index: Path, key: str) -> Vectors | None:
    """The adapter of the version in use, where it was learnt from the same."""
    try:
        version = current_version(index)
        same = (version / "adapter.key").read_text("utf-8") == key
        return np.asarray(np.load(version / "adapter.npy")) if same else None
    except (IndexMissingError, OSError, ValueError):
        return None


def _drop_old_versions(settings: Settings, current: str) -> None:
    versions = sorted(p for p in versions_folder(settings.index).iterdir() if p.is_dir())
    others = [p for p in versions if p.name != current]
    for path in others[: -(KEPT_VERSIONS - 1)]:
        drop_collection(path / "chroma", settings.chroma_url, path.name)
        shutil.rmtree(path, ignore_errors=True)
