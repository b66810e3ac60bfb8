"""The order providers, each against a real one."""

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from conformance.catalogue import load_catalogue
from conformance.orders import CommandOrders, HttpOrders, PoolOrders, WantedLine
from conformance.outcome import Blocked, Outcome, UsageError
from conformance.reference.server import Reference, make_reference, serving
from conformance.running.run import Options, run
from conformance.running.session import Session, open_session
from conformance.target import Orders

DOCS = Path(__file__).parent.parent / "docs" / "providers"
LINES = [WantedLine(5, "10.00"), WantedLine(2, "3.33")]
PROVIDER = """
import json, sys
asked = json.load(sys.stdin)
if asked["action"] != "create_order":
    sys.exit("only create_order is supported")
lines = [{"lineItemId": 90 + n, **line} for n, line in enumerate(asked["lines"])]
print(json.dumps({"orderId": 9007199254740993001, "customerId": 5, "shipped": asked["shipped"], "lines": lines}))
"""
PASSING_ON = """
import sys, urllib.request
asked = sys.stdin.buffer.read()
if b"ship_order" in asked:
    sys.exit("we ship nothing here")
sys.stdout.buffer.write(urllib.request.urlopen("URL", asked).read())
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


def test_the_shell_script_of_the_docs_is_an_order_provider(session: Session) -> None:
    """Lines in their order, each with an id of its own; the customer asked for; and it says what it cannot do."""
    provider = CommandOrders(["sh", "provide-orders.sh"], DOCS, session.wire)
    order = provider.create_order(LINES, shipped=False, customer_id="77")

    assert len({line.line_item_id for line in order.lines}) == len(LINES)
    assert (order.customer_id, order.shipped) == ("77", False)
    with pytest.raises(Blocked, match="only create_order is supported"):
        provider.ship_order(order)


def test_a_run_with_a_program_that_passes_on_to_a_real_shop_conforms(
    served: tuple[Reference, str], tmp_path: Path
) -> None:
    """What the program makes is really there, and what it cannot do blocks what needs it, with its words."""
    reference, origin = served
    target = reference.target(origin)
    (tmp_path / "provide.py").write_text(PASSING_ON.replace("URL", str(target.orders.url)))
    target = evolve(target, orders=Orders(command=(sys.executable, "provide.py")), folder=tmp_path)
    done = run(target, load_catalogue(), tmp_path, Options(selection=("SHIP-01", "SHIP-07", "REVIEW-16")))

    assert done.counts["passed"] > 0
    assert done.counts["failed"] == done.counts["error"] == 0
    blocked = {verdict.explanation for verdict in done.verdicts if verdict.outcome is Outcome.BLOCKED}
    assert all("we ship nothing here" in words for words in blocked)


def test_a_program_that_is_not_there_blocks(session: Session, tmp_path: Path) -> None:
    """The message names the program."""
    with pytest.raises(Blocked, match="no-such-program"):
        CommandOrders(["no-such-program"], tmp_path, session.wire).create_order(LINES, shipped=True)


LINE = {"lineItemId": 1, "quantity": 5, "unitPrice": "10.00"}
UNSURE = {"orderId": 1, "customerId": 2, "shipped": "yes", "lines": [LINE]}
BROKEN_UP = {"orderId": 1, "customerId": 2, "shipped": True, "lines": [{**LINE, "quantity": "5.5"}]}


def test_a_truth_value_may_be_text_as_numbers_may(session: Session, tmp_path: Path) -> None:
    """The text false is no order that was shipped."""
    command = [sys.executable, "-c", f"print({json.dumps(UNSURE | {'shipped': 'false'})!r})"]
    with pytest.raises(Blocked, match="another order"):
        CommandOrders(command, tmp_path, session.wire).create_order(LINES, shipped=True)


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense", "[]", '{"orderId": 1}', json.dumps({"orderId": "1", "lines": 5}), json.dumps(UNSURE),
        json.dumps(BROKEN_UP),
    ],
)  # fmt: skip
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
