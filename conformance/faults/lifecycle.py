"""Servers that keep the rules in the states that come first to mind, and break them in others."""

import time
from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.idempotency import OwnMemory
from conformance.faults.races import WINDOW
from conformance.reference.requests import APPROVE, REFUND, REJECT, RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredLine, StoredRefund


def is_other(existing: StoredRefund, request: RefundRequest) -> bool:
    """Say whether a request under a known key asks for other units than the refund that the key made."""
    was = sorted((line.line.id, line.quantity) for line in existing.lines)
    return was != sorted((part.line.id, part.quantity) for part in request.lines)


@breaks("LIFE-01")
class BlocksOrdersAfterARefusedReturn(Shop):
    """Takes no refund without return for an order any more once a return of it was refused as not shipped."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.blocked: set[str] = set()

    def check_shipped(self, request: RefundRequest) -> None:
        """Remember the order."""
        if request.rights_type == REFUND and request.order.id in self.blocked:
            raise Refusal(409, "the order is blocked")
        try:
            super().check_shipped(request)
        except Refusal:
            self.blocked.add(request.order.id)
            raise


@breaks("LIFE-03")
class RevivesBesideAnApproval(Shop):
    """Approves a canceled refund once another one of its order was approved, as it looks at the order's state."""

    def is_open(self, refund: StoredRefund) -> bool:
        """Ask whether the order has anything that is completed."""
        of_order = self.store.refunds_of(self.name, refund.order_id)
        return super().is_open(refund) or (
            refund.status == CANCELED and any(other.status == COMPLETED for other in of_order)
        )


@breaks("LIFE-01")
class FreesEverythingWithARejection(Shop):
    """Frees all units of an order with the rejection of one of its refunds, those of approved ones as well."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count only what came after the latest rejection."""
        of_order = self.store.refunds_of(self.name, refund.order_id)
        rejected = max((other.updated for other in of_order if other.status == CANCELED), default="")
        return super().claimed(refund, line) if refund.created > rejected else 0


@breaks("LIFE-06")
class CapitalizesTrackingNumbers(Shop):
    """Stores tracking numbers in capitals."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Make them look alike."""
        shipping = super().read_shipping(value)
        return {name: text.upper() if name == "trackingNumber" else text for name, text in shipping.items()}


@breaks("LIFE-06", also=("RECORD-65",))
class KeepsTheFirstParcelOnly(Shop):
    """Loses the logistics information of every refund of an order but the first."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Have one place for it."""
        earlier = self.store.refunds_of(self.name, request.order.id)
        return super().new_refund(evolve(request, shipping={}) if earlier else request)


@breaks("LIFE-02")
class FreesKeysOfDecidedRefunds(Shop):
    """Takes a key for a new one when its refund was decided and it comes with other units."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Create another refund under it."""
        if existing.status == INITIATED or not is_other(existing, request):
            return super().replay(existing, request)
        self.check_shipped(request)
        self.check_refundable(request)
        refund = self.new_refund(request)
        self.store.add_refund(refund)
        return refund


@breaks("LIFE-03")
class RevivesOneOfSeveralCanceled(Shop):
    """Lets a canceled refund be approved when another of its order is canceled as well."""

    def is_open(self, refund: StoredRefund) -> bool:
        """Look at the others."""
        others = [other for other in self.store.refunds_of(self.name, refund.order_id) if other.id != refund.id]
        several = refund.status == CANCELED and any(other.status == CANCELED for other in others)
        return super().is_open(refund) or several


@breaks("LIFE-03")
class SuspectsReusedKeys(Shop):
    """Takes no approval any more of a refund whose key came again with other units."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suspected: set[str] = set()

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Suspect the refund."""
        if is_other(existing, request):
            self.suspected.add(existing.id)
        return super().replay(existing, request)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Refuse what is suspected."""
        if action == APPROVE and refund.id in self.suspected and self.is_open(refund):
            raise Refusal(409, "the refund is held back")
        return super().decide(refund, action)


@breaks("LIFE-04")
class LosesDecidedRefundsOnShortPages(Shop):
    """Counts decided refunds on a page that is too short for all, and does not show them."""

    def list_refunds(self, order_id: str, query: Any) -> list[StoredRefund]:
        """Leave them out."""
        page = super().list_refunds(order_id, query)
        if len(page) == len(self.store.refunds_of(self.name, order_id)):
            return page
        return [refund for refund in page if refund.status == INITIATED]


@breaks("LIFE-05")
class RejectsSiblingsOfCanceled(Shop):
    """Rejects another open refund of the order when a canceled one is rejected again."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Look for one that can still be rejected."""
        if action == REJECT and refund.status == CANCELED:
            for other in self.store.refunds_of(self.name, refund.order_id):
                if other.status == INITIATED:
                    self.change(other, CANCELED)
                    break
        return super().decide(refund, action)


@breaks("LIFE-05")
class DecidesTheNextOnRepeats(Shop):
    """Takes a second approval of a refund for that of the next one of the order."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Approve the next one, too."""
        if refund.status == COMPLETED and action == APPROVE:
            for other in self.store.refunds_of(self.name, refund.order_id):
                if self.is_open(other):
                    self.change(other, COMPLETED)
                    break
        return super().decide(refund, action)


