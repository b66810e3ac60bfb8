"""Servers that take one type of refund for the other."""

from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REFUND, RETURN_AND_REFUND, RefundRequest
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund


@breaks("SHIP-11", also=("IDEM-34", "RECORD-64"))
class StoresRefundsAsReturns(Shop):
    """Stores a refund without return as a return, whatever create answers."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Lose the type."""
        super().save(evolve(refund, rights_type=RETURN_AND_REFUND), request)


@breaks("SHIP-11")
class TakesParcelsForReturns(Shop):
    """Stores a refund without return as a return when logistics information comes with it."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Guess the type."""
        refund = super().new_refund(request)
        return evolve(refund, rights_type=RETURN_AND_REFUND) if request.shipping else refund


@breaks("SHIP-11")
class KeepsOneTypeForTheFirstTwo(Shop):
    """Turns the first refund of an order into one without return when the second is one."""

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show the type of the second for the first."""
        first, *others = self.store.refunds_of(self.name, refund.order_id)
        turned = first.id == refund.id and [other.rights_type for other in others[:1]] == [REFUND]
        return super().record(operation, evolve(refund, rights_type=REFUND) if turned else refund)


@breaks("SHIP-11")
class StoresDefaultsAsRefunds(Shop):
    """Stores a refund that leaves the type out as one without return."""

    absent = False

    def read_request(self, body: Any) -> RefundRequest:
        """Note whether there is a type."""
        refund = self.member(body, "refund")
        self.absent = isinstance(refund, dict) and "rightsType" not in refund
        return super().read_request(body)

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Fill in another default than the rule did."""
        refund = super().new_refund(request)
        return evolve(refund, rights_type=REFUND) if self.absent else refund


@breaks("SHIP-11")
class DefaultsToTheTypeOfTheFirst(StoresDefaultsAsRefunds):
    """Stores a refund that leaves the type out with the type of the order's first refund."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take over what was asked for first."""
        refund = Shop.new_refund(self, request)
        first = next(iter(self.store.refunds_of(self.name, request.order.id)), None)
        return evolve(refund, rights_type=first.rights_type) if self.absent and first is not None else refund


@breaks("SHIP-02")
class ComparesTypesAsTheyCome(Shop):
    """Compares the type with a whole number before it is read, so that 1.0 needs no shipment."""

    fraction = False

    def read_rights_type(self, value: Any) -> int:
        """Remember what came."""
        self.fraction = isinstance(value, Decimal)
        return super().read_rights_type(value)

    def needs_shipped_order(self, rights_type: int) -> bool:
        """Know whole numbers only."""
        return super().needs_shipped_order(rights_type) and not self.fraction
