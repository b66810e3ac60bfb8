"""Text from a server made fit to be shown: harmless in any format, on one line, or indented as JSON."""

import json
import re
from collections.abc import Iterator
from typing import Any

# What no reader can see and some readers obey: control characters, the two non-characters that XML forbids,
# halves of surrogate pairs, line and paragraph separators, and marks that turn the direction of writing.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|".*', re.DOTALL)
_DEEPEST = 12

LONGEST = 100_000
"""Characters of one text; a record of this suite's own has none that long."""


def harmless(text: str) -> str:
    r"""Return the text, or its first part, with every harmful character written out, as in ``\x1b``.

    Newlines and tabs stay. All that a report shows passes here, so that nothing in it is endless.
    """
    return _HARMFUL.sub(_written_out, shortened(text, LONGEST))


def one_line(text: str) -> str:
    r"""Return the text harmless and on one line; a newline in it is written out as ``\n``."""
    return harmless(text).strip().replace("\n", "\\n").replace("\t", "\\t")


def shortened(text: str, most: int) -> str:
    """Return the text with at most so many characters; one that was cut ends in an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def indented(text: str) -> str:
    """Return JSON, or as much of it as was kept, one value on a line; any other text comes back as it is.

    Only white space between values changes: numbers, escapes and duplicate keys stay as the server wrote them.
    """
    if text.lstrip()[:1] not in {"{", "["}:
        return text
    return "".join(_laid_out(_JSON_TOKEN.findall(text)))


def as_json(value: Any) -> str:
    """Return any data as JSON of which every text, and every name in it, is harmless."""
    return json.dumps(_cleaned(value), ensure_ascii=False, indent=1) + "\n"


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(str(name)): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def _laid_out(pieces: list[str]) -> Iterator[str]:
    depth = 0
    before = ""
    for piece in pieces:
        if piece in {"}", "]"}:
            depth = max(0, depth - 1)
            if before not in {"{", "["}:
                yield _break(depth)
        elif before in {"{", "[", ","}:
            yield _break(depth)
        yield ": " if piece == ":" else piece
        if piece in {"{", "["}:
            depth += 1
        before = piece


def _break(depth: int) -> str:
    # A body of brackets alone would otherwise grow with the square of its depth.
    return "\n" + "  " * min(depth, _DEEPEST)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - what two hex digits hold
