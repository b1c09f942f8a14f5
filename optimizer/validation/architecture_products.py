"""Counts and amounts of a published architecture that follow by multiplication alone, whatever is counted.

``X_per_Y`` times the count of Y is the count of X, and contents multiply along chains (``psus_per_shelf``, ``shelves_per_rack``, ``racks``).
Amounts with a unit (``hbm_gb_per_gpu``, ``node_kg``) add up the same way. What the rules of fabrics know is left to these.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from optimizer.validation.architecture_facts import Facts
from optimizer.validation.architecture_figures import number, other_units

_WORDS = {
    "gpu": "accelerators", "xpu": "accelerators", "tpu": "accelerators", "accelerator": "accelerators", "server": "nodes",
    "system": "nodes", "host": "nodes", "instance": "nodes", "vm": "nodes", "node": "nodes", "compute_tray": "nodes",
    "compute_node": "nodes", "scalable_unit": "sus", "compute_rack": "racks", "power_shelf": "shelves",
}  # fmt: skip
_AMOUNTS = frozenset(
    {"gb", "tb", "s", "kw", "w", "mw", "kg", "gbps", "tbps", "u", "ou", "m2", "pflops", "tflops", "usd"}
)
_OF_COMPUTE = ("accelerators", "cpus", "nics", "dpus")
_OF_A_NODE = ("node", "server", "system", "host")
LITRES_PER_MINUTE_KW_K = 14.3
"""Water that carries 1 kW at a rise of 1 K: 60 s over 4.19 kJ/(kg K), a litre taken as a kilogram, as data sheets do."""
CFM_PER_WATT_K = 1.76
"""Air that carries 1 W at a rise of 1 K: 2119 cfm in 1 m3/s, over 1.2 kg/m3 and 1006 J/(kg K)."""


def several(word: str) -> str:
    """The project's word for several of a thing, however it is counted (``gpu`` and ``gpus``: accelerators)."""
    if word.rpartition("_")[2] in _AMOUNTS:
        return word
    single = word[:-3] + "f" if word.endswith("lves") else word[:-2] if word.endswith(("ches", "xes")) else word
    single = single if single != word or word.endswith(("ss", "is", "us")) else word.removesuffix("s")
    if word.endswith("us"):
        single = word.removesuffix("s")
    if single in _WORDS:
        return _WORDS[single]
    if single == "chassis":
        return single
    ends = {"f": f"{single[:-1]}ves", "h": f"{single}es", "x": f"{single}es"}
    return ends.get(single[-1:], f"{single}s")


def product_name(name: str) -> str:
    """The name a figure has among products: both sides of ``per`` in the project's words."""
    what, per, unit = name.partition("_per_")
    return f"{several(what)}_per_{several(unit)}" if per else several(name)


def _in_thousands(found: Mapping[str, float]) -> dict[str, float]:
    """Memory and its bandwidth, stated in GB, in TB as well."""
    return {
        name.replace("_gb", "_tb"): value / 1e3 for name, value in found.items() if "_gb" in name and "gbps" not in name
    }


def counted(inputs: Mapping[str, object]) -> dict[str, float]:
    """Everything ``inputs`` count, and what follows from it, by the project's words; shares as ``X_per_Y`` with Y in the plural."""
    counts: dict[str, float] = {}
    contents: dict[tuple[str, str], float] = {}
    for name, raw in inputs.items():
        value = None if isinstance(raw, (list, tuple, Mapping)) else number(raw, name)
        if value is None or value <= 0:
            continue
        what, per, unit = name.partition("_per_")
        if per:
            contents[several(what), several(unit)] = value
        else:
            counts[several(name)] = value
    trays = {("trays", above) for _, above in contents if ("trays", above) in contents}
    for key in trays:  # a rack of trays, and nothing said of other trays in it
        if ("nodes", key[1]) not in contents and not any(below.endswith("_trays") for below, _ in contents):
            contents["nodes", key[1]] = contents[key]
            for (below, above), value in list(contents.items()):
                if above == "trays":
                    contents.setdefault((below, "nodes"), value)
    for below in _OF_COMPUTE:  # these are in trays of compute, whatever else has trays
        if (below, "trays") in contents:
            contents.setdefault((below, "nodes"), contents[below, "trays"])
    for _ in range(len(contents)):
        for (below, middle), first in list(contents.items()):
            for (same, above), second in list(contents.items()):
                if same == middle and below != above:
                    contents.setdefault((below, above), first * second)
    for (below, above), value in contents.items():
        if above in counts:
            counts.setdefault(below, counts[above] * value)
    for (below, above), value in contents.items():
        if below in counts and above not in counts and counts[below] % value == 0:
            counts[above] = counts[below] / value
    return counts | {f"{below}_per_{above}": value for (below, above), value in contents.items()}


