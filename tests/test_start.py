"""How little is imported before it is needed: what makes the command line quick to start."""

import subprocess
import sys
from pathlib import Path

BEFORE_THE_FIRST_REQUEST = """
import sys
import conformance.http.wire
from conformance.cli import main
def first(*_, **__):
    raise SystemExit("|".join(sys.modules))
conformance.http.wire.Wire._send_once = first
main(["run", "--out", sys.argv[1]], standalone_mode=False)
"""


def imported(program: str, *words: str) -> set[str]:
    """Return the names of the packages that a program has imported when it prints them and ends."""
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=300, check=False
    )
    shown = done.stderr or done.stdout
    assert "|" in shown, shown
    return {name.split(".")[0] if not name.startswith("conformance") else name for name in shown.strip().split("|")}


def test_help_imports_next_to_nothing() -> None:
    """Only click, and no module that reads the spec, sends requests or knows the checks."""
    program = "import sys; from conformance.cli import main; main(['--help'], standalone_mode=False)"
    heavy = {"pytest", "httpx", "rich", "jinja2", "yaml", "hypothesis", "schemathesis", "werkzeug", "jsonschema_rs"}

    assert not imported(f"{program}; print('|'.join(sys.modules), file=sys.stderr)") & heavy


def test_reports_and_generators_are_imported_after_the_first_request(tmp_path: Path) -> None:
    """What draws reports, generates requests or is wrong on purpose can wait."""
    late = {"jinja2", "harfile", "hypothesis", "schemathesis", "conformance.proof", "conformance.faults"}

    assert not imported(BEFORE_THE_FIRST_REQUEST, str(tmp_path)) & late
