"""The chat model, behind `ChatModel`: any LangChain chat model, its failures translated once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from rag.errors import ModelUnavailableError, SettingsError
from rag.settings import Settings

COMPLETE = {"stop", "end_turn", "STOP", "stop_sequence"}
"""Finish reasons of a reply that is whole. A connection cut mid-reply ends without one."""

CHARACTERS_PER_TOKEN = 4


class Budget:
    """Tokens that may still be used today (UTC); 0 means without limit."""

    def __init__(self, per_day: int) -> None:
        self._per_day = per_day
        self._used = 0
        self._day: date | None = None
        self._lock = threading.Lock()

    def spend(self, tokens: int) -> None:
        with self._lock:
            self._roll()
            self._used += tokens

    def left(self) -> bool:
        with self._lock:
            self._roll()
            return not self._per_day or self._used < self._per_day

    def _roll(self) -> None:
        today = datetime.now(UTC).date()
        if today != self._day:
            self._day, self._used = today, 0


class LangChainModel:
    """A LangChain chat model as a `ChatModel`."""

    def __init__(self, model: Any, budget: Budget, timeout_s: float) -> None:
        self._model = model
        self._budget = budget
        self._timeout_s = timeout_s

    def stream(self, system: str, user: str) -> Iterator[str]:
        """The reply's pieces; raises `ModelUnavailableError` when it fails or ends too early."""
        if not self._budget.left():
            raise ModelUnavailableError("the day's token budget is spent", retryable=False)
        spent = len(system) + len(user)
        finished = ""
        try:
            messages = [("system", system), ("user", user)]
            for chunk in _within(self._timeout_s, self._model, messages):
                text = chunk.text if isinstance(chunk.text, str) else chunk.text()
                meta = chunk.response_metadata or {}
                finished = str(
                    meta.get("finish_reason") or meta.get("stop_reason") or meta.get("done_reason") or finished
                )
                spent += len(text)
                if text:
                    yield text
        except ModelUnavailableError:
            raise
        except Exception as error:
            raise ModelUnavailableError(_reason(error)) from error
        finally:
            self._budget.spend(spent // CHARACTERS_PER_TOKEN)
        if finished not in COMPLETE:
            raise ModelUnavailableError("the language model's reply was cut off")


def _within(timeout_s: float, model: Any, messages: list[tuple[str, str]]) -> Iterator[Any]:
    """The model's chunks, all of them within the time-out.

    The client's own time-out starts anew with every byte: a server that drips, or one try after
    another, would never reach it. So a thread reads, and whoever waits here stops waiting.
    """
    chunks: queue.Queue[Any] = queue.Queue()
    left = threading.Event()

    def read() -> None:
        try:
            for chunk in model.stream(messages):
                chunks.put(chunk)
                if left.is_set():
                    return
            chunks.put(None)
        except Exception as error:
            chunks.put(error)

    deadline = time.monotonic() + timeout_s
    threading.Thread(target=read, daemon=True, name="language-model").start()
    try:
        while True:
            try:
                chunk = chunks.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise ModelUnavailableError("the language model took too long") from None
            if isinstance(chunk, Exception):
                raise chunk
            if chunk is None:
                return
            yield chunk
    finally:
        left.set()


def open_model(settings: Settings) -> LangChainModel | None:
    """The model that the settings name; None in quote mode. `SettingsError` where it cannot be made."""
    if not settings.model:
        return None
    from langchain.chat_models import init_chat_model

    provider, _, name = settings.model.partition(":")
    options: dict[str, Any] = {"timeout": settings.model_timeout_s, "max_retries": 1, "temperature": 0}
    if settings.model_base_url:
        options["base_url"] = settings.model_base_url
    key = settings.model_api_key.get_secret_value()
    if key or (settings.model_base_url and provider == "openai"):
        # Servers of one's own want no key, but the client insists on one.
        options["api_key"] = key or "none"
    if provider == "ollama":
        options = {k: v for k, v in options.items() if k in {"base_url", "temperature"}}
        options["client_kwargs"] = {"timeout": settings.model_timeout_s}
    try:
        model = init_chat_model(name, model_provider=provider, **options)
    except ImportError as error:
        raise SettingsError(
            f"GLUTE_MODEL={settings.model!r} needs a package that is not installed: {error}"
        ) from error
    except Exception as error:
        why = str(error).replace(key, "…") if key else str(error)
        raise SettingsError(f"GLUTE_MODEL={settings.model!r} cannot be used: {why}") from error
    return LangChainModel(model, Budget(settings.model_budget), settings.model_timeout_s)


def _reason(error: Exception) -> str:
    name = type(error).__name__
    status = getattr(error, "status_code", None)
    if "Timeout" in name:
        return "the language model took too long"
    if status == 429 or "RateLimit" in name:
        return "the language model is over its rate limit"
    if status in (401, 403):
        return f"the language model refused the key (HTTP {status})"
    if "Connect" in name:
        return "the language model cannot be reached"
    return f"the language model failed ({f'HTTP {status}' if status else name})"
