"""Thumbs and, where the owner switched it on, questions: kept in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import SettingsError
from rag.types import Answer

FILE = "glute-coach.sqlite3"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    answer_id TEXT NOT NULL,
    question TEXT NOT NULL,
    rating INTEGER NOT NULL CHECK (rating IN (-1, 1)),
    comment TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS questions (
    answer_id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    question TEXT NOT NULL,
    standalone TEXT NOT NULL,
    audience TEXT NOT NULL,
    status TEXT NOT NULL,
    mode TEXT NOT NULL,
    safety TEXT NOT NULL,
    citations INTEGER NOT NULL,
    milliseconds REAL NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A thumb up (1) or down (-1) with what the person said about it."""

    question: str
    rating: int
    answer_id: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """A question with how often it was asked and the last time (ISO 8601, UTC)."""

    question: str
    count: int
    last: str
    comment: str = ""


class Ledger:
    """The file. Opened a call at a time, so that any thread may call."""

    def __init__(self, folder: Path, *, keep_questions: bool) -> None:
        self._path = folder / FILE
        self.keeps_questions = keep_questions

    def prepare(self) -> None:
        """Makes the file where it is missing; raises `SettingsError` where that cannot be."""
        try:
            with self._open():
                pass
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(
                f"GLUTE_DATA: no database can be kept in {str(self._path.parent)!r}: {error}"
            ) from error

    def add_feedback(self, feedback: Feedback) -> None:
        with self._open() as database:
            database.execute(
                "INSERT INTO feedback (at, answer_id, question, rating, comment) VALUES (?,?,?,?,?)",
                (_now(), feedback.answer_id, feedback.question, feedback.rating, feedback.comment),
            )

    def add_question(self, answer_id: str, answer: Answer) -> None:
        """Does nothing unless the owner asked for questions to be kept."""
        if not self.keeps_questions:
            return
        with self._open() as database:
            database.execute(
                "INSERT OR REPLACE INTO questions VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    answer_id,
                    _now(),
                    answer.question,
                    answer.standalone_question,
                    answer.audience,
                    answer.status,
                    answer.mode,
                    answer.safety.level if answer.safety else "",
                    len(answer.citations),
                    float(answer.timing_ms.get("total", 0.0)),
                ),
            )

    def counts(self) -> dict[str, int]:
        """Answers by status, and thumbs as "up" and "down"."""
        with self._open() as database:
            by_status = database.execute("SELECT status, count(*) FROM questions GROUP BY status")
            found = {str(status): int(n) for status, n in by_status}
            for name, rating in (("up", 1), ("down", -1)):
                row = database.execute("SELECT count(*) FROM feedback WHERE rating = ?", (rating,))
                found[name] = int(row.fetchone()[0])
        return found

    def unanswered(self, limit: int = 100) -> list[Tally]:
        """Questions on the subject for which nothing was found, most asked first."""
        return self._tallies(
            "SELECT min(question), count(*), max(at), '' FROM questions WHERE status = 'not_found' "
            "GROUP BY lower(standalone) ORDER BY 2 DESC, 3 DESC LIMIT ?",
            limit,
        )

    def disliked(self, limit: int = 100) -> list[Tally]:
        """Questions whose answers got a thumb down, most often first, with the comments."""
        return self._tallies(
            "SELECT min(question), count(*), max(at), group_concat(nullif(comment, ''), ' / ') "
            "FROM feedback WHERE rating = -1 GROUP BY lower(question) ORDER BY 2 DESC, 3 DESC LIMIT ?",
            limit,
        )

    def _tallies(self, query: str, limit: int) -> list[Tally]:
        with self._open() as database:
            rows = database.execute(query, (limit,)).fetchall()
        return [Tally(str(q), int(n), str(last), str(said or "")) for q, n, last, said in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=10)
        try:
            database.executescript(_SCHEMA)
            with database:
                yield database
        finally:
            database.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
