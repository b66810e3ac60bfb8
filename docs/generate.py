"""Writes the pages that are made from the code and the catalogue: ``docs/reference.md``, ``docs/requirements.md``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from conformance.catalogue import AREAS, Requirement, load_catalogue
from conformance.cli import main
from conformance.faults import load_faults
from conformance.target_schema import SCHEMA

FOLDER = Path(__file__).parent
LEFT_OUT = {"help"}
VALUES = {"integer range": "N", "float range": "X", "file": "FILE", "directory": "FOLDER"}


def reference() -> str:
    """Return the page of every command, option and file key."""
    return "\n".join(["# Every command, option and key", "", _MADE, "", *_commands(), "", *_keys()]) + "\n"


def requirements() -> str:
    """Return the page of every requirement, with page lines and the faults that show that it can fail."""
    return "\n".join(["# Every requirement", "", _MADE, "", *_areas()]) + "\n"


PAGES = {"reference.md": reference, "requirements.md": requirements}
_MADE = "Made by `make docs`; a change here is lost."


def _commands() -> Iterator[str]:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None  # noqa: S101 - it was listed
        yield from (f"## {name}", "", (command.help or "").split("\n\n")[0].replace("\n", " ").strip(), "")
        yield from _table(["option", "default", ""], map(_option, _shown(command)))
        yield ""


def _shown(command: click.Command) -> list[click.Parameter]:
    return [parameter for parameter in command.params if parameter.name not in LEFT_OUT]


def _option(parameter: click.Parameter) -> list[str]:
    if isinstance(parameter, click.Argument):
        default = parameter.default if isinstance(parameter.default, str) else ""
        return [_code((parameter.name or "").upper()), _code(default), "" if parameter.required else "may be left out"]
    assert isinstance(parameter, click.Option)  # noqa: S101 - there is no third kind
    words = ", ".join(parameter.opts) + ("" if parameter.is_flag else f" {_value(parameter)}")
    return [_code(words), _code(_default(parameter)), parameter.help or ""]


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.metavar or VALUES.get(option.type.name, "TEXT")


def _default(option: click.Option) -> str:
    value = option.default
    return str(value) if isinstance(value, str | int | float | Path) and not isinstance(value, bool) else ""


def _keys() -> Iterator[str]:
    yield from ("## The target file", "", "[What it is for, and the order provider's protocol.](target-file.md)", "")
    yield from _table(["key", "default", ""], _keys_of(SCHEMA, ""))


def _keys_of(schema: dict[str, Any], prefix: str) -> Iterator[list[str]]:
    for name, inner in schema["properties"].items():
        told = inner["description"] + (" (required)" if name in schema.get("required", ()) else "")
        if "enum" in inner.get("items", {}):
            told += ": " + ", ".join(map(_code, inner["items"]["enum"]))
        yield [_code(prefix + name), _code(_told(inner.get("default"))), told]
        if name == "other_shop":
            yield [_code(f"{prefix}{name}.…"), "", "the keys of a shop, as above"]
        elif "properties" in inner:
            yield from _keys_of(inner, f"{prefix}{name}.")


def _told(default: object) -> str:
    return "" if default is None else f"{default:g}" if isinstance(default, float) else str(default).lower()


def _areas() -> Iterator[str]:
    catalogue = load_catalogue()
    faults: dict[str, list[str]] = {}
    for fault in load_faults().values():
        faults.setdefault(fault.requirement, []).append(fault.name)
    count = sum(map(len, faults.values()))
    yield f"{len(catalogue.requirements)} requirements, and {count} deliberately faulty servers that show how each"
    yield "can fail; `genstore-conformance run fault:NAME` judges one. Lines are those of the API's page."
    for area in AREAS:
        found = [entry for entry in catalogue.requirements.values() if entry.area == area]
        yield from ("", f"## {area}", "")
        yield from _table(["", "requirement", "level", "lines", "faults"], (_row(entry, faults) for entry in found))


def _row(entry: Requirement, faults: dict[str, list[str]]) -> list[str]:
    named = ", ".join(map(_code, faults.get(entry.id, ()))) or "–"
    lines = ", ".join(map(str, entry.lines))
    return [f'<a id="{entry.id.lower()}"></a>{entry.id}', entry.text, f"{entry.level}, {entry.basis}", lines, named]


def _table(head: list[str], rows: Any) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    for file, made in PAGES.items():
        (FOLDER / file).write_text(made(), encoding="utf-8")
        sys.stdout.write(f"docs/{file}\n")
