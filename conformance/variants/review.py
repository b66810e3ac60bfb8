"""Honest readings of the review."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.reference.rules import (
    APPROVE,
    CANCELED,
    COMPLETED,
    IN_PROCESS,
    INITIATED,
    REFUND,
    REJECT,
    RefundRequest,
    Refusal,
    Shop,
)
from conformance.reference.store import StoredLine, StoredRefund
from conformance.variants import reads
from conformance.variants.listing import GetsLater, ListsLater

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


@reads("A37", "A39", aspect="approval")
class IgnoresReviewsUnderWay(ApprovesForLong):
    """Leaves an approved refund in status 1 for long, and accepts further reviews of it without doing anything."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Leave it on its way."""
        return refund if refund.id in self.due else super().decide(refund, action)


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
class MovesNewRefundsOnLate(MovesNewRefundsOn):
    """Brings a new refund in process by itself when it is some seconds old."""

    turn = timedelta(seconds=3)


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
        if refund.status in {COMPLETED, CANCELED, IN_PROCESS}:
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


class AllowsOneOpen(Shop):
    """Refuses a create while others are open; the variants below differ in how many, and in which are in the way."""

    most = 1
    """So many may be open at a time."""

    def in_the_way(self, refund: StoredRefund, request: RefundRequest) -> bool:
        """Say whether an open refund of the order is in the way of a request."""
        return True

    def check_refundable(self, request: RefundRequest) -> None:
        """Look for open refunds first."""
        refunds = self.store.refunds_of(self.name, request.order.id)
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


@reads("A27", "A37", aspect="open refunds")
class ApprovesForLongOneByOne(AllowsOneOpen, ApprovesForLong):
    """Allows one refund of an order at a time that is not reviewed yet; approved ones stay in status 1 for long."""

    def in_the_way(self, refund: StoredRefund, request: RefundRequest) -> bool:
        """Leave aside what is approved."""
        return refund.id not in self.due


@reads("A27", "A37", aspect="open refunds")
class WaitsForCompletion(CompletesInTwoSteps):
    """Completes an approved refund after a second in process, and refuses a create for its order until then."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Take one refund after the other."""
        refunds = self.store.refunds_of(self.name, request.order.id)
        if any(refund.status in {INITIATED, IN_PROCESS} for refund in refunds):
            raise Refusal(409, "another refund is under way")
        super().check_refundable(request)


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
        age = (self.clock.now() - datetime.fromisoformat(refund.updated)).total_seconds()
        if operation in self.late and age < STEP and refund.id in self.previous:
            refund = self.previous[refund.id]
        return super().record(operation, refund)


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

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show what was there only in the copy that is behind."""
        return super().record(operation, refund) if self.behind else Shop.record(self, operation, refund)
