"""The list: all refunds of the order and only those, each once and whole, as many as the limit says."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from attrs import define, evolve

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, MAX_LIMIT, RefundApi
from conformance.judging import verify
from conformance.model import Action, Refund, RefundId, RefundStatus
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.creates import next_to
from conformance.suite.given.lists import Crowd, Own, counted, entries, ids, plain


@requirement("LIST-01")
def test_all_refunds_are_listed(crowd: Crowd) -> None:
    """Four refunds of the order, of one line and of two, of both types, are all there."""
    missing = sorted(set(crowd.made) - set(ids(entries(crowd.listed))))
    verify.holds(not missing, "all four refunds of the order", f"without {', '.join(missing)}")


@requirement("LIST-02")
def test_each_refund_is_listed_once(found: list[Refund]) -> None:
    """No refund is there twice, not even one of two lines."""
    twice = [refund_id for refund_id, times in Counter(ids(found)).items() if times > 1]
    verify.same([], twice, "the refunds that are listed more than once")


@pytest.mark.parametrize(
    "which",
    [
        pytest.param("order", marks=requirement("LIST-03")),
        pytest.param("sibling", marks=requirement("LIST-03")),
    ],
)
def test_no_refund_of_another_order_is_listed(crowd: Crowd, found: list[Refund], which: str) -> None:
    """Whatever else was created in between, each of two orders shows its own refunds only."""
    shown, made = (found, crowd.made) if which == "order" else (entries(crowd.both), crowd.siblings)
    foreign = set(ids(shown)) - set(made)
    verify.same([], sorted(foreign), "the refunds of other orders in the list")


@requirement("LIST-04")
def test_an_order_without_refunds_has_an_empty_list(session: Session, crowd: Crowd, own: Own) -> None:
    """The list is empty before the first refund; 404 is an observation (reading A49)."""
    if crowd.before.status == 404:
        session.observe("A49", "an order without refunds is answered with 404")
        return
    verify.same([], ids(entries(crowd.before)), "the list of an order without refunds")


@requirement("LIST-05")
@pytest.mark.usefixtures("own")
def test_a_list_that_was_read_before_shows_a_new_refund(crowd: Crowd) -> None:
    """An order that was listed while it was empty shows its first refund."""
    first = next(iter(crowd.siblings))
    verify.holds(first in ids(entries(crowd.after)), f"refund {first} in the list", crowd.after.described)


VALUES: dict[str, Callable[[Refund], Any]] = {
    "amount": lambda refund: refund.amount,
    "rightsType": lambda refund: refund.rights_type,
    "lineItems": lambda refund: refund.quantities or None,
}


@requirement("LIST-06")
@pytest.mark.parametrize("name", list(VALUES))
def test_each_entry_shows_its_own_values(api: RefundApi, crowd: Crowd, own: Own, name: str) -> None:
    """An entry may differ from what create answered, but not be another's; get decides where it differs."""
    read = VALUES[name]
    for refund_id, entry in own.items():
        told, created = read(entry), read(crowd.made[refund_id])
        others = [read(refund) for refund in crowd.made.values() if refund.refund_id != refund_id]
        if told is not None and told != created and told in others:
            stored = read(verify.look_get(api, crowd.order, refund_id))
            verify.same(stored, told, f"{name} of refund {refund_id} in the list")


@requirement("LIST-06")
def test_no_entry_shows_the_parcel_of_another(api: RefundApi, crowd: Crowd, own: Own) -> None:
    """Only the first of four refunds was given logistics information; get decides where list shows it for others."""
    first, *others = crowd.made
    shown = {refund_id: parcel(own[refund_id]) for refund_id in crowd.made}
    for refund_id in [other for other in others if shown[other] and shown[other] == shown[first]]:
        if not parcel(verify.look_get(api, crowd.order, first)):
            raise Blocked("get shows no logistics information to compare with (reading A13)")
        stored = parcel(verify.look_get(api, crowd.order, refund_id))
        verify.holds(stored == shown[first], f"no logistics information of refund {first}", shown[refund_id])


def parcel(refund: Refund) -> dict[str, str]:
    """Return the logistics information that a refund shows and that says something."""
    return {name: text for name, text in refund.shipping.items() if text}


