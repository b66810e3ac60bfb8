"""Orders on which much is tried: benches for what must be refused, and open refunds side by side."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pytest
from attrs import define, field

from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.http.exchange import Exchange
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId
from conformance.outcome import Blocked, Unanswered

NewOrder = Callable[..., Order]
Row = TypeVar("Row")


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
        before, self.before = self.before, self.look()
        verify.no_effect(probe, before, self.before)

    def look(self) -> dict[RefundId, Refund]:
        """Return the refunds that a probe must leave as they are."""
        return verify.look_list(self.api, self.order, role="open")

    def is_fit(self) -> bool:
        """Say whether another probe would show an effect if it had one, whatever earlier ones did to the bench."""
        return True

    def renew(self) -> None:
        """Make the bench fit for another probe after one had an effect; an order with units left still is."""


READS = {"list", "get"}
Probe = Callable[[Order], Answer]


@define
class Probes:
    """Requests that must all be refused, sent one after another to one order, with one look after the last.

    Only when that look shows an effect are the refused ones sent again, each with a look of its own, to name the one
    that did it all the same. One that gets no answer is sent a second time; without an answer to that either, while
    the look is answered, it is the target's fault, and no trouble on the way.
    """

    bench: Bench
    sent: dict[str, Answer] = field(factory=dict)
    effects: dict[str, tuple[dict[RefundId, Refund], dict[RefundId, Refund]]] = field(factory=dict)
    looks: dict[str, Exchange] = field(factory=dict)
    silent: set[str] = field(factory=set)

    def borrow(self, other: "Probes", same: Mapping[str, str]) -> None:
        """Take what came of probes of another for some of these, by their names there; they are not sent again."""
        for name, theirs in same.items():
            if theirs in other.sent:
                self.sent[name], self.looks[name] = other.sent[theirs], other.looks[theirs]
                self.silent |= {name} if theirs in other.silent else set()
                if theirs in other.effects:
                    self.effects[name] = other.effects[theirs]

    def send(self, probes: Mapping[str, Probe]) -> None:
        """Send every probe that was not borrowed; afterwards each can be judged by its name."""
        probes = {name: probe for name, probe in probes.items() if name not in self.sent}
        if not probes:
            return
        bench = self.bench
        if not bench.is_fit():
            bench.renew()
        self.sent |= {name: self._probed(probe) for name, probe in probes.items()}
        for name in [name for name in probes if self.sent[name].exchange.trouble is not None]:
            self.sent[name] = self._probed(probes[name])
            if self.sent[name].exchange.trouble is not None:
                self.silent.add(name)
        before = bench.before
        self.looks |= dict.fromkeys(probes, self._look())
        if verify.differ(before, bench.before):
            self._name_the_one(probes, before)
        elif any(self.sent[name].exchange.trouble is None and self.sent[name].accepted for name in probes):
            bench.renew()  # what was accepted may show late, when others are looked at

    def _name_the_one(self, probes: Mapping[str, Probe], before: dict[RefundId, Refund]) -> None:
        """Find out which of the probes had the effect that they had together."""
        bench = self.bench
        together = (before, bench.before)
        for name, probe in probes.items():
            if name in self.silent:
                continue
            if not self.sent[name].refused:
                others_did = self.sent[name].exchange.operation in READS and self._accepted_beside(name)
                self.effects[name] = (before, before if others_did else self._but_for_others(name, *together))
                continue
            bench.renew()
            alone = bench.before
            self.sent[name] = self._probed(probe)
            self.looks[name] = self._look()
            if verify.differ(alone, bench.before):
                self.effects[name] = (alone, bench.before)
        if not self.effects.keys() & probes.keys():  # what they did together none does alone: each is to blame
            self.effects |= dict.fromkeys(probes, together)

    def _but_for_others(
        self, name: str, before: dict[RefundId, Refund], after: dict[RefundId, Refund]
    ) -> dict[RefundId, Refund]:
        """Return what is there after the probes without the new refunds that the answers to others told of."""
        told = {other: answer.refund for other, answer in self.sent.items() if other != name and answer.accepted}
        theirs = {refund.refund_id for refund in told.values() if refund is not None}
        own = self.sent[name].refund if self.sent[name].accepted else None
        theirs -= set() if own is None else {own.refund_id}
        return {key: refund for key, refund in after.items() if key in before or refund.refund_id not in theirs}

    def _accepted_beside(self, name: str) -> int:
        """Return how many other probes were accepted that may have done what was done."""
        others = [answer for other, answer in self.sent.items() if other != name and other not in self.silent]
        return sum(answer.accepted and answer.exchange.operation not in READS for answer in others)

    def judge(self, name: str) -> None:
        """The probe of that name was refused and had no effect."""
        answer = self.sent[name]
        self.bench.api.wire.show(answer.exchange)
        self.bench.api.wire.show(self.looks[name])
        if name in self.silent:
            observed = f"{answer.described}, twice, while other requests were answered"
            raise Unanswered("a refusal (4xx)", observed, answer.exchange)
        before, after = self.effects.get(name, ({}, {}))
        verify.no_effect(answer, before, after, beside=self._accepted_beside(name) if answer.accepted else 0)

    def _probed(self, probe: Probe) -> Answer:
        answer = probe(self.bench.order)
        answer.exchange.role = "probe"
        answer.exchange.batched = answer.exchange.exempt = True
        return answer

    def _look(self) -> Exchange:
        """Look at the bench, and return the exchange that shows how it is now."""
        self.bench.before = self.bench.look()
        looked = self.bench.api.wire.recorded[-1]
        looked.batched = True
        return looked


def selected_rows(request: pytest.FixtureRequest, rows: Mapping[str, Row], module: str | None = None) -> dict[str, Row]:
    """Return the rows that this run has checks for, be it in one module alone; only they are worth sending."""
    items = [item for item in request.session.items if hasattr(item, "callspec")]
    names = {item.callspec.params.get("row") for item in items if module in {None, item.path.stem}}
    return {name: row for name, row in rows.items() if name in names}


@define
class Placed:
    """A create that was accepted: the order it is of, its body, and its refund."""

    order: Order
    body: dict[str, Any]
    refund: Refund


@define
class OpenRefunds:
    """Puts open refunds side by side on one order, so that one look shows them all.

    Where a target allows one open refund at a time (reading A27), each gets an order of its own.
    """

    api: RefundApi
    new_order: Callable[[], Order]
    orders: list[Order] = field(factory=list)

    def put(self, body_of: Callable[[Order], dict[str, Any]]) -> Placed:
        """Return an open refund, made by a body for whichever order it is put on, that is visible.

        Raises:
            Blocked: the target did not create it.
        """
        placed = self.place(body_of)
        arrange.await_visible(self.api, placed.order, placed.refund)
        return placed

    def place(self, body_of: Callable[[Order], dict[str, Any]]) -> Placed:
        """Do the same, and leave it to the caller to wait until it is visible.

        Raises:
            Blocked: the target did not create it.
        """
        if not self.orders:
            self.orders.append(self.new_order())
        placed = self._try(body_of)
        if placed is None:
            self.orders.append(self.new_order())
            placed = self._try(body_of)
        if placed is None:
            raise Blocked("a refund could not be arranged: create refused it on two orders")
        return placed

    def _try(self, body_of: Callable[[Order], dict[str, Any]]) -> Placed | None:
        order = self.orders[-1]
        body = body_of(order)
        answer = self.api.create(body)
        answer.exchange.role = "arrange"
        if answer.refused:
            return None
        return Placed(order, body, arrange.made(answer))

    def look(self) -> dict[RefundId, Refund]:
        """Return all the refunds of its orders."""
        return {key: refund for order in self.orders for key, refund in verify.look_list(self.api, order).items()}


@define
class ReviewBench(Bench):
    """An order with an open refund on which only reviews are tried that must be refused.

    Its customer has another order; the foreign order is of another customer.
    """

    new_order: NewOrder = field(kw_only=True)
    refund: Refund = field(kw_only=True)
    another_order: Order = field(kw_only=True)
    foreign_order: Order = field(kw_only=True)

    def is_fit(self) -> bool:
        """Say whether the refund is open, as far as it is listed."""
        there = self.before.get(self.refund.refund_id)
        return there is None or there.status in self.api.pending

    def renew(self) -> None:
        """Take another order with an open refund."""
        self.order = self.new_order(customer_id=self.order.customer_id)
        self.refund = arrange.given_refund(self.api, self.order)
        self.before = list_showing(self.api, self.order, self.refund)

    def body(self, action: Action = Action.APPROVE) -> dict[str, Any]:
        """Return a valid review of the open refund."""
        return self.api.review_body(self.order.order_id, self.refund.refund_id, action)


def list_showing(api: RefundApi, order: Order, refund: Refund) -> dict[RefundId, Refund]:
    """Return the refunds of an order, the given one among them.

    Raises:
        Blocked: it is not listed.
    """
    listed = verify.look_list(api, order)
    if refund.refund_id not in listed:
        raise Blocked(f"refund {refund.refund_id} is not in the list of its order (LIST-01)")
    return listed


def many_of(api: RefundApi, order: Order, known: dict[RefundId, Refund], count: int) -> dict[RefundId, Refund]:
    """Return the refunds of an order, at least so many: where fewer are known, plain ones are created first.

    Raises:
        Blocked: a plain one is not accepted, or they are not listed.
    """
    if len(known) >= count:
        return known
    for _ in range(count - len(known)):
        answer = api.create_refund(order)
        if answer.refused and arrange.approve_open(api, order):  # one open refund at a time is legal (reading A27)
            answer = api.create_refund(order)
        answer.exchange.role = "arrange"
        arrange.made(answer)

    def listed_so_far() -> dict[RefundId, Refund]:
        return {key: refund for key, refund in verify.look_list(api, order).items() if not refund.hidden}

    listed = verify.patiently(api, listed_so_far, lambda seen: len(seen) >= count)
    if len(listed) < count:
        raise Blocked(f"of {count} refunds of an order, {len(listed)} are listed (LIST-01)")
    return listed
