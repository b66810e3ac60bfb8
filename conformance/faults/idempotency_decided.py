"""Servers that take a create sent again for a new one, or do more, when its refund was decided."""

from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.idempotency import ForgetsSome, OwnMemory
from conformance.reference.requests import REFUND, RefundRequest
from conformance.reference.rules import CANCELED, COMPLETED, IN_PROCESS, INITIATED, Shop
from conformance.reference.store import StoredLine, StoredRefund


@breaks("IDEM-13")
class PaysAgainAfterApproval(ForgetsSome):
    """Keeps keys only while their refunds are open, so that a late retry after an approval makes a new refund."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Forget what is completed, but for the one that was completed first."""
        first = next(iter(self.memory.values()))
        return refund.status == COMPLETED and refund.id != first


@breaks("IDEM-13", also=("REVIEW-30",))
class ReopensOnReplay(Shop):
    """Brings an approved refund back to the start when its create is replayed."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Write the first status again."""
        return self.change(existing, INITIATED) if existing.status == COMPLETED else existing


@breaks("IDEM-14")
class CreatesAnewAfterRejection(ForgetsSome):
    """Makes a new refund when the create of a rejected one is replayed."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Forget what is canceled."""
        return refund.status == CANCELED


@breaks("IDEM-14")
class RevivesOnReplay(Shop):
    """Opens a rejected refund again when its create is replayed."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Write the first status again."""
        return self.change(existing, INITIATED) if existing.status == CANCELED else existing


@breaks("IDEM-14")
class AnswersReplaysInProcess(Shop):
    """Answers the replay of a rejected refund as if it were in process, which it never was."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Answer for whatever is no longer open."""
        return evolve(existing, status=IN_PROCESS) if existing.status == CANCELED else existing


@breaks("IDEM-13")
class ForgetsKeysOfWholeOrders(ForgetsSome):
    """Closes an order of which all was refunded, and forgets its keys with it; a canceled one is open again."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Compare what was refunded with what was ordered."""
        order = self.find_order(refund.order_id)
        whole = sum(line.quantity for line in refund.lines) == sum(line.quantity for line in order.lines)
        return refund.status == COMPLETED and whole

    def check_refundable(self, request: RefundRequest) -> None:
        """Count nothing of an order that it closed."""
        known = self.recall_any(request)
        if not (known and self.forgotten(known)):
            super().check_refundable(request)

    def recall_any(self, request: RefundRequest) -> StoredRefund | None:
        """Return the refund that the key had."""
        return OwnMemory.recall(self, request.key)


@breaks("IDEM-13")
class ForgetsApprovedKeysWithoutReturn(ForgetsSome):
    """Is done with a refund without return when it is approved, and forgets its key."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Ask for type and status."""
        return refund.status == COMPLETED and refund.rights_type == REFUND


@breaks("IDEM-14")
class ForgetsRejectedKeysOfSeveralLines(ForgetsSome):
    """Deletes the lines of a refund that is rejected one by one, and its key with the second."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Count the lines."""
        return refund.status == CANCELED and len(refund.lines) > 1


@breaks("IDEM-13")
class FreesUnitsOnLateReplays(Shop):
    """Takes an approved refund whose create comes again for one that is over, and counts its units no more."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.over: set[str] = set()

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Note it."""
        if existing.status == COMPLETED:
            self.over.add(existing.id)
        return super().replay(existing, request)

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Leave it out."""
        return 0 if refund.id in self.over else super().claimed(refund, line)


@breaks("IDEM-11")
class RejectsTheReplayedInWordsOnly(Shop):
    """Keeps an open refund whose create came again in a cache, and rejects it there alone."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cached: set[str] = set()

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Cache it."""
        self.cached.add(existing.id)
        return super().replay(existing, request)

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Leave what is stored as it is."""
        lost = refund.id in self.cached and status == CANCELED
        return evolve(refund, status=status) if lost else super().change(refund, status)


@breaks("IDEM-14")
class ForgetsKeysOfRejectedLater(ForgetsSome):
    """Cleans up a moment after a rejection, and forgets the key of what was rejected."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Look at the clock."""
        age = self.clock.now() - datetime.fromisoformat(refund.updated)
        return refund.status == CANCELED and age > timedelta(seconds=0.8)
