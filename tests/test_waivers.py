"""Failures that are known: what a waiver file may say, what it does to a verdict, and how it is written."""

from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from attrs import evolve

from conformance.catalogue import load_catalogue
from conformance.faults import load_faults
from conformance.outcome import Outcome, UsageError
from conformance.record import read_record
from conformance.report.junit import draw_junit
from conformance.report.material import Material
from conformance.results import Run, Verdict, WaiverState
from conformance.waive import Fill, write_waivers
from conformance.waivers import Waiver, apply, load_waivers, uses
from tests.conftest import Judge
from tests.test_bad_input import command, is_a_mistake

TODAY = date(2026, 5, 4)
CATALOGUE = load_catalogue()
CHECKS = {identifier: {"test::still 1"} for identifier in CATALOGUE.requirements}
FILL = Fill("known since May", "payments", "PAY-1", date(2026, 8, 1))
GOOD = """\
# Ours.
waivers:
  # the queue is slow
  - requirement: REVIEW-01   # the worst
    reason: fixed in 4.2
    owner: payments
    ticket: 17
    expires: 2026-12-31
  # about keys
  - requirement: IDEM-01
    reason: >
      two
      lines
    owner: checkout
    ticket: CHK-2
    expires: 2026-06-01
    observed: still 200
"""


def waiver(requirement: str = "REVIEW-01", **changes: Any) -> Waiver:
    """Return a waiver that is good for some days more."""
    return evolve(Waiver(requirement, "why", "who", "T-1", date(2026, 6, 1)), **changes)


def verdict(requirement: str = "REVIEW-01", outcome: Outcome = Outcome.FAILED, observed: str = "still 1") -> Verdict:
    """Return what a check said."""
    wanted = CATALOGUE.requirements[requirement]
    return Verdict(
        requirement, f"test::{observed}", outcome, wanted.level, wanted.basis, wanted.area, wanted.text, wanted.lines,
        observed=observed if outcome is Outcome.FAILED else "",
    )  # fmt: skip


def judged(*verdicts: Verdict, waivers: tuple[Waiver, ...] = (), today: date = TODAY) -> Run:
    """Return a whole run with these verdicts, and with another requirement that passed."""
    run = Run(header={}, footer={"interrupted": False})
    run.verdicts += [apply(waivers, each, today) for each in (*verdicts, verdict("ACCESS-01", Outcome.PASSED))]
    run.waivers += uses(waivers, run, today, CHECKS)
    return run


def test_a_waived_failure_is_conformant_with_its_waiver() -> None:
    """The run has nothing against it, ends with 0, and never says just conformant."""
    waivers = (waiver(), waiver("IDEM-01"))
    run = judged(verdict(), verdict(observed="still 2"), verdict("IDEM-01"), waivers=waivers)

    assert run.conclusion == "conformant"
    assert run.verdict == run.sentence == "conformant with 2 waivers"
    assert run.exit == 0
    assert [use.checks for use in run.waivers] == [2, 1]


def test_a_failure_beside_the_waived_one_counts() -> None:
    """A waiver covers what it speaks of, and nothing else."""
    run = judged(verdict(), verdict("IDEM-01"), waivers=(waiver(),))

    assert (run.sentence, run.exit) == ("non-conformant", 1)


@pytest.mark.parametrize(
    ("verdicts", "changes", "state", "conclusion"),
    [
        ([verdict()], {"expires": date(2026, 5, 3)}, WaiverState.EXPIRED, "non-conformant"),
        ([verdict(outcome=Outcome.PASSED)], {"expires": date(2026, 5, 3)}, WaiverState.EXPIRED, "conformant"),
        ([verdict(outcome=Outcome.PASSED)], {}, WaiverState.PASSES, "conformant"),
        ([verdict()], {"observed": "still 2"}, WaiverState.MATCHES_NOTHING, "non-conformant"),
    ],
)
def test_an_outdated_waiver_fails_the_run_by_name(
    verdicts: list[Verdict], changes: dict[str, Any], state: WaiverState, conclusion: str
) -> None:
    """Expired, matching nothing, or passing: the run ends with 1, and its sentence names the waiver and why."""
    run = judged(*verdicts, waivers=(waiver(**changes),))

    assert run.exit == 1
    assert run.conclusion == conclusion
    assert run.sentence.startswith(conclusion)
    assert run.sentence.endswith(f"waivers that fail the run: REVIEW-01 ({state})")


def test_a_waiver_holds_until_the_end_of_its_day() -> None:
    """On the day that it names it is still good."""
    assert judged(verdict(), waivers=(waiver(expires=TODAY),)).exit == 0


