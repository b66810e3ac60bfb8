"""Servers that let those in who have no token."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from conformance.faults import breaks
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.requests import Refusal
from conformance.reference.rules import READ, WRITE, Shop, Token
from conformance.reference.server import SECOND_SHOP

FULL = WRITE | READ


class Unlocked(Shop):
    """A shop that looks at no token for one operation."""

    unlocked = ""

    def admit(self, value: str | None, operation: str) -> None:
        """Let everybody do that one thing."""
        if operation != self.unlocked:
            super().admit(value, operation)


@breaks("ACCESS-01")
class CreatesForAnybody(Unlocked):
    """Looks at no token when a refund is created."""

    unlocked = "create"


@breaks("ACCESS-01")
class ReviewsForAnybody(Unlocked):
    """Looks at no token when a refund is reviewed."""

    unlocked = "review"


@breaks("ACCESS-01")
class ListsForAnybody(Unlocked):
    """Looks at no token when refunds are listed."""

    unlocked = "list"


@breaks("ACCESS-01")
class GetsForAnybody(Unlocked):
    """Looks at no token when one refund is read."""

    unlocked = "get"


@breaks("ACCESS-01")
class LeavesTheSecondShopOpen(Shop):
    """Asks for a token in the shop that was there first, and in the second only looks up one that is sent."""

    def admit(self, value: str | None, operation: str) -> None:
        """Let whoever sends none do everything in the second shop."""
        if value is not None or self.name != SECOND_SHOP:
            super().admit(value, operation)


@breaks("ACCESS-01")
class CachesForAnybody(App):
    """Keeps answers to reads by their address until something is written, and gives them to whoever asks next."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.kept: dict[str, Response] = {}

    def respond(self, request: Request) -> Response:
        """Answer from what is kept, where it can."""
        if request.method != "GET":
            self.kept.clear()
            return super().respond(request)
        if request.full_path not in self.kept:
            answer = super().respond(request)
            if answer.status_code != 200:
                return answer
            self.kept[request.full_path] = answer
        return self.kept[request.full_path]


class Trusting(Shop):
    """A shop that takes some values for its full token."""

    def passes(self, value: str | None, full: str) -> bool:
        """Say whether a value is taken for the full token."""
        raise NotImplementedError

    def authenticate(self, value: str | None) -> Token:
        """Take a value for the full token before looking it up."""
        full = next(token for token in self.tokens.values() if token.shop == self.name and token.scopes >= FULL)
        if value not in self.tokens and self.passes(value, full.value):
            return full
        return super().authenticate(value)


@breaks("ACCESS-01")
class ChecksTokensOnlyIfThere(Trusting):
    """Takes a request without a token for one of the shop itself."""

    def passes(self, value: str | None, full: str) -> bool:
        """Take a missing token for the full one."""
        return value is None


class Dressed(Shop):
    """A shop whose refusals of one kind of caller have another status."""

    status = 0

    def is_dressed(self, value: str | None) -> bool:
        """Say whether this caller gets that status: one without a token."""
        return value is None

    def authenticate(self, value: str | None) -> Token:
        """Refuse with that status."""
        if self.is_dressed(value):
            raise Refusal(self.status, "unauthorized")
        return super().authenticate(value)


@breaks("ACCESS-01")
class Answers200WithoutToken(Dressed):
    """Puts the refusal of a missing token into the body of a success."""

    status = 200


@breaks("ACCESS-01")
class RedirectsWithoutToken(Dressed):
    """Answers a request without a token with a redirect."""

    status = 302


@breaks("ACCESS-01")
class BreaksWithoutToken(Dressed):
    """Answers a request without a token with 500."""

    status = 500


class ChecksLate(App):
    """An application that looks at the token of one operation after carrying it out."""

    late = ""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Work first, then look who asked."""
        if operation == self.late:
            self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


@breaks("ACCESS-01", also=("ACCESS-10", "NEAR-12"))
class CreatesBeforeItChecks(ChecksLate):
    """Refuses strangers after it created their refund."""

    late = "create"


@breaks("ACCESS-01")
class ReviewsBeforeItChecks(ChecksLate):
    """Refuses strangers after it reviewed for them."""

    late = "review"


@breaks("ACCESS-01")
class ShowsTheListWithTheRefusal(App):
    """Refuses strangers with 401, and lists the refunds in the same answer."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Give the refusal the body of the answer."""
        try:
            return super().operate(shop, operation, values, request)
        except Refusal as refusal:
            if operation != "list" or refusal.status != 401:
                raise
            shown = self.carry_out(shop, operation, values, request)
            shown.status_code = refusal.status
            return shown


class EasyToReject(App):
    """A server that asks less of who rejects than of who approves."""

    enough: frozenset[str] | None = None
    """The scopes that are enough to reject; none stands for no token at all."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Carry out a rejection for whoever is let in."""
        body, value = self.read_body(request) if operation == "review" else None, request.headers.get(TOKEN_HEADER)
        rejects = isinstance(body, dict) and str(body.get("action")) == "2"
        if rejects and self.enough == (None if value is None else shop.authenticate(value).scopes):
            return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


class HasNothingToHide(App):
    """A server that asks nobody who lists an order which has no refunds."""

    asks_for_tokens = True

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Look whether there is anything to show."""
        value = request.headers.get(TOKEN_HEADER)
        if operation == "list" and (value in shop.tokens if self.asks_for_tokens else value is None):
            order = shop.find_order(values["order_id"])
            if not shop.store.refunds_of(shop.name, order.id):
                return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


@breaks("ACCESS-01")
class ListsNothingForAnybody(HasNothingToHide):
    """Lists an order without refunds without a token, before it looks for one."""

    asks_for_tokens = False


@breaks("ACCESS-01")
class RejectsForAnybody(EasyToReject):
    """Lets in who has no token, when a refund is rejected."""


@breaks("ACCESS-01")
class GuardsOneSpelling(App):
    """Guards the address of a list as it is written down, and serves it with a slash behind, too."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Compare addresses as texts."""
        if operation == "list" and request.path.endswith("/"):
            return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)
