"""A pod of a design: counts, three power figures and heats, mass, throughput, failures and goodput, from parts and fabric."""

from __future__ import annotations

from dataclasses import dataclass

from models.candidates.fabric_summary import name_of_row
from models.instance import Instance
from models.parts.model_card import ModelCard
from models.parts.rack import Rack
from models.physics.checkpointing import goodput, optimal_interval
from models.physics.first_order import communication_factor, serving_rate, training_rate
from models.policy import PowerFigure, Stated
from models.site import Chain
from models.units import Unlimited
from models.workload import Serving, Training
from optimizer.design import PodChoice
from optimizer.verification.clos import ceil_div
from optimizer.verification.fabric import FabricFacts, check_fabric
from optimizer.verification.findings import Checks
from optimizer.verification.racks import EIA, RackParts, check_rack

FIGURES = (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL)
MEMORY_SHARE = 0.9
TRAINING_BYTES_PER_PARAMETER = 16.0
WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}
SMALLEST_FRAME = 42.0

Watts3 = tuple[float, float, float]


@dataclass(frozen=True)
class PodFacts:
    """One pod as its parts and the physics give it; ``loads`` [W] by chain, each nameplate, design, typical. Rates [1/s]."""

    pod: PodChoice
    parts: RackParts
    fabric: FabricFacts
    node_racks: int
    network_racks: int
    accelerators: int
    loads: dict[Chain, Watts3]
    throughput: float
    failure_rate: float
    goodput: float

    @property
    def count(self) -> int:
        """How many of these pods."""
        return self.pod.count

    @property
    def rate(self) -> float:
        """Tokens per second of goodput of one pod."""
        return self.throughput * self.goodput

    @property
    def floor(self) -> int:
        """Rack positions of one pod."""
        return self.node_racks + self.network_racks

    def load(self, chain: Chain, figure: PowerFigure) -> float:
        """Load [W] of one pod on a chain: IT power for the power chain, heat for the others."""
        return self.loads[chain][FIGURES.index(figure)]


def check_pod(checks: Checks, instance: Instance, pod: PodChoice, number: int) -> PodFacts | None:
    """The facts of a pod, or None where its parts do not allow any; every field that differs becomes a finding."""
    prefix = f"pods[{number}]"
    known = checks.rule(f"{prefix}.cluster", pod.cluster in instance.workloads, pod.cluster, list(instance.workloads))
    known &= checks.rule(f"{prefix}.site", pod.site in instance.sites, pod.site, list(instance.sites))
    known &= checks.rule(f"{prefix}.systems", pod.systems >= 1, pod.systems, "at least one")
    known &= checks.rule(f"{prefix}.systems_per_rack", pod.systems_per_rack >= 1, pod.systems_per_rack, "at least one")
    if not known:
        return None
    parts = check_rack(checks, instance, pod, prefix)
    fabric = check_fabric(checks, instance, pod, parts, f"{prefix}.fabric") if parts is not None else None
    if parts is None or fabric is None:
        return None
    facts = _facts(instance, pod, parts, fabric)
    _compare(checks, instance, facts, prefix)
    return facts


