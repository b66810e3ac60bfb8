"""Near misses: requests one edit away from a legal one, an edit for each keyword of the schema of each member.

Nothing here is drawn: the same body gives the same near misses, in the same order and under the same names. A near miss
either must be refused, or is a lenient spelling: it may be refused, or taken for the legal value and for nothing else.
"""

import copy
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.http.client import ABSENT, Absent
from conformance.judging import contract

Place = tuple[str | int, ...]
Edit = Callable[[str], Any]
MARK = "this member is there twice"
FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + digit) for digit in range(10)))

IN_A_LIST = "in a list"
LETTERS, HALF, CONDITION = "with letters behind", "with a half", "as a condition"
HALF_AS_NUMBER, NEGATIVE, EMPTY_OBJECT = "with a half as a number", "negative", "an empty object"
NEXT_TO_THE_ENUM = (0, 3, 4, 2**32 + 1)
"""Numbers next to the enum 1 and 2, and one that 32 bits hold as 1; what is not 0 is tried as text."""
NONE_OF_THEM, NAN = "left empty", float("nan")

SPELLED: dict[str, Edit] = {
    "with a zero fraction": lambda digits: f"{digits}.0",
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
    LETTERS: lambda digits: f"{digits}abc",
    HALF: lambda digits: f"{digits}.5",
    "with a comma": lambda digits: f"{digits},1",
    "twice in one text": lambda digits: f"{digits} {digits}",
    "with a superscript": lambda digits: f"{digits}\u00b2",
    CONDITION: lambda _: "' OR '1'='1",
    NEGATIVE: lambda digits: f"-{digits}",
}
"""Texts that are no spelling of a number that could be meant."""
CUT_SHORT = ("with a comma", LETTERS, "twice in one text", "with a superscript")
"""Those that begin with a number; each member is tried with one of them."""

OF_ANOTHER_TYPE: dict[str, Any] = {EMPTY_OBJECT: {}, "false": False}
OTHER_IDS: dict[str, Edit] = {
    "with a digit more": lambda digits: f"{digits}0",
    "without its last digit": lambda digits: digits[:-1],
}
"""Ids of nothing that is there."""
NEXT = "and one"
"""An id that is the same floating-point number, if there is one."""
LENGTHS: dict[str, Edit] = {
    "a character too short": lambda key: key[:19],
    "of one character": lambda key: key[:1],
    "a character too long": lambda key: key.ljust(51, "K"),
    "far too long": lambda key: key.ljust(200, "K"),
    "as a number": lambda key: int("1" + "".join(filter(str.isdigit, key)).rjust(19, "0")),
}
"""Edits of a key of 20 to 50 characters."""
BODIES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda text: text[:-1],
    "left out": lambda _: b"",
    "nested deeply": lambda text: b"[" * 5000 + text + b"]" * 5000,
    "in a list": lambda text: b"[" + text + b"]",
    "an empty list": lambda _: b"[]",
    "null": lambda _: b"null",
    "a number": lambda _: b"1",
}
"""Edits of a whole body."""
PARSERS = 3
"""So many of them, the first, are for the parser itself."""
VAGUE = frozenset({"quantity"})
"""Members that only the examples show to be required, so that nothing says what it means to leave them out (A10)."""
EMPTY_MATTERS = frozenset({"requestNo", "action"})
"""Members that are taken for left out when they are empty."""


