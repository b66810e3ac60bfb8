"""Where the time of a run goes, and what the same requests cost without a suite: ``make bench``.

A standard run of the embedded reference is timed from start to exit as a user sees it, then measured from inside; then
a bare keep-alive loop sends the same requests to a fresh server of the same kind. After that the same run is timed with
latency added, by one worker and by several, and a sample of the faulty servers is judged in two profiles, a few of them
by schemathesis' own command as well.
"""

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import yaml
from attrs import define, field
from rich.console import Console
from rich.table import Table

from conformance.catalogue import load_catalogue
from conformance.clock import RealClock, VirtualClock
from conformance.faults import load_faults
from conformance.generation import generated
from conformance.proof import judge_in_process
from conformance.reference.app import WSGI
from conformance.reference.server import make_reference, serving
from conformance.report import draw
from conformance.results import Run
from conformance.running.run import Options, run
from tests.bench_peers import EXAMPLES, by_schemathesis
from tests.proxy import Trouble, moved, proxied, served_reference

PROFILE = "standard"
DEAREST = 10
LATENCY = 0.05
"""Seconds added to each answer."""
MANY = 8
FAULTS = 40
PEERS = 5
"""So many of the faults are judged by a plain ``st run`` too, which takes a quarter of a minute for each."""


@define
class Spent:
    """Seconds spent in some place, added up over every thread."""

    seconds: float = 0.0
    _lock: threading.Lock = field(factory=threading.Lock)

    def add(self, seconds: float) -> None:
        """Add some seconds."""
        with self._lock:
            self.seconds += seconds

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, its time added to this."""

        def call(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.add(time.perf_counter() - started)

        return call


class NotedTransport(httpx.HTTPTransport):
    """Sends requests as ever; remembers each, and the time until its answer began."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_keepalive_connections=16))
        self.sent: list[httpx.Request] = []
        self.spent = Spent()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        self.sent.append(request)
        response: httpx.Response = self.spent.timed(super().handle_request)(request)
        return response


class NotedClock(RealClock):
    """The clock on the wall; remembers how long it was waited on."""

    def __init__(self) -> None:
        self.spent = Spent()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.spent.timed(super().sleep)(seconds)


def known_token(shop: str, name: str) -> str:
    """Return the same token for the run and for its replay."""
    return f"{shop}-{name}-for-the-bench"


