"""Serving measurements of real engines: time per output token, time to the first one, and tokens per second, at a stated batch and
split or within stated limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import ModelShape
from models.physics.performance.finite_run import run_seconds
from models.physics.performance.inference import (
    MAX_BATCH,
    MEMORY_SHARE,
    Role,
    ServingResult,
    best_serving,
    cache_room,
    longest,
    sequence_bytes,
    total,
    weight_bytes,
)
from models.physics.performance.mapping import divisors
from models.physics.performance.prompts import prefill_share
from models.physics.performance.serving_setting import ServingSetting, compute_dtype
from models.physics.performance.serving_step import decode_step, prefill
from optimizer.validation.lookup import Lookup
from optimizer.validation.records import Row, SkipRecord, compared
from optimizer.validation.serving_engines import (
    RATES,
    Engine,
    cache_format,
    engine_of,
    expert_ranks,
    experts_balanced,
    formats_of,
    graph_batches,
    is_cut,
    limits_of,
    most_sequences,
    prompts_balanced,
    prompts_join,
    tensor_printed,
    workers,
)

_BAND = 0.25
_PROMPT, _ANSWER = 4096.0, 1024.0
"""Tokens of prompts and answers where a record prints no length."""
_HALVINGS = 30
Array = NDArray[np.float64]
_HITS = re.compile(r"([\d.]+)\s*%\s*KV-cache hits")


def claims(record: Mapping[str, Any]) -> bool:
    """A record of an engine with a named model and a latency, a phase or a rate of tokens."""
    named = "model_name" in record or isinstance(record.get("model"), str | Mapping)
    if not named or "scenario" in record or "metric" in record:
        return False
    if any(record.get(key) is not None for key in ("tpot_ms", "ttft_ms", "user_tok_s", "phase")):
        return True
    return "isl" in record and "osl" in record and any(record.get(key) is not None for key in RATES)


def _model(record: Mapping[str, Any], lookup: Lookup) -> ModelShape:
    """The model by its name where it has a card, else by the shape the record prints."""
    printed = record.get("model")
    name = str(record.get("model_name") or (printed if isinstance(printed, str) else ""))
    if isinstance(printed, Mapping) and not (name and lookup.knows(name)):
        return lookup.shape({"seq": 4096, **printed})
    return lookup.model(name)


def _setting(record: Mapping[str, Any], lookup: Lookup, packages: int, usual: str) -> ServingSetting:
    """The replica of a record in its formats."""
    model, card = _model(record, lookup), lookup.accelerator(record.get("accelerator"))
    stored, computed = formats_of(record, usual)
    compute = compute_dtype(card, computed or stored)
    cache, ranks = cache_format(record, stored), expert_ranks(record, packages)
    return ServingSetting(
        model,
        card,
        lookup.network(card, record),
        lookup.constants,
        packages,
        compute,
        cache,
        stored,
        expert_ranks=ranks,
        expert_balance=experts_balanced(record, ranks or packages),
        graph_batches=graph_batches(record),
    )


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """Time per output token and rates (judged), time to first token (shown: its queue depends on arrivals nobody prints)."""
    if record.get("phase") is not None and record.get("tokens_per_s") is not None:
        yield _phase(record, lookup)
        return
    if record.get("isl") is None or record.get("osl") is None:
        raise SkipRecord("batch or lengths are not printed")
    engine = engine_of(record)
    if engine.batch is None:
        yield from _within_limits(record, lookup, engine)
        return
    yield from _at_batch(record, lookup, engine, engine.batch)


def _at_batch(record: Mapping[str, Any], lookup: Lookup, engine: Engine, each: float) -> Iterable[Row]:
    isl, osl = float(record["isl"]), float(record["osl"])
    s, note = _setting(record, lookup, engine.packages // engine.stages, "bf16"), ""
    if not is_cut(record):
        engine = replace(engine, tensor=_fewest(s, each, isl + osl))
        s, note = (
            replace(s, packages=engine.packages),
            f"; no split is printed: the fewest that hold it, {engine.tensor}",
        )
    t, batch, terms = _decoding(record, s, engine, each)
    tpot = sum(terms.values())
    one = float(total(prefill(s, t, np.full(1, isl), isl))[0])
    mixed = _is_mixed(record)
    shares = ", ".join(f"{k} {v / tpot:.0%}" for k, v in sorted(terms.items(), key=lambda i: -i[1])[:4]) + note
    if float((weight_bytes(s, t) + batch * sequence_bytes(s, t, isl + osl) / engine.groups)[0]) > (
        s.accelerator.hbm_bytes * engine.stages
    ):
        shares += "; more than the accelerators hold, by our count"
    found = {"tpot_ms": tpot * 1e3, "user_tok_s": 1.0 / tpot}
    count = workers(record)
    held = engine.packages * count
    if mixed and record.get("n_accel"):
        count, held = max(float(record["n_accel"]) / engine.packages, 1.0), float(record["n_accel"])
    if not mixed:
        held += engine_of(record, "prefill").packages * workers(record, "prefill")
    found |= _rates(float(batch[0]) * count / tpot, held, isl, osl)
    for metric, value in found.items():
        if record.get(metric) is not None:
            yield compared(
                record, metric, value, float(record[metric]), band=_BAND, binding=longest(terms), note=shares
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


def _is_mixed(record: Mapping[str, Any]) -> bool:
    return str(record.get("mode") or "agg").startswith("agg")


def _decoding(
    record: Mapping[str, Any], s: ServingSetting, engine: Engine, each: float
) -> tuple[Array, Array, dict[str, float]]:
    """(tensor degree, sequences that decode, seconds of a step by term).

    Of the sequences a client keeps in flight, those that wait for their first token do not decode: with the printed time to first
    token W, N in flight and a answer tokens each, N a TPOT / (W + a TPOT) do, as a cycle of requests spends its time. Of p pipeline
    stages each works on a p-th of them at a time, and a token passes all: TPOT is that of one stage's packages with all the layers.
    """
    isl, osl = float(record["isl"]), float(record["osl"])
    waiting = float(record.get("ttft_ms") or 0.0) / 1e3
    if waiting < 0.0:
        raise SkipRecord("the time to first token is negative")
    t, context = np.array([float(engine.tensor)]), float(record.get("avg_kv_len") or isl + osl / 2.0)

    def step(batch: float) -> dict[str, float]:
        b = np.array([batch / engine.stages])
        terms = {name: float(value[0]) for name, value in decode_step(s, t, b, context).items()}
        if _is_mixed(record):
            joined, balanced = prompts_join(record), prompts_balanced(record)
            terms["prefill"] = float(prefill_share(s, t, b, isl, osl, joined=joined, balanced=balanced)[0])
        return terms

    whole = each * engine.groups
    low, high = 0.0, whole
    for _ in range(_HALVINGS if waiting else 0):
        middle = (low + high) / 2.0
        busy = osl * sum(step(middle).values())
        low, high = (middle, high) if middle < whole * busy / (waiting + busy) else (low, middle)
    return t, np.array([high]), step(high)


def _rates(tokens_s: float, packages: float, isl: float, osl: float) -> dict[str, float]:
    """Every rate a record may print, from the output tokens per second of all ``packages``."""
    return {
        name: tokens_s / (packages if each else 1.0) * ((isl + osl) / osl if both else 1.0)
        for name, (each, both) in RATES.items()
    }


def _fewest(s: ServingSetting, each: float, tokens: float) -> int:
    """The smallest tensor degree within a scale-up domain that holds the weights and ``each`` sequences."""
    for degree in divisors(int(min(s.network.domain, 4096.0))):
        trial, t = replace(s, packages=degree), np.array([float(degree)])
        held = float((weight_bytes(trial, t) + each * sequence_bytes(trial, t, tokens))[0])
        if s.model.heads % degree == 0 and held <= MEMORY_SHARE * s.accelerator.hbm_bytes:
            return degree
    raise SkipRecord("no split is printed, and no scale-up domain holds the model and its sequences")


def _within_limits(record: Mapping[str, Any], lookup: Lookup, engine: Engine) -> Iterable[Row]:
    """Rates at a batch that nobody prints: the best one within the printed limits."""
    printed = [name for name in RATES if record.get(name) is not None]
    if not printed or not is_cut(record):
        raise SkipRecord("batch or lengths are not printed")
    isl, osl = float(record["isl"]), float(record["osl"])
    ttft, tpot = limits_of(record)
    if not _is_mixed(record):
        raise SkipRecord("a disaggregated record without the batch of its decode engines")
    packages = int(record.get("n_accel") or engine.packages)
    stated = engine.tensor if tensor_printed(record) else None
    if engine.stages > 1:
        raise SkipRecord("a pipelined engine without its batch")
    if stated and record.get("num_requests") is not None and ttft is None and tpot is None:
        yield from _whole_run(record, lookup, engine, packages, printed)
        return
    found = _best(record, lookup, engine.packages, isl, osl, Role.MIXED, ttft, tpot, tensor=stated)
    if found.batch * found.tensor > most_sequences(record) * found.packages:
        cut = replace(engine, tensor=found.tensor, groups=found.packages // found.tensor)
        yield from _at_batch(record, lookup, cut, most_sequences(record))
        return
    values = _rates(found.tokens_s * packages / found.packages, packages, isl, osl)
    for name in printed:
        note = f"batch not printed: {found.batch} of {found.packages} accelerators is the best within the limits"
        yield compared(record, name, values[name], float(record[name]), band=_BAND, binding=found.binding, note=note)


def _whole_run(
    record: Mapping[str, Any], lookup: Lookup, engine: Engine, packages: int, printed: list[str]
) -> Iterable[Row]:
    """Rates of a run of so many requests, all of which wait from the start."""
    isl, osl, requests = float(record["isl"]), float(record["osl"]), float(record["num_requests"])
    s = _setting(record, lookup, engine.packages, "bf16")
    t = np.array([float(engine.tensor)])
    room = cache_room(s, t, isl + osl)[0] / engine.groups
    each = requests * engine.packages / packages / engine.groups
    if room < 1.0 or each < 1.0:
        raise SkipRecord("no room for a sequence beside the weights, or less than one request of each engine")
    most = min(room, most_sequences(record), float(MAX_BATCH))
    seconds = run_seconds(s, engine.tensor, most, each, isl, osl)
    values, held = _rates(requests * osl / seconds, packages, isl, osl), min(most, each)
    step = decode_step(s, t, np.array([held * engine.groups]), isl + osl / 2.0)
    terms = {name: float(value[0]) for name, value in step.items()}
    for name in printed:
        note = f"{requests:g} requests from first to last, {held:.0f} in flight in each of {engine.groups} attention groups"
        yield compared(record, name, values[name], float(record[name]), band=_BAND, binding=longest(terms), note=note)


def _best(
    record: Mapping[str, Any], lookup: Lookup, packages: int, isl: float, osl: float, role: Role,
    ttft: float | None, tpot: float | None, usual: str = "bf16", tensor: int | None = None,
) -> ServingResult:  # fmt: skip
    model, card = _model(record, lookup), lookup.accelerator(record.get("accelerator"))
    stored, computed = formats_of(record, usual)
    found = best_serving(
        model,
        card,
        lookup.network(card, record),
        packages,
        isl,
        osl,
        lookup.constants,
        stored,
        role=role,
        ttft_limit=ttft,
        tpot_limit=tpot,
        cache_dtype=cache_format(record, stored),
        compute=computed,
        tensor=tensor,
    )
    if found is None:
        raise SkipRecord("the model finds no replica of this size that holds the weights within the limits")
    return found


def _phase(record: Mapping[str, Any], lookup: Lookup) -> Row:
    """Tokens per second of a node whose replicas do one phase only."""
    node, engine = int(record["n_accel"]), engine_of(record)
    packages = max(node * int(record.get("nodes_per_unit") or 1), int(record.get("ep") or 1))
    role = Role.PREFILL if str(record["phase"]) == "prefill" else Role.DECODE
    osl = float(record.get("osl") or _ANSWER)
    held = float(record["avg_kv_len"]) - osl / 2.0 if record.get("avg_kv_len") else _PROMPT
    isl = float(record.get("isl") or max(held, 1.0))
    limit = float(record["tpot_ms"]) / 1e3 if record.get("tpot_ms") else None
    if limit is None and record.get("user_tok_s"):
        limit = 1.0 / float(record["user_tok_s"])
    hits = _HITS.search(str(record.get("note") or ""))
    averaged = "average" in str(record.get("note") or "")
    note = "saturated engine; the record is an average over a day of varying load" if averaged else "saturated engine"
    if role is Role.DECODE and engine.batch is not None and limit is None:
        s, tensor = _setting(record, lookup, packages, "fp8"), int(record.get("tp") or 1)
        if packages % tensor:
            raise SkipRecord("the tensor degree does not divide the accelerators of the unit")
        batch = engine.batch * packages / tensor
        step = decode_step(s, np.array([float(tensor)]), np.array([batch]), isl + osl / 2.0)
        terms = {name: float(part[0]) for name, part in step.items()}
        tokens_s, binding, note = batch / sum(terms.values()), longest(terms), "at the printed batch"
    else:
        found = _best(record, lookup, packages, isl, osl, role, None, limit, "fp8")
        tokens_s, binding = found.tokens_s, found.binding
    value = tokens_s * node / packages / (1.0 - float(hits[1]) / 100.0 if hits else 1.0)
    return compared(
        record, "tokens_per_s", value, float(record["tokens_per_s"]), band=_BAND, binding=binding, note=note,
        judged=not averaged,
    )  # fmt: skip
