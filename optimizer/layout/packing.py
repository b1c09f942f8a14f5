"""Switches into racks of their own: what serves the same part of the hall together, otherwise by CP-SAT over kinds of switches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from scipy.optimize import linear_sum_assignment

from optimizer.layout.contents import Content, RackContent, UndecidedLayoutError, Wire

EFFORT = 20.0  # deterministic time
FINE = 1000  # whole mW and g
LOOSE = 0.01  # a switch that joins switches may stand away from what it serves


@dataclass(frozen=True)
class Limits:
    """What one rack of switches takes: ``room`` units, ``heat`` [W] and ``load`` [kg], None where nothing limits it."""

    room: int
    heat: float | None
    load: float | None

    def fits(self, group: Sequence[Content]) -> bool:
        """True where a rack takes the group."""
        return (
            sum(item.units for item in group) <= self.room
            and (self.heat is None or sum(item.power for item in group) <= self.heat * (1 + 1e-9))
            and (self.load is None or sum(item.weight or 0.0 for item in group) <= self.load * (1 + 1e-9))
        )

    def share(self, item: Content) -> float:
        """Largest share of a rack that an item takes of anything."""
        shares = [item.units / max(self.room, 1)]
        if self.heat:
            shares.append(item.power / self.heat)
        if self.load:
            shares.append((item.weight or 0.0) / self.load)
        return max(shares)


def anchors_of(racks: Sequence[RackContent], wires: Sequence[Wire]) -> dict[str, float]:
    """Where along the racks, in their order, the nodes of each switch stand on average; of those above, where what is below them does.

    ``wires`` go up, those of lower tiers first. A switch that serves no node, not even through others, has no entry.
    """
    where = {item.id: float(number) for number, rack in enumerate(racks) for item in rack.contents}
    for tier in ("node_leaf", "leaf_spine", "spine_core"):
        sums: dict[str, tuple[float, int]] = {}
        for wire in wires:
            if wire.level.endswith(tier) and wire.lower in where:
                total, count = sums.get(wire.upper, (0.0, 0))
                sums[wire.upper] = (total + where[wire.lower], count + 1)
        where.update((switch, total / count) for switch, (total, count) in sums.items())
    return where


def pack(
    switches: Sequence[Content], leaves: frozenset[str], anchors: Mapping[str, float], racks: int, limits: Limits
) -> list[list[Content]] | None:
    """At most ``racks`` groups that each fit a rack; None where there is provably no such packing.

    Leaves stand with the leaves, of whatever network, that serve the same racks, in as many racks as are left beside those of higher
    tiers. Where that takes too many racks, all stand in the order of what they serve; where that does too, CP-SAT counts the kinds of
    switches per rack. Raises UndecidedLayoutError where it finds neither a packing nor a proof.
    """
    if not switches:
        return []
    if racks < 1 or not all(limits.fits([item]) for item in switches):
        return None
    middle = float(np.mean(list(anchors.values()))) if anchors else 0.0
    place = {item.id: anchors.get(item.id, middle) for item in switches}
    ordered = sorted(switches, key=lambda item: place[item.id])
    near = [item for item in ordered if item.id in leaves]
    above = _in_turn([item for item in ordered if item.id not in leaves], limits)
    groups = _evenly(near, racks - len(above), limits)
    if groups is not None:
        return groups + above
    groups = _in_turn(ordered, limits)
    if len(groups) > racks:
        found = _by_kind(ordered, racks, limits)
        if found is None:
            return None
        groups = _nearer(found, place, leaves, limits)
    return groups


def _in_turn(items: Sequence[Content], limits: Limits) -> list[list[Content]]:
    """Next fit: a new rack where the last one does not take the next item."""
    groups: list[list[Content]] = []
    for item in items:
        if not groups or not limits.fits([*groups[-1], item]):
            groups.append([])
        groups[-1].append(item)
    return groups


def _evenly(items: Sequence[Content], most: int, limits: Limits) -> list[list[Content]] | None:
    """Items in their order over at most ``most`` racks, each about as full as the others."""
    plain = _in_turn(items, limits)
    if len(plain) > most:
        return None
    filled = list(accumulate(limits.share(item) for item in items))
    for count in range(min(most, len(items)), len(plain), -1):
        groups: list[list[Content]] = [[] for _ in range(count)]
        for item, upto in zip(items, filled, strict=True):
            middle = upto - limits.share(item) / 2
            groups[min(int(middle / filled[-1] * count), count - 1)].append(item)
        if all(limits.fits(group) for group in groups):
            return [group for group in groups if group]
    return plain


def _kind(item: Content) -> tuple[int, int, int]:
    return (item.units, round(item.power * FINE), round((item.weight or 0.0) * FINE))


def _by_kind(switches: Sequence[Content], racks: int, limits: Limits) -> list[list[Content]] | None:
    """Counts of each kind of switch per rack by CP-SAT; the racks are alike, so their first kind falls from rack to rack."""
    from ortools.sat.python import cp_model

    kinds: dict[tuple[int, int, int], list[Content]] = {}
    for item in sorted(switches, key=lambda item: -limits.share(item)):
        kinds.setdefault(_kind(item), []).append(item)
    model = cp_model.CpModel()
    count = {
        (k, r): model.new_int_var(0, len(members), "") for k, members in enumerate(kinds.values()) for r in range(racks)
    }
    caps = [(0, limits.room)]
    caps += [
        (field, int(cap * FINE * (1 + 1e-9)) + 1)
        for field, cap in ((1, limits.heat), (2, limits.load))
        if cap is not None
    ]
    for r in range(racks):
        for field, cap in caps:
            model.add(sum(key[field] * count[k, r] for k, key in enumerate(kinds)) <= cap)
        if r:
            model.add(count[0, r - 1] >= count[0, r])
    for k, members in enumerate(kinds.values()):
        model.add(sum(count[k, r] for r in range(racks)) == len(members))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = EFFORT
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise UndecidedLayoutError(
            f"no packing of {len(switches)} switches into {racks} racks was found within the time"
        )
    queues = [list(members) for members in kinds.values()]
    groups = (
        [queues[k].pop(0) for k in range(len(queues)) for _ in range(solver.value(count[k, r]))] for r in range(racks)
    )
    return [group for group in groups if group]


def _nearer(
    groups: list[list[Content]], place: Mapping[str, float], leaves: frozenset[str], limits: Limits
) -> list[list[Content]]:
    """The same counts of each kind per rack, each switch in a rack whose larger ones serve about the same part of the hall.

    The smallest kind may go wherever there is room.
    """
    shares = {_kind(item): limits.share(item) for group in groups for item in group}
    kinds = sorted(shares, key=lambda kind: -shares[kind])
    found: list[list[Content]] = [[] for _ in groups]
    for kind in kinds:
        members = [item for group in groups for item in group if _kind(item) == kind]
        slots = [number for number, group in enumerate(groups) for item in group if _kind(item) == kind]
        if kind == kinds[-1]:
            slots = [number for number, group in enumerate(found) for _ in range(_more(group, members, limits))]
        middles = [_middle(found[number], place) for number in slots]
        cost = np.array([[0.0 if m is None else (place[item.id] - m) ** 2 for m in middles] for item in members])
        cost *= np.array([[1.0 if item.id in leaves else LOOSE] for item in members])
        rows, columns = linear_sum_assignment(cost)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            found[slots[column]].append(members[row])
    return [group for group in found if group]


def _more(group: Sequence[Content], members: Sequence[Content], limits: Limits) -> int:
    """How many of ``members``, all alike, a rack takes beside ``group``."""
    return next((n for n in range(len(members)) if not limits.fits([*group, *members[: n + 1]])), len(members))


def _middle(group: Sequence[Content], place: Mapping[str, float]) -> float | None:
    return sum(place[item.id] for item in group) / len(group) if group else None