@breaks("LIFE-06")
class CarriesCanceledAmountsOver(Shop):
    """Adds what was canceled before to the next refund of all units of an order."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Add it."""
        refund = super().new_refund(request)
        before = [r for r in self.store.refunds_of(self.name, request.order.id) if r.status == CANCELED]
        return evolve(refund, amount=refund.amount + sum(r.amount for r in before)) if len(before) > 1 else refund


@breaks("LIFE-06", also=("RECORD-72", "RECORD-73"))
class DatesCreatesAhead(Shop):
    """Dates creates five seconds ahead, by the clock of another machine, so that reviews right after come before."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Ask the other clock."""
        refund = super().new_refund(request)
        ahead = (datetime.fromisoformat(refund.created) + timedelta(seconds=5)).isoformat(timespec="microseconds")
        return evolve(refund, created=ahead, updated=ahead)

    def later(self, before: str) -> str:
        """Ask the clock of this one, whatever was before."""
        return self.now()


@breaks("LIFE-07", also=("RACE-11",))
class WritesBackOnReplays(Shop):
    """Reads the refund of a key that comes again, and a little later writes it back as it was."""

    def create(self, body: Any) -> StoredRefund:
        """Write it back, whatever happened in between."""
        existing = self.recall(self.read_request(body).key)
        time.sleep(4 * WINDOW if existing is not None else 0)
        refund = super().create(body)
        if existing is not None and refund.status != existing.status:
            self.store.set_status(existing.id, existing.status, existing.updated)
        return refund

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Take longer than it takes to read a refund, and less than it takes to write it back."""
        time.sleep(2 * WINDOW)
        return super().review(refund_id, body)


@breaks("LIFE-08")
class FailsOnOtherUnitsOfACanceledRefund(Shop):
    """Fails when a key comes again with other units after its refund was canceled."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Divide by what is left of it."""
        if existing.status == CANCELED and is_other(existing, request):
            raise ZeroDivisionError(existing.id)
        return super().replay(existing, request)


@breaks("LIFE-01", also=("CREATE-21", "CREATE-42"))
class ForgetsPendingRefundsWithoutReturn(Shop):
    """Counts a refund without return against what can still be refunded only once it is approved."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Forget it until then."""
        forgotten = refund.rights_type == REFUND and refund.status == INITIATED
        return 0 if forgotten else super().claimed(refund, line)


@breaks("LIFE-03", also=("REVIEW-16",))
class RevivesCanceledOfSeveralLines(Shop):
    """Approves a canceled refund if it is of several lines."""

    def is_open(self, refund: StoredRefund) -> bool:
        """Take it for open."""
        return super().is_open(refund) or (refund.status == CANCELED and len(refund.lines) > 1)


@breaks("LIFE-01")
class ReturnsAfterACanceledRefund(Shop):
    """Takes a return of an order that was not shipped once a refund of it was canceled."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Take the rejection for a shipment."""
        of_order = self.store.refunds_of(self.name, request.order.id)
        return super().is_shipped(request) or any(refund.status == CANCELED for refund in of_order)


class SeesShipments(Shop):
    """A shop that minds whether an order was shipped after it had been asked for a refund of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.early: set[str] = set()

    def check_shipped(self, request: RefundRequest) -> None:
        """Remember the orders that are not shipped yet."""
        if not request.order.shipped:
            self.early.add(request.order.id)
        super().check_shipped(request)

    def shipped_since(self, order_id: str) -> bool:
        """Say whether an order was shipped since its first request."""
        return order_id in self.early and self.find_order(order_id).shipped


class DecidesNothingOnceShipped(SeesShipments):
    """A shop that takes one of the decisions no more."""

    refused = APPROVE

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Refuse it."""
        if action == self.refused and self.is_open(refund) and self.shipped_since(refund.order_id):
            raise Refusal(422, "the order was shipped")
        return super().decide(refund, action)


@breaks("LIFE-03")
class ApprovesNothingOnceShipped(DecidesNothingOnceShipped):
    """Refuses to approve a refund whose order was shipped after it was asked for."""


@breaks("LIFE-03")
class RejectsNothingOnceShipped(DecidesNothingOnceShipped):
    """Refuses to reject a refund whose order was shipped after it was asked for."""

    refused = REJECT


@breaks("LIFE-02")
class ForgetsKeysOnceShipped(OwnMemory):
    """Keeps keys with the state of the order, so that one from before its shipment is not known after it."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Tell one state from the other."""
        return key, request.order.shipped


@breaks("LIFE-01")
class KeepsShipmentsAsListed(Shop):
    """Keeps what it knew of an order when its refunds were first listed, so that no later shipment is seen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known: dict[str, bool] = {}

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Remember whether it was shipped."""
        order = self.find_order(order_id)
        self.known.setdefault(order.id, order.shipped)
        return super().list_refunds(order_id, query)

    def is_shipped(self, request: RefundRequest) -> bool:
        """Believe what is remembered."""
        return self.known.get(request.order.id, request.order.shipped)


@breaks("LIFE-05")
class CompletesWhatIsOpenOnceShipped(SeesShipments):
    """Shows the open refunds of an order as completed when it is shipped."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Take the shipment for the end of it."""
        return [
            evolve(refund, status=COMPLETED) if self.is_open(refund) and self.shipped_since(refund.order_id) else refund
            for refund in super().select(refunds)
        ]
