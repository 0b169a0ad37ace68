"""Word files: paragraphs, headings, lists, tables, superscripts, links.

A .docx is a zip of XML: what it unpacks to is bounded before anything is unpacked, and the XML is
read without entities.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from ingest.cleaning import clean_line, clean_text, iso_day, tidy
from ingest.html_markdown import escape, escape_start
from ingest.sources.found import Article, Skipped
from ingest.sources.page import without_heading
from ingest.sources.text_head import lifted_byline
from ingest.sources.xml_files import children, local, parse_xml
from rag.errors import CorpusError

MAX_UNPACKED = 100 * 1024 * 1024
MAX_PART = 40 * 1024 * 1024
MAX_RATIO = 200
MAX_PARTS = 5000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def read_docx(path: Path, *, source: str, key: str) -> Article | Skipped:
    """A Word file as an article; raises `CorpusError` where it may not or cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive)
            document = _part(archive, "word/document.xml")
            if document is None:
                raise CorpusError("the file holds no Word document")
            reader = _Reader(
                _styles(_part(archive, "word/styles.xml")),
                _links(_part(archive, "word/_rels/document.xml.rels")),
                _numbered(_part(archive, "word/numbering.xml")),
            )
            core = _part(archive, "docProps/core.xml")
            blocks = reader.blocks(document)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise CorpusError(f"the file is no readable .docx ({clean_line(str(error))})") from error
    return _article(blocks, reader.title, core, path, source, key)


def _article(
    blocks: list[str], styled: str, core: Any, path: Path, source: str, key: str
) -> Article | Skipped:
    facts = (
        {local(node.tag): clean_line(node.text or "") for node in core} if core is not None else {}
    )
    body = tidy("\n\n".join(blocks))
    if not body.strip():
        return Skipped(source, "the document has no text")
    heading = re.match(r"#{2,6}\s+(.+)", body)
    title = styled or facts.get("title") or (heading[1] if heading else "")
    if not title:
        first = body.split("\n", 1)[0]
        title = (
            first if len(first) < 120 and not first.endswith(".") else path.stem.replace("-", " ")
        )
    # What the author wrote goes before the file's own stamps, which a template may have set.
    said, body = lifted_byline(without_heading(body, title))
    return Article(
        key=key,
        source=source,
        title=clean_line(re.sub(r"\\([\W_])|\*\*", r"\1", title)),
        body=body,
        author=said.author or facts.get("creator", ""),
        date=said.date or iso_day(facts.get("created")),
        updated=said.updated or ("" if said.date else iso_day(facts.get("modified"))),
        tags=tuple(t.strip() for t in re.split(r"[,;]", facts.get("keywords", "")) if t.strip()),
    )


def _check(archive: zipfile.ZipFile) -> None:
    """Refuses archives that unpack to far more than a Word file holds."""
    parts = archive.infolist()
    size = sum(p.file_size for p in parts)
    packed = max(1, sum(p.compress_size for p in parts))
    if len(parts) > MAX_PARTS or size > MAX_UNPACKED or (
        size > MAX_PART and size / packed > MAX_RATIO
    ):  # fmt: skip
        raise CorpusError(
            f"the file unpacks to {size // (1024 * 1024)} MB from {packed // 1024} kB: refused"
        )


def _part(archive: zipfile.ZipFile, name: str) -> Any:
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.file_size > MAX_PART:
        raise CorpusError(f"{name} in the file is {info.file_size // (1024 * 1024)} MB: refused")
    # zipfile never reads past the size the archive declares, which was checked.
    return parse_xml(archive.read(info), name)


def _styles(root: Any) -> dict[str, str]:
    """Style id → its English name in lower case: "heading 1", "title", "list bullet"."""
    found: dict[str, str] = {}
    for style in root if root is not None else ():
        name = next((c.get(f"{_W}val", "") for c in children(style, "name")), "")
        found[style.get(f"{_W}styleId", "")] = name.lower()
    return found


def _links(root: Any) -> dict[str, str]:
    return {
        r.get("Id", ""): r.get("Target", "")
        for r in (root if root is not None else ())
        if r.get("TargetMode") == "External"
        and r.get("Target", "").startswith(("http://", "https://"))
    }


