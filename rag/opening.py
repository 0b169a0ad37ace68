"""Composes a `Coach` from settings; the only place that decides which optional parts there are."""

from __future__ import annotations

from rag.answering import Coach
from rag.entailment import open_entailment
from rag.generation import open_model
from rag.reranking import open_reranker
from rag.settings import Settings


def open_coach(settings: Settings) -> Coach:
    """A coach whose index is open; raises `IndexMissingError` or `SettingsError` at once."""
    coach = Coach(
        settings,
        model=open_model(settings),
        reranker=open_reranker(settings),
        entailment=open_entailment(settings),
    )
    coach.status()
    return coach
