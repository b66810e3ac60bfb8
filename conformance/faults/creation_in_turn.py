"""Servers that refuse creates although there are units left."""

from decimal import Decimal

from conformance.faults import breaks
from conformance.faults.creation import units_of
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund


@breaks("CREATE-20")
class RefundsLinesTwice(Shop):
    """Refuses a third refund of a line once two were approved."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Return none after two refunds."""
        refunds = [refund for refund in self.store.refunds_of(self.name, order.id) if refund.status == COMPLETED]
        touching = [refund for refund in refunds if self.claimed(refund, line)]
        return super().refundable(order, line) if len(touching) < 2 else 0


@breaks("CREATE-20")
class CountsTheSecondApprovalTwice(Shop):
    """Counts an approved refund twice when an earlier one was approved too."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Count all but the first again."""
        refunds = [refund for refund in self.store.refunds_of(self.name, order.id) if refund.status == COMPLETED]
        return super().refundable(order, line) - sum(self.claimed(refund, line) for refund in refunds[1:])


@breaks("CREATE-20")
class TakesFiveRefundsOfAnOrder(Shop):
    """Refuses the sixth refund of an order, whatever is left of it."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Count the refunds, too."""
        super().check_refundable(request)
        if len(self.store.refunds_of(self.name, request.order.id)) >= 5:
            raise Refusal(409, "the order has had too many refunds")


@breaks("CREATE-24")
class RefusesTheWholeOrder(Shop):
    """Refuses a refund of all that was ordered."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Insist that something is left."""
        super().check_refundable(request)
        if self.asked(request) == {line: line.quantity for line in request.order.lines}:
            raise Refusal(409, "the whole order cannot be refunded at once")


@breaks("CREATE-39")
class AddsUnitsOfAllLinesUp(Shop):
    """Counts the units of every line against each line."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count all lines."""
        return 0 if refund.status == CANCELED else units_of(refund)


@breaks("CREATE-39")
class AddsUpInFloats(Shop):
    """Adds earlier amounts up in floating point, and refuses what then seems to be more than the order cost."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare amounts as well."""
        super().check_refundable(request)
        cost = float(sum((line.price * line.quantity for line in request.order.lines), Decimal(0)))
        paid = 0.0
        for refund in self.store.refunds_of(self.name, request.order.id):
            paid += 0.0 if refund.status == CANCELED else float(refund.amount)
        for part in request.lines:
            paid += float(part.line.price) * part.quantity
        if paid > cost:
            raise Refusal(409, "more than the order cost")


@breaks("CREATE-38")
class FreesTheFirstLineAlone(Shop):
    """Gives the units of the first line back when a refund is rejected, and forgets the others."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count the other lines of canceled refunds."""
        if refund.status == CANCELED and refund.lines[0].line.id != line.id:
            return sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return super().claimed(refund, line)
