"""The one module that knows pytest: it selects the checks, hands them their session, and says a verdict for each.

A check that returns has passed; ``Failed`` fails it, ``Blocked`` blocks it; anything else is an error of the suite.
"""

import json
import traceback
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Protocol

import pytest
from attrs import define, evolve, field

from conformance import contract
from conformance.catalogue import AREAS, Catalogue, Requirement
from conformance.client import Answer, breaches
from conformance.evidence import as_evidence
from conformance.observe import observations
from conformance.results import Blocked, Evidence, Failed, Observation, Outcome, Verdict
from conformance.session import Session
from conformance.wire import Exchange

SUITE = Path(__file__).parent / "suite"
PROFILES = ("quick", "standard", "full")
ANY_EXCHANGE = "every exchange of the run"
MOST_OF_A_VALUE, MOST_OF_A_TEXT, MOST_OF_A_TRACE = 160, 2_000, 20_000
"""Characters that a verdict keeps of what a server said, and of what went wrong in here."""


def requirement(identifier: str, *, profile: str = "standard", late: bool = False) -> pytest.MarkDecorator:
    """Mark a check, or a row of a parametrized one, with the requirement it judges.

    ``profile`` is the least profile that it runs in; a ``late`` check runs after all others, since it needs time
    to have passed.
    """
    return pytest.mark.requirement(identifier, profile=profile, late=late)


@define
class Check:
    """A check as it was found in the suite."""

    name: str
    requirement: str
    profile: str
    late: bool
    sentence: str


class Listener(Protocol):
    """Hears of a run while it goes on."""

    def planned(self, checks: int) -> None:
        """So many checks are going to run."""

    def started(self, check: str, requirement: Requirement) -> None:
        """A check begins."""

    def judged(self, verdict: Verdict, requests: int) -> None:
        """A check ended; the run has sent so many requests by now."""


@define
class Plan:
    """Which checks to run, against what, and who is told."""

    catalogue: Catalogue
    session: Session | None
    profile: str = "standard"
    selection: tuple[str, ...] = ()
    say: Callable[[Verdict | Observation], object] = lambda _: None
    listener: Listener | None = None
    again: Callable[[Requirement], str] = lambda _: ""
    blocked: str | None = None
    stop: Callable[[], bool] = lambda: False
    checks: list[Check] = field(factory=list)
    verdicts: list[Verdict] = field(factory=list)
    trouble: list[str] = field(factory=list)


