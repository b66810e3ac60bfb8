"""The files for other people's CI: each is linted, and the commands in them are run."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.annotate import annotations
from conformance.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
CI = ROOT / "ci"
THERE = (*sorted(CI.rglob("*")), ROOT / "action.yml", ROOT / "Dockerfile")
FILES = [path for path in THERE if path.is_file() and path.suffix != ".pyc"]


def tool(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program, one of our own environment first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        list(map(str, words)), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        env={"PATH": path, "HOME": os.environ.get("HOME", "/"), **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
        [
            "check-jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            "ci/github-workflow.yml",
            ".github/workflows/ci.yml",
        ],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "ci/compose.yaml"],
        ["kubernetes-validate", "--strict", "ci/kubernetes/job.yaml", "ci/kubernetes/indexed-job.yaml"],
        ["hadolint", "Dockerfile"],
        ["shellcheck", "ci/judge", "ci/try-wheel"],
    ],
    ids=lambda command: command[-1],
)
def test_a_file_for_ci_is_what_its_reader_expects(command: list[str]) -> None:
    """The linter of its kind has nothing to say against it."""
    done = tool(*command)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gitlab_template_is_a_pipeline(tmp_path: Path) -> None:
    """Both of its documents: the inputs, and the jobs."""
    inputs, jobs = (CI / "gitlab.yml").read_text(encoding="utf-8").split("\n---\n")
    (tmp_path / "jobs.yml").write_text(jobs)
    done = tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", tmp_path / "jobs.yml")

    assert done.returncode == 0, done.stdout + done.stderr
    used = set(re.findall(r"\$\[\[ inputs\.([a-z]+) ]]", jobs))
    assert used == set(yaml.safe_load(inputs)["spec"]["inputs"])


def options_of(command: str) -> set[str]:
    """Return the options that a command of ours takes."""
    found = main.get_command(main.make_context("x", ["run"], resilient_parsing=True), command)
    assert found is not None
    return {name for parameter in found.params for name in parameter.opts}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_in_files_for_ci_exist(path: Path) -> None:
    """So do their options, whoever renames one."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for command, rest in re.findall(r"genstore-conformance\"? ([a-z]+)\b([^\n]*)", text):
        if rest.lstrip().startswith("-") or command in COMMANDS:
            assert command in COMMANDS, command
            assert set(re.findall(r"(?<=\s)--[a-z][a-z-]*", rest)) <= options_of(command), rest
    if path.name == "judge":
        assert set(re.findall(r"--[a-z][a-z-]*", text)) <= options_of("run")


def test_images_are_named_by_the_present_version() -> None:
    """No file pulls an older one."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for path in FILES:
        named = re.findall(r"genstore-conformance:([0-9.]+[0-9])", path.read_text(encoding="utf-8"))
        assert set(named) <= {version}, path


@pytest.fixture
def only_review_16(tmp_path: Path) -> str:
    """A search path on which the command runs one requirement only, so that it is quick."""
    command = tmp_path / "bin" / "genstore-conformance"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nword=$1; shift\nexec {sys.executable} -m conformance "$word" --select REVIEW-16 "$@"\n'
    )
    command.chmod(0o755)
    return f"{command.parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def test_the_action_tells_what_failed_and_gates_on_it(tmp_path: Path, only_review_16: str) -> None:
    """An annotation for the failure, the summary of the job, the outputs; the same run passes when nothing may fail."""
    summary, output = tmp_path / "summary", tmp_path / "output"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    told = {"TARGET": "fault:revives-canceled", "OUT": str(tmp_path / "out"), "PATH": only_review_16}
    failed = tool(CI / "judge", **told, **github)
    let_pass = tool(CI / "judge", **told, FAIL_ON="never")

    assert failed.returncode == 1, failed.stderr
    assert (
        "::error title=REVIEW-16 (MUST%2C implied)%3A page lines 57%2C 235%2C 236::A canceled refund" in failed.stdout
    )
    assert "non-conformant" in summary.read_text()
    assert output.read_text() == "exit=1\nverdict=non-conformant\n"
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"run.jsonl", "report.html", "junit.xml"}
    assert let_pass.returncode == 0
    assert "::error" not in let_pass.stdout


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"TARGET": "nowhere.yaml", "FAIL_ON": "never"}, 2),
        ({"TARGET": "reference", "FAIL_ON": "sometimes"}, 2),
    ],
)
def test_a_mistake_always_fails_the_job(tmp_path: Path, told: dict[str, str], status: int) -> None:
    """Whatever is let pass, a file that is not there is not."""
    assert tool(CI / "judge", **told, OUT=str(tmp_path / "out")).returncode == status


def test_an_annotation_cannot_be_forged_by_what_a_server_sent() -> None:
    """Line breaks and the marks of workflow commands stay text."""
    check = {"outcome": "failed", "expected": "100%", "observed": "x\n::error::forged\r\n"}
    entry: dict[str, Any] = {
        "id": "REVIEW-01", "level": "SHOULD", "basis": "stated", "lines": [1], "text": "It holds.", "state": "failed",
        "checks": [check],
    }  # fmt: skip
    told = list(annotations({"requirements": [entry, {**entry, "state": "blocked"}]}))

    assert [line.partition(" ")[0] for line in told] == ["::warning", "::warning"]
    assert told[0].endswith("It holds.%0Aexpected 100%25%0Aobserved x%0A::error::forged%0D%0A")
    assert told[1] == "::warning title=Could not be checked::REVIEW-01"


@pytest.mark.parametrize(("index", "shard"), [("0", "1/4"), ("3", "4/4")])
def test_each_pod_of_the_indexed_job_runs_its_shard(tmp_path: Path, index: str, shard: str) -> None:
    """The pod's index, counted from 0, becomes the shard, counted from 1; there are as many shards as pods."""
    job = yaml.safe_load((CI / "kubernetes" / "indexed-job.yaml").read_text(encoding="utf-8"))
    command = tmp_path / "genstore-conformance"
    command.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    command.chmod(0o755)
    words = job["spec"]["template"]["spec"]["containers"][0]["command"]
    done = tool(*words, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}", JOB_COMPLETION_INDEX=index)

    assert job["spec"]["completions"] == job["spec"]["maxFailedIndexes"] == 4
    assert done.stdout.split() == [
        "run", "/target/target.yaml", "--shard", shard, "--out", f"/reports/{shard.partition('/')[0]}",
    ]  # fmt: skip


def test_the_images_lock_holds_what_the_suite_needs_and_no_more() -> None:
    """Each dependency of the project, and no tool of its developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (CI / "requirements.lock").read_text(), flags=re.MULTILINE))

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=]", line)[0].lower() for line in requirements}

    assert names(project["dependencies"]) <= locked
    assert not {"ruff", "mypy", "playwright"} & locked
