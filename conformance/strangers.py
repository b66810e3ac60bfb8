"""Tokens without the right to something, and what they must not be shown."""

from collections.abc import Callable

from conformance.client import Answer
from conformance.model import read_refund
from conformance.session import Shop

TokenOf = Callable[[Shop], str | None]


def unknown(shop: Shop) -> str:
    """Return a token that nobody was given."""
    return f"unknown-{shop.api.keys()}"


def nearly(change: Callable[[str], str]) -> TokenOf:
    """Return what makes a token from the full one by a small change; it is shown no more than that one is."""

    def token(shop: Shop) -> str:
        full = shop.target.tokens["full"]
        changed = change(full)
        if changed.casefold() != full.casefold():  # the redaction of the full one has no regard to case
            shop.api.wire.redact.add("TOKEN_NEARLY_FULL", changed)
        return changed

    return token


def in_other_case(token: str) -> str:
    """Return the token in other case, or one without letters with its last character changed."""
    return token.swapcase() if token.swapcase() != token else with_another_end(token)


def with_another_end(token: str) -> str:
    """Return the token with its last character changed, and more than the bits that Base64 has no use for there."""
    return token[:-1] + ("A" if token[-1].isdecimal() else "0")


def scoped(name: str) -> TokenOf:
    """Return what takes the valid token that has one scope only."""
    return lambda shop: shop.holder(name).token


CUT_OFF, LONGER = nearly(lambda token: token[:-1]), nearly(lambda token: token + "0")
IN_OTHER_CASE, WITH_ANOTHER_END = nearly(in_other_case), nearly(with_another_end)


def shows_a_refund(answer: Answer) -> bool:
    """Say whether the body of an answer, whatever its status, has a refund in it."""
    body = answer.json if isinstance(answer.json, dict) else {}
    return read_refund(body.get("refund")) is not None or bool(body.get("refunds"))
