"""An index version opened for reading: passages, references, exercises, vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from rag.encoding import OnnxEmbedder, open_embedder
from rag.errors import IndexMismatchError
from rag.index_files import (
    Manifest,
    current_version,
    models_folder,
    read_documents,
    read_manifest,
    read_passages,
)
from rag.settings import Settings
from rag.types import Exercise, Passage, Reference, Vectors
from rag.vector_store import VectorStore, open_collection


@dataclass(frozen=True)
class Library:
    """Everything that one index version holds. Arrays are row-aligned with `passages`."""

    manifest: Manifest
    passages: tuple[Passage, ...]
    references: Mapping[str, Reference]
    exercises: Mapping[str, Exercise]
    passage_vectors: Vectors
    """Shape (passages, d)."""
    sentence_vectors: Vectors
    """Shape (sentences, d): the sentences of all passages, in order."""
    store: VectorStore
    embedder: OnnxEmbedder

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each passage id."""
        return {p.id: n for n, p in enumerate(self.passages)}

    @cached_property
    def sentence_starts(self) -> list[int]:
        """Row in `sentence_vectors` of each passage's first sentence; one extra entry ends it."""
        starts = [0]
        for passage in self.passages:
            starts.append(starts[-1] + len(passage.sentences))
        return starts

    def sentence_rows(self, row: int) -> Vectors:
        """Vectors of one passage's sentences, shape (its sentences, d)."""
        return self.sentence_vectors[self.sentence_starts[row] : self.sentence_starts[row + 1]]


def open_library(settings: Settings) -> Library:
    """The version in use; raises `IndexMissingError` or `IndexMismatchError` with what to do."""
    version = current_version(settings.index)
    manifest = read_manifest(version)
    if manifest.embedder != settings.embedder:
        raise IndexMismatchError(
            f"the index was built with the embedder {manifest.embedder!r}, but GLUTE_EMBEDDER is "
            f"{settings.embedder!r}; build it again with: python -m ingest index"
        )
    passages = tuple(read_passages(version))
    references, exercises = read_documents(version)
    store = open_collection(version / "chroma", settings.chroma_url, manifest.version)
    if not len(passages) == manifest.passages == store.count():
        raise IndexMismatchError(
            f"the index at {str(settings.index)!r} is damaged: {manifest.passages} passages were "
            f"written, {store.count()} are found; build it again with: python -m ingest index"
        )
    return Library(
        manifest=manifest,
        passages=passages,
        references=references,
        exercises=exercises,
        passage_vectors=np.load(version / "passages.npy"),
        sentence_vectors=np.load(version / "sentences.npy"),
        store=store,
        embedder=open_embedder(models_folder(settings.index) / manifest.model_folder),
    )


def version_in_use(index: Path) -> str:
    """Name of the version that `current` points to; "" where there is none."""
    try:
        return (index / "current").read_text("utf-8").strip()
    except OSError:
        return ""
