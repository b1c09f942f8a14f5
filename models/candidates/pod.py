"""Enumerates pods: every rack design a site accepts, behind every legal fabric, at every size of the design space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt

from models.candidates.barred import barred_pods, barred_racks, kept_fabrics, not_barred
from models.candidates.batch_split import Part, parts_at
from models.candidates.fabric_choice import narrowest, unbeaten
from models.candidates.fabric_design import count_fabrics, enumerate_fabrics
from models.candidates.fabric_parts import NEEDED_OF_A_LINK, LinkCard, SwitchCard
from models.candidates.fabric_request import FabricRequest
from models.candidates.fabric_table import FabricTable, Refusal
from models.candidates.network_rack import network_cards
from models.candidates.pod_draft import FabricKey, Shared
from models.candidates.pod_goodput import spares_of
from models.candidates.pod_networks import Planner
from models.candidates.pod_performance import Performance
from models.candidates.pod_rows import pods_of
from models.candidates.pod_storage import storage_cards
from models.candidates.pod_table import PodTable
from models.candidates.rack_design import RackDesign
from models.candidates.rejection import Rejection, Stage
from models.candidates.row_feed import positions_in_row
from models.candidates.rows_of_racks import rack_plan
from models.candidates.site_fit import racks_for_site
from models.candidates.throughput_table import Memo
from models.candidates.told_apart import FABRIC_LAYERS, comparison
from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.parts.system import System

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PodSource:
    """What the pods of one cluster at one site are made of.

    ``joined`` names rack design (into the racks of ``shared``) and fabrics (into its tables) of every pair that some network joins;
    ``parts`` of the batch a pod may take; ``barred`` the ids of pods that are left out; ``rejections`` and ``refusals`` say what was turned down so far.
    """

    shared: Shared
    joined: tuple[tuple[int, int, FabricKey], ...]
    parts: tuple[Part, ...]
    barred: frozenset[str]
    rejections: tuple[Rejection, ...]
    refusals: tuple[Refusal, ...]

    @property
    def rows(self) -> int:
        """Rows of fabrics that pods will be made of."""
        tables = self.shared.tables
        rows = sum(len(tables[which]) for _, which, _ in self.joined)
        return rows * len(self.shared.performance.roles) * len(self.parts)

    @property
    def levels(self) -> int:
        """Pods of one row of fabrics at most: levels of checkpoint bandwidth."""
        need = self.shared.instance.workloads[self.shared.cluster].storage
        return 1 if need is None else len(set(need.write))

    def tables(self, rejections: list[Rejection]) -> Iterator[tuple[PodTable, Ints, int]]:
        """The pods of each rack design in each role, the rows of those that may stand, and the rows of fabrics they were made of.

        Why others may not is added to ``rejections``.
        """
        shared = self.shared
        cluster, site, performance = shared.cluster, shared.site, shared.performance
        for number, which, key in self.joined:
            for role, part in product(performance.roles, self.parts):
                made = pods_of(shared, number, which, key, role, part)
                refusal = made.lacking or ("" if made.buildable else performance.refusal(role))
                reasons = filter(None, (refusal, made.too_large))
                rack = shared.racks[number].id
                rejections += [Rejection(rack, Stage.POD, reason, cluster, site) for reason in reasons]
                yield made.pods, not_barred(made.pods, self.barred), len(shared.tables[which])


def system_counts(instance: Instance, cluster: str, accelerators_per_system: int) -> Ints:
    """Numbers of systems at every size of the design space, each once, in ascending order."""
    sizes = instance.workloads[cluster].design_space.sizes
    wanted = np.arange(sizes.smallest, sizes.largest + 1, sizes.step, dtype=np.int64)
    return np.unique(-(-wanted // accelerators_per_system))


def pod_source(
    instance: Instance,
    cluster: str,
    site: str,
    racks: Sequence[RackDesign],
    memo: Memo | None = None,
    barred_too: bool = False,
    every_rack: bool = False,
) -> PodSource:
    """What every pod of ``cluster`` that may stand at ``site`` is made of; ``racks`` are the cluster's legal rack designs.

    ``memo`` keeps searched throughput tables by content; ``barred_too`` also gives the pods that are barred for want of a layout;
    ``every_rack`` keeps emptier racks, and fabrics of smaller leaves, beside what else would replace them.
    """
    barred = barred_pods(instance, cluster, site)
    kept, rejections = racks_for_site(instance, cluster, site, racks, barred_racks(barred), every_rack)
    found = _joined(instance, cluster, site, kept, barred, every_rack)
    rejections.extend(found.rejections)
    performance = Performance(instance, cluster, memo)
    asked = ((kept[number].system, found.tables[which]) for number, which, _ in found.joined)
    parts = parts_at(instance, cluster, site)
    performance.prepare(((system, table.injection, narrowest(table)) for system, table in asked), parts)
    stores, unusable = storage_cards(instance, cluster, site)
    rejections.extend(unusable)
    planner, stands = Planner(instance, cluster, site), network_cards(instance, cluster)
    shared = Shared(instance, cluster, site, tuple(kept), found.tables, performance, stores, planner, stands)
    refusals = tuple(refusal for table in found.tables for refusal in table.refusals)
    left_out: frozenset[str] = frozenset() if barred_too else barred
    return PodSource(shared, found.joined, parts, left_out, tuple(rejections), refusals)


@dataclass(frozen=True)
class _Joined:
    """Fabrics for rack designs, and the designs that have none."""

    tables: tuple[FabricTable, ...]
    joined: tuple[tuple[int, int, FabricKey], ...]
    rejections: tuple[Rejection, ...]


def _joined(
    instance: Instance, cluster: str, site: str, racks: Sequence[RackDesign], barred: frozenset[str], every_rack: bool
) -> _Joined:
    """The fabrics of every rack design, each request enumerated once and without what other fabrics beat."""
    switches, links, excluded = fabric_parts(instance, cluster)
    compare = comparison(instance, FABRIC_LAYERS)
    best = partial(unbeaten, compare=compare, losses=every_rack)
    rejections = list(excluded)
    tables: list[FabricTable] = []
    index: dict[FabricKey, int] = {}
    joined: list[tuple[int, int, FabricKey]] = []
    counts: dict[str, tuple[Ints, Ints]] = {}
    counted, counted_for = None, None
    for number, rack in enumerate(racks):
        if rack.system.id not in counts:
            counts[rack.system.id] = _systems_of(instance, cluster, rack.system)
        key = _key(instance, site, rack, *counts[rack.system.id])
        if key.port_speed not in instance.workloads[cluster].design_space.fabric.speeds:
            reason = f"its NICs run at {key.port_speed * 8 / 1e9:.0f} Gbit/s, not among design_space.fabric.speeds"
            rejections.append(Rejection(rack.id, Stage.FABRIC, reason, cluster, site))
            continue
        if key not in index:
            index[key] = len(tables)
            request, shape = _request(instance, cluster, site, key), replace(key, nodes_per_rack=0, positions=0)
            if shape != counted_for:
                counted, counted_for = count_fabrics(request, switches), shape
            table = enumerate_fabrics(request, switches, links, counted, None if barred else best)
            tables.append(
                table.take(kept_fabrics(table, best(table), barred, compare, every_rack)) if barred else table
            )
        if len(tables[index[key]]) == 0:
            rejections.append(Rejection(rack.id, Stage.FABRIC, "no legal fabric joins it at any size", cluster, site))
            continue
        joined.append((number, index[key], key))
    return _Joined(tuple(tables), tuple(joined), tuple(rejections))


def fabric_parts(instance: Instance, cluster: str) -> tuple[list[SwitchCard], list[LinkCard], list[Rejection]]:
    """Switches and link media the cluster's fabric may use, and why the others may not."""
    space = instance.workloads[cluster].design_space.fabric
    switches: list[SwitchCard] = []
    rejected: list[Rejection] = []
    for part in instance.catalogue.of(Switch).values():
        if (space.switches is not None and part.id not in space.switches) or (
            space.protocols is not None and part.protocol not in space.protocols
        ):
            rejected.append(Rejection(part.id, Stage.DESIGN_SPACE, "not allowed by design_space.fabric", cluster))
            continue
        if part.preliminary and not instance.workloads[cluster].design_space.preliminary_parts:
            rejected.append(
                Rejection(
                    part.id, Stage.DESIGN_SPACE, "preliminary, and design_space.preliminary_parts is false", cluster
                )
            )
            continue
        card = SwitchCard.from_part(part)
        short = ("native_ports", "native_speed") if card is None else card.missing()
        if card is None or short:
            columns = ", ".join(part.column_of(_FIELD.get(name, name)) for name in short)
            rejected.append(Rejection(part.id, Stage.CATALOGUE, f"{columns} not in the catalogue", cluster))
            continue
        switches.append(card)
    links: list[LinkCard] = []
    for medium in instance.catalogue.of(Link).values():
        link = LinkCard.from_part(medium)
        if space.media is not None and medium.id not in space.media:
            continue
        if link is None:
            reason = medium.missing(*NEEDED_OF_A_LINK) or f"{medium.kind} is no link medium"
            rejected.append(Rejection(medium.id, Stage.CATALOGUE, reason, cluster))
        else:
            links.append(link)
    return switches, links, rejected


