"""Published training runs: step time, throughput or utilisation of a model on so many accelerators.

Fields of the mapping that are null or absent are searched over, and the best that fits in memory is taken. A record without any
sharding field is tried as its software of the time did it (fp16: replicated; later: sharded optimizer), then with any sharding;
one without any degree of parallelism is searched over all of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from models.physics.performance.cards import AcceleratorCard, ModelShape
from models.physics.performance.constants import PerformanceConstants
from models.physics.performance.mapping import Fixed, MappingChoice, Mappings, enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.training import MappingResult, describe, search
from models.physics.performance.training import evaluate as evaluate_mappings
from optimizer.validation.lookup import Lookup
from optimizer.validation.names import number_format
from optimizer.validation.records import Row, SkipRecord, compared
from optimizer.validation.run_facts import FIELDS, run_facts

_BATCH_TOKENS = 2 * 2**20
_PERCENT = 1.5
"""A utilisation above this is printed in percent."""
EVALUATION_SHARE = 0.114
"""Minutes of a benchmark run beyond its training steps; the mean of the runs that print both."""

_WORDS = {
    **dict.fromkeys(("second", "seconds", "sec"), "s"),
    **dict.fromkeys(("token", "tok"), "tokens"),
    **dict.fromkeys(("chip", "accel", "accelerator", "device"), "gpu"),
    **dict.fromkeys(("percent", "pct", "per"), ""),
    **dict.fromkeys(("iter", "it"), "iteration"),
    "minutes": "min",
    "tflop": "tflops",
}
"""Words of a metric's name that mean the same; "" for those that add nothing."""


def _spelt(metric: object) -> str:
    """A metric's name in one spelling: ``tok/s/GPU``, ``tokens_per_s_per_chip`` and ``tokens per second per device`` alike."""
    words = re.findall(r"[a-z0-9]+", str(metric).lower())
    return "_".join(filter(None, (_WORDS.get(word, word) for word in words)))


_METRICS = {
    "step_time_s": "step_time_s",
    "seconds_per_step": "step_time_s",
    "iteration_time_s": "step_time_s",
    "time_per_step_s": "step_time_s",
    "seconds_per_iteration": "step_time_s",
    "step_time_ms": "step_time_ms",
    "iteration_time_ms": "step_time_ms",
    "time_per_step_ms": "step_time_ms",
    "ms_per_step": "step_time_ms",
    "ms_per_iteration": "step_time_ms",
    "hw_tflops_per_gpu": "hw_tflops_per_gpu",
    "hfu": "hfu",
    "model_tflops_per_gpu": "model_tflops_per_gpu",
    "tflops_per_gpu": "model_tflops_per_gpu",
    "tflop_per_s_per_gpu": "model_tflops_per_gpu",
    "mfu": "mfu",
    "time_to_train_min": "time_to_train_min",
    "gpu_hours_per_trillion_tokens": "gpu_hours_per_trillion_tokens",
    "days_for_300B_tokens_ideal": "days_for_300B_tokens_ideal",
    "tokens_s_per_gpu": "tokens_s_per_chip",
    "tokens_per_gpu_per_s": "tokens_s_per_chip",
    "tgs": "tokens_s_per_chip",
    "tokens_per_s": "tokens_per_s",
    "samples_per_s": "samples_per_s",
    "sequences_per_s": "samples_per_s",
}
METRICS = {_spelt(name): ours for name, ours in _METRICS.items()}
"""Names of metrics in one spelling, and the name we give each."""


def metric_of(record: Mapping[str, Any]) -> str:
    """The name we give a record's metric; "" for one nobody knows."""
    return METRICS.get(_spelt(record.get("metric")), "")


PRODUCTION = frozenset({"gpu_hours_per_trillion_tokens"})
"""Metrics of whole production runs, stops and slow days included, not of their steps."""


def claims(record: Mapping[str, Any]) -> bool:
    """A record with a model, a number of accelerators and a metric."""
    named = isinstance(record.get("model"), Mapping | str) or record.get("model_name") is not None
    return named and "metric" in record and "n_accel" in record


@dataclass(frozen=True)
class Case:
    """A record made ready: what is held fixed and every mapping that its stated fields allow."""

    setting: Setting
    mappings: Mappings
    accelerators: int

    def predict(self, constants: PerformanceConstants) -> tuple[MappingResult, bool]:
        """The best mapping, and whether any passes the memory filter; the fastest of all where none does."""
        setting = replace(self.setting, constants=constants)
        found = search(setting, self.mappings)
        if found is not None:
            return found, True
        times = evaluate_mappings(setting, self.mappings)
        return describe(setting, self.mappings, times, int(np.argmin(times.step))), False


