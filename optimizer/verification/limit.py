"""A limit as verification holds it against a design."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.verification.quanta import Total

ROOM = 1e-6


@dataclass(frozen=True)
class Limit:
    """A limit as the program holds it: name of its row, what the design uses, the limit, and where it is stated.

    ``idle``: nothing in the design touches it, so that a run need not report it.
    """

    row: str
    value: Total
    limit: float
    at_most: bool
    unit: str
    source: str
    idle: bool = False

    @property
    def kept(self) -> bool:
        """Whether the design keeps it."""
        return self.value.least <= self.limit + ROOM if self.at_most else self.value.most >= self.limit - ROOM
