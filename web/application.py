"""Puts the web layer together: API first, then the widget's files, then the chat page at /."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from rag.settings import Settings
from web.api import add_error_shapes, api_routes, describe_as_served, service_routes
from web.asking import Desk
from web.feedback import Ledger
from web.limits import ClientLimits
from web.metrics import Metrics
from web.ports import CoachPort
from web.routing import KnownAddresses
from web.security import ClosedDoors, Measured, Origins, ResponseHeaders

TITLE = "Glute Coach"
_FILES = Path(__file__).parent / "widget"


def create_app(
    coach: CoachPort,
    settings: Settings,
    *,
    frame_hosts: Iterable[str] = (),
    with_page: bool = True,
) -> FastAPI:
    """The whole application.

    `frame_hosts` are sites besides GLUTE_ALLOWED_ORIGINS that may show the page in a frame, such
    as a hosting service's own. `with_page=False` leaves out the chat page, and with it Gradio.
    """
    app = FastAPI(title=TITLE, version="1.0", docs_url=None, redoc_url=None)
    metrics = Metrics()
    ledger = Ledger(settings.data, keep_questions=settings.log_questions == "on")
    desk = Desk(coach, ClientLimits(settings.rate_limit), ledger, metrics)
    app.include_router(service_routes(desk))
    app.include_router(file_routes())
    if token := settings.admin_token.get_secret_value():
        from web.report import report_routes

        app.include_router(report_routes(ledger, token))
    app.include_router(api_routes(desk))
    add_error_shapes(app)
    describe_as_served(app)
    own = tuple(app.routes)
    if with_page:
        from web.chat_page import mount_chat_page

        mount_chat_page(app, desk)
    # The last one added is the outermost.
    app.add_middleware(KnownAddresses, routes=own)
    app.add_middleware(ClosedDoors)
    app.add_middleware(Origins, allowed=settings.origins)
    app.add_middleware(ResponseHeaders, frame_hosts=(*settings.origins, *frame_hosts))
    app.add_middleware(Measured, metrics=metrics)
    return app


def file_routes() -> APIRouter:
    """The widget, a page that shows it, and what browsers ask of every site."""
    routes = APIRouter()

    @routes.get(
        "/widget.js",
        summary="The widget for any page",
        response_class=Response,
        responses={200: {"content": {"text/javascript": {"schema": {"type": "string"}}}}},
    )
    def widget(request: Request) -> Response:
        body, tag = _file("widget.js")
        headers = {
            "ETag": tag,
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
            # <script type="module"> is fetched as data is; the file holds nothing of anybody's.
            "Access-Control-Allow-Origin": "*",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)

    @routes.get("/widget-demo", include_in_schema=False)
    def demo() -> HTMLResponse:
        return HTMLResponse(_file("demo.html")[0])

    @routes.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response(_file("icon.svg")[0], media_type="image/svg+xml", headers=headers)

    @routes.get("/manifest.json", include_in_schema=False)
    def manifest() -> JSONResponse:
        icons = [{"src": "/favicon.ico", "type": "image/svg+xml", "sizes": "any"}]
        content = {"name": TITLE, "short_name": TITLE, "start_url": "/", "display": "standalone"}
        return JSONResponse({**content, "icons": icons}, media_type="application/manifest+json")

    return routes


@cache
def _file(name: str) -> tuple[bytes, str]:
    """(content, entity tag) of a file that ships with the widget."""
    body = (_FILES / name).read_bytes()
    return body, f'"{sha256(body).hexdigest()[:16]}"'
