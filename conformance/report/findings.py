"""What a run says of each requirement, and of those that failed, worst first."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from attrs import frozen

from conformance.catalogue import Catalogue, Requirement
from conformance.outcome import Outcome, worst
from conformance.results import Run, Verdict
from conformance.text import one_line

LEVELS = ("MUST", "SHOULD", "MAY")
BASES = ("stated", "by example", "implied", "open")


class State(StrEnum):
    """What a requirement came to; besides the outcomes of its checks, there may be no answer at all."""

    FAILED = "failed"
    WAIVED = "waived"
    ERROR = "error"
    BLOCKED = "blocked"
    PASSED = "passed"
    NOT_CHECKED = "not checked"
    NOT_RUN = "not run"


@frozen
class Standing:
    """One requirement and everything that was said of it."""

    requirement: Requirement
    state: State
    verdicts: tuple[Verdict, ...] = ()

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The verdicts that speak against it, those that are not waived first."""
        failed = [verdict for verdict in self.verdicts if verdict.outcome is Outcome.FAILED]
        return tuple(sorted(failed, key=lambda verdict: bool(verdict.waived)))

    @property
    def errors(self) -> tuple[Verdict, ...]:
        """The verdicts that say nothing of it, because the suite itself failed."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.ERROR)


@frozen
class Reason:
    """Why some requirements could not be judged; ``declared`` when the target file said so beforehand."""

    text: str
    requirements: tuple[str, ...]
    checks: int
    declared: str | None = None


def standings(run: Run, catalogue: Catalogue) -> dict[str, Standing]:
    """Return the standing of every requirement, in the order of the catalogue.

    A requirement that only the record knows, because it was made with another catalogue, comes last.
    """
    said: dict[str, list[Verdict]] = {identifier: [] for identifier in catalogue.requirements}
    for verdict in run.verdicts:
        said.setdefault(verdict.requirement, []).append(verdict)
    return {
        identifier: Standing(
            catalogue.requirements.get(identifier) or _told_by(verdicts[0]),
            _state(run, verdicts),
            tuple(verdicts),
        )
        for identifier, verdicts in said.items()
    }


def findings(run: Run, catalogue: Catalogue) -> list[Standing]:
    """Return the requirements that failed, worst first: MUST before SHOULD, and stated before implied.

    What generated requests came upon follows what has a check of its own, which says more plainly what is wrong.
    """
    return worst_first(standings(run, catalogue).values())


def worst_first(found: Iterable[Standing]) -> list[Standing]:
    """Return those that failed, the worst first and the waived last; equally bad ones stay in their order."""
    return sorted((standing for standing in found if standing.failed), key=_badness)


def reasons(run: Run) -> list[Reason]:
    """Return why checks were blocked, each reason once, the most frequent first; the declared ones come last.

    Reasons that differ only in ids and other numbers count as one, in the words in which it came first.
    """
    alike: dict[tuple[str | None, str], list[Verdict]] = {}
    for verdict in run.verdicts:
        if verdict.outcome is Outcome.BLOCKED:
            lack = verdict.lacks if run.is_declared(verdict) else None
            words = "" if lack else re.sub(r"\b\w*\d\w*", "#", verdict.explanation)
            alike.setdefault((lack, words), []).append(verdict)
    found = [
        Reason(
            text=f"the target file says that {lack} is not available" if lack else one_line(verdicts[0].explanation),
            requirements=tuple(dict.fromkeys(verdict.requirement for verdict in verdicts)),
            checks=len(verdicts),
            declared=lack,
        )
        for (lack, _), verdicts in alike.items()
    ]
    return sorted(found, key=lambda reason: (reason.declared is not None, -len(reason.requirements)))


def _told_by(verdict: Verdict) -> Requirement:
    return Requirement(
        id=verdict.requirement, area=verdict.area, level=verdict.level, basis=verdict.basis,
        lines=verdict.lines, operations=(), text=verdict.title, why="",
    )  # fmt: skip


def _state(run: Run, verdicts: Sequence[Verdict]) -> State:
    if not verdicts:
        return State.NOT_RUN
    outcome = worst(verdict.outcome for verdict in verdicts)
    blocked = [verdict for verdict in verdicts if verdict.outcome is Outcome.BLOCKED]
    if outcome is Outcome.BLOCKED and all(map(run.is_declared, blocked)):
        return State.NOT_CHECKED
    if outcome is Outcome.FAILED and all(v.waived for v in verdicts if v.outcome is Outcome.FAILED):
        return State.WAIVED
    return State(outcome.value)


def _badness(standing: Standing) -> tuple[bool, int, bool, int]:
    requirement = standing.requirement
    level = LEVELS.index(requirement.level) if requirement.level in LEVELS else len(LEVELS)
    basis = BASES.index(requirement.basis) if requirement.basis in BASES else len(BASES)
    return standing.state is State.WAIVED, level, requirement.searches, basis
