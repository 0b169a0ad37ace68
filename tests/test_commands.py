"""The commands as other programs run them: exit codes, one-line errors, nothing but JSON on stdout."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SQUATS = "are hip thrusts better than squats for glute growth?"


def command(*words: str | Path, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m …` without the developer's own settings."""
    env = {k: v for k, v in os.environ.items() if not k.upper().startswith("GLUTE_")}
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        input=given, capture_output=True, text=True, cwd=ROOT, timeout=120,
        env={**env, "PYTHONIOENCODING": "utf-8", **environment},
    )  # fmt: skip


def printed(done: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON document on stdout of a command that went well and quietly."""
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def assert_fails(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


# ------------------------------------------------------------------ ask


def test_ask_prints_one_answer_as_json(index_folder: Path) -> None:
    answer = printed(command("rag", "ask", SQUATS, "--audience", "trainer", "--json", "--index", index_folder))
    assert (answer["status"], answer["mode"], answer["audience"]) == ("answered", "quote", "trainer")
    assert answer["citations"][0]["marker"] == 1


def test_ask_prints_text_with_its_sources_for_people(index_folder: Path, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "are hip thrusts good for glute growth?"}]
    (tmp_path / "history.json").write_text(json.dumps(turns), "utf-8")
    done = command("rag", "ask", "and squats?", "--history", tmp_path / "history.json", "--index", index_folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n[1] " in done.stdout


def test_a_file_of_questions_is_answered_in_order(index_folder: Path) -> None:
    history = [{"role": "user", "content": "are hip thrusts good for glute growth?"}]
    rows: list[dict[str, Any]] = [
        {"id": "b", "question": SQUATS},
        {"id": 7, "question": "what is the capital of france"},
        {"id": "empty", "question": "  "},
        {"id": "wrong", "question": ["no"]},
        {"id": "king", "question": "squats?", "audience": "king"},
        {"id": "a", "question": "and squats?", "history": history, "audience": "trainer"},
        {"question": "how many sets a week for glutes?"},
    ]
    lines = "\n\n".join(json.dumps(row) for row in rows) + "\n"
    done = command("rag", "ask", "--jsonl", "-", "--index", index_folder, given=lines)
    assert (done.returncode, done.stderr) == (0, "")
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in out] == ["b", 7, "empty", "wrong", "king", "a", None]
    assert [row.get("status") for row in out] == ["answered", "out_of_scope", None, None, None, "answered", "answered"]
    assert [row["error"]["code"] for row in out if "error" in row] == ["bad_question"] * 3
    follow_up = out[5]
    assert follow_up["audience"] == "trainer"
    assert "squat" in follow_up["standalone_question"]
    assert follow_up["standalone_question"] != follow_up["question"]


@pytest.mark.parametrize(
    "line", ["{broken", "[1]", "[" * 100_000], ids=["broken JSON", "no object", "too deep"]
)
def test_a_line_that_is_no_question_loses_no_other(index_folder: Path, line: str) -> None:
    lines = '{"id": 1, "question": "are squats good for glutes?"}\n' + line
    lines += '\n{"id": 2, "question": "do squats grow\u2028the glutes?"}\n'
    done = command("rag", "ask", "--jsonl", "-", "--index", index_folder, given=lines)
    assert done.returncode == 2
    assert done.stderr.startswith("rag: line 2 is not ")
    assert done.stderr.count("\n") == 1
    out = [json.loads(row) for row in done.stdout.split("\n")[:-1]]
    assert [row["id"] for row in out] == [1, None, 2]
    assert out[1]["error"]["message"].startswith("line 2 is not ")
    assert {row["status"] for row in (out[0], out[2])} == {"answered"}


def test_bad_input_is_exit_code_2(tmp_path: Path) -> None:
    assert_fails(command("rag", "ask", ""), 2, "QUESTION")
    assert_fails(command("rag", "search", " ? "), 2, "nothing to search for")
    assert_fails(command("rag", "ask", "squats?", "--jsonl", "x"), 2, "--jsonl")
    assert_fails(command("rag", "ask", "--jsonl", "-", "--history", "x", given=""), 2, "--history")
    assert_fails(command("rag", "ask", "a" * 3000), 2, "too long (3,000 characters)")
    assert_fails(command("rag", "ask", "squats?", "--history", tmp_path / "none.json"), 2, "none.json")
    assert_fails(command("rag", "evaluate", tmp_path / "nothing"), 2, "nothing")


def test_wrong_usage_is_exit_code_2() -> None:
    for words in (["ask", "squats?", "--audience", "king"], ["search", "x", "--k", "0"], ["search", "x", "--k", "many"], []):
        done = command("rag", *words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert "Traceback" not in done.stderr


def test_a_missing_index_is_exit_code_1_and_says_what_to_do(tmp_path: Path) -> None:
    for words in (["rag", "ask", "squats?"], ["rag", "export", "x"], ["ingest", "status"]):
        assert_fails(command(*words, "--index", tmp_path / "none"), 1, "python -m ingest index")


def test_a_folder_that_cannot_hold_an_index_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", "utf-8")
    nowhere = str(tmp_path / "file" / "index")
    assert_fails(command("ingest", "index", GLUTE_INDEX=nowhere), 2, "GLUTE_INDEX", nowhere)
    assert_fails(command("rag", "search", "glutes", GLUTE_INDEX=nowhere), 1, "GLUTE_INDEX", nowhere)


def test_text_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"id": 1, "question": "squats?"}\n{"id": 2, "question": "pr\xe9s"}\n')
    for words in (["ask", "--jsonl", path], ["verify", "--jsonl", path], ["ask", "x?", "--history", path]):
        assert_fails(command("rag", *words), 2, "latin.jsonl", "UTF-8", "line 2")


def test_a_reader_who_leaves_is_no_failure(tmp_path: Path) -> None:
    rows = [{"id": n, "premise": "Squats grow glutes.", "hypothesis": "Squats grow glutes."} for n in range(3000)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    code = f"{sys.executable} -m rag verify --jsonl {path} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stdout.split("\n")[1] == "0"
    assert done.stderr == ""


def test_an_unknown_setting_is_named() -> None:
    assert_fails(command("rag", "ask", "squats?", GLUTE_MODLE="x"), 2, "GLUTE_MODLE")
    assert_fails(command("rag", "ask", "squats?", GLUTE_RATE_LIMIT="lots"), 2, "GLUTE_RATE_LIMIT", "lots")


def test_every_command_explains_itself() -> None:
    for words in (["rag"], ["rag", "ask"], ["rag", "evaluate"], ["ingest"], ["ingest", "import"], ["ingest", "index"]):
        done = command(*words, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: ")


# ------------------------------------------------------------------ search and export


def test_search_ranks_passages_of_one_kind(index_folder: Path) -> None:
    found = printed(command("rag", "search", "hip thrust", "--k", "3", "--kind", "exercise", "--json", "--index", index_folder))
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert {hit["source_kind"] for hit in found["hits"]} == {"exercise"}
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_export_prints_references(index_folder: Path) -> None:
    ids = ["acog-2020-committee-opinion-804", "plotkin-2023-hip-thrust-vs-squat-hypertrophy"]
    items = printed(command("rag", "export", "--format", "csl-json", *ids, "--index", index_folder))
    assert [item["id"] for item in items] == ids
    done = command("rag", "export", "--format", "ris", *ids, "--index", index_folder)
    assert done.stdout.count("TY  - ") == done.stdout.count("ER  - ") == 2


def test_an_unknown_reference_is_named(index_folder: Path) -> None:
    assert_fails(command("rag", "export", "nobody-1999", "--index", index_folder), 2, "'nobody-1999'")


# ------------------------------------------------------------------ verify


def test_verify_gives_a_verdict_a_line(tmp_path: Path) -> None:
    premise = "In 34 women, hip thrusts and squats grew the glutes about equally over 9 weeks."
    rows = [
        {"id": 1, "premise": premise, "hypothesis": premise},
        {"id": 2, "premise": premise, "hypothesis": premise.replace("34", "340")},
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = command("rag", "verify", "--jsonl", path)
    assert (done.returncode, done.stderr) == (0, "")
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(v["id"], v["verdict"]) for v in verdicts] == [(1, "supported"), (2, "contradicted")]
    assert all({"score", "reasons"} <= set(v) for v in verdicts)


def test_a_pair_that_cannot_be_read_loses_no_other() -> None:
    good = json.dumps({"id": "x", "premise": "Squats grow glutes.", "hypothesis": "\ud800"})
    done = command("rag", "verify", "--jsonl", "-", given=f"{good}\n{{\n[]\n{good}\n")
    assert done.returncode == 2
    assert done.stderr.startswith("rag: line 2 is not JSON")
    assert "1 more line" in done.stderr
    out = [json.loads(row) for row in done.stdout.splitlines()]
    assert [row["id"] for row in out] == ["x", None, None, "x"]
    assert [row["error"]["code"] for row in out[1:3]] == ["bad_line"] * 2
    assert out[0]["verdict"] == "unsupported"


# ------------------------------------------------------------------ evaluate


def beir(folder: Path, zipped: bool) -> Path:
    """Five documents, two queries: the first finds its two, the second's judgement is about another."""
    documents = {
        "d1": "Creatine raises strength when taken daily.",
        "d2": "Creatine monohydrate draws water into muscle.",
        "d3": "Volcanoes erupt molten rock and ash.",
        "d4": "The violin has four strings tuned in fifths.",
        "d5": "Bread dough rises when yeast makes gas.",
    }
    files = {
        "corpus.jsonl": [{"_id": k, "title": "", "text": v} for k, v in documents.items()],
        "queries.jsonl": [{"_id": "q1", "text": "creatine"}, {"_id": "q2", "text": "how a violin is tuned"}, {"_id": "q3", "text": "not judged"}],
    }
    (folder / "qrels").mkdir(parents=True)
    texts = {name: "\n".join(map(json.dumps, rows)) for name, rows in files.items()}
    texts["qrels/test.tsv"] = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t1\nq2\td4\t1\n"
    texts["qrels/dev.tsv"] = "query-id\tcorpus-id\tscore\nq1\tnowhere\t1\nq2\td4\t2\n"
    for name, text in texts.items():
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_a_beir_folder_is_scored(small_index: Settings, tmp_path: Path, zipped: bool) -> None:
    folder = beir(tmp_path / "beir", zipped)
    found = printed(command("rag", "evaluate", folder, "--json", "--index", small_index.index))
    assert found == {"n": 2, "ndcg@10": 1.0, "recall@10": 1.0, "recall@100": 1.0, "mrr@10": 1.0}


def test_a_split_is_chosen_by_name(small_index: Settings, tmp_path: Path) -> None:
    folder = beir(tmp_path / "beir", False)
    found = printed(command("rag", "evaluate", folder, "--split", "dev", "--json", "--index", small_index.index))
    assert found == {"n": 2, "ndcg@10": 0.5, "recall@10": 0.5, "recall@100": 0.5, "mrr@10": 0.5}
    assert_fails(command("rag", "evaluate", folder, "--split", "train", "--index", small_index.index), 2, "train.tsv")


def test_a_question_file_is_scored(index_folder: Path, tmp_path: Path) -> None:
    rows = [
        {"id": "good", "question": SQUATS, "status": ["answered"]},
        {"id": "bad", "question": SQUATS, "status": ["not_found"]},
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = printed(command("rag", "evaluate", path, "--json", "--index", index_folder))
    assert (found["n"], found["scores"]["status"]["rate"]) == (2, 0.5)
    assert [f["id"] for f in found["failures"]] == ["bad"]


# ------------------------------------------------------------------ ingest


def test_index_status_and_staleness(small_index: Settings) -> None:
    where = ("--corpus", small_index.corpus, "--index", small_index.index)
    again = printed(command("ingest", "index", *where, "--json"))
    assert (again["changed"], again["embedded"]) == (False, 0)
    status = printed(command("ingest", "status", *where, "--json"))
    assert status["stale"] is False
    assert status["documents"] == again["documents"]
    article = next((small_index.corpus / "articles").glob("*.md"))
    article.write_text(article.read_text("utf-8") + "\nA new line about heavy sled pulls.\n", "utf-8")
    assert printed(command("ingest", "status", *where, "--json"))["stale"] is True
    updated = printed(command("ingest", "index", *where, "--json"))
    assert updated["changed"] is True
    assert 0 < updated["embedded"] < updated["reused"] + updated["embedded"]


def test_check_finds_an_unknown_citation(small_index: Settings) -> None:
    article = next((small_index.corpus / "articles").glob("*.md"))
    article.write_text(article.read_text("utf-8") + "\nSleds work well [@nobody-1999-sleds].\n", "utf-8")
    done = command("ingest", "check", "--corpus", small_index.corpus, "--json")
    assert done.returncode == 2
    assert "nobody-1999-sleds" in json.dumps(json.loads(done.stdout))
