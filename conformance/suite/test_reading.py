"""Get: the one refund that both parameters name, in every state, and no other."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import define, evolve

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, API, Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId, RefundStatus, RightsType, read_refund
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder
from conformance.suite.given.creates import next_to
from conformance.suite.given.replays import Closed


@define
class Shelf:
    """An order with three refunds, a sibling of the same customer with one, and what get answered about each."""

    order: Order
    made: list[Refund]
    sibling: Order
    single: Refund
    read: dict[RefundId, Answer]
    listed: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def shelf(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Shelf:
    """The shared orders; the refunds are read in another sequence than they were created in."""
    order = new_order((9, "10.00"), (9, "7.50"), (9, "1.00"))
    try:
        sibling = new_order(customer_id=order.customer_id)
    except Blocked:
        sibling = new_order()
    first, second, third = order.lines[:3]
    made = [arrange.new_refund(api, order, Part(first, 1), Part(second, 2), Part(third, 3))]
    single = arrange.new_refund(api, sibling, Part(sibling.line, 5))
    made.append(arrange.new_refund(api, order, Part(second, 1), rights_type=RightsType.REFUND))
    made.append(arrange.new_refund(api, order, Part(first, 4)))
    arrange.await_visible(api, order, *made)
    arrange.await_visible(api, sibling, single)
    listed = verify.look_list(api, order)
    if missing := {refund.refund_id for refund in made} - listed.keys():
        raise Blocked(f"refunds are not listed: {', '.join(sorted(missing))}")
    read = {made[index].refund_id: plain(api, order, made[index]) for index in (1, 2, 0)}
    read[single.refund_id] = plain(api, sibling, single)
    return Shelf(order, made, sibling, single, read, listed)


def plain(api: RefundApi, order: Order, refund: Refund) -> Answer:
    """Get a refund that is there."""
    answer = api.get_refund(order, refund)
    answer.exchange.role = "probe"
    return answer


def shows(answer: Answer, refund: Refund) -> None:
    """The answer is an acceptance with the refund that was asked for."""
    verify.accepted(answer, f"an acceptance (2xx) with refund {refund.refund_id}")
    if answer.refund is None:
        raise Blocked(f"the refund in the answer cannot be read: {answer.described}")
    verify.same(refund.refund_id, answer.refund.refund_id, "the refund that get shows")


PLACES = pytest.mark.parametrize("place", ["first", "middle", "last", "single"])


def of(shelf: Shelf, place: str) -> Refund:
    """Return the refund at a place."""
    return shelf.single if place == "single" else shelf.made[["first", "middle", "last"].index(place)]


@requirement("GET-01")
@PLACES
def test_the_refund_that_is_asked_for_is_shown(shelf: Shelf, place: str) -> None:
    """The first, middle and last of three, and the only one of another order, are each shown."""
    refund = of(shelf, place)
    shows(shelf.read[refund.refund_id], refund)


Found = dict[RefundId, Refund]


@pytest.fixture(scope="module")
def found(shelf: Shelf) -> Found:
    """The refunds as get shows them by id: the control of whatever must not be found."""
    found = {refund_id: answer.refund for refund_id, answer in shelf.read.items() if answer.accepted}
    shown = {refund_id: refund for refund_id, refund in found.items() if refund and refund.refund_id == refund_id}
    if shown.keys() != shelf.read.keys():
        raise Blocked("a plain get already does not show the refund that is asked for (GET-01)")
    return shown


VALUES: dict[str, Callable[[Refund], Any]] = {
    "amount": lambda refund: refund.amount,
    "rightsType": lambda refund: refund.rights_type,
    "lineItems": lambda refund: refund.quantities or None,
}


@requirement("GET-15")
@pytest.mark.parametrize("name", list(VALUES))
def test_a_refund_is_shown_with_its_own_values(shelf: Shelf, found: Found, name: str) -> None:
    """A value may differ from what create answered, but not be another refund's; list decides where it differs."""
    read = VALUES[name]
    for refund in shelf.made:
        told = read(found[refund.refund_id])
        others = [read(other) for other in shelf.made if other is not refund]
        if told is not None and told != read(refund) and told in others:
            verify.same(read(shelf.listed[refund.refund_id]), told, f"{name} of refund {refund.refund_id} in get")


