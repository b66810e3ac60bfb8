"""Tokens without the right to something, and what they must not be shown."""

from collections.abc import Callable, Collection

from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.model import Order, Refund, read_refund
from conformance.shop import Shop

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


def is_all_their_own(answer: Answer, ours: RefundApi, theirs: RefundApi, orders: Collection[Order]) -> bool:
    """Say whether an answer to another shop's token is about that shop's refunds alone, of orders with these ids.

    A server may know a shop by the token, whatever the address, and each shop may number for itself: what is shown is
    at that shop's own address as well, and not at ours.
    """
    told = answer.refunds or ([] if answer.refund is None else [answer.refund])
    at_home = all(any(_is_shown(theirs, order, refund) for order in orders) for refund in told)
    return bool(told) and at_home and not any(_is_shown(ours, order, refund) for order in orders for refund in told)


def _is_shown(api: RefundApi, order: Order, refund: Refund) -> bool:
    answer = api.get_refund(order, refund)
    answer.exchange.role = "open"
    shown = answer.refund
    told = (refund.refund_id, refund.amount, refund.create_time)
    return shown is not None and (shown.refund_id, shown.amount, shown.create_time) == told
