"""What the web layer needs of the engine, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from rag.types import Answer, Event, Hit, Passage, Question, Reference, SourceKind


class CoachPort(Protocol):
    """Answers questions and opens what the answers rest on. Safe to call from several threads."""

    def answer(self, question: Question) -> Answer: ...

    def stream(self, question: Question) -> Iterator[Event]:
        """`Sources`, then `Token`s, then one `Final`."""
        ...

    def search(self, query: str, *, k: int = 10, kind: SourceKind | None = None) -> list[Hit]: ...

    def passage(self, passage_id: str) -> Passage | None: ...

    def reference(self, reference_id: str) -> Reference | None: ...

    def references_of(self, passage: Passage, start: int, end: int) -> tuple[Reference, ...]:
        """The references that stand behind `passage.text[start:end]`."""
        ...

    def ready(self) -> bool: ...

    def status(self) -> dict[str, object]: ...
