"""What no client should send: it is refused or carried out, and the server goes on."""

import contextlib
import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from attrs import define, frozen

from conformance.generation.strangers import unknown
from conformance.http.client import ABSENT, API, TOKEN_HEADER, Answer, RefundApi
from conformance.judging import verify
from conformance.model import Action, Order, OrderId, Refund, RefundId, RefundStatus
from conformance.results import Blocked, Failed, Unanswered
from conformance.running.plugin import requirement
from conformance.running.session import Session, Shop
from conformance.suite.given.benches import Bench, NewOrder, Probe, Probes, ReviewBench, selected_rows

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
    fine = answer.status < 500 or answer.status == NOT_IMPLEMENTED
    verify.holds(fine, "an acceptance or a refusal", answer.described)


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
SAME_REVIEWS = {
    "a body cut off": "body cut off", "an empty body": "body left out",
    "5000 lists in each other": "body nested deeply",
}  # fmt: skip
"""Near misses that are the same, so that a run which sends them need not send these."""


@pytest.fixture(scope="module")
def refused_creates(request: pytest.FixtureRequest, create_bench: Bench, near_creates: Probes) -> Unanswerable:
    """Creates that nobody can make sense of."""
    probes = Unanswerable(create_bench)
    chosen = selected_rows(request, REFUSED_CREATES)
    probes.borrow(near_creates, {name: SAME_CREATES[name] for name in chosen.keys() & SAME_CREATES.keys()})
    probes.send({name: partial(send, create_bench.api) for name, (_, send) in chosen.items()})
    return probes


@rows(REFUSED_CREATES, quick=QUICK, full=FULL)
def test_a_senseless_create_is_refused(refused_creates: Unanswerable, row: str) -> None:
    """A create that nobody can make sense of is refused, and leaves no refund behind."""
    refused_creates.judge(row)


# Reviews that must be refused.


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


def of_refund(refund_id: str) -> Callable[[Open], Answer]:
    """Return a review whose path and body name something that is no refund."""
    return lambda bench: bench.api.review(refund_id, bench.body() | {"refundId": refund_id})


REFUSED_REVIEWS: Mapping[str, tuple[str, Callable[[Open], Answer]]] = {
    "a body cut off": ("ROBUST-04", reviewing(lambda body: raw(body)[:-1])),
    "an empty body": ("ROBUST-04", reviewing(lambda _: b"")),
    "plain text": ("ROBUST-04", reviewing(lambda _: b"approved")),
    "5000 lists in each other": ("ROBUST-05", reviewing(lambda _: DEEP)),
    "an injection for the order": ("ROBUST-06", reviewing(lambda body: body | {"orderId": INJECTION})),
    "an injection for the refund": ("ROBUST-06", of_refund(INJECTION)),
}


@pytest.fixture(scope="module")
def refused_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench, near_reviews: Probes) -> Unanswerable:
    """Reviews that nobody can make sense of."""
    probes = Unanswerable(review_bench)
    chosen = selected_rows(request, REFUSED_REVIEWS)
    probes.borrow(near_reviews, {name: SAME_REVIEWS[name] for name in chosen.keys() & SAME_REVIEWS.keys()})
    probes.send({name: partial(sent_to, send, review_bench) for name, (_, send) in chosen.items()})
    return probes


def sent_to(send: Callable[[Open], Answer], bench: Open, _: Order) -> Answer:
    """Send a probe to the bench, whose order it knows."""
    return send(bench)


@rows(REFUSED_REVIEWS, full={"an injection for the order"})
def test_a_senseless_review_is_refused(refused_reviews: Unanswerable, row: str) -> None:
    """A review that nobody can make sense of is refused, and decides nothing."""
    refused_reviews.judge(row)


# Creates that may be refused or carried out.


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
        Odd(creating(lambda body: with_fields(body, requestNo=INJECTION + body["refund"]["requestNo"][:17]))),
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
        verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)
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


