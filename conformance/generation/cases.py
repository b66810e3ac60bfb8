"""Stories for people, and as case files: a story that failed is written down, and carried out again from there."""

from pathlib import Path
from typing import Any

from conformance.files import insist_on_schema, load_yaml
from conformance.generation.lifecycle import EVERY_LAW, Act, Create, Get, List, Ordered, Review, Ship, Step
from conformance.generation.stories import MOST_AT_ONCE, Story
from conformance.outcome import UsageError


def sentence(step: Act) -> str:
    """Return what a step does, for a person who follows the story."""
    if isinstance(step, Ship):
        return f"ship order {step.order + 1}"
    if isinstance(step, Create):
        units = " + ".join(map(str, step.units))
        kind = "return" if step.returned else "refund without return"
        stray = "" if step.astray is None else f", and of a line of order {step.astray + 1},"
        return f"create a {kind} of {units} units of order {step.order + 1}{stray} under key {step.key}"
    if isinstance(step, List):
        return f"list order {step.order + 1} with {'no limit' if step.limit is None else f'limit {step.limit}'}"
    stray = "" if step.astray is None else f" under order {step.astray + 1}"
    if isinstance(step, Get):
        return f"get the refund of key {step.key}{stray}"
    named = "" if step.named is None else f" while naming that of key {step.named}"
    who = "" if step.by is None else f" with the token {step.by}"
    what = "take another action on" if step.neither else "approve" if step.approve else "reject"
    return f"{what} the refund of key {step.key}{named}{stray}{who}"


def as_data(story: Story) -> dict[str, Any]:
    """Return a story as the data of a case file."""
    return {
        "name": story.name,
        "orders": [{"units": list(order.units), "shipped": order.shipped} for order in story.orders],
        "steps": [_step_data(step) for step in story.steps],
        "at_once": [_step_data(step) for step in story.at_once],
    }


def _step_data(step: Act) -> dict[str, Any]:
    if isinstance(step, Ship):
        return {"ship": step.order}
    strays = {name: getattr(step, name, None) for name in STRAYS}
    more = {name: value for name, value in strays.items() if value is not None and value is not False}
    if isinstance(step, Create):
        kind = 1 if step.returned else 2
        return {"create": step.key, "order": step.order, "units": list(step.units), "type": kind} | more
    if isinstance(step, Review):
        return {"approve" if step.approve else "reject": step.key} | more
    return {"get": step.key} | more if isinstance(step, Get) else {"list": step.order, "limit": step.limit}


_COUNT = {"type": "integer", "minimum": 0, "maximum": 1000}
_UNITS = {"type": "array", "minItems": 1, "maxItems": 50, "items": {**_COUNT, "maximum": 2**65}}


STRAYS = {
    "astray": _COUNT, "named": _COUNT, "neither": {"const": True}, "by": {"enum": ["read_refunds", "unrelated"]},
}  # fmt: skip
"""Members of a step that may be left out."""


def _members(**members: Any) -> dict[str, Any]:
    required = [name for name in members if name not in STRAYS]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": members}


_STEP = [
    _members(create=_COUNT, order=_COUNT, units=_UNITS, type={"enum": [1, 2]}, astray=_COUNT),
    *(_members(**{name: _COUNT}, **STRAYS) for name in ("approve", "reject")),
    _members(get=_COUNT, astray=_COUNT),
    _members(list=_COUNT, limit={"type": ["integer", "null"], "minimum": 1, "maximum": 250}),
]


def _steps(most: int, *members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "maxItems": most, "items": {"anyOf": members}}


CASE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["requirement", "name", "orders", "steps", "at_once"],
    "properties": {
        "requirement": {"type": "string"},
        "name": {"type": "string"},
        "orders": {"type": "array", "minItems": 1, "items": _members(units=_UNITS, shipped={"type": "boolean"})},
        "steps": _steps(1000, *_STEP, _members(ship=_COUNT)),
        "at_once": _steps(MOST_AT_ONCE, *_STEP),
    },
}


def load_case(path: Path) -> tuple[str, Story]:
    """Return the requirement, one of those that stories are held against, and the story of a case file.

    Raises:
        UsageError: it is no case file; the message names the place.
    """
    data = load_yaml(path)
    insist_on_schema(path, data, CASE_SCHEMA)
    if data["requirement"] not in EVERY_LAW:
        told = f"no story is held against {data['requirement']!r}, but against {', '.join(EVERY_LAW)}"
        raise UsageError(f"{path}: at requirement: {told}")
    orders = tuple(Ordered(tuple(order["units"]), order["shipped"]) for order in data["orders"])
    steps = tuple(Ship(step["ship"]) if "ship" in step else _read_step(step) for step in data["steps"])
    at_once = tuple(map(_read_step, data["at_once"]))
    for step in (*steps, *at_once):
        named = [step.order if isinstance(step, Create | List | Ship) else None, getattr(step, "astray", None)]
        for number in named:
            if number is not None and number >= len(orders):
                raise UsageError(f"{path}: a step names order {number}, but there are only {len(orders)} (from 0 on)")
        if isinstance(step, Create) and len(step.units) != len(orders[step.order].units):
            raise UsageError(f"{path}: create {step.key} must name the units of each line of order {step.order}")
    return data["requirement"], Story(data["name"], orders, steps, at_once)


def _read_step(data: dict[str, Any]) -> Step:
    if "create" in data:
        return Create(data["create"], data["order"], tuple(data["units"]), data["type"] == 1, data.get("astray"))
    if "list" in data:
        return List(data["list"], data["limit"])
    if "get" in data:
        return Get(data["get"], data.get("astray"))
    approve = "approve" in data
    strays = {name: data[name] for name in STRAYS if name in data}
    return Review(data["approve" if approve else "reject"], approve, **strays)
