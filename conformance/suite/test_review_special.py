"""Reviews and refunds of a special kind: in another form, with more in them, or of another type."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import define, frozen

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId, RightsType
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder, OpenRefunds, Placed, selected_rows
from conformance.suite.given.reviews import (
    APPROVE,
    REJECT,
    Decision,
    Several,
    but_for_the_review,
    decided,
    named_is_decided,
    named_keeps_its_values,
    others_are_unchanged,
    wanted,
)

SMUGGLED: dict[str, Any] = {
    "amount": "0.01", "status": "4", "lineItems": [], "createTime": "2001-01-01T00:00:00Z", "customerId": "1",
    "rightsType": "2", "shipping": {"shippingCarrierCode": "1", "shippingCarrier": "x", "trackingNumber": "SMUGGLED"},
}  # fmt: skip
MORE_THAN_A_SECOND = 1.1
LINES_TOO, OTHER_LINE = "lineItems", {"quantity": "3", "rightsReason": "Another reason altogether."}


@frozen
class Special:
    """A refund and a review of it that are special in one way."""

    requirement: str
    action: Action
    create: Callable[[RefundApi, Order], dict[str, Any]]
    review: Callable[[RefundApi, dict[str, Any]], dict[str, Any]]
    may_be_refused: bool = False


def plain(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a plain create."""
    return api.create_body(order)


