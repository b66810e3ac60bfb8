"""Implementations made from the reference by changing a little: what faults and variants have in common."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from attrs import frozen

from conformance.clock import Clock
from conformance.reference.app import WSGI, App
from conformance.reference.rules import Shop
from conformance.reference.server import Reference, make_reference

Part = Any
"""A subclass of ``Shop`` (other rules), a subclass of ``App`` (other HTTP), or a function from WSGI to WSGI."""


@frozen
class Implementation:
    """One changed reference: its name on the command line, what it does, and what it is made of."""

    name: str
    sentence: str
    parts: tuple[Part, ...]

    def make(self, clock: Clock | None = None) -> Reference:
        """Return it as an application with fresh shops."""
        shops = tuple(part for part in self.parts if isinstance(part, type) and issubclass(part, Shop))
        apps = tuple(part for part in self.parts if isinstance(part, type) and issubclass(part, App))
        wraps = [part for part in self.parts if not isinstance(part, type)]
        return make_reference(
            make_shop=_combined(shops, Shop),
            make_app=_combined(apps, App),
            wrap=_in_turn(wraps),
            clock=clock,
        )


def _combined(parts: Sequence[type], base: type) -> Any:
    if not parts:
        return base
    return parts[0] if len(parts) == 1 else type("Combined", tuple(parts), {})


def _in_turn(wraps: Sequence[Callable[[WSGI], WSGI]]) -> Callable[[WSGI], WSGI]:
    def wrap(app: WSGI) -> WSGI:
        for around in wraps:
            app = around(app)
        return app

    return wrap


def name_of(part: Part) -> str:
    """Return the name on the command line: ``RefusesButRevives`` is ``refuses-but-revives``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", "-", part.__name__).lower()


def sentence_of(part: Part) -> str:
    """Return the first paragraph of its docstring, on one line."""
    return " ".join((part.__doc__ or "").split("\n\n")[0].split())


def load_modules(package: ModuleType) -> None:
    """Import every module of a package, so that each part of it is on its shelf."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
