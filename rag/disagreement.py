"""Shows that studies differ: for what an answer cites, the evidence that points another way. Pure.

A reference's front matter names the studies that disagree with it and about what
(`disagrees_with`). Where an answer rests on one side and the question touches the point, the
other side's best sentence joins the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.lexicon import stems_of
from rag.library import Library, references_of
from rag.quoting import SAME, Candidate, Query
from rag.relevance import coverage, rarity, ways_of_asking
from rag.types import Hit, Passage

ABOUT = 0.5
"""Share, by rarity, of the point's words that the question and the leading heading must have."""

ON_POINT = 0.4
"""Share of the point's words that the other side's sentence must have."""


@dataclass(frozen=True, slots=True)
class OtherSide:
    """A sentence for the other side, and what the sides differ about."""

    about: str
    sentence: Candidate


def other_side(
    library: Library, query: Query, chosen: Sequence[Candidate]
) -> OtherSide | None:
    """The other side of the first point on which the cited studies have one; None where none is.

    Where the chosen sentences cite both sides already, the answer shows them: None as well.
    """
    cited = {r.id for c in chosen for r in c.references}
    for about, rival in _points(library, query, chosen):
        if rival in cited:
            continue
        sentence = _best_sentence(library, query, chosen, rival, frozenset(stems_of(about)))
        if sentence:
            return OtherSide(about, sentence)
    return None


def shown_points(library: Library, query: Query, chosen: Sequence[Candidate]) -> list[str]:
    """What the studies cited by the chosen sentences differ about among themselves."""
    cited = {r.id for c in chosen for r in c.references}
    points = _points(library, query, chosen)
    return list(dict.fromkeys(about for about, rival in points if rival in cited))


def _points(
    library: Library, query: Query, chosen: Sequence[Candidate]
) -> Iterable[tuple[str, str]]:
    """(about, id of the study that disagrees) for points that the question touches."""
    asked = [query.text, *(ways_of_asking(chosen[0].hit.passage)[:2] if chosen else ())]
    for candidate in chosen:
        for reference in candidate.references:
            for entry in reference.details.get("disagrees_with") or ():
                about = str(entry.get("about", ""))
                stems = set(stems_of(about))
                named = {s for e in library.lexicon.entities(about) for s in stems_of(e.name)}
                told = coverage(stems - named or stems, asked, rarity(library))
                if stems & query.stems and told >= ABOUT:
                    yield about, str(entry.get("id", ""))


def _best_sentence(
    library: Library,
    query: Query,
    chosen: Sequence[Candidate],
    rival: str,
    about: frozenset[str],
) -> Candidate | None:
    """The sentence resting on `rival` that says most on the point; None where none is on it."""
    best: Candidate | None = None
    for row, passage in enumerate(library.passages):
        if passage.role == "limits" or not _cites(passage, rival):
            continue
        if query.audience == "client" and passage.audience == "trainer":
            continue
        for number, vector in enumerate(library.sentence_rows(row)):
            references = references_of(library, passage, *passage.sentences[number])
            if not any(r.id == rival and r.status == "ok" for r in references):
                continue
            if any(float(vector @ c.vector) >= SAME for c in chosen):
                continue
            on_point = len(about & set(stems_of(passage.sentence(number)))) / len(about)
            if on_point < ON_POINT:
                continue
            worth = float(vector @ query.vector) + on_point
            if best is None or worth > best.worth:
                hit = Hit(passage, 0.0, len(chosen) + 1)
                best = Candidate(hit, number, worth, vector, references)
    return best


def _cites(passage: Passage, reference_id: str) -> bool:
    if passage.source_kind == "reference":
        return passage.source_id == reference_id
    return any(reference_id in m.reference_ids for m in passage.mentions)
