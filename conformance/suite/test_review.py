"""The review: each action in each state, on the named refund and on no other."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import define, evolve, field, frozen

from conformance.http.client import ABSENT, Answer, Part, RefundApi
from conformance.judging import verify
from conformance.model import CARRIER_CODE, Action, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.results import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import Bench, NewOrder, OpenRefunds, Placed, Probes, ReviewBench, selected_rows

CANCELED, COMPLETED = RefundStatus.CANCELED, RefundStatus.COMPLETED
APPROVE, REJECT = Action.APPROVE, Action.REJECT


def decided(api: RefundApi, refund: Refund, action: Action) -> bool:
    """Say whether a refund is where an action should bring it."""
    return refund.status in api.ends_of(action)


def wanted(api: RefundApi, action: Action) -> str:
    """Return where an action should bring a refund, in words."""
    return f"status {verify.shown(sorted(api.ends_of(action)))}"


def until_decided(api: RefundApi, order: Order, *refunds: tuple[RefundId, Action]) -> dict[RefundId, Refund]:
    """Return the order's refunds once the named ones are decided, or as they are when they never are."""
    return verify.patiently(
        api,
        lambda: verify.look_list(api, order),
        lambda seen: all(key in seen and decided(api, seen[key], action) for key, action in refunds),
    )


def but_for_the_review(refunds: dict[RefundId, Refund]) -> dict[RefundId, Refund]:
    """Leave out what a review may change: status and update time."""
    return {key: evolve(refund, status=None, update_time=None) for key, refund in refunds.items()}


# One refund, decided once.


LONG = 4.0
"""Seconds for which a rejection must have stood."""


@define
class Decision:
    """A refund of an order and a review of it: the answer, what list showed before, after, and last of all, and when.

    ``at`` is the moment after the review, in seconds of the wire's clock.
    """

    api: RefundApi
    order: Order
    refund_id: RefundId
    action: Action
    before: dict[RefundId, Refund]
    answer: Answer
    after: dict[RefundId, Refund]
    now: dict[RefundId, Refund]
    at: float

    @property
    def took_effect(self) -> bool:
        """Whether the refund got to where the action brings it."""
        return self.refund_id in self.after and decided(self.api, self.after[self.refund_id], self.action)


def decision(api: RefundApi, order: Order, action: Action) -> Decision:
    """Arrange a refund with all that a client can say of it, and review it."""
    parcel = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": "TRACK123456"}
    part = Part(order.line, 2, reason="Too small, and the colour is wrong.")
    refund_id = verify.given_refund(api, order, part, shipping=parcel).refund_id
    before = verify.look_list(api, order)
    if list(before) != [refund_id] or before[refund_id].status not in api.pending:
        raise Blocked(f"the refund to review is not there as a new one: {verify.shown(before)}")
    answer = api.review_refund(order, refund_id, action)
    answer.exchange.role = "probe"
    after = until_decided(api, order, (refund_id, action)) if answer.accepted else verify.look_list(api, order)
    return Decision(api, order, refund_id, action, before, answer, after, after, api.wire.clock.monotonic())


