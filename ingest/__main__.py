"""`python -m ingest`: import, index, check, status."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.commands import print_json, run
from rag.settings import load_settings


def parser() -> argparse.ArgumentParser:
    from ingest.audit import add_check_parser
    from ingest.importing import add_import_parser

    top = argparse.ArgumentParser(prog="ingest", description="From sources to corpus to index.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    add_import_parser(commands)

    index = commands.add_parser("index", help="bring the index up to date with the corpus")
    index.add_argument("--corpus", type=Path, metavar="DIR")
    index.add_argument("--index", type=Path, metavar="DIR")
    index.add_argument("--json", action="store_true")
    index.set_defaults(run=run_index)

    add_check_parser(commands)

    status = commands.add_parser("status", help="what the index holds, and whether it is stale")
    status.add_argument("--corpus", type=Path, metavar="DIR")
    status.add_argument("--index", type=Path, metavar="DIR")
    status.add_argument("--json", action="store_true")
    status.set_defaults(run=run_status)
    return top


def run_index(args: argparse.Namespace) -> int:
    from ingest.index import update_index

    settings = load_settings(corpus=args.corpus, index=args.index)
    with progress("Embedding") as report:
        result = update_index(settings, report)
    for path, reason in result.skipped:
        print(f"skipped {path}: {reason}", file=sys.stderr)
    if args.json:
        print_json(
            {
                "changed": result.changed,
                "documents": result.documents,
                "passages": result.passages,
                "embedded": result.embedded,
                "reused": result.reused,
                "skipped": [{"path": p, "reason": r} for p, r in result.skipped],
                "version": result.version,
            }
        )
    else:
        verb = "built" if result.changed else "up to date"
        print(
            f"Index {verb}: {sum(result.documents.values())} documents, {result.passages} passages "
            f"({result.embedded} embedded, {result.reused} reused)."
        )
    return 0


def run_status(args: argparse.Namespace) -> int:
    from ingest.index import is_stale
    from rag.index_files import current_version, read_manifest

    settings = load_settings(corpus=args.corpus, index=args.index)
    manifest = read_manifest(current_version(settings.index))
    if args.corpus is None and settings.corpus == Path("corpus"):
        settings = settings.model_copy(update={"corpus": Path(manifest.corpus)})
    age = datetime.now(UTC) - datetime.fromisoformat(manifest.built_at)
    state: dict[str, Any] = {
        "documents": dict(manifest.documents),
        "passages": manifest.passages,
        "sentences": manifest.sentences,
        "embedder": manifest.embedder,
        "dimension": manifest.dimension,
        "version": manifest.version,
        "built_at": manifest.built_at,
        "age_seconds": int(age.total_seconds()),
        "corpus": str(settings.corpus),
        "stale": is_stale(settings),
    }
    if args.json:
        print_json(state)
        return 0
    kinds = ", ".join(f"{n} {kind}s" for kind, n in manifest.documents.items())
    print(f"{kinds}; {manifest.passages} passages, embedded by {manifest.embedder}")
    print(f"built {manifest.built_at}; {'STALE: run python -m ingest index' if state['stale'] else 'up to date'}")
    return 0


class progress:
    """A progress bar on a terminal's stderr; nothing elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._bar: Any = None

    def __enter__(self) -> Any:
        return self._report

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _report(self, done: int, total: int) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=self._what, unit="text", disable=not sys.stderr.isatty())
        self._bar.update(done - self._bar.n)


if __name__ == "__main__":
    sys.exit(run(parser()))
