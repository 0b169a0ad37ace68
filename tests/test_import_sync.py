"""A person's edits, interrupts, lost state, removals: what an import may never do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest import importing
from ingest.corpus_files import read_document
from ingest.importing import Report, import_all, import_sources

ARTICLE = """# Hip thrust basics

Set the bench at knee height and keep the ribs down (Smith, 2010).

## References

Smith, J. (2010). Squatting deep for growth. Journal of Squats, 2(1), 3–4.
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "basics.md").write_text(ARTICLE, "utf-8")
    (folder / "other.md").write_text("# Other\n\nAnother article that is left alone throughout.\n")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


def run(source: Path, corpus: Path) -> Report:
    return import_all([str(source)], corpus)


def actions(report: Report) -> list[str]:
    return [item.action for item in report.items]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def snapshot(corpus: Path) -> dict[str, str]:
    return {
        str(p.relative_to(corpus)): p.read_text("utf-8")
        for p in sorted(corpus.rglob("*.md"))
        if ".import" not in p.parts
    }


def test_a_second_import_changes_no_byte(source: Path, corpus: Path) -> None:
    assert actions(run(source, corpus)) == ["added", "added"]
    before = snapshot(corpus)
    assert actions(run(source, corpus)) == ["unchanged", "unchanged"]
    assert snapshot(corpus) == before


def test_an_edit_is_kept_while_the_source_stays(source: Path, corpus: Path) -> None:
    run(source, corpus)
    path = corpus / "articles" / "hip-thrust-basics.md"
    edit(path, "knee height", "just below knee height")
    item = run(source, corpus).items[0]
    assert (item.action, item.reason) == ("unchanged", "your edits are kept")
    assert "just below knee height" in path.read_text("utf-8")


def test_an_edit_is_kept_and_reported_when_the_source_changed_too(
    source: Path, corpus: Path
) -> None:
    run(source, corpus)
    path = corpus / "articles" / "hip-thrust-basics.md"
    edit(path, "knee height", "just below knee height")
    edit(source / "basics.md", "ribs down", "chin tucked")
    for _ in range(2):
        item = run(source, corpus).items[0]
        assert item.action == "skipped"
        assert "edited by hand" in str(item.reason)
        assert "just below knee height" in path.read_text("utf-8")
        assert "chin tucked" not in path.read_text("utf-8")
    incoming = corpus / ".import" / "incoming" / "hip-thrust-basics.md"
    assert "chin tucked" in incoming.read_text("utf-8")
    path.write_text(incoming.read_text("utf-8"), "utf-8")
    assert actions(run(source, corpus)) == ["unchanged", "unchanged"]


def test_a_changed_source_updates_an_unedited_file(source: Path, corpus: Path) -> None:
    run(source, corpus)
    edit(source / "basics.md", "ribs down", "chin tucked")
    assert actions(run(source, corpus)) == ["updated", "unchanged"]
    assert "chin tucked" in (corpus / "articles" / "hip-thrust-basics.md").read_text("utf-8")


def test_a_file_of_the_same_name_by_somebody_else_is_left_alone(source: Path, corpus: Path) -> None:
    own = corpus / "articles" / "hip-thrust-basics.md"
    own.parent.mkdir(parents=True)
    own.write_text("---\ntitle: Mine\n---\n\nMy own words.\n", "utf-8")
    run(source, corpus)
    assert "My own words." in own.read_text("utf-8")
    assert (corpus / "articles" / "hip-thrust-basics-2.md").is_file()


def test_lost_state_is_recovered_from_the_files(source: Path, corpus: Path) -> None:
    run(source, corpus)
    before = snapshot(corpus)
    (corpus / ".import" / "state.jsonl").unlink()
    assert actions(run(source, corpus)) == ["unchanged", "unchanged"]
    assert snapshot(corpus) == before
    (corpus / ".import" / "state.jsonl").unlink()
    edit(corpus / "articles" / "other.md", "left alone", "edited by hand")
    edit(source / "other.md", "throughout", "for ever")
    assert actions(run(source, corpus)) == ["unchanged", "skipped"]


def test_a_torn_last_line_of_the_state_is_passed_over(source: Path, corpus: Path) -> None:
    run(source, corpus)
    state = corpus / ".import" / "state.jsonl"
    state.write_bytes(state.read_bytes()[:-40])
    assert actions(run(source, corpus)) == ["unchanged", "unchanged"]


