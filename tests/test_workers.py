"""Checks side by side come to the same verdicts, on one record, at one pace."""

import itertools
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from attrs import evolve
from click.testing import CliRunner

from conformance.catalogue import load_catalogue
from conformance.cli import main
from conformance.clock import RealClock, VirtualClock
from conformance.commands.options import Workers
from conformance.faults import load_faults
from conformance.http.burst import at_once
from conformance.http.client import RefundApi
from conformance.http.keys import KeyMaker
from conformance.http.limits import Limits
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.wire import Wire
from conformance.model import OrderId
from conformance.outcome import Conclusion
from conformance.proof import judge_in_process
from conformance.record import read_record
from conformance.reference.app import WSGI
from conformance.reference.server import Reference, make_reference, serving
from conformance.results import Run
from conformance.running.plan import Plan
from conformance.running.plugin import run_checks
from conformance.running.run import Options, run
from conformance.running.workers import MOST, Job, Queue, groups_of, worthwhile
from conformance.variants import load_variants

from .proxy import Trouble, proxied

AREAS = ("shipment", "races")


def verdicts(done: Run) -> list[tuple[str, str, str]]:
    """Return what a run says of each check, in an order of its own."""
    return sorted((verdict.requirement, verdict.check, verdict.outcome.value) for verdict in done.verdicts)


def test_workers_come_to_the_same_verdicts(tmp_path: Path) -> None:
    """One worker and five judge a faulty server alike, check by check; the record is whole and one."""
    runs = []
    for workers in (1, 5):
        clock = VirtualClock()
        reference = load_faults()["revives-canceled"].make(clock)
        options = Options(selection=("access", "review", "shipment"), workers=workers)
        runs.append(judge_in_process(reference, clock, options, tmp_path))
        reference.store.close()
    alone, together = runs

    assert alone.conclusion is Conclusion.NON_CONFORMANT
    assert verdicts(together) == verdicts(alone) == verdicts(read_record(tmp_path / "run.jsonl"))


def test_workers_share_a_limited_real_server(tmp_path: Path) -> None:
    """Four workers behind a bucket of 20 and 60 per second: no false verdict, and hardly a request for nothing."""
    reference = make_reference()
    with serving(reference.app) as origin, proxied(origin, Trouble(bucket=20, per_second=60)) as behind:
        target = evolve(reference.target(behind.origin), orders=reference.target(origin).orders)
        done = run(target, load_catalogue(), tmp_path, Options(selection=AREAS, workers=4))
        seen = behind.seen
    reference.store.close()

    assert done.conclusion is Conclusion.CONFORMANT
    assert seen.get("limited", 0) <= 0.05 * seen["requests"]


def test_a_target_that_drops_and_is_unavailable_is_not_failed_for_it(tmp_path: Path) -> None:
    """A connection cut before the answer blocks, 503 is waited out; neither is a verdict on the page."""
    reference = make_reference()
    trouble = Trouble(drop_every=17, unavailable_every=11)
    with serving(reference.app) as origin, proxied(origin, trouble) as behind:
        target = evolve(reference.target(behind.origin), orders=reference.target(origin).orders)
        done = run(target, load_catalogue(), tmp_path, Options(selection=("shipment",), workers=2))
    reference.store.close()

    assert done.counts["failed"] == done.counts["error"] == 0


class Slow:
    """An application that takes two seconds for each answer, on the clock that it shares with the suite."""

    def __init__(self, app: WSGI, clock: VirtualClock) -> None:
        self._app, self._clock = app, clock

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        """Answer late."""
        self._clock.sleep(2)
        return self._app(environ, start)


def slow(clock: VirtualClock) -> Reference:
    """Return the reference with answers of two seconds."""
    return make_reference(clock=clock, wrap=lambda app: Slow(app, clock))


def test_a_server_with_answers_of_two_seconds_is_judged_right(tmp_path: Path) -> None:
    """Nothing that the suite waits for is cut short by a slow target; races are left out, as this clock knows none."""
    clock = VirtualClock()
    reference = slow(clock)
    done = judge_in_process(reference, clock, Options(selection=("access", "review", "records", "reading")), tmp_path)
    reference.store.close()

    assert done.conclusion is Conclusion.CONFORMANT


class Crowded:
    """Answers requests after a moment, and counts the most that it had at once."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()

    def answer(self, _: httpx.Request) -> httpx.Response:
        """Count a request while it is answered."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.02)
        with self._lock:
            self._now -= 1
        return httpx.Response(200)


def api_in_turn(server: Crowded) -> RefundApi:
    """Return the API of a server to which workers send their requests in turn."""
    transport = httpx.MockTransport(server.answer)
    wire = Wire(clock=RealClock(), limits=Limits(), pace=Pace(), redact=Redactor([]), transport=transport)
    wire.in_turn = True
    return RefundApi(wire=wire, base_url="http://shop", token=None, keys=KeyMaker("0" * 12))


def test_workers_in_turn_send_one_request_at_a_time() -> None:
    """No request goes out before the answer to another worker's has come."""
    server = Crowded()
    api = api_in_turn(server)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.list_refunds(OrderId("1")), range(12)))

    assert server.most == 1


