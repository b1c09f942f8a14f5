"""Filters on candidates, and how an instance reads without each of them.

Most of what makes a design illegal never becomes a row: a part outside the design space, a rack too heavy for the floor, a
system that ships after the site needs it. Without such a filter the enumeration lets more through, never less.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.parts.network_part import Switch
from models.parts.quarter import Quarter
from models.parts.rack import Floor, Rack
from models.parts.system import System
from models.site import Chain, EquipmentUse, Redundancy, SiteOption
from models.units import Unlimited
from models.workload import RackCooling, Serving, SizeRange

FAR_YEARS = 10
MOST_IN_A_RACK = 64
"""More systems than any frame holds."""
MOST_STEPS = 64
"""Size ranges of up to so many sizes are widened fourfold, longer ones twofold: every size is enumerated."""

WASTEFUL, MOST_WHIPS = 0.1, 16
"""Share of ports left dark up to which fabrics are looked at when their bound is lifted: beyond it they multiply and only cost; and the
same for the rack PDUs on a feed."""

MOST_CANDIDATES = 4e5
"""Estimated fabrics, racks and sizes that one enumeration may combine; filters beyond that are held."""


@dataclass(frozen=True)
class Widening:
    """How an instance reads without a filter; ``only_candidates``: the program's rows keep the limit, which is a row too.

    ``says``: the filter in words where its field alone does not tell; ``where`` its place where it has no field.
    """

    name: str
    apply: Callable[[Instance], Instance]
    only_candidates: bool = False
    says: str = ""
    where: str = ""


def replaced(instance: Instance, path: str, value: Any) -> Instance:
    """The instance with a typed value at a dotted path of its document."""
    return dataclasses.replace(instance, document=_put(instance.document, path.split("."), value))


def _put(node: Any, steps: list[str], value: Any) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(node, Mapping):
        return {**node, step: _put(node[step], rest, value) if rest else value}
    if not rest:
        old = getattr(node, step)
        # a stated value keeps its owner and reason
        stated = value is not None and hasattr(old, "value") and hasattr(old, "owner")
        kept = old.model_copy(update={"value": value}) if stated else value
        return node.model_copy(update={step: kept})
    return node.model_copy(update={step: _put(getattr(node, step), rest, value)})


def far_quarter(instance: Instance) -> Quarter:
    """Ten years after the last date that systems, deliveries or sites have."""
    dated = [site.needed_by for site in instance.sites.values()]
    dated += [s.available for s in instance.catalogue.of(System).values() if s.available is not None]
    dated += [quarter for quote in instance.valid_quotes[0].values() for quarter in quote.supply or ()]
    dated += [quarter for cap in instance.sourcing.supply.values() for quarter in cap.per_quarter]
    return Quarter(f"{max(quarter.year for quarter in dated) + FAR_YEARS}Q4")


def widenings(instance: Instance) -> dict[str, Widening]:
    """Every filter of an instance that turns candidates down, by dotted name."""
    found: list[Widening] = []
    for site in instance.sites:
        found.extend(_of_site(instance, site))
    for cluster in instance.workloads:
        found.extend(_of_cluster(instance, cluster))
    found.extend(_of_catalogue(instance))
    found.append(_field("assumptions.reserved_rack_units", 0.0))
    found.append(_field("assumptions.rack_pdus_per_feed", MOST_WHIPS))
    return {w.name: w for w in found}


def beyond(instance: Instance, every: Mapping[str, Widening]) -> tuple[str, ...]:
    """Filters that must stay in force because too many candidates would come in without them, the costliest held first."""
    costly = ("sizes", "systems", "switches", "tiers", "oversubscription", "frames", "wasted_ports_at_most")
    wide, held = instance, []
    ranked = sorted(
        every.values(),
        key=lambda w: costly.index(w.name.rpartition(".")[2]) if w.name.rpartition(".")[2] in costly else -1,
    )
    for widening in ranked:
        wider = widening.apply(wide)
        if widening.name.rpartition(".")[2] in costly and _combinations(wider) > MOST_CANDIDATES:
            held.append(widening.name)
        else:
            wide = wider
    return tuple(held)


def _combinations(instance: Instance) -> float:
    """A rough count of what an enumeration combines: sizes, systems, frames, switches, tiers, ratios."""
    total = 0.0
    for workload in instance.workloads.values():
        space = workload.design_space
        sizes = (space.sizes.largest - space.sizes.smallest) // space.sizes.step + 1
        systems = len(space.systems or instance.catalogue.of(System))
        frames = sum(f.kind == "eia" for f in instance.catalogue.of(Rack).values() if f.id in (space.frames or [f.id]))
        switches = len(space.fabric.switches or instance.catalogue.of(Switch))
        fabrics = len(space.fabric.tiers) * len(space.fabric.oversubscription)
        dark = 6 if space.fabric.wasted_ports_at_most >= WASTEFUL else 1
        total += sizes * systems * max(frames, 1) * switches * fabrics * dark
    return total


def _field(name: str, value: Any, only_candidates: bool = False, says: str = "") -> Widening:
    return Widening(name, lambda instance: replaced(instance, name, value), only_candidates, says)


def _of_site(instance: Instance, site: str) -> Iterator[Widening]:
    here, place = f"sites.{site}", instance.sites[site]
    for name in ("utility", "rack_positions"):
        if not isinstance(getattr(place, name).value, Unlimited):
            yield _field(f"{here}.{name}", Unlimited.UNLIMITED, only_candidates=True)
    if not isinstance(place.air_per_rack.value, Unlimited):
        yield _field(f"{here}.air_per_rack", Unlimited.UNLIMITED)
    floors = [f for f in instance.catalogue.of(Floor).values() if f.uniform is not None]
    strongest = max(floors, key=lambda f: f.uniform or 0.0, default=None)
    if strongest is not None and strongest.id != place.floor:
        says = f"floor: {place.floor} carries {instance.catalogue.get(Floor, place.floor).uniform or 0:,.0f} kg/m2"
        yield _field(f"{here}.floor", strongest.id, says=says)
    yield _field(f"{here}.needed_by", far_quarter(instance))
    if place.clear_height is not None:
        yield _field(f"{here}.clear_height", None, says=f"racks pass under {place.clear_height:g} m")
    # as wide as any system of a known figure asks; one of an unknown figure stays turned down, however wide
    systems = instance.catalogue.of(System).values()
    strongest_draught = max((s.airflow for s in systems if s.airflow is not None), default=None)
    coolest = min((s.inlet_maximum for s in systems if s.inlet_maximum is not None), default=None)
    for name, widest, says in (
        ("airflow_per_rack", strongest_draught, f"the room gives {place.airflow_per_rack} m3/s of air to a rack"),
        ("supply_air", coolest, f"the room supplies {place.supply_air} degC"),
    ):
        if getattr(place, name) is not None:
            times = MOST_IN_A_RACK if name == "airflow_per_rack" else 1
            yield _field(f"{here}.{name}", None if widest is None else widest * times, says=says)
    if place.racks_arrive_loaded:
        yield _field(f"{here}.racks_arrive_loaded", False, says="racks are rolled in with all that is in them")
    deepest = max((f.depth for f in instance.catalogue.of(Rack).values() if f.depth is not None), default=0.0)
    if deepest > place.rows.row_pitch:
        says = f"rows are {place.rows.row_pitch:g} m apart"
        yield _field(f"{here}.rows.row_pitch", deepest, says=says)
    for chain in (Chain.AIR, Chain.REAR_DOOR, Chain.LIQUID):
        if not place.options(chain):
            options = _any_plant(instance, chain)
            if options:
                yield _field(f"{here}.{chain.value}", options, says=f"the site has no {chain.value} cooling chain")


_CARRIES = {
    Chain.AIR: (CoolingKind.AIR,),
    Chain.REAR_DOOR: (CoolingKind.PLANT,),
    Chain.LIQUID: (CoolingKind.CDU,),
}


def _any_plant(instance: Instance, chain: Chain) -> dict[str, SiteOption]:
    """A chain of every catalogue unit that could carry it alone."""
    parts = [
        part
        for part in instance.catalogue.of(Cooling).values()
        if part.kind in _CARRIES[chain] and part.price is not None and part.power_share is not None and part.capacity
    ]
    return {
        part.id: SiteOption(equipment=(EquipmentUse(part=part.id, redundancy=Redundancy.N_PLUS_1),)) for part in parts
    }


def _of_cluster(instance: Instance, cluster: str) -> Iterator[Widening]:
    workload = instance.workloads[cluster]
    here, space = f"workloads.{cluster}", workload.design_space
    if workload.sites is not None and set(workload.sites) != set(instance.sites):
        yield _field(f"{here}.sites", None)
    if isinstance(workload, Serving):
        yield _field(f"{here}.pods_at_most", workload.pods_at_most * 8)
        for name in ("ttft_at_most", "tpot_at_most", "roles"):
            if getattr(workload, name) is not None:
                yield _field(f"{here}.{name}", None)
    spaces, fabrics = f"{here}.design_space", f"{here}.design_space.fabric"
    for name in ("systems", "system_kinds", "vendors", "frames", "rack_pdus", "rear_doors"):
        if getattr(space, name) is not None:
            yield _field(f"{spaces}.{name}", None)
    for name in ("units", "manifolds"):
        if getattr(space.coolant, name) is not None:
            yield _field(f"{spaces}.coolant.{name}", None)
    if set(space.cooling) != set(RackCooling):
        yield _field(f"{spaces}.cooling", tuple(RackCooling))
    if not space.preliminary_parts:
        yield _field(f"{spaces}.preliminary_parts", True, says="parts that do not ship yet are not allowed")
    sizes = space.sizes
    count = (sizes.largest - sizes.smallest) // sizes.step + 1
    wide = SizeRange(
        smallest=sizes.smallest - (sizes.smallest - 1) // sizes.step * sizes.step,
        largest=sizes.largest * (4 if count <= MOST_STEPS else 2),
        step=sizes.step,
    )
    yield _field(f"{spaces}.sizes", wide)
    for name in ("switches", "media", "protocols"):
        if getattr(space.fabric, name) is not None:
            yield _field(f"{fabrics}.{name}", None)
    speeds = {s.scaleout_speed for s in instance.catalogue.of(System).values() if s.scaleout_speed}
    if not speeds <= set(space.fabric.speeds):
        yield _field(f"{fabrics}.speeds", tuple(dict.fromkeys((*space.fabric.speeds, *sorted(speeds)))))
    if set(space.fabric.tiers) != {1, 2, 3}:
        yield _field(f"{fabrics}.tiers", (1, 2, 3))
    ratios = tuple(dict.fromkeys((*space.fabric.oversubscription, 1.0, 2.0, 4.0, 7.0)))
    if len(ratios) > len(space.fabric.oversubscription):
        yield _field(f"{fabrics}.oversubscription", ratios)
    waste = space.fabric.wasted_ports_at_most
    if waste < WASTEFUL:
        yield _field(f"{fabrics}.wasted_ports_at_most", WASTEFUL)


def _of_catalogue(instance: Instance) -> Iterator[Widening]:
    systems = instance.catalogue.of(System)
    latest = max((s for s in systems.values() if s.available is not None), key=_available, default=None)
    first = min((place.needed_by for place in instance.sites.values()), default=None)
    if latest is not None and first is not None and _available(latest) > first:
        late = [s for s in systems.values() if s.available is not None and s.available > first]
        says = f"{len(late)} systems ship after {first}, the last of them {latest.id} in {latest.available}"
        dates = {k: s.model_copy(update={"available": Quarter("1900Q1")}) for k, s in systems.items()}
        where = instance.catalogue.origin(latest, "available")
        yield Widening(
            "catalogue.systems.available_quarter", lambda i: _with_parts(i, System, dates), says=says, where=where
        )
    frames = instance.catalogue.of(Rack)
    weakest = min((f for f in frames.values() if f.static_load), key=lambda f: f.static_load or 0.0, default=None)
    if weakest is not None:
        heaviest = max((s.weight or 0.0 for s in systems.values()), default=0.0) * MOST_IN_A_RACK
        strong = {k: f.model_copy(update={"static_load": heaviest}) if f.static_load else f for k, f in frames.items()}
        yield Widening(
            "catalogue.racks.static_load_kg",
            lambda i: _with_parts(i, Rack, strong),
            says=f"frames carry what their sheets say, the weakest {weakest.id} {weakest.static_load:,.0f} kg",
            where=instance.catalogue.origin(weakest, "static_load"),
        )


def _available(system: System) -> Quarter:
    assert system.available is not None
    return system.available


def _with_parts(instance: Instance, kind: type[Any], parts: Mapping[str, Any]) -> Instance:
    every = {**instance.catalogue.parts, kind: parts}
    return dataclasses.replace(instance, catalogue=dataclasses.replace(instance.catalogue, parts=every))
