"""``report.html`` says what the run says, and nothing that a server sent can act in it."""

import base64
import hashlib
import re
import time
from typing import Any

import pytest
from attrs import evolve
from lxml import html

from conformance.catalogue import Catalogue
from conformance.outcome import Outcome
from conformance.report.html import draw_html
from conformance.report.material import Material
from conformance.results import Made, Reach, Run, WaiverState, WaiverUse

from .runs import HOSTILE, exchange, make_run, verdict


def page(run: Run, catalogue: Catalogue, **more: Any) -> Any:
    """Return the parsed page of a run."""
    return html.document_fromstring(draw_html(Material(run, catalogue, **more)))


def text(element: Any) -> str:
    """Return what a reader sees of an element, on one line."""
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.parametrize(
    ("name", "verdict_", "sentence"),
    [
        ("conformant", "conformant", "7 of 7 requirements passed."),
        ("failing", "non-conformant", "3 of 7 requirements failed (2 MUST), 1 passed, 1 could not be checked"),
        ("blocked", "conformant", "6 of 7 requirements passed, 1 not checked, as declared."),
        ("interrupted", "incomplete", "The run was interrupted"),
        ("erroneous", "error", "1 ended in an error of the suite"),
        ("empty", "incomplete", "0 of 7 requirements passed"),
    ],
)
def test_the_verdict_comes_first(
    name: str, verdict_: str, sentence: str, request: pytest.FixtureRequest, catalogue: Catalogue
) -> None:
    """The heading is the verdict; below it stands what it rests on."""
    found = page(request.getfixturevalue(name), catalogue)

    assert text(found.xpath("//h1")[0]).split(" ")[1] == verdict_
    assert sentence in text(found.get_element_by_id("verdict"))


def test_the_head_says_what_is_at_stake(failing: Run, catalogue: Catalogue) -> None:
    """Whoever reads no further knows what is broken, the worst first, and why that matters."""
    worst = page(failing, catalogue).get_element_by_id("verdict").xpath(".//section[@class='first']//li")

    assert [text(each).split(" ")[0] for each in worst] == ["REVIEW-04", "REVIEW-01", "CREATE-04"]
    assert text(worst[0]) == (
        "REVIEW-04 A refused approval changes nothing A slip of the client must not decide about money."
    )


def test_the_head_names_what_was_not_part_of_the_run(failing: Run, catalogue: Catalogue) -> None:
    """A reader sees which requirements nobody looked at, and can go to each."""
    (unchecked,) = page(failing, catalogue).get_element_by_id("verdict").xpath(".//section[@class='unchecked']")

    assert {"#CREATE-03", "#ISOLATE-01", "#LIST-01"} == set(unchecked.xpath(".//@href"))


def test_nothing_of_another_place_is_loaded(any_run: Run, catalogue: Catalogue) -> None:
    """Every reference of the page is to the page itself."""
    found = page(any_run, catalogue)

    assert {link[:1] for link in found.xpath("//@href")} == {"#"}
    assert not found.xpath("//@src | //@action | //link | //img | //iframe | //form | //object | //base")


def test_the_policy_allows_this_style_and_this_script_only(any_run: Run, catalogue: Catalogue) -> None:
    """Their hashes are in the policy, which forbids everything else."""
    found = page(any_run, catalogue)
    (policy,) = found.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    hashes = [
        base64.b64encode(hashlib.sha256(each.text.encode()).digest()).decode()
        for each in found.xpath("//style | //script")
    ]

    assert len(hashes) == 2
    assert policy.startswith("default-src 'none'; ")
    assert set(re.findall("sha256-([^']*)", policy)) == set(hashes)
    assert not found.xpath("//@style")


def test_hostile_text_is_shown_and_does_nothing(hostile: Run, catalogue: Catalogue) -> None:
    """No element and no attribute comes from a server; what it sent can be read."""
    source = draw_html(Material(hostile, catalogue))
    found = html.document_fromstring(source)

    assert "alert(1)</script>" in found.text_content()
    assert len(found.xpath("//script")) == 1
    assert not found.xpath("//img | //@onerror")
    assert "{{ 7*7 }}" in found.text_content()
    assert all(character in "\n\t" or character.isprintable() for character in source)


