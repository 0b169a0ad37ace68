"""An RSS or Atom feed: its newest items, with their full text where the feed carries it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from ingest.cleaning import absolute, content_markdown, rendered_line
from ingest.sources.found import Article, Failed, Found, Skipped

MAX_PAGES = 100
ReadPage = Callable[[str], Iterator[Found]]
"""Imports the page at a URL."""


def read_feed(
    body: bytes, url: str, *, read_page: ReadPage | None = None, seen: set[str] | None = None
) -> Iterator[Found]:
    """The feed's items. An item that holds only a summary is read from its page."""
    import feedparser

    feed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    if not feed.entries and feed.bozo:
        reason = " ".join(str(feed.get("bozo_exception", "")).split())
        yield Failed(url, f"the feed cannot be read ({reason})")
        return
    for entry in feed.entries:
        link = absolute(str(entry.get("link") or ""), url)
        identity = link or str(entry.get("id") or entry.get("title") or "")
        if seen is not None:
            if identity in seen:
                continue
            seen.add(identity)
        yield from _item(entry, link, identity, url, feed.feed, read_page)


def _item(
    entry: Any, link: str, identity: str, url: str, feed: Any, read_page: ReadPage | None
) -> Iterator[Found]:
    content = next((c.get("value", "") for c in entry.get("content", ())), "")
    if "post-password-form" in (content or entry.get("summary", "")):
        yield Skipped(link or identity, "password-protected")
        return
    if not content and link and read_page is not None:
        yield from read_page(link)
        return
    body = content_markdown(content or entry.get("summary", ""), base=link or url)
    if not body:
        yield Skipped(link or identity, "the item has no text")
        return
    yield Article(
        key=f"page:{page_key(link)}" if link else f"feed:{url}#{identity}",
        source=link or f"{url}#{identity}",
        title=rendered_line(entry.get("title", "")) or "Untitled",
        body=body,
        author=rendered_line(entry.get("author", "") or feed.get("author", "")),
        date=_day(entry.get("published_parsed") or entry.get("updated_parsed")),
        updated=_day(entry.get("updated_parsed")) if "updated_parsed" in entry else "",
        url=link,
        tags=tuple(
            dict.fromkeys(rendered_line(t.get("term") or "") for t in entry.get("tags", ()))
        ),
        slug=urlsplit(link).path.rstrip("/").rpartition("/")[2],
    )


def page_key(url: str) -> str:
    """A URL without what does not change the page: scheme, fragment, last slash, host's case."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}{query}"


def _day(parsed: Any) -> str:
    if not parsed:
        return ""
    try:
        return date(*parsed[:3]).isoformat()
    except (TypeError, ValueError):
        return ""
