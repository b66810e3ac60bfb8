"""The proof: every fault and every variant judged by the whole suite, and what came of it as a matrix."""

import gc
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from attrs import asdict, evolve, frozen

from conformance import __version__
from conformance.catalogue import Catalogue, load_catalogue
from conformance.clock import VirtualClock
from conformance.faults import Fault, load_faults
from conformance.files import made_folder, replace_text
from conformance.outcome import Outcome
from conformance.reference.server import SPELLED_NAMES, Reference, make_reference
from conformance.results import Run
from conformance.running.plugin import find_checks
from conformance.running.run import Options, run
from conformance.shelf import Implementation
from conformance.target import Target
from conformance.variants import Variant, combined, load_variants

COMBINATIONS = 50
TOGETHER = 5
"""Variants in each of the combinations that try them all."""
ORIGIN = "http://reference"
SEARCHING = frozenset(each.id for each in load_catalogue().requirements.values() if each.searches)


@frozen
class Trial:
    """What the suite said of one implementation."""

    kind: str
    name: str
    sentence: str
    names: tuple[str, ...]
    failed: dict[str, list[str]]
    blocked: tuple[str, ...]
    errors: tuple[str, ...]
    requests: int
    seconds: float

    @property
    def as_it_should_be(self) -> bool:
        """Whether a fault was failed for exactly what it breaks, or an honest server for nothing."""
        if self.errors:
            return False
        if self.kind == "fault":
            return self.names[0] in self.failed and set(self.failed) - SEARCHING <= set(self.names)
        return not self.failed and not self.blocked


class InProcess(httpx.WSGITransport):
    """Hands requests to an application in this process, in the way that the reference's server does."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Tell the application how the names of the headers were spelled, and return its response.

        Raises:
            httpx.ReadError: the application hung up without one.
        """
        names = " ".join(name.decode("latin-1") for name, _ in request.headers.raw)
        request.headers[SPELLED_NAMES] = names
        try:
            return super().handle_request(request)
        except ConnectionError as error:
            raise httpx.ReadError(str(error)) from None


def judge_in_process(
    reference: Reference,
    clock: VirtualClock,
    options: Options,
    folder: Path,
    catalogue: Catalogue | None = None,
    target: Target | None = None,
) -> Run:
    """Run the suite against an application in this process, on its virtual clock, and return the run."""
    return run(
        target or reference.target(ORIGIN),
        catalogue or load_catalogue(),
        folder,
        evolve(options, keep=True),  # what is left open in this process is gone with it
        clock=clock,
        transport=InProcess(app=reference.app),
    )


def combinations(count: int = COMBINATIONS, seed: int = 0) -> list[Variant]:
    """Return seeded combinations of two to six variants, no two of one aspect."""
    generator = random.Random(seed)  # noqa: S311 - it chooses examples
    by_aspect: dict[str, list[Variant]] = {}
    for _, variant in sorted(load_variants().items()):
        by_aspect.setdefault(variant.aspect, []).append(variant)
    chosen = []
    for _ in range(count):
        aspects = generator.sample(sorted(by_aspect), generator.randint(2, 6))
        chosen.append(combined(tuple(generator.choice(by_aspect[aspect]) for aspect in aspects)))
    return chosen


def gathered(most: int = TOGETHER, seed: int = 0) -> list[Variant]:
    """Return combinations of a few compatible variants each, at most so many, in which every variant is once."""
    names = sorted(load_variants())
    random.Random(seed).shuffle(names)  # noqa: S311 - it chooses examples
    groups: list[list[Variant]] = []
    for variant in map(load_variants().__getitem__, names):
        fitting = (
            group for group in groups if len(group) < most and variant.aspect not in {each.aspect for each in group}
        )
        group = next(fitting, None)
        if group is None:
            groups.append(group := [])
        group.append(variant)
    return [combined(tuple(group)) for group in groups]


