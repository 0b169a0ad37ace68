"""The spine: from a question to a checked, cited answer. A newcomer starts at `Coach.stream`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from rag.comparing import compared, table_citations, with_all_sides
from rag.conversation import Nearness, Standalone, standalone
from rag.disagreement import OtherSide, other_side, shown_points
from rag.errors import RagError
from rag.language import is_foreign
from rag.library import Library, open_library, references_of, version_in_use
from rag.limiting import with_limits
from rag.question import shape_of
from rag.quoting import (
    Candidate,
    Query,
    chosen_sentences,
    citations_of,
    query_of,
    ranked_evidence,
    studies_alone,
)
from rag.rendering import TABLE, answer_text
from rag.replies import follow_ups_of, refusal
from rag.retrieval import HybridRetriever
from rag.safety import assess
from rag.scope import Signals, signals_of, status_of
from rag.settings import Settings
from rag.types import (
    Answer,
    AnswerSentence,
    ChatModel,
    Citation,
    Entailment,
    Event,
    Evidence,
    Final,
    Hit,
    Passage,
    Question,
    Reference,
    Reranker,
    Safety,
    SourceKind,
    Sources,
    Status,
    Token,
    Vectors,
)

log = logging.getLogger(__name__)

EVIDENCE = 24
"""Passages that sentences are chosen from."""

URGENT_EVIDENCE = 4
"""The same where a warning sign was named: the answer is to be short."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything known about a question before a word is written."""

    question: Question
    standalone: str
    query: Query
    evidence: Evidence
    chosen: tuple[Candidate, ...]
    signals: Signals
    status: Status
    safety: Safety | None


