"""Walls between shops, and between orders: nothing of the one is seen, changed or used up by way of the other."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest
from attrs import define, evolve, field, frozen

from conformance.generation.strangers import is_all_their_own
from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, OrderId, Refund, RefundId, same_time
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.benches import Bench, NewOrder, Probes, selected_rows
from conformance.suite.given.lists import Crowd, entries, ids, listed_with
from conformance.suite.given.reviews import Decision

Refunds = dict[RefundId, Refund]
TRIES, UNITS = 6, 5
OF_THEIRS = " of the other shop"


@define
class Side:
    """What a shop has to lose: an order with an open refund, and one without any."""

    api: RefundApi
    order: Order
    refund: Refund
    bare: Order

    def look(self) -> dict[RefundId, Refund]:
        """Return the refunds of both orders."""
        return verify.look_list(self.api, self.order) | verify.look_list(self.api, self.bare)


def our_side(shop: Shop) -> Side:
    """Arrange what this shop has to lose."""
    order = shop.order((5, "11.13"))
    return Side(shop.api, order, arrange.given_refund(shop.api, order, Part(order.line, 2)), shop.order((5, "11.13")))


def their_side(ours: Side, other: Shop) -> Side:
    """Arrange what the other shop has to lose, under ids that are not also those of a refund of this shop.

    The second lines make it unlikely that shops which number each for itself agree in order and refund or line.
    """
    for _ in range(TRIES):
        order = other.order((UNITS, "13.37"), (UNITS, "17.19"))
        refund = arrange.given_refund(other.api, order, Part(order.lines[1], 2))
        answer = ours.api.get_refund(order, refund)
        answer.exchange.role = "open"
        told = answer.refund
        apart = told is None or is_one_of([refund], told) or told.refund_id != refund.refund_id
        if apart and refund.refund_id != ours.refund.refund_id:
            return Side(other.api, order, refund, other.order((UNITS, "13.37"), (UNITS, "17.19")))
        other.order()  # so that orders and refunds are not counted in step
    raise Blocked("both shops have refunds of the same ids, so that none is known to be the other's")


def is_one_of(refunds: list[Refund], seen: Refund) -> bool:
    """Say whether that is one of these refunds; ids alone do not tell, since each shop may count for itself."""
    return any((seen.refund_id, seen.amount) == (refund.refund_id, refund.amount) for refund in refunds)


@define
class TwoShops(Bench):
    """This shop and another; a look sees what both have to lose."""

    shop: Shop = field(kw_only=True)
    other: Shop = field(kw_only=True)
    base_order: Order = field(kw_only=True)
    base_key: str = field(kw_only=True)
    ours: Side = field(kw_only=True)
    theirs: Side = field(kw_only=True)
    secrets: list[Refund] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.look_after()

    def look_after(self) -> None:
        """Remember what both have to lose now, and look at it."""
        self.secrets += [self.ours.refund, self.theirs.refund]
        self.before = self.look()

    def look(self) -> dict[RefundId, Refund]:
        """Return the refunds of both shops, the other's under names of their own."""
        return self.ours.look() | {RefundId(f"{key}{OF_THEIRS}"): r for key, r in self.theirs.look().items()}

    def renew(self) -> None:
        """Take other orders with open refunds in both shops."""
        self.ours = our_side(self.shop)
        self.theirs = their_side(self.ours, self.other)
        self.look_after()

    def shows_a_secret(self, answer: Answer) -> bool:
        """Say whether an answer has one of the refunds in it that its sender must not see."""
        told = (answer.refunds or []) + ([] if answer.refund is None else [answer.refund])
        return any(is_one_of(self.secrets, refund) for refund in told)

    def theirs_of(self, seen: Refunds) -> Refunds:
        """Return what a look saw of the other shop."""
        return {key: refund for key, refund in seen.items() if key.endswith(OF_THEIRS)}

    def could_be_theirs(self, refund: Refund) -> bool:
        """Say whether a refund may be of the other shop's orders, which have prices of their own."""
        lines, units = self.theirs.order.lines, range(1, UNITS + 1)
        return refund.amount in {None, *(line.unit_price * count for line in lines for count in units)}