class ConformancePlugin:
    """Runs the checks of a plan and says a verdict for each."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._breaches: dict[str, Verdict] = {}
        self._arranged: dict[tuple[str, str], list[Exchange]] = {}

    @pytest.fixture(scope="session")
    def session(self) -> Session:
        """The run's hold on its target."""
        assert self.plan.session is not None  # noqa: S101 - only a listing has none, and it runs no check
        return self.plan.session

    @pytest.fixture(scope="session")
    def catalogue(self) -> Catalogue:
        """Everything ``spec/`` says."""
        return self.plan.catalogue

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marker."""
        config.addinivalue_line("markers", "requirement(id, profile): the requirement that a check judges")
        config.option.tbstyle = "no"  # verdicts tell what happened; pytest's own telling of it takes most of a run

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember why checks could not be collected: that is an error of the suite."""
        if report.failed:
            self.plan.trouble.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> None:
        """Remember what went wrong in here: that is an error of the suite."""
        self.plan.trouble.append(str(excrepr))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what the plan asks for, in the order of the catalogue's areas."""
        kept = []
        for item in items:
            check = _check(item)
            wanted = self.plan.catalogue.requirements[check.requirement]
            if self._selected(wanted, check):
                kept.append(((check.late, AREAS.index(wanted.area)), item, check))
        kept.sort(key=lambda entry: entry[0])
        items[:] = [item for _, item, _ in kept]
        self.plan.checks = [check for _, _, check in kept]
        if self.plan.listener is not None:
            self.plan.listener.planned(len(items))

    def _selected(self, wanted: Requirement, check: Check) -> bool:
        selection = self.plan.selection
        if selection and wanted.id not in selection and wanted.area not in selection:
            return False
        explicit = wanted.id in selection
        return explicit or PROFILES.index(check.profile) <= PROFILES.index(self.plan.profile)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Remember what was exchanged to make a shared fixture: it is evidence for every check that uses it."""
        if self.plan.session is None or fixturedef.scope == "function":
            return (yield)
        wire = self.plan.session.wire
        before = len(wire.recorded)
        try:
            return (yield)
        finally:
            made = [exchange for exchange in wire.recorded[before:] if not exchange.batched]
            self._arranged[fixturedef.argname, request.node.nodeid] = made

    def _arrangements(self, item: pytest.Item) -> list[Exchange]:
        names = set(getattr(item, "fixturenames", ()))
        nodes = {node.nodeid for node in item.listchain()}
        return [e for (name, node), made in self._arranged.items() if name in names and node in nodes for e in made]

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tell the listener; block everything when the target cannot be judged at all."""
        if self.plan.listener is not None:
            check = _check(item)
            self.plan.listener.started(check.name, self.plan.catalogue.requirements[check.requirement])
        if self.plan.blocked is not None:
            raise Blocked(self.plan.blocked)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what a check came to into a verdict."""
        report = yield
        if call.when == "call" or (call.excinfo is not None and call.when == "setup") or call.excinfo is not None:
            self._judge(item, call)
        return report

    def _judge(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and call.excinfo.errisinstance(KeyboardInterrupt):
            return
        check = _check(item)
        wanted = self.plan.catalogue.requirements[check.requirement]
        exchanges = [] if self.plan.session is None else self.plan.session.wire.take_recorded()
        if call.excinfo is not None:
            shown = [exchange for exchange in self._arrangements(item) if all(exchange is not e for e in exchanges)]
            exchanges = sorted(shown + exchanges, key=lambda exchange: exchange.at)
        fresh = [exchange for exchange in exchanges if not exchange.counted]
        verdict = self._verdict(check, wanted, call, exchanges)
        self.say(verdict)
        try:
            for exchange in exchanges:
                self._note_breaches(exchange)
            self._observe(fresh, check)
        except Exception as error:  # noqa: BLE001 - what a server sent must not end the run
            outcome, told = _outcome(error)
            explanation = self._redact(told["explanation"], MOST_OF_A_TRACE)
            self.say(evolve(verdict, check=ANY_EXCHANGE, outcome=outcome, explanation=explanation, evidence=()))
        if self.plan.stop():
            item.session.shouldstop = "interrupted"

    def _verdict(
        self, check: Check, wanted: Requirement, call: pytest.CallInfo[None], exchanges: list[Exchange]
    ) -> Verdict:
        error = None if call.excinfo is None else call.excinfo.value
        if error is None and (problem := _own_mistake(exchanges)):
            error = RuntimeError(problem)
        outcome, told = _outcome(error)
        redact = self._redact
        verdict = Verdict(
            requirement=wanted.id,
            check=check.name,
            outcome=outcome,
            level=wanted.level,
            basis=wanted.basis,
            area=wanted.area,
            title=wanted.text,
            lines=wanted.lines,
            explanation=redact(told["explanation"], MOST_OF_A_TRACE),
            expected=redact(told.get("expected", ""), MOST_OF_A_TEXT),
            observed=redact(told.get("observed", ""), MOST_OF_A_TEXT),
            lacks=told.get("lacks") or None,
            again=self.plan.again(wanted),
            seconds=round(call.duration, 4),
            requests=_count(exchanges),
            evidence=self._evidence(exchanges),
        )
        if outcome is Outcome.FAILED:
            verdict = evolve(verdict, explanation=four_lines(verdict))
        return verdict

    def _redact(self, text: str, most: int) -> str:
        return text if self.plan.session is None else self.plan.session.wire.redact.start(text, most)

    def _evidence(self, exchanges: Iterable[Exchange]) -> tuple[Evidence, ...]:
        if self.plan.session is None:
            return ()
        redact = self.plan.session.wire.redact
        return tuple(as_evidence(exchange, redact) for exchange in exchanges)

    def say(self, verdict: Verdict) -> None:
        """Hand a verdict on, to the record and to whoever listens."""
        self.plan.verdicts.append(verdict)
        self.plan.say(verdict)
        if self.plan.listener is not None:
            requests = 0 if self.plan.session is None else self.plan.session.wire.requests
            self.plan.listener.judged(verdict, requests)

    def _observe(self, exchanges: Iterable[Exchange], check: Check) -> None:
        if self.plan.session is not None:
            for exchange in exchanges:
                for reading, observed in observations(exchange):
                    self.plan.session.observe(reading, observed, check.name)

    def _note_breaches(self, exchange: Exchange) -> None:
        if exchange.role == "open" or exchange.exempt or _request_problem(exchange) is not None:
            return  # what comes of a request that breaks the page may break it too
        for breach in breaches(Answer(exchange)):
            wanted = self.plan.catalogue.documenting(breach.operation, breach.field)
            if wanted is None or wanted.id in self._breaches:
                continue
            verdict = Verdict(
                requirement=wanted.id, check=ANY_EXCHANGE, outcome=Outcome.FAILED, level=wanted.level,
                basis=wanted.basis, area=wanted.area, title=wanted.text, lines=wanted.lines,
                expected=f"{breach.field} in the answer of {breach.operation}, with a documented value",
                observed=self._redact(f"{breach.field} {breach.problem}", MOST_OF_A_VALUE),
                again=self.plan.again(wanted), evidence=self._evidence([exchange]),
            )  # fmt: skip
            self._breaches[wanted.id] = evolve(verdict, explanation=four_lines(verdict))

    def pytest_sessionfinish(self) -> None:
        """Say the breaches of documented fields that no check of theirs has failed for, and what was observed."""
        failed = {verdict.requirement for verdict in self.plan.verdicts if verdict.outcome is Outcome.FAILED}
        for identifier, verdict in self._breaches.items():
            if identifier not in failed:
                self.say(verdict)
        if self.plan.session is not None:
            for observation in self.plan.session.observations:
                self.plan.say(observation)


def four_lines(verdict: Verdict) -> str:
    """Return a failure as people read it: requirement, place on the page, expected, observed, how to see it again."""
    judged = [[e for e in verdict.evidence if e.role == role] for role in ("probe", "open")]
    probe = next((found[-1] for found in (*judged, verdict.evidence[:1]) if found), None)
    place = f"page line{'s' if len(verdict.lines) > 1 else ''} {', '.join(map(str, verdict.lines))}"
    lines = [
        f"{verdict.requirement} ({verdict.level}, {verdict.basis}) {verdict.title}",
        f"  {place}" + (f" · {probe.method} {probe.url}" if probe else ""),
        f"  expected  {_one_line(verdict.expected)}",
        f"  observed  {_one_line(verdict.observed)}",
    ]
    if probe is not None:
        lines.append(f"  reproduce {probe.curl}")
    if verdict.again:
        lines.append(f"  again     {verdict.again}")
    return "\n".join(lines)


def _one_line(text: str) -> str:
    """Return a text that no line break of a server's can turn into lines of ours."""
    return " ".join(text.split())


