"""What the checks are given: the API, fresh orders, and benches where many refusals are tried on one order."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import define, field

from conformance import verify
from conformance.client import Answer, RefundApi
from conformance.model import Action, Order, Refund, RefundId
from conformance.results import Blocked
from conformance.session import Session, Shop

NewOrder = Callable[..., Order]


@pytest.fixture(scope="session")
def shop(session: Session) -> Shop:
    """The shop under test."""
    return session.shop


@pytest.fixture(scope="session")
def other_shop(session: Session) -> Shop:
    """A second shop on the same implementation."""
    if session.other_shop is None:
        raise Blocked("the target file describes no other_shop", lacks="other_shop")
    return session.other_shop


@pytest.fixture(scope="session")
def api(shop: Shop) -> RefundApi:
    """The API as the holder of the full token sees it."""
    return shop.api


@pytest.fixture(scope="session")
def new_order(shop: Shop) -> NewOrder:
    """Makes fresh orders: ``new_order((units, unit price), ..., shipped=True)``."""
    return shop.order


@pytest.fixture
def shipped_order(new_order: NewOrder) -> Order:
    """A fresh shipped order with one line of 5 × 10.00."""
    return new_order()


@pytest.fixture
def unshipped_order(new_order: NewOrder) -> Order:
    """A fresh order with one line of 5 × 10.00, not shipped."""
    return new_order(shipped=False)


@define
class Bench:
    """An order that probes share which must all be refused; after each, a look shows whether it did anything.

    Their control, the same request with nothing wrong, was accepted on a twin of the order before the first of them.
    """

    api: RefundApi
    order: Order
    before: dict[RefundId, Refund] = field(factory=dict)

    def judge(self, probe: Answer) -> None:
        """The probe was refused and changed nothing."""
        before, self.before = self.before, verify.look_again(self.api, self.order)
        verify.no_effect(probe, before, self.before)

    def renew(self) -> None:
        """Make the bench fit for another probe after one had an effect; an order with units left still is."""


Probe = Callable[[Order], Answer]


@define
class Probes:
    """Requests that must all be refused, sent one after another to one order, with one look after the last.

    Only when that look shows an effect are they sent again, each with a look of its own, to name the one that did it.
    """

    bench: Bench
    sent: dict[str, Answer] = field(factory=dict)
    effects: dict[str, tuple[dict[RefundId, Refund], dict[RefundId, Refund]]] = field(factory=dict)

    def send(self, probes: Mapping[str, Probe]) -> None:
        """Send every probe; afterwards each can be judged by its name."""
        bench = self.bench
        self.sent = {name: probe(bench.order) for name, probe in probes.items()}
        for answer in self.sent.values():
            answer.exchange.role = "probe"
        before, bench.before = bench.before, verify.look_again(bench.api, bench.order)
        if before == bench.before:
            return
        together = (before, bench.before)
        for name, probe in probes.items():
            bench.renew()
            before = bench.before
            self.sent[name] = probe(bench.order)
            bench.before = verify.look_again(bench.api, bench.order)
            if before != bench.before:
                self.effects[name] = (before, bench.before)
        if not self.effects:  # what they did together none does alone: each of them is to blame
            self.effects = dict.fromkeys(probes, together)

    def judge(self, name: str) -> None:
        """The probe of that name was refused and had no effect."""
        answer = self.sent[name]
        self.bench.api.wire.show(answer.exchange)
        before, after = self.effects.get(name, ({}, {}))
        verify.no_effect(answer, before, after)


def selected_rows(request: pytest.FixtureRequest, rows: Mapping[str, Probe]) -> dict[str, Probe]:
    """Return the rows that this run's selection and profile have checks for; only they are worth sending."""
    names = {item.callspec.params.get("row") for item in request.session.items if hasattr(item, "callspec")}
    return {name: probe for name, probe in rows.items() if name in names}


@define
class ReviewBench(Bench):
    """An order with an open refund on which only reviews are tried that must be refused."""

    new_order: NewOrder = field(kw_only=True)
    refund: Refund = field(kw_only=True)

    def renew(self) -> None:
        """Take another order with an open refund."""
        self.order = self.new_order()
        self.refund = verify.given_refund(self.api, self.order)
        self.before = verify.look_list(self.api, self.order)

    def body(self) -> dict[str, Any]:
        """Return a valid approval of the open refund."""
        return self.api.review_body(self.order.order_id, self.refund.refund_id, Action.APPROVE)


@pytest.fixture(scope="session")
def accepted_create(session: Session) -> Refund:
    """The control of every refused create: a plain one, accepted when the run began."""
    if session.base_refund is None:
        raise Blocked("the control was not accepted: a plain create in the page's own shape is refused")
    return session.base_refund


@pytest.fixture(scope="session")
def create_bench(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Bench:
    """A shared shipped order with two lines of 40 × 10.00 for creates that must be refused."""
    return Bench(api, new_order((40, "10.00"), (40, "10.00")))


@pytest.fixture(scope="session")
def reviewed(api: RefundApi, session: Session, accepted_create: Refund) -> Refund:
    """The control of every refused review: a plain approval that took effect."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without its order
    try:
        return verify.given_review(api, order, verify.given_refund(api, order), Action.APPROVE)
    except Blocked as trouble:
        raise Blocked(f"the control, a plain approval, did not work: {trouble.reason}") from None


@pytest.fixture(scope="session")
def review_bench(api: RefundApi, new_order: NewOrder, reviewed: Refund) -> ReviewBench:
    """A shared order with one open refund for reviews that must be refused."""
    order = new_order()
    refund = verify.given_refund(api, order)
    return ReviewBench(api, order, verify.look_list(api, order), new_order=new_order, refund=refund)
