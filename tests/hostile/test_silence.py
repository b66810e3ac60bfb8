"""Silence is a failure only where an answer was asked for, and only when it is the request that causes it."""

import json

import pytest

from conformance.outcome import Outcome
from tests.hostile.conftest import Against
from tests.hostile.server import Act, Asked, hostile
from tests.hostile.shelf.behaviour import SOUND, plain, reset


def is_broken_json(asked: Asked) -> bool:
    """Say whether a request has a body that is no JSON."""
    try:
        json.loads(asked.body or b"{}")
    except ValueError:
        return True
    return False


def to_broken_json(act: Act, times: int) -> Act:
    """Do something to the first few requests whose body is no JSON, and answer everything else soundly."""
    left = [times]

    def choose(asked: Asked) -> None:
        odd = is_broken_json(asked) and left[0] > 0
        left[0] -= odd
        (act if odd else SOUND)(asked)

    return choose


@pytest.mark.parametrize("act", [reset, plain(b"", 502)], ids=["reset", "bad gateway"])
def test_a_server_that_never_answers_broken_json_fails_that(against: Against, act: Act) -> None:
    """Where each such request gets no answer and each plain one gets one, the requirement of an answer is broken."""
    with hostile(to_broken_json(act, 1000)) as server:
        judged = against(f"http://127.0.0.1:{server.port}", "--select", "ROBUST-01")

    assert judged.done.status == 1, judged.done.said
    assert {verdict.requirement for verdict in judged.run.verdicts if verdict.outcome is Outcome.FAILED} == {
        "ROBUST-01"
    }


def test_a_server_that_missed_one_answer_is_not_failed_for_it(against: Against) -> None:
    """Where the same request is answered when it is sent again, the silence proves nothing."""
    with hostile(to_broken_json(reset, 1)) as server:
        judged = against(f"http://127.0.0.1:{server.port}", "--select", "ROBUST-01")

    assert judged.done.status in {0, 3}, judged.done.said
    assert judged.run.counts["failed"] == 0
