"""Servers that tell the token to whoever will write it down, in every spelling."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

from tests.hostile.server import ORDERS, TOKEN, Asked, Hangup, Reply
from tests.hostile.shelf.behaviour import SOUND, Behaviour, Expected, broken, failed, turning, unjudged

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "for an address": lambda token: quote(token, safe=""),
    "for an address, twice": lambda token: quote(quote(token, safe=""), safe=""),
    "with every character for an address": lambda token: "".join(f"%{ord(c):02X}" for c in token),
    "as JSON": lambda token: json.dumps(token)[1:-1],
    "as JSON with every character escaped": lambda token: "".join(f"\\u{ord(c):04x}" for c in token),
    "as JSON with slashes escaped": lambda token: json.dumps(token)[1:-1].replace("/", "\\/"),
    "in base64": lambda token: base64.b64encode(token.encode()).decode(),
    "in base64 behind a name": lambda token: base64.b64encode(b"me:" + token.encode() + b"\n").decode(),
    "in base64 for an address": lambda token: base64.urlsafe_b64encode(b"a" + token.encode()).decode(),
    "in hex": lambda token: token.encode().hex(),
    "as HTML": html.escape,
    "as HTML by numbers": lambda token: "".join(f"&#{ord(c)};" for c in token),
    "as HTML in HTML": lambda token: html.escape(html.escape(token)),
    "as JSON in JSON": lambda token: json.dumps(json.dumps(token)),
    "with every other character for an address": lambda token: "".join(
        f"%{ord(c):02x}" if at % 2 else c for at, c in enumerate(token)
    ),
    "broken over lines": lambda token: f"{token[:20]}\n{token[20:]}",
    "with characters that nobody sees": "\u200b".join,
}


def all_spellings(token: str) -> str:
    """Return the token in every spelling."""
    return " ".join(spell(token) for spell in SPELLINGS.values())


def in_the_body(asked: Asked) -> None:
    """Refuse everything, with the token in every spelling."""
    asked.send(Reply(400, (), f"no scope for {all_spellings(asked.token)}".encode()).raw)


def one_by_one(asked: Asked) -> None:
    """Refuse everything, with the token in one spelling at a time, so that none is found by its neighbour."""
    spell = list(SPELLINGS.values())[asked.number % len(SPELLINGS)]
    asked.send(Reply(400, (), spell(asked.token).encode()).raw)


def in_pieces(asked: Asked) -> None:
    """Refuse everything, with the token as the reason, in a body whose chunks end amid it, and in a trailer."""
    asked.send(f"HTTP/1.1 400 {asked.token}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Token\r\n\r\n".encode())
    for piece in (asked.token[:20], asked.token[20:]):
        asked.send(f"{len(piece):x}\r\n{piece}\r\n".encode())
    asked.send(f"0\r\nX-Token: {asked.token}\r\n\r\n".encode())


def in_headers(asked: Asked) -> None:
    """Redirect with the token in headers, in their names, and in the location."""
    name = "X-" + "".join(c for c in asked.token if c.isalnum())
    told = [
        ("X-Token", all_spellings(asked.token)),
        ("Location", f"/login?t={quote(asked.token, safe='')}"),
        (name, "1"),
    ]
    asked.send(Reply(302, tuple(told), b"").raw)


def in_the_status_line(asked: Asked) -> None:
    """Answer with a broken status line that has the token in it."""
    asked.send(f"HTTP/1.1 {all_spellings(asked.token)}\r\n\r\n".encode())
    raise Hangup


def in_records(asked: Asked) -> None:
    """Answer soundly, with the token in texts, in the names of members, and in ids."""
    token = json.dumps(asked.token)[1:-1]
    body = (
        asked.sound().body.decode().replace("Other Reasons.", token).replace('"totalTax"', f'"{token}": 1, "totalTax"')
    )
    asked.send(asked.sound().saying(body.replace('"productId": "', f'"productId": "{token}').encode()).raw)


def over_and_over(asked: Asked) -> None:
    """Refuse everything with a text that has the token wherever it may be cut off."""
    at = asked.number % 200
    asked.send(Reply(400, (("X-Long", asked.token * 30),), b"x" * at + asked.token.encode() * 500).raw)


def halves(asked: Asked) -> None:
    """Refuse everything with a text that has the token where an explanation of it ends."""
    asked.send(Reply(400, (), b"x" * (100 + asked.number % 60) + asked.token.encode()).raw)


def in_an_error_of_the_provider(asked: Asked) -> None:
    """Refuse to make orders, with a token in the reason."""
    if ORDERS in asked.path:
        asked.send(Reply(400, (), f"{'x' * 280}{TOKEN}first-shop-full is no key".encode()).raw)


SECRETS: dict[str, Behaviour] = {
    "tells the token in every refusal": broken(in_the_body),
    "tells the token in one spelling after the other": broken(one_by_one),
    "tells the token in pieces": broken(in_pieces),
    "tells the token in headers": unjudged(in_headers, "redirect"),
    "tells the token in the status line": unjudged(in_the_status_line, "broke"),
    "tells the token in every record": failed(in_records),
    "tells the token over and over": broken(over_and_over),
    "tells the token where texts are cut": broken(halves),
    "tells the token from the middle on": broken(turning(SOUND, in_the_body, 60)),
    "tells the token when asked for an order": Behaviour(
        in_an_error_of_the_provider, Expected.UNJUDGED, "order provider answered 400", everything=True
    ),
}
