"""The search after the verdicts, and the cases that it saves."""

from pathlib import Path

import httpx
import pytest

from conformance.clock import VirtualClock
from conformance.faults import load_faults
from conformance.generation.cases import load_case
from conformance.generation.stories import TOUR
from conformance.outcome import Conclusion, Outcome
from conformance.reference.server import make_reference
from conformance.results import Discovery
from conformance.running import explore as exploring
from conformance.running.session import open_session
from conformance.running.survey import survey

from .conftest import Judge

FAULT = "revives-one-of-several-canceled"


def test_what_exploration_finds_is_saved_as_a_case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It names the requirement, and the case breaks it again on that server and on no honest one."""
    monkeypatch.setattr(exploring, "_of_a_fresh_seed", lambda: (TOUR,))
    clock, found = VirtualClock(), list[Discovery]()
    reference = load_faults()[FAULT].make(clock)
    session = open_session(
        reference.target("http://reference"), clock=clock, transport=httpx.WSGITransport(app=reference.app)
    )
    survey(session)

    exploring.explore(session, 10_000, tmp_path, found.append, stop=lambda: bool(found))

    assert [discovery.requirement for discovery in found] == ["LIFE-03"]
    assert all("curl" in step for step in found[0].steps)
    assert load_case(Path(found[0].case))[0] == "LIFE-03"


def test_a_case_is_judged_alone(judge: Judge) -> None:
    """One check, of the requirement that the case names; it fails the faulty server and passes the honest one."""
    faulty = judge(load_faults()[FAULT].make, selection=("LIFE-03",), case=TOUR, case_path="case.yaml")
    honest = judge(lambda clock: make_reference(clock=clock), selection=("LIFE-03",), case=TOUR)

    assert [verdict.outcome for verdict in faulty.verdicts] == [Outcome.FAILED]
    assert "step 1" in faulty.verdicts[0].explanation
    assert "--case case.yaml" in faulty.verdicts[0].again
    assert honest.conclusion is Conclusion.CONFORMANT


def test_exploring_an_honest_server_finds_nothing_and_changes_no_verdict(judge: Judge) -> None:
    """The verdict is that of the checks alone."""
    run = judge(lambda clock: make_reference(clock=clock), selection=("LIST-01",), explore=2.0)

    assert run.discoveries == []
    assert run.conclusion is Conclusion.CONFORMANT
    assert run.footer is not None
    assert len(run.verdicts) == run.footer["planned"]


def test_an_error_while_exploring_loses_no_verdict(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record has its end, every check as it came out, and the error as one of ours."""
    monkeypatch.setattr(exploring, "_of_a_fresh_seed", lambda: 1 // 0)

    run = judge(lambda clock: make_reference(clock=clock), selection=("LIST-01",), explore=2.0)

    assert run.footer is not None
    assert "ZeroDivisionError" in run.footer["suite_error"]
    assert {verdict.outcome for verdict in run.verdicts} == {Outcome.PASSED}
