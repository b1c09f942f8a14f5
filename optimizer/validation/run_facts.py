"""What a training record says of its run beside the mapping: recompute by parts, the experts' exchange, routing, host memory.

Fields, all optional; what is absent is as a search takes it:

    sharding, zero, fsdp                what is sharded over the copies of the model; a number above 1 as ``fsdp``: over so many
    shard_group                         ranks that fully sharded weights are spread over (all, where absent)
    recompute, recompute_modules        none, selective, full, block, or names of parts of a layer (a list, or separated by , or +)
    recompute_num_layers                layers per chunk that ``block`` repeats
    dispatcher                          alltoall, allgather, or kernels that count on the device: deepep, hybridep
    host_graph                          none, partial or full: whether the host issues kernels one by one
    ep_overlap                          the exchange runs behind another micro-batch
    dispatch_dtype                      format of a dispatched element
    expert_balance, expert_imbalance    forced (every expert gets as much), or the fullest expert over the mean
    capacity_factor                     tokens an expert takes over the mean, where more are dropped
    mtp                                 further tokens predicted per position
    activation_offload                  share of the saved activations kept in host memory (true: all)
    host_gb_s                           rate to host memory, each way
    gradient_dtype                      format in which gradients are summed and sent
    optimizer_bytes                     optimizer state per parameter beside weight and gradient
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.physics.performance.cards import WIDTH_BYTES
from models.physics.performance.setting import MODULES, Run
from optimizer.validation.names import number_format
from optimizer.validation.records import SkipRecord

FIELDS = frozenset(
    [
        "sharding",
        "zero",
        "fsdp",
        "shard_group",
        "recompute",
        "recompute_modules",
        "recompute_method",
        "recompute_num_layers",
        "recompute_layers",
        "dispatcher",
        "host_graph",
        "cuda_graph",
        "ep_overlap",
        "moe_a2a_overlap",
        "dispatch_dtype",
        "expert_balance",
        "expert_imbalance",
        "capacity_factor",
        "mtp",
        "activation_offload",
        "cpu_offload",
        "host_gb_s",
        "gradient_dtype",
        "optimizer_bytes",
    ]
)
"""Names of fields read here."""

_WHOLE = {
    "none": 0,
    "no": 0,
    "false": 0,
    "selective": 1,
    "attention": 1,
    "full": 2,
    "true": 2,
    "uniform": 2,
    "block": 2,
    "all": 2,
}
_PARTS = {
    "core_attn": "core_attn",
    "core_attention": "core_attn",
    "attention": "core_attn",
    "attn": "core_attn",
    "norm": "layernorm",
    "layer_norm": "layernorm",
    "rmsnorm": "layernorm",
    "moe_activation": "moe_act",
    "activation": "moe_act",
    "mla_up": "mla_up_proj",
    "shared_expert": "shared_experts",
    "moe_layer": "moe",
    "feed_forward": "mlp",
    "mlpwi": "mlp_up",
    "fc1": "mlp_up",
} | {name: name for name in MODULES}

_COUNTING = ("deepep", "hybridep", "hybrid_ep", "deep_ep")
"""Exchanges that count tokens on the device and send a token once to each domain."""
_PLAIN = ("alltoall", "all_to_all", "a2a", "allgather", "all_gather", "nccl")

_LEAST_CAPACITY = 1.0
"""The fullest expert has at least the mean, however many tokens are dropped."""
_MOST_BYTES = 32.0
"""Two moments and a master copy in 64 bits are 24; far more is a slip of the unit."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """``run`` of a setting, the levels of recompute and sharding of a mapping (None: not stated), the load of the fullest expert
    (None: usual), and whether the exchange runs behind another micro-batch.
    """

    run: Run
    recompute: int | None
    sharding: int | None
    imbalance: float | None
    overlap: bool


def run_facts(record: Mapping[str, Any]) -> RunFacts:
    """What the record's fields say; SkipRecord for a value nobody can mean."""
    level, parts = _recompute(record)
    plain = _collective(record)
    graph = _word(record.get("host_graph", record.get("cuda_graph")))
    waits = plain and graph not in ("full", "whole", "full_iteration", "true") and record.get("capacity_factor") is None
    layers = record.get("recompute_num_layers", record.get("recompute_layers"))
    blocks = "block" in f"{record.get('recompute')} {record.get('recompute_method')}".lower()
    return RunFacts(
        Run(
            **({} if record.get("host_gb_s") is None else {"host_rate": float(record["host_gb_s"]) * 1e9}),
            recomputed=parts,
            full_layers=_count(layers, "recompute_num_layers") if layers is not None and blocks else None,
            all_layers=level == 2 and not (layers is not None and blocks),
            expert_waits=waits,
            each_copy=plain,
            dispatch_bytes=_width(record.get("dispatch_dtype")),
            shard_group=_group(record),
            gradient_bytes=_width(record.get("gradient_dtype")),
            predictions=_count(record.get("mtp") or 0, "mtp"),
            optimizer_bytes=_bytes(record.get("optimizer_bytes")),
            offloaded=_share(record.get("activation_offload", record.get("cpu_offload"))),
        ),
        level,
        sharding(record),
        _imbalance(record),
        _truth(record.get("ep_overlap", record.get("moe_a2a_overlap"))),
    )


