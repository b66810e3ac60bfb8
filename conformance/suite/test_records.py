"""The record: every documented field in every answer, and the values of the refund as a whole."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from conformance.catalogue import Catalogue, load_catalogue
from conformance.generation.books import SAMPLES
from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.judging import contract, verify
from conformance.model import Order, Refund, RightsType
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.reasons import Reasons
from conformance.suite.given.specimens import PARCEL, Review, Specimen, control, entry, readable

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
    for breach in contract.breaches_in(answer):
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


# The refund.


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


@requirement("RECORD-65", profile="quick")
def test_logistics_information_shows_up(specimen: Specimen) -> None:
    """What was sent shows up somewhere, and nowhere with another value (reading A13)."""
    specimen.insist("with logistics information")
    shown = {item for refund in specimen.shown.values() for item in parcel(refund).items()}
    verify.same(sorted(specimen.parcel.items()), sorted(shown), "the logistics information that the answers show")


@requirement("RECORD-65", profile="quick", late=True)
def test_logistics_information_survives_the_review(approved: Review) -> None:
    """What get showed before the review it shows after it."""
    before, after = approved.seen
    verify.same(parcel(before), parcel(after), "the logistics information")


@requirement("RECORD-66")
def test_no_foreign_logistics_information_shows_up(
    api: RefundApi, session: Session, specimen: Specimen, sibling: Answer, twin: Specimen
) -> None:
    """Refunds created without any, of the same order and of another, show none of another's or the samples'."""
    later = {} if sibling.refund is None else {"create, for a later refund of the order": sibling.refund}
    for operation, refund in (twin.shown | later).items():
        shown = parcel(refund)
        foreign = ((SAMPLES | set(specimen.parcel.values())) & set(shown.values())) - set(api.plain_parcel.values())
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
