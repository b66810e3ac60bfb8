"""Servers that show another refund than the one that was asked for, or none."""

import re
from collections.abc import Mapping

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Refusal, Shop
from conformance.reference.store import StoredRefund


class Reading(Shop):
    """A shop that finds the refund of a get in a way of its own; the faults below say in which."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Find it among the refunds of the order."""
        order = self.find_order(self.member(dict(query), "orderId"))
        wanted = self.ident(self.member(dict(query), "refundId"), "refundId")
        found = self.choose(self.store.refunds_of(self.name, order.id), wanted)
        if found is None:
            raise Refusal(404, "the order has no such refund")
        return found

    def choose(self, refunds: list[StoredRefund], wanted: str) -> StoredRefund | None:
        """Return the refund of that id."""
        return next((refund for refund in refunds if refund.id == wanted), None)


@breaks("GET-01")
class GetsTheLatest(Reading):
    """Shows the latest of three refunds when the order has one in each state."""

    def choose(self, refunds: list[StoredRefund], wanted: str) -> StoredRefund | None:
        """Take the last."""
        found = super().choose(refunds, wanted)
        in_each_state = [refund.status for refund in refunds] == [COMPLETED, CANCELED, INITIATED]
        return refunds[-1] if found and in_each_state else found


@breaks("GET-01")
class MissesTheMiddleOne(Reading):
    """Finds the first and the last refund of an order of three, and not the one between."""

    def choose(self, refunds: list[StoredRefund], wanted: str) -> StoredRefund | None:
        """Skip it."""
        if len(refunds) == 3 and {r.status for r in refunds} == {INITIATED, COMPLETED, CANCELED}:  # noqa: PLR2004
            refunds = [refunds[0], refunds[2]]
        return super().choose(refunds, wanted)


@breaks("GET-02")
class GetsCanceledAsOpen(Shop):
    """Shows a canceled refund as initiated when a younger one is open."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Show an earlier state."""
        found = super().get_refund(query)
        younger = [refund.status for refund in self.store.refunds_of(self.name, found.order_id) if refund.id > found.id]
        stale = found.status == CANCELED and INITIATED in younger
        return evolve(found, status=INITIATED) if stale else found


class Lenient(Shop):
    """A shop that finds a refund for ids which do not name it."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Mend the ids first."""
        return super().get_refund(self.mended(dict(query)))

    def mended(self, query: dict[str, str]) -> dict[str, str]:
        """Return the ids that are taken for those in the query."""
        raise NotImplementedError


@breaks("GET-03")
class GetsWhateverTheOrder(Shop):
    """Never compares the order with the refund's, so long as both exist."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Look the refund up by its own id."""
        self.find_order(self.member(dict(query), "orderId"))
        wanted = self.ident(self.member(dict(query), "refundId"), "refundId")
        found = self.store.refund(self.name, wanted)
        if found is None:
            raise Refusal(404, "there is no such refund")
        return found


@breaks("GET-04")
class GetsWithUnknownOrders(Shop):
    """Takes an order that does not exist for the refund's own."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Look the order up by the refund."""
        order = query.get("orderId", "")
        found = self.store.refund(self.name, query.get("refundId", ""))
        if found is not None and order.isdecimal() and self.store.order(self.name, order) is None and order != "0":
            return found
        return super().get_refund(query)


@breaks("GET-05")
class GetsByTheBeginning(Reading):
    """Finds a refund by the beginning of its id."""

    def choose(self, refunds: list[StoredRefund], wanted: str) -> StoredRefund | None:
        """Compare the beginnings."""
        exact = super().choose(refunds, wanted)
        alike = [refund for refund in refunds if refund.id.startswith(wanted) and len(wanted) > 5]  # noqa: PLR2004
        return exact or (alike[0] if alike else None)


@breaks("GET-05")
class CutsLongIdsOff(Reading):
    """Reads as many digits of an id as ids have."""

    def choose(self, refunds: list[StoredRefund], wanted: str) -> StoredRefund | None:
        """Cut the rest off."""
        return super().choose(refunds, wanted[: len(refunds[0].id)] if refunds else wanted)


