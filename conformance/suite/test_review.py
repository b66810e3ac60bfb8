"""The review: each action in each state, on the named refund and on no other."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import define, evolve

from conformance import verify
from conformance.client import ABSENT, Answer, Part, RefundApi
from conformance.model import Action, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.plugin import requirement
from conformance.results import Blocked, Failed
from conformance.session import Session
from conformance.suite.conftest import NewOrder, Probes, ReviewBench, selected_rows

CANCELED, COMPLETED = RefundStatus.CANCELED, RefundStatus.COMPLETED
APPROVE, REJECT = Action.APPROVE, Action.REJECT
ACTIONS = pytest.mark.parametrize("action", [APPROVE, REJECT], ids=["approve", "reject"])


def decided(refund: Refund, action: Action) -> bool:
    """Say whether a refund is where an action should bring it."""
    return refund.status in (verify.APPROVED if action is APPROVE else {CANCELED})


def takes_effect(api: RefundApi, order: Order, refund: Refund, action: Action) -> Refund:
    """The refund gets to where the action brings it; returns it as it then is."""
    wanted = "2 or 3 (approved)" if action is APPROVE else "4 (canceled)"
    return verify.settles(
        api, lambda: verify.look_get(api, order, refund), lambda now: decided(now, action), f"status {wanted}"
    )


def but_for_the_review(refunds: dict[RefundId, Refund]) -> dict[RefundId, Refund]:
    """Leave out what a review may change: status and update time."""
    return {key: evolve(refund, status=None, update_time=None) for key, refund in refunds.items()}


@define
class Decision:
    """A refund before and after a review, and the answer between."""

    order: Order
    before: Refund
    answer: Answer
    after: Refund


@pytest.fixture(scope="module")
def approval(api: RefundApi, new_order: NewOrder) -> Decision:
    """A refund that was approved."""
    return decision(api, new_order(), APPROVE)


@pytest.fixture(scope="module")
def rejection(api: RefundApi, new_order: NewOrder) -> Decision:
    """A refund that was rejected."""
    return decision(api, new_order(), REJECT)


def decision(api: RefundApi, order: Order, action: Action) -> Decision:
    """Arrange a refund that was decided, as get shows it before and after."""
    before = verify.look_get(api, order, verify.given_refund(api, order, Part(order.line, 2)))
    answer = api.review_refund(order, before, action)
    answer.exchange.role = "probe"
    if not answer.accepted:
        raise Blocked(f"the review to look at was not accepted: {answer.described}")
    try:
        return Decision(order, before, answer, takes_effect(api, order, before, action))
    except Failed as failure:
        raise Blocked(f"the review to look at had not its effect: {failure.observed}") from None


@requirement("REVIEW-01", profile="quick")
def test_an_approval_is_carried_out(api: RefundApi, session: Session, shipped_order: Order) -> None:
    """Action 1 is accepted and the refund leaves status 1; or it is under way, and can no longer be rejected."""
    refund = verify.given_refund(api, shipped_order)
    verify.accepted(api.review_refund(shipped_order, refund, APPROVE))

    try:
        seen = takes_effect(api, shipped_order, refund, APPROVE)
        session.observe("A37", f"an approved refund goes to status {seen.status}")
    except Failed:
        # Reading A37 allows an approval that is still under way; one that can be rejected did nothing.
        late = verify.look_get(api, shipped_order, refund)
        rejected = api.review_refund(shipped_order, refund, REJECT)
        if late.status is not RefundStatus.INITIATED or rejected.accepted:
            raise
        session.observe("A37", "an approved refund stays in status 1 for long")


@requirement("REVIEW-02", profile="quick")
def test_a_rejection_cancels(api: RefundApi, shipped_order: Order) -> None:
    """Action 2 is accepted and the refund becomes canceled."""
    refund = verify.given_refund(api, shipped_order)
    verify.accepted(api.review_refund(shipped_order, refund, REJECT))

    takes_effect(api, shipped_order, refund, REJECT)


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(APPROVE, marks=requirement("REVIEW-03"), id="approve"),
        pytest.param(REJECT, marks=requirement("REVIEW-04", profile="quick"), id="reject"),
    ],
)
@pytest.mark.usefixtures("approval", "rejection")
def test_an_action_in_the_other_wire_form_means_the_same(api: RefundApi, shipped_order: Order, action: Action) -> None:
    """The action as text or as JSON number, whichever is not the usual form, is carried out or refused."""
    refund = verify.given_refund(api, shipped_order)
    body = api.review_body(shipped_order.order_id, refund.refund_id, action)
    body["action"] = int(action) if api.review_dialect.counts_as_text else str(int(action))

    answer = api.review(refund.refund_id, body)
    answer.exchange.role = "probe"

    if answer.refused:
        verify.same(refund.status, verify.look_get(api, shipped_order, refund).status, "the status after a refusal")
        return
    verify.accepted(answer)
    takes_effect(api, shipped_order, refund, action)


def with_field(name: str, value: object = ABSENT) -> Callable[[ReviewBench], Answer]:
    """Return a review of the open refund that is valid but for one field of its body."""

    def send(bench: ReviewBench) -> Answer:
        body = bench.body() | {name: value}
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


def with_body(body: object) -> Callable[[ReviewBench], Answer]:
    """Return a review with any body."""
    return lambda bench: bench.api.review(bench.refund.refund_id, body)


def near_miss(identifier: str) -> str:
    """Return an id that is not there: one digit longer."""
    return identifier + "7"


def of_unknown_order(bench: ReviewBench) -> Answer:
    """Review the open refund as one of an order that does not exist."""
    unknown = near_miss(bench.order.order_id)
    return bench.api.review(bench.refund.refund_id, bench.api.review_body(unknown, bench.refund.refund_id, APPROVE))


REFUSED: dict[str, tuple[str, Callable[[ReviewBench], Answer]]] = {
    "action 0": ("REVIEW-05", with_field("action", 0)),
    "action 3": ("REVIEW-05", with_field("action", 3)),
    "action '3'": ("REVIEW-05", with_field("action", "3")),
    "action -1": ("REVIEW-05", with_field("action", -1)),
    "action '12'": ("REVIEW-05", with_field("action", "12")),
    "action approve": ("REVIEW-06", with_field("action", "approve")),
    "action 1abc": ("REVIEW-06", with_field("action", "1abc")),
    "action 1.9": ("REVIEW-06", with_field("action", "1.9")),
    "action true": ("REVIEW-06", with_field("action", value=True)),
    "action [1]": ("REVIEW-06", with_field("action", [1])),
    "action {}": ("REVIEW-06", with_field("action", {"action": 1})),
    "no action": ("REVIEW-07", with_field("action")),
    "action null": ("REVIEW-07", with_field("action", None)),
    "action empty": ("REVIEW-07", with_field("action", "")),
    "no order": ("REVIEW-08", with_field("orderId")),
    "order null": ("REVIEW-08", with_field("orderId", None)),
    "order empty": ("REVIEW-08", with_field("orderId", "")),
    "unknown order": ("REVIEW-10", of_unknown_order),
    "refund with a digit more": ("REVIEW-11", of_refund(near_miss)),
    "refund with a digit less": ("REVIEW-11", of_refund(lambda refund_id: refund_id[:-1] or "0")),
    "body []": ("REVIEW-29", with_body([])),
    "body text": ("REVIEW-29", with_body("approve")),
    "body null": ("REVIEW-29", with_body(None)),
    "body 1": ("REVIEW-29", with_body(1)),
}
QUICK_ROWS = {"action 3", "action 0", "no action", "no order"}


@pytest.fixture(scope="module")
def refused_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Probes:
    """Reviews that differ from an accepted one in one thing alone."""
    probes = Probes(review_bench)
    rows = {name: partial(send_to, send, review_bench) for name, (_, send) in REFUSED.items()}
    probes.send(selected_rows(request, rows))
    return probes


def send_to(send: Callable[[ReviewBench], Answer], bench: ReviewBench, _: Order) -> Answer:
    """Send a probe to the bench, whose order it knows."""
    return send(bench)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement(identifier, profile="quick" if name in QUICK_ROWS else "standard"))
        for name, (identifier, _) in REFUSED.items()
    ],
)
def test_an_illegal_review_is_refused(refused_reviews: Probes, row: str) -> None:
    """A review with one thing wrong is refused, and decides nothing."""
    refused_reviews.judge(row)


@requirement("REVIEW-09", profile="quick")
@ACTIONS
def test_a_review_that_names_another_order_is_refused(
    review_bench: ReviewBench, new_order: NewOrder, action: Action
) -> None:
    """The order in the body must be the refund's."""
    other = new_order(customer_id=review_bench.order.customer_id) if action is APPROVE else new_order()
    body = review_bench.api.review_body(other.order_id, review_bench.refund.refund_id, action)
    review_bench.judge(review_bench.api.review(review_bench.refund.refund_id, body))


