"""Orders that something happened to, each arranged once for all checks that look at it."""

from decimal import Decimal

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, LineItemId, Order, Refund, RefundStatus, RightsType
from conformance.outcome import Blocked
from conformance.running.plugin import of_each_worker
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.benches import Bench, NewOrder
from conformance.suite.given.creates import REFUND, RETURN
from conformance.suite.given.units import Refunds, ordered, stays_within


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


@pytest.fixture(scope="session")
@of_each_worker
def stored(api: RefundApi, new_order: NewOrder) -> Stored:
    """A refund of four of five lines, the last one first, with one to four digits of units."""
    order = new_order((4, "10.00"), (20, "10.00"), (4, "10.00"), (400, "10.00"), (2000, "10.00"))
    parts = [
        Part(order.lines[4], 1321), Part(order.lines[3], 321), Part(order.line, order.line.quantity - 1),
        Part(order.lines[1], 12),
    ]  # fmt: skip
    answer = api.create_refund(order, *parts)
    answer.exchange.role = "probe"
    got = None
    if answer.accepted and answer.refund is not None:
        arrange.await_visible(api, order, answer.refund)
        got = api.get_refund(order, answer.refund)
        got.exchange.role = "look"
    asked = {part.line.line_item_id: Decimal(part.quantity) for part in parts}
    return Stored(order, asked, answer, verify.look_list(api, order), got)


@define
class Shipped:
    """An order with one refund without return, approved before it was shipped, and the answers to returns of it.

    ``early`` came before anything else, and before shipment; ``too_many`` asks for all units after it, and ``rest``,
    which names no type, for those that are left. ``again`` is ``early`` once more, when nothing is left. ``after`` is
    what list shows in the end.
    """

    order: Order
    first: Refund
    approval: Answer
    early: Answer
    too_many: Answer
    rest: Answer
    again: Answer
    after: Refunds


@pytest.fixture(scope="session")
@of_each_worker
def shipped(shop: Shop, accepted_create: Refund) -> Shipped:
    """An order that is shipped between its first refund and its second."""
    api, order = shop.api, shop.order(shipped=False)
    too_early = api.create_body(order, rights_type=RETURN)
    early = api.create(too_early)
    first = arrange.given_refund(api, order, rights_type=REFUND)
    approval = api.review_refund(order, first, Action.APPROVE)
    approval.exchange.role = "arrange"
    order = shop.ship(order)
    all_of_it, left = Part(order.line, order.line.quantity), Part(order.line, order.line.quantity - 1)

    def too_many_and_the_rest() -> tuple[Answer, Answer]:
        first = api.create_refund(order, all_of_it, rights_type=RETURN)
        return first, api.create_refund(order, left, rights_type=ABSENT)

    too_many, rest = too_many_and_the_rest()
    if rest.refused and shop.learns_late_of_shipment():
        too_many, rest = too_many_and_the_rest()
    if too_many.refused and rest.refused and arrange.approve_open(api, order):  # it may be in the way (reading A27)
        rest = api.create_refund(order, left, rights_type=ABSENT)
    again = api.create(too_early)
    told = {answer.refund.refund_id for answer in (rest, again) if answer.refund is not None}
    after = verify.patiently(api, lambda: verify.look_list(api, order), lambda seen: told <= seen.keys())
    for answer in (early, too_many, rest, again):
        answer.exchange.role = "probe"
    return Shipped(order, first, approval, early, too_many, rest, again, after)


@define
class Whole:
    """All units of an order in one refund, then rejected twice and asked for again, then one unit more.

    ``at`` is the moment after they were asked for again, in seconds of the wire's clock. Where they were refused and
    a single unit is not, ``rest`` asks for all the others.
    """

    order: Order
    answer: Answer
    listed: Refunds
    second: Answer
    at: float
    before: Refunds
    one_more: Answer
    rest: Answer | None
    after: Refunds


