"""The terminal tells of a run, live or in plain lines, and obeys nothing a server sent."""

import io
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from attrs import frozen

from conformance import console
from conformance.catalogue import Catalogue, load_catalogue
from conformance.clock import VirtualClock
from conformance.outcome import Outcome
from conformance.proof import ORIGIN, InProcess
from conformance.results import Run
from conformance.running.run import Options, run
from conformance.variants import load_variants

from .runs import REQUIREMENTS, make_run, verdict


@frozen
class Named:
    """A check or a fault as ``list`` and ``explain`` need it."""

    name: str
    requirement: str = ""
    sentence: str = ""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests decides how they look."""
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def shown(run: Run, catalogue: Catalogue, *, verbose: bool = False) -> str:
    """Return the summary of a run as it is printed where there is no terminal."""
    out = io.StringIO()
    console.summary(run, catalogue, {"html": Path("reports/report.html")}, verbose=verbose, out=out)
    return out.getvalue()


def follow(out: io.StringIO) -> None:
    """Let a short run be told to a progress that writes to a stream."""
    with console.Progress(out) as progress:
        progress.planned(Counter(wanted.area for wanted in REQUIREMENTS[:3]))
        for wanted, outcome in zip(REQUIREMENTS[:3], (Outcome.PASSED, Outcome.FAILED, Outcome.PASSED), strict=True):
            progress.started("check", wanted)
            progress.judged(verdict(wanted.id, outcome), 12)


def test_the_summary_tells_failures_reasons_areas_and_the_verdict(failing: Run, catalogue: Catalogue) -> None:
    """Failures worst first in their four lines, then what was blocked, the areas, the verdict, counts and paths."""
    text = shown(failing, catalogue)

    in_order = [
        "REVIEW-04 (MUST, stated) A refused approval changes nothing\n  page lines 235–236 · PUT",
        "  observed  200, and status went from 1 to 3\n  reproduce curl",
        "CREATE-04 (SHOULD, implied)",
        "blocked: the refunds of the order could not be looked up: 404\n  LIST-01\n",
        "requirements of  failed  blocked  passed\n",
        "review                2        ·       ·\n",
        "\nnon-conformant\n",
        "6 checks: 2 passed, 3 failed, 1 blocked, 0 error; 18 requests in 4.25 s\n",
        "reports/report.html\n",
    ]
    places = [text.index(words) for words in in_order]
    assert places == sorted(places)


def test_a_declared_lack_is_told_as_not_checked(blocked: Run, catalogue: Catalogue) -> None:
    """The verdict names it, and the requirements stand under it."""
    text = shown(blocked, catalogue)

    assert "not checked: the target file says that other_shop is not available\n  ISOLATE-01\n" in text
    assert "\nconformant, 1 requirement not checked: other_shop\n" in text


def test_a_reason_comes_once_with_the_requirements_it_blocks(catalogue: Catalogue) -> None:
    """A server that cannot be reached fills no screen."""
    run = make_run(
        [
            verdict(REQUIREMENTS[n % 7].id, Outcome.BLOCKED, explanation=f"no order {n}", check=str(n))
            for n in range(100)
        ]
    )

    assert shown(run, catalogue).count("no order") == 1


def test_a_line_of_ten_thousand_characters_fills_no_screen(catalogue: Catalogue) -> None:
    """It is cut off, and it is said where all of it is."""
    failed = verdict(REQUIREMENTS[0].id, Outcome.FAILED, expected="e" * 10_000, observed="o", check="long")
    text = shown(make_run([failed]), catalogue)

    assert max(map(len, text.splitlines())) <= console.MOST_LINE
    assert "whole in the record" in text


@pytest.mark.parametrize("name", ["interrupted", "empty", "erroneous"])
def test_every_run_has_a_verdict(name: str, request: pytest.FixtureRequest, catalogue: Catalogue) -> None:
    """Also one that was cut short, did nothing, or met an error of the suite."""
    run = request.getfixturevalue(name)

    assert f"{run.sentence}\n" in shown(run, catalogue)


def test_an_error_of_the_suite_shows_its_traceback(erroneous: Run, catalogue: Catalogue) -> None:
    """Whoever meets one can report it."""
    assert '  |   File "suite.py", line 1\n  | RuntimeError: the suite is wrong\n' in shown(erroneous, catalogue)


def test_verbose_shows_the_exchanges(failing: Run, catalogue: Catalogue) -> None:
    """What was sent and what came back, for each failure."""
    assert "200 in 12 ms: {" not in shown(failing, catalogue)
    assert "200 in 12 ms: {" in shown(failing, catalogue, verbose=True)


def test_hostile_text_is_neither_obeyed_nor_taken_for_markup(hostile: Run, catalogue: Catalogue) -> None:
    """Escapes are written out, markup is shown, and no line begins as a command of a CI system."""
    text = shown(hostile, catalogue, verbose=True)

    assert all(character == "\n" or character.isprintable() for character in text)
    assert "[bold red]markup[/]" in text
    assert "##vso[" not in text
    assert not [line for line in text.split("\n") if line.lstrip().startswith("::")]


def test_a_curl_line_is_not_broken(failing: Run, catalogue: Catalogue) -> None:
    """It can be copied as it stands, however narrow the terminal."""
    assert '-H "X-Genstore-Access-Token: $GENSTORE_TOKEN"\n' in shown(failing, catalogue)


def test_progress_without_a_terminal_is_a_line_for_each_area() -> None:
    """A CI log stays short and has no escapes in it."""
    out = io.StringIO()
    follow(out)

    assert out.getvalue() == "access: 1 check\ncreation: 2 checks, 1 failed\n"


def test_progress_in_ci_is_plain_even_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some CI systems give their jobs a terminal that nobody watches."""
    monkeypatch.setenv("CI", "true")
    out = Terminal()
    follow(out)

    assert out.getvalue() == "access: 1 check\ncreation: 2 checks, 1 failed\n"


