"""``junit.xml`` is taken by its readers and says what the run says."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from lxml import etree

from conformance.catalogue import Catalogue
from conformance.outcome import Outcome
from conformance.report import draw
from conformance.report.junit import draw_junit
from conformance.report.material import Material
from conformance.results import Run

from .runs import make_run, verdict

HERE = Path(__file__).parent


def parsed(run: Run, catalogue: Catalogue) -> dict[str, Any]:
    """Return the suites of a drawn run by name, as junitparser reads them."""
    xml = draw_junit(Material(run, catalogue))
    return {suite.name: suite for suite in JUnitXml.fromroot(etree.fromstring(xml.encode()))}


@pytest.mark.parametrize("schema", ["junit-jenkins.xsd", "junit-ant.xsd"])
def test_every_run_is_valid(any_run: Run, catalogue: Catalogue, schema: str) -> None:
    """The file keeps to the schema of Jenkins and to that of the Ant dialect, whatever the server sent."""
    document = etree.parse(io.BytesIO(draw_junit(Material(any_run, catalogue)).encode()))

    etree.XMLSchema(etree.parse(HERE / schema)).assertValid(document)


def test_each_check_is_a_test_case(failing: Run, catalogue: Catalogue) -> None:
    """Class name and suite are the requirement; the name is the check's, the same from run to run."""
    cases = [(case.classname, case.name) for suite in parsed(failing, catalogue).values() for case in suite]

    assert sorted(cases) == sorted((each.requirement, each.check) for each in failing.verdicts)


def test_a_failure_is_a_failure_with_its_four_lines(failing: Run, catalogue: Catalogue) -> None:
    """A reader of the CI page sees what was expected, what was observed, and how to see it again."""
    case = next(iter(parsed(failing, catalogue)["REVIEW-04"]))
    (failure,) = case.result

    assert case.is_failure
    assert failure.message == "expected a refusal (4xx), and status 1; observed 200, and status went from 1 to 3"
    assert failure.text.startswith("REVIEW-04 (MUST, stated)")
    assert "  reproduce curl -sS" in failure.text


def test_blocked_is_skipped_with_its_reason(failing: Run, catalogue: Catalogue) -> None:
    """A check that could not be carried out is neither passed nor failed."""
    case = next(iter(parsed(failing, catalogue)["LIST-01"]))

    assert case.is_skipped
    assert case.result[0].text == "the refunds of the order could not be looked up: 404"


def test_an_error_of_the_suite_is_an_error_with_its_traceback(erroneous: Run, catalogue: Catalogue) -> None:
    """The message is the last line of the traceback, and the whole of it is there."""
    case = next(iter(parsed(erroneous, catalogue)["REVIEW-01"]))

    assert case.is_error
    assert case.result[0].message == "RuntimeError: the suite is wrong"
    assert "suite.py" in case.result[0].text


def test_a_suite_describes_its_requirement(failing: Run, catalogue: Catalogue) -> None:
    """Requirement, level, area and page lines are properties that CI systems can group by."""
    properties = {each.name: each.value for each in parsed(failing, catalogue)["REVIEW-04"].properties()}

    assert properties == {
        "requirement": "REVIEW-04",
        "title": "A refused approval changes nothing",
        "level": "MUST",
        "basis": "stated",
        "area": "review",
        "page lines": "235–236",
    }


def test_counts_and_times_add_up(failing: Run, catalogue: Catalogue) -> None:
    """The suite's numbers are those of its cases."""
    suite = parsed(failing, catalogue)["REVIEW-04"]

    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (2, 1, 0, 0)
    assert suite.time == pytest.approx(0.025, abs=0.002)


@pytest.mark.parametrize("folder", [Path("reports/staging"), Path("/somewhere/of/mine")])
def test_the_script_is_attached_by_a_path_that_tells_nothing_of_the_machine(
    failing: Run, catalogue: Catalogue, folder: Path
) -> None:
    """A relative path is given as it is; of an absolute one what is below it."""
    xml = draw_junit(Material(failing, catalogue, folder))

    assert ("[[ATTACHMENT|reports/staging/repro/REVIEW-04.sh]]" in xml) is not folder.is_absolute()
    assert ("[[ATTACHMENT|repro/REVIEW-04.sh]]" in xml) is folder.is_absolute()
    assert "of/mine" not in xml


def test_what_is_attached_is_there(failing: Run, catalogue: Catalogue, tmp_path: Path) -> None:
    """Each failed case, and no other, names its place on the page and a script that was written beside it."""
    text = draw(failing, catalogue, tmp_path, ["junit"])["junit"].read_text(encoding="utf-8")
    cases = etree.fromstring(text.encode()).iter("testcase")
    outputs = {case.get("name"): case.findtext("system-out") for case in cases}

    failed = {each.check: each.requirement for each in failing.verdicts if each.outcome is Outcome.FAILED}
    assert {name for name, output in outputs.items() if output} == set(failed)
    for check, requirement in failed.items():
        place, attachment = outputs[check].split("\n")
        assert place == f"report.html#{requirement}"
        (path,) = re.findall(r"\[\[ATTACHMENT\|(.*)\]\]", attachment)
        assert (tmp_path / path).read_text(encoding="utf-8").startswith("#!/bin/sh\n")


@pytest.mark.parametrize("name", ["interrupted", "empty"])
def test_a_run_that_is_not_complete_cannot_look_green(
    name: str, request: pytest.FixtureRequest, catalogue: Catalogue
) -> None:
    """There is a case that says so and did not pass."""
    case = next(iter(parsed(request.getfixturevalue(name), catalogue)["run"]))

    assert case.name == "the run is complete"
    assert case.is_skipped


def test_a_whole_run_has_no_case_of_its_own(conformant: Run, catalogue: Catalogue) -> None:
    """Nothing is added to what was checked."""
    assert "run" not in parsed(conformant, catalogue)


def test_a_check_whose_name_has_blanks_is_valid(catalogue: Catalogue) -> None:
    """The check that stands for every exchange of a run has a name in words."""
    run = make_run([verdict("LIST-01", check="every exchange of the run")])

    assert next(iter(parsed(run, catalogue)["LIST-01"])).name == "every exchange of the run"
