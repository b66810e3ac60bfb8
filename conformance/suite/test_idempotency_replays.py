"""A create sent again under its request number, as it was and in other ways: its refund stays the only one."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Order, Refund, RefundId, RefundStatus
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.benches import NewOrder, Placed, selected_rows
from conformance.suite.given.histories import Series, Shipped, Whole, insist_on_a_decision
from conformance.suite.given.replays import Closed, Replay, is_the_original
from conformance.suite.given.retries import DECIDED, EARLIER, REJECTED, RETRIES, YOUNG, Retries, Retry
from conformance.suite.given.reviews import Several, named_is_decided
from conformance.suite.given.units import Refunds

# Creates sent again.


@requirement("IDEM-09")
def test_a_replay_leaves_one_refund(session: Session, replay: Replay) -> None:
    """The same body sent twice leaves one refund on the order."""
    if list(replay.before) != [replay.placed.refund.refund_id]:
        raise Blocked("after one create, the list does not show its one refund")
    verify.same(list(replay.before), list(replay.after), "the refunds of the order")
    answer = replay.answer
    verify.decided(answer, "the original refund (2xx) or a refusal (4xx)")
    session.observe("A22", f"a replay is answered with {answer.status}")


@requirement("IDEM-11")
def test_a_replay_changes_nothing_in_the_refund(replay: Replay) -> None:
    """Every value of the refund is what it was before the replay."""
    if [replay.placed.refund.refund_id] != list(replay.before) or replay.before.keys() != replay.after.keys():
        raise Blocked("there is not one refund on the order, as there must be before and after a replay (IDEM-09)")
    verify.unchanged(replay.before, replay.after)


@requirement("IDEM-31")
@pytest.mark.usefixtures("protected")
def test_the_third_to_fifth_request_are_replays_too(api: RefundApi, replay: Replay) -> None:
    """However often a body is sent, there is one refund."""
    replay.changes_nothing(api, *[replay.placed.body] * 3)


@requirement("IDEM-19")
@pytest.mark.usefixtures("protected")
def test_a_key_reused_with_another_order_answers_the_truth(
    api: RefundApi, session: Session, replay: Replay, shipped_order: Order
) -> None:
    """The first order stays as it is, and a refund that the answer names is on one of the two."""
    key = replay.placed.body["refund"]["requestNo"]
    answer = api.create(api.create_body(shipped_order, request_no=key))
    answer.exchange.role = "probe"

    replay.changes_nothing(api)
    there = verify.look_list(api, shipped_order)
    if answer.accepted:
        told = None if answer.refund is None else answer.refund.refund_id
        verify.holds(told in replay.now or list(there) == [told], "a refund of one of the two orders", told)
    else:
        verify.same([], list(there), "refunds of the other order")
    session.observe("A24", f"a key is good once {'for each order' if there else 'in a shop'}")


@requirement("IDEM-12")
@pytest.mark.usefixtures("protected")
def test_a_replay_uses_up_no_quantity(api: RefundApi, replay: Replay) -> None:
    """After a replay the rest of the line, to the last unit, can still be refunded."""
    if verify.differ(replay.after, replay.now):
        raise Blocked("an earlier request under the key already changed something")
    order = replay.placed.order
    rest = Part(order.line, order.line.quantity - 2)
    answer = api.create_refund(order, rest)
    if answer.refused and arrange.approve_open(api, order):  # one open refund at a time is legal (reading A27)
        answer = api.create_refund(order, rest)

    verify.created(answer)


@requirement("IDEM-13")
@pytest.mark.usefixtures("protected")
def test_a_replay_after_the_approval_of_a_whole_order_changes_nothing(closed: Closed) -> None:
    """The key of an approved refund of all that was ordered is still known."""
    closed.judge_replay()


@requirement("IDEM-13")
def test_a_replay_gives_no_approved_units_back(session: Session, closed: Closed, series: Series) -> None:
    """After the replay of an approved create of all that was ordered, one unit more is refused."""
    try:
        series.judge_last_unit(session)
    except Failed:
        raise Blocked("approved units are already not used up (CREATE-21)") from None
    try:
        closed.judge_replay()
    except Failed as failure:
        raise Blocked(f"the replay already made a refund: {failure}") from None
    verify.refused(closed.one_more)
    verify.same(sorted(closed.approved), sorted(closed.after), "the refunds of the order")


@define
class Three:
    """Three refunds of an order, of which the creates of the first and the second were sent again."""

    placed: list[Placed]
    answers: list[Answer]
    before: dict[RefundId, Refund]
    after: dict[RefundId, Refund]


@pytest.fixture(scope="session")
def three(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Three:
    """Refunds of one, two and three units of a line, each under a key of its own."""
    order = new_order((9, "10.00"))
    placed = [put_on(api, order, units) for units in (1, 2, 3)]
    before = verify.look_list(api, order)
    answers = [api.create(first.body) for first in placed[:2]]
    for answer in answers:
        answer.exchange.role = "probe"
    return Three(placed, answers, before, verify.look_list(api, order))


def put_on(api: RefundApi, order: Order, units: int) -> Placed:
    """Arrange a refund on an order, approving open ones that are in the way (reading A27)."""
    body = api.create_body(order, Part(order.line, units))
    answer = api.create(body)
    if answer.refused and arrange.approve_open(api, order):
        body = api.create_body(order, Part(order.line, units))
        answer = api.create(body)
    refund = arrange.made(answer)
    arrange.await_visible(api, order, refund)
    return Placed(order, body, refund)


@requirement("IDEM-10")
@pytest.mark.usefixtures("protected")
@pytest.mark.parametrize("index", [0, 1], ids=["first", "second"])
def test_an_accepted_replay_answers_with_the_original(three: Three, index: int) -> None:
    """What a replay answers is the refund of its key, also when younger ones are there."""
    if three.before.keys() != three.after.keys():
        raise Blocked("the replay of an earlier refund makes another (IDEM-32)")
    is_the_original(three.answers[index], three.placed[index].refund)


@requirement("IDEM-32")
@pytest.mark.usefixtures("protected")
def test_each_of_three_refunds_is_protected_by_its_own_key(three: Three) -> None:
    """Replaying the first and the second of three refunds creates nothing and changes nothing."""
    verify.same(sorted(placed.refund.refund_id for placed in three.placed), sorted(three.before), "the three refunds")
    verify.unchanged(three.before, three.after)


@pytest.fixture
def protected_among_others(three: Three, protected: None) -> None:
    """The control of replays on an order with several refunds: plain ones do nothing and answer the truth."""
    try:
        verify.unchanged(three.before, three.after)
        for answer, placed in zip(three.answers, three.placed, strict=False):
            is_the_original(answer, placed.refund)
    except Failed as failure:
        raise Blocked(f"plain replays on an order of several refunds go wrong (IDEM-10, IDEM-32): {failure}") from None


# Creates sent again in another way, or under the key of another one.


def rows_of(retries: Mapping[str, Retry]) -> pytest.MarkDecorator:
    """Return what is sent again as parameters of a check."""
    rows = [
        pytest.param(name, marks=requirement(retry.requirement, profile=retry.profile))
        for name, retry in retries.items()
    ]
    return pytest.mark.parametrize("row", rows)


@rows_of(RETRIES)
@pytest.mark.usefixtures("protected_among_others")
def test_whatever_is_sent_again_under_a_key_changes_nothing(session: Session, retries: Retries, row: str) -> None:
    """The first request stands, however the second comes and whatever it asks for."""
    retries.judge(row, session)


# Creates sent again once their refunds were decided; the lists of the same order are judged before.


@pytest.fixture(scope="session")
def decided(request: pytest.FixtureRequest, shop: Shop, new_order: NewOrder, retries: Retries) -> Retries:
    """Refunds for which something was sent again, decided now, and their creates sent once more.

    What a list shows of open refunds, and is judged later, is asked for before.
    """
    for name in ("unlimited", "thirteen"):
        if any(name in getattr(item, "fixturenames", ()) for item in request.session.items):
            request.getfixturevalue(name)
    is_young = shop.api.wire.clock.monotonic() - retries.at < YOUNG and not retries.harmed
    firsts = {name: retries.firsts.get(earlier) for name, earlier in EARLIER.items()} if is_young else {}
    known = {name: first for name, first in firsts.items() if first is not None}
    sent = Retries(shop, new_order, DECIDED, known)
    orders = {first.order.order_id: first.order for first in known.values()}
    sent.send(list(selected_rows(request, DECIDED) | {REJECTED: DECIDED[REJECTED]}), *orders.values())
    return sent


@rows_of(DECIDED)
@pytest.mark.usefixtures("protected_among_others")
def test_a_replay_after_a_review_changes_nothing(
    session: Session, retries: Retries, decided: Retries, row: str
) -> None:
    """A late retry finds the decision made, and leaves it."""
    if EARLIER[row] in retries.answers:
        try:
            retries.judge(EARLIER[row], session)
        except Failed as failure:
            raise Blocked(f"what was sent again before the review already went wrong: {failure}") from None
    decided.judge(row, session)


@requirement("IDEM-11")
@pytest.mark.usefixtures("protected_among_others", "rejection")
def test_a_refund_whose_create_was_sent_again_is_rejected(
    session: Session, several: Several, retries: Retries, decided: Retries
) -> None:
    """A replay of an open refund takes nothing away from the rejection that follows."""
    first = retries.firsts.get(EARLIER[REJECTED])
    if first is not None and decided.firsts.get(REJECTED) not in (None, first):
        return  # a key so old need not be known any more (reading A24), and another refund was rejected in its place
    if first is None or first.refund.refund_id not in decided.listed:
        raise Blocked("no create was sent again whose refund was then rejected, and is listed (IDEM-32)")
    try:
        if 1 in several.steps:  # where one open refund at a time is allowed (reading A27), there are no others
            named_is_decided(several, 1)
        retries.judge(EARLIER[REJECTED], session)
    except Failed as failure:
        raise Blocked(f"a rejection beside others, or a replay before it, already goes wrong: {failure}") from None
    now = decided.listed[first.refund.refund_id]
    if now.status is RefundStatus.COMPLETED:
        raise Blocked("the approval of another refund already approved this one (REVIEW-19)")
    verify.holds(now.status in {RefundStatus.CANCELED, None}, "the refund canceled", verify.shown(now))


@requirement("IDEM-12", late=True)
@pytest.mark.usefixtures("protected_among_others")
def test_a_replay_of_a_rejected_refund_uses_up_no_quantity(
    api: RefundApi, series: Series, whole: Whole, decided: Retries
) -> None:
    """After creates were sent again before and after a rejection, all that is left of their order can be refunded."""
    series.insist()
    if series.other_line.refused:
        raise Blocked("the units of other lines are already counted, too (CREATE-39)")
    if decided.harmed:
        raise Blocked("what was sent again already changed something (IDEM-13, IDEM-14)")
    if not isinstance(decided.answers[REJECTED], Answer):
        raise Blocked("the create of a rejected refund could not be sent again (IDEM-11, IDEM-14)")
    order = decided.firsts[REJECTED].order
    rest = rest_of(order, decided.now, whole)
    answer = api.create_refund(order, *rest)
    if answer.refused:
        arrange.approve_open(api, order)  # one open refund at a time is legal (reading A27)
        rest = rest_of(order, verify.look_list(api, order), whole)
        answer = api.create_refund(order, *rest)
    answer.exchange.role = "probe"
    insist_on_a_decision(answer)
    if answer.refused:
        control = api.create_refund(order)
        control.exchange.role = "control"
        if control.refused:
            raise Blocked("even one unit is refused on an order with several refunds (CREATE-20)")
    made, asked = verify.created(answer), {part.line.line_item_id: Decimal(part.quantity) for part in rest}
    if made.quantities != asked:  # it may be the answer alone that is wrong (RECORD-52, RECORD-53)
        made = verify.look_list(api, order).get(made.refund_id, made)
    verify.same(asked, verify.units_of(made), "the units of each line")


def rest_of(order: Order, refunds: Refunds, whole: Whole) -> list[Part]:
    """Return all of an order that is left beside refunds; units of rejected ones are, if they were free before."""
    claims = [r for r in refunds.values() if not (whole.second.accepted and r.status is RefundStatus.CANCELED)]
    taken = [verify.units_of(refund) for refund in claims]
    left = {line: line.quantity - int(sum(each.get(line.line_item_id, 0) for each in taken)) for line in order.lines}
    return [Part(line, quantity) for line, quantity in left.items() if quantity > 0]


@requirement("IDEM-25")
def test_a_refused_key_never_answers_with_a_ghost(api: RefundApi, session: Session, shipped_order: Order) -> None:
    """The key of a refused create either works afterwards or is refused; it never names what is not there."""
    key = api.keys()
    too_many = api.create_body(shipped_order, Part(shipped_order.line, 6), request_no=key)
    first = api.create(too_many)
    first.exchange.role = "probe"

    again = api.create(too_many)
    corrected = api.create_refund(shipped_order, request_no=key)
    again.exchange.role = corrected.exchange.role = "probe"

    there = verify.look_list(api, shipped_order)
    if first.refused:
        verify.holds(not again.accepted, "the refusal that it was before", again.described)
    for answer in (again, corrected):
        is_no_ghost(answer, there)
    session.observe("A24", f"the key of a refused create is {'usable' if corrected.accepted else 'burnt'} afterwards")


@requirement("IDEM-25")
def test_the_key_of_a_return_before_shipment_never_answers_with_a_ghost(shipped: Shipped) -> None:
    """Sent again when the order is shipped and nothing is left of it, the create is refused, or names what is there."""
    if not shipped.early.refused:
        raise Blocked("a plain return of an unshipped order is already not refused (SHIP-01)")
    others = (shipped.first, shipped.too_many.refund, shipped.rest.refund)
    theirs = {refund.refund_id for refund in others if refund is not None}
    is_no_ghost(shipped.again, {key: refund for key, refund in shipped.after.items() if key not in theirs})


def is_no_ghost(answer: Answer, there: Refunds) -> None:
    """The answer is a refusal, or names a refund that is there."""
    verify.decided(answer)
    if answer.accepted:
        told = None if answer.refund is None else answer.refund.refund_id
        verify.holds(told in there, "a refund of its own that is on the order", f"{answer.status} with refund {told}")
