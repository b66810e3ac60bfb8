"""Creates and reads at the same moment: what holds one after another also holds at once."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import pytest
from attrs import define, evolve

from conformance.generation.manners import WRITERS
from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Order, Refund, RefundId
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.shop import Shop
from conformance.suite.given.benches import NewOrder
from conformance.suite.given.bursts import BURST, LastUnits, taken, together


@define
class SameKey:
    """Equal creates under one key, sent at one moment: the answers, and the order's refunds then and after a replay."""

    holders: list[RefundApi]
    order: Order
    answers: list[Answer]
    there: dict[RefundId, Refund]
    replay: Answer
    finally_there: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def same_key(api: RefundApi, shop: Shop, new_order: NewOrder, accepted_create: Refund) -> SameKey:
    """A burst of equal creates, by all who have the right to it, then one more."""
    order = new_order()
    body = api.create_body(order)
    holders = holders_of(api, shop, BURST)
    answers = together(api, [partial(holder.create, body) for holder in holders])
    there = verify.look_list(api, order)
    replay = api.create(body)
    replay.exchange.role = "probe"
    return SameKey(holders, order, answers, there, replay, verify.look_list(api, order))


def holders_of(api: RefundApi, shop: Shop, count: int) -> list[RefundApi]:
    """Return the API as so many holders see it in turn, of the full token and of each that may write."""
    given = [api, *(api.with_token(shop.target.tokens[name]) for name in WRITERS[1:] if name in shop.target.tokens)]
    return [evolve(given[number % len(given)], told=api.told, twice=api.twice) for number in range(count)]


def insist_on_replays_in_turn(holders: Sequence[RefundApi], order: Order, *units: int) -> None:
    """One after another, creates under one key make one refund and break nothing; otherwise a burst proves nothing.

    Elsewhere, where effects show late, a create is repeated when its refund shows: then it is this that goes wrong.
    """
    api, key = holders[0], holders[0].keys()
    bodies = [api.create_body(order, Part(order.line, quantity), request_no=key) for quantity in units]
    answers = [holder.create(body) for holder, body in zip(cycle(holders), bodies)]
    for answer in answers:
        answer.exchange.role = "control"
    there = verify.look_list(api, order)
    if len(there) != 1 and api.wire.lag:
        raise Failed("one refund of equal creates, one right after another", verify.shown(sorted(there)))
    if len(there) != 1 or any(answer.broken for answer in answers):
        raise Blocked("requests under one key already go wrong one after another (see idempotency)")


EQUAL = (1,) * (BURST + 1)


@requirement("RACE-01")
def test_equal_creates_at_once_make_one_refund(api: RefundApi, new_order: NewOrder, same_key: SameKey) -> None:
    """Five equal bodies at the same moment leave one refund on the order."""
    if len(same_key.there) != 1:
        insist_on_replays_in_turn(same_key.holders, new_order(), *EQUAL)
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
def test_the_key_of_a_burst_protects_afterwards(new_order: NewOrder, same_key: SameKey) -> None:
    """One more of the equal bodies is a replay like any other."""
    if not same_key.there and all(answer.refused for answer in same_key.answers):
        raise Blocked("all of the burst was refused (RACE-01), so that its key may be free (reading A24)")
    try:
        verify.same(sorted(same_key.there), sorted(same_key.finally_there), "the refunds of the order after a replay")
        verify.decided(same_key.replay)
    except Failed:
        insist_on_replays_in_turn(same_key.holders, new_order(), *EQUAL)
        raise


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
        insist_on_replays_in_turn([api], new_order((9, "10.00")), 1, 2, 3)
        insist_on_replays_in_turn([api], new_order((9, "10.00")), 3, 2, 1)
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
        insist_on_replays_in_turn([api], order, *EQUAL)
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
    if answer.refused and arrange.approve_open(api, order):
        answer = api.create_refund(order, rest)
        answer.exchange.role = "probe"
    units = taken(verify.look_list(api, order))
    if units != order.line.quantity:
        seen = f"{answer.described}, and {units} units refunded"
        raise Failed(f"{rest.quantity} more units refunded, and with them all", seen, answer.exchange)


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
    arrange.given_refund(api, order, Part(order.line, 2))
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
class Distinct:
    """Creates for four orders at one moment, with one by who may only read; ``known`` are refunds told of before.

    The reader asks for five units of the first order, and nobody else does; ``again`` is the create for that order once
    more, if it was accepted, as soon as its refunds were looked at.
    """

    made: list[tuple[Order, Answer]]
    bodies: list[dict[str, Any]]
    known: frozenset[RefundId]
    readers: Answer | None
    again: Answer | None = None

    def of_the_reader(self, refund: Refund) -> bool:
        """Say whether a refund is what the reader asked for, and none that another's create was answered with."""
        told = {answer.refund.refund_id for _, answer in self.made if answer.refund is not None}
        return refund.refund_id not in told and sum(verify.units_of(refund).values()) == READERS_UNITS


READERS_UNITS = 5


@pytest.fixture(scope="session")
def distinct(api: RefundApi, shop: Shop, new_order: NewOrder) -> Distinct:
    """Creates for four orders at one moment, each for another number of units, and one without the right to it."""
    orders = [new_order((9, "10.00")) for _ in range(4)]
    bodies = [api.create_body(order, Part(order.line, units + 1)) for units, order in enumerate(orders)]
    known, token = frozenset(api.told), shop.target.tokens.get("read_refunds")
    asked = api.create_body(orders[0], Part(orders[0].line, READERS_UNITS))
    reader = [] if token is None else [partial(api.with_token(token).create, asked)]
    *answers, last = together(api, [*(partial(api.create, body) for body in bodies), *reader])
    made = zip(orders, answers if reader else [*answers, last], strict=True)
    return Distinct(list(made), bodies, known, last if reader else None)