def test_a_burst_of_a_worker_in_turn_is_still_a_burst() -> None:
    """The requests of a burst meet, and other workers wait until it is over."""
    server = Crowded()
    api = api_in_turn(server)
    bursts = [partial(at_once, api.wire, [partial(api.list_refunds, OrderId("1"))] * 3)] * 2
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(burst) for burst in bursts]
        answers = [each.result() for each in done]

    assert [len(each) for each in answers] == [3, 3]
    assert 1 < server.most <= 3


def test_where_effects_show_late_several_workers_take_turns(tmp_path: Path) -> None:
    """Unless a number is asked for; a target that shows everything at once gets one."""
    late = load_variants()["lists-later"]
    for make, workers, expected in ((late.make, None, MOST), (late.make, 2, 2), (None, None, 1)):
        reference = make_reference() if make is None else make(RealClock())
        with serving(reference.app) as origin:
            options = Options(selection=("LIST-18",), workers=workers)
            done = run(reference.target(origin), load_catalogue(), tmp_path, options)
        reference.store.close()

        assert done.conclusion is Conclusion.CONFORMANT
        assert done.footer is not None
        assert done.footer["workers"] == expected


def test_workers_join_in_once_effects_are_seen_to_show_late(tmp_path: Path) -> None:
    """A target that falls behind in the middle of a run is shared by several from there on, and judged right."""
    clock = VirtualClock()
    reference = load_variants()["falls-behind-under-load"].make(clock)
    done = judge_in_process(
        reference, clock, Options(selection=("creation", "listing", "review", "idempotency"), workers=None), tmp_path
    )
    reference.store.close()

    assert done.conclusion is Conclusion.CONFORMANT
    assert done.footer is not None
    assert done.footer["workers"] == MOST


def test_what_shares_something_stays_together() -> None:
    """Directly, or through others; and what shares nothing is alone."""
    assert groups_of([{"a"}, {"b"}, set(), {"c", "b"}, {"c", "a"}, {"d"}, set()]) == [[0, 1, 3, 4], [2], [5], [6]]


def test_the_queue_hands_out_each_check_once_and_late_ones_last() -> None:
    """The largest group first; a late check goes to the worker that has what it shares."""
    jobs = [Job(frozenset("a")), Job(), Job(frozenset("a"), late=True), Job(frozenset("a")), Job(late=True)]
    queue = Queue(jobs)

    assert queue.take(1) == [0, 3]
    assert queue.take(2) == [1]
    assert queue.take(2) == [4]
    assert queue.take(2) == []
    assert queue.take(1) == [2]
    assert queue.take(1) == []


def test_the_queue_hands_out_what_is_to_age_first() -> None:
    """A group with something that late checks look at again goes before larger ones."""
    queue = Queue([Job(frozenset("b")), Job(frozenset("b")), Job(frozenset("a"), aging=True)])

    assert queue.take(1) == [2]
    assert queue.take(1) == [0, 1]


def test_a_worker_alone_goes_by_the_order_given_until_it_shares_the_rest() -> None:
    """Then others take what it has not begun, and what it has begun stays with it."""
    jobs = [Job(), Job(frozenset("a")), Job(), Job(frozenset("a")), Job(frozenset("a"), late=True), Job(late=True)]
    queue = Queue(jobs, alone=True)

    assert [queue.take(0), queue.take(0)] == [[0], [1]]
    queue.share()
    assert queue.take(1) == [2]
    assert queue.take(1) == [5]
    assert queue.take(1) == []
    assert [queue.take(0), queue.take(0), queue.take(0)] == [[3], [4], []]


def test_a_third_of_a_run_is_a_third_of_its_checks() -> None:
    """No group of checks that share something is so large that a shard, or a worker, has much more than the others."""
    shards = [Plan(load_catalogue(), None, profile="standard", shard=(index, 3)) for index in (1, 2, 3)]
    for shard in shards:
        run_checks(shard, collect_only=True)
    sizes = [len(shard.checks) for shard in shards]

    assert min(sizes) > 100
    assert max(sizes) - min(sizes) <= 1


def test_no_check_is_handed_out_twice_under_contention() -> None:
    """Eight threads empty one queue."""
    queue = Queue([Job(frozenset({str(n % 50)}), late=n % 3 == 0) for n in range(1000)])
    taken: list[list[int]] = [[] for _ in range(8)]

    def empty(worker: int) -> None:
        while chosen := queue.take(worker):
            taken[worker] += chosen

    threads = [threading.Thread(target=empty, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(itertools.chain(*taken)) == list(range(1000))


@pytest.mark.parametrize(("latency", "workers"), [(0.0, 1), (0.004, 1), (0.02, 4), (0.05, MOST), (30.0, MOST)])
def test_auto_takes_as_many_workers_as_the_latency_is_worth(latency: float, workers: int) -> None:
    """One for a server that answers at once, and never more than a guest may."""
    assert worthwhile(latency) == workers


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "65"])
def test_a_number_of_workers_that_cannot_be_is_a_mistake(value: str) -> None:
    """The message says what can."""
    done = CliRunner().invoke(main, ["run", "--workers", value])

    assert done.exit_code == 2
    assert "not a number from 1 to" in done.output


def test_no_workers_at_all_in_a_target_file_are_a_mistake() -> None:
    """There a number comes as one, and none is not taken for ``auto``."""
    with pytest.raises(click.BadParameter, match="not a number from 1 to 64"):
        Workers().convert(0, None, None)
