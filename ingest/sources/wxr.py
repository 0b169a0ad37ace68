"""A WordPress export file (WXR): everything the site has, of which only public posts are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ingest.cleaning import clean_text, content_markdown, iso_day, raw_line, with_paragraphs
from ingest.sources.found import Article, Failed, Found, Skipped
from ingest.sources.wordpress import Site
from ingest.sources.xml_files import children, local, text_at

_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


def is_wxr(root: Any) -> bool:
    """Whether the XML says it is a WordPress export, or was meant to be one."""
    return local(root.tag) == "rss" and any(
        local(node.tag) in {"wxr_version", "base_blog_url", "post_type"}
        for child in root
        for node in (child, *child)
    )


def read_wxr(root: Any, source: str) -> Iterator[Found]:
    """Every item of the export: an article, or skipped and why."""
    channel = next(iter(children(root, "channel")), None)
    if channel is None:
        yield Failed(source, "the export has no <channel>: it is damaged or no WordPress export")
        return
    if not text_at(channel, "wxr_version"):
        yield Failed(source, "the export has no wxr_version: no WordPress export")
        return
    home = text_at(channel, "base_blog_url") or text_at(channel, "link")
    site = Site("", home or source)
    authors = {
        text_at(a, "author_login"): raw_line(text_at(a, "author_display_name"))
        for a in children(channel, "author")
    }
    seen: Counter[str] = Counter()
    for item in children(channel, "item"):
        found = _found(item, site, authors, source)
        if isinstance(found, Article):
            seen[found.key] += 1
            if seen[found.key] > 1:
                found = Skipped(found.source, f"post {found.post_id} stands in the file twice")
        yield found


def _found(item: Any, site: Site, authors: dict[str, str], source: str) -> Article | Skipped:
    number = text_at(item, "post_id")
    key = f"{site.key}post-{number}" if number else f"{site.key}{text_at(item, 'link')}"
    link = text_at(item, "link")
    title = raw_line(text_at(item, "title"))
    name = link if urlsplit(link).scheme in {"http", "https"} else f"{source}#{number or title}"
    kind = text_at(item, "post_type") or "post"
    if kind != "post":
        return Skipped(name, f"a {kind}, not a post")
    status = text_at(item, "status") or "publish"
    if status != "publish":
        return Skipped(name, f"status is {status}, not publish", key)
    if text_at(item, "post_password"):
        return Skipped(name, "password-protected", key)
    raw = clean_text("".join(n.text or "" for n in item if n.tag == _CONTENT))
    body = content_markdown(with_paragraphs(raw), base=link or site.home)
    if not body.strip():
        return Skipped(name, "the post has no text", key)
    return Article(
        key=key,
        source=name,
        title=title or f"Post {number}",
        body=body,
        author=authors.get(text_at(item, "creator")) or raw_line(text_at(item, "creator")),
        date=_day(item, "post_date", "post_date_gmt") or iso_day(_rfc822(text_at(item, "pubdate"))),
        updated=_day(item, "post_modified", "post_modified_gmt"),
        url=link if name == link else "",
        tags=_tags(item),
        summary=raw_line(_excerpt(item)),
        slug=text_at(item, "post_name"),
        post_id=number,
        modified=_stamp(text_at(item, "post_modified_gmt")),
    )


def _day(item: Any, *names: str) -> str:
    for name in names:
        value = text_at(item, name)
        if value and not value.startswith("0000"):
            return iso_day(value)
    return ""


def _rfc822(text: str) -> Any:
    import email.utils

    try:
        return email.utils.parsedate_to_datetime(text)
    except ValueError:
        return ""


def _stamp(text: str) -> str:
    return f"{text.replace(' ', 'T')}Z" if text and not text.startswith("0000") else ""


def _excerpt(item: Any) -> str:
    return "".join(
        n.text or "" for n in item if local(n.tag) == "encoded" and "excerpt" in str(n.tag)
    )


def _tags(item: Any) -> tuple[str, ...]:
    names = [
        raw_line("".join(c.itertext()))
        for c in children(item, "category")
        if c.get("domain", "category") in {"category", "post_tag"}
        and c.get("nicename") != "uncategorized"
    ]
    return tuple(dict.fromkeys(n for n in names if n))