@pytest.fixture(scope="module")
def first_approval(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Decision:
    """A refund for which an approval was sent."""
    return decision(api, new_order(), APPROVE)


@pytest.fixture(scope="module")
def first_rejection(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Decision:
    """A refund for which a rejection was sent."""
    return decision(api, new_order(), REJECT)


@pytest.fixture
def approval(first_approval: Decision) -> Decision:
    """A refund that was approved: the control of everything that follows an approval."""
    if not first_approval.took_effect:
        raise Blocked(f"a plain approval does not work (REVIEW-01): {first_approval.answer.described}")
    return first_approval


@pytest.fixture
def rejection(first_rejection: Decision) -> Decision:
    """A refund that was rejected: the control of everything that follows a rejection."""
    if not first_rejection.took_effect:
        raise Blocked(f"a plain rejection does not work (REVIEW-02): {first_rejection.answer.described}")
    return first_rejection


@requirement("REVIEW-01")
def test_an_approval_is_carried_out(api: RefundApi, session: Session, first_approval: Decision) -> None:
    """Action 1 is accepted and the refund moves on; or it is under way, and can no longer be rejected."""
    seen = first_approval
    verify.accepted(seen.answer)
    verify.holds(seen.refund_id in seen.after, "the approved refund in the list of its order", seen.after)
    status = seen.after[seen.refund_id].status
    if status in api.approved - api.pending:
        session.observe("A37", f"an approved refund goes to status {status}")
        return
    # Reading A37 allows an approval that is still under way; one that can be rejected did nothing.
    rejected = api.review_refund(seen.order, seen.refund_id, REJECT)
    underway = status in api.pending and rejected.refused
    verify.holds(
        underway, wanted(api, APPROVE), f"{verify.shown(status)}, and a rejection is answered {rejected.status}"
    )
    session.observe("A37", f"an approved refund stays in status {status} for long")


@requirement("REVIEW-01")
def test_the_first_refund_of_the_run_was_approved(api: RefundApi, session: Session, accepted_create: Refund) -> None:
    """A plain refund without logistics information is approved like one with it."""
    if session.base_status is None:
        raise Blocked("no plain approval was accepted when the run began, or its refund cannot be got")
    session.show_control()
    expected = wanted(api, APPROVE)
    verify.holds(session.base_status in api.approved, expected, verify.shown(session.base_status))


@requirement("REVIEW-02")
def test_a_rejection_cancels(first_rejection: Decision) -> None:
    """Action 2 is accepted and the refund becomes canceled."""
    verify.accepted(first_rejection.answer)
    verify.holds(first_rejection.took_effect, wanted(first_rejection.api, REJECT), first_rejection.after)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("approval", marks=requirement("REVIEW-21")),
        pytest.param("rejection", marks=requirement("REVIEW-22")),
    ],
)
def test_a_review_changes_nothing_but_the_status(request: pytest.FixtureRequest, name: str) -> None:
    """Every value but status and update time is what it was before the decision."""
    seen: Decision = request.getfixturevalue(name)
    verify.unchanged(but_for_the_review(seen.before), but_for_the_review(seen.after), "the values of the refund")


@pytest.mark.parametrize("name", ["approval", "rejection"])
@requirement("REVIEW-24")
def test_the_answer_to_a_review_says_what_is_stored(request: pytest.FixtureRequest, name: str) -> None:
    """The refund in the answer is the stored one; its status may be one on the way there (readings A37, A38)."""
    seen: Decision = request.getfixturevalue(name)
    told = seen.answer.refund
    if told is None:
        raise Blocked(f"the refund in the answer cannot be read: {seen.answer.described}")
    allowed = {1, 2, 3} if seen.action is APPROVE else {1, 2, 4}
    verify.holds(told.status is None or told.status in allowed, f"one of the statuses {sorted(allowed)}", told.status)
    verify.same(seen.refund_id, told.refund_id, "the refundId in the answer")
    stored = but_for_the_review(seen.after)
    if verify.differ(but_for_the_review(seen.before), stored):
        raise Blocked("the review already changed other values than the status (REVIEW-21, REVIEW-22)")
    told = evolve(told, create_time=None)  # it may be given to another fraction (reading A08); RECORD judges it
    if not told.shipping:  # it may be left out of the answer (reading A13)
        told = evolve(told, shipping=seen.after[seen.refund_id].shipping)
    verify.unchanged(stored, but_for_the_review({told.refund_id: told}), "the values in the answer")


# The same refund, reviewed again.


@requirement("REVIEW-14")
def test_a_second_approval_changes_nothing(api: RefundApi, session: Session, approval: Decision) -> None:
    """An approved refund stays approved, with every value it had."""
    again(api, session, approval, APPROVE)


@requirement("REVIEW-15")
def test_a_second_rejection_changes_nothing(api: RefundApi, session: Session, rejection: Decision) -> None:
    """A canceled refund stays canceled, with every value it had."""
    again(api, session, rejection, REJECT)


@requirement("REVIEW-16")
def test_an_approval_after_a_rejection_changes_nothing(api: RefundApi, session: Session, rejection: Decision) -> None:
    """There is no way back from canceled."""
    again(api, session, rejection, APPROVE)


@requirement("REVIEW-17")
def test_a_rejection_after_completion_changes_nothing(api: RefundApi, session: Session, approval: Decision) -> None:
    """There is no cancelling what was completed; what is in process is not judged (reading A39)."""
    now = approval.now.get(approval.refund_id)
    if now is None or now.status is not COMPLETED:
        approval.now = verify.look_list(api, approval.order)
    if approval.refund_id not in approval.now:
        raise Blocked("the approved refund is not in the list of its order any more (REVIEW-14)")
    if approval.now[approval.refund_id].status is COMPLETED:
        again(api, session, approval, REJECT)
        return
    answer = api.review_refund(approval.order, approval.refund_id, REJECT)
    answer.exchange.role = "open"
    verify.holds(answer.status < 500, "an acceptance or a refusal", answer.described)
    session.observe("A39", f"rejecting a refund in process is answered with {answer.status}")


