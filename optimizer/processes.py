"""Processes that work for this one: they leave Ctrl-C to it, and end when it ends, however that comes about."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

ORPHANED = 1
_HELD = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def starting() -> Iterator[None]:
    """Around whatever starts processes: an interrupt waits until they stand, and they do not hear it before they ``attend``.

    A terminal sends Ctrl-C to every process there is, also to those that still read what they are to work on.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def attend() -> None:
    """In a process that works for another: an interrupt is the other's business, and its end is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    wait([parent.sentinel])
    os._exit(ORPHANED)


@contextmanager
def ended_on_error() -> Iterator[None]:
    """Ends the processes started within, whatever they are at, where an interrupt or an error leaves the block."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for child in multiprocessing.active_children():
            if child not in before:
                child.terminate()
        raise
