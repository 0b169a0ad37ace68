"""From what a person names on the command line to the source that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from ingest.cleaning import clean_line, parse_html
from ingest.fetching import Fetcher, FetchError, Page, check_scheme
from ingest.sources import wordpress
from ingest.sources.bibliography import read_bibtex, read_csl_json, read_ris
from ingest.sources.docx import read_docx
from ingest.sources.feed import page_key, read_feed
from ingest.sources.found import Article, Failed, Found, Gone, Known, Skipped, Unchanged
from ingest.sources.markdown_file import read_markdown
from ingest.sources.page import decoded, read_page
from ingest.sources.pdf import read_pdf
from ingest.sources.sitemap import is_sitemap, pages_of
from ingest.sources.text import read_text
from ingest.sources.wxr import is_wxr, read_wxr
from ingest.sources.xml_files import local, parse_xml
from rag.errors import CorpusError, RagError

MAX_TEXT = 10 * 1024 * 1024
MAX_XML = 150 * 1024 * 1024
FEED_PAGES = 50
_REST_LINK = re.compile(r"<([^>]+)>\s*;\s*rel=[\"']?https://api\.w\.org/[\"']?")
_IGNORED = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_ASSETS = re.compile(r"\.(?:css|js|mjs|png|jpe?g|gif|svg|webp|ico|woff2?|ttf|mp[34]|webm)$")


def read_source(source: str, fetcher: Callable[[], Fetcher], known: Known) -> Iterator[Found]:
    """Everything that `source` holds. Raises nothing: what fails is `Failed` or `Skipped`."""
    try:
        if re.match(r"https?://", source, re.IGNORECASE):
            yield from _read_url(source, fetcher(), known)
        elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", source):
            check_scheme(source)
        else:
            yield from _read_path(source, known)
    except FetchError as error:
        yield Failed(source, str(error), environment=not error.refused)
    except (RagError, OSError) as error:
        yield Failed(source, clean_line(str(error)), environment=isinstance(error, OSError))


# -- files -------------------------------------------------------------------------------------


def _read_path(source: str, known: Known) -> Iterator[Found]:
    path = Path(source).expanduser()
    if path.is_dir():
        yield from _read_folder(path, known)
    elif path.is_file():
        yield from _failing_whole(read_file(path, str(source)))
    else:
        yield Failed(source, "no such file or folder (a web address begins with https://)")


def _failing_whole(found: Iterator[Found]) -> Iterator[Found]:
    """A file named by itself that cannot be read is a failure, not an item passed over."""
    for item in found:
        if isinstance(item, Skipped) and item.reason.startswith(_UNREAD):
            yield Failed(item.source, item.reason.removeprefix(_UNREAD))
        else:
            yield item


_UNREAD = "cannot be read: "


def _read_folder(folder: Path, known: Known) -> Iterator[Found]:
    root = folder.resolve()
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        hidden = any(part.startswith(".") for part in inside.parts)
        assets = any(part.endswith("_files") for part in inside.parts[:-1])
        if hidden or assets or not path.is_file() or path.name.lower() in _IGNORED:
            continue
        if _ASSETS.search(path.name.lower()):
            continue
        if root not in path.resolve().parents:
            yield Skipped(str(folder / inside), "leads out of the folder")
            continue
        yield from read_file(path, str(folder / inside))
    for key, source in known.sources.items():
        if key.startswith("file:") and root in Path(source).parents and not Path(source).exists():
            yield Gone(key, source, "the file is no longer there")


def file_key(path: Path) -> str:
    """A file's identity, without giving away the folders above it."""
    return f"file:{path.name}#{sha256(str(path.resolve()).encode()).hexdigest()[:8]}"


def read_file(path: Path, source: str) -> Iterator[Found]:
    """One file by its suffix. What cannot be read is `Skipped` with a reason."""
    try:
        yield from _by_suffix(path, source, file_key(path))
    except (RagError, OSError) as error:
        yield Skipped(source, f"{_UNREAD}{clean_line(str(error))}")
    except Exception as error:  # one bad file must never stop the rest
        yield Skipped(source, f"{_UNREAD}{type(error).__name__}: {clean_line(str(error))[:150]}")


