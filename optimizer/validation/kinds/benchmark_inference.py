"""Benchmark throughput of whole systems: tokens per second offline, or within the server scenario's latency limits.

Lengths and limits of each benchmark come from a small table; the output length from the record where it prints samples per second.
The replica size is searched over the divisors of the system.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

from models.physics.performance.cards import AcceleratorCard
from models.physics.performance.inference import ServingResult, best_serving, total
from models.physics.performance.mapping import divisors
from models.physics.performance.prompts import CHUNK_TOKENS
from models.physics.performance.serving_setting import ServingSetting, compute_dtype
from models.physics.performance.serving_step import prefill
from optimizer.validation.lookup import Lookup
from optimizer.validation.records import Row, SkipRecord, compared
from optimizer.validation.serving_engines import formats_of
from optimizer.validation.sheets import validation_sheet

_BAND = 0.25

LATE = 0.01
"""Share of requests that may miss a limit."""
_HALVINGS = 40
SERVER_SHARE = 0.92
"""Share of saturated throughput that random arrivals leave at a 99th-percentile limit; the mean of systems that print both."""


def claims(record: Mapping[str, Any]) -> bool:
    """A record with a benchmark scenario and a throughput."""
    return "scenario" in record and record.get("tokens_per_s") is not None


@cache
def benchmarks() -> dict[str, dict[str, str]]:
    """Lengths and limits by model id."""
    return {row["model"]: row for row in validation_sheet("benchmarks")}


def latency_limits(scenario: str, known: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Limits [s] on the first and on every further token: none offline, those of the server or of the interactive scenario."""
    name = scenario.strip().lower()
    if name == "offline":
        return None, None
    if "interactive" in name:
        if not known["interactive_ttft_s"]:
            raise SkipRecord("no limits are known of the interactive scenario of this benchmark")
        return float(known["interactive_ttft_s"]), float(known["interactive_tpot_s"])
    if name != "server":
        raise SkipRecord(f"no model for the scenario {scenario!r}")
    return float(known["ttft_limit_s"]), float(known["tpot_limit_s"])


def serving_dtype(card: AcceleratorCard) -> str:
    """The narrowest floating format of a part, which is what submitters use; int8 where it has none below 16 bits."""
    return next((name for name in ("fp4", "fp8", "int8") if name in card.peak), "bf16")


def late(load: float, slack: float) -> float:
    """Chance that a wait exceeds ``slack`` services at this load (1 and more where it never ends).

    rho exp(-2 (1 - rho) x): the tail of a queue of Poisson arrivals and equal services in its heavy-traffic form (Kingman 1962).
    """
    return load * math.exp(-2.0 * (1.0 - load) * slack) if load < 1.0 else load


def arrivals_share(s: ServingSetting, best: ServingResult, isl: float, limit: float) -> float:
    """Share of the saturated rate at which 99 % of randomly arriving prompts have their first token within ``limit`` [s].

    Prompts queue for their prefill in one attention group, short ones in passes together.
    """
    together = max(CHUNK_TOKENS // isl, 1.0)
    t = np.array([float(best.tensor)])
    each = float(total(prefill(s, t, np.array([together * isl]), isl))[0]) / together
    load = best.requests_s * best.tensor / best.packages * each
    slack = (limit - (best.ttft_s or 0.0)) / each
    low, high = (1.0, 1.0) if late(load, slack) <= LATE else (0.0, 1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if late(middle * load, slack) <= LATE else (low, middle)
    return low


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """One row: tokens per second of the system."""
    model, card = lookup.model(str(record["model_name"])), lookup.accelerator(record.get("accelerator"))
    known = benchmarks().get(model.name)
    if known is None:
        raise SkipRecord(f"no prompt and answer lengths for the benchmark of {record['model_name']!r}")
    samples = record.get("samples_per_s")
    osl = float(record["tokens_per_s"]) / float(samples) if samples else float(known["osl"])
    if osl < 1.0:
        raise SkipRecord("fewer tokens than samples")
    ttft, tpot = latency_limits(str(record["scenario"]), known)
    dtype, computed = formats_of(record, serving_dtype(card))
    packages = int(record["n_accel"])
    network, isl, best, most = lookup.network(card, record), float(known["isl"]), None, 0.0
    for size in divisors(packages):
        found = best_serving(
            model, card, network, size, isl, osl, lookup.constants, dtype, ttft_limit=ttft, tpot_limit=tpot, compute=computed
        )  # fmt: skip
        if found is None:
            continue
        share = 1.0
        if ttft is not None:
            product = compute_dtype(card, computed or dtype)
            s = ServingSetting(model, card, network, lookup.constants, size, product, dtype, dtype)
            share = min(SERVER_SHARE, arrivals_share(s, found, isl, ttft))
        if found.tokens_s * share / size > most:
            best, most = found, found.tokens_s * share / size
    if best is None:
        raise SkipRecord("no replica holds the weights within the limits")
    value = most * packages
    note = f"{dtype}, {packages // best.packages} replicas of {best.packages}, batch {best.batch}, TPOT {best.tpot_s or 0:.3f} s"
    yield compared(
        record, "tokens_per_s", value, float(record["tokens_per_s"]), band=_BAND, binding=best.binding, note=note
    )
