"""The reports for programs: CTRF, HAR, and the machine report, each valid against its schema."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from conformance.catalogue import Catalogue, spec_folder
from conformance.report.ctrf import draw_ctrf
from conformance.report.har import draw_har
from conformance.report.machine import draw_machine
from conformance.report.material import Material
from conformance.results import Reach, Run

from .runs import exchange, make_run, verdict

CTRF = json.loads((Path(__file__).parent / "ctrf.schema.json").read_text(encoding="utf-8"))
MACHINE = json.loads((spec_folder() / "report.schema.json").read_text(encoding="utf-8"))


def ctrf(run: Run, catalogue: Catalogue) -> Any:
    """Return the run in CTRF."""
    return json.loads(draw_ctrf(Material(run, catalogue)))


def har(run: Run, catalogue: Catalogue) -> Any:
    """Return the log of the run's HAR."""
    return json.loads(draw_har(Material(run, catalogue)))["log"]


def machine(run: Run, catalogue: Catalogue, **more: Any) -> Any:
    """Return the machine report."""
    return json.loads(draw_machine(Material(run, catalogue, **more)))


def test_ctrf_is_valid(any_run: Run, catalogue: Catalogue) -> None:
    """Every run keeps to the published schema."""
    Draft7Validator(CTRF).validate(ctrf(any_run, catalogue))


def test_ctrf_counts_and_tells_each_check(failing: Run, catalogue: Catalogue) -> None:
    """Failed checks carry their four lines; blocked ones are skipped with the reason."""
    results = ctrf(failing, catalogue)["results"]
    tests = {test["name"]: test for test in results["tests"]}

    assert [results["summary"][name] for name in ("tests", "passed", "failed", "skipped", "other")] == [6, 2, 3, 1, 0]
    assert results["summary"]["stop"] - results["summary"]["start"] == 4250
    failed = tests["REVIEW-04 test_review::test_it[approve]"]
    assert failed["trace"].startswith("REVIEW-04 (MUST, stated)")
    assert failed["extra"]["report"] == "report.html#REVIEW-04"
    assert tests["LIST-01 test_listing::test_list_01"]["message"].endswith("404")


def test_ctrf_of_a_killed_run_is_not_healthy(interrupted: Run, catalogue: Catalogue) -> None:
    """Whoever reads only the summary is warned."""
    assert ctrf(interrupted, catalogue)["results"]["environment"]["healthy"] is False


def test_har_has_what_a_reader_insists_on(any_run: Run, catalogue: Catalogue) -> None:
    """Every required member of HAR 1.2 is there, in every entry."""
    log = har(any_run, catalogue)

    assert log["version"] == "1.2"
    assert set(log) >= {"creator", "entries"}
    for entry in log["entries"]:
        assert set(entry) >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        common = {"httpVersion", "cookies", "headers", "headersSize", "bodySize"}
        assert set(entry["request"]) >= common | {"method", "url", "queryString"}
        assert set(entry["response"]) >= common | {"status", "statusText", "content", "redirectURL"}


def test_har_tells_every_exchange_once_and_in_order(failing: Run, catalogue: Catalogue) -> None:
    """An exchange that two verdicts rest on is one entry; its comment says what it was for."""
    entries = har(failing, catalogue)["entries"]

    moments = [entry["startedDateTime"] for entry in entries]
    assert moments == sorted(moments)
    assert len(entries) == 5
    assert entries[0]["comment"] == "CREATE-04 · test_creation::test_create_04 · order"


def test_har_of_an_unanswered_request_has_status_0(catalogue: Catalogue) -> None:
    """As browsers write it; the trouble is in the comment."""
    run = make_run([verdict("REVIEW-04", evidence=(exchange(status=None),))])

    (entry,) = har(run, catalogue)["entries"]

    assert entry["response"]["status"] == 0
    assert entry["comment"].endswith("no complete answer within 10 s")


@pytest.mark.parametrize("url", ["http://[broken/?a=1", "http://x/?orderId=1&refundId="])
def test_har_takes_any_address(url: str, catalogue: Catalogue) -> None:
    """Also one that is none."""
    run = make_run([verdict("REVIEW-04", evidence=(exchange(url=url),))])

    assert har(run, catalogue)["entries"][0]["request"]["url"] == url


def test_the_machine_report_is_valid(any_run: Run, catalogue: Catalogue) -> None:
    """Every run keeps to the schema that is published with the suite."""
    Draft202012Validator.check_schema(MACHINE)
    Draft202012Validator(MACHINE).validate(machine(any_run, catalogue))


def test_the_machine_report_says_what_the_run_says(failing: Run, catalogue: Catalogue) -> None:
    """Verdict, states, and the expected and observed of what failed."""
    proof = {"REVIEW-04": {"test_review::test_it[reject]": ["refuses-but-revives"], "test_gone": ["saves-first"]}}
    report = machine(failing, catalogue, proof=proof)
    found = {each["id"]: each for each in report["requirements"]}

    assert report["verdict"] == "non-conformant"
    assert report["states"] == {
        "failed": 3, "waived": 0, "error": 0, "blocked": 1, "not checked": 0, "passed": 1, "not run": 2,
    }  # fmt: skip
    assert list(found) == list(catalogue.requirements)
    assert found["REVIEW-04"]["checks"][0]["observed"] == "200, and status went from 1 to 3"
    assert found["REVIEW-04"]["proven_to_catch"] == ["refuses-but-revives", "saves-first"]
    assert [check["proven_to_catch"] for check in found["REVIEW-04"]["checks"]] == [[], ["refuses-but-revives"]]
    assert found["LIST-01"]["checks"][0]["reason"].endswith("404")
    assert report["not_checked"][0]["requirements"] == ["LIST-01"]
    assert report["milliseconds"] == 4250


def test_the_machine_report_tells_the_reach(conformant: Run, catalogue: Catalogue) -> None:
    """A program can hold against a run that a parameter was never tried."""
    conformant.reach.append(Reach("create", "requestNo", "minLength", refused=4))

    assert machine(conformant, catalogue)["reach"] == [
        {"operation": "create", "parameter": "requestNo", "keyword": "minLength",
         "accepted": 0, "refused": 4, "broken": 0, "unsent": 0},
    ]  # fmt: skip


def test_the_machine_report_names_a_declared_lack(blocked: Run, catalogue: Catalogue) -> None:
    """A program can tell what was declared from what went wrong."""
    report = machine(blocked, catalogue)

    assert report["verdict"] == "conformant"
    assert report["not_checked"][0]["declared"] == "other_shop"
