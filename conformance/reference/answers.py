"""How the reference writes what it answers: each field of a record a small method (page lines 34-96)."""

from decimal import Decimal
from typing import Any

from conformance.reference.store import StoredRefund, StoredRefundLine

JSON = dict[str, Any]


class Answers:
    """The form of the answers: numbers as text as in the examples (readings A01 and A02)."""

    def success_status(self, operation: str) -> int:
        """Return the HTTP status of an acceptance (reading A36: 200)."""
        return 200

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Return the body with one refund."""
        return {"refund": self.record(operation, refund)}

    def many(self, refunds: list[StoredRefund]) -> JSON:
        """Return the body of a list."""
        return {"refunds": [self.record("list", refund) for refund in refunds]}

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Return a refund as an operation answers it."""
        record: JSON = {
            "refundId": self.render_id(operation, refund.id),
            "customerId": self.render_id(operation, refund.customer),
            "lineItems": self.render_lines(operation, refund),
            "createTime": self.render_time(refund.created),
            "updateTime": self.render_time(refund.updated),
            "amount": self.render_amount(operation, refund),
            "status": self.render_count(operation, self.shown_status(operation, refund)),
            "rightsType": self.render_count(operation, refund.rights_type),
        }
        if self.shows_order_id(operation):
            record["orderId"] = self.render_id(operation, refund.order_id)
        shipping = self.render_shipping(refund.shipping)
        if shipping is not None:
            record["shipping"] = shipping
        return record

    def shown_status(self, operation: str, refund: StoredRefund) -> int:
        """Return the status that an operation shows."""
        return refund.status

    def shows_order_id(self, operation: str) -> bool:
        """Say whether an operation's record names the order: only create's must (reading A16)."""
        return operation == "create"

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Return the lines of a refund."""
        return [self.render_line(operation, line) for line in refund.lines]

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Return one line, with all that the examples show (page lines 69-80)."""
        return {
            "totalTax": self.render_money(operation, Decimal(0)),
            "lineItem": {
                "productId": self.render_id(operation, line.line.product),
                "variantId": self.render_id(operation, line.line.variant),
            },
            "quantity": self.render_count(operation, line.quantity),
            "lineItemId": self.render_id(operation, line.line.id),
            "subtotal": self.render_money(operation, line.subtotal),
            "rightsReason": line.reason,
            "rightsReasonType": line.reason_type,
        }

    def render_id(self, operation: str, value: str) -> Any:
        """Return an id in its wire form."""
        return value

    def render_count(self, operation: str, value: int) -> Any:
        """Return a small whole number in its wire form."""
        return str(value)

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Return the amount of a refund in its wire form."""
        return self.render_money(operation, refund.amount)

    def render_money(self, operation: str, value: Decimal) -> Any:
        """Return an exact decimal with at least two places."""
        return f"{value:.2f}" if value == value.quantize(Decimal("0.01")) else f"{value:f}"

    def render_time(self, value: str) -> str:
        """Return a time as ISO 8601 with an offset (reading A08)."""
        return value

    def render_shipping(self, shipping: dict[str, str]) -> JSON | None:
        """Return the logistics information, empty texts where there is none (reading A13)."""
        return {name: shipping.get(name, "") for name in ("shippingCarrierCode", "shippingCarrier", "trackingNumber")}
