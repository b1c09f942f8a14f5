"""Rack designs: a frame with systems, power distribution and a cooling method that fits in it, legally.

A rack is legal when its rack units, static load and depth of power fit: with either feed lost, the rack PDUs of the other
carry its nameplate power (their ratings are already derated); a rack-scale system brings its own shelves, and the record
says what they carry with a module of each shelf in reserve and with one feed lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from models.candidates.rack_coolant import CoolantKit, coolant_kits
from models.candidates.rack_mass import devices_of, too_deep, too_heavy, weighed
from models.candidates.rack_power import FeedVerdict, over_units
from models.candidates.rejection import Rejection, Stage
from models.candidates.rows_of_racks import positions_of
from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.parts.part import PricedPart, PriceRange
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Rack
from models.parts.system import System, SystemKind
from models.physics.power_supplies import FeedLossRemedy, SupplyCapacity, parse_supply, supply_capacity
from models.policy import PowerFigure
from models.workload import DesignSpace, RackCooling

EIA = "eia"


@dataclass(frozen=True)
class RackDesign:
    """One legal way to rack ``systems`` units of ``system``; figures are of a full rack.

    ``distribution`` is the rack PDU or power shelf and ``distribution_units`` how many (both feeds together);
    ``feed`` how it stands on the site's feeds, ``contents`` all of a full rack as plain values, once a site is known;
    ``coolant`` what brings coolant to it;
    ``supply`` what the power supplies carry in each state, where the sheet states them. ``bare_weight`` [kg] is that of the frame with
    its systems, ``masses`` [kg] that of one unit of each other part in it.
    """

    system: System
    frame: Rack
    cooling: RackCooling
    systems: int
    distribution: PowerComponent | None
    distribution_units: int
    door: Cooling | None
    bare_weight: float
    supply: SupplyCapacity
    feed: FeedVerdict | None = None
    coolant: CoolantKit = field(default_factory=CoolantKit)
    contents: Mapping[str, Any] = field(default_factory=dict, compare=False)
    masses: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def id(self) -> str:
        """Readable and unique among the designs of one system."""
        return f"{self.systems}x{self.system.id}@{self.frame.id}.{self.cooling.value}{self.coolant.name}"

    @property
    def parts(self) -> tuple[tuple[PowerComponent | Cooling, int], ...]:
        """Parts of a full rack beside its frame and systems, with their number."""
        found: list[tuple[PowerComponent | Cooling, int]] = []
        if self.distribution is not None:
            found.append((self.distribution, self.distribution_units))
        if self.feed is not None and self.feed.battery is not None and self.feed.batteries:
            found.append((self.feed.battery, self.feed.batteries))
        if self.door is not None:
            found.append((self.door, 1))
        if self.coolant.cdu is not None:
            found.append((self.coolant.cdu, self.coolant.cdus))
        if self.coolant.manifold is not None:
            found.append((self.coolant.manifold, 1))
        return tuple(found)

    @property
    def moving(self) -> float:
        """Electrical W per W of systems that the rack's own door and CDUs draw."""
        door = 0.0 if self.door is None else self.door.power_share or 0.0
        return door + self.coolant.share * (self.system.liquid_fraction or 0.0)

    @property
    def weight(self) -> float:
        """Mass of a full rack [kg], all parts in it and on it."""
        return self.bare_weight + sum(count * self.masses[part.id] for part, count in self.parts)

    @property
    def floor_load(self) -> float:
        """Mass over the frame's footprint [kg/m2]."""
        assert self.frame.width is not None and self.frame.depth is not None
        return self.weight / (self.frame.width * self.frame.depth)

    def positions(self, pitch: float) -> int:
        """Rack positions of a row with this pitch [m] that the frame's width takes."""
        assert self.frame.width is not None
        return positions_of(self.frame.width, pitch)

    @property
    def nameplate(self) -> float:
        """Nameplate power of a full rack [W], without its rear door."""
        assert self.system.max_power is not None
        return self.systems * self.system.max_power

    @property
    def air_heat(self) -> float:
        """Heat a full rack gives to the room at nameplate power [W]; a rear door takes it all."""
        assert self.system.liquid_fraction is not None
        return 0.0 if self.cooling is RackCooling.REAR_DOOR else self.nameplate * (1.0 - self.system.liquid_fraction)

    @property
    def overhead(self) -> PriceRange:
        """Price of a rack beside its systems [USD]: frame, power distribution, batteries, rear door, CDUs, manifold."""
        bought: list[tuple[int, PriceRange | None]] = []
        if self.system.kind is SystemKind.SERVER:
            bought.append((1, self.frame.price))
        bought += [(count, part.price) for part, count in self.parts]
        ranges = [(count, price) for count, price in bought if price is not None]
        return PriceRange(sum(n * p.low for n, p in ranges), sum(n * p.high for n, p in ranges))

    @property
    def survives_feed(self) -> bool:
        """True where the power supplies are known to carry typical power with either feed lost."""
        if self.supply.feed_lost_w is None:
            return False
        units = self.systems if self.system.kind is SystemKind.SERVER else 1
        return self.supply.feed_lost_w * units >= (self.system.typical_power or 0.0) * self.systems

    def feed_loss(self) -> str:
        """What the loss of one feed means for a full rack, in words."""
        if self.feed is not None and self.feed.remedy is not FeedLossRemedy.UNSUPPORTED:
            if self.feed.remedy is FeedLossRemedy.NONE:
                return "either feed carries nameplate"
            share = f"{self.feed.one_feed / 1e3:.1f} of {self.nameplate / 1e3:.1f} kW"
            return f"one feed carries {share}: {self.feed.words}"
        if self.supply.feed_lost_w is None:
            return "power supplies not stated"
        units = self.systems if self.system.kind is SystemKind.SERVER else 1
        carried = self.supply.feed_lost_w * units
        if carried >= self.nameplate:
            return "either feed carries nameplate"
        typical = (self.system.typical_power or 0.0) * self.systems
        needs = "capping" if carried >= typical else "capping below typical power, or battery"
        return f"one feed carries {carried / 1e3:.0f} of {self.nameplate / 1e3:.0f} kW: needs {needs}"