def test_every_id_is_there_once(failing: Run, catalogue: Catalogue) -> None:
    """A link to a requirement has one target, and each of them has one."""
    ids = page(failing, catalogue).xpath("//@id")

    assert len(ids) == len(set(ids))
    assert set(catalogue.requirements) <= set(ids)


def test_links_inside_the_page_lead_somewhere(any_run: Run, catalogue: Catalogue) -> None:
    """No link is dead."""
    found = page(any_run, catalogue)

    assert {link[1:] for link in found.xpath("//@href")} <= set(found.xpath("//@id"))


def test_a_finding_holds_all_that_is_needed_to_fix_it(failing: Run, catalogue: Catalogue) -> None:
    """Requirement, place, why, expected, observed, exchanges, curl, script, command, likely causes."""
    finding = page(failing, catalogue).get_element_by_id("REVIEW-04")
    shown = text(finding)

    for words in (
        "A refused approval changes nothing",
        "MUST stated review page lines 235–236 1 of 2 checks failed",
        "A slip of the client must not decide about money.",
        "Expected a refusal (4xx), and status 1",
        "Observed 200, and status went from 1 to 3",
        "curl -sS -i -X PUT",
        "genstore-conformance run --select REVIEW-04 --seed 7",
        "The new status is saved before the request is checked.",
        "#!/bin/sh",
    ):
        assert words in shown
    roles = [text(each) for each in finding.xpath(".//*[contains(@class, 'role')]")]
    assert roles == ["set-up", "set-up", "probe", "control"]


def test_the_deciding_part_is_highlighted(failing: Run, catalogue: Catalogue) -> None:
    """The status of the probe and the field that the verdict names stand out."""
    finding = page(failing, catalogue).get_element_by_id("REVIEW-04")

    assert [text(each) for each in finding.xpath(".//mark")] == ["200", '"status": "3",']


def test_an_id_that_was_not_expected_is_highlighted(catalogue: Catalogue) -> None:
    """Where a failure is a record too many, that record stands out, and not the one that belongs there."""
    listed = exchange("look", response_body='{"refunds": [{"refundId": "1000001"}, {"refundId": "1000002"}]}')
    told = {"expected": "the refunds: [1000001]", "observed": "[1000001, 1000002]"}
    run = make_run([verdict("REVIEW-04", Outcome.FAILED, evidence=(exchange("probe"), listed), **told)])

    marked = page(run, catalogue).get_element_by_id("REVIEW-04").xpath(".//pre/mark")

    assert [text(each) for each in marked] == ['"refundId": "1000002"']


def test_a_field_that_is_named_is_highlighted_and_no_quoted_one(catalogue: Catalogue) -> None:
    """The whole of an answer in an explanation names no field; what is said of it does."""
    told = {"expected": "a refusal (4xx), and nothing changed",
            "observed": '200 with {"refund": {"amount": "10.00"}}, and refund 1: status went from 1 to 3'}  # fmt: skip
    run = make_run([verdict("REVIEW-04", Outcome.FAILED, evidence=(exchange("probe"),), **told)])

    marked = page(run, catalogue).get_element_by_id("REVIEW-04").xpath(".//pre/mark")

    assert [text(each) for each in marked] == ['"status": "3",']


def test_the_control_stands_beside_the_probe_with_what_differs_marked(catalogue: Catalogue) -> None:
    """Ids and request numbers differ in any two requests; the reader sees the one thing that was put right."""

    def body(action: str, number: int) -> str:
        return f'{{"refundId": "{number}", "requestNo": "{number}", "action": "{action}"}}'

    probe = exchange("probe", request_body=body("3", 1000001), request_headers={"Accept": "*/*"})
    control = exchange("control", request_body=body("1", 1000002))
    run = make_run([verdict("REVIEW-04", Outcome.FAILED, evidence=(probe, control))])

    found = page(run, catalogue).get_element_by_id("REVIEW-04")
    probes, controls = found.xpath(".//figure[figcaption[contains(., 'request')]]")

    assert [text(each) for each in probes.xpath(".//mark")] == [
        "Accept: */*", "X-Genstore-Access-Token is not sent", "Content-Type is not sent", '"action": "3"',
    ]  # fmt: skip
    assert '"action": "1"' in [text(each) for each in controls.xpath(".//mark")]
    assert "It stands beside the probe." in text(found)


