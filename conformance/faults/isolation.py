"""Servers with holes in the walls between shops, or between orders."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from conformance.faults import breaks
from conformance.faults.races import WINDOW
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import Shop, Token
from conformance.reference.server import FIRST_SHOP, SECOND_SHOP
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund


@breaks("ISOLATION-01")
class TakesTokensOfEveryShop(Shop):
    """Looks a token up without the shop that it was given for."""

    def authenticate(self, value: str | None) -> Token:
        """Take every token that is known."""
        return self.tokens.get(value or "") or super().authenticate(value)


class TakesTokensOfEveryShopFor(Shop):
    """A shop that takes the tokens of all shops for some operations."""

    open_to_all: tuple[str, ...] = ()

    def admit(self, value: str | None, operation: str) -> None:
        """Let a known token pass."""
        token = self.tokens.get(value or "")
        if token is not None and token.shop != self.name and operation in self.open_to_all:
            self.authorise(token, operation)
        else:
            super().admit(value, operation)


@breaks("ISOLATION-01")
class ReadsForEveryShop(TakesTokensOfEveryShopFor):
    """Looks at the shop of a token only when something is written."""

    open_to_all = ("list", "get")


@breaks("ISOLATION-01")
class ReviewsForEveryShop(TakesTokensOfEveryShopFor):
    """Forgets the shop of a token when a refund is reviewed."""

    open_to_all = ("review",)


@breaks("ISOLATION-01")
class OpensEveryShopToTheFirst(Shop):
    """Keeps the tokens of the first shop as those of the platform, and takes them in every other as well."""

    def authenticate(self, value: str | None) -> Token:
        """Take a token of the first shop wherever it is shown."""
        token = self.tokens.get(value or "")
        return token if token is not None and token.shop == FIRST_SHOP else super().authenticate(value)


class CarriesOutForOthers(App):
    """An application that carries an operation out for the tokens of other shops before it refuses them."""

    carried_out = ""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Work first for whoever is known, then look at the shop."""
        token = shop.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        if token is not None and token.shop != shop.name and operation == self.carried_out:
            self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


@breaks("ISOLATION-01")
class RefusesOtherShopsButCreates(CarriesOutForOthers):
    """Creates for the token of another shop, and answers 401."""

    carried_out = "create"


@breaks("ISOLATION-01")
class RefusesOtherShopsButReviews(CarriesOutForOthers):
    """Reviews for the token of another shop, and answers 401."""

    carried_out = "review"


@breaks("ISOLATION-01")
class ReplaysForEveryShop(App):
    """Answers a known key from its memory to the tokens of all shops."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Look the key up before the shop of the token."""
        token = shop.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        if operation == "create" and token is not None and token.shop != shop.name:
            key = shop.member(shop.member(self.read_body(request), "refund"), "requestNo")
            if isinstance(key, str) and shop.recall(key) is not None:
                return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


class Borderless(Shop):
    """A shop that looks in its neighbour's tables as well."""

    @property
    def neighbour(self) -> Shop:
        """Return the other shop."""
        name = SECOND_SHOP if self.name == FIRST_SHOP else FIRST_SHOP
        return Shop(name, self.store, self.tokens, self.clock)


@breaks("ISOLATION-02")
class ListsEveryShop(Borderless):
    """Lists the refunds of any order that exists."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Look for the order in both shops."""
        try:
            return super().list_refunds(order_id, query)
        except Refusal:
            return self.neighbour.list_refunds(order_id, query)


@breaks("ISOLATION-02")
class GetsFromEveryShop(Borderless):
    """Gets any refund that exists, if its order is named too."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Look for the refund in both shops."""
        try:
            return super().get_refund(query)
        except Refusal:
            return self.neighbour.get_refund(query)


@breaks("ISOLATION-02")
class GetsByTheRefundAlone(Borderless):
    """Gets any refund of another shop, whichever order is named."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Look for the refund by its id only, if this shop has none like that."""
        try:
            return super().get_refund(query)
        except Refusal:
            found = self.store.refund(self.neighbour.name, self.ident(query.get("refundId"), "refundId"))
            if found is None:
                raise
            return found


@breaks("ISOLATION-03")
class ReviewsInEveryShop(Borderless):
    """Reviews any refund that exists, if its order is named too."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Look for the refund in both shops."""
        try:
            return super().review(refund_id, body)
        except Refusal:
            return self.neighbour.review(refund_id, body)


@breaks("ISOLATION-03")
class RefusesButReviewsInEveryShop(Borderless):
    """Answers 404 to the review of another shop's refund, but carries it out."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Update by the ids alone, then find nothing to show."""
        try:
            return super().review(refund_id, body)
        except Refusal:
            self.neighbour.review(refund_id, body)
            raise


