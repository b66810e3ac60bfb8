"""Request numbers that must be accepted, and a roomy order with a refund for each."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from attrs import define, field

from conformance.generation.manners import last_changed
from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.http.keys import KeyMaker
from conformance.judging import arrange, verify
from conformance.model import Order, Refund, RefundId
from conformance.outcome import Blocked
from conformance.suite.given.benches import NewOrder, Placed, selected_rows

PARTNERS = {
    "any": "first", "case": "uuid", "hyphens": "uuid", "last of 50": "50 characters", "hash": "50 characters",
    "last digit": "38 digits", "leading zero": "38 digits", "underscores": "first",
    "punctuation": "punctuated", "a power of ten": "20 characters",
}  # fmt: skip
KEYS: dict[str, Callable[[KeyMaker], str]] = {
    "first": lambda keys: keys(),
    "any": lambda keys: keys(),
    "uuid": lambda keys: keys.uuid(),
    "20 characters": lambda keys: f"0e{keys.digits(18)}",
    "50 characters": lambda keys: f"{keys(23)}AaAa{keys(23)[::-1]}",
    "38 digits": lambda keys: keys.digits(38),
    "punctuated": lambda keys: f"{keys(24)}:part.1 of/2",
}
"""How to make a key; one more is made where the first try is refused, which may burn it (reading A24)."""
Twin = Callable[[str], str]
TWINS: dict[str, tuple[Twin, Twin]] = {
    "case": (str.upper, lambda key: re.sub("[a-z]", lambda letter: letter[0].upper(), key, count=1)),
    "hyphens": (lambda key: key.replace("-", ""), lambda key: key.replace("-", "", 1)),
    "last of 50": (lambda key: key[:-1] + "c", lambda key: key[:-1] + "d"),
    "hash": (lambda key: key.replace("AaAa", "AaBB"), lambda key: key.replace("AaAa", "BBAa")),
    "last digit": (last_changed, lambda key: last_changed(key[:-1]) + key[-1]),
    "leading zero": (lambda key: f"0{key}", lambda key: f"00{key}"),
    "punctuation": (lambda key: key.replace(" ", "+"), lambda key: key.replace(".", "/")),
    "a power of ten": (lambda key: f"0e9{key[3:]}", lambda key: f"0e8{key[3:]}"),
    "underscores": (lambda key: key.replace("K", "_"), lambda key: key.replace("K", "_", 1)),
}
"""Keys next to one that has a refund, which only a careless comparison takes for it, each with another such.

To Java, "Aa".hashCode() == "BB".hashCode(), wherever it stands, and here both ends are equal; to PHP, "0e1" == "0e2",
since zero times any power of ten is zero, and here the ends are the same; to SQL's LIKE, an underscore stands for any
character; in an address, a plus stands for a blank; to who cleans keys up, or cuts them at a colon, punctuation tells
nothing apart.
"""


@define
class Accepted:
    """Creates that differ in their keys alone, all of one order: the bodies, the answers, and what is then listed."""

    order: Order
    bodies: dict[str, dict[str, Any]] = field(factory=dict)
    answers: dict[str, Answer] = field(factory=dict)
    listed: dict[RefundId, Refund] = field(factory=dict)
    plain: Answer | None = None

    def send(self, api: RefundApi, name: str) -> None:
        """Create under a key; a target that allows one open refund at a time (A27) gets a second chance."""
        for key in self.keys(api, name):
            self.bodies[name] = api.create_body(self.order, request_no=key)
            answer = self.answers[name] = api.create(self.bodies[name])
            answer.exchange.role = "probe"
            if answer.refused and arrange.approve_open(api, self.order):
                answer = self.answers[name] = api.create(self.bodies[name])
                answer.exchange.role = "probe"
            if not answer.refused:
                break

    def keys(self, api: RefundApi, name: str) -> Iterator[str]:
        """Yield a key to try, and then another of its kind."""
        if name in TWINS:
            known = self.bodies[PARTNERS[name]]["refund"]["requestNo"]
            yield from (twin(known) for twin in TWINS[name])
        else:
            yield from (KEYS[name](api.keys) for _ in range(2))

    def insist_on_plain(self, api: RefundApi) -> None:
        """A plain key is still accepted; otherwise the refusal of another one proves nothing."""
        if self.plain is None:
            self.plain = api.create_refund(self.order)
            if self.plain.refused and arrange.approve_open(api, self.order):
                self.plain = api.create_refund(self.order)
            self.plain.exchange.role = "control"
        if self.plain.refused:
            raise Blocked("even a plain create is refused on an order with several refunds (CREATE-20)")

    def placed(self, names: Iterable[str]) -> dict[str, Placed]:
        """Return the creates of these names that were accepted, and whose refunds are listed."""
        refunds = {name: self.answers[name].refund for name in names if name in self.answers}
        there = {name: refund for name, refund in refunds.items() if refund and refund.refund_id in self.listed}
        return {name: Placed(self.order, self.bodies[name], refund) for name, refund in there.items()}

    def refund(self, api: RefundApi, name: str) -> Refund:
        """The create of that name was accepted and its refund is listed; returns it."""
        if self.answers[name].refused:
            self.insist_on_plain(api)
        refund = verify.created(self.answers[name])
        if refund.refund_id not in self.listed and api.get_refund(self.order, refund).accepted:
            raise Blocked(f"get shows refund {refund.refund_id}, and only the list lacks it (LIST-01)")
        verify.holds(
            refund.refund_id in self.listed, f"refund {refund.refund_id} in the list of its order", "it is not"
        )
        return refund


@pytest.fixture(scope="session")
def roomy_order(new_order: NewOrder) -> Order:
    """An order for all the refunds that differ in their keys alone, or that something is sent again for."""
    return new_order((80, "10.00"), (40, "7.00"))


@pytest.fixture(scope="session")
def accepted_keys(request: pytest.FixtureRequest, api: RefundApi, roomy_order: Order) -> Accepted:
    """A refund of the roomy order for each key that a check is about, and for the one that it is compared with."""
    names = set(selected_rows(request, dict.fromkeys([*KEYS, *TWINS])))
    names |= {PARTNERS[name] for name in names & PARTNERS.keys()} | {"first", "any"}
    sent = Accepted(roomy_order)
    for name in (*KEYS, *TWINS):
        if name in names:
            sent.send(api, name)
    told = {answer.refund.refund_id for answer in sent.answers.values() if answer.refund is not None}
    sent.listed = verify.patiently(api, lambda: verify.look_list(api, sent.order), lambda seen: told <= seen.keys())
    return sent
