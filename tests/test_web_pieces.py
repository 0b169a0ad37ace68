"""Answers as Markdown: markers open their citations, and nothing else becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.types import Answer, Question, Safety
from tests.fakes import FakeCoach
from web.limits import ClientLimits
from web.pieces import answer_markdown, evidence_table, folded_sources, linked, sources_markdown


def an_answer(**changes: object) -> Answer:
    return replace(FakeCoach().answer(Question("squats?")), **changes)  # type: ignore[arg-type]


def test_a_known_marker_becomes_a_link_to_its_quote() -> None:
    answer = an_answer()
    assert linked("Equal. [1]", answer.citations) == (
        "Equal. [1](#cite=articles%2Fthrust-or-squat%23growth%3A0:29:99"
        ' "Source 1: Plotkin et al., 2023")'
    )


def test_an_articles_own_number_stays_text() -> None:
    answer = an_answer()
    assert linked(r"As shown \[1\] and [7].", answer.citations) == r"As shown \[1\] and \[7\]."


def test_html_images_and_links_are_disarmed() -> None:
    text = linked("<img src=x onerror=a> ![p](https://evil.example/x) www.evil a@b", ())
    assert text == (
        r"&lt;img src=x onerror=a> !\[p\](https\://evil.example/x) www\.evil a\@b"
    )


@given(st.text(alphabet="[]()!<>\\#1a&\n\"' ", max_size=60))
def test_no_text_makes_a_tag_or_a_link(text: str) -> None:
    out = linked(text, ())
    bare = re.sub(r"\\.", "", out, flags=re.DOTALL)
    assert "<" not in bare
    assert "[" not in bare
    assert "]" not in bare


def test_safety_stands_before_everything_else() -> None:
    answer = an_answer(
        safety=Safety("see_a_clinician", "A *pop* <b>needs</b> a look."), notice="The model is away."
    )
    lines = answer_markdown(answer).split("\n\n")
    assert lines[0].startswith("> **Please see a clinician first.** A \\*pop\\* ")
    assert "<b>" not in lines[0].replace("\\<", "")
    assert lines[1] == "*The model is away.*"
    assert "grew about equally" in lines[2]


def test_a_refusal_leaves_its_questions_to_the_buttons_below() -> None:
    refused = FakeCoach().answer(Question("weather?"))
    assert "You could ask me" in refused.text
    assert answer_markdown(refused) == "I only know about glute training."
    alone = replace(refused, follow_ups=())
    assert "You could ask me" in answer_markdown(alone)


def test_sources_name_the_study_and_its_design() -> None:
    line = sources_markdown(an_answer().citations)
    assert "Hip thrust or squat? · Growth — Plotkin et al., 2023 (RCT)" in line


def test_a_retracted_study_is_flagged() -> None:
    citation = an_answer().citations[0]
    bad = replace(citation.references[0], status="retracted")
    assert "**retracted**" in sources_markdown([replace(citation, references=(bad,))])


def test_a_trainer_gets_a_row_a_study_however_often_it_is_quoted() -> None:
    first = an_answer().citations[0]
    study = replace(first.references[0], population="adults | 18 to 35, <b>untrained</b>")
    bare = replace(first, marker=3, references=())
    cited = [replace(first, marker=n, references=(study,)) for n in (1, 2)]
    address = "#cite=articles%2Fthrust-or-squat%23growth%3A0:29:99"
    assert evidence_table([*cited, bare]).split("\n")[2:] == [
        f"| [1]({address}) [2]({address}) | [Plotkin et al., 2023](https://doi.org/10.3389/fphys.2023.1279170)"
        " | RCT | 34: adults &#124; 18 to 35, \\<b>untrained\\</b> |",
        f"| [3]({address}) | Hip thrust or squat?, Growth | article |  |",
    ]


def test_a_number_of_people_is_said_once() -> None:
    first = an_answer().citations[0]
    study = replace(first.references[0], population="14 reviews of 4,784 people", sample_size=4784)
    assert "| 14 reviews of 4,784 people |" in evidence_table([replace(first, references=(study,))])


def test_sources_are_folded_away_and_absent_where_nothing_is_cited() -> None:
    assert folded_sources(an_answer()).startswith("<details><summary>1 source</summary>\n\n- [1](")
    assert folded_sources(an_answer(audience="trainer")).startswith("<details><summary>The evidence</summary>")
    assert folded_sources(an_answer(citations=())) == ""


def test_one_ipv6_subscriber_is_one_client() -> None:
    limits = ClientLimits("1/minute")
    assert limits.seconds_to_wait("2001:db8::1", "ask") == 0
    assert limits.seconds_to_wait("2001:db8::2", "ask") > 0
    assert limits.seconds_to_wait("2001:db8:0:1::2", "ask") == 0
