"""A sitemap, or an index of sitemaps: every page it names is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.cleaning import absolute
from ingest.sources.xml_files import local, text_at

MAX_PAGES = 5000
MAX_SITEMAPS = 200


def is_sitemap(root: Any) -> bool:
    """Whether the XML is a sitemap or an index of them."""
    return local(root.tag) in {"urlset", "sitemapindex"}


def pages_of(root: Any, url: str, fetch: Callable[[str], Any]) -> list[tuple[str, str]]:
    """(page URL, lastmod) in order, without doubles; `fetch` gives the root of a further sitemap."""
    found: dict[str, str] = {}
    waiting = [(root, url)]
    seen = {url}
    while waiting and len(found) < MAX_PAGES:
        node, base = waiting.pop(0)
        for entry in node:
            address = absolute(text_at(entry, "loc"), base)
            if not address:
                continue
            if local(entry.tag) == "url":
                found.setdefault(address, text_at(entry, "lastmod"))
            elif local(entry.tag) == "sitemap" and address not in seen and len(seen) < MAX_SITEMAPS:
                seen.add(address)
                waiting.append((fetch(address), address))
    return list(found.items())[:MAX_PAGES]