@requirement("LIST-07")
def test_a_refund_of_three_lines_is_listed_with_all(crowd: Crowd, own: Own) -> None:
    """The first refund has all lines of the order, of which two are alike but for their ids."""
    refund_id = next(iter(crowd.made))
    entry = own[refund_id]
    if not entry.all_lines_read or any(line.line_item_id is None for line in entry.lines):
        raise Blocked("the lines of the refund cannot be read in the list")
    lines = sorted(line.line_item_id for line in crowd.order.lines[:3])
    verify.same(lines, sorted(str(line.line_item_id) for line in entry.lines), f"the lines of refund {refund_id}")


# The limit.


THREE = 3
LIMITS = {"1": 1, "one less than there are": THREE, "as many as there are": 4}


@pytest.fixture(scope="module")
def three(api: RefundApi, crowd: Crowd) -> Answer:
    """The list with a limit of one less than there are."""
    return plain(api, crowd.order, THREE)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=requirement("LIST-10")) for n in LIMITS],
)
def test_a_limit_is_the_number_of_entries(api: RefundApi, crowd: Crowd, own: Own, three: Answer, name: str) -> None:
    """Of four refunds there are as many as the limit allows."""
    listed = entries(three if LIMITS[name] == THREE else plain(api, crowd.order, LIMITS[name]))
    verify.same(min(LIMITS[name], len(own)), len(listed), f"the entries of a list with limit {LIMITS[name]}")


@requirement("LIST-11")
def test_the_greatest_limit_is_accepted(api: RefundApi, crowd: Crowd, own: Own) -> None:
    """A limit of 250 shows all four."""
    listed = entries(plain(api, crowd.order, MAX_LIMIT))
    verify.same(sorted(own), ids(listed), "the list with limit 250")


@requirement("LIST-12")
def test_a_limit_leaves_different_refunds_of_the_order(api: RefundApi, own: Own, three: Answer) -> None:
    """Three of four are three different ones, and the order's."""
    api.wire.show(three.exchange)
    counted(three, set(own))


@pytest.fixture(scope="module")
def without_limit(api: RefundApi, crowd: Crowd) -> Answer:
    """The list without limit."""
    return plain(api, crowd.order, ABSENT)


def shows_all(answer: Answer, own: Own, what: str) -> None:
    """A list without limit shows all four, or is refused (reading A44)."""
    if not answer.refused:
        verify.same(sorted(own), ids(entries(answer)), what)


@requirement("LIST-13")
def test_a_list_without_limit_shows_all_or_is_refused(
    api: RefundApi, session: Session, without_limit: Answer, own: Own
) -> None:
    """Four refunds are fewer than the default of 50."""
    api.wire.show(without_limit.exchange)
    session.observe("A44", f"a list without limit is answered with {without_limit.status}")
    shows_all(without_limit, own, "the list without limit")


@requirement("LIST-14")
def test_a_limit_is_not_remembered(api: RefundApi, crowd: Crowd, without_limit: Answer, own: Own) -> None:
    """After a list with limit 1 the next one, without limit, shows all."""
    try:
        shows_all(without_limit, own, "the list without limit")
    except Failed:
        raise Blocked("a list without limit is already wrong (LIST-13)") from None
    plain(api, crowd.order, 1)
    shows_all(plain(api, crowd.order, ABSENT), own, "the list without limit, after one with limit 1")


@requirement("LIST-14")
@pytest.mark.usefixtures("own")
def test_the_first_limit_of_an_order_is_not_remembered(crowd: Crowd) -> None:
    """An order whose first list was one with limit 1 shows both its refunds."""
    if next(iter(crowd.siblings)) not in ids(entries(crowd.after)):
        raise Blocked("a list that was read before already does not show a new refund (LIST-05)")
    missing = sorted(crowd.siblings.keys() - ids(entries(crowd.both)))
    verify.holds(not missing, "both refunds of the order", f"without {', '.join(missing)}")


