"""Requests as curl commands, which send the very same."""

import re
import shlex
from collections.abc import Iterator, Mapping

from conformance.http.redact import VARIABLE


def curl(method: str, url: str, headers: Mapping[str, str], body: str | None) -> str:
    """Return a shell command that sends the request; a secret stays the name of an environment variable."""
    words = ["curl", "-sS", "-i", "-X", method, _quote(url)]
    for header in header_words(headers, body):
        words += ["-H", _quote(header)]
    if body is not None:
        words += ["--data-binary", shlex.quote(body)]
    return " ".join(words)


def header_words(headers: Mapping[str, str], body: str | None) -> Iterator[str]:
    """Yield what curl is to be told of headers; without these words it leaves out empty ones, and adds a type."""
    for name, value in headers.items():
        yield f"{name}: {value}" if value else f"{name};"
    if body is not None and "content-type" not in {name.lower() for name in headers}:
        yield "Content-Type:"


def _quote(text: str) -> str:
    # Only double quotes let the shell put the secret in.
    if VARIABLE.search(text) and not re.search(r'["\\`]', text):
        return f'"{text}"'
    return shlex.quote(text)
