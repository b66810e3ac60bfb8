"""The seam for all traffic: secrets, bounds, rate limits, and what trouble becomes."""

import base64
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from conformance.clock import VirtualClock
from conformance.http.evidence import as_evidence
from conformance.http.exchange import LIGHT
from conformance.http.limits import Limits
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.transport import Stale
from conformance.http.wire import MAX_BODY, Wire
from conformance.outcome import Blocked, Unsendable

SECRET = "s3cret/token+with=signs"


def wire_to(
    answer: Callable[[httpx.Request], httpx.Response], clock: VirtualClock | None = None, **limits: float
) -> Wire:
    """Return a wire to a function in the place of a server."""
    return Wire(
        clock=clock or VirtualClock(),
        limits=Limits(**limits),
        pace=Pace(),
        redact=Redactor([("GENSTORE_TOKEN", SECRET)]),
        transport=httpx.MockTransport(answer),
        jitter=random.Random(1),
    )


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        SECRET.upper(),
        quote(SECRET, safe=""),
        json.dumps(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
    ],
)
def test_a_secret_is_hidden_in_every_spelling(spelling: str) -> None:
    """What a server echoes of a token never gets into the evidence."""

    def echo(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, text=f"no such token {spelling}!", headers={"Location": f"/login?t={spelling}"})

    wire = wire_to(echo)
    exchange = wire.send("GET", f"http://x/?t={quote(SECRET)}", operation="get", headers={"X-Token": SECRET})
    shown = repr(as_evidence(exchange, wire.redact))

    assert spelling not in shown
    assert SECRET not in shown
    assert "$GENSTORE_TOKEN" in shown


def test_the_printed_curl_names_the_token_for_the_shell() -> None:
    """The token is a variable inside double quotes, and the body is quoted."""
    wire = wire_to(lambda _: httpx.Response(200))
    body = b"""{"reason": "it's $5"}"""
    exchange = wire.send("POST", "http://x/y", operation="create", headers={"X-Token": SECRET}, body=body)

    line = as_evidence(exchange, wire.redact).curl
    assert '-H "X-Token: $GENSTORE_TOKEN"' in line
    assert """'{"reason": "it'"'"'s $5"}'""" in line


def test_the_printed_curl_sends_empty_headers_and_adds_none() -> None:
    """A probe with an empty token, or with a body of no type, is sent again as it was."""
    wire = wire_to(lambda _: httpx.Response(200))
    exchange = wire.send("POST", "http://x/y", operation="create", headers={"X-Token": ""}, body=b"{}")

    line = as_evidence(exchange, wire.redact).curl
    assert "-H 'X-Token;'" in line
    assert "-H Content-Type: " in line


def test_a_rate_limit_is_waited_out() -> None:
    """429 is no answer: the same request goes again, after as long as the target asks for."""
    clock, answers = VirtualClock(), [429, 429, 200]

    def limited(_: httpx.Request) -> httpx.Response:
        return httpx.Response(answers.pop(0), headers={"Retry-After": "7"})

    wire, before = wire_to(limited, clock), clock.monotonic()
    assert wire.send("GET", "http://x/", operation="get").status == 200
    assert clock.monotonic() - before >= 14


