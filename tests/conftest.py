"""A way to judge an application in this process, where waiting takes no time."""

import gc
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.clock import VirtualClock
from conformance.outcome import Outcome
from conformance.proof import judge_in_process
from conformance.reference.server import Reference
from conformance.results import Run
from conformance.running.run import Options

Judge = Callable[..., Run]


@pytest.fixture(scope="session", autouse=True)
def garbage_lies_for_longer() -> None:
    """Look for garbage more seldom: what all the tests hold is looked through each time."""
    gc.freeze()
    gc.set_threshold(200_000)


@pytest.fixture(scope="session", autouse=True)
def signals_are_heeded() -> None:
    """What ignores signals for the tests, such as nohup, does not for the programs that they send signals to."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Return a function that makes an implementation and runs the suite, or a selection of it, against it."""

    def judged(make: Callable[[VirtualClock], Reference], **options: Any) -> Run:
        clock = VirtualClock()
        reference = make(clock)
        try:
            return judge_in_process(reference, clock, Options(**options), tmp_path)
        finally:
            reference.store.close()

    return judged


def told(run: Run, *outcomes: Outcome) -> dict[str, list[str]]:
    """Return what a run says of the requirements that came to some outcomes, check by check, by their ids."""
    found: dict[str, list[str]] = {}
    for verdict in run.verdicts:
        if verdict.outcome in outcomes:
            found.setdefault(verdict.requirement, []).append(f"{verdict.check} {verdict.explanation}")
    return found
