"""Requests one edit away from a legal one: refused, or taken for what they can only mean."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import define, evolve, field

from conformance import contract, verify
from conformance.client import ABSENT, Answer, Part, RefundApi
from conformance.model import Action, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.nearmiss import BY_HAND, NearMiss, in_standard, near_misses, spellings
from conformance.plugin import requirement
from conformance.results import Blocked
from conformance.suite.conftest import Bench, NewOrder, Probes, ReviewBench, selected_rows

UNITS = 2
"""Units of the create that is edited: an edit that is misread becomes 0, 1, 20 or another number."""
TELLING = frozenset({"quantity", "action"})
JUDGED_BY = {
    "quantity": "NEAR-02", "orderId": "NEAR-03", "lineItemId": "NEAR-03", "rightsType": "NEAR-04", "action": "NEAR-07",
}  # fmt: skip

Table = dict[str, NearMiss]


def table(operation: str, body: Any) -> Table:
    """Return the near misses of a legal body by name; a review's refundId of another type says no more than none."""
    schema, vague = {"create": ("CreateRequest", ""), "review": ("ReviewRequest", "refundId")}[operation]
    return {
        miss.name: evolve(miss, must_be_refused=False) if miss.member == vague and miss.keyword == "type" else miss
        for miss in near_misses(schema, body)
        if miss.name not in BY_HAND
    }


CREATES = table("create", contract.example_of("create"))
REVIEWS = table("review", contract.example_of("review"))


def rows(misses: Table, identifier: Callable[[NearMiss], str], *, strict: bool) -> pytest.MarkDecorator:
    """Return a row for each near miss that must be refused, or that need not be."""
    standard = in_standard(list(misses.values()), TELLING)
    return pytest.mark.parametrize(
        "row",
        [
            pytest.param(name, marks=requirement(identifier(miss), profile="standard" if name in standard else "full"))
            for name, miss in misses.items()
            if miss.must_be_refused is strict
        ],
    )


# Creates.


def about_the_parcel(name: str) -> bool:
    """Say whether a near miss edits the logistics information."""
    return "shipping" in name


def create_body(api: RefundApi, order: Order, name: str = "") -> dict[str, Any]:
    """Return the legal create that is edited: two units of the second line, without return.

    One whose logistics information is edited is of a return: what it means for another refund is open (reading A14).
    """
    part = Part(order.lines[1], UNITS)
    if not about_the_parcel(name):
        return api.create_body(order, part, rights_type=RightsType.REFUND)
    shipping = {"shippingCarrierCode": "7", "shippingCarrier": "carrier", "trackingNumber": "70012"}
    return api.create_body(order, part, shipping=shipping)


def send_create(api: RefundApi, name: str, order: Order) -> Answer:
    """Send a near miss of a create, with a request number of its own."""
    miss = table("create", create_body(api, order, name))[name]
    return api.create(ABSENT, content=miss.applied_to(create_body(api, order, name)))


@pytest.fixture(scope="module")
def refused_creates(request: pytest.FixtureRequest, create_bench: Bench) -> Probes:
    """Near misses that no reader can take for a legal create."""
    probes = Probes(create_bench)
    probes.send(
        {name: partial(send_create, create_bench.api, name) for name in selected(request, CREATES, strict=True)}
    )
    return probes


def selected(request: pytest.FixtureRequest, misses: Table, *, strict: bool) -> list[str]:
    """Return the near misses that this run has checks for."""
    return [name for name, miss in selected_rows(request, misses).items() if miss.must_be_refused is strict]


@rows(CREATES, lambda _: "NEAR-01", strict=True)
def test_a_create_that_cannot_be_meant_is_refused(refused_creates: Probes, row: str) -> None:
    """A create with a value next to a legal one is refused, and leaves no refund behind."""
    refused_creates.judge(row)


@define
class Spelled:
    """Creates that are legal but for their spelling, sent to one order, and its refunds after the last."""

    api: RefundApi
    order: Order
    sent: dict[str, Answer]
    there: dict[RefundId, Refund]
    strays: set[str] = field(factory=set)

    def judge(self, row: str) -> None:
        """The create was refused without a trace, or is stored as the plain one would be."""
        answer = self.sent[row]
        self.api.wire.show(answer.exchange)
        verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)
        verify.holds(row not in self.strays, "no refund after a refusal", f"{answer.described}, and a refund")
        if answer.accepted:
            told = verify.created(answer)
            verify.holds(told.refund_id in self.there, f"refund {told.refund_id} on its order", sorted(self.there))
            stored = self.there[told.refund_id]
            verify.same({self.order.lines[1].line_item_id: UNITS}, stored.quantities, "the units of each line")
            rights_type = RightsType.RETURN_AND_REFUND if about_the_parcel(row) else RightsType.REFUND
            verify.same(rights_type, stored.rights_type, "the rightsType")


@pytest.fixture(scope="module")
def spelled_creates(
    request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder, accepted_create: Refund
) -> Spelled:
    """Each in another spelling, on one order; their control is the plain one on a twin of it."""
    order, twin = (new_order((9, "10.00"), (400, "10.00")) for _ in range(2))
    verify.made(api.create(create_body(api, twin)))
    sent = {name: probed(send_create(api, name, order)) for name in selected(request, CREATES, strict=False)}
    if len(accepted_of(sent)) == 1:  # the others may be refused only because that one is open (reading A27)
        for name in sent.keys() - accepted_of(sent):
            verify.approve_open(api, order)
            sent[name] = probed(send_create(api, name, order))
    spelled = Spelled(api, order, sent, verify.look_again(api, order, role="open"))
    if len(spelled.there) > len(accepted_of(sent)):
        spelled.strays = {name for name in sent.keys() - accepted_of(sent) if leaves_a_refund(api, new_order, name)}
    return spelled


