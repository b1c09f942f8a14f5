"""Supply caps and a user's own rules, held against one choice of placements by counting its lines, in plain Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor
from typing import TYPE_CHECKING

from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.power_component import PowerComponent
from models.parts.system import System
from models.rules import Condition, Measure, Selection

from .brute_orders import ends, sellers

if TYPE_CHECKING:
    from .brute_force import Figures, Plant

LAYERS = {"silicon": ("silicon", "odm"), "rack": ("racks",), "rack power": ("power",), "network racks": ("racks",), "network rack power": ("power",),
          "cooling": ("cooling",), "network": ("network",),
          "optics and cables": ("optics",), "power": ("power",)}  # fmt: skip


def plant_vendor(inst: Instance, part: str) -> tuple[str, str]:
    """Vendor and layer of a plant unit."""
    found = inst.catalogue.of(PowerComponent).get(part)
    return (found.vendor, "power") if found is not None else (inst.catalogue.get(Cooling, part).vendor, "cooling")


def spend_by_vendor(inst: Instance, choice: Sequence[Figures], plant: Plant) -> dict[str, int]:
    """Price before charges of everything, by seller: each placement's part and each plant unit to the nearest kUSD."""
    offered = {part for quote in inst.quotes.values() for part in quote.contents}
    total = dict(plant.ordering.spend) or {"": 0}
    for row in choice:
        mine: dict[str, float] = {}
        for line in row.lines:
            if line.part not in offered:
                mine[line.vendor] = mine.get(line.vendor, 0.0) + line.unit_price * line.quantity
        for vendor, paid in mine.items():
            total[vendor] = total.get(vendor, 0) + round(paid / 1e3)
    for part, _, count, price in plant.units:
        if part not in offered:
            vendor = plant_vendor(inst, part)[0]
            total[vendor] = total.get(vendor, 0) + count * round(price / 1e3)
    return total


def units_asked(inst: Instance) -> dict[str, int]:
    """Least units of parts that rules ask for."""
    return {
        rule.of.part: int(rule.at_least)
        for rule in inst.rules.values()
        if rule.of is not None and rule.of.part is not None and rule.at_least is not None
    }


def within_supply(inst: Instance, choice: Sequence[Figures]) -> bool:
    """Units of capped parts at sites needed by each date, against what has come by its end."""
    for cap in inst.sourcing.supply.values():
        for due in {site.needed_by for site in inst.sites.values()}:
            here = [row for row in choice if inst.sites[row.site].needed_by.index <= due.index]
            used = sum(line.quantity for row in here for line in row.lines if line.part == cap.part)
            come = sum(n for quarter, n in cap.per_quarter.items() if ends(quarter) <= ends(due))
            if used > come:
                return False
    return True


def keeps_rules(inst: Instance, choice: Sequence[Figures], plant: Plant) -> bool:
    """Every rule, one after the other."""
    return all(held for rule in inst.rules.values() for held in _held(inst, rule, choice, plant))


def _held(inst: Instance, rule, choice: Sequence[Figures], plant: Plant) -> Iterator[bool]:  # type: ignore[no-untyped-def]
    def count(selection: Selection, floored: bool = False) -> float:
        return _count(inst, selection, choice, plant, floored)

    def within(condition: Condition, floored: bool) -> bool:
        value = count(condition.of, floored)
        if condition.at_most is not None:
            return value <= _quanta(condition.of, condition.at_most, floor)
        return value >= _quanta(condition.of, condition.at_least, ceil)

    for selection, held in ((rule.forbid, lambda n: n == 0), (rule.require, lambda n: n >= 1)):
        if selection is not None:
            cheap = selection.counted is Measure.SPEND and (selection.part or selection.vendor or selection.layer)
            yield held(count(selection.model_copy(update={"measure": Measure.UNITS}) if cheap else selection))
    if rule.of is not None:
        yield rule.at_most is None or count(rule.of) <= _quanta(rule.of, rule.at_most, floor)
        yield rule.at_least is None or count(rule.of, True) >= _quanta(rule.of, rule.at_least, ceil)
        yield rule.fix is None or count(rule.of) == _quanta(rule.of, rule.fix, round)
    if rule.condition is not None:  # met where it may be: what follows holds in every case
        given = within(rule.condition, floored=rule.condition.at_most is not None)
        yield not given or within(rule.then, floored=rule.then.at_least is not None)
    if rule.same_vendor is not None:
        layers = {layer.value for layer in rule.same_vendor.layers}
        clusters = rule.same_vendor.clusters
        sellers = set()
        for row in choice:
            for line in row.lines:
                if line.quantity and layers & set(LAYERS[line.layer]) and (clusters is None or row.cluster in clusters):
                    sellers.add(line.vendor)
        yield len(sellers) <= 1


