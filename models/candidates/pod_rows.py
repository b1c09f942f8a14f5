"""The pods of one rack design: of every row of its fabrics that can be built and fits, every figure the program and the tables need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.batch_split import WHOLE, Part
from models.candidates.distinct import alike
from models.candidates.failures import fails_by, failures_of
from models.candidates.network_plan import Network
from models.candidates.pod_draft import Draft, FabricKey, Shared, draft_of
from models.candidates.pod_goodput import pod_availability, stated_write, useful_of, worst_loss
from models.candidates.pod_networks import BESIDE, NetworkRows, space_of
from models.candidates.pod_storage import state_bytes, storage_failures, storage_standing
from models.candidates.pod_table import COST_LINES, FIGURES, ROLES, PodTable
from models.candidates.rack_coolant import coolant_failures, coolant_standing
from models.candidates.site_fit import fits_alone
from models.physics.storage import load_time, write_time
from models.workload import ServingRole

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PodsMade:
    """``pods`` that may stand at their site, of ``buildable`` ones; what others lack to be built, and how many are too large, in words."""

    pods: PodTable
    buildable: int
    lacking: str
    too_large: str


def pods_of(shared: Shared, number: int, which: int, key: FabricKey, role: ServingRole, part: Part = WHOLE) -> PodsMade:
    """The pods of one rack design in a role with a part of the batch, one per row of its fabrics and level of storage."""
    draft, said = draft_of(shared, number, which, key, role, part)
    lacking = said or draft.lacking()
    draft = draft.take(np.flatnonzero(draft.beside.legal & draft.switched.legal))
    buildable = len(draft)
    drawn = draft.load(shared.instance.sites[shared.site].utility_figure)[0]
    fits, too_large = fits_alone(shared.instance, shared.site, drawn, draft.floor)
    draft = draft.take(fits)
    n, stored = len(draft), draft.stored
    network_table, network_row = _network_columns(draft.beside)
    made = PodTable(
        cluster=shared.cluster,
        site=shared.site,
        racks=shared.racks,
        fabrics=shared.tables,
        profiles=shared.performance.profiles,
        storages=shared.storage,
        networks=(),
        network_cards=shared.network_cards,
        batch_parts=part.of,
        rack=np.full(n, number, dtype=np.int64),
        table=np.full(n, which, dtype=np.int64),
        fabric=draft.at,
        systems=draft.systems,
        spares=draft.spares,
        accelerators=draft.accelerators,
        node_racks=draft.node_racks,
        node_positions=draft.node_racks * key.positions,
        network_racks=draft.switched.count,
        network_card=draft.switched.card,
        storage=stored.card,
        storage_nodes=stored.nodes,
        storage_racks=stored.racks,
        write_bandwidth=stored.write,
        ingest=stored.ingest,
        network_table=network_table,
        network_row=network_row,
        throughput=draft.delivered.tokens_s,
        band=draft.delivered.band,
        profile=draft.delivered.profile,
        role=np.full(n, ROLES.index(role), dtype=np.int64),
        parts=np.full(n, part.parts, dtype=np.int64),
        exchange=np.full(n, part.exchange),
        **_figures(draft),
    )
    return PodsMade(made, buildable, lacking, too_large)


def _figures(draft: Draft) -> dict[str, Any]:
    """Columns that are worked out from the rest: loads, prices, bandwidths, what fails and what that costs, mass."""
    shared = draft.shared
    write, load = _checkpoint_times(draft)
    failure_rate, goodput = _useful(draft, write, load)
    it, air, rear_door, liquid = _loads(draft)
    through_storage = _job_bandwidth(draft, Network.STORAGE, draft.stored.read)
    return {
        "it": it,
        "air": air,
        "rear_door": rear_door,
        "liquid": liquid,
        "cost_low": _costs(draft, "low"),
        "cost_high": _costs(draft, "high"),
        "injection": draft.fabric("injection"),
        "bisection": draft.fabric("bisection"),
        "storage_bandwidth": through_storage / draft.accelerators,
        "front_end_bandwidth": _job_bandwidth(draft, Network.FRONT_END, None) / draft.accelerators,
        "write": write,
        "load_time": load,
        "failure_rate": failure_rate,
        "goodput": goodput,
        "availability": _standing(draft),
        "blast_radius": worst_loss(shared.instance, shared.cluster, draft.rack, draft.row_jobs, draft.table)[draft.at],
        "weight": _weight(draft),
    }


def _useful(draft: Draft, write: Floats, load: Floats) -> tuple[Floats, Floats]:
    """Failures per second of each pod with everything that may fail in it, and how much of its time it keeps; of equal ones once."""
    if not len(draft):
        return np.zeros(0), np.zeros(0)
    shared, stored = draft.shared, draft.stored
    instance, cluster = shared.instance, shared.cluster
    # the fabrics first, of which several pods stem; a row's size says how many systems there are
    _, fabric = alike(fails_by(draft.table))
    first, back = alike((fabric[draft.at], stored.nodes, stored.card, write, load))
    line = storage_failures(instance, cluster, shared.storage, stored.card[first], stored.nodes[first])
    coolant = coolant_failures(instance, cluster, draft.rack.coolant, draft.node_racks[first])
    behind = draft.table.take(draft.at[first])
    failures = failures_of(instance, draft.rack.system, draft.jobs[first], behind, line, coolant)
    useful = useful_of(instance, cluster, failures, draft.spares[first], write[first], load[first])
    return useful.failure_rate[back], useful.goodput[back]


def _standing(draft: Draft) -> Floats:
    """Probability that each pod stands whole: its systems and fabric, its storage, the CDUs in its racks."""
    shared, rack, stored = draft.shared, draft.rack, draft.stored
    instance, cluster = shared.instance, shared.cluster
    return np.asarray(
        pod_availability(instance, cluster, rack.system, draft.row_jobs, draft.row_spares, draft.table)[draft.at]
        * storage_standing(instance, cluster, shared.storage, stored.card, stored.nodes)
        * coolant_standing(instance, cluster, rack.coolant, draft.node_racks),
        dtype=np.float64,
    )


def _checkpoint_times(draft: Draft) -> tuple[Floats, Floats]:
    """Seconds to write a checkpoint and to read it back: stated, or through storage and the network before it."""
    instance, cluster = draft.shared.instance, draft.shared.cluster
    if instance.workloads[cluster].storage is None:
        return np.full(len(draft), stated_write(instance, cluster)), np.zeros(len(draft))
    state = state_bytes(instance, cluster)
    ports, bandwidth = draft.ports(Network.STORAGE)
    write = write_time(state, draft.stored.write, ports, bandwidth)
    return write, load_time(state, draft.stored.read, ports, bandwidth)


def _job_bandwidth(draft: Draft, network: Network, most: Floats | None) -> Floats:
    """Bandwidth of the whole job on a network [B/s], no more than ``most``; 0 where there is neither."""
    if space_of(draft.shared.instance, draft.shared.cluster, network) is None:
        return np.zeros(len(draft)) if most is None else most
    ports, bandwidth = draft.ports(network)
    return ports * bandwidth if most is None or not most.any() else np.minimum(most, ports * bandwidth)


def _network_columns(beside: NetworkRows) -> tuple[Ints, Ints]:
    """Table and row of every network beside scale-out (network x pods), -1 where it has no switch."""
    tables = np.full((len(BESIDE), len(beside.legal)), -1, dtype=np.int64)
    rows = np.full_like(tables, -1)
    for number, network in enumerate(BESIDE):
        if network in beside.choices:
            tables[number], rows[number] = beside.choices[network].table, beside.choices[network].row
    return tables, rows


def _costs(draft: Draft, end: str) -> Floats:
    """Prices by line (lines x pods) [USD] at the ``low`` or ``high`` end."""
    price, overhead = draft.rack.system.price, draft.rack.overhead
    assert price is not None
    beside, stored, cards = draft.beside, draft.stored, draft.shared.storage
    of_node = np.array([getattr(card.part.price, end) for card in cards] + [0.0])
    of_rack = np.array([getattr(card.rack_price, end) for card in cards] + [0.0])
    found = np.empty((len(COST_LINES), len(draft)))
    found[0] = draft.systems * getattr(price, end)
    found[1] = draft.node_racks * getattr(overhead, end) + draft.switched.price(end)
    found[2] = draft.fabric(f"capex_switches_{end}") + beside.total(f"capex_switches_{end}")
    found[3] = draft.fabric(f"capex_links_{end}") + beside.total(f"capex_links_{end}")
    found[4] = stored.nodes * of_node[stored.card] + stored.racks * of_rack[stored.card]
    return found


def _loads(draft: Draft) -> Floats:
    """Electrical load, and heat to air, rear doors and liquid [W] (4 x figures x pods)."""
    found = np.empty((4, len(FIGURES), len(draft)))
    for number, figure in enumerate(FIGURES):
        for column, values in zip(found, draft.load(figure), strict=True):
            column[number] = values
    return found


def _weight(draft: Draft) -> Floats:
    """Mass [kg] of racks of systems, switches and storage with what is in them."""
    stored, cards = draft.stored, draft.shared.storage
    node = np.array([card.node_weight for card in cards] + [0.0])
    rack = np.array([card.rack_weight for card in cards] + [0.0])
    kept = stored.nodes * node[stored.card] + stored.racks * rack[stored.card]
    switches = draft.fabric("weight") + draft.beside.total("weight") + draft.switched.weight
    return np.asarray(draft.node_racks * draft.rack.weight + switches + kept, dtype=np.float64)
