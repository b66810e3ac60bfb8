"""What stands in the way of a run, found before anything is judged; each with what to do about it."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

from attrs import frozen

from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.http.exchange import Exchange
from conformance.model import Action
from conformance.orders import WantedLine
from conformance.outcome import Blocked
from conformance.running.session import Session
from conformance.running.survey import survey
from conformance.shop import Shop
from conformance.target_schema import SCOPED_TOKENS

NOBODY_S_ORDER = "1"
CLOCKS_AGREE = 5.0
"""Seconds by which two clocks may differ without a word."""
MAY = {
    "full": (True, True),
    "write_refunds": (True, None),
    "write_refund": (True, None),
    "read_refunds": (False, True),
    "unrelated": (False, False),
}
"""What the holder of each token should be able to do, write and read; ``None`` where the page leaves it open (A53)."""


class State(StrEnum):
    """How something stands: fine, worth a look, or in the way of a run."""

    OK = "ok"
    LOOK = "look"
    TROUBLE = "trouble"


@frozen
class Finding:
    """One thing looked at: how it stands, what was seen, and what to do about it."""

    subject: str
    state: State
    seen: str
    remedy: str = ""


def first_look(session: Session) -> list[Finding]:
    """Return what one harmless read shows: whether the target is there at all, its certificate, and its clock."""
    exchange = session.shop.api.list_refunds(NOBODY_S_ORDER).exchange
    exchange.role, exchange.exempt = "open", True
    if exchange.unreachable:
        remedy = "Is the server running, and base_url right? Can this machine reach it (network, VPN)?"
        return [Finding("reachable", State.TROUBLE, str(exchange.trouble), remedy)]
    if exchange.trouble is not None:
        return [
            Finding("reachable", State.LOOK, exchange.trouble, "Is base_url right? A slow target needs limits/answer.")
        ]
    proxy = session.target.proxy
    way = "" if proxy is None else f" by way of the proxy {proxy.address}"
    seen = f"{session.target.base_url} answers in {exchange.seconds * 1000:.0f} ms{way}"
    return [Finding("reachable", State.OK, seen), _tls(session), _clock(exchange)]


def examine(session: Session) -> Iterator[Finding]:
    """Yield everything that a run would stumble over; it makes a few orders and refunds, and leaves none open."""
    try:
        first = first_look(session)
    except Blocked as trouble:
        yield Finding("reachable", State.TROUBLE, trouble.reason, "Try again; see limits in docs/reference.md.")
        return
    yield from first
    if first[0].state is State.TROUBLE:
        return
    provided = _provider(session)
    yield provided
    if provided.state is State.TROUBLE:
        return
    try:
        survey(session)
    except Blocked as trouble:
        remedy = "Correct tokens/full or base_url in the target file."
        yield Finding("create", State.TROUBLE, trouble.reason, remedy)
        return
    yield _create(session)
    if session.base_refund is not None:
        yield from _tokens(session)
        yield _effects(session)
    yield from _shipping(session)
    yield _other_shop(session)
    limit = session.wire.pace.described
    yield Finding("rate limit", State.OK, limit or "none told of; an answer 429 is waited out")


def _tls(session: Session) -> Finding:
    parts = urlsplit(session.target.base_url)
    if parts.scheme == "https":
        if session.target.verify_tls:
            return Finding("TLS", State.OK, "the certificate is trusted")
        return Finding(
            "TLS", State.LOOK, "not verified", "Name the authority under tls/ca_file in place of tls/verify."
        )
    if parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        return Finding("TLS", State.OK, "not needed on this machine")
    return Finding("TLS", State.LOOK, "plain HTTP: the tokens can be read on the way", "Use an https base_url.")


def _clock(exchange: Exchange) -> Finding:
    told = exchange.header("date")
    try:
        apart = (parsedate_to_datetime(told) - datetime.fromisoformat(exchange.at)).total_seconds()
    except (ValueError, TypeError):
        return Finding("clock", State.LOOK, "the target sends no Date", "Times are judged by this machine's clock.")
    if abs(apart) <= CLOCKS_AGREE:
        return Finding("clock", State.OK, "agrees with the target's Date")
    which = "ahead of" if apart > 0 else "behind"
    seen = f"the target is {abs(apart):.0f} s {which} this machine"
    return Finding("clock", State.LOOK, seen, "Set both by NTP; times in refunds are judged by the target's Date.")


def _provider(session: Session) -> Finding:
    try:
        order = session.shop.order()
    except Blocked as trouble:
        remedy = "See docs/target-file.md for what an order provider answers, and plan for the orders that a run needs."
        return Finding("orders", State.TROUBLE, trouble.reason, remedy)
    return Finding("orders", State.OK, f"the provider made order {order.order_id}")


def _create(session: Session) -> Finding:
    if session.base_refund is None:
        remedy = "Try it by hand with the curl line of a run's report: nothing can be judged without it."
        return Finding("create", State.TROUBLE, session.wire.redact(session.no_base), remedy)
    taken = [seen.observed for seen in session.observations if seen.reading == "A01"]
    return Finding("dialect", State.OK, "; ".join(taken))


def _effects(session: Session) -> Finding:
    lag, settle = session.wire.lag, session.wire.limits.settle
    if not lag:
        return Finding("effects", State.OK, "show at once")
    if lag < settle:
        return Finding("effects", State.OK, f"show within {lag:.1f} s")
    return Finding("effects", State.LOOK, f"may take longer than {settle:g} s", "Raise limits/settle.")


def _tokens(session: Session) -> Iterator[Finding]:
    for name in MAY:
        if name in session.target.tokens:
            yield _token(session, name)
    missing = [name for name in SCOPED_TOKENS if name not in session.target.tokens]
    if missing and "scoped_tokens" not in session.target.not_available:
        remedy = "Give them, or name scoped_tokens under not_available."
        yield Finding("tokens", State.LOOK, f"not given: {', '.join(missing)}; what needs them is blocked", remedy)


def _token(session: Session, name: str) -> Finding:
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without its order
    api = session.shop.holder(name)
    try:
        can = (_may_write(session, api), api.list_refunds(order).accepted)
    except Blocked as trouble:
        return Finding(f"tokens/{name}", State.TROUBLE, trouble.reason, "Try again; see limits in docs/reference.md.")
    words = " and ".join(verb for verb, may in zip(("write", "read"), can, strict=True) if may) or "do nothing"
    if all(wanted in {None, may} for wanted, may in zip(MAY[name], can, strict=True)):
        return Finding(f"tokens/{name}", State.OK, f"may {words}")
    if name == "full":
        remedy = "Put a token with write_refunds, write_refund and read_refunds there."
        return Finding("tokens/full", State.TROUBLE, f"may only {words}", remedy)
    remedy = "Put a token with exactly the scope of this name there. If it has that, a run will fail the server for it."
    return Finding(f"tokens/{name}", State.LOOK, f"may {words}", remedy)


def _may_write(session: Session, api: RefundApi) -> bool:
    """Try it with a refund of one unit, which is rejected again."""
    order = session.base_order
    assert order is not None  # noqa: S101 - as above
    answer: Answer = api.create_refund(order)
    if answer.refund is not None:
        session.shop.api.review_refund(order, answer.refund, Action.REJECT)
    return answer.accepted


def _shipping(session: Session) -> Iterator[Finding]:
    provider, declared = session.shop.provider, session.target.not_available
    subject = "unshipped_orders"
    try:
        order = provider.create_order([WantedLine(1)], shipped=False)
        yield _there(subject, "the provider makes orders that are not shipped", declared)
        subject = "ship_order"
        provider.ship_order(order)
        yield _there(subject, "the provider ships an order when asked", declared)
    except Blocked as trouble:
        if subject in declared:
            yield Finding(subject, State.OK, "declared as not available")
        else:
            yield Finding(subject, State.LOOK, trouble.reason, f"Mend it, or name {subject} under not_available.")


def _there(subject: str, seen: str, declared: tuple[str, ...]) -> Finding:
    if subject in declared:
        return Finding(subject, State.TROUBLE, seen, f"Take {subject} out of not_available: it is there after all.")
    return Finding(subject, State.OK, seen)


def _other_shop(session: Session) -> Finding:
    shop: Shop | None = session.other_shop
    if shop is None:
        if "other_shop" in session.target.not_available:
            return Finding("other_shop", State.OK, "declared as not available")
        remedy = "Describe a second shop, or name other_shop under not_available."
        return Finding("other_shop", State.LOOK, "none given; what needs it is blocked", remedy)
    try:
        order = shop.order()
        answer = shop.api.list_refunds(order)
        if answer.accepted or answer.status == 404:  # noqa: PLR2004 - an order without refunds may be unknown (A49)
            return Finding("other_shop", State.OK, "its provider makes orders, and its token reads them")
        return Finding(
            "other_shop", State.TROUBLE, f"list answered {answer.described}", "Check other_shop/tokens/full."
        )
    except Blocked as trouble:
        return Finding("other_shop", State.TROUBLE, trouble.reason, "Check other_shop in the target file.")
