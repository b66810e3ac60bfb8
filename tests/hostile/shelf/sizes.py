"""Servers that answer with far too much."""

import gzip
import zlib
from itertools import chain, repeat

from tests.hostile.server import Asked
from tests.hostile.shelf.behaviour import (
    Behaviour,
    blocked,
    endless,
    fine,
    hanging,
    plain,
    raw,
    rewritten,
    sound,
    unjudged,
)
from tests.hostile.shelf.connections import BROKE
from tests.hostile.shelf.framing import CHUNKED, OK

MEGABYTE, MILLION = b"x" * (1 << 20), 1_000_000
TOO_LONG = "more than the 4194304 bytes"


def bomb(layers: int) -> bytes:
    """Return some kilobytes that become 64 MB by the first decoding, and the more for each other layer."""
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = b"".join(map(packer.compress, repeat(MEGABYTE, 64))) + packer.flush()
    for _ in range(layers - 1):
        packed = gzip.compress(packed)
    return packed


BOMB, NESTED_BOMB = bomb(1), bomb(2)


def streamed(length: int) -> object:
    """Return what announces and streams so many bytes."""
    start = OK + b"Content-Length: %d\r\n\r\n" % length

    def act(asked: Asked) -> None:
        for piece in chain([start], repeat(MEGABYTE, length // len(MEGABYTE))):
            asked.send(piece)

    return act


SIZES: dict[str, Behaviour] = {
    "announces 2 GB and waits": hanging(raw(OK + b"Content-Length: 2147483648\r\n\r\n{", hang=True)),
    "streams 2 GB": unjudged(streamed(1 << 31), TOO_LONG),  # type: ignore[arg-type]
    "streams chunks without an end": unjudged(endless([b"100000\r\n" + MEGABYTE + b"\r\n"], CHUNKED), TOO_LONG),
    "streams until it closes": unjudged(endless([MEGABYTE], OK + b"\r\n"), TOO_LONG),
    "has a header of 8 MB": unjudged(raw(OK + b"X: " + MEGABYTE * 8 + b"\r\n\r\n{}"), BROKE),
    "has headers without an end": unjudged(endless([b"X-More: 1\r\n" * 100], OK), BROKE),
    "has a reason phrase of 8 MB": unjudged(raw(b"HTTP/1.1 200 " + MEGABYTE * 8), BROKE),
    "is a gzip bomb": unjudged(plain(BOMB, 200, ("Content-Encoding", "gzip")), TOO_LONG),
    "is a gzip bomb in a gzip": unjudged(plain(NESTED_BOMB, 200, ("Content-Encoding", "gzip, gzip")), "not asked for"),
    "breaks off its gzip": unjudged(plain(gzip.compress(b"{}" * 999)[:9], 200, ("Content-Encoding", "gzip"))),
    "says gzip and sends none": unjudged(plain(b"{}", 200, ("Content-Encoding", "gzip")), BROKE),
    "has an encoding that nobody knows": unjudged(plain(b"{}", 200, ("Content-Encoding", "zpaq")), "zpaq"),
    "lists a million empty refunds": unjudged(plain(b'{"refunds": [' + b"{}," * MILLION + b"{}]}"), "30000 values"),
    "has a refund of a million lines": unjudged(
        plain(b'{"refund": {"refundId": "7", "lineItems": [' + b"{}," * MILLION + b"{}]}}"), "30000 values"
    ),
    "has a refund of 45,000 empty lines": unjudged(
        plain(b'{"refund": {"refundId": "7", "lineItems": [' + b"{}," * 44_000 + b"{}]}}"), "30000 values"
    ),
    "has 4 MB of text in every refund": unjudged(
        rewritten(lambda body: body.replace(b'"refundId"', b'"x": "' + MEGABYTE * 4 + b'", "refundId"'))
    ),
    "has 3 MB of text in every refund": blocked(
        rewritten(lambda body: body.replace(b'"refundId"', b'"x": "' + MEGABYTE * 3 + b'", "refundId"'))
    ),
    "has 100 kB of text in every refund": fine(
        rewritten(lambda body: body.replace(b'"refundId"', b'"x": "' + b"x" * 100_000 + b'", "refundId"'))
    ),
    "has thousands of headers": fine(sound(lambda reply: reply.telling(*(("X-More", str(n)) for n in range(4000))))),
    "compresses what was not asked for": fine(
        sound(lambda reply: reply.saying(gzip.compress(reply.body)).telling(("Content-Encoding", "gzip")))
    ),
}
