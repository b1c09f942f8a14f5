"""Sites: what the utility, the hall, the climate and the cooling plant give, and the choices open there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from models.parts.quarter import QuarterField
from models.physics.power import BreakerCode
from models.policy import Growth, Owned, PowerFigure, Record, Stated
from models.site_options import BlockPart, Chain, CoolantTo, EquipmentUse, Redundancy, SiteOption, Topology
from models.units import (
    Amperes,
    Bytes,
    BytesPerSecond,
    Celsius,
    CubicMetersPerSecond,
    DollarsPerJoule,
    DollarsPerWatt,
    Fraction,
    KilogramsPerJoule,
    Meters,
    Seconds,
    Share,
    Unlimited,
    Volts,
    WattsOrUnlimited,
)

__all__ = [
    "BlockPart",
    "Chain",
    "EquipmentUse",
    "Redundancy",
    "RowFeed",
    "RowPlan",
    "Site",
    "SiteOption",
    "Topology",
    "Weather",
    "WeatherBin",
]


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


class FeedLoss(Record):
    """What may hold a rack up when one of its feeds is lost: ``capped_to`` is the lowest share of nameplate it can be capped to, after
    ``capping_delay``, during which supplies and whips stand ``overload`` (share) more; the feed may be away for ``ride_through``.
    """

    remedies: tuple[Literal["capping", "battery"], ...] = ()
    capped_to: Share | None = None
    capping_delay: Seconds = 0.0
    overload: Share = 0.0
    ride_through: Seconds = 0.0

    @model_validator(mode="after")
    def _complete(self) -> FeedLoss:
        if "capping" in self.remedies and self.capped_to is None:
            raise ValueError("capping is allowed, but capped_to does not say how far")
        if "battery" in self.remedies and self.ride_through <= 0:
            raise ValueError("battery is allowed, but ride_through does not say for how long a feed may be away")
        return self


class Conductors(Record):
    """Conductors of a whip: ``ampacity`` at 30 degC and alone, what the ``insulation`` stands, the air around them, and how many lie together
    (current-carrying conductors under NEC, circuits under IEC; none other when absent).
    """

    ampacity: Amperes = Field(gt=0)
    insulation: Celsius = Field(default=90.0, gt=30)
    ambient: Celsius = 30.0
    grouped: int = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _carries(self) -> Conductors:
        if self.ambient >= self.insulation:
            raise ValueError(f"air of {self.ambient:g} degC around insulation for {self.insulation:g} degC")
        return self


class RackFeed(Owned):
    """The whips of a rack: two feeds (A and B) of at most ``whips_per_feed`` each, every whip with its breaker.

    ``voltage`` is line to line for three phases, between the conductors for one; ``derating`` what is left of the breaker for ambient;
    ``conductors``, where stated, carry no more than ambient and grouping leave them.
    """

    voltage: Volts = Field(gt=0)
    phases: Literal[1, 3] = 3
    breaker: Amperes = Field(gt=0)
    code: BreakerCode
    derating: Fraction = Field(default=1.0, gt=0, le=1)
    conductors: Conductors | None = None
    whips_per_feed: int = Field(default=2, gt=0)
    loss: FeedLoss | None = None


class RowFeed(Owned):
    """The panels or the busway of a row, one on each feed: three phases of ``voltage`` line to line behind a ``breaker``."""

    voltage: Volts = Field(gt=0)
    breaker: Amperes = Field(gt=0)
    code: BreakerCode
    derating: Fraction = Field(default=1.0, gt=0, le=1)


class WeatherBin(Record):
    """Hours of a year with about these temperatures."""

    dry_bulb: Celsius
    wet_bulb: Celsius
    hours: float = Field(gt=0)


class Weather(Owned):
    """The climate of a site as bins; ``file`` (hourly or binned CSV) is read into bins when the instance is loaded.

    ``exceeded``: share of the year in which it may be hotter than the design day.
    """

    bins: tuple[WeatherBin, ...] = Field(min_length=1)
    exceeded: Fraction = Field(default=0.004, ge=0, lt=1)

    @model_validator(mode="after")
    def _physical(self) -> Weather:
        for number, one in enumerate(self.bins):
            if one.wet_bulb > one.dry_bulb + 0.05:
                raise ValueError(
                    f"bin {number}: a wet bulb of {one.wet_bulb:g} above a dry bulb of {one.dry_bulb:g} degC"
                )
        return self


def _positions(limit: int | Unlimited) -> int | Unlimited:
    if not isinstance(limit, Unlimited) and limit < 0:
        raise ValueError(f"rack_positions is negative: {limit}")
    return limit


def _some_air(limit: float | Unlimited) -> float | Unlimited:
    if not isinstance(limit, Unlimited) and limit <= 0:
        raise ValueError(f"{limit:g} W; expected above 0: racks of switches give their heat to the room")
    return limit


class Site(Owned):
    """A place with limits. ``utility`` [W] is held against ``utility_figure``; unlimited is the word ``unlimited``.

    ``electricity_growth`` takes the place of ``money.energy_growth`` here; ``clear_height`` is what racks pass under.
    """

    utility: Stated[WattsOrUnlimited]
    utility_figure: Annotated[PowerFigure, BeforeValidator(_of_limits)]
    rack_positions: Stated[Annotated[int | Unlimited, AfterValidator(_positions)]]
    floor: str
    air_per_rack: Stated[Annotated[WattsOrUnlimited, AfterValidator(_some_air)]]
    needed_by: QuarterField
    electricity: str | None = None
    electricity_price: Stated[DollarsPerJoule] | None = None
    electricity_growth: Stated[Growth] | None = None
    grid_carbon: Stated[KilogramsPerJoule] | None = None
    shell_cost: Stated[Annotated[DollarsPerWatt, Field(ge=0)]] | None = None
    weather: Weather | None = None
    rows: RowPlan
    storage: SharedStorage | None = None
    air: dict[str, SiteOption] = Field(default_factory=dict)
    rear_door: dict[str, SiteOption] = Field(default_factory=dict)
    liquid: dict[str, SiteOption] = Field(default_factory=dict)
    power: dict[str, SiteOption] = Field(min_length=1)
    rack_feed: RackFeed | None = None
    row_feed: RowFeed | None = None
    racks_arrive_loaded: bool = False
    airflow_per_rack: CubicMetersPerSecond | None = None
    supply_air: Celsius | None = None
    clear_height: Meters | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _energy_known(self) -> Site:
        if self.electricity is None and (self.electricity_price is None or self.grid_carbon is None):
            raise ValueError(
                "name a row of electricity.csv in `electricity`, or give both electricity_price and grid_carbon"
            )
        for chain in (Chain.AIR, Chain.REAR_DOOR, Chain.LIQUID):
            for name, option in self.options(chain).items():
                if option.coolant_to is not CoolantTo.RACKS and chain is not Chain.LIQUID:
                    raise ValueError(f"{chain.value}.{name}: only a liquid option serves CDUs in racks")
                if option.topology is not None:
                    raise ValueError(f"{chain.value}.{name}: a topology of blocks is a way to build `power`")
                if self.weather is None and any(use.rejection is not None for use in option.equipment):
                    raise ValueError(f"{chain.value}.{name}: `rejection` is worked out from the site's `weather`")
        return self

    @model_validator(mode="after")
    def _rows_fed(self) -> Site:
        if self.row_feed is not None and self.rack_feed is None:
            raise ValueError("the panels of `row_feed` feed whips: state `rack_feed`")
        return self

    def options(self, chain: Chain) -> dict[str, SiteOption]:
        """The options open for one chain, by id."""
        found: dict[str, SiteOption] = getattr(self, chain.value)
        return found

    def without_size(self) -> Site:
        """The site with unlimited utility and rack positions."""
        unlimited = {
            name: getattr(self, name).model_copy(update={"value": Unlimited.UNLIMITED})
            for name in ("utility", "rack_positions")
        }
        return self.model_copy(update=unlimited)
