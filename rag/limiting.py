"""What limits the study that an answer leans on, for readers who weigh evidence. Pure.

Every digest of a study has a section of limits. A trainer is told the one that matters most for
the question, even where retrieval did not bring it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rag.library import Library, references_of
from rag.quoting import Candidate, Query, is_of_the_record, is_repeated
from rag.types import Hit


def with_limits(library: Library, query: Query, chosen: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The chosen sentences, and for a trainer a limit of the study behind the first of them."""
    answer = [c for c in chosen if not c.related]
    study = _main_study(answer)
    if query.audience != "trainer" or study is None or any(_limits(c, study) for c in answer):
        return tuple(chosen)
    limits = [c for c in _sentences(library, query, study) if not any(is_repeated(c, o) for o in chosen)]
    best = max(limits, key=lambda c: (c.worth, -c.number), default=None)
    return (*answer, *([best] if best else []), *chosen[len(answer) :])


def _main_study(answer: Sequence[Candidate]) -> str | None:
    """The study that the direct answer rests on; of several, the one that its passage cites most."""
    direct = next((c for c in answer if c.references), None)
    if direct is None:
        return None
    cited = Counter(r.id for c in answer if c.hit is direct.hit for r in c.references)
    sound = [r.id for r in direct.references if r.status == "ok"]
    return max(sound, key=cited.__getitem__, default=None)


def _limits(candidate: Candidate, study: str) -> bool:
    passage = candidate.hit.passage
    return passage.role == "limits" and passage.source_id == study


def _sentences(library: Library, query: Query, study: str) -> list[Candidate]:
    """The limits of a study, each worth what it has to do with the question."""
    found = []
    for row in library.study_rows.get(study, ()):
        passage = library.passages[row]
        if passage.role != "limits" or passage.source_id != study:
            continue
        for number, vector in enumerate(library.sentence_rows(row)):
            if not is_of_the_record(passage.sentence(number)):
                references = references_of(library, passage, *passage.sentences[number])
                worth = float(vector @ query.vector)
                found.append(Candidate(Hit(passage, 0.0, 0), number, worth, vector, references))
    return found
