"""Sends the requests of a story's steps, each in its manner, on real orders."""

from typing import Any

from attrs import define, evolve, field

from conformance.generation.books import Asked
from conformance.generation.lifecycle import Create, Get, Review, State, Step, goes_astray, outcomes
from conformance.generation.manners import FOREIGN, PARAMETERS, PLAIN, Manner, made_key, manner_of
from conformance.generation.stories import Story
from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.model import CARRIER_CODE, Action, Order, RefundId, RightsType
from conformance.shop import Shop

REASONS = (
    'Reason {}.{}: it\'s "größer" <b>%41</b> & \\u0041 破损 📦\nthe second line',
    "  Reason {}.{} between blanks  ",
    "Reason {}.{} " + ("abcdefghi " * 20)[:190] + ".",
    "00{}{}",
    "100 % {}.{}: *see* https://example.org/a?b=1#c, na\u00efve\u00a0na\u00efve",
    "Reason {}.{} " + ("0123456789 " * 55)[:585] + ".",
)
"""What a customer may write, of each line another: characters of all kinds, blanks, digits alone, and hundreds."""
PLAIN_REASONS = ("Reason {} of line {}.",)
"""What is written where a target takes no such characters (reading A12)."""

PLAIN_KEYS = frozenset(range(0, 1001, 4))
"""Keys of creates that leave out the customer and the type, 1 being the default, and every second one the parcel."""
PLAINEST = 4
NEITHER = 3
"""An action that is none."""
Form = tuple[str, type[Step]]
"""A form of a step that a target may refuse."""


