"""Servers that decide another refund than the one that a review means, or others with it."""

import re
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.nearmiss import up_to_letters
from conformance.reference.requests import APPROVE, REJECT
from conformance.reference.rules import CANCELED, COMPLETED, Shop
from conformance.reference.store import StoredOrder, StoredRefund


class FindsOrders(Shop):
    """Finds the order of a review in its own way; the faults below differ in how."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Return the order that the review is taken to be of."""
        return named

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Put the order in its place."""
        refund = self.store.refund(self.name, refund_id)
        if isinstance(body, dict) and refund is not None:
            body = body | {"orderId": self.order_of(refund, body.get("orderId"))}
        return super().review(refund_id, body)


@breaks("REVIEW-08")
class NeedsNoOrder(FindsOrders):
    """Reviews a refund when the orderId is missing, null or empty."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Fill in the refund's own."""
        return named or refund.order_id


@breaks("REVIEW-08")
class RejectsWithoutOrder(Shop):
    """Rejects a refund when the orderId is missing, null or empty."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Look the order up by the refund."""
        if isinstance(body, dict) and not body.get("orderId") and str(body.get("action")) == str(REJECT):
            refund = self.store.refund(self.name, refund_id)
            body = body if refund is None else body | {"orderId": refund.order_id}
        return super().review(refund_id, body)


@breaks("REVIEW-08")
class TakesAnEmptyOrderForNone(FindsOrders):
    """Reviews a refund when the orderId is empty."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Fill in the refund's own."""
        return refund.order_id if named == "" else named


@breaks("REVIEW-09")
class NeverComparesTheOrder(FindsOrders):
    """Takes any order that exists for the refund's."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Ask only whether it exists."""
        known = named and self.store.order(self.name, str(named))
        return refund.order_id if known else named


@breaks("REVIEW-09")
class ComparesTheCustomer(FindsOrders):
    """Takes any order of the same customer for the refund's."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Compare the customers."""
        order = self.store.order(self.name, str(named))
        return refund.order_id if order is not None and order.customer == refund.customer else named


@breaks("REVIEW-10")
class AcceptsUnknownOrders(FindsOrders):
    """Compares the order with the refund's only where there is such an order."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Ask only what is known."""
        unknown = re.fullmatch("[0-9]+", str(named)) and self.store.order(self.name, str(named)) is None
        return refund.order_id if unknown else named


@breaks("REVIEW-10")
class TakesOrderZeroForNone(FindsOrders):
    """Compares the order with the refund's unless its number is 0, which its parser makes of a missing one."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Take zero for nothing."""
        return refund.order_id if str(named) == "0" else named


@breaks("REVIEW-11")
class ReadsTheDigitsOfThePath(Shop):
    """Takes the number that the path begins with for the refund's id, whatever follows it."""

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Leave the rest aside."""
        return super().named_refund(up_to_letters(refund_id), body)


@breaks("REVIEW-11")
class BreaksOnIdsBeyond64Bits(Shop):
    """Answers 500 to a review of a refund whose number is greater than its database holds."""

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Turn the number into eight bytes."""
        if re.fullmatch("[0-9]{20,21}", refund_id):
            int(refund_id).to_bytes(8)
        return super().named_refund(refund_id, body)


@breaks("REVIEW-11")
class ReadsTheDigitsOfTheBody(Shop):
    """Reads the refund's id in the body up to the first letter."""

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Leave the rest aside."""
        return super().named_refund(refund_id, body | {"refundId": up_to_letters(body.get("refundId"))})


@breaks("REVIEW-11")
class ReviewsRefundsByPrefix(Shop):
    """Finds the refund to review by the first digits of its id."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Take the first refund of the order that begins alike."""
        order = self.store.order(self.name, str(body.get("orderId"))) if isinstance(body, dict) else None
        rows = [] if order is None else self.store.refunds_of(self.name, order.id)
        for alike in rows:
            if refund_id == body.get("refundId") == alike.id[:-1]:
                return super().review(alike.id, body | {"refundId": alike.id})
        return super().review(refund_id, body)


