"""Servers that take creates which they should refuse, refuse what they should take, or refund too much."""

import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import evolve
from werkzeug.wrappers import Request, Response

from conformance.faults import breaks
from conformance.model import load_json
from conformance.reference.app import App
from conformance.reference.rules import (
    CANCELED,
    COMPLETED,
    INITIATED,
    REFUND,
    REJECT,
    RETURN_AND_REFUND,
    RefundRequest,
    Refusal,
    RequestedLine,
    Shop,
)
from conformance.reference.store import FIRST_ID, KINDS, StoredLine, StoredOrder, StoredRefund, StoredRefundLine

MANY, FEW, RANGE = 100, 3, 1_000_000
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


@breaks("CREATE-02")
class TakesBareFields(Shop):
    """Takes the fields of a refund without the wrapper too."""

    def member(self, body: Any, name: str) -> Any:
        """Take the body itself for a missing wrapper."""
        return body if name == "refund" and isinstance(body, dict) and name not in body else super().member(body, name)


@breaks("CREATE-03")
class TakesListsOfRefunds(Shop):
    """Carries out the first of a list of refunds."""

    def member(self, body: Any, name: str) -> Any:
        """Take the first of a list for the refund."""
        value = super().member(body, name)
        return out_of_list(value) if name == "refund" else value


@breaks("CREATE-03")
class AnswersNullWithNothing(App):
    """Answers a create whose refund is null with an acceptance of nothing."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Accept nothing."""
        if operation == "create" and request.get_data() == b'{"refund": null}':
            return Response('{"refund": null}', mimetype="application/json")
        return super().operate(shop, operation, values, request)


@breaks("CREATE-03")
class AnswersNothingWithNothing(App):
    """Answers a create without a refund with an acceptance of nothing."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Accept nothing."""
        if operation == "create" and request.get_data() == b"{}":
            return Response("{}", mimetype="application/json")
        return super().carry_out(shop, operation, values, request)


@breaks("CREATE-04")
class MissingLinesMeanAll(Shop):
    """Refunds a unit of every line when no lines are named."""

    def member(self, body: Any, name: str) -> Any:
        """Let missing lines pass."""
        missing = name == "lineItems" and isinstance(body, dict) and body.get(name) is None
        return "all" if missing else super().member(body, name)

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Take a unit of every line."""
        every = [{"lineItemId": line.id, "quantity": 1} for line in order.lines]
        return super().read_lines(every if value == "all" else value, order)


@breaks("CREATE-04")
class TakesSingleLines(Shop):
    """Takes one line that is in no list."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Put the line in a list."""
        return super().read_lines([value] if isinstance(value, dict) else value, order)


@breaks("CREATE-04")
class BreaksOnNullLines(Shop):
    """Fails with 500 when there is null among the lines."""

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Look into what is not there."""
        if value is None:
            raise Refusal(500, "null has no lineItemId")
        return super().read_line(value, order)


@breaks("CREATE-04")
class TakesLinesInText(Shop):
    """Takes lines that are written as JSON in a text."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Decode them once more."""
        with contextlib.suppress(ValueError):
            value = load_json(value) if isinstance(value, str) else value
        return super().read_lines(value, order)


@breaks("CREATE-04")
class TakesIdsForLines(Shop):
    """Refunds one unit of a line of which only the id is in the list."""

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Make a line of an id."""
        line = value if isinstance(value, dict) or value is None else {"lineItemId": value, "quantity": 1}
        return super().read_line(line, order)


@breaks("CREATE-05")
class EmptyListMeansAll(Shop):
    """Refunds a unit of every line when the list of lines is empty."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Take a unit of every line."""
        every = [{"lineItemId": line.id, "quantity": 1} for line in order.lines]
        return super().read_lines(value or every if isinstance(value, list) else value, order)


