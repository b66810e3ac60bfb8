"""Programs of the user's, run without a shell: what they print is bounded, and so is their time."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from attrs import frozen

MAX_OUTPUT = 1024 * 1024
"""Bytes of each output that are taken; a program that prints more finds nobody reading."""


@frozen
class Done:
    """How a program ended, and what it printed."""

    status: int
    output: bytes
    errors: bytes


class _Reader(threading.Thread):
    """Reads an output up to its bound, and then closes it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self.taken = b""
        self.start()

    def run(self) -> None:
        """Read until the output ends, or is too long."""
        with contextlib.suppress(OSError, ValueError), self._pipe:
            self.taken = self._pipe.read(MAX_OUTPUT)


def run_program(command: Sequence[str], folder: Path, given: bytes, seconds: float) -> Done:
    """Run a program in a folder with something on its standard input, and return how it ended.

    It is a group of its own, so that an interrupt of the run does not end it in the middle, and its end is that of its
    children.

    Raises:
        OSError: it cannot be run.
        TimeoutError: it did not end in time.
    """
    process = subprocess.Popen(  # noqa: S603 - the user's own program, run without a shell
        list(command), cwd=folder, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None  # noqa: S101 - narrowed for the type checker, as the next two
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101
    output, errors = _Reader(process.stdout), _Reader(process.stderr)
    try:
        with contextlib.suppress(OSError), process.stdin as pipe:  # it need not read what it is given
            pipe.write(given)
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    output.join(1)
    errors.join(1)
    return Done(status, output.taken, errors.taken)
