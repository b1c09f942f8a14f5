"""A pod of a design: counts, three power figures and heats, mass, throughput, failures and goodput, from parts and fabric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.instance import Instance
from models.physics.node_power import computing_share, idle_power, node_power
from models.policy import PowerFigure
from models.site import Chain
from models.workload import Serving, ServingRole, ThroughputMethod, Training
from optimizer.design import PodChoice, Watts4
from optimizer.verification.clos import ceil_div
from optimizer.verification.fabric import FabricFacts, check_fabric
from optimizer.verification.fabric_question import positions_of, scale_out
from optimizer.verification.failures import Reliability, Stored, reliability_of
from optimizer.verification.findings import Checks
from optimizer.verification.network_racks import NetworkRackFacts, network_racks_of
from optimizer.verification.rack_coolant import pump_share
from optimizer.verification.rack_supplies import at_its_load
from optimizer.verification.racks import RackParts, check_rack
from optimizer.verification.services import Services, services_of
from optimizer.verification.split import share_of
from optimizer.verification.throughput import Throughput, throughput_of

FIGURES = (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL, PowerFigure.IN_USE)


@dataclass(frozen=True)
class PodFacts:
    """One pod as its parts and the physics give it; ``loads`` [W] by chain, each nameplate, design, typical, in use. Rates [1/s]."""

    pod: PodChoice
    parts: RackParts
    fabric: FabricFacts
    node_racks: int
    node_positions: int
    switched: NetworkRackFacts
    accelerators: int
    loads: dict[Chain, Watts4]
    delivered: Throughput
    services: Services
    reliability: Reliability

    @property
    def goodput(self) -> float:
        """Share of useful time."""
        return self.reliability.goodput

    @property
    def installed(self) -> int:
        """Accelerators bought, spares included."""
        return self.pod.systems * (self.parts.system.accelerators or 0)

    @property
    def count(self) -> int:
        """How many of these pods."""
        return self.pod.count

    @property
    def throughput(self) -> float:
        """Tokens per second without failures of one pod."""
        return self.delivered.tokens_s

    @property
    def rate(self) -> float:
        """Tokens per second of goodput of one pod."""
        return self.throughput * self.goodput

    @property
    def pace(self) -> float:
        """Tokens per second without failures of the whole job where this pod is the slowest of it."""
        return self.throughput / share_of(self.pod)

    def able(self, role: str) -> bool:
        """Whether the pod counts towards what prefill (or decode) delivers."""
        return self.pod.role in ("mixed", role)

    @property
    def floor(self) -> int:
        """Rack positions of one pod."""
        return self.node_positions + self.network_racks + self.storage_racks

    @property
    def network_racks(self) -> int:
        """Racks of switches of one pod."""
        return self.switched.count

    @property
    def storage_racks(self) -> int:
        """Racks of storage of one pod."""
        return self.services.storage.racks if self.services.storage is not None else 0

    @property
    def design_w(self) -> float:
        """Sustained peak of one pod's electrical load [W]."""
        return self.load(Chain.POWER, PowerFigure.DESIGN)

    def load(self, chain: Chain, figure: PowerFigure) -> float:
        """Load [W] of one pod on a chain: IT power for the power chain, heat for the others."""
        return self.loads[chain][FIGURES.index(figure)]


def check_pod(checks: Checks, instance: Instance, pod: PodChoice, number: int) -> PodFacts | None:
    """The facts of a pod, or None where its parts do not allow any; every field that differs becomes a finding."""
    prefix = f"pods[{number}]"
    known = checks.rule(f"{prefix}.cluster", pod.cluster in instance.workloads, pod.cluster, list(instance.workloads))
    known &= checks.rule(f"{prefix}.site", pod.site in instance.sites, pod.site, list(instance.sites))
    known &= checks.rule(f"{prefix}.systems", pod.systems >= 1, pod.systems, "at least one")
    known &= checks.rule(f"{prefix}.spares", 0 <= pod.spares < pod.systems, pod.spares, "fewer than systems")
    known &= checks.rule(f"{prefix}.systems_per_rack", pod.systems_per_rack >= 1, pod.systems_per_rack, "at least one")
    if not known:
        return None
    parts = check_rack(checks, instance, pod, prefix)
    fabric = (
        check_fabric(checks, scale_out(instance, pod, parts), pod.fabric, f"{prefix}.fabric")
        if parts is not None
        else None
    )
    if parts is None or fabric is None:
        return None
    facts = _facts(checks, instance, pod, parts, fabric, prefix)
    _compare(checks, instance, facts, prefix)
    return facts