@breaks("CREATE-05")
class PaysForNoLines(Shop):
    """Makes a refund of no lines that is worth something."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Take an empty list."""
        return () if value == [] else super().read_lines(value, order)

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Pay the price of the first line."""
        refund = super().new_refund(request)
        return refund if refund.lines else evolve(refund, amount=request.order.lines[0].price)


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


# The quantity.


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
        return -1 if value in ("-1", -1) else super().read_quantity(value)


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


@breaks("CREATE-13")
class TakesAnEmptyQuantityForZero(Shop):
    """Makes a refund of no units when the quantity is an empty text."""

    def read_quantity(self, value: Any) -> int:
        """Make a number of it."""
        return 0 if value == "" else super().read_quantity(value)


@breaks("CREATE-13")
class ForgetsRefundsWithoutQuantity(Shop):
    """Answers a create without a quantity with a refund that it does not keep."""

    def create(self, body: Any) -> StoredRefund:
        """Answer without storing."""
        try:
            lines = body["refund"]["lineItems"]
            filled = [line if line.get("quantity") is not None else line | {"quantity": 1} for line in lines]
        except (TypeError, KeyError, AttributeError):
            return super().create(body)
        if filled == lines:
            return super().create(body)
        return self.new_refund(self.read_request({"refund": body["refund"] | {"lineItems": filled}}))


# More than was ordered.


@breaks("CREATE-14")
class KnowsNoBound(Shop):
    """Refunds as many units as are asked for."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Let everything pass."""


@breaks("CREATE-14")
class IsOffByOne(Shop):
    """Refunds one unit more than was ordered."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Count one too many."""
        return super().refundable(order, line) + 1


@breaks("CREATE-14")
class BoundsTextsOnly(Mending):
    """Does not compare quantities that come as JSON numbers with what was ordered."""

    numbers = False

    def mended(self, refund: JSON) -> JSON:
        """Notice how the quantities came."""
        lines = refund.get("lineItems")
        self.numbers = isinstance(lines, list) and any(
            isinstance(line, dict) and isinstance(line.get("quantity"), int) for line in lines
        )
        return refund

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare texts."""
        if not self.numbers:
            super().check_refundable(request)


@breaks("CREATE-14")
class BoundsReturnsOnly(Shop):
    """Refunds as many units as are asked for where nothing comes back."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Let refunds without return pass."""
        if request.rights_type == RETURN_AND_REFUND:
            super().check_refundable(request)


@breaks("CREATE-14")
class RefusesExcessButRefundsIt(Shop):
    """Refuses too many units, and refunds them all the same."""

    def create(self, body: Any) -> StoredRefund:
        """Store what was refused."""
        request = self.read_request(body)
        try:
            return super().create(body)
        except Refusal:
            if any(units > line.quantity for line, units in self.asked(request).items()):
                self.store.add_refund(self.new_refund(request))
            raise


@breaks("CREATE-14")
class CutsDownTheAnswerOnly(Shop):
    """Answers with as many units as were ordered, and stores as many as were asked for."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Let everything pass."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Cut the units of the answer down."""
        lines = tuple(evolve(part, quantity=min(part.quantity, part.line.quantity)) for part in refund.lines)
        return super().one(operation, evolve(refund, lines=lines) if operation == "create" else refund)


@breaks("CREATE-15")
class BoundsTheFirstLineOnly(Shop):
    """Compares the units of the first line of a request only."""

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Return the first line."""
        return dict(list(super().asked(request).items())[:1])


@breaks("CREATE-16")
class ComparesUnitsAsText(Shop):
    """Compares quantities letter by letter."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare texts."""
        for line, quantity in self.asked(request).items():
            if str(quantity) > str(max(0, self.refundable(request.order, line))):
                raise Refusal(409, "more units than can still be refunded")


@breaks("CREATE-17")
class WrapsLikeInts(Shop):
    """Keeps the last 32 bits of a quantity."""

    def read_quantity(self, value: Any) -> int:
        """Cut the number."""
        return super().read_quantity(value) % 2**32


