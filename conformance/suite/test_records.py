"""The record: every documented field in every answer that documents it, with the value that it should have."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from attrs import define

from conformance.catalogue import Catalogue, load_catalogue
from conformance.generation.books import SAMPLES, clocks
from conformance.http.client import ABSENT, Answer, Part, RefundApi, breaches
from conformance.judging import verify
from conformance.model import CARRIER_CODE, Action, Order, Refund, RefundId, RefundLine, RightsType, read_number
from conformance.results import Blocked, Failed
from conformance.running.plugin import judged_by, requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder

T = TypeVar("T")

PARCEL = {
    "shippingCarrierCode": CARRIER_CODE,
    "shippingCarrier": "nørd PARCEL & Söhne 北方",
    "trackingNumber": "0031415926535897932384",
}
GAP = 4.0
"""Seconds between a create and its review, so that clocks which count whole seconds show that time has passed."""
OF_TIMES = {"RECORD-69", "RECORD-70", "RECORD-71", "RECORD-72", "RECORD-73", "RECORD-74", "RECORD-75"}
"""The requirements whose checks need that gap."""
SLACK = timedelta(seconds=2)


def entry(answer: Answer, refund_id: RefundId | None = None) -> Refund | None:
    """Return the one refund of an accepted answer, or that of a list; ``None`` where it is not there or unreadable."""
    if answer.exchange.operation != "list":
        return answer.refund
    return next((refund for refund in answer.refunds or () if refund_id in {None, refund.refund_id}), None)


@define
class Specimen:
    """The first refund of an order: what was asked for, and what each operation answered while it was the only one."""

    order: Order
    parts: tuple[Part, ...]
    declined: Answer | None
    answers: dict[str, Answer]
    born: float

    def insist(self, what: str) -> None:
        """Go on only if the create was accepted as it was meant, and not without its optional fields."""
        if self.declined is not None:
            verify.holds(self.declined.status < 500, "an acceptance or a refusal", self.declined.described)
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


def make_specimen(api: RefundApi, order: Order, *parts: Part, **optional: Any) -> Specimen:
    """Create a refund with or without optional fields, or plainly where that is refused; then list it and get it."""
    declined, created = None, api.create_refund(order, *parts, **optional)
    if not created.accepted:
        declined, created = created, api.create_refund(order, *parts)
    if not created.accepted:
        raise Blocked(f"a refund could not be arranged: create answered {created.described}")
    specimen = Specimen(order, parts, declined, {"create": created}, api.wire.clock.monotonic())
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
    return make_specimen(api, order, *parts, shipping=PARCEL)


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
    return make_specimen(api, order, Part(order.line, 1, "Not as described."), customer_id=ABSENT)


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


# The documented fields.

FIELDS = [
    pytest.param(
        operation, wanted.field, marks=requirement(wanted.id, profile="quick", late=operation == "review"),
        id=f"{wanted.field} in {operation}",
    )
    for wanted in load_catalogue().requirements.values() if wanted.field is not None
    for operation in wanted.operations
]  # fmt: skip


@pytest.mark.parametrize(("operation", "field"), FIELDS)
def test_a_documented_field_is_there(
    request: pytest.FixtureRequest, catalogue: Catalogue, api: RefundApi, operation: str, field: str
) -> None:
    """The answer has the field under its name, with a legal value."""
    holder = request.getfixturevalue("approved" if operation == "review" else "specimen")
    answer: Answer | None = holder.answers.get(operation)
    if answer is None:
        raise Blocked("no answer shows the id of the refund")
    api.wire.show(answer.exchange)
    if not answer.accepted:
        raise Blocked(f"{operation} was not accepted: {answer.described}")
    for breach in breaches(answer):
        wanted = catalogue.documenting(operation, breach.field)
        if wanted is not None and wanted.field == field:
            expected = f"{breach.field} in the answer of {operation}, with a documented value"
            raise Failed(expected, f"{breach.field} {breach.problem}", answer.exchange)
    if not list(holders(answer, field)):
        raise Blocked(f"the answer of {operation} has nothing that could have {field}")


def holders(answer: Answer, field: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of an answer that should have a field."""
    wrapper = "refunds" if answer.exchange.operation == "list" else "refund"
    nodes = [answer.json]
    for name in ("" if field == wrapper else f"{wrapper}.{field}").split(".")[:-1]:
        nodes = [inner for node in objects(nodes) for inner in as_list(node.get(name))]
    return objects(nodes)


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and anything else as the only entry of one."""
    return value if isinstance(value, list) else [value]


def objects(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects among some values."""
    return (value for value in values if isinstance(value, dict))


