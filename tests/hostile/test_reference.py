"""The reference is no easier to break than what it judges: malformed requests, slow clients, crowds, and a crash.

Each test takes a few seconds; ``make soak`` gives each of them the seconds in ``SOAK``.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging.arrange import given_refund
from conformance.judging.verify import look_list
from conformance.model import Action, Order, RefundStatus
from conformance.outcome import Blocked
from conformance.reference.server import Reference, make_reference, serving
from conformance.running.session import Session, open_session
from conformance.target import load_target

SECONDS = float(os.environ.get("SOAK", "3"))
CLIENTS, UNITS, KEYS = 32, 40, 50


@pytest.fixture
def served() -> Iterator[tuple[Reference, str]]:
    """The reference behind real HTTP."""
    reference = make_reference()
    with serving(reference.app) as origin:
        yield reference, origin
    reference.store.close()


@pytest.fixture
def session(served: tuple[Reference, str]) -> Iterator[Session]:
    """A session with it."""
    opened = open_session(served[0].target(served[1]))
    yield opened
    opened.close()


def exchanged(origin: str, request: bytes, wait: float = 10.0) -> bytes:
    """Return what a server says to some bytes before it closes or falls silent."""
    host, _, port = origin.removeprefix("http://").partition(":")
    said = b""
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                said += piece
        except OSError:
            return said
    return said


# Malformed requests.


def requests_of(token: str, order: Order) -> list[bytes]:
    """Return a sound request of each operation, as bytes."""
    head = f"Host: x\r\nX-Genstore-Access-Token: {token}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    line = (
        f'{{"quantity": "1", "lineItemId": "{order.line.line_item_id}", "rightsReason": "x", "rightsReasonType": "0"}}'
    )
    body = f'{{"refund": {{"orderId": "{order.order_id}", "requestNo": "{"k" * 24}", "lineItems": [{line}]}}}}'
    path = "/first-shop/api/202412"
    return [
        f"POST {path}/refunds HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode(),
        f'PUT {path}/refunds/1 HTTP/1.1\r\n{head}Content-Length: 13\r\n\r\n{{"action": 1}}'.encode(),
        f"GET {path}/orders/{order.order_id}/refunds?limit=50 HTTP/1.1\r\n{head}\r\n".encode(),
        f"GET {path}/refunds?orderId={order.order_id}&refundId=1 HTTP/1.1\r\n{head}\r\n".encode(),
    ]


PIECES = [
    b"\x00", b"\r\n", b"\r\n\r\n", b"%00", b"%ff", b"../", b"' OR '1'='1' --", b"; DROP TABLE refunds; --", b"\xff\xfe",
    b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n", b"[" * 9000, b"9" * 9000, b"1e999999999", b"NaN", b"{}", b'"', b"?", b"#", b" ", b"",
]  # fmt: skip


def mutated(sound: bytes, chance: random.Random) -> bytes:
    """Return a request with one to four edits: a piece put in or over, a stretch cut or doubled, a byte changed."""
    request = bytearray(sound)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(request) + 1)
        to = min(len(request), at + chance.randint(0, 30))
        request[at : chance.choice((at, to))] = chance.choice(
            (chance.choice(PIECES), request[at:to] * 2, bytes([chance.randrange(256)]), b"")
        )
    return bytes(request)


def test_no_malformed_request_makes_the_reference_fail(served: tuple[Reference, str], session: Session) -> None:
    """Requests with bytes put in, cut out and changed get no answer of 500 and more, and leave the server well."""
    chance, until = random.Random(7), time.monotonic() + SECONDS
    order = session.shop.order((50, "10.00"))
    sound = requests_of(served[0].tokens["first-shop"]["full"], order)
    seen: Counter[bytes] = Counter()
    while time.monotonic() < until:
        request = mutated(chance.choice(sound), chance)
        status = exchanged(served[1], request)[9:12]
        seen[status] += 1
        assert status < b"500" or status == b"501", request

    assert seen[b"400"] > 10
    given_refund(session.shop.api, order)


@pytest.mark.parametrize(
    "text", ["' OR '1'='1", "1; DROP TABLE refunds; --", '" OR ""="', "%' --", "\\'; --", "0x31", "1e0"]
)
def test_sql_in_an_id_is_an_unknown_id(session: Session, text: str) -> None:
    """In every place where an id goes, it finds and changes nothing."""
    api, order = session.shop.api, session.shop.order()
    refund = given_refund(api, order)
    answers = [
        api.list_refunds(text), api.get_refund(order, text), api.get_refund(text, refund),
        api.review(text, api.review_body(text, text, Action.APPROVE)),
        api.review(refund.refund_id, api.review_body(text, refund.refund_id, Action.APPROVE)),
    ]  # fmt: skip

    assert all(answer.refused or answer.refunds == [] for answer in answers)
    assert look_list(api, order)[refund.refund_id].status is RefundStatus.INITIATED


def test_a_body_without_bounds_is_refused(served: tuple[Reference, str]) -> None:
    """A body of 64 MB, announced, is not taken; the server says so, or closes."""
    head = b"POST /first-shop/api/202412/refunds HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n"
    assert exchanged(served[1], head + b"x" * (8 << 20))[9:12] in {b"413", b"401", b"400", b""}


def test_slow_clients_keep_nobody_waiting(served: tuple[Reference, str], session: Session) -> None:
    """A hundred clients that never finish their request take no place of one that does."""
    host, _, port = served[1].removeprefix("http://").partition(":")
    unfinished = requests_of("x", session.shop.order())[0]
    with contextlib.ExitStack() as stack:
        for number in range(150):
            slow = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            slow.sendall(unfinished[: 5 + number])

        given_refund(session.shop.api, session.shop.order())


# Crowds.


def test_a_crowd_breaks_no_invariant(session: Session) -> None:
    """32 clients with few keys, few units and reviews: one refund a key, and no more units than ordered."""
    api, until = session.shop.api, time.monotonic() + SECONDS
    while time.monotonic() < until:
        order = session.shop.order((UNITS, "10.00"))
        keys = [api.keys() for _ in range(KEYS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            told = list(pool.map(lambda key, order=order: create_and_review(api, order, key), keys * 3))
        there = look_list(api, order)

        by_key: dict[str, set[str]] = {}
        for key, created, _ in told:
            if created.refund is not None:
                by_key.setdefault(key, set()).add(created.refund.refund_id)
        assert {len(ids) for ids in by_key.values()} == {1}
        assert {identifier for ids in by_key.values() for identifier in ids} == set(there)
        assert sum(sum(refund.quantities.values()) for refund in there.values() if refund.status != 4) <= UNITS
        decided = Counter(review.refund.refund_id for _, _, review in told if review is not None and review.refund)
        assert all(there[refund_id].status in {3, 4} for refund_id in decided)


def create_and_review(api: RefundApi, order: Order, key: str) -> tuple[str, Answer, Answer | None]:
    """Create one unit under a key, and approve or reject what came of it."""
    created = api.create_refund(order, Part(order.line), request_no=key)
    if created.refund is None:
        return key, created, None
    action = Action.APPROVE if hash(key) % 2 else Action.REJECT
    return key, created, api.review_refund(order, created.refund, action)


# A crash.


def begun(folder: Path) -> tuple[subprocess.Popen[str], Session]:
    """Return a sandbox with its state in a file, and a session with it."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "conformance", "serve", "--port", "0", "--db", str(folder / "shop.db")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    while "Press Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    path = folder / "sandbox.yaml"
    path.write_text(said.partition("genstore-conformance run:\n")[2].partition("Press Ctrl-C")[0])
    return process, open_session(load_target(path))


