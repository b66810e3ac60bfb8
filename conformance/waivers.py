"""Waivers: failures that are known and accepted for a while, as a file says them.

A waived check still runs. A waiver that is expired, matches nothing, or whose checks all pass, fails the run.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from conformance.catalogue import Catalogue
from conformance.files import load_yaml
from conformance.outcome import Outcome, UsageError
from conformance.results import Run, Verdict, WaiverState, WaiverUse
from conformance.spelling import unknown

REQUIRED = ("requirement", "reason", "owner", "ticket", "expires")
KEYS = (*REQUIRED, "observed")
Checks = Mapping[str, set[str]]
"""The names of all checks there are, in any profile, by their requirement."""


@frozen
class Waiver:
    """A requirement whose failure is accepted until the end of a day, if ``observed`` is part of what was observed."""

    requirement: str
    reason: str
    owner: str
    ticket: str
    expires: date
    observed: str = ""

    def matches(self, verdict: Verdict) -> bool:
        """Say whether a verdict is the failure that it speaks of."""
        failed = verdict.outcome is Outcome.FAILED and verdict.requirement == self.requirement
        return failed and _words(self.observed) in _words(verdict.observed)

    @property
    def told(self) -> str:
        """Return why the failure is accepted, and for how long, in one line."""
        return f"{_words(self.reason)} ({self.owner}, {self.ticket}, until {self.expires})"


def load_waivers(path: Path, catalogue: Catalogue) -> tuple[Waiver, ...]:
    """Return the waivers of a file.

    Raises:
        UsageError: the file cannot be read, or something in it is missing, unknown or not as it must be; the message
            names the place.
    """
    data = load_yaml(path)
    if not isinstance(data, dict) or list(data) != ["waivers"] or not isinstance(data["waivers"], list):
        raise UsageError(f"{path}: is not a waiver file: it must be a mapping with one key, waivers, which is a list")
    waivers = [_waiver(path, number, entry, catalogue) for number, entry in enumerate(data["waivers"], start=1)]
    for number, waiver in enumerate(waivers, start=1):
        if any(
            (other.requirement, other.observed) == (waiver.requirement, waiver.observed) for other in waivers[number:]
        ):
            raise UsageError(
                f"{path}: {waiver.requirement} is there twice; tell the two apart by observed, or join them"
            )
    return tuple(waivers)


def apply(waivers: Iterable[Waiver], verdict: Verdict, today: date) -> Verdict:
    """Return the verdict, marked as waived if a waiver that is not expired matches it."""
    valid = (waiver for waiver in waivers if waiver.expires >= today and waiver.matches(verdict))
    waiver = next(valid, None)
    return verdict if waiver is None else evolve(verdict, waived=waiver.told)


def uses(waivers: Iterable[Waiver], run: Run, today: date, checks: Checks) -> list[WaiverUse]:
    """Return what became of each waiver in a run."""
    return [
        WaiverUse(
            waiver.requirement, waiver.reason, waiver.owner, waiver.ticket, waiver.expires.isoformat(), waiver.observed,
            state=_state(waiver, run, today, checks),
            checks=sum(waiver.matches(verdict) for verdict in run.verdicts),
        )
        for waiver in waivers
    ]  # fmt: skip


def uses_again(told: Iterable[WaiverUse], run: Run, today: date, checks: Checks) -> list[WaiverUse]:
    """Return what became of the waivers of a shard in the whole run."""
    waivers = [
        Waiver(use.requirement, use.reason, use.owner, use.ticket, date.fromisoformat(use.expires), use.observed)
        for use in told
    ]
    return uses(waivers, run, today, checks)


def _state(waiver: Waiver, run: Run, today: date, checks: Checks) -> WaiverState:
    outcomes = {verdict.outcome for verdict in run.verdicts_of(waiver.requirement)}
    if waiver.expires < today:
        return WaiverState.EXPIRED
    if any(waiver.matches(verdict) for verdict in run.verdicts):
        return WaiverState.USED
    if run.header.get("shard"):
        return WaiverState.NOT_TRIED  # another shard may have the check that fails
    if Outcome.FAILED in outcomes:
        return WaiverState.MATCHES_NOTHING
    tried = outcomes == {Outcome.PASSED} and judges_all_of(waiver.requirement, run, checks)
    return WaiverState.PASSES if tried else WaiverState.NOT_TRIED


def judges_all_of(requirement: str, run: Run, checks: Checks) -> bool:
    """Say whether a run came to an outcome of every check of a requirement: a smaller profile may lack some."""
    judged = {v.check for v in run.verdicts_of(requirement) if v.outcome in {Outcome.PASSED, Outcome.FAILED}}
    return checks.get(requirement, set()) <= judged


def _waiver(path: Path, number: int, entry: Any, catalogue: Catalogue) -> Waiver:
    place = f"{path}: waiver {number}"
    if not isinstance(entry, dict):
        raise UsageError(f"{place}: must be a mapping with {', '.join(REQUIRED)}")
    _check_keys(place, entry)
    texts = {key: _text(place, key, value) for key, value in entry.items()}
    identifier = texts["requirement"]
    wanted = catalogue.requirements.get(identifier)
    if wanted is None:
        raise UsageError(f"{place}: {unknown(identifier, list(catalogue.requirements), 'requirement')}")
    if wanted.level != "MUST" or wanted.basis == "open":
        raise UsageError(f"{place}: {identifier} ({wanted.level}, {wanted.basis}) cannot fail a run: take it out")
    return Waiver(**{**texts, "expires": _day(place, texts["expires"])})  # type: ignore[arg-type]


def _check_keys(place: str, entry: dict[str, Any]) -> None:
    for key in entry:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(KEYS)}."
            raise UsageError(f"{place}: unknown key {key!r}. {hint}")
    for key in REQUIRED:
        if key not in entry:
            raise UsageError(f"{place}: {key} is missing")


def _text(place: str, key: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # the number of a ticket needs no quotes
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{place}: {key} must be a text that is not empty: fill it in")
    return value.strip()


def _day(place: str, text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{place}: expires must be a day like 2026-12-31, and is {text!r}")


def _words(text: str) -> str:
    return " ".join(text.split())
