"""A real server, a real browser, and a page of another origin that carries the widget."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from rag.settings import Settings
from tests.fakes import FakeCoach
from web.application import create_app
from web.ports import CoachPort

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--metrics-recording-only",
)
_BLOG_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>A blog</title>
<style>* { font-size: 9px !important; color: red; } button { display: none }</style>
<h1>A post</h1><script src="{site}/widget.js" async></script></html>"""


@dataclass
class Visit:
    """A page with a record of what it fetched and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def requests_beyond(self, *origins: str) -> list[str]:
        known = (*origins, "data:", "blob:")
        return [url for url in self.requests if not url.startswith(known)]


class _Server(uvicorn.Server):
    """Says when it is up, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextlib.contextmanager
def serving(coach: CoachPort, settings: Settings) -> Iterator[str]:
    """The application over real HTTP on a free port; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(coach, settings)
    server = _Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    assert server.up.wait(60), "the server did not start"
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


class _BlogHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def a_blog(folder: Path) -> Iterator[str]:
    """Another origin that serves a folder's pages; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_BlogHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def blog_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blog")


@pytest.fixture(scope="session")
def blog(blog_folder: Path) -> Iterator[str]:
    """A site that the coach allows."""
    with a_blog(blog_folder) as address:
        yield address


@pytest.fixture(scope="session")
def stranger(blog_folder: Path) -> Iterator[str]:
    """The same pages on a site that the coach does not allow."""
    with a_blog(blog_folder) as address:
        yield address


@pytest.fixture(scope="session")
def site(
    blog: str, blog_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The application over a fake coach; the blog's page carries its widget."""
    settings = Settings(
        _env_file=None,
        data=tmp_path_factory.mktemp("data"),
        allowed_origins=blog,
        rate_limit="1000/minute",
    )
    with serving(FakeCoach(), settings) as address:
        (blog_folder / "index.html").write_text(_BLOG_PAGE.replace("{site}", address))
        yield address


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh browser profile; `@pytest.mark.parametrize("visit", [{…}], indirect=True)` sets it."""
    context = browser.new_context(**getattr(request, "param", {}))
    context.set_default_timeout(15_000)
    made = Visit(context.new_page())

    def note(sent: Request) -> None:
        made.requests.append(sent.url)

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error":
            made.complaints.append(message.text)

    made.page.on("request", note)
    made.page.on("console", complain)
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    yield made
    context.close()
