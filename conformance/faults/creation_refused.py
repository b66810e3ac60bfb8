"""Servers that take creates with one thing wrong, or keep something of those that they refuse."""

import re
from collections import Counter
from decimal import Decimal
from typing import Any

from conformance.faults import breaks
from conformance.faults.creation import JSON, MANY, Mending, out_of_list, up_to_letters
from conformance.reference.requests import REFUND, RETURN_AND_REFUND, RefundRequest, Refusal, RequestedLine
from conformance.reference.rules import Shop
from conformance.reference.store import FIRST_ID, KINDS, StoredLine, StoredOrder, StoredRefund

RANGE = 1_000_000


# The order.


@breaks("CREATE-06")
class TakesListsForOrderIds(Mending):
    """Takes a list with an order's id in it for the id."""

    def mended(self, refund: JSON) -> JSON:
        """Take the first of a list."""
        return refund | {"orderId": out_of_list(refund.get("orderId"))}


@breaks("CREATE-06")
class FindsTheOrderByItsLine(Mending):
    """Looks for the order of the first line when a request names none."""

    def mended(self, refund: JSON) -> JSON:
        """Search all orders."""
        if refund.get("orderId"):
            return refund
        wanted = refund["lineItems"][0]["lineItemId"]
        first = FIRST_ID + RANGE * KINDS.index("order")
        orders = (self.store.order(self.name, str(number)) for number in range(first, first + 70 * MANY, 7))
        found = [order.id for order in orders if order and wanted in {line.id for line in order.lines}]
        return refund | {"orderId": next(iter(found), None)}


@breaks("CREATE-07")
class ReadsOrderIdsUpToLetters(Mending):
    """Reads the id of an order up to the first character that is no digit."""

    def mended(self, refund: JSON) -> JSON:
        """Cut letters off."""
        return refund | {"orderId": up_to_letters(refund.get("orderId"))}


@breaks("CREATE-07")
class FailsOnOrdersBelowZero(Mending):
    """Breaks when the number of an order is negative."""

    def mended(self, refund: JSON) -> JSON:
        """Turn the number into eight bytes without a sign."""
        if re.fullmatch(r"-?[0-9]{1,19}", str(refund.get("orderId"))):
            int(refund["orderId"]).to_bytes(8)
        return refund


@breaks("CREATE-07")
class FailsOnOrdersBeyond64Bits(Mending):
    """Breaks when the number of an order is greater than its database holds."""

    def mended(self, refund: JSON) -> JSON:
        """Turn the number into eight bytes."""
        if re.fullmatch(r"[0-9]{20,21}", str(refund.get("orderId"))):
            int(refund["orderId"]).to_bytes(8)
        return refund


@breaks("CREATE-07")
class CutsOrderIdsOff(Mending):
    """Keeps no more digits of an order's id than its own ids have."""

    def mended(self, refund: JSON) -> JSON:
        """Cut a digit off."""
        sent = refund.get("orderId")
        return refund | {"orderId": sent[:19] if isinstance(sent, str) and sent.isdecimal() else sent}


@breaks("CREATE-07")
class FindsOrdersByTheirBeginning(Mending):
    """Finds an order by an id that lacks the last digit."""

    def mended(self, refund: JSON) -> JSON:
        """Try each digit."""
        orders = (self.store.order(self.name, f"{refund.get('orderId')}{digit}") for digit in range(10))
        lines = refund.get("lineItems")
        asked = {str(line.get("lineItemId")) for line in lines if isinstance(line, dict)} if lines else set()
        found = [order.id for order in orders if order and asked & {line.id for line in order.lines}]
        return refund | {"orderId": found[0]} if found else refund


# The lines.


@breaks("CREATE-08")
class MissingLineMeansTheFirst(Shop):
    """Refunds the first line of the order when a line has no id."""

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Fill in the first line."""
        missing = isinstance(value, dict) and value.get("lineItemId") in (None, "")
        return super().read_line(value | {"lineItemId": order.lines[0].id} if missing else value, order)


@breaks("CREATE-08")
class TakesListsForLineIds(Shop):
    """Takes a list with a line's id in it for the id."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Take the first of a list."""
        return super().find_line(out_of_list(value), order)


@breaks("CREATE-09")
class UnknownLineMeansTheFirst(Shop):
    """Refunds the first line of the order when it has no line of that id."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Fall back to the first line."""
        if not str(value).isdecimal() or str(value) in {line.id for line in order.lines}:
            return super().find_line(value, order)
        return order.lines[0]


@breaks("CREATE-09")
class ReadsLineIdsUpToLetters(Shop):
    """Reads the id of a line up to the first character that is no digit."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Cut letters off."""
        return super().find_line(up_to_letters(value), order)


@breaks("CREATE-10")
class TakesLinesOfOtherOrders(Shop):
    """Takes a line of another order, and counts it as the first of this one."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Take what looks like a line's id for one."""
        known = {line.id for line in order.lines}
        text, own = str(value), int(order.lines[0].id)
        foreign = text.isdecimal() and text not in known and abs(int(text) - own) < RANGE
        return order.lines[0] if foreign else super().find_line(value, order)


@breaks("CREATE-10")
class TakesLinesOfOtherOrdersAmongOthers(TakesLinesOfOtherOrders):
    """Asks for the order of a line only where the request has no other."""

    several = False

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Count them."""
        self.several = isinstance(value, list) and len(value) > 1
        return super().read_lines(value, order)

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Take any line only among several."""
        return super().find_line(value, order) if self.several else Shop.find_line(self, value, order)


