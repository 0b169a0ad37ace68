"""Passage vectors in Chroma: the only module that imports chromadb.

A collection is written once, whole, and never changed: an index update writes a new one beside
it. That is what makes it safe for several processes to read one folder (two writers in one Chroma
folder lose vectors without an error).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from rag.errors import IndexMismatchError, RagError
from rag.types import Passage, SourceKind, Vectors

SEARCH_BREADTH = 256
"""HNSW candidates a query looks at (`ef_search`); ample for exact results at blog size."""


class VectorStore:
    """One collection, opened for reading."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def count(self) -> int:
        return int(self._collection.count())

    def query(
        self, vector: Vectors, k: int, kind: SourceKind | None = None
    ) -> list[tuple[str, float]]:
        """Up to `k` (passage id, cosine similarity), nearest first. `vector` has shape (d,)."""
        found = self._collection.query(
            query_embeddings=[np.asarray(vector, dtype=np.float32)],
            n_results=max(1, min(k, self.count())),
            where={"kind": kind} if kind else None,
            include=["distances"],
        )
        return [
            (passage_id, 1.0 - float(distance))
            for passage_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]


def write_collection(
    folder: Path, url: str, name: str, passages: Sequence[Passage], vectors: Vectors
) -> None:
    """Stores every passage's vector under its id in a new collection `name`."""
    client = _client(folder, url)
    try:
        if url:  # a name on a server may be left from an interrupted run
            existing = {c if isinstance(c, str) else c.name for c in client.list_collections()}
            if name in existing:
                client.delete_collection(name)
        collection = client.create_collection(
            name,
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_search": SEARCH_BREADTH}},
        )
        size = client.get_max_batch_size()
        for first in range(0, len(passages), size):
            batch = passages[first : first + size]
            collection.add(
                ids=[p.id for p in batch],
                embeddings=vectors[first : first + size],
                metadatas=[{"kind": p.source_kind, "source": p.source_id} for p in batch],
            )
    finally:
        _close(client)


def open_collection(folder: Path, url: str, name: str) -> VectorStore:
    """The collection `name`; `IndexMismatchError` where it is not there."""
    try:
        client = _client(folder, url)
        return VectorStore(client.get_collection(name, embedding_function=None))
    except RagError:
        raise
    except Exception as error:
        raise IndexMismatchError(
            f"the vector store has no readable collection {name!r} ({error}); "
            "build the index again with: python -m ingest index"
        ) from error


def drop_collection(folder: Path, url: str, name: str) -> None:
    """Removes a collection from a server; an embedded one goes with its folder."""
    if url:
        try:
            _client(folder, url).delete_collection(name)
        except Exception as error:
            raise RagError(f"the old collection {name!r} could not be removed: {error}") from error


def _client(folder: Path, url: str) -> Any:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    quiet = ChromaSettings(anonymized_telemetry=False)
    if not url:
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(folder), settings=quiet)
    parts = urlsplit(url)
    try:
        return chromadb.HttpClient(
            host=parts.hostname or "localhost",
            port=parts.port or (443 if parts.scheme == "https" else 8000),
            ssl=parts.scheme == "https",
            settings=quiet,
        )
    except Exception as error:
        raise RagError(f"no Chroma server answers at {url!r} (GLUTE_CHROMA_URL): {error}") from error


def _close(client: Any) -> None:
    """Releases the folder's files, so that it can be moved or removed on every platform."""
    close = getattr(client, "close", None)
    if close:
        close()
