"""Signals, and places that cannot be written to: what is cut short leaves what it has, and no false verdict."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.outcome import Outcome
from conformance.record import read_record
from conformance.results import Run
from tests.hostile.conftest import TARGET
from tests.hostile.server import TOKEN, Act, Asked, Hostile, hostile
from tests.hostile.shelf.behaviour import SOUND, silent, turning

PATIENCE = 120.0
Start = Callable[..., subprocess.Popen[str]]


def slowly(asked: Asked) -> None:
    """Answer soundly, after a while."""
    time.sleep(0.03)
    SOUND(asked)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command line in a process of its own; it is gone when the test is."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str, **more: object) -> subprocess.Popen[str]:
        environment = {**os.environ, "GENSTORE_TOKEN": f"{TOKEN}first-shop-full", "NO_COLOR": "1"}
        process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-m", "conformance", *words], cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def judging(start: Start, folder: Path, server: Hostile) -> subprocess.Popen[str]:
    """Return a run against a server that is in the middle of its checks."""
    text = TARGET.replace("progress: 2", "progress: 100")
    (folder / "target.yaml").write_text(text.format(base_url=f"http://127.0.0.1:{server.port}", seconds=100))
    process = start("run", "target.yaml", "--profile", "quick", "--out", "out")
    record, until = folder / "out" / "run.jsonl", time.monotonic() + PATIENCE
    while not (record.exists() and record.read_text().count('"kind": "verdict"') > 3):
        assert time.monotonic() < until, process.communicate()[0]
        time.sleep(0.05)
    return process


def interrupted(process: subprocess.Popen[str], folder: Path, status: int) -> Run:
    """The process ended with a status, without a traceback; returns the run that its record tells of."""
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, said
    assert "Traceback" not in said
    run = read_record(folder / "out" / "run.jsonl")
    assert run.interrupted
    assert {verdict.outcome for verdict in run.verdicts} <= {Outcome.PASSED, Outcome.BLOCKED}
    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_asks_for_an_end_leaves_everything_as_an_interrupt_does(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """The check is finished, what is open is rejected, the reports are drawn; the verdict is incomplete."""
    with hostile(slowly) as server:
        process = judging(start, tmp_path, server)
        process.send_signal(number)
        run = interrupted(process, tmp_path, 3)

    assert run.footer is not None
    assert not [made for made in run.ledger if made.is_open]
    assert (tmp_path / "out" / "report.html").exists()


def test_a_second_interrupt_ends_a_run_at_once(start: Start, tmp_path: Path) -> None:
    """SIGINT twice, in the middle of a request that hangs: the run ends, its record is whole, the reports are drawn."""
    hanging: Act = turning(slowly, silent, 70)
    with hostile(hanging) as server:
        process = judging(start, tmp_path, server)
        until = time.monotonic() + PATIENCE
        while len(server.seen) <= 70:
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        pressed = time.monotonic()
        run = interrupted(process, tmp_path, 3)

    assert time.monotonic() - pressed < 60  # and not the 100 s that the answer may take
    assert run.footer is not None
    assert (tmp_path / "out" / "report.html").exists()


def test_a_killed_run_leaves_all_but_the_check_it_was_in(start: Start, tmp_path: Path) -> None:
    """SIGKILL: the record has no end and is read all the same, and reports can be drawn of it."""
    with hostile(slowly) as server:
        process = judging(start, tmp_path, server)
        process.kill()
        run = interrupted(process, tmp_path, -signal.SIGKILL)
    assert run.footer is None
    assert len(run.verdicts) > 3

    drawn = start("report", "out/run.jsonl")
    said, _ = drawn.communicate(timeout=PATIENCE)
    assert drawn.returncode == 3, said
    assert "interrupted" in said
    assert (tmp_path / "out" / "report.html").exists()


def test_the_record_of_a_killed_run_is_set_aside(start: Start, tmp_path: Path) -> None:
    """The next run in its folder says where it is now, since it alone tells what is left open on the target."""
    with hostile(slowly) as server:
        process = judging(start, tmp_path, server)
        process.kill()
        killed = interrupted(process, tmp_path, -signal.SIGKILL)
        said, _ = start("run", "target.yaml", "--select", "SHIP-01", "--out", "out").communicate(timeout=PATIENCE)

    kept = tmp_path / "out" / f"run-{killed.header['run_id']}.jsonl"
    assert f"tidy out/{kept.name}" in said
    assert len(read_record(kept).verdicts) == len(killed.verdicts)
    assert read_record(tmp_path / "out" / "run.jsonl").footer is not None


def test_two_runs_do_not_write_one_record(start: Start, tmp_path: Path) -> None:
    """The second one is told so before it has sent anything, and the first comes to its end."""
    with hostile(slowly) as server:
        first = judging(start, tmp_path, server)
        second = start("run", "target.yaml", "--out", "out")
        said, _ = second.communicate(timeout=PATIENCE)
        first.send_signal(signal.SIGINT)
        interrupted(first, tmp_path, 3)

    assert second.returncode == 2, said
    assert "another run is writing there" in said


def small_files() -> None:
    """Let this process write no file of more than 100 kB, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_disk_that_fills_up_leaves_the_verdict_on_the_terminal(start: Start, tmp_path: Path) -> None:
    """The run goes on without its record, says what it came to and what is missing, and ends with 4."""
    process = start("run", "--profile", "quick", "--out", "out", preexec_fn=small_files)
    said, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 4, said
    assert "Traceback" not in said
    assert "\nconformant\n" in said
    assert "not everything could be written: File too large" in said
    assert read_record(tmp_path / "out" / "run.jsonl").interrupted


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_is_full_is_said_before_anything_is_sent(start: Start, tmp_path: Path) -> None:
    """A record that cannot even be begun is a mistake of the command line."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.jsonl").symlink_to("/dev/full")
    process = start("run", "--out", "out")
    said, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 2, said
    assert "No space left" in said


def test_a_reader_that_goes_away_decides_nothing(start: Start, tmp_path: Path) -> None:
    """Piped into a program that ends early, a run still ends with its own exit status and all its reports."""
    process = start("run", "--select", "IDEM-01", "--select", "access", "--out", "out")
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(PATIENCE) == 0
    assert read_record(tmp_path / "out" / "run.jsonl").footer is not None
    assert (tmp_path / "out" / "junit.xml").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_terminal_that_takes_nothing_decides_nothing(tmp_path: Path) -> None:
    """Where what is told of a run cannot be written, the run still ends with its own exit status and its reports."""
    script = f"exec {sys.executable} -m conformance run --select IDEM-01 --out out > /dev/full"
    process = subprocess.run(["sh", "-c", script], cwd=tmp_path, timeout=PATIENCE, check=False)

    assert process.returncode == 0
    assert (tmp_path / "out" / "junit.xml").exists()


def test_a_terminal_that_knows_few_characters_is_told_what_it_can_show(tmp_path: Path) -> None:
    """In the place of a character that it does not know it gets another, and the command ends as it does elsewhere."""
    script = f"PYTHONIOENCODING=ascii exec {sys.executable} -m conformance explain REVIEW-16"
    process = subprocess.run(["sh", "-c", script], cwd=tmp_path, timeout=PATIENCE, check=False, capture_output=True)

    assert process.returncode == 0
    assert b"REVIEW-16" in process.stdout
