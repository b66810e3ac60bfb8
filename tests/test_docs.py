"""The documents: their commands are run, their links lead somewhere, and what is made from the code is up to date.

A block of shell commands is run in an empty folder, with the others of its document, and ends with 0 or what it says
(``sh exit=1``); one that needs what is not here says ``sh elsewhere``. A block that names a file becomes that file.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.reference.server import make_reference, serving
from docs.generate import PAGES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PROVIDERS = {
    "node": ["node", "provide-orders.mjs"],
    "python3": ["python3", "provide_orders.py"],
    "go": ["go", "run", "provide_orders.go"],
}
PAGES_WITH_COMMANDS = sorted(path for path in DOCS.glob("*.md") if "\n```sh\n" in path.read_text(encoding="utf-8"))
LINKING = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.glob("*.md"))]


@pytest.fixture
def shop() -> Iterator[dict[str, str]]:
    """An environment with a server to judge in it, and a way to make orders there."""
    reference = make_reference()
    with serving(reference.app) as origin:
        target = reference.target(origin)
        yield {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", "/"),
            "NO_COLOR": "1",
            "GENSTORE_URL": target.base_url,
            "GENSTORE_TOKEN": target.tokens["full"],
            "SHOP_ORDERS": str(target.orders.url),
        }
    reference.store.close()


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """Return the fenced blocks of a document: language, what follows it, text."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"^```([a-z]+) ?([^\n]*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: page.stem)
def test_the_commands_of_a_document_do_what_it_says(page: Path, tmp_path: Path, shop: dict[str, str]) -> None:
    """One after another, with the exit status that the document gives."""
    for provider in (DOCS / "providers").iterdir():
        shutil.copy(provider, tmp_path)
    for language, note, text in blocks(page):
        if language != "sh":
            if note:
                (tmp_path / note).write_text(text)
            continue
        if note == "elsewhere":
            continue
        expected = int(note.removeprefix("exit=")) if note else 0
        done = subprocess.run(
            ["bash", "-euc", text], cwd=tmp_path, env=shop, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == expected, f"{text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("language", [name for name in PROVIDERS if shutil.which(name)])
def test_an_example_of_an_order_provider_provides_orders(language: str, tmp_path: Path, shop: dict[str, str]) -> None:
    """In each language that is here: shipped and unshipped ones, and one that is shipped later."""
    for provider in (DOCS / "providers").iterdir():
        shutil.copy(provider, tmp_path)
    (tmp_path / "mine.yaml").write_text(
        "base_url: ${GENSTORE_URL}\ntokens: {full: '${GENSTORE_TOKEN}'}\n"
        f"orders: {{command: {PROVIDERS[language]}}}\nnot_available: [other_shop, scoped_tokens]\n"
    )
    done = subprocess.run(
        ["genstore-conformance", "run", "mine.yaml", "--select", "shipment"],
        cwd=tmp_path, env=shop, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed, 0 blocked" in done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_a_page_made_from_the_code_is_up_to_date(page: str) -> None:
    """When it is not: ``make docs``."""
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page](), "make docs"


def anchors(path: Path) -> set[str]:
    """Return where a link into a document can lead: its headings, and the places named in it."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in headings} | set(
        re.findall(r'<a id="([^"]+)"', text)
    )


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_links_of_a_document_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading in it."""
    for target, _, anchor in (link.partition("#") for link in re.findall(r"]\(([^)]+)\)", page.read_text())):
        if target.startswith("https:"):
            continue
        found = (page.parent / target) if target else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


def test_every_document_is_named_in_the_readme() -> None:
    """A page that nobody finds is no page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert not [page.name for page in DOCS.glob("*.md") if f"docs/{page.name}" not in readme]


def test_every_dependency_is_justified() -> None:
    """Each library of the project has its line."""
    told = (DOCS / "dependencies.md").read_text(encoding="utf-8").lower()
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]:
        name = re.split(r"[\[<>=]", line)[0]
        assert re.search(rf"^\| .*\b{name}\b", told, flags=re.MULTILINE), line
