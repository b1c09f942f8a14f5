"""Whole rings of blocks as decisions of the program: full of racks of one load, or shared by racks of several.

For every load w [kW] of node racks and the ways i in which a ring may be shared by racks of up to W_i kW (``models.candidates.block_rings``),
S the largest of the small racks:

    sum_{w' >= w} (N(w') full[w'] + rest[w'])  >=  sum_p node racks of at least w kW in p * use[p,o]        for every load w
    sum_{w' >= w} w' rest[w']  <=  w + sum_{i: W_i >= w} large_i * shared[i]                                for every load w > S
    rest[w]  <=  N(w) sum_{i: W_i >= w} shared[i]                                                           for every load w > S
    sum_w w rest[w] + sum_p load of small racks in p * use[p,o]  <=  S + sum_i whole_i * shared[i]
    sum_w w rest[w] + sum_p load of small racks in p * use[p,o]  <=  usable sum_i shared[i]
    sum_w full[w] + sum_i shared[i]  <=  rings bought

full, shared count rings and rest racks beside the full ones; N, large, whole and usable hold for every failed block on each survivor of a ring, all of
which are alike. Whatever these rows allow can be hung: the proof is that of the two bounds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.candidates.block_rings import Ring, Shared
from models.candidates.plant import PlantOption
from models.formulation.core import Core
from models.formulation.linear import Block, Kind, Linear
from models.formulation.racks_on import racks_on, sizes_on


def full_block(option: PlantOption) -> str:
    """Name of the decision how many rings are full of racks of one load."""
    return f"full[{option.site},{option.id}]"


def shared_block(option: PlantOption) -> str:
    """Name of the decision how many rings are shared, and how."""
    return f"shared[{option.site},{option.id}]"


def rest_block(option: PlantOption) -> str:
    """Name of the decision how many node racks of each load hang in shared rings."""
    return f"rest[{option.site},{option.id}]"


def load_key(load: int) -> str:
    """Key of what holds racks of up to ``load`` kW."""
    return f"{load}kW"


def shared_key(way: Shared) -> str:
    """Key of rings shared one way."""
    return f"{'level' if way.level else 'plain'}.{way.largest}kW"


def ways_of(ring: Ring, loads: Sequence[int]) -> tuple[Shared, ...]:
    """Ways to share a ring between racks of these loads and small ones."""
    large = [load for load in loads if load > ring.largest_small]
    return tuple(way for load in (ring.largest_small, *large) for way in ring.shared_by(load))


def share_rings(m: Core, option: PlantOption, rings: int, bought: Linear) -> None:
    """Adds whole rings and the rows above; ``bought`` counts rings, of which ``rings`` are the most that could be needed."""
    ring = option.ring
    assert ring is not None
    hung = racks_on(m, option)
    if not hung:
        return
    loads, index = sizes_on(hung, small=False), (option.site, option.id)
    ways = ways_of(ring, loads)
    most = np.asarray(ring.racks(np.array(loads, dtype=np.int64)), dtype=np.float64)
    keys = tuple(load_key(load) for load in loads)
    m.add_block(Block(shared_block(option), tuple(shared_key(way) for way in ways), Kind.INTEGER, float(rings)))
    opened = Linear({shared_block(option): np.ones(len(ways))})
    taken = small = Linear.total([m.each(one.placements, one.small_load) for one in hung])
    if loads:
        m.add_block(Block(full_block(option), keys, Kind.INTEGER, float(rings)))
        m.add_block(Block(rest_block(option), keys, Kind.INTEGER, float(most.max()) * rings))
        taken = small + Linear({rest_block(option): np.array(loads, dtype=np.float64)})
    for number, load in enumerate(loads):
        here = np.arange(len(loads)) >= number
        places = Linear({full_block(option): np.where(here, most, 0.0), rest_block(option): here.astype(np.float64)})
        needed = Linear.total([m.each(one.placements, one.racks_from(load, small=False)) for one in hung])
        m.at_least("places", (*index, load_key(load)), places - needed, 0, "", "")
        if load <= ring.largest_small:
            continue
        weights = np.where(here, np.array(loads, dtype=np.float64), 0.0)
        room = np.array([way.large if way.largest >= load else 0.0 for way in ways])
        large = Linear({rest_block(option): weights}) - Linear({shared_block(option): room})
        m.at_most("shared_large", (*index, load_key(load)), large, load, "", "")
        alone = Linear({rest_block(option): (np.arange(len(loads)) == number).astype(np.float64)})
        fits = np.array([most[number] if way.largest >= load else 0.0 for way in ways])
        m.at_most("shared_by", (*index, load_key(load)), alone - Linear({shared_block(option): fits}), 0, "", "")
    whole = Linear({shared_block(option): np.array([float(way.whole) for way in ways])})
    m.at_most("shared", index, taken - whole, ring.largest_small, "", "")
    m.at_most("shared_open", index, taken - opened * float(ring.usable), 0, "", "")
    full = Linear({full_block(option): np.ones(len(loads))}) if loads else Linear()
    m.at_most("rings", index, full + opened - bought, 0, "", "")