def test_the_effect_is_open_beneath_the_probe(catalogue: Catalogue) -> None:
    """The look that shows what the probe did is as open as the probe; the looks before it are not."""
    looks = [exchange("look", at=f"2026-05-04T10:00:0{n}+00:00") for n in range(3)]
    run = make_run([verdict("REVIEW-04", Outcome.FAILED, evidence=(looks[0], exchange("probe"), *looks[1:]))])

    finding = page(run, catalogue).get_element_by_id("REVIEW-04")

    assert [each.get("open") is not None for each in finding.xpath(".//li/details")] == [False, True, False, True]


def test_each_requirement_is_a_square_for_each_of_its_operations(failing: Run, catalogue: Catalogue) -> None:
    """What did not pass has a sign and a link, so that colour is never alone."""
    table = page(failing, catalogue).xpath("//table[@class='patches']")[0]

    assert len(table.xpath(".//*[contains(@class, 'square')]")) == 8
    assert [text(each) for each in table.xpath(".//a[@href='#LIST-01']")] == ["⊘"]
    assert "1 failed" in text(table)


def test_what_was_not_checked_is_said_with_its_reason(blocked: Run, catalogue: Catalogue) -> None:
    """A declared lack is named next to the verdict; its requirement is neither passed nor failed."""
    found = page(blocked, catalogue)

    assert "1 requirement : the target file says that other_shop is not available" in text(
        found.get_element_by_id("verdict")
    )
    assert found.get_element_by_id("ISOLATE-01").get("data-state") == "not checked"


def test_requirements_stand_in_their_section_of_the_page(failing: Run, catalogue: Catalogue) -> None:
    """Sections come in the order of the page, with what cannot be tested and why."""
    parts = [text(each) for each in page(failing, catalogue).xpath("//*[@class='part']")]

    assert [each.split(" lines")[0] for each in parts[:3]] == ["Create a refund", "Review a refund", "List"]
    assert "REVIEW-04" in parts[1]
    assert "Line 222: What a reviewer thinks cannot be seen." in parts[1]
    assert "ISOLATE-01" in parts[3]


def test_observed_readings_are_compared_with_the_reference(failing: Run, catalogue: Catalogue) -> None:
    """What this target does stands beside what the reference does."""
    (row,) = page(failing, catalogue).xpath("//table[@class='readings']/tbody/tr")

    assert text(row) == "A01 Numbers as text page lines 43, 45 The form of numbers create takes numbers text"


def test_each_passed_check_names_the_faults_it_catches(conformant: Run, catalogue: Catalogue) -> None:
    """Each check of a requirement has its own, not those of its neighbours; without a proof, no column pretends."""
    conformant.verdicts.append(verdict("REVIEW-04", check="test_review::test_it[reject]"))
    proof = {"REVIEW-04": {"test_review::test_it[reject]": ["refuses-but-revives", "saves-first"]}}
    proven = text(page(conformant, catalogue, proof=proof).get_element_by_id("passed"))
    plain = text(page(conformant, catalogue).get_element_by_id("passed"))

    assert "A refused approval changes nothing test_review::test_review_04 not proven yet" in proven
    assert "test_review::test_it[reject] refuses-but-revives, saves-first" in proven
    assert "proven" not in plain


def test_reach_and_waivers_are_shown_where_there_are_any(conformant: Run, catalogue: Catalogue) -> None:
    """Each is a section of its own; a run that has none of them has no such section."""
    assert not page(conformant, catalogue).xpath("//*[@id='reach' or @id='waivers']")
    conformant.reach.append(Reach("create", "requestNo", "minLength", refused=4))
    conformant.waivers.append(WaiverUse("REVIEW-04", "why", "me", "T-1", "2026-12-31", "", state=WaiverState.PASSES))

    found = page(conformant, catalogue)

    assert "create requestNo minLength 0 4 0" in text(found.get_element_by_id("reach"))
    assert "REVIEW-04 why me T-1 2026-12-31 its check passes" in text(found.get_element_by_id("waivers"))


