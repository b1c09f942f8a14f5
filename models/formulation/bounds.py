"""The most an expression can be, from data alone: what every upper bound and every big-M of the program is derived from."""

from __future__ import annotations

import numpy as np

from models.formulation.capacity import greatest_load, most_units
from models.formulation.core import Core, block_name, units_per_column
from models.formulation.linear import Block, Floats, Linear


def most_of(m: Core, expression: Linear) -> float:
    """Largest value of ``expression`` over every choice of placements, each block of columns at its own bounds otherwise.

    Placements of a training cluster exclude each other; of a serving cluster as many as it may have pods.
    """
    most, grouped = expression.constant, set()
    for cluster, workload in m.instance.workloads.items():
        names = [block_name(p) for p in m.candidates.of(cluster)]
        grouped.update(names)
        peaks = [float(expression.terms[name].max()) for name in names if len(expression.terms.get(name, ()))]
        most += max([0.0, *peaks]) * workload.most_pods
    for name, values in expression.terms.items():
        if name not in grouped:
            most += _block_most(m, m.blocks[name], values)
    return most


def _block_most(m: Core, block: Block, values: Floats) -> float:
    upper = np.full(len(block), block.upper if block.upper is not None else np.inf)
    if block.upper is None and block.name.startswith("units["):
        upper = _unit_bounds(m, block)
    with np.errstate(invalid="ignore"):
        ends = np.maximum(np.where(values == 0, 0.0, values * upper), np.where(values == 0, 0.0, values * block.lower))
    return float(ends.sum())


def _unit_bounds(m: Core, block: Block) -> Floats:
    """Most steps of each plant column that any choice of placements could need."""
    found = {}
    for chains in m.candidates.options.values():
        for options in chains.values():
            for option in options:
                if block.name != f"units[{option.site},{option.chain.value}]":
                    continue
                greatest = greatest_load(m, option)
                for unit in option.units:
                    found[f"{option.id}.{unit.part}"] = most_units(m, unit, greatest) / units_per_column(unit)
    return np.array([found[key] for key in block.keys], dtype=np.float64)