@pytest.mark.parametrize("verdicts", [[], [verdict(outcome=Outcome.BLOCKED)]])
def test_a_waiver_of_what_was_not_judged_says_nothing(verdicts: list[Verdict]) -> None:
    """What a run did not select, or could not check, neither uses a waiver nor makes it outdated."""
    run = judged(*verdicts, waivers=(waiver(),))

    assert run.waivers[0].state is WaiverState.NOT_TRIED
    assert "waiver" not in run.sentence


def test_a_waiver_of_what_was_judged_in_part_says_nothing(tmp_path: Path) -> None:
    """Where a smaller profile passes what it has of a requirement, the waiver is neither outdated nor taken out."""
    path = written(tmp_path, GOOD)
    run = judged(verdict(observed="in quick", outcome=Outcome.PASSED), waivers=(waiver(),))

    told = write_waivers(run, CATALOGUE, CHECKS, path, FILL)

    assert run.waivers[0].state is WaiverState.NOT_TRIED
    assert told.taken_out == ()


def test_junit_skips_what_is_waived_and_fails_what_is_outdated() -> None:
    """A CI job is red for a waiver that is outdated, by its name, and not for a waived failure."""
    run = judged(verdict(), verdict("IDEM-01", Outcome.PASSED), waivers=(waiver(), waiver("IDEM-01")))

    root = fromstring(draw_junit(Material(run, CATALOGUE)))

    failed = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
    assert failed == ["waiver 2 of IDEM-01"]
    assert "waived: why (who, T-1, until 2026-06-01)" in str(root.findtext(".//skipped"))


def written(tmp_path: Path, text: str) -> Path:
    """Write a waiver file."""
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    return path


def test_a_waiver_file_is_read(tmp_path: Path) -> None:
    """Every key has its value; the number of a ticket needs no quotes."""
    first, second = load_waivers(written(tmp_path, GOOD), CATALOGUE)

    assert (first.requirement, first.ticket, first.expires) == ("REVIEW-01", "17", date(2026, 12, 31))
    assert (second.reason, second.observed) == ("two lines", "still 200")


@pytest.mark.parametrize(
    ("old", "new", "fragments"),
    [
        ("waivers:", "waiver:", ["is not a waiver file"]),
        ("owner: payments", "ower: payments", ["waiver 1", "'ower'", "Did you mean owner?"]),
        ("    owner: payments\n", "", ["waiver 1", "owner is missing"]),
        ("ticket: CHK-2", "ticket: ''", ["waiver 2", "ticket must be a text that is not empty"]),
        ("REVIEW-01", "REVIW-01", ["waiver 1", "'REVIW-01'", "Did you mean REVIEW-01"]),
        ("2026-12-31", "2026-02-30", ["waiver 1", "expires must be a day", "2026-02-30"]),
        ("2026-12-31", "soon", ["waiver 1", "expires must be a day"]),
        ("IDEM-01", "ACCESS-12", ["waiver 2", "ACCESS-12", "cannot fail a run"]),
        ("    observed: still 200\n", "    observed: still 200\n    observed: x\n", ["is there twice"]),
    ],
)  # fmt: skip
def test_a_malformed_waiver_file_is_explained(tmp_path: Path, old: str, new: str, fragments: list[str]) -> None:
    """The message names the file, the waiver and the way out."""
    optional = next(r.id for r in CATALOGUE.requirements.values() if r.level != "MUST" or r.basis == "open")
    path = written(tmp_path, GOOD.replace(old, new.replace("ACCESS-12", optional)))

    with pytest.raises(UsageError) as mistake:
        load_waivers(path, CATALOGUE)

    for fragment in ("waivers.yaml", *fragments):
        assert fragment.replace("ACCESS-12", optional) in str(mistake.value)


def test_a_waiver_is_not_there_twice(tmp_path: Path) -> None:
    """Two that nothing tells apart are a mistake."""
    again = GOOD.replace("IDEM-01", "REVIEW-01").replace("    observed: still 200\n", "")
    with pytest.raises(UsageError, match="REVIEW-01 is there twice"):
        load_waivers(written(tmp_path, again), CATALOGUE)


def test_a_new_file_waives_each_requirement_that_failed(tmp_path: Path) -> None:
    """It is good as it is when nothing in it is left to fill in."""
    path = tmp_path / "waivers.yaml"
    run = judged(verdict(), verdict(observed="still 2"), verdict("IDEM-01"))

    told = write_waivers(run, CATALOGUE, CHECKS, path, FILL)

    assert told.added == ("REVIEW-01", "IDEM-01")
    waivers = load_waivers(path, CATALOGUE)
    assert judged(*run.verdicts, waivers=waivers).verdict == "conformant with 2 waivers"
    assert waivers[0] == Waiver("REVIEW-01", FILL.reason, FILL.owner, FILL.ticket, FILL.expires)


