"""Servers that decide anew what was decided."""

from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.lifecycle import SeesShipments
from conformance.reference.requests import APPROVE, REFUND, REJECT, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredRefund


class Reviewed(Shop):
    """Reviews a decided refund again in its own way; the faults below differ in how."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Return what comes of it."""
        return super().decide(refund, action)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Tell a first review from a later one."""
        return super().decide(refund, action) if self.is_open(refund) else self.again(refund, action)


@breaks("REVIEW-14")
class PaysTwice(Reviewed):
    """Stores a second refund when an approved one is approved again."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Pay once more."""
        if refund.status == COMPLETED and action == APPROVE:
            self.store.add_refund(evolve(refund, id=self.store.next_id("refund")))
        return super().again(refund, action)


@breaks("REVIEW-14")
class TogglesApprovals(Reviewed):
    """Takes a second approval back."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Open it again."""
        if refund.status == COMPLETED and action == APPROVE:
            return self.change(refund, INITIATED)
        return super().again(refund, action)


@breaks("REVIEW-14")
class FailsOnTheSecondApproval(Reviewed):
    """Breaks when an approved refund is approved again."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Fail as an unhandled error does."""
        if refund.status == COMPLETED and action == APPROVE:
            raise Refusal(500, "no transition from COMPLETED to COMPLETED")
        return super().again(refund, action)


@breaks("REVIEW-15")
class TogglesRejections(Reviewed):
    """Takes a second rejection back."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Open it again."""
        return (
            self.change(refund, INITIATED) if action == REJECT == refund.status - 2 else super().again(refund, action)
        )


@breaks("REVIEW-16")
class RevivesCanceled(Shop):
    """Approves a refund that was rejected before."""

    def is_open(self, refund: StoredRefund) -> bool:
        """Take a canceled refund for open."""
        return refund.status in {INITIATED, CANCELED}


@breaks("REVIEW-16")
class RefusesButRevives(RevivesCanceled):
    """Refuses to approve a canceled refund when that is already done."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Check last of all."""
        before = self.store.refund(self.name, refund_id)
        refund = super().review(refund_id, body)
        if before is not None and (before.status, refund.status) == (CANCELED, COMPLETED):
            raise Refusal(409, "the refund was already reviewed")
        return refund


@breaks("REVIEW-16", also=("REVIEW-17",))
class TouchesWhatItRefuses(Shop):
    """Saves a refund, with a new update time, before it finds that it was already reviewed."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Save what is decided in any case."""
        try:
            return super().review(refund_id, body)
        except Refusal:
            refund = self.store.refund(self.name, refund_id)
            if refund is not None and not self.is_open(refund):
                self.change(refund, refund.status)
            raise


@breaks("REVIEW-16")
class SaysThatCanceledWasApproved(Shop):
    """Answers the approval of a canceled refund as if it had been carried out."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Leave the refund as it is, and show another."""
        late = refund.status == CANCELED and action == APPROVE
        return evolve(refund, status=COMPLETED) if late else super().decide(refund, action)


class GivesInAtTheSecondTry(Shop):
    """Refuses a review that comes too late once; the faults below differ in which."""

    late = (CANCELED, APPROVE)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tried: set[str] = set()

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Carry it out when it comes again."""
        if (refund.status, action) == self.late and refund.id in self.tried:
            return self.change(refund, COMPLETED if action == APPROVE else CANCELED)
        if (refund.status, action) == self.late:
            self.tried.add(refund.id)
        return super().decide(refund, action)


@breaks("REVIEW-16", also=("REVIEW-17",))
class RevivesAtTheSecondTry(GivesInAtTheSecondTry):
    """Refuses to approve a canceled refund once, and does it when asked again."""


@breaks("REVIEW-17")
class SaysThatCompletedWasRejected(Shop):
    """Answers the rejection of a completed refund as if it had been carried out."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Leave the refund as it is, and show another."""
        late = refund.status == COMPLETED and action == REJECT
        return evolve(refund, status=CANCELED) if late else super().decide(refund, action)


@breaks("REVIEW-17")
class CancelsCompleted(Reviewed):
    """Cancels a refund that was completed before."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Ask nothing about the present status."""
        return self.change(refund, CANCELED) if action == REJECT else super().again(refund, action)


@breaks("REVIEW-17")
class CancelsCompletedAfterASecond(Reviewed):
    """Refuses to cancel what was completed just now, and cancels what was completed seconds ago."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Look into a memory that is short."""
        now, then = datetime.fromisoformat(self.now()), datetime.fromisoformat(refund.updated)
        forgotten = action == REJECT and now - then > timedelta(seconds=2)
        return self.change(refund, CANCELED) if forgotten else super().again(refund, action)


@breaks("REVIEW-17")
class CancelsCompletedWithoutReturn(Reviewed):
    """Cancels a completed refund without return, for no parcel is under way."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Ask for the type alone."""
        late = refund.rights_type == REFUND and action == REJECT
        return self.change(refund, CANCELED) if late else super().again(refund, action)


@breaks("REVIEW-17")
class CancelsAfterTwoApprovals(Reviewed):
    """Holds a refund that was approved twice for one that is under way, and lets it be rejected."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.twice: set[str] = set()

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Lose the status of what was approved twice."""
        if action == APPROVE:
            self.twice.add(refund.id)
        elif refund.id in self.twice:
            return self.change(refund, CANCELED)
        return super().again(refund, action)


@breaks("REVIEW-17")
class CancelsCompletedAtTheSecondTry(GivesInAtTheSecondTry):
    """Refuses to reject a completed refund once, and does it when asked again."""

    late = (COMPLETED, REJECT)


@breaks("REVIEW-16")
class RevivesAfterSeconds(Reviewed):
    """Refuses to approve what was rejected just now, and approves what was rejected seconds ago."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Look into a memory that is short."""
        now, then = datetime.fromisoformat(self.now()), datetime.fromisoformat(refund.updated)
        forgotten = refund.status == CANCELED and action == APPROVE and now - then > timedelta(seconds=3)
        return self.change(refund, COMPLETED) if forgotten else super().again(refund, action)


@breaks("REVIEW-17")
class CancelsCompletedOfUnshippedOrders(Shop):
    """Rejects a completed refund if its order was not shipped, as nothing has left yet."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Let the order decide."""
        order = self.store.order(self.name, refund.order_id)
        if action == REJECT and refund.status == COMPLETED and order is not None and not order.shipped:
            return self.change(refund, CANCELED)
        return super().decide(refund, action)


@breaks("REVIEW-30")
class ReopensWhatIsCompletedOnceShipped(SeesShipments):
    """Shows the completed refunds of an order as initiated again when it is shipped."""

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Start over."""
        reopened = refund.status == COMPLETED and self.shipped_since(refund.order_id)
        return super().record(operation, evolve(refund, status=INITIATED) if reopened else refund)
