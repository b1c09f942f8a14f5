"""Racks on the blocks of a topology as decisions of the program: a row for each failed block on each survivor.

For an option with ``explicit_failures``, ring r = 1, 2, ... of the most that could be needed, pair of blocks g, load w [kW] of racks:

    sum_{w} (w / 2) (sum_{g on v} hung[r,g,w] + hung[r,uv,w])  <=  C * ring[r]        for every failed block u and survivor v
    sum_{w' >= w} sum_{r,g} hung[r,g,w']  >=  sum_p racks of at least w kW in p * use[p,o]         for every load w
    sum_r ring[r]  <=  rings bought
    sum_p racks of at least w kW in p * use[p,o]  <=  N(w) * rings bought                for every load w

(of a block redundant ring the whole load of a failed block falls on its reserve). hung counts places for racks of up to w kW; racks of at least
w find a place each for every w, so that the largest racks take the largest places. Identical rings and blocks are filled in falling
order of load. Exact for racks of any kinds; the last line says for any ring what a sum over its survivors does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from models.candidates.block_rings import Ring
from models.candidates.plant import PlantOption
from models.formulation.core import Core, Row
from models.formulation.linear import Block, Kind, Linear
from models.formulation.racks_on import racks_on, sizes_on
from models.physics.power_redundancy import failover_coefficients
from models.site import Topology


def hung_block(option: PlantOption) -> str:
    """Name of the decision how many racks hang where."""
    return f"hung[{option.site},{option.id}]"


def ring_block(option: PlantOption) -> str:
    """Name of the decision which rings carry anything."""
    return f"ring[{option.site},{option.id}]"


def hung_key(ring: int, group: int, load: int) -> str:
    """Key of the places for racks of ``load`` kW on a pair of blocks of a ring."""
    return f"r{ring}.g{group}.{load}kW"


def hang_racks(m: Core, option: PlantOption, rings: int, bought: Linear) -> None:
    """Adds the places of every ring and the rows above; ``bought`` counts rings."""
    ring = option.ring
    assert ring is not None
    hung = racks_on(m, option)
    loads = sizes_on(hung, small=True)
    if not loads:
        return
    groups, index = len(ring.groups.first), (option.site, option.id)
    keys = tuple(hung_key(r, g, w) for r in range(rings) for g in range(groups) for w in loads)
    m.add_block(Block(hung_block(option), keys, Kind.INTEGER, float(2 * ring.capacity)))
    m.add_block(Block(ring_block(option), tuple(f"r{r}" for r in range(rings)), Kind.BINARY))
    opened = Linear({ring_block(option): np.ones(rings)})
    most = np.asarray(ring.racks(loads), dtype=np.float64)
    for number, load in enumerate(loads):
        places = np.zeros((rings, groups, len(loads)))
        places[:, :, number:] = 1.0
        room = Linear({hung_block(option): places.reshape(-1)})
        needed = Linear.total([m.each(one.placements, one.racks_from(load, small=True)) for one in hung])
        m.at_least("hung", (*index, f"{load}kW"), room - needed, 0, "", "")
        m.at_most("rings_for", (*index, f"{load}kW"), needed - bought * float(most[number]), 0, "", "")
    _survivors(m, option, ring, loads, rings)
    m.at_most("rings", index, opened - bought, 0, "", "")


Program = tuple[dict[str, Block], tuple[Row, ...]]


def without_unused(options: Sequence[PlantOption], blocks: Mapping[str, Block], rows: Sequence[Row]) -> Program:
    """The program without places for loads that no rack has any more: the places of the next larger load serve all there are."""
    kept_blocks, kept_rows = dict(blocks), list(rows)
    for option in options:
        if option.ring is None or not option.ring.explicit or hung_block(option) not in blocks:
            continue
        unused = _unused(option, kept_rows)
        name = hung_block(option)
        stay = np.array([_load_of(key) not in unused for key in kept_blocks[name].keys], dtype=np.bool_)
        keys = tuple(key for key, keeps in zip(kept_blocks[name].keys, stay, strict=True) if keeps)
        kept_blocks[name] = replace(kept_blocks[name], keys=keys)
        index = (option.site, option.id)
        kept_rows = [
            replace(row, expression=_cut(row.expression, {name: stay}))
            for row in kept_rows
            if not (row.what in ("hung", "rings_for") and row.index[:2] == index and row.index[2] in unused)
        ]
    return kept_blocks, tuple(kept_rows)


def _cut(expression: Linear, stay: Mapping[str, npt.NDArray[np.bool_]]) -> Linear:
    terms = {name: values[stay[name]] if name in stay else values for name, values in expression.terms.items()}
    return Linear(terms, expression.constant)


def _load_of(key: str) -> str:
    return key.rpartition(".")[2]


def _unused(option: PlantOption, rows: Sequence[Row]) -> set[str]:
    """Loads of which no placement has more racks than of the next larger one."""
    asking = [row for row in rows if row.what == "hung" and row.index[:2] == (option.site, option.id)]
    found = set()
    for row, larger in zip(asking, [*asking[1:], None], strict=True):
        here = {n: v for n, v in row.expression.terms.items() if n != hung_block(option)}
        above = {} if larger is None else larger.expression.terms
        if all(np.array_equal(v, above[n] if n in above else np.zeros_like(v)) for n, v in here.items()):
            found.add(row.index[2])
    return found


def _survivors(m: Core, option: PlantOption, ring: Ring, loads: Sequence[int], rings: int) -> None:
    """Each failed block on each survivor of each ring; rings and blocks in falling order of load."""
    weights = failover_coefficients(ring.groups)
    shape = (rings, len(ring.groups.first), len(loads))
    each = np.array(loads, dtype=np.float64)
    index = (option.site, option.id)
    for number in range(rings):
        opened = np.zeros(rings)
        opened[number] = 2.0 * ring.capacity
        for failed, survivor in np.ndindex(weights.shape[0], weights.shape[1]):
            if failed == survivor or not weights[failed, survivor].any():
                continue
            hung = np.zeros(shape)
            hung[number] = 2.0 * weights[failed, survivor][:, None] * each
            left = Linear({hung_block(option): hung.reshape(-1)}) - Linear({ring_block(option): opened})
            m.at_most("survivors", (*index, f"r{number}", f"lost{failed}", f"on{survivor}"), left, 0, "", "")
        blocks = ring.needed if ring.topology is Topology.BLOCK_REDUNDANT else ring.blocks
        for one, other in pairwise(range(blocks if ring.blocks > 2 else 0)):
            hung = np.zeros(shape)
            for side, sign in ((one, -1.0), (other, 1.0)):
                on = (ring.groups.first == side) | (ring.groups.second == side)
                hung[number] += sign * on[:, None] * each
            m.at_most(
                "blocks", (*index, f"r{number}", f"b{other}"), Linear({hung_block(option): hung.reshape(-1)}), 0, "", ""
            )
    for one, other in pairwise(range(rings)):
        hung = np.zeros(shape)
        hung[one], hung[other] = -each, each
        m.at_most("rings_in_order", (*index, f"r{other}"), Linear({hung_block(option): hung.reshape(-1)}), 0, "", "")
