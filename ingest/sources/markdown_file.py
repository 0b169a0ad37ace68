"""Markdown files, with or without front matter: kept as they are, references read out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingest.cleaning import absolute, clean_line, clean_text, iso_day, tidy
from ingest.corpus_files import split_front_matter
from ingest.sources.found import Article, Skipped

_LONGEST = 2000
"""Characters of one value of the front matter."""


def read_markdown(text: str, *, source: str, key: str, stem: str = "") -> Article | Skipped:
    """A Markdown file as an article; raises `CorpusError` where its front matter is broken."""
    meta, body, _ = split_front_matter(clean_text(text))
    body = body.strip()
    heading = re.match(r"#\s+(.+?)\s*#*\s*(?:\n|$)", body)
    title = _line(meta, "title")
    if heading and (not title or clean_line(heading[1]).casefold() == title.casefold()):
        title = title or clean_line(re.sub(r"[*_`]", "", heading[1]))
        body = body[heading.end() :].strip()
    if not body:
        return Skipped(source, "the file has no text")
    return Article(
        key=key,
        source=source,
        title=title or clean_line(stem.replace("-", " ").replace("_", " ")) or "Untitled",
        body=tidy(body),
        author=", ".join(_plain_values(meta.get("author") or meta.get("authors"))),
        date=iso_day(meta.get("date") or meta.get("published")),
        updated=iso_day(meta.get("updated") or meta.get("modified") or meta.get("lastmod")),
        url=absolute(_line(meta, "url", "canonical", "link"), ""),
        tags=_tags(meta.get("tags") or meta.get("categories")),
        summary=_line(meta, "summary", "description"),
        slug=_line(meta, "slug"),
        cites=True,
    )


def _line(meta: Mapping[str, Any], *names: str) -> str:
    """The first of the named values that is text or a number, as one line."""
    found = (v[0] for name in names if (v := _plain_values(meta.get(name))))
    return next(found, "")


def _tags(value: Any) -> tuple[str, ...]:
    values = re.split(r"\s*,\s*", value) if isinstance(value, str) else value
    return tuple(_plain_values(values))


def _plain_values(value: Any) -> list[str]:
    """Text and numbers, or a list's; nested values are left out: YAML's aliases can nest bombs."""
    values = value if isinstance(value, list) else [value]
    lines = [clean_line(str(v)) for v in values[:200] if isinstance(v, str | int | float)]
    return [line[:_LONGEST] for line in lines if line]
