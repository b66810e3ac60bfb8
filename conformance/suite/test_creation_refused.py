"""A create with one thing wrong is refused, and leaves no trace."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.judging import verify
from conformance.model import Order
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.suite.given.benches import Bench, NewOrder, Probes
from conformance.suite.given.creates import (
    REFUND,
    Row,
    Send,
    changed,
    confusable,
    digit_more,
    rows_of,
    wanted,
    with_fields,
    with_line,
)
from conformance.suite.given.histories import Whole, everything_is_left


def with_wrapper(change: object) -> Send:
    """Return a create that is valid but for what its ``refund`` is."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order)
        changed(body, "refund", change)
        return api.create(body)

    return send


def below_zero(value: Any) -> Any:
    """Return an id with a minus sign, in the form that it had."""
    return f"-{value}" if isinstance(value, str) else -value


def digit_less(value: Any) -> Any:
    """Return an id that is not there, or not of the order: one digit shorter."""
    return type(value)(str(value)[:-1] or "0")


def beyond_64_bits(value: Any) -> Any:
    """Return an id that no machine word holds, in the form that it had."""
    return type(value)(str(2**64) + str(value)[:1])


def with_letters(value: Any) -> Any:
    """Return what begins like the value."""
    return f"{value}abc"


def in_a_list(value: Any) -> Any:
    """Return a value of another JSON type."""
    return [value]


def by_its_product(api: RefundApi, order: Order) -> Answer:
    """Name a line by its product, which is not the line's id."""
    ids = {line.line_item_id for line in order.lines}
    product = order.line.product_id
    body = api.create_body(order)
    line = body["refund"]["lineItems"][0]
    if product is None or product in ids:
        line["lineItemId"] = digit_more(line["lineItemId"])
    else:
        line["lineItemId"] = api.create_dialect.wire("lineItemId", product)
    return api.create(body)


def unwrapped(api: RefundApi, order: Order) -> Answer:
    """Send the fields of a valid refund without the wrapper."""
    return api.create(api.create_body(order)["refund"])


