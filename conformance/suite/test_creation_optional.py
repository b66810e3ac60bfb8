"""What the page leaves optional is accepted, and what it leaves open is taken in a legal way."""

from decimal import Decimal

import pytest

from conformance.http.client import RefundApi
from conformance.judging import verify
from conformance.model import Order, Refund, RefundStatus
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.creates import REFUND, RETURN, rows_of
from conformance.suite.given.grants import ELSEWHERE, GRANTED, OPEN, RECORD, TRACKING, Grants
from conformance.suite.given.histories import Series
from conformance.suite.given.specimens import control
from conformance.suite.given.units import units


def rows_for(identifier: str) -> pytest.MarkDecorator:
    """Return the open rows of a requirement as parameters of its check."""
    rows = {name: row for name, row in OPEN.items() if row.requirement == identifier}
    return pytest.mark.parametrize("row", rows_of(rows))


@pytest.mark.parametrize("row", rows_of(GRANTED))
def test_what_the_page_leaves_optional_is_optional(grants: Grants, row: str) -> None:
    """A create without optional fields, or with the sample's empty ones, is accepted, and the refund is there."""
    grants.made(row)


@rows_for("CREATE-34")
def test_an_empty_type_is_the_default_or_refused(session: Session, grants: Grants, row: str) -> None:
    """Null and empty text are no third type: they are taken for type 1, or refused (reading A34)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.same(RETURN, refund.rights_type, "the type of the refund")
    else:
        session.observe("A34", f"{row} is refused")


@rows_for("CREATE-37")
def test_numbers_in_the_other_form_mean_the_same(grants: Grants, series: Series, row: str) -> None:
    """Numbers in the form that is not the usual one are refused, or refund the same (reading A01)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.same({grants.order.line.line_item_id: Decimal(2)}, verify.units_of(refund), "the units of each line")
        asked = REFUND if "without" in row else RETURN
        if asked is REFUND and series.type_without_return not in {REFUND, None}:
            raise Blocked("a plain refund without return is already shown as one with it (SHIP-11)")
        verify.same(asked, refund.rights_type, "the type of the refund")


@rows_for("SHIP-11")
def test_logistics_information_makes_no_return_of_a_refund(grants: Grants, series: Series, row: str) -> None:
    """A refund without return that brings logistics information is refused, or is none with a return (reading A14)."""
    answer, _ = grants.of(row)
    if answer.accepted:
        verify.created(answer)
    refund = grants.made_or_refused(row)
    if refund is not None:
        if series.type_without_return not in {REFUND, None}:
            raise Blocked("a plain refund without return is already shown as one with it (SHIP-11)")
        verify.holds(refund.rights_type in {REFUND, None}, "type 2", verify.shown(refund.rights_type))


NOTHINGS = {"undefined", "null", "None", "nil", "NaN", "[object Object]"}
"""What careless code writes for a value that is not there."""


@rows_for("RECORD-65")
def test_part_of_the_logistics_information_shows_up(grants: Grants, row: str) -> None:
    """A tracking number without a carrier is refused, or shows up in an answer of create, list or get (reading A13)."""
    answer, _ = grants.of(row)
    told = verify.created(answer) if answer.accepted else None
    refund = grants.made_or_refused(row)
    if told is not None and refund is not None:
        shown = [told.shipping, refund.shipping]
        if not any(TRACKING in parcel.values() for parcel in shown):
            shown.append(verify.look_get(grants.api, grants.order, refund).shipping)
            shown.append(verify.look_list(grants.api, grants.order).get(refund.refund_id, refund).shipping)
        verify.holds(any(TRACKING in parcel.values() for parcel in shown), f"tracking number {TRACKING}", shown)
        made_up = {name: text for parcel in shown for name, text in parcel.items() if text in NOTHINGS}
        verify.holds(not made_up, "nothing, or a default, in the fields that were not sent", made_up)


