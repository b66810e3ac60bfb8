"""The shape of the target file, key by key, and what is said to whoever misses it."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema_rs
from attrs import fields_dict

from conformance.http.limits import Limits
from conformance.outcome import UsageError
from conformance.settings import RUN_SETTINGS

CAPABILITIES = ("other_shop", "ship_order", "scoped_tokens", "unshipped_orders")
SCOPED_TOKENS = ("write_refunds", "write_refund", "read_refunds", "unrelated")

_SECONDS = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": "^[0-9]*[.]?[0-9]+$", "not": {"pattern": "^[0.]+$"}},
    ]
}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


def _mapping(description: str, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "additionalProperties": False, "required": list(required), "properties": properties,
        "description": description,
    }  # fmt: skip


def _seconds(limit: str, description: str) -> dict[str, Any]:
    return {**_SECONDS, "default": fields_dict(Limits)[limit].default, "description": description}


_SHOP: dict[str, Any] = {
    "name": _text("free text, shown in the reports; by default the file's name"),
    "base_url": _text("everything before `/api/202412`"),
    "tokens": _mapping(
        "values of the header `X-Genstore-Access-Token`",
        ("full",),
        full=_text("with `write_refunds`, `write_refund` and `read_refunds`; the only one required"),
        write_refunds=_text("with exactly this scope"),
        write_refund=_text("with exactly this scope"),
        read_refunds=_text("with exactly this scope"),
        unrelated=_text("valid, with no refund scope at all"),
    ),
    "orders": _mapping(
        "where test orders come from: exactly one of the three",
        url=_text("an order provider over HTTP"),
        command={
            "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
            "description": "an order provider as a program and its arguments, run in the folder of this file",
        },
        pool=_text("a file of orders prepared by hand"),
    ),
}  # fmt: skip
RUN_PATHS = ("out", "waivers")
_PATH = {"type": "string", "minLength": 1}
_WORD = {"type": ["string", "integer"]}
_LIST = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
_FLAG = {"type": ["boolean", "string"]}
_KINDS: dict[str, dict[str, Any]] = {
    "out": _PATH, "waivers": _PATH, "select": _LIST, "format": _LIST, "keep": _FLAG, "read_only": _FLAG,
}  # fmt: skip
"""What an option of a run is in YAML, where it is no plain word or number; the command line says what it may be."""
SCHEMA: dict[str, Any] = _mapping(
    "the target file",
    ("base_url", "tokens", "orders"),
    **_SHOP,
    other_shop=_mapping("a second shop on the same implementation", ("base_url", "tokens"), **_SHOP),
    tls=_mapping(
        "how the target's certificate is checked",
        ca_file=_text("the certificate authority that signed it"),
        verify={"type": "boolean", "default": True, "description": "false takes any certificate; all reports say so"},
    ),
    proxy=_text("an HTTP proxy for every request but those to this machine; none by default, whatever the environment"),
    headers={
        "type": "object", "additionalProperties": {"type": "string", "minLength": 1},
        "description": "sent with every request",
    },
    not_available={
        "type": "array", "items": {"enum": list(CAPABILITIES)},
        "description": "what this target is known to lack",
    },
    run=_mapping(
        "options of `run` as they are to be when nothing else is said",
        (),
        **{
            name: _KINDS.get(name, _WORD) | {"description": f"`run --{name.replace('_', '-')}`"}
            for name in RUN_SETTINGS
        },
    ),
    limits=_mapping(
        "how long anything may take, in seconds",
        connect=_seconds("connect", "until a connection stands"),
        answer=_seconds("answer", "until an answer is complete"),
        settle=_seconds("settle", "until an effect shows"),
        poll=_seconds("poll", "from one look for an effect to the next"),
        provider=_seconds("provider", "until an order provider that is a program has answered"),
        rate_limited=_seconds("rate_limited", "of nothing but 429 and 503, until the run gives up on the target"),
        progress=_seconds("progress", "that an operation may cost without an answer; then it is asked no more"),
    ),
)  # fmt: skip


def insist_on_target(data: Any, path: Path, schema: dict[str, Any] = SCHEMA) -> None:
    """The data of a file are those of a target file, as far as a schema can say.

    Raises:
        UsageError: they are not; the message names the place and says what is expected there, and never what stood
            there, which may be a token.
    """
    if not isinstance(data, dict):
        raise UsageError(f"{path}: is not a target file: it must be a mapping with base_url, tokens and orders")
    for place, keys, known in _mappings(data):
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f" Did you mean {near[0]}?" if near else f" Known keys: {', '.join(known)}."
                raise UsageError(f"{path}: {place}unknown key {key!r}.{hint}")
    for error in jsonschema_rs.validator_for(schema).iter_errors(data):
        place = "/".join(map(str, error.instance_path))
        shown = error.message if "required" in str(error.schema_path) else _expected(schema, error.schema_path)
        raise UsageError(f"{path}: {place or 'the file'}: {shown}. See docs/target-file.md or the README.")


_NAMES = {
    "string": "a text", "integer": "a whole number", "boolean": "true or false", "array": "a list",
    "object": "a mapping",
}  # fmt: skip


def _expected(schema: dict[str, Any], way: Iterable[str | int]) -> str:
    """Return what a schema asks for at the end of a way into it, in words."""
    told, kinds = "", ""
    inner: Any = schema
    for step in way:
        if isinstance(inner, dict):
            told, kinds = inner.get("description", told), _kinds(inner) or kinds
        inner = inner[step]
    return f"must be {kinds}" + (f" ({told})" if told else "")


def _kinds(schema: dict[str, Any]) -> str:
    """Return the kinds of values that a schema takes, in words."""
    if schema.get("anyOf") == _SECONDS["anyOf"]:
        return "a number above 0"
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    kinds += [inner["type"] for inner in schema.get("anyOf", ()) if isinstance(inner.get("type"), str)]
    words = " or ".join(_NAMES.get(kind, kind) for kind in kinds)
    return words + (" that is not empty" if schema.get("minLength") or schema.get("minItems") else "")


def _mappings(data: dict[str, Any]) -> list[tuple[str, list[Any], list[str]]]:
    found = [("", list(data), list(SCHEMA["properties"]))]
    found += [
        (f"{name}: ", list(data[name]), list(SCHEMA["properties"][name]["properties"]))
        for name in ("tokens", "orders", "other_shop", "tls", "run", "limits")
        if isinstance(data.get(name), dict)
    ]
    other = data.get("other_shop")
    if isinstance(other, dict):
        for name in ("tokens", "orders"):
            if isinstance(other.get(name), dict):
                known = list(_SHOP[name]["properties"])
                found.append((f"other_shop/{name}: ", list(other[name]), known))
    return found
