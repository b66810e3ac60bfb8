"""Requests that no client should send: how they are made and judged, and creates that nobody can make sense of."""

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, API, RefundApi
from conformance.model import Action, Order, Refund
from conformance.outcome import Blocked, Failed, Unanswered
from conformance.running.plugin import requirement
from conformance.suite.given.benches import Bench, Probes, ReviewBench, selected_rows

APPROVE, REJECT = Action.APPROVE, Action.REJECT
INJECTION = "' OR '1'='1"
DEEP = b"[" * 5000 + b"]" * 5000
HUGE = "x" * 300_000
NOT_IMPLEMENTED = 501

Send = Callable[[RefundApi, Order], Answer]


def answered(api: RefundApi, answer: Answer) -> None:
    """The server answered, and not that it failed; a method not known at all may get 501 (RFC 9110, 15.6.2).

    Silence is its fault when the same request gets no answer twice more, while a plain one gets one each time.

    Raises:
        Blocked: the silence is nothing that this request causes.
    """
    if answer.exchange.trouble is not None:
        for _ in range(2):
            again = exempt(Answer(api.wire.repeat(answer.exchange)))
            exempt(api.list_refunds("0")).status  # noqa: B018 - it is blocked when nothing is answered any more
            if again.exchange.trouble is None:
                raise Blocked(f"no answer came at first, and one did later: {answer.exchange.trouble}")
        raise Unanswered("an answer", answer.exchange.trouble, answer.exchange)
    if answer.broken and answer.status != NOT_IMPLEMENTED:
        raise Failed("an acceptance or a refusal", answer.described, answer.exchange)


def raw(body: object) -> bytes:
    """Return a body as JSON in ASCII."""
    return json.dumps(body).encode()


