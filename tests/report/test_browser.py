"""The page in a real browser: it loads nothing, fits, filters, links, prints, and everyone can read it."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import evolve
from playwright.sync_api import Browser, Page, sync_playwright

from conformance.catalogue import Catalogue
from conformance.report import draw
from conformance.results import Run

from .runs import exchange

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = HERE.parents[1] / "build" / "screenshots"
WIDTHS = (360, 1024, 1920)

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium that says nothing to anyone."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    assert path, "there is no Chromium: install it (apt-get install chromium), or leave these out with -m 'not browser'"
    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=quiet)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, catalogue: Catalogue, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of a run from disk; in the end it has complained of nothing and asked for nothing."""
    complaints: list[str] = []
    contexts = []

    def open_it(run: Run, fragment: str = "", **options: Any) -> Page:
        path = draw(run, catalogue, tmp_path, ["html"])["html"]
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked(request.url, path))
        page.goto(path.as_uri() + fragment)
        return page

    def asked(url: str, path: Path) -> None:
        if url.partition("#")[0] != path.as_uri() and not url.startswith("blob:"):
            complaints.append(f"request: {url}")

    yield open_it
    for context in contexts:
        context.close()
    assert not complaints


def shown(page: Page) -> set[str]:
    """Return the ids of the requirements that the list of the page shows."""
    links = page.locator(".requirements > li:visible > a")
    return set(links.all_text_contents())


def test_the_page_fits(any_run: Run, open_page: Open) -> None:
    """Nothing is wider than the window, whatever a server sent."""
    page = open_page(any_run)

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_different_and_kept_as_pictures(
    failing: Run, open_page: Open, scheme: Literal["light", "dark"]
) -> None:
    """The page follows the reader's choice; someone can look at the page of every change."""
    page = open_page(failing, color_scheme=scheme)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)

    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark is (scheme == "dark")


def test_axe_finds_nothing(any_run: Run, open_page: Open) -> None:
    """Contrast, names, structure and keyboard access keep to WCAG, in light and in dark, on wide and on narrow."""
    assert AXE.exists(), "axe-core is not installed: npm ci --prefix tests/report"
    page = open_page(any_run)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    # Findings that are laid out only when they come into view would move while axe looks at what covers what.
    page.evaluate("document.querySelectorAll('.finding').forEach((e) => { e.style.contentVisibility = 'visible'; })")
    page.evaluate(AXE.read_text(encoding="utf-8"))

    looks: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1024), ("dark", 360))
    for scheme, width in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate("axe.run()")
        assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found["violations"]] == []


def test_outcomes_filter(failing: Run, open_page: Open) -> None:
    """Chosen outcomes are shown, in findings and in the list alike; none chosen means all."""
    page = open_page(failing)
    everything = shown(page)

    page.get_by_role("checkbox", name="failed").check()
    assert shown(page) == {"CREATE-04", "REVIEW-01", "REVIEW-04"}
    page.get_by_role("checkbox", name="blocked").check()
    assert shown(page) == {"CREATE-04", "REVIEW-01", "REVIEW-04", "LIST-01"}
    assert page.locator("#filter-count").text_content() == "4 of 7 requirements"
    page.get_by_role("button", name="Reset").click()
    assert shown(page) == everything
    assert len(everything) == 7


@pytest.mark.parametrize(
    ("label", "choice", "left"),
    [
        ("Level", "SHOULD", {"CREATE-04"}),
        ("Area", "review", {"REVIEW-01", "REVIEW-04"}),
        ("Operation", "list", {"ACCESS-01", "LIST-01"}),
    ],
)
def test_level_area_and_operation_filter(
    failing: Run, open_page: Open, label: str, choice: str, left: set[str]
) -> None:
    """Each narrows the list, and hides the findings that it leaves out."""
    page = open_page(failing)

    page.get_by_label(label, exact=True).select_option(choice)

    assert shown(page) == left
    findings = {"CREATE-04", "REVIEW-01", "REVIEW-04"} & left
    assert page.locator("#findings article:visible").count() == len(findings)


def test_free_text_filters(failing: Run, open_page: Open) -> None:
    """All words must occur, in whatever case."""
    page = open_page(failing)

    page.get_by_label("Search").fill("APPROVED status")

    assert shown(page) == {"REVIEW-01"}


@pytest.mark.parametrize("width", [360, 768, 1024, 1920])
def test_a_deep_link_leads_to_its_requirement(failing: Run, open_page: Open, width: int) -> None:
    """The finding is in view when the page opens, and the filter, which stays in view as well, does not cover it."""
    page = open_page(failing, "#CREATE-04", viewport={"width": width, "height": 900})

    box = page.locator("#CREATE-04 h3").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 400
    place = [box["x"] + 5, box["y"] + 5]
    assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('h3') !== null", place)


def test_a_square_leads_to_its_finding(failing: Run, open_page: Open) -> None:
    """Whoever sees what failed in the picture is one key away from why."""
    page = open_page(failing)

    page.get_by_role("link", name="REVIEW-04 failed").press("Enter")

    assert page.evaluate("location.hash") == "#REVIEW-04"