@contextlib.contextmanager
def control(reason: str) -> Iterator[None]:
    """Block a special case when its plain case, the block of code, already fails."""
    try:
        yield
    except Failed:
        raise Blocked(reason) from None


# The lines.


@requirement("RECORD-52", profile="quick")
@pytest.mark.parametrize("operation", ["create", "get"])
def test_the_lines_are_those_asked_for(specimen: Specimen, operation: str) -> None:
    """Both lines are there, each once, and no other; unless they are stored wrongly, which CREATE judges by list."""
    told = readable({operation: specimen.shown.get(operation)}, lines_of, "the lines")[operation]
    listed = specimen.shown.get("list")
    if listed is None or told != lines_of(listed):
        verify.same(
            sorted(part.line.line_item_id for part in specimen.parts), told, f"the lines in the answer of {operation}"
        )


def lines_of(refund: Refund) -> list[str] | None:
    """Return the lines that a refund is about, if each of them can be read."""
    told = [line.line_item_id for line in refund.lines if line.line_item_id is not None]
    return sorted(map(str, told)) if refund.all_lines_read and len(told) == len(refund.lines) else None


def each_line(
    specimen: Specimen, read: Callable[[RefundLine], object], asked: Callable[[Part], object], what: str
) -> None:
    """In every answer each line shows what was asked for it; a line or a value that is not there is judged as such."""
    seen = 0
    for operation, refund in specimen.shown.items():
        lines = {line.line_item_id: line for line in refund.lines}
        for part in specimen.parts:
            line = lines.get(part.line.line_item_id)
            if line is not None and read(line) is not None:
                seen += 1
                where = f"{what} of line {part.line.line_item_id} in the answer of {operation}"
                verify.same(asked(part), read(line), where)
    if not seen:
        raise Blocked(f"no answer shows {what} of a line")


@requirement("RECORD-53", profile="quick")
@pytest.mark.parametrize("operation", ["create", "get"])
def test_each_line_shows_its_quantity(specimen: Specimen, operation: str) -> None:
    """Three units of the one line, two of the other; unless other units are stored, which CREATE judges by list."""
    refund = readable({operation: specimen.shown.get(operation)}, readable_units, "the units")[operation]
    asked = {part.line.line_item_id: Decimal(part.quantity) for part in specimen.parts}
    if lines_of(refund) != sorted(asked):
        raise Blocked("the lines are already not those that were asked for (RECORD-52)")
    listed = specimen.shown.get("list")
    if listed is None or refund.quantities != listed.quantities:
        verify.same(asked, refund.quantities, f"the units of each line in the answer of {operation}")


def readable_units(refund: Refund) -> Refund | None:
    """Return the refund if the units of each of its lines can be read."""
    return refund if refund.all_units_read else None


@requirement("RECORD-54", profile="quick")
def test_each_line_shows_its_reason(specimen: Specimen) -> None:
    """Each line has a reason of its own."""
    each_line(specimen, lambda line: line.reason, lambda part: part.reason, "the reason")


@requirement("RECORD-59", profile="quick")
def test_each_line_shows_its_reason_type(specimen: Specimen) -> None:
    """The reason type is 0, the only one that the page shows (reading A11)."""
    each_line(specimen, lambda line: read_number(line.reason_type), lambda _: 0, "the reason type")


