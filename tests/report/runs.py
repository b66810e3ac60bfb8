"""What runs are made of: requirements, exchanges and verdicts, each with an example's values."""

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from conformance.catalogue import Requirement
from conformance.outcome import Outcome
from conformance.results import Evidence, Observation, Run, Verdict

BASE = "http://127.0.0.1:8000"
API = f"{BASE}/api/202412"

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J",
    "nul \x00 bell \x07 form feed \x0c",
    "half a pair \ud800 and \udfff, \ufffe \uffff",
    "right to left \u202e and \u2028 separated",
    "line\n::error::forged\n##vso[task.setvariable variable=x]y",
    "[bold red]markup[/] [link=http://example.com]x[/link]",
    "``` | </pre> ]]> <!-- & \" ' {{ 7*7 }} {% raw %}",
)


def requirement(
    identifier: str, area: str, text: str, *, level: str = "MUST", basis: str = "stated",
    lines: tuple[int, ...] = (235, 236), operations: tuple[str, ...] = ("review",), causes: tuple[str, ...] = (),
) -> Requirement:  # fmt: skip
    """Return a requirement with the usual why."""
    return Requirement(
        id=identifier, area=area, level=level, basis=basis, lines=lines, operations=operations, text=text,
        why="A slip of the client must not decide about money.", causes=causes,
    )  # fmt: skip


REQUIREMENTS = (
    requirement("ACCESS-01", "access", "A request without a token is refused", lines=(5,),
                operations=("create", "list")),
    requirement("CREATE-03", "creation", "A requestNo of fewer than 20 characters is refused", lines=(116,),
                operations=("create",), causes=("The length is never looked at.",)),
    requirement("CREATE-04", "creation", "An unknown field does no harm", level="SHOULD", basis="implied", lines=(112,),
                operations=("create",)),
    requirement("REVIEW-01", "review", "An approved refund leaves status 1 for 2 or 3", basis="by example"),
    requirement("REVIEW-04", "review", "A refused approval changes nothing",
                causes=("The new status is saved before the request is checked.",)),
    requirement("ISOLATE-01", "isolation", "Another shop's token reads nothing here", lines=(), operations=("get",)),
    requirement("LIST-01", "listing", "All refunds of the order are listed", lines=(320, 321), operations=("list",)),
)  # fmt: skip


def exchange(role: str = "probe", status: int | None = 200, **changes: Any) -> Evidence:
    """Return an exchange of a review."""
    made = Evidence(
        role=role,
        operation="review",
        at="2026-05-04T10:00:00.250+00:00",
        method="PUT",
        url=f"{API}/refunds/9007199254740993001",
        request_headers={"X-Genstore-Access-Token": "$GENSTORE_TOKEN", "Content-Type": "application/json"},
        request_body='{"orderId": "9007199254740995001", "action": "1", "refundId": "9007199254740993001"}',
        status=status,
        response_headers={"Content-Type": "application/json"},
        response_body='{"refund": {"refundId": "9007199254740993001", "status": "3", "amount": "10.00"}}',
        cut_off=False,
        trouble=None if status else "no complete answer within 10 s",
        milliseconds=12,
        curl=f'curl -sS -i -X PUT {API}/refunds/9007199254740993001 -H "X-Genstore-Access-Token: $GENSTORE_TOKEN"',
    )
    return evolve(made, **changes)


def order_exchange() -> Evidence:
    """Return the exchange by which an order was had."""
    return exchange(
        "order", operation="orders", method="POST", url=f"{BASE}/_test/orders", milliseconds=4,
        at="2026-05-04T10:00:00.000+00:00", request_headers={"Content-Type": "application/json"},
        request_body='{"action": "create_order", "shipped": true, "lines": [{"quantity": 5, "unitPrice": "10.00"}]}',
        response_body='{"orderId": "9007199254740995001", "customerId": "501", "shipped": true, "lines": '
        '[{"lineItemId": "9007199254740994001", "quantity": 5, "unitPrice": "10.00"}]}',
        curl=f"curl -sS -i -X POST {BASE}/_test/orders",
    )  # fmt: skip


def created_exchange() -> Evidence:
    """Return the exchange by which a refund was arranged; its request number holds the run's id."""
    return exchange(
        "arrange", operation="create", method="POST", url=f"{API}/refunds", milliseconds=9,
        at="2026-05-04T10:00:00.100+00:00",
        request_body='{"refund": {"orderId": "9007199254740995001", '
        '"requestNo": "kkkkkkkkkkkkkkk73155092846400001", '
        '"lineItems": [{"lineItemId": "9007199254740994001", "quantity": "1"}]}}',
        response_body='{"refund": {"refundId": "9007199254740993001", "status": "1"}}',
    )  # fmt: skip


def verdict(identifier: str, outcome: Outcome = Outcome.PASSED, *, check: str = "", **changes: Any) -> Verdict:
    """Return a verdict on one of the requirements above; a failed one has its exchanges."""
    wanted = next(each for each in REQUIREMENTS if each.id == identifier)
    failed = outcome is Outcome.FAILED
    made = Verdict(
        requirement=wanted.id,
        check=check or f"test_{wanted.area}::test_{wanted.id.lower().replace('-', '_')}",
        outcome=outcome,
        level=wanted.level,
        basis=wanted.basis,
        area=wanted.area,
        title=wanted.text,
        lines=wanted.lines,
        expected="a refusal (4xx), and status 1" if failed else "",
        observed="200, and status went from 1 to 3" if failed else "",
        again=f"genstore-conformance run --select {wanted.id} --seed 7",
        seconds=0.0123,
        requests=3,
        evidence=(order_exchange(), created_exchange(), exchange(), exchange("control", at="2026-05-04T10:00:01+00:00"))
        if failed
        else (exchange("look", milliseconds=2),),
    )
    return evolve(made, **changes)


def make_run(verdicts: Sequence[Verdict], *, not_available: Sequence[str] = (), finished: bool = True) -> Run:
    """Return a run with these verdicts."""
    run = Run(
        header={
            "suite_version": "0.1.0", "catalogue": "0123456789abcdef", "requirements": len(REQUIREMENTS),
            "target": {"name": "staging", "base_url": BASE, "tokens": ["full"], "other_shop": False},
            "not_available": list(not_available), "profile": "standard", "selection": [], "seed": 7,
            "run_id": "731550928464", "started": "2026-05-04T10:00:00+00:00",
        },
        verdicts=list(verdicts),
        observations=[Observation("A01", "create takes numbers", "test_creation::test_numbers")],
    )  # fmt: skip
    if finished:
        run.footer = {"interrupted": False, "requests": 3 * len(verdicts), "seconds": 4.25}
    return run
