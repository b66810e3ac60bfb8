"""Lists, and an order with four refunds beside another one with two."""

from collections.abc import Iterable
from typing import Any

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import CARRIER_CODE, Order, Refund, RefundId, RightsType
from conformance.outcome import Blocked, Failed
from conformance.suite.given.benches import NewOrder

DEFAULT_LIMIT = 50


def plain(api: RefundApi, order: Order | str, limit: Any = DEFAULT_LIMIT, role: str = "probe") -> Answer:
    """List an order with a limit that nobody has a reason to refuse."""
    answer = api.list_refunds(order, limit)
    answer.exchange.role = role
    return answer


def entries(answer: Answer) -> list[Refund]:
    """Return the refunds of a list that must be accepted, each as often as it is there."""
    verify.accepted(answer, "an acceptance (2xx) with the refunds")
    if answer.refunds is None:
        raise Blocked(f"the list cannot be read: {answer.described}")
    return answer.refunds


def ids(refunds: Iterable[Refund]) -> list[RefundId]:
    """Return the ids of some refunds, in order."""
    return sorted(refund.refund_id for refund in refunds)


@define
class Crowd:
    """An order with four refunds, and another of the same customer with two, created between and after them.

    The other one was listed with limit 1 first of all, then ``before`` its first refund, ``after`` it, and when it had
    ``both``.
    """

    order: Order
    made: dict[RefundId, Refund]
    listed: Answer
    sibling: Order
    siblings: dict[RefundId, Refund]
    before: Answer
    after: Answer
    both: Answer


@pytest.fixture(scope="session")
def crowd(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Crowd:
    """The shared orders; the first one is listed for the first time when its four refunds are there."""
    order = new_order((9, "10.00"), (9, "7.50"), (9, "10.00"))
    try:
        sibling = new_order(customer_id=order.customer_id)
    except Blocked:
        sibling = new_order()
    first, second, like_the_first = order.lines[:3]
    plain(api, sibling, 1)
    before = plain(api, sibling)
    parcel = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": "TRACK314159"}
    parts = [Part(first, 1), Part(second, 2), Part(like_the_first, 1)]
    made = [arrange.new_refund(api, order, *parts, shipping=parcel)]
    siblings = [arrange.given_refund(api, sibling)]
    after = listed_with(api, sibling, siblings)
    made.append(arrange.new_refund(api, order, Part(second, 1), rights_type=RightsType.REFUND))
    made.append(arrange.new_refund(api, order, Part(first, 3)))
    made.append(arrange.new_refund(api, order, Part(first, 4)))
    siblings.append(arrange.given_refund(api, sibling, Part(sibling.line, 2)))
    by_id = {refund.refund_id: refund for refund in made}
    listed, both = listed_with(api, order, made), listed_with(api, sibling, siblings)
    return Crowd(order, by_id, listed, sibling, {r.refund_id: r for r in siblings}, before, after, both)


def listed_with(api: RefundApi, order: Order, wanted: Iterable[Refund]) -> Answer:
    """Return the list of an order once it shows some refunds, or as it is when it never does."""
    missing = set(ids(wanted))
    return verify.patiently(
        api, lambda: plain(api, order), lambda seen: not seen.accepted or missing <= set(ids(seen.refunds or []))
    )


Own = dict[RefundId, Refund]


@pytest.fixture(scope="session")
def found(crowd: Crowd) -> list[Refund]:
    """The entries of the order's list: the control is that it is accepted."""
    try:
        return entries(crowd.listed)
    except Failed as failure:
        raise Blocked(f"a plain list is not accepted (LIST-01): {failure.observed}") from None


@pytest.fixture(scope="session")
def own(crowd: Crowd, found: list[Refund]) -> Own:
    """The entries by id: the control of whatever a limit, another id or a review makes of the list."""
    if ids(found) != sorted(crowd.made):
        raise Blocked("a plain list already shows too few or too many refunds (LIST-01 to LIST-03)")
    return {refund.refund_id: refund for refund in found}


def counted(answer: Answer, own: set[RefundId]) -> int:
    """Return how many entries a list has, all of them different refunds of the order."""
    listed = ids(entries(answer))
    verify.holds(len(set(listed)) == len(listed) and set(listed) <= own, "different refunds of the order", listed)
    return len(listed)
