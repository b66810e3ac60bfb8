"""The page and the catalogue: no line that says something is left without a requirement or a reason."""

from conformance.catalogue import load_catalogue

LINES = 468
"""As many lines has the page, the only contract there is."""

CATALOGUE = load_catalogue()
CITED = {line for requirement in CATALOGUE.requirements.values() for line in requirement.lines}


def test_the_sections_cover_the_page_in_its_order() -> None:
    """They begin at line 1, end at the last, and leave no gap and no overlap."""
    begin = [section.first for section in CATALOGUE.sections]
    end = [section.last for section in CATALOGUE.sections]

    assert all(section.first <= section.last for section in CATALOGUE.sections)
    assert begin == [1, *(last + 1 for last in end[:-1])]
    assert end[-1] == LINES


def test_every_normative_line_is_cited_or_has_a_reason_why_it_is_not() -> None:
    """The catalogue is finished: what the page says is judged, or cannot be."""
    assert [line for line in CATALOGUE.normative if line not in CITED | CATALOGUE.untestable.keys()] == []


def test_no_line_has_both_a_requirement_and_a_reason_not_to_have_one() -> None:
    """What is called untestable is not tested after all."""
    assert sorted(CITED & CATALOGUE.untestable.keys()) == []


def test_reasons_are_given_for_normative_lines_only() -> None:
    """A line that says nothing needs no reason."""
    assert sorted(CATALOGUE.untestable.keys() - set(CATALOGUE.normative)) == []


def test_the_normative_lines_are_in_order_and_there_once() -> None:
    """The list can be read beside the page."""
    assert list(CATALOGUE.normative) == sorted(set(CATALOGUE.normative))


def test_every_requirement_rests_on_the_page() -> None:
    """It cites at least one line, if only a heading."""
    assert [requirement.id for requirement in CATALOGUE.requirements.values() if not requirement.lines] == []
