"""What both command lines share: exit codes, one-line errors, JSON on stdout."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rag.errors import RagError


def quiet_libraries() -> None:
    """Keeps telemetry off and libraries' chatter away; call before anything heavy is imported."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ["LANGSMITH_TRACING"] = "false"
    os.environ["LANGCHAIN_TRACING_V2"] = "false"
    # A level of the handler's own: bm25s sets its logger to DEBUG, past the root's level.
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", handlers=[handler]
    )


def run(parser: argparse.ArgumentParser, argv: list[str] | None = None) -> int:
    """Parses and runs; `RagError` becomes one line on stderr and its exit code."""
    quiet_libraries()
    if isinstance(sys.stdout, TextIOWrapper):  # whatever the locale: JSON is UTF-8
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    args = parser.parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.run
    try:
        code = command(args)
        sys.stdout.flush()
        return code
    except RagError as error:
        print(f"{parser.prog}: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader has seen enough: `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        print(f"{parser.prog}: failed: {type(error).__name__}: {error}", file=sys.stderr)
        return 1


def print_json(value: Any) -> None:
    """One line of JSON; half a character pair, which UTF-8 has no bytes for, stays an escape."""
    text = json.dumps(value, ensure_ascii=False)
    lone = any("\ud800" <= c <= "\udfff" for c in text)
    print(json.dumps(value) if lone else text)


def lines_of(text: str) -> list[str]:
    """Lines of a JSONL text: only a line feed ends one, as JSON texts may hold U+2028 and the like."""
    return text.split("\n")


def read_text(path: str) -> str:
    """A file's text, "-" for standard input; `QuestionError` where there is none."""
    from rag.errors import QuestionError

    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise QuestionError(f"{path!r} is not UTF-8 text (line {line}); save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise QuestionError(f"cannot read {path!r}: {error}") from error
