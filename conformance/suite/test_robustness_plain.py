"""Plain requests after all that no client should send: the server goes on, and has given nothing away."""

import pytest

from conformance.generation.strangers import unknown
from conformance.http.client import ABSENT, API, TOKEN_HEADER, RefundApi
from conformance.judging import verify
from conformance.model import Order, Refund
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.odd_creates import OddCreates
from conformance.suite.given.odd_reads import Readings
from conformance.suite.given.senseless import APPROVE, DEEP, Unanswerable, exempt


@requirement("ROBUST-19")
def test_no_answer_gives_the_token_away(
    api: RefundApi, shop: Shop, refused_creates: Unanswerable, odd_creates: OddCreates, readings: Readings
) -> None:
    """Neither the body nor a header of the answer to an odd request has the token in it."""
    answers = [*refused_creates.sent.values(), *odd_creates.sent.values(), *readings.sent.values()]
    answers.append(exempt(api.send("GET", f"{API}/nothing", "other")))
    reader = api.with_token(shop.target.tokens.get("read_refunds", "unknown-token"))
    answers.append(exempt(reader.create({})))
    for answer in answers:
        token = answer.exchange.request.headers[TOKEN_HEADER]
        shown = [answer.exchange.body.decode("utf-8", "replace"), *answer.exchange.headers.values()]
        if any(token in text for text in shown):
            api.wire.show(answer.exchange)
            raise Failed("an answer without the token", f"{answer.described}, with the token in its body or headers")


@requirement("ROBUST-20")
def test_an_order_can_be_listed_after_odd_creates(odd_creates: OddCreates, shipped_order: Order) -> None:
    """Whatever was accepted can be read back."""
    listed = odd_creates.listed
    odd_creates.api.wire.show(listed.exchange)
    if listed.accepted and listed.refunds is None:
        verify.look_list(odd_creates.api, shipped_order)  # a list that can never be read is judged as such
    verify.holds(not listed.broken and listed.refunds is not None, "the list of the order", listed.described)


@requirement("ROBUST-20")
def test_a_plain_request_is_carried_out_after_a_stranger_s(
    session: Session, shop: Shop, api: RefundApi, accepted_create: Refund
) -> None:
    """At once after a create that is refused for its token, maybe unread, a refund is got as it always is."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without it
    asked = api.with_token(unknown(shop)).create_refund(order, request_no=session.base_key)
    asked.exchange.role, asked.exchange.exempt = "open", True

    answer = api.get_refund(order, accepted_create)

    answer.exchange.role = "probe"
    if not answer.accepted:
        api.wire.reconnect()
        again = api.get_refund(order, accepted_create)
        again.exchange.role = "control"
        if not again.accepted:
            raise Blocked(f"it is not got over a new connection either: {again.described}")
        expected = "the refund, as over a new connection, at once after a create by a stranger"
        raise Failed(expected, answer.described, answer.exchange)


@requirement("ROBUST-20", late=True)
@pytest.mark.usefixtures("accepted_create", "reviewed")
def test_plain_requests_are_carried_out_after_odd_ones(api: RefundApi, shipped_order: Order) -> None:
    """After a few more odd requests a refund is created, listed, reviewed and got as at the run's beginning."""
    exempt(api.create(ABSENT, content=b"{"))
    exempt(api.review("0", ABSENT, content=DEEP))

    refund = verify.created(api.create_refund(shipped_order))
    verify.appears(api, shipped_order, refund)
    verify.settles(api, lambda: api.get_refund(shipped_order, refund).accepted, bool, "the refund, got")
    verify.accepted(api.review_refund(shipped_order, refund, APPROVE))
