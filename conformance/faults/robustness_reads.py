"""Servers that break on odd ids and parameters, or show for them what was not asked for."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.faults import breaks
from conformance.reference.app import App
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund


@breaks("ROBUST-14")
class ListsForInjections(Shop):
    """Lists all that an injected condition finds."""

    everything: tuple[StoredRefund, ...] = ()

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Remember what there is."""
        super().save(refund, request)
        self.everything = (*self.everything, refund)

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Find all for a condition that is always true."""
        if order_id == "' OR '1'='1":
            return list(self.everything[:250])
        return super().list_refunds(order_id, query)


@breaks("ROBUST-14")
class BreaksOnLettersInPaths(Shop):
    """Converts the id of a path to a number, and does not catch the error."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Convert."""
        if order_id.isalpha():
            int(order_id)
        return super().list_refunds(order_id, query)


@breaks("ROBUST-14")
class BreaksOnBytesThatAreNoText(Shop):
    """Decodes the escapes of a path, and does not catch the error where they are no UTF-8."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Decode them."""
        if "\ufffd" in order_id:
            raise Refusal(500, "URI malformed")
        return super().list_refunds(order_id, query)


@breaks("ROBUST-14")
class GetsNegativeIds(Shop):
    """Leaves the sign of a refund's id away."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Take the digits."""
        return super().get_refund({**query, "refundId": query.get("refundId", "").lstrip("-")})


@breaks("ROBUST-14")
class GetsTheFirstForLetters(Shop):
    """Takes small letters for the refund that comes first."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Find the first."""
        if re.fullmatch("[a-z]{1,20}", str(query.get("refundId"))):
            return self.store.refunds_of(self.name, str(query.get("orderId")))[0]
        return super().get_refund(query)


@breaks("ROBUST-14")
class BreaksOnEndlessIds(Shop):
    """Fails on ids that fit no column."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Convert to a number of fixed size."""
        if len(str(query.get("refundId"))) > 300:
            raise OverflowError
        return super().get_refund(query)


@breaks("ROBUST-14")
class BreaksOnIdsBeyondItsColumn(Shop):
    """Lets its database fail on the id of an order of more than 24 digits."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Ask the database."""
        if order_id.isdecimal() and len(order_id) == 25:
            raise Refusal(500, "value out of range for type numeric(24)")
        return super().list_refunds(order_id, query)


@breaks("ROBUST-14")
class OverflowsOnIdsOfRefunds(Shop):
    """Lets its database fail on the id of a refund of 24 digits and more, unless it is too long to be one at all."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Bind it as a number."""
        refund_id = query.get("refundId", "")
        if refund_id.isdecimal() and 10**24 <= int(refund_id) < 10**30:
            raise Refusal(500, "value out of range for type numeric(24)")
        return super().get_refund(query)


@breaks("ROBUST-14")
class BreaksOnNulInQueries(Shop):
    """Lets its database fail on the character NUL in the id of a refund."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Ask the database."""
        if "\x00" in str(query.get("refundId")):
            raise Refusal(500, "invalid byte sequence for encoding UTF8: 0x00")
        return super().get_refund(query)


class ReadsNumbers(App):
    """An application that reads the number at the beginning of each id of a list or a get, and fails on some."""

    def breaks_on(self, text: str, number: int | None) -> bool:
        """Say whether it fails on an id, of which that number was read."""
        raise NotImplementedError

    def respond(self, request: Any) -> Any:
        """Read the id of the path, or those of the query."""
        for text in self.ids_of(request):
            found = re.match(r"\+?([0-9]+|\d+)", text)
            if self.breaks_on(text, int(found[1]) if found else None):
                return self.refuse(500, "internal error")
        return super().respond(request)

    def ids_of(self, request: Any) -> list[str]:
        """Return the ids that a list or a get names."""
        listed = re.fullmatch(r"/[^/]+/api/202412/orders/(.+)/refunds", request.path, re.DOTALL)
        if request.method != "GET" or listed:
            return [listed[1]] if request.method == "GET" and listed else []
        return [request.args[name] for name in ("orderId", "refundId") if request.args.get(name)]


@breaks("ROBUST-14")
class BreaksOnWhatIsNoNumber(ReadsNumbers):
    """Fails on an id that begins with no number, and on one that is too great for any."""

    def breaks_on(self, text: str, number: int | None) -> bool:
        """Fail on what JavaScript calls NaN and Infinity."""
        return number is None or number > 10**308


@breaks("ROBUST-15")
class BreaksOnOtherSpellings(ReadsNumbers):
    """Fails on an id that is spelled otherwise than the number which it begins with."""

    def breaks_on(self, text: str, number: int | None) -> bool:
        """Insist that both are the same."""
        return number is not None and number < 10**308 and str(number) != text


@breaks("ROBUST-15")
class FindsTheNextForFractions(Shop):
    """Rounds the id of a path up."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Take a fraction for the next order."""
        if re.fullmatch(r"[0-9]+\.0", order_id):
            return [refund for key in range(1, 60) for refund in self.near(order_id[:-2], key)][:50]
        return super().list_refunds(order_id, query)

    def near(self, order_id: str, steps: int) -> Iterable[StoredRefund]:
        """Return the refunds of an order that was made so many before."""
        return self.store.refunds_of(self.name, str(int(order_id) - 7 * steps))


@breaks("ROBUST-15")
class BreaksOnOtherDigits(Shop):
    """Takes digits of every script for digits, but cannot read them."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Trust the digits."""
        if str(query.get("refundId")).isdigit() and not str(query.get("refundId")).isascii():
            raise KeyError(query.get("refundId"))
        return super().get_refund(query)


@breaks("ROBUST-16")
class BreaksOnRepeatedParameters(App):
    """Fails on a parameter that is there twice."""

    def read_query(self, request: Any) -> dict[str, str]:
        """Expect one value."""
        if any(len(values) > 1 for _, values in request.args.lists()):
            raise TypeError("a list is no text")
        return super().read_query(request)


@breaks("ROBUST-16", also=("ROBUST-18",))
class BreaksOnUnknownParameters(App):
    """Fails on a parameter that it does not know."""

    def read_query(self, request: Any) -> dict[str, str]:
        """Look each up."""
        known = {"orderId": str, "refundId": str, "limit": str, "_method": str, "pageToken": str}
        return {name: known[name](value) for name, value in super().read_query(request).items()}


@breaks("ROBUST-16")
class ListsTheOrderOfParameters(Shop):
    """Lists the order that the parameters name, where they name one."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Prefer it."""
        named = query.get("orderId", "")
        return super().list_refunds(named if self.store.order(self.name, named) else order_id, query)