@breaks("ISOLATION-03")
class ReviewsByTheRefundAlone(Borderless):
    """Reviews any refund of another shop, whichever order of this shop is named."""

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Look for the refund by its id only, if this shop has none like that."""
        return self.store.refund(self.neighbour.name, refund_id) or super().find_refund(order, refund_id)

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Get as it should be."""
        return Shop(self.name, self.store, self.tokens, self.clock).get_refund(query)


@breaks("ISOLATION-04")
class CreatesInEveryShop(Borderless):
    """Creates a refund for any order that exists."""

    def create(self, body: Any) -> StoredRefund:
        """Look for the order in both shops."""
        try:
            return super().create(body)
        except Refusal as refusal:
            if refusal.status != 404:
                raise
            return self.neighbour.create(body)


@breaks("ISOLATION-04")
class TakesLinesOfOtherShops(Borderless):
    """Takes a line of another shop's order for one of this."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Look for the line by its id only."""
        try:
            return super().find_line(value, order)
        except Refusal:
            row = self.store._database.execute(  # noqa: SLF001 - the careless query is the fault
                "SELECT l.id, product, variant, quantity, price FROM order_lines l JOIN orders o ON o.id = order_id"
                " WHERE l.id = ? AND shop <> ?",
                (self.ident(value, "lineItemId"), self.name),
            ).fetchone()
            if row is None:
                raise
            return StoredLine(row[0], row[1], row[2], row[3], Decimal(row[4]))


@breaks("ISOLATION-05")
class SharesKeysWithOtherShops(Borderless):
    """Looks a key up without its shop, and answers with whatever refund it names."""

    def recall(self, key: str) -> StoredRefund | None:
        """Look in both shops."""
        return super().recall(key) or self.neighbour.recall(key)


@breaks("ISOLATION-05")
class BreaksOnKeysOfOtherShops(Borderless):
    """Fails when a key of another shop violates the uniqueness of its table."""

    status = 500

    def recall(self, key: str) -> StoredRefund | None:
        """Find the key taken."""
        if self.neighbour.recall(key) is not None:
            raise Refusal(self.status, "duplicate key")
        return super().recall(key)


@breaks("ISOLATION-06")
class RefusesKeysOfOtherShops(BreaksOnKeysOfOtherShops):
    """Refuses a key that another shop used."""

    status = 409


@breaks("ISOLATION-07")
class CountsUnitsByCustomer(Shop):
    """Adds up the refunded units of a customer, whichever order they were of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken: Counter[tuple[str, Decimal]] = Counter()

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Count the units by customer and price."""
        super().save(refund, request)
        for part in refund.lines:
            self.taken[refund.customer, part.line.price] += part.quantity

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Take off what the customer had back of other orders."""
        left = super().refundable(order, line)
        of_this = sum(self.claimed(refund, line) for refund in self.store.refunds_of(self.name, order.id))
        return left if len(order.lines) > 1 else left - self.taken[order.customer, line.price] + of_this


@breaks("ISOLATION-08")
class ListsClosedOrdersEverywhere(Shop):
    """Lists the refunds of an order that was refunded in full under the customer's other orders, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.closed: defaultdict[str, list[StoredRefund]] = defaultdict(list)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Note what closes an order."""
        super().save(refund, request)
        if all(self.refundable(request.order, line) == 0 for line in request.order.lines):
            self.closed[refund.customer].append(refund)

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Select by customer what is closed."""
        order = self.find_order(order_id)
        others = [refund for refund in self.closed[order.customer] if refund.order_id != order.id]
        return super().list_refunds(order_id, query) + others


@breaks("ISOLATION-09")
class CountsInOneShopOnly(Shop):
    """Counts earlier refunds in its first shop, and was never told to do so in any other."""

    def claimed(self, refund: StoredRefund, line: StoredLine) -> int:
        """Forget those of the other shop."""
        return 0 if self.name == SECOND_SHOP else super().claimed(refund, line)


@breaks("ISOLATION-09")
class TellsMinorUnitsInTheOtherShop(Shop):
    """Tells money in cents in all shops but its first, which were set up otherwise."""

    def render_money(self, operation: str, value: Decimal) -> Any:
        """Tell cents."""
        return super().render_money(operation, value * 100 if self.name == SECOND_SHOP else value)


@breaks("ISOLATION-10")
class MixesUpShopsAtOnce(Shop):
    """Keeps the shop of a read in a place that all requests share."""

    current: Shop

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """List out of whichever shop is in that place by then."""
        return Shop.list_refunds(self.shop_by_then(), order_id, query)

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Get out of it."""
        return Shop.get_refund(self.shop_by_then(), query)

    def shop_by_then(self) -> Shop:
        """Put this shop there, and return the one that is there a moment later."""
        MixesUpShopsAtOnce.current = self
        time.sleep(WINDOW / 3)  # in which another request puts its own there
        return MixesUpShopsAtOnce.current
