"""What a network of a design was asked to join, and what it may be built of: scale-out, or one of the networks beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.instance import Instance
from models.parts.network_part import Switch
from models.parts.rack import Rack
from models.physics.network.ports import PortPlan
from models.services import NetworkSpace
from optimizer.design import PodChoice
from optimizer.verification.clos import ceil_div
from optimizer.verification.racks import RackParts
from optimizer.verification.row_feeds import positions_fed


@dataclass(frozen=True)
class Question:
    """``nodes`` of ``ports`` ports of ``speed`` [B/s]; what is allowed (None: everything). ``uplink`` [B/s] between switches.

    ``position`` is the place of the size among those of the design space, None where it says nothing.
    """

    instance: Instance
    cluster: str
    site: str
    nodes: int
    ports: int
    speed: float
    uplink: float
    accelerators_per_node: int
    nodes_per_rack: int
    positions: int
    position: int | None
    switches: Sequence[str] | None
    protocols: Sequence[str] | None
    media: Sequence[str] | None
    tiers: Sequence[int]
    oversubscription: Sequence[float]
    rails: bool
    waste: float
    speeds: Sequence[float]


def port_plan(switch: Switch) -> PortPlan:
    """Ports of a switch; a "most ports" faster than native faces only other switches."""
    native = switch.native_speed or 0.0
    faster = switch.most_ports is not None and (switch.most_ports_speed or 0.0) > native
    return PortPlan(
        switch.native_ports or 0, native, switch.most_ports, switch.most_ports_speed, switch.cages,
        (switch.most_ports or 0) if faster else 0, (switch.most_ports_speed or 0.0) if faster else 0.0,
    )  # fmt: skip


def scale_out(instance: Instance, pod: PodChoice, parts: RackParts) -> Question:
    """The question behind a pod's scale-out fabric."""
    system = parts.system
    assert system.scaleout_nics is not None and system.rails is not None
    assert system.scaleout_speed is not None and system.accelerators is not None
    trays = system.scaleout_nics // system.rails
    space = instance.workloads[pod.cluster].design_space.fabric
    return Question(
        instance, pod.cluster, pod.site, pod.systems * trays, system.rails, system.scaleout_speed,
        system.scaleout_speed, system.accelerators // trays, pod.systems_per_rack * trays,
        positions_of(instance, pod), _position(instance, pod),
        space.switches, space.protocols, space.media, space.tiers, space.oversubscription, space.rail_optimised,
        space.wasted_ports_at_most, space.speeds,
    )  # fmt: skip


def beside(instance: Instance, pod: PodChoice, space: NetworkSpace, ports: int) -> Question:
    """The question behind a network beside scale-out that joins ``ports`` ports: plain, every port a node of its own."""
    return Question(
        instance, pod.cluster, pod.site, ports, 1, space.speed, space.uplinks or space.speed, 1,
        max(pod.systems_per_rack * space.ports_per_system, 1), positions_of(instance, pod), None, space.switches, space.protocols, None, (1, 2, 3),
        space.oversubscription, False, space.wasted_ports_at_most, (space.speed,),
    )  # fmt: skip


def positions_of(instance: Instance, pod: PodChoice) -> int:
    """Rack positions one frame of a pod takes in a row of its site."""
    width = instance.catalogue.get(Rack, pod.frame).width or 0.0
    positions = 1
    while positions * instance.sites[pod.site].rows.rack_pitch < width - 1e-9:
        positions += 1
    return max(positions, positions_fed(instance, pod))


def _position(instance: Instance, pod: PodChoice) -> int:
    """Place of the pod's size among the sizes of the design space, -1 where it is none of them."""
    jobs = pod.systems - pod.spares
    each = pod.accelerators // jobs if jobs else 1
    sizes = instance.workloads[pod.cluster].design_space.sizes
    counts = sorted({ceil_div(wanted, each) for wanted in range(sizes.smallest, sizes.largest + 1, sizes.step)})
    return counts.index(jobs) if jobs in counts else -1
