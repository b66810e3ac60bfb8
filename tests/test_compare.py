"""Two runs side by side: what counts as worse, and what a CI job makes of it."""

import io
from pathlib import Path

import pytest
from attrs import evolve

from conformance import console
from conformance.catalogue import load_catalogue
from conformance.compare import Change, compare, exit_for_new
from conformance.faults import load_faults
from conformance.outcome import Outcome
from conformance.record import read_record
from conformance.reference.server import make_reference
from conformance.results import Observation, Run, WaiverState, WaiverUse
from tests.conftest import Judge
from tests.report.runs import exchange
from tests.test_bad_input import command, is_a_mistake
from tests.test_waivers import verdict

CATALOGUE = load_catalogue()
PASSED, FAILED, BLOCKED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED, Outcome.ERROR


def a_run(outcomes: dict[str, Outcome], *, interrupted: bool = False, waived: bool = False) -> Run:
    """Return a run in which each requirement has one check, and ACCESS-01 passed."""
    run = Run(header={"target": {}}, footer={"interrupted": interrupted, "requests": 3, "seconds": 1.0})
    for requirement, outcome in {"ACCESS-01": PASSED, **outcomes}.items():
        said = evolve(verdict(requirement, outcome), check=f"test::{requirement}")
        run.verdicts.append(evolve(said, waived="known") if waived and outcome is FAILED else said)
    return run


@pytest.mark.parametrize(
    ("before", "now", "worse", "exit_"),
    [
        ({"REVIEW-01": PASSED}, {"REVIEW-01": PASSED}, False, 0),
        ({"REVIEW-01": FAILED}, {"REVIEW-01": FAILED}, False, 0),
        ({"REVIEW-01": FAILED}, {"REVIEW-01": PASSED}, False, 0),
        ({"REVIEW-01": PASSED}, {"REVIEW-01": FAILED}, True, 1),
        ({"REVIEW-01": BLOCKED}, {"REVIEW-01": FAILED}, True, 1),
        ({"REVIEW-01": PASSED}, {"REVIEW-01": BLOCKED}, True, 3),
        ({"REVIEW-01": PASSED, "IDEM-01": PASSED}, {"REVIEW-01": BLOCKED, "IDEM-01": FAILED}, True, 1),
        ({"REVIEW-01": FAILED}, {"REVIEW-01": BLOCKED}, False, 0),
        ({"REVIEW-01": PASSED}, {"REVIEW-01": ERROR}, True, 4),
        ({"REVIEW-01": ERROR}, {"REVIEW-01": ERROR}, False, 4),
        ({"REVIEW-01": PASSED}, {}, False, 0),
        ({}, {"REVIEW-01": PASSED}, False, 0),
        ({}, {"REVIEW-01": FAILED}, True, 1),
        ({"REVIEW-01": FAILED}, {"REVIEW-01": FAILED, "IDEM-01": FAILED}, True, 1),
    ],
)
def test_worse_is_what_was_better_before(
    before: dict[str, Outcome], now: dict[str, Outcome], worse: bool, exit_: int  # noqa: FBT001 - a parameter
) -> None:  # fmt: skip
    """A check that came to less, or a failure that only the second run has; the suite's own failure is never green."""
    second = a_run(now)
    found = compare(a_run(before), second, CATALOGUE)

    assert found.got_worse is worse
    assert exit_for_new(found, second) == exit_


def test_what_does_not_count_for_the_verdict_is_shown_and_fails_nothing() -> None:
    """A SHOULD that fails now, and a check that lacks what the target file declares now, leave the run conformant."""
    before, now = a_run({"REVIEW-01": PASSED, "IDEM-01": PASSED}), a_run({"REVIEW-01": FAILED, "IDEM-01": BLOCKED})
    now.header["not_available"] = ["other_shop"]
    passed, should, lacking = now.verdicts
    now.verdicts[:] = [passed, evolve(should, level="SHOULD"), evolve(lacking, lacks="other_shop")]
    found, out = compare(before, now, CATALOGUE), io.StringIO()
    console.comparison(found, out=out)

    assert now.exit == 0
    assert (len(found.worse), found.got_worse, exit_for_new(found, now)) == (2, False, 0)
    assert "nothing got worse that counts for the verdict" in out.getvalue()