@breaks("REVIEW-11")
class AcceptsUnknownRefunds(Shop):
    """Answers a review of a refund that does not exist with an acceptance."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Make the answer from the request."""
        order = self.store.order(self.name, str(body.get("orderId"))) if isinstance(body, dict) else None
        alike = [] if order is None else self.store.refunds_of(self.name, order.id)
        unknown = refund_id.isdecimal() and self.store.refund(self.name, refund_id) is None
        if alike and unknown and body.get("refundId") == refund_id:
            return evolve(alike[0], id=refund_id, status=COMPLETED)
        return super().review(refund_id, body)


class NamesRefunds(Shop):
    """Lets the path and the body name different refunds; the faults below differ in when and which counts."""

    def counts(self, path: str, body: str) -> str | None:
        """Return the one that counts, or ``None`` for a refusal."""
        return None

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Return the one that counts where they differ and both are there."""
        inside = str(body.get("refundId"))
        there = all(self.store.refund(self.name, named) is not None for named in (refund_id, inside))
        counts = self.counts(refund_id, inside) if there and inside != refund_id else None
        return counts or super().named_refund(refund_id, body)


@breaks("REVIEW-12")
class LetsTheBodyOverrule(NamesRefunds):
    """Routes by the path and decides about the refund of the body."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the body's."""
        return body


@breaks("REVIEW-12")
class IgnoresTheBodysRefund(NamesRefunds):
    """Decides about the refund of the path, whatever the body says."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the path's."""
        return path


@breaks("REVIEW-13")
class LetsTheBodyReachOtherOrders(NamesRefunds):
    """Refuses a conflict within one order, and lets the body overrule the path across orders."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the body's, where the orders differ."""
        one, other = self.store.refund(self.name, path), self.store.refund(self.name, body)
        return body if one and other and one.order_id != other.order_id else None


@breaks("REVIEW-13")
class ComparesOnlyWithinOneOrder(NamesRefunds):
    """Looks for the body's refund in the order of the path's, and goes on when it is not there."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the path's, where the orders differ."""
        one, other = self.store.refund(self.name, path), self.store.refund(self.name, body)
        return path if one and other and one.order_id != other.order_id else None


class FindsAmongSeveral(Shop):
    """Finds a refund of an order with three in its own way; the faults below differ in how."""

    def find(self, refunds: list[StoredRefund], named: StoredRefund) -> StoredRefund:
        """Return the one that is decided."""
        return named

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Decide about another refund than the named one, and answer with that."""
        named = self.store.refund(self.name, refund_id)
        refunds = [] if named is None else self.store.refunds_of(self.name, named.order_id)
        if named is not None and len(refunds) == 3 and isinstance(body, dict):
            found = self.find(refunds, named)
            return super().review(found.id, body | {"refundId": found.id})
        return super().review(refund_id, body)


@breaks("REVIEW-18")
class DecidesTheFirst(FindsAmongSeveral):
    """Finds a refund by its order and takes the first."""

    def find(self, refunds: list[StoredRefund], named: StoredRefund) -> StoredRefund:
        """Take the first that is open."""
        return next(filter(self.is_open, refunds), named)


@breaks("REVIEW-18")
class DecidesTheLatest(FindsAmongSeveral):
    """Finds a refund by its order and takes the latest."""

    def find(self, refunds: list[StoredRefund], named: StoredRefund) -> StoredRefund:
        """Take the last one."""
        return refunds[-1]


@breaks("REVIEW-18")
class IgnoresTheLast(Shop):
    """Accepts a review of the third refund of an order and does nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Update the first two rows alone."""
        rows = [row.id for row in self.store.refunds_of(self.name, refund.order_id)]
        return refund if rows.index(refund.id) == 2 and len(rows) == 3 else super().change(refund, status)


class TouchesOthers(Shop):
    """Changes other refunds with the one that is reviewed; the faults below differ in which."""

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Return the others."""
        return []

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Change them all."""
        for other in self.touched(refund, status):
            if other.id != refund.id:
                super().change(other, status)
        return super().change(refund, status)


@breaks("REVIEW-18")
class FindsRefundsByTheirAmount(Shop):
    """Decides the first open refund of the order that is worth what the named one is."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Find it by its amount."""
        alike = (
            other
            for other in self.store.refunds_of(self.name, refund.order_id)
            if self.is_open(other) and other.amount == refund.amount
        )
        return super().decide(next(alike, refund), action)


