"""Puts placements together: the tables of pods of a cluster at a site, as they are enumerated, under every combination of plant options.

Where there are many and only those worth choosing are wanted, a *sift* looks at some tables at a time and says which placements to
go on with, so that the rest is never held together. Those kept are numbered as if all had been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_table import FabricTable
from models.candidates.plant import Combination, PlantOption, combinations
from models.candidates.pod import PodSource
from models.candidates.pod_stack import PodStack
from models.candidates.pod_table import PodTable
from models.candidates.rack_design import RackDesign
from models.candidates.rejection import Rejection, Stage
from models.candidates.ring_load import rack_loads
from models.instance import Instance
from models.site import Chain
from models.site_options import CoolantTo
from models.workload import RackCooling

Ints = npt.NDArray[np.int64]

TOGETHER = 100_000
"""Pods that are sifted at a time; fewer than that in all are not sifted."""


@dataclass(frozen=True)
class Placed:
    """Placements as arrays: ``pod`` (into ``pods``) and ``combination`` (into ``combinations``) of each, by size, pod and combination.

    ``number`` is the place of each among all that were ``enumerated``, where a sift kept only some.
    """

    pods: PodTable
    combinations: tuple[Combination, ...]
    pod: Ints
    combination: Ints
    number: Ints | None = None
    enumerated: int | None = None


Sift = Callable[[Placed], Ints]
"""Says which rows of some placements to go on with, in ascending order."""


@dataclass
class _Way:
    """A combination that racks of one kind may hang on, and how many pods came to it, stand its water, and hang on its blocks."""

    kind: tuple[RackCooling, CoolantTo]
    chosen: Combination
    pods: int = 0
    cool: int = 0
    held: int = 0


class Placing:
    """Placements of one cluster at one site while its pods are enumerated."""

    def __init__(
        self, instance: Instance, source: PodSource, options: dict[Chain, list[PlantOption]], sift: Sift | None
    ) -> None:
        self._instance, self._source, self._sift = instance, source, sift
        self._ways = _ways(source.shared.racks, options)
        self._stack = PodStack(source.rows, source.levels)
        self._waiting: list[tuple[PodTable, int]] = []
        self._sifted: list[_Sifted] = []
        self._beside: ThreadPoolExecutor | None = None
        self._under_way: Future[None] | None = None

    def add(self, pods: PodTable, rows: Ints, sources: int) -> None:
        """Takes up some rows of a table made of ``sources`` rows of fabrics."""
        if self._sift is None:
            self._stack.add(pods, rows, sources)
            return
        self._waiting.append((pods.take(rows), sources))
        if sum(len(table) for table, _ in self._waiting) >= TOGETHER:
            self._sift_beside(self._sift)

    def placed(self) -> Placed | None:
        """All placements of what was taken up, or those worth going on with; None where there is none."""
        if self._sift is not None and self._beside is not None and self._waiting:
            self._sift_beside(self._sift)
        self._finish()
        if self._beside is not None:
            self._beside.shutdown()
        for table, sources in self._waiting:
            self._stack.add(table, np.arange(len(table), dtype=np.int64), sources)
        self._waiting = []
        pods = self._stack.table()
        if pods is None:
            return None
        pods = self._with_networks(pods)
        found = _numbered(pods, self._sifted) if self._sifted else self._spread(pods)
        return _without_unused(found, self._ways)

    def rejections(self) -> list[Rejection]:
        """Combinations that did not take some of their pods."""
        return _refused(self._ways, self._source.shared.cluster, self._source.shared.site)

    def _with_networks(self, pods: PodTable) -> PodTable:
        return replace(pods, networks=tuple(self._source.shared.planner.tables))

    def _spread(self, pods: PodTable) -> Placed:
        """Some pods under every combination they may hang on."""
        return _spread(self._instance, pods, self._ways)

    def _sift_beside(self, sift: Sift) -> None:
        """Sifts what waits while further pods are made, one batch after the other: most of both is work outside the interpreter."""
        self._finish()
        if self._beside is None:
            self._beside = ThreadPoolExecutor(1, "sift")
        tables, sources = [table for table, _ in self._waiting], sum(count for _, count in self._waiting)
        self._waiting = []
        networks = tuple(self._source.shared.planner.tables)
        self._under_way = self._beside.submit(self._sift_batch, sift, tables, sources, networks)

    def _sift_batch(self, sift: Sift, tables: list[PodTable], sources: int, networks: tuple[FabricTable, ...]) -> None:
        pods = replace(PodTable.join(tables), networks=networks)
        whole = self._spread(pods)
        kept = sift(whole)
        worth, pod = np.unique(whole.pod[kept], return_inverse=True)
        sizes, starts = np.unique(pods.accelerators[whole.pod], return_index=True)
        counts = np.diff(starts, append=len(whole.pod))
        self._sifted.append(_Sifted(sizes, starts, counts, kept, pod, whole.combination[kept], len(worth)))
        self._stack.add(pods, worth, sources)

    def _finish(self) -> None:
        """Waits for the batch that is being sifted."""
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            under_way.result()


def place_pods(
    instance: Instance, pods: PodTable, options: dict[Chain, list[PlantOption]]
) -> tuple[Placed | None, list[Rejection]]:
    """Pods that are there already under every combination of options that may have changed; None where none takes any."""
    ways = _ways(pods.racks, options)
    found = _spread(instance, pods, ways)
    return _without_unused(found, ways), _refused(ways, pods.cluster, pods.site)


def _ways(racks: Iterable[RackDesign], options: dict[Chain, list[PlantOption]]) -> list[_Way]:
    kinds = {_kind(rack) for rack in racks}
    return [
        _Way(kind, chosen)
        for kind in product(RackCooling, CoolantTo)
        if kind in kinds
        for chosen in combinations(options, *kind)
    ]


def _spread(instance: Instance, pods: PodTable, ways: list[_Way]) -> Placed:
    """Pods under every combination they may hang on; the ways count them."""
    pod_rows, combination_rows = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    kinds = [_kind(rack) for rack in pods.racks]
    rows: dict[tuple[RackCooling, CoolantTo], Ints] = {}
    for number, way in enumerate(ways):
        if way.kind not in rows:
            mine = np.array([kind == way.kind for kind in kinds])
            rows[way.kind] = np.flatnonzero(mine[pods.rack])
        cool = rows[way.kind][_cool_enough(instance, pods, way.chosen)[rows[way.kind]]]
        held = cool[_on_blocks(instance, pods, way.chosen)[cool]]
        way.pods, way.cool, way.held = way.pods + len(rows[way.kind]), way.cool + len(cool), way.held + len(held)
        pod_rows.append(held)
        combination_rows.append(np.full(len(held), number, dtype=np.int64))
    pod, combination = np.concatenate(pod_rows), np.concatenate(combination_rows)
    order = np.lexsort((combination, pod, pods.accelerators[pod]))
    every = tuple(way.chosen for way in ways)
    return Placed(pods, every, pod[order], combination[order])


def _without_unused(found: Placed, ways: list[_Way]) -> Placed | None:
    """The same with no combination that no pod came to; None where there is none at all."""
    used = np.array([way.pods > 0 for way in ways], dtype=np.bool_)
    if not used.any():
        return None
    combination = (np.cumsum(used) - 1)[found.combination]
    return replace(found, combinations=tuple(w.chosen for w in ways if w.pods), combination=combination)


def _refused(ways: list[_Way], cluster: str, site: str) -> list[Rejection]:
    """Combinations that did not take some of their pods."""
    found = []
    for way in ways:
        if way.cool < way.pods:
            found.append(_too_warm(cluster, site, way))
        if way.held < way.cool:
            found.append(_unheld(cluster, site, way))
    return found


@dataclass(frozen=True)
class _Sifted:
    """Some tables after their sifting: of each of their ``sizes`` where its placements start and how many there are; ``kept`` rows, the
    pods of those among the ``pods`` kept, and their combinations."""

    sizes: Ints
    starts: Ints
    counts: Ints
    kept: Ints
    pod: Ints
    combination: Ints
    pods: int


def _numbered(pods: PodTable, parts: list[_Sifted]) -> Placed:
    """What is left of all parts, in the order and with the numbers it has among all placements: by size, then part by part."""
    sizes = np.unique(np.concatenate([part.sizes for part in parts]))
    counts = np.zeros((len(parts), len(sizes)), dtype=np.int64)
    for row, part in zip(counts, parts, strict=True):
        row[np.searchsorted(sizes, part.sizes)] = part.counts
    smaller = np.cumsum(counts.sum(axis=0)) - counts.sum(axis=0)
    first = smaller + np.cumsum(counts, axis=0) - counts
    offsets = np.cumsum([0] + [part.pods for part in parts])
    numbers = []
    for row, part in zip(first, parts, strict=True):
        size = np.searchsorted(part.starts, part.kept, side="right") - 1
        numbers.append(row[np.searchsorted(sizes, part.sizes)][size] + part.kept - part.starts[size])
    number = np.concatenate(numbers)
    pod = np.concatenate([part.pod + offset for part, offset in zip(parts, offsets, strict=False)])
    combination = np.concatenate([part.combination for part in parts])
    order = np.argsort(number)
    return Placed(pods, (), pod[order], combination[order], number[order], int(counts.sum()))


def _kind(rack: RackDesign) -> tuple[RackCooling, CoolantTo]:
    """What decides which combinations a rack may hang on."""
    return rack.cooling, CoolantTo.RACKS if rack.coolant.cdu is None else CoolantTo.RACK_CDUS


def _cool_enough(instance: Instance, pods: PodTable, chosen: Combination) -> npt.NDArray[np.bool_]:
    """Pods whose racks' own CDUs stand the facility water of the liquid option."""
    liquid = chosen.option(Chain.LIQUID)
    if liquid is None or liquid.supply is None:
        return np.ones(len(pods), dtype=np.bool_)
    loop = instance.workloads[pods.cluster].design_space.coolant.loop
    limits = [rack.coolant.warmest((loop.approach or 0.0) if loop is not None else 0.0) for rack in pods.racks]
    stands = np.array([limit is None or liquid.supply <= limit + 1e-9 for limit in limits])
    return np.asarray(stands[pods.rack], dtype=np.bool_)


def _too_warm(cluster: str, site: str, way: _Way) -> Rejection:
    liquid = way.chosen.option(Chain.LIQUID)
    assert liquid is not None
    reason = f"of {way.pods} pods {way.pods - way.cool} have CDUs in their racks that do not stand its supply of {liquid.supply:g} degC"
    return Rejection(f"liquid={liquid.id}", Stage.POD, reason, cluster, site)


def _on_blocks(instance: Instance, pods: PodTable, chosen: Combination) -> npt.NDArray[np.bool_]:
    """Pods whose racks, one by one, hang on the blocks of the power option."""
    power = chosen.option(Chain.POWER)
    if power is None or power.ring is None:
        return np.ones(len(pods), dtype=np.bool_)
    return rack_loads(instance, pods, power.ring).fits(power.ring)


def _unheld(cluster: str, site: str, way: _Way) -> Rejection:
    power = way.chosen.option(Chain.POWER)
    assert power is not None and power.ring is not None
    reason = (
        f"of {way.cool} pods {way.cool - way.held} have a rack that its blocks of {power.ring.capacity} kW do not carry, or racks of switches "
        f"above {power.ring.largest_small} kW (small_racks)"
    )
    return Rejection(f"power={power.id}", Stage.POD, reason, cluster, site)