@define
class TwoRefunds:
    """Two open refunds, of one order or of two, with the control that each could be reviewed."""

    api: RefundApi
    first_order: Order
    first: Refund
    second_order: Order
    second: Refund

    def look(self) -> dict[RefundId, Refund]:
        """Return both as they are now."""
        first = verify.look_get(self.api, self.first_order, self.first)
        second = verify.look_get(self.api, self.second_order, self.second)
        return {first.refund_id: first, second.refund_id: second}


@requirement("REVIEW-12", profile="quick")
def test_path_and_body_naming_two_refunds_of_an_order_changes_neither(
    api: RefundApi, new_order: NewOrder, reviewed: Refund
) -> None:
    """A review in conflict with itself is refused, and both refunds are as they were."""
    order = new_order((5, "10.00"), (5, "7.00"))
    pair = TwoRefunds(
        api, order, verify.given_refund(api, order), order, verify.given_refund(api, order, Part(order.lines[1]))
    )
    conflict(api, pair, order)


@requirement("REVIEW-13", profile="quick")
@pytest.mark.parametrize("named", ["the body's order", "the path's order"])
def test_path_and_body_naming_refunds_of_two_orders_changes_neither(
    api: RefundApi, new_order: NewOrder, reviewed: Refund, named: str
) -> None:
    """A review in conflict with itself is refused, and both refunds are as they were."""
    one, two = new_order(), new_order()
    pair = TwoRefunds(api, one, verify.given_refund(api, one), two, verify.given_refund(api, two))
    conflict(api, pair, two if named == "the body's order" else one)


