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


TORSO = (
    "Gluteus medius EMG was 77.6% in the single-leg deadlift against 59.3% in the two-leg deadlift in 15 trained men. "
    "Biceps femoris EMG was higher and left erector spinae EMG lower in single-leg than in two-leg deadlifts."
)
PAIN = (
    "In 70 people with chronic low back pain, hip strengthening brought no extra pain relief (0.5 points, 95% CI −0.5 "
    "to 1.5). Pain did not differ between the groups at 6 months. Nobody has shown that bands grow the glutes."
)
REST = (
    "Rest of 2 to 3 minutes let lifters do more repetitions than 1 minute, yet quadriceps growth was similar. "
    "The front fibres turn the thigh inward and the rear fibres turn it outward. Slow tempos may help a little."
)
HELD = [
    (TORSO, "The gluteus medius was more active in the single-leg deadlift (77.6%) than in the two-leg deadlift (59.3%)."),
    (TORSO, "Gluteus medius EMG reached about 78% in the single-legged deadlift."),
    (TORSO, "Single-leg deadlifts gave lower left erector spinae EMG than bilateral deadlifts."),
    (PAIN, "Half a year later, pain was no different between the groups."),
    (PAIN, "Adding hip strengthening gave no additional pain relief in 70 people with chronic low back pain."),
    (REST, "Lifters did more reps with 120 to 180 seconds of rest than with 60 seconds."),
    (REST, "The rear fibres turn the thigh outward."),
    (REST, "Quadriceps growth was about the same."),
]
TURNED = [
    ("arms", TORSO, "Gluteus medius EMG was 59.3% in the single-leg deadlift against 77.6% in the two-leg deadlift."),
    ("muscle", TORSO, "Gluteus maximus EMG was 77.6% in the single-leg deadlift."),
    ("no difference", TORSO, "Gluteus medius EMG did not differ between single-leg and two-leg deadlifts."),
    ("direction", TORSO, "Left erector spinae EMG was higher in single-leg than in two-leg deadlifts."),
    ("training", TORSO, "Gluteus medius EMG was 77.6% in the single-leg deadlift in 15 untrained men."),
    ("interval", PAIN, "The 95% CI for pain relief ran from −0.5 to 2.5."),
    ("difference", PAIN, "Pain differed between the groups at 6 months."),
    ("duration", PAIN, "Pain did not differ between the groups at 6 weeks."),
    ("denied", PAIN, "Bands grow the glutes."),
    ("denial of all", PAIN, "It is not true that pain did not differ between the groups at 6 months."),
    ("order", REST, "Rest of 1 minute let lifters do more repetitions than 2 to 3 minutes."),
    ("growth", REST, "Quadriceps growth was greater with 2 to 3 minutes of rest."),
    ("opposites", REST, "The front fibres turn the thigh outward and the rear fibres turn it inward."),
    ("unit", REST, "Rest of 2 to 3 seconds let lifters do more repetitions than 1 second."),
    ("certainty", REST, "Slow tempos help a little."),
    ("addition", TORSO, "Left erector spinae EMG was lower in single-leg deadlifts and runners jump much further."),
]


@pytest.mark.parametrize(("premise", "claim"), HELD, ids=[c for _, c in HELD])
def test_a_fair_paraphrase_is_kept(premise: str, claim: str):
    assert check(premise, claim).verdict == "supported"


@pytest.mark.parametrize(("premise", "claim"), [t[1:] for t in TURNED], ids=[t[0] for t in TURNED])
def test_a_turned_statement_is_refused(premise: str, claim: str):
    assert check(premise, claim).verdict != "supported"


def test_a_passage_of_many_sentences_is_checked_in_bounded_work():
    long = " ".join(f"Trial {n} of {n} women took {n} weeks." for n in range(2000))
    assert check(long, "Trial 77 of 77 women took 78 weeks.").verdict == "contradicted"


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