@requirement("RECORD-62", profile="quick")
def test_each_line_shows_its_product_and_variant(session: Session, specimen: Specimen) -> None:
    """Product and variant are those of the order's line, as far as the order provider named them."""
    lines = [part.line for part in specimen.parts]
    if all(line.product_id for line in lines):
        each_line(specimen, lambda line: line.product_id, lambda part: part.line.product_id, "the product")
    if all(line.variant_id for line in lines):
        each_line(specimen, lambda line: line.variant_id, lambda part: part.line.variant_id, "the variant")
    if not any(line.product_id or line.variant_id for line in lines):
        session.observe("A07", "the order provider names neither products nor variants, so none could be compared")


LONG = "600 characters"
REASONS = {
    "quotes": ("RECORD-55", "It's \"broken\", and so is `that`"),
    "markup": ("RECORD-55", "<b>Broken</b> & <script>alert(1)</script> &amp; &lt;"),
    "percent": ("RECORD-55", "100% gone, *see* https://example.org/a?b=1#c %41 %s {0} ${x} + {{y}}"),
    "backslash": ("RECORD-55", 'C:\\new\\temp \\u0041 \\" \\\\'),
    "line break": ("RECORD-55", "The first line\nthe second\tand a tab"),
    "digits": ("RECORD-55", "0042"),
    "Chinese": ("RECORD-56", "包装破损，需要退款"),
    "accents": ("RECORD-56", "Déjà vu – naïve\u00a0Größe, ещё раз, مكسور"),
    "emoji": ("RECORD-56", "It came so 📦👎🏽"),
    "200 characters": ("RECORD-57", ("abcdefghi " * 20)[:199] + "."),
    "blanks": ("RECORD-58", "  two blanks on each side  "),
    LONG: ("RECORD-57", ("0123456789 " * 55)[:599] + "."),
}  # fmt: skip


@define
class Reasons:
    """Refunds with unusual reasons: what create, get and list answered, and which line has which."""

    parts: dict[str, Part]
    answers: dict[str, list[Answer]]


@pytest.fixture(scope="module")
def reasons(api: RefundApi, new_order: NewOrder, plain_reason: None) -> Reasons:
    """One refund without return with a line for each reason; where it is refused, without the long one, or one each."""
    order = new_order(*[(1, "10.00")] * len(REASONS))
    parts = {name: Part(line, 1, text) for (name, (_, text)), line in zip(REASONS.items(), order.lines, strict=False)}
    together = shown_by(api, order, *parts.values())
    if together[0].accepted:
        return Reasons(parts, dict.fromkeys(parts, together))
    shorter = shown_by(api, order, *(part for name, part in parts.items() if name != LONG))
    if shorter[0].accepted:
        return Reasons(parts, dict.fromkeys(parts, shorter) | {LONG: together})
    orders = {name: new_order() for name in parts}
    alone = {name: Part(orders[name].line, 1, part.reason) for name, part in parts.items()}
    return Reasons(alone, {name: shown_by(api, orders[name], part) for name, part in alone.items()})


def shown_by(api: RefundApi, order: Order, *parts: Part) -> list[Answer]:
    """Return what create answers, and get and list after it was accepted."""
    answers = [api.create_refund(order, *parts, rights_type=RightsType.REFUND)]
    if answers[0].accepted and answers[0].refund is not None:
        if api.wire.lag:
            verify.await_visible(api, order, answers[0].refund)
        answers += [api.get_refund(order, answers[0].refund), api.list_refunds(order)]
    for answer in answers:
        answer.exchange.role = "probe"
    return answers


