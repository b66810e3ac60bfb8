"""What the class of a status says; a 429 is waited for, and never judged."""

from enum import Enum


class Reply(Enum):
    """What the target says of a request: it did it (2xx), it did not (4xx), or neither can be told."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    MOVED = "moved"
    BROKEN = "broken"


CLASSES = {2: Reply.ACCEPTED, 3: Reply.MOVED, 4: Reply.REFUSED}


def reply_of(status: int | None) -> Reply | None:
    """Return what a status says; ``None`` where none came. What is none of the three other classes is broken."""
    return None if status is None else CLASSES.get(status // 100, Reply.BROKEN)
