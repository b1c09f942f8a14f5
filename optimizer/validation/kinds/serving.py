"""Serving measurements of real engines: time per output token and time to the first one, at a stated batch and split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.physics.performance.cards import ModelShape
from models.physics.performance.inference import Role, best_serving, longest, total
from models.physics.performance.serving_step import ServingSetting, compute_dtype, decode_step, prefill, prefill_share
from optimizer.validation.lookup import Lookup
from optimizer.validation.names import number_format
from optimizer.validation.records import Row, SkipRecord, compared

_BAND = 0.25
_PROMPT, _ANSWER = 4096.0, 1024.0
_HITS = re.compile(r"([\d.]+)\s*%\s*KV-cache hits")


def claims(record: Mapping[str, Any]) -> bool:
    """A record of an engine with a named model and a latency or phase throughput."""
    named = "model_name" in record or isinstance(record.get("model"), str | Mapping)
    if not named or "scenario" in record or "metric" in record:
        return False
    return any(record.get(key) is not None for key in ("tpot_ms", "ttft_ms", "user_tok_s", "phase"))


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
}


def engine_of(record: Mapping[str, Any]) -> Engine:
    """The engine that decodes: the ``decode`` side of a disaggregated record, else the record itself.

    A printed batch is that of one attention group. ``concurrency`` is that of the whole record, spread over workers and groups.
    """
    side = record.get("decode")
    sources = [side, record] if isinstance(side, Mapping) else [record]

    def number(field: str) -> float | None:
        for source in sources:
            for name in _NAMES[field]:
                if source.get(name) is not None:
                    return float(source[name])
        return None

    tensor, groups, stages = (int(number(field) or 1) for field in ("tensor", "groups", "stages"))
    experts = next((int(s["moe_ep"]) * int(s.get("moe_tp") or 1) for s in sources if s.get("moe_ep")), 0)
    if number("tensor") is None and number("groups") is None:
        tensor = experts or int(record.get("n_accel") or 1) // stages or 1
    elif _groups_inside(record, tensor, groups, stages):
        tensor //= groups
    batch, workers = number("batch"), 1.0
    for source in sources:
        workers = float(source.get("workers") or source.get("num_workers") or workers)
    if batch is None and record.get("concurrency") is not None:
        batch = max(float(record["concurrency"]) / (groups * workers), 1.0)
    return Engine(tensor, groups, stages, batch)


def _groups_inside(record: Mapping[str, Any], tensor: int, groups: int, stages: int) -> bool:
    """Whether the printed tensor degree counts the whole engine, its attention groups included, as engines' own options do.

    The accelerators tell where they are printed; else as many groups as the degree says so: one attention group per accelerator.
    """
    if groups < 2 or tensor % groups:
        return False
    printed = record.get("n_accel")
    return int(printed) == tensor * stages if printed else tensor == groups


def _model(record: Mapping[str, Any], lookup: Lookup) -> ModelShape:
    """The model by its name where it has a card, else by the shape the record prints."""
    printed = record.get("model")
    name = str(record.get("model_name") or (printed if isinstance(printed, str) else ""))
    if isinstance(printed, Mapping) and not (name and lookup.knows(name)):
        return lookup.shape({"seq": 4096, **printed})
    return lookup.model(name)


_WIDE_CACHES = ("vllm", "sglang")
"""Engines that keep the cache in the format of activations unless told otherwise: by their options ("auto") or by the checkpoint, as
published 4-bit ones do (FP8)."""


def cache_format(record: Mapping[str, Any], dtype: str) -> str:
    """The format of the cache: as printed, else what the engine does by default, else 8 bits beside narrow weights."""
    engine = str(record.get("engine") or record.get("backend") or "").lower()
    wide = dtype not in ("fp8", "fp4") or (dtype != "fp4" and any(name in engine for name in _WIDE_CACHES))
    for key in ("cache_dtype", "kv_dtype", "kv_cache_dtype"):
        if record.get(key) not in (None, "", "auto"):
            return number_format(record[key], "bf16")
    return "bf16" if wide else "fp8"


_SEPARATE = ("sglang",)
"""Engines that prefill in passes of their own unless told otherwise; the others let prompts join the pass that decodes."""


def prompts_join(record: Mapping[str, Any]) -> bool:
    """Whether the record's engine prefills in the passes that decode."""
    engine = str(record.get("engine") or record.get("backend") or "").lower()
    return not any(name in engine for name in _SEPARATE)


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """Time per output token (judged), time to first token (shown: its queue depends on arrivals nobody prints)."""
    if record.get("phase") is not None and record.get("tokens_per_s") is not None:
        yield _phase(record, lookup)
        return
    model, card = _model(record, lookup), lookup.accelerator(record.get("accelerator"))
    dtype = number_format(record.get("precision") or record.get("dtype"), "bf16")
    engine = engine_of(record)
    if engine.batch is None or record.get("isl") is None or record.get("osl") is None:
        raise SkipRecord("batch or lengths are not printed")
    isl, osl = float(record["isl"]), float(record["osl"])
    tensor, packages = float(engine.tensor), engine.packages
    batch = np.array([engine.batch * engine.groups])
    cache = cache_format(record, dtype)
    network, compute = lookup.network(card, record), compute_dtype(card, dtype)
    s = ServingSetting(model, card, network, lookup.constants, packages, compute, cache, dtype)
    t = np.array([tensor])
    step = decode_step(s, t, batch, float(record.get("avg_kv_len") or isl + osl / 2.0))
    one = float(total(prefill(s, t, np.full(1, isl), isl))[0])
    terms = {name: float(value[0]) for name, value in step.items()}
    tpot = sum(terms.values())
    if str(record.get("mode") or "agg").startswith("agg"):
        terms["prefill"] = float(prefill_share(s, t, batch, isl, osl, joined=prompts_join(record))[0])
        tpot += terms["prefill"]
    shares = ", ".join(f"{k} {v / tpot:.0%}" for k, v in sorted(terms.items(), key=lambda i: -i[1])[:4])
    if record.get("tpot_ms") is not None:
        yield compared(
            record, "tpot_ms", tpot * 1e3, float(record["tpot_ms"]), band=_BAND, binding=longest(terms), note=shares
        )
    if record.get("user_tok_s") is not None:
        yield compared(
            record,
            "user_tok_s",
            1.0 / tpot,
            float(record["user_tok_s"]),
            band=_BAND,
            binding=longest(terms),
            note=shares,
        )
    if record.get("ttft_ms") is not None:
        note = "prefill of one prompt and one step; arrivals and queueing are not printed"
        yield compared(
            record,
            "ttft_ms",
            (one + tpot) * 1e3,
            float(record["ttft_ms"]),
            band=_BAND,
            binding="prefill",
            note=note,
            judged=False,
        )


