"""Servers that do not carry a review out, or do not say or keep what it came to."""

from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import APPROVE, REFUND, REJECT, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredRefund

# Whether an action is carried out.


@breaks("REVIEW-01")
class OnlySaysApproved(Shop):
    """Answers an approval with status 3 and stores nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Change the answer alone."""
        return evolve(refund, status=status) if status == COMPLETED else super().change(refund, status)


@breaks("REVIEW-01")
class ApprovesIntoCanceled(Shop):
    """Cancels what is approved."""

    def approved_status(self) -> int:
        """Mix the actions up."""
        return CANCELED


@breaks("REVIEW-01")
class ApprovesIntoAbnormal(Shop):
    """Brings an approved refund to the abnormal status."""

    def approved_status(self) -> int:
        """Fail on the way to the bank."""
        return 5


@breaks("REVIEW-01")
class ApprovesParcelsOnly(Shop):
    """Refuses to approve a refund without a tracking number."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Insist on one."""
        if action == APPROVE and not refund.shipping.get("trackingNumber"):
            raise Refusal(409, "nothing is on its way back")
        return super().decide(refund, action)


@breaks("REVIEW-01")
class RefusesApprovals(Shop):
    """Refuses every approval."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Take no approval."""
        if action == APPROVE:
            raise Refusal(409, "the refund cannot be approved")
        return super().decide(refund, action)


@breaks("REVIEW-01")
class WaitsForAParcel(Shop):
    """Accepts the approval of a return without logistics information, and waits for a parcel."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Wait."""
        if action == APPROVE and refund.rights_type != REFUND and not refund.shipping:
            return refund
        return super().decide(refund, action)


@breaks("REVIEW-01")
class BreaksWhenNothingIsLeft(Shop):
    """Approves a refund of all that was ordered, and then breaks when it closes the order."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Close the order."""
        refund = super().review(refund_id, body)
        order = self.store.order(self.name, refund.order_id)
        ordered = 0 if order is None else sum(line.quantity for line in order.lines)
        if refund.status == COMPLETED and sum(line.quantity for line in refund.lines) == ordered:
            raise Refusal(500, "the order cannot be closed")
        return refund


@breaks("REVIEW-02")
class OnlySaysCanceled(Shop):
    """Answers a rejection with status 4 and stores nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Change the answer alone."""
        return evolve(refund, status=status) if status == CANCELED else super().change(refund, status)


class Rejects(Shop):
    """Brings a rejected refund to some status; the faults below differ in which."""

    into = CANCELED

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Carry a rejection of an open refund out in its own way."""
        if action == REJECT and self.is_open(refund):
            return self.change(refund, self.into)
        return super().decide(refund, action)


@breaks("REVIEW-02")
class RejectsIntoCompleted(Rejects):
    """Completes what is rejected."""

    into = COMPLETED


@breaks("REVIEW-02")
class RejectsIntoAbnormal(Rejects):
    """Brings a rejected refund to the abnormal status."""

    into = 5


@breaks("REVIEW-26")
class ApprovesReturnsOnly(Shop):
    """Accepts an approval of a refund without return, and waits for goods that never come."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Update what comes back."""
        waits = status == COMPLETED and refund.rights_type == REFUND
        return refund if waits else super().change(refund, status)


@breaks("REVIEW-26")
class CompletesRejectedRefunds(Shop):
    """Completes a refund without return when it is rejected."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Know no other end for type 2."""
        return super().change(refund, COMPLETED if refund.rights_type == REFUND else status)


@breaks("REVIEW-26")
class ApprovesShippedOrdersOnly(Shop):
    """Refuses to approve a refund of an order that was not shipped, though it needs no shipment."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Look at the order."""
        order = self.store.order(self.name, refund.order_id)
        if action == APPROVE and order is not None and not order.shipped:
            raise Refusal(409, "the order was not shipped")
        return super().decide(refund, action)


# What is answered.


class AnswersReviews(Shop):
    """Answers a review with something else than is stored; the faults below differ in what."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Return what the answer shows."""
        return refund

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Change the answers to reviews alone."""
        return super().record(operation, self.answered(refund) if operation == "review" else refund)


@breaks("REVIEW-24")
class AnswersCanceledForApproved(AnswersReviews):
    """Answers an approval as if it had been a rejection."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Show the wrong status."""
        return evolve(refund, status=CANCELED) if refund.status == COMPLETED else refund


@breaks("REVIEW-24")
class AnswersCompletedForRejected(AnswersReviews):
    """Answers a rejection as if it had been an approval."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Show the wrong status."""
        return evolve(refund, status=COMPLETED) if refund.status == CANCELED else refund


@breaks("REVIEW-24")
class AnswersWithAnotherParcel(AnswersReviews):
    """Answers a review with a tracking number of its own, and keeps the one that is stored."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Show a number that nobody sent."""
        return evolve(refund, shipping=refund.shipping | {"trackingNumber": f"RETURN{refund.id}"})


@breaks("REVIEW-24", also=("AMOUNT-04",))
class AnswersWithTheFirstOfTheOrder(Shop):
    """Decides the refund that is named, and answers with the first one of its order."""

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Look the order's refunds up and take one."""
        if operation == "review":
            refund = self.store.refunds_of(self.name, refund.order_id)[0]
        return super().record(operation, refund)


@breaks("REVIEW-24")
class AnswersWithTheLatestId(AnswersReviews):
    """Decides the refund that is named, and answers with the id of the latest one of its order."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Take the id of the last row."""
        return evolve(refund, id=self.store.refunds_of(self.name, refund.order_id)[-1].id)


# What comes afterwards.


class Locks(Shop):
    """Locks a refund after refused reviews; the faults below differ in how many."""

    patience = 1

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refused: dict[str, int] = {}

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Count the refusals of a refund."""
        if self.refused.get(refund_id, 0) >= self.patience:
            raise Refusal(409, "the refund is locked")
        try:
            return super().review(refund_id, body)
        except Refusal:
            self.refused[refund_id] = self.refused.get(refund_id, 0) + 1
            raise


@breaks("REVIEW-25")
class LocksAfterOneRefusal(Locks):
    """Accepts no review of a refund after it refused one."""


@breaks("REVIEW-25")
class LocksAfterTwoRefusals(Locks):
    """Accepts no review of a refund after it refused two."""

    patience = 2


class ForgetsDecisions(Shop):
    """Shows a decided refund as initiated again after three seconds; the faults below differ in the decision."""

    forgotten: int

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Look at the time since the decision."""
        age = (self.clock.now() - datetime.fromisoformat(refund.updated)).total_seconds()
        if refund.status == self.forgotten and age > 3:
            refund = evolve(refund, status=INITIATED)
        return super().record(operation, refund)


@breaks("REVIEW-30")
class LetsApprovalsRunOut(ForgetsDecisions):
    """Shows an approved refund as initiated again when three seconds have passed."""

    forgotten = COMPLETED


@breaks("REVIEW-31")
class OpensRejectedRefundsAgain(ForgetsDecisions):
    """Shows a canceled refund as initiated again when three seconds have passed."""

    forgotten = CANCELED


@breaks("REVIEW-01")
class ApprovesWhatIsFresh(Shop):
    """Refuses to approve a refund without a new check of its order three and a half seconds after it was asked for."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Look at the clock."""
        now, then = datetime.fromisoformat(self.now()), datetime.fromisoformat(refund.created)
        if action == APPROVE and self.is_open(refund) and now - then > timedelta(seconds=3.5):
            raise Refusal(409, "the refund must be checked anew")
        return super().decide(refund, action)