def test_what_the_run_made_is_shown_and_what_is_left(conformant: Run, catalogue: Catalogue) -> None:
    """The ledger has a section, with what is still open first; a run that made nothing has none."""
    assert not page(conformant, catalogue).xpath("//*[@id='ledger']")
    conformant.note(Made("order", "1001", "1001", "shop", state="shipped"))
    conformant.note(Made("refund", "77", "1001", "shop", state="canceled", opened="initiated"))
    conformant.note(Made("refund", "78", "1001", "shop", state="initiated", opened="initiated", left=HOSTILE[0]))

    section = page(conformant, catalogue).get_element_by_id("ledger")

    assert "1 order and 2 refunds made: 1 canceled, 1 initiated. 1 refund still open." in text(section)
    first, everything = section.xpath(".//tbody")
    assert "78 1001 shop initiated" in text(first)
    assert HOSTILE[0] in text(first)
    assert len(everything.xpath("./tr")) == 3


def test_latency_and_pace_are_drawn(failing: Run, catalogue: Catalogue) -> None:
    """Each answered operation has a distribution; requests over time show when 429s came."""
    limited = exchange("look", status=429, at="2026-05-04T10:00:02+00:00")
    failing.verdicts.append(verdict("ACCESS-01", evidence=(limited,)))

    figures = text(page(failing, catalogue).get_element_by_id("figures"))

    assert "review 12 12 12 4" in figures
    assert "Requests over 2.0 s" in figures
    assert "1 were answered 429" in figures


def test_a_server_that_always_breaks_fills_no_page(catalogue: Catalogue) -> None:
    """Of hundreds of failed checks of one requirement, three are shown whole and the others named."""
    broken = exchange(status=500, response_body="<html>Internal Server Error</html>")
    run = make_run([verdict("REVIEW-04", Outcome.FAILED, check=f"it[{n}]", evidence=(broken,)) for n in range(200)])

    finding = page(run, catalogue).get_element_by_id("REVIEW-04")

    assert len(finding.xpath(".//*[@class='case']")) == 3
    assert "197 more failed checks" in text(finding)
    assert "147 more are in run.jsonl" in text(finding)


def test_a_check_that_polled_for_long_keeps_its_probe(catalogue: Catalogue) -> None:
    """Of hundreds of exchanges the deciding ones are shown, in their order."""
    looks = tuple(exchange("look") for _ in range(300))
    run = make_run([verdict("REVIEW-04", Outcome.FAILED, evidence=(*looks, exchange("probe"), exchange("control")))])

    finding = page(run, catalogue).get_element_by_id("REVIEW-04")
    roles = [text(each) for each in finding.xpath(".//*[contains(@class, 'role')]")]

    assert roles[-2:] == ["probe", "control"]
    assert "278 more exchanges are in run.jsonl" in text(finding)


def test_an_unanswered_request_shows_the_trouble(catalogue: Catalogue) -> None:
    """A time-out is an exchange without a status."""
    run = make_run([verdict("REVIEW-04", Outcome.FAILED, evidence=(exchange(status=None),))])

    finding = text(page(run, catalogue).get_element_by_id("REVIEW-04"))

    assert "no answer" in finding
    assert "no complete answer within 10 s" in finding


def test_300_findings_with_large_bodies_stay_below_5_megabytes(huge: Run, catalogue: Catalogue) -> None:
    """However much a server sent, the page stays quick to open, and is quickly drawn."""
    started = time.process_time()
    source = draw_html(Material(huge, catalogue)).encode()

    assert len(source) < 5_000_000
    assert time.process_time() - started < 5
    assert b"What is missing here is in run.jsonl." in source


def test_900_failed_checks_with_hundreds_of_exchanges_stay_below_5_megabytes(huge: Run, catalogue: Catalogue) -> None:
    """What a page says around evidence is bounded as well as the evidence."""
    evidence = tuple(exchange("look", milliseconds=n) for n in range(100)) + huge.verdicts[0].evidence
    many = [evolve(each, evidence=evidence, check=f"it[{n}]") for each in huge.verdicts for n in range(3)]

    assert len(draw_html(Material(make_run(many), catalogue)).encode()) < 5_000_000


def test_a_single_finding_is_shown_whole(huge: Run, catalogue: Catalogue) -> None:
    """Only a long report has to be short on evidence."""
    huge.verdicts = [evolve(huge.verdicts[0], evidence=huge.verdicts[0].evidence[:4])]

    assert "is in run.jsonl" not in draw_html(Material(huge, catalogue))


def test_the_same_run_gives_the_same_page(failing: Run, catalogue: Catalogue) -> None:
    """Nothing but the record and the catalogue goes in."""
    assert draw_html(Material(failing, catalogue)) == draw_html(Material(failing, catalogue))