@pytest.fixture(scope="module")
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
                verify.approve_open(api, order)
                sent[name] = exempt(chosen[name][1].send(api, order))
    listed, refused, strays = listed_again(api, order), sent.keys() - accepted_of(sent), set()
    if listed.refunds is not None and len(listed.refunds) > len(accepted_of(sent)):
        strays = {name for name in refused if leaves_a_refund(api, new_order(), chosen[name][1])}
    return OddCreates(api, order, sent, listed, strays)


def accepted_of(sent: Mapping[str, Answer]) -> set[str]:
    """Return which of the requests were accepted."""
    return {name for name, answer in sent.items() if answer.exchange.trouble is None and answer.accepted}


def exempt(answer: Answer) -> Answer:
    """Take an answer for that of a probe, whose form is not judged."""
    answer.exchange.role = "probe"
    answer.exchange.batched = answer.exchange.exempt = True
    return answer


def listed_again(api: RefundApi, order: Order) -> Answer:
    """Return the list of an order once everything already sent had the time to show."""
    answer = api.list_refunds(order)
    answer.exchange.role = "look"
    return answer


def leaves_a_refund(api: RefundApi, order: Order, odd: Odd) -> bool:
    """Say whether a create leaves a refund on an order of its own although it is refused."""
    answer = exempt(odd.send(api, order))
    return answer.exchange.trouble is None and answer.refused and bool(verify.look_list(api, order))


@rows(
    ODD_CREATES,
    full={"a reason type of letters", "the content type of files", "an unknown member 5000 levels deep"},
)
def test_an_odd_create_is_refused_or_carried_out(odd_creates: OddCreates, row: str) -> None:
    """The create gets an answer, and is one of the two."""
    odd_creates.judge(row)


# Reviews that may be refused or carried out.


def rejecting(change: Callable[[dict[str, Any]], Any], **more: Any) -> Callable[[Open], Answer]:
    """Return a rejection whose body is made from a valid one."""
    return reviewing(lambda body: change(body | {"action": REJECT_AS[type(body["action"])]}), **more)


REJECT_AS = {str: str(int(REJECT)), int: int(REJECT)}
ODD_REVIEWS: Mapping[str, tuple[str, Callable[[Open], Answer]]] = {
    "a byte order mark": ("ROBUST-07", rejecting(lambda body: b"\xef\xbb\xbf" + raw(body))),
    "an unknown member of 300 kB": ("ROBUST-09", rejecting(lambda body: body | {"unknown": HUGE})),
    "no content type": ("ROBUST-11", rejecting(lambda body: body, headers={"Content-Type": ""})),
    "the content type of text": ("ROBUST-11", rejecting(lambda body: body, headers={"Content-Type": "text/plain"})),
}


@define
class OddReviews:
    """Rejections that may be refused or carried out, sent to one refund, and what that was like after the last."""

    api: RefundApi
    sent: dict[str, Answer]
    wanted: RefundStatus
    after: Refund

    def judge(self, row: str) -> None:
        """The rejection was answered; accepted, it was carried out, and when all were refused, none was."""
        answer = self.sent[row]
        answered(self.api, answer)
        verify.holds(answer.accepted or answer.refused, "an acceptance or a refusal", answer.described)
        verify.same(self.wanted, self.after.status, "the status after all rejections")


@pytest.fixture(scope="module")
def open_refund(api: RefundApi, new_order: NewOrder, reviewed: Refund) -> OpenRefund:
    """An order with an open refund for reviews that may be carried out."""
    order = new_order()
    return OpenRefund(api, order, verify.given_refund(api, order))


@pytest.fixture(scope="module")
def odd_reviews(request: pytest.FixtureRequest, open_refund: OpenRefund) -> OddReviews:
    """Rejections that are valid but for one odd thing."""
    bench = open_refund
    sent = {name: exempt(send(bench)) for name, (_, send) in selected_rows(request, ODD_REVIEWS).items()}
    wanted = RefundStatus.CANCELED if accepted_of(sent) else bench.api.opens_in
    after = verify.patiently(
        bench.api, lambda: verify.look_get(bench.api, bench.order, bench.refund), lambda now: now.status is wanted
    )
    return OddReviews(bench.api, sent, wanted, after)


