"""What every format is drawn from: the run, the catalogue, and what follows from the two."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.catalogue import Catalogue
from conformance.report.findings import Reason, Standing, State, reasons, standings, worst_first
from conformance.report.repro import Script, scripts
from conformance.results import Evidence, Run, Verdict
from conformance.text import one_line, shortened

PAGE = "report.html"
SCRIPTS = "repro"
MOST_TARGET = 300
MOST_CASES = 3
"""Failed checks of one requirement that are shown whole, each with its script; the others are only named."""


@frozen
class Material:
    """A run to be drawn. ``proof`` names, for each check of a requirement, the faults that it was seen to catch."""

    run: Run
    catalogue: Catalogue
    folder: Path = Path()
    proof: Mapping[str, Mapping[str, Sequence[str]]] = field(factory=dict)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """What the run says of each requirement."""
        return standings(self.run, self.catalogue)

    @cached_property
    def findings(self) -> list[Standing]:
        """The requirements that failed, worst first."""
        return worst_first(self.standings.values())

    @cached_property
    def reasons(self) -> list[Reason]:
        """Why checks were blocked."""
        return reasons(self.run)

    @cached_property
    def errors(self) -> list[Standing]:
        """The requirements of which a check ended in an error of the suite."""
        return [standing for standing in self.standings.values() if standing.errors]

    @cached_property
    def scripts(self) -> dict[tuple[str, str], Script]:
        """The scripts of failed checks, by requirement and check; those that no script can do again have none."""
        shown = [standing.failed[:MOST_CASES] for standing in self.findings]
        return {
            (verdict.requirement, verdict.check): each
            for failed in shown
            for verdict, each in scripts(failed, self.run_id, self.base_url)
        }

    @cached_property
    def exchanges(self) -> list[tuple[Verdict, Evidence]]:
        """Every exchange once, oldest first, with the first verdict that it speaks for."""
        seen: dict[tuple[object, ...], tuple[Verdict, Evidence]] = {}
        for verdict in self.run.verdicts:
            for each in verdict.evidence:
                same = (each.at, each.method, each.url, each.milliseconds, each.request_body)
                seen.setdefault(same, (verdict, each))
        return sorted(seen.values(), key=lambda entry: entry[1].at)

    @cached_property
    def states(self) -> dict[State, int]:
        """How many requirements are in each state; all states are named."""
        found = [standing.state for standing in self.standings.values()]
        return {state: found.count(state) for state in State}

    def caught_by(self, verdict: Verdict) -> Sequence[str]:
        """Return the faults that the check of a verdict is proven to catch."""
        return self.proof.get(verdict.requirement, {}).get(verdict.check, ())

    @property
    def footer(self) -> Mapping[str, Any]:
        """What was written at the end of the run; empty when it was killed."""
        return self.run.footer or {}

    @property
    def target(self) -> str:
        """The target's name, and its address unless that says the same."""
        name, url = (shortened(one_line(text), MOST_TARGET) for text in (self.target_name, self.base_url))
        return name if not url or url == name else f"{name} at {url}"

    @property
    def target_name(self) -> str:
        """What the target is called."""
        return str(self._target.get("name", "")) or "unnamed target"

    @property
    def base_url(self) -> str:
        """Where the target is; empty when the record does not say."""
        return str(self._target.get("base_url", ""))

    @property
    def run_id(self) -> str:
        """What the request numbers of this run have in common; empty when the record does not say."""
        return str(self.run.header.get("run_id", ""))

    @property
    def _target(self) -> Mapping[str, Any]:
        told = self.run.header.get("target", {})
        return told if isinstance(told, Mapping) else {"name": told}

    @property
    def worst(self) -> str:
        """One sentence about what failed and what could not be judged."""
        states = self.states
        against = [standing for standing in self.findings if not standing.failed[0].waived]
        must = sum(standing.requirement.level == "MUST" for standing in against)
        passed, all_of_them = states[State.PASSED], f"of {len(self.standings)} requirements"
        parts = [f"{passed} {all_of_them} passed"]
        if against:
            parts = [f"{len(against)} {all_of_them} failed ({must} MUST)", f"{passed} passed"]
        parts += [f"{states[state]} {words}" for state, words in _SAID.items() if states[state]]
        return ", ".join(parts)


_SAID = {
    State.WAIVED: "failed, but waived",
    State.ERROR: "ended in an error of the suite",
    State.BLOCKED: "could not be checked",
    State.NOT_CHECKED: "not checked, as declared",
    State.NOT_RUN: "not part of this run",
}