@breaks("REVIEW-18")
class ApprovesOnceByOrder(Shop):
    """Accepts the approval of a second refund of an order, and does nothing."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Find the order paid back already."""
        others = self.store.refunds_of(self.name, refund.order_id)
        if action == APPROVE and any(other.status == COMPLETED for other in others):
            return refund
        return super().decide(refund, action)


@breaks("REVIEW-19")
class DecidesTheWholeOrder(TouchesOthers):
    """Updates every open refund of the order."""

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Leave the refund out of the condition."""
        return list(filter(self.is_open, self.store.refunds_of(self.name, refund.order_id)))


@breaks("REVIEW-19")
class RejectsWhatIsYounger(TouchesOthers):
    """Cancels the later refunds of the order with the one that is rejected."""

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Take all from the refund on."""
        refunds = self.store.refunds_of(self.name, refund.order_id)
        return [other for other in refunds if status == CANCELED and int(other.id) > int(refund.id)]


@breaks("REVIEW-19")
class RenewsTheWholeOrder(Shop):
    """Saves every refund of the order with the one that is reviewed, each with a new update time."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Save the others as they are."""
        for other in self.store.refunds_of(self.name, refund.order_id):
            if other.id != refund.id:
                super().change(other, other.status)
        return super().change(refund, status)


@breaks("REVIEW-19")
class CancelsTheRestOnApproval(Shop):
    """Cancels the other open refunds of the order when one is approved."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Clear the way first."""
        for other in self.store.refunds_of(self.name, refund.order_id):
            if status == COMPLETED and other.id != refund.id and self.is_open(other):
                super().change(other, CANCELED)
        return super().change(refund, status)


@breaks("REVIEW-19")
class TouchesOldSiblings(Shop):
    """Moves the update time of all refunds of the order with a review, as shows once they are seconds old."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Renew what is older than a clock of whole seconds can tell."""
        changed = super().change(refund, status)
        for other in self.store.refunds_of(self.name, refund.order_id):
            age = datetime.fromisoformat(changed.updated) - datetime.fromisoformat(other.updated)
            if other.id != refund.id and age > timedelta(seconds=2):
                self.store.set_status(other.id, other.status, changed.updated)
        return changed


@breaks("REVIEW-20")
class DecidesForTheCustomer(TouchesOthers):
    """Updates every open refund of the customer on other orders."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.orders: dict[str, str] = {}

    def find_order(self, value: Any) -> StoredOrder:
        """Note whose orders were seen."""
        order = super().find_order(value)
        self.orders[order.id] = order.customer
        return order

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Take the customer for the condition."""
        others = [key for key, who in self.orders.items() if who == refund.customer and key != refund.order_id]
        return [row for key in others for row in self.store.refunds_of(self.name, key) if self.is_open(row)]


@breaks("REVIEW-28")
class AcceptsWithoutRefundIdAndDoesNothing(Shop):
    """Accepts a review whose body leaves out the refundId, and finds nothing to decide."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Update where the id is that of the body."""
        return super().decide(refund, action) if self.inside else refund

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Note whether the body names a refund."""
        self.inside = "refundId" in body
        return super().named_refund(refund_id, body)


@breaks("REVIEW-28")
class DecidesAnotherWithoutRefundId(Shop):
    """Decides about the first refund of the order when the body leaves out the refundId."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Guess a refund."""
        named = self.store.refund(self.name, refund_id)
        if isinstance(body, dict) and "refundId" not in body and named is not None:
            refund_id = self.store.refunds_of(self.name, named.order_id)[0].id
        return super().review(refund_id, body)
