"""Lists and gets with odd ids and parameters."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from attrs import define, frozen

from conformance.http.answer import Answer
from conformance.http.client import API, RefundApi
from conformance.judging import verify
from conformance.model import Order, OrderId, Refund, RefundId
from conformance.outcome import Blocked, Failed
from conformance.suite.given.benches import ReviewBench, selected_rows
from conformance.suite.given.senseless import INJECTION, answered, exempt, list_path


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


def list_with_unknown_parameters(api: RefundApi, order: Order, _: Refund) -> Answer:
    """List with parameters that a list does not have, of which one names another order that has refunds."""
    others = (made.order_id for made in api.told.values() if made.order_id not in {None, order.order_id})
    query = [("limit", "250"), ("a[]", "'"), ("", "\x00"), ("orderId", next(others, order.order_id))]
    return api.send("GET", list_path(order.order_id), "list", query=query)


def in_other_digits(identifier: str) -> str:
    """Return an id in Arabic-Indic digits."""
    return "".join(chr(0x0660 + int(digit)) if digit.isdecimal() else digit for digit in identifier)


NO_IDS = {
    "the word constructor": "constructor",
    "400 digits": "9" * 400,
    "a number beyond 64 bits": "9" * 25,
    "an injection": INJECTION,
    "NUL": "\x00",
    "half a character": "\udcff",
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
        for name in ("the word constructor", "400 digits", "a number beyond 64 bits", "an injection", "NUL")
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
    "list with unknown parameters": ("ROBUST-16", Reading(list_with_unknown_parameters)),
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
            if any(map(self.goes_wrong, self.with_unknown_ids(row))):
                raise Blocked("an id that is merely unknown already goes wrong, so this proves nothing more") from None
            raise

    def with_unknown_ids(self, row: str) -> Iterator[Answer]:
        """Yield the answers to what is like a row, but for ids that are merely unknown in the place of odd ones."""
        order, refund = OrderId(self.order.order_id + "7"), RefundId(self.refund.refund_id + "7")
        asked = [(order, self.refund.refund_id), (self.order.order_id, refund)]
        lists = row.startswith("list")
        for answer in [self.api.list_refunds(order)] if lists else [self.api.get_refund(*ids) for ids in asked]:
            answer.exchange.role = "open"
            yield answer

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


@pytest.fixture(scope="session")
def readings(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Readings:
    """Lists and gets with odd ids and parameters."""
    api, order, refund = review_bench.api, review_bench.order, review_bench.refund
    chosen = selected_rows(request, READINGS)
    sent = {name: exempt(reading.send(api, order, refund)) for name, (_, reading) in chosen.items()}
    plain = api.list_refunds(order)
    plain.exchange.role = "look"
    return Readings(api, order, refund, {listed.refund_id for listed in plain.refunds or ()}, sent)
