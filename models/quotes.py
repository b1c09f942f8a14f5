"""Quotes: what vendors offer, at which price from which quantity, until when, and when it arrives."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from models.parts.calendar import DayField
from models.parts.part import Confidence
from models.parts.quarter import QuarterField
from models.policy import Owned, Record
from models.units import Dollars, Seconds


class TierKind(StrEnum):
    """Whether the price of the tier reached holds for every unit, or only for the units within it."""

    ALL_UNIT = "all_unit"
    INCREMENTAL = "incremental"


class PriceTier(Record):
    """The price of a unit from unit number ``at_least`` on."""

    at_least: int = Field(ge=0)
    price: Dollars = Field(ge=0)


class Quote(Owned):
    """A vendor's price for one part, or for a bundle of several (``parts``: units of each in one set, priced by the set).

    ``minimum_order`` [units or sets] where anything is bought; ``one_off`` paid once where anything is bought, without charges;
    ``lead_time`` from the order to the first arrival, one figure or by the quarter of the order; ``supply`` units that can
    arrive in each quarter, the last one's for all that follow where ``supply_continues``.
    """

    part: str | None = None
    parts: dict[str, int] | None = None
    vendor: str
    price: Dollars | None = Field(default=None, ge=0)
    tiers: tuple[PriceTier, ...] = ()
    tier_kind: TierKind = TierKind.ALL_UNIT
    valid_until: DayField | None = None
    minimum_order: int = Field(default=0, ge=0)
    one_off: Dollars = Field(default=0.0, ge=0)
    lead_time: Seconds | dict[QuarterField, Seconds] | None = None
    supply: dict[QuarterField, int] | None = None
    supply_continues: bool = False
    source: str = ""
    confidence: Confidence = Confidence.QUOTE

    @model_validator(mode="after")
    def _complete(self) -> Quote:
        if (self.part is None) == (self.parts is None):
            raise ValueError("a quote names one `part`, or `parts` for a bundle")
        if self.parts is not None and (not self.parts or min(self.parts.values()) < 1):
            raise ValueError("a bundle has at least one unit of every part it names")
        if (self.price is None) == (not self.tiers):
            raise ValueError("a quote has one `price`, or `tiers` of prices")
        starts = [tier.at_least for tier in self.tiers]
        if starts != sorted(set(starts)):
            raise ValueError("tiers begin at rising quantities")
        if self.supply is not None and (not self.supply or min(self.supply.values()) < 0):
            raise ValueError("`supply` says how many units arrive in at least one quarter, never below zero")
        return self

    @property
    def contents(self) -> dict[str, int]:
        """Units of each part in one unit of the quote."""
        return dict(self.parts) if self.parts is not None else {self.part or "": 1}

    @property
    def steps(self) -> tuple[tuple[int, float], ...]:
        """Where each tier begins (at 1 or later) and its price [USD]."""
        if self.price is not None:
            return ((1, self.price),)
        return tuple((max(tier.at_least, 1), tier.price) for tier in self.tiers)
