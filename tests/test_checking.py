"""The checker keeps what a passage says and refuses what it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.checking import check, verify_lines
from rag.entailment import label_places
from rag.errors import QuestionError, SettingsError

FLIPS = [
    json.loads(line)
    for line in (Path(__file__).parent / "questions" / "flips.jsonl").read_text("utf-8").splitlines()
]
PASSAGE = "In 34 untrained women, 9 weeks of hip thrusts grew the glutes more than squats did."


def accepted(item: dict[str, str]) -> bool:
    return check(item["premise"], item["hypothesis"]).verdict == "supported"


def test_flips_are_refused():
    wrong = [i for i in FLIPS if i["expected"] != "supported"]
    assert sum(map(accepted, wrong)) <= 0.05 * len(wrong)


def test_supported_sentences_are_kept():
    right = [i for i in FLIPS if i["expected"] == "supported"]
    assert sum(map(accepted, right)) >= 0.95 * len(right)


def test_a_quote_is_supported_in_full():
    assert check(f"First. {PASSAGE} Last.", PASSAGE).score == 1.0


def test_words_quoted_out_of_a_denial_are_not_a_quote():
    denied = "There is no evidence that squats burn fat."
    assert check(denied, "Squats burn fat.").verdict == "contradicted"


def test_the_reason_names_the_number():
    done = check(PASSAGE, PASSAGE.replace("34", "43"))
    assert done.verdict == "contradicted"
    assert any("43" in r for r in done.reasons)


@pytest.mark.parametrize("text", ["", "  ", "\x00", "." * 50_000, "9" * 50_000, "not " * 20_000])
def test_hostile_texts_get_a_verdict_that_is_not_support(text: str):
    assert check(PASSAGE, text).verdict != "supported"
    assert check(text, PASSAGE).verdict != "supported"


class Fixed:
    def judge(self, premise: str, hypothesis: str) -> tuple[float, float, float]:
        return 0.9, 0.1, 0.0


def test_a_hard_contradiction_wins_over_the_model():
    assert check(PASSAGE, PASSAGE.replace("34", "43"), entailment=Fixed()).verdict == "contradicted"


def test_the_model_decides_what_no_rule_refused():
    done = check(PASSAGE, "Bridges are fun for dancers.", entailment=Fixed())
    assert done.verdict == "supported"


def test_labels_are_placed_by_name():
    order = {0: "CONTRADICTION", 1: "ENTAILMENT", 2: "NEUTRAL"}
    assert label_places(order, "m") == (2, 0, 1)
    with pytest.raises(SettingsError, match="label_0"):
        label_places({0: "LABEL_0"}, "m")


def test_lines_come_back_in_order():
    lines = [json.dumps({"id": n, "premise": PASSAGE, "hypothesis": PASSAGE}) for n in (2, 1)]
    assert [d["id"] for d in verify_lines(lines, check)] == [2, 1]


@pytest.mark.parametrize("bad", ["{", "[]", '{"id": 1}', '{"id": 1, "premise": 1, "hypothesis": ""}'])
def test_a_bad_line_is_named_by_number(bad: str):
    good = json.dumps({"id": 1, "premise": "a", "hypothesis": "a"})
    with pytest.raises(QuestionError, match="line 2"):
        list(verify_lines([good, bad], check))
