"""Storage of a pod: for every level of write bandwidth the node type and the fewest nodes that hold it, and how they are racked.

    nodes = max(capacity + lost, read + lost, write + lost, 1)   each need over what one node gives, rounded up

Of the node types that can, the cheapest at the middle of its price range is taken. A level that needs no more nodes than the one
below it gives nothing more, and is left out. Shared storage buys no nodes: the level is an entitlement at the site's storage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import floor, inf

import numpy as np
import numpy.typing as npt

from models.candidates.distinct import distinct
from models.candidates.failures import OF_FABRIC, Line, storage_node_span, storage_repair
from models.candidates.rack_contents import FEET
from models.candidates.rack_design import EIA, distribution_for
from models.candidates.rack_mass import mass_of, too_deep
from models.candidates.rejection import Rejection, Stage
from models.candidates.row_feed import small_rack_limit
from models.instance import Instance
from models.parts.model_card import ModelCard
from models.parts.part import PriceRange
from models.parts.power_component import PowerComponent
from models.parts.rack import Floor, Rack
from models.parts.storage import StorageNode
from models.physics.reliability import availability_of, group_failure_rate, k_of_n_availability
from models.physics.storage import capacity_needed, checkpoint_bytes, ingest_bandwidth, storage_nodes
from models.workload import Serving

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SERVED_BYTES_PER_PARAMETER = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}
_PORTS = re.compile(r"^\s*(\d+)\s*x\s*(\d+)\s*G\s*$", re.IGNORECASE)
GIGABIT = 1e9 / 8


@dataclass(frozen=True)
class StorageCard:
    """A node type in its rack; bandwidths [B/s] through its ports, ``capacity`` usable bytes.

    ``per_rack`` nodes share a frame and ``distribution_units`` rack PDUs, both feeds together; ``node_weight`` and ``rack_weight``
    [kg] are those of a node, and of frame and rack PDUs.
    """

    part: StorageNode
    ports: int
    capacity: float
    read: float
    write: float
    frame: Rack
    per_rack: int
    distribution: PowerComponent
    distribution_units: int
    node_weight: float = 0.0
    rack_weight: float = 0.0

    @property
    def rack_price(self) -> PriceRange:
        """Price of a rack without nodes [USD]."""
        assert self.frame.price is not None and self.distribution.price is not None
        units = self.distribution_units
        return PriceRange(
            self.frame.price.low + units * self.distribution.price.low,
            self.frame.price.high + units * self.distribution.price.high,
        )


@dataclass(frozen=True)
class StorageRows:
    """Pods with their storage: ``row`` of the pod without it, ``card`` (-1 for none bought), ``nodes``, ``racks``.

    ``write`` and ``read`` [B/s] hold with the stated number of nodes lost; ``ingest`` [B/s] is what the job reads.
    """

    row: Ints
    card: Ints
    nodes: Ints
    racks: Ints
    write: Floats
    read: Floats
    ingest: Floats

    def take(self, rows: Ints) -> StorageRows:
        """Some of the pods."""
        return StorageRows(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def node_ports(part: StorageNode) -> tuple[int, float] | None:
    """Ports of a node and their speed [B/s] from text such as ``8x400G``; None where it is not of that form."""
    found = _PORTS.match(part.network)
    return (int(found.group(1)), float(found.group(2)) * GIGABIT) if found else None


def state_bytes(instance: Instance, cluster: str) -> float:
    """Bytes of one checkpoint; of the weights where a cluster serves."""
    workload = instance.workloads[cluster]
    parameters = instance.catalogue.get(ModelCard, workload.model).shape().params()
    if isinstance(workload, Serving):
        return parameters * SERVED_BYTES_PER_PARAMETER[workload.dtype.value]
    assert workload.storage is not None
    return float(checkpoint_bytes(parameters, workload.storage.bytes_per_parameter))


def needed_capacity(instance: Instance, cluster: str) -> float:
    """Usable bytes the cluster's storage must have."""
    need = instance.workloads[cluster].storage
    assert need is not None
    return float(capacity_needed(need.dataset, state_bytes(instance, cluster), need.checkpoints_kept, 0.0, need.fill))


def storage_cards(instance: Instance, cluster: str, site: str) -> tuple[tuple[StorageCard, ...], list[Rejection]]:
    """Node types the cluster may use at a site, racked, and why the others may not."""
    need = instance.workloads[cluster].storage
    cards: list[StorageCard] = []
    rejected: list[Rejection] = []
    if need is None or need.shared:
        return (), rejected
    for part in instance.catalogue.of(StorageNode).values():
        if need.nodes is not None and part.id not in need.nodes:
            continue
        made = _card(instance, cluster, site, part)
        if isinstance(made, StorageCard):
            cards.append(made)
        elif need.nodes is not None or part.kind != "host":
            rejected.append(Rejection(part.id, Stage.CATALOGUE, made, cluster, site))
    return tuple(cards), rejected


