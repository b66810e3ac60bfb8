"""The one seam for all traffic: it paces, bounds, times and records, and no secret passes it unredacted."""

import contextlib
import math
import random
import ssl
import threading
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
from attrs import define, field, frozen

from conformance import __version__
from conformance.clock import Clock
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.transport import THIS_MACHINE, BoundedTransport, Proxy, Stale
from conformance.http.writes import Writes
from conformance.results import Blocked, Unsendable
from conformance.running.workers import WORKER

MAX_BODY = 4 * 1024 * 1024
"""Bytes of an answer that are read; one that has more was not understood, and counts as trouble."""
LIGHT = 64 * 1024
"""Bytes of a body that nobody minds to keep."""
MAX_HEAVY = 96 * 1024 * 1024
"""Bytes that the bodies which are not light may have in a whole run; after that each must be."""
MAX_VALUES = 30_000
"""Values in the JSON of an answer; as objects they take a hundred times the bytes."""
OPENING = 160
"""Characters of a body that an explanation shows."""
ALWAYS_SENT = {"User-Agent": f"genstore-conformance/{__version__}", "Accept-Encoding": "identity"}
DECODERS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
RATE_LIMITED = {429, 503}
FIRST_BACKOFF, LONGEST_BACKOFF = 0.25, 8.0
"""Seconds to wait after an answer that asks for patience without saying for how much."""
GATEWAYS = {407, 502, 504, 511}
"""Only a proxy or a gateway answers so; it has no answer of the server behind it (RFC 9110, 15.5.8, 15.6.3, 15.6.5)."""


@frozen
class Limits:
    """How long anything may take, in seconds; a target can raise them under ``limits:``.

    ``answer`` bounds a whole answer, ``provider`` one of an order provider that is a program. What an operation costs
    in vain, without an answer in between, is bounded by ``progress``; after that it is asked no more.
    """

    connect: float = 5.0
    answer: float = 10.0
    settle: float = 10.0
    poll: float = 0.1
    provider: float = 30.0
    rate_limited: float = 120.0
    progress: float = 60.0


@frozen
class Request:
    """What was sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


@define
class Exchange:
    """One request and what came back: an answer, or the trouble that kept it from coming.

    ``counted`` once it is part of a check's number of requests; ``batched`` when it is one of many sent together for
    several checks, so that it is evidence only where it is shown; ``exempt`` when the form of
    an acceptance is not judged as well, since it had to be refused, or nothing says what comes of it; ``second_hand``
    when a create was answered with the refund of another request number; ``reads_back`` when it is a list or a get in
    the page's own shape, of what the target itself has named. ``opening`` is how the body begins, fit to be
    shown. ``unreachable`` when not even a connection came about; ``unsent`` when the client could not send it;
    ``stale`` when the connection that it was sent on had already been closed.
    """

    request: Request
    operation: str
    at: str
    role: str = "act"
    status: int | None = None
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""
    opening: str = ""
    cut_off: bool = False
    trouble: str | None = None
    unreachable: bool = False
    unsent: bool = False
    stale: bool = False
    seconds: float = 0.0
    counted: bool = False
    batched: bool = False
    exempt: bool = False
    second_hand: bool = False
    reads_back: bool = False


class Patience:
    """How much waiting was in vain, by operation, since it last gave an answer; ends when it was too much.

    It takes two requests in vain, so that one which a target cannot answer ends nothing else. What all operations of
    the API cost together counts as well; the order provider is on its own.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lost: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def insist(self, operation: str) -> None:
        """The operation may be asked.

        Raises:
            Blocked: it has cost too much time already.
        """
        with self._lock:
            for name in _names(operation):
                lost = self._lost.get(name, ())
                if len(lost) > 1 and sum(lost) > self._seconds:
                    raise Blocked(f"{name} gave no answer in {sum(lost):.0f} s of waiting, and was asked no more")

    def answered(self, operation: str) -> None:
        """The operation gave an answer."""
        with self._lock:
            for name in _names(operation):
                self._lost.pop(name, None)

    def lost(self, operation: str, seconds: float) -> None:
        """A request took so long, and got no answer."""
        with self._lock:
            for name in _names(operation):
                self._lost.setdefault(name, []).append(seconds)


def _names(operation: str) -> tuple[str, ...]:
    return ("the order provider",) if operation == "orders" else (operation, "the target")


