"""Servers whose answers do not say truly where they end."""

from tests.hostile.shelf.behaviour import Behaviour, broken, endless, fine, hanging, raw, sound, unjudged
from tests.hostile.shelf.connections import BROKE

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def in_chunks(body: bytes) -> bytes:
    """Return a body in chunks of three bytes, with extensions and a trailer."""
    pieces = [body[start : start + 3] for start in range(0, len(body), 3)]
    return b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Sum: 1\r\n\r\n"


FRAMING: dict[str, Behaviour] = {
    "announces less than it sends": broken(sound(lambda reply: reply.head(length=len(reply.body) // 2) + reply.body)),
    "announces a negative length": unjudged(raw(OK + b"Content-Length: -5\r\n\r\n{}"), BROKE),
    "announces a length of letters": unjudged(raw(OK + b"Content-Length: two\r\n\r\n{}"), BROKE),
    "announces two lengths": unjudged(raw(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), BROKE),
    "announces a length of a million digits": unjudged(raw(OK + b"Content-Length: " + b"9" * 1_000_000), BROKE),
    "has chunks of no number": unjudged(raw(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"), BROKE),
    "has a chunk of 2^64 bytes": unjudged(raw(CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n")),
    "has a chunk without an end": unjudged(raw(CHUNKED + b"2\r\n{}garbage\r\n0\r\n\r\n"), BROKE),
    "has endless tiny chunks": hanging(endless([b"1\r\nx\r\n" * 500], CHUNKED)),
    "has an endless chunk extension": unjudged(endless([b"x" * 4096], CHUNKED + b"1;"), BROKE),
    "has endless trailers": unjudged(endless([b"X-Trailer: 1\r\n" * 100], CHUNKED + b"0\r\n"), BROKE),
    "has an unknown transfer encoding": unjudged(raw(OK + b"Transfer-Encoding: snappy\r\n\r\n{}"), BROKE),
    "answers every request twice": broken(sound(lambda reply: reply.raw * 2)),
    "sends chunks with extensions and trailers": fine(
        sound(
            lambda reply: (
                reply.head().replace(b"Content-Length:", b"Transfer-Encoding: chunked\r\nX-Length:")
                + in_chunks(reply.body)
            )
        )
    ),
}
