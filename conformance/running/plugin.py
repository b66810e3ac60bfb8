"""Where checks run under pytest: it selects the checks, hands them their session, and says a verdict for each.

A check that returns has passed; ``Failed`` fails it, ``Blocked`` blocks it; anything else is an error of the suite.
"""

import importlib
import inspect
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from conformance.catalogue import AREAS, Catalogue, Requirement
from conformance.environment import without
from conformance.http.exchange import Exchange
from conformance.http.wire import WORKER, Wire
from conformance.outcome import Blocked
from conformance.results import Verdict
from conformance.running.judge import Judge
from conformance.running.plan import CASE, Check, Plan
from conformance.running.workers import MOST, Job, Queue, shard_of
from conformance.settings import PROFILES

Given = ParamSpec("Given")
Made = TypeVar("Made")

SUITE = Path(__file__).parents[1] / "suite"
CHECKS, CONFTEST = "conformance.suite.", "conformance.suite.conftest"
OF_EACH_WORKER = "of_each_worker"
"""The attribute of what makes a fixture that is not shared between workers."""
AGING = ("creation", "records", "lifecycle")
"""Areas with late checks that want refunds to be seconds old: they run first, and the others in the meantime."""

RUN_ORDER = (*AGING, *(area for area in AREAS if area not in AGING))
WITNESS = "listing"
"""The area whose late checks say what the looks of all others had to help themselves to."""
CHECK = pytest.StashKey[Check]()
PLAN = pytest.StashKey[Plan]()
NOT_NEEDED = (
    "cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "monkeypatch",
    "pastebin", "recwarn", "setuponly", "setupplan", "skipping", "stepwise", "subtests", "terminal", "threadexception",
    "tmpdir", "unittest", "unraisableexception", "warnings",
)  # fmt: skip
"""Plugins of pytest that a run of ours has no use for; each that is left out makes every check a little quicker."""

MEANT_FOR_OTHERS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
"""Variables of the environment that add to every call of pytest: to people's own tests, and not to our checks."""


def requirement(identifier: str, *, profile: str = "standard", late: bool = False) -> pytest.MarkDecorator:
    """Mark a check, or a row of a parametrized one, with the requirement it judges.

    ``profile`` is the least profile that it runs in; a ``late`` check runs after all others, since it needs time
    to have passed.
    """
    return pytest.mark.requirement(identifier, profile=profile, late=late)


def of_each_worker(make: Callable[Given, Made]) -> Callable[Given, Made]:
    """Say of a fixture that every worker makes it for its own.

    It costs a few requests once more, where there are several, and ties no checks to each other that nothing else does.
    """
    setattr(make, OF_EACH_WORKER, True)
    return make


