"""What the command line says to a user's mistake, and to a target that cannot be judged."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.record import read_record
from conformance.reference.app import WSGI
from conformance.reference.server import make_reference, serving

GOOD = """
name: mine
base_url: {base_url}
tokens: {{full: {token}}}
orders: {{url: {base_url}/_test/orders}}
not_available: [other_shop, scoped_tokens]
"""


GOOD_ENOUGH = "base_url: http://x\ntokens: {full: abcd}\norders: {url: http://x}\n"


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "conformance", *words],
        capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1", **environment},
    )  # fmt: skip


def is_a_mistake(done: subprocess.CompletedProcess[str], *fragments: str) -> None:
    """The command ended with 2 and one message that has the fragments, and no traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for fragment in fragments:
        assert fragment in done.stderr


@pytest.fixture
def target_file(tmp_path: Path) -> Path:
    """A well-formed target file of a server that is not there."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.format(base_url=f"http://127.0.0.1:{closed_port()}", token="secret-token-1"))
    return path


def closed_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def html_server() -> Iterator[str]:
    """A server that answers a web page to everything."""

    def app(_: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])  # type: ignore[operator]
        return [b"<!doctype html><html><body>Welcome</body></html>"]

    with serving(app) as origin:
        yield origin


def test_what_the_environment_tells_libraries_is_for_other_people_s_tests(tmp_path: Path) -> None:
    """Options, plugins and hooks that a CI job adds to every call of pytest or schemathesis are not for our checks."""
    meant = {"PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "no_such", "SCHEMATHESIS_HOOKS": "no_such"}
    done = command("run", "--select", "ROBUST-80", "--out", str(tmp_path), **meant)

    assert done.returncode == 0, done.stdout


def test_a_missing_target_file_is_named() -> None:
    """The message names the file and what a target can be."""
    is_a_mistake(command("run", "nowhere.yaml"), "nowhere.yaml", "no such target file")


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("base_url: [", ["not valid YAML"]),
        ("just text", ["not a target file"]),
        ("base_url: http://x\nbase_url: http://y\n", ["twice"]),
        ("base_ulr: http://x\ntokens: {full: abcd}\norders: {url: http://x}\n", ["base_ulr", "base_url"]),
        ("base_url: http://x\ntokens: {ful: abcd}\norders: {url: http://x}\n", ["ful", "full"]),
        ("base_url: http://x\norders: {url: http://x}\n", ["tokens"]),
        ("base_url: http://x\ntokens: {full: abcd}\norders: {}\n", ["exactly one"]),
        ("base_url: ftp://x\ntokens: {full: abcd}\norders: {url: http://x}\n", ["base_url"]),
        ("base_url: http://x\ntokens: {full: abcd}\norders: {url: http://x}\nproxy: socks5://x\n", ["proxy", "http://"]),
        ("base_url: http://a:b@x\ntokens: {full: abcd}\norders: {url: http://x}\n", ["base_url", "password"]),
        ("base_url: http://x/api/202412\ntokens: {full: abcd}\norders: {url: http://x}\n", ["leave out"]),
        ("base_url: http://x\ntokens: {full: '${UNSET_ONE}'}\norders: {url: http://x}\n", ["UNSET_ONE", "not set"]),
        (GOOD_ENOUGH + "limits: {poll: '0.0'}\n", ["limits/poll", "a number above 0"]),
        (GOOD_ENOUGH + "run: {out: [a, b]}\n", ["run/out", "must be a text"]),
        (GOOD_ENOUGH + "run: {keep: 7}\n", ["run/keep", "true or false"]),
        (GOOD_ENOUGH + "headers: {X-Genstore-Access-Token: efgh}\n", ["headers/X-Genstore", "by the suite itself"]),
        (GOOD_ENOUGH + "headers: {X Bad: 1-2-3}\n", ["X Bad", "no name of a header"]),
        (GOOD_ENOUGH.replace("http://x", "http://x?y=1", 1), ["base_url", "query"]),
        (GOOD_ENOUGH.replace("http://x", "http://x y", 1), ["base_url", "not a URL"]),
        (GOOD_ENOUGH.replace("abcd", "' abcd'"), ["tokens/full", "blank at an end"]),
        (GOOD_ENOUGH.replace("abcd", "$ABCD"), ["tokens/full", "Write ${NAME}"]),
        (GOOD_ENOUGH.replace("abcd", "'${ABCD'"), ["tokens/full", "Write ${NAME}"]),
        (GOOD_ENOUGH.replace("abcd", "${ABCD}"), ["not valid YAML", "needs quotes"]),
        (GOOD_ENOUGH.replace("abcd", "[abcd]"), ["tokens/full", "must be a text that is not empty"]),
        (GOOD_ENOUGH.replace("abcd", "abcd, write_refunds: abcd"), ["tokens/write_refunds", "the same as tokens/full"]),
        (
            GOOD_ENOUGH + "other_shop: {base_url: http://x, tokens: {full: abcd}, orders: {url: http://x}}\n",
            ["other_shop", "no other one"],
        ),
        (
            (
                "base_url: http://x\ntokens: {full: abcd, unrelated: efgh}\norders: {url: http://x}\n"
                "not_available: [scoped_tokens]\n"
            ),
            ["scoped_tokens", "unrelated"],
        ),
    ],
)  # fmt: skip
def test_a_malformed_target_file_is_explained(tmp_path: Path, text: str, fragments: list[str]) -> None:
    """The message names the file, the place and the way out."""
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    is_a_mistake(command("run", str(path)), "bad.yaml", *fragments)


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["run", "--select", "REVIEW-1"], ["REVIEW-1", "REVIEW-0"]),
        (["run", "--select", "shipmnt"], ["shipment"]),
        (["run", "fault:no-such-fault"], ["no-such-fault"]),
        (["run", "variant:no-such-variant"], ["no-such-variant"]),
        (["run", "http://127.0.0.1:1"], ["GENSTORE_TOKEN"]),
        (["run", "--format", "pdf"], ["pdf", "junit"]),
        (["explain", "REVIW-01"], ["REVIEW-01"]),
        (["report", "nowhere.jsonl"], ["nowhere.jsonl"]),
    ],
)
def test_a_wrong_word_on_the_command_line_is_explained(words: list[str], fragments: list[str]) -> None:
    """The message names the word and what was perhaps meant."""
    is_a_mistake(command(*words), *fragments)


@pytest.mark.parametrize("words", [["run"], ["prove", "--fault", "revives-canceled"], ["report", "run.jsonl"]])
def test_an_unwritable_folder_is_a_mistake(tmp_path: Path, words: list[str]) -> None:
    """A file in the place of the reports' folder is said before anything is sent, or proven."""
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "run.jsonl").write_text('{"kind": "header", "format": 1}\n{"kind": "footer"}\n')
    named = [str(tmp_path / word) if word == "run.jsonl" else word for word in words]
    is_a_mistake(command(*named, "--out", str(tmp_path / "taken")), "taken")


