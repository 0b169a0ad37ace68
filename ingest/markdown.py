"""Markdown to running text: sections, paragraphs, and where references are cited.

markdown-it-py parses; this module keeps the words a reader sees and drops the markup, so that a
quote of a passage reads as the page does. Pandoc citations (`[@key]`, `[see @a, p. 3; -@b]`,
https://pandoc.org/MANUAL.html#citation-syntax) leave the text and become `Mention`s; one that is
part of its sentence ("@plotkin-2023-thrust found …") leaves the authors and the year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.types import Mention

CITATION = re.compile(r"\[(?:[^\[\]\n]*?[\s;(-])?-?@[A-Za-z0-9][^\[\]]*\]")
CITATION_KEY = re.compile(r"(?<![\w@.])-?@([A-Za-z0-9][\w:.#$%&+?<>~/-]*[A-Za-z0-9]|[A-Za-z0-9])")

LIST_WORDS = 60
"""Words of a list that still reads as one sentence."""

_SENTENCE_END = re.compile(r"[.!?:…][\"'”’)\]]*(?:\s|$)")

NARRATIVE = re.compile(
    r"(?<!\S)-?@([^\W_]\w*(?:-\w+)+)(?:\s\[(?:pp?|chap|sec|fig)\.[^\[\]]*\])?"
)
"""A citation in running text. A hyphen tells a reference's id from "@someone" of a social network."""

_ANY_CITATION = re.compile(f"(?P<bracketed>{CITATION.pattern})|{NARRATIVE.pattern}")

Names = Mapping[str, str]
"""What a sentence calls a reference, by its id: "Plotkin et al. (2023)"."""

_HTML_ADDRESS = re.compile(
    r"<(?:a|img)\b[^>]*?\s(?:href|src)\s*=\s*[\"']?([^\s\"'>]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text and the citations that stood in it.

    A list item is a paragraph of its own, save where the items are no sentences: those make one
    with the line that leads in to them ("Do three lifts: hip thrust; squat; lunge.").
    """

    text: str
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the paragraphs below it, up to the next heading of any level."""

    heading: str
    level: int
    line: int
    """Line of the heading in the body, from 0."""
    paragraphs: tuple[Paragraph, ...]


def sections_of(body: str, names: Names = MappingProxyType({})) -> list[Section]:
    """The sections of a Markdown body, in order; text before a heading has heading ""."""
    sections: list[Section] = []
    heading, level, line = "", 0, 0
    paragraphs: list[Paragraph] = []

    def close() -> None:
        if paragraphs:
            sections.append(Section(heading, level, line, tuple(paragraphs)))

    for is_heading, depth, at, text in _blocks(_parser().parse(body)):
        if is_heading:
            close()
            heading, level, line = strip_citations(text, names).text, depth, at
            paragraphs = []
        elif text.strip():
            paragraphs.append(strip_citations(text, names))
    close()
    return sections


def links_of(body: str) -> Iterator[tuple[int, str]]:
    """(line of the body from 0, address) of each link and picture, in Markdown or HTML."""
    for block in _parser().parse(body):
        line = block.map[0] if block.map else 0
        if block.type == "html_block":
            yield from ((line, address) for address in _HTML_ADDRESS.findall(block.content))
        for token in block.children or ():
            if token.type in {"softbreak", "hardbreak"}:
                line += 1
            elif token.type == "html_inline":
                yield from ((line, address) for address in _HTML_ADDRESS.findall(token.content))
            for name in ("href", "src"):
                if address := token.attrGet(name):
                    yield line, str(address)


def strip_citations(text: str, names: Names = MappingProxyType({})) -> Paragraph:
    """`text` without Pandoc citations, which become mentions at the places they stood."""
    out: list[str] = []
    length = 0
    mentions: list[Mention] = []
    last = 0
    for match in _ANY_CITATION.finditer(text):
        piece = text[last : match.start()]
        if match["bracketed"]:
            keys = tuple(dict.fromkeys(CITATION_KEY.findall(match["bracketed"])))
            piece = piece.rstrip()
        else:
            keys = (match[2],)
            piece += names.get(match[2]) or _spoken(match[2])
        out.append(piece)
        length += len(piece)
        mentions.append(Mention(length, keys))
        last = match.end()
    out.append(text[last:])
    plain = "".join(out)
    lead = len(plain) - len(plain.lstrip())
    placed = (Mention(max(0, m.offset - lead), m.reference_ids) for m in mentions)
    return Paragraph(plain.strip(), tuple(m for m in placed if m.reference_ids))


def _spoken(key: str) -> str:
    """An id as a name, where nobody says what the reference is called: "Plotkin (2023)"."""
    who, *year = re.split(r"-((?:19|20)\d\d)(?:-.*)?$", key, maxsplit=1)[:2]
    family = (who if year else key.split("-")[0]).title()
    return f"{family} ({year[0]})" if year else family


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _blocks(tokens: Sequence[Token]) -> Iterator[tuple[bool, int, int, str]]:
    """(is heading, level, line, text) for every block that holds words."""
    row: list[str] = []
    lists = _lists_of_scraps(tokens)
    n = -1
    while (n := n + 1) < len(tokens):
        token = tokens[n]
        if token.type == "inline":
            opener = tokens[n - 1]
            line = token.map[0] if token.map else 0
            text = _inline_text(token.children or ())
            if opener.type == "heading_open":
                yield True, int(opener.tag[1:]), line, text
            elif opener.type in {"th_open", "td_open"}:
                row.append(text)
            elif (joined := lists.get(n + 2)) and text.endswith(":"):
                items, n = joined
                yield False, 0, line, f"{text} {'; '.join(items)}."
            else:
                yield False, 0, line, text
        elif token.type == "tr_close":
            yield False, 0, 0, " | ".join(row)
            row = []
        elif token.type in {"fence", "code_block"}:
            yield False, 0, 0, " ".join(token.content.split())


def _lists_of_scraps(tokens: Sequence[Token]) -> dict[int, tuple[list[str], int]]:
    """Short flat lists of items that are no sentences: place of the opening to (items, place of the end)."""
    found: dict[int, tuple[list[str], int]] = {}
    start = -1
    for n, token in enumerate(tokens):
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            start = n
        elif token.type in {"bullet_list_close", "ordered_list_close"} and start >= 0:
            inside = tokens[start + 1 : n]
            # An item of one paragraph is five tokens; whatever else it holds makes it more.
            flat = len(inside) == 5 * sum(t.type == "list_item_open" for t in inside)
            items = [_inline_text(t.children or ()).rstrip(" ;,") for t in inside if t.type == "inline"]
            if flat and _are_scraps(items):
                found[start] = items, n
            start = -1
    return found


def _are_scraps(items: Sequence[str]) -> bool:
    words = sum(len(item.split()) for item in items)
    return len(items) > 1 and words <= LIST_WORDS and not any(_SENTENCE_END.search(i) for i in items)


def _inline_text(children: Sequence[Token]) -> str:
    pieces: list[str] = []
    for child in children:
        if child.type in {"text", "code_inline"}:
            pieces.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            pieces.append(" ")
        elif child.type == "image":
            pieces.append(child.content)
    return " ".join("".join(pieces).split())
