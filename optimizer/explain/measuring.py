"""How little the groups of one set have to give: each limit, date, heat or floor measured by solving, then the cheapest design."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
import numpy.typing as npt

from models.formulation.core import block_name
from models.instance import Instance
from optimizer.design import Design
from optimizer.explain.asking import Asking, LimitRow, Reply, Standing
from optimizer.explain.bracketing import Interval, bracketed, narrowed, stepped
from optimizer.explain.changes import (
    Change,
    admitted_change,
    bracket_change,
    floor_change,
    limit_change,
    purchase_change,
    size_change,
    threshold_change,
    useful_share,
)
from optimizer.explain.extents import Extents, extents_of
from optimizer.explain.groups import Group, written
from optimizer.explain.lifted import column_of_placements
from optimizer.explain.purchases import purchase_of
from optimizer.extract import design_of
from optimizer.sensitivity.kinds import labels_of

_DIMENSION = {
    "systems": "system",
    "system_kinds": "system",
    "vendors": "vendor",
    "switches": "switch",
    "cooling": "cooling",
}
"""Filters of a design space, and what their candidates are told apart by."""


@dataclass(frozen=True)
class Used:
    """Something a design used that a filter of a cluster has to let in."""

    cluster: str
    dimension: str
    value: str


class Measuring:
    """How little the groups of one set have to give; limits first, then thresholds, then what the cheapest design admits."""

    def __init__(self, asking: Asking, lifted: frozenset[str], at: Mapping[str, float] | None = None) -> None:
        self._asking = asking
        self._lifted = lifted
        self._at = at
        self._kept = frozenset(asking.groups) - lifted
        self._program = asking.program(lifted, at)
        assert self._program.model is not None
        self._barred: npt.NDArray[np.bool_] = np.zeros(self._program.model.n_columns, dtype=np.bool_)
        self._bounds: dict[str, float | tuple[float, float]] = {}

    def ask(self, cost: npt.NDArray[np.float64] | None = None, barred: npt.NDArray[np.bool_] | None = None) -> Reply:
        """The question with everything that is settled so far."""
        return self._asking.ask(self._kept, cost, self._barred if barred is None else barred, self._bounds, self._at)

    def together(self, rows: Sequence[LimitRow]) -> float | None:
        """The least that rows which say one thing have to move, all to the same value; they are then held there.

        The interval is halved between what each could reach alone and what a design found reaches in all of them.
        """
        model = self._program.model
        assert model is not None
        rows = [row for row in rows if row.key in model.row_keys]
        if not rows:
            return None
        sign = -1.0 if rows[0].at_most else 1.0
        places = [model.row_keys.index(row.key) for row in rows]
        left = sign * np.asarray(model.matrix[places, :].toarray(), dtype=np.float64)
        for row in rows:
            self._bounds.pop(row.key, None)
        replies = [self.ask(-one) for one in left]
        points = [reply.x for reply in replies if reply.x is not None]
        if len(points) < len(rows):
            return None
        most = sign * rows[0].limit
        high = min(most, *(float(one @ x) for one, x in zip(left, points, strict=True)))
        low = max(min(most, float((left @ x).min())) for x in points)
        while high - low > 0.5:
            middle = ceil((low + high) / 2)
            self._bounds.update({row.key: sign * middle for row in rows})
            reply = self.ask(-left.sum(axis=0))
            if reply.standing is Standing.UNKNOWN:
                break
            if reply.x is None:
                high = middle - 1.0
            else:
                low = max(low, min(most, float((left @ reply.x).min())))
        self._bounds.update({row.key: sign * low for row in rows})
        return sign * low

    def limit(self, row: LimitRow) -> float | None:
        """The least a row has to move; the row is then held there."""
        model = self._program.model
        assert model is not None
        if row.key not in model.row_keys:
            return None
        self._bounds.pop(row.key, None)
        left = np.asarray(model.matrix[[model.row_keys.index(row.key)], :].toarray(), dtype=np.float64).reshape(-1)
        if self.exact(row.key):
            value = self._nearest(row, left)
        else:
            reply = self.ask(left if row.at_most else -left)
            reached = None if reply.x is None else float(left @ reply.x)
            value = None if reached is None else max(reached, row.limit) if row.at_most else min(reached, row.limit)
        if value is not None:
            self._bounds[row.key] = value
        return value

    def exact(self, key: str) -> bool:
        """Whether a row asks for one value, neither more nor less."""
        model = self._program.model
        assert model is not None
        place = model.row_keys.index(key)
        return bool(model.row_lower[place] == model.row_upper[place])

    def _nearest(self, row: LimitRow, left: npt.NDArray[np.float64]) -> float | None:
        """The value nearest to what a row fixes, above or below."""
        found = []
        for side, span in ((1.0, (row.limit, np.inf)), (-1.0, (-np.inf, row.limit))):
            self._bounds[row.key] = span
            reply = self.ask(side * left)
            if reply.x is not None:
                found.append(float(left @ reply.x))
        del self._bounds[row.key]
        return min(found, key=lambda value: (abs(value - row.limit), value), default=None)

    def threshold(self, extents: Extents) -> float | None:
        """The smallest extent that suffices; whatever goes further is barred from here on."""
        values = extents.columns(self._program)
        steps = np.unique(values[np.isfinite(values) & (values > extents.now)])
        low, high = 0, len(steps) - 1
        if high < 0 or self.ask().standing is not Standing.FEASIBLE:
            return None
        while low < high:
            middle = (low + high) // 2
            standing = self.ask(barred=self._barred | (values > steps[middle])).standing
            if standing is Standing.UNKNOWN:
                break
            low, high = (low, middle) if standing is Standing.FEASIBLE else (middle + 1, high)
        self._barred = self._barred | (values > steps[high])
        return float(steps[high])

    def hold_all(self, held: Mapping[str, float], rows: Mapping[str, LimitRow]) -> None:
        """Holds the rows of groups at values from here on."""
        for name, kept in held.items():
            for key in self._asking.groups[name].rows:
                self.hold(rows[key], kept)

    def hold(self, row: LimitRow, value: float) -> None:
        """Holds a row at a value from here on."""
        self._bounds[row.key] = value

    def avoid(self, used: Collection[Used]) -> None:
        """Bars everything that uses what is named."""
        for one in used:
            self._barred = self._barred | (self._labels(one.cluster, one.dimension) == one.value)

    def _labels(self, cluster: str, dimension: str) -> npt.NDArray[np.str_]:
        """The label of every column in a dimension, empty for columns that are no placement of the cluster."""
        program = self._program
        assert program.formulation is not None and program.model is not None
        found = np.full(program.model.n_columns, "", dtype=object)
        columns = column_of_placements(program)
        for placements in program.formulation.candidates.of(cluster):
            name = block_name(placements)
            mine = labels_of(self._asking.instance, placements)[dimension][program.formulation.positions[name]]
            used = columns[name] >= 0
            found[columns[name][used]] = mine[used]
        return found.astype(str)

    def cheapest(self) -> Design | None:
        """The design of least total cost within what has been settled so far."""
        reply = self.ask(self._asking.tco(self._lifted, self._at))
        if reply.x is None:
            return None
        assert self._program.formulation is not None and self._program.model is not None
        return design_of(self._program.formulation, self._program.model, reply.x)


@dataclass(frozen=True)
class Measured:
    """What has to change, in the order of the changes; ``values`` of the limits that moved, by group; the cheapest ``design`` then."""

    changes: tuple[Change, ...]
    values: dict[str, float]
    design: Design
    used: tuple[Used, ...]


def measured(
    asking: Asking, lifted: frozenset[str], avoid: Collection[Used] = (), held: dict[str, float] | None = None
) -> Measured | None:
    """The smallest changes of a set of groups; ``avoid``: not by these; ``held``: values at which some limits are held first."""
    instance, rows = asking.instance, {r.key: r for r in asking.rows}
    if asking.out_of_time and not asking.prepared(lifted):
        return None
    intervals = _narrowed(asking, lifted, avoid, held or {})
    measuring = Measuring(asking, lifted, {name: found.value for name, found in intervals.items()})
    measuring.avoid(avoid)
    groups = sorted((asking.groups[n] for n in lifted), key=lambda g: (not g.rows, g.name))
    measuring.hold_all(held or {}, rows)
    # what is held is measured last: what the others leave of it
    groups.sort(key=lambda g: g.name in (held or {}))
    changes: dict[str, Change] = {}
    values: dict[str, float] = {}
    later: list[Group] = []
    for group in groups:
        if group.name in intervals:
            found, purchase = intervals[group.name], purchase_of(instance, group.name)
            changes[group.name] = (
                bracket_change(instance, group, found) if purchase is None else purchase_change(group, purchase, found)
            )
            values[group.name] = intervals[group.name].value
            continue
        change, value = _moved(instance, measuring, group, rows)
        if value == 0.0 and group.name.endswith((".rate", ".deadline", ".throughput")):
            return None  # nothing delivered is no demand met
        if change is None or value is None:
            later.append(group)
        else:
            changes[group.name], values[group.name] = change, value
    design = measuring.cheapest()
    if design is None:
        return None
    used: list[Used] = []
    for group in later:
        by_size = group.name.endswith(".sizes")
        admitted = size_change(instance, group, design) if by_size else admitted_change(instance, group, design)
        if admitted is not None:
            changes[group.name] = admitted
            used.extend(_used(asking, group, design))
    ordered = tuple(changes[g.name] for g in groups if g.name in changes)
    return Measured(ordered, values, design, tuple(used))


def _narrowed(
    asking: Asking, lifted: frozenset[str], avoid: Collection[Used], held: Mapping[str, float]
) -> dict[str, Interval]:
    """How far the bounds must move for which candidates are made again, each with those before it where they were put."""
    found: dict[str, Interval] = {}
    rows = {r.key: r for r in asking.rows}

    def standing(name: str, value: float) -> Standing:
        at = {**{done: interval.value for done, interval in found.items()}, name: value}
        if asking.out_of_time:
            return Standing.UNKNOWN
        if asking.program(lifted, at).model is None:
            return Standing.INFEASIBLE
        probe = Measuring(asking, lifted, at)
        probe.avoid(avoid)
        probe.hold_all(held, rows)
        return probe.ask().standing

    for name in sorted(lifted):
        bound = bracketed(asking.instance, asking.groups[name])
        if bound is not None:
            ask = partial(standing, name)
            interval = stepped(bound.now, bound.steps, ask) if bound.steps else narrowed(bound.now, ask)
            if interval is not None:
                found[name] = interval
    return found


def _moved(
    instance: Instance, measuring: Measuring, group: Group, rows: Mapping[str, LimitRow]
) -> tuple[Change | None, float | None]:
    """The change of a group that is a matter of more or less, and its new value."""
    if purchase_of(instance, group.name) is not None:
        return None, None  # no value that was looked at suffices by itself
    extents = extents_of(instance, group.name)
    if extents is not None:
        reached = measuring.threshold(extents)
        if reached is None or extents.by_design:
            return None, None
        if extents.floor:
            return floor_change(instance, group, -reached), reached
        return threshold_change(instance, group, reached), reached
    if group.rows and all(key in rows for key in group.rows):
        mine = [rows[key] for key in group.rows]
        if len(mine) > 1 and _one_thing(mine):
            value = measuring.together(mine)
            return (None, None) if value is None else (limit_change(instance, group, mine[0], value), value)
        moved = [(row, measuring.limit(row)) for row in mine]
        told = [(row, value) for row, value in moved if value is not None]
        if group.name == "limits.goodput":  # one floor for all clusters: the lowest that any of them needs
            told = sorted((t for t in told if not t[0].counts_violators), key=lambda t: useful_share(*t))
        if told:
            return limit_change(instance, group, *told[0], measuring.exact(told[0][0].key)), told[0][1]
    return None, None


def _one_thing(rows: Sequence[LimitRow]) -> bool:
    """Whether rows ask the same of several parts, so that one number of the instance moves all of them."""
    first = rows[0]
    alike = all(
        (r.what, r.unit, r.at_most, r.limit) == (first.what, first.unit, first.at_most, first.limit) for r in rows
    )
    return alike and not any(r.counts_violators or r.exact for r in rows)


def _used(asking: Asking, group: Group, design: Design) -> list[Used]:
    """What the design used that the filter had not let in."""
    dimension = _DIMENSION.get(group.name.rpartition(".")[2])
    if dimension is None or not group.name.startswith("workloads."):
        return []
    cluster = group.name.split(".")[1]
    pods = [p for p in design.pods if p.cluster == cluster]
    values = [str(p.fabric["switch"]) if dimension == "switch" else str(getattr(p, dimension)) for p in pods]
    allowed = written(asking.instance, group.name) or ()
    return [Used(cluster, dimension, value) for value in dict.fromkeys(values) if value not in allowed]
