"""Luck decides no verdict: whatever the seed, the generated checks fail no honest server.

A few seeds are tried here, each on another server; ``make seeds`` tries as many as ``SEEDS`` says.
"""

import os

import pytest

from conformance.outcome import Outcome
from conformance.proof import SEARCHING
from conformance.variants import Variant, load_variants

from .conftest import Judge, told

SEEDS = range(1, 1 + int(os.environ.get("SEEDS", "4")))
SHELF = list(load_variants().values())


@pytest.mark.parametrize(
    ("seed", "variant"),
    [pytest.param(seed, SHELF[seed % len(SHELF)], id=f"{seed}-{SHELF[seed % len(SHELF)].name}") for seed in SEEDS],
)
def test_an_honest_server_conforms_whatever_the_seed(judge: Judge, seed: int, variant: Variant) -> None:
    """Requests drawn from another seed come to nothing that is failed, and block nothing."""
    run = judge(variant.make, seed=seed, selection=tuple(sorted(SEARCHING)))

    assert told(run, Outcome.FAILED, Outcome.BLOCKED, Outcome.ERROR) == {}
    assert run.header["seed"] == seed
    assert told(run, Outcome.PASSED)
