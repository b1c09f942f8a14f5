"""Scenarios: the combinations of small exclusive choices, each a program of its own, so that the relaxation cannot mix them.

An exactly-one group is a set of binary columns whose sum is one. When a few large groups (the pods of a cluster) hold most
integer columns, the small groups (topology, cooling) are combined into at most ``MOST_SCENARIOS`` cases; every legal point belongs to one of them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.lifting import Lifting
from optimizer.pareto.restriction import Rest, Restrictor

MOST_SCENARIOS = 24
LARGEST_CHOICE = 8
"""Groups up to this size are small choices; larger ones are the options that reduced costs discard."""


@dataclass(frozen=True, eq=False, slots=True)
class Scenario:
    """``model``: the program under one combination of small choices, sharpened; ``rest`` maps its points back to the whole program."""

    model: CompiledModel
    rest: Rest


def exactly_one_groups(model: CompiledModel) -> list[tuple[int, ...]]:
    """Disjoint sets of binary columns with a row that makes exactly one of them one; named groups first, then those found in the rows."""
    binary = model.integer & (model.lower == 0) & (model.upper == 1)
    found = _one_rows(sparse.csr_array(model.matrix), model, binary)
    rows = {frozenset(group): group for group in found}
    named = [g.columns for g in model.choice_groups if frozenset(g.columns) in rows]
    taken = np.zeros(model.n_columns, dtype=bool)
    chosen = []
    for group in [*named, *found]:
        index = list(group)
        if not taken[index].any():
            taken[index] = True
            chosen.append(tuple(group))
    return chosen


def _one_rows(rows: Any, model: CompiledModel, binary: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    found = []
    for row in np.flatnonzero((model.row_lower == 1) & (model.row_upper == 1)):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        columns = rows.indices[part]
        if columns.size and bool((rows.data[part] == 1).all()) and bool(binary[columns].all()):
            found.append(tuple(int(c) for c in columns))
    return found


def has_choice_structure(model: CompiledModel) -> bool:
    """True when large exactly-one groups hold at least half of the integer columns."""
    large = sum(len(g) for g in exactly_one_groups(model) if len(g) > LARGEST_CHOICE)
    return large > 0 and 2 * large >= int(model.integer.sum())


def scenarios(model: CompiledModel) -> list[Scenario]:
    """The scenarios of ``model``; one, without any choice fixed, where there is no such structure. Impossible ones are left out."""
    low = np.where(model.integer, np.ceil(model.lower - 1e-9), model.lower)
    high = np.where(model.integer, np.floor(model.upper + 1e-9), model.upper)
    restrictor = Restrictor(model)
    if not has_choice_structure(model):
        rest = restrictor.rest(low, high)
        return [] if rest.broken else [Scenario(rest.model, rest)]
    chosen: list[tuple[int, ...]] = []
    for group in sorted((g for g in exactly_one_groups(model) if 1 < len(g) <= LARGEST_CHOICE), key=len):
        if math.prod(len(g) for g in chosen) * len(group) <= MOST_SCENARIOS:
            chosen.append(group)
    cases = (_case(model, restrictor, low, high, chosen, picks) for picks in itertools.product(*chosen))
    return [case for case in cases if case is not None]


def _case(
    model: CompiledModel,
    restrictor: Restrictor,
    low: Floats,
    high: Floats,
    groups: list[tuple[int, ...]],
    picks: tuple[int, ...],
) -> Scenario | None:
    low, high = low.copy(), high.copy()
    for group in groups:
        high[list(group)] = 0.0
    for column in picks:
        low[column] = high[column] = 1.0
    while True:
        possible, low, high, changed = fixed_by_rows(model, low, high)
        if not possible:
            return None
        rest = restrictor.rest(low, high)
        if rest.broken:
            return None
        if changed:
            continue
        sharp = rest.model
        for group in exactly_one_groups(sharp):
            if len(group) > LARGEST_CHOICE:
                sharp = Lifting(sharp, np.array(group)).result()
        dead = rest.kept[sharp.upper < rest.model.upper]
        if not dead.size:
            return Scenario(sharp, rest)
        high[dead] = np.minimum(high[dead], sharp.upper[sharp.upper < rest.model.upper])


def fixed_by_rows(model: CompiledModel, low: Floats, high: Floats) -> tuple[bool, Floats, Floats, bool]:
    """Fix columns that some row leaves no room to move, given the bounds of the others. False when a row cannot hold at all."""
    rows = sparse.csr_array(model.matrix)
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    columns = rows.indices
    low, high = low.copy(), high.copy()
    changed = False
    for values, most in ((rows.data, model.row_upper), (-rows.data, -model.row_lower)):
        least = np.where(values > 0, values * low[columns], values * high[columns])
        endless = ~np.isfinite(least)
        count = np.bincount(owner, endless, minlength=rows.shape[0])
        total = np.bincount(owner, np.where(endless, 0.0, least), minlength=rows.shape[0])
        slack = 1e-7 * (1.0 + np.abs(total))
        if bool(((count == 0) & (total > most + slack)).any()):
            return False, low, high, False
        room = most[owner] - total[owner]
        size, span = np.abs(values), high[columns] - low[columns]
        # an integer column stays where even one step would break the row; a continuous one where hardly any room is left
        stuck = np.where(
            model.integer[columns],
            room + slack[owner] < size,
            (room <= slack[owner]) & (size * span > 2 * slack[owner]),
        )
        tight = (count[owner] == 0) & np.isfinite(room) & (span > 0) & stuck
        at_low, at_high = columns[tight & (values > 0)], columns[tight & (values < 0)]
        high[at_low] = low[at_low]
        low[at_high] = high[at_high]
        changed |= bool(tight.any())
    return True, low, high, changed
