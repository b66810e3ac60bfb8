"""What a run reached, read off its traffic."""

import json
from typing import Any

import pytest

from conformance.generation.reach import Reached, documented, places_of
from conformance.http.client import TOKEN_HEADER
from conformance.http.exchange import Exchange, Request
from conformance.judging import contract


def sent(operation: str, url: str, body: Any = None, *, raw: bytes | None = None, token: str = "t") -> Exchange:
    """Return an exchange of an accepted request."""
    content = raw if raw is not None else None if body is None else json.dumps(body).encode()
    return Exchange(
        Request("GET", f"http://x/api/202412/{url}", {TOKEN_HEADER: token}, content), operation, "", status=200
    )


def create(**fields: Any) -> Exchange:
    """Return a create that is legal but for some fields; ``None`` leaves one out."""
    refund = contract.example_of("create")["refund"] | fields
    return sent("create", "refunds", {"refund": {name: v for name, v in refund.items() if v is not None}})


@pytest.mark.parametrize(
    ("exchange", "place"),
    [
        (create(orderId=None), ("orderId", "required")),
        (create(orderId="1 "), ("orderId", "pattern")),
        (create(orderId=-1), ("orderId", "minimum")),
        (create(orderId=[]), ("orderId", "type")),
        (create(requestNo="short"), ("requestNo", "minLength")),
        (create(rightsType=3), ("rightsType", "enum")),
        (create(lineItems=[]), ("lineItems", "minItems")),
        (sent("create", "refunds", [1]), ("body", "type")),
        (sent("create", "refunds", raw=b"{"), ("body", "syntax")),
        (sent("list", "orders/7/refunds?limit=251"), ("limit", "maximum")),
        (sent("list", "orders/7/refunds?limit=x"), ("limit", "type")),
        (sent("get", "refunds?orderId=7"), ("refundId", "required")),
        (sent("get", "refunds?orderId=7&refundId=8", token=""), (TOKEN_HEADER, "required")),
    ],
)
def test_what_a_request_breaks_is_told_by_parameter_and_keyword(exchange: Exchange, place: tuple[str, str]) -> None:
    """One edit is one place, and a place that the document knows."""
    assert list(places_of(exchange)) == [place]
    assert place in documented(exchange.operation)


def test_a_legal_request_reaches_every_parameter_it_has() -> None:
    """Down to the members of lines and parcels."""
    places = set(places_of(create()))

    assert {keyword for _, keyword in places} == {"legal"}
    assert {("orderId", "legal"), ("lineItems.quantity", "legal"), ("shipping.trackingNumber", "legal")} <= places


def test_what_was_never_tried_is_counted_as_not_reached() -> None:
    """There is a line for everything that the document tells apart."""
    reached = Reached()
    reached.note(create())
    lines = {(line.operation, line.parameter, line.keyword): line for line in reached.lines()}

    assert lines["create", "orderId", "legal"].accepted == 1
    assert lines["create", "orderId", "legal"].reached
    assert not lines["create", "orderId", "pattern"].reached
    assert len(lines) == sum(len(documented(operation)) for operation in contract.OPERATION_IDS)


def test_what_the_client_cannot_send_is_counted_as_that() -> None:
    """A value that never left is neither accepted nor refused."""
    reached = Reached()
    unsent = create(requestNo="short")
    unsent.status, unsent.unsent = None, True
    reached.note(unsent)
    lines = {(line.operation, line.parameter, line.keyword): line for line in reached.lines()}

    assert lines["create", "requestNo", "minLength"].unsent == 1
    assert not lines["create", "requestNo", "minLength"].reached