class ConformancePlugin:
    """Runs the checks of a plan, or those that the plan's queue hands to one worker, and says a verdict for each."""

    def __init__(self, plan: Plan, worker: int = 0) -> None:
        self.plan = plan
        self._worker = worker
        self._judge = Judge(plan)
        self._arranged: dict[tuple[str, str], list[Exchange]] = {}
        self._others: list[threading.Thread] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marker, and give the checks their plan."""
        self.prepare(config)
        config.option.tbstyle = "no"  # verdicts tell what happened; pytest's own telling of it takes most of a run

    def prepare(self, config: pytest.Config) -> None:
        """Declare the marker, and keep the plan where the fixtures of the checks find it."""
        config.addinivalue_line("markers", "requirement(id, profile): the requirement that a check judges")
        config.stash[PLAN] = self.plan

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember why checks could not be collected: that is an error of the suite."""
        if report.failed:
            self.plan.trouble.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> None:
        """Remember what went wrong in here: that is an error of the suite."""
        self.plan.trouble.append(str(excrepr))

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:  # noqa: ARG002
        """Keep what the plan asks for."""
        self.select(items)

    def select(self, items: list[pytest.Item]) -> None:
        """Keep of the checks what the plan asks for: those of the aging areas, of the others, and the late ones.

        Of the late ones the files of the first area come last: what was made first has aged the most by then, and wants
        no waiting. Only what is said of every look comes after them.
        """
        kept = []
        for item in items:
            check = _check(item)
            wanted = self.plan.catalogue.requirements[check.requirement]
            if self._selected(wanted, check):
                area = _area_of(item.path) if check.late and _area_of(item.path) in RUN_ORDER else wanted.area
                place = RUN_ORDER.index(area)
                last = check.late and area == WITNESS
                kept.append(((check.late, last, -place if check.late else place), item, check))
        kept.sort(key=lambda entry: entry[0])
        if self.plan.shard is not None:
            kept = [kept[index] for index in shard_of(_jobs([item for _, item, _ in kept]), *self.plan.shard)]
        items[:] = [item for _, item, _ in kept]
        if self._worker == 0:
            self.plan.checks = [check for _, _, check in kept]
            if self.plan.listener is not None:
                requirements = self.plan.catalogue.requirements
                self.plan.listener.planned(Counter(requirements[check.requirement].area for check in self.plan.checks))

    def _selected(self, wanted: Requirement, check: Check) -> bool:
        about_a_case = self.plan.session is not None and self.plan.session.case is not None
        if about_a_case is not (check.profile == CASE):
            return False
        selection = self.plan.selection
        if selection and wanted.id not in selection and wanted.area not in selection:
            return False
        explicit = wanted.id in selection
        return explicit or PROFILES.index(check.profile) <= PROFILES.index(self.plan.profile)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run what the queue hands to this worker, where there may be several; the first starts the others."""
        if session.config.option.collectonly or not (self.plan.shares or self.plan.workers > 1):
            return None  # pytest's own loop will do
        if self._worker == 0:
            self.plan.queue = Queue(_jobs(session.items), alone=self.plan.workers == 1)
            self._have_others_join()
        self._work(session)
        for other in self._others:
            other.join()
        return True

    def _work(self, session: pytest.Session) -> None:
        items = self._handed_out(session.items)
        item = next(items, None)
        while item is not None:
            upcoming = next(items, None)  # what pytest needs to know to keep or drop shared fixtures
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=upcoming)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
            if self.plan.shares and self.plan.session is not None and self.plan.session.wire.waits:
                self._share(self.plan.session.wire)
            item = upcoming

    def _share(self, wire: Wire) -> None:
        """Let other workers in on what is left, in turn."""
        assert self.plan.queue is not None  # noqa: S101 - made before the first check
        self.plan.shares, self.plan.workers, wire.in_turn = False, MOST, True
        self.plan.queue.share()
        self._have_others_join()

    def _have_others_join(self) -> None:
        importlib.import_module("unittest")  # pytest does so late, and threads that do it at one moment fail
        self._others = [
            threading.Thread(target=_join_in, args=(self.plan, n), daemon=True) for n in range(1, self.plan.workers)
        ]
        for other in self._others:
            other.start()

    def _handed_out(self, items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
        assert self.plan.queue is not None  # noqa: S101 - made before the first worker starts
        while chosen := self.plan.queue.take(self._worker):
            yield from (items[index] for index in chosen)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """Let one worker at a time: pytest takes the name of the check that ends out of the one environment."""
        with self.plan.lock:
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Remember what was exchanged to make a shared fixture: it is evidence for every check that uses it."""
        if self.plan.session is None or fixturedef.scope == "function":
            return (yield)
        wire = self.plan.session.wire
        before = {id(exchange) for exchange in wire.recorded if not exchange.batched}
        try:
            return (yield)
        finally:
            made = [each for each in wire.recorded if not each.batched and id(each) not in before]
            self._arranged[fixturedef.argname, request.node.nodeid] = made

    def _arrangements(self, item: pytest.Item) -> list[Exchange]:
        assert isinstance(item, pytest.Function)  # noqa: S101 - the suite's checks are functions
        names = set(item._request.fixturenames)  # noqa: SLF001 - with those that it asked for by name
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
        self.judge(item, call)
        return report

    def judge(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Verdict | None:
        """Say what a check came to, and return it; nothing when it has not ended yet, or was interrupted."""
        if call.excinfo is None and call.when != "call":
            return None
        if call.excinfo is not None and call.excinfo.errisinstance(KeyboardInterrupt):
            return None
        check = _check(item)
        wanted = self.plan.catalogue.requirements[check.requirement]
        exchanges = [] if self.plan.session is None else self.plan.session.wire.take_recorded()
        if call.excinfo is not None:
            shown = [exchange for exchange in self._arrangements(item) if all(exchange is not e for e in exchanges)]
            exchanges = sorted(shown + exchanges, key=lambda exchange: exchange.at)
        fresh = [exchange for exchange in exchanges if not exchange.counted]
        error = None if call.excinfo is None else call.excinfo.value
        verdict = self._judge.verdict(check, wanted, error, exchanges, call.duration)
        self.plan.hand_on(verdict)
        try:
            self._judge.look_through(fresh, check)
        except Exception as trouble:  # noqa: BLE001 - what a server sent must not end the run
            self.plan.hand_on(self._judge.turned_over(verdict, trouble))
        if self.plan.stop():
            item.session.shouldstop = "interrupted"
        return verdict


def judged_by(item: pytest.Item) -> str:
    """Return the id of the requirement that a check judges."""
    return _check(item).requirement


def _check(item: pytest.Item) -> Check:
    if CHECK not in item.stash:
        item.stash[CHECK] = _read_check(item)
    return item.stash[CHECK]


def _read_check(item: pytest.Item) -> Check:
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


def _jobs(items: Sequence[pytest.Item]) -> list[Job]:
    """Return what the workers must know of each check.

    Checks are tied by the fixtures that they share, within a module or across; one that asks for fixtures by name, to
    all that use shared ones in its module.
    """
    by_name = {item.path for item in items if _asks_by_name(item)}
    jobs = []
    for item in items:
        ties = set(_shared_fixtures(item))
        if item.path in by_name and (ties or _asks_by_name(item)):
            ties.add(f"{item.path.stem}::*")
        jobs.append(Job(frozenset(ties), late=_check(item).late, aging=_area_of(item.path) in AGING))
    return jobs


def _shared_fixtures(item: pytest.Item) -> Iterable[str]:
    """Return the fixtures that a check shares with others, by where they are made.

    What every worker has for its own is not among them, as is all that conftest.py itself makes.
    """
    defined: Mapping[str, Sequence[pytest.FixtureDef[object]]] = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]  # noqa: SLF001 - pytest tells it in no other way
    for name, (*_, last) in defined.items():
        made_in = last.func.__module__
        is_shared = last.scope != "function" and not hasattr(last.func, OF_EACH_WORKER)
        if is_shared and made_in.startswith(CHECKS) and made_in != CONFTEST:
            yield f"{made_in}::{name}"


