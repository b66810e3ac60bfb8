"""The record of a run, and the one word that it comes to."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.outcome import Conclusion, Outcome, UsageError
from conformance.record import Record, read_record
from conformance.results import Evidence, Observation, Run, Verdict

HEADER = {"suite_version": "0", "target": {"name": "t"}, "not_available": ["other_shop"], "profile": "standard"}


def verdict(outcome: Outcome, *, level: str = "MUST", basis: str = "stated", lacks: str | None = None) -> Verdict:
    """Return a verdict of one check."""
    return Verdict(
        requirement="CREATE-01", check="a::b", outcome=outcome, level=level, basis=basis, area="creation",
        title="A title.", lines=(116,), lacks=lacks,
    )  # fmt: skip


def conclusion(*verdicts: Verdict, interrupted: bool = False) -> Conclusion:
    """Return what a run with these verdicts comes to."""
    return Run(header=HEADER, verdicts=list(verdicts), footer={"interrupted": interrupted}).conclusion


PASSED = verdict(Outcome.PASSED)


def test_a_run_in_which_every_must_passed_is_conformant() -> None:
    """A failed SHOULD and a failed open one change nothing."""
    assert (
        conclusion(PASSED, verdict(Outcome.FAILED, level="SHOULD"), verdict(Outcome.FAILED, basis="open"))
        is Conclusion.CONFORMANT
    )


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASSED, verdict(Outcome.FAILED)], Conclusion.NON_CONFORMANT),
        ([verdict(Outcome.FAILED), verdict(Outcome.BLOCKED)], Conclusion.NON_CONFORMANT),
        ([PASSED, verdict(Outcome.BLOCKED)], Conclusion.INCOMPLETE),
        ([PASSED, verdict(Outcome.BLOCKED, lacks="ship_order")], Conclusion.INCOMPLETE),
        ([PASSED, verdict(Outcome.BLOCKED, lacks="other_shop")], Conclusion.CONFORMANT),
        ([verdict(Outcome.BLOCKED, lacks="other_shop")], Conclusion.INCOMPLETE),
        ([verdict(Outcome.FAILED), verdict(Outcome.ERROR)], Conclusion.ERROR),
        ([], Conclusion.INCOMPLETE),
    ],
)
def test_the_worst_of_the_musts_decides(verdicts: list[Verdict], expected: Conclusion) -> None:
    """Errors before failures before what was blocked; what is declared as lacking blocks nothing."""
    assert conclusion(*verdicts) is expected


def test_an_interrupted_run_is_never_conformant() -> None:
    """What was not done was not checked."""
    assert conclusion(PASSED, interrupted=True) is Conclusion.INCOMPLETE


def test_what_was_not_checked_is_named_beside_the_verdict() -> None:
    """A reader sees what a conformant verdict leaves out."""
    run = Run(header=HEADER, verdicts=[PASSED, verdict(Outcome.BLOCKED, lacks="other_shop")], footer={})
    assert run.sentence == "conformant, 1 requirement not checked: other_shop"


def written(path: Path, text: str = "") -> Run:
    """Write a record whose strings hold a text, and read it again."""
    evidence = Evidence(
        role="probe", operation="create", at="now", method="POST", url="http://x", request_headers={"a": text},
        request_body=text, status=200, response_headers={}, response_body=text, cut_off=False, trouble=None,
        milliseconds=1, curl=text,
    )  # fmt: skip
    record = Record(path, HEADER)
    record.add(
        Verdict(
            requirement="CREATE-01",
            check="a::b",
            outcome=Outcome.FAILED,
            level="MUST",
            basis="stated",
            area="creation",
            title="A title.",
            lines=(1,),
            observed=text,
            evidence=(evidence,),
        )
    )
    record.add(Observation("A01", text))
    record.close(requests=1, seconds=0.5, interrupted=False)
    return read_record(path)


@given(st.text(st.characters(exclude_categories=())))
@settings(max_examples=60, deadline=None)
def test_whatever_a_server_sends_survives_the_record(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """NUL, lone surrogates and line separators come back as they were."""
    run = written(tmp_path_factory.mktemp("record") / "run.jsonl", text)

    assert run.verdicts[0].observed == text
    assert run.verdicts[0].evidence[0].response_body == text
    assert run.observations[0].observed == text
    assert run.conclusion is Conclusion.NON_CONFORMANT


def test_a_record_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """A killed run has all but its last line, and counts as interrupted."""
    path = tmp_path / "run.jsonl"
    written(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], lines[2][:20]]))

    run = read_record(path)
    assert len(run.verdicts) == 1
    assert run.interrupted


@pytest.mark.parametrize(
    "text",
    ["", "not JSON\n", "[]\n", '{"kind": "verdict"}\n', '{"kind": "header", "format": 99}\n', "\x00\n"],
)
def test_what_is_no_record_is_a_mistake(tmp_path: Path, text: str) -> None:
    """The message names the file."""
    path = tmp_path / "run.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"run\.jsonl"):
        read_record(path)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_a_broken_record_ends_in_a_named_error(tmp_path_factory: pytest.TempPathFactory, damage: bytes) -> None:
    """Whatever is behind a good header, it is read or refused, and nothing else comes out."""
    path = tmp_path_factory.mktemp("record") / "run.jsonl"
    header = json.dumps({"kind": "header", "format": 1, **HEADER}).encode()
    path.write_bytes(header + b"\n" + damage + b"\n{}\n")
    with pytest.raises(UsageError):
        read_record(path)
