"""Servers that take no create in the page's own shape, or store another refund than was asked for."""

import re
from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REFUND, RefundRequest, Refusal, RequestedLine
from conformance.reference.rules import COMPLETED, Shop
from conformance.reference.store import StoredOrder, StoredRefund

MANY, FEW = 100, 3
JSON = dict[str, Any]


def up_to_letters(value: Any) -> Any:
    """Return what a lenient parser makes of a text: the digits at its beginning."""
    match = re.match(r"-?[0-9]+", value) if isinstance(value, str) else None
    return match[0] if match else value


def out_of_list(value: Any) -> Any:
    """Return the first of a list."""
    return value[0] if isinstance(value, list) and value else value


class Mending(Shop):
    """A shop that mends what it is asked before it reads it."""

    def read_request(self, body: Any) -> RefundRequest:
        """Read the mended request."""
        refund = body.get("refund") if isinstance(body, dict) else None
        return super().read_request({"refund": self.mended(refund)} if isinstance(refund, dict) else body)

    def mended(self, refund: JSON) -> JSON:
        """Return the refund that the shop believes to be asked for."""
        return refund


def units_of(refund: StoredRefund | RefundRequest) -> int:
    """Return how many units a refund is of."""
    return sum(part.quantity for part in refund.lines)


# The shape of the body.


@breaks("CREATE-01", also=("SHIP-06",))
class ExpectsNoWrapper(Shop):
    """Takes the fields of a refund only without the wrapper that the page shows."""

    def read_request(self, body: Any) -> RefundRequest:
        """Read the fields from the top."""
        return super().read_request({"refund": body})


@breaks("CREATE-01", also=("SHIP-06",))
class ExpectsSnakeCase(Mending):
    """Takes order_id instead of orderId, as an older edition of the page."""

    def mended(self, refund: JSON) -> JSON:
        """Know the other name only."""
        return refund | {"orderId": refund.get("order_id")}


# What is stored.


@breaks("CREATE-28")
class DropsLinesOfBigRefunds(Shop):
    """Stores the first two lines of a refund of more than 100 units."""

    def read_request(self, body: Any) -> RefundRequest:
        """Cut the lines off."""
        request = super().read_request(body)
        return evolve(request, lines=request.lines[:2]) if units_of(request) > MANY else request


@breaks("CREATE-28")
class MatchesLinesByPlace(Shop):
    """Refunds the first lines of the order when three are asked for, the last one first."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Match the lines by their place."""
        lines = super().read_lines(value, order)
        if len(lines) < FEW or lines[0].line != order.lines[-1]:
            return lines
        pairs = zip(lines, order.lines, strict=False)
        return tuple(evolve(part, line=line, quantity=min(part.quantity, line.quantity)) for part, line in pairs)


@breaks("CREATE-28")
class CountsUnitsInBytes(Shop):
    """Refuses more units of a line than a byte can count."""

    def read_quantity(self, value: Any) -> int:
        """Refuse what does not fit."""
        quantity = super().read_quantity(value)
        if quantity.bit_length() > 7:
            raise Refusal(400, "quantity is out of range")
        return quantity


@breaks("CREATE-28")
class KeepsTenLines(Shop):
    """Stores ten lines of a refund at most."""

    most = 10

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Cut the rest off."""
        return super().read_lines(value, order)[: self.most]


@breaks("CREATE-28")
class KeepsTwentyLines(KeepsTenLines):
    """Stores twenty lines of a refund at most."""

    most = 20


@breaks("CREATE-29")
class CapsUnitsAtTwoDigits(Shop):
    """Stores no more than 99 units of a line."""

    def read_quantity(self, value: Any) -> int:
        """Keep two digits."""
        quantity = super().read_quantity(value)
        return 99 if MANY <= quantity < 10 * MANY else quantity


@breaks("CREATE-29")
class CapsUnitsAtThreeDigits(Shop):
    """Stores no more than 999 units of a line."""

    def read_quantity(self, value: Any) -> int:
        """Keep three digits."""
        quantity = super().read_quantity(value)
        return 999 if 10 * MANY <= quantity < 100 * MANY else quantity


@breaks("CREATE-29")
class SortsLinesButNotUnits(Shop):
    """Sorts the lines of a request, but not their units, when three are asked for, the last one first."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Sort the lines."""
        lines = super().read_lines(value, order)
        if len(lines) < FEW or lines[0].line != order.lines[-1]:
            return lines
        inside = sorted((part.line for part in lines), key=lambda line: line.quantity)
        units = sorted((part.quantity for part in lines), key=lambda quantity: (quantity == min(3, quantity), quantity))
        pairs = zip(lines, inside, units, strict=True)
        return tuple(evolve(part, line=line, quantity=min(number, line.quantity)) for part, line, number in pairs)


@breaks("CREATE-30")
class CompletesBigRefundsAtOnce(Shop):
    """Starts a refund of more than 100 units as completed."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Skip the review."""
        refund = super().new_refund(request)
        return evolve(refund, status=COMPLETED) if units_of(refund) > MANY else refund


@breaks("CREATE-30")
class CompletesRefundsWithoutReturnAtOnce(Shop):
    """Starts a refund without a return as completed, when the order has had a return."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Wait for no parcel, and for no review either."""
        refund = super().new_refund(request)
        earlier = self.store.refunds_of(self.name, request.order.id)
        skips = refund.rights_type == REFUND and [old.status for old in earlier] == [COMPLETED]
        return evolve(refund, status=COMPLETED) if skips else refund


@breaks("CREATE-30")
class CompletesWholeOrdersAtOnce(Shop):
    """Starts a refund of all units of an order of several lines as completed: nothing is left to decide about."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Skip the review."""
        refund = super().new_refund(request)
        bought = sum(line.quantity for line in request.order.lines)
        whole = len(request.order.lines) > 1 and units_of(refund) == bought
        return evolve(refund, status=COMPLETED) if whole else refund


@breaks("CREATE-30")
class CompletesPettyRefundsAtOnce(Shop):
    """Starts a refund of less than five cents as completed: it is not worth a review."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Skip the review."""
        refund = super().new_refund(request)
        return evolve(refund, status=COMPLETED) if refund.amount < Decimal("0.05") else refund


@breaks("CREATE-30")
class CompletesDearUnitsAtOnce(Shop):
    """Starts a refund of a single unit that cost thousands as completed: its buyer is known by name."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Skip the review."""
        refund = super().new_refund(request)
        return evolve(refund, status=COMPLETED) if units_of(refund) == 1 and refund.amount > 10 * MANY else refund


@breaks("CREATE-31")
class TellsAnotherIdOfBigRefunds(Shop):
    """Answers a create of more than 100 units with an id that is not the refund's."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Tell the next id."""
        wrong = operation == "create" and units_of(refund) > MANY
        return super().one(operation, evolve(refund, id=str(int(refund.id) + 1)) if wrong else refund)
