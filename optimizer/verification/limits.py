"""Every limit of an instance held against a design, and the margins the design reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import ceil, floor

from models.instance import Instance
from models.policy import PowerFigure
from models.site import Chain
from models.units import Unlimited
from models.workload import ServingRole, ThroughputMethod, Training
from optimizer.design import Design
from optimizer.verification.findings import Checks
from optimizer.verification.limit import Limit
from optimizer.verification.outside import check_outside
from optimizer.verification.plant import Unit, chain_loads
from optimizer.verification.pods import PodFacts
from optimizer.verification.purchasing import check_arrivals, check_rules, purchasing_limits
from optimizer.verification.quanta import EDGE, ZERO, Total, down, quanta, up
from optimizer.verification.services import needed_capacity
from optimizer.verification.split import of_all, split_of
from optimizer.verification.standing import of_pod
from optimizer.verification.totals import MILLION, ROLES, Sums

MEGABIT_PER_SECOND = 1e6 / 8
MILLIONTH = 1e-6
OF = re.compile(r"(-?[\d,]+) of (?:the )?(-?[\d,]+)(?= )")
"""Both sides of a limit in a sentence."""


def limits_of(sums: Sums) -> Iterator[Limit]:
    """Every stated limit that applies to the design."""
    yield from _workloads(sums)
    yield from _sites(sums)
    yield from _shared_storage(sums)
    yield from _chains(sums)
    yield from _ceilings(sums)
    yield from purchasing_limits(sums.book)


def _workloads(sums: Sums) -> Iterator[Limit]:
    for cluster, workload in sums.instance.workloads.items():
        field = "deadline" if isinstance(workload, Training) else "rate"
        demand = ceil(workload.demand - EDGE)
        source = f"workloads.{cluster}"
        for role in _roles(sums, cluster):
            row = f"performance.demand[{cluster}{f',{role}' if role else ''}]"
            yield Limit(row, sums.delivered(cluster, role), demand, False, "tokens/s", f"{source}.{field}")
        for what in ("injection", "bisection", "storage", "front_end"):
            stated = getattr(workload, f"{what}_at_least")
            if stated is not None:
                least = ceil(stated.value / MEGABIT_PER_SECOND - 1e-6)
                row, unit = f"bandwidth.{what}", "Mbit/s per accelerator"
                yield _floor(sums, cluster, row, least, unit, f"{source}.{what}_at_least", _megabits(what))
        if sums.instance.limits.goodput is not None:
            least = ceil(sums.instance.limits.goodput.value / MILLIONTH - EDGE)
            row, unit = "reliability.goodput", "millionths of the time"
            yield _floor(sums, cluster, row, least, unit, "limits.goodput", _useful)
        yield from _standing(sums, cluster)


def _standing(sums: Sums, cluster: str) -> Iterator[Limit]:
    """Limits on availability and on what one failure takes."""
    limits = sums.instance.limits
    if limits.availability is not None:
        least = ceil(limits.availability.value / MILLIONTH - EDGE)
        row, unit = "reliability.availability", "millionths of the time"
        yield _floor(sums, cluster, row, least, unit, "limits.availability", lambda one: _stands(sums, one))
    if limits.blast_radius is not None:
        row, source, most = "reliability.blast_radius", "limits.blast_radius", limits.blast_radius.value
        lost = [(one.reliability.blast_radius, one.count) for one in sums.facts if one.pod.cluster == cluster]
        if _one_pod(sums, cluster):
            total = sum(each * count for each, count in lost)
            yield Limit(f"{row}[{cluster}]", Total(total, total), most, True, "accelerators", source)
        else:
            over = sum(count for each, count in lost if each > most)
            yield Limit(f"{row}_of_each[{cluster}]", Total(over, over), 0, True, "pods above the ceiling", source)


def _one_pod(sums: Sums, cluster: str) -> bool:
    return isinstance(sums.instance.workloads[cluster], Training) and split_of(sums.instance, cluster) is None


def _stands(sums: Sums, one: PodFacts) -> Total:
    return quanta(of_pod(sums.instance, sums.plant, one), MILLIONTH, down)


def _roles(sums: Sums, cluster: str) -> tuple[str | None, ...]:
    """One demand per role where any pod of a cluster may have but one role, whether a design takes such pods or not."""
    workload = sums.instance.workloads[cluster]
    if isinstance(workload, Training) or workload.throughput is ThroughputMethod.FIRST_ORDER:
        return (None,)
    roles = set(workload.roles or ServingRole)
    return (None,) if roles == {ServingRole.MIXED} else ROLES


def _megabits(what: str) -> Callable[[PodFacts], Total]:
    def value(one: PodFacts) -> Total:
        given = {"storage": one.services.storage_b_s, "front_end": one.services.front_end_b_s}
        exact = given[what] if what in given else float(getattr(one.fabric, what))
        return quanta(exact, MEGABIT_PER_SECOND, down)

    return value


def _useful(one: PodFacts) -> Total:
    return quanta(one.goodput, MILLIONTH, down)


def _floor(
    sums: Sums, cluster: str, row: str, least: int, unit: str, source: str, value: Callable[[PodFacts], Total]
) -> Limit:  # fmt: skip
    """A floor on every pod: of the one pod of a training cluster, or on the number of pods below it.

    A share of the time is that of the whole where a job needs all of its pods.
    """
    mine = [one for one in sums.facts if one.pod.cluster == cluster]
    if split_of(sums.instance, cluster) is not None and source.startswith("limits."):
        kept = of_all([value(one) for one in mine], MILLION)
        lost = Total(MILLION - kept.most, MILLION - kept.least)
        return Limit(f"{row}_of_all[{cluster}]", lost, MILLION - least, True, f"{unit} lost", source)
    if _one_pod(sums, cluster):
        total = ZERO
        for one in mine:
            total = total + value(one).times(one.count)
        return Limit(f"{row}[{cluster}]", total, least, False, unit, source)
    surely = sum(one.count for one in mine if value(one).most < least)
    perhaps = sum(one.count for one in mine if value(one).least < least)
    return Limit(f"{row}_of_each[{cluster}]", Total(surely, perhaps), 0, True, "pods below the floor", source)


def _sites(sums: Sums) -> Iterator[Limit]:
    for site, place in sums.instance.sites.items():
        source = f"sites.{site}"
        if not isinstance(place.utility.value, Unlimited):
            drawn, limit = sums.power(place.utility_figure, site), floor(place.utility.value / 1e3 + EDGE)
            yield Limit(f"power.utility[{site}]", drawn, limit, True, "kW", f"{source}.utility")
        if not isinstance(place.rack_positions.value, Unlimited):
            racks = sums.floor(site)
            yield Limit(
                f"space.positions[{site}]", racks, place.rack_positions.value, True, "racks", f"{source}.rack_positions"
            )


def _shared_storage(sums: Sums) -> Iterator[Limit]:
    """What clusters take of the storage of a site: entitlements, reading, capacity."""
    sharing = {c for c, w in sums.instance.workloads.items() if w.storage is not None and w.storage.shared}
    for site, place in sums.instance.sites.items():
        could = [
            c
            for c in sharing
            if sums.instance.workloads[c].sites is None or site in (sums.instance.workloads[c].sites or ())
        ]
        if place.storage is None or not could:
            continue
        here = [one for one in sums.facts if one.pod.site == site and one.pod.cluster in sharing]
        source = f"sites.{site}.storage"
        totals = {"write": ZERO, "read": ZERO, "capacity": ZERO}
        for one in here:
            totals["write"] = totals["write"] + quanta(one.services.write, 1e6, up).times(one.count)
            totals["read"] = totals["read"] + quanta(one.services.ingest, 1e6, up).times(one.count)
            kept = needed_capacity(sums.instance, one.pod.cluster)
            totals["capacity"] = totals["capacity"] + quanta(kept, 1e12, up).times(one.count)
        for what, unit, quantum in (("write", "MB/s", 1e6), ("read", "MB/s", 1e6), ("capacity", "TB", 1e12)):
            limit = floor(getattr(place.storage, what) / quantum + EDGE)
            row = what if what == "capacity" else f"{what}_bandwidth"
            yield Limit(f"storage.{row}[{site}]", totals[what], limit, True, unit, f"{source}.{what}")


def _chains(sums: Sums) -> Iterator[Limit]:
    """Capacity of the units a design lists; the redundancy counts as load."""
    for (site, chain, name), load in chain_loads(sums.instance, sums.facts, sums.plant).items():
        counts = sums.units[site, chain, name]
        family = "power" if chain is Chain.POWER else "thermal"
        for unit, count in zip(sums.plant.options[site, chain, name].units, counts, strict=True):
            blocks = sums.plant.options[site, chain, name].blocks
            if blocks is not None and unit is not sums.plant.options[site, chain, name].units[0]:
                continue  # the other parts of a block come in as many rings
            used = load + unit.capacity_kw * unit.spare
            row = f"{family}.{chain.value}_units[{site},{name},{unit.part.id}]"
            source = f"sites.{site}.{chain.value}.{name}"
            yield Limit(row, Total(used, used), unit.capacity_kw * count / unit.sets, True, "kW", source)
        if chain is Chain.POWER:
            yield from _loadings(sums, site, name)


def _loadings(sums: Sums, site: str, name: str) -> Iterator[Limit]:
    option = sums.plant.options[site, Chain.POWER, name]
    seen: set[float] = set()
    for unit, count in zip(option.units, sums.units[site, Chain.POWER, name], strict=True):
        rating = unit.rating * unit.sets
        if unit.curve is None or (option.blocks is not None and rating in seen):
            continue
        seen.add(rating)
        yield from _loading(sums, (site, name), unit, count, f"sites.{site}.power.{name}.loading_range")


def _loading(sums: Sums, at: tuple[str, str], unit: Unit, count: int, source: str) -> Iterator[Limit]:
    """Units with a part-load curve above the least load their losses are stated for."""
    loading = sums.plant.options[at[0], Chain.POWER, at[1]].loading
    if loading is None:
        return
    users = [one for one in sums.facts if one.pod.site == at[0] and one.pod.options.get("power") == at[1]]
    drawn = ZERO
    for one in users:
        drawn = drawn + quanta(one.load(Chain.POWER, PowerFigure.IN_USE), 1e3, down).times(one.count)
    rating, index = count * unit.rating / 1e3, f"{at[0]},{at[1]},{unit.part.id}"
    yield Limit(f"power.least_loaded_units[{index}]", drawn, rating * loading[0], False, "kW", source)


def _ceilings(sums: Sums) -> Iterator[Limit]:
    limits = sums.instance.limits
    if limits.throughput is not None:
        total = ZERO
        for cluster in sums.instance.workloads:
            total = total + sums.delivered(cluster)
        least = ceil(limits.throughput.value - EDGE)
        yield Limit("performance.limit[]", total, least, False, "tokens/s", "limits.throughput")
    if limits.power is not None:
        most = floor(limits.power.value / 1e3 + EDGE)
        yield Limit("power.limit[]", sums.power(PowerFigure.DESIGN), most, True, "kW", "limits.power")
    if limits.floor is not None:
        yield Limit("space.limit[]", sums.floor(), limits.floor.value, True, "racks", "limits.floor")
    for name, capex, opex in (("capex", True, False), ("opex", False, True), ("tco", True, True)):
        stated = getattr(limits, name)
        if stated is not None:
            most = floor(stated.value / 1e3 + EDGE)
            yield Limit(f"budget.{name}[]", sums.money(capex, opex), most, True, "kUSD", f"limits.{name}")
    if limits.carbon is not None:
        most = floor(limits.carbon.value / 1e3 + EDGE)
        yield Limit("budget.carbon[]", sums.carbon(), most, True, "t", "limits.carbon")


def check_limits(checks: Checks, instance: Instance, design: Design, sums: Sums) -> None:
    """No limit is broken; every margin is the one the limits give, none is missing and none is invented."""
    _check_clusters(checks, instance, sums)
    check_arrivals(checks, sums.book)
    check_rules(checks, sums.book)
    expected = {limit.row: limit for limit in limits_of(sums)}
    for limit in expected.values():
        asked = f"{'at most' if limit.at_most else 'at least'} {limit.limit:g} {limit.unit}"
        checks.rule(f"limit {limit.row}", limit.kept, limit.value.least, asked, limit.source)
    reported = {margin.row: margin for margin in design.margins}
    outside = check_outside(checks, instance, design)
    checks.same("margins", len(design.margins), len(reported), "one margin per limit")
    for row in sorted(expected.keys() | reported.keys()):
        where = f"margins.{row}"
        if row not in reported and expected[row].idle:
            continue
        if row not in expected and row.partition(".")[0] in outside:
            continue
        if row not in reported or row not in expected:
            checks.rule(where, False, reported.get(row), expected.get(row), "reported and applicable limits differ")
            continue
        margin, limit = reported[row], expected[row]
        checks.same(f"{where}.family", margin.family, row.partition(".")[0])
        checks.rule(f"{where}.value", limit.value.holds(margin.value), margin.value, limit.value.least)
        checks.same(f"{where}.limit", margin.limit, limit.limit)
        checks.same(f"{where}.unit", margin.unit, limit.unit)
        tight = abs(margin.value - margin.limit) <= EDGE * max(1.0, abs(margin.limit))
        checks.same(f"{where}.binding", margin.binding, tight)
        told = OF.search(margin.says)
        if told is not None:
            figures = [f"{margin.value:,.0f}", f"{margin.limit:,.0f}"]
            checks.same(f"{where}.says", list(told.groups()), figures, "what it says of what")
        checks.same(f"{where}.source", margin.source, f"{limit.source} ({instance.origin(limit.source)})")


def _check_clusters(checks: Checks, instance: Instance, sums: Sums) -> None:
    """One pod per training cluster; pods of a serving cluster within their number."""
    for cluster, workload in instance.workloads.items():
        count = sum(one.count for one in sums.facts if one.pod.cluster == cluster)
        where = f"limit workloads.{cluster}"
        if isinstance(workload, Training):
            most = 1 if workload.split is None else workload.split.sites_at_most
            checks.rule(where, 1 <= count <= most, count, most, "a training cluster is one pod, or one a site")
        else:
            checks.rule(where, count <= workload.pods_at_most, count, workload.pods_at_most, "pods_at_most")
            sites = sorted({one.pod.site for one in sums.facts if one.pod.cluster == cluster})
            checks.rule(where, workload.split or len(sites) <= 1, sites, "one site: the cluster may not be split")
