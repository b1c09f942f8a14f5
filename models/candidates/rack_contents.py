"""What a rack holds and how near it is to each of its limits, as plain values for designs, bills and their verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.candidates.rack_mass import frame_height, height_of, too_heavy
from models.candidates.rack_supplies import supplies_of
from models.instance import Instance
from models.parts.power_component import PowerKind
from models.parts.rack import Floor, Rack
from models.parts.system import System, SystemKind
from models.policy import PowerFigure
from models.site import Site

if TYPE_CHECKING:
    from models.candidates.rack_design import RackDesign

FEET = 4


def units_of(instance: Instance, rack: RackDesign) -> dict[str, float]:
    """Rack units (of the frame's own pitch) by use; a rack-scale system fills what it states, reserve included."""
    frame, system = rack.frame, rack.system
    assert frame.rack_units is not None and system.rack_units is not None
    server = system.kind is SystemKind.SERVER
    shelves = 0.0
    if rack.distribution is not None and rack.distribution.kind is PowerKind.POWER_SHELF:
        shelves = rack.distribution_units * height_of(rack.distribution)
    batteries = 0.0
    if rack.feed is not None and rack.feed.battery is not None:
        batteries = rack.feed.batteries * height_of(rack.feed.battery)
    cdus = 0.0 if rack.coolant.cdu is None else rack.coolant.cdus * height_of(rack.coolant.cdu)
    reserved = instance.assumptions.reserved_rack_units.value if server else 0.0
    used = rack.systems * system.rack_units
    return {
        "frame": frame.rack_units,
        "systems": used,
        "power shelves": shelves,
        "batteries": batteries,
        "coolant": cdus,
        "reserved": reserved,
        "free": frame.rack_units - used - shelves - batteries - cdus - reserved,
    }


def contents_of(instance: Instance, site: str, rack: RackDesign) -> dict[str, Any]:
    """A full rack: units, mass, loads on frame and floor, power by figure, and its verdict on the loss of a feed."""
    from models.candidates.rack_design import power_of

    share = instance.assumptions.design_power_share.value
    power = {
        figure: rack.systems * power_of(rack.system, figure, share)
        for figure in (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL)
    }
    units = units_of(instance, rack)
    found: dict[str, Any] = {f"units_{name.replace(' ', '_')}": value for name, value in units.items()}
    found |= {
        "weight_kg": rack.weight,
        "height_m": frame_height(instance, rack.frame),
        "weight_beside_systems_kg": rack.weight - rack.bare_weight,
        "weight_assumed": sorted(part.id for part, _ in rack.parts if part.weight is None),
        "floor_load_kg_m2": rack.floor_load,
        "foot_load_kg": rack.weight / FEET,
        **{f"{figure.value}_w": watts for figure, watts in power.items()},
    }
    supplies = supplies_of(instance, rack)
    if supplies is not None:
        found |= {
            "supply_curve": supplies.curve,
            "supplies_installed_w": supplies.installed * rack.systems,
            "supply_efficiency_nameplate": supplies.efficiency(supplies.nameplate),
            "supply_efficiency_typical": supplies.efficiency(rack.system.typical_power or supplies.nameplate),
        }
    found |= _states_of(rack)
    kit = rack.coolant
    if kit.cdu is not None:
        heat = rack.nameplate * (rack.system.liquid_fraction or 0.0)
        found |= {
            "cdu": kit.cdu.id,
            "cdus": kit.cdus,
            "cdu_carries_w": kit.carries,
            "liquid_w": heat,
            "cdu_power_w": heat * kit.share,
        }
    if kit.manifold is not None:
        found["manifold"] = kit.manifold.id
    if rack.feed is not None:
        feed = rack.feed
        found |= {
            "whips_per_feed": feed.whips_per_feed,
            "line_limit_a": feed.line_limit,
            "line_both_feeds_a": feed.line_both,
            "line_one_feed_a": feed.line_one,
            "whips_w": feed.whips,
            "supplies_one_feed_w": feed.supplies,
            "one_feed_w": feed.one_feed,
            "feed_loss_remedy": feed.words,
            "battery": feed.battery.id if feed.battery is not None else None,
            "batteries": feed.batteries,
        }
    return found


def _states_of(rack: RackDesign) -> dict[str, float | None]:
    """What the shelves or supplies of a full rack carry [W]: all of them, with the promised reserve kept, and with a feed lost; None: not stated."""
    shelf = rack.distribution
    if shelf is not None and shelf.kind is PowerKind.POWER_SHELF:
        whole = None if shelf.rated is None else rack.distribution_units * shelf.rated
        kept = None if shelf.usable_n_plus_1 is None else rack.distribution_units * shelf.usable_n_plus_1
        return {
            "supplies_w": whole, "supplies_reserve_w": kept, "supplies_feed_lost_w": None if whole is None else whole / 2
        }  # fmt: skip
    units = rack.systems if rack.system.kind is SystemKind.SERVER else 1
    states = (rack.supply.installed_w, rack.supply.promised_w, rack.supply.feed_lost_w)
    names = ("supplies_w", "supplies_reserve_w", "supplies_feed_lost_w")
    return {name: None if watts is None else watts * units for name, watts in zip(names, states, strict=True)}


def loads_on_ground(instance: Instance, site: str, rack: RackDesign) -> str | None:
    """The limit of frame, floor or room that a full rack breaks beside its even load, or None."""
    place = instance.sites[site]
    floor = instance.catalogue.get(Floor, place.floor)
    crushed = too_heavy(rack)
    if crushed is not None:
        return crushed
    if floor.uniform is not None and rack.floor_load > floor.uniform:
        return f"{rack.floor_load:.0f} kg/m2 on its footprint, floor {floor.id} carries {floor.uniform:.0f}"
    if floor.concentrated is not None and rack.weight / FEET > floor.concentrated:
        return f"{rack.weight / FEET:.0f} kg on each of {FEET} feet, floor {floor.id} carries {floor.concentrated:.0f} on a point"
    if place.racks_arrive_loaded:
        frame = rack.frame
        short = frame.missing("empty_weight", "dynamic_load")
        if short is not None or frame.empty_weight is None or frame.dynamic_load is None:
            return f"frame {frame.id}: {short}, and racks arrive loaded"
        payload = rack.weight - frame.empty_weight
        if payload > frame.dynamic_load:
            return f"{payload:.0f} kg rolled in, frame {frame.id} carries {frame.dynamic_load:.0f} while it moves"
        if floor.rolling is not None and rack.weight / FEET > floor.rolling:
            return f"{rack.weight / FEET:.0f} kg on each castor, floor {floor.id} carries {floor.rolling:.0f} rolling"
    return _beyond_air(place, rack.system, rack.systems) or _beyond_hall(instance, place, rack.frame)


def _beyond_air(place: Site, system: System, systems: int) -> str | None:
    """What the room's air does not give a full rack; a system of which that is not known is not taken to need none."""
    if system.liquid_fraction == 1.0:
        return None
    if place.airflow_per_rack is not None:
        if system.airflow is None:
            return f"{system.id}: {system.missing('airflow')}, the room gives {place.airflow_per_rack:.2f} m3/s"
        flow = systems * system.airflow
        if flow > place.airflow_per_rack:
            return f"{flow:.2f} m3/s of air through a full rack, the room gives {place.airflow_per_rack:.2f}"
    if place.supply_air is not None:
        inlet = system.inlet_maximum
        if inlet is None:
            return f"{system.id}: {system.missing('inlet_maximum')}, the room supplies {place.supply_air:g} degC"
        if place.supply_air > inlet:
            return f"the room supplies {place.supply_air:g} degC, {system.id} takes at most {inlet:g}"
    return None


def _beyond_hall(instance: Instance, place: Site, frame: Rack) -> str | None:
    """Whether a frame stands in a hall: below what is clear, and in its row."""
    high = frame_height(instance, frame)
    if place.clear_height is not None and high > place.clear_height + 1e-9:
        return f"frame {frame.id} is {high:.2f} m high, the hall is clear up to {place.clear_height:g} m"
    if frame.depth is not None and frame.depth > place.rows.row_pitch:
        return f"frame {frame.id} is {frame.depth:g} m deep, rows are {place.rows.row_pitch:g} m apart"
    return None
