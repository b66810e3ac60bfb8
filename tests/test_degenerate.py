"""Servers that are no implementation at all never come out conformant, and no check of an effect passes on them."""

import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import pytest
from attrs import evolve, frozen

from conformance.clock import VirtualClock
from conformance.outcome import Conclusion, Outcome
from conformance.reference.app import WSGI
from conformance.reference.server import Reference, make_reference

from .conftest import Judge, told

Start = Callable[..., Any]

# Requirements that only a server which does something can meet.
EFFECTS = re.compile(r"(IDEM-(0[239]|1\d|2[0-467]|3[0-3])|SHIP-(0[567]|1[01])|REVIEW-(0[1-4]|1[4-9]|2\d))")


@frozen
class Request:
    """What a degenerate server looks at."""

    method: str
    path: str
    body: bytes


@frozen
class Reply:
    """What it answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"


Respond = Callable[[Request], Reply]


def as_json(body: object, status: int = 200) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status, json.dumps(body).encode())


SAMPLE = {
    "refundId": "871200345", "customerId": "55501", "orderId": "66602", "status": "1", "rightsType": "1",
    "amount": '"3.00"', "createTime": "2024-12-02T10:00:00-05:00", "updateTime": "2024-12-02T10:00:00-05:00",
    "shipping": {"shippingCarrierCode": "", "shippingCarrier": "", "trackingNumber": ""},
    "lineItems": [{
        "totalTax": "0.00", "lineItem": {"productId": "77", "variantId": "88"}, "quantity": "3",
        "lineItemId": "99903", "subtotal": "1", "rightsReason": "It does not fit.", "rightsReasonType": "0",
    }],
}  # fmt: skip


def samples(request: Request) -> Reply:
    """Answer a record that looks right, whatever is asked."""
    return as_json(
        {"refunds": [SAMPLE]} if request.path.endswith("/refunds") and "orders" in request.path else {"refund": SAMPLE}
    )


def samples_and_empty_lists(request: Request) -> Reply:
    """Answer a record that looks right, and lists without any."""
    return as_json({"refunds": []}) if "/orders/" in request.path else as_json({"refund": SAMPLE})


def echo(request: Request) -> Reply:
    """Answer what was sent."""
    return Reply(200, request.body or b"{}")


def echoed_records(request: Request) -> Reply:
    """Answer a record made from what was sent, and remember nothing."""
    try:
        sent = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        sent = {}
    inside = sent.get("refund", sent) if isinstance(sent, dict) else {}
    record = SAMPLE | (inside if isinstance(inside, dict) else {})
    return as_json({"refunds": [record]} if "/orders/" in request.path else {"refund": record})


class Stateful:
    """Keeps no rule of the page, but keeps state."""

    def __init__(self) -> None:
        self.requests = 0


class FreshIds(Stateful):
    """Answers every request with another record."""

    def __call__(self, request: Request) -> Reply:
        """Count the records."""
        self.requests += 1
        record = SAMPLE | {"refundId": str(871200345 + self.requests)}
        return as_json({"refunds": [record]} if "/orders/" in request.path else {"refund": record})


DEGENERATE: dict[str, Callable[[], Respond]] = {
    "accepts everything": lambda: lambda _: as_json({}),
    "accepts everything without a body": lambda: lambda _: Reply(204),
    "answers an empty list": lambda: lambda _: as_json([]),
    "answers null": lambda: lambda _: as_json(None),
    "answers empty wrappers": lambda: lambda _: as_json({"refund": {}, "refunds": []}),
    "answers a wrapper of nothing": lambda: lambda _: as_json({"refund": None, "refunds": None}),
    "answers that all is well": lambda: lambda _: as_json({"code": 0, "message": "success"}),
    "refuses everything with 400": lambda: lambda _: as_json({"error": "no"}, 400),
    "refuses everything with 401": lambda: lambda _: as_json({"error": "no"}, 401),
    "refuses everything with 404": lambda: lambda _: Reply(404),
    "refuses everything with 409": lambda: lambda _: as_json({"error": "no"}, 409),
    "redirects everything": lambda: lambda _: Reply(302),
    "breaks on everything": lambda: lambda _: as_json({"error": "oops"}, 500),
    "is a web page": lambda: lambda _: Reply(200, b"<!DOCTYPE html><html><body>Welcome</body></html>", "text/html"),
    "is a page that is not there": lambda: lambda _: Reply(404, b"<html>Not found</html>", "text/html"),
    "answers text": lambda: lambda _: Reply(200, b"OK", "text/plain"),
    "answers half of a JSON text": lambda: lambda _: Reply(200, b'{"refund": {"refundId": "1"'),
    "answers bytes": lambda: lambda _: Reply(200, b"\xff\xfe\x00{}"),
    "answers samples": lambda: samples,
    "answers samples and empty lists": lambda: samples_and_empty_lists,
    "echoes": lambda: echo,
    "echoes records": lambda: echoed_records,
    "answers a fresh record each time": FreshIds,
}


def in_the_place_of(reference: Reference, respond: Respond) -> Reference:
    """Return the reference's orders with another API over them."""

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if "/_test/" in environ["PATH_INFO"]:
            return reference.app(environ, start)
        body = environ["wsgi.input"].read()
        reply = respond(Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], body))
        start(f"{reply.status} {HTTPStatus(reply.status).phrase}", [("Content-Type", reply.content_type)])
        return [reply.body]

    return evolve(reference, app=app)


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_degenerate_server_does_not_conform(judge: Judge, name: str) -> None:
    """It is non-conformant or cannot be judged, without an error of the suite, and passes no check of an effect."""
    run = judge(lambda clock: in_the_place_of(make_reference(clock=clock), DEGENERATE[name]()))

    assert told(run, Outcome.ERROR) == {}
    assert run.conclusion in {Conclusion.NON_CONFORMANT, Conclusion.INCOMPLETE}
    assert [name for name in told(run, Outcome.PASSED) if EFFECTS.match(name)] == []


def wrong_after(requests: int, wrong: Respond) -> Callable[[VirtualClock], Reference]:
    """Return the reference that is replaced by another server after so many requests."""

    def make(clock: VirtualClock) -> Reference:
        reference = make_reference(clock=clock)
        return evolve(reference, app=turning(reference.app, in_the_place_of(reference, wrong).app, requests))

    return make


def turning(right: WSGI, wrong: WSGI, requests: int) -> WSGI:
    """Return an application that is right at first and wrong after so many requests."""
    seen = 0

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        nonlocal seen
        seen += "/_test/" not in environ["PATH_INFO"]
        return (right if seen <= requests else wrong)(environ, start)

    return app


@pytest.mark.parametrize("name", ["accepts everything", "breaks on everything", "answers samples", "is a web page"])
@pytest.mark.parametrize("requests", [1, 4, 40])
def test_a_server_that_is_right_at_first_does_not_conform(judge: Judge, name: str, requests: int) -> None:
    """A server that answers well until it was called so often is found out, without an error of the suite."""
    run = judge(wrong_after(requests, DEGENERATE[name]()))

    assert told(run, Outcome.ERROR) == {}
    assert run.conclusion in {Conclusion.NON_CONFORMANT, Conclusion.INCOMPLETE}
