"""No legal reading is failed: each honest server of the shelf conforms, alone and in combination."""

import pytest
from attrs import evolve

from conformance.catalogue import load_catalogue
from conformance.outcome import Conclusion, Outcome
from conformance.proof import gathered
from conformance.reference.rules import Shop
from conformance.reference.server import make_reference
from conformance.variants import Variant, combined, load_variants

from .conftest import Judge, told

TROUBLES = (Outcome.FAILED, Outcome.BLOCKED, Outcome.ERROR)


def test_the_reference_conforms(judge: Judge) -> None:
    """The embedded reference passes every check of the standard profile."""
    run = judge(lambda clock: make_reference(clock=clock))

    assert told(run, *TROUBLES) == {}
    assert run.conclusion is Conclusion.CONFORMANT


TOGETHER = [
    combined(tuple(load_variants()[name] for name in names))
    for names in (
        # another shop's token gets to that shop's own orders, of the same ids
        ("keeps-books-for-each-shop", "knows-shops-by-their-tokens"),
        # a refund without a reason is looked at alone, since it must be decided before the next
        ("leaves-out-reasons-that-nobody-gave", "allows-one-open-refund-by-order"),
        # what is refused for its form is cut down to size in another, and its refund stands in the way of the next
        ("clamps-quantities", "takes-short-reasons-only", "takes-only-text"),
    )
] + [
    # a refund that is in process by itself, and stays there for a while after its approval
    combined((evolve(load_variants()["moves-new-refunds-on"], aspect="beginning"), load_variants()["completes-later"]))
]


class TakesAnEmptyLimitForZero(Shop):
    """Reads an empty limit as the number 0, and lists so many refunds."""

    def read_limit(self, value: str | None) -> int:
        """Be as generous as JavaScript."""
        return 0 if value in {"", "0"} else super().read_limit(value)


def test_an_empty_limit_may_mean_none(judge: Judge) -> None:
    """Who lists nothing for a limit of 0, and takes an empty one for that, is failed for neither (reading A45)."""
    run = judge(lambda clock: make_reference(make_shop=TakesAnEmptyLimitForZero, clock=clock), selection=("listing",))

    assert run.conclusion is Conclusion.CONFORMANT


@pytest.mark.parametrize("variant", [pytest.param(each, id=each.name) for each in (*TOGETHER, *gathered())])
def test_a_combination_conforms(judge: Judge, variant: Variant) -> None:
    """A server that reads several places of the page differently passes every check, and none is blocked.

    Every variant is in one of them; ``make prove`` tries each alone, and more combinations.
    """
    run = judge(variant.make)

    assert told(run, *TROUBLES) == {}
    assert run.conclusion is Conclusion.CONFORMANT


def test_every_variant_takes_a_reading() -> None:
    """A variant names readings of the catalogue, and says in a sentence what it does."""
    readings = load_catalogue().readings
    for variant in load_variants().values():
        assert variant.readings, variant.name
        assert set(variant.readings) <= readings.keys(), variant.name
        assert variant.sentence.endswith("."), variant.name


def test_every_variant_is_gathered_once() -> None:
    """No variant is left out of the combinations that are tried here, and none is tried twice."""
    names = [name for combination in gathered() for name in combination.name.split("+")]

    assert sorted(names) == sorted(load_variants())


def test_variants_of_one_aspect_are_not_combined() -> None:
    """Two ways to write an amount are no server."""
    amounts = [variant for variant in load_variants().values() if variant.aspect == "amount form"]

    with pytest.raises(ValueError, match="one aspect"):
        combined((amounts[0], amounts[1]))
