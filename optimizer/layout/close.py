"""The frontier of designs that have a layout: solve, lay out, bar what provably has none, and solve again.

A cut bars one pod at one site, because a rule that looks at nothing else forbids it there; so it takes no design away that could be
built. Cuts are part of the instance (``design_space.without_layout``): the last program, its certificate, its run folder and every
later question about it know them, and ``unproven_bars`` proves them again.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.candidates.placement import Placements, enumerate_candidates
from models.instance import Instance
from models.workload import BarredPod
from optimizer.design import Design
from optimizer.extract import pod_of
from optimizer.frontier import Frontier
from optimizer.layout.check import check_layout
from optimizer.layout.contents import UndecidedLayoutError, UnplaceableError, pod_content
from optimizer.layout.plan import Layout
from optimizer.layout.planner import hall_for, lay_out, prove_pod
from optimizer.layout.pods import Effort
from optimizer.pareto import Progress
from optimizer.performance_cache import PerformanceCache
from optimizer.solve import SolveSettings, run

SIBLINGS = 400


@dataclass(frozen=True)
class LaidOut:
    """What is known of the layout of one design: its figures, or why there is none yet."""

    design_id: str
    racks: int
    links: int
    length: float
    bound: float
    undecided: str = ""


@dataclass(frozen=True)
class Closed:
    """A frontier all of whose designs have a layout, except those ``undecided``; ``barred`` are the cuts, by cluster."""

    frontier: Frontier
    instance: Instance
    layouts: tuple[LaidOut, ...]
    barred: tuple[tuple[str, BarredPod], ...]
    rounds: int

    @property
    def undecided(self) -> tuple[LaidOut, ...]:
        """Designs with neither a layout nor a proof that there is none."""
        return tuple(one for one in self.layouts if one.undecided)


def close(
    instance: Instance,
    settings: SolveSettings,
    out: str | Path | None = None,
    effort: Effort | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    on_layout: Callable[[int, int], None] | None = None,
) -> Closed:
    """The frontier of ``instance`` with every design laid out; the run folder, if asked for, is that of the last program.

    ``on_layout`` is told how many of how many designs of a round are done. Raises what ``solve`` raises; InfeasibleError where no design has a layout.
    """
    barred: list[tuple[str, BarredPod]] = []
    known: dict[str, LaidOut] = {}
    rounds = 0
    while True:
        rounds += 1
        frontier = run(instance, settings, None, False, on_progress, stop)
        fresh: dict[tuple[str, str, str], tuple[str, BarredPod]] = {}
        for number, design in enumerate(frontier.points):
            if stop is not None and stop():
                break
            if on_layout is not None:
                on_layout(number, len(frontier.points))
            if design.design_id not in known:
                outcome = _try(instance, design, effort or Effort())
                if isinstance(outcome, LaidOut):
                    known[design.design_id] = outcome
                else:
                    fresh.update(((cluster, entry.site, entry.pod), (cluster, entry)) for cluster, entry in outcome)
        if not fresh:
            break
        for cluster, entry in _like(instance, list(fresh.values())):
            fresh.setdefault((cluster, entry.site, entry.pod), (cluster, entry))
        barred += fresh.values()
        instance = with_bars(instance, list(fresh.values()))
    if out is not None:
        frontier = run(instance, settings, out, False, on_progress, stop)
    layouts = tuple(known[d.design_id] for d in frontier.points if d.design_id in known)
    return Closed(frontier, instance, layouts, tuple(barred), rounds)


def _try(instance: Instance, design: Design, effort: Effort) -> LaidOut | list[tuple[str, BarredPod]]:
    """The layout of a design in figures, or the pods of it that provably have none."""
    impossible = []
    for pod in design.pods:
        reason = proof_against(instance, pod)
        if reason:
            impossible.append((pod.cluster, BarredPod(site=pod.site, pod=pod.pod_id, owner="layout", reason=reason)))
    if impossible:
        return impossible
    try:
        return _figures(instance, design, lay_out(instance, design, effort))
    except (UndecidedLayoutError, UnplaceableError) as error:
        return LaidOut(design.design_id, 0, 0, 0.0, 0.0, str(error))


def _figures(instance: Instance, design: Design, layout: Layout) -> LaidOut:
    findings = check_layout(instance, design, layout)
    if findings:
        return LaidOut(design.design_id, 0, 0, 0.0, 0.0, f"does not hold: {findings[0]}")
    sites = layout.sites
    return LaidOut(
        design.design_id,
        sum(len(site.racks) for site in sites),
        sum(len(site.cables) for site in sites),
        sum(site.total_length for site in sites),
        sum(site.bound for site in sites),
    )


def _like(instance: Instance, bars: Sequence[tuple[str, BarredPod]]) -> Iterator[tuple[str, BarredPod]]:
    """Other pods of the racks and the leaf cables of barred ones that provably have no layout either, the first ``SIBLINGS`` looked at.

    They would come up one after the other, each at the price of a frontier.
    """
    looked = 0
    for placements in enumerate_candidates(instance, PerformanceCache()).placements:
        here = {entry.pod for cluster, entry in bars if (cluster, entry.site) == (placements.cluster, placements.site)}
        rows = {placements.pods.pod_id(int(pod)): row for row, pod in enumerate(placements.pod)} if here else {}
        kinds = {_kind(placements, rows[name]) for name in here if name in rows}
        for name, row in rows.items():
            if name in here or looked >= SIBLINGS or _kind(placements, row) not in kinds:
                continue
            looked += 1
            reason = proof_against(instance, pod_of(instance, placements, row))
            if reason:
                yield placements.cluster, BarredPod(site=placements.site, pod=name, owner="layout", reason=reason)


def _kind(placements: Placements, row: int) -> tuple[str, str, float]:
    """Rack design, and medium and run between nodes and leaves."""
    pods, pod = placements.pods, int(placements.pod[row])
    fabric = pods.fabric_row(pod)
    return pods.rack_design(pod).id, str(fabric["medium_node_leaf"]), float(fabric["length_node_leaf"])


def proof_against(instance: Instance, pod: Any) -> str:
    """Why a pod alone in its hall has no layout, or nothing where no rule forbids it."""
    try:
        content = pod_content(instance, pod, f"{pod.cluster}-1")
        prove_pod(hall_for(instance, pod.site, [content]), content)
    except UnplaceableError as error:
        return str(error)
    except UndecidedLayoutError:
        return ""
    return ""


def with_bars(instance: Instance, bars: Sequence[tuple[str, BarredPod]]) -> Instance:
    """The instance with more pods barred, in its document and in what is written of it."""
    raw: dict[str, Any] = copy.deepcopy(dict(instance.raw))
    workloads = dict(instance.document.workloads)
    for cluster, entry in bars:
        workload = workloads[cluster]
        space = workload.design_space
        space = space.model_copy(update={"without_layout": (*space.without_layout, entry)})
        workloads[cluster] = workload.model_copy(update={"design_space": space})
        written: Mapping[str, Any] = {
            "site": entry.site,
            "pod": entry.pod,
            "owner": entry.owner,
            "reason": entry.reason,
        }
        raw["workloads"][cluster]["design_space"].setdefault("without_layout", []).append(dict(written))
    document = instance.document.model_copy(update={"workloads": workloads})
    return dataclasses.replace(instance, document=document, raw=raw)


def unproven_bars(instance: Instance) -> list[tuple[str, BarredPod]]:
    """Bars of an instance that no rule proves, or that bar no pod there is."""
    wanted = {
        (cluster, entry.site, entry.pod): (cluster, entry)
        for cluster, workload in instance.workloads.items()
        for entry in workload.design_space.without_layout
    }
    if not wanted:
        return []
    for placements in enumerate_candidates(instance, PerformanceCache(), barred_too=True).placements:
        pods = {
            entry.pod
            for cluster, entry in wanted.values()
            if (cluster, entry.site) == (placements.cluster, placements.site)
        }
        for row, pod in enumerate(placements.pod if pods else ()):
            name = placements.pods.pod_id(int(pod))
            if name in pods and proof_against(instance, pod_of(instance, placements, row)):
                wanted.pop((placements.cluster, placements.site, name), None)
                pods.discard(name)
    return list(wanted.values())
