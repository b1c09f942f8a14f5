"""Losses of the power supplies in a rack again: what is installed, what it delivers, what is drawn at part load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy.optimize import brentq

from models.instance import Instance
from models.parts.power_component import EfficiencyPoint, PowerComponent, PowerKind
from models.parts.system import System, SystemKind
from models.physics.power import input_power
from models.physics.power_supplies import SupplyKind, parse_supply, supply_capacity
from optimizer.design import PodChoice


@dataclass(frozen=True)
class Supplies:
    """Output [W] installed behind one system and the points of its curve."""

    name: str
    installed: float
    shares: tuple[float, ...]
    values: tuple[float, ...]

    def drawn(self, delivered: float) -> float:
        """Power at the wall [W]."""
        return float(input_power(delivered, self.installed, self.shares, self.values))

    def delivered(self, drawn: float) -> float:
        """Output [W] at which ``drawn`` is drawn."""
        if self.drawn(0.0) >= drawn:
            return 0.0
        return float(brentq(lambda level: self.drawn(level) - drawn, 0.0, drawn, xtol=1e-9, rtol=1e-14))


def rack_supplies(instance: Instance, pod: PodChoice, system: System) -> Supplies | None:
    """Supplies with a stated curve; None where the instance or the catalogue is silent."""
    config = parse_supply(system.psu_config or "")
    part = instance.catalogue.of(PowerComponent).get(pod.distribution or "")
    if part is not None and part.kind is PowerKind.POWER_SHELF:
        named, installed = instance.assumptions.shelf_curve, pod.distribution_per_rack * (part.rated or 0.0)
        installed /= pod.systems_per_rack
    elif config.kind is SupplyKind.MODULES:
        named, installed = instance.assumptions.supply_curve, config.group_w or 0.0
    else:
        named, installed = instance.assumptions.shelf_curve, (config.group_w or 0.0) * (config.shelves or 1)
        installed = 0.0 if system.kind is SystemKind.SERVER else installed
    if named is None or not installed:
        return None
    rows = [row for row in instance.catalogue.of(EfficiencyPoint).values() if row.curve == named.value]
    rows.sort(key=lambda row: row.load_fraction)
    return Supplies(
        named.value, installed, tuple(row.load_fraction for row in rows), tuple(row.efficiency for row in rows)
    )


def states_of_supplies(instance: Instance, pod: PodChoice, system: System) -> dict[str, float | None]:
    """What a full rack's shelves or supplies carry [W] whole, with their reserve kept, and with one of two feeds lost."""
    part = instance.catalogue.of(PowerComponent).get(pod.distribution or "")
    whole: float | None
    kept: float | None
    if part is not None and part.kind is PowerKind.POWER_SHELF:
        whole = pod.distribution_per_rack * part.rated if part.rated is not None else None
        kept = pod.distribution_per_rack * part.usable_n_plus_1 if part.usable_n_plus_1 is not None else None
        lost = whole / 2 if whole is not None else None
    else:
        each = pod.systems_per_rack if system.kind is SystemKind.SERVER else 1
        found = supply_capacity(parse_supply(system.psu_config or ""))
        whole, kept, lost = (
            watts * each if watts is not None else None
            for watts in (found.installed_w, found.promised_w, found.feed_lost_w)
        )
    return {"supplies_w": whole, "supplies_reserve_w": kept, "supplies_feed_lost_w": lost}


def at_its_load(instance: Instance, pod: PodChoice, system: System, nominal: float) -> float:
    """Power at the wall [W] of a system worked out as ``nominal`` at the efficiency of its nameplate."""
    supplies = rack_supplies(instance, pod, system)
    if supplies is None or not system.max_power:
        return nominal
    return supplies.drawn(nominal * supplies.delivered(system.max_power) / system.max_power)


def told_of_supplies(instance: Instance, pod: PodChoice, system: System) -> dict[str, Any]:
    """What a design should tell of the supplies of a full rack."""
    supplies, full = rack_supplies(instance, pod, system), system.max_power or 0.0
    if supplies is None or not full:
        return {}
    typical = system.typical_power or full
    return {
        "supply_curve": supplies.name,
        "supplies_installed_w": supplies.installed * pod.systems_per_rack,
        "supply_efficiency_nameplate": supplies.delivered(full) / full,
        "supply_efficiency_typical": supplies.delivered(typical) / typical,
    }