class Coach:
    """Answers questions from an index, reading a newer version as soon as there is one."""

    def __init__(
        self,
        settings: Settings,
        *,
        model: ChatModel | None = None,
        reranker: Reranker | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        self._settings = settings
        self._model = model
        self._reranker = reranker
        self._entailment = entailment
        self._lock = threading.Lock()
        self._retriever: HybridRetriever | None = None
        self._unready = ""

    def stream(self, question: Question) -> Iterator[Event]:
        """Sources, then the text piece by piece, then the whole answer."""
        started = time.perf_counter()
        retriever = self.retriever()
        findings = _in_english(find(retriever, question), retriever)
        if findings.status != "answered":
            answer = refusal(retriever, findings)
            yield from _told(answer, started)
        elif self._model is None:
            yield from _told(quoted(retriever.library, findings), started)
        else:
            from rag.writing import written

            fallback = quoted(retriever.library, findings)
            events = written(
                retriever.library, findings, fallback, self._model, self._entailment
            )
            for event in events:
                yield _timed(event, started)

    def answer(self, question: Question) -> Answer:
        """The whole answer at once."""
        for event in self.stream(question):
            if isinstance(event, Final):
                return event.answer
        raise AssertionError("a stream always ends with its answer")

    def search(self, query: str, *, k: int = 10, kind: SourceKind | None = None) -> list[Hit]:
        """Ranked passages for words, for people who look things up."""
        return self.retriever().retrieve(query, k=k, kind=kind)

    def passage(self, passage_id: str) -> Passage | None:
        library = self.retriever().library
        row = library.rows.get(passage_id)
        return None if row is None else library.passages[row]

    def reference(self, reference_id: str) -> Reference | None:
        return self.retriever().library.references.get(reference_id)

    def references_of(self, passage: Passage, start: int, end: int) -> tuple[Reference, ...]:
        return references_of(self.retriever().library, passage, start, end)

    def warm(self) -> None:
        """Does what the first question would otherwise wait for: word lists, caches, the model."""
        self.answer(Question("How many sets a week do glutes need?"))

    def ready(self) -> bool:
        """Whether an index is open or can be opened."""
        try:
            self.retriever()
        except RagError as error:
            # Asked every few seconds: each reason is told once, until the index opens again.
            if str(error) != self._unready:
                log.warning("not ready: %s", error)
            self._unready = str(error)
            return False
        except Exception:
            log.exception("the index cannot be opened")
            return False
        self._unready = ""
        return True

    def status(self) -> dict[str, Any]:
        manifest = self.retriever().library.manifest
        return {
            "version": manifest.version,
            "embedder": manifest.embedder,
            "built_at": manifest.built_at,
            "documents": dict(manifest.documents),
            "passages": manifest.passages,
            "mode": "model" if self._model else "quote",
        }

    def retriever(self) -> HybridRetriever:
        """The retriever over the version in use; questions under way keep the one they have."""
        retriever = self._retriever
        name = version_in_use(self._settings.index)
        if retriever and (retriever.library.manifest.version == name or not name):
            return retriever
        with self._lock:
            retriever = self._retriever
            if retriever is None or retriever.library.manifest.version != name:
                retriever = HybridRetriever(open_library(self._settings), self._reranker)
                self._retriever = retriever
        return retriever


def find(retriever: HybridRetriever, question: Question) -> Findings:
    """Safety, the standalone question, the evidence, the sentences, and whether they answer."""
    library: Library = retriever.library
    lexicon = library.lexicon
    mended = replace(question, text=lexicon.mended(question.text))
    asked = standalone(mended, lexicon, nearness_of(retriever))
    safety = _safety(question, asked)
    searched = retriever.query_of(asked.searched)
    leant = [retriever.query_of(mended.text)] if asked.leans_on else []
    vectors = library.embedder.embed([searched, *leant])
    vector = _between(vectors)
    urgent = safety.references if safety and safety.refers else ()
    evidence = _evidence(retriever, searched, vector, urgent)
    query = query_of(library, searched, vector, question.audience)
    own = studies_alone(library, mended.text)
    query = replace(query, shape=shape_of(mended.text), only=own)  # not of what it leans on
    ranked = ranked_evidence(library, query, evidence)
    evidence = tuple(j.hit for j in ranked)
    chosen = tuple(chosen_sentences(library, query, ranked))
    whole = replace(query, vector=vectors[0])  # what is covered was learnt from whole questions
    signals = signals_of(library, whole, ranked_evidence(library, whole, evidence) if leant else ranked)
    status = "answered" if urgent and chosen else status_of(signals, chosen)
    return Findings(question, asked.text, query, evidence, chosen, signals, status, safety)


def _between(vectors: Vectors) -> Vectors:
    """The direction halfway between rows of length 1.

    What carries over says what a follow-up is about; its own words say what is asked of it, and
    would drown in the others.
    """
    middle = vectors.mean(axis=0)
    return cast(Vectors, middle / np.linalg.norm(middle))


def nearness_of(retriever: HybridRetriever) -> Nearness:
    """The nearest way in which a passage of this index is asked for."""
    library = retriever.library

    def nearest(texts: Sequence[str]) -> list[tuple[float, str]]:
        found = []
        for vector in library.embedder.embed([retriever.query_of(t) for t in texts]):
            similar = library.heading_similarities(vector)
            best = int(similar.argmax())
            found.append((float(similar[best]), library.passages[best].source_id))
        return found

    return nearest


def _evidence(
    retriever: HybridRetriever, searched: str, vector: Vectors, urgent: tuple[str, ...]
) -> Evidence:
    """The best passages; with a warning sign, only those that rest on its guideline.

    Someone who may need an ambulance is not told about training.
    """
    if urgent:
        library = retriever.library
        hits = retriever.retrieve_vector(searched, vector, k=len(library.passages))
        guided = [h for h in hits if _rests_on(h.passage, urgent)]
        if guided:
            return tuple(guided[:URGENT_EVIDENCE])
    return tuple(retriever.retrieve_vector(searched, vector, k=EVIDENCE))


def _rests_on(passage: Passage, reference_ids: tuple[str, ...]) -> bool:
    if passage.role == "limits":
        return False
    cited = {i for m in passage.mentions for i in m.reference_ids} | {passage.source_id}
    return bool(cited & set(reference_ids))


def _safety(question: Question, asked: Standalone) -> Safety | None:
    """What the message calls for, or what still holds of the messages that it leans on.

    "Why, what could it be?" after a warning sign is no question for a coach either; of anything
    else the caution stays.
    """
    own = assess(question)
    if not asked.leans_on or (own and own.refers):
        return own
    before = (assess(as_asked(question, said)) for said in reversed(asked.leans_on))
    sign = next((s for s in before if s and s.refers), None)
    if sign:
        return sign
    carried = assess(replace(question, text=asked.text, history=()))
    return own or (None if carried and carried.refers else carried)


def as_asked(question: Question, said: str) -> Question:
    """An earlier message of the conversation as it was asked: behind what was said before it."""
    at = next((n for n, turn in enumerate(question.history) if turn.content == said), 0)
    return Question(said, question.history[:at])


def _in_english(findings: Findings, retriever: HybridRetriever) -> Findings:
    """A question in another language is not answered from the few words of it that are known."""
    if findings.status != "answered" or findings.safety:
        return findings
    foreign = is_foreign(findings.question.text, retriever.library.lexicon)
    return replace(findings, status="not_found") if foreign else findings


def quoted(library: Library, findings: Findings) -> Answer:
    """The answer in quote mode: verbatim sentences, each with its citation."""
    urgent = findings.safety is not None and findings.safety.refers
    other = None if urgent else other_side(library, findings.query, findings.chosen)
    exercises = () if urgent else compared(library, findings.query)
    chosen = with_all_sides(library, exercises, _with_other_side(findings.chosen, other))
    chosen = chosen if urgent else with_limits(library, findings.query, chosen)
    told = [c for c in chosen if not c.related]
    related = chosen[len(told) :]
    table = table_citations(library, exercises, len(told) + 1)
    rest = citations_of(related, len(told) + len(table) + 1)
    citations = (*citations_of(told), *table, *rest)
    parts = [*(_part(c, other) for c in told), *(TABLE for _ in table), *(_part(c, other) for c in related)]
    sentences = tuple(
        AnswerSentence(c.quote, (c.marker,), "quote", part)
        for c, part in zip(citations, parts, strict=True)
    )
    points = [other.about] if other else shown_points(library, findings.query, chosen)
    answer = Answer(
        question=findings.question.text,
        standalone_question=findings.standalone,
        status="answered",
        mode="quote",
        audience=findings.question.audience,
        text="",
        sentences=sentences,
        citations=citations,
        safety=findings.safety,
        notice=_notice(citations, points),
        follow_ups=follow_ups_of(findings),
    )
    return replace(answer, text=answer_text(answer))


def _with_other_side(chosen: Sequence[Candidate], other: OtherSide | None) -> tuple[Candidate, ...]:
    """The other side stands behind the answer and before what is only related."""
    if other is None:
        return tuple(chosen)
    answer = [c for c in chosen if not c.related]
    return (*answer, other.sentence, *chosen[len(answer) :])


def _part(candidate: Candidate, other: OtherSide | None) -> str:
    """Sentences of one passage make a paragraph; all others have theirs by what they are."""
    if other and candidate is other.sentence:
        return "disagreement"
    if candidate.related:
        return "related"
    return "limits" if candidate.hit.passage.role == "limits" else candidate.hit.passage.id


def _notice(citations: Sequence[Citation], points: Sequence[str]) -> str | None:
    """What a reader should know beside the answer: studies that differ, contested work."""
    told = [f"Studies differ on {points[0]}."] if points else []
    doubtful = {r.label for c in citations for r in c.references if r.status != "ok"}
    if doubtful:
        names = ", ".join(sorted(doubtful))
        told.append(f"Contested or retracted work is mentioned, not relied on: {names}.")
    return " ".join(told) or None


def _told(answer: Answer, started: float) -> Iterator[Event]:
    """A finished answer as a stream: a sentence a piece."""
    yield Sources(answer.citations)
    pieces = answer.text.splitlines(keepends=True)
    for piece in pieces:
        yield Token(piece)
    yield _timed(Final(answer), started)


def _timed(event: Event, started: float) -> Event:
    if not isinstance(event, Final):
        return event
    total = round((time.perf_counter() - started) * 1000, 1)
    return Final(replace(event.answer, timing_ms={**event.answer.timing_ms, "total": total}))
