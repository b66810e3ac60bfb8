"""Servers that misread values which are next to legal ones."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from conformance.faults import breaks
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.requests import APPROVE, RETURN_AND_REFUND, Refusal
from conformance.reference.rules import COMPLETED, Shop, Token
from conformance.reference.store import FIRST_ID, StoredLine, StoredOrder, StoredRefund


@breaks("NEAR-01")
class SkipsEmptyLines(Shop):
    """Leaves lines out that are empty, and refunds the others."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[Any, ...]:
        """Leave them out."""
        return super().read_lines([line for line in value if line] if isinstance(value, list) else value, order)


@breaks("NEAR-01")
class ReadsUpToTheComma(Shop):
    """Takes a quantity with a comma for what stands before it."""

    def read_quantity(self, value: Any) -> int:
        """Stop at the comma."""
        return super().read_quantity(value.partition(",")[0] if isinstance(value, str) else value)


@breaks("NEAR-01")
class CutsTypesOff(Shop):
    """Takes a type with a fraction for what stands before the point."""

    def read_rights_type(self, value: Any) -> int:
        """Drop the rest."""
        return super().read_rights_type(int(value) if isinstance(value, Decimal) else value)


@breaks("NEAR-01")
class BreaksOnTypesThatAreObjects(Shop):
    """Answers 500 to a type that is an object."""

    def read_rights_type(self, value: Any) -> int:
        """Look it up in a table of hashes."""
        if isinstance(value, dict):
            raise Refusal(500, "unhashable type: 'dict'")
        return super().read_rights_type(value)


@breaks("NEAR-01", also=("CREATE-35",))
class DropsTheSignOfTypes(Shop):
    """Takes a type below zero for what stands behind its sign."""

    def read_rights_type(self, value: Any) -> int:
        """Keep the digits."""
        return super().read_rights_type(value.removeprefix("-") if isinstance(value, str) else value)


@breaks("NEAR-02")
class ReadsOctalNumbers(Shop):
    """Takes a quantity that begins with zero for an octal number, so that 010 are 8."""

    def read_quantity(self, value: Any) -> int:
        """Guess the base from how the number begins."""
        octal = isinstance(value, str) and re.fullmatch(r"0[0-7]+", value)
        return super().read_quantity(str(int(value, 8)) if octal else value)


@breaks("NEAR-02")
class DropsTheExponent(Shop):
    """Keeps the digits of a quantity with an exponent, so that 10e0 are 100."""

    def read_quantity(self, value: Any) -> int:
        """Keep the digits."""
        if isinstance(value, str) and re.fullmatch(r"[0-9]+e[0-9]+", value):
            value = value.replace("e", "")
        return super().read_quantity(value)


@breaks("NEAR-02")
class FailsOnWhatPassesForADigit(Shop):
    """Asks whether a quantity is made of digits in the sense of Unicode, and fails on those of other scripts."""

    def read_quantity(self, value: Any) -> int:
        """Ask for digits, and take their bytes."""
        if isinstance(value, str) and value.isdigit():
            value = int(value.encode("ascii"))
        return super().read_quantity(value)


@breaks("NEAR-03")
class ReadsLineIdsAsFloats(Shop):
    """Compares a line's id as a floating-point number where it has a fraction, and finds the first that is as near."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Compare what a float keeps."""
        if isinstance(value, str) and re.fullmatch(r"[0-9]+\.0+", value):
            for line in order.lines:
                if float(line.id) == float(value):
                    return line
        return super().find_line(value, order)


@breaks("NEAR-04")
class FallsBackToReturns(Shop):
    """Takes a text that is no plain number for the default type."""

    def read_rights_type(self, value: Any) -> int:
        """Fall back."""
        if isinstance(value, str) and "." in value:
            return RETURN_AND_REFUND
        return super().read_rights_type(value)


@breaks("NEAR-05")
class FailsOnOddCustomers(Shop):
    """Takes the fraction off a customer's id, which it has not looked at."""

    def read_customer(self, value: Any, order: StoredOrder) -> str:
        """Take it off."""
        if value is not None and type(value) is not int:
            value = value.removesuffix(".0")
        return super().read_customer(value, order)