@pytest.fixture(scope="module")
def plain_reason(specimen: Specimen) -> None:
    """The control of every unusual reason: a plain one is shown as it was given."""
    with control("a plain reason is already not shown as it was given (RECORD-54)"):
        test_each_line_shows_its_reason(specimen)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=requirement(identifier)) for name, (identifier, _) in REASONS.items()]
)
def test_an_unusual_reason_stays_as_it_is(session: Session, reasons: Reasons, name: str) -> None:
    """The reason is shown to the letter, or the create is refused (reading A12)."""
    part, answers = reasons.parts[name], reasons.answers[name]
    verify.holds(answers[0].status < 500, "an acceptance or a refusal", answers[0].described)
    if answers[0].refused:
        session.observe("A12", f"a reason like {part.reason[:40]!r} is refused")
        return
    shown = [line for answer in answers if (refund := entry(answer)) for line in refund.lines]
    told = [line.reason for line in shown if line.line_item_id == part.line.line_item_id and line.reason is not None]
    if not told:
        raise Blocked("no answer shows the reason of the line")
    for reason in told:
        verify.same(part.reason, reason, "the reason")


# The refund.


def readable(refunds: Mapping[str, Refund | None], read: Callable[[Refund], T | None], what: str) -> dict[str, T]:
    """Return a value by the operation that shows it; one that cannot be read is judged as a field of its own."""
    told = {operation: read(refund) for operation, refund in refunds.items() if refund is not None}
    found = {operation: value for operation, value in told.items() if value is not None}
    if not found:
        raise Blocked(f"no answer shows {what}")
    return found


def each_answer(specimen: Specimen, read: Callable[[Refund], object], expected: object, what: str) -> None:
    """Every answer that shows a value shows the expected one."""
    for operation, value in readable(specimen.shown, read, what).items():
        verify.same(expected, value, f"{what} in the answer of {operation}")


def customer_of(refund: Refund) -> str | None:
    """Return the customer of a refund, if it is named by a number."""
    return refund.customer_id if refund.customer_id is not None and refund.customer_id.isdecimal() else None


@requirement("RECORD-60", profile="quick")
def test_the_customer_is_the_order_s(specimen: Specimen) -> None:
    """Create, list and get name the customer of the order."""
    each_answer(specimen, customer_of, specimen.order.customer_id, "the customer")


@requirement("RECORD-60", late=True)
def test_the_customer_stays_the_same(approved: Review) -> None:
    """After other customers' refunds get still names the one of the order."""
    told = readable({"get": approved.before}, customer_of, "the customer")
    verify.same(approved.specimen.order.customer_id, told["get"], "the customer in a later answer of get")


@requirement("RECORD-61")
def test_the_customer_is_known_without_being_named(specimen: Specimen, twin: Specimen) -> None:
    """A create without customerId makes a refund of the order's customer all the same."""
    with control("the customer is already another than the order's when it is named (RECORD-60)"):
        test_the_customer_is_the_order_s(specimen)
    twin.insist("without customerId")
    each_answer(twin, customer_of, twin.order.customer_id, "the customer")


@requirement("RECORD-63")
@pytest.mark.parametrize("which", ["specimen", "twin"])
def test_create_names_the_order_of_the_request(request: pytest.FixtureRequest, which: str) -> None:
    """The orderId in the answer is the one that was sent."""
    made: Specimen = request.getfixturevalue(which)
    told = readable({"create": made.shown.get("create")}, lambda refund: refund.order_id, "the order")
    verify.same(made.order.order_id, told["create"], "the order in the answer of create")


@pytest.mark.parametrize(
    "operation",
    [pytest.param(name, marks=requirement("RECORD-42", late=name == "review")) for name in ("list", "get", "review")],
)
def test_an_order_that_is_named_is_the_refund_s(request: pytest.FixtureRequest, operation: str) -> None:
    """Review, list and get need not name the order (reading A16); if they do, it is the right one."""
    holder = request.getfixturevalue("approved" if operation == "review" else "specimen")
    refund = entry(holder.answers[operation]) if operation in holder.answers else None
    order: Order = request.getfixturevalue("specimen").order
    if refund is not None and refund.order_id is not None:
        verify.same(order.order_id, refund.order_id, f"the order in the answer of {operation}")


