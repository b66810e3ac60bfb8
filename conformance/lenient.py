"""An output that may fail: what cannot be shown to anybody ends no run, and decides no exit status."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, TextIO


class Lenient:
    """Writes to another output until that fails, as when its reader went away or its disk is full."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """Write a text, or nothing from now on."""
        with self._to_nobody_if_it_fails():
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, or nothing from now on."""
        with self._to_nobody_if_it_fails():
            self._out.flush()

    @contextlib.contextmanager
    def _to_nobody_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)
