"""What is true of units and refunds right away is true of them seconds later."""

from decimal import Decimal

import pytest
from attrs import define, evolve

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder, many_of
from conformance.suite.given.grants import LONG, Grants, LateApproval
from conformance.suite.given.histories import Series, Whole, insist_on_a_decision
from conformance.suite.given.units import Refunds, ordered, stays_within, units

MANY = 12
"""Refunds of an order that are more than fit on a short page."""
CLOSED = {RefundStatus.CANCELED, None}
"""What a canceled refund may show; a status that cannot be read is judged as a field of its own (RECORD-28)."""


@define
class Later:
    """One unit more of an order that was refunded as a whole seconds ago, and its refunds afterwards."""

    one_more: Answer
    after: Refunds

    def judge(self, session: Session, whole: Whole) -> None:
        """The unit was refused."""
        insist_on_a_decision(self.one_more)
        if not whole.one_more.refused:
            raise Blocked("one unit more is already not refused right away (CREATE-38)")
        known = dict(whole.after)
        second = whole.second.refund
        if second is not None and second.refund_id in self.after:  # it may not have been listed before (reading A64)
            known.setdefault(second.refund_id, second)
        limits = ordered(whole.order)
        if whole.second.refused and all(count <= limits[line] for line, count in units(self.after.values()).items()):
            return  # nothing is pending, and the units of the rejected refund may come back late (readings A33, A64)
        before = {refund_id: self.after.get(refund_id, was) for refund_id, was in known.items()}  # REVIEW judges these
        stays_within(session, limits, self.one_more, before, self.after)


@pytest.fixture(scope="session")
def later(api: RefundApi, whole: Whole) -> Later:
    """The order that was refunded as a whole, seconds later."""
    api.wire.clock.sleep(max(0.0, whole.at + LONG - api.wire.clock.monotonic()))
    return Later(api.create_refund(whole.order), verify.look_list(api, whole.order))


@requirement("CREATE-19", late=True)
@pytest.mark.usefixtures("limited")
def test_units_of_a_refund_that_is_pending_for_long_are_used_up(session: Session, whole: Whole, later: Later) -> None:
    """Seconds after all units of an order went into a pending refund, one more is refused."""
    later.judge(session, whole)


@requirement("REVIEW-31", late=True)
def test_a_rejection_of_the_whole_order_stands_seconds_later(whole: Whole, later: Later) -> None:
    """What was canceled after the creates that followed the rejection is canceled still."""
    canceled = {key for key, refund in whole.after.items() if refund.status is RefundStatus.CANCELED}
    if not canceled:
        raise Blocked("no refund of the whole order was seen canceled (REVIEW-02)")
    revived = [refund for key, refund in later.after.items() if key in canceled and refund.status not in CLOSED]
    verify.holds(not revived, "the refund still canceled", verify.shown(revived))


@requirement("REVIEW-16", late=True)
def test_a_refund_that_was_rejected_seconds_ago_is_not_revived(api: RefundApi, whole: Whole, later: Later) -> None:
    """An approval that comes seconds after the rejection changes nothing."""
    canceled = [key for key, refund in later.after.items() if refund.status is RefundStatus.CANCELED]
    if not canceled:
        raise Blocked("no refund of the whole order is still canceled (REVIEW-02, REVIEW-31)")
    api.review_refund(whole.order, canceled[0], Action.APPROVE).exchange.role = "probe"
    now = verify.look_list(api, whole.order).get(canceled[0])
    verify.holds(now is None or now.status in CLOSED, "the refund still canceled", verify.shown(now))


@define
class Overdue:
    """The rejection of a refund of the series seconds after its approval, one unit more of its line, and what is then.

    What became of the other line is left out.
    """

    refund_id: RefundId
    rejection: Answer
    once_again: Answer
    after: Refunds

    def insist(self, series: Series) -> None:
        """The others of the series, which nobody rejected, are still as they were approved."""
        for refund_id, was in series.after.items():
            now = self.after.get(refund_id, was)
            if refund_id != self.refund_id and was.status is RefundStatus.COMPLETED is not now.status:
                raise Blocked("what was approved is already not approved any more (REVIEW-30)")


@pytest.fixture(scope="session")
def overdue(api: RefundApi, series: Series) -> Overdue:
    """The refund without a return, rejected too late; where there is none, nothing is judged."""
    order, told = series.order, series.without_return.refund
    refund_id = RefundId("0") if told is None else told.refund_id
    api.wire.clock.sleep(max(0.0, series.at + LONG - api.wire.clock.monotonic()))
    rejection = api.review_refund(order, refund_id, Action.REJECT)
    rejection.exchange.role = "open"
    once_again, after = api.create_refund(order), verify.look_list(api, order)
    if series.other_line.refund is not None:
        after.pop(series.other_line.refund.refund_id, None)
    return Overdue(refund_id, rejection, once_again, after)


