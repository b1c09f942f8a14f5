"""Where the installed power of a site goes: into racks, or stranded by what keeps the rest from being used.

Each cause allows a load by itself, with the architecture as chosen; in the order below each is charged what it takes beyond those
before it, so that installed = used + causes + free, exactly.

| cause | load it allows |
|---|---|
| derating | installed power at the share of its rating that may be used |
| failover | what is carried with the redundancy kept |
| transient | the same where short peaks of synchronous training fill the blocks first |
| block_size | what whole racks on pairs of blocks leave of it |
| feed | racks on every position, each at what the lines of one feed and its supplies carry |
| phase | the same with the supplies as they hang on the lines, the fullest of which is full first |
| cooling | IT power whose heat the smallest part of any chain carries |
| floor | racks on every position, as loaded as those that stand |
| utility | IT power at which the site draws what the utility gives |
"""

from __future__ import annotations

from collections.abc import Sequence

from models.candidates.block_rings import Ring
from models.candidates.plant import FIGURES, PlantOption, plant_options
from models.formulation.capacity import quanta_of
from models.instance import Instance
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.system import System, SystemKind
from models.physics.power_redundancy import stranded_power
from models.physics.power_supplies import parse_supply, supply_capacity
from models.physics.rack_feeds import Whips
from models.policy import PowerFigure
from models.site import Chain, Site
from models.units import Unlimited
from models.workload import Training
from optimizer.design import PlantChoice, PodChoice, RingChoice
from optimizer.site_energy import chain_load, positions_of

CAUSES = ("derating", "failover", "transient", "block_size", "feed", "phase", "cooling", "floor", "utility")
DESIGN = FIGURES.index(PowerFigure.DESIGN)


def stranding_figures(
    instance: Instance, pods: Sequence[PodChoice], plant: Sequence[PlantChoice], rings: Sequence[RingChoice]
) -> dict[str, float]:
    """``SITE.installed_kw``, ``SITE.used_kw``, ``SITE.stranded_CAUSE_kw`` and ``SITE.free_kw`` of every site in use."""
    figures: dict[str, float] = {}
    for site in instance.sites:
        mine = [p for p in pods if p.site == site]
        if not mine:
            continue
        options = {(o.chain.value, o.id): o for chain in plant_options(instance, site)[0].values() for o in chain}
        bought = {(c.chain, c.option, c.part): c.units for c in plant if c.site == site}
        used = sum(p.count * p.it_w[DESIGN] for p in mine)
        power = options[Chain.POWER.value, mine[0].options[Chain.POWER.value]]
        installed, limits = _power_limits(power, bought, used, [r for r in rings if r.site == site])
        limits["transient"] = limits["failover"] * (used / _swung(instance, mine, power, used))
        room = _positions(instance, mine, plant)
        limits["feed"] = _feed_limit(instance, mine, room, even=True)
        limits["phase"] = _feed_limit(instance, mine, room, even=False)
        limits["cooling"] = _cooling_limit(mine, options, bought, used)
        limits["floor"] = room * used
        limits["utility"] = _utility_limit(instance.sites[site], mine, options, used)
        # an analysis may lift a limit of the instance: what stands beyond it strands nothing
        allowed = [min(max(limits[cause], used), installed) for cause in CAUSES]
        charged, free = stranded_power(installed, allowed, used)
        figures[f"{site}.installed_kw"] = installed / 1e3
        figures[f"{site}.used_kw"] = used / 1e3
        for cause, amount in zip(CAUSES, charged, strict=True):
            figures[f"{site}.stranded_{cause}_kw"] = float(amount) / 1e3
        figures[f"{site}.free_kw"] = float(free) / 1e3
    return figures


def _carried(option: PlantOption, bought: dict[tuple[str, str, str], int]) -> list[tuple[float, float, float]]:
    """Per part of an option: installed, usable by rating, and carried with redundancy kept [W]."""
    found = []
    for unit in option.units:
        units = bought[option.chain.value, option.id, unit.part]
        steps = (units - unit.spare) / unit.step
        found.append((units * unit.rating, units * unit.rating * unit.loading, steps * quanta_of(unit) * 1e3))
    return found


def _power_limits(
    option: PlantOption, bought: dict[tuple[str, str, str], int], used: float, rings: Sequence[RingChoice]
) -> tuple[float, dict[str, float]]:
    """Installed power [W] of the part that carries least, and the loads its rating, redundancy and blocks allow."""
    installed, rated, kept = min(_carried(option, bought), key=lambda part: (part[2], part[0]))
    limits = {"derating": rated, "failover": kept, "block_size": kept}
    if option.ring is not None:
        limits["block_size"] = max(used, kept * used / _taken(option.ring, rings))
    return installed, limits