WRITING = ("create", "review", "other")
SHOWN_BEFORE = {"list": WRITING, "get": WRITING, "review": ("create",)}
"""What must have had the time to show before an operation: a refund is reviewed as soon as it is known."""


class Wire:
    """Sends requests to one target over keep-alive connections and remembers what passed.

    ``accepted`` counts the acceptances of each operation; ``lag`` is how many seconds an effect may take to show, as
    far as this target was seen to lag; ``waits_in_vain`` counts the waits for an effect that never showed; ``latency``
    is how many seconds the last answer took; ``completes`` says whether refunds that were waited for in process got
    completed.
    It is safe to use from several threads; each worker has connections of its own, and its own memory of what passed.
    Redirects are never followed, and cookies never kept: a token goes to the address that it was given for, and to no
    other.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        limits: Limits,
        pace: Pace,
        redact: Redactor,
        writes: Writes | None = None,
        verify: Any = True,
        proxy: Proxy | None = None,
        transport: httpx.BaseTransport | None = None,
        headers: dict[str, str] | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self.clock = clock
        self.limits = limits
        self.redact = redact
        self.writes = writes or Writes()
        self.requests = 0
        self.api_requests = 0
        self.accepted: Counter[str] = Counter()
        self.lag = 0.0
        self.waits_in_vain = 0
        self.latency = 0.0
        self.completes: bool | None = None
        self.pace = pace
        self._patience = Patience(limits.progress)
        self._limited_in_vain = 0
        self._heavy = 0
        self._headers = headers or {}
        self._jitter = jitter or random.Random(0)  # noqa: S311 - spreads retries, guards nothing
        self._verify = verify
        self._proxy = proxy
        self._given = transport
        self._transports: dict[int, httpx.BaseTransport] = {}
        self._lock = threading.Lock()
        self._room: Counter[int] = Counter()
        self._wrote: defaultdict[tuple[int, str], float] = defaultdict(lambda: -math.inf)
        self._recorded: defaultdict[int, list[Exchange]] = defaultdict(list)

    @property
    def _transport(self) -> httpx.BaseTransport:
        worker = WORKER.get()
        with self._lock:
            if worker not in self._transports:
                self._transports[worker] = self._given or BoundedTransport(
                    verify=self._verify, seconds=self.limits.answer, proxy=self._proxy
                )
            return self._transports[worker]

    def reconnect(self) -> None:
        """The worker's next request goes over a new connection."""
        with self._lock:
            transport = self._transports.pop(WORKER.get(), None)
        if transport is not None:
            transport.close()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            transports, self._transports = self._transports, {}
        for transport in transports.values():
            transport.close()

    def show(self, exchange: Exchange) -> None:
        """Make an earlier exchange part of what the present check shows as evidence."""
        exchange.batched = False
        with self._lock:
            if all(recorded is not exchange for recorded in self._recorded[WORKER.get()]):
                self._recorded[WORKER.get()].append(exchange)

    @property
    def recorded(self) -> list[Exchange]:
        """The worker's exchanges since they were last taken, oldest first."""
        with self._lock:
            return list(self._recorded[WORKER.get()])

    def take_recorded(self) -> list[Exchange]:
        """Return the worker's exchanges since its last call, oldest first."""
        with self._lock:
            return self._recorded.pop(WORKER.get(), [])

    def send(
        self, method: str, url: str, *, operation: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Exchange:
        """Send one request and return the exchange, whatever came of it.

        Answers 429 and 503 are waited out and tried again; they are never returned.

        Raises:
            Unsendable: the client cannot send it; it is remembered all the same.
            Blocked: it may not be sent, or the target was still rate limiting after ``limits.rate_limited`` seconds, or
                gave no answer for so long that nothing more is asked of it.
        """
        self._patience.insist(operation)
        if not self._room[WORKER.get()]:
            self._let_writes_show(SHOWN_BEFORE.get(operation, ()))
        request = Request(method, url, self._headers | (headers or {}), body)
        try:
            exchange = self._send_until_let_in(request, operation)
        except Unsendable as error:
            self._remember_unsent(request, operation, error)
            raise
        with self._lock:
            self._wrote[WORKER.get(), operation] = self.clock.monotonic()
            self.latency = exchange.seconds
            self._recorded[WORKER.get()].append(exchange)
            self.accepted[operation] += exchange.status in {200, 201, 202}
        return exchange

    def _remember_unsent(self, request: Request, operation: str, error: Unsendable) -> None:
        """Remember a request that never left; it is evidence of nothing, and no request of the run."""
        at = self.clock.now().isoformat(timespec="milliseconds")
        exchange = Exchange(request, operation, at, trouble=error.reason, unsent=True, counted=True, batched=True)
        with self._lock:
            self.requests -= 1
            self.api_requests -= operation != "orders"
            self._recorded[WORKER.get()].append(exchange)

    def repeat(self, exchange: Exchange) -> Exchange:
        """Send a request once more, and return what came of it this time."""
        sent = exchange.request
        return self.send(
            sent.method, sent.url, operation=exchange.operation, headers=dict(sent.headers), body=sent.body
        )

    def make_room(self, requests: int) -> None:
        """Wait until the limit of the target lets so many requests go at one moment; the worker's next ones do."""
        self._let_writes_show(WRITING)
        self.pace.wait(self.clock, requests)
        with self._lock:
            self._room[WORKER.get()] += requests

    def _let_writes_show(self, operations: Iterable[str]) -> None:
        """Wait until what the worker wrote last by these shows on a target that was seen to lag (reading A64).

        Until then one read may show it and the next one not, where several servers stand behind one address.
        """
        wrote = max((self._wrote[WORKER.get(), operation] for operation in operations), default=-math.inf)
        if self.lag and (missing := wrote + self.lag - self.clock.monotonic()) > 0:
            self.clock.sleep(missing)

    def _wait_for_room(self, operation: str) -> None:
        with self._lock:
            there = operation != "orders" and self._room[WORKER.get()] > 0
            self._room[WORKER.get()] -= there
        if not there:
            self.pace.wait(self.clock, 0 if operation == "orders" else 1)

    def _send_until_let_in(self, request: Request, operation: str) -> Exchange:
        waited, backoff = 0.0, FIRST_BACKOFF
        allowed = self.limits.rate_limited / (1 + self._limited_in_vain)
        while True:
            self.writes.take(request.method, operation)
            self._wait_for_room(operation)
            try:
                exchange = self._send_once(request, operation)
            finally:
                if operation != "orders":
                    self.pace.returned()
            self.writes.answered(request.method, operation, exchange.status)
            self.pace.learn(exchange.status, exchange.headers, self.clock)
            if exchange.stale:
                continue  # the next connection serves, in the end a new one (RFC 9112, 9.3.1); a create has its key
            if exchange.trouble is not None:
                self._patience.lost(operation, exchange.seconds)
                return exchange
            if exchange.status not in RATE_LIMITED:
                self._patience.answered(operation)
                return exchange
            if waited > allowed:
                self._limited_in_vain += 1
                self._patience.lost(operation, waited)
                raise Blocked(f"the target answered {exchange.status} for {waited:.0f} s and did not recover")
            pause = self.pace.retry_after(exchange.headers, allowed)
            if pause is None:
                pause = backoff * self._jitter.uniform(0.8, 1.2)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
            self.pace.hold(pause, self.clock)  # for the other workers, too
            waited += pause

    def _send_once(self, request: Request, operation: str) -> Exchange:
        exchange = Exchange(request, operation, at=self.clock.now().isoformat(timespec="milliseconds"))
        started = self.clock.stopwatch()
        with self._lock:
            self.requests += 1
            self.api_requests += operation != "orders"
        with self._troubles_of(exchange, self._whereto(request.url)):
            response = self._transport.handle_request(self._made(request))
            try:
                exchange.status = response.status_code
                exchange.headers = {
                    name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers.raw
                }
                most = MAX_BODY if self._heavy < MAX_HEAVY and not _is_refusal(exchange) else LIGHT
                exchange.body, exchange.cut_off = self._read(response, started, most)
                exchange.body = _decoded(exchange, most)
            finally:
                response.close()
            self._heavy += len(exchange.body) if len(exchange.body) > LIGHT else 0
            exchange.trouble = _what_is_missing(exchange)
        exchange.seconds = self.clock.stopwatch() - started
        exchange.opening = self.redact.start(exchange.body, OPENING)
        return exchange

    def _whereto(self, url: str) -> str:
        """Return the host of a URL as messages name it, with the proxy on the way there."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        if self._proxy is None or (parts.hostname or "").encode() in THIS_MACHINE:
            return host
        return f"{host} by way of the proxy {self._proxy.address}"

    def _made(self, request: Request) -> httpx.Request:
        limits = self.limits
        timeout = httpx.Timeout(limits.answer, connect=limits.connect)
        try:
            return httpx.Request(
                request.method, request.url, headers=_as_bytes(ALWAYS_SENT | request.headers), content=request.body,
                extensions={"timeout": timeout.as_dict()},
            )  # fmt: skip
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise Unsendable(f"the client cannot send this request: {error}") from None

    def _read(self, response: httpx.Response, started: float, most: int) -> tuple[bytes, bool]:
        kept = bytearray()
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - narrowed for the type checker
        for piece in response.stream:
            kept += piece
            if len(kept) > most:
                return bytes(kept[:most]), True
            if self.clock.stopwatch() - started > self.limits.answer:
                raise httpx.ReadTimeout("the answer did not end in time")
        return bytes(kept), False

    @contextlib.contextmanager
    def _troubles_of(self, exchange: Exchange, host: str) -> Iterator[None]:
        try:
            yield
        except (httpx.LocalProtocolError, UnicodeError) as error:
            raise Unsendable(f"the client cannot send this request: {error}") from None
        except httpx.TimeoutException as error:
            within = self.limits.connect if isinstance(error, httpx.ConnectTimeout) else self.limits.answer
            exchange.trouble = f"no complete answer from {host} within {within:g} s"
            exchange.unreachable = isinstance(error, httpx.ConnectTimeout)
        except (httpx.ConnectError, httpx.ProxyError) as error:
            exchange.trouble = f"no connection to {host}: {_why_not(error)}"
            exchange.unreachable = True
        except (httpx.TransportError, zlib.error) as error:
            said = self.redact.start(str(error), OPENING)
            exchange.trouble = f"the connection to {host} broke: {type(error).__name__}: {said}"
            exchange.stale = isinstance(error.__cause__, Stale)


def _decoded(exchange: Exchange, most: int) -> bytes:
    """Return the body without the encoding that a server put on it unasked; at most so many bytes of it."""
    window = DECODERS.get(_encoding(exchange))
    if window is None or not exchange.body:
        return exchange.body
    decoder = zlib.decompressobj(window)
    body = decoder.decompress(exchange.body, most)
    exchange.cut_off = not decoder.eof
    return body


def _encoding(exchange: Exchange) -> str:
    told = {name.lower(): value for name, value in exchange.headers.items()}.get("content-encoding", "")
    return told.strip().lower()


def _is_refusal(exchange: Exchange) -> bool:
    """Say whether the status of an answer says it all: the rest of a refusal is of no use (reading A55)."""
    return exchange.status is not None and 400 <= exchange.status < 500  # noqa: PLR2004 - 4xx


def _what_is_missing(exchange: Exchange) -> str | None:
    """Return why an answer that came cannot be taken for the target's own, whole answer."""
    if exchange.status in GATEWAYS:
        return f"a gateway or a proxy answered {exchange.status}, and not the target"
    if exchange.cut_off and not _is_refusal(exchange):
        return f"the answer has more than the {len(exchange.body)} bytes that were read, or its encoding breaks off"
    if len(exchange.body) > LIGHT and sum(map(exchange.body.count, b"{[,")) > MAX_VALUES:
        return f"the answer has more than {MAX_VALUES} values"
    encoding = _encoding(exchange)
    if exchange.body and encoding not in {"", "identity", *DECODERS}:
        return f"the answer has the encoding {encoding[:40]!r}, which was not asked for"
    return None


def _why_not(error: httpx.TransportError) -> str:
    """Return why there is no connection; what is wrong with a certificate in words."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {cause.verify_message.rstrip('.')}. If you know whose it is, "
            "name its authority under tls/ca_file in the target file."
        )
    if isinstance(cause, ssl.SSLError):
        reason = (cause.reason or str(cause)).replace("_", " ").lower()
        return f"no TLS could be agreed on ({reason}). Is the scheme of the URL right?"
    return str(error)


def _as_bytes(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("utf-8", "surrogatepass")) for name, value in headers.items()]
