"""What a record says of its run beside the mapping is read, or refused with a reason."""

from __future__ import annotations

import pytest

from optimizer.validation.lookup import shipped_lookup
from optimizer.validation.measured_records import evaluate
from optimizer.validation.records import SkipRecord
from optimizer.validation.run_facts import run_facts

EXPERTS = {
    "id": "r", "group": "g", "accelerator": "h100_sxm", "n_accel": 256, "gbs": 512, "dtype": "fp8", "metric": "step_time_s",
    "value": 1.0, "confirmed": True, "tp": 2, "pp": 8, "cp": 1, "vp": 1, "ep": 32, "mbs": 1, "seq_parallel": True,
    "model": {
        "layers": 48, "hidden": 4096, "heads": 64, "kv_heads": 4, "head_dim": 128, "ffn": 12288, "gated": True,
        "vocab": 151936, "experts": 128, "topk": 8, "moe_ffn": 1536, "seq": 4096,
    },
}  # fmt: skip


def step(**fields):
    outcome = evaluate({"rows": [EXPERTS | fields]})
    assert outcome.skipped == ()
    return outcome.rows[0].predicted


@pytest.mark.parametrize(
    ("fields", "level", "parts"),
    [
        ({}, None, set()),
        ({"recompute": None}, None, set()),
        ({"recompute": "none"}, 0, set()),
        ({"recompute": False}, 0, set()),
        ({"recompute": "selective"}, 1, set()),
        ({"recompute": "attention"}, 1, set()),
        ({"recompute": "full"}, 2, set()),
        ({"recompute": "block", "recompute_num_layers": 2}, 2, set()),
        ({"recompute": "layernorm, moe_act"}, 0, {"layernorm", "moe_act"}),
        ({"recompute": "selective", "recompute_modules": ["core_attn", "mlp"]}, 1, {"mlp"}),
        ({"recompute": "mlp_up"}, 0, {"mlp_up"}),
        ({"recompute_modules": "mla_up_proj+moe"}, 0, {"mla_up_proj", "moe"}),
        ({"recompute": "full", "recompute_modules": ["mlp"]}, 2, set()),
    ],
)
def test_recompute_however_it_is_spelt(fields, level, parts):
    facts = run_facts(fields)
    assert (facts.recompute, facts.run.recomputed) == (level, frozenset(parts))


@pytest.mark.parametrize(
    ("fields", "level", "group"),
    [
        ({}, None, None),
        ({"zero": 3}, 3, None),
        ({"zero": 0}, 0, None),
        ({"zero": 2}, 1, None),
        ({"sharding": "FULL_SHARD"}, 3, None),
        ({"sharding": "HYBRID_SHARD", "shard_group": 16}, 3, 16),
        ({"sharding": "HSDP"}, 3, None),
        ({"sharding": "FSDP2 (ZeRO-3)"}, 3, None),
        ({"sharding": "SHARD_GRAD_OP"}, 1, None),
        ({"sharding": "ZeRO-1"}, 1, None),
        ({"sharding": "DDP"}, 0, None),
        ({"sharding": "NO_SHARD"}, 0, None),
        ({"sharding": "distributed optimizer", "zero": 3}, 3, None),
        ({"sharding": "ZeRO-2", "zero": 0}, 1, None),
        ({"fsdp": 64}, 3, 64),
        ({"fsdp": 1}, 3, None),
        ({"fsdp": 0}, None, None),
        ({"fsdp": True}, 3, None),
    ],
)
def test_sharding_however_it_is_named(fields, level, group):
    facts = run_facts(fields)
    assert (facts.sharding, facts.run.shard_group) == (level, group)


def test_copies_of_sharded_weights_trade_memory_for_shorter_ways():
    dense = {"ep": None, "model": EXPERTS["model"] | {"experts": None, "topk": None, "moe_ffn": None}}
    usual = step(tp=1, pp=1, recompute="none", sharding="FSDP", **dense)
    near = step(tp=1, pp=1, recompute="none", sharding="HSDP", shard_group=8, **dense)
    assert near < usual
    assert step(tp=1, pp=1, recompute="none", sharding="HSDP", shard_group=256, **dense) == pytest.approx(
        usual, rel=1e-3
    )


