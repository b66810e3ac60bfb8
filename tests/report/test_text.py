"""Text from a server is made harmless and readable."""

import json
import time

import pytest

from conformance.text import harmless, indented, one_line, shortened

from .runs import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_harmless_text_has_no_control_character_and_no_surrogate(text: str) -> None:
    """What is left can be encoded, and holds nothing that a terminal or an XML reader would obey."""
    shown = harmless(text)

    shown.encode()
    assert all(character in "\n\t" or character.isprintable() for character in shown)


def test_harmless_text_shows_what_was_there() -> None:
    """A control character is written out, so that a reader sees that it was sent."""
    assert harmless("a\x1b[0m\ud800\n") == "a\\x1b[0m\\ud800\n"


def test_honest_text_stays_as_it_is() -> None:
    """Letters of any script, accents and emoji are not touched."""
    assert harmless("退款 – Größe 👍🏽 עברית") == "退款 – Größe 👍🏽 עברית"


def test_one_line_is_one_line() -> None:
    """No newline of any kind is left to start a forged line with."""
    assert one_line("a\nb\r\nc\u2028d\te ") == "a\\nb\\x0d\\nc\\u2028d\\te"


def test_shortened_text_says_that_it_was_cut() -> None:
    """A longer text ends in an ellipsis; a shorter one is left alone."""
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"


def test_json_is_indented_and_keeps_its_literals() -> None:
    """Numbers beyond 2^53, trailing zeros, escapes and duplicate keys come through as they were sent."""
    text = '{"amount":10.00,"id":9007199254740993,"a":"\\u00e9","a":[],"b":[1,{"c":null}]}'

    shown = indented(text)

    assert shown.replace("\n", "").replace(" ", "") == text
    assert '\n  "amount": 10.00,\n' in shown
    assert json.loads(shown) == json.loads(text)


@pytest.mark.parametrize("text", ["<html>", "", "plain", "42"])
def test_what_is_no_json_object_is_left_alone(text: str) -> None:
    """Only objects and arrays are laid out."""
    assert indented(text) == text


def test_json_that_was_cut_off_is_still_indented() -> None:
    """The part that was kept is laid out."""
    assert indented('{"a": {"b": "half a te') == '{\n  "a": {\n    "b": "half a te'


def test_deep_nesting_stays_small_and_quick() -> None:
    """A body of brackets alone grows in proportion to its length."""
    started = time.process_time()

    assert len(indented("[" * 100_000)) < 4_000_000
    assert time.process_time() - started < 2