def with_fields(body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the body of a create with other fields in its refund."""
    return {"refund": body["refund"] | fields}


def with_line(body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the body of a create with other fields in its line."""
    return with_fields(body, lineItems=[body["refund"]["lineItems"][0] | fields])


def creating(change: Callable[[dict[str, Any]], Any]) -> Send:
    """Return a create whose body is made from a valid one; bytes are sent as they are."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = change(api.create_body(order))
        if isinstance(body, bytes):
            return api.create(ABSENT, content=body)
        return api.create(body)

    return send


def labelled(content_type: str) -> Send:
    """Return a valid create under another content type; empty sends none."""
    return lambda api, order: api.create(api.create_body(order), headers={"Content-Type": content_type})


def put_in(text: str, body: dict[str, Any]) -> bytes:
    """Return a body where a mark was replaced by a text that is no value of JSON libraries."""
    return raw(body).replace(b'"@"', text.encode())


# Creates that must be refused.


REFUSED_CREATES: Mapping[str, tuple[str, Send]] = {
    "a body cut off": ("ROBUST-01", creating(lambda body: raw(body)[:-1])),
    "an empty body": ("ROBUST-01", creating(lambda _: b"")),
    "plain text": ("ROBUST-01", creating(lambda _: b"one refund, please")),
    "a quantity of NaN": ("ROBUST-01", creating(lambda body: put_in("NaN", with_line(body, quantity="@")))),
    "a list with the body in it": ("ROBUST-02", creating(lambda body: [body])),
    "null": ("ROBUST-02", creating(lambda _: None)),
    "a number": ("ROBUST-02", creating(lambda _: 7)),
    "a refund written as a text": ("ROBUST-03", creating(lambda body: {"refund": json.dumps(body["refund"])})),
    "a refund that is true": ("ROBUST-03", creating(lambda _: {"refund": True})),
    "5000 lists in each other": ("ROBUST-05", creating(lambda _: DEEP)),
    "an injection for the order": ("ROBUST-06", creating(lambda body: with_fields(body, orderId=INJECTION))),
    "an injection for the line": ("ROBUST-06", creating(lambda body: with_line(body, lineItemId=INJECTION))),
}
QUICK = frozenset({"a body cut off", "5000 lists in each other", "an injection for the line"})
"""Senseless creates that every run sends."""
FULL = frozenset({"a number", "plain text", "an injection for the order"})
"""Those of which a standard run sends something alike."""


@define
class Unanswerable(Probes):
    """Probes that must be refused, and in any case answered."""

    def judge(self, name: str) -> None:
        """The probe was answered, refused, and had no effect."""
        self.bench.api.wire.show(self.sent[name].exchange)
        answered(self.bench.api, self.sent[name])
        super().judge(name)


def rows(
    table: Mapping[str, tuple[str, Any]], *, quick: AbstractSet[str] = frozenset(), full: AbstractSet[str] = frozenset()
) -> pytest.MarkDecorator:
    """Return a row for each entry of a table, marked with its requirement and the least profile that it is sent in."""
    profiles = dict.fromkeys(quick, "quick") | dict.fromkeys(full, "full")
    return pytest.mark.parametrize(
        "row",
        [
            pytest.param(name, marks=requirement(identifier, profile=profiles.get(name, "standard")))
            for name, (identifier, _) in table.items()
        ],
    )


SAME_CREATES = {
    "a body cut off": "body cut off", "an empty body": "body left out", "a list with the body in it": "body in a list",
    "null": "body null", "a refund written as a text": "refund as text",
    "5000 lists in each other": "body nested deeply", "a quantity of NaN": "refund.lineItems.quantity as no number",
    "an injection for the line": "refund.lineItems.lineItemId as a condition",
}  # fmt: skip
"""Near misses that are the same, so that a run which sends them need not send these."""


@pytest.fixture(scope="session")
def refused_creates(request: pytest.FixtureRequest, create_bench: Bench, near_creates: Probes) -> Unanswerable:
    """Creates that nobody can make sense of."""
    probes = Unanswerable(create_bench)
    chosen = selected_rows(request, REFUSED_CREATES)
    probes.borrow(near_creates, {name: SAME_CREATES[name] for name in chosen.keys() & SAME_CREATES.keys()})
    probes.send({name: partial(send, create_bench.api) for name, (_, send) in chosen.items()})
    return probes


# Reviews, and any other request.


@define
class OpenRefund:
    """An order with an open refund for reviews that may be carried out."""

    api: RefundApi
    order: Order
    refund: Refund

    def body(self) -> dict[str, Any]:
        """Return a valid approval of the open refund."""
        return self.api.review_body(self.order.order_id, self.refund.refund_id, APPROVE)


Open = ReviewBench | OpenRefund


def reviewing(change: Callable[[dict[str, Any]], Any], **more: Any) -> Callable[[Open], Answer]:
    """Return a review whose body is made from a valid one; bytes are sent as they are."""

    def send(bench: Open) -> Answer:
        body = change(bench.body())
        if isinstance(body, bytes):
            return bench.api.review(bench.refund.refund_id, ABSENT, content=body, **more)
        return bench.api.review(bench.refund.refund_id, body, **more)

    return send


def sent_to(send: Callable[[Open], Answer], bench: Open, _: Order) -> Answer:
    """Send a probe to the bench, whose order it knows."""
    return send(bench)


def accepted_of(sent: Mapping[str, Answer]) -> set[str]:
    """Return which of the requests were accepted."""
    return {name for name, answer in sent.items() if answer.exchange.trouble is None and answer.accepted}


def exempt(answer: Answer) -> Answer:
    """Take an answer for that of a probe, whose form is not judged."""
    answer.exchange.role = "probe"
    answer.exchange.batched = answer.exchange.exempt = True
    return answer


def list_path(order_id: str) -> str:
    """Return the path of a list."""
    return f"{API}/orders/{quote(order_id, safe='', errors='surrogatepass')}/refunds"


def item_path(refund_id: str) -> str:
    """Return the path of a review."""
    return f"{API}/refunds/{quote(refund_id, safe='', errors='surrogatepass')}"
