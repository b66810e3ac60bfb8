"""The OpenAPI document: valid, complete, and its examples what it says."""

from decimal import Decimal
from typing import Any

import pytest
from openapi_spec_validator import validate

from conformance.catalogue import OPERATIONS, load_catalogue
from conformance.judging import contract
from conformance.model import LineItem, LineItemId, Order, OrderId
from conformance.reference.server import make_reference
from conformance.running.session import open_session

DOCUMENT = contract.load_document()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def valid(schema: str, value: object) -> bool:
    """Say whether a value is what a schema of the document allows."""
    return bool(contract.validator({"$ref": f"#/components/schemas/{schema}"}).is_valid(value))


def test_the_document_is_valid_openapi() -> None:
    """It passes the validator for OpenAPI 3.1."""
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_examples_are_valid_against_their_schemas(schema: str) -> None:
    """What is shown is allowed."""
    for example in SCHEMAS[schema].get("examples", []):
        assert valid(schema, example)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ("RequestNo", ["k" * 20, "k" * 50], ["k" * 19, "k" * 51, "", None, 10**29]),
        ("Id", [1, "1", 2**70, str(2**70)], [0, "0", "", "01", -1, "1\n", "x", None, True, 1.5]),
        ("ShownId", [1, "1", "01", 2**70, str(2**70)], [0, "0", "00", "", -1, "1\n", "x", None, True, 1.5]),
        ("Status", [1, "5"], [0, 6, "6", "", None, "done"]),
        ("RightsType", [1, "2"], [0, 3, "", None]),
        ("Money", [1, "1.00", '"1.00"', "0", 10.5], ["1,000.00", "$1", "", None, "abc", "-1"]),
        ("Timestamp", ["2013-06-27T08:48:27-04:00", "20130627T084827Z"], ["yesterday", "", 1372337307, None]),
        ("ReviewAction", [1, "2"], [0, 3, "approve", None, True]),
    ],
)
def test_values_are_told_apart(schema: str, good: list[object], bad: list[object]) -> None:
    """Both wire forms are allowed, and the nearest misses are not."""
    assert [value for value in good if not valid(schema, value)] == []
    assert [value for value in bad if valid(schema, value)] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_names_the_scopes_of_which_any_suffices(operation: str) -> None:
    """Writes take either of two scopes, reads the one."""
    scopes = [scope for each in contract.operation_object(operation)["security"] for scope in each["token"]]
    writes = ["write_refunds", "write_refund"]

    assert scopes == (writes if operation in {"create", "review"} else ["read_refunds"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_breach_has_a_requirement(operation: str) -> None:
    """Whatever a field is broken in, the catalogue has who is to be told."""
    bodies: list[Any] = [
        {},
        [],
        None,
        {"refund": None, "refunds": None},
        {"refund": {}, "refunds": [{}]},
        {"refunds": [[]]},
    ]
    for body in bodies:
        for breach in contract.breaches_of(operation, body):
            assert load_catalogue().documenting(breach.operation, breach.field) is not None, breach


def test_our_own_requests_are_what_the_document_allows() -> None:
    """The plain create and review of the client break nothing."""
    session = open_session(make_reference().target("http://reference"))
    line = LineItem(LineItemId("56"), 5, Decimal("10.00"))
    order = Order(OrderId("12"), "34", shipped=True, lines=(line,))
    api = session.shop.api

    assert contract.request_problem("create", api.create_body(order)) is None
    assert contract.request_problem("review", api.review_body("12", "78", 1)) is None
    session.close()


@pytest.mark.parametrize("value", ["\ud83d", 10**400, Decimal("1E+500"), {"\udfff": [None] * 3}, "x" * 100_000])
def test_whatever_json_a_server_sends_is_validated(value: object) -> None:
    """Lone surrogates and huge numbers are breaches or none, and never stop the run."""
    for operation in OPERATIONS:
        wrapper = "refunds" if operation == "list" else "refund"
        record = {"refundId": value, "amount": value, "lineItems": [{"rightsReason": value}]}
        body = {wrapper: [record] if operation == "list" else record}
        assert list(contract.breaches_of(operation, body))
