"""The lexicon: typing errors mended, slang named in the corpus's words, other words left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering import Coach
from rag.lexicon import Lexicon, stems_of, words_of
from rag.retrieval import HybridRetriever
from rag.types import Exercise

THRUST = Exercise("hip-thrust", "Barbell hip thrust", ("hip thrust", "hip thrusts"), {})
SQUAT = Exercise("squat", "Back squat", ("squat", "squats"), {})
VOCABULARY = dict.fromkeys(
    ["barbell", "hip", "thrust", "thrusts", "glutes", "gluteus", "maximus", "medius", "squat", "squats", "back", "growth", "grow", "muscle", "soreness", "hamstrings", "protein"],
    5,
)


@pytest.fixture
def lexicon() -> Lexicon:
    return Lexicon([THRUST, SQUAT], VOCABULARY)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hip thursts", "hip thrusts"),
        ("glutse", "glutes"),
        ("protien", "protein"),
        ("hamstrngs", "hamstrings"),
        ("sqauts are hard", "squats are hard"),
        ("glutius maximus", "gluteus maximus"),
    ],
)
def test_typing_errors_are_mended(lexicon: Lexicon, typed: str, meant: str) -> None:
    assert lexicon.mended(typed) == meant


@pytest.mark.parametrize(
    "text", ["pizza", "thirsty", "What is the capital of France?", "squad", "growl", "", "abc 3.5", "ok"]
)
def test_words_of_their_own_are_left_alone(lexicon: Lexicon, text: str) -> None:
    assert lexicon.mended(text) == text


def test_mending_keeps_everything_around_the_word(lexicon: Lexicon) -> None:
    assert lexicon.mended("  (hip thursts?!)  —  3x10 ") == "  (hip thrusts?!)  —  3x10 "


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("🍑 how many sets?", "glutes how many sets?"),
        ("🍑🍑🍑 growth 💪🏽🔥", "glutes growth"),
        ("squats❤️or thrusts", "squats or thrusts"),
        ("45° back  extension → ¾ depth™", "45° back  extension → ¾ depth™"),
        ("💪", ""),
        ("2️⃣ sets", "2 sets"),
    ],
)
def test_emoji_are_no_words_and_a_peach_says_what_it_means(
    lexicon: Lexicon, typed: str, meant: str
) -> None:
    assert lexicon.mended(typed) == meant


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my booty", "glutes"),
        ("side glutes", "gluteus medius"),
        ("I have DOMS", "muscle soreness"),
    ],
)
def test_slang_is_followed_by_the_textbooks_word(lexicon: Lexicon, said: str, name: str) -> None:
    renamed = lexicon.renamed(said)
    assert f"({name})" in renamed
    assert renamed.replace(f" ({name})", "") == said


def test_a_name_that_adds_nothing_is_not_repeated(lexicon: Lexicon) -> None:
    assert lexicon.renamed("the gluteus maximus") == "the gluteus maximus"
    assert lexicon.renamed("barbell hip thrusts") == "barbell hip thrusts"


def test_a_shortened_name_is_not_filled_up(lexicon: Lexicon) -> None:
    """ "squats (Back squat)" would bring sections on the back to every question on squats."""
    assert lexicon.renamed("do squats help") == "do squats help"
    assert lexicon.renamed("are hip thrusts good") == "are hip thrusts good"


def test_entities_have_the_texts_offsets_and_the_longest_name_wins(lexicon: Lexicon) -> None:
    text = "Hip thrusts for my glute max, not my glutes"
    found = lexicon.entities(text)
    assert [(text[e.start : e.end], e.kind, e.name) for e in found] == [
        ("Hip thrusts", "exercise", "Barbell hip thrust"),
        ("glute max", "muscle", "gluteus maximus"),
        ("glutes", "muscle", "glutes"),
    ]


PHRASES = st.lists(
    st.sampled_from(["hip thursts", "Booty", "glute max", "pizza", "?", " ", "3.5", "é", "side-glutes", "🍑", "it’s"]),
    max_size=10,
).map(" ".join)


@given(PHRASES)
def test_entities_never_overlap_and_mending_settles(text: str) -> None:
    lexicon = Lexicon([THRUST, SQUAT], VOCABULARY)
    edges = [edge for e in lexicon.entities(text) for edge in (e.start, e.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)
    once = lexicon.mended(text)
    assert lexicon.mended(once) == once


@pytest.mark.parametrize(
    ("one", "other"),
    [("fibre", "fiber"), ("squats", "squatting"), ("programme", "program"), ("oestrogen", "estrogen"),
     ("programmes", "programs"), ("labelled", "labeled"), ("optimise", "optimize"), ("Glutes", "glute")],
)  # fmt: skip
def test_spellings_and_forms_of_a_word_are_one(one: str, other: str) -> None:
    assert stems_of(one) == stems_of(other)


def test_different_words_stay_different() -> None:
    assert stems_of("abduction") != stems_of("adduction")


def test_stop_words_carry_nothing() -> None:
    assert not stems_of("what is the")


def test_hyphens_part_words_and_numbers_stay_whole() -> None:
    assert words_of("single-leg, 1.6 g") == ["single", "leg", "1.6", "g"]


def test_an_indexs_lexicon_knows_its_words(small_retriever: HybridRetriever) -> None:
    lexicon: Any = small_retriever.library.lexicon
    assert lexicon.knows("Protein")
    assert not lexicon.knows("pizza")
    assert lexicon.mended("hip thursts") == "hip thrusts"


def test_chat_words_are_spelt_out_and_initials_are_not() -> None:
    lexicon = Lexicon([THRUST, SQUAT], VOCABULARY)
    assert lexicon.mended("shud i squat or thrust 2x a wk") == "should i squat or thrust 2x a week"
    assert lexicon.mended("what did DB et al find") == "what did DB et al find"


def test_every_exercise_is_known_by_its_names_hyphens_or_not(coach: Coach) -> None:
    library = coach.retriever().library
    for exercise in library.exercises.values():
        for said in (exercise.name, exercise.name.replace("-", " ").lower()):
            found = [e.name for e in library.lexicon.entities(f"is the {said} any good?")]
            assert exercise.name in found, said