@requirement("GET-15")
def test_a_refund_of_three_lines_is_shown_with_all_of_them(shelf: Shelf, found: Found) -> None:
    """Get shows no fewer lines than create and list."""
    refund = shelf.made[0]
    told, listed = found[refund.refund_id].quantities, shelf.listed[refund.refund_id].quantities
    if told and told.keys() < refund.quantities.keys() == listed.keys():
        verify.same(sorted(listed), sorted(told), f"the lines of refund {refund.refund_id} in get")


# What must not be found.


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(
    "which",
    [
        pytest.param("the sibling's refund", marks=requirement("GET-04")),
        pytest.param("the order's refund", marks=requirement("GET-04")),
        pytest.param("of the run's first order", marks=requirement("GET-04", profile="full")),
    ],
)
def test_a_refund_is_not_found_under_another_order(api: RefundApi, session: Session, shelf: Shelf, which: str) -> None:
    """Neither under another order of the same customer nor under anybody else's."""
    base = session.base_order
    assert base is not None  # noqa: S101 - there is no accepted create without its order
    pairs = {
        "the sibling's refund": (shelf.order, shelf.single),
        "the order's refund": (shelf.sibling, shelf.made[0]),
        "of the run's first order": (base, shelf.made[2]),
    }
    verify.refused(api.get_refund(*pairs[which]))


def unknown(identifier: str) -> str:
    """Return an id that begins like another and is far beyond the ids in use."""
    return identifier.ljust(15, "7") if len(identifier) < 15 else identifier + "7"


NEARLY: dict[str, Callable[[str], str]] = {
    "a digit less": lambda identifier: identifier[:-1] or "0",
    "one more": next_to,
    "one less": lambda identifier: str(int(identifier) - 1),
}


def nearly(identifier: str, near: str) -> str:
    """Return an id that is nearly another."""
    if not identifier.isdecimal():
        raise Blocked(f"the id is no number: {identifier}")
    return NEARLY[near](identifier)


@requirement("GET-05")
@pytest.mark.usefixtures("found")
def test_a_refund_is_not_found_under_an_unknown_order(api: RefundApi, shelf: Shelf) -> None:
    """The order's id has more digits than it should."""
    verify.refused(api.get_refund(unknown(shelf.order.order_id), shelf.made[0]))


@requirement("GET-06")
@pytest.mark.usefixtures("found")
def test_an_unknown_refund_is_not_found(api: RefundApi, session: Session, shelf: Shelf) -> None:
    """The refund's id has more digits than it should, and its order has one refund, which is not that one."""
    answer = api.get_refund(shelf.sibling, unknown(shelf.single.refund_id))
    verify.refused(answer)
    session.observe("A50", f"an unknown refund is answered with {answer.status}")


@pytest.mark.parametrize(
    "near",
    [
        pytest.param(near, marks=requirement("GET-07", profile="full" if near == "one less" else "standard"))
        for near in NEARLY
    ],
)
@pytest.mark.usefixtures("found")
def test_a_refund_is_not_found_by_a_near_miss(api: RefundApi, shelf: Shelf, near: str) -> None:
    """An id that is none of the order's finds nothing under it."""
    own = [refund.refund_id for refund in shelf.made]
    wrong = next((miss for refund_id in own if (miss := nearly(refund_id, near)) not in own), None)
    if wrong is None:
        raise Blocked("every id that is nearly one of the order's refunds is another's")
    answer = api.get_refund(shelf.order, wrong)
    if answer.accepted and answer.refund is not None and answer.refund.refund_id == wrong:
        raise Blocked("the id next to it is another order's refund, which get shows under any order (GET-04)")
    verify.refused(answer)


@pytest.mark.parametrize(
    "near",
    [
        pytest.param("a digit less", marks=requirement("GET-08")),
        pytest.param("one more", marks=requirement("GET-08")),
        pytest.param("one less", marks=requirement("GET-08", profile="full")),
    ],
)
@pytest.mark.usefixtures("found")
def test_a_refund_is_not_found_under_a_near_miss(api: RefundApi, shelf: Shelf, near: str) -> None:
    """Even if there is an order with that id, the refund is not its own."""
    verify.refused(api.get_refund(nearly(shelf.order.order_id, near), shelf.made[1]))


