"""How a serving record's engine is cut, in which formats it computes and caches, and what of its rate a record prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from optimizer.validation.names import number_format
from optimizer.validation.records import SkipRecord


@dataclass(frozen=True, slots=True)
class Engine:
    """How a record's engine is cut: tensor degree of attention, attention groups, stages, and sequences of one group (None: not printed)."""

    tensor: int
    groups: int
    stages: int
    batch: float | None

    @property
    def packages(self) -> int:
        """Accelerators of one replica."""
        return self.tensor * self.groups * self.stages


_NAMES = {
    "tensor": ("tp", "tp_size", "tensor_parallel"),
    "groups": ("attn_dp", "attention_dp", "attention_dp_size", "dp_attention", "dp"),
    "stages": ("pp", "pp_size"),
    "batch": ("batch", "batch_size", "max_batch_size"),
    "workers": ("workers", "num_workers"),
}


def _sides(record: Mapping[str, Any], side: str) -> list[Mapping[str, Any]]:
    cut = record.get(side)
    return [cut, record] if isinstance(cut, Mapping) else [record]


def _number(sources: list[Mapping[str, Any]], field: str) -> float | None:
    for source in sources:
        for name in _NAMES[field]:
            if source.get(name) is not None:
                return float(source[name])
    return None


def engine_of(record: Mapping[str, Any], side: str = "decode") -> Engine:
    """The engine that decodes (or the one of the other ``side``): that side of a disaggregated record, else the record itself.

    A printed batch is that of one attention group. ``concurrency`` is that of the whole record, spread over workers and groups.
    """
    sources = _sides(record, side)
    tensor, groups, stages = (int(_number(sources, field) or 1) for field in ("tensor", "groups", "stages"))
    experts = next((int(s["moe_ep"]) * int(s.get("moe_tp") or 1) for s in sources if s.get("moe_ep")), 0)
    side_of_square = _counted_twice(record, sources, tensor * groups)
    if _number(sources, "tensor") is None and _number(sources, "groups") is None:
        tensor = experts or int(record.get("n_accel") or 1) // stages or 1
    elif _groups_inside(record, tensor, groups, stages):
        tensor //= groups
    batch = _number(sources, "batch")
    if batch is None and record.get("concurrency") is not None:
        batch = max(float(record["concurrency"]) / (groups * workers(record, side)), 1.0)
    if side_of_square:
        return Engine(
            max(tensor // side_of_square, 1) if groups == 1 else tensor,
            max(groups // side_of_square, 1),
            stages,
            batch if groups == 1 or batch is None else batch * side_of_square,
        )
    return Engine(tensor, groups, stages, batch)


_SQUARED = "aiconfigurator"
"""A source whose samples print an engine of k accelerators, all its experts split over them, as k x k (its configurations, as the
benchmark that ran them publishes them, have k: ``tp: 4, ep: 4``, printed as tensor 16 with experts 4 x 4)."""


def _counted_twice(record: Mapping[str, Any], sources: list[Mapping[str, Any]], packages: int) -> int:
    """k where the record prints k x k accelerators for k, else 0."""
    if _SQUARED not in str(record.get("source") or ""):
        return 0
    for source in sources:
        if source.get("moe_ep") and source.get("moe_tp"):
            k = int(source["moe_ep"])
            return k if k > 1 and k == int(source["moe_tp"]) and packages == k * k else 0
    return 0


def workers(record: Mapping[str, Any], side: str = "decode") -> float:
    """Engines of a side; one where the record prints none."""
    return _number(_sides(record, side), "workers") or 1.0


def tensor_printed(record: Mapping[str, Any]) -> bool:
    """Whether the record prints its tensor degree, or its attention groups."""
    sources = _sides(record, "decode")
    return bool(_number(sources, "tensor") or _number(sources, "groups"))


def is_cut(record: Mapping[str, Any]) -> bool:
    """Whether the record says over how many accelerators its engine is spread."""
    sources = _sides(record, "decode")
    printed = _number(sources, "tensor") or _number(sources, "groups") or _number(sources, "stages")
    return bool(printed or record.get("n_accel") or any(source.get("moe_ep") for source in sources))


def _groups_inside(record: Mapping[str, Any], tensor: int, groups: int, stages: int) -> bool:
    """Whether the printed tensor degree counts the whole engine, its attention groups included, as engines' own options do.

    The accelerators tell where they are printed; else as many groups as the degree says so: one attention group per accelerator.
    """
    if groups < 2 or tensor % groups:
        return False
    printed = record.get("n_accel")
    return int(printed) == tensor * stages if printed else tensor == groups


_BITS = {"4": "fp4", "8": "fp8", "16": "bf16"}
_WEIGHT_ONLY = ("int4", "uint4", "awq", "gptq", "4bit", "nf4")


def formats_of(record: Mapping[str, Any], usual: str) -> tuple[str, str | None]:
    """(format of the weights, format of the products where the record tells it apart from what the part would use).

    ``w4a16``, ``w8a8`` and the like name both; 4-bit integers are weights alone, multiplied in 16 bits.
    """
    text = record.get("precision") or record.get("dtype")
    if record.get("compute_dtype"):
        return number_format(text, usual), number_format(record["compute_dtype"], usual)
    plain = re.sub(r"[^a-z0-9]+", "_", str(text or "").lower())
    if (match := re.search(r"w(4|8|16)_?a(4|8|16)", plain)) is not None:
        stored, computed = _BITS[match[1]], _BITS[match[2]]
        if "int8" in plain:
            stored, computed = (name.replace("fp8", "int8") for name in (stored, computed))
        return stored, computed
    if "mxfp4" in plain:
        # the published checkpoints of this format leave activations wider; engines take 8 bits where parts have 4-bit products
        return "fp4", "fp8"
    if any(part.startswith(_WEIGHT_ONLY) for part in plain.split("_")):
        return "fp4", "bf16"
    return number_format(text, usual), None


_WIDE_CACHES = ("vllm", "sglang")
"""Engines that keep the cache in the format of activations unless told otherwise: by their options ("auto") or by the checkpoint, as
published 4-bit ones do (FP8)."""
_SEPARATE = ("sglang",)
"""Engines that prefill in passes of their own unless told otherwise; the others let prompts join the pass that decodes."""
_UNBALANCED = ("vllm", "sglang")
"""Engines whose attention groups prefill as prompts come; the others (TensorRT-LLM) hold prompts until every group has one."""


def _engine_name(record: Mapping[str, Any]) -> str:
    return str(record.get("engine") or record.get("backend") or "").lower()


def cache_format(record: Mapping[str, Any], dtype: str) -> str:
    """The format of the cache: as printed, else what the engine does by default, else 8 bits beside narrow products."""
    wide = dtype not in ("fp8", "fp4") or (dtype != "fp4" and any(e in _engine_name(record) for e in _WIDE_CACHES))
    wide = wide or formats_of(record, dtype)[1] == "bf16"
    for key in ("cache_dtype", "kv_dtype", "kv_cache_dtype"):
        if record.get(key) not in (None, "", "auto"):
            return number_format(record[key], "bf16")
    return "bf16" if wide else "fp8"


_MOST_SEQUENCES = {"vllm": 256.0, "trtllm": 2048.0}
"""Sequences that an attention group of an engine has in flight at most unless told otherwise (``max_num_seqs``, ``max_batch_size``)."""


def most_sequences(record: Mapping[str, Any]) -> float:
    """The most sequences an attention group of the record's engine has in flight: as printed, else the engine's default, else any number."""
    for key in ("max_num_seqs", "max_batch", "max_running_requests"):
        if record.get(key) is not None:
            return max(float(record[key]), 1.0)
    return next((most for name, most in _MOST_SEQUENCES.items() if name in _engine_name(record)), inf)


_LARGE = 8
"""Most ranks that experts are spread over without redundant ones: wider spreads are published with load balancers (TensorRT-LLM calls more
than 8 large, DeepSeek's and SGLang's deployments of 16 and more place redundant experts)."""


def expert_ranks(record: Mapping[str, Any], packages: int) -> int | None:
    """Ranks that the record's experts are spread over, where it prints that they are cut as well (None: all packages)."""
    for source in _sides(record, "decode"):
        ranks, cut = int(source.get("moe_ep") or 0), int(source.get("moe_tp") or 0)
        if ranks and cut > 1 and ranks * cut == packages:
            return ranks
    return None


def experts_balanced(record: Mapping[str, Any], ranks: int) -> bool:
    """Whether redundant experts even out the load of the record's ranks: as it says, else where it spreads them over many."""
    for key in ("eplb", "enable_eplb", "expert_load_balancer"):
        if (told := str(record.get(key) if record.get(key) is not None else "").strip().lower()) != "":
            return told not in _DENIED
    return ranks > _LARGE


_DENIED = ("0", "false", "no", "none", "null", "off", "n/a", "disabled")


_GRAPH_BATCHES = (1.0, 2.0, 4.0, 8.0, *(float(n) for n in range(16, 129, 8)), 256.0, 512.0, 1024.0, 2048.0)
"""Batches that TensorRT-LLM 1 records its decoding for by default, to the next of which it fills a step up (NVIDIA/TensorRT-LLM,
docs/source/blogs/tech_blog/blog20_Tuning_CUDA_Graph_Batch_Sizes_for_Higher_Output_Throughput.md); vLLM and SGLang record every few."""
_COMPILED = re.compile(r"(trtllm|tensorrt[-_ ]?llm)\D*0\.\d")


def graph_batches(record: Mapping[str, Any]) -> tuple[float, ...]:
    """Batches that the decoding of the record's engine is recorded for, a lone number being the largest; none where it takes any."""
    if record.get("graph_batches") is not None:
        sizes = {float(size) for size in re.findall(r"\d+", str(record["graph_batches"]))} - {0.0}
        return tuple(
            sorted(sizes if len(sizes) != 1 else sizes | {size for size in _GRAPH_BATCHES if size < max(sizes)})
        )
    name = _engine_name(record)
    if not any(part in name for part in ("trtllm", "tensorrt")) or _COMPILED.search(name):
        return ()
    return _GRAPH_BATCHES


def prompts_join(record: Mapping[str, Any]) -> bool:
    """Whether the record's engine prefills in the passes that decode."""
    return not any(name in _engine_name(record) for name in _SEPARATE)


def prompts_balanced(record: Mapping[str, Any]) -> bool:
    """Whether the attention groups of the record's engine prefill at once."""
    return not any(name in _engine_name(record) for name in _UNBALANCED)


RATES: Mapping[str, tuple[bool, bool]] = {
    "tokens_per_s": (False, False),
    "output_tokens_per_s": (False, False),
    "output_throughput": (False, False),
    "total_tokens_per_s": (False, True),
    "total_throughput": (False, True),
    "tokens_per_s_per_gpu": (True, False),
    "output_tokens_per_s_per_gpu": (True, False),
    "output_tput_per_gpu": (True, False),
    "total_tokens_per_s_per_gpu": (True, True),
    "tput_per_gpu": (True, True),
}
"""Printed rates: (of one accelerator, prompts counted too)."""

_LIMITS = {
    "ttft": ("ttft_limit_ms", "ttft_slo_ms", "max_ttft_ms"),
    "tpot": ("tpot_limit_ms", "tpot_slo_ms", "max_tpot_ms"),
}


def limits_of(record: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Limits [s] on the first and on every further token, where the record prints any."""
    found: list[float | None] = []
    for names in _LIMITS.values():
        stated = next((float(record[name]) for name in names if record.get(name) is not None), None)
        if stated is not None and stated <= 0.0:
            raise SkipRecord("a limit on latency is not positive")
        found.append(None if stated is None else stated / 1e3)
    return found[0], found[1]
