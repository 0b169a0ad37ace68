"""HTTP as an importer needs it: only to public addresses, bounded in size and time, patient.

Names are resolved and checked here and the connection is made to the checked address, so that a
redirect or a name that changes its address between check and connection (DNS rebinding) leads
nowhere it should not. Above that lies httpcore, with TLS verified against the name.
"""

from __future__ import annotations

import email.utils
import ipaddress
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from rag.errors import RagError

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) → IP addresses, most wanted first."""

MAX_BYTES = 20 * 1024 * 1024
MAX_REDIRECTS = 8
TRIES = 4
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
DEADLINE_S = 120.0
"""For one answer, headers to last byte: a server that drips is not waited for."""
LONGEST_WAIT_S = 120.0
RETRIED = frozenset({429, 500, 502, 503, 504})
USER_AGENT = "glute-coach-import/1.0"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class FetchError(RagError):
    """An address that may not or could not be read. `refused`: by our own rules."""

    def __init__(self, message: str, *, refused: bool = False, status: int | None = None) -> None:
        super().__init__(message)
        self.refused = refused
        self.status = status
        self.exit_code = 2 if refused else 1


class AddressRefused(FetchError):
    def __init__(self, message: str) -> None:
        super().__init__(message, refused=True)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer with its body, decoded from gzip but not from its character set."""

    url: str
    """After redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def resolve_host(host: str, port: int) -> list[str]:
    """The system's answer; raises `FetchError` where the name has no address."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError(f"no address found for {host!r}; is the name right?") from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def check_address(address: str, allow_private: bool) -> None:
    """Raises `AddressRefused` for what is not a public address (see `--allow-private`)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            embedded = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if embedded:
            return check_address(str(embedded), allow_private)
    # Link-local holds the clouds' metadata services: never a place where articles live.
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        raise AddressRefused(f"{address} is a link-local, multicast or empty address: refused")
    if not ip.is_global and not (allow_private and (ip.is_loopback or ip.is_private)):
        raise AddressRefused(
            f"{address} is a loopback or private address: refused; --allow-private permits it"
        )
    return None


class Fetcher:
    """Reads http(s) addresses. `resolve`, `sleep` and `clock` are seams for tests."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        max_bytes: int = MAX_BYTES,
        resolve: Resolve = resolve_host,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import httpcore

        self._max_bytes = max_bytes
        self._sleep = sleep
        self._clock = clock
        self._pool = httpcore.ConnectionPool(
            network_backend=_checked_backend(resolve, allow_private),
            max_connections=4,
            keepalive_expiry=20.0,
        )

    def get(self, url: str, *, accept: str = "*/*", tries: int = TRIES) -> Page:
        """The page at `url`, redirects followed; raises `FetchError` for anything but a 2xx."""
        page = self.ask(url, accept=accept, tries=tries)
        if not 200 <= page.status < 300:
            raise FetchError(f"{url}: the server answered {page.status}", status=page.status)
        return page

    def ask(self, url: str, *, accept: str = "*/*", tries: int = TRIES) -> Page:
        """As `get`, but 4xx answers come back as pages too."""
        for attempt in range(1, tries + 1):
            try:
                page = self._follow(url, accept)
            except FetchError as error:
                if error.refused or attempt == tries:
                    raise
                self._sleep(_backoff(attempt))
                continue
            if page.status not in RETRIED:
                return page
            wait = _retry_after(page.headers.get("retry-after", ""), attempt)
            if wait > LONGEST_WAIT_S or attempt == tries:
                raise FetchError(_busy(page, wait, attempt), status=page.status)
            self._sleep(wait)
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._pool.close()

    def _follow(self, url: str, accept: str) -> Page:
        target = url
        for _ in range(MAX_REDIRECTS + 1):
            page = self._once(target, accept)
            location = page.headers.get("location", "")
            if page.status not in _REDIRECTS or not location:
                return page
            target = urljoin(target, location)
        raise FetchError(f"{url}: more than {MAX_REDIRECTS} redirects", refused=True)

    def _once(self, url: str, accept: str) -> Page:
        import httpcore

        check_scheme(url)
        deadline = self._clock() + DEADLINE_S
        try:
            with self._pool.stream(
                "GET",
                url.partition("#")[0],
                headers={"User-Agent": USER_AGENT, "Accept": accept, "Accept-Encoding": "gzip"},
                extensions={"timeout": _TIMEOUTS},
            ) as answer:
                headers = _headers(answer.headers)
                body = self._bounded(url, answer.iter_stream(), headers, deadline)
                return Page(url, answer.status, headers, body)
        except httpcore.TimeoutException as error:
            raise FetchError(f"{url}: no answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise FetchError(f"{url}: {reason}") from error
        except (httpcore.UnsupportedProtocol, UnicodeError, ValueError) as error:
            raise FetchError(f"{url!r} is not a web address", refused=True) from error

    def _bounded(
        self, url: str, chunks: Iterator[bytes], headers: Mapping[str, str], deadline: float
    ) -> bytes:
        """The body; refuses, before reading it, what is or unpacks to more than `max_bytes`."""
        too_large = FetchError(
            f"{url}: larger than {self._max_bytes // (1024 * 1024)} MB: refused", refused=True
        )
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._max_bytes:
            raise too_large
        unpack = _unpacker(headers.get("content-encoding", ""), url)
        body = bytearray()
        for chunk in chunks:
            if self._clock() > deadline:
                raise FetchError(f"{url}: not read to its end in {DEADLINE_S:.0f} s")
            body += unpack(chunk, self._max_bytes + 1 - len(body))
            if len(body) > self._max_bytes:
                raise too_large
        return bytes(body)


def check_scheme(url: str) -> None:
    """Raises `FetchError` for anything but an http(s) address with a host."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise FetchError(f"{url!r} is not a web address", refused=True) from error
    if parts.scheme not in {"http", "https"}:
        raise FetchError(f"{url!r}: only http and https are read: refused", refused=True)
    if not host or parts.username is not None:
        raise FetchError(f"{url!r} is not a plain web address", refused=True)


_TIMEOUTS = {
    "connect": CONNECT_TIMEOUT_S, "read": READ_TIMEOUT_S,
    "write": READ_TIMEOUT_S, "pool": READ_TIMEOUT_S,
}  # fmt: skip


def _checked_backend(resolve: Resolve, allow_private: bool) -> Any:
    """An httpcore network backend that connects to addresses it has itself checked."""
    import httpcore

    class CheckedBackend(httpcore.NetworkBackend):
        def __init__(self) -> None:
            self._inner = httpcore.SyncBackend()

        def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            addresses = resolve(host, port)
            for address in addresses:
                check_address(address, allow_private)
            problem: Exception = FetchError(f"no address found for {host!r}")
            for address in addresses:
                try:
                    return self._inner.connect_tcp(address, port, *args, **kwargs)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    problem = error
            raise problem

    return CheckedBackend()


def _headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _unpacker(encoding: str, url: str) -> Callable[[bytes, int], bytes]:
    """Decoder of a content encoding that never yields more than it is asked for."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda chunk, room: chunk[:room]
        case "gzip" | "x-gzip" | "deflate":
            decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
        case other:
            raise FetchError(f"{url}: unknown content encoding {other!r}", refused=True)

    def unpack(chunk: bytes, room: int) -> bytes:
        try:
            return decoder.decompress(chunk, max(room, 1))
        except zlib.error as error:
            raise FetchError(f"{url}: the compressed answer is broken") from error

    return unpack


def _retry_after(value: str, attempt: int) -> float:
    """Seconds to wait: what the server asks for, as a number or a date, else a growing pause."""
    if value.strip().isdigit():
        return float(value)
    if value:
        try:
            when = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return _backoff(attempt)
        return max(0.0, when.timestamp() - time.time())
    return _backoff(attempt)


def _backoff(attempt: int) -> float:
    return float(min(2 ** (attempt - 1), 30))


def _busy(page: Page, wait: float, attempt: int) -> str:
    if wait > LONGEST_WAIT_S:
        return f"{page.url}: the server answered {page.status} and asks to wait {wait:.0f} s"
    return f"{page.url}: the server still answered {page.status} after {attempt} tries"
