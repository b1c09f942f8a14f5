"""Solvers agree on a program whose integer column runs into the tens of thousands beside costs in the millions."""

from __future__ import annotations

import numpy as np
import pytest

from models.formulation.build import build
from models.loading import load
from optimizer.backends import create
from optimizer.backends.protocol import Proof, SolverOptions
from optimizer.compile import compile_formulation
from optimizer.compiled_model import CompiledModel


@pytest.fixture(scope="module")
def shared_site() -> CompiledModel:
    """A training and a serving cluster on one site; the smallest share of demand is a column of its own."""
    return compile_formulation(build(load("mixed-100mw")))


@pytest.mark.parametrize("least", [10_000, 15_242, 17_000])
@pytest.mark.parametrize("power", [48_986, 60_000, 80_000])
def test_highs_presses_the_smallest_share_as_far_as_cp_sat(shared_site: CompiledModel, least: int, power: int) -> None:
    tops = [np.inf, -float(least), float(power)]
    answers = {}
    for name in ("highs", "cpsat"):
        found = create(name, shared_site, SolverOptions()).solve(weights=[1, 1, 0], objective_upper=tops, step=1.0)
        assert found.proof in (Proof.OPTIMAL, Proof.INFEASIBLE)
        answers[name] = found.objective if found.proof is Proof.OPTIMAL else None
    assert answers["highs"] == answers["cpsat"]