def _check(item: pytest.Item) -> Check:
    mark = item.get_closest_marker("requirement")
    if mark is None:
        raise pytest.UsageError(f"{item.nodeid} names no requirement")
    function = getattr(item, "function", None)
    sentence = (getattr(function, "__doc__", None) or "").strip()
    return Check(
        name=f"{Path(str(item.path)).stem}::{item.name}",
        requirement=str(mark.args[0]),
        profile=str(mark.kwargs["profile"]),
        late=bool(mark.kwargs["late"]),
        sentence=sentence,
    )


def _outcome(error: BaseException | None) -> tuple[Outcome, dict[str, str]]:
    if error is None:
        return Outcome.PASSED, {"explanation": ""}
    if isinstance(error, Failed):
        return Outcome.FAILED, {"explanation": "", "expected": error.expected, "observed": error.observed}
    if isinstance(error, Blocked):
        return Outcome.BLOCKED, {"explanation": error.reason, "lacks": error.lacks or ""}
    trace = "".join(traceback.format_exception(error))
    return Outcome.ERROR, {"explanation": trace}


def _count(exchanges: Iterable[Exchange]) -> int:
    """Return how many requests to the API these are, each counted once in a run, wherever it is shown."""
    fresh = [e for e in exchanges if not e.counted and e.operation != "orders"]
    for exchange in fresh:
        exchange.counted = True
    return len(fresh)


def _own_mistake(exchanges: Iterable[Exchange]) -> str | None:
    """Return what is wrong with a request that was meant to be valid; probes are invalid on purpose."""
    for exchange in exchanges:
        problem = None if exchange.role in {"probe", "open"} else _request_problem(exchange)
        if problem is not None:
            return f"the suite sent a request that breaks the page, and did not mean to: {problem}"
    return None


def _request_problem(exchange: Exchange) -> str | None:
    """Return what is wrong with the body of a create or a review."""
    body = exchange.request.body
    if exchange.operation not in {"create", "review"} or not body:
        return None
    try:
        return contract.request_problem(exchange.operation, json.loads(body))
    except (ValueError, RecursionError):
        return "the body is not JSON"


def run_checks(plan: Plan, *, collect_only: bool = False) -> int:
    """Run the checks of a plan in this process and return pytest's exit status."""
    arguments = [
        str(SUITE), "--assert=plain", "--strict-markers", "-p", "no:cacheprovider", "-p", "no:terminal",
        "-p", "no:faulthandler", "-p", "no:junitxml", "-p", "no:unraisableexception", "-p", "no:threadexception",
        "-c", str(SUITE / "pytest.ini"), "--rootdir", str(SUITE), "--capture=no", "-p", "no:logging",
        "-p", "no:xdist", "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:randomly",
    ]  # fmt: skip
    if collect_only:
        arguments.append("--collect-only")
    return int(pytest.main(arguments, plugins=[ConformancePlugin(plan)]))


def find_checks(catalogue: Catalogue, profile: str = "full", selection: tuple[str, ...] = ()) -> list[Check]:
    """Return the checks of a profile without running them."""
    plan = Plan(catalogue, None, profile=profile, selection=selection)
    status = run_checks(plan, collect_only=True)
    if not plan.checks and status not in {0, 5}:
        raise RuntimeError(f"the checks cannot be collected: pytest ended with {status}")
    return plan.checks