@rows(ODD_REVIEWS)
def test_an_odd_review_is_refused_or_carried_out(
    api: RefundApi, new_order: NewOrder, odd_reviews: OddReviews, row: str
) -> None:
    """The review gets an answer, and is one of the two."""
    api.wire.show(odd_reviews.sent[row].exchange)
    try:
        odd_reviews.judge(row)
    except Failed:
        order = new_order()
        verify.given_review(
            api, order, verify.given_refund(api, order), REJECT
        )  # a plain one works, or this is blocked
        raise


@requirement("ROBUST-10")
def test_a_review_with_two_actions_does_one_of_them_or_nothing(api: RefundApi, open_refund: OpenRefund) -> None:
    """A body with both actions gets an answer; accepted, one of them is carried out, and refused, none."""
    order = open_refund.order
    refund = verify.given_refund(api, order)
    body = put_in('"2", "action": "1"', api.review_body(order.order_id, refund.refund_id, APPROVE) | {"action": "@"})

    answer = exempt(api.review(refund.refund_id, ABSENT, content=body))

    now = verify.look_get(api, order, refund)
    answered(api, answer)
    verify.holds(answer.accepted or now.status is refund.status, "an open refund after a refusal", now)


# Odd ids and parameters when reading.


@frozen
class Reading:
    """A list or a get with something odd in it; ``finds`` says whether it may find what a plain one finds."""

    send: Callable[[RefundApi, Order, Refund], Answer]
    finds: bool = True


def list_of(identifier: Callable[[str], str], *, finds: bool) -> Reading:
    """Return a list whose order is spelled oddly."""
    return Reading(lambda api, order, _: api.list_refunds(identifier(order.order_id)), finds)


def get_of(identifier: Callable[[str], str], *, finds: bool) -> Reading:
    """Return a get whose refund is spelled oddly."""
    return Reading(lambda api, order, refund: api.get_refund(order, identifier(refund.refund_id)), finds)


def get_with(query: Callable[[Order, Refund], list[tuple[str, str]]]) -> Reading:
    """Return a get with other parameters."""
    return Reading(lambda api, order, refund: api.send("GET", f"{API}/refunds", "get", query=query(order, refund)))


def list_with(query: list[tuple[str, str]]) -> Reading:
    """Return a list with other parameters."""
    return Reading(lambda api, order, _: api.send("GET", list_path(order.order_id), "list", query=query))


def list_path(order_id: str) -> str:
    """Return the path of a list."""
    return f"{API}/orders/{quote(order_id, safe='', errors='surrogatepass')}/refunds"


def item_path(refund_id: str) -> str:
    """Return the path of a review."""
    return f"{API}/refunds/{quote(refund_id, safe='', errors='surrogatepass')}"


def in_other_digits(identifier: str) -> str:
    """Return an id in Arabic-Indic digits."""
    return "".join(chr(0x0660 + int(digit)) if digit.isdecimal() else digit for digit in identifier)


NO_IDS = {
    "the word constructor": "constructor",
    "400 digits": "9" * 400,
    "an injection": INJECTION,
    "NUL": "\x00",
    "a path": "../refunds",
}
RESPELLED: Mapping[str, Callable[[str], str]] = {
    "a plus": lambda identifier: f"+{identifier}",
    "a zero in front": lambda identifier: f"0{identifier}",
    "a fraction": lambda identifier: f"{identifier}.0",
    "other digits": in_other_digits,
    "an injection behind": lambda identifier: identifier + INJECTION,
}


def always(identifier: str) -> Callable[[str], str]:
    """Return what puts one thing in the place of any id."""
    return lambda _: identifier


