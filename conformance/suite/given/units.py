"""How many units were ordered and are refunded, and creates that ask for more."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from attrs import define, evolve, field

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.judging import verify
from conformance.model import LineItemId, Order, Refund, RefundId, RefundStatus
from conformance.outcome import Blocked, Failed
from conformance.running.session import Session
from conformance.suite.given.benches import Bench, NewOrder, Probe, Probes
from conformance.suite.given.creates import REFUND, Row, Send, in_other_form, wanted

Refunds = dict[RefundId, Refund]


def units(refunds: Iterable[Refund]) -> dict[LineItemId, Decimal]:
    """Return how many units of each line are refunded; canceled refunds do not count."""
    sums: dict[LineItemId, Decimal] = {}
    for refund in refunds:
        if refund.status is not RefundStatus.CANCELED:
            for line, quantity in refund.quantities.items():
                sums[line] = sums.get(line, Decimal(0)) + quantity
    return sums


def ordered(order: Order) -> dict[LineItemId, int]:
    """Return how many units of each line were ordered."""
    return {line.line_item_id: line.quantity for line in order.lines}


def stays_within(
    session: Session, limits: Mapping[LineItemId, int], probe: Answer, before: Refunds, after: Refunds
) -> None:
    """More units than are left are refused, or cut down to what is left (reading A26)."""
    new, sums = after.keys() - before.keys(), units(after.values())
    kept = all(quantity <= limits.get(line, 0) for line, quantity in sums.items())
    if (
        probe.accepted
        and len(new) == 1
        and kept
        and any(limits.get(line) == quantity for line, quantity in sums.items())
    ):
        session.observe("A26", "more units than are left are cut down to what is left")
        return
    verify.no_effect(probe, before, after)


@define
class ExcessBench(Bench):
    """An order on which only creates of too many units are tried; ``limits`` are the units of all orders it had."""

    new_order: NewOrder = field(kw_only=True)
    limits: dict[LineItemId, int] = field(factory=dict)

    def renew(self) -> None:
        """Take another order."""
        self.order = self.new_order(*EXCESS_ORDER)
        self.before = {}
        self.limits |= ordered(self.order)


@define
class Excess(Probes):
    """Creates of too many units, which a target may also cut down to what is left (reading A26)."""

    bench: ExcessBench = field(kw_only=True)

    def send(self, probes: Mapping[str, Probe]) -> None:
        """Send every probe; one that was accepted is sent again to an order of its own, to see what it leaves."""
        super().send(probes)
        for name, probe in probes.items():
            if name not in self.silent and self.sent[name].accepted:
                self.bench.renew()
                answer = self.sent[name] = probe(self.bench.order)
                answer.exchange.batched = answer.exchange.exempt = True
                self.bench.before = self.bench.look()
                self.effects[name] = ({}, self.bench.before)


EXCESS_ORDER = ((5, "10.00"), (1, "7.00"), (9, "3.00"))


def too_many(*quantities: Callable[[int], int], line: int = 0, **fields: Any) -> Send:
    """Return a create that is valid but for its units; each function makes them of those that were ordered."""

    def send(api: RefundApi, order: Order) -> Answer:
        bought = order.lines[line]
        before = [Part(order.line)] if line else []
        return api.create_refund(
            order, *before, *(Part(bought, make(bought.quantity)) for make in quantities), **fields
        )

    return send


def one_more_in_the_middle(api: RefundApi, order: Order) -> Answer:
    """Ask for one unit too many of the second of three lines."""
    first, second, third = order.lines
    return api.create_refund(order, Part(first), Part(second, one_more(second.quantity)), Part(third))


def one_more(bought: int) -> int:
    """Return one unit more than was ordered."""
    return bought + 1


def more_than_half(bought: int) -> int:
    """Return units of which twice as many are too many."""
    return bought // 2 + 1


def twice_more_than_half(api: RefundApi, order: Order) -> Answer:
    """Name a line twice, for two reasons, with another one between the two."""
    half = Part(order.line, more_than_half(order.line.quantity))
    return api.create_refund(order, half, Part(order.lines[1]), evolve(half, reason="The rest broke later."))


def twice_in_two_forms(api: RefundApi, order: Order) -> Answer:
    """Name a line twice, the second time with its numbers in the form that is not the usual one."""
    half = Part(order.line, more_than_half(order.line.quantity))
    body, other = api.create_body(order, half), in_other_form(api).create_body(order, half)
    body["refund"]["lineItems"] += other["refund"]["lineItems"]
    return api.create(body)


def twice_with_a_zero_in_front(api: RefundApi, order: Order) -> Answer:
    """Name a line twice, the second time with a zero before its id, which is the same number."""
    half = Part(order.line, more_than_half(order.line.quantity))
    body = api.create_body(order, half, evolve(half, reason="The rest broke later."))
    second = body["refund"]["lineItems"][1]
    second["lineItemId"] = f"0{second['lineItemId']}"
    return api.create(body)


def one_more_in_the_other_form(api: RefundApi, order: Order) -> Answer:
    """Send one unit too many, with numbers in the form that is not the usual one."""
    return in_other_form(api).create_refund(order, Part(order.line, one_more(order.line.quantity)))


ONE_MORE, SECOND, TWICE = "one unit more than ordered", "one more of the second of three", "twice more than half"
TEN_OF_NINE = "10 of 9"
EXCESS: dict[str, Row] = {
    ONE_MORE: Row("CREATE-14", too_many(one_more)),
    "one more in the other form": Row("CREATE-14", one_more_in_the_other_form),
    "one more without a return": Row("CREATE-14", too_many(one_more, rights_type=REFUND, customer_id=ABSENT)),
    SECOND: Row("CREATE-15", one_more_in_the_middle, ONE_MORE),
    TEN_OF_NINE: Row("CREATE-16", too_many(lambda bought: 10 ** len(str(bought)), line=2), SECOND),
    "32 bits and 1": Row("CREATE-17", too_many(lambda _: 2**32 + 1), TEN_OF_NINE),
    "64 bits and 1": Row("CREATE-17", too_many(lambda _: 2**64 + 1), TEN_OF_NINE),
    TWICE: Row("CREATE-22", twice_more_than_half, ONE_MORE),
    "twice in two forms": Row("CREATE-22", twice_in_two_forms, TWICE),
    "twice, once with a zero in front": Row("CREATE-22", twice_with_a_zero_in_front, TWICE),
}


@pytest.fixture(scope="session")
def excess(request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder) -> Excess:
    """Creates that are valid but for asking for too many units, and in any case those that others need."""
    order = new_order(*EXCESS_ORDER)
    excess = Excess(bench=ExcessBench(api, order, new_order=new_order, limits=ordered(order)))
    excess.send({name: partial(EXCESS[name].send, api) for name in (ONE_MORE, SECOND)} | wanted(request, EXCESS, api))
    return excess


def judge_excess(session: Session, excess: Excess, row: str) -> None:
    """The create of that name was refused or cut down."""
    bench, answer = excess.bench, excess.sent[row]
    bench.api.wire.show(answer.exchange)
    before, after = excess.effects.get(row, ({}, {}))
    if EXCESS[row].requirement == "CREATE-22" and all(
        quantity <= bench.limits.get(line, 0) for line, quantity in units(after.values()).items()
    ):
        return  # what is made of two mentions is judged where both fit (CREATE-23); here only the sum matters
    stays_within(session, bench.limits, answer, before, after)


def insist_on_limit(session: Session, excess: Excess, row: str = ONE_MORE) -> None:
    """The plain case of too many units is refused or cut down; otherwise a special one proves nothing."""
    try:
        judge_excess(session, excess, row)
    except Failed:
        raise Blocked(f"the plain case, {row}, already goes through ({EXCESS[row].requirement})") from None


@pytest.fixture
def limited(session: Session, excess: Excess) -> None:
    """The control of every special case of too many units."""
    insist_on_limit(session, excess)
