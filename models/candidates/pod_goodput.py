"""Spare systems, time to recover, goodput, availability and worst single loss of pods, from what fails in them.

Down time after a failure is detection, then the spare's swap and the wait for one (where there are spares) or the repair of the
part (where there are none and the rate came from the parts); then the job restarts. Stated rates carry no repair time of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.distinct import distinct
from models.candidates.fabric_choice import fullest_leaf
from models.candidates.fabric_table import FabricTable
from models.candidates.failures import OF_ACCELERATOR, OF_NODE, Failures, parts_of_system, switch_repair, switch_spans
from models.candidates.rack_design import RackDesign
from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.system import System
from models.physics.checkpointing import plan_checkpoints
from models.physics.reliability import availability_of, k_of_n_availability, rate_weighted_mean
from models.physics.spares import replacement_time, spares_for_k_of_n
from models.workload import Serving

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LOW, TYPICAL, HIGH = 0, 1, 2


@dataclass(frozen=True)
class Useful:
    """How much of its time a pod keeps at one end of the failure rates; arrays by pod.

    ``failure_rate`` [1/s], ``down`` mean time per failure before the restart [s], ``interval`` between checkpoints, ``blocking``
    time of one and ``lag`` until it is safe [s] (zero for serving, which keeps no work).
    """

    failure_rate: Floats
    down: Floats
    interval: Floats
    blocking: Floats
    lag: Floats
    goodput: Floats


def system_rate(instance: Instance, system: System, end: int = TYPICAL) -> float:
    """Failures per second of one system that take it out of the job."""
    parts = parts_of_system(instance, system)
    return sum(part.count * part.rate[end] for part in parts if part.owner in (OF_ACCELERATOR, OF_NODE))


def repair_of(instance: Instance, cluster: str, system: System) -> float:
    """Mean time [s] until a failed system is whole again: the stated replacement, else its parts' repair, else a restart."""
    spares = instance.workloads[cluster].spares
    if spares is not None:
        return spares.replacement
    parts = [p for p in parts_of_system(instance, system) if p.owner in (OF_ACCELERATOR, OF_NODE)]
    rates, repairs = [p.count * p.rate[TYPICAL] for p in parts], [p.repair for p in parts]
    return float(rate_weighted_mean(rates, repairs)) or instance.assumptions.restart.value


def standing(instance: Instance, cluster: str, system: System) -> float:
    """Probability that one system stands at any moment."""
    spares = instance.workloads[cluster].spares
    leaving = spares.leaving if spares is not None else 1.0
    return float(availability_of(system_rate(instance, system) * leaving, repair_of(instance, cluster, system)))


def spares_of(instance: Instance, cluster: str, system: System, systems: Ints) -> Ints:
    """Fewest spare systems with which ``systems`` stand with the stated probability; none where none is stated."""
    stated = instance.workloads[cluster].spares
    if stated is None:
        return np.zeros(len(systems), dtype=np.int64)
    return spares_for_k_of_n(systems, standing(instance, cluster, system), stated.confidence)


def waits(instance: Instance, cluster: str, failures: Failures, spares: Ints, end: int = TYPICAL) -> Floats:
    """Down time before the restart [s] after a failure of each cause (cause x pods)."""
    stated = instance.workloads[cluster].spares
    detection = instance.assumptions.detection
    shape = failures.counts.shape
    found = np.full(shape, 0.0 if detection is None else detection.value)
    repair = np.broadcast_to(failures.repair[:, None], shape)
    mended = failures.in_place[:, None] | (failures.of_system[:, None] & (stated is None))
    found = found + np.where(mended, repair, 0.0)
    if stated is None:
        return found
    leaving = failures.rates[end][failures.of_system].sum(axis=0) * stated.leaving
    # equal systems wait equally, and most pods have equal systems
    _, first, back = distinct(leaving)
    wait = replacement_time(0.0, spares[first], leaving[first], stated.replacement)[back]
    # those that end with a reset wait for nobody; a node behind a dead link is swapped and its link mended meanwhile
    swapped = stated.leaving * (stated.swap + wait)
    found = found + np.where(failures.of_system[:, None], swapped, 0.0)
    links = np.array([cause == "node links" for cause in failures.causes])
    return np.asarray(found + np.where(links[:, None], stated.swap, 0.0), dtype=np.float64)


