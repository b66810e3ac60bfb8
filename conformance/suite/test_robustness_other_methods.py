"""Methods that the page does not have: they do nothing."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, API
from conformance.judging import verify
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.suite.given.benches import Bench, Probe, Probes, ReviewBench, selected_rows
from conformance.suite.given.senseless import Open, Send, answered, item_path, list_path, sent_to
from conformance.suite.given.strangers import Turned


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


def approval_in_the_query(bench: Open) -> Answer:
    """Get the refund by the path of its review, with the fields of an approval as parameters."""
    return bench.api.send("GET", item_path(bench.refund.refund_id), "other", query=bench.body())


SLASH = "an approval by nobody, with a slash behind"
METHODS: Mapping[str, Callable[[Open], Answer]] = {
    "DELETE of the refund": bare("DELETE"),
    "GET of the refund": bare("GET"),
    "GET of the refund with an approval": approval_in_the_query,
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
    SLASH: lambda bench: bench.api.with_token(None).send(
        "PUT", f"{item_path(bench.refund.refund_id)}/", "other", body=bench.body()
    ),
}  # fmt: skip
UNLIKELY = {
    "HEAD of the refund", "OPTIONS of the refund", "an unknown address", "DELETE of the order's refunds",
    "DELETE by parameters", "POST to the refund",
}  # fmt: skip
"""What hardly any server makes do something."""
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


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement("ROBUST-17", profile="full" if name in UNLIKELY else "standard"))
        for name in METHODS
        if name != SLASH
    ],
)
def test_another_method_does_nothing_to_a_refund(methods: Effectless, row: str) -> None:
    """A method that the page does not have leaves the refund as it is."""
    methods.judge(row)


@requirement("ROBUST-17")
@pytest.mark.parametrize("row", [SLASH])
def test_an_address_with_a_slash_is_no_way_around_the_token(
    methods: Effectless, strange_reviews: Turned, row: str
) -> None:
    """What nobody may do at the address of a refund, nobody may do at one with a slash behind."""
    plain = strange_reviews.sent.get("reject with no token")
    if plain is not None and (not plain.refused or "reject with no token" in strange_reviews.effects):
        raise Blocked("a review without a token already gets through (ACCESS-01)")
    methods.judge(row)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("PUT to the refunds", marks=requirement("ROBUST-17")),
        pytest.param("POST to the order's refunds", marks=requirement("ROBUST-17", profile="full")),
    ],
)
def test_another_method_creates_nothing(creating_methods: Effectless, row: str) -> None:
    """Only a POST to the refunds creates one."""
    creating_methods.judge(row)


@requirement("ROBUST-18")
@pytest.mark.parametrize("row", OVERRIDDEN)
def test_a_method_named_elsewhere_does_nothing(overridden: Effectless, row: str) -> None:
    """A reading stays a reading, whatever its headers and parameters ask for."""
    overridden.judge(row)
