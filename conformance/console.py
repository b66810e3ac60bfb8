"""The terminal: progress while a run goes on, and what it came to at its end."""

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from conformance.catalogue import Catalogue, Requirement
from conformance.lenient import Lenient
from conformance.outcome import Outcome
from conformance.report.facts import duration, made_by
from conformance.report.figures import Latency, by_area
from conformance.report.findings import State, reasons, standings, worst_first
from conformance.results import Made, Run, Verdict
from conformance.telling import place, steps, told
from conformance.text import harmless, one_line, shortened

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from conformance.compare import Comparison, Row
    from conformance.proof import Trial

COLOURS = {
    State.PASSED: "green",
    State.FAILED: "red",
    State.WAIVED: "yellow",
    State.ERROR: "magenta",
    State.BLOCKED: "yellow",
    State.NOT_CHECKED: "dim",
    State.NOT_RUN: "dim",
}
MOST_IDS = 12
MOST_BODY = 600
MOST_LINE = 2_000
"""Characters of one line on a terminal: a longer curl line is no use there, and whole in the record and its script."""
BAR = 10


class Progress:
    """Tells of a run while it goes on: one live line on a terminal, one line for each area anywhere else.

    The live line goes when all that was planned is done; as a context manager, also when a run ends before that.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._console = _console(out)
        self._live: Live | None = None
        self._planned: Mapping[str, int] = {}
        self._done: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._area = ""
        self._requests = 0
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def noticed(self, told: str) -> None:
        """Something that a user should know of the target was found out before the first check."""
        self._console.print(_text(told, "dim"), soft_wrap=True)

    def planned(self, areas: Mapping[str, int]) -> None:
        """So many checks of each area are going to run."""
        self._planned = areas
        self._started = time.monotonic()
        if self._console.is_terminal and not os.environ.get("CI"):
            from rich.live import Live

            # It goes on telling the time left while a check waits.
            self._live = Live(console=self._console, transient=True, get_renderable=self._line, refresh_per_second=4)
            self._live.start()

    def started(self, check: str, requirement: Requirement) -> None:
        """A check begins."""
        del check
        self._area = requirement.area

    def judged(self, verdict: Verdict, requests: int) -> None:
        """A check ended; the run has sent so many requests by now."""
        area = verdict.area
        self._requests = requests
        self._done[area] += 1
        self._failed[area] += verdict.outcome is Outcome.FAILED
        if self._live is not None:
            self._live.refresh()
        elif self._done[area] == self._planned.get(area):
            failed = f", {self._failed[area]} failed" if self._failed[area] else ""
            plural = "" if self._done[area] == 1 else "s"
            self._console.print(f"{area}: {self._done[area]} check{plural}{failed}")
        if self._done.total() >= sum(self._planned.values()):
            self._stop()

    def _line(self) -> "Text":
        from rich.text import Text

        seconds = time.monotonic() - self._started
        planned, done, failed = sum(self._planned.values()), self._done.total(), self._failed.total()
        drawn = BAR * done // max(1, planned)
        left = f", {duration(seconds / done * max(0, planned - done))} left" if done else ""
        failures = f"[red]{failed} failed[/]" if failed else "none failed"
        pace = self._requests / seconds if seconds > 0 else 0
        line = (
            f"{'━' * drawn}[dim]{'╌' * (BAR - drawn)}[/] [bold]{self._area}[/] {done}/{planned} checks, {failures}"
            f"[dim]{left}, {self._requests} requests, {pace:.0f}/s[/]"
        )
        shown = Text.from_markup(line, overflow="ellipsis")
        shown.no_wrap = True
        return shown

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def summary(
    run: Run,
    catalogue: Catalogue,
    paths: Mapping[str, Path],
    *,
    verbose: bool = False,
    out: TextIO | None = None,
) -> None:
    """Print what a run came to: failures, what was blocked and why, areas, the verdict, and where the reports are."""
    console = _console(out)
    found = standings(run, catalogue)
    for standing in worst_first(found.values()):
        for verdict in standing.failed:
            if not verdict.waived:
                _print_verdict(console, verdict, "red", verbose=verbose)
    for verdict in run.verdicts:
        if verdict.outcome is Outcome.ERROR:
            _print_verdict(console, verdict, "magenta", verbose=verbose)
    _print_reasons(console, run)
    if run.verdicts:
        _print_areas(console, by_area(standing for standing in found.values() if standing.verdicts))
    _print_end(console, run, paths)


def list_requirements(catalogue: Catalogue, checks: Sequence[Any], *, out: TextIO | None = None) -> None:
    """Print a line for each requirement that a check judges: id, level, basis, page lines, checks, text."""
    from rich.table import Table

    named: dict[str, int] = {}
    for check in checks:
        named[check.requirement] = named.get(check.requirement, 0) + 1
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "level", "basis", "page lines", "checks"):
        table.add_column(column, no_wrap=column != "page lines", justify="right" if column == "checks" else "left")
    table.add_column("what it owes", ratio=1)
    for identifier, count in named.items():
        wanted = catalogue.requirements[identifier]
        lines = place(wanted.lines).removeprefix("page lines ").removeprefix("page line ")
        table.add_row(_text(identifier, "bold"), wanted.level, wanted.basis, lines, str(count), _text(wanted.text))
    _console(out).print(table)


def explain(
    catalogue: Catalogue,
    identifier: str,
    checks: Sequence[Any],
    faults: Sequence[Any],
    *,
    out: TextIO | None = None,
) -> None:
    """Print all that is known of a requirement: what it owes, why, where the page says so, and how it is checked."""
    console = _console(out)
    wanted = catalogue.requirements[identifier]
    console.print(_text(f"{wanted.id} ({wanted.level}, {wanted.basis}) {wanted.text}", "bold"))
    console.print(_text(f"\nWhy   {wanted.why}"))
    console.print(_text(f"Where {place(wanted.lines)}; operations: {', '.join(wanted.operations)}"))
    told_of = {
        "Likely causes of a failure": wanted.causes,
        "Readings": [f"{name}  {catalogue.readings[name].place}" for name in wanted.readings],
        "Checks": [f"{check.name}  {' '.join(check.sentence.split())}" for check in checks],
        "Faulty servers that break it": [f"fault:{fault.name}  {fault.sentence}" for fault in faults],
    }
    for title, entries in told_of.items():
        if entries:
            console.print(_text(f"\n{title}", "bold"))
            for entry in entries:
                console.print(_text(f"  {entry}"))


def _console(out: TextIO | None) -> "Console":
    # Commands that print nothing pretty must not pay for rich.
    from rich.console import Console

    lenient: Any = Lenient(out or sys.stdout)
    return Console(file=lenient, highlight=False, emoji=False)


def _text(text: str, style: str = "") -> Any:
    """Return text that is printed as it stands: no markup in it is obeyed."""
    from rich.text import Text

    # Some CI systems obey commands behind this mark wherever in a line it stands.
    return Text(harmless(text).replace("##", "# #"), style=style)


def _print_verdict(console: "Console", verdict: Verdict, colour: str, *, verbose: bool) -> None:
    head, *rest = told(verdict).split("\n")
    console.print(_text(head, colour), soft_wrap=True)
    lines = (*rest, *steps(verdict))
    for line in lines:
        console.print(_text(shortened(line, MOST_LINE)), soft_wrap=True)
    if any(len(line) > MOST_LINE for line in lines):
        console.print(_text("  what is cut off is whole in the record and on the page", "dim"), soft_wrap=True)
    if verbose:
        for exchange in verdict.evidence:
            seen = "no answer" if exchange.status is None else exchange.status
            asked = shortened(one_line(f"{exchange.method} {exchange.url} {exchange.request_body or ''}"), MOST_BODY)
            answered = shortened(one_line(exchange.trouble or exchange.response_body), MOST_BODY)
            console.print(_text(f"    {exchange.role}: {asked}", "dim"), soft_wrap=True)
            console.print(_text(f"      {seen} in {exchange.milliseconds} ms: {answered}", "dim"), soft_wrap=True)
    console.print()


def _print_reasons(console: "Console", run: Run) -> None:
    for reason in reasons(run):
        head = "not checked" if reason.declared else "blocked"
        ids = ", ".join(reason.requirements[:MOST_IDS])
        more = len(reason.requirements) - MOST_IDS
        console.print(_text(f"{head}: {reason.text}", "yellow"), soft_wrap=True)
        console.print(_text(f"  {ids}" + (f" and {more} more" if more > 0 else "")), soft_wrap=True)
        console.print()


def _print_areas(console: "Console", rows: Sequence[Any]) -> None:
    from rich.table import Table

    states = [state for state in State if any(row.counts[state] for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("requirements of", no_wrap=True)
    for state in states:
        table.add_column(state.value, justify="right", no_wrap=True)
    for row in rows:
        counts = [(state, row.counts[state]) for state in states]
        table.add_row(row.name, *(_text(str(n or "·"), COLOURS[state] if n else "dim") for state, n in counts))
    console.print(table)
    console.print()


def _print_end(console: "Console", run: Run, paths: Mapping[str, Path]) -> None:
    colour = {"conformant": "green", "non-conformant": "red", "incomplete": "yellow"}.get(run.conclusion, "magenta")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in run.counts.items())
    footer = run.footer or {}
    took = (
        f"; {footer['requests']} requests in {footer['seconds']} s" if {"requests", "seconds"} <= footer.keys() else ""
    )
    for noticed in footer.get("noticed", ()):
        console.print(_text(noticed, "dim"), soft_wrap=True)
    console.print(_text(run.sentence, f"bold {colour}"), soft_wrap=True)
    console.print(_text(f"{len(run.verdicts)} checks: {counts}{took}"), soft_wrap=True)
    for found in run.discoveries:
        told = (
            f"found by exploration, and no part of the verdict: {found.requirement}; replay it with --case {found.case}"
        )
        console.print(_text(told, "red"), soft_wrap=True)
    _print_waivers(console, run)
    if not run.tls_verified:
        console.print(_text("TLS is NOT verified: whoever answered may have been anybody", "bold red"), soft_wrap=True)
    _print_ledger(console, run)
    for name, path in paths.items():
        console.print(_text(f"  {name:<8} {path}"), soft_wrap=True)


def _print_waivers(console: "Console", run: Run) -> None:
    for waiver in run.waivers:
        console.print(_text(one_line(waiver.told), "red" if waiver.outdated else "yellow"), soft_wrap=True)


def tidied(run: Run, changed: Sequence[Made], *, out: TextIO | None = None) -> None:
    """Print what became of the refunds that a run had made, and what is left."""
    console = _console(out)
    for made in changed:
        if made.what == "refund":
            console.print(
                _text(one_line(f"refund {made.id} of order {made.order}: {made.left or made.state}")), soft_wrap=True
            )
    _print_ledger(console, run)


def _print_ledger(console: "Console", run: Run) -> None:
    if run.ledger:
        console.print(_text(made_by(run)), soft_wrap=True)
    for why, count in Counter(made.left for made in run.left).items():
        console.print(_text(f"  {count} left: {one_line(why)}" if why else f"  {count} left", "yellow"), soft_wrap=True)


def comparison(found: "Comparison", *, out: TextIO | None = None) -> None:
    """Print two runs side by side: facts and latencies, the verdicts that changed, and the readings that differ."""
    console = _console(out)
    console.print(_side_by_side([*found.facts, *(_latency_row(*each) for each in found.latencies)]))
    groups = {
        "worse": (found.worse, "red"),
        "better": ([change for change in found.changes if change.better], "green"),
        "otherwise": ([change for change in found.changes if not change.worse and not change.better], "dim"),
    }
    for title, (changes, colour) in groups.items():
        if changes:
            console.print(_text(f"\n{title}: {len(changes)} check{'' if len(changes) == 1 else 's'}", f"bold {colour}"))
        for change in changes:
            words = f"{change.before or 'not there'} → {change.now or 'not there'}"
            console.print(_text(f"  {change.requirement}  {words}  {change.check}", colour), soft_wrap=True)
            if change.worse and change.told:
                console.print(_text(f"    {shortened(one_line(change.told), MOST_BODY)}"), soft_wrap=True)
    if found.readings:
        console.print(_text("\nreadings that differ", "bold"))
        console.print(_side_by_side(found.readings))
    console.print(_text("\n" + _judged(found), "bold"))


def _judged(found: "Comparison") -> str:
    if found.got_worse:
        return "something got worse"
    return "nothing got worse" + (" that counts for the verdict" if found.worse else "")


def _side_by_side(rows: Sequence["Row"]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "before", "now"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(_text(one_line(row.name)), _text(one_line(row.before)), _text(one_line(row.now)))
    return table


def _latency_row(operation: str, before: "Latency | None", now: "Latency | None") -> "Row":
    from conformance.compare import Row

    told = [
        "not answered" if each is None else f"{each.requests} answers, median {each.median} ms, 95 % in {each.slow} ms"
        for each in (before, now)
    ]
    return Row(operation, *told)


@contextlib.contextmanager
def proving(out: TextIO | None = None) -> Iterator[Callable[["Trial", int, int], None]]:
    """Yield what is told of each trial of a proof: a live line on a terminal, a line for anything unexpected."""
    console = _console(out)
    with console.status("proving") as status:

        def tell(trial: "Trial", done: int, planned: int) -> None:
            status.update(f"proving {done}/{planned} {trial.name}")
            if not trial.as_it_should_be:
                console.print(_text(f"{trial.kind} {trial.name}: {_unexpected(trial)}"), soft_wrap=True)

        yield tell


def _unexpected(trial: "Trial") -> str:
    if trial.errors:
        return f"error in the suite: {shortened(one_line(trial.errors[0]), 300)}"
    failed = ", ".join(trial.failed) or "nothing"
    if trial.kind == "fault":
        return f"breaks {', '.join(trial.names)}, and failed {failed}"
    return f"is honest, and failed {failed}; blocked {', '.join(trial.blocked) or 'nothing'}"


def proof_summary(matrix: Mapping[str, Any], paths: Mapping[str, Path], *, out: TextIO | None = None) -> None:
    """Print what a proof came to, and where it is written."""
    console = _console(out)
    faults, honest = matrix["faults"], matrix["honest"]
    exact = sum(fault["exact"] for fault in faults)
    console.print(_text(f"faults caught for exactly what they break: {exact} of {len(faults)}"), soft_wrap=True)
    if honest:
        console.print(_text(f"honest servers that conform: {sum(one['conforms'] for one in honest)} of {len(honest)}"))
    for title, name in (
        ("survive", "survivors"),
        ("fail more than they break", "not_exact"),
        ("do not conform", "not_conforming"),
        ("requirements without a fault", "without_fault"),
        ("checks that never failed", "never_failed"),
    ):
        if matrix[name]:
            console.print(_text(f"{title}: {', '.join(matrix[name])}"), soft_wrap=True)
    console.print(_text(f"in {matrix['seconds']} s"))
    for name, path in paths.items():
        console.print(_text(f"  {name.ljust(8)}{path}"), soft_wrap=True)
