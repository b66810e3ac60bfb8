"""Another shop of the target has keys, amounts and answers of its own, as this one has."""

from decimal import Decimal
from functools import partial

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import API, Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Order, Refund, RefundId
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.benches import NewOrder
from conformance.suite.given.bursts import together
from conformance.suite.given.reviews import Decision
from conformance.suite.given.senseless import list_path
from conformance.suite.given.units import ordered, stays_within


@define
class SharedKey:
    """A key that was used in the other shop first, and then here."""

    their_order: Order
    before: dict[RefundId, Refund]
    our_order: Order
    answer: Answer


@pytest.fixture(scope="module")
def shared_key(api: RefundApi, other_shop: Shop, new_order: NewOrder, accepted_create: Refund) -> SharedKey:
    """A create in the other shop, and one here under the same key."""
    their_order, our_order, key = other_shop.order((5, "13.00")), new_order(), api.keys()
    arrange.given_refund(other_shop.api, their_order, request_no=key)
    before = verify.look_list(other_shop.api, their_order)
    answer = api.create_refund(our_order, request_no=key)
    answer.exchange.role = "probe"
    return SharedKey(their_order, before, our_order, answer)


@requirement("ISOLATION-05")
def test_a_key_of_another_shop_stands_for_nothing_here(
    api: RefundApi, session: Session, other_shop: Shop, shared_key: SharedKey
) -> None:
    """A create under that key is a refund of this shop's order, or is refused; the other shop's stays as it is."""
    answer = shared_key.answer
    verify.holds(answer.accepted or answer.refused, "a refund of this shop (2xx) or a refusal (4xx)", answer.described)
    if answer.accepted:
        verify.appears(api, shared_key.our_order, answer.refund or verify.created(answer))
    else:
        verify.same([], list(verify.look_list(api, shared_key.our_order)), "the refunds of this shop's order")
    verify.unchanged(
        shared_key.before, verify.look_list(other_shop.api, shared_key.their_order), "the other shop's refunds"
    )
    session.observe("A24", f"a key is good once in {'each shop' if answer.accepted else 'all shops together'}")


@define
class DecidedKeys:
    """The keys of refunds that were decided here, used in the other shop, and what is on its order afterwards."""

    answers: dict[str, Answer]
    there: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def decided_keys(api: RefundApi, other_shop: Shop, first_approval: Decision, first_rejection: Decision) -> DecidedKeys:
    """A create in the other shop under each of the keys."""
    order = other_shop.order()
    decisions = {"approved": first_approval, "canceled": first_rejection}
    keys = {state: api.told[decision.refund_id].key for state, decision in decisions.items()}
    answers = {state: other_shop.api.create_refund(order, request_no=key) for state, key in keys.items()}
    for answer in answers.values():
        answer.exchange.role = "probe"
    told = {answer.refund.refund_id for answer in answers.values() if answer.refund is not None}
    there = verify.patiently(
        other_shop.api, lambda: verify.look_list(other_shop.api, order), lambda seen: told <= seen.keys()
    )
    return DecidedKeys(answers, there)


@requirement("ISOLATION-05")
@pytest.mark.parametrize("state", ["approved", "canceled"])
def test_the_key_of_a_decided_refund_stands_for_nothing_in_another_shop(
    shared_key: SharedKey, decided_keys: DecidedKeys, state: str
) -> None:
    """A create there under that key is a refund of its own order, or is refused."""
    if not (shared_key.answer.accepted or shared_key.answer.refused):
        raise Blocked("a key of another shop already breaks the create")
    answer = decided_keys.answers[state]
    verify.decided(answer, "a refund of that shop (2xx) or a refusal (4xx)")
    if answer.accepted:
        told = answer.refund or verify.created(answer)
        there = sorted(decided_keys.there)
        verify.holds(told.refund_id in there, f"refund {told.refund_id} in the list of that shop's order", there)


@requirement("ISOLATION-06")
def test_a_key_of_another_shop_is_free_here(shared_key: SharedKey) -> None:
    """A create under that key is accepted."""
    if not (shared_key.answer.accepted or shared_key.answer.refused):
        raise Blocked("a key of another shop already breaks the create (ISOLATION-05)")
    verify.accepted(shared_key.answer)