def test_what_is_marked_in_a_long_body_comes_into_view(failing: Run, open_page: Open) -> None:
    """A reader need not look for the deciding line among thousands."""
    lines = ", ".join(f'{{"refundId": "{number}"}}' for number in range(1000))
    body = f'{{"refunds": [{lines}, {{"status": "3"}}]}}'
    seen = exchange("look", response_body=body, at="2026-05-04T10:00:02+00:00")
    failing.verdicts = [evolve(each, evidence=(*each.evidence, seen)) for each in failing.verdicts]
    page = open_page(failing, "#REVIEW-04")

    effect = page.locator("#REVIEW-04 li:last-child pre:has(mark)")
    effect.scroll_into_view_if_needed()

    for _ in range(100):
        scrolled = effect.evaluate("(found) => found.scrollTop")
        if scrolled:
            break
        page.wait_for_timeout(50)
    assert scrolled > 1000


def test_a_link_to_what_the_filter_hides_shows_it(failing: Run, open_page: Open) -> None:
    """A filter never makes a link dead."""
    page = open_page(failing)
    page.get_by_label("Search").fill("nothing has these words")
    assert not page.locator("#LIST-01").is_visible()

    page.evaluate("location.hash = '#LIST-01'")
    page.locator("#LIST-01").wait_for(state="visible")


def test_the_keyboard_is_enough(failing: Run, open_page: Open) -> None:
    """The first stop skips to the findings; outcomes, exchanges and links can be reached and used."""
    page = open_page(failing)

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#findings"
    page.get_by_role("checkbox", name="failed").focus()
    page.keyboard.press("Space")
    assert shown(page) == {"CREATE-04", "REVIEW-01", "REVIEW-04"}
    summary = page.locator("#REVIEW-04 summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("#REVIEW-04 details").first.get_attribute("open") is not None


def test_without_scripts_everything_can_be_read(failing: Run, open_page: Open) -> None:
    """Findings, exchanges and the list are there; what would need a script is not."""
    page = open_page(failing, java_script_enabled=False)

    assert page.get_by_role("heading", name="non-conformant", level=1).is_visible()
    assert not page.locator("#filter").is_visible()
    page.locator("#REVIEW-04 summary").first.click()
    assert page.get_by_text('"action": "create_order"').first.is_visible()


def test_hostile_text_does_nothing(hostile: Run, open_page: Open) -> None:
    """No script of a server runs and no image of one is asked for; its text is there to read."""
    page = open_page(hostile)

    assert page.locator("img").count() == 0
    assert page.get_by_text("<img src=x onerror=alert(2)>").count() > 0


def test_a_script_can_be_saved(failing: Run, open_page: Open) -> None:
    """``repro.sh`` comes as a file named after its requirement."""
    page = open_page(failing)
    page.locator("#REVIEW-04 .script > summary").click()

    with page.expect_download() as download:
        page.get_by_role("button", name="Save REVIEW-04.sh").click()

    assert download.value.suggested_filename == "REVIEW-04.sh"
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("#!/bin/sh\n")


def test_it_prints_a_summary_and_the_findings(failing: Run, open_page: Open) -> None:
    """On paper there is the verdict and what failed, and nothing that one would click."""
    page = open_page(failing)
    page.emulate_media(media="print")

    visible = {name: page.locator(name).is_visible() for name in ("#verdict", "#findings", "nav", "#filter", "#page")}

    assert visible == {"#verdict": True, "#findings": True, "nav": False, "#filter": False, "#page": False}
    assert page.pdf().startswith(b"%PDF-")


def test_300_findings_open_in_under_a_second(huge: Run, open_page: Open) -> None:
    """From the click until it has loaded, the best of three, since a machine may be busy with something else."""
    page = open_page(huge)
    seconds = []
    for _ in range(3):
        page.reload()
        seconds.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000)
    assert page.locator("#findings article").count() == 300

    assert 0 < min(seconds) < 1


@pytest.mark.parametrize("name", ["failing", "hostile"])
def test_the_traffic_opens_in_the_network_panel(
    name: str, request: pytest.FixtureRequest, browser: Browser, catalogue: Catalogue, tmp_path: Path
) -> None:
    """The panel of the browser's own tools takes the file, and has a row with the status for each exchange."""
    traffic = draw(request.getfixturevalue(name), catalogue, tmp_path, ["har"])["har"]
    entries = json.loads(traffic.read_text(encoding="utf-8"))["log"]["entries"]
    with browser.new_context() as context:
        tools = context.new_page()
        tools.goto("devtools://devtools/bundled/devtools_app.html?panel=network")
        tools.locator("input[type=file]").set_input_files(traffic)
        statuses = tools.locator("tr.data-grid-data-grid-node .status-column")
        statuses.nth(len(entries) - 1).wait_for(state="attached")
        told = statuses.all_inner_texts()

    assert told == [str(entry["response"]["status"]) for entry in entries]
