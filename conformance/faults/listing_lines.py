"""Servers whose lists lose lines of refunds that they have, or refunds that were canceled a while ago."""

from datetime import datetime, timedelta

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.rules import CANCELED, Shop
from conformance.reference.store import StoredRefund

MOST = 20
"""Refunds whose lines one query brings."""
A_WHILE = timedelta(seconds=2)


@breaks("LIST-07")
class ListsDistinctLines(Shop):
    """Lists of a refund's lines that agree in price, quantity and reason only one, as a query of distinct rows does."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Leave the id of the line out of the query."""

        def distinct(refund: StoredRefund) -> StoredRefund:
            rows = {(line.line.price, line.quantity, line.reason): line for line in refund.lines}
            return evolve(refund, lines=tuple(rows.values()))

        return [distinct(refund) for refund in super().select(refunds)]


@breaks("LIST-07")
class ListsLinesOfTwenty(Shop):
    """Lists refunds beyond the twentieth without lines, since one query brings those of twenty."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Ask once."""
        return refunds[:MOST] + [evolve(refund, lines=()) for refund in refunds[MOST:]]


@breaks("LIST-09")
class PurgesListsOfCanceled(Shop):
    """Drops a refund from the lists of its order two seconds after it was canceled."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Clean up."""
        now = self.clock.now()
        return [
            refund
            for refund in refunds
            if refund.status != CANCELED or now - datetime.fromisoformat(refund.updated) <= A_WHILE
        ]
