"""Reviews that must be refused: with one thing wrong, or in conflict with themselves."""

from collections.abc import Callable
from functools import partial

import pytest
from attrs import define, field

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.suite.given.benches import Bench, NewOrder, Probes, ReviewBench, selected_rows
from conformance.suite.given.creates import confusable
from conformance.suite.given.reviews import APPROVE, REJECT, decided, until_decided, wanted

# Reviews with one thing wrong.


def with_field(name: str, value: object = ABSENT, action: Action = APPROVE) -> Callable[[ReviewBench], Answer]:
    """Return a review of the open refund that is valid but for one field of its body."""

    def send(bench: ReviewBench) -> Answer:
        body = bench.body(action) | {name: value}
        if value is ABSENT:
            del body[name]
        return bench.api.review(bench.refund.refund_id, body)

    return send


def of_refund(change: Callable[[str], str]) -> Callable[[ReviewBench], Answer]:
    """Return a review whose path and body name a refund that is nearly the open one."""

    def send(bench: ReviewBench) -> Answer:
        unknown = change(bench.refund.refund_id)
        return bench.api.review(unknown, bench.api.review_body(bench.order.order_id, unknown, APPROVE))

    return send


def of_the_refund_next_to_it(bench: ReviewBench) -> Answer:
    """Review a refund that may be taken for the open one; where that is one that was made, another that is not."""
    known = confusable(bench.refund.refund_id) in {made.id for made in bench.api.ledger.open_refunds}
    return of_refund(near_miss if known else confusable)(bench)


def with_another_in_the_body(bench: ReviewBench) -> Answer:
    """Review the open refund, and name one in the body that is not there."""
    return bench.api.review(bench.refund.refund_id, bench.body() | {"refundId": near_miss(bench.refund.refund_id)})


def with_letters_in_the_path(bench: ReviewBench) -> Answer:
    """Review the open refund, its id with letters behind it in the path; the body is as it should be."""
    refund_id = bench.refund.refund_id
    return bench.api.review(f"{refund_id}abc", bench.api.review_body(bench.order.order_id, refund_id, APPROVE))


def with_letters_in_the_body(bench: ReviewBench) -> Answer:
    """Review the open refund, its id with letters behind it in the body; the path is as it should be."""
    refund_id = bench.refund.refund_id
    return bench.api.review(refund_id, bench.body() | {"refundId": f"{refund_id}abc"})


def with_body(body: object) -> Callable[[ReviewBench], Answer]:
    """Return a review with any body."""
    return lambda bench: bench.api.review(bench.refund.refund_id, body)


def near_miss(identifier: str) -> str:
    """Return an id that is not there: one digit longer."""
    return identifier + "7"


def of_order(name: Callable[[ReviewBench], str], action: Action = APPROVE) -> Callable[[ReviewBench], Answer]:
    """Return a review of the open refund as one of another order."""

    def send(bench: ReviewBench) -> Answer:
        body = bench.api.review_body(name(bench), bench.refund.refund_id, action)
        return bench.api.review(bench.refund.refund_id, body)

    return send


