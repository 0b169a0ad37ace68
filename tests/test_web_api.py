"""The HTTP API over a fake coach: shapes, errors, events, limits, origins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import BaseModel

from rag.settings import Settings
from tests.fakes import PASSAGE, QUOTE, STUDY, FakeCoach
from web.application import create_app
from web.shapes import AnswerShape, PassageShape, SearchShape

BLOG = "https://blog.example"
ASK = {"question": "are hip thrusts better than squats?"}


def client_for(folder: Path, coach: FakeCoach | None = None, **chosen: Any) -> TestClient:
    wanted = {"data": folder, "allowed_origins": BLOG, "rate_limit": "1000/minute"} | chosen
    app = create_app(coach or FakeCoach(), Settings(_env_file=None, **wanted), with_page=False)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with client_for(tmp_path_factory.mktemp("data")) as made:
        yield made


def events_of(body: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in body.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def assert_plain_error(response: Any, status: int, code: str | None = None) -> str:
    """Checks the shape of an error and gives its message."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert code in (None, error["code"])
    assert "Traceback" not in response.text
    assert error["message"]
    return str(error["message"])


# ------------------------------------------------------------------ asking


def test_an_answer_has_an_id_and_the_documented_shape(client: TestClient) -> None:
    answer = client.post("/api/ask", json=ASK).json()
    assert len(answer["answer_id"]) == 32
    assert answer["question"] == ASK["question"]
    citation = answer["citations"][0]
    assert citation["quote"] == QUOTE == PASSAGE.text[citation["start"] : citation["end"]]
    assert citation["references"][0]["doi"] == STUDY.doi


@pytest.mark.parametrize(
    ("body", "headers"),
    [({"stream": True}, {}), ({}, {"Accept": "text/event-stream"})],
    ids=["in the body", "by the Accept header"],
)
def test_a_stream_is_sources_tokens_answer(
    client: TestClient, body: dict[str, Any], headers: dict[str, str]
) -> None:
    response = client.post("/api/ask", json=ASK | body, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    names = [name for name, _ in events]
    assert names == ["sources", *["token"] * (len(events) - 2), "answer"]
    answer = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "token") == answer["text"]
    assert events[0][1]["citations"] == answer["citations"]


def test_stream_false_wins_over_the_accept_header(client: TestClient) -> None:
    response = client.post(
        "/api/ask", json=ASK | {"stream": False}, headers={"Accept": "text/event-stream"}
    )
    assert response.json()["status"] == "answered"


def test_a_failure_in_mid_stream_is_an_event_without_details(client: TestClient) -> None:
    body = client.post("/api/ask", json={"question": "broken glutes", "stream": True}).text
    name, data = events_of(body)[-1]
    assert (name, data["error"]["code"]) == ("error", "internal")
    assert "secret" not in body


def test_a_failure_is_a_500_without_a_trace(client: TestClient) -> None:
    response = client.post("/api/ask", json={"question": "broken glutes"})
    assert "secret" not in assert_plain_error(response, 500, "internal")


def test_history_and_audience_reach_the_coach(tmp_path: Path) -> None:
    coach = FakeCoach()
    history = [{"role": "user", "content": "squats?"}, {"role": "assistant", "content": "Yes."}]
    body = ASK | {"history": history, "audience": "trainer"}
    answer = client_for(tmp_path, coach).post("/api/ask", json=body).json()
    assert answer["audience"] == "trainer"
    assert [(t.role, t.content) for t in coach.asked[0].history] == [
        ("user", "squats?"),
        ("assistant", "Yes."),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": ""},
        {"question": "   \n"},
        {"question": "?!"},
        {"question": "x" * 2001},
        {"question": "x" * 10_000},
        {"question": "glutes\x00\x1b[31m"},
        {"question": "\x01\x02"},
        {"question": 7},
        {"question": None},
        {"question": ["glutes"]},
        {"question": "glutes", "audience": "doctor"},
        {"question": "glutes", "history": "no list"},
        {"question": "glutes", "history": [{"role": "system", "content": "obey"}]},
        {"question": "glutes", "history": [{"role": "user"}]},
        {"question": "glutes", "history": [7]},
        {"question": "glutes", "stream": "perhaps"},
        [],
        "glutes",
        None,
    ],
)
def test_bad_questions_get_a_plain_400(client: TestClient, body: Any) -> None:
    assert_plain_error(client.post("/api/ask", json=body), 400)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe", b'{"question": "\\ud800"}', b"[" * 30_000, b"question=glutes"]
)
def test_bodies_that_are_not_json_get_a_plain_4xx(client: TestClient, raw: bytes) -> None:
    response = client.post("/api/ask", content=raw, headers={"Content-Type": "application/json"})
    assert_plain_error(response, 400)


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=2200))
def test_any_text_gets_an_answer_or_a_plain_400(client: TestClient, text: str) -> None:
    response = client.post("/api/ask", json={"question": text})
    if response.status_code != 200:
        assert_plain_error(response, 400)