def _asks_by_name(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)  # noqa: S101 - the suite's checks are functions
    return "request" in inspect.signature(item.obj).parameters


def run_checks(plan: Plan, *, collect_only: bool = False) -> int:
    """Run the checks of a plan in this process and return pytest's exit status, the worst of its workers'."""
    with without(*MEANT_FOR_OTHERS):
        status = _run_pytest(ConformancePlugin(plan), *(["--collect-only"] if collect_only else []))
    plan.conclude()
    return status


def _join_in(plan: Plan, worker: int) -> None:
    WORKER.set(worker)
    status = _run_pytest(ConformancePlugin(plan, worker))
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
        plan.trouble.append(f"worker {worker} ended with pytest's status {status}")


def files_of(plan: Plan) -> list[str]:
    """Return the files that hold the checks of a plan: with a selection, those of its areas or that name its ids."""
    if not plan.selection:
        return [str(SUITE)]
    wanted = [r for r in plan.catalogue.requirements.values() if {r.id, r.area} & set(plan.selection)]
    areas = {requirement.area for requirement in wanted}
    return [
        str(path) for path, text in _texts().items() if _area_of(path) in areas or any(r.id in text for r in wanted)
    ]


def _area_of(path: Path) -> str:
    """Return the area whose checks a file holds: the first word of its name after ``test_``."""
    return path.stem.split("_")[1]


@cache
def _texts() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted(SUITE.glob("test_*.py"))}


def _run_pytest(plugin: ConformancePlugin, *more: str) -> int:
    arguments = [
        *files_of(plugin.plan), "-c", str(SUITE / "pytest.ini"), "--rootdir", str(SUITE),
        "--assert=plain", "--strict-markers", "--capture=no", "--disable-plugin-autoload", *more,
    ]  # fmt: skip
    for name in NOT_NEEDED:
        arguments += ["-p", f"no:{name}"]
    return int(pytest.main(arguments, plugins=[plugin]))


def find_checks(catalogue: Catalogue, profile: str = "full", selection: tuple[str, ...] = ()) -> list[Check]:
    """Return the checks of a profile without running them."""
    plan = Plan(catalogue, None, profile=profile, selection=selection)
    status = run_checks(plan, collect_only=True)
    if not plan.checks and status not in {0, 5}:
        raise RuntimeError(f"the checks cannot be collected: pytest ended with {status}")
    return plan.checks


def names_of_checks(catalogue: Catalogue) -> dict[str, set[str]]:
    """Return the names of the checks that there are of each requirement, in any profile."""
    names: dict[str, set[str]] = {identifier: set() for identifier in catalogue.requirements}
    for check in find_checks(catalogue):
        names[check.requirement].add(check.name)
    return names
