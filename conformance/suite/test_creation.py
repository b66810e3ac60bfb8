"""The create: what it takes, what it refuses, and that no more units are refunded than were ordered."""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from attrs import define, evolve, field, frozen

from conformance.http.client import ABSENT, Answer, Part, RefundApi
from conformance.http.dialect import NUMBERS, TEXT
from conformance.judging import verify
from conformance.model import Action, LineItemId, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.results import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session, Shop
from conformance.suite.given.benches import Bench, NewOrder, OpenRefunds, Placed, Probe, Probes, many_of, selected_rows

MANY = 12
"""Refunds of an order that are more than fit on a short page."""
LONG = 4.0
"""Seconds for which a pending refund must hold its units, and a rejection must have stood."""
CLOSED = {RefundStatus.CANCELED, None}
"""What a canceled refund may show; a status that cannot be read is judged as a field of its own (RECORD-28)."""
RETURN, REFUND = RightsType.RETURN_AND_REFUND, RightsType.REFUND
Refunds = dict[RefundId, Refund]
Send = Callable[[RefundApi, Order], Answer]


@frozen
class Row:
    """A create of a table and its requirement; it proves nothing unless the row that it needs is refused."""

    requirement: str
    send: Send
    needs: str | None = None
    profile: str = "standard"


def rows_of(table: Mapping[str, Row]) -> list[Any]:
    """Return the rows of a table as parameters of a check."""
    return [pytest.param(name, marks=requirement(r.requirement, profile=r.profile)) for name, r in table.items()]


def wanted(request: pytest.FixtureRequest, table: Mapping[str, Row], api: RefundApi) -> dict[str, Probe]:
    """Return the probes of a table that this run has checks for, and those that they need."""
    chosen = selected_rows(request, table)
    names = chosen.keys() | {row.needs for row in chosen.values()}
    return {name: partial(row.send, api) for name, row in table.items() if name in names}


# Bodies with one thing wrong.


def changed(members: dict[str, Any], name: str, change: object) -> None:
    """Leave a member out, put a value in its place, or make one of the value it has in its wire form."""
    if change is ABSENT:
        del members[name]
    else:
        members[name] = change(members[name]) if callable(change) else change


def with_wrapper(change: object) -> Send:
    """Return a create that is valid but for what its ``refund`` is."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order)
        changed(body, "refund", change)
        return api.create(body)

    return send


def with_fields(*names: str, change: object = ABSENT, **fields: Any) -> Send:
    """Return a create that is valid but for some fields of its refund."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order, **fields)
        for name in names:
            changed(body["refund"], name, change)
        return api.create(body)

    return send


def with_line(
    name: str, change: object = ABSENT, *, line: int = 0, index: int = 0, lines: int = 1, **fields: Any
) -> Send:
    """Return a create of some lines, from ``line`` on, that is valid but for one field of the one at ``index``."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order, *map(Part, order.lines[line : line + lines]), **fields)
        changed(body["refund"]["lineItems"][index], name, change)
        return api.create(body)

    return send


def below_zero(value: Any) -> Any:
    """Return an id with a minus sign, in the form that it had."""
    return f"-{value}" if isinstance(value, str) else -value


def digit_more(value: Any) -> Any:
    """Return an id that is not there: one digit longer."""
    return type(value)(f"{value}7")


def digit_less(value: Any) -> Any:
    """Return an id that is not there, or not of the order: one digit shorter."""
    return type(value)(str(value)[:-1] or "0")


def with_letters(value: Any) -> Any:
    """Return what begins like the value."""
    return f"{value}abc"


def in_a_list(value: Any) -> Any:
    """Return a value of another JSON type."""
    return [value]


def by_its_product(api: RefundApi, order: Order) -> Answer:
    """Name a line by its product, which is not the line's id."""
    ids = {line.line_item_id for line in order.lines}
    product = order.line.product_id
    body = api.create_body(order)
    line = body["refund"]["lineItems"][0]
    if product is None or product in ids:
        line["lineItemId"] = digit_more(line["lineItemId"])
    else:
        line["lineItemId"] = api.create_dialect.wire("lineItemId", product)
    return api.create(body)


def unwrapped(api: RefundApi, order: Order) -> Answer:
    """Send the fields of a valid refund without the wrapper."""
    return api.create(api.create_body(order)["refund"])


