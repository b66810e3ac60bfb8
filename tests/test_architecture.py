"""Who may import whom, and that the shelves carry the same labels."""

import ast
from pathlib import Path

import pytest

import conformance
from conformance.catalogue import AREAS, load_catalogue, spec_folder
from conformance.faults import load_faults
from conformance.running.plan import Plan
from conformance.running.plugin import files_of, find_checks

PACKAGE = Path(conformance.__file__).parent
KNOWN_BY = {
    "pytest": ("running/plugin.py", "running/hosted.py", "pytest_entry.py", "suite/"),
    "schemathesis": ("generation/generated.py",),
    "hypothesis": ("generation/generated.py", "generation/stories.py", "generation/seeded.py"),
    "werkzeug": ("reference/app.py", "faults/", "variants/"),
    "waitress": ("reference/server.py",),
    "httpx": ("http/", "running/session.py", "running/run.py", "proof.py"),
    "httpcore": ("http/transport.py",),
    "rich": ("console.py",),
    "jinja2": ("report/",),
    "click": ("cli.py", "commands/", "sandbox.py"),
    "sqlite3": ("reference/store.py", "sandbox.py"),
}


def imports_of(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


FILES = {str(path.relative_to(PACKAGE)): imports_of(path) for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("library", KNOWN_BY)
def test_a_library_is_known_where_it_belongs(library: str) -> None:
    """Each outside library is imported by the modules that are there for it, and by no other."""
    users = {name for name, modules in FILES.items() if any(m.split(".")[0] == library for m in modules)}
    strangers = {name for name in users if not name.startswith(KNOWN_BY[library])}

    assert users
    assert not strangers


LAYERS = ("http/", "judging/", "generation/", "running/", "suite/")


@pytest.mark.parametrize(("layer", "above"), [(layer, LAYERS[n + 1 :]) for n, layer in enumerate(LAYERS[:-1])])
def test_nothing_imports_what_is_built_on_it(layer: str, above: tuple[str, ...]) -> None:
    """Requests know nothing of judging them, nor either of what generates them, nor that of a run."""
    forbidden = tuple(f"conformance.{name.rstrip('/')}" for name in above)
    for name, modules in FILES.items():
        if name.startswith(layer):
            assert not {module for module in modules if module.startswith(forbidden)}, name


def test_the_reference_knows_nothing_of_faults_and_of_the_spec() -> None:
    """The honest server and the judging of it are written apart."""
    forbidden = ("conformance.faults", "conformance.variants", "conformance.catalogue", "conformance.judging.contract")
    for name, modules in FILES.items():
        if name.startswith("reference/"):
            assert not {module for module in modules if module.startswith(forbidden)}, name


def test_reports_are_drawn_from_the_record_alone() -> None:
    """No renderer reaches for a target, a client or a check."""
    session, plugin = "conformance.running.session", "conformance.running.plugin"
    forbidden = (session, plugin, "conformance.http.client", "conformance.http.wire")
    for name, modules in FILES.items():
        if name.startswith("report/"):
            assert not {module for module in modules if module.startswith(forbidden)}, name


def test_a_run_and_its_record_know_nothing_of_reports() -> None:
    """What is judged and written down does not depend on how it is drawn."""
    judging = ("http/", "judging/", "generation/", "running/", "suite/", "record.py", "results.py", "telling.py")
    for name, modules in FILES.items():
        if name.startswith(judging):
            assert not {module for module in modules if module.startswith("conformance.report")}, name


@pytest.mark.parametrize("area", AREAS)
def test_each_area_has_its_place_on_every_shelf(area: str) -> None:
    """Requirements, checks and faults of an area are in files of its name."""
    assert (spec_folder() / "requirements" / f"{area}.yaml").exists()
    assert (PACKAGE / "suite" / f"test_{area}.py").exists()
    assert (PACKAGE / "faults" / f"{area}.py").exists()


def test_every_requirement_has_a_check_and_every_check_a_sentence() -> None:
    """What is required is judged, and what judges says in a sentence what it does."""
    checks = find_checks(load_catalogue())

    assert set(load_catalogue().requirements) == {check.requirement for check in checks}
    assert not [check.name for check in checks if not check.sentence.endswith(".")]
    assert len({check.name for check in checks}) == len(checks)


def test_a_selection_looks_into_every_file_that_has_a_check_of_it() -> None:
    """Files that are passed over, for speed, hold nothing that was selected."""
    catalogue = load_catalogue()
    for check in find_checks(catalogue):
        looked_into = files_of(Plan(catalogue, None, selection=(check.requirement,)))
        assert check.name.split("::")[0] in {Path(name).stem for name in looked_into}, check.name


def test_every_fault_names_a_requirement_and_says_what_it_does() -> None:
    """A fault is of use only when it is known what it breaks."""
    for fault in load_faults().values():
        assert {fault.requirement, *fault.also} <= set(load_catalogue().requirements), fault.name
        assert fault.sentence.endswith("."), fault.name
