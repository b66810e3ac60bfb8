"""The facts about a run, and whatever else its footer tells, as tables of text."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from conformance.report.material import Material
from conformance.results import Run
from conformance.text import one_line, shortened

MOST_ROWS = 500
MOST_CELL = 300


@frozen
class Fact:
    """One thing to know about a run."""

    name: str
    value: str


@frozen
class Table:
    """Rows of text under a title; ``left_out`` rows are only in the record."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


def facts(material: Material) -> list[Fact]:
    """Return what identifies a run: when, against what, with which suite, and how it can be had again."""
    header, footer = material.run.header, material.footer
    told = {
        "Started": moment(str(header.get("started", ""))),
        "Took": duration(footer["seconds"]) if "seconds" in footer else "",
        "Requests": str(footer.get("requests", "")),
        "Checks": str(len(material.run.verdicts)),
        "TLS": "" if material.run.tls_verified else "not verified: whoever answered may have been anybody",
        "By way of": material.run.proxy or "",
        "Profile": str(header.get("profile", "")),
        "Selected": ", ".join(map(str, header.get("selection", ()))),
        "Seed": str(header.get("seed", "")),
        "Suite": str(header.get("suite_version", "")),
        "Catalogue": str(header.get("catalogue", "")),
        "Run": str(header.get("run_id", "")),
    }
    return [Fact(name, value) for name, value in told.items() if value]


def made_by(run: Run) -> str:
    """Return what a run made, in one sentence, with the states that its refunds are in."""
    orders = sum(made.what == "order" for made in run.ledger)
    states = Counter(made.state for made in run.ledger if made.what == "refund")
    told = ", ".join(f"{count} {state}" for state, count in states.most_common())
    plural = [
        f"{count} {name}{'' if count == 1 else 's'}" for name, count in (("order", orders), ("refund", states.total()))
    ]
    return f"{' and '.join(plural)} made" + (f": {one_line(told)}" if told else "")


def moment(text: str) -> str:
    """Return a moment as people write it, in UTC; a text that is none comes back as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError):
        return text


def duration(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def table(title: str, content: Any) -> Table:
    """Return any JSON as a table: a list of objects by their keys, an object by name and value."""
    if isinstance(content, Mapping):
        nested = [{"": name, **value} for name, value in content.items() if isinstance(value, Mapping)]
        if len(nested) == len(content):
            return _of_objects(title, nested)
        return Table(title, ("", "value"), tuple((str(name), _cell(value)) for name, value in content.items()))
    entries = content if isinstance(content, list | tuple) else [content]
    return _of_objects(title, [entry if isinstance(entry, Mapping) else {"": entry} for entry in entries])


def _of_objects(title: str, entries: Sequence[Mapping[str, Any]]) -> Table:
    columns = tuple(dict.fromkeys(key for entry in entries for key in entry))
    rows = tuple(tuple(_cell(entry.get(key, "")) for key in columns) for entry in entries[:MOST_ROWS])
    return Table(title, columns, rows, max(0, len(entries) - MOST_ROWS))


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return shortened(", ".join(f"{name} {_cell(inner)}" for name, inner in value.items()), MOST_CELL)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return shortened(", ".join(_cell(inner) for inner in value), MOST_CELL)
    return shortened(str(value), MOST_CELL)
