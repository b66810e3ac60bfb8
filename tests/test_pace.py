"""How fast the suite sends: what a target says of its limit is read, obeyed, and used to the full."""

import random
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.catalogue import load_catalogue
from conformance.clock import VirtualClock
from conformance.http.answer import Answer
from conformance.http.burst import at_once
from conformance.http.limits import Limits
from conformance.http.pace import PLATFORM_BUCKET, PLATFORM_RATE, Pace
from conformance.http.redact import Redactor
from conformance.http.wire import Wire
from conformance.outcome import Conclusion
from conformance.reference.app import WSGI
from conformance.reference.server import make_reference
from conformance.running.run import Options, run

BUCKET = "X-Genstore-Shop-Api-Rate-Limit"


class Bucket:
    """A platform's limit before a WSGI application: it counts the requests that found the bucket empty."""

    def __init__(self, app: WSGI, clock: VirtualClock, size: int, per_second: float) -> None:
        self._app, self._clock, self._size, self._per_second = app, clock, size, per_second
        self._free, self._at = float(size), clock.monotonic()
        self.refused = 0
        self.taken: list[float] = []

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        """Pass a request of the API on, or answer 429."""
        if "/api/" not in environ["PATH_INFO"]:
            return self._app(environ, start)
        now = self._clock.monotonic()
        self._free = min(self._size, self._free + (now - self._at) * self._per_second)
        self._at = now
        if self._free < 1:
            self.refused += 1
            start("429 Too Many Requests", [(BUCKET, f"{self._size}/{self._size}")])
            return [b""]
        self._free -= 1
        self.taken.append(now)
        told = (BUCKET, f"{self._size - int(self._free)}/{self._size}")
        return self._app(environ, lambda status, headers, *more: start(status, [*headers, told], *more))


def test_a_standard_run_uses_the_platform_s_bucket_to_the_full(tmp_path: Path) -> None:
    """With 40 requests at once and 2 per second it conforms, within a tenth of the least time that this takes."""
    clock = VirtualClock()
    reference = make_reference(clock=clock)
    limited = Bucket(reference.app, clock, PLATFORM_BUCKET, PLATFORM_RATE)
    began = clock.monotonic()
    done = run(
        reference.target("http://reference"), load_catalogue(), tmp_path, Options(),
        clock=clock, transport=httpx.WSGITransport(app=limited),
    )  # fmt: skip
    seconds = clock.monotonic() - began
    reference.store.close()

    assert done.conclusion is Conclusion.CONFORMANT
    assert seconds <= 1.1 * (len(limited.taken) - PLATFORM_BUCKET) / PLATFORM_RATE
    assert limited.refused <= len(limited.taken) / 50  # what bursts meet varies, by a dozen


def test_a_burst_waits_until_the_bucket_has_room_for_all_of_it() -> None:
    """Five requests at one moment are let in at one moment, however empty the bucket was."""
    clock = VirtualClock()
    limited = Bucket(answer_at_once, clock, 10, PLATFORM_RATE)
    wire = wire_of(httpx.WSGITransport(app=limited), clock)
    for _ in range(10):
        wire.send("GET", "http://x/api/", operation="get")
    at_once(wire, [lambda: Answer(wire.send("GET", "http://x/api/", operation="get"))] * 5)

    assert limited.refused == 0
    assert limited.taken[-1] - limited.taken[-5] < 0.5


@pytest.mark.parametrize(
    ("headers", "rate", "hold"),
    [
        ({BUCKET: "39/40"}, 2.0, 0),
        ({"RateLimit": '"shop";r=1;t=9', "RateLimit-Policy": '"shop";q=40;w=10'}, 4.0, 0),
        ({"RateLimit": '"shop";r=0;t=9, "day";r=500', "RateLimit-Policy": '"shop";q=40;w=10'}, 4.0, 9),
        ({"RateLimit": "limit=40, remaining=0, reset=7", "RateLimit-Policy": "40;w=20"}, 2.0, 7),
        ({"RateLimit-Limit": "40", "RateLimit-Remaining": "0", "RateLimit-Reset": "5"}, 2.0, 5),
        ({"RateLimit": '"shop";r=0;t=999999999'}, 2.0, 60),
    ],
)
def test_what_a_target_says_of_its_limit_is_read(headers: dict[str, str], rate: float, hold: float) -> None:
    """The platform's header and every draft of RateLimit; a time to wait is bounded."""
    clock, pace = VirtualClock(), Pace()
    pace.wait(clock)
    pace.returned()
    pace.learn(200, headers, clock)
    before = clock.monotonic()
    pace.wait(clock)

    assert pace.rate == pytest.approx(rate)
    assert clock.monotonic() - before == pytest.approx(hold, abs=0.4)