def _by_suffix(path: Path, source: str, key: str) -> Iterator[Found]:
    match path.suffix.lower():
        case ".html" | ".htm" | ".xhtml":
            yield read_page(_text(path), source=source, key=key)
        case ".md" | ".markdown" | ".mdown":
            yield read_markdown(_text(path), source=source, key=key, stem=path.stem)
        case ".txt" | ".text":
            yield _text_or_page(_text(path), source, key, path.stem)
        case ".pdf":
            yield read_pdf(path, source=source, key=key)
        case ".docx":
            yield read_docx(path, source=source, key=key)
        case ".xml" | ".rss" | ".atom" | ".wxr":
            yield from _read_xml_file(path, source)
        case ".bib" | ".bibtex":
            yield read_bibtex(_text(path), source)
        case ".ris":
            yield read_ris(_text(path), source)
        case ".json":
            yield read_csl_json(_text(path), source)
        case other:
            kinds = ".html .md .txt .pdf .docx .xml .bib .ris .json"
            yield Skipped(source, f"{_UNREAD}{other or 'no suffix'} is none of {kinds}")


def _text_or_page(text: str, source: str, key: str, stem: str) -> Found:
    if re.match(r"\s*(?:<!doctype html|<html\b)", text, re.IGNORECASE):
        return read_page(text, source=source, key=key)
    if re.match(r"\s*---\n(?:[\w-]+:.*\n)+", text):
        return read_markdown(text, source=source, key=key, stem=stem)
    return read_text(text, source=source, key=key, stem=stem)


def _text(path: Path) -> str:
    """A text file's characters; raises `CorpusError` for what is no text by whatever name."""
    data = _bytes(path)
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and _is_binary(data[:100_000]):
        raise CorpusError("a binary file, no text")
    return decoded(data)


def _is_binary(data: bytes) -> bool:
    """Whether more than a stray few of the bytes are control characters, as in no encoding of text."""
    strange = len(data.translate(None, _TEXT_BYTES))
    return data.startswith(_BINARY_STARTS) or strange > max(8, 0.01 * len(data))


_TEXT_BYTES = bytes({*range(0x20, 0x100), *b"\t\n\v\f\r\x1a\x1b"})
_BINARY_STARTS = (
    b"\x89PNG",
    b"%PDF-",
    b"PK\x03\x04",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x7fELF",
    b"\xd0\xcf\x11\xe0",
)


def _bytes(path: Path, limit: int = MAX_TEXT) -> bytes:
    size = path.stat().st_size
    if size > limit:
        raise CorpusError(
            f"{size // (1024 * 1024)} MB, larger than {limit // (1024 * 1024)} MB: refused"
        )
    return path.read_bytes()


def _read_xml_file(path: Path, source: str) -> Iterator[Found]:
    size = path.stat().st_size
    if size > MAX_XML:
        raise CorpusError(f"{size // (1024 * 1024)} MB, larger than {MAX_XML // (1024 * 1024)} MB")
    root = parse_xml(path, "the file")
    if is_wxr(root):
        yield from _failing_as_file(read_wxr(root, source))
    elif local(root.tag) in {"rss", "feed", "rdf"}:
        yield from read_feed(_bytes(path, MAX_XML), source)
    else:
        raise CorpusError(f"XML, but no WordPress export and no feed (<{local(root.tag)}>)")


def _failing_as_file(found: Iterator[Found]) -> Iterator[Found]:
    for item in found:
        yield Skipped(item.source, _UNREAD + item.reason) if isinstance(item, Failed) else item


# -- web addresses -----------------------------------------------------------------------------


def _read_url(url: str, fetcher: Fetcher, known: Known) -> Iterator[Found]:
    page = fetcher.ask(url)
    kind = page.content_type
    start = page.body[:600].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if (
        page.status == 200
        and (start.startswith(b"<?xml") or "xml" in kind)
        and b"<html" not in start
    ):
        yield from _read_xml_url(page, url, fetcher, known)
        return
    if kind == "application/pdf" or start.startswith(b"%pdf"):
        yield from _read_download(page, url, ".pdf")
        return
    if "officedocument.wordprocessingml" in kind or urlsplit(url).path.lower().endswith(".docx"):
        yield from _read_download(page, url, ".docx")
        return
    site = _wordpress_at(page, url, fetcher)
    if site is not None:
        yield from wordpress.read_site(fetcher, site, known)
    elif page.status != 200:
        yield Failed(url, f"the server answered {page.status}", environment=page.status >= 500)
    else:
        found = list(_post_or_page(page, url, fetcher))
        yield from found


