"""Names in an instance that must exist: parts, sites, vendors, frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.catalogue import Catalogue
from models.errors import Problem, nearest
from models.instance import Document
from models.parts.cooling import Cooling
from models.parts.economics import Electricity
from models.parts.network_part import Link, Switch
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.parts.rack import Floor, Rack
from models.parts.system import System
from models.site import Chain


def check_references(document: Document, catalogue: Catalogue, origins: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for every name that the catalogue or the document does not have."""
    for path, name, valid, what in _references(document, catalogue):
        if name not in valid:
            where = _where(path, origins)
            yield Problem(f"unknown-{what}", where, f"{path}: no {what} {name!r}", hint=nearest(name, list(valid)))


def _where(path: str, origins: Mapping[str, str]) -> str:
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0]
    return "instance:1"


Reference = tuple[str, str, Iterable[str], str]


def _listed(path: str, names: Sequence[str] | None, valid: Iterable[str], what: str) -> Iterator[Reference]:
    known = list(valid)
    for number, name in enumerate(names or ()):
        yield f"{path}.{number}", str(name), known, what


def _references(document: Document, catalogue: Catalogue) -> Iterator[Reference]:
    for name, site in document.sites.items():
        here = f"sites.{name}"
        yield f"{here}.floor", site.floor, catalogue.of(Floor), "floor"
        if site.electricity is not None:
            yield f"{here}.electricity", site.electricity, catalogue.of(Electricity), "electricity"
        for chain in Chain:
            kinds: type[Part] = PowerComponent if chain is Chain.POWER else Cooling
            for option, built in site.options(chain).items():
                for number, use in enumerate(built.equipment):
                    yield (
                        f"{here}.{chain.value}.{option}.equipment.{number}.part",
                        use.part,
                        catalogue.of(kinds),
                        "part",
                    )
    for name, workload in document.workloads.items():
        here = f"workloads.{name}"
        space = workload.design_space
        yield f"{here}.model", workload.model, _models(catalogue), "model"
        yield from _listed(f"{here}.sites", workload.sites, document.sites, "site")
        here = f"{here}.design_space"
        yield from _listed(f"{here}.systems", space.systems, catalogue.of(System), "system")
        yield from _listed(f"{here}.frames", space.frames, catalogue.of(Rack), "frame")
        yield from _listed(f"{here}.rack_pdus", space.rack_pdus, catalogue.of(PowerComponent), "rack PDU")
        yield from _listed(f"{here}.rear_doors", space.rear_doors, catalogue.of(Cooling), "rear door")
        yield from _listed(
            f"{here}.vendors", space.vendors, {s.vendor for s in catalogue.of(System).values()}, "vendor"
        )
        yield from _listed(f"{here}.fabric.switches", space.fabric.switches, catalogue.of(Switch), "switch")
        yield from _listed(f"{here}.fabric.media", space.fabric.media, catalogue.of(Link), "link medium")
        protocols = {s.protocol for s in catalogue.of(Switch).values()}
        yield from _listed(f"{here}.fabric.protocols", space.fabric.protocols, protocols, "protocol")


def _models(catalogue: Catalogue) -> Iterable[str]:
    for part_type, parts in catalogue.parts.items():
        if part_type.file == "models.csv":
            return parts
    return ()
