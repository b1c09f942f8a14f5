"""From a solution of the program to a design: decisions, bill of materials, figures, margins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.candidates.placement import Placements
from models.candidates.pod_table import ROLES, PodTable
from models.formulation.build import Formulation
from models.formulation.core import Row
from models.formulation.family import BindingRow, families
from models.formulation.linear import Linear
from models.formulation.pace import way_block
from models.instance import Instance
from models.parts.accelerator import Accelerator
from optimizer.bom import plant_lines, pod_lines
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.design import Design, Margin, PlantChoice, PodChoice, SiteExchange, Watts4, design_id
from optimizer.figures import figures_of
from optimizer.hung_racks import rings_of
from optimizer.orders import orders_of, with_orders
from optimizer.plant import Chosen
from optimizer.reliability import reliability_of
from optimizer.settling import Settled, Settling, value_of
from optimizer.spend import spend_of


def design_of(
    formulation: Formulation, model: CompiledModel, x: Floats, bounds: Mapping[str, float] | None = None
) -> Design:
    """The canonical design of a solution: as many plant units as the choice of placements needs, no more."""
    return design_from(formulation, Settling(formulation, model).of(x), bounds)


def design_from(formulation: Formulation, settled: Settled, bounds: Mapping[str, float] | None = None) -> Design:
    """The design of a settled solution; ``bounds`` where it is not proven nondominated."""
    values, chosen, plant = settled.values, settled.chosen, settled.plant
    orders = orders_of(formulation, values)
    instance = formulation.instance
    pods = tuple(_pod_choice(instance, c) for c in chosen)
    rings = rings_of(formulation, chosen, values)
    bom = [line for c in chosen for line in pod_lines(instance, c.placements, c.row, c.count)]
    bom.extend(plant_lines(instance, plant))
    bom = with_orders(instance, bom, orders)
    exchanges = _exchanges(formulation, values)
    identity = design_id(pods, plant, orders, exchanges)
    objectives = {
        goal.column: goal.objective.column_value(value_of(goal.expression, values)) for goal in formulation.goals
    }
    figures = figures_of(instance, pods, plant, rings, tuple(bom), orders, exchanges)
    preliminary = sorted({line.part for line in bom if line.preliminary} | _preliminary_accelerators(formulation, pods))
    return Design(
        design_id=identity,
        objectives=objectives,
        bounds=dict(bounds or {}),
        figures=figures,
        choices=_choices(pods, plant, exchanges),
        pods=pods,
        plant=plant,
        rings=rings,
        bom=tuple(bom),
        margins=tuple(_margins(formulation, values)),
        preliminary=tuple(preliminary),
        orders=orders,
        spend=spend_of(instance, pods, bom, orders, objectives, exchanges),
        exchanges=exchanges,
    )


def _preliminary_accelerators(formulation: Formulation, pods: tuple[PodChoice, ...]) -> set[str]:
    from models.parts.system import System

    catalogue = formulation.instance.catalogue
    found = set()
    for pod in pods:
        accelerator = catalogue.get(Accelerator, catalogue.get(System, pod.system).accelerator or "")
        if accelerator.preliminary:
            found.add(accelerator.id)
    return found


def pod_of(instance: Instance, placements: Placements, row: int) -> PodChoice:
    """One pod of a placement as plain values."""
    return _pod_choice(instance, Chosen(placements, row, 0, 1))


def _pod_choice(instance: Instance, choice: Chosen) -> PodChoice:
    placements, pods = choice.placements, choice.placements.pods
    pod = int(placements.pod[choice.row])
    rack = pods.rack_design(pod)
    combination = placements.combinations[int(placements.combination[choice.row])]

    def by_figure(column: Floats) -> Watts4:
        return float(column[0][pod]), float(column[1][pod]), float(column[2][pod]), float(column[3][pod])

    return PodChoice(
        cluster=placements.cluster,
        site=placements.site,
        count=choice.count,
        pod_id=pods.pod_id(pod),
        system=rack.system.id,
        vendor=rack.system.vendor,
        frame=rack.frame.id,
        cooling=rack.cooling.value,
        systems_per_rack=rack.systems,
        systems=int(pods.systems[pod]),
        accelerators=int(pods.accelerators[pod]),
        node_racks=int(pods.node_racks[pod]),
        node_positions=int(pods.node_positions[pod]),
        network_racks=int(pods.network_racks[pod]),
        distribution=rack.distribution.id if rack.distribution else None,
        distribution_per_rack=rack.distribution_units,
        door=rack.door.id if rack.door else None,
        feed_loss=rack.feed_loss(),
        rack=dict(rack.contents),
        fabric=dict(pods.fabric_row(pod)),
        options={o.chain.value: o.id for o in combination.options},
        it_w=by_figure(pods.it),
        air_w=by_figure(pods.air),
        rear_door_w=by_figure(pods.rear_door),
        liquid_w=by_figure(pods.liquid),
        weight_kg=float(pods.weight[pod]),
        injection_b_s=float(pods.injection[pod]),
        bisection_b_s=float(pods.bisection[pod]),
        throughput_tokens_s=float(pods.throughput[pod]),
        throughput_band=float(pods.band[pod]),
        performance=pods.performance(pod),
        failure_rate_per_s=float(pods.failure_rate[pod]),
        goodput=float(pods.goodput[pod]),
        role=ROLES[int(pods.role[pod])].value,
        spares=int(pods.spares[pod]),
        availability=float(pods.availability[pod]),
        blast_radius=int(pods.blast_radius[pod]),
        reliability=reliability_of(instance, pods, pod),
        storage=_storage(pods, pod),
        storage_racks=int(pods.storage_racks[pod]),
        networks={network.value: _unsized(t.row(row)) for network, (t, row) in pods.network_row_of(pod).items()},
        storage_b_s=float(pods.storage_bandwidth[pod]),
        front_end_b_s=float(pods.front_end_bandwidth[pod]),
        network_rack=_network_rack(pods, pod),
        batch=_batch(pods, pod),
    )


def _unsized(row: Mapping[str, Any]) -> dict[str, Any]:
    """A fabric row without its place among the sizes that were planned together, which says nothing outside the planning."""
    return {name: value for name, value in row.items() if name != "size"}


def _network_rack(pods: PodTable, pod: int) -> dict[str, Any]:
    """Frame and rack PDUs of each rack that holds only switches."""
    card = pods.network_rack(pod)
    if card is None:
        return {}
    return {
        "frame": card.frame.id,
        "distribution": card.distribution.id,
        "distribution_per_rack": card.units,
        "feed_w": card.capacity,
    }


def _storage(pods: PodTable, pod: int) -> dict[str, Any]:
    """Storage of a pod as plain values; empty where it has none of its own and no share in its site's."""
    if not pods.write_bandwidth[pod] > 0:
        return {}
    found: dict[str, Any] = {
        "write_b_s": float(pods.write_bandwidth[pod]),
        "ingest_b_s": float(pods.ingest[pod]),
        "write_s": float(pods.write[pod]),
        "load_s": float(pods.load_time[pod]),
    }
    card = pods.storage_card(pod)
    if card is not None:
        nodes = int(pods.storage_nodes[pod])
        found.update(
            {
                "node": card.part.id,
                "nodes": nodes,
                "ports": nodes * card.ports,
                "capacity_b": nodes * card.capacity,
                "frame": card.frame.id,
                "per_rack": card.per_rack,
                "distribution": card.distribution.id,
                "distribution_per_rack": card.distribution_units,
            }
        )
    return found


