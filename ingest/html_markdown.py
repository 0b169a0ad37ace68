"""HTML to plain Markdown: the words and their structure, none of the furniture.

Input is an lxml tree whose scripts, forms and hidden parts are already gone (`ingest.cleaning`).
Superscript numbers, which may be citations, become `^3^` (Pandoc's superscript) until
`ingest.references` has decided what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

Node = Any
"""An lxml element; lxml ships no types."""

Keep = Callable[[Node], bool]
"""Says of a block whether it belongs to the text."""

BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_EMPHASIS = {"b": "**", "strong": "**", "i": "*", "em": "*"}
_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_UNIT_BEFORE = re.compile(r"(?:(?:\b(?:[ckm]?m|in|ft|s|sec|min|kg|h|L)|[\d.·×)]|\b[RrχηpωIi]|CO))$")
_CITATION_NUMBERS = re.compile(r"\[?\(?\s*\d{1,3}(?:\s*[,;–—-]\s*\d{1,3})*\s*\)?\]?")
_HARD_BREAK = "\\\n"
_MAX_DEPTH = 200


def to_markdown(root: Node, *, base: str = "", keep: Keep | None = None) -> str:
    """The Markdown of everything below `root`; links become absolute where `base` is given."""
    return "\n\n".join(block for block in _Writer(base, keep).blocks(root, 0) if block.strip())


def plain_text(node: Node) -> str:
    """The words below `node`, white space squeezed."""
    return " ".join("".join(node.itertext()).split())


class _Writer:
    def __init__(self, base: str, keep: Keep | None) -> None:
        self._base = base
        self._keep = keep

    def blocks(self, node: Node, depth: int) -> Iterator[str]:
        """The blocks of a container, in order; loose inline content makes paragraphs."""
        if depth > _MAX_DEPTH:
            yield escape(plain_text(node))
            return
        loose = _Inline(self._base)
        loose.add_text(node.text)
        for child in node:
            tag = tag_of(child)
            if tag in BLOCKS or _holds_blocks(child):
                yield from self._paragraph(loose, node)
                loose = _Inline(self._base)
                yield from self._block(child, tag, depth + 1)
            else:
                loose.add(child, depth + 1)
            loose.add_text(child.tail)
        yield from self._paragraph(loose, node)

    def _paragraph(self, inline: _Inline, owner: Node) -> Iterator[str]:
        text = inline.text()
        if text and (self._keep is None or self._keep(owner)):
            # Two line breaks in a row were meant as a new paragraph.
            for part in re.split(r"(?:\\\n[ \t]*){2,}", text):
                part = part.strip().removesuffix("\\").strip()
                if part:
                    yield escape_start(part)

    def _block(self, node: Node, tag: str, depth: int) -> Iterator[str]:
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            text = _flat(self._inline(node, depth))
            text = re.sub(r"^\*\*(.+)\*\*$", r"\1", text)
            if text and (self._keep is None or self._keep(node)):
                yield f"{'#' * max(2, int(tag[1]))} {text}"
        elif tag in {"ul", "ol"}:
            items = list(self._items(node, tag, depth))
            if items:
                yield "\n".join(items)
        elif tag == "blockquote":
            quoted = "\n\n".join(self.blocks(node, depth))
            if quoted:
                yield "\n".join(f"> {line}".rstrip() for line in quoted.split("\n"))
        elif tag == "table":
            yield from self._table(node, depth)
        elif tag == "pre":
            code = "".join(node.itertext()).strip("\n")
            if code.strip() and (self._keep is None or self._keep(node)):
                yield f"```\n{code.replace('```', '` ` `')}\n```"
        elif tag == "dl":
            yield from self.blocks(node, depth)
        elif tag == "dt":
            text = _flat(self._inline(node, depth))
            if text:
                yield text if text.startswith("**") else f"**{text}**"
        elif tag != "hr":
            yield from self.blocks(node, depth)

    def _inline(self, node: Node, depth: int) -> str:
        inline = _Inline(self._base)
        inline.add_text(node.text)
        for child in node:
            inline.add(child, depth + 1)
            inline.add_text(child.tail)
        return inline.text()

    def _items(self, node: Node, tag: str, depth: int) -> Iterator[str]:
        start = node.get("start") or "1"
        number = int(start) if start.isdigit() and len(start) < 6 else 1
        for child in node:
            if tag_of(child) not in {"li", "ul", "ol", "p", "div"}:
                continue
            blocks = [b for b in self.blocks(_wrapped(child), depth + 1) if b.strip()]
            if not blocks:
                continue
            marker = f"{number}. " if tag == "ol" else "- "
            number += 1
            lines = _joined_item(blocks).split("\n")
            pad = " " * len(marker)
            yield "\n".join(
                [marker + lines[0], *(f"{pad}{line}" if line else "" for line in lines[1:])]
            )

    def _table(self, node: Node, depth: int) -> Iterator[str]:
        if self._keep is not None and not self._keep(node):
            return
        caption = next((c for c in node if tag_of(c) == "caption"), None)
        rows = [
            [_flat(self._cell(cell, depth)) for cell in row if tag_of(cell) in {"td", "th"}]
            for row in node.iter("tr")
        ]
        rows = [row for row in rows if any(row)]
        if caption is not None and plain_text(caption):
            yield escape(plain_text(caption))
        width = max((len(row) for row in rows), default=0)
        if width == 1:  # a table used for layout
            yield from (row[0] for row in rows)
        elif rows:
            padded = [row + [""] * (width - len(row)) for row in rows]
            lines = [f"| {' | '.join(row)} |" for row in padded]
            lines.insert(1, "|" + " --- |" * width)
            yield "\n".join(lines)

    def _cell(self, cell: Node, depth: int) -> str:
        text = " ".join(self.blocks(cell, depth + 1)) if _holds_blocks(cell) else ""
        return (text or self._inline(cell, depth)).replace("|", "\\|")


class _Inline:
    """Collects the running text of one paragraph."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._pieces: list[str] = []

    def text(self) -> str:
        joined = re.sub(r"[ \t\r\f\v\n\u00a0]+", " ", "".join(self._pieces))
        joined = re.sub(r" *\ue000 *", _HARD_BREAK.replace("\\", r"\\"), joined)
        return joined.strip().removesuffix("\\").strip()

    def add_text(self, text: str | None) -> None:
        if text:
            self._pieces.append(escape(text.replace("\ue000", "")))

    def add(self, node: Node, depth: int) -> None:
        tag = tag_of(node)
        if tag == "br":
            self._pieces.append("\ue000")
        elif tag == "img":
            if "emoji" in (node.get("class") or "").split() or "wp-smiley" in (
                node.get("class") or ""
            ):
                self.add_text(node.get("alt"))
        elif tag == "sup":
            self._superscript(node)
        elif tag in {"code", "kbd", "samp", "tt"}:
            code = plain_text(node).replace("`", "'")
            self._pieces.append(f"`{code}`" if code else "")
        elif tag == "q":
            self._pieces.append(f"“{escape(plain_text(node))}”")
        elif tag:
            inner = self._inner(node, depth)
            if tag in _EMPHASIS:
                inner = _surrounded(inner, _EMPHASIS[tag])
            elif tag == "a":
                inner = self._link(node, inner)
            self._pieces.append(inner)

    def _inner(self, node: Node, depth: int) -> str:
        if depth > _MAX_DEPTH:
            return escape(plain_text(node))
        nested = _Inline(self._base)
        nested.add_text(node.text)
        for child in node:
            nested.add(child, depth + 1)
            nested.add_text(child.tail)
        return "".join(nested._pieces)

    def _superscript(self, node: Node) -> None:
        text = plain_text(node)
        before = "".join(self._pieces)[-12:].rstrip()
        linked = next(node.iter("a"), None) is not None or tag_of(node.getparent()) == "a"
        if re.fullmatch(r"[\d+−-]*[\dn]", text) and _UNIT_BEFORE.search(before) and not linked:
            self._pieces.append(text.translate(_SUPERSCRIPTS))
        elif _CITATION_NUMBERS.fullmatch(text):
            numbers = re.sub(r"\s+", "", text.strip("[]() "))
            self._pieces.append(f"^{numbers}^")
        else:
            self.add_text(text)

    def _link(self, node: Node, inner: str) -> str:
        href = (node.get("href") or "").strip()
        if self._base and href:
            try:
                href = urljoin(self._base, href)
            except ValueError:
                return inner
        words = inner.strip()
        if not words or not _linkable(href) or "^" in words:
            return inner
        target = re.sub(r"[\s<>()\\]", lambda m: f"%{ord(m.group()):02X}", href)
        lead, trail = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
        return f"{lead}[{words}]({target}){trail}"