def test_a_file_that_left_its_folder_leaves_with_its_references(source: Path, corpus: Path) -> None:
    run(source, corpus)
    assert (corpus / "references" / "smith-2010-squatting-deep-growth.md").is_file()
    (source / "basics.md").unlink()
    report = run(source, corpus)
    assert sorted(actions(report)) == ["removed", "unchanged"]
    assert sorted(snapshot(corpus)) == ["articles/other.md"]


def test_a_reference_that_somebody_digested_stays(source: Path, corpus: Path) -> None:
    run(source, corpus)
    path = corpus / "references" / "smith-2010-squatting-deep-growth.md"
    path.write_text(path.read_text("utf-8") + "\n## Findings\n\nIt grew.\n", "utf-8")
    (source / "basics.md").unlink()
    run(source, corpus)
    assert "It grew." in path.read_text("utf-8")


def test_an_edited_article_that_left_is_set_aside_not_lost(source: Path, corpus: Path) -> None:
    run(source, corpus)
    edit(corpus / "articles" / "hip-thrust-basics.md", "knee height", "my own height")
    (source / "basics.md").unlink()
    report = run(source, corpus)
    removed = next(i for i in report.items if i.action == "removed")
    assert "you had edited it" in str(removed.reason)
    aside = corpus / ".import" / "removed" / "hip-thrust-basics.md"
    assert "my own height" in aside.read_text("utf-8")
    assert not (corpus / "articles" / "hip-thrust-basics.md").exists()


def test_an_interrupt_leaves_whole_files_and_the_next_run_goes_on(
    tmp_path: Path, corpus: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(12):
        (folder / f"a{n:02}.md").write_text(ARTICLE.replace("basics", f"part {n}"), "utf-8")
    run_ = import_sources([str(folder)], corpus)
    for _ in range(5):
        next(run_)
    with pytest.raises(KeyboardInterrupt):
        run_.throw(KeyboardInterrupt)
    written = sorted((corpus / "articles").iterdir())
    assert len(written) == 5
    assert all(read_document(p, "article").meta["references"] for p in written)
    report = import_all([str(folder)], corpus)
    assert actions(report) == ["unchanged"] * 5 + ["added"] * 7


def test_an_interrupt_between_file_and_state_adds_nothing_twice(
    source: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(importing._Import, "_remember", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(source, corpus)
    assert actions(run(source, corpus)) == ["unchanged", "added"]
    assert len(snapshot(corpus)) == 3


def test_what_a_killed_run_left_is_swept(source: Path, corpus: Path) -> None:
    run(source, corpus)
    half = corpus / "articles" / ".other.md.x1y2"
    half.write_text("half")
    run(source, corpus)
    assert not half.exists()


def test_dry_run_writes_nothing_and_says_the_same(source: Path, corpus: Path) -> None:
    dry = import_all([str(source)], corpus, dry_run=True)
    assert not corpus.exists()
    assert [(i.action, i.path) for i in dry.items] == [
        (i.action, i.path) for i in run(source, corpus).items
    ]
    edit(source / "basics.md", "ribs down", "chin tucked")
    before = snapshot(corpus)
    assert actions(import_all([str(source)], corpus, dry_run=True)) == ["updated", "unchanged"]
    assert snapshot(corpus) == before


def test_the_report_counts_every_action(source: Path, corpus: Path) -> None:
    document = run(source, corpus).as_json()
    assert document["counts"] == {
        "added": 2, "updated": 0, "unchanged": 0, "skipped": 0, "removed": 0,
    }  # fmt: skip
    assert document["items"][0] == {
        "source": str(source / "basics.md"),
        "path": "articles/hip-thrust-basics.md",
        "action": "added",
        "reason": None,
    }


def test_what_cannot_be_resolved_stays_text_and_is_reported(source: Path, corpus: Path) -> None:
    edit(source / "basics.md", "(Smith, 2010)", "(Smith, 2010; Nobody et al., 1999)")
    item = run(source, corpus).items[0]
    assert item.unresolved == ("Nobody et al., 1999",)
    body = (corpus / "articles" / "hip-thrust-basics.md").read_text("utf-8")
    assert "(Nobody et al., 1999) [@smith-2010-squatting-deep-growth]" in body


def test_a_missing_source_is_said_with_exit_code_2(corpus: Path) -> None:
    report = import_all(["nowhere.md"], corpus)
    assert report.exit_code == 2
    assert "no such file" in str(report.items[0].reason)
