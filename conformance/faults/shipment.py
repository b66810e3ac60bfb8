"""Servers that get the shipped-order precondition wrong."""

from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REFUND, RETURN_AND_REFUND, RefundRequest, Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredOrder, StoredRefund

# Returns of an order that was not shipped.


@breaks("SHIP-01")
class IgnoresTheShipment(Shop):
    """Refunds returns of orders that were not shipped."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Never ask."""
        return True


@breaks("SHIP-01")
class RefusesUnshippedTooLate(Shop):
    """Refuses a return of an unshipped order when the refund is already stored."""

    def create(self, body: Any) -> StoredRefund:
        """Look at the shipment last of all."""
        refund = super().create(body)
        order = self.store.order(self.name, refund.order_id)
        if refund.rights_type == RETURN_AND_REFUND and order is not None and not order.shipped:
            raise Refusal(409, "the order must have been shipped for a return")
        return refund

    def check_shipped(self, request: RefundRequest) -> None:
        """Let it through at first."""


@breaks("SHIP-01")
class TurnsReturnsIntoRefunds(Shop):
    """Silently turns a return of an unshipped order into a refund without one."""

    def check_shipped(self, request: RefundRequest) -> None:
        """Refuse nothing."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Store another type than was asked for."""
        refund = super().new_refund(request)
        return refund if request.order.shipped else evolve(refund, rights_type=REFUND)


@breaks("SHIP-01")
class AsksWhetherItWasOrdered(Shop):
    """Takes an order for shipped when it has lines, which every order has."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Ask for another property of the order."""
        return bool(request.order.lines)


class SeesTheWireForm(Shop):
    """Notes how the type was written, which must not matter; the faults below let it."""

    written: Any = None

    def read_rights_type(self, value: Any) -> int:
        """Note the value as it came."""
        self.written = value
        return super().read_rights_type(value)


@breaks("SHIP-02")
class ComparesTheTypeAsText(SeesTheWireForm):
    """Compares the type with the text 1, so that the number 1 is no return."""

    def needs_shipped_order(self, rights_type: int) -> bool:
        """Miss the number."""
        return self.written in {"1", None}


@breaks("SHIP-03")
class ChecksBeforeTheDefault(SeesTheWireForm):
    """Applies the rule before the default type is filled in."""

    def needs_shipped_order(self, rights_type: int) -> bool:
        """Miss a request that names no type."""
        return self.written is not None and super().needs_shipped_order(rights_type)

    def read_request(self, body: Any) -> RefundRequest:
        """Refuse null, unlike a type that is left out."""
        refund = self.member(body, "refund")
        if isinstance(refund, dict) and refund.get("rightsType", 0) is None:
            raise Refusal(400, "rightsType must not be null")
        return super().read_request(body)


@breaks("SHIP-04")
class LetsNullThrough(Shop):
    """Takes a type that is null for a refund without return when the order was not shipped."""

    def read_request(self, body: Any) -> RefundRequest:
        """Read null as type 2 where type 1 would be refused."""
        request = super().read_request(body)
        null = body["refund"].get("rightsType", 0) is None
        return evolve(request, rights_type=REFUND) if null and not request.order.shipped else request


@breaks("SHIP-04")
class LetsEmptyThrough(Shop):
    """Takes an empty type for no return, and so for one that needs no shipment."""

    empty = False

    def read_rights_type(self, value: Any) -> int:
        """Fall back to the default, and forget that it is one."""
        self.empty = value == ""
        return super().read_rights_type(None if self.empty else value)

    def needs_shipped_order(self, rights_type: int) -> bool:
        """Ask only where a type was written."""
        return super().needs_shipped_order(rights_type) and not self.empty


@breaks("SHIP-08")
class TrustsTheCarrier(Shop):
    """Takes an order for shipped when the request brings a carrier and no tracking number yet."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Believe the client."""
        return super().is_shipped(request) or set(request.shipping) == {"shippingCarrierCode", "shippingCarrier"}


@breaks("SHIP-08")
class TrustsTheTrackingNumber(Shop):
    """Takes an order for shipped when the request brings a tracking number."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Believe the client."""
        return super().is_shipped(request) or "trackingNumber" in request.shipping


@breaks("SHIP-08")
class TrustsTheCarrierOfDefaults(SeesTheWireForm):
    """Takes an order for shipped when a request without a type names a carrier."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Believe the client, where the type is the default."""
        return super().is_shipped(request) or (self.written is None and "shippingCarrier" in request.shipping)


