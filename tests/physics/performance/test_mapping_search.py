from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from models.errors import UsageError
from models.physics.performance.constants import Software
from models.physics.performance.mapping import FULL, Fixed, MappingChoice, Mappings, divisors, enumerate_mappings
from models.physics.performance.setting import Run, Setting
from models.physics.performance.training import (
    best_mapping,
    binding_term,
    evaluate,
    least_repeats,
    search,
    usable_memory,
)
from tests.physics.performance.conftest import CLASSIC, DENSE, EXPERTS, make_card, make_constants, make_network


def brute(model, packages, batch):
    """Every legal dense mapping by looping over all degrees."""
    found = set()
    ways = range(1, packages + 1)
    for tp, cp, pp in itertools.product(ways, ways, ways):
        if packages % (tp * cp * pp) or model.heads % tp or tp > 64 or pp > model.layers:
            continue
        if cp > 1 and (model.seq % (2 * cp) or model.seq // cp < 1024):
            continue
        dp = packages // (tp * cp * pp)
        if batch % dp:
            continue
        for mbs in range(1, min(64, batch // dp) + 1):
            if (batch // dp) % mbs:
                continue
            rounds = batch // dp // mbs
            chunks = {1}
            if pp > 1 and rounds % pp == 0:
                for slots in (model.layers, model.layers + 2):
                    if slots % pp == 0:
                        chunks |= {v for v in range(1, slots // pp + 1) if (slots // pp) % v == 0}
            for vp, recompute, sp in itertools.product(chunks, (0, 1, 2), (0, 1) if tp > 1 else (0,)):
                copies = dp * cp
                for shard in [0] if copies == 1 else [1, 3] if pp == 1 else [1]:
                    found.add((tp, cp, pp, dp, 1, 1, vp, mbs, recompute, sp, shard, 0))
    return found


@pytest.mark.parametrize(("packages", "batch"), [(1, 3), (8, 16), (12, 24), (30, 60)])
def test_every_legal_mapping_and_no_other(packages, batch):
    mappings = enumerate_mappings(DENSE, packages, batch)
    listed = [tuple(vars_of(mappings.row(i))) for i in range(len(mappings))]
    assert len(listed) == len(set(listed))
    assert set(listed) == brute(DENSE, packages, batch)


def vars_of(choice: MappingChoice):
    return (getattr(choice, name) for name in MappingChoice.__dataclass_fields__)


def test_expert_groups_divide_experts_and_ranks():
    mappings = enumerate_mappings(EXPERTS, 48, 96)
    assert len(mappings) > 0
    assert np.all(EXPERTS.experts % mappings.ep == 0)
    ranks = mappings.tp * mappings.cp * mappings.dp
    assert np.all(ranks % (mappings.ep * mappings.etp) == 0)
    assert set(np.unique(mappings.etp[mappings.tp == 1])) == {1.0}


def test_the_best_is_the_least_step_that_fits_and_the_runner_up_the_next():
    card, network, constants = make_card(), make_network(), make_constants()
    setting = Setting(DENSE, card, network, 128.0, "bf16", constants, Software.of("bf16", card.available))
    mappings = least_repeats(setting, enumerate_mappings(DENSE, 64, 128))
    times = evaluate(setting, mappings)
    order = sorted(
        (step, i)
        for i, (step, memory) in enumerate(zip(times.step, times.memory, strict=True))
        if memory <= card.hbm_bytes - constants.runtime_bytes
    )
    found = best_mapping(DENSE, card, network, 64, 128, constants, "bf16")
    assert found is not None
    assert found.mapping == mappings.row(order[0][1])
    others = (mappings.row(i) for _, i in order[1:])
    assert found.runner_up == next(
        m for m in others if replace(m, recompute=0, blocks=0) != replace(found.mapping, recompute=0, blocks=0)
    )
    assert found.step_s == pytest.approx(sum(found.terms.values()))
    assert found.tokens_s == pytest.approx(128 * DENSE.seq / found.step_s)
    assert (found.searched, found.feasible) == (len(mappings), len(order))


def test_equal_mappings_are_decided_by_their_order():
    card = make_card()
    setting = Setting(
        CLASSIC, card, make_network(), 16.0, "bf16", make_constants(), Software.of("bf16", card.available)
    )
    one = enumerate_mappings(CLASSIC, 8, 16)
    twice = one.take(np.concatenate([np.arange(len(one)), np.arange(len(one))]))
    first, second = search(setting, one), search(setting, twice)
    assert first is not None
    assert second is not None
    assert first.mapping == second.mapping
    assert second.runner_up == first.mapping
    assert second.searched == 2 * first.searched


@pytest.mark.parametrize("model", [DENSE, CLASSIC, EXPERTS])
@pytest.mark.parametrize("dtype", ["bf16", "fp8"])
def test_what_the_search_passes_over_could_not_have_won(model, dtype):
    card, constants = make_card(hbm_bytes=60e9), make_constants()
    setting = Setting(model, card, make_network(), 128.0, dtype, constants, Software.of(dtype, card.available))
    mappings = enumerate_mappings(model, 64, 128)
    every = counted(setting, mappings)
    times = evaluate(setting, every)
    step = np.where(times.memory <= usable_memory(setting), times.step, np.inf)
    found = search(setting, mappings)
    assert found is not None
    assert found.step_s == step.min()
    assert found.mapping in [every.row(int(row)) for row in np.flatnonzero(step == step.min())]


def counted(setting, mappings):
    """The mappings, those of full recompute once for every number of layers a chunk has."""
    chunk = setting.model.layers / (mappings.pp * mappings.vp)
    parts = [mappings]
    for count in range(1, setting.model.layers):
        rows = np.flatnonzero((mappings.recompute == FULL) & (count < chunk))
        parts.append(replace(mappings.take(rows), blocks=np.full(len(rows), float(count))))
    return Mappings.join(parts)


@pytest.mark.parametrize(("model", "gigabytes"), [(DENSE, 24), (DENSE, 40), (EXPERTS, 24), (EXPERTS, 40)])
@pytest.mark.parametrize("dtype", ["bf16", "fp8"])
def test_no_more_layers_are_repeated_than_memory_asks_for(model, gigabytes, dtype):
    card = make_card(hbm_bytes=gigabytes * 1e9)
    setting = Setting(model, card, make_network(), 128.0, dtype, make_constants(), Software.of(dtype, card.available))
    mappings = enumerate_mappings(model, 64, 128, Fixed(recompute=2))
    found = least_repeats(setting, mappings)
    times, limit = evaluate(setting, found), usable_memory(setting)
    some = found.blocks > 0
    assert some.any()
    assert np.all(times.memory[some] <= limit)
    fewer = replace(found, blocks=np.where(found.blocks > 1, found.blocks - 1, found.blocks))
    assert np.all(evaluate(setting, fewer).memory[found.blocks > 1] > limit)
    # all layers are left to the rows that fit with no smaller number, or with none at all
    chunk = model.layers / (found.pp * found.vp)
    most = replace(found, blocks=np.where(chunk > 1, np.ceil(chunk) - 1, 0))
    assert np.all((evaluate(setting, most).memory > limit)[~some & (chunk > 1)])
    more = replace(found, blocks=np.where(some, np.minimum(found.blocks + 1, np.ceil(chunk)), found.blocks))
    assert np.all(evaluate(setting, more).step >= times.step * (1 - 1e-12))


def test_what_a_run_is_known_to_repeat_stays():
    card = make_card(hbm_bytes=60e9)
    mappings = enumerate_mappings(DENSE, 64, 128, Fixed(recompute=2))
    for run in (Run(all_layers=True), Run(full_layers=3)):
        setting = Setting(
            DENSE, card, make_network(), 128.0, "bf16", make_constants(), Software.of("bf16", card.available), run=run
        )
        assert least_repeats(setting, mappings) is mappings


def test_a_mapping_tells_how_many_layers_it_repeats():
    assert str(MappingChoice(recompute=2)).endswith("full recompute")
    assert str(MappingChoice(recompute=2, blocks=3)).endswith("full recompute of 3 layers per chunk")


def test_nothing_fits_or_nothing_divides_gives_none():
    tiny = make_card(hbm_bytes=4e9)
    assert best_mapping(DENSE, tiny, make_network(), 8, 16, make_constants(), "bf16") is None
    stuck = Fixed(tp=3)
    assert best_mapping(DENSE, make_card(), make_network(), 8, 16, make_constants(), "bf16", fixed=stuck) is None


def test_what_is_fixed_stays_fixed():
    fixed = Fixed(tp=4, pp=2, mbs=2, recompute=1)
    mappings = enumerate_mappings(DENSE, 64, 128, fixed)
    assert len(mappings) > 0
    for name, value in (("tp", 4), ("pp", 2), ("mbs", 2), ("recompute", 1)):
        assert np.all(getattr(mappings, name) == value)


def test_a_format_the_part_lacks_is_refused_in_words():
    with pytest.raises(UsageError, match="no dense fp4 rate"):
        best_mapping(DENSE, make_card(), make_network(), 8, 16, make_constants(), "nvfp4")
    with pytest.raises(UsageError, match="unknown number format"):
        best_mapping(DENSE, make_card(), make_network(), 8, 16, make_constants(), "fp7")


def test_binding_term_names_products_only_where_they_dominate():
    names = ("gemm", "attention", "hbm", "launch", "tensor_comm", "context_comm", "expert_comm", "pipeline_comm")
    terms = dict.fromkeys((*names, "data_comm", "bubble", "optimizer"), 0.0)
    assert binding_term(terms | {"gemm": 8.0, "bubble": 1.0}) == "gemm"
    assert binding_term(terms | {"gemm": 5.0, "bubble": 2.0, "data_comm": 3.0}) == "data_comm"


@pytest.mark.parametrize("n", [1, 2, 36, 97, 1024, 5040])
def test_divisors(n):
    assert divisors(n) == [d for d in range(1, n + 1) if n % d == 0]
