"""Honest readings of the list."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund
from conformance.variants import reads

T = TypeVar("T")
DELAY = 1.0
"""Seconds after which a new refund is shown, and for which a cache is good."""


@reads("A44", aspect="missing limit")
class NeedsTheLimit(Shop):
    """Refuses a list without a limit, since it is declared as required."""

    def read_limit(self, value: str | None) -> int:
        """Insist on one."""
        if value is None:
            raise Refusal(400, "limit is required")
        return super().read_limit(value)


@reads("A45", aspect="odd limit")
class ClampsLimits(Shop):
    """Takes a limit that is too great for the greatest, and one that is too small for the least."""

    def read_limit(self, value: str | None) -> int:
        """Bring it into its range."""
        if value is not None and re.fullmatch("-?[0-9]+", value):
            return min(max(int(value[:20]), 1), self.greatest_limit())
        return super().read_limit(value)


@reads("A45", aspect="odd limit")
class TakesOddLimitsForTheDefault(Shop):
    """Takes the default for a limit that is no number from 1 to 250."""

    def read_limit(self, value: str | None) -> int:
        """Fall back."""
        try:
            return super().read_limit(value)
        except Refusal:
            return self.default_limit() if value is not None else super().read_limit(value)


@reads("A49", aspect="unknown order")
class ListsUnknownOrdersAsEmpty(Shop):
    """Lists no refunds for an order that does not exist."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Find nothing."""
        try:
            return super().list_refunds(order_id, query)
        except Refusal as refusal:
            if refusal.status != 404:
                raise
            return []


@reads("A49", aspect="refusal codes")  # only as 404 is it known for an empty list
class KnowsNoListWithoutRefunds(Shop):
    """Answers 404 for an order that has no refunds yet."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Refuse to show nothing."""
        found = super().list_refunds(order_id, query)
        if not found:
            raise Refusal(404, "the order has no refunds")
        return found


@reads("A48", aspect="order of the list")
class ListsTheNewestFirst(Shop):
    """Lists the newest refund first."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Turn them round."""
        return super().select(refunds)[::-1]


@reads("A48", aspect="order of the list")
class ListsByStatus(Shop):
    """Lists refunds by their status, and in no order that anybody could guess within one."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Sort by what says nothing."""
        return sorted(super().select(refunds), key=lambda refund: (refund.status, refund.id[::-1]))


class ShowsLater(Shop):
    """Shows a new refund after a second; the variants below differ in where."""

    def is_young(self, refund: StoredRefund) -> bool:
        """Say whether a refund is too young to be shown."""
        return (self.clock.now() - datetime.fromisoformat(refund.created)).total_seconds() < DELAY


@reads("A64", aspect="delay")
class ListsLater(ShowsLater):
    """Lists a new refund after a second."""

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """Leave the young ones out."""
        return [refund for refund in super().select(refunds) if not self.is_young(refund)]


@reads("A64", aspect="delay")
class GetsLater(ShowsLater):
    """Lets a new refund be got after a second."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Know nothing of a young one."""
        refund = super().get_refund(query)
        if self.is_young(refund):
            raise Refusal(404, "the order has no such refund")
        return refund


@reads("A64", aspect="delay")
class ShowsEverythingLater(ListsLater, GetsLater):
    """Shows a new refund in list and get after a second."""


class Caches(Shop):
    """Reads from a cache whose entries are good for a second; the variants below differ in what it holds."""

    def cached(self, key: tuple[str, ...], read: Callable[[], T]) -> T:
        """Return what was read last, unless that is too long ago."""
        cache: dict[tuple[str, ...], tuple[float, T]] = self.__dict__.setdefault("cache", {})
        now = self.clock.monotonic()
        if key not in cache or now - cache[key][0] >= DELAY:
            cache[key] = now, read()
        return cache[key][1]


@reads("A64", aspect="delay")
class ListsFromACache(Caches):
    """Lists an order as it was up to a second ago, when somebody looked."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Look into the cache first."""
        key = ("list", order_id, *query.values())
        return self.cached(key, lambda: super(ListsFromACache, self).list_refunds(order_id, query))


@reads("A64", aspect="delay")
class GetsFromACache(Caches):
    """Shows a refund as it was up to a second ago, when somebody looked."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Look into the cache first."""
        key = ("get", *query.values())
        return self.cached(key, lambda: super(GetsFromACache, self).get_refund(query))
