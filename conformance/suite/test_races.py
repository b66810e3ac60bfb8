"""Requests at the same moment: what holds one after another also holds at once."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from attrs import define

from conformance.http.burst import at_once
from conformance.http.client import Answer, Part, RefundApi
from conformance.judging import verify
from conformance.model import Action, Order, Refund, RefundId, RefundStatus
from conformance.results import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.suite.given.benches import NewOrder, OpenRefunds, Placed

BURST = 5


def together(api: RefundApi, sends: Sequence[partial[Answer]]) -> list[Answer]:
    """Send probes at one moment."""
    answers = at_once(api.wire, sends)
    for answer in answers:
        answer.exchange.role = "probe"
    return answers


def taken(there: Mapping[RefundId, Refund]) -> Decimal:
    """Return how many units refunds take back; canceled ones take none."""
    counted = [refund for refund in there.values() if refund.status is not RefundStatus.CANCELED]
    return sum((sum(refund.quantities.values(), Decimal(0)) for refund in counted), Decimal(0))


@define
class SameKey:
    """Equal creates under one key, sent at one moment: the answers, and the order's refunds then and after a replay."""

    order: Order
    answers: list[Answer]
    there: dict[RefundId, Refund]
    replay: Answer
    finally_there: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def same_key(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> SameKey:
    """A burst of equal creates, then one more."""
    order = new_order()
    body = api.create_body(order)
    answers = together(api, [partial(api.create, body)] * BURST)
    there = verify.look_list(api, order)
    replay = api.create(body)
    replay.exchange.role = "probe"
    return SameKey(order, answers, there, replay, verify.look_list(api, order))


def insist_on_replays_in_turn(api: RefundApi, order: Order, *units: int) -> None:
    """One after another, creates under one key make one refund and break nothing; otherwise a burst proves nothing."""
    key = api.keys()
    bodies = [api.create_body(order, Part(order.line, quantity), request_no=key) for quantity in units]
    answers = [api.create(body) for body in bodies]
    for answer in answers:
        answer.exchange.role = "control"
    there = verify.look_list(api, order)
    if len(there) != 1 or any(answer.status >= 500 for answer in answers):
        raise Blocked("requests under one key already go wrong one after another (see idempotency)")


EQUAL = (1,) * (BURST + 1)


@requirement("RACE-01")
def test_equal_creates_at_once_make_one_refund(api: RefundApi, new_order: NewOrder, same_key: SameKey) -> None:
    """Five equal bodies at the same moment leave one refund on the order."""
    if len(same_key.there) != 1:
        insist_on_replays_in_turn(api, new_order(), *EQUAL)
        raise Failed("one refund on the order", verify.shown(same_key.there))


@requirement("RACE-02")
def test_equal_creates_at_once_name_the_one_refund(same_key: SameKey) -> None:
    """Every accepted answer of the burst names the refund that is on the order."""
    if len(same_key.there) > 1:
        raise Blocked("the burst made more than one refund (RACE-01)")
    for answer in same_key.answers:
        if answer.accepted:
            told = None if answer.refund is None else answer.refund.refund_id
            verify.same(list(same_key.there), [told], "the refund in the answer")


@requirement("RACE-03")
def test_the_key_of_a_burst_protects_afterwards(api: RefundApi, new_order: NewOrder, same_key: SameKey) -> None:
    """One more of the equal bodies is a replay like any other."""
    try:
        verify.same(sorted(same_key.there), sorted(same_key.finally_there), "the refunds of the order after a replay")
        in_one_piece(same_key.replay)
    except Failed:
        insist_on_replays_in_turn(api, new_order(), *EQUAL)
        raise


def in_one_piece(answer: Answer) -> None:
    """The answer is an acceptance or a refusal.

    Raises:
        Failed: it is neither.
    """
    verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)


@requirement("RACE-09")
def test_different_creates_under_one_key_at_once_make_one_refund(
    api: RefundApi, new_order: NewOrder, same_key: SameKey
) -> None:
    """Bodies that ask for one, two and three units under one key leave one refund on the order."""
    if len(same_key.there) > 1:
        raise Blocked("equal creates at once already made more than one refund (RACE-01)")
    order, key = new_order((9, "10.00")), api.keys()
    bodies = [api.create_body(order, Part(order.line, units), request_no=key) for units in (1, 2, 3)]

    together(api, [partial(api.create, body) for body in bodies])

    there = verify.look_list(api, order)
    if len(there) != 1:
        insist_on_replays_in_turn(api, new_order((9, "10.00")), 1, 2, 3)
        insist_on_replays_in_turn(api, new_order((9, "10.00")), 3, 2, 1)
        raise Failed("one refund on the order", verify.shown(there))