@pytest.fixture(scope="session")
def on_the_first(api: RefundApi, distinct: Distinct) -> dict[RefundId, Refund]:
    """The refunds of the first order once its own shows, or at last if it does not, which RACE-07 judges."""
    order, answer = distinct.made[0]
    own = None if answer.refund is None else answer.refund.refund_id
    there = verify.patiently(api, lambda: verify.look_list(api, order), lambda there: own is None or own in there)
    if answer.accepted:
        distinct.again = api.create(distinct.bodies[0])
        distinct.again.exchange.role = "probe"
    return there


@requirement("ACCESS-10")
def test_a_create_by_who_may_only_read_is_refused_beside_others(
    shop: Shop, new_order: NewOrder, distinct: Distinct, on_the_first: dict[RefundId, Refund]
) -> None:
    """A create by a token that may only read is refused, with no effect, also while those who may create do so."""
    answer = distinct.readers
    if answer is None:
        raise Blocked("the target file gives no token read_refunds", lacks="scoped_tokens")
    answer.exchange.exempt = True
    shop.api.wire.show(answer.exchange)
    if not answer.refused:
        alone = shop.holder("read_refunds").create_refund(new_order())
        alone.exchange.role = "open"
        if not alone.refused:
            raise Blocked("a token that may only read is already not refused when it comes alone")
    verify.refused(answer)
    carried_out = [refund for refund in on_the_first.values() if distinct.of_the_reader(refund)]
    verify.same([], carried_out, "what the reader asked for, after its refusal")


@requirement("RACE-07")
def test_creates_at_once_store_their_own_data(
    api: RefundApi, distinct: Distinct, on_the_first: dict[RefundId, Refund]
) -> None:
    """Four orders get a refund each, of the units and the line that were asked for; one that is refused, when alone."""
    ids = [answer.refund.refund_id for _, answer in distinct.made if answer.refund is not None]
    fresh = [refund_id for refund_id in ids if refund_id not in distinct.known]
    verify.holds(len({*fresh}) == len(fresh), "a refund of its own for each", fresh)
    for units, (order, answer) in enumerate(distinct.made, start=1):
        if answer.broken:
            raise Blocked("a request of the burst broke the server (RACE-08)")
        if all(other.refused for _, other in distinct.made):
            raise Blocked("none of the creates at once was accepted")
        refund = verify.created(sent_alone(api, distinct, units - 1) if answer.refused else answer)
        there = on_the_first if units == 1 and not answer.refused else verify.appears(api, order, refund)
        verify.holds(refund.refund_id in there, f"refund {refund.refund_id} in the list of its order", sorted(there))
        stored = [verify.units_of(each) for each in there.values() if not distinct.of_the_reader(each)]
        expected = {order.line.line_item_id: units}
        verify.same([expected], stored, "the units on each order")
        verify.same(expected, verify.units_of(refund), "the units in the answer")


def sent_alone(api: RefundApi, distinct: Distinct, number: int) -> Answer:
    """Send a create again that was refused when it came with others, and left nothing; its key may be used up (A24)."""
    order, body = distinct.made[number][0], distinct.bodies[number]
    left = [refund.refund_id for refund in verify.look_list(api, order).values() if not distinct.of_the_reader(refund)]
    verify.same([], left, "the refunds of an order whose only create was refused")
    answer = api.create(body)
    if answer.refused:
        answer = api.create({"refund": body["refund"] | {"requestNo": api.keys()}})
    return answer


@requirement("RACE-07")
@pytest.mark.usefixtures("on_the_first")
def test_creates_at_once_keep_their_keys(api: RefundApi, new_order: NewOrder, distinct: Distinct) -> None:
    """The first of the creates for several orders at one moment, sent again, makes no other refund."""
    answer, again = distinct.made[0][1], distinct.again
    if again is None:
        if all(other.refused for _, other in distinct.made):
            raise Blocked("none of the creates at once was accepted")
        return  # it gave way to the others, and what comes of it alone is judged above
    first = verify.created(answer)
    another = again.refund is not None and again.refund.refund_id != first.refund_id
    if again.broken or (again.accepted and another):
        insist_on_replays_in_turn([api], new_order(), *EQUAL)
        raise Failed(f"refund {first.refund_id} again, or a refusal", again.described, again.exchange)
    verify.decided(again)


@requirement("RACE-06")
def test_reads_at_once_get_their_own_answers(api: RefundApi, distinct: Distinct) -> None:
    """Gets of four orders, and lists of two of them, at the same moment each show the refund that was asked for."""
    refunds = [(order, answer.refund) for order, answer in distinct.made if answer.refund is not None]
    if not refunds:
        raise Blocked("no refund could be arranged to be read")
    gets = [partial(api.get_refund, order, refund) for order, refund in refunds]
    answers = together(api, gets + [partial(api.list_refunds, order) for order, _ in refunds[:2]])

    for (order, refund), answer in zip(refunds + refunds[:2], answers, strict=True):
        told = [seen.refund_id for seen in ([answer.refund] if answer.refund else answer.refunds or ())]
        if told != [refund.refund_id]:
            alone = api.get_refund(order, refund)  # what a single read does not show is judged by reading and listing
            if alone.accepted and alone.refund is not None and alone.refund.refund_id != refund.refund_id:
                raise Failed(f"refund {refund.refund_id}, which was asked for", alone.described, alone.exchange)
            if alone.refused and refund.refund_id in verify.look_list(api, order):
                raise Failed(f"refund {refund.refund_id}, which list shows", alone.described, alone.exchange)
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
            verify.decided(answer)
    except Failed:
        if burst == "equal creates":
            insist_on_replays_in_turn([api], new_order(), *EQUAL)
        raise