def prepare(record: Mapping[str, Any], lookup: Lookup) -> Case:
    """The case of a record; SkipRecord when the model does not cover it."""
    if record["n_accel"] is None:
        raise SkipRecord("the record prints no n_accel")
    card = lookup.accelerator(record.get("accelerator"))
    model = lookup.stated(record)
    packages = int(record["n_accel"])
    dtype = number_format(record.get("dtype") or record.get("precision"), "bf16")
    card.peak_of(dtype)
    network = lookup.network(card, record)
    batch = _batch(record, model, packages)
    schedule = str(record.get("schedule") or "").lower()
    dual = "dual" in schedule
    facts = run_facts(record)
    if model.experts and int(record.get("ep") or 1) > model.experts:
        raise SkipRecord(f"ep is {record['ep']}, more than the {model.experts} experts")
    zero_bubble = dual or "zero" in schedule or schedule.startswith("zb")
    setting = Setting(
        model,
        card,
        network,
        float(batch),
        dtype,
        lookup.constants,
        lookup.runs(dtype, card, record),
        bubble_factor=1.0 / 3.0 if zero_bubble else 1.0,
        expert_overlap=dual or facts.overlap,
        run=facts.run,
    )
    if facts.imbalance is not None:
        setting = replace(setting, expert_imbalance=facts.imbalance)
    return Case(setting, _mappings(record, setting, packages, batch), packages)


_ROUNDED = 0.05
"""How far a batch printed in tokens may be from the sequences that were run: such figures are rounded."""


def _batch(record: Mapping[str, Any], model: ModelShape, packages: int) -> int:
    """Sequences of a step: as printed, else those nearest to the printed tokens that divide as a run's batch does, else the usual."""
    if record.get("gbs"):
        return round(float(record["gbs"])) or _usual_batch(model, packages)
    about = float(record.get("gbs_tokens") or 0.0) / model.seq
    if about < 0.5:
        return _usual_batch(model, packages)
    if record.get("dp"):
        unit = int(record["dp"]) * int(record.get("mbs") or 1)
        return max(round(about / unit), 1) * unit
    near = range(max(math.ceil(about * (1.0 - _ROUNDED)), 1), math.floor(about * (1.0 + _ROUNDED)) + 1)
    return max(near, key=lambda b: (math.gcd(b, packages), -abs(b - about)), default=max(round(about), 1))


def _usual_batch(model: ModelShape, packages: int) -> int:
    """About two million tokens per step, a whole number of sequences per package."""
    return packages * max(1, round(_BATCH_TOKENS / (model.seq * packages)))


def _mappings(record: Mapping[str, Any], setting: Setting, packages: int, batch: int) -> Mappings:
    stated = run_facts(record).sharding
    usual: int | None = stated if stated is not None else (0 if setting.dtype == "fp16" else 1)
    if setting.dtype != "fp16" and all(record.get(degree) is None for degree in ("tp", "pp", "dp")):
        usual = stated
    for shard in dict.fromkeys((usual, stated)):
        fixed = _fixed(record, shard)
        found = enumerate_mappings(setting.model, packages, batch, fixed)
        if len(found) == 0 and fixed.vp is None and fixed.pp and fixed.pp > 1:
            found = enumerate_mappings(setting.model, packages, batch, replace(fixed, vp=1))
        if len(found) == 0 and fixed.mbs and fixed.dp:
            # an uneven last micro-batch: the mapping of the nearest even batch, at the batch that was run
            unit = fixed.mbs * fixed.dp
            found = enumerate_mappings(setting.model, packages, max(round(batch / unit), 1) * unit, fixed)
        if len(found) and (stated is not None or search(setting, found) is not None):
            return found
    if len(found) == 0:
        raise SkipRecord("the stated mapping does not divide the accelerators or the batch")
    return found


def _fixed(record: Mapping[str, Any], shard: int | None) -> Fixed:
    def whole(key: str) -> int | None:
        value = record.get(key)
        return None if value is None else int(value)

    sp = record.get("seq_parallel")
    if isinstance(sp, str):
        sp = sp.strip().lower() not in ("", "0", "false", "no", "none", "off")
    alone = whole("tp") == 1
    return Fixed(
        tp=whole("tp"),
        cp=whole("cp"),
        pp=whole("pp"),
        dp=whole("dp"),
        ep=whole("ep"),
        etp=whole("etp"),
        vp=whole("vp"),
        mbs=whole("mbs"),
        recompute=run_facts(record).recompute,
        sp=None if sp is None else int(bool(sp) and not alone),
        shard=shard,
    )