def _quanta(selection: Selection, bound: float, how) -> int:  # type: ignore[no-untyped-def]
    return int(how(bound / (1e3 if selection.counted in (Measure.SPEND, Measure.POWER) else 1)))


def _count(
    inst: Instance, selection: Selection, choice: Sequence[Figures], plant: Plant, floored: bool = False
) -> float:
    rows = [r for r in choice if selection.cluster in (None, r.cluster) and selection.site in (None, r.site)]
    if selection.counted is Measure.OPTION:
        return float(any(o.id == selection.option for r in rows for o in r.options.values()))
    if selection.counted in (Measure.UNITS, Measure.SPEND):
        offered = {part for quote in inst.quotes.values() for part in quote.contents}
        somewhere = selection.cluster is not None or selection.site is not None
        total = 0.0 if somewhere else _ordered(inst, selection, plant)
        for row in rows:
            lines = row.lines if somewhere else [line for line in row.lines if line.part not in offered]
            mine = [line for line in lines if _matches(inst, selection, line.part, line.vendor, LAYERS[line.layer])]
            if selection.counted is Measure.SPEND:
                total += round(sum(line.unit_price * line.quantity for line in mine) / 1e3)
            else:
                total += sum(line.quantity * _worth(inst, selection, line.part) for line in mine)
        for part, site, count, price in plant.units if selection.cluster is None else ():
            vendor, layer = plant_vendor(inst, part)
            here = selection.site in (None, site) and (somewhere or part not in offered)
            if here and _matches(inst, selection, part, vendor, (layer,)):
                total += count * (round(price / 1e3) if selection.counted is Measure.SPEND else 1)
        return total
    told = selection.part or selection.vendor or selection.layer
    rows = [
        r
        for r in rows
        if not told
        or any(one.quantity and _matches(inst, selection, one.part, one.vendor, LAYERS[one.layer]) for one in r.lines)
    ]
    each = {
        Measure.PODS: lambda r: 1,
        Measure.RACKS: lambda r: r.racks,
        Measure.POWER: lambda r: r.draw_down if floored else r.draw,
        Measure.ACCELERATORS: lambda r: sum(
            (inst.catalogue.get(System, line.part).accelerators or 0) * line.quantity
            for line in r.lines
            if line.layer == "silicon"
        ),
    }[selection.counted]
    return float(sum(each(r) for r in rows))


def _ordered(inst: Instance, selection: Selection, plant: Plant) -> float:
    """Spend or units of orders, of parts and vendors alone: these cases name no layers of what they quote."""
    if selection.counted is Measure.SPEND:
        return float(sum(paid for vendor, paid in plant.ordering.spend if selection.vendor in (None, vendor)))
    offers = sellers(inst)
    return float(
        sum(
            count * offers[name][1].get(selection.part or "", 0)
            for name, count in plant.ordering.units.items()
            if selection.vendor in (None, offers[name][0])
        )
    )


def _matches(inst: Instance, selection: Selection, part: str, vendor: str, layers: tuple[str, ...]) -> bool:
    if selection.layer is not None and selection.layer.value not in layers:
        return False
    if selection.layer is not None and selection.layer.value == "silicon":
        vendor = inst.catalogue.get(Accelerator, inst.catalogue.get(System, part).accelerator or "").vendor
    return selection.part in (None, part) and selection.vendor in (None, vendor)


def _worth(inst: Instance, selection: Selection, part: str) -> int:
    silicon = selection.layer is not None and selection.layer.value == "silicon"
    return (inst.catalogue.get(System, part).accelerators or 0) if silicon else 1
