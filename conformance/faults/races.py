"""Servers that are right one after another, and wrong when creates or reads come at once."""

import contextlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import Shop, Token
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund

WINDOW = 0.03
"""Seconds between a check and its write: long enough for the requests of a burst to meet in it."""


class Unguarded(Shop):
    """A shop that creates one refund at a time, and in whose reviews looking and acting are two steps."""

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let everybody in."""
        yield

    def create(self, body: Any) -> StoredRefund:
        """Create one at a time."""
        with self.store.exclusive():
            return super().create(body)


@breaks("RACE-01")
class CreatesTwiceAtOnce(Shop):
    """Looks a key up, and stores it later, so that equal requests in between all create."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen = threading.local()

    def create(self, body: Any) -> StoredRefund:
        """Look the key up before waiting for its turn."""
        self.seen.existing = super().recall(self.read_request(body).key)
        time.sleep(WINDOW)
        return super().create(body)

    def recall(self, key: str) -> StoredRefund | None:
        """Believe what was seen before."""
        existing: StoredRefund | None = self.seen.existing
        return existing

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Keep the first refund of a key as the one that it names."""
        self.store.add_refund(refund)
        if self.store.recall(self.name, request.key) is None:
            self.store.remember(self.name, request.key, refund.id)


@breaks("RACE-01")
class CreatesTwiceAtOnceForTwoTokens(CreatesTwiceAtOnce):
    """Lets equal requests of one token wait for each other, and not those of two."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turns: defaultdict[frozenset[str], threading.Lock] = defaultdict(threading.Lock)

    def authorise(self, token: Token, operation: str) -> None:
        """Note whose request it is."""
        self.seen.scopes = token.scopes
        super().authorise(token, operation)

    def create(self, body: Any) -> StoredRefund:
        """Wait for those of the same token."""
        with self.turns[self.seen.scopes]:
            return super().create(body)


@breaks("RACE-02")
class AnswersWithUnstoredRefundsAtOnce(CreatesTwiceAtOnce):
    """Stores one of several equal requests, and answers each with a refund of its own."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the first only."""
        if self.store.recall(self.name, request.key) is None:
            super().save(refund, request)


@breaks("RACE-03")
class ForgetsKeysThatWereContended(Shop):
    """Drops a key once several requests have come under it at the same moment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: Counter[str] = Counter()
        self.contended: set[str] = set()
        self.dropped: set[str] = set()

    def create(self, body: Any) -> StoredRefund:
        """Notice who comes at the same moment."""
        key = self.read_request(body).key
        self.waiting[key] += 1
        time.sleep(WINDOW / 3)
        if self.waiting[key] > 1:
            self.contended.add(key)
        try:
            return super().create(body)
        finally:
            self.waiting[key] -= 1
            if not self.waiting[key] and key in self.contended:
                self.dropped.add(key)

    def recall(self, key: str) -> StoredRefund | None:
        """Return nothing for a key that was dropped."""
        return None if key in self.dropped else super().recall(key)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the refund, whether the key is taken or not."""
        with self.store.exclusive():
            self.store.add_refund(refund)
            if self.store.recall(self.name, request.key) is None:
                self.store.remember(self.name, request.key, refund.id)


@breaks("RACE-04")
class OverRefundsAtOnce(Shop):
    """Counts what is left, and uses it up later, so that requests in between all find enough."""

    def create(self, body: Any) -> StoredRefund:
        """Count before waiting for its turn."""
        request = self.read_request(body)
        if self.recall(request.key) is None:
            super().check_refundable(request)
            time.sleep(WINDOW)
        return super().create(body)

    def check_refundable(self, request: RefundRequest) -> None:
        """Believe what was counted before."""


@breaks("RACE-09")
class CreatesTwiceAtOnceWhenContentsDiffer(CreatesTwiceAtOnce):
    """Waits for an equal request, but not for a different one under the same key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.running: dict[tuple[str, int], threading.Lock] = {}

    def create(self, body: Any) -> StoredRefund:
        """Let equal requests in one by one."""
        request = self.read_request(body)
        lock = self.running.setdefault((request.key, request.lines[0].quantity), threading.Lock())
        with lock:
            return super().create(body)


@breaks("RACE-07", also=("RECORD-67",))
class NumbersAlikeAtOnce(Shop):
    """Takes the next number for a refund, and counts up later, so that creates in between get the same one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inside: Counter[str] = Counter()
        self.shared: str | None = None

    def create(self, body: Any) -> StoredRefund:
        """Notice for which orders creates come at the same moment."""
        order = self.read_request(body).order.id
        self.inside[order] += 1
        time.sleep(WINDOW / 3)
        try:
            return super().create(body)
        finally:
            self.inside[order] -= 1
            self.shared = self.shared if self.inside.total() else None

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Give the number that another order's refund just got."""
        refund = super().new_refund(request)
        if len(+self.inside) > 1:
            self.shared = self.shared or refund.id
        return evolve(refund, id=self.shared or refund.id)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Keep the first refund of a number."""
        if self.store.refund(self.name, refund.id) is None:
            super().save(refund, request)


@breaks("RACE-10")
class KeepsTheLastOfSeveralAtOnce(Shop):
    """Writes the refunds of an order back as it read them, with its own, so that what came in between is lost."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lost: set[str] = set()

    def create(self, body: Any) -> StoredRefund:
        """Take its time between the reading and the writing."""
        order = self.read_request(body).order
        before = {refund.id for refund in self.store.refunds_of(self.name, order.id)}
        time.sleep(WINDOW / 3)
        with self.store.exclusive():
            refund = super().create(body)
            there = {other.id for other in self.store.refunds_of(self.name, order.id)}
            self.lost |= there - before - {refund.id}
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