@breaks("CREATE-17")
class WrapsLikeLongs(Shop):
    """Keeps the last 64 bits of a quantity."""

    def read_quantity(self, value: Any) -> int:
        """Cut the number."""
        return super().read_quantity(value) % 2**64


@breaks("CREATE-18")
class ForgetsApprovedRefunds(Shop):
    """Counts only pending refunds against what can still be refunded."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Forget what was approved."""
        return 0 if refund.status == COMPLETED else super().claimed(refund, line)


@breaks("CREATE-19")
class ForgetsPendingRefunds(Shop):
    """Counts only approved refunds against what can still be refunded."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count what was approved."""
        return super().claimed(refund, line) if refund.status == COMPLETED else 0


@breaks("CREATE-19")
class HoldsUnitsForThreeSeconds(Shop):
    """Holds the units of a pending refund for three seconds only."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Look at its age."""
        age = (self.clock.now() - datetime.fromisoformat(refund.created)).total_seconds()
        forgotten = refund.status == INITIATED and age > 3
        return 0 if forgotten else super().claimed(refund, line)


@breaks("CREATE-20")
class RefundsLinesTwice(Shop):
    """Refuses a third refund of a line once two were approved."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Return none after two refunds."""
        refunds = [refund for refund in self.store.refunds_of(self.name, order.id) if refund.status == COMPLETED]
        touching = [refund for refund in refunds if self.claimed(refund, line)]
        return super().refundable(order, line) if len(touching) < 2 else 0


@breaks("CREATE-20")
class CountsTheSecondApprovalTwice(Shop):
    """Counts an approved refund twice when an earlier one was approved too."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Count all but the first again."""
        refunds = [refund for refund in self.store.refunds_of(self.name, order.id) if refund.status == COMPLETED]
        return super().refundable(order, line) - sum(self.claimed(refund, line) for refund in refunds[1:])


class CountsSomeRefunds(Shop):
    """A shop that forgets some of the earlier refunds."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Count some."""
        refunds = [refund for refund in self.store.refunds_of(self.name, order.id) if self.claimed(refund, line)]
        return line.quantity - sum(self.claimed(refund, line) for refund in self.counted(refunds))

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the refunds of the line that count."""
        return refunds


@breaks("CREATE-21", also=("RACE-04",))
class CountsTheLatestRefundOnly(CountsSomeRefunds):
    """Counts only the latest refund of a line against what can still be refunded."""

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the latest."""
        return refunds[-1:]


@breaks("CREATE-21")
class CountsTheFirstTwoRefundsOnly(CountsSomeRefunds):
    """Forgets the third refund of a line, and all that come after it."""

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the first two."""
        return refunds[:2]


@breaks("CREATE-21")
class CountsReturnsOnly(CountsSomeRefunds):
    """Forgets refunds without a return."""

    def counted(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return the returns."""
        return [refund for refund in refunds if refund.rights_type == RETURN_AND_REFUND]


@breaks("CREATE-22")
class BoundsEachMention(Shop):
    """Compares each mention of a line with what was ordered, and not their sum."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Return the greatest mention of each line."""
        mentions = sorted(request.lines, key=lambda part: part.quantity)
        return {part.line: part.quantity for part in mentions}


@breaks("CREATE-22")
class AddsNeighbours(Shop):
    """Adds mentions of a line up as long as no other line comes between them."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Return the sum of the last neighbours of each line."""
        groups = itertools.groupby(request.lines, key=lambda part: part.line)
        return {line: sum(part.quantity for part in parts) for line, parts in groups}


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


