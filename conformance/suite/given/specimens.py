"""Specimens: two refunds whose every answer is kept, when they are new and around their reviews."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.judging import verify
from conformance.model import CARRIER_CODE, Action, Order, Refund, RefundId
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import judged_by
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder

T = TypeVar("T")

PARCEL = {
    "shippingCarrierCode": f"00{CARRIER_CODE}",
    "shippingCarrier": "nørd  PARCEL & Söhne 北方",
    "trackingNumber": "00 3141-5926 53589793238462 6433",
}
PARCELS = (
    PARCEL,
    PARCEL | {"shippingCarrierCode": CARRIER_CODE},
    {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": "TRACK271828"},
)
"""What is sent in turn: a target may know only one carrier, or take only plain names and numbers."""
GAP = 3.5
"""Seconds between a create and its review, so that clocks which count whole seconds show that time has passed."""
OF_TIMES = {"RECORD-69", "RECORD-70", "RECORD-71", "RECORD-72", "RECORD-73", "RECORD-74", "RECORD-75"}
"""The requirements whose checks need that gap."""


def entry(answer: Answer, refund_id: RefundId | None = None) -> Refund | None:
    """Return the one refund of an accepted answer, or that of a list; ``None`` where it is not there or unreadable."""
    if answer.exchange.operation != "list":
        return answer.refund
    return next((refund for refund in answer.refunds or () if refund_id in {None, refund.refund_id}), None)


@define
class Specimen:
    """The first refund of an order: what was asked for, and what each operation answered while it was the only one.

    ``declined`` is the answer to what was asked for at first, where only a plain create was accepted, or a broken one.
    """

    order: Order
    parts: tuple[Part, ...]
    parcel: Mapping[str, str]
    declined: Answer | None
    answers: dict[str, Answer]
    born: float

    def insist(self, what: str) -> None:
        """Go on only if the create was accepted as it was meant, and not without its optional fields."""
        if self.declined is not None:
            verify.decided(self.declined)
            raise Blocked(f"a create {what} was refused: {self.declined.described}")

    @property
    def refund(self) -> Refund:
        """The refund in whichever answer it can be read."""
        return next(iter(self.shown.values()))

    @property
    def shown(self) -> dict[str, Refund]:
        """The refund as each answer shows it, by operation; where it cannot be read, that is judged by its fields."""
        read = {operation: entry(answer) for operation, answer in self.answers.items()}
        shown = {operation: refund for operation, refund in read.items() if refund is not None}
        if not shown:
            raise Blocked("the refund cannot be read in any answer")
        return shown


def make_specimen(api: RefundApi, order: Order, *parts: Part, forms: Sequence[Mapping[str, Any]]) -> Specimen:
    """Create a refund in the first form that is accepted, or plainly where none is; then list it and get it."""
    tried: list[Answer] = []
    for form in (*forms, {}):
        tried.append(created := api.create_refund(order, *parts, **form))
        if created.accepted:
            break
    else:
        raise Blocked(f"a refund could not be arranged: create answered {created.described}")
    declined = next((answer for answer in tried if answer.broken), None if form else tried[0])
    parcel = form.get("shipping", {})
    specimen = Specimen(order, parts, parcel, declined, {"create": created}, api.wire.clock.monotonic())
    specimen.answers["list"] = api.list_refunds(order)
    with contextlib.suppress(Blocked):  # without a readable id there is nothing to get
        specimen.answers["get"] = api.get_refund(order, specimen.refund)
    for answer in specimen.answers.values():
        answer.exchange.role = "probe"
    return specimen


@pytest.fixture(scope="session")
def specimen(api: RefundApi, new_order: NewOrder) -> Specimen:
    """A refund of two lines of one price, the second line first, with logistics information."""
    order = new_order((5, "10.00"), (7, "10.00"))
    first, second = order.lines[:2]
    parts = (Part(second, 3, "The second one is too small."), Part(first, 2, "A seam of the first one came apart."))
    return make_specimen(api, order, *parts, forms=[{"shipping": parcel} for parcel in PARCELS])


@pytest.fixture(scope="session")
def sibling(api: RefundApi, specimen: Specimen) -> Answer:
    """The answer to a create of a later refund of the specimen's order."""
    answer = api.create_refund(specimen.order)
    answer.exchange.role = "arrange"
    return answer


