"""Servers that get the request number wrong."""

import contextlib
import functools
import re
import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.app import App
from conformance.reference.rules import (
    CANCELED,
    COMPLETED,
    IN_PROCESS,
    INITIATED,
    REFUND,
    RefundRequest,
    Refusal,
    Shop,
    Token,
)
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


# The length of a key.


@breaks("IDEM-01")
class TakesKeysOf19(Shop):
    """Takes a key that is one character too short."""

    def shortest_key(self) -> int:
        """Miss the limit by one."""
        return 19


@breaks("IDEM-01")
class RefusesShortKeysTooLate(Shop):
    """Refuses a key that is one character too short, when the refund is already stored."""

    def shortest_key(self) -> int:
        """Let it through at first."""
        return 19

    def create(self, body: Any) -> StoredRefund:
        """Store first, and then look at the key."""
        refund = super().create(body)
        if len(body["refund"]["requestNo"]) < 20:
            raise Refusal(400, "requestNo must have 20 to 50 characters")
        return refund


@breaks("IDEM-02")
class RefusesKeysOf20(Shop):
    """Refuses the shortest key that is allowed."""

    def shortest_key(self) -> int:
        """Miss the limit by one."""
        return 21


@breaks("IDEM-03")
class RefusesKeysOf50(Shop):
    """Refuses the longest key that is allowed."""

    def longest_key(self) -> int:
        """Miss the limit by one."""
        return 49


@breaks("IDEM-04")
class TakesKeysOf51(Shop):
    """Takes a key that is one character too long."""

    def longest_key(self) -> int:
        """Miss the limit by one."""
        return 51


@breaks("IDEM-04")
class CutsKeysAt50(Shop):
    """Cuts off what a key has beyond 50 characters, up to the 64 that its column holds."""

    def read_key(self, value: Any) -> str:
        """Cut the key to its legal length."""
        cut = value[:50] if isinstance(value, str) and len(value) <= 64 else value
        return super().read_key(cut)


@breaks("IDEM-05")
class TakesKeysOfOneCharacter(Shop):
    """Takes tiny keys; only those just below the limit are refused."""

    def key_length(self, key: str) -> int:
        """Take less than five characters for enough."""
        return 20 if 0 < len(key) < 5 else len(key)


@breaks("IDEM-06")
class TakesKeysOfAnyLength(Shop):
    """Takes keys that are far too long; only those just above the limit are refused."""

    def key_length(self, key: str) -> int:
        """Take hundreds of characters for fifty."""
        return 50 if len(key) > 100 else len(key)


@breaks("IDEM-07")
class CountsBytes(Shop):
    """Counts the bytes of a key and not its characters."""

    def key_length(self, key: str) -> int:
        """Count the encoded text."""
        return len(key.encode())


@breaks("IDEM-08")
class MakesUpMissingKeys(Shop):
    """Makes up a key where the request has none."""

    def read_request(self, body: Any) -> RefundRequest:
        """Fill in a random key."""
        refund = body.get("refund") if isinstance(body, dict) else None
        if isinstance(refund, dict) and refund.get("requestNo") is None:
            body = {"refund": {**refund, "requestNo": secrets.token_hex(16)}}
        return super().read_request(body)


@breaks("IDEM-08")
class TakesEmptyKeys(Shop):
    """Takes an empty key, as its length is checked only where there is one."""

    def key_length(self, key: str) -> int:
        """Let the empty text pass."""
        return len(key) or 20


@breaks("IDEM-29")
class TurnsKeysIntoText(Shop):
    """Takes a key of any JSON type and works with its text."""

    def read_key(self, value: Any) -> str:
        """Convert before looking."""
        return super().read_key(str(value))


# A create sent again.


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


class ForgetsSome(OwnMemory):
    """Forgets some refunds; the faults below differ in which."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Say whether a refund is forgotten."""
        return False

    def recall(self, key: str) -> StoredRefund | None:
        """Look up, but for what is forgotten."""
        found = super().recall(key)
        return None if found is None or self.forgotten(found) else found


