"""What is said where nothing is quoted, and what to ask next. Pure.

These lines claim nothing about training: they say what the assistant can do, and name questions
that the corpus answers, which are its sections' own headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.language import is_foreign
from rag.lexicon import stems_of
from rag.rendering import SUGGESTIONS, answer_text
from rag.retrieval import HybridRetriever
from rag.types import Answer, AnswerSentence, Hit

if TYPE_CHECKING:
    from rag.answering import Findings

FOLLOW_UPS = 3

SAME_WORDS = 0.75
"""Share of two questions' stems, of all that either has, from which one repeats the other."""

_GREETING = re.compile(
    r"^(?:hi+|hello+|hey+|hiya|yo|good (?:morning|afternoon|evening)|howdy|sup|what'?s up)\b", re.IGNORECASE
)
_THANKS = re.compile(
    r"^(?:ok(?:ay)?[ ,!.]*)?(?:thanks?|thank you|thx|ty|cheers|great|awesome|perfect|cool|nice|brilliant|lovely|got it|bye|goodbye|see you)\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"\b(?:who|what) are you\b|\bare you (?:a |an )?(?:human|real|bot|robot|ai|chatgpt)\b", re.IGNORECASE)


def refusal(retriever: HybridRetriever, findings: Findings) -> Answer:
    """An answer that claims nothing and cites nothing, and says what can be asked instead."""
    nearest = _near_questions(findings.evidence, findings.question.audience)[:FOLLOW_UPS]
    if is_foreign(findings.question.text, retriever.library.lexicon):
        line = (
            "I answer in English only, as the articles and studies I quote are in English, and I "
            "may misread other languages. Please ask me again in English."
        )
    elif findings.status == "not_found":
        line = (
            "I could not find an answer to that in the articles and studies I work from, so I will "
            "not guess."
        )
    else:
        line = _friendly(findings.question.text)
    if findings.status == "out_of_scope" and not findings.query.entities:
        nearest = _openers(retriever)
    told = [AnswerSentence(line, (), "notice", part="notice")]
    if nearest:
        offer = "You could ask me: " + " · ".join(nearest)
        told.append(AnswerSentence(offer, (), "notice", part=SUGGESTIONS))
    answer = Answer(
        question=findings.question.text,
        standalone_question=findings.standalone,
        status=findings.status,
        mode="quote",
        audience=findings.question.audience,
        text="",
        sentences=tuple(told),
        safety=findings.safety,
        follow_ups=tuple(nearest),
    )
    return replace(answer, text=answer_text(answer))


def follow_ups_of(findings: Findings) -> tuple[str, ...]:
    """Questions near this one that other sections answer.

    None that the user asked already, and none whose section was quoted, now or earlier.
    """
    question = findings.question
    used = {c.hit.passage.id for c in findings.chosen}
    told = " ".join(t.content for t in question.history if t.role == "assistant")
    rest = [h for h in findings.evidence if h.passage.id not in used and not _told(h, told)]
    asked = [findings.standalone, question.text, *(c.hit.passage.section for c in findings.chosen)]
    asked += [t.content for t in question.history if t.role == "user"]
    near = _near_questions(rest, question.audience)
    return tuple([q for q in near if not any(_same(q, a) for a in asked)][:FOLLOW_UPS])


def _told(hit: Hit, told: str) -> bool:
    """Whether a sentence of the passage stands in what was said before."""
    passage = hit.passage
    return any(passage.sentence(n) in told for n in range(len(passage.sentences)))


def _same(one: str, other: str) -> bool:
    """Whether two questions ask the same in nearly the same words."""
    a, b = set(stems_of(one)), set(stems_of(other))
    return len(a & b) >= SAME_WORDS * len(a | b)


def _near_questions(hits: Iterable[Hit], audience: str) -> list[str]:
    found: list[str] = []
    for hit in hits:
        heading = hit.passage.section
        if hit.passage.audience == "trainer":
            heading = re.sub(r"^for trainers:\s*", "", heading, flags=re.IGNORECASE)
            if audience != "trainer":
                continue
        if heading.endswith("?") and heading not in found:
            found.append(heading[0].upper() + heading[1:])
    return found


def _openers(retriever: HybridRetriever) -> list[str]:
    """Three of the corpus's own questions, one an article, evenly over the shelf."""
    firsts: dict[str, str] = {}
    for passage in retriever.library.passages:
        if passage.source_kind == "article" and passage.section.endswith("?"):
            firsts.setdefault(passage.source_id, passage.section)
    questions = list(firsts.values())
    step = max(1, len(questions) // FOLLOW_UPS)
    return questions[::step][:FOLLOW_UPS]


def _friendly(text: str) -> str:
    scope = "glute training: exercises, programmes, the evidence behind them, and aches that come with them"
    if _GREETING.match(text):
        return f"Hello! I answer questions about {scope}."
    if _THANKS.match(text):
        return "You are welcome! Ask me anything else about glute training."
    if _WHO.search(text):
        return f"I am Glute Coach, a program that quotes articles and studies. I answer questions about {scope}."
    return f"That is outside what I know. I answer questions about {scope}."
