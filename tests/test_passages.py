"""Passages: the source's words, cut at sentences, with their places known to the letter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.corpus_files import Document, read_corpus, read_document
from ingest.markdown import strip_citations
from ingest.passages import MAX_TOKENS, passages_of, retrieval_text, slugify
from rag.types import Mention, Passage, SourceKind
from tests.conftest import ROOT, SMALL_CORPUS


def words(text: str) -> int:
    """A stand-in for word pieces that a reader of a test can count."""
    return len(text.split()) + 2


def document(body: str, slug: str = "a-page", kind: SourceKind = "article", **meta: Any) -> Document:
    return Document(kind, slug, {"title": "A title", **meta}, body, Path(f"{slug}.md"))


def one(body: str) -> Passage:
    (passage,) = passages_of(document(body), words)
    return passage


def test_a_passage_never_exceeds_what_the_embedder_reads(embedder: Any) -> None:
    for source in read_corpus(ROOT / "corpus").documents[::4]:
        for passage in passages_of(source, embedder.count_tokens):
            assert embedder.count_tokens(retrieval_text(passage)) <= MAX_TOKENS, passage.id


def test_a_long_section_is_cut_between_sentences_into_passages_of_like_size(embedder: Any) -> None:
    sentences = [f"Set number {n} of the session was harder than the last." for n in range(120)]
    source = document("## Sets\n\n" + " ".join(sentences))
    passages = passages_of(source, embedder.count_tokens)
    found = [p.sentence(n) for p in passages for n in range(len(p.sentences))]
    assert found == sentences
    sizes = [embedder.count_tokens(retrieval_text(p)) for p in passages]
    assert max(sizes) <= MAX_TOKENS
    assert min(sizes) > max(sizes) / 2


def test_one_endless_sentence_is_cut_at_white_space_and_loses_nothing(embedder: Any) -> None:
    endless = "squat " * 900 + "end."
    passages = passages_of(document(endless), embedder.count_tokens)
    assert all(embedder.count_tokens(retrieval_text(p)) <= MAX_TOKENS for p in passages)
    assert " ".join(p.text for p in passages).split() == endless.split()


def test_every_section_begins_a_passage_of_its_own() -> None:
    passages = passages_of(document("Before.\n\n## One\n\nFirst.\n\n### Two\n\nSecond."), words)
    assert [(p.section, p.text, p.position) for p in passages] == [
        ("", "Before.", 0),
        ("One", "First.", 1),
        ("Two", "Second.", 2),
    ]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("**Bold** and *soft* and `code`.", "Bold and soft and code.", id="emphasis"),
        pytest.param("See [the guide](a.md) now.", "See the guide now.", id="link"),
        pytest.param("Before ![a squat](x.png) after.", "Before a squat after.", id="image"),
        pytest.param("One line\nand the next.", "One line and the next.", id="soft line break"),
        pytest.param("5 &lt; 6 &amp; so on.", "5 < 6 & so on.", id="entities"),
        pytest.param("- First one.\n- Second one.", "First one.\n\nSecond one.", id="list"),
        pytest.param("> Quoted words.", "Quoted words.", id="block quote"),
        pytest.param("A <b>tag</b> here.", "A tag here.", id="inline HTML"),
        pytest.param("It grew [@a-2020].", "It grew.", id="citation"),
        pytest.param("It grew [see @a-2020, p. 3; -@b-2021] a lot.", "It grew a lot.", id="Pandoc citation"),
        pytest.param("Mail me [at home](x@y.md).", "Mail me at home.", id="an @ in a link is none"),
    ],
)
def test_text_is_the_sources_words_without_markup(markdown: str, text: str) -> None:
    assert one(markdown).text == text


@pytest.mark.parametrize(
    ("markdown", "sentences"),
    [
        pytest.param(
            "Do three lifts:\n\n- Barbell hip thrust\n- **Back squat**, 3 x 10;\n- Lunge",
            ["Do three lifts: Barbell hip thrust; Back squat, 3 x 10; Lunge."],
            id="scraps join the line that leads in",
        ),
        pytest.param(
            "To set up:\n\n1. sit against the bench\n2. roll the bar over\n\nThen thrust.",
            ["To set up: sit against the bench; roll the bar over.", "Then thrust."],
            id="numbered",
        ),
        pytest.param(
            "Do three lifts:\n\n- Thrust hard.\n- Squat deep.",
            ["Do three lifts:", "Thrust hard.", "Squat deep."],
            id="sentences stand alone",
        ),
        pytest.param(
            "I like lists.\n\n- Hip thrust\n- Squat", ["I like lists.", "Hip thrust", "Squat"], id="no lead-in"
        ),
        pytest.param("- Hip thrust\n- Squat", ["Hip thrust", "Squat"], id="nothing above"),
        pytest.param(
            "Two days:\n\n- Monday\n  - squat\n- Friday", ["Two days:", "Monday", "squat", "Friday"], id="nested"
        ),
        pytest.param("One:\n\n- Squat", ["One:", "Squat"], id="a list of one"),
        pytest.param(
            f"Two:\n\n- {'lift ' * 31}\n- {'rest ' * 31}",
            ["Two:", ("lift " * 31).strip(), ("rest " * 31).strip()],
            id="too long to be a sentence",
        ),
    ],
)
def test_list_items_that_are_no_sentences_join_their_lead_in(markdown: str, sentences: list[str]) -> None:
    passage = one(markdown)
    assert [passage.sentence(n) for n in range(len(passage.sentences))] == sentences


def test_a_joined_list_keeps_its_citations() -> None:
    passage = one("Two trials:\n\n- squats [@a-2020]\n- thrusts [@b-2021]")
    assert passage.text == "Two trials: squats; thrusts."
    assert passage.mentions == (
        Mention(len("Two trials: squats"), ("a-2020",)),
        Mention(len("Two trials: squats; thrusts"), ("b-2021",)),
    )


def test_scripts_and_comments_never_become_text() -> None:
    body = "Words.\n\n<script>alert(1)</script>\n\n<!-- hidden -->\n\nMore words."
    assert one(body).text == "Words.\n\nMore words."


def test_a_tables_rows_are_paragraphs() -> None:
    assert one("| Lift | Sets |\n| --- | --- |\n| Squat | 3 |").text == "Lift | Sets\n\nSquat | 3"


def test_mentions_stand_where_the_citation_stood() -> None:
    passage = one("Squats grew them [@a-2020]. Thrusts [@b-2021; @c-2022] did too.")
    assert passage.text == "Squats grew them. Thrusts did too."
    assert passage.mentions == (
        Mention(len("Squats grew them"), ("a-2020",)),
        Mention(len("Squats grew them. Thrusts"), ("b-2021", "c-2022")),
    )


def test_a_citation_after_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    passage = one("Squats grew them. [@a-2020] Thrusts did too.")
    start, end = passage.sentences[0]
    assert [start < m.offset <= end for m in passage.mentions] == [True]


@pytest.mark.parametrize(
    ("markdown", "text", "keys"),
    [
        ("@plotkin-2023-thrust found it equal.", "Plotkin et al. (2023) found it equal.", ["plotkin-2023-thrust"]),
        ("As @lee-2018-deadlift says.", "As Lee (2018) says.", ["lee-2018-deadlift"]),
        ("And @krause-neto-2025-gmax, too.", "And Krause-Neto (2025), too.", ["krause-neto-2025-gmax"]),
        ("Ask @fransen-hip-oa-cochrane [p. 3].", "Ask Fransen.", ["fransen-hip-oa-cochrane"]),
        ("Both @lee-2018-deadlift [@a-2020].", "Both Lee (2018).", ["lee-2018-deadlift", "a-2020"]),
        ("Thanks @coach, mail me@a-b.de (@lee-2018-x).", "Thanks @coach, mail me@a-b.de (@lee-2018-x).", []),
    ],
)
def test_a_citation_that_is_part_of_its_sentence_leaves_its_name(
    markdown: str, text: str, keys: list[str]
) -> None:
    names = {"plotkin-2023-thrust": "Plotkin et al. (2023)"}
    (passage,) = passages_of(document(markdown), words, names=names)
    assert passage.text == text
    assert [k for m in passage.mentions for k in m.reference_ids] == keys
    (start, end) = passage.sentences[0]
    assert all(start < m.offset <= end for m in passage.mentions)


def test_mentions_survive_the_cut_of_a_long_section() -> None:
    body = " ".join(f"Finding {n} held in the trial [@study-{n}]." for n in range(90))
    passages = passages_of(document(body), words, 60)
    assert len(passages) > 5
    for passage in passages:
        for n, mention in enumerate(passage.mentions):
            start, end = passage.sentences[n]
            number = mention.reference_ids[0].removeprefix("study-")
            assert start < mention.offset <= end
            assert passage.text[start:end].startswith(f"Finding {number} ")
    assert sum(len(p.mentions) for p in passages) == 90


def test_ids_are_the_same_every_time_and_all_different() -> None:
    documents = read_corpus(SMALL_CORPUS).documents
    first, second = ([p for d in documents for p in passages_of(d, words)] for _ in range(2))
    assert first == second
    assert len({p.id for p in first}) == len(first)


def test_an_id_changes_with_the_passages_words_and_its_place_only() -> None:
    def ids(body: str, **meta: Any) -> list[str]:
        return [p.id for p in passages_of(document(body, **meta), words)]

    before = ids("## A\n\nOne.\n\n## B\n\nTwo.")
    assert ids("## A\n\nOne.\n\n## B\n\nTwo.", summary="New", date="2026-01-01") == before
    assert ids("## A\n\nOne.\n\n## B\n\nThree.")[0] == before[0]
    assert ids("## A\n\nOne.\n\n## B\n\nThree.")[1] != before[1]
    assert ids("## A\n\nOne.\n\n## C\n\nTwo.")[1] != before[1]
    assert ids("## B\n\nTwo.\n\n## A\n\nOne.")[0] != before[1]


@pytest.mark.parametrize(
    ("one_slug", "other_slug"), [("a-b", "a_b"), ("Post", "post"), ("да", "нет")]
)
def test_copies_under_like_names_keep_different_ids(one_slug: str, other_slug: str) -> None:
    found = {
        p.id for slug in (one_slug, other_slug) for p in passages_of(document("Same.", slug), words)
    }
    assert len(found) == 2


def test_the_same_slug_in_two_kinds_gives_two_ids() -> None:
    kinds: tuple[SourceKind, ...] = ("article", "exercise")
    assert len({p.id for k in kinds for p in passages_of(document("Same.", kind=k), words)}) == 2


@pytest.mark.parametrize(
    ("heading", "audience", "role"),
    [
        ("For trainers: what was measured?", "trainer", "body"),
        ("How many sets?", None, "body"),
        ("Limits", None, "limits"),
        ("Limitations of the trial", None, "limits"),
    ],
)
def test_the_heading_says_for_whom_a_passage_is(heading: str, audience: str | None, role: str) -> None:
    passage = one(f"## {heading}\n\nWords.")
    assert (passage.audience, passage.role) == (audience, role)


def test_the_address_of_the_source_is_carried() -> None:
    source = read_document(SMALL_CORPUS / "articles" / "protein.md", "article")
    assert {p.url for p in passages_of(source, words)} == {"https://blog.example/protein"}
    assert passages_of(document("W.", kind="reference", URL="https://doi.org/x"), words)[0].url


def test_every_passage_of_a_section_carries_the_ways_of_asking_for_it() -> None:
    long = " ".join(f"Set number {n} was hard." for n in range(40))
    source = replace(
        document(f"## How many?\n\n{long}\n\n## How heavy?\n\nVery."),
        asked={"How many?": ("number of sets", "set count"), "Gone?": ("nothing",)},
    )
    *many, heavy = passages_of(source, words, 60)
    assert len(many) > 1
    assert {p.asked for p in many} == {("number of sets", "set count")}
    assert heavy.asked == ()


def test_ways_of_asking_change_neither_text_nor_id() -> None:
    plain = document("## How many?\n\nThree sets.")
    (without,) = passages_of(plain, words)
    (found,) = passages_of(replace(plain, asked={"How many?": ("set count",)}), words)
    assert replace(found, asked=()) == without
    assert "count" not in retrieval_text(found)


def test_an_empty_document_has_no_passages() -> None:
    assert passages_of(document(""), words) == []
    assert passages_of(document("## Only a heading"), words) == []


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Don't Squat!", "dont-squat"), ("Größe & Kraft", "groe-kraft"), ("été", "ete"), ("日本", "")],
)
def test_slugs_are_lower_case_ascii_words(name: str, slug: str) -> None:
    assert slugify(name) == slug


PIECES = st.sampled_from(
    ["Squats grew the glutes", " [@a-2020]", " [see @b-2021, p. 3; @c]", ". ", "? ", " vs. ", " et al. ",
     "3.5 kg", "\n\n", "\n", "## Heading\n\n", "- item\n", "**bold** ", "[link](x.md) ", "`code` ",
     "> ", "| a | b |\n| - | - |\n| 1 | 2 |\n\n", "![pic](p.png) ", "<b>", "&amp; ", "🍑 ", "[@", "]", "(",
     "1. ", "```\nx\n```\n", "* * *\n", "\\[", "  ", "e.g. "]
)  # fmt: skip
MARKDOWN = st.lists(PIECES, max_size=30).map("".join)


@given(MARKDOWN, st.integers(min_value=12, max_value=60))
def test_spans_and_mentions_lie_inside_the_text_in_order(body: str, room: int) -> None:
    for passage in passages_of(document(body), words, room):
        edges = [edge for span in passage.sentences for edge in span]
        assert edges == sorted(edges)
        assert passage.sentences[0][0] == 0
        assert edges[-1] == len(passage.text)
        assert all(start < end for start, end in passage.sentences)
        joined = "".join(passage.text[a:b] for a, b in passage.sentences)
        assert "".join(joined.split()) == "".join(passage.text.split())
        offsets = [m.offset for m in passage.mentions]
        assert offsets == sorted(offsets)
        assert all(0 <= offset <= len(passage.text) for offset in offsets)
        assert all(m.reference_ids for m in passage.mentions)
        assert "[@a-2020]" not in passage.text


@given(st.lists(st.sampled_from(["Words", " ", ".", "[@a]", "[@b; @c]", " [-@a, p. 3]", "é"]), max_size=12).map("".join))
def test_taking_citations_out_keeps_every_other_letter(text: str) -> None:
    plain = strip_citations(text)
    without = text
    for citation in ("[@a]", "[@b; @c]", " [-@a, p. 3]"):
        without = without.replace(citation, " ")
    assert "".join(plain.text.split()) == "".join(without.split())
    assert all(0 <= m.offset <= len(plain.text) for m in plain.mentions)
