"""A scripted OpenAI-compatible server on a real socket, for tests of model mode.

Replies wait in a queue; a request that finds it empty gets a 500 and is remembered, so that leaving
the `with` block raises. A hanging reply waits for `release()`, never for a clock.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Scripted:
    """One reply: its pieces as SSE chunks, or an HTTP error."""

    pieces: tuple[str, ...] = ()
    status: int = 200
    cut: bool = False
    """Close the connection after the pieces, without a finish reason."""
    hang: bool = False
    """Send the pieces, then nothing until the server is released."""
    drip_s: float = 0.0
    """Seconds before each piece: a server that never stops sending and never gets on."""
    finish: str = "stop"
    """The finish reason: "length" is a reply that ran out of room."""


Reply = Scripted | Callable[[str], Scripted]
"""A reply, or what makes one from the user message that the model would see."""


class OpenAIServer:
    """`with OpenAIServer() as server: server.say("…")`; `requests` records the bodies."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.unscripted = 0
        self._replies: deque[Reply] = deque()
        self._released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        self.close()
        if kind is None and self.unscripted:
            raise AssertionError(f"{self.unscripted} request(s) came that no reply was queued for")

    def close(self) -> None:
        """Stops listening: the next request finds nobody."""
        self._released.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def left(self) -> int:
        """Replies that nobody asked for yet."""
        return len(self._replies)

    def queue(self, *replies: Reply) -> None:
        self._replies.extend(replies)

    def say(self, text: str) -> None:
        """Queues a whole reply, streamed word by word."""
        self.queue(whole(text))

    def release(self) -> None:
        """Lets hanging replies go."""
        self._released.set()

    def settings(self, **changes: Any) -> Settings:
        """Settings of a coach that talks to this server."""
        given = {"model": "openai:test", "model_base_url": self.url, "model_timeout_s": 20}
        return Settings(_env_file=None, **{**given, **changes})  # type: ignore[call-arg]

    def user_message(self, number: int = -1) -> str:
        """What the model was shown in one request."""
        return str(self.requests[number]["messages"][1]["content"])

    def system_message(self, number: int = -1) -> str:
        return str(self.requests[number]["messages"][0]["content"])

    def next_reply(self, body: dict[str, Any]) -> Scripted:
        self.requests.append(body)
        if not self._replies:
            self.unscripted += 1
            return Scripted(status=500)
        reply = self._replies.popleft()
        return reply if isinstance(reply, Scripted) else reply(self.user_message())

    def waits(self, seconds: float) -> bool:
        """Whether the server was released before the time was up."""
        return self._released.wait(seconds)

    def wait_released(self) -> None:
        self._released.wait(60)


def whole(text: str) -> Scripted:
    """A good reply, a word a piece."""
    words = text.split(" ")
    return Scripted((words[0], *(f" {w}" for w in words[1:])))


def _handler(server: OpenAIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/v1/chat/completions"
            assert body["stream"] is True
            reply = server.next_reply(body)
            try:
                if reply.status != 200:
                    self._refuse(reply.status)
                else:
                    self._stream(reply)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client hung up: it may

        def _refuse(self, status: int) -> None:
            data = json.dumps({"error": {"message": "scripted", "type": "scripted"}}).encode()
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, reply: Scripted) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for piece in reply.pieces:
                if reply.drip_s and server.waits(reply.drip_s):
                    return
                self._event({"role": "assistant", "content": piece})
            if reply.hang:
                server.wait_released()
            if not reply.cut:
                self._event({}, reply.finish)
                self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, delta: dict[str, str], finish: str | None = None) -> None:
            chunk = {
                "id": "scripted",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": "test",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            }
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
