"""As long as there are units left, creates are accepted, one after another."""

import pytest

from conformance.http.answer import Answer
from conformance.judging import arrange, verify
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.shop import Shop
from conformance.suite.given.creates import REFUND, RETURN
from conformance.suite.given.histories import Series, Shipped, Whole
from conformance.suite.given.units import units


@requirement("CREATE-24")
def test_all_units_can_be_refunded_at_once(whole: Whole) -> None:
    """All that was ordered is accepted in one refund."""
    verify.accepted(whole.answer)
    verify.holds(bool(whole.listed), "a refund on the order", "none")


@requirement("CREATE-20")
def test_partial_refunds_one_after_another_reach_the_last_unit(series: Series, whole: Whole) -> None:
    """Three partial refunds, each approved before the next, are accepted up to the last unit."""
    if not whole.answer.accepted:
        raise Blocked("all units at once are already refused (CREATE-24)")
    for answer in series.answers:
        verify.accepted(answer)
    if series.taken_for_replay:
        raise Blocked("an equal body under another key is already no refund of its own (IDEM-20)")
    verify.holds(not series.lost, "three refunds on the order", f"without {', '.join(series.lost)}")
    for refund in series.before.values():
        verify.units_of(refund)
    line = series.order.line
    refunded = units(series.before.values()).get(line.line_item_id, 0)
    verify.holds(refunded >= line.quantity, f"all {line.quantity} units of the line refunded", refunded)


@requirement("CREATE-39")
@pytest.mark.usefixtures("limited")
def test_lines_do_not_share_their_units(series: Series) -> None:
    """With every unit of the first line refunded, all of the second are accepted."""
    series.insist()
    verify.accepted(series.other_line)


@requirement("SHIP-10")
def test_a_return_is_accepted_once_the_order_is_shipped(shop: Shop, shipped: Shipped) -> None:
    """What was refused before shipment is accepted after it, under a new key, beside a refund that came before it."""
    if not shipped.early.refused:
        raise Blocked("a plain return of an unshipped order is already not refused (SHIP-01)")
    first = shipped.too_many if shipped.too_many.accepted else shipped.rest  # it may be cut down (reading A26)
    if first.refused and single_return_beside_another(shop).accepted:
        raise Blocked("only units that refused creates asked for are not accepted (CREATE-32)")
    refund = verify.created(first)
    verify.holds(refund.refund_id in shipped.after, f"refund {refund.refund_id} in the list", sorted(shipped.after))


@requirement("SHIP-11")
def test_a_create_of_no_type_is_a_return_once_the_order_is_shipped(shipped: Shipped) -> None:
    """That an order has a refund without return, and was shipped later, does not change the default."""
    if shipped.rest.refused and shipped.too_many.accepted:
        return  # what was asked for before was cut down to what there is (reading A26)
    told = shipped.rest.refund
    refund = None if told is None else shipped.after.get(told.refund_id)
    if refund is None:
        raise Blocked("a return is already not accepted, or not there, once the order is shipped (SHIP-10)")
    verify.holds(refund.rights_type in {RETURN, None}, "type 1", f"type {refund.rights_type}")


def single_return_beside_another(shop: Shop) -> Answer:
    """Return the answer to a return of one unit after others of one unit each, so that some are left in any case."""
    order = shop.order(shipped=False)
    shop.api.create_refund(order, rights_type=RETURN).exchange.role = "probe"
    arrange.given_refund(shop.api, order, rights_type=REFUND)
    arrange.approve_open(shop.api, order)  # it may be in the way (reading A27)
    answer = shop.api.create_refund(shop.ship(order), rights_type=RETURN)
    answer.exchange.role = "control"
    return answer