@frozen
class Attempt:
    """An attempt to cross the wall; its control is the same with a token or ids of nobody in their place.

    ``plainer`` is an attempt at our address that does the same where both shops have one; ``at_theirs`` when ours is
    the token that must open nothing, at their address.
    """

    requirement: str
    send: Callable[[TwoShops, bool], Answer]
    plainer: str = ""
    at_theirs: bool = False


def with_token(send: Callable[[TwoShops, RefundApi], Answer]) -> Attempt:
    """Return an attempt on what is ours with the other shop's token; its control is one with an unknown token."""

    def attempt(shops: TwoShops, control: bool) -> Answer:  # noqa: FBT001 - which of the two
        token = f"unknown-{shops.api.keys()}" if control else shops.other.api.token
        return send(shops, shops.api.with_token(token))

    return Attempt("ISOLATION-01", attempt)


def at_their_address(plainer: str, send: Callable[[TwoShops, RefundApi], Answer]) -> Attempt:
    """Return an attempt on what is theirs with our token at their address; its control is one with an unknown token."""

    def attempt(shops: TwoShops, control: bool) -> Answer:  # noqa: FBT001 - which of the two
        token = f"unknown-{shops.api.keys()}" if control else shops.api.token
        return send(shops, shops.other.api.with_token(token))

    return Attempt("ISOLATION-01", attempt, plainer, at_theirs=True)


def with_ids(identifier: str, send: Callable[[TwoShops, Order, RefundId], Answer]) -> Attempt:
    """Return an attempt with our token on the other shop's ids; its control is one on ids of nothing."""

    def attempt(shops: TwoShops, control: bool) -> Answer:  # noqa: FBT001 - which of the two
        order, refund_id = shops.theirs.order, shops.theirs.refund.refund_id
        if control:
            order = evolve(order, order_id=OrderId(order.order_id + "7"))
            refund_id = RefundId(refund_id + "7")
        return send(shops, order, refund_id)

    return Attempt(identifier, attempt)


def create_for_their_order(shops: TwoShops, control: bool) -> Answer:  # noqa: FBT001 - which of the two
    """Create a refund for an order of the other shop; the control is one for an order that does not exist."""
    order = shops.theirs.bare
    if control:
        order = evolve(order, order_id=OrderId(order.order_id + "7"))
    return shops.api.create_refund(order, Part(order.lines[1]))


def create_with_their_line(shops: TwoShops, control: bool) -> Answer:  # noqa: FBT001 - which of the two
    """Create a refund of a line of the other shop's order; the control is one of a line of another order of ours."""
    stray = shops.ours.bare.stray_line(shops.base_order if control else shops.theirs.bare)
    return shops.api.create_refund(shops.ours.bare, Part(stray))


APPROVE = Action.APPROVE
ATTEMPTS: Mapping[str, Attempt] = {
    "create with their token": with_token(lambda shops, api: api.create_refund(shops.ours.bare)),
    "replay with their token": with_token(
        lambda shops, api: api.create_refund(shops.base_order, request_no=shops.base_key)
    ),
    "list with their token": with_token(lambda shops, api: api.list_refunds(shops.ours.order)),
    "get with their token": with_token(lambda shops, api: api.get_refund(shops.ours.order, shops.ours.refund)),
    "review with their token": with_token(
        lambda shops, api: api.review_refund(shops.ours.order, shops.ours.refund, APPROVE)
    ),
    "list their order": with_ids("ISOLATION-02", lambda shops, order, _: shops.api.list_refunds(order)),
    "get their refund": with_ids("ISOLATION-02", lambda shops, order, refund: shops.api.get_refund(order, refund)),
    "get their refund along with our order": with_ids(
        "ISOLATION-02", lambda shops, _, refund: shops.api.get_refund(shops.ours.order, refund)
    ),
    "review their refund": with_ids(
        "ISOLATION-03", lambda shops, order, refund: shops.api.review_refund(order, refund, APPROVE)
    ),
    "review their refund along with our order": with_ids(
        "ISOLATION-03", lambda shops, _, refund: shops.api.review_refund(shops.ours.order, refund, Action.REJECT)
    ),
    "create for their order": Attempt("ISOLATION-04", create_for_their_order),
    "create with their line": Attempt("ISOLATION-04", create_with_their_line),
    "list at their address": at_their_address(
        "list their order", lambda shops, api: api.list_refunds(shops.theirs.order)
    ),
    "create at their address": at_their_address(
        "create for their order",
        lambda shops, api: api.create_refund(shops.theirs.bare, Part(shops.theirs.bare.lines[1])),
    ),
    "review at their address": at_their_address(
        "review their refund",
        lambda shops, api: api.review_refund(shops.theirs.order, shops.theirs.refund, APPROVE),
    ),
}