@requirement("RACE-13")
def test_equal_creates_at_once_use_up_the_units_of_one(api: RefundApi, new_order: NewOrder, same_key: SameKey) -> None:
    """After five equal creates of one unit at the same moment, all the other units can still be refunded."""
    if not len(same_key.there) == len(same_key.finally_there) == 1:
        raise Blocked("equal creates at once did not make one refund that stays the only one (RACE-01, RACE-03)")
    try:
        leave_the_rest(api, same_key.order, same_key.finally_there)
    except Failed:
        order = new_order()
        insist_on_replays_in_turn(api, order, *EQUAL)
        try:
            leave_the_rest(api, order, verify.look_list(api, order))
        except Failed:
            raise Blocked("equal creates one after another already use up more units (see idempotency)") from None
        raise


def leave_the_rest(api: RefundApi, order: Order, there: Mapping[RefundId, Refund]) -> None:
    """All units of the order's line that its refunds leave are refunded when they are asked for.

    Where they may have to wait for the decision on an open refund (reading A27), it is approved first.

    Raises:
        Failed: they are not.
    """
    rest = Part(
        order.line, int(order.line.quantity - sum(sum(verify.units_of(one).values()) for one in there.values()))
    )
    answer = api.create_refund(order, rest)
    answer.exchange.role = "probe"
    if answer.refused and verify.approve_open(api, order):
        answer = api.create_refund(order, rest)
        answer.exchange.role = "probe"
    units = taken(verify.look_list(api, order))
    if units != order.line.quantity:
        seen = f"{answer.described}, and {units} units refunded"
        raise Failed(f"{rest.quantity} more units refunded, and with them all", seen, answer.exchange)


@define
class LastUnits:
    """Creates for more units than there are, sent at one moment: the order, bodies, answers, and its refunds after."""

    order: Order
    bodies: list[dict[str, Any]]
    answers: list[Answer]
    there: dict[RefundId, Refund]

    @property
    def told(self) -> set[RefundId]:
        """The refunds that the answers tell of."""
        return {answer.refund.refund_id for answer in self.answers if answer.refund is not None}


@pytest.fixture(scope="module")
def last_units(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> LastUnits:
    """A burst of creates that each ask for two of five units."""
    order = new_order((5, "10.00"))
    bodies = [api.create_body(order, Part(order.line, 2)) for _ in range(BURST)]
    answers = together(api, [partial(api.create, body) for body in bodies])
    return LastUnits(order, bodies, answers, verify.look_list(api, order))


@requirement("RACE-04")
def test_creates_at_once_never_refund_more_than_was_ordered(
    last_units: LastUnits, api: RefundApi, new_order: NewOrder
) -> None:
    """Five requests for two of five units leave at most five units refunded."""
    units = taken(last_units.there)
    if units > last_units.order.line.quantity:
        insist_that_one_after_another_is_bounded(api, new_order((3, "10.00")))
        raise Failed("at most 5 units refunded", f"{units} units in {len(last_units.there)} refunds")


def insist_that_one_after_another_is_bounded(api: RefundApi, order: Order) -> None:
    """Two requests one after another for two of three units do not both succeed; else the race proves nothing."""
    verify.given_refund(api, order, Part(order.line, 2))
    second = api.create_refund(order, Part(order.line, 2))
    second.exchange.role = "control"
    if second.accepted:
        raise Blocked("more units than were ordered are refunded one after another already (see creation)")


@requirement("RACE-10")
def test_creates_at_once_are_all_kept(last_units: LastUnits) -> None:
    """Each of the refunds that a burst on one order was answered with is on the order."""
    if not last_units.told:
        raise Blocked("none of the creates was accepted")
    kept = last_units.told & last_units.there.keys()
    verify.same(sorted(last_units.told), sorted(kept), "the refunds of the order")


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
            in_one_piece(answer)
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
    refund = verify.given_refund(api, order)
    sends = [partial(api.review_refund, order, refund, action) for action in actions]
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
        refund = verify.given_refund(api, order)
        verify.given_review(api, order, refund, Action.APPROVE)
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
    """An approval of one refund and a rejection of another, with a create, a replay and a get besides.

    ``ends`` are the statuses that each refund must have come to of which something was accepted, ``by`` is the answer
    that says so, and ``there`` are the refunds of the orders when that had the time to show.
    """

    answers: list[Answer]
    by: dict[RefundId, Answer]
    ends: dict[RefundId, frozenset[RefundStatus]]
    there: dict[RefundId, Refund]

    def break_nothing(self) -> None:
        """Each of the requests was accepted or refused."""
        for answer in self.answers:
            in_one_piece(answer)

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
        partial(api.review_refund, order, approved.refund, Action.APPROVE),
        partial(api.review_refund, rejected.order, rejected.refund, Action.REJECT),
    ]
    if in_turn is None:
        answers = together(api, sends)
    else:
        sent = {which: sends[which]() for which in in_turn}
        answers = [sent[which] for which in range(len(sends))]

    new, _, _, approval, rejection = answers
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
    return Decisions(answers, by, ends, there)


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


