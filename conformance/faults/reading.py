"""Servers that show another refund than the one asked for, or none, or one as it was."""

from collections.abc import Mapping

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.requests import REFUND, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, IN_PROCESS, INITIATED, Shop
from conformance.reference.store import StoredOrder, StoredRefund

Query = Mapping[str, str]


class Getting(Shop):
    """A server that looks a refund up in another way when it is got."""

    def get_refund(self, query: Query) -> StoredRefund:
        """Find the order, then the refund."""
        order = self.find_order(self.member(dict(query), "orderId"))
        return self.pick(order, self.ident(self.member(dict(query), "refundId"), "refundId"))

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Return the refund of an order that an id names."""
        return self.find_refund(order, refund_id)

    def all_of(self, order: StoredOrder) -> list[StoredRefund]:
        """Return all refunds of an order."""
        return self.store.refunds_of(self.name, order.id)


# Which refund is shown.


@breaks("GET-01", also=("AMOUNT-04",))
class GetsTheLatest(Getting):
    """Shows the latest refund of the order, whichever is asked for."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Let the id only have to be there."""
        self.find_refund(order, refund_id)
        return self.all_of(order)[-1]


@breaks("GET-01", also=("AMOUNT-04",))
class GetsTheFirst(Getting):
    """Shows the first refund of the order, whichever is asked for."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Let the id only have to be there."""
        self.find_refund(order, refund_id)
        return self.all_of(order)[0]


@breaks("GET-01")
class MissesTheMiddle(Getting):
    """Finds no refund without return that is between two returns."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Look at both ends."""
        refund = super().pick(order, refund_id)
        ends = self.all_of(order)
        if refund.rights_type == REFUND and refund.id not in {ends[0].id, ends[-1].id}:
            raise Refusal(404, "there is no such refund")
        return refund


@breaks("GET-01", also=("AMOUNT-04",))
class RemembersTheFirstGet(Getting):
    """Remembers for each order what was shown at first."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Cache the id by the order alone."""
        shown: dict[str, str] = self.__dict__.setdefault("shown", {})
        return super().pick(order, shown.setdefault(order.id, self.find_refund(order, refund_id).id))


@breaks("GET-01", also=("GET-02",))
class MissesWholeOrders(Getting):
    """Finds no refund of all units of its order, which it keeps with the returned orders."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Look among those of a part."""
        refund = super().pick(order, refund_id)
        if sum(line.quantity for line in refund.lines) == sum(line.quantity for line in order.lines):
            raise Refusal(404, "there is no such refund")
        return refund


@breaks("GET-02")
class DoesNotGetCanceled(Getting):
    """Finds no refund that was canceled."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Take it for deleted."""
        refund = super().pick(order, refund_id)
        if refund.status == CANCELED:
            raise Refusal(404, "there is no such refund")
        return refund


@breaks("GET-02")
class JoinsShipments(Getting):
    """Finds no open refund of an order that was not shipped."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Look it up beside its shipment."""
        refund = super().pick(order, refund_id)
        if refund.status == INITIATED and not order.shipped:
            raise Refusal(404, "there is no such refund")
        return refund


@breaks("GET-02")
class GetsOpenOnesOnly(Getting):
    """Finds no refund that was approved."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Take it for archived."""
        refund = super().pick(order, refund_id)
        if refund.status == COMPLETED:
            raise Refusal(404, "there is no such refund")
        return refund


@breaks("GET-03")
class RemembersTheStatus(Getting):
    """Shows the status that a refund had when it was got at first."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Cache it."""
        refund = super().pick(order, refund_id)
        seen: dict[str, int] = self.__dict__.setdefault("seen", {})
        return evolve(refund, status=seen.setdefault(refund.id, refund.status))


@breaks("GET-03", also=("REVIEW-01",))
class GetsDecidedAsOpen(Getting):
    """Shows a decided refund among refunds of both types as initiated."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Show the old status."""
        refund = super().pick(order, refund_id)
        mixed = len({other.rights_type for other in self.all_of(order)}) > 1
        return evolve(refund, status=INITIATED) if refund.status in {COMPLETED, CANCELED} and mixed else refund


