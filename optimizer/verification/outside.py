"""Constraint families of other distributions: their rows are theirs to recompute."""

from __future__ import annotations

from importlib.metadata import entry_points

from models.instance import Instance
from optimizer.design import Design
from optimizer.verification.findings import Checks

GROUP = "refarch.families"


def check_outside(checks: Checks, instance: Instance, design: Design) -> frozenset[str]:
    """Names of the families that other distributions bring; each recomputes its own rows where it says how."""
    names = set()
    for point in entry_points(group=GROUP):
        family = point.load()
        names.add(str(family.name))
        for fault in family.recomputation(instance, design) if family.recomputation is not None else ():
            checks.rule(f"limit {family.name}", False, fault, f"as {point.value} recomputes it")
    return frozenset(names)
