"""Servers that take keys of a wrong length or type, or refuse keys that they should take."""

import secrets
from typing import Any

from conformance.faults import breaks
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund


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


@breaks("IDEM-29")
class TakesNumbersForKeys(Shop):
    """Takes a JSON number for a key, and looks at the length of texts alone."""

    def read_key(self, value: Any) -> str:
        """Write the number out."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else super().read_key(value)


@breaks("IDEM-29")
class CountsTheMembersOfKeys(Shop):
    """Asks a key for its length, which a list has, too, and writes it out."""

    def read_key(self, value: Any) -> str:
        """Take a list for what it would be as text."""
        if isinstance(value, list) and self.shortest_key() <= len(value) <= self.longest_key():
            return ",".join(map(str, value))
        return super().read_key(value)
