"""Requests generated from the OpenAPI document, on real orders and refunds: what nobody thought of."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import pytest
from attrs import define, field

from conformance.generation.generated import COUNTS, Binding, Generated, requests_for
from conformance.http.answer import Answer
from conformance.http.client import API, REASON, Part, RefundApi
from conformance.http.dialect import Dialect
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId
from conformance.outcome import Blocked, Failed, Unsendable
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder

T = TypeVar("T")


@define
class Ground:
    """An order with refunds on which generated requests are tried, one kind after another."""

    api: RefundApi
    order: Order
    seed: int
    refunds: list[Refund] = field(factory=list)
    there: dict[RefundId, Refund] = field(factory=dict)

    def binding(self, refund_id: RefundId | None, dialect: Dialect) -> Binding:
        """Return what generated requests are bound to."""
        return Binding(self.order, refund_id, dialect, self.api.keys)

    def look(self) -> dict[RefundId, Refund]:
        """Return the refunds of the order."""
        return verify.look_list(self.api, self.order)


LINES = ((200, "10.00"), (200, "2.50"), (200, "0.75"))


@pytest.fixture
def ground(api: RefundApi, session: Session, new_order: NewOrder) -> Ground:
    """An order with many units left, and no refund yet."""
    return Ground(api, new_order(*LINES), session.seed)


@pytest.fixture(scope="module")
def read_ground(api: RefundApi, session: Session, new_order: NewOrder, accepted_create: Refund) -> Ground:
    """An order with two refunds to be read."""
    made = Ground(api, new_order(*LINES), session.seed)
    made.refunds = [arrange.given_refund(api, made.order, Part(line)) for line in made.order.lines[:2]]
    made.there = made.look()
    return made


def send_create(ground: Ground, made: Generated, *, plainly: bool = False) -> tuple[Answer, Any]:
    """Send a generated create, if need be with plain reasons, and return the answer and the bound body."""
    if made.content is not None:
        return probe(ground.api.send("POST", f"{API}/refunds", "create", content=made.content)), None
    body = ground.binding(None, ground.api.create_dialect).create_body(made.body)
    if plainly:
        for line in body["refund"]["lineItems"]:
            line["rightsReason"] = REASON
    return probe(ground.api.create(body)), body


def send_review(ground: Ground, refund: Refund, made: Generated) -> tuple[Answer, Any]:
    """Send a generated review and return the answer and the bound body."""
    if made.content is not None:
        path = f"{API}/refunds/{refund.refund_id}"
        return probe(ground.api.send("PUT", path, "review", content=made.content)), None
    body = ground.binding(refund.refund_id, ground.api.review_dialect).review_body(made.body)
    return probe(ground.api.review(refund.refund_id, body)), body


def probe(answer: Answer) -> Answer:
    """Return the answer to a request that may be illegal."""
    answer.exchange.role = "probe"
    return answer


def send_read(ground: Ground, refund: Refund, made: Generated) -> Answer:
    """Send a generated list or get and return the answer."""
    query = ground.binding(refund.refund_id, ground.api.create_dialect).query(made.query)
    path = f"{API}/orders/{ground.order.order_id}/refunds" if made.operation == "list" else f"{API}/refunds"
    answer = ground.api.send("GET", path, made.operation, query=query)
    answer.exchange.role = "open" if made.wrong else "probe"
    return answer


def sendable(requests: Sequence[Generated], send: Callable[[Generated], T]) -> Iterator[tuple[Generated, T]]:
    """Yield each request with what came of sending it, but for those that the client cannot send, which are counted."""
    for made in requests:
        with contextlib.suppress(Unsendable):
            yield made, send(made)


def in_one_piece(answer: Answer, made: Generated) -> None:
    """The answer is an acceptance or a refusal; a server that breaks has no excuse in what was sent.

    Raises:
        Failed: it is neither.
    """
    if not (answer.accepted or answer.refused):
        raise Failed(
            "an acceptance or a refusal" + (f" of a request that {made.wrong}" if made.wrong else ""),
            answer.described,
            answer.exchange,
        )


def generated(ground: Ground, operation: str, *, negative: bool) -> Sequence[Generated]:
    """Return the seeded requests for an operation."""
    return requests_for(operation, negative=negative, seed=ground.seed)


@define
class Filled:
    """What generated creates made of an order: the accepted answers with their bodies, and the order's refunds."""

    ground: Ground
    accepted: list[tuple[Answer, Any]]
    troubles: list[tuple[Answer, Generated]]
    there: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def filled(api: RefundApi, session: Session, new_order: NewOrder, accepted_create: Refund) -> Filled:
    """An order with a refund for each generated create that was accepted."""
    ground = Ground(api, new_order(*LINES), session.seed)
    filled = Filled(ground, [], [], {})
    for made, (answer, body) in sendable(generated(ground, "create", negative=False), partial(send_until, filled)):
        if answer.accepted:
            filled.accepted.append((answer, body))
        elif not answer.refused:
            filled.troubles.append((answer, made))
    filled.there = ground.look()
    return filled


