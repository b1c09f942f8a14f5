"""Names in quotes, sourcing and rules that must exist: parts with a price, vendors, clusters, sites and their options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.catalogue import Catalogue
from models.parts.accelerator import Accelerator
from models.parts.part import Part
from models.parts.quote import QuoteRow
from models.reading.shapes import Reference, at, items
from models.site import Chain


def purchasing_references(raw: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Reference]:
    """Every name in quotes, sourcing and rules of a document as written."""
    parts = _parts(catalogue)
    vendors = _vendors(raw, catalogue)
    for name, quote in items(at(raw, "quotes")):
        yield f"quotes.{name}.part", at(quote, "part"), parts, "part"
        for part, _ in items(at(quote, "parts")):
            yield f"quotes.{name}.parts.{part}", part, parts, "part"
    for kind in ("shares", "second_sources", "supply"):
        for name, rule in items(at(raw, "sourcing", kind)):
            yield f"sourcing.{kind}.{name}.part", at(rule, "part"), parts, "part"
            yield f"sourcing.{kind}.{name}.vendor", at(rule, "vendor"), vendors, "vendor"
    clusters = [name for name, _ in items(at(raw, "workloads"))]
    for name, rule in items(at(raw, "rules")):
        here = f"rules.{name}"
        for steps in (("of",), ("forbid",), ("require",), ("if", "of"), ("then", "of")):
            yield from _selection(".".join([here, *steps]), at(rule, *steps), raw, (parts, vendors, clusters))
        named = at(rule, "same_vendor", "clusters")
        for number, cluster in enumerate(named if isinstance(named, list) else ()):
            yield f"{here}.same_vendor.clusters.{number}", cluster, clusters, "cluster"


def _selection(
    path: str, selection: Any, raw: Mapping[str, Any], known: tuple[list[str], list[str], list[str]]
) -> Iterator[Reference]:
    parts, vendors, clusters = known
    sites = [name for name, _ in items(at(raw, "sites"))]
    yield f"{path}.part", at(selection, "part"), parts, "part"
    yield f"{path}.vendor", at(selection, "vendor"), vendors, "vendor"
    yield f"{path}.cluster", at(selection, "cluster"), clusters, "cluster"
    yield f"{path}.site", at(selection, "site"), sites, "site"
    site = at(selection, "site")
    if site in sites:
        options = [name for chain in Chain for name, _ in items(at(raw, "sites", site, chain.value))]
        yield f"{path}.option", at(selection, "option"), options, "option"


def _bought(catalogue: Catalogue) -> list[type[Part]]:
    """Kinds of part that are bought by themselves: those that have a price, but accelerators, which come inside systems."""
    kinds = [kind for kind in catalogue.parts if hasattr(kind, "price") or hasattr(kind, "price_per_end")]
    return [kind for kind in kinds if kind is not Accelerator]


def _parts(catalogue: Catalogue) -> list[str]:
    return [part for kind in _bought(catalogue) for part in catalogue.of(kind)]


def _vendors(raw: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """Vendors of parts that are bought, makers of accelerators, and those who quote."""
    kinds: list[type[Part]] = [*_bought(catalogue), Accelerator]
    found = {part.vendor for kind in kinds for part in catalogue.of(kind).values()}
    found.update(str(at(quote, "vendor")) for _, quote in items(at(raw, "quotes")))
    found.update(row.vendor for row in catalogue.of(QuoteRow).values())
    return sorted(found - {""})
