"""The order providers, each against a real one."""

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from conformance.orders import CommandOrders, HttpOrders, PoolOrders, WantedLine
from conformance.reference.server import Reference, make_reference, serving
from conformance.results import Blocked, UsageError
from conformance.session import Session, open_session

LINES = [WantedLine(5, "10.00"), WantedLine(2, "3.33")]
PROVIDER = """
import json, sys
asked = json.load(sys.stdin)
if asked["action"] != "create_order":
    sys.exit("only create_order is supported")
lines = [{"lineItemId": 90 + n, **line} for n, line in enumerate(asked["lines"])]
print(json.dumps({"orderId": 9007199254740993001, "customerId": 5, "shipped": asked["shipped"], "lines": lines}))
"""
POOL = """
orders:
  - {orderId: "1", customerId: "5", shipped: true, lines: [{lineItemId: "11", quantity: 9, unitPrice: "10.00"}]}
  - {orderId: "2", customerId: "5", shipped: true, lines: [{lineItemId: "21", quantity: 5, unitPrice: 10.00}]}
  - {orderId: 3, customerId: 6, shipped: false, lines: [{lineItemId: 31, quantity: 5, unitPrice: "10.00"}]}
"""


@pytest.fixture
def served() -> Iterator[tuple[Reference, str]]:
    """The reference behind real HTTP."""
    reference = make_reference()
    with serving(reference.app) as origin:
        yield reference, origin


@pytest.fixture
def session(served: tuple[Reference, str]) -> Iterator[Session]:
    """A session with the reference."""
    reference, origin = served
    opened = open_session(reference.target(origin))
    yield opened
    opened.close()


def test_a_provider_over_http_makes_and_ships_orders(session: Session) -> None:
    """Lines come back in the order asked for, with ids as text and exact prices."""
    provider = session.shop.provider
    order = provider.create_order(LINES, shipped=False, customer_id="77")

    assert [(line.quantity, line.unit_price) for line in order.lines] == [(5, Decimal("10.00")), (2, Decimal("3.33"))]
    assert order.customer_id == "77"
    assert provider.ship_order(order).shipped


def test_a_provider_that_refuses_is_quoted(session: Session, served: tuple[Reference, str]) -> None:
    """Its own words are the reason of the blocked check."""
    provider = HttpOrders(f"{served[1]}/no-shop/_test/orders", session.wire)
    with pytest.raises(Blocked, match="no such shop"):
        provider.create_order(LINES, shipped=True)


def test_a_provider_as_a_program_makes_orders(session: Session, tmp_path: Path) -> None:
    """The request goes to its standard input; ids beyond 2^53 stay exact."""
    (tmp_path / "provide.py").write_text(PROVIDER)
    provider = CommandOrders([sys.executable, "provide.py"], tmp_path, session.wire)
    order = provider.create_order(LINES, shipped=True)

    assert order.order_id == "9007199254740993001"
    with pytest.raises(Blocked, match="only create_order") as trouble:
        provider.ship_order(order)
    assert trouble.value.lacks == "ship_order"


def test_a_program_that_is_not_there_blocks(session: Session, tmp_path: Path) -> None:
    """The message names the program."""
    with pytest.raises(Blocked, match="no-such-program"):
        CommandOrders(["no-such-program"], tmp_path, session.wire).create_order(LINES, shipped=True)


@pytest.mark.parametrize("answer", ["nonsense", "[]", '{"orderId": 1}', json.dumps({"orderId": "1", "lines": 5})])
def test_an_answer_that_is_no_order_blocks(session: Session, tmp_path: Path, answer: str) -> None:
    """What a program prints is held against the protocol."""
    command = [sys.executable, "-c", f"print({answer!r})"]
    with pytest.raises(Blocked, match="not an order"):
        CommandOrders(command, tmp_path, session.wire).create_order(LINES, shipped=True)


def test_another_order_than_asked_for_blocks(session: Session, tmp_path: Path) -> None:
    """A provider that ships what should not be shipped is not believed."""
    (tmp_path / "provide.py").write_text(PROVIDER.replace('asked["shipped"]', "True"))
    with pytest.raises(Blocked, match="another order"):
        CommandOrders([sys.executable, "provide.py"], tmp_path, session.wire).create_order(LINES, shipped=False)


def test_a_pool_hands_out_each_order_once_the_smallest_first(tmp_path: Path) -> None:
    """An order with more units than are wanted will do when no smaller one is left."""
    (tmp_path / "pool.yaml").write_text(POOL)
    pool = PoolOrders(tmp_path / "pool.yaml")
    wanted = [WantedLine(5, "10.00")]

    assert [pool.create_order(wanted, shipped=True).order_id for _ in range(2)] == ["2", "1"]
    assert pool.create_order(wanted, shipped=False).order_id == "3"
    with pytest.raises(Blocked, match="no shipped order left"):
        pool.create_order(wanted, shipped=True)


def test_a_pool_with_an_order_twice_is_a_mistake(tmp_path: Path) -> None:
    """Each order serves one check, so it cannot be there twice."""
    (tmp_path / "pool.yaml").write_text(POOL.replace('"2"', '"1"'))
    with pytest.raises(UsageError, match="twice"):
        PoolOrders(tmp_path / "pool.yaml")
