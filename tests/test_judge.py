"""What the exchanges of all checks show by the way."""

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from conformance.catalogue import load_catalogue
from conformance.clock import VirtualClock
from conformance.faults import load_faults
from conformance.http.client import TOKEN_HEADER
from conformance.http.exchange import Exchange, Request
from conformance.outcome import Conclusion, Outcome, Unanswered
from conformance.reference.rules import Shop
from conformance.reference.server import make_reference
from conformance.reference.store import Store
from conformance.results import unsaid
from conformance.running.judge import READABLE, Judge
from conformance.running.plan import ANY_EXCHANGE, Check, Plan
from conformance.running.session import open_session

from . import conftest

CHECK = Check("test_listing::test_something", "LIST-01", "standard", late=False, sentence="Something is so.")
URL = "http://reference/first-shop/api/202412/orders/17/refunds?limit=250"


@pytest.fixture
def plan() -> Iterator[Plan]:
    """A plan against the reference, of which nothing was asked yet."""
    clock = VirtualClock()
    reference = make_reference(clock=clock)
    session = open_session(reference.target("http://reference"), clock=clock)
    yield Plan(load_catalogue(), session)
    session.close()
    reference.store.close()


def looked(plan: Plan, *statuses: int | None, url: str = URL, full: bool = True, reads_back: bool = True) -> list[str]:
    """Look at a URL so many times, and return the requirements that are said to be broken."""
    assert plan.session is not None
    token = str(plan.session.shop.api.token) if full else "unknown"
    request = Request("GET", url, {TOKEN_HEADER: token}, None)
    exchanges = [
        Exchange(
            request, "list", "2026-05-04T10:00:00.250+00:00", "look", status, reads_back=reads_back,
            trouble=None if status else "no answer",
        )
        for status in statuses
    ]  # fmt: skip
    Judge(plan).look_through(exchanges, CHECK)
    return [breach.requirement for breach in plan.unsaid_breaches()]


def test_a_look_that_breaks_the_server_again_and_again_is_a_breach(plan: Plan) -> None:
    """It is said once, with the three looks that show it."""
    assert looked(plan, 500, 500) == []
    assert looked(plan, 501) == [READABLE]
    assert looked(plan, 500, 500, 500, 404) == [READABLE]

    breach = plan.breaches[READABLE]
    assert [exchange.status for exchange in breach.evidence] == [500, 500, 501]
    assert breach.check == ANY_EXCHANGE
    assert URL in breach.explanation


@pytest.mark.parametrize("other", [403, 404, None])
def test_a_look_that_is_answered_in_between_is_none(plan: Plan, other: int | None) -> None:
    """What fails now and then may be load or chance."""
    assert looked(plan, 500, 500, other, 500, 500) == []


def test_looks_at_other_things_by_others_or_for_other_reasons_do_not_count(plan: Plan) -> None:
    """It takes the full token, one URL, and a request that nothing is wrong with."""
    assert looked(plan, 500, 500, full=False) == []
    assert looked(plan, 500, 500, reads_back=False) == []
    assert looked(plan, 500, 500, url=URL.replace("17", "18")) == []
    assert looked(plan, 500, 500) == []


def arranged(plan: Plan, *statuses: int, role: str = "arrange", batched: bool = False) -> list[str]:
    """Look through reviews that were to arrange something, and return the requirements that are said to be broken."""
    assert plan.session is not None
    request = Request("PUT", URL, {TOKEN_HEADER: str(plan.session.shop.api.token)}, None)
    at = "2026-05-04T10:00:00.250+00:00"
    exchanges = [Exchange(request, "review", at, role, status, batched=batched) for status in statuses]
    Judge(plan).look_through(exchanges, CHECK)
    return [breach.requirement for breach in plan.unsaid_breaches()]


