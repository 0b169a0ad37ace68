"""An answer as pieces of Markdown for the chat page. Pure; everything untrusted is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from rag.rendering import escaped, text_beside_follow_ups
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
    parts.append(linked(text_beside_follow_ups(answer), answer.citations))
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


def folded_sources(answer: Answer) -> str:
    """What the answer rests on, folded away: a list for clients, a table of studies for trainers."""
    if not answer.citations:
        return ""
    if answer.audience == "trainer":
        return _folded("The evidence", evidence_table(answer.citations))
    count = len(answer.citations)
    title = "1 source" if count == 1 else f"{count} sources"
    return _folded(title, sources_markdown(answer.citations))


def sources_markdown(citations: Iterable[Citation]) -> str:
    """A numbered list of what the answer rests on, each line opening its quote."""
    return "\n".join(_source_line(c) for c in citations)


def _folded(title: str, markdown: str) -> str:
    # The only HTML of the page's Markdown. The blank lines let what is between be Markdown again.
    return f"<details><summary>{title}</summary>\n\n{markdown}\n\n</details>"


def evidence_table(citations: Iterable[Citation]) -> str:
    """A Markdown table, a row a study (or a source without one): markers, study, design, people."""
    rows: dict[str, tuple[str, str, str]] = {}
    markers: dict[str, list[str]] = {}
    for citation in citations:
        for key, row in _evidence(citation):
            rows.setdefault(key, row)
            markers.setdefault(key, []).append(f"[{citation.marker}]({address(citation)})")
    lines = [" | ".join((" ".join(markers[key]), *row)) for key, row in rows.items()]
    head = ["Nr | Study | Design | People", "--- | --- | --- | ---"]
    return "\n".join(f"| {line} |" for line in [*head, *lines])


def _evidence(citation: Citation) -> Iterable[tuple[str, tuple[str, str, str]]]:
    if not citation.references:
        title = plain(source_name(citation))
        yield citation.passage.source_id, (_cell(title), citation.passage.source_kind, "")
    for reference in citation.references:
        label = plain(reference.label)
        study = f"[{label}](https://doi.org/{quote(reference.doi, safe='/.;-_')})" if reference.doi else label
        if reference.status in _STATUS_WORDS:
            study += f" **{_STATUS_WORDS[reference.status]}**"
        people = _people(reference)
        yield reference.id, (_cell(study), _cell(kind_name(reference.kind)), _cell(people))


def _people(reference: Reference) -> str:
    """Who was studied, led by how many unless the words say it already."""
    size = f"{reference.sample_size:,}" if reference.sample_size else ""
    said = size in reference.population or str(reference.sample_size) in reference.population
    return ": ".join(part for part in ("" if said else size, plain(reference.population)) if part)


def _cell(markdown: str) -> str:
    return markdown.replace("|", "&#124;")


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