def conflict(api: RefundApi, pair: TwoRefunds, order: Order) -> None:
    """The path names the first refund, the body the second; nothing comes of it."""
    before = pair.look()
    answer = api.review(pair.first.refund_id, api.review_body(order.order_id, pair.second.refund_id, REJECT))
    if api.wire.lag:
        api.wire.clock.sleep(api.wire.lag)
    after = pair.look()
    moved = {refund_id for refund_id, refund in before.items() if refund.status in verify.PENDING}
    verify.no_effect(answer, {i: before[i] for i in moved}, {i: after[i] for i in moved})


@requirement("REVIEW-14", profile="quick")
def test_a_second_approval_changes_nothing(api: RefundApi, session: Session, approval: Decision) -> None:
    """An approved refund stays approved, with every value it had."""
    again(api, session, approval, APPROVE, verify.APPROVED)


@requirement("REVIEW-15")
def test_a_second_rejection_changes_nothing(api: RefundApi, session: Session, rejection: Decision) -> None:
    """A canceled refund stays canceled, with every value it had."""
    again(api, session, rejection, REJECT, {CANCELED})


@requirement("REVIEW-16", profile="quick")
def test_an_approval_after_a_rejection_changes_nothing(api: RefundApi, session: Session, rejection: Decision) -> None:
    """There is no way back from canceled."""
    again(api, session, rejection, APPROVE, {CANCELED})


@requirement("REVIEW-17", profile="quick")
def test_a_rejection_after_completion_changes_nothing(api: RefundApi, session: Session, approval: Decision) -> None:
    """There is no cancelling what was completed; what is in process is not judged (reading A39)."""
    now = verify.look_get(api, approval.order, approval.before)
    if now.status is COMPLETED:
        again(api, session, approval, REJECT, {COMPLETED})
        return
    answer = api.review_refund(approval.order, approval.before, REJECT)
    answer.exchange.role = "open"
    verify.holds(answer.status < 500, "an acceptance or a refusal", answer.described)
    session.observe("A39", f"rejecting a refund in process is answered with {answer.status}")


def again(api: RefundApi, session: Session, first: Decision, action: Action, allowed: set[RefundStatus]) -> None:
    """Another review of a decided refund leaves it as it is, whatever it answers."""
    answer = api.review_refund(first.order, first.before, action)
    answer.exchange.role = "probe"
    if api.wire.lag:
        api.wire.clock.sleep(api.wire.lag)
    now = verify.look_get(api, first.order, first.before)

    verify.holds(now.status in allowed, f"status {verify.shown(sorted(allowed))}", verify.shown(now.status))
    before, after = {now.refund_id: first.before}, {now.refund_id: now}
    verify.unchanged(but_for_the_review(before), but_for_the_review(after), "the values of the refund")
    verify.holds(answer.status < 500, "an acceptance or a refusal", answer.described)
    session.observe("A39", f"a review ({action.name.lower()}) of a decided refund is answered with {answer.status}")


