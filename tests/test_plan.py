"""What ``plan`` says a run needs is what it takes, and nothing is sent to find it out."""

import json
from pathlib import Path

import pytest
import yaml
from attrs import evolve
from click.testing import CliRunner

from conformance.cli import main
from conformance.clock import VirtualClock
from conformance.outcome import Outcome
from conformance.proof import ORIGIN, judge_in_process
from conformance.reference.provider import provide
from conformance.reference.server import FIRST_SHOP, make_reference
from conformance.running.forecast import forecast, pool_template
from conformance.running.run import Options
from conformance.target import Orders

SELECTION = ("shipment", "REVIEW-16")
OPTIONS = Options(selection=SELECTION)


@pytest.fixture
def target_file(tmp_path: Path) -> Path:
    """A target file whose server does not exist, and that has one token only."""
    path = tmp_path / "nowhere.yaml"
    data = {
        "base_url": "http://127.0.0.1:9",
        "tokens": {"full": "secret"},
        "orders": {"url": "http://127.0.0.1:9/orders"},
    }
    path.write_text(yaml.safe_dump(data))
    return path


def test_a_plan_needs_no_server(target_file: Path) -> None:
    """It says how many orders of which kind, requests, writes, how much money, and how long, without a connection."""
    done = CliRunner().invoke(main, ["plan", str(target_file), "--select", "shipment"])

    assert done.exit_code == 0, done.output
    for words in ("orders ", "not shipped: 5 × 10.00", "requests  about ", "writes", "money ", "time "):
        assert words in done.output


def test_a_pool_filled_in_after_the_plan_is_all_that_a_run_takes(tmp_path: Path) -> None:
    """With the orders of the template, checks are blocked only where a pool cannot do what is asked."""
    clock = VirtualClock()
    reference = make_reference(clock=clock)
    target = evolve(reference.target(ORIGIN), orders=Orders(pool=tmp_path / "orders.yaml"))
    needed = forecast(target, OPTIONS)
    template = yaml.safe_load(pool_template(needed))
    for entry in template["orders"]:
        entry |= {"action": "create_order", "customerId": "77"}
    made = [provide(reference.shops[FIRST_SHOP], entry) for entry in template["orders"]]
    (tmp_path / "orders.yaml").write_text(json.dumps({"orders": made}))
    done = judge_in_process(reference, clock, OPTIONS, tmp_path, target=target)
    reference.store.close()

    blocked = {verdict.explanation for verdict in done.verdicts if verdict.outcome is Outcome.BLOCKED}
    assert all("a pool cannot ship" in reason for reason in blocked)
    assert done.counts["passed"] > 10
    assert done.footer is not None
    assert (done.footer["requests"], len(done.verdicts)) == (needed.requests, needed.checks)


def test_what_a_target_lacks_is_not_planned_for(target_file: Path) -> None:
    """Without a second shop no orders are wanted there."""
    rich = CliRunner().invoke(main, ["plan", "--select", "isolation"]).output
    poor = CliRunner().invoke(main, ["plan", str(target_file), "--select", "isolation"]).output

    assert "in the other shop" in rich
    assert "in the other shop" not in poor


@pytest.mark.parametrize(("profile", "most"), [("quick", 150), ("standard", 1000)])
def test_a_profile_costs_no_more_than_it_says(profile: str, most: int) -> None:
    """A run makes so many requests at most to a target that has all there is and answers as the reference does."""
    reference = make_reference()
    needed = forecast(reference.target(ORIGIN), Options(profile=profile))
    reference.store.close()

    assert needed.requests <= most