_FIELD = {"height": "height_units"}


def _systems_of(instance: Instance, cluster: str, system: System) -> tuple[Ints, Ints]:
    """Systems that work and their spares, at every size."""
    assert system.accelerators
    jobs = system_counts(instance, cluster, system.accelerators)
    return jobs, spares_of(instance, cluster, system, jobs)


def _key(instance: Instance, site: str, rack: RackDesign, jobs: Ints, spares: Ints) -> FabricKey:
    system = rack.system
    assert system.rails and system.scaleout_nics and system.scaleout_speed and system.accelerators
    nodes = system.scaleout_nics // system.rails
    return FabricKey(
        systems=tuple((jobs + spares).tolist()),
        spares=tuple(spares.tolist()),
        ports_per_node=system.rails,
        port_speed=system.scaleout_speed,
        accelerators_per_node=system.accelerators // nodes,
        nodes_per_rack=rack.systems * nodes,
        nodes_per_system=nodes,
        accelerators_per_system=system.accelerators,
        positions=positions_in_row(instance, site, rack),
    )


def _request(instance: Instance, cluster: str, site: str, key: FabricKey) -> FabricRequest:
    space = instance.workloads[cluster].design_space.fabric
    return FabricRequest(
        nodes=np.array(key.systems, dtype=np.int64) * key.nodes_per_system,
        rack_plan=rack_plan(instance.sites[site].rows, key.nodes_per_rack, key.positions),
        port_speed=key.port_speed,
        accelerators_per_node=key.accelerators_per_node,
        ports_per_node=key.ports_per_node,
        tiers=tuple(space.tiers),
        oversubscriptions=tuple(space.oversubscription),
        rail_optimised=(space.rail_optimised,),
        protocols=frozenset(space.protocols) if space.protocols is not None else None,
        max_waste=space.wasted_ports_at_most,
    )
