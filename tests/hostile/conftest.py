"""The process that runs the command line for these tests, and the target files that point it at a hostile server."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen

from conformance.record import read_record
from conformance.results import Run
from tests.hostile.judge import Done, Judge
from tests.hostile.server import TOKEN

FORMATS = {
    "html": "report.html",
    "junit": "junit.xml",
    "markdown": "summary.md",
    "ctrf": "ctrf.json",
    "har": "traffic.har",
    "json": "conformance.json",
}
SECONDS = 300.0
TARGET = """
name: hostile
base_url: {base_url}/first-shop
tokens: {{full: "${{GENSTORE_TOKEN}}"}}
orders: {{url: {base_url}/first-shop/_test/orders}}
not_available: [other_shop, scoped_tokens]
limits: {{connect: 10, answer: {seconds}, settle: "0.3", poll: "0.05", rate_limited: "0.5", progress: 2}}
"""


@frozen
class Judged:
    """A run of the command line against a target: how it ended, where its files are, and its record."""

    done: Done
    out: Path
    run: Run


@frozen
class Against:
    """Runs the command line against whatever listens at an address."""

    judge: Judge
    folder: Path

    def __call__(
        self,
        base_url: str,
        *more: str,
        extra: str = "",
        seconds: int = 10,
        environment: Mapping[str, str] | None = None,
    ) -> Judged:
        """Judge a target by the quick profile, with shortened limits, and draw every report."""
        target, out, terminal = self.folder / "target.yaml", self.folder / "out", self.folder / "terminal.txt"
        target.write_text(TARGET.format(base_url=base_url, seconds=seconds) + extra)
        formats = [word for name in FORMATS for word in ("--format", name)]
        words = ["run", str(target), "--profile", "quick", "--out", str(out), "--verbose", *formats, *more]
        told = {"GENSTORE_TOKEN": f"{TOKEN}first-shop-full", **(environment or {})}
        done = self.judge.run(words, terminal, SECONDS, told)
        assert done.status is not None, f"had to be killed after {SECONDS} s: {done.said}"
        assert (out / "run.jsonl").exists(), done.said
        return Judged(done, out, read_record(out / "run.jsonl"))


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """A process that runs the command line, and measures it."""
    process = Judge()
    yield process
    process.close()


@pytest.fixture
def against(judge: Judge, tmp_path: Path) -> Against:
    """Judges what listens at an address."""
    return Against(judge, tmp_path)