def _facts(
    checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, fabric: FabricFacts, prefix: str
) -> PodFacts:
    system = parts.system
    assert system.accelerators is not None and system.scaleout_nics is not None and system.rails is not None
    accelerators = (pod.systems - pod.spares) * system.accelerators
    delivered = throughput_of(instance, pod, parts, accelerators, fabric.injection, fabric.narrowest)
    services = services_of(checks, instance, pod, fabric, delivered.tokens_s, prefix)
    return PodFacts(
        pod=pod,
        parts=parts,
        fabric=fabric,
        node_racks=ceil_div(pod.systems, pod.systems_per_rack),
        node_positions=ceil_div(pod.systems, pod.systems_per_rack) * positions_of(instance, pod),
        switched=network_racks_of(checks, instance, pod, fabric, services, prefix),
        accelerators=accelerators,
        loads=_loads(instance, pod, parts, fabric, services, delivered),
        delivered=delivered,
        services=services,
        reliability=reliability_of(
            instance, pod, parts, fabric, services.writing, _stored_nodes(instance, services, pod)
        ),
    )


def _in_use(instance: Instance, pod: PodChoice, parts: RackParts, accelerators: int, delivered: Throughput) -> float:
    """Mean power [W] of one system: by what its accelerators do, where a search knows; else as printed for training."""
    system, rating, told = parts.system, parts.accelerator.tdp, delivered.performance
    assert system.max_power is not None and system.typical_power is not None and system.accelerators is not None
    if rating is None or "terms_s" not in told:
        return system.typical_power
    busy = int(told["accelerators_used"]) / accelerators
    board, steady = (system.max_power, system.accelerators, rating), system.steady_power or 0.0
    working = float(node_power(*board, computing_share(told["terms_s"]), steady=steady))
    drawn = busy * working + (1 - busy) * float(idle_power(*board, steady=steady))
    return at_its_load(instance, pod, system, drawn)


def _loads(
    instance: Instance, pod: PodChoice, parts: RackParts, fabric: FabricFacts, services: Services, delivered: Throughput
) -> dict[Chain, Watts4]:
    """Electrical load and heat to each chain: switches always heat the room, a rear door takes all of its rack."""
    system, door = parts.system, parts.door
    assert system.max_power is not None and system.typical_power is not None and system.liquid_fraction is not None
    share = instance.assumptions.design_power_share.value
    power, air, rear, liquid = [], [], [], []
    typical = fabric.power_typical + services.total("power_typical")
    most = fabric.power_max + services.total("power_max")
    if services.storage is not None:
        typical, most = typical + services.storage.power_typical, most + services.storage.power_max
    steps = [
        (system.typical_power + weight * (system.max_power - system.typical_power), typical + weight * (most - typical))
        for weight in (1.0, share, 0.0)
    ]
    jobs = pod.systems - pod.spares
    in_use = _in_use(instance, pod, parts, jobs * (system.accelerators or 0), delivered)
    for number, (one, network) in enumerate([*steps, (in_use, typical)]):
        idle = one if number == 0 else min(one, idle_w(parts, one))
        compute = jobs * one + pod.spares * idle
        to_liquid = compute * system.liquid_fraction
        pumps = to_liquid * pump_share(instance, pod)
        to_door = compute if door is not None else 0.0
        fans = to_door * ((door.power_share or 0.0) if door is not None else 0.0)
        power.append(compute + network + fans + pumps)
        air.append(compute - to_liquid - to_door + network)
        rear.append(to_door + fans)
        liquid.append(to_liquid + pumps)
    chains = {Chain.POWER: power, Chain.AIR: air, Chain.REAR_DOOR: rear, Chain.LIQUID: liquid}
    return {chain: (watts[0], watts[1], watts[2], watts[3]) for chain, watts in chains.items()}


