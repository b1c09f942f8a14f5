"""Units of a catalogue part bought by a design, as an expression over the program's columns."""

from __future__ import annotations

from models.candidates.part_counts import parts_of, units_per_pod
from models.candidates.placement import Candidates
from models.formulation.core import Core
from models.formulation.linear import Linear


def units(m: Core, part: str, *, site: str | None = None, cluster: str | None = None) -> Linear:
    """Units of ``part`` bought, of one site or cluster where named; plant units belong to no cluster."""
    placed = m.everywhere(lambda p: p.of_pods(units_per_pod(p.pods, part)), site=site, cluster=cluster)
    if cluster is not None:
        return placed
    return placed + m.plant(lambda option, unit: float(unit.part == part and site in (None, option.site)))


def bought_parts(m: Core) -> tuple[str, ...]:
    """Ids of all parts a design of this program may buy, in pods or in plant, each once."""
    return parts_among(m.candidates)


def parts_among(candidates: Candidates) -> tuple[str, ...]:
    """The same of candidates that are in no program yet."""
    found = dict.fromkeys(part for p in candidates.placements for part in parts_of(p.pods))
    for chains in candidates.options.values():
        for options in chains.values():
            found.update(dict.fromkeys(unit.part for option in options for unit in option.units))
    return tuple(found)