READINGS: Mapping[str, tuple[str, Reading]] = {
    **{f"list with {name}": ("ROBUST-14", list_of(always(odd), finds=False)) for name, odd in NO_IDS.items()},
    **{
        f"get with {name}": ("ROBUST-14", get_of(always(NO_IDS[name]), finds=False))
        for name in ("the word constructor", "400 digits", "an injection", "NUL")
    },
    "get with a minus": ("ROBUST-14", get_of(lambda identifier: f"-{identifier}", finds=False)),
    "get with an injection for the order": (
        "ROBUST-14", Reading(lambda api, _, refund: api.get_refund(INJECTION, refund), finds=False),
    ),
    **{f"list with {name}": ("ROBUST-15", list_of(change, finds=True)) for name, change in RESPELLED.items()},
    **{
        f"get with {name}": ("ROBUST-15", get_of(RESPELLED[name], finds=True))
        for name in ("a fraction", "other digits", "an injection behind")
    },
    "list with two limits": ("ROBUST-16", list_with([("limit", "1"), ("limit", "250")])),
    "list with unknown parameters": ("ROBUST-16", list_with([("limit", "250"), ("a[]", "'"), ("", "\x00")])),
    "get with a second order": (
        "ROBUST-16",
        get_with(
            lambda order, refund: [
                ("orderId", order.order_id), ("refundId", refund.refund_id), ("orderId", INJECTION),
            ]
        ),
    ),
}  # fmt: skip


@define
class Readings:
    """What odd lists and gets answered, and what the plain ones show."""

    api: RefundApi
    order: Order
    refund: Refund
    listed: set[RefundId]
    sent: dict[str, Answer]

    def judge(self, row: str) -> None:
        """The answer is a refusal, or shows no more than it may; one to an unknown id goes wrong in no such way."""
        self.api.wire.show(self.sent[row].exchange)
        finds = READINGS[row][1].finds
        try:
            self.is_harmless(self.sent[row], finds=finds)
        except Failed:
            unknown = OrderId(self.order.order_id + "7"), RefundId(self.refund.refund_id + "7")
            plain = self.api.list_refunds(unknown[0]) if row.startswith("list") else self.api.get_refund(*unknown)
            plain.exchange.role = "open"
            if self.goes_wrong(plain):
                raise Blocked("an id that is merely unknown already goes wrong, so this proves nothing more") from None
            raise

    def is_harmless(self, answer: Answer, *, finds: bool) -> None:
        """The answer is no failure, and shows nothing but what its ids may mean."""
        answered(self.api, answer)
        if not answer.accepted:
            return
        if answer.exchange.operation == "list":
            seen = None if answer.refunds is None else {refund.refund_id for refund in answer.refunds}
            allowed = self.listed if finds else set()
            verify.holds(seen is not None and seen <= allowed, "a refusal, or nothing found", answer.described)
        else:
            told = None if answer.refund is None else answer.refund.refund_id
            verify.holds(finds and told == self.refund.refund_id, "a refusal, or nothing found", answer.described)

    def goes_wrong(self, answer: Answer) -> bool:
        """Say whether an answer to unknown ids is harmful."""
        try:
            self.is_harmless(answer, finds=False)
        except Failed:
            return True
        return False


