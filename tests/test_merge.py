"""Shards of a run, and the one record that is made of theirs."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.faults import load_faults
from conformance.merge import merge_records
from conformance.outcome import Conclusion, Outcome, UsageError
from conformance.record import read_record
from conformance.reference.server import make_reference
from conformance.results import Run
from conformance.running.plan import ANY_EXCHANGE
from conformance.running.workers import Job, shard_of
from conformance.waivers import Waiver
from tests.conftest import Judge

OF = 3


@pytest.fixture
def judged(judge: Judge, tmp_path: Path) -> Any:
    """Return a function that judges one shard and returns the path of its record."""

    def judged(index: int, make: Any = make_reference, *, of: int = OF, **options: Any) -> Path:
        judge(lambda clock: make(clock=clock), shard=(index, of), **({"selection": ("access",)} | options))
        return (tmp_path / "run.jsonl").rename(tmp_path / f"{index}-of-{of}.jsonl")

    return judged


@pytest.fixture
def shards(judged: Any) -> list[Path]:
    """The records of three shards of the shipment checks, which are so few that the last has none."""
    return [judged(index) for index in range(1, OF + 1)]


def checks_of(*runs: Run) -> list[tuple[str, str]]:
    """Return the checks of runs, sorted."""
    return sorted((verdict.requirement, verdict.check) for run in runs for verdict in run.verdicts)


def test_every_check_is_in_one_shard_and_what_is_shared_in_one() -> None:
    """Checks that share something stay together, and the shards are as even as that allows."""
    jobs = [Job(frozenset({"a"})), Job(), Job(frozenset({"a", "b"})), Job(frozenset({"b"})), Job(), Job()]
    dealt = [shard_of(jobs, index, 2) for index in (1, 2)]

    assert dealt == [[0, 2, 3], [1, 4, 5]]


def test_shards_merged_are_the_whole_run(shards: list[Path], judge: Judge, tmp_path: Path) -> None:
    """Every check of the undivided run is there, once; and what was sent is added up."""
    whole = judge(lambda clock: make_reference(clock=clock), selection=("access",))
    merged = merge_records(shards, tmp_path / "merged" / "run.jsonl")
    parts = [read_record(path) for path in shards]

    assert checks_of(merged) == checks_of(whole) == checks_of(*parts)
    assert [bool(part.verdicts) for part in parts] == [True, True, False]
    assert merged.conclusion is Conclusion.CONFORMANT
    assert merged.sentence == "conformant"
    assert parts[1].sentence == "conformant, shard 2 of 3"
    assert merged.footer is not None
    assert merged.footer["requests"] == sum((part.footer or {})["requests"] for part in parts)
    assert checks_of(read_record(tmp_path / "merged" / "run.jsonl")) == checks_of(merged)


def test_a_failure_in_one_shard_fails_the_whole(judged: Any, tmp_path: Path) -> None:
    """And a breach that several shards saw, or that its own check failed for, is said once."""
    fault = load_faults()["unwraps-review"]
    paths = [judged(index, fault.make, selection=("review",)) for index in range(1, OF + 1)]
    merged = merge_records(paths, tmp_path / "merged" / "run.jsonl")

    failed = [v.requirement for v in merged.verdicts if v.outcome is Outcome.FAILED]
    assert merged.conclusion is Conclusion.NON_CONFORMANT
    assert failed.count(fault.requirement) == 1
    assert [v.check for v in merged.verdicts if v.requirement == fault.requirement] == [ANY_EXCHANGE]


def test_what_was_made_and_what_was_waived_is_merged(judged: Any, tmp_path: Path) -> None:
    """A waiver whose failure was in one shard is used in the whole, and no other shard calls it outdated."""
    fault = load_faults()["revives-canceled"]
    waivers = (Waiver(fault.requirement, "why", "who", "T-1", date(2099, 1, 1)),)
    paths = [judged(index, fault.make, selection=("review",), waivers=waivers) for index in range(1, OF + 1)]
    merged = merge_records(paths, tmp_path / "merged" / "run.jsonl")

    assert merged.verdict == "conformant with 1 waiver"
    assert not any(waiver.outdated for path in paths for waiver in read_record(path).waivers)
    assert {made.id for made in merged.ledger} == {made.id for path in paths for made in read_record(path).ledger}


def test_a_shard_that_was_cut_off_leaves_the_whole_incomplete(shards: list[Path], tmp_path: Path) -> None:
    """A record without its last line is of a run that was killed."""
    lines = shards[1].read_text().splitlines(keepends=True)
    shards[1].write_text("".join(lines[:-1]))

    assert merge_records(shards, tmp_path / "merged" / "run.jsonl").conclusion is Conclusion.INCOMPLETE


def changed(path: Path, **header: Any) -> Path:
    """Write a record again with another header."""
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text(json.dumps(json.loads(first) | header) + "\n" + "".join(others))
    return path


def test_a_missing_or_doubled_or_foreign_shard_is_the_users_mistake(shards: list[Path], tmp_path: Path) -> None:
    """The message names the file and what is wrong with it; nothing is written."""
    one, two, three = shards
    out = tmp_path / "merged" / "run.jsonl"

    with pytest.raises(UsageError, match="shard 2, 3 of 3 is missing"):
        merge_records([one], out)
    with pytest.raises(UsageError, match=r"2-of-3.jsonl: is shard 2 of 3, and so is .*2-of-3.jsonl"):
        merge_records([one, two, two, three], out)
    with pytest.raises(UsageError, match=r"3-of-3.jsonl: is of another run than .*1-of-3.jsonl: seed differs"):
        merge_records([one, two, changed(three, seed=7)], out)
    with pytest.raises(UsageError, match="the number of shards differs"):
        merge_records([one, changed(three, seed=0, shard={"index": 3, "of": 4})], out)
    with pytest.raises(UsageError, match="is not the record of a shard"):
        merge_records([changed(one, shard=None)], out)
    assert not out.parent.exists()


def test_no_shard_is_written_over(shards: list[Path]) -> None:
    """The whole run does not take the place of one of its parts."""
    before = shards[0].read_bytes()

    with pytest.raises(UsageError, match="is the record of a shard and would be lost"):
        merge_records(shards, shards[0])
    assert shards[0].read_bytes() == before


def test_the_command_draws_the_reports_of_all(shards: list[Path], tmp_path: Path) -> None:
    """It ends with the verdict of the whole."""
    done = CliRunner().invoke(main, ["merge", *map(str, shards), "--out", str(tmp_path / "all")])

    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "all").iterdir()} == {"run.jsonl", "report.html", "junit.xml"}


@pytest.mark.parametrize("word", ["0/3", "4/3", "x", "1", "1/0", "-1/3"])
def test_a_shard_that_does_not_exist_is_explained(word: str) -> None:
    """The message shows how it is written."""
    done = CliRunner().invoke(main, ["run", f"--shard={word}"])

    assert done.exit_code == 2
    assert "such as 2/4" in done.output
