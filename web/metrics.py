"""Prometheus metrics, in a registry of the application's own."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)

from rag.types import Answer

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """What is counted. Labels take few values: never a question, an id or an address."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "glute_http_requests",
            "HTTP requests by route and status",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "glute_http_request_seconds",
            "Seconds until the whole response was sent",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._answers = Counter(
            "glute_answers",
            "Answers by status, mode and asker",
            ("status", "mode", "audience"),
            registry=self._registry,
        )
        self._answer_seconds = Histogram(
            "glute_answer_seconds",
            "Seconds from question to whole answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._safety = Counter(
            "glute_safety_notices", "Answers with a safety notice", ("level",), registry=self._registry
        )
        self._feedback = Counter(
            "glute_feedback", "Thumbs up and down", ("rating",), registry=self._registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answer(self, answer: Answer) -> None:
        self._answers.labels(answer.status, answer.mode, answer.audience).inc()
        self._answer_seconds.observe(answer.timing_ms.get("total", 0.0) / 1000)
        if answer.safety is not None:
            self._safety.labels(answer.safety.level).inc()

    def feedback(self, rating: int) -> None:
        self._feedback.labels("up" if rating > 0 else "down").inc()

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)
