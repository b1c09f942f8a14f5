"""Units counted over columns are the quantities of the bills of material, part by part."""

from __future__ import annotations

import numpy as np
import pytest

from models.formulation.build import build
from models.formulation.core import Core
from models.formulation.counts import bought_parts, units
from optimizer.bom import pod_lines

from .cases import candidates, instance


@pytest.mark.parametrize("name", ["tiny/power", "tiny/thermal-liquid", "tiny/thermal-rear-door", "tiny/serving"])
def test_counts_are_the_quantities_of_the_bill(name: str) -> None:
    inst, found = instance(name), candidates(name)
    core = Core(inst, found)
    parts = bought_parts(core)
    for placements in found.placements:
        block = f"use[{placements.cluster},{placements.site}]"
        for row in np.linspace(0, len(placements) - 1, 25).astype(int):
            bill: dict[str, int] = {}
            for line in pod_lines(inst, placements, int(row), 1):
                bill[line.part] = bill.get(line.part, 0) + line.quantity
            counted = {part: int(units(core, part).terms[block][row]) for part in parts}
            assert {part: number for part, number in counted.items() if number} == bill


def test_plant_units_are_counted_in_units_not_in_pairs() -> None:
    inst, found = instance("tiny/power"), candidates("tiny/power")
    formulation = build(inst, ["tco"], candidates=found, pruned=False)
    core = Core(inst, found)
    for site, chains in found.options.items():
        for chain, options in chains.items():
            for option in options:
                for unit in option.units:
                    name = f"units[{site},{chain.value}]"
                    column = formulation.blocks[name].keys.index(f"{option.id}.{unit.part}")
                    assert units(core, unit.part).terms[name][column] == unit.step