@pytest.mark.parametrize(
    "headers",
    [
        {BUCKET: "many"}, {BUCKET: "1/"}, {BUCKET: "0/0"}, {"RateLimit": ";;=,"},
        {"RateLimit": "r=99999999999999999999"}, {"RateLimit": "limit=0, remaining=0, reset=7"},
    ],
)  # fmt: skip
def test_what_is_no_limit_is_passed_over(headers: dict[str, str]) -> None:
    """Nothing is held back, and nothing breaks."""
    clock, pace = VirtualClock(), Pace()
    pace.learn(200, headers, clock)
    before = clock.monotonic()
    for _ in range(100):
        pace.wait(clock)

    assert pace.described is None
    assert clock.monotonic() - before < 1


def test_a_higher_refill_than_the_platform_s_is_learnt() -> None:
    """A bucket of 40 that gets 50 a second is not used at 2 a second."""
    clock = VirtualClock()
    limited = Bucket(answer_at_once, clock, 40, 50.0)
    wire, before = wire_of(httpx.WSGITransport(app=limited), clock), clock.monotonic()
    for _ in range(1000):
        wire.send("GET", "http://x/api/", operation="get")

    assert clock.monotonic() - before <= 1.2 * 960 / 50
    assert wire.pace.described is not None
    assert "bucket of 40" in wire.pace.described


def test_a_bucket_that_never_fills_and_never_refuses_is_not_believed() -> None:
    """An answer that always says 40 of 40 holds a run back for seconds, and not for as long as a real one would."""
    clock = VirtualClock()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={BUCKET: "40/40"}))
    wire, before = wire_of(transport, clock), clock.monotonic()
    for _ in range(1000):
        wire.send("GET", "http://x/api/", operation="get")

    assert clock.monotonic() - before <= 10
    assert wire.pace.described is None


def test_a_bucket_that_was_doubted_is_believed_once_it_refuses() -> None:
    """After one answer of 429 what is told of the bucket holds requests back again."""
    clock = VirtualClock()
    statuses = [*[200] * 20, 429, *[200] * 10]
    transport = httpx.MockTransport(lambda _: httpx.Response(statuses.pop(0), headers={BUCKET: "40/40"}))
    wire = wire_of(transport, clock)
    for _ in range(20):
        wire.send("GET", "http://x/api/", operation="get")
    assert wire.pace.described is None

    before = clock.monotonic()
    for _ in range(10):
        wire.send("GET", "http://x/api/", operation="get")

    assert not statuses
    assert clock.monotonic() - before >= 9 / PLATFORM_RATE


def test_requests_per_second_are_capped_for_all_threads_together() -> None:
    """Four threads that each send ten take as long as forty in a row."""
    clock = VirtualClock()
    pace, before = Pace(requests_per_second=10), clock.monotonic()

    def send_ten() -> None:
        for _ in range(10):
            pace.wait(clock)

    threads = [threading.Thread(target=send_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clock.monotonic() - before >= 39 / 10


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_now_holds_every_worker_back(status: int) -> None:
    """Nobody else runs into the limit that one has met."""
    clock = VirtualClock()
    answers = [status, 200, 200]
    transport = httpx.MockTransport(lambda _: httpx.Response(answers.pop(0), headers={"Retry-After": "5"}))
    wire = wire_of(transport, clock)
    wire.send("GET", "http://x/api/", operation="get")
    wire.pace.hold(3, clock)
    before = clock.monotonic()
    wire.send("GET", "http://x/api/", operation="list")

    assert clock.monotonic() - before >= 3
    assert not answers


def answer_at_once(_: Any, start: Callable[..., Any]) -> Iterable[bytes]:
    """An application that says yes to everything."""
    start("200 OK", [])
    return [b""]


def wire_of(transport: httpx.BaseTransport, clock: VirtualClock) -> Wire:
    """Return a wire to an application in this process."""
    return Wire(
        clock=clock, limits=Limits(), pace=Pace(), redact=Redactor(), transport=transport, jitter=random.Random(1)
    )
