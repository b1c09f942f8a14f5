"""Interrupts a solver from outside when it ignores its own time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from optimizer.backends.protocol import SolveLimits


@contextmanager
def watched(limits: SolveLimits, interrupt: Callable[[], object]) -> Iterator[threading.Event]:
    """Call ``interrupt`` once the time limit is exceeded by far; the yielded event tells whether that happened."""
    fired = threading.Event()
    if limits.seconds is None:
        yield fired
        return

    def fire() -> None:
        fired.set()
        interrupt()

    timer = threading.Timer(limits.seconds * limits.watchdog_factor + 1.0, fire)
    timer.daemon = True
    timer.start()
    try:
        yield fired
    finally:
        timer.cancel()
