"""Stand-ins for the roles at the edges: small, exact, and with a record of what was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from rag.rendering import SUGGESTIONS, answer_text
from rag.types import (
    Answer,
    AnswerSentence,
    Citation,
    Event,
    Final,
    Hit,
    Mention,
    Passage,
    Question,
    Reference,
    Safety,
    SourceKind,
    Sources,
    Token,
)

STUDY = Reference(
    id="plotkin-2023-squat-vs-thrust",
    label="Plotkin et al., 2023",
    title="Hip thrust and back squat training elicit similar gluteus muscle hypertrophy",
    year=2023,
    kind="rct",
    doi="10.3389/fphys.2023.1279170",
    population="untrained adults",
    sample_size=34,
    csl={
        "id": "plotkin-2023-squat-vs-thrust",
        "type": "article-journal",
        "title": "Hip thrust and back squat training elicit similar gluteus muscle hypertrophy",
        "author": [{"family": "Plotkin", "given": "Daniel L."}],
        "issued": {"date-parts": [[2023]]},
        "container-title": "Frontiers in Physiology",
        "DOI": "10.3389/fphys.2023.1279170",
    },
)
QUOTE = "Over nine weeks the gluteus maximus grew about equally in both groups."
_TEXT = f"Both lifts train the hips. 🍑 {QUOTE} The squat grew the thighs more <b>too</b>."
_START = _TEXT.index(QUOTE)
PASSAGE = Passage(
    id="articles/thrust-or-squat#growth:0",
    source_id="thrust-or-squat",
    source_kind="article",
    title="Hip thrust or squat?",
    section="Growth",
    position=0,
    text=_TEXT,
    sentences=((0, 26), (27, 28), (_START, _START + len(QUOTE)), (_START + len(QUOTE) + 1, len(_TEXT))),
    mentions=(Mention(_START + len(QUOTE), (STUDY.id,)),),
    url="https://blog.example/thrust-or-squat",
)


class FakeCoach:
    """Answers every question from one passage; words in the question choose special answers.

    "knee pain" adds a safety notice, "weather" is out of scope, "broken" fails half-way.
    """

    def __init__(self, passage: Passage = PASSAGE, *, is_ready: bool = True) -> None:
        self.asked: list[Question] = []
        self._passage = passage
        self._ready = is_ready

    def answer(self, question: Question) -> Answer:
        *_, final = self.stream(question)
        assert isinstance(final, Final)
        return final.answer

    def stream(self, question: Question) -> Iterator[Event]:
        self.asked.append(question)
        answer = self._answer(question)
        yield Sources(answer.citations)
        words = answer.text.split(" ")
        for number, word in enumerate(words):
            if "broken" in question.text and number == 2:
                raise RuntimeError("a secret detail")
            yield Token(word if number == 0 else " " + word)
        yield Final(answer)

    def search(self, query: str, *, k: int = 10, kind: SourceKind | None = None) -> list[Hit]:
        wanted = kind is None or kind == self._passage.source_kind
        return [Hit(self._passage, 0.75, 1)][:k] if wanted else []

    def passage(self, passage_id: str) -> Passage | None:
        return self._passage if passage_id == self._passage.id else None

    def reference(self, reference_id: str) -> Reference | None:
        return STUDY if reference_id == STUDY.id else None

    def references_of(self, passage: Passage, start: int, end: int) -> tuple[Reference, ...]:
        return (STUDY,) if any(start < m.offset <= end for m in passage.mentions) else ()

    def ready(self) -> bool:
        return self._ready

    def status(self) -> dict[str, object]:
        return {"passages": 1}

    def _answer(self, question: Question) -> Answer:
        blank = Answer(
            question.text, question.text, "answered", "quote", question.audience, "",
            follow_ups=("How many sets a week?",), timing_ms={"total": 1.0},
        )  # fmt: skip
        if "weather" in question.text:
            words = "I only know about glute training."
            offer = "You could ask me: How many sets a week?"
            told = (AnswerSentence(words, (), "notice"), AnswerSentence(offer, (), "notice", part=SUGGESTIONS))
            said = replace(blank, status="out_of_scope", sentences=told)
            return replace(said, text=answer_text(said))
        passage = self._passage
        start, end = passage.sentences[-2]
        citation = Citation(1, passage, start, end, self.references_of(passage, start, end))
        said = replace(
            blank,
            sentences=(AnswerSentence(citation.quote, (1,), "quote"),),
            citations=(citation,),
            safety=Safety("see_a_clinician", "Pain at rest needs a look first.")
            if "knee pain" in question.text
            else None,
        )
        return replace(said, text=answer_text(said))


class HeldCoach(FakeCoach):
    """Streams its first piece, then waits until `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def stream(self, question: Question) -> Iterator[Event]:
        for event in super().stream(question):
            yield event
            if isinstance(event, Token):
                self.release.wait(30)
