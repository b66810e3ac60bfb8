"""No more units are refunded than were ordered, neither at once nor bit by bit."""

from decimal import Decimal

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, LineItemId
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.creates import rows_of
from conformance.suite.given.grants import FEWER, Grants
from conformance.suite.given.histories import Series, Shipped, Stored, Whole, everything_is_left
from conformance.suite.given.units import (
    EXCESS,
    SECOND,
    TEN_OF_NINE,
    Excess,
    Refunds,
    insist_on_limit,
    judge_excess,
    ordered,
    stays_within,
    units,
)


@pytest.mark.parametrize("row", rows_of(EXCESS))
def test_more_units_than_ordered_are_refused(session: Session, excess: Excess, row: str) -> None:
    """A create of too many units is refused or cut down, however it gets there."""
    needs = EXCESS[row].needs
    if needs is not None:
        insist_on_limit(session, excess, needs)
    judge_excess(session, excess, row)


@define
class Claimed:
    """What more units than are left came to: of one line while the refund was pending, of another once approved.

    ``twice`` then names the line that was refunded twice, with one unit more than are left, and ``beyond`` asks for one
    more than were ordered of a line that has no refunds.
    """

    limits: dict[LineItemId, int]
    before: Refunds
    while_pending: Answer
    approved: Refunds
    once_approved: Answer
    after: Refunds
    twice: Answer
    beyond: Answer
    in_the_end: Refunds

    def but_for(self, other: Answer) -> Refunds:
        """Return what there is in the end without the refund that one of the last two creates made."""
        made = other.refund.refund_id if other.accepted and other.refund is not None else None
        return {refund_id: refund for refund_id, refund in self.in_the_end.items() if refund_id != made}

    def judge_beyond(self, session: Session) -> None:
        """Refunds of other lines made no room for more units of a line than were ordered."""
        stays_within(session, self.limits, self.beyond, self.after, self.but_for(self.twice))

    def judge_pending(self, session: Session) -> None:
        """The units of the pending refund were used up; what the approval that followed did to it is left out."""
        stays_within(session, self.limits, self.while_pending, self.before, self.approved | self.before)

    def judge_approved(self, session: Session) -> None:
        """The units of the approved refund were used up."""
        stays_within(session, self.limits, self.once_approved, self.approved, self.after)


@pytest.fixture(scope="module")
def claimed(api: RefundApi, stored: Stored) -> Claimed:
    """The refund of several lines pending and then approved, each time with a create of a unit too many."""
    order, refund = stored.order, stored.refund
    if verify.units_of(refund) != stored.asked:
        raise Blocked("the refund is already of other units than were asked for (CREATE-28, CREATE-29)")
    while_pending = api.create_refund(order, Part(order.line, 2))
    arrange.reviewed(api, order, refund, Action.APPROVE)
    approved = verify.look_list(api, order)
    left = order.lines[1].quantity - 12
    once_approved = api.create_refund(order, Part(order.lines[2]), Part(order.lines[1], left + 1))
    after = verify.look_list(api, order)
    twice = api.create_refund(order, Part(order.lines[1], left), Part(order.lines[1]))
    twice.exchange.role = "probe"
    untouched = order.lines[2]
    beyond = api.create_refund(order, Part(untouched, untouched.quantity + 1))
    beyond.exchange.role = "probe"
    return Claimed(
        ordered(order), stored.listed, while_pending, approved, once_approved, after, twice, beyond,
        in_the_end=verify.look_list(api, order),
    )  # fmt: skip


@requirement("CREATE-18")
@pytest.mark.usefixtures("limited")
def test_units_of_an_approved_refund_are_used_up(session: Session, excess: Excess, claimed: Claimed) -> None:
    """With 12 of 20 units refunded and approved, 9 more, asked for after those of another line, are refused or cut."""
    insist_on_limit(session, excess, SECOND)
    claimed.judge_approved(session)


@requirement("CREATE-22")
@pytest.mark.usefixtures("limited")
def test_a_line_named_twice_counts_beside_what_was_refunded(session: Session, claimed: Claimed) -> None:
    """With 12 of 20 units refunded, 8 and 1 of one line in a request are refused, or cut down to 8."""
    try:
        claimed.judge_approved(session)
    except Failed:
        raise Blocked("the units of an approved refund are already not used up (CREATE-18)") from None
    try:
        claimed.judge_beyond(session)
    except Failed:
        raise Blocked("too many units of a line are already not refused beside refunds of others (CREATE-14)") from None
    now = claimed.but_for(claimed.beyond)
    if any(quantity > claimed.limits.get(line, 0) for line, quantity in units(now.values()).items()):
        stays_within(session, claimed.limits, claimed.twice, claimed.after, now)  # what fits is judged by CREATE-23


@requirement("CREATE-19")
@pytest.mark.usefixtures("limited")
def test_units_of_a_pending_refund_are_used_up(session: Session, claimed: Claimed) -> None:
    """With 3 of 4 units in a pending refund, 2 more are refused or cut down to 1."""
    claimed.judge_pending(session)


