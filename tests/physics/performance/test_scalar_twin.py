from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.physics.performance.cards import Network, Wiring
from models.physics.performance.constants import Software
from models.physics.performance.mapping import Fixed, enumerate_mappings
from models.physics.performance.setting import Run, Setting
from models.physics.performance.training import TERMS, evaluate
from tests.physics.performance.conftest import (
    CLASSIC,
    DENSE,
    EXPERTS,
    make_card,
    make_constants,
    make_kernels,
    make_network,
)
from tests.physics.performance.scalar_twin import Twin

CASES = [
    (DENSE, "bf16", 256, 512, 2023.0, 1.0),
    (DENSE, "fp8", 128, 256, 2025.0, 4.0),
    (CLASSIC, "fp16", 64, 128, 2020.0, 1.0),
    (EXPERTS, "bf16", 128, 256, 2023.0, 2.0),
    (EXPERTS, "fp8", 192, 384, 2023.0, 1.0),
    (DENSE, "bf16", 144, 288, 2025.0, 1.0),
    (EXPERTS, "bf16", 512, 1024, 2023.0, 1.0),
    (EXPERTS, "fp8", 64, 128, 2023.0, 1.0),
]
WIRED = {512: (Wiring(axes=3), 512), 64: (Wiring(mesh=True), 8)}
"""A torus of 8 x 8 x 8 and meshes of eight, by the number of packages of the case."""


@pytest.mark.parametrize(("model", "dtype", "packages", "batch", "year", "oversubscription"), CASES)
def test_arrays_equal_plain_numbers(model, dtype, packages, batch, year, oversubscription):
    card = make_card(available=year, kernels=make_kernels(switch_reduction=None if year < 2022 else 0.63))
    network = make_network(oversubscription=oversubscription)
    if packages == 144:
        network = Network.of(card, 50e9, domain=72)
    if packages in WIRED and model is EXPERTS:
        wiring, domain = WIRED[packages]
        network = Network.of(replace(card, wiring=wiring), 50e9, domain=domain)
    setting = Setting(
        model, card, network, float(batch), dtype, make_constants(), Software.of(dtype, year), expert_imbalance=1.2,
        expert_overlap=packages == 192,
    )  # fmt: skip
    mappings = enumerate_mappings(model, packages, batch)
    chosen = np.random.default_rng(7).choice(len(mappings), size=min(120, len(mappings)), replace=False)
    agree(setting, mappings.take(np.sort(chosen)))


RUNS = [
    (EXPERTS, Run(recomputed=frozenset({"layernorm", "moe_act", "mla_up_proj", "mlp", "shared_experts"}))),
    (EXPERTS, Run(recomputed=frozenset({"moe"}), each_copy=True, expert_waits=True, predictions=1)),
    (
        replace(EXPERTS, q_latent=768),
        Run(recomputed=frozenset({"mla_up_proj", "mlp_up"}), full_layers=1, dispatch_bytes=1.0),
    ),
    (DENSE, Run(recomputed=frozenset({"layernorm", "mlp"}), full_layers=2, expert_waits=True)),
    (DENSE, Run(shard_group=8)),
    (EXPERTS, Run(shard_group=16)),
    (DENSE, Run(gradient_bytes=2.0)),
    (replace(DENSE, window=512, window_layers=20), Run()),
    (EXPERTS, Run(gradient_bytes=4.0, optimizer_bytes=4.0)),
]


@pytest.mark.parametrize(("model", "run"), RUNS)
@pytest.mark.parametrize("dtype", ["bf16", "fp8"])
def test_runs_that_say_more_than_their_mapping(model, run, dtype):
    card = make_card(available=2023.0)
    setting = Setting(
        model, card, make_network(), 256.0, dtype, make_constants(), Software.of(dtype, 2023.0), run=run
    )  # fmt: skip
    mappings = enumerate_mappings(model, 64, 256, Fixed(shard=3) if run.shard_group else None)
    chosen = np.random.default_rng(11).choice(len(mappings), size=80, replace=False)
    some = mappings.take(np.sort(chosen))
    agree(setting, some)
    if run.full_layers is None:
        agree(setting, replace(some, blocks=np.where(some.recompute == 2, np.arange(len(some)) % 5.0, 0.0)))


def agree(setting, some):
    times = evaluate(setting, some)
    for index in range(len(some)):
        expected = Twin(setting, some.row(index)).terms()
        for name in TERMS:
            found = times.terms[name][index]
            assert found == pytest.approx(expected[name], rel=1e-9, abs=1e-12), (some.row(index), name)


def test_results_do_not_depend_on_the_batch_size(monkeypatch):
    setting = Setting(DENSE, make_card(), make_network(), 256.0, "bf16", make_constants(), Software.of("bf16", 2023.0))
    mappings = enumerate_mappings(DENSE, 64, 256)
    whole = evaluate(setting, mappings)
    monkeypatch.setattr("models.physics.performance.training.BATCH", 97)
    cut = evaluate(setting, mappings)
    assert np.array_equal(whole.step, cut.step)
    assert np.array_equal(whole.memory, cut.memory)