@define
class Several:
    """An order with three refunds, decided one by one: what list showed before and after each review."""

    refunds: list[Refund]
    steps: dict[int, tuple[dict[RefundId, Refund], dict[RefundId, Refund]]]


@pytest.fixture(scope="module")
def several(api: RefundApi, new_order: NewOrder, approval: Decision, rejection: Decision) -> Several:
    """Three refunds of one order; the middle one is rejected, then the first approved, then the last rejected.

    A target that allows one open refund at a time (reading A27) has only the last one open: it alone is decided.
    """
    order = new_order((9, "10.00"))
    refunds = [verify.given_refund(api, order, Part(order.line, units)) for units in (1, 2, 3)]
    now = verify.look_again(api, order)
    steps = {}
    for index, action in ((1, REJECT), (0, APPROVE), (2, REJECT)):
        refund_id = refunds[index].refund_id
        if refund_id not in now or now[refund_id].status not in verify.PENDING:
            continue
        before = now
        answer = api.review_refund(order, refunds[index], action)
        answer.exchange.role = "probe"
        now = until_decided(api, order, refund_id, action)
        steps[index] = (before, now)
    return Several(refunds, steps)


def until_decided(api: RefundApi, order: Order, refund_id: RefundId, action: Action) -> dict[RefundId, Refund]:
    """Return the order's refunds once the named one is decided, or as they are when it never is."""
    try:
        return verify.settles(
            api,
            lambda: verify.look_list(api, order),
            lambda seen: refund_id in seen and decided(seen[refund_id], action),
            "the decision",
        )
    except Failed:
        return verify.look_list(api, order)


WHICH = pytest.mark.parametrize("index", [0, 1, 2], ids=["first", "middle", "last"])


@requirement("REVIEW-18", profile="quick")
@WHICH
def test_the_named_one_of_several_refunds_is_decided(session: Session, several: Several, index: int) -> None:
    """Whichever of three refunds is named, it is decided."""
    if index not in several.steps:
        return closed_before(session)
    refund_id = several.refunds[index].refund_id
    after = several.steps[index][1]
    action = APPROVE if index == 0 else REJECT
    verify.holds(refund_id in after and decided(after[refund_id], action), "the named refund decided", after)
    return None


@requirement("REVIEW-19", profile="quick")
@WHICH
def test_the_others_of_several_refunds_stay_as_they_are(session: Session, several: Several, index: int) -> None:
    """Whichever of three refunds is named, the two others keep every value."""
    if index not in several.steps:
        return closed_before(session)
    before, after = (
        {refund_id: refund for refund_id, refund in refunds.items() if refund_id != several.refunds[index].refund_id}
        for refunds in several.steps[index]
    )
    verify.unchanged(settled_approvals(before), settled_approvals(after), "the other refunds")
    return None


def settled_approvals(refunds: dict[RefundId, Refund]) -> dict[RefundId, Refund]:
    """Take an approved refund for the same in process and completed: it may get there on its own (reading A37)."""
    return {
        key: evolve(refund, status=COMPLETED, update_time=None) if refund.status in verify.APPROVED else refund
        for key, refund in refunds.items()
    }


def closed_before(session: Session) -> None:
    """One open refund at a time is a legal reading: the earlier ones were approved to make way for the later."""
    session.observe("A27", "a second refund of an order is refused while one is open")


@requirement("REVIEW-20")
def test_a_refund_of_another_order_stays_as_it_is(api: RefundApi, new_order: NewOrder, approval: Decision) -> None:
    """Deciding a refund leaves that of another order of the same customer alone."""
    one = new_order()
    two = new_order(customer_id=one.customer_id)
    refund, bystander = verify.given_refund(api, one), verify.given_refund(api, two)
    before = {bystander.refund_id: verify.look_get(api, two, bystander)}
    verify.given_review(api, one, refund, APPROVE)

    verify.unchanged(
        before, {bystander.refund_id: verify.look_get(api, two, bystander)}, "the refund of the other order"
    )


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
    key = seen.before.refund_id
    verify.unchanged(
        but_for_the_review({key: seen.before}), but_for_the_review({key: seen.after}), "the values of the refund"
    )


SMUGGLED: dict[str, Any] = {
    "amount": "0.01", "status": "4", "lineItems": [], "createTime": "2001-01-01T00:00:00Z", "customerId": "1",
}  # fmt: skip


