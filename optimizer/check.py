"""What an instance asks for, held against the best case of each limit alone. Arithmetic only: no program is built, no solver starts.

A limit is *hopeless* when no placement of a cluster that keeps it delivers the demand: that alone proves the instance infeasible.
The opposite proves nothing, since limits may still clash with each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import moocore
import numpy as np
import numpy.typing as npt

from models.candidates.economics import Economics, economics_of
from models.candidates.part_counts import units_per_pod
from models.candidates.placement import Candidates, Placements, enumerate_candidates
from models.candidates.pod import fabric_parts
from models.candidates.priced_parts import priced_parts
from models.candidates.rack_design import enumerate_rack_designs
from models.candidates.rejection import Stage
from models.errors import Problem
from models.instance import Instance
from models.policy import PowerFigure
from models.units import Unlimited
from models.workload import Serving, ServingRole, Training
from optimizer.performance_cache import PerformanceCache

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROOM = 1e-9


@dataclass(frozen=True)
class LimitCase:
    """A limit against its best case: least (or most) use among placements that deliver the demand; None where none does.

    ``largest_rate`` [tokens/s] is the most a single kind of pod delivers while it keeps this limit alone; ``reason``: what turned pods
    down where none delivers anything.
    """

    cluster: str
    limit: str
    where: str
    asked: float
    best: float | None
    at_most: bool
    unit: str
    largest_rate: float
    demand: float
    reason: str = ""

    @property
    def hopeless(self) -> bool:
        """True where arithmetic alone proves that no design exists."""
        return self.largest_rate < self.demand * (1.0 - ROOM)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {**dataclasses.asdict(self), "hopeless": self.hopeless}

    def problem(self) -> Problem:
        """The limit as a problem: what it asks, the best reachable, and what the demand would need."""
        side = "at most" if self.at_most else "at least"
        best = "no placement delivers the demand" if self.best is None else f"best case {self.best:,.7g} {self.unit}"
        if self.unit == "tokens/s":
            best = f"the most one kind of pod delivers is {self.largest_rate:,.0f} tokens/s"
        if self.unit == "ms":
            best = f"the most one kind of pod delivers within it is {self.largest_rate:,.0f} tokens/s"
        best += f" ({self.reason})" if self.reason else ""
        return Problem(
            "limit-hopeless",
            self.where,
            f"{self.limit} asks {side} {self.asked:,.7g} {self.unit}; {best}",
            f"{self.demand:,.0f} tokens/s from cluster {self.cluster}",
            f"within this limit alone the most is {self.largest_rate:,.0f} tokens/s",
        )


@dataclass(frozen=True)
class CheckReport:
    """Usable ids by part type, excluded rows with their reason, and every limit against its best case."""

    instance: str
    usable: Mapping[str, tuple[str, ...]]
    excluded: tuple[tuple[str, str, str], ...]
    limits: tuple[LimitCase, ...]
    placements: Mapping[str, int]
    problems: tuple[Problem, ...]

    @property
    def hopeless(self) -> bool:
        """True where arithmetic alone proves the instance infeasible."""
        return bool(self.problems)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "instance": self.instance,
            **{name: list(ids) for name, ids in self.usable.items()},
            "excluded": [{"id": item, "reason": reason, "stage": stage} for item, stage, reason in self.excluded],
            "placements": dict(self.placements),
            "limits": [case.as_dict() for case in self.limits],
            "problems": [problem.as_dict() for problem in self.problems],
        }


def check_instance(instance: Instance) -> CheckReport:
    """Usable parts, exclusions and best cases of a valid instance."""
    candidates = enumerate_candidates(_open(instance), PerformanceCache(), sift=partial(_telling, instance))
    cases = tuple(case for cluster in instance.workloads for case in _all_cases(instance, candidates, cluster))
    problems = [case.problem() for case in cases if case.hopeless]
    for cluster in instance.workloads:
        if not any(len(placements) for placements in candidates.of(cluster)):
            where = instance.origin(f"workloads.{cluster}.design_space")
            reasons = [f"{r.item}: {r.reason}" for r in candidates.rejections if r.cluster in (cluster, "")]
            found = f"cluster {cluster} has no legal pod at any site"
            problems.append(Problem("no-candidate", where, found, "at least one", "; ".join(reasons[:6])))
    return CheckReport(
        instance=instance.name,
        usable=_usable(instance, candidates),
        excluded=_excluded(candidates),
        limits=cases,
        placements={c: sum(p.considered for p in candidates.of(c)) for c in instance.workloads},
        problems=tuple(problems),
    )


def _open(instance: Instance) -> Instance:
    """The instance with sites of any size, so that a limit of a site shows as a limit and not as an absence of candidates."""
    sites = {name: site.without_size() for name, site in instance.sites.items()}
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"sites": sites}))


def _telling(instance: Instance, some: Candidates) -> Ints:
    """Of some placements those that decide a case: of each limit those that none beats in rate and in use of that limit.

    A case is the best of rate and use together, and no worse by more rate or less use, so the others need not be held together.
    """
    (table,) = some.placements
    rate = _rates(instance, table)
    kept = [int(np.argmax(table.of_pods(table.pods.rate_as(role)))) for role in ServingRole if len(table)]
    for use in (_whole(use, [table]) for use in _uses(instance, some, table.cluster, [table])):
        worse = use.values[0] if use.at_most else -use.values[0]
        found = moocore.is_nondominated(np.stack([-rate, worse], axis=1), keep_weakly=False)
        kept += np.flatnonzero(found).tolist()
    return (
        np.unique(np.array([int(np.argmax(rate)), *kept], dtype=np.int64))
        if len(table)
        else np.zeros(0, dtype=np.int64)
    )


def _usable(instance: Instance, candidates: Candidates) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {
        name: set() for name in ("systems", "accelerators", "racks", "switches", "links", "cooling", "power_components")
    }
    for cluster in instance.workloads:
        for rack in enumerate_rack_designs(instance, cluster)[0]:
            found["systems"].add(rack.system.id)
            found["accelerators"].add(rack.system.accelerator or "")
            found["racks"].add(rack.frame.id)
            found["power_components"].update([rack.distribution.id] if rack.distribution else [])
            found["cooling"].update([rack.door.id] if rack.door else [])
        switches, links, _ = fabric_parts(instance, cluster)
        found["switches"].update(card.id for card in switches if not card.missing())
        found["links"].update(card.id for card in links)
    for chains in candidates.options.values():
        for chain, options in chains.items():
            place = "power_components" if chain.value == "power" else "cooling"
            found[place].update(unit.part for option in options for unit in option.units)
    return {name: tuple(sorted(ids)) for name, ids in found.items()}


def _excluded(candidates: Candidates) -> tuple[tuple[str, str, str], ...]:
    """Rows and combinations turned down, each reason once; what a cheaper twin replaces is no exclusion."""
    seen: dict[tuple[str, str, str], None] = {}
    for rejection in candidates.rejections:
        if rejection.stage is not Stage.DOMINANCE:
            seen.setdefault((rejection.item, rejection.stage.value, rejection.reason))
    return tuple(seen)


@dataclass(frozen=True)
class _Use:
    """Use of one limit by one pod of each placement of a table; inapplicable tables (another site) use nothing."""

    limit: str
    asked: float
    unit: str
    at_most: bool
    values: tuple[Floats, ...]
    adds_up: bool = True


def _all_cases(instance: Instance, candidates: Candidates, cluster: str) -> Iterator[LimitCase]:
    """Cases of one cluster: bounds on latency that leave too little first, everything else then without them.

    A bound is held alone, as every limit is; where only all of them together leave too little, the demand itself says so.
    """
    here, workload = f"workloads.{cluster}", instance.workloads[cluster]
    stated = [n for n in LATENCIES if getattr(workload, n, None) is not None]
    demand = float(np.ceil(workload.demand - ROOM))
    if not stated or _largest(instance, candidates, cluster) >= demand * (1.0 - ROOM):
        yield from _cases(instance, candidates, cluster)
        return
    memo = PerformanceCache()

    def without(names: list[str]) -> Candidates:
        wide = _open(instance)
        for name in names:
            wide = _unstated(wide, cluster, name)
        return enumerate_candidates(wide, memo, clusters=(cluster,), sift=partial(_telling, instance))

    alone = {name: candidates if len(stated) == 1 else without([n for n in stated if n != name]) for name in stated}
    most = {name: _largest(instance, found, cluster) for name, found in alone.items()}
    for name in stated:
        asked, source = getattr(workload, name).value * 1e3, f"{here}.{name}"
        reason = "" if most[name] else _refusals(alone[name], cluster)
        yield LimitCase(
            cluster, source, instance.origin(source), asked, None, True, "ms", most[name], demand, reason
        )  # fmt: skip
    blamed = [name for name in stated if most[name] < demand * (1.0 - ROOM)]
    rest = without(stated) if blamed else candidates
    yield from _cases(instance, rest, cluster)


LATENCIES = ("ttft_at_most", "tpot_at_most")


def _unstated(instance: Instance, cluster: str, name: str) -> Instance:
    """The instance without a bound on latency."""
    workload = instance.workloads[cluster].model_copy(update={name: None})
    workloads = {**instance.document.workloads, cluster: workload}
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"workloads": workloads}))


def _largest(instance: Instance, candidates: Candidates, cluster: str) -> float:
    """The most that pods of one kind deliver of a service, in the role in which they deliver less [tokens/s]."""
    workload = instance.workloads[cluster]
    most = workload.pods_at_most if isinstance(workload, Serving) else 1
    tables = [table for table in candidates.of(cluster) if len(table)]
    each = [
        max((float(np.floor(t.of_pods(t.pods.rate_as(role)) + ROOM).max()) for t in tables), default=0.0)
        for role in (ServingRole.DECODE, ServingRole.PREFILL)
    ]
    return min(each) * most


def _refusals(candidates: Candidates, cluster: str) -> str:
    """What turned pods down at the last stage, each reason once."""
    told = [r.reason for r in candidates.rejections if r.stage is Stage.POD and r.cluster in (cluster, "")]
    return "; ".join(dict.fromkeys(told))


def _cases(instance: Instance, candidates: Candidates, cluster: str) -> Iterator[LimitCase]:
    workload, tables = instance.workloads[cluster], [p for p in candidates.of(cluster) if len(p)]
    if not tables:
        return
    rates = [_rates(instance, table) for table in tables]
    demand = float(np.ceil(workload.demand - ROOM))
    serving = isinstance(workload, Serving)
    most = workload.pods_at_most if isinstance(workload, Serving) else 1
    largest = max(float(rate.max()) for rate in rates) * most
    if serving:
        largest = _largest(instance, candidates, cluster)
    reason = "" if largest else _refusals(candidates, cluster)
    field = "deadline" if isinstance(workload, Training) else "rate"
    source = f"workloads.{cluster}.{field}"
    yield LimitCase(
        cluster, source, instance.origin(source), demand, largest, False, "tokens/s", largest, demand, reason
    )
    for use in (_whole(use, tables) for use in _uses(instance, candidates, cluster, tables)):
        reached, best = 0.0, None
        for rate, value in zip(rates, use.values, strict=True):
            pods = _pods(rate, value, use, most, serving)
            reached = max(reached, float((rate * pods).max()))
            able = rate * most >= demand
            if able.any():
                # a mix of pods may use less than whole pods of one kind, never less than the demand's share of the best
                needed = value[able] * (demand / rate[able] if serving and use.adds_up else 1.0)
                mine = float(needed.min() if use.at_most else value[able].max())
                best = mine if best is None else (min(best, mine) if use.at_most else max(best, mine))
        where = instance.origin(use.limit)
        yield LimitCase(cluster, use.limit, where, use.asked, best, use.at_most, use.unit, reached, demand)


def _rates(instance: Instance, table: Placements) -> Floats:
    """Whole tokens per second of each placement.

    Answers alone already need these pods; what their prompts need comes on top. A job over several sites is no faster than the fastest of
    its pods could make it.
    """
    workload, pods = instance.workloads[table.cluster], table.pods
    split = isinstance(workload, Training) and not workload.one_pod
    pace = pods.pace * pods.goodput if split else pods.rate_as(ServingRole.DECODE)
    return np.asarray(np.floor(table.of_pods(pace) + ROOM), dtype=np.float64)


def _whole(use: _Use, tables: list[Placements]) -> _Use:
    """A use by the whole job: shares sum to one, so some pod uses no more of a limit than its share of the batch."""
    if not use.adds_up or all(table.pods.batch_parts == 1 for table in tables):
        return use
    parts = [table.of_pods(table.pods.parts) / table.pods.batch_parts for table in tables]
    return dataclasses.replace(use, values=tuple(v / part for v, part in zip(use.values, parts, strict=True)))


def _pods(rate: Floats, value: Floats, use: _Use, most: int, serving: bool) -> Floats:
    """How many pods of each placement the limit leaves room for; a share of a pod where several kinds may mix."""
    if not use.at_most:
        return np.where(value >= use.asked * (1.0 - ROOM), float(most), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(value > 0, use.asked * (1.0 + ROOM) / value, np.inf)
    return np.minimum(room, most) if serving and use.adds_up else np.where(room >= 1.0, float(most), 0.0)


def _uses(instance: Instance, candidates: Candidates, cluster: str, tables: list[Placements]) -> Iterator[_Use]:
    limits, workload = instance.limits, instance.workloads[cluster]
    money = {site: economics_of(instance, site) for site in instance.sites}
    for site, place in instance.sites.items():
        here = [table.site == site for table in tables]
        if not isinstance(place.utility.value, Unlimited):
            figure = place.utility_figure
            drawn = _only(here, tables, lambda t, f=figure: np.ceil(t.facility_power(f) / 1e3 - ROOM))
            yield _Use(f"sites.{site}.utility", np.floor(place.utility.value / 1e3 + ROOM), "kW", True, drawn)
        if not isinstance(place.rack_positions.value, Unlimited):
            racks = _only(here, tables, lambda t: t.of_pods(t.pods.floor))
            yield _Use(f"sites.{site}.rack_positions", float(place.rack_positions.value), "racks", True, racks)
    whole = [True] * len(tables)
    if limits.power is not None:
        drawn = _only(whole, tables, lambda t: np.ceil(t.facility_power(PowerFigure.DESIGN) / 1e3 - ROOM))
        yield _Use("limits.power", np.floor(limits.power.value / 1e3 + ROOM), "kW", True, drawn)
    if limits.floor is not None:
        yield _Use("limits.floor", float(limits.floor.value), "racks", True, _only(whole, tables, _racks))
    if limits.carbon is not None:
        embodied = instance.assumptions.embodied_carbon_per_accelerator.value
        tonnes = _only(whole, tables, lambda t: t.carbon(money[t.site], embodied) / 1e3)
        yield _Use("limits.carbon", limits.carbon.value / 1e3, "t", True, tonnes)
    for name in ("capex", "opex", "tco"):
        stated = getattr(limits, name)
        if stated is not None:
            spent = _only(
                whole, tables, lambda t, n=name: np.rint(_spent(t, money[t.site], n, candidates, instance) / 1e3)
            )
            yield _Use(f"limits.{name}", np.floor(stated.value / 1e3 + ROOM), "kUSD", True, spent)
    if limits.goodput is not None:
        useful = _only(whole, tables, lambda t: t.of_pods(t.pods.goodput))
        yield _Use("limits.goodput", limits.goodput.value, "of the time", False, useful, adds_up=False)
    if limits.availability is not None:
        stands = _only(whole, tables, lambda t: t.availability)
        yield _Use("limits.availability", limits.availability.value, "of the time", False, stands, adds_up=False)
    if limits.blast_radius is not None:
        lost = _only(whole, tables, lambda t: t.of_pods(t.pods.blast_radius))
        yield _Use("limits.blast_radius", float(limits.blast_radius.value), "accelerators", True, lost, adds_up=False)
    for name, column in BANDWIDTHS.items():
        stated = getattr(workload, f"{name}_at_least")
        if stated is not None:
            carried = _only(whole, tables, lambda t, c=column: t.of_pods(getattr(t.pods, c)) * 8e-9)
            limit = f"workloads.{cluster}.{name}_at_least"
            yield _Use(limit, stated.value * 8e-9, "Gbit/s", False, carried, adds_up=False)


BANDWIDTHS = {
    "injection": "injection",
    "bisection": "bisection",
    "storage": "storage_bandwidth",
    "front_end": "front_end_bandwidth",
}


def _racks(table: Placements) -> Floats:
    return table.of_pods(table.pods.floor)


def _only(applies: list[bool], tables: list[Placements], value: Any) -> tuple[Floats, ...]:
    return tuple(
        np.asarray(value(table), dtype=np.float64) if here else np.zeros(len(table))
        for here, table in zip(applies, tables, strict=True)
    )


def _spent(table: Placements, money: Economics, name: str, candidates: Candidates, instance: Instance) -> Floats:
    """Capex, opex or all [USD] of each placement, plant units left out: a case no worse than any design.

    What is bought through offers counts at the lowest price of any tier, nothing where it may come in a bundle.
    """
    saved = np.zeros(len(table))
    known = priced_parts(instance.catalogue) if candidates.offers else {}
    for part in candidates.offers.parts:
        offers = candidates.offers.selling(part)
        least = min(0.0 if offer.is_bundle else min(offer.prices(money.basis)) for offer in offers)
        saved += table.of_pods(units_per_pod(table.pods, part)) * (known[part].price.at(money.basis) - least)
    spent = {"capex": table.capex, "opex": table.opex, "tco": table.tco}[name](money, saved)
    return np.asarray(spent, dtype=np.float64)