@pytest.fixture(scope="module")
def readings(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Readings:
    """Lists and gets with odd ids and parameters."""
    api, order, refund = review_bench.api, review_bench.order, review_bench.refund
    chosen = selected_rows(request, READINGS)
    sent = {name: exempt(reading.send(api, order, refund)) for name, (_, reading) in chosen.items()}
    return Readings(api, order, refund, set(verify.look_list(api, order)), sent)


@rows(
    READINGS,
    full={
        "get with NUL", "get with a fraction", "get with an injection for the order", "list with a plus",
        "list with a path", "list with an injection behind", "list with 400 digits", "list with other digits",
    },
)  # fmt: skip
def test_an_odd_reading_shows_nothing_else(readings: Readings, row: str) -> None:
    """A list or a get with something odd in it is refused, or finds no more than a plain one."""
    readings.judge(row)


# Methods that the page does not have.


@define
class Effectless(Probes):
    """Probes that may be accepted or refused, but have no effect."""

    def judge(self, name: str) -> None:
        """The probe was answered, and had no effect."""
        answer = self.sent[name]
        self.bench.api.wire.show(answer.exchange)
        answered(self.bench.api, answer)
        if name in self.effects:
            verify.unchanged(*self.effects[name])


def bare(method: str) -> Callable[[Open], Answer]:
    """Return another method on a refund."""
    return lambda bench: bench.api.send(method, item_path(bench.refund.refund_id), "other")


def approval(method: str) -> Callable[[Open], Answer]:
    """Return an approval by another method."""
    return lambda bench: bench.api.send(method, item_path(bench.refund.refund_id), "other", body=bench.body())


def get_instead_of(method: str) -> Callable[[Open], Answer]:
    """Return a get that names another method in every place where frameworks look for one."""

    def send(bench: Open) -> Answer:
        path, body = item_path(bench.refund.refund_id), bench.body() if method == "PUT" else ABSENT
        headers = dict.fromkeys(("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), method)
        answer = bench.api.send("GET", path, "other", query={"_method": method}, body=body, headers=headers)
        bench.api.wire.reconnect()  # a server may leave the body of a get unread (RFC 9110, 9.3.1)
        return answer

    return send


def get_with_an_action(bench: Open) -> Answer:
    """Get the refund with the fields of an approval as parameters."""
    return bench.api.send("GET", f"{API}/refunds", "other", query=bench.body())


METHODS: Mapping[str, Callable[[Open], Answer]] = {
    "DELETE of the refund": bare("DELETE"),
    "GET of the refund": bare("GET"),
    "HEAD of the refund": bare("HEAD"),
    "OPTIONS of the refund": bare("OPTIONS"),
    "an unknown method": bare("APPROVE"),
    "PATCH of the refund": approval("PATCH"),
    "POST to the refund": approval("POST"),
    "DELETE of the order's refunds": lambda bench: bench.api.send("DELETE", list_path(bench.order.order_id), "other"),
    "DELETE by parameters": lambda bench: bench.api.send(
        "DELETE", f"{API}/refunds", "other",
        query={"orderId": bench.order.order_id, "refundId": bench.refund.refund_id},
    ),
    "an unknown address": lambda bench: bench.api.send("GET", f"{API}/refund", "other"),
}  # fmt: skip
OVERRIDDEN: Mapping[str, Callable[[Open], Answer]] = {
    "DELETE": get_instead_of("DELETE"),
    "PUT": get_instead_of("PUT"),
    "an action": get_with_an_action,
}
ON_CREATES: Mapping[str, Send] = {
    "PUT to the refunds": lambda api, order: api.send("PUT", f"{API}/refunds", "other", body=api.create_body(order)),
    "POST to the order's refunds": lambda api, order: api.send(
        "POST", list_path(order.order_id), "other", body=api.create_body(order)
    ),
}


@pytest.fixture(scope="module")
def methods(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Effectless:
    """Other methods on a refund."""
    probes = Effectless(review_bench)
    chosen = selected_rows(request, METHODS)
    probes.send({name: partial(sent_to, send, review_bench) for name, send in chosen.items()})
    return probes


@pytest.fixture(scope="module")
def overridden(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Effectless:
    """Requests that name another method than their own."""
    probes = Effectless(review_bench)
    chosen = selected_rows(request, OVERRIDDEN)
    probes.send({name: partial(sent_to, send, review_bench) for name, send in chosen.items()})
    return probes


@pytest.fixture(scope="module")
def creating_methods(request: pytest.FixtureRequest, create_bench: Bench) -> Effectless:
    """Other methods with the body of a create."""
    probes = Effectless(create_bench)
    chosen: Mapping[str, Probe] = {
        name: partial(send, create_bench.api) for name, send in selected_rows(request, ON_CREATES).items()
    }
    probes.send(chosen)
    return probes


@requirement("ROBUST-17")
@pytest.mark.parametrize("row", METHODS)
def test_another_method_does_nothing_to_a_refund(methods: Effectless, row: str) -> None:
    """A method that the page does not have leaves the refund as it is."""
    methods.judge(row)


@requirement("ROBUST-17")
@pytest.mark.parametrize("row", ON_CREATES)
def test_another_method_creates_nothing(creating_methods: Effectless, row: str) -> None:
    """Only a POST to the refunds creates one."""
    creating_methods.judge(row)


@requirement("ROBUST-18")
@pytest.mark.parametrize("row", OVERRIDDEN)
def test_a_method_named_elsewhere_does_nothing(overridden: Effectless, row: str) -> None:
    """A reading stays a reading, whatever its headers and parameters ask for."""
    overridden.judge(row)


# After all that.


@requirement("ROBUST-19")
def test_no_answer_gives_the_token_away(
    api: RefundApi, shop: Shop, refused_creates: Unanswerable, odd_creates: OddCreates, readings: Readings
) -> None:
    """Neither the body nor a header of the answer to an odd request has the token in it."""
    answers = [*refused_creates.sent.values(), *odd_creates.sent.values(), *readings.sent.values()]
    answers.append(exempt(api.send("GET", f"{API}/nothing", "other")))
    reader = api.with_token(shop.target.tokens.get("read_refunds", "unknown-token"))
    answers.append(exempt(reader.create({})))
    for answer in answers:
        token = answer.exchange.request.headers[TOKEN_HEADER]
        shown = [answer.exchange.body.decode("utf-8", "replace"), *answer.exchange.headers.values()]
        if any(token in text for text in shown):
            api.wire.show(answer.exchange)
            raise Failed("an answer without the token", f"{answer.described}, with the token in its body or headers")


@requirement("ROBUST-20")
def test_an_order_can_be_listed_after_odd_creates(odd_creates: OddCreates, shipped_order: Order) -> None:
    """Whatever was accepted can be read back."""
    listed = odd_creates.listed
    odd_creates.api.wire.show(listed.exchange)
    if listed.accepted and listed.refunds is None:
        verify.look_list(odd_creates.api, shipped_order)  # a list that can never be read is judged as such
    verify.holds(listed.status < 500 and listed.refunds is not None, "the list of the order", listed.described)


@requirement("ROBUST-20")
def test_a_plain_request_is_carried_out_after_a_stranger_s(
    session: Session, shop: Shop, api: RefundApi, accepted_create: Refund
) -> None:
    """At once after a create that is refused for its token, maybe unread, a refund is got as it always is."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without it
    asked = api.with_token(unknown(shop)).create_refund(order, request_no=session.base_key)
    asked.exchange.role, asked.exchange.exempt = "open", True

    answer = api.get_refund(order, accepted_create)

    answer.exchange.role = "probe"
    if not answer.accepted:
        api.wire.reconnect()
        again = api.get_refund(order, accepted_create)
        again.exchange.role = "control"
        if not again.accepted:
            raise Blocked(f"it is not got over a new connection either: {again.described}")
        expected = "the refund, as over a new connection, at once after a create by a stranger"
        raise Failed(expected, answer.described, answer.exchange)


@requirement("ROBUST-20", late=True)
@pytest.mark.usefixtures("accepted_create", "reviewed")
def test_plain_requests_are_carried_out_after_odd_ones(api: RefundApi, shipped_order: Order) -> None:
    """After a few more odd requests a refund is created, listed, reviewed and got as at the run's beginning."""
    exempt(api.create(ABSENT, content=b"{"))
    exempt(api.review("0", ABSENT, content=DEEP))

    refund = verify.created(api.create_refund(shipped_order))
    verify.appears(api, shipped_order, refund)
    verify.settles(api, lambda: api.get_refund(shipped_order, refund).accepted, bool, "the refund, got")
    verify.accepted(api.review_refund(shipped_order, refund, APPROVE))
