"""One web page, fetched or saved: its main text, its byline, its dates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ingest.cleaning import (
    absolute,
    clean_line,
    clean_text,
    iso_day,
    page_markdown,
    parse_html,
    rendered_line,
    written_day,
)
from ingest.html_markdown import plain_text, tag_of
from ingest.sources.feed import page_key
from ingest.sources.found import Article, Skipped
from ingest.sources.text_head import lifted_byline

MIN_WORDS = 20


def decoded(body: bytes, declared: str = "") -> str:
    """The text of a page: by its header, its own declaration, else UTF-8, else a guess."""
    found = re.search(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", body[:4096], re.IGNORECASE)
    for name in ("utf-8-sig", declared, found[1].decode("ascii") if found else ""):
        if name:
            try:
                return clean_text(body.decode(name))
            except (LookupError, UnicodeDecodeError):
                continue
    from charset_normalizer import from_bytes

    best = from_bytes(body[:200_000]).best()
    return clean_text(body.decode(best.encoding if best else "latin-1", "replace"))


def read_page(markup: str, *, url: str = "", source: str = "", key: str = "") -> Article | Skipped:
    """A page as an article, or why it is none."""
    source = source or url
    root = parse_html(markup)
    if root is None:
        return Skipped(source, "the page is empty")
    facts = page_facts(root, url)
    body = page_markdown(markup, url=facts.get("url") or url)
    if len(body.split()) < MIN_WORDS:
        return Skipped(source, "no article text found on the page")
    title = facts.get("title") or _first_heading(body) or clean_line(source)
    said, body = lifted_byline(without_heading(body, title))
    return Article(
        key=key or f"page:{page_key(url)}",
        source=source,
        title=title,
        body=body,
        author=facts.get("author") or said.author,
        date=facts.get("date") or said.date,
        updated=facts.get("updated") or said.updated,
        url=facts.get("url") or url,
        tags=tuple(t for t in facts.get("tags", "").split("\n") if t),
        summary=facts.get("summary", ""),
        slug=unquote(urlsplit(facts.get("url") or url).path.rstrip("/").rpartition("/")[2]),
    )


def without_heading(body: str, title: str) -> str:
    """The body without its own copy of the title at the top."""
    first, _, rest = body.partition("\n")
    words = re.sub(r"\W+", "", re.sub(r"^#+\s+", "", first)).casefold()
    return rest.strip() if words == re.sub(r"\W+", "", title).casefold() else body


def _first_heading(body: str) -> str:
    match = re.search(r"^#{1,3}\s+(.+)$", body, re.MULTILINE)
    return clean_line(match[1]) if match else ""


def page_facts(root: Any, url: str = "") -> dict[str, str]:
    """title, author, date, updated, url, tags (a line each), summary, as far as the page says."""
    meta = _meta(root)
    linked = _linked_data(root)
    canonical = next(
        (n.get("href", "") for n in root.iter("link") if n.get("rel", "").lower() == "canonical"),
        "",
    )
    facts = {
        "title": _title(root, meta, linked),
        "author": _author(root, meta, linked),
        "date": _date(root, meta, linked, "published"),
        "updated": _date(root, meta, linked, "modified"),
        "url": absolute(canonical or meta.get("og:url", ""), url or "http://invalid.invalid/"),
        "tags": "\n".join(_tags(root, meta, linked)),
        "summary": clean_line(meta.get("description") or meta.get("og:description") or ""),
    }
    if "invalid.invalid" in facts["url"]:
        facts["url"] = ""
    return {name: value for name, value in facts.items() if value}


def _meta(root: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in root.iter("meta"):
        name = (node.get("property") or node.get("name") or node.get("itemprop") or "").lower()
        content = node.get("content")
        if name and content:
            found[name] = (
                f"{found[name]}\n{content}"
                if name == "article:tag" and name in found
                else (found.get(name) or content)
            )
    return found


def _linked_data(root: Any) -> dict[str, Any]:
    """The page's schema.org article, if it has one."""
    for node in root.iter("script"):
        if (node.get("type") or "").lower() != "application/ld+json":
            continue
        try:
            data = json.loads(node.text or "", strict=False)
        except (ValueError, RecursionError):
            continue
        for item in _items(data):
            kinds = item.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(str(k).endswith(("Article", "BlogPosting", "Posting", "Report")) for k in kinds):
                return item
    return {}


