"""Those without the right to what they ask for, with something that is nearly the right token."""

import contextlib
from collections.abc import Mapping
from functools import partial

import pytest
from attrs import define, field

from conformance.generation.strangers import (
    CUT_OFF,
    IN_OTHER_CASE,
    LONGER,
    WITH_ANOTHER_END,
    TokenOf,
    is_all_their_own,
    scoped,
    shows_a_refund,
    unknown,
)
from conformance.http.client import RefundApi
from conformance.judging import verify
from conformance.model import Action, Refund
from conformance.outcome import Blocked
from conformance.running.session import Session
from conformance.suite.given.benches import Bench, Probe, Probes, ReviewBench, selected_rows
from conformance.suite.given.creates import Send
from conformance.suite.given.senseless import labelled

STRANGERS: dict[str, TokenOf] = {
    "no token": lambda _: None,
    "an unknown token": unknown,
    "an empty token": lambda _: "",
    "a token cut off": CUT_OFF,
    "a token with a character more": LONGER,
    "a token in other case": IN_OTHER_CASE,
    "a token with another end": WITH_ANOTHER_END,
    "the scope to read": scoped("read_refunds"),
    "another scope": scoped("unrelated"),
}
OTHER_SHOP, ELSEWHERE = "another shop's token", "the ids of this in another shop"
WHO = {
    "create": ("no token", "an empty token", "the scope to read", OTHER_SHOP, ELSEWHERE),
    "create as text": ("no token",),
    "replay": ("another scope",),
    "review": ("the scope to read",),
    "reject": ("no token", "the scope to read", OTHER_SHOP, ELSEWHERE),
    "review again": (OTHER_SHOP,),
    "list": ("an unknown token", ELSEWHERE),
    "get": (
        "a token cut off", "a token with a character more", "a token in other case",
        "a token with another end", "another scope", OTHER_SHOP, ELSEWHERE,
    ),
}  # fmt: skip
"""Who tries what: each of them somewhere, and each operation by those who could get further than the others."""
STRANGE = {f"{operation} with {who}": (operation, who) for operation, names in WHO.items() for who in names}


@define
class Turned(Probes):
    """Requests by those without the right to them; what they lack in the target file blocks them alone."""

    session: Session = field(kw_only=True)

    def caller(self, who: str) -> RefundApi:
        """Return the API as a stranger calls it.

        Raises:
            Blocked: the target file does not give what it takes.
        """
        shop, other = self.session.shop, self.session.other_shop
        if who in STRANGERS:
            return shop.api.with_token(STRANGERS[who](shop))
        if other is None:
            raise Blocked("the target file describes no other_shop", lacks="other_shop")
        return other.api if who == ELSEWHERE else shop.api.with_token(other.api.token)

    def send_for_strangers(self, request: pytest.FixtureRequest, sends: Mapping[str, Send]) -> None:
        """Send the rows that are wanted, of those that can be sent, in the order of the operations."""
        probes: dict[str, Probe] = {}
        chosen = selected_rows(request, STRANGE, "test_nearmiss").items()
        for operation, send in sends.items():
            for row in [row for row, (wanted, _) in chosen if wanted == operation]:
                with contextlib.suppress(Blocked):
                    probes[row] = partial(send, self.caller(STRANGE[row][1]))
        self.send(probes)

    def judge(self, name: str) -> None:
        """The stranger was refused, had no effect, and was shown no refund; elsewhere there may be an empty list."""
        operation, who = STRANGE[name]
        self.caller(who)
        answer = self.sent[name]
        if who in {OTHER_SHOP, ELSEWHERE} and answer.exchange.trouble is None and not answer.refused:
            home, base = self.session.other_shop, self.session.base_order
            assert home is not None  # noqa: S101 - without it there is no such caller
            orders = [self.bench.order] if base is None else [self.bench.order, base]
            if name not in self.effects and is_all_their_own(answer, self.bench.api, home.api, orders):
                return
        nothing = who == ELSEWHERE and operation == "list" and answer.exchange.trouble is None and answer.refunds == []
        if not nothing:  # an order that is unknown there may be listed as one without refunds (reading A49)
            super().judge(name)
        verify.holds(not shows_a_refund(answer), "a refusal that shows no refund", answer.described)


@pytest.fixture(scope="session")
def strangers(request: pytest.FixtureRequest, session: Session, create_bench: Bench, accepted_create: Refund) -> Turned:
    """What the full token may create and read, asked for by strangers.

    Gets come first: the full token just made the same, and a cache may have its answer for anybody.
    """
    base = session.base_order
    assert base is not None  # noqa: S101 - there is no accepted create without its order
    session.shop.api.get_refund(base, accepted_create).exchange.role = "control"
    turned = Turned(create_bench, session=session)
    turned.send_for_strangers(
        request,
        {
            "get": lambda api, _: api.get_refund(base, accepted_create),
            "create": lambda api, order: api.create_refund(order),
            "create as text": labelled("text/plain"),
            "replay": lambda api, _: api.create_refund(base, request_no=session.base_key),
            "list": lambda api, _: api.list_refunds(base),
        },
    )
    return turned


@pytest.fixture(scope="session")
def strange_reviews(request: pytest.FixtureRequest, session: Session, review_bench: ReviewBench) -> Turned:
    """Reviews that the full token may make, made by strangers; again, of a refund that is approved already."""
    base_order, base_refund = session.base_order, session.base_refund
    assert base_order is not None  # noqa: S101 - without it there is no open refund to review
    assert base_refund is not None  # noqa: S101 - nor without the first refund of the run
    turned = Turned(review_bench, session=session)
    turned.send_for_strangers(
        request,
        {
            "review": lambda api, order: api.review_refund(order, review_bench.refund, Action.APPROVE),
            "reject": lambda api, order: api.review_refund(order, review_bench.refund, Action.REJECT),
            "review again": lambda api, _: api.review_refund(base_order, base_refund, Action.APPROVE),
        },
    )
    return turned
