"""The checks inside somebody else's pytest run."""

import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from conformance.reference.server import make_reference, serving

OWN_TESTS = """
import sys

ENTRY = {"conformance.pytest_entry", "conformance.settings"}

def test_of_the_host():
    assert not [name for name in sys.modules if name.startswith("conformance.") and name not in ENTRY]
"""
SUITE = ("--pyargs", "conformance.suite")
CLOSED = """
base_url: http://127.0.0.1:9
tokens: {full: one-token}
orders: {url: http://127.0.0.1:9/orders}
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A project with a test and a configuration of its own."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    (tmp_path / "test_host.py").write_text(OWN_TESTS)
    return tmp_path


def pytest_in(host: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a project, as its people do."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "-p", "no:hypothesispytest", *words],
        cwd=host, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_nothing_is_active_unless_a_target_is_named(host: Path) -> None:
    """A run that names none imports nothing of the suite but the entry."""
    done = pytest_in(host)

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_checks_insist_on_a_target(host: Path) -> None:
    """The message names the option."""
    done = pytest_in(host, *SUITE)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--conformance-target" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_target_file_that_is_not_there_is_named(host: Path) -> None:
    """It is a mistake of the command line, as it is without pytest."""
    done = pytest_in(host, *SUITE, "--conformance-target", "nowhere.yaml")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nowhere.yaml: there is no such target file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_hosts_own_tests_run_beside_the_checks(host: Path) -> None:
    """``-k`` knows areas and requirements, and the JUnit file what each check is about."""
    (host / "test_host.py").write_text("def test_of_the_host():\n    pass\n")
    done = pytest_in(
        host, "test_host.py", *SUITE, "--conformance-target", "fault:revives-canceled", "-k", "host or REVIEW-16",
        "--junitxml", "junit.xml",
    )  # fmt: skip

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "REVIEW-16 (MUST, implied) A canceled refund stays canceled" in done.stdout
    cases = etree.parse(host / "junit.xml").findall(".//testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    assert cases[0].get("name") == "test_of_the_host"
    assert {p.get("name"): p.get("value") for p in failed[0].findall("properties/property")} == {
        "requirement": "REVIEW-16", "level": "MUST", "basis": "implied", "lines": "57, 235, 236", "outcome": "failed",
    }  # fmt: skip


def test_a_run_stops_at_the_first_failure_and_the_next_repeats_it_alone(host: Path) -> None:
    """``-x`` and ``--lf`` mean what they always mean."""
    target = ("--conformance-target", "fault:revives-canceled", "-k", "REVIEW-02 or REVIEW-16")
    stopped = pytest_in(host, *SUITE, *target, "-x")
    repeated = pytest_in(host, *SUITE, *target, "--lf", "-v")

    assert "stopping after 1 failures" in stopped.stdout
    assert "REVIEW-16" in repeated.stdout
    assert "1 failed" in repeated.stdout
    assert "passed" not in repeated.stdout.splitlines()[-1]


def test_checks_may_be_spread_over_processes(host: Path) -> None:
    """What a worker saw in exchanges of other checks is red in the run as a whole."""
    words = (*SUITE, "--conformance-target", "fault:unwraps-review", "-k", "REVIEW-02 or ISOLATION-01")
    alone, spread = pytest_in(host, *words), pytest_in(host, *words, "-n", "2")

    for done in (alone, spread):
        assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
        assert "every_exchange[RECORD-02]" in done.stdout


def test_a_target_that_is_not_there_is_red(host: Path) -> None:
    """Nothing that could not be judged looks as if it had been."""
    (host / "closed.yaml").write_text(CLOSED)
    done = pytest_in(host, *SUITE, "--conformance-target", "closed.yaml", "-k", "REVIEW-02")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "REVIEW-02 could not be judged: " in done.stdout


def test_what_the_target_is_declared_to_lack_is_skipped_with_the_reason(host: Path) -> None:
    """As the verdict of a whole run names it without being incomplete."""
    reference = make_reference()
    with serving(reference.app) as origin:
        target = reference.target(origin)
        (host / "alone.yaml").write_text(
            f"base_url: {target.base_url}\ntokens: {{full: {target.tokens['full']}}}\n"
            f"orders: {{url: {target.orders.url}}}\nnot_available: [other_shop]\n"
        )
        done = pytest_in(host, *SUITE, "--conformance-target", "alone.yaml", "-k", "ISOLATION-01", "-rs")
    reference.store.close()

    assert done.returncode == 0, done.stdout
    assert "ISOLATION-01 not checked: the target file describes no other_shop" in done.stdout
