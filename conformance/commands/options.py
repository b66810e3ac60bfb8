"""What the commands have in common: options, and the words that a user may give for them."""

from collections.abc import Callable
from typing import Any

import click

from conformance.outcome import UsageError
from conformance.settings import AUTO, PROFILES
from conformance.spelling import unknown

DEFAULT_FORMATS = ("html", "junit")
MOST_WORKERS = 64


class Workers(click.ParamType[int]):
    """A number of workers, or ``auto``, which is ``AUTO``."""

    name = "workers"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or ``AUTO`` for ``auto``."""
        if value == "auto":
            return AUTO
        if not (str(value).isdecimal() and 1 <= int(value) <= MOST_WORKERS):
            self.fail(f"{value!r} is not auto, and not a number from 1 to {MOST_WORKERS}", param, ctx)
        return int(value)


class Shard(click.ParamType[tuple[int, int]]):
    """One of several shards: ``2/4`` is (2, 4)."""

    name = "shard"

    def convert(
        self, value: str | tuple[int, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return the number of the shard and of all shards."""
        if isinstance(value, tuple):
            return value
        index, _, of = value.partition("/")
        if not (index.isdecimal() and of.isdecimal() and 1 <= int(index) <= int(of)):
            self.fail(f"{value!r} is not I/N, such as 2/4", param, ctx)
        return int(index), int(of)


profile_option = click.option(
    "--profile", type=click.Choice(PROFILES), default="standard", show_default=True, help="How much to check."
)
select_option = click.option(
    "--select", "selection", multiple=True, metavar="ID|AREA", help="Only this requirement or area; repeatable."
)
orders_option = click.option("--orders", metavar="URL", help="The order provider, when TARGET is a base URL.")


def formats_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option that chooses the reports to draw."""
    return click.option(
        "--format", "formats", multiple=True, metavar="NAME", default=DEFAULT_FORMATS,
        help="Reports to draw; repeatable [default: html, junit].",
    )(command)  # fmt: skip


def selected(selection: tuple[str, ...]) -> tuple[str, ...]:
    """Return the requirements and areas that a user named, spelled as the catalogue spells them.

    Raises:
        UsageError: there is no such requirement or area; with those that come near.
    """
    from conformance.catalogue import AREAS, load_catalogue

    known = [*load_catalogue().requirements, *AREAS]
    chosen = []
    for word in selection:
        match = next((name for name in known if name.lower() == word.lower()), None)
        if match is None:
            raise UsageError(unknown(word, known, "requirement or area"))
        chosen.append(match)
    return tuple(chosen)


def folder_name(name: str) -> str:
    """Return a target's name as the name of a folder."""
    import re

    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "target"