@pytest.fixture(scope="session")
@of_each_worker
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
        arrange.given_review(api, order, refund, Action.REJECT)
        api.review_refund(order, refund, Action.REJECT).exchange.role = "open"
    second = api.create_refund(order, *everything)
    second.exchange.role = "probe"
    at = api.wire.clock.monotonic()
    before = verify.look_list(api, order)
    one_more = api.create_refund(order)
    rest = rest_after(api, order, one_more) if second.refused else None
    return Whole(order, answer, listed, second, at, before, one_more, rest, verify.look_list(api, order))


def rest_after(api: RefundApi, order: Order, one_more: Answer) -> Answer | None:
    """Ask for one unit of the second line, too, and for all the others of the order if either was accepted."""
    other = api.create_refund(order, Part(order.lines[1]))
    other.exchange.role = "probe"
    if not (one_more.accepted or other.accepted):
        return None
    taken = [int(answer.accepted) for answer in (one_more, other)]
    parts = [Part(line, line.quantity - gone) for line, gone in zip(order.lines, taken, strict=True)]
    rest = api.create_refund(order, *parts)
    if rest.refused and arrange.approve_open(api, order):  # what is open may be in the way (reading A27)
        rest = api.create_refund(order, *parts)
    rest.exchange.role = "probe"
    return rest


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
        if self.taken_for_replay:
            raise Blocked("an equal body under another key is already no refund of its own (IDEM-20)")

    @property
    def taken_for_replay(self) -> bool:
        """Whether the third, which is equal to the second but for its key, was answered with that one."""
        second, third = (answer.refund for answer in self.answers[1:])
        return second is not None and third is not None and second.refund_id == third.refund_id

    @property
    def without_return(self) -> Answer:
        """The answer to the second of the three."""
        return self.answers[1]

    @property
    def type_without_return(self) -> RightsType | None:
        """The type that list shows of the second of the three, as far as it is there and can be read."""
        told = self.without_return.refund
        there = None if told is None else self.after.get(told.refund_id)
        return None if there is None else there.rights_type

    def judge_last_unit(self, session: Session) -> None:
        """Nothing was left of the line, some of whose units were refunded without a return."""
        stays_within(session, ordered(self.order), self.one_more, self.before, self.after)


@pytest.fixture(scope="session")
@of_each_worker
def series(api: RefundApi, new_order: NewOrder) -> Series:
    """A line of five units refunded by 1, by 2 without a return, and by 2 again with an equal body.

    With these prices the sum of the parts is greater than the whole, to whoever adds up in floating point.
    """
    order = new_order((5, "1.01"), (3, "0.10"))
    answers: list[Answer] = []
    lost: list[str] = []
    for quantity, rights_type in ((1, RETURN), (2, REFUND), (order.line.quantity - 3, REFUND)):
        answer = api.create_refund(order, Part(order.line, quantity), rights_type=rights_type)
        if answer.refused and arrange.approve_open(api, order):  # what is in process may be in the way (reading A27)
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


def approved_or_lost(api: RefundApi, order: Order, answer: Answer) -> list[str]:
    """Approve a refund that was created, unless it already is; return its id if it is not there."""
    refund = answer.refund
    if not answer.accepted or refund is None:
        return []
    arrange.await_visible(api, order, refund)
    if refund.status in {RefundStatus.COMPLETED, RefundStatus.CANCELED}:
        return []
    try:
        arrange.reviewed(api, order, refund, Action.APPROVE)
    except Blocked:
        if refund.refund_id in verify.look_list(api, order):
            raise
        return [refund.refund_id]
    return []


def insist_on_a_decision(create: Answer) -> None:
    """A create was accepted or refused.

    Raises:
        Blocked: it was neither, which tells nothing of units.
    """
    if not (create.accepted or create.refused):
        raise Blocked(f"a create was neither accepted nor refused (ROBUST-20): {create.described}")


def everything_is_left(bench: Bench, whole: Whole) -> None:
    """All units of the bench's order are accepted in one refund."""
    if not whole.answer.accepted:
        raise Blocked("all units at once are already refused (CREATE-24)")
    api, order = bench.api, bench.order
    if bench.look():
        raise Blocked("a create that should have been refused already had an effect")
    everything = api.create_refund(order, *(Part(line, line.quantity) for line in order.lines))
    insist_on_a_decision(everything)
    verify.accepted(everything)
