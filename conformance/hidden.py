"""What of a target must never be shown, and the names that stand in its place."""

import base64
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit


def of_tokens(tokens: Mapping[str, str], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each token with its name as a variable of the shell."""
    for name, value in tokens.items():
        yield prefix + _shell_name(name), value


def of_headers(headers: Mapping[str, str], from_outside: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield what is secret in headers: those whose name says so, and what came from the environment."""
    for name, value in headers.items():
        if speaks_of_a_secret(name) or value in from_outside:
            yield from ((_variable("HEADER", name), secret) for secret in _secrets_in_header(value))


def of_program(command: Sequence[str], kind: str, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what a program is given of variables whose names speak of a secret: it may print it when it fails."""
    for name, value in variables.items():
        if speaks_of_a_secret(name) and any(value in word for word in command):
            yield _variable(kind, name), value


def _shell_name(token: str) -> str:
    return {"full": "GENSTORE_TOKEN"}.get(token, f"TOKEN_{token.upper()}")


def _variable(kind: str, name: str) -> str:
    return f"{kind}_{re.sub('[^A-Z0-9]', '_', name.upper())}"


def speaks_of_a_secret(name: str) -> bool:
    """Say whether what has this name is to be hidden."""
    words = r"auth|token|secret|key|cookie|pass|pwd|credential|session|signature"
    return re.search(words, name, re.IGNORECASE) is not None


def _secrets_in_header(value: str) -> Iterator[str]:
    """Yield what is secret in a header's value: what follows its scheme (RFC 9110, 11.4), or the values of cookies."""
    scheme, _, credentials = value.partition(" ")
    if not credentials:
        yield value.partition("=")[2] or value
    elif "=" in scheme:
        yield from (pair.partition("=")[2] for pair in value.split("; "))
    else:
        yield credentials
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            user_and_password = base64.b64decode(credentials).decode()
            yield user_and_password
            yield user_and_password.partition(":")[2]


def of_url(url: str, kind: str, from_outside: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield what is secret in the URL of an order provider: a password, and parameters that are called so.

    A user is secret where it stands alone, as a token does, or came from the environment.
    """
    parts = urlsplit(url)
    if parts.username and (not parts.password or parts.username in from_outside):
        yield f"{kind}_USER", parts.username
    if parts.password:
        yield f"{kind}_PASSWORD", parts.password
    for segment in from_outside.intersection(parts.path.split("/")):
        yield f"{kind}_PATH", segment
    for name, value in parse_qsl(parts.query):
        if speaks_of_a_secret(name) or value in from_outside:
            yield _variable(kind, name), value