@breaks("IDEM-13")
class PaysAgainAfterApproval(ForgetsSome):
    """Keeps keys only while their refunds are open, so that a late retry after an approval makes a new refund."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Forget what is completed, but for the one that was completed first."""
        first = next(iter(self.memory.values()))
        return refund.status == COMPLETED and refund.id != first


@breaks("IDEM-13", also=("REVIEW-30",))
class ReopensOnReplay(Shop):
    """Brings an approved refund back to the start when its create is replayed."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Write the first status again."""
        return self.change(existing, INITIATED) if existing.status == COMPLETED else existing


@breaks("IDEM-14")
class CreatesAnewAfterRejection(ForgetsSome):
    """Makes a new refund when the create of a rejected one is replayed."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Forget what is canceled."""
        return refund.status == CANCELED


@breaks("IDEM-14")
class RevivesOnReplay(Shop):
    """Opens a rejected refund again when its create is replayed."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Write the first status again."""
        return self.change(existing, INITIATED) if existing.status == CANCELED else existing


@breaks("IDEM-15")
class TiesKeysToConnections(App):
    """Keeps keys with the connection that they came over, so that a request that closes its own finds none."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Start with an empty memory where no connection is kept."""
        if request.headers.get("Connection") == "close":
            shop = OwnMemory(shop.name, shop.store, shop.tokens, shop.clock)
        return super().operate(shop, operation, values, request)


@breaks("IDEM-16")
class ComparesTheOrderOfMembers(OwnMemory):
    """Knows a request by the text of its body, so that reordered members make it another one."""

    def read_request(self, body: Any) -> RefundRequest:
        """Note which member comes first."""
        refund = self.member(body, "refund")
        self.first = next(iter(refund), "") if isinstance(refund, dict) else ""
        return super().read_request(body)

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the first member to the key."""
        return key, self.first


@breaks("IDEM-17")
class PaysOtherQuantitiesUnderOneKey(OwnMemory):
    """Knows a request by its key and its units, so that other units make another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the units to the key."""
        return key, sum(part.quantity for part in request.lines)


@breaks("IDEM-17")
class PaysTheDifferenceUnderOneKey(OwnMemory):
    """Makes another refund when a key is used again for more units than before."""

    def recall(self, key: str) -> StoredRefund | None:
        """Find only what has as many units, or more."""
        found = super().recall(key)
        if found is None or self.request is None or self.request.order.id != found.order_id:
            return found
        units = sum(line.quantity for line in found.lines)
        return found if units >= sum(part.quantity for part in self.request.lines) else None


@breaks("IDEM-17")
class AnswersWhatIsAsked(Shop):
    """Answers a replay with the original's id and the units and the amount that the replay asks for."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Make up the answer from the request, if it is of the same lines."""
        made_up = self.new_refund(request)
        if [part.line for part in made_up.lines] != [part.line for part in existing.lines]:
            return existing
        return evolve(existing, lines=made_up.lines, amount=made_up.amount)


@breaks("IDEM-18")
class PaysOtherLinesUnderOneKey(OwnMemory):
    """Knows a request by its key and its lines, so that another line makes another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the lines to the key."""
        return key, request.order.id, tuple(request.order.lines.index(part.line) for part in request.lines)


@breaks("IDEM-19")
class AnswersAnotherOrderWithGhosts(Shop):
    """Answers a key that is used again for another order with a refund that is nowhere stored."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Make up a refund of the other order."""
        return existing if existing.order_id == request.order.id else self.new_refund(request)


@breaks("IDEM-19")
class ClosesTheFirstForAnother(Shop):
    """Cancels the first refund of a key when the key is used again for another order."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Cancel what is in the way."""
        return existing if existing.order_id == request.order.id else self.change(existing, CANCELED)


