"""``summary.md``: what a CI job shows of a run, in at most 60 kilobytes."""

from conformance.report.figures import by_area
from conformance.report.findings import Standing
from conformance.report.html import environment
from conformance.report.material import PAGE, Material
from conformance.telling import told
from conformance.text import shortened

MOST_BYTES = 60_000
MOST_FINDINGS = 10
MOST_REASONS = 10
MOST_IDS = 12
MOST_LINE = 900


def draw_markdown(material: Material) -> str:
    """Return the verdict, the areas, the worst findings, and what was not checked.

    Whatever a server sent stands in ``pre`` elements and is escaped there, so that no Markdown in it is obeyed.
    """
    findings = material.findings[:MOST_FINDINGS]
    while len((text := _drawn(material, findings)).encode()) > MOST_BYTES and findings:
        findings = findings[:-1]
    return text


def _drawn(material: Material, findings: list[Standing]) -> str:
    rows = by_area(standing for standing in material.standings.values() if standing.verdicts)
    return (
        environment()
        .get_template("summary.md.j2")
        .render(
            run=material.run,
            material=material,
            rows=rows,
            states=[
                state for state, count in material.states.items() if count and any(row.counts[state] for row in rows)
            ],
            findings=[(standing, _failure(standing)) for standing in findings],
            left_out=len(material.findings) - len(findings),
            reasons=material.reasons[:MOST_REASONS],
            more_reasons=max(0, len(material.reasons) - MOST_REASONS),
            most_ids=MOST_IDS,
            page=PAGE,
        )
    )


def _failure(standing: Standing) -> str:
    return "\n".join(shortened(line, MOST_LINE) for line in told(standing.failed[0]).split("\n"))
