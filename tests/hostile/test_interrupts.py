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


def test_a_termination_leaves_everything_as_an_interrupt_does(start: Start, tmp_path: Path) -> None:
    """SIGTERM: the check is finished, what is open is rejected, the reports are drawn; the verdict is incomplete."""
    with hostile(slowly) as server:
        process = judging(start, tmp_path, server)
        process.send_signal(signal.SIGTERM)
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