@breaks("GET-06", also=("GET-03", "ISOLATION-02"))
class GetsThroughFloatingPoint(Reading):
    """Compares ids as floating point numbers."""

    def choose(self, refunds: list[StoredRefund], wanted: str) -> StoredRefund | None:
        """Round them."""
        exact = super().choose(refunds, wanted)
        return exact or next((refund for refund in refunds if float(refund.id) == float(wanted)), None)


@breaks("GET-07")
class GetsTheLatestWithoutAnId(Lenient):
    """Shows the latest refund of an order when none is named."""

    def mended(self, query: dict[str, str]) -> dict[str, str]:
        """Name the latest."""
        if "refundId" not in query and "orderId" in query:
            there = self.store.refunds_of(self.name, query["orderId"])
            return query | {"refundId": there[-1].id} if there else query
        return query


@breaks("GET-08")
class GetsAnotherWithoutAnOrder(Shop):
    """Shows the latest refund of the named one's order when the order is left out."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Find the order, and forget the refund."""
        if "orderId" not in query and (found := self.store.refund(self.name, query.get("refundId", ""))):
            return self.store.refunds_of(self.name, found.order_id)[-1]
        return super().get_refund(query)


@breaks("GET-09")
class GetsSomethingForNothing(Shop):
    """Shows the refund that was got last when nothing is asked for."""

    shown: StoredRefund | None = None

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Show it again."""
        if not query and self.shown is not None:
            return self.shown
        self.shown = super().get_refund(query)
        return self.shown


@breaks("GET-10")
class TakesAnEmptyIdForAny(Lenient):
    """Shows the first refund of an order when the refund is empty."""

    def mended(self, query: dict[str, str]) -> dict[str, str]:
        """Name the first."""
        if query.get("refundId") == "" and query.get("orderId"):
            there = self.store.refunds_of(self.name, query["orderId"])
            return query | {"refundId": there[0].id} if there else query
        return query


@breaks("GET-11")
class ReadsIdsUpToTheFirstLetter(Lenient):
    """Reads an id up to the first character that is no digit."""

    def mended(self, query: dict[str, str]) -> dict[str, str]:
        """Cut the rest off."""
        return {name: re.sub(r"(?<=[0-9])[a-z]+$", "", value) for name, value in query.items()}


@breaks("GET-12")
class TouchesWhatItReads(Shop):
    """Moves the update time of an open refund with each get."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Save it again, from the fourth read on."""
        found = super().get_refund(query)
        self.reads = {**self.reads, found.id: self.reads.get(found.id, 0) + 1}
        if self.reads[found.id] > 1 and self.siblings(found) > 2:  # noqa: PLR2004
            self.store.set_status(found.id, found.status, self.later(found.updated))
        return found

    reads: Mapping[str, int] = {}

    def siblings(self, refund: StoredRefund) -> int:
        """Return in how many states the order has refunds."""
        return len({other.status for other in self.store.refunds_of(self.name, refund.order_id)})


@breaks("GET-13")
class GetsByPosition(Shop):
    """Takes the first parameter for the order, whatever it is called."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Go by position."""
        if len(query) == 2:  # noqa: PLR2004 - both parameters
            query = dict(zip(("orderId", "refundId"), query.values(), strict=True))
        return super().get_refund(query)


@breaks("GET-14")
class GetsByTheCustomer(Shop):
    """Shows the first refund of the order's customer for an order with a single one."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Look it up by customer."""
        found = super().get_refund(query)
        of_order = self.store.refunds_of(self.name, found.order_id)
        first = self.first_of.setdefault(found.customer, found)
        return first if len(of_order) == 1 and self.several_states(first) else found

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.first_of: dict[str, StoredRefund] = {}

    def several_states(self, refund: StoredRefund) -> bool:
        """Say whether its order has refunds in three states."""
        return len({other.status for other in self.store.refunds_of(self.name, refund.order_id)}) > 2  # noqa: PLR2004
