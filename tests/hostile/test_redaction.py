"""However a server writes a secret that it echoes, nothing of it is shown."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.http.redact import Redactor
from tests.hostile.server import TOKEN


def written(secret: str) -> list[str]:
    """Return a secret in the encodings that servers put it in."""
    raw = secret.encode()
    inside = [base64.b64encode(before + raw + b"end").decode() for before in (b"", b"a", b"ab")]
    return [secret, quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret), raw.hex(), *inside]


ESCAPES: dict[str, Callable[[str], str]] = {
    "some percent-encoded": lambda text: "".join(f"%{ord(c):02x}" if at % 3 else c for at, c in enumerate(text)),
    "all percent-encoded": lambda text: "".join(f"%{ord(c):02X}" for c in text),
    "an address in an address": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "escapes in JSON": lambda text: json.dumps("".join(f"\\u{ord(c):04x}" for c in text)),
    "HTML in HTML": lambda text: html.escape("".join(f"&#{ord(c)};" for c in text)),
    "HTML without semicolons": lambda text: "".join(f"&#{ord(c)}" for c in text),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "base64 on lines": lambda text: base64.encodebytes(b"x" * 40 + text.encode()).decode(),
    "with a character that nobody sees": "\u200b".join,
    "a list of bytes": lambda text: str(list(text.encode())),
    "a buffer in JSON": lambda text: json.dumps({"type": "Buffer", "data": list(text.encode())}, separators=(",", ":")),
    "a dump of bytes": lambda text: text.encode().hex(" ").upper(),
    "broken over lines": lambda text: f"{text[:9]}\n{text[9:]}",
}


@pytest.mark.parametrize("write", ESCAPES.values(), ids=list(ESCAPES))
@pytest.mark.parametrize("secret", [TOKEN, "gst_live_9aB3xQ7LmN2pR5tV8wYz"])
def test_no_secret_survives_in_layers_of_escapes(secret: str, write: Callable[[str], str]) -> None:
    """What is shown has the name where the secret stood, and neither end of it, also where the text was cut off."""
    redact = Redactor([("N", secret)])
    shown = redact(f"<<{write(secret)}>>")

    assert "$N" in shown
    assert write(secret)[-12:] not in shown
    assert write(secret)[-12:] not in redact.start(f"<<{write(secret)}>>" * 40, 300)


def test_a_letter_that_only_resembles_one_of_a_secret_breaks_nothing() -> None:
    """A long s matches an s in other case, and is none."""
    assert Redactor([("N", "mysecret")])("mysecret my\u017fecret") == "$N my\u017fecret"


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60), st.integers(0, 200))
def test_no_secret_survives_however_it_is_written_and_cut(secret: str, at: int) -> None:
    """Redacted, or cut after some characters and redacted, a text has no secret in it, nor half of one."""
    redact = Redactor([("N", secret)])
    for spelling in written(secret):
        told = spelling[3:-5] if spelling.endswith(("ZW5k", "VuZA==", "lbmQ=")) else spelling
        assert told not in redact(f"<<{spelling}>>")
        half = spelling[: len(spelling) // 2 + 1]
        assert half not in redact.start(f"<<{spelling}>>" * 40, at) or half in "$N>>"