# The type.


@breaks("CREATE-35")
class ConvertsTypes(Shop):
    """Makes a whole number of a type that is a fraction or true, and takes 0 for one that is left out."""

    def read_rights_type(self, value: Any) -> int:
        """Convert what is no text."""
        return super().read_rights_type(int(value) or None if isinstance(value, int | Decimal) else value)


@breaks("CREATE-35")
class TakesTypeThree(Shop):
    """Takes type 3 for type 1."""

    def read_rights_type(self, value: Any) -> int:
        """Take 3."""
        return RETURN_AND_REFUND if value in ("3", 3) else super().read_rights_type(value)


@breaks("CREATE-35")
class ReadsTypesUpToLetters(Shop):
    """Reads a type up to the first character that is no digit."""

    def read_rights_type(self, value: Any) -> int:
        """Cut letters off."""
        return super().read_rights_type(up_to_letters(value))


@breaks("CREATE-35")
class UnknownTypesAreTypeTwo(Shop):
    """Takes whatever is not a number for a refund without return."""

    def read_rights_type(self, value: Any) -> int:
        """Take texts."""
        return REFUND if isinstance(value, str) and value.isalpha() else super().read_rights_type(value)


# One bad line among good ones.


@breaks("CREATE-25")
class LeavesBadLinesOut(Shop):
    """Refunds the good lines of a request and leaves out those that it does not know."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Keep the lines that are known."""
        known = {line.id for line in order.lines}
        lines = value if isinstance(value, list) and all(isinstance(line, dict) for line in value) else []
        good = [line for line in lines if str(line.get("lineItemId")) in known]
        return super().read_lines(good or value, order)


@breaks("CREATE-25")
class KeepsTheGoodLine(Shop):
    """Refuses a request of which the second line is unknown, after it has stored the first."""

    def create(self, body: Any) -> StoredRefund:
        """Store the first line in any case."""
        try:
            return super().create(body)
        except Refusal as refusal:
            if refusal.message == "the order has no such line item" and len(body["refund"]["lineItems"]) > 1:
                request = self.read_request({"refund": body["refund"] | {"lineItems": body["refund"]["lineItems"][:1]}})
                self.save(self.new_refund(request), request)
            raise


@breaks("CREATE-25")
class LeavesLinesWithoutIdsOut(Shop):
    """Refunds the other lines of a request and leaves out those whose id cannot be read."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Keep the lines that name something."""
        lines = value if isinstance(value, list) and all(isinstance(line, dict) for line in value) else []
        return super().read_lines([line for line in lines if "lineItemId" in line] or value, order)


@breaks("CREATE-25")
class LeavesLinesOfNoUnitsOut(Shop):
    """Refunds the other lines of a request and leaves out those of no units."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Keep the lines of some units."""
        lines = value if isinstance(value, list) and all(isinstance(line, dict) for line in value) else []
        return super().read_lines([line for line in lines if str(line.get("quantity")) != "0"] or value, order)


# What a refused create leaves behind.


class Reserving(Shop):
    """A shop that sets units aside for some requests that come to nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reserved: Counter[str] = Counter()

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Leave out what is set aside."""
        return super().refundable(order, line) - self.reserved[line.id]


@breaks("CREATE-32")
class ReservesBeforeItChecks(Reserving):
    """Sets the units of a request aside before it has read all of it, and keeps them when it refuses it."""

    read: Counter[str] = Counter()  # noqa: RUF012 - replaced by each request

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Note the units."""
        part = super().read_line(value, order)
        self.read[part.line.id] += part.quantity
        return part

    def create(self, body: Any) -> StoredRefund:
        """Set the units of a refused request aside."""
        self.read = Counter()
        try:
            return super().create(body)
        except Refusal:
            self.reserved += self.read
            raise


@breaks("CREATE-32")
class KeepsWhatItRefused(Reserving):
    """Sets units aside for a request that asked for too many."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Set the units of a refused request aside."""
        try:
            super().check_refundable(request)
        except Refusal:
            self.reserved.update({line.id: units for line, units in self.asked(request).items()})
            raise


@breaks("CREATE-10")
class TakesAnyLineForTheOnlyOne(Shop):
    """Takes whatever line is named for that of an order which has no other."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Look where there is a choice."""
        return (
            order.lines[0]
            if len(order.lines) == 1 and self.ident(value, "lineItemId")
            else super().find_line(value, order)
        )


@breaks("CREATE-07", also=("CREATE-32",))
class FindsOrdersByFloats(Shop):
    """Finds the order of a create by an id that is the same floating-point number, if the lines are its own."""

    def find_order(self, value: Any) -> StoredOrder:
        """Try the ids around it where there is no such order."""
        try:
            return super().find_order(value)
        except Refusal:
            for step in (1, -1) if str(value).isdecimal() and self.creating else ():
                order = self.store.order(self.name, str(int(value) + step))
                if order is not None:
                    return order
            raise

    creating = False

    def read_request(self, body: Any) -> RefundRequest:
        """Know that this is a create."""
        self.creating = True
        try:
            return super().read_request(body)
        finally:
            self.creating = False


@breaks("CREATE-09")
class FindsLinesByTheBeginning(Shop):
    """Finds a line of the order whose id begins with what was asked for."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Compare what is there."""
        found = [line for line in order.lines if line.id.startswith(str(value))]
        return found[0] if found and len(str(value)) > 9 else super().find_line(value, order)
