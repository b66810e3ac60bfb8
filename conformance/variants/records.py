"""Honest readings of how a record is written."""

import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.reference.answers import JSON
from conformance.reference.requests import RefundRequest
from conformance.reference.rules import INITIATED, Shop
from conformance.reference.store import StoredOrder, StoredRefund, StoredRefundLine
from conformance.variants import reads


class WritesNumbers(Shop):
    """Writes ids or counts as JSON numbers; the variants below differ in which, and where."""

    def numeric_ids(self, operation: str) -> bool:
        """Say whether an operation writes ids as numbers."""
        return False

    def numeric_counts(self, operation: str) -> bool:
        """Say whether an operation writes other whole numbers as numbers."""
        return False

    def render_id(self, operation: str, value: str) -> Any:
        """Return an id in the operation's form."""
        return int(value) if self.numeric_ids(operation) else super().render_id(operation, value)

    def render_count(self, operation: str, value: int) -> Any:
        """Return a count in the operation's form."""
        return value if self.numeric_counts(operation) else super().render_count(operation, value)

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Put the kind of reason into the form too."""
        kind = int(line.reason_type) if self.numeric_counts(operation) else line.reason_type
        return super().render_line(operation, line) | {"rightsReasonType": kind}


@reads("A01", "A06", "A07", aspect="number form")
class WritesNumbersAsNumbers(WritesNumbers):
    """Writes every number as a JSON number, ids beyond 2^53 too."""

    def numeric_ids(self, operation: str) -> bool:
        """Write all as declared."""
        return True

    def numeric_counts(self, operation: str) -> bool:
        """Write all as declared."""
        return True


@reads("A01", aspect="number form")
class WritesNumbersByOperation(WritesNumbers):
    """Writes numbers as JSON numbers in the answers to create and get, and as text in the others."""

    def numeric_ids(self, operation: str) -> bool:
        """Tell the operations apart."""
        return operation in {"create", "get"}

    def numeric_counts(self, operation: str) -> bool:
        """Tell the operations apart."""
        return operation in {"create", "get"}


@reads("A01", aspect="number form")
class WritesOnlyCountsAsNumbers(WritesNumbers):
    """Writes ids as text and other numbers as JSON numbers."""

    def numeric_counts(self, operation: str) -> bool:
        """Write counts as declared."""
        return True


@reads("A01", "A06", aspect="number form")
class WritesOnlyIdsAsNumbers(WritesNumbers):
    """Writes ids as JSON numbers and other numbers as text."""

    def numeric_ids(self, operation: str) -> bool:
        """Write ids as declared."""
        return True


class NumbersRefunds(Shop):
    """Shows refunds under other ids than it stores; the variants below differ in how great they are."""

    offset = 0

    def shown(self, stored: str) -> str:
        """Return the id that a stored one shows as."""
        return str(int(stored) + self.offset)

    def stored(self, shown: str) -> str:
        """Return the id that is stored for one that shows."""
        return str(int(shown) - self.offset)

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Show the other id."""
        return super().record(operation, evolve(refund, id=self.shown(refund.id)))

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Find by the other id."""
        return super().find_refund(order, self.stored(refund_id))


@reads("A06", aspect="refund ids")
class NumbersRefundsFromATenThousand(NumbersRefunds):
    """Gives refunds small ids, of five digits."""

    offset = 10_000 - 9_007_199_254_745_993_000


@reads("A06", aspect="refund ids")
class NumbersRefundsWithTwentyDigits(NumbersRefunds):
    """Gives refunds ids of twenty digits, beyond 2^64."""

    offset = 20_000_000_000_000_000_000


@reads("A06", aspect="refund ids")
class CountsRefundsDown(NumbersRefunds):
    """Gives each refund the number before the last one's, so that a number and one is that of an older refund."""

    first, step = 9_007_199_254_745_993_000, 7
    """The least id that the store gives a refund, and how far it counts on with each."""
    greatest = 900_000_000

    def shown(self, stored: str) -> str:
        """Return the id that a stored one shows as."""
        return str(self.greatest - (int(stored) - self.first) // self.step)

    def stored(self, shown: str) -> str:
        """Return the id that is stored for one that shows."""
        return str((self.greatest - int(shown)) * self.step + self.first)


@reads("A06", aspect="refund ids")
class NumbersTheFirstRefundLikeItsOrder(Shop):
    """Gives the first refund of an order the order's number, as two counters may that know nothing of each other."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take the order's number where no refund of its has it."""
        refund = super().new_refund(request)
        first = not self.store.refunds_of(self.name, request.order.id)
        return evolve(refund, id=request.order.id) if first else refund


@reads("A06", aspect="line ids")
class NumbersLinesAnew(Shop):
    """Numbers the lines of each order from 1, so that an id alone does not tell whose line it is."""

    def new_line_id(self, number: int) -> str:
        """Count within the order."""
        return str(number)


@reads("A10", "A12", aspect="reasons that nobody gave")
class LeavesOutReasonsThatNobodyGave(Shop):
    """Shows no reason on a line that was refunded without one."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Leave out what is not there."""
        shown = super().render_line(operation, line)
        return {name: value for name, value in shown.items() if name != "rightsReason" or value}


class WritesTimes(Shop):
    """Writes times in another form; the variants below differ in which."""

    def written(self, time: datetime) -> str:
        """Return a time in UTC in its form."""
        return time.isoformat()

    def render_time(self, value: str) -> str:
        """Return the stored time in its form."""
        return self.written(datetime.fromisoformat(value))


@reads("A08", aspect="time form")
class WritesTimesWithZ(WritesTimes):
    """Writes times in UTC with Z and six digits of the second."""

    def written(self, time: datetime) -> str:
        """Put Z for the offset."""
        return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@reads("A08", aspect="time form")
class WritesWholeSeconds(WritesTimes):
    """Writes times to the second."""

    def written(self, time: datetime) -> str:
        """Leave the fraction out."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@reads("A08", aspect="time form")
class WritesTimesInBasicForm(WritesTimes):
    """Writes times in the basic form of ISO 8601, with milliseconds after a comma."""

    def written(self, time: datetime) -> str:
        """Leave the separators out."""
        return time.strftime("%Y%m%dT%H%M%S,%f")[:-3] + "Z"


@reads("A08", aspect="time form")
class NumbersTheDaysOfTheYear(WritesTimes):
    """Writes dates with the number of the day in its year, and times to the second."""

    def written(self, time: datetime) -> str:
        """Count the days."""
        return time.strftime("%Y-%jT%H:%M:%SZ")


@reads("A08", aspect="time form")
class NumbersTheWeeks(WritesTimes):
    """Writes dates with the week and the day in it, and times to the microsecond."""

    def written(self, time: datetime) -> str:
        """Count the weeks."""
        return time.strftime("%G-W%V-%uT%H:%M:%S.%fZ")


@reads("A08", aspect="time form")
class WritesTimesWithoutOffset(WritesTimes):
    """Writes times in UTC without saying so."""

    def written(self, time: datetime) -> str:
        """Leave the offset out."""
        return time.strftime("%Y-%m-%dT%H:%M:%S.%f")


@reads("A08", aspect="time form")
class WritesTimesOfShanghai(WritesTimes):
    """Writes times with the offset +08:00 and milliseconds."""

    def written(self, time: datetime) -> str:
        """Move to the other offset."""
        return time.astimezone(timezone(timedelta(hours=8))).isoformat(timespec="milliseconds")


@reads("A08", aspect="time form")
class WritesTimesOfNewYork(WritesTimes):
    """Writes times to the second with the offset -0500, without a colon."""

    def written(self, time: datetime) -> str:
        """Move to the other offset."""
        return time.astimezone(timezone(timedelta(hours=-5))).strftime("%Y-%m-%dT%H:%M:%S%z")


@reads("A16", "A62", aspect="orderId")
class ShowsTheOrderEverywhere(Shop):
    """Names the order in every answer, as the resource does."""

    def shows_order_id(self, operation: str) -> bool:
        """Leave it out nowhere."""
        return True


@reads("A16", aspect="orderId")
class ShowsTheOrderOnceDecided(Shop):
    """Names the order in the record of a refund that was decided, and otherwise in the answer to a create only."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Look at the status."""
        record = super().record(operation, refund)
        if refund.status != INITIATED:
            record["orderId"] = self.render_id(operation, refund.order_id)
        return record


@reads("A10", "A62", aspect="extra logistics")
class SaysWhereTheParcelIs(Shop):
    """Shows one field more of the logistics information than the page, which changes with the review."""

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Add it."""
        record = super().record(operation, refund)
        where = "announced" if self.is_open(refund) else "received"
        return record | {"shipping": (record.get("shipping") or {}) | {"parcelStatus": where}}


@reads("A62", aspect="extra fields")
class ShowsMoreThanDocumented(Shop):
    """Shows fields that the page does not know: beside the record, in it, in its lines and in its parcel."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Add fields beside the record."""
        return {"code": 0, "message": "success"} | super().one(operation, refund)

    def many(self, refunds: list[StoredRefund]) -> JSON:
        """Add fields beside the records."""
        return {"code": 0, "total": len(refunds)} | super().many(refunds)

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Add fields to the record."""
        return super().record(operation, refund) | {"currency": "USD", "note": None, "reviewed": refund.status > 1}

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Add fields to a line."""
        record = super().render_line(operation, line)
        return record | {"lineItem": record["lineItem"] | {"title": "A mug"}, "discount": "0.00"}


@reads("A48", aspect="order of lines")
class ShowsLinesBackwards(Shop):
    """Shows the lines of a refund in another order than they were sent in."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Turn them round."""
        return super().render_lines(operation, refund)[::-1]


@reads("A48", aspect="order of lines")
class ShowsLinesInAnyOrder(Shop):
    """Shows the lines of a refund in another order with each answer, as a database does that is not told one."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.generator = random.Random(3)  # noqa: S311 - it chooses an order

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Shuffle them."""
        lines = super().render_lines(operation, refund)
        self.generator.shuffle(lines)
        return lines


@reads("A09", aspect="first update")
class UpdatesOnceMoreOnCreation(Shop):
    """Gives a new refund an update time that is a little later than its time of creation."""

    def new_refund(self, request: Any) -> StoredRefund:
        """Take the time again."""
        refund = super().new_refund(request)
        return evolve(refund, updated=self.later(refund.created))


@reads("A01", aspect="number form")
class WritesCountsWithAFraction(Shop):
    """Writes counts as JSON numbers with a zero fraction, as those do who know but one kind of number."""

    def render_count(self, operation: str, value: int) -> Any:
        """Return a number with a point."""
        return Decimal(f"{value}.0")


@reads("A08", aspect="time form")
class ListsWholeSeconds(Shop):
    """Writes times to the second in the answers to list and review, and to the microsecond in the others."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Cut the fraction off."""
        record = super().record(operation, refund)
        if operation in {"list", "review"}:
            record |= {name: f"{record[name][:19]}Z" for name in ("createTime", "updateTime")}
        return record


@reads("A01", "A06", aspect="number form")
class PadsIds(Shop):
    """Writes all ids but its own with zeros in front, where orders were made under the same numbers without them."""

    def render_id(self, operation: str, value: str) -> Any:
        """Fill it up."""
        return super().render_id(operation, value).zfill(24)

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave the id that it knows the refund by."""
        return super().record(operation, refund) | {"refundId": super().render_id(operation, refund.id)}