def ended(process: subprocess.Popen[str], session: Session) -> None:
    """End a sandbox as a power cut would."""
    process.kill()
    process.wait(timeout=20)
    assert process.stdout is not None
    process.stdout.close()
    session.close()


def test_what_was_acknowledged_in_a_crowd_survives_a_kill(tmp_path: Path) -> None:
    """SIGKILL amid creates of eight clients: after a restart every refund that was answered for is there."""
    process, session = begun(tmp_path)
    api, order = session.shop.api, session.shop.order((1000, "1.00"))
    acknowledged: list[str] = []
    crowd = [threading.Thread(target=keep_creating, args=(api, order, acknowledged), daemon=True) for _ in range(8)]
    for client in crowd:
        client.start()
    until = time.monotonic() + 60
    while len(acknowledged) < 30 * max(1, SECONDS / 3) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    for client in crowd:
        client.join(30)
    ended(process, session)
    assert len(acknowledged) >= 30

    process, session = begun(tmp_path)
    there = set()
    for refund_id in acknowledged:
        got = session.shop.api.get_refund(order, refund_id).refund
        there |= set() if got is None else {got.refund_id}
    ended(process, session)
    assert there == set(acknowledged)


def keep_creating(api: RefundApi, order: Order, acknowledged: list[str]) -> None:
    """Create refunds until the server is gone; note those that were answered for."""
    while True:
        try:
            created = api.create_refund(order)
            if created.refund is None:
                return
        except Blocked:
            return
        acknowledged.append(created.refund.refund_id)