def timed_app(app: WSGI, spent: Spent) -> WSGI:
    """Return the application, its time added to ``spent``."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return list(spent.timed(app)(environ, start_response))

    return answer


def from_outside(folder: Path, *more: str) -> float:
    """Return the seconds of a whole run, from start to exit, in a process of its own."""
    command = [sys.executable, "-m", "conformance", "run", *more, "--out", str(folder)]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def from_inside(folder: Path) -> tuple[Run, float, dict[str, float], list[httpx.Request]]:
    """Return a run, its seconds, where they were spent, and what was sent."""
    server, generation, report = Spent(), Spent(), Spent()
    transport, clock = NotedTransport(), NotedClock()
    setattr(generated, "requests_for", generation.timed(generated.requests_for))  # noqa: B010 - its type is its own
    reference = make_reference(token=known_token)
    catalogue = load_catalogue()
    with serving(timed_app(reference.app, server)) as origin:
        started = time.perf_counter()
        options = Options(profile=PROFILE)
        done = run(reference.target(origin), catalogue, folder, options, clock=clock, transport=transport)
        report.timed(draw)(done, catalogue, folder)
        seconds = time.perf_counter() - started
    reference.store.close()
    shares = {
        "server": server.seconds,
        "wire": max(0.0, transport.spent.seconds - server.seconds),
        "waiting for effects": clock.spent.seconds,
        "waiting for generated requests": generation.seconds,
        "report": report.seconds,
    }
    shares["pytest and the checks"] = max(0.0, seconds - sum(shares.values()))
    return done, seconds, shares, transport.sent


def replayed(sent: Iterable[httpx.Request]) -> float:
    """Return the seconds that a bare keep-alive loop needs to send the same requests to a fresh reference."""
    reference = make_reference(token=known_token)
    with serving(reference.app) as origin, httpx.Client() as client:
        fresh = httpx.URL(origin)
        requests = [
            client.build_request(
                old.method, old.url.copy_with(port=fresh.port), headers=own_headers(old), content=old.content
            )
            for old in sent
        ]
        started = time.perf_counter()
        for request in requests:
            client.send(request)
        seconds = time.perf_counter() - started
    reference.store.close()
    return seconds


def own_headers(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    """Return the headers that the suite chose; the client makes the others anew."""
    return [(name, value) for name, value in request.headers.raw if name.lower() not in {b"host", b"content-length"}]


def dearest(done: Run) -> list[tuple[str, int]]:
    """Return the checks that cost the most requests, with what was arranged for them first."""
    requests: Counter[str] = Counter()
    for verdict in done.verdicts:
        requests[verdict.check] += verdict.requests
    return requests.most_common(DEAREST)


def from_afar(folder: Path, workers: int) -> float:
    """Return the seconds of a whole run against a server that is some way off, from start to exit."""
    with served_reference() as target, proxied(target["base_url"].rpartition("/")[0], Trouble(LATENCY)) as behind:
        file = folder / "target.yaml"
        file.write_text(yaml.safe_dump(moved(target, behind.origin)), encoding="utf-8")
        return from_outside(folder, str(file), "--workers", str(workers))


def killed(profile: str, faults: Iterable[str], folder: Path) -> tuple[int, int]:
    """Return how many of some faulty servers are not found conformant, and the requests of such a run, on average."""
    counts, requests = 0, []
    for name in faults:
        clock = VirtualClock()
        reference = load_faults()[name].make(clock)
        footer = judge_in_process(reference, clock, Options(profile=profile), folder).footer or {}
        reference.store.close()
        counts += footer["counts"]["failed"] > 0
        requests.append(footer["requests"])
    return counts, sum(requests) // len(requests)


def by_a_peer(faults: Iterable[str]) -> str:
    """Return what a plain ``st run`` with the same document makes of some faults, and how quick it is."""
    judge = by_schemathesis(EXAMPLES)
    started = time.perf_counter()
    judged = list(map(judge, faults))
    seconds, requests = time.perf_counter() - started, sum(requests for _, requests in judged)
    count = sum(killed for killed, _ in judged)
    return f"{count} in {requests} requests, {100 * count / requests:.2f} per 100, {requests / seconds:.0f} a second"


def main() -> None:
    """Print the figures."""
    console = Console()
    faults = random.Random(0).sample(sorted(load_faults()), FAULTS)
    with tempfile.TemporaryDirectory() as folder:
        outside = from_outside(Path(folder), "--profile", PROFILE)
        quick = from_outside(Path(folder), "--profile", "quick")
        alone, together = (from_afar(Path(folder), workers) for workers in (1, MANY))
        kills = {profile: killed(profile, faults, Path(folder)) for profile in ("quick", PROFILE)}
        done, seconds, shares, sent = from_inside(Path(folder))
    bare = replayed(sent)
    assert done.footer is not None
    figures = Table("figure", "value", title=f"{PROFILE} run of the reference", title_justify="left")
    figures.add_row("from start to exit", f"{outside:.2f} s")
    figures.add_row("  of a quick run", f"{quick:.2f} s")
    figures.add_row(f"  with {1000 * LATENCY:.0f} ms of latency, 1 worker", f"{alone:.2f} s")
    figures.add_row(f"  and {MANY} workers", f"{together:.2f} s, {alone / together:.1f} times as fast")
    figures.add_row("requests to the API", str(done.footer["requests"]))
    figures.add_row("requests to the order provider", str(done.footer["order_requests"]))
    figures.add_row("requests per second", f"{len(sent) / seconds:.0f}")
    for place, spent in shares.items():
        figures.add_row(f"  in {place}", f"{spent:.2f} s, {100 * spent / seconds:.0f} %")
    figures.add_row(f"the same {len(sent)} requests sent bare", f"{bare:.2f} s")
    figures.add_row("ratio to sending them bare", f"{seconds / bare:.1f}")
    for profile, (count, requests) in kills.items():
        told = f"{count} in {requests} requests, {100 * count / requests:.0f} per 100"
        figures.add_row(f"of {FAULTS} faults, {profile} kills", told)
    figures.add_row(f"of {PEERS} of them, a plain st run kills", by_a_peer(faults[:PEERS]))
    console.print(figures)
    table = Table("requests", "check", title="the dearest checks", title_justify="left")
    for check, count in dearest(done):
        table.add_row(str(count), check)
    console.print(table)


if __name__ == "__main__":
    main()