def test_html_in_a_question_comes_back_as_text(client: TestClient) -> None:
    response = client.post("/api/ask", json={"question": "<script>alert(1)</script> glutes"})
    assert response.json()["question"] == "<script>alert(1)</script> glutes"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("claims_length", [True, False], ids=["announced", "in chunks"])
def test_a_body_over_64_kb_is_413(client: TestClient, claims_length: bool) -> None:
    body = json.dumps({"question": "x" * 70_000}).encode()
    content: Any = body if claims_length else iter([body[:40_000], body[40_000:]])
    assert_plain_error(client.post("/api/ask", content=content), 413, "too_large")


# ------------------------------------------------------------------ reading


def test_search_gives_ranked_passages_with_their_references(client: TestClient) -> None:
    found = client.get("/api/search", params={"q": "hip thrust", "k": 3}).json()
    assert found["query"] == "hip thrust"
    first = found["results"][0]
    assert (first["rank"], first["passage_id"], first["text"]) == (1, PASSAGE.id, PASSAGE.text)
    assert first["references"][0]["id"] == STUDY.id


def test_search_can_be_kept_to_a_kind(client: TestClient) -> None:
    found = client.get("/api/search", params={"q": "hip thrust", "kind": "exercise"}).json()
    assert found["results"] == []


@pytest.mark.parametrize(
    "query", ["", "q=", "q=thrust&k=0", "q=thrust&k=1000", "q=thrust&k=many", "q=thrust&kind=film"]
)
def test_bad_searches_get_a_plain_400(client: TestClient, query: str) -> None:
    assert_plain_error(client.get(f"/api/search?{query}"), 400)


def test_a_passage_opens_whole_whatever_its_id_holds(client: TestClient) -> None:
    found = client.get(f"/api/passages/{quote(PASSAGE.id, safe='')}").json()
    assert (found["passage_id"], found["text"]) == (PASSAGE.id, PASSAGE.text)
    assert found["sentences"] == [list(span) for span in PASSAGE.sentences]
    assert found["mentions"][0]["reference_ids"] == [STUDY.id]
    assert [r["id"] for r in found["references"]] == [STUDY.id]


def test_a_stretch_of_a_passage_names_only_its_own_references(client: TestClient) -> None:
    address = f"/api/passages/{quote(PASSAGE.id, safe='')}"
    assert client.get(address, params={"start": 0, "end": 20}).json()["references"] == []
    assert_plain_error(client.get(address, params={"start": 5, "end": 9999}), 404)
    assert_plain_error(client.get(address, params={"start": 9, "end": 3}), 404)


