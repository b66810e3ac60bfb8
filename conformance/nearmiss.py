"""Near misses: requests one edit away from a legal one, an edit for each keyword of the schema of each member.

Nothing here is drawn: the same body gives the same near misses, in the same order and under the same names. A near miss
either must be refused, or is a lenient spelling: it may be refused, or taken for the legal value and for nothing else.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from conformance import contract

Place = tuple[str | int, ...]
Edit = Callable[[str], Any]
FRACTION, EMPTY_ENTRY = "with a zero fraction", "and an empty list"
"""The edits that are tried on every number and every list: ids are read as floating-point, and entries left out."""
MARK = "this member is there twice"
FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + digit) for digit in range(10)))

SPELLED: dict[str, Edit] = {
    FRACTION: lambda digits: f"{digits}.0",
    "with a space before": lambda digits: f" {digits}",
    "in Arabic digits": lambda digits: digits.translate(ARABIC),
    "with a space behind": lambda digits: f"{digits} ",
    "with an exponent": lambda digits: f"{digits}e0",
    "with a line break behind": lambda digits: f"{digits}\n",
    "with a plus": lambda digits: f"+{digits}",
    "in full-width digits": lambda digits: digits.translate(FULL_WIDTH),
    "with a zero before": lambda digits: f"0{digits}",
}
"""Other spellings of a whole number, which a lenient reader may take for it."""

DISTORTED: dict[str, Edit] = {
    "with a half": lambda digits: f"{digits}.5",
    "with a comma": lambda digits: f"{digits},1",
    "twice in one text": lambda digits: f"{digits} {digits}",
    "with a superscript": lambda digits: f"{digits}\u00b2",
    "negative": lambda digits: f"-{digits}",
    "Infinity": lambda _: "Infinity",
}
"""Texts that are no spelling of a number that could be meant."""

OF_ANOTHER_TYPE: dict[str, Any] = {"an empty object": {}, "an empty list": [], "false": False}
BY_HAND = {
    "refund.lineItems.quantity negative", "refund.lineItems.quantity with a half", "action with a half", "refund false",
    "refund.requestNo an empty object", "refund.requestNo an empty list", "refund.requestNo false",
}  # fmt: skip
"""Near misses whose like is in the tables that were written by hand."""
SHARE = 7
"""One edit in so many of a member is tried in the standard profile; of the next member, the edits next to them."""


@frozen
class NearMiss:
    """One edit of a legal request: where, which, for which keyword, the value; ``None`` if it may not be accepted."""

    place: Place
    edit: str
    keyword: str
    value: Any
    must_be_refused: bool
    twice: bool = False

    @property
    def name(self) -> str:
        """What tells it from the other near misses of an operation."""
        return f"{'.'.join(str(part) for part in self.place if part != 0)} {self.edit}"

    @property
    def member(self) -> str:
        """The name of the innermost member that it edits."""
        return str(next((part for part in reversed(self.place) if isinstance(part, str)), ""))

    def applied_to(self, body: Any) -> bytes:
        """Return a legal body with this edit, as JSON."""
        edited = copy.deepcopy(body)
        inside = edited
        for part in self.place[:-1]:
            inside = inside[part]
        last = self.place[-1]
        if not self.twice:
            inside[last] = self.value
            return json.dumps(edited, ensure_ascii=False).encode()
        inside[last] = MARK
        once = json.dumps(self.value, ensure_ascii=False)
        text = json.dumps(edited, ensure_ascii=False)
        return text.replace(json.dumps(MARK), f"{once}, {json.dumps(last)}: {once}").encode()


def near_misses(schema: str, body: Any) -> list[NearMiss]:
    """Return the near misses of a legal body, by the named schema of the document."""
    return list(_walk({"$ref": f"#/components/schemas/{schema}"}, body, (), required=True))


def spellings(digits: str) -> dict[str, str]:
    """Return the other spellings of a whole number, as a query carries them."""
    return {edit: make(digits) for edit, make in SPELLED.items()}


def _walk(schema: dict[str, Any], value: Any, place: Place, *, required: bool) -> Iterator[NearMiss]:
    schema = contract.resolved(schema)
    if place:
        yield from _of_another_type(schema, value, place, required=required)
        yield NearMiss(place, "twice", "uniqueness", value, must_be_refused=False, twice=True)
    if isinstance(value, dict):
        for name, inner in value.items():
            needed = name in schema.get("required", ())
            yield from _walk(schema["properties"][name], inner, (*place, name), required=needed)
    elif isinstance(value, list):
        extras: dict[str, Any] = {"and null": None, EMPTY_ENTRY: []}
        for edit, more in extras.items():
            yield NearMiss(place, edit, "items", [*value, more], must_be_refused=True)
        yield from _inside(schema["items"], value[0], (*place, 0))
    elif (digits := _digits(schema, value)) is not None:
        yield from _of_a_number(schema, digits, place, required=required)


def _inside(schema: dict[str, Any], value: Any, place: Place) -> Iterator[NearMiss]:
    """Yield the near misses of the members of a list's entry; the entry itself is edited with its list."""
    schema = contract.resolved(schema)
    for name, inner in value.items():
        yield from _walk(schema["properties"][name], inner, (*place, name), required=name in schema["required"])


def _of_another_type(schema: dict[str, Any], value: Any, place: Place, *, required: bool) -> Iterator[NearMiss]:
    """Yield values of other JSON types; those of a member that may be left out may be left aside, but for enums."""
    strict = required or bool(_keyword(schema, "enum"))
    for edit, other in OF_ANOTHER_TYPE.items():
        if not isinstance(value, type(other)):
            yield NearMiss(place, edit, "type", other, must_be_refused=strict)


def _of_a_number(schema: dict[str, Any], digits: str, place: Place, *, required: bool) -> Iterator[NearMiss]:
    enum = bool(_keyword(schema, "enum"))
    for edit, spell in SPELLED.items():
        yield NearMiss(place, edit, "enum" if enum else "pattern", spell(digits), must_be_refused=False)
    for edit, distort in DISTORTED.items():
        keyword = "enum" if enum else "minimum" if edit == "negative" else "pattern"
        yield NearMiss(place, edit, keyword, distort(digits), must_be_refused=required or enum)


def _digits(schema: dict[str, Any], value: Any) -> str | None:
    """Return the digits of a member that takes whole numbers in either wire form."""
    forms = schema.get("anyOf", ())
    takes_numbers = any(form.get("type") in {"integer", "number"} for form in forms)
    return str(value) if takes_numbers else None


def _keyword(schema: dict[str, Any], keyword: str) -> Any:
    """Return a keyword of a schema or of any of its forms."""
    return next((form[keyword] for form in (schema, *schema.get("anyOf", ())) if keyword in form), None)


def in_standard(misses: list[NearMiss], telling: frozenset[str]) -> frozenset[str]:
    """Return the names of the near misses that are few enough for every run.

    All of the ``telling`` members, which money follows; of the other members a share each, in turn, so that every edit
    is tried.
    """
    members = list(dict.fromkeys(miss.place for miss in misses))
    edits = list(dict.fromkeys(miss.edit for miss in misses))
    return frozenset(
        miss.name
        for miss in misses
        if miss.member in telling
        or miss.edit in {FRACTION, EMPTY_ENTRY}
        or (edits.index(miss.edit) - members.index(miss.place)) % SHARE == 0
    )
