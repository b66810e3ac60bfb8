"""Servers on which a queue does more than it should, a moment after a review."""

from collections.abc import Callable
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import APPROVE, REJECT
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredRefund

SOON = 0.8
"""Seconds after a review at which the queue comes to it."""


class WorksOff(Shop):
    """Comes back to each decision from a queue; the faults below differ in what it does then."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.queue: list[tuple[float, Callable[[], None]]] = []

    def authorise(self, token: Any, operation: str) -> None:
        """Do what is due before each request."""
        super().authorise(token, operation)
        with self.exclusive():
            now = self.clock.monotonic()
            due = [work for moment, work in self.queue if moment <= now]
            self.queue = [(moment, work) for moment, work in self.queue if moment > now]
            for work in due:
                work()

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Note the decision."""
        decided = super().decide(refund, action)
        if decided.status != refund.status:
            self.queue.append((self.clock.monotonic() + SOON, lambda: self.work_off(decided, action)))
        return decided

    def work_off(self, refund: StoredRefund, action: int) -> None:
        """Do what the decision calls for: nothing."""

    def siblings(self, refund: StoredRefund) -> list[StoredRefund]:
        """Return the other refunds of its order."""
        return [other for other in self.store.refunds_of(self.name, refund.order_id) if other.id != refund.id]


@breaks("LIFE-11")
class CancelsOpenSiblingsLater(WorksOff):
    """Cancels what is open beside an approved refund, a moment after the approval."""

    def work_off(self, refund: StoredRefund, action: int) -> None:
        """Close the order."""
        if action == APPROVE:
            for other in self.siblings(refund):
                if other.status == INITIATED:
                    self.change(other, CANCELED)


@breaks("LIFE-11")
class CompletesOpenSiblingsLater(WorksOff):
    """Pays what is open beside an approved refund as well, a moment after the approval."""

    def work_off(self, refund: StoredRefund, action: int) -> None:
        """Pay by order."""
        if action == APPROVE:
            for other in self.siblings(refund):
                if other.status == INITIATED:
                    self.change(other, COMPLETED)


@breaks("LIFE-11")
class ReopensApprovalsOfSeveralLinesLater(WorksOff):
    """Writes an old copy of an approved refund of several lines back, a moment after the approval."""

    def work_off(self, refund: StoredRefund, action: int) -> None:
        """Write the status that it had."""
        if action == APPROVE and len(refund.lines) > 1:
            self.store.set_status(refund.id, INITIATED, refund.updated)


@breaks("LIFE-11")
class PaysRejectedBesideCompletedLater(WorksOff):
    """Completes a rejected refund a moment later if its order has a completed one."""

    def work_off(self, refund: StoredRefund, action: int) -> None:
        """Take the order's decision for the refund's."""
        if action == REJECT and any(other.status == COMPLETED for other in self.siblings(refund)):
            self.change(refund, COMPLETED)


@breaks("LIFE-11")
class RenewsSiblingsLater(WorksOff):
    """Moves the update time of the order's other refunds a moment after each review."""

    def work_off(self, refund: StoredRefund, action: int) -> None:
        """Save them all."""
        for other in self.siblings(refund):
            self.store.set_status(other.id, other.status, self.later(other.updated))


@breaks("LIFE-11")
class LosesParcelsOfApprovedLater(WorksOff):
    """Shows an approved refund without its logistics information from a moment after the approval on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.archived: set[str] = set()

    def work_off(self, refund: StoredRefund, action: int) -> None:
        """Move it to the archive."""
        if action == APPROVE:
            self.archived.add(refund.id)

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show what the archive has."""
        return super().record(operation, evolve(refund, shipping={}) if refund.id in self.archived else refund)
