"""Servers that need what is optional, or read in no legal way what the page leaves open."""

from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.creation import JSON, Mending
from conformance.reference.requests import REFUND, RETURN_AND_REFUND, RefundRequest, Refusal, RequestedLine
from conformance.reference.rules import Shop
from conformance.reference.store import StoredOrder, StoredRefund, StoredRefundLine

# What may be left out.


class Needing(Mending):
    """A shop that needs what the page leaves optional."""

    needed: tuple[str, ...] = ()

    def mended(self, refund: JSON) -> JSON:
        """Refuse a request without any of what is needed."""
        if not any(name in refund for name in self.needed):
            raise Refusal(400, f"{' or '.join(self.needed)} is required")
        return refund


@breaks("CREATE-33")
class NeedsCustomers(Needing):
    """Refuses a create without customerId."""

    needed = ("customerId",)


@breaks("CREATE-33")
class NeedsTypes(Needing):
    """Refuses a create without rightsType."""

    needed = ("rightsType",)


@breaks("CREATE-33")
class NeedsShipping(Needing):
    """Refuses a create without shipping, which the page's sample has."""

    needed = ("shipping",)


@breaks("CREATE-33")
class NeedsSomethingOptional(Needing):
    """Refuses a create without any of the optional fields."""

    needed = ("customerId", "rightsType", "shipping")


@breaks("CREATE-36")
class RefusesEmptyShipping(Shop):
    """Refuses shipping without a tracking number."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Insist on a tracking number."""
        if isinstance(value, dict) and not value.get("trackingNumber"):
            raise Refusal(400, "trackingNumber must not be empty")
        return super().read_shipping(value)


# What a client must not set.


class Believing(Mending):
    """A shop that takes some of the record from the request."""

    sent: JSON = {}  # noqa: RUF012 - replaced by each request, never changed

    def mended(self, refund: JSON) -> JSON:
        """Remember what was sent."""
        self.sent = refund
        return refund


@breaks("CREATE-26")
class BelievesTheStatus(Believing):
    """Stores the status that the request brings."""

    def initial_status(self) -> int:
        """Return the status sent."""
        return int(self.sent.get("status", super().initial_status()))


@breaks("CREATE-26")
class BelievesTheId(Believing):
    """Stores the refund under the id that the request brings."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the id sent."""
        refund = super().new_refund(request)
        return evolve(refund, id=str(self.sent.get("refundId", refund.id)))


@breaks("CREATE-26")
class BelievesTheTimes(Believing):
    """Stores the times that the request brings."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the times sent."""
        refund = super().new_refund(request)
        return evolve(refund, created=self.sent.get("createTime", refund.created))


@breaks("CREATE-26")
class TakesNamedRefundsForOlder(Shop):
    """Takes a create that names a refund for a change of that one, and makes no other."""

    def create(self, body: Any) -> StoredRefund:
        """Look for the id first."""
        inside = body.get("refund") if isinstance(body, dict) else None
        named = inside.get("refundId") if isinstance(inside, dict) else None
        refund = self.store.refund(self.name, str(named)) if named else None
        return super().create(body) if refund is None else refund


@breaks("CREATE-27")
class BelievesTheAmount(Believing):
    """Stores the amount that the request brings."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the amount sent."""
        refund = super().new_refund(request)
        return evolve(refund, amount=abs(Decimal(self.sent.get("amount", refund.amount))))


@breaks("CREATE-27")
class BelievesSmallerAmounts(Believing):
    """Stores the amount that the request brings if it is not above what the units cost."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the lesser of the two."""
        refund = super().new_refund(request)
        return evolve(refund, amount=min(refund.amount, Decimal(self.sent.get("amount", refund.amount))))


# What may be read in several ways.


@breaks("CREATE-05")
class EmptyListMeansAll(Shop):
    """Refunds a unit of every line when the list of lines is empty."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Take a unit of every line."""
        every = [{"lineItemId": line.id, "quantity": 1} for line in order.lines]
        return super().read_lines(value or every if isinstance(value, list) else value, order)


