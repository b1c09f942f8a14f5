"""What the search divides, the verification counts up: layers that full recompute repeats where memory binds."""

from __future__ import annotations

import numpy as np
import pytest

from models.physics.performance.constants import Software
from models.physics.performance.mapping import enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.training import evaluate, search, usable_memory
from optimizer.verification.throughput import _fewest_layers_repeated, _only_recompute_more
from tests.physics.performance.conftest import DENSE, EXPERTS, make_card, make_constants, make_network


@pytest.mark.parametrize(("model", "gigabytes"), [(DENSE, 24), (DENSE, 40), (EXPERTS, 24)])
def test_both_find_the_same_best_mapping(model, gigabytes):
    card = make_card(hbm_bytes=gigabytes * 1e9)
    setting = Setting(model, card, make_network(), 128.0, "fp8", make_constants(), Software.of("fp8", card.available))
    every = enumerate_mappings(model, 64, 128)
    counted = _fewest_layers_repeated(setting, every)
    assert np.any(counted.blocks > 0)
    times = evaluate(setting, counted)
    steps = np.where(times.memory <= usable_memory(setting), times.step, np.inf)
    steps[_only_recompute_more(every, np.isfinite(steps))] = np.inf
    first, second = np.argsort(steps, kind="stable")[:2]
    found = search(setting, every)
    assert found is not None
    assert (found.mapping, found.runner_up) == (counted.row(int(first)), counted.row(int(second)))
    assert found.step_s == steps[first]
