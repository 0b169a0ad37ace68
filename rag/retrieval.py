"""Finding passages: dense (Chroma) and lexical (BM25) together, their scores fused.

`HybridRetriever` is what answers questions, serves `search`, and is measured by `evaluate`;
`as_langchain` offers it to other people's chains.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.lexicon import stems_of
from rag.library import Library
from rag.types import Hit, Reranker, SourceKind, Vectors

CANDIDATES = 200
"""Passages taken from each of the two rankings before fusion."""

NAMED_STUDY = 0.5
"""What resting on a study that the query names adds: about as much as half of its words do …"""

OWN_DIGEST = 0.5
"""… and what being that study's own digest adds to it."""

Scores = NDArray[np.float32]

BM25_K1 = 1.2
BM25_B = 0.5
HEADING_COUNT = 4
"""Times that a heading's words count; the text's count once."""

DENSE_WEIGHTS = {"passage": 0.6, "sentence": 0.6}
"""Beside 1.0 for the lexical share. These constants were chosen on SciFact's 809 training claims,
where nDCG@10 is flat around them (weights 0.5 to 0.7, b 0.4 to 0.75, headings 3 to 6 times)."""


class LexicalIndex:
    """BM25 (bm25s) over stemmed words, as a share of what a text could reach for the query.

    The share lies in 0 to 1 as cosines do, so that the two can be added without looking at the
    other candidates or at the size of the corpus.
    """

    def __init__(self, headings: Sequence[str], bodies: Sequence[str]) -> None:
        import bm25s

        tokens = [
            list(stems_of(heading) * HEADING_COUNT + stems_of(body)) or ["∅"]
            for heading, body in zip(headings, bodies, strict=True)
        ]
        self._size = len(tokens)
        self._idf = _inverse_frequencies(tokens)
        self._bm25: Any = bm25s.BM25(k1=BM25_K1, b=BM25_B, method="lucene")
        self._bm25.index(tokens, show_progress=False)

    def scores(self, query: str) -> Scores:
        """Shape (texts,): 0 where no word is shared, 1 where no text could match better."""
        tokens = [t for t in stems_of(query) if t in self._idf]
        if not tokens:
            return np.zeros(self._size, dtype=np.float32)
        bound = sum(self._idf[t] for t in tokens)
        found = np.asarray(self._bm25.get_scores(tokens), dtype=np.float32)
        return found / np.float32(bound)


def _inverse_frequencies(tokens: Sequence[Sequence[str]]) -> dict[str, float]:
    """Lucene's idf of each stem: the most that one occurrence can add to a score."""
    counts = Counter(stem for document in tokens for stem in set(document))
    size = len(tokens)
    return {s: math.log(1 + (size - n + 0.5) / (n + 0.5)) for s, n in counts.items()}


