"""Requests that may be refused or carried out: they are one of the two, and show nothing else."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Refund, RefundStatus
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.suite.given.benches import NewOrder, selected_rows
from conformance.suite.given.odd_creates import ODD_CREATES, OddCreates
from conformance.suite.given.odd_reads import READINGS, Readings
from conformance.suite.given.senseless import (
    APPROVE,
    HUGE,
    REJECT,
    Open,
    OpenRefund,
    accepted_of,
    answered,
    exempt,
    put_in,
    raw,
    reviewing,
    rows,
)

# Creates that may be refused or carried out.


@rows(
    ODD_CREATES,
    full={
        "a reason type of letters",
        "the content type of files",
        "the content type of a form",
        "UTF-16",
        "an unknown member 5000 levels deep",
    },
)
def test_an_odd_create_is_refused_or_carried_out(odd_creates: OddCreates, row: str) -> None:
    """The create gets an answer, and is one of the two."""
    odd_creates.judge(row)


# Reviews that may be refused or carried out.


def rejecting(change: Callable[[dict[str, Any]], Any], **more: Any) -> Callable[[Open], Answer]:
    """Return a rejection whose body is made from a valid one."""
    return reviewing(lambda body: change(body | {"action": REJECT_AS[type(body["action"])]}), **more)


REJECT_AS = {str: str(int(REJECT)), int: int(REJECT)}
ODD_REVIEWS: Mapping[str, tuple[str, Callable[[Open], Answer]]] = {
    "a byte order mark": ("ROBUST-07", rejecting(lambda body: b"\xef\xbb\xbf" + raw(body))),
    "an unknown member of 300 kB": ("ROBUST-09", rejecting(lambda body: body | {"unknown": HUGE})),
    "no content type": ("ROBUST-11", rejecting(lambda body: body, headers={"Content-Type": ""})),
    "the content type of text": ("ROBUST-11", rejecting(lambda body: body, headers={"Content-Type": "text/plain"})),
}


@define
class OddReviews:
    """Rejections that may be refused or carried out, sent to one refund, and what that was like after the last."""

    api: RefundApi
    sent: dict[str, Answer]
    wanted: RefundStatus
    after: Refund

    def judge(self, row: str) -> None:
        """The rejection was answered; accepted, it was carried out, and when all were refused, none was."""
        answer = self.sent[row]
        answered(self.api, answer)
        verify.decided(answer)
        verify.same(self.wanted, self.after.status, "the status after all rejections")


@pytest.fixture(scope="module")
def open_refund(api: RefundApi, new_order: NewOrder, reviewed: Refund) -> OpenRefund:
    """An order with an open refund for reviews that may be carried out."""
    order = new_order()
    return OpenRefund(api, order, arrange.given_refund(api, order))


@pytest.fixture(scope="module")
def odd_reviews(request: pytest.FixtureRequest, open_refund: OpenRefund) -> OddReviews:
    """Rejections that are valid but for one odd thing."""
    bench = open_refund
    sent = {name: exempt(send(bench)) for name, (_, send) in selected_rows(request, ODD_REVIEWS).items()}
    wanted = RefundStatus.CANCELED if accepted_of(sent) else bench.api.unrest.opens_in
    after = verify.patiently(
        bench.api, lambda: verify.look_get(bench.api, bench.order, bench.refund), lambda now: now.status is wanted
    )
    return OddReviews(bench.api, sent, wanted, after)


@rows(ODD_REVIEWS, full={"the content type of text"})
def test_an_odd_review_is_refused_or_carried_out(
    api: RefundApi, new_order: NewOrder, odd_reviews: OddReviews, row: str
) -> None:
    """The review gets an answer, and is one of the two."""
    api.wire.show(odd_reviews.sent[row].exchange)
    try:
        odd_reviews.judge(row)
    except Failed:
        order = new_order()
        refund = arrange.given_review(api, order, arrange.given_refund(api, order), REJECT)  # or this is blocked
        api.review_refund(order, refund, REJECT).exchange.role = "open"
        if verify.look_get(api, order, refund).status is not RefundStatus.CANCELED:
            raise Blocked("a second plain rejection already undoes the first (REVIEW-15)") from None
        raise


@requirement("ROBUST-10")
def test_a_review_with_two_actions_does_one_of_them_or_nothing(api: RefundApi, open_refund: OpenRefund) -> None:
    """A body with both actions gets an answer; accepted, one of them is carried out, and refused, none."""
    order = open_refund.order
    refund = arrange.given_refund(api, order)
    body = put_in('"2", "action": "1"', api.review_body(order.order_id, refund.refund_id, APPROVE) | {"action": "@"})

    answer = exempt(api.review(refund.refund_id, ABSENT, content=body))

    now = verify.look_get(api, order, refund)
    answered(api, answer)
    if now.status is None:
        raise Blocked("the status of the refund cannot be read")
    verify.holds(answer.accepted or now.status in api.pending, "an open refund after a refusal", now)


# Odd ids and parameters when reading.


@rows(
    READINGS,
    full={
        "get with a fraction", "get with an injection", "get with an injection for the order", "list with a plus",
        "list with a path", "list with an injection behind", "list with 400 digits", "list with other digits",
        "list with two limits", "list with a zero in front", "list with NUL", "get with an injection behind",
    },
)  # fmt: skip
def test_an_odd_reading_shows_nothing_else(readings: Readings, row: str) -> None:
    """A list or a get with something odd in it is refused, or finds no more than a plain one."""
    readings.judge(row)
