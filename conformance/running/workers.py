"""Checks side by side: which must follow one another on one worker, and who takes which next."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

MOST = 8
"""Workers that nobody asked for, at most: a guest does not crowd a server that is not ours."""
OWN_WORK = 0.005
"""Seconds of a request that are this process's own work, and gain nothing from workers."""


def worthwhile(latency: float) -> int:
    """Return how many workers a target is worth that takes so many seconds for an answer."""
    return max(1, min(MOST, round(latency / OWN_WORK)))


@frozen
class Job:
    """What is known of a check before it runs: the shared things it uses, and whether it comes after all others.

    What is made for ``aging`` checks is looked at once more by late ones.
    """

    ties: frozenset[str] = frozenset()
    late: bool = False
    aging: bool = False


@define
class _Group:
    """The checks left of some that share something, by index: late ones and others, apart."""

    left: dict[bool, list[int]] = field(factory=lambda: {False: [], True: []})
    aging: bool = False
    owner: int | None = None


class Queue:
    """Hands the checks of a run out to its workers.

    Checks that share something go to one worker, since one looks at what another did. Groups with aging checks go
    first, and the largest of them before the others; late checks follow when no others are left. A worker that is
    ``alone`` gets one check after the other, in the order given, until it shares what is left.
    """

    def __init__(self, jobs: Sequence[Job], *, alone: bool = False) -> None:
        self._lock = threading.Lock()
        self._alone = alone
        groups = [_parted(group, jobs) for group in groups_of([job.ties for job in jobs])]
        self._groups = {
            False: sorted(groups, key=lambda group: (not group.aging, -len(group.left[False]))),
            True: sorted(groups, key=lambda group: -len(group.left[True])),
        }

    def share(self) -> None:
        """Other workers may take from now on what the one that was alone has not begun."""
        self._alone = False

    def take(self, worker: int) -> list[int]:
        """Return the indexes of the checks that a worker runs next; none when nothing is left for it."""
        with self._lock:
            take = self._next_of_all if self._alone else self._rest_of_a_group
            return take(worker, late=False) or take(worker, late=True)

    def _next_of_all(self, worker: int, *, late: bool) -> list[int]:
        waiting = [group for group in self._groups[late] if group.left[late]]
        for group in sorted(waiting, key=lambda group: group.left[late][0])[:1]:
            group.owner = worker
            return [group.left[late].pop(0)]
        return []

    def _rest_of_a_group(self, worker: int, *, late: bool) -> list[int]:
        for owner in (worker, None):
            for group in self._groups[late]:
                if group.owner == owner and group.left[late]:
                    group.owner = worker
                    taken, group.left[late] = group.left[late], []
                    return taken
        return []


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
        group.left[jobs[index].late].append(index)
        group.aging |= jobs[index].aging
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
