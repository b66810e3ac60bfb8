"""Honest servers that approve in their own time: what an approval leads to, and when."""

from decimal import Decimal
from typing import Any

from conformance.reference.requests import APPROVE, REFUND, REJECT, RefundRequest, Refusal
from conformance.reference.rules import COMPLETED, IN_PROCESS, INITIATED, Shop
from conformance.reference.store import StoredRefund
from conformance.variants import reads
from conformance.variants.review import AllowsOneOpen

LARGE = Decimal("25.00")
STEP = 1.0
"""Seconds that the next step of an approval takes."""


class ApprovesInTime(Shop):
    """Completes an approved refund by and by; the variants below differ in what it is until then."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.due: dict[str, float] = {}

    def authorise(self, token: Any, operation: str) -> None:
        """Complete what is due before each request."""
        super().authorise(token, operation)
        with self.exclusive():
            now = self.clock.monotonic()
            for refund_id in [key for key, moment in self.due.items() if moment <= now]:
                del self.due[refund_id]
                refund = self.store.refund(self.name, refund_id)
                if refund is not None and refund.status in {INITIATED, IN_PROCESS}:
                    self.change(refund, COMPLETED)

    def under_way(self, refund: StoredRefund) -> StoredRefund:
        """Return the refund as it is until it is completed."""
        return refund

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Begin an approval; once it is begun, another one changes nothing and a rejection is refused."""
        if refund.id in self.due:
            if action == REJECT:
                raise Refusal(409, "the refund is being carried out")
            return refund
        if action == APPROVE and self.is_open(refund):
            self.due[refund.id] = self.clock.monotonic() + STEP
            return self.under_way(refund)
        return super().decide(refund, action)


@reads("A37", aspect="approval")
class CompletesInTwoSteps(ApprovesInTime):
    """Brings an approved refund to 2 at once and to 3 a second later."""

    def under_way(self, refund: StoredRefund) -> StoredRefund:
        """Say that it is in process."""
        return self.change(refund, IN_PROCESS)


@reads("A37", aspect="approval")
class CompletesLater(ApprovesInTime):
    """Leaves an approved refund in 1 for a second and then completes it."""


@reads("A37", aspect="approval")
class LeavesApprovedInProcess(Shop):
    """Brings an approved refund to 2 for good: the bank does the rest."""

    def approved_status(self) -> int:
        """Stop there."""
        return IN_PROCESS


@reads("A37", "A39", aspect="approval")
class CancelsWhatIsInProcess(LeavesApprovedInProcess):
    """Brings an approved refund to 2 and lets it be rejected from there."""

    def is_open(self, refund: StoredRefund) -> bool:
        """Take what is in process for open to a rejection."""
        return super().is_open(refund) or refund.status == IN_PROCESS


@reads("A37", aspect="approval")
class ApprovesForLong(ApprovesInTime):
    """Leaves an approved refund in status 1 for longer than any run; it can no longer be rejected."""

    def authorise(self, token: Any, operation: str) -> None:
        """Let the night come first."""
        Shop.authorise(self, token, operation)


@reads("A37", aspect="approval")
class ApprovesRefundsWithoutReturnForLong(ApprovesForLong):
    """Leaves an approved refund for which nothing comes back in status 1 for long, and completes others at once."""

    def is_slow(self, refund: StoredRefund) -> bool:
        """Say whether its approval takes longer than any run."""
        return refund.rights_type == REFUND

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Complete at once what is not slow."""
        return super().decide(refund, action) if self.is_slow(refund) else Shop.decide(self, refund, action)


@reads("A37", aspect="approval")
class ApprovesLargeRefundsForLong(ApprovesRefundsWithoutReturnForLong):
    """Leaves a large approved refund in status 1 for long, and completes others at once."""

    def is_slow(self, refund: StoredRefund) -> bool:
        """Say whether its approval takes longer than any run."""
        return refund.amount > LARGE


@reads("A37", "A39", aspect="approval")
class IgnoresReviewsUnderWay(ApprovesForLong):
    """Leaves an approved refund in status 1 for long, and accepts further reviews of it without doing anything."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Leave it on its way."""
        return refund if refund.id in self.due else super().decide(refund, action)


@reads("A27", "A37", aspect="approval")
class ApprovesForLongOneByOne(AllowsOneOpen, ApprovesForLong):
    """Allows one refund of an order at a time that is not reviewed yet; approved ones stay in status 1 for long."""

    def in_the_way(self, refund: StoredRefund, request: RefundRequest) -> bool:
        """Leave aside what is approved."""
        return refund.id not in self.due


@reads("A27", "A37", aspect="approval")
class WaitsForCompletion(CompletesInTwoSteps):
    """Completes an approved refund after a second in process, and refuses a create for its order until then."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Take one refund after the other."""
        refunds = self.store.refunds_of(self.name, request.order.id)
        if any(refund.status in {INITIATED, IN_PROCESS} for refund in refunds):
            raise Refusal(409, "another refund is under way")
        super().check_refundable(request)
