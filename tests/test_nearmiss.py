"""The near misses: made from the document, each of them illegal or a spelling, the same ones every time."""

import json
from typing import Any

import pytest

from conformance.generation.nearmiss import OTHER_IDS, NearMiss, in_standard, near_misses
from conformance.judging import contract

SCHEMAS = {"create": "CreateRequest", "review": "ReviewRequest"}


def made(operation: str) -> list[NearMiss]:
    """Return the near misses of the document's own example."""
    return near_misses(SCHEMAS[operation], contract.example_of(operation))


@pytest.mark.parametrize("operation", SCHEMAS)
def test_what_must_be_refused_breaks_the_document(operation: str) -> None:
    """No near miss that must be refused is a legal request, and each differs from the legal one."""
    body = contract.example_of(operation)
    for miss in (each for each in made(operation) if each.place):
        sent: Any = json.loads(miss.applied_to(body))
        assert sent != body or miss.twice, miss.name
        may_be = miss.member == "refundId" or miss.edit in OTHER_IDS  # whatever the target took for an id is one
        if miss.must_be_refused and not may_be:
            assert contract.request_errors(operation, sent), miss.name


@pytest.mark.parametrize("operation", SCHEMAS)
def test_near_misses_are_the_same_every_time_and_each_has_a_name(operation: str) -> None:
    """Nothing is drawn, and no name is there twice."""
    assert repr(made(operation)) == repr(made(operation))
    assert len({miss.name for miss in made(operation)}) == len(made(operation))


def test_every_edit_and_every_keyword_is_tried_in_a_standard_run() -> None:
    """The standard profile leaves out repetitions of an edit, and no edit."""
    misses = [(operation, miss) for operation in SCHEMAS for miss in made(operation)]
    names = in_standard({operation: made(operation) for operation in SCHEMAS}, {})
    tried = [miss for operation, miss in misses if miss.name in names[operation]]

    assert {miss.edit for miss in tried} == {miss.edit for _, miss in misses}
    assert {miss.keyword for miss in tried} == {miss.keyword for _, miss in misses}


def test_an_id_that_is_no_number_has_near_misses_as_well() -> None:
    """A target that names its refunds by words is failed for that, and for nothing of ours."""
    body = {**contract.example_of("review"), "refundId": "rf-17"}
    assert {miss.name for miss in near_misses("ReviewRequest", body)} == {miss.name for miss in made("review")}