def usable_systems(instance: Instance, cluster: str) -> tuple[list[System], list[Rejection]]:
    """Systems the cluster may be built from, and why the others may not."""
    workload = instance.workloads[cluster]
    space = workload.design_space
    kept: list[System] = []
    rejected: list[Rejection] = []
    for system in instance.catalogue.of(System).values():
        outside = _outside(system, space)
        reason = outside or _unusable(instance, cluster, system)
        if reason is None:
            kept.append(system)
        else:
            rejected.append(Rejection(system.id, Stage.DESIGN_SPACE if outside else Stage.CATALOGUE, reason, cluster))
    return kept, rejected


def _outside(system: System, space: DesignSpace) -> str | None:
    if space.systems is not None and system.id not in space.systems:
        return "not among design_space.systems"
    if space.system_kinds is not None and system.kind not in space.system_kinds:
        return f"kind {system.kind.value} is not among design_space.system_kinds"
    if space.vendors is not None and system.vendor not in space.vendors:
        return f"vendor {system.vendor} is not among design_space.vendors"
    if system.preliminary and not space.preliminary_parts:
        return "preliminary, and design_space.preliminary_parts is false"
    return None


def _unusable(instance: Instance, cluster: str, system: System) -> str | None:
    from models.parts.accelerator import Accelerator

    needed = ["accelerator", "accelerators", "scaleout_nics", "rails", "scaleout_speed", "rack_units", "max_power"]
    needed += ["typical_power", "liquid_fraction", "weight", "frame", "available"]
    # nodes of no stated rate fail by their parts
    needed += ["cpus"] if instance.assumptions.node_failure_rate is None else []
    reason = system.missing(*needed)
    if reason is not None:
        return reason
    if system.price is None:
        return "no price in the catalogue"
    assert system.accelerator is not None
    accelerator = instance.catalogue.of(Accelerator).get(system.accelerator)
    if accelerator is None:
        return f"its accelerator {system.accelerator} is not in the catalogue"
    dtype = instance.workloads[cluster].dtype.value
    if accelerator.peak(dtype) is None:
        return f"accelerator {accelerator.id} has no dense {dtype} peak in the catalogue"
    if accelerator.peak_bf16 is None and accelerator.peak_fp8 is None:
        return f"accelerator {accelerator.id} has no dense bf16 or fp8 peak in the catalogue"
    short = accelerator.missing("memory", "memory_bandwidth", "scaleup_bandwidth", "scaleup_domain")
    return f"accelerator {accelerator.id}: {short}" if short else None


