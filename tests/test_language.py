"""Questions in another language are told apart from slang, typing errors and Latin names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.corpus_files import read_corpus
from rag.language import is_foreign
from tests.conftest import ROOT

FOREIGN = [
    "cuantas series para gluteos",
    "me duele la rodilla cuando hago sentadillas",
    "Ist Hip Thrust besser als Kniebeugen?",
    "Mein Rücken tut weh beim Kreuzheben",
    "Combien de séries par semaine pour les fessiers ?",
    "Meglio hip thrust o squat per i glutei?",
    "agachamento ou elevação pélvica para glúteos",
    "Is de hip thrust beter dan squats voor billen?",
    "czy hip thrust jest lepszy od przysiadów",
    "Hvor mange sett per uke for rumpa?",
    "Haftada kaç set kalça çalışmalıyım?",
    "berapa set per minggu untuk otot bokong",
    "сколько подходов в неделю на ягодицы",
    "お尻のトレーニングは週に何セット？",
    "엉덩이 운동은 일주일에 몇 세트?",
    "hip thrust 深蹲 哪个更好 臀部",
    "כמה סטים בשבוע לישבן",
]
ENGLISH = [
    "do Pallarés et al. say full range wins",
    "semitendinosus semimembranosus growth",
    "RDL BSS SLDL DOMS",
    "gluteus maximus vs biceps femoris",
    "excersise for my glutse pls",
    "brown urin since bootcamp",
    "what does 深蹲 mean for my squat training",
    "is the café squat à la carte any good",
    "3x10 @ 60 kg?",
    "lol",
    "",
]


@pytest.fixture(scope="module")
def lexicon(coach: Any) -> Any:
    return coach.retriever().library.lexicon


@pytest.mark.parametrize("text", FOREIGN)
def test_another_language_is_noticed(lexicon: Any, text: str) -> None:
    assert is_foreign(text, lexicon)


@pytest.mark.parametrize("text", ENGLISH)
def test_english_of_every_kind_passes(lexicon: Any, text: str) -> None:
    assert not is_foreign(text, lexicon)


def test_no_question_that_people_are_known_to_ask_is_taken_for_foreign(lexicon: Any) -> None:
    files = (ROOT / "tests" / "questions").glob("*.jsonl")
    lines = [line for path in sorted(files) for line in path.read_text("utf-8").splitlines()]
    asked = [json.loads(line).get("question", "") for line in lines]
    documents = read_corpus(ROOT / "corpus").documents
    asked += [p for d in documents for phrasings in d.asked.values() for p in phrasings]
    assert len(asked) > 5000
    assert [text for text in asked if is_foreign(text, lexicon)] == []
