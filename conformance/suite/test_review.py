"""The review: what each action makes of a new refund, and of one that is decided."""

from collections.abc import Callable
from functools import partial

import pytest
from attrs import evolve

from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.judging import verify
from conformance.model import Action, Refund
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder
from conformance.suite.given.replays import Closed
from conformance.suite.given.reviews import (
    APPROVE,
    CANCELED,
    COMPLETED,
    REJECT,
    Decision,
    but_for_the_review,
    decided,
    decision,
    wanted,
)

# One refund, decided once.


Again = Callable[[Decision, Action], None]

LONG = 4.0
"""Seconds for which a decision must have stood."""


@requirement("REVIEW-01")
def test_an_approval_is_carried_out(
    api: RefundApi, session: Session, first_approval: Decision, first_rejection: Decision
) -> None:
    """Action 1 is accepted and the refund moves on; or it is under way, and can no longer be rejected."""
    seen = first_approval
    verify.accepted(seen.answer)
    verify.holds(seen.refund_id in seen.after, "the approved refund in the list of its order", seen.after)
    status = seen.after[seen.refund_id].status
    if status in api.approved - api.pending:
        session.observe("A37", f"an approved refund goes to status {status}")
        return
    # Reading A37 allows an approval that is still under way; one that can be rejected did nothing.
    rejected = api.review_refund(seen.order, seen.refund_id, REJECT)
    ineffective = first_rejection.took_effect and not verify.was_canceled(api, seen.order, seen.refund_id, rejected)
    verify.holds(
        status in api.pending and (rejected.refused or ineffective),
        wanted(api, APPROVE),
        f"{verify.shown(status)}, and a rejection is answered {rejected.described}",
    )
    session.observe("A37", f"an approved refund stays in status {status} for long")


@requirement("REVIEW-01")
@pytest.mark.usefixtures("approval")
def test_an_approval_of_all_that_was_ordered_is_accepted(closed: Closed) -> None:
    """The approval after which nothing is left of the order is not only carried out."""
    verify.accepted(closed.approval)


@requirement("REVIEW-01", profile="quick")
def test_the_first_refund_of_the_run_was_approved(api: RefundApi, session: Session, accepted_create: Refund) -> None:
    """A plain refund without logistics information is approved like one with it."""
    if session.refused_review is not None:
        api.wire.show(session.refused_review)
        refusal = Answer(session.refused_review)
        verify.holds(refusal.accepted, "an acceptance (2xx) in some form of its numbers", refusal.described)
    if session.base_status is None:
        raise Blocked("no plain approval was accepted when the run began, or its refund cannot be got")
    session.show_control()
    expected = wanted(api, APPROVE)
    verify.holds(session.base_status in api.approved, expected, verify.shown(session.base_status))


@requirement("REVIEW-02")
def test_a_rejection_cancels(first_rejection: Decision) -> None:
    """Action 2 is accepted and the refund becomes canceled."""
    verify.accepted(first_rejection.answer)
    seen = first_rejection.after or f"no refund {first_rejection.refund_id}"
    verify.holds(first_rejection.took_effect, wanted(first_rejection.api, REJECT), seen)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("approval", marks=requirement("REVIEW-21")),
        pytest.param("rejection", marks=requirement("REVIEW-22")),
    ],
)
def test_a_review_changes_nothing_but_the_status(request: pytest.FixtureRequest, name: str) -> None:
    """Every value but status and update time is what it was before the decision."""
    seen: Decision = request.getfixturevalue(name)
    verify.unchanged(but_for_the_review(seen.before), but_for_the_review(seen.after), "the values of the refund")


@pytest.mark.parametrize("name", ["approval", "rejection"])
@requirement("REVIEW-24")
def test_the_answer_to_a_review_says_what_is_stored(request: pytest.FixtureRequest, name: str) -> None:
    """The refund in the answer is the stored one; its status may be one on the way there (readings A37, A38)."""
    seen: Decision = request.getfixturevalue(name)
    told = seen.answer.refund
    if told is None:
        raise Blocked(f"the refund in the answer cannot be read: {seen.answer.described}")
    allowed = {1, 2, 3} if seen.action is APPROVE else {1, 2, 4}
    verify.holds(told.status is None or told.status in allowed, f"one of the statuses {sorted(allowed)}", told.status)
    verify.same(seen.refund_id, told.refund_id, "the refundId in the answer")
    stored = but_for_the_review(seen.after)
    if verify.differ(but_for_the_review(seen.before), stored):
        raise Blocked("the review already changed other values than the status (REVIEW-21, REVIEW-22)")
    told = evolve(told, create_time=None)  # it may be given to another fraction (reading A08); RECORD judges it
    listed = seen.after[seen.refund_id].shipping
    if not told.shipping or not any(listed.values()):  # it may be left out of the one or the other (reading A13)
        told = evolve(told, shipping=listed)
    verify.unchanged(stored, but_for_the_review({told.refund_id: told}), "the values in the answer")


