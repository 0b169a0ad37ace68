"""`python app.py` that cannot start says why in one line, before it builds anything."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from app import parser
from rag.commands import run

Start = Callable[..., int]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts in an empty folder, where an index would have to be built first."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(parser(), list(arguments))


def test_a_taken_port_is_told_at_once(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert start("--port", str(port)) == 1
    assert capsys.readouterr().err == (
        f"app.py: cannot listen on 127.0.0.1 port {port}: the port is in use; choose another with --port\n"
    )


def test_an_address_of_another_machine_is_told(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("--host", "203.0.113.9", "--port", "0") == 1
    error = capsys.readouterr().err
    assert error.startswith("app.py: cannot listen on 203.0.113.9 port 0: ")
    assert error.count("\n") == 1


def test_a_folder_that_cannot_hold_feedback_is_named(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GLUTE_DATA", "file")
    assert start("--port", "0") == 2
    error = capsys.readouterr().err
    assert error.startswith("app.py: GLUTE_DATA: ")
    assert error.count("\n") == 1


def test_an_unknown_setting_is_named(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLUTE_PROT", "1")
    assert start() == 2
    assert capsys.readouterr().err.startswith("app.py: unknown setting GLUTE_PROT; known are ")