def send_until(filled: Filled, made: Generated) -> tuple[Answer, Any]:
    """Send a generated create, again if it may have been refused for what is open, and then for its reasons."""
    ground = filled.ground
    answer, body = send_create(ground, made)
    if answer.refused and approve_open(ground):
        answer, body = send_create(ground, made)
    if answer.refused and len(filled.accepted) < COUNTS[False] // 2:  # it may be for its reasons (reading A12)
        answer, body = send_create(ground, made, plainly=True)
    return answer, body


@requirement("ROBUST-80", late=True)
def test_well_formed_creates_are_stored_as_asked(filled: Filled) -> None:
    """What is accepted is on the order with the units and the reasons asked for; what is refused left nothing."""
    for answer, made in filled.troubles:
        in_one_piece(answer, made)
    expected = {verify.created(answer).refund_id: (answer, body) for answer, body in filled.accepted}
    for refund_id in expected.keys() - filled.there.keys():
        if filled.ground.api.get_refund(filled.ground.order, refund_id).accepted:
            raise Blocked(f"get shows refund {refund_id}, and only the list lacks it (LIST-01)")
    verify.same(sorted(expected), sorted(filled.there), "the refunds of the order")
    for refund_id, (answer, body) in expected.items():
        filled.ground.api.wire.show(answer.exchange)
        there = filled.there[refund_id]
        verify.same(asked(body), told(there), f"what refund {refund_id} takes back, and why")
        if there.rights_type is not None:
            verify.same(asked_type(body), there.rights_type.value, f"the type of refund {refund_id}")
    if len(expected) < COUNTS[False] // 2:
        raise Blocked(
            f"only {len(expected)} of the generated creates were accepted, which is too few to prove anything"
        )


def approve_open(ground: Ground) -> bool:
    """Approve the one open refund, for a target that takes one at a time (reading A27); say whether that was it."""
    open_ones = [refund for refund in ground.look().values() if refund.status in ground.api.pending]
    if len(open_ones) != 1:
        return False
    arrange.given_review(ground.api, ground.order, open_ones[0], Action.APPROVE)
    return True


def asked(body: Any) -> list[tuple[str, Decimal, str]]:
    """Return line, units and reason of each requested line."""
    lines = body["refund"]["lineItems"]
    return sorted((str(line["lineItemId"]), Decimal(line["quantity"]), line["rightsReason"]) for line in lines)


def asked_type(body: Any) -> int:
    """Return the type that a create asks for, which is 1 where it names none (page line 125)."""
    return int(body["refund"].get("rightsType", 1))


def told(refund: Refund) -> list[tuple[str, Decimal, str]]:
    """Return line, units and reason of each stored line.

    Raises:
        Blocked: one of them cannot be read, which is judged as a field of its own.
    """
    verify.units_of(refund)
    if any(line.reason is None for line in refund.lines):
        raise Blocked(f"the reasons of refund {refund.refund_id} cannot be read")
    return sorted((str(line.line_item_id), line.quantity or Decimal(0), str(line.reason)) for line in refund.lines)


@requirement("ROBUST-84", late=True)
def test_ill_formed_creates_break_nothing(ground: Ground) -> None:
    """One edit away from a valid create: refused without a trace, or accepted as what the answer says."""
    accepted = set[RefundId]()
    for made, (answer, _) in sendable(generated(ground, "create", negative=True), partial(send_create, ground)):
        answer.exchange.role = "open"
        in_one_piece(answer, made)
        if answer.accepted and answer.refund is not None:
            accepted.add(answer.refund.refund_id)
    after = ground.look()

    verify.holds(after.keys() <= accepted, "no refund that no answer told of", sorted(after))