REFUSED: dict[str, tuple[str, Callable[[ReviewBench], Answer]]] = {
    "action 0": ("REVIEW-05", with_field("action", 0)),
    "action 3": ("REVIEW-05", with_field("action", 3)),
    "action '4'": ("REVIEW-05", with_field("action", "4")),
    "action -1": ("REVIEW-05", with_field("action", -1)),
    "action 2^32 + 1": ("REVIEW-05", with_field("action", 2**32 + 1)),
    "action approve": ("REVIEW-06", with_field("action", "approve")),
    "action 1abc": ("REVIEW-06", with_field("action", "1abc")),
    "action 1.9": ("REVIEW-06", with_field("action", 1.9)),
    "action '1.9'": ("REVIEW-06", with_field("action", "1.9")),
    "action true": ("REVIEW-06", with_field("action", value=True)),
    "action [1]": ("REVIEW-06", with_field("action", [1])),
    "action {}": ("REVIEW-06", with_field("action", {"action": 1})),
    "no action": ("REVIEW-07", with_field("action")),
    "action null": ("REVIEW-07", with_field("action", None)),
    "action empty": ("REVIEW-07", with_field("action", "")),
    "no order": ("REVIEW-08", with_field("orderId")),
    "no order in a rejection": ("REVIEW-08", with_field("orderId", action=REJECT)),
    "order null": ("REVIEW-08", with_field("orderId", None)),
    "order null in a rejection": ("REVIEW-08", with_field("orderId", None, REJECT)),
    "order empty": ("REVIEW-08", with_field("orderId", "")),
    "order of the customer": ("REVIEW-09", of_order(lambda bench: bench.another_order.order_id)),
    "order of another customer": ("REVIEW-09", of_order(lambda bench: bench.foreign_order.order_id, REJECT)),
    "order 0": ("REVIEW-10", of_order(lambda _: "0")),
    "unknown order": ("REVIEW-10", of_order(lambda bench: near_miss(bench.order.order_id))),
    "order next to it": ("REVIEW-10", of_order(lambda bench: confusable(bench.order.order_id))),
    "refund next to it": ("REVIEW-11", of_the_refund_next_to_it),
    "unknown refund in the body": ("REVIEW-11", with_another_in_the_body),
    "refund with a digit more": ("REVIEW-11", of_refund(near_miss)),
    "refund beyond 64 bits": ("REVIEW-11", of_refund(lambda refund_id: f"{2**64}{refund_id[:1]}")),
    "refund with letters behind": ("REVIEW-11", with_letters_in_the_path),
    "refund with letters behind in the body": ("REVIEW-11", with_letters_in_the_body),
    "refund with a digit less": ("REVIEW-11", of_refund(lambda refund_id: refund_id[:-1] or "0")),
    "body []": ("REVIEW-29", with_body([])),
    "body text": ("REVIEW-29", with_body("approve")),
    "body null": ("REVIEW-29", with_body(None)),
    "body 1": ("REVIEW-29", with_body(1)),
}
PROFILES = {
    "action 0": "quick", "action '4'": "quick", "order 0": "quick", "no action": "quick", "no order": "quick",
    "refund with a digit less": "quick", "action '1.9'": "quick",
    "action 1abc": "full", "action {}": "full", "action 1.9": "full", "body text": "full",
    "action null": "full", "order of another customer": "full", "body null": "full",
    "order null in a rejection": "full", "refund beyond 64 bits": "full",
}  # fmt: skip


SAME = {
    "action 0": "action 0", "action 3": "action 3", "action '4'": "action 4", "action 2^32 + 1": "action 4294967297",
    "action 1abc": "action with letters behind", "action true": "action true", "action [1]": "action in a list",
    "no action": "action left out", "action empty": "action empty", "no order": "orderId left out",
    "order empty": "orderId empty",
    "body []": "body an empty list", "body 1": "body a number",
}  # fmt: skip
"""Near misses that are the same, so that a run which sends them need not send these."""


@pytest.fixture(scope="module")
def refused_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench, near_reviews: Probes) -> Probes:
    """Reviews that differ from an accepted one in one thing alone."""
    if review_bench.refund.refund_id not in review_bench.before:
        raise Blocked("the refund to review is not in the list of its order")
    probes = Probes(review_bench)
    rows = {name: partial(send_to, send, review_bench) for name, (_, send) in REFUSED.items()}
    chosen = selected_rows(request, rows)
    probes.borrow(near_reviews, {name: SAME[name] for name in chosen.keys() & SAME.keys()})
    probes.send(chosen)
    return probes


def send_to(send: Callable[[ReviewBench], Answer], bench: ReviewBench, _: Order) -> Answer:
    """Send a probe to the bench, whose order it knows."""
    return send(bench)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement(identifier, profile=PROFILES.get(name, "standard")))
        for name, (identifier, _) in REFUSED.items()
    ],
)
def test_an_illegal_review_is_refused(refused_reviews: Probes, row: str) -> None:
    """A review with one thing wrong is refused, and decides nothing."""
    refused_reviews.judge(row)


