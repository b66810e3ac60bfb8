"""Runs the command line in forks of one process that has everything imported, and measures each of them.

``python -m tests.hostile.judge`` takes a job a line, as JSON, and prints what came of it, as JSON.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from attrs import frozen


@frozen
class Done:
    """How a command ended: its exit status (``None`` when it had to be killed), and what it took."""

    status: int | None
    seconds: float
    cpu_seconds: float
    megabytes: float
    said: str


class Judge:
    """The process that forks, seen from the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, arguments: Sequence[str], terminal: Path, seconds: float, environment: Mapping[str, str]) -> Done:
        """Run the command line with some arguments; what it says goes to a file."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {"arguments": arguments, "terminal": str(terminal), "seconds": seconds, "environment": dict(environment)}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Done(**told, said=terminal.read_text(encoding="utf-8", errors="replace"))

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def _serve() -> None:
    import conformance.commands.run
    import conformance.report
    import conformance.running.plugin
    import conformance.running.run  # noqa: F401 - what every fork needs

    for line in sys.stdin:
        job = json.loads(line)
        started = time.monotonic()
        child = os.fork()
        if not child:
            _become(job)
        print(json.dumps(_waited(child, started, job["seconds"])), flush=True)  # noqa: T201 - the answer


def _become(job: Mapping[str, Any]) -> NoReturn:
    from conformance.cli import main

    terminal = os.open(job["terminal"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(terminal, 1)
    os.dup2(terminal, 2)
    os.environ.update({"NO_COLOR": "1", "COLUMNS": "200"} | job["environment"])
    status: Any = 70
    try:
        main(job["arguments"])
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001 - the terminal shows it, and the test finds it there
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)


def _waited(child: int, started: float, seconds: float) -> dict[str, Any]:
    killed = False
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        if not killed and time.monotonic() - started > seconds:
            os.kill(child, signal.SIGKILL)
            killed = True
        time.sleep(0.01)
    return {
        "status": None if killed else os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
    }


if __name__ == "__main__":
    _serve()
