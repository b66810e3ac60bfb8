"""Servers that let a request say what is paid."""

from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import RefundRequest
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund, StoredRefundLine

JSON = dict[str, Any]


class Believing(Shop):
    """A shop that takes prices from the request."""

    sent: tuple[JSON, ...] = ()

    def read_request(self, body: Any) -> RefundRequest:
        """Remember the lines sent."""
        request = super().read_request(body)
        self.sent = tuple(body["refund"]["lineItems"])
        return request

    def believed(self, line: StoredRefundLine, sent: JSON) -> StoredRefundLine:
        """Return the line with what the client says of it."""
        return line

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Believe the lines."""
        refund = super().new_refund(request)
        lines = tuple(self.believed(line, sent) for line, sent in zip(refund.lines, self.sent, strict=True))
        return evolve(refund, lines=lines, amount=self.total(lines))


@breaks("AMOUNT-10")
class BelievesPrices(Believing):
    """Pays the price that the request brings, where there is one."""

    def believed(self, line: StoredRefundLine, sent: JSON) -> StoredRefundLine:
        """Take the price."""
        return evolve(line, subtotal=Decimal(sent.get("price", line.line.price)) * line.quantity)


@breaks("AMOUNT-10")
class BelievesSubtotals(Believing):
    """Pays the subtotal that the request brings, where there is one."""

    def believed(self, line: StoredRefundLine, sent: JSON) -> StoredRefundLine:
        """Take the subtotal."""
        return evolve(line, subtotal=Decimal(sent.get("subtotal", line.subtotal)))


@breaks("AMOUNT-10")
class PaysTheTaxOfTheRequest(Believing):
    """Adds the tax that the request brings."""

    def believed(self, line: StoredRefundLine, sent: JSON) -> StoredRefundLine:
        """Add the tax."""
        return evolve(line, subtotal=line.subtotal + Decimal(sent.get("totalTax", 0)))


@breaks("AMOUNT-12")
class NumbersPayTwice(Believing):
    """Pays twice when the quantity is a JSON number."""

    def believed(self, line: StoredRefundLine, sent: JSON) -> StoredRefundLine:
        """Double the price."""
        return evolve(line, subtotal=line.subtotal * 2) if isinstance(sent["quantity"], int) else line
