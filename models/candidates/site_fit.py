"""What a site accepts: dates, floor load, heat per rack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.candidates.rack_contents import contents_of, loads_on_ground
from models.candidates.rack_design import RackDesign
from models.candidates.rack_power import with_feeds
from models.candidates.rejection import Rejection, Stage
from models.candidates.row_feed import positions_in_row, too_much_for_row
from models.candidates.told_apart import RACK_LAYERS, Compare, comparison
from models.instance import Instance
from models.parts.part import Part
from models.parts.rack import Floor
from models.parts.system import System
from models.site import Chain
from models.site_options import CoolantTo
from models.units import Unlimited
from models.workload import RackCooling

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CHAIN = {RackCooling.AIR: Chain.AIR, RackCooling.REAR_DOOR: Chain.REAR_DOOR, RackCooling.LIQUID: Chain.LIQUID}


def racks_for_site(
    instance: Instance,
    cluster: str,
    site: str,
    racks: Sequence[RackDesign],
    no_stand_ins: frozenset[str] = frozenset(),
    every_rack: bool = False,
) -> tuple[list[RackDesign], list[Rejection]]:
    """Rack designs a site accepts, without those a fuller rack of the same kind beats at every size.

    ``no_stand_ins``: ids of racks that replace no other. ``every_rack`` keeps all: fewer systems per rack lose less at once.
    """
    accepted: list[RackDesign] = []
    rejected: list[Rejection] = []
    for rack in racks:
        reason = _refusal(instance, cluster, site, rack)
        fed = with_feeds(instance, cluster, site, rack) if reason is None else reason
        if not isinstance(fed, str):  # what its feeds need stands in the rack as well
            fed = loads_on_ground(instance, site, fed) or too_much_for_row(instance, site, fed) or fed
        if not isinstance(fed, str):
            accepted.append(replace(fed, contents=contents_of(instance, site, fed)))
        else:
            reason = fed
            rejected.append(Rejection(rack.id, Stage.SITE, reason, cluster, site))
    if every_rack:
        return accepted, rejected
    kept: list[RackDesign] = []

    def fits_beside(better: RackDesign, worse: RackDesign) -> bool:
        """No more positions for a rack, where the panels of rows count them."""
        plain = instance.sites[site].row_feed is None
        return plain or positions_in_row(instance, site, better) <= positions_in_row(instance, site, worse)

    compare = comparison(instance, RACK_LAYERS)
    counts = {rack.system.id: _systems(instance, cluster, rack.system) for rack in _by_system(accepted)}
    for rack in accepted:
        rivals = [] if compare is Compare.NOTHING else [rival for rival in accepted if rival.id not in no_stand_ins]
        better = next((r for r in rivals if _beats(counts, r, rack, compare) and fits_beside(r, rack)), None)
        if better is None:
            kept.append(rack)
        else:
            reason = f"{better.id} needs no more racks and no more money for racks at every size"
            rejected.append(Rejection(rack.id, Stage.DOMINANCE, reason, cluster, site))
    return kept, rejected


def _refusal(instance: Instance, cluster: str, site: str, rack: RackDesign) -> str | None:
    place, need = instance.sites[site], instance.workloads[cluster].storage
    if need is not None and need.shared and place.storage is None:
        return "the site has no storage to share"
    available = rack.system.available
    assert available is not None
    if available > place.needed_by:
        return f"available {available}, needed by {place.needed_by}"
    floor = instance.catalogue.get(Floor, place.floor)
    if floor.uniform is None:
        return f"floor {floor.id}: {floor.missing('uniform')}"
    if not isinstance(place.air_per_rack.value, Unlimited) and rack.air_heat > place.air_per_rack.value:
        return f"{rack.air_heat / 1e3:.1f} kW of heat to the air per rack, the room takes {place.air_per_rack.value / 1e3:.1f}"
    if not place.options(_CHAIN[rack.cooling]):
        return f"the site has no {rack.cooling.value} cooling chain"
    if rack.cooling is RackCooling.LIQUID:
        served = CoolantTo.RACKS if rack.coolant.cdu is None else CoolantTo.RACK_CDUS
        if all(option.coolant_to is not served for option in place.liquid.values()):
            return f"no liquid option of the site serves {served.value} (coolant_to)"
    if not place.options(Chain.AIR):
        return "the site has no air cooling chain, which switches need"
    return None


def _by_system(racks: Sequence[RackDesign]) -> list[RackDesign]:
    """The first rack of every system."""
    return list({rack.system.id: rack for rack in reversed(racks)}.values())


def _systems(instance: Instance, cluster: str, system: System) -> Ints:
    """Systems at every size of the design space, spares included."""
    from models.candidates.pod import system_counts
    from models.candidates.pod_goodput import spares_of

    assert system.accelerators is not None
    counts = system_counts(instance, cluster, system.accelerators)
    return counts + spares_of(instance, cluster, system, counts)


def _beats(counts: Mapping[str, Ints], better: RackDesign, worse: RackDesign, compare: Compare) -> bool:
    """True when ``better`` racks the same systems (``counts`` at every size) in the same frame at every size with fewer racks and
    less money, and with no more of any part where parts are told apart.

    Cable runs grow with the number of racks, so they are no longer either.
    """
    same = (
        better is not worse
        and better.system.id == worse.system.id
        and better.frame.id == worse.frame.id
        and better.cooling is worse.cooling
        and better.systems > worse.systems
        and _seller(better.distribution) in ("", _seller(worse.distribution))
        and _seller(better.door) in ("", _seller(worse.door))
        and better.coolant.cdu == worse.coolant.cdu
        and _seller(better.coolant.manifold) in ("", _seller(worse.coolant.manifold))
    )
    if not same:
        return False
    needed = counts[better.system.id]
    few, many = -(-needed // better.systems), -(-needed // worse.systems)
    if compare is Compare.PARTS and not _no_more_parts(few, better, many, worse):
        return False
    cheap, dear = better.overhead, worse.overhead
    if (
        better.door is not None
        and worse.door is not None
        and (better.door.power_share or 0.0) > (worse.door.power_share or 0.0)
    ):
        return False
    return bool(np.all(few * cheap.low <= many * dear.low) and np.all(few * cheap.high <= many * dear.high))


def _seller(part: Part | None) -> str:
    return part.vendor if part is not None else ""


def _no_more_parts(few: Ints, better: RackDesign, many: Ints, worse: RackDesign) -> bool:
    """Whether ``few`` racks need no more of any PDU, shelf, door, CDU or manifold than ``many`` of the other design."""
    other = {part.id: number for part, number in worse.parts}
    return all(bool(np.all(few * number <= many * other.get(part.id, 0))) for part, number in better.parts)


def fits_alone(instance: Instance, site: str, drawn: npt.NDArray[np.float64], positions: Ints) -> tuple[Ints, str]:
    """Pods that a site could hold with nothing else in it, and a count in words of those it could not.

    ``drawn`` [W] by the figure its utility is stated for, and rack ``positions``, of each pod.
    """
    place = instance.sites[site]
    fits = np.ones(len(drawn), dtype=np.bool_)
    said = []
    if not isinstance(place.utility.value, Unlimited):
        over = drawn > place.utility.value
        fits &= ~over
        if over.any():
            said.append(
                f"{int(over.sum())} draw more than the utility of {place.utility.value / 1e6:g} MW before losses and cooling"
            )
    if not isinstance(place.rack_positions.value, Unlimited):
        over = positions > place.rack_positions.value
        fits &= ~over
        if over.any():
            said.append(f"{int(over.sum())} need more than {place.rack_positions.value} rack positions")
    reason = f"of {len(drawn)} pods " + ", ".join(said) if said else ""
    return np.flatnonzero(fits), reason
