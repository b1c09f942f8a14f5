"""The frontier of a small instance by trying everything, in plain Python.

Reads the placements, the plant options and the instance; none of the families, objectives, matrices or solvers. Every choice
of placements is completed with the fewest plant units its redundancy asks for, held against every limit as the instance
states it, and valued in whole quanta: resources rounded up, deliveries down, money to the nearest, each placement once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import ceil, floor
from types import MappingProxyType

from models.candidates.block_rings import Ring
from models.candidates.placement import Candidates, Placements
from models.candidates.plant import PlantOption, PlantUnit
from models.candidates.pod_table import ROLES, PodTable
from models.candidates.rack_design import RackDesign
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.economics import Electricity
from models.parts.model_card import ModelCard
from models.physics.node_power import idle_power
from models.policy import PowerFigure
from models.site import Chain
from models.units import Unlimited
from models.workload import Serving, Training
from optimizer.bom import pod_lines
from optimizer.design import BomLine

from .brute_orders import Ordering, days_to, orderings
from .brute_rings import Racks, fewest_rings, fewest_shared
from .brute_rules import keeps_rules, spend_by_vendor, units_asked, within_supply
from .brute_split import groups, links, of_slowest

YEAR = 365.25 * 86400.0
FIGURE_ROW = {PowerFigure.NAMEPLATE: 0, PowerFigure.DESIGN: 1, PowerFigure.TYPICAL: 2, PowerFigure.IN_USE: 3}
MAXIMISED = {"throughput", "throughput_x_demand", "goodput", "availability"}
Vector = tuple[int, ...]


def up(value: float) -> int:
    return ceil(value - 1e-9)


def down(value: float) -> int:
    return floor(value + 1e-9)


@dataclass(frozen=True)
class Money:
    """What a dollar of parts and a watt cost at one site, worked out again from the instance."""

    basis: float
    charges: float
    annuity: float
    upkeep: float
    watt: float
    watt_carbon: float
    shell: float

    @staticmethod
    def at(inst: Instance, site: str) -> Money:
        place, money, given = inst.sites[site], inst.money, inst.assumptions
        years = money.horizon / YEAR
        row = inst.catalogue.of(Electricity).get(place.electricity or "")
        price = place.electricity_price.value if place.electricity_price else row.price  # type: ignore[union-attr]
        carbon = place.grid_carbon.value if place.grid_carbon else row.carbon  # type: ignore[union-attr]
        assert price is not None
        assert carbon is not None
        rate = given.discount_rate.value
        annuity = years if rate == 0 else (1 - (1 + rate) ** -years) / rate
        landed = 1 + money.freight.value
        return Money(
            basis={"low": 0.0, "mid": 0.5, "high": 1.0}[money.price_basis.value],
            charges=landed_price(landed, money.duty.value, money.tax.value),
            annuity=annuity,
            upkeep=given.maintenance_per_year.value * annuity,
            watt=price * YEAR * annuity,
            watt_carbon=carbon * YEAR * years,
            shell=place.shell_cost.value if place.shell_cost else 0.0,
        )


def landed_price(freighted: float, duty: float, tax: float) -> float:
    """Duty on price with freight, tax on all of it."""
    return freighted * (1 + duty) * (1 + tax)


@dataclass(frozen=True)
class Figures:
    """One placement, rounded once. ``loads`` [kW, design] by the option that carries them."""

    cluster: str
    site: str
    role: str
    options: Mapping[Chain, PlantOption]
    loads: Mapping[Chain, int]
    rack: int
    drawn: int
    rate: int
    share: int
    goodput: int
    availability: int
    blast_radius: int
    injection: float
    bisection: float
    storage: float
    front_end: float
    write: int
    ingest: int
    racks: int
    draw: int
    draw_down: int
    utility_draw: int
    capex: int
    opex: int
    tco: int
    carbon: int
    lines: tuple[BomLine, ...] = ()
    available: int = 0
    part: Fraction = Fraction(1)
    exchange: float = 0.0
    lost: int = 0
    lost_share: int = 0
    hung: Racks = ()


def figures(inst: Instance, table: Placements, money: Money) -> list[Figures]:
    """Every row of ``table``, its figures taken from the pods and the plant options one by one."""
    pods, made = table.pods, []
    offered = {part for quote in inst.quotes.values() for part in quote.contents}
    for row in range(len(table)):
        pod, combination = int(table.pod[row]), table.combinations[int(table.combination[row])]
        options = {option.chain: option for option in combination.options}
        columns = {
            Chain.POWER: pods.it,
            Chain.AIR: pods.air,
            Chain.REAR_DOOR: pods.rear_door,
            Chain.LIQUID: pods.liquid,
        }

        def draw(figure: PowerFigure, pod: int = pod, options: Mapping = options, columns: Mapping = columns) -> float:
            at = FIGURE_ROW[figure]
            return float(pods.it[at, pod]) + sum(float(columns[c][at, pod]) * o.shares[at] for c, o in options.items())

        lines = tuple(pod_lines(inst, table, row, 1))
        low, high = float(pods.cost_low[:, pod].sum()), float(pods.cost_high[:, pod].sum())
        ordered = sum(line.unit_price * line.quantity for line in lines if line.part in offered)
        paid = (low + money.basis * (high - low) - ordered) * money.charges
        capex = paid + float(pods.it[1, pod]) * money.shell
        opex = paid * money.upkeep + draw(PowerFigure.IN_USE) * money.watt
        part = Fraction(int(pods.parts[pod]), pods.batch_parts)
        pace = float(pods.throughput[pod]) / float(part)
        rate, lost = pace * float(pods.goodput[pod]), pace * (1 - float(pods.goodput[pod]))
        demand = inst.workloads[table.cluster].demand
        bought = int(pods.systems[pod]) * (pods.rack_design(pod).system.accelerators or 0)
        embodied = inst.assumptions.embodied_carbon_per_accelerator.value * bought
        made.append(
            Figures(
                cluster=table.cluster,
                site=table.site,
                role=ROLES[int(pods.role[pod])].value,
                options=options,
                loads={
                    c: up(float(columns[c][1, pod]) / 1e3) if o.ring is None else on_blocks(inst, pods, pod, o.ring)
                    for c, o in options.items()
                },
                rack=node_rack(inst, pods, pod, options[Chain.POWER].ring),
                drawn=down(float(pods.it[3, pod]) / 1e3),
                rate=down(rate),
                share=down(rate / demand * 1e4),
                goodput=down(float(pods.goodput[pod]) * 1e6),
                availability=down(float(table.availability[row]) * 1e6),
                blast_radius=int(pods.blast_radius[pod]),
                injection=float(pods.injection[pod]),
                bisection=float(pods.bisection[pod]),
                storage=float(pods.storage_bandwidth[pod]),
                front_end=float(pods.front_end_bandwidth[pod]),
                write=up(float(pods.write_bandwidth[pod]) / 1e6),
                ingest=up(float(pods.ingest[pod]) / 1e6),
                racks=int(
                    pods.node_racks[pod]
                    * ceil(pods.rack_design(pod).frame.width / inst.sites[table.site].rows.rack_pitch - 1e-9)
                    + pods.network_racks[pod]
                    + pods.storage_racks[pod]
                ),
                draw=up(draw(PowerFigure.DESIGN) / 1e3),
                draw_down=down(draw(PowerFigure.DESIGN) / 1e3),
                utility_draw=up(draw(inst.sites[table.site].utility_figure) / 1e3),
                capex=round(capex / 1e3),
                opex=round(opex / 1e3),
                tco=round((capex + opex) / 1e3),
                carbon=up((draw(PowerFigure.IN_USE) * money.watt_carbon + embodied) / 1e3),
                lines=lines,
                available=days_to(inst, pods.rack_design(pod).system.available),
                part=part,
                exchange=float(pods.exchange[pod]),
                lost=up(lost),
                lost_share=up(lost / demand * 1e4),
                hung=racks_of(inst, pods, pod, options[Chain.POWER].ring),
            )
        )
    return made


def node_rack(inst: Instance, pods: PodTable, pod: int, ring: Ring | None) -> int:
    """Whole kW of a full rack of a pod on blocks: design power, more where the peaks of training fill a block first."""
    rack = pods.rack_design(pod)
    share = inst.assumptions.design_power_share.value
    each = rack.system.typical_power + share * (rack.system.max_power - rack.system.typical_power)
    door = 1 + own_draw(rack)
    return ceil(rack.systems * each * door * swing(inst, pods, ring) / 1e3 - 1e-6)


def own_draw(rack: RackDesign) -> float:
    """What a rear door, or CDUs in the rack, draw per watt of systems."""
    if rack.door is not None:
        return rack.door.power_share
    return rack.coolant.cdu.power_share * rack.system.liquid_fraction if rack.coolant.cdu is not None else 0.0


def swing(inst: Instance, pods: PodTable, ring: Ring | None) -> float:
    """What the racks of a training cluster are enlarged by on blocks."""
    return ring.swing if ring is not None and isinstance(inst.workloads[pods.cluster], Training) else 1.0


def on_blocks(inst: Instance, pods: PodTable, pod: int, ring: Ring) -> int:
    """Load of a pod's racks on blocks, whole racks."""
    return sum(load * racks for load, racks in racks_of(inst, pods, pod, ring))