def _word(value: Any) -> str:
    return re.sub(r"[^a-z0-9]+", "_", str(value if value is not None else "").lower()).strip("_")


def _truth(value: Any) -> bool:
    return _word(value) not in ("", "false", "no", "none", "0", "off", "null")


_SHARDED = (
    (3, r"(full|hybrid)_?shard|^full$|^hybrid$|fsdp|hsdp|zero_?3|^3$"),
    (1, r"shard_grad|zero_?[12]|distributed_optimizer|optimizer|^[12]$"),
    (0, r"no_?shard|ddp|none|replicated|zero_?0|^0$|false"),
)
"""Levels of sharding by the names software has for them, the first that fits."""


def sharding(record: Mapping[str, Any]) -> int | None:
    """3 where weights are sharded over the copies, 1 where only the optimizer is, 0 where nothing is; None where the record is silent."""
    if _truth(record.get("fsdp")):
        return 3
    found = None
    for field in ("sharding", "zero"):
        name = _word(record.get(field))
        if not name:
            continue
        level = next((level for level, pattern in _SHARDED if re.search(pattern, name)), None)
        if level is None:
            raise SkipRecord(f"{field} is {record.get(field)!r}, which names no kind of sharding known here")
        found = level if found is None else max(found, level)
    return found


def _group(record: Mapping[str, Any]) -> int | None:
    """Ranks that fully sharded weights are spread over, where the record tells."""
    stated = record.get("shard_group")
    if stated is None and not isinstance(record.get("fsdp"), bool | str):
        stated = record.get("fsdp")
    group = 0 if stated is None else _count(stated, "shard_group")
    return group if group > 1 else None


def _recompute(record: Mapping[str, Any]) -> tuple[int | None, frozenset[str]]:
    """(level of the mapping, further parts): parts named one by one make the level that of the attention core alone."""
    named: list[str] = []
    for field in ("recompute", "recompute_modules"):
        value = record.get(field)
        listed = (
            value if isinstance(value, list | tuple) else re.split(r"[,+;]", str(value if value is not None else ""))
        )
        named += [_word(one) for one in listed if _word(one)]
    levels = [_WHOLE[one] for one in named if one in _WHOLE and not (one == "attention" and len(named) > 1)]
    parts = {_PARTS[one] for one in named if one in _PARTS and one not in _WHOLE}
    strange = [one for one in named if one not in _WHOLE and one not in _PARTS]
    if strange:
        known = ", ".join(sorted({*_WHOLE, *_PARTS}))
        raise SkipRecord(f"recompute names {strange[0]!r}, which is none of {known}")
    if not parts:
        return (max(levels) if levels else None), frozenset()
    if levels and max(levels) == 2:
        return 2, frozenset()
    return int("core_attn" in parts), frozenset(parts - {"core_attn"})


def _collective(record: Mapping[str, Any]) -> bool:
    """Whether the experts' exchange is one of the collective library, not of kernels that count on the device."""
    name = _word(record.get("dispatcher"))
    if name and name not in _PLAIN and not name.startswith(_COUNTING) and name not in ("none", "flex"):
        raise SkipRecord(f"dispatcher is {record.get('dispatcher')!r}; known are {', '.join((*_PLAIN, *_COUNTING))}")
    return name in _PLAIN


def _imbalance(record: Mapping[str, Any]) -> float | None:
    if record.get("expert_imbalance") is not None:
        stated = float(record["expert_imbalance"])
        if not stated >= 1.0:
            raise SkipRecord(f"expert_imbalance is {stated:g}; the fullest expert has at least the mean")
        return stated
    if record.get("capacity_factor") is not None:
        return max(float(record["capacity_factor"]), _LEAST_CAPACITY)
    return 1.0 if _word(record.get("expert_balance")) in ("forced", "force", "even", "balanced", "true") else None


def _count(value: Any, field: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise SkipRecord(f"{field} is {value!r}, where a count was expected")
    return number


def _width(form: Any) -> float | None:
    """Bytes of an element in a format; 32-bit gradients are the only ones wider than what products take."""
    if form is None:
        return None
    return 4.0 if _word(form) in ("fp32", "float32", "f32") else WIDTH_BYTES[number_format(form, "bf16")]


def _bytes(value: Any) -> float | None:
    if value is None:
        return None
    if not 0.0 <= float(value) <= _MOST_BYTES:
        raise SkipRecord(f"optimizer_bytes is {value!r}, where 0 to {_MOST_BYTES:g} was expected")
    return float(value)


def _share(value: Any) -> float:
    if value is None or isinstance(value, bool):
        return float(bool(value))
    try:
        share = float(value)
    except (TypeError, ValueError):
        return float(_truth(value))
    if not 0.0 <= share <= 1.0:
        raise SkipRecord(f"activation_offload is {value!r}, where a share from 0 to 1 was expected")
    return share
