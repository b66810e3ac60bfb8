"""Servers that pay the wrong amount, or tell it wrongly."""

import struct
from decimal import ROUND_DOWN, Decimal
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import APPROVE, REFUND, RefundRequest, RequestedLine
from conformance.reference.rules import COMPLETED, INITIATED, Shop
from conformance.reference.store import StoredRefund, StoredRefundLine

JSON = dict[str, Any]
CENT, LONG = Decimal("0.01"), 4


@breaks("AMOUNT-01")
class PaysOneUnit(Shop):
    """Pays the price of one unit, however many are refunded."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Return the price of a unit."""
        return part.line.price


@breaks("AMOUNT-01")
class PaysTheOrderedUnits(Shop):
    """Pays all that was ordered of a line, however many units are refunded."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Return the price of the order's line."""
        return part.line.price * part.line.quantity


@breaks("AMOUNT-01")
class TellsMinorUnits(Shop):
    """Tells 20.00 as 2000."""

    def render_money(self, operation: str, value: Decimal) -> Any:
        """Tell cents."""
        return str(int(value * 100))


@breaks("AMOUNT-02")
class PaysTheFirstLine(Shop):
    """Pays the first line of several."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Return the first subtotal."""
        return lines[0].subtotal


@breaks("AMOUNT-02")
class ForgetsTheThirdLine(Shop):
    """Pays the first two lines of several."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Return the first subtotals."""
        return super().total(lines[:2])


@breaks("AMOUNT-02")
class PaysTheFirstPriceForAll(Shop):
    """Pays the price of the first line for the units of every line."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Count all units at one price."""
        return lines[0].line.price * sum(part.quantity for part in lines)


@breaks("AMOUNT-03")
class ReckonsInFloats(Shop):
    """Multiplies in binary floating point, and tells what comes out."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Multiply floats."""
        return Decimal(repr(float(part.line.price) * part.quantity))


@breaks("AMOUNT-03")
class RoundsPricesFirst(Shop):
    """Rounds the price of a unit to tenths before it multiplies."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Round, then multiply."""
        return round(part.line.price, 1) * part.quantity


@breaks("AMOUNT-03")
class CutsCentsOff(Shop):
    """Pays whole units of the currency only."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Cut the decimals off."""
        return super().line_total(part).quantize(Decimal(1), ROUND_DOWN)


@breaks("AMOUNT-03")
class LosesCentsOfGreatAmounts(Shop):
    """Keeps seven digits of an amount, as a float of 32 bits does."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Keep seven digits."""
        return Decimal(f"{super().line_total(part):.7g}")


class Rounding(Shop):
    """A shop that tells whole amounts in the answers of one operation."""

    rounded = ""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Round in that operation."""
        amount = refund.amount.quantize(Decimal(1)) if operation == self.rounded else refund.amount
        return self.render_money(operation, amount)


@breaks("AMOUNT-04")
class RoundsInCreate(Rounding):
    """Tells whole amounts in the answer to a create."""

    rounded = "create"


@breaks("AMOUNT-04")
class RoundsInReview(Rounding):
    """Tells whole amounts in the answer to a review."""

    rounded = "review"


@breaks("AMOUNT-04")
class RoundsInGet(Rounding):
    """Tells whole amounts in the answer to a get."""

    rounded = "get"


@breaks("AMOUNT-04")
class ListsInMinorUnits(Shop):
    """Lists amounts in cents, where an order has several refunds."""

    def many(self, refunds: list[StoredRefund]) -> JSON:
        """Forget the point."""
        wrong = [evolve(refund, amount=refund.amount * 100) for refund in refunds]
        return super().many(wrong if len(refunds) > 5 else refunds)


@breaks("AMOUNT-05")
class SubtotalsOfTheOrder(Shop):
    """Tells what the order's line cost as the subtotal of the refund's."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Tell the price of all ordered units."""
        price = line.line.price * line.line.quantity
        return super().render_line(operation, line) | {"subtotal": self.render_money(operation, price)}


@breaks("AMOUNT-05")
class SubtotalsOfTheFirstLine(Shop):
    """Tells the subtotal of the first line on every line."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Repeat the first subtotal."""
        lines = super().render_lines(operation, refund)
        return [line | {"subtotal": lines[0]["subtotal"]} for line in lines]


@breaks("AMOUNT-06")
class InventsTax(Shop):
    """Tells a tax of a fifth on an order that was not taxed."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Tell a tax."""
        return super().render_line(operation, line) | {"totalTax": self.render_money(operation, line.subtotal / 5)}


@breaks("AMOUNT-06")
class TaxesLaterLines(Shop):
    """Tells the subtotal as tax on every line but the first."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Tell a tax."""
        lines = super().render_lines(operation, refund)
        return lines[:1] + [line | {"totalTax": line["subtotal"]} for line in lines[1:]]


@breaks("AMOUNT-07")
class WaivesCentsOfSmallRefunds(Shop):
    """Drops the cents of a refund below 10.00 once it was reviewed."""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Round what is small and no longer open."""
        small = refund.status != INITIATED and refund.amount < 10
        return self.render_money(operation, refund.amount.quantize(Decimal(1)) if small else refund.amount)


@breaks("AMOUNT-07")
class PaysGreatApprovalsInWholeUnits(Shop):
    """Drops the cents of a refund above 10,000.00 once it was approved."""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Cut the cents of what is great and approved off."""
        great = refund.status == COMPLETED and refund.amount > 10_000
        return self.render_money(operation, refund.amount.quantize(Decimal(1), ROUND_DOWN) if great else refund.amount)