def _exchanges(formulation: Formulation, values: Mapping[str, Floats]) -> tuple[SiteExchange, ...]:
    """The way of every cluster that is split over sites."""
    found = []
    for cluster, ways in formulation.candidates.ways.items():
        for number in np.flatnonzero(np.rint(values[way_block(cluster)])):
            way = ways[int(number)]
            found.append(SiteExchange(cluster, way.sites, way.links, way.exchange, way.price))
    return tuple(found)


def _batch(pods: PodTable, pod: int) -> dict[str, Any]:
    """The part of the batch a pod takes; empty where its cluster is never split."""
    if pods.batch_parts == 1:
        return {}
    return {"parts": int(pods.parts[pod]), "of": pods.batch_parts, "exchange_s": float(pods.exchange[pod])}


def _choices(
    pods: tuple[PodChoice, ...], plant: tuple[PlantChoice, ...], exchanges: tuple[SiteExchange, ...]
) -> dict[str, str | int | float]:
    """Readable decisions by dotted name; several kinds of pods of one cluster are joined with ``+``."""
    found: dict[str, str | int | float] = {}
    for cluster in dict.fromkeys(p.cluster for p in pods):
        mine = [p for p in pods if p.cluster == cluster]

        def joined(values: list[str]) -> str:
            return " + ".join(dict.fromkeys(values))

        found[f"{cluster}.system"] = joined([p.system for p in mine])
        found[f"{cluster}.vendor"] = joined([p.vendor for p in mine])
        found[f"{cluster}.pods"] = sum(p.count for p in mine)
        found[f"{cluster}.accelerators"] = sum(p.count * p.accelerators for p in mine)
        found[f"{cluster}.racks"] = sum(p.count * (p.node_racks + p.network_racks + p.storage_racks) for p in mine)
        found[f"{cluster}.rack"] = joined([f"{p.systems_per_rack} per {p.frame}" for p in mine])
        found[f"{cluster}.cooling"] = joined([p.cooling for p in mine])
        found[f"{cluster}.fabric"] = joined([f"{p.fabric['switch']} {p.fabric['tiers']}-tier" for p in mine])
        found[f"{cluster}.oversubscription"] = joined([f"{p.fabric['oversubscription']:.3g}" for p in mine])
        if any("role" in p.performance for p in mine):
            found[f"{cluster}.roles"] = joined(
                [f"{sum(p.count for p in mine if p.role == r)} {r}" for r in _roles(mine)]
            )
        found[f"{cluster}.site"] = joined([p.site for p in mine])
        if any(p.batch for p in mine):
            found[f"{cluster}.batch"] = " + ".join(f"{p.batch['parts']}/{p.batch['of']} {p.site}" for p in mine)
            used = [name for one in exchanges if one.cluster == cluster for name in one.links]
            found[f"{cluster}.links"] = joined(used) if used else "none"
        if any(p.spares for p in mine):
            found[f"{cluster}.spares"] = sum(p.count * p.spares for p in mine)
        if any(p.storage for p in mine):
            found[f"{cluster}.storage"] = joined([f"{p.storage['write_b_s'] / 1e9:.4g} GB/s" for p in mine])
    for choice in plant:
        found[f"{choice.site}.{choice.chain}"] = choice.option
    return found


