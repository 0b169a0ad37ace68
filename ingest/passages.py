"""Document to passages: a section each, split between sentences where it is long.

Pure: what counts the embedder's word pieces is handed in. Title and heading are carried along for
retrieval by `retrieval_text`, and are never part of a passage's own text, which is what gets
quoted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from ingest.at_a_glance import at_a_glance
from ingest.corpus_files import Document
from ingest.markdown import Names, Paragraph, Section, sections_of
from ingest.sentences import sentence_spans
from rag.types import Audience, Mention, Passage, PassageRole

CountTokens = Callable[[str], int]

MAX_TOKENS = 256
"""all-MiniLM-L6-v2 stops reading here (its `sentence_bert_config.json`)."""

_TRAINERS = re.compile(r"^\s*for (?:trainers|coaches|professionals)\b", re.IGNORECASE)
_LIMITS = re.compile(r"^\s*(?:limits|limitations|caveats)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    opens_paragraph: bool
    mentions: tuple[Mention, ...]
    """Offsets count from the sentence's start."""


def passages_of(
    document: Document,
    count_tokens: CountTokens,
    max_tokens: int = MAX_TOKENS,
    names: Names = MappingProxyType({}),
) -> list[Passage]:
    """The document's passages in order; ids depend on place and content only.

    `names` says what a sentence calls each reference that it makes its subject.
    """
    passages: list[Passage] = []
    for section in sections_of(document.body, names):
        room = max_tokens - count_tokens(context_of(document.title, section.heading))
        # A heading that fills the window would leave no room for text: it then yields its place.
        room = room if room >= max_tokens // 3 else max_tokens - 2
        for group in _packed(_sentences(section), count_tokens, room):
            passages.append(_passage(document, section, group, len(passages)))
    if document.kind == "exercise" and (facts := at_a_glance(document.title, document.meta)):
        # Whole, however long: it is quoted as one, and no search is to find it.
        passages.append(_passage(document, facts, _sentences(facts), len(passages), "facts"))
    return passages


def context_of(title: str, section: str) -> str:
    """Title and heading as the embedder sees them before a passage's text."""
    return f"{title.rstrip('.?! ')}: {section}\n" if section else f"{title}\n"


def retrieval_text(passage: Passage) -> str:
    """What is embedded and indexed for a passage: title, heading, then its text."""
    return context_of(passage.title, passage.section) + passage.text


def slugify(text: str) -> str:
    """Lower-case ASCII words joined by hyphens, as WordPress writes slugs; "" for no letters."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")


def _sentences(section: Section) -> list[_Sentence]:
    found: list[_Sentence] = []
    for paragraph in section.paragraphs:
        spans = sentence_spans(paragraph.text)
        for n, (start, end) in enumerate(spans):
            until = spans[n + 1][0] if n + 1 < len(spans) else len(paragraph.text) + 1
            found.append(
                _Sentence(
                    paragraph.text[start:end],
                    n == 0,
                    _mentions_between(paragraph, start, end, until),
                )
            )
    return found


def _mentions_between(
    paragraph: Paragraph, start: int, end: int, until: int
) -> tuple[Mention, ...]:
    """Mentions of one sentence, those between it and the next included ("… grew. [@a]")."""
    inside = [m for m in paragraph.mentions if start < m.offset < until or m.offset == start == 0]
    return tuple(Mention(min(m.offset, end) - start, m.reference_ids) for m in inside)


def _packed(
    sentences: Iterable[_Sentence], count_tokens: CountTokens, room: int
) -> list[list[_Sentence]]:
    """Sentences in as few groups as fit, of about equal size, none above `room` word pieces."""
    parts = [p for s in sentences for p in _fitting(s, count_tokens, room)]
    sizes = [count_tokens(p.text) for p in parts]
    if not parts:
        return []
    groups = -(-sum(sizes) // room)
    while True:
        packed = _fill(parts, sizes, room, sum(sizes) / groups)
        if len(packed) <= groups or groups >= len(parts):
            return packed
        groups += 1


def _fill(
    parts: Sequence[_Sentence], sizes: Sequence[int], room: int, target: float
) -> list[list[_Sentence]]:
    packed: list[list[_Sentence]] = [[]]
    used = 0
    for part, size in zip(parts, sizes, strict=True):
        full = used + size > room or (used >= target * 0.9 and part.opens_paragraph)
        if packed[-1] and (full or used + size / 2 > target):
            packed.append([])
            used = 0
        packed[-1].append(part)
        used += size
    return packed


def _fitting(sentence: _Sentence, count_tokens: CountTokens, room: int) -> list[_Sentence]:
    """The sentence, cut at white space where it alone is longer than the embedder reads."""
    if count_tokens(sentence.text) <= room:
        return [sentence]
    words = re.findall(r"\S+\s*", sentence.text)
    if len(words) == 1:  # one endless word: the embedder reads its beginning
        return [sentence]
    half = "".join(words[: len(words) // 2])
    cut = len(half)
    first = tuple(m for m in sentence.mentions if m.offset <= cut)
    rest = tuple(Mention(m.offset - cut, m.reference_ids) for m in sentence.mentions[len(first) :])
    pieces = (
        _Sentence(half.rstrip(), sentence.opens_paragraph, first),
        _Sentence(sentence.text[cut:], False, rest),
    )
    return [p for piece in pieces for p in _fitting(piece, count_tokens, room)]


def _passage(
    document: Document,
    section: Section,
    sentences: Sequence[_Sentence],
    position: int,
    role: PassageRole = "body",
) -> Passage:
    text = ""
    spans: list[tuple[int, int]] = []
    mentions: list[Mention] = []
    for n, sentence in enumerate(sentences):
        if n:
            text += "\n\n" if sentence.opens_paragraph else " "
        start = len(text)
        text += sentence.text
        spans.append((start, len(text)))
        mentions += [Mention(start + m.offset, m.reference_ids) for m in sentence.mentions]
    slug = slugify(document.id)
    # "a_b" and "a-b" share a slug: what the slug lost must tell copies of one text apart.
    lost = "" if slug == document.id else f"{document.id}\n"
    digest = sha256(f"{lost}{section.heading}\n{text}".encode()).hexdigest()[:10]
    return Passage(
        id=f"{document.kind}.{slug or 'untitled'}.{position}.{digest}",
        source_id=document.id,
        source_kind=document.kind,
        title=document.title,
        section=section.heading,
        position=position,
        text=text,
        sentences=tuple(spans),
        mentions=tuple(mentions),
        url=str(document.meta.get("url") or document.meta.get("URL") or ""),
        audience=_audience(section.heading),
        role="limits" if _LIMITS.match(section.heading) else role,
        asked=document.asked.get(section.heading, ()),
    )


def _audience(heading: str) -> Audience | None:
    return "trainer" if _TRAINERS.match(heading) else None
