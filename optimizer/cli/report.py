"""``optimizer report ...``: documents for people, one file per report."""

from __future__ import annotations

from optimizer.cli._subcommands import Subcommands

command = Subcommands(
    "report", "Write a report a person can be handed.", "Reports for people: what would change the answer."
)