@requirement("CREATE-42")
@pytest.mark.usefixtures("limited")
def test_units_refunded_before_shipment_are_used_up_after_it(
    session: Session, claimed: Claimed, series: Series, shipped: Shipped
) -> None:
    """With 1 of 5 units in a refund made before shipment, 5 more are refused after it, or cut down to 4."""
    try:
        claimed.judge_pending(session)
    except Failed:
        raise Blocked("the units of a pending refund are already not used up (CREATE-19)") from None
    try:
        series.judge_last_unit(session)
    except Failed:
        raise Blocked("the units of a refund without return are already not used up (CREATE-21)") from None
    known = {refund.refund_id for refund in (shipped.first, shipped.rest.refund) if refund is not None}
    single = {shipped.order.line.line_item_id: Decimal(1)}
    early = [key for key, refund in shipped.after.items() if key not in known and refund.quantities == single]
    if early or not shipped.early.refused:
        raise Blocked("a plain return of an unshipped order is already not refused (SHIP-01)")
    if shipped.too_many.refused and shipped.rest.refused:
        raise Blocked("even the units that are left are refused (SHIP-10)")
    before = {refund_id: refund for refund_id, refund in shipped.after.items() if refund_id in known}
    stays_within(session, ordered(shipped.order), shipped.too_many, before, shipped.after)


@requirement("CREATE-38")
@pytest.mark.usefixtures("limited")
def test_a_rejection_gives_units_back_once_at_most(session: Session, whole: Whole, claimed: Claimed) -> None:
    """After a rejection all units are free again, or none (reading A33); one more than ordered is refused."""
    if not whole.listed:
        raise Blocked("all units at once are already refused (CREATE-24)")
    try:
        claimed.judge_pending(session)
    except Failed:
        raise Blocked("the units of a pending refund are already not used up (CREATE-19)") from None
    if whole.rest is not None:
        verify.accepted(whole.rest, "all units free again, as some are")
    again = "free again" if whole.second.accepted or whole.rest is not None else "still used up"
    session.observe("A33", f"the units of a rejected refund are {again}")
    if whole.second.accepted:
        second = whole.second.refund
        reused = second is not None and second.refund_id in whole.listed
        verify.holds(not reused, "a new refund after the rejection", verify.shown(second))
        if not whole.before.keys() - whole.listed.keys():
            raise Blocked("a second refund of the order is already not there (CREATE-20)")
        stays_within(session, ordered(whole.order), whole.one_more, whole.before, whole.after)


@requirement("CREATE-21")
@pytest.mark.usefixtures("limited")
def test_nothing_is_left_after_the_last_unit(session: Session, series: Series, claimed: Claimed) -> None:
    """After three refunds to the last unit, two of them without a return, one unit more is refused."""
    series.insist()
    try:
        claimed.judge_approved(session)
    except Failed:
        raise Blocked("the units of one approved refund are already not used up (CREATE-18)") from None
    series.judge_last_unit(session)


@requirement("CREATE-14")
@pytest.mark.usefixtures("limited")
def test_one_unit_too_many_of_a_line_is_refused_beside_refunds_of_others(session: Session, claimed: Claimed) -> None:
    """Where other lines were refunded, one unit more than ordered of a line is refused, or cut down to those."""
    try:
        claimed.judge_approved(session)
    except Failed:
        raise Blocked("the units of one approved refund are already not used up (CREATE-18)") from None
    claimed.judge_beyond(session)


@requirement("CREATE-17")
@pytest.mark.parametrize("bits", [31, 63])
@pytest.mark.usefixtures("limited")
def test_units_that_are_used_up_do_not_overflow(
    api: RefundApi, session: Session, stored: Stored, claimed: Claimed, excess: Excess, bits: int
) -> None:
    """Where units were refunded, as many more as a machine word can hold are refused, or cut down to what is left."""
    try:
        claimed.judge_approved(session)
    except Failed:
        raise Blocked("the units of one approved refund are already not used up (CREATE-18)") from None
    answer = api.create_refund(stored.order, Part(stored.order.lines[1], 2**bits - 1))
    if answer.accepted:
        if TEN_OF_NINE in excess.sent:
            insist_on_limit(session, excess, TEN_OF_NINE)
        after = verify.look_list(api, stored.order)
        told = None if answer.refund is None else answer.refund.refund_id
        stays_within(session, claimed.limits, answer, {key: after[key] for key in after if key != told}, after)
    else:
        verify.refused(answer)


@pytest.mark.parametrize("row", rows_of(FEWER))
@pytest.mark.usefixtures("limited")
def test_fewer_units_than_ordered_are_accepted(grants: Grants, series: Series, row: str) -> None:
    """A number with fewer digits is the smaller one, whatever its first digit."""
    if series.other_line.refused:
        raise Blocked("the units of other lines are already counted, too (CREATE-39)")
    grants.made(row)


@requirement("CREATE-32")
def test_refused_creates_of_too_many_units_use_up_nothing(session: Session, excess: Excess, whole: Whole) -> None:
    """After all creates of too many units on an order, all its units can be refunded at once."""
    insist_on_limit(session, excess)
    if not excess.effects:  # where they are cut down (reading A26) they use up units, as they should
        everything_is_left(excess.bench, whole)
