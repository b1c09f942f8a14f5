"""What people decide rather than measure: limits, assumptions, prices and money, each with an owner and a reason."""

from __future__ import annotations

import typing
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.parts.calendar import DayField
from models.parts.part import Label
from models.physics.cost import PriceBasis
from models.units import Dollars, Fraction, Kilograms, Meters, PerSecond, Seconds, Share, TokensPerSecond, Unit, Watts

T = TypeVar("T")


class Record(BaseModel):
    """Base of everything an instance states: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Owned(Record):
    """Who answers for it, why it is so, and who may read it (public, internal, or a vendor's name)."""

    owner: str = ""
    reason: str = ""
    label: str = Label.PUBLIC.value


class Stated(Owned, Generic[T]):
    """A value somebody states. Written as a bare value, or as a mapping with ``value``, ``owner``, ``reason``, ``label``."""

    value: T

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Stated) else {"value": data}

    def __reduce__(self) -> tuple[Any, ...]:
        # the class of a stated value has no name a pickle could find
        return _stated, (self.value, self.owner, self.reason, self.label)


def _stated(value: Any, owner: str, reason: str, label: str) -> Stated[Any]:
    return Stated[Any].model_construct(value=value, owner=owner, reason=reason, label=label)


def unit_of(record: type[BaseModel], name: str) -> Unit | None:
    """The canonical unit of a stated field; None for counts, names and plain numbers."""
    kinds = [kind for kind in _classes(record.model_fields[name].annotation) if issubclass(kind, Stated)]
    fields = [kind.model_fields["value"] for kind in kinds]
    inside = [m for field in fields for a in typing.get_args(field.annotation) for m in getattr(a, "__metadata__", ())]
    return next((m for m in [*(m for field in fields for m in field.metadata), *inside] if isinstance(m, Unit)), None)