@breaks("NEAR-05")
class CountsTheCharactersOfNumbers(Shop):
    """Counts the characters of a key, which a long number has none of."""

    def read_key(self, value: Any) -> str:
        """Refuse what is short, or no key at all, before counting."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= FIRST_ID:
            raise TypeError("object of type 'int' has no len()")
        return super().read_key(value)


@breaks("NEAR-06")
class DecidesByTheFirstDigit(Shop):
    """Looks at the first character of an action of several."""

    def read_action(self, value: Any) -> int:
        """Look at it."""
        return super().read_action(value[0] if isinstance(value, str) and " " in value.strip() else value)


@breaks("NEAR-07")
class ApprovesWhatHasSpaces(Shop):
    """Takes every action with a space or a line break around it for an approval."""

    def read_action(self, value: Any) -> int:
        """Approve."""
        return APPROVE if isinstance(value, str) and value != value.strip() != "" else super().read_action(value)


@breaks("NEAR-06")
class ReadsOrdersOfReviewsUpToLetters(Shop):
    """Reads the order that a review names up to the first character that is no digit."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Stop there."""
        if isinstance(body, dict):
            body["orderId"] = up_to_letters(body.get("orderId"))
        return super().review(refund_id, body)


@breaks("NEAR-08")
class FailsOnFractionsOfOrders(Shop):
    """Splits the order of a review at a point, and expects no more than one part."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Split it."""
        if isinstance(body, dict) and isinstance(body.get("orderId"), str):
            (body["orderId"],) = body["orderId"].split(".")
        return super().review(refund_id, body)


@breaks("NEAR-08")
class CountsTheDigitsOfIds(Shop):
    """Takes a plus and blanks off an id in a review, and fails when it is not as long as its text any more."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Copy the digits to a place of the text's length."""
        for value in (body.get("orderId"), body.get("refundId")) if isinstance(body, dict) else ():
            if isinstance(value, str) and len(value.strip("+ ")) < len(value):
                raise IndexError(value)
        return super().review(refund_id, body)


@breaks("NEAR-09")
class CountsTheSign(Shop):
    """Takes the sign of a limit for one entry, and shows one too few."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Take it off."""
        limit = query.get("limit", "")
        if limit.startswith("+"):
            return super().list_refunds(order_id, {"limit": limit})[:-1]
        return super().list_refunds(order_id, query)

    def read_limit(self, value: str | None) -> int:
        """Read past the sign."""
        return super().read_limit(None if value is None else value.removeprefix("+"))


def up_to_letters(value: Any) -> Any:
    """Return what a lenient parser makes of an id: the digits at its beginning."""
    digits = re.match("[0-9]+", value) if isinstance(value, str) else None
    return value if digits is None else digits[0]


@breaks("NEAR-10")
class GetsRefundsUpToLetters(Shop):
    """Reads the refund of a get up to the first character that is no digit."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Stop there."""
        return super().get_refund(dict(query) | {"refundId": up_to_letters(query.get("refundId"))})


@breaks("NEAR-10")
class GetsOrdersUpToLetters(Shop):
    """Reads the order of a get up to the first character that is no digit."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Stop there."""
        return super().get_refund({**query, "orderId": up_to_letters(query.get("orderId"))})


@breaks("NEAR-11")
class ListsOrdersUpToLetters(Shop):
    """Reads the order of a list up to the first character that is no digit."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Stop there."""
        return super().list_refunds(up_to_letters(order_id), query)


@breaks("NEAR-12")
class ComparesTokensButForTheirEnd(Shop):
    """Compares the length of a token, and all of its characters but the last."""

    def authenticate(self, value: str | None) -> Token:
        """Look for one that begins so."""
        for token in self.tokens.values():
            if value and token.shop == self.name and len(token.value) == len(value) and token.value[:-1] == value[:-1]:
                return token
        return super().authenticate(value)


@breaks("NEAR-12")
class RejectsForEveryShop(App):
    """Forgets the shop of a token when a refund is rejected."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Look the token up among those of all shops."""
        token = shop.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        body = self.read_body(request) if operation == "review" and token is not None else None
        if token is not None and isinstance(body, dict) and str(body.get("action")) == "2":
            shop.authorise(token, operation)
            return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


@breaks("NEAR-12")
class ShowsTheCompletedToEveryShop(App):
    """Answers the review of a completed refund at once for the tokens of every shop, since nothing is left to do."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Ask for a token of another shop alone."""
        token = shop.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        refund = shop.store.refund(shop.name, values.get("refund_id", ""))
        strange = token is not None and token.shop != shop.name
        if operation == "review" and strange and refund is not None and refund.status == COMPLETED:
            return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


@breaks("NEAR-12")
class TakesTextFromAnybody(App):
    """Looks for a token only where the body is said to be JSON."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Let other bodies by."""
        if operation == "create" and request.mimetype == "text/plain" and TOKEN_HEADER not in request.headers:
            return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)
