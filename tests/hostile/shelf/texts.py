"""Servers whose bodies are no JSON, or JSON that nobody should write."""

from tests.hostile.shelf.behaviour import Behaviour, broken, fine, plain, rewritten

DEEP = 100_000


def inside(member: bytes) -> Behaviour:
    """Return a server with another member in everything that it accepts, which is its own affair."""
    return fine(rewritten(lambda body: body.replace(b'"refundId"', member + b', "refundId"')))


def amount(value: bytes) -> Behaviour:
    """Return a server whose refunds have another amount."""
    return broken(rewritten(lambda body: body.replace(b'"amount": "', b'"amount": ' + value + b', "was": "')))


TEXTS: dict[str, Behaviour] = {
    "is empty": broken(plain(b"")),
    "is no UTF-8": broken(rewritten(lambda body: body.replace(b'"refundId"', b'"\xff\xfe\xc3": 1, "refundId"'))),
    "is UTF-16": broken(rewritten(lambda body: body.decode().encode("utf-16"))),
    "has NUL in front": broken(rewritten(lambda body: b"\x00" + body)),
    "is half of a JSON text": broken(rewritten(lambda body: body[: len(body) // 2])),
    "is two JSON texts": broken(rewritten(lambda body: body * 2)),
    "is JSON 100,000 deep": broken(plain(b"[" * DEEP + b"]" * DEEP)),
    "is objects 100,000 deep": broken(plain(b'{"refund":' * DEEP + b"1" + b"}" * DEEP)),
    "has refunds with a member 900 deep": inside(b'"x": ' + b"[" * 900 + b"]" * 900),
    "has refunds with a member 200 deep": inside(b'"x": ' + b"[" * 200 + b"]" * 200),
    "has ids of a million digits": broken(
        rewritten(lambda body: body.replace(b'"refundId": "', b'"refundId": ' + b"9" * 1_000_000 + b', "was": "'))
    ),
    "has amounts of a million digits": amount(b'"' + b"9" * 1_000_000 + b'"'),
    "has amounts of 1e999": amount(b"1e999"),
    "has amounts of 1e999999999": amount(b"1e999999999"),
    "has amounts of 1e-999999999": amount(b"1e-999999999"),
    "has amounts of NaN": amount(b"NaN"),
    "has amounts of Infinity": amount(b"-Infinity"),
    "has a status of 1e999999": broken(
        rewritten(lambda body: body.replace(b'"status": "', b'"status": 1e999999, "was": "'))
    ),
    "has half a character everywhere": broken(rewritten(lambda body: body.replace(b'": "', b'": "\\ud83d'))),
    "has NUL everywhere": broken(rewritten(lambda body: body.replace(b'": "', b'": "\\u0000'))),
    "commands the terminal and the CI": broken(
        plain(b'{"refund": {"refundId": "\\u001b[2J\\n::error::x\\n##[error]x\\u202e"}}')
    ),
    "is a script in a page": broken(plain(b'{"refund": {"refundId": "</script><script>alert(1)</script>]]>"}}')),
    "is a JSON text of one number": broken(plain(b"7")),
    "answers with every value null": broken(
        rewritten(lambda body: body.replace(b'"refundId": "', b'"refundId": null, "was": "'))
    ),
    "has a byte order mark, keys twice and keys of JavaScript": fine(
        rewritten(
            lambda body: (
                b"\xef\xbb\xbf"
                + body.replace(b'"amount"', b'"__proto__": {}, "constructor": null, "amount": "0.01", "amount"')
            )
        )
    ),
}
