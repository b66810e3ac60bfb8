"""Get: the one refund that was asked for, whatever its place and state, and no other."""

from collections.abc import Callable

import pytest
from attrs import define

from conformance import verify
from conformance.client import ABSENT, API, Answer, Part, RefundApi
from conformance.model import Action, Order, Refund, RefundId
from conformance.plugin import requirement
from conformance.results import Blocked, Failed
from conformance.session import Session
from conformance.suite.conftest import NewOrder

PLACES = pytest.mark.parametrize("index", [0, 1, 2], ids=["first", "middle", "last"])


@define
class Specimen:
    """An order with an approved, a canceled and an open refund, and another of the same customer with one refund."""

    api: RefundApi
    order: Order
    refunds: list[Refund]
    listed: dict[RefundId, Refund]
    other: Order
    other_refund: Refund

    @property
    def last(self) -> Refund:
        """The open refund."""
        return self.refunds[-1]


@pytest.fixture(scope="module")
def specimen(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Specimen:
    """Refunds to be read; nothing here changes them."""
    order = new_order((9, "10.00"))
    other = new_order(customer_id=order.customer_id)
    refunds = []
    for units, action in ((1, Action.APPROVE), (2, Action.REJECT), (3, None)):
        refund = verify.given_refund(api, order, Part(order.line, units))
        refunds.append(refund if action is None else verify.given_review(api, order, refund, action))
    other_refund = verify.given_refund(api, other)
    return Specimen(api, order, refunds, verify.look_again(api, order), other, other_refund)


@pytest.fixture(scope="module")
def read(specimen: Specimen) -> list[Answer]:
    """Each of the three refunds, got once."""
    answers = [specimen.api.get_refund(specimen.order, refund) for refund in specimen.refunds]
    for answer in answers:
        answer.exchange.role = "probe"
    return answers


@pytest.fixture
def readable(read: list[Answer], specimen: Specimen) -> None:
    """The control of every refused get: the same with nothing wrong shows the open refund."""
    answer = read[-1]
    answer.exchange.role = "control"
    if answer.refund is None or answer.refund.refund_id != specimen.last.refund_id:
        raise Blocked(f"a plain get does not show the refund (GET-01): {answer.described}")


@requirement("GET-01", profile="quick")
@PLACES
def test_get_shows_the_refund_that_was_asked_for(specimen: Specimen, read: list[Answer], index: int) -> None:
    """First, middle or last of the order: the refund in the answer is the one named."""
    answer = verify.accepted(read[index])
    told = None if answer.refund is None else answer.refund.refund_id
    verify.same(specimen.refunds[index].refund_id, told, "the refund in the answer")


@requirement("GET-02", profile="quick")
@PLACES
def test_get_shows_a_refund_in_whatever_state(specimen: Specimen, read: list[Answer], index: int) -> None:
    """Approved, canceled or open: get shows the state, and it is the one that list shows."""
    refund = read[index].refund
    if refund is None or refund.refund_id != specimen.refunds[index].refund_id:
        raise Blocked("get does not show the refund that was asked for (GET-01)")
    listed = specimen.listed.get(refund.refund_id)
    if listed is None:
        raise Blocked("list does not show the refund")
    moving = verify.APPROVED if listed.status in verify.APPROVED else {listed.status}
    verify.holds(refund.status in moving, f"status {verify.shown(listed.status)}, as in the list", refund.status)


def pair(order: Callable[[Specimen], str], refund: Callable[[Specimen], str]) -> Callable[[Specimen], Answer]:
    """Return a get of an order and a refund that do not belong together."""
    return lambda specimen: specimen.api.get_refund(order(specimen), refund(specimen))


def the_order(specimen: Specimen) -> str:
    """Return the order of the three refunds."""
    return specimen.order.order_id


def the_refund(specimen: Specimen) -> str:
    """Return the open refund."""
    return specimen.last.refund_id


def neighbour(step: int) -> Callable[[Specimen], str]:
    """Return the open refund's id moved on by a step; by more when that is a refund of the order too."""

    def move(specimen: Specimen) -> str:
        if not specimen.last.refund_id.isdecimal():
            raise Blocked("the refundId of this target is no number, so it has no neighbours")
        there, moved = set(map(str, specimen.listed)), int(specimen.last.refund_id) + step
        while str(moved) in there:
            moved += step
        return str(moved)

    return move


REFUSED: dict[str, tuple[str, Callable[[Specimen], Answer]]] = {
    "another order of the customer": ("GET-03", pair(lambda s: s.other.order_id, the_refund)),
    "a refund of another order": ("GET-03", pair(the_order, lambda s: s.other_refund.refund_id)),
    "an order with a digit more": ("GET-04", pair(lambda s: s.order.order_id + "7", the_refund)),
    "an order with a digit less": ("GET-04", pair(lambda s: s.order.order_id[:-1] or "0", the_refund)),
    "a refund with a digit more": ("GET-05", pair(the_order, lambda s: s.last.refund_id + "7")),
    "a refund with a digit less": ("GET-05", pair(the_order, lambda s: s.last.refund_id[:-1] or "0")),
    "a refund's next id": ("GET-06", pair(the_order, neighbour(1))),
    "a refund's previous id": ("GET-06", pair(the_order, neighbour(-1))),
    "a refund that is text": ("GET-11", pair(the_order, lambda _: "latest")),
    "a refund with text behind it": ("GET-11", pair(the_order, lambda s: s.last.refund_id + "abc")),
    "an order with text behind it": ("GET-11", pair(lambda s: s.order.order_id + "abc", the_refund)),
}
QUICK_ROWS = {"another order of the customer", "a refund with a digit more"}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement(identifier, profile="quick" if name in QUICK_ROWS else "standard"))
        for name, (identifier, _) in REFUSED.items()
    ],
)
@pytest.mark.usefixtures("readable")
def test_ids_that_do_not_name_a_refund_are_refused(specimen: Specimen, row: str) -> None:
    """A pair of ids that fits no refund shows none."""
    verify.refused(REFUSED[row][1](specimen))


