"""Refunds that were reviewed once: one that was approved, one that was rejected, and three of one order."""

import pytest
from attrs import define, evolve

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import CARRIER_CODE, Action, Order, Refund, RefundId, RefundStatus
from conformance.outcome import Blocked
from conformance.running.plugin import of_each_worker
from conformance.suite.given.benches import NewOrder, ReviewBench

CANCELED, COMPLETED = RefundStatus.CANCELED, RefundStatus.COMPLETED

APPROVE, REJECT = Action.APPROVE, Action.REJECT


def decided(api: RefundApi, refund: Refund, action: Action) -> bool:
    """Say whether a refund is where an action should bring it."""
    return refund.status in api.ends_of(action)


def wanted(api: RefundApi, action: Action) -> str:
    """Return where an action should bring a refund, in words."""
    return f"status {verify.shown(sorted(api.ends_of(action)))}"


def until_decided(api: RefundApi, order: Order, *refunds: tuple[RefundId, Action]) -> dict[RefundId, Refund]:
    """Return the order's refunds once the named ones are decided, or as they are when they never are."""
    return verify.patiently(
        api,
        lambda: verify.look_list(api, order),
        lambda seen: all(key in seen and decided(api, seen[key], action) for key, action in refunds),
    )


def but_for_the_review(refunds: dict[RefundId, Refund]) -> dict[RefundId, Refund]:
    """Leave out what a review may change: status and update time."""
    return {key: evolve(refund, status=None, update_time=None) for key, refund in refunds.items()}


# One refund, decided once.


@define
class Decision:
    """A refund of an order and a review of it: the answer, what list showed before, after, and last of all, and when.

    ``at`` is the moment after the review, in seconds of the wire's clock.
    """

    api: RefundApi
    order: Order
    refund_id: RefundId
    action: Action
    before: dict[RefundId, Refund]
    answer: Answer
    after: dict[RefundId, Refund]
    now: dict[RefundId, Refund]
    at: float

    @property
    def took_effect(self) -> bool:
        """Whether the refund got to where the action brings it."""
        return self.refund_id in self.after and decided(self.api, self.after[self.refund_id], self.action)


def decision(api: RefundApi, order: Order, action: Action) -> Decision:
    """Arrange a refund with all that a client can say of it, and review it."""
    parcel = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": "TRACK123456"}
    part = Part(order.line, 2, reason="Too small, and the colour is wrong.")
    refund_id = arrange.given_refund(api, order, part, shipping=parcel).refund_id
    before = verify.look_list(api, order)
    if list(before) != [refund_id] or before[refund_id].status not in api.pending:
        raise Blocked(f"the refund to review is not there as a new one: {verify.shown(before)}")
    answer = api.review_refund(order, refund_id, action)
    answer.exchange.role = "probe"
    after = until_decided(api, order, (refund_id, action)) if answer.accepted else verify.look_list(api, order)
    return Decision(api, order, refund_id, action, before, answer, after, after, api.wire.clock.monotonic())


@pytest.fixture(scope="session")
@of_each_worker
def first_approval(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Decision:
    """A refund for which an approval was sent."""
    return decision(api, new_order(), APPROVE)


@pytest.fixture(scope="session")
@of_each_worker
def first_rejection(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Decision:
    """A refund for which a rejection was sent."""
    return decision(api, new_order(), REJECT)


@pytest.fixture
def approval(first_approval: Decision) -> Decision:
    """A refund that was approved: the control of everything that follows an approval."""
    if not first_approval.took_effect:
        raise Blocked(f"a plain approval does not work (REVIEW-01): {first_approval.answer.described}")
    return first_approval


@pytest.fixture
def rejection(first_rejection: Decision) -> Decision:
    """A refund that was rejected: the control of everything that follows a rejection."""
    if not first_rejection.took_effect:
        raise Blocked(f"a plain rejection does not work (REVIEW-02): {first_rejection.answer.described}")
    return first_rejection


# One of several refunds.


@define
class Several:
    """An order with three refunds, decided one by one: the answers, and what list showed before and after each review.

    The bystander is an open refund of another order of the same customer, before the first and after the last.
    """

    api: RefundApi
    refunds: list[Refund]
    answers: dict[int, Answer]
    steps: dict[int, tuple[dict[RefundId, Refund], dict[RefundId, Refund]]]
    bystander: tuple[dict[RefundId, Refund], dict[RefundId, Refund]]


@pytest.fixture(scope="session")
def several(
    api: RefundApi, new_order: NewOrder, review_bench: ReviewBench, first_approval: Decision, first_rejection: Decision
) -> Several:
    """Three refunds of one order; the middle one is rejected, then the first approved, then the last one, too.

    The middle one is like the first in all but its key, so that only its id tells which of them is meant.

    A target that allows one open refund at a time (reading A27) has only the last one open: it alone is decided.
    """
    if not first_approval.took_effect or not first_rejection.took_effect:
        raise Blocked("a plain approval or rejection does not work (REVIEW-01, REVIEW-02)")
    order = new_order((9, "10.00"), customer_id=review_bench.order.customer_id)
    refunds = [arrange.new_refund(api, order, Part(order.line, units)) for units in (2, 2, 3)]
    arrange.await_visible(api, order, *refunds)
    now = verify.look_list(api, order)
    answers, steps = {}, {}
    for index, action in DECISIONS.items():
        refund_id = refunds[index].refund_id
        if refund_id not in now or now[refund_id].status not in api.pending:
            continue
        before = now
        answers[index] = api.review_refund(order, refunds[index], action)
        answers[index].exchange.role = "probe"
        now = until_decided(api, order, (refund_id, action))
        steps[index] = (before, now)
    bystander, review_bench.before = review_bench.before, review_bench.look()
    return Several(api, refunds, answers, steps, (bystander, review_bench.before))


DECISIONS = {1: REJECT, 0: APPROVE, 2: APPROVE}
"""What happens to each of three refunds, in this order."""


def named_is_decided(several: Several, index: int) -> None:
    """The refund that a step named is decided."""
    refund_id, after = several.refunds[index].refund_id, several.steps[index][1]
    there = refund_id in after and decided(several.api, after[refund_id], DECISIONS[index])
    verify.holds(there, "the named refund decided", after)


def named_keeps_its_values(several: Several, index: int) -> None:
    """The refund that a step named has the values that it had, but for status and update time."""
    key = several.refunds[index].refund_id
    before, after = ({key: refunds[key]} for refunds in several.steps[index])
    verify.unchanged(but_for_the_review(before), but_for_the_review(after), "the values of the refund")


def others_are_unchanged(several: Several, index: int) -> None:
    """The refunds that a step did not name keep every value."""
    before, after = (
        {refund_id: refund for refund_id, refund in refunds.items() if refund_id != several.refunds[index].refund_id}
        for refunds in several.steps[index]
    )
    verify.unchanged(before, after, "the other refunds")
