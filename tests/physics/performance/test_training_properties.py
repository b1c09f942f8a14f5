from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.physics.performance.constants import Software
from models.physics.performance.layers import training_operations
from models.physics.performance.mapping import Fixed, enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.training import best_mapping, evaluate
from tests.physics.performance.conftest import CLASSIC, DENSE, EXPERTS, make_card, make_constants, make_network

MODELS = st.sampled_from([DENSE, CLASSIC, EXPERTS])
DTYPES = st.sampled_from(["bf16", "fp8"])
SIZES = st.sampled_from([8, 24, 64, 96])
MORE = st.floats(1.0, 8.0)
FEW = settings(max_examples=25, deadline=None)


def tokens(model, card, network, packages, dtype, batch=None):
    found = best_mapping(model, card, network, packages, batch or 2 * packages, make_constants(), dtype)
    return 0.0 if found is None else found.tokens_s


@FEW
@given(MODELS, DTYPES, SIZES, MORE)
def test_more_network_never_slows_the_best_mapping(model, dtype, packages, factor):
    card = make_card()
    assert tokens(model, card, make_network(50e9 * factor), packages, dtype) >= tokens(
        model, card, make_network(50e9), packages, dtype
    ) * (1 - 1e-12)


@FEW
@given(MODELS, DTYPES, SIZES, MORE, st.sampled_from(["hbm_bytes", "hbm_rate", "peak", "scaleup_rate"]))
def test_a_better_part_never_slows_the_best_mapping(model, dtype, packages, factor, field):
    card = make_card(hbm_bytes=40e9)
    value = getattr(card, field)
    better = {k: v * factor for k, v in value.items()} if isinstance(value, dict) else value * factor
    faster = replace(card, **{field: better})
    network = make_network()
    if field == "scaleup_rate":
        network = replace(network, tiers=(replace(network.tiers[0], rate=450e9 * factor), *network.tiers[1:]))
    before, after = (
        tokens(model, card, make_network(), packages, dtype),
        tokens(model, faster, network, packages, dtype),
    )
    assert after >= before * (1 - 1e-12)


@FEW
@given(MODELS, DTYPES, st.floats(1.0, 16.0))
def test_oversubscription_never_helps(model, dtype, ratio):
    card = make_card()
    assert tokens(model, card, make_network(oversubscription=ratio), 96, dtype) <= tokens(
        model, card, make_network(), 96, dtype
    ) * (1 + 1e-12)


@FEW
@given(MODELS, DTYPES, SIZES)
def test_no_mapping_exceeds_a_roofline(model, dtype, packages):
    card, batch = make_card(), 2 * packages
    setting = Setting(
        model, card, make_network(), float(batch), dtype, make_constants(), Software.of(dtype, card.available)
    )
    mappings = enumerate_mappings(model, packages, batch)
    step = evaluate(setting, mappings).step
    work = training_operations(model) * batch * model.seq / packages
    assert np.all(work / step <= card.peak[dtype])
    # each rank reads its weights and writes their gradients at least once a step
    weights = model.params() - 2 * model.vocab * model.hidden
    bytes_touched = weights / (mappings.tp * mappings.pp * mappings.ep * mappings.dp * mappings.cp)
    assert np.all(step >= bytes_touched / card.hbm_rate)


@FEW
@given(MODELS, st.sampled_from([8, 16, 32]))
def test_twice_the_machine_on_twice_the_batch_takes_no_less_time_and_only_communication_longer(model, packages):
    card, constants = make_card(), make_constants()
    one = best_mapping(model, card, make_network(), packages, packages, constants, "bf16")
    two = best_mapping(model, card, make_network(), 2 * packages, 2 * packages, constants, "bf16")
    assert one is not None
    assert two is not None
    assert two.tokens_s <= 2 * one.tokens_s * 1.10
    assert two.tokens_s >= one.tokens_s


def test_twice_the_clock_of_everything_halves_the_step():
    card = make_card()
    kernels = replace(
        card.kernels,
        gemm={name: replace(curve, launch_s=curve.launch_s / 2) for name, curve in card.kernels.gemm.items()},
        link_start_s=card.kernels.link_start_s / 2,
    )
    fast = replace(
        card, peak={k: 2 * v for k, v in card.peak.items()}, hbm_rate=2 * card.hbm_rate,
        scaleup_rate=2 * card.scaleup_rate, kernels=kernels,
    )  # fmt: skip
    slow_network = make_network()
    fast_network = replace(
        slow_network, tiers=tuple(replace(t, rate=2 * t.rate, hop_s=t.hop_s / 2) for t in slow_network.tiers)
    )
    constants = make_constants()
    halved = replace(constants, free=replace(constants.free, launch_s=constants.free.launch_s / 2))
    for model in (DENSE, EXPERTS):
        mappings = enumerate_mappings(model, 96, 192)
        software = Software.of("bf16", card.available)
        slow = evaluate(Setting(model, card, slow_network, 192.0, "bf16", constants, software), mappings)
        quick = evaluate(Setting(model, fast, fast_network, 192.0, "bf16", halved, software), mappings)
        assert quick.step == pytest.approx(slow.step / 2, rel=1e-9)


@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_windows_take_their_share_of_attention_where_no_scores_are_written(dtype):
    card = make_card()
    mappings = enumerate_mappings(DENSE, 16, 32, Fixed(pp=1))

    def times(**window):
        model = replace(DENSE, **window)
        setting = Setting(
            model, card, make_network(), 32.0, dtype, make_constants(), Software.of(dtype, card.available)
        )  # fmt: skip
        return evaluate(setting, mappings)

    full, wide = times(), times(window=DENSE.seq, window_layers=DENSE.layers)
    assert np.allclose(full.step, wide.step, rtol=1e-12)
    near = times(window=DENSE.seq // 4, window_layers=DENSE.layers // 2)
    share = 0.5 + 0.5 * 2 * (1 / 4 - 1 / 32) if dtype == "bf16" else 1.0
    assert np.allclose(near.terms["attention"], share * full.terms["attention"], rtol=1e-12)
    assert np.array_equal(near.memory, full.memory)
    near_model = replace(DENSE, window=DENSE.seq // 4, window_layers=DENSE.layers // 2)
    assert training_operations(near_model) < training_operations(DENSE)


def test_interleaving_shrinks_the_bubble_by_its_degree():
    card = make_card()
    setting = Setting(DENSE, card, make_network(), 256.0, "bf16", make_constants(), Software.of("bf16", card.available))
    mappings = enumerate_mappings(DENSE, 64, 256)
    same = (
        (mappings.tp == 1) & (mappings.pp == 8) & (mappings.dp == 8) & (mappings.mbs == 1) & (mappings.recompute == 0)
    )
    times = evaluate(setting, mappings)
    by_chunks = {int(v): b for v, b in zip(mappings.vp[same], times.terms["bubble"][same], strict=True)}
    assert by_chunks[4] == pytest.approx(by_chunks[1] / 4, rel=1e-9)
    assert math.isclose(by_chunks[2] * 2, by_chunks[1], rel_tol=1e-9)
