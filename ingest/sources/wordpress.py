"""A WordPress site over its REST API, without login: only what everybody may read.

`modified_after` is not used: it misses posts that go live on schedule, renamed authors, new tags
and everything that left. Each run lists the posts' stamps, authors and terms, which is cheap, and
fetches in full those that differ from what is known. Only a complete listing removes anything,
and each removal is confirmed by asking for the post.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ingest.cleaning import absolute, clean_text, content_markdown, iso_day, rendered_line
from ingest.fetching import Fetcher, FetchError, Page
from ingest.sources.found import Article, Failed, Found, Gone, Known, Skipped, Unchanged

PER_PAGE = 100
LISTINGS = 4
"""How often a listing is begun anew when posts come or go while it is read."""
_LISTED_FIELDS = "id,status,link,slug,modified_gmt,date_gmt,author,categories,tags,_links,_embedded"
_JSON = "application/json"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """A WordPress site: its REST root ("…/wp-json/" or "…/?rest_route=/") and its home."""

    root: str
    home: str

    @property
    def key(self) -> str:
        """What the keys of the site's posts begin with; the same for http and https."""
        parts = urlsplit(self.home)
        return f"wordpress:{parts.netloc.lower()}{parts.path.rstrip('/')}#"

    def address(self, route: str, **query: Any) -> str:
        """The URL of a REST route such as "wp/v2/posts"."""
        parts = urlsplit(self.root)
        given = dict(parse_qsl(parts.query))
        if "rest_route" in given:
            given["rest_route"] = given["rest_route"].rstrip("/") + "/" + route
            return urlunsplit(parts._replace(query=urlencode({**given, **query}, safe="/,")))
        url = self.root.rstrip("/") + "/" + route
        return f"{url}?{urlencode(query, safe=',')}" if query else url


def site_at(fetcher: Fetcher, root: str, fallback_home: str) -> Site | None:
    """The site whose REST API answers at `root`; None where that is no WordPress."""
    page = fetcher.ask(root, accept=_JSON)
    if page.status in {401, 403} and _error_code(page).startswith("rest_"):
        return Site(root, fallback_home)
    answer = _json(page)
    if page.status != 200 or not isinstance(answer, dict) or "namespaces" not in answer:
        return None
    if "wp/v2" not in answer["namespaces"]:
        return None
    home = str(answer.get("home") or answer.get("url") or fallback_home)
    return Site(root, absolute(home, fallback_home) or fallback_home)


def posts_answer_at(fetcher: Fetcher, root: str, home: str) -> Site | None:
    """The site where `root` itself says nothing but its posts can be listed."""
    site = Site(root, home)
    page = fetcher.ask(site.address("wp/v2/posts", per_page=1), accept=_JSON)
    answer = _json(page)
    listed = isinstance(answer, list) and all(isinstance(r, dict) and "id" in r for r in answer)
    closed = page.status in {401, 403} and _error_code(page).startswith("rest_")
    return site if (page.status == 200 and listed) or closed else None


def read_site(fetcher: Fetcher, site: Site, known: Known) -> Iterator[Found]:
    """Every post of the site: changed, unchanged, skipped or gone."""
    earlier = {k: v for k, v in known.fingerprints.items() if k.startswith(site.key + "post-")}
    try:
        rows = _listing(fetcher, site, whole=not earlier)
    except FetchError as error:
        yield Failed(site.home, f"{error}; nothing was removed", environment=True)
        return
    wanted: list[Row] = []
    for row in rows.values():
        key = f"{site.key}post-{row['id']}"
        if earlier.get(key) == fingerprint_of(row) and not _protected(row):
            yield Unchanged(key, str(row.get("link") or key))
        else:
            wanted.append(row)
    yield from _full(fetcher, site, wanted)
    for key in earlier:
        number = key.rpartition("-")[2]
        if number.isdigit() and int(number) not in rows:
            yield from _confirmed_gone(fetcher, site, int(number), key, known)


def read_post(fetcher: Fetcher, site: Site, number: int) -> Iterator[Found]:
    """One post by its id."""
    page = fetcher.ask(site.address(f"wp/v2/posts/{number}", _embed=1), accept=_JSON)
    row = _json(page)
    if page.status == 200 and isinstance(row, dict):
        yield article_of(site, row)


