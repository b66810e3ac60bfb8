"""The request number: which are refused, and which are told apart."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import frozen

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, RefundApi
from conformance.judging import verify
from conformance.model import Order
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import Bench, Probes, selected_rows
from conformance.suite.given.histories import Series
from conformance.suite.given.keys import PARTNERS, Accepted

# Keys that must be refused.


def with_key(key: Any) -> Callable[[RefundApi, Order], Answer]:
    """Return a create that is valid but for its request number; ``OfLength`` stands for a fresh one."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order)
        if key is ABSENT:
            del body["refund"]["requestNo"]
        else:
            body["refund"]["requestNo"] = api.keys(key.length) if isinstance(key, OfLength) else key
        return api.create(body)

    return send


@frozen
class OfLength:
    """A request number of so many characters."""

    length: int


REFUSED_KEYS: dict[str, tuple[str, Any]] = {
    "1 character": ("IDEM-05", OfLength(1)),
    "19 characters": ("IDEM-01", OfLength(19)),
    "51 characters": ("IDEM-04", OfLength(51)),
    "200 characters": ("IDEM-06", OfLength(200)),
    "5000 characters": ("IDEM-06", OfLength(5000)),
    "7 characters of 3 bytes": ("IDEM-07", "鍵" * 7),
    "missing": ("IDEM-08", ABSENT),
    "null": ("IDEM-08", None),
    "empty": ("IDEM-08", ""),
    "a number": ("IDEM-29", 4242),
    "a list": ("IDEM-29", ["k" * 32]),
    "a list of characters": ("IDEM-29", ["k"] * 25),
    "an object": ("IDEM-29", {"key": "k" * 32}),
}
PROFILES = {
    "19 characters": "quick", "51 characters": "quick", "missing": "quick",
    "200 characters": "full", "null": "full", "an object": "full",
}  # fmt: skip


SAME = {
    "1 character": "refund.requestNo of one character", "19 characters": "refund.requestNo a character too short",
    "51 characters": "refund.requestNo a character too long", "200 characters": "refund.requestNo far too long",
    "missing": "refund.requestNo left out", "empty": "refund.requestNo empty",
}  # fmt: skip
"""Near misses that are the same, so that a run which sends them need not send these."""


@pytest.fixture(scope="module")
def refused_keys(request: pytest.FixtureRequest, create_bench: Bench, near_creates: Probes) -> Probes:
    """Creates that differ from an accepted one in their request number alone."""
    api = create_bench.api
    rows = {name: partial(with_key(key), api) for name, (_, key) in REFUSED_KEYS.items()}
    chosen = selected_rows(request, rows)
    probes = Probes(create_bench)
    probes.borrow(near_creates, {name: SAME[name] for name in chosen.keys() & SAME.keys()})
    probes.send(chosen)
    return probes


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement(identifier, profile=PROFILES.get(name, "standard")))
        for name, (identifier, _) in REFUSED_KEYS.items()
    ],
)
def test_an_illegal_request_no_is_refused(refused_keys: Probes, row: str) -> None:
    """A key of a wrong length or type is refused, and leaves no refund behind."""
    short = refused_keys.sent.get("19 characters")
    if REFUSED_KEYS[row][0] == "IDEM-07" and short is not None and not short.refused:
        raise Blocked("a key that is too short is already not refused (IDEM-01)")
    refused_keys.judge(row)


# Keys that must be accepted, each for a refund of its own.

OPEN = {"underscores", "punctuation"}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("20 characters", marks=requirement("IDEM-02")),
        pytest.param("50 characters", marks=requirement("IDEM-03")),
        pytest.param("uuid", marks=requirement("IDEM-24")),
        pytest.param("38 digits", marks=requirement("IDEM-24")),
    ],
)
def test_a_legal_request_no_is_accepted(api: RefundApi, accepted_keys: Accepted, row: str) -> None:
    """A length that is a limit belongs to what is allowed, as do a UUID and digits alone; the refund is there."""
    accepted_keys.refund(api, row)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("any", marks=requirement("IDEM-20")),
        pytest.param("last of 50", marks=requirement("IDEM-21")),
        pytest.param("hash", marks=requirement("IDEM-21")),
        pytest.param("case", marks=requirement("IDEM-22")),
        pytest.param("hyphens", marks=requirement("IDEM-22", profile="full")),
        pytest.param("last digit", marks=requirement("IDEM-23")),
        pytest.param("leading zero", marks=requirement("IDEM-23")),
        pytest.param("a power of ten", marks=requirement("IDEM-23")),
        pytest.param("underscores", marks=requirement("IDEM-22")),
        pytest.param("punctuation", marks=requirement("IDEM-22")),
    ],
)
def test_different_keys_are_different_refunds(session: Session, accepted_keys: Accepted, row: str) -> None:
    """Two creates that differ in their keys alone are two refunds."""
    partner = PARTNERS[row]
    if row in OPEN and (accepted_keys.answers[partner].refused or accepted_keys.answers[row].refused):
        return  # which characters a key may have is open (reading A21)
    first = accepted_keys.answers[partner].refund
    if first is None:
        raise Blocked(f"the refund to compare with was not created: {accepted_keys.answers[partner].described}")
    if row != "any" and accepted_keys.answers["any"].exchange.second_hand:
        raise Blocked("equal bodies under any two keys are already one refund (IDEM-20)")
    if accepted_keys.answers[row].refused:
        accepted_keys.insist_on_plain(session.shop.api)
    second = verify.accepted(accepted_keys.answers[row], "an acceptance (2xx) with another refund").refund

    told = None if second is None else second.refund_id
    verify.holds(told != first.refund_id, "two refunds", f"refund {first.refund_id} twice")
    accepted_keys.refund(session.shop.api, row)
    pending = session.shop.api.pending
    open_ones = [refund for refund in accepted_keys.listed.values() if refund.status in pending]
    several = "accepted" if len(open_ones) > 1 else "refused"
    session.observe("A27", f"a second refund of a line is {several} while one is open")


@requirement("IDEM-20")
def test_an_equal_body_after_an_approval_is_another_refund(series: Series) -> None:
    """What was asked for, and approved, can be asked for again under another key."""
    second, third = (answer.refund for answer in series.answers[1:])
    if second is None or third is None or not {second.refund_id, third.refund_id} <= series.before.keys():
        raise Blocked("three refunds one after another are already not accepted, or not there (CREATE-20)")
    verify.holds(not series.taken_for_replay, "two refunds", f"refund {second.refund_id} twice")