def probed(answer: Answer) -> Answer:
    """Take an answer for that of one probe of many, whose form is not judged."""
    answer.exchange.role = "probe"
    answer.exchange.batched = answer.exchange.exempt = True
    return answer


def accepted_of(sent: dict[str, Answer]) -> set[str]:
    """Return which of the requests were accepted."""
    return {name for name, answer in sent.items() if answer.exchange.trouble is None and answer.accepted}


def leaves_a_refund(api: RefundApi, new_order: NewOrder, name: str) -> bool:
    """Say whether a create leaves a refund on an order of its own although it is refused."""
    order = new_order((9, "10.00"), (9, "10.00"))
    answer = probed(send_create(api, name, order))
    return answer.exchange.trouble is None and answer.refused and bool(verify.look_again(api, order, role="open"))


@rows(CREATES, lambda miss: JUDGED_BY.get(miss.member, "NEAR-05"), strict=False)
def test_a_create_in_another_spelling_is_refused_or_meant(spelled_creates: Spelled, row: str) -> None:
    """A create that a lenient reader may take for a legal one is stored as that one, or refused without a trace."""
    spelled_creates.judge(row)


# Reviews.


def send_review(bench: ReviewBench, name: str, action: Action) -> Answer:
    """Send a near miss of a review of the bench's refund."""
    body = bench.api.review_body(bench.order.order_id, bench.refund.refund_id, action)
    return bench.api.review(bench.refund.refund_id, ABSENT, content=table("review", body)[name].applied_to(body))


@pytest.fixture(scope="module")
def refused_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Probes:
    """Near misses that no reader can take for a legal review."""
    probes = Probes(review_bench)

    def probe(name: str, _: Order) -> Answer:
        return send_review(review_bench, name, Action.APPROVE)

    probes.send({name: partial(probe, name) for name in selected(request, REVIEWS, strict=True)})
    return probes


@rows(REVIEWS, lambda _: "NEAR-06", strict=True)
def test_a_review_that_cannot_be_meant_is_refused(refused_reviews: Probes, row: str) -> None:
    """A review with a value next to a legal one is refused, and decides nothing."""
    refused_reviews.judge(row)


@define
class Decided:
    """Rejections in other spellings: what each answered, and the refund's status after it."""

    sent: dict[str, Answer]
    status: dict[str, RefundStatus | None]


@pytest.fixture(scope="module")
def spelled_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Decided:
    """Each sent to an open refund, which the refused ones leave open for the next."""
    bench = evolve(review_bench)
    bench.renew()
    decided = Decided({}, {})
    refused: list[str] = []
    for name in selected(request, REVIEWS, strict=False):
        answer = decided.sent[name] = probed(send_review(bench, name, Action.REJECT))
        if answer.exchange.trouble is None and answer.accepted:
            decided.status[name] = verify.patiently(
                bench.api, partial(status_of, bench), lambda status: status is RefundStatus.CANCELED
            )
            bench.renew()
            refused.clear()
        else:
            refused.append(name)
    decided.status |= dict.fromkeys(refused, status_of(bench)) if refused else {}
    return decided


def status_of(bench: ReviewBench) -> RefundStatus | None:
    """Return the status of the bench's refund, once whatever it was sent had the time to show."""
    refund = verify.look_again(bench.api, bench.order, role="open").get(bench.refund.refund_id)
    return None if refund is None else refund.status


@rows(REVIEWS, lambda miss: JUDGED_BY.get(miss.member, "NEAR-08").replace("NEAR-03", "NEAR-08"), strict=False)
def test_a_review_in_another_spelling_is_refused_or_meant(
    spelled_reviews: Decided, review_bench: ReviewBench, row: str
) -> None:
    """A rejection that a lenient reader may take for a legal one rejects, or is refused and decides nothing."""
    answer = spelled_reviews.sent[row]
    review_bench.api.wire.show(answer.exchange)
    verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)
    if answer.accepted:
        verify.same(RefundStatus.CANCELED, spelled_reviews.status[row], "the status after the rejection")
    elif row in spelled_reviews.status:
        seen = spelled_reviews.status[row]
        verify.holds(seen in review_bench.api.pending, "a refund that is open after refused reviews", seen)


# Lists.


LIMITS = spellings(str(UNITS))


@pytest.fixture(scope="module")
def listed_order(api: RefundApi, new_order: NewOrder) -> Order:
    """An order with one refund more than the limits ask for."""
    order = new_order()
    for _ in range(UNITS + 1):
        verify.given_refund(api, order)
    return order


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement("NEAR-09", profile="full" if index % 2 else "standard"))
        for index, name in enumerate(LIMITS)
    ],
)
def test_a_limit_in_another_spelling_is_refused_or_meant(api: RefundApi, listed_order: Order, row: str) -> None:
    """A limit that a lenient reader may take for 2 lists two refunds, or all as without it, or is refused."""
    answer = api.list_refunds(listed_order, LIMITS[row])
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)
    if answer.accepted:
        if answer.refunds is None:
            raise Blocked(f"the list cannot be read: {answer.described}")
        listed = len({refund.refund_id for refund in answer.refunds})
        verify.holds(listed in {UNITS, UNITS + 1}, f"{UNITS} refunds, or all {UNITS + 1}", listed)
