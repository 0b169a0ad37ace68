"""The safety rules: warning signs are caught, ordinary talk is left alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rag.recognising import (
    WEIGHTS,
    Weights,
    features,
    fitted_weights,
    likeness,
    recognised,
    rule_shares,
)
from rag.safety import UNSURE, assess, by_rule, folded, yaml_file
from rag.types import Question, Turn
from tests.fit_safety import digest, examples

QUESTIONS = Path(__file__).with_name("questions")

UNSOURCED = {"muscle-tear"}
"""Rules that refer by prudence: the library has no source on them."""

WARNINGS = [
    ("cauda-equina", "my back has been bad all week and since this morning i cant pee"),
    ("cauda-equina", "Numbness around my genitals after deadlifts, normal?"),
    ("cauda-equina", "weird feeling down there, its all numb when i wipe"),
    ("cauda-equina", "i wet myself twice today and my back is killing me"),
    ("cauda-equina", "pins and needles in both feet since i squatted"),
    ("cauda-equina", "pain shooting down both legs"),
    ("cauda-equina", "cant get an erection since i hurt my back"),
    ("cauda-equina", "i dont feel when i need to poo anymore"),
    ("cauda-equina", "lost control of my bowels after a heavy lift"),
    ("cauda-equina", "saddle area tingling, should i keep training"),
    ("cauda-equina", "between my legs has gone nubm"),
    ("cauda-equina", "my client has no sensation in her crotch after deadlifts"),
    ("cauda-equina", "having difficulty urinating plus sciatica"),
    ("sudden-weakness", "my left leg suddenly went weak mid set"),
    ("cauda-equina", "woke up and i cant lift my foot"),
    ("sudden-weakness", "sudden weakness in my right leg"),
    ("chest-pain", "chest pain during squats"),
    ("chest-pain", "theres a pressure on my chest when i hip thrust"),
    ("chest-pain", "tight chest and clammy after lunges"),
    ("chest-pain", "i passed out during my workout yesterday"),
    ("chest-pain", "my heart was racing and i got dizzy in the gym"),
    ("serious-accident", "was in a car crash on monday, back really hurts, can i deadlift"),
    ("serious-accident", "fell off a ladder and my lower back hurts"),
    ("hip-fracture", "i slipped on ice and cant put weight on my leg"),
    ("hip-fracture", "mum had a fall, one leg looks shorter"),
    ("hip-fracture", "tripped over the dog, hip hurts and foot turns out"),
    ("hip-fracture", "after a fall i cannot lift my leg"),
    ("rhabdomyolysis", "my wee is the colour of coke after leg day"),
    ("rhabdomyolysis", "peeing brown since yesterdays workout"),
    ("rhabdomyolysis", "legs swollen and i cant bend them 3 days after squats"),
    ("rhabdomyolysis", "worst soreness of my life and my legs are really weak"),
    ("rhabdomyolysis", "cola colored urin"),
    ("rhabdomyolysis", "dark pee and muscles in agony"),
    ("rhabdomyolysis", "this is way beyond normal doms, my thighs are swollen"),
    ("serious-illness", "back pain with a fever"),
    ("serious-illness", "lost a stone without trying and my back aches"),
    ("serious-illness", "hip pain all night, nothing helps, even when i rest"),
    ("serious-illness", "running a temperature and my hip is sore"),
    ("serious-illness", "found a hard lump in my buttock"),
    ("serious-illness", "my spine has changed shape"),
    ("serious-illness", "had breast cancer, now new back pain"),
    ("stress-fracture", "groin hurts every time i run"),
    ("stress-fracture", "deep hip pain since upping my mileage for the marathon"),
    ("stress-fracture", "hopping on one leg gives me pain in the front of my hip"),
    ("stress-fracture", "my periods stopped and my hip aches"),
    ("pregnancy-warning-signs", "im 30 weeks pregnant and bleeding a bit after the gym"),
    ("pregnancy-warning-signs", "pregnant and baby isnt moving much"),
    ("pregnancy-warning-signs", "24 weeks, pregnant, contractions after squats"),
    ("pregnancy-warning-signs", "pregnant with a bad headache and blurry vision"),
    ("pregnancy-warning-signs", "fluid leaking, im pregnant"),
    ("pregnancy-warning-signs", "pregnant and felt faint doing lunges"),
    ("pregnancy-warning-signs", "my calf is sore and im in my third trimester"),
    ("pregnancy-contraindications", "ive been told i have placenta previa, can i squat"),
    ("pregnancy-contraindications", "i have pre-eclampsia, is lifting ok"),
    ("pregnancy-contraindications", "pregnant with severe heart disease, can i train"),
    ("pregnancy-contraindications", "i have a stitch in my cervix"),
    ("calf-clot", "one calf is swollen and hot"),
    ("calf-clot", "swollen lower leg after the flight"),
    ("wound-infection", "my c section scar is oozing and red"),
    ("muscle-tear", "felt a pop in my hamstring, now big bruise and i limp"),
]

ORDINARY = [
    "the outside of my hip throbs when i balance on one leg",
    "knees kill when i jog, would hip work help",
    "is my thigh muscle growing or is it just swelling",
    "my legs are killing me after squats, is that good",
    "i'm dying on the bulgarian split squats lol",
    "what is rhabdo?",
    "can squats cause a herniated disc?",
    "What are the red flags for back pain I should screen for?",
    "i cant feel my glutes working in hip thrusts",
    "sore glutes two days after training, train again?",
    "no numbness, no bladder problems, just a stiff back",
    "can't walk down the stairs after leg day haha",
    "does creatine make you pee more",
    "is chest day before leg day fine",
    "how do i lose weight without losing my glutes",
    "i fell in love with hip thrusts",
    "how do I avoid rhabdo when starting crossfit?",
    "without chest pain or dizziness, how hard can i push?",
]

CAUTIONS = [
    ("pregnancy", "can i hip thrust while pregnant"),
    ("after-birth", "6 months post partum, when can i squat"),
    ("surgery", "had knee surgery last year, is squatting ok"),
    ("hip-replacement", "can i do lunges after a hip replacement"),
    ("tendon", "exercises for gluteal tendinopathy"),
    ("osteoarthritis", "which glute exercises suit hip osteoarthritis"),
    ("disc-or-nerve", "can i deadlift with a slipped disc"),
    ("medical-condition", "i take beta blockers, can i lift heavy"),
    ("ongoing-pain", "my lower back has hurt for months, are RDLs ok"),
    ("ongoing-pain", "front of my kneecap hurts on stairs"),
    ("tendon", "my sit bone has been sore for four months"),
]


@pytest.mark.parametrize(("rule", "text"), WARNINGS)
def test_warning_signs_are_referred(rule: str, text: str) -> None:
    safety = assess(Question(text))
    assert safety is not None
    assert safety.level == "see_a_clinician"
    assert safety.rule == rule
    assert safety.references or rule in UNSOURCED
    assert "999" in safety.message


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_talk_is_not_referred(text: str) -> None:
    safety = assess(Question(text))
    assert safety is None or safety.level == "caution"


@pytest.mark.parametrize(("rule", "text"), CAUTIONS)
def test_conditions_get_their_own_caution(rule: str, text: str) -> None:
    safety = assess(Question(text))
    assert safety is not None
    assert (safety.level, safety.rule) == ("caution", rule)


def test_an_account_goes_on_from_an_earlier_turn() -> None:
    history = (Turn("user", "my back went on monday"), Turn("assistant", "Rest it."))
    safety = assess(Question("and since then i also can't pee", history))
    assert safety is not None
    assert safety.rule == "cauda-equina"
    pregnant = (Turn("user", "im 28 weeks pregnant, is lifting ok?"),)
    later = assess(Question("and now i have a headache too", pregnant))
    assert later is not None
    assert later.rule == "pregnancy-warning-signs"


def test_the_assistants_words_never_raise_an_alarm() -> None:
    history = (Turn("assistant", "See a doctor for chest pain or dark urine."),)
    assert assess(Question("ok and how heavy should it be", history)) is None


def test_an_old_sign_does_not_fire_again_on_another_subject() -> None:
    history = (Turn("user", "chest pain when squatting"), Turn("assistant", "Call 999."))
    assert assess(Question("how much protein do i need", history)) is None


def test_rules_name_known_concepts_and_say_what_to_do() -> None:
    raw = yaml_file()
    names = set(raw["concepts"])
    assert set(raw["context"]) <= names
    for rule in raw["rules"]:
        for pattern in rule["patterns"]:
            words = set(re.findall(r"[a-z_]+", pattern)) - {"unless"}
            assert words <= names, (rule["id"], words - names)
        if rule["level"] == "see_a_clinician":
            assert rule["urgency"]
            assert rule["references"] or rule["id"] in UNSOURCED
            assert "your local emergency" in " ".join(rule["message"].split())


def levels(name: str) -> list[tuple[str, str | None]]:
    """Each question of a set with the level it gets."""
    found = []
    for line in (QUESTIONS / f"{name}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        history = tuple(Turn(t["role"], t["content"]) for t in row.get("history", ()))
        safety = assess(Question(row["question"], history))
        found.append((row["question"], safety.level if safety else None))
    return found


@pytest.mark.parametrize("number", ["", "-2", "-3", "-4"])
def test_every_warning_sign_of_a_set_is_referred(number: str) -> None:
    found = levels(f"warning-signs{number}")
    assert len(found) >= 40
    assert [text for text, level in found if level != "see_a_clinician"] == []


@pytest.mark.parametrize("number", ["", "-2", "-3", "-4"])
def test_few_ordinary_questions_of_a_set_are_referred(number: str) -> None:
    found = levels(f"ordinary{number}")
    assert len(found) >= 40
    alarms = [text for text, level in found if level == "see_a_clinician"]
    assert len(alarms) <= 0.03 * len(found), alarms


@pytest.mark.parametrize(
    "text",
    [
        "Leg press vs knee extension MRI trial: glute max growth",
        "if im not sore after did i waste my workout",
        "do prospective cohorts agree weak hip abductors raise ACL risk",
        "how much do glute implants cost",
    ],
)
def test_study_and_plain_training_questions_carry_no_safety_note(text: str) -> None:
    assert assess(Question(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "sharp groin pain at rest for three weeks and it wakes me at night",
        "client says she cannot feel herself wipe since her back went",
        "client says her pee went brown after our session",
        "client says the baby has been very quiet since yesterday, she is 31 weeks",
    ],
)
def test_signs_known_to_have_been_missed_are_referred(text: str) -> None:
    safety = assess(Question(text))
    assert safety is not None
    assert safety.level == "see_a_clinician"


@pytest.mark.parametrize(
    "text",
    [
        "killing my glutes with hip thrusts",
        "bit of ordinary soreness in my glutes two days after squats, train again?",
        "client says she prefers the leg press",
        "realistic numbers for glute growth in a year",
        "i saw step ups ranked number 1 for glutes",
        "my legs have left the chat lol",
    ],
)
def test_ordinary_soreness_and_jokes_get_no_safety_note(text: str) -> None:
    assert assess(Question(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "im 30 weeks pregnant, are squats safe for my baby",
        "what does placenta praevia mean for training, asking for my exam",
        "which glute exercises suit a 24 week bump",
    ],
)
def test_a_plain_question_in_pregnancy_is_not_an_alarm(text: str) -> None:
    safety = assess(Question(text))
    assert safety is None or safety.level == "caution"


UNFORESEEN = "the skin where my bike seat goes has felt like cardboard since i lifted that sofa"
"""No rule has the words for it."""


def test_the_recogniser_refers_where_no_rule_has_the_words() -> None:
    assert by_rule(Question(UNFORESEEN)) is None
    safety = assess(Question(UNFORESEEN))
    assert safety is not None
    assert (safety.level, safety.rule in {"cauda-equina", UNSURE}) == ("see_a_clinician", True)
    assert assess(Question(UNFORESEEN)) == safety


def test_a_sign_in_half_a_sentence_of_a_long_message_is_found() -> None:
    chatter = (
        "Hi there. I train four times a week and love hip thrusts. My plan has three sets of ten. "
        "How long should I rest between sets? And which shoes are best for squats?"
    )
    assert assess(Question(chatter)) is None
    safety = assess(Question(f"{chatter} Oh and {UNFORESEEN}. Also, is creatine worth it?"))
    assert safety is not None
    assert safety.level == "see_a_clinician"


def test_every_rule_that_the_recogniser_may_name_has_a_message() -> None:
    referring = {r["id"] for r in yaml_file()["rules"] if r["level"] == "see_a_clinician"}
    assert set(fitted_weights().rules) == referring - {UNSURE}
    assert UNSURE in referring


def test_the_weights_belong_to_the_committed_examples() -> None:
    assert fitted_weights().digest == digest(examples()), "run python -m tests.fit_safety"
    assert WEIGHTS.stat().st_size < 1_500_000


def small_weights() -> Weights:
    """Two features of known rarity, two rules."""
    signs = {"numb": (2.0, 1.5), "squat": (1.0, -1.0)}
    rule_weights = {"numb": (4.0, -4.0), "chest": (-4.0, 4.0)}
    return Weights("", -0.5, 0.0, signs, ("a", "b"), (0.0, 0.0), rule_weights)


def test_the_score_is_the_tf_idf_sum_of_known_features() -> None:
    weights = small_weights()
    assert likeness(weights, "numb") == pytest.approx(1.0)
    assert likeness(weights, "squats") == pytest.approx(-1.5)
    both = (2.0 * 1.5 - 1.0) / 5**0.5 - 0.5
    assert likeness(weights, "numb squat") == pytest.approx(both)
    assert likeness(weights, "words it never saw") == -0.5
    assert likeness(weights, "") == -0.5


def test_the_shares_of_the_rules_add_up_and_follow_the_words() -> None:
    for text, wanted in (("numb", 0), ("chest", 1)):
        shares = rule_shares(small_weights(), text)
        assert sum(shares) == pytest.approx(1.0)
        assert shares[wanted] > 0.9
    assert rule_shares(small_weights(), "neither") == [0.5, 0.5]


def test_features_are_stemmed_grams_pairs_and_the_turn_before() -> None:
    found = features(folded("My legs tingled. 12 reps"), folded("back pain"))
    assert {"leg", "leg tingl", "my leg tingl", "leg~tingl", "#2 rep", "h:back", "h:pain"} <= set(found)
    assert "tingl #2" not in found


@pytest.mark.parametrize("text", ["", ".", "?!?", "🙂" * 50, "a " * 900, "١٢٣ ٤"])
def test_odd_text_is_no_alarm(text: str) -> None:
    assert recognised(folded(text)) is None


@pytest.mark.parametrize(("voice", "caught", "alarms"), [(f"voice-{n}", 0.99, 0.03) for n in (1, 2, 3)])
def test_examples_are_told_apart(voice: str, caught: float, alarms: float) -> None:
    own = [e for e in examples() if e.voice == voice]
    told = {True: [0, 0], False: [0, 0]}
    for example in own:
        safety = assess(example.question)
        referred = safety is not None and safety.level == "see_a_clinician"
        told[example.rule != "none"][0] += referred
        told[example.rule != "none"][1] += 1
    assert told[True][0] >= caught * told[True][1]
    assert told[False][0] <= alarms * told[False][1]


def test_every_reference_of_a_rule_is_in_the_library() -> None:
    library = Path(__file__).parent.parent / "corpus" / "references"
    cited = {name for rule in yaml_file()["rules"] for name in rule["references"]}
    assert [name for name in sorted(cited) if not (library / f"{name}.md").exists()] == []