def fingerprint_of(row: Row) -> str:
    """Changes with a save, a new address, another author's name, other terms or their names."""
    shape = [
        row.get("modified_gmt"), row.get("date_gmt"), row.get("link"), row.get("slug"),
        row.get("author"), _author(row), sorted(_terms(row)),
    ]  # fmt: skip
    return sha256(json.dumps(shape, sort_keys=True, default=str).encode()).hexdigest()[:16]


def article_of(site: Site, row: Row) -> Article | Skipped:
    """A post as an article, or why it is none."""
    key = f"{site.key}post-{row['id']}"
    link = absolute(str(row.get("link") or ""), site.home)
    source = link or key
    if _protected(row):
        return Skipped(source, "password-protected", key)
    if row.get("status", "publish") != "publish":
        return Skipped(source, f"status is {row.get('status')}, not publish", key)
    body = content_markdown(_rendered(row, "content"), base=link or site.home)
    if not body.strip():
        return Skipped(source, "the post has no text", key)
    title = rendered_line(_rendered(row, "title")) or f"Post {row['id']}"
    return Article(
        key=key,
        source=source,
        title=title,
        body=body,
        author=_author(row),
        date=iso_day(row.get("date") or row.get("date_gmt")),
        updated=iso_day(row.get("modified") or row.get("modified_gmt")),
        url=link,
        tags=tuple(_terms(row)),
        summary=_excerpt(row),
        slug=str(row.get("slug") or ""),
        post_id=str(row["id"]),
        modified=_utc(row.get("modified_gmt")),
        fingerprint=fingerprint_of(row),
    )


# -- listing -----------------------------------------------------------------------------------


def _listing(fetcher: Fetcher, site: Site, *, whole: bool) -> dict[int, Row]:
    """All public posts by id. Begun anew where the count changed on the way."""
    for _ in range(LISTINGS):
        rows, before, after = _one_listing(fetcher, site, whole=whole)
        if before is None or (before == after == len(rows)):
            return rows
    raise FetchError(f"{site.home}: posts kept changing while they were listed; run it again")


def _one_listing(
    fetcher: Fetcher, site: Site, *, whole: bool
) -> tuple[dict[int, Row], int | None, int | None]:
    """(rows by id, the total the first page gave, the total the last gave)."""
    rows: dict[int, Row] = {}
    totals: list[int] = []
    number = 1
    while True:
        # By id, so that a post published meanwhile lands on the last page and shifts none.
        query: dict[str, Any] = {
            "per_page": PER_PAGE, "page": number, "orderby": "id", "order": "asc",
        }  # fmt: skip
        query |= {"_embed": "author,wp:term"} if whole else {
            "_fields": _LISTED_FIELDS, "_embed": "author,wp:term",
        }  # fmt: skip
        page = fetcher.ask(site.address("wp/v2/posts", **query), accept=_JSON)
        if page.status == 400 and number > 1:
            break
        found = _rows(page)
        rows.update((int(row["id"]), row) for row in found)
        total, pages = _count(page, "x-wp-total"), _count(page, "x-wp-totalpages")
        if total is not None:
            totals.append(total)
        if not found or (pages is not None and number >= pages):
            break
        number += 1
    return rows, totals[0] if totals else None, totals[-1] if totals else None


def _full(fetcher: Fetcher, site: Site, rows: Sequence[Row]) -> Iterator[Found]:
    """The rows as articles, fetched in full where the listing held no content."""
    bare = [row for row in rows if "content" not in row]
    for row in rows:
        if "content" in row:
            yield article_of(site, row)
    for start in range(0, len(bare), PER_PAGE):
        batch = bare[start : start + PER_PAGE]
        try:
            fetched = _by_ids(fetcher, site, [int(row["id"]) for row in batch])
        except FetchError as error:
            yield Failed(site.home, str(error), environment=True)
            return
        for row in batch:
            whole = fetched.get(int(row["id"]))
            if whole is not None:
                yield article_of(site, whole)


def _by_ids(fetcher: Fetcher, site: Site, ids: Sequence[int]) -> dict[int, Row]:
    joined = ",".join(str(n) for n in ids)
    page = fetcher.ask(
        site.address(
            "wp/v2/posts", include=joined, per_page=PER_PAGE, orderby="id", order="asc",
            _embed="author,wp:term",
        ),
        accept=_JSON,
    )  # fmt: skip
    fetched = {int(row["id"]): row for row in _rows(page) if int(row["id"]) in ids}
    for number in ids:
        if number not in fetched:  # left meanwhile, or a server that ignores `include`
            answer = fetcher.ask(site.address(f"wp/v2/posts/{number}", _embed=1), accept=_JSON)
            row = _json(answer)
            if answer.status == 200 and isinstance(row, dict) and "id" in row:
                fetched[number] = row
    return fetched