def test_plain_writes_that_break_the_server_are_a_breach_where_nothing_failed(plan: Plan) -> None:
    """Twice is no accident; and what fails elsewhere has a name already."""
    assert arranged(plan, 500, 404) == []
    assert arranged(plan, 500) == [READABLE]

    breach = plan.breaches[READABLE]
    assert unsaid([breach], [evolve(breach, requirement=CHECK.requirement, check=CHECK.name, evidence=())]) == []


def test_writes_that_are_not_plain_or_only_find_out_the_form_break_nothing(plan: Plan) -> None:
    """A probe is judged by its check, and which form of numbers a target takes is its own affair (reading A01)."""
    assert arranged(plan, 500, 500, role="probe") == []
    assert arranged(plan, 500, 500, batched=True) == []


@pytest.mark.parametrize("where", ["body", "header"])
def test_an_answer_with_the_token_in_it_is_a_breach(plan: Plan, where: str) -> None:
    """Whatever was asked, and however it is answered, the token stays out of it."""
    assert plan.session is not None
    token = str(plan.session.shop.api.token)
    exchange = Exchange(Request("GET", URL, {TOKEN_HEADER: token}, None), "get", "2026-05-04T10:00:00.250+00:00")
    exchange.status = 404
    exchange.body, exchange.headers = (token.encode(), {}) if where == "body" else (b"", {"X-Echo": token})

    Judge(plan).look_through([exchange], CHECK)
    assert [breach.requirement for breach in plan.unsaid_breaches()] == ["ROBUST-19"]
    assert token not in plan.breaches["ROBUST-19"].explanation


def test_a_breach_that_a_failure_shows_is_not_said_again(plan: Plan) -> None:
    """A check that failed for such a list has named it; one that failed for something else has not."""
    looked(plan, 500, 500, 500)
    breach = plan.breaches[READABLE]
    named = evolve(breach, requirement=CHECK.requirement, check=CHECK.name)
    other = evolve(named, evidence=())

    assert unsaid([breach], [other]) == [breach]
    assert unsaid([breach], [named]) == []


def test_an_order_that_can_never_be_listed_again_does_not_leave_the_run_incomplete(judge: conftest.Judge) -> None:
    """All that looks at it is blocked, and what it is blocked by is named."""
    run = judge(load_faults()["poisons-the-list"].make)
    failed = [verdict for verdict in run.verdicts if verdict.outcome is Outcome.FAILED]

    assert run.conclusion is Conclusion.NON_CONFORMANT
    assert [(verdict.requirement, verdict.check) for verdict in failed] == [(READABLE, ANY_EXCHANGE)]


class NamesOrders(Shop):
    """Gives its orders names in the place of numbers."""

    def ident(self, value: Any, name: str) -> str:
        """Take the name of an order."""
        return str(value) if name == "orderId" else super().ident(value, name)


def test_orders_that_have_names_are_judged_like_any_others(
    judge: conftest.Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that is no number breaks the page where an answer shows it; that it must be sent is nobody's mistake."""
    number = Store.next_id
    monkeypatch.setattr(
        Store, "next_id", lambda store, kind: f"{'ORD-' if kind == 'order' else ''}{number(store, kind)}"
    )
    run = judge(lambda clock: make_reference(NamesOrders, clock=clock))

    assert conftest.told(run, Outcome.ERROR) == {}
    assert set(conftest.told(run, Outcome.FAILED)) == {"RECORD-41"}


def test_a_target_that_cannot_be_reached_breaks_nothing(plan: Plan) -> None:
    """A request that did not find its server is no silence of the server, even if others were answered before."""
    wanted, request = load_catalogue().requirements["LIST-01"], Request("GET", URL, {}, None)
    gone = Exchange(request, "list", "2026-05-04T10:00:00.250+00:00", trouble="no connection", unreachable=True)
    silent = Exchange(request, "list", "2026-05-04T10:00:00.250+00:00", trouble="no answer")

    said = [
        Judge(plan).verdict(CHECK, wanted, Unanswered("an answer", "none", exchange), [exchange], 0.1).outcome
        for exchange in (gone, silent)
    ]

    assert said == [Outcome.BLOCKED, Outcome.FAILED]
