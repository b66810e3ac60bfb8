"""Drawing by the seed alone: the same seed draws the same, whatever code is loaded, and wherever it is installed.

Hypothesis also draws constants that it finds in modules outside ``site-packages``: the suite's own are there in a
checkout, and in an installation they are not.
"""

import contextlib
import threading
from collections.abc import Iterator
from unittest import mock

_lock = threading.RLock()


@contextlib.contextmanager
def by_the_seed_alone() -> Iterator[None]:
    """In the block, hypothesis draws no constants of the code that is loaded."""
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants

    with _lock, mock.patch.object(providers, "_get_local_constants", Constants):
        providers.CONSTANTS_CACHE.cache.clear()
        yield
        providers.CONSTANTS_CACHE.cache.clear()