@breaks("IDEM-26")
class TiesKeysToTokens(OwnMemory):
    """Keeps the keys of each token apart."""

    holder = ""

    def authorise(self, token: Token, operation: str) -> None:
        """Note who is calling."""
        super().authorise(token, operation)
        self.holder = token.value

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the token to the key."""
        return key, self.holder


@breaks("IDEM-27")
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


@breaks("IDEM-30")
class ComparesTheFormOfNumbers(OwnMemory):
    """Knows a request by the bytes of its values, so that a number and its text are two requests."""

    def read_lines(self, value: Any, order: StoredOrder) -> Any:
        """Note the form of the first quantity."""
        lines = super().read_lines(value, order)
        self.form = type(value[0]["quantity"])
        return lines

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the form to the key."""
        return key, self.form


@breaks("IDEM-31", also=("IDEM-13", "IDEM-14"))
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


@breaks("IDEM-33")
class PaysOtherTypesUnderOneKey(OwnMemory):
    """Knows a request by its key and its type, so that another type makes another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the type to the key."""
        return key, request.rights_type


@breaks("IDEM-33")
class PaysOtherReasonsUnderOneKey(OwnMemory):
    """Knows a request by its key and its reasons, so that another reason makes another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the reasons to the key."""
        return key, tuple(part.reason for part in request.lines)


@breaks("IDEM-33")
class TakesTheParcelOfReplays(Shop):
    """Keeps the logistics information of a replay in place of that of the refund."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.parcels: dict[str, dict[str, str]] = {}

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Take over what it is sent with."""
        if request.shipping:
            self.parcels[existing.id] = request.shipping
        return self.with_parcel(existing)

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """List each with the parcel that came last."""
        return [self.with_parcel(refund) for refund in super().select(refunds)]

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Find it with the parcel that came last."""
        return self.with_parcel(super().find_refund(order, refund_id))

    def with_parcel(self, refund: StoredRefund) -> StoredRefund:
        """Return the refund with the parcel that came last."""
        return evolve(refund, shipping=self.parcels.get(refund.id, refund.shipping))


# Keys that are different.


@breaks("IDEM-20", also=("CREATE-21", "CREATE-26", "CREATE-38", "CREATE-41"))
class TakesEqualBodiesForReplays(OwnMemory):
    """Recognises duplicates by what they ask for, too, and not by their keys alone."""

    def content(self, request: RefundRequest) -> Hashable:
        """Return all that a request says but its key."""
        return request.order.id, request.rights_type, request.lines, tuple(request.shipping.items())

    def recall(self, key: str) -> StoredRefund | None:
        """Find a refund by its key, or else by its content."""
        assert self.request is not None  # noqa: S101 - a create is read first
        alike = self.memory.get(self.content(self.request))
        return super().recall(key) or (None if alike is None else self.store.refund(self.name, alike))

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Remember the content with the key."""
        super().save(refund, request)
        self.memory[self.content(request)] = refund.id


@breaks("IDEM-21")
class ComparesFortyCharacters(OwnMemory):
    """Compares the first forty characters of a key."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Cut the key off."""
        return key[:40]


@breaks("IDEM-25", also=("SHIP-01",))
class BreaksOnRefusedKeys(Shop):
    """Stores a key before it looks at the units, and breaks when the key comes again and no refund has it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.taken: set[str] = set()

    def recall(self, key: str) -> StoredRefund | None:
        """Insert the key where no refund has it."""
        existing = super().recall(key)
        if existing is None and key in self.taken:
            raise Refusal(500, "duplicate key value violates unique constraint")
        self.taken.add(key)
        return existing


@breaks("IDEM-21")
class ComparesHashes(OwnMemory):
    """Compares hashes of 32 bits, as Java makes them of texts."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Return the hash."""
        return functools.reduce(lambda hashed, letter: (31 * hashed + ord(letter)) % 2**32, key, 0)


@breaks("IDEM-22")
class FoldsTheCaseOfKeys(OwnMemory):
    """Compares keys without regard to case."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Fold the case."""
        return key.casefold()


@breaks("IDEM-22")
class ReadsKeysAsUuids(OwnMemory):
    """Keeps a key that can be read as a UUID as the UUID that it is, whatever its case and hyphens."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Read it."""
        with contextlib.suppress(ValueError):
            return uuid.UUID(key)
        return key


