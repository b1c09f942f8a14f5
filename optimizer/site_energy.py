"""What a site draws and drinks with its plant at the load it really carries: part-load losses, PUE and water."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from models.candidates.economics import SECONDS_PER_YEAR
from models.candidates.plant import FIGURES, PlantOption, curve_of, plant_options
from models.candidates.plant_availability import bought_availability
from models.candidates.rows_of_racks import unit_positions
from models.instance import Instance
from models.parts.cooling import Cooling
from models.physics.power import input_power
from models.policy import PowerFigure
from models.site import Chain
from optimizer.design import PlantChoice, PodChoice

DESIGN, IN_USE = FIGURES.index(PowerFigure.DESIGN), FIGURES.index(PowerFigure.IN_USE)
JOULES_PER_KILOWATT_HOUR = 3.6e6


def chain_load(pod: PodChoice, chain: Chain, figure: int) -> float:
    """Load [W] of one pod on a chain."""
    loads = {Chain.POWER: pod.it_w, Chain.AIR: pod.air_w, Chain.REAR_DOOR: pod.rear_door_w, Chain.LIQUID: pod.liquid_w}
    return loads[chain][figure]


def positions_of(instance: Instance, choice: PlantChoice) -> int:
    """Rack positions one unit of a plant choice takes."""
    built = instance.sites[choice.site].options(Chain(choice.chain))[choice.option]
    use = next((use for use in built.equipment if use.part == choice.part), None)
    if use is None or choice.chain == Chain.POWER.value:
        return 0 if use is None else use.positions
    return unit_positions(instance.sites[choice.site].rows, use, instance.catalogue.get(Cooling, choice.part))


def energy_figures(instance: Instance, pods: Sequence[PodChoice], plant: Sequence[PlantChoice]) -> dict[str, float]:
    """Facility power and yearly energy with losses at the actual part load, power and water usage effectiveness.

    No effectiveness where nothing runs: a demand that is lifted leaves a design without pods.
    """
    drawn = {DESIGN: 0.0, IN_USE: 0.0}
    water = 0.0
    for site in instance.sites:
        mine = [p for p in pods if p.site == site]
        if not mine:
            continue
        options, _ = plant_options(instance, site)
        for option in (o for chain in options.values() for o in chain):
            users = [p for p in mine if p.options.get(option.chain.value) == option.id]
            for figure in drawn:
                load = sum(p.count * chain_load(p, option.chain, figure) for p in users)
                drawn[figure] += _drawn(instance, option, plant, load, figure)
            heat = sum(p.count * chain_load(p, option.chain, IN_USE) for p in users)
            water += heat * option.water
    it = sum(p.count * p.it_w[IN_USE] for p in pods)
    effective = {"pue": drawn[IN_USE] / it, "wue_l_per_kwh": water / it * JOULES_PER_KILOWATT_HOUR} if it else {}
    return {
        "part_load_power_kw": drawn[DESIGN] / 1e3,
        "part_load_energy_mwh_per_year": drawn[IN_USE] * SECONDS_PER_YEAR / 3.6e9,
        **effective,
        "water_m3_per_year": water * SECONDS_PER_YEAR / 1e3,
    }


def standing_figures(instance: Instance, pods: Sequence[PodChoice], plant: Sequence[PlantChoice]) -> dict[str, float]:
    """``SITE.plant_availability``: share of the time its plant carries the load, for sites whose parts state their failures."""
    figures = {}
    for site in instance.sites:
        taken = {(chain, name) for p in pods if p.site == site for chain, name in p.options.items()}
        options = [
            o for chain in plant_options(instance, site)[0].values() for o in chain if (o.chain.value, o.id) in taken
        ]
        if any(unit.stands is not None for option in options for unit in option.units):
            bought = {(c.chain, c.option, c.part): c.units for c in plant if c.site == site}
            figures[f"{site}.plant_availability"] = prod(
                bought_availability(o, [bought[o.chain.value, o.id, unit.part] for unit in o.units]) for o in options
            )
    return figures


def _drawn(instance: Instance, option: PlantOption, plant: Sequence[PlantChoice], load: float, figure: int) -> float:
    """Power [W] a chain adds, the load itself counted with the power chain."""
    if option.chain is not Chain.POWER:
        return load * option.shares[figure]
    if option.loading is None or not load:
        return load * (1.0 + option.shares[figure])
    installed = {(c.site, c.option, c.part): c.units for c in plant if c.chain == Chain.POWER.value}
    level = load
    for unit in option.units:
        if unit.curve is None:
            level /= unit.efficiency
            continue
        rating = installed[option.site, option.id, unit.part] * unit.rating
        level = float(input_power(level, rating, *curve_of(instance, unit.curve)))
    return level
