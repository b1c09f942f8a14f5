"""Programs whose integer column runs into the tens of thousands beside costs in the millions go to the exact solver."""

from __future__ import annotations

import numpy as np
import pytest

from models.formulation.build import build
from models.loading import load
from optimizer.backends import create
from optimizer.backends.features import choose
from optimizer.backends.protocol import Proof, SolverOptions
from optimizer.compile import compile_formulation
from optimizer.compiled_model import CompiledModel


@pytest.fixture(scope="module")
def shared_site() -> CompiledModel:
    """A training and a serving cluster on one site; the smallest share of demand is a column of its own."""
    return compile_formulation(build(load("mixed-100mw", "list-prices")))


@pytest.mark.parametrize("least", [10_000, 15_242, 17_000])
@pytest.mark.parametrize("power", [48_986, 60_000, 80_000])
def test_the_chosen_solver_presses_the_smallest_share(shared_site: CompiledModel, least: int, power: int) -> None:
    chosen = choose(shared_site)
    tops = [np.inf, -float(least), float(power)]
    solver = create(chosen, shared_site, SolverOptions())
    found = solver.solve(weights=[1, 1, 0], objective_upper=tops, step=1.0)
    if found.proof is Proof.INFEASIBLE:
        return
    assert found.x is not None
    share = shared_site.column_keys.index("least_share[t]")
    better = found.x.copy()
    better[share] += 1.0
    use = shared_site.matrix @ better
    assert (use > shared_site.row_upper + 1e-6).any(), "a larger share was legal and better"
