"""Servers that let strangers in, or keep out who has the right."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from conformance.faults import breaks
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.rules import READ, WRITE, Refusal, Shop, Token
from conformance.reference.server import SECOND_SHOP, SPELLED_NAMES

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


@breaks("ACCESS-02")
class TakesAnyTokenInTheSecondShop(Shop):
    """Looks in the second shop only whether there is a token."""

    def admit(self, value: str | None, operation: str) -> None:
        """Let whoever sends any do everything there."""
        if not value or self.name != SECOND_SHOP:
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


@breaks("ACCESS-01")
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


@breaks("ACCESS-02")
class TakesAnyToken(Trusting):
    """Checks that there is a token, but not which."""

    def passes(self, value: str | None, full: str) -> bool:
        """Take everything that is there."""
        return value is not None


@breaks("ACCESS-02")
class TakesAnyLongToken(Trusting):
    """Checks the length of a token only."""

    def passes(self, value: str | None, full: str) -> bool:
        """Take everything that has the length of a token."""
        return value is not None and len(value) >= 20


@breaks("ACCESS-02")
class TakesTheWordsForNothing(Trusting):
    """Keeps a token that was never given as the word null or undefined, and finds whoever sends that word."""

    def passes(self, value: str | None, full: str) -> bool:
        """Take the words in which JavaScript writes what is not there."""
        return value in {"null", "undefined"}


class TakesAnyTokenFor(Shop):
    """A shop that wants a token for one operation, whichever it is."""

    taken = ""

    def admit(self, value: str | None, operation: str) -> None:
        """Look up the tokens of the other operations."""
        if operation != self.taken or value is None:
            super().admit(value, operation)


@breaks("ACCESS-02")
class GetsForAnyToken(TakesAnyTokenFor):
    """Gets a refund for whoever has a token, known or not."""

    taken = "get"


@breaks("ACCESS-02")
class ReviewsForAnyToken(TakesAnyTokenFor):
    """Reviews a refund for whoever has a token, known or not."""

    taken = "review"


@breaks("ACCESS-02")
class Answers200ToUnknownTokens(Dressed):
    """Puts the refusal of an unknown token into the body of a success."""

    status = 200

    def is_dressed(self, value: str | None) -> bool:
        """Say so of a token that nobody was given."""
        return bool(value) and value not in self.tokens


@breaks("ACCESS-03")
class TakesEmptyTokens(Trusting):
    """Takes an empty token for the one that the shop itself uses."""

    def passes(self, value: str | None, full: str) -> bool:
        """Take an empty token for the full one."""
        return not value and value is not None


@breaks("ACCESS-03")
class CreatesForEmptyTokens(Shop):
    """Looks an empty token up only when it is no create."""

    def admit(self, value: str | None, operation: str) -> None:
        """Let an empty token create."""
        if operation != "create" or value is None or value.strip():
            super().admit(value, operation)


@breaks("ACCESS-04")
class TakesTokensCutOff(Trusting):
    """Takes the beginning of a token for the token."""

    def passes(self, value: str | None, full: str) -> bool:
        """Compare as far as the value goes."""
        return bool(value) and full.startswith(str(value))


@breaks("ACCESS-04")
class CutsTokensOff(Trusting):
    """Cuts tokens off at the length of its own before it compares them."""

    def passes(self, value: str | None, full: str) -> bool:
        """Compare as far as the full token goes."""
        return str(value)[: len(full)] == full


@breaks("ACCESS-04")
class ComparesTokensWithoutCase(Trusting):
    """Compares tokens as its database compares texts: capitals are small letters."""

    def passes(self, value: str | None, full: str) -> bool:
        """Compare without regard to case."""
        return str(value).lower() == full.lower()


@breaks("ACCESS-04")
class LooksTokensUpAsPatterns(Trusting):
    """Looks tokens up with LIKE, so that a percent sign stands for any."""

    def passes(self, value: str | None, full: str) -> bool:
        """Match the pattern."""
        pattern = re.escape(str(value)).replace("%", ".*")
        return re.fullmatch(pattern, full) is not None


class ReplaysFirst(App):
    """An application that answers a known key before it looks who asks."""

    def is_answered(self, shop: Shop, value: str | None) -> bool:
        """Say whether a caller is answered like that."""
        return True

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Look the key up first."""
        if operation == "create" and self.is_answered(shop, request.headers.get(TOKEN_HEADER)):
            key = shop.member(shop.member(self.read_body(request), "refund"), "requestNo")
            if isinstance(key, str) and shop.recall(key) is not None:
                return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)


@breaks("ACCESS-05")
class ReplaysForAnybody(ReplaysFirst):
    """Answers a known key from its memory, whoever asks."""


@breaks("ACCESS-05")
class ReplaysForAnyScope(ReplaysFirst):
    """Answers a known key from its memory for every token of the shop, whatever its scopes."""

    def is_answered(self, shop: Shop, value: str | None) -> bool:
        """Say so of every token of the shop."""
        return value is not None and value in shop.tokens and shop.tokens[value].shop == shop.name


@breaks("ACCESS-05")
class ReplaysForAnyToken(ReplaysFirst):
    """Answers a known key from its memory for whoever has a token, known or not."""

    def is_answered(self, shop: Shop, value: str | None) -> bool:
        """Say so of everything that may be a token."""
        return bool(value)


@breaks("ACCESS-05")
class ReplaysForReaders(ReplaysFirst):
    """Answers a known key from its memory for a token that may only read: nothing is written."""

    def is_answered(self, shop: Shop, value: str | None) -> bool:
        """Say so of readers."""
        token = shop.tokens.get(value or "")
        return token is not None and token.shop == shop.name and token.scopes == READ


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


@breaks("ACCESS-11")
class ListsNothingForAnyScope(HasNothingToHide):
    """Lists an order without refunds for any token, before it looks at scopes."""


@breaks("ACCESS-01")
class ListsNothingForAnybody(HasNothingToHide):
    """Lists an order without refunds without a token, before it looks for one."""

    asks_for_tokens = False


@breaks("ACCESS-01")
class RejectsForAnybody(EasyToReject):
    """Lets in who has no token, when a refund is rejected."""


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


class Spelled(App):
    """An application that knows the token header in some spellings only."""

    def knows(self, names: list[str]) -> bool:
        """Say whether the token header is among the names of a request's headers."""
        raise NotImplementedError

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Overlook a token under a name that is spelled otherwise."""
        if not self.knows(request.headers.get(SPELLED_NAMES, "").split()):
            raise Refusal(401, "the access token is missing")
        return super().operate(shop, operation, values, request)


@breaks("ACCESS-12")
class KnowsTheHeaderInOneSpelling(Spelled):
    """Looks for the token under the very name that the page prints."""

    def knows(self, names: list[str]) -> bool:
        """Compare letter by letter."""
        return TOKEN_HEADER in names


@breaks("ACCESS-12")
class KnowsNoHeaderInSmallLetters(Spelled):
    """Overlooks the token when a proxy sends its header in small letters."""

    def knows(self, names: list[str]) -> bool:
        """Look for any other spelling."""
        return TOKEN_HEADER.lower() not in names
