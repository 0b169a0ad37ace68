"""PDF files, read in a process of their own with limits on time and memory.

A PDF can hold loops and bombs that no check beforehand finds; a reader that hangs or grows is
ended, and its file is skipped with a reason.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest.cleaning import clean_line, clean_text, is_reference_heading, iso_day
from ingest.sources.found import Article, Skipped
from ingest.sources.text import read_text
from rag.errors import CorpusError

MAX_BYTES = 100 * 1024 * 1024
MAX_PAGES = 600
MAX_CHARACTERS = 5_000_000
SECONDS = 60
MEMORY = 2 * 1024**3


def read_pdf(path: Path, *, source: str, key: str, seconds: float = SECONDS) -> Article | Skipped:
    """A PDF as an article; raises `CorpusError` where it may not or cannot be read."""
    if path.stat().st_size > MAX_BYTES:
        raise CorpusError(f"larger than {MAX_BYTES // (1024 * 1024)} MB: refused")
    answer = _read_apart(path, seconds)
    if "error" in answer:
        raise CorpusError(str(answer["error"]))
    pages = [clean_text(str(p)) for p in answer["pages"]]
    text = joined_pages(pages)
    if len(text.split()) < 20:
        return Skipped(source, "the PDF holds no text (scanned pages?); run text recognition first")
    found = read_text(text, source=source, key=key, stem=path.stem)
    if isinstance(found, Skipped):
        return found
    facts = answer["facts"]
    title = clean_line(str(facts.get("title") or ""))
    from dataclasses import replace

    good = len(title.split()) > 1 and not re.search(
        r"\.(?:docx?|pdf|indd|tex)$|^Microsoft Word", title
    )
    return replace(
        found,
        title=title if good else found.title,
        author=found.author or clean_line(str(facts.get("author") or "")),
        date=found.date or iso_day(facts.get("date")),
    )


def joined_pages(pages: Sequence[str]) -> str:
    """The pages' text as paragraphs: no running heads or page numbers, no hyphens at line ends."""
    cut = [page.replace("\r\n", "\n").split("\n") for page in pages]
    edges = Counter(
        re.sub(r"\d+", "#", line.strip())
        for lines in cut
        for line in {*_edge(lines)}
        if line.strip()
    )
    often = {line for line, count in edges.items() if count >= max(2, len(pages) // 2)}
    kept: list[str] = []
    for lines in cut:
        border = _edge(lines)
        for line in lines:
            running = line in border and re.sub(r"\d+", "#", line.strip()) in often
            if not running and not re.fullmatch(
                r"\s*(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d+)?\s*", line, re.IGNORECASE
            ):
                kept.append(line.rstrip())
    return _paragraphs(kept)


def _edge(lines: Sequence[str]) -> list[str]:
    filled = [line for line in lines if line.strip() and len(line) < 100]
    return [*filled[:2], *filled[-2:]]


def _paragraphs(lines: Sequence[str]) -> str:
    """Lines joined to paragraphs: one ends at a blank line or at a short line that ends a sentence."""
    widths = sorted(len(line) for line in lines if len(line) > 20)
    usual = widths[int(len(widths) * 0.7)] if widths else 80
    out: list[str] = []
    fresh = True
    for line in lines:
        words = line.strip()
        if not words:
            fresh = True
            continue
        if fresh or _begins_block(words, out[-1] if out else ""):
            out.append(words)
        elif out[-1].endswith("-") and words[:1].islower():
            out[-1] = out[-1][:-1] + words
        else:
            out[-1] = f"{out[-1]} {words}"
        short = len(words) < 0.75 * usual
        fresh = short and (
            re.search(r"[.!?:)\]\"”]$", words) is not None or len(words) < 0.5 * usual
        )
    return "\n\n".join(out)


def _begins_block(words: str, before: str) -> bool:
    if re.match(r"(?:[•▪‣-]|\[\d{1,3}\]|\d{1,3}[.)])\s+\S", words):
        return True
    if is_reference_heading(words):
        return True
    entry = re.match(r"[A-ZÀ-Þ][\w'’-]+,\s+(?:[A-Z]\.\s?)+[,&(]", words)
    return bool(entry) and re.search(r"(?:[.)]|10\.\d{4,}/\S+)$", before) is not None


# -- the process apart -------------------------------------------------------------------------


def _read_apart(path: Path, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "ingest.sources.pdf", str(path.resolve())]
    folder = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CorpusError(
            f"the PDF was not read in {seconds:.0f} s (does it loop?): refused"
        ) from error
    try:
        answer = json.loads(done.stdout.decode("utf-8"))
    except ValueError as error:
        raise CorpusError(
            "the PDF could not be read (it is broken, or too much for memory)"
        ) from error
    return dict(answer)


def _read_here(path: Path) -> dict[str, Any]:
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"error": "the PDF is encrypted; save it without a password first"}
        if len(reader.pages) > MAX_PAGES:
            return {"error": f"the PDF has more than {MAX_PAGES} pages: refused"}
        pages: list[str] = []
        for page in reader.pages:
            pages.append(page.extract_text() or "")
            if sum(map(len, pages)) > MAX_CHARACTERS:
                return {"error": "the PDF holds more text than an article can: refused"}
        return {"pages": pages, "facts": _facts(reader.metadata)}
    except RecursionError:
        return {"error": "the PDF loops: refused"}
    except MemoryError:
        return {"error": "the PDF takes too much memory: refused"}
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        IndexError,
    ) as error:
        return {"error": f"the PDF is broken ({' '.join(str(error).split())[:120]})"}


def _facts(metadata: Any) -> dict[str, str]:
    if not metadata:
        return {}
    facts = {
        "title": str(metadata.get("/Title") or ""),
        "author": str(metadata.get("/Author") or ""),
    }
    stamp = re.match(r"D:(\d{4})(\d{2})(\d{2})", str(metadata.get("/CreationDate") or ""))
    if stamp:
        facts["date"] = "-".join(stamp.groups())
    return facts


def _limit() -> None:
    """Bounds on memory and processor time, where the system offers them."""
    try:
        import resource
    except ImportError:  # Windows: the time limit of the caller still holds
        return
    for kind, bound in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (bound if hard < 0 else min(bound, hard), hard))


def main() -> int:
    import logging

    logging.disable(logging.CRITICAL)
    _limit()
    sys.stdout.buffer.write(json.dumps(_read_here(Path(sys.argv[1]))).encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
