"""In which of its legal forms a step of a story is sent, and in whose name: none of it changes what comes of it."""

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from conformance.generation.lifecycle import Create, Review, Step
from conformance.http.client import TOKEN_HEADER, Parameters, Part, RefundApi
from conformance.http.dialect import NUMBERS, TEXT, Dialect
from conformance.http.keys import KeyMaker
from conformance.model import Order
from conformance.shop import Shop

JSON = dict[str, Any]
WRITERS = ("full", "write_refunds", "write_refund")
READERS = ("full", "read_refunds")
"""Whose tokens take turns, as far as the target file gives them."""
TURNS, TURNED = 5, 2
"""Of so many steps in a row, so many have their members in another order: forms repeat after four."""
SPELLINGS: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper)
LIMITS = (250, 50, 99, 49)
"""Limits that the looks at an order take turns with: each is more than a story makes of refunds."""


FOREIGN, SPLIT, LADEN, NULL, EMPTY, BARE = "foreign", "split", "laden", "null", "empty", "bare"
"""Forms that a target may refuse (readings A01, A28, A30, A34 and A40), but may not take for anything else.

Numbers in another wire form than it was first found to take; the units of a line in two mentions of it, and each
parameter twice; members and parameters that are not the client's to set; the default type as null or as an empty text;
and a review that names its refund in the path alone.
"""
FORMS = (SPLIT, FOREIGN, LADEN, FOREIGN)
REVIEWS = (BARE, *FORMS[1:])
DEFAULTS = {2: NULL, 3: EMPTY}
TYPES = 11
"""Of so many keys of returns, which leave the type to the target in such a form."""
TRIFLE = "0.01"
LONG_AGO = "2001-01-01T00:00:00Z"
FORTUNE = "99999999999.00"
"""More than any order cost: a smaller amount may be honoured (reading A25), one like this may not."""
RECORD = {"status": "4", "amount": FORTUNE, "createTime": LONG_AGO, "updateTime": LONG_AGO, "refundId": "471100000815"}
UNKNOWN = {"of": ["nothing", 1]}
"""A member that the page knows nothing of, in what it does know."""
LINE = {"price": TRIFLE, "subtotal": TRIFLE, "totalTax": "0.50", "note": UNKNOWN}
PARAMETERS: Parameters = [("action", "2")]
DECISION = {
    "status": "4", "amount": TRIFLE, "createTime": LONG_AGO, "updateTime": LONG_AGO, "customerId": "1", "note": UNKNOWN,
    "requestNo": "another-request-number-0", "rightsType": "2",
}  # fmt: skip


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
        halves = [evolve(part, quantity=part.quantity // 2) for part in parts]
        rest = [evolve(part, quantity=-(-part.quantity // 2)) for part in parts]
        return [mention for mention in halves + rest if mention.quantity]

    def create(self, body: JSON, known: str | None) -> JSON:
        """Return the body of a create in this manner; ``known`` is the id of a refund that is there."""
        refund = body["refund"]
        if self.form == LADEN:
            lines = [line | LINE for line in refund["lineItems"]]
            refund = refund | RECORD | {"lineItems": lines, "refundId": known or RECORD["refundId"], "note": UNKNOWN}
        if self.form in {NULL, EMPTY}:
            refund = refund | {"rightsType": None if self.form == NULL else ""}
        return {"refund": self._turned(refund)}

    def review(self, body: JSON, order: Order, another: str) -> JSON:
        """Return the body of a review in this manner; ``another`` is the id of a refund that it is not about."""
        if self.form == LADEN:
            reason = {"rightsReason": "Another reason altogether.", "quantity": "3"}
            lines = [{"lineItemId": line.line_item_id, **reason} for line in order.lines]
            more = DECISION | {"lineItems": lines, "shipping": {"trackingNumber": "another parcel"}}
            body = body | more | {"refund": more, "id": another}
        if self.form == BARE:
            body = {name: value for name, value in body.items() if name != "refundId"}
        return self._turned(body)

    def query(self, parameters: Parameters, laden: Parameters = PARAMETERS) -> Parameters:
        """Return the parameters of a request in this manner; ``laden`` are those that it has no use for."""
        more = {LADEN: laden, SPLIT: parameters}.get(self.form, [])
        return [*parameters, *more][::-1] if self.turned else [*parameters, *more]

    def _turned(self, body: JSON) -> JSON:
        return dict(reversed(body.items())) if self.turned else body


PLAIN = Manner()


def manner_of(position: int, step: Step) -> Manner:
    """Return the manner of a step by its place in its story, so that a step that is taken again has another one."""
    names = WRITERS if isinstance(step, Create | Review) else READERS
    return Manner(
        holder=names[position % len(names)],
        header=SPELLINGS[position % len(SPELLINGS)](TOKEN_HEADER),
        turned=position % TURNS < TURNED,
        form=_form_of(position, step),
    )


def _form_of(position: int, step: Step) -> str:
    forms = REVIEWS if isinstance(step, Review) else FORMS
    form = forms[position % len(forms)]
    return DEFAULTS.get(step.key % TYPES, form) if isinstance(step, Create) and step.returned else form


def foreign_to(dialect: Dialect) -> Dialect:
    """Return another wire form of numbers than a dialect's."""
    return NUMBERS if dialect is TEXT else TEXT


# Keys.


def last_changed(key: str) -> str:
    """Return a key that differs from another in the last of its characters."""
    return key[:-1] + ("1" if key[-1] == "0" else "0")


TWINS: tuple[tuple[Callable[[KeyMaker], str], Callable[[str], str]], ...] = (
    (lambda keys: keys.uuid().upper(), str.lower),
    (lambda keys: keys(50), last_changed),
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
