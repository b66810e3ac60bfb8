"""Requests one edit away from a legal one that nobody can take for one: sent once, and judged by several files."""

from functools import partial
from typing import Any

import pytest
from attrs import evolve

from conformance.generation.nearmiss import (
    CONDITION,
    EMPTY_OBJECT,
    HALF_AS_NUMBER,
    LETTERS,
    NEGATIVE,
    NearMiss,
    in_standard,
    near_misses,
)
from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.judging import contract
from conformance.model import CARRIER_CODE, Action, Order, RightsType
from conformance.suite.given.benches import Bench, Probes, ReviewBench, selected_rows

UNITS = 10
"""Units of the create that is edited, of which an edit that is misread makes 1, 8, 100 or others."""
FRACTION = "with a zero fraction"
TELLING = {
    "refund.lineItems.quantity": ("with an exponent", "in full-width digits", "with a zero before"),
    "action": ("with a line break behind", "twice"),
    "refund.rightsType": (FRACTION, HALF_AS_NUMBER, NEGATIVE, EMPTY_OBJECT, "true"),
    "refund.lineItems.lineItemId": (FRACTION, CONDITION),
    "refund.customerId": (EMPTY_OBJECT,),
    "orderId": (FRACTION, LETTERS, "empty"),
    "refundId": (CONDITION,),
}
"""Edits that are tried of the members which money follows, or which few look at."""
Table = dict[str, NearMiss]


def table(operation: str, body: Any) -> Table:
    """Return the near misses of a legal body by name; a review's path may do where its body names no refund."""
    schema = {"create": "CreateRequest", "review": "ReviewRequest"}[operation]
    return {
        miss.name: evolve(miss, must_be_refused=False, sharp=False) if says_nothing(operation, miss) else miss
        for miss in near_misses(schema, body)
    }


def says_nothing(operation: str, miss: NearMiss) -> bool:
    """Say whether a near miss of a review names no refund where the path does (reading A40)."""
    named = isinstance(miss.value, str | int) and not isinstance(miss.value, bool) and miss.value != ""
    return operation == "review" and miss.member == "refundId" and not named


CREATES = table("create", contract.example_of("create"))
REVIEWS = table("review", contract.example_of("review"))


STANDARD = in_standard({"create": list(CREATES.values()), "review": list(REVIEWS.values())}, TELLING)


# Creates.


def about_the_parcel(name: str) -> bool:
    """Say whether a near miss edits the logistics information."""
    return "shipping" in name


def create_body(api: RefundApi, order: Order, name: str = "") -> dict[str, Any]:
    """Return the legal create that is edited: ten units of the second line, without return.

    One whose logistics information is edited is of a return: what it means for another refund is open (reading A14).
    """
    part = Part(order.lines[1], UNITS)
    if not about_the_parcel(name):
        return api.create_body(order, part, rights_type=RightsType.REFUND)
    shipping = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "carrier", "trackingNumber": "TRACK70012"}
    return api.create_body(order, part, shipping=shipping)


def send_create(api: RefundApi, name: str, order: Order) -> Answer:
    """Send a near miss of a create, with a request number of its own."""
    miss = table("create", create_body(api, order, name))[name]
    return api.create(ABSENT, content=miss.applied_to(create_body(api, order, name)))


@pytest.fixture(scope="session")
def near_creates(request: pytest.FixtureRequest, create_bench: Bench) -> Probes:
    """Near misses that no reader can take for a legal create."""
    probes = Probes(create_bench)
    probes.send(
        {name: partial(send_create, create_bench.api, name) for name in selected(request, CREATES, strict=True)}
    )
    return probes


def selected(request: pytest.FixtureRequest, misses: Table, *, strict: bool) -> list[str]:
    """Return the near misses that this run has checks for."""
    return [
        name for name, miss in selected_rows(request, misses, "test_nearmiss").items() if miss.must_be_refused is strict
    ]


# Reviews.


def send_review(bench: ReviewBench, name: str, action: Action) -> Answer:
    """Send a near miss of a review of the bench's refund."""
    body = bench.api.review_body(bench.order.order_id, bench.refund.refund_id, action)
    return bench.api.review(bench.refund.refund_id, ABSENT, content=table("review", body)[name].applied_to(body))


@pytest.fixture(scope="session")
def near_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Probes:
    """Near misses that no reader can take for a legal review."""
    probes = Probes(review_bench)

    def probe(name: str, _: Order) -> Answer:
        return send_review(review_bench, name, Action.APPROVE)

    probes.send({name: partial(probe, name) for name in selected(request, REVIEWS, strict=True)})
    return probes
