"""Settings of every test."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile

import pytest
from hypothesis import settings

# No deadline: how long an example takes depends on the machine. Where a failure holds up other people's work the examples
# are the same every time; elsewhere each run looks at new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

CACHE = "REFARCH_CACHE"


def pytest_configure(config: pytest.Config) -> None:
    """Searched mappings are shared by all tests of a run, workers included, and by nothing else."""
    if not hasattr(config, "workerinput"):
        os.environ[CACHE] = tempfile.mkdtemp(prefix="refarch-tests-")
    _interrupts_reach_what_a_test_starts()


def _interrupts_reach_what_a_test_starts() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and a new process inherits that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ[CACHE], ignore_errors=True)