@breaks("GET-03")
class GetsCompletedAsInProcess(Getting):
    """Gets completed refunds as in process for good, as a copy that is made on approval does."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Show what was copied."""
        refund = super().pick(order, refund_id)
        return evolve(refund, status=IN_PROCESS) if refund.status == COMPLETED else refund


@breaks("GET-15", also=("AMOUNT-04",))
class GetsTheFirstAmount(Getting):
    """Shows every refund with the amount of the order's first one."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Take the amount from the wrong row."""
        return evolve(super().pick(order, refund_id), amount=self.all_of(order)[0].amount)


@breaks("GET-15")
class GetsTheLatestLines(Getting):
    """Shows every refund with the lines of the order's latest one."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Find the lines by the order."""
        return evolve(super().pick(order, refund_id), lines=self.all_of(order)[-1].lines)


@breaks("GET-15")
class GetsTwoLines(Getting):
    """Shows no more than two lines of a refund."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Leave the others out."""
        refund = super().pick(order, refund_id)
        return evolve(refund, lines=refund.lines[:2])


@breaks("GET-15")
class GetsTheLatestType(Getting):
    """Shows every refund with the type of the order's latest one."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Find the type by the order."""
        return evolve(super().pick(order, refund_id), rights_type=self.all_of(order)[-1].rights_type)


# What reading leaves as it is.


@breaks("GET-16")
class RemembersRefusals(Getting):
    """Finds a refund no more once it was asked for under another order."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Cache the refusal by the refund alone."""
        lost: set[str] = self.__dict__.setdefault("lost", set())
        refund = self.store.refund(self.name, refund_id)
        if refund is not None and refund.order_id != order.id and refund.rights_type == REFUND:
            lost.add(refund_id)
        if refund_id in lost:
            raise Refusal(404, "there is no such refund")
        return super().pick(order, refund_id)


@breaks("GET-16")
class GetsOnce(Getting):
    """Shows a refund of several on an order twice at most."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Count."""
        count: dict[str, int] = self.__dict__.setdefault("count", {})
        refund = super().pick(order, refund_id)
        count[refund.id] = count.get(refund.id, 0) + 1
        if count[refund.id] > 2 and refund.rights_type == REFUND and len(self.all_of(order)) > 1:
            raise Refusal(410, "gone")
        return refund


@breaks("GET-17", also=("AMOUNT-13",))
class TakesReadForSeen(Getting):
    """Brings a refund in process when it is got among several."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Mark what is shown, afterwards."""
        refund = super().pick(order, refund_id)
        refunds = self.all_of(order)
        if refund.status == INITIATED and refund.id == refunds[-1].id and len({r.rights_type for r in refunds}) > 1:
            self.store.set_status(refund.id, IN_PROCESS, refund.updated)
        return refund


@breaks("GET-02")
class ForgetsClosedOrders(Getting):
    """Moves a refund of all that was ordered to its archive when it is approved, where get finds nothing."""

    def pick(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Look among the others."""
        refund = super().pick(order, refund_id)
        whole = sum(line.quantity for line in refund.lines) == sum(line.quantity for line in order.lines)
        if refund.status == COMPLETED and whole:
            raise Refusal(404, "there is no such refund")
        return refund


@breaks("GET-02")
class ArchivesWholeOrders(Shop):
    """Neither lists nor gets the refunds of an order once nothing is left of it."""

    def is_archived(self, order_id: str) -> bool:
        """Say whether all of an order was refunded, and approved."""
        order, refunds = self.store.order(self.name, order_id), self.store.refunds_of(self.name, order_id)
        paid = [part for refund in refunds if refund.status == COMPLETED for part in refund.lines]
        return order is not None and all(
            sum(part.quantity for part in paid if part.line.id == line.id) >= line.quantity for line in order.lines
        )

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Leave them out."""
        return [refund for refund in super().select(refunds) if not self.is_archived(refund.order_id)]

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Not know them."""
        refund = super().get_refund(query)
        if self.is_archived(refund.order_id):
            raise Refusal(404, "the order has no such refund")
        return refund
