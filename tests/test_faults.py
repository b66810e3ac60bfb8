"""Every check can fail: each faulty server of the shelf is failed for the requirement that it names."""

import pytest

from conformance.catalogue import load_catalogue
from conformance.faults import Fault, load_faults
from conformance.outcome import Conclusion, Outcome
from conformance.proof import SEARCHING
from conformance.results import Run
from conformance.running.plugin import find_checks
from conformance.shelf import Implementation
from conformance.variants import load_variants

from .conftest import Judge, told


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in load_faults().values()])
def test_a_fault_is_failed_for_what_it_breaks(judge: Judge, fault: Fault) -> None:
    """The checks of the requirement fail it, on their own or in the company of a whole run, and none is an error."""
    run = judge(fault.make, selection=(fault.requirement,))
    if fault.requirement not in failed(run):
        run = judge(fault.make, selection=())

    assert fault.requirement in failed(run)
    assert not told(run, Outcome.ERROR)
    if any(verdict.must for verdict in run.verdicts):
        assert run.conclusion is Conclusion.NON_CONFORMANT


def one_of_each_area() -> list[Fault]:
    """Return the first fault of every shelf; ``make prove`` tries all of them in this way."""
    shelves: dict[str, Fault] = {}
    for fault in load_faults().values():
        shelves.setdefault(fault.area, fault)
    return list(shelves.values())


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in one_of_each_area()])
def test_a_fault_is_failed_for_nothing_else(judge: Judge, fault: Fault) -> None:
    """A whole run fails it for what it names, and for nothing that a server which breaks that could still keep."""
    run = judge(fault.make)

    assert fault.requirement in failed(run)
    assert failed(run) - SEARCHING <= {fault.requirement, *fault.also}
    assert all(verdict.deciding for verdict in run.verdicts if verdict.outcome is Outcome.FAILED)


def test_what_an_illegal_review_does_a_second_later_is_blamed_on_no_other(judge: Judge) -> None:
    """A refund that was approved by no action is not there for the next probes, even if it looks open for a while."""
    fault, late = load_faults()["approves-by-default"], load_variants()["completes-later"]
    run = judge(Implementation("both", "Approves by default, and late.", (*fault.parts, *late.parts)).make)

    assert fault.requirement in failed(run)
    assert failed(run) - SEARCHING <= {fault.requirement, *fault.also}


def test_a_finding_shows_what_was_exchanged_for_an_earlier_check(judge: Judge) -> None:
    """The evidence of a late check is the review that was arranged for the first of those that look at it."""
    run = judge(load_faults()["rejects-without-update"].make)
    failures = {verdict.requirement: verdict for verdict in run.verdicts if verdict.outcome is Outcome.FAILED}
    finding = failures["RECORD-73"]

    assert finding.deciding is not None
    assert "PUT" in finding.deciding.curl


def failed(run: Run) -> set[str]:
    """Return the requirements that a run failed."""
    return {verdict.requirement for verdict in run.verdicts if verdict.outcome is Outcome.FAILED}


def test_every_requirement_has_a_fault() -> None:
    """Each requirement that a check can fail is broken by at least one fault."""
    broken = {identifier for fault in load_faults().values() for identifier in (fault.requirement, *fault.also)}
    requirements = load_catalogue().requirements
    checked = {check.requirement for check in find_checks(load_catalogue())}

    can_fail = {identifier for identifier in checked if requirements[identifier].basis != "open"}
    assert can_fail <= broken


def test_every_fault_names_a_requirement_of_its_area() -> None:
    """A fault stands on the shelf of the area that it breaks, and says in a sentence what it does wrong."""
    requirements = load_catalogue().requirements
    for fault in load_faults().values():
        assert fault.area in {requirements[fault.requirement].area, "documented"}, fault.name
        assert fault.sentence.endswith("."), fault.name