def _confirmed_gone(
    fetcher: Fetcher, site: Site, number: int, key: str, known: Known
) -> Iterator[Found]:
    source = known.sources.get(key, key)
    try:
        page = fetcher.ask(site.address(f"wp/v2/posts/{number}", _embed=1), accept=_JSON)
    except FetchError as error:
        yield Failed(source, f"could not be asked for ({error}); kept", environment=True)
        return
    row = _json(page)
    if page.status == 200 and isinstance(row, dict) and "id" in row:
        yield article_of(site, row)
    elif page.status in {401, 403, 404, 410}:
        reason = "deleted" if page.status in {404, 410} else "no longer public"
        yield Gone(key, source, f"{reason} on the site")
    else:
        yield Failed(source, f"the server answered {page.status}; kept", environment=True)


# -- answers -----------------------------------------------------------------------------------


def _rows(page: Page) -> list[Row]:
    answer = _json(page)
    if page.status in {401, 403}:
        raise FetchError(
            f"{page.url}: the site's REST API is closed ({_error_code(page) or page.status}); "
            "import its feed address or its export file (Tools > Export) instead",
            refused=True,
        )
    if page.status != 200 or not isinstance(answer, list):
        code = _error_code(page)
        raise FetchError(
            f"{page.url}: the server answered {page.status}{f' {code}' if code else ''}, no posts",
            status=page.status,
        )
    return [row for row in answer if isinstance(row, dict) and str(row.get("id", "")).isdigit()]


def _json(page: Page) -> Any:
    try:
        return json.loads(clean_text(page.body.decode("utf-8-sig", "replace")))
    except (ValueError, RecursionError):
        return None


def _error_code(page: Page) -> str:
    answer = _json(page)
    return str(answer.get("code") or "") if isinstance(answer, dict) else ""


def _count(page: Page, header: str) -> int | None:
    value = page.headers.get(header, "")
    return int(value) if value.isdigit() else None


def _protected(row: Row) -> bool:
    content = row.get("content")
    return isinstance(content, Mapping) and bool(content.get("protected"))


def _rendered(row: Row, name: str) -> str:
    value = row.get(name)
    text = value.get("rendered") if isinstance(value, Mapping) else value
    return clean_text(str(text or ""))


def _embedded(row: Row, name: str) -> list[Any]:
    embedded = row.get("_embedded")
    found = embedded.get(name) if isinstance(embedded, Mapping) else None
    return found if isinstance(found, list) else []


def _author(row: Row) -> str:
    """The display name; "" where the author was deleted (an error object stands there)."""
    for author in _embedded(row, "author"):
        if isinstance(author, Mapping) and author.get("name"):
            return rendered_line(str(author["name"]))
    return ""


def _terms(row: Row) -> list[str]:
    """Names of categories and tags, in that order, without WordPress's "Uncategorized"."""
    names: list[str] = []
    for group in _embedded(row, "wp:term"):
        for term in group if isinstance(group, list) else ():
            if isinstance(term, Mapping) and term.get("taxonomy", "post_tag") in {
                "category", "post_tag",
            }:  # fmt: skip
                name = rendered_line(str(term.get("name") or ""))
                if name and term.get("slug") != "uncategorized":
                    names.append(name)
    return list(dict.fromkeys(names))


def _excerpt(row: Row) -> str:
    """The excerpt if a person wrote it; WordPress makes its own of the text's beginning.

    Its own leaves out blocks such as the latest posts, so only the beginnings are compared.
    """
    text = rendered_line(_rendered(row, "excerpt"))
    content = rendered_line(_rendered(row, "content"))
    start = re.sub(r"\W+", "", text)[:30]
    own = re.sub(r"\W+", "", content).startswith(start)
    return "" if own or text.endswith(("[…]", "[...]", "…")) else text


def _utc(stamp: Any) -> str:
    text = str(stamp or "")
    return f"{text}Z" if text and not text.endswith("Z") else text
