"""Sites: what the utility, the hall and the cooling plant give, and the choices open there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from models.parts.quarter import QuarterField
from models.policy import Owned, PowerFigure, Record, Stated
from models.units import (
    Bytes,
    BytesPerSecond,
    DollarsPerJoule,
    DollarsPerWatt,
    Fraction,
    KilogramsPerJoule,
    Meters,
    Unlimited,
    WattsOrUnlimited,
)


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


class EquipmentUse(Record):
    """A catalogue part that carries a chain's load, and its redundancy."""

    part: str
    redundancy: Redundancy
    loading: Fraction = Field(default=1.0, gt=0, le=1)


class SiteOption(Owned):
    """One way to build a chain: its equipment; every listed part carries the whole load of the chain."""

    equipment: tuple[EquipmentUse, ...] = Field(min_length=1)
    loss: Stated[Fraction] | None = None


class RowPlan(Record):
    """How racks stand in the hall, for cable lengths: upper figures, the layout may only shorten them."""

    racks_per_row: int = Field(gt=0)
    rack_pitch: Meters = Field(gt=0)
    row_pitch: Meters = Field(gt=0)
    tray_height: Meters = Field(gt=0)


def _of_limits(value: Any) -> Any:
    """What a job draws on average is for energy, and bounds nothing."""
    if value not in ("nameplate", "design", "typical"):
        raise ValueError(f"{value!r}; expected 'nameplate', 'design' or 'typical'")
    return value


class SharedStorage(Owned):
    """Storage that stands at a site and is bought by nobody here: what it writes and reads [B/s], and its usable bytes."""

    write: BytesPerSecond
    read: BytesPerSecond
    capacity: Bytes


class Site(Owned):
    """A place with limits. ``utility`` [W] is held against ``utility_figure``; unlimited is the word ``unlimited``."""

    utility: WattsOrUnlimited
    utility_figure: Annotated[PowerFigure, BeforeValidator(_of_limits)]
    rack_positions: int | Unlimited
    floor: str
    air_per_rack: WattsOrUnlimited
    needed_by: QuarterField
    electricity: str | None = None
    electricity_price: Stated[DollarsPerJoule] | None = None
    grid_carbon: Stated[KilogramsPerJoule] | None = None
    shell_cost: Stated[DollarsPerWatt] | None = None
    rows: RowPlan
    storage: SharedStorage | None = None
    air: dict[str, SiteOption] = Field(default_factory=dict)
    rear_door: dict[str, SiteOption] = Field(default_factory=dict)
    liquid: dict[str, SiteOption] = Field(default_factory=dict)
    power: dict[str, SiteOption] = Field(min_length=1)

    @model_validator(mode="after")
    def _energy_known(self) -> Site:
        if self.electricity is None and (self.electricity_price is None or self.grid_carbon is None):
            raise ValueError(
                "name a row of electricity.csv in `electricity`, or give both electricity_price and grid_carbon"
            )
        if isinstance(self.rack_positions, int) and self.rack_positions < 0:
            raise ValueError(f"rack_positions is negative: {self.rack_positions}")
        return self

    def options(self, chain: Chain) -> dict[str, SiteOption]:
        """The options open for one chain, by id."""
        found: dict[str, SiteOption] = getattr(self, chain.value)
        return found
