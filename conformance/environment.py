"""The environment of the process, as far as it speaks to libraries that a run uses in its own way."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Meanwhile the environment has none of these variables; afterwards it has them again."""
    said = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(said)