@breaks("CREATE-22")
class AddsMentionsOfOneForm(Shop):
    """Adds mentions of a line up under the id as it was written, so that a text and a number are two lines."""

    written: tuple[type, ...] = ()

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Note the form of each id."""
        lines = super().read_lines(value, order)
        self.written = tuple(type(line["lineItemId"]) for line in value)
        return lines

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare the sum of each form."""
        for form in set(self.written):
            of_form = tuple(part for part, written in zip(request.lines, self.written, strict=True) if written is form)
            super().check_refundable(evolve(request, lines=of_form))


@breaks("CREATE-42")
class ForgetsUnitsAtShipping(Shop):
    """Counts the units of an order anew when it is shipped."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before: set[str] = set()

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Note what was made before shipment."""
        refund = super().new_refund(request)
        if not request.order.shipped:
            self.before.add(refund.id)
        return refund

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Leave out what was made before shipment once the order is shipped."""
        refunds = self.store.refunds_of(self.name, order.id)
        counted = [refund for refund in refunds if not order.shipped or refund.id not in self.before]
        return line.quantity - sum(self.claimed(refund, line) for refund in counted)


@breaks("CREATE-23")
class PaysTheLineOnce(Shop):
    """Refunds the units of both mentions of a line, and pays those of the last."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Put the lines into a map by id."""
        return super().total(tuple({line.line.id: line for line in lines}.values()))


@breaks("CREATE-23")
class TheLastMentionCounts(Shop):
    """Keeps only the last mention of a line that is named twice."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Put the lines into a map by id."""
        return tuple({part.line.id: part for part in super().read_lines(value, order)}.values())


@breaks("CREATE-24")
class RefusesTheWholeOrder(Shop):
    """Refuses a refund of all that was ordered."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Insist that something is left."""
        super().check_refundable(request)
        if self.asked(request) == {line: line.quantity for line in request.order.lines}:
            raise Refusal(409, "the whole order cannot be refunded at once")


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
class LeavesLinesOfNoUnitsOut(Shop):
    """Refunds the other lines of a request and leaves out those of no units."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Keep the lines of some units."""
        lines = value if isinstance(value, list) and all(isinstance(line, dict) for line in value) else []
        return super().read_lines([line for line in lines if str(line.get("quantity")) != "0"] or value, order)


# What a client must not set.


class Believing(Mending):
    """A shop that takes some of the record from the request."""

    sent: JSON = {}  # noqa: RUF012 - replaced by each request, never changed

    def mended(self, refund: JSON) -> JSON:
        """Remember what was sent."""
        self.sent = refund
        return refund


@breaks("CREATE-26")
class BelievesTheStatus(Believing):
    """Stores the status that the request brings."""

    def initial_status(self) -> int:
        """Return the status sent."""
        return int(self.sent.get("status", super().initial_status()))


@breaks("CREATE-26")
class BelievesTheId(Believing):
    """Stores the refund under the id that the request brings."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the id sent."""
        refund = super().new_refund(request)
        return evolve(refund, id=str(self.sent.get("refundId", refund.id)))


@breaks("CREATE-26")
class BelievesTheTimes(Believing):
    """Stores the times that the request brings."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the times sent."""
        refund = super().new_refund(request)
        return evolve(refund, created=self.sent.get("createTime", refund.created))


@breaks("CREATE-26")
class TakesNamedRefundsForOlder(Shop):
    """Takes a create that names a refund for a change of that one, and makes no other."""

    def create(self, body: Any) -> StoredRefund:
        """Look for the id first."""
        inside = body.get("refund") if isinstance(body, dict) else None
        named = inside.get("refundId") if isinstance(inside, dict) else None
        refund = self.store.refund(self.name, str(named)) if named else None
        return super().create(body) if refund is None else refund


@breaks("CREATE-27")
class BelievesTheAmount(Believing):
    """Stores the amount that the request brings."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the amount sent."""
        refund = super().new_refund(request)
        return evolve(refund, amount=abs(Decimal(self.sent.get("amount", refund.amount))))


