"""Servers that name the wrong order, customer, type, parcel or status in a record, or give an id twice."""

from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REFUND, RefundRequest
from conformance.reference.rules import COMPLETED, Shop
from conformance.reference.store import StoredOrder, StoredRefund

JSON = dict[str, Any]


@breaks("RECORD-42")
class ListsAnotherOrder(Shop):
    """Names a neighbouring order in lists."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Count the order's id up."""
        record = super().record(operation, refund)
        return record | {"orderId": str(int(refund.order_id) + 7)} if operation == "list" else record


@breaks("RECORD-42")
class ReviewsShowTheRefundAsOrder(Shop):
    """Shows the refund's id as the order's in the answer to a review."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong id."""
        record = super().record(operation, refund)
        return record | {"orderId": refund.id} if operation == "review" else record


@breaks("RECORD-42")
class NamesOrdersByTheirPrintedNumber(Shop):
    """Names the order as it is printed for customers, with a sign before its number, but in create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Print the number."""
        record = super().record(operation, refund)
        return record if operation == "create" else record | {"orderId": f"#{refund.order_id}"}


@breaks("RECORD-63")
class CreateAnswersTheSampleOrder(Shop):
    """Names a constant order in the answer to a create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Answer the sample."""
        record = super().record(operation, refund)
        return record | {"orderId": "39072856"} if operation == "create" else record


@breaks("RECORD-63")
class CreateRoundsTheOrder(Shop):
    """Passes the order's id through a floating-point number before create answers it."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Round the id."""
        record = super().record(operation, refund)
        return record | {"orderId": int(float(refund.order_id))} if operation == "create" else record


@breaks("RECORD-60")
class GetsAnotherCustomer(Shop):
    """Shows a neighbouring customer when a refund is got."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Count the customer's id up."""
        record = super().record(operation, refund)
        return record | {"customerId": str(int(refund.customer) + 7)} if operation == "get" else record


@breaks("RECORD-60")
class RoundsCustomers(Shop):
    """Passes the customer's id through a floating-point number."""

    def read_customer(self, value: Any, order: Any) -> str:
        """Round the id."""
        return str(int(float(super().read_customer(value, order))))


@breaks("RECORD-61")
class InventsUnnamedCustomers(Shop):
    """Books a refund on customer 1 when the request names none."""

    def read_customer(self, value: Any, order: Any) -> str:
        """Fall back to a constant."""
        return "1" if value is None else super().read_customer(value, order)


@breaks("RECORD-64")
class AnswersTypeOne(Shop):
    """Answers type 1 to every create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Put the default in."""
        record = super().record(operation, refund)
        return record | {"rightsType": "1"} if operation == "create" else record


@breaks("RECORD-64")
class AnswersTypeTwo(Shop):
    """Answers type 2 to every create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Put a constant in."""
        record = super().record(operation, refund)
        return record | {"rightsType": str(REFUND)} if operation == "create" else record


@breaks("RECORD-64")
class GetsSentReturnsAsRefunds(Shop):
    """Gets a return whose parcel is under way as a refund without return: nothing more is to be returned."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Look at the parcel."""
        record = super().record(operation, refund)
        return record | {"rightsType": str(REFUND)} if operation == "get" and refund.shipping else record


@breaks("RECORD-65")
class DropsLogistics(Shop):
    """Takes logistics information and never shows it."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Forget it."""
        super().read_shipping(value)
        return {}


@breaks("RECORD-65")
class DropsParcelsWithoutCarriers(Shop):
    """Takes logistics information without a carrier and never shows it."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Keep what has a carrier."""
        shipping = super().read_shipping(value)
        return shipping if "shippingCarrier" in shipping else {}


@breaks("RECORD-65")
class WritesUndefined(Shop):
    """Stores the word undefined for what is not there of a parcel."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Make texts of everything."""
        shipping = super().read_shipping(value)
        names = ("shippingCarrierCode", "shippingCarrier", "trackingNumber")
        return {name: shipping.get(name, "undefined") for name in names} if shipping else shipping


@breaks("RECORD-65")
class MixesUpTheCarrier(Shop):
    """Shows the carrier's code as its name, and its name as its code, when a refund is got."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Exchange the two."""
        record = super().record(operation, refund)
        parcel = record["shipping"]
        code, name = parcel["shippingCarrierCode"], parcel["shippingCarrier"]
        if operation == "get":
            record["shipping"] = parcel | {"shippingCarrierCode": name, "shippingCarrier": code}
        return record


@breaks("RECORD-65")
class LosesTheParcelInReview(Shop):
    """Gets a refund without logistics information once it was approved."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave it out."""
        record = super().record(operation, refund)
        return record | {"shipping": None} if operation == "get" and refund.status == COMPLETED else record


@breaks("RECORD-66")
class ShowsTheSampleParcel(Shop):
    """Shows the page's sample parcel where there is none."""

    def render_shipping(self, shipping: dict[str, str]) -> JSON | None:
        """Fall back to the sample."""
        sample = {"shippingCarrierCode": "191034", "shippingCarrier": "Carrier", "trackingNumber": "123212132"}
        return super().render_shipping(shipping or sample)


@breaks("RECORD-66")
class ShowsTheLastParcel(Shop):
    """Shows the parcel of an earlier refund where there is none."""

    last: dict[str, str] | None = None

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Keep what came last."""
        given = super().read_shipping(value)
        self.last = given or self.last
        return given or self.last or {}


@breaks("RECORD-67", also=("ISOLATION-02", "ISOLATION-03"))
class NumbersByOrder(Shop):
    """Numbers the refunds of each order from 1 on."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Put the order and the refund's place in it together, for itself."""
        place = len(self.store.refunds_of(self.name, request.order.id)) + 1
        return evolve(super().new_refund(request), id=f"{request.order.id}{place:03d}")

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Find a refund by its place."""
        return super().find_refund(order, f"{order.id}{int(refund_id):03d}")

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Show the place alone."""
        return super().record(operation, refund) | {"refundId": str(int(refund.id[-3:]))}


@breaks("RECORD-76")
class AnswersCompletedToCreate(Shop):
    """Answers a create as if the refund were completed."""

    def shown_status(self, operation: str, refund: StoredRefund) -> int:
        """Answer the wish for the deed."""
        return COMPLETED if operation == "create" else super().shown_status(operation, refund)


@breaks("RECORD-65")
class KeepsAsciiCarriersOnly(Shop):
    """Stores a question mark for every character of a carrier beyond ASCII."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Put the question marks in."""
        shipping = super().read_shipping(value)
        return {name: text.encode("ascii", "replace").decode() for name, text in shipping.items()}


@breaks("RECORD-65")
class WritesCarriersLikeNames(Shop):
    """Stores each word of a carrier's name with a capital."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Make them look alike."""
        shipping = super().read_shipping(value)
        return {name: text.title() if name == "shippingCarrier" else text for name, text in shipping.items()}


@breaks("RECORD-65")
class StoresCarrierCodesAsNumbers(Shop):
    """Stores the code of a carrier as a number, without its leading zeros."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Count on numbers."""
        shipping = super().read_shipping(value)
        code = shipping.get("shippingCarrierCode", "")
        return shipping | {"shippingCarrierCode": str(int(code))} if code.isdecimal() else shipping


@breaks("RECORD-65")
class ClosesTrackingNumbersUp(Shop):
    """Stores a tracking number without its blanks and hyphens."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Keep letters and digits."""
        shipping = super().read_shipping(value)
        number = shipping.get("trackingNumber")
        return shipping if number is None else shipping | {"trackingNumber": number.replace(" ", "").replace("-", "")}
