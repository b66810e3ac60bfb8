"""How the reference reads what it is asked: each parameter of a request a small method.

A parameter that is not well formed raises ``Refusal``. Where the page is vague, the docstring names the reading taken.
"""

import re
from decimal import Decimal
from typing import Any

from attrs import frozen

from conformance.reference.store import Store, StoredLine, StoredOrder

RETURN_AND_REFUND, REFUND = 1, 2
APPROVE, REJECT = 1, 2
MAX_REASON = 10_000
MAX_LINES = 1_000
MAX_DIGITS = 30
MAX_NUMBER = 10**MAX_DIGITS
"""No id or count of this API is greater."""


class Refusal(Exception):  # noqa: N818 - it names the answer
    """The request is not carried out: an HTTP status, and words for a person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@frozen
class RequestedLine:
    """What a create asks for of one line."""

    line: StoredLine
    quantity: int
    reason: str
    reason_type: str


@frozen
class RefundRequest:
    """A create, read and found well formed."""

    key: str
    order: StoredOrder
    lines: tuple[RequestedLine, ...]
    rights_type: int
    shipping: dict[str, str]
    customer: str


class Requests:
    """What is well formed, and what it says: the orders that ids name are those of the shop."""

    name: str
    store: Store

    def number(self, value: Any, name: str) -> int:
        """Return a whole number that came as a JSON number or as digits (reading A01: either)."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise Refusal(400, f"{name} must be a number")
        if isinstance(value, str):
            if not re.fullmatch(r"-?[0-9]{1,30}", value):
                raise Refusal(400, f"{name} must be a number")
            return int(value)
        too_great = isinstance(value, Decimal) and value.adjusted() > MAX_DIGITS  # not written out: it may be endless
        if too_great or value != int(value) or abs(int(value)) > MAX_NUMBER:
            raise Refusal(400, f"{name} must be a whole number")
        return int(value)

    def ident(self, value: Any, name: str) -> str:
        """Return an id as text."""
        number: int = self.number(value, name)
        if number < 1 or (isinstance(value, str) and value != str(number)):
            raise Refusal(400, f"{name} must be an id")
        return str(number)

    def member(self, body: Any, name: str) -> Any:
        """Return a required member of a JSON object."""
        if not isinstance(body, dict):
            raise Refusal(400, "a JSON object is needed")
        if body.get(name) is None:
            raise Refusal(400, f"{name} is required")
        return body[name]

    def read_request(self, body: Any) -> RefundRequest:
        """Return what a create asks for, each part well formed (page lines 110-128)."""
        refund = self.member(body, "refund")
        key = self.read_key(self.member(refund, "requestNo"))
        order = self.find_order(self.member(refund, "orderId"))
        return RefundRequest(
            key=key,
            order=order,
            lines=self.read_lines(self.member(refund, "lineItems"), order),
            rights_type=self.read_rights_type(refund.get("rightsType")),
            shipping=self.read_shipping(refund.get("shipping")),
            customer=self.read_customer(refund.get("customerId"), order),
        )

    def read_key(self, value: Any) -> str:
        """Return the request number: 20 to 50 characters (page line 116)."""
        if not isinstance(value, str):
            raise Refusal(400, "requestNo must be text")
        if not self.shortest_key() <= self.key_length(value) <= self.longest_key():
            raise Refusal(400, "requestNo must have 20 to 50 characters")
        return value

    def shortest_key(self) -> int:
        """Return the least length of a request number."""
        return 20

    def longest_key(self) -> int:
        """Return the greatest length of a request number."""
        return 50

    def key_length(self, key: str) -> int:
        """Return the length of a request number in characters (reading A21)."""
        return len(key)

    def find_order(self, value: Any) -> StoredOrder:
        """Return the order of this shop that an id names."""
        order = self.store.order(self.name, self.ident(value, "orderId"))
        if order is None:
            raise Refusal(404, "there is no such order")
        return order

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Return the requested lines; none, too many, or one twice is refused (readings A28, A29: refused)."""
        if not isinstance(value, list) or not 0 < len(value) <= MAX_LINES:
            raise Refusal(400, "lineItems must be a list with at least one line")
        lines = tuple(self.read_line(line, order) for line in value)
        self.check_distinct(lines)
        return lines

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Refuse a line that is named twice."""
        if len({requested.line.id for requested in lines}) < len(lines):
            raise Refusal(400, "a line item is there twice")

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Return one requested line."""
        return RequestedLine(
            line=self.find_line(self.member(value, "lineItemId"), order),
            quantity=self.read_quantity(self.member(value, "quantity")),
            reason=self.read_reason(value.get("rightsReason")),
            reason_type=self.read_reason_type(value.get("rightsReasonType")),
        )

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Return the line of the order that an id names."""
        wanted = self.ident(value, "lineItemId")
        for line in order.lines:
            if line.id == wanted:
                return line
        raise Refusal(400, "the order has no such line item")

    def read_quantity(self, value: Any) -> int:
        """Return the number of units: at least one."""
        quantity = self.number(value, "quantity")
        if quantity < 1:
            raise Refusal(400, "quantity must be at least 1")
        return quantity

    def read_reason(self, value: Any) -> str:
        """Return the reason as it was written."""
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > MAX_REASON:
            raise Refusal(400, "rightsReason must be a text")
        return value

    def read_reason_type(self, value: Any) -> str:
        """Return the kind of reason; 0 is *other reasons* (page line 169)."""
        return "0" if value is None else str(self.number(value, "rightsReasonType"))

    def read_rights_type(self, value: Any) -> int:
        """Return the type asked for; left out, it is *return and refund* (page line 125)."""
        if value is None:
            return self.default_rights_type()
        rights_type = self.number(value, "rightsType")
        if rights_type not in {RETURN_AND_REFUND, REFUND}:
            raise Refusal(400, "rightsType must be 1 or 2")
        return rights_type

    def default_rights_type(self) -> int:
        """Return the type of a request that names none."""
        return RETURN_AND_REFUND

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Return the logistics information; empty texts say nothing."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise Refusal(400, "shipping must be an object")
        names = ("shippingCarrierCode", "shippingCarrier", "trackingNumber")
        given = {name: value[name] for name in names if value.get(name) not in (None, "")}
        if not all(isinstance(text, str) and len(text) <= MAX_REASON for text in given.values()):
            raise Refusal(400, "shipping must hold texts")
        return given

    def read_customer(self, value: Any, order: StoredOrder) -> str:
        """Return the order's customer; another one is refused (reading A15)."""
        if value is not None and self.ident(value, "customerId") != order.customer:
            raise Refusal(400, "the order belongs to another customer")
        return order.customer

    def read_action(self, value: Any) -> int:
        """Return the action: 1 or 2 (page line 236)."""
        action = self.number(value, "action")
        if action not in {APPROVE, REJECT}:
            raise Refusal(400, "action must be 1 or 2")
        return action

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Return the refund that the path names; a body that names another is refused (reading A40)."""
        named = self.ident(refund_id, "refundId")
        inside = body.get("refundId")
        if inside is not None and self.ident(inside, "refundId") != named:
            raise Refusal(400, "the path and the body name different refunds")
        return named

    def read_limit(self, value: str | None) -> int:
        """Return the page size: 1 to 250, by default 50 (page line 323, readings A44 and A45)."""
        if value is None:
            return self.default_limit()
        limit = self.number(value, "limit")
        if not 1 <= limit <= self.greatest_limit():
            raise Refusal(400, "limit must be 1 to 250")
        return limit

    def default_limit(self) -> int:
        """Return the page size of a request that names none."""
        return 50

    def greatest_limit(self) -> int:
        """Return the greatest page size."""
        return 250
