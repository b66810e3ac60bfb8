"""What the OpenAPI document says of an exchange: which documented field is missing or has an illegal value."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from attrs import frozen

from conformance.catalogue import OPERATIONS, spec_folder
from conformance.http.answer import Answer
from conformance.outcome import UsageError

OPERATION_IDS = dict(zip(OPERATIONS, ("createRefund", "reviewRefund", "listRefunds", "getRefund"), strict=True))

MOST_ERRORS, MOST_ENTRIES = 2_000, 300
"""What is wrong with one answer, or with one of its lists, beyond that is more of the same."""


@frozen
class Breach:
    """One documented field that an answer leaves out or gives an illegal value."""

    operation: str
    field: str
    problem: str


@cache
def load_document(path: Path | None = None) -> dict[str, Any]:
    """Return the OpenAPI document as data, by default the suite's own.

    Raises:
        UsageError: it cannot be read, or is no OpenAPI document.
    """
    path = path or spec_folder() / "openapi.yaml"
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: the OpenAPI document cannot be read: {error}") from None
    if not isinstance(document, dict) or not {"openapi", "paths", "components"} <= document.keys():
        raise UsageError(f"{path}: is no OpenAPI document: it has no openapi, paths and components")
    return document


def operation_object(operation: str) -> dict[str, Any]:
    """Return the operation object of the document."""
    for path in load_document()["paths"].values():
        for candidate in path.values():
            if isinstance(candidate, dict) and candidate.get("operationId") == OPERATION_IDS[operation]:
                return candidate
    raise KeyError(operation)


@cache
def _answer_validator(operation: str) -> Any:
    response = operation_object(operation)["responses"]["200"]
    if "$ref" in response:
        response = _resolve(response["$ref"])
    return validator(response["content"]["application/json"]["schema"])


@cache
def _request_validator(operation: str) -> Any:
    body = operation_object(operation)["requestBody"]
    if "$ref" in body:
        body = _resolve(body["$ref"])
    return validator(body["content"]["application/json"]["schema"])


def validator(schema: dict[str, Any]) -> Any:
    """Return a validator for a schema that may refer to the document's components."""
    components = {"components": load_document()["components"]}
    return jsonschema_rs.validator_for({**schema, **components})


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with what it refers to in the place of the reference; its own members come first."""
    if "$ref" not in schema:
        return schema
    return {**_resolve(schema["$ref"]), **{name: value for name, value in schema.items() if name != "$ref"}}


def _resolve(reference: str) -> Any:
    node: Any = load_document()
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def example_of(operation: str) -> Any:
    """Return the document's example of a request body with every member, its numbers as text."""
    media = operation_object(operation)["requestBody"]["content"]["application/json"]
    return media["examples"]["quotedNumbers"]["value"]


def breaches_in(answer: Answer) -> list[Breach]:
    """Return what an accepted answer of one of the four operations leaves out or gets wrong; of any other nothing."""
    exchange = answer.exchange
    if exchange.trouble is not None or not answer.accepted or exchange.operation not in OPERATION_IDS:
        return []
    return list(breaches_of(exchange.operation, answer.json))


def breaches_of(operation: str, body: Any) -> Iterator[Breach]:
    """Yield what the body of a 2xx answer breaks, each field once."""
    validator = _answer_validator(operation)
    try:
        errors = () if validator.is_valid(body) else _errors(validator, body)
    except UnicodeEncodeError:  # a lone surrogate is legal JSON, and no text that the validator takes
        errors = _errors(validator, _encodable(body))
    seen: set[str] = set()
    for error in islice(errors, MOST_ERRORS):
        name = _field(operation, error)
        if name not in seen:
            seen.add(name)
            yield Breach(operation, name, _problem(error))


def _errors(validator: Any, body: Any) -> Any:
    """Return the errors of an invalid body: of the beginning of its lists, where there are any.

    The validator finds all errors before it tells the first, which takes seconds for thousands of entries.
    """
    beginning = _beginning(body)
    return validator.iter_errors(body if validator.is_valid(beginning) else beginning)


def _beginning(value: Any, levels: int = 8) -> Any:
    """Return a JSON value with its lists cut short, down to more levels than any documented value has."""
    if isinstance(value, list) and levels:
        return [_beginning(inner, levels - 1) for inner in value[:MOST_ENTRIES]]
    if isinstance(value, dict) and levels:
        return {name: _beginning(inner, levels - 1) for name, inner in value.items()}
    return value


def _encodable(value: Any) -> Any:
    """Return a JSON value with a question mark in the place of every lone surrogate."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_encodable(inner) for inner in value]
    if isinstance(value, dict):
        return {_encodable(name): _encodable(inner) for name, inner in value.items()}
    return value


IDS = frozenset({"refundId", "orderId", "customerId", "lineItems.lineItemId"})


def request_problem(operation: str, body: Any) -> str | None:
    """Return what is wrong with a request body of ours, or ``None``; for create and review.

    Ids are the target's own, or its order provider's: whether they are any is judged by the answers that show them.
    """
    for error in _request_validator(operation).iter_errors(body):
        name = _field(operation, error)
        if name in IDS and isinstance(error.instance, str) and error.instance:
            continue
        return f"{name}: {_problem(error)}"
    return None


def request_errors(operation: str, body: Any) -> list[Any]:
    """Return everything that is wrong with a request body, as the validator tells it; for create and review."""
    try:
        return list(_request_validator(operation).iter_errors(body))
    except UnicodeEncodeError:  # a lone surrogate is legal JSON, and no text that the validator takes
        return list(_request_validator(operation).iter_errors(_encodable(body)))


def place_of(operation: str, error: Any) -> tuple[str, str]:
    """Return the dotted name of the member that an error is about, and the keyword of its schema."""
    return _field(operation, error), str(error.schema_path[-1])


def _field(operation: str, error: Any) -> str:
    path = [part for part in error.instance_path if isinstance(part, str)]
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        path.append(str(error.kind.property))
    wrapper = "refunds" if operation == "list" else "refund"
    if path[:1] == [wrapper]:
        path = path[1:]
    return ".".join(path) or wrapper


def _problem(error: Any) -> str:
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        return "is missing"
    return f"has the illegal value {json.dumps(error.instance, default=str)}"