@pytest.mark.parametrize("command_", ["doctor", "plan"])
def test_a_reader_who_has_seen_enough_is_no_verdict(command_: str) -> None:
    """A pipe that is closed early ends a command with the status of an interrupt."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run([sys.executable, "-m", "conformance", command_, "reference"], stdout=closed, check=False)

    assert done.returncode == 3


def test_a_case_of_what_no_story_shows_is_a_mistake(tmp_path: Path) -> None:
    """It would judge nothing; nor is there anything to select beside a case."""
    case = tmp_path / "case.yaml"
    case.write_text("{requirement: ACCESS-01, name: a, orders: [{units: [1], shipped: true}], steps: [], at_once: []}")
    is_a_mistake(command("run", "--case", str(case)), "case.yaml", "ACCESS-01", "LIFE-01")
    is_a_mistake(command("run", "--case", str(case), "--select", "LIFE-01"), "--case", "--select")


def test_a_closed_port_leaves_the_run_incomplete(target_file: Path, tmp_path: Path) -> None:
    """A server that cannot be reached is never called non-conformant."""
    done = command("run", str(target_file), "--out", str(tmp_path / "out"))
    cannot_be_judged(done, tmp_path / "out", "no connection")


def test_an_unknown_host_leaves_the_run_incomplete(tmp_path: Path) -> None:
    """A name that does not resolve is never called non-conformant."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.format(base_url="http://no-such-host.invalid", token="secret-token-1"))
    cannot_be_judged(
        command("run", str(path), "--out", str(tmp_path / "out")), tmp_path / "out", "no-such-host.invalid"
    )


