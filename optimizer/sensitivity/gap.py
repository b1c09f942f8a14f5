"""A gap: one field of one part a step better, with what that gains; and the list of them by rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Distance:
    """How much ``dearer`` [USD] than today's best the cheapest design with a part is (inf: there is none), ``exact`` where proven.

    ``beyond``: dearer by that much or more.
    """

    dearer: float
    exact: bool
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """One field of one part a step better: ``gain`` [USD] of the cheapest design, ``enters`` whether the part is then in it,
    ``distance`` by how much the cheapest design with the part is dearer than the best today, ``left`` the same after the step
    (``beyond``: by that much or more; nothing nearer was looked for).
    """

    part: str
    vendor: str
    layer: str
    field: str
    unit: str
    value: float
    improved: float
    gain: float
    enters: bool
    distance: float | None
    left: float | None
    proven: bool
    beyond: bool = False

    @property
    def wins_today(self) -> bool:
        """Whether the part is in a cheapest design as it is."""
        return self.distance == 0.0

    @property
    def closes(self) -> float | None:
        """How much of the distance the step takes away [USD]."""
        if self.left is None or self.beyond:
            return None
        return None if self.distance is None else self.distance - self.left


@dataclass(frozen=True)
class GapList:
    """Gaps by rank: parts one step lets in, parts that are in already, what is nearest to entering; each by what it is worth."""

    objective: str
    best: float
    step: float
    gaps: tuple[Gap, ...]
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per gap, by rank."""
        import pandas as pd

        columns = [
            "part",
            "vendor",
            "layer",
            "field",
            "unit",
            "value",
            "improved",
            "gain",
            "enters",
            "distance",
            "left",
            "closes",
        ]
        return pd.DataFrame([[getattr(g, c) for c in columns] for g in self.gaps], columns=columns)
