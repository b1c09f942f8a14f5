"""Fabrics worth a pod: of one size and switches, those that no other of the same switches beats in every figure.

Only fabrics of the same switches compare, and by counts rather than by money for the switches themselves, so that the choice
stays right whatever a switch, a cable or a watt costs.
"""

from __future__ import annotations

import moocore
import numpy as np
import numpy.typing as npt

from models.candidates.fabric_table import FabricTable
from models.candidates.fabric_units import units_per_fabric
from models.candidates.told_apart import Compare

Floats = npt.NDArray[np.float64]

LARGEST_PAIRED = 20
"""Members of a run up to which all pairs are compared at once for many runs: a call for each would take longer than the comparison."""
PAIRS = 200_000
"""Pairs held in memory together."""


def unbeaten(table: FabricTable, compare: Compare = Compare.FIGURES, losses: bool = False) -> npt.NDArray[np.int64]:
    """Rows of ``table`` to keep, in order; ties keep the first. Units of every switch and medium count where parts are told apart.

    ``losses``: what a lost leaf takes counts too.
    """
    if compare is Compare.NOTHING:
        return np.arange(len(table), dtype=np.int64)
    criteria = [
        table.switch_count,
        table.power_typical,
        table.power_max,
        table.rack_units,
        table.weight,
        table.capex_links_low,
        table.capex_links_high,
        table.links_leaf_spine + table.links_spine_core,
        table.link_failure_rate,
        table.leaf,
        node_link_failures(table),
        # a single switch of an upper tier is needed, of several one may be lost
        (table.spine == 1).astype(np.int64) + (table.core == 1),
        -table.injection,
        -narrowest(table),
        -table.bisection,
    ]
    if losses:
        criteria.append(fullest_leaf(table))
    if compare is Compare.PARTS:
        ids = {card.id for medium in table.media for card in (medium.near, medium.far)}
        criteria += [units_per_fabric(table, part) for part in sorted(ids)]
    models = len(table.switches)
    group = (table.size * models + table.switch) * models + table.spine_switch
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    # what is the same throughout tells nothing apart
    telling = [values for values in criteria if np.ptp(values) > 0] if len(table) else []
    columns = np.empty((len(telling), len(table)))
    for row, values in zip(columns, telling, strict=True):
        row[:] = values[order]
    return np.sort(order[first_nondominated(columns, starts)])


def narrowest(table: FabricTable) -> Floats:
    """Bandwidth per accelerator [B/s] that passes the narrowest tier."""
    return np.asarray(table.injection * np.minimum(table.taper_leaf, table.taper_spine), dtype=np.float64)


def fullest_leaf(table: FabricTable) -> npt.NDArray[np.int64]:
    """Node links of the fullest leaf: what a lost leaf takes."""
    ports = table.links_node_leaf // np.maximum(table.nodes * table.planes, 1)
    here = np.where(table.rail_optimised, table.nodes, table.nodes * ports)
    return np.asarray(np.minimum(table.down, here), dtype=np.int64)


def node_link_failures(table: FabricTable) -> Floats:
    """Failures per second of the links that leave nodes, by the medium of each row."""
    rates = np.array([medium.failure_rate for medium in table.media] or [0.0])
    return np.asarray(table.links_node_leaf * rates[table.medium_node_leaf], dtype=np.float64)


def first_nondominated(columns: Floats, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which members no other of their run dominates, of equal ones the first.

    ``columns`` (criteria x members) side by side in memory; a run begins at each of ``starts``.
    """
    members = columns.shape[1]
    kept = np.ones(members, dtype=np.bool_)
    lengths = np.diff(starts, append=members)
    for length in np.unique(lengths):
        first = starts[lengths == length]
        if length > LARGEST_PAIRED and len(columns):
            for start in first.tolist():
                run = slice(start, start + length)
                kept[run] = moocore.is_nondominated(np.ascontiguousarray(columns[:, run].T), keep_weakly=False)
            continue
        together = max(1, PAIRS // int(length * length))
        for at in range(0, len(first), together):
            rows = first[at : at + together, None] + np.arange(length)
            kept[rows] = _unbeaten_in_pairs(columns[:, rows])
    return kept


def _unbeaten_in_pairs(criteria: Floats) -> npt.NDArray[np.bool_]:
    """Which members of some runs (``criteria`` x runs x members) no other of their run dominates, of equal ones the first."""
    _, runs, members = criteria.shape
    as_good = np.ones((runs, members, members), dtype=np.bool_)
    for criterion in criteria:
        as_good &= criterion[:, :, None] <= criterion[:, None, :]
    earlier = np.tri(members, k=-1, dtype=np.bool_).T
    beats = as_good & (earlier | ~as_good.transpose(0, 2, 1))
    return np.asarray(~beats.any(axis=1), dtype=np.bool_)
