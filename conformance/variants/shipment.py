"""Honest readings of shipments and of logistics information."""

import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from conformance.clock import Clock
from conformance.reference.answers import JSON
from conformance.reference.requests import REFUND, RefundRequest, Refusal
from conformance.reference.rules import Shop, Token
from conformance.reference.store import Store, StoredOrder, StoredRefund
from conformance.variants import reads


@reads("A14", aspect="parcel of type 2")
class DropsParcelsWithoutReturn(Shop):
    """Ignores the logistics information of a refund without return: nothing is sent back."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Keep it for returns alone."""
        refund = super().new_refund(request)
        return evolve(refund, shipping={}) if refund.rights_type == REFUND else refund


@reads("A14", aspect="parcel of type 2")
class RefusesParcelsWithoutReturn(Shop):
    """Refuses a create of type 2 that brings logistics information: nothing is sent back."""

    def read_request(self, body: Any) -> RefundRequest:
        """Look at the two together."""
        request = super().read_request(body)
        if request.rights_type == REFUND and request.shipping:
            raise Refusal(400, "no shipping for a refund without return")
        return request


@reads("A14", aspect="whose parcel")
class ShowsTheParcelOfTheOrder(Shop):
    """Shows the parcel of a shipped order in its refunds that came with none of their own."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Look whether it was sent."""
        order = self.store.order(self.name, refund.order_id)
        sent = order is not None and order.shipped and not any(refund.shipping.values())
        parcel = {"shippingCarrierCode": "", "shippingCarrier": "Outbound", "trackingNumber": f"OUT{refund.order_id}"}
        return super().record(operation, evolve(refund, shipping=parcel) if sent else refund)


@reads("A13", aspect="absent parcel")
class LeavesAbsentParcelsOut(Shop):
    """Leaves shipping out where none was sent."""

    def render_shipping(self, shipping: dict[str, str]) -> JSON | None:
        """Return what there is."""
        return super().render_shipping(shipping) if shipping else None


@reads("A13", aspect="absent parcel")
class ShowsAbsentParcelsAsNull(Shop):
    """Shows shipping as null where none was sent."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Put null in its place."""
        record = super().record(operation, refund)
        return record if refund.shipping else record | {"shipping": None}


@reads("A13", aspect="absent parcel")
class ShowsAbsentParcelsAsEmpty(Shop):
    """Shows shipping as an empty object where none was sent, and only the members that were."""

    def render_shipping(self, shipping: dict[str, str]) -> JSON | None:
        """Return the members that say something."""
        return dict(shipping)


@reads("A13", aspect="place of the parcel")
class ShowsParcelsInGetAlone(Shop):
    """Shows the logistics information where one refund is read, and nowhere else."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave it out elsewhere."""
        record = super().record(operation, refund)
        if operation != "get":
            record.pop("shipping", None)
        return record


@reads("A13", aspect="place of the parcel")
class ListsNoParcels(Shop):
    """Leaves the logistics information out of lists, to keep them short."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave it out there."""
        record = super().record(operation, refund)
        if operation == "list":
            record.pop("shipping", None)
        return record


@reads("A13", aspect="carriers")
class KnowsOneCarrier(Shop):
    """Knows no carrier but that of the page, by its code."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Refuse any other."""
        shipping = super().read_shipping(value)
        if shipping.get("shippingCarrierCode") not in {None, "", "191034"}:
            raise Refusal(400, "there is no such carrier")
        return shipping


@reads("A13", aspect="carriers")
class TakesPlainParcelsOnly(Shop):
    """Takes tracking numbers of six to twenty letters and digits only, and no carrier's name beyond ASCII."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Refuse any other."""
        shipping = super().read_shipping(value)
        if not re.fullmatch("([A-Za-z0-9]{6,20})?", shipping.get("trackingNumber", "")):
            raise Refusal(422, "trackingNumber is none of a carrier we know")
        if not shipping.get("shippingCarrier", "").isascii():
            raise Refusal(422, "shippingCarrier has characters that are not allowed")
        return shipping


@reads("A64", aspect="shipment")
class LearnsOfShipmentLate(Shop):
    """Is told a quarter of a second late, by the service that ships, that an order was shipped."""

    def __init__(self, name: str, store: Store, tokens: Mapping[str, Token], clock: Clock | None = None) -> None:
        super().__init__(name, store, tokens, clock)
        self.waiting: set[str] = set()
        self.left: dict[str, float] = {}

    def find_order(self, value: Any) -> StoredOrder:
        """Note when an order was shipped that had to wait for it."""
        order = super().find_order(value)
        if not order.shipped:
            self.waiting.add(order.id)
        elif order.id in self.waiting:
            self.left.setdefault(order.id, self.clock.monotonic())
        return order

    def is_shipped(self, request: RefundRequest) -> bool:
        """Take a while to know."""
        left = self.left.get(request.order.id)
        return super().is_shipped(request) and (left is None or self.clock.monotonic() - left >= 0.25)
