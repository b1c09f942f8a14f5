"""From a solution of the program to the one that is handed over: plant as the pods need it, orders at least cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.formulation.build import Formulation, column_name
from models.formulation.core import block_name
from models.formulation.linear import Linear
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.design import PlantChoice
from optimizer.hung_racks import on_blocks
from optimizer.orders import settled
from optimizer.plant import Chosen, canonical_plant, plant_of, step_of


@dataclass(frozen=True)
class Settled:
    """Values of every block of a solution as it is handed over, its placements in use and its plant."""

    values: dict[str, Floats]
    chosen: tuple[Chosen, ...]
    plant: tuple[PlantChoice, ...]


class Settling:
    """Solutions of a program as they are handed over, each worked out once: as many plant units as needed, the cheapest orders."""

    def __init__(self, formulation: Formulation, model: CompiledModel) -> None:
        self._formulation, self._model = formulation, model
        self._known: dict[bytes, Settled] = {}

    def columns(self, x: Floats) -> Floats:
        """The settled solution in the order of the model's columns."""
        values = self.of(x).values
        position = {name: number for number, name in enumerate(self._model.column_keys)}
        settled = x.copy()
        for name, block in self._formulation.blocks.items():
            for key, value in zip(block.keys, values[name].tolist(), strict=True):
                place = position.get(column_name(name, key))
                if place is not None:
                    settled[place] = value
        return settled

    def of(self, x: Floats) -> Settled:
        """The settled solution of a solution in the order of the model's columns."""
        key = x.tobytes()
        if key not in self._known:
            self._known[key] = _settled(self._formulation, self._model, x)
        return self._known[key]


def _settled(formulation: Formulation, model: CompiledModel, x: Floats) -> Settled:
    values = _block_values(formulation, model, x)
    chosen = list(_chosen(formulation, values))
    plant = plant_of(formulation, chosen)
    fewest = canonical_plant(formulation, plant, chosen)
    if on_blocks(chosen) or _asks_for_more(formulation, {**values, **fewest}):
        values.update(_canonical_served(formulation, values))
        values.update(settled(formulation, model, values, plant_too=True))
        plant = _plant_of(formulation, plant, values)
    else:
        values.update(fewest)
        values.update(_canonical_served(formulation, values))
        values.update(settled(formulation, model, values))
    return Settled(values, tuple(chosen), plant)


def _block_values(formulation: Formulation, model: CompiledModel, x: Floats) -> dict[str, Floats]:
    position = {name: number for number, name in enumerate(model.column_keys)}
    values: dict[str, Floats] = {}
    for name, block in formulation.blocks.items():
        columns = [position.get(column_name(name, key)) for key in block.keys]
        # columns that enter no row and no objective are not compiled; they stay at their lower bound
        values[name] = np.array([block.lower if c is None else x[c] for c in columns], dtype=np.float64)
    return values


def _chosen(formulation: Formulation, values: Mapping[str, Floats]) -> list[Chosen]:
    found = []
    for placements in formulation.candidates.placements:
        name = block_name(placements)
        for position in np.flatnonzero(np.rint(values[name])):
            row = int(formulation.positions[name][position])
            found.append(Chosen(placements, row, int(position), round(float(values[name][position]))))
    return found


def _canonical_served(formulation: Formulation, values: Mapping[str, Floats]) -> dict[str, Floats]:
    """What clusters with roles deliver, the lesser of prompts and answers, and jobs over several sites, whatever the solver left it at."""
    fresh: dict[str, Floats] = {}
    for row in formulation.rows_of("split"):
        name = next((n for n in row.expression.terms if n.startswith("paced")), "")
        if not name:
            continue
        assert row.upper is not None
        room = row.upper - value_of(Linear({n: t for n, t in row.expression.terms.items() if n != name}), values)
        fresh[name] = np.minimum(fresh.get(name, np.full(1, np.inf)), room)
    for row in formulation.rows_of("service"):
        name = f"served[{row.index[0]}]"
        able = -value_of(Linear({n: t for n, t in row.expression.terms.items() if n != name}), values)
        fresh[name] = np.minimum(fresh.get(name, np.full(1, np.inf)), able)
    return fresh


def _asks_for_more(formulation: Formulation, values: Mapping[str, Floats]) -> bool:
    """Whether a rule or share asks for more plant units than the loads need."""
    for row in formulation.rows:
        if row.family not in ("rules", "sourcing") or not row.unit:
            continue
        if any(name.startswith("units[") for name in row.expression.terms):
            value, room = value_of(row.expression, values), 1e-6
            if row.lower is not None and value < row.lower - room:
                return True
            if row.upper is not None and value > row.upper + room:
                return True
    return False


def _plant_of(
    formulation: Formulation, plant: tuple[PlantChoice, ...], values: Mapping[str, Floats]
) -> tuple[PlantChoice, ...]:
    """The same options with the units of a solution."""
    found = []
    for choice in plant:
        block = formulation.blocks[f"units[{choice.site},{choice.chain}]"]
        steps = values[block.name][block.keys.index(f"{choice.option}.{choice.part}")]
        found.append(replace(choice, units=round(float(steps)) * step_of(formulation, choice)))
    return tuple(found)


def value_of(expression: Linear, values: Mapping[str, Floats]) -> float:
    """Value of an expression of the program; its columns are whole."""
    return expression.constant + sum(
        float(np.dot(terms, np.rint(values[name]))) for name, terms in expression.terms.items()
    )