def _phase(record: Mapping[str, Any], lookup: Lookup) -> Row:
    """Tokens per second of a node whose replicas do one phase only."""
    model, card = _model(record, lookup), lookup.accelerator(record.get("accelerator"))
    node = int(record["n_accel"])
    packages = max(node * int(record.get("nodes_per_unit") or 1), int(record.get("ep") or 1))
    role = Role.PREFILL if str(record["phase"]) == "prefill" else Role.DECODE
    dtype = number_format(record.get("precision") or record.get("dtype"), "fp8")
    osl = float(record.get("osl") or _ANSWER)
    held = float(record["avg_kv_len"]) - osl / 2.0 if record.get("avg_kv_len") else _PROMPT
    isl = float(record.get("isl") or max(held, 1.0))
    limit = float(record["tpot_ms"]) / 1e3 if record.get("tpot_ms") else None
    if limit is None and record.get("user_tok_s"):
        limit = 1.0 / float(record["user_tok_s"])
    found = best_serving(
        model,
        card,
        lookup.network(card, record),
        packages,
        isl,
        osl,
        lookup.constants,
        dtype,
        role=role,
        tpot_limit=limit,
    )
    if found is None:
        raise SkipRecord("the model finds no replica of this size that holds the weights")
    hits = _HITS.search(str(record.get("note") or ""))
    value = found.tokens_s * node / packages / (1.0 - float(hits[1]) / 100.0 if hits else 1.0)
    averaged = "average" in str(record.get("note") or "")
    note = "saturated engine; the record is an average over a day of varying load" if averaged else "saturated engine"
    return compared(
        record, "tokens_per_s", value, float(record["tokens_per_s"]), band=_BAND, binding=found.binding, note=note,
        judged=not averaged,
    )  # fmt: skip
