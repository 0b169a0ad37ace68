"""Studies named in a question: by surname, year, acronym; and words that only look like names."""

from __future__ import annotations

from typing import Any

import pytest

from rag.studies import Studies, plain
from rag.types import Reference


def study(key: str, year: int | None, *authors: str, **csl: Any) -> Reference:
    names: list[dict[str, str]] = [{"family": a} for a in authors]
    label = f"{authors[0]} et al., {year}" if authors else "A title"
    return Reference(key, label, "A title", year, "rct", csl={"author": names, **csl})


STUDIES = Studies(
    [
        study("plotkin-2023-thrust", 2023, "Plotkin", "Rodas"),
        study("schoenfeld-2016-frequency", 2016, "Schoenfeld", "Ogborn"),
        study("schoenfeld-2016-rest", 2016, "Schoenfeld", "Pope"),
        study("schoenfeld-2019-frequency", 2019, "Schoenfeld", "Grgic"),
        study("lee-2018-deadlift", 2018, "Lee"),
        study("crow-2012-warmup", 2012, "Crow"),
        study("smith-2015-lunges", 2015, "Smith"),
        study("pallares-2021-rom", 2021, "Pallarés"),
        study("krause-neto-2025-gmax", 2025, "Krause Neto"),
        study("zabaleta-korta-2024", 2024, "Zabaleta-Korta"),
        study("vant-2020-hip", 2020, "Van ’t Hof"),
        study("nice-2022-oa", 2022, author=[{"literal": "National Institute for Health"}]),
        study("acsm-2009-models", 2009, author=[{"literal": "American College of Sports Medicine"}]),
        study("acsm-2026-training", 2026, author=[{"literal": "American College of Sports Medicine"}]),
        study("no-author-2020", 2020),
    ]
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param("what did Plotkin find", ["plotkin-2023-thrust"], id="surname"),
        pytest.param("what did plotkin et al. find", ["plotkin-2023-thrust"], id="lower case"),
        pytest.param("Plotkin's trial", ["plotkin-2023-thrust"], id="possessive"),
        pytest.param("Plotkin’s (2023) trial", ["plotkin-2023-thrust"], id="possessive and year"),
        pytest.param("Plotkin et al. (2023)", ["plotkin-2023-thrust"], id="year in brackets"),
        pytest.param("Plotkin 2019", [], id="a year that is none of theirs"),
        pytest.param(
            "what does Schoenfeld say",
            ["schoenfeld-2016-frequency", "schoenfeld-2016-rest", "schoenfeld-2019-frequency"],
            id="several of one author",
        ),
        pytest.param("Schoenfeld et al., 2019", ["schoenfeld-2019-frequency"], id="one of several, by year"),
        pytest.param(
            "Schoenfeld 2016", ["schoenfeld-2016-frequency", "schoenfeld-2016-rest"], id="two of one year"
        ),
        pytest.param(
            "Schoenfeld 2019 vs Plotkin", ["schoenfeld-2019-frequency", "plotkin-2023-thrust"], id="two, in order"
        ),
        pytest.param("what did Pallares find", ["pallares-2021-rom"], id="accent left out"),
        pytest.param("what did Pallarés find", ["pallares-2021-rom"], id="accent written"),
        pytest.param("Krause Neto on growth", ["krause-neto-2025-gmax"], id="two words"),
        pytest.param("Krause 2025", ["krause-neto-2025-gmax"], id="the first of two words"),
        pytest.param("zabaleta-korta bridges", ["zabaleta-korta-2024"], id="hyphen"),
        pytest.param("Zabaleta Korta bridges", ["zabaleta-korta-2024"], id="hyphen left out"),
        pytest.param("Van ’t Hof on hips", ["vant-2020-hip"], id="apostrophe"),
        pytest.param("does NICE advise exercise", ["nice-2022-oa"], id="acronym"),
        pytest.param("ACSM 2026 on sets", ["acsm-2026-training"], id="acronym and year"),
        pytest.param("what does the ACSM say", ["acsm-2009-models", "acsm-2026-training"], id="acronym of two"),
        pytest.param("that is nice to hear", [], id="acronym as a word"),
        pytest.param("", [], id="nothing"),
        pytest.param("how many sets a week", [], id="no name"),
    ],
)
def test_the_studies_named_are_found_in_order(text: str, ids: list[str]) -> None:
    assert list(STUDIES.named(text)) == ids


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("What did Lee find about deadlifts?", True),
        ("lee et al. on deadlifts", True),
        ("lee 2018 deadlift", True),
        ("Lee: conventional or Romanian?", True),
        ("the Crow study on warm-ups", True),
        ("Crow versus Comyns", True),
        ("do crow poses train glutes", False),
        ("Crow pose for glutes?", False),
        ("is a smith machine squat any good", False),
        ("Is the Smith machine any good?", False),
        ("Smith squats or free squats?", False),
        ("what did Smith 2015 measure in lunges", True),
    ],
)
def test_an_english_word_is_a_name_only_where_it_is_written_as_one(text: str, named: bool) -> None:
    assert bool(STUDIES.named(text)) == named


def test_each_study_is_named_once() -> None:
    assert STUDIES.named("Plotkin 2023, and Plotkin again") == ("plotkin-2023-thrust",)


def test_a_library_without_references_names_nothing() -> None:
    assert Studies([]).named("Plotkin 2023") == ()


@pytest.mark.parametrize(
    ("word", "known"),
    [("Plotkin", True), ("plotkin's", True), ("pallares", True), ("korta", True), ("neto", True), ("Thrust", False)],
)
def test_parts_of_names_are_known_so_that_nobody_mends_them(word: str, known: bool) -> None:
    assert STUDIES.knows(word) == known


@pytest.mark.parametrize(
    ("word", "folded"),
    [("Pallarés", "pallares"), ("Plotkin’s", "plotkin"), ("Williams'", "williams"), ("Reps", "reps"), ("日本", "")],
)
def test_names_are_compared_without_accents_and_possessives(word: str, folded: str) -> None:
    assert plain(word) == folded


def test_the_repositorys_references_are_found_by_their_labels(coach: Any) -> None:
    library = coach.retriever().library
    missed = [
        r.label
        for r in library.references.values()
        if r.csl.get("author") and r.id not in library.studies.named(f"What did {r.label} find?")
    ]
    assert missed == []
