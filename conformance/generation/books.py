"""What a refund's record must say of what was asked for, wherever it is shown; the unreadable is judged elsewhere."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import frozen

from conformance.http.exchange import Exchange
from conformance.model import CARRIER_CODE, LineItem, Order, Refund, RefundLine, RightsType

SLACK, AT_ONCE = timedelta(minutes=1), timedelta(seconds=2)
"""How far off an age may be, and how long before its create a stored refund may have been updated."""
CLOCKS_DIFFER, STAMPS_DIFFER = timedelta(minutes=15), timedelta(minutes=5)
"""How far off a time may be by our own clock, and by that of the server, as its answers tell it."""
SAMPLES = frozenset({CARRIER_CODE, "百腾物流", "123212132"})
"""The logistics information of the page's sample (page lines 457-461)."""
Misstatement = tuple[str, object, object]
"""What is misstated, what it should be, and what it is."""


@frozen
class Asked:
    """What a create asked for: the order, the units and the reason of each of its lines, the type and the parcel."""

    order: Order
    units: tuple[int, ...]
    reasons: tuple[str, ...]
    rights_type: RightsType
    shipping: Mapping[str, str]


def misstatements(
    refund: Refund, asked: Asked, age: timedelta, exchange: Exchange, others: Collection[str] = ()
) -> Iterator[Misstatement]:
    """Yield what a refund that is so old at most says wrongly in an exchange; ``others`` is what other parcels say."""
    bought = dict(zip((line.line_item_id for line in asked.order.lines), asked.order.lines, strict=True))
    parts = zip(asked.order.lines, asked.units, strict=True)
    worth = sum((line.unit_price * units for line, units in parts), Decimal(0))
    expected: dict[str, tuple[object, object]] = {
        "the amount": (worth, refund.amount),
        "the customerId": (asked.order.customer_id, refund.customer_id),
        "the orderId": (asked.order.order_id, refund.order_id),
        "the rightsType": (asked.rights_type, refund.rights_type),
    }
    if refund.all_units_read:
        units = zip(bought, asked.units, strict=True)
        expected["the units"] = {line: Decimal(count) for line, count in units if count}, refund.quantities
    for what, (right, told) in expected.items():
        if told is not None and told != right:
            yield what, right, told
    for line in refund.lines:
        if line.line_item_id in bought:
            yield from _of_line(line, bought[line.line_item_id], asked)
    for name, value in refund.shipping.items():
        if name in asked.shipping and value != asked.shipping[name]:
            yield name, asked.shipping[name], value
        elif not asked.shipping and value in {*SAMPLES, *others}:
            yield name, "nothing, or what belongs to the order", value
    yield from _of_times(refund, age, exchange)


def _of_line(line: RefundLine, bought: LineItem, asked: Asked) -> Iterator[Misstatement]:
    reasons = dict(zip((line.line_item_id for line in asked.order.lines), asked.reasons, strict=True))
    told: dict[str, tuple[set[Any], object]] = {
        "the rightsReason": ({reasons[bought.line_item_id]}, line.reason),
        "the rightsReasonType": ({"0"}, line.reason_type),
        "the productId": ({bought.product_id} if bought.product_id else set(), line.product_id),
        "the variantId": ({bought.variant_id} if bought.variant_id else set(), line.variant_id),
        "the totalTax": ({Decimal(0)}, line.total_tax),
    }
    if line.quantity is not None:  # of one unit or of all: the examples allow both (reading A04)
        told["the subtotal"] = {bought.unit_price, bought.unit_price * line.quantity}, line.subtotal
    for what, (right, seen) in told.items():
        if right and seen is not None and seen not in right:
            yield what, " or ".join(map(str, sorted(right))), seen


def _of_times(refund: Refund, age: timedelta, exchange: Exchange) -> Iterator[Misstatement]:
    created, updated = refund.create_time, refund.update_time
    if created is not None and created.tzinfo is not None:
        nows = list(clocks(exchange))
        if not any(now - age - slack <= created <= now + slack for now, slack in nows):
            yield "the createTime", f"near {nows[0][0].isoformat()}", created.isoformat()
    if created is None or updated is None or (created.tzinfo is None) != (updated.tzinfo is None):
        return
    early = AT_ONCE if exchange.operation in {"list", "get"} else SLACK  # it is judged by what is stored (reading A09)
    if not -early <= updated - created <= age + SLACK:
        yield "the updateTime", f"within the refund's age after {created.isoformat()}", updated.isoformat()


def clocks(exchange: Exchange) -> Iterator[tuple[datetime, timedelta]]:
    """Yield what time it was when an answer came, by us and by the server, and how far off that may be."""
    yield datetime.fromisoformat(exchange.at), CLOCKS_DIFFER
    told = exchange.header("date")
    with contextlib.suppress(ValueError):
        stamp = parsedate_to_datetime(told)
        yield stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC), STAMPS_DIFFER
