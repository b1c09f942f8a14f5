"""The engine finds exactly the published or recomputed set of every instance that is small enough to solve here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from optimizer import moo_json
from optimizer.pareto import FrontierStatus, solve

FOLDER = Path(__file__).parents[1] / "data" / "moo"
QUICK = (
    "ks14_KP_p-3_n-10_1",
    "ks14_KP_p-3_n-20_1",
    "ks14_KP_p-4_n-10_1",
    "ks14_KP_p-5_n-10_1",
    "ks14_ILP_p-3_n-10_m-5_1",
    "moa122_gap3",
    "pyaug_4kp50",
    "vopt_spa_didactic",
    "vopt_spa_sppnw08",
    "vopt_spa_sppnw12",
    "vopt_spa_sppnw20",
    "vopt_spa_sppnw41",
    "vopt_uflp_didactic1",
    "vopt_ukp_2KP50-1A",
    "vopt_ukp_F5050W01",
    "vopt_ukp_F5050W02",
    "vopt_ukp_2KP50-11",
    "vopt_ukp_K5050W01",
    "vopt_ukp_K5050W02",
    "pyaug_2kp50",
    "ks14_ILP_p-3_n-20_m-10_1",
    "ks14_KP_p-4_n-20_1",
    "ks14_KP_p-3_n-30_1",
    "ks14_ILP_p-4_n-10_m-5_1",
    "vopt_spp_2spp100_300A",
    "vopt_spp_2spp101_300A",
    "ks14_ILP_p-3_n-30_m-15_1",
    "vopt_spp_2mis100_300A",
    "vopt_spa_sppnw43",
    "vopt_spa_sppnw19",
)


@pytest.mark.parametrize("name", QUICK)
def test_the_whole_set_and_nothing_else(name: str) -> None:
    data = json.loads((FOLDER / f"{name}.json").read_text())
    model = moo_json.read(FOLDER / f"{name}.json")
    result = solve(model)
    assert result.status is FrontierStatus.COMPLETE
    assert result.proven.all()
    assert sorted(model.in_original_sense(result.points).astype(int).tolist()) == data["nondominated_points"]
    np.testing.assert_array_equal(result.solutions @ model.objectives.T, result.points)
    if model.n_objectives == 2:
        assert result.solves <= result.n_points + 1
