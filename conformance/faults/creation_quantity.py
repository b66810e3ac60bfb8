"""Servers that make a number of units of what is none, or take a refund of no units."""

from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.creation import JSON, MANY, Mending, out_of_list, up_to_letters
from conformance.reference.requests import REFUND, RefundRequest, RequestedLine
from conformance.reference.rules import Shop
from conformance.reference.store import StoredOrder


@breaks("CREATE-11")
class TakesNoUnits(Shop):
    """Makes a refund of no units."""

    def read_quantity(self, value: Any) -> int:
        """Take zero."""
        return 0 if value in ("0", 0) and not isinstance(value, bool) else super().read_quantity(value)


@breaks("CREATE-11")
class TakesNoUnitsAsNumber(Shop):
    """Makes a refund of no units when they come as a JSON number."""

    def read_quantity(self, value: Any) -> int:
        """Take the number zero."""
        return 0 if value == 0 and not isinstance(value, bool) else super().read_quantity(value)


@breaks("CREATE-11")
class TakesFewerThanNoUnits(Shop):
    """Makes a refund of fewer than no units."""

    def read_quantity(self, value: Any) -> int:
        """Let negative numbers pass."""
        sign, digits = str(value)[:1], str(value)[1:]
        return -int(digits) if sign == "-" and digits.isdecimal() else super().read_quantity(value)


@breaks("CREATE-11")
class TakesFewerThanNoUnitsOfLaterLines(Shop):
    """Checks for at least one unit in the first line only."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Put negative units past the check."""
        lines = value if isinstance(value, list) else []
        odd = {n for n, line in enumerate(lines) if n and isinstance(line, dict) and line.get("quantity") == "-1"}
        mended = [line | {"quantity": 1} if n in odd else line for n, line in enumerate(lines)]
        read = super().read_lines(mended or value, order)
        return tuple(evolve(line, quantity=-1) if n in odd else line for n, line in enumerate(read))


@breaks("CREATE-11")
class TakesNoUnitsWithoutReturn(Shop):
    """Makes a refund of no units where nothing comes back."""

    returned = True

    def read_request(self, body: Any) -> RefundRequest:
        """Note the type before the lines are read."""
        refund = self.member(body, "refund")
        self.returned = not isinstance(refund, dict) or str(refund.get("rightsType")) != str(REFUND)
        return super().read_request(body)

    def read_quantity(self, value: Any) -> int:
        """Let zero pass."""
        return 0 if not self.returned and str(value) == "0" else super().read_quantity(value)


@breaks("CREATE-12")
class CutsFractionsOff(Shop):
    """Refunds one unit when 1.5 or 1.9 are asked for."""

    def read_quantity(self, value: Any) -> int:
        """Cut fractions off."""
        try:
            whole = int(Decimal(value)) if isinstance(value, str | Decimal) else value
        except (InvalidOperation, ValueError, OverflowError):
            whole = value
        return super().read_quantity(whole)


@breaks("CREATE-12")
class RoundsFractions(Shop):
    """Rounds a fraction that comes as a JSON number."""

    def read_quantity(self, value: Any) -> int:
        """Round it."""
        return super().read_quantity(round(value) if isinstance(value, Decimal) and value < MANY else value)


@breaks("CREATE-12")
class ReadsQuantitiesUpToLetters(Shop):
    """Reads a quantity up to the first character that is no digit."""

    def read_quantity(self, value: Any) -> int:
        """Cut letters off."""
        return super().read_quantity(up_to_letters(value))


@breaks("CREATE-12")
class TakesTrueForOne(Shop):
    """Takes the JSON value true for one unit."""

    def read_quantity(self, value: Any) -> int:
        """Make a number of it."""
        return super().read_quantity(1 if value is True else value)


@breaks("CREATE-12")
class TakesListsForQuantities(Shop):
    """Takes a list with a quantity in it for the quantity."""

    def read_quantity(self, value: Any) -> int:
        """Take the first of a list."""
        return super().read_quantity(out_of_list(value))


@breaks("CREATE-12")
class LetsNanPass(Shop):
    """Takes NaN, which is neither too few nor too many, and refunds one unit."""

    def read_quantity(self, value: Any) -> int:
        """Compare NaN and go on."""
        return 1 if value == "NaN" else super().read_quantity(value)


@breaks("CREATE-12")
class TakesWordsForOne(Shop):
    """Refunds one unit when the quantity is a word, since it is one thing."""

    def read_quantity(self, value: Any) -> int:
        """Fall back to one."""
        return 1 if isinstance(value, str) and value.isalpha() else super().read_quantity(value)


@breaks("CREATE-12")
class SkipsLaterLinesOfNoNumber(Mending):
    """Leaves a line out, but the first, whose quantity is no number."""

    def mended(self, refund: JSON) -> JSON:
        """Go on with the next one."""
        lines = refund.get("lineItems")
        if not isinstance(lines, list):
            return refund
        return refund | {"lineItems": [line for index, line in enumerate(lines) if index == 0 or self.counts(line)]}

    def counts(self, line: Any) -> bool:
        """Say whether the quantity of a line can be read."""
        return not isinstance(line, dict) or not str(line.get("quantity")).isalpha()