def tag_of(node: Node) -> str:
    """The element's name in lower case; "" for comments and processing instructions."""
    tag = node.tag if node is not None else ""
    return tag.lower() if isinstance(tag, str) else ""


def escape(text: str) -> str:
    """Text whose characters mean themselves in Markdown."""
    text = re.sub(r"([\\`*])", r"\\\1", text)
    text = re.sub(r"(?<![A-Za-z0-9])_(?=\S)|(?<=\S)_(?![A-Za-z0-9])", r"\\_", text)
    return re.sub(r"<(?=[A-Za-z/!?])", r"\\<", text)


def escape_start(text: str) -> str:
    """A paragraph that would begin a heading, list or quote in Markdown, made to begin none."""
    lines = text.split("\n")
    return "\n".join(re.sub(r"^(\s*)([#>+-](?=\s|$)|#+(?=\s))", r"\1\\\2", ln) for ln in lines)


def _holds_blocks(node: Node) -> bool:
    return any(tag_of(d) in BLOCKS for d in node.iterdescendants())


def _wrapped(item: Node) -> Node:
    """`li` elements are containers already; so is anything that stands in one's place."""
    return item


def _joined_item(blocks: list[str]) -> str:
    """A nested list follows its item without a blank line; paragraphs need one."""
    joined = blocks[0]
    for block in blocks[1:]:
        nested = re.match(r"(?:-|\d+\.) ", block) is not None
        joined += ("\n" if nested else "\n\n") + block
    return joined


def _surrounded(inner: str, mark: str) -> str:
    words = inner.strip()
    if not words or "\ue000" in words or not re.search(r"\w", words):
        return inner
    lead, trail = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
    if words.startswith("*") or words.endswith("*"):
        return inner
    # CommonMark's flanking rules: emphasis that ends in punctuation must not touch a letter.
    return f"{lead}{mark}{words}{mark}{trail}"


def _linkable(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _flat(text: str) -> str:
    return " ".join(text.replace(_HARD_BREAK, " ").split())
