"""Files that people write: YAML, read strictly, and without what makes a small file large or deep."""

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import yaml

from conformance.outcome import UsageError

MAX_FILE = 4 * 1024 * 1024
DEEPEST = 50
UNQUOTED = re.compile(r"\{[^}\n]*[^\"'$]\$\{")
"""A variable of the environment inside the braces of a mapping, where its own braces are taken for another."""
MOST_SAID = 300
"""Characters of what is wrong with a file; some messages hold all of it."""


class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML where text stays text: no dates, no floats (money is exact), no octal, no bytes, no duplicate keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Return the mapping; a key that is there twice, or is no plain value, is an error."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake("a key must be a plain value", key.start_mark)
            if key.value in seen:
                raise _mistake(f"{key.value!r} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
):
    StrictLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))
StrictLoader.yaml_constructors = {  # the others make what JSON does not have, when a tag asks for it
    tag: construct
    for tag, construct in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in {"map", "seq", "str", "int", "bool", "null"}
}


def load_yaml(path: Path) -> Any:
    """Return the data of a YAML file that somebody wrote.

    Raises:
        UsageError: the file cannot be read, is too long, or is no plain YAML; the message names the file and the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text") from None
    if len(text) > MAX_FILE:
        raise UsageError(f"{path}: is longer than any file of its kind")
    return parse_yaml(path, text, plain=False)


def insist_on_schema(path: Path, data: Any, schema: dict[str, Any]) -> None:
    """The data of a file keeps to a schema.

    Raises:
        UsageError: it does not; the message names the place of the first breach.
    """
    import jsonschema_rs  # starting quickly is for those who read no such file, too

    for error in jsonschema_rs.validator_for(schema).iter_errors(data):
        place = "/".join(map(str, error.instance_path)) or "the top"
        raise UsageError(f"{path}: at {place}: {error.message[:MOST_SAID]}")


def parse_yaml(path: Path, text: str, *, plain: bool = True) -> Any:
    """Return the data of a YAML text, read strictly; ``plain`` says that it is known to be neither deep nor to expand.

    Raises:
        UsageError: it is no YAML; the message names the file and the line.
    """
    try:
        if not plain:
            _insist_on_plain(text)
        data = yaml.load(text, Loader=StrictLoader)  # noqa: S506 - a safe loader
        _insist_on_names(path, data)
    # The last two are of tags that name another kind than the value is of.
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, TypeError) as error:
        hint = '. Inside braces a value like ${NAME} needs quotes: "${NAME}"' if UNQUOTED.search(text) else ""
        raise UsageError(f"{path}: is not valid YAML: {str(error)[:MOST_SAID]}{hint}") from None
    return data


def _insist_on_plain(text: str) -> None:
    # Aliases grow exponentially once somebody follows them, and depth ends the C library's recursion with a crash.
    depth = 0
    for event in yaml.parse(text, Loader=StrictLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _mistake("aliases are not taken: write the value out", event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _mistake("is nested too deeply", event.start_mark)


def _insist_on_names(path: Path, data: Any) -> None:
    for key in data if isinstance(data, dict) else ():
        if not isinstance(key, str):
            raise UsageError(f"{path}: is not valid YAML for this: the key {str(key)[:100]!r} is no text")
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        _insist_on_names(path, inner)


def _mistake(what: str, where: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, what, where)


def made_folder(path: Path) -> Path:
    """Return a folder that is there, made if it was not.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: the folder cannot be made: {error.strerror}. Choose another --out.") from None
    return path


def replace_text(path: Path, text: str, *, newline: str = "\n") -> Path:
    """Return a file that has this text; one that was there is replaced as a whole, or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    made_folder(path.parent)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", newline=newline)
        return beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