@rows_for("CREATE-23")
def test_a_line_named_twice_is_added_up_or_refused(session: Session, grants: Grants, row: str) -> None:
    """Two units and two more of one line are refused, or four units and their price (reading A28)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.same({grants.order.line.line_item_id: Decimal(4)}, verify.units_of(refund), "the units of each line")
        if grants.plain.amount == grants.order.line.unit_price and refund.amount is not None:
            verify.same(4 * grants.plain.amount, refund.amount, "the amount of four units")
    else:
        session.observe("A28", "a line that is named twice is refused")


@rows_for("CREATE-26")
def test_nobody_sets_status_id_or_times(grants: Grants, row: str) -> None:
    """A create with fields of the record in it is refused, or makes a refund without them (reading A30)."""
    if grants.plain.status is RefundStatus.COMPLETED:
        raise Blocked("a new refund is already not initiated (CREATE-30)")
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.holds(refund.status is not RefundStatus.COMPLETED, "a new refund", verify.shown(refund))
        named = {RECORD["refundId"], grants.plain.refund_id}
        verify.holds(refund.refund_id not in named, "an id that the target chose", refund.refund_id)
        years = [time.year for time in (refund.create_time, refund.update_time) if time is not None]
        verify.holds(2001 not in years, "times that the target chose", years)


@rows_for("CREATE-27")
def test_nobody_sets_an_amount_beyond_what_was_paid(session: Session, grants: Grants, row: str) -> None:
    """An amount in the request is refused, ignored, or believed within what can be refunded (reading A25)."""
    refund = grants.made_or_refused(row)
    if refund is None:
        return session.observe("A25", f"a create with an {row} is refused")
    if refund.amount is None:
        raise Blocked("the amount of the refund cannot be read")
    total = grants.order.total
    return verify.holds(0 <= refund.amount <= total, f"an amount from 0 to {total}", refund.amount)


@rows_for("CREATE-13")
def test_a_create_without_a_quantity_refunds_what_can_be(session: Session, grants: Grants, row: str) -> None:
    """Without a quantity a create is refused, or refunds one unit or more, up to all (reading A10)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        counts = list(verify.units_of(refund).values())
        most = grants.order.lines[1].quantity
        legal = len(counts) == 1 and 1 <= counts[0] <= most and counts[0] == int(counts[0])
        verify.holds(legal, f"one line with 1 to {most} units", counts)
    session.observe("A10", f"a create with {row} is {'refused' if refund is None else 'accepted'}")


@rows_for("CREATE-05")
def test_an_empty_list_refunds_nothing(session: Session, grants: Grants, row: str) -> None:
    """A create of no lines is refused, or makes a refund of nothing (reading A29)."""
    answer, refund = grants.of(row)
    if refund is not None:
        nothing = not units([refund]) and not refund.amount
        verify.holds(nothing, "a refund of no units and no money", f"{refund.quantities}, amount {refund.amount}")
    verify.decided(answer)
    if answer.refused:
        session.observe("A29", "a create without lines is refused")


@requirement("CREATE-05")
def test_an_empty_list_on_a_fresh_order_does_not_mean_all_of_it(
    api: RefundApi, shipped_order: Order, accepted_create: Refund
) -> None:
    """Where everything could still be refunded, a create of no lines refunds none of it."""
    body = api.create_body(shipped_order)
    body["refund"]["lineItems"] = []
    answer = api.create(body)
    answer.exchange.role = "open"

    there = verify.look_list(api, shipped_order, role="open")
    taken = [(refund.quantities, refund.amount) for refund in there.values() if units([refund]) or refund.amount]
    verify.same([], taken, "units and money refunded")


@rows_for("CREATE-40")
def test_what_is_open_is_observed(session: Session, grants: Grants, row: str) -> None:
    """Whether another customer's id, or a line without a reason, is accepted is open (readings A12 and A15)."""
    answer, _ = grants.of(row)
    verify.decided(answer)
    reading = "A15" if row == "another customer's id" else "A12"
    session.observe(reading, f"{row} is {'accepted' if answer.accepted else 'refused'}")


@requirement("RECORD-54")
@pytest.mark.parametrize("row", ["a line without a reason"])
def test_a_line_without_a_reason_shows_none_of_another_refund(grants: Grants, row: str) -> None:
    """What is shown of it, if it was taken, is not what the refund before was made for (reading A12)."""
    with control("a create without a reason is already not answered as it may be (CREATE-40)"):
        refund = grants.made_or_refused(row)
    if refund is not None:
        verify.holds(ELSEWHERE not in [line.reason for line in refund.lines], "no reason of another refund", ELSEWHERE)
