"""Time, real and virtual."""

from concurrent.futures import ThreadPoolExecutor

from conformance.clock import VirtualClock

LONG = 100.0


def test_waiting_skips_ahead_for_everyone() -> None:
    """What one thread waits for has passed for all."""
    clock = VirtualClock()
    before = clock.monotonic(), clock.now()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(clock.sleep, LONG).result()

    assert clock.monotonic() - before[0] >= LONG
    assert (clock.now() - before[1]).total_seconds() >= LONG


def test_a_stopwatch_leaves_the_waiting_of_others_out() -> None:
    """An answer is not late because another thread waited for its turn meanwhile."""
    clock = VirtualClock()
    started = clock.stopwatch()
    clock.sleep(1.0)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(clock.sleep, LONG).result()

    assert 1.0 <= clock.stopwatch() - started < LONG
