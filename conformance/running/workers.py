"""Checks side by side: which must follow one another on one worker, and who takes which next."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

MOST = 8
"""Workers that ``auto`` takes at most: a guest does not crowd a server that is not ours."""
OWN_WORK = 0.005
"""Seconds of a request that are this process's own work, and gain nothing from workers."""


def worthwhile(latency: float) -> int:
    """Return how many workers a target is worth that takes so many seconds for an answer."""
    return max(1, min(MOST, round(latency / OWN_WORK)))


@frozen
class Job:
    """What is known of a check before it runs: the shared things it uses, and whether it comes after all others."""

    ties: frozenset[str] = frozenset()
    late: bool = False


@define
class _Group:
    """Checks that share something, by index: those to run as soon as possible, and those to run late."""

    early: list[int] = field(factory=list)
    late: list[int] = field(factory=list)
    owner: int | None = None


class Queue:
    """Hands the checks of a run out to its workers.

    Checks that share something go to one worker, since one looks at what another did. The largest groups go first;
    late checks follow when no others are left.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._lock = threading.Lock()
        groups = [_parted(group, jobs) for group in groups_of([job.ties for job in jobs])]
        self._early = sorted((group for group in groups if group.early), key=lambda group: len(group.early))
        self._late = sorted((group for group in groups if group.late), key=lambda group: -len(group.late))

    def take(self, worker: int) -> list[int]:
        """Return the indexes of the checks that a worker runs next; none when nothing is left for it."""
        with self._lock:
            if self._early:
                group = self._early.pop()
                group.owner = worker
                return group.early
            mine = [group for group in self._late if group.owner == worker] or [
                group for group in self._late if group.owner is None
            ]
            if not mine:
                return []
            self._late.remove(mine[0])
            return mine[0].late


def shard_of(jobs: Sequence[Job], index: int, of: int) -> list[int]:
    """Return the indexes of the checks in one of several shards, counted from 1, in the order given.

    Checks that share something are in one shard. The largest groups are dealt first, each to the smallest shard.
    """
    shards: list[list[int]] = [[] for _ in range(of)]
    for group in sorted(groups_of([job.ties for job in jobs]), key=len, reverse=True):
        min(shards, key=len).extend(group)
    return sorted(shards[index - 1])


def _parted(indexes: Iterable[int], jobs: Sequence[Job]) -> _Group:
    group = _Group()
    for index in indexes:
        (group.late if jobs[index].late else group.early).append(index)
    return group


def groups_of(ties: Sequence[Iterable[str]]) -> list[list[int]]:
    """Return the indexes of what is tied together, directly or through others; each group in the order given."""
    leader: dict[str, str] = {}

    def led_by(tie: str) -> str:
        while leader.setdefault(tie, tie) != tie:
            tie = leader[tie]
        return tie

    for tied in ties:
        leaders = [led_by(tie) for tie in tied]
        for other in leaders[1:]:
            leader[led_by(other)] = led_by(leaders[0])
    groups: dict[str, list[int]] = defaultdict(list)
    for index, tied in enumerate(ties):
        groups[next(map(led_by, tied), f"alone {index}")].append(index)
    return list(groups.values())