def _card(instance: Instance, cluster: str, site: str, part: StorageNode) -> StorageCard | str:
    workload = instance.workloads[cluster]
    need, network = workload.storage, workload.networks.storage
    assert need is not None
    short = part.missing("height_units", "capacity", "read", "write", "max_power", "typical_power")
    if short or part.price is None:
        return short or "no price in the catalogue"
    if part.preliminary and not workload.design_space.preliminary_parts:
        return "preliminary, and design_space.preliminary_parts is false"
    assert part.capacity is not None and part.read is not None and part.write is not None
    ports, most = 0, np.inf
    if network is not None:
        found = node_ports(part)
        if found is None:
            return f"its ports {part.network!r} are not of the form 2x400G"
        if found[1] < network.speed * (1 - 1e-9):
            return f"ports of {found[1] * 8e-9:g} Gbit/s on a network of {network.speed * 8e-9:g}"
        ports, most = found[0], found[0] * network.speed
    racked = _rack(instance, cluster, site, part)
    if isinstance(racked, str):
        return racked
    own = _bare(instance, racked[0], racked[2], racked[3])
    read, write = min(part.read, most), min(part.write, most)
    return StorageCard(part, ports, part.capacity * need.usable, read, write, *racked, mass_of(instance, part), own)


def storage_frame(instance: Instance, cluster: str) -> Rack | None:
    """The frame of storage racks: the tallest allowed 19-inch one with a price, of equal ones the cheapest, then by id.

    Where the design space allows none, any of the catalogue.
    """
    allowed = instance.workloads[cluster].design_space.frames
    frames = [f for f in instance.catalogue.of(Rack).values() if f.kind == EIA and f.rack_units is not None and f.price]
    mine = [f for f in frames if allowed is None or f.id in allowed] or frames
    return min(mine, key=lambda f: (-(f.rack_units or 0.0), f.price.low + f.price.high, f.id), default=None)  # type: ignore[union-attr]


def _rack(
    instance: Instance, cluster: str, site: str, part: StorageNode
) -> tuple[Rack, int, PowerComponent, int] | str:  # fmt: skip
    """The most nodes that units, heat per rack and rack power allow."""
    frame = storage_frame(instance, cluster)
    if frame is None:
        return "no 19-inch frame with a price for storage racks"
    assert frame.rack_units is not None and part.height_units is not None and part.max_power is not None
    most = floor((frame.rack_units - instance.assumptions.reserved_rack_units.value) / part.height_units + 1e-9)
    limit = small_rack_limit(instance, site)
    if limit < inf:
        most = min(most, floor(limit / part.max_power + 1e-9))
    deep = too_deep(instance, frame, [part])
    if deep:
        return deep
    for count in range(most, 0, -1):
        found = distribution_for(instance, cluster, frame, count * part.max_power)
        if found is not None and _stands(instance, site, frame, count * mass_of(instance, part), *found):
            return frame, count, found[0], found[1]
    return "no rack of it is within rack units, heat to the air, rack power and what frame and floor carry"


def _bare(instance: Instance, frame: Rack, distribution: PowerComponent, units: int) -> float:
    """Mass of a storage rack without nodes [kg]."""
    return (frame.empty_weight or 0.0) + units * mass_of(instance, distribution)


def _stands(
    instance: Instance, site: str, frame: Rack, nodes: float, distribution: PowerComponent, units: int
) -> bool:  # fmt: skip
    """Whether frame and floor carry a rack with ``nodes`` kg of storage nodes in it."""
    whole = nodes + _bare(instance, frame, distribution, units)
    floor_ = instance.catalogue.get(Floor, instance.sites[site].floor)
    if frame.static_load is not None and whole - (frame.empty_weight or 0.0) > frame.static_load:
        return False
    if floor_.concentrated is not None and whole / FEET > floor_.concentrated:
        return False
    footprint = (frame.width or 0.0) * (frame.depth or 0.0)
    return floor_.uniform is None or footprint <= 0 or whole / footprint <= floor_.uniform


