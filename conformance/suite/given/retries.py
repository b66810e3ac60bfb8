"""Creates that are sent again in special ways, and the lists of the order with all their refunds."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pytest
from attrs import define, field, frozen

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.http.dialect import NUMBERS, TEXT
from conformance.judging import arrange, verify
from conformance.model import CARRIER_CODE, Action, Order, Refund, RefundId, RightsType
from conformance.outcome import Blocked
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.benches import NewOrder, OpenRefunds, Placed, many_of, selected_rows
from conformance.suite.given.keys import KEYS, Accepted
from conformance.suite.given.replays import is_the_original, names_the_original
from conformance.suite.given.units import Refunds

THIRTEEN = 13
"""A limit that is no usual size of a page."""


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


def after_other_uses(shop: Shop, first: Placed) -> Answer:
    """Send the body again after its key came with what must be refused, and with a create for another order."""
    api, key = shop.api, first.body["refund"]["requestNo"]
    illegal = of_two_units(api, first.order, request_no=key)
    illegal["refund"]["lineItems"][0]["quantity"] = "0"
    for body in (illegal, of_two_units(api, shop.order(), request_no=key)):
        api.create(body).exchange.role = "open"
    return api.create(first.body)


def bare(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create that names neither its customer nor its type."""
    return of_two_units(api, order, customer_id=ABSENT, rights_type=ABSENT)


def with_uuid(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create whose key is a UUID."""
    return of_two_units(api, order, request_no=KEYS["uuid"](api.keys))


def with_digits(api: RefundApi, order: Order) -> dict[str, Any]:
    """Return a create whose key is a number."""
    return of_two_units(api, order, request_no=KEYS["38 digits"](api.keys))


@frozen
class Retry:
    """What is sent again under the key of a create with some ``body``, and what was decided of its refund before."""

    requirement: str
    send: Callable[[Shop, Placed], Answer]
    body: Callable[[RefundApi, Order], dict[str, Any]] = of_two_units
    action: Action | None = None
    profile: str = "standard"


OTHER_PARCEL = {
    "shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Another Parcel Service", "trackingNumber": "OTHER123456",
}  # fmt: skip
RETRIES = {
    "over a new connection": Retry("IDEM-15", over_a_new_connection),
    "members reordered": Retry("IDEM-16", with_members_reordered),
    "numbers in another form": Retry("IDEM-30", with_numbers_in_another_form),
    "fewer units": Retry("IDEM-17", with_another(0, 1)),
    "more units": Retry("IDEM-17", with_another(0, 3)),
    "another line": Retry("IDEM-18", with_another(1, 2)),
    "another type and parcel": Retry(
        "IDEM-33", with_another(0, 2, rights_type=RightsType.REFUND, shipping=OTHER_PARCEL)
    ),
    "another token": Retry("IDEM-26", with_another_token),
    "of several lines": Retry("IDEM-34", as_it_was, of_two_lines),
    "of type 2": Retry("IDEM-34", as_it_was, without_return, profile="full"),
    "with nothing optional": Retry("IDEM-34", as_it_was, bare),
    "after other uses": Retry("IDEM-35", after_other_uses),
    "another reason": Retry("IDEM-33", with_another_reason),
    "uuid": Retry("IDEM-24", as_it_was, with_uuid),
    "38 digits": Retry("IDEM-24", as_it_was, with_digits),
    "no customer and another parcel": Retry(
        "IDEM-33", with_another(0, 2, customer_id=ABSENT, shipping=OTHER_PARCEL), with_a_parcel
    ),
}
REJECTED = "once rejected"
EARLIER = {
    "once approved": "members reordered", REJECTED: "over a new connection",
    "of type 2, once approved": "of type 2", "of several lines, once rejected": "of several lines",
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
    anything was sent again is ``listed``, as of the moment ``at``, in seconds of the wire's clock; what it has after
    that is ``now``.
    """

    shop: Shop
    new_order: NewOrder
    rows: Mapping[str, Retry]
    firsts: dict[str, Placed] = field(factory=dict)
    answers: dict[str, Answer | Blocked] = field(factory=dict)
    effects: dict[str, tuple[Refunds, Refunds]] = field(factory=dict)
    listed: Refunds = field(factory=dict)
    now: Refunds = field(factory=dict)
    at: float = 0.0
    harmed: bool = False

    def send(self, names: list[str], *orders: Order) -> None:
        """Create a refund for each name that has none, and then send again what the name says."""
        before, after = together = self._together(names, *orders)
        self.listed, self.now, self.harmed = before, after, verify.differ(before, after)
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
        for act in (partial(self._place, side_by_side), self._decide):
            for name in names:
                try:
                    if not isinstance(self.answers.get(name), Blocked):
                        act(name)
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

    def _place(self, side_by_side: OpenRefunds, name: str) -> None:
        """Create the refund of that name, if there is none."""
        if name not in self.firsts:
            self.firsts[name] = side_by_side.place(partial(self.rows[name].body, self.shop.api))

    def _decide(self, name: str) -> None:
        """Review the refund of that name, if it is to be decided before anything is sent again."""
        action, first = self.rows[name].action, self.firsts[name]
        arrange.await_visible(self.shop.api, first.order, first.refund)
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
    request: pytest.FixtureRequest, shop: Shop, new_order: NewOrder, accepted_keys: Accepted, accepted_create: Refund
) -> Retries:
    """Everything that is sent again in a special way; keys of a special form have a refund already, if it is young."""
    told, now = shop.api.told, shop.api.wire.clock.monotonic()
    placed = accepted_keys.placed(RETRIES).items()
    young = {name: first for name, first in placed if now - told[first.refund.refund_id].at < YOUNG}
    sent = Retries(shop, new_order, RETRIES, young)
    names = selected_rows(request, RETRIES) | {EARLIER[REJECTED]: RETRIES[EARLIER[REJECTED]]}
    sent.send(list(names), accepted_keys.order)
    return sent


@pytest.fixture(scope="session")
def roomy_refunds(api: RefundApi, accepted_keys: Accepted, roomy_order: Order, retries: Retries) -> set[RefundId]:
    """The ids of the refunds that the roomy order had when it was listed, in a whole run two dozen."""
    firsts = [placed.refund for placed in retries.firsts.values() if placed.order == roomy_order]
    made = {refund.refund_id for refund in firsts} | accepted_keys.listed.keys()
    return {refund_id for refund_id in made if refund_id in api.told and api.told[refund_id].at < retries.at}


@pytest.fixture(scope="session")
def unlimited(api: RefundApi, roomy_order: Order, retries: Retries) -> Answer:
    """The list of the roomy order without a limit, once all that is sent again was."""
    answer = api.list_refunds(roomy_order, ABSENT)
    answer.exchange.role = "look"
    return answer


def listed_with_limit(retries: Retries) -> set[RefundId]:
    """Return the refunds that the list of the roomy order really showed, before anything was sent again."""
    return {refund_id for refund_id, refund in retries.listed.items() if not refund.hidden}


@pytest.fixture(scope="session")
def thirteen(api: RefundApi, roomy_order: Order, roomy_refunds: set[RefundId], retries: Retries) -> Answer:
    """The list of the roomy order with a limit that is no page's usual one, and less than what there is."""
    known = {
        refund_id: refund
        for refund_id, refund in retries.listed.items()
        if refund_id in roomy_refunds and not refund.hidden
    }
    many_of(api, roomy_order, known, THIRTEEN + 1)
    answer = api.list_refunds(roomy_order, THIRTEEN)
    answer.exchange.role = "look"
    return answer
