"""Creates and reviews that nobody can make sense of: they are refused."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from conformance.http.answer import Answer
from conformance.suite.given.benches import Probes, ReviewBench, selected_rows
from conformance.suite.given.senseless import (
    DEEP,
    FULL,
    INJECTION,
    QUICK,
    REFUSED_CREATES,
    Open,
    Unanswerable,
    raw,
    reviewing,
    rows,
    sent_to,
)

# Creates that must be refused.


SAME_REVIEWS = {
    "a body cut off": "body cut off", "an empty body": "body left out",
    "5000 lists in each other": "body nested deeply",
}  # fmt: skip
"""Near misses that are the same, so that a run which sends them need not send these."""


@rows(REFUSED_CREATES, quick=QUICK, full=FULL)
def test_a_senseless_create_is_refused(refused_creates: Unanswerable, row: str) -> None:
    """A create that nobody can make sense of is refused, and leaves no refund behind."""
    refused_creates.judge(row)


# Reviews that must be refused.


def of_refund(refund_id: str) -> Callable[[Open], Answer]:
    """Return a review whose path and body name something that is no refund."""
    return lambda bench: bench.api.review(refund_id, bench.body() | {"refundId": refund_id})


REFUSED_REVIEWS: Mapping[str, tuple[str, Callable[[Open], Answer]]] = {
    "a body cut off": ("ROBUST-04", reviewing(lambda body: raw(body)[:-1])),
    "an empty body": ("ROBUST-04", reviewing(lambda _: b"")),
    "plain text": ("ROBUST-04", reviewing(lambda _: b"approved")),
    "5000 lists in each other": ("ROBUST-05", reviewing(lambda _: DEEP)),
    "an injection for the order": ("ROBUST-06", reviewing(lambda body: body | {"orderId": INJECTION})),
    "an injection for the refund": ("ROBUST-06", of_refund(INJECTION)),
}


@pytest.fixture(scope="module")
def refused_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench, near_reviews: Probes) -> Unanswerable:
    """Reviews that nobody can make sense of."""
    probes = Unanswerable(review_bench)
    chosen = selected_rows(request, REFUSED_REVIEWS)
    probes.borrow(near_reviews, {name: SAME_REVIEWS[name] for name in chosen.keys() & SAME_REVIEWS.keys()})
    probes.send({name: partial(sent_to, send, review_bench) for name, (_, send) in chosen.items()})
    return probes


@rows(REFUSED_REVIEWS, full={"an injection for the order"})
def test_a_senseless_review_is_refused(refused_reviews: Unanswerable, row: str) -> None:
    """A review that nobody can make sense of is refused, and decides nothing."""
    refused_reviews.judge(row)
