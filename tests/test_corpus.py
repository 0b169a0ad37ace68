"""The committed corpus passes its audit, with nothing exempted by name."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.audit import audit
from ingest.corpus_files import Corpus, read_corpus
from ingest.findings import statements_of
from ingest.markdown import Paragraph, sections_of

CORPUS = Path(__file__).parent.parent / "corpus"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus(CORPUS)


def test_the_committed_corpus_passes_the_audit() -> None:
    assert [str(finding) for finding in audit(CORPUS)] == []


def test_every_part_of_the_corpus_is_there(corpus: Corpus) -> None:
    assert len(corpus.of_kind("reference")) >= 211
    assert len(corpus.of_kind("article")) >= 70
    assert len(corpus.of_kind("exercise")) >= 40


def test_articles_carry_plain_sections_and_ones_for_trainers(corpus: Corpus) -> None:
    for article in corpus.of_kind("article"):
        headings = [line for line in article.body.splitlines() if line.startswith("## ")]
        trainers = [h for h in headings if h.startswith("## For trainers")]
        assert trainers, article.id
        assert len(trainers) < len(headings), article.id


def test_references_that_disagree_are_marked_on_both_sides(corpus: Corpus) -> None:
    marked = [r for r in corpus.of_kind("reference") if r.meta.get("disagrees_with")]
    assert len(marked) >= 40  # that the sides are mutual is the audit's business


def test_articles_and_their_sections_keep_their_length(corpus: Corpus) -> None:
    def words(paragraphs: Sequence[Paragraph]) -> int:
        return sum(len(p.text.split()) for p in paragraphs)

    for article in corpus.of_kind("article"):
        sections = sections_of(article.body)
        for section in sections:
            assert 60 <= words(section.paragraphs) <= 180, (article.id, section.heading)
        assert 400 <= sum(words(s.paragraphs) for s in sections) <= 1100, article.id


def test_no_sentence_hangs_on_the_one_before(corpus: Corpus) -> None:
    hanging = re.compile(r"(?:This|That|It|Its|They|Their|These|Those|However|But|And|So)\b")
    for document in corpus.documents:
        for statement in statements_of(document):
            assert not hanging.match(statement.text), (document.id, statement.text)


def test_numbers_below_zero_carry_a_minus_sign(corpus: Corpus) -> None:
    for document in corpus.documents:
        assert not re.search(r"(?<=[ (\[])-(?=\d)", document.body), document.id


def test_exercises_can_be_compared_in_a_table(corpus: Corpus) -> None:
    fields = ("peak_tension_at", "peak_tension_basis", "knee", "load", "level", "movement")
    for exercise in corpus.of_kind("exercise"):
        assert all(exercise.meta.get(field) for field in fields), exercise.id
