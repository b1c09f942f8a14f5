"""Settings of every test."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: how long an example takes depends on the machine. Where a failure holds up other people's work the examples
# are the same every time; elsewhere each run looks at new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