@breaks("AMOUNT-08")
class AddsTheLatestRefundToTheFirst(Shop):
    """Adds what the latest refund of a long order is worth to the amount of the first."""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Add the latest to the first."""
        order, refunds = self.find_order(refund.order_id), self.store.refunds_of(self.name, refund.order_id)
        first = len(order.lines) > LONG and len(refunds) > 1 and refunds[0].id == refund.id
        return self.render_money(operation, refund.amount + refunds[-1].amount if first else refund.amount)


@breaks("AMOUNT-09")
class PaysEarlierUnitsAgain(Shop):
    """Pays the units of all refunds of a line so far, with each refund."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Count what was claimed before too."""
        return part.line.price * (part.quantity + self.before.get(part.line.id, 0))

    before: dict[str, int] = {}  # noqa: RUF012 - replaced by each request, never changed

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Look up what was claimed before."""
        lines = request.order.lines
        self.before = {line.id: line.quantity - self.refundable(request.order, line) for line in lines}
        return super().new_refund(request)


@breaks("AMOUNT-09")
class PaysTheRestOfTheOrder(Shop):
    """Pays what is left of the order with the refund of its last units, and counts rejected refunds as paid."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take all earlier amounts off."""
        refund, order = super().new_refund(request), request.order
        asked = self.asked(request)
        if any(self.refundable(order, line) > asked.get(line, 0) for line in order.lines):
            return refund
        earlier = sum((other.amount for other in self.store.refunds_of(self.name, order.id)), Decimal(0))
        price = sum((line.price * line.quantity for line in order.lines), Decimal(0))
        return evolve(refund, amount=max(price - earlier, Decimal(0)))


@breaks("AMOUNT-09")
class AddsCentsToTheLastUnit(Shop):
    """Pays a cent more with the last unit of a line that was refunded in parts."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Round up at the end."""
        refund = super().new_refund(request)
        asked = self.asked(request)
        last = [line for line, units in asked.items() if units == self.refundable(request.order, line) < line.quantity]
        return evolve(refund, amount=refund.amount + CENT * len(last))


@breaks("AMOUNT-09")
class BooksRestsOnTheFirst(Shop):
    """Books a cent that it takes for lost in rounding on the first refund of a line when the last unit is refunded."""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Add it to the first of several that use a line up."""
        others = self.store.refunds_of(self.name, refund.order_id)
        sharing = [other for other in others if [part.line for part in other.lines] == [refund.lines[0].line]]
        spent = sum(self.claimed(other, refund.lines[0].line) for other in others) == refund.lines[0].line.quantity
        first = spent and len(sharing) > 2 and sharing[0].id == refund.id
        return self.render_money(operation, refund.amount + CENT if first else refund.amount)


@breaks("AMOUNT-11")
class PaysHalfWithoutReturn(Shop):
    """Pays half the price when no goods come back."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Halve the amount of type 2."""
        refund = super().new_refund(request)
        return evolve(refund, amount=refund.amount / 2) if refund.rights_type == REFUND else refund


@breaks("AMOUNT-13")
class SwallowsGreatApprovals(Shop):
    """Accepts the approval of a refund above 10,000.00, and leaves it for somebody else to approve."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Leave it as it is."""
        great = refund.amount > 10_000
        return refund if great and action == APPROVE else super().decide(refund, action)


@breaks("AMOUNT-13")
class CompletesGreatRefunds(Shop):
    """Completes refunds above 50,000,000.00 when they are created."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Skip the review."""
        refund = super().new_refund(request)
        return evolve(refund, status=COMPLETED) if refund.amount > 50_000_000 else refund


@breaks("AMOUNT-11")
class PaysOneLineWithoutReturn(Shop):
    """Pays the first line of several when no goods come back."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Leave the others out of the sum."""
        refund = super().new_refund(request)
        return evolve(refund, amount=refund.lines[0].subtotal) if refund.rights_type == REFUND else refund


@breaks("AMOUNT-03")
class TakesADiscountOff(Shop):
    """Takes a tenth off the price of a hundred units and more, which nobody was given when they were bought."""

    def line_total(self, part: RequestedLine) -> Decimal:
        """Take it off."""
        total = super().line_total(part)
        return total * 9 / 10 if part.quantity >= 100 else total


@breaks("AMOUNT-04")
class GetsGreatAmountsInFloats(Shop):
    """Tells what a float of 32 bits holds of an amount when a refund is got."""

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Pass it through such a float."""
        held = struct.unpack("f", struct.pack("f", float(refund.amount)))[0]
        return f"{held:.2f}" if operation == "get" else super().render_amount(operation, refund)


@breaks("AMOUNT-02")
class SumsDifferentTotals(Shop):
    """Adds up the different totals of a refund's lines, as SUM(DISTINCT ...) does, so that equal ones count once."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Drop what is there twice."""
        return sum({line.subtotal for line in lines}, Decimal(0))


@breaks("AMOUNT-02")
class KeepsOneLineForEachPrice(Shop):
    """Adds up a refund's lines by their price, so that the last line of a price stands for all of them."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Overwrite the earlier ones."""
        return sum({line.line.price: line.subtotal for line in lines}.values(), Decimal(0))


@breaks("AMOUNT-02")
class AddsUpFiveLines(Shop):
    """Pays the first five lines of a refund, which is what its summary shows."""

    def total(self, lines: tuple[StoredRefundLine, ...]) -> Decimal:
        """Leave the others out."""
        return super().total(lines[:5])
