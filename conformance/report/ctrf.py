"""``ctrf.json``: the run in the Common Test Report Format."""

from datetime import datetime
from typing import Any

from conformance.outcome import Outcome
from conformance.report.material import PAGE, Material
from conformance.results import Verdict
from conformance.telling import place, told
from conformance.text import as_json, one_line

SPECIFICATION = "0.0.0"
STATUS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.BLOCKED: "skipped",
    Outcome.ERROR: "other",
}


def draw_ctrf(material: Material) -> str:
    """Return one test for each check; its suite is the area and the requirement."""
    run, header = material.run, material.run.header
    started = _milliseconds(header.get("started"))
    statuses = [_status(verdict) for verdict in run.verdicts]
    took = round(1000 * material.footer.get("seconds", 0))
    return as_json(
        {
            "reportFormat": "CTRF",
            "specVersion": SPECIFICATION,
            "generatedBy": "genstore-conformance",
            "results": {
                "tool": {"name": "genstore-conformance", "version": str(header.get("suite_version", ""))},
                "summary": {
                    "tests": len(run.verdicts),
                    **{status: statuses.count(status) for status in STATUS.values()},
                    "pending": 0,
                    "suites": len({verdict.requirement for verdict in run.verdicts}),
                    "start": started,
                    "stop": started + took,
                    "duration": took,
                    "extra": {"verdict": run.sentence},
                },
                "tests": [_test(verdict) for verdict in run.verdicts],
                "environment": {
                    "appName": material.target_name,
                    "healthy": bool(run.verdicts) and not run.interrupted,
                    "extra": {"target": material.target, "seed": str(header.get("seed", ""))},
                },
            },
        }
    )


def _status(verdict: Verdict) -> str:
    return STATUS[Outcome.BLOCKED if verdict.waived else verdict.outcome]


def _test(verdict: Verdict) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": f"{verdict.requirement} {one_line(verdict.check)}",
        "status": _status(verdict),
        "rawStatus": verdict.outcome.value,
        "duration": round(1000 * verdict.seconds),
        "suite": [verdict.area, verdict.requirement],
        "tags": [verdict.level, verdict.basis],
        "extra": {"requirement": verdict.requirement, "title": verdict.title, "where": place(verdict.lines)},
    }
    if verdict.outcome is Outcome.FAILED:
        test["message"] = f"expected {one_line(verdict.expected)}; observed {one_line(verdict.observed)}"
        test["trace"] = told(verdict)
        test["extra"]["report"] = f"{PAGE}#{verdict.requirement}"
        if verdict.waived:
            test["extra"]["waived"] = verdict.waived
    elif verdict.outcome is Outcome.BLOCKED:
        test["message"] = one_line(verdict.explanation)
    elif verdict.outcome is Outcome.ERROR:
        test["message"] = one_line(verdict.explanation.rstrip().rpartition("\n")[2])
        test["trace"] = verdict.explanation
    return test


def _milliseconds(moment: object) -> int:
    try:
        return round(1000 * datetime.fromisoformat(str(moment)).timestamp())
    except ValueError:
        return 0
