"""The proof is published as the reports of every run tell it: which faults each check was seen to catch."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance import catalogue, proof
from conformance.catalogue import load_catalogue, load_proof
from conformance.faults import load_faults
from conformance.proof import prove, publish
from conformance.results import Run
from conformance.running.plan import ANY_EXCHANGE
from conformance.running.plugin import find_checks


def test_a_published_proof_names_the_faults_of_each_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of it are faults by requirement and check, each once, in the order of their names."""
    matrix = {
        "catalogue": load_catalogue().digest,
        "faults": [
            {"name": "saves-first", "failed": {"REVIEW-04": ["one", "other", "one"]}},
            {"name": "forgets", "failed": {"REVIEW-04": ["one"], "LIFE-03": ["tour"]}},
            {"name": "survives", "failed": {}},
        ],
    }
    publish(matrix, tmp_path / "proof.json")
    monkeypatch.setattr(catalogue, "spec_folder", lambda: tmp_path)

    assert load_proof() == {
        "LIFE-03": {"tour": ["forgets"]},
        "REVIEW-04": {"one": ["forgets", "saves-first"], "other": ["saves-first"]},
    }


def test_a_suite_that_cannot_start_is_no_proof(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no check was run, since the suite itself failed, an honest server was not seen to conform."""
    broken = Run(header={}, footer={"requests": 7, "suite_error": "NameError: frozen"})
    monkeypatch.setattr(proof, "judge_in_process", lambda *_: broken)
    monkeypatch.setattr(proof, "ProcessPoolExecutor", lambda *_, **__: ThreadPoolExecutor(1))
    for shelf in ("load_faults", "load_variants", "combinations"):  # the reference alone is left
        monkeypatch.setattr(proof, shelf, dict)

    matrix = prove(tmp_path)

    assert matrix["not_conforming"] == ["reference"]
    assert matrix["honest"][0]["errors"] == ("the suite: NameError: frozen",)


def test_the_published_proof_tells_of_checks_and_faults_that_there_are() -> None:
    """A check or a fault that is gone, or has another name now, is proof of nothing."""
    there_are = {(check.requirement, check.name) for check in find_checks(load_catalogue())}
    there_are |= {(identifier, ANY_EXCHANGE) for identifier in load_catalogue().requirements}
    caught = {(identifier, check): set(names) for identifier, by in load_proof().items() for check, names in by.items()}

    assert set(caught) <= there_are
    assert set().union(*caught.values()) <= set(load_faults())


def test_every_check_of_a_standard_run_was_seen_failing() -> None:
    """What never failed for any faulty server may be a check that cannot fail."""
    caught = {(identifier, check) for identifier, by in load_proof().items() for check in by}

    assert not [
        check.name
        for check in find_checks(load_catalogue(), "standard")
        if (check.requirement, check.name) not in caught
        and load_catalogue().requirements[check.requirement].basis != "open"
    ]
