"""The catalogue: requirements and readings from ``spec/``, loaded strictly and checked against each other."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

from conformance.files import insist_on_schema, parse_yaml
from conformance.outcome import UsageError

AREAS = (
    "access", "creation", "idempotency", "shipment", "amounts", "records",
    "review", "listing", "reading", "isolation", "races", "robustness", "nearmiss", "lifecycle",
)  # fmt: skip
SEARCHING_AREAS = frozenset({"nearmiss", "lifecycle"})
OPERATIONS = ("create", "review", "list", "get")

_LINES = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 468}}
_REQUIREMENTS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["area", "prefix", "requirements"],
    "properties": {
        "area": {"enum": list(AREAS)},
        "prefix": {"type": "string", "pattern": "^[A-Z]+$"},
        "requirements": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "level", "basis", "lines", "operations", "text", "why"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[A-Z]+-[0-9]{2,3}$"},
                    "level": {"enum": ["MUST", "SHOULD", "MAY"]},
                    "basis": {"enum": ["stated", "by example", "implied", "open"]},
                    "lines": _LINES,
                    "operations": {"type": "array", "minItems": 1, "items": {"enum": list(OPERATIONS)}},
                    "text": {"type": "string", "minLength": 10},
                    "why": {"type": "string", "minLength": 10},
                    "causes": {"type": "array", "items": {"type": "string", "minLength": 10}},
                    "field": {"type": "string"},
                    "readings": {"type": "array", "items": {"type": "string", "pattern": "^A[0-9]{2}$"}},
                },
            },
        },
    },
}
_READINGS_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "place", "lines", "readings", "accepted"],
        "properties": {
            "id": {"type": "string", "pattern": "^A[0-9]{2}$"},
            "place": {"type": "string"},
            "lines": _LINES,
            "readings": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            "accepted": {"type": "string"},
            "observed": {"type": "string"},
        },
    },
}
_PAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["sections", "normative", "untestable"],
    "properties": {
        "normative": _LINES,
        "sections": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["title", "from", "to"],
                "properties": {
                    "title": {"type": "string"}, "from": {"type": "integer"}, "to": {"type": "integer"},
                },
            },
        },
        "untestable": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["lines", "reason"],
                "properties": {"lines": _LINES, "reason": {"type": "string", "minLength": 10}},
            },
        },
    },
}  # fmt: skip


@frozen
class Requirement:
    """One thing an implementation owes, in our words, with the page lines it rests on."""

    id: str
    area: str
    level: str
    basis: str
    lines: tuple[int, ...]
    operations: tuple[str, ...]
    text: str
    why: str
    causes: tuple[str, ...] = ()
    field: str | None = None
    readings: tuple[str, ...] = ()

    @property
    def searches(self) -> bool:
        """Whether generated requests judge it: they look for whatever is wrong, and find what others name, too."""
        return self.area in SEARCHING_AREAS or self.id.startswith("ROBUST-8")


@frozen
class Reading:
    """A place where the page is vague: its legal readings, and what the suite accepts."""

    id: str
    place: str
    lines: tuple[int, ...]
    readings: tuple[str, ...]
    accepted: str
    observed: str | None = None


@frozen
class Section:
    """A part of the page, from one line to another."""

    title: str
    first: int
    last: int


@frozen
class Catalogue:
    """Everything ``spec/`` says, in the order of its files."""

    requirements: dict[str, Requirement]
    readings: dict[str, Reading]
    sections: tuple[Section, ...]
    untestable: dict[int, str]
    digest: str
    normative: tuple[int, ...] = ()

    def documenting(self, operation: str, field: str) -> Requirement | None:
        """Return the *records* requirement of a field in the answers of an operation.

        A field without one belongs to the nearest field around it that has one, and at last to the wrapper.
        """
        parts = field.split(".")
        around = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        for name in (*around, "refunds" if operation == "list" else "refund"):
            for requirement in self.requirements.values():
                if requirement.field == name and operation in requirement.operations:
                    return requirement
        return None


def spec_folder() -> Path:
    """Return the folder with the data: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    return package / "spec" if (package / "spec").is_dir() else package.parent / "spec"


@cache
def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Return the catalogue of a folder, by default the suite's own.

    Raises:
        UsageError: a file is missing, has an unknown key, a duplicate or unknown id; the message names the place.
    """
    folder = folder or spec_folder()
    digest = hashlib.sha256()
    requirements: dict[str, Requirement] = {}
    for area in AREAS:
        path = folder / "requirements" / f"{area}.yaml"
        data = _load(path, _REQUIREMENTS_SCHEMA, digest)
        if data["area"] != area:
            raise UsageError(f"{path}: says area {data['area']!r}, but its name says {area!r}")
        for entry in data["requirements"]:
            identifier = entry["id"]
            if identifier in requirements:
                raise UsageError(f"{path}: {identifier} is there twice")
            if not identifier.startswith(data["prefix"] + "-"):
                raise UsageError(f"{path}: {identifier} does not start with {data['prefix']}-")
            requirements[identifier] = _requirement(area, entry)
    readings = _readings(folder / "readings.yaml", digest)
    page = _load(folder / "page.yaml", _PAGE_SCHEMA, digest)
    for requirement in requirements.values():
        for reading in requirement.readings:
            if reading not in readings:
                raise UsageError(f"{folder}: {requirement.id} names the unknown reading {reading}")
    return Catalogue(
        requirements=requirements,
        readings=readings,
        sections=tuple(Section(entry["title"], entry["from"], entry["to"]) for entry in page["sections"]),
        normative=tuple(page["normative"]),
        untestable={line: entry["reason"] for entry in page["untestable"] for line in entry["lines"]},
        digest=digest.hexdigest()[:16],
    )


def load_proof() -> dict[str, dict[str, list[str]]]:
    """Return the faults that each check of a requirement is proven to catch; none if the catalogue is another now."""
    path = spec_folder() / "proof.json"
    if not path.exists():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    return data["catches"] if data["catalogue"] == load_catalogue().digest else {}


def _requirement(area: str, entry: dict[str, Any]) -> Requirement:
    return Requirement(
        id=entry["id"],
        area=area,
        level=entry["level"],
        basis=entry["basis"],
        lines=tuple(entry["lines"]),
        operations=tuple(entry["operations"]),
        text=entry["text"].strip(),
        why=entry["why"].strip(),
        causes=tuple(entry.get("causes", ())),
        field=entry.get("field"),
        readings=tuple(entry.get("readings", ())),
    )


def _readings(path: Path, digest: Any) -> dict[str, Reading]:
    readings: dict[str, Reading] = {}
    for entry in _load(path, _READINGS_SCHEMA, digest):
        if entry["id"] in readings:
            raise UsageError(f"{path}: {entry['id']} is there twice")
        readings[entry["id"]] = Reading(
            id=entry["id"],
            place=entry["place"],
            lines=tuple(entry["lines"]),
            readings=tuple(entry["readings"]),
            accepted=entry["accepted"],
            observed=entry.get("observed"),
        )
    return readings


def _load(path: Path, schema: dict[str, Any], digest: Any) -> Any:
    data = parse_yaml(path, path.read_text(encoding="utf-8"))
    digest.update(path.read_bytes())
    insist_on_schema(path, data, schema)
    return data
