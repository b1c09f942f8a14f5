"""Benchmark throughput of whole systems: tokens per second offline, or within the server scenario's latency limits.

Lengths and limits of each benchmark come from a small table; the output length from the record where it prints samples per second.
The replica size is searched over the divisors of the system.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from models.physics.performance.cards import AcceleratorCard
from models.physics.performance.inference import ServingResult, best_serving
from models.physics.performance.mapping import divisors
from models.shipped import instances_folder
from optimizer.validation.lookup import Lookup
from optimizer.validation.records import Row, SkipRecord, compared
from optimizer.validation.serving_engines import formats_of

_BAND = 0.25

SERVER_SHARE = 0.92
"""Share of saturated throughput that random arrivals leave at a 99th-percentile limit; the mean of systems that print both."""


def claims(record: Mapping[str, Any]) -> bool:
    """A record with a benchmark scenario and a throughput."""
    return "scenario" in record and record.get("tokens_per_s") is not None


@cache
def benchmarks() -> dict[str, dict[str, str]]:
    """Lengths and limits by model id."""
    path = instances_folder() / "validation" / "benchmarks.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["model"]: row for row in csv.DictReader(stream)}


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
    server = ttft is not None
    dtype, computed = formats_of(record, serving_dtype(card))
    packages = int(record["n_accel"])
    best: ServingResult | None = None
    for size in divisors(packages):
        found = best_serving(
            model, card, lookup.network(card, record), size, float(known["isl"]), osl, lookup.constants, dtype,
            ttft_limit=ttft,
            tpot_limit=tpot,
            compute=computed,
        )  # fmt: skip
        if found is not None and (best is None or found.tokens_s / size > best.tokens_s / best.packages):
            best = found
    if best is None:
        raise SkipRecord("no replica holds the weights within the limits")
    value = best.tokens_s * packages / best.packages * (SERVER_SHARE if server else 1.0)
    note = f"{dtype}, {packages // best.packages} replicas of {best.packages}, batch {best.batch}, TPOT {best.tpot_s or 0:.3f} s"
    yield compared(
        record, "tokens_per_s", value, float(record["tokens_per_s"]), band=_BAND, binding=best.binding, note=note
    )