@frozen
class NearMiss:
    """One edit of a legal request: where, which, for which keyword, and the value, or ``ABSENT``.

    ``whole`` edits the text of the body itself. A ``sharp`` one is what some library or some parser takes for legal.
    """

    place: Place
    edit: str
    keyword: str
    value: Any
    must_be_refused: bool
    twice: bool = False
    whole: Callable[[bytes], bytes] | None = None
    sharp: bool = False

    @property
    def name(self) -> str:
        """What tells it from the other near misses of an operation."""
        return f"{self.where} {self.edit}".strip()

    @property
    def where(self) -> str:
        """The names of the members that lead to what it edits."""
        return ".".join(str(part) for part in self.place if part != 0)

    @property
    def member(self) -> str:
        """The name of the innermost member that it edits."""
        return str(next((part for part in reversed(self.place) if isinstance(part, str)), ""))

    def applied_to(self, body: Any) -> bytes:
        """Return a legal body with this edit, as JSON."""
        if self.whole is not None:
            return self.whole(json.dumps(body, ensure_ascii=False).encode())
        edited = copy.deepcopy(body)
        inside = edited
        for part in self.place[:-1]:
            inside = inside[part]
        last = self.place[-1]
        if isinstance(self.value, Absent):
            del inside[last]
            return json.dumps(edited, ensure_ascii=False).encode()
        if not self.twice:
            inside[last] = self.value
            return json.dumps(edited, ensure_ascii=False).encode()
        inside[last] = MARK
        once = json.dumps(self.value, ensure_ascii=False)
        text = json.dumps(edited, ensure_ascii=False)
        return text.replace(json.dumps(MARK), f"{once}, {json.dumps(last)}: {once}").encode()


def near_misses(schema: str, body: Any) -> list[NearMiss]:
    """Return the near misses of a legal body, by the named schema of the document."""
    top = {"$ref": f"#/components/schemas/{schema}"}
    whole = [
        NearMiss((), f"body {edit}", "syntax", None, must_be_refused=True, whole=make, sharp=number < PARSERS)
        for number, (edit, make) in enumerate(BODIES.items())
    ]
    return [*whole, *_walk(top, body, (), required=True)]


