"""The record of a run as lines of JSON: written while it goes on, and read again.

It is the only thing reports are drawn from. It is written line by line, each flushed, so that a run that is killed
leaves all but the check it was in. Its line kinds are ``header``, ``verdict``, ``ledger``, ``observation``, ``reach``,
``discovery``, ``waiver`` and ``footer``.
"""

import contextlib
import errno
import fcntl
import json
import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from attrs import asdict, evolve, has

from conformance.lines import insist_on_shape
from conformance.outcome import Outcome, UsageError
from conformance.results import Discovery, Evidence, Made, Observation, Reach, Run, Verdict, WaiverState, WaiverUse

RECORD_FORMAT = 1


class Record:
    """The record of a run while it is written; each line is with the system before the next check starts.

    It is safe to use from several threads. ``set_aside`` is where a record went that stood in the way and is needed
    still: its run was killed, or left refunds open.

    Raises:
        UsageError: another run is writing there.
        OSError: not even the header can be written. From then on a line that cannot be written is noted in the run,
            which goes on.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = path
        self.run = Run(header=dict(header), footer={})
        self._file = _opened_alone(path)
        self.set_aside: Path | None = None
        if is_needed_still(path):
            self.set_aside = path.rename(_name_beside(path))
            self._file.close()
            self._file = _opened_alone(path)
        if path.stat().st_size:  # a device cannot be cut short
            self._file.truncate(0)
        self._lock = threading.Lock()
        self._write({"kind": "header", "format": RECORD_FORMAT, **header})
        if self.run.unwritten is not None:
            raise OSError(errno.EIO, self.run.unwritten)

    def add(self, line: Verdict | Observation | Made | WaiverUse | Reach | Discovery) -> None:
        """Append one line of the record."""
        if isinstance(line, Verdict):
            self.run.verdicts.append(line)
            self._write({"kind": "verdict", **_members(line)})
        elif isinstance(line, Made):
            self.run.note(line)
            self._write({"kind": "ledger", **_members(line)})
        elif isinstance(line, WaiverUse):
            self.run.waivers.append(line)
            self._write({"kind": "waiver", **_members(line)})
        else:
            kinds: dict[type, tuple[str, list[Any]]] = {
                Observation: ("observation", self.run.observations),
                Reach: ("reach", self.run.reach),
                Discovery: ("discovery", self.run.discoveries),
            }
            kind, lines = kinds[type(line)]
            lines.append(line)
            self._write({"kind": kind, **_members(line)})

    def close(self, *, requests: int, seconds: float, interrupted: bool, **more: Any) -> Run:
        """Write the footer and return the whole run."""
        self.run.footer = {"interrupted": interrupted, **more}
        self.run.footer |= {
            "verdict": self.run.verdict,
            "sentence": self.run.sentence,
            "exit": self.run.exit,
            "requests": requests,
            "seconds": round(seconds, 3),
            "counts": self.run.counts,
            **self.run.counts,
            "not_checked": self.run.not_checked,
        }
        self._write({"kind": "footer", **self.run.footer})
        with contextlib.suppress(OSError):  # what is left of a line that could not be written
            self._file.close()
        return self.run

    def _write(self, line: Mapping[str, Any]) -> None:
        text = _as_line(line)
        with self._lock:
            if self.run.unwritten is not None or self._file.closed:
                return  # what follows a broken line would be read as part of it; a worker may still be at it
            try:
                self._file.write(text)
                self._file.flush()
            except OSError as error:
                self.run.unwritten = error.strerror or str(error)


def _opened_alone(path: Path) -> TextIO:
    """Open a file to append to, for as long as nobody else does so; the system ends that with the process.

    Raises:
        UsageError: somebody else does.
        OSError: it cannot be opened.
    """
    file = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UsageError(f"{path}: another run is writing there. Wait for its end, or choose another --out.") from None
    except OSError:
        pass  # a file system without locks is no reason to judge nothing
    return file


def is_needed_still(path: Path) -> bool:
    """Say whether a record is all that tells of refunds that are open on somebody's server, or cannot be read."""
    if not path.stat().st_size:
        return False
    try:
        run = read_record(path)
    except UsageError:
        return True
    return run.footer is None or bool(run.left and not run.on_ours)