def again(api: RefundApi, session: Session, first: Decision, action: Action) -> None:
    """Another review of a decided refund leaves the order's refunds as they are, and names no other end for it.

    One that is refused leaves the update time, too; one that is accepted may be kept as a change (reading A39).
    """
    before = first.now
    changed = verify.differ(but_for_the_review(first.after), but_for_the_review(before))
    if changed or not decided(api, before[first.refund_id], first.action):
        raise Blocked("an earlier review of the decided refund already changed it (REVIEW-14, REVIEW-15)")
    answer = api.review_refund(first.order, first.refund_id, action)
    answer.exchange.role = "probe"
    if answer.refused and action is not first.action:  # what is refused once may be done at the second try
        api.review_refund(first.order, first.refund_id, action).exchange.role = "probe"
    first.now = verify.look_list(api, first.order)

    verify.unchanged(but_for_the_review(before), but_for_the_review(first.now), "the values of the refund")
    if answer.refused:
        verify.unchanged(before, first.now)
    now = first.now[first.refund_id]
    allowed = {COMPLETED} if before[first.refund_id].status is COMPLETED else api.approved
    allowed = {CANCELED} if first.action is REJECT else allowed
    verify.holds(now.status in allowed, f"status {verify.shown(sorted(allowed))}", now)
    verify.holds(answer.status < 500, "an acceptance or a refusal", answer.described)
    told = None if answer.refund is None else answer.refund.status
    if first.answer.refund is not None and told == first.answer.refund.status in verify.FINAL - allowed:
        raise Blocked("the answer to a first review already says another end (REVIEW-24)")
    verify.holds(told not in verify.FINAL - allowed, f"an answer that does not say {verify.shown(told)}", now)
    session.observe("A39", f"a review ({action.name.lower()}) of a decided refund is answered with {answer.status}")


# Reviews that must be refused.


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
    "order null in a rejection": ("REVIEW-08", with_field("orderId", None, REJECT)),
    "order empty": ("REVIEW-08", with_field("orderId", "")),
    "order of the customer": ("REVIEW-09", of_order(lambda bench: bench.another_order.order_id)),
    "order of another customer": ("REVIEW-09", of_order(lambda bench: bench.foreign_order.order_id, REJECT)),
    "order 0": ("REVIEW-10", of_order(lambda _: "0")),
    "unknown order": ("REVIEW-10", of_order(lambda bench: near_miss(bench.order.order_id))),
    "refund with a digit more": ("REVIEW-11", of_refund(near_miss)),
    "refund with letters behind": ("REVIEW-11", with_letters_in_the_path),
    "refund with letters behind in the body": ("REVIEW-11", with_letters_in_the_body),
    "refund with a digit less": ("REVIEW-11", of_refund(lambda refund_id: refund_id[:-1] or "0")),
    "body []": ("REVIEW-29", with_body([])),
    "body text": ("REVIEW-29", with_body("approve")),
    "body null": ("REVIEW-29", with_body(None)),
    "body 1": ("REVIEW-29", with_body(1)),
}
PROFILES = {
    "action 0": "quick", "no action": "quick", "no order": "quick",
    "refund with a digit less": "quick",
    "action {}": "full", "body text": "full",
    "action -1": "full", "action null": "full", "body null": "full", "order empty": "full",
}  # fmt: skip


