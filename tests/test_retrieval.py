"""Retrieval on the small corpus: dense and lexical together find the right section."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.corpus_files import asked_path
from ingest.index import update_index
from rag.answering import Coach
from rag.lexicon import stems_of
from rag.retrieval import HybridRetriever, LexicalIndex, as_langchain
from rag.settings import Settings
from rag.types import Passage, Question

PLAIN_QUESTIONS = [
    ("are squats or hip thrusts better for growing my bum", "thrust-or-squat", "Is the hip thrust or"),
    ("I want a bigger butt but not bigger legs, which lift?", "thrust-or-squat", "bigger thighs"),
    ("does the hip thrust hurt the lower back less than the squat", "thrust-or-squat", "easier on the back"),
    ("how many sets per week", "sets-per-week", "How many sets a week"),
    ("does doing more than 20 sets bring more growth", "sets-per-week", "Do more sets"),
    ("how can I tell that I am doing too much each week", "sets-per-week", "too many sets"),
    ("how many grams of protein daily", "protein", "protein do I need a day"),
    ("how big should a serving of protein be at dinner", "protein", "one meal"),
    ("should I buy whey shakes", "protein", "powder or shakes"),
    ("where do I put the bar and my feet for a hip thrust", "barbell-hip-thrust", "set up"),
]


@pytest.mark.parametrize(("question", "source", "section"), PLAIN_QUESTIONS)
def test_a_plain_question_finds_its_section_first(
    small_retriever: HybridRetriever, question: str, source: str, section: str
) -> None:
    best = small_retriever.retrieve(question, k=3)[0].passage
    assert best.source_id == source
    assert section in best.section


def test_a_misspelt_question_finds_the_same(small_retriever: HybridRetriever) -> None:
    right = small_retriever.retrieve("How do I set up a hip thrust?", k=1)[0].passage
    wrong = small_retriever.retrieve("How do I set up a hip thurst?", k=1)[0].passage
    assert wrong == right


def test_hits_come_best_first_with_their_ranks(small_retriever: HybridRetriever) -> None:
    hits = small_retriever.retrieve("glute growth", k=8)
    assert [h.rank for h in hits] == list(range(1, 9))
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    assert len({h.passage.id for h in hits}) == 8
    assert all(-1.001 <= h.dense <= 1.001 and 0 <= h.lexical <= 1 for h in hits)


def test_the_same_query_gives_the_same_hits(small_retriever: HybridRetriever) -> None:
    assert small_retriever.retrieve("squat", k=9) == small_retriever.retrieve("squat", k=9)


@pytest.mark.parametrize("kind", ["article", "reference", "exercise"])
def test_a_kind_filter_gives_all_of_that_kind_and_nothing_else(
    small_retriever: HybridRetriever, kind: Any
) -> None:
    hits = small_retriever.retrieve("hip thrust", k=500, kind=kind)
    wanted = {p.id for p in _prose(small_retriever) if p.source_kind == kind}
    assert {h.passage.id for h in hits} == wanted


@pytest.mark.parametrize("words", ["", "   ", "?!", "the of and", "zzzzqqqq", "深蹲", "a" * 4000])
def test_any_words_give_hits_and_no_error(small_retriever: HybridRetriever, words: str) -> None:
    assert len(small_retriever.retrieve(words, k=3)) == 3


def test_asking_for_more_than_there_is_gives_what_there_is(small_retriever: HybridRetriever) -> None:
    assert len(small_retriever.retrieve("squat", k=10_000)) == len(_prose(small_retriever))


def _prose(retriever: HybridRetriever) -> list[Passage]:
    """What can be found: all but the fields of exercises, which only tables show."""
    return [p for p in retriever.library.passages if p.role != "facts"]


def test_chroma_and_the_exact_similarities_agree(small_retriever: HybridRetriever) -> None:
    library = small_retriever.library
    vector = library.embedder.embed(["how deep should I squat"])[0]
    found = dict(library.store.query(vector, len(library.passages)))
    exact = library.passage_vectors @ vector
    assert [found[p.id] for p in library.passages] == pytest.approx(exact.tolist(), abs=1e-4)


WORDS = st.lists(st.sampled_from(["squat", "thrust", "glute", "set", "rep", "protein", "knee", "the", "squats"]), max_size=8)
TEXTS = st.lists(WORDS.map(" ".join), min_size=1, max_size=6)


@given(TEXTS, TEXTS, WORDS.map(" ".join))
def test_the_lexical_share_lies_between_nothing_and_one(
    headings: list[str], bodies: list[str], query: str
) -> None:
    size = min(len(headings), len(bodies))
    shares = LexicalIndex(headings[:size], bodies[:size]).scores(query)
    assert shares.shape == (size,)
    assert np.all(shares >= 0)
    assert np.all(shares <= 1)


def test_texts_that_share_no_word_have_no_lexical_share() -> None:
    index = LexicalIndex(["", ""], ["Squats grow the thighs.", "Protein matters."])
    assert index.scores("how much protein")[0] == 0
    assert index.scores("how much protein")[1] > 0
    assert index.scores("weather").tolist() == [0, 0]


def test_a_heading_counts_for_more_than_the_same_word_below_it() -> None:
    above, below = LexicalIndex(["Squat", "Lunge"], ["Lunge now", "Squat now"]).scores("squat")
    assert above > below


def test_a_passage_is_found_by_a_way_of_asking_that_shares_no_word_with_it(small_index: Settings) -> None:
    phrasing = "is whey a rip-off"
    path = asked_path(small_index.corpus, "article", "protein")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"Do I need protein powder or shakes?": [phrasing]}), "utf-8")
    update_index(small_index)
    coach = Coach(small_index)
    best = coach.search(phrasing, k=1)[0].passage
    assert best.asked == (phrasing,)
    assert not {*stems_of(phrasing)} & {*stems_of(f"{best.title} {best.section} {best.text}")}
    answer = coach.answer(Question(best.section))
    assert best.id in {c.passage.id for c in answer.citations}
    assert phrasing not in answer.text


class _Backwards:
    """A reranker that likes what comes last."""

    def score(self, query: str, texts: list[str]) -> list[float]:
        return [float(n * n) for n in range(len(texts))]


def test_a_reranker_has_its_say_and_loses_no_hit(small_retriever: HybridRetriever) -> None:
    plain = small_retriever.retrieve("glute growth", k=10)
    other = HybridRetriever(small_retriever.library, _Backwards()).retrieve("glute growth", k=10)
    assert {h.passage.id for h in other} == {h.passage.id for h in plain}
    assert [h.passage.id for h in other] != [h.passage.id for h in plain]
    assert [h.rank for h in other] == list(range(1, 11))
    assert [h.score for h in other] == sorted((h.score for h in other), reverse=True)


def test_langchain_gets_documents_with_their_source(small_retriever: HybridRetriever) -> None:
    documents = as_langchain(small_retriever, k=4).invoke("how much protein a day")
    hits = small_retriever.retrieve("how much protein a day", k=4)
    assert [d.id for d in documents] == [h.passage.id for h in hits]
    assert [d.page_content for d in documents] == [h.passage.text for h in hits]
    assert documents[0].metadata["source"] == "protein"
    assert documents[0].metadata["kind"] == "article"
    assert documents[0].metadata["url"] == "https://blog.example/protein"


def test_the_repositorys_index_answers_searches(coach: Any) -> None:
    hits = coach.search("how many sets a week for glutes", k=5)
    assert hits[0].passage.source_id == "sets-per-week"
    assert coach.passage(hits[0].passage.id) == hits[0].passage
    assert coach.passage("no-such-passage") is None
