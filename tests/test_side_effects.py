"""What a run leaves behind: its ledger, its tidying up, and the limits on what it may write."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define, evolve, field

from conformance.catalogue import load_catalogue
from conformance.clock import VirtualClock
from conformance.http.writes import SAFE_METHODS
from conformance.model import Action
from conformance.outcome import Conclusion, Outcome
from conformance.record import append_to_record, read_record
from conformance.reference.app import WSGI
from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop
from conformance.reference.server import Reference, make_reference, serving
from conformance.reference.store import StoredRefund
from conformance.results import Made, Run
from conformance.running import tidy
from conformance.running.run import Options, run
from conformance.running.session import Session, open_session
from conformance.running.tidy import take_over, tidy_up
from conformance.target import Orders, Target
from tests.test_bad_input import GOOD, command, is_a_mistake, slowly

INITIATED, CANCELED = 1, 4
STATES = {1: "initiated", 2: "in process", 3: "completed", 4: "canceled"}
ORIGIN = "http://reference"


@define
class Trial:
    """A reference on a virtual clock, and the writes that reached it."""

    reference: Reference
    clock: VirtualClock
    writes: list[str] = field(factory=list)

    def run(self, folder: Path, **options: Any) -> Run:
        """Judge it."""
        return run(
            self.reference.target(ORIGIN), load_catalogue(), folder, Options(**options), clock=self.clock,
            transport=httpx.WSGITransport(app=self.reference.app),
        )  # fmt: skip

    def session(self, target: Target | None = None) -> Session:
        """Open a session with it."""
        transport = httpx.WSGITransport(app=self.reference.app)
        return open_session(target or self.reference.target(ORIGIN), clock=self.clock, transport=transport)


Make = Callable[..., Trial]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes references, with the rules given."""
    made: list[Trial] = []

    def trial(make_shop: type[Shop] = Shop) -> Trial:
        writes: list[str] = []
        clock = VirtualClock()
        made.append(Trial(make_reference(make_shop, clock=clock, wrap=counting(writes)), clock, writes))
        return made[-1]

    yield trial
    for one in made:
        one.reference.store.close()


def counting(writes: list[str]) -> Callable[[WSGI], WSGI]:
    """Note each request that may change something."""

    def wrap(app: WSGI) -> WSGI:
        def counted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] not in SAFE_METHODS:
                writes.append(environ["PATH_INFO"])
            return app(environ, start_response)

        return counted

    return wrap


def rows(reference: Reference, select: str) -> list[tuple[Any, ...]]:
    """Return what the server's database holds."""
    return reference.store._database.execute(select).fetchall()  # noqa: SLF001 - the effects themselves are looked at


def statuses(reference: Reference) -> dict[str, int]:
    """Return the status of every refund that the server has."""
    return dict(rows(reference, "SELECT id, status FROM refunds"))


def refunds_in(ledger: Iterable[Made]) -> dict[str, str]:
    """Return the state of every refund that a ledger tells of."""
    return {made.id: made.state for made in ledger if made.what == "refund"}


def test_a_whole_run_leaves_nothing_pending_and_tells_of_everything(make: Make, tmp_path: Path) -> None:
    """Every refund of the server is in the ledger with its true state, none is open, and each key has the run id."""
    trial = make()

    done = trial.run(tmp_path)

    assert done.conclusion == "conformant"
    there = statuses(trial.reference)
    assert INITIATED not in there.values()
    assert refunds_in(done.ledger) == {refund: STATES[status] for refund, status in there.items()}
    orders = {order for (order,) in rows(trial.reference, "SELECT id FROM orders")}
    assert {made.id for made in done.ledger if made.what == "order"} == orders
    assert [key for (key,) in rows(trial.reference, "SELECT key FROM keys") if done.header["run_id"] not in key] == []
    assert done.footer is not None
    api_writes = [path for path in trial.writes if "_test/orders" not in path]
    assert done.footer["writes"] == len(api_writes)
    assert 0 < done.footer["tidy_requests"] <= sum(status == CANCELED for status in there.values())
    assert read_record(tmp_path / "run.jsonl").ledger == done.ledger


