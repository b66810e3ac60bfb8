"""The request number: its length, and that a refund is created once under it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from attrs import define, field, frozen

from conformance.generation.manners import last_changed
from conformance.http.client import ABSENT, Answer, Creation, KeyMaker, Part, RefundApi
from conformance.http.dialect import NUMBERS, TEXT
from conformance.judging import verify
from conformance.model import CARRIER_CODE, Action, Order, OrderId, Refund, RefundId, RightsType, same_time
from conformance.results import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session, Shop
from conformance.suite.given.benches import Bench, NewOrder, OpenRefunds, Placed, Probes, many_of, selected_rows
from conformance.suite.given.histories import Series
from conformance.suite.given.units import Refunds

THIRTEEN = 13
"""A limit that is no usual size of a page."""

# Keys that must be refused.


def with_key(key: Any) -> Callable[[RefundApi, Order], Answer]:
    """Return a create that is valid but for its request number; ``OfLength`` stands for a fresh one."""

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
    "a number": ("IDEM-29", 4242),
    "a list": ("IDEM-29", ["k" * 32]),
    "an object": ("IDEM-29", {"key": "k" * 32}),
}
PROFILES = {
    "19 characters": "quick", "51 characters": "quick", "missing": "quick",
    "200 characters": "full", "null": "full", "an object": "full",
}  # fmt: skip


SAME = {
    "1 character": "refund.requestNo of one character", "19 characters": "refund.requestNo a character too short",
    "51 characters": "refund.requestNo a character too long", "200 characters": "refund.requestNo far too long",
    "missing": "refund.requestNo left out", "empty": "refund.requestNo empty",
}  # fmt: skip
"""Near misses that are the same, so that a run which sends them need not send these."""


@pytest.fixture(scope="module")
def refused_keys(request: pytest.FixtureRequest, create_bench: Bench, near_creates: Probes) -> Probes:
    """Creates that differ from an accepted one in their request number alone."""
    api = create_bench.api
    rows = {name: partial(with_key(key), api) for name, (_, key) in REFUSED_KEYS.items()}
    chosen = selected_rows(request, rows)
    probes = Probes(create_bench)
    probes.borrow(near_creates, {name: SAME[name] for name in chosen.keys() & SAME.keys()})
    probes.send(chosen)
    return probes


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement(identifier, profile=PROFILES.get(name, "standard")))
        for name, (identifier, _) in REFUSED_KEYS.items()
    ],
)
def test_an_illegal_request_no_is_refused(refused_keys: Probes, row: str) -> None:
    """A key of a wrong length or type is refused, and leaves no refund behind."""
    refused_keys.judge(row)


# Keys that must be accepted, each for a refund of its own.

PARTNERS = {
    "any": "first", "case": "uuid", "hyphens": "uuid", "last of 50": "50 characters", "hash": "50 characters",
    "last digit": "38 digits", "leading zero": "38 digits", "underscores": "first",
}  # fmt: skip
KEYS: dict[str, Callable[[KeyMaker], str]] = {
    "first": lambda keys: keys(),
    "any": lambda keys: keys(),
    "uuid": lambda keys: keys.uuid(),
    "20 characters": lambda keys: keys(20),
    "50 characters": lambda keys: keys(46) + "AaAa",
    "38 digits": lambda keys: keys.digits(38),
}
"""How to make a key; one more is made where the first try is refused, which may burn it (reading A24)."""
Twin = Callable[[str], str]
TWINS: dict[str, tuple[Twin, Twin]] = {
    "case": (str.upper, lambda key: re.sub("[a-z]", lambda letter: letter[0].upper(), key, count=1)),
    "hyphens": (lambda key: key.replace("-", ""), lambda key: key.replace("-", "", 1)),
    "last of 50": (lambda key: key[:-1] + "c", lambda key: key[:-1] + "d"),
    "hash": (lambda key: key[:-2] + "BB", lambda key: key[:-4] + "BB" + key[-2:]),
    "last digit": (last_changed, lambda key: last_changed(key[:-1]) + key[-1]),
    "leading zero": (lambda key: f"0{key}", lambda key: f"00{key}"),
    "underscores": (lambda key: key.replace("K", "_"), lambda key: key.replace("K", "_", 1)),
}
"""Keys next to one that has a refund, which only a careless comparison takes for it, each with another such.

