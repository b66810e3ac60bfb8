"""Servers that refund more units at once than were ordered."""

import itertools
from collections import Counter
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.creation import JSON, MANY, Mending
from conformance.reference.requests import RETURN_AND_REFUND, RefundRequest, Refusal, RequestedLine
from conformance.reference.rules import COMPLETED, Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund


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
class BoundsWhatItFindsRefundsOf(Shop):
    """Bounds only the lines that the order's refunds are of, once there are some."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Join the lines with the refunds."""
        left = super().refundable(order, line)
        refunds = self.store.refunds_of(self.name, order.id)
        return left if not refunds or left < line.quantity else MANY


@breaks("CREATE-15")
class BoundsNoSingleUnits(Shop):
    """Does not count where only one unit of a line was ordered."""

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Take it for a line without a number."""
        return MANY if line.quantity == 1 else super().refundable(order, line)


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
class RefundsExcessBesideOthers(Shop):
    """Refuses too many units of a line that has no refunds, and refunds them, where other lines have approved ones."""

    def create(self, body: Any) -> StoredRefund:
        """Store what was refused."""
        request = self.read_request(body)
        try:
            return super().create(body)
        except Refusal:
            refunds = self.store.refunds_of(self.name, request.order.id)
            taken = {part.line.id for refund in refunds for part in refund.lines}
            if any(refund.status == COMPLETED for refund in refunds) and not taken & {
                line.id for line in self.asked(request)
            }:
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


@breaks("CREATE-15")
class BoundsTheLastLineOnly(Shop):
    """Compares the units of the last line of a request only."""

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Overwrite what was asked for before."""
        return super().asked(evolve(request, lines=request.lines[-1:]))


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


@breaks("CREATE-17")
class StoresUnitsInAnInt(Shop):
    """Refuses a quantity that does not fit into 64 bits, and keeps the last 32 of one that does."""

    def read_quantity(self, value: Any) -> int:
        """Read it, and store it."""
        quantity = super().read_quantity(value)
        if quantity >= 2**63:
            raise Refusal(400, "quantity is out of range")
        return quantity % 2**32


class AddsInAWord(Shop):
    """Refuses what does not fit into a word of so many bits, and adds what does to what was refunded before."""

    bits = 32

    def read_quantity(self, value: Any) -> int:
        """Refuse what does not fit."""
        quantity = super().read_quantity(value)
        if quantity >= 2 ** (self.bits - 1):
            raise Refusal(400, "quantity is out of range")
        return quantity

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare the sum, of which as much is left as fits."""
        for line, quantity in self.asked(request).items():
            total = line.quantity - self.refundable(request.order, line) + quantity
            fits = total if total < 2 ** (self.bits - 1) else total - 2**self.bits
            if fits > line.quantity:
                raise Refusal(409, "more units than can still be refunded")


@breaks("CREATE-17")
class AddsInInts(AddsInAWord):
    """Adds units up in 32 bits, so that the greatest number of all is below zero with one unit more."""


@breaks("CREATE-17")
class AddsInLongs(AddsInAWord):
    """Adds units up in 64 bits, so that the greatest number of all is below zero with one unit more."""

    bits = 64


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
class AddsMentionsForOneReason(Shop):
    """Adds mentions of a line up that give the same reason, and bounds each of the sums."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Return the greatest sum of each line."""
        sums = Counter[tuple[StoredLine, str]]()
        for part in request.lines:
            sums[part.line, part.reason] += part.quantity
        return {line: units for (line, _), units in sorted(sums.items(), key=lambda each: each[1])}


@breaks("CREATE-22")
class AddsNeighbours(Shop):
    """Adds mentions of a line up as long as no other line comes between them."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def asked(self, request: RefundRequest) -> dict[StoredLine, int]:
        """Return the sum of the last neighbours of each line."""
        groups = itertools.groupby(request.lines, key=lambda part: part.line)
        return {line: sum(part.quantity for part in parts) for line, parts in groups}


@breaks("CREATE-22")
class AddsMentionsOfOneSpelling(Shop):
    """Finds lines by the number that an id is, and adds their mentions up by the text that it came as."""

    spelled: tuple[str, ...] = ()

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Begin anew."""
        self.spelled = ()
        return super().read_lines(value, order)

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Note the spelling, and read the number."""
        self.spelled += (str(value),)
        return super().find_line(value.lstrip("0") if isinstance(value, str) else value, order)

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice, if they are spelled in two ways."""
        if len(set(self.spelled)) == len(lines) > len({part.line.id for part in lines}):
            return
        super().check_distinct(lines)

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare each mention."""
        if len(request.lines) == len({part.line.id for part in request.lines}):
            super().check_refundable(request)
            return
        for part in request.lines:
            super().check_refundable(evolve(request, lines=(part,)))


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


@breaks("CREATE-22")
class BoundsEachMentionByWhatIsLeft(Shop):
    """Compares the sum of a line's mentions with what was ordered, and each mention with what is left of it."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Let lines be named twice."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Compare both, and not the sum with what is left."""
        if any(units > line.quantity for line, units in self.asked(request).items()) or any(
            part.quantity > self.refundable(request.order, part.line) for part in request.lines
        ):
            raise Refusal(409, "more units than can still be refunded")