SAME = {
    "action 0": "action 0", "action 3": "action 3", "action '4'": "action 4", "action 2^32 + 1": "action 4294967297",
    "action 1abc": "action with letters behind", "action true": "action true", "action [1]": "action in a list",
    "no action": "action left out", "action empty": "action empty", "no order": "orderId left out",
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
        self.refunds = [verify.given_refund(self.api, order, part) for order, part in placed]
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


# One of several refunds.


@define
class Several:
    """An order with three refunds, decided one by one: the answers, and what list showed before and after each review.

    The bystander is an open refund of another order of the same customer, before the first and after the last.
    """

    api: RefundApi
    refunds: list[Refund]
    answers: dict[int, Answer]
    steps: dict[int, tuple[dict[RefundId, Refund], dict[RefundId, Refund]]]
    bystander: tuple[dict[RefundId, Refund], dict[RefundId, Refund]]


@pytest.fixture(scope="module")
def several(
    api: RefundApi, new_order: NewOrder, review_bench: ReviewBench, first_approval: Decision, first_rejection: Decision
) -> Several:
    """Three refunds of one order; the middle one is rejected, then the first approved, then the last one, too.

    The middle one is like the first in all but its key, so that only its id tells which of them is meant.

    A target that allows one open refund at a time (reading A27) has only the last one open: it alone is decided.
    """
    if not first_approval.took_effect or not first_rejection.took_effect:
        raise Blocked("a plain approval or rejection does not work (REVIEW-01, REVIEW-02)")
    order = new_order((9, "10.00"), customer_id=review_bench.order.customer_id)
    refunds = [verify.given_refund(api, order, Part(order.line, units)) for units in (2, 2, 3)]
    now = verify.look_list(api, order)
    answers, steps = {}, {}
    for index, action in DECISIONS.items():
        refund_id = refunds[index].refund_id
        if refund_id not in now or now[refund_id].status not in api.pending:
            continue
        before = now
        answers[index] = api.review_refund(order, refunds[index], action)
        answers[index].exchange.role = "probe"
        now = until_decided(api, order, (refund_id, action))
        steps[index] = (before, now)
    bystander, review_bench.before = review_bench.before, review_bench.look()
    return Several(api, refunds, answers, steps, (bystander, review_bench.before))


DECISIONS = {1: REJECT, 0: APPROVE, 2: APPROVE}
"""What happens to each of three refunds, in this order."""
WHICH = pytest.mark.parametrize("index", [0, 1, 2], ids=["first", "middle", "last"])


def named_is_decided(several: Several, index: int) -> None:
    """The refund that a step named is decided."""
    refund_id, after = several.refunds[index].refund_id, several.steps[index][1]
    there = refund_id in after and decided(several.api, after[refund_id], DECISIONS[index])
    verify.holds(there, "the named refund decided", after)


def named_keeps_its_values(several: Several, index: int) -> None:
    """The refund that a step named has the values that it had, but for status and update time."""
    key = several.refunds[index].refund_id
    before, after = ({key: refunds[key]} for refunds in several.steps[index])
    verify.unchanged(but_for_the_review(before), but_for_the_review(after), "the values of the refund")


def others_are_unchanged(several: Several, index: int) -> None:
    """The refunds that a step did not name keep every value."""
    before, after = (
        {refund_id: refund for refund_id, refund in refunds.items() if refund_id != several.refunds[index].refund_id}
        for refunds in several.steps[index]
    )
    verify.unchanged(before, after, "the other refunds")


@requirement("REVIEW-18")
@WHICH
def test_the_named_one_of_several_refunds_is_decided(session: Session, several: Several, index: int) -> None:
    """Whichever of three refunds is named, it is decided."""
    if index in several.steps:
        named_is_decided(several, index)
    else:
        closed_before(session, several, index)


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(0, marks=requirement("REVIEW-21"), id="first"),
        pytest.param(1, marks=requirement("REVIEW-22"), id="middle"),
        pytest.param(2, marks=requirement("REVIEW-21"), id="last"),
    ],
)
def test_the_named_one_of_several_refunds_keeps_its_values(
    session: Session, approval: Decision, rejection: Decision, several: Several, index: int
) -> None:
    """Whichever of three refunds is named, and whatever was decided before it, nothing else changes in it."""
    if index not in several.steps:
        return closed_before(session, several, index)
    plain = approval if DECISIONS[index] is APPROVE else rejection
    if verify.differ(but_for_the_review(plain.before), but_for_the_review(plain.after)):
        raise Blocked("a plain review already changes other values")
    try:
        named_is_decided(several, index)
    except Failed:
        raise Blocked("the review did not decide the named refund (REVIEW-18)") from None
    named_keeps_its_values(several, index)
    return None


@requirement("REVIEW-24")
@WHICH
def test_the_answer_to_a_review_shows_the_named_one_of_several(
    session: Session, several: Several, approval: Decision, index: int
) -> None:
    """Whichever of three refunds is named, the answer has its id, its units and its amount."""
    if index not in several.steps:
        return closed_before(session, several, index)
    try:
        named_is_decided(several, index)
    except Failed:
        raise Blocked("the review did not decide the named refund (REVIEW-18)") from None
    wanted, told = several.steps[index][1][several.refunds[index].refund_id], several.answers[index].refund
    if told is None or approval.answer.refund is None:
        raise Blocked(f"the refund in the answer cannot be read: {several.answers[index].described}")
    plain, stored = approval.answer.refund, approval.after[approval.refund_id]
    if (plain.amount, plain.quantities) != (stored.amount, stored.quantities):
        raise Blocked("the answer to a plain review already shows other values than are stored")
    for what, value in (("refundId", "refund_id"), ("units", "quantities"), ("amount", "amount")):
        verify.same(getattr(wanted, value), getattr(told, value), f"the {what} in the answer")
    return None


