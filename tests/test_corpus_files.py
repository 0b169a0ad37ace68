"""Corpus files: read strictly, written atomically, and turned into typed values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.corpus_files import (
    asked_path,
    authors_of,
    dump_document,
    exercise_of,
    read_asked,
    read_corpus,
    read_document,
    reference_label,
    reference_of,
    split_front_matter,
    write_atomically,
    year_of,
)
from rag.citing import OTHERS
from rag.errors import CorpusError
from tests.conftest import SMALL_CORPUS

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(st.characters(exclude_categories=["C"])),
    st.lists(st.text("abc: -#'\"é", max_size=8), max_size=3),
)  # fmt: skip
META = st.dictionaries(st.text("abcdefgh_", min_size=1, max_size=8), VALUES, max_size=5)


@given(META, st.text("ab#*- \n[@]é.", max_size=80))
def test_what_was_written_is_read_back(meta: dict[str, object], body: str) -> None:
    read, text, _ = split_front_matter(dump_document(meta, body))
    assert read == meta
    assert text.strip() == body.strip()


def test_the_small_corpus_is_read_whole_and_in_order() -> None:
    corpus = read_corpus(SMALL_CORPUS)
    assert corpus.problems == ()
    assert [len(corpus.of_kind(k)) for k in ("article", "reference", "exercise")] == [3, 6, 2]
    assert [d.id for d in corpus.of_kind("article")] == ["protein", "sets-per-week", "thrust-or-squat"]


def test_the_body_line_counts_from_the_top_of_the_file() -> None:
    document = read_document(SMALL_CORPUS / "articles" / "protein.md", "article")
    lines = document.path.read_text("utf-8").split("\n")
    assert "\n".join(lines[document.body_line - 1 :]) == document.body


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(b"---\ntitle: a\n", "never closed", id="fence left open"),
        pytest.param(b"---\ntitle: [a\n---\n", "not valid YAML", id="broken YAML"),
        pytest.param(b"---\ndate: 2024-13-45\n---\n", "not valid YAML", id="impossible date"),
        pytest.param(b"---\n- a\n---\n", "field: value", id="a list for front matter"),
        pytest.param(b"---\n? [a]\n: b\n---\n", "not valid YAML", id="a list for a key"),
        pytest.param(b"\xff\xfe\x00", "UTF-8", id="not text"),
    ],
)
def test_a_malformed_file_is_refused_with_its_reason_in_one_line(
    tmp_path: Path, text: bytes, reason: str
) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(text)
    with pytest.raises(CorpusError, match=reason) as caught:
        read_document(path, "article")
    assert "\n" not in str(caught.value)


def test_a_file_without_front_matter_is_all_body(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text("Just words.\n", "utf-8")
    document = read_document(path, "article")
    assert (dict(document.meta), document.body, document.title) == ({}, "Just words.\n", "note")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path, newline: str) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(("\ufeff" + newline.join(["---", "title: T", "---", "Body."])).encode())
    document = read_document(path, "article")
    assert (document.title, document.body) == ("T", "Body.")


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "good.md").write_text("Fine.", "utf-8")
    (folder / "bad.md").write_text("---\nopen", "utf-8")
    corpus = read_corpus(tmp_path)
    assert [d.id for d in corpus.documents] == ["good"]
    assert [p.path.name for p in corpus.problems] == ["bad.md"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda p: p.mkdir(), "it is a folder", id="folder"),
        pytest.param(lambda p: p.symlink_to(p.parent / "gone"), "a link to a file that is not there", id="link"),
    ],
)
@pytest.mark.parametrize("name", ["articles/a.md", "asked/articles/fine.yaml"])
def test_what_is_no_file_is_told_without_the_machines_path(
    tmp_path: Path, name: str, make: Callable[[Path], None], reason: str
) -> None:
    write_atomically(tmp_path / "articles" / "fine.md", "Fine.")
    (tmp_path / "asked" / "articles").mkdir(parents=True)
    make(tmp_path / name)
    corpus = read_corpus(tmp_path)
    ((path, why),) = [(p.path, p.reason) for p in corpus.problems]
    assert (path, [d.id for d in corpus.documents]) == (tmp_path / name, ["fine"])
    assert reason in why
    assert str(tmp_path) not in why


def test_ways_of_asking_are_read_beside_the_document(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_atomically(tmp_path / "exercises" / f"{name}.md", "## How?\n\nSo.")
    write_atomically(asked_path(tmp_path, "exercise", "one"), '"How?":\n  - in what way\n  - 2023\n  - yes\n')
    one, two = read_corpus(tmp_path).documents
    assert one.asked == {"How?": ("in what way", "2023", "yes")}
    assert two.asked == {}
    assert one.content_hash != replace(one, asked={}).content_hash


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeff"])
def test_an_empty_file_of_ways_of_asking_says_nothing(tmp_path: Path, text: str) -> None:
    write_atomically(tmp_path / "a.yaml", text)
    assert read_asked(tmp_path / "a.yaml") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(b"- a\n- b\n", "not a mapping", id="a list"),
        pytest.param(b"[]", "not a mapping", id="an empty list"),
        pytest.param(b"How?: so\n", "'How\\?' is not followed by a list", id="no list below"),
        pytest.param(b"How?:\n  - a: b\n", "'How\\?' is not followed by a list", id="a mapping for a question"),
        pytest.param(b"How?:\n  - a\n  -\n", "'How\\?' lists an empty question", id="an empty question"),
        pytest.param(b"How?: [a\n", "not valid YAML", id="broken YAML"),
        pytest.param(b"\xff\xfe\x00", "not valid YAML", id="not text"),
    ],
)
def test_malformed_ways_of_asking_leave_the_document_readable(
    tmp_path: Path, text: bytes, reason: str
) -> None:
    write_atomically(tmp_path / "articles" / "a.md", "## How?\n\nSo.")
    path = asked_path(tmp_path, "article", "a")
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    corpus = read_corpus(tmp_path)
    assert [(d.id, dict(d.asked)) for d in corpus.documents] == [("a", {})]
    ((where, why),) = [(p.path, p.reason) for p in corpus.problems]
    assert where == path
    assert re.search(reason, why)
    assert "\n" not in why


def test_a_folder_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="--corpus"):
        read_corpus(tmp_path / "missing")
    with pytest.raises(CorpusError, match="is it the corpus folder"):
        read_corpus(tmp_path)


def test_the_content_hash_follows_words_and_fields_and_not_the_place(tmp_path: Path) -> None:
    def hash_of(folder: str, text: str) -> str:
        path = tmp_path / folder / "a.md"
        write_atomically(path, text)
        return read_document(path, "article").content_hash

    assert hash_of("x", "---\na: 1\nb: 2\n---\nW") == hash_of("y", "---\nb: 2\na: 1\n---\nW")
    assert len({hash_of("x", t) for t in ("W", "V", "---\na: 1\n---\nW", "---\na: 2\n---\nW")}) == 4


def test_an_interrupted_write_leaves_the_old_file_and_no_scraps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.md"
    write_atomically(path, "old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.md", "old")]


def test_a_reference_carries_its_fields() -> None:
    path = SMALL_CORPUS / "references" / "morton-2018-protein.md"
    reference = reference_of(read_document(path, "reference"))
    assert reference.label == "Morton et al., 2018"
    assert (reference.year, reference.kind, reference.sample_size) == (2018, "meta-analysis", 1863)
    assert reference.doi == "10.1136/bjsports-2017-097608"
    assert reference.csl["issued"] == {"date-parts": [[2018]]}
    assert reference.csl["author"][0] == {"family": "Morton", "given": "R. W."}
    assert reference.details["studies"] == 49


def test_an_exercise_carries_its_names_and_fields() -> None:
    path = SMALL_CORPUS / "exercises" / "back-squat.md"
    exercise = exercise_of(read_document(path, "exercise"))
    assert (exercise.id, exercise.name) == ("back-squat", "Back squat")
    assert "barbell squat" in exercise.aliases
    assert exercise.fields["peak_tension_at"] == "lengthened"


@pytest.mark.parametrize(
    ("authors", "label"),
    [
        ([{"family": "Contreras"}, {"family": "Cronin"}, {"family": "Vigotsky"}], "Contreras et al., 2015"),
        ([{"family": "Refalo"}, {"family": "Pelland"}], "Refalo & Pelland, 2015"),
        ([{"literal": "NICE"}], "NICE, 2015"),
        ("NICE", "NICE, 2015"),
        (None, "A title, 2015"),
        ([{"family": "Antonio", "given": "J. et al."}], "Antonio et al., 2015"),
        ([{"literal": "Bartlett et al."}], "Bartlett et al., 2015"),
        ([{"family": "Refalo"}, {"family": "Pelland", "given": "J., et al"}], "Refalo et al., 2015"),
        ([{"literal": "et al."}], "A title, 2015"),
    ],
)
def test_a_label_names_the_authors_as_readers_know_them(authors: object, label: str) -> None:
    assert reference_label(authors, 2015, "A title") == label


@pytest.mark.parametrize(
    ("authors", "names"),
    [
        pytest.param([{"literal": "Bartlett et al."}], [{"family": "Bartlett"}, OTHERS], id="literal"),
        pytest.param([{"family": "Antonio", "given": "J. et al."}], [{"family": "Antonio", "given": "J."}, OTHERS], id="given"),
        pytest.param([{"family": "Antonio", "given": "et al."}], [{"family": "Antonio"}, OTHERS], id="nothing else"),
        pytest.param(["Smith J", "et al."], [{"literal": "Smith J"}, OTHERS], id="an entry of its own"),
        pytest.param("Friends and Others", [{"literal": "Friends and Others"}], id="a group"),
        pytest.param([{"family": "Smith"}, OTHERS], [{"family": "Smith"}, OTHERS], id="as BibTeX"),
        pytest.param([{"family": "Etal"}], [{"family": "Etal"}], id="a name"),
        pytest.param(None, [], id="none"),
    ],
)  # fmt: skip
def test_a_list_of_authors_cut_short_ends_with_others(authors: object, names: object) -> None:
    assert authors_of(authors) == names


def test_a_label_without_a_year_says_so() -> None:
    assert reference_label([{"family": "Larson"}], None, "T") == "Larson, n.d."


@pytest.mark.parametrize(
    ("issued", "year"),
    [(2023, 2023), ("2023-05", 2023), ({"date-parts": [[2021, 3]]}, 2021), ({"raw": "2019, May"}, 2019),
     (None, None), ("n.d.", None), ({"date-parts": []}, None)],
)  # fmt: skip
def test_the_year_is_found_in_every_form_of_a_date(issued: object, year: int | None) -> None:
    assert year_of(issued) == year
