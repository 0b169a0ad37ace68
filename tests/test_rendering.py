"""Answers as Markdown and JSON: exact literals, and nothing untrusted becomes markup."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.__main__ import readable_answer
from rag.rendering import answer_json, answer_text, escaped, hit_json, marked
from rag.types import AnswerSentence, Citation, Hit, Question, Safety
from tests.fakes import PASSAGE, QUOTE, STUDY, FakeCoach


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("plain words, 3.5 sets & 60 %", "plain words, 3.5 sets & 60 %"),
        ("a *bold* claim", r"a \*bold\* claim"),
        ("**x**", r"\*\*x\*\*"),
        ("_lean_", r"\_lean\_"),
        ("snake_case stays", "snake_case stays"),
        ("`code`", r"\`code\`"),
        ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
        ("p < 0.05", "p < 0.05"),
        ("as in [3]", r"as in \[3\]"),
        ("[here](https://evil.example)", r"\[here\](https://evil.example)"),
        ("![x](https://evil.example/a.png)", r"!\[x\](https://evil.example/a.png)"),
        ("a \\ b", r"a \\ b"),
        ("~~gone~~", r"\~\~gone\~\~"),
        ("$x$", r"\$x\$"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("# heading", r"\# heading"),
        ("> quote", r"\> quote"),
        ("- item", r"\- item"),
        ("+ item", r"\+ item"),
        ("two\n\nlines\tof  it", "two lines of it"),
        ("", ""),
    ],
)
def test_markup_of_untrusted_text_is_escaped(raw: str, safe: str) -> None:
    assert escaped(raw) == safe


class Words(HTMLParser):
    """Tags and text of a page, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


MARKUP = st.lists(
    st.sampled_from([
        "*", "_", "`", "[", "]", "(", ")", "<", ">", "!", "#", "-", "+", "1.", "2)", "\\", "~", "&amp;",
        "&#65;", "|", "$", "=", "---", "===", "***", "```", "[3]", "<b>", "</b>", "<!--", "-->", "<?x", "<a href='x'>",
        "http://a.example", "<http://a.example>", "word", "glutes", " ", "\n", "\t", "    ", "[x]: /y", '"', "'",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@given(MARKUP)
def test_a_reader_sees_the_very_characters(raw: str) -> None:
    page = Words()
    page.feed(MarkdownIt("commonmark").render(escaped(raw)))
    assert set(page.tags) <= {"p"}
    assert " ".join(page.text.split()) == " ".join(raw.split())


@given(MARKUP)
def test_escaped_text_holds_no_marker(raw: str) -> None:
    import re

    assert not re.search(r"(?<!\\)\[\d+\]", escaped(raw))


def test_a_sentence_is_followed_by_its_markers() -> None:
    assert marked(AnswerSentence("Both grew.", (1, 3), "quote")) == "Both grew. [1][3]"
    assert marked(AnswerSentence("I do not know.", (), "notice")) == "I do not know."


def test_the_whole_answer_as_markdown() -> None:
    answer = replace(
        FakeCoach().answer(Question("squats?")),
        sentences=(
            AnswerSentence("Both lifts train the hips.", (1,), "quote", part="a"),
            AnswerSentence("They grew *equally* [3].", (2,), "quote", part="a"),
            AnswerSentence("The squat grew the thighs.", (3, 4), "quote", part="b"),
            AnswerSentence("Only 34 people took part.", (5,), "quote", part="limits"),
        ),
    )
    assert answer_text(answer) == (
        "Both lifts train the hips. [1] They grew \\*equally\\* \\[3\\]. [2]\n\n"
        "The squat grew the thighs. [3][4]\n\n"
        "**What limits this:** Only 34 people took part. [5]"
    )


def test_an_answer_as_json_is_the_documented_shape() -> None:
    answer = replace(
        FakeCoach().answer(Question("knee pain and squats?", audience="trainer")), notice="A note."
    )
    start, end = answer.citations[0].start, answer.citations[0].end
    reference = {
        "id": STUDY.id, "label": "Plotkin et al., 2023", "title": STUDY.title, "year": 2023, "kind": "rct",
        "doi": STUDY.doi, "url": "", "status": "ok", "population": "untrained adults", "sample_size": 34,
    }  # fmt: skip
    expected = {
        "question": "knee pain and squats?",
        "standalone_question": "knee pain and squats?",
        "status": "answered",
        "safety": {"level": "see_a_clinician", "message": "Pain at rest needs a look first."},
        "mode": "quote",
        "audience": "trainer",
        "notice": "A note.",
        "text": f"{QUOTE} [1]",
        "sentences": [{"text": QUOTE, "citations": [1], "verdict": "quote", "part": "answer"}],
        "citations": [
            {
                "marker": 1,
                "passage_id": PASSAGE.id,
                "source_id": "thrust-or-squat",
                "source_kind": "article",
                "title": "Hip thrust or squat?",
                "section": "Growth",
                "url": "https://blog.example/thrust-or-squat",
                "quote": QUOTE,
                "start": start,
                "end": end,
                "references": [reference],
            }
        ],
        "follow_ups": ["How many sets a week?"],
        "timing_ms": {"total": 1.0},
    }
    given_json = answer_json(answer)
    assert {k: given_json[k] for k in expected} == expected
    assert json.loads(json.dumps(given_json)) == given_json


def test_no_safety_note_is_null() -> None:
    assert answer_json(FakeCoach().answer(Question("squats?")))["safety"] is None
    noted = replace(FakeCoach().answer(Question("squats?")), safety=Safety("caution", "Careful."))
    assert answer_json(noted)["safety"] == {"level": "caution", "message": "Careful."}


def test_a_search_result_carries_its_whole_passage() -> None:
    row = hit_json(Hit(PASSAGE, 0.123456, 2), [STUDY])
    assert (row["rank"], row["score"], row["text"]) == (2, 0.1235, PASSAGE.text)
    assert [r["id"] for r in row["references"]] == [STUDY.id]


def test_what_is_not_known_of_a_source_leaves_no_empty_brackets() -> None:
    undigested = replace(STUDY, kind="")
    passage = replace(PASSAGE, section="")
    start, end = passage.sentences[2]
    citation = Citation(1, passage, start, end, (undigested, STUDY))
    answer = replace(FakeCoach().answer(Question("how?")), citations=(citation,))
    text = readable_answer(answer)
    assert "[1] Hip thrust or squat?\n    Plotkin et al., 2023; Plotkin et al., 2023 (rct)" in text
    assert "()" not in text