def _numbered(root: Any) -> set[str]:
    """Ids of the lists that count (the rest have bullets)."""
    if root is None:
        return set()
    abstract: dict[str, bool] = {}
    for node in children(root, "abstractnum"):
        formats = [f.get(f"{_W}val") for f in node.iter(f"{_W}numFmt")]
        abstract[node.get(f"{_W}abstractNumId", "")] = bool(formats) and formats[0] != "bullet"
    return {
        num.get(f"{_W}numId", "")
        for num in children(root, "num")
        for ref in children(num, "abstractnumid")
        if abstract.get(ref.get(f"{_W}val", ""))
    }


class _Reader:
    def __init__(self, styles: dict[str, str], links: dict[str, str], numbered: set[str]) -> None:
        self._styles, self._links, self._numbered = styles, links, numbered
        self._counts: dict[str, int] = {}
        self.title = ""

    def blocks(self, document: Any) -> list[str]:
        body = next(iter(children(document, "body")), None)
        found: list[str] = []
        for node in self._flat(body if body is not None else document):
            if local(node.tag) == "p":
                text = self._paragraph(node)
                if text:
                    listed = re.match(r"(?:-|\d+\.) ", text)
                    if listed and found and re.match(r"(?:-|\d+\.) ", found[-1]):
                        found[-1] += f"\n{text}"
                    else:
                        found.append(text)
            elif local(node.tag) == "tbl":
                found += self._table(node)
        return found

    def _flat(self, node: Any) -> list[Any]:
        """Paragraphs and tables in order, out of content controls and the like."""
        found: list[Any] = []
        for child in node:
            if local(child.tag) in {"p", "tbl"}:
                found.append(child)
            elif local(child.tag) in {"sdt", "sdtcontent", "ins", "smarttag", "customxml"}:
                found += self._flat(child)
        return found

    def _paragraph(self, node: Any) -> str:
        text = " ".join(self._runs(node).split(" ")).strip()
        if not text:
            return ""
        style, number = self._style(node), ""
        for ref in node.iter(f"{_W}numId"):
            number = ref.get(f"{_W}val", "")
        if style == "title" and not self.title:
            self.title = text
            return ""
        level = re.match(r"heading (\d)", style)
        if level:
            return f"{'#' * min(6, int(level[1]) + 1)} {text}"
        if (number and number != "0") or style.startswith("list "):
            if number in self._numbered or style.startswith("list number"):
                self._counts[number] = self._counts.get(number, 0) + 1
                return f"{self._counts[number]}. {text}"
            return f"- {text}"
        return escape_start(text)

    def _style(self, node: Any) -> str:
        for style in node.iter(f"{_W}pStyle"):
            name = style.get(f"{_W}val", "")
            return self._styles.get(name) or name.lower()
        return ""

    def _runs(self, node: Any) -> str:
        pieces: list[str] = []
        for child in node:
            name = local(child.tag)
            if name == "r":
                pieces.append(self._run(child))
            elif name == "hyperlink":
                words, target = self._runs(child), self._links.get(child.get(f"{_R}id", ""), "")
                pieces.append(f"[{words}]({target})" if target and words.strip() else words)
            elif name in {"ins", "smarttag", "sdt", "sdtcontent", "fldsimple"}:
                pieces.append(self._runs(child))
        return "".join(pieces)

    def _run(self, run: Any) -> str:
        pieces: list[str] = []
        for child in run:
            match local(child.tag):
                case "t":
                    pieces.append(child.text or "")
                case "tab":
                    pieces.append(" ")
                case "br" | "cr":
                    pieces.append("\n")
                case "nobreakhyphen":
                    pieces.append("-")
        text = clean_text("".join(pieces))
        raised = any(v.get(f"{_W}val") == "superscript" for v in run.iter(f"{_W}vertAlign"))
        if raised and re.fullmatch(r"\s*\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\s*", text):
            return "^" + "".join(text.split()) + "^"
        return escape(text).replace("\n", "\\\n")

    def _table(self, table: Any) -> list[str]:
        rows = [
            [
                " ".join(self._runs(p).replace("\\\n", " ") for p in cell.iter(f"{_W}p"))
                .replace("|", "\\|")
                .strip()
                for cell in children(row, "tc")
            ]
            for row in children(table, "tr")
        ]
        rows = [row for row in rows if any(row)]
        if not rows:
            return []
        width = max(len(row) for row in rows)
        if width == 1:
            return [row[0] for row in rows]
        lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
        lines.insert(1, "|" + " --- |" * width)
        return ["\n".join(lines)]
