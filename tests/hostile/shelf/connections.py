"""Servers that do not even hold a conversation."""

import socket
import time

from tests.hostile.server import Asked, Hangup
from tests.hostile.shelf.behaviour import (
    Behaviour,
    close,
    dripping,
    endless,
    fine,
    hanging,
    raw,
    reset,
    silent,
    sound,
    unjudged,
)

BROKE = "broke"


def last_words(asked: Asked) -> None:
    """Answer soundly, keep the connection alive by word, and close it in the same packet."""
    asked.connection.send(asked.sound().raw, socket.MSG_MORE)
    raise Hangup


def a_moment_later(asked: Asked) -> None:
    """Answer soundly, and close the connection when the next request may be under way."""
    asked.connection.sendall(asked.sound().raw)
    time.sleep(0.0015)
    raise Hangup


CONNECTIONS: dict[str, Behaviour] = {
    "closes every connection": unjudged(close, BROKE, everything=True),
    "resets every connection": unjudged(reset, BROKE, everything=True),
    "accepts and never answers": hanging(silent, everything=True),
    "closes when the API is asked": unjudged(close, BROKE),
    "resets when the API is asked": unjudged(reset, BROKE),
    "never answers when the API is asked": hanging(silent),
    "sends a byte now and then": hanging(endless(dripping(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000), pause=0.1)),
    "drips a body": hanging(endless([b"x"], b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", pause=0.1)),
    "never ends a body": hanging(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", hang=True)),
    "never ends its headers": hanging(raw(b"HTTP/1.1 200 OK\r\nContent-Le", hang=True)),
    "closes in a body": unjudged(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), BROKE),
    "closes in its headers": unjudged(raw(b"HTTP/1.1 200 OK\r\nContent-Le"), BROKE),
    "answers with garbage": unjudged(raw(bytes(range(256)) * 8), BROKE),
    "speaks HTTP/0.9": unjudged(raw(b'{"refund": {}}'), BROKE),
    "speaks HTTP/2": unjudged(raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), BROKE),
    "speaks SSH": unjudged(raw(b"SSH-2.0-OpenSSH_9.6\r\n"), BROKE),
    "speaks HTTP/99": unjudged(raw(b"HTTP/99 200 OK\r\nContent-Length: 2\r\n\r\n{}"), BROKE),
    "has a status of letters": unjudged(raw(b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\n{}"), BROKE),
    "has a status of four digits": unjudged(raw(b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}"), BROKE),
    "floods with interim answers": hanging(endless([b"HTTP/1.1 100 Continue\r\n\r\n" * 100])),
    "switches protocols": unjudged(raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", hang=True)),
    "closes each connection after an answer": fine(last_words),
    "closes each connection a moment after an answer": fine(a_moment_later),
    "speaks HTTP/1.0": fine(sound(lambda reply: reply.head(version="1.0") + reply.body)),
    "sends early hints": fine(
        sound(lambda reply: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + reply.raw)
    ),
}  # fmt: skip
