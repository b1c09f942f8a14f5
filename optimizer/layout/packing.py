"""Switches into racks of their own: in their order where that fits, otherwise by CP-SAT over kinds of switches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from optimizer.layout.contents import Content


def pack(
    switches: Sequence[Content], racks: int, room: int, heat: float | None, load: float | None
) -> list[list[Content]] | None:
    """At most ``racks`` groups, each of at most ``room`` units, ``heat`` [W] and ``load`` [kg]; None where there is no such packing.

    Switches stay in their order, so that what belongs together stands together; a tier begins a new rack where that fits.
    """
    if not switches:
        return []
    if racks < 1:
        return None
    for even in (True, False):
        groups = _in_order(switches, racks, room, heat, load, even)
        if groups is not None:
            return groups
    return _by_kind(switches, racks, room, heat, load)


def _fits(group: Sequence[Content], room: int, heat: float | None, load: float | None) -> bool:
    return (
        sum(item.units for item in group) <= room
        and (heat is None or sum(item.power for item in group) <= heat * (1 + 1e-9))
        and (load is None or sum(item.weight or 0.0 for item in group) <= load * (1 + 1e-9))
    )


def _in_order(
    switches: Sequence[Content], racks: int, room: int, heat: float | None, load: float | None, even: bool
) -> list[list[Content]] | None:
    """Next fit; ``even`` also starts a new rack with each tier, and spreads a tier evenly over its racks."""
    if not even:
        groups: list[list[Content]] = [[]]
        for item in switches:
            if not _fits([*groups[-1], item], room, heat, load):
                groups.append([])
            groups[-1].append(item)
        return groups if len(groups) <= racks and all(_fits(g, room, heat, load) for g in groups) else None
    groups = []
    for _, members in groupby(switches, key=lambda item: item.role.split()[0]):
        tier = list(members)
        plain = _in_order(tier, len(tier), room, heat, load, even=False)
        if plain is None:
            return None
        count = len(plain)
        bounds = [len(tier) * i // count for i in range(count + 1)]
        parts = [tier[a:b] for a, b in pairwise(bounds)]
        groups += parts if all(_fits(part, room, heat, load) for part in parts) else plain
    return groups if len(groups) <= racks else None


def _by_kind(
    switches: Sequence[Content], racks: int, room: int, heat: float | None, load: float | None
) -> list[list[Content]] | None:
    """Counts of each kind of switch per rack by CP-SAT; the racks are alike, so their first kind falls from rack to rack."""
    from ortools.sat.python import cp_model

    kinds: dict[tuple[int, int, int], list[Content]] = {}
    for item in switches:
        key = (item.units, int(-(-item.power // 1)), int(-(-(item.weight or 0.0) * 10 // 1)))
        kinds.setdefault(key, []).append(item)
    model = cp_model.CpModel()
    count = {
        (k, r): model.new_int_var(0, len(members), "") for k, members in enumerate(kinds.values()) for r in range(racks)
    }
    caps = (
        (0, room),
        (1, None if heat is None else int(heat + 1e-6)),
        (2, None if load is None else int(load * 10 + 1e-6)),
    )
    for r in range(racks):
        for field, cap in caps:
            if cap is not None:
                model.add(sum(key[field] * count[k, r] for k, key in enumerate(kinds)) <= cap)
        if r:
            model.add(count[0, r - 1] >= count[0, r])
    for k, members in enumerate(kinds.values()):
        model.add(sum(count[k, r] for r in range(racks)) == len(members))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = 20.0
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    queues = [list(members) for members in kinds.values()]
    groups = []
    for r in range(racks):
        group = [queues[k].pop(0) for k in range(len(queues)) for _ in range(solver.value(count[k, r]))]
        if group:
            groups.append(group)
    return groups