TURNS = (0, 1, 2, 3, 4), (0, 1, 2, 4, 3), (3, 4, 2, 1, 0), (4, 3, 2, 1, 0)
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
    """A create, a replay, a get, an approval and a rejection at the same moment are each accepted or refused."""
    try:
        decisions.break_nothing()
    except Failed:
        insist_on_decisions_in_turn(api, new_order)
        raise


@define
class Distinct:
    """Creates for four orders at one moment; ``known`` are the refunds that earlier creates were answered with."""

    made: list[tuple[Order, Answer]]
    bodies: list[dict[str, Any]]
    known: frozenset[RefundId]


@pytest.fixture(scope="module")
def distinct(api: RefundApi, new_order: NewOrder) -> Distinct:
    """Creates for four orders at one moment, each for another number of units."""
    orders = [new_order((9, "10.00")) for _ in range(4)]
    bodies = [api.create_body(order, Part(order.line, units + 1)) for units, order in enumerate(orders)]
    known = frozenset(api.told)
    made = zip(orders, together(api, [partial(api.create, body) for body in bodies]), strict=True)
    return Distinct(list(made), bodies, known)


@requirement("RACE-07")
def test_creates_at_once_store_their_own_data(api: RefundApi, distinct: Distinct) -> None:
    """Four orders get a refund each, of the units and the line that were asked for; one that is refused, when alone."""
    ids = [answer.refund.refund_id for _, answer in distinct.made if answer.refund is not None]
    fresh = [refund_id for refund_id in ids if refund_id not in distinct.known]
    verify.holds(len({*fresh}) == len(fresh), "a refund of its own for each", fresh)
    for units, (order, answer) in enumerate(distinct.made, start=1):
        if answer.status >= 500:
            raise Blocked("a request of the burst broke the server (RACE-08)")
        if all(other.refused for _, other in distinct.made):
            raise Blocked("none of the creates at once was accepted")
        refund = verify.created(sent_alone(api, order, distinct.bodies[units - 1]) if answer.refused else answer)
        there = verify.appears(api, order, refund)
        expected = {order.line.line_item_id: units}
        verify.same([expected], [verify.units_of(stored) for stored in there.values()], "the units on each order")
        verify.same(expected, verify.units_of(refund), "the units in the answer")


def sent_alone(api: RefundApi, order: Order, body: dict[str, Any]) -> Answer:
    """Send a create again that was refused when it came with others, and left nothing; its key may be used up (A24)."""
    verify.same([], list(verify.look_list(api, order)), "the refunds of an order whose only create was refused")
    answer = api.create(body)
    if answer.refused:
        answer = api.create({"refund": body["refund"] | {"requestNo": api.keys()}})
    return answer


@requirement("RACE-06")
def test_reads_at_once_get_their_own_answers(api: RefundApi, distinct: Distinct) -> None:
    """Gets and lists of four orders at the same moment each show the refund that was asked for."""
    refunds = [(order, answer.refund) for order, answer in distinct.made if answer.refund is not None]
    if not refunds:
        raise Blocked("no refund could be arranged to be read")
    gets = [partial(api.get_refund, order, refund) for order, refund in refunds]
    answers = together(api, gets + [partial(api.list_refunds, order) for order, _ in refunds])

    for (order, refund), answer in zip(refunds * 2, answers, strict=True):
        told = [seen.refund_id for seen in ([answer.refund] if answer.refund else answer.refunds or ())]
        if told != [refund.refund_id]:
            alone = api.get_refund(order, refund)  # what a single read does not show is judged by reading and listing
            if alone.accepted and alone.refund is not None and alone.refund.refund_id != refund.refund_id:
                raise Failed(f"refund {refund.refund_id}, which was asked for", alone.described, alone.exchange)
            verify.look_get(api, order, refund)
            if list(verify.look_list(api, order)) != [refund.refund_id]:
                raise Blocked("a single list already shows other refunds (see listing)")
            raise Failed(f"refund {refund.refund_id}, which was asked for", answer.described)


@requirement("RACE-08")
@pytest.mark.parametrize("burst", ["equal creates", "the last units", "different orders"])
def test_a_burst_breaks_nothing(
    api: RefundApi, new_order: NewOrder, same_key: SameKey, last_units: LastUnits,
    distinct: Distinct, burst: str,
) -> None:  # fmt: skip
    """Each request of a burst is accepted or refused."""
    bursts = {
        "equal creates": same_key.answers,
        "the last units": last_units.answers,
        "different orders": [answer for _, answer in distinct.made],
    }
    try:
        for answer in bursts[burst]:
            in_one_piece(answer)
    except Failed:
        if burst == "equal creates":
            insist_on_replays_in_turn(api, new_order(), *EQUAL)
        raise
