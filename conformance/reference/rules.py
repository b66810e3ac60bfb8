"""The rules of the page, each a small method of ``Shop``, free of HTTP.

What a request says is in ``requests.py``, how an answer is written in ``answers.py``. A rule that is not met raises
``Refusal``. Where the page is vague (``spec/readings.yaml``), the docstring names the reading taken.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from conformance.clock import Clock, RealClock
from conformance.reference.answers import Answers
from conformance.reference.requests import APPROVE, RETURN_AND_REFUND, RefundRequest, Refusal, RequestedLine, Requests
from conformance.reference.store import Store, StoredLine, StoredOrder, StoredRefund, StoredRefundLine

INITIATED, IN_PROCESS, COMPLETED, CANCELED = 1, 2, 3, 4
WRITE = frozenset({"write_refunds", "write_refund"})
READ = frozenset({"read_refunds"})
SCOPES = {"create": WRITE, "review": WRITE, "list": READ, "get": READ}


@frozen
class Token:
    """A holder's token: its shop and its scopes."""

    value: str
    shop: str
    scopes: frozenset[str]


class Shop(Requests, Answers):
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

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return which refunds are listed, and in which order: all, oldest first (reading A48)."""
        return refunds

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Return the one refund that both parameters name (page lines 403-406)."""
        order = self.find_order(self.member(dict(query), "orderId"))
        return self.find_refund(order, self.ident(self.member(dict(query), "refundId"), "refundId"))
