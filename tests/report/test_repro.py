"""``repro.sh`` does again what a check did, with ids that are new."""

import os
import re
import subprocess
import sys
from pathlib import Path

from attrs import evolve

from conformance.catalogue import load_catalogue
from conformance.faults import load_faults
from conformance.outcome import Outcome
from conformance.reference.server import serving
from conformance.report.repro import script
from conformance.running.run import Options
from conformance.running.run import run as judge

from .runs import API, BASE, HOSTILE, created_exchange, exchange, order_exchange, verdict

CURL = """\
#!/bin/sh
# Stands in for curl: writes down what it was asked, and answers as a server would that makes new ids.
printf '%s\\n' "$@" "--" >> "$ASKED"
case "$*" in
  *_test/orders*) printf 'HTTP/1.1 200 OK\\r\\n\\r\\n{"orderId": "777", "lines": [{"lineItemId": "888"}]}' ;;
  *POST*refunds*) printf 'HTTP/1.1 200 OK\\r\\n\\r\\n{"refund": {"refundId": "999", "status": "1"}}' ;;
  *) printf 'HTTP/1.1 409 Conflict\\r\\n\\r\\n{}' ;;
esac
"""


REAL_CURL = """\
# Stands in for curl where there is none: sends what it is asked to, and prints status and body.
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

words = sys.argv[3:]
method, url, *words = words[1:]
options = list(zip(words[::2], words[1::2]))
headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
body = next((value.encode() for name, value in options if name == "--data-binary"), None)
try:
    answer = urlopen(Request(url, body, headers, method=method))
except HTTPError as error:
    answer = error
print(f"HTTP/1.1 {answer.status}\\r\\n\\r\\n{answer.read().decode()}")
"""


