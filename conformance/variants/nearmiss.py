"""Honest servers that are more or less generous with values next to legal ones."""

from decimal import Decimal, InvalidOperation
from typing import Any

from conformance.reference.requests import MAX_NUMBER, Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredOrder
from conformance.variants import reads


@reads("A01", aspect="spelling of numbers")
class ReadsNumbersGenerously(Shop):
    """Takes any text that spells a whole number for it: with spaces, a sign, a zero fraction, or in other digits."""

    def number(self, value: Any, name: str) -> int:
        """Return what the text spells."""
        if not isinstance(value, str):
            return super().number(value, name)
        try:
            spelled = Decimal(value.strip())
        except InvalidOperation:
            raise Refusal(400, f"{name} must be a number") from None
        if not spelled.is_finite() or abs(spelled) > MAX_NUMBER or spelled != spelled.to_integral_value():
            raise Refusal(400, f"{name} must be a whole number")
        return int(spelled)

    def ident(self, value: Any, name: str) -> str:
        """Return an id that may be spelled in many ways."""
        number = self.number(value, name)
        if number < 1:
            raise Refusal(400, f"{name} must be an id")
        return str(number)


@reads("A01", aspect="spelling of numbers")
class TakesDigitsAlone(Shop):
    """Takes no text for a number but its plain digits."""

    def number(self, value: Any, name: str) -> int:
        """Refuse every other spelling."""
        number = super().number(value, name)
        if isinstance(value, str) and value != str(number):
            raise Refusal(400, f"{name} must be written in plain digits")
        return number


@reads("A11", "A12", "A13", "A15", aspect="odd options")
class LeavesOddOptionsAside(Shop):
    """Leaves optional members aside that it cannot read."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Leave aside what is no text."""
        if isinstance(value, dict):
            value = {name: text for name, text in value.items() if isinstance(text, str)}
        return super().read_shipping(value if isinstance(value, dict) else None)

    def read_reason(self, value: Any) -> str:
        """Leave aside what is no text."""
        return super().read_reason(value if isinstance(value, str) else None)

    def read_reason_type(self, value: Any) -> str:
        """Leave aside what is no number."""
        try:
            return super().read_reason_type(value)
        except Refusal:
            return "0"

    def read_customer(self, value: Any, order: StoredOrder) -> str:
        """Leave aside what is no id."""
        try:
            return super().read_customer(value, order)
        except Refusal:
            return order.customer