def useful_of(
    instance: Instance, cluster: str, failures: Failures, spares: Ints, write: Floats, load: Floats, end: int = TYPICAL
) -> Useful:
    """Goodput of pods whose checkpoint takes ``write`` seconds and whose restart reads for ``load`` seconds more."""
    workload = instance.workloads[cluster]
    restart = instance.assumptions.restart.value + load
    rate = failures.total(end)
    each = waits(instance, cluster, failures, spares, end)
    down = rate_weighted_mean(failures.rates[end].T, each.T)
    if isinstance(workload, Serving):
        none = np.zeros(len(rate))
        share = np.asarray(1.0 / (1.0 + rate * (restart + down)), dtype=np.float64)
        return Useful(rate, down, none, none, none, share)
    snapshot = workload.storage.snapshot if workload.storage is not None else None
    plan = plan_checkpoints(write, rate, down, restart, snapshot)
    return Useful(rate, down, plan.interval, plan.blocking, plan.commit_lag, plan.goodput)


def stated_write(instance: Instance, cluster: str) -> float:
    """The blocking time of a checkpoint [s] that the instance states; zero for serving."""
    if isinstance(instance.workloads[cluster], Serving):
        return 0.0
    stated = instance.assumptions.checkpoint_write
    if stated is None:
        where = instance.origin(f"workloads.{cluster}.storage")
        found = f"cluster {cluster} has neither storage of its own nor assumptions.checkpoint_write"
        raise InstanceError([Problem("missing-key", where, found, f"workloads.{cluster}.storage or the assumption")])
    return stated.value


def pod_availability(
    instance: Instance, cluster: str, system: System, jobs: Ints, spares: Ints, fabric: FabricTable
) -> Floats:
    """Probability that a whole pod stands: its systems (k of n with the spares), every leaf, and all but one of its spines.

    A fabric of several planes stands while one of two copies of a leaf does; a single spine or core switch is needed.
    """
    systems = _standing_of(jobs, jobs + spares, standing(instance, cluster, system))
    repair = switch_repair(instance)
    leaf = availability_of(switch_spans(instance, fabric, fabric.switch)[TYPICAL], repair)
    upper = availability_of(switch_spans(instance, fabric, fabric.spine_switch)[TYPICAL], repair)
    pairs = 1.0 - (1.0 - leaf) ** np.minimum(fabric.planes, 2)
    leaves = pairs ** (fabric.leaf // np.maximum(fabric.planes, 1))
    above = np.ones(len(fabric))
    for count in (fabric.spine, fabric.core):
        # of several switches one may be missing
        spared = np.where(count > 1, count * upper ** np.maximum(count - 1, 0) * (1.0 - upper), 0.0)
        above = above * (upper**count + spared)
    return np.asarray(systems * leaves * above, dtype=np.float64)


def _standing_of(needed: Ints, installed: Ints, stands: float) -> Floats:
    """P(at least ``needed`` of ``installed`` stand), each distinct ``needed`` worked out once (its spares are always the same)."""
    _, first, back = distinct(needed)
    return np.asarray(k_of_n_availability(needed[first], installed[first], stands)[back], dtype=np.float64)


def worst_loss(instance: Instance, cluster: str, rack: RackDesign, jobs: Ints, fabric: FabricTable) -> Ints:
    """Accelerators of the job that the worst single failure takes.

    A leaf takes what hangs on it alone, a rack its systems; a feed, or a storage node where none is spare, takes the whole job,
    a feed only where the power supplies are not known to carry typical power without it.
    """
    each = rack.system.accelerators or 0
    job = jobs * each
    links = np.maximum(fabric.links_node_leaf // fabric.planes, 1)
    behind = -(-fullest_leaf(fabric) * fabric.accelerators // links)
    losses = np.where(fabric.planes > 1, 0, behind)
    losses = np.maximum(losses, rack.systems * each)
    storage = instance.workloads[cluster].storage
    bare = storage is not None and not storage.shared and storage.lost == 0
    if bare or not rack.survives_feed:
        losses = job
    return np.asarray(np.minimum(losses, job), dtype=np.int64)
