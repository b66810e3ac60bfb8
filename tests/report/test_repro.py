"""``repro.sh`` does again what a check did, with ids that are new."""

import os
import subprocess
from pathlib import Path

from attrs import evolve

from conformance.report.repro import script
from conformance.results import Outcome

from .runs import API, HOSTILE, created_exchange, exchange, order_exchange, verdict

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


def run(text: str, folder: Path) -> tuple[str, str]:
    """Run a script with the stand-in for curl; return what it printed and what curl was asked."""
    (folder / "curl").write_text(CURL)
    (folder / "curl").chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}", "ASKED": str(folder / "asked"), "GENSTORE_TOKEN": "se'cr\"et",
    }  # fmt: skip
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


def test_the_script_can_be_run_twice(tmp_path: Path) -> None:
    """Each time the request number is another one."""
    text = script(verdict("REVIEW-04", Outcome.FAILED), "731550928464")

    _, asked = run(text, tmp_path)
    _, both = run(text, tmp_path)

    numbers = [line for line in both.split("\n") if "requestNo" in line]
    assert both.startswith(asked)
    assert len(set(numbers)) == 2


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


def test_without_exchanges_there_is_no_script() -> None:
    """Nothing can be done again when nothing was recorded."""
    assert script(verdict("REVIEW-04", Outcome.FAILED, evidence=()), "731550928464") == ""


def test_a_script_that_would_be_too_long_is_left_out() -> None:
    """A page full of scripts that nobody reads helps nobody."""
    large = exchange(request_body="x" * 100_000)

    assert script(verdict("REVIEW-04", Outcome.FAILED, evidence=(large,)), "731550928464") == ""
