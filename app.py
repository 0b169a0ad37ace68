"""Glute Coach: `python app.py` serves the chat page, the HTTP API and the widget.

The composition root: settings, then objects, then the application. Also the entry point of a
Hugging Face Space, which runs this file as it is.
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rag.commands import run
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.settings import Settings

DEFAULT_PORT = 7860


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="app.py", description="Serve the Glute Coach chat page, HTTP API and widget."
    )
    top.add_argument("--host", default=None, help="address to listen on (default 127.0.0.1; 0.0.0.0 on a Space)")
    top.add_argument("--port", type=_port, default=None, help=f"port (default {DEFAULT_PORT})")
    top.add_argument("--corpus", type=Path, metavar="DIR", help="corpus folder (GLUTE_CORPUS)")
    top.add_argument("--index", type=Path, metavar="DIR", help="index folder (GLUTE_INDEX)")
    top.set_defaults(run=serve)
    return top


def serve(args: argparse.Namespace) -> int:
    """Builds the index where it is missing or stale, then serves until interrupted."""
    import uvicorn

    from rag.opening import open_coach
    from rag.settings import load_settings
    from web.application import create_app
    from web.feedback import Ledger

    settings = load_settings(corpus=args.corpus, index=args.index)
    on_space = bool(os.environ.get("SPACE_ID"))
    # First of all: building an index for minutes, to find the port taken, would be a poor joke.
    listener = _bound(
        args.host or ("0.0.0.0" if on_space else "127.0.0.1"),
        args.port if args.port is not None else DEFAULT_PORT,
    )
    Ledger(settings.data, keep_questions=False).prepare()
    _bring_up_to_date(settings)
    coach = open_coach(settings)
    coach.warm()
    app = create_app(coach, settings, frame_hosts=("https://huggingface.co",) if on_space else ())
    # A client's address behind a proxy is in X-Forwarded-For, which only known proxies may set: the
    # Space's own is the one way in there, elsewhere a local one.
    trusted = "*" if on_space else "127.0.0.1"
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, forwarded_allow_ips=trusted)
    )
    print(f"Glute Coach is at {_address(listener)}", file=sys.stderr)
    server.run(sockets=[listener])
    return 0


def _bring_up_to_date(settings: Settings) -> None:
    from ingest.__main__ import progress
    from ingest.index import is_stale, update_index

    if not is_stale(settings):
        return
    print("Building the index; the first time takes a few minutes.", file=sys.stderr)
    with progress("Embedding") as report:
        result = update_index(settings, report)
    for path, reason in result.skipped:
        print(f"skipped {path}: {reason}", file=sys.stderr)


def _bound(host: str, port: int) -> socket.socket:
    """A socket that holds the address but does not listen yet; raises `RagError` in one line."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        reason = "the port is in use" if taken else (error.strerror or str(error))
        advice = "choose another with --port" if taken else "choose others with --host and --port"
        raise RagError(f"cannot listen on {host} port {port}: {reason}; {advice}") from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return value


if __name__ == "__main__":
    sys.exit(run(parser()))
