"""Tells a GitHub job of each requirement that is not kept, as annotations made from ``conformance.json``."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def annotations(report: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each failed requirement, errors before warnings, and one for all that was blocked."""
    failed = [entry for entry in report["requirements"] if entry["state"] == "failed"]
    for entry in sorted(failed, key=lambda entry: entry["level"] != "MUST"):
        check = next(check for check in entry["checks"] if check["outcome"] == "failed")
        title = f"{entry['id']} ({entry['level']}, {entry['basis']}): page lines {', '.join(map(str, entry['lines']))}"
        told = f"{entry['text']}\nexpected {check['expected']}\nobserved {check['observed']}"
        yield line("error" if entry["level"] == "MUST" else "warning", title, told)
    blocked = [entry["id"] for entry in report["requirements"] if entry["state"] == "blocked"]
    if blocked:
        yield line("warning", "Could not be checked", ", ".join(blocked))


def line(kind: str, title: str, told: str) -> str:
    """Return a workflow command; nothing that a server said can end it or begin another."""
    escaped = told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name = title.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{escaped}"


if __name__ == "__main__":
    for annotation in annotations(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))):
        sys.stdout.write(annotation + "\n")
