"""Measured node power during benchmark training, against power from use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.physics.node_power import computing_share, idle_power, node_power
from models.physics.performance.cards import AcceleratorCard, ModelShape
from models.physics.performance.constants import Software
from models.physics.performance.mapping import Fixed, enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.training import TERMS
from models.physics.performance.training import evaluate as evaluate_mappings
from optimizer.validation.lookup import Lookup
from optimizer.validation.records import Row, SkipRecord, compared
from optimizer.validation.sheets import Rows, validation_sheet

_BAND = 0.10
_BERT = ModelShape("bert_large", 24, 1024, 16, 16, 4096, False, 30522, 512)


def claims(record: Mapping[str, Any]) -> bool:
    """A record of mean node power."""
    return "node_mean_w" in record


def workloads() -> Rows:
    """How the benchmarks were run."""
    return validation_sheet("power_workloads")


def cooled_otherwise() -> Rows:
    """Nodes whose records do not say that they have no fans, and the catalogue system each is read as."""
    return validation_sheet("power_systems")


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """One row: mean power of a node."""
    card = lookup.accelerator(_accelerator(record, lookup))
    if card.tdp_w is None:
        raise SkipRecord(f"{card.name} has no rating in the catalogue")
    per_node, nodes = int(record.get("gpus_per_node") or 8), int(record.get("nodes") or 1)
    plate, steady = nameplate(str(record.get("system") or ""), card, per_node, lookup)
    workload = _plain(str(record.get("workload") or ""))
    if workload in _IDLE:
        value = float(idle_power(plate, per_node, card.tdp_w, steady=steady))
        yield compared(
            record, "node_mean_w", value, float(record["node_mean_w"]), band=_BAND, binding="idle",
            note=f"no job, nameplate {plate:.0f} W",
        )  # fmt: skip
        return
    terms = _terms(workload, card, per_node * nodes, nodes, lookup)
    computing = computing_share(terms)
    value = float(node_power(plate, per_node, card.tdp_w, computing, steady=steady))
    note = f"computing {computing:.0%} of the step, nameplate {plate:.0f} W"
    yield compared(
        record,
        "node_mean_w",
        value,
        float(record["node_mean_w"]),
        band=_BAND,
        binding=max(terms, key=terms.__getitem__),
        note=note,
    )


_IDLE = ("idle", "none")
"""Workloads of a node without a job."""
_SAME = {"gpt3175b": "gpt3", "bertlarge": "bert", "llama270bloraft": "llama270blora"}


def _plain(workload: str) -> str:
    """A benchmark's name however it is spelt."""
    plain = re.sub(r"[^a-z0-9]", "", workload.lower())
    return _SAME.get(plain, plain)


def _accelerator(record: Mapping[str, Any], lookup: Lookup) -> str:
    if record.get("accelerator"):
        return str(record["accelerator"])
    text = re.sub(r"[^a-z0-9]", "", str(record.get("system") or "").lower())
    named = [name for name in lookup.accelerators if name.split("_")[0] in text]
    if named:
        # the longest product name, and of its forms the module sold in nodes of eight, of the memory that is named
        product = max((name.split("_")[0] for name in named), key=len)
        forms = [name for name in named if name.split("_")[0] == product]
        modules = [name for name in forms if name.startswith(f"{product}_sxm")] or forms[-1:]
        return next((name for name in modules if f"{name.split('_')[-1]}gb" in text), modules[0])
    raise SkipRecord(f"no accelerator of the catalogue is named in the system {record.get('system')!r}")


def nameplate(system: str, card: AcceleratorCard, per_node: int, lookup: Lookup) -> tuple[float, float]:
    """Largest power of the node and what of it is steady [W]: of the catalogue system that is named for such nodes (``cooled_otherwise``)
    or whose product name the text holds, else of the first with the accelerator; by the share of its accelerators where the node holds fewer.
    """
    same = [row for row in lookup.systems if row["accelerator_id"] == card.name and row["max_power_w"]]
    for known in cooled_otherwise():
        read_as = [row for row in same if row["id"] == known["system"]]
        if read_as and known["system_contains"] in system:
            return _share(read_as[0], per_node)
    text = re.sub(r"[^a-z0-9]", "", system.lower())
    for row in same:
        if any(len(word) >= 5 and word in text for word in re.split(r"[^a-z0-9]+", row["name"].lower())):
            return _share(row, per_node)
    if not same:
        raise SkipRecord(f"no system with {card.name} in the catalogue")
    return _share(same[0], per_node)


def _share(row: Mapping[str, str], per_node: int) -> tuple[float, float]:
    part = per_node / float(row["accelerators"])
    return float(row["max_power_w"]) * part, float(row["steady_power_w"] or 0.0) * part


def _terms(workload: str, card: AcceleratorCard, packages: int, nodes: int, lookup: Lookup) -> dict[str, float]:
    """Seconds by term of one step of the workload on these nodes."""
    rows = [row for row in workloads() if _plain(row["workload"]) == workload and int(row["nodes_from"]) <= nodes]
    if not rows:
        known = ", ".join(sorted({row["workload"] for row in workloads()}))
        raise SkipRecord(f"no description of the workload {workload!r}; known: {known}")
    row = rows[-1]
    model = _BERT if row["model"] == _BERT.name else lookup.model(row["model"])
    model = model.with_seq(int(row["seq"]))
    dtype = row["dtype"] if row["dtype"] in card.peak else "bf16"
    stated = Fixed(
        tp=int(row["tp"]),
        pp=int(row["pp"]),
        cp=int(row["cp"]),
        vp=int(row["vp"]),
        mbs=int(row["mbs"]),
        recompute=0,
        sp=int(row["tp"] != "1"),
    )
    replica = int(row["tp"]) * int(row["pp"]) * int(row["cp"])
    copies = max(packages // replica, 1) * int(row["mbs"])
    batch = max(int(row["global_batch"]) // copies, 1) * copies
    found = enumerate_mappings(model, packages, batch, stated)
    if not len(found):
        # another size than the benchmark's own: any mapping that divides it
        batch = max(int(row["global_batch"]) // packages, 1) * packages
        found = enumerate_mappings(model, packages, batch)
    if not len(found):
        raise SkipRecord("no mapping of the workload fits this number of accelerators")
    setting = Setting(
        model, card, lookup.network(card, {}), float(batch), dtype, lookup.constants, Software.of(dtype, card.available)
    )
    times = evaluate_mappings(setting, found)
    best = int(np.argmin(times.step))
    return {name: float(times.terms[name][best]) for name in TERMS}