def racks_of(inst: Instance, pods: PodTable, pod: int, ring: Ring | None) -> Racks:
    """Load [kW] and number of the node racks of a pod on blocks, and of its other racks."""
    rack, racks = pods.rack_design(pod), int(pods.node_racks[pod])
    others = int(pods.network_racks[pod] + pods.storage_racks[pod])
    share = inst.assumptions.design_power_share.value
    each = rack.system.typical_power + share * (rack.system.max_power - rack.system.typical_power)
    door = 1 + own_draw(rack)
    tdp = inst.catalogue.get(Accelerator, rack.system.accelerator).tdp
    idle = min(each, float(idle_power(rack.system.max_power, rack.system.accelerators, tdp)))
    spare = int(pods.spares[pod])
    rest = float(pods.it[1, pod]) - ((int(pods.systems[pod]) - spare) * each + spare * idle) * door
    other = ceil(rest / others * swing(inst, pods, ring) / 1e3 - 1e-6) if others else 0
    return (node_rack(inst, pods, pod, ring), racks), (other, others)


Choice = tuple[Figures, ...]


def both(
    choice: Choice, cluster: str, what: Callable[[Figures], int], lost: Callable[[Figures], int] = lambda row: row.lost
) -> int:
    """The lesser of what the pods of a cluster prefill and what they decode; mixed ones do both. Of a job over several sites what it
    delivers at the pace of its slowest pod."""
    mine = [row for row in choice if row.cluster == cluster]
    if len(mine) > 1 and all(row.exchange > 0 for row in mine):
        return of_slowest(mine, what, lost)
    return min(sum(what(row) for row in mine if row.role in ("mixed", role)) for role in ("prefill", "decode"))