@requirement("ROBUST-81", late=True)
def test_well_formed_reviews_decide_as_asked(filled: Filled) -> None:
    """What is accepted is decided as asked; what is refused is as it was."""
    ground = filled.ground
    open_ones = [refund for refund in ground.look().values() if refund.status in ground.api.pending]
    if not open_ones:  # a target that takes one at a time may have had its last one approved
        open_ones = [arrange.given_refund(ground.api, ground.order, Part(ground.order.line))]
    made = [request for request in generated(ground, "review", negative=False) if isinstance(request.body, dict)]
    asked_for: dict[RefundId, Action] = {}
    for refund, request in zip(open_ones, made, strict=False):
        for _, (answer, body) in sendable([request], partial(send_review, ground, refund)):
            in_one_piece(answer, request)
            if answer.accepted:
                asked_for[refund.refund_id] = Action(int(body["action"]))
    if not asked_for:
        raise Blocked("none of the generated reviews was accepted, so they prove nothing")
    decided = partial(are_decided, ground.api, asked_for)
    verify.settles(ground.api, ground.look, decided, "every refund decided as asked")


def are_decided(api: RefundApi, wanted: dict[RefundId, Action], seen: dict[RefundId, Refund]) -> bool:
    """Say whether each refund is where its action leads to."""
    return all(key in seen and seen[key].status in api.ends_of(action) for key, action in wanted.items())


@requirement("ROBUST-85", late=True)
def test_ill_formed_reviews_break_nothing(ground: Ground) -> None:
    """One edit away from a valid review: what is refused changed nothing, and no other refund moved."""
    _, refund = (arrange.given_refund(ground.api, ground.order, Part(line)) for line in ground.order.lines[:2])
    before = ground.look()
    accepted = False
    requests = generated(ground, "review", negative=True)
    for made, (answer, _) in sendable(requests, partial(send_review, ground, refund)):
        answer.exchange.role = "open"
        in_one_piece(answer, made)
        accepted = accepted or answer.accepted
    after = ground.look()
    if accepted:  # what a lenient reading let through may have decided the one refund, but no other
        before, after = ({i: r for i, r in seen.items() if i != refund.refund_id} for seen in (before, after))
        if verify.differ(before, after):
            insist_on_its_own(ground)

    verify.unchanged(before, after)


def insist_on_its_own(ground: Ground) -> None:
    """A plain approval decides no other refund than its own."""
    api, lines = ground.api, ground.order.lines[:2]
    refund, other = (arrange.given_refund(api, ground.order, Part(line)) for line in lines)
    arrange.given_review(api, ground.order, refund, Action.APPROVE)
    if ground.look().get(other.refund_id, other).status not in api.pending:
        raise Blocked("a plain approval already decides other refunds (REVIEW-19)")


@requirement("ROBUST-82", late=True)
def test_well_formed_lists_have_their_limit(read_ground: Ground) -> None:
    """A list has as many refunds as its limit asks for, or all there are, and only those of the order."""
    there = read_ground.there
    requests = generated(read_ground, "list", negative=False)
    for made, answer in sendable(requests, partial(send_read, read_ground, read_ground.refunds[0])):
        in_one_piece(answer, made)
        if "limit" in made.query:
            verify.accepted(answer)
            listed = [entry.refund_id for entry in answer.refunds or []]
            verify.same(min(int(made.query["limit"]), len(there)), len(listed), "the number of refunds listed")
            verify.holds(set(listed) <= there.keys(), "refunds of the order", listed)


@define
class Misread:
    """Ill-formed reads with their answers, by operation, and the refunds of the order after the last."""

    sent: dict[str, list[tuple[Generated, Answer]]]
    after: dict[RefundId, Refund]


@pytest.fixture(scope="module")
def misread(read_ground: Ground) -> Misread:
    """All that is wrong with a list or a get, sent together."""
    send = partial(send_read, read_ground, read_ground.refunds[0])
    sent = {
        operation: list(sendable(generated(read_ground, operation, negative=True), send))
        for operation in ("list", "get")
    }
    for _, answer in itertools.chain(*sent.values()):
        answer.exchange.batched = True
    return Misread(sent, read_ground.look())


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param("list", marks=requirement("ROBUST-86", late=True)),
        pytest.param("get", marks=requirement("ROBUST-87", late=True)),
    ],
)
def test_ill_formed_reads_break_nothing(read_ground: Ground, misread: Misread, operation: str) -> None:
    """One edit away from a valid read: refused, or an answer about this order; and nothing changed."""
    for made, answer in misread.sent[operation]:
        read_ground.api.wire.show(answer.exchange)
        in_one_piece(answer, made)
    verify.unchanged(read_ground.there, misread.after)