@requirement("GET-13")
@pytest.mark.usefixtures("found")
def test_exchanged_ids_find_nothing(api: RefundApi, shelf: Shelf) -> None:
    """The refund's id as the order's, and the order's as the refund's; unless there is such a pair by chance."""
    for refund in shelf.made:
        if str(refund.refund_id) == str(shelf.order.order_id):  # orders and refunds are numbered apart
            continue
        answer = api.get_refund(refund.refund_id, shelf.order.order_id)
        if answer.refund is None or str(answer.refund.refund_id) != str(shelf.order.order_id):
            verify.refused(answer)
            return
    raise Blocked("there is a refund with the order's id, on orders with the ids of its refunds")


PARTIAL: dict[str, tuple[str, Callable[[Shelf], tuple[Any, Any]]]] = {
    "no order": ("GET-09", lambda shelf: (ABSENT, shelf.made[1])),
    "no refund": ("GET-10", lambda shelf: (shelf.order, ABSENT)),
    "no refund, of an order with one": ("GET-10", lambda shelf: (shelf.sibling, ABSENT)),
    "neither": ("GET-11", lambda _: (ABSENT, ABSENT)),
    "empty order": ("GET-12", lambda shelf: ("", shelf.made[1])),
    "empty refund": ("GET-12", lambda shelf: (shelf.order, "")),
}
WITHOUT_ORDER = {"no order", "empty order"}


@pytest.mark.parametrize(
    "row",
    [pytest.param(name, marks=requirement(identifier)) for name, (identifier, _) in PARTIAL.items()],
)
@pytest.mark.usefixtures("found")
def test_no_single_refund_is_shown_without_both_ids(api: RefundApi, session: Session, shelf: Shelf, row: str) -> None:
    """Without both ids the answer is a refusal, a list or nothing, or the refund that is named (reading A42)."""
    answer = api.get_refund(*PARTIAL[row][1](shelf))
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    verify.decided(answer, "a refusal, a list or nothing")
    session.observe("A42", f"a get with {row} is answered with {answer.status}")
    if answer.accepted and isinstance(answer.json, dict):
        single = answer.refund or read_refund(answer.json)
        named = {None, shelf.made[1].refund_id} if row in WITHOUT_ORDER else {None}
        verify.holds((single and single.refund_id) in named, "a refusal, a list or nothing", answer.described)


# What is found all the same.


@requirement("GET-14")
def test_the_sequence_of_the_parameters_means_nothing(api: RefundApi, shelf: Shelf, found: Found) -> None:
    """With refundId before orderId the same refund is shown."""
    refund = shelf.made[1]
    query = [("refundId", refund.refund_id), ("orderId", shelf.order.order_id)]
    answer = api.send("GET", f"{API}/refunds", "get", query=query)
    shows(answer, found[refund.refund_id])


@requirement("GET-16")
def test_a_refund_read_again_is_the_same(api: RefundApi, shelf: Shelf, found: Found) -> None:
    """After a refused read of the same refund, and then once more, get shows what it showed at first."""
    refund = shelf.made[1]
    api.get_refund(shelf.sibling, refund).exchange.exempt = True
    for _ in range(2):
        answer = plain(api, shelf.order, refund)
        shows(answer, refund)
        assert answer.refund is not None  # noqa: S101 - it was shown
        verify.unchanged(untimed(found[refund.refund_id]), untimed(answer.refund), "the refund")


def untimed(*refunds: Refund) -> dict[RefundId, Refund]:
    """Return refunds by id without the update time, which RECORD judges."""
    return {refund.refund_id: evolve(refund, update_time=None) for refund in refunds}


@requirement("GET-17")
@pytest.mark.usefixtures("found")
def test_reading_changes_nothing(api: RefundApi, shelf: Shelf) -> None:
    """However often and wrongly they were read, list shows the refunds as they were created."""
    after = verify.look_list(api, shelf.order)
    verify.unchanged(untimed(*shelf.listed.values()), untimed(*after.values()), "the refunds")