def test_open_refunds_are_kept_when_that_is_asked_for(make: Make, tmp_path: Path) -> None:
    """With keep nothing is rejected, and each refund that is left says why."""
    trial = make()

    done = trial.run(tmp_path, selection=("IDEM-01", "IDEM-02"), keep=True)

    assert done.footer is not None
    assert done.footer["tidy_requests"] == 0
    pending = {refund for refund, status in statuses(trial.reference).items() if status == INITIATED}
    assert pending, [v.explanation for v in done.verdicts]
    assert {made.id: made.left for made in read_record(tmp_path / "run.jsonl").left} == dict.fromkeys(
        pending, "kept: --keep"
    )


@pytest.mark.parametrize(("times", "left"), [(1, set()), (2, {"not rejected: interrupted"})])
def test_an_interrupt_while_tidying_is_none_of_the_verdict(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, left: set[str]
) -> None:
    """All checks were carried out; the first lets the tidying come to its end, and the second ends it."""

    def interrupted(*arguments: Any, **more: Any) -> None:
        for _ in range(times):
            signal.raise_signal(signal.SIGTERM)
        tidy_up(*arguments, **more)

    monkeypatch.setattr(tidy, "tidy_up", interrupted)

    done = make().run(tmp_path, selection=("IDEM-01", "IDEM-02"))

    assert (done.conclusion, done.interrupted) == (Conclusion.CONFORMANT, False)
    assert {made.left for made in done.left} == left


