"""Follow-ups carry over what they lack; a change of topic carries nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.answering import Coach, nearness_of
from rag.conversation import Standalone, exchanges_of, standalone
from rag.lexicon import Lexicon
from rag.question import parse_question
from rag.types import Answer, Exercise, Question, Turn

LEXICON = Lexicon(
    [
        Exercise("barbell-hip-thrust", "Barbell hip thrust", ("hip thrust", "thrusts"), {}),
        Exercise("romanian-deadlift", "Romanian deadlift", ("RDL",), {}),
        Exercise("back-squat", "Back squat", ("squat",), {}),
    ],
    dict.fromkeys(["weight", "min", "short", "beginners", "result"], 9),
)


def turns(*said: str) -> tuple[Turn, ...]:
    """What the user and the assistant said by turns."""
    roles = ("user", "assistant")
    return tuple(Turn(roles[n % 2], text) for n, text in enumerate(said))  # type: ignore[arg-type]


def unhelpful(texts: Sequence[str]) -> list[tuple[float, str]]:
    """A corpus that is near nothing and far from nothing: only the wording can tell."""
    return [(0.6, text) for text in texts]


def resolved(text: str, *said: str) -> str:
    """As people read it, `text` after turns of the user and the assistant."""
    return standalone(Question(text, turns(*said)), LEXICON, unhelpful).text


THRUSTS = ("are hip thrusts good for glutes?", "Yes, they are.")


@pytest.mark.parametrize(
    "text",
    ["how heavy?", "and how often then", "how many of them should i do", "is that enough?", "why?",
     "and for beginners?", "which is better?", "do they hurt the back", "whyy not tho", "even without weight?",
     "so is 1 min too short", "by how much", "in whom?"],
)  # fmt: skip
def test_a_follow_up_carries_the_exercise(text: str) -> None:
    assert "hip thrust" in resolved(text, *THRUSTS)


def test_a_new_exercise_takes_the_old_ones_place_in_the_question() -> None:
    assert resolved("what about RDLs?", *THRUSTS) == "what about RDLs? (are RDLs good for glutes)"


def test_a_swap_without_a_counterpart_keeps_the_whole_question() -> None:
    said = ("does exercise order matter?", "For muscle size, order makes no real difference.")
    assert resolved("what about getting stronger", *said).endswith("(does exercise order matter)")


def test_chains_resolve_through_earlier_turns() -> None:
    answer = resolved("how heavy?", *THRUSTS, "what about RDLs?", "Also good.")
    assert answer == "how heavy? (are RDLs good for glutes)"


def test_of_a_long_chain_its_start_and_its_newest_follow_up_are_kept() -> None:
    said = (*THRUSTS, "how often?", "Twice.", "and how many then?", "Three.")
    assert resolved("why?", *said) == "why? (are hip thrusts good for glutes: how many then)"


@pytest.mark.parametrize(
    "text",
    ["totally different thing, is creatine safe",
     "Does sitting all day switch your glutes off?", "thanks!", "never mind that. do i squat deep",
     "is it ok to train with a cold every winter", "what is the capital of France?", "who are you",
     "my dad is 75, how often should he lift heavy weights", "Setting that aside, is creatine safe?",
     "On to something else: does it matter?", "tell me a joke"],
)  # fmt: skip
def test_a_new_topic_carries_nothing(text: str) -> None:
    assert resolved(text, *THRUSTS) == text


@pytest.mark.parametrize(
    ("text", "searched"),
    [("right, different thing. where does the band go", "where does the band go"),
     ("Different client now: 70-year-old woman. What dose?", "70-year-old woman. What dose?"),
     ("never mind that. do i squat deep", "do i squat deep"),
     ("is there another question?", "is there another question?")],
)  # fmt: skip
def test_the_announcement_of_a_new_topic_is_not_searched(text: str, searched: str) -> None:
    asked = standalone(Question(text, turns(*THRUSTS)), LEXICON, unhelpful)
    assert asked == Standalone(text, searched)


@pytest.mark.timeout(20)  # it took over a minute when the pattern went back over the word again and again
def test_one_long_word_is_read_once() -> None:
    assert resolved("a" * 2000) == "a" * 2000


def test_without_history_the_text_is_unchanged() -> None:
    asked = standalone(Question("How heavy?"), LEXICON, unhelpful)
    assert asked == Standalone("How heavy?", "How heavy?")


@pytest.mark.parametrize(
    "text", ["n?", "CI?", "whats the effect size", "easier one?", "at home?", "no sorry i meant the floor one", "protocol?"]
)
def test_scraps_and_corrections_lean(text: str) -> None:
    assert "thrust" in resolved(text, *THRUSTS)


def test_chat_in_between_does_not_lose_the_topic() -> None:
    assert "thrust" in resolved("how heavy?", *THRUSTS, "ok thanks", "You're welcome.")


def test_the_newest_topic_wins_until_an_older_one_is_named() -> None:
    said = ("how deep should i squat", "Deep.", "how much creatine should i take every day", "3 to 5 g.")
    assert resolved("why?", *said) == "why? (how much creatine should i take every day)"
    back = resolved("back to the squats, how heavy?", *said)
    assert back.endswith("(how deep should i squat)")


def test_a_reply_is_searched_with_its_question_but_not_shown() -> None:
    said = turns("best study on glute growth?", "Plotkin et al. 2023 [1] compared **two lifts**.")
    asked = standalone(Question("how many people was that tested on", said), LEXICON, unhelpful)
    assert asked.text == "how many people was that tested on? (best study on glute growth)"
    assert "(Plotkin et al 2023 compared two lifts" in asked.searched


def test_replies_to_small_talk_are_no_context() -> None:
    (kept,) = exchanges_of(turns(*THRUSTS, "thanks!", "You are welcome! Ask me anything."))
    assert (kept.said, kept.reply) == THRUSTS


@pytest.mark.parametrize(("alone", "carries"), [(0.9, False), (0.45, True)])
def test_evidence_decides_where_wording_does_not(alone: float, carries: bool) -> None:
    """The same words stand alone where the corpus is asked just that, and lean where it is not."""

    def nearness(texts: Sequence[str]) -> list[tuple[float, str]]:
        return [(0.75 if "(" in t else alone, t) for t in texts]

    said = turns("does exercise help hip arthritis", "It eases pain a little.")
    asked = standalone(Question("how long until a result", said), LEXICON, nearness)
    assert ("arthritis" in asked.searched) == carries


# ------------------------------------------------------------------ on the repository's index

TALKS = [
    ("how many weekly sets for hypertrophy?", "does proximity to failure matter?"),
    ("are hip thrusts better than squats for glutes", "in whom?"),
    ("how much protein do i need", "and per meal?"),
    ("what is gluteal tendinopathy", "who gets it mostly"),
    ("is creatine safe", "how much of it"),
]


def talk(coach: Coach, asked: Sequence[str]) -> list[Answer]:
    """The answers to questions asked one after another."""
    history: list[dict[str, str]] = []
    answers = []
    for text in asked:
        answers.append(coach.answer(parse_question(text, history)))
        history += [{"role": "user", "content": text}, {"role": "assistant", "content": answers[-1].text}]
    return answers


@pytest.fixture(scope="module")
def talks(coach: Coach) -> list[list[Answer]]:
    return [talk(coach, asked) for asked in TALKS]


def test_follow_ups_of_real_answers_are_answered(talks: list[list[Answer]]) -> None:
    assert [a.status for answers in talks for a in answers] == ["answered"] * 2 * len(TALKS)


def test_suggested_questions_are_answered_when_asked(
    coach: Coach, talks: list[list[Answer]]
) -> None:
    suggested = {q for answers in talks for a in answers for q in a.follow_ups}
    assert len(suggested) >= 15
    unanswered = [q for q in suggested if coach.answer(Question(q)).status != "answered"]
    assert unanswered == []


def test_suggestions_repeat_nothing_of_the_conversation(
    coach: Coach, talks: list[list[Answer]]
) -> None:
    for asked, answers in zip(TALKS, talks, strict=True):
        told = {c.passage.section for a in answers for c in a.citations}
        assert not told & set(answers[-1].follow_ups), asked
    first = coach.answer(Question(TALKS[0][0]))
    taken = first.follow_ups[0]
    _, second = talk(coach, [TALKS[0][0], taken])
    assert taken not in second.follow_ups


def test_a_corpus_question_stands_alone_after_any_other(coach: Coach) -> None:
    library = coach.retriever().library
    headings = [p.section for p in library.passages if p.source_kind == "article" and p.section.endswith("?")]
    nearness = nearness_of(coach.retriever())
    history = turns("how much creatine do i take", "3 to 5 g a day.")
    sample = [h for h in dict.fromkeys(headings) if "reatine" not in h][::15]
    carried = [
        h for h in sample if standalone(Question(h, history), library.lexicon, nearness).text != h
    ]
    assert len(sample) > 15
    assert len(carried) <= len(sample) * 0.1, carried