def _wordpress_at(page: Page, url: str, fetcher: Fetcher) -> wordpress.Site | None:
    """The WordPress whose front page (or REST root) `url` is."""
    if "wp-json" in url or "rest_route=" in url:
        root = re.sub(r"(/wp-json)(?:/.*)?$", r"\1/", url)
        root = re.sub(r"(rest_route=)[^&]*.*$", r"\1/", root)
        home = re.sub(r"(?:wp-json/|\?rest_route=/?).*$", "", root)
        return wordpress.site_at(fetcher, root, home) or wordpress.posts_answer_at(
            fetcher, root, home
        )
    announced = _announced_root(page)
    is_front = urlsplit(page.url).path.rstrip("/") in {"", "/index.php"}
    if announced:
        site = wordpress.site_at(fetcher, announced, page.url) or (
            wordpress.posts_answer_at(fetcher, announced, page.url) if is_front else None
        )
        if site and (page_key(site.home) in {page_key(page.url), page_key(url)} or is_front):
            return site
        return None
    if not is_front and page.status == 200 and page.content_type not in {"", "application/json"}:
        return None
    base = page.url if page.status == 200 else url
    for root in (urljoin(base.rstrip("/") + "/", "wp-json/"), urljoin(base, "?rest_route=/")):
        try:
            found = wordpress.site_at(fetcher, root, base) or wordpress.posts_answer_at(
                fetcher, root, base
            )
        except FetchError:
            continue
        if found:
            return found
    return None


def _announced_root(page: Page) -> str:
    header = _REST_LINK.search(page.headers.get("link", ""))
    if header:
        return urljoin(page.url, str(header[1]))
    start = page.body[:200_000].decode("utf-8", "replace")
    match = re.search(r"<link[^>]+rel=[\"']https://api\.w\.org/[\"'][^>]*>", start, re.IGNORECASE)
    href = re.search(r"href=[\"']([^\"']+)", match.group()) if match else None
    return str(urljoin(page.url, href[1].replace("&amp;", "&"))) if href else ""


def _post_or_page(page: Page, url: str, fetcher: Fetcher) -> Iterator[Found]:
    """A post's page is read through the REST API: the page shows only the first of its parts."""
    if len(page.body) > MAX_TEXT:
        yield Failed(url, f"larger than {MAX_TEXT // (1024 * 1024)} MB: refused")
        return
    markup = decoded(page.body, _charset(page))
    if not page.content_type.startswith(("text/html", "application/xhtml")) and page.content_type:
        if page.content_type.startswith("text/"):
            yield read_text(markup, source=url, key=f"page:{page_key(url)}", url=url)
            return
        if not re.search(r"<html|<body|<p\b", markup[:5000], re.IGNORECASE):
            yield Failed(url, f"{page.content_type} is no page, feed or document that is read")
            return
    number = _post_number(page, markup)
    announced = _announced_root(page)
    if number and announced:
        try:
            site = wordpress.site_at(fetcher, announced, page.url)
            found = list(wordpress.read_post(fetcher, site, number)) if site else []
        except FetchError:
            found = []
        if found:
            yield from found
            return
    yield read_page(markup, url=page.url, source=url)


def _charset(page: Page) -> str:
    match = re.search(r"charset=\"?([\w-]+)", page.headers.get("content-type", ""))
    return match[1] if match else ""


def _post_number(page: Page, markup: str) -> int | None:
    """The id of the WordPress post that a page shows, as its header or head says."""
    header = re.search(r"wp/v2/posts/(\d+)[^>]*>;\s*rel=\"?alternate", page.headers.get("link", ""))
    if header:
        return int(header[1])
    root = parse_html(markup)
    for node in root.iter("link") if root is not None else ():
        if node.get("type") == "application/json" and node.get("rel") == "alternate":
            match = re.search(r"wp/v2/posts/(\d+)", node.get("href") or "")
            if match:
                return int(match[1])
    return None


