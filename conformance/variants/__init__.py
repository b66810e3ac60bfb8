"""Honest servers that read the page differently: each conforms, and proves that no check fails a legal reading."""

import sys
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from attrs import frozen

from conformance.shelf import Implementation, Part, load_modules, name_of, sentence_of

P = TypeVar("P", bound=Part)

_SHELF: dict[str, "Variant"] = {}


@frozen
class Variant(Implementation):
    """A conforming server, the readings that it takes, and the aspect in which it differs.

    Two variants of one aspect cannot be combined.
    """

    readings: tuple[str, ...] = ()
    aspect: str = ""


def reads(*readings: str, aspect: str) -> Callable[[P], P]:
    """Put a part on the shelf of variants, as one that takes other readings."""

    def put(part: P) -> P:
        variant = Variant(
            name=name_of(part), sentence=sentence_of(part), parts=(part,), readings=readings, aspect=aspect
        )
        if variant.name in _SHELF:
            raise ValueError(f"two variants are called {variant.name}")
        _SHELF[variant.name] = variant
        return part

    return put


@cache
def load_variants() -> dict[str, Variant]:
    """Return every variant by name."""
    load_modules(sys.modules[__name__])
    return dict(_SHELF)


def combined(variants: tuple[Variant, ...]) -> Variant:
    """Return one server that takes the readings of several variants of different aspects."""
    if len({variant.aspect for variant in variants}) < len(variants):
        raise ValueError("variants of one aspect cannot be combined")
    return Variant(
        name="+".join(variant.name for variant in variants),
        sentence="A combination of readings.",
        parts=tuple(part for variant in variants for part in variant.parts),
        readings=tuple(reading for variant in variants for reading in variant.readings),
        aspect="combination",
    )
