"""What a behaviour is, and the words to declare one in a line."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from attrs import frozen

from tests.hostile.server import Act, Asked, Hangup, Reply


class Expected(Enum):
    """What a run may say of a behaviour: exit codes, and whether a check may fail or pass."""

    UNJUDGED = "nothing can be judged: everything is blocked"
    BLOCKED = "incomplete: what was judged before passed, and nothing failed"
    BROKEN = "not conformant: failed, or so odd that nothing can be judged"
    FAILED = "non-conformant: it breaks what the page asks for"
    FINE = "conformant: odd, and allowed"


EXITS = {
    Expected.UNJUDGED: {3},
    Expected.BLOCKED: {3},
    Expected.BROKEN: {1, 3},
    Expected.FAILED: {1},
    Expected.FINE: {0},
}


@frozen
class Behaviour:
    """What a server does to requests of the API, or to ``everything``; ``says`` is part of what the terminal shows.

    ``seconds`` is what the target file gives an answer.
    """

    act: Act
    expected: Expected
    says: str = ""
    everything: bool = False
    seconds: int = 10


def unjudged(act: Act, says: str = "", *, everything: bool = False) -> Behaviour:
    """Return a behaviour of which no check can say anything."""
    return Behaviour(act, Expected.UNJUDGED, says, everything)


def hanging(act: Act, *, everything: bool = False) -> Behaviour:
    """Return one that never comes to the end of its first answer."""
    return Behaviour(act, Expected.UNJUDGED, "no complete answer", everything, seconds=2)


def blocked(act: Act, says: str = "", seconds: int = 10) -> Behaviour:
    """Return one that leaves a run incomplete."""
    return Behaviour(act, Expected.BLOCKED, says, seconds=seconds)


def broken(act: Act, says: str = "") -> Behaviour:
    """Return one that cannot come out conformant."""
    return Behaviour(act, Expected.BROKEN, says)


def failed(act: Act, says: str = "") -> Behaviour:
    """Return one that breaks the page."""
    return Behaviour(act, Expected.FAILED, says)


def fine(act: Act, says: str = "") -> Behaviour:
    """Return one that conforms."""
    return Behaviour(act, Expected.FINE, says)


def raw(*pieces: bytes, hang: bool = False) -> Act:
    """Write some bytes, whatever was asked, and close, or keep the connection open without another word."""

    def act(asked: Asked) -> None:
        for piece in pieces:
            asked.send(piece)
        if hang:
            asked.wait()
        raise Hangup

    return act


def endless(pieces: Iterable[bytes], start: bytes = b"", *, pause: float = 0.0) -> Act:
    """Write a beginning, and then the same pieces again and again."""

    def act(asked: Asked) -> None:
        asked.send(start)
        for piece in itertools.cycle(pieces):
            asked.send(piece)
            time.sleep(pause)

    return act


def plain(body: bytes, status: int = 200, *headers: tuple[str, str]) -> Act:
    """Write a well-framed answer, whatever was asked."""
    return raw(Reply(status, (("Content-Type", "application/json"), *headers), body).raw)


def sound(change: Callable[[Reply], Reply | bytes]) -> Act:
    """Answer as the reference does, but for a change to every answer."""

    def act(asked: Asked) -> None:
        changed = change(asked.sound())
        asked.send(changed.raw if isinstance(changed, Reply) else changed)

    return act


def rewritten(change: Callable[[bytes], bytes]) -> Act:
    """Answer as the reference does, but for the body of every acceptance."""
    return sound(lambda reply: reply.saying(change(reply.body)) if reply.status == 200 else reply)


def turning(first: Act, second: Act, requests: int, back: int | None = None) -> Act:
    """Do one thing for so many requests of the API and then another, until the request ``back`` if it is given."""

    def act(asked: Asked) -> None:
        later = asked.number > requests and (back is None or asked.number <= back)
        (second if later else first)(asked)

    return act


def every(nth: int, odd: Act, usual: Act) -> Act:
    """Do one thing to each nth request, and another to the rest."""
    return lambda asked: (usual if asked.number % nth else odd)(asked)


SOUND: Act = sound(lambda reply: reply)


def silent(asked: Asked) -> None:
    """Never answer."""
    asked.wait()
    raise Hangup


def close(_: Asked) -> None:
    """Close without a word."""
    raise Hangup


def reset(asked: Asked) -> None:
    """Reset the connection."""
    asked.reset()
    raise Hangup


def dripping(text: bytes) -> Iterator[bytes]:
    """Yield a text byte by byte."""
    return (bytes([byte]) for byte in text)
