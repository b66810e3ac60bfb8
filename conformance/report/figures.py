"""The figures of a run: outcomes by area and by operation, latencies, and requests over time."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import frozen

from conformance.catalogue import AREAS, OPERATIONS
from conformance.report.findings import Standing, State
from conformance.results import Evidence

EDGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""Upper ends, in milliseconds, of the classes of a latency distribution; one more class is open."""

BARS = 60
NARROWEST = 0.015
"""The least share of a bar that a state is drawn with."""

RATE_LIMITED = 429


@frozen
class Row:
    """How many requirements of an area or an operation are in each state."""

    name: str
    counts: dict[State, int]

    @property
    def total(self) -> int:
        """How many requirements there are."""
        return sum(self.counts.values())

    @property
    def shares(self) -> list[tuple[State, float, float]]:
        """Each state that occurs, with where its part of a bar of width 100 begins and how wide it is.

        One failure among hundreds can still be seen.
        """
        widths = {state: max(NARROWEST, count / self.total) for state, count in self.counts.items() if count}
        scale, parts, start = 100 / sum(widths.values()), [], 0.0
        for state, width in widths.items():
            parts.append((state, round(start, 2), round(width * scale, 2)))
            start += width * scale
        return parts


@frozen
class Patch:
    """The requirements of one area that one operation owes."""

    standings: tuple[Standing, ...]

    @property
    def said(self) -> str:
        """How many are in each state, in words."""
        counts = Counter(standing.state for standing in self.standings)
        return ", ".join(f"{counts[state]} {state}" for state in State if counts[state])


@frozen
class Latency:
    """How long the answers of one operation took, in milliseconds."""

    operation: str
    requests: int
    median: int
    slow: int
    slowest: int
    classes: tuple[int, ...]

    @property
    def bars(self) -> list[tuple[int, float]]:
        """Each class that occurs, with its height between 0 and 1; a single answer still shows."""
        most = max(self.classes)
        return [(index, max(0.06, round(count / most, 3))) for index, count in enumerate(self.classes) if count]


@frozen
class Pace:
    """Requests over time: how many were sent in each of equal parts of the run, and how many of them met a 429."""

    seconds: float
    sent: tuple[int, ...]
    limited: tuple[int, ...]

    @property
    def most(self) -> int:
        """The requests of the busiest part."""
        return max(self.sent)


def by_area(found: Iterable[Standing]) -> list[Row]:
    """Return a row for each area, in the order of the catalogue; areas without requirements are left out."""
    found = list(found)
    names = dict.fromkeys([*AREAS, *(standing.requirement.area for standing in found)])
    rows = [_row(name, [s for s in found if s.requirement.area == name]) for name in names]
    return [row for row in rows if row.total]


def by_operation(found: Iterable[Standing]) -> list[Row]:
    """Return a row for each operation; a requirement of several operations counts in each."""
    found = list(found)
    rows = [_row(name, [s for s in found if name in s.requirement.operations]) for name in OPERATIONS]
    return [row for row in rows if row.total]


def by_area_and_operation(found: Iterable[Standing]) -> dict[str, list[Patch]]:
    """Return for each area a patch for each operation; a requirement of several operations is in each of theirs."""
    found = list(found)

    def patch(area: str, operation: str) -> Patch:
        return Patch(tuple(s for s in found if s.requirement.area == area and operation in s.requirement.operations))

    return {row.name: [patch(row.name, operation) for operation in OPERATIONS] for row in by_area(found)}


def latencies(exchanges: Iterable[Evidence]) -> list[Latency]:
    """Return the latencies of each operation that was answered."""
    taken: dict[str, list[int]] = {name: [] for name in OPERATIONS}
    for exchange in exchanges:
        if exchange.operation in taken and exchange.status is not None:
            taken[exchange.operation].append(exchange.milliseconds)
    return [_latency(name, sorted(values)) for name, values in taken.items() if values]


def pace(exchanges: Iterable[Evidence]) -> Pace | None:
    """Return requests over time, or nothing when they do not tell of at least two moments."""
    moments = [(moment, exchange) for exchange in exchanges if (moment := _moment(exchange.at)) is not None]
    if not moments:
        return None
    first, last = min(moment for moment, _ in moments), max(moment for moment, _ in moments)
    if first == last:
        return None
    sent, limited = [0] * BARS, [0] * BARS
    for moment, exchange in moments:
        bar = min(BARS - 1, int(BARS * (moment - first) / (last - first)))
        sent[bar] += 1
        limited[bar] += exchange.status == RATE_LIMITED
    return Pace(last - first, tuple(sent), tuple(limited))


def _row(name: str, found: Sequence[Standing]) -> Row:
    states = [standing.state for standing in found]
    return Row(name, {state: states.count(state) for state in State})


def _latency(operation: str, taken: list[int]) -> Latency:
    classes = [0] * (len(EDGES) + 1)
    for value in taken:
        classes[bisect_left(EDGES, value)] += 1
    return Latency(operation, len(taken), _quantile(taken, 0.5), _quantile(taken, 0.95), taken[-1], tuple(classes))


def _quantile(taken: Sequence[int], part: float) -> int:
    return taken[max(0, math.ceil(part * len(taken)) - 1)]


def _moment(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
