"""The committed corpus passes its audit, with nothing exempted by name."""

from pathlib import Path

import pytest

from ingest.audit import audit
from ingest.corpus_files import Corpus, read_corpus

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
