"""The one seam for all traffic: it paces, bounds, times and records, and no secret passes it unredacted."""

import contextlib
import contextvars
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

from conformance import __version__
from conformance.clock import Clock
from conformance.http.exchange import LIGHT, Exchange, Request, decoded, is_refusal, what_is_missing
from conformance.http.limits import Limits, Patience
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.transport import THIS_MACHINE, BoundedTransport, Proxy, Stale
from conformance.http.writes import Writes
from conformance.outcome import Blocked, Unsendable

WORKER: contextvars.ContextVar[int] = contextvars.ContextVar("worker", default=0)
"""The worker that the present thread sends requests for."""
MAX_BODY = 4 * 1024 * 1024
"""Bytes of an answer that are read; one that has more was not understood, and counts as trouble."""
MAX_HEAVY = 96 * 1024 * 1024
"""Bytes that the bodies which are not light may have in a whole run; after that each must be."""
OPENING = 160
"""Characters of a body that an explanation shows."""
ALWAYS_SENT = {"User-Agent": f"genstore-conformance/{__version__}", "Accept-Encoding": "identity"}
RATE_LIMITED = {429, 503}
GAVE_UP, MOST_GIVEN_UP = 408, 10
"""How a server takes leave of an idle connection, which is then read as the answer to the next request, and
how many such connections there may be (RFC 9110, 15.5.9)."""
FIRST_BACKOFF, LONGEST_BACKOFF = 0.25, 8.0
"""Seconds to wait after an answer that asks for patience without saying for how much."""


WRITING = ("create", "review", "other")
SHOWN_BEFORE = {"list": WRITING, "get": WRITING, "review": ("create",)}
"""What must have had the time to show before an operation: a refund is reviewed as soon as it is known."""
ALONE = contextvars.ContextVar("alone", default=False)
"""Whether requests of this context have a turn that was taken for all of them."""


class Wire:
    """Sends requests to one target over keep-alive connections and remembers what passed.

    ``lag`` is how many seconds an effect may take to show, as far as this target was seen to lag; ``waits_in_vain``
    counts the waits for an effect that never showed; ``latency`` is how many seconds the last answer took;
    ``completes`` says whether refunds that were waited for in process got completed; ``order_lag`` is how many seconds
    a new order takes to be known, and ``shipping_lag`` that it was shipped; ``waits`` says whether anything of all that
    is to be waited for.
    It is safe to use from several threads; each worker has connections of its own, and its own memory of what passed.
    With ``in_turn`` no request is sent before the one that another worker sent is answered.
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
        self.lag = 0.0
        self.order_lag = self.shipping_lag = 0.0
        self.waits = False
        self.in_turn = False
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
        self._turn = threading.Lock()
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

    @contextlib.contextmanager
    def my_turn(self) -> Iterator[None]:
        """Where workers take turns, no other one sends a request while the block runs; its own need no further turn."""
        if not self.in_turn or ALONE.get():
            yield
            return
        with self._turn:
            mine = ALONE.set(True)
            try:
                yield
            finally:
                ALONE.reset(mine)

    def make_room(self, requests: int) -> None:
        """Wait until the limit of the target lets so many requests go at one moment; the worker's next ones do."""
        self._let_writes_show(WRITING)
        self.pace.wait(self.clock, requests)
        with self._lock:
            self._room[WORKER.get()] += requests

    def expect_lag(self, late: float) -> None:
        """Allow for effects that were seen to show so many seconds late; none that show at once."""
        if late:
            self.waits = True
            self.lag = max(self.lag, min(1.3 * late + 0.2, self.limits.settle))

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
        waited, backoff, given_up = 0.0, FIRST_BACKOFF, 0
        allowed = self.limits.rate_limited / (1 + self._limited_in_vain)
        while True:
            self.writes.take(request.method, operation)
            self._wait_for_room(operation)
            try:
                with self.my_turn():
                    exchange = self._send_once(request, operation)
            except Unsendable:
                self.writes.take_back(request.method, operation)
                raise
            finally:
                if operation != "orders":
                    self.pace.returned()
            self.writes.answered(request.method, operation, exchange.status)
            self.pace.learn(exchange.status, exchange.headers, self.clock)
            if exchange.status == GAVE_UP and given_up < MOST_GIVEN_UP:
                given_up += 1
                exchange.stale = True
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
                most = MAX_BODY if self._heavy < MAX_HEAVY and not is_refusal(exchange) else LIGHT
                exchange.body, exchange.cut_off = self._read(response, started, most)
                exchange.body = decoded(exchange, most)
            finally:
                response.close()
            self._heavy += len(exchange.body) if len(exchange.body) > LIGHT else 0
            exchange.trouble = what_is_missing(exchange)
        exchange.seconds = self.clock.stopwatch() - started
        exchange.opening = self.redact.start(exchange.body, OPENING)
        exchange.location = self.redact.start(exchange.header("location") or "", OPENING)
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
            made = httpx.Request(
                request.method, request.url, headers=_as_bytes(ALWAYS_SENT | request.headers), content=request.body,
                extensions={"timeout": timeout.as_dict()},
            )  # fmt: skip
            return made if not made.url.userinfo else _with_user(made)
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


def _with_user(request: httpx.Request) -> httpx.Request:
    """Return the request with what its URL says of a user as curl sends it, too (RFC 7617)."""
    auth = httpx.BasicAuth(request.url.username, request.url.password)
    return next(auth.sync_auth_flow(request))


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
