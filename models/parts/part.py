"""What every catalogue row has: identity, source, confidence, and columns whose names carry their unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from models.physics.cost import PriceBasis
from models.units import Dollars


class Confidence(StrEnum):
    """How well the main figures of a row are backed, best first; ``stated`` by a user who does not say how."""

    QUOTE = "quote"
    VENDOR_SPEC = "vendor-spec"
    PUBLISHED_ESTIMATE = "published-estimate"
    ANALYST_ESTIMATE = "analyst-estimate"
    STATED = "stated"
    UNVERIFIED = "unverified"


class Label(StrEnum):
    """Who may read an item: everyone, ourselves only; a vendor's name is kept as text beside it."""

    PUBLIC = "public"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Low and high price in USD; ``at`` picks by basis, the mid being the arithmetic mean."""

    low: float
    high: float

    def at(self, basis: PriceBasis) -> float:
        """The price in USD on the given basis."""
        if basis is PriceBasis.LOW:
            return self.low
        return self.high if basis is PriceBasis.HIGH else (self.low + self.high) / 2


def column(name: str, unit: str | None = None, *, default: Any = None, title: str = "") -> Any:
    """A field read from catalogue column ``name`` whose numbers are in ``unit`` (None: text, count or plain number); ``default=...`` requires the cell."""
    return Field(default=default, description=title, json_schema_extra={"column": name, "unit": unit})


class Part(BaseModel):
    """A catalogue row. Absent cells are None, never zero; ``unverified`` names the columns not found in the source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: ClassVar[str]
    plural: ClassVar[str]
    preliminary_marks: ClassVar[tuple[str, ...]] = ("PRELIMINARY",)
    reference_only: ClassVar[bool] = False
    """Listed to be looked up; nothing is computed from it."""

    id: str = column("id", default=...)
    name: str = column("name", default="")
    vendor: str = column("vendor", default="")
    source: str = column("source", default=...)
    confidence: Confidence = column("confidence", default=...)
    unverified: tuple[str, ...] = column("fields_unverified", default=())
    notes: str = column("notes", default="")
    owner: str = column("owner", default="")
    reason: str = column("reason", default="")
    label: str = column("label", default=Label.PUBLIC.value)

    @model_validator(mode="after")
    def _signs(self) -> Part:
        for name, value in self:
            if isinstance(value, int | float) and not isinstance(value, bool):
                if not math.isfinite(value):
                    raise ValueError(f"{self.column_of(name)} is not finite")
                if value < 0 and name not in self.may_be_negative():
                    raise ValueError(f"{self.column_of(name)} is negative: {value:g}")
        return self

    @classmethod
    def may_be_negative(cls) -> frozenset[str]:
        """Fields for which a negative number makes sense (temperatures)."""
        return frozenset()

    @classmethod
    def columns(cls) -> dict[str, str]:
        """Catalogue column -> field name, for every field that is read from a column."""
        return {_extra(info)["column"]: name for name, info in cls.model_fields.items() if _extra(info)}

    @classmethod
    def column_of(cls, name: str) -> str:
        """The catalogue column a field is read from."""
        return str(_extra(cls.model_fields[name]).get("column", name))

    @classmethod
    def unit_of(cls, name: str) -> str | None:
        """The unit the catalogue column of a field is written in."""
        unit = _extra(cls.model_fields[name]).get("unit")
        return None if unit is None else str(unit)

    @property
    def preliminary(self) -> bool:
        """True for a part not shipping in volume when its source was written."""
        return any(mark in self.notes for mark in self.preliminary_marks)

    def missing(self, *names: str) -> str | None:
        """The reason this part cannot be used where the named fields are needed, or None when all are present."""
        absent = [self.column_of(name) for name in names if getattr(self, name) is None]
        return f"{', '.join(absent)} not in the catalogue" if absent else None


def _extra(info: FieldInfo) -> dict[str, Any]:
    extra = info.json_schema_extra
    return extra if isinstance(extra, dict) else {}


class PricedPart(Part):
    """A part with a price range in USD; an estimate until a quote replaces it."""

    price_low: Dollars | None = column("price_usd_low", "USD")
    price_high: Dollars | None = column("price_usd_high", "USD")
    price_is_estimate: bool = column("price_is_estimate", default=True)

    @property
    def price(self) -> PriceRange | None:
        """The price range, or None when the catalogue has no price; one-sided ranges are taken as a point."""
        low = self.price_low if self.price_low is not None else self.price_high
        high = self.price_high if self.price_high is not None else self.price_low
        return None if low is None or high is None else PriceRange(low, high)

    @model_validator(mode="after")
    def _ordered(self) -> PricedPart:
        if self.price_low is not None and self.price_high is not None and self.price_low > self.price_high:
            raise ValueError(f"price_usd_low {self.price_low:g} is above price_usd_high {self.price_high:g}")
        return self
