"""Racks of a solution on blocks that back each other up: every rack on its pair, ring by ring."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from models.candidates.block_rings import RackKind
from models.candidates.plant import PlantOption
from models.candidates.ring_load import rack_loads
from models.candidates.ring_packing import Division, hang
from models.formulation.build import Formulation
from models.formulation.ring_rows import hung_block
from models.formulation.shared_rings import full_block, load_key, rest_block, shared_block, shared_key, ways_of
from optimizer.compiled_model import Floats
from optimizer.design import RackGroup, RingChoice
from optimizer.plant import Chosen

NODES, OTHERS = "nodes", "others"


def on_blocks(chosen: Sequence[Chosen]) -> bool:
    """Whether racks of a choice hang on blocks that back each other up: how many rings they need is the program's decision."""
    return any(option.ring is not None for choice in chosen for option in choice.options)


def rings_of(
    formulation: Formulation, chosen: Sequence[Chosen], values: Mapping[str, Floats]
) -> tuple[RingChoice, ...]:  # fmt: skip
    """Every rack on a pair of blocks, ring by ring, for each power topology in use; ``values`` of the program's blocks."""
    racks: dict[tuple[str, str], dict[tuple[str, ...], RackKind]] = {}
    options: dict[tuple[str, str], PlantOption] = {}
    for choice in chosen:
        for option in choice.options:
            if option.ring is None:
                continue
            at = (option.site, option.id)
            options[at] = option
            for kind in _racks_of(formulation, choice, option):
                kinds = racks.setdefault(at, {})
                known = kinds.get(kind.key)
                more = kind.racks + (0 if known is None else known.racks)
                kinds[kind.key] = RackKind(kind.key, kind.load, more, kind.small)
    found: list[RingChoice] = []
    for at, kinds in sorted(racks.items()):
        option = options[at]
        assert option.ring is not None
        hung = _as_hung if option.ring.explicit else _as_shared
        found += hung(formulation, option, kinds, values)
    return tuple(found)


def _racks_of(formulation: Formulation, choice: Chosen, option: PlantOption) -> list[RackKind]:
    assert option.ring is not None
    pods = choice.placements.pods
    pod = int(choice.placements.pod[choice.row])
    loads = rack_loads(formulation.instance, pods, option.ring)
    whose = (choice.placements.cluster, pods.pod_id(pod))
    return [
        RackKind((*whose, NODES), int(loads.load[pod]), int(loads.racks[pod]) * choice.count, False),
        RackKind((*whose, OTHERS), int(loads.small[pod]), int(loads.smalls[pod]) * choice.count, True),
    ]


def _as_hung(
    formulation: Formulation, option: PlantOption, kinds: Mapping[tuple[str, ...], RackKind], values: Mapping[str, Floats]
) -> list[RingChoice]:  # fmt: skip
    """Rings as the program fills them: the largest racks in the largest places, places that stay empty left out."""
    assert option.ring is not None
    block = formulation.blocks[hung_block(option)]
    places: list[tuple[int, int, int]] = []
    for key, count in zip(block.keys, np.rint(values[block.name]).astype(int).tolist(), strict=True):
        ring, group, load = (int(word) for word in re.findall(r"\d+", key))
        places += [(load, ring, group)] * count
    places.sort(key=lambda place: (-place[0], place[1], place[2]))
    racks = sorted((k for k in kinds.values() if k.racks), key=lambda k: (-k.load, k.key))
    hung: dict[int, dict[tuple[int, tuple[str, ...]], int]] = {}
    for (_, ring, group), kind in zip(places, (k for k in racks for _ in range(k.racks)), strict=False):
        held = hung.setdefault(ring, {})
        held[group, kind.key] = held.get((group, kind.key), 0) + 1
    return _alike(option, [held for _, held in sorted(hung.items())], kinds)


def _as_shared(
    formulation: Formulation, option: PlantOption, kinds: Mapping[tuple[str, ...], RackKind], values: Mapping[str, Floats]
) -> list[RingChoice]:  # fmt: skip
    """Rings as the program divides them into full and shared ones, the racks of the latter hung one after the other."""
    assert option.ring is not None
    counts = {}
    for name in (full_block(option), rest_block(option), shared_block(option)):
        if (block := formulation.blocks.get(name)) is not None:
            counts[name] = dict(zip(block.keys, np.rint(values[name]).astype(int).tolist(), strict=True))
    loads = [int(key.removesuffix("kW")) for key in counts.get(full_block(option), ())]
    division = Division(
        {load: counts[full_block(option)][load_key(load)] for load in loads},
        {load: counts[rest_block(option)][load_key(load)] for load in loads},
        {way: counts[shared_block(option)][shared_key(way)] for way in ways_of(option.ring, loads)},
    )
    return _alike(option, hang(option.ring, list(kinds.values()), division), kinds)


def _alike(
    option: PlantOption, rings: Sequence[Mapping[tuple[int, tuple[str, ...]], int]], kinds: Mapping[tuple[str, ...], RackKind]
) -> list[RingChoice]:  # fmt: skip
    """Rings that carry the same on every pair as one choice."""
    alike: dict[tuple[RackGroup, ...], int] = {}
    for held in rings:
        racks_on = tuple(_group(option, g, key, count, kinds) for (g, key), count in sorted(held.items()))
        if racks_on:
            alike[racks_on] = alike.get(racks_on, 0) + 1
    return [RingChoice(option.site, option.id, count, racks_on) for racks_on, count in alike.items()]


def _group(
    option: PlantOption, group: int, key: tuple[str, ...], racks: int, kinds: Mapping[tuple[str, ...], RackKind]
) -> RackGroup:  # fmt: skip
    assert option.ring is not None
    first, second = int(option.ring.groups.first[group]), int(option.ring.groups.second[group])
    return RackGroup(first, second, key[0], key[1], key[2], racks, kinds[key].load)
