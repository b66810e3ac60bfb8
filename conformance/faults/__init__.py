"""Deliberately faulty servers: each breaks one requirement, and proves that its checks can fail."""

import sys
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from attrs import frozen

from conformance.shelf import Implementation, Part, load_modules, name_of, sentence_of

P = TypeVar("P", bound=Part)

_SHELF: dict[str, "Fault"] = {}


@frozen
class Fault(Implementation):
    """A faulty server and the one requirement that it breaks; the file it is in begins with its area.

    ``also`` names requirements that no server could keep while breaking that one.
    """

    requirement: str = ""
    area: str = ""
    also: tuple[str, ...] = ()


def breaks(requirement: str, *, also: tuple[str, ...] = (), name: str | None = None) -> Callable[[P], P]:
    """Put a part on the shelf of faults, as one that breaks a requirement."""

    def put(part: P) -> P:
        fault = Fault(
            name=name or name_of(part),
            sentence=sentence_of(part),
            parts=(part,),
            requirement=requirement,
            area=str(part.__module__).rpartition(".")[2].partition("_")[0],
            also=also,
        )
        if fault.name in _SHELF:
            raise ValueError(f"two faults are called {fault.name}")
        _SHELF[fault.name] = fault
        return part

    return put


@cache
def load_faults() -> dict[str, Fault]:
    """Return every fault by name."""
    load_modules(sys.modules[__name__])
    return dict(_SHELF)
