"""Programs from MPS files and Pyomo models keep their objectives, senses, offsets and bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.errors import InstanceError, UsageError
from optimizer.compiled_model import Sense
from optimizer.pareto import solve
from optimizer.pareto.sources import from_pyomo, read_mps, read_problem
from tests.pareto.programs import frontier, legal_values

MPS = """NAME          TWO
ROWS
 N  COST
 L  LIMIT
 N  WASTE
 G  NEED
COLUMNS
    MARKER                 'MARKER'                 'INTORG'
    X1        COST      3.0   LIMIT     2.0
    X1        WASTE     1.0   NEED      1.0
    X2        COST      1.0   LIMIT     1.0
    X2        WASTE     4.0   NEED      1.0
    MARKER                 'MARKER'                 'INTEND'
RHS
    RHS       LIMIT     8.0   NEED      3.0
    RHS       COST     -2.0
BOUNDS
 UP BND       X1        4
 UP BND       X2        4
ENDATA
"""


def test_every_free_row_of_an_mps_file_is_an_objective(tmp_path: Path) -> None:
    path = tmp_path / "two.mps"
    path.write_text(MPS)
    model = read_problem(path)
    assert model.objective_names == ("COST", "WASTE")
    assert model.objectives.tolist() == [[3, 1], [1, 4]]
    assert model.offsets.tolist() == [2, 0]
    assert model.n_rows == 2
    assert model.upper.tolist() == [4, 4]
    assert model.integer.all()
    assert [tuple(y) for y in solve(model).points.tolist()] == frontier(legal_values(model))


def test_a_maximised_mps_file(tmp_path: Path) -> None:
    path = tmp_path / "two.mps"
    path.write_text(MPS.replace("ROWS\n", "OBJSENSE\n    MAX\nROWS\n", 1))
    model = read_mps(path)
    assert model.senses == (Sense.MAXIMISE,) * 2
    assert model.objectives.tolist() == [[-3, -1], [-1, -4]]
    assert model.offsets.tolist() == [-2, 0]
    assert model.in_original_sense(solve(model).points).tolist()[0] == [14.0, 4.0] or solve(model).n_points > 1


def test_an_mps_file_without_objective_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.mps"
    path.write_text("NAME X\nROWS\n L  A\nCOLUMNS\n    X  A  1.0\nRHS\nENDATA\n")
    with pytest.raises(InstanceError, match="objective"):
        read_mps(path)
    with pytest.raises(UsageError):
        read_mps(tmp_path / "absent.mps")


def test_a_pyomo_model_with_three_objectives() -> None:
    import pyomo.environ as pyo

    model = pyo.ConcreteModel("pick")
    model.x = pyo.Var(range(5), domain=pyo.Integers, bounds=(0, 2))
    gain, cost, weight = [4, 7, 2, 9, 5], [3, 5, 1, 8, 4], [2, 1, 1, 5, 1]
    model.limit = pyo.Constraint(expr=sum(weight[i] * model.x[i] for i in range(5)) <= 9)
    model.range = pyo.Constraint(expr=pyo.inequality(2, model.x[0] + model.x[4], 3))
    model.gain = pyo.Objective(expr=sum(gain[i] * model.x[i] for i in range(5)) + 10, sense=pyo.maximize)
    model.cost = pyo.Objective(expr=sum(cost[i] * model.x[i] for i in range(5)) - 1)
    model.weight = pyo.Objective(expr=sum(weight[i] * model.x[i] for i in range(5)))
    model.off = pyo.Objective(expr=model.x[0])
    model.off.deactivate()
    compiled = from_pyomo(model)
    assert compiled.objective_names == ("gain", "cost", "weight")
    assert compiled.senses == (Sense.MAXIMISE, Sense.MINIMISE, Sense.MINIMISE)
    assert compiled.steps == (1.0, 1.0, 1.0)
    x = np.array([1.0, 0, 2, 0, 1])
    assert compiled.in_original_sense(compiled.values(x)).tolist() == [4 + 4 + 5 + 10, 3 + 2 + 4 - 1, 2 + 2 + 1]
    assert [tuple(y) for y in solve(compiled).points.tolist()] == frontier(legal_values(compiled))


def test_a_nonlinear_pyomo_model_is_refused() -> None:
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 1))
    with pytest.raises(UsageError, match="objective"):
        from_pyomo(model)
    model.f = pyo.Objective(expr=model.x**3)
    with pytest.raises(UsageError, match="linear"):
        from_pyomo(model)
