"""The wire forms of numbers."""

import pytest

from conformance.http.dialect import IN_CREATES, IN_REVIEWS, NUMBERS, TEXT, USUAL, dialects_for


@pytest.mark.parametrize("fields", [IN_CREATES, IN_REVIEWS], ids=["create", "review"])
def test_every_form_is_tried_once(fields: tuple[str, ...]) -> None:
    """Each field may be text or a number, whatever the others are, and no request says the same as another."""
    forms = [dialect.text & frozenset(fields) for dialect in dialects_for(fields)]
    assert len(forms) == len(set(forms)) == 2 ** len(fields)


def test_what_is_usual_is_tried_first() -> None:
    """Most targets are understood after one request or two."""
    assert tuple(dialects_for(IN_CREATES))[: len(USUAL)] == USUAL


def test_a_dialect_says_what_is_text() -> None:
    """The name of a rarer dialect tells a vendor how the target wants its numbers."""
    names = [dialect.name for dialect in dialects_for(IN_REVIEWS)]
    assert "text in action, orderId, numbers elsewhere" in names


def test_an_id_that_is_no_number_stays_as_it_is() -> None:
    """An id with letters, or with zeros before it, is not turned into another."""
    assert NUMBERS.wire("orderId", "a7") == "a7"
    assert TEXT.wire("orderId", "007") == "007"
    assert (NUMBERS.wire("quantity", 3), TEXT.wire("quantity", 3)) == (3, "3")