def run(text: str, folder: Path, curl: str = CURL, **variables: str) -> tuple[str, str]:
    """Run a script with a stand-in for curl; return what it printed and what curl was asked."""
    (folder / "curl").write_text(curl)
    (folder / "curl").chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}", "ASKED": str(folder / "asked"), "GENSTORE_TOKEN": "se'cr\"et",
        **variables,
    }  # fmt: skip
    (folder / "asked").touch()
    done = subprocess.run(["sh"], input=text, env=environment, capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout, (folder / "asked").read_text()


def test_the_script_takes_new_ids_from_new_answers(tmp_path: Path) -> None:
    """Order, line and refund are those that the server gives now; the request number is fresh."""
    said, asked = run(script(verdict("REVIEW-04", Outcome.FAILED), "731550928464"), tmp_path)

    assert f"{API}/refunds/999\n" in asked
    assert '{"orderId": "777", "action": "1", "refundId": "999"}' in asked
    assert '"lineItems": [{"lineItemId": "888", "quantity": "1"}]' in asked
    assert "kkkkkkkkkkkkkkk" in asked
    assert "731550928464" not in asked
    assert "X-Genstore-Access-Token: se'cr\"et\n" in asked
    assert "# 3. the deciding request: PUT; in the run it got 200" in said
    assert "409 Conflict" in said


def test_the_script_can_be_led_to_another_server(tmp_path: Path) -> None:
    """BASE stands for the base URL of the run, and takes its value from the environment."""
    text = script(verdict("REVIEW-04", Outcome.FAILED), "ab12ef", BASE)

    _, asked = run(text, tmp_path)
    (tmp_path / "asked").unlink()
    _, elsewhere = run(text, tmp_path, BASE="https://elsewhere.example")

    assert f"{API}/refunds/999\n" in asked
    assert "https://elsewhere.example/api/202412/refunds/999\n" in elsewhere
    assert BASE not in elsewhere


def test_the_script_shows_the_fault_of_a_real_server(tmp_path: Path) -> None:
    """Run against the faulty server itself, it shows anew what the run observed, on an order of its own."""
    reference = load_faults()["revives-canceled"].make()
    with serving(reference.app) as origin:
        target = reference.target(origin)
        done = judge(target, load_catalogue(), tmp_path, Options(selection=("REVIEW-16",)))
        failed = next(each for each in done.verdicts if each.outcome is Outcome.FAILED)
        text = script(failed, done.header["run_id"], target.base_url)
        said, _ = run(text, tmp_path, f"#!{sys.executable}\n{REAL_CURL}", GENSTORE_TOKEN=target.tokens["full"])
    reference.store.close()

    assert said.count("HTTP/1.1 200") == text.count("\nask ")
    *_, before, after = re.findall(r'"status": ?"?([0-9])', said)
    assert (before, after) == ("3", "3")
    assert failed.observed.split()[1] not in said.split("expected ")[0]


def test_the_script_can_be_run_twice(tmp_path: Path) -> None:
    """Each time the request number is another one."""
    text = script(verdict("REVIEW-04", Outcome.FAILED), "731550928464")

    _, asked = run(text, tmp_path)
    _, both = run(text, tmp_path)

    numbers = [line for line in both.split("\n") if "requestNo" in line]
    assert both.startswith(asked)
    assert len(set(numbers)) == 2


def test_what_was_sent_at_one_moment_is_sent_so_again(tmp_path: Path) -> None:
    """A race is run again as a race, and the answers are told in order, with the ids that they give."""
    twins = tuple(evolve(created_exchange(), at=f"2026-05-04T10:00:00.10{n}+00:00") for n in (0, 1))
    text = script(verdict("REVIEW-04", Outcome.FAILED, evidence=(order_exchange(), *twins, exchange())), "731550928464")

    said, asked = run(text, tmp_path)

    one, other, wait = (text.index(words) for words in (' > "$ANSWERS/2" &', ' > "$ANSWERS/3" &', "wait "))
    assert one < other < wait
    assert said.count('"refundId": "999"') == 2
    assert f"{API}/refunds/999\n" in asked
    assert not list(tmp_path.glob("tmp*"))


def test_what_was_sent_one_after_another_stays_so() -> None:
    """Rounded times make no race of a sequence."""
    assert " &" not in script(verdict("REVIEW-04", Outcome.FAILED), "731550928464")


def test_an_empty_header_is_sent_and_none_is_added(tmp_path: Path) -> None:
    """Left to itself, curl leaves out a header without a value, and gives a body a type."""
    probe = exchange(request_headers={"X-Genstore-Access-Token": ""})

    _, asked = run(script(verdict("REVIEW-04", Outcome.FAILED, evidence=(probe,)), ""), tmp_path)

    assert "-H\nX-Genstore-Access-Token;\n-H\nContent-Type:\n--data-binary\n" in asked


def test_ids_of_different_kinds_are_told_apart(tmp_path: Path) -> None:
    """An order and its refund may have the same number; what else has it is left alone."""
    same = '{"orderId": "5001", "lines": [{"lineItemId": "5001", "quantity": 5001}]}'
    exchanges = (
        order_exchange(),
        evolve(created_exchange(), response_body='{"refund": {"refundId": "5001"}}'),
        exchange(
            url=f"{API}/refunds/5001?orderId=5001",
            request_body='{"orderId": "5001", "refundId": 5001, "n": 5001}',
        ),
    )
    failed = verdict("REVIEW-04", Outcome.FAILED, evidence=(evolve(exchanges[0], response_body=same), *exchanges[1:]))

    _, asked = run(script(failed, "731550928464"), tmp_path)

    assert f"{API}/refunds/999?orderId=777\n" in asked
    assert '{"orderId": "777", "refundId": 999, "n": 5001}' in asked


def test_nothing_a_server_sent_is_run(tmp_path: Path) -> None:
    """Ids, observations and addresses with shell syntax in them stay text."""
    evil = "'; touch pwned; echo $(touch pwned) `touch pwned`\ntouch pwned\n"
    exchanges = (
        order_exchange(),
        evolve(created_exchange(), response_body=f'{{"refundId": "{evil}"}}'),
        *(exchange(url=f"{API}/{evil}{text}", request_body=evil + text, method=evil) for text in HOSTILE),
    )
    failed = verdict("REVIEW-04", Outcome.FAILED, observed=evil, expected=evil, evidence=exchanges)

    subprocess.run(["sh", "-n"], input=script(failed, "731550928464"), text=True, check=True)
    run(script(failed, "731550928464"), tmp_path)

    assert not (tmp_path / "pwned").exists()
    assert not Path("pwned").exists()


def test_an_order_that_no_request_made_is_told_of(tmp_path: Path) -> None:
    """A program or a pool gave it, which the script cannot ask; its ids stand as they were."""
    failed = verdict("REVIEW-04", Outcome.FAILED)

    text = script(evolve(failed, evidence=failed.evidence[1:]), "ab12ef")
    _, asked = run(text, tmp_path)

    assert "Put the ids of a fresh one in their places." in text
    assert '"orderId": "9007199254740995001"' in asked


def test_without_exchanges_there_is_no_script() -> None:
    """Nothing can be done again when nothing was recorded."""
    assert script(verdict("REVIEW-04", Outcome.FAILED, evidence=()), "731550928464") == ""


def test_a_script_that_would_be_too_long_is_left_out() -> None:
    """A page full of scripts that nobody reads helps nobody."""
    large = exchange(request_body="x" * 100_000)

    assert script(verdict("REVIEW-04", Outcome.FAILED, evidence=(large,)), "731550928464") == ""
