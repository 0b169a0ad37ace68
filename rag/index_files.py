"""The index folder's layout, shared by what builds it and what reads it.

    .index/
      current                 name of the version in use; switched by one atomic rename
      lock                    held by the one process that builds
      models/<model>/         the embedder, exported once (see `encoding`)
      versions/<version>/     manifest.json, passages.jsonl, documents.json, *.npy, chroma/

A version is immutable from the moment that `current` names it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import IndexMismatchError, IndexMissingError
from rag.types import Exercise, Mention, Passage, Reference

SCHEMA = 8
"""Raised whenever a version written before could be misread."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What shaped a version, and what it holds."""

    schema: int
    version: str
    embedder: str
    model_folder: str
    """Name of the folder below `models/`."""
    dimension: int
    max_tokens: int
    built_at: str
    """UTC, ISO 8601."""
    corpus: str
    corpus_fingerprint: str
    documents: Mapping[str, int]
    """Documents by kind."""
    passages: int
    sentences: int
    chroma_url: str = ""


def versions_folder(index: Path) -> Path:
    return index / "versions"


def models_folder(index: Path) -> Path:
    return index / "models"


def current_version(index: Path) -> Path:
    """The folder of the version in use; `IndexMissingError` where there is none."""
    try:
        name = (index / "current").read_text("utf-8").strip()
    except OSError:
        name = ""
    folder = versions_folder(index) / name
    if not name or not (folder / "manifest.json").is_file():
        raise IndexMissingError(
            f"there is no index at {str(index)!r} (GLUTE_INDEX); build it with: python -m ingest index"
        )
    return folder


def switch_to(index: Path, version: str) -> None:
    """Makes `version` the one in use, in one atomic step."""
    pointer = index / f".current-{os.getpid()}"
    pointer.write_text(version, "utf-8")
    os.replace(pointer, index / "current")


def read_manifest(version: Path) -> Manifest:
    """`IndexMismatchError` where another release wrote the version, or the file is damaged."""
    try:
        data = json.loads((version / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise IndexMismatchError(
            f"the index's manifest cannot be read ({error}); "
            "build it again with: python -m ingest index"
        ) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise IndexMismatchError(
            "the index was built by another release of Glute Coach; "
            "build it again with: python -m ingest index"
        )
    return Manifest(**data)


def write_manifest(version: Path, manifest: Manifest) -> None:
    (version / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1), "utf-8")


def write_passages(version: Path, passages: Iterable[Passage]) -> None:
    with (version / "passages.jsonl").open("w", encoding="utf-8") as file:
        for passage in passages:
            file.write(json.dumps(asdict(passage), ensure_ascii=False) + "\n")


def read_passages(version: Path) -> list[Passage]:
    with (version / "passages.jsonl").open(encoding="utf-8") as file:
        return [_passage(json.loads(line)) for line in file]


def write_documents(
    version: Path, references: Iterable[Reference], exercises: Iterable[Exercise]
) -> None:
    data = {
        "references": [asdict(r) for r in references],
        "exercises": [asdict(e) for e in exercises],
    }
    # default=str: YAML gives dates, which JSON does not know.
    text = json.dumps(data, ensure_ascii=False, default=str)
    (version / "documents.json").write_text(text, "utf-8")


def read_documents(version: Path) -> tuple[dict[str, Reference], dict[str, Exercise]]:
    data = json.loads((version / "documents.json").read_text("utf-8"))
    references = {r["id"]: Reference(**r) for r in data["references"]}
    exercises = {
        e["id"]: Exercise(e["id"], e["name"], tuple(e["aliases"]), e["fields"])
        for e in data["exercises"]
    }
    return references, exercises


def _passage(data: dict[str, Any]) -> Passage:
    data["sentences"] = tuple((start, end) for start, end in data["sentences"])
    data["mentions"] = tuple(
        Mention(m["offset"], tuple(m["reference_ids"])) for m in data["mentions"]
    )
    data["asked"] = tuple(data["asked"])
    return Passage(**data)
