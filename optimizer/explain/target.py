"""What a person may insist on: a part, a vendor, a seller or a quote, an accelerator, a cooling method, a topology, a plant option, a site.

A target is a count over the program's columns: insisting on it asks for at least one, doing without for none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.candidates.placement import Placements
from models.errors import UsageError, nearest
from models.formulation.core import Core
from models.formulation.counts import bought_parts, units
from models.formulation.linear import Floats, Linear
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.network_part import Switch
from models.parts.quote import QuoteRow
from models.parts.system import System
from models.workload import RackCooling


class TargetKind(StrEnum):
    """What sort of thing is insisted on."""

    PART = "part"
    ACCELERATOR = "accelerator"
    VENDOR = "vendor"
    SELLER = "seller"
    QUOTE = "quote"
    COOLING = "cooling"
    TOPOLOGY = "topology"
    PROTOCOL = "protocol"
    OPTION = "option"
    SITE = "site"


@dataclass(frozen=True)
class Target:
    """``parts``: the catalogue parts, or a seller's quotes, whose price moves it (none for a cooling method, a topology, an option or a site)."""

    kind: TargetKind
    name: str
    parts: tuple[str, ...] = ()

    @property
    def orders(self) -> bool:
        """Whether it is something ordered from: ``parts`` are then quotes."""
        return self.kind in (TargetKind.SELLER, TargetKind.QUOTE)

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}" if self.kind is not TargetKind.PART else self.name


TOPOLOGIES = {"1-tier": 1, "2-tier": 2, "3-tier": 3}


def read_target(instance: Instance, text: str) -> Target:
    """A target by name, or as ``kind:name`` where a name means several things; UsageError naming the nearest."""
    kind, colon, name = text.partition(":")
    kinds = [TargetKind(kind)] if colon and kind in [k.value for k in TargetKind] else list(TargetKind)
    name = name if len(kinds) == 1 and colon else text
    for each in kinds:
        known = _names(instance, each)
        match = next((k for k in known if k == name), None) or next(
            (k for k in known if k.lower() == name.lower()), None
        )
        if match is not None:
            return Target(each, match, _parts(instance, each, match))
    everything = [known for each in kinds for known in _names(instance, each)]
    raise UsageError(
        f"nothing called {name!r} to ask about ({', '.join(k.value for k in kinds)}): {nearest(name, everything)}"
    )


def _names(instance: Instance, kind: TargetKind) -> list[str]:
    catalogue = instance.catalogue
    if kind is TargetKind.PART:
        return [part.id for part in catalogue if not isinstance(part, Accelerator | QuoteRow)]
    if kind is TargetKind.ACCELERATOR:
        return list(catalogue.of(Accelerator))
    if kind is TargetKind.VENDOR:
        return list(dict.fromkeys(part.vendor for part in catalogue if part.vendor))
    if kind is TargetKind.SELLER:
        return list(dict.fromkeys(quote.vendor for quote in instance.quotes.values()))
    if kind is TargetKind.QUOTE:
        return list(instance.quotes)
    if kind is TargetKind.COOLING:
        return [cooling.value for cooling in RackCooling]
    if kind is TargetKind.TOPOLOGY:
        return list(TOPOLOGIES)
    if kind is TargetKind.PROTOCOL:
        return list(dict.fromkeys(s.protocol for s in catalogue.of(Switch).values()))
    if kind is TargetKind.OPTION:
        return list(
            dict.fromkeys(
                option
                for site in instance.sites.values()
                for chain in ("air", "rear_door", "liquid", "power")
                for option in getattr(site, chain)
            )
        )
    return list(instance.sites)


def _parts(instance: Instance, kind: TargetKind, name: str) -> tuple[str, ...]:
    systems, switches = instance.catalogue.of(System), instance.catalogue.of(Switch)
    if kind in (TargetKind.PART, TargetKind.QUOTE):
        return (name,)
    if kind is TargetKind.ACCELERATOR:
        return tuple(s.id for s in systems.values() if s.accelerator == name)
    if kind is TargetKind.PROTOCOL:
        return tuple(s.id for s in switches.values() if s.protocol == name)
    if kind is TargetKind.SELLER:
        return tuple(key for key, quote in instance.quotes.items() if quote.vendor == name)
    if kind is TargetKind.VENDOR:
        # a vendor is asked about for what it leads with: systems, else switches, else anything
        for table in (systems, switches):
            made = tuple(part.id for part in table.values() if part.vendor == name)
            if made:
                return made
        return tuple(part.id for part in instance.catalogue if part.vendor == name)
    return ()


def count_of(core: Core, target: Target) -> Linear:
    """How much of the target a design has."""
    if target.kind is TargetKind.SITE:
        return core.everywhere(lambda p: np.ones(len(p)), site=target.name)
    if target.orders:
        valid = [quote for quote in target.parts if quote in core.candidates.offers.by_name]
        return Linear.total([core.read(f"ordered[{quote}]") for quote in valid])
    if target.parts:
        present = set(bought_parts(core))
        return Linear.total([units(core, part) for part in target.parts if part in present])
    return core.everywhere(_having(target))


def _having(target: Target) -> Callable[[Placements], Floats]:
    def cooled(p: Placements) -> Floats:
        mine = np.array([rack.cooling.value == target.name for rack in p.pods.racks], dtype=np.float64)
        return p.of_pods(mine[p.pods.rack])

    def tiered(p: Placements) -> Floats:
        tiers = np.zeros(len(p.pods))
        for number, table in enumerate(p.pods.fabrics):
            rows = np.flatnonzero(p.pods.table == number)
            tiers[rows] = table.tiers[p.pods.fabric[rows]]
        return p.of_pods(tiers == TOPOLOGIES[target.name])

    def optioned(p: Placements) -> Floats:
        mine = np.array([any(o.id == target.name for o in c.options) for c in p.combinations], dtype=np.float64)
        return np.asarray(mine[p.combination], dtype=np.float64)

    return {TargetKind.COOLING: cooled, TargetKind.TOPOLOGY: tiered}.get(target.kind, optioned)


def presence_of(core: Core, target: Target) -> Linear:
    """One for every placement that has any of the target: what tells columns apart when it is insisted on or left out."""
    count = count_of(core, target)
    return Linear({name: (values > 0).astype(np.float64) for name, values in count.terms.items()})
