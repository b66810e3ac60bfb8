"""Servers that get the review wrong."""

from conformance.faults import breaks
from conformance.reference.rules import CANCELED, INITIATED, Shop
from conformance.reference.store import StoredRefund


@breaks("REVIEW-16")
class RevivesCanceled(Shop):
    """Approves a refund that was rejected before."""

    def is_open(self, refund: StoredRefund) -> bool:
        """Take a canceled refund for open."""
        return refund.status in {INITIATED, CANCELED}