@pytest.mark.parametrize(
    "before", ["waivers:\n", "waivers: []\n", '"waivers": [ ]  # none\r\n', "# mine\nwaivers:   # none\n"]
)
def test_an_empty_list_is_filled_however_it_is_written(tmp_path: Path, before: str) -> None:
    """What is said to be added is there, comments stay, and lines end as they did."""
    path = tmp_path / "waivers.yaml"
    path.write_bytes(before.encode())

    write_waivers(judged(verdict()), CATALOGUE, CHECKS, path, FILL)

    text = path.read_bytes().decode()
    assert [each.requirement for each in load_waivers(path, CATALOGUE)] == ["REVIEW-01"]
    assert text.count("# none") == before.count("# none")
    assert ("\r\n" in text) is ("\r\n" in before)
    assert "\n" not in text.replace("\r\n", "") or "\r" not in before


def test_what_is_to_be_filled_in_is_asked_for(tmp_path: Path) -> None:
    """A file with empty places is no waiver file yet."""
    path = tmp_path / "waivers.yaml"
    write_waivers(judged(verdict()), CATALOGUE, CHECKS, path, Fill("", "", "", date(2026, 8, 1)))

    with pytest.raises(UsageError, match="waiver 1: reason must be a text that is not empty: fill it in"):
        load_waivers(path, CATALOGUE)


def test_an_old_file_keeps_what_is_still_needed_as_it_stands(tmp_path: Path) -> None:
    """Comments stay with their waiver; one of what has passed goes, with the comment above it; new ones come last."""
    path = written(tmp_path, GOOD + "# end\n")
    run = judged(verdict(outcome=Outcome.PASSED), verdict("IDEM-01", observed="still 200"), verdict("IDEM-02"))

    told = write_waivers(run, CATALOGUE, CHECKS, path, FILL)

    assert (told.added, told.kept, told.taken_out) == (("IDEM-02",), ("IDEM-01",), ("REVIEW-01",))
    text = path.read_text()
    kept = GOOD[GOOD.index("  # about keys") :]
    assert text.startswith("# Ours.\nwaivers:\n" + kept)
    assert text.endswith("# end\n")
    assert [each.requirement for each in load_waivers(path, CATALOGUE)] == ["IDEM-01", "IDEM-02"]


def test_what_was_not_judged_keeps_its_waiver(tmp_path: Path) -> None:
    """A run of a selection changes nothing about the others."""
    path = written(tmp_path, GOOD)

    told = write_waivers(judged(), CATALOGUE, CHECKS, path, FILL)

    assert path.read_text() == GOOD
    assert told.kept == ("REVIEW-01", "IDEM-01")


def test_a_file_may_lose_all_its_waivers_and_get_new_ones(tmp_path: Path) -> None:
    """An empty list is a waiver file, too."""
    path = written(tmp_path, GOOD)
    passed = judged(verdict(outcome=Outcome.PASSED), verdict("IDEM-01", Outcome.PASSED))

    write_waivers(passed, CATALOGUE, CHECKS, path, FILL)
    assert load_waivers(path, CATALOGUE) == ()
    write_waivers(judged(verdict()), CATALOGUE, CHECKS, path, FILL)

    assert [each.requirement for each in load_waivers(path, CATALOGUE)] == ["REVIEW-01"]
    assert path.read_text().startswith("# Ours.\n")


def test_a_list_in_brackets_is_not_rewritten(tmp_path: Path) -> None:
    """What cannot be changed without losing its form is left alone."""
    text = 'waivers: [{requirement: REVIEW-01, reason: a, owner: b, ticket: c, expires: "2027-01-01"}]\n'
    path = written(tmp_path, text)

    with pytest.raises(UsageError, match="behind a dash"):
        write_waivers(judged(verdict("IDEM-01")), CATALOGUE, CHECKS, path, FILL)

    assert path.read_text() == text


def test_a_faulty_server_is_waived_from_end_to_end(judge: Judge, tmp_path: Path) -> None:
    """Waive writes the file, run takes it, and the record tells what became of it."""
    fault = load_faults()["revives-canceled"]
    failing = judge(fault.make, selection=(fault.requirement,))
    assert failing.conclusion == "non-conformant"
    path = tmp_path / "waivers.yaml"

    done = command(
        "waive", str(tmp_path / "run.jsonl"), "--out", str(path), "--reason", "r", "--owner", "o", "--ticket", "t"
    )
    assert done.returncode == 0, done.stderr
    waived = judge(fault.make, selection=(fault.requirement,), waivers=load_waivers(path, CATALOGUE))

    assert waived.verdict == "conformant with 1 waiver"
    assert waived.footer is not None
    assert (waived.footer["verdict"], waived.footer["exit"]) == ("conformant with 1 waiver", 0)
    assert read_record(tmp_path / "run.jsonl").waivers == waived.waivers


def test_a_waiver_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """It is said before anything is sent."""
    is_a_mistake(command("run", "--waivers", str(tmp_path / "none.yaml")), "none.yaml", "cannot be read")