# The same refund, reviewed again.


@pytest.fixture(scope="module")
def again(api: RefundApi, session: Session) -> Again:
    """Judges another review of a decided refund; each comes after the others, and looks at what they left."""
    return partial(reviewed_again, api, session)


@requirement("REVIEW-14")
def test_a_second_approval_changes_nothing(again: Again, approval: Decision) -> None:
    """An approved refund stays approved, with every value it had."""
    again(approval, APPROVE)


@requirement("REVIEW-15")
def test_a_second_rejection_changes_nothing(again: Again, rejection: Decision) -> None:
    """A canceled refund stays canceled, with every value it had."""
    again(rejection, REJECT)


@requirement("REVIEW-16")
def test_an_approval_after_a_rejection_changes_nothing(again: Again, rejection: Decision) -> None:
    """There is no way back from canceled."""
    again(rejection, APPROVE)


@requirement("REVIEW-17")
def test_a_rejection_after_completion_changes_nothing(
    api: RefundApi, session: Session, again: Again, approval: Decision
) -> None:
    """There is no cancelling what was completed; what is in process is not judged (reading A39)."""
    now = approval.now.get(approval.refund_id)
    if now is None or now.status is not COMPLETED:
        approval.now = verify.look_list(api, approval.order)
    if approval.refund_id not in approval.now:
        raise Blocked("the approved refund is not in the list of its order any more (REVIEW-14)")
    if approval.now[approval.refund_id].status is COMPLETED:
        again(approval, REJECT)
        return
    answer = api.review_refund(approval.order, approval.refund_id, REJECT)
    answer.exchange.role = "open"
    verify.decided(answer)
    session.observe("A39", f"rejecting a refund in process is answered with {answer.status}")


def reviewed_again(api: RefundApi, session: Session, first: Decision, action: Action) -> None:
    """Another review of a decided refund leaves the order's refunds as they are, and names no other end for it.

    One that is refused leaves the update time, too; one that is accepted may be kept as a change (reading A39).
    """
    before = first.now
    changed = verify.differ(but_for_the_review(first.after), but_for_the_review(before))
    if changed or not decided(api, before[first.refund_id], first.action):
        raise Blocked("an earlier review of the decided refund already changed it (REVIEW-14, REVIEW-15)")
    answer = api.review_refund(first.order, first.refund_id, action)
    answer.exchange.role = "probe"
    if answer.refused and action is not first.action:  # what is refused once may be done at the second try
        api.review_refund(first.order, first.refund_id, action).exchange.role = "probe"
    first.now = verify.look_list(api, first.order)

    verify.unchanged(but_for_the_review(before), but_for_the_review(first.now), "the values of the refund")
    if answer.refused:
        verify.unchanged(before, first.now)
    now = first.now[first.refund_id]
    allowed = {COMPLETED} if before[first.refund_id].status is COMPLETED else api.approved
    allowed = {CANCELED} if first.action is REJECT else allowed
    verify.holds(now.status in allowed, f"status {verify.shown(sorted(allowed))}", now)
    verify.decided(answer)
    told = None if answer.refund is None else answer.refund.status
    if first.answer.refund is not None and told == first.answer.refund.status in verify.FINAL - allowed:
        raise Blocked("the answer to a first review already says another end (REVIEW-24)")
    verify.holds(told not in verify.FINAL - allowed, f"an answer that does not say {verify.shown(told)}", now)
    session.observe("A39", f"a review ({action.name.lower()}) of a decided refund is answered with {answer.status}")


# What was decided stands.


@requirement("REVIEW-30", late=True)
def test_the_first_approval_of_the_run_stands_at_its_end(
    api: RefundApi, session: Session, accepted_create: Refund
) -> None:
    """What was approved before the first check is still approved after all the others."""
    if session.base_order is None or session.base_status not in api.approved:
        raise Blocked("the first approval of the run was not seen to take effect (REVIEW-01)")
    allowed = {COMPLETED} if session.base_status is COMPLETED else api.approved
    session.let_pass(LONG)

    now = verify.look_get(api, session.base_order, accepted_create)

    verify.holds(now.status in allowed, f"status {verify.shown(sorted(allowed))}", now)


@requirement("REVIEW-31", profile="full")
def test_a_rejection_stands_after_seconds(api: RefundApi, new_order: NewOrder, rejection: Decision) -> None:
    """What was rejected is still canceled seconds later, with no other review in between."""
    fresh = decision(api, new_order(), REJECT)
    if not fresh.took_effect:
        raise Blocked("the rejection was not seen to take effect (REVIEW-02)")
    api.wire.clock.sleep(max(0.0, fresh.at + LONG - api.wire.clock.monotonic()))

    now = verify.look_get(api, fresh.order, fresh.refund_id)

    if now.status is None:
        raise Blocked("the status cannot be read, which is judged as a field of its own (RECORD-28)")
    verify.holds(now.status in api.ends_of(REJECT), wanted(api, REJECT), now)
