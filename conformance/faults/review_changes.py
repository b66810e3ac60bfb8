"""Servers that change more of a refund than a review should."""

from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REFUND
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredRefund


class Rewrites(Shop):
    """Shows a reviewed refund with another content; the faults below differ in which."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Return the refund as it is shown."""
        return refund

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show the new content everywhere."""
        return super().record(operation, self.rewritten(refund))


@breaks("REVIEW-21", also=("RECORD-65",))
class ForgetsTheParcelOnApproval(Rewrites):
    """Loses the logistics information of an approved refund."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Write the row without it."""
        return evolve(refund, shipping={}) if refund.status == COMPLETED else refund


@breaks("REVIEW-21", also=("RECORD-71",))
class RenewsTheCreateTimeOnApproval(Rewrites):
    """Writes the time of the approval over the time of creation."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Set both times."""
        return evolve(refund, created=refund.updated) if refund.status == COMPLETED else refund


@breaks("REVIEW-21")
class WithholdsOneCentOnApproval(Rewrites):
    """Takes a cent off the amount of an approved refund."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Take the fee."""
        return evolve(refund, amount=refund.amount - Decimal("0.01")) if refund.status == COMPLETED else refund


@breaks("REVIEW-21")
class TurnsApprovedReturnsIntoRefunds(Rewrites):
    """Makes a refund without return of an approved return."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Change the type."""
        return evolve(refund, rights_type=REFUND) if refund.status == COMPLETED else refund


@breaks("REVIEW-21")
class WritesLaterApprovalsOff(Rewrites):
    """Sets the amount of an approved refund to nothing when another one of its order was decided before."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Find the order paid back already."""
        others = self.store.refunds_of(self.name, refund.order_id)
        later = any(not self.is_open(other) and other.updated < refund.updated for other in others)
        return evolve(refund, amount=Decimal(0)) if later and refund.status == COMPLETED else refund


@breaks("REVIEW-22", also=("AMOUNT-07",))
class ZeroesTheAmountOnRejection(Rewrites):
    """Sets the amount of a rejected refund to nothing."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Pay nothing."""
        return evolve(refund, amount=Decimal(0)) if refund.status == CANCELED else refund


@breaks("REVIEW-22")
class WritesTheReasonOver(Rewrites):
    """Writes the reviewer's decision over the customer's reason."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Use the one field there is."""
        lines = tuple(evolve(line, reason="Rejected") for line in refund.lines)
        return evolve(refund, lines=lines) if refund.status == CANCELED else refund


@breaks("REVIEW-22")
class WritesTheReasonOverAmongSeveral(Rewrites):
    """Writes why a refund was rejected over the customer's reason when its order has others."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Say that there are others."""
        several = len(self.store.refunds_of(self.name, refund.order_id)) > 1
        lines = tuple(evolve(line, reason="Duplicate") for line in refund.lines)
        return evolve(refund, lines=lines) if several and refund.status == CANCELED else refund


class Overwrites(Shop):
    """Writes parts of a review's body over the record; the faults below differ in which."""

    def smuggled(self, body: Any) -> Any:
        """Return what is written over the record."""
        return body

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.amounts: dict[str, Decimal] = {}

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Note the amount of the body."""
        refund = super().review(refund_id, body)
        inside = self.smuggled(body)
        if isinstance(inside, dict) and "amount" in inside:
            self.amounts[refund.id] = Decimal(str(inside["amount"]))
        return refund

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show the noted amount everywhere."""
        return super().record(operation, evolve(refund, amount=self.amounts.get(refund.id, refund.amount)))


@breaks("REVIEW-23")
class TakesAmountsOfReviews(Overwrites):
    """Writes an amount that a review brings over the stored one."""


@breaks("REVIEW-23")
class TakesRecordsOfReviews(Overwrites):
    """Writes a record that a review brings over the stored one."""

    def smuggled(self, body: Any) -> Any:
        """Look into the wrapper."""
        return body.get("refund")


@breaks("REVIEW-23")
class TakesReasonsOfReviews(Shop):
    """Writes the reasons that a review brings over those of the lines that it names."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Remember what else the body says."""
        refund = super().review(refund_id, body)
        lines = body.get("lineItems") or []
        self.reasons[refund.id] = {str(line["lineItemId"]): line["rightsReason"] for line in lines}
        return refund

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.reasons: dict[str, dict[str, str]] = {}

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show the remembered reasons everywhere."""
        said = self.reasons.get(refund.id, {})
        lines = tuple(evolve(line, reason=said.get(line.line.id, line.reason)) for line in refund.lines)
        return super().record(operation, evolve(refund, lines=lines))


@breaks("REVIEW-23")
class TakesParcelsOfReviews(Shop):
    """Writes the logistics information that a review brings over the stored one."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Remember what else the body says."""
        refund = super().review(refund_id, body)
        if body.get("shipping"):
            self.parcels[refund.id] = body["shipping"]
        return refund

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.parcels: dict[str, dict[str, str]] = {}

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show it everywhere."""
        return super().record(operation, evolve(refund, shipping=self.parcels.get(refund.id, refund.shipping)))


@breaks("REVIEW-23")
class TakesStatusesOfReviews(Shop):
    """Writes a status that a review brings over the one that its action leads to."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Bind the whole body to the record."""
        refund = super().review(refund_id, body)
        return self.change(refund, int(body["status"])) if body.get("status") else refund


@breaks("REVIEW-27")
class LosesLinesOnReview(Rewrites):
    """Keeps the first line alone of a refund that was decided."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Join the lines wrongly."""
        return refund if refund.status == INITIATED else evolve(refund, lines=refund.lines[:1])


@breaks("REVIEW-27")
class RejectsSingleLinesOnly(Shop):
    """Accepts a rejection of a refund of several lines, and does nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Update what has one line."""
        return refund if status == CANCELED and len(refund.lines) > 1 else super().change(refund, status)
