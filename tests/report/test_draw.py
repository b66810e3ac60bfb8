"""Reports are written whole, and hold nothing harmful in any format."""

import time
from pathlib import Path

import pytest
from attrs import evolve

from conformance.catalogue import Catalogue
from conformance.outcome import UsageError
from conformance.record import Record, read_record
from conformance.report import FORMATS, draw
from conformance.results import Run


def test_the_paths_of_what_was_written_are_returned(failing: Run, catalogue: Catalogue, tmp_path: Path) -> None:
    """By default the page, the JUnit file and the scripts; the folder is made when it is not there."""
    new = tmp_path / "new"

    paths = draw(failing, catalogue, new)

    assert paths == {"html": new / "report.html", "junit": new / "junit.xml", "repro": new / "repro"}
    assert all(path.stat().st_size for path in paths.values())


def test_every_format_draws_every_run(any_run: Run, catalogue: Catalogue, tmp_path: Path) -> None:
    """No run is too odd to be reported, and no other file is left behind."""
    paths = draw(any_run, catalogue, tmp_path, list(FORMATS))

    assert sorted(tmp_path.iterdir()) == sorted(paths.values())


def test_scripts_of_an_earlier_run_do_not_stay(
    failing: Run, conformant: Run, catalogue: Catalogue, tmp_path: Path
) -> None:
    """There is a script for each failed check of this run, and no folder for none."""
    draw(failing, catalogue, tmp_path)
    assert {path.name for path in (tmp_path / "repro").iterdir()} == {"CREATE-04.sh", "REVIEW-01.sh", "REVIEW-04.sh"}

    draw(conformant, catalogue, tmp_path)

    assert not (tmp_path / "repro").exists()


def test_scripts_that_are_not_ours_stay(conformant: Run, catalogue: Catalogue, tmp_path: Path) -> None:
    """A folder of the same name may hold what somebody else wrote, and a run without failures leaves it there."""
    theirs = tmp_path / "repro" / "by-hand.sh"
    theirs.parent.mkdir()
    theirs.write_text("true\n", encoding="utf-8")

    draw(conformant, catalogue, tmp_path)

    assert theirs.read_text(encoding="utf-8") == "true\n"


def test_no_script_is_written_elsewhere(failing: Run, catalogue: Catalogue, tmp_path: Path) -> None:
    """A record of another's making may give a requirement any name; it does not choose the place."""
    failing.verdicts = [evolve(each, requirement=f"../../{each.requirement}") for each in failing.verdicts]

    draw(failing, catalogue, tmp_path / "a" / "b", list(FORMATS))

    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".html", ".xml", ".md", ".json", ".har"}


def test_an_unknown_format_is_the_users_mistake(failing: Run, catalogue: Catalogue, tmp_path: Path) -> None:
    """The message names the formats there are, and nothing is written."""
    with pytest.raises(UsageError, match=r"there is no format 'pdf'\. Formats: html, junit"):
        draw(failing, catalogue, tmp_path, ["html", "pdf"])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_the_users_mistake(
    failing: Run, catalogue: Catalogue, tmp_path: Path
) -> None:
    """One clear message, no traceback."""
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="the folder cannot be made"):
        draw(failing, catalogue, tmp_path / "file")


def test_an_old_report_is_replaced_as_a_whole(
    failing: Run, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads while a report is drawn sees the old one or the new one."""
    (tmp_path / "report.html").write_text("old")
    seen = []
    replace = Path.replace

    def look_first(self: Path, target: Path) -> Path:
        seen.append((tmp_path / "report.html").read_text())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", look_first)
    draw(failing, catalogue, tmp_path, ["html"])

    assert seen[0] == "old"
    assert (tmp_path / "report.html").read_text() != "old"


@pytest.mark.parametrize("name", list(FORMATS))
def test_no_format_holds_a_harmful_character(hostile: Run, catalogue: Catalogue, tmp_path: Path, name: str) -> None:
    """Control characters, halves of pairs and marks of direction are written out."""
    text = draw(hostile, catalogue, tmp_path, [name])[name].read_text(encoding="utf-8")

    assert all(character in "\n\t" or character.isprintable() for character in text)


@pytest.mark.parametrize("name", list(FORMATS))
def test_no_format_is_endless(endless: Run, catalogue: Catalogue, tmp_path: Path, name: str) -> None:
    """However much a record holds in one place, a report of it stays small and is soon drawn."""
    started = time.process_time()

    path = draw(endless, catalogue, tmp_path, [name])[name]

    assert path.stat().st_size < 20_000_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_record_that_was_read_again_gives_the_same_report(
    hostile: Run, catalogue: Catalogue, tmp_path: Path, name: str
) -> None:
    """``report`` draws from ``run.jsonl`` what the run itself drew."""
    record = Record(tmp_path / "run.jsonl", hostile.header)
    for verdict in hostile.verdicts:
        record.add(verdict)
    for observation in hostile.observations:
        record.add(observation)
    run = record.close(requests=1, seconds=2.5, interrupted=False)

    first = draw(run, catalogue, tmp_path / "a", [name])[name].read_bytes()
    again = draw(read_record(tmp_path / "run.jsonl"), catalogue, tmp_path / "a", [name])[name].read_bytes()

    assert again == first


def test_reports_may_be_read_by_whoever_may_read_the_folder(failing: Run, catalogue: Catalogue, tmp_path: Path) -> None:
    """A report has the permissions of any new file."""
    (tmp_path / "other").write_text("")

    path = draw(failing, catalogue, tmp_path, ["html"])["html"]

    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_record_with_a_bare_header_can_be_drawn(catalogue: Catalogue, tmp_path: Path) -> None:
    """What another version of the suite left out is left out of the reports."""
    paths = draw(Run(header={"format": 1}), catalogue, tmp_path, list(FORMATS))

    assert "unnamed target" in paths["html"].read_text(encoding="utf-8")