def _roles(pods: list[PodChoice]) -> list[str]:
    return list(dict.fromkeys(p.role for p in pods))


def _margins(formulation: Formulation, values: Mapping[str, Floats]) -> list[Margin]:
    """Every limit that came from the instance, with both sides; the program's own logic and options not taken are left out."""
    by_name = {f.name: f for f in families()}
    found = []
    for row in formulation.rows:
        if row.family not in by_name or not row.unit or (row.family != "rules" and row.what.endswith("_open")):
            continue
        value, limit = _sides(row, values)
        if row.family != "rules" and row.what.endswith("_units") and value == 0 == limit:
            continue  # an option the design does not take
        binding = abs(value - limit) <= 1e-9 * max(1.0, abs(limit))
        source = formulation.instance.origin(row.source)
        met = BindingRow(row.family, row.what, row.index, value, limit, row.unit, source)
        found.append(
            Margin(
                row.name,
                row.family,
                value,
                limit,
                row.unit,
                binding,
                by_name[row.family].describe(met),
                f"{row.source} ({source})",
            )
        )
    return found


def _sides(row: Row, values: Mapping[str, Floats]) -> tuple[float, float]:
    """Use and limit of a row; for capacity rows the load on one side and the installed capacity on the other."""
    bought = {name: terms for name, terms in row.expression.terms.items() if name.startswith("units[")}
    limit = row.upper if row.upper is not None else (row.lower or 0.0)
    if not bought or row.family not in ("power", "thermal"):
        return value_of(row.expression, values), limit
    used = Linear({name: terms for name, terms in row.expression.terms.items() if name not in bought})
    return value_of(used, values), -value_of(Linear(bought), values) + limit
