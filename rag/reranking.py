"""The optional reranker: a sentence-transformers CrossEncoder (`GLUTE_RERANKER`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag.cross_encoders import load_cross_encoder
from rag.settings import Settings


class CrossEncoderReranker:
    """Scores pairs with a CrossEncoder; imports torch, so it is off unless asked for."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        pairs = [(query, text) for text in texts]
        return [float(s) for s in self._model.predict(pairs, show_progress_bar=False)]


def open_reranker(settings: Settings) -> CrossEncoderReranker | None:
    """The reranker that the settings name, if any; `SettingsError` where it cannot be loaded."""
    if not settings.reranker:
        return None
    return CrossEncoderReranker(load_cross_encoder("GLUTE_RERANKER", settings.reranker))
