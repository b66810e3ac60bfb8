"""The request number: its length, and that a refund is created once under it."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import define, evolve, frozen

from conformance import verify
from conformance.client import ABSENT, NUMBERS, TEXT, Answer, Part, RefundApi
from conformance.model import Action, Order, Refund, RefundId
from conformance.plugin import requirement
from conformance.results import Blocked
from conformance.session import Session, Shop
from conformance.suite.conftest import Bench, NewOrder, Probes, selected_rows


def with_key(key: Any) -> Callable[[RefundApi, Order], Answer]:
    """Return a create that is valid but for its request number; an integer stands for a key of that length."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order)
        if key is ABSENT:
            del body["refund"]["requestNo"]
        else:
            body["refund"]["requestNo"] = api.keys(key.length) if isinstance(key, OfLength) else key
        return api.create(body)

    return send


@frozen
class OfLength:
    """A request number of so many characters."""

    length: int


REFUSED_KEYS: dict[str, tuple[str, Any]] = {
    "1 character": ("IDEM-05", OfLength(1)),
    "19 characters": ("IDEM-01", OfLength(19)),
    "51 characters": ("IDEM-04", OfLength(51)),
    "200 characters": ("IDEM-06", OfLength(200)),
    "5000 characters": ("IDEM-06", OfLength(5000)),
    "7 characters of 3 bytes": ("IDEM-07", "鍵" * 7),
    "missing": ("IDEM-08", ABSENT),
    "null": ("IDEM-08", None),
    "empty": ("IDEM-08", ""),
    "a number": ("IDEM-29", 10**29),
    "a boolean": ("IDEM-29", True),
    "a list": ("IDEM-29", ["k" * 32]),
    "an object": ("IDEM-29", {"key": "k" * 32}),
}
QUICK_KEYS = {"19 characters", "51 characters", "missing"}


@pytest.fixture(scope="module")
def refused_keys(request: pytest.FixtureRequest, create_bench: Bench) -> Probes:
    """Creates that differ from an accepted one in their request number alone."""
    api = create_bench.api
    rows = {name: partial(with_key(key), api) for name, (_, key) in REFUSED_KEYS.items()}
    probes = Probes(create_bench)
    probes.send(selected_rows(request, rows))
    return probes


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement(identifier, profile="quick" if name in QUICK_KEYS else "standard"))
        for name, (identifier, _) in REFUSED_KEYS.items()
    ],
)
def test_an_illegal_request_no_is_refused(refused_keys: Probes, row: str) -> None:
    """A key of a wrong length or type is refused, and leaves no refund behind."""
    refused_keys.judge(row)


def first_refund(api: RefundApi, order: Order, body: dict[str, Any]) -> dict[RefundId, Refund]:
    """Create a refund to be replayed, and return the order's refunds by id."""
    answer = verify.control(api.create(body))
    if answer.refund is None:
        return {}
    if api.wire.lag:
        verify.await_visible(api, order, answer.refund)
    return verify.look_list(api, order)


def replay_is_true(answer: Answer, before: dict[RefundId, Refund], session: Session | None = None) -> None:
    """The answer to a replay is the original refund, or a refusal (reading A22)."""
    verify.holds(answer.accepted or answer.refused, "the original refund (2xx) or a refusal (4xx)", answer.described)
    if session is not None:
        session.observe("A22", f"a replay is answered with {answer.status}")
    if answer.accepted:
        told = None if answer.refund is None else answer.refund.refund_id
        verify.same(list(before), [told], "the refund in the replay's answer")


def no_new_refund(
    api: RefundApi, order: Order, body: dict[str, Any], before: dict[RefundId, Refund], session: Session | None = None
) -> None:
    """Replaying a body neither creates nor changes anything."""
    answer = api.create(body)
    answer.exchange.role = "probe"
    verify.unchanged(before, verify.look_again(api, order))
    verify.holds(answer.status < 500, "the original refund (2xx) or a refusal (4xx)", answer.described)
    if session is not None:
        session.observe("A22", f"a replay is answered with {answer.status}")


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(20, marks=requirement("IDEM-02", profile="quick")),
        pytest.param(50, marks=requirement("IDEM-03", profile="quick")),
    ],
)
def test_a_request_no_of_a_limit_s_length_is_accepted(api: RefundApi, shipped_order: Order, length: int) -> None:
    """The limits themselves belong to what is allowed, and the refund is there."""
    refund = verify.created(api.create_refund(shipped_order, request_no=api.keys(length)))

    verify.appears(api, shipped_order, refund)


