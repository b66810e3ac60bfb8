"""The one seam for all traffic: it paces, bounds, times and records, and no secret passes it unredacted."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
from attrs import define, field, frozen

from conformance.clock import Clock
from conformance.pace import Pace
from conformance.redact import Redactor
from conformance.results import Blocked

MAX_BODY = 4 * 1024 * 1024
"""Bytes of an answer that are read; a longer one is cut off and counts as unreadable."""


@frozen
class Limits:
    """How long anything may take, in seconds; a target can raise them under ``limits:``."""

    connect: float = 5.0
    answer: float = 10.0
    settle: float = 10.0
    poll: float = 0.1
    rate_limited: float = 120.0


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
    when a create was answered with the refund of another request number.
    """

    request: Request
    operation: str
    at: str
    role: str = "act"
    status: int | None = None
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""
    cut_off: bool = False
    trouble: str | None = None
    seconds: float = 0.0
    counted: bool = False
    batched: bool = False
    exempt: bool = False
    second_hand: bool = False


class Wire:
    """Sends requests to one target over keep-alive connections and remembers what passed.

    ``accepted`` counts the acceptances of each operation; ``lag`` is how many seconds an effect may take to show, as
    far as this target was seen to lag; ``waits_in_vain`` counts the waits for an effect that never showed.
    It is safe to use from several threads. Redirects are never followed: a token goes to no other place.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        limits: Limits,
        pace: Pace,
        redact: Redactor,
        verify: Any = True,
        transport: httpx.BaseTransport | None = None,
        headers: dict[str, str] | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self.clock = clock
        self.limits = limits
        self.redact = redact
        self.requests = 0
        self.api_requests = 0
        self.accepted: Counter[str] = Counter()
        self.lag = 0.0
        self.waits_in_vain = 0
        self._pace = pace
        self._headers = headers or {}
        self._jitter = jitter or random.Random(0)  # noqa: S311 - spreads retries, guards nothing
        self._verify = verify
        self._transport = transport
        self._client = self._connect()
        self._lock = threading.Lock()
        self._recorded: list[Exchange] = []

    def _connect(self) -> httpx.Client:
        timeout = httpx.Timeout(self.limits.answer, connect=self.limits.connect)
        pool = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=4)
        return httpx.Client(
            timeout=timeout,
            limits=pool,
            verify=self._verify,
            transport=self._transport,
            trust_env=False,
            follow_redirects=False,
        )

    def reconnect(self) -> None:
        """The next request goes over a new connection."""
        self._client.close()
        self._client = self._connect()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def show(self, exchange: Exchange) -> None:
        """Make an earlier exchange part of what the present check shows as evidence."""
        with self._lock:
            if all(recorded is not exchange for recorded in self._recorded):
                self._recorded.append(exchange)

    @property
    def recorded(self) -> list[Exchange]:
        """The exchanges since they were last taken, oldest first."""
        with self._lock:
            return list(self._recorded)

    def take_recorded(self) -> list[Exchange]:
        """Return the exchanges since the last call, oldest first."""
        with self._lock:
            recorded, self._recorded = self._recorded, []
        return recorded

    def send(
        self, method: str, url: str, *, operation: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Exchange:
        """Send one request and return the exchange, whatever came of it.

        Answers 429 and 503 are waited out and tried again; they are never returned.

        Raises:
            Blocked: the target was still rate limiting after ``limits.rate_limited`` seconds.
        """
        request = Request(method, url, self._headers | (headers or {}), body)
        waited, backoff = 0.0, 0.25
        while True:
            waited += self._pace.wait(self.clock)
            exchange = self._send_once(request, operation)
            self._pace.learn(exchange.status, exchange.headers, self.clock)
            if exchange.status not in {429, 503}:
                break
            if waited > self.limits.rate_limited:
                raise Blocked(f"the target answered {exchange.status} for {waited:.0f} s and did not recover")
            pause = self._pace.retry_after(exchange.headers, self.limits.rate_limited)
            if pause is None:
                pause = backoff * self._jitter.uniform(0.8, 1.2)
                backoff = min(backoff * 2, 8.0)
            self.clock.sleep(pause)
            waited += pause
        with self._lock:
            self._recorded.append(exchange)
            self.accepted[operation] += exchange.status in {200, 201, 202}
        return exchange

    def _send_once(self, request: Request, operation: str) -> Exchange:
        exchange = Exchange(request, operation, at=self.clock.now().isoformat(timespec="milliseconds"))
        started = self.clock.monotonic()
        with self._lock:
            self.requests += 1
            self.api_requests += operation != "orders"
        with self._troubles_of(exchange, urlsplit(request.url).netloc):
            try:
                url = httpx.URL(request.url)
                made = self._client.build_request(
                    request.method, url, headers=_as_bytes(request.headers), content=request.body
                )
            except (httpx.InvalidURL, UnicodeError, ValueError) as error:
                raise Blocked(f"the client cannot send this request: {error}") from None
            response = self._client.send(made, stream=True)
            try:
                exchange.status = response.status_code
                exchange.headers = {
                    name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers.raw
                }
                exchange.body, exchange.cut_off = self._read(response, started)
            finally:
                response.close()
        exchange.seconds = self.clock.monotonic() - started
        return exchange

    def _read(self, response: httpx.Response, started: float) -> tuple[bytes, bool]:
        kept = bytearray()
        for piece in response.iter_bytes(65536):
            kept += piece
            if len(kept) > MAX_BODY:
                return bytes(kept[:MAX_BODY]), True
            if self.clock.monotonic() - started > self.limits.answer:
                raise httpx.ReadTimeout("the answer did not end in time")
        return bytes(kept), False

    @contextlib.contextmanager
    def _troubles_of(self, exchange: Exchange, host: str) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            within = self.limits.connect if isinstance(error, httpx.ConnectTimeout) else self.limits.answer
            exchange.trouble = f"no complete answer from {host} within {within:g} s"
        except httpx.ConnectError as error:
            exchange.trouble = f"no connection to {host}: {error}"
        except httpx.HTTPError as error:
            exchange.trouble = f"the connection to {host} broke: {type(error).__name__}: {error}"
        except httpx.InvalidURL as error:
            exchange.trouble = f"the answer of {host} cannot be followed: {error}"


def _as_bytes(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("utf-8", "surrogatepass")) for name, value in headers.items()]
