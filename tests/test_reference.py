"""The reference server: its invariants hold under load, and what it acknowledged survives a crash."""

import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from conformance.http.client import Part
from conformance.judging.arrange import given_refund, given_review
from conformance.judging.verify import look_list
from conformance.model import Action, Order, Refund, RefundStatus
from conformance.reference.server import make_reference, serving
from conformance.running.session import Session, open_session
from conformance.target import load_target

CLIENTS, UNITS, KEYS = 16, 30, 40


def test_parallel_clients_break_no_invariant() -> None:
    """Sixteen clients with few keys and few units: one refund for a key, and never more units than ordered."""
    reference = make_reference()
    with serving(reference.app) as origin:
        session = open_session(reference.target(origin))
        api, order = session.shop.api, session.shop.order((UNITS, "10.00"))
        keys = [api.keys() for _ in range(KEYS)]
        sends = [partial(api.create_refund, order, Part(order.line), request_no=key) for key in keys * 4]
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = [done.result() for done in [pool.submit(send) for send in sends]]
        there = look_list(api, order)
        session.close()

    assert set(Counter(answer.status for answer in answers)) == {200, 409}
    assert len(there) == UNITS
    assert {answer.refund.refund_id for answer in answers if answer.refund} == set(there)


class Sandbox:
    """A sandbox in a process of its own, with its state in a file, and a session with it."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "conformance", "serve", "--port", "0", "--db", str(folder / "shop.db")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        while "Press Ctrl-C" not in said:
            line = self.process.stdout.readline()
            assert line, said
            said += line
        target_file = folder / "sandbox.yaml"
        target_file.write_text(said.partition("genstore-conformance run:\n")[2].partition("Press Ctrl-C")[0])
        self.session: Session = open_session(load_target(target_file))

    def end(self, number: signal.Signals) -> None:
        """End the process."""
        self.session.close()
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        assert number is signal.SIGKILL or code == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


def made(session: Session) -> tuple[Order, dict[str, Refund]]:
    """Make an order with an approved refund and an open one."""
    api, order = session.shop.api, session.shop.order((5, "3.33"))
    given_review(api, order, given_refund(api, order), Action.APPROVE)
    given_refund(api, order, Part(order.line, 2))
    return order, {str(key): refund for key, refund in look_list(api, order).items()}


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """After SIGKILL and a restart on the same file, orders, refunds, states and tokens are as they were."""
    first = Sandbox(tmp_path)
    order, before = made(first.session)
    first.end(signal.SIGKILL)

    second = Sandbox(tmp_path)
    after = look_list(second.session.shop.api, order)
    second.end(signal.SIGTERM)

    assert {str(key): refund for key, refund in after.items()} == before
    assert Counter(refund.status for refund in after.values()) == {RefundStatus.COMPLETED: 1, RefundStatus.INITIATED: 1}
