"""The keys of creates: what checks about them rest on."""

import uuid

from conformance.http.keys import KeyMaker


def test_a_uuid_reads_otherwise_in_capitals() -> None:
    """Whatever the run's id, there is a letter in it, also where the first one that is drawn has digits alone."""
    runs = [f"{number:012d}" for number in range(30_000)]
    drawn = [uuid.uuid5(uuid.NAMESPACE_OID, KeyMaker(run)()).hex[:20] for run in runs]

    assert any(digits.isdecimal() for digits in drawn)
    assert all(key != key.upper() for key in (KeyMaker(run).uuid() for run in runs))