@requirement("ISOLATION-09")
def test_the_other_shop_reckons_amounts_like_this_one(api: RefundApi, shared_key: SharedKey) -> None:
    """A unit of 13.00 is refunded with 13.00 there as well."""
    price = shared_key.their_order.line.unit_price
    amounts = [refund.amount for refund in shared_key.before.values() if refund.amount is not None]
    if set(amounts) - {price}:
        ours = verify.look_list(api, shared_key.our_order).values()
        if any(refund.amount != shared_key.our_order.line.unit_price for refund in ours):
            raise Blocked("the amount of one unit is already wrong in this shop (AMOUNT-01)")
    if not amounts:
        raise Blocked("no amount of the other shop can be read")
    verify.same([price], amounts, "the amounts of the refunds in the other shop")


@requirement("ISOLATION-09")
@pytest.mark.usefixtures("limited")
def test_the_other_shop_counts_units_like_this_one(
    session: Session, shop: Shop, other_shop: Shop, shared_key: SharedKey
) -> None:
    """With one unit of an order refunded, not all of them are refunded once more."""
    try:
        ask_for_all(session, other_shop.api, shared_key.their_order, shared_key.before)
    except Failed:
        order = shop.order()
        arrange.given_refund(shop.api, order)
        try:
            ask_for_all(session, shop.api, order, verify.look_list(shop.api, order))
        except Failed:
            raise Blocked("units of a refund are already not used up in this shop (CREATE-19)") from None
        raise


def ask_for_all(session: Session, api: RefundApi, order: Order, before: dict[RefundId, Refund]) -> None:
    """Ask for all units of an order of which some are refunded.

    Raises:
        Failed: more than are left are refunded.
    """
    answer = api.create_refund(order, Part(order.line, order.line.quantity))
    answer.exchange.role = "probe"
    stays_within(session, ordered(order), answer, before, verify.look_list(api, order))


# Both shops at one moment.

Known = tuple[RefundId, Decimal | None]
"""A refund by id and amount, since each shop may count its refunds for itself."""
A_SECOND = 1.0
"""Seconds in which a copy that is behind has caught up."""


@define
class Read:
    """A get or a list in one of two shops, and the refund that it must show."""

    api: RefundApi
    order: Order
    refund: Refund
    operation: str

    def send(self) -> Answer:
        """Send it, and do not ask again whatever comes of it."""
        if self.operation == "list":
            limit = {"limit": self.api.look_limit}
            return self.api.send("GET", list_path(self.order.order_id), "list", query=limit)
        query = {"orderId": self.order.order_id, "refundId": self.refund.refund_id}
        return self.api.send("GET", f"{API}/refunds", "get", query=query)

    def is_right(self, answer: Answer, others: set[Known]) -> bool:
        """Say whether an answer shows the refund, and none of the other shop's."""
        told = shown(answer)
        return known(self.refund) in told and not told & others


def known(refund: Refund) -> Known:
    """Return what tells a refund from those of the other shop."""
    return refund.refund_id, refund.amount


def shown(answer: Answer) -> set[Known]:
    """Return the refunds that an answer shows."""
    return {known(refund) for refund in ([answer.refund] if answer.refund else answer.refunds or ())}


@requirement("ISOLATION-10")
def test_reads_of_two_shops_at_once_get_their_own_answers(shop: Shop, other_shop: Shop, shared_key: SharedKey) -> None:
    """A get and a list in each of them at the same moment show what they show alone."""
    ours = shared_key.answer.refund or arrange.given_refund(shop.api, shared_key.our_order)
    theirs = next(iter(shared_key.before.values()))
    sides = ((shop.api, shared_key.our_order, ours), (other_shop.api, shared_key.their_order, theirs))
    reads = [Read(*side, operation) for operation in ("get", "list") for side in sides]

    answers = together(shop.api, [partial(read.send) for read in reads])
    if wrong(reads, answers):
        # They may have come from a copy that was behind (reading A64).
        shop.api.wire.clock.sleep(max(A_SECOND, shop.api.wire.lag))
        if wrong(reads, [read.send() for read in reads]):
            raise Blocked("single reads already show something else (see reading and listing)")
        answers = together(shop.api, [partial(read.send) for read in reads])
    for read, answer in wrong(reads, answers):
        raise Failed(f"refund {read.refund.refund_id}, which is shown when it is asked for alone", answer.described)


def wrong(reads: list[Read], answers: list[Answer]) -> list[tuple[Read, Answer]]:
    """Return the reads that were not answered out of their own shop, and their answers."""
    others = {id(read): {known(other.refund) for other in reads if other.api is not read.api} for read in reads}
    pairs = zip(reads, answers, strict=True)
    return [(read, answer) for read, answer in pairs if not read.is_right(answer, others[id(read)])]
