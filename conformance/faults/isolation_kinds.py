"""Servers with holes in the wall between shops for refunds of some kinds only."""

from collections.abc import Mapping

from conformance.faults import breaks
from conformance.faults.isolation import Borderless
from conformance.reference.requests import REFUND, Refusal
from conformance.reference.rules import CANCELED, COMPLETED
from conformance.reference.store import StoredRefund


@breaks("ISOLATION-02")
class GetsCanceledOfEveryShop(Borderless):
    """Gets a canceled refund whoever's it is, from the archive of all shops."""

    def is_shared(self, refund: StoredRefund) -> bool:
        """Say whether it was archived."""
        return refund.status == CANCELED

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Look where all shops keep such refunds, too."""
        try:
            return super().get_refund(query)
        except Refusal:
            refund = self.neighbour.get_refund(query)
            if self.is_shared(refund):
                return refund
            raise


@breaks("ISOLATION-02")
class GetsRefundsWithoutReturnOfEveryShop(GetsCanceledOfEveryShop):
    """Gets a refund without return whoever's it is, from a table that knows no shops."""

    def is_shared(self, refund: StoredRefund) -> bool:
        """Say whether it is in that table."""
        return refund.rights_type == REFUND


@breaks("ISOLATION-02")
class ListsLaterRefundsOfEveryShop(Borderless):
    """Compares the shop with that of the first refund of an order only, and lists the others to anybody."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Leave the first out for others."""
        try:
            return super().list_refunds(order_id, query)
        except Refusal:
            return self.neighbour.list_refunds(order_id, query)[1:]


class SharesSomeKeysWithOtherShops(Borderless):
    """Looks the keys of decided refunds up without their shop."""

    decided: int

    def recall(self, key: str) -> StoredRefund | None:
        """Look among the decided ones of the other shop as well."""
        own, theirs = super().recall(key), self.neighbour.recall(key)
        return own or (theirs if theirs is not None and theirs.status == self.decided else None)


@breaks("ISOLATION-05")
class SharesKeysOfCanceledRefunds(SharesSomeKeysWithOtherShops):
    """Answers with the canceled refund of another shop when its key is used here."""

    decided = CANCELED


@breaks("ISOLATION-05")
class SharesKeysOfCompletedRefunds(SharesSomeKeysWithOtherShops):
    """Answers with the completed refund of another shop when its key is used here."""

    decided = COMPLETED
