"""Equal reviews at the same moment, as a double click sends them: they decide once, and give units back once."""

from decimal import Decimal
from functools import partial

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Refund, RefundId
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.suite.given.benches import NewOrder, OpenRefunds, Placed
from conformance.suite.given.bursts import taken, together

TIMES = 2
"""How often each review is sent."""
UNITS = {Action.REJECT: 2, Action.APPROVE: 3}
"""Units of the refund that is rejected and of the one that is approved: together all of their line."""


@define
class Equals:
    """Reviews of two open refunds, each sent several times, and all refunds of their orders when they had settled."""

    api: RefundApi
    placed: dict[Action, Placed]
    answers: dict[Action, list[Answer]]
    there: dict[RefundId, Refund]

    def judge(self, action: Action) -> None:
        """The reviews of a refund decided it, once.

        Raises:
            Failed: one got no proper answer, the refund is not where those that were accepted bring it, or there is
                another one.
        """
        answers, refund_id = self.answers[action], self.placed[action].refund.refund_id
        for answer in answers:
            self.api.wire.show(answer.exchange)
            verify.decided(answer)
        ends = self.api.ends_of(action) if any(answer.accepted for answer in answers) else self.api.pending
        now = self.there.get(refund_id)
        verify.holds(now is not None and now.status in ends, f"status {verify.shown(sorted(ends))}", verify.shown(now))
        made = {placed.refund.refund_id for placed in self.placed.values()}
        verify.same([], sorted(self.there.keys() - made), "refunds that nobody asked for")


def review(api: RefundApi, new_order: NewOrder, *, at_once: bool) -> Equals:
    """Review two open refunds several times each, at one moment or one after another."""
    refunds = OpenRefunds(api, partial(new_order, (sum(UNITS.values()), "10.00")))
    placed = {
        action: refunds.put(lambda order, units=units: api.create_body(order, Part(order.line, units)))  # type: ignore[misc]
        for action, units in UNITS.items()
    }
    answers = {}
    for action, each in placed.items():
        sends = [partial(api.review_at_once, each.order, each.refund.refund_id, action)] * TIMES
        answers[action] = together(api, sends) if at_once else [send() for send in sends]
    ends = {each.refund.refund_id: api.ends_of(action) for action, each in placed.items()}
    there = verify.patiently(
        api, refunds.look, lambda seen: all(key in seen and seen[key].status in ends[key] for key in ends)
    )
    return Equals(api, placed, answers, there)


@pytest.fixture(scope="module")
def equals(api: RefundApi, new_order: NewOrder, reviewed: Refund) -> Equals:
    """Equal rejections of one refund at one moment, and then equal approvals of another."""
    return review(api, new_order, at_once=True)


@requirement("RACE-14")
@pytest.mark.parametrize("action", list(UNITS), ids=["rejections", "approvals"])
def test_equal_reviews_at_once_decide_once(api: RefundApi, new_order: NewOrder, equals: Equals, action: Action) -> None:
    """Each is accepted or refused, and the refund is where they bring it, and the only one."""
    try:
        equals.judge(action)
    except Failed:
        try:
            review(api, new_order, at_once=False).judge(action)
        except Failed as failure:
            raise Blocked(f"equal reviews one after another already go wrong: {failure}") from None
        raise


@requirement("RACE-15")
def test_equal_rejections_at_once_give_units_back_once(api: RefundApi, new_order: NewOrder, equals: Equals) -> None:
    """When all that is left was asked for, as many units again as were rejected are not there."""
    try:
        equals.judge(Action.REJECT)
    except Failed as failure:
        raise Blocked(f"the reviews already went wrong (RACE-14): {failure}") from None
    units = units_in_the_end(equals)
    if units > sum(UNITS.values()):
        if units_in_the_end(review(api, new_order, at_once=False)) > sum(UNITS.values()):
            raise Blocked("a second rejection already gives units back once more (REVIEW-15)")
        raise Failed(f"at most {sum(UNITS.values())} units refunded", f"{units} units")


def units_in_the_end(equals: Equals) -> Decimal:
    """Ask for what is left after the reviews, and as much again as was rejected; return how much is refunded then."""
    api, order = equals.api, equals.placed[Action.REJECT].order
    own = {refund_id: refund for refund_id, refund in equals.there.items() if refund.order_id in {None, order.order_id}}
    left = max(order.line.quantity - int(taken(own)), 1)  # none, where the target was too busy to reject it
    for units in (left, UNITS[Action.REJECT]):
        answer = api.create_refund(order, Part(order.line, units))
        if answer.refused and arrange.approve_open(api, order):
            answer = api.create_refund(order, Part(order.line, units))
        answer.exchange.role = "probe"
        answer.exchange.exempt = True
    return taken(verify.look_list(api, order))