@define
class Actor:
    """Who takes the steps of a story: the real orders, what was asked for, and the refund of each key.

    ``mannered`` sends each step in a manner of its own; ``declined`` are forms that were refused, as they may be;
    ``position`` counts the steps of the story; ``taken`` has the requests that were sent, with their answers, and
    ``answered`` the last answer to each step, by its position; ``shipped`` are orders that were shipped on the way, by
    the number of requests before.
    """

    shop: Shop
    story: Story
    orders: list[Order]
    state: State
    mannered: bool = True
    declined: set[Form] = field(factory=set)
    reasons: tuple[str, ...] = REASONS
    ids: dict[int, RefundId] = field(factory=dict)
    asked: dict[int, Asked] = field(factory=dict)
    keys: dict[int, str] = field(factory=dict)
    taken: list[tuple[Step, Answer]] = field(factory=list)
    answered: dict[int, Answer] = field(factory=dict)
    shipped: dict[int, int] = field(factory=dict)
    position: int = 0

    @property
    def api(self) -> RefundApi:
        """The API as the holder of the full token calls it."""
        return self.shop.api

    def send_in_its_manner(self, step: Step) -> Answer:
        """Send the request of a step, and once more if it may have been refused only for its form."""
        manner = manner_of(self.position, step) if self.mannered else PLAIN
        if goes_astray(step):  # what must be refused in any form may lose nothing by its form
            manner = evolve(PLAIN, form=manner.form if manner.form == FOREIGN else "")
        form = manner.form, type(step)
        if form in self.declined:
            manner = evolve(manner, form=PLAIN.form)
        answer = self.send(step, manner)
        self.taken.append((step, answer))
        if answer.refused and manner.form and self.is_due(step):
            if isinstance(step, Create):
                # a refused create may have used the other up (reading A24)
                self.keys[step.key] = made_key(step.key, {}, self.api.keys)
            answer = self.send(step, evolve(manner, form=PLAIN.form))
            self.taken.append((step, answer))
            self.declined |= {form} if answer.accepted else set()
        self.answered[self.position] = answer
        return answer

    def is_due(self, step: Step) -> bool:
        """Say whether a step should be accepted when it is plain; a key that has a refund stays as it is."""
        legal = [accepted for accepted, _ in outcomes(self.state, step)]
        if isinstance(step, Create):
            return self.state.entry(step.key) is None and legal[0]
        return all(legal)

    def send(self, step: Step, manner: Manner = PLAIN) -> Answer:
        """Send the request of a step in a manner."""
        api = manner.api_of(self.shop)
        if isinstance(step, Create):
            answer = api.create(self.body(step, api, manner))
        elif isinstance(step, Review):
            action = Action.APPROVE if step.approve else Action.REJECT
            order = self.order_of(step)
            named = self.ids[step.key if step.named is None else step.named]
            another = self.another(step.key)
            body = manner.review(api.review_body(order.order_id, named, action), order, another)
            if step.neither:
                body["action"] = type(body["action"])(NEITHER)
            if step.by is not None:
                api = self.shop.holder(step.by)
            laden = PARAMETERS if step.approve else [("refundId", another)]
            answer = api.review(self.ids[step.key], body, query=manner.query([], laden))
        elif isinstance(step, Get):
            answer = api.get_refund(self.order_of(step), self.ids[step.key], manner.query)
        else:
            limit = ABSENT if step.limit is None else step.limit
            answer = api.list_refunds(self.orders[step.order], limit, manner.query)
        answer.exchange.role = "probe"
        answer.exchange.batched = True
        answer.exchange.exempt = goes_astray(step)  # what answers it all the same is no record
        return answer

    def another(self, key: int) -> RefundId:
        """Return another refund of the order that the refund of a key is of, or that one where it is the only one."""
        order = self.order_number(key)
        others = [
            refund_id for other, refund_id in self.ids.items() if other != key and self.order_number(other) == order
        ]
        return others[-1] if others else self.ids[key]

    def body(self, step: Create, api: RefundApi, manner: Manner = PLAIN) -> dict[str, Any]:
        """Return the body of a create, one that says the same whenever the same step is taken again."""
        order = self.orders[step.order]
        reasons = tuple(
            self.reasons[number % len(self.reasons)].format(step.key, number) for number, _ in enumerate(order.lines)
        )
        lines = zip(order.lines, step.units, reasons, strict=True)
        asked = [Part(line, units, reason) for line, units, reason in lines if units]
        strays = [] if step.astray is None else [Part(order.stray_line(self.orders[step.astray]))]
        parts = manner.parts([*asked, *strays])
        rights_type = RightsType.RETURN_AND_REFUND if step.returned else RightsType.REFUND
        plain = step.returned and step.key in PLAIN_KEYS
        sent = step.returned and not (plain and step.key % 8 == PLAINEST)
        known = self.state.entry(step.key) is not None
        another = known and self.asked[step.key].units != step.units
        parcel = parcel_of(step.key, another=another, plainly=self.reasons == PLAIN_REASONS) if sent else {}
        parcel = parcel or api.plain_parcel
        if not known:
            self.asked[step.key] = Asked(order, step.units, reasons, rights_type, parcel)
        if step.key not in self.keys:
            self.keys[step.key] = made_key(step.key, self.keys, api.keys)
        body = api.create_body(
            order,
            *(parts if step.key % 2 else parts[::-1]),
            rights_type=ABSENT if plain else rights_type,
            customer_id=ABSENT if plain else None,
            shipping=parcel or None,
            request_no=self.keys[step.key],
        )
        return manner.create(body, next(iter(self.ids.values()), None))

    def order_of(self, step: Review | Get) -> Order:
        """Return the order that a step names."""
        return self.orders[self.order_number(step.key) if step.astray is None else step.astray]

    def order_number(self, key: int) -> int:
        """Return the number of the order that the refund of a key is of."""
        entry = self.state.entry(key)
        assert entry is not None  # noqa: S101 - only keys with a refund have an id
        return entry.order


def parcel_of(key: int, *, another: bool, plainly: bool) -> dict[str, str]:
    """Return the logistics information of a return; what it means for another refund is open (reading A14)."""
    mark = f"{key:06}{another:d}"
    name, number = ("Carrier", f"12321{mark}") if plainly else ("die Größe 百", f"Track{mark}")
    return {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": name, "trackingNumber": number}