MOST_LOOKED_FOR = 10
"""Refunds that a list hid, of those that are looked for once more."""
OPEN_LIMITS: dict[str, tuple[str, set[int]]] = {
    "0": ("LIST-15", {0, 1}),
    "-1": ("LIST-15", {0, 1}),
    "251": ("LIST-16", set()),
    "9" * 30: ("LIST-16", set()),
    "abc": ("LIST-17", {1}),
    "": ("LIST-17", {0, 1}),
    "1.5": ("LIST-17", {1, 2}),
}
"""Limits by the requirement that judges them, and how many entries each may be cut to, where it is not refused."""


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(limit, marks=requirement(which, profile="full" if limit == "1.5" else "standard"))
        for limit, (which, _) in OPEN_LIMITS.items()
    ],
)
def test_an_odd_limit_is_refused_or_shows_the_order_s(
    api: RefundApi, session: Session, crowd: Crowd, own: Own, limit: str
) -> None:
    """What is not refused is cut to a legal limit or taken for the default (reading A45); each refund is there once."""
    answer = plain(api, crowd.order, limit, role="open")
    verify.decided(answer)
    shown = "refused" if answer.refused else f"answered with {len(answer.refunds or [])} of {len(own)}"
    session.observe("A45", f"limit {limit[:5] or 'empty'} is {shown}")
    if not answer.refused:
        legal = OPEN_LIMITS[limit][1] | {len(own)}
        count = counted(answer, set(own))
        if count not in legal:
            expected = f"{' or '.join(map(str, sorted(legal)))} of {len(own)} refunds"
            raise Failed(expected, str(count), answer.exchange)


# Other orders.


@requirement("LIST-18")
@pytest.mark.usefixtures("own")
def test_an_unknown_order_is_refused_or_empty(api: RefundApi, session: Session, crowd: Crowd) -> None:
    """There are no refunds of an order whose id is far beyond the ids in use."""
    known = crowd.order.order_id
    answer = plain(api, known.ljust(15, "7") if len(known) < 15 else known + "7")
    session.observe("A49", f"an unknown order is answered with {answer.status}")
    if not answer.refused:
        verify.same([], ids(entries(answer)), "the list of an order that does not exist")


@pytest.mark.parametrize(
    "near",
    [
        *(pytest.param(near, marks=requirement("LIST-19")) for near in ("a digit less", "a digit before", "one more")),
        pytest.param("one less", marks=requirement("LIST-19", profile="full")),
    ],
)
def test_a_near_miss_shows_none_of_the_order_s(api: RefundApi, crowd: Crowd, own: Own, near: str) -> None:
    """Another order's id may exist, but its refunds are others."""
    known = crowd.order.order_id
    if not known.isdecimal():
        raise Blocked(f"the order's id is no number: {known}")
    nearly = {
        "a digit less": known[:-1] or "0", "a digit before": "1" + known, "one more": next_to(known),
        "one less": str(int(known) - 1),
    }  # fmt: skip
    answer = plain(api, nearly[near])
    shown = set(own) & set(ids(answer.refunds or [])) if answer.accepted else set()
    verify.same([], sorted(shown), "the order's refunds under an id that is not its own")


# What listing leaves as it is, and what a review changes.


@requirement("LIST-20")
def test_listing_changes_nothing(api: RefundApi, crowd: Crowd, own: Own) -> None:
    """Listed again and again, every refund has the values that it had when it was listed first."""
    again = {refund.refund_id: refund for refund in entries(plain(api, crowd.order))}
    verify.unchanged(untimed(own), untimed(again), "the refunds")


def untimed(refunds: dict[RefundId, Refund]) -> dict[RefundId, Refund]:
    """Leave out the update time, which RECORD judges."""
    return {refund_id: evolve(refund, update_time=None) for refund_id, refund in refunds.items()}


@requirement("LIST-21")
def test_a_token_that_may_only_read_sees_the_same_list(shop: Shop, crowd: Crowd, own: Own) -> None:
    """The holder of read_refunds sees what the holder of the full token sees, who created it."""
    answer = plain(shop.holder("read_refunds"), crowd.order)
    if answer.refused:
        raise Blocked(f"read_refunds alone may not list, which ACCESS judges: {answer.described}")
    verify.same(sorted(own), ids(entries(answer)), "the list for the holder of read_refunds")


DECIDED = {"approved": (2, Action.APPROVE), "canceled": (3, Action.REJECT)}
"""Which refunds of the order are decided, by their number, and how."""


@define
class Reviewed:
    """The list of the order after reviews of two refunds, and the statuses that each may have by then."""

    listed: list[Refund]
    legal: dict[RefundId, set[RefundStatus]]