def _items(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if isinstance(data, list) and depth < 4:
        for item in data:
            yield from _items(item, depth + 1)
    elif isinstance(data, dict):
        yield data
        yield from _items(data.get("@graph") or [], depth + 1)


def _title(root: Any, meta: Mapping[str, str], linked: Mapping[str, Any]) -> str:
    headline = linked.get("headline")
    headings = [plain_text(h) for h in root.iter("h1")]
    headings = [h for h in headings if len(h) > 2]
    document = next((plain_text(t) for t in root.iter("title")), "")
    in_title = [h for h in headings if h.casefold() in document.casefold()]
    if len(in_title) == 1 and len(in_title[0].split()) > 1:
        return in_title[0]
    for candidate in (headline, meta.get("og:title"), meta.get("twitter:title")):
        if isinstance(candidate, str) and candidate.strip():
            return _without_site(rendered_line(candidate), meta)
    if len(headings) == 1:
        return headings[0]
    return _without_site(document, meta) or (headings[0] if headings else "")


def _without_site(title: str, meta: Mapping[str, str]) -> str:
    """ "Title | Site" → "Title"."""
    site = clean_line(meta.get("og:site_name", ""))
    for mark in (" | ", " – ", " — ", " - ", " » ", " · "):
        head, found, tail = title.rpartition(mark)
        if (
            found
            and head
            and (tail.casefold() == site.casefold() or (mark != " - " and len(tail) < 30))
        ):
            return head.strip()
    return title.strip()


_NOT_A_NAME = re.compile(r"https?:|^\W*$|^(?:admin|by|author|staff|editor)$", re.IGNORECASE)


def _author(root: Any, meta: Mapping[str, str], linked: Mapping[str, Any]) -> str:
    found = _people(linked.get("author"))
    if not found:
        for name in ("author", "article:author", "dc.creator", "citation_author", "parsely-author"):
            value = clean_line(meta.get(name, ""))
            if value and not _NOT_A_NAME.search(value):
                found = [value]
                break
    if not found:
        found = _byline(root)
    names = (re.sub(r"^(?:written |posted )?by:?\s+", "", n, flags=re.IGNORECASE) for n in found)
    return ", ".join(dict.fromkeys(n for n in names if n and not _NOT_A_NAME.search(n)))


def _people(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    found: list[str] = []
    for person in values:
        name = person.get("name") if isinstance(person, Mapping) else person
        if isinstance(name, str) and name.strip():
            found.append(rendered_line(name))
    return found


def _byline(root: Any) -> list[str]:
    """What the page marks as its author: rel=author, itemprop=author, class byline or author."""
    for wanted in ("rel", "itemprop", "class"):
        for node in root.iter():
            value = (node.get(wanted) or "").lower() if tag_of(node) else ""
            names = value.split()
            hit = "author" in names or (
                wanted == "class"
                and {"byline", "author-name", "entry-author", "post-author", "fn"} & {*names}
            )
            text = plain_text(node) if hit else ""
            match = re.match(
                r"(?:(?:written|posted|published)\s+)?(?:by[:\s]+)?([^|•·,\d]{3,60})",
                text,
                re.IGNORECASE,
            )
            if match and len(text) < 120:
                return [re.sub(r"\s+(?:on|in|at)$", "", match[1].strip())]
    return []


_DATE_NAMES = {
    "published": (
        "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "pubdate",
        "citation_publication_date", "parsely-pub-date", "sailthru.date", "publish-date",
    ),
    "modified": (
        "article:modified_time", "og:updated_time", "datemodified", "last-modified", "dc.date.modified",
    ),
}  # fmt: skip
_DATE_CLASSES = {
    "published": {"published", "entry-date", "post-date", "date-published", "posted-on", "dt-published", "date"},
    "modified": {"updated", "modified", "last-updated", "date-modified", "dt-updated", "post-modified"},
}  # fmt: skip


def _date(root: Any, meta: Mapping[str, str], linked: Mapping[str, Any], which: str) -> str:
    candidates: list[Any] = [
        linked.get("datePublished" if which == "published" else "dateModified")
    ]
    candidates += [meta.get(name) for name in _DATE_NAMES[which]]
    for node in root.iter():
        names = {*(node.get("class") or "").lower().split()} if tag_of(node) else set()
        if tag_of(node) == "time" or names & _DATE_CLASSES[which]:
            prop = (node.get("itemprop") or "").lower()
            other = _DATE_CLASSES["modified" if which == "published" else "published"]
            if names & _DATE_CLASSES[which] or prop == f"date{which}" or (
                which == "published" and not names & other and "modif" not in prop
            ):  # fmt: skip
                candidates += [node.get("datetime"), written_day(plain_text(node))]
    return next((day for c in candidates if c and (day := iso_day(c))), "")


def _tags(root: Any, meta: Mapping[str, str], linked: Mapping[str, Any]) -> list[str]:
    found = [clean_line(t) for t in meta.get("article:tag", "").split("\n")]
    section = meta.get("article:section") or linked.get("articleSection")
    sections = section if isinstance(section, list) else [section]
    found = [clean_line(str(s)) for s in sections if s] + found
    for node in root.iter("a"):
        if {"tag", "category"} & {*(node.get("rel") or "").lower().split()}:
            found.append(plain_text(node))
    return list(dict.fromkeys(t for t in found if t and len(t) < 60))[:20]
