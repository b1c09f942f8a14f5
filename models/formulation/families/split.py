"""Split: one training job over several sites, the whole of its batch dealt, at the sites and over the links of one way.

    sum_p parts[p] use[c,p]  =  K                                                 the batch of c has K equal parts
    sum_{p alone} use[c,p]  +  sum_w way[c,w]  =  1                               alone at one site, or one way to join several
    sum_{p at s: exchange x} use[c,p,s]  =  sum_{w joins s: exchange x} way[c,w]  one pod at every site of the way, and none elsewhere

for every training cluster c that may be split. parts, exchange [s] from candidates; way binary. Linear because the pace of a pod with so
many parts and that exchange is a datum of its column; ``models.formulation.pace`` couples them.
"""

from __future__ import annotations

import numpy as np

from models.candidates.batch_split import Way
from models.formulation.core import Core
from models.formulation.family import BindingRow, family
from models.formulation.linear import Block, Kind, Linear
from models.formulation.pace import may_split, way_block
from models.instance import Instance


@family(reads=("use",))
def split(m: Core, inst: Instance) -> None:
    """Adds the ways of every cluster that may be split, and the rows above."""
    for cluster in inst.workloads:
        if may_split(m, cluster):
            _of_cluster(m, cluster, m.candidates.ways.get(cluster, ()))


def _of_cluster(m: Core, cluster: str, ways: tuple[Way, ...]) -> None:
    placed = m.candidates.of(cluster)
    taken = Linear()
    if ways:
        block = m.add_block(Block(way_block(cluster), tuple(way.id for way in ways), Kind.BINARY))
        taken = Linear({block.name: np.ones(len(ways))})
    dealt = Linear.total([m.each(p, p.of_pods(p.pods.parts)) for p in placed])
    m.equals("parts", (cluster,), dealt, placed[0].pods.batch_parts, "", "")
    alone = Linear.total([m.each(p, p.of_pods(p.pods.exchange == 0.0)) for p in placed])
    m.equals("way", (cluster,), alone + taken, 1, "", "")
    levels = sorted({way.exchange for way in ways})
    for p in placed:
        for number, level in enumerate(levels, 1):
            joins = np.array([float(p.site in way.sites and way.exchange == level) for way in ways])
            here = p.of_pods(p.pods.exchange == level)
            if joins.any() or here.any():
                chosen = m.each(p, here) - Linear({way_block(cluster): joins})
                m.equals("joined", (cluster, p.site, f"x{number}"), chosen, 0, "", "")
    _absent(m, cluster, ways)


def _absent(m: Core, cluster: str, ways: tuple[Way, ...]) -> None:
    """Ways through sites where no pod of the cluster can stand are closed."""
    sites = {p.site for p in m.candidates.of(cluster) if len(p)}
    closed = np.array([float(not sites.issuperset(way.sites)) for way in ways])
    if closed.any():
        m.at_most("no_pod", (cluster,), Linear({way_block(cluster): closed}), 0, "", "")


@split.says
def _(row: BindingRow) -> str:
    return f"cluster {row.index[0]} trains at one site, or at several over the links of one way"
