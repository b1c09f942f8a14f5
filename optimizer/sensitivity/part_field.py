"""A numeric field of a catalogue part: its value, its unit, and the part with another value in it."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.errors import UsageError, nearest
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.failure_rate import FailureRate
from models.parts.network_part import Link, Switch
from models.parts.part import Part, PriceRange
from models.parts.power_component import PowerComponent
from models.parts.quarter import Quarter
from models.parts.system import System
from models.units import FRACTION, PER_SECOND, USD, Unit, UnitError, parse, show
from optimizer.sensitivity.repricing import price_range, priced_at, with_part

TOGETHER = {
    "power": ("max_power", "typical_power"),
    "radix": ("native_ports",),
    "bandwidth": ("memory_bandwidth", "native_speed", "scaleout_speed", "rate"),
    "lead_time": ("available",),
    "mtbf": ("failure_rate",),
    "fit": ("failure_rate",),
    "ports": ("native_ports",),
}
"""Words people use, and the fields they mean where a part has them; the power figures move in proportion."""
FIT = 1e-9 / 3600.0
"""Failures in time [1/s]: one in 10^9 hours."""
QUARTER = Unit("quarters", "quarters", "calendar quarter", "2027Q1")


@dataclass(frozen=True)
class PartField:
    """``names``: attributes that move together in proportion to the first; ``value`` is that of the first (None: not in the catalogue)."""

    part: Part
    name: str
    names: tuple[str, ...]
    unit: Unit
    whole: bool
    value: float | None

    def shown(self, value: float) -> str:
        """A value as text."""
        if self.unit is QUARTER:
            return quarter_text(value)
        if self.unit is PER_SECOND:
            return f"{value / FIT:,.6g} FIT"
        if self.unit is USD and abs(value) >= 100.0:
            return f"{value:,.0f} {self.unit.symbol}"
        return f"{value:,.0f}" if self.whole else show(value, self.unit, 6)

    def within(self, instance: Instance, value: float) -> Instance:
        """The instance with ``value`` in this field of the part."""
        return with_part(instance, self.variant(value))

    def read(self, text: str) -> float:
        """A value from text with a unit; a bare number is in the canonical unit; a quarter as 2027Q1."""
        try:
            if self.unit is QUARTER:
                return float(Quarter(text).index)
            return float(text)
        except ValueError:
            try:
                return parse(text, self.unit, {})
            except UnitError as error:
                raise UsageError(f"{self.part.id} {self.name}: {error}") from None

    def variant(self, value: float) -> Part:
        """The part with ``value`` in this field."""
        if self.unit is QUARTER:
            return self.part.model_copy(update={self.names[0]: Quarter(quarter_text(value))})
        if self.name == "price":
            return priced_at(self.part, PriceRange(value, value))
        scale = value / self.value if self.value else 1.0
        changes: dict[str, Any] = {}
        for name in self.names:
            old = getattr(self.part, name)
            new = value if name == self.names[0] or old is None else old * scale
            changes[name] = round(new) if self.whole else new
        return self.part.model_copy(update=changes)


def quarter_text(index: float) -> str:
    """``2027Q1`` from quarters since year zero."""
    whole = round(index)
    year, number = (whole - 1) // 4, (whole - 1) % 4 + 1
    return f"{year}Q{number}"


def field_key(name: str) -> str:
    """A field's name as people write it: ``lead time`` is ``lead_time``."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def find_part_field(part: Part, name: str) -> PartField:
    """A field by attribute, catalogue column, or the word people use for it; UsageError for one the part does not have."""
    fields = type(part).model_fields
    key = field_key(name)
    if key in ("price", "unit_price"):
        price = price_range(part)
        return PartField(part, "price", ("price",), USD, False, None if price is None else (price.low + price.high) / 2)
    by_column = type(part).columns()
    names = tuple(n for n in TOGETHER.get(key, (key,)) if n in fields)
    if not names and key in by_column:
        names = (by_column[key],)
    names = tuple(n for n in names if _numeric(fields[n].annotation) or _is_quarter(fields[n].annotation))
    if not names:
        known = [n for n in fields if _numeric(fields[n].annotation)] + ["power", "price"]
        raise UsageError(
            f"{type(part).__name__.lower()} {part.id} has no numeric field {name!r}: {nearest(key, known)}"
        )
    names = names if key == "power" else names[:1]
    info = fields[names[0]]
    value = getattr(part, names[0])
    if _is_quarter(info.annotation):
        return PartField(part, key, names, QUARTER, True, None if value is None else float(value.index))
    unit = next((m for m in (*info.metadata, *_metadata(info.annotation)) if isinstance(m, Unit)), FRACTION)
    whole = int in _plain(info.annotation) and float not in _plain(info.annotation)
    return PartField(part, key, names, unit, whole, None if value is None else float(value))


