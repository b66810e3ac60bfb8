"""The rules of the page, each a small method of ``Shop``, free of HTTP.

A request is data that came in; an answer is data that goes out. A rule that is not met raises ``Refusal``.
Where the page is vague (``spec/readings.yaml``), the method's docstring names the reading taken.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from conformance.clock import Clock, RealClock
from conformance.reference.answers import Answers
from conformance.reference.store import Store, StoredLine, StoredOrder, StoredRefund, StoredRefundLine

INITIATED, IN_PROCESS, COMPLETED, CANCELED = 1, 2, 3, 4
RETURN_AND_REFUND, REFUND = 1, 2
APPROVE, REJECT = 1, 2
WRITE = frozenset({"write_refunds", "write_refund"})
READ = frozenset({"read_refunds"})
SCOPES = {"create": WRITE, "review": WRITE, "list": READ, "get": READ}
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
class Token:
    """A holder's token: its shop and its scopes."""

    value: str
    shop: str
    scopes: frozenset[str]


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


class Shop(Answers):
    """One shop: who may do what, what a refund may be, and how a review changes it."""

    def __init__(self, name: str, store: Store, tokens: Mapping[str, Token], clock: Clock | None = None) -> None:
        self.name = name
        self.store = store
        self.tokens = tokens
        self.clock = clock or RealClock()

    # Access.

    def admit(self, value: str | None, operation: str) -> None:
        """Let a request for an operation pass if its token may do that."""
        self.authorise(self.authenticate(value), operation)

    def authenticate(self, value: str | None) -> Token:
        """Return the holder of a token of this shop."""
        token = self.tokens.get(value) if value else None
        if token is None or token.shop != self.name:
            raise Refusal(401, "the access token is missing or unknown")
        return token

    def authorise(self, token: Token, operation: str) -> None:
        """Let only a holder of any of the operation's scopes pass (page lines 104, 223, 312, 395)."""
        if not self.sufficient(operation) & token.scopes:
            raise Refusal(403, "the access token lacks the scope for this")

    def sufficient(self, operation: str) -> frozenset[str]:
        """Return the scopes of which any one suffices."""
        return SCOPES[operation]

    # What a request says.

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

    # Create.

    def create(self, body: Any) -> StoredRefund:
        """Create a refund, or return the one that the same request number created before."""
        request = self.read_request(body)
        with self.exclusive():
            existing = self.recall(request.key)
            if existing is not None:
                return self.replay(existing, request)
            self.check_shipped(request)
            self.check_refundable(request)
            refund = self.new_refund(request)
            self.save(refund, request)
            return refund

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one write at a time look and then act."""
        with self.store.exclusive():
            yield

    def recall(self, key: str) -> StoredRefund | None:
        """Return the refund that a request number created, if any."""
        refund_id = self.store.recall(self.name, key)
        return None if refund_id is None else self.store.refund(self.name, refund_id)

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Return the refund as it now is, and do nothing (readings A22, A23: the original)."""
        return existing

    def check_shipped(self, request: RefundRequest) -> None:
        """Refuse a return of an order that was not shipped (page line 125, reading A31a)."""
        if self.needs_shipped_order(request.rights_type) and not self.is_shipped(request):
            raise Refusal(409, "the order must have been shipped for a return")

    def needs_shipped_order(self, rights_type: int) -> bool:
        """Say whether this type is for shipped orders only."""
        return rights_type == RETURN_AND_REFUND

    def is_shipped(self, request: RefundRequest) -> bool:
        """Say whether the goods have left."""
        return request.order.shipped

    def check_refundable(self, request: RefundRequest) -> None:
        """Refuse more units than were ordered and not yet taken back (reading A26)."""
        for line, quantity in self.asked(request).items():
            if quantity > self.refundable(request.order, line):
                raise Refusal(409, "more units than can still be refunded")

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Return the units asked for by line."""
        units: dict[StoredLine, int] = {}
        for requested in request.lines:
            units[requested.line] = units.get(requested.line, 0) + requested.quantity
        return units

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Return how many units of a line can still be refunded."""
        return line.quantity - sum(self.claimed(refund, line) for refund in self.store.refunds_of(self.name, order.id))

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Return how many units of a line a refund takes up; a canceled one takes none (reading A33)."""
        if refund.status == CANCELED:
            return 0
        return sum(part.quantity for part in refund.lines if part.line.id == line.id)

    def new_line_id(self, number: int) -> str:
        """Return an id for the line of that number in a new order."""
        return self.store.next_id("line")

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Return the refund that a request makes."""
        now = self.now()
        lines = tuple(
            StoredRefundLine(part.line, part.quantity, part.reason, part.reason_type, self.line_total(part))
            for part in request.lines
        )
        return StoredRefund(
            id=self.store.next_id("refund"),
            shop=self.name,
            order_id=request.order.id,
            customer=request.customer,
            rights_type=request.rights_type,
            status=self.initial_status(),
            amount=self.total(lines),
            shipping=request.shipping,
            created=now,
            updated=now,
            lines=lines,
        )

    def initial_status(self) -> int:
        """Return the status of a new refund: initiated (reading A35)."""
        return INITIATED

    def line_total(self, part: RequestedLine) -> Decimal:
        """Return the price of the units of one line."""
        return part.line.price * part.quantity

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Return the sum of the lines."""
        return sum((line.subtotal for line in lines), Decimal(0))

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Remember the refund and its request number together."""
        self.store.add_refund(refund)
        self.store.remember(self.name, request.key, refund.id)

    def now(self) -> str:
        """Return the present time as the store keeps it."""
        return self.clock.now().astimezone(UTC).isoformat(timespec="microseconds")

    # Review.

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Approve or reject a refund (page lines 227-236)."""
        action = self.read_action(self.member(body, "action"))
        named = self.named_refund(refund_id, body)
        order = self.find_order(self.member(body, "orderId"))
        with self.exclusive():
            refund = self.find_refund(order, named)
            return self.decide(refund, action)

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

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Return a refund of the order."""
        refund = self.store.refund(self.name, refund_id)
        if refund is None or refund.order_id != order.id:
            raise Refusal(404, "the order has no such refund")
        return refund

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Carry the action out; again, it changes nothing; after another one it is refused (reading A39)."""
        wanted = self.approved_status() if action == APPROVE else CANCELED
        if refund.status == wanted:
            return refund
        if not self.is_open(refund):
            raise Refusal(409, "the refund was already reviewed")
        return self.change(refund, wanted)

    def approved_status(self) -> int:
        """Return the status that an approval ends in (reading A37: 3 at once)."""
        return COMPLETED

    def is_open(self, refund: StoredRefund) -> bool:
        """Say whether a refund can still be reviewed."""
        return refund.status == INITIATED

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Store the new status and the time of the change."""
        changed = evolve(refund, status=status, updated=self.later(refund.updated))
        self.store.set_status(changed.id, changed.status, changed.updated)
        return changed

    def later(self, before: str) -> str:
        """Return the present time, in any case after ``before``."""
        now = self.now()
        if now > before:
            return now
        moved = datetime.fromisoformat(before).timestamp() + 0.001
        return datetime.fromtimestamp(moved, UTC).isoformat(timespec="microseconds")

    # List and get.

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Return the refunds of an order, at most ``limit`` (page lines 316-323)."""
        limit = self.read_limit(query.get("limit"))
        order = self.find_order(order_id)
        return self.select(self.store.refunds_of(self.name, order.id))[:limit]

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

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return which refunds are listed, and in which order: all, oldest first (reading A48)."""
        return refunds

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Return the one refund that both parameters name (page lines 403-406)."""
        order = self.find_order(self.member(dict(query), "orderId"))
        return self.find_refund(order, self.ident(self.member(dict(query), "refundId"), "refundId"))