@breaks("RACE-07")
class LosesCreatesOfSeveralOrdersAtOnce(KeepsTheLastOfSeveralAtOnce):
    """Answers creates for several orders that come at the same moment, and writes none of them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.inside: Counter[str] = Counter()

    def create(self, body: Any) -> StoredRefund:
        """Notice for which orders creates come at the same moment."""
        order = self.read_request(body).order.id
        self.inside[order] += 1
        time.sleep(WINDOW / 3)
        several = len(+self.inside) > 1
        try:
            refund = Shop.create(self, body)
        finally:
            self.inside[order] -= 1
        self.lost |= {refund.id} if several else set()
        return refund


@breaks("RACE-06")
class MixesUpReadsAtOnce(Shop):
    """Keeps the refund to be answered in a place that all requests share."""

    current: StoredRefund | None = None

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Answer with whatever is in that place by then."""
        self.current = super().get_refund(query)
        time.sleep(WINDOW / 3)
        return self.current


@breaks("RACE-06")
class MixesUpListsAtOnce(Shop):
    """Keeps the order to be listed in a place that all requests share."""

    current: str = ""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """List whichever order is in that place by then."""
        self.current = order_id
        time.sleep(WINDOW / 3)
        return super().list_refunds(self.current, query)


@breaks("RACE-07")
class MixesUpCreatesAtOnce(Shop):
    """Keeps the quantities asked for in a place that all requests share."""

    units: int = 0

    def read_request(self, body: Any) -> RefundRequest:
        """Take whatever number of units is in that place by then, when the requests are for different orders."""
        request = super().read_request(body)
        if len(request.lines) > 1 or len({order for order, _ in self.entering(request)}) == 1:
            return request
        lines = tuple(evolve(line, quantity=self.units) for line in request.lines)
        return evolve(request, lines=lines)

    inside: tuple[tuple[str, str], ...] = ()

    def entering(self, request: RefundRequest) -> tuple[tuple[str, str], ...]:
        """Return the orders whose requests are being read at this moment."""
        mine = (request.order.id, request.key)
        self.units, self.inside = request.lines[0].quantity, (*self.inside, mine)
        time.sleep(WINDOW / 3)
        seen = self.inside
        self.inside = tuple(other for other in self.inside if other != mine)
        return seen


@breaks("RACE-08", also=("RACE-05", "RACE-14"))
class FailsWhenTheDatabaseIsBusy(Shop):
    """Ends as an internal error when another request holds the lock."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = threading.Lock()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Give up at once."""
        if not self.held.acquire(blocking=False):
            raise TimeoutError("database is locked")
        try:
            with super().exclusive():
                time.sleep(WINDOW)
                yield
        finally:
            self.held.release()


@breaks("RACE-08")
class FailsOnOrdersAtOnce(Shop):
    """Lets the creates of an order wait for each other, and fails when another order has one at that moment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.creating: Counter[str] = Counter()

    def create(self, body: Any) -> StoredRefund:
        """Give up when another order holds the table."""
        order = self.read_request(body).order.id
        self.creating[order] += 1
        time.sleep(WINDOW)
        try:
            if any(other != order for other in +self.creating):
                raise Refusal(500, "deadlock detected")
            return super().create(body)
        finally:
            self.creating[order] -= 1


@breaks("RACE-07", also=("RACE-01", "RACE-02", "RACE-09", "RACE-13"))
class WritesOneIndexOfKeys(Shop):
    """Reads its index of keys before a create and writes it afterwards, so that of several the last one counts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.index: frozenset[str] = frozenset()

    def create(self, body: Any) -> StoredRefund:
        """Take its time between the two."""
        key, index = self.read_request(body).key, self.index
        time.sleep(WINDOW)
        refund = super().create(body)
        # A create of one unit writes before the others of its burst: which key is lost is not left to chance.
        time.sleep(WINDOW * (self.read_request(body).lines[0].quantity != 1))
        self.index = index | {key}
        return refund

    def recall(self, key: str) -> StoredRefund | None:
        """Find what is in the index."""
        return super().recall(key) if key in self.index else None

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the refund, whether the key is taken or not."""
        with self.store.exclusive():
            self.store.add_refund(refund)
            if self.store.recall(self.name, request.key) is None:
                self.store.remember(self.name, request.key, refund.id)


@breaks("RACE-13")
class LeavesUnitsReservedAtOnce(Shop):
    """Reserves the units of each create whose key it finds free, and keeps them when the key turns out to be taken."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.reserved: Counter[str] = Counter()

    def create(self, body: Any) -> StoredRefund:
        """Take its time between the reserving and the creating."""
        request = self.read_request(body)
        free = self.recall(request.key) is None
        time.sleep(WINDOW if free else 0)
        with self.exclusive():
            if free and self.recall(request.key) is not None:
                self.reserved.update({line.id: units for line, units in self.asked(request).items()})
            return super().create(body)

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Count what is reserved, too."""
        return super().refundable(order, line) - self.reserved[line.id]
