"""The committed sample: one run that conforms, one of a faulty server, and a picture."""

import json
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


@pytest.mark.parametrize(
    ("name", "verdict", "failed"), [("conformant", "conformant", set()), ("faulty", "non-conformant", {"REVIEW-16"})]
)
def test_the_sample_says_what_its_name_says(name: str, verdict: str, failed: set[str]) -> None:
    """The machine report has the verdict, and what the faulty server breaks; its stories may tell of that as well."""
    report = json.loads((SAMPLE / name / "conformance.json").read_text(encoding="utf-8"))
    found = {each["id"] for each in report["requirements"] if each["state"] == "failed"}

    assert report["verdict"] == verdict
    assert {each for each in found if not each.startswith("LIFE-")} == failed


def test_the_sample_has_the_scripts_of_its_failures() -> None:
    """Whoever looks at the sample sees what CI would attach to each failed case."""
    assert (SAMPLE / "faulty" / "repro" / "REVIEW-16.sh").read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    assert not (SAMPLE / "conformant" / "repro").exists()


def test_the_sample_stays_small() -> None:
    """Whoever clones the suite does not wait for its sample; records, the largest part, are left out."""
    sizes = {path: path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file() and path.name != "run.jsonl"}

    assert sum(sizes.values()) < 3_500_000
    assert {"report.html", "junit.xml", "summary.md", "report.png"} <= {path.name for path in sizes}
