"""Servers that take an id of a review for another that is nearly it."""

from typing import Any

from conformance.faults import breaks
from conformance.reference.rules import Shop
from conformance.reference.store import StoredOrder, StoredRefund


@breaks("REVIEW-10")
class ReviewsUnderOrdersByFloats(Shop):
    """Takes the order of a review for the refund's own if its id is the same floating-point number."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Try the ids around it."""
        order_id = str(body.get("orderId", "")) if isinstance(body, dict) else ""
        for step in (0, 1, -1) if order_id.isdecimal() else ():
            near = str(int(order_id) + step)
            if self.store.order(self.name, near) is not None:
                return super().review(refund_id, {**body, "orderId": near})
        return super().review(refund_id, body)


@breaks("REVIEW-11")
class ReviewsByFloats(Shop):
    """Reviews the refund of the order whose id is the same floating-point number."""

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Try the ids around it."""
        for step in (0, 1, -1):
            refund = self.store.refund(self.name, str(int(refund_id) + step))
            if refund is not None and refund.order_id == order.id and self.reviewing:
                return refund
        return super().find_refund(order, refund_id)

    reviewing = False

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Know that this is a review."""
        self.reviewing = True
        try:
            return super().review(refund_id, body)
        finally:
            self.reviewing = False


@breaks("REVIEW-11")
class ComparesOnlyWhatIsThere(Shop):
    """Compares the refund of the body with that of the path only where there is one of that id."""

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Leave out what is not there."""
        inside = str(body.get("refundId", ""))
        if inside.isdecimal() and self.store.refund(self.name, inside) is None:
            return super().named_refund(refund_id, {**body, "refundId": None})
        return super().named_refund(refund_id, body)
