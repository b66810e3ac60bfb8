"""``conformance.json``: the run for other programs, as ``spec/report.schema.json`` describes it."""

from itertools import chain
from typing import Any

from attrs import asdict

from conformance.outcome import Outcome
from conformance.report.findings import Standing
from conformance.report.material import Material
from conformance.report.sections import observed_readings
from conformance.results import Verdict
from conformance.text import as_json

VERSION = "1.3"
"""The second number grows when something is added, the first when a reader would have to change."""


def draw_machine(material: Material) -> str:
    """Return the verdict and all that it rests on, but the exchanges, which only the record has."""
    run, header, footer = material.run, material.run.header, material.footer
    return as_json(
        {
            "format": "genstore-conformance",
            "version": VERSION,
            "verdict": run.verdict,
            "sentence": run.sentence,
            "interrupted": run.interrupted,
            "suite": {"version": str(header.get("suite_version", "")), "catalogue": str(header.get("catalogue", ""))},
            "target": material.target,
            "profile": str(header.get("profile", "")),
            "selection": list(header.get("selection", ())),
            "seed": header.get("seed"),
            "started": header.get("started"),
            "milliseconds": round(1000 * footer["seconds"]) if "seconds" in footer else None,
            "requests": footer.get("requests"),
            "checks": run.counts,
            "states": {state.value: count for state, count in material.states.items()},
            "requirements": [_requirement(standing, material) for standing in material.standings.values()],
            "not_checked": [
                {"reason": reason.text, "declared": reason.declared, "requirements": reason.requirements}
                for reason in material.reasons
            ],
            "waivers": [asdict(waiver) for waiver in run.waivers],
            "ledger": [asdict(made) for made in run.ledger],
            "readings": [{"id": each.identifier, "observed": each.seen} for each in observed_readings(material)],
            "reach": [asdict(reach) for reach in run.reach],
        }
    )


def _requirement(standing: Standing, material: Material) -> dict[str, Any]:
    requirement = standing.requirement
    return {
        "id": requirement.id,
        "area": requirement.area,
        "level": requirement.level,
        "basis": requirement.basis,
        "lines": requirement.lines,
        "operations": requirement.operations,
        "text": requirement.text,
        "state": standing.state.value,
        "checks": [_check(verdict, material) for verdict in standing.verdicts],
        "proven_to_catch": sorted(set(chain(*material.proof.get(requirement.id, {}).values()))),
    }


def _check(verdict: Verdict, material: Material) -> dict[str, Any]:
    check: dict[str, Any] = {
        "name": verdict.check,
        "outcome": verdict.outcome.value,
        "milliseconds": round(1000 * verdict.seconds),
        "requests": verdict.requests,
        "proven_to_catch": list(material.caught_by(verdict)),
    }
    if verdict.outcome is Outcome.FAILED:
        check |= {"expected": verdict.expected, "observed": verdict.observed, "again": verdict.again}
        check |= {"waived": verdict.waived} if verdict.waived else {}
    elif verdict.outcome is not Outcome.PASSED:
        check |= {"reason": verdict.explanation}
    return check