def test_more_ranks_than_experts_is_a_reason():
    assert "256 experts" not in evaluate({"rows": [EXPERTS | {"ep": 256}]}).skipped[0].reason
    assert "more than the 128 experts" in evaluate({"rows": [EXPERTS | {"ep": 256}]}).skipped[0].reason


def test_layers_of_a_block_are_read_only_with_a_block():
    assert run_facts({"recompute": "block", "recompute_num_layers": 3}).run.full_layers == 3
    assert run_facts({"recompute": "full", "recompute_method": "block", "recompute_layers": 1}).run.full_layers == 1
    assert run_facts({"recompute": "full", "recompute_num_layers": 1}).run.full_layers is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recompute", "everything else"),
        ("dispatcher", "carrier pigeon"),
        ("sharding", "sideways"),
        ("expert_imbalance", 0.5),
        ("mtp", "two"),
        ("activation_offload", 1.5),
        ("optimizer_bytes", -1),
    ],
)
def test_what_nobody_can_mean_is_refused_by_name(field, value):
    with pytest.raises(SkipRecord, match=field):
        run_facts({field: value})


def test_parts_cost_less_than_all_of_it_and_more_than_nothing():
    none, full = step(recompute="none"), step(recompute="full")
    parts = [step(recompute_modules=[name]) for name in ("layernorm", "moe_act", "moe")]
    assert none < parts[0] < parts[2] < full
    assert none < parts[1] < parts[2]
    block = step(recompute="block", recompute_num_layers=3)
    assert none < block < full
    assert step(recompute="block", recompute_num_layers=6) == pytest.approx(full)


def test_the_exchange_and_the_routing_of_experts():
    usual = step(recompute="none")
    assert step(recompute="none", expert_balance="forced") < usual
    assert step(recompute="none", expert_imbalance=1.1) == pytest.approx(usual)
    assert step(recompute="none", expert_imbalance=1.5) > usual
    assert step(recompute="none", ep_overlap=True) < usual
    plain = step(recompute="none", dispatcher="alltoall")
    assert usual < step(recompute="none", dispatcher="alltoall", host_graph="full") < plain
    assert step(recompute="none", dispatcher="deepep") == pytest.approx(usual)
    assert step(recompute="none", dispatch_dtype="fp8") < usual
    assert step(recompute="none", mtp=1) > usual


def test_saved_activations_in_host_memory_cost_what_their_way_outlasts():
    usual = step(recompute="none")
    assert step(recompute="none", activation_offload=1.0, host_gb_s=1e6) == pytest.approx(usual)
    assert (
        usual
        < step(recompute="none", activation_offload=0.5, host_gb_s=5)
        < step(recompute="none", activation_offload=1.0, host_gb_s=5)
    )


def test_sources_fill_only_what_a_record_leaves_out():
    lookup = shipped_lookup()
    model = {"experts": 128, "hidden": 2048}
    record = {"source": "x/Megatron-Bridge docs", "accelerator": "DGX-H100", "model": model}
    record["accelerator"] = "h100-sxm"
    filled, told = lookup.corrected(record)
    assert (filled["dispatcher"], filled["expert_balance"]) == ("alltoall", "forced")
    assert "dispatcher alltoall" in told
    assert lookup.corrected(record | {"dispatcher": "hybridep"})[0]["dispatcher"] == "hybridep"
    assert "dispatcher" not in lookup.corrected(record | {"note": "tokens dropped"})[0]
    assert lookup.corrected(record | {"source": "elsewhere"}) == (record | {"source": "elsewhere"}, "")
    assert lookup.corrected(record | {"model": {"hidden": 2048}})[1] == ""
    assert lookup.corrected(record | {"model": "Qwen3-30B-A3B"})[0]["dispatcher"] == "alltoall"
    dense = record | {"model": {"hidden": 8192}, "accelerator": "gb200_nvl72"}
    assert lookup.corrected(dense | {"sharding": "FULL_SHARD"})[0]["activation_offload"] == "0.5"
    assert lookup.corrected(dense)[1] == ""


def test_fields_that_change_nothing_are_named():
    row = evaluate(
        {"rows": [EXPERTS | {"weather": "fine", "wind": None, "model": EXPERTS["model"] | {"tide": 128}}]}
    ).rows[0]
    assert row.note.split("not read: ")[1] == "weather, model.tide"
    assert "not read" not in evaluate({"rows": [EXPERTS]}).rows[0].note
