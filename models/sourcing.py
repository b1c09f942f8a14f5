"""Rules of purchasing: how much of what may or must come from whom, and how fast it can arrive."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from models.parts.quarter import QuarterField
from models.policy import Owned, Record
from models.units import Seconds, Share


class Layer(StrEnum):
    """What is bought, by kind. ``silicon`` and ``odm`` are both systems: by who makes the accelerator, and by who sells them."""

    SILICON = "silicon"
    ODM = "odm"
    NETWORK = "network"
    OPTICS = "optics"
    COOLING = "cooling"
    POWER = "power"
    RACKS = "racks"
    STORAGE = "storage"


class ShareMeasure(StrEnum):
    """What a share is a share of: money before charges, or units (accelerators in the layer ``silicon``)."""

    SPEND = "spend"
    UNITS = "units"


class ShareRule(Owned):
    """A vendor's share of a layer (of everything where no layer is named); every vendor's where no vendor is."""

    layer: Layer | None = None
    vendor: str | None = None
    measure: ShareMeasure = ShareMeasure.SPEND
    at_most: Share | None = None
    at_least: Share | None = None

    @model_validator(mode="after")
    def _bounded(self) -> ShareRule:
        if self.at_most is None and self.at_least is None:
            raise ValueError("a share has `at_most`, `at_least` or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"`at_least` {self.at_least:.4g} is above `at_most` {self.at_most:.4g}")
        if self.at_least is not None and self.vendor is None:
            raise ValueError("`at_least` needs a `vendor`")
        if self.layer is None and self.measure is ShareMeasure.UNITS:
            raise ValueError("units add up within a `layer` only")
        return self


class SecondSource(Owned):
    """At least ``vendors`` vendors deliver ``each_at_least`` of a part or layer, where any of it is bought."""

    part: str | None = None
    layer: Layer | None = None
    measure: ShareMeasure = ShareMeasure.UNITS
    vendors: int = Field(default=2, ge=2)
    each_at_least: Share = Field(gt=0)

    @model_validator(mode="after")
    def _one_subject(self) -> SecondSource:
        if (self.part is None) == (self.layer is None):
            raise ValueError("a second source is of one `part` or of one `layer`")
        if self.vendors * self.each_at_least > 1:
            raise ValueError(f"{self.vendors} vendors cannot have {self.each_at_least:.0%} each")
        return self


class SupplyCap(Owned):
    """Units of a part, or of a vendor's parts of a layer, that can arrive in each quarter.

    ``lead_time`` from the order to the first arrival; with ``continues`` the last quarter's figure holds for all that follow.
    """

    part: str | None = None
    vendor: str | None = None
    layer: Layer | None = None
    per_quarter: dict[QuarterField, int] = Field(min_length=1)
    continues: bool = False
    lead_time: Seconds = 0.0

    @model_validator(mode="after")
    def _one_subject(self) -> SupplyCap:
        if (self.part is None) == (self.vendor is None or self.layer is None):
            raise ValueError("a supply cap is of one `part`, or of a `vendor` and a `layer`")
        if min(self.per_quarter.values()) < 0:
            raise ValueError("units that arrive are never below zero")
        return self


class Sourcing(Record):
    """Shares, second sources and supply caps by name."""

    shares: dict[str, ShareRule] = Field(default_factory=dict)
    second_sources: dict[str, SecondSource] = Field(default_factory=dict)
    supply: dict[str, SupplyCap] = Field(default_factory=dict)
