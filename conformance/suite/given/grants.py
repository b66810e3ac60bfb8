"""Creates that are legal, or may be, on one roomy order."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import define, field

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import CARRIER_CODE, Action, Order, Refund, RightsType
from conformance.outcome import Blocked, Failed
from conformance.suite.given.benches import NewOrder, selected_rows
from conformance.suite.given.creates import Row, Send, digit_more, in_other_form, with_fields, with_line
from conformance.suite.given.units import Refunds


@define
class Grants:
    """Creates on one roomy order, sent one after another after a plain one, with one look after the last.

    ``at`` is the moment after the plain one, in seconds of the wire's clock.

    A target may refuse a second refund while one is open (reading A27): then each is looked at and approved at once.
    """

    api: RefundApi
    order: Order
    plain: Refund
    at: float
    sent: dict[str, Answer] = field(factory=dict)
    stored: Refunds = field(factory=dict)
    second: Answer | None = None

    def send(self, creates: Mapping[str, Send]) -> None:
        """Send every create; afterwards each can be judged by its name."""
        api, order = self.api, self.order
        one_at_a_time = self.second_is_refused()
        for name, send in creates.items():
            answer = send(api, order)
            if answer.refused and name in (GRANTED | FEWER) and not one_at_a_time:  # it may allow some, but no more
                one_at_a_time = arrange.approve_open(api, order)
                answer = send(api, order)
            self.sent[name] = answer
            answer.exchange.role = "probe"
            answer.exchange.batched = answer.exchange.exempt = True
            if one_at_a_time and answer.accepted and answer.refund is not None:
                now = verify.look_get(api, order, answer.refund)
                self.stored[now.refund_id] = now
                arrange.given_review(api, order, now, Action.APPROVE)
        self.stored = verify.look_list(api, order, role="open") | self.stored

    def second_is_refused(self) -> bool:
        """Say whether a plain refund is refused while another is open; if so, none is open afterwards."""
        second = self.second = self.api.create_refund(self.order)
        second.exchange.role = "arrange"
        if second.refused:
            arrange.approve_open(self.api, self.order)
        return second.refused

    def of(self, row: str) -> tuple[Answer, Refund | None]:
        """Return the answer to a create, and the refund that it made."""
        answer = self.sent[row]
        self.api.wire.show(answer.exchange)
        return answer, None if answer.refund is None else self.stored.get(answer.refund.refund_id)

    def made(self, row: str) -> Refund:
        """The create was accepted, and the refund is there."""
        answer, refund = self.of(row)
        if answer.refused and self.api.create_refund(self.order).refused:
            raise Blocked("even a plain create is refused on an order with several refunds (CREATE-20)")
        verify.accepted(answer)
        second = None if self.second is None else self.second.refund
        if second is not None and second.refund_id not in self.stored:
            raise Blocked("a plain second refund of the order is already not there (CREATE-20)")
        if refund is None:
            raise Failed("the refund in the list of its order", answer.described)
        return refund

    def made_or_refused(self, row: str) -> Refund | None:
        """The create was accepted, and the refund is there; or it was refused."""
        answer, _ = self.of(row)
        return None if answer.refused else self.made(row)


ELSEWHERE = "One of the ten was fine."
"""The reason of the refund before the one without a reason."""
LONG = 4.0
"""Seconds for which a pending refund must hold its units, and a rejection must have stood."""
TRACKING = "00340434161094042557"
EMPTY_SHIPPING = {"shippingCarrierCode": "", "shippingCarrier": "", "trackingNumber": ""}
RECORD = {"refundId": "424242424242", "createTime": "2001-02-03T04:05:06Z", "updateTime": "2001-02-03T04:05:06Z"}


def completed(api: RefundApi) -> dict[str, Any]:
    """Return what only a completed refund has."""
    return RECORD | {"status": api.create_dialect.wire("rightsType", 3)}


def smuggling(make: Callable[[RefundApi], dict[str, Any]]) -> Send:
    """Return a create that is valid but for fields that are not the client's."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order)
        body["refund"] |= make(api)
        return api.create(body)

    return send


def naming_a_refund(api: RefundApi, order: Order) -> Answer:
    """Send a create that names the order's first open refund."""
    body = api.create_body(order)
    there = (made.id for made in api.ledger.open_refunds if made.order == order.order_id)
    body["refund"]["refundId"] = api.create_dialect.wire("orderId", next(there, RECORD["refundId"]))
    return api.create(body)


def spoken_otherwise(rights_type: RightsType) -> Send:
    """Return a create of two units with numbers in the form that is not the usual one."""

    def send(api: RefundApi, order: Order) -> Answer:
        return in_other_form(api).create_refund(order, Part(order.line, 2), rights_type=rights_type)

    return send


def parcel_without_a_return(api: RefundApi, order: Order) -> Answer:
    """Send a refund for which nothing comes back, with logistics information all the same."""
    parcel = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": TRACKING}
    return api.create_refund(order, rights_type=RightsType.REFUND, shipping=parcel)


