"""The request numbers of a run."""

import itertools
import uuid


class KeyMaker:
    """Makes request numbers: each fresh, with the run's id in it so that what a run made can be recognised.

    The id is all digits, so that it keeps its form in keys of digits, in UUIDs and in both cases. What tells one key
    from another is at both ends, for targets that compare only the one or the other; only some checks are about that.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._numbers = itertools.count(1)

    def __call__(self, length: int = 32) -> str:
        """Return a key of that many ASCII characters; one of fewer than 17 is not unique."""
        number = f"{next(self._numbers):05d}"
        return f"{self._run_id}{number}{number.rjust(length, 'K')[len(self._run_id) + len(number) :]}"[:length]

    def digits(self, length: int) -> str:
        """Return a key of that many digits, at least 17; it does not begin with a zero."""
        return self(17).rjust(length, "1")

    def uuid(self) -> str:
        """Return a key in the form of a UUID (RFC 9562), some of it letters; its last group is the run's id."""
        drawn = (uuid.uuid5(uuid.NAMESPACE_OID, self()).hex[:20] for _ in itertools.count())
        return str(uuid.UUID(next(digits for digits in drawn if not digits.isdecimal()) + self._run_id))
