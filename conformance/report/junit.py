"""``junit.xml``: a suite for each requirement with its properties, and a test case for each check.

It keeps to what readers share: properties are of suites, since not all take them of a case; attachments are of cases,
since GitLab and Azure look for them nowhere else, and GitLab takes the first.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from conformance.outcome import Outcome
from conformance.report.findings import Standing
from conformance.report.material import PAGE, SCRIPTS, Material
from conformance.results import Verdict, WaiverUse
from conformance.telling import spans, told
from conformance.text import harmless, one_line


def draw_junit(material: Material) -> str:
    """Return the run as JUnit XML; a failure carries its four lines, and what is blocked or waived is skipped."""
    root = Element("testsuites")
    started = str(material.run.header.get("started", "1970-01-01T00:00:00"))[:19]
    for standing in material.standings.values():
        if standing.verdicts:
            suite = _suite(root, standing.requirement.id, standing.requirement.area, started, standing.verdicts)
            _describe(suite, standing)
            for verdict in standing.verdicts:
                _add_case(suite, verdict, _output(verdict, material))
            _close(suite)
    if material.run.waivers:
        _add_waivers(root, started, material.run.waivers)
    if material.run.interrupted or not material.run.verdicts:
        _add_unfinished(root, started, material.run.sentence)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Element, name: str, package: str, started: str, verdicts: Sequence[Verdict]) -> Element:
    outcomes = [verdict.outcome for verdict in verdicts]
    waived = sum(bool(verdict.waived) for verdict in verdicts)
    return SubElement(
        root, "testsuite", name=harmless(name), package=harmless(package), id=str(len(root)), timestamp=started,
        hostname="localhost",  # the schema insists on one, and this is its word for none
        tests=str(len(outcomes)), failures=str(outcomes.count(Outcome.FAILED) - waived),
        errors=str(outcomes.count(Outcome.ERROR)), skipped=str(outcomes.count(Outcome.BLOCKED) + waived),
        time=f"{sum(verdict.seconds for verdict in verdicts):.3f}",
    )  # fmt: skip


def _describe(suite: Element, standing: Standing) -> None:
    requirement = standing.requirement
    described: Mapping[str, str] = {
        "requirement": requirement.id,
        "title": requirement.text,
        "level": requirement.level,
        "basis": requirement.basis,
        "area": requirement.area,
        "page lines": spans(requirement.lines),
    }
    properties = SubElement(suite, "properties")
    for name, value in described.items():
        SubElement(properties, "property", name=name, value=harmless(value))


def _add_case(suite: Element, verdict: Verdict, output: str) -> None:
    case = SubElement(
        suite, "testcase", name=one_line(verdict.check), classname=harmless(verdict.requirement),
        time=f"{verdict.seconds:.3f}",
    )  # fmt: skip
    if verdict.waived:
        SubElement(case, "skipped").text = harmless(f"waived: {verdict.waived}\n{told(verdict)}")
    elif verdict.outcome is Outcome.FAILED:
        message = f"expected {one_line(verdict.expected)}; observed {one_line(verdict.observed)}"
        SubElement(case, "failure", type=verdict.level, message=message).text = told(verdict)
    elif verdict.outcome is Outcome.ERROR:
        last = verdict.explanation.rstrip().rpartition("\n")[2]
        SubElement(case, "error", type="error of the suite", message=one_line(last)).text = told(verdict)
    elif verdict.outcome is Outcome.BLOCKED:
        SubElement(case, "skipped").text = harmless(verdict.explanation)
    if output:
        SubElement(case, "system-out").text = output


def _output(verdict: Verdict, material: Material) -> str:
    """Return where a failed check is on the page, and its script as an attachment."""
    if verdict.outcome is not Outcome.FAILED:
        return ""
    lines = [f"{PAGE}#{verdict.requirement}"]
    if script := material.scripts.get((verdict.requirement, verdict.check)):
        path = Path(SCRIPTS, script.name)
        # Readers look for it from the workspace or from this file; an absolute path would tell of this machine.
        lines.append(f"[[ATTACHMENT|{(path if material.folder.is_absolute() else material.folder / path).as_posix()}]]")
    return harmless("\n".join(lines))


def _close(suite: Element) -> None:
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")


def _add_waivers(root: Element, started: str, waivers: Sequence[WaiverUse]) -> None:
    """A case for each waiver: one that fails the run, fails."""
    suite = _suite(root, "waivers", "run", started, ())
    suite.set("tests", str(len(waivers)))
    suite.set("failures", str(sum(waiver.outdated for waiver in waivers)))
    properties = SubElement(suite, "properties")  # the schema wants at least one
    SubElement(properties, "property", name="outdated", value=str(sum(waiver.outdated for waiver in waivers)))
    for number, waiver in enumerate(waivers, start=1):
        name = f"waiver {number} of {waiver.requirement}"
        case = SubElement(suite, "testcase", name=name, classname="waivers", time="0.000")
        if waiver.outdated:
            message = one_line(waiver.told)
            SubElement(case, "failure", type="waiver", message=message).text = message
    _close(suite)


def _add_unfinished(root: Element, started: str, sentence: str) -> None:
    """Without this, a run that did nothing would look like one where nothing went wrong."""
    suite = _suite(root, "run", "run", started, ())
    suite.set("tests", "1")
    suite.set("skipped", "1")
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", name="verdict", value=harmless(sentence))
    case = SubElement(suite, "testcase", name="the run is complete", classname="run", time="0.000")
    SubElement(case, "skipped").text = harmless(sentence)
    _close(suite)
