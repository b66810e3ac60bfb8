"""A read that shows less than was known before it was asked for is asked again, once in vain at most."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from conformance.clock import VirtualClock
from conformance.http.client import RefundApi
from conformance.http.keys import KeyMaker
from conformance.http.limits import Limits
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.wire import Wire
from conformance.model import OrderId

ORDER = "60001"


def refund(refund_id: str, status: int = 1) -> dict[str, Any]:
    """Return a refund as a target shows it."""
    return {"refundId": refund_id, "status": status, "lineItems": []}


def api_of(*lists: list[dict[str, Any]]) -> tuple[RefundApi, list[str]]:
    """Return the API of a target that creates refund 1 and shows these lists, the last one for ever; and its reads."""
    reads: list[str] = []

    def lists_to_come() -> Iterator[list[dict[str, Any]]]:
        yield from lists
        while True:
            yield lists[-1]

    coming = lists_to_come()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, text=json.dumps({"refund": refund("1")}))
        reads.append(str(request.url))
        return httpx.Response(200, text=json.dumps({"refunds": next(coming)}))

    wire = Wire(
        clock=VirtualClock(), limits=Limits(), pace=Pace(), redact=Redactor([]), transport=httpx.MockTransport(answer)
    )
    return RefundApi(wire=wire, base_url="http://shop", token=None, keys=KeyMaker("0" * 12)), reads


def create(api: RefundApi) -> None:
    """Create refund 1 on the order."""
    api.create({"refund": {"orderId": ORDER, "requestNo": "K" * 20}})


def test_a_list_that_lacks_a_refund_is_asked_again_until_it_is_there() -> None:
    """The refund is found, and looks wait for that long from then on."""
    api, reads = api_of([], [], [refund("1")])
    create(api)

    assert [each.refund_id for each in api.list_refunds(OrderId(ORDER)).refunds or ()] == ["1"]
    assert len(reads) == 3
    assert api.wire.lag > 0


def test_a_refund_that_was_decided_is_not_taken_for_open_again() -> None:
    """A list that shows it open comes from a copy that is behind."""
    api, reads = api_of([refund("1", 3)], [refund("1", 1)], [refund("1", 3)])
    create(api)
    api.list_refunds(OrderId(ORDER))

    assert [each.status for each in api.list_refunds(OrderId(ORDER)).refunds or ()] == [3]
    assert len(reads) == 3


def test_what_never_shows_is_waited_for_once() -> None:
    """After one wait in vain a list is taken as it is."""
    api, reads = api_of([])
    create(api)
    assert api.list_refunds(OrderId(ORDER)).refunds == []
    so_far = len(reads)

    assert api.list_refunds(OrderId(ORDER)).refunds == []
    assert len(reads) == so_far + 1 > 2
    assert api.wire.lag == 0


def test_a_full_page_lacks_nothing() -> None:
    """A list that shows as many refunds as its limit allows need not show a certain one."""
    api, reads = api_of([refund("2")])
    create(api)

    api.list_refunds(OrderId(ORDER), 1)
    assert len(reads) == 1