def enumerate_rack_designs(instance: Instance, cluster: str) -> tuple[list[RackDesign], list[Rejection]]:
    """Every legal rack of every usable system, and what was turned down with the rule it breaks."""
    systems, rejected = usable_systems(instance, cluster)
    designs: list[RackDesign] = []
    for system in systems:
        found = list(_racks_of(instance, cluster, system))
        designs.extend(item for item in found if isinstance(item, RackDesign))
        rejected.extend(item for item in found if isinstance(item, Rejection))
    return designs, rejected


def _racks_of(instance: Instance, cluster: str, system: System) -> Iterator[RackDesign | Rejection]:
    space = instance.workloads[cluster].design_space
    reserved = instance.assumptions.reserved_rack_units.value
    frames = [
        f
        for f in instance.catalogue.of(Rack).values()
        if f.kind == system.frame and (space.frames is None or f.id in space.frames)
    ]
    if not frames:
        yield Rejection(system.id, Stage.RACK, f"no allowed frame of kind {system.frame}", cluster)
    for frame in frames:
        needed = ("rack_units", "unit_pitch", "static_load", "empty_weight", "width", "depth", "price_low")
        short = frame.missing(*needed)
        if short:
            yield Rejection(f"{system.id}@{frame.id}", Stage.CATALOGUE, f"frame {frame.id}: {short}", cluster)
            continue
        assert frame.rack_units is not None and system.rack_units is not None
        most = int((frame.rack_units - reserved) // system.rack_units) if system.kind is SystemKind.SERVER else 1
        if system.kind is SystemKind.RACK and system.rack_units > frame.rack_units:
            most = 0
        if most == 0:
            yield Rejection(
                f"{system.id}@{frame.id}",
                Stage.RACK,
                f"needs {system.rack_units:g} of {frame.rack_units:g} rack units",
                cluster,
            )
        for count in range(1, most + 1):
            for cooling in _coolings(system, space):
                heat = count * (system.max_power or 0.0) * (system.liquid_fraction or 0.0)
                if cooling is not RackCooling.LIQUID:
                    yield _rack(instance, cluster, system, frame, cooling, count, CoolantKit())
                    continue
                for kit in coolant_kits(instance, cluster, system, heat):
                    name = f"{count}x{system.id}@{frame.id}.{cooling.value}"
                    if isinstance(kit, str):
                        yield Rejection(name, Stage.RACK, kit, cluster)
                    else:
                        yield _rack(instance, cluster, system, frame, cooling, count, kit)


def _coolings(system: System, space: DesignSpace) -> list[RackCooling]:
    """Liquid for systems with cold plates; air or a rear door for the others."""
    wanted = (RackCooling.LIQUID,) if system.liquid_fraction else (RackCooling.AIR, RackCooling.REAR_DOOR)
    return [cooling for cooling in wanted if cooling in space.cooling]


def _rack(
    instance: Instance, cluster: str, system: System, frame: Rack, cooling: RackCooling, count: int, kit: CoolantKit
) -> RackDesign | Rejection:
    space = instance.workloads[cluster].design_space
    name = f"{count}x{system.id}@{frame.id}.{cooling.value}{kit.name}"
    assert system.weight is not None and frame.static_load is not None and frame.empty_weight is not None
    assert system.max_power is not None
    server = system.kind is SystemKind.SERVER
    load = count * system.weight
    if load > frame.static_load:
        return Rejection(name, Stage.RACK, f"{load:.0f} kg exceed the frame's {frame.static_load:.0f} kg", cluster)
    power = count * system.max_power
    distribution: tuple[PowerComponent, int] | None = None
    if server:
        distribution = distribution_for(instance, cluster, frame, power)
        if distribution is None and not _judged_at_sites(instance, cluster):
            return Rejection(
                name,
                Stage.RACK,
                f"no allowed rack power distribution carries {power / 1e3:.1f} kW with one feed lost",
                cluster,
            )
    door: Cooling | None = None
    if cooling is RackCooling.REAR_DOOR:
        door = _door(instance, space, power)
        if door is None:
            return Rejection(name, Stage.RACK, f"no priced rear door takes {power / 1e3:.1f} kW", cluster)
    supply = supply_capacity(parse_supply(system.psu_config or ""))
    if not server and supply.promised_w is not None and supply.promised_w < power:
        return Rejection(
            name,
            Stage.RACK,
            f"shelves carry {supply.promised_w / 1e3:.0f} of {power / 1e3:.0f} kW with a module in reserve",
            cluster,
        )
    if server and frame.kind != EIA:
        busbar = _busbar(instance)
        if busbar is not None and power > busbar:
            return Rejection(
                name, Stage.RACK, f"{power / 1e3:.1f} kW exceed the {busbar / 1e3:.0f} kW of a busbar", cluster
            )
    design = RackDesign(
        system=system,
        frame=frame,
        cooling=cooling,
        systems=count,
        distribution=distribution[0] if distribution else None,
        distribution_units=distribution[1] if distribution else 0,
        door=door,
        # an integrator's weight of a rack-scale system includes its frame
        bare_weight=load + (frame.empty_weight if server else 0.0),
        supply=supply,
        coolant=kit,
    )
    design = weighed(instance, design)
    short = over_units(instance, design) or too_heavy(design) or too_deep(instance, frame, devices_of(design))
    return design if short is None else Rejection(name, Stage.RACK, short, cluster)


def _judged_at_sites(instance: Instance, cluster: str) -> bool:
    """True where every site of the cluster states its rack feeds, so that distribution is chosen there."""
    sites = instance.workloads[cluster].sites
    return all(instance.sites[site].rack_feed is not None for site in (sites if sites is not None else instance.sites))


def distribution_for(instance: Instance, cluster: str, frame: Rack, power: float) -> tuple[PowerComponent, int] | None:
    """The cheapest rack PDUs (19-inch) or power shelves (busbar frames) of which one feed's half carries ``power``."""
    space = instance.workloads[cluster].design_space
    kind = PowerKind.RACK_PDU if frame.kind == EIA else PowerKind.POWER_SHELF
    most = instance.assumptions.rack_pdus_per_feed.value
    options: list[tuple[float, str, PowerComponent, int]] = []
    for part in instance.catalogue.of(PowerComponent).values():
        rating = part.rated if kind is PowerKind.RACK_PDU else part.usable_n_plus_1
        allowed = space.rack_pdus is None or part.id in space.rack_pdus
        if part.kind is not kind or not allowed or part.price is None or not rating:
            continue
        per_feed = ceil(power / rating - 1e-9)
        if per_feed <= most:
            options.append((2 * per_feed * _mid(part), part.id, part, 2 * per_feed))
    best = min(options, key=lambda o: (o[0], o[1]), default=None)
    return (best[2], best[3]) if best else None


def _busbar(instance: Instance) -> float | None:
    """Rating [W] of the strongest rack busbar of the catalogue; None where it has none."""
    parts = instance.catalogue.of(PowerComponent).values()
    return max((part.rated for part in parts if part.kind is PowerKind.BUSBAR and part.rated), default=None)


def _door(instance: Instance, space: DesignSpace, heat: float) -> Cooling | None:
    options = [
        (part.price.high, part.id, part)
        for part in instance.catalogue.of(Cooling).values()
        if part.kind is CoolingKind.REAR_DOOR
        and (space.rear_doors is None or part.id in space.rear_doors)
        and part.price is not None
        and part.power_share is not None
        and part.capacity is not None
        and part.capacity >= heat
    ]
    best = min(options, key=lambda o: (o[0], o[1]), default=None)
    return best[2] if best else None


def _mid(part: PricedPart) -> float:
    assert part.price is not None
    return (part.price.low + part.price.high) / 2


def power_of(system: System, figure: PowerFigure, design_share: float) -> float:
    """Power of one system [W] by figure that limits are held against; the sustained peak lies ``design_share`` of the way from typical to nameplate."""
    assert system.max_power is not None and system.typical_power is not None
    share = {PowerFigure.TYPICAL: 0.0, PowerFigure.DESIGN: design_share, PowerFigure.NAMEPLATE: 1.0}[figure]
    return system.typical_power + share * (system.max_power - system.typical_power)
