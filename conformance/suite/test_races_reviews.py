"""Reviews at the same moment as others, or as creates: each refund comes to one end."""

import contextlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId, RefundStatus
from conformance.outcome import Blocked, Failed, Unanswered
from conformance.running.plugin import requirement
from conformance.suite.given.benches import NewOrder, OpenRefunds, Placed
from conformance.suite.given.bursts import LastUnits, taken, together


@define
class Contest:
    """Contrary reviews of a refund, their answers, and what get showed when that had the time to settle, and later."""

    order: Order
    actions: Sequence[Action]
    answers: list[Answer]
    ends: frozenset[RefundStatus]
    settled: Refund
    later: Refund

    def judge(self, api: RefundApi) -> None:
        """The reviews brought the refund to one end.

        Raises:
            Failed: an answer is neither acceptance nor refusal, the answers name two ends, the refund stays open though
                one was accepted, or it moves on from its end.
        """
        for answer in self.answers:
            verify.decided(answer)
        told = told_by(self.answers)
        verify.holds(not told >= verify.FINAL, "one outcome in the answers", told)
        expected = f"the outcome that was answered within {api.wire.limits.settle:g} s"
        verify.holds(self.settled.status in self.ends or not self.ends, expected, f"still {verify.shown(self.settled)}")
        stays = self.later.status is self.settled.status or self.settled.status is RefundStatus.IN_PROCESS
        verify.holds(stays, "the status it had", self.later.status)


def told_by(answers: Sequence[Answer]) -> set[RefundStatus | None]:
    """Return the statuses that answers tell."""
    return {answer.refund.status for answer in answers if answer.refund is not None}


def contest(api: RefundApi, order: Order, actions: Sequence[Action], *, at_once: bool) -> Contest:
    """Review a new refund in contrary ways, at one moment or one after another."""
    refund = arrange.given_refund(api, order)
    sends = [partial(api.review_at_once, order, refund.refund_id, action) for action in actions]
    answers = together(api, sends) if at_once else [send() for send in sends]
    accepted = [api.ends_of(action) for action, answer in zip(actions, answers, strict=True) if answer.accepted]
    told = frozenset(status for status in verify.FINAL if status in told_by(answers))
    ends = told or frozenset[RefundStatus]().union(*accepted)
    settled = verify.patiently(
        api, lambda: verify.look_get(api, order, refund), lambda now: now.status in ends or not ends
    )
    return Contest(order, actions, answers, ends, settled, verify.look_get(api, order, refund))


@pytest.fixture(scope="module")
def contests(api: RefundApi, new_order: NewOrder, reviewed: Refund) -> list[Contest]:
    """An approval and a rejection at one moment, and another time a rejection and an approval."""
    turns = [Action.APPROVE, Action.REJECT], [Action.REJECT, Action.APPROVE]
    return [contest(api, new_order(), actions, at_once=True) for actions in turns]


@requirement("RACE-05")
@pytest.mark.parametrize("turn", [1, 2])
def test_an_approval_and_a_rejection_at_once_have_one_outcome(
    api: RefundApi, new_order: NewOrder, contests: list[Contest], turn: int
) -> None:
    """One of the decisions stands: no answer says completed while another says canceled, and nothing moves later."""
    held = contests[turn - 1]
    try:
        held.judge(api)
    except Failed:
        try:
            contest(api, new_order(), held.actions, at_once=False).judge(api)
            contest(api, new_order(), held.actions[::-1], at_once=False).judge(api)
        except Failed as failure:
            raise Blocked(f"reviews one after another already have no one outcome: {failure}") from None
        raise


