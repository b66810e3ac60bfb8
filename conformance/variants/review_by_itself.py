"""Honest servers whose refunds move without a review: where they begin, and what goes on by itself."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.reference.requests import REFUND, RefundRequest
from conformance.reference.rules import COMPLETED, IN_PROCESS, INITIATED, Shop
from conformance.reference.store import StoredRefund
from conformance.variants import reads

LARGE = Decimal("25.00")


class UpdatesOnceMore(Shop):
    """Moves the update time of a refund once more, a while after something was done; the variants differ in what."""

    updates_after = timedelta(seconds=3)
    """How long that takes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.updates_due: dict[str, datetime] = {}

    def authorise(self, token: Any, operation: str) -> None:
        """Before each request, catch up on what has happened since the last."""
        super().authorise(token, operation)
        with self.exclusive():
            for refund_id in [key for key, moment in self.updates_due.items() if moment <= self.clock.now()]:
                moment = self.updates_due.pop(refund_id)
                refund = self.store.refund(self.name, refund_id)
                if refund is not None:
                    self.store.set_status(refund_id, refund.status, moment.isoformat())


@reads("A09", aspect="approval")
class UpdatesOnceMoreAfterAnApproval(UpdatesOnceMore):
    """Moves the update time of a refund once more, seconds after its approval, when the bank has sent its number."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Ask the bank for the money that was approved."""
        if status == COMPLETED:
            self.updates_due[refund.id] = self.clock.now() + self.updates_after
        return super().change(refund, status)


@reads("A09", aspect="approval")
class UpdatesSoonAfterAnApproval(UpdatesOnceMoreAfterAnApproval):
    """Moves the update time of a refund once more, a moment after its approval."""

    updates_after = timedelta(seconds=0.8)


@reads("A09", aspect="update")
class UpdatesNewRefundsOnceMore(UpdatesOnceMore):
    """Moves the update time of a new refund once more, when its risk was looked at."""

    updates_after = timedelta(seconds=0.4)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Have it looked at."""
        super().save(refund, request)
        self.updates_due[refund.id] = self.clock.now() + self.updates_after


@reads("A35", aspect="approval")
class StartsInProcess(Shop):
    """Has every new refund in process (status 2) until it is reviewed."""

    def initial_status(self) -> int:
        """Skip *initiated*."""
        return IN_PROCESS

    def is_open(self, refund: StoredRefund) -> bool:
        """What is in process was not reviewed yet."""
        return refund.status == IN_PROCESS


@reads("A35", aspect="approval")
class StartsRefundsWithoutReturnInProcess(Shop):
    """Has a refund for which nothing comes back in process until it is reviewed, and others initiated."""

    def start(self, refund: StoredRefund) -> int:
        """Return the status that a refund waits for its review in."""
        return IN_PROCESS if refund.rights_type == REFUND else INITIATED

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Begin where refunds of its type begin."""
        refund = super().new_refund(request)
        return evolve(refund, status=self.start(refund))

    def is_open(self, refund: StoredRefund) -> bool:
        """What is where it began was not reviewed yet."""
        return refund.status == self.start(refund)


@reads("A35", aspect="approval")
class StartsLargeRefundsInitiated(StartsRefundsWithoutReturnInProcess):
    """Has a large refund initiated until it is reviewed, and others in process from the beginning."""

    def start(self, refund: StoredRefund) -> int:
        """Return the status that a refund waits for its review in."""
        return INITIATED if refund.amount > LARGE else IN_PROCESS


@reads("A35", "A64", aspect="approval")
class MovesNewRefundsOn(Shop):
    """Brings a new refund in process by itself a moment after it was created, as a queue of work would."""

    turn = timedelta(seconds=0.3)
    """How long it waits for its turn."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.queue: dict[str, datetime] = {}

    def authorise(self, token: Any, operation: str) -> None:
        """Before each request, catch up on what has had its turn since the last."""
        super().authorise(token, operation)
        with self.exclusive():
            for refund_id in [key for key, moment in self.queue.items() if moment <= self.clock.now()]:
                began = self.queue.pop(refund_id)
                refund = self.store.refund(self.name, refund_id)
                if refund is not None and refund.status == INITIATED:
                    self.store.set_status(refund_id, IN_PROCESS, began.isoformat())

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Put it in the queue."""
        super().save(refund, request)
        self.queue[refund.id] = self.clock.now() + self.turn

    def is_open(self, refund: StoredRefund) -> bool:
        """What is in process was not reviewed yet."""
        return refund.status in {INITIATED, IN_PROCESS}


@reads("A35", "A64", aspect="approval")
class MovesLargeRefundsOn(MovesNewRefundsOn):
    """Brings a new refund in process by itself if it is large, since somebody looks at its risk."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Put a large one in the queue."""
        super().save(refund, request)
        if refund.amount <= LARGE:
            del self.queue[refund.id]


@reads("A35", "A64", aspect="approval")
class MovesRefundsOfSeveralLinesOn(MovesNewRefundsOn):
    """Brings a new refund of several lines in process by itself, since somebody has to count the parcels."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Put one of several lines in the queue."""
        super().save(refund, request)
        if len(refund.lines) == 1:
            del self.queue[refund.id]


@reads("A35", "A64", aspect="approval")
class MovesEveryOtherRefundOn(MovesNewRefundsOn):
    """Brings every other new refund in process by itself, since it has two queues of work."""

    count = 0

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Put every other one in the queue."""
        super().save(refund, request)
        self.count += 1
        if self.count % 2:
            del self.queue[refund.id]


@reads("A35", "A64", aspect="approval")
class MovesNewRefundsOnLate(MovesNewRefundsOn):
    """Brings a new refund in process by itself when it is some seconds old."""

    turn = timedelta(seconds=3)
