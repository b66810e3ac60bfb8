"""Servers that do not tell apart what a token may do."""

import time
from collections.abc import Mapping
from typing import Any

from conformance.faults import breaks
from conformance.faults.access import FULL, EasyToReject, HasNothingToHide
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.requests import REJECT, Refusal
from conformance.reference.rules import READ, WRITE, Shop, Token
from conformance.reference.store import StoredRefund

MEANWHILE = 0.01
"""Seconds in which the requests of a burst meet."""


class NeedsAll(Shop):
    """A shop that asks for all the scopes of an operation's list."""

    strict = ""

    def authorise(self, token: Token, operation: str) -> None:
        """Compare the scopes as sets."""
        if operation == self.strict and not self.sufficient(operation) <= token.scopes:
            raise Refusal(403, "the access token lacks a scope")
        super().authorise(token, operation)


@breaks("ACCESS-06")
class NeedsBothScopesToCreate(NeedsAll):
    """Lets only a token with both scopes create."""

    strict = "create"


@breaks("ACCESS-07")
class NeedsBothScopesToReview(NeedsAll):
    """Lets only a token with both scopes review."""

    strict = "review"


class Sufficient(Shop):
    """A shop that takes other scopes for some operations."""

    scopes: Mapping[str, frozenset[str]] = {}

    def sufficient(self, operation: str) -> frozenset[str]:
        """Return the scopes of which any one is enough."""
        return self.scopes.get(operation) or super().sufficient(operation)


@breaks("ACCESS-06")
class DoesNotKnowWriteRefundToCreate(Sufficient):
    """Takes write_refund for a slip of the page when a refund is created."""

    scopes = {"create": frozenset({"write_refunds"})}  # noqa: RUF012 - it is only read


@breaks("ACCESS-06")
class DoesNotKnowWriteRefundsToCreate(Sufficient):
    """Takes write_refunds for a slip of the page when a refund is created."""

    scopes = {"create": frozenset({"write_refund"})}  # noqa: RUF012 - it is only read


@breaks("ACCESS-07")
class DoesNotKnowWriteRefundToReview(Sufficient):
    """Takes write_refund for a slip of the page when a refund is reviewed."""

    scopes = {"review": frozenset({"write_refunds"})}  # noqa: RUF012 - it is only read


@breaks("ACCESS-07")
class RejectsForOneScopeOnly(Shop):
    """Takes the scope write_refund, and no other, for what it takes to reject."""

    scopes: frozenset[str] = frozenset()

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Look at the scopes once more."""
        if self.scopes == {"write_refunds"} and self.read_action(self.member(body, "action")) == REJECT:
            raise Refusal(403, "the access token lacks the scope for this")
        return super().review(refund_id, body)

    def authorise(self, token: Token, operation: str) -> None:
        """Note who asks."""
        self.scopes = token.scopes
        super().authorise(token, operation)


@breaks("ACCESS-08")
class NeedsToWriteToList(Sufficient):
    """Lists refunds only for tokens that may write."""

    scopes = {"list": WRITE}  # noqa: RUF012 - it is only read


@breaks("ACCESS-09")
class NeedsToWriteToGet(Sufficient):
    """Gets a refund only for tokens that may write."""

    scopes = {"get": WRITE}  # noqa: RUF012 - it is only read


@breaks("ACCESS-10")
class LetsReadersCreate(Sufficient):
    """Takes the scope to read for enough to create."""

    scopes = {"create": FULL}  # noqa: RUF012 - it is only read


@breaks("ACCESS-10")
class LetsReadersReview(Sufficient):
    """Takes the scope to read for enough to review."""

    scopes = {"review": FULL}  # noqa: RUF012 - it is only read


@breaks("ACCESS-08")
class FindsNoOrderForReaders(App):
    """Finds no order for a token that may only read."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Refuse readers as if there were nothing."""
        token = shop.authenticate(request.headers.get(TOKEN_HEADER))
        if operation == "list" and token.scopes == READ:
            raise Refusal(404, "there is no such order")
        return super().carry_out(shop, operation, values, request)


@breaks("ACCESS-13")
class BreaksOnWritersWhoRead(Shop):
    """Answers 500 when a token that may only write lists refunds."""

    def authorise(self, token: Token, operation: str) -> None:
        """Look for what the holder may see, and find nothing."""
        if operation == "list" and token.scopes <= WRITE:
            raise Refusal(500, "NullPointerException")
        super().authorise(token, operation)


