"""What a plant option is made of: equipment bought in steps, with what each step carries, draws and how often it fails."""

from __future__ import annotations

from dataclasses import dataclass

from models.candidates.block_rings import Ring
from models.parts.part import PriceRange
from models.policy import PowerFigure
from models.site import Chain, EquipmentUse, Redundancy
from models.site_options import CoolantTo

FIGURES = (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL, PowerFigure.IN_USE)
KILOWATT = 1e3


@dataclass(frozen=True)
class PlantUnit:
    """Equipment bought ``step`` units at a time, each step carrying ``capacity`` [W]; ``spare`` steps beside those that carry.

    A step is one unit, a pair for 2n, a group with its own redundancy, or a part's units in a ring of blocks. ``rating`` [W] of
    one unit and the share of it that may be used, ``loading``; ``curve`` its part-load efficiency, ``efficiency`` without one; ``stands`` the share of the time it does, where its failures are
    stated; ``carrying`` units of a step are needed; ``doubled`` marks 2n: a step is one unit of each of two complete systems; ``positions``
    rack positions that one unit takes.
    """

    part: str
    vendor: str
    capacity: float
    spare: int
    step: int
    price: PriceRange
    rating: float
    loading: float = 1.0
    curve: str | None = None
    efficiency: float = 1.0
    stands: float | None = None
    carrying: int = 1
    doubled: bool = False
    positions: int = 0


@dataclass(frozen=True)
class PlantOption:
    """One way to build a chain. ``shares``: electrical watts per watt carried (fans, pumps, compressors; losses for power).

    By figure: nameplate, design, typical, in use. ``water`` [kg per J carried]; ``ring`` of blocks for a power topology; ``loading``: least
    and most share of their rating at which units with a ``curve`` run. ``availability``: share of the time it carries its load with
    failures as stated, however large the plant grows. ``coolant_to`` says what a liquid option serves, ``supply`` [degC] what it makes.
    """

    site: str
    chain: Chain
    id: str
    shares: tuple[float, float, float, float]
    units: tuple[PlantUnit, ...]
    water: float = 0.0
    ring: Ring | None = None
    loading: tuple[float, float] | None = None
    availability: float = 1.0
    coolant_to: CoolantTo = CoolantTo.RACKS
    supply: float | None = None

    def share(self, figure: PowerFigure) -> float:
        """The electrical share for one power figure."""
        return self.shares[FIGURES.index(figure)]


def steps_of(use: EquipmentUse) -> tuple[int, int, int]:
    """Units bought at a time, of those how many carry, and spare steps."""
    spare = 1 if use.redundancy is Redundancy.N_PLUS_1 else 0
    if use.group is not None:
        return use.group, use.group - spare, 0
    return (2, 1, 0) if use.redundancy is Redundancy.TWO_N else (1, 1, spare)
