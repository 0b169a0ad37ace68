"""An index version opened for reading: passages, references, exercises, vectors."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.encoding import OnnxEmbedder, open_embedder
from rag.errors import IndexMismatchError
from rag.index_files import (
    SCHEMA,
    Manifest,
    current_version,
    models_folder,
    read_documents,
    read_manifest,
    read_passages,
)
from rag.lexicon import Lexicon, lexicon_of, stems_of
from rag.settings import Settings
from rag.studies import Studies
from rag.types import Exercise, Passage, Reference, Vectors
from rag.vector_store import VectorStore, open_collection, write_collection

SOFTNESS = 0.1
"""Cosine by which a way of asking counts e times more than another; chosen with the adapter."""

COVERED = 0.7
"""Cosine of a heading or sentence from which a new article covers a question that the list says is not;
of the list and the articles that it was written beside, one question in twenty reaches it."""

_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s+[A-Z(])|$)", re.DOTALL)


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
    heading_vectors: Vectors
    """Shape (headings, d): for each passage its heading, then the other ways of asking for it."""
    not_covered_vectors: Vectors
    """Shape (questions, d): questions that people ask and the corpus does not answer."""
    adapter: Vectors
    """Shape (d, d): the map after which phrasings of one section lie close (see `ingest.adapter`)."""
    store: VectorStore
    embedder: OnnxEmbedder

    @cached_property
    def lexicon(self) -> Lexicon:
        return lexicon_of(self.exercises.values(), self.passages, self.studies.knows)

    @cached_property
    def studies(self) -> Studies:
        return Studies(self.references.values())

    @cached_property
    def study_rows(self) -> Mapping[str, tuple[int, ...]]:
        """Rows of the passages that each reference stands behind, its own text included."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, passage in enumerate(self.passages):
            cited = {i for m in passage.mentions for i in m.reference_ids}
            own = {passage.source_id} if passage.source_kind == "reference" else set()
            for reference_id in cited | own:
                rows[reference_id].append(row)
        return {i: tuple(r) for i, r in rows.items()}

    @cached_property
    def stem_frequencies(self) -> Mapping[str, int]:
        """Passages in which each stem occurs, headings and titles included."""
        counts: Counter[str] = Counter()
        for p in self.passages:
            counts.update(set(stems_of(f"{p.title} {p.section} {p.text}")))
        return counts

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each passage id."""
        return {p.id: n for n, p in enumerate(self.passages)}

    @cached_property
    def sentence_starts(self) -> list[int]:
        """Row in `sentence_vectors` of each passage's first sentence; one extra entry ends it."""
        return _starts(len(p.sentences) for p in self.passages)

    @cached_property
    def heading_starts(self) -> list[int]:
        """Row in `heading_vectors` of each passage's heading; one extra entry ends it."""
        return _starts(1 + len(p.asked) for p in self.passages)

    def sentence_rows(self, row: int) -> Vectors:
        """Vectors of one passage's sentences, shape (its sentences, d)."""
        return self.sentence_vectors[self.sentence_starts[row] : self.sentence_starts[row + 1]]

    @cached_property
    def has_phrasings(self) -> NDArray[np.bool_]:
        """Shape (passages,): whether it is written down how people ask for the passage."""
        return np.array([bool(p.asked) for p in self.passages])

    @cached_property
    def _asked(self) -> tuple[Vectors, list[int]]:
        """Adapted ways of asking for each passage, and where each passage's start.

        Where nobody wrote down how people ask, the passage's own sentences stand for it.
        """
        rows: list[Vectors] = []
        for row, written in enumerate(self.has_phrasings):
            ways = self.heading_vectors[self.heading_starts[row] : self.heading_starts[row + 1]]
            rows.append(ways if written else np.concatenate([ways, self.sentence_rows(row)]))
        return self._adapted(np.concatenate(rows)), _starts(map(len, rows))

    def _adapted(self, vectors: Vectors) -> Vectors:
        adapted = vectors @ self.adapter
        lengths = np.linalg.norm(adapted, axis=-1, keepdims=True)
        return np.asarray(adapted / np.maximum(lengths, np.finfo(np.float32).tiny))

    def asked_similarities(self, vector: Vectors) -> Vectors:
        """Shape (passages,): adapted cosine of the nearest ways of asking, the near ones counted together."""
        ways, starts = self._asked
        near = np.exp(ways @ self._adapted(vector) / SOFTNESS)
        return np.asarray(SOFTNESS * np.log(np.add.reduceat(near, np.asarray(starts[:-1]))))

    def not_covered_similarities(self, vector: Vectors) -> Vectors:
        """Shape (questions,): adapted cosine of each question that is known not to be covered."""
        return np.asarray(self._not_covered @ self._adapted(vector))

    @cached_property
    def _not_covered(self) -> Vectors:
        known = self.not_covered_vectors
        return self._adapted(known) if known.size else np.zeros((0, len(self.adapter)), np.float32)

    def heading_similarities(self, vector: Vectors) -> Vectors:
        """Shape (passages,): cosine of the nearest way of asking for each passage."""
        return _nearest(self.heading_vectors, self.heading_starts, vector)

    def sentence_similarities(self, vector: Vectors) -> Vectors:
        """Shape (passages,): cosine of each passage's nearest sentence."""
        return _nearest(self.sentence_vectors, self.sentence_starts, vector)


