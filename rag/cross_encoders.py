"""Loading the optional CrossEncoders: one line of error, and no chatter of the libraries."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rag.errors import SettingsError

_CHATTY = ("huggingface_hub", "sentence_transformers")


def load_cross_encoder(variable: str, name: str) -> Any:
    """The sentence-transformers CrossEncoder of a name or folder; `SettingsError` names `variable`."""
    try:
        with _hushed():
            from sentence_transformers import CrossEncoder

            return CrossEncoder(name, device="cpu")
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SettingsError(
            f"{variable}={name!r} cannot be loaded: {reason}; give a CrossEncoder's name or folder"
        ) from error


@contextmanager
def _hushed() -> Iterator[None]:
    """What the libraries would warn of on the way is in the error that they raise at the end."""
    loggers = [logging.getLogger(name) for name in _CHATTY]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
