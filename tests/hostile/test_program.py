"""The order provider as a program: no shell, and bounds on what it prints and how long it takes."""

import sys
import time
from pathlib import Path

import pytest

from conformance.program import MAX_OUTPUT, run_program

FOREVER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("child", "w").write(str(child.pid))
time.sleep(60)
"""


def test_a_program_that_prints_without_end_is_cut_off(tmp_path: Path) -> None:
    """It finds nobody reading, and no more than the bound is kept."""
    done = run_program([sys.executable, "-c", "while True: print('x' * 999)"], tmp_path, b"{}", 60)

    assert done.status != 0
    assert len(done.output) == MAX_OUTPUT


def test_a_program_that_complains_without_end_is_cut_off(tmp_path: Path) -> None:
    """The same of its errors, while the answer is awaited."""
    script = "import sys\nfor _ in range(9999): sys.stderr.write('x' * 999)"
    assert len(run_program([sys.executable, "-c", script], tmp_path, b"{}", 60).errors) <= MAX_OUTPUT


def test_a_program_that_never_ends_is_ended_with_its_children(tmp_path: Path) -> None:
    """After its time nothing of it is left."""
    (tmp_path / "forever.py").write_text(FOREVER)
    with pytest.raises(TimeoutError):
        run_program([sys.executable, "forever.py"], tmp_path, b"{}", 5)

    child = Path("/proc") / (tmp_path / "child").read_text()
    until = time.monotonic() + 20
    while child.exists() and "zombie" not in (child / "status").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_no_shell_reads_the_words_of_a_program(tmp_path: Path) -> None:
    """What a shell would obey is a word like any other."""
    script = "import sys; print(sys.argv[1], end='')"
    done = run_program([sys.executable, "-c", script, "$(touch x); `touch x` > x"], tmp_path, b"{}", 60)

    assert done.output == b"$(touch x); `touch x` > x"
    assert not (tmp_path / "x").exists()
