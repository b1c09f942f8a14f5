"""Whether the numbers of a record can be meant: finite, and counts within what anybody has built.

A count that is not plausible is named in the reason, instead of being searched over for hours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optimizer.validation.records import SkipRecord

_MOST: Mapping[str, float] = {
    "n_accel": 2e6,
    "gbs": 1e7,
    "mbs": 1e6,
    "tp": 4096,
    "cp": 4096,
    "pp": 4096,
    "dp": 2e6,
    "ep": 65536,
    "etp": 4096,
    "vp": 4096,
    "batch": 1e6,
    "attn_dp": 65536,
    "attention_dp": 65536,
    "attention_dp_size": 65536,
    "dp_attention": 65536,
    "tp_size": 4096,
    "tensor_parallel": 4096,
    "pp_size": 4096,
    "moe_ep": 65536,
    "moe_tp": 65536,
    "batch_size": 1e6,
    "max_batch_size": 1e6,
    "concurrency": 1e7,
    "num_requests": 1e9,
    "max_num_seqs": 1e7,
    "workers": 1e6,
    "num_workers": 1e6,
    "avg_kv_len": 1e8,
    "nodes_per_unit": 65536,
    "gpus_per_node": 4096,
    "nodes": 1e6,
    "m": 1e9,
    "isl": 1e8,
    "osl": 1e8,
    "layers": 1e4,
    "hidden": 1e6,
    "heads": 1e5,
    "kv_heads": 1e5,
    "ffn": 1e7,
    "vocab": 1e8,
    "seq": 1e8,
    "experts": 1e6,
    "topk": 1e5,
    "moe_ffn": 1e7,
}
"""Largest count of a field, at least 1 where it is given."""

_MAY_BE_NONE = frozenset({"experts", "topk", "moe_ffn"})
"""Counts that print 0 for none."""


_POSITIVE = frozenset(
    {"tpot_ms", "user_tok_s", "tokens_per_s", "output_tokens_per_s", "output_throughput", "total_tokens_per_s"}
    | {"total_throughput", "tokens_per_s_per_gpu", "output_tokens_per_s_per_gpu", "output_tput_per_gpu"}
    | {"total_tokens_per_s_per_gpu", "tput_per_gpu"}
    | {"value", "gbs_tokens", "trained_tokens", "peak_tflops"}
    | {"tokens_s_per_gpu", "tokens_s_per_chip", "tokens_per_s_per_chip"}
)
"""Figures of serving and training that are above 0 where they are given."""


def check(record: Mapping[str, Any]) -> None:
    """SkipRecord that names the first field without a usable number; fields that are absent or null are left to the kinds."""
    for name, value in record.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise SkipRecord(f"{name} is not a finite number")
        if name in ("model", "prefill", "decode") and isinstance(value, Mapping):
            check(value)
        if name in _POSITIVE and value is not None and not _within(value, math.ulp(0.0), math.inf):
            raise SkipRecord(f"{name} is {value!r}, where a number above 0 was expected")
        most = _MOST.get(name)
        if most is None or value is None:
            continue
        least = 0.0 if name in _MAY_BE_NONE else 1.0
        if isinstance(value, bool | list | dict) or not _within(value, least, most):
            raise SkipRecord(f"{name} is {value!r}, where a number from {least:g} to {most:g} was expected")


def _within(value: object, least: float, most: float) -> bool:
    try:
        return least <= float(str(value)) <= most
    except ValueError:
        return False