WITH_THEIR_IDS = {
    "list their order", "get their refund", "get their refund along with our order", "review their refund",
    "review their refund along with our order", "create for their order",
}  # fmt: skip


@define
class Attempts(Probes):
    """Attempts to cross the wall; one is not judged when its control gets through as well."""

    shops: TwoShops = field(kw_only=True)

    def judge(self, name: str) -> None:
        """The attempt was refused and changed nothing in either shop; a list may be empty instead (reading A49)."""
        try:
            if name.startswith("list") and self.sent[name].accepted:
                self.shows_nothing(self.sent[name])
            else:
                super().judge(name)
        except Failed:
            if self.stays_at_home(name) or self.is_about_ours(name):
                return
            if self.gets_through(ATTEMPTS[name]):
                raise Blocked(f"to {name}: the same with a token or ids of nobody gets through too") from None
            if (plainer := ATTEMPTS[name].plainer) and self.crosses(ATTEMPTS[plainer]):
                raise Blocked(f"to {plainer} already gets through, so this would prove nothing more") from None
            raise

    def shows_nothing(self, answer: Answer) -> None:
        """The list has none of the refunds that its sender must not see."""
        self.shops.api.wire.show(answer.exchange)
        harmless = answer.refunds is not None and not self.shops.shows_a_secret(answer)
        verify.holds(harmless, "a refusal (4xx), or a list without that refund", answer.described)

    def stays_at_home(self, name: str) -> bool:
        """Say whether an attempt with one shop's token did nothing in the other, and got to its own refunds only."""
        shops, answer, attempt = self.shops, self.sent[name], ATTEMPTS[name]
        if attempt.requirement != "ISOLATION-01" or name in self.effects or answer.exchange.trouble is not None:
            return False
        if attempt.at_theirs:
            return is_all_their_own(answer, shops.other.api, shops.api, (shops.theirs.order, shops.theirs.bare))
        orders = (shops.ours.order, shops.ours.bare, shops.base_order)
        return is_all_their_own(answer, shops.api, shops.other.api, orders)

    def is_about_ours(self, name: str) -> bool:
        """Say whether the other shop's ids are those of something of ours as well, which is what was shown or decided.

        Each shop may number for itself, and what a run makes may come to have the same numbers at any time.
        """
        shops, answer = self.shops, self.sent[name]
        before, after = (shops.theirs_of(seen) for seen in self.effects.get(name, ({}, {})))
        if name not in WITH_THEIR_IDS or verify.differ(before, after) or answer.exchange.trouble is not None:
            return False
        told = answer.refunds or ([] if answer.refund is None else [answer.refund])
        return bool(told) and not any(shops.could_be_theirs(refund) for refund in told)

    def gets_through(self, attempt: Attempt) -> bool:
        """Send the control of an attempt, and say whether it was accepted or had an effect."""
        self.shops.renew()
        answer = attempt.send(self.shops, True)  # noqa: FBT003 - the control
        answer.exchange.role = "open"
        return verify.differ(self.shops.before, self.shops.look()) or (not answer.refused and answer.refunds != [])

    def crosses(self, attempt: Attempt) -> bool:
        """Send an attempt once more, and say whether it had an effect or was shown what it must not be."""
        self.shops.renew()
        answer = attempt.send(self.shops, False)  # noqa: FBT003 - not the control
        answer.exchange.role = "open"
        return verify.differ(self.shops.before, self.shops.look()) or self.shops.shows_a_secret(answer)


@pytest.fixture(scope="module")
def attempts(
    request: pytest.FixtureRequest, session: Session, shop: Shop, other_shop: Shop, reviewed: Refund
) -> Attempts:
    """What the holder of the other shop's token, and ours at its address and with its ids, tried."""
    base_order = session.base_order
    assert base_order is not None  # noqa: S101 - there is no review without it
    ours = our_side(shop)
    theirs = their_side(ours, other_shop)
    shops = TwoShops(
        shop.api, ours.order, shop=shop, other=other_shop, base_order=base_order, base_key=session.base_key,
        ours=ours, theirs=theirs,
    )  # fmt: skip
    probes = Attempts(shops, shops=shops)
    probes.send({name: partial(sent, shops, attempt) for name, attempt in selected_rows(request, ATTEMPTS).items()})
    return probes