def near_parameters(operation: str, values: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the near misses of an operation's legal parameters by name: those that texts can be, or that lack one."""
    declared = {each["name"]: each for each in contract.operation_object(operation)["parameters"]}
    found: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        found[f"{name} {NEXT}"] = values | {name: str(int(value) + 1) if value.isdecimal() else f"{value}1"}
        for miss in _walk(declared[name]["schema"], value, (name,), required=True):
            if miss.must_be_refused and isinstance(miss.value, str | Absent):
                left = {key: text for key, text in values.items() if key != name}
                found[miss.name] = left if isinstance(miss.value, Absent) else values | {name: miss.value}
    return found


def spellings(digits: str) -> dict[str, str]:
    """Return the other spellings of a whole number, as a query carries them."""
    return {edit: make(digits) for edit, make in SPELLED.items()}


def _walk(schema: dict[str, Any], value: Any, place: Place, *, required: bool) -> Iterator[NearMiss]:
    schema = contract.resolved(schema)
    if place:
        yield from _of_another_type(schema, value, place, required=required)
        yield from _not_there(value, place, required=required)
        yield NearMiss(place, "twice", "uniqueness", value, must_be_refused=False, twice=True)
    if isinstance(value, dict):
        for name, inner in value.items():
            needed = name in schema.get("required", ())
            yield from _walk(schema["properties"][name], inner, (*place, name), required=needed)
    elif isinstance(value, list):
        for edit, other in {"and null": [*value, None], "as their first": value[0], NONE_OF_THEM: []}.items():
            yield NearMiss(place, edit, "items", other, must_be_refused=bool(other), sharp=True)
        yield from _inside(schema["items"], value[0], (*place, 0))
    elif (digits := _digits(schema, value)) is not None:
        yield from _of_a_number(schema, digits, place, required=required)
    elif "minLength" in schema:
        for edit, make in LENGTHS.items():
            typed = edit != "as a number"  # a reader that turns numbers into text has a whole key there (reading A21)
            keyword = ("maxLength" if "long" in edit else "minLength") if typed else "type"
            yield NearMiss(place, edit, keyword, make(value), must_be_refused=typed, sharp=True)


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
    listed = isinstance(value, dict) or _digits(schema, value) is not None
    sharp = required and listed and not _is_compared(schema, place)
    entry = int(value) if _keyword(schema, "enum") else value
    yield NearMiss(place, IN_A_LIST, "type", [entry], must_be_refused=strict, sharp=sharp)
    if isinstance(value, dict | list):
        yield NearMiss(place, "as text", "type", json.dumps(value), must_be_refused=strict, sharp=required)


def _not_there(value: Any, place: Place, *, required: bool) -> Iterator[NearMiss]:
    """Yield a required member left out, and as what stands for nothing."""
    if not required or place[-1] in VAGUE:
        return
    yield NearMiss(
        place, "left out", "required", ABSENT, must_be_refused=True, sharp=not isinstance(value, dict | list)
    )
    yield NearMiss(place, "null", "type", None, must_be_refused=True, sharp=isinstance(value, dict | list))
    if isinstance(value, str | int):
        yield NearMiss(place, "empty", "pattern", "", must_be_refused=True, sharp=place[-1] in EMPTY_MATTERS)


def _is_compared(schema: dict[str, Any], place: Place) -> bool:
    """Say whether a member is an id of a review, which a target compares with those of the refund in the path."""
    return len(place) == 1 and _digits(schema, "") is not None and not _keyword(schema, "enum")


def _of_a_number(schema: dict[str, Any], digits: str, place: Place, *, required: bool) -> Iterator[NearMiss]:
    enum = bool(_keyword(schema, "enum"))
    for edit, spell in SPELLED.items():
        yield NearMiss(place, edit, "enum" if enum else "pattern", spell(digits), must_be_refused=False)
    strict, counts = required or enum, place[-1] in VAGUE
    for edit, distort in DISTORTED.items():
        keyword = "enum" if enum else "minimum" if edit == NEGATIVE else "pattern"
        cut = edit == _cut_short(place) and not _is_compared(schema, place)
        sharp = required and (cut or (counts and edit in {HALF, NEGATIVE}))
        yield NearMiss(place, edit, keyword, distort(digits), must_be_refused=strict, sharp=sharp)
    others: dict[str, Any] = {"true": True}
    if enum:
        others |= {HALF_AS_NUMBER: float(f"{digits}.5")}
        others |= {f"{number}": number and str(number) for number in NEXT_TO_THE_ENUM}
    elif counts:
        others |= {"zero": 0, HALF_AS_NUMBER: float(f"{digits}.5"), "as no number": NAN}
    else:  # an id, which may be no number on a target that breaks the page
        others |= {"zero": 0, **{edit: make(digits) for edit, make in OTHER_IDS.items()}}
    for edit, other in others.items():
        unknown = edit in OTHER_IDS and place[-1] == "orderId"
        sharp = required and (enum or counts or (unknown and not _is_compared(schema, place)))
        keyword = "type" if edit == "true" else "enum" if enum else "minimum" if edit == "zero" else "pattern"
        yield NearMiss(place, edit, keyword, other, must_be_refused=strict, sharp=sharp or edit == "3")


def _cut_short(place: Place) -> str:
    """Return the one of the edits to be cut short that a member is tried with."""
    return CUT_SHORT[len(str(place[-1])) % len(CUT_SHORT)]


def _digits(schema: dict[str, Any], value: Any) -> str | None:
    """Return the digits of a member that takes whole numbers in either wire form."""
    forms = schema.get("anyOf", ())
    takes_numbers = any(form.get("type") in {"integer", "number"} for form in forms)
    return str(value) if takes_numbers else None


def _keyword(schema: dict[str, Any], keyword: str) -> Any:
    """Return a keyword of a schema or of any of its forms."""
    return next((form[keyword] for form in (schema, *schema.get("anyOf", ())) if keyword in form), None)


def in_standard(tables: Mapping[str, list[NearMiss]], telling: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Return the names of the near misses of each operation that are few enough for every run.

    All that are sharp; the ``telling`` edits of some members; and every other edit of one member of one operation.
    """
    chosen = {
        operation: {miss.name for miss in misses if miss.sharp or miss.edit in telling.get(miss.where, ())}
        for operation, misses in tables.items()
    }
    everything = [(operation, miss) for operation, misses in tables.items() for miss in misses]
    tried = {miss.edit for operation, miss in everything if miss.name in chosen[operation]}
    for index, edit in enumerate(dict.fromkeys(miss.edit for _, miss in everything if miss.edit not in tried)):
        having = [(operation, miss) for operation, miss in everything if miss.edit == edit]
        operation, miss = having[index % len(having)]
        chosen[operation].add(miss.name)
    return chosen
