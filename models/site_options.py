"""The ways to build a site's power and cooling chains: equipment with redundancy, or a topology of power blocks."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from models.physics.cooling_plant import Rejection, class_supply_limit
from models.policy import Owned, Record, Stated
from models.units import Celsius, CubicMetersPerSecond, Fraction, Kelvins, Pascals, Seconds, Watts


class Chain(StrEnum):
    """The three ways heat leaves a rack, and the power chain: of each kind a site chooses one option."""

    AIR = "air"
    REAR_DOOR = "rear_door"
    LIQUID = "liquid"
    POWER = "power"


class Redundancy(StrEnum):
    """How many units may be lost with the load still carried."""

    N = "n"
    N_PLUS_1 = "n+1"
    TWO_N = "2n"


class Topology(StrEnum):
    """How the blocks of a power chain back each other up: an idle reserve, pairs, or every pair of a ring."""

    BLOCK_REDUNDANT = "block_redundant"
    TWO_N = "2n"
    DISTRIBUTED = "distributed"


class Coolant(StrEnum):
    """What flows through the cold plates."""

    WATER = "water"
    PG25 = "pg25"


class CoolantTo(StrEnum):
    """What a liquid option serves: cold plates, by CDUs of its own, or CDUs that stand in the racks, with facility water."""

    RACKS = "racks"
    RACK_CDUS = "rack_cdus"


class PumpPoint(Record):
    """A point of a pump curve: the pressure it still gives at a flow."""

    flow: CubicMetersPerSecond
    pressure: Pascals


class CoolantLoop(Record):
    """How the loop behind a CDU is run; its capacity and pump power follow from it.

    ``rise`` of the coolant over the racks; ``approach`` between the loops, with the one the catalogue's capacity holds at;
    ``pressure`` the loop needs at full flow. A unit's flow ends at ``flow_limit``, at the catalogue's flow, or where ``pump_curve`` gives
    less than the loop needs.
    """

    coolant: Coolant = Coolant.PG25
    rise: Kelvins = Field(gt=0)
    approach: Kelvins | None = Field(default=None, gt=0)
    rated_approach: Kelvins | None = Field(default=None, gt=0)
    pressure: Pascals | None = None
    flow_limit: CubicMetersPerSecond | None = Field(default=None, gt=0)
    pump_curve: tuple[PumpPoint, ...] = ()
    pump_efficiency: Fraction = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _complete(self) -> CoolantLoop:
        if (self.approach is None) != (self.rated_approach is None):
            raise ValueError("`approach` scales the capacity rated at `rated_approach`: give both")
        if self.pump_curve and self.pressure is None:
            raise ValueError("a pump curve is held against the `pressure` the loop needs")
        flows, pressures = [p.flow for p in self.pump_curve], [p.pressure for p in self.pump_curve]
        if flows != sorted(set(flows)) or pressures != sorted(pressures, reverse=True):
            raise ValueError("a pump curve has rising flow and pressure that does not rise")
        return self


class RejectionUse(Record):
    """How a part gives heat to the weather; what it draws and what it can carry follow from the site's weather.

    Shares are W of electric power per W of heat. ``approach``: supply temperature over the air (dry, adiabatic) or over the wet
    bulb (tower) at which full fans carry the rated load.
    """

    kind: Rejection
    approach: Kelvins = Field(gt=0)
    fan_share: Fraction = Field(ge=0)
    pump_share: Fraction = Field(ge=0)
    carnot_share: Fraction = Field(gt=0, le=1)
    saturation: Fraction = Field(ge=0, le=1)
    cycles: float = Field(gt=1)


class Failing(Record):
    """How often a part fails and how long that lasts: a row of ``failure_rates.csv``, or both figures."""

    failures: str | None = None
    mtbf: Seconds | None = Field(default=None, gt=0)
    mttr: Seconds | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_source(self) -> Failing:
        stated = (self.mtbf is not None, self.mttr is not None)
        if any(stated) != all(stated) or (self.failures is not None and any(stated)):
            raise ValueError("name a row of failure_rates.csv in `failures`, or give `mtbf` and `mttr`")
        return self


class EquipmentUse(Failing):
    """A catalogue part that carries a chain's load, and its redundancy.

    ``curve`` names its part-load efficiency (power), ``rejection`` and ``loop`` say how it is run (cooling). ``group``: bought in
    groups of so many, each group keeping its own redundancy. ``positions``: rack positions one unit takes (CDUs and coolers in rows).
    """

    part: str
    redundancy: Redundancy
    loading: Fraction = Field(default=1.0, gt=0, le=1)
    group: int | None = Field(default=None, gt=1)
    positions: int = Field(default=0, ge=0)
    curve: str | None = None
    rejection: RejectionUse | None = None
    loop: CoolantLoop | None = None

    @model_validator(mode="after")
    def _grouped(self) -> EquipmentUse:
        if self.group is not None and self.redundancy is Redundancy.TWO_N:
            raise ValueError("2n buys pairs; a `group` keeps n or n+1")
        return self


class BlockPart(Failing):
    """A catalogue part of a power block, ``count`` of it in every block, each loaded up to ``loading`` of its rating."""

    part: str
    count: int = Field(default=1, gt=0)
    loading: Fraction = Field(default=1.0, gt=0, le=1)
    curve: str | None = None


class LoadingRange(Record):
    """Share of its rating at which the equipment of a chain runs, as typical power and as sustained peak."""

    least: Fraction = Field(gt=0, le=1)
    most: Fraction = Field(gt=0, le=1)


class SiteOption(Owned):
    """One way to build a chain.

    Either ``equipment``, of which every part carries the whole load of the chain; or, for power, a ``topology`` of blocks, each
    of the parts in ``block``: rings ``of`` so many blocks of which ``needed`` carry the load. ``overload``: short-time rating
    of a block over its rating; ``small_racks``: most a rack without systems draws; ``explicit_failures``: racks on blocks are
    decisions of the program, a row for each failed block on each survivor, and not rows of whole rings; not stated, they are
    so where the utility fills few rings. ``loading_range``: where part-load curves are read.
    ``coolant_to``: the racks, or the CDUs that stand in them. ``supply_temperature``, or the limit of an ASHRAE ``supply_class``, is what heat rejection must make.
    """

    equipment: tuple[EquipmentUse, ...] = ()
    topology: Topology | None = None
    block: tuple[BlockPart, ...] = ()
    needed: int | None = Field(default=None, gt=0)
    of: int | None = Field(default=None, gt=1)
    overload: float = Field(default=1.0, ge=1)
    small_racks: Watts | None = None
    explicit_failures: bool | None = None
    loading_range: LoadingRange | None = None
    supply_temperature: Celsius | None = None
    supply_class: str | None = None
    coolant_to: CoolantTo = CoolantTo.RACKS
    loss: Stated[Fraction] | None = None

    @model_validator(mode="after")
    def _built(self) -> SiteOption:
        if bool(self.equipment) == bool(self.block) or (self.topology is None) == bool(self.block):
            raise ValueError("an option is a list of `equipment`, or a `topology` with the parts of its `block`")
        if self.topology is not None:
            _check_topology(self.topology, self.needed, self.of)
        elif self.explicit_failures is not None:
            raise ValueError("`explicit_failures` are those of blocks: they belong to a `topology`")
        elif self.needed is not None or self.of is not None:
            raise ValueError("`needed` and `of` count blocks: they belong to a `topology`")
        if self.loading_range is not None and self.loading_range.least > self.loading_range.most:
            raise ValueError("loading_range.least is above loading_range.most")
        curved = any(u.curve is not None for u in self.equipment) or any(u.curve is not None for u in self.block)
        if curved and self.loading_range is None:
            raise ValueError("a part-load `curve` is read over a range: state `loading_range: {least, most}`")
        return self

    @model_validator(mode="after")
    def _supplied(self) -> SiteOption:
        rejecting = [use.rejection.kind for use in self.equipment if use.rejection is not None]
        if rejecting and self.supply_temperature is None and self.supply_class is None:
            raise ValueError("`rejection` needs the `supply_temperature` (or `supply_class`) it has to make")
        coolers = [kind for kind in rejecting if kind is not Rejection.CHILLER]
        if len(coolers) > 1 or len(rejecting) - len(coolers) > 1:
            raise ValueError("one cooler or tower rejects the heat, and one chiller may trim it")
        if self.supply_class is not None:
            class_supply_limit(self.supply_class)  # names the classes where it is none
        return self

    @property
    def blocks(self) -> tuple[int, int]:
        """Blocks of a ring, and how many of them carry its load."""
        needed = self.needed if self.needed is not None else 1
        return (self.of if self.of is not None else 2), needed


def _check_topology(topology: Topology, needed: int | None, of: int | None) -> None:
    if topology is Topology.TWO_N:
        if (needed or 1, of or 2) != (1, 2):
            raise ValueError("2n pairs blocks: needed 1, of 2")
    elif needed is None or of is None or needed >= of:
        raise ValueError(f"{topology.value} needs `needed` and `of`, with fewer blocks needed than there are")
    elif topology is Topology.DISTRIBUTED and (of < 3 or needed != of - 1):
        raise ValueError(
            f"distributed: any one of at least three blocks may fail, so needed is of - 1, not {needed} of {of}"
        )
