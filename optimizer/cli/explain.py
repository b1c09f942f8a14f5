"""``optimizer explain ...``: why there is no design, which limits bind, why something is not chosen; one file per question."""

from __future__ import annotations

from optimizer.cli._subcommands import Subcommands

command = Subcommands(
    "explain",
    "Explain an answer: why there is none, what binds, why not something else.",
    "Why there is no design, which limits bind, why not something else.",
)
