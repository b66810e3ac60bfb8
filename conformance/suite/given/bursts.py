"""Requests that are sent at the same moment."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.burst import at_once
from conformance.http.client import Part, RefundApi
from conformance.judging import verify
from conformance.model import Order, Refund, RefundId, RefundStatus
from conformance.suite.given.benches import NewOrder

BURST = 5


def together(api: RefundApi, sends: Sequence[partial[Answer]]) -> list[Answer]:
    """Send probes at one moment."""
    answers = at_once(api.wire, sends)
    for answer in answers:
        answer.exchange.role = "probe"
    return answers


def taken(there: Mapping[RefundId, Refund]) -> Decimal:
    """Return how many units refunds take back; canceled ones take none."""
    counted = [refund for refund in there.values() if refund.status is not RefundStatus.CANCELED]
    return sum((sum(refund.quantities.values(), Decimal(0)) for refund in counted), Decimal(0))


@define
class LastUnits:
    """Creates for more units than there are, sent at one moment: the order, bodies, answers, and its refunds after."""

    order: Order
    bodies: list[dict[str, Any]]
    answers: list[Answer]
    there: dict[RefundId, Refund]

    @property
    def told(self) -> set[RefundId]:
        """The refunds that the answers tell of."""
        return {answer.refund.refund_id for answer in self.answers if answer.refund is not None}


@pytest.fixture(scope="session")
def last_units(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> LastUnits:
    """A burst of creates that each ask for two of five units."""
    order = new_order((5, "10.00"))
    bodies = [api.create_body(order, Part(order.line, 2)) for _ in range(BURST)]
    answers = together(api, [partial(api.create, body) for body in bodies])
    return LastUnits(order, bodies, answers, verify.look_list(api, order))
