"""Honest readings of how an amount is written."""

from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.reference.answers import JSON
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund, StoredRefundLine
from conformance.variants import reads


def plain(value: Decimal) -> Decimal:
    """Return a value without zeros at its end."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


@reads("A02", "A03", aspect="amount form")
class WritesAmountsAsNumbers(Shop):
    """Writes sums as JSON numbers, without zeros at their end."""

    def render_money(self, operation: str, value: Decimal) -> Any:
        """Return the number."""
        return plain(value)


@reads("A02", aspect="amount form")
class WritesAmountsInQuotes(Shop):
    """Writes the amount as text with quotation marks inside, as the examples show it."""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Wrap the text."""
        return f'"{super().render_amount(operation, refund)}"'


@reads("A03", aspect="amount form")
class WritesFourDecimals(Shop):
    """Writes sums with four decimals."""

    def render_money(self, operation: str, value: Decimal) -> Any:
        """Add zeros."""
        return f"{value:.4f}" if value == value.quantize(Decimal("0.0001")) else f"{value:f}"


@reads("A03", aspect="amount form")
class WritesNoNeedlessDecimals(Shop):
    """Writes sums as text without zeros at their end, so that a whole one has no point."""

    def render_money(self, operation: str, value: Decimal) -> Any:
        """Return the shortest text."""
        return f"{plain(value):f}"


@reads("A02", "A03", aspect="amount form")
class WritesAmountsByOperation(Shop):
    """Writes the amount in quotes in create, as a number in review and list, and as text with three decimals in get."""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Return the form of the operation."""
        if operation == "create":
            return f'"{refund.amount:f}"'
        exact = refund.amount == refund.amount.quantize(Decimal("0.001"))
        text = f"{refund.amount:.3f}" if exact else f"{refund.amount:f}"
        return text if operation == "get" else plain(refund.amount)


@reads("A04", aspect="subtotal")
class ShowsUnitPricesAsSubtotals(Shop):
    """Shows the price of one unit as the subtotal of a line."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Divide by the units."""
        return super().render_line(operation, evolve(line, subtotal=line.line.price))
