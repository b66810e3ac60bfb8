"""What a target changes by itself: new refunds that go on to *in process*, update times that move without a request.

A queue of work does the one (reading A35), a bank that reports later the other (reading A09); neither breaks the page.
Nor does a target that begins with some refunds as initiated, and with others as in process (reading A35 again).
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from attrs import define, evolve, field, frozen

from conformance.model import Refund, RefundId, RefundStatus

OPEN: Mapping[RefundStatus, RefundStatus] = {
    RefundStatus.INITIATED: RefundStatus.IN_PROCESS, RefundStatus.IN_PROCESS: RefundStatus.INITIATED,
}  # fmt: skip
"""The statuses in which a refund may wait for its review, and for each the other one."""
Seen = tuple[str, RefundId, bool, RefundStatus | None]


@frozen
class Watched:
    """What became of a refund that was left alone: whether it went on to *in process*, and whether it was updated."""

    moved_on: bool = False
    updated: bool = False


@define
class Unrest:
    """What was found out of it, of refunds that no review was accepted of and of the others.

    It is found out at the first sign, once for either kind: ``watch`` makes a refund like the one that gave the sign,
    reviewed or not, leaves it alone for so many seconds, and says what it saw, looking in another way than the
    operation that gave the sign, which may itself be to blame. ``opens_in`` is the status of the first refund that was
    created (reading A35). It is safe to use from several threads.
    """

    watch: Callable[[bool, float, str, Refund], Watched] = lambda *_: Watched()
    found: dict[bool, Watched] = field(factory=dict)
    opens_in: RefundStatus = RefundStatus.INITIATED
    _born: dict[RefundId, float] = field(factory=dict)
    _born_otherwise: set[RefundId] = field(factory=set)
    _reviewed: set[RefundId] = field(factory=set)
    _updates: dict[Seen, datetime] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)
    _watching: threading.RLock = field(factory=threading.RLock)

    def note_creation(self, refund: Refund, at: float) -> None:
        """A create was answered with a refund, as it stands there, at a moment in seconds of the run's clock."""
        if refund.refund_id in self._born or refund.status is None or refund.status not in OPEN:
            return
        if not self._born:
            self.opens_in = refund.status
        self._born[refund.refund_id] = at
        if refund.status is not self.opens_in:
            self._born_otherwise.add(refund.refund_id)

    def was_reviewed(self, refund_id: RefundId) -> bool:
        """Say whether a review of the refund was accepted."""
        return refund_id in self._reviewed

    def note_review(self, refund_id: RefundId) -> None:
        """A review was accepted, which may have changed its refund in any way."""
        with self._lock:
            self._reviewed.add(refund_id)
            for seen in [seen for seen in self._updates if seen[1] == refund_id]:
                del self._updates[seen]

    def look_into(self, operation: str, shown: Iterable[Refund], now: float) -> None:
        """Watch a refund of the kind of one that looks as if the target had changed it by itself."""
        for refund in shown:
            born, reviewed = self._born.get(refund.refund_id), self.was_reviewed(refund.refund_id)
            if born is not None and self._is_sign(operation, self._as_usual(refund), reviewed=reviewed):
                with self._watching:  # whoever sees the next sign waits; only the watching itself gets in
                    if reviewed not in self.found:
                        self.found[reviewed] = Watched()
                        self.found[reviewed] = self.watch(reviewed, now - born, operation, refund)

    def _is_sign(self, operation: str, refund: Refund, *, reviewed: bool) -> bool:
        """Say whether a refund is in process without a review, or was updated since it was last shown so."""
        if not reviewed and refund.status is RefundStatus.IN_PROCESS is not self.opens_in:
            return True
        if refund.update_time is None:
            return False
        seen = (operation, refund.refund_id, reviewed, refund.status)
        with self._lock:
            return self._updates.setdefault(seen, refund.update_time) != refund.update_time

    def allowed_for(self, refund: Refund) -> Refund:
        """Return a refund as it would be if the target had left it alone, and marked if that cannot be told."""
        reviewed = self.was_reviewed(refund.refund_id)
        watched, refund = self.found.get(reviewed), self._as_usual(refund)
        if watched is None or not (watched.moved_on or watched.updated):
            return refund
        if watched.moved_on and refund.status is RefundStatus.IN_PROCESS:
            refund = evolve(refund, status=RefundStatus.INITIATED)
        return evolve(refund, restless=True)

    def _as_usual(self, refund: Refund) -> Refund:
        """Return a refund that waits for its review in the other of two statuses as if it did so in the usual one."""
        otherwise = refund.refund_id in self._born_otherwise and not self.was_reviewed(refund.refund_id)
        if not otherwise or refund.status is None:
            return refund
        return evolve(refund, status=OPEN.get(refund.status, refund.status))
