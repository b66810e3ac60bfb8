"""Servers that break on creates and reviews with one odd thing, or do something else than they say."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from conformance.faults import breaks
from conformance.faults.robustness import REVIEW, TOO_LONG, Breaking, Mending
from conformance.reference.app import App
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund

COLUMN = 255
"""Characters that a column of a database holds."""


@breaks("ROBUST-07")
class BreaksOnByteOrderMarks(Breaking):
    """Fails on a byte order mark in front of a review."""

    method = REVIEW

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on the mark."""
        return content.startswith(b"\xef\xbb\xbf")


@breaks("ROBUST-07")
class BreaksOnBrokenText(Breaking):
    """Decodes reasons where nothing catches the error."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on a byte that UTF-8 does not have."""
        return b"\xff" in content


@breaks("ROBUST-07")
class BreaksOnHalfCharacters(Breaking):
    """Fails to store a lone surrogate."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on an escape of half a character."""
        return rb'\ud83d"' in content


@breaks("ROBUST-07")
class RefusesMarkedBodiesButCreates(App):
    """Answers a create with a byte order mark with 400, but creates."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Create from what follows the mark, then refuse."""
        if operation == "create" and request.get_data().startswith(b"\xef\xbb\xbf"):
            shop.create(json.loads(request.get_data()[3:]))
        return super().operate(shop, operation, values, request)


class Forgetting(Shop):
    """A shop that answers some creates without storing anything."""

    def forgets(self, request: RefundRequest) -> bool:
        """Say whether a refund is not stored."""
        raise NotImplementedError

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the others."""
        if not self.forgets(request):
            super().save(refund, request)


@breaks("ROBUST-08")
class ForgetsRefundsWithEmoji(Forgetting):
    """Accepts a reason that its database cannot store, and stores nothing."""

    def forgets(self, request: RefundRequest) -> bool:
        """Forget what is beyond the basic plane."""
        return any(ord(character) > 0xFFFF for line in request.lines for character in line.reason)


@breaks("ROBUST-08")
class BreaksOnNul(Breaking):
    """Fails to store a NUL."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on NUL in the reason."""
        return rb"before\u0000" in content


@breaks("ROBUST-08")
class BreaksOnPercentInKeys(Breaking):
    """Takes a percent sign in a key for a place to be filled, and fails to fill it."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on the sign in the key."""
        return re.search(rb'"requestNo": "[^"]*%', content) is not None


@breaks("ROBUST-12")
class BreaksOnEmptyReasons(Breaking):
    """Fails where a reason is empty."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on it."""
        return b'"rightsReason": ""' in content


@breaks("ROBUST-12")
class BreaksOnCustomersThatAreNoNumber(Breaking):
    """Fails to make a number of a customer's id."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on letters."""
        return b'"customerId": "n/a"' in content


@breaks("ROBUST-08")
class BreaksOnNulInKeys(Breaking):
    """Fails to store a NUL in a key."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on NUL in the key."""
        return re.search(rb'"requestNo": "[^"]*\\u0000', content) is not None


@breaks("ROBUST-08")
class BreaksOnEmojiInKeys(Breaking):
    """Lets the error of an index that holds three bytes a character end as 500."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on what is beyond the basic plane in the key."""
        key = re.search(rb'"requestNo": "([^"]*)"', content)
        return key is not None and any(ord(character) > 0xFFFF for character in key[1].decode("utf-8", "replace"))


@breaks("ROBUST-08")
class RecallsByInjection(Shop):
    """Puts a key into its query as text, so that a condition in it finds the first refund of the shop."""

    first: StoredRefund | None = None

    def recall(self, key: str) -> StoredRefund | None:
        """Find the first for a condition that is always true."""
        return self.first if key.startswith("' OR '1'='1") else super().recall(key)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Remember the first."""
        super().save(refund, request)
        self.first = self.first or refund


@breaks("ROBUST-09")
class BreaksOnLongReasons(Breaking):
    """Lets the database's error about a long text end as 500."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on a long reason."""
        return re.search(rb'"rightsReason": "[^"]{20000}', content) is not None


@breaks("ROBUST-09")
class BreaksOnLongReviews(Breaking):
    """Fails on a review that does not fit its buffer."""

    method = REVIEW

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on more than 64 kB that are no nesting."""
        return len(content) > 64_000


@breaks("ROBUST-09")
class HangsOnLongBodies(Breaking):
    """Reads long bodies of a create so slowly that no answer comes in time."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Take long for a long body."""
        return len(content) > 64_000

    def fail(self, shop: Shop) -> None:
        """Take long."""
        shop.clock.sleep(TOO_LONG)


@breaks("ROBUST-10")
class AddsBothQuantities(Mending):
    """Takes a quantity that is there twice for the sum of both."""

    def mended(self, content: bytes, request: Any) -> bytes:
        """Write the sum in the place of both."""
        return content.replace(b'"quantity": "1", "quantity": "2"', b'"quantity": "3"')


