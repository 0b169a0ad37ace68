"""Glute Coach: `python app.py` serves the chat page, the HTTP API and the widget.

The composition root: settings, then objects, then the application. Also the entry point of a
Hugging Face Space, which runs this file as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rag.commands import run

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

    from ingest.__main__ import progress
    from ingest.index import is_stale, update_index
    from rag.opening import open_coach
    from rag.settings import load_settings
    from web.application import create_app

    settings = load_settings(corpus=args.corpus, index=args.index)
    if is_stale(settings):
        print("Building the index; the first time takes a few minutes.", file=sys.stderr)
        with progress("Embedding") as report:
            result = update_index(settings, report)
        for path, reason in result.skipped:
            print(f"skipped {path}: {reason}", file=sys.stderr)
    on_space = bool(os.environ.get("SPACE_ID"))
    frame_hosts = ("https://huggingface.co",) if on_space else ()
    coach = open_coach(settings)
    coach.warm()
    app = create_app(coach, settings, frame_hosts=frame_hosts)
    host = args.host or ("0.0.0.0" if on_space else "127.0.0.1")
    port = args.port if args.port is not None else DEFAULT_PORT
    print(f"Glute Coach is at http://{host}:{port}", file=sys.stderr)
    # A client's address behind a proxy is in X-Forwarded-For, which only known proxies may set: the
    # Space's own is the one way in there, elsewhere a local one.
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        forwarded_allow_ips="*" if on_space else "127.0.0.1",
    )
    return 0


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return value


if __name__ == "__main__":
    sys.exit(run(parser()))