To Java, "Aa".hashCode() == "BB".hashCode(); to SQL's LIKE, an underscore stands for any character.
"""


@define
class Accepted:
    """Creates that differ in their keys alone, all of one order: the bodies, the answers, and what is then listed."""

    order: Order
    bodies: dict[str, dict[str, Any]] = field(factory=dict)
    answers: dict[str, Answer] = field(factory=dict)
    listed: dict[RefundId, Refund] = field(factory=dict)
    plain: Answer | None = None

    def send(self, api: RefundApi, name: str) -> None:
        """Create under a key; a target that allows one open refund at a time (A27) gets a second chance."""
        for key in self.keys(api, name):
            self.bodies[name] = api.create_body(self.order, request_no=key)
            answer = self.answers[name] = api.create(self.bodies[name])
            answer.exchange.role = "probe"
            if answer.refused and verify.approve_open(api, self.order):
                answer = self.answers[name] = api.create(self.bodies[name])
                answer.exchange.role = "probe"
            if not answer.refused:
                break

    def keys(self, api: RefundApi, name: str) -> Iterator[str]:
        """Yield a key to try, and then another of its kind."""
        if name in TWINS:
            known = self.bodies[PARTNERS[name]]["refund"]["requestNo"]
            yield from (twin(known) for twin in TWINS[name])
        else:
            yield from (KEYS[name](api.keys) for _ in range(2))

    def insist_on_plain(self, api: RefundApi) -> None:
        """A plain key is still accepted; otherwise the refusal of another one proves nothing."""
        if self.plain is None:
            self.plain = api.create_refund(self.order)
            if self.plain.refused and verify.approve_open(api, self.order):
                self.plain = api.create_refund(self.order)
            self.plain.exchange.role = "control"
        if self.plain.refused:
            raise Blocked("even a plain create is refused on an order with several refunds (CREATE-20)")

    def refund(self, api: RefundApi, name: str) -> Refund:
        """The create of that name was accepted and its refund is listed; returns it."""
        if self.answers[name].refused:
            self.insist_on_plain(api)
        refund = verify.created(self.answers[name])
        if refund.refund_id not in self.listed and api.get_refund(self.order, refund).accepted:
            raise Blocked(f"get shows refund {refund.refund_id}, and only the list lacks it (LIST-01)")
        verify.holds(
            refund.refund_id in self.listed, f"refund {refund.refund_id} in the list of its order", "it is not"
        )
        return refund


@pytest.fixture(scope="session")
def roomy_order(new_order: NewOrder) -> Order:
    """An order for all the refunds that differ in their keys alone, or that something is sent again for."""
    return new_order((80, "10.00"), (40, "7.00"))


@pytest.fixture(scope="session")
def accepted_keys(request: pytest.FixtureRequest, api: RefundApi, roomy_order: Order) -> Accepted:
    """A refund of the roomy order for each key that a check is about, and for the one that it is compared with."""
    names = set(selected_rows(request, dict.fromkeys([*KEYS, *TWINS])))
    names |= {PARTNERS[name] for name in names & PARTNERS.keys()} | {"first", "any"}
    sent = Accepted(roomy_order)
    for name in (*KEYS, *TWINS):
        if name in names:
            sent.send(api, name)
    told = {answer.refund.refund_id for answer in sent.answers.values() if answer.refund is not None}
    sent.listed = verify.patiently(api, lambda: verify.look_list(api, sent.order), lambda seen: told <= seen.keys())
    return sent


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("20 characters", marks=requirement("IDEM-02")),
        pytest.param("50 characters", marks=requirement("IDEM-03")),
    ],
)
def test_a_request_no_of_a_limit_s_length_is_accepted(api: RefundApi, accepted_keys: Accepted, row: str) -> None:
    """The limits themselves belong to what is allowed, and the refund is there."""
    accepted_keys.refund(api, row)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("any", marks=requirement("IDEM-20")),
        pytest.param("last of 50", marks=requirement("IDEM-21")),
        pytest.param("hash", marks=requirement("IDEM-21")),
        pytest.param("case", marks=requirement("IDEM-22")),
        pytest.param("hyphens", marks=requirement("IDEM-22")),
        pytest.param("last digit", marks=requirement("IDEM-23")),
        pytest.param("leading zero", marks=requirement("IDEM-23")),
        pytest.param("underscores", marks=requirement("IDEM-22")),
    ],
)
def test_different_keys_are_different_refunds(session: Session, accepted_keys: Accepted, row: str) -> None:
    """Two creates that differ in their keys alone are two refunds."""
    partner = PARTNERS[row]
    first = accepted_keys.answers[partner].refund
    if first is None:
        raise Blocked(f"the refund to compare with was not created: {accepted_keys.answers[partner].described}")
    if row != "any" and accepted_keys.answers["any"].exchange.second_hand:
        raise Blocked("equal bodies under any two keys are already one refund (IDEM-20)")
    if accepted_keys.answers[row].refused:
        if row == "underscores":
            return  # which characters a key may have is open (reading A21)
        accepted_keys.insist_on_plain(session.shop.api)
    second = verify.accepted(accepted_keys.answers[row], "an acceptance (2xx) with another refund").refund

    told = None if second is None else second.refund_id
    verify.holds(told != first.refund_id, "two refunds", f"refund {first.refund_id} twice")
    accepted_keys.refund(session.shop.api, row)
    pending = session.shop.api.pending
    open_ones = [refund for refund in accepted_keys.listed.values() if refund.status in pending]
    several = "accepted" if len(open_ones) > 1 else "refused"
    session.observe("A27", f"a second refund of a line is {several} while one is open")


# Creates sent again.


def names_the_original(answer: Answer, original: Refund) -> None:
    """The answer to a create sent again names the original refund, or is a refusal (readings A22 and A23)."""
    verify.holds(answer.accepted or answer.refused, "the original refund (2xx) or a refusal (4xx)", answer.described)
    if answer.accepted:
        told = None if answer.refund is None else answer.refund.refund_id
        verify.same(original.refund_id, told, "the refund in the replay's answer")


def is_the_original(answer: Answer, original: Refund) -> None:
    """The answer names the original refund, and shows its units, its amount and its type."""
    names_the_original(answer, original)
    if answer.refund is not None:
        verify.same(original.amount, answer.refund.amount, "the amount in the replay's answer")
        verify.same(original.quantities, answer.refund.quantities, "the units in the replay's answer")
        verify.same(original.rights_type, answer.refund.rights_type, "the type in the replay's answer")


@define
class Replay:
    """A create sent twice, at once: the order's refunds before and after, and the answer between.

    ``now`` is what was seen last, after further requests under the key.
    """

    placed: Placed
    before: dict[RefundId, Refund]
    answer: Answer
    after: dict[RefundId, Refund]
    now: dict[RefundId, Refund]

    def changes_nothing(self, api: RefundApi, *bodies: dict[str, Any]) -> None:
        """More requests under the key neither create nor change anything on the order."""
        if verify.differ(self.after, self.now):
            raise Blocked("an earlier request under the key already changed something")
        for body in bodies:
            api.create(body).exchange.role = "probe"
        self.now = verify.look_list(api, self.placed.order)
        verify.unchanged(self.after, self.now)


@pytest.fixture(scope="module")
def replay(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Replay:
    """The same body, of two units of five, sent twice at once."""
    placed = OpenRefunds(api, new_order).put(lambda order: api.create_body(order, Part(order.line, 2)))
    before = verify.look_list(api, placed.order)
    answer = api.create(placed.body)
    answer.exchange.role = "probe"
    after = verify.look_list(api, placed.order)
    return Replay(placed, before, answer, after, after)


@pytest.fixture
def protected(replay: Replay) -> None:
    """The control of every special replay: the plain one leaves one refund as it was."""
    if len(replay.before) != 1 or verify.differ(replay.before, replay.after) or replay.answer.status >= 500:
        raise Blocked("a plain replay already goes wrong (IDEM-09, IDEM-11), so this special one would prove nothing")


@requirement("IDEM-09")
def test_a_replay_leaves_one_refund(session: Session, replay: Replay) -> None:
    """The same body sent twice leaves one refund on the order."""
    if list(replay.before) != [replay.placed.refund.refund_id]:
        raise Blocked("after one create, the list does not show its one refund")
    verify.same(list(replay.before), list(replay.after), "the refunds of the order")
    answer = replay.answer
    verify.holds(answer.status < 500, "the original refund (2xx) or a refusal (4xx)", answer.described)
    session.observe("A22", f"a replay is answered with {answer.status}")


@requirement("IDEM-11")
def test_a_replay_changes_nothing_in_the_refund(replay: Replay) -> None:
    """Every value of the refund is what it was before the replay."""
    if [replay.placed.refund.refund_id] != list(replay.before) or replay.before.keys() != replay.after.keys():
        raise Blocked("there is not one refund on the order, as there must be before and after a replay (IDEM-09)")
    verify.unchanged(replay.before, replay.after)


@requirement("IDEM-31")
@pytest.mark.usefixtures("protected")
def test_the_third_to_fifth_request_are_replays_too(api: RefundApi, replay: Replay) -> None:
    """However often a body is sent, there is one refund."""
    replay.changes_nothing(api, *[replay.placed.body] * 3)


@requirement("IDEM-19")
@pytest.mark.usefixtures("protected")
def test_a_key_reused_with_another_order_answers_the_truth(
    api: RefundApi, session: Session, replay: Replay, shipped_order: Order
) -> None:
    """The first order stays as it is, and a refund that the answer names is on one of the two."""
    key = replay.placed.body["refund"]["requestNo"]
    answer = api.create(api.create_body(shipped_order, request_no=key))
    answer.exchange.role = "probe"

    replay.changes_nothing(api)
    there = verify.look_list(api, shipped_order)
    if answer.accepted:
        told = None if answer.refund is None else answer.refund.refund_id
        verify.holds(told in replay.now or list(there) == [told], "a refund of one of the two orders", told)
    else:
        verify.same([], list(there), "refunds of the other order")
    session.observe("A24", f"a key is good once {'for each order' if there else 'in a shop'}")


@requirement("IDEM-12")
@pytest.mark.usefixtures("protected")
def test_a_replay_uses_up_no_quantity(api: RefundApi, replay: Replay) -> None:
    """After a replay the rest of the line, to the last unit, can still be refunded."""
    if verify.differ(replay.after, replay.now):
        raise Blocked("an earlier request under the key already changed something")
    order = replay.placed.order
    rest = Part(order.line, order.line.quantity - 2)
    answer = api.create_refund(order, rest)
    if answer.refused and verify.approve_open(api, order):  # one open refund at a time is legal (reading A27)
        answer = api.create_refund(order, rest)

    verify.created(answer)


@define
class Closed:
    """A refund of all that was ordered, approved: its create sent again, one unit more asked for, and a get."""

    order: Order
    original: Refund
    approved: Refunds
    replay: Answer
    one_more: Answer
    after: Refunds
    got: Answer

    def judge_replay(self) -> None:
        """The key was still known."""
        told = set() if self.one_more.refund is None else {self.one_more.refund.refund_id}
        made = sorted(self.after.keys() - self.approved.keys() - told)
        verify.same([], made, "refunds made by the replay")
        names_the_original(self.replay, self.original)


@pytest.fixture(scope="session")
def closed(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Closed:
    """An order of which nothing is left."""
    order = new_order()
    body = api.create_body(order, Part(order.line, order.line.quantity))
    original = verify.made(api.create(body))
    if api.wire.lag:
        verify.await_visible(api, order, original)
    api.review_refund(order, original, Action.APPROVE).exchange.role = "arrange"
    approved = verify.patiently(api, partial(verify.look_list, api, order), partial(is_approved, api, original))
    if not is_approved(api, original, approved):
        raise Blocked("a refund of all that was ordered is not seen approved")
    replay, one_more = api.create(body), api.create_refund(order)
    replay.exchange.role = one_more.exchange.role = "probe"
    return Closed(
        order, original, approved, replay, one_more, verify.look_list(api, order), api.get_refund(order, original)
    )


def is_approved(api: RefundApi, refund: Refund, seen: Refunds) -> bool:
    """Say whether a refund is listed as approved, or with a status that cannot be read."""
    return refund.refund_id in seen and seen[refund.refund_id].status in api.approved | {None}


@requirement("IDEM-13")
@pytest.mark.usefixtures("protected")
def test_a_replay_after_the_approval_of_a_whole_order_changes_nothing(closed: Closed) -> None:
    """The key of an approved refund of all that was ordered is still known."""
    closed.judge_replay()


@requirement("IDEM-13")
def test_a_replay_gives_no_approved_units_back(session: Session, closed: Closed, series: Series) -> None:
    """After the replay of an approved create of all that was ordered, one unit more is refused."""
    try:
        series.judge_last_unit(session)
    except Failed:
        raise Blocked("approved units are already not used up (CREATE-21)") from None
    try:
        closed.judge_replay()
    except Failed as failure:
        raise Blocked(f"the replay already made a refund: {failure}") from None
    verify.refused(closed.one_more)
    verify.same(sorted(closed.approved), sorted(closed.after), "the refunds of the order")


@requirement("GET-02")
def test_a_refund_of_all_that_was_ordered_is_shown_when_it_is_approved(closed: Closed) -> None:
    """Get finds a refund after which nothing is left of its order."""
    refund = verify.accepted(closed.got).refund
    verify.same(closed.original.refund_id, None if refund is None else refund.refund_id, "the refund that get shows")


@define
class Three:
    """Three refunds of an order, of which the creates of the first and the second were sent again."""

    placed: list[Placed]
    answers: list[Answer]
    before: dict[RefundId, Refund]
    after: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def three(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Three:
    """Refunds of one, two and three units of a line, each under a key of its own."""
    order = new_order((9, "10.00"))
    placed = [put_on(api, order, units) for units in (1, 2, 3)]
    before = verify.look_list(api, order)
    answers = [api.create(first.body) for first in placed[:2]]
    for answer in answers:
        answer.exchange.role = "probe"
    return Three(placed, answers, before, verify.look_list(api, order))


def put_on(api: RefundApi, order: Order, units: int) -> Placed:
    """Arrange a refund on an order, approving open ones that are in the way (reading A27)."""
    body = api.create_body(order, Part(order.line, units))
    answer = api.create(body)
    if answer.refused and verify.approve_open(api, order):
        body = api.create_body(order, Part(order.line, units))
        answer = api.create(body)
    refund = verify.made(answer)
    if api.wire.lag:
        verify.await_visible(api, order, refund)
    return Placed(order, body, refund)


@requirement("IDEM-10")
@pytest.mark.usefixtures("protected")
@pytest.mark.parametrize("index", [0, 1], ids=["first", "second"])
def test_an_accepted_replay_answers_with_the_original(three: Three, index: int) -> None:
    """What a replay answers is the refund of its key, also when younger ones are there."""
    if three.before.keys() != three.after.keys():
        raise Blocked("the replay of an earlier refund makes another (IDEM-32)")
    is_the_original(three.answers[index], three.placed[index].refund)


@requirement("IDEM-32")
@pytest.mark.usefixtures("protected")
def test_each_of_three_refunds_is_protected_by_its_own_key(three: Three) -> None:
    """Replaying the first and the second of three refunds creates nothing and changes nothing."""
    verify.same(sorted(placed.refund.refund_id for placed in three.placed), sorted(three.before), "the three refunds")
    verify.unchanged(three.before, three.after)


@pytest.fixture
def protected_among_others(three: Three, protected: None) -> None:
    """The control of replays on an order with several refunds: plain ones do nothing and answer the truth."""
    try:
        verify.unchanged(three.before, three.after)
        for answer, placed in zip(three.answers, three.placed, strict=False):
            is_the_original(answer, placed.refund)
    except Failed as failure:
        raise Blocked(f"plain replays on an order of several refunds go wrong (IDEM-10, IDEM-32): {failure}") from None


@requirement("IDEM-24")
@pytest.mark.usefixtures("protected_among_others")
@pytest.mark.parametrize("row", ["uuid", "38 digits"])
def test_a_uuid_and_digits_are_accepted_and_protect(api: RefundApi, accepted_keys: Accepted, row: str) -> None:
    """A UUID, or digits alone, are accepted as a key, and sent again change nothing."""
    original = accepted_keys.refund(api, row)
    before = verify.look_list(api, accepted_keys.order)
    answer = api.create(accepted_keys.bodies[row])
    answer.exchange.role = "probe"

    verify.unchanged(before, verify.look_list(api, accepted_keys.order))
    is_the_original(answer, original)


# Creates sent again in another way, or under the key of another one.


def over_a_new_connection(shop: Shop, first: Placed) -> Answer:
    """Send the body again on another connection, which is for this request alone."""
    shop.api.wire.reconnect()
    return shop.api.create(first.body, headers={"Connection": "close"})


def with_members_reordered(shop: Shop, first: Placed) -> Answer:
    """Send the body again with its members the other way round."""
    return shop.api.create({"refund": dict(reversed(first.body["refund"].items()))})


def with_numbers_in_another_form(shop: Shop, first: Placed) -> Answer:
    """Send the body again with JSON numbers for texts, or texts for JSON numbers."""
    other = shop.api.speaking(NUMBERS if shop.api.create_dialect is TEXT else TEXT)
    return other.create(of_two_units(other, first.order, request_no=first.body["refund"]["requestNo"]))


def with_another_token(shop: Shop, first: Placed) -> Answer:
    """Send the body again as another holder of the shop."""
    return shop.holder("write_refunds").create(first.body)


def with_another(line: int, units: int, **fields: Any) -> Callable[[Shop, Placed], Answer]:
    """Return a create under the same key that asks for something else."""

    def send(shop: Shop, first: Placed) -> Answer:
        key, part = first.body["refund"]["requestNo"], Part(first.order.lines[line], units)
        return shop.api.create(shop.api.create_body(first.order, part, request_no=key, **fields))

    return send


def of_two_units(api: RefundApi, order: Order, **fields: Any) -> dict[str, Any]:
    """Return a create of two units of the first line."""
    return api.create_body(order, Part(order.line, 2), **fields)


def of_two_lines(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create of units of both lines."""
    return api.create_body(order, Part(order.lines[0], 2), Part(order.lines[1], 1))


