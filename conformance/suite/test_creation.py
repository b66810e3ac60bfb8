"""A create in the page's own shape makes a refund, which is stored as it was asked for."""

import pytest

from conformance.http.client import Part, RefundApi
from conformance.judging import verify
from conformance.model import Order, Refund
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.shop import Shop
from conformance.suite.given.benches import NewOrder, OpenRefunds, Placed
from conformance.suite.given.histories import Series, Stored, Whole


@requirement("CREATE-01", profile="quick")
def test_a_create_in_the_page_s_shape_makes_a_refund(shop: Shop, shipped_order: Order) -> None:
    """The page's own body, in one of the wire forms of numbers, is accepted, and makes one refund."""
    api = shop.api
    verify.accepted(api.create_refund(shipped_order), "an acceptance (2xx) in any of the wire forms of numbers")

    there = verify.settles(api, lambda: verify.look_list(api, shipped_order), bool, "a refund on the order")
    verify.same(1, len(there), "the number of refunds")


@requirement("CREATE-28")
def test_a_create_of_several_lines_refunds_them_and_no_others(stored: Stored) -> None:
    """The lines of the stored refund are those that the request named."""
    verify.accepted(stored.answer)
    verify.holds(bool(stored.listed), "a refund on the order", "none")
    verify.same(sorted(stored.asked), sorted(verify.units_of(stored.refund)), "the lines of the refund")


@requirement("CREATE-29")
def test_the_units_of_each_line_are_stored_as_asked_for(stored: Stored) -> None:
    """3, 12, 321 and 1321 units are stored as 3, 12, 321 and 1321."""
    if sorted(stored.asked) != sorted(stored.refund.quantities):
        raise Blocked("the refund has other lines than it should (CREATE-28)")
    verify.same(stored.asked, stored.refund.quantities, "the units of each line")


@requirement("CREATE-30")
def test_a_new_refund_is_initiated(stored: Stored) -> None:
    """The status of a new refund is 1; 2 is observed (reading A35)."""
    status = stored.refund.status
    if status is None:
        raise Blocked("the status of the refund cannot be read")
    verify.holds(status in {1, 2}, "status 1 (initiated)", verify.shown(status))


def insist_on_a_plain_beginning(stored: Stored) -> None:
    """A plain refund is initiated, as far as can be read."""
    if stored.refund.status is None:
        raise Blocked("the status of a plain new refund cannot be read")
    if stored.refund.status not in {1, 2}:
        raise Blocked("a plain new refund is already not initiated")


EXTREMES = ("0.01", "9999.00")


@pytest.fixture(scope="module")
def extremes(api: RefundApi, new_order: NewOrder) -> dict[str, Refund]:
    """A refund of a cent and one of thousands, by their prices, as list shows them."""
    opened = OpenRefunds(api, lambda: new_order(*((1, price) for price in EXTREMES)))

    def alone(index: int) -> Placed:
        return opened.put(lambda order: api.create_body(order, Part(order.lines[index])))

    made = {price: alone(index).refund.refund_id for index, price in enumerate(EXTREMES)}
    listed = opened.look()
    return {price: listed[refund_id] for price, refund_id in made.items() if refund_id in listed}


@requirement("CREATE-30")
@pytest.mark.parametrize("price", EXTREMES)
def test_a_new_refund_is_initiated_whatever_its_amount(
    api: RefundApi, stored: Stored, extremes: dict[str, Refund], price: str
) -> None:
    """Neither a refund of a cent nor one of thousands is decided without a review."""
    insist_on_a_plain_beginning(stored)
    if price not in extremes:
        raise Blocked("the refund is not in the list of its order")
    status = extremes[price].status
    verify.holds(status in {1, 2, None}, "status 1 (initiated)", verify.shown(status))


@requirement("CREATE-31")
def test_the_answer_names_the_refund_that_was_made(stored: Stored) -> None:
    """The id in the answer is the one that list shows, and get finds the refund by it."""
    if stored.answer.refused:
        raise Blocked("a create of several lines is already refused (CREATE-28)")
    told = verify.created(stored.answer).refund_id
    verify.same(stored.refund.refund_id, told, "the id in the answer")
    got = None if stored.got is None or stored.got.refund is None else stored.got.refund.refund_id
    verify.same(told, got, "the id that get shows")


@requirement("CREATE-30")
def test_a_refund_of_a_whole_order_is_initiated(stored: Stored, whole: Whole) -> None:
    """A refund of all units is no more decided without a review than one of a single unit."""
    insist_on_a_plain_beginning(stored)
    statuses = {refund.status for refund in whole.listed.values()}
    verify.holds(statuses <= {1, 2, None}, "status 1 (initiated)", verify.shown(statuses))


@requirement("CREATE-30")
def test_a_new_refund_without_return_is_initiated(stored: Stored, series: Series) -> None:
    """The type makes no difference."""
    plain = {stored.refund.status, None if stored.answer.refund is None else stored.answer.refund.status}
    if not plain <= {1, 2}:
        raise Blocked("a plain new refund is already not initiated, or not said to be (RECORD-76)")
    told = series.without_return.refund
    if told is None:
        raise Blocked("a refund without return is already not accepted (CREATE-20)")
    verify.holds(told.status in {1, 2, None}, "status 1 (initiated)", verify.shown(told))
