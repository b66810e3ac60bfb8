"""Servers that are right one after another, and wrong when reviews come at once with others, or with creates."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.races import WINDOW, Unguarded
from conformance.faults.robustness import TOO_LONG
from conformance.reference.requests import APPROVE, REJECT, RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredLine, StoredRefund


@breaks("RACE-05")
class DecidesTwiceAtOnce(Unguarded):
    """Checks the status, and writes it later, so that both decisions find the refund open."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Take its time between the check and the write."""
        if not self.is_open(refund):
            return super().decide(refund, action)
        time.sleep(WINDOW)
        return self.change(refund, COMPLETED if action == APPROVE else CANCELED)


@breaks("RACE-05", also=("RACE-14",))
class BreaksOnContraryReviews(Unguarded):
    """Finds only when it writes that a refund was decided meanwhile, and ends in an internal error."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Take its time between the check and the write."""
        if not self.is_open(refund):
            return super().decide(refund, action)
        time.sleep(WINDOW)
        with self.store.exclusive():
            now = self.store.refund(self.name, refund.id)
            if now is None or not self.is_open(now):
                raise Refusal(500, "the refund was changed by another transaction")
            return super().decide(now, action)


@breaks("RACE-11")
class MixesUpReviewsAtOnce(Shop):
    """Keeps the refund and the decision of a review in a place that all requests share."""

    current: tuple[str, Any] = ("", None)

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Carry out whatever is in that place by then."""
        self.current = refund_id, body
        time.sleep(WINDOW)
        return super().review(*self.current)


class WritesBack(Shop):
    """Keeps the refunds of an order as one document; the faults below differ in who writes it back as it was read."""

    @contextlib.contextmanager
    def document(self, order: str, mine: str | None = None) -> Iterator[None]:
        """Read the document, let something be done, and write all refunds but one back as they were read."""
        before = self.store.refunds_of(self.name, order)
        time.sleep(WINDOW)
        with self.store.exclusive():
            yield
            for refund in before:
                if refund.id != mine:
                    self.store.set_status(refund.id, refund.status, refund.updated)

    def order_of(self, refund_id: str) -> str:
        """Return the order of a refund, if there is such a refund."""
        refund = self.store.refund(self.name, self.ident(refund_id, "refundId"))
        return "" if refund is None else refund.order_id


@breaks("RACE-11")
class KeepsOneOfTwoDecisionsAtOnce(WritesBack):
    """Writes the refunds of an order back as it read them, with the one that it decided, so that others are lost."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Read and write the whole document."""
        with self.document(self.order_of(refund_id), refund_id):
            return super().review(refund_id, body)


class ReviewsInTime(WritesBack):
    """Takes its time before it decides, so that others have read the document by then."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Come into the middle of what others do."""
        time.sleep(WINDOW / 2)
        return super().review(refund_id, body)


@breaks("RACE-11")
class UndoesDecisionsAsItCreates(ReviewsInTime):
    """Writes the refunds of an order back as it read them, with a new one, so that a decision in between is lost."""

    def create(self, body: Any) -> StoredRefund:
        """Read and write the whole document, but for a key that is known."""
        request = self.read_request(body)
        if self.recall(request.key) is not None:
            return super().create(body)
        with self.document(request.order.id):
            return super().create(body)


@breaks("RACE-11")
class UndoesDecisionsAsItReplays(ReviewsInTime):
    """Writes the refunds of an order back as it read them for a known key, so that a decision in between is lost."""

    def create(self, body: Any) -> StoredRefund:
        """Read and write the whole document for a key that is known."""
        request = self.read_request(body)
        if self.recall(request.key) is None:
            return super().create(body)
        with self.document(request.order.id):
            return super().create(body)


@breaks("RACE-11")
class UndoesDecisionsAsItGets(ReviewsInTime):
    """Writes the refunds of an order back as it read them for a get, so that a decision in between is lost."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Read and write the whole document."""
        with self.document(self.find_order(self.member(dict(query), "orderId")).id):
            return super().get_refund(query)


@breaks("RACE-11")
class LosesCreatesThatMeetReviews(WritesBack):
    """Writes the refunds of an order back without those that were created while it decided."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lost: set[str] = set()

    def create(self, body: Any) -> StoredRefund:
        """Come into the middle of what reviews do."""
        time.sleep(WINDOW / 2)
        return super().create(body)

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Take its time between the reading and the writing."""
        order = self.order_of(refund_id)
        before = {refund.id for refund in self.store.refunds_of(self.name, order)}
        time.sleep(WINDOW)
        with self.store.exclusive():
            refund = super().review(refund_id, body)
            self.lost |= {other.id for other in self.store.refunds_of(self.name, order)} - before
        return refund

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Leave out what is lost."""
        return [refund for refund in super().select(refunds) if refund.id not in self.lost]

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Find nothing that is lost."""
        refund = super().get_refund(query)
        if refund.id in self.lost:
            raise Refusal(404, "there is no such refund")
        return refund