def prove(
    folder: Path,
    *,
    area: str | None = None,
    fault: str | None = None,
    profile: str = "standard",
    workers: int | None = None,
    tell: Callable[[Trial, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Judge every fault, variant and combination, and write ``matrix.json`` into the folder; returns its data.

    With an area or a fault, only these faults are tried, and no variants.
    """
    made_folder(folder)  # now, since it would be a pity after so much work
    started = time.monotonic()
    jobs: list[Implementation] = [
        candidate
        for candidate in load_faults().values()
        if area in {None, candidate.area} and fault in {None, candidate.name}
    ]
    if area is None and fault is None:
        jobs += [Implementation("reference", "The embedded reference.", ()), *load_variants().values(), *combinations()]
    trials = list(_tried(jobs, profile, workers or os.cpu_count() or 1, tell))
    matrix = _matrix(trials, profile, time.monotonic() - started, whole=area is None and fault is None)
    replace_text(folder / "matrix.json", json.dumps(matrix, indent=1) + "\n")
    return matrix


def _tried(
    jobs: Sequence[Implementation], profile: str, workers: int, tell: Callable[[Trial, int, int], None]
) -> Iterable[Trial]:
    with ProcessPoolExecutor(workers, initializer=_leave_garbage) as pool:
        keys = [_key(job) for job in jobs]
        for done, trial in enumerate(pool.map(_try, keys, [profile] * len(keys)), start=1):
            tell(trial, done, len(jobs))
            yield trial


def _leave_garbage() -> None:
    """Let garbage lie for longer: looking for it takes a tenth of a trial, and the process does not live long."""
    gc.freeze()
    gc.set_threshold(200_000)


def _key(job: Implementation) -> tuple[str, tuple[str, ...]]:
    """Return what another process finds the implementation by."""
    if isinstance(job, Fault):
        return "fault", (job.name,)
    if isinstance(job, Variant):
        return "variant", tuple(job.name.split("+"))
    return "reference", ()


def _found(key: tuple[str, tuple[str, ...]]) -> Implementation:
    kind, names = key
    if kind == "fault":
        return load_faults()[names[0]]
    if kind == "reference":
        return Implementation("reference", "The embedded reference.", ())
    variants = tuple(load_variants()[name] for name in names)
    return variants[0] if len(variants) == 1 else combined(variants)


def _try(key: tuple[str, tuple[str, ...]], profile: str) -> Trial:
    implementation = _found(key)
    clock = VirtualClock()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        reference = implementation.make(clock) if implementation.parts else make_reference(clock=clock)
        done = judge_in_process(reference, clock, _options(implementation, profile), Path(folder))
        reference.store.close()
    failed: dict[str, list[str]] = {}
    for verdict in done.verdicts:
        if verdict.outcome is Outcome.FAILED:
            failed.setdefault(verdict.requirement, []).append(verdict.check)
    assert done.footer is not None  # noqa: S101 - a run that returned has one
    names = (implementation.requirement, *implementation.also) if isinstance(implementation, Fault) else ()
    return Trial(
        kind=key[0],
        name=implementation.name,
        sentence=implementation.sentence,
        names=names,
        failed=failed,
        blocked=tuple(sorted({v.requirement for v in done.verdicts if v.outcome is Outcome.BLOCKED})),
        errors=tuple(_errors(done)),
        requests=done.footer["requests"],
        seconds=round(time.monotonic() - started, 2),
    )


def _errors(done: Run) -> Iterable[str]:
    """Say what went wrong in the suite itself, in one of its checks or before any."""
    if done.footer is not None and done.footer["suite_error"]:
        yield f"the suite: {done.footer['suite_error'][-500:]}"
    for verdict in done.verdicts:
        if verdict.outcome is Outcome.ERROR:
            yield f"{verdict.check}: {verdict.explanation[-500:]}"


def _options(implementation: Implementation, profile: str) -> Options:
    """Return how to judge an implementation: in the profile, or by the one requirement that only full checks."""
    if isinstance(implementation, Fault) and implementation.requirement not in _judged_in(profile):
        return Options(profile="full", selection=(implementation.requirement,))
    return Options(profile=profile)


@cache
def _judged_in(profile: str) -> frozenset[str]:
    return frozenset(check.requirement for check in find_checks(load_catalogue(), profile))


def _matrix(trials: Sequence[Trial], profile: str, seconds: float, *, whole: bool) -> dict[str, Any]:
    catalogue = load_catalogue()
    checks = find_checks(catalogue, profile)
    faults = [trial for trial in trials if trial.kind == "fault"]
    honest = [trial for trial in trials if trial.kind != "fault"]
    kills: dict[str, list[str]] = {identifier: [] for identifier in catalogue.requirements}
    killers: dict[str, int] = {check.name: 0 for check in checks}
    for trial in faults:
        for identifier, by in trial.failed.items():
            kills[identifier].append(trial.name)
            for check in by:
                killers[check] = killers.get(check, 0) + 1
    can_fail = [r.id for r in catalogue.requirements.values() if r.basis != "open"]
    return {
        "format": 1,
        "suite_version": __version__,
        "catalogue": catalogue.digest,
        "profile": profile,
        "seconds": round(seconds, 1),
        "faults": [asdict(trial) | {"exact": trial.as_it_should_be} for trial in faults],
        "honest": [asdict(trial) | {"conforms": trial.as_it_should_be} for trial in honest],
        "kills": kills,
        "survivors": [trial.name for trial in faults if trial.names[0] not in trial.failed],
        "not_exact": [t.name for t in faults if t.names[0] in t.failed and not t.as_it_should_be],
        "not_conforming": [trial.name for trial in honest if not trial.as_it_should_be],
        "without_fault": [i for i in can_fail if not kills[i]] if whole else [],
        "never_failed": sorted(name for name, count in killers.items() if not count) if whole else [],
    }


def publish(matrix: dict[str, Any], path: Path) -> None:
    """Write which faults each check of a requirement is proven to catch, as the reports of every run tell it."""
    catches: dict[str, dict[str, list[str]]] = {}
    for fault in sorted(matrix["faults"], key=lambda trial: str(trial["name"])):
        for identifier, checks in fault["failed"].items():
            for check in dict.fromkeys(checks):
                catches.setdefault(identifier, {}).setdefault(check, []).append(fault["name"])
    proof = {"catalogue": matrix["catalogue"], "catches": catches}
    replace_text(path, json.dumps(proof, indent=1, sort_keys=True) + "\n")


def proven(matrix: dict[str, Any]) -> bool:
    """Say whether every fault was caught for what it is, and every honest server passed."""
    return not (matrix["survivors"] or matrix["not_exact"] or matrix["not_conforming"] or matrix["without_fault"])