def _taken(ring: Ring, rings: Sequence[RingChoice]) -> float:
    """Power [W] of rings that their racks take up: each as much as the share it has of a ring full of its like."""
    racks: dict[int, int] = {}
    for one in rings:
        for group in one.racks:
            racks[group.load_kw] = racks.get(group.load_kw, 0) + one.count * group.racks
    return sum(count * ring.usable / int(ring.racks(load)) for load, count in racks.items()) * 1e3


def _swung(instance: Instance, pods: Sequence[PodChoice], option: PlantOption, used: float) -> float:
    """Load [W] on blocks with that of training enlarged where its short peaks fill them first."""
    if option.ring is None:
        return used
    swing = option.ring.swing
    trains = {c: isinstance(w, Training) for c, w in instance.workloads.items()}
    return sum(p.count * p.it_w[DESIGN] * (swing if trains[p.cluster] else 1.0) for p in pods)


def _feed_limit(instance: Instance, pods: Sequence[PodChoice], share: float, even: bool) -> float:
    """Load [W] of ``share`` times as many racks through one feed, its lines ``even`` or as the supplies load them."""
    if share == float("inf"):
        return share
    total = 0.0
    for pod in pods:
        load = pod.it_w[DESIGN]
        through = feed_capacity(instance, pod, even)
        total += pod.count * (load if through is None else max(load, pod.node_racks * through))
    return share * total


def feed_capacity(instance: Instance, pod: PodChoice, even: bool = True) -> float | None:
    """What one feed carries to a node rack [W], all its lines full where ``even``; None where neither site nor catalogue says."""
    system = instance.catalogue.get(System, pod.system)
    feed = instance.sites[pod.site].rack_feed
    if feed is not None and pod.rack.get("whips_w") is not None:
        whips = Whips(int(pod.rack["whips_per_feed"]), feed.voltage, feed.phases, float(pod.rack["line_limit_a"]))
        lines = whips.capacity if even else float(pod.rack["whips_w"])
        supplies = pod.rack["supplies_one_feed_w"]
        return lines if supplies is None else min(lines, float(supplies))
    if pod.distribution is not None:
        part = instance.catalogue.get(PowerComponent, pod.distribution)
        rating = part.rated if part.kind is PowerKind.RACK_PDU else part.usable_n_plus_1
        return None if rating is None else rating * (pod.distribution_per_rack // 2)
    carried = supply_capacity(parse_supply(system.psu_config or "")).feed_lost_w
    return None if carried is None or system.kind is SystemKind.SERVER else carried


def _positions(instance: Instance, pods: Sequence[PodChoice], plant: Sequence[PlantChoice]) -> float:
    """Rack positions that plant leaves for racks over those racks take; infinite where positions are unlimited."""
    site = instance.sites[pods[0].site]
    if isinstance(site.rack_positions.value, Unlimited):
        return float("inf")
    taken = sum(c.units * positions_of(instance, c) for c in plant if c.site == pods[0].site)
    return (site.rack_positions.value - taken) / sum(
        p.count * (p.node_positions + p.network_racks + p.storage_racks) for p in pods
    )


def _cooling_limit(
    pods: Sequence[PodChoice],
    options: dict[tuple[str, str], PlantOption],
    bought: dict[tuple[str, str, str], int],
    used: float,
) -> float:
    limit = float("inf")
    for chain in (Chain.AIR, Chain.REAR_DOOR, Chain.LIQUID):
        heat = sum(p.count * chain_load(p, chain, DESIGN) for p in pods)
        names = {p.options[chain.value] for p in pods if chain.value in p.options}
        if heat and names:
            kept = min(part[2] for part in _carried(options[chain.value, min(names)], bought))
            limit = min(limit, kept / heat * used)
    return limit


def _utility_limit(
    site: Site, pods: Sequence[PodChoice], options: dict[tuple[str, str], PlantOption], used: float
) -> float:
    if isinstance(site.utility.value, Unlimited):
        return float("inf")
    figure = FIGURES.index(site.utility_figure)
    drawn = sum(
        p.count
        * (
            p.it_w[figure]
            + sum(chain_load(p, Chain(c), figure) * options[c, o].shares[figure] for c, o in p.options.items())
        )
        for p in pods
    )
    return site.utility.value / drawn * used