class HybridRetriever:
    """Retrieves from one index version."""

    def __init__(self, library: Library, reranker: Reranker | None = None) -> None:
        self.library = library
        self._reranker = reranker
        self._lexical = LexicalIndex(
            [f"{p.title} {p.section}" for p in library.passages],
            [p.text for p in library.passages],
        )
        kinds = [p.source_kind for p in library.passages]
        self._kinds = np.array(kinds)
        self._facts = {r for r, p in enumerate(library.passages) if p.role == "facts"}

    def query_of(self, text: str) -> str:
        """The text as it is searched for: typing errors mended, slang beside the textbook's word."""
        lexicon = self.library.lexicon
        return lexicon.renamed(lexicon.mended(text))

    def retrieve(self, query: str, *, k: int, kind: SourceKind | None = None) -> list[Hit]:
        """Up to `k` hits, best first; ties break by passage order."""
        searched = self.query_of(query)
        vector = self.library.embedder.embed([searched])[0]
        return self.retrieve_vector(searched, vector, k=k, kind=kind)

    def retrieve_vector(
        self, searched: str, vector: Vectors, *, k: int, kind: SourceKind | None = None
    ) -> list[Hit]:
        """`retrieve` for a query that was normalised and embedded already; `vector`: (d,)."""
        dense = self.library.passage_vectors @ vector
        best_sentence = self._best_sentences(vector)
        lexical = self._lexical.scores(searched)
        fused = (
            lexical
            + DENSE_WEIGHTS["passage"] * dense
            + DENSE_WEIGHTS["sentence"] * best_sentence
        )
        named = self._named_rows(searched, kind)
        for row, worth in named.items():
            fused[row] += worth
        candidates = self._candidates(vector, lexical, k, kind).union(named) - self._facts
        rows = sorted(candidates, key=lambda row: (-float(fused[row]), row))[: max(k, 1)]
        hits = [
            Hit(self.library.passages[r], float(fused[r]), n, float(dense[r]), float(lexical[r]))
            for n, r in enumerate(rows, 1)
        ]
        return _reranked(self._reranker, searched, hits) if self._reranker else hits

    def _named_rows(self, searched: str, kind: SourceKind | None) -> dict[int, float]:
        """What the passages, of one kind where given, gain that rest on a study the query names."""
        passages, worth = self.library.passages, dict[int, float]()
        for study in self.library.studies.named(searched):
            for row in self.library.study_rows.get(study, ()):
                if kind in (None, passages[row].source_kind):
                    own = passages[row].source_id == study
                    worth[row] = NAMED_STUDY + OWN_DIGEST * own
        return worth

    def _candidates(
        self, vector: Vectors, lexical: Scores, k: int, kind: SourceKind | None
    ) -> set[int]:
        wanted = max(CANDIDATES, k)
        near = self.library.store.query(vector, wanted, kind)
        rows = {self.library.rows[passage_id] for passage_id, _ in near}
        allowed = lexical if kind is None else np.where(self._kinds == kind, lexical, 0)
        best = np.argsort(-allowed, kind="stable")[:wanted]
        return rows | {int(r) for r in best if allowed[r] > 0}

    def _best_sentences(self, vector: Vectors) -> Scores:
        """Shape (passages,): similarity of each passage's nearest sentence, its heading included."""
        library = self.library
        return np.maximum(
            library.sentence_similarities(vector), library.heading_similarities(vector)
        )


def as_langchain(retriever: HybridRetriever, k: int = 8) -> Any:
    """The retriever as a LangChain `BaseRetriever`; documents carry the passage's metadata."""
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class PassageRetriever(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return [_document(hit) for hit in retriever.retrieve(query, k=k)]

    def _document(hit: Hit) -> Document:
        passage = hit.passage
        return Document(
            id=passage.id,
            page_content=passage.text,
            metadata={
                "source": passage.source_id,
                "kind": passage.source_kind,
                "title": passage.title,
                "section": passage.section,
                "url": passage.url,
                "score": hit.score,
            },
        )

    return PassageRetriever()


def _standardised(scores: Scores) -> Scores:
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)


def _reranked(reranker: Reranker, query: str, hits: list[Hit]) -> list[Hit]:
    """The hits in the reranker's order, its standardised score averaged with ours."""
    texts = [f"{h.passage.title}: {h.passage.section}\n{h.passage.text}" for h in hits[:50]]
    judged = _standardised(np.asarray(reranker.score(query, texts), dtype=np.float32))
    ours = _standardised(np.asarray([h.score for h in hits[:50]], dtype=np.float32))
    both = (judged + ours) / 2
    order = sorted(range(len(texts)), key=lambda n: (-float(both[n]), n))
    moved = [hits[n] for n in order] + hits[50:]
    scores = [float(both[n]) for n in order] + [float(both.min()) - 1] * len(hits[50:])
    return [
        Hit(h.passage, s, n, h.dense, h.lexical)
        for n, (h, s) in enumerate(zip(moved, scores, strict=True), 1)
    ]
