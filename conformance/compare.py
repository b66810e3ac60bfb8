"""Two runs side by side: what changed between them, and whether anything got worse."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from conformance.catalogue import Catalogue
from conformance.outcome import EXIT_CODES, Conclusion, Outcome
from conformance.report.facts import duration, moment
from conformance.report.figures import Latency, latencies
from conformance.report.material import Material
from conformance.results import Run, Verdict

WAIVED = "waived"
RANK: Mapping[str, int] = {
    Outcome.PASSED: 0, WAIVED: 0, Outcome.BLOCKED: 1, Outcome.FAILED: 2, Outcome.ERROR: 3,
}  # fmt: skip
"""How bad a word for a verdict is; a failure that somebody accepted counts as none."""

VERDICTS = (Conclusion.CONFORMANT, Conclusion.INCOMPLETE, Conclusion.NON_CONFORMANT, Conclusion.ERROR)
"""The conclusions, from the best to the worst."""

EXITS: Mapping[str, Conclusion] = {
    Outcome.BLOCKED: Conclusion.INCOMPLETE, Outcome.FAILED: Conclusion.NON_CONFORMANT, Outcome.ERROR: Conclusion.ERROR,
}  # fmt: skip


@frozen
class Change:
    """A check that came to something else; ``None`` where a run does not have it. ``told`` is what it says now.

    ``decides`` when what it came to counts for the verdict of the second run.
    """

    requirement: str
    check: str
    before: str | None
    now: str | None
    told: str = ""
    decides: bool = True

    @property
    def worse(self) -> bool:
        """Whether it counts against the second run: a check that only that run has, when it failed."""
        if self.now is None:
            return False
        if self.before is None:
            return RANK[self.now] >= RANK[Outcome.FAILED]
        return RANK[self.now] > RANK[self.before]

    @property
    def better(self) -> bool:
        """Whether both runs have the check, and it came to something less bad."""
        return self.before is not None and self.now is not None and RANK[self.now] < RANK[self.before]


@frozen
class Row:
    """One fact of both runs."""

    name: str
    before: str
    now: str


@frozen
class Comparison:
    """What differs between two runs. ``declined`` when the verdict itself is worse."""

    facts: list[Row]
    changes: list[Change]
    readings: list[Row]
    latencies: list[tuple[str, Latency | None, Latency | None]]
    declined: bool

    @property
    def worse(self) -> list[Change]:
        """The checks that got worse."""
        return [change for change in self.changes if change.worse]

    @property
    def got_worse(self) -> bool:
        """Whether the verdict did, or anything that counts for it."""
        return self.declined or any(change.decides for change in self.worse)


def compare(before: Run, now: Run, catalogue: Catalogue) -> Comparison:
    """Return what changed from one run to the other."""
    materials = [Material(run, catalogue) for run in (before, now)]
    facts = [_facts(material) for material in materials]
    return Comparison(
        facts=[Row(name, told, facts[1][name]) for name, told in facts[0].items()],
        changes=list(_changes(before, now)),
        readings=list(_readings(before, now)),
        latencies=_latencies(*materials),
        declined=VERDICTS.index(now.conclusion) > VERDICTS.index(before.conclusion),
    )


def exit_for_new(comparison: Comparison, now: Run) -> int:
    """Return the exit status of a run that fails for what is new only: for the worst of that, and its own troubles.

    A run that was interrupted, in which the suite itself failed, or with an outdated waiver, ends as it always does.
    """
    outdated = any(waiver.outdated for waiver in now.waivers)
    if now.interrupted or outdated or now.conclusion is Conclusion.ERROR:
        return now.exit
    words = [change.now for change in comparison.worse if change.now is not None and change.decides]
    return EXIT_CODES[EXITS[max(words, key=RANK.__getitem__)]] if words else 0


def _by_check(run: Run) -> dict[tuple[str, str], Verdict]:
    """Return the verdict of each check; the worst, where a check has several."""
    found: dict[tuple[str, str], Verdict] = {}
    for verdict in run.verdicts:
        key = (verdict.requirement, verdict.check)
        if key not in found or RANK[_word(verdict)] > RANK[_word(found[key])]:
            found[key] = verdict
    return found


def _word(verdict: Verdict) -> str:
    return WAIVED if verdict.waived else verdict.outcome.value


def _changes(before: Run, now: Run) -> Iterable[Change]:
    first, second = _by_check(before), _by_check(now)
    for key in dict.fromkeys([*first, *second]):
        was, came = first.get(key), second.get(key)
        before_word, now_word = (None if verdict is None else _word(verdict) for verdict in (was, came))
        if before_word != now_word:
            told = "" if came is None else came.observed or came.explanation
            counts = came is not None and now.counts_for_it(came)
            if now_word == Outcome.BLOCKED and _blocked(now, key[0]) <= _blocked(before, key[0]):
                counts = False  # which rows of a race come to nothing is chance
            yield Change(*key, before_word, now_word, told, decides=counts)


def _blocked(run: Run, requirement: str) -> int:
    """Return how many checks of a requirement were blocked."""
    return sum(verdict.outcome is Outcome.BLOCKED for verdict in run.verdicts_of(requirement))


def _facts(material: Material) -> dict[str, str]:
    run, header, footer = material.run, material.run.header, material.footer
    return {
        "target": material.target,
        "started": moment(str(header.get("started", ""))),
        "suite": f"{header.get('suite_version', '')}, catalogue {header.get('catalogue', '')}",
        "checked": " ".join([str(header.get("profile", "")), *map(str, header.get("selection", ()))]),
        "verdict": run.sentence,
        "checks": ", ".join(f"{count} {word}" for word, count in _counts(run).items() if count),
        "requests": str(footer.get("requests", "not told")),
        "took": duration(footer["seconds"]) if "seconds" in footer else "not told",
    }


def _counts(run: Run) -> dict[str, int]:
    seen = Counter(_word(verdict) for verdict in run.verdicts)
    return {word: seen[word] for word in RANK}


def _readings(before: Run, now: Run) -> Iterable[Row]:
    seen = [_observed(run) for run in (before, now)]
    for reading in sorted({*seen[0], *seen[1]}):
        told = ["; ".join(sorted(each.get(reading, ()))) or "not observed" for each in seen]
        if told[0] != told[1]:
            yield Row(reading, told[0], told[1])


def _observed(run: Run) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for observation in run.observations:
        found.setdefault(observation.reading, set()).add(observation.observed)
    return found


def _latencies(before: Material, now: Material) -> list[tuple[str, Latency | None, Latency | None]]:
    taken: list[dict[str, Any]] = [
        {each.operation: each for each in latencies(exchange for _, exchange in material.exchanges)}
        for material in (before, now)
    ]
    return [(name, taken[0].get(name), taken[1].get(name)) for name in dict.fromkeys([*taken[0], *taken[1]])]