def _name_beside(path: Path) -> Path:
    """Return a name for a record that has to make room: that of its run, or else of its last moment."""
    try:
        with path.open(encoding="utf-8") as file:
            name = str(json.loads(file.readline())["run_id"])
    except (OSError, ValueError, KeyError, TypeError):
        name = ""
    name = name if re.fullmatch("[A-Za-z0-9]{1,40}", name) else str(path.stat().st_mtime_ns)
    return path.with_name(f"{path.stem}-{name}{path.suffix}")


def append_to_record(path: Path, lines: Iterable[Made]) -> None:
    """Append lines of the ledger to a record; half a line at the end of a killed run's makes room for them.

    Raises:
        UsageError: the file cannot be written to.
    """
    try:
        with path.open("r+b") as file:
            file.seek(file.read().rfind(b"\n") + 1)
            file.write("".join(_as_line({"kind": "ledger", **_members(line)}) for line in lines).encode())
            file.truncate()
    except OSError as error:
        raise UsageError(f"{path}: the record cannot be written to: {error.strerror}") from None


def _as_line(line: Mapping[str, Any]) -> str:
    # Escaping everything beyond ASCII keeps lone surrogates and line separators from breaking the file.
    return json.dumps(line, ensure_ascii=True, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    return _members(value) if has(type(value)) else str(value)


def _members(value: Any) -> dict[str, Any]:
    return asdict(value, recurse=False)


def read_record(path: Path) -> Run:
    """Return the run that a record tells of; one that was cut off has no footer and counts as interrupted.

    Raises:
        UsageError: the file is missing or is no record; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the record cannot be read: {error}") from None
    run: Run | None = None
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            run = _take(run, json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            if run is not None and number == len(lines):
                break  # the last line of a killed run may be cut off in the middle
            raise UsageError(f"{path}:{number}: not a line of a record: {error}") from None
    if run is None:
        raise UsageError(f"{path}: the record is empty: it has no header")
    return run


def _take(run: Run | None, line: Any) -> Run:
    if not isinstance(line, dict):
        raise TypeError("not a JSON object")
    kind = line.pop("kind", None)
    insist_on_shape(str(kind), line)
    if run is None:
        if kind != "header" or line.get("format") != RECORD_FORMAT:
            raise ValueError(f"expected a header of format {RECORD_FORMAT}")
        return Run(header=line)
    if kind == "verdict":
        evidence = tuple(Evidence(**entry) for entry in line.pop("evidence"))
        verdict = Verdict(
            **{
                **line,
                "outcome": Outcome(line["outcome"]),
                "lines": tuple(line["lines"]),
                "steps": tuple(line.get("steps", ())),
            }
        )
        run.verdicts.append(evolve(verdict, evidence=evidence))
    elif kind == "ledger":
        run.note(Made(**line))
    elif kind == "waiver":
        run.waivers.append(WaiverUse(**{**line, "state": WaiverState(line["state"])}))
    elif kind == "footer":
        run.footer = line
    else:
        _take_other(run, kind, line)
    return run


def _take_other(run: Run, kind: Any, line: dict[str, Any]) -> None:
    """Take in a line that decides nothing."""
    if kind == "observation":
        run.observations.append(Observation(**line))
    elif kind == "reach":
        run.reach.append(Reach(**line))
    elif kind == "discovery":
        run.discoveries.append(Discovery(**{**line, "steps": tuple(line["steps"])}))
    else:
        raise ValueError("a second header" if kind == "header" else f"unknown kind {kind!r}")
