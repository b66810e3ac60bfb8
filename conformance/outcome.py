"""What a check and a run can come to, and how that is said: outcomes, exit statuses, and what is raised."""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """What one check came to."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"
    ERROR = "error"


class Conclusion(StrEnum):
    """What a run came to."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"
    INCOMPLETE = "incomplete"
    ERROR = "error"


EXIT_CODES = {
    Conclusion.CONFORMANT: 0,
    Conclusion.NON_CONFORMANT: 1,
    Conclusion.INCOMPLETE: 3,
    Conclusion.ERROR: 4,
}
EXIT_USAGE = 2
EXIT_INTERRUPTED = EXIT_CODES[Conclusion.INCOMPLETE]
EXIT_SUITE_FAILED = EXIT_CODES[Conclusion.ERROR]


class UsageError(Exception):
    """The user's mistake: what was wrong, where, and what to do. Shown as it is, without a traceback."""


class Failed(Exception):  # noqa: N818 - it names the outcome
    """An expectation of a requirement was not met; ``about`` is the exchange that shows it, where it is one."""

    def __init__(self, expected: str, observed: str, about: object = None) -> None:
        super().__init__(f"expected {expected}; observed {observed}")
        self.expected = expected
        self.observed = observed
        self.about = about


class Unanswered(Failed):
    """A request got no answer again and again, while others did: here silence is what was looked for."""


class Blocked(Exception):  # noqa: N818 - it names the outcome
    """The check could not be carried out; ``lacks`` names the capability the target is short of, if it is that."""

    def __init__(self, reason: str, lacks: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lacks = lacks


class Unsendable(Blocked):
    """The client cannot send a request: what was to be tried was not."""


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome that decides when a requirement has several checks."""
    order = [Outcome.PASSED, Outcome.BLOCKED, Outcome.FAILED, Outcome.ERROR]
    return max(outcomes, key=order.index)
