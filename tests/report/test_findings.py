"""What a run says of each requirement."""

import pytest
from attrs import evolve

from conformance.catalogue import Catalogue
from conformance.outcome import Outcome
from conformance.report.findings import State, findings, reasons, standings
from conformance.results import Run
from conformance.telling import place, spans, told

from .runs import HOSTILE, exchange, make_run, order_exchange, verdict


def test_findings_come_worst_first(failing: Run, catalogue: Catalogue) -> None:
    """MUST comes before SHOULD, and stated before by example."""
    assert [each.requirement.id for each in findings(failing, catalogue)] == ["REVIEW-04", "REVIEW-01", "CREATE-04"]


def test_what_has_a_check_of_its_own_comes_first(catalogue: Catalogue) -> None:
    """What generated requests came upon stands after what says more plainly what is wrong."""
    come_upon = verdict("REVIEW-04", Outcome.FAILED, requirement="LIFE-03", area="lifecycle")
    run = make_run([come_upon, verdict("REVIEW-01", Outcome.FAILED), verdict("CREATE-04", Outcome.FAILED)])

    assert [each.requirement.id for each in findings(run, catalogue)] == ["REVIEW-01", "LIFE-03", "CREATE-04"]


def test_a_finding_has_its_verdicts_and_what_the_catalogue_knows(failing: Run, catalogue: Catalogue) -> None:
    """The failed verdicts are told apart from those that passed; why and likely causes are there."""
    worst = findings(failing, catalogue)[0]

    assert len(worst.verdicts) == 2
    assert [each.check for each in worst.failed] == ["test_review::test_it[approve]"]
    assert worst.requirement.why
    assert worst.requirement.causes


def test_every_requirement_has_a_standing(failing: Run, catalogue: Catalogue) -> None:
    """One without verdicts was not run; one bad check decides for its requirement."""
    states = {identifier: each.state for identifier, each in standings(failing, catalogue).items()}

    assert states == {
        "ACCESS-01": State.PASSED,
        "CREATE-03": State.NOT_RUN,
        "CREATE-04": State.FAILED,
        "REVIEW-01": State.FAILED,
        "REVIEW-04": State.FAILED,
        "ISOLATE-01": State.NOT_RUN,
        "LIST-01": State.BLOCKED,
    }


def test_a_declared_lack_is_not_checked_rather_than_blocked(blocked: Run, catalogue: Catalogue) -> None:
    """What the target file says beforehand is no surprise."""
    assert standings(blocked, catalogue)["ISOLATE-01"].state is State.NOT_CHECKED


def test_an_undeclared_lack_stays_blocked(blocked: Run, catalogue: Catalogue) -> None:
    """Only what was declared counts as declared."""
    blocked.header["not_available"] = []

    assert standings(blocked, catalogue)["ISOLATE-01"].state is State.BLOCKED


def test_a_requirement_that_only_the_record_knows_is_kept(catalogue: Catalogue) -> None:
    """A record of another version of the catalogue can still be drawn."""
    run = make_run([evolve(verdict("REVIEW-04", Outcome.FAILED), requirement="OLD-01")])

    (finding,) = findings(run, catalogue)

    assert finding.requirement.id == "OLD-01"
    assert finding.requirement.text == "A refused approval changes nothing"


def test_reasons_that_differ_in_ids_only_are_one() -> None:
    """Each reason comes once with all its requirements, the most frequent first."""
    run = make_run(
        [
            verdict("ACCESS-01", Outcome.BLOCKED, explanation="order 1001 cannot be had"),
            verdict("LIST-01", Outcome.BLOCKED, explanation="the list is a web page"),
            verdict("REVIEW-04", Outcome.BLOCKED, explanation="order 2002 cannot be had"),
        ]
    )

    assert [(each.text, each.requirements) for each in reasons(run)] == [
        ("order 1001 cannot be had", ("ACCESS-01", "REVIEW-04")),
        ("the list is a web page", ("LIST-01",)),
    ]