def part_of(instance: Instance, name: str) -> Part:
    """Any catalogue part by id; UsageError naming the nearest."""
    alike = [part for part in instance.catalogue if part.id == name]
    # a row of failure rates may bear the id of the part that fails so
    found = next((part for part in alike if not isinstance(part, FailureRate)), next(iter(alike), None))
    if found is None:
        raise UsageError(f"no part {name!r}: {nearest(name, [part.id for part in instance.catalogue])}")
    return found


_IMPROVABLE: Mapping[type[Part], tuple[tuple[str, float], ...]] = {
    System: (
        ("price", -1),
        ("power", -1),
        ("weight", -1),
        ("rack_units", -1),
        ("scaleout_speed", 1),
        ("available", -1),
    ),
    Accelerator: (
        ("peak_bf16", 1),
        ("peak_fp8", 1),
        ("memory", 1),
        ("memory_bandwidth", 1),
        ("scaleup_bandwidth", 1),
        ("failure_rate", -1),
    ),
    Switch: (
        ("price", -1),
        ("power", -1),
        ("native_ports", 1),
        ("native_speed", 1),
        ("weight", -1),
        ("height_units", -1),
        ("failure_rate", -1),
    ),
    Link: (("price", -1), ("power_per_end", -1), ("reach", 1), ("failure_rate", -1)),
    PowerComponent: (("price", -1), ("rated", 1), ("efficiency", 1), ("failure_rate", -1)),
    Cooling: (("price", -1), ("capacity", 1), ("power_share", -1), ("failure_rate", -1)),
}
DOUBLED = ("scaleout_speed", "native_speed")
"""Fields that come in generations: one step is twice the value."""


def improvable(part: Part) -> Iterator[tuple[str, float]]:
    """Fields a vendor can be asked to improve, each with its sign: +1 where more is better, -1 where less is.

    The failure rate is among them where one could be stated; whether an instance has one, ``failure_field`` tells.
    """
    for name, sign in _IMPROVABLE.get(type(part), ()):
        if (name not in type(part).model_fields and name not in ("price", "power")) or find_part_field(
            part, name
        ).value:
            yield name, sign


def _is_quarter(annotation: Any) -> bool:
    return annotation is Quarter or any(_is_quarter(a) for a in typing.get_args(annotation))


def _plain(annotation: Any) -> set[type]:
    if annotation in (int, float):
        return {annotation}
    return {kind for a in typing.get_args(annotation) for kind in _plain(a)}


def _numeric(annotation: Any) -> bool:
    return bool(_plain(annotation)) and not _is_quarter(annotation)


def _metadata(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for argument in typing.get_args(annotation):
        yield from _metadata(argument)


def improved(field: PartField, sign: float, step: float) -> float | None:
    """The field one ``step`` (share of its value) better: at least one whole unit, a quarter for a date, twice
    the value for a speed of ports, never above one for an efficiency."""
    assert field.value is not None
    if field.unit is QUARTER:
        return field.value + sign
    value = field.value * (2.0 if field.name in DOUBLED else 1.0 + sign * step)
    if field.name == "efficiency":
        value = min(value, (1.0 + field.value) / 2)
    if field.whole:
        value = math.ceil(value) if sign > 0 else math.floor(value)
        value = value if value != field.value else field.value + sign
    return value if value > 0 else None