@breaks("IDEM-23")
class ComparesDigitsAsFloats(OwnMemory):
    """Reads a key of digits as a floating-point number."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Round the digits."""
        return float(key) if key.isdecimal() else key


@breaks("IDEM-23")
class DropsLeadingZeros(OwnMemory):
    """Reads a key of digits as a whole number."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Lose the zeros in front."""
        return int(key) if key.isdecimal() else key


@breaks("IDEM-24")
class RefusesHyphens(Shop):
    """Takes only letters and digits in a key, so that no UUID is accepted."""

    def read_key(self, value: Any) -> str:
        """Refuse any other character."""
        key = super().read_key(value)
        if "-" in key:
            raise Refusal(400, "requestNo must be alphanumeric")
        return key


@breaks("IDEM-24")
class ForgetsKeysOfDigits(OwnMemory):
    """Never finds a key of digits again, as it stores them as numbers and looks for texts."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store what is a number as one."""
        self.store.add_refund(refund)
        self.memory[int(request.key) if request.key.isdecimal() else request.key] = refund.id


@breaks("IDEM-24", also=("IDEM-22",))
class ForgetsHyphenated(OwnMemory):
    """Never finds a key with hyphens again, as it stores them without."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the key without hyphens."""
        self.store.add_refund(refund)
        self.memory[request.key.replace("-", "")] = refund.id


@breaks("IDEM-25")
class AnswersRefusedKeysWithGhosts(Shop):
    """Burns the key of a refused create, and then answers it with a refund that is nowhere stored."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.burnt: set[str] = set()

    def check_refundable(self, request: RefundRequest) -> None:
        """Note the key before looking at the units."""
        try:
            super().check_refundable(request)
        finally:
            self.burnt.add(request.key)

    def create(self, body: Any) -> StoredRefund:
        """Take a noted key for that of a replay."""
        request = self.read_request(body)
        ghost = request.key in self.burnt and self.recall(request.key) is None
        return self.new_refund(request) if ghost else super().create(body)


@breaks("IDEM-25")
class AnswersTheRefusedAsDone(Shop):
    """Answers the repetition of a refused create with an acceptance that has no refund behind it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refused: dict[str, StoredRefund] = {}

    def check_refundable(self, request: RefundRequest) -> None:
        """Note what is refused."""
        try:
            super().check_refundable(request)
        except Refusal:
            self.refused[request.key] = self.new_refund(request)
            raise

    def create(self, body: Any) -> StoredRefund:
        """Answer what was noted, if it is asked for again as it was."""
        request = self.read_request(body)
        noted = self.refused.get(request.key)
        same = noted is not None and noted.lines == self.new_refund(request).lines
        return noted if same and noted is not None else super().create(body)


@breaks("IDEM-34")
class ForgetsKeysOfSeveralLines(OwnMemory):
    """Remembers the key of a refund of one line only."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Forget the others."""
        return key if len(request.lines) == 1 else object()


@breaks("IDEM-34")
class ForgetsKeysOfParcels(ForgetsSome):
    """Forgets the key of a refund with logistics information, which is stored in another way."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Forget what has a parcel."""
        return bool(refund.shipping)


@breaks("IDEM-09")
class ForgetsCapitals(OwnMemory):
    """Never finds a key with capitals again, as it stores them as small letters."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the key in small letters."""
        self.store.add_refund(refund)
        self.memory.setdefault(request.key.lower(), refund.id)


@breaks("IDEM-14")
class AnswersReplaysInProcess(Shop):
    """Answers the replay of a rejected refund as if it were in process, which it never was."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Answer for whatever is no longer open."""
        return evolve(existing, status=IN_PROCESS) if existing.status == CANCELED else existing


@breaks("IDEM-10")
class AnswersReplaysWithTheirOwnTime(Shop):
    """Answers a replay with the time of the replay as the createTime."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Make the record anew."""
        return evolve(existing, created=self.now(), updated=self.now())


