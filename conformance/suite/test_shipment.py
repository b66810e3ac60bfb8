"""The shipped-order precondition: a return needs an order that was shipped; a refund without return does not."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import define, field

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import CARRIER_CODE, Action, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.shop import Shop
from conformance.suite.given.benches import Bench, NewOrder, Probes, selected_rows
from conformance.suite.given.grants import EMPTY_SHIPPING
from conformance.suite.given.histories import Shipped

RETURN, REFUND = RightsType.RETURN_AND_REFUND, RightsType.REFUND


@define
class Types:
    """Creates of each type on one shipped order, and what list then shows of it."""

    order: Order
    answers: dict[object, Answer]
    listed: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def types(shop: Shop) -> Types:
    """A shipped order with a return, a refund without one, and a refund that names no type."""
    api, order = shop.api, shop.order()
    answers: dict[object, Answer] = {}
    for rights_type in (RETURN, REFUND, ABSENT):
        answer = api.create_refund(order, rights_type=rights_type)
        if answer.refused and arrange.approve_open(api, order):  # one open refund at a time is legal (reading A27)
            answer = api.create_refund(order, rights_type=rights_type)
        answer.exchange.role = "probe"
        answers[rights_type] = answer
    told = {answer.refund.refund_id for answer in answers.values() if answer.refund is not None}
    listed = verify.patiently(api, lambda: verify.look_list(api, order), lambda seen: told <= seen.keys())
    return Types(order, answers, listed)


@requirement("SHIP-06")
def test_a_return_is_accepted_on_a_shipped_order(types: Types) -> None:
    """A shipped order takes a return, and the refund is there."""
    is_there(types, RETURN)


@requirement("SHIP-07")
@pytest.mark.usefixtures("accepted_create")
def test_a_refund_without_return_is_accepted_on_a_shipped_order(types: Types) -> None:
    """A shipped order takes a refund without return too, and the refund is there."""
    is_there(types, REFUND)


def is_there(types: Types, rights_type: RightsType) -> None:
    """The create of that type was accepted, and its refund is listed."""
    refund = verify.created(types.answers[rights_type])
    verify.holds(refund.refund_id in types.listed, f"refund {refund.refund_id} in the list of its order", "it is not")


@requirement("SHIP-11")
@pytest.mark.parametrize(
    ("rights_type", "stored"), [(RETURN, RETURN), (REFUND, REFUND), (ABSENT, RETURN)], ids=["1", "2", "default"]
)
def test_the_stored_type_is_the_one_asked_for(types: Types, rights_type: Any, stored: RightsType) -> None:
    """List shows the type that create was asked for, and type 1 when it was asked for none."""
    refund = arrange.made(types.answers[rights_type])
    if refund.refund_id not in types.listed:
        raise Blocked(f"refund {refund.refund_id} is not in the list of its order")

    verify.same(stored, types.listed[refund.refund_id].rights_type, "the type of the stored refund")


# Returns of an order that was not shipped.


@define
class UnshippedBench(Bench):
    """An unshipped order on which only returns are tried; the same on a shipped order were accepted."""

    new_order: NewOrder = field(kw_only=True)

    def renew(self) -> None:
        """Take another order: a refund that got through may be in the way of the next."""
        self.order = self.new_order((20, "10.00"), (20, "10.00"), shipped=False)
        self.before = {}


@pytest.fixture(scope="module")
def unshipped(api: RefundApi, new_order: NewOrder, types: Types) -> UnshippedBench:
    """A shared unshipped order with two lines for returns that must be refused."""
    for named in (RETURN, ABSENT):
        verify.control(types.answers[named])
    return UnshippedBench(api, new_order((20, "10.00"), (20, "10.00"), shipped=False), new_order=new_order)


Return = Callable[[RefundApi, Order], Answer]


def of_type(rights_type: object, *lines: int, units: int = 1, **fields: Any) -> Return:
    """Return a create of some units of some lines, of one of the first by default, with anything for its type."""

    def send(api: RefundApi, order: Order) -> Answer:
        parts = [Part(order.lines[line], units) for line in lines or (0,)]
        body = api.create_body(order, *parts, rights_type=ABSENT, **fields)
        if rights_type is RETURN:
            body["refund"]["rightsType"] = api.create_dialect.wire("rightsType", RETURN)
        elif rights_type is not ABSENT:
            body["refund"]["rightsType"] = rights_type
        return api.create(body)

    return send


def in_another_form(api: RefundApi, order: Order) -> Answer:
    """Create a return whose type has the form that the target was not first found to take."""
    return of_type(1 if "rightsType" in api.create_dialect.text else "1")(api, order)


def sent_again(api: RefundApi, order: Order) -> Answer:
    """Send a return a second time, with the request number that it had when it was refused."""
    body = api.create_body(order, rights_type=RETURN)
    api.create(body).exchange.role = "open"
    return api.create(body)


PARCEL = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": "TRACK123456"}
CARRIER = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier"}
RETURNS: dict[str, tuple[str, Return]] = {
    "type 1": ("SHIP-01", of_type(RETURN)),
    "type 1 in another form": ("SHIP-02", in_another_form),
    "type 1.0": ("SHIP-02", of_type(1.0)),
    "no type": ("SHIP-03", of_type(ABSENT)),
    "type null": ("SHIP-04", of_type(None)),
    "type empty": ("SHIP-04", of_type("")),
    "type 1 with a parcel": ("SHIP-08", of_type(RETURN, shipping=PARCEL)),
    "no type with a carrier": ("SHIP-08", of_type(ABSENT, shipping=CARRIER)),
    "type 1 with empty shipping": ("SHIP-08", of_type(RETURN, shipping=EMPTY_SHIPPING)),
    "the second line": ("SHIP-13", of_type(RETURN, 1)),
    "the whole order": ("SHIP-13", of_type(RETURN, 0, 1, units=20)),
    "type 1 sent again": ("SHIP-01", sent_again),
}
PLAIN = "type 1"
PARTNERS = {"no type with a carrier": "no type"}


@pytest.fixture(scope="module")
def refused_returns(request: pytest.FixtureRequest, unshipped: UnshippedBench) -> Probes:
    """Returns of an unshipped order, each another way around the rule; those without one are among them."""
    rows = {name: partial(send, unshipped.api) for name, (_, send) in RETURNS.items()}
    names = set(selected_rows(request, rows))
    names |= {PARTNERS[name] for name in names & PARTNERS.keys()} | {PLAIN}
    probes = Probes(unshipped)
    probes.send({name: send for name, send in rows.items() if name in names})
    return probes


@pytest.mark.parametrize(
    "row",
    [pytest.param(name, marks=requirement(identifier)) for name, (identifier, _) in RETURNS.items()],
)
def test_a_return_of_an_unshipped_order_is_refused(refused_returns: Probes, row: str) -> None:
    """A return of an order that was not shipped is refused, and leaves no refund behind."""
    for plain in {PLAIN, PARTNERS.get(row, PLAIN)} - {row}:
        plainly_refused(refused_returns, plain)
    refused_returns.judge(row)


def plainly_refused(probes: Probes, row: str = PLAIN) -> None:
    """The control of the ways around the rule: without them it holds."""
    try:
        probes.judge(row)
    except Failed:
        raise Blocked(f"a plain return ({row}) of an unshipped order is already not refused (SHIP-01)") from None


@requirement("SHIP-09")
def test_another_shipped_order_of_the_customer_is_no_shipment(
    api: RefundApi, new_order: NewOrder, types: Types, refused_returns: Probes
) -> None:
    """An unshipped order stays unshipped when its customer has a shipped one, with refunds on it."""
    plainly_refused(refused_returns)
    unshipped_one = new_order(shipped=False, customer_id=types.order.customer_id)

    probe = api.create_refund(unshipped_one, rights_type=RETURN)

    verify.no_effect(probe, {}, verify.look_list(api, unshipped_one))


# Refunds without return of such an order, and what comes after.


@define
class WithoutReturn:
    """An unshipped order, the answer to a create of type 2, and what list and get then show of it."""

    order: Order
    answer: Answer
    listed: dict[RefundId, Refund]
    got: Answer | None
    approval: Answer | None = None
    decided: dict[RefundId, Refund] = field(factory=dict)

    def approve(self, api: RefundApi) -> Answer:
        """Approve the refund, once; returns the answer.

        Raises:
            Blocked: it is not there.
        """
        if not self.listed:
            raise Blocked(f"the refund of type 2 is not there: {self.answer.described}")
        if self.approval is None:
            self.approval = api.review_refund(self.order, next(iter(self.listed)), Action.APPROVE)
            self.approval.exchange.role = "probe"
        return self.approval

    def approved(self, api: RefundApi) -> dict[RefundId, Refund]:
        """Return the refunds of the order once the approval shows, if it ever does.

        Raises:
            Blocked: there is none.
        """
        self.approve(api)
        if not self.decided:
            self.decided = verify.patiently(api, lambda: verify.look_list(api, self.order), partial(is_decided, api))
        if not self.decided:
            raise Blocked(f"the refund of type 2 is not there: {self.answer.described}")
        return self.decided


def is_decided(api: RefundApi, seen: dict[RefundId, Refund]) -> bool:
    """Say whether an approval shows."""
    return all(refund.status not in api.pending for refund in seen.values())


@pytest.fixture(scope="session")
def without_return(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> WithoutReturn:
    """A refund of type 2 on an unshipped order."""
    order = new_order(shipped=False)
    answer = api.create_refund(order, rights_type=REFUND)
    answer.exchange.role = "probe"
    told = set() if answer.refund is None else {answer.refund.refund_id}
    listed = verify.patiently(api, lambda: verify.look_list(api, order), lambda seen: told <= seen.keys())
    got = None if answer.refund is None else api.get_refund(order, answer.refund)
    return WithoutReturn(order, answer, listed, got)


@requirement("SHIP-05")
def test_a_refund_without_return_of_an_unshipped_order_is_accepted(without_return: WithoutReturn) -> None:
    """Type 2 needs no shipment, and the refund is there."""
    refund = verify.created(without_return.answer)

    verify.same([refund.refund_id], list(without_return.listed), "the refunds of the order")


@requirement("GET-02")
def test_a_refund_of_an_unshipped_order_is_shown_before_its_review(without_return: WithoutReturn) -> None:
    """Get needs no shipment, either."""
    refund = without_return.answer.refund
    if refund is None or without_return.got is None or list(without_return.listed) != [refund.refund_id]:
        raise Blocked("the refund of the unshipped order is not there (SHIP-05)")
    shown = verify.accepted(without_return.got).refund
    verify.same(refund.refund_id, None if shown is None else shown.refund_id, "the refund that get shows")


@requirement("REVIEW-26")
def test_a_refund_of_an_unshipped_order_is_approved(
    api: RefundApi, without_return: WithoutReturn, reviewed: Refund
) -> None:
    """Type 2 needs no shipment to be paid, either."""
    verify.accepted(without_return.approve(api))
    key = next(iter(without_return.listed))
    verify.settles(
        api, lambda: verify.look_list(api, without_return.order).get(key),
        lambda now: now is not None and now.status in api.approved, "the refund approved",
    )  # fmt: skip


@requirement("REVIEW-30")
def test_an_approved_refund_is_approved_once_its_order_is_shipped(
    api: RefundApi, shipped: Shipped, without_return: WithoutReturn
) -> None:
    """Shipping the order changes nothing of what was decided before."""
    if any(refund.status not in api.approved for refund in without_return.approved(api).values()):
        raise Blocked("a refund without return is already not approved where nothing was shipped (REVIEW-26)")
    if not shipped.approval.accepted:
        raise Blocked(f"the refund was not approved (REVIEW-26): {shipped.approval.described}")
    now = shipped.after.get(shipped.first.refund_id)
    if now is None or now.status not in api.approved:  # it may take a while (reading A37)
        now = verify.patiently(
            api,
            lambda: verify.look_get(api, shipped.order, shipped.first),
            lambda seen: seen.status in api.approved,
        )
    if now.status is None:
        raise Blocked("the status of the refund cannot be read")
    verify.holds(now.status in api.approved, f"status {verify.shown(sorted(api.approved))}", now)


@requirement("SHIP-12")
def test_an_earlier_refund_does_not_open_the_way_for_a_return(
    api: RefundApi, without_return: WithoutReturn, refused_returns: Probes
) -> None:
    """After a refund of type 2, approved so that it is not in the way, type 1 is still refused."""
    plainly_refused(refused_returns)
    order, before = without_return.order, without_return.approved(api)

    probe = api.create_refund(order, rights_type=RETURN)

    verify.no_effect(probe, before, verify.look_list(api, order))


@requirement("REVIEW-17")
def test_a_completed_refund_of_an_unshipped_order_is_not_cancelled(
    api: RefundApi, without_return: WithoutReturn, reviewed: Refund
) -> None:
    """A rejection comes too late for it, too; what is in process is not judged (reading A39)."""
    refund_id, was = next(iter(without_return.approved(api).items()))
    api.review_refund(without_return.order, refund_id, Action.REJECT).exchange.role = "open"
    now = verify.look_list(api, without_return.order).get(refund_id)
    if was.status is RefundStatus.COMPLETED and now is not None:
        verify.holds(now.status in {RefundStatus.COMPLETED, None}, "the refund still completed", verify.shown(now))