INCOMPLETE: dict[str, tuple[str, Callable[[Specimen], Answer], bool]] = {
    "no refund": ("GET-07", lambda s: s.api.get_refund(s.order, ABSENT), False),
    "no order": ("GET-08", lambda s: s.api.get_refund(ABSENT, s.refunds[0]), True),
    "neither": ("GET-09", lambda s: s.api.get_refund(ABSENT, ABSENT), False),
    "an empty refund": ("GET-10", lambda s: s.api.get_refund(s.order, ""), False),
    "an empty order": ("GET-10", lambda s: s.api.get_refund("", s.refunds[0]), True),
}  # fmt: skip


@pytest.mark.parametrize(
    "row", [pytest.param(name, marks=requirement(identifier)) for name, (identifier, _, _) in INCOMPLETE.items()]
)
@pytest.mark.usefixtures("readable")
def test_an_incomplete_get_shows_no_arbitrary_refund(specimen: Specimen, session: Session, row: str) -> None:
    """Without a parameter: a refusal, a list or nothing, and at most the refund that was named (reading A42)."""
    _, ask, named = INCOMPLETE[row]
    answer = ask(specimen)
    answer.exchange.role = "open"

    verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)
    told = None if answer.refund is None else answer.refund.refund_id
    allowed = {None, specimen.refunds[0].refund_id} if named else {None}
    verify.holds(told in allowed, "no refund that was not asked for", f"refund {told}")
    session.observe("A42", f"a get with {row} is {'accepted' if answer.accepted else 'refused'}")


@requirement("GET-12")
@pytest.mark.usefixtures("readable")
def test_reading_changes_nothing(specimen: Specimen) -> None:
    """After several reads every value of the refund is what it was, the update time too."""
    first, *others = [verify.look_get(specimen.api, specimen.order, specimen.last) for _ in range(3)]
    for again in others:
        verify.unchanged({first.refund_id: first}, {first.refund_id: again}, "the values of the refund")


@requirement("GET-13")
@pytest.mark.usefixtures("readable")
def test_the_parameters_come_in_either_order(specimen: Specimen) -> None:
    """With refundId first the same refund is shown."""
    query = {"refundId": specimen.last.refund_id, "orderId": specimen.order.order_id}
    answer = verify.accepted(specimen.api.send("GET", f"{API}/refunds", "get", query=query))
    told = None if answer.refund is None else answer.refund.refund_id
    verify.same(specimen.last.refund_id, told, "the refund in the answer")


@requirement("GET-14")
@pytest.mark.usefixtures("readable")
def test_each_of_two_orders_of_a_customer_shows_its_own_refund(specimen: Specimen) -> None:
    """The refund of the second order is the one shown for it."""
    answer = verify.accepted(specimen.api.get_refund(specimen.other, specimen.other_refund))
    if answer.refund is None:
        raise Failed("the refund in the answer", answer.described)
    verify.same(specimen.other_refund.refund_id, answer.refund.refund_id, "the refund in the answer")
    verify.same(specimen.other_refund.quantities, answer.refund.quantities, "the units of the refund")