@requirement("RECORD-64")
@pytest.mark.parametrize("rights_type", list(RightsType), ids=["1", "2"])
@pytest.mark.parametrize("operation", ["create", "get"])
def test_the_type_is_the_one_asked_for(
    request: pytest.FixtureRequest, specimen: Specimen, operation: str, rights_type: RightsType
) -> None:
    """Create and get show the type of the request; that it is stored, SHIP judges by list."""
    told = specimen.shown
    if rights_type is RightsType.REFUND:
        of_type_2: Reasons = request.getfixturevalue("reasons")
        seen = next((seen for seen in of_type_2.answers.values() if seen[0].accepted), [])
        told = {answer.exchange.operation: refund for answer in seen if (refund := entry(answer))}
    shown = readable(told, lambda refund: refund.rights_type, "the type")
    if operation not in shown:
        raise Blocked(f"the answer of {operation} shows no type")
    verify.same(rights_type, shown[operation], f"the type in the answer of {operation}")


def parcel(refund: Refund) -> dict[str, str]:
    """Return the documented logistics information that a refund shows."""
    return {name: text for name, text in refund.shipping.items() if name in PARCEL}


@requirement("RECORD-65")
def test_logistics_information_shows_up(specimen: Specimen) -> None:
    """What was sent shows up somewhere, and nowhere with another value (reading A13)."""
    specimen.insist("with logistics information")
    shown = {item for refund in specimen.shown.values() for item in parcel(refund).items()}
    verify.same(sorted(PARCEL.items()), sorted(shown), "the logistics information that the answers show")


@requirement("RECORD-65", late=True)
def test_logistics_information_survives_the_review(approved: Review) -> None:
    """What get showed before the review it shows after it."""
    before, after = approved.seen
    verify.same(parcel(before), parcel(after), "the logistics information")


@requirement("RECORD-66")
def test_no_foreign_logistics_information_shows_up(
    session: Session, specimen: Specimen, sibling: Answer, twin: Specimen
) -> None:
    """Refunds created without any, of the same order and of another, show none of another's or the samples'."""
    later = {} if sibling.refund is None else {"create, for a later refund of the order": sibling.refund}
    for operation, refund in (twin.shown | later).items():
        shown = parcel(refund)
        foreign = (SAMPLES | set(PARCEL.values())) & set(shown.values())
        verify.holds(not foreign, f"no logistics information in the answer of {operation}", shown)
        if shown:
            session.observe("A14", "a refund without logistics information shows some all the same")


@requirement("RECORD-67")
def test_ids_are_unique_across_orders(accepted_create: Refund, specimen: Specimen, twin: Specimen) -> None:
    """Refunds of three orders have three ids."""
    told = [accepted_create.refund_id, specimen.refund.refund_id, twin.refund.refund_id]
    verify.same(len(told), len(set(told)), f"different ids among {', '.join(told)}")


@requirement("RECORD-67", profile="quick", late=True)
def test_no_id_was_given_twice_in_the_run(api: RefundApi) -> None:
    """No create of the run made a refund of other lines under an id that an earlier one was told."""
    if api.twice:
        first = api.twice[0]
        seen = f"{first.described}, with a refundId that was told before"
        raise Failed("a refundId of its own for each refund", seen, first.exchange)


@requirement("RECORD-76", profile="quick")
def test_create_answers_the_status_that_is_stored(specimen: Specimen) -> None:
    """The answer to a create shows the status that list or get shows right after it."""
    told = readable(specimen.shown, lambda refund: refund.status, "the status")
    if len(told) < 3:
        raise Blocked("not every answer shows the status")
    verify.holds(
        told["create"] in {told["list"], told["get"]}, f"status {verify.shown(told['get'])} in the answer of create",
        verify.shown(told["create"]),
    )  # fmt: skip


# The times.