@define
class Replay:
    """A plain replay: the order's refunds before and after, and the answer between."""

    before: dict[RefundId, Refund]
    answer: Answer
    after: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def replay(api: RefundApi, new_order: NewOrder) -> Replay:
    """The same body sent twice, at once."""
    order = new_order()
    body = api.create_body(order)
    before = first_refund(api, order, body)
    answer = api.create(body)
    answer.exchange.role = "probe"
    return Replay(before, answer, verify.look_again(api, order))


@pytest.fixture
def protected(replay: Replay) -> None:
    """The control of every special replay: the plain one leaves one refund."""
    if len(replay.before) != 1 or list(replay.after) != list(replay.before):
        raise Blocked("a plain replay already goes wrong (IDEM-09), so this special one would prove nothing")


@requirement("IDEM-09", profile="quick")
def test_a_replay_leaves_one_refund(session: Session, replay: Replay) -> None:
    """The same body sent twice leaves one refund on the order."""
    verify.same(list(replay.before), list(replay.after), "the refunds of the order")
    answer = replay.answer
    verify.holds(answer.status < 500, "the original refund (2xx) or a refusal (4xx)", answer.described)
    session.observe("A22", f"a replay is answered with {answer.status}")


@requirement("IDEM-10", profile="quick")
@pytest.mark.usefixtures("protected")
def test_an_accepted_replay_answers_with_the_original(api: RefundApi, shipped_order: Order) -> None:
    """What a replay answers is the refund of its key, also when a younger one is there."""
    body = api.create_body(shipped_order)
    before = first_refund(api, shipped_order, body)
    verify.given_refund(api, shipped_order)

    answer = api.create(body)
    answer.exchange.role = "probe"

    replay_is_true(answer, before)
    if answer.refund is not None:
        original = next(iter(before.values()))
        verify.same(original.amount, answer.refund.amount, "the amount in the replay's answer")
        verify.same(original.quantities, answer.refund.quantities, "the units in the replay's answer")


@requirement("IDEM-11")
@pytest.mark.usefixtures("protected")
def test_a_replay_changes_nothing_in_the_refund(api: RefundApi, shipped_order: Order) -> None:
    """Every value of the refund is what it was before the replay."""
    body = api.create_body(shipped_order, Part(shipped_order.line, 2))
    before = first_refund(api, shipped_order, body)

    no_new_refund(api, shipped_order, body, before)


@requirement("IDEM-12")
@pytest.mark.usefixtures("protected")
def test_a_replay_uses_up_no_quantity(api: RefundApi, shipped_order: Order) -> None:
    """After a replay the rest of the line, to the last unit, can still be refunded."""
    body = api.create_body(shipped_order, Part(shipped_order.line, 2))
    before = first_refund(api, shipped_order, body)
    api.create(body)
    for refund in before.values():
        verify.given_review(api, shipped_order, refund, Action.APPROVE)

    verify.created(api.create_refund(shipped_order, Part(shipped_order.line, 3)))


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(Action.APPROVE, marks=requirement("IDEM-13", profile="quick")),
        pytest.param(Action.REJECT, marks=requirement("IDEM-14", profile="quick")),
    ],
)
@pytest.mark.usefixtures("protected")
def test_a_replay_after_a_review_changes_nothing(api: RefundApi, shipped_order: Order, action: Action) -> None:
    """A late retry finds the decision made, and leaves it."""
    body = api.create_body(shipped_order)
    for refund in first_refund(api, shipped_order, body).values():
        verify.given_review(api, shipped_order, refund, action)
    before = verify.look_list(api, shipped_order)

    answer = api.create(body)
    answer.exchange.role = "probe"

    after = verify.look_again(api, shipped_order)
    verify.unchanged(settled(before), settled(after))
    replay_is_true(answer, before)
    verify.same(*statuses(before, after), "the statuses of the order's refunds")


def settled(refunds: dict[RefundId, Refund]) -> dict[RefundId, Refund]:
    """Leave out what may still move on its own after an approval (reading A37)."""
    return {key: evolve(refund, status=None, update_time=None) for key, refund in refunds.items()}


def statuses(before: dict[RefundId, Refund], after: dict[RefundId, Refund]) -> tuple[object, object]:
    """Return the statuses before and after, taking an approval in process and a completed one for the same."""

    def merged(refunds: dict[RefundId, Refund]) -> list[object]:
        return ["approved" if r.status in verify.APPROVED else r.status for r in refunds.values()]

    return merged(before), merged(after)


@requirement("IDEM-15")
@pytest.mark.usefixtures("protected")
def test_a_replay_over_a_new_connection_leaves_one_refund(api: RefundApi, shipped_order: Order) -> None:
    """The key protects whatever connection the retry comes by."""
    body = api.create_body(shipped_order)
    before = first_refund(api, shipped_order, body)
    api.wire.reconnect()

    no_new_refund(api, shipped_order, body, before)