@requirement("RACE-12")
def test_a_rejection_that_lost_against_an_approval_gives_nothing_back(
    api: RefundApi, new_order: NewOrder, contests: list[Contest]
) -> None:
    """After both at the same moment, a refund that came out approved takes up its units: not all can be refunded."""
    for held in contests:
        try:
            held.judge(api)
        except Failed as failure:
            raise Blocked(f"the reviews already have no one outcome (RACE-05): {failure}") from None
    came_out_approved = {RefundStatus.IN_PROCESS, RefundStatus.COMPLETED} - api.pending
    chosen = next((held for held in contests if held.later.status in came_out_approved), contests[0])
    units = units_with_all_asked_for(api, chosen.order)  # sent in any case: a run sends as many whoever wins
    if chosen.later.status in came_out_approved and units > chosen.order.line.quantity:
        order = new_order()
        refund = arrange.given_refund(api, order)
        arrange.given_review(api, order, refund, Action.APPROVE)
        api.review_refund(order, refund, Action.REJECT).exchange.role = "control"
        if units_with_all_asked_for(api, order) > order.line.quantity:
            raise Blocked("a rejection after the approval already gives units back (CREATE-18, CREATE-41)")
        raise Failed(f"at most {chosen.order.line.quantity} units refunded", f"{units} units")


def units_with_all_asked_for(api: RefundApi, order: Order) -> Decimal:
    """Ask for as many units of a line as were ordered, and return how many are refunded then (reading A26)."""
    answer = api.create_refund(order, Part(order.line, order.line.quantity))
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    return taken(verify.look_list(api, order))


@define
class Decisions:
    """An approval of one refund and a rejection of another, with a create, a replay, a get and a list besides.

    ``ends`` are the statuses that each refund must have come to of which something was accepted, ``by`` is the answer
    that says so, and ``there`` are the refunds of the orders when that had the time to show, by list and, if one was
    approved, that one by get: what was read at the moment of the decision may have been kept for later.
    """

    answers: list[Answer]
    by: dict[RefundId, Answer]
    ends: dict[RefundId, frozenset[RefundStatus]]
    there: dict[RefundId, Refund]

    @property
    def silent(self) -> list[Answer]:
        """The requests that no answer came to; then nothing else of this is known."""
        return [answer for answer in self.answers if answer.exchange.trouble is not None]

    def break_nothing(self) -> None:
        """Each of the requests was accepted or refused.

        Raises:
            Failed: one was not.
            Blocked: no answer came to one.
        """
        for answer in self.answers:
            verify.decided(answer)

    def stand(self) -> None:
        """Everything that was accepted is there.

        Raises:
            Failed: a decision or the new refund is not.
        """
        for refund_id, ends in self.ends.items():
            if not in_state(self.there, refund_id, ends):
                now = verify.shown(self.there[refund_id]) if refund_id in self.there else "no such refund"
                expected = (
                    f"refund {refund_id} with one of the statuses that were accepted: {verify.shown(sorted(ends))}"
                )
                raise Failed(expected, now, self.by[refund_id].exchange)

    @property
    def undecided(self) -> bool:
        """Whether a refund is there in a state that was not accepted for it; not so when it is merely missing."""
        return not all(self.there[key].status in ends for key, ends in self.ends.items() if key in self.there)


def in_state(there: Mapping[RefundId, Refund], refund_id: RefundId, ends: frozenset[RefundStatus]) -> bool:
    """Say whether a refund is there, and in one of some states."""
    return refund_id in there and there[refund_id].status in ends


def decide(api: RefundApi, approved: Placed, rejected: Placed, in_turn: Sequence[int] | None = None) -> Decisions:
    """Decide on two open refunds while more is asked of their order: at one moment, or one after another in some turn.

    What only reads, or adds, is let go first, so that a decision falls between its reading and its writing.
    """
    order = approved.order
    sends = [
        partial(api.create, api.create_body(order)),
        partial(api.create, approved.body),
        partial(api.get_refund, order, approved.refund),
        partial(api.list_refunds, order),
        partial(api.review_at_once, order, approved.refund.refund_id, Action.APPROVE),
        partial(api.review_at_once, rejected.order, rejected.refund.refund_id, Action.REJECT),
    ]
    if in_turn is None:
        answers = together(api, sends)
    else:
        sent = {which: sends[which]() for which in in_turn}
        answers = [sent[which] for which in range(len(sends))]

    if any(answer.exchange.trouble is not None for answer in answers):
        return Decisions(answers, {}, {}, {})
    new, _, _, _, approval, rejection = answers
    by, ends = {}, {}
    if new.refund is not None:
        by[new.refund.refund_id], ends[new.refund.refund_id] = new, frozenset(RefundStatus) - {RefundStatus.CANCELED}
    if approval.accepted:
        by[approved.refund.refund_id], ends[approved.refund.refund_id] = approval, api.ends_of(Action.APPROVE)
    if rejection.accepted:
        by[rejected.refund.refund_id], ends[rejected.refund.refund_id] = rejection, api.ends_of(Action.REJECT)
    orders = {each.order.order_id for each in (approved, rejected)}
    there = verify.patiently(
        api,
        lambda: {key: refund for each in orders for key, refund in verify.look_list(api, each).items()},
        lambda seen: all(in_state(seen, *entry) for entry in ends.items()),
    )
    if in_state(there, approved.refund.refund_id, api.ends_of(Action.APPROVE)):
        there |= by_get(api, approved)
    return Decisions(answers, by, ends, there)