@breaks("ROBUST-10")
class RefusesTwoActionsButDecides(App):
    """Refuses a review with two actions after it carried one of them out."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Decide, then refuse."""
        answer = super().carry_out(shop, operation, values, request)
        if request.get_data().count(b'"action"') > 1:
            raise Refusal(400, "action is there twice")
        return answer


@breaks("ROBUST-11")
class BreaksOnForms(Breaking):
    """Parses what is not called JSON as a form, and uses the body that is then empty."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Look at the header."""
        return not str(request.headers.get("Content-Type", "")).startswith("application/json")


@breaks("ROBUST-11")
class BreaksOnUnknownCharsets(Breaking):
    """Fails on a charset that it does not know."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Look at the header."""
        return "charset=nonsense" in str(request.headers.get("Content-Type", ""))


@breaks("ROBUST-11")
class BreaksOnReviewsOfText(BreaksOnForms):
    """Parses a review that is not called JSON as a form, and uses the body that is then empty."""

    method = REVIEW


@breaks("ROBUST-09")
class BreaksOnLongTrackingNumbers(Shop):
    """Answers 500 to a tracking number that is longer than its column."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Let the database complain."""
        number = value.get("trackingNumber") if isinstance(value, dict) else None
        if isinstance(number, str) and len(number) > COLUMN:
            raise Refusal(500, "value too long for type character varying(255)")
        return super().read_shipping(value)


@breaks("ROBUST-12")
class BreaksOnLongCarriers(Shop):
    """Answers 500 to a carrier whose name is longer than its column."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Let the database complain."""
        name = value.get("shippingCarrier") if isinstance(value, dict) else None
        if isinstance(name, str) and len(name) > COLUMN:
            raise Refusal(500, "value too long for type character varying(255)")
        return super().read_shipping(value)


@breaks("ROBUST-12")
class BreaksOnParcelsOfNull(Shop):
    """Answers 500 to logistics information that is null."""

    def member(self, body: Any, name: str) -> Any:
        """Look into it."""
        if isinstance(body, dict) and "shipping" in body and body["shipping"] is None:
            raise Refusal(500, "'NoneType' object has no attribute 'get'")
        return super().member(body, name)


@breaks("ROBUST-12")
class BreaksOnCustomersOfNull(Shop):
    """Answers 500 to a customer that is null."""

    def member(self, body: Any, name: str) -> Any:
        """Look the customer up."""
        if isinstance(body, dict) and "customerId" in body and body["customerId"] is None:
            raise Refusal(500, "int() argument must not be NoneType")
        return super().member(body, name)


@breaks("ROBUST-12")
class StripsTrackingNumbers(Shop):
    """Answers 500 to a tracking number that is a number, since it is stripped of spaces."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Strip what is there."""
        if isinstance(value, dict) and not isinstance(value.get("trackingNumber", ""), str):
            raise Refusal(500, "'int' object has no attribute 'strip'")
        return super().read_shipping(value)


@breaks("ROBUST-12")
class LooksReasonTypesUp(Shop):
    """Fails on a rightsReasonType that is not in its table."""

    def read_reason_type(self, value: Any) -> str:
        """Look it up where only 0 to 9 are."""
        if value not in (None, *range(10), *map(str, range(10))):
            raise KeyError(value)
        return super().read_reason_type(value)


@breaks("ROBUST-12")
class RefusesObjectsForReasonTypesWith500(Shop):
    """Fails on a rightsReasonType that is no plain value."""

    def read_reason_type(self, value: Any) -> str:
        """Use it as a key."""
        return super().read_reason_type(value if {value: value} else None)


@breaks("ROBUST-12")
class CutsReasonsThatAreNoText(Shop):
    """Fails on a rightsReason that is no text."""

    def read_reason(self, value: Any) -> str:
        """Take away the blanks around it, to see whether there is one."""
        return super().read_reason(value if value is None or value.strip() else "")


@breaks("ROBUST-12")
class LooksIntoShippingTexts(Shop):
    """Fails on logistics information that is a text."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Take it for an object."""
        if isinstance(value, str):
            raise TypeError(value)
        return super().read_shipping(value)


@breaks("ROBUST-13")
class OverflowsOnGreatNumbers(Shop):
    """Converts numbers to ones of fixed size, and does not catch the overflow."""

    def number(self, value: Any, name: str) -> int:
        """Convert the whole number of a quantity."""
        if name == "quantity" and isinstance(value, int):
            value.to_bytes(16, signed=True)
        return super().number(value, name)


@breaks("ROBUST-13")
class WritesExponentsOut(Shop):
    """Writes a number with a great exponent out, and does not answer in time."""

    def number(self, value: Any, name: str) -> int:
        """Take long for many digits."""
        if isinstance(value, Decimal) and value.adjusted() > 100:
            self.clock.sleep(TOO_LONG)
        return super().number(value, name)
