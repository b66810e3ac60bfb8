"""Which reads come from a copy that is behind: they show less than was told before they were asked (reading A64)."""

import threading
from collections import defaultdict
from collections.abc import Iterable

from attrs import define, field

from conformance.model import Refund, RefundId, RefundStatus

READ, REVIEW = "read", "review"
DECIDED = frozenset({RefundStatus.COMPLETED, RefundStatus.CANCELED})


@define
class Freshness:
    """What is known of orders and refunds, each since a moment in seconds of the run's clock.

    ``hopes`` are the kinds of requests for which to ask again may help, until that was in vain. It is safe to use from
    several threads.
    """

    hopes: set[str] = field(factory=lambda: {READ, REVIEW})
    _refunds: defaultdict[str, dict[RefundId, float]] = field(factory=lambda: defaultdict(dict))
    _decided: dict[RefundId, float] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def note(self, order_id: str, refund: Refund, at: float) -> None:
        """A refund was told to be one of the order's, or was shown there."""
        with self._lock:
            self._refunds[order_id].setdefault(refund.refund_id, at)
        self.note_decision(refund, at)

    def note_decision(self, refund: Refund, at: float) -> None:
        """A refund was shown, maybe one that was decided."""
        if refund.status in DECIDED:
            with self._lock:
                self._decided.setdefault(refund.refund_id, at)

    def known(self, order_id: str, at: float) -> set[RefundId]:
        """Return the refunds of an order that were known at a moment."""
        with self._lock:
            return {refund_id for refund_id, since in self._refunds[order_id].items() if since <= at}

    def any_is_behind(self, shown: Iterable[Refund], at: float) -> bool:
        """Say whether a refund is shown as open that was known to be decided at a moment."""
        with self._lock:
            return any(
                refund.status is not None
                and refund.status not in DECIDED
                and self._decided.get(refund.refund_id, at + 1.0) <= at
                for refund in shown
            )
