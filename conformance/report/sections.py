"""The API's page as the run saw it: its sections with their requirements, and the readings that were observed."""

from collections.abc import Sequence

from attrs import frozen

from conformance.catalogue import Reading, Section
from conformance.report.findings import Standing
from conformance.report.material import Material
from conformance.text import shortened

MOST_OBSERVED = 300
REFERENCE = "(reference - "
"""Where a reading goes on from what is observed to what the reference does, up to the bracket's end."""

OTHERS = "Resting on no single section"


@frozen
class Untestable:
    """Lines of the page that no check can judge from outside, and why."""

    lines: tuple[int, ...]
    reason: str


@frozen
class Part:
    """A section of the page with what is owed there; ``section`` is absent for what no section holds."""

    title: str
    section: Section | None
    standings: tuple[Standing, ...]
    untestable: tuple[Untestable, ...]


@frozen
class Observed:
    """A vague place of the page, what the target was seen to do there, and what the reference does."""

    identifier: str
    reading: Reading | None
    seen: tuple[str, ...]

    @property
    def asked(self) -> str:
        """What is looked at."""
        return self._told.partition(REFERENCE)[0].rstrip()

    @property
    def reference(self) -> str:
        """What the embedded reference does."""
        return self._told.partition(REFERENCE)[2].rstrip(".)")

    @property
    def _told(self) -> str:
        return (self.reading.observed if self.reading else None) or ""


def parts(material: Material) -> list[Part]:
    """Return the sections in the order of the page, each requirement once: where the first of its lines stands."""
    homes: dict[Section | None, list[Standing]] = {section: [] for section in material.catalogue.sections}
    homes[None] = []
    for standing in material.standings.values():
        homes[_home(material.catalogue.sections, standing.requirement.lines)].append(standing)
    found = [
        Part(
            title=OTHERS if section is None else section.title,
            section=section,
            standings=tuple(sorted(standings, key=lambda standing: standing.requirement.lines[:1])),
            untestable=_untestable(material, section),
        )
        for section, standings in homes.items()
    ]
    return [part for part in found if part.section or part.standings or part.untestable]


def observed_readings(material: Material) -> list[Observed]:
    """Return the readings that the target was seen to take, in the order of their ids."""
    seen: dict[str, list[str]] = {}
    for observation in material.run.observations:
        told = seen.setdefault(observation.reading, [])
        if observation.observed not in told:
            told.append(shortened(observation.observed, MOST_OBSERVED))
    return [
        Observed(identifier, material.catalogue.readings.get(identifier), tuple(told))
        for identifier, told in sorted(seen.items())
    ]


def _home(sections: Sequence[Section], lines: Sequence[int]) -> Section | None:
    holding = [section for section in sections if lines and section.first <= lines[0] <= section.last]
    return min(holding, key=lambda section: section.last - section.first, default=None)


def _untestable(material: Material, section: Section | None) -> tuple[Untestable, ...]:
    by_reason: dict[str, list[int]] = {}
    for line, reason in sorted(material.catalogue.untestable.items()):
        if _home(material.catalogue.sections, [line]) == section:
            by_reason.setdefault(reason, []).append(line)
    return tuple(Untestable(tuple(lines), reason) for reason, lines in by_reason.items())
