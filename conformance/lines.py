"""The shape of each line of a record, by its kind; a member that is not named here may be anything."""

from functools import cache
from typing import Any

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
MAYBE_TEXT = {"type": ["string", "null"]}
BOOLEAN = {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 0, "maximum": 2**53}
MAYBE_STATUS = {"type": ["integer", "null"], "minimum": 0, "maximum": 999}
SECONDS = {"type": "number", "minimum": 0, "maximum": 1e9}
MOMENT = {"type": "string", "pattern": r"^(19|2\d)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d+)?([+-]\d\d:\d\d|Z)$"}
DAY = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}
HEADERS = {"type": "object", "additionalProperties": TEXT}


def _object(optional: dict[str, Any] | None = None, **required: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


EVIDENCE = _object(
    {"decides": BOOLEAN, "aside": BOOLEAN, "inexact": BOOLEAN},
    role=TEXT, operation=TEXT, at=TEXT, method=TEXT, url=TEXT, request_headers=HEADERS, request_body=MAYBE_TEXT,
    status=MAYBE_STATUS, response_headers=HEADERS, response_body=TEXT, cut_off=BOOLEAN, trouble=MAYBE_TEXT,
    milliseconds=COUNT, curl=TEXT,
)  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "header": _object(
        {
            "not_available": TEXTS, "selection": TEXTS, "seed": COUNT, "started": MOMENT, "profile": TEXT,
            "shard": {"anyOf": [{"type": "null"}, _object(index=COUNT, of=COUNT)]},
            "target": _object({"name": TEXT, "base_url": TEXT, "tokens": TEXTS}),
        },
    ),
    "verdict": _object(
        {
            "explanation": TEXT, "expected": TEXT, "observed": TEXT, "lacks": MAYBE_TEXT, "again": TEXT,
            "waived": TEXT, "steps": TEXTS, "seconds": SECONDS, "requests": COUNT,
        },
        requirement=TEXT, check=TEXT, outcome={"enum": ["passed", "failed", "blocked", "error"]}, level=TEXT,
        basis=TEXT, area=TEXT, title=TEXT, lines={"type": "array", "items": COUNT},
        evidence={"type": "array", "items": EVIDENCE},
    ),
    "ledger": _object(
        {"opened": TEXT, "request_no": TEXT, "amount": TEXT, "own": BOOLEAN, "left": TEXT},
        what=TEXT, id=TEXT, order=TEXT, shop=TEXT, state=TEXT,
    ),
    "waiver": _object(
        {"checks": COUNT},
        requirement=TEXT, reason=TEXT, owner=TEXT, ticket=TEXT, expires=DAY, observed=TEXT, state=TEXT,
    ),
    "reach": _object(
        {"accepted": COUNT, "refused": COUNT, "broken": COUNT, "unsent": COUNT},
        operation=TEXT, parameter=TEXT, keyword=TEXT,
    ),
    "observation": _object({"check": TEXT}, reading=TEXT, observed=TEXT),
    "discovery": _object(requirement=TEXT, case=TEXT, expected=TEXT, observed=TEXT, steps=TEXTS),
    "footer": _object(
        {"seconds": SECONDS, "requests": COUNT, "order_requests": COUNT, "tidy_requests": COUNT, "writes": COUNT,
         "planned": COUNT, "workers": COUNT, "limited": COUNT, "interrupted": BOOLEAN,
         "suite_error": MAYBE_TEXT, "noticed": TEXTS, "blocked_reason": MAYBE_TEXT},
    ),
}  # fmt: skip


def insist_on_shape(kind: str, line: dict[str, Any]) -> None:
    """The members of a line are what its kind says.

    Raises:
        ValueError: the kind is unknown, or a member is missing or no such value; the message names it.
    """
    if kind not in SHAPES:
        raise ValueError(f"unknown kind {kind[:40]!r}")
    for error in _validator(kind).iter_errors(line):
        place = "/".join(map(str, error.instance_path))
        raise ValueError(f"{kind}{f' at {place}' if place else ''}: {error.message[:200]}")


@cache
def _validator(kind: str) -> Any:
    import jsonschema_rs  # reading a record is rare, and starting quickly is not

    return jsonschema_rs.validator_for(SHAPES[kind], validate_formats=True)
