"""Answers as Markdown and as JSON. Knows nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from rag.types import Answer, AnswerSentence, Citation, Hit, Reference

# What CommonMark would act on inside a line: escapes, code, emphasis, brackets, tags, entities;
# at its start: headings, quotes and lists.
_MARKUP = re.compile(
    r"[\\\\`*\[\]~$]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|^(?:[#>+-]|\d+(?=[.)]\s))"
)

LEADS = {
    "limits": "**What limits this:** ",
    "disagreement": "**Studies differ:** ",
    "related": "**Related:** ",
}
"""Words before the paragraph of a part."""


TABLE = "table"
"""The part whose sentences are the fields of things side by side: lines "Name: value."."""

_FIELD = re.compile(r"^([^:\n]+): (.+)\.$", re.MULTILINE)

SUGGESTIONS = "suggestions"
"""The part of a refusal that names the very questions of its follow-ups."""


def answer_text(answer: Answer) -> str:
    """The answer as Markdown: a paragraph a part, every sentence followed by its markers."""
    paragraphs: list[str] = []
    for part, sentences in groupby(answer.sentences, key=lambda s: s.part):
        if part == TABLE:
            paragraphs.append(fields_table(list(sentences)))
        else:
            text = " ".join(marked(s) for s in sentences)
            paragraphs.append(LEADS.get(part, "") + text)
    return "\n\n".join(paragraphs)


def fields_table(sides: Sequence[AnswerSentence]) -> str:
    """A Markdown table, a column a side: its first field heads it, the others follow where they differ."""
    fields = [dict(_FIELD.findall(side.text)) for side in sides]
    corner, *rows = differing(side.text for side in sides)
    heads = [f"{_cell(f[corner])} {markers(s)}" for f, s in zip(fields, sides, strict=True)]
    lines = [(_cell(corner), *heads), ("---",) * (1 + len(sides))]
    lines += [(_cell(name), *(_cell(f[name]) for f in fields)) for name in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (" | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(f"| {line} |" for line in padded)


def differing(texts: Iterable[str]) -> list[str]:
    """The fields, lines "Name: value.", that all texts have and that are not the same in all.

    The first of them names the things; empty where nothing else differs.
    """
    fields = [dict(_FIELD.findall(text)) for text in texts]
    shared = [name for name in (fields[0] if fields else ()) if all(name in f for f in fields)]
    found = [name for name in shared if len({f[name] for f in fields}) > 1]
    return found if len(found) > 1 else []


def _cell(text: str) -> str:
    return escaped(text).replace("|", "\\|")


def text_beside_follow_ups(answer: Answer) -> str:
    """The answer's Markdown for where its follow-ups stand below it: each question once."""
    rest = tuple(s for s in answer.sentences if s.part != SUGGESTIONS)
    said = len(rest) == len(answer.sentences) or not answer.follow_ups
    return answer.text if said else answer_text(replace(answer, sentences=rest))


def marked(sentence: AnswerSentence) -> str:
    """A sentence with its markers: "… about equally. [1][2]"."""
    text = escaped(sentence.text)
    return f"{text} {markers(sentence)}" if sentence.citations else text


def markers(sentence: AnswerSentence) -> str:
    return "".join(f"[{n}]" for n in sentence.citations)


def escaped(text: str) -> str:
    """Untrusted text inside Markdown: no markup, no HTML, and no "[3]" of an article's own."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer in the shape that the outside relies on (see the README's API section)."""
    safety = answer.safety
    return {
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "status": answer.status,
        "safety": {"level": safety.level, "message": safety.message} if safety else None,
        "mode": answer.mode,
        "audience": answer.audience,
        "notice": answer.notice,
        "text": answer.text,
        "sentences": [
            {"text": s.text, "citations": list(s.citations), "verdict": s.verdict, "part": s.part}
            for s in answer.sentences
        ],
        "citations": [citation_json(c) for c in answer.citations],
        "follow_ups": list(answer.follow_ups),
        "timing_ms": dict(answer.timing_ms),
    }


def citation_json(citation: Citation) -> dict[str, Any]:
    passage = citation.passage
    return {
        "marker": citation.marker,
        "passage_id": passage.id,
        "source_id": passage.source_id,
        "source_kind": passage.source_kind,
        "title": passage.title,
        "section": passage.section,
        "url": passage.url,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "references": [reference_json(r) for r in citation.references],
    }


def reference_json(reference: Reference) -> dict[str, Any]:
    return {
        "id": reference.id,
        "label": reference.label,
        "title": reference.title,
        "year": reference.year,
        "kind": reference.kind,
        "doi": reference.doi,
        "url": reference.url,
        "status": reference.status,
        "population": reference.population,
        "sample_size": reference.sample_size,
    }


def hit_json(hit: Hit, references: Iterable[Reference]) -> dict[str, Any]:
    """A search result: the whole passage, its score, and the references it cites."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "passage_id": passage.id,
        "source_id": passage.source_id,
        "source_kind": passage.source_kind,
        "title": passage.title,
        "section": passage.section,
        "url": passage.url,
        "text": passage.text,
        "references": [reference_json(r) for r in references],
    }
