"""Each hostile server against a whole quick run: it ends in time and memory, truly, readably, and tells no secret."""

import base64
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from conformance.outcome import Outcome
from tests.hostile.conftest import FORMATS, Against, Judged
from tests.hostile.server import TOKEN, hostile
from tests.hostile.shelf import SHELF
from tests.hostile.shelf.behaviour import EXITS, Expected

MOST_MEGABYTES = 300
MOST_SECONDS, MOST_CPU_SECONDS = 200.0, 20.0
"""What a quick run may take with the limits of these tests, on a machine that may be busy with ten others."""


@pytest.mark.parametrize("name", SHELF)
def test_a_hostile_server_breaks_nothing(against: Against, name: str) -> None:
    """The run ends within its bounds, with the right verdict, a whole record, every report, and no secret told."""
    behaviour = SHELF[name]
    with hostile(behaviour.act, everything=behaviour.everything) as server:
        judged = against(f"http://127.0.0.1:{server.port}", seconds=behaviour.seconds)

    ended_within_bounds(judged)
    is_readable(judged)
    said_the_truth(judged, behaviour.expected, behaviour.says)
    told_no_secret(judged)


def test_a_closed_port_breaks_nothing(against: Against) -> None:
    """Nobody listens: everything is blocked, and the reason is said."""
    with hostile(lambda _: None) as server:
        address = f"http://127.0.0.1:{server.port}"
    judged = against(address)

    ended_within_bounds(judged)
    is_readable(judged)
    said_the_truth(judged, Expected.UNJUDGED, "no connection")


def ended_within_bounds(judged: Judged) -> None:
    """The run took no more time and memory than it may."""
    assert judged.done.seconds < MOST_SECONDS, judged.done
    assert judged.done.cpu_seconds < MOST_CPU_SECONDS, judged.done
    assert judged.done.megabytes < MOST_MEGABYTES, judged.done.megabytes


def is_readable(judged: Judged) -> None:
    """The record has its end, every report is there and a file of its kind, and nothing is a traceback."""
    assert judged.run.footer is not None
    assert not judged.run.footer["suite_error"]
    assert judged.run.counts["error"] == 0, [v.explanation for v in judged.run.verdicts if v.outcome is Outcome.ERROR]
    for name in ("ctrf", "har", "json"):
        json.loads((judged.out / FORMATS[name]).read_text(encoding="utf-8"))
    for file in FORMATS.values():
        assert (judged.out / file).stat().st_size > 100, file
    assert "Traceback" not in judged.done.said
    assert "\x1b" not in judged.done.said


def said_the_truth(judged: Judged, expected: Expected, says: str) -> None:
    """The exit code and the outcomes are what may be said of such a server, and the terminal gives the reason."""
    said = judged.done.said
    assert judged.done.status in EXITS[expected], said
    assert judged.run.footer is not None
    assert judged.done.status == judged.run.footer["exit"]
    assert says in said or "the connection to" in said, said  # a busy machine may break one before it comes to that
    outcomes = {verdict.outcome for verdict in judged.run.verdicts}
    if expected is Expected.UNJUDGED:
        assert outcomes == {Outcome.BLOCKED}, said
    elif expected is Expected.BLOCKED:
        assert outcomes == {Outcome.BLOCKED, Outcome.PASSED}, said


def told_no_secret(judged: Judged) -> None:
    """Neither half of the token is in any file or terminal line, however it is written."""
    written = [file for file in judged.out.rglob("*") if file.is_file()]
    for file in [*written, judged.out.parent / "terminal.txt"]:
        text = file.read_text(encoding="utf-8", errors="replace")
        for half in (TOKEN[: len(TOKEN) // 2], TOKEN[len(TOKEN) // 2 :]):
            assert_hidden(half, text, file)


def assert_hidden(secret: str, text: str, file: Path) -> None:
    """The secret is not in the text, nor in what the text says once it is unescaped."""
    views = [text, html.unescape(text), unquote(text), _unescaped(text), html.unescape(_unescaped(_unescaped(text)))]
    for view in views:
        folded = view.lower()
        for spelling in spellings(secret):
            at = folded.find(spelling.lower())
            assert at < 0, f"{file.name}: …{view[max(0, at - 150) : at + 80]}…"


def spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it is, for an address, as JSON, in hex, and in base64 wherever in a longer text it stands."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield secret.encode().hex()
    for before in range(3):
        encoded = base64.b64encode(b"." * before + secret.encode()).decode()
        yield encoded[2 if before else 0 : -4]


def _unescaped(text: str) -> str:
    text = re.sub(r"\\u00([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), text)
    return re.sub(r"\\(.)", r"\1", text)
