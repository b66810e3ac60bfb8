"""Servers that find a refund under ids that are not its own, or with one of them missing."""

from conformance.faults import breaks
from conformance.faults.reading import Getting, Query
from conformance.reference.requests import Refusal
from conformance.reference.rules import CANCELED, COMPLETED, Shop
from conformance.reference.store import StoredOrder, StoredRefund

# Which pairs of ids find something.


@breaks("GET-04")
class GetsUnderAnyOrder(Getting):
    """Finds a refund under any order that there is."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Do not compare the order."""
        refund = self.store.refund(self.name, refund_id)
        return refund or super().pick(order, refund_id)


@breaks("GET-04")
class GetsUnderOrdersOfTheCustomer(Getting):
    """Finds a refund under any order of its customer."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Compare the customer."""
        refund = self.store.refund(self.name, refund_id)
        return refund if refund is not None and refund.customer == order.customer else super().pick(order, refund_id)


@breaks("GET-04")
class RemembersRefundsWithoutOrders(Getting):
    """Finds a refund under any order once it was got under its own."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Cache by the refund alone."""
        seen: set[str] = self.__dict__.setdefault("seen", set())
        refund = self.store.refund(self.name, refund_id) if refund_id in seen else None
        refund = refund or super().pick(order, refund_id)
        seen.add(refund.id)
        return refund


@breaks("GET-05", also=("GET-08",))
class GetsUnderUnknownOrders(Shop):
    """Finds a refund without looking whether there is an order, when the refund's is another."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Ask for the order only when it exists."""
        order_id, refund_id = query.get("orderId", ""), query.get("refundId", "")
        if order_id.isdecimal() and refund_id.isdecimal() and self.store.order(self.name, order_id) is None:
            refund = self.store.refund(self.name, refund_id)
            if refund is not None:
                return refund
        return super().get_refund(query)


@breaks("GET-05")
class BreaksOnGetsUnderUnknownOrders(Shop):
    """Answers 500 when the order does not exist."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Let the missing order complain."""
        order_id = query.get("orderId", "")
        if order_id.isdecimal() and len(order_id) == 20 and self.store.order(self.name, order_id) is None:
            raise Refusal(500, "NullPointerException")
        return super().get_refund(query)


@breaks("GET-06", also=("GET-07",))
class GetsTheLatestForUnknown(Getting):
    """Shows the latest refund of the order when the one asked for does not exist."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Fall back."""
        refunds = self.all_of(order)
        known = self.store.refund(self.name, refund_id) is not None
        return super().pick(order, refund_id) if known or not refunds else refunds[-1]


@breaks("GET-06")
class IgnoresDigitsBeyondTheNineteenth(Getting):
    """Compares the first 19 digits of a refund's id."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Cut the id off, as a column of that width does."""
        return super().pick(order, refund_id[:19])


@breaks("GET-07")
class GetsByFloats(Getting):
    """Compares the ids of refunds as floating-point numbers."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Round both."""
        if self.store.refund(self.name, refund_id) is None:
            for refund in self.all_of(order):
                if abs(int(refund.id) - int(refund_id)) <= 1:
                    return refund
        return super().pick(order, refund_id)


@breaks("GET-07")
class GetsByTheBeginning(Getting):
    """Finds a refund whose id begins with the one that is asked for."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Compare what is there."""
        found = [refund for refund in self.all_of(order) if refund.id.startswith(refund_id)]
        return found[0] if found and len(refund_id) > 9 else super().pick(order, refund_id)


@breaks("GET-08")
class GetsUnderOrdersByFloats(Shop):
    """Compares the ids of orders as floating-point numbers when a refund is got."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Try the ids around it."""
        order_id = query.get("orderId", "")
        for step in (0, 1, -1) if order_id.isdecimal() else ():
            near = str(int(order_id) + step)
            if self.store.order(self.name, near) is not None:
                return super().get_refund({**query, "orderId": near})
        return super().get_refund(query)


@breaks("GET-08")
class GetsUnderTheBeginningOfAnOrder(Shop):
    """Gets a refund whose order's id begins with the one that is asked for."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Compare the beginning."""
        refund, asked = self.store.refund(self.name, query.get("refundId", "")), query.get("orderId", "")
        if refund is not None and len(asked) > 9 and refund.order_id.startswith(asked):
            return super().get_refund({**query, "orderId": refund.order_id})
        return super().get_refund(query)


