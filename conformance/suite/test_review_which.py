"""The review of one of several refunds: that one is decided, and no other."""

import pytest

from conformance.judging import verify
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.reviews import (
    APPROVE,
    DECISIONS,
    Decision,
    Several,
    but_for_the_review,
    named_is_decided,
    named_keeps_its_values,
    others_are_unchanged,
)

WHICH = pytest.mark.parametrize("index", [0, 1, 2], ids=["first", "middle", "last"])


@requirement("REVIEW-18")
@WHICH
def test_the_named_one_of_several_refunds_is_decided(session: Session, several: Several, index: int) -> None:
    """Whichever of three refunds is named, it is decided."""
    if index in several.steps:
        named_is_decided(several, index)
    else:
        closed_before(session, several, index)


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(0, marks=requirement("REVIEW-21"), id="first"),
        pytest.param(1, marks=requirement("REVIEW-22"), id="middle"),
        pytest.param(2, marks=requirement("REVIEW-21"), id="last"),
    ],
)
def test_the_named_one_of_several_refunds_keeps_its_values(
    session: Session, approval: Decision, rejection: Decision, several: Several, index: int
) -> None:
    """Whichever of three refunds is named, and whatever was decided before it, nothing else changes in it."""
    if index not in several.steps:
        return closed_before(session, several, index)
    plain = approval if DECISIONS[index] is APPROVE else rejection
    if verify.differ(but_for_the_review(plain.before), but_for_the_review(plain.after)):
        raise Blocked("a plain review already changes other values")
    try:
        named_is_decided(several, index)
    except Failed:
        raise Blocked("the review did not decide the named refund (REVIEW-18)") from None
    named_keeps_its_values(several, index)
    return None


@requirement("REVIEW-24")
@WHICH
def test_the_answer_to_a_review_shows_the_named_one_of_several(
    session: Session, several: Several, approval: Decision, index: int
) -> None:
    """Whichever of three refunds is named, the answer has its id, its units and its amount."""
    if index not in several.steps:
        return closed_before(session, several, index)
    try:
        named_is_decided(several, index)
    except Failed:
        raise Blocked("the review did not decide the named refund (REVIEW-18)") from None
    wanted, told = several.steps[index][1][several.refunds[index].refund_id], several.answers[index].refund
    if told is None or approval.answer.refund is None:
        raise Blocked(f"the refund in the answer cannot be read: {several.answers[index].described}")
    plain, stored = approval.answer.refund, approval.after[approval.refund_id]
    if (plain.amount, plain.quantities) != (stored.amount, stored.quantities):
        raise Blocked("the answer to a plain review already shows other values than are stored")
    for what, value in (("refundId", "refund_id"), ("units", "quantities"), ("amount", "amount")):
        verify.same(getattr(wanted, value), getattr(told, value), f"the {what} in the answer")
    return None


@requirement("REVIEW-19")
@WHICH
def test_the_others_of_several_refunds_stay_as_they_are(session: Session, several: Several, index: int) -> None:
    """Whichever of three refunds is named, the two others keep every value."""
    if index not in several.steps:
        return closed_before(session, several, index)
    try:
        named_is_decided(several, index)
    except Failed:
        raise Blocked("the review did not decide the named refund (REVIEW-18)") from None
    others_are_unchanged(several, index)
    return None


def closed_before(session: Session, several: Several, index: int) -> None:
    """One open refund at a time is a legal reading: the earlier ones were approved to make way for the later.

    Raises:
        Blocked: it was closed by the review of another one.
    """
    if any(several.refunds[index].refund_id in before for before, _ in several.steps.values()):
        was = next(iter(several.steps.values()))[0].get(several.refunds[index].refund_id)
        if was is not None and was.status in several.api.pending:
            raise Blocked("the review of another refund of the order already decided this one (REVIEW-19)")
    session.observe("A27", "a second refund of an order is refused while one is open")


@requirement("REVIEW-20")
def test_a_refund_of_another_order_stays_as_it_is(several: Several) -> None:
    """Deciding refunds leaves that of another order of the same customer alone."""
    before, after = several.bystander
    if not any(refund.status in several.api.pending for refund in before.values()):
        raise Blocked("the refund of the other order is not open any more, so nothing could happen to it")
    verify.unchanged(before, after, "the refund of the other order")
