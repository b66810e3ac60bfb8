"""Servers that are well at first, and servers that never answer the same."""

import itertools

from tests.hostile.server import Asked, Hangup
from tests.hostile.shelf.behaviour import (
    SOUND,
    Behaviour,
    blocked,
    broken,
    close,
    every,
    fine,
    plain,
    reset,
    rewritten,
    silent,
    turning,
    unjudged,
)

AFTER = 60


def dying(asked: Asked) -> None:
    """Close this connection, and take no other."""
    asked.server.stop()
    raise Hangup


def mixed_up() -> object:
    """Return what answers each request with what the one before it should have got."""
    kept = [b"{}"]

    def change(body: bytes) -> bytes:
        kept.append(body)
        return kept[-2]

    return rewritten(change)


def never_the_same() -> object:
    """Return what shows another amount and another status each time."""
    count = itertools.count(1)
    return rewritten(
        lambda body: body.replace(b'"amount": "', b'"amount": "%d' % next(count)).replace(
            b'"status": "1"', b'"status": "%d"' % (next(count) % 6)
        )
    )


ENDINGS: dict[str, Behaviour] = {
    "dies in the middle": blocked(turning(SOUND, dying, AFTER), "no connection"),
    "dies after its first answer": unjudged(turning(SOUND, dying, 1), "connection"),
    "hangs from the middle on": blocked(turning(SOUND, silent, AFTER), "no answer", seconds=4),
    "resets from the middle on": blocked(turning(SOUND, reset, AFTER)),
    "loses its server behind the gateway in the middle": blocked(turning(SOUND, plain(b"", 502), AFTER), "gateway"),
    "limits for ever from the middle on": blocked(turning(SOUND, plain(b"", 429), AFTER), "429"),
    "hangs in the middle, and comes back": blocked(turning(SOUND, silent, AFTER, AFTER + 3), seconds=4),
    "resets in the middle, and comes back": blocked(turning(SOUND, reset, AFTER, AFTER + 30)),
    "resets every seventh connection": fine(every(7, reset, SOUND)),  # each was kept, and a new one serves
    "closes on every fifth request": fine(every(5, close, SOUND)),
    "answers every sixth request with half a text": broken(every(6, rewritten(lambda body: body[:40]), SOUND)),
    "answers what the request before should have got": broken(mixed_up()),  # type: ignore[arg-type]
    "never shows the same twice": broken(never_the_same()),  # type: ignore[arg-type]
}
