"""Site figures of a design again: losses at the load really carried, water, and where installed power goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from models.instance import Instance
from models.parts.power_component import PowerComponent
from models.physics.power import input_power
from models.physics.power_supplies import parse_supply, supply_capacity
from models.policy import PowerFigure
from models.site import Chain
from models.units import Unlimited
from models.workload import Training
from optimizer.design import Design
from optimizer.verification.plant import Option, Plant, positions_taken
from optimizer.verification.pods import PodFacts
from optimizer.verification.rack_feeds import carried_by_feed
from optimizer.verification.rings import rings_needed
from optimizer.verification.standing import bought, stated

YEAR = 365.25 * 86400.0
EDGE = 1e-9
"""Share of the load that the last digits of its sum may make up."""
COOLING = (Chain.AIR, Chain.REAR_DOOR, Chain.LIQUID)
ORDER = ("derating", "failover", "transient", "block_size", "feed", "phase", "cooling", "floor", "utility")

Units = Mapping[tuple[str, Chain, str], tuple[int, ...]]


def site_figures(
    instance: Instance, design: Design, facts: Sequence[PodFacts], units: Units, plant: Plant
) -> dict[str, float]:
    """Part-load power and energy, effectiveness, water, and the stranded power of every site in use."""
    peak, typical, water = 0.0, 0.0, 0.0
    found: dict[str, float] = {}
    for site in instance.sites:
        mine = [one for one in facts if one.pod.site == site]
        if not mine:
            continue
        keys = {(site, Chain(c), o) for one in mine for c, o in one.pod.options.items()}
        if stated(plant.options[key] for key in keys):
            found[f"{site}.plant_availability"] = math.prod(bought(plant.options[key], units[key]) for key in keys)
        for key in sorted(keys):
            option = plant.options[key]
            peak += _drawn(mine, key, option, units[key], plant, PowerFigure.DESIGN)
            typical += _drawn(mine, key, option, units[key], plant, PowerFigure.IN_USE)
            water += option.water * _load(mine, key, PowerFigure.IN_USE)
        name = mine[0].pod.options[Chain.POWER.value]
        power = plant.options[site, Chain.POWER, name]
        if power.blocks is not None:
            hung = [ring for ring in design.rings if (ring.site, ring.option) == (site, name)]
            found[f"{site}.rings"] = float(units[site, Chain.POWER, name][0] // power.units[0].sets)
            found[f"{site}.rings_least"] = float(rings_needed(hung, power.blocks))
        found.update(_stranded(instance, design, site, mine, units, plant))
    it = sum(one.count * one.load(Chain.POWER, PowerFigure.IN_USE) for one in facts)
    found["floor_racks"] = float(sum(one.count * one.floor for one in facts) + positions_taken(plant, units, None))
    found["part_load_power_kw"] = peak / 1e3
    found["part_load_energy_mwh_per_year"] = typical * YEAR / 3.6e9
    found["pue"] = typical / it
    found["wue_l_per_kwh"] = water * 3.6e6 / it
    found["water_m3_per_year"] = water * YEAR / 1e3
    return found


def _load(facts: Sequence[PodFacts], key: tuple[str, Chain, str], figure: PowerFigure) -> float:
    """Load [W] of the pods that use an option."""
    _, chain, name = key
    return sum(one.count * one.load(chain, figure) for one in facts if one.pod.options.get(chain.value) == name)


def _drawn(
    facts: Sequence[PodFacts],
    key: tuple[str, Chain, str],
    option: Option,
    units: tuple[int, ...],
    plant: Plant,
    figure: PowerFigure,
) -> float:
    """Power [W] a chain adds to the site's draw; the IT load itself comes with the power chain."""
    load = _load(facts, key, figure)
    if key[1] is not Chain.POWER:
        return load * option.share(figure)
    if option.loading is None:
        return load * (1.0 + option.share(figure))
    for unit, count in zip(option.units, units, strict=True):
        if unit.curve is not None:
            load = float(input_power(load, unit.rating * count, *plant.curve(unit.curve)))
        else:
            assert isinstance(unit.part, PowerComponent)
            load /= unit.part.efficiency if unit.part.efficiency is not None else 1.0
    return load


