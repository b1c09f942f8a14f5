"""The plant of a solution: units of every option in use, and every rack on its pair of power blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.candidates.block_rings import RackKind, assign, full_ring
from models.candidates.placement import Placements
from models.candidates.plant import PlantOption
from models.candidates.ring_load import rack_loads
from models.formulation.build import Formulation
from models.formulation.capacity import column_load, kind_block, rack_kinds, units_for
from models.formulation.core import units_per_column
from models.formulation.ring_rows import full_block, hung_block
from models.site import Chain
from optimizer.compiled_model import Floats
from optimizer.design import PlantChoice, RackGroup, RingChoice

NODES, OTHERS = "nodes", "others"


@dataclass(frozen=True)
class Chosen:
    """A placement in use: table, row of the whole table, position within the pruned block, and how many."""

    placements: Placements
    row: int
    position: int
    count: int

    @property
    def options(self) -> tuple[PlantOption, ...]:
        """The plant options of its combination."""
        return self.placements.combinations[int(self.placements.combination[self.row])].options


def plant_of(formulation: Formulation, chosen: Sequence[Chosen]) -> tuple[PlantChoice, ...]:
    """Units of every option in use, by the program's own rounding."""
    loads: dict[tuple[str, str, str], float] = {}
    options: dict[tuple[str, str, str], PlantOption] = {}
    for choice in chosen:
        for option in choice.options:
            key = (option.site, option.chain.value, option.id)
            load = column_load(formulation.instance, choice.placements, option)[choice.row]
            loads[key] = loads.get(key, 0.0) + float(load) * choice.count
            options[key] = option
    for option, _cluster, kind in _kinds_in_use(formulation, chosen):
        assert option.ring is not None
        loads[option.site, option.chain.value, option.id] += float(np.ceil(option.ring.per_kind(kind) - 1e-6))
    return tuple(
        PlantChoice(option.site, option.chain.value, option.id, unit.part, units_for(unit, loads[key]))
        for key, option in sorted(options.items())
        for unit in option.units
    )


def _kinds_in_use(formulation: Formulation, chosen: Sequence[Chosen]) -> list[tuple[PlantOption, str, int]]:
    """Kinds of racks of serving clusters on blocks: option, cluster, load [kW]; each once."""
    found: dict[tuple[str, str, str, int], tuple[PlantOption, str, int]] = {}
    for choice in chosen:
        cluster = choice.placements.cluster
        for option in choice.options:
            for kind, rows in rack_kinds(formulation.instance, choice.placements, option).items():
                if rows[choice.row]:
                    found[option.site, option.id, cluster, kind] = (option, cluster, kind)
    return list(found.values())


def canonical_plant(
    formulation: Formulation, plant: Sequence[PlantChoice], chosen: Sequence[Chosen]
) -> dict[str, Floats]:
    """Values of the plant's columns: as many units as the choice of placements needs, no more."""
    fresh: dict[str, Floats] = {}
    for name, block in formulation.blocks.items():
        if name.startswith(("option[", "units[", "kind[")):
            fresh[name] = np.zeros(len(block))
    for choice in plant:
        where = f"[{choice.site},{choice.chain}]"
        option, units = formulation.blocks[f"option{where}"], formulation.blocks[f"units{where}"]
        fresh[f"option{where}"][option.keys.index(choice.option)] = 1.0
        column = units.keys.index(f"{choice.option}.{choice.part}")
        fresh[f"units{where}"][column] = choice.units / step_of(formulation, choice)
    for used, cluster, kind in _kinds_in_use(formulation, chosen):
        block = formulation.blocks[kind_block(used, cluster)]
        fresh[block.name][block.keys.index(f"{kind}kW")] = 1.0
    return fresh


def step_of(formulation: Formulation, choice: PlantChoice) -> int:
    """Units that one step of a plant column buys."""
    options = formulation.candidates.options[choice.site][Chain(choice.chain)]
    units = next(option.units for option in options if option.id == choice.option)
    return next(units_per_column(unit) for unit in units if unit.part == choice.part)


def hung_explicitly(chosen: Sequence[Chosen]) -> bool:
    """Whether the program hangs racks of a choice on blocks itself."""
    return any(o.ring is not None and o.ring.explicit for choice in chosen for o in choice.options)


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
        found += _as_hung(formulation, option, kinds, values) if option.ring.explicit else _rings(option, kinds)
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
    places += _in_full_rings(formulation, option, values, 1 + max((ring for _, ring, _ in places), default=-1))
    places.sort(key=lambda place: (-place[0], place[1], place[2]))
    racks = sorted((k for k in kinds.values() if k.racks), key=lambda k: (-k.load, k.key))
    hung: dict[int, dict[tuple[int, tuple[str, ...]], int]] = {}
    for (_, ring, group), kind in zip(places, (k for k in racks for _ in range(k.racks)), strict=False):
        held = hung.setdefault(ring, {})
        held[group, kind.key] = held.get((group, kind.key), 0) + 1
    alike: dict[tuple[RackGroup, ...], int] = {}
    for _, held in sorted(hung.items()):
        racks_on = tuple(_group(option, g, key, count, kinds) for (g, key), count in sorted(held.items()))
        alike[racks_on] = alike.get(racks_on, 0) + 1
    return [RingChoice(option.site, option.id, count, racks_on) for racks_on, count in alike.items()]


def _in_full_rings(
    formulation: Formulation, option: PlantOption, values: Mapping[str, Floats], first: int
) -> list[tuple[int, int, int]]:
    """Places (load, ring, group) of rings that are full of racks of one load, numbered from ``first``."""
    assert option.ring is not None
    block = formulation.blocks.get(full_block(option))
    if block is None:
        return []
    places = []
    for key, count in zip(block.keys, np.rint(values[block.name]).astype(int).tolist(), strict=True):
        load = int(key.removesuffix("kW"))
        for ring in range(first, first + count):
            for group, racks in full_ring(option.ring, load).items():
                places += [(load, ring, group)] * racks
        first += count
    return places


def _group(
    option: PlantOption, group: int, key: tuple[str, ...], racks: int, kinds: Mapping[tuple[str, ...], RackKind]
) -> RackGroup:  # fmt: skip
    assert option.ring is not None
    first, second = int(option.ring.groups.first[group]), int(option.ring.groups.second[group])
    return RackGroup(first, second, key[0], key[1], key[2], racks, kinds[key].load)


def _rings(option: PlantOption, kinds: Mapping[tuple[str, ...], RackKind]) -> list[RingChoice]:
    assert option.ring is not None
    found = []
    for pattern, count in assign(option.ring, list(kinds.values())):
        hung = tuple(_group(option, g, key, racks, kinds) for g, key, racks in pattern)
        found.append(RingChoice(option.site, option.id, count, hung))
    return found