def storage_rows(
    instance: Instance, cluster: str, cards: tuple[StorageCard, ...], tokens_s: Floats
) -> tuple[StorageRows, str]:
    """Every pod (tokens/s in ``tokens_s``) at every level of write bandwidth worth its own nodes; and why some have none."""
    need = instance.workloads[cluster].storage
    rows = np.arange(len(tokens_s), dtype=np.int64)
    nothing = np.zeros(len(rows), dtype=np.int64)
    if need is None:
        zeros = np.zeros(len(rows))
        return StorageRows(rows, nothing - 1, nothing, nothing, zeros, zeros, zeros), ""
    ingest = np.maximum(ingest_bandwidth(tokens_s, need.bytes_per_token, need.reread), need.read)
    if need.shared:
        parts = [
            StorageRows(rows, nothing - 1, nothing, nothing, np.full(len(rows), level), ingest, ingest)
            for level in sorted(set(need.write))
        ]
        return _joined(parts), ""
    parts, said, before = [], "", (nothing - 1, nothing)
    # many fabrics of one size deliver alike
    needs, _, back = distinct(ingest)
    for level in sorted(set(need.write)):
        picked = _cheapest(instance, cluster, cards, needs, level)
        card, nodes = picked[0][back], picked[1][back]
        short = card < 0
        if short.any():
            said = (
                f"no storage node type gives {level / 1e9:g} GB/s of writing and {ingest.max() / 1e9:g} GB/s of reading"
            )
        more = np.flatnonzero(~short & ((card != before[0]) | (nodes != before[1])))
        before = (card, nodes)
        per_rack = np.array([c.per_rack for c in cards] or [1])
        racks = -(-nodes // per_rack[card])
        write, read = picked[2][back[more]], picked[3][back[more]]
        parts.append(StorageRows(rows[more], card[more], nodes[more], racks[more], write, read, ingest[more]))
    return _joined(parts), said


def storage_failures(
    instance: Instance, cluster: str, cards: tuple[StorageCard, ...], card: Ints, nodes: Ints
) -> Line | None:
    """How often storage stops the job: more nodes gone at once than it may lose; None where no nodes are bought."""
    need = instance.workloads[cluster].storage
    if need is None or not len(cards):
        return None
    repair = storage_repair(instance)
    spans = np.array([storage_node_span(instance, one.part.id, one.ports) for one in cards] + [(0.0, 0.0, 0.0)]).T
    needed = np.maximum(nodes - need.lost, 0)
    _, first, back = distinct(nodes * (len(cards) + 1) + card)
    few, kind = nodes[first], card[first]
    rates = np.stack([group_failure_rate(needed[first], few, span[kind], repair) for span in spans])[:, back]
    return "storage", nodes.astype(np.float64), rates, repair, OF_FABRIC


def storage_standing(
    instance: Instance, cluster: str, cards: tuple[StorageCard, ...], card: Ints, nodes: Ints
) -> Floats:
    """Probability that as many storage nodes stand as the cluster needs; 1 where it buys none."""
    need = instance.workloads[cluster].storage
    if need is None or not len(cards):
        return np.ones(len(nodes))
    rates = np.array([storage_node_span(instance, one.part.id, one.ports)[1] for one in cards] + [0.0])
    _, first, back = distinct(nodes * (len(cards) + 1) + card)
    unit = availability_of(rates[card[first]], storage_repair(instance))
    few = nodes[first]
    return np.asarray(k_of_n_availability(np.maximum(few - need.lost, 0), few, unit)[back], dtype=np.float64)


def _joined(parts: list[StorageRows]) -> StorageRows:
    """Rows of all levels, by pod, then by level."""
    names = StorageRows.__dataclass_fields__
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
    order = np.argsort(columns["row"], kind="stable")
    return StorageRows(**{name: values[order] for name, values in columns.items()})


def _cheapest(
    instance: Instance, cluster: str, cards: tuple[StorageCard, ...], ingest: Floats, level: float
) -> tuple[Ints, Ints, Floats, Floats]:
    """Card of least price for every row (-1 for none), its nodes, and what they write and read [B/s]."""
    need = instance.workloads[cluster].storage
    assert need is not None
    capacity = needed_capacity(instance, cluster)
    size = len(ingest)
    best, card, nodes = np.full(size, np.inf), np.full(size, -1, dtype=np.int64), np.zeros(size, dtype=np.int64)
    write, read = np.zeros(size), np.zeros(size)
    for number, one in enumerate(cards):
        # the usable share already allows for the redundancy code, so capacity counts all nodes
        sized = storage_nodes(
            capacity, ingest, level, one.capacity, one.read, one.write, need.lost, need.lost + 1, 0, False
        )
        count = np.broadcast_to(sized.nodes, (size,))
        assert one.part.price is not None
        racks = -(-count // one.per_rack)
        price = count * (one.part.price.low + one.part.price.high)
        price = price + racks * (one.rack_price.low + one.rack_price.high)
        better = (count > 0) & (price < best)
        best = np.where(better, price, best)
        card, nodes = np.where(better, number, card), np.where(better, count, nodes)
        write = np.where(better, np.broadcast_to(sized.write, (size,)), write)
        read = np.where(better, np.broadcast_to(sized.read, (size,)), read)
    return card, nodes.astype(np.int64), write, read