@requirement("IDEM-16")
@pytest.mark.usefixtures("protected")
def test_a_replay_with_reordered_members_leaves_one_refund(api: RefundApi, shipped_order: Order) -> None:
    """The order of JSON members means nothing."""
    body = api.create_body(shipped_order)
    before = first_refund(api, shipped_order, body)
    reordered = {"refund": dict(reversed(body["refund"].items()))}

    no_new_refund(api, shipped_order, reordered, before)


@requirement("IDEM-30")
@pytest.mark.usefixtures("protected")
def test_a_replay_with_numbers_in_another_form_leaves_one_refund(api: RefundApi, shipped_order: Order) -> None:
    """A number is the same as its text."""
    key = api.keys()
    before = first_refund(api, shipped_order, api.create_body(shipped_order, request_no=key))
    other = api.speaking(NUMBERS if api.create_dialect is TEXT else TEXT)

    no_new_refund(other, shipped_order, other.create_body(shipped_order, request_no=key), before)


@requirement("IDEM-17", profile="quick")
@pytest.mark.usefixtures("protected")
@pytest.mark.parametrize("quantity", [1, 3], ids=["fewer units", "more units"])
def test_a_key_reused_with_another_quantity_changes_nothing(
    api: RefundApi, session: Session, shipped_order: Order, quantity: int
) -> None:
    """The first request stands, whatever the second asks for."""
    key = api.keys()
    before = first_refund(
        api, shipped_order, api.create_body(shipped_order, Part(shipped_order.line, 2), request_no=key)
    )

    reused = api.create_body(shipped_order, Part(shipped_order.line, quantity), request_no=key)
    answer = api.create(reused)
    answer.exchange.role = "probe"

    verify.unchanged(before, verify.look_again(api, shipped_order))
    replay_is_true(answer, before)
    session.observe("A23", f"a key reused with another payload is answered with {answer.status}")


@requirement("IDEM-18")
@pytest.mark.usefixtures("protected")
def test_a_key_reused_with_another_line_changes_nothing(api: RefundApi, new_order: NewOrder) -> None:
    """The first request stands, whatever the second asks for."""
    order, key = new_order((5, "10.00"), (5, "7.00")), api.keys()
    before = first_refund(api, order, api.create_body(order, request_no=key))

    no_new_refund(api, order, api.create_body(order, Part(order.lines[1]), request_no=key), before)


@requirement("IDEM-19")
def test_a_key_reused_with_another_order_answers_the_truth(
    api: RefundApi, session: Session, shipped_order: Order, new_order: NewOrder
) -> None:
    """The first order stays as it is, and a refund that the answer names is on one of the two."""
    key, other = api.keys(), new_order()
    before = first_refund(api, shipped_order, api.create_body(shipped_order, request_no=key))

    answer = api.create(api.create_body(other, request_no=key))
    answer.exchange.role = "probe"

    verify.unchanged(before, verify.look_again(api, shipped_order))
    there = verify.look_list(api, other)
    if answer.accepted:
        told = None if answer.refund is None else answer.refund.refund_id
        verify.holds(told in before or list(there) == [told], "a refund of one of the two orders", told)
    else:
        verify.same([], list(there), "refunds of the other order")
    session.observe("A24", "a key is good once in a shop" if not there else "a key is good once for each order")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("any", marks=requirement("IDEM-20", profile="quick")),
        pytest.param("last of 50", marks=requirement("IDEM-21")),
        pytest.param("case", marks=requirement("IDEM-22")),
        pytest.param("digits", marks=requirement("IDEM-23")),
    ],
)
def test_different_keys_are_different_refunds(
    api: RefundApi, session: Session, shipped_order: Order, kind: str
) -> None:
    """Two creates that differ in their keys alone are two refunds, one after the other was approved."""
    first_key, second_key = pair_of_keys(api, kind)
    first = verify.given_refund(api, shipped_order, request_no=first_key)

    answer = api.create_refund(shipped_order, request_no=second_key)
    if answer.refused:
        session.observe("A27", "a second refund of a line is refused while one is open")
        verify.given_review(api, shipped_order, first, Action.APPROVE)
        answer = api.create_refund(shipped_order, request_no=second_key)
        if answer.refused:  # the refused attempt may have burnt the key (reading A24)
            answer = api.create_refund(shipped_order, request_no=pair_of_keys(api, kind, first_key)[1])
    else:
        session.observe("A27", "a second refund of a line is accepted while one is open")
    second = verify.created(answer)

    verify.holds(first.refund_id != second.refund_id, "two refunds", f"refund {first.refund_id} twice")
    verify.appears(api, shipped_order, second)