def instant(time: datetime) -> datetime:
    """Return a time with an offset; one that came without is taken for UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def apart(one: datetime, other: datetime) -> timedelta:
    """Return how much later the other time is; nothing where only one of them has an offset (reading A08)."""
    if (one.tzinfo is None) != (other.tzinfo is None):
        return timedelta(0)
    return instant(other) - instant(one)


def some_near(session: Session, told: Mapping[str, datetime], answer: Answer, what: str) -> None:
    """A time is the present one, by the server's clock or ours, in some answer; that the others agree is judged apart.

    Without an offset it can be off by any offset there is.
    """
    off = timedelta(hours=0 if any(time.tzinfo for time in told.values()) else 14)
    if off:
        session.observe("A08", "times have no offset")
    closest, now, tolerance = min(
        ((time, now, tolerance) for time in told.values() for now, tolerance in clocks(answer.exchange)),
        key=lambda seen: abs(instant(seen[0]) - seen[1]) - seen[2],
    )
    verify.holds(abs(instant(closest) - now) <= tolerance + off, f"{what} near {now.isoformat()}", closest.isoformat())


def all_alike(told: Mapping[str, datetime], what: str) -> None:
    """All answers show one time, but for two seconds."""
    first = next(iter(told.values()))
    for operation, time in told.items():
        expected = f"{what} {first.isoformat()} in the answer of {operation}"
        verify.holds(abs(apart(first, time)) <= SLACK, expected, time.isoformat())


@requirement("RECORD-68", profile="quick")
def test_a_new_refund_was_created_now(session: Session, specimen: Specimen) -> None:
    """The createTime is the time of the create."""
    told = readable(specimen.shown, lambda refund: refund.create_time, "createTime")
    some_near(session, told, specimen.answers["create"], "createTime")


def when(identifier: str) -> pytest.MarkDecorator:
    """Mark a check that is made on a new refund and, at the end of the run, on the reviewed one."""
    rows = [
        pytest.param("created", marks=requirement(identifier)),
        pytest.param("reviewed", marks=requirement(identifier, late=True)),
    ]
    return pytest.mark.parametrize("when", rows)


def shown_when(request: pytest.FixtureRequest, when: str) -> tuple[dict[str, Refund | None], Answer]:
    """Return the specimen by operation when it was new, or after its review; and the answer that made it so."""
    if when == "created":
        made: Specimen = request.getfixturevalue("specimen")
        return dict(made.shown), made.answers["create"]
    review: Review = request.getfixturevalue("approved")
    listed = entry(review.answers["list"], review.specimen.refund.refund_id)
    return {"list": listed, "get": review.after}, review.answers["review"]


@when("RECORD-69")
def test_a_refund_was_updated_when_it_changed(request: pytest.FixtureRequest, session: Session, when: str) -> None:
    """The updateTime is the time of the create, and then that of the review (reading A09)."""
    refunds, answer = shown_when(request, when)
    some_near(session, readable(refunds, lambda refund: refund.update_time, "updateTime"), answer, "updateTime")


@when("RECORD-70")
def test_no_refund_was_updated_before_it_was_created(request: pytest.FixtureRequest, when: str) -> None:
    """The updateTime is not before the createTime, but for two seconds."""
    refunds, answer = shown_when(request, when)
    refunds.setdefault(answer.exchange.operation, entry(answer))
    for operation, (created, updated) in readable(refunds, times, "both times").items():
        expected = f"updateTime from {created.isoformat()} on in the answer of {operation}"
        verify.holds(apart(created, updated) >= -SLACK, expected, updated.isoformat())


def times(refund: Refund) -> tuple[datetime, datetime] | None:
    """Return both times, if both can be read."""
    if refund.create_time is None or refund.update_time is None:
        return None
    return refund.create_time, refund.update_time


@when("RECORD-71")
def test_the_create_time_never_changes(request: pytest.FixtureRequest, specimen: Specimen, when: str) -> None:
    """Create, list and get show one createTime; so do review, list and get, seconds later."""
    refunds, answer = shown_when(request, when)
    refunds.setdefault(answer.exchange.operation, entry(answer))
    later = {f"{operation} in the end": refund for operation, refund in refunds.items()}
    all_alike(readable(specimen.shown | later, lambda refund: refund.create_time, "createTime"), "createTime")


@requirement("RECORD-71", late=True)
def test_a_rejection_answers_with_the_create_time(twin: Specimen, rejected: Review) -> None:
    """A rejection, seconds after the create, answers with the createTime that was there before."""
    shown = twin.shown | {"review": entry(rejected.answers["review"])}
    all_alike(readable(shown, lambda refund: refund.create_time, "createTime"), "createTime")


@pytest.mark.parametrize(
    "which",
    [
        pytest.param("approved", marks=requirement("RECORD-72", late=True)),
        pytest.param("rejected", marks=requirement("RECORD-73", late=True)),
    ],
)
def test_a_review_moves_the_update_time(
    request: pytest.FixtureRequest, api: RefundApi, session: Session, which: str
) -> None:
    """Seconds lie between create and review, and get shows it."""
    review: Review = request.getfixturevalue(which)
    told = readable(dict(zip(("before", "after"), review.seen, strict=True)), lambda r: r.update_time, "updateTime")
    if len(told) < 2:
        raise Blocked("updateTime cannot be read before and after the review")
    if review.after is not None and review.after.status in api.pending:
        session.observe("A37", "an approval is under way for long, and has not moved updateTime yet")
        return
    if all(time.second == time.microsecond == 0 for time in told.values()):
        session.observe("A08", "times are given to the minute, so that a review within one cannot move them")
        return
    verify.holds(
        apart(told["before"], told["after"]) > timedelta(0), f"updateTime after {told['before'].isoformat()}",
        told["after"].isoformat(),
    )  # fmt: skip


@requirement("REVIEW-19", late=True)
def test_an_approval_does_not_move_the_update_time_of_another_refund(sibling: Answer, approved: Review) -> None:
    """The review of the order's first refund, seconds after both were created, leaves the later one as it was."""
    if sibling.refused:
        return  # as a second open refund may be (reading A27)
    told = sibling.refund
    if sibling.exchange.second_hand or (told is not None and told.refund_id == approved.specimen.refund.refund_id):
        raise Blocked("the later refund has the id of an earlier one (RECORD-67)")
    now = None if told is None else entry(approved.answers["list"], told.refund_id)
    if told is None or now is None or told.update_time is None or now.update_time is None:
        raise Blocked("the updateTime of the later refund cannot be read before and after the review")
    if now.restless:
        return
    verify.holds(
        abs(apart(told.update_time, now.update_time)) <= SLACK, f"updateTime {told.update_time.isoformat()}",
        now.update_time.isoformat(),
    )  # fmt: skip


@requirement("RECORD-74", late=True)
def test_reading_does_not_move_the_update_time(specimen: Specimen, approved: Review) -> None:
    """What get showed at first it shows seconds and several reads later, as long as the status is the same."""
    first, later = specimen.shown.get("get"), approved.before
    if first is None or later is None or (first.refund_id, first.status) != (later.refund_id, later.status):
        raise Blocked("there are no two gets of the refund in one state")
    if later.restless:
        return
    verify.same(first.update_time, later.update_time, "updateTime")


@when("RECORD-75")
def test_all_answers_show_one_update_time(request: pytest.FixtureRequest, when: str) -> None:
    """Create, list and get show the same; so do list and get after the review, as long as they show one status."""
    refunds, _ = shown_when(request, when)
    if len({refund.status for refund in refunds.values() if refund is not None}) > 1:
        raise Blocked("the answers do not show the refund in one state")
    if any(refund.restless for refund in refunds.values() if refund is not None):
        return
    all_alike(readable(refunds, lambda refund: refund.update_time, "updateTime"), "updateTime")