def test_progress_on_a_terminal_is_live_and_leaves_nothing() -> None:
    """One line tells area, checks, failures and pace; in the end the cursor is back."""
    out = Terminal()
    follow(out)
    text = out.getvalue()

    assert "creation" in text
    assert "3/3 checks" in text
    assert "1 failed" in text
    assert "12 requests" in text
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")


def test_progress_of_a_run_that_breaks_off_gives_the_terminal_back() -> None:
    """Leaving the context ends the live line, whatever happened inside."""
    out = Terminal()
    with console.Progress(out) as progress:
        progress.planned({"access": 5})
        progress.started("check", REQUIREMENTS[0])
        progress.judged(verdict("ACCESS-01"), 3)

    assert out.getvalue().rfind("\x1b[?25h") > out.getvalue().rfind("\x1b[?25l")


def test_no_color_is_respected(failing: Run, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour is for terminals, and only unless the user says no."""
    coloured, plain = Terminal(), Terminal()
    console.summary(failing, catalogue, {}, out=coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    console.summary(failing, catalogue, {}, out=plain)

    assert "\x1b[31m" in coloured.getvalue()
    assert "\x1b[31m" not in plain.getvalue()


def test_importing_the_console_does_not_import_rich() -> None:
    """A command that prints nothing pretty does not wait for it."""
    program = "import sys, conformance.console; sys.exit('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_list_has_a_line_for_each_requirement_with_checks(catalogue: Catalogue) -> None:
    """Id, level, basis, page lines, number of checks, text."""
    out = io.StringIO()
    console.list_requirements(catalogue, [Named("a", "REVIEW-04"), Named("b", "REVIEW-04")], out=out)

    row = next(line for line in out.getvalue().split("\n") if line.startswith("REVIEW-04"))
    assert row.split()[:5] == ["REVIEW-04", "MUST", "stated", "235–236", "2"]


def test_explain_tells_all_that_is_known(catalogue: Catalogue) -> None:
    """What it owes, why, where, likely causes, checks and the faulty servers that break it."""
    out = io.StringIO()
    checks = [Named("test_review::test_it", "REVIEW-04", "A late approval\n    changes nothing.")]
    faults = [Named("refuses-but-revives", sentence="Answers 409, yet carries it out.")]
    console.explain(catalogue, "REVIEW-04", checks, faults, out=out)
    text = out.getvalue()

    for words in (
        "REVIEW-04 (MUST, stated) A refused approval changes nothing",
        "A slip of the client must not decide about money.",
        "page lines 235–236",
        "The new status is saved before the request is checked.",
        "test_review::test_it  A late approval changes nothing.",
        "fault:refuses-but-revives  Answers 409, yet carries it out.",
    ):
        assert words in text


def test_what_makes_a_run_slow_is_told_before_its_first_check(tmp_path: Path) -> None:
    """On a target whose effects show late the waiting is explained while it is still to come."""
    out, clock = io.StringIO(), VirtualClock()
    reference = load_variants()["lists-later"].make(clock)
    with console.Progress(out) as progress:
        run(
            reference.target(ORIGIN), load_catalogue(), tmp_path, Options(selection=("RECORD-01",), keep=True),
            listener=progress, clock=clock, transport=InProcess(app=reference.app),
        )  # fmt: skip
    reference.store.close()

    told = out.getvalue()
    assert told.index("effects show late: after a write, a look waits 1.") < told.index("records: 1 check")
