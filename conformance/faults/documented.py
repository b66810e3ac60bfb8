"""Servers that break on requests which only the generated tests make."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import APPROVE, REJECT, RefundRequest
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund

SHIPPING = ("shippingCarrierCode", "shippingCarrier", "trackingNumber")


@breaks("ROBUST-80")
class LosesReasonsOfHalfAddressedParcels(Shop):
    """Forgets the reasons when some of the logistics information is left out."""

    def read_request(self, body: Any) -> RefundRequest:
        """Forget them."""
        request = super().read_request(body)
        shipping = body["refund"].get("shipping")
        if not shipping or all(name in shipping for name in SHIPPING):
            return request
        return evolve(request, lines=tuple(evolve(line, reason="") for line in request.lines))


@breaks("ROBUST-81")
class RejectsWhenTheRefundComesFirst(Shop):
    """Reads a review by position, and takes an approval for a rejection when its members come in another order."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Look at the first member only."""
        if isinstance(body, dict) and next(iter(body), "") == "refundId" and str(body.get("action")) == str(APPROVE):
            body = {**body, "action": REJECT}
        return super().review(refund_id, body)


@breaks("ROBUST-82", also=("LIST-10",))
class KnowsRoundPageSizes(Shop):
    """Knows small page sizes and round ones, and shows one refund for any other."""

    def read_limit(self, value: str | None) -> int:
        """Look the size up."""
        limit = super().read_limit(value)
        return limit if limit % 10 == 0 or limit < 10 else 1


@breaks("ROBUST-84")
class LooksLinesUp(Shop):
    """Looks the id of a line up in a table that takes no objects, before anything else is looked at."""

    def read_request(self, body: Any) -> RefundRequest:
        """Look up what is no list."""
        refund = body.get("refund") if isinstance(body, dict) else None
        lines = refund.get("lineItems") if isinstance(refund, dict) else None
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, dict) and isinstance(line.get("lineItemId"), dict):
                raise TypeError("unhashable type: 'dict'")
        return super().read_request(body)


@breaks("ROBUST-12")
class LooksCarriersUp(Shop):
    """Looks the code of a carrier up in a table that takes no objects."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Look it up."""
        code = value.get(SHIPPING[0]) if isinstance(value, dict) else None
        if code:
            {SHIPPING[0]: "none"}.get(code)
        return super().read_shipping(value)


@breaks("ROBUST-85")
class LogsReviewsInLatin1(Shop):
    """Fails to write a review's order into a log of another encoding."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Write it."""
        if isinstance(body, dict) and isinstance(body.get("orderId"), str):
            body["orderId"].encode("latin-1")
        return super().review(refund_id, body)


@breaks("ROBUST-86")
class PassesFarNegativeLimitsOn(Shop):
    """Hands a limit far below zero to a database that fails on it."""

    def read_limit(self, value: str | None) -> int:
        """Hand it on."""
        if value is not None and value.startswith("-") and len(value) > 4:
            raise OverflowError(value)
        return super().read_limit(value)


@breaks("ROBUST-87")
class FailsOnNegativeOrders(Shop):
    """Fails on a negative order in the query of a get."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Take it for an unsigned number."""
        if query.get("orderId", "").startswith("-"):
            raise OverflowError(query["orderId"])
        return super().get_refund(query)