def test_which_of_some_checks_is_blocked_is_nothing_new() -> None:
    """Where one check of a requirement is blocked as before, though another one, nothing got worse."""
    rows = [evolve(verdict("RACE-05", outcome), check=f"test[{outcome}]") for outcome in (PASSED, BLOCKED)]
    runs = [a_run({}), a_run({})]
    runs[0].verdicts += rows
    runs[1].verdicts += [evolve(row, check=other.check) for row, other in zip(rows, reversed(rows), strict=True)]

    found = compare(runs[0], runs[1], CATALOGUE)

    assert not found.got_worse
    assert exit_for_new(found, runs[1]) == 0


def test_a_run_that_was_cut_off_got_worse() -> None:
    """What is missing of it cannot be taken for unchanged."""
    second = a_run({}, interrupted=True)
    found = compare(a_run({"REVIEW-01": PASSED}), second, CATALOGUE)

    assert found.got_worse
    assert exit_for_new(found, second) == 3


def test_a_failure_that_is_waived_is_not_new() -> None:
    """Somebody accepted it; when its waiver is gone, it got worse."""
    passed, waived, failed = (
        a_run({"REVIEW-01": PASSED}),
        a_run({"REVIEW-01": FAILED}, waived=True),
        a_run({"REVIEW-01": FAILED}),
    )

    assert not compare(passed, waived, CATALOGUE).got_worse
    assert compare(waived, failed, CATALOGUE).got_worse


def test_an_outdated_waiver_fails_also_when_nothing_is_new() -> None:
    """It is a trouble of its own."""
    second = a_run({"REVIEW-01": PASSED})
    second.waivers.append(WaiverUse("REVIEW-01", "r", "o", "t", "2026-01-01", "", state=WaiverState.PASSES))

    assert exit_for_new(compare(a_run({"REVIEW-01": PASSED}), second, CATALOGUE), second) == 1


def test_what_differs_is_shown_side_by_side() -> None:
    """Verdicts that changed, readings that differ, requests and latencies; what is the same is left out."""
    before, now = a_run({"REVIEW-01": PASSED, "IDEM-01": FAILED}), a_run({"REVIEW-01": FAILED, "IDEM-01": PASSED})
    before.observations += [Observation("A22", "200"), Observation("A37", "at once")]
    now.observations += [Observation("A22", "200"), Observation("A37", "later")]
    slow = exchange(milliseconds=77)
    now.verdicts[0] = evolve(now.verdicts[0], evidence=(slow,))

    found = compare(before, now, CATALOGUE)
    out = io.StringIO()
    console.comparison(found, out=out)
    shown = " ".join(out.getvalue().split())

    assert [(change.requirement, change.before, change.now) for change in found.worse] == [
        ("REVIEW-01", "passed", "failed")
    ]
    assert found.changes[1] == Change("IDEM-01", "test::IDEM-01", "failed", "passed")
    assert [(row.name, row.before, row.now) for row in found.readings] == [("A37", "at once", "later")]
    assert "worse: 1 check REVIEW-01 passed → failed test::REVIEW-01 still 1" in shown
    assert "better: 1 check IDEM-01 failed → passed" in shown
    assert "not answered" in shown
    assert "median 77 ms" in shown
    assert "something got worse" in shown


def test_a_faulty_server_is_worse_than_the_reference(judge: Judge, tmp_path: Path) -> None:
    """The command compares two records from end to end, and ends with 1 when something got worse."""
    fault = load_faults()["revives-canceled"]
    judge(lambda clock: make_reference(clock=clock), selection=(fault.requirement,))
    sound = (tmp_path / "run.jsonl").rename(tmp_path / "sound.jsonl")
    judge(fault.make, selection=(fault.requirement,))
    faulty = (tmp_path / "run.jsonl").rename(tmp_path / "faulty.jsonl")

    worse, better = command("compare", str(sound), str(faulty)), command("compare", str(faulty), str(sound))

    assert (worse.returncode, better.returncode) == (1, 0), worse.stderr + better.stderr
    assert f"{fault.requirement} passed → failed" in " ".join(worse.stdout.split())
    assert "nothing got worse" in better.stdout

    out = tmp_path / "again"
    again = command(
        "run", "fault:revives-canceled", "--select", fault.requirement, "--out", str(out),
        "--against", str(faulty), "--fail-on", "new",
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    assert read_record(out / "run.jsonl").exit == 1


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (("compare", "none.jsonl", "none.jsonl"), "none.jsonl"),
        (("run", "--fail-on", "new"), "--against"),
        (("run", "--against", "none.jsonl"), "none.jsonl"),
    ],
)
def test_what_there_is_to_compare_with_must_be_there(words: tuple[str, ...], fragment: str) -> None:
    """It is said before anything is sent."""
    is_a_mistake(command(*words), fragment)
