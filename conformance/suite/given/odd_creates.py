"""Creates that are valid but for one odd thing, and may be refused or carried out."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import define, frozen

from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.judging import arrange, verify
from conformance.model import Order, Refund
from conformance.outcome import Blocked
from conformance.suite.given.benches import NewOrder, selected_rows
from conformance.suite.given.senseless import (
    DEEP,
    HUGE,
    INJECTION,
    Send,
    accepted_of,
    answered,
    creating,
    exempt,
    labelled,
    put_in,
    raw,
    with_fields,
    with_line,
)


@frozen
class Odd:
    """A create that may be refused or carried out; ``units`` it may then take, ``None`` if that is judged elsewhere.

    A server may end the connection on a body that is ``huge`` (RFC 9110, 15.5.14).
    """

    send: Send
    units: tuple[int, ...] | None = (1,)
    huge: bool = False


def reason(text: str) -> Odd:
    """Return a create with a reason, written with escapes."""
    return Odd(creating(lambda body: raw(with_line(body, rightsReason=text))))


def reason_type(value: object) -> Odd:
    """Return a create with another kind of reason."""
    return Odd(creating(lambda body: with_line(body, rightsReasonType=value)))


def twice(body: dict[str, Any]) -> bytes:
    """Return a body that names a quantity of 1, and then one of 2."""
    return put_in('"1", "quantity": "2"', with_line(body, quantity="@"))


def nested(body: dict[str, Any]) -> bytes:
    """Return a body with an unknown member that is nested deeply."""
    return raw({"unknown": "@"} | body).replace(b'"@"', DEEP)


LONG = "A carrier with a long name. " * 12
OTHER_TYPES = {"shippingCarrierCode": {"code": 1}, "shippingCarrier": None, "trackingNumber": 123456789}
INJECTED_KEY = INJECTION + " %s\\/:\n"
ODD_CREATES: Mapping[str, tuple[str, Odd]] = {
    "a byte order mark": ("ROBUST-07", Odd(creating(lambda body: b"\xef\xbb\xbf" + raw(body)))),
    "UTF-16": ("ROBUST-07", Odd(creating(lambda body: json.dumps(body).encode("utf-16")))),
    "bytes that are no UTF-8": (
        "ROBUST-07", Odd(creating(lambda body: put_in('"@"', body).replace(b"Description", b"\xff\xfe\xc3"))),
    ),
    "half a character": ("ROBUST-07", reason("broken \ud83d")),
    "a NUL in the reason": ("ROBUST-08", reason("before\x00after")),
    "a NUL in the key": (
        "ROBUST-08", Odd(creating(lambda body: with_fields(body, requestNo=body["refund"]["requestNo"][:-1] + "\x00"))),
    ),
    "an emoji in the key": (
        "ROBUST-08", Odd(creating(lambda body: with_fields(body, requestNo=body["refund"]["requestNo"][:-1] + "📦"))),
    ),
    "an injection in the key": (
        "ROBUST-08",
        Odd(creating(lambda body: with_fields(body, requestNo=INJECTED_KEY + body["refund"]["requestNo"][:17]))),
    ),
    "text of all kinds in the reason": ("ROBUST-08", reason("😀 \u202ebackwards\u202c \ufffe ' OR 1=1;--")),
    "a reason of 300 kB": ("ROBUST-09", Odd(creating(lambda body: with_line(body, rightsReason=HUGE)), huge=True)),
    "an unknown member of 300 kB": ("ROBUST-09", Odd(creating(lambda body: body | {"unknown": HUGE}), huge=True)),
    "an unknown member 5000 levels deep": ("ROBUST-05", Odd(creating(nested))),
    "no content type": ("ROBUST-11", Odd(labelled(""))),
    "the content type of a form": ("ROBUST-11", Odd(labelled("application/x-www-form-urlencoded"))),
    "the content type of files": ("ROBUST-11", Odd(labelled("multipart/form-data"))),
    "another charset": ("ROBUST-11", Odd(labelled("application/json; charset=nonsense"))),
    "a reason type of 999": ("ROBUST-12", reason_type(999)),
    "a reason type of letters": ("ROBUST-12", reason_type("damaged")),
    "a reason type that is an object": ("ROBUST-12", reason_type({"type": 0})),
    "a reason that is an object": ("ROBUST-12", Odd(creating(lambda body: with_line(body, rightsReason={"no": 1})))),
    "logistics information that is a text": (
        "ROBUST-12", Odd(creating(lambda body: with_fields(body, shipping="by air"))),
    ),
    "optional fields that are null": (
        "ROBUST-12",
        Odd(
            creating(
                lambda body: with_fields(
                    with_line(body, rightsReason=None, rightsReasonType=None), customerId=None, rightsType=None
                )
            )
        ),
    ),
    "logistics information that is null": ("ROBUST-12", Odd(creating(lambda body: with_fields(body, shipping=None)))),
    "logistics information of other types": (
        "ROBUST-12",
        Odd(creating(lambda body: with_fields(body, shipping=OTHER_TYPES))),
    ),
    "an empty reason, and a long carrier alone": (
        "ROBUST-12",
        Odd(creating(lambda body: with_fields(with_line(body, rightsReason=""), shipping={"shippingCarrier": LONG}))),
    ),
    "a customer that is no number": ("ROBUST-12", Odd(creating(lambda body: with_fields(body, customerId="n/a")))),
    "a tracking number of 300 characters": (
        "ROBUST-09", Odd(creating(lambda body: with_fields(body, shipping={"trackingNumber": "T" * 300}))),
    ),
    "a quantity twice": ("ROBUST-10", Odd(creating(twice), (1, 2))),
    "a quantity of 400 digits": (
        "ROBUST-13", Odd(creating(lambda body: put_in("9" * 400, with_line(body, quantity="@"))), None),
    ),
    "a quantity of 1e400": (
        "ROBUST-13", Odd(creating(lambda body: put_in("1e400", with_line(body, quantity="@"))), None),
    ),
}  # fmt: skip


@define
class OddCreates:
    """Creates that may be refused or carried out, sent to one order, and the list of that order after the last."""

    api: RefundApi
    order: Order
    sent: dict[str, Answer]
    listed: Answer
    strays: set[str]

    def judge(self, row: str) -> None:
        """The create was answered; accepted, its refund is there, and refused, none is."""
        odd, answer = ODD_CREATES[row][1], self.sent[row]
        self.api.wire.show(answer.exchange)
        if odd.huge and answer.exchange.trouble is not None and "broke" in answer.exchange.trouble:
            self.listed.status  # noqa: B018 - it is blocked when nothing is answered any more
            return
        answered(self.api, answer)
        verify.decided(answer)
        verify.holds(row not in self.strays, "no refund after a refusal", f"{answer.described}, and a refund")
        if answer.accepted and odd.units is not None:
            self.is_there(answer.refund or verify.created(answer), odd.units)

    def is_there(self, told: Refund, units: tuple[int, ...]) -> None:
        """The refund is listed, with one of these numbers of units."""
        if self.listed.refunds is None:
            raise Blocked(f"the order cannot be listed any more (ROBUST-20): {self.listed.described}")
        there = {refund.refund_id: refund for refund in self.listed.refunds}
        if told.refund_id not in there and self.api.get_refund(self.order, told).accepted:
            raise Blocked(f"get shows refund {told.refund_id}, and only the list lacks it (LIST-01)")
        verify.holds(told.refund_id in there, f"refund {told.refund_id} in the list of its order", sorted(there))
        verify.holds(sum(verify.units_of(there[told.refund_id]).values()) in units, f"units: {units}", there)


@pytest.fixture(scope="session")
def odd_creates(
    request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder, accepted_create: Refund
) -> OddCreates:
    """Creates that are valid but for one odd thing."""
    order = new_order((60, "10.00"))
    chosen = selected_rows(request, ODD_CREATES) or ODD_CREATES  # all, when only what follows them is asked for
    sent = {name: exempt(odd.send(api, order)) for name, (_, odd) in chosen.items()}
    if len(accepted_of(sent)) == 1:  # the others may be refused only because that one is open (reading A27)
        with contextlib.suppress(Blocked):  # an order that cannot be listed any more is found out below
            for name in [name for name in sent if name not in accepted_of(sent)]:
                arrange.approve_open(api, order)
                sent[name] = exempt(chosen[name][1].send(api, order))
    listed, refused, strays = listed_again(api, order), sent.keys() - accepted_of(sent), set()
    if listed.refunds is not None and len(listed.refunds) > len(accepted_of(sent)):
        strays = {name for name in refused if leaves_a_refund(api, new_order(), chosen[name][1])}
    return OddCreates(api, order, sent, listed, strays)


def listed_again(api: RefundApi, order: Order) -> Answer:
    """Return the list of an order once everything already sent had the time to show."""
    answer = api.list_refunds(order)
    answer.exchange.role = "look"
    return answer


def leaves_a_refund(api: RefundApi, order: Order, odd: Odd) -> bool:
    """Say whether a create leaves a refund on an order of its own although it is refused."""
    answer = exempt(odd.send(api, order))
    return answer.exchange.trouble is None and answer.refused and bool(verify.look_list(api, order))