@pytest.fixture(scope="session")
def twin(api: RefundApi, new_order: NewOrder) -> Specimen:
    """A refund of one line on another order, created without customer and logistics information."""
    order = new_order()
    return make_specimen(api, order, Part(order.line, 1, "Not as described."), forms=[{"customer_id": ABSENT}])


@define
class Review:
    """A specimen around its review, which came seconds after the create if times are judged."""

    specimen: Specimen
    before: Refund | None
    answers: dict[str, Answer]
    after: Refund | None

    @property
    def seen(self) -> tuple[Refund, Refund]:
        """The refund before and after, by get."""
        if self.before is None or self.after is None:
            raise Blocked("the refund could not be got before the review, or not with a decision after it")
        return self.before, self.after


@pytest.fixture(scope="session")
def gap(request: pytest.FixtureRequest) -> float:
    """Seconds between the create of a specimen and its review: none in a run that judges no times."""
    return GAP if OF_TIMES & {judged_by(item) for item in request.session.items} else 0.0


def make_review(api: RefundApi, session: Session, specimen: Specimen, action: Action, gap: float) -> Review:
    """Review a specimen once its create is long enough ago, and look at it before and after."""
    order, refund = specimen.order, specimen.refund
    session.let_pass(specimen.born - session.began + gap)
    before = api.get_refund(order, refund)
    answer = api.review_refund(order, refund, action)
    before.exchange.role = answer.exchange.role = "probe"
    if not answer.accepted:
        raise Blocked(f"a review could not be arranged: it answered {answer.described}")
    after = until_decided(api, order, refund, action)
    listed = api.list_refunds(order)
    now = entry(listed, refund.refund_id)
    if after is not None and now is not None and now.status is not after.status:  # it moved on in between
        after = until_decided(api, order, refund, action)
    return Review(specimen, entry(before), {"review": answer, "list": listed}, after)


def until_decided(api: RefundApi, order: Order, refund: Refund, action: Action) -> Refund | None:
    """Return the refund once it was decided, or ``None`` when that cannot be seen; REVIEW judges decisions."""
    waiting = api.pending - api.ends_of(action)
    try:
        return verify.settles(
            api, lambda: verify.look_get(api, order, refund), lambda now: now.status not in waiting, "a decision"
        )
    except (Failed, Blocked):
        return None


@pytest.fixture(scope="session")
def approved(api: RefundApi, session: Session, specimen: Specimen, gap: float) -> Review:
    """The specimen, approved at the end of the run."""
    return make_review(api, session, specimen, Action.APPROVE, gap)


@pytest.fixture(scope="session")
def rejected(api: RefundApi, session: Session, twin: Specimen, gap: float) -> Review:
    """Its twin, rejected at the end of the run."""
    return make_review(api, session, twin, Action.REJECT, gap)


@contextlib.contextmanager
def control(reason: str) -> Iterator[None]:
    """Block a special case when its plain case, the block of code, already fails."""
    try:
        yield
    except Failed:
        raise Blocked(reason) from None


def readable(refunds: Mapping[str, Refund | None], read: Callable[[Refund], T | None], what: str) -> dict[str, T]:
    """Return a value by the operation that shows it; one that cannot be read is judged as a field of its own."""
    told = {operation: read(refund) for operation, refund in refunds.items() if refund is not None}
    found = {operation: value for operation, value in told.items() if value is not None}
    if not found:
        raise Blocked(f"no answer shows {what}")
    return found