def test_a_failure_is_told_in_four_lines_and_how_to_see_it_again() -> None:
    """Requirement, place, expected, observed; then curl and the command."""
    assert told(verdict("REVIEW-04", Outcome.FAILED)).split("\n") == [
        "REVIEW-04 (MUST, stated) A refused approval changes nothing",
        "  page lines 235–236 · PUT http://127.0.0.1:8000/api/202412/refunds/9007199254740993001",
        "  expected  a refusal (4xx), and status 1",
        "  observed  200, and status went from 1 to 3",
        f"  reproduce {exchange().curl}",
        "  again     genstore-conformance run --select REVIEW-04 --seed 7",
    ]


@pytest.mark.parametrize(
    ("roles", "deciding"),
    [
        (("order", "control", "probe", "probe", "look"), 3),
        (("order", "arrange", "act", "look"), 2),
        (("order", "arrange", "look", "look"), 3),
        (("order", "arrange"), 1),
    ],
)
def test_a_verdict_is_about_its_last_probe_request_or_look(roles: tuple[str, ...], deciding: int) -> None:
    """What is told of a failure leads to what caused it, and never to what was only set up before."""
    exchanges = tuple(exchange(role, milliseconds=number) for number, role in enumerate(roles))

    assert verdict("REVIEW-04", Outcome.FAILED, evidence=exchanges).deciding is exchanges[deciding]


def test_a_verdict_of_an_amount_is_about_the_exchange_that_shows_it() -> None:
    """Of probes that were sent together, the one with what was observed decides; an effect is told with its cause."""
    shows = exchange("probe", response_body='{"refund": {"amount": "9.9"}}')
    last = exchange("probe", response_body='{"refund": {"amount": "7.25"}}')
    failed = verdict("REVIEW-04", Outcome.FAILED, evidence=(shows, last))

    assert evolve(failed, observed="9.90").deciding is shows
    assert evolve(failed, observed="amount went from 9.99 to 9.90").deciding is last


def test_a_verdict_of_an_answer_is_about_such_an_answer() -> None:
    """What speaks of the answer of create is not told by the get that came later."""
    create, get = exchange("probe", operation="create"), exchange("probe", operation="get")
    failed = verdict("REVIEW-04", Outcome.FAILED, evidence=(create, get))

    assert evolve(failed, expected="status 1 in the answer of create", observed="3").deciding is create


def test_a_verdict_is_about_the_exchange_that_is_marked() -> None:
    """Of many probes that were sent together, one decides; those of other checks are not told."""
    theirs, ours = exchange("probe", aside=True), exchange("probe", decides=True)
    failed = verdict("REVIEW-04", Outcome.FAILED, evidence=(ours, theirs))

    assert failed.deciding is ours
    assert failed.telling == (ours,)


def test_only_the_orders_that_a_verdict_is_about_are_told() -> None:
    """Of many orders that were made side by side, the reader sees those that the requests name."""
    other = evolve(order_exchange(), response_body='{"orderId": "777", "lines": [{"lineItemId": "888"}]}')
    failed = verdict("REVIEW-04", Outcome.FAILED)

    assert evolve(failed, evidence=(other, *failed.evidence)).telling == failed.evidence


def test_a_server_cannot_forge_a_line_of_a_failure() -> None:
    """However many newlines an answer has, the failure has its own lines only."""
    failed = verdict("REVIEW-04", Outcome.FAILED, observed="\n".join(HOSTILE))

    assert len(told(failed).split("\n")) == 6


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.BLOCKED, Outcome.ERROR])
def test_megabytes_in_a_record_fill_no_failure(outcome: Outcome) -> None:
    """However much a record of whatever origin holds, what is told of a verdict stays short."""
    text = "<&>" * 1_000_000
    huge = verdict("REVIEW-04", outcome, expected=text, observed=text, explanation=text, evidence=(exchange(url=text),))

    assert len(told(huge)) < 250_000


def test_page_lines_are_drawn_together() -> None:
    """Neighbours become a span; order and doubles do not matter."""
    assert spans((236, 235, 57, 252, 253, 254, 57)) == "57, 235–236, 252–254"
    assert place((116,)) == "page line 116"
    assert place(()) == "no line of the page"
