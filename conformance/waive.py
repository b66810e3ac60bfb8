"""Writing the waiver file for what failed in a run, leaving everything else in the old one as it stands."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from conformance.catalogue import Catalogue
from conformance.files import StrictLoader, load_yaml, replace_text
from conformance.outcome import Outcome, UsageError
from conformance.results import Run, Verdict
from conformance.waivers import Checks, Waiver, judges_all_of, load_waivers

HEAD = """\
# Failures that are known and accepted for a while: genstore-conformance run --waivers says so in its verdict.
# A waiver that is expired, matches nothing, or whose checks all pass, fails the run.
waivers:
"""
MOST_TITLE = 100


@frozen
class Written:
    """What became of a waiver file: the requirements whose waiver was added, kept, and taken out."""

    added: tuple[str, ...]
    kept: tuple[str, ...]
    taken_out: tuple[str, ...]


@frozen
class Fill:
    """What is known of the new waivers; what is empty is for a person to fill in."""

    reason: str
    owner: str
    ticket: str
    expires: date


def write_waivers(run: Run, catalogue: Catalogue, checks: Checks, path: Path, fill: Fill) -> Written:
    """Write a waiver for each requirement that failed and has none, and take out those that are needed no more.

    An old waiver stays while it matches a failure, or while a check of its requirement was not judged; its comments
    stay with it, and those right above one that is taken out go with it.

    Raises:
        UsageError: the old file cannot be read, or not be changed, or the new one not be written.
    """
    old = _old(path, catalogue)
    failures = [verdict for verdict in run.verdicts if verdict.outcome is Outcome.FAILED and verdict.must]
    kept = [_still_needed(waiver, run, checks) for waiver in old]
    covered = [waiver for waiver, keep in zip(old, kept, strict=True) if keep]
    new = _first_of_each(v for v in failures if not any(waiver.matches(v) for waiver in covered))
    text = _text_of(path) if path.exists() else HEAD
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    text = _appended(path, _thinned(path, text, kept), "".join(_block(verdict, fill) for verdict in new))
    replace_text(path, text, newline=newline)
    return Written(
        added=tuple(verdict.requirement for verdict in new),
        kept=tuple(waiver.requirement for waiver in covered),
        taken_out=tuple(waiver.requirement for waiver, keep in zip(old, kept, strict=True) if not keep),
    )


def _text_of(path: Path) -> str:
    """Return the text of a file with the ends of lines that it has."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _old(path: Path, catalogue: Catalogue) -> Sequence[Waiver]:
    if not path.exists() or load_yaml(path) == {"waivers": None}:
        return ()
    return load_waivers(path, catalogue)


def _still_needed(waiver: Waiver, run: Run, checks: Checks) -> bool:
    matches = any(waiver.matches(verdict) for verdict in run.verdicts)
    return matches or not judges_all_of(waiver.requirement, run, checks)


def _first_of_each(failures: Iterable[Verdict]) -> list[Verdict]:
    first: dict[str, Verdict] = {}
    for verdict in failures:
        first.setdefault(verdict.requirement, verdict)
    return list(first.values())


def _block(verdict: Verdict, fill: Fill) -> str:
    title = " ".join(verdict.title.split())[:MOST_TITLE]
    return (
        f"  # {title}\n"
        f"  - requirement: {verdict.requirement}\n"
        f"    reason: {_quoted(fill.reason)}\n"
        f"    owner: {_quoted(fill.owner)}\n"
        f"    ticket: {_quoted(fill.ticket)}\n"
        f"    expires: {fill.expires}\n"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON text is a YAML text


def _thinned(path: Path, text: str, kept: Sequence[bool]) -> str:
    """Return the text without the entries that are not kept, and without the comments right above those."""
    lines = text.splitlines(keepends=True)
    starts = _starts(path, text)
    begins = [_with_comments(lines, start) for start in starts]
    ends = [*begins[1:], _end(lines)][: len(begins)]
    for begin, end, keep in reversed(list(zip(begins, ends, kept, strict=True))):
        if not keep:
            del lines[begin:end]
    return "".join(lines)


def _starts(path: Path, text: str) -> list[int]:
    """Return the line that each entry of the list begins on, from 0.

    Raises:
        UsageError: the list is written in brackets.
    """
    root: Any = yaml.compose(text, Loader=StrictLoader)
    entries = root.value[0][1]
    if getattr(entries, "flow_style", False):
        if entries.value:
            raise UsageError(f"{path}: write each waiver on lines of its own, behind a dash, so that it can be changed")
        return []
    return [entry.start_mark.line for entry in entries.value] if isinstance(entries, yaml.SequenceNode) else []


def _with_comments(lines: Sequence[str], start: int) -> int:
    while start > 0 and lines[start - 1].lstrip().startswith("#") and lines[start - 1].startswith((" ", "\t")):
        start -= 1
    return start


def _end(lines: Sequence[str]) -> int:
    """Return the line after the last one that is neither empty nor a comment."""
    said = [number for number, line in enumerate(lines, start=1) if line.strip() and not line.lstrip().startswith("#")]
    return said[-1] if said else len(lines)


def _appended(path: Path, text: str, blocks: str) -> str:
    """Return the text with more entries at the end of its list; a list without any is written as an empty one."""
    starts = _starts(path, text)
    if not starts:
        return _filled(text, f"\n{blocks.rstrip()}" if blocks else " []")
    lines = text.splitlines(keepends=True)
    end = _end(lines)
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    indent = re.match(r" *", lines[starts[0]])
    shift = " " * (len(indent[0]) if indent else 0)
    blocks = re.sub(r"^  ", shift, blocks, flags=re.MULTILINE)
    return "".join([*lines[:end], blocks, *lines[end:]])


def _filled(text: str, entries: str) -> str:
    """Return the text with entries in the place of an empty list, or of nothing at all."""
    root: Any = yaml.compose(text, Loader=StrictLoader)
    key, value = root.value[0]
    colon = text.index(":", key.end_mark.index) + 1
    end = max(colon, value.end_mark.index) if isinstance(value, yaml.SequenceNode) else colon
    return text[:colon] + entries + text[end:]
