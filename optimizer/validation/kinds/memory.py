"""Published memory of training ranks: states and activations by the paper's counts, and what frameworks reported as their peak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.physics.performance.constants import Software
from models.physics.performance.mapping import MappingChoice, Mappings
from models.physics.performance.memory import memory_use
from models.physics.performance.setting import Setting
from models.physics.performance.training import usable_memory
from optimizer.validation.lookup import Lookup
from optimizer.validation.names import number_format
from optimizer.validation.records import Row, compared
from optimizer.validation.run_facts import run_facts

_GIB = 2.0**30
_BAND = 0.10
_MANY = 1e9

# metric -> (recompute, sequence parallel); the states do not depend on either.
_COUNTED = {
    "activations_none_gib": (0, 0),
    "activations_none_seqpar_gib": (0, 1),
    "activations_selective_gib": (1, 0),
    "activations_selective_seqpar_gib": (1, 1),
    "activations_full_gib": (2, 0),
    "activations_full_seqpar_gib": (2, 1),
}
_PEAKS = ("max_memory_gb", "max_memory_gb_reported", "mem_gb_reported", "peak_memory_gb")


def claims(record: Mapping[str, Any]) -> bool:
    """A record with a model and a memory figure, and no throughput metric."""
    if "metric" in record or not (isinstance(record.get("model"), Mapping | str) or record.get("model_name")):
        return False
    return any(key in record for key in (*_COUNTED, *_PEAKS, "params_and_optimizer_gib"))


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """One row per published figure."""
    card, model = lookup.accelerator(record.get("accelerator")), lookup.stated(record)
    peaks = [key for key in _PEAKS if record.get(key) is not None]
    dtype = number_format(record.get("dtype") or record.get("precision"), "bf16" if peaks else "fp16")
    software = Software.of(dtype, card.available)
    batch = float(record.get("gbs") or _MANY)
    parallel = record.get("seq_parallel")
    facts = run_facts(record)
    choice = {key: int(record.get(key) or 1) for key in ("tp", "pp", "vp", "mbs", "cp", "dp", "ep", "etp")}
    stated = bool(record.get("dp")) or facts.sharding is not None
    if stated and not record.get("dp") and record.get("n_accel"):
        choice["dp"] = max(int(record["n_accel"]) // (choice["tp"] * choice["pp"] * choice["cp"]), 1)
    sharded = int(stated) if facts.sharding is None else facts.sharding

    def use(recompute: int, sp: int) -> Any:
        mapping = MappingChoice(**choice, recompute=recompute, sp=sp, shard=sharded)
        return memory_use(model, card, Mappings.of([mapping]), batch, dtype, software, run=facts.run)

    if record.get("params_and_optimizer_gib") is not None:
        states = float(use(0, 0).states[0]) / _GIB
        yield _row(record, "params_and_optimizer_gib", states, "states")
    for metric, (recompute, sp) in _COUNTED.items():
        if record.get(metric) is not None:
            yield _row(record, metric, float(use(recompute, sp).activations[0]) / _GIB, "activations")
    for metric in peaks:
        found = use(facts.recompute or 0, int(parallel is not False))
        largest = "states" if found.states[0] > found.activations[0] else "activations"
        limit = usable_memory(
            Setting(model, card, lookup.network(card, record), batch, dtype, lookup.constants, software)
        )
        note = "" if float(found.total[0]) <= limit else "more than one package holds"
        yield _row(record, metric, float(found.total[0]) / 1e9, largest, note)


def _row(record: Mapping[str, Any], metric: str, value: float, binding: str, note: str = "") -> Row:
    return compared(record, metric, value, float(record[metric]), band=_BAND, binding=binding, note=note)
