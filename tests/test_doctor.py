"""``doctor`` and the first look of a run: what is in the way is found before anything is judged, with a remedy."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from attrs import evolve
from click.testing import CliRunner, Result

from conformance.cli import main
from conformance.clock import RealClock
from conformance.reference.server import make_reference, serving
from conformance.running.doctor import State, examine, first_look
from conformance.running.session import open_session
from conformance.target import Orders, Target

from .proxy import Trouble, proxied


@pytest.fixture
def target() -> Iterator[Target]:
    """The reference, served."""
    reference = make_reference()
    with serving(reference.app) as origin:
        yield reference.target(origin)


def states(target: Target) -> dict[str, State]:
    """Return how everything stands that the doctor looks at."""
    session = open_session(target)
    try:
        return {finding.subject: finding.state for finding in examine(session)}
    finally:
        session.close()


def doctor(tmp_path: Path, data: dict[str, Any], *options: str) -> Result:
    """Examine what a target file describes."""
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump(data))
    return CliRunner().invoke(main, ["doctor", str(path), *options])


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_all_is_well_with_the_reference(target: Target) -> None:
    """Every line is fine, and nothing is left pending."""
    seen = states(target)

    assert set(seen.values()) == {State.OK}
    assert {"reachable", "clock", "orders", "dialect", "tokens/unrelated", "ship_order", "other_shop"} <= set(seen)


@pytest.mark.parametrize(
    ("change", "subject", "state"),
    [
        ({"tokens": {"full": "wrong"}}, "create", State.TROUBLE),
        ({"orders": Orders(command=("false",))}, "orders", State.TROUBLE),
        ({"other_shop": None}, "other_shop", State.LOOK),
        ({"not_available": ("ship_order",)}, "ship_order", State.TROUBLE),
    ],
    ids=["wrong token", "no orders", "no other shop", "declared, but there"],
)
def test_what_is_wrong_is_named(target: Target, change: dict[str, Any], subject: str, state: State) -> None:
    """One thing is changed, and the line of its subject says so."""
    assert states(evolve(target, **change))[subject] is state


def test_a_token_with_other_scopes_than_its_name_is_noticed(target: Target) -> None:
    """The full token that may not write is in the way; a scoped one that may do more is worth a look."""
    tokens = {**target.tokens, "read_refunds": target.tokens["full"]}
    assert states(evolve(target, tokens=tokens))["tokens/read_refunds"] is State.LOOK


def test_a_closed_port_ends_it_with_a_remedy(tmp_path: Path) -> None:
    """No traceback, one line with the trouble, one with what to do, and exit 3."""
    nowhere = f"http://127.0.0.1:{closed_port()}"
    done = doctor(tmp_path, {"base_url": nowhere, "tokens": {"full": "secret"}, "orders": {"url": f"{nowhere}/o"}})

    assert done.exit_code == 3
    assert "Connection refused" in done.output
    assert "→ Is the server running" in done.output
    assert "secret" not in done.output


def test_a_run_takes_the_first_look_and_asks_for_no_order_where_nobody_listens(target: Target, tmp_path: Path) -> None:
    """Everything is blocked with the remedy, after one attempt."""
    data = {
        "base_url": f"http://127.0.0.1:{closed_port()}",
        "tokens": {"full": "secret"},
        "orders": {"url": target.orders.url},
    }
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(data))
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["run", str(tmp_path / "target.yaml"), "--select", "access", "--out", str(out)])
    footer = json.loads((out / "run.jsonl").read_text().splitlines()[-1])

    assert done.exit_code == 3
    assert "Is the server running" in footer["blocked_reason"]
    assert (footer["requests"], footer["order_requests"]) == (1, 0)


def test_a_clock_that_is_wrong_is_told(target: Target) -> None:
    """The target's Date is compared with this machine's time."""
    late = httpx.MockTransport(lambda _: httpx.Response(404, headers={"Date": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    session = open_session(target, clock=RealClock(), transport=late)
    clock = first_look(session)[2]

    assert clock.state is State.LOOK
    assert "behind this machine" in clock.seen


def test_the_rate_limit_is_told(target: Target) -> None:
    """It is learnt from what passes, and shown in words."""
    origin, _, shop = target.base_url.rpartition("/")
    with proxied(origin, Trouble(bucket=40, per_second=20)) as behind:
        session = open_session(evolve(target, base_url=f"{behind.origin}/{shop}"))
        found = {finding.subject: finding.seen for finding in examine(session)}
        session.close()

    assert "bucket of 40" in found["rate limit"]
