"""What stops a job, and how often: rates of every kind of part of a pod, from stated figures or from the catalogue part by part.

    rate[cause] = parts of that kind [count] x rate of one part [1/s],       low, typical and high end of every rate kept

A stated rate per accelerator replaces accelerators and their memory; one per node replaces hosts, NICs, power supplies, fans,
disks and the links that leave the node. Where both are stated they are the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_choice import node_link_failures
from models.candidates.fabric_table import FabricTable
from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.failure_rate import FailureRate, Interruption
from models.parts.system import System
from models.physics.power_supplies import parse_supply
from models.physics.reliability import group_failure_rate, rate_from_fit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Span = tuple[float, float, float]
Line = tuple[str, Floats, Floats, float, str]

FIT_PER_MILLION_HOURS = 1e3
RACK_CDUS = "CDUs in racks"
OF_ACCELERATOR, OF_NODE, OF_FABRIC, OF_SOFTWARE = "accelerator", "node", "fabric", "software"


@dataclass(frozen=True)
class Part:
    """One kind of part of a system: how many, the rate of one [1/s, low to high], and the time its repair takes [s].

    ``owner`` says which stated rate covers it; parts of accelerators and nodes take their system out of the job.
    """

    cause: str
    owner: str
    count: float
    rate: Span
    repair: float


@dataclass(frozen=True)
class Failures:
    """Rates of some pods by cause: ``counts`` (cause x pods), ``rates`` (low, typical, high x cause x pods) [1/s], ``repair`` [s].

    ``of_system`` marks causes that take the system out of the job until it is repaired; ``in_place`` those a repair ends (a
    switch, storage); after the rest (a link, software) the job goes on at once on what it has.
    """

    causes: tuple[str, ...]
    counts: Floats
    rates: Floats
    repair: Floats
    of_system: npt.NDArray[np.bool_]
    in_place: npt.NDArray[np.bool_]

    def total(self, end: int) -> Floats:
        """Events per second of whole pods at one end of the rates."""
        return np.asarray(self.rates[end].sum(axis=0), dtype=np.float64)


def rate_row(instance: Instance, part_id: str, kind: str) -> FailureRate:
    """The row a part fails by: its own where failure_rates.csv has one, else the one ``components`` names for its kind."""
    rows = instance.catalogue.of(FailureRate)
    name = part_id if part_id in rows else str(getattr(instance.components, kind))
    row = rows.get(name)
    if row is None or row.rate is None:
        where = instance.origin(f"components.{kind}")
        problem = Problem("missing-cell", where, f"failure_rates.csv has no rate {name!r}", f"a rate for {kind}")
        raise InstanceError([problem])
    return row


def repair_of(instance: Instance, row: FailureRate, kind: str) -> float:
    """Time until a part of a row is mended [s]; one that is not stated is never taken for none."""
    if row.repair is None:
        where = instance.origin(f"components.{kind}")
        problem = Problem("missing-cell", where, f"failure_rates.csv has no mttr_h of {row.id!r}", f"a time for {kind}")
        raise InstanceError([problem])
    return row.repair


def parts_of_system(instance: Instance, system: System) -> list[Part]:
    """What can fail in one system, by stated rates where they are stated."""
    given = instance.assumptions
    nodes = _nodes(system)
    parts: list[Part] = []
    if given.accelerator_failure_rate is not None:
        rate = given.accelerator_failure_rate.value
        parts.append(Part("accelerators", OF_ACCELERATOR, system.accelerators or 0, (rate, rate, rate), 0.0))
    else:
        parts += _accelerator_parts(instance, system)
    if given.node_failure_rate is not None:
        rate = given.node_failure_rate.value
        parts.append(Part("nodes", OF_NODE, nodes, (rate, rate, rate), 0.0))
    else:
        parts += _node_parts(instance, system, nodes)
    if given.accelerator_failure_rate is None or given.node_failure_rate is None:
        parts.append(_software(instance, system))
    return parts


def _nodes(system: System) -> int:
    assert system.scaleout_nics and system.rails
    return system.scaleout_nics // system.rails


def _accelerator_parts(instance: Instance, system: System) -> list[Part]:
    count = float(system.accelerators or 0)
    whole = rate_row(instance, system.accelerator or "", "accelerator")
    memory = rate_row(instance, "", "memory")
    low, typical, high = (max(a - m, 0.0) for a, m in zip(whole.span, memory.span, strict=True))
    return [
        Part("accelerators", OF_ACCELERATOR, count, (low, typical, high), repair_of(instance, whole, "accelerator")),
        Part("accelerator memory", OF_ACCELERATOR, count, memory.span, repair_of(instance, memory, "memory")),
    ]


def _node_parts(instance: Instance, system: System, nodes: int) -> list[Part]:
    using = instance.components
    assert system.cpus is not None
    cpus = float(system.cpus)
    supplies = parse_supply(system.psu_config or "")
    modules = (supplies.modules or 0) * (supplies.shelves or 1) or using.psus_per_node * nodes
    counts = {
        "nic": float(system.scaleout_nics or 0),
        "cpu": cpus,
        "dimm": cpus * using.dimms_per_cpu,
        "disk": (system.accelerators or 0) * using.disks_per_accelerator,
        "psu": float(modules),
    }
    words = {"nic": "NICs", "cpu": "processors", "dimm": "host memory", "disk": "local disks", "psu": "power supplies"}
    parts = []
    for kind, count in counts.items():
        row = rate_row(instance, "", kind)
        parts.append(Part(words[kind], OF_NODE, count, row.span, repair_of(instance, row, kind)))
    fans = using.fans_per_node if (system.liquid_fraction or 0.0) < 1.0 else 0
    if fans:
        row = rate_row(instance, "", "fan")
        repair = repair_of(instance, row, "fan")
        # all but one of a node's fans are needed; a second one must fail before the first is mended
        low, typical, high = (float(group_failure_rate(fans - 1, fans, r, repair)) for r in row.span)
        parts.append(Part("fans", OF_NODE, float(nodes), (low, typical, high), repair))
    return parts


def storage_node_span(instance: Instance, part: str, ports: int) -> Span:
    """Rate of one storage node [1/s]: its own row where there is one, else two processors, their memory, two supplies, its ports.

    Its disks are mended behind its redundancy code and take nothing away.
    """
    if part in instance.catalogue.of(FailureRate):
        return rate_row(instance, part, "disk").span
    counts = {"cpu": 2, "dimm": 2 * instance.components.dimms_per_cpu, "psu": 2, "nic": ports}
    spans = [(rate_row(instance, "", kind).span, count) for kind, count in counts.items()]
    low, typical, high = (sum(span[end] * count for span, count in spans) for end in range(3))
    return low, typical, high


def storage_repair(instance: Instance) -> float:
    """Time until a failed storage node is back [s]."""
    return repair_of(instance, rate_row(instance, "", "cpu"), "cpu")


def _software(instance: Instance, system: System) -> Part:
    """Software, maintenance and unexplained stops of a published run, per accelerator."""
    rows = instance.catalogue.of(Interruption)
    events = 0.0
    for number, name in enumerate(instance.components.software):
        often = rows[name].per_million_hours if name in rows else None
        if often is None:
            where = instance.origin(f"components.software.{number}")
            found = f"interruptions.csv has no events_per_million_gpu_hours of {name!r}"
            raise InstanceError([Problem("missing-cell", where, found, "how often it stops a job")])
        events += often
    rate = float(rate_from_fit(events * FIT_PER_MILLION_HOURS))
    return Part("software and maintenance", OF_SOFTWARE, float(system.accelerators or 0), (rate, rate, rate), 0.0)


def failures_of(
    instance: Instance,
    system: System,
    systems: Ints,
    fabric: FabricTable,
    storage: Line | None = None,
    coolant: Line | None = None,
) -> Failures:
    """Failures of jobs on ``systems`` systems, each behind one row of ``fabric``: systems' parts, node links, leaf switches.

    A lost spine or core switch, or a link between switches, takes bandwidth and stops nothing: routing goes around it.
    """
    given = instance.assumptions
    lines: list[Line] = []
    for part in parts_of_system(instance, system):
        counts = np.asarray(systems * part.count, dtype=np.float64)
        lines.append((part.cause, counts, np.multiply.outer(part.rate, counts), part.repair, part.owner))
    if given.node_failure_rate is None:
        links = fabric.links_node_leaf.astype(np.float64)
        rates = np.broadcast_to(node_link_failures(fabric), (3, len(links)))
        lines.append(("node links", links, rates, 0.0, OF_FABRIC))
    if given.node_failure_rate is None or given.accelerator_failure_rate is None:
        lines.append(_switches(instance, fabric))
        if storage is not None:
            lines.append(storage)
    if coolant is not None:
        lines.append(coolant)
    return Failures(
        tuple(line[0] for line in lines),
        np.stack([line[1] for line in lines]),
        np.stack([line[2] for line in lines], axis=1),
        np.array([line[3] for line in lines]),
        np.array([line[4] in (OF_ACCELERATOR, OF_NODE) for line in lines]),
        np.array([line[0] in ("leaf switches", "storage", RACK_CDUS) for line in lines]),
    )


def fails_by(fabric: FabricTable) -> tuple[npt.NDArray[Any], ...]:
    """Columns that tell apart fabrics whose jobs fail differently: equal in all of them, they fail alike."""
    return (
        fabric.size,
        fabric.nodes,
        fabric.links_node_leaf,
        fabric.medium_node_leaf,
        fabric.leaf,
        fabric.planes,
        fabric.switch,
    )


def switch_spans(instance: Instance, fabric: FabricTable, which: Ints) -> Floats:
    """Rate of one switch [1/s] of each row (low, typical, high x rows); ``which`` indexes the table's switches."""
    table = np.zeros((3, len(fabric.switches)))
    for number in np.flatnonzero(np.bincount(which, minlength=len(fabric.switches))):
        table[:, number] = rate_row(instance, fabric.switches[int(number)].id, "switch").span
    return np.asarray(table[:, which], dtype=np.float64)


def switch_repair(instance: Instance) -> float:
    """Time until a failed switch is back [s]."""
    return repair_of(instance, rate_row(instance, "", "switch"), "switch")


def _switches(instance: Instance, fabric: FabricTable) -> Line:
    leaves = np.where(fabric.planes == 1, fabric.leaf, 0).astype(np.float64)
    rates = switch_spans(instance, fabric, fabric.switch) * leaves
    repair = switch_repair(instance)
    return "leaf switches", leaves, rates, repair, OF_FABRIC