def twice_within(api: RefundApi, order: Order) -> Answer:
    """Send a line twice, with two units each time."""
    return api.create_refund(order, Part(order.line, 2), Part(order.line, 2))


def nine_of_ten(api: RefundApi, order: Order) -> Answer:
    """Send nine units of the line that has ten, for a reason that no other has."""
    return api.create_refund(order, Part(order.lines[-1], 9, ELSEWHERE))


GRANTED: dict[str, Row] = {
    "no customerId": Row("CREATE-33", with_fields("customerId")),
    "no rightsType": Row("CREATE-33", with_fields("rightsType")),
    "no shipping, customerId, rightsType": Row("CREATE-33", with_fields("customerId", "rightsType", "shipping")),
    "empty shipping": Row("CREATE-36", with_fields(shipping=EMPTY_SHIPPING)),
}
LATER = "numbers in the other form, without a return"
"""The create of a refund that is not the first of its order, and takes nothing back."""
FEWER = {"9 of 10 units": Row("CREATE-16", nine_of_ten)}
OPEN: dict[str, Row] = {
    "a line without a reason": Row("CREATE-40", with_line("rightsReason")),
    "rightsType null": Row("CREATE-34", with_fields("rightsType", change=None)),
    "rightsType empty": Row("CREATE-34", with_fields("rightsType", change="")),
    "numbers in the other form": Row("CREATE-37", spoken_otherwise(RightsType.RETURN_AND_REFUND)),
    "numbers in the other form, without a return": Row("CREATE-37", spoken_otherwise(RightsType.REFUND)),
    "a tracking number alone": Row("RECORD-65", with_fields(shipping={"trackingNumber": TRACKING})),
    "a parcel without a return": Row("SHIP-11", parcel_without_a_return),
    "a line twice within its units": Row("CREATE-23", twice_within),
    "another customer's id": Row("CREATE-40", with_fields("customerId", change=digit_more)),
    "the record smuggled": Row("CREATE-26", smuggling(completed)),
    "the id of another refund": Row("CREATE-26", naming_a_refund),
    "amount above": Row("CREATE-27", smuggling(lambda _: {"amount": "999999.99"})),
    "amount below zero": Row("CREATE-27", smuggling(lambda _: {"amount": "-5.00"})),
    "quantity missing": Row("CREATE-13", with_line("quantity", line=1)),
    "quantity null": Row("CREATE-13", with_line("quantity", None, line=2)),
    "quantity empty": Row("CREATE-13", with_line("quantity", "", line=3)),
    "lineItems empty": Row("CREATE-05", with_fields("lineItems", change=[])),
}


@pytest.fixture(scope="session")
def grants(request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder) -> Grants:
    """Creates that are legal, or whose outcome is open, on a shared order."""
    order = new_order((99, "10.00"), *[(5, "10.00")] * 3, (10, "10.00"))
    plain = arrange.given_refund(api, order)
    grants = Grants(api, order, plain, api.wire.clock.monotonic())
    grants.send({name: row.send for name, row in selected_rows(request, GRANTED | FEWER | OPEN).items()})
    return grants


@pytest.fixture(scope="session")
def last_grant(grants: Grants) -> Answer:
    """The answer to a plain create on the roomy order, seconds after all others on it."""
    api, order = grants.api, grants.order
    api.wire.clock.sleep(max(0.0, grants.at + LONG - api.wire.clock.monotonic()))
    answer = api.create_refund(order)
    if answer.refused and arrange.approve_open(api, order):  # one open refund at a time is legal (reading A27)
        answer = api.create_refund(order)
    answer.exchange.role = "probe"
    return answer


@define
class LateApproval:
    """The approval of a refund of the roomy order that was open for seconds, and what get showed afterwards.

    It is not the first of its order, and takes nothing back, where such a one is open.
    """

    before: Refund
    answer: Answer
    now: Refund


@pytest.fixture(scope="session")
def late_approval(api: RefundApi, grants: Grants, last_grant: Answer, reviewed: Refund) -> LateApproval | None:
    """The approval, or nothing where none of the order's refunds is open any more (reading A27)."""
    told = grants.sent.get(LATER)
    later = None if told is None or not told.accepted or told.refund is None else told.refund.refund_id
    still = {made.id for made in api.ledger.open_refunds}
    stored = grants.stored | {grants.plain.refund_id: grants.stored.get(grants.plain.refund_id, grants.plain)}
    before = next((stored[key] for key in (later, grants.plain.refund_id) if key in still and key in stored), None)
    if before is None:
        return None
    answer = api.review_refund(grants.order, before.refund_id, Action.APPROVE)

    def look() -> Refund:
        return verify.look_get(api, grants.order, before.refund_id)

    return LateApproval(before, answer, verify.patiently(api, look, lambda now: now.status in api.approved))
