"""The records of a fleet, each of one shard, made into the record of the one run they are together."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from conformance.catalogue import AREAS, load_catalogue
from conformance.files import made_folder
from conformance.outcome import Outcome, UsageError
from conformance.record import Record, read_record
from conformance.results import Discovery, Made, Observation, Reach, Run, Verdict, unsaid
from conformance.running.plan import ANY_EXCHANGE
from conformance.running.plugin import names_of_checks
from conformance.waivers import uses_again

COMMON = ("suite_version", "catalogue", "target", "not_available", "profile", "selection", "seed")
"""What the headers of all shards must say alike."""
SUMS = ("requests", "order_requests", "tidy_requests", "writes", "planned")
"""What of the footers is added up."""

Shards = list[tuple[Path, Run]]


def merge_records(paths: Sequence[Path], out: Path) -> Run:
    """Write the record of the whole run to a path, and return the run.

    Raises:
        UsageError: the records are not each shard of one run, once, or one is where the whole is to be; with the file
            and what is wrong.
    """
    shards: Shards = [(path, read_record(path)) for path in paths]
    _insist_on_one_run(shards)
    _insist_on_each_once(shards)
    if any(path.exists() and out.exists() and path.samefile(out) for path in paths):
        raise UsageError(f"{out}: is the record of a shard and would be lost. Choose another --out.")
    runs = [run for _, run in sorted(shards, key=lambda shard: int(shard[1].header["shard"]["index"]))]
    made = [made for run in runs for made in run.ledger]
    lines: list[Verdict | Observation | Made | Reach | Discovery] = [
        *_verdicts(shards),
        *made,
        *_observations(runs),
        *_reach(runs),
    ]
    lines += [found for run in runs for found in run.discoveries]
    made_folder(out.parent)
    try:
        record = Record(out, {**runs[0].header, "shard": None, "started": _began(runs).isoformat()})
    except OSError as error:
        raise UsageError(f"{out}: the record cannot be written: {error.strerror}. Choose another --out.") from None
    for line in lines:
        record.add(line)
    if runs[0].waivers:
        for use in uses_again(runs[0].waivers, record.run, _began(runs).date(), names_of_checks(load_catalogue())):
            record.add(use)
    return record.close(**_footer(runs))


def _insist_on_one_run(shards: Shards) -> None:
    first, whole = shards[0]
    for path, run in shards:
        if run.header.get("shard") is None:
            raise UsageError(f"{path}: is not the record of a shard: it was made without --shard")
        for name in COMMON:
            if _said(run, name) != _said(whole, name):
                raise UsageError(f"{path}: is of another run than {first}: {name} differs")
        if "started" not in run.header:
            raise UsageError(f"{path}: does not say when its run started")
        if run.header["shard"]["of"] != whole.header["shard"]["of"]:
            raise UsageError(f"{path}: is of another run than {first}: the number of shards differs")


def _said(run: Run, name: str) -> Any:
    """Return what a header says; a server that a shard started itself has a port of its own each time."""
    said = run.header.get(name)
    if name == "target" and isinstance(said, dict):
        return {**said, "base_url": re.sub(r"^(http://127[.]0[.]0[.]1):[0-9]+", r"\1", str(said.get("base_url")))}
    return said


def _insist_on_each_once(shards: Shards) -> None:
    of = shards[0][1].header["shard"]["of"]
    found: dict[int, Path] = {}
    for path, run in shards:
        index = run.header["shard"]["index"]
        if index in found:
            raise UsageError(f"{path}: is shard {index} of {of}, and so is {found[index]}")
        found[index] = path
    missing = [str(index) for index in range(1, of + 1) if index not in found]
    if missing:
        raise UsageError(f"shard {', '.join(missing)} of {of} is missing: name the records of all {of} shards")


def _verdicts(shards: Shards) -> list[Verdict]:
    """Return every verdict, by area; a breach is said once, and not when a check of its own failed for it."""
    judged: dict[tuple[str, str], Path] = {}
    verdicts: list[Verdict] = []
    for path, run in shards:
        for verdict in run.verdicts:
            before = judged.setdefault((verdict.requirement, verdict.check), path)
            if before != path and verdict.check != ANY_EXCHANGE:
                raise UsageError(f"{path}: judges {verdict.requirement} by {verdict.check}, and so does {before}")
            verdicts.append(verdict)
    breaches = {v.requirement: v for v in verdicts if v.check == ANY_EXCHANGE and v.outcome is Outcome.FAILED}
    kept = [v for v in verdicts if v.check != ANY_EXCHANGE or v.outcome is not Outcome.FAILED]
    kept += unsaid(breaches.values(), kept)
    places = {area: place for place, area in enumerate(AREAS)}
    return sorted(kept, key=lambda verdict: places.get(verdict.area, len(places)))


def _reach(runs: Iterable[Run]) -> list[Reach]:
    """Return what all shards reached together."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for line in (line for run in runs for line in run.reach):
        told = (line.accepted, line.refused, line.broken, line.unsent)
        counts = sums.setdefault((line.operation, line.parameter, line.keyword), [0] * len(told))
        sums[line.operation, line.parameter, line.keyword] = [
            before + more for before, more in zip(counts, told, strict=True)
        ]
    return [Reach(*place, *counts) for place, counts in sums.items()]


def _observations(runs: Iterable[Run]) -> list[Observation]:
    seen = {(seen.reading, seen.observed): seen for run in reversed([*runs]) for seen in reversed(run.observations)}
    return list(reversed(seen.values()))


def _began(runs: Iterable[Run]) -> datetime:
    return min(datetime.fromisoformat(run.header["started"]) for run in runs)


def _footer(runs: list[Run]) -> dict[str, Any]:
    """Return what the shards come to together: sums, and the time from the first start to the last end."""
    feet = [run.footer or {} for run in runs]
    ends = [
        datetime.fromisoformat(run.header["started"]) + timedelta(seconds=foot.get("seconds", 0))
        for run, foot in zip(runs, feet, strict=True)
    ]
    return {
        **{name: sum(foot.get(name, 0) for foot in feet) for name in SUMS},
        "seconds": (max(ends) - _began(runs)).total_seconds(),
        "interrupted": any(run.interrupted for run in runs),
        "workers": sum(foot.get("workers", 1) for foot in feet),
        "blocked_reason": next((foot["blocked_reason"] for foot in feet if foot.get("blocked_reason")), None),
        "suite_error": "\n".join(foot["suite_error"] for foot in feet if foot.get("suite_error")) or None,
    }