def _read_download(page: Page, url: str, suffix: str) -> Iterator[Found]:
    """A PDF or Word file from the web, read from a temporary file."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        name = urlsplit(url).path.rstrip("/").rpartition("/")[2].removesuffix(suffix) or "document"
        path = Path(folder) / f"{re.sub(r'[^A-Za-z0-9._-]', '-', name)[:80]}{suffix}"
        path.write_bytes(page.body)
        for item in _failing_whole(read_file(path, url)):
            if isinstance(item, Article):
                yield replace(item, key=f"page:{page_key(url)}", url=url)
            else:
                yield item


def _read_xml_url(page: Page, url: str, fetcher: Fetcher, known: Known) -> Iterator[Found]:
    try:
        root = parse_xml(page.body, url)
    except CorpusError as error:
        if "rss" in page.content_type or "atom" in page.content_type:
            yield from _feed(page, url, fetcher)
            return
        raise error
    if is_wxr(root):
        yield from read_wxr(root, url)
    elif is_sitemap(root):
        yield from _sitemap(root, page.url, fetcher, known)
    elif local(root.tag) in {"rss", "feed", "rdf"}:
        yield from _feed(page, url, fetcher)
    else:
        yield Failed(url, f"XML, but no feed, sitemap or WordPress export (<{local(root.tag)}>)")


def _feed(page: Page, url: str, fetcher: Fetcher) -> Iterator[Found]:
    """The feed, and with WordPress its further pages (ten items each)."""
    seen: set[str] = set()
    yield from read_feed(page.body, page.url, read_page=lambda u: _page(u, fetcher), seen=seen)
    if b"wordpress.org" not in page.body[:5000]:
        return
    for number in range(2, FEED_PAGES + 1):
        joint = "&" if urlsplit(url).query else "?"
        further = fetcher.ask(f"{url}{joint}paged={number}")
        before = len(seen)
        if further.status != 200:
            return
        yield from read_feed(
            further.body, further.url, read_page=lambda u: _page(u, fetcher), seen=seen
        )
        if len(seen) == before:
            return


def _page(url: str, fetcher: Fetcher) -> Iterator[Found]:
    """One page of a feed or sitemap: its failure is its own."""
    try:
        page = fetcher.get(url)
        yield from _post_or_page(page, url, fetcher)
    except FetchError as error:
        yield Skipped(url, str(error))
    except Exception as error:  # one bad page must never stop the rest
        yield Skipped(url, f"{_UNREAD}{type(error).__name__}: {clean_line(str(error))[:150]}")


def _sitemap(root: Any, url: str, fetcher: Fetcher, known: Known) -> Iterator[Found]:
    pages = pages_of(root, url, lambda u: parse_xml(fetcher.get(u).body, u))
    listed: set[str] = set()
    host = urlsplit(url).netloc.lower()
    for address, stamp in pages:
        if urlsplit(address).netloc.lower() != host:
            yield Skipped(address, "on another site than the sitemap")
            continue
        key = f"page:{page_key(address)}"
        listed.add(key)
        if stamp and known.fingerprints.get(key) == stamp:
            yield Unchanged(key, address)
            continue
        for item in _page(address, fetcher):
            if isinstance(item, Article):
                listed.add(item.key)
                yield replace(item, fingerprint=stamp or item.fingerprint, scope=url)
            else:
                yield item
    for key, scope in known.scopes.items():
        if scope == url and key not in listed:
            yield from _left_sitemap(key, known.sources.get(key, key), fetcher)


def _left_sitemap(key: str, source: str, fetcher: Fetcher) -> Iterator[Found]:
    try:
        status = fetcher.ask(source).status
    except FetchError as error:
        yield Failed(source, f"could not be asked for ({error}); kept", environment=True)
        return
    if status in {401, 403, 404, 410}:
        yield Gone(key, source, f"left the sitemap and answers {status}")