@breaks("CREATE-05")
class PaysForNoLines(Shop):
    """Makes a refund of no lines that is worth something."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Take an empty list."""
        return () if value == [] else super().read_lines(value, order)

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Pay the price of the first line."""
        refund = super().new_refund(request)
        return refund if refund.lines else evolve(refund, amount=request.order.lines[0].price)


@breaks("CREATE-13")
class TakesAnEmptyQuantityForZero(Shop):
    """Makes a refund of no units when the quantity is an empty text."""

    def read_quantity(self, value: Any) -> int:
        """Make a number of it."""
        return 0 if value == "" else super().read_quantity(value)


@breaks("CREATE-13")
class ForgetsRefundsWithoutQuantity(Shop):
    """Answers a create without a quantity with a refund that it does not keep."""

    def create(self, body: Any) -> StoredRefund:
        """Answer without storing."""
        try:
            lines = body["refund"]["lineItems"]
            filled = [line if line.get("quantity") is not None else line | {"quantity": 1} for line in lines]
        except (TypeError, KeyError, AttributeError):
            return super().create(body)
        if filled == lines:
            return super().create(body)
        return self.new_refund(self.read_request({"refund": body["refund"] | {"lineItems": filled}}))


@breaks("CREATE-23")
class PaysTheLineOnce(Shop):
    """Refunds the units of both mentions of a line, and pays those of the last."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Put the lines into a map by id."""
        return super().total(tuple({line.line.id: line for line in lines}.values()))


@breaks("CREATE-23")
class TheLastMentionCounts(Shop):
    """Keeps only the last mention of a line that is named twice."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Put the lines into a map by id."""
        return tuple({part.line.id: part for part in super().read_lines(value, order)}.values())


@breaks("CREATE-34")
class NullMeansTypeTwo(Believing):
    """Takes a type that is null for a refund without return, once the order is shipped."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Store the other type."""
        null = "rightsType" in self.sent and self.sent["rightsType"] is None
        return evolve(super().new_refund(request), rights_type=REFUND if null else request.rights_type)


@breaks("CREATE-34")
class EmptyMeansTypeTwo(Believing):
    """Takes an empty type for a refund without return, once the order is shipped."""

    def read_rights_type(self, value: Any) -> int:
        """Let it pass."""
        return super().read_rights_type(None if value == "" else value)

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Store the other type."""
        empty = self.sent.get("rightsType") == ""
        return evolve(super().new_refund(request), rights_type=REFUND if empty else request.rights_type)


@breaks("CREATE-37")
class NumbersLoseUnits(Shop):
    """Refunds one unit fewer when the quantity is a JSON number."""

    def read_quantity(self, value: Any) -> int:
        """Count from zero."""
        quantity = super().read_quantity(value)
        return quantity if isinstance(value, str) else max(1, quantity - 1)


@breaks("CREATE-37")
class KnowsTypeTwoAsTextOnly(Shop):
    """Takes whatever is not the text 2 for the default, the number 2 as well."""

    def read_rights_type(self, value: Any) -> int:
        """Compare strictly."""
        return RETURN_AND_REFUND if value == 2 else super().read_rights_type(value)


@breaks("CREATE-40", also=("ROBUST-12",))
class BreaksWithoutReasons(Shop):
    """Answers 500 to a line without a reason."""

    def read_reason(self, value: Any) -> str:
        """Let the database complain."""
        if value is None:
            raise Refusal(500, "rights_reason may not be NULL")
        return super().read_reason(value)


@breaks("CREATE-40")
class BreaksOnUnknownCustomers(Shop):
    """Answers 500 to a customer whom it does not know."""

    def read_customer(self, value: Any, order: StoredOrder) -> str:
        """Let the missing customer complain."""
        if value is not None and self.ident(value, "customerId") != order.customer:
            raise Refusal(500, "NullPointerException")
        return super().read_customer(value, order)
