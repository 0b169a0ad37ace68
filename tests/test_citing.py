"""References as APA, BibTeX, RIS and CSL-JSON: other programs read back what was written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import bibtexparser
import pytest
import rispy
from bibtexparser.middlewares.names import split_multiple_persons_names

from rag.answering import Coach
from rag.citing import FORMATS, OTHERS, apa, bibtex, format_reference, ris, sentence_case
from rag.errors import QuestionError
from rag.types import Reference
from tests.fakes import STUDY

IDS = [
    "plotkin-2023-hip-thrust-vs-squat-hypertrophy",
    "acog-2020-committee-opinion-804",
    "barbalho-2020-squat-vs-thrust",
    "ucdenver-pregnancy-warning-signs",
    "lehman-glutes-gone-silent",
]


@pytest.fixture(params=IDS)
def reference(request: pytest.FixtureRequest, coach: Coach) -> Reference:
    found = coach.reference(request.param)
    assert found is not None
    return found


def with_csl(**changes: Any) -> Reference:
    """The fake study under other fields; None takes one away."""
    csl = {k: v for k, v in {**STUDY.csl, **changes}.items() if v is not None}
    return replace(STUDY, csl=csl, title=csl.get("title", ""))


def bibtex_fields(text: str) -> tuple[str, str, dict[str, str]]:
    """Type, key and fields of the only entry."""
    library = bibtexparser.parse_string(text)
    assert not library.failed_blocks
    (entry,) = library.entries
    return entry.entry_type, entry.key, {f.key: f.value for f in entry.fields}


def test_bibtex_parses_back(reference: Reference) -> None:
    kind, key, fields = bibtex_fields(bibtex(reference))
    assert kind == ("article" if reference.csl["type"] == "article-journal" else "misc")
    assert key == reference.id
    assert fields["title"].replace("\\", "") == reference.csl["title"]
    assert fields.get("year") == (str(reference.year) if reference.year else None)
    assert fields.get("doi") == reference.csl.get("DOI")
    people = split_multiple_persons_names(fields.get("author", ""))
    assert len(people) == len(reference.csl.get("author", ()))


def test_ris_parses_back(reference: Reference) -> None:
    text = ris(reference)
    assert text.startswith("TY  - ")
    assert text.endswith("ER  - ")
    (record,) = rispy.loads(text)
    assert record["title"] == reference.csl["title"]
    assert record["id"] == reference.id
    assert record.get("doi") == reference.csl.get("DOI")
    assert len(record.get("authors", [])) == len(reference.csl.get("author", ()))
    assert record.get("year") == (str(reference.year) if reference.year else None)


def test_csl_json_parses_back(reference: Reference) -> None:
    assert json.loads(format_reference(reference, "csl-json")) == [dict(reference.csl)]


def test_apa_names_authors_year_and_title_on_one_line(reference: Reference) -> None:
    line = apa(reference)
    assert "\n" not in line
    assert str(reference.year or "n.d.") in line
    assert str(reference.csl["title"])[:15].lower() in line.lower()
    author = (reference.csl.get("author") or [{}])[0]
    assert str(author.get("family") or author.get("literal") or "") in line


def test_apa_to_the_letter() -> None:
    assert apa(STUDY) == (
        "Plotkin, D. L. (2023). Hip thrust and back squat training elicit similar gluteus muscle hypertrophy. "
        "Frontiers in Physiology. https://doi.org/10.3389/fphys.2023.1279170"
    )


APA = {
    "Plotkin, D. L. (2023). Is it safe? Frontiers in Physiology": {"title": "Is it safe?"},
    "Growth of glutes. (2023). Frontiers in Physiology": {"title": "Growth of glutes", "author": None},
    "Plotkin, D. L. (2023). EMG of the Romanian deadlift: A 1RM study. Frontiers": {
        "title": "EMG of the Romanian Deadlift: A 1RM Study"
    },
    "Plotkin, D. L. (2023). Growth in Gluteus. Frontiers": {"title": "Growth in <i>Gluteus</i>"},
    "Plotkin, D. L. (2023). A preprint. SportRxiv": {
        "title": "A preprint", "type": "article", "container-title": "SportRxiv"
    },
    " https://doc.example/strength-conditi...": {
        "URL": "https://doc.example/strength-conditi...", "DOI": None
    },
    "Health Trust. (2023). ": {"author": [{"literal": "Health Trust"}]},
    "Frontiers in Physiology, 14(2), 12–34. https://doi.org/": {
        "volume": "14", "issue": "2", "page": "12-34"
    },
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "fields"), APA.items(), ids=list(APA))
def test_apa_writes_titles_and_places_its_way(wanted: str, fields: dict[str, Any]) -> None:
    assert wanted in apa(with_csl(**fields))


def test_apa_names_at_most_twenty_authors() -> None:
    people = [{"family": f"Fam{chr(97 + n)}", "given": "X."} for n in range(22)]
    assert "Fams, X., & Famt, X. (2023)" in apa(with_csl(author=people[:20]))
    long = apa(with_csl(author=people))
    assert "Fams, X., … Famv, X. (2023)" in long
    assert "Famt" not in long
    assert "&" not in long


@pytest.mark.parametrize(
    ("authors", "written"),
    [
        ([{"family": "Bartlett"}], "Bartlett et al. (2023). Hip"),
        ([{"family": "Antonio", "given": "J."}], "Antonio, J., et al. (2023). Hip"),
        ([{"family": "Jäger", "given": "R."}, {"family": "Kerksick", "given": "C. M."}],
         "Jäger, R., Kerksick, C. M., et al. (2023). Hip"),
        ([{"literal": "Health Trust"}], "Health Trust et al. (2023). Hip"),
    ],
)  # fmt: skip
def test_a_list_of_authors_cut_short_says_so_in_each_format(
    authors: list[dict[str, str]], written: str
) -> None:
    short = with_csl(author=[*authors, OTHERS])
    assert apa(short).startswith(written)
    assert bibtex_fields(bibtex(short))[2]["author"].endswith(" and others")
    (record,) = rispy.loads(ris(short))
    assert len(record["authors"]) == len(authors)


def test_no_reference_of_the_corpus_keeps_et_al_in_a_name_or_n_d_twice(coach: Coach) -> None:
    for reference in coach.retriever().library.references.values():
        names = [v for a in reference.csl.get("author", ()) for v in a.values()]
        assert not [n for n in names if "et al" in n], reference.id
        assert "et ." not in apa(reference)
        assert apa(reference).count("n.d.") == (reference.year is None), reference.id


def test_a_reference_without_authors_has_none_in_any_format() -> None:
    nobody = with_csl(author=None)
    assert "author" not in bibtex_fields(bibtex(nobody))[2]
    assert "AU  -" not in ris(nobody)
    assert apa(nobody).count(STUDY.title) == 1
    assert apa(replace(nobody, csl={**nobody.csl, "author": []})) == apa(nobody)


def test_a_web_page_without_a_date_says_so_once() -> None:
    page = with_csl(type="webpage", issued=None, URL="https://blog.example/a")
    assert "Plotkin, D. L. (n.d.). Hip" in apa(page)


def test_a_title_that_is_a_sentence_keeps_its_capitals() -> None:
    title = "Hip thrust and back squat training in Brazil and Norway"
    assert sentence_case(title) == title
    assert sentence_case("Back Squat vs. Hip Thrust Programs in Well-Trained Women") == (
        "Back squat vs. hip thrust programs in well-trained women"
    )


def test_ris_to_the_letter() -> None:
    assert ris(with_csl(volume="14", page="12–34")) == (
        "TY  - JOUR\n"
        "ID  - plotkin-2023-squat-vs-thrust\n"
        "TI  - Hip thrust and back squat training elicit similar gluteus muscle hypertrophy\n"
        "AU  - Plotkin, Daniel L.\n"
        "PY  - 2023\n"
        "T2  - Frontiers in Physiology\n"
        "VL  - 14\n"
        "SP  - 12\n"
        "EP  - 34\n"
        "DO  - 10.3389/fphys.2023.1279170\n"
        "ER  - "
    )


ODD = {
    "no author": {"author": None},
    "a group": {"author": [{"literal": "American College & Friends and Others"}]},
    "one brace": {"title": "Growth { of glutes"},
    "closing brace first": {"title": "Growth } of { glutes"},
    "balanced braces": {"title": "Growth {EMG} of glutes"},
    "LaTeX": {"title": "100% growth & $5_#"},
    "quotes": {"title": 'The "dormant" butt’s return'},
    "many words": {"title": "word " * 200 + "end"},
    "other letters": {"author": [{"family": "Çelik", "given": "Ö."}], "title": "臀 muscle"},
    "bare": {"author": None, "issued": None, "container-title": None, "DOI": None},
    "family only": {"author": [{"family": "Plato"}]},
}


@pytest.mark.parametrize("fields", ODD.values(), ids=list(ODD))
def test_odd_fields_still_parse_back(fields: dict[str, Any]) -> None:
    odd = with_csl(**fields)
    _, key, parsed = bibtex_fields(bibtex(odd))
    assert key == STUDY.id
    bare = parsed["title"].replace("\\", "").translate(str.maketrans("()", "{}"))
    assert bare == str(odd.csl["title"]).translate(str.maketrans("()", "{}"))
    (record,) = rispy.loads(ris(odd))
    assert record["title"] == odd.csl["title"]
    assert apa(odd)


def test_a_reference_without_year_says_so() -> None:
    undated = replace(with_csl(issued=None), year=None)
    assert "n.d." in apa(undated)
    assert "year" not in bibtex_fields(bibtex(undated))[2]
    assert "PY  -" not in ris(undated)


def test_a_group_with_and_in_its_name_is_one_author() -> None:
    text = bibtex(with_csl(author=[{"literal": "Health and Care Trust"}]))
    assert "author = {{Health and Care Trust}}" in text


def test_a_new_line_in_a_field_starts_no_new_ris_tag() -> None:
    (record,) = rispy.loads(ris(with_csl(title="Growth\nAU  - Evil, E.")))
    assert record["authors"] == ["Plotkin, Daniel L."]


def test_an_unknown_format_names_those_there_are() -> None:
    with pytest.raises(QuestionError, match="apa, bibtex, ris, csl-json"):
        format_reference(STUDY, "mla")
    assert FORMATS == ("apa", "bibtex", "ris", "csl-json")
