"""Relevance: which of the passages found answers, told by how people ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.lexicon import stems_of
from rag.relevance import (
    DIGEST,
    LIMITS,
    TRAINER_SECTION,
    Features,
    coverage,
    judged,
    nearest_similarities,
    register,
    ways_of_asking,
    weighed,
)
from rag.retrieval import HybridRetriever
from rag.types import Audience, Passage
from tests.fakes import PASSAGE


def evenly(stem: str) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("question", "texts", "share"),
    [
        ("the sets a week", ["Sets a week"], 1.0),
        ("sets for hamstrings", ["Sets a week"], 0.5),
        ("squatting", ["She squats"], 1.0),
        ("protein", ["Sets a week", "Reps"], 0.0),
        ("sets and reps", ["Sets", "Reps"], 1.0),
        ("what is the", ["what is the"], 0.0),
        ("sets sets protein", ["Sets"], 0.5),
    ],
)
def test_coverage_is_the_share_of_the_questions_words(
    question: str, texts: Sequence[str], share: float
) -> None:
    assert coverage(stems_of(question), texts, evenly) == pytest.approx(share)


def test_a_rare_word_weighs_more() -> None:
    weights = {"set": 1.0, "protein": 3.0}
    assert coverage(["set", "protein"], ["protein"], weights.__getitem__) == pytest.approx(0.75)


SHARES = st.floats(0, 1)


@given(SHARES, SHARES, SHARES, SHARES, st.sampled_from(["fused", "asked", "words", "sentence"]))
def test_no_evidence_for_a_passage_makes_it_less_relevant(
    fused: float, asked: float, words: float, sentence: float, name: str
) -> None:
    before = Features(fused, asked, words, sentence, heading=0.5)
    after = replace(before, **{name: getattr(before, name) + 0.1})
    assert weighed(after) > weighed(before)


@pytest.mark.parametrize(
    ("changes", "audience", "worth"),
    [
        ({}, "client", 0),
        ({}, "trainer", 0),
        ({"audience": "trainer"}, "client", TRAINER_SECTION["client"]),
        ({"audience": "trainer"}, "trainer", TRAINER_SECTION["trainer"]),
        ({"source_kind": "reference"}, "client", DIGEST["client"]),
        ({"source_kind": "reference", "role": "limits"}, "trainer", DIGEST["trainer"] + LIMITS),
    ],
)
def test_what_suits_one_reader_may_be_lost_on_another(
    changes: dict[str, Any], audience: Audience, worth: float
) -> None:
    assert register(replace(PASSAGE, **changes), audience) == pytest.approx(worth)


def test_the_ways_of_asking_stand_for_the_text_where_there_are_any() -> None:
    assert ways_of_asking(PASSAGE) == (PASSAGE.title, PASSAGE.section, PASSAGE.text)
    asked = replace(PASSAGE, asked=("squats or thrusts",))
    assert ways_of_asking(asked) == (PASSAGE.title, PASSAGE.section, "squats or thrusts")


def ranked(retriever: HybridRetriever, text: str, audience: Audience = "client") -> list[Any]:
    library = retriever.library
    vector = library.embedder.embed([text])[0]
    evidence = tuple(retriever.retrieve_vector(text, vector, k=12))
    return judged(library, evidence, vector, stems_of(text), audience)


def test_the_passage_that_answers_comes_first(small_retriever: HybridRetriever) -> None:
    found = ranked(small_retriever, "Do I need protein powder or shakes?")
    assert found[0].hit.passage.section == "Do I need protein powder or shakes?"
    assert [j.relevance for j in found] == sorted((j.relevance for j in found), reverse=True)
    assert all(small_retriever.library.passages[j.row] == j.hit.passage for j in found)


def test_nothing_found_is_nothing_judged(small_retriever: HybridRetriever) -> None:
    library = small_retriever.library
    assert judged(library, (), np.zeros(library.embedder.dimension, np.float32), (), "client") == []


def test_a_passages_own_sentences_stand_for_what_nobody_wrote_down(small_retriever: HybridRetriever) -> None:
    library = small_retriever.library
    assert not library.has_phrasings.any()
    sentence = library.passages[0].sentence(0)
    asked, sentences = nearest_similarities(library, library.embedder.embed([sentence])[0])
    assert asked[0] == sentences[0] == pytest.approx(1, abs=1e-4)


def test_where_ways_of_asking_are_written_down_they_alone_count(coach: Any) -> None:
    library = coach.retriever().library
    row = int(np.flatnonzero(library.has_phrasings)[0])
    passage: Passage = library.passages[row]
    said, wanted = library.embedder.embed([passage.sentence(0), passage.asked[0]])
    asked, sentences = nearest_similarities(library, said)
    assert sentences[row] == pytest.approx(1, abs=1e-4)
    assert asked[row] < sentences[row]
    assert nearest_similarities(library, wanted)[0][row] == pytest.approx(1, abs=1e-4)
