"""The checks inside somebody else's pytest run: their selection, their reports, and an outcome for each verdict.

A verdict becomes what pytest knows: what would make a run non-conformant or incomplete is red, what the target file
declares as not available is skipped, and a SHOULD that is not kept is an expected failure, with the reason.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from conformance.catalogue import load_catalogue
from conformance.commands.targets import opened
from conformance.outcome import Outcome, UsageError
from conformance.results import Verdict
from conformance.running.plan import Plan
from conformance.running.plugin import SUITE, ConformancePlugin
from conformance.running.run import Options, again, blocked_from_the_start
from conformance.running.session import open_session
from conformance.running.tidy import tidy_up


class Hosted(ConformancePlugin):
    """Runs the checks that the host selected, beside whatever tests it has of its own."""

    def __init__(self, plan: Plan, close: Callable[[], object]) -> None:
        super().__init__(plan)
        self._close = close
        self._met = False
        self._breaches_elsewhere: list[tuple[str, str]] = []

    @classmethod
    def register(cls, config: pytest.Config) -> None:
        """Open the target that the options name, and take part in the run.

        Raises:
            pytest.UsageError: the target cannot be opened; with what to do about it.
        """
        options = Options(
            profile=config.getoption("--conformance-profile"),
            seed=config.getoption("--conformance-seed"),
            spoken_target=config.getoption("--conformance-target"),
        )
        with contextlib.ExitStack() as stack:
            try:
                target = stack.enter_context(opened(options.spoken_target, None))
                session = open_session(target, seed=options.seed)
            except UsageError as mistake:
                raise pytest.UsageError(f"--conformance-target: {mistake}") from None
            stack.callback(session.close)
            plan = Plan(
                load_catalogue(), session, options.profile,
                again=lambda wanted: session.wire.redact(again(options, wanted)),
            )  # fmt: skip
            config.pluginmanager.register(cls(plan, stack.pop_all().close), "conformance-hosted")

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the checks their plan; how failures are told is the host's business."""
        self.prepare(config)

    def pytest_unconfigure(self) -> None:
        """Reject what is still open on the target, and let go of it."""
        if self._met and self.plan.session is not None:
            tidy_up(self.plan.session, stop=lambda: False)
        self._close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the checks of the profile, after the host's own tests; ``-k`` knows their requirements and areas."""
        ours = [item for item in items if _is_check(item)]
        kept = list(ours)
        self.select(kept)
        for item, check in zip(kept, self.plan.checks, strict=True):
            wanted = self.plan.catalogue.requirements[check.requirement]
            item.extra_keyword_matches |= {wanted.id, wanted.area}
        config.hook.pytest_deselected(items=[item for item in ours if item not in kept])
        items[:] = [item for item in items if not _is_check(item)] + kept

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before the first check, find out about the target."""
        if not _is_check(item):
            return
        if not self._met and self.plan.session is not None:
            self._met = True
            self.plan.blocked = blocked_from_the_start(self.plan.session)
        super().pytest_runtest_setup(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what a check came to into a verdict, and the verdict into the host's words."""
        report = yield
        verdict = self.judge(item, call) if _is_check(item) else None
        if verdict is not None:
            item.user_properties += _properties(verdict)
            _retell(report, verdict, self._declared)
        return report

    @property
    def _declared(self) -> tuple[str, ...]:
        return () if self.plan.session is None else self.plan.session.target.not_available

    def pytest_sessionfinish(self, session: pytest.Session | None = None) -> None:
        """In a worker process of pytest-xdist, hand the breaches to the process that reports."""
        output = getattr(getattr(session, "config", None), "workeroutput", None)
        if output is not None:
            output["conformance_breaches"] = list(self._breaches_here())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the breaches that a worker process saw."""
        self._breaches_elsewhere += map(tuple, getattr(node, "workeroutput", {}).get("conformance_breaches", ()))

    def _breaches_here(self) -> Iterator[tuple[str, str]]:
        return ((verdict.requirement, verdict.explanation) for verdict in self.plan.unsaid_breaches() if verdict.must)

    @pytest.hookimpl(wrapper=True, specname="pytest_runtestloop")
    def pytest_report_breaches(self, session: pytest.Session) -> Generator[None, object, object]:
        """Report each breach that exchanges of all checks showed and none failed for, as a failure like any other."""
        try:
            return (yield)
        finally:
            if not hasattr(session.config, "workerinput"):
                for identifier, explanation in dict([*self._breaches_elsewhere, *self._breaches_here()]).items():
                    session.config.hook.pytest_runtest_logreport(report=_breach(identifier, explanation))


def _is_check(item: pytest.Item) -> bool:
    return item.path.is_relative_to(SUITE)


def _properties(verdict: Verdict) -> list[tuple[str, object]]:
    lines = ", ".join(map(str, verdict.lines))
    return [
        ("requirement", verdict.requirement), ("level", verdict.level), ("basis", verdict.basis), ("lines", lines),
        ("outcome", verdict.outcome.value),
    ]  # fmt: skip


def _retell(report: pytest.TestReport, verdict: Verdict, declared: tuple[str, ...]) -> None:
    """Make a report say what a verdict says; an error of the suite keeps the traceback that it has."""
    if verdict.outcome is Outcome.FAILED and verdict.must:
        report.outcome, report.longrepr = "failed", verdict.explanation
    elif verdict.outcome is Outcome.FAILED:
        report.outcome, report.longrepr = "skipped", verdict.explanation
        report.wasxfail = f"{verdict.requirement} ({verdict.level}): {verdict.observed}"
    elif verdict.outcome is Outcome.BLOCKED and (not verdict.must or verdict.lacks in declared):
        reason = f"Skipped: {verdict.requirement} not checked: {verdict.explanation}"
        report.outcome, report.longrepr = "skipped", (report.location[0], report.location[1] or 0, reason)
    elif verdict.outcome is Outcome.BLOCKED:
        report.outcome, report.longrepr = "failed", f"{verdict.requirement} could not be judged: {verdict.explanation}"


def _breach(identifier: str, explanation: str) -> pytest.TestReport:
    """Return the report of a breach that exchanges of other checks showed."""
    place = f"conformance.suite::every_exchange[{identifier}]"
    return pytest.TestReport(
        nodeid=place, location=(place, None, place), keywords={}, outcome="failed", longrepr=explanation, when="call"
    )
