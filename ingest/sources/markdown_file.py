"""Markdown files, with or without front matter: kept as they are, references read out."""

from __future__ import annotations

import re

from ingest.cleaning import clean_line, clean_text, iso_day, tidy
from ingest.corpus_files import split_front_matter
from ingest.sources.found import Article, Skipped


def read_markdown(text: str, *, source: str, key: str, stem: str = "") -> Article | Skipped:
    """A Markdown file as an article; raises `CorpusError` where its front matter is broken."""
    meta, body, _ = split_front_matter(clean_text(text))
    body = body.strip()
    heading = re.match(r"#\s+(.+?)\s*#*\s*(?:\n|$)", body)
    title = clean_line(str(meta.get("title") or ""))
    if heading and (not title or clean_line(heading[1]).casefold() == title.casefold()):
        title = title or clean_line(re.sub(r"[*_`]", "", heading[1]))
        body = body[heading.end() :].strip()
    if not body:
        return Skipped(source, "the file has no text")
    tags = meta.get("tags") or meta.get("categories") or ()
    tags = re.split(r"\s*,\s*", tags) if isinstance(tags, str) else tags
    author = meta.get("author") or meta.get("authors") or ""
    author = ", ".join(str(a) for a in author) if isinstance(author, list) else str(author)
    return Article(
        key=key,
        source=source,
        title=title or clean_line(stem.replace("-", " ").replace("_", " ")) or "Untitled",
        body=tidy(body),
        author=clean_line(author),
        date=iso_day(meta.get("date") or meta.get("published")),
        updated=iso_day(meta.get("updated") or meta.get("modified") or meta.get("lastmod")),
        url=clean_line(str(meta.get("url") or meta.get("canonical") or meta.get("link") or "")),
        tags=tuple(clean_line(str(t)) for t in tags if str(t).strip()),
        summary=clean_line(str(meta.get("summary") or meta.get("description") or "")),
        slug=clean_line(str(meta.get("slug") or "")),
        cites=True,
    )
