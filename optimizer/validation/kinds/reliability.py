"""Published interruptions: rates and times to failure of jobs, against the catalogue's failure rates.

Measured jobs on A100 nodes are predicted from another job on such nodes, projections and fleet figures from the node rates of fleets
(their geometric mean; they differ by a factor of two and more), other parts from the sum over the parts of a node.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from models.physics.reliability import rate_from_fit
from optimizer.validation.lookup import Lookup
from optimizer.validation.names import canonical
from optimizer.validation.records import Row, SkipRecord, compared
from optimizer.validation.sheets import catalogue_sheet

_BAND = 0.5
_PER_NODE = 8
_HOUR, _DAY = 3600.0, 86400.0

# parts of an eight-accelerator node whose failure stops the job
_PARTS = {
    "gpu_h100_all": 8.0,
    "nic_400": 8.0,
    "switch_cable": 8.0,
    "cpu": 2.0,
    "dimm": 32.0,
    "psu": 6.0,
    "ssd_local": 8.0,
}


def claims(record: Mapping[str, Any]) -> bool:
    """A record of interruptions or times to failure."""
    keys = ("mttf_h", "unexpected", "interruptions_total", "failures_per_1000_node_days", "mtbf_h", "jmtti_h", "restarts",
            "machines_down_per_day", "interruptions")  # fmt: skip
    return any(key in record for key in keys)


@cache
def rates() -> dict[str, float]:
    """Failures per second of each part in the catalogue."""
    return {
        row["id"]: float(rate_from_fit(float(row["fit"]))) for row in catalogue_sheet("failure_rates") if row["fit"]
    }


@cache
def job_rate(job: str) -> float:
    """Failures per eight-accelerator node and second of a job in the catalogue."""
    row = next(row for row in catalogue_sheet("job_reliability") if row["id"] == job)
    return _PER_NODE / (float(row["jmtti_h"]) * _HOUR * float(row["accelerators"]))


def node_rate(accelerator: str, kind: str) -> tuple[float, str]:
    """Failures per node and second, and what they come from."""
    found = rates()
    if canonical(accelerator).startswith("a100"):
        if kind == "measured":
            return job_rate("opt175b"), "rate of the OPT-175B job"
        fleets = [found[name] for name in ("node_rsc1", "node_rsc2") if name in found]
        if fleets:
            return math.exp(sum(map(math.log, fleets)) / len(fleets)), "mean of two fleets of such nodes"
    return sum(count * found[name] for name, count in _PARTS.items() if name in found), "sum over the parts of a node"


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """Rows for what follows from a failure rate and a size."""
    del lookup
    accelerator = str(record.get("accelerator") or "")
    if not accelerator:
        raise SkipRecord("no accelerator is named")
    per_node, how = node_rate(accelerator, str(record.get("kind") or ""))
    size = record.get("n_accel")
    nodes = max(float(size) / float(record.get("gpus_per_node") or _PER_NODE), 1.0) if size is not None else None
    job = per_node * nodes if nodes is not None else None
    for metric in ("mttf_h", "mtbf_h", "jmtti_h"):
        if record.get(metric) is not None and job is not None:
            yield compared(
                record, metric, 1.0 / job / _HOUR, float(record[metric]), band=_BAND, binding="failures", note=how
            )
    if record.get("failures_per_1000_node_days") is not None:
        predicted = per_node * _DAY * 1000.0
        published = float(record["failures_per_1000_node_days"])
        yield compared(
            record, "failures_per_1000_node_days", predicted, published, band=_BAND, binding="failures", note=how
        )
    count = next(
        (key for key in ("unexpected", "interruptions", "interruptions_total") if record.get(key) is not None), None
    )
    if count is not None and record.get("days") is not None and job is not None:
        predicted = job * float(record["days"]) * _DAY
        yield compared(record, count, predicted, float(record[count]), band=_BAND, binding="failures", note=how)