@pytest.mark.parametrize("retry_after", ["999999999999", "soon", "-5", "", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_rate_limit_for_ever_blocks(retry_after: str) -> None:
    """Whatever Retry-After says, the wait is bounded, and ends as blocked."""
    wire = wire_to(lambda _: httpx.Response(429, headers={"Retry-After": retry_after}), rate_limited=20.0)
    with pytest.raises(Blocked, match="429"):
        wire.send("GET", "http://x/", operation="get")


def test_an_empty_bucket_is_not_asked() -> None:
    """When the header says that the bucket is used up, the next request waits."""
    clock = VirtualClock()
    wire = wire_to(lambda _: httpx.Response(200, headers={"X-Genstore-Shop-Api-Rate-Limit": "40/40"}), clock)
    wire.send("GET", "http://x/", operation="get")
    before = clock.monotonic()
    wire.send("GET", "http://x/", operation="get")

    assert clock.monotonic() - before >= 0.5


def test_an_endless_body_is_cut_off() -> None:
    """No more is read than the bound."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    exchange = wire_to(lambda _: httpx.Response(200, content=endless())).send("GET", "http://x/", operation="get")
    assert exchange.cut_off
    assert len(exchange.body) == MAX_BODY


def test_a_long_refusal_is_a_refusal() -> None:
    """Whatever it explains, its beginning is enough (reading A55)."""
    wire = wire_to(lambda _: httpx.Response(422, content=b"x" * 300_000))
    exchange = wire.send("GET", "http://x/", operation="get")

    assert exchange.trouble is None
    assert exchange.cut_off
    assert len(exchange.body) == LIGHT


def test_a_redirect_is_not_followed() -> None:
    """A token goes to the target and to nowhere else."""
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://elsewhere/"})

    assert wire_to(redirect).send("GET", "http://x/", operation="get").status == 302
    assert asked == ["x"]


@pytest.fixture
def rude() -> Iterator[Callable[[bytes], str]]:
    """Starts servers that send some bytes, whatever is asked, and close."""
    listening: list[socket.socket] = []

    def serve(reply: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)
        threading.Thread(target=answer_rudely, args=(server, reply), daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield serve
    for server in listening:
        server.close()


@pytest.fixture
def plain_wire() -> Iterator[Callable[[float], Wire]]:
    """Makes wires to real sockets, with a limit in seconds for an answer."""
    wires: list[Wire] = []

    def make(answer: float) -> Wire:
        wires.append(Wire(clock=VirtualClock(), limits=Limits(answer=answer), pace=Pace(), redact=Redactor()))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()


def answer_rudely(server: socket.socket, reply: bytes) -> None:
    """Accept connections until the socket is closed."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        connection.recv(65536)
        connection.sendall(reply)
        connection.close()


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["nothing", "garbage", "too short", "bad chunk", "bad gzip", "bad location"],
)
def test_what_is_no_http_becomes_trouble_or_an_answer(
    rude: Callable[[bytes], str], plain_wire: Callable[[float], Wire], reply: bytes
) -> None:
    """Nothing that a server sends escapes the wire as an exception."""
    exchange = plain_wire(3.0).send("GET", rude(reply), operation="get")

    assert exchange.trouble is not None or exchange.status is not None


def test_a_hang_ends_in_time(plain_wire: Callable[[float], Wire]) -> None:
    """A connection that is accepted and never answered is trouble after the limit."""
    server = socket.create_server(("127.0.0.1", 0))
    exchange = plain_wire(0.3).send("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", operation="get")
    server.close()

    assert exchange.trouble is not None
    assert "0.3 s" in exchange.trouble


def bucket(size: int, per_second: float, clock: VirtualClock) -> Callable[[httpx.Request], httpx.Response]:
    """Return a server behind a token bucket that tells how much of it is used."""
    state: dict[str, Any] = {"free": float(size), "at": clock.monotonic()}

    def answer(_: httpx.Request) -> httpx.Response:
        now = clock.monotonic()
        state["free"] = min(size, state["free"] + (now - state["at"]) * per_second)
        state["at"] = now
        if state["free"] < 1:
            return httpx.Response(429, headers={"X-Genstore-Shop-Api-Rate-Limit": f"{size}/{size}"})
        state["free"] -= 1
        used = size - int(state["free"])
        return httpx.Response(200, headers={"X-Genstore-Shop-Api-Rate-Limit": f"{used}/{size}"})

    return answer


def test_a_token_bucket_is_used_to_the_full() -> None:
    """300 requests to a bucket of 40 and 2 a second take at most a tenth longer than they must."""
    clock = VirtualClock()
    wire = wire_to(bucket(40, 2.0, clock), clock)
    before = clock.monotonic()
    for _ in range(300):
        assert wire.send("GET", "http://x/", operation="get").status == 200

    assert clock.monotonic() - before <= 1.1 * (300 - 40) / 2


def test_an_operation_that_never_answers_is_asked_no_more() -> None:
    """After ``limits.progress`` seconds in vain it is blocked at once; another operation may still be tried once."""
    clock, sent = VirtualClock(), []

    def hang(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        clock.sleep(9)
        raise httpx.ReadTimeout("nothing came")

    wire = wire_to(hang, clock)
    for _ in range(7):
        assert wire.send("GET", "http://x/list", operation="list").trouble is not None
    with pytest.raises(Blocked, match="asked no more"):
        wire.send("GET", "http://x/list", operation="list")
    with pytest.raises(Blocked, match="asked no more"):
        wire.send("GET", "http://x/get", operation="get")
    assert sent == ["/list"] * 7


def test_one_request_that_gets_no_answer_ends_nothing() -> None:
    """However long a single one hangs, the next is sent, and an answer makes all of it forgotten."""
    clock, answers = VirtualClock(), [False, True, False, True]

    def sometimes(_: httpx.Request) -> httpx.Response:
        if answers.pop(0):
            return httpx.Response(200)
        clock.sleep(500)
        raise httpx.ReadTimeout("nothing came")

    wire = wire_to(sometimes, clock)
    assert [wire.send("GET", "http://x/", operation="get").status for _ in range(4)] == [None, 200, None, 200]


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_speaks_for_itself(status: int) -> None:
    """Its answer is no answer of the target: trouble, and neither an acceptance nor a refusal."""
    exchange = wire_to(lambda _: httpx.Response(status)).send("GET", "http://x/", operation="get")

    assert exchange.status == status
    assert exchange.trouble is not None
    assert "gateway" in exchange.trouble


def test_a_large_answer_too_many_is_trouble() -> None:
    """Once large bodies had 96 MB together, one more than 64 kB is read no further, and a small one is still taken."""
    bodies = [b"x" * MAX_BODY] * 24 + [b"x" * 100_000, b"{}"]
    wire = wire_to(lambda _: httpx.Response(200, content=bodies.pop(0)))
    troubles = [wire.send("GET", "http://x/", operation="get").trouble for _ in range(26)]

    assert troubles[:24] == [None] * 24
    assert troubles[24] is not None
    assert troubles[25] is None


def test_what_cannot_be_sent_is_remembered_and_is_no_request() -> None:
    """A generated value that no client can put on the wire is known to the run, and costs the target nothing."""
    wire = wire_to(lambda _: httpx.Response(200))

    with pytest.raises(Unsendable):
        wire.send("GET", "http://target/", operation="list", headers={"X-\u5305": "1"})

    assert [exchange.unsent for exchange in wire.take_recorded()] == [True]
    assert wire.requests == 0


def test_what_was_written_shows_before_it_is_read() -> None:
    """On a target that lags a read waits for the writes before it, a review for the creates, a create for nothing."""
    clock = VirtualClock()
    wire = wire_to(lambda _: httpx.Response(200), clock)
    wire.lag = 2.0

    def waited(method: str, operation: str) -> float:
        before = clock.monotonic()
        wire.send(method, "http://x/y", operation=operation)
        return round(clock.monotonic() - before, 1)

    assert waited("POST", "create") == 0
    assert waited("POST", "create") == 0
    assert waited("PUT", "review") == 2
    assert waited("PUT", "review") == 0
    assert waited("GET", "list") == 2
    assert waited("GET", "get") == 0


@pytest.mark.parametrize(("times", "status"), [(2, 200), (100, 408)])
def test_the_end_of_an_idle_connection_is_no_answer(times: int, status: int) -> None:
    """A proxy says 408 as it closes; the request is sent again, unless that is all that ever comes."""
    answers = iter([408] * times + [200])
    wire = wire_to(lambda _: httpx.Response(next(answers), headers={"Connection": "close"}))

    assert wire.send("GET", "http://x/y", operation="list").status == status


def test_what_is_sent_again_over_another_connection_is_counted_again() -> None:
    """A write that met a closed connection may have been carried out: the limit on writes knows of both attempts."""
    tries = iter([True, False])

    def closed_at_first(_: httpx.Request) -> httpx.Response:
        if next(tries):
            raise httpx.ReadError("the connection had been closed") from Stale("the connection had been closed")
        return httpx.Response(200)

    wire = wire_to(closed_at_first)
    exchange = wire.send("POST", "http://x/y", operation="create")

    assert exchange.status == 200
    assert (wire.requests, wire.writes.sent) == (2, 2)
