"""The shipped-order precondition: a return needs an order that was shipped; a refund without return does not."""

from typing import Any

import pytest

from conformance import verify
from conformance.client import ABSENT, Part, RefundApi
from conformance.model import Order, Refund, RightsType
from conformance.plugin import requirement
from conformance.results import Blocked
from conformance.session import Shop
from conformance.suite.conftest import Bench, NewOrder

RETURN, REFUND = RightsType.RETURN_AND_REFUND, RightsType.REFUND


class UnshippedBench(Bench):
    """An unshipped order on which only returns are tried; the same on a shipped twin were accepted."""

    def body(self, rights_type: object = ABSENT, **fields: Any) -> dict[str, Any]:
        """Return a valid body but for what is put in as its type."""
        body = self.api.create_body(self.order, rights_type=ABSENT, **fields)
        if rights_type is not ABSENT:
            body["refund"]["rightsType"] = rights_type
        return body


@pytest.fixture(scope="module")
def shipped_control(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> None:
    """The control of every refused return: the same on a shipped order is accepted, with a type and without."""
    order = new_order()
    verify.given_refund(api, order)
    verify.given_refund(api, order, rights_type=ABSENT)


@pytest.fixture(scope="module")
def unshipped(api: RefundApi, new_order: NewOrder, shipped_control: None) -> UnshippedBench:
    """A shared unshipped order with two lines for returns that must be refused."""
    return UnshippedBench(api, new_order((20, "10.00"), (20, "10.00"), shipped=False))


@pytest.fixture
def plainly_refused(unshipped: UnshippedBench) -> None:
    """The control of the ways around the rule: without them it holds."""
    probe = unshipped.api.create(unshipped.body(unshipped.api.create_dialect.count(RETURN)))
    probe.exchange.role = "control"
    unshipped.before = verify.look_again(unshipped.api, unshipped.order)
    if not probe.refused:
        raise Blocked("a plain return of an unshipped order is already not refused (SHIP-01)")


@requirement("SHIP-01", profile="quick")
def test_a_return_of_an_unshipped_order_is_refused(unshipped: UnshippedBench) -> None:
    """Type 1 on an order that was not shipped is refused, and leaves no refund behind."""
    unshipped.judge(unshipped.api.create(unshipped.body(unshipped.api.create_dialect.count(RETURN))))


@requirement("SHIP-02", profile="quick")
@pytest.mark.usefixtures("plainly_refused")
def test_a_return_in_the_other_wire_form_is_refused(unshipped: UnshippedBench) -> None:
    """Type 1 in the form that the target was not first found to take is no way around the rule."""
    other = 1 if unshipped.api.create_dialect.counts_as_text else "1"
    unshipped.judge(unshipped.api.create(unshipped.body(other)))


@requirement("SHIP-03", profile="quick")
@pytest.mark.usefixtures("plainly_refused")
def test_a_create_without_a_type_is_a_return(unshipped: UnshippedBench) -> None:
    """No type on an unshipped order is refused, and leaves no refund behind."""
    unshipped.judge(unshipped.api.create(unshipped.body()))


@requirement("SHIP-04")
@pytest.mark.parametrize("nothing", [None, ""], ids=["null", "empty"])
@pytest.mark.usefixtures("plainly_refused")
def test_a_create_with_an_empty_type_is_no_way_around(unshipped: UnshippedBench, nothing: object) -> None:
    """Null and empty mean the default or nothing legal; on an unshipped order both are refused."""
    unshipped.judge(unshipped.api.create(unshipped.body(nothing)))


@requirement("SHIP-08", profile="quick")
@pytest.mark.usefixtures("plainly_refused")
@pytest.mark.parametrize("rights_type", [RETURN, ABSENT], ids=["type 1", "no type"])
def test_a_tracking_number_in_the_request_is_no_shipment(unshipped: UnshippedBench, rights_type: object) -> None:
    """The client's own logistics information does not make the order shipped."""
    named = unshipped.api.create_dialect.count(RETURN) if rights_type is RETURN else rights_type
    shipping = {"shippingCarrierCode": "191034", "shippingCarrier": "Carrier", "trackingNumber": "TRACK123456"}
    unshipped.judge(unshipped.api.create(unshipped.body(named, shipping=shipping)))


@requirement("SHIP-13")
@pytest.mark.usefixtures("plainly_refused")
@pytest.mark.parametrize("lines", [[1], [0, 1]], ids=["the second line", "both lines"])
def test_the_rule_holds_for_every_line(unshipped: UnshippedBench, lines: list[int]) -> None:
    """A return of the second line, or of two lines, of an unshipped order is refused."""
    api, order = unshipped.api, unshipped.order
    parts = [Part(order.lines[index]) for index in lines]
    unshipped.judge(api.create(api.create_body(order, *parts, rights_type=RETURN)))


@requirement("SHIP-09")
@pytest.mark.usefixtures("plainly_refused")
def test_another_shipped_order_of_the_customer_is_no_shipment(api: RefundApi, new_order: NewOrder) -> None:
    """An unshipped order stays unshipped when its customer has a shipped one, with a refund on it."""
    shipped = new_order()
    verify.given_refund(api, shipped)
    unshipped_one = new_order(shipped=False, customer_id=shipped.customer_id)

    probe = api.create_refund(unshipped_one, rights_type=RETURN)

    verify.no_effect(probe, {}, verify.look_again(api, unshipped_one))


@requirement("SHIP-12")
@pytest.mark.usefixtures("plainly_refused")
def test_an_earlier_refund_does_not_open_the_way_for_a_return(api: RefundApi, unshipped_order: Order) -> None:
    """After a refund of type 2, approved so that it is not in the way, type 1 is still refused."""
    verify.given_refund(api, unshipped_order, rights_type=REFUND)
    before = verify.look_again(api, unshipped_order)

    probe = api.create_refund(unshipped_order, rights_type=RETURN)

    verify.no_effect(probe, before, verify.look_again(api, unshipped_order))


@requirement("SHIP-05", profile="quick")
def test_a_refund_without_return_of_an_unshipped_order_is_accepted(api: RefundApi, unshipped_order: Order) -> None:
    """Type 2 needs no shipment, and the refund is there."""
    refund = verify.created(api.create_refund(unshipped_order, rights_type=REFUND))

    verify.appears(api, unshipped_order, refund)


@pytest.mark.parametrize(
    "rights_type",
    [pytest.param(RETURN, marks=requirement("SHIP-06")), pytest.param(REFUND, marks=requirement("SHIP-07"))],
)
def test_both_types_are_accepted_on_a_shipped_order(
    api: RefundApi, shipped_order: Order, rights_type: RightsType
) -> None:
    """A shipped order takes a return and a refund without one, and the refund is there."""
    refund = verify.created(api.create_refund(shipped_order, rights_type=rights_type))

    verify.appears(api, shipped_order, refund)


@requirement("SHIP-10")
def test_a_return_is_accepted_once_the_order_is_shipped(api: RefundApi, shop: Shop, unshipped_order: Order) -> None:
    """What was refused before shipment is accepted after it, under a new key."""
    before = api.create_refund(unshipped_order, rights_type=RETURN)
    before.exchange.role = "control"
    if not before.refused:
        raise Blocked("a plain return of an unshipped order is already not refused (SHIP-01)")
    shipped = shop.provider.ship_order(unshipped_order)

    verify.appears(api, shipped, verify.created(api.create_refund(shipped, rights_type=RETURN)))


@requirement("SHIP-11")
@pytest.mark.parametrize(
    ("rights_type", "stored"), [(RETURN, RETURN), (REFUND, REFUND), (ABSENT, RETURN)], ids=["1", "2", "default"]
)
def test_the_stored_type_is_the_one_asked_for(
    api: RefundApi, shipped_order: Order, rights_type: Any, stored: RightsType
) -> None:
    """Get shows the type that create was asked for, and type 1 when it was asked for none."""
    refund = verify.given_refund(api, shipped_order, rights_type=rights_type)

    verify.same(stored, verify.look_get(api, shipped_order, refund).rights_type, "the type of the stored refund")
