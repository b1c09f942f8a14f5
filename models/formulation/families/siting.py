"""Siting: which clusters may be split over sites, and sites that are the same in everything are filled in order.

    sum_p use[c,p,s]  <=  most[c] * at[c,s],    sum_s at[c,s]  <=  1          for every serving cluster c that may not be split
    sum_c,p weight[c] * use[c,p,s+1]  <=  sum_c,p weight[c] * use[c,p,s]      for neighbours s, s+1 among identical sites

A training cluster is one pod, whole at one site, unless it may be split (``families.split``). Sites are identical when every field but their name, owner, reason and label is
the same, every workload may stand at all of them or at none, and nothing else in the instance (a rule, a quote) names any of them:
exchanging two of them then changes nothing, so that each choice has an equal one in falling order of any one sum. weight[c] tells the clusters' counts apart, first things first; it is
the same for all pods of a cluster, so that no pod is told apart from another by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from models.formulation.core import Core
from models.formulation.family import BindingRow, family
from models.formulation.linear import Block, Kind, Linear
from models.instance import Instance
from models.site import Site
from models.workload import Serving

LARGEST_WEIGHT = 1e6
_PROSE = ("name", "title", "description", "owner", "reason", "label")


@family(reads=("use",))
def siting(m: Core, inst: Instance) -> None:
    """Adds rows for clusters that stand at one site, and the order of identical sites."""
    for cluster, workload in inst.workloads.items():
        if isinstance(workload, Serving) and not workload.split:
            _together(m, cluster, workload)
    weights = _weights(inst)
    for alike in identical_sites(inst):
        for first, second in pairwise(alike):
            ahead = _measure(m, first, weights)
            behind = _measure(m, second, weights)
            m.at_most("identical", (second, first), behind - ahead, 0, "", f"sites.{second}")


def identical_sites(inst: Instance) -> list[tuple[str, ...]]:
    """Groups of at least two sites that differ in nothing the program sees, in the order of the instance."""
    groups: dict[str, list[str]] = {}
    named = _names({key: part for key, part in inst.raw.items() if key not in ("sites", "workloads")})
    for name, site in inst.sites.items():
        if name in named:
            continue
        eligible = [c for c, w in inst.workloads.items() if w.sites is None or name in w.sites]
        groups.setdefault(f"{_plain(site)}|{eligible}", []).append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def _names(node: Any) -> set[str]:
    """Every word that stands as a value, or in a list, anywhere below ``node``, prose left out."""
    if isinstance(node, Mapping):
        return set().union(*(_names(part) for key, part in node.items() if key not in _PROSE))
    if isinstance(node, list | tuple):
        return set().union(*map(_names, node))
    return {word for part in str(node).split(",") for word in part.split()}


def _plain(site: Site) -> str:
    return site.model_dump_json(exclude={"owner", "reason", "label"})


def _weights(inst: Instance) -> dict[str, float]:
    found: dict[str, float] = {}
    weight = 1.0
    for cluster, workload in reversed(list(inst.workloads.items())):
        found[cluster] = weight
        weight = min(weight * (workload.most_at_a_site + 1), LARGEST_WEIGHT)
    return found


def _measure(m: Core, site: str, weights: dict[str, float]) -> Linear:
    return Linear.total([m.each(p, weights[p.cluster]) for p in m.candidates.placements if p.site == site])


def _together(m: Core, cluster: str, workload: Serving) -> None:
    placed = m.candidates.of(cluster)
    if len(placed) < 2:
        return
    block = m.add_block(Block(f"at[{cluster}]", tuple(p.site for p in placed), Kind.BINARY))
    for number, placements in enumerate(placed):
        one = np.zeros(len(block))
        one[number] = float(workload.pods_at_most)
        index, source = (cluster, placements.site), f"workloads.{cluster}.split"
        m.at_most("at_open", index, m.each(placements) - Linear({block.name: one}), 0, "pods", source)
    m.at_most("one_site", (cluster,), Linear({block.name: np.ones(len(block))}), 1, "", f"workloads.{cluster}.split")


@siting.says
def _(row: BindingRow) -> str:
    return f"cluster {row.index[0]} stands at one site"