class Authorises(Shop):
    """A shop that says in its own way which scopes do."""

    def is_enough(self, scope: str, operation: str) -> bool:
        """Say whether a scope is enough for an operation."""
        raise NotImplementedError

    def authorise(self, token: Token, operation: str) -> None:
        """Look for one scope that is enough."""
        if not any(self.is_enough(scope, operation) for scope in token.scopes):
            super().authorise(token, operation)


@breaks("ACCESS-10")
class ComparesPartsOfScopes(Authorises):
    """Takes every scope with refunds in its name for one to review."""

    def is_enough(self, scope: str, operation: str) -> bool:
        """Look for a part of the name."""
        return operation == "review" and "refund" in scope


@breaks("ACCESS-11")
class ListsNothingForAnyScope(HasNothingToHide):
    """Lists an order without refunds for any token, before it looks at scopes."""


@breaks("ACCESS-10")
class LetsReadersReject(EasyToReject):
    """Takes the scope to read for enough to reject, since that moves no money."""

    enough = READ


@breaks("ACCESS-11")
class TakesAnyScope(Authorises):
    """Looks tokens up, but not their scopes."""

    def is_enough(self, scope: str, operation: str) -> bool:
        """Take all."""
        return True


@breaks("ACCESS-11")
class TakesAnyScopeToRead(Authorises):
    """Asks for scopes only when something is written."""

    def is_enough(self, scope: str, operation: str) -> bool:
        """Take all for what writes nothing."""
        return operation in {"list", "get"}


@breaks("ACCESS-11")
class TakesAnyScopeToWrite(Authorises):
    """Takes the scope to write anything for the scope to write refunds."""

    def is_enough(self, scope: str, operation: str) -> bool:
        """Look at the beginning of the name."""
        return operation in {"create", "review"} and scope.startswith("write_")


@breaks("ACCESS-11")
class ChecksScopesOnlyToCreate(Authorises):
    """Asks for a scope when a refund is created, and forgot to in the other three."""

    def is_enough(self, scope: str, operation: str) -> bool:
        """Take all for what is no create."""
        return operation != "create"


class DressedScopes(Shop):
    """A shop whose refusals of a token without any of the scopes have another status."""

    status = 0

    def authorise(self, token: Token, operation: str) -> None:
        """Refuse with that status."""
        if not token.scopes & FULL:
            raise Refusal(self.status, "forbidden")
        super().authorise(token, operation)


@breaks("ACCESS-11")
class Answers200WithoutScope(DressedScopes):
    """Puts the refusal of a token without any of the scopes into the body of a success."""

    status = 200


@breaks("ACCESS-11")
class BreaksWithoutScope(DressedScopes):
    """Answers a token without any of the scopes with 500."""

    status = 500


@breaks("ACCESS-10")
class RefusesReadersAfterItReviewed(App):
    """Reviews for a token that may only read, and answers 403."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Carry the review of a reader out, then refuse it."""
        token = shop.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        if operation == "review" and token is not None and token.scopes == READ:
            self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


@breaks("ACCESS-10")
class MixesUpTokensAtOnce(Shop):
    """Keeps the token of a create in a place that all requests share, so that whoever comes last decides for all."""

    current: Token | None = None

    def authorise(self, token: Token, operation: str) -> None:
        """Look at whatever token is in that place by then."""
        if operation == "create":
            self.current = token
            time.sleep(MEANWHILE)
            token = self.current
        super().authorise(token, operation)


@breaks("ACCESS-10")
class RefusesReadersTooLateAtOnce(App):
    """Carries creates that come at once out by the token that came last, and answers each by its own."""

    current: str | None = None

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Look at the own token only when all is done."""
        if operation != "create":
            return super().operate(shop, operation, values, request)
        self.current = own = request.headers.get(TOKEN_HEADER)
        time.sleep(MEANWHILE)
        shop.admit(self.current, operation)
        answer = self.carry_out(shop, operation, values, request)
        shop.admit(own, operation)
        return answer


@breaks("ACCESS-11", also=("NEAR-12",))
class GetsFromACacheBeforeTheScopes(App):
    """Gets a refund from a cache for half a second, for whoever has any token, before it looks at the scopes."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Look into the cache first."""
        if operation != "get":
            return super().operate(shop, operation, values, request)
        cache: dict[str, tuple[float, Any]] = self.__dict__.setdefault("cache", {})
        shop.authenticate(request.headers.get(TOKEN_HEADER))
        until, kept = cache.get(request.url, (0.0, None))
        if shop.clock.monotonic() > until:
            kept = super().operate(shop, operation, values, request)
            cache[request.url] = shop.clock.monotonic() + 0.5, kept
        return kept
