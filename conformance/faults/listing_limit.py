"""Servers that get the limit of a list wrong."""

from collections.abc import Mapping
from typing import Any

from conformance.faults import breaks
from conformance.faults.listing import Query, all_of
from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredOrder, StoredRefund


class Limiting(Shop):
    """A server that takes another part of the refunds than the limit says."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Let a small limit be something else."""
        limit = self.read_limit(query.get("limit"))
        return self.part(self.store.refunds_of(self.name, self.find_order(order_id).id), limit)

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Return what a limit leaves."""
        return refunds[:limit]


@breaks("LIST-10")
class ListsOneMore(Limiting):
    """Lists one refund more than the limit."""

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Count from zero, and to the end."""
        return refunds[: limit + 1]


@breaks("LIST-10")
class ListsOneFewer(Limiting):
    """Lists one refund fewer than the limit, when that is less than 50."""

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Count from zero, and stop early."""
        return refunds[: limit - 1] if limit < 50 else refunds


@breaks("LIST-10")
class IgnoresTheLimit(Limiting):
    """Lists all refunds, whatever the limit."""

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Return all."""
        return refunds


@breaks("LIST-10", also=("LIST-12",))
class LimitsTheShop(Shop):
    """Takes as many refunds of the shop as a small limit says, and then those of the order."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Filter too late."""
        limit = self.read_limit(query.get("limit"))
        refunds = self.store.refunds_of(self.name, self.find_order(order_id).id)
        if limit >= 50:
            return refunds[:limit]
        return [refund for refund in all_of(self)[-limit:] if refund in refunds]


@breaks("LIST-10")
class TakesAtMostThree(Limiting):
    """Never lists more than three refunds when a limit below 50 is given."""

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Take the smaller of the two."""
        return refunds[: min(3, limit)] if limit < 50 else refunds


@breaks("LIST-12")
class RepeatsTheFirst(Limiting):
    """Fills a limited list with the first refund."""

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Repeat it."""
        return [refunds[0]] * limit if limit < len(refunds) else refunds


@breaks("LIST-11")
class AllowsAHundred(Shop):
    """Refuses a limit of more than 100."""

    def greatest_limit(self) -> int:
        """Be stricter than the page."""
        return 100


@breaks("LIST-11")
class TakesTheMaximumForExclusive(Shop):
    """Refuses a limit of 250."""

    def greatest_limit(self) -> int:
        """Be off by one."""
        return 249


@breaks("LIST-13")
class DefaultsToOne(Shop):
    """Lists one refund when there is no limit."""

    def default_limit(self) -> int:
        """Be stricter than the page."""
        return 1


@breaks("LIST-13")
class DefaultsToTen(Shop):
    """Lists ten refunds when there is no limit, as it does elsewhere."""

    def default_limit(self) -> int:
        """Be stricter than the page."""
        return 10


@breaks("LIST-13")
class DefaultsToTwenty(Shop):
    """Lists twenty refunds when there is no limit."""

    def default_limit(self) -> int:
        """Be stricter than the page."""
        return 20


@breaks("LIST-13")
class BreaksWithoutLimit(Shop):
    """Lists nothing when there is no limit."""

    def default_limit(self) -> int:
        """Take a missing number for zero."""
        return 0


@breaks("LIST-14")
class RemembersTheLimit(Shop):
    """Takes the last small limit for the default."""

    remembered = 50

    def read_limit(self, value: str | None) -> int:
        """Keep what came."""
        if value is None:
            return self.remembered
        self.remembered = super().read_limit(value)
        return self.remembered


@breaks("LIST-14")
class KeepsTheFirstLimitOfAnOrder(Shop):
    """Keeps the list of an order as long as it was first asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.first: dict[str, str | None] = {}

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Take a small limit that came first for all that follow."""
        if query.get("limit") == "1":
            self.first.setdefault(order_id, "1")
        first = self.first.setdefault(order_id, None)
        return super().list_refunds(order_id, query if first is None else {**query, "limit": first})