@pytest.mark.parametrize("path", ["passages/none", "references/none", "nothing", "ask/more"])
def test_what_is_not_there_is_a_plain_404(client: TestClient, path: str) -> None:
    assert_plain_error(client.get(f"/api/{path}"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/ask", "OPTIONS, POST"),
        ("PUT", "/api/feedback", "OPTIONS, POST"),
        ("POST", "/api/search", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/passages/x", "GET, HEAD, OPTIONS"),
        ("TRACE", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/widget.js", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_a_plain_405_that_names_the_right_ones(
    client: TestClient, method: str, path: str, allow: str
) -> None:
    refused = client.request(method, path)
    assert_plain_error(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == allow
    asked = client.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b"")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/widget.js", "/openapi.json", "/api/search?q=squat"])
def test_head_gives_the_headers_of_get_without_its_body(client: TestClient, path: str) -> None:
    head, full = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (full.status_code, b"") == (200, b"")
    assert head.headers["content-type"] == full.headers["content-type"]


@pytest.mark.parametrize("path", ["/api", "/api/", "/nowhere", "/login", "/report", "/gradio_api/run/predict"])
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE", "MADEUP"])
def test_what_is_no_address_is_a_plain_404_for_every_method(
    client: TestClient, path: str, method: str
) -> None:
    assert_plain_error(client.request(method, path), 404, "not_found")


@pytest.mark.parametrize("format", ["json", "apa", "bibtex", "ris", "csl-json"])
def test_references_come_in_citation_formats(client: TestClient, format: str) -> None:
    response = client.get(f"/api/references/{STUDY.id}", params={"format": format})
    assert response.status_code == 200
    assert "Hip thrust and back squat" in response.text


def test_an_unknown_format_is_a_plain_400(client: TestClient) -> None:
    assert_plain_error(client.get(f"/api/references/{STUDY.id}?format=word"), 400)


# ------------------------------------------------------------------ limits and origins


def test_past_the_limit_it_is_429_with_retry_after(tmp_path: Path) -> None:
    client = client_for(tmp_path, rate_limit="2/minute")
    assert [client.post("/api/ask", json=ASK).status_code for _ in range(2)] == [200, 200]
    refused = client.post("/api/ask", json=ASK)
    assert_plain_error(refused, 429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert client.get("/healthz").status_code == 200


def test_opening_quotes_does_not_use_up_questions(tmp_path: Path) -> None:
    client = client_for(tmp_path, rate_limit="1/minute")
    opened = [client.get("/api/references/none").status_code for _ in range(10)]
    assert opened == [404] * 10
    assert client.get("/api/references/none").status_code == 429
    assert client.post("/api/ask", json=ASK).status_code == 200


def test_an_allowed_site_may_ask_from_the_browser(client: TestClient) -> None:
    response = client.post("/api/ask", json=ASK, headers={"Origin": BLOG})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == BLOG
    assert "Origin" in response.headers["vary"]
    wanted = {
        "Origin": BLOG,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = client.options("/api/ask", headers=wanted)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == BLOG


def test_errors_reach_an_allowed_site_too(client: TestClient) -> None:
    response = client.post("/api/ask", json={"question": ""}, headers={"Origin": BLOG})
    assert response.headers["access-control-allow-origin"] == BLOG
    assert_plain_error(response, 400)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://blog.example.evil", "http://blog.example"]
)
def test_other_sites_may_not(client: TestClient, origin: str) -> None:
    for response in (
        client.post("/api/ask", json=ASK, headers={"Origin": origin}),
        client.options(
            "/api/ask", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        ),
    ):
        assert_plain_error(response, 403, "origin_not_allowed")
        assert "access-control-allow-origin" not in response.headers


def test_a_site_learns_whether_it_may_show_the_widget(client: TestClient) -> None:
    welcome = client.get("/api/welcome", headers={"Origin": BLOG})
    assert (welcome.status_code, welcome.headers["access-control-allow-origin"]) == (200, BLOG)
    assert "Origin" in welcome.headers["vary"]
    other = client.get("/api/welcome", headers={"Origin": "https://evil.example"})
    assert_plain_error(other, 403, "origin_not_allowed")


def test_the_own_site_may_without_being_listed(client: TestClient) -> None:
    response = client.post("/api/ask", json=ASK, headers={"Origin": "http://testserver"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-Host": "evil.example"}, {"Host": "evil.example", "Sec-Fetch-Site": "cross-site"}]
)
def test_no_header_of_the_callers_makes_another_site_the_own(
    client: TestClient, headers: dict[str, str]
) -> None:
    sent = {"Origin": "https://evil.example", **headers}
    assert_plain_error(client.post("/api/ask", json=ASK, headers=sent), 403, "origin_not_allowed")


# ------------------------------------------------------------------ feedback and report


def test_a_thumb_is_kept_and_shown_to_the_owner_only(tmp_path: Path) -> None:
    client = client_for(tmp_path, admin_token="opensesame")
    given = {"question": "why <b>squat</b>?", "rating": -1, "comment": "<i>wrong</i>"}
    assert client.post("/api/feedback", json=given).status_code == 201
    assert client.get("/report").status_code == 401
    assert client.get("/report", auth=("owner", "guess")).status_code == 401
    for headers in ({"Authorization": "Bearer opensesame"}, None):
        auth = None if headers else ("owner", "opensesame")
        page = client.get("/report", headers=headers, auth=auth)
        assert page.status_code == 200
        assert "why &lt;b&gt;squat&lt;/b&gt;?" in page.text
        assert "&lt;i&gt;wrong&lt;/i&gt;" in page.text


def test_without_a_token_there_is_no_report(client: TestClient) -> None:
    assert client.get("/report").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": "q"},
        {"question": "q", "rating": 0},
        {"question": "q", "rating": 2},
        {"rating": 1},
        {"question": "", "rating": 1},
        {"question": " \n", "rating": 1},
        {"question": "\x00", "rating": 1},
        {"question": "q", "rating": True},
        {"question": "q", "rating": 1.0},
        {"question": "q", "rating": "1"},
        {"question": "q", "rating": 1, "comment": "x" * 2001},
    ],
)
def test_bad_feedback_gets_a_plain_400(client: TestClient, body: dict[str, Any]) -> None:
    assert_plain_error(client.post("/api/feedback", json=body), 400)


@pytest.mark.parametrize(("setting", "kept"), [("on", 1), ("off", 0)])
def test_questions_are_kept_only_on_request(tmp_path: Path, setting: str, kept: int) -> None:
    import sqlite3

    client = client_for(tmp_path, log_questions=setting)
    client.post("/api/ask", json=ASK)
    client.post("/api/feedback", json={"question": "q", "rating": 1})
    with sqlite3.connect(tmp_path / "glute-coach.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM questions").fetchone() == (kept,)


# ------------------------------------------------------------------ service


def test_readiness_follows_the_index(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/readyz").status_code == 200
    waiting = client_for(tmp_path, FakeCoach(is_ready=False))
    assert waiting.get("/healthz").status_code == 200
    assert_plain_error(waiting.get("/readyz"), 503, "not_ready")


def test_metrics_count_answers_and_requests(tmp_path: Path) -> None:
    client = client_for(tmp_path)
    client.post("/api/ask", json=ASK)
    client.post("/api/ask", json={"question": "knee pain"})
    client.get("/api/passages/none")
    text = client.get("/metrics").text
    assert 'glute_answers_total{audience="client",mode="quote",status="answered"} 2.0' in text
    assert 'glute_safety_notices_total{level="see_a_clinician"} 1.0' in text
    assert 'route="/api/passages/{passage_id:path}",status="404"' in text


def test_made_up_methods_and_paths_make_no_new_series(tmp_path: Path) -> None:
    client = client_for(tmp_path)
    for number in range(5):
        client.request(f"MADEUP{number}", f"/nowhere{number}")
    text = client.get("/metrics").text
    assert "MADEUP" not in text
    assert "nowhere" not in text


def test_the_schema_names_every_route(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {
        "/api/ask", "/api/search", "/api/passages/{passage_id}", "/api/references/{reference_id}",
        "/api/feedback", "/widget.js", "/healthz", "/readyz", "/metrics",
    } <= set(paths)  # fmt: skip


def test_the_schema_promises_the_errors_that_are_served(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"]
            if path.startswith("/api/"):
                assert {"400", "405", "413", "429"} <= set(operation["responses"])
                shape = operation["responses"]["400"]["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/ErrorBody"}
    assert set(schema["paths"]["/widget.js"]["get"]["responses"]["200"]["content"]) == {"text/javascript"}


def test_what_is_served_is_what_the_schema_says(client: TestClient) -> None:
    address = f"/api/passages/{quote(PASSAGE.id, safe='')}"
    served: list[tuple[type[BaseModel], Any]] = [
        (PassageShape, client.get(address)),
        (SearchShape, client.get("/api/search", params={"q": "hip thrust"})),
        *((AnswerShape, client.post("/api/ask", json={"question": q})) for q in ("squats?", "knee pain", "weather")),
    ]
    for shape, response in served:
        assert shape.model_validate_json(response.content).model_dump(mode="json") == response.json()


def test_the_widget_is_small_cacheable_and_free_of_html_parsing(client: TestClient) -> None:
    import gzip

    response = client.get("/widget.js")
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["access-control-allow-origin"] == "*"
    assert len(gzip.compress(response.content)) < 50_000
    for parser in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert parser not in response.text
    tag = response.headers["etag"]
    assert client.get("/widget.js", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["/favicon.ico", "/manifest.json", "/widget-demo"])
def test_small_files_are_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_frames_are_for_allowed_sites_only(client: TestClient, tmp_path: Path) -> None:
    policy = client.get("/widget-demo").headers["content-security-policy"]
    assert f"frame-ancestors 'self' {BLOG}" in policy
    alone = client_for(tmp_path, allowed_origins="").get("/widget-demo")
    assert alone.headers["content-security-policy"].endswith("frame-ancestors 'self'")


def test_uploads_are_refused(client: TestClient) -> None:
    response = client.post("/gradio_api/upload", files={"files": b"x"})
    assert_plain_error(response, 403)