REFUSED: dict[str, Row] = {
    "no wrapper": Row("CREATE-02", unwrapped, profile="quick"),
    "refund missing": Row("CREATE-03", with_wrapper(ABSENT)),
    "refund null": Row("CREATE-03", with_wrapper(None)),
    "refund text": Row("CREATE-03", with_wrapper("refund"), profile="full"),
    "refund in a list": Row("CREATE-03", with_wrapper(in_a_list)),
    "lineItems missing": Row("CREATE-04", with_fields("lineItems"), profile="quick"),
    "lineItems null": Row("CREATE-04", with_fields("lineItems", change=None)),
    "lineItems a line alone": Row("CREATE-04", with_fields("lineItems", change=lambda lines: lines[0])),
    "lineItems a list of null": Row("CREATE-04", with_fields("lineItems", change=[None])),
    "lineItems written as a text": Row("CREATE-04", with_fields("lineItems", change=json.dumps)),
    "lineItems a list of ids": Row("CREATE-04", with_fields("lineItems", change=lambda old: [old[0]["lineItemId"]])),
    "orderId missing": Row("CREATE-06", with_fields("orderId"), profile="quick"),
    "orderId null": Row("CREATE-06", with_fields("orderId", change=None), profile="full"),
    "orderId empty": Row("CREATE-06", with_fields("orderId", change=""), profile="full"),
    "orderId in a list": Row("CREATE-06", with_fields("orderId", change=in_a_list)),
    "order with a digit more": Row("CREATE-07", with_fields("orderId", change=digit_more), profile="quick"),
    "order with a digit less": Row("CREATE-07", with_fields("orderId", change=digit_less)),
    "order next to it": Row("CREATE-07", with_fields("orderId", change=confusable)),
    "order below zero": Row("CREATE-07", with_fields("orderId", change=below_zero)),
    "order beyond 64 bits": Row("CREATE-07", with_fields("orderId", change=beyond_64_bits), profile="full"),
    "order with letters after it": Row("CREATE-07", with_fields("orderId", change=with_letters)),
    "lineItemId missing": Row("CREATE-08", with_line("lineItemId")),
    "lineItemId null": Row("CREATE-08", with_line("lineItemId", None), profile="full"),
    "lineItemId empty": Row("CREATE-08", with_line("lineItemId", ""), profile="full"),
    "lineItemId in a list": Row("CREATE-08", with_line("lineItemId", in_a_list)),
    "line with a digit more": Row("CREATE-09", with_line("lineItemId", digit_more), profile="quick"),
    "line with a digit less": Row("CREATE-09", with_line("lineItemId", digit_less)),
    "line with letters after it": Row("CREATE-09", with_line("lineItemId", with_letters)),
    "line by its position": Row("CREATE-09", with_line("lineItemId", lambda value: type(value)("0")), profile="full"),
    "line by its product": Row("CREATE-09", by_its_product, profile="full"),
    "quantity '0'": Row("CREATE-11", with_line("quantity", "0")),
    "quantity 0 without a return": Row("CREATE-11", with_line("quantity", 0, rights_type=REFUND), profile="quick"),
    "quantity '-1'": Row("CREATE-11", with_line("quantity", "-1"), profile="quick"),
    "quantity -1 without a return": Row("CREATE-11", with_line("quantity", -1, rights_type=REFUND), profile="full"),
    "quantity '-1' of the second line": Row("CREATE-11", with_line("quantity", "-1", index=1, lines=2)),
    "quantity '1.5'": Row("CREATE-12", with_line("quantity", "1.5"), profile="quick"),
    "quantity 1.5": Row("CREATE-12", with_line("quantity", 1.5)),
    "quantity '1.9'": Row("CREATE-12", with_line("quantity", "1.9"), profile="full"),
    "quantity 'abc' in the second of two": Row(
        "CREATE-12", with_line("quantity", "abc", index=1, lines=2), profile="quick"
    ),
    "quantity '1abc'": Row("CREATE-12", with_line("quantity", "1abc"), profile="full"),
    "quantity 'NaN'": Row("CREATE-12", with_line("quantity", "NaN"), profile="quick"),
    "quantity true": Row("CREATE-12", with_line("quantity", change=True)),
    "quantity in a list": Row("CREATE-12", with_line("quantity", in_a_list)),
    "quantity in an object": Row("CREATE-12", with_line("quantity", lambda value: {"quantity": value}), profile="full"),
    "rightsType '3'": Row("CREATE-35", with_fields("rightsType", change="3"), profile="quick"),
    "rightsType 3": Row("CREATE-35", with_fields("rightsType", change=3), profile="full"),
    "rightsType 0": Row("CREATE-35", with_fields("rightsType", change=0)),
    "rightsType '-1'": Row("CREATE-35", with_fields("rightsType", change="-1"), profile="full"),
    "rightsType 1.5": Row("CREATE-35", with_fields("rightsType", change=1.5), profile="full"),
    "rightsType 'abc'": Row("CREATE-35", with_fields("rightsType", change="abc")),
    "rightsType '1abc'": Row("CREATE-35", with_fields("rightsType", change="1abc")),
    "rightsType true": Row("CREATE-35", with_fields("rightsType", change=True), profile="full"),
    "rightsType in a list": Row("CREATE-35", with_fields("rightsType", change=in_a_list), profile="full"),
    "a good and an unknown line": Row(
        "CREATE-25", with_line("lineItemId", digit_more, index=1, lines=2), "line with a digit more"
    ),
    "an unknown and a good line": Row(
        "CREATE-25", with_line("lineItemId", digit_more, index=0, lines=2), "line with a digit more", profile="full"
    ),
    "a good line and one without an id": Row(
        "CREATE-25", with_line("lineItemId", index=1, lines=2), "lineItemId missing"
    ),
    "a good line and one of no units": Row(
        "CREATE-25", with_line("quantity", "0", index=1, lines=2), "quantity '0'"
    ),
}  # fmt: skip