@pytest.fixture(scope="module")
def reviewed_list(api: RefundApi, crowd: Crowd, own: Own) -> Reviewed:
    """One refund approved and one rejected, unless they were approved before to make way (reading A27)."""
    legal: dict[RefundId, set[RefundStatus]] = {}
    for index, action in DECIDED.values():
        if len(crowd.made) <= index:
            raise Blocked(f"only {len(crowd.made)} refunds could be told apart (RECORD-67)")
        key = list(crowd.made)[index]
        was = own[key].status
        legal[key] = set(api.approved if was is None else {was})
        if was in api.pending:
            answer = api.review_refund(crowd.order, crowd.made[key], action)
            answer.exchange.role = "arrange"
            if not answer.accepted:
                raise Blocked(f"a review could not be arranged: it answered {answer.described}")
            legal[key] = set(api.ends_of(action))

    def shows_both(listed: list[Refund]) -> bool:
        seen = {entry.refund_id: entry.status for entry in listed}
        return all(seen.get(key) in statuses for key, statuses in legal.items())

    return Reviewed(verify.patiently(api, lambda: entries(plain(api, crowd.order)), shows_both), legal)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("approved", marks=requirement("LIST-08")),
        pytest.param("canceled", marks=requirement("LIST-09")),
    ],
)
def test_a_decided_refund_stays_in_the_list(api: RefundApi, crowd: Crowd, reviewed_list: Reviewed, state: str) -> None:
    """The refund is listed after its review, with the status that it brings; with another only if get shows it, too."""
    key = list(crowd.made)[DECIDED[state][0]]
    verify.same(1, ids(reviewed_list.listed).count(key), f"how often refund {key} is in the list after its review")
    (seen,) = (entry for entry in reviewed_list.listed if entry.refund_id == key)
    ended = RefundStatus.COMPLETED
    if seen.status is RefundStatus.IN_PROCESS and verify.look_get(api, crowd.order, key).status is ended:
        seen = verify.patiently(
            api, lambda: verify.look_list(api, crowd.order).get(key, seen), lambda now: now.status is ended
        )
        verify.same(ended, seen.status, "the status in the list, as get shows it")
    if seen.status not in reviewed_list.legal[key]:
        now = verify.look_get(api, crowd.order, key)
        verify.same(now.status, seen.status, "the status in the list")
        raise Blocked(f"the review had no effect: refund {key} has status {verify.shown(now.status)}")


Hidden = list[tuple[Refund, Answer]]
"""Refunds that get shows, each with a list that does not."""


@pytest.fixture(scope="module")
def hidden(api: RefundApi) -> Hidden:
    """What looks at orders missed though get showed it, and what lists miss in the end."""
    asked = list(api.hidden.items())[:MOST_LOOKED_FOR]
    return verify.patiently(api, lambda: hidden_of(api, asked), lambda found: not found)


def hidden_of(api: RefundApi, asked: Iterable[tuple[RefundId, str]]) -> Hidden:
    """Return which of these refunds, each of an order, get shows now and list does not."""
    found = []
    for refund_id, order_id in asked:
        got, listed = api.get_refund(order_id, refund_id), plain(api, order_id, api.look_limit)
        got.exchange.role = "look"
        shown = listed.refunds
        if got.refund is None or got.refund.refund_id != refund_id or shown is None:
            continue
        if len(shown) < api.look_limit and refund_id not in ids(shown):
            found.append((got.refund, listed))
    return found


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("any", marks=requirement("LIST-01", profile="quick", late=True)),
        pytest.param("approved", marks=requirement("LIST-08", profile="quick", late=True)),
        pytest.param("canceled", marks=requirement("LIST-09", profile="quick", late=True)),
    ],
)
def test_no_list_of_the_run_hid_a_refund(api: RefundApi, hidden: Hidden, state: str) -> None:
    """A refund that a look at its order missed is listed in the end; if only approved ones are not, that is told."""
    states = {refund.status for refund, _ in hidden}
    alike = "approved" if states <= api.approved else "canceled" if states <= {RefundStatus.CANCELED} else "any"
    if hidden and state == alike:
        refund, listed = hidden[0]
        expected = f"refund {refund.refund_id}, which get shows, in the list of its order"
        raise Failed(expected, listed.described, listed.exchange)