def _stored_nodes(instance: Instance, services: Services, pod: PodChoice) -> Stored | None:
    storage, need = services.storage, instance.workloads[pod.cluster].storage
    if storage is None or need is None:
        return None
    return Stored(storage.node.id, storage.nodes, storage.ports // storage.nodes, need.lost)


def idle_w(parts: RackParts, otherwise: float) -> float:
    """Power of a spare system [W]: its accelerators idle, the rest of it running."""
    rating, system = parts.accelerator.tdp, parts.system
    if rating is None or system.max_power is None:
        return otherwise
    return float(idle_power(system.max_power, system.accelerators or 0, rating, steady=system.steady_power or 0.0))


def _fabric_name(fabric: Mapping[str, Any]) -> str:
    """Switch, tiers, leaf split, rails; in three tiers the spine split and the core; speed between switches."""
    split = f"{fabric['down']}:{fabric['up']}" if fabric["up"] else f"{fabric['down']}"
    words = [fabric["switch"], f"{fabric['tiers']}t", split, "rail" if fabric["rail_optimised"] else "plain"]
    if fabric["tiers"] == 3:
        words += [f"s{fabric['spine_split_down']}:{fabric['spine_split_up']}", f"c{fabric['core']}"]
    return ".".join([*words, f"{fabric['uplink_speed'] * 8e-9:g}G"])


def _roles(workload: Training | Serving) -> set[str]:
    """What pods of a workload may do: all of it, unless serving is searched and says otherwise."""
    if isinstance(workload, Training) or workload.throughput is ThroughputMethod.FIRST_ORDER:
        return {"mixed"}
    return {role.value for role in workload.roles or ServingRole}


def _stored(services: Services) -> str:
    """The storage in a pod's name: its nodes, or the bandwidth it is entitled to."""
    if services.storage is not None:
        return f"|{services.storage.nodes}x{services.storage.node.id}"
    return f"|{services.write / 1e9:g}GB/s" if services.write > 0 else ""


def _batch(pod: PodChoice) -> str:
    """The part of the batch in a pod's name, where others train beside it."""
    if not pod.batch or not pod.batch["exchange_s"]:
        return ""
    return f"|{pod.batch['parts']}of{pod.batch['of']}@{pod.batch['exchange_s']:.6g}s"


def _compare_mapping(checks: Checks, facts: PodFacts, prefix: str) -> None:
    """What a design tells of its mapping, field by field; nothing where throughput is a stated share of peak."""
    told, expected = dict(facts.pod.performance), facts.delivered.performance
    for name in sorted(told.keys() | expected.keys()):
        reported, wanted = told.get(name), expected.get(name)
        if isinstance(wanted, dict) and isinstance(reported, dict):
            reported, wanted = sorted(reported.items()), sorted(wanted.items())
        checks.same(f"{prefix}.performance.{name}", reported, wanted)


def _compare_tree(checks: Checks, told: Any, expected: Any, where: str) -> None:
    """Nested mappings and lists, field by field."""
    if isinstance(told, dict) and isinstance(expected, dict):
        for name in sorted(told.keys() | expected.keys()):
            known = name in told and name in expected
            if checks.rule(f"{where}.{name}", known, told.get(name), expected.get(name), "missing or unknown"):
                _compare_tree(checks, told[name], expected[name], f"{where}.{name}")
    elif isinstance(told, list | tuple) and isinstance(expected, list | tuple) and len(told) == len(expected):
        for number, (one, other) in enumerate(zip(told, expected, strict=True)):
            _compare_tree(checks, one, other, f"{where}[{number}]")
    else:
        checks.same(where, told, expected)


def _compare(checks: Checks, instance: Instance, facts: PodFacts, prefix: str) -> None:
    pod, workload = facts.pod, instance.workloads[facts.pod.cluster]
    fabric = pod.fabric
    own = f"+{pod.rack['cdus']}x{pod.rack['cdu']}" if pod.rack.get("cdu") else ""
    rack = f"{pod.systems_per_rack}x{pod.system}@{pod.frame}.{pod.cooling}{own}"
    expected = {
        "pod_id": f"{rack}|{_fabric_name(fabric)}|{facts.accelerators}"
        + ("" if pod.role == "mixed" else f"|{pod.role}")
        + _stored(facts.services)
        + _batch(pod),
        "accelerators": facts.accelerators,
        "node_racks": facts.node_racks,
        "node_positions": facts.node_positions,
        "network_racks": facts.network_racks,
        "it_w": facts.loads[Chain.POWER],
        "air_w": facts.loads[Chain.AIR],
        "rear_door_w": facts.loads[Chain.REAR_DOOR],
        "liquid_w": facts.loads[Chain.LIQUID],
        "weight_kg": facts.node_racks * facts.parts.weight
        + facts.fabric.weight
        + facts.services.total("weight")
        + facts.switched.weight
        + (facts.services.storage.weight if facts.services.storage is not None else 0.0),
        "storage_b_s": facts.services.storage_b_s,
        "front_end_b_s": facts.services.front_end_b_s,
        "injection_b_s": facts.fabric.injection,
        "bisection_b_s": facts.fabric.bisection,
        "throughput_tokens_s": facts.throughput,
        "throughput_band": facts.delivered.band,
        "failure_rate_per_s": facts.reliability.failure_rate,
        "goodput": facts.goodput,
        "spares": facts.reliability.spares,
        "availability": facts.reliability.availability,
        "blast_radius": facts.reliability.blast_radius,
    }
    for name, value in expected.items():
        checks.same(f"{prefix}.{name}", getattr(pod, name), value)
    _compare_mapping(checks, facts, prefix)
    _compare_tree(checks, dict(pod.reliability), facts.reliability.told, f"{prefix}.reliability")
    checks.rule(f"{prefix}.throughput_tokens_s", facts.throughput > 0, facts.throughput, "the model fits in memory")
    roles = _roles(workload)
    checks.rule(f"{prefix}.role", pod.role in roles, pod.role, sorted(roles), "what pods of the cluster may do")
    sizes = workload.design_space.sizes
    jobs = pod.systems - pod.spares
    each = facts.accelerators // jobs
    counts = {ceil_div(wanted, each) for wanted in range(sizes.smallest, sizes.largest + 1, sizes.step)}
    checks.rule(f"{prefix}.systems", jobs in counts, jobs, "a size of the design space")
    checks.rule(f"{prefix}.count", pod.count >= 1, pod.count, "at least one pod")
