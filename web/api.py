"""The HTTP API: asking, searching, opening what an answer rests on, feedback."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from rag.errors import IndexMismatchError, IndexMissingError, QuestionError, RagError
from rag.rendering import answer_json, citation_json, hit_json, reference_json
from rag.types import Event, Final, Passage, Question, SourceKind, Sources, Token
from web.asking import Desk, TooManyError, checked_question
from web.feedback import Feedback
from web.security import error_body
from web.shapes import AnswerShape, AskBody, ErrorBody, FeedbackBody, PassageShape, SearchShape

log = logging.getLogger(__name__)

MAX_RESULTS = 100
EVENT_STREAM = "text/event-stream"
_UNEXPECTED = "something went wrong on our side; please try again in a moment"

ReferenceFormat = Literal["json", "apa", "bibtex", "ris", "csl-json"]
_MEDIA = {
    "apa": "text/plain; charset=utf-8",
    "bibtex": "application/x-bibtex; charset=utf-8",
    "ris": "application/x-research-info-systems; charset=utf-8",
    "csl-json": "application/vnd.citationstyles.csl+json",
}


_ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorBody} for code in (400, 403, 404, 405, 413, 429, 500, 503)
}


def api_routes(desk: Desk) -> APIRouter:
    """The routes below /api."""
    routes = APIRouter(prefix="/api", responses=_ERRORS)
    _add_ask(routes, desk)
    _add_reading(routes, desk)
    _add_feedback(routes, desk)
    return routes


def _add_ask(routes: APIRouter, desk: Desk) -> None:
    @routes.post(
        "/ask",
        summary="Ask a question",
        response_class=JSONResponse,
        responses={200: {"model": AnswerShape, "content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
    )
    def ask(request: Request, body: AskBody) -> Response:
        desk.admit(client_of(request), "ask")
        history = [turn.model_dump() for turn in body.history or []]
        question = checked_question(body.question, history, body.audience)
        wanted = body.stream
        if wanted is None:
            wanted = EVENT_STREAM in request.headers.get("accept", "")
        if wanted:
            headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            return StreamingResponse(
                _events(desk, question), media_type=EVENT_STREAM, headers=headers
            )
        answer_id, answer = desk.answer(question)
        return JSONResponse({"answer_id": answer_id} | answer_json(answer))


def _events(desk: Desk, question: Question) -> Iterator[str]:
    """The answer as server-sent events. The status is sent already, so errors are an event too."""
    try:
        for answer_id, event in desk.stream(question):
            yield _sse(*_named(answer_id, event))
    except RagError as error:
        status, code, message = _described(error)
        if status >= 500:
            log.error("streaming an answer failed: %s", error)
        yield _sse("error", error_body(code, message))
    except Exception:
        log.exception("streaming an answer failed")
        yield _sse("error", error_body("internal", _UNEXPECTED))


def _named(answer_id: str, event: Event) -> tuple[str, dict[str, Any]]:
    match event:
        case Sources(citations):
            return "sources", {"citations": [citation_json(c) for c in citations]}
        case Token(text, citations):
            known = {"citations": [citation_json(c) for c in citations]} if citations else {}
            return "token", {"text": text} | known
        case Final(answer):
            return "answer", {"answer_id": answer_id} | answer_json(answer)


def _sse(name: str, data: dict[str, Any]) -> str:
    # json.dumps leaves no raw line breaks, so one data line is enough.
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _add_reading(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/welcome", summary="Whether the calling site may show the widget")
    def welcome(response: Response) -> dict[str, bool]:
        # Another site never gets here: its call is refused with all others of the API.
        response.headers["Cache-Control"] = "private, max-age=300"
        return {"ok": True}

    @routes.get("/search", summary="Ranked passages", responses={200: {"model": SearchShape}})
    def search(
        request: Request,
        q: Annotated[str, Query(description="words to look for")],
        k: Annotated[int, Query(ge=1, le=MAX_RESULTS)] = 10,
        kind: SourceKind | None = None,
    ) -> JSONResponse:
        desk.admit(client_of(request), "search")
        query = checked_question(q).text
        hits = desk.coach.search(query, k=k, kind=kind)
        results = [
            hit_json(h, desk.coach.references_of(h.passage, 0, len(h.passage.text))) for h in hits
        ]
        return JSONResponse({"query": query, "results": results})

    @routes.get(
        "/passages/{passage_id:path}",
        summary="A passage and what it cites",
        responses={200: {"model": PassageShape}},
    )
    def passage(
        request: Request, passage_id: str, start: int | None = None, end: int | None = None
    ) -> JSONResponse:
        desk.admit(client_of(request), "read")
        found = desk.coach.passage(passage_id)
        if found is None:
            raise HTTPException(404, "there is no such passage; its article may have changed")
        return JSONResponse(_passage_json(desk, found, start, end))

    @routes.get("/references/{reference_id}", summary="A reference in a citation format")
    def reference(
        request: Request, reference_id: str, format: ReferenceFormat = "json"
    ) -> Response:
        from rag.citing import format_reference

        desk.admit(client_of(request), "read")
        found = desk.coach.reference(reference_id)
        if found is None:
            raise HTTPException(404, "there is no such reference")
        if format == "json":
            item = json.loads(format_reference(found, "csl-json"))[0]
            return JSONResponse(reference_json(found) | {"csl": item})
        return Response(format_reference(found, format), media_type=_MEDIA[format])


def _passage_json(
    desk: Desk, passage: Passage, start: int | None, end: int | None
) -> dict[str, Any]:
    """The passage; `start` and `end` narrow `references` to those behind that stretch."""
    first = 0 if start is None else start
    last = len(passage.text) if end is None else end
    if not 0 <= first <= last <= len(passage.text):
        raise HTTPException(404, "the passage has no such place; its article may have changed")
    return {
        "passage_id": passage.id,
        "source_id": passage.source_id,
        "source_kind": passage.source_kind,
        "title": passage.title,
        "section": passage.section,
        "position": passage.position,
        "url": passage.url,
        "text": passage.text,
        "start": first,
        "end": last,
        "sentences": [list(span) for span in passage.sentences],
        "mentions": [
            {"offset": m.offset, "reference_ids": list(m.reference_ids)} for m in passage.mentions
        ],
        "references": [
            reference_json(r) for r in desk.coach.references_of(passage, first, last)
        ],
    }


def _add_feedback(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/feedback", status_code=201, summary="Thumbs up or down")
    def feedback(request: Request, body: FeedbackBody) -> JSONResponse:
        desk.admit(client_of(request), "feedback")
        desk.ledger.add_feedback(
            Feedback(body.question, body.rating, body.answer_id or "", body.comment or "")
        )
        desk.metrics.feedback(body.rating)
        return JSONResponse({"ok": True}, status_code=201)


def service_routes(desk: Desk) -> APIRouter:
    """Liveness, readiness and metrics."""
    routes = APIRouter()

    @routes.get("/healthz", summary="The process is up")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz", summary="Questions can be answered", responses={503: {"model": ErrorBody}})
    def readyz() -> JSONResponse:
        if not desk.coach.ready():
            return failure(503, "not_ready", "the index is not loaded yet; run: python -m ingest index")
        return JSONResponse({"status": "ready"})

    @routes.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        from web.metrics import CONTENT_TYPE

        return Response(desk.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return routes


def describe_as_served(app: FastAPI) -> None:
    """The framework's schema promises its own 422; what is served for bad input is our 400."""
    generated = app.openapi

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = generated()  # which keeps it, and gives the same object from then on
            for path in made["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            for name in ("HTTPValidationError", "ValidationError"):
                made["components"]["schemas"].pop(name, None)
        return generated()

    app.openapi = schema  # type: ignore[method-assign]


def add_error_shapes(app: FastAPI) -> None:
    """Every failure becomes `{"error": {"code", "message"}}`, without a trace."""

    @app.exception_handler(RagError)
    async def rag_error(request: Request, error: RagError) -> Response:
        status, code, message = _described(error)
        if status >= 500:
            log.error("%s %s failed: %s", request.method, request.url.path, error)
        response = failure(status, code, message)
        if isinstance(error, TooManyError):
            response.headers["Retry-After"] = str(error.seconds)
        return response

    @app.exception_handler(RequestValidationError)
    async def bad_request(request: Request, error: RequestValidationError) -> Response:
        return failure(400, *_explained(error))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
        if error.status_code >= 500:
            return failure(error.status_code, "internal", _UNEXPECTED)
        response = failure(error.status_code, code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return failure(500, "internal", _UNEXPECTED)


def failure(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse(error_body(code, message), status_code=status)


def client_of(request: Request) -> str:
    """The caller's address, as the server knows it (behind a proxy: as the proxy vouches)."""
    return request.client.host if request.client else ""


def _described(error: RagError) -> tuple[int, str, str]:
    """(HTTP status, code, message for the reader)."""
    match error:
        case QuestionError():
            return 400, "bad_question", str(error)
        case TooManyError():
            return 429, "too_many_requests", str(error)
        case IndexMissingError() | IndexMismatchError():
            return 503, "not_ready", "the coach is not ready yet; please try again in a moment"
        case _:
            return 500, "internal", _UNEXPECTED


def _explained(error: RequestValidationError) -> tuple[str, str]:
    """(code, message) for the first thing that is wrong with a request."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return "bad_json", 'the body is not valid JSON; send {"question": "…"}'
    place = ".".join(str(step) for step in first["loc"] if step not in ("body", "query", "path"))
    if not place:
        return "bad_request", 'the body must be a JSON object like {"question": "…"} with ' + (
            "Content-Type: application/json"
        )
    message = first["msg"].removeprefix("Value error, ")
    return "bad_request", f"{place}: {message[:1].lower()}{message[1:]}"