@breaks("SHIP-09")
class LooksTheCustomerUp(Shop):
    """Takes an order for shipped when another one of its customer is, as it looks shipments up by customer."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.customers: set[str] = set()

    def is_shipped(self, request: RefundRequest) -> bool:
        """Ask for any shipped order of the customer."""
        if request.order.shipped:
            self.customers.add(request.order.customer)
        return request.order.customer in self.customers


@breaks("SHIP-12")
class OpensAfterOneRefund(Shop):
    """Takes an order for shipped once it has a refund."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Look at earlier refunds."""
        return super().is_shipped(request) or bool(self.store.refunds_of(self.name, request.order.id))


@breaks("SHIP-13")
class ChecksTheFirstLine(Shop):
    """Applies the rule to the first line of an order alone."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Miss the other lines."""
        return super().is_shipped(request) or request.lines[0].line != request.order.lines[0]


@breaks("SHIP-13")
class ChecksSingleLines(Shop):
    """Applies the rule to requests of one line alone."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Miss requests of several lines."""
        return super().is_shipped(request) or len(request.lines) > 1


# What must be accepted.


@breaks("SHIP-05")
class WantsShipmentForEverything(Shop):
    """Refuses refunds without return of unshipped orders too."""

    def needs_shipped_order(self, rights_type: int) -> bool:
        """Make no difference between the types."""
        return True


@breaks("SHIP-05")
class DropsUnshippedRefunds(Shop):
    """Accepts a refund without return of an unshipped order, and stores nothing."""

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store only what was shipped."""
        if request.order.shipped:
            super().save(refund, request)


@breaks("SHIP-06", also=("CREATE-01",))
class RefusesReturns(Shop):
    """Refuses every return, of shipped orders too."""

    def check_shipped(self, request: RefundRequest) -> None:
        """Refuse every return."""
        super().check_shipped(request)
        if request.rights_type == RETURN_AND_REFUND:
            raise Refusal(409, "returns are not supported")


@breaks("SHIP-07", also=("CREATE-20",))
class RefusesRefundsOnceShipped(Shop):
    """Refuses a refund without return of a shipped order."""

    def check_shipped(self, request: RefundRequest) -> None:
        """Insist on the goods."""
        super().check_shipped(request)
        if request.rights_type == REFUND and request.order.shipped:
            raise Refusal(409, "the goods must come back")


@breaks("SHIP-10")
class RemembersTheRefusal(Shop):
    """Goes on to refuse returns of an order that was once refused one."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refused: set[str] = set()

    def is_shipped(self, request: RefundRequest) -> bool:
        """Remember the first answer."""
        if not super().is_shipped(request):
            self.refused.add(request.order.id)
        return request.order.id not in self.refused


@breaks("SHIP-10")
class KeepsFirstCopiesOfOrders(Shop):
    """Keeps the first copy of an order that it sees, shipped or not."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: dict[str, StoredOrder] = {}

    def is_shipped(self, request: RefundRequest) -> bool:
        """Ask the old copy."""
        return self.seen.setdefault(request.order.id, request.order).shipped


@breaks("SHIP-10")
class KeepsWhatTheFirstRefundSaw(Shop):
    """Remembers of an order whether it was shipped when its first refund came."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shipped: dict[str, bool] = {}

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Keep it with the order."""
        self.shipped.setdefault(request.order.id, request.order.shipped)
        return super().new_refund(request)

    def is_shipped(self, request: RefundRequest) -> bool:
        """Ask what was kept, if anything was."""
        return self.shipped.get(request.order.id, super().is_shipped(request))


@breaks("SHIP-01")
class TakesReturnsTheSecondTime(Shop):
    """Takes a return of an unshipped order that it refused when the same request comes again."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refused: set[str] = set()

    def check_shipped(self, request: RefundRequest) -> None:
        """Check a key only once."""
        if request.key not in self.refused:
            self.refused.add(request.key)
            super().check_shipped(request)


@breaks("SHIP-13")
class ChecksSingleUnits(Shop):
    """Applies the rule to requests of one unit alone."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Take more units for goods that have left."""
        return super().is_shipped(request) or sum(line.quantity for line in request.lines) > 1


@breaks("SHIP-13")
class TakesWholeOrdersBack(Shop):
    """Refunds a return of a whole order without asking for its shipment, as a cancellation."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Ask only where something is kept."""
        whole = all(self.asked(request).get(line, 0) >= line.quantity for line in request.order.lines)
        return whole or super().is_shipped(request)


@breaks("SHIP-08")
class TakesShippingForAShipment(Shop):
    """Takes an order for shipped when a return of it brings the members of a parcel, be they all empty."""

    def read_request(self, body: Any) -> RefundRequest:
        """Look whether they are there, and not what they say."""
        request = super().read_request(body)
        brought = body["refund"].get("shipping")
        is_empty = isinstance(brought, dict) and bool(brought) and not any(brought.values())
        return evolve(request, order=evolve(request.order, shipped=True)) if is_empty else request
