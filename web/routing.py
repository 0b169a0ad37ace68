"""Which addresses there are. What is none of them never reaches the chat page's framework.

Gradio brings dozens of routes that the page never calls (runs by name, recordings, log-ins). Being
mounted at the root it would also answer what the API does not, in a shape of its own. So the
addresses are listed here: our own routes, with the methods they take, and what the page fetches.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.security import refuse

_PAGE = frozenset({
    "/", "/config", "/theme.css", "/robots.txt", "/gradio_api/queue/join", "/gradio_api/queue/data",
    "/gradio_api/startup-events", "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/info",
})  # fmt: skip
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PAGE_FOLDERS = ("/assets/", "/static/", "/gradio_api/heartbeat/")


class KnownAddresses:
    """404 for unknown addresses, 405 for wrong methods; HEAD and OPTIONS on our own routes."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            methods = self._methods(scope)
            if methods:
                await self._own(scope, receive, send, methods)
                return
            if not _of_the_page(scope["path"]):
                message = "there is nothing at this address; see /openapi.json"
                await refuse(send, 404, "not_found", message)
                return
        await self._app(scope, receive, send)

    async def _own(self, scope: Scope, receive: Receive, send: Send, methods: set[str]) -> None:
        method = scope["method"]
        allow = ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
        if method in methods:
            await self._app(scope, receive, send)
        elif method == "HEAD" and "GET" in methods:
            scope["method"] = "GET"  # in place: the router notes the route in this very scope
            await self._app(scope, receive, _without_body(send))
        elif method == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": _allow(allow)})
            await send({"type": "http.response.body", "body": b""})
        else:
            message = f"this address takes {allow}"
            await refuse(send, 405, "method_not_allowed", message, _allow(allow))

    def _methods(self, scope: Scope) -> set[str]:
        """The methods that our own routes take at this address; none where it is not ours."""
        return {
            method
            for method in _METHODS
            if any(r.matches({**scope, "method": method})[0] is Match.FULL for r in self._routes)
        }


def _of_the_page(path: str) -> bool:
    return path in _PAGE or path.startswith(_PAGE_FOLDERS)


def _allow(methods: str) -> list[tuple[bytes, bytes]]:
    return [(b"allow", methods.encode())]


def _without_body(send: Send) -> Send:
    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only