@breaks("RACE-08")
class FailsWhenTwoRefundsAreDecidedAtOnce(Shop):
    """Ends as an internal error when another refund of the order is being decided."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.deciding: Counter[tuple[str, str]] = Counter()

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Give up when there is a version of the order that it did not read."""
        refund = self.store.refund(self.name, self.ident(refund_id, "refundId"))
        order = "" if refund is None else refund.order_id
        self.deciding[order, refund_id] += 1
        time.sleep(WINDOW)
        try:
            if any(other[0] == order and other[1] != refund_id for other in +self.deciding):
                raise Refusal(500, "the order was changed by another transaction")
            return super().review(refund_id, body)
        finally:
            self.deciding[order, refund_id] -= 1


@breaks("RACE-12")
class ReleasesUnitsBeforeItRejects(Shop):
    """Gives the units of an open refund back, and then finds that it was approved meanwhile and cannot be rejected."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.released: set[str] = set()

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Take its time between the look and a rejection."""
        seen = self.store.refund(self.name, self.ident(refund_id, "refundId"))
        if seen is None or not self.is_open(seen) or self.read_action(self.member(body, "action")) != REJECT:
            return super().review(refund_id, body)
        time.sleep(WINDOW)
        now = self.store.refund(self.name, seen.id)
        if now is not None and not self.is_open(now):
            self.released.add(seen.id)
        return super().review(refund_id, body)

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count nothing for what was released."""
        return 0 if refund.id in self.released else super().claimed(refund, line)


class EqualAtOnce(Unguarded):
    """Finds a refund open for each of several reviews; the faults below differ in what the later ones do to it."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Take its time between the check and the write."""
        if not self.is_open(refund):
            return super().decide(refund, action)
        time.sleep(WINDOW)
        with self.store.exclusive():
            now = self.store.refund(self.name, refund.id)
            wanted = COMPLETED if action == APPROVE else CANCELED
            if now is not None and now.status == wanted:
                return self.again(now, action)
            return super().decide(refund if now is None else now, action)

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Decide a refund that an equal review has decided meanwhile."""
        return refund


@breaks("RACE-14")
class BreaksOnEqualReviewsAtOnce(EqualAtOnce):
    """Ends in an internal error when an equal review came first."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Give up."""
        raise Refusal(500, "the refund was changed by another transaction")


@breaks("RACE-14")
class TogglesRejectionsAtOnce(EqualAtOnce):
    """Opens a refund again that two rejections find open."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Turn it over once more."""
        return self.change(refund, INITIATED) if action == REJECT else refund


@breaks("RACE-14")
class PaysEqualApprovalsAtOnce(EqualAtOnce):
    """Makes a record of its own for each approval that finds the refund open."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Store another one."""
        if action == APPROVE:
            self.store.add_refund(evolve(refund, id=self.store.next_id("refund")))
        return refund


@breaks("RACE-15")
class ReleasesUnitsTwiceAtOnce(EqualAtOnce):
    """Gives the units of a refund back for each rejection that finds it open."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.released: Counter[str] = Counter()

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Give them back once more."""
        self.released[refund.id] += action == REJECT
        return refund

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count less than nothing for what was given back too often."""
        own = sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return super().claimed(refund, line) - own * self.released[refund.id]


class EmptiesItsCacheFirst(Shop):
    """Empties a cache before a decision is written, so that a read beside it fills it with what is old by then."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cache: dict[str, list[StoredRefund]] = {}

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Take its time between the two."""
        order = body.get("orderId") if isinstance(body, dict) else None
        self.cache.pop(refund_id, None)
        self.cache.pop(str(order), None)
        time.sleep(2 * WINDOW)
        return super().review(refund_id, body)

    def cached(self, key: str, read: list[StoredRefund]) -> list[StoredRefund]:
        """Return what is in the cache; what was read is there from a moment later on."""
        if key not in self.cache:
            time.sleep(2 * WINDOW)
        return self.cache.setdefault(key, read)


@breaks("RACE-11")
class GetsWhatWasReadMeanwhile(EmptiesItsCacheFirst):
    """Gets an old copy of a refund that was got while it was decided."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Take it from the cache, if it is there."""
        refund = super().get_refund(query)
        return self.cached(refund.id, [refund])[0]


@breaks("RACE-11", also=("LIST-01",))
class ListsWhatWasReadMeanwhile(EmptiesItsCacheFirst):
    """Lists old copies of the refunds of an order that was listed while one of them was decided."""

    def create(self, body: Any) -> StoredRefund:
        """Empty the cache afterwards, which is right."""
        refund = super().create(body)
        self.cache.pop(refund.order_id, None)
        return refund

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Take them from the cache, if they are there."""
        return self.cached(refunds[0].order_id, super().select(refunds)) if refunds else []


@breaks("RACE-08")
class DeadlocksReviewsWithReplays(Shop):
    """Locks the order and then its refund for a replay, and the other way round for a review: each waits for both."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.inside: Counter[str] = Counter()

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Lock the order first."""
        self.meet("review", "replay")
        return super().replay(existing, request)

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Lock the refund first."""
        self.meet("replay", "review")
        return super().review(refund_id, body)

    def meet(self, other: str, mine: str) -> None:
        """Wait for good where the other has one of the locks."""
        self.inside[mine] += 1
        time.sleep(WINDOW)
        stuck = self.inside[other] > 0
        time.sleep(WINDOW)
        self.inside[mine] -= 1
        if stuck:
            self.clock.sleep(TOO_LONG)
