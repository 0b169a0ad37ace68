"""Reference lines to fields, works to one file, citations to keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest.corpus_files import dump_document, read_document
from ingest.import_state import ImportState
from ingest.reference_library import ReferenceLibrary
from ingest.reference_strings import parse_reference
from ingest.references import (
    Listed,
    link_citations,
    reference_id,
    same_work,
    split_reference_list,
)

APA = (
    "Contreras, B., Cronin, J., & Schoenfeld, B. (2011). Barbell hip thrust. Strength and "
    "Conditioning Journal, 33(5), 58–61. https://doi.org/10.1519/SSC.0b013e31822fa09d"
)
VANCOUVER = (
    "3. Schoenfeld BJ, Ogborn D, Krieger JW. Dose-response relationship between weekly resistance "
    "training volume and increases in muscle mass. J Sports Sci. 2017;35(11):1073–82. PMID: 27433992"
)
IEEE = (
    "[12] D. Plotkin, M. A. Rodas, and M. Roberts, “Hip thrust and back squat training elicit "
    "similar hypertrophy,” Front. Physiol., vol. 14, pp. 1279–1290, 2023."
)


def family_names(item: dict[str, Any]) -> list[str]:
    return [a.get("family") or a["literal"] for a in item["author"]]


@pytest.mark.parametrize(
    ("line", "families", "year", "title", "container"),
    [
        (APA, ["Contreras", "Cronin", "Schoenfeld"], 2011, "Barbell hip thrust", "Strength and Conditioning Journal"),
        (VANCOUVER, ["Schoenfeld", "Ogborn", "Krieger"], 2017,
         "Dose-response relationship between weekly resistance training volume and increases in muscle mass", "J Sports Sci"),
        (IEEE, ["Plotkin", "Rodas", "Roberts"], 2023,
         "Hip thrust and back squat training elicit similar hypertrophy", "Front. Physiol"),
        ("de Luca, C. J., & van Dieën, J. H. (2002a). Is the squat safe? Spine, 27, 1–9.",
         ["de Luca", "van Dieën"], 2002, "Is the squat safe?", "Spine"),
        ("World Health Organization. (2020). WHO guidelines on physical activity and sedentary behaviour. Geneva: WHO.",
         ["World Health Organization"], 2020, "WHO guidelines on physical activity and sedentary behaviour", None),
        ("Kubo K, Ikebukuro T, Yata H (2019) Effects of squat training with different depths. Eur J Appl Physiol 119:1933–1942",
         ["Kubo", "Ikebukuro", "Yata"], 2019, "Effects of squat training with different depths", "Eur J Appl Physiol"),
        ("Paula Ortiz and J. Christian Weber. Hips under load in older lifters. Journal of Hips, 5:98–108, 2004.",
         ["Ortiz", "Weber"], 2004, "Hips under load in older lifters", "Journal of Hips"),
        ("Ortiz, Paula, Jan K. Weber, and Mia de Groot. 2013. “Hips under load.” Journal of Hips 5 (2): 98–108.",
         ["Ortiz", "Weber", "de Groot"], 2013, "Hips under load", "Journal of Hips"),
        ("Ortiz, Paula M. Hips and History. New York: Example House, 1986.",
         ["Ortiz"], 1986, "Hips and History", None),
        ("Ortiz, Paula, Hips and History, Oxford: Example House, 2002.", ["Ortiz"], 2002, "Hips and History", None),
        ("AM Ortiz, JA Weber, and BA Groot: Hips under load. J Hips 24, 270–275 (2003)",
         ["Ortiz", "Weber", "Groot"], 2003, "Hips under load", "J Hips"),
        ("Ortiz A. M., Weber K. (2009). Hips under load. J Hips, 2, 3–4.",
         ["Ortiz", "Weber"], 2009, "Hips under load", "J Hips"),
        ("Ortiz A. (1993). Hips under load. In Weber K (Ed.), Handbook of hips: From cradle to cane (pp. 6–9). Example House.",
         ["Ortiz"], 1993, "Hips under load", "Handbook of hips: From cradle to cane"),
        ("A. Ortiz, “Hips under load,” Ph.D. dissertation, Example University, 2012.", ["Ortiz"], 2012, "Hips under load", None),
        ("Ortiz A. Hips under load. Journal of Hips : official journal of the Hip Society 20: 503-13, 2002",
         ["Ortiz"], 2002, "Hips under load", "Journal of Hips : official journal of the Hip Society"),
        ("Ortiz, P., & Weber-van de Groot, K. A. (2011). Barbell Hip Thrust. Strength and Hip Journal, 33(5), 58–61.",
         ["Ortiz", "Weber-van de Groot"], 2011, "Barbell Hip Thrust", "Strength and Hip Journal"),
        ("Ortiz P. Barbell Hip Thrust. Strength and Hip Journal. 2011;33(5):58-61.",
         ["Ortiz"], 2011, "Barbell Hip Thrust", "Strength and Hip Journal"),
        ("Ortiz, P. (2015). Do Hips Grow? A Systematic Review. Geriatric Hip Surgery & Care, 6(3), 230–235.",
         ["Ortiz"], 2015, "Do Hips Grow? A Systematic Review", "Geriatric Hip Surgery & Care"),
        ("Ortiz, P. (2015). Hips in the deadlift. A systematic review. Hip ONE, 15(2), e0229.",
         ["Ortiz"], 2015, "Hips in the deadlift. A systematic review", "Hip ONE"),
        ("Ortiz, P. (2018). Statement on hips: from the 5th Retreat, Gold Coast, Australia, 2017. Sports Hips, 52(18), 1170–1178.",
         ["Ortiz"], 2018, "Statement on hips: from the 5th Retreat, Gold Coast, Australia, 2017", "Sports Hips"),
        ("Northern Example NHS Trust. (n.d.). Back pain and hips. NHS Page. https://nhs.example/back",
         ["Northern Example NHS Trust"], None, "Back pain and hips", "NHS Page"),
    ],
    ids=["APA", "Vancouver", "IEEE", "particles and a question", "an organisation", "Springer",
         "names written out", "names either way round", "a book", "a book between commas", "initials first",
         "initials without commas", "a chapter", "a thesis", "a journal with two names", "a short title in capitals",
         "the same in Vancouver", "a question and a subtitle", "a second sentence", "a place and a year in the title",
         "a trust without a date"],
)  # fmt: skip
def test_a_line_in_a_usual_style_is_read(
    line: str, families: list[str], year: int | None, title: str, container: str | None
) -> None:
    item = parse_reference(line).item
    assert family_names(item) == families
    assert item.get("issued") == ({"date-parts": [[year]]} if year else None)
    assert item["title"] == title
    assert item.get("container-title") == container


def test_numbers_identifiers_and_places_are_read() -> None:
    apa, vancouver = parse_reference(APA).item, parse_reference(VANCOUVER)
    assert (apa["DOI"], apa["volume"], apa["issue"], apa["page"]) == (
        "10.1519/SSC.0b013e31822fa09d", "33", "5", "58–61",
    )  # fmt: skip
    assert (vancouver.number, vancouver.item["PMID"], vancouver.item["page"]) == (
        3, "27433992", "1073–82",
    )  # fmt: skip
    assert parse_reference(IEEE).number == 12


def test_an_endless_line_is_read_in_bounded_time() -> None:
    assert parse_reference("A, B., & " * 5000 + "(2011). T. J, 1.").raw.startswith("A, B.")


def work(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Hip thrust and back squat training elicit similar gluteus muscle hypertrophy",
        "author": [{"family": "Plotkin", "given": "D."}, {"family": "Rodas", "given": "M."}],
        "issued": {"date-parts": [[2023]]},
    } | changes


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (work(DOI="10.1/A"), work(DOI="https://doi.org/10.1/a", title="Other", issued=1999), True),
        (work(DOI="10.1/a"), work(DOI="10.1/b"), False),
        (work(), work(title="Hip Thrust and Back-Squat training elicit similar gluteus muscle hypertrophy."), True),
        (work(), work(title="Hip thrust and back squat training elicits similar gluteus muscle hypertrophies"), True),
        (work(), work(issued={"date-parts": [[2022]]}), False),
        (work(), work(author=[{"family": "Rodas"}]), False),
        (work(title="Glute growth: part 1"), work(title="Glute growth: part 2"), False),
        (work(title="Effects of hip training on sprint speed in young women"),
         work(title="Effects of hip training on sprint speed in young men"), False),
        (work(title="Effects of hip abduction training on side glutes"),
         work(title="Effects of hip adduction training on side glutes"), False),
        (work(title="Effects of resistance training on muscle size"),
         work(title="Effects of resistance training on muscle size and strength"), False),
        (work(title="Resistance training and growth of the glutes"),
         work(title="Resistance training and growth of the glutes: a review"), True),
        (work(DOI="https://doi.org/10.1234/ABC"), work(DOI="10.1234/abc", title="Other"), True),
        (work(author=[{"family": "Plötkin"}]), work(), True),
        (work(title=""), work(title=""), False),
    ],
    ids=[
        "one DOI, written differently", "two DOIs", "case and punctuation", "a few letters",
        "another year", "another first author", "another part", "other people", "the other side", "more in the title", "a subtitle left out",
        "a DOI as an address", "accents", "no titles",
    ],
)  # fmt: skip
def test_works_are_one_only_where_all_agrees(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert same_work(one, other) is same
    assert same_work(other, one) is same


def test_ids_are_telling_ascii_and_unused() -> None:
    item = parse_reference(APA).item
    assert reference_id(item) == "contreras-2011-barbell-hip-thrust"
    assert reference_id(item, ["contreras-2011-barbell-hip-thrust"]).endswith("thrust-2")
    assert reference_id({"title": "Łydki", "author": [{"family": "Żak"}]}) == "zak-nd-ydki"


LIST = [
    Listed("contreras", parse_reference(APA)),
    Listed(
        "a",
        parse_reference("Jones, A., & Lee, B. (2012a). First thing to read. Sports Med, 3, 1–2."),
    ),
    Listed(
        "b",
        parse_reference("Jones, A., & Lee, B. (2012b). Second thing to read. Sports Med, 3, 5–9."),
    ),
    Listed(
        "smith", parse_reference("Smith, J. (2010). Squatting deep for growth. J Squats, 2, 3–4.")
    ),
    Listed(
        "c13",
        parse_reference(
            "Contreras, B., Foo, X., & Bar, Y. (2013). On the thrust. J Sports Sci, 3, 5–6."
        ),
    ),
    Listed(
        "garcia",
        parse_reference(
            "García-López, D., Núñez, F. J., & Ó Briain, S. (2019). Hip force. Sports, 7(1), 3."
        ),
    ),
    Listed("berg", parse_reference("van der Berg, A. (2015). Hips in gait. J Hip, 9, 33–44.")),
    Listed(
        "who",
        parse_reference(
            "World Health Organization. (2020). WHO guidelines on activity. https://who.int/a"
        ),
    ),
]


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("so (Contreras et al., 2013).", "so [@c13]."),
        ("so (Contreras, Cronin, & Schoenfeld, 2011).", "so [@contreras]."),
        ("so (Contreras, Cronin and Schoenfeld 2011).", "so [@contreras]."),
        ("Contreras et al. (2013) saw", "Contreras et al. [@c13] saw"),
        (
            "However, Contreras and colleagues (2013) saw",
            "However, Contreras and colleagues [@c13] saw",
        ),
        ("Jones and Lee's (2012b) view", "Jones and Lee's [@b] view"),
        ("(Smith, 2010; Jones & Lee, 2012a)", "[@smith; @a]"),
        ("(Jones & Lee, 2012a, 2012b)", "[@a; @b]"),
        ("(Jones & Lee, 2012a, b)", "[@a; @b]"),
        ("(see Smith, 2010, p. 3)", "[see @smith, p. 3]"),
        ("(Contreras et al., 2011, 2013)", "[@contreras; @c13]"),
        ("(Smith, 2010; Nobody, 1999)", "(Nobody, 1999) [@smith]"),
        ("(Jones & Lee, 2012)", "(Jones & Lee, 2012)"),
        ("(Rodas, 2010)", "(Rodas, 2010)"),
        ("(n = 20 in 2010)", "(n = 20 in 2010)"),
        ("García-López, Núñez and Ó Briain (2019)", "García-López, Núñez and Ó Briain [@garcia]"),
        ("(Garcia-Lopez et al., 2019)", "[@garcia]"),
        ("Van der Berg (2015) and (van der Berg, 2015)", "Van der Berg [@berg] and [@berg]"),
        ("(World Health Organization [WHO], 2020)", "[@who]"),
        ("(World Health Organization, 2020; Smith, 2010)", "[@who; @smith]"),
        (
            "World Health Organization (2020) and (WHO, 2020)",
            "World Health Organization [@who] and [@who]",
        ),
        ("(Contreras B et al. 2013)", "[@c13]"),
        ("(Smith, J., 2010)", "[@smith]"),
        ("(J. Smith, 2010: 45–47)", "[@smith: 45–47]"),
        ("Contreras et al., 2013, showed", "Contreras et al. [@c13], showed"),
        ("(Smith, 2010; see also Jones & Lee, 2012a for more)", "[@smith; see also @a for more]"),
        ("Contreras et al. (2013, p. 45)", "Contreras et al. [@c13, p. 45]"),
        ("Smith, 2010, is a year", "Smith, 2010, is a year"),
        ("[link (Smith, 2010)](https://x.example/a)", "[link [@smith]](https://x.example/a)"),
        ("`(Smith, 2010)`", "`(Smith, 2010)`"),
    ],
)
def test_author_year_citations(text: str, linked: str) -> None:
    assert link_citations(text, LIST).body == linked


def test_what_fits_none_or_two_is_reported() -> None:
    found = link_citations("(Jones & Lee, 2012) and (Rodas, 2010) and (in 2010)", LIST)
    assert found.unresolved == ["(Jones & Lee, 2012)", "(Rodas, 2010)"]


NUMBERED = [Listed(f"r{n}", parse_reference(f"{n}. Smith J. Title number {n} here. J Sci. 20{n:02};1:1–2.")) for n in range(1, 6)]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("growth [3].", "growth [@r3]."),
        ("growth [1, 3-5].", "growth [@r1; @r3; @r4; @r5]."),
        ("growth^2^ while", "growth [@r2] while"),
        ("growth^1,3^.", "growth [@r1; @r3]."),
        ("growth.² Then", "growth. [@r2] Then"),
        ("12 cm² and R² = 0.8", "12 cm² and R² = 0.8"),
        ("reps [8-12]", "reps [8-12]"),
        ("growth [9].", "growth [9]."),
        ("growth [2]–[4].", "growth [@r2; @r3; @r4]."),
        ("kg/m^2^ and 10^3^ and growth^3^", "kg/m² and 10³ and growth [@r3]"),
        ("growth (1) with [2]", "growth (1) with [@r2]"),
        ("[3](https://x.example/)", "[3](https://x.example/)"),
    ],
)
def test_numbered_citations(text: str, linked: str) -> None:
    assert link_citations(text, NUMBERED).body == linked


def test_numbers_in_parentheses_cite_where_nothing_else_does() -> None:
    text = "Squats grow (1). Thrusts too (2, 4), and so (5) do bridges."
    assert link_citations(text, NUMBERED).body == (
        "Squats grow [@r1]. Thrusts too [@r2; @r4], and so [@r5] do bridges."
    )


@pytest.mark.parametrize(
    "text",
    ["Do first (1) squats, then (2) thrusts, then (3) bridges.", "It grew by 3 cm (1)."],
    ids=["points of a list", "one number of a list of five"],
)
def test_other_numbers_in_parentheses_stay(text: str) -> None:
    assert link_citations(text, NUMBERED).body == text


def test_a_list_without_a_heading_is_read_where_whole_entries_end_the_text() -> None:
    body, entries = split_reference_list(f"Words about hips.\n\n{APA}\n\n{VANCOUVER}")
    assert body == "Words about hips."
    assert [family_names(e.item)[0] for e in entries] == ["Contreras", "Schoenfeld"]


def test_one_entry_like_paragraph_is_no_list() -> None:
    text = f"Words about hips.\n\n{APA}"
    assert split_reference_list(text) == (text, [])


@pytest.mark.parametrize("dots", ["… ", "... & ", ". . . ", "…, & "])
def test_authors_left_out_by_dots_do_not_end_the_names(dots: str) -> None:
    item = parse_reference(
        f"Plotkin, D. L., Rodas, M. A., {dots}Roberts, M. D. (2023). Hip thrust. Front Physiol, 14, 12."
    ).item
    assert [a["family"] for a in item["author"]] == ["Plotkin", "Rodas", "Roberts"]
    assert (item["issued"], item["title"]) == ({"date-parts": [[2023]]}, "Hip thrust")


def test_dashes_repeat_the_authors_of_the_entry_before() -> None:
    text = f"Words.\n\n## References\n\n{APA}\n\n———. (2012). Another thrust. J Hips, 2, 3–4."
    _, entries = split_reference_list(text)
    assert [family_names(e.item)[0] for e in entries] == ["Contreras", "Contreras"]
    assert entries[1].item["title"] == "Another thrust"


def test_a_footnotes_way_back_is_no_address() -> None:
    line = "Kubo K, Yata H. Squat depth. J Hips. 2019;1:3–4. [↩︎](https://blog.example/p/#r1)"
    item = parse_reference(line).item
    assert "URL" not in item
    assert (item["title"], item["page"]) == ("Squat depth", "3–4")


def test_an_organisation_is_an_author() -> None:
    item = parse_reference(
        "World Health Organization. Global recommendations. Geneva: WHO; 2010."
    ).item
    assert item["author"] == [{"literal": "World Health Organization"}]
    assert item["title"] == "Global recommendations"


def test_many_capitals_are_read_in_bounded_time() -> None:
    text = "Anna Berg, Carl Dahl and Eva Frey " * 3000 + "(" * 2000 + "Berg 2010 " * 2000
    assert link_citations(text, LIST).cited == set()


def test_superscripts_without_a_list_are_superscripts_again() -> None:
    assert link_citations("x^2^ grew", []).body == "x² grew"


def test_prose_behind_the_list_stays_in_the_body() -> None:
    body = f"Text.\n\n## References\n\n{APA}\n\n## Thanks\n\nThanks for reading."
    rest, entries = split_reference_list(body)
    assert rest == "Text.\n\n## Thanks\n\nThanks for reading."
    assert len(entries) == 1


def test_a_list_in_one_paragraph_with_line_breaks_is_several_entries() -> None:
    second = "Smith, J. (2010). Squatting deep for growth. Journal of Squats, 2, 3–4."
    _, entries = split_reference_list(f"Text.\n\n**References**\n\n{APA}\\\n{second}")
    assert [e.item["title"] for e in entries] == ["Barbell hip thrust", "Squatting deep for growth"]


def test_a_heading_without_entries_is_no_list() -> None:
    body = "Text.\n\n## Sources\n\nProtein comes from many sources, and most people eat enough."
    assert split_reference_list(body) == (body, [])


def library(corpus: Path) -> ReferenceLibrary:
    return ReferenceLibrary(corpus, ImportState(corpus))


def test_an_existing_reference_is_used_and_never_changed(tmp_path: Path) -> None:
    own = tmp_path / "references" / "my-own-id.md"
    own.parent.mkdir(parents=True)
    meta = {
        "id": "my-own-id",
        "title": "Barbell hip thrust",
        "author": [{"family": "Contreras"}],
        "issued": 2011,
    }
    own.write_text(dump_document(meta, "## Findings\n\nA digest."), "utf-8")
    before = own.read_bytes()
    entry = parse_reference(APA)
    assert library(tmp_path).put(entry.item, entry=entry.raw) == ("my-own-id", "unchanged")
    assert own.read_bytes() == before
    assert len(list(own.parent.iterdir())) == 1


def test_an_undigested_reference_gains_what_a_better_entry_knows(tmp_path: Path) -> None:
    bare = parse_reference(APA.partition(" https")[0])
    key, action = library(tmp_path).put(bare.item, entry=bare.raw)
    assert action == "added"
    full = parse_reference(APA)
    assert library(tmp_path).put(full.item, entry=full.raw) == (key, "updated")
    assert library(tmp_path).put(bare.item, entry=bare.raw) == (key, "unchanged")
    meta = read_document(tmp_path / "references" / f"{key}.md", "reference").meta
    assert meta["DOI"] == "10.1519/SSC.0b013e31822fa09d"
    assert (meta["kind"], meta["population"], meta["undigested"]) == (None, None, True)