# Reviews in conflict with themselves.


@define
class ConflictBench(Bench):
    """Two refunds of one order and one of another, on which only reviews are tried that name two of them."""

    new_order: NewOrder = field(kw_only=True)
    refunds: list[Refund] = field(factory=list)
    other_order: Order | None = None

    def renew(self) -> None:
        """Take other orders with open refunds."""
        self.order, self.other_order = self.new_order((5, "10.00"), (5, "7.00")), self.new_order()
        placed = [(self.order, Part(self.order.lines[0])), (self.order, Part(self.order.lines[1]))]
        placed.append((self.other_order, Part(self.other_order.line)))
        self.refunds = [arrange.given_refund(self.api, order, part) for order, part in placed]
        self.before = self.look()

    def look(self) -> dict[RefundId, Refund]:
        """Return the refunds of both orders."""
        assert self.other_order is not None  # noqa: S101 - a bench is renewed before it is used
        first = verify.look_list(self.api, self.order)
        return first | verify.look_list(self.api, self.other_order)

    def conflict(self, path: int, body: int, named: str, _: Order) -> Answer:
        """Send a rejection whose path names one refund and whose body another."""
        assert self.other_order is not None  # noqa: S101 - as above
        order = self.order if named == "one" else self.other_order
        inside = self.api.review_body(order.order_id, self.refunds[body].refund_id, REJECT)
        return self.api.review(self.refunds[path].refund_id, inside)


# The refunds that path and body name, 2 being the one of the other order, and the order that the body names.
CONFLICTS = {
    "two of an order": ("REVIEW-12", 0, 1, "one"),
    "two of an order, the other way round": ("REVIEW-12", 1, 0, "one"),
    "two orders, the body's": ("REVIEW-13", 1, 2, "other"),
    "two orders, the path's": ("REVIEW-13", 1, 2, "one"),
}


@pytest.fixture(scope="module")
def conflicts(request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder, reviewed: Refund) -> Probes:
    """Reviews whose path and body name different refunds; those of one order are always among them."""
    bench = ConflictBench(api, new_order(), new_order=new_order)
    bench.renew()
    rows = {name: partial(bench.conflict, *row[1:]) for name, row in CONFLICTS.items()}
    plain = {name: rows[name] for name, row in CONFLICTS.items() if row[0] == "REVIEW-12"}
    probes = Probes(bench)
    probes.send(plain | selected_rows(request, rows))
    return probes


@pytest.mark.parametrize("row", [pytest.param(name, marks=requirement(row[0])) for name, row in CONFLICTS.items()])
def test_a_review_of_two_refunds_at_once_is_refused(conflicts: Probes, row: str) -> None:
    """A review in conflict with itself is refused, and changes no refund."""
    if CONFLICTS[row][0] == "REVIEW-13":
        try:
            conflicts.judge("two of an order")
        except Failed:
            raise Blocked("a conflict within one order is already not refused (REVIEW-12)") from None
    conflicts.judge(row)


# After refused reviews.


@requirement("REVIEW-25")
@pytest.mark.usefixtures("approval", "reviewed")
def test_a_refund_can_be_approved_after_refused_reviews(api: RefundApi, shipped_order: Order) -> None:
    """A refund that refused reviews were tried on is still open, and is approved."""
    refund = arrange.given_refund(api, shipped_order)
    body = api.review_body(shipped_order.order_id, refund.refund_id, APPROVE)
    for action in (3, None):
        answer = api.review(refund.refund_id, body | {"action": action})
        answer.exchange.role = "probe"
        if not answer.refused:
            raise Blocked("an illegal action is already not refused (REVIEW-05, REVIEW-07)")
    verify.accepted(api.review_refund(shipped_order, refund, APPROVE))

    after = until_decided(api, shipped_order, (refund.refund_id, APPROVE))
    verify.holds(decided(api, after[refund.refund_id], APPROVE), wanted(api, APPROVE), after)