def cannot_be_judged(done: subprocess.CompletedProcess[str], out: Path, fragment: str) -> None:
    """The command ended with 3, said why, and every check is blocked in a whole record."""
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert fragment in done.stdout
    run = read_record(out / "run.jsonl")
    assert run.counts["blocked"] == len(run.verdicts) > 0
    assert (out / "report.html").exists()
    assert (out / "junit.xml").exists()


def test_a_wrong_token_leaves_the_run_incomplete(tmp_path: Path) -> None:
    """A token that the target refuses is said once, as the reason of everything, and never shown."""
    with serving(make_reference().app) as origin:
        path = tmp_path / "mine.yaml"
        path.write_text(GOOD.format(base_url=f"{origin}/first-shop", token="not-a-token-of-it"))
        done = command("run", str(path), "--out", str(tmp_path / "out"))
    cannot_be_judged(done, tmp_path / "out", "tokens/full")
    for shown in [done.stdout, *(file.read_text() for file in (tmp_path / "out").rglob("*") if file.is_file())]:
        assert "not-a-token-of-it" not in shown


def test_a_web_page_leaves_the_run_incomplete(html_server: str, tmp_path: Path) -> None:
    """A server that answers HTML to everything has no verdict."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.format(base_url=html_server, token="secret-token-1"))
    cannot_be_judged(command("run", str(path), "--out", str(tmp_path / "out")), tmp_path / "out", "order")


def test_a_target_without_its_order_provider_is_incomplete(tmp_path: Path) -> None:
    """An order provider that is not there blocks the checks, with its answer."""
    with serving(make_reference().app) as origin:
        path = tmp_path / "mine.yaml"
        path.write_text(
            GOOD.format(base_url=f"{origin}/first-shop", token="secret-token-1").replace("_test/orders", "_no/orders")
        )
        done = command("run", str(path), "--out", str(tmp_path / "out"))
    cannot_be_judged(done, tmp_path / "out", "order provider answered 404")


def test_a_base_url_with_token_and_orders_is_judged(tmp_path: Path) -> None:
    """A base URL, GENSTORE_TOKEN and --orders are enough to judge one requirement."""
    reference = make_reference()
    with serving(reference.app) as origin:
        target = reference.target(origin)
        done = command(
            "run", target.base_url, "--orders", str(target.orders.url), "--select", "IDEM-01",
            "--out", str(tmp_path), GENSTORE_TOKEN=target.tokens["full"],
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    footer = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[-1])
    assert footer["kind"] == "footer"
    assert footer["verdict"] == "conformant"
    assert target.tokens["full"] not in (tmp_path / "run.jsonl").read_text()


def test_an_interrupt_leaves_a_readable_record(tmp_path: Path) -> None:
    """Ctrl-C ends the run with what was done, marked as interrupted, and its reports."""
    import signal
    import time

    reference = make_reference(wrap=slowly)
    with serving(reference.app) as origin:
        path = tmp_path / "mine.yaml"
        target = reference.target(origin)
        path.write_text(GOOD.format(base_url=target.base_url, token=target.tokens["full"]))
        running = subprocess.Popen(
            [sys.executable, "-m", "conformance", "run", str(path), "--out", str(tmp_path / "out")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        record = tmp_path / "out" / "run.jsonl"
        deadline = time.monotonic() + 60
        while not (record.exists() and record.read_text().count('"verdict"') > 3):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 3, said
    assert "Traceback" not in said
    assert read_record(record).interrupted
    assert (tmp_path / "out" / "report.html").exists()


def slowly(app: WSGI) -> WSGI:
    """Answer after a twentieth of a second."""
    import time

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        time.sleep(0.05)
        return app(environ, start_response)

    return slow
