"""An answer as pieces of Markdown for the chat page. Pure; everything untrusted is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from rag.rendering import escaped
from rag.types import Answer, Citation, Reference

# Besides markers: escapes (left alone), and all that could become HTML, a link or an address that
# the page's Markdown would make clickable by itself.
_PIECE = re.compile(
    r"\\.|\[(\d{1,3})\]|[<>\[\]@]|&(?=[#\w])|:(?=//)|(?<=www)\.", re.DOTALL | re.IGNORECASE
)
_OPENING = {
    "see_a_clinician": "Please see a clinician first.",
    "caution": "Please take care.",
}
_STATUS_WORDS = {"retracted": "retracted", "concern": "under an expression of concern"}


def answer_markdown(answer: Answer) -> str:
    """Safety first, then what is special about the answer, then the answer itself."""
    parts = []
    if answer.safety is not None:
        opening = _OPENING[answer.safety.level]
        parts.append(f"> **{opening}** {plain(answer.safety.message)}")
    if answer.notice:
        parts.append(f"*{plain(answer.notice)}*")
    parts.append(linked(answer.text, answer.citations))
    return "\n\n".join(part for part in parts if part.strip())


def linked(text: str, citations: Iterable[Citation]) -> str:
    """Markdown in which each known marker opens its citation and nothing else is a link or HTML."""
    by_marker = {c.marker: c for c in citations}

    def replaced(match: re.Match[str]) -> str:
        piece = match.group()
        if match.group(1) and (citation := by_marker.get(int(match.group(1)))):
            title = _one_line(f"Source {citation.marker}: {source_name(citation)}")
            return f'[{citation.marker}]({address(citation)} "{title}")'
        if piece.startswith("\\"):
            return piece
        if match.group(1):
            return f"\\[{match.group(1)}\\]"
        return {"<": "&lt;", ">": ">", "&": "&amp;"}.get(piece, "\\" + piece)

    return _PIECE.sub(replaced, text)


def plain(text: str) -> str:
    """Text that shows as it is written, whatever signs it holds."""
    return linked(escaped(text), ())


def address(citation: Citation) -> str:
    """The in-page address that the page's script opens: passage id and offsets."""
    passage = quote(citation.passage.id, safe="")
    return f"#cite={passage}:{citation.start}:{citation.end}"


def source_name(citation: Citation) -> str:
    """What a reader would call the source: the study, else title and section."""
    if citation.references:
        return "; ".join(r.label for r in citation.references)
    passage = citation.passage
    return f"{passage.title}, {passage.section}" if passage.section else passage.title


def sources_markdown(citations: Iterable[Citation]) -> str:
    """A numbered list of what the answer rests on, each line opening its quote."""
    return "\n".join(_source_line(c) for c in citations)


def _source_line(citation: Citation) -> str:
    passage = citation.passage
    place = " · ".join(plain(words) for words in (passage.title, passage.section) if words)
    studies = "; ".join(_study(r) for r in citation.references)
    line = f"- [{citation.marker}]({address(citation)}) {place}"
    return f"{line} — {studies}" if studies else line


def _study(reference: Reference) -> str:
    facts = [kind_name(reference.kind)] if reference.kind else []
    if reference.status in _STATUS_WORDS:
        facts.append(f"**{_STATUS_WORDS[reference.status]}**")
    label = plain(reference.label)
    return f"{label} ({', '.join(facts)})" if facts else label


def kind_name(kind: str) -> str:
    """The design in words: "rct" → "RCT", "systematic-review" → "systematic review"."""
    short = {"rct": "RCT", "emg": "EMG study", "mri": "MRI study"}
    return short.get(kind, plain(kind.replace("-", " ").replace("_", " ")))


def _one_line(text: str) -> str:
    """Text for a Markdown link's title, which ends at a double quote."""
    return escaped(text.replace('"', "'"))