def without_return(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create of type 2."""
    return of_two_units(api, order, rights_type=RightsType.REFUND)


def as_it_was(shop: Shop, first: Placed) -> Answer:
    """Send the body again."""
    return shop.api.create(first.body)


def with_a_parcel(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create with logistics information."""
    parcel = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": "TRACK654321"}
    return of_two_units(api, order, shipping=parcel)


def with_another_reason(shop: Shop, first: Placed) -> Answer:
    """Create under the same key for another reason."""
    key, part = first.body["refund"]["requestNo"], Part(first.order.line, 2, reason="Another reason altogether.")
    return shop.api.create(shop.api.create_body(first.order, part, request_no=key))


def bare(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create that names neither its customer nor its type."""
    return of_two_units(api, order, customer_id=ABSENT, rights_type=ABSENT)


@frozen
class Retry:
    """What is sent again under the key of a create with some ``body``, and what was decided of its refund before."""

    requirement: str
    send: Callable[[Shop, Placed], Answer]
    body: Callable[[RefundApi, Order], dict[str, Any]] = of_two_units
    action: Action | None = None


RETRIES = {
    "over a new connection": Retry("IDEM-15", over_a_new_connection),
    "members reordered": Retry("IDEM-16", with_members_reordered),
    "numbers in another form": Retry("IDEM-30", with_numbers_in_another_form),
    "fewer units": Retry("IDEM-17", with_another(0, 1)),
    "more units": Retry("IDEM-17", with_another(0, 3)),
    "another line": Retry("IDEM-18", with_another(1, 2)),
    "another type and parcel": Retry(
        "IDEM-33", with_another(0, 2, rights_type=RightsType.REFUND, shipping={"trackingNumber": "OTHER123456"})
    ),
    "another token": Retry("IDEM-26", with_another_token),
    "of several lines": Retry("IDEM-34", as_it_was, of_two_lines),
    "of type 2": Retry("IDEM-34", as_it_was, without_return),
    "with a parcel": Retry("IDEM-34", as_it_was, with_a_parcel),
    "with nothing optional": Retry("IDEM-34", as_it_was, bare),
    "another reason": Retry("IDEM-33", with_another_reason),
    "no customer and another parcel": Retry(
        "IDEM-33", with_another(0, 2, customer_id=ABSENT, shipping={"trackingNumber": "OTHER987654"})
    ),
}
EARLIER = {
    "once approved": "members reordered", "once rejected": "over a new connection",
    "of type 2, once approved": "of type 2", "with a parcel, once approved": "with a parcel",
    "of several lines, once rejected": "of several lines",
    "with nothing optional, once rejected": "with nothing optional",
}  # fmt: skip
"""What is sent again once more, when it was decided."""
DECIDED = {
    name: Retry(
        "IDEM-13" if name.endswith("approved") else "IDEM-14",
        as_it_was,
        RETRIES[earlier].body,
        Action.APPROVE if name.endswith("approved") else Action.REJECT,
    )
    for name, earlier in EARLIER.items()
}
REUSED = {"IDEM-17", "IDEM-18", "IDEM-33"}


YOUNG = 20.0
"""Seconds after which a key is not relied on any more: it must still be kept when all is sent (reading A24)."""


@define
class Retries:
    """Refunds of one order, each with a key of its own under which something is sent again; one look shows all.

    Only when it shows an effect is each tried on its own, on an order without other refunds. What the order had before
    anything was sent again is ``listed``, as of the moment ``at``, in seconds of the wire's clock.
    """

    shop: Shop
    new_order: NewOrder
    rows: Mapping[str, Retry]
    firsts: dict[str, Placed] = field(factory=dict)
    answers: dict[str, Answer | Blocked] = field(factory=dict)
    effects: dict[str, tuple[Refunds, Refunds]] = field(factory=dict)
    listed: Refunds = field(factory=dict)
    at: float = 0.0
    harmed: bool = False

    def send(self, names: list[str], *orders: Order) -> None:
        """Create a refund for each name that has none, and then send again what the name says."""
        before, after = together = self._together(names, *orders)
        self.listed, self.harmed = before, verify.differ(before, after)
        firsts, answers = dict(self.firsts), dict(self.answers)
        for name in names if self.harmed else ():
            self.firsts.pop(name, None)
            before, after = self._together([name])
            if verify.differ(before, after):
                self.effects[name] = (before, after)
        if self.harmed and not self.effects:  # what they did together none does alone
            self.firsts, self.answers = firsts, answers
            self.effects = dict.fromkeys(self._to_blame(names, *together), together)

    def _to_blame(self, names: list[str], before: Refunds, after: Refunds) -> list[str]:
        """Return which made a refund that was not there: those whose answers name one, or all, if there is any."""
        made = after.keys() - before.keys()
        told = {name: each.refund for name, each in self.answers.items() if isinstance(each, Answer)}
        named = [name for name, refund in told.items() if refund is not None and refund.refund_id in made]
        return (named or names) if made else []

    def _together(self, names: list[str], *orders: Order) -> tuple[Refunds, Refunds]:
        api = self.shop.api
        side_by_side = OpenRefunds(api, lambda: self.new_order((40, "10.00"), (40, "7.00")), list(orders))
        for name in names:
            try:
                if name not in self.firsts:
                    self.firsts[name] = side_by_side.put(partial(self.rows[name].body, api))
                self._decide(name)
            except Blocked as trouble:
                self.answers[name] = trouble
        self.at = self.at or api.wire.clock.monotonic()
        before = verify.patiently(api, side_by_side.look, partial(self._are_decided, names))
        for name in names:
            if isinstance(self.answers.get(name), Blocked):
                continue
            if not self._are_decided([name], before):
                self.answers[name] = Blocked(f"the review had no effect: refund {self.firsts[name].refund.refund_id}")
                continue
            try:
                answer = self.answers[name] = self.rows[name].send(self.shop, self.firsts[name])
            except Blocked as trouble:
                self.answers[name] = trouble
                continue
            answer.exchange.role = "probe"
            answer.exchange.batched = True
        return before, side_by_side.look()

    def _decide(self, name: str) -> None:
        """Review the refund of that name, if it is to be decided before anything is sent again."""
        action, first = self.rows[name].action, self.firsts[name]
        if action is not None:
            answer = self.shop.api.review_refund(first.order, first.refund, action)
            answer.exchange.role = "arrange"
            if not answer.accepted:
                raise Blocked(f"a review could not be arranged: it answered {answer.described}")

    def _are_decided(self, names: Iterable[str], seen: Mapping[RefundId, Refund]) -> bool:
        """Say whether the refunds that are to be decided are, as far as they are shown."""
        for name in names:
            action, first = self.rows[name].action, self.firsts.get(name)
            if action is not None and first is not None and first.refund.refund_id in seen:
                status = seen[first.refund.refund_id].status
                if status is not None and status not in self.shop.api.ends_of(action):
                    return False
        return True

    def judge(self, name: str, session: Session) -> None:
        """What was sent again under that name created nothing and changed nothing."""
        answer = self.answers[name]
        if isinstance(answer, Blocked):
            raise answer
        self.shop.api.wire.show(answer.exchange)
        if self.harmed and not self.effects:
            raise Blocked("requests under several keys go wrong together, though none does alone")
        verify.unchanged(*self.effects.get(name, ({}, {})))
        row, original = self.rows[name], self.firsts[name].refund
        if row.action is None:
            is_the_original(answer, original)
        else:  # what a review changes of it is told by REVIEW-21 and REVIEW-22
            names_the_original(answer, original)
        if row.action is not None and answer.refund is not None and answer.refund.status is not None:
            legal = self.shop.api.pending | self.shop.api.ends_of(row.action)  # as it was, or as it is (reading A22)
            legal |= (
                set() if original.status is None else {original.status}
            )  # what the first answer said is RECORD-76's
            verify.holds(answer.refund.status in legal, f"status {verify.shown(sorted(legal))}", answer.refund)
        if row.requirement in REUSED:
            session.observe("A23", f"a key reused with another payload is answered with {answer.status}")


@pytest.fixture(scope="session")
def retries(
    request: pytest.FixtureRequest, shop: Shop, new_order: NewOrder, roomy_order: Order, accepted_create: Refund
) -> Retries:
    """Everything that is sent again in a special way."""
    sent = Retries(shop, new_order, RETRIES)
    sent.send(list(selected_rows(request, RETRIES)), roomy_order)
    return sent


def rows_of(retries: Mapping[str, Retry]) -> pytest.MarkDecorator:
    """Return what is sent again as parameters of a check."""
    params = [pytest.param(name, marks=requirement(retry.requirement)) for name, retry in retries.items()]
    return pytest.mark.parametrize("row", params)


@rows_of(RETRIES)
@pytest.mark.usefixtures("protected_among_others")
def test_whatever_is_sent_again_under_a_key_changes_nothing(session: Session, retries: Retries, row: str) -> None:
    """The first request stands, however the second comes and whatever it asks for."""
    retries.judge(row, session)


@pytest.fixture(scope="session")
def roomy_refunds(api: RefundApi, accepted_keys: Accepted, roomy_order: Order, retries: Retries) -> set[RefundId]:
    """The ids of the refunds that the roomy order had when it was listed, in a whole run two dozen."""
    firsts = [placed.refund for placed in retries.firsts.values() if placed.order == roomy_order]
    made = {refund.refund_id for refund in firsts} | accepted_keys.listed.keys()
    return {refund_id for refund_id in made if refund_id in api.told and api.told[refund_id].at < retries.at}


@requirement("LIST-01")
def test_two_dozen_refunds_of_an_order_are_listed(roomy_refunds: set[RefundId], retries: Retries) -> None:
    """All refunds of the roomy order are in its list."""
    if not roomy_refunds:
        raise Blocked("the order has no refunds yet, or none is listed")
    missing = sorted(roomy_refunds - retries.listed.keys())
    verify.holds(not missing, f"all {len(roomy_refunds)} refunds of the order", f"without {', '.join(missing)}")


@pytest.fixture(scope="session")
def unlimited(api: RefundApi, roomy_order: Order, retries: Retries) -> Answer:
    """The list of the roomy order without a limit, once all that is sent again was."""
    answer = api.list_refunds(roomy_order, ABSENT)
    answer.exchange.role = "look"
    return answer


@requirement("LIST-13")
def test_a_list_without_limit_shows_many_refunds(
    roomy_refunds: set[RefundId], retries: Retries, unlimited: Answer
) -> None:
    """The refunds of the roomy order are listed without a limit as well as with one."""
    with_limit = len(roomy_refunds & retries.listed.keys())
    if not with_limit:
        raise Blocked("the order has no refunds, or none is listed with a limit (LIST-01)")
    if not unlimited.refused:  # reading A44
        shown = len(verify.accepted(unlimited).refunds or ())
        verify.holds(shown >= with_limit, f"{with_limit} refunds or more, as with a limit", f"{shown} refunds")


@pytest.fixture(scope="session")
def thirteen(api: RefundApi, roomy_order: Order, roomy_refunds: set[RefundId], retries: Retries) -> Answer:
    """The list of the roomy order with a limit that is no page's usual one, and less than what there is."""
    known = {refund_id: refund for refund_id, refund in retries.listed.items() if refund_id in roomy_refunds}
    many_of(api, roomy_order, known, THIRTEEN + 1)
    answer = api.list_refunds(roomy_order, THIRTEEN)
    answer.exchange.role = "look"
    return answer


@requirement("LIST-10")
def test_a_greater_limit_is_the_number_of_entries(thirteen: Answer) -> None:
    """A limit of 13 shows 13 of two dozen refunds."""
    shown = len(verify.accepted(thirteen).refunds or ())
    verify.same(THIRTEEN, shown, f"the entries of a list with limit {THIRTEEN}")


def ids_in(answer: Answer) -> list[RefundId]:
    """Return the ids that an answer lists."""
    return [refund.refund_id for refund in (answer.refunds if answer.accepted else None) or ()]


@requirement("LIST-02")
def test_each_of_many_refunds_is_listed_once(
    api: RefundApi, roomy_order: Order, thirteen: Answer, unlimited: Answer
) -> None:
    """However many refunds the roomy order has, its list shows none of them twice."""
    shown = ids_in(unlimited)
    if len(shown) < THIRTEEN:  # it may be refused (reading A44), or be older than some of the refunds
        shown = ids_in(api.list_refunds(roomy_order))
    if len(shown) < THIRTEEN:
        raise Blocked(f"the list of many refunds shows only {len(shown)} (LIST-01)")
    verify.same([], sorted({refund_id for refund_id in shown if shown.count(refund_id) > 1}), "those listed twice")


# Creates sent again once their refunds were decided; the lists of the same order are judged before.


@pytest.fixture(scope="module")
def decided(request: pytest.FixtureRequest, shop: Shop, new_order: NewOrder, retries: Retries) -> Retries:
    """Refunds for which something was sent again, decided now, and their creates sent once more.

    What a list shows of open refunds, and is judged later, is asked for before.
    """
    for name in ("unlimited", "thirteen"):
        if any(name in getattr(item, "fixturenames", ()) for item in request.session.items):
            request.getfixturevalue(name)
    is_young = shop.api.wire.clock.monotonic() - retries.at < YOUNG and not retries.harmed
    firsts = {name: retries.firsts.get(earlier) for name, earlier in EARLIER.items()} if is_young else {}
    known = {name: first for name, first in firsts.items() if first is not None}
    sent = Retries(shop, new_order, DECIDED, known)
    orders = {first.order.order_id: first.order for first in known.values()}
    sent.send(list(selected_rows(request, DECIDED)), *orders.values())
    return sent


@rows_of(DECIDED)
@pytest.mark.usefixtures("protected_among_others")
def test_a_replay_after_a_review_changes_nothing(
    session: Session, retries: Retries, decided: Retries, row: str
) -> None:
    """A late retry finds the decision made, and leaves it."""
    if EARLIER[row] in retries.answers:
        try:
            retries.judge(EARLIER[row], session)
        except Failed as failure:
            raise Blocked(f"what was sent again before the review already went wrong: {failure}") from None
    decided.judge(row, session)


@requirement("IDEM-25")
def test_a_refused_key_never_answers_with_a_ghost(api: RefundApi, session: Session, shipped_order: Order) -> None:
    """The key of a refused create either works afterwards or is refused; it never names what is not there."""
    key = api.keys()
    too_many = api.create_body(shipped_order, Part(shipped_order.line, 6), request_no=key)
    first = api.create(too_many)
    first.exchange.role = "probe"

    again = api.create(too_many)
    corrected = api.create_refund(shipped_order, request_no=key)
    again.exchange.role = corrected.exchange.role = "probe"

    there = verify.look_list(api, shipped_order)
    if first.refused:
        verify.holds(not again.accepted, "the refusal that it was before", again.described)
    for answer in (again, corrected):
        verify.holds(answer.status < 500, "an acceptance or a refusal", answer.described)
        if answer.accepted:
            told = None if answer.refund is None else answer.refund.refund_id
            verify.holds(told in there, "a refund that is on the order", f"{answer.status} with refund {told}")
    session.observe("A24", f"the key of a refused create is {'usable' if corrected.accepted else 'burnt'} afterwards")


KEPT = 59.0
"""Seconds that a key must be kept for: a little less than the minute of reading A24."""
SLACK = timedelta(seconds=2)
"""How far two looks at one time may lie apart."""


def oldest_kept(session: Session, api: RefundApi) -> tuple[RefundId, Creation]:
    """Return the earliest refund of the run whose key must still be kept, the very first unless the run is long.

    Raises:
        Blocked: a fresh one, in the place of those that are all too old, is not accepted.
    """
    now = api.wire.clock.monotonic()
    kept = [told for told in api.told.items() if now - told[1].at < KEPT and names_an_order(told[1])]
    if not kept:
        verify.given_refund(api, session.shop.order())
        kept = list(api.told.items())[-1:]
    return kept[0]


def names_an_order(made: Creation) -> bool:
    """Say whether a create can be sent again, and looked for: not each that was accepted has all that it should."""
    return isinstance(made.key, str) and "orderId" in made.body["refund"]


@define
class Late:
    """The replay of a create that is as old as may be, and the refunds of its order before and after it."""

    refund_id: RefundId
    before: dict[RefundId, Refund]
    answer: Answer
    after: dict[RefundId, Refund]


def replay_late(api: RefundApi, session: Session, seconds: float) -> Late:
    """Send an early create of the run again, when it is so many seconds old."""
    refund_id, made = oldest_kept(session, api)
    order_id = OrderId(str(made.body["refund"]["orderId"]))
    before = verify.look_list(api, order_id)
    api.wire.clock.sleep(max(0.0, made.at + seconds - api.wire.clock.monotonic()))
    answer = api.create(made.body)
    answer.exchange.role = "probe"
    return Late(refund_id, before, answer, verify.look_list(api, order_id))


@pytest.fixture(scope="session")
def late(api: RefundApi, session: Session) -> Late:
    """The replay at the end of the run."""
    return replay_late(api, session, 0.0)


@requirement("IDEM-27", late=True)
@pytest.mark.usefixtures("protected")
def test_an_early_key_of_the_run_still_protects(late: Late) -> None:
    """A replay of an early create, after all the others, creates nothing."""
    verify.same(sorted(late.before), sorted(late.after), "the refunds of the order")


@requirement("IDEM-11", late=True)
@pytest.mark.usefixtures("protected")
def test_a_late_replay_changes_nothing(late: Late) -> None:
    """The refund of a create that is sent again seconds later keeps all its values."""
    if late.refund_id not in late.before.keys() & late.after.keys():
        raise Blocked(f"refund {late.refund_id} is not in the list of its order (LIST-01)")
    was, now = late.before[late.refund_id], late.after[late.refund_id]
    if was.status is not now.status:
        raise Blocked("its status changed: by the replay (IDEM-13), or by a review at the same time")
    verify.unchanged({late.refund_id: was}, {late.refund_id: now}, "the refund")


@requirement("IDEM-10", late=True)
@pytest.mark.usefixtures("protected")
def test_a_late_replay_shows_when_the_refund_was_created(late: Late) -> None:
    """The answer to a replay at the end of the run has the createTime of the refund that it names."""
    told = late.answer.refund
    there = None if told is None else late.before.get(told.refund_id)
    if told is not None and there is not None and there.create_time is not None and told.create_time is not None:
        expected = f"the createTime {there.create_time.isoformat()}"
        alike = same_time(there.create_time, told.create_time, SLACK)
        verify.holds(alike, expected, told.create_time.isoformat())


@requirement("IDEM-28", profile="full", late=True)
@pytest.mark.usefixtures("protected")
def test_a_key_protects_for_a_minute(api: RefundApi, session: Session) -> None:
    """A replay of a create that is a minute old creates nothing."""
    late = replay_late(api, session, KEPT)
    verify.same(sorted(late.before), sorted(late.after), "the refunds of the order")
