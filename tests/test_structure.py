"""What must stay true of the modules: one-way imports, and light ones."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

PACKAGES = ("rag", "ingest", "web")
MODULES = sorted(p for name in PACKAGES for p in (ROOT / name).rglob("*.py"))
HEAVY = {"torch", "transformers", "sentence_transformers", "sklearn", "chromadb", "gradio", "onnxruntime"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports_of(path: Path) -> set[str]:
    """Full names of everything imported anywhere in a file, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(package: str) -> set[str]:
    found = {p: {name.split(".")[0] for name in imports_of(p)} for p in [*MODULES, ROOT / "app.py"]}
    return {p.relative_to(ROOT).as_posix() for p, names in found.items() if package in names}


def test_answering_never_imports_what_feeds_or_shows_it() -> None:
    below = {p for p in importers("ingest") | importers("web") if p.startswith("rag/")}
    assert below == set()


def test_ingest_never_imports_the_web() -> None:
    assert {p for p in importers("web") | importers("app") if p.startswith("ingest/")} == set()


def test_nothing_imports_the_tests() -> None:
    assert importers("tests") == set()


@pytest.mark.parametrize(
    ("package", "module"), [("chromadb", "rag/vector_store.py"), ("gradio", "web/chat_page.py")]
)
def test_one_module_knows_the_package(package: str, module: str) -> None:
    assert importers(package) == {module}


def test_types_and_errors_import_nothing_of_ours() -> None:
    for name in ("types", "errors"):
        ours = {i for i in imports_of(ROOT / "rag" / f"{name}.py") if i.split(".")[0] in PACKAGES}
        assert ours == set()


_IMPORT_ALL = """
import importlib, json, sys
opened = []
def hook(event, args):
    if event in ("socket.connect", "sqlite3.connect", "subprocess.Popen"):
        opened.append([event, repr(args)])
    elif event == "open" and str(args[0]).endswith((".onnx", ".npy", ".sqlite3", ".env")):
        opened.append([event, repr(args[0])])
sys.addaudithook(hook)
for name in {modules!r}:
    importlib.import_module(name)
json.dump({{"opened": opened, "modules": sorted({{m.split(".")[0] for m in sys.modules}})}}, sys.stdout)
"""


def test_importing_every_module_loads_no_model_and_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GLUTE_NONSENSE=read at import\n", "utf-8")
    names = [module_name(p) for p in MODULES]
    code = _IMPORT_ALL.format(modules=names)
    found = _run(["-c", code], folder=tmp_path)
    assert found["opened"] == []
    assert HEAVY & _names(found) == set()


_ANSWER = """
import contextlib, io, json, sys
sys.argv = ["rag", "ask", "How many sets a week should I do?", "--json", "--index", {index!r}]
from rag.__main__ import parser
from rag.commands import run
out = io.StringIO()
with contextlib.redirect_stdout(out):
    code = run(parser())
answer = json.loads(out.getvalue())
json.dump({{"code": code, "status": answer["status"],
           "modules": sorted({{m.split(".")[0] for m in sys.modules}})}}, sys.stdout)
"""


def test_answering_a_question_needs_no_torch(built_once: Path, tmp_path: Path) -> None:
    found = _run(["-c", _ANSWER.format(index=str(built_once / "index"))], folder=tmp_path)
    assert (found["code"], found["status"]) == (0, "answered")
    assert {"chromadb", "onnxruntime"} <= _names(found)
    unwanted = {"torch", "transformers", "sentence_transformers", "sklearn", "gradio"}
    assert unwanted & _names(found) == set()


def _names(found: dict[str, Any]) -> set[str]:
    return set(found["modules"])


def _run(arguments: list[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=200,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