def _facts(instance: Instance, pod: PodChoice, parts: RackParts, fabric: FabricFacts) -> PodFacts:
    system = parts.system
    assert system.accelerators is not None and system.scaleout_nics is not None and system.rails is not None
    accelerators = pod.systems * system.accelerators
    nodes = pod.systems * (system.scaleout_nics // system.rails)
    failures, useful = _goodput(instance, pod.cluster, accelerators, nodes)
    return PodFacts(
        pod=pod,
        parts=parts,
        fabric=fabric,
        node_racks=ceil_div(pod.systems, pod.systems_per_rack),
        network_racks=_network_racks(instance, pod, fabric),
        accelerators=accelerators,
        loads=_loads(instance, pod, parts, fabric),
        throughput=_throughput(instance, pod, parts, accelerators, fabric.narrowest),
        failure_rate=failures,
        goodput=useful,
    )


def _network_racks(instance: Instance, pod: PodChoice, fabric: FabricFacts) -> int:
    """Racks of switches, by rack units of the tallest allowed 19-inch frame and by the heat the room takes per rack."""
    frames = instance.workloads[pod.cluster].design_space.frames
    heights = [
        frame.rack_units
        for frame in instance.catalogue.of(Rack).values()
        if frame.kind == EIA and frame.rack_units is not None and (frames is None or frame.id in frames)
    ]
    room = max(heights, default=SMALLEST_FRAME) - instance.assumptions.reserved_rack_units.value
    racks = _whole(fabric.rack_units / room)
    limit = instance.sites[pod.site].air_per_rack
    return racks if isinstance(limit, Unlimited) else max(racks, _whole(fabric.power_max / limit))


def _whole(value: float) -> int:
    return -int(-(value - 1e-9) // 1)


def _loads(instance: Instance, pod: PodChoice, parts: RackParts, fabric: FabricFacts) -> dict[Chain, Watts3]:
    """Electrical load and heat to each chain: switches always heat the room, a rear door takes all of its rack."""
    system, door = parts.system, parts.door
    assert system.max_power is not None and system.typical_power is not None and system.liquid_fraction is not None
    share = instance.assumptions.design_power_share.value
    power, air, rear, liquid = [], [], [], []
    for weight in (1.0, share, 0.0):
        compute = pod.systems * (system.typical_power + weight * (system.max_power - system.typical_power))
        network = fabric.power_typical + weight * (fabric.power_max - fabric.power_typical)
        to_liquid = compute * system.liquid_fraction
        to_door = compute if door is not None else 0.0
        fans = to_door * ((door.power_share or 0.0) if door is not None else 0.0)
        power.append(compute + network + fans)
        air.append(compute - to_liquid - to_door + network)
        rear.append(to_door + fans)
        liquid.append(to_liquid)
    chains = {Chain.POWER: power, Chain.AIR: air, Chain.REAR_DOOR: rear, Chain.LIQUID: liquid}
    return {chain: (watts[0], watts[1], watts[2]) for chain, watts in chains.items()}


def _stated(stated: Stated[float] | None) -> float:
    if stated is None:
        raise ValueError("an assumption this workload needs is not stated")
    return stated.value


def _throughput(instance: Instance, pod: PodChoice, parts: RackParts, accelerators: int, bandwidth: float) -> float:
    """Tokens/s without failures; zero where the model does not fit in memory."""
    workload, given = instance.workloads[pod.cluster], instance.assumptions
    shape = instance.catalogue.get(ModelCard, workload.model).shape()
    peak, memory = parts.accelerator.peak(workload.dtype.value), parts.accelerator.memory
    if peak is None or memory is None:
        raise ValueError(f"accelerator {parts.accelerator.id} lacks peak or memory")
    if isinstance(workload, Training):
        sustained = peak * _stated(given.training_derating)
        exposed = _stated(given.exposed_communication)
        factor = communication_factor(
            accelerators, sustained, bandwidth, workload.global_batch, workload.model_parallel, exposed
        )
        fits = shape.params() * TRAINING_BYTES_PER_PARAMETER <= MEMORY_SHARE * memory * accelerators
        return float(training_rate(accelerators, sustained, shape.params(), factor)) if fits else 0.0
    domain = min(parts.accelerator.scaleup_domain or 1, parts.system.accelerators or 1)
    if shape.params() * WEIGHT_BYTES[workload.dtype.value] > MEMORY_SHARE * memory * domain:
        return 0.0
    sustained = peak * _stated(given.serving_derating)
    return float(serving_rate(accelerators, sustained, shape.active_params(), workload.prompt, workload.answer))


def _goodput(instance: Instance, cluster: str, accelerators: int, nodes: int) -> tuple[float, float]:
    given = instance.assumptions
    rate = accelerators * given.accelerator_failure_rate.value + nodes * given.node_failure_rate.value
    write, restart = given.checkpoint_write.value, given.restart.value
    if isinstance(instance.workloads[cluster], Serving):
        return rate, 1.0 / (1.0 + rate * restart)
    return rate, float(goodput(optimal_interval(write, rate), write, rate, 0.0, restart))


def _compare(checks: Checks, instance: Instance, facts: PodFacts, prefix: str) -> None:
    pod, workload = facts.pod, instance.workloads[facts.pod.cluster]
    fabric = pod.fabric
    rack = f"{pod.systems_per_rack}x{pod.system}@{pod.frame}.{pod.cooling}"
    expected = {
        "pod_id": f"{rack}|{name_of_row(fabric)}|{facts.accelerators}",
        "accelerators": facts.accelerators,
        "node_racks": facts.node_racks,
        "network_racks": facts.network_racks,
        "it_w": facts.loads[Chain.POWER],
        "air_w": facts.loads[Chain.AIR],
        "rear_door_w": facts.loads[Chain.REAR_DOOR],
        "liquid_w": facts.loads[Chain.LIQUID],
        "weight_kg": facts.node_racks * facts.parts.weight + facts.fabric.weight,
        "injection_b_s": facts.fabric.injection,
        "bisection_b_s": facts.fabric.bisection,
        "throughput_tokens_s": facts.throughput,
        "failure_rate_per_s": facts.failure_rate,
        "goodput": facts.goodput,
    }
    for name, value in expected.items():
        checks.same(f"{prefix}.{name}", getattr(pod, name), value)
    checks.rule(f"{prefix}.throughput_tokens_s", facts.throughput > 0, facts.throughput, "the model fits in memory")
    sizes = workload.design_space.sizes
    each = facts.accelerators // pod.systems
    counts = {ceil_div(wanted, each) for wanted in range(sizes.smallest, sizes.largest + 1, sizes.step)}
    checks.rule(f"{prefix}.systems", pod.systems in counts, pod.systems, "a size of the design space")
    checks.rule(f"{prefix}.count", pod.count >= 1, pod.count, "at least one pod")
