from __future__ import annotations

import numpy as np
import pytest

from models.physics.performance.cards import ModelShape
from models.physics.performance.constants import Software
from models.physics.performance.mapping import MappingChoice, Mappings, enumerate_mappings
from models.physics.performance.memory import memory_use, recomputed_saving, widths
from tests.physics.performance.conftest import CLASSIC, DENSE, EXPERTS, make_card

GIB = 2.0**30
OLD = Software.of("fp16", 2020.0)

# layers, hidden, heads, tp, pp, vp, mbs; activations in GiB without recompute, and selective with sequence parallel
# (Korthikanti et al., arXiv 2205.05198: s b h (10 + 24/t + 5 a s / (h t)) and s b h 34/t per layer)
PUBLISHED = [
    (48, 6144, 64, 8, 1, 1, 4, 59.25, 9.5625),
    (96, 12288, 96, 8, 8, 3, 1, 66.84375, 12.351562),
    (105, 20480, 128, 8, 35, 3, 1, 114.023438, 23.076172),
    (128, 25600, 160, 8, 64, 1, 1, 131.25, 26.5625),
]


@pytest.mark.parametrize(("layers", "hidden", "heads", "tp", "pp", "vp", "mbs", "plain", "selective"), PUBLISHED)
def test_published_activations_to_the_last_digit(layers, hidden, heads, tp, pp, vp, mbs, plain, selective):
    model = ModelShape("gpt", layers, hidden, heads, heads, 4 * hidden, False, 51200, 2048, attention="mha")
    card = make_card(available=2020.0)
    for recompute, sp, expected in ((0, 0, plain), (1, 1, selective)):
        choice = MappingChoice(tp=tp, pp=pp, vp=vp, mbs=mbs, recompute=recompute, sp=sp, shard=0)
        found = memory_use(model, card, Mappings.of([choice]), 1e9, "fp16", OLD)
        assert found.activations[0] / GIB == pytest.approx(expected, rel=1e-6)


def test_unsharded_fp16_states_are_eighteen_bytes_a_parameter():
    choice = Mappings.of([MappingChoice(tp=1, pp=1, mbs=1, shard=0)])
    found = memory_use(CLASSIC, make_card(available=2020.0), choice, 8, "fp16", OLD)
    assert found.states[0] == pytest.approx(18.0 * CLASSIC.params(), rel=1e-12)


@pytest.mark.parametrize("model", [DENSE, EXPERTS])
def test_sharding_the_optimizer_saves_exactly_its_twelve_bytes(model):
    card = make_card()
    ep = 8 if model.experts else 1
    one = MappingChoice(tp=1, pp=1, dp=16, ep=ep, mbs=1, shard=0)
    plain, sharded = Mappings.of([one]), Mappings.of([MappingChoice(tp=1, pp=1, dp=16, ep=ep, mbs=1, shard=1)])
    software = Software.of("bf16", card.available)
    saved = (
        memory_use(model, card, plain, 16, "bf16", software).states
        - memory_use(model, card, sharded, 16, "bf16", software).states
    )
    routed = model.moe_layers * model.experts * model.expert_weights() / ep
    dense = model.params() - routed * ep
    assert saved[0] == pytest.approx(12.0 * (dense * (1 - 1 / 16) + routed * (1 - ep / 16)), rel=0.05)


def test_full_sharding_keeps_gradients_and_optimizer_states_alone_beside_two_gathered_layers():
    card, software = make_card(), Software.of("bf16", 2023.0)
    spread = Mappings.of([MappingChoice(tp=1, pp=1, dp=64, mbs=1, shard=3)])
    states = memory_use(DENSE, card, spread, 64, "bf16", software).states[0]
    layer = DENSE.attention_weights() + DENSE.dense_weights()
    assert states == pytest.approx(16.0 * DENSE.params() / 64 + 2.0 * 2.0 * layer, rel=1e-9)


def test_a_transposed_copy_is_kept_only_where_the_part_needs_one():
    assert widths(make_card(available=2023.0), "fp8").weight == 2.0
    assert widths(make_card(available=2025.0), "fp8").weight == 1.0


@pytest.mark.parametrize("model", [DENSE, CLASSIC, EXPERTS])
@pytest.mark.parametrize("dtype", ["bf16", "fp8", "fp16"])
def test_recompute_and_thrift_only_ever_save(model, dtype):
    card = make_card()
    software = Software.of(dtype, card.available)
    mappings = enumerate_mappings(model, 32, 64)
    plain = memory_use(model, card, mappings, 64, dtype, software)
    thrifty = memory_use(model, card, mappings, 64, dtype, software, thrifty=True)
    assert np.all(thrifty.total <= plain.total * (1 + 1e-12))
    by_recompute = [plain.activations[mappings.recompute == level] for level in (0.0, 1.0, 2.0)]
    assert np.all(by_recompute[0] >= by_recompute[1])
    assert np.all(by_recompute[1] >= by_recompute[2] * (1 - 1e-12))
    assert np.all(plain.states > 0)


def test_recomputing_norms_saves_nothing_where_software_rebuilds_them_anyway():
    m, w = Mappings.of([MappingChoice(tp=2, pp=1, mbs=3, sp=1)]), widths(make_card(), "bf16")
    norms = frozenset({"layernorm"})
    plain = recomputed_saving(DENSE, m, w, norms, thrifty=False)
    # two normalised inputs of each layer, spread over the ranks of a sequence-parallel group
    assert plain == pytest.approx(3 * DENSE.seq * 2.0 * w.saved * DENSE.hidden / 2, rel=1e-12)
    assert recomputed_saving(DENSE, m, w, norms, thrifty=True) == 0.0


def test_one_forward_one_backward_holds_no_more_than_every_layer_once():
    software = Software.of("bf16", 2023.0)
    deep = Mappings.of([MappingChoice(tp=1, pp=8, dp=1, mbs=1, shard=0)])
    flat = Mappings.of([MappingChoice(tp=1, pp=1, dp=1, mbs=1, shard=0)])
    card = make_card()
    piped = memory_use(DENSE, card, deep, 64, "bf16", software).activations[0]
    whole = memory_use(DENSE, card, flat, 64, "bf16", software).activations[0]
    assert piped == pytest.approx(whole, rel=1e-12)
    few = memory_use(DENSE, card, deep, 2, "bf16", software).activations[0]
    assert few < piped