@breaks("GET-13")
class GetsEitherWay(Shop):
    """Tries the two ids the other way round when they find nothing."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Be helpful."""
        try:
            return super().get_refund(query)
        except Refusal:
            if "orderId" not in query or "refundId" not in query:
                raise
            return super().get_refund({"orderId": query["refundId"], "refundId": query["orderId"]})


# Gets with half of what is needed.


@breaks("GET-09")
class GetsTheFirstWithoutTheOrder(Shop):
    """Shows the first refund of the named one's order when no order is named."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Find the order by the refund, and forget which one it was."""
        if "orderId" not in query and "refundId" in query:
            refund = self.store.refund(self.name, self.ident(query["refundId"], "refundId"))
            if refund is not None:
                return self.store.refunds_of(self.name, refund.order_id)[0]
        return super().get_refund(query)


@breaks("GET-10")
class GetsTheFirstWithoutId(Shop):
    """Shows the first refund of an order when none is named."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Take the first."""
        if "refundId" not in query and "orderId" in query:
            return self.store.refunds_of(self.name, self.find_order(query["orderId"]).id)[0]
        return super().get_refund(query)


@breaks("GET-10")
class GetsTheOnlyOneWithoutId(Shop):
    """Shows the refund of an order that has one when none is named."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Take the only one."""
        if "refundId" not in query and "orderId" in query:
            refunds = self.store.refunds_of(self.name, self.find_order(query["orderId"]).id)
            if len(refunds) == 1:
                return refunds[0]
        return super().get_refund(query)


@breaks("GET-11")
class GetsAnyRefund(Shop):
    """Shows some refund of the shop when nothing is named."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Filter nothing."""
        if not query:
            return self.store._refunds("shop = ?", (self.name,))[0]  # noqa: SLF001 - as only a careless query does
        return super().get_refund(query)


@breaks("GET-11")
class BreaksWithoutIds(Shop):
    """Answers 500 when nothing is named."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Let the missing ids complain."""
        if not query:
            raise Refusal(500, "NullPointerException")
        return super().get_refund(query)


@breaks("GET-12")
class TakesEmptyForAny(Shop):
    """Shows the first refund of an order when the refund's id is empty."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Leave the empty one out."""
        if query.get("refundId") == "" and query.get("orderId"):
            return self.store.refunds_of(self.name, self.find_order(query["orderId"]).id)[0]
        return super().get_refund(query)


@breaks("GET-12")
class TakesAnEmptyOrderForAny(Shop):
    """Shows the first refund of the named one's order when the order's id is empty."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Leave the empty one out, and then the other."""
        refund = self.store.refund(self.name, query.get("refundId", "")) if query.get("orderId") == "" else None
        return self.store.refunds_of(self.name, refund.order_id)[0] if refund else super().get_refund(query)


@breaks("GET-14")
class ReadsTheQueryByPlace(Shop):
    """Takes the first parameter for the order, whatever its name."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Forget the names."""
        if len(query) < 2:
            return super().get_refund(query)
        order_id, refund_id, *_ = query.values()
        return super().get_refund({"orderId": order_id, "refundId": refund_id})


class GetsDecidedUnderAnyOrder(Getting):
    """Does not compare the order of a refund once it was decided."""

    decided: int

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Ask the archive, by the refund's id alone."""
        refund = self.store.refund(self.name, refund_id)
        return refund if refund is not None and refund.status == self.decided else super().pick(order, refund_id)


@breaks("GET-04")
class GetsCanceledUnderAnyOrder(GetsDecidedUnderAnyOrder):
    """Gets a canceled refund under any order of the shop."""

    decided = CANCELED


@breaks("GET-04")
class GetsCompletedUnderAnyOrder(GetsDecidedUnderAnyOrder):
    """Gets a completed refund under any order of the shop."""

    decided = COMPLETED


@breaks("GET-06", also=("GET-04",))
class GetsTheOnlyOne(Getting):
    """Gets the only refund of an order whatever its id is said to be."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Fall back on it."""
        refunds = self.all_of(order)
        return refunds[0] if len(refunds) == 1 else super().pick(order, refund_id)