@breaks("CREATE-27")
class BelievesSmallerAmounts(Believing):
    """Stores the amount that the request brings if it is not above what the units cost."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the lesser of the two."""
        refund = super().new_refund(request)
        return evolve(refund, amount=min(refund.amount, Decimal(self.sent.get("amount", refund.amount))))


# What is stored.


def units_of(refund: StoredRefund | RefundRequest) -> int:
    """Return how many units a refund is of."""
    return sum(part.quantity for part in refund.lines)


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


@breaks("CREATE-29")
class CapsUnitsAtTwoDigits(Shop):
    """Stores no more than 99 units of a line."""

    def read_quantity(self, value: Any) -> int:
        """Keep two digits."""
        quantity = super().read_quantity(value)
        return 99 if MANY <= quantity < 10 * MANY else quantity


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


# What may be left out, and what may be something else.


class Needing(Mending):
    """A shop that needs what the page leaves optional."""

    needed: tuple[str, ...] = ()

    def mended(self, refund: JSON) -> JSON:
        """Refuse a request without any of what is needed."""
        if not any(name in refund for name in self.needed):
            raise Refusal(400, f"{' or '.join(self.needed)} is required")
        return refund


@breaks("CREATE-33")
class NeedsCustomers(Needing):
    """Refuses a create without customerId."""

    needed = ("customerId",)


@breaks("CREATE-33")
class NeedsTypes(Needing):
    """Refuses a create without rightsType."""

    needed = ("rightsType",)


@breaks("CREATE-33")
class NeedsSomethingOptional(Needing):
    """Refuses a create without any of the optional fields."""

    needed = ("customerId", "rightsType", "shipping")


@breaks("CREATE-34")
class NullMeansTypeTwo(Believing):
    """Takes a type that is null for a refund without return, once the order is shipped."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Store the other type."""
        null = "rightsType" in self.sent and self.sent["rightsType"] is None
        return evolve(super().new_refund(request), rights_type=REFUND if null else request.rights_type)


@breaks("CREATE-34")
class EmptyMeansTypeTwo(Believing):
    """Takes an empty type for a refund without return, once the order is shipped."""

    def read_rights_type(self, value: Any) -> int:
        """Let it pass."""
        return super().read_rights_type(None if value == "" else value)

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Store the other type."""
        empty = self.sent.get("rightsType") == ""
        return evolve(super().new_refund(request), rights_type=REFUND if empty else request.rights_type)


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


@breaks("CREATE-36")
class RefusesEmptyShipping(Shop):
    """Refuses shipping without a tracking number."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Insist on a tracking number."""
        if isinstance(value, dict) and not value.get("trackingNumber"):
            raise Refusal(400, "trackingNumber must not be empty")
        return super().read_shipping(value)


@breaks("CREATE-37")
class NumbersLoseUnits(Shop):
    """Refunds one unit fewer when the quantity is a JSON number."""

    def read_quantity(self, value: Any) -> int:
        """Count from zero."""
        quantity = super().read_quantity(value)
        return quantity if isinstance(value, str) else max(1, quantity - 1)


@breaks("CREATE-38")
class RejectionsAddUnits(Shop):
    """Gives the units of a rejected refund back although they were never taken away."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count a canceled refund the other way."""
        units = sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return -units if refund.status == CANCELED else units


