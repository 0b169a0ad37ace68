"""A small real HTTP server that answers as WordPress 6.1 does, faults included.

What it does was seen on a real WordPress: strict pages with `X-WP-Total`, 400 past the end,
`include`, `_fields` that drop `_embedded` unless named, 401 for drafts, error objects in the place
of deleted authors.
"""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(slots=True)
class Post:
    """A post as the database holds it."""

    id: int
    title: str
    content: str
    modified_gmt: str = "2024-01-01T10:00:00"
    date: str = "2023-12-24T09:00:00"
    status: str = "publish"
    password: str = ""
    author: int = 1
    tags: tuple[int, ...] = ()
    categories: tuple[int, ...] = (1,)
    slug: str = ""


@dataclass(slots=True)
class WordPress:
    """The site's posts and users, and what its server was asked."""

    posts: dict[int, Post] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=lambda: {1: "Maya Okafor"})
    terms: dict[int, tuple[str, str]] = field(
        default_factory=lambda: {1: ("category", "Recovery &amp; Sleep"), 2: ("post_tag", "hips")}
    )
    requests: list[str] = field(default_factory=list)
    base: str = ""
    before: Callable[[WordPress, str], tuple[int, dict[str, str], bytes] | None] | None = None
    """Called before each answer; may change the posts, or answer in the server's place."""
    announce: bool = True
    closed: bool = False
    pretty: bool = True

    def add(self, post: Post) -> Post:
        self.posts[post.id] = post
        return post

    def public(self) -> list[Post]:
        return [p for p in self.posts.values() if p.status == "publish"]

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) for a request target."""
        parts = urlsplit(target)
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        route = query.pop("rest_route", "") or (
            parts.path.removeprefix("/wp-json")
            if self.pretty and parts.path.startswith("/wp-json")
            else ""
        )
        if not route:
            return self._page(parts.path)
        if self.closed:
            return _error(401, "rest_not_logged_in")
        if route == "/":
            return _ok(
                {"name": "Blog", "url": self.base, "home": self.base, "namespaces": ["wp/v2"]}
            )
        if route == "/wp/v2/posts":
            return self._list(query)
        if route.startswith("/wp/v2/posts/"):
            return self._one(route.rpartition("/")[2], query)
        return _error(404, "rest_no_route")

    def _page(self, path: str) -> tuple[int, dict[str, str], bytes]:
        headers = {"Content-Type": "text/html; charset=UTF-8"}
        root = f"{self.base}/wp-json/" if self.pretty else f"{self.base}/?rest_route=/"
        if self.announce:
            headers["Link"] = f'<{root}>; rel="https://api.w.org/"'
        if path.startswith("/wp-json"):
            return 301, {"Location": self.base + "/"}, b""
        if path == "/":
            return 200, headers, b"<!DOCTYPE html><html><body><h1>Blog</h1></body></html>"
        return 404, headers, b"<html><body>Not found</body></html>"

    def _list(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
        if not 1 <= size <= 100 or query.get("status", "publish") != "publish":
            return _error(400, "rest_invalid_param")
        posts = self.public()
        if query.get("include"):
            wanted = {int(n) for n in query["include"].split(",")}
            posts = [p for p in posts if p.id in wanted]
        newest_first = query.get("order", "desc") == "desc"
        by = query.get("orderby", "date")
        posts.sort(key=lambda p: p.id if by == "id" else p.date, reverse=newest_first)
        pages = -(-len(posts) // size)
        if page > max(pages, 1):
            return _error(400, "rest_post_invalid_page_number")
        rows = [self._row(p, query) for p in posts[(page - 1) * size : page * size]]
        status, headers, body = _ok(rows)
        return (
            status,
            headers | {"X-WP-Total": str(len(posts)), "X-WP-TotalPages": str(pages)},
            body,
        )

    def _one(self, number: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        post = self.posts.get(int(number))
        if post is None:
            return _error(404, "rest_post_invalid_id")
        if post.status != "publish":
            return _error(401, "rest_forbidden")
        return _ok(self._row(post, query))

    def _row(self, post: Post, query: dict[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": post.id,
            "date": post.date,
            "date_gmt": post.date,
            "modified": post.modified_gmt,
            "modified_gmt": post.modified_gmt,
            "slug": post.slug or f"post-{post.id}",
            "status": post.status,
            "link": f"{self.base}/{post.slug or f'post-{post.id}'}/",
            "title": {"rendered": post.title},
            "content": {
                "rendered": "" if post.password else post.content,
                "protected": bool(post.password),
            },
            "excerpt": {"rendered": "<p>Cut off by WordPress [&hellip;]</p>", "protected": False},
            "author": post.author,
            "categories": list(post.categories),
            "tags": list(post.tags),
            "_links": {},
        }
        if "_embed" in query:
            row["_embedded"] = {"author": [self._user(post.author)], "wp:term": self._terms(post)}
        fields = query.get("_fields")
        return {k: v for k, v in row.items() if k in fields.split(",")} if fields else row

    def _user(self, number: int) -> dict[str, Any]:
        if number in self.users:
            return {"id": number, "name": self.users[number]}
        return {
            "code": "rest_user_invalid_id",
            "message": "Invalid user ID.",
            "data": {"status": 404},
        }

    def _terms(self, post: Post) -> list[list[dict[str, Any]]]:
        return [
            [
                {"id": n, "name": self.terms[n][1], "slug": f"t{n}", "taxonomy": self.terms[n][0]}
                for n in numbers
            ]
            for numbers in (post.categories, post.tags)
        ]


@contextmanager
def serving(site: WordPress) -> Iterator[WordPress]:
    """The site on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.requests.append(self.path)
            answer = site.before(site, self.path) if site.before else None
            status, headers, body = answer or site.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _ok(value: Any) -> tuple[int, dict[str, str], bytes]:
    # WordPress writes control characters and non-ASCII as \\uXXXX, as json.dumps does.
    return 200, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(value).encode()


def _error(status: int, code: str) -> tuple[int, dict[str, str], bytes]:
    body = {"code": code, "message": html.escape(code), "data": {"status": status}}
    return status, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(body).encode()
