"""``summary.md`` is short, and its Markdown is ours alone."""

from typing import Any

from attrs import evolve
from lxml import html
from markdown_it import MarkdownIt

from conformance.catalogue import Catalogue
from conformance.report.markdown import draw_markdown
from conformance.report.material import Material
from conformance.results import Run

from .runs import HOSTILE


def rendered(run: Run, catalogue: Catalogue) -> Any:
    """Return the summary as a CI system renders it."""
    made = MarkdownIt("commonmark", {"html": True}).enable("table").render(draw_markdown(Material(run, catalogue)))
    return html.document_fromstring(f"<body>{made}</body>")


def test_it_tells_verdict_areas_findings_and_reasons(failing: Run, catalogue: Catalogue) -> None:
    """The verdict is the heading; a table has the areas; failures have their four lines."""
    page = rendered(failing, catalogue)
    text = page.text_content()

    assert page.xpath("//h1")[0].text_content() == "❌ non-conformant"
    assert [" ".join(row.text_content().split()) for row in page.xpath("//tbody/tr")] == [
        "access 1", "creation 1", "review 2", "listing 1",
    ]  # fmt: skip
    assert "  observed  200, and status went from 1 to 3\n" in text
    assert "the refunds of the order could not be looked up: 404\n  LIST-01" in text
    assert page.xpath("//a/@href") == ["report.html"]


def test_a_declared_lack_is_told(blocked: Run, catalogue: Catalogue) -> None:
    """The sentence of the verdict names it."""
    assert "conformant, 1 requirement not checked: other_shop" in rendered(blocked, catalogue).text_content()


def test_hostile_text_is_shown_and_makes_no_element(hostile: Run, catalogue: Catalogue) -> None:
    """Neither HTML nor Markdown of a server is obeyed."""
    page = rendered(hostile, catalogue)

    assert not page.xpath("//script | //img | //@onerror")
    assert set(page.xpath("//a/@href")) <= {"report.html", "report.html#errors"}
    assert HOSTILE[0] in page.text_content()


def test_it_stays_below_60_kilobytes(huge: Run, catalogue: Catalogue) -> None:
    """The ten worst findings stand for all."""
    text = draw_markdown(Material(huge, catalogue))

    assert len(text.encode()) <= 60_000
    assert "290 more findings in [report.html](report.html)" in text


def test_findings_give_way_when_even_ten_are_too_long(huge: Run, catalogue: Catalogue) -> None:
    """Text that grows when it is escaped does not break the limit."""
    growing = "<&>" * 4000
    huge.verdicts = [
        evolve(each, title=growing, expected=growing, observed=growing, again=growing) for each in huge.verdicts
    ]

    text = draw_markdown(Material(huge, catalogue))

    assert len(text.encode()) <= 60_000
    assert "more findings in" in text
