"""Creates that were sent again as they were, at once or once nothing was left of their order."""

from functools import partial
from typing import Any

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId
from conformance.outcome import Blocked
from conformance.suite.given.benches import NewOrder, OpenRefunds, Placed
from conformance.suite.given.units import Refunds


def names_the_original(answer: Answer, original: Refund) -> None:
    """The answer to a create sent again names the original refund, or is a refusal (readings A22 and A23)."""
    verify.holds(answer.accepted or answer.refused, "the original refund (2xx) or a refusal (4xx)", answer.described)
    if answer.accepted:
        told = None if answer.refund is None else answer.refund.refund_id
        verify.same(original.refund_id, told, "the refund in the replay's answer")


def is_the_original(answer: Answer, original: Refund) -> None:
    """The answer names the original refund, and shows its units, its amount and its type."""
    names_the_original(answer, original)
    if answer.refund is not None:
        verify.same(original.amount, answer.refund.amount, "the amount in the replay's answer")
        verify.same(original.quantities, answer.refund.quantities, "the units in the replay's answer")
        verify.same(original.rights_type, answer.refund.rights_type, "the type in the replay's answer")


@define
class Replay:
    """A create sent twice, at once: the order's refunds before and after, and the answer between.

    ``now`` is what was seen last, after further requests under the key.
    """

    placed: Placed
    before: dict[RefundId, Refund]
    answer: Answer
    after: dict[RefundId, Refund]
    now: dict[RefundId, Refund]

    def changes_nothing(self, api: RefundApi, *bodies: dict[str, Any]) -> None:
        """More requests under the key neither create nor change anything on the order."""
        if verify.differ(self.after, self.now):
            raise Blocked("an earlier request under the key already changed something")
        for body in bodies:
            api.create(body).exchange.role = "probe"
        self.now = verify.look_list(api, self.placed.order)
        verify.unchanged(self.after, self.now)


@pytest.fixture(scope="session")
def replay(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Replay:
    """The same body, of two units of five, sent twice at once."""
    placed = OpenRefunds(api, new_order).put(lambda order: api.create_body(order, Part(order.line, 2)))
    before = verify.look_list(api, placed.order)
    answer = api.create(placed.body)
    answer.exchange.role = "probe"
    after = verify.look_list(api, placed.order)
    return Replay(placed, before, answer, after, after)


@pytest.fixture
def protected(replay: Replay) -> None:
    """The control of every special replay: the plain one leaves one refund as it was."""
    if len(replay.before) != 1 or verify.differ(replay.before, replay.after) or replay.answer.broken:
        raise Blocked("a plain replay already goes wrong (IDEM-09, IDEM-11), so this special one would prove nothing")


@define
class Closed:
    """A refund of all that was ordered, approved: its create sent again, one unit more asked for, and a get."""

    order: Order
    original: Refund
    approval: Answer
    approved: Refunds
    replay: Answer
    one_more: Answer
    after: Refunds
    got: Answer

    def judge_replay(self) -> None:
        """The key was still known."""
        told = set() if self.one_more.refund is None else {self.one_more.refund.refund_id}
        made = sorted(self.after.keys() - self.approved.keys() - told)
        verify.same([], made, "refunds made by the replay")
        names_the_original(self.replay, self.original)


@pytest.fixture(scope="session")
def closed(api: RefundApi, new_order: NewOrder, accepted_create: Refund) -> Closed:
    """An order of which nothing is left."""
    order = new_order()
    body = api.create_body(order, Part(order.line, order.line.quantity))
    original = arrange.made(api.create(body))
    arrange.await_visible(api, order, original)
    approval = api.review_refund(order, original, Action.APPROVE)
    approval.exchange.role = "arrange"
    approved = verify.patiently(api, partial(verify.look_list, api, order), partial(is_approved, api, original))
    is_gone = original.refund_id not in approved and api.get_refund(order, original).refused
    if not (is_approved(api, original, approved) or (approval.accepted and is_gone)):
        raise Blocked("a refund of all that was ordered is not seen approved")
    replay, one_more = api.create(body), api.create_refund(order)
    replay.exchange.role = one_more.exchange.role = "probe"
    after, got = verify.look_list(api, order), api.get_refund(order, original)
    return Closed(order, original, approval, approved, replay, one_more, after, got)


def is_approved(api: RefundApi, refund: Refund, seen: Refunds) -> bool:
    """Say whether a refund is listed as approved, or with a status that cannot be read."""
    return refund.refund_id in seen and seen[refund.refund_id].status in api.approved | {None}
