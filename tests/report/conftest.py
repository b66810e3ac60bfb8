"""Runs made by hand, one of each kind that a report has to tell of."""

from typing import Any

import pytest
from attrs import evolve

from conformance.catalogue import Catalogue, Reading, Section
from conformance.outcome import Outcome
from conformance.results import Made, Observation, Reach, Run, WaiverState, WaiverUse

from .runs import API, HOSTILE, REQUIREMENTS, exchange, make_run, order_exchange, verdict


@pytest.fixture
def catalogue() -> Catalogue:
    """A small catalogue with two sections and a line that cannot be tested."""
    return Catalogue(
        requirements={each.id: each for each in REQUIREMENTS},
        readings={
            "A01": Reading(
                "A01",
                "Numbers as text",
                (43, 45),
                ("text", "number"),
                "both",
                "The form of numbers (reference - text).",
            )
        },
        sections=(Section("Create a refund", 90, 220), Section("Review a refund", 221, 310), Section("List", 311, 395)),
        normative=(5, 112, 116, 235, 236, 320),
        untestable={13: "It advertises; it promises nothing.", 222: "What a reviewer thinks cannot be seen."},
        digest="0123456789abcdef",
    )


@pytest.fixture
def conformant() -> Run:
    """A run where every requirement passed."""
    return make_run([verdict(each.id) for each in REQUIREMENTS])


@pytest.fixture
def failing() -> Run:
    """A run with two failed requirements, one of them SHOULD, a blocked one and one that nothing was said of."""
    return make_run(
        [
            verdict("ACCESS-01"),
            verdict("CREATE-04", Outcome.FAILED),
            verdict("REVIEW-01", Outcome.FAILED),
            verdict("REVIEW-04", Outcome.FAILED, check="test_review::test_it[approve]"),
            verdict("REVIEW-04", check="test_review::test_it[reject]"),
            verdict("LIST-01", Outcome.BLOCKED, explanation="the refunds of the order could not be looked up: 404"),
        ]
    )


@pytest.fixture
def blocked() -> Run:
    """A run where nothing failed, and what the target file declares as lacking was not checked."""
    lack: dict[str, Any] = {"explanation": "the target file describes no other_shop", "lacks": "other_shop"}
    passed = [verdict(each.id) for each in REQUIREMENTS if each.id != "ISOLATE-01"]
    return make_run([*passed, verdict("ISOLATE-01", Outcome.BLOCKED, **lack)], not_available=["other_shop"])


@pytest.fixture
def interrupted() -> Run:
    """A run that was killed after one check: it has no footer."""
    return make_run([verdict("ACCESS-01")], finished=False)


@pytest.fixture
def erroneous() -> Run:
    """A run where a check ended in an error of the suite."""
    trace = 'Traceback (most recent call last):\n  File "suite.py", line 1\nRuntimeError: the suite is wrong\n'
    return make_run([verdict("ACCESS-01"), verdict("REVIEW-01", Outcome.ERROR, explanation=trace)])


@pytest.fixture
def hostile() -> Run:
    """A run against a server that sends everything that could do harm, everywhere it can."""
    found = []
    for number, text in enumerate(HOSTILE):
        check = f"evil[{number}]"
        evil = exchange(
            url=f"{API}/refunds/{text}", response_body=text * 50, response_headers={"X": text}, curl=f"curl {text}"
        )
        found += [
            verdict("REVIEW-04", Outcome.FAILED, check=check, observed=text, evidence=(order_exchange(), evil)),
            verdict("LIST-01", Outcome.BLOCKED, check=check, explanation=f"it answered {text}"),
            verdict("ACCESS-01", Outcome.ERROR, check=check, explanation=f"Traceback\nValueError: {text}"),
        ]
    run = make_run(found)
    run.observations = [Observation("A01", text) for text in HOSTILE]
    run.header["target"]["name"] = HOSTILE[0] + HOSTILE[2]
    assert run.footer is not None
    for text in HOSTILE:
        run.note(Made("refund", text, text, "shop", text, opened=text, request_no=text, amount=text, left=text))
        run.reach.append(Reach("create", text, text, broken=1))
        run.waivers.append(WaiverUse("REVIEW-04", text, text, text, text, text, state=WaiverState.USED))
    return run


@pytest.fixture
def endless() -> Run:
    """A run whose every text is of a million characters that grow when they are shown."""
    text = "<&>\x1b\ud800" * 200_000
    evil = exchange(
        url=f"{API}/refunds/{text}", request_body=text, response_body=text, curl=text, trouble=text,
        request_headers={"X": text}, response_headers={"X": text},
    )  # fmt: skip
    run = make_run(
        [
            verdict(
                "REVIEW-04", Outcome.FAILED, title=text, expected=text, observed=text, again=text, evidence=(evil, evil)
            ),
            verdict("LIST-01", Outcome.BLOCKED, explanation=text),
            verdict("ACCESS-01", Outcome.ERROR, explanation=text),
        ]
    )
    run.observations = [Observation("A01", text)]
    run.header["target"]["name"] = text
    run.note(Made("refund", "77", "1001", "shop", text, opened=text, request_no=text, amount=text, left=text))
    run.reach.append(Reach("create", text, text, broken=1))
    run.waivers.append(WaiverUse("REVIEW-04", text, text, text, text, text, state=WaiverState.USED))
    return run


@pytest.fixture(params=["conformant", "failing", "blocked", "interrupted", "erroneous", "hostile", "empty"])
def any_run(request: pytest.FixtureRequest) -> Run:
    """Each of the runs in turn."""
    run: Run = request.getfixturevalue(request.param)
    return run


@pytest.fixture
def empty() -> Run:
    """A run that judged nothing."""
    return make_run([])


@pytest.fixture
def huge() -> Run:
    """A run of 300 findings, each with several large bodies of the kind that grows most when it is shown."""
    body = '{"refunds": [' + ", ".join(['{"status": "<&>", "reason": "\'\'"}'] * 110) + "]}"
    roles = ("order", "look", "probe", "control")
    exchanges = tuple(exchange(role, response_body=body, request_body=body) for role in roles)
    failed = verdict("REVIEW-04", Outcome.FAILED, observed="x" * 4000, evidence=exchanges * 3)
    return make_run([evolve(failed, requirement=f"HUGE-{number:03}") for number in range(300)])


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark by which the tests that need a browser can be left out."""
    config.addinivalue_line("markers", "browser: needs Chromium; leave out with -m 'not browser'")
