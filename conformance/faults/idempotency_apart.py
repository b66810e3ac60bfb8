"""Servers that take different keys for one, or have no use for a key of a certain form."""

import contextlib
import functools
import re
import uuid
from collections.abc import Hashable
from typing import Any
from urllib.parse import unquote_plus

from conformance.faults import breaks
from conformance.faults.idempotency import OwnMemory
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import COMPLETED, Shop
from conformance.reference.store import StoredRefund


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


@breaks("IDEM-20")
class TakesEqualBodiesForThoseCompleted(TakesEqualBodiesForReplays):
    """Takes a create that asks for what a completed refund was of for its replay."""

    def recall(self, key: str) -> StoredRefund | None:
        """Find a refund by its key, or else by its content if it is completed."""
        found = super().recall(key)
        by_key = OwnMemory.recall(self, key)
        return found if by_key is not None or (found is not None and found.status == COMPLETED) else None


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


@breaks("IDEM-21")
class ComparesBothEndsOfKeys(OwnMemory):
    """Compares the first twelve and the last eight characters of a key, which is what its log shows of one."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Leave the middle out."""
        return key[:12], key[-8:]


@breaks("IDEM-23")
class ComparesTheEndsOfKeys(OwnMemory):
    """Compares keys from the fifth character on, after what it takes for a prefix."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Cut the beginning off."""
        return key[4:]


@breaks("IDEM-22")
class UnquotesKeys(OwnMemory):
    """Reads keys as addresses write them: a plus is a blank."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Read it."""
        return unquote_plus(key)


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


@breaks("IDEM-23")
class ComparesPowersOfTen(OwnMemory):
    """Compares keys that read as numbers as such, as its language does, and zero times any power of ten is zero."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Multiply."""
        return float(key) if re.fullmatch(r"\d+e\d+", key) else key


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
class TakesKeysOfDigitsForNumbers(Shop):
    """Takes a key of digits for a number, and refuses it as one that is out of range."""

    def read_key(self, value: Any) -> str:
        """Fit it into a column of 36 digits."""
        key = super().read_key(value)
        if key.isdecimal() and len(key) > 36:
            raise Refusal(400, "requestNo is out of range")
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
class AnswersKeysOfEarlyReturnsWithGhosts(Shop):
    """Burns the key of a return that comes before shipment, and answers it with a refund that is nowhere stored."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.burnt: dict[str, StoredRefund] = {}

    def check_shipped(self, request: RefundRequest) -> None:
        """Note what is refused."""
        try:
            super().check_shipped(request)
        except Refusal:
            self.burnt[request.key] = self.new_refund(request)
            raise

    def create(self, body: Any) -> StoredRefund:
        """Answer what was noted, once the order is shipped."""
        request = self.read_request(body)
        ghost = self.burnt.get(request.key) if request.order.shipped else None
        return ghost or super().create(body)


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


@breaks("IDEM-21", also=("IDEM-22", "IDEM-23"))
class ComparesTwentyCharacters(OwnMemory):
    """Compares the first twenty characters of a key, which is what its column holds."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Cut the key off."""
        return key[:20]


@breaks("IDEM-22")
class LooksKeysUpAsPatterns(OwnMemory):
    """Looks keys up with LIKE, to which an underscore in the new one stands for any character."""

    def recall(self, key: str) -> StoredRefund | None:
        """Compare each known key with the pattern."""
        pattern = re.escape(key).replace("_", ".")
        found = next((refund_id for known, refund_id in self.memory.items() if re.fullmatch(pattern, str(known))), None)
        return None if found is None else self.store.refund(self.name, found)


@breaks("IDEM-22")
class CleansKeysUp(OwnMemory):
    """Compares keys by their letters and digits, hyphens and underscores, as an address would have them."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Drop all else."""
        return re.sub(r"[^\w-]", "", key)


@breaks("IDEM-22")
class CutsKeysAtColons(OwnMemory):
    """Takes what follows a colon in a key for something else."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Cut it off."""
        return key.partition(":")[0]


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