def test_an_error_while_tidying_loses_no_verdict(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record has its end, every check as it came out, what is left open and why, and the error as one of ours."""
    trial = make()
    monkeypatch.setattr(tidy, "tidy_up", lambda *_, **__: 1 // 0)

    trial.run(tmp_path, selection=("IDEM-01", "IDEM-02"))

    run = read_record(tmp_path / "run.jsonl")
    assert run.footer is not None
    assert run.footer["suite_error"].endswith("ZeroDivisionError: integer division or modulo by zero\n")
    assert (run.conclusion, run.exit, run.interrupted) == (Conclusion.ERROR, 4, False)
    assert {verdict.outcome for verdict in run.verdicts} == {Outcome.PASSED}
    assert {made.left for made in run.left} == {"not rejected: the suite itself failed"}


@pytest.mark.parametrize("most", [2, 3, 20, 61])
def test_no_more_is_written_than_is_allowed(make: Make, tmp_path: Path, most: int) -> None:
    """The limit holds with the tidying up included, which has room left; what it stops is blocked and says so."""
    trial = make()

    done = trial.run(tmp_path, selection=("creation",), max_writes=most)

    sent = [path for path in trial.writes if "_test/orders" not in path]
    assert 0 < len(sent) <= most
    assert done.footer is not None
    assert done.footer["writes"] == len(sent)
    assert INITIATED not in statuses(trial.reference).values()
    assert done.conclusion == "incomplete"
    reasons = {verdict.explanation for verdict in done.verdicts if verdict.outcome is Outcome.BLOCKED}
    assert any(f"--max-writes: no more than {most} writes" in reason for reason in reasons)
    assert len(trial.writes) - len(sent) <= most  # no order is made that nothing can be made of


def test_read_only_sends_no_write_and_makes_no_order(make: Make, tmp_path: Path) -> None:
    """Nothing that may change anything reaches the target, nor the order provider."""
    trial = make()

    done = trial.run(tmp_path, profile="quick", max_writes=0)

    assert trial.writes == []
    assert done.counts["blocked"] == len(done.verdicts) > 0
    assert all("--read-only" in verdict.explanation for verdict in done.verdicts)


def test_a_killed_run_is_tidied_by_its_record(tmp_path: Path) -> None:
    """After SIGKILL the record tells what was made; tidy rejects what is open and appends what became of it."""
    reference = make_reference(wrap=slowly)
    with serving(reference.app) as origin:
        target, file, record = reference.target(origin), tmp_path / "mine.yaml", tmp_path / "out" / "run.jsonl"
        file.write_text(GOOD.format(base_url=target.base_url, token=target.tokens["full"]))
        running = subprocess.Popen([sys.executable, "-m", "conformance", "run", str(file), "--out", str(record.parent)])
        deadline = time.monotonic() + 60
        while not (record.exists() and record.read_text().count('"what": "refund"') > 5):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.wait(timeout=30)
        with record.open("a") as cut:
            cut.write('{"kind": "verdict", "requi')

        is_a_mistake(command("tidy", str(record), "reference"), "the run of the record had its target at")
        done = command("tidy", str(record), str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "canceled" in done.stdout
    there = statuses(reference)
    reference.store.close()
    assert there
    assert INITIATED not in there.values()
    assert refunds_in(read_record(record).ledger) == {refund: STATES[status] for refund, status in there.items()}


class RejectsNothing(Shop):
    """Refuses every rejection."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Approve, or refuse."""
        if action == Action.REJECT:
            raise Refusal(409, "not any more")
        return super().decide(refund, action)


def test_what_a_target_will_not_reject_is_left_and_says_so(make: Make, tmp_path: Path) -> None:
    """A refund that can no longer be rejected is no error: it is reported as left, with the target's words."""
    trial = make(RejectsNothing)

    done = trial.run(tmp_path, selection=("IDEM-02",))

    assert done.conclusion == "conformant"
    assert done.left
    assert all("would not reject it: it answered 409" in made.left for made in done.left)
    assert all("not any more" in made.left for made in done.left)


def test_a_target_that_goes_away_leaves_its_refunds(make: Make) -> None:
    """Trouble ends the tidying after two tries; every refund is then left with the reason."""
    trial = make()
    session = trial.session()
    api = session.shop.api
    for _ in range(4):
        assert api.create_refund(session.shop.order()).accepted
    session.wire.limits = evolve(session.wire.limits, rate_limited=1.0)
    before = session.wire.requests
    session.wire._transports = {0: httpx.MockTransport(broken)}  # noqa: SLF001 - the target goes away under its hands

    tidy_up(session)

    assert session.wire.requests - before == 2
    assert len(api.ledger.open_refunds) == 4
    assert all("the connection to reference broke" in made.left for made in api.ledger.open_refunds)


def broken(_: httpx.Request) -> httpx.Response:
    """Break the connection."""
    raise httpx.ReadError("reset")


class LosesTheAnswer:
    """Carries every create out, and gives a gateway's answer to the first."""

    def __init__(self, app: WSGI) -> None:
        self.app, self.lost = app, False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer, or say that a gateway saw no answer."""
        if self.lost or environ["REQUEST_METHOD"] != "POST" or "/api/" not in environ["PATH_INFO"]:
            return self.app(environ, start_response)
        self.lost = True
        list(self.app(environ, lambda *_: None))
        start_response("504 Gateway Timeout", [])
        return [b""]


def test_a_refund_whose_create_got_no_answer_is_rejected_in_the_end(make: Make) -> None:
    """The ledger of a whole run does not know it, but knows on which order it may be."""
    trial = make()
    session = open_session(
        trial.reference.target(ORIGIN), clock=trial.clock,
        transport=httpx.WSGITransport(app=LosesTheAnswer(trial.reference.app)),
    )  # fmt: skip
    assert session.shop.api.create_refund(session.shop.order()).exchange.trouble

    tidy_up(session)

    assert list(statuses(trial.reference).values()) == [CANCELED]


@pytest.mark.parametrize("prepared", [False, True])
def test_a_refund_that_nobody_told_of_is_tidied_on_own_orders_only(make: Make, tmp_path: Path, prepared: bool) -> None:  # noqa: FBT001 - a parameter
    """What a killed run may have made unseen is found on orders made for it; on a pool's orders it may be someone's."""
    trial = make()
    first = trial.session()
    order = first.shop.order()
    told, untold = (first.shop.api.create_refund(order).refund for _ in range(2))
    assert told is not None
    assert untold is not None
    ledger = [
        Made("order", order.order_id, order.order_id, "shop", state="shipped", own=not prepared),
        Made("refund", told.refund_id, order.order_id, "shop", state="initiated", opened="initiated"),
    ]
    pool = tmp_path / "pool.yaml"
    pool.write_text("orders: []")
    session = trial.session(evolve(trial.reference.target(ORIGIN), orders=Orders(pool=pool)) if prepared else None)
    killed = Run(header={})
    for made in ledger:
        killed.note(made)

    take_over(session, killed)
    tidy_up(session)

    there = statuses(trial.reference)
    assert there[told.refund_id] == CANCELED
    assert there[untold.refund_id] == (INITIATED if prepared else CANCELED)


def test_half_a_line_makes_room_for_what_is_appended(tmp_path: Path) -> None:
    """A record that was cut off in the middle of a line is whole again after something was appended."""
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps({"kind": "header", "format": 1}) + '\n{"kind": "led')

    append_to_record(path, [Made("refund", "1", "2", "shop", state="canceled", opened="initiated")])

    assert [made.state for made in read_record(path).ledger] == ["canceled"]