def published_unit(
    metric: str,
    record: Mapping[str, Any],
    model: ModelShape,
    card: AcceleratorCard,
    packages: int,
    batch: float,
    step: float,
) -> float:
    """A step time in the unit of a metric; the operation counts are those the sources use (no causal saving)."""
    tokens = batch * model.seq
    rate = tokens / step
    attention = 12.0 * model.layers * model.heads * model.dim * model.seq
    output = float(model.vocab) * model.hidden
    if metric == "step_time_s":
        return step
    if metric == "step_time_ms":
        return step * 1e3
    if metric in ("hw_tflops_per_gpu", "hfu"):
        layers = model.active_params() - output
        operations = (8.0 * layers + 4.0 / 3.0 * attention + 6.0 * output) * rate / packages
        return operations / 1e12 if metric == "hw_tflops_per_gpu" else operations / card.peak_of("bf16")
    if metric == "model_tflops_per_gpu":
        return (6.0 * model.active_params() + attention) * rate / packages / 1e12
    if metric == "mfu":
        weights = model.active_params() if model.experts else model.params()
        each = 6.0 * weights + attention
        return each * rate / packages / _printed_peak(record, card, each)
    if metric == "time_to_train_min":
        return float(record["trained_tokens"]) / rate / 60.0 * (1.0 + EVALUATION_SHARE)
    if metric == "gpu_hours_per_trillion_tokens":
        return 1e12 / rate * packages / 3600.0
    if metric == "days_for_300B_tokens_ideal":
        return 300e9 / rate / 86400.0
    if metric == "samples_per_s":
        return batch / step
    return rate if metric == "tokens_per_s" else rate / packages


def _printed_peak(record: Mapping[str, Any], card: AcceleratorCard, operations: float) -> float:
    """The peak [FLOP/s] a printed utilisation refers to, ``operations`` per token: the one the record states, else 16-bit products'.

    Sources differ for narrow formats. Where a record prints its tokens per second too, the two figures tell which peak was meant.
    """
    if record.get("peak_tflops"):
        return float(record["peak_tflops"]) * 1e12
    wide = card.peak_of("bf16")
    narrow = card.peak.get(number_format(record.get("dtype") or record.get("precision"), "bf16"), wide)
    rate = next((float(record[key]) for key in _RATES if record.get(key)), None)
    if rate is None or not record.get("value"):
        return wide
    meant = operations * rate / float(record["value"])
    return min((wide, narrow), key=lambda peak: abs(math.log(meant / peak)))


_RATES = ("tokens_s_per_gpu", "tokens_per_s_per_gpu", "tokens_s_per_chip")


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """One row: the record's metric."""
    metric = metric_of(record)
    if not metric:
        raise SkipRecord(f"no model for the metric {record['metric']!r}")
    if record.get("value") is None:
        raise SkipRecord("no published value")
    case = prepare(record, lookup)
    if metric in ("step_time_s", "step_time_ms") and not (record.get("gbs") or record.get("gbs_tokens")):
        raise SkipRecord("a step time without the batch of a step")
    result, fits = case.predict(lookup.constants)
    setting = case.setting
    production = metric in PRODUCTION
    step = result.step_s / (lookup.constants.production_factor if production else 1.0)
    if metric == "time_to_train_min" and record.get("trained_tokens") is None:
        raise SkipRecord("minutes without the number of tokens trained")
    value = published_unit(
        metric, record, setting.model, setting.accelerator, case.accelerators, setting.global_batch, step
    )
    if metric in ("mfu", "hfu") and float(record["value"]) > _PERCENT:
        value *= 100.0
    note = describe_result(result.mapping, result)
    if production:
        note += f"; whole runs, at the production factor {lookup.constants.production_factor:.2f}"
    if unused := unread(record):
        note += f"; not read: {', '.join(unused)}"
    if not fits:
        note += "; the memory filter would reject it"
    yield compared(
        record,
        str(record["metric"]),
        value,
        float(record["value"]),
        band=setting.accelerator.kernels.band,
        binding=result.binding,
        note=note,
    )


_READ = FIELDS | frozenset(
    [
        "id",
        "group",
        "model",
        "model_name",
        "accelerator",
        "n_accel",
        "gbs",
        "gbs_tokens",
        "dtype",
        "precision",
        "metric",
        "value",
        "confirmed",
        "source",
        "note",
        "section",
        "network",
        "gpus_per_node",
        "schedule",
        "tp",
        "cp",
        "pp",
        "dp",
        "ep",
        "etp",
        "vp",
        "mbs",
        "seq_parallel",
        "seq",
        "seq_len",
        "trained_tokens",
        "peak_tflops",
    ]
)
_MODEL = frozenset(field.name for field in fields(ModelShape)) | {"params_total", "params_active"}


def unread(record: Mapping[str, Any]) -> list[str]:
    """Fields of a record, and of its model, that hold something and change nothing here."""
    used = _READ | set(_RATES) if metric_of(record) == "mfu" else _READ
    model = record.get("model")
    inside = model if isinstance(model, Mapping) else {}
    found = [str(name) for name, value in record.items() if value is not None and name not in used]
    return found + [f"model.{name}" for name, value in inside.items() if value is not None and name not in _MODEL]


def describe_result(mapping: MappingChoice, result: MappingResult) -> str:
    """The mapping and the shares of its largest terms in words."""
    shares = sorted(result.terms.items(), key=lambda item: -item[1])[:4]
    listed = ", ".join(f"{name} {seconds / result.step_s:.0%}" for name, seconds in shares if seconds > 0)
    return f"{mapping}: {listed}"
