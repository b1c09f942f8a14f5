"""The reliability of a pod as a design keeps it: what fails how often, what each cause costs, and what spares give."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.failures import Failures, failures_of
from models.candidates.pod_goodput import HIGH, LOW, TYPICAL, Useful, standing, useful_of, waits
from models.candidates.pod_storage import storage_failures
from models.candidates.pod_table import PodTable
from models.candidates.rack_coolant import coolant_failures
from models.instance import Instance
from models.physics.reliability_budget import reliability_budget
from models.physics.spares import k_of_n_table
from models.workload import Serving

MORE_SPARES = 2

Floats = npt.NDArray[np.float64]


def reliability_of(instance: Instance, pods: PodTable, row: int) -> dict[str, Any]:
    """Causes with count, rate [1/s] from low to high and share of time lost; times [s]; ranges; spares and their probability."""
    cluster, system = pods.cluster, pods.rack_design(row).system
    fabric = pods.fabrics[int(pods.table[row])].take([int(pods.fabric[row])])
    spares = pods.spares[[row]]
    line = storage_failures(instance, cluster, pods.storages, pods.storage[[row]], pods.storage_nodes[[row]])
    coolant = coolant_failures(instance, cluster, pods.rack_design(row).coolant, pods.node_racks[[row]])
    failures = failures_of(instance, system, pods.systems[[row]] - spares, fabric, line, coolant)
    write, load = pods.write[[row]], pods.load_time[[row]]
    worst, useful, best = (
        useful_of(instance, cluster, failures, spares, write, load, end) for end in (HIGH, TYPICAL, LOW)
    )
    down = waits(instance, cluster, failures, spares)[:, 0]
    restart = instance.assumptions.restart.value + float(load[0])
    losses, checkpoint = _losses(instance, cluster, failures, down, restart, useful)
    return {
        "causes": [
            {
                "cause": cause,
                "count": float(failures.counts[number, 0]),
                "rate_low": float(failures.rates[LOW, number, 0]),
                "rate": float(failures.rates[TYPICAL, number, 0]),
                "rate_high": float(failures.rates[HIGH, number, 0]),
                "down_s": float(down[number]),
                "loss": losses[number],
            }
            for number, cause in enumerate(failures.causes)
        ],
        "failure_low": float(best.failure_rate[0]),
        "failure_high": float(worst.failure_rate[0]),
        "goodput_low": float(worst.goodput[0]),
        "goodput_high": float(best.goodput[0]),
        "down_s": float(useful.down[0]),
        "restart_s": restart,
        "interval_s": float(useful.interval[0]) if np.isfinite(useful.interval[0]) else None,
        "blocking_s": float(useful.blocking[0]),
        "checkpoint_loss": checkpoint,
        "spares": _spares(instance, pods, row),
    }


def _losses(
    instance: Instance, cluster: str, failures: Failures, down: Floats, restart: float, useful: Useful
) -> tuple[list[float], float]:
    """Share of time each cause takes, and what checkpoints take; with the goodput they add up to one."""
    rates = failures.rates[TYPICAL, :, 0]
    if isinstance(instance.workloads[cluster], Serving):
        return [float(v) for v in rates * (restart + down) * useful.goodput[0]], 0.0
    blocking = float(useful.blocking[0])
    storage = instance.workloads[cluster].storage
    lag = float(useful.lag[0]) if storage is not None else 0.0
    budget = reliability_budget(
        failures.causes, np.ones(len(rates)), rates, down, float(useful.interval[0]), blocking, restart, lag
    )
    return [float(v) for v in budget.losses], budget.checkpoint_loss


def _spares(instance: Instance, pods: PodTable, row: int) -> list[dict[str, float]]:
    """Probability that the whole job stands, by number of spare systems, up to a little more than there are."""
    if instance.workloads[pods.cluster].spares is None:
        return []
    chosen = int(pods.spares[row])
    stands = standing(instance, pods.cluster, pods.rack_design(row).system)
    table = k_of_n_table([int(pods.systems[row]) - chosen], stands, chosen + MORE_SPARES)[0]
    return [{"spares": number, "probability": float(value)} for number, value in enumerate(table)]
