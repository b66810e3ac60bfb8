"""What a target changes by itself: new refunds that go on to *in process*, update times that move without a request.

A queue of work does the one (reading A35), a bank that reports later the other (reading A09); neither breaks the page.
Nor does a target that begins with some refunds as initiated, and with others as in process (reading A35 again), or on
which some approved refunds are initiated for long (reading A37).
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from attrs import define, evolve, field, frozen

from conformance.model import Refund, RefundId, RefundStatus, RightsType

SLOW = 2.0
"""Seconds after which an approved refund that is still initiated is a sign of slow approvals."""

OPEN: Mapping[RefundStatus, RefundStatus] = {
    RefundStatus.INITIATED: RefundStatus.IN_PROCESS, RefundStatus.IN_PROCESS: RefundStatus.INITIATED,
}  # fmt: skip
"""The statuses in which a refund may wait for its review, and for each the other one."""
AFTER: Mapping[RefundStatus, RefundStatus] = {
    RefundStatus.INITIATED: RefundStatus.IN_PROCESS, RefundStatus.IN_PROCESS: RefundStatus.COMPLETED,
}  # fmt: skip
"""What a refund whose approval stands is as good as, while it does not show."""
Seen = tuple[str, RefundId, bool, RefundStatus | None]


@frozen
class Watched:
    """What became of a refund that was left alone: whether it went on to *in process*, and whether it was updated.

    ``touched`` if it was not, but is whenever it is read.
    """

    moved_on: bool = False
    updated: bool = False
    touched: bool = False

    @property
    def restless(self) -> bool:
        """Whether the update time of such a refund tells nothing of what requests do."""
        return self.moved_on or self.updated or self.touched


@define
class Unrest:
    """What was found out of it, of refunds that no review was accepted of and of the others.

    It is found out at the first sign, once for either kind: ``watch`` makes a refund like the one that gave the sign,
    reviewed or not, leaves it alone for so many seconds, and says what it saw, looking in another way than the
    operation that gave the sign, which may itself be to blame. ``stands`` makes and approves one, and says whether that
    stands against a rejection; ``slow`` says of which types approvals do, and show late. ``opens_in`` is the status of
    the first refund that was created (reading A35). It is safe to use from several threads.
    """

    watch: Callable[[bool, float, str, Refund], Watched] = lambda *_: Watched()
    stands: Callable[[Refund, str], bool] = lambda *_: False
    found: dict[bool, Watched] = field(factory=dict)
    slow: dict[RightsType | None, bool] = field(factory=dict)
    opens_in: RefundStatus = RefundStatus.INITIATED
    _born: dict[RefundId, float] = field(factory=dict)
    _born_otherwise: set[RefundId] = field(factory=set)
    _reviewed: set[RefundId] = field(factory=set)
    _approved: dict[RefundId, float] = field(factory=dict)
    _updates: dict[Seen, datetime] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)
    _watching: threading.RLock = field(factory=threading.RLock)

    @property
    def touched(self) -> bool:
        """Whether reading a refund was seen to update it, which is judged once (RECORD-74)."""
        return any(watched.touched for watched in self.found.values())

    @property
    def habits(self) -> tuple[dict[bool, Watched], dict[RightsType | None, bool]]:
        """What was found out so far."""
        with self._watching:
            return dict(self.found), dict(self.slow)

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

    def note_review(self, refund_id: RefundId, at: float, *, approval: bool) -> None:
        """A review was accepted, at a moment in seconds of the run's clock; its refund may have changed in any way."""
        with self._lock:
            if approval and refund_id not in self._reviewed:
                self._approved[refund_id] = at
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

    def look_for_slow_ones(self, operation: str, shown: Iterable[Refund], now: float) -> None:
        """Find out whether approvals stand, of the type of one that does not show seconds after it was accepted."""
        for refund in shown:
            if self._waits(refund) and now - self._approved[refund.refund_id] >= SLOW:
                with self._watching:
                    if refund.rights_type not in self.slow:
                        self.slow[refund.rights_type] = False
                        self.slow[refund.rights_type] = self.stands(refund, operation)

    def _waits(self, refund: Refund) -> bool:
        """Say whether a refund still looks like one that waits for a review, though its approval was accepted."""
        return refund.refund_id in self._approved and refund.status is self.opens_in

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
        if self._waits(refund) and self.slow.get(refund.rights_type):
            return evolve(refund, status=AFTER[self.opens_in], restless=True)
        alone = self.found.get(False)
        if reviewed and alone is not None and alone.moved_on and refund.status is RefundStatus.IN_PROCESS:
            return evolve(refund, restless=True)  # it may have got there by itself, with its approval yet to come
        if watched is None or not watched.restless:
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