@requirement("CREATE-41", late=True)
@pytest.mark.usefixtures("limited")
def test_a_rejection_that_comes_too_late_gives_nothing_back(session: Session, series: Series, overdue: Overdue) -> None:
    """Rejecting one of three approved refunds frees none of its units, unless it cancels it (reading A39)."""
    series.insist()
    overdue.insist(series)
    insist_on_a_decision(overdue.once_again)
    if series.after.keys() != series.before.keys():
        raise Blocked("one unit more already goes through (CREATE-21)")
    told = overdue.rejection.refund if overdue.rejection.accepted else None  # it may not show yet (reading A64)
    now = overdue.after.get(overdue.refund_id)
    if any(seen is not None and seen.status is RefundStatus.CANCELED for seen in (told, now)):
        session.observe("A39", "a refund can be rejected after its approval")
        return
    # all of them were approved, after which an update time may move once more; by a late rejection it is REVIEW-17's
    before = {refund_id: evolve(refund, update_time=None) for refund_id, refund in series.after.items()}
    stays_within(session, ordered(series.order), overdue.once_again, before, overdue.after)


@requirement("REVIEW-17", late=True)
def test_a_completed_refund_without_return_is_not_cancelled(api: RefundApi, series: Series, overdue: Overdue) -> None:
    """A rejection, seconds later, comes too late for it; what is in process is not judged (reading A39)."""
    series.insist()
    overdue.insist(series)
    api.wire.show(overdue.rejection.exchange)
    was, now = (refunds.get(overdue.refund_id) for refunds in (series.after, overdue.after))
    if was is None or now is None:
        raise Blocked("the refund without return is not in the list of its order (CREATE-20)")
    if was.status is RefundStatus.COMPLETED:
        verify.holds(now.status in {RefundStatus.COMPLETED, None}, "the refund still completed", verify.shown(now))


@requirement("CREATE-20", late=True)
def test_an_order_takes_many_refunds(grants: Grants, last_grant: Answer, new_order: NewOrder) -> None:
    """As long as there are units left, a plain create is accepted, however many refunds there are already."""
    if not last_grant.accepted:
        verify.control(grants.api.create_refund(new_order()))
    verify.accepted(last_grant)


@requirement("REVIEW-01", late=True)
def test_a_refund_that_was_open_for_seconds_is_approved(
    api: RefundApi, new_order: NewOrder, grants: Grants, late_approval: LateApproval | None
) -> None:
    """An approval that comes seconds after the create is carried out."""
    if late_approval is None:
        return  # all were approved to make room for others (reading A27)
    verify.accepted(late_approval.answer)
    before, now = late_approval.before, late_approval.now
    if now.status not in api.approved:
        insist_on_an_early_approval(api, new_order(), before)
        after = verify.look_list(api, grants.order)
        open_before = [key for key, was in grants.stored.items() if was.status in api.pending and key in after]
        if any(after[key].status in api.approved for key in open_before):
            raise Blocked("another refund of the order is approved in place of the named one (REVIEW-18)")
    verify.holds(now.status in api.approved, f"status {verify.shown(sorted(api.approved))}", now)


def insist_on_an_early_approval(api: RefundApi, order: Order, like: Refund) -> None:
    """A refund of the same type is approved at once.

    Raises:
        Blocked: it is not.
    """
    refund = arrange.given_refund(api, order, rights_type=like.rights_type or RightsType.RETURN_AND_REFUND)
    arrange.given_review(api, order, refund, Action.APPROVE)


@requirement("CREATE-21", late=True)
@pytest.mark.usefixtures("limited")
def test_units_of_many_refunds_are_used_up(
    session: Session, grants: Grants, last_grant: Answer, series: Series, whole: Whole, later: Later
) -> None:
    """However many refunds an order has, the units of all of them count: one more than are left is refused."""
    try:
        later.judge(session, whole)
        series.judge_last_unit(session)
    except Failed:
        raise Blocked("the units of few refunds are already not used up (CREATE-19, CREATE-21)") from None
    api, order = grants.api, grants.order
    stored = many_of(api, order, grants.stored, MANY)
    refunded = units(stored.values()).get(order.line.line_item_id, Decimal(0))
    refunded += last_grant.accepted and stored is grants.stored  # it came after they were looked at
    api.create_refund(order, Part(order.line, order.line.quantity - int(refunded) + 1)).exchange.role = "probe"
    sums = units(verify.look_list(api, order).values())
    over = {line: quantity for line, quantity in sums.items() if quantity > ordered(order).get(line, 0)}
    verify.same({}, over, "units refunded beyond what was ordered")


@requirement("RECORD-68", late=True)
def test_a_later_refund_of_an_order_was_created_later(grants: Grants, last_grant: Answer) -> None:
    """A refund that is created seconds after the first of its order has a createTime of its own."""
    if last_grant.exchange.second_hand:
        raise Blocked("the create is answered with an earlier refund (IDEM-20)")
    first, last = grants.plain.create_time, None if last_grant.refund is None else last_grant.refund.create_time
    if first is None or last is None:
        raise Blocked(f"no createTime of one of them can be read: {last_grant.described}")
    if all(time.second == time.microsecond == 0 for time in (first, last)):
        return  # times are given to the minute (reading A08)
    verify.holds(last > first, f"a createTime after {first.isoformat()}", last.isoformat())
