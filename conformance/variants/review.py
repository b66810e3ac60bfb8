"""Honest servers that review in their own way: answers, second reviews, units, open refunds, copies that lag."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve

from conformance.reference.requests import REJECT, RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, IN_PROCESS, INITIATED, Shop
from conformance.reference.store import StoredLine, StoredRefund
from conformance.variants import reads
from conformance.variants.listing import GetsLater, ListsLater

STEP = 1.0
"""Seconds that the next step of an approval takes."""


@reads("A37", "A38", aspect="answer to a review")
class AnswersReviewsWithTheStateBefore(Shop):
    """Answers a review with the refund as it was, as the page's example may be read."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Carry out, and return what was there."""
        super().decide(refund, action)
        return refund


@reads("A39", aspect="second review")
class RefusesSecondReviews(Shop):
    """Refuses every review of a decided refund, the same one too."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Take one decision."""
        if not self.is_open(refund):
            raise Refusal(409, "the refund was already reviewed")
        return super().decide(refund, action)


@reads("A39", aspect="second review")
class IgnoresSecondReviews(Shop):
    """Accepts every review of a decided refund, the contrary one too, and leaves the refund as it is."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Take one decision."""
        return refund if refund.status in {COMPLETED, CANCELED} else super().decide(refund, action)


@reads("A39", aspect="second review")
class TouchesOnSecondReviews(Shop):
    """Accepts the same review again and renews the update time."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Store it as it is."""
        decided = super().decide(refund, action)
        return self.change(decided, decided.status) if decided.status in {COMPLETED, CANCELED} else decided


@reads("A33", aspect="rejected units")
class KeepsRejectedUnits(Shop):
    """Does not give the units of a rejected refund back."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count canceled refunds too."""
        return super().claimed(evolve(refund, status=INITIATED), line)


@reads("A33", aspect="rejected units")
class FreesRejectedUnitsLater(Shop):
    """Gives the units of a rejected refund back a second later, when its stock was counted."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count what was canceled just now."""
        age = datetime.fromisoformat(self.now()) - datetime.fromisoformat(refund.updated)
        just_now = refund.status == CANCELED and age.total_seconds() < STEP
        return super().claimed(evolve(refund, status=INITIATED) if just_now else refund, line)


class AllowsOneOpen(Shop):
    """Refuses a create while others are open; the variants below differ in how many, and in which are in the way."""

    most = 1
    """So many may be open at a time."""

    def in_the_way(self, refund: StoredRefund, request: RefundRequest) -> bool:
        """Say whether an open refund of the order is in the way of a request."""
        return True

    def check_refundable(self, request: RefundRequest) -> None:
        """Look for open refunds first; what is approved, and shows it only later (review_approval.py), is not open."""
        approved = getattr(self, "due", {})
        refunds = [refund for refund in self.store.refunds_of(self.name, request.order.id) if refund.id not in approved]
        if sum(refund.status == INITIATED and self.in_the_way(refund, request) for refund in refunds) >= self.most:
            raise Refusal(409, "another refund is open")
        super().check_refundable(request)


@reads("A27", aspect="open refunds")
class AllowsOneOpenRefundByOrder(AllowsOneOpen):
    """Allows one open refund of an order at a time."""


@reads("A27", aspect="open refunds")
class AllowsOneOpenRefundByLine(AllowsOneOpen):
    """Allows one open refund of an order line at a time."""

    def in_the_way(self, refund: StoredRefund, request: RefundRequest) -> bool:
        """Compare the lines."""
        return bool({part.line.id for part in refund.lines} & {part.line.id for part in request.lines})


@reads("A27", aspect="open refunds")
class AllowsThreeOpenRefundsByOrder(AllowsOneOpen):
    """Allows three open refunds of an order at a time."""

    most = 3


@reads("A40", aspect="body refundId")
class NeedsTheRefundInTheBody(Shop):
    """Refuses a review whose body leaves out the refundId."""

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Insist on both."""
        self.member(body, "refundId")
        return super().named_refund(refund_id, body)


@reads("A64", aspect="delay")
class ShowsReviewsLater(Shop):
    """Shows in list and get only after a second what a review did."""

    late = frozenset({"list", "get"})

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.previous: dict[str, StoredRefund] = {}

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Keep what was there."""
        changed = super().change(refund, status)
        self.previous[refund.id] = refund
        return changed

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show what was there as long as the change is young."""
        return super().record(operation, self.copy_of(operation, refund))

    def copy_of(self, operation: str, refund: StoredRefund) -> StoredRefund:
        """Return a refund as it was before a change that is young."""
        age = (self.clock.now() - datetime.fromisoformat(refund.updated)).total_seconds()
        young = operation in self.late and age < STEP and refund.id in self.previous
        return self.previous[refund.id] if young else refund


@reads("A64", aspect="delay")
class ListsFromCopies(ShowsReviewsLater, ListsLater):
    """Lists what was there a second ago, new refunds and reviews alike, and gets what is there now."""

    late = frozenset({"list"})


@reads("A64", aspect="delay")
class ReadsFromCopiesInTurn(ShowsReviewsLater, ListsLater, GetsLater):
    """Reads from two copies in turn, of which one is what was there a second ago."""

    behind = False

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Read one of the copies."""
        self.behind = self.takes_the_old_one()
        return super().list_refunds(order_id, query)

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Read one of the copies."""
        self.behind = self.takes_the_old_one()
        return super().get_refund(query)

    def takes_the_old_one(self) -> bool:
        """Say whether the present read is of the copy that is behind."""
        return not self.behind

    def is_young(self, refund: StoredRefund) -> bool:
        """Know of everything in the copy that is not behind."""
        return self.behind and super().is_young(refund)

    def copy_of(self, operation: str, refund: StoredRefund) -> StoredRefund:
        """Show what was there only in the copy that is behind."""
        return super().copy_of(operation, refund) if self.behind else refund


@reads("A38", aspect="approval")
class CancelsInTwoSteps(Shop):
    """Brings a rejected refund to 2 at once and to 4 half a second later, when its units were put back."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.canceling: dict[str, float] = {}

    def authorise(self, token: Any, operation: str) -> None:
        """Cancel what is due before each request."""
        super().authorise(token, operation)
        with self.exclusive():
            for refund_id in [key for key, due in self.canceling.items() if due <= self.clock.monotonic()]:
                del self.canceling[refund_id]
                refund = self.store.refund(self.name, refund_id)
                if refund is not None:
                    self.change(refund, CANCELED)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Begin a rejection; once it is begun, another one changes nothing and an approval is refused."""
        if refund.id in self.canceling:
            if action != REJECT:
                raise Refusal(409, "the refund is being canceled")
            return refund
        if action == REJECT and self.is_open(refund):
            self.canceling[refund.id] = self.clock.monotonic() + 0.5
            return self.change(refund, IN_PROCESS)
        return super().decide(refund, action)
