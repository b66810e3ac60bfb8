"""Servers that take another token for a valid one, or need the header of a token in one spelling."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from conformance.faults import breaks
from conformance.faults.access import Dressed, Trusting
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.requests import Refusal
from conformance.reference.rules import READ, Shop
from conformance.reference.server import SECOND_SHOP, SPELLED_NAMES


@breaks("ACCESS-02")
class TakesAnyTokenInTheSecondShop(Shop):
    """Looks in the second shop only whether there is a token."""

    def admit(self, value: str | None, operation: str) -> None:
        """Let whoever sends any do everything there."""
        if not value or self.name != SECOND_SHOP:
            super().admit(value, operation)


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
