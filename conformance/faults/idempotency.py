"""Servers that do not know a create again when it comes a second time, at once or later."""

import threading
from collections import Counter
from collections.abc import Hashable
from datetime import datetime
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund

ATTEMPTS = 4


class OwnMemory(Shop):
    """Remembers refunds by whatever it makes of a key; the faults below differ in that."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.memory: dict[Hashable, str] = {}
        self.noted = threading.local()

    @property
    def request(self) -> RefundRequest | None:
        """The request that is carried out, since it may matter to what is made of its key."""
        return getattr(self.noted, "request", None)

    def read_request(self, body: Any) -> RefundRequest:
        """Note the request; others may be carried out at the same moment."""
        request = super().read_request(body)
        self.noted.request = request
        return request

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Return what a refund is remembered by."""
        return key

    def recall(self, key: str) -> StoredRefund | None:
        """Look the refund up by the slot of its key."""
        assert self.request is not None  # noqa: S101 - a create is read first
        refund_id = self.memory.get(self.slot(key, self.request))
        return None if refund_id is None else self.store.refund(self.name, refund_id)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Remember the refund under its slot."""
        self.store.add_refund(refund)
        self.memory[self.slot(request.key, request)] = refund.id


@breaks("IDEM-09")
class ForgetsKeys(Shop):
    """Stores the key and never looks it up."""

    def recall(self, key: str) -> StoredRefund | None:
        """Find nothing."""
        return None

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the refund alone."""
        self.store.add_refund(refund)


@breaks("IDEM-09")
class RecordsEveryTry(Shop):
    """Answers a replay with the original, and stores another refund all the same."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Add a second record."""
        self.store.add_refund(self.new_refund(request))
        return existing


@breaks("IDEM-09")
class FailsOnReplays(Shop):
    """Breaks over the unique key of its database at every replay."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Fail as an unhandled error does."""
        raise Refusal(500, "duplicate entry for key requestNo")


@breaks("IDEM-10")
class AnswersTheLatest(Shop):
    """Answers a replay with the latest refund of the order, whichever key it has."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Take the last one."""
        return self.store.refunds_of(self.name, existing.order_id)[-1]


@breaks("IDEM-10")
class AnswersFreshIds(Shop):
    """Answers a replay on an order of several refunds with a new refundId that is nowhere stored."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Number the answer anew when several refunds are there."""
        several = len(self.store.refunds_of(self.name, existing.order_id)) > 1
        return evolve(existing, id=self.store.next_id("refund")) if several else existing


@breaks("IDEM-11")
class TouchesOnLateReplays(Shop):
    """Renews the update time of a refund with a replay, which a clock of pairs of seconds hides at first."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Store it again when its time is seconds old."""
        age = datetime.fromisoformat(self.now()) - datetime.fromisoformat(existing.updated)
        return self.change(existing, existing.status) if age.total_seconds() > 2 else existing


@breaks("IDEM-11")
class TouchesOnReplay(Shop):
    """Renews the update time of a refund when its create is replayed."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Store it again as it is."""
        return self.change(existing, existing.status)


@breaks("IDEM-11")
class ProcessesOnReplay(Shop):
    """Takes a replay of an open refund for the sign to process it."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Complete what is open."""
        return self.change(existing, COMPLETED) if existing.status == INITIATED else existing


@breaks("IDEM-12")
class ReservesOnReplay(Shop):
    """Reserves the units of a request before it finds out that it is a replay, and keeps them reserved."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.reserved: dict[str, int] = {}

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Reserve the units again."""
        for line, units in self.asked(request).items():
            self.reserved[line.id] = self.reserved.get(line.id, 0) + units
        return existing

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Leave out what is reserved."""
        return super().refundable(order, line) - self.reserved.get(line.id, 0)


@breaks("IDEM-12")
class ReservesOnReplaysOfTheRejected(ReservesOnReplay):
    """Reserves the units of a rejected refund again when its create is replayed."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Reserve them."""
        return super().replay(existing, request) if existing.status == CANCELED else existing


class ForgetsSome(OwnMemory):
    """Forgets some refunds; the faults below differ in which."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Say whether a refund is forgotten."""
        return False

    def recall(self, key: str) -> StoredRefund | None:
        """Look up, but for what is forgotten."""
        found = super().recall(key)
        return None if found is None or self.forgotten(found) else found


@breaks("IDEM-19")
class AnswersAnotherOrderWithGhosts(Shop):
    """Answers a key that is used again for another order with a refund that is nowhere stored."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Make up a refund of the other order."""
        return existing if existing.order_id == request.order.id else self.new_refund(request)


@breaks("IDEM-19", also=("IDEM-35",))
class ClosesTheFirstForAnother(Shop):
    """Cancels the first refund of a key when the key is used again for another order."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Cancel what is in the way."""
        return existing if existing.order_id == request.order.id else self.change(existing, CANCELED)


@breaks("IDEM-27", also=("IDEM-24",))
class RemembersTwentyKeys(OwnMemory):
    """Keeps the last twenty keys only."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Drop the oldest key."""
        super().save(refund, request)
        if len(self.memory) > 20:
            del self.memory[next(iter(self.memory))]


@breaks("IDEM-28")
class ForgetsWithinOneMinute(ForgetsSome):
    """Keeps keys for three quarters of a minute."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Forget what is old."""
        return (self.clock.now() - datetime.fromisoformat(refund.created)).total_seconds() > 45


@breaks("IDEM-31", also=("IDEM-13", "IDEM-14", "IDEM-35"))
class ForgetsAfterOneReplay(OwnMemory):
    """Forgets a key once it was replayed."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Drop the key, but for that of the first refund of all."""
        slot = self.slot(request.key, request)
        if slot != next(iter(self.memory)):
            del self.memory[slot]
        return existing


@breaks("IDEM-32")
class RemembersTheLatestOfEachOrder(OwnMemory):
    """Compares a key with the latest one of the order alone."""

    def recall(self, key: str) -> StoredRefund | None:
        """Find only the latest refund of its order."""
        found = super().recall(key)
        if found is None or len(self.store.refunds_of(self.name, found.order_id)) > 3:
            return found
        return found if self.store.refunds_of(self.name, found.order_id)[-1].id == found.id else None


@breaks("IDEM-09")
class ForgetsCapitals(OwnMemory):
    """Never finds a key with capitals again, as it stores them as small letters."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the key in small letters."""
        self.store.add_refund(refund)
        self.memory.setdefault(request.key.lower(), refund.id)


@breaks("IDEM-10")
class AnswersReplaysWithTheirOwnTime(Shop):
    """Answers a replay with the time of the replay as the createTime."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Make the record anew."""
        return evolve(existing, created=self.now(), updated=self.now())


@breaks("IDEM-31")
class CreatesAnewAtTheFifthTime(Shop):
    """Takes the fifth request under a key for a new one, as four attempts are all that its clients make."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.times = Counter[str]()

    def recall(self, key: str) -> StoredRefund | None:
        """Count the attempts."""
        self.times[key] += 1
        return None if self.times[key] > ATTEMPTS else super().recall(key)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store what comes then under a key of its own."""
        again = self.times[request.key] > ATTEMPTS
        super().save(refund, evolve(request, key=f"{request.key} again") if again else request)