class Lenient(Shop):
    """A server that takes limits which the page does not know."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Do something with an odd limit."""
        try:
            return super().list_refunds(order_id, query)
        except Refusal as refusal:
            return self.odd(self.find_order(order_id), str(query.get("limit")), refusal)

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Return what an odd limit shows."""
        raise refusal


@breaks("LIST-15")
class ListsTheShopForZero(Lenient):
    """Lists all refunds of the shop for a limit of 0."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Filter nothing."""
        return all_of(self)[:250] if limit == "0" else super().odd(order, limit, refusal)


@breaks("LIST-15")
class BreaksOnNegativeLimits(Lenient):
    """Answers 500 to a negative limit."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Let the database complain."""
        raise Refusal(500, "limit must not be negative") if limit == "-1" else refusal


@breaks("LIST-15")
class CountsNegativeLimitsFromTheEnd(Lenient):
    """Leaves the last refund out for a limit of -1, as a slice does."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Slice."""
        if limit != "-1":
            raise refusal
        return self.store.refunds_of(self.name, order.id)[:-1]


@breaks("LIST-16")
class ListsOneAbove250(Lenient):
    """Lists one refund for a limit that is too great."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Cut it to the wrong end."""
        if not limit.isdecimal() or limit == "0":
            raise refusal
        return self.store.refunds_of(self.name, order.id)[:1]


@breaks("LIST-16")
class BreaksOnHugeLimits(Lenient):
    """Answers 500 to a limit that the database cannot take."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Let the database complain."""
        raise Refusal(500, "out of range") if len(limit) > 18 else refusal


@breaks("LIST-16")
class ListsTwiceAbove250(Lenient):
    """Lists every refund twice for a limit of 251."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Read two pages that are the same."""
        if limit != "251":
            raise refusal
        return self.store.refunds_of(self.name, order.id) * 2


@breaks("LIST-17")
class ListsNothingForTexts(Lenient):
    """Lists no refunds for a limit that is no number."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Take it for 0."""
        if limit != "abc":
            raise refusal
        return []


@breaks("LIST-17")
class BreaksOnTexts(Lenient):
    """Answers 500 to a limit that is no whole number."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Let the parser complain."""
        raise Refusal(500, "NumberFormatException") if limit in {"abc", "1.5"} else refusal


@breaks("LIST-17")
class BreaksOnEmptyLimits(Lenient):
    """Answers 500 to an empty limit."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Let the parser complain."""
        raise refusal if limit else Refusal(500, "NumberFormatException")


@breaks("LIST-22")
class DefaultsTo20(Shop):
    """Lists 20 refunds when there is no limit."""

    def default_limit(self) -> int:
        """Be stricter than the page."""
        return 20


@breaks("LIST-22")
class DefaultsToAll(Shop):
    """Lists all refunds when there is no limit."""

    def default_limit(self) -> int:
        """Be more generous than the page."""
        return 250


@breaks("LIST-23", also=("LIST-24",))
class NeverListsMoreThan50(Limiting):
    """Lists 50 refunds at most."""

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Take the default for the maximum."""
        return refunds[: min(limit, 50)]


@breaks("LIST-24")
class NeverListsMoreThan200(Limiting):
    """Lists 200 refunds at most."""

    def part(self, refunds: list[StoredRefund], limit: int) -> list[StoredRefund]:
        """Be stricter than the page."""
        return refunds[: min(limit, 200)]


@breaks("LIST-25")
class KnowsNoMaximum(Lenient):
    """Lists as many refunds as are asked for."""

    def odd(self, order: StoredOrder, limit: str, refusal: Refusal) -> list[StoredRefund]:
        """Obey."""
        if not limit.isdecimal():
            raise refusal
        return self.store.refunds_of(self.name, order.id)[: int(limit)]


@breaks("LIST-10")
class ReadsOneDigitOfALimit(Shop):
    """Reads the first digit of a limit below 50."""

    def read_limit(self, value: str | None) -> int:
        """Drop the second."""
        limit = super().read_limit(value)
        return int(str(limit)[0]) if limit < self.default_limit() else limit


@breaks("LIST-10")
class ForgetsLimitsOfTwoDigits(Shop):
    """Takes a limit of two digits for the default."""

    def read_limit(self, value: str | None) -> int:
        """Understand one digit, and three."""
        limit = super().read_limit(value)
        return self.default_limit() if 10 <= limit < 100 else limit