def _starts(sizes: Iterable[int]) -> list[int]:
    return [0, *accumulate(sizes)]


def _nearest(vectors: Vectors, starts: Sequence[int], vector: Vectors) -> Vectors:
    """The greatest similarity within each run of rows; `starts` has one extra entry."""
    similarities = vectors @ vector
    return np.asarray(np.maximum.reduceat(similarities, np.asarray(starts[:-1])))


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
    sentences, headings = np.load(version / "sentences.npy"), np.load(version / "headings.npy")
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
        sentence_vectors=sentences,
        heading_vectors=headings,
        not_covered_vectors=_still_uncovered(
            np.load(version / "not_covered.npy"), passages, headings, sentences
        ),
        adapter=np.load(version / "adapter.npy"),
        store=store,
        embedder=open_embedder(models_folder(settings.index) / manifest.model_folder),
    )


def _still_uncovered(
    questions: Vectors, passages: Sequence[Passage], headings: Vectors, sentences: Vectors
) -> Vectors:
    """Those of the questions said not to be covered that no new article answers after all.

    The list was written beside articles whose ways of being asked are written down too; an article
    without any came later, from the blog.
    """
    known = {p.source_id for p in passages if p.asked}
    new = np.array([p.source_kind == "article" and p.source_id not in known for p in passages])
    if not new.any() or not questions.size:
        return questions
    of_headings = np.repeat(new, [1 + len(p.asked) for p in passages])
    of_sentences = np.repeat(new, [len(p.sentences) for p in passages])
    own = np.concatenate([headings[of_headings], sentences[of_sentences]])
    return np.asarray(questions[(questions @ own.T).max(axis=1) < COVERED])


def references_of(library: Library, passage: Passage, start: int, end: int) -> tuple[Reference, ...]:
    """The studies behind a span of a passage, in order of citation.

    A reference's own text rests on itself. Prose rests on what it cites within the span or, where
    that is nothing, on the next citation of the same paragraph, as a paragraph's closing citation
    stands for what comes before it.
    """
    if passage.source_kind == "reference":
        own = library.references.get(passage.source_id)
        return (own,) if own else ()
    inside = [i for m in passage.mentions if start < m.offset <= end for i in m.reference_ids]
    if not inside:
        stop = passage.text.find("\n\n", end)
        limit = stop if stop >= 0 else len(passage.text)
        later = [m for m in passage.mentions if end < m.offset <= limit]
        inside = list(later[0].reference_ids) if later else []
    return tuple(library.references[i] for i in dict.fromkeys(inside) if i in library.references)


def in_memory(
    rows: Sequence[Mapping[str, str]],
    embedder: OnnxEmbedder,
    embed: Callable[[Sequence[str]], Vectors],
    scratch: Path,
) -> Library:
    """A library of plain documents {"_id", "title"?, "text"}, one passage each, for evaluation."""
    passages = tuple(
        Passage(r["_id"], r["_id"], "article", r.get("title", ""), "", 0, r["text"], _spans(r["text"]))
        for r in rows
    )
    vectors = embed([f"{p.title}\n{p.text}" for p in passages])
    write_collection(scratch, "", "evaluation", passages, vectors)
    return Library(
        manifest=Manifest(SCHEMA, "evaluation", embedder.name, "", embedder.dimension, 0, "", "", "", {}, len(passages), len(passages)),
        passages=passages,
        references={},
        exercises={},
        passage_vectors=vectors,
        sentence_vectors=embed([p.sentence(n) for p in passages for n in range(len(p.sentences))]),
        heading_vectors=embed([p.title for p in passages]),
        not_covered_vectors=np.zeros((0, embedder.dimension), dtype=np.float32),
        adapter=np.eye(embedder.dimension, dtype=np.float32),
        store=open_collection(scratch, "", "evaluation"),
        embedder=embedder,
    )


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    """Sentences of a plain document, near enough for retrieval; the whole text where none ends."""
    found = tuple(m.span() for m in _SENTENCE.finditer(text))
    return found or ((0, len(text)),)


def version_in_use(index: Path) -> str:
    """Name of the version that `current` points to; "" where there is none."""
    try:
        return (index / "current").read_text("utf-8").strip()
    except OSError:
        return ""