def choices(inst: Instance, of_cluster: Mapping[str, Sequence[Figures]]) -> Iterator[Choice]:
    """Every choice of placements for all clusters: one for training, any multiset up to the most for serving."""
    per_cluster: list[list[Choice]] = []
    for cluster, workload in inst.workloads.items():
        rows = of_cluster.get(cluster, [])
        if isinstance(workload, Serving):
            counts = range(workload.pods_at_most + 1)
            per_cluster.append([c for n in counts for c in combinations_with_replacement(rows, n)])
        elif workload.split is not None:
            per_cluster.append(groups(inst, cluster, rows))
        else:
            per_cluster.append([(row,) for row in rows])
    for parts in product(*per_cluster):
        yield tuple(row for part in parts for row in part)


def fewest(unit: PlantUnit, load: int) -> int:
    """Units that carry ``load`` [kW] with their redundancy: one more than needed, or everything twice."""
    needed = -(-load // down(unit.capacity / 1e3))
    return needed * unit.step + unit.spare


def of_rings(option: PlantOption, unit: PlantUnit, here: Sequence[Figures]) -> int:
    """Units in the fewest rings that hold the racks of a site, one by one or as rings full and shared; zero where there are none."""
    if option.ring is None:
        return 0
    if option.ring.explicit:
        return unit.step * fewest_rings(option.ring, tuple(kind for row in here for kind in row.hung))
    nodes, small = tuple(row.hung[0] for row in here), sum(load * racks for row in here for load, racks in row.hung[1:])
    return unit.step * fewest_shared(option.ring, nodes, small)


@dataclass(frozen=True)
class Plant:
    """Money of the units bought, in whole quanta."""

    capex: int = 0
    opex: int = 0
    tco: int = 0
    units: tuple[tuple[str, str, int, float], ...] = ()
    ordering: Ordering = field(default_factory=lambda: Ordering({}))


def in_range(option: PlantOption, here: Sequence[Figures], load: int) -> bool:
    """Whether the fewest units with a part-load curve run above the least load their losses are stated for.

    More units would only lower the load of each: where the fewest are too many, no number is right.
    """
    if option.loading is None:
        return True
    least = option.loading[0]
    for unit in option.units:
        rating = (of_rings(option, unit, here) or fewest(unit, load)) * unit.rating / 1e3
        if unit.curve is not None and sum(r.drawn for r in here) < least * rating - 1e-9:
            return False
    return True


def with_orders(inst: Instance, choice: Choice, plant: Plant) -> Iterator[Plant]:
    """The plant with every way to order what the choice and the plant need of quoted parts."""
    if not inst.quotes:
        yield plant
        return
    first = min(site.needed_by.index for site in inst.sites.values())
    need: dict[str, int] = {}
    due: dict[str, int] = {}
    everything = [(line.part, row.site, line.quantity) for row in choice for line in row.lines]
    for part, site, count in [*everything, *((part, site, n) for part, site, n, _ in plant.units)]:
        need[part] = need.get(part, 0) + count
        if inst.sites[site].needed_by.index == first:
            due[part] = due.get(part, 0) + count
    offered = {part for quote in inst.quotes.values() for part in quote.contents}
    systems = {line.part for row in choice for line in row.lines if line.layer == "silicon"}
    more = sum(need[part] for part in systems - offered)
    for found in orderings(inst, {p: n for p, n in need.items() if p in offered}, due, more):
        money = (plant.capex + found.capex, plant.opex + found.opex, plant.tco + found.tco)
        yield Plant(*money, plant.units, found)


def plant_of(
    choice: Choice,
    money: Mapping[str, Money],
    offered: Collection[str] = frozenset(),
    asked: Mapping[str, int] = MappingProxyType({}),
) -> Plant | None:
    """The plant a choice needs, and no fewer units of each part than are ``asked`` for; None where its placements want different
    options of one chain at a site. Parts that are ``offered`` are paid as they are ordered."""
    taken: dict[tuple[str, Chain], PlantOption] = {}
    loads: dict[tuple[str, Chain], int] = {}
    for row in choice:
        for chain, option in row.options.items():
            at = (row.site, chain)
            if taken.setdefault(at, option).id != option.id:
                return None
            loads[at] = loads.get(at, 0) + row.loads[chain]
    capex = opex = tco = 0
    units: list[tuple[str, str, int, float]] = []
    for at, option in taken.items():
        cash = money[at[0]]
        if not in_range(option, [row for row in choice if row.site == at[0]], loads[at]):
            return None
        for unit in option.units:
            here = [row for row in choice if row.site == at[0]]
            count = max(of_rings(option, unit, here) or fewest(unit, loads[at]), asked.get(unit.part, 0))
            price = unit.price.low + cash.basis * (unit.price.high - unit.price.low)
            units.append((unit.part, at[0], count, price))
            if unit.part in offered:
                continue
            paid = (unit.price.low + cash.basis * (unit.price.high - unit.price.low)) * cash.charges
            capex += count * round(paid / 1e3)
            opex += count * round(paid * cash.upkeep / 1e3)
            tco += count * round(paid * (1 + cash.upkeep) / 1e3)
    return Plant(capex, opex, tco, tuple(units))


def legal(inst: Instance, choice: Choice, plant: Plant) -> bool:
    """Every limit of the instance, one after the other."""
    for cluster, workload in inst.workloads.items():
        mine = [row for row in choice if row.cluster == cluster]
        if isinstance(workload, Training) and workload.split is None and len(mine) != 1:
            return False
        if isinstance(workload, Serving) and not workload.split and len({row.site for row in mine}) > 1:
            return False
        if both(choice, cluster, lambda row: row.rate) < up(workload.demand):
            return False
        for what in ("injection", "bisection", "storage", "front_end"):
            floor_of = getattr(workload, f"{what}_at_least")
            if floor_of is not None and any(getattr(r, what) < floor_of.value * (1 - 1e-9) for r in mine):
                return False
    for site, place in inst.sites.items():
        here = [row for row in choice if row.site == site]
        if not isinstance(place.utility.value, Unlimited) and sum(r.utility_draw for r in here) > down(
            place.utility.value / 1e3
        ):
            return False
        if (
            not isinstance(place.rack_positions.value, Unlimited)
            and sum(r.racks for r in here) > place.rack_positions.value
        ):
            return False
        if place.storage is not None:
            sharing = [r for r in here if _shares(inst, r.cluster)]
            if sum(r.write for r in sharing) > down(place.storage.write / 1e6):
                return False
            if sum(r.ingest for r in sharing) > down(place.storage.read / 1e6):
                return False
            if sum(_stored(inst, r.cluster) for r in sharing) > down(place.storage.capacity / 1e12):
                return False
    return _within_limits(inst, choice, plant) and within_supply(inst, choice) and keeps_rules(inst, choice, plant)


def _shares(inst: Instance, cluster: str) -> bool:
    need = inst.workloads[cluster].storage
    return need is not None and need.shared


def _stored(inst: Instance, cluster: str) -> int:
    """Terabytes of a dataset and of the checkpoints kept, below the highest fill."""
    workload = inst.workloads[cluster]
    need = workload.storage
    assert need is not None
    parameters = inst.catalogue.get(ModelCard, workload.model).shape().params()
    each = need.bytes_per_parameter if isinstance(workload, Training) else {"bf16": 2.0, "fp8": 1.0}[workload.dtype]
    return up((need.dataset + parameters * each * (need.checkpoints_kept + 1)) / need.fill / 1e12)


def _within_limits(inst: Instance, choice: Choice, plant: Plant) -> bool:
    limits = inst.limits
    totals = {
        "capex": (sum(r.capex for r in choice) + plant.capex, 1e3),
        "opex": (sum(r.opex for r in choice) + plant.opex, 1e3),
        "tco": (sum(r.tco for r in choice) + plant.tco, 1e3),
        "carbon": (sum(r.carbon for r in choice), 1e3),
        "power": (sum(r.draw for r in choice), 1e3),
        "floor": (sum(r.racks for r in choice), 1.0),
    }
    for name, (total, quantum) in totals.items():
        ceiling = getattr(limits, name)
        if ceiling is not None and total > down(ceiling.value / quantum):
            return False
    delivered = sum(both(choice, cluster, lambda row: row.rate) for cluster in inst.workloads)
    if limits.throughput is not None and delivered < up(limits.throughput.value):
        return False
    if limits.goodput is not None and min(_qualities(choice, "goodput")) < up(limits.goodput.value * 1e6):
        return False
    if limits.availability is not None and min(_qualities(choice, "availability")) < up(
        limits.availability.value * 1e6
    ):
        return False
    return limits.blast_radius is None or all(r.blast_radius <= limits.blast_radius.value for r in choice)


def _qualities(choice: Choice, name: str) -> list[int]:
    """Millionths of the time of every pod, of a job over several sites those of the whole."""
    apart = {row.cluster for row in choice if row.exchange > 0}
    found = [getattr(row, name) for row in choice if row.cluster not in apart]
    wholes = [[getattr(row, name) for row in choice if row.cluster == cluster] for cluster in apart]
    return found + [1_000_000 - sum(1_000_000 - one for one in mine) for mine in wholes]


def value(inst: Instance, choice: Choice, plant: Plant, name: str) -> int:
    """One objective in quanta, as it reads (not turned round for maximised ones)."""
    base, _, which = name.partition(":")
    if base == "throughput" and not which and len(inst.workloads) > 1:
        base = "throughput_x_demand"
    if base == "throughput":
        cluster = which or next(iter(inst.workloads))
        return both(choice, cluster, lambda row: row.rate)
    if base == "throughput_x_demand":
        return min(
            both(choice, cluster, lambda row: row.share, lambda row: row.lost_share) for cluster in inst.workloads
        )
    if base == "goodput":
        training = [c for c, w in inst.workloads.items() if isinstance(w, Training)]
        judged = [which] if which else training or list(inst.workloads)
        return min(_qualities(tuple(r for r in choice if r.cluster in judged), "goodput"))
    if base == "lead_time":
        return max([plant.ordering.days, *(r.available for r in choice)])
    if base == "concentration":
        return max(spend_by_vendor(inst, choice, plant).values())
    if base == "availability":
        return min(_qualities(choice, "availability"))
    if base == "blast_radius":
        return max(r.blast_radius for r in choice)
    return {
        "capex": sum(r.capex for r in choice) + plant.capex,
        "tco": sum(r.tco for r in choice) + plant.tco,
        "carbon": sum(r.carbon for r in choice),
        "power": sum(r.draw for r in choice),
        "floor": sum(r.racks for r in choice),
    }[base]


def legal_designs(inst: Instance, candidates: Candidates) -> list[tuple[Choice, Plant]]:
    """Every legal choice with its plant."""
    money = {site: Money.at(inst, site) for site in inst.sites}
    of_cluster: dict[str, list[Figures]] = {}
    for table in candidates.placements:
        of_cluster.setdefault(table.cluster, []).extend(figures(inst, table, money[table.site]))
    found = []
    offered = {part for quote in inst.quotes.values() for part in quote.contents}
    asked = units_asked(inst)
    for choice in choices(inst, of_cluster):
        plant = plant_of(choice, money, offered, asked)
        joined = (
            [replace(plant, opex=plant.opex + usd, tco=plant.tco + usd) for usd in links(inst, choice)] if plant else []
        )
        ways = (bought for one in joined for bought in with_orders(inst, choice, one))
        found.extend((choice, bought) for bought in ways if legal(inst, choice, bought))
    return found


def values(inst: Instance, designs: Sequence[tuple[Choice, Plant]], names: Sequence[str]) -> set[Vector]:
    """Values of all legal designs in quanta and minimisation sense."""
    signs = [-1 if name.partition(":")[0] in MAXIMISED else 1 for name in names]
    return {
        tuple(sign * value(inst, choice, plant, name) for sign, name in zip(signs, names, strict=True))
        for choice, plant in designs
    }


def nondominated(points: set[Vector]) -> set[Vector]:
    """Points with none at or below them in every component."""
    kept: list[Vector] = []
    for point in sorted(points):
        if not any(all(a <= b for a, b in zip(other, point, strict=True)) for other in kept):
            kept.append(point)
    return set(kept)
