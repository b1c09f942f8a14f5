"""Names in an instance that must exist: parts, sites, vendors, frames."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from models.catalogue import Catalogue
from models.errors import Problem, nearest
from models.parts.cooling import Cooling
from models.parts.economics import Electricity
from models.parts.failure_rate import FailureRate, Interruption
from models.parts.network_part import Link, Switch
from models.parts.part import Part
from models.parts.power_component import EfficiencyPoint, PowerComponent
from models.parts.rack import Floor, Rack
from models.parts.storage import StorageNode
from models.parts.system import System
from models.policy import ComponentRates
from models.reading.purchasing_names import purchasing_references
from models.reading.shapes import Reference, at, items
from models.site import Chain


def check_references(raw: Mapping[str, Any], catalogue: Catalogue, origins: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for every name in the merged document that the catalogue or the document does not have.

    Reads the document as written, so that unknown names are reported beside whatever else is wrong; what has not the shape
    of a name is left to the schema.
    """
    for path, name, valid, what in _references(raw, catalogue):
        if isinstance(name, str) and name not in valid:
            where = _where(path, origins)
            yield Problem(f"unknown-{what}", where, f"{path}: no {what} {name!r}", hint=nearest(name, list(valid)))


def _where(path: str, origins: Mapping[str, str]) -> str:
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0]
    return "instance:1"


def _listed(path: str, names: Any, valid: Iterable[str], what: str) -> Iterator[Reference]:
    known = list(valid)
    for number, name in enumerate(names if isinstance(names, list | tuple) else ()):
        yield f"{path}.{number}", name, known, what


def _references(raw: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Reference]:
    for name, site in items(at(raw, "sites")):
        yield from _site_references(f"sites.{name}", site, catalogue)
    sites = [name for name, _ in items(at(raw, "sites"))]
    for name, workload in items(at(raw, "workloads")):
        here = f"workloads.{name}"
        yield f"{here}.model", at(workload, "model"), _models(catalogue), "model"
        yield from _listed(f"{here}.sites", at(workload, "sites"), sites, "site")
        rows = at(workload, "throughput", "rows")
        for number, row in enumerate(rows if isinstance(rows, list | tuple) else ()):
            yield f"{here}.throughput.rows.{number}.system", at(row, "system"), catalogue.of(System), "system"
        yield from _space_references(f"{here}.design_space", at(workload, "design_space"), catalogue)
        yield from _service_references(here, workload, catalogue)
    for name, link in items(at(raw, "links")):
        yield from _listed(f"links.{name}.between", at(link, "between"), sites, "site")
    yield from _component_references(at(raw, "components"), catalogue)
    curves = {point.curve for point in catalogue.of(EfficiencyPoint).values()}
    for key in ("supply_curve", "shelf_curve"):
        stated = at(raw, "assumptions", key)
        value = at(stated, "value") if at(stated, "value") is not None else stated
        yield f"assumptions.{key}", value, curves, "efficiency curve"
    yield from purchasing_references(raw, catalogue)


def _component_references(components: Any, catalogue: Catalogue) -> Iterator[Reference]:
    for kind, name in items(components):
        if kind == "software":
            yield from _listed("components.software", name, catalogue.of(Interruption), "interruption")
        elif kind in ComponentRates.model_fields and not kind.endswith(("_per_cpu", "_per_accelerator", "_per_node")):
            yield f"components.{kind}", name, catalogue.of(FailureRate), "failure rate"


def _service_references(here: str, workload: Any, catalogue: Catalogue) -> Iterator[Reference]:
    protocols = {switch.protocol for switch in catalogue.of(Switch).values()}
    nodes = at(workload, "storage", "nodes")
    yield from _listed(f"{here}.storage.nodes", nodes, catalogue.of(StorageNode), "storage node")
    for network, space in items(at(workload, "networks")):
        path = f"{here}.networks.{network}"
        yield from _listed(f"{path}.switches", at(space, "switches"), catalogue.of(Switch), "switch")
        yield from _listed(f"{path}.protocols", at(space, "protocols"), protocols, "protocol")


def _site_references(here: str, site: Any, catalogue: Catalogue) -> Iterator[Reference]:
    yield f"{here}.floor", at(site, "floor"), catalogue.of(Floor), "floor"
    yield f"{here}.electricity", at(site, "electricity"), catalogue.of(Electricity), "electricity"
    curves = {point.curve for point in catalogue.of(EfficiencyPoint).values()}
    for chain in Chain:
        kinds: type[Part] = PowerComponent if chain is Chain.POWER else Cooling
        for option, built in items(at(site, chain.value)):
            for listed in ("equipment", "block"):
                uses = at(built, listed)
                for number, use in enumerate(uses if isinstance(uses, list | tuple) else ()):
                    path = f"{here}.{chain.value}.{option}.{listed}.{number}"
                    yield f"{path}.part", at(use, "part"), catalogue.of(kinds), "part"
                    yield f"{path}.curve", at(use, "curve"), curves, "efficiency curve"
                    yield f"{path}.failures", at(use, "failures"), catalogue.of(FailureRate), "failure rate"


def _space_references(here: str, space: Any, catalogue: Catalogue) -> Iterator[Reference]:
    vendors = {system.vendor for system in catalogue.of(System).values()}
    protocols = {switch.protocol for switch in catalogue.of(Switch).values()}
    yield from _listed(f"{here}.systems", at(space, "systems"), catalogue.of(System), "system")
    yield from _listed(f"{here}.frames", at(space, "frames"), catalogue.of(Rack), "frame")
    yield from _listed(f"{here}.rack_pdus", at(space, "rack_pdus"), catalogue.of(PowerComponent), "rack PDU")
    yield from _listed(f"{here}.rear_doors", at(space, "rear_doors"), catalogue.of(Cooling), "rear door")
    yield f"{here}.coolant.failures", at(space, "coolant", "failures"), catalogue.of(FailureRate), "failure rate"
    for name, word in (("units", "CDU"), ("manifolds", "manifold")):
        yield from _listed(f"{here}.coolant.{name}", at(space, "coolant", name), catalogue.of(Cooling), word)
    yield from _listed(f"{here}.vendors", at(space, "vendors"), vendors, "vendor")
    yield from _listed(f"{here}.fabric.switches", at(space, "fabric", "switches"), catalogue.of(Switch), "switch")
    yield from _listed(f"{here}.fabric.media", at(space, "fabric", "media"), catalogue.of(Link), "link medium")
    yield from _listed(f"{here}.fabric.protocols", at(space, "fabric", "protocols"), protocols, "protocol")


def _models(catalogue: Catalogue) -> Collection[str]:
    for part_type, parts in catalogue.parts.items():
        if part_type.file == "models.csv":
            return parts
    return ()
