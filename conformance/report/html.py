"""``report.html``: one file for everyone, readable without scripts and without a network."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from attrs import asdict, evolve, frozen
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.catalogue import OPERATIONS
from conformance.report import figures
from conformance.report.bodies import Allowance
from conformance.report.exchanges import Shown, shown
from conformance.report.facts import Table, facts, made_by, table
from conformance.report.findings import Standing, State
from conformance.report.material import MOST_CASES, SCRIPTS, Material
from conformance.report.repro import Script
from conformance.report.sections import observed_readings, parts
from conformance.results import Verdict
from conformance.telling import place, spans
from conformance.text import harmless, shortened

HERE = Path(__file__).parent
EVIDENCE_BYTES = 3_000_000
"""What all evidence together may take of the page, so that it stays quick to open whatever a server sends."""

MOST_PER_FINDING = 150_000
MOST_OTHERS = 50
MOST_TEXT = 1500
"""Characters shown of what was expected and of what was observed."""

MOST_BRIEF = 300
MOST_IDS = 40
"""Requirements that were not run are named up to here; of a run of one check there are hundreds."""

CASE_BYTES, BRIEF_BYTES = 2000, 300
"""What the markup around a failed check takes, shown or only named."""

ERROR_BYTES = 300_000
MOST_MADE = 1000
MOST_TRACE = 6000

SYMBOLS = {
    State.PASSED: "✓",
    State.FAILED: "✕",
    State.WAIVED: "~",
    State.ERROR: "!",
    State.BLOCKED: "⊘",
    State.NOT_CHECKED: "–",
    State.NOT_RUN: "·",
}


@frozen
class Case:
    """A failed check as it is shown: what was expected and observed, its exchanges, and its script."""

    verdict: Verdict
    expected: str
    observed: str
    exchanges: Sequence[Shown] = ()
    left_out: int = 0
    script: Script | None = None


@frozen
class Card:
    """A finding as it is shown."""

    standing: Standing
    cases: list[Case]
    others: list[Case]
    left_out: int


def draw_html(material: Material) -> str:
    """Return the page."""
    found = list(material.standings.values())
    exchanges = [exchange for _, exchange in material.exchanges]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=material.run,
            material=material,
            policy=_policy(),
            facts=facts(material),
            cards=_cards(material),
            errors=_errors(material),
            areas=figures.by_area(found),
            operations=figures.by_operation(found),
            patches=figures.by_area_and_operation(found),
            everything=figures.Row("all", material.states),
            latencies=figures.latencies(exchanges),
            edges=figures.EDGES,
            pace=figures.pace(exchanges),
            parts=parts(material),
            readings=observed_readings(material),
            passed=[standing for standing in found if standing.state is State.PASSED],
            not_run=[standing.requirement.id for standing in found if standing.state is State.NOT_RUN],
            most_ids=MOST_IDS,
            waivers=_waivers(material),
            made=made_by(material.run),
            most_made=MOST_MADE,
        )
    )


def _cards(material: Material) -> list[Card]:
    share = min(MOST_PER_FINDING, EVIDENCE_BYTES // max(1, len(material.findings)))
    return [_card(material, standing, Allowance(share)) for standing in material.findings]


def _card(material: Material, standing: Standing, allowance: Allowance) -> Card:
    first, *more = standing.failed
    cases = [_case(material, first, allowance)]
    cases += [_case(material, each, allowance) for each in more[: MOST_CASES - 1] if allowance.spend(CASE_BYTES)]
    named = more[len(cases) - 1 :][:MOST_OTHERS]
    others = [_brief(each, allowance, MOST_BRIEF) for each in named if allowance.spend(BRIEF_BYTES)]
    return Card(standing, cases, others, left_out=1 + len(more) - len(cases) - len(others))


def _case(material: Material, verdict: Verdict, allowance: Allowance) -> Case:
    brief = _brief(verdict, allowance, MOST_TEXT)
    exchanges, left_out = shown(verdict, allowance)
    script = material.scripts.get((verdict.requirement, verdict.check))
    # Half a script is worse than none.
    whole = script is not None and allowance.cut(script.text) == script.text
    return evolve(brief, exchanges=exchanges, left_out=left_out, script=script if whole else None)


def _brief(verdict: Verdict, allowance: Allowance, most: int) -> Case:
    expected, observed = (allowance.cut(shortened(text, most)) for text in (verdict.expected, verdict.observed))
    return Case(verdict, expected, observed)


def _errors(material: Material) -> list[tuple[Standing, list[tuple[str, str]]]]:
    """Return the tracebacks of each requirement with an error of the suite, by check."""
    allowance = Allowance(ERROR_BYTES)
    return [
        (standing, [(each.check, allowance.cut(each.explanation[-MOST_TRACE:])) for each in standing.errors])
        for standing in material.errors
    ]


def _waivers(material: Material) -> Table | None:
    """Return the waivers of a run and what became of each; none when it had none."""
    used = [asdict(waiver) for waiver in material.run.waivers]
    return table("What became of each", used) if used else None


def _policy() -> str:
    """Return the Content-Security-Policy: nothing is loaded, and only this page's own style and script are obeyed."""
    hashes = {
        name: base64.b64encode(hashlib.sha256(_source(name).encode()).digest()).decode()
        for name in ("report.css", "report.js")
    }
    return (
        f"default-src 'none'; style-src 'sha256-{hashes['report.css']}'; script-src 'sha256-{hashes['report.js']}'; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _source(name: str) -> Markup:
    return Markup((HERE / name).read_text(encoding="utf-8"))  # noqa: S704 - our own style and script


@cache
def environment() -> Environment:
    """Return the one place where templates become pages: escaped, and harmless whatever they show."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Whatever a template shows passes here, so none can forget it.
        finalize=lambda value: harmless(value) if type(value) is str else value,
    )
    made.globals |= {
        "source": _source,
        "symbols": SYMBOLS,
        "SCRIPTS": SCRIPTS,
        "State": State,
        "OPERATIONS": OPERATIONS,
    }
    made.filters |= {
        "place": place,
        "spans": spans,
        "short": lambda text: shortened(text, MOST_TEXT),
    }
    return made