@breaks("IDEM-29")
class TakesNumbersForKeys(Shop):
    """Takes a JSON number for a key, and looks at the length of texts alone."""

    def read_key(self, value: Any) -> str:
        """Write the number out."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else super().read_key(value)


@breaks("IDEM-21", also=("IDEM-23",))
class ComparesTwentyCharacters(OwnMemory):
    """Compares the first twenty characters of a key, which is what its column holds."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Cut the key off."""
        return key[:20]


@breaks("IDEM-34", also=("IDEM-33",))
class ForgetsKeysWithoutCustomer(Shop):
    """Has a unique index on customer and key, in which no two rows without a customer are the same."""

    def read_request(self, body: Any) -> RefundRequest:
        """Remember a create that names no customer under a key of its own."""
        request = super().read_request(body)
        return request if "customerId" in body["refund"] else evolve(request, key=f"{request.key} {uuid.uuid4()}")


@breaks("IDEM-22")
class LooksKeysUpAsPatterns(OwnMemory):
    """Looks keys up with LIKE, to which an underscore in the new one stands for any character."""

    def recall(self, key: str) -> StoredRefund | None:
        """Compare each known key with the pattern."""
        pattern = re.escape(key).replace("_", ".")
        found = next((refund_id for known, refund_id in self.memory.items() if re.fullmatch(pattern, str(known))), None)
        return None if found is None else self.store.refund(self.name, found)


class ForgetsSomeKeys(OwnMemory):
    """Forgets the keys of some refunds, whose creates then make another."""

    def is_forgotten(self, refund: StoredRefund) -> bool:
        """Say whether the key of a refund is not known any more."""
        raise NotImplementedError

    def recall(self, key: str) -> StoredRefund | None:
        """Find the others."""
        refund = super().recall(key)
        return None if refund is not None and self.is_forgotten(refund) else refund


@breaks("IDEM-13")
class ForgetsKeysOfWholeOrders(ForgetsSomeKeys):
    """Closes an order of which all was refunded, and forgets its keys with it; a canceled one is open again."""

    def is_forgotten(self, refund: StoredRefund) -> bool:
        """Compare what was refunded with what was ordered."""
        order = self.find_order(refund.order_id)
        whole = sum(line.quantity for line in refund.lines) == sum(line.quantity for line in order.lines)
        return refund.status == COMPLETED and whole

    def check_refundable(self, request: RefundRequest) -> None:
        """Count nothing of an order that it closed."""
        known = self.recall_any(request)
        if not (known and self.is_forgotten(known)):
            super().check_refundable(request)

    def recall_any(self, request: RefundRequest) -> StoredRefund | None:
        """Return the refund that the key had."""
        return OwnMemory.recall(self, request.key)


@breaks("IDEM-13")
class ForgetsApprovedKeysWithoutReturn(ForgetsSomeKeys):
    """Is done with a refund without return when it is approved, and forgets its key."""

    def is_forgotten(self, refund: StoredRefund) -> bool:
        """Ask for type and status."""
        return refund.status == COMPLETED and refund.rights_type == REFUND


@breaks("IDEM-14")
class ForgetsRejectedKeysOfSeveralLines(ForgetsSomeKeys):
    """Deletes the lines of a refund that is rejected one by one, and its key with the second."""

    def is_forgotten(self, refund: StoredRefund) -> bool:
        """Count the lines."""
        return refund.status == CANCELED and len(refund.lines) > 1


@breaks("IDEM-22")
class RefusesKeysOfOtherCase(Shop):
    """Has a unique index on keys that knows no case, and takes what violates it for a conflict."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.index: set[str] = set()

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Refuse a key that is there in another case."""
        if request.key.lower() in self.index:
            raise Refusal(409, "there is such a requestNo")
        super().save(refund, request)
        self.index.add(request.key.lower())


@breaks("IDEM-13")
class FreesUnitsOnLateReplays(Shop):
    """Takes an approved refund whose create comes again for one that is over, and counts its units no more."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.over: set[str] = set()

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Note it."""
        if existing.status == COMPLETED:
            self.over.add(existing.id)
        return super().replay(existing, request)

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Leave it out."""
        return 0 if refund.id in self.over else super().claimed(refund, line)


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