def sent(shops: TwoShops, attempt: Attempt, _: Order) -> Answer:
    """Send an attempt."""
    return attempt.send(shops, False)  # noqa: FBT003 - not the control


@pytest.mark.parametrize(
    "row",
    [pytest.param(name, marks=requirement(attempt.requirement)) for name, attempt in ATTEMPTS.items()],
)
def test_nothing_crosses_the_wall_between_two_shops(attempts: Attempts, row: str) -> None:
    """Neither one shop's token at the other's address nor the other's ids under ours do or show anything."""
    attempts.judge(row)


SEEN: Mapping[str, Callable[[RefundApi, Crowd, Decision], Answer]] = {
    "list of several": lambda api, crowd, _: api.list_refunds(crowd.order),
    "get of one without a return": lambda api, crowd, _: api.get_refund(crowd.order, list(crowd.made)[1]),
    "get of a canceled one": lambda api, _, canceled: api.get_refund(canceled.order, canceled.refund_id),
}
"""What another shop may see of this one's refunds of all kinds, by their ids."""


@requirement("ISOLATION-02")
@pytest.mark.parametrize("row", list(SEEN))
def test_another_shop_shows_no_refund_of_any_kind(
    other_shop: Shop, attempts: Attempts, crowd: Crowd, rejection: Decision, row: str
) -> None:
    """Whichever of them, whatever its type and its status: it is not read where it does not belong."""
    plain = attempts.sent.get("get their refund")
    if plain is not None and attempts.shops.shows_a_secret(plain):
        raise Blocked("an open refund of another shop can already be read")
    answer = SEEN[row](other_shop.api, crowd, rejection)
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    if answer.broken:
        raise Blocked(f"ids that are unknown there break the server (LIST-18, GET-05): {answer.described}")
    ours = [*crowd.made.values(), *rejection.after.values()]
    told = (answer.refunds or []) + ([] if answer.refund is None else [answer.refund])
    if any(is_the_same(refund, own) for refund in told for own in ours):
        raise Failed("a refusal (4xx), or nothing of this shop", answer.described, answer.exchange)


def is_the_same(seen: Refund, own: Refund) -> bool:
    """Say whether what was seen is that refund, by its time as well, as far as both are told."""
    times = seen.create_time, own.create_time
    return is_one_of([own], seen) and (times[0] is None or times[1] is None or same_time(times[0], times[1]))


@define
class Twins:
    """Two equal orders of one customer; all of the first was refunded, and then all of the second was asked for.

    ``lists`` are those of both.
    """

    first: Refund
    answer: Answer
    lists: tuple[Answer, Answer]


@pytest.fixture(scope="module")
def twins(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Twins:
    """All of one order refunded, and all of its twin asked for."""
    first_order = new_order((3, "10.00"))
    second_order = new_order((3, "10.00"), customer_id=first_order.customer_id)
    first = arrange.given_refund(api, first_order, Part(first_order.line, 3))
    answer = api.create_refund(second_order, Part(second_order.line, 3))
    answer.exchange.role = "probe"
    made = [refund for refund in (answer.refund,) if refund is not None]
    lists = listed_with(api, first_order, [first]), listed_with(api, second_order, made)
    return Twins(first, answer, lists)


@requirement("ISOLATION-07")
def test_orders_share_no_quantities(twins: Twins) -> None:
    """After one order was refunded in full, all of its twin can be."""
    key = verify.created(twins.answer).refund_id
    listed = ids(entries(twins.lists[1]))
    verify.holds(key in listed, f"refund {key} in the list of its order", listed)


@requirement("ISOLATION-08")
def test_a_list_has_no_refund_of_the_customer_s_other_order(twins: Twins, accepted_create: Refund) -> None:
    """Each of two orders of a customer lists its own refund and not the other's."""
    first, second = (ids(entries(listed)) for listed in twins.lists)
    if accepted_create.refund_id in first:
        raise Blocked("the list already has refunds of orders of other customers")
    told = None if twins.answer.refund is None else twins.answer.refund.refund_id

    verify.same([twins.first.refund_id], first, "the refunds of the first order")
    verify.same([told] if told else [], second, "the refunds of the second order")
