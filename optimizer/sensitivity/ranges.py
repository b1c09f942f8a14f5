"""What is uncertain about an instance: prices over the catalogue's own ranges, finance over its table, throughput over its band.

Fields without a range of their own take one from the caller, ``FIELD=LOW..HIGH``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.candidates.economics import economics_of
from models.candidates.placement import Candidates
from models.errors import UsageError, nearest
from models.formulation.counts import parts_among
from models.instance import Instance
from models.parts.economics import FinanceAssumption
from models.units import FRACTION, SECOND, TOKEN_PER_SECOND, USD_PER_JOULE, USD_PER_WATT, Unit, UnitError, parse
from models.workload import Training
from optimizer.sensitivity.repricing import price_range


class RangeKind(StrEnum):
    """How an input enters the program."""

    PRICE = "price"
    MONEY = "money"
    THROUGHPUT = "throughput"
    DEMAND = "demand"


@dataclass(frozen=True)
class Range:
    """An input with its range, in canonical units: ``low <= base <= high`` need not hold for the base.

    ``name``: a dotted field, or ``catalogue.PART.price``. ``source`` says where the range comes from.
    """

    name: str
    kind: RangeKind
    low: float
    base: float
    high: float
    unit: str
    source: str

    def at(self, share: float) -> float:
        """The value ``share`` of the way from low to high."""
        return self.low + share * (self.high - self.low)


def ranges_of(instance: Instance, candidates: Candidates) -> list[Range]:
    """Every input the catalogue or the models state a range for."""
    found = list(_prices(instance, candidates))
    finance = instance.catalogue.of(FinanceAssumption)
    for field, row in (("discount_rate", "wacc"), ("maintenance_per_year", "maint")):
        told = finance.get(row)
        if told is not None and told.low is not None and told.high is not None:
            base = getattr(instance.assumptions, field).value
            where = instance.catalogue.origins.get((told.file, told.id, "low"), told.file)
            found.append(Range(f"assumptions.{field}", RangeKind.MONEY, told.low, base, told.high, "share", where))
    for cluster in instance.workloads:
        band = widest_band(candidates, cluster)
        if band > 0:
            name = f"workloads.{cluster}.throughput"
            found.append(Range(name, RangeKind.THROUGHPUT, -1.0, 0.0, 1.0, "half-widths of its band", "model error"))
    return found


def widest_band(candidates: Candidates, cluster: str) -> float:
    """The widest relative error of any pod's throughput."""
    return max((float(np.max(p.pods.band, initial=0.0)) for p in candidates.of(cluster)), default=0.0)


def _prices(instance: Instance, candidates: Candidates) -> list[Range]:
    parts = {part.id: part for part in instance.catalogue}
    found = []
    # a quoted part has its tiers and terms, and no range
    for name in (n for n in parts_among(candidates) if n not in candidates.offers.parts):
        part = parts[name]
        price = price_range(part)
        if price is not None and price.high > price.low:
            base = price.at(instance.money.price_basis)
            found.append(
                Range(f"catalogue.{name}.price", RangeKind.PRICE, price.low, base, price.high, "USD", part.source)
            )
    return found


_FIELDS: dict[str, Unit] = {
    "assumptions.discount_rate": FRACTION,
    "assumptions.maintenance_per_year": FRACTION,
    "money.horizon": SECOND,
}
_SITE_FIELDS = {"electricity_price": USD_PER_JOULE, "shell_cost": USD_PER_WATT}
_RANGE = re.compile(r"^\s*(?P<name>[^=]+?)\s*=\s*(?P<low>.+?)\s*\.\.\s*(?P<high>.+?)\s*$")


def read_range(instance: Instance, text: str) -> Range:
    """A range from ``FIELD=LOW..HIGH``; both ends with their unit, or the second's unit for both."""
    match = _RANGE.match(text)
    if match is None:
        raise UsageError(f"--range {text!r} is not FIELD=LOW..HIGH, such as assumptions.discount_rate=0.06..0.12")
    name = match["name"]
    unit, base, kind = _field(instance, name)
    low, high = (_number(match[end], match["high"], unit, name, instance) for end in ("low", "high"))
    if low >= high:
        raise UsageError(f"--range {name}: {match['low']} is not below {match['high']}")
    return Range(name, kind, low, base, high, unit.symbol or "share", "command line")


def _number(text: str, other: str, unit: Unit, name: str, instance: Instance) -> float:
    rates = {code: rate.usd for code, rate in instance.money.currencies.items()}
    if unit is not FRACTION and re.fullmatch(r"[-+.\deE]+", text.strip()):
        text = text.strip() + re.sub(r"^[-+.\d]+(?:[eE][-+]?\d+)?", "", other.strip())
    try:
        return parse(text, unit, rates)
    except UnitError as error:
        raise UsageError(f"--range {name}: {error}") from None


def _field(instance: Instance, name: str) -> tuple[Unit, float, RangeKind]:
    steps = name.split(".")
    if name in _FIELDS:
        node = instance.money.horizon if name == "money.horizon" else getattr(instance.assumptions, steps[1]).value
        return _FIELDS[name], float(node), RangeKind.MONEY
    if len(steps) == 3 and steps[0] == "sites" and steps[1] in instance.sites and steps[2] in _SITE_FIELDS:
        money = economics_of(instance, steps[1])
        base = money.energy_price if steps[2] == "electricity_price" else money.shell
        return _SITE_FIELDS[steps[2]], base, RangeKind.MONEY
    if len(steps) == 3 and steps[0] == "workloads" and steps[1] in instance.workloads:
        workload = instance.workloads[steps[1]]
        training = isinstance(workload, Training)
        if steps[2] == ("deadline" if training else "rate"):
            base = workload.deadline if isinstance(workload, Training) else workload.demand
            return (SECOND if training else TOKEN_PER_SECOND), float(base), RangeKind.DEMAND
    raise UsageError(f"--range: no field {name!r} that can vary: {nearest(name, field_names(instance))}")


def field_names(instance: Instance) -> list[str]:
    """Every field a caller may give a range for."""
    found = list(_FIELDS)
    found += [f"sites.{site}.{field}" for site in instance.sites for field in _SITE_FIELDS]
    for cluster, workload in instance.workloads.items():
        found.append(f"workloads.{cluster}.{'deadline' if isinstance(workload, Training) else 'rate'}")
    return found


def merged(own: Sequence[Range], given: Sequence[Range]) -> list[Range]:
    """Ranges with those given in place of those of the same name."""
    by_name = {r.name: r for r in own}
    by_name.update({r.name: r for r in given})
    return list(by_name.values())