@define
class Decided:
    """A refund after its review, as list shows it and as get answers."""

    refund: Refund
    listed: Refund
    answer: Answer


@pytest.fixture(scope="module")
def decided(api: RefundApi, shelf: Shelf, found: Found) -> dict[str, Decided]:
    """The first refund approved and the last one rejected, after both were read, judged by list alone.

    They may have been approved before to make way (reading A27).
    """
    reviews = {"approved": (shelf.made[0], Action.APPROVE), "canceled": (shelf.made[2], Action.REJECT)}
    waiting = {refund.refund_id: api.pending - api.ends_of(action) for refund, action in reviews.values()}
    for refund, action in reviews.values():
        if shelf.listed[refund.refund_id].status in api.pending:
            api.review_refund(shelf.order, refund, action).exchange.role = "arrange"
    seen = verify.patiently(
        api,
        lambda: verify.look_list(api, shelf.order),
        lambda seen: all(key in seen and seen[key].status not in statuses for key, statuses in waiting.items()),
    )
    return {state: got(api, shelf, refund, seen, waiting) for state, (refund, _) in reviews.items()}


def got(
    api: RefundApi,
    shelf: Shelf,
    refund: Refund,
    seen: Mapping[RefundId, Refund],
    waiting: Mapping[RefundId, frozenset[RefundStatus]],
) -> Decided:
    """Return a refund that was decided, as list shows it and as get answers.

    Raises:
        Blocked: it was not, or is not listed any more.
    """
    key = refund.refund_id
    listed = seen.get(key)
    if listed is None or listed.status in waiting[key]:
        raise Blocked(f"refund {key} could not be brought to another status, or is not listed any more")
    answer = verify.patiently(
        api,
        lambda: plain(api, shelf.order, refund),
        lambda seen: seen.refund is not None and seen.refund.status is listed.status,
    )
    return Decided(refund, listed, answer)


STATES = pytest.mark.parametrize("state", ["approved", "canceled"])


@requirement("GET-02")
@STATES
def test_a_decided_refund_is_shown(decided: dict[str, Decided], state: str) -> None:
    """A refund is found after its review as before."""
    shows(decided[state].answer, decided[state].refund)


@requirement("GET-04")
@STATES
def test_a_decided_refund_is_not_found_under_another_order(
    api: RefundApi, shelf: Shelf, decided: dict[str, Decided], state: str
) -> None:
    """That it was reviewed does not open it to who names another order of the customer."""
    verify.refused(api.get_refund(shelf.sibling, decided[state].refund))


@requirement("GET-02")
def test_a_refund_of_all_that_was_ordered_is_shown_when_it_is_approved(closed: Closed) -> None:
    """Get finds a refund after which nothing is left of its order."""
    refund = verify.accepted(closed.got).refund
    verify.same(closed.original.refund_id, None if refund is None else refund.refund_id, "the refund that get shows")


@requirement("GET-03")
@STATES
def test_the_status_after_a_review_is_shown(
    api: RefundApi, shelf: Shelf, decided: dict[str, Decided], state: str
) -> None:
    """Get shows the status that list shows, though it showed another before."""
    seen = decided[state]
    if seen.answer.refund is None or seen.answer.refund.refund_id != seen.refund.refund_id:
        raise Blocked("the refund is not shown after its review (GET-02)")
    told = seen.answer.refund.status
    if told is not seen.listed.status:  # it may have moved on since
        seen.listed = verify.look_list(api, shelf.order)[seen.refund.refund_id]
    action = Action.APPROVE if state == "approved" else Action.REJECT
    ended = RefundStatus.COMPLETED
    if told is RefundStatus.IN_PROCESS and seen.listed.status is ended:  # get is behind, or was
        told = verify.patiently(
            api, lambda: verify.look_get(api, shelf.order, seen.refund), lambda now: now.status is ended
        ).status
    elif told is not seen.listed.status and told in api.ends_of(action):
        raise Blocked("it is list that shows another status than the review brings (LIST-08, LIST-09)")
    verify.same(seen.listed.status, told, "the status that get shows")