REFUSED: dict[str, Row] = {
    "no wrapper": Row("CREATE-02", unwrapped, profile="quick"),
    "refund missing": Row("CREATE-03", with_wrapper(ABSENT)),
    "refund null": Row("CREATE-03", with_wrapper(None)),
    "refund text": Row("CREATE-03", with_wrapper("refund"), profile="full"),
    "refund in a list": Row("CREATE-03", with_wrapper(in_a_list)),
    "lineItems missing": Row("CREATE-04", with_fields("lineItems"), profile="quick"),
    "lineItems null": Row("CREATE-04", with_fields("lineItems", change=None)),
    "lineItems a line alone": Row("CREATE-04", with_fields("lineItems", change=lambda lines: lines[0])),
    "lineItems a list of null": Row("CREATE-04", with_fields("lineItems", change=[None])),
    "lineItems written as a text": Row("CREATE-04", with_fields("lineItems", change=json.dumps)),
    "lineItems a list of ids": Row("CREATE-04", with_fields("lineItems", change=lambda old: [old[0]["lineItemId"]])),
    "orderId missing": Row("CREATE-06", with_fields("orderId"), profile="quick"),
    "orderId null": Row("CREATE-06", with_fields("orderId", change=None), profile="full"),
    "orderId empty": Row("CREATE-06", with_fields("orderId", change=""), profile="full"),
    "orderId in a list": Row("CREATE-06", with_fields("orderId", change=in_a_list)),
    "order with a digit more": Row("CREATE-07", with_fields("orderId", change=digit_more), profile="quick"),
    "order with a digit less": Row("CREATE-07", with_fields("orderId", change=digit_less), profile="quick"),
    "order below zero": Row("CREATE-07", with_fields("orderId", change=below_zero)),
    "order with letters after it": Row("CREATE-07", with_fields("orderId", change=with_letters)),
    "lineItemId missing": Row("CREATE-08", with_line("lineItemId")),
    "lineItemId null": Row("CREATE-08", with_line("lineItemId", None), profile="full"),
    "lineItemId empty": Row("CREATE-08", with_line("lineItemId", ""), profile="full"),
    "lineItemId in a list": Row("CREATE-08", with_line("lineItemId", in_a_list)),
    "line with a digit more": Row("CREATE-09", with_line("lineItemId", digit_more), profile="quick"),
    "line with a digit less": Row("CREATE-09", with_line("lineItemId", digit_less), profile="full"),
    "line with letters after it": Row("CREATE-09", with_line("lineItemId", with_letters), profile="quick"),
    "line by its position": Row("CREATE-09", with_line("lineItemId", lambda value: type(value)("0")), profile="full"),
    "line by its product": Row("CREATE-09", by_its_product),
    "quantity '0'": Row("CREATE-11", with_line("quantity", "0")),
    "quantity 0 without a return": Row("CREATE-11", with_line("quantity", 0, rights_type=REFUND), profile="quick"),
    "quantity '-1'": Row("CREATE-11", with_line("quantity", "-1"), profile="quick"),
    "quantity -1 without a return": Row("CREATE-11", with_line("quantity", -1, rights_type=REFUND), profile="full"),
    "quantity '-1' of the second line": Row("CREATE-11", with_line("quantity", "-1", index=1, lines=2)),
    "quantity '1.5'": Row("CREATE-12", with_line("quantity", "1.5"), profile="quick"),
    "quantity 1.5": Row("CREATE-12", with_line("quantity", 1.5)),
    "quantity '1.9'": Row("CREATE-12", with_line("quantity", "1.9"), profile="full"),
    "quantity 'abc' in the second of two": Row("CREATE-12", with_line("quantity", "abc", index=1, lines=2)),
    "quantity '1abc'": Row("CREATE-12", with_line("quantity", "1abc")),
    "quantity 'NaN'": Row("CREATE-12", with_line("quantity", "NaN")),
    "quantity true": Row("CREATE-12", with_line("quantity", change=True)),
    "quantity in a list": Row("CREATE-12", with_line("quantity", in_a_list)),
    "quantity in an object": Row("CREATE-12", with_line("quantity", lambda value: {"quantity": value}), profile="full"),
    "rightsType '3'": Row("CREATE-35", with_fields("rightsType", change="3"), profile="quick"),
    "rightsType 3": Row("CREATE-35", with_fields("rightsType", change=3), profile="full"),
    "rightsType 0": Row("CREATE-35", with_fields("rightsType", change=0)),
    "rightsType '-1'": Row("CREATE-35", with_fields("rightsType", change="-1"), profile="full"),
    "rightsType 1.5": Row("CREATE-35", with_fields("rightsType", change=1.5), profile="full"),
    "rightsType 'abc'": Row("CREATE-35", with_fields("rightsType", change="abc")),
    "rightsType '1abc'": Row("CREATE-35", with_fields("rightsType", change="1abc")),
    "rightsType true": Row("CREATE-35", with_fields("rightsType", change=True), profile="full"),
    "rightsType in a list": Row("CREATE-35", with_fields("rightsType", change=in_a_list), profile="full"),
    "a good and an unknown line": Row(
        "CREATE-25", with_line("lineItemId", digit_more, index=1, lines=2), "line with a digit more"
    ),
    "an unknown and a good line": Row(
        "CREATE-25", with_line("lineItemId", digit_more, index=0, lines=2), "line with a digit more"
    ),
    "a good line and one of no units": Row(
        "CREATE-25", with_line("quantity", "0", index=1, lines=2), "quantity '0'"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def refused_creates(request: pytest.FixtureRequest, create_bench: Bench) -> Probes:
    """Creates that differ from an accepted one in one thing alone."""
    probes = Probes(create_bench)
    probes.send(wanted(request, REFUSED, create_bench.api))
    return probes


BAD_AMONG_GOOD = [name for name, row in REFUSED.items() if row.requirement == "CREATE-25"]


def is_refused(probes: Probes, row: str) -> bool:
    """Say whether a row was refused and had no effect, as far as it was sent."""
    return row not in probes.sent or (row not in probes.effects and probes.sent[row].refused)


def insist_on_need(probes: Probes, row: str, table: Mapping[str, Row]) -> None:
    """The row that this one needs was refused and had no effect; otherwise this one proves nothing."""
    needs = table[row].needs
    if needs is not None and not is_refused(probes, needs):
        raise Blocked(f"the plain case, {needs}, is already not refused ({table[needs].requirement})")


@pytest.mark.parametrize("row", rows_of(REFUSED))
def test_an_illegal_create_is_refused(refused_creates: Probes, row: str) -> None:
    """A create with one thing wrong is refused, and leaves no refund behind."""
    insist_on_need(refused_creates, row, REFUSED)
    refused_creates.judge(row)


@requirement("CREATE-10")
def test_a_line_of_another_order_is_refused(create_bench: Bench, new_order: NewOrder, refused_creates: Probes) -> None:
    """A line that the customer ordered, but in another order, is refused, alone and after one of the order's own."""
    insist_on_need(refused_creates, BAD_AMONG_GOOD[0], REFUSED)
    api, order = create_bench.api, create_bench.order
    stray = order.stray_line(new_order(*[(5, "10.00")] * (len(order.lines) + 1), customer_id=order.customer_id))
    alone = api.create_refund(order, Part(stray))
    if not all(is_refused(refused_creates, row) for row in BAD_AMONG_GOOD):
        create_bench.judge(alone)
        return  # what becomes of the others is told by CREATE-25
    among_others = api.create_refund(order, Part(order.lines[1]), Part(stray))
    create_bench.judge(among_others if alone.refused else alone)


@requirement("CREATE-01", profile="quick")
def test_a_create_in_the_page_s_shape_makes_a_refund(shop: Shop, shipped_order: Order) -> None:
    """The page's own body, in one of the wire forms of numbers, is accepted, and makes one refund."""
    api = shop.api
    verify.accepted(api.create_refund(shipped_order), "an acceptance (2xx) in any of the wire forms of numbers")

    there = verify.settles(api, lambda: verify.look_list(api, shipped_order), bool, "a refund on the order")
    verify.same(1, len(there), "the number of refunds")


# More units than were ordered.


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


EXCESS_ORDER = ((5, "10.00"), (5, "7.00"), (9, "3.00"))


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
    """Name a line twice, with another one between the two."""
    half = Part(order.line, more_than_half(order.line.quantity))
    return api.create_refund(order, half, Part(order.lines[1]), half)


def twice_in_two_forms(api: RefundApi, order: Order) -> Answer:
    """Name a line twice, the second time with its numbers in the form that is not the usual one."""
    half = Part(order.line, more_than_half(order.line.quantity))
    body, other = api.create_body(order, half), in_other_form(api).create_body(order, half)
    body["refund"]["lineItems"] += other["refund"]["lineItems"]
    return api.create(body)


def one_more_in_the_other_form(api: RefundApi, order: Order) -> Answer:
    """Send one unit too many, with numbers in the form that is not the usual one."""
    return in_other_form(api).create_refund(order, Part(order.line, one_more(order.line.quantity)))


def in_other_form(api: RefundApi) -> RefundApi:
    """Return the same API with numbers in a form other than the usual one."""
    return api.speaking(NUMBERS if api.create_dialect is TEXT else TEXT)


ONE_MORE, SECOND, TWICE = "one unit more than ordered", "one more of the second of three", "twice more than half"
EXCESS: dict[str, Row] = {
    ONE_MORE: Row("CREATE-14", too_many(one_more)),
    "one more in the other form": Row("CREATE-14", one_more_in_the_other_form),
    "one more without a return": Row("CREATE-14", too_many(one_more, rights_type=REFUND, customer_id=ABSENT)),
    SECOND: Row("CREATE-15", one_more_in_the_middle, ONE_MORE),
    "10 of 9": Row("CREATE-16", too_many(lambda bought: 10 ** len(str(bought)), line=2), SECOND),
    "32 bits and 1": Row("CREATE-17", too_many(lambda _: 2**32 + 1), "10 of 9"),
    "64 bits and 1": Row("CREATE-17", too_many(lambda _: 2**64 + 1), "10 of 9"),
    TWICE: Row("CREATE-22", twice_more_than_half, ONE_MORE),
    "twice in two forms": Row("CREATE-22", twice_in_two_forms, TWICE),
}


@pytest.fixture(scope="module")
def excess(request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder) -> Excess:
    """Creates that are valid but for asking for too many units, and the plain one of them in any case."""
    order = new_order(*EXCESS_ORDER)
    excess = Excess(bench=ExcessBench(api, order, new_order=new_order, limits=ordered(order)))
    excess.send({ONE_MORE: partial(EXCESS[ONE_MORE].send, api)} | wanted(request, EXCESS, api))
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


@pytest.mark.parametrize("row", rows_of(EXCESS))
def test_more_units_than_ordered_are_refused(session: Session, excess: Excess, row: str) -> None:
    """A create of too many units is refused or cut down, however it gets there."""
    needs = EXCESS[row].needs
    if needs is not None:
        insist_on_limit(session, excess, needs)
    judge_excess(session, excess, row)


@define
class Stored:
    """A refund of several lines, in another order than the order's: what create answered, and list and get showed."""

    order: Order
    asked: dict[LineItemId, Decimal]
    answer: Answer
    listed: Refunds
    got: Answer | None

    @property
    def refund(self) -> Refund:
        """The refund as list shows it."""
        if len(self.listed) != 1:
            raise Blocked("the refund of several lines is not there (CREATE-28), or more than once (CREATE-01)")
        return next(iter(self.listed.values()))


@pytest.fixture(scope="module")
def stored(api: RefundApi, new_order: NewOrder) -> Stored:
    """A refund of three of four lines, the last one first, with one, two and three digits of units."""
    order = new_order((4, "10.00"), (20, "10.00"), (4, "10.00"), (400, "10.00"))
    parts = [Part(order.lines[3], 321), Part(order.line, order.line.quantity - 1), Part(order.lines[1], 12)]
    answer = api.create_refund(order, *parts)
    answer.exchange.role = "probe"
    got = None
    if answer.accepted and answer.refund is not None:
        if api.wire.lag:
            verify.await_visible(api, order, answer.refund)
        got = api.get_refund(order, answer.refund)
        got.exchange.role = "look"
    asked = {part.line.line_item_id: Decimal(part.quantity) for part in parts}
    return Stored(order, asked, answer, verify.look_list(api, order), got)


@requirement("CREATE-28")
def test_a_create_of_several_lines_refunds_them_and_no_others(stored: Stored) -> None:
    """The lines of the stored refund are those that the request named."""
    verify.accepted(stored.answer)
    verify.holds(bool(stored.listed), "a refund on the order", "none")
    verify.same(sorted(stored.asked), sorted(verify.units_of(stored.refund)), "the lines of the refund")


@requirement("CREATE-29")
def test_the_units_of_each_line_are_stored_as_asked_for(stored: Stored) -> None:
    """3, 12 and 321 units are stored as 3, 12 and 321."""
    if sorted(stored.asked) != sorted(stored.refund.quantities):
        raise Blocked("the refund has other lines than it should (CREATE-28)")
    verify.same(stored.asked, stored.refund.quantities, "the units of each line")


@requirement("CREATE-30")
def test_a_new_refund_is_initiated(stored: Stored) -> None:
    """The status of a new refund is 1; 2 is observed (reading A35)."""
    status = stored.refund.status
    if status is None:
        raise Blocked("the status of the refund cannot be read")
    verify.holds(status in {1, 2}, "status 1 (initiated)", verify.shown(status))


EXTREMES = ("0.01", "9999.00")


@pytest.fixture(scope="module")
def extremes(api: RefundApi, new_order: NewOrder) -> dict[str, Refund]:
    """A refund of a cent and one of thousands, by their prices, as list shows them."""
    opened = OpenRefunds(api, lambda: new_order(*((1, price) for price in EXTREMES)))

    def alone(index: int) -> Placed:
        return opened.put(lambda order: api.create_body(order, Part(order.lines[index])))

    made = {price: alone(index).refund.refund_id for index, price in enumerate(EXTREMES)}
    listed = opened.look()
    return {price: listed[refund_id] for price, refund_id in made.items() if refund_id in listed}


@requirement("CREATE-30")
@pytest.mark.parametrize("price", EXTREMES)
def test_a_new_refund_is_initiated_whatever_its_amount(
    api: RefundApi, stored: Stored, extremes: dict[str, Refund], price: str
) -> None:
    """Neither a refund of a cent nor one of thousands is decided without a review."""
    if stored.refund.status not in {1, 2}:
        raise Blocked("a plain new refund is already not initiated")
    if price not in extremes:
        raise Blocked("the refund is not in the list of its order")
    status = extremes[price].status
    verify.holds(status in {1, 2, None}, "status 1 (initiated)", verify.shown(status))


@requirement("CREATE-31")
def test_the_answer_names_the_refund_that_was_made(stored: Stored) -> None:
    """The id in the answer is the one that list shows, and get finds the refund by it."""
    if stored.answer.refused:
        raise Blocked("a create of several lines is already refused (CREATE-28)")
    told = verify.created(stored.answer).refund_id
    verify.same(stored.refund.refund_id, told, "the id in the answer")
    got = None if stored.got is None or stored.got.refund is None else stored.got.refund.refund_id
    verify.same(told, got, "the id that get shows")


@define
class Claimed:
    """What more units than are left came to: of one line while the refund was pending, of another once approved."""

    limits: dict[LineItemId, int]
    before: Refunds
    while_pending: Answer
    between: Refunds
    approved: Refunds
    once_approved: Answer
    after: Refunds

    def judge_pending(self, session: Session) -> None:
        """The units of the pending refund were used up."""
        stays_within(session, self.limits, self.while_pending, self.before, self.between)

    def judge_approved(self, session: Session) -> None:
        """The units of the approved refund were used up."""
        stays_within(session, self.limits, self.once_approved, self.approved, self.after)


@pytest.fixture(scope="module")
def claimed(api: RefundApi, stored: Stored) -> Claimed:
    """The refund of several lines pending and then approved, each time with a create of a unit too many."""
    order, refund = stored.order, stored.refund
    if refund.quantities != stored.asked:
        raise Blocked("the refund is already of other units than were asked for (CREATE-28, CREATE-29)")
    while_pending = api.create_refund(order, Part(order.line, 2))
    between = verify.look_list(api, order)
    verify.given_review(api, order, refund, Action.APPROVE)
    approved = verify.look_list(api, order)
    left = order.lines[1].quantity - 12
    once_approved = api.create_refund(order, Part(order.lines[1], left + 1))
    after = verify.look_list(api, order)
    return Claimed(ordered(order), stored.listed, while_pending, between, approved, once_approved, after)


@requirement("CREATE-18")
@pytest.mark.usefixtures("limited")
def test_units_of_an_approved_refund_are_used_up(session: Session, claimed: Claimed) -> None:
    """With 12 of 20 units refunded and approved, 9 more are refused or cut down to 8."""
    claimed.judge_approved(session)


@requirement("CREATE-19")
@pytest.mark.usefixtures("limited")
def test_units_of_a_pending_refund_are_used_up(session: Session, claimed: Claimed) -> None:
    """With 3 of 4 units in a pending refund, 2 more are refused or cut down to 1."""
    claimed.judge_pending(session)


@define
class Shipped:
    """An order with one refund without return, and the answers to returns of it.

    ``early`` came before anything else, and before shipment; ``too_many`` asks for all units after it, and ``rest`` for
    those that are left. ``after`` is what list shows in the end.
    """

    order: Order
    first: Refund
    early: Answer
    too_many: Answer
    rest: Answer
    after: Refunds


@pytest.fixture(scope="session")
def shipped(shop: Shop, accepted_create: Refund) -> Shipped:
    """An order that is shipped between its first refund and its second."""
    api, order = shop.api, shop.order(shipped=False)
    early = api.create_refund(order, rights_type=RETURN)
    first = verify.given_refund(api, order, rights_type=REFUND)
    order = shop.ship(order)
    too_many = api.create_refund(order, Part(order.line, order.line.quantity), rights_type=RETURN)
    left = Part(order.line, order.line.quantity - 1)
    rest = api.create_refund(order, left, rights_type=RETURN)
    if too_many.refused and rest.refused and verify.approve_open(api, order):  # it may be in the way (reading A27)
        rest = api.create_refund(order, left, rights_type=RETURN)
    told = set() if rest.refund is None else {rest.refund.refund_id}
    after = verify.patiently(api, lambda: verify.look_list(api, order), lambda seen: told <= seen.keys())
    for answer in (early, too_many, rest):
        answer.exchange.role = "probe"
    return Shipped(order, first, early, too_many, rest, after)


@requirement("SHIP-10")
def test_a_return_is_accepted_once_the_order_is_shipped(shop: Shop, shipped: Shipped) -> None:
    """What was refused before shipment is accepted after it, under a new key, beside a refund that came before it."""
    if not shipped.early.refused:
        raise Blocked("a plain return of an unshipped order is already not refused (SHIP-01)")
    first = shipped.too_many if shipped.too_many.accepted else shipped.rest  # it may be cut down (reading A26)
    if first.refused and single_return_beside_another(shop).accepted:
        raise Blocked("only units that refused creates asked for are not accepted (CREATE-32)")
    refund = verify.created(first)
    verify.holds(refund.refund_id in shipped.after, f"refund {refund.refund_id} in the list", sorted(shipped.after))


def single_return_beside_another(shop: Shop) -> Answer:
    """Return the answer to a return of one unit after others of one unit each, so that some are left in any case."""
    order = shop.order(shipped=False)
    shop.api.create_refund(order, rights_type=RETURN).exchange.role = "probe"
    verify.given_refund(shop.api, order, rights_type=REFUND)
    verify.approve_open(shop.api, order)  # it may be in the way (reading A27)
    answer = shop.api.create_refund(shop.ship(order), rights_type=RETURN)
    answer.exchange.role = "control"
    return answer


@requirement("CREATE-42")
@pytest.mark.usefixtures("limited")
def test_units_refunded_before_shipment_are_used_up_after_it(
    session: Session, claimed: Claimed, series: "Series", shipped: Shipped
) -> None:
    """With 1 of 5 units in a refund made before shipment, 5 more are refused after it, or cut down to 4."""
    try:
        claimed.judge_pending(session)
    except Failed:
        raise Blocked("the units of a pending refund are already not used up (CREATE-19)") from None
    try:
        series.judge_last_unit(session)
    except Failed:
        raise Blocked("the units of a refund without return are already not used up (CREATE-21)") from None
    known = {refund.refund_id for refund in (shipped.first, shipped.rest.refund) if refund is not None}
    single = {shipped.order.line.line_item_id: Decimal(1)}
    early = [key for key, refund in shipped.after.items() if key not in known and refund.quantities == single]
    if early or not shipped.early.refused:
        raise Blocked("a plain return of an unshipped order is already not refused (SHIP-01)")
    if shipped.too_many.refused and shipped.rest.refused:
        raise Blocked("even the units that are left are refused (SHIP-10)")
    before = {refund_id: refund for refund_id, refund in shipped.after.items() if refund_id in known}
    stays_within(session, ordered(shipped.order), shipped.too_many, before, shipped.after)


@define
class Later:
    """One unit more of an order that was refunded as a whole seconds ago, and its refunds afterwards."""

    one_more: Answer
    after: Refunds

    def judge(self, session: Session, whole: "Whole") -> None:
        """The unit was refused."""
        if not whole.one_more.refused:
            raise Blocked("one unit more is already not refused right away (CREATE-38)")
        known = dict(whole.after)
        second = whole.second.refund
        if second is not None and second.refund_id in self.after:  # it may not have been listed before (reading A64)
            known.setdefault(second.refund_id, second)
        before = {refund_id: self.after.get(refund_id, was) for refund_id, was in known.items()}  # REVIEW judges these
        stays_within(session, ordered(whole.order), self.one_more, before, self.after)


@pytest.fixture(scope="session")
def later(api: RefundApi, whole: "Whole") -> Later:
    """The order that was refunded as a whole, seconds later."""
    api.wire.clock.sleep(max(0.0, whole.at + LONG - api.wire.clock.monotonic()))
    return Later(api.create_refund(whole.order), verify.look_list(api, whole.order))


@requirement("CREATE-19", late=True)
@pytest.mark.usefixtures("limited")
def test_units_of_a_refund_that_is_pending_for_long_are_used_up(session: Session, whole: "Whole", later: Later) -> None:
    """Seconds after all units of an order went into a pending refund, one more is refused."""
    later.judge(session, whole)


@requirement("REVIEW-31", late=True)
def test_a_rejection_of_the_whole_order_stands_seconds_later(whole: "Whole", later: Later) -> None:
    """What was canceled after the creates that followed the rejection is canceled still."""
    canceled = {key for key, refund in whole.after.items() if refund.status is RefundStatus.CANCELED}
    if not canceled:
        raise Blocked("no refund of the whole order was seen canceled (REVIEW-02)")
    revived = [refund for key, refund in later.after.items() if key in canceled and refund.status not in CLOSED]
    verify.holds(not revived, "the refund still canceled", verify.shown(revived))


@define
class Whole:
    """All units of an order in one refund, then rejected twice and asked for again, then one unit more.

    ``at`` is the moment after they were asked for again, in seconds of the wire's clock.
    """

    order: Order
    answer: Answer
    listed: Refunds
    second: Answer
    at: float
    before: Refunds
    one_more: Answer
    after: Refunds


@pytest.fixture(scope="session")
def whole(api: RefundApi, new_order: NewOrder) -> Whole:
    """All units refunded at once, rejected twice, refunded again."""
    order = new_order((5, "10.00"), (3, "7.00"))
    everything = [Part(line, line.quantity) for line in order.lines]
    answer = api.create_refund(order, *everything)
    answer.exchange.role = "probe"
    listed = verify.look_list(api, order)
    for refund in listed.values():
        if refund.status in verify.FINAL:
            continue  # it was never open (CREATE-30)
        verify.given_review(api, order, refund, Action.REJECT)
        api.review_refund(order, refund, Action.REJECT).exchange.role = "open"
    second = api.create_refund(order, *everything)
    second.exchange.role = "probe"
    at = api.wire.clock.monotonic()
    before = verify.look_list(api, order)
    return Whole(order, answer, listed, second, at, before, api.create_refund(order), verify.look_list(api, order))


@requirement("CREATE-24")
def test_all_units_can_be_refunded_at_once(whole: Whole) -> None:
    """All that was ordered is accepted in one refund."""
    verify.accepted(whole.answer)
    verify.holds(bool(whole.listed), "a refund on the order", "none")


@requirement("CREATE-30")
def test_a_refund_of_a_whole_order_is_initiated(stored: Stored, whole: Whole) -> None:
    """A refund of all units is no more decided without a review than one of a single unit."""
    if stored.refund.status not in {1, 2}:
        raise Blocked("a plain new refund is already not initiated")
    statuses = {refund.status for refund in whole.listed.values()}
    verify.holds(statuses <= {1, 2, None}, "status 1 (initiated)", verify.shown(statuses))


@requirement("CREATE-38")
@pytest.mark.usefixtures("limited")
def test_a_rejection_gives_units_back_once_at_most(session: Session, whole: Whole, claimed: Claimed) -> None:
    """After a rejection the units are free again or stay used up (reading A33); one more than ordered is refused."""
    if not whole.listed:
        raise Blocked("all units at once are already refused (CREATE-24)")
    try:
        claimed.judge_pending(session)
    except Failed:
        raise Blocked("the units of a pending refund are already not used up (CREATE-19)") from None
    again = "free again" if whole.second.accepted else "still used up"
    session.observe("A33", f"the units of a rejected refund are {again}")
    if whole.second.accepted:
        second = whole.second.refund
        reused = second is not None and second.refund_id in whole.listed
        verify.holds(not reused, "a new refund after the rejection", verify.shown(second))
        if not whole.before.keys() - whole.listed.keys():
            raise Blocked("a second refund of the order is already not there (CREATE-20)")
        stays_within(session, ordered(whole.order), whole.one_more, whole.before, whole.after)


@define
class Series:
    """Three refunds of a line to its last unit, each approved before the next; then one unit more, and another line.

    ``at`` is the moment after that, in seconds of the wire's clock.
    """

    order: Order
    answers: list[Answer]
    lost: list[str]
    before: Refunds
    other_line: Answer
    one_more: Answer
    after: Refunds
    at: float

    def insist(self) -> None:
        """The three were accepted; otherwise what came after them proves nothing."""
        if self.lost or not all(answer.accepted for answer in self.answers):
            raise Blocked("three refunds one after another are already not accepted (CREATE-20)")

    def judge_last_unit(self, session: Session) -> None:
        """Nothing was left of the line, some of whose units were refunded without a return."""
        stays_within(session, ordered(self.order), self.one_more, self.before, self.after)


@pytest.fixture(scope="session")
def series(api: RefundApi, new_order: NewOrder) -> Series:
    """A line of five units refunded by 1, 2 and 2, once without a return.

    With these prices the sum of the parts is greater than the whole, to whoever adds up in floating point.
    """
    order = new_order((5, "1.01"), (3, "0.10"))
    answers: list[Answer] = []
    lost: list[str] = []
    for quantity, rights_type in ((1, RETURN), (2, REFUND), (order.line.quantity - 3, RETURN)):
        answer = api.create_refund(order, Part(order.line, quantity), rights_type=rights_type)
        if answer.refused and verify.approve_open(api, order):  # what is in process may be in the way (reading A27)
            answer = api.create_refund(order, Part(order.line, quantity), rights_type=rights_type)
        answer.exchange.role = "probe"
        answers.append(answer)
        lost += approved_or_lost(api, order, answer)
    before = verify.look_list(api, order)
    one_more = api.create_refund(order)
    after = verify.look_list(api, order)
    second = order.lines[1]
    other_line = api.create_refund(order, Part(second, second.quantity))
    other_line.exchange.role = "probe"
    return Series(order, answers, lost, before, other_line, one_more, after, api.wire.clock.monotonic())


@define
class Overdue:
    """The rejection of a refund of the series seconds after its approval, one unit more of its line, and what is then.

    What became of the other line is left out.
    """

    refund_id: RefundId
    rejection: Answer
    once_again: Answer
    after: Refunds

    def insist(self, series: Series) -> None:
        """The others of the series, which nobody rejected, are still as they were approved."""
        for refund_id, was in series.after.items():
            now = self.after.get(refund_id, was)
            if refund_id != self.refund_id and was.status is RefundStatus.COMPLETED is not now.status:
                raise Blocked("what was approved is already not approved any more (REVIEW-30)")


@pytest.fixture(scope="session")
def overdue(api: RefundApi, series: Series) -> Overdue:
    """The refund without a return, rejected too late; where there is none, nothing is judged."""
    order, told = series.order, series.answers[1].refund
    refund_id = RefundId("0") if told is None else told.refund_id
    api.wire.clock.sleep(max(0.0, series.at + LONG - api.wire.clock.monotonic()))
    rejection = api.review_refund(order, refund_id, Action.REJECT)
    rejection.exchange.role = "open"
    once_again, after = api.create_refund(order), verify.look_list(api, order)
    if series.other_line.refund is not None:
        after.pop(series.other_line.refund.refund_id, None)
    return Overdue(refund_id, rejection, once_again, after)


def approved_or_lost(api: RefundApi, order: Order, answer: Answer) -> list[str]:
    """Approve a refund that was created, unless it already is; return its id if it is not there."""
    refund = answer.refund
    if not answer.accepted or refund is None:
        return []
    if api.wire.lag:
        verify.await_visible(api, order, refund)
    if refund.status in {RefundStatus.COMPLETED, RefundStatus.CANCELED}:
        return []
    try:
        verify.given_review(api, order, refund, Action.APPROVE)
    except Blocked:
        if refund.refund_id in verify.look_list(api, order):
            raise
        return [refund.refund_id]
    return []


@requirement("CREATE-20")
def test_partial_refunds_one_after_another_reach_the_last_unit(series: Series, whole: Whole) -> None:
    """Three partial refunds, each approved before the next, are accepted up to the last unit."""
    if not whole.answer.accepted:
        raise Blocked("all units at once are already refused (CREATE-24)")
    for answer in series.answers:
        verify.accepted(answer)
    verify.holds(not series.lost, "three refunds on the order", f"without {', '.join(series.lost)}")
    for refund in series.before.values():
        verify.units_of(refund)
    line = series.order.line
    refunded = units(series.before.values()).get(line.line_item_id, 0)
    verify.holds(refunded >= line.quantity, f"all {line.quantity} units of the line refunded", refunded)


@requirement("CREATE-21")
@pytest.mark.usefixtures("limited")
def test_nothing_is_left_after_the_last_unit(session: Session, series: Series, claimed: Claimed) -> None:
    """After three refunds to the last unit, one of them without a return, one unit more is refused."""
    series.insist()
    try:
        claimed.judge_approved(session)
    except Failed:
        raise Blocked("the units of one approved refund are already not used up (CREATE-18)") from None
    series.judge_last_unit(session)


@requirement("CREATE-41", late=True)
@pytest.mark.usefixtures("limited")
def test_a_rejection_that_comes_too_late_gives_nothing_back(session: Session, series: Series, overdue: Overdue) -> None:
    """Rejecting one of three approved refunds frees none of its units, unless it cancels it (reading A39)."""
    series.insist()
    overdue.insist(series)
    if series.after.keys() != series.before.keys():
        raise Blocked("one unit more already goes through (CREATE-21)")
    told = overdue.rejection.refund if overdue.rejection.accepted else None  # it may not show yet (reading A64)
    now = overdue.after.get(overdue.refund_id)
    if any(seen is not None and seen.status is RefundStatus.CANCELED for seen in (told, now)):
        session.observe("A39", "a refund can be rejected after its approval")
        return
    before = dict(series.after)  # whether the late rejection moved its update time is REVIEW-17's
    if overdue.refund_id in before:
        before[overdue.refund_id] = evolve(before[overdue.refund_id], update_time=None)
    stays_within(session, ordered(series.order), overdue.once_again, before, overdue.after)


@requirement("REVIEW-17", late=True)
def test_a_completed_refund_without_return_is_not_cancelled(series: Series, overdue: Overdue) -> None:
    """A rejection, seconds later, comes too late for it; what is in process is not judged (reading A39)."""
    series.insist()
    overdue.insist(series)
    was, now = (refunds.get(overdue.refund_id) for refunds in (series.after, overdue.after))
    if was is None or now is None:
        raise Blocked("the refund without return is not in the list of its order (CREATE-20)")
    if was.status is RefundStatus.COMPLETED:
        verify.holds(now.status in {RefundStatus.COMPLETED, None}, "the refund still completed", verify.shown(now))


@requirement("CREATE-30")
def test_a_new_refund_without_return_is_initiated(stored: Stored, series: Series) -> None:
    """The type makes no difference."""
    plain = {stored.refund.status, None if stored.answer.refund is None else stored.answer.refund.status}
    if not plain <= {1, 2}:
        raise Blocked("a plain new refund is already not initiated, or not said to be (RECORD-76)")
    told = series.answers[1].refund
    if told is None:
        raise Blocked("a refund without return is already not accepted (CREATE-20)")
    verify.holds(told.status in {1, 2, None}, "status 1 (initiated)", verify.shown(told))


@requirement("CREATE-39")
def test_lines_do_not_share_their_units(series: Series) -> None:
    """With every unit of the first line refunded, all of the second are accepted."""
    series.insist()
    verify.accepted(series.other_line)


# Creates that are legal, or may be.


@define
class Grants:
    """Creates on one roomy order, sent one after another after a plain one, with one look after the last.

    ``at`` is the moment after the plain one, in seconds of the wire's clock.

    A target may refuse a second refund while one is open (reading A27): then each is looked at and approved at once.
    """

    api: RefundApi
    order: Order
    plain: Refund
    at: float
    sent: dict[str, Answer] = field(factory=dict)
    stored: Refunds = field(factory=dict)
    second: Answer | None = None

    def send(self, creates: Mapping[str, Send]) -> None:
        """Send every create; afterwards each can be judged by its name."""
        api, order = self.api, self.order
        one_at_a_time = self.second_is_refused()
        for name, send in creates.items():
            answer = self.sent[name] = send(api, order)
            answer.exchange.role = "probe"
            answer.exchange.batched = answer.exchange.exempt = True
            if one_at_a_time and answer.accepted and answer.refund is not None:
                now = verify.look_get(api, order, answer.refund)
                self.stored[now.refund_id] = now
                verify.given_review(api, order, now, Action.APPROVE)
        self.stored = verify.look_list(api, order, role="open") | self.stored

    def second_is_refused(self) -> bool:
        """Say whether a plain refund is refused while another is open; if so, none is open afterwards."""
        second = self.second = self.api.create_refund(self.order)
        second.exchange.role = "arrange"
        if second.refused:
            verify.approve_open(self.api, self.order)
        return second.refused

    def of(self, row: str) -> tuple[Answer, Refund | None]:
        """Return the answer to a create, and the refund that it made."""
        answer = self.sent[row]
        self.api.wire.show(answer.exchange)
        return answer, None if answer.refund is None else self.stored.get(answer.refund.refund_id)

    def made(self, row: str) -> Refund:
        """The create was accepted, and the refund is there."""
        answer, refund = self.of(row)
        if answer.refused and self.api.create_refund(self.order).refused:
            raise Blocked("even a plain create is refused on an order with several refunds (CREATE-20)")
        verify.accepted(answer)
        second = None if self.second is None else self.second.refund
        if second is not None and second.refund_id not in self.stored:
            raise Blocked("a plain second refund of the order is already not there (CREATE-20)")
        if refund is None:
            raise Failed("the refund in the list of its order", answer.described)
        return refund

    def made_or_refused(self, row: str) -> Refund | None:
        """The create was accepted, and the refund is there; or it was refused."""
        answer, _ = self.of(row)
        return None if answer.refused else self.made(row)


@pytest.fixture(scope="session")
def last_grant(grants: Grants) -> Answer:
    """The answer to a plain create on the roomy order, seconds after all others on it."""
    api, order = grants.api, grants.order
    api.wire.clock.sleep(max(0.0, grants.at + LONG - api.wire.clock.monotonic()))
    answer = api.create_refund(order)
    if answer.refused and verify.approve_open(api, order):  # one open refund at a time is legal (reading A27)
        answer = api.create_refund(order)
    answer.exchange.role = "probe"
    return answer


@requirement("CREATE-20", late=True)
def test_an_order_takes_many_refunds(grants: Grants, last_grant: Answer, new_order: NewOrder) -> None:
    """As long as there are units left, a plain create is accepted, however many refunds there are already."""
    if not last_grant.accepted:
        verify.control(grants.api.create_refund(new_order()))
    verify.accepted(last_grant)


@requirement("CREATE-21", late=True)
@pytest.mark.usefixtures("limited")
def test_units_of_many_refunds_are_used_up(
    session: Session, grants: Grants, last_grant: Answer, series: Series, whole: Whole, later: Later
) -> None:
    """However many refunds an order has, the units of all of them count: one more than are left is refused."""
    try:
        later.judge(session, whole)
        series.judge_last_unit(session)
    except Failed:
        raise Blocked("the units of few refunds are already not used up (CREATE-19, CREATE-21)") from None
    api, order = grants.api, grants.order
    stored = many_of(api, order, grants.stored, MANY)
    refunded = units(stored.values()).get(order.line.line_item_id, Decimal(0))
    refunded += last_grant.accepted and stored is grants.stored  # it came after they were looked at
    api.create_refund(order, Part(order.line, order.line.quantity - int(refunded) + 1)).exchange.role = "probe"
    sums = units(verify.look_list(api, order).values())
    over = {line: quantity for line, quantity in sums.items() if quantity > ordered(order).get(line, 0)}
    verify.same({}, over, "units refunded beyond what was ordered")


@requirement("RECORD-68", late=True)
def test_a_later_refund_of_an_order_was_created_later(grants: Grants, last_grant: Answer) -> None:
    """A refund that is created seconds after the first of its order has a createTime of its own."""
    if last_grant.exchange.second_hand:
        raise Blocked("the create is answered with an earlier refund (IDEM-20)")
    first, last = grants.plain.create_time, None if last_grant.refund is None else last_grant.refund.create_time
    if first is None or last is None:
        raise Blocked(f"no createTime of one of them can be read: {last_grant.described}")
    if all(time.second == time.microsecond == 0 for time in (first, last)):
        return  # times are given to the minute (reading A08)
    verify.holds(last > first, f"a createTime after {first.isoformat()}", last.isoformat())


EMPTY_SHIPPING = {"shippingCarrierCode": "", "shippingCarrier": "", "trackingNumber": ""}
RECORD = {"refundId": "424242424242", "createTime": "2001-02-03T04:05:06Z", "updateTime": "2001-02-03T04:05:06Z"}


def completed(api: RefundApi) -> dict[str, Any]:
    """Return what only a completed refund has."""
    return RECORD | {"status": api.create_dialect.wire("rightsType", 3)}


def smuggling(make: Callable[[RefundApi], dict[str, Any]]) -> Send:
    """Return a create that is valid but for fields that are not the client's."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order)
        body["refund"] |= make(api)
        return api.create(body)

    return send


def naming_a_refund(api: RefundApi, order: Order) -> Answer:
    """Send a create that names the order's first open refund."""
    body = api.create_body(order)
    there = (made.id for made in api.ledger.open_refunds if made.order == order.order_id)
    body["refund"]["refundId"] = api.create_dialect.wire("orderId", next(there, RECORD["refundId"]))
    return api.create(body)


def spoken_otherwise(api: RefundApi, order: Order) -> Answer:
    """Send two units with numbers in the form that is not the usual one."""
    other = in_other_form(api)
    return other.create_refund(order, Part(order.line, 2))


def twice_within(api: RefundApi, order: Order) -> Answer:
    """Send a line twice, with two units each time."""
    return api.create_refund(order, Part(order.line, 2), Part(order.line, 2))


def nine_of_ten(api: RefundApi, order: Order) -> Answer:
    """Send nine units of the line that has ten."""
    return api.create_refund(order, Part(order.lines[-1], 9))


GRANTED: dict[str, Row] = {
    "no customerId": Row("CREATE-33", with_fields("customerId")),
    "no rightsType": Row("CREATE-33", with_fields("rightsType")),
    "no shipping, customerId, rightsType": Row("CREATE-33", with_fields("customerId", "rightsType")),
    "empty shipping": Row("CREATE-36", with_fields(shipping=EMPTY_SHIPPING)),
}
FEWER = {"9 of 10 units": Row("CREATE-16", nine_of_ten)}
OPEN: dict[str, Row] = {
    "rightsType null": Row("CREATE-34", with_fields("rightsType", change=None)),
    "rightsType empty": Row("CREATE-34", with_fields("rightsType", change="")),
    "numbers in the other form": Row("CREATE-37", spoken_otherwise),
    "a line twice within its units": Row("CREATE-23", twice_within),
    "another customer's id": Row("CREATE-40", with_fields("customerId", change=digit_more)),
    "a line without a reason": Row("CREATE-40", with_line("rightsReason")),
    "the record smuggled": Row("CREATE-26", smuggling(completed)),
    "the id of another refund": Row("CREATE-26", naming_a_refund),
    "amount above": Row("CREATE-27", smuggling(lambda _: {"amount": "999999.99"})),
    "amount below zero": Row("CREATE-27", smuggling(lambda _: {"amount": "-5.00"})),
    "quantity missing": Row("CREATE-13", with_line("quantity", line=1)),
    "quantity null": Row("CREATE-13", with_line("quantity", None, line=2)),
    "quantity empty": Row("CREATE-13", with_line("quantity", "", line=3)),
    "lineItems empty": Row("CREATE-05", with_fields("lineItems", change=[])),
}


def rows_for(identifier: str) -> pytest.MarkDecorator:
    """Return the open rows of a requirement as parameters of its check."""
    rows = {name: row for name, row in OPEN.items() if row.requirement == identifier}
    return pytest.mark.parametrize("row", rows_of(rows))


@pytest.fixture(scope="session")
def grants(request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder) -> Grants:
    """Creates that are legal, or whose outcome is open, on a shared order."""
    order = new_order((99, "10.00"), *[(5, "10.00")] * 3, (10, "10.00"))
    plain = verify.given_refund(api, order)
    grants = Grants(api, order, plain, api.wire.clock.monotonic())
    grants.send({name: row.send for name, row in selected_rows(request, GRANTED | FEWER | OPEN).items()})
    return grants


@pytest.mark.parametrize("row", rows_of(GRANTED))
def test_what_the_page_leaves_optional_is_optional(grants: Grants, row: str) -> None:
    """A create without optional fields, or with the sample's empty ones, is accepted, and the refund is there."""
    grants.made(row)


@pytest.mark.parametrize("row", rows_of(FEWER))
@pytest.mark.usefixtures("limited")
def test_fewer_units_than_ordered_are_accepted(grants: Grants, series: Series, row: str) -> None:
    """A number with fewer digits is the smaller one, whatever its first digit."""
    if series.other_line.refused:
        raise Blocked("the units of other lines are already counted, too (CREATE-39)")
    grants.made(row)


@rows_for("CREATE-34")
def test_an_empty_type_is_the_default_or_refused(session: Session, grants: Grants, row: str) -> None:
    """Null and empty text are no third type: they are taken for type 1, or refused (reading A34)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.same(RETURN, refund.rights_type, "the type of the refund")
    else:
        session.observe("A34", f"{row} is refused")


@rows_for("CREATE-37")
def test_numbers_in_the_other_form_mean_the_same(grants: Grants, row: str) -> None:
    """Numbers in the form that is not the usual one are refused, or refund the same (reading A01)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.same({grants.order.line.line_item_id: Decimal(2)}, verify.units_of(refund), "the units of each line")
        verify.same(RETURN, refund.rights_type, "the type of the refund")


@rows_for("CREATE-23")
def test_a_line_named_twice_is_added_up_or_refused(session: Session, grants: Grants, row: str) -> None:
    """Two units and two more of one line are refused, or four units and their price (reading A28)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.same({grants.order.line.line_item_id: Decimal(4)}, verify.units_of(refund), "the units of each line")
        if grants.plain.amount == grants.order.line.unit_price and refund.amount is not None:
            verify.same(4 * grants.plain.amount, refund.amount, "the amount of four units")
    else:
        session.observe("A28", "a line that is named twice is refused")


@rows_for("CREATE-26")
def test_nobody_sets_status_id_or_times(grants: Grants, row: str) -> None:
    """A create with fields of the record in it is refused, or makes a refund without them (reading A30)."""
    if grants.plain.status is RefundStatus.COMPLETED:
        raise Blocked("a new refund is already not initiated (CREATE-30)")
    refund = grants.made_or_refused(row)
    if refund is not None:
        verify.holds(refund.status is not RefundStatus.COMPLETED, "a new refund", verify.shown(refund))
        named = {RECORD["refundId"], grants.plain.refund_id}
        verify.holds(refund.refund_id not in named, "an id that the target chose", refund.refund_id)
        years = [time.year for time in (refund.create_time, refund.update_time) if time is not None]
        verify.holds(2001 not in years, "times that the target chose", years)


@rows_for("CREATE-27")
def test_nobody_sets_an_amount_beyond_what_was_paid(session: Session, grants: Grants, row: str) -> None:
    """An amount in the request is refused, ignored, or believed within what can be refunded (reading A25)."""
    refund = grants.made_or_refused(row)
    if refund is None:
        return session.observe("A25", f"a create with an {row} is refused")
    if refund.amount is None:
        raise Blocked("the amount of the refund cannot be read")
    total = grants.order.total
    return verify.holds(0 <= refund.amount <= total, f"an amount from 0 to {total}", refund.amount)


@rows_for("CREATE-13")
def test_a_create_without_a_quantity_refunds_what_can_be(session: Session, grants: Grants, row: str) -> None:
    """Without a quantity a create is refused, or refunds one unit or more, up to all (reading A10)."""
    refund = grants.made_or_refused(row)
    if refund is not None:
        counts = list(verify.units_of(refund).values())
        most = grants.order.lines[1].quantity
        legal = len(counts) == 1 and 1 <= counts[0] <= most and counts[0] == int(counts[0])
        verify.holds(legal, f"one line with 1 to {most} units", counts)
    session.observe("A10", f"a create with {row} is {'refused' if refund is None else 'accepted'}")


@rows_for("CREATE-05")
def test_an_empty_list_refunds_nothing(session: Session, grants: Grants, row: str) -> None:
    """A create of no lines is refused, or makes a refund of nothing (reading A29)."""
    answer, refund = grants.of(row)
    if refund is not None:
        nothing = not units([refund]) and not refund.amount
        verify.holds(nothing, "a refund of no units and no money", f"{refund.quantities}, amount {refund.amount}")
    verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)
    if answer.refused:
        session.observe("A29", "a create without lines is refused")


@requirement("CREATE-05")
def test_an_empty_list_on_a_fresh_order_does_not_mean_all_of_it(
    api: RefundApi, shipped_order: Order, accepted_create: Refund
) -> None:
    """Where everything could still be refunded, a create of no lines refunds none of it."""
    body = api.create_body(shipped_order)
    body["refund"]["lineItems"] = []
    answer = api.create(body)
    answer.exchange.role = "open"

    there = verify.look_list(api, shipped_order, role="open")
    taken = [(refund.quantities, refund.amount) for refund in there.values() if units([refund]) or refund.amount]
    verify.same([], taken, "units and money refunded")


@rows_for("CREATE-40")
def test_what_is_open_is_observed(session: Session, grants: Grants, row: str) -> None:
    """Whether another customer's id, or a line without a reason, is accepted is open (readings A12 and A15)."""
    answer, _ = grants.of(row)
    verify.holds(answer.status < 500, "an acceptance or a refusal", answer.described)
    reading = "A15" if row == "another customer's id" else "A12"
    session.observe(reading, f"{row} is {'accepted' if answer.accepted else 'refused'}")


# What was refused leaves no trace.


@requirement("CREATE-32", late=True)
def test_refused_creates_use_up_nothing(create_bench: Bench, whole: Whole) -> None:
    """After all illegal creates on an order, all its units can be refunded at once."""
    everything_is_left(create_bench, whole)


@requirement("CREATE-32")
def test_refused_creates_of_too_many_units_use_up_nothing(session: Session, excess: Excess, whole: Whole) -> None:
    """After all creates of too many units on an order, all its units can be refunded at once."""
    insist_on_limit(session, excess)
    if not excess.effects:  # where they are cut down (reading A26) they use up units, as they should
        everything_is_left(excess.bench, whole)


def everything_is_left(bench: Bench, whole: Whole) -> None:
    """All units of the bench's order are accepted in one refund."""
    if not whole.answer.accepted:
        raise Blocked("all units at once are already refused (CREATE-24)")
    api, order = bench.api, bench.order
    if bench.look():
        raise Blocked("a create that should have been refused already had an effect")
    everything = api.create_refund(order, *(Part(line, line.quantity) for line in order.lines))
    if not (everything.accepted or everything.refused):
        raise Blocked("a create that was neither accepted nor refused tells nothing of units (ROBUST-20)")
    verify.accepted(everything)