SAME = {
    "refund null": "refund null", "refund in a list": "refund in a list",
    "lineItems null": "refund.lineItems null", "lineItems a line alone": "refund.lineItems as their first",
    "lineItems written as a text": "refund.lineItems as text",
    "orderId missing": "refund.orderId left out", "orderId in a list": "refund.orderId in a list",
    "order with a digit more": "refund.orderId with a digit more",
    "order with a digit less": "refund.orderId without its last digit",
    "lineItemId missing": "refund.lineItems.lineItemId left out",
    "lineItemId in a list": "refund.lineItems.lineItemId in a list",
    "quantity 0 without a return": "refund.lineItems.quantity zero",
    "quantity '-1'": "refund.lineItems.quantity negative",
    "quantity '1.5'": "refund.lineItems.quantity with a half",
    "quantity 1.5": "refund.lineItems.quantity with a half as a number",
    "quantity true": "refund.lineItems.quantity true", "quantity in a list": "refund.lineItems.quantity in a list",
    "rightsType '3'": "refund.rightsType 3",
}  # fmt: skip
"""Near misses that are the same but for what is right in them, so that a run which sends them need not send these."""


@pytest.fixture(scope="module")
def refused_creates(request: pytest.FixtureRequest, create_bench: Bench, near_creates: Probes) -> Probes:
    """Creates that differ from an accepted one in one thing alone."""
    probes = Probes(create_bench)
    rows = wanted(request, REFUSED, create_bench.api)
    probes.borrow(near_creates, {name: SAME[name] for name in rows.keys() & SAME.keys()})
    probes.send(rows)
    return probes


BAD_AMONG_GOOD = [name for name, row in REFUSED.items() if row.requirement == "CREATE-25"]


def is_refused(probes: Probes, row: str) -> bool:
    """Say whether a row was refused and had no effect, as far as it was sent."""
    return row not in probes.sent or (row not in probes.effects and probes.sent[row].refused)


def insist_on_need(probes: Probes, row: str, table: Mapping[str, Row]) -> None:
    """The row that this one needs was refused and had no effect; otherwise this one proves nothing."""
    needs = table[row].needs
    if needs is not None and not is_refused(probes, needs):
        raise Blocked(f"the plain case, {needs}, is already not refused ({table[needs].requirement})")


@pytest.mark.parametrize("row", rows_of(REFUSED))
def test_an_illegal_create_is_refused(refused_creates: Probes, row: str) -> None:
    """A create with one thing wrong is refused, and leaves no refund behind."""
    insist_on_need(refused_creates, row, REFUSED)
    refused_creates.judge(row)


@requirement("CREATE-10")
def test_a_line_of_another_order_is_refused(create_bench: Bench, new_order: NewOrder, refused_creates: Probes) -> None:
    """A line that the customer ordered, but in another order, is refused, alone and after one of the order's own.

    Alone it is asked for on an order of one line, where there is no doubt about the line that could be meant.
    """
    insist_on_need(refused_creates, BAD_AMONG_GOOD[0], REFUSED)
    api, order, single = create_bench.api, create_bench.order, new_order()
    stray = order.stray_line(new_order(*[(5, "10.00")] * (len(order.lines) + 1), customer_id=order.customer_id))
    alone = api.create_refund(single, Part(stray))
    verify.no_effect(alone, {}, verify.look_list(api, single))
    if all(is_refused(refused_creates, row) for row in BAD_AMONG_GOOD):  # or what becomes of others tells CREATE-25
        create_bench.judge(api.create_refund(order, Part(order.lines[1]), Part(stray)))


@requirement("CREATE-32", late=True)
def test_refused_creates_use_up_nothing(create_bench: Bench, whole: Whole) -> None:
    """After all illegal creates on an order, all its units can be refunded at once."""
    everything_is_left(create_bench, whole)