@requirement("REVIEW-23")
def test_smuggled_fields_are_ignored_or_refused(api: RefundApi, shipped_order: Order, approval: Decision) -> None:
    """An approval that carries fields of the record approves, or is refused; it writes none of them."""
    refund = verify.look_get(api, shipped_order, verify.given_refund(api, shipped_order))
    body = api.review_body(shipped_order.order_id, refund.refund_id, APPROVE)

    answer = api.review(refund.refund_id, body | SMUGGLED | {"refund": SMUGGLED})
    answer.exchange.role = "probe"

    if answer.accepted:
        now = takes_effect(api, shipped_order, refund, APPROVE)
    else:
        now = verify.look_get(api, shipped_order, refund)
        verify.same(refund.status, now.status, "the status after a refusal")
    key = refund.refund_id
    verify.unchanged(but_for_the_review({key: refund}), but_for_the_review({key: now}), "the values of the refund")
    verify.holds(answer.status < 500, "an acceptance or a refusal", answer.described)


@pytest.mark.parametrize("name", ["approval", "rejection"])
@requirement("REVIEW-24", profile="quick")
def test_the_answer_to_a_review_says_what_is_stored(request: pytest.FixtureRequest, name: str) -> None:
    """The refund in the answer is the stored one; its status may be one on the way there (readings A37, A38)."""
    seen: Decision = request.getfixturevalue(name)
    told, key = seen.answer.refund, seen.before.refund_id
    if told is None:
        raise Failed("the refund in the answer", seen.answer.described)
    allowed = {1, 2, 3} if name == "approval" else {1, 2, 4}
    verify.holds(told.status is None or told.status in allowed, f"one of the statuses {sorted(allowed)}", told.status)
    verify.same(key, told.refund_id, "the refundId in the answer")
    verify.unchanged(but_for_the_review({key: seen.after}), but_for_the_review({key: told}), "the values in the answer")


@requirement("REVIEW-25", late=True)
def test_a_refund_can_be_approved_after_refused_reviews(review_bench: ReviewBench) -> None:
    """The refund that all refused reviews were tried on is still open, and is approved."""
    api, order, refund = review_bench.api, review_bench.order, review_bench.refund
    if verify.look_get(api, order, refund).status not in verify.PENDING:
        raise Blocked("a refused review already changed the refund")
    verify.accepted(api.review_refund(order, refund, APPROVE))

    takes_effect(api, order, refund, APPROVE)


@requirement("REVIEW-26")
@ACTIONS
@pytest.mark.usefixtures("approval", "rejection")
def test_a_refund_without_return_is_decided_too(api: RefundApi, shipped_order: Order, action: Action) -> None:
    """A refund of type 2 gets to where the action brings it."""
    refund = verify.given_refund(api, shipped_order, rights_type=RightsType.REFUND)
    verify.accepted(api.review_refund(shipped_order, refund, action))

    takes_effect(api, shipped_order, refund, action)


@requirement("REVIEW-27")
@ACTIONS
@pytest.mark.usefixtures("approval", "rejection")
def test_a_refund_of_several_lines_is_decided_as_a_whole(api: RefundApi, new_order: NewOrder, action: Action) -> None:
    """A refund of three lines gets to where the action brings it, with all its lines."""
    order = new_order((3, "10.00"), (4, "7.50"), (5, "0.99"))
    parts = [Part(line, index + 1) for index, line in enumerate(order.lines)]
    refund = verify.look_get(api, order, verify.given_refund(api, order, *parts))
    verify.accepted(api.review_refund(order, refund, action))

    now = takes_effect(api, order, refund, action)
    verify.same(refund.quantities, now.quantities, "the units of each line")


@requirement("REVIEW-28")
@pytest.mark.usefixtures("approval", "rejection")
def test_a_body_without_the_refund_id_acts_on_the_path_s(
    api: RefundApi, session: Session, shipped_order: Order
) -> None:
    """The refund of the path is decided, or nothing is."""
    refund = verify.given_refund(api, shipped_order)
    body = api.review_body(shipped_order.order_id, refund.refund_id, REJECT)
    del body["refundId"]

    answer = api.review(refund.refund_id, body)
    answer.exchange.role = "probe"

    session.observe("A40", f"a review without refundId in its body is answered with {answer.status}")
    if answer.refused:
        verify.same(refund.status, verify.look_get(api, shipped_order, refund).status, "the status after a refusal")
        return
    verify.accepted(answer)
    takes_effect(api, shipped_order, refund, REJECT)
