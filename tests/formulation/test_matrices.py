"""The matrices of a formulation are those of its Pyomo model, column by column and row by row under their names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from models.formulation.build import Formulation, build
from models.formulation.core import Row
from models.formulation.linear import Linear
from models.formulation.pyomo_model import to_pyomo
from models.instance import Instance
from models.loading import load
from optimizer.compile import compile_formulation
from optimizer.compiled_model import CompiledModel
from optimizer.pareto.sources import from_pyomo

EVERY = ["tco", "throughput", "power", "lead_time", "availability", "blast_radius", "carbon", "concentration"]
CASES = (
    "tiny/two-clusters",
    "tiny/rules",
    "tiny/sourcing",
    "tiny/power-blocks",
    "tiny/split-training",
    "tiny/twin-sites",
)


def instances() -> Iterator[tuple[str, Instance, list[str]]]:
    for name in CASES:
        yield name, load(name), EVERY
    yield "impossible", load("tiny/power", overrides={"limits": {"power": "1 kW"}}), ["tco"]
    yield "mixed-100mw", load("mixed-100mw"), ["tco", "throughput", "power"]


def columns_by_name(model: CompiledModel) -> dict[str, tuple[float, ...]]:
    """Bounds, integrality and costs of every column."""
    return {
        key.replace("'", ""): (
            model.lower[number], model.upper[number], float(model.integer[number]), *(model.objectives[:, number] + 0.0)
        )
        for number, key in enumerate(model.column_keys)
    }  # fmt: skip


def rows_by_name(model: CompiledModel) -> dict[str, tuple[float, float, dict[str, float]]]:
    """Bounds and coefficients of every row; Pyomo gives a row with two bounds as two."""
    found: dict[str, tuple[float, float, dict[str, float]]] = {}
    rows = model.matrix.tocsr()
    for number, key in enumerate(model.row_keys):
        name = key.removesuffix(".lower").replace("'", "")
        span = slice(rows.indptr[number], rows.indptr[number + 1])
        columns = (model.column_keys[at].replace("'", "") for at in rows.indices[span])
        low, high, _ = found.get(name, (-np.inf, np.inf, {}))
        coefficients = dict(zip(columns, rows.data[span].tolist(), strict=True))
        found[name] = (max(low, model.row_lower[number]), min(high, model.row_upper[number]), coefficients)
    return found


@pytest.mark.parametrize(("instance", "goals"), [pytest.param(i, g, id=n) for n, i, g in instances()])
def test_a_compiled_formulation_is_its_pyomo_model(instance: Instance, goals: list[str]) -> None:
    formulation: Formulation = build(instance, goals, pruned=len(instance.workloads) > 1)
    ours, theirs = compile_formulation(formulation), from_pyomo(to_pyomo(formulation))
    assert columns_by_name(ours) == columns_by_name(theirs)
    assert rows_by_name(ours) == rows_by_name(theirs)
    assert (ours.senses, ours.n_rows) == (theirs.senses, len(rows_by_name(theirs)))
    assert (ours.offsets + 0.0).tolist() == theirs.offsets.tolist()


def test_a_row_that_no_column_meets_becomes_one_of_a_column_that_is_always_zero() -> None:
    whole = build(load("tiny/power"), ["tco"])
    asked = Row("core", "asked", (), Linear(), 1.0, None, "", "")
    formulation = replace(whole, rows=(*whole.rows, asked))
    model = compile_formulation(formulation)
    column = model.column_keys.index("nothing")
    assert (model.lower[column], model.upper[column]) == (0.0, 0.0)
    assert rows_by_name(model)["core.asked[all]"] == (1.0, np.inf, {"nothing": 1.0})
    assert rows_by_name(model) == rows_by_name(from_pyomo(to_pyomo(formulation)))


def test_a_formulation_without_goals_has_an_objective_that_is_always_zero() -> None:
    model = compile_formulation(build(load("tiny/power"), [], relaxable=True))
    assert model.objective_names == ("objective.none",)
    assert not model.objectives.any()
    assert model.steps == (1.0,)


def test_solving_loads_no_modeller() -> None:
    code = "import sys, optimizer.solve, optimizer.pareto; sys.exit('pyomo' in sys.modules or 'scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