@breaks("CREATE-38")
class RepeatedRejectionsAddUnits(Shop):
    """Gives the units of a refund back each time that it is rejected."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.again: dict[str, int] = {}

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Count the rejections after the first."""
        if action == REJECT and refund.status == CANCELED:
            self.again[refund.id] = self.again.get(refund.id, 0) + 1
        return super().decide(refund, action)

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Give back what the repeated ones gave back."""
        units = sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return super().claimed(refund, line) - units * self.again.get(refund.id, 0)


@breaks("CREATE-40")
class BreaksWithoutReasons(Shop):
    """Answers 500 to a line without a reason."""

    def read_reason(self, value: Any) -> str:
        """Let the database complain."""
        if value is None:
            raise Refusal(500, "rights_reason may not be NULL")
        return super().read_reason(value)


@breaks("CREATE-40")
class BreaksOnUnknownCustomers(Shop):
    """Answers 500 to a customer whom it does not know."""

    def read_customer(self, value: Any, order: StoredOrder) -> str:
        """Let the missing customer complain."""
        if value is not None and self.ident(value, "customerId") != order.customer:
            raise Refusal(500, "NullPointerException")
        return super().read_customer(value, order)


@breaks("CREATE-41")
class LateRejectionsFreeUnits(Shop):
    """Refuses to reject an approved refund, but has already given its units back."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.freed: set[str] = set()

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Book the units back first."""
        if action == REJECT:
            self.freed.add(refund.id)
        return super().decide(refund, action)

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count what was booked back no more."""
        return 0 if refund.id in self.freed else super().claimed(refund, line)


@breaks("CREATE-39")
class AddsUnitsOfAllLinesUp(Shop):
    """Counts the units of every line against each line."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count all lines."""
        return 0 if refund.status == CANCELED else units_of(refund)


@breaks("CREATE-04")
class HangsUpOnLinesThatAreNull(App):
    """Falls over a null in the place of the lines, and closes the connection without an answer."""

    def respond(self, request: Request) -> Response:
        """Fall before anything is answered."""
        if b'"lineItems": null' in request.get_data():
            raise ConnectionResetError
        return super().respond(request)


@breaks("CREATE-15")
class BoundsTheLastLineOnly(Shop):
    """Compares the units of the last line of a request only."""

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Overwrite what was asked for before."""
        return super().asked(evolve(request, lines=request.lines[-1:]))


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


@breaks("CREATE-28")
class CountsUnitsInBytes(Shop):
    """Refuses more units of a line than a byte can count."""

    def read_quantity(self, value: Any) -> int:
        """Refuse what does not fit."""
        quantity = super().read_quantity(value)
        if quantity.bit_length() > 7:
            raise Refusal(400, "quantity is out of range")
        return quantity


@breaks("CREATE-38")
class RejectionsOfSeveralLinesAddUnits(Shop):
    """Gives the units of a rejected refund of several lines back although they were never taken away."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Count them backwards."""
        if refund.status == CANCELED and len(refund.lines) > 1:
            return -sum(part.quantity for part in refund.lines if part.line.id == line.id)
        return super().claimed(refund, line)


@breaks("CREATE-20")
class TakesFiveRefundsOfAnOrder(Shop):
    """Refuses the sixth refund of an order, whatever is left of it."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Count the refunds, too."""
        super().check_refundable(request)
        if len(self.store.refunds_of(self.name, request.order.id)) >= 5:
            raise Refusal(409, "the order has had too many refunds")


@breaks("CREATE-39")
class AddsUpInFloats(Shop):
    """Adds earlier amounts up in floating point, and refuses what then seems to be more than the order cost."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare amounts as well."""
        super().check_refundable(request)
        cost = float(sum((line.price * line.quantity for line in request.order.lines), Decimal(0)))
        paid = 0.0
        for refund in self.store.refunds_of(self.name, request.order.id):
            paid += 0.0 if refund.status == CANCELED else float(refund.amount)
        for part in request.lines:
            paid += float(part.line.price) * part.quantity
        if paid > cost:
            raise Refusal(409, "more than the order cost")


@breaks("CREATE-21")
class CountsAPageOfRefunds(Shop):
    """Counts the units of the first ten refunds of an order, which is a page of what it asks itself for."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Leave the other pages out."""
        page = self.store.refunds_of(self.name, order.id)[:10]
        return line.quantity - sum(self.claimed(refund, line) for refund in page)


@breaks("CREATE-28")
class KeepsTenLines(Shop):
    """Stores ten lines of a refund at most."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Cut the rest off."""
        return super().read_lines(value, order)[:10]