def of_type_2(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create of a refund without return."""
    return api.create_body(order, rights_type=RightsType.REFUND)


def of_three_lines(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create of one, two and three units of three lines."""
    return api.create_body(order, *(Part(line, index + 1) for index, line in enumerate(order.lines)))


def unaltered(_: RefundApi, body: dict[str, Any]) -> dict[str, Any]:
    """Return a plain review."""
    return body


def in_the_other_form(api: RefundApi, body: dict[str, Any]) -> dict[str, Any]:
    """Return a review whose action has the form that is not the usual one."""
    return body | {"action": int(body["action"]) if "action" in api.review_dialect.text else str(body["action"])}


def without_refund_id(_: RefundApi, body: dict[str, Any]) -> dict[str, Any]:
    """Return a review whose body leaves the refund to the path."""
    return {name: value for name, value in body.items() if name != "refundId"}


def with_smuggled(_: RefundApi, body: dict[str, Any]) -> dict[str, Any]:
    """Return a review that carries fields of the record, and its lines with other values."""
    return body | SMUGGLED


def with_a_smuggled_record(_: RefundApi, body: dict[str, Any]) -> dict[str, Any]:
    """Return a review that carries a record."""
    return body | {"refund": SMUGGLED}


SPECIAL: dict[str, Special] = {
    "approval in the other form": Special("REVIEW-03", APPROVE, plain, in_the_other_form, may_be_refused=True),
    "rejection in the other form": Special("REVIEW-04", REJECT, plain, in_the_other_form, may_be_refused=True),
    "smuggled fields": Special("REVIEW-23", APPROVE, plain, with_smuggled, may_be_refused=True),
    "smuggled record": Special("REVIEW-23", APPROVE, plain, with_a_smuggled_record, may_be_refused=True),
    "approval of type 2": Special("REVIEW-26", APPROVE, of_type_2, unaltered),
    "rejection of type 2": Special("REVIEW-26", REJECT, of_type_2, unaltered),
    "approval of three lines": Special("REVIEW-27", APPROVE, of_three_lines, unaltered),
    "rejection of three lines": Special("REVIEW-27", REJECT, of_three_lines, unaltered),
    "approval without refundId": Special("REVIEW-28", APPROVE, plain, without_refund_id, may_be_refused=True),
    "rejection without refundId": Special("REVIEW-28", REJECT, plain, without_refund_id, may_be_refused=True),
}


@define
class Specials:
    """Special refunds side by side, each decided in its own way, with one look before the first and after the last."""

    placed: dict[str, Placed]
    answers: dict[str, Answer]
    before: dict[RefundId, Refund]
    after: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def specials(request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder, several: Several) -> Specials:
    """The special refunds; the control is that plain reviews of several refunds of an order decide those alone."""
    for index in several.steps:
        try:
            named_is_decided(several, index)
            named_keeps_its_values(several, index)
            others_are_unchanged(several, index)
        except Failed as failure:
            raise Blocked(
                f"plain reviews of several refunds already go wrong (REVIEW-18, REVIEW-19): {failure}"
            ) from None
    side_by_side = OpenRefunds(api, lambda: new_order((30, "10.00"), (30, "7.50"), (30, "0.99")))
    rows = selected_rows(request, SPECIAL)
    placed = {name: side_by_side.place(partial(row.create, api)) for name, row in rows.items()}
    for each in placed.values():
        arrange.await_visible(api, each.order, each.refund)
    before = side_by_side.look()
    answers = {name: reviewed_specially(api, placed[name], row) for name, row in rows.items()}
    expected = [(name, rows[name].action) for name, answer in answers.items() if answer.accepted]

    def all_decided(seen: dict[RefundId, Refund]) -> bool:
        now = {name: seen.get(placed[name].refund.refund_id) for name, _ in expected}
        return all((refund := now[name]) is not None and decided(api, refund, action) for name, action in expected)

    return Specials(placed, answers, before, verify.patiently(api, side_by_side.look, all_decided))


def reviewed_specially(api: RefundApi, placed: Placed, row: Special) -> Answer:
    """Send the review of one special refund."""
    refund_id = placed.refund.refund_id
    body = row.review(api, api.review_body(placed.order.order_id, refund_id, row.action))
    if LINES_TOO in body:
        body[LINES_TOO] = [line | OTHER_LINE for line in placed.body["refund"][LINES_TOO]]
    answer = api.review(refund_id, body)
    answer.exchange.role = "probe"
    answer.exchange.batched = True
    return answer


@pytest.mark.parametrize(
    "row",
    [pytest.param(name, marks=requirement(row.requirement)) for name, row in SPECIAL.items()],
)
def test_a_special_review_does_what_it_says(
    api: RefundApi, session: Session, new_order: NewOrder, approval: Decision, rejection: Decision,
    specials: Specials, row: str,
) -> None:  # fmt: skip
    """The refund gets to where the action brings it, or stays where the review may be refused; it keeps its values."""
    special, answer = SPECIAL[row], specials.answers[row]
    api.wire.show(answer.exchange)
    key = specials.placed[row].refund.refund_id
    if key not in specials.before or key not in specials.after:
        raise Blocked(f"refund {key} is not in the list of its order")
    before, now = specials.before[key], specials.after[key]
    if special.requirement == "REVIEW-28":
        session.observe("A40", f"a review without refundId in its body is answered with {answer.status}")
    if special.may_be_refused and answer.refused:
        verify.same(before.status, now.status, "the status after a refusal")
    else:
        verify.accepted(answer)
        verify.holds(decided(api, now, special.action), wanted(api, special.action), now)
    plain = approval if special.action is APPROVE else rejection
    if verify.differ(but_for_the_review(plain.before), but_for_the_review(plain.after)):
        raise Blocked("a plain review already changes other values (REVIEW-21, REVIEW-22)")
    was, is_now = but_for_the_review({key: before}), but_for_the_review({key: now})
    if verify.differ(was, is_now) and before.create_time != now.create_time:
        insist_on_its_create_time(api, new_order)
    verify.unchanged(was, is_now, "the values of the refund")


def insist_on_its_create_time(api: RefundApi, new_order: NewOrder) -> None:
    """A plain approval, more than a second after the create, leaves the createTime as it was."""
    order = new_order()
    refund = arrange.given_refund(api, order)
    before = verify.look_get(api, order, refund)
    api.wire.clock.sleep(MORE_THAN_A_SECOND)
    if arrange.given_review(api, order, refund, APPROVE).create_time != before.create_time:
        raise Blocked("a plain review already changes createTime (RECORD-71)")
