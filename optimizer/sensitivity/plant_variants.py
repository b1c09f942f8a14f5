"""Candidates of an instance when plant equipment changes: pods stay what they are, the options of the sites are made again.

Under any plant a pod counts by what it puts on each chain, what its own equipment costs, and what it brings. One that another of
the same kind of racks replaces in all of these is never needed, whatever an option's losses, sizes or prices; it is left out once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from models.candidates.placement import Candidates, Floats, Ints, Placements
from models.candidates.placing import place_pods
from models.candidates.plant import FIGURES, PlantOption, plant_options
from models.errors import InfeasibleError
from models.formulation.build import Formulation
from models.formulation.core import block_name
from models.formulation.family import Direction
from models.formulation.linear import Linear
from models.instance import Instance
from models.site import Chain
from optimizer.sensitivity.pool import worthwhile
from optimizer.sensitivity.program import Program, assemble


def replanted(instance: Instance, found: Candidates) -> Candidates:
    """The same pods under plant options made again: every combination that is usable and holds them."""
    options: dict[str, dict[Chain, list[PlantOption]]] = {}
    refused = []
    for site in instance.sites:
        options[site], reasons = plant_options(instance, site)
        refused.extend(reasons)
    placements = []
    for table in found.placements:
        made, reasons_of_pods = place_pods(instance, table.pods, options[table.site])
        refused.extend(reasons_of_pods)
        if made is not None:
            placements.append(Placements(made.pods, made.combinations, made.pod, made.combination))
    rejections = tuple(dict.fromkeys((*found.rejections, *refused)))
    return dataclasses.replace(found, placements=tuple(placements), options=options, rejections=rejections)


def under_any_plant(instance: Instance, found: Candidates, goals: Sequence[str] = ("tco",)) -> Candidates:
    """Candidates without those whose pod another replaces under every plant; all where a cluster has none.

    Pods are told apart by what the plant's coefficients are made of, and by every row of the program under each power option,
    whose rings count whole racks. Not for a change of how much a ring's blocks carry, which counts racks anew.
    """

    def judge(part: Candidates, _: bool) -> tuple[Formulation]:
        core, made = assemble(instance, part, goals)
        criteria = [(goal.expression, goal.objective.direction) for goal in made]
        for table in part.placements:
            told = _told_apart(instance, table)
            criteria += [(Linear({block_name(table): values}), direction) for values, direction in told]
        return (Program.of(core, {}, made).narrowed(criteria, relaxable=True).formulation,)

    shown = tuple(p.take(_one_way_each(p)) for p in found.placements)
    try:
        kept = worthwhile(instance, dataclasses.replace(found, placements=shown), judge)
    except InfeasibleError:
        return found
    whole = [place_pods(instance, p.pods, found.options[p.site])[0] for p in kept.placements if len(p)]
    placements = tuple(Placements(p.pods, p.combinations, p.pod, p.combination) for p in whole if p is not None)
    return dataclasses.replace(found, placements=placements)


def _one_way_each(table: Placements) -> Ints:
    """The first row of each pod under each power option."""
    powers = {c.option(Chain.POWER): n for n, c in enumerate(table.combinations)}
    power = np.array([powers[c.option(Chain.POWER)] for c in table.combinations], dtype=np.int64)
    pairs = table.pod * (len(table.combinations) + 1) + power[table.combination]
    _, first = np.unique(pairs, return_index=True)
    return np.sort(np.asarray(first, dtype=np.int64))


def _told_apart(instance: Instance, table: Placements) -> list[tuple[Floats, Direction]]:
    """What pods of one way to be built are compared by, beside the rows and goals of the program."""
    combination = np.asarray(table.combination + 1.0, dtype=np.float64)
    loads = [table.chain_load(chain, figure) for chain in Chain for figure in FIGURES]
    less = [*loads, table.equipment_price(instance.money.price_basis), table.of_pods(table.pods.installed)]
    return [
        (combination, Direction.MINIMISE),
        (combination, Direction.MAXIMISE),
        *((v, Direction.MINIMISE) for v in less),
    ]
