"""What every response and every request must keep to: headers, origins, sizes, closed doors.

Plain ASGI middleware, because Starlette's convenience class would buffer streamed answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.metrics import Metrics

API_BODY_LIMIT = 64 * 1024
"""Bytes. A question with twenty turns of history fits many times over."""

PAGE_BODY_LIMIT = 1024 * 1024
"""Bytes. The chat page sends its own conversation back with some events."""

# Gradio's front end starts from inline scripts and has no hook for nonces.
_PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'self'; "
    "form-action 'none'; object-src 'none'; frame-ancestors "
)
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}
_CLOSED = ("/gradio_api/upload", "/gradio_api/upload_progress", "/gradio_api/stream/")


def error_body(code: str, message: str) -> dict[str, dict[str, str]]:
    """The shape of every error that leaves the API."""
    return {"error": {"code": code, "message": message}}


class ResponseHeaders:
    """Adds the security headers and long caching of the page's hashed assets."""

    def __init__(self, app: ASGIApp, frame_hosts: Iterable[str]) -> None:
        self._app = app
        self._page_policy = _PAGE_POLICY + " ".join(("'self'", *frame_hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _FIXED.items():
                    headers.setdefault(name, value)
                policy = _API_POLICY if path.startswith("/api/") else self._page_policy
                headers.setdefault("Content-Security-Policy", policy)
                if path.startswith("/assets/") and message["status"] == 200:
                    headers["Cache-Control"] = "public, max-age=31536000, immutable"
            await send(message)

        await self._app(scope, receive, with_headers)


class ClosedDoors:
    """Refuses uploads (the page has none, Gradio would store them) and bodies that are too big."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if any(door in path for door in _CLOSED):
            await refuse(send, 403, "not_available", "files cannot be uploaded here")
            return
        if scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
            await self._app(scope, receive, send)
            return
        limit = API_BODY_LIMIT if path.startswith("/api/") else PAGE_BODY_LIMIT
        body = await _body(scope, receive, limit)
        if body is None:
            message = f"the request is too big; at most {limit // 1024} kB are read"
            await refuse(send, 413, "too_large", message)
            return
        await self._app(scope, _replayed(body, receive), send)


class Origins:
    """Lets only this site and the allowed ones call the API from a browser."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "").rstrip("/").lower()
        if not origin or _is_own(origin, headers):
            await self._app(scope, receive, _varying(send))
        elif origin not in self._allowed:
            message = (
                "this site may not use the coach; its owner can add the site's address to "
                "GLUTE_ALLOWED_ORIGINS"
            )
            await refuse(_varying(send), 403, "origin_not_allowed", message)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(_allowing(send, headers["origin"]))
        else:
            await self._app(scope, receive, _allowing(send, headers["origin"]))


class Measured:
    """Counts requests and how long they took, by route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method = _method(scope)
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.request(method, _route(scope), status, seconds)


def _method(scope: Scope) -> str:
    """The method, from a closed set: a made-up one must not make a new time series."""
    method = str(scope["method"])
    return method if method in {"GET", "HEAD", "POST", "OPTIONS"} else "other"


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", "")
    return path if path and scope["path"] != "/" and "{path:path}" not in path else "page"


def _is_own(origin: str, headers: Headers) -> bool:
    """Whether a browser's call comes from a page of this very site.

    Browsers set Sec-Fetch-Site and pages cannot; where it is missing (plain http), the host is
    compared, without the scheme, which a proxy that ends TLS changes.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(origin).netloc == headers.get("host", "").lower()


def _varying(send: Send) -> Send:
    async def vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Origin")
        await send(message)

    return vary


def _allowing(send: Send, origin: str) -> Send:
    async def allow(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"
            headers.add_vary_header("Origin")
        await send(message)

    return allow


async def _preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"content-type, accept"),
        (b"access-control-max-age", b"86400"),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def refuse(
    send: Send, status: int, code: str, message: str, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Sends an error in the API's shape, with `more` headers."""
    body = json.dumps(error_body(code, message)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    # The rest of a body that nobody reads must not be taken for the next request.
    if status == 413:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None once it is past the limit, whatever Content-Length claims."""
    length = Headers(scope=scope).get("content-length", "")
    if length.isdigit() and int(length) > limit:
        return None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            return None
        if not message.get("more_body"):
            break
    return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
