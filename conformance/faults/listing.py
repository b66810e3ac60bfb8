"""Servers that list other refunds than those of the order, or list them with other values."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REFUND, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, IN_PROCESS, INITIATED, Shop
from conformance.reference.store import FIRST_ID, StoredRefund

JSON = dict[str, Any]
Query = Mapping[str, str]


def all_of(shop: Shop) -> list[StoredRefund]:
    """Return all refunds of a shop, oldest first, as only a careless query does."""
    return shop.store._refunds("shop = ?", (shop.name,))  # noqa: SLF001


def is_mixed(refunds: list[StoredRefund]) -> bool:
    """Say whether there are refunds of both types, and of several lines."""
    return len({refund.rights_type for refund in refunds}) > 1 and any(len(refund.lines) > 1 for refund in refunds)


class Mixed(Shop):
    """A server whose list differs once it is mixed: refunds of both types, and of several lines."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Change what is shown of a mixed list, and leave any other alone."""
        return self.mix(refunds) if is_mixed(refunds) else refunds

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return what is shown of a mixed list."""
        return refunds


class Paged(Shop):
    """A server whose list differs when it is asked for in pages of fewer than 100."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Take another way for small pages."""
        refunds = super().list_refunds(order_id, query)
        return self.page(refunds) if self.read_limit(query.get("limit")) < 100 else refunds

    def page(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Return what is shown of a small page."""
        return refunds


# Which refunds are listed.


@breaks("LIST-01")
class ListsNoRefundsWithoutReturn(Mixed):
    """Leaves refunds of type 2 out of a mixed list."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Filter by type."""
        return [refund for refund in refunds if refund.rights_type != REFUND]


@breaks("LIST-01")
class ListsRefundsOfOneLine(Shop):
    """Leaves refunds of several lines out, when there are others."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Filter by the number of lines."""
        return [refund for refund in refunds if len(refund.lines) == 1] if len(refunds) > 1 else refunds


@breaks("LIST-01")
class RefusesToListBothTypes(Mixed):
    """Breaks down on an order with a mixed list."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Give up."""
        raise Refusal(400, "the types differ")


@breaks("LIST-01")
class ListsTheFirstHalf(Mixed):
    """Leaves the later half of a mixed list out."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Cut the list off."""
        return refunds[: (len(refunds) + 1) // 2]


@breaks("LIST-02")
class ListsARowForEachLine(Shop):
    """Lists a refund as often as it has lines."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Join with the lines."""
        return [refund for refund in refunds for _ in refund.lines]


@breaks("LIST-02")
class ListsTheLastTwice(Mixed):
    """Lists the youngest of several refunds twice."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Repeat it."""
        return [*refunds, refunds[-1]]


@breaks("LIST-03", also=("ISOLATION-08",))
class ListsByCustomer(Shop):
    """Lists the refunds of all orders of the order's customer."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Filter by the wrong column."""
        limit = self.read_limit(query.get("limit"))
        customer = self.find_order(order_id).customer
        return [refund for refund in all_of(self) if refund.customer == customer][:limit]


@breaks("LIST-03")
class ListsTheNextOrderToo(Shop):
    """Lists the refunds of the following order as well, in a mixed list."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Append them."""
        refunds = super().list_refunds(order_id, query)
        following = self.store.refunds_of(self.name, str(int(order_id) + 7))
        return refunds + following if is_mixed(refunds) else refunds


@breaks("LIST-04")
class RefusesToListNone(Shop):
    """Refuses to list an order without refunds."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Find nothing wrong with an error."""
        if not refunds:
            raise Refusal(400, "there is nothing to list")
        return refunds


@breaks("LIST-05", also=("LIST-01",))
class RemembersEmptyLists(Shop):
    """Remembers that an order had no refunds when it was listed with the default limit."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Keep an empty list for good."""
        empty: set[str] = self.__dict__.setdefault("empty", set())
        refunds = super().list_refunds(order_id, query)
        if not refunds and query.get("limit") == "50":
            empty.add(order_id)
        return [] if order_id in empty else refunds


@breaks("LIST-06")
class ListsTheFirstAmountForAll(Paged):
    """Shows the amount of the first refund in every entry of a small page."""

    def page(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Put it in."""
        return [evolve(refund, amount=refunds[0].amount) for refund in refunds]


@breaks("LIST-06")
class ListsTheTypeOfTheFirst(Mixed):
    """Shows the type of the first refund in every entry of a mixed list."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Put it in."""
        return [evolve(refund, rights_type=refunds[0].rights_type) for refund in refunds]


@breaks("LIST-06")
class ListsTheLinesOfTheNext(Mixed):
    """Shows the lines of the last refund in the one before it."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Mix two up."""
        return [*refunds[:-2], evolve(refunds[-2], lines=refunds[-1].lines), refunds[-1]]


@breaks("LIST-07")
class ListsOneLineOfEach(Mixed):
    """Shows one line of each refund of a mixed list."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Cut the lines off."""
        return [evolve(refund, lines=refund.lines[-1:]) for refund in refunds]


@breaks("LIST-07", also=("CREATE-28", "REVIEW-24"))
class ListsTheFirstLine(Shop):
    """Shows the first line of each refund."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Cut the lines off."""
        return [evolve(refund, lines=refund.lines[:1]) for refund in refunds]


@breaks("LIST-08")
class ListsOpenOnes(Mixed):
    """Leaves approved refunds out of a mixed list."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Filter by status."""
        return [refund for refund in refunds if refund.status != COMPLETED]


@breaks("LIST-08")
class ListsNothingThatIsDone(Shop):
    """Leaves completed refunds out of the list of an order of which nothing is left."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Take the order for closed."""
        refunds = super().list_refunds(order_id, query)
        order = self.store.order(self.name, self.ident(order_id, "orderId"))
        done = [refund for refund in refunds if refund.status == COMPLETED]
        refunded = sum(line.quantity for refund in done for line in refund.lines)
        closed = order is not None and refunded == sum(line.quantity for line in order.lines)
        return [refund for refund in refunds if refund.status != COMPLETED] if closed else refunds


@breaks("LIST-08")
class ListsApprovedAsOpen(Paged):
    """Shows an approved refund in a small page as initiated."""

    def page(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Show the old status."""
        return [evolve(r, status=INITIATED if r.status == COMPLETED else r.status) for r in refunds]


@breaks("LIST-08")
class ListsCompletedAsInProcess(Shop):
    """Lists completed refunds as in process for good, as a table that is filled on approval does."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Show what was written then."""
        return [evolve(each, status=IN_PROCESS) if each.status == COMPLETED else each for each in refunds]


@breaks("LIST-09")
class ListsCanceledRefundsTwice(Shop):
    """Lists a canceled refund twice, as a join with its reviews does."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Join."""
        return refunds + [refund for refund in refunds if refund.status == CANCELED]


@breaks("LIST-09")
class TakesCanceledForDeleted(Mixed):
    """Leaves canceled refunds out of a mixed list."""

    def mix(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Filter by status."""
        return [refund for refund in refunds if refund.status != CANCELED]


@breaks("LIST-09")
class ListsCanceledAsOpen(Paged):
    """Shows a canceled refund in a small page as initiated."""

    def page(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Show the old status."""
        return [evolve(r, status=INITIATED if r.status == CANCELED else r.status) for r in refunds]


# Other orders.


@breaks("LIST-18")
class ListsTheShopForUnknownOrders(Shop):
    """Lists refunds of the shop when the order does not exist."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Filter nothing."""
        if self.store.order(self.name, order_id) is None and order_id.isdecimal():
            return all_of(self)[:3]
        return super().list_refunds(order_id, query)


@breaks("LIST-18")
class BreaksOnUnknownOrders(Shop):
    """Answers 500 when the order to list does not exist."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Let the missing order complain."""
        try:
            return super().list_refunds(order_id, query)
        except Refusal as refusal:
            raise Refusal(500, "NullPointerException") if refusal.status == 404 else refusal from None


@breaks("LIST-19")
class ListsOrdersByTheirBeginning(Shop):
    """Lists the refunds of every order whose id begins with the unknown one that is asked for."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Compare what is there."""
        alike = [refund for refund in all_of(self) if len(order_id) > 9 and refund.order_id.startswith(order_id)]
        return (
            alike if alike and self.store.order(self.name, order_id) is None else super().list_refunds(order_id, query)
        )


@breaks("LIST-19")
class ListsOrdersByTheirLastDigits(Shop):
    """Looks at no more digits of an order's id than its own ids have, from the last one on."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Cut off what comes before them."""
        return super().list_refunds(order_id[-len(str(FIRST_ID)) :] if order_id.isdecimal() else order_id, query)


@breaks("LIST-19")
class ListsOrdersByFloats(Shop):
    """Lists an order whose id is the same floating-point number."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Try the ids around it."""
        for step in (0, 1, -1) if order_id.isdecimal() else ():
            near = str(int(order_id) + step)
            if self.store.order(self.name, near) is not None:
                return super().list_refunds(near, query)
        return super().list_refunds(order_id, query)


# What listing leaves as it is.


@breaks("LIST-20")
class TakesListedForSeen(Shop):
    """Brings a refund in process when it is listed with others by the default limit."""

    def list_refunds(self, order_id: str, query: Query) -> list[StoredRefund]:
        """Mark what is shown."""
        refunds = super().list_refunds(order_id, query)
        for refund in refunds[:1] if query.get("limit") == "50" and len(refunds) > 3 else []:
            self.store.set_status(refund.id, IN_PROCESS, refund.updated)
        return refunds


@breaks("LIST-21")
class HidesFromReaders(Shop):
    """Shows a token that may only read the first refund alone."""

    reader = False

    def authorise(self, token: Any, operation: str) -> None:
        """Notice who asks."""
        super().authorise(token, operation)
        self.reader = len(token.scopes) == 1

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Show less."""
        return refunds[:1] if self.reader else refunds


@breaks("LIST-01")
class ListsTwentyAtMost(Shop):
    """Lists twenty refunds, whatever the limit."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Cut every list off."""
        return super().select(refunds)[:20]


@breaks("LIST-01")
class ListsTheLatestNine(Shop):
    """Leaves the first of ten refunds out, and of more."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Keep nine."""
        return refunds[-9:]


@breaks("LIST-06")
class CarriesParcelsOver(Shop):
    """Shows the parcel of one refund in the entries after it that have none of their own."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Keep the last parcel."""
        shown, parcel = [], dict[str, str]()
        for refund in refunds:
            parcel = refund.shipping or parcel
            shown.append(evolve(refund, shipping=parcel))
        return shown


@breaks("LIST-02")
class ListsTheTenthTwice(Shop):
    """Puts the pages of a list together so that the last refund of the first page is the first of the second, too."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Overlap by one."""
        return refunds if len(refunds) <= 10 else refunds[:10] + refunds[9:]
