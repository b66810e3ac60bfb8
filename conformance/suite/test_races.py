"""Requests at the same moment: what holds one after another also holds at once."""

from collections.abc import Sequence
from functools import partial

import pytest
from attrs import define

from conformance.http.burst import at_once
from conformance.http.client import Answer, Part, RefundApi
from conformance.judging import verify
from conformance.model import Action, Order, Refund, RefundId, RefundStatus
from conformance.results import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.suite.conftest import NewOrder

BURST = 5


def together(api: RefundApi, sends: Sequence[partial[Answer]]) -> list[Answer]:
    """Send probes at one moment."""
    answers = at_once(api.wire, sends)
    for answer in answers:
        answer.exchange.role = "probe"
    return answers


@define
class SameKey:
    """Equal creates under one key, sent at one moment: the answers, and the order's refunds then and after a replay."""

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
    return SameKey(answers, there, replay, verify.look_list(api, order))


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


@define
class LastUnits:
    """Creates for more units than there are, sent at one moment: the order, the answers, and its refunds after."""

    order: Order
    answers: list[Answer]
    there: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def last_units(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> LastUnits:
    """A burst of creates that each ask for two of five units."""
    order = new_order((5, "10.00"))
    bodies = [api.create_body(order, Part(order.line, 2)) for _ in range(BURST)]
    answers = together(api, [partial(api.create, body) for body in bodies])
    return LastUnits(order, answers, verify.look_list(api, order))


@requirement("RACE-04")
def test_creates_at_once_never_refund_more_than_was_ordered(
    last_units: LastUnits, api: RefundApi, new_order: NewOrder
) -> None:
    """Five requests for two of five units leave at most five units refunded."""
    units = sum(
        sum(refund.quantities.values())
        for refund in last_units.there.values()
        if refund.status is not RefundStatus.CANCELED
    )
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
    told = {answer.refund.refund_id for answer in last_units.answers if answer.refund is not None}
    if not told:
        raise Blocked("none of the creates was accepted")
    verify.same(sorted(told), sorted(told & last_units.there.keys()), "the refunds of the order")


@requirement("RACE-05")
@pytest.mark.parametrize("turn", [1, 2])
def test_an_approval_and_a_rejection_at_once_have_one_outcome(
    api: RefundApi, new_order: NewOrder, reviewed: Refund, turn: int
) -> None:
    """One of the decisions stands: no answer says completed while another says canceled, and nothing moves later."""
    actions = [Action.APPROVE, Action.REJECT] if turn == 1 else [Action.REJECT, Action.APPROVE]
    try:
        have_one_outcome(api, new_order(), actions, at_once=True)
    except Failed:
        try:
            have_one_outcome(api, new_order(), actions, at_once=False)
            have_one_outcome(api, new_order(), actions[::-1], at_once=False)
        except Failed as failure:
            raise Blocked(f"reviews one after another already have no one outcome: {failure}") from None
        raise


def have_one_outcome(api: RefundApi, order: Order, actions: Sequence[Action], *, at_once: bool) -> None:
    """Contrary reviews of a refund, at one moment or one after another, bring it to one end.

    Raises:
        Failed: an answer is neither acceptance nor refusal, the answers name two ends, the refund stays open though one
            was accepted, or it moves on from its end.
    """
    refund = verify.given_refund(api, order)
    sends = [partial(api.review_refund, order, refund, action) for action in actions]
    answers = together(api, sends) if at_once else [send() for send in sends]
    for answer in answers:
        in_one_piece(answer)
    told = {answer.refund.status for answer in answers if answer.refund is not None}
    verify.holds(not told >= verify.FINAL, "one outcome in the answers", told)
    taken = [api.ends_of(action) for action, answer in zip(actions, answers, strict=True) if answer.accepted]
    ends = told & verify.FINAL or frozenset().union(*taken)
    settled = verify.settles(
        api,
        lambda: verify.look_get(api, order, refund),
        lambda now: now.status in ends or not taken,
        "the outcome that was answered",
    )
    later = verify.look_get(api, order, refund)
    verify.holds(
        later.status is settled.status or settled.status is RefundStatus.IN_PROCESS, "the status it had", later.status
    )


@define
class Distinct:
    """Creates for four orders at one moment; ``known`` are the refunds that earlier creates were answered with."""

    made: list[tuple[Order, Answer]]
    known: frozenset[RefundId]


@pytest.fixture(scope="module")
def distinct(api: RefundApi, new_order: NewOrder) -> Distinct:
    """Creates for four orders at one moment, each for another number of units."""
    orders = [new_order((9, "10.00")) for _ in range(4)]
    bodies = [api.create_body(order, Part(order.line, units + 1)) for units, order in enumerate(orders)]
    known = frozenset(api.told)
    made = zip(orders, together(api, [partial(api.create, body) for body in bodies]), strict=True)
    return Distinct(list(made), known)


@requirement("RACE-07")
def test_creates_at_once_store_their_own_data(api: RefundApi, distinct: Distinct) -> None:
    """Four orders get a refund each, of the units and the line that were asked for."""
    ids = [answer.refund.refund_id for _, answer in distinct.made if answer.refund is not None]
    fresh = [refund_id for refund_id in ids if refund_id not in distinct.known]
    verify.holds(len({*fresh}) == len(fresh), "a refund of its own for each", fresh)
    for units, (order, answer) in enumerate(distinct.made, start=1):
        if answer.status >= 500:
            raise Blocked("a request of the burst broke the server (RACE-08)")
        refund = verify.created(answer)
        there = verify.appears(api, order, refund)
        expected = {order.line.line_item_id: units}
        verify.same([expected], [verify.units_of(stored) for stored in there.values()], "the units on each order")
        verify.same(expected, verify.units_of(refund), "the units in the answer")


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