def spare_supplies(inputs: Mapping[str, object]) -> float | None:
    """Supplies of a shelf that stand by, where a redundancy of supplies is stated as ``N+1``; of shelves where shelves are counted."""
    of_shelves = any("shelves" in name for name in inputs)
    for name in ("psu_redundancy", "shelf_redundancy") + (() if of_shelves else ("redundancy",)):
        stated = re.fullmatch(r"\s*[nN]\s*\+\s*(\d+)\s*", str(inputs.get(name) or ""))
        if stated:
            return float(stated[1])
    return None


def _of_supplies(facts: Facts, inputs: Mapping[str, object], supplies: float | None, each: float | None) -> None:
    """What the supplies of a node can give, and what is left of it with their redundancy kept (``4+2``, ``N+1``, ``N+N``)."""
    if not supplies or not each:
        return
    facts.learn("psu_capacity_kw", supplies * each)
    text = str(inputs.get("psu_redundancy") or inputs.get("redundancy") or "").lower().replace(" ", "")
    stated = re.fullmatch(r"(n|\d+)\+(n|\d+)", text)
    if stated is None:
        return
    active, spare = stated.groups()
    if active != "n" and spare != "n" and int(active) + int(spare) != supplies:
        facts.breaks("supplies", f"{text} are {int(active) + int(spare)} supplies, not {supplies:g}")
    left = supplies / 2 if spare == "n" else supplies - int(spare)
    facts.learn("usable_kw", left * each)
    facts.learn("redundant_capacity_kw", left * each)


def derive_products(facts: Facts, inputs: Mapping[str, object]) -> None:
    """Learn what follows by multiplication, then a rack's mass, height, heat and flows; notes a rack that is overfull."""
    found = counted(inputs)
    facts.products.update(_in_thousands(found) | found)
    _of_a_rack(facts, inputs)


def _of_a_rack(facts: Facts, inputs: Mapping[str, object]) -> None:
    def stated(*names: str) -> float | None:
        for name in names:
            for printed, scale in ((name, 1.0), *other_units(name)):
                value = number(inputs[printed], printed) if printed in inputs else None
                if value is not None:
                    return float(f"{value * scale:.12g}")
        return None

    per_rack = facts.get("nodes_per_rack")
    units, kilograms, watts = (
        stated(*(f"{one}_{word}" for one in _OF_A_NODE for word in words))
        for words in (("u", "ou", "units", "rack_units"), ("kg", "weight_kg"), ("power_kw", "kw", "max_power_kw"))
    )
    if per_rack and units:
        facts.learn("used_u", per_rack * units)
        height = stated("rack_u", "rack_ou", "rack_units", "rack_height_u")
        if height is not None and per_rack * units > height:
            words = f"{per_rack:g} nodes of {units:g} units are {per_rack * units:g}; the rack has {height:g}"
            facts.breaks("rack units", words)
    if per_rack and kilograms:
        frame = stated("rack_kg", "rack_weight_kg", "frame_kg", "empty_rack_kg") or 0.0
        facts.learn("rack_weight_kg", per_rack * kilograms + frame)
        ground = stated("footprint_m2", "rack_footprint_m2")
        facts.learn("floor_load_kg_m2", (per_rack * kilograms + frame) / ground if ground else None)
    if per_rack and watts:
        facts.learn("rack_power_kw", per_rack * watts)
    rack, share = stated("rack_power_kw", "rack_peak_kw") or facts.get("rack_power_kw"), facts.get("liquid_fraction")
    in_row = facts.products.get("racks_per_rows")
    facts.learn("row_power_kw", rack * in_row if rack and in_row else None)
    _of_supplies(facts, inputs, stated("psus", "psus_per_node", "psus_per_server", "psus_per_system"), stated("psu_kw"))
    volts, amperes = stated("voltage_v", "line_voltage_v"), stated("breaker_a", "whip_a")
    if volts and amperes:
        lines = math.sqrt(3) if (stated("phases") or 3) == 3 else 1.0
        kept = stated("derating", "continuous_share", "breaker_derating") or 1.0
        facts.learn("feed_kw", lines * volts * amperes * kept / 1e3)
    if rack and share is not None and not facts.get("racks"):
        facts.learn("liquid_kw", rack * share)
    if rack and share is not None:
        facts.learn("air_kw", (facts.get("racks") or 1) * rack * (1.0 - share))
    rise = stated("delta_t_k", "water_delta_t_k", "liquid_delta_t_k")
    liquid, air = facts.get("liquid_kw"), facts.get("air_kw")
    if liquid and rise:
        facts.learn("flow_lpm", LITRES_PER_MINUTE_KW_K * liquid / rise)
    warmer = stated("air_delta_t_k")
    if air and warmer:
        facts.learn("airflow_cfm", CFM_PER_WATT_K * air * 1e3 / warmer)