def pair_of_keys(api: RefundApi, kind: str, first: str | None = None) -> tuple[str, str]:
    """Return two keys that differ in one way only; with ``first``, another pair that begins with it."""
    fresh = api.keys()
    if kind == "any":
        return fresh, api.keys()
    if kind == "last of 50":
        stem = (first or fresh.ljust(50, "k"))[:49]
        return first or stem + "a", stem + ("b" if first is None else "c")
    if kind == "case":
        stem = first or "kEy" + fresh
        return stem, stem.swapcase() if first is None else stem.lower()
    digits = first or str(uuid.uuid5(uuid.NAMESPACE_OID, fresh).int)[:24].rjust(24, "1") + "1"
    return digits, digits[:24] + ("2" if first is None else "3")


@requirement("IDEM-24")
def test_a_uuid_is_accepted_and_protects(api: RefundApi, shipped_order: Order) -> None:
    """A UUID as a key is accepted, and sent again leaves one refund."""
    body = api.create_body(shipped_order, request_no=str(uuid.uuid5(uuid.NAMESPACE_OID, api.keys())))
    verify.appears(api, shipped_order, verify.created(api.create(body)))

    no_new_refund(api, shipped_order, body, verify.look_list(api, shipped_order))


@requirement("IDEM-25", profile="quick")
def test_a_refused_key_never_answers_with_a_ghost(api: RefundApi, session: Session, shipped_order: Order) -> None:
    """The key of a refused create either works afterwards or is refused; it never names what is not there."""
    key = api.keys()
    too_many = api.create_body(shipped_order, Part(shipped_order.line, 6), request_no=key)
    api.create(too_many).exchange.role = "probe"

    again = api.create(too_many)
    corrected = api.create_refund(shipped_order, request_no=key)
    again.exchange.role = corrected.exchange.role = "probe"

    there = verify.look_again(api, shipped_order)
    for answer in (again, corrected):
        if answer.accepted:
            told = None if answer.refund is None else answer.refund.refund_id
            verify.holds(told in there, "a refund that is on the order", f"{answer.status} with refund {told}")
    session.observe("A24", f"the key of a refused create is {'usable' if corrected.accepted else 'burnt'} afterwards")


@requirement("IDEM-26")
@pytest.mark.usefixtures("protected")
def test_a_replay_with_another_token_leaves_one_refund(api: RefundApi, shop: Shop, shipped_order: Order) -> None:
    """The key protects whichever token of the shop the retry comes with."""
    rotated = shop.holder("write_refunds")
    body = api.create_body(shipped_order)
    before = first_refund(api, shipped_order, body)

    answer = rotated.create(body)
    answer.exchange.role = "probe"

    verify.unchanged(before, verify.look_again(api, shipped_order))


@requirement("IDEM-31")
@pytest.mark.usefixtures("protected")
def test_the_third_and_fourth_replay_are_replays_too(api: RefundApi, shipped_order: Order) -> None:
    """However often a body is sent, there is one refund."""
    body = api.create_body(shipped_order)
    before = first_refund(api, shipped_order, body)
    for _ in range(2):
        api.create(body).exchange.role = "probe"

    no_new_refund(api, shipped_order, body, before)


@requirement("IDEM-32")
@pytest.mark.usefixtures("protected")
def test_each_of_three_refunds_is_protected_by_its_own_key(api: RefundApi, shipped_order: Order) -> None:
    """Replaying the first and the second of three refunds creates nothing."""
    keys = [api.keys() for _ in range(3)]
    for key in keys:
        verify.given_refund(api, shipped_order, request_no=key)
    before = verify.look_again(api, shipped_order)
    if len(before) < len(keys):
        verify.same(len(keys), len(before), "the number of refunds")

    for key in keys[:2]:
        api.create_refund(shipped_order, request_no=key).exchange.role = "probe"

    verify.same(sorted(before), sorted(verify.look_again(api, shipped_order)), "the refunds of the order")


@requirement("IDEM-27", late=True)
@pytest.mark.usefixtures("protected")
def test_the_first_key_of_the_run_still_protects_at_its_end(
    api: RefundApi, session: Session, accepted_create: Refund
) -> None:
    """A replay of the run's very first create, after all the others, creates nothing."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without its order
    before = verify.look_list(api, order)

    api.create_refund(order, request_no=session.base_key).exchange.role = "probe"

    verify.same(sorted(before), sorted(verify.look_again(api, order)), "the refunds of the order")


@requirement("IDEM-28", profile="full", late=True)
@pytest.mark.usefixtures("protected")
def test_a_key_still_protects_after_a_minute(api: RefundApi, session: Session, accepted_create: Refund) -> None:
    """A replay of the run's first create, at least 60 seconds later, creates nothing."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without its order
    before = verify.look_list(api, order)
    session.let_pass(61.0)

    api.create_refund(order, request_no=session.base_key).exchange.role = "probe"

    verify.same(sorted(before), sorted(verify.look_again(api, order)), "the refunds of the order")
