"""Servers that refund more units than are left, since they lose sight of earlier refunds."""

from datetime import datetime
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REJECT, RETURN_AND_REFUND, RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund


@breaks("CREATE-18")
class ForgetsApprovedRefunds(Shop):
    """Counts only pending refunds against what can still be refunded."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Forget what was approved."""
        return 0 if refund.status == COMPLETED else super().claimed(refund, line)


@breaks("CREATE-18")
class LooksBackForTheFirstLineOnly(Shop):
    """Counts earlier refunds against the first line of a request only."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Measure the others by what was ordered."""
        first, *others = self.asked(request).items()
        super().check_refundable(evolve(request, lines=tuple(each for each in request.lines if each.line == first[0])))
        if any(quantity > line.quantity for line, quantity in others):
            raise Refusal(409, "more units than were ordered")


@breaks("CREATE-19")
class ForgetsPendingRefunds(Shop):
    """Counts only approved refunds against what can still be refunded."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count what was approved."""
        return super().claimed(refund, line) if refund.status == COMPLETED else 0


@breaks("CREATE-19")
class HoldsUnitsForThreeSeconds(Shop):
    """Holds the units of a pending refund for three seconds only."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Look at its age."""
        age = (self.clock.now() - datetime.fromisoformat(refund.created)).total_seconds()
        forgotten = refund.status == INITIATED and age > 3
        return 0 if forgotten else super().claimed(refund, line)


class CountsSomeRefunds(Shop):
    """A shop that forgets some of the earlier refunds."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Count some."""
        refunds = [refund for refund in self.store.refunds_of(self.name, order.id) if self.claimed(refund, line)]
        return line.quantity - sum(self.claimed(refund, line) for refund in self.counted(refunds))

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the refunds of the line that count."""
        return refunds


@breaks("CREATE-21", also=("RACE-04",))
class CountsTheLatestRefundOnly(CountsSomeRefunds):
    """Counts only the latest refund of a line against what can still be refunded."""

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the latest."""
        return refunds[-1:]


@breaks("CREATE-21")
class CountsTheFirstTwoRefundsOnly(CountsSomeRefunds):
    """Forgets the third refund of a line, and all that come after it."""

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the first two."""
        return refunds[:2]


@breaks("CREATE-21")
class CountsReturnsOnly(CountsSomeRefunds):
    """Forgets refunds without a return."""

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the returns."""
        return [refund for refund in refunds if refund.rights_type == RETURN_AND_REFUND]


@breaks("CREATE-21")
class CountsAPageOfRefunds(Shop):
    """Counts the units of the first ten refunds of an order, which is a page of what it asks itself for."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Leave the other pages out."""
        page = self.store.refunds_of(self.name, order.id)[:10]
        return line.quantity - sum(self.claimed(refund, line) for refund in page)


@breaks("CREATE-42")
class ForgetsUnitsAtShipping(Shop):
    """Counts the units of an order anew when it is shipped."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before: set[str] = set()

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Note what was made before shipment."""
        refund = super().new_refund(request)
        if not request.order.shipped:
            self.before.add(refund.id)
        return refund

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Leave out what was made before shipment once the order is shipped."""
        refunds = self.store.refunds_of(self.name, order.id)
        counted = [refund for refund in refunds if not order.shipped or refund.id not in self.before]
        return line.quantity - sum(self.claimed(refund, line) for refund in counted)


# After a rejection.


@breaks("CREATE-38")
class RejectionsAddUnits(Shop):
    """Gives the units of a rejected refund back although they were never taken away."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count a canceled refund the other way."""
        units = sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return -units if refund.status == CANCELED else units


@breaks("CREATE-38")
class RepeatedRejectionsAddUnits(Shop):
    """Gives the units of a refund back each time that it is rejected."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.again: dict[str, int] = {}

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Count the rejections after the first."""
        if action == REJECT and refund.status == CANCELED:
            self.again[refund.id] = self.again.get(refund.id, 0) + 1
        return super().decide(refund, action)

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Give back what the repeated ones gave back."""
        units = sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return super().claimed(refund, line) - units * self.again.get(refund.id, 0)


@breaks("CREATE-38")
class RejectionsOfSeveralLinesAddUnits(Shop):
    """Gives the units of a rejected refund of several lines back although they were never taken away."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count them backwards."""
        if refund.status == CANCELED and len(refund.lines) > 1:
            return -sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return super().claimed(refund, line)


@breaks("CREATE-41")
class LateRejectionsFreeUnits(Shop):
    """Refuses to reject an approved refund, but has already given its units back."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.freed: set[str] = set()

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Book the units back first."""
        if action == REJECT:
            self.freed.add(refund.id)
        return super().decide(refund, action)

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count what was booked back no more."""
        return 0 if refund.id in self.freed else super().claimed(refund, line)