def _classes(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [found for argument in typing.get_args(annotation) for found in _classes(argument)]


class PowerFigure(StrEnum):
    """Nameplate, sustained peak, sustained training load as printed, and the mean that a job really draws.

    Limits are held against one of the first three; energy is counted from the last.
    """

    NAMEPLATE = "nameplate"
    DESIGN = "design"
    TYPICAL = "typical"
    IN_USE = "in_use"


Count = Annotated[int, Field(ge=0)]
Spending = Annotated[Dollars, Field(ge=0)]


class Limits(Record):
    """Bounds on objectives, each on its bad side: ceilings on money, power, carbon and floor, floors on the rest."""

    capex: Stated[Spending] | None = None
    opex: Stated[Dollars] | None = None
    tco: Stated[Dollars] | None = None
    power: Stated[Watts] | None = None
    carbon: Stated[Kilograms] | None = None
    floor: Stated[Count] | None = None
    throughput: Stated[TokensPerSecond] | None = None
    goodput: Stated[Share] | None = None
    concentration: Stated[Spending] | None = None
    lead_time: Stated[Seconds] | None = None
    availability: Stated[Share] | None = None
    blast_radius: Stated[Count] | None = None


class ComponentRates(Owned):
    """Which rows of failure_rates.csv (``software``: of interruptions.csv) a pod's parts fail by, and how many parts a node has.

    A row with the id of the part itself (``b300_sxm``, ``q3400``) goes before the row named here. ``accelerator`` counts
    everything on the package, of which ``memory`` is shown apart.
    """

    accelerator: str = "gpu_h100_all"
    memory: str = "hbm"
    nic: str = "nic_400"
    cpu: str = "cpu"
    dimm: str = "dimm"
    disk: str = "ssd_local"
    psu: str = "psu"
    fan: str = "fan"
    switch: str = "tor_switch"
    software: tuple[str, ...] = ("software_bug", "dependency", "host_maintenance", "nccl_watchdog_timeout")
    dimms_per_cpu: int = Field(ge=0)
    disks_per_accelerator: float = Field(ge=0)
    psus_per_node: int = Field(ge=0)
    fans_per_node: int = Field(ge=0)


class Assumptions(Record):
    """Figures no row of a part backs. Outputs show each as an assumption with its owner; those that
    ``class_figures.csv`` knows are read from there where the instance leaves them out.

    ``design_power_share`` places the sustained peak between typical (0) and nameplate (1) power.
    ``production_factor`` is the share of benchmark throughput that production runs reach (mapping search only).
    ``training_transient``: short peaks of synchronous training over its sustained peak, at least 1.
    ``*_failure_rate`` [1/s] are job-stopping interruptions per accelerator, and per node beside its accelerators; one that is
    not stated follows from the parts by ``components``. ``detection`` passes before anybody acts; then the job restarts.
    ``checkpoint_write`` holds where a workload has no storage of its own. ``weight_per_unit`` of height, of an ``upright`` (rack PDU,
    manifold) and of a rear ``door`` stand in for masses that catalogue rows lack; ``cable_depth`` is kept free behind every device;
    a frame of unstated height is ``frame_allowance`` higher than its units.
    ``supply_curve`` and ``shelf_curve`` name the part-load efficiency of systems' own power supplies and of power shelves.
    """

    design_power_share: Stated[Share]
    training_derating: Stated[Annotated[Share, Field(gt=0)]] | None = None
    exposed_communication: Stated[Share] | None = None
    serving_derating: Stated[Annotated[Share, Field(gt=0)]] | None = None
    production_factor: Stated[Annotated[Share, Field(gt=0)]] | None = None
    training_transient: Stated[Annotated[float, Field(ge=1)]] | None = None
    accelerator_failure_rate: Stated[PerSecond] | None = None
    node_failure_rate: Stated[PerSecond] | None = None
    detection: Stated[Seconds] | None = None
    checkpoint_write: Stated[Seconds] | None = None
    restart: Stated[Seconds]
    embodied_carbon_per_accelerator: Stated[Kilograms]
    maintenance_per_year: Stated[Share]
    discount_rate: Stated[Share]
    reserved_rack_units: Stated[Annotated[float, Field(ge=0)]]
    rack_pdus_per_feed: Stated[Count]
    weight_per_unit: Stated[Kilograms]
    weight_of_upright: Stated[Kilograms]
    weight_of_door: Stated[Kilograms]
    frame_allowance: Stated[Meters]
    supply_curve: Stated[str] | None = None
    shelf_curve: Stated[str] | None = None
    cable_depth: Stated[Meters]


Growth = Annotated[Fraction, Field(gt=-1, le=1)]


class ExchangeRate(Owned):
    """How many USD one unit of a currency is worth on a day, and who says so."""

    usd: float = Field(gt=0)
    date: DayField
    source: str


class Financing(Owned):
    """A loan on a share of the capital cost, repaid in level yearly payments over ``term`` (the horizon when absent)."""

    share: Share
    rate: Share
    term: Annotated[Seconds, Field(gt=0)] | None = None


class ResidualValue(Owned):
    """What equipment fetches at the end of the horizon: its price less a decline a year, never below a share of the price."""

    decline_per_year: Share
    at_least: Share = 0.0


class Money(Owned):
    """How money is counted: which end of price ranges, at which date, real or nominal, and lines on top of prices.

    ``energy_growth`` and ``maintenance_growth`` are what both cost more each year after the first, on the same ``basis`` as the discount rate.
    ``order_date`` is when orders are placed (the price date when absent): quotes must be valid then, lead times run from it.
    """

    price_basis: PriceBasis
    price_date: str
    basis: str = Field(default="real", pattern="^(real|nominal)$")
    order_date: DayField | None = None
    horizon: Annotated[Seconds, Field(gt=0)]
    financing: Financing | None = None
    residual_value: ResidualValue | None = None
    freight: Stated[Share] = Field(default_factory=lambda: Stated[float](value=0.0))
    duty: Stated[Share] = Field(default_factory=lambda: Stated[float](value=0.0))
    tax: Stated[Share] = Field(default_factory=lambda: Stated[float](value=0.0))
    energy_growth: Stated[Growth] = Field(default_factory=lambda: Stated[float](value=0.0))
    maintenance_growth: Stated[Growth] = Field(default_factory=lambda: Stated[float](value=0.0))
    currencies: dict[str, ExchangeRate] = Field(default_factory=dict)
