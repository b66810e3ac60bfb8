"""Several requests at the same moment."""

import contextvars
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from conformance.http.answer import Answer
from conformance.http.wire import Wire


def at_once(wire: Wire, sends: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Send requests from as many threads, let go at one moment; returns the answers in the order of the requests.

    The moment comes when the target's rate limit has room for all of them.
    """
    wire.make_room(len(sends))
    gate = threading.Barrier(len(sends))

    def send(one: Callable[[], Answer]) -> Answer:
        gate.wait(timeout=30)
        return one()

    with wire.my_turn(), ThreadPoolExecutor(len(sends)) as pool:  # each thread sends for the worker that lets it go
        running = [pool.submit(contextvars.copy_context().run, send, one) for one in sends]
        return [one.result() for one in running]