def by_get(api: RefundApi, approved: Placed) -> dict[RefundId, Refund]:
    """Return an approved refund as get shows it once it does, or at last if it does not; nothing if get shows none."""
    ends = api.ends_of(Action.APPROVE)
    with contextlib.suppress(Blocked):
        seen = verify.patiently(
            api, lambda: verify.look_get(api, approved.order, approved.refund), lambda now: now.status in ends
        )
        return {seen.refund_id: seen}
    return {}


@pytest.fixture(scope="module")
def decisions(api: RefundApi, new_order: NewOrder, reviewed: Refund, last_units: LastUnits) -> Decisions:
    """Decisions on two of the refunds that the burst for the last units left open, or on others where it did not."""
    made = {
        answer.refund.refund_id: Placed(last_units.order, body, answer.refund)
        for body, answer in zip(last_units.bodies, last_units.answers, strict=True)
        if answer.refund is not None and in_state(last_units.there, answer.refund.refund_id, api.pending)
    }
    others = OpenRefunds(api, new_order)
    approved, rejected = [*made.values(), *(others.put(api.create_body) for _ in range(2 - len(made)))][:2]
    return decide(api, approved, rejected)


TURNS = (0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 5, 4), (4, 5, 3, 2, 1, 0), (5, 4, 3, 2, 1, 0)
"""The decisions after all else and before it, each of the two before the other."""


def insist_on_decisions_in_turn(api: RefundApi, new_order: NewOrder) -> None:
    """One after another, in whatever turn, the same requests break and undo nothing; else a burst proves nothing."""
    for in_turn in TURNS:
        refunds = OpenRefunds(api, new_order)
        done = decide(api, refunds.put(api.create_body), refunds.put(api.create_body), in_turn)
        try:
            done.break_nothing()
            done.stand()
        except Failed as failure:
            raise Blocked(f"decisions one after another already go wrong: {failure}") from None


@requirement("RACE-11")
def test_decisions_on_two_refunds_at_once_both_stand(
    api: RefundApi, new_order: NewOrder, last_units: LastUnits, decisions: Decisions
) -> None:
    """One refund is approved and another rejected, while the order is asked for more: what is accepted is there."""
    try:
        decisions.break_nothing()
    except Failed:
        raise Blocked("a request of the burst broke the server (RACE-08)") from None
    try:
        decisions.stand()
    except Failed:
        if not decisions.undecided and last_units.told - last_units.there.keys():
            raise Blocked("of several creates at once some are already not kept (RACE-10)") from None
        insist_on_decisions_in_turn(api, new_order)
        raise


@requirement("RACE-08")
def test_decisions_at_once_break_nothing(api: RefundApi, new_order: NewOrder, decisions: Decisions) -> None:
    """A create, a replay, a get, a list, an approval and a rejection at one moment are each accepted or refused."""
    if decisions.silent:
        refunds = OpenRefunds(api, new_order)
        again = decide(api, refunds.put(api.create_body), refunds.put(api.create_body)).silent
        if again:
            insist_on_decisions_in_turn(api, new_order)
            observed = f"{again[0].described}, twice, while the same requests were answered one after another"
            raise Unanswered("an acceptance or a refusal", observed, again[0].exchange)
    try:
        decisions.break_nothing()
    except Failed:
        insist_on_decisions_in_turn(api, new_order)
        raise
