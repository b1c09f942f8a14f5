"""The plant of a solution: units of every option in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.candidates.placement import Placements
from models.candidates.plant import PlantOption
from models.formulation.build import Formulation
from models.formulation.capacity import column_load, units_for
from models.formulation.core import units_per_column
from models.site import Chain
from optimizer.compiled_model import Floats
from optimizer.design import PlantChoice


@dataclass(frozen=True)
class Chosen:
    """A placement in use: table, row of the whole table, position within the pruned block, and how many."""

    placements: Placements
    row: int
    position: int
    count: int

    @property
    def options(self) -> tuple[PlantOption, ...]:
        """The plant options of its combination."""
        return self.placements.combinations[int(self.placements.combination[self.row])].options


def plant_of(formulation: Formulation, chosen: Sequence[Chosen]) -> tuple[PlantChoice, ...]:
    """Units of every option in use, by the program's own rounding."""
    loads: dict[tuple[str, str, str], float] = {}
    options: dict[tuple[str, str, str], PlantOption] = {}
    for choice in chosen:
        for option in choice.options:
            key = (option.site, option.chain.value, option.id)
            load = column_load(formulation.instance, choice.placements, option)[choice.row]
            loads[key] = loads.get(key, 0.0) + float(load) * choice.count
            options[key] = option
    return tuple(
        PlantChoice(option.site, option.chain.value, option.id, unit.part, units_for(unit, loads[key]))
        for key, option in sorted(options.items())
        for unit in option.units
    )


def canonical_plant(
    formulation: Formulation, plant: Sequence[PlantChoice], chosen: Sequence[Chosen]
) -> dict[str, Floats]:
    """Values of the plant's columns: as many units as the choice of placements needs, no more."""
    fresh: dict[str, Floats] = {}
    for name, block in formulation.blocks.items():
        if name.startswith(("option[", "units[")):
            fresh[name] = np.zeros(len(block))
    for choice in plant:
        where = f"[{choice.site},{choice.chain}]"
        option, units = formulation.blocks[f"option{where}"], formulation.blocks[f"units{where}"]
        fresh[f"option{where}"][option.keys.index(choice.option)] = 1.0
        column = units.keys.index(f"{choice.option}.{choice.part}")
        fresh[f"units{where}"][column] = choice.units / step_of(formulation, choice)
    return fresh


def step_of(formulation: Formulation, choice: PlantChoice) -> int:
    """Units that one step of a plant column buys."""
    options = formulation.candidates.options[choice.site][Chain(choice.chain)]
    units = next(option.units for option in options if option.id == choice.option)
    return next(units_per_column(unit) for unit in units if unit.part == choice.part)
