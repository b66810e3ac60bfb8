"""In which of its legal forms a step of a story is sent, and in whose name: none of it changes what comes of it."""

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from conformance.client import NUMBERS, TEXT, TOKEN_HEADER, Dialect, KeyMaker, Part, RefundApi
from conformance.lifecycle import Create, Review, Step
from conformance.model import Order
from conformance.session import Shop

JSON = dict[str, Any]
WRITERS = ("full", "write_refunds", "write_refund")
READERS = ("full", "read_refunds")
"""Whose tokens take turns, as far as the target file gives them."""
SPELLINGS: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper)
LIMITS = (250, 50, 99, 49)
"""Limits that the looks at an order take turns with: each is more than a story makes of refunds."""


FOREIGN, SPLIT, LADEN = "foreign", "split", "laden"
"""Forms that a target may refuse (readings A01, A28 and A30), but may not take for anything else.

Numbers in another wire form than it was first found to take; the units of a line in two mentions of it; and members
that are not the client's to set.
"""
FORMS = (FOREIGN, SPLIT, LADEN, FOREIGN)
TRIFLE = "0.01"
LONG_AGO = "2001-01-01T00:00:00Z"
RECORD = {"status": "3", "createTime": LONG_AGO, "updateTime": LONG_AGO, "refundId": "471100000815"}
LINE = {"price": TRIFLE, "subtotal": TRIFLE, "totalTax": "0.50"}
DECISION = {"status": "4", "amount": TRIFLE, "createTime": LONG_AGO, "customerId": "1"}


@frozen
class Manner:
    """How a request is made that could be made otherwise.

    ``holder`` is the name of a token that has the right to it; ``header`` what carries it; with ``turned`` members in
    another order, and in whichever ``form`` there is.
    """

    holder: str = "full"
    header: str = TOKEN_HEADER
    turned: bool = False
    form: str = ""

    def api_of(self, shop: Shop) -> RefundApi:
        """Return the API of a shop as it is called in this manner."""
        api = evolve(shop.api, token=shop.target.tokens.get(self.holder, shop.api.token), token_header=self.header)
        if self.form == FOREIGN:
            return evolve(
                api, create_dialect=foreign_to(api.create_dialect), review_dialect=foreign_to(api.review_dialect)
            )
        return api

    def parts(self, parts: list[Part]) -> list[Part]:
        """Return the lines of a create as this manner names them."""
        if self.form != SPLIT:
            return parts
        mentions = ((evolve(p, quantity=p.quantity // 2), evolve(p, quantity=-(-p.quantity // 2))) for p in parts)
        return [mention for both in mentions for mention in both if mention.quantity]

    def create(self, body: JSON, known: str | None) -> JSON:
        """Return the body of a create in this manner; ``known`` is the id of a refund that is there."""
        refund = body["refund"]
        if self.form == LADEN:
            lines = [line | LINE for line in refund["lineItems"]]
            refund = refund | RECORD | {"lineItems": lines, "refundId": known or RECORD["refundId"]}
        return {"refund": self._turned(refund)}

    def review(self, body: JSON, order: Order) -> JSON:
        """Return the body of a review in this manner."""
        if self.form == LADEN:
            reason = {"rightsReason": "Another reason altogether.", "quantity": "3"}
            lines = [{"lineItemId": line.line_item_id, **reason} for line in order.lines]
            more = DECISION | {"lineItems": lines, "shipping": {"trackingNumber": "another parcel"}}
            body = body | more | {"refund": more}
        return self._turned(body)

    def _turned(self, body: JSON) -> JSON:
        return dict(reversed(body.items())) if self.turned else body


PLAIN = Manner()


def manner_of(position: int, step: Step) -> Manner:
    """Return the manner of a step by its place in its story, so that a step that is taken again has another one."""
    names = WRITERS if isinstance(step, Create | Review) else READERS
    return Manner(
        holder=names[position % len(names)],
        header=SPELLINGS[position % len(SPELLINGS)](TOKEN_HEADER),
        turned=position % 2 == 0,
        form=FORMS[position % len(FORMS)],
    )


def foreign_to(dialect: Dialect) -> Dialect:
    """Return another wire form of numbers than a dialect's."""
    return NUMBERS if dialect is TEXT else TEXT


# Keys.


def last_changed(key: str) -> str:
    """Return a key that differs from another in the last of its characters."""
    return key[:-1] + ("1" if key[-1] == "0" else "0")


TWINS: tuple[tuple[Callable[[KeyMaker], str], Callable[[str], str]], ...] = (
    (lambda keys: keys(50), last_changed),
    (lambda keys: keys.uuid(), str.upper),
    (lambda keys: keys.digits(50), lambda key: key[:20] + "2" + key[21:]),  # one floating-point number
    (lambda keys: keys(18) + "Aa", lambda key: key[:-2] + "BB"),  # texts of one hash code
    (lambda keys: keys.digits(49), lambda key: "0" + key),
    (lambda keys: keys(40) + "Key", str.swapcase),
)
"""Keys of all forms and of both lengths, and for each another that only a careless comparison takes for it."""


def made_key(number: int, known: dict[int, str], keys: KeyMaker) -> str:
    """Return a fresh key for a create of a story: of the first of two neighbours, or the twin of that one."""
    make, twin = TWINS[number // 2 % len(TWINS)]
    if not number % 2 or number - 1 not in known:
        return make(keys)
    neighbour = known[number - 1]
    changed = twin(neighbour)
    return last_changed(neighbour) if changed == neighbour else changed  # a UUID may have no letters