@requirement("REVIEW-19")
@WHICH
def test_the_others_of_several_refunds_stay_as_they_are(session: Session, several: Several, index: int) -> None:
    """Whichever of three refunds is named, the two others keep every value."""
    if index not in several.steps:
        return closed_before(session, several, index)
    try:
        named_is_decided(several, index)
    except Failed:
        raise Blocked("the review did not decide the named refund (REVIEW-18)") from None
    others_are_unchanged(several, index)
    return None


def closed_before(session: Session, several: Several, index: int) -> None:
    """One open refund at a time is a legal reading: the earlier ones were approved to make way for the later.

    Raises:
        Blocked: it was closed by the review of another one.
    """
    if any(several.refunds[index].refund_id in before for before, _ in several.steps.values()):
        was = next(iter(several.steps.values()))[0].get(several.refunds[index].refund_id)
        if was is not None and was.status in several.api.pending:
            raise Blocked("the review of another refund of the order already decided this one (REVIEW-19)")
    session.observe("A27", "a second refund of an order is refused while one is open")


@requirement("REVIEW-20")
def test_a_refund_of_another_order_stays_as_it_is(several: Several) -> None:
    """Deciding refunds leaves that of another order of the same customer alone."""
    before, after = several.bystander
    if not any(refund.status in several.api.pending for refund in before.values()):
        raise Blocked("the refund of the other order is not open any more, so nothing could happen to it")
    verify.unchanged(before, after, "the refund of the other order")


# Reviews and refunds of a special kind, on one order.


SMUGGLED: dict[str, Any] = {
    "amount": "0.01", "status": "4", "lineItems": [], "createTime": "2001-01-01T00:00:00Z", "customerId": "1",
    "rightsType": "2", "shipping": {"shippingCarrierCode": "1", "shippingCarrier": "x", "trackingNumber": "SMUGGLED"},
}  # fmt: skip
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
    placed = {name: side_by_side.put(partial(row.create, api)) for name, row in rows.items()}
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
    api: RefundApi, session: Session, approval: Decision, rejection: Decision, specials: Specials, row: str
) -> None:
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
    verify.unchanged(but_for_the_review({key: before}), but_for_the_review({key: now}), "the values of the refund")


@requirement("REVIEW-25")
@pytest.mark.usefixtures("approval", "reviewed")
def test_a_refund_can_be_approved_after_refused_reviews(api: RefundApi, shipped_order: Order) -> None:
    """A refund that refused reviews were tried on is still open, and is approved."""
    refund = verify.given_refund(api, shipped_order)
    body = api.review_body(shipped_order.order_id, refund.refund_id, APPROVE)
    for action in (3, None):
        answer = api.review(refund.refund_id, body | {"action": action})
        answer.exchange.role = "probe"
        if not answer.refused:
            raise Blocked("an illegal action is already not refused (REVIEW-05, REVIEW-07)")
    verify.accepted(api.review_refund(shipped_order, refund, APPROVE))

    after = until_decided(api, shipped_order, (refund.refund_id, APPROVE))
    verify.holds(decided(api, after[refund.refund_id], APPROVE), wanted(api, APPROVE), after)


@requirement("REVIEW-30", late=True)
def test_the_first_approval_of_the_run_stands_at_its_end(
    api: RefundApi, session: Session, accepted_create: Refund
) -> None:
    """What was approved before the first check is still approved after all the others."""
    if session.base_order is None or session.base_status not in api.approved:
        raise Blocked("the first approval of the run was not seen to take effect (REVIEW-01)")
    allowed = {COMPLETED} if session.base_status is COMPLETED else api.approved

    now = verify.look_get(api, session.base_order, accepted_create)

    verify.holds(now.status in allowed, f"status {verify.shown(sorted(allowed))}", now)


@requirement("REVIEW-31", profile="full")
def test_a_rejection_stands_after_seconds(api: RefundApi, new_order: NewOrder, rejection: Decision) -> None:
    """What was rejected is still canceled seconds later, with no other review in between."""
    fresh = decision(api, new_order(), REJECT)
    if not fresh.took_effect:
        raise Blocked("the rejection was not seen to take effect (REVIEW-02)")
    api.wire.clock.sleep(max(0.0, fresh.at + LONG - api.wire.clock.monotonic()))

    now = verify.look_get(api, fresh.order, fresh.refund_id)

    if now.status is None:
        raise Blocked("the status cannot be read, which is judged as a field of its own (RECORD-28)")
    verify.holds(now.status in api.ends_of(REJECT), wanted(api, REJECT), now)