def _stranded(
    instance: Instance, design: Design, site: str, facts: Sequence[PodFacts], units: Units, plant: Plant
) -> dict[str, float]:
    """installed = used + causes + free, each cause charged what it takes beyond those before it."""
    used = sum(one.count * one.design_w for one in facts)
    name = facts[0].pod.options[Chain.POWER.value]
    option = plant.options[site, Chain.POWER, name]
    parts = []
    for unit, count in zip(option.units, units[site, Chain.POWER, name], strict=True):
        kept = (count - unit.spare) / unit.sets * unit.capacity_kw * 1e3
        parts.append((kept, count * unit.rating, count * unit.rating * unit.loading))
    kept, installed, rated = min(parts)
    allowed = {"derating": rated, "failover": kept, "transient": kept, "block_size": kept}
    if option.blocks is not None:
        swung = sum(
            one.count * one.design_w * (option.blocks.swing if _trains(instance, one) else 1.0) for one in facts
        )
        allowed["transient"] = kept * (used / swung)
        taken = sum(
            r.count * g.racks / option.blocks.full_of(g.load_kw) * option.blocks.usable_kw * 1e3
            for r in design.rings
            if r.site == site
            for g in r.racks
        )
        allowed["block_size"] = max(used, kept * used / taken)
    allowed.update(_outside(instance, site, facts, units, plant, used))
    rest, result = installed, {f"{site}.installed_kw": installed / 1e3, f"{site}.used_kw": used / 1e3}
    for cause in ORDER:
        limit = min(rest, max(used, allowed.get(cause, rest)))
        result[f"{site}.stranded_{cause}_kw"] = (rest - limit) / 1e3
        rest = limit
    # what is used beyond what is installed is free power below zero, which no design may report
    result[f"{site}.free_kw"] = (rest - used if rest < used * (1.0 - EDGE) else max(rest - used, 0.0)) / 1e3
    return result


def _trains(instance: Instance, facts: PodFacts) -> bool:
    return isinstance(instance.workloads[facts.pod.cluster], Training)


def _outside(
    instance: Instance, site: str, facts: Sequence[PodFacts], units: Units, plant: Plant, used: float
) -> dict[str, float]:
    """What rack feeds, cooling, floor and utility allow; nothing where they are unlimited."""
    place, allowed = instance.sites[site], {}
    if not isinstance(place.rack_positions.value, Unlimited):
        room = place.rack_positions.value - positions_taken(plant, units, site)
        more = room / sum(one.count * one.floor for one in facts)
        allowed["floor"] = more * used
        through = [(one, *_through_feed(instance, one)) for one in facts]
        allowed["feed"] = more * sum(one.count * max(one.design_w, even) for one, even, _ in through)
        allowed["phase"] = more * sum(one.count * max(one.design_w, dealt) for one, _, dealt in through)
    cooled = []
    for chain in COOLING:
        names = {one.pod.options[chain.value] for one in facts if chain.value in one.pod.options}
        heat = sum(one.count * one.load(chain, PowerFigure.DESIGN) for one in facts)
        for name in names if heat else ():
            option, counts = plant.options[site, chain, name], units[site, chain, name]
            carried = [(n - u.spare) / u.sets * u.capacity_kw * 1e3 for u, n in zip(option.units, counts, strict=True)]
            cooled.append(min(carried) / heat * used)
    if cooled:
        allowed["cooling"] = min(cooled)
    if not isinstance(place.utility.value, Unlimited):
        drawn = sum(one.count * plant.facility_w(one, place.utility_figure) for one in facts)
        allowed["utility"] = place.utility.value / drawn * used
    return allowed


def _through_feed(instance: Instance, facts: PodFacts) -> tuple[float, float]:
    """What one feed carries to all node racks of a pod [W] with its lines full alike, and as supplies hang on them; zero where nothing says."""
    parts, pod, racks = facts.parts, facts.pod, facts.node_racks
    feed, number = instance.sites[pod.site].rack_feed, int(pod.rack.get("whips_per_feed") or 0)
    if feed is not None and number:
        even, dealt = carried_by_feed(pod, parts.system, parts.frame, parts.distribution, feed, number)
        return racks * even, racks * dealt
    if parts.distribution is not None:
        part = parts.distribution
        rating = part.rated if part.kind.value == "rack_pdu" else part.usable_n_plus_1
        both = racks * (rating or 0.0) * (pod.distribution_per_rack // 2)
        return both, both
    if parts.is_server:
        return 0.0, 0.0
    shelves = racks * (supply_capacity(parse_supply(parts.system.psu_config or "")).feed_lost_w or 0.0)
    return shelves, shelves
