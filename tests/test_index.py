"""The index follows the corpus: only what changed is embedded, and readers never see a half."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.corpus_files import ASKED, NOT_COVERED, asked_path
from ingest.index import is_stale, update_index
from rag.answering import Coach
from rag.errors import CorpusError, IndexMismatchError, IndexMissingError
from rag.index_files import current_version, read_manifest, read_passages, versions_folder
from rag.library import open_library, references_of
from rag.settings import Settings
from rag.types import Vectors
from tests.conftest import ROOT

POWDER = "Do I need protein powder or shakes?"
NEW = "Foam rollers did not change glute growth in any trial of this collection."


def article(settings: Settings, name: str) -> Path:
    return settings.corpus / "articles" / f"{name}.md"


def append(path: Path, text: str) -> None:
    path.write_text(f"{path.read_text('utf-8')}\n{text}\n", "utf-8")


def versions(settings: Settings) -> set[str]:
    return {p.name for p in versions_folder(settings.index).iterdir()}


def passages(settings: Settings) -> list[Any]:
    return read_passages(current_version(settings.index))


def ask_for(settings: Settings, name: str, heading: str, *phrasings: str) -> Path:
    """Writes down other words in which people ask for a section of an article."""
    path = asked_path(settings.corpus, "article", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({heading: phrasings}), "utf-8")
    return path


def not_covered(settings: Settings, *questions: str) -> None:
    """Writes down questions that the corpus does not answer."""
    path = settings.corpus / ASKED / NOT_COVERED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Beyond this corpus": questions}), "utf-8")


class Stopped(BaseException):
    """As a Ctrl-C would."""


def stop(done: int, total: int) -> None:
    raise Stopped


def test_a_second_run_embeds_nothing_and_changes_nothing(small_index: Settings) -> None:
    before = versions(small_index)
    result = update_index(small_index, stop)
    assert (result.changed, result.embedded) == (False, 0)
    assert result.reused == result.passages == len(passages(small_index))
    assert versions(small_index) == before


def test_one_changed_article_embeds_its_new_passages_only(small_index: Settings) -> None:
    append(article(small_index, "protein"), f"## Do foam rollers help?\n\n{NEW}")
    before = {p.id for p in passages(small_index)}
    texts: list[tuple[int, int]] = []
    result = update_index(small_index, lambda done, total: texts.append((done, total)))
    after = passages(small_index)
    assert (result.changed, result.embedded, result.reused) == (True, 1, len(before))
    assert [p.text for p in after if p.id not in before] == [NEW]
    assert texts[-1][0] == texts[-1][1] <= 3  # the passage, its heading, its sentence


def test_a_study_named_in_a_sentence_is_called_as_readers_know_it(small_index: Settings) -> None:
    append(article(small_index, "protein"), "## Who says so?\n\n@morton-2018-protein pooled 49 trials.")
    update_index(small_index)
    (new,) = [p for p in passages(small_index) if p.section == "Who says so?"]
    assert new.text == "Morton et al. (2018) pooled 49 trials."
    (reference,) = references_of(open_library(small_index), new, *new.sentences[0])
    assert reference.id == "morton-2018-protein"


def test_a_changed_field_that_no_passage_shows_embeds_nothing(small_index: Settings) -> None:
    path = article(small_index, "protein")
    path.write_text(path.read_text("utf-8").replace("tags: [protein,", "tags: [shakes,"), "utf-8")
    result = update_index(small_index)
    assert (result.changed, result.embedded) == (True, 0)


def test_one_new_way_of_asking_is_all_that_is_embedded(small_index: Settings) -> None:
    before = passages(small_index)
    ask_for(small_index, "protein", POWDER, "is whey worth my money")
    assert is_stale(small_index)
    texts: list[tuple[int, int]] = []
    result = update_index(small_index, lambda done, total: texts.append((done, total)))
    assert (result.embedded, result.reused, texts) == (0, len(before), [(1, 1)])
    assert [p.id for p in passages(small_index)] == [p.id for p in before]
    ask_for(small_index, "protein", POWDER, "is whey worth my money", "are supplements a rip-off")
    update_index(small_index, lambda done, total: texts.append((done, total)))
    assert texts[1:] == [(1, 1)]
    assert not is_stale(small_index)


def test_ways_of_asking_leave_with_their_file(small_index: Settings) -> None:
    built = open_library(small_index)
    path = ask_for(small_index, "protein", POWDER, "is whey worth my money")
    update_index(small_index)
    assert sum(open_library(small_index).has_phrasings) == 1
    path.unlink()
    update_index(small_index)
    back = open_library(small_index)
    assert back.passages == built.passages
    assert (back.heading_vectors == built.heading_vectors).all()


def test_a_question_leaves_the_list_once_an_article_answers_it(small_index: Settings) -> None:
    ask_for(small_index, "protein", POWDER, "is whey worth my money")
    not_covered(small_index, "should i get a massage gun for my glutes", "what does a sauna cost")
    update_index(small_index)
    assert len(open_library(small_index).not_covered_vectors) == 2
    post = article(small_index, "protein").read_text("utf-8").replace("id: protein", "id: massage")
    front = post.split("---")[1]
    body = "## Do massage guns help sore glutes?\n\nA massage gun eases soreness for an hour or so.\n"
    article(small_index, "massage").write_text(f"---{front}---\n\n{body}", "utf-8")
    update_index(small_index)
    library = open_library(small_index)
    (left,) = library.not_covered_vectors
    assert left @ library.embedder.embed(["what does a sauna cost"])[0] == pytest.approx(1, abs=1e-4)


def test_the_adapter_is_learnt_anew_only_where_phrasings_changed(
    small_index: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[int] = []

    def fitted(vectors: Vectors, sections: Sequence[str]) -> Vectors:
        learnt.append(len(sections))
        return np.eye(vectors.shape[1], dtype=np.float32) * 2

    monkeypatch.setattr("ingest.index.fitted_adapter", fitted)
    ask_for(small_index, "protein", POWDER, "is whey worth my money")
    update_index(small_index)
    assert learnt == [2]  # the heading, and the other way of asking for it
    path = article(small_index, "protein")
    path.write_text(path.read_text("utf-8") + "\nEat an egg if you like eggs.\n", "utf-8")
    update_index(small_index)
    assert learnt == [2]
    assert open_library(small_index).adapter[0, 0] == 2


def test_each_passage_keeps_its_own_ways_of_asking(small_index: Settings) -> None:
    ask_for(small_index, "protein", POWDER, "is whey worth my money", "are supplements a rip-off")
    update_index(small_index)
    library = open_library(small_index)
    (row,) = [n for n, p in enumerate(library.passages) if p.asked]
    vector = library.embedder.embed(["are supplements a rip-off"])[0]
    similar = library.heading_similarities(vector)
    assert similar[row] == pytest.approx(1, abs=1e-4)
    assert similar.argmax() == row
    assert len(similar) == len(library.passages)


def test_malformed_ways_of_asking_cost_nothing_but_themselves(small_index: Settings) -> None:
    before = passages(small_index)
    path = ask_for(small_index, "protein", POWDER, "is whey worth my money")
    path.write_text("- just a list\n", "utf-8")
    result = update_index(small_index)
    assert [Path(p) for p, _ in result.skipped] == [path]
    assert passages(small_index) == before


def test_a_deleted_file_leaves(small_index: Settings) -> None:
    article(small_index, "protein").unlink()
    result = update_index(small_index)
    assert result.embedded == 0
    assert result.documents["article"] == 2
    assert not [p for p in passages(small_index) if p.source_id == "protein" and p.source_kind == "article"]
    library = open_library(small_index)
    assert {i for i, _ in library.store.query(library.passage_vectors[0], 999)} == set(library.rows)


def test_reused_vectors_stay_with_their_texts(small_index: Settings) -> None:
    path = article(small_index, "protein")
    text, built = path.read_text("utf-8"), open_library(small_index)
    append(path, f"## Do foam rollers help?\n\n{NEW}")
    update_index(small_index)
    path.write_text(text, "utf-8")
    assert update_index(small_index).embedded == 0
    back = open_library(small_index)
    assert back.passages == built.passages
    for name in ("passage_vectors", "sentence_vectors", "heading_vectors"):
        assert (getattr(back, name) == getattr(built, name)).all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("---\ntitle: [open\n---\nWords.", "not valid YAML"), ("---\ndate: 2024-13-45\n---\nWords.", "YAML")],
)
def test_a_broken_file_is_skipped_with_its_reason(
    small_index: Settings, text: str, reason: str
) -> None:
    path = article(small_index, "broken")
    path.write_text(text, "utf-8")
    for _ in range(2):  # said again as long as it is so
        result = update_index(small_index)
        ((skipped, why),) = result.skipped
        assert skipped == str(path)
        assert reason in why
        assert result.documents["article"] == 3


def test_what_is_named_like_a_file_and_is_none_stops_nothing(small_index: Settings) -> None:
    article(small_index, "folder").mkdir()
    article(small_index, "dangling").symlink_to(small_index.corpus / "gone.md")
    result = update_index(small_index)
    assert {Path(p).name for p, _ in result.skipped} == {"folder.md", "dangling.md"}
    assert not is_stale(small_index)


def test_two_copies_of_a_file_are_both_indexed(small_index: Settings) -> None:
    text = article(small_index, "protein").read_text("utf-8")
    for name in ("a-copy", "a_copy"):
        article(small_index, name).write_text(text, "utf-8")
    assert update_index(small_index).documents["article"] == 5
    assert open_library(small_index).store.count() == len(passages(small_index))


def test_an_interrupted_build_leaves_the_old_index_serving(small_index: Settings) -> None:
    before, old = current_version(small_index.index), versions(small_index)
    append(article(small_index, "protein"), NEW)
    with pytest.raises(Stopped):
        update_index(small_index, stop)
    assert current_version(small_index.index) == before
    assert versions(small_index) == old
    assert NEW not in {p.text for p in open_library(small_index).passages}
    assert is_stale(small_index)
    assert update_index(small_index).changed


def test_a_build_that_fails_while_writing_leaves_no_stray_version(
    small_index: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, old = current_version(small_index.index), versions(small_index)
    append(article(small_index, "protein"), NEW)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.index.write_collection", lambda *_: stop(0, 0))
        with pytest.raises(Stopped):
            update_index(small_index)
    assert (current_version(small_index.index), versions(small_index)) == (before, old)


def test_two_builders_at_once_wait_for_each_other(small_index: Settings) -> None:
    append(article(small_index, "protein"), NEW)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(update_index, [small_index, small_index]))
    assert sorted(r.changed for r in results) == [False, True]
    assert {r.version for r in results} == {current_version(small_index.index).name}
    assert open_library(small_index).store.count() == results[0].passages


def test_a_second_process_waits_and_then_finds_nothing_to_do(small_index: Settings) -> None:
    append(article(small_index, "protein"), NEW)
    started: list[subprocess.Popen[str]] = []

    def start_another(done: int, total: int) -> None:
        """Called by the first builder, under its lock."""
        if not started:
            started.append(_index_command(small_index))

    first = update_index(small_index, start_another)
    out, errors = started[0].communicate(timeout=120)
    second = json.loads(out)
    assert (started[0].returncode, errors) == (0, "")
    assert (second["changed"], second["version"]) == (False, first.version)


def _index_command(settings: Settings) -> subprocess.Popen[str]:
    folders = ["--corpus", str(settings.corpus), "--index", str(settings.index)]
    return subprocess.Popen(
        [sys.executable, "-m", "ingest", "index", "--json", *folders],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def test_old_versions_are_cleared_away_but_for_the_one_before(small_index: Settings) -> None:
    seen = [current_version(small_index.index).name]
    for n in range(3):
        append(article(small_index, "protein"), f"Line {n}.")
        seen.append(update_index(small_index).version)
    assert seen[-1] in versions(small_index)
    assert len(versions(small_index)) == 2


def test_staleness_follows_every_change_of_the_corpus(small_index: Settings) -> None:
    path = article(small_index, "protein")
    text = path.read_text("utf-8")
    assert not is_stale(small_index)
    append(path, NEW)
    assert is_stale(small_index)
    path.write_text(text, "utf-8")
    assert not is_stale(small_index)
    path.rename(article(small_index, "renamed"))
    assert is_stale(small_index)
    article(small_index, "renamed").rename(path)
    assert not is_stale(small_index)


def test_an_index_of_another_embedder_or_none_is_stale(small_index: Settings, tmp_path: Path) -> None:
    assert is_stale(small_index.model_copy(update={"index": tmp_path / "none"}))
    assert is_stale(small_index.model_copy(update={"embedder": "another-model"}))


def test_a_running_coach_picks_up_the_new_version(small_index: Settings) -> None:
    coach = Coach(small_index)
    assert "foam" not in coach.search("foam rollers", k=1)[0].passage.text.lower()
    append(article(small_index, "protein"), f"## Do foam rollers help?\n\n{NEW}")
    update_index(small_index)
    assert coach.search("foam rollers", k=1)[0].passage.text == NEW


def test_a_running_coach_survives_the_loss_of_the_folder_pointer(small_index: Settings) -> None:
    coach = Coach(small_index)
    before = coach.search("protein", k=3)
    (small_index.index / "current").unlink()
    assert coach.search("protein", k=3) == before


def test_a_missing_index_says_how_to_build_it(small_index: Settings, tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="python -m ingest index"):
        open_library(small_index.model_copy(update={"index": tmp_path / "none"}))


def test_a_coach_without_an_index_says_why_once(
    small_index: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    coach = Coach(small_index.model_copy(update={"index": tmp_path / "none"}))
    assert [coach.ready() for _ in range(3)] == [False] * 3
    (record,) = [r for r in caplog.records if r.name == "rag.answering"]
    assert "python -m ingest index" in record.getMessage()
    assert record.exc_info is None


def test_another_releases_index_says_what_to_do_and_is_replaced(small_index: Settings) -> None:
    path = current_version(small_index.index) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 1}), "utf-8")
    with pytest.raises(IndexMismatchError, match=r"another release.*python -m ingest index"):
        open_library(small_index)
    assert is_stale(small_index)
    assert update_index(small_index).changed
    open_library(small_index)


def test_a_cut_off_manifest_says_what_to_do(small_index: Settings) -> None:
    path = current_version(small_index.index) / "manifest.json"
    path.write_text(path.read_text()[:40], "utf-8")
    with pytest.raises(IndexMismatchError, match="python -m ingest index"):
        open_library(small_index)
    assert is_stale(small_index)


def test_an_index_of_another_embedder_says_what_to_do(small_index: Settings) -> None:
    other = small_index.model_copy(update={"embedder": "another-model"})
    with pytest.raises(IndexMismatchError, match=r"'another-model'.*python -m ingest index"):
        open_library(other)


def test_a_vector_store_that_lost_its_vectors_is_found_out_and_rebuilt(small_index: Settings) -> None:
    version = current_version(small_index.index)
    manifest = read_manifest(version)
    path = version / "manifest.json"
    data = {**json.loads(path.read_text()), "passages": manifest.passages + 1}
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(IndexMismatchError, match=r"damaged.*python -m ingest index"):
        open_library(small_index)
    assert update_index(small_index).changed
    assert open_library(small_index).manifest.passages == manifest.passages


@pytest.fixture
def empty_corpus(tmp_path: Path) -> Path:
    (tmp_path / "empty" / "articles").mkdir(parents=True)
    return tmp_path / "empty"


def test_a_corpus_without_text_is_refused_and_the_old_index_stays(
    small_index: Settings, empty_corpus: Path
) -> None:
    before = current_version(small_index.index)
    with pytest.raises(CorpusError, match="no readable document"):
        update_index(small_index.model_copy(update={"corpus": empty_corpus}))
    (empty_corpus / "articles" / "blank.md").write_text("---\ntitle: Blank\n---\n", "utf-8")
    with pytest.raises(CorpusError, match="no text"):
        update_index(small_index.model_copy(update={"corpus": empty_corpus}))
    assert current_version(small_index.index) == before
