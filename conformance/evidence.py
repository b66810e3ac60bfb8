"""Exchanges made fit to be shown: redacted, bounded, text, and with a curl line that sends the request again."""

import re
import shlex

from conformance.redact import Redactor
from conformance.results import Evidence
from conformance.wire import Exchange

SHOWN = 4000
"""Characters of a body that are kept in the record."""


def as_evidence(exchange: Exchange, redact: Redactor) -> Evidence:
    """Return the exchange as it may leave the suite."""
    request = exchange.request
    headers = {name: redact(value) for name, value in request.headers.items()}
    body = None if request.body is None else redact(_text(request.body))
    return Evidence(
        role=exchange.role,
        operation=exchange.operation,
        at=exchange.at,
        method=request.method,
        url=redact(request.url),
        request_headers=headers,
        request_body=None if body is None else body[:SHOWN],
        status=exchange.status,
        response_headers={redact(n)[:200]: redact(v)[:1000] for n, v in list(exchange.headers.items())[:60]},
        response_body=redact(_text(exchange.body[: SHOWN * 4]))[:SHOWN],
        cut_off=exchange.cut_off or len(exchange.body) > SHOWN,
        trouble=None if exchange.trouble is None else redact(exchange.trouble),
        milliseconds=round(exchange.seconds * 1000),
        curl=curl(request.method, redact(request.url), headers, body),
    )


def curl(method: str, url: str, headers: dict[str, str], body: str | None) -> str:
    """Return a shell command that sends the request; a secret stays the name of an environment variable."""
    words = ["curl", "-sS", "-i", "-X", method, shlex.quote(url)]
    for name, value in headers.items():
        words += ["-H", _quote(f"{name}: {value}")]
    if body is not None:
        words += ["--data-binary", shlex.quote(body[:SHOWN])]
    return " ".join(words)


def _quote(text: str) -> str:
    # Only double quotes let the shell put the token in.
    if re.search(r"\$(GENSTORE_TOKEN|TOKEN_[A-Z_]+|OTHER_SHOP_[A-Z_]+)", text) and not re.search(r'["\\`]', text):
        return f'"{text}"'
    return shlex.quote(text)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
