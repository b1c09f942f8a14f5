"""One design as a page a person reads: what it is, what it is made of, what limits it, and what it leans on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from models.instance import Instance
from models.policy import Stated, unit_of
from models.units import show
from optimizer.cli._answer import show_value
from optimizer.cli._pod_page import budget, networks, part_of_batch, spares, storage
from optimizer.cli._tables import table
from optimizer.design import Design, PodChoice
from optimizer.frontier import Frontier

SPEED = 8e-9


def page(frontier: Frontier, design: Design, instance: Instance) -> Iterator[str]:
    """The page, line by line."""
    yield f"Design {design.design_id} of {frontier.instance} ({frontier.proof.sentence()})"
    yield from _objectives(frontier, design)
    for number, pod in enumerate(design.pods):
        yield from _pod(pod, number, len(design.pods), set(design.preliminary))
    yield from _section("Plant", _plant(design), "rlllr")
    yield from _section("Racks on blocks (with any one block lost)", _rings(design), "rllrllrr")
    yield from _power(design)
    yield from _bill(design)
    yield from _section("Orders", _orders(design), "llrlrrll")
    yield from _section("Spend over the horizon, at present value", _spend(design), "lllrr")
    yield from _margins(design)
    yield from _footing(design, instance)


def _section(title: str, rows: Sequence[Sequence[Any]], align: str) -> Iterator[str]:
    if len(rows) > 1:
        yield ""
        yield title
        yield from table(rows, align)


def _objectives(frontier: Frontier, design: Design) -> Iterator[str]:
    rows: list[list[Any]] = [["objective", "value", "certified bound", "exact figure"]]
    for objective in frontier.objectives:
        column = objective.column
        bound = show_value(objective, design.bounds[column]) if column in design.bounds else "proven"
        figure = design.figures.get(column)
        exact = "" if figure is None else show_value(objective, figure)
        rows.append([objective.title, show_value(objective, design.objectives[column]), bound, exact])
    yield from _section("Objectives", rows, "lrrr")
    f = design.figures
    yield ""
    yield (
        f"  TCO {f['tco_usd'] / 1e6:,.1f} MUSD at the {frontier.price_basis} of the price ranges, "
        f"{f['tco_usd_low'] / 1e6:,.1f} to {f['tco_usd_high'] / 1e6:,.1f} over them; "
        f"capex {f['capex_usd'] / 1e6:,.1f}, opex {f['opex_usd'] / 1e6:,.1f} MUSD."
    )
    yield (
        f"  Power {f['power_kw']:,.0f} kW sustained peak, {f['nameplate_kw']:,.0f} kW nameplate, {f['in_use_kw']:,.0f} kW in use, "
        f"{f['energy_mwh_per_year']:,.0f} MWh a year; carbon {f['carbon_t']:,.0f} t; {f['floor_racks']:,.0f} racks; "
        f"useful time {f['goodput_fraction']:.2%}."
    )


def _pod(pod: PodChoice, number: int, of: int, preliminary: set[str]) -> Iterator[str]:
    mark = " (preliminary)" if pod.system in preliminary else ""
    yield ""
    yield f"Pod {number + 1} of {of}: {pod.count} x {pod.pod_id}"
    power = " + ".join(f"{chain}: {option}" for chain, option in pod.options.items())
    yield f"  cluster {pod.cluster} at {pod.site}; {power}"
    working = f" at work, {pod.spares} of the systems spare" if pod.spares else ""
    yield f"  {pod.systems} x {pod.system}{mark} by {pod.vendor}, {pod.accelerators} accelerators{working}"
    feeds = f"; {pod.distribution_per_rack} x {pod.distribution}" if pod.distribution else ""
    door = f"; rear door {pod.door}" if pod.door else ""
    told = pod.network_rack
    stands = f" in {told['frame']}, {told['distribution_per_rack']} x {told['distribution']} each" if told else ""
    stores = f", {pod.storage_racks} storage racks" if pod.storage_racks else ""
    yield (
        f"  {pod.node_racks} racks of {pod.systems_per_rack} in {pod.frame}, {pod.cooling} cooled{feeds}{door}; "
        f"{pod.network_racks} network racks{stands}{stores}; {pod.feed_loss}"
    )
    yield f"  {_rack_words(pod)}"
    yield (
        f"  IT {pod.it_w[1] / 1e3:,.0f} kW ({pod.it_w[0] / 1e3:,.0f} nameplate, {pod.it_w[2] / 1e3:,.0f} typical, "
        f"{pod.it_w[3] / 1e3:,.0f} in use): "
        f"{pod.air_w[1] / 1e3:,.0f} kW to air, {pod.rear_door_w[1] / 1e3:,.0f} to rear doors, "
        f"{pod.liquid_w[1] / 1e3:,.0f} to liquid; {pod.weight_kg / 1e3:,.1f} t"
    )
    yield (
        f"  {pod.throughput_tokens_s:,.0f} tokens/s without failures x {pod.goodput:.2%} useful; "
        f"an interruption every {1 / pod.failure_rate_per_s / 3600:,.1f} h; "
        f"{pod.injection_b_s * SPEED:,.0f} Gbit/s per accelerator, {pod.bisection_b_s * SPEED:,.0f} across the bisection"
    )
    yield from part_of_batch(pod)
    yield from _performance(pod)
    yield from networks(pod)
    yield from budget(pod)
    yield from spares(pod)
    yield from storage(pod)


def _performance(pod: PodChoice) -> Iterator[str]:
    """The mapping, or the replicas, behind the throughput."""
    told = pod.performance
    if "source" in told:
        yield f"  throughput from {told['source']}, known to {pod.throughput_band:.0%}"
    if "terms_s" not in told:
        return
    spent = sum(told["terms_s"].values())
    terms = ", ".join(
        f"{name} {share / spent:.0%}" for name, share in told["terms_s"].items() if share >= 0.005 * spent
    )
    memory = f"{told['memory_bytes'] / 1e9:,.0f} GB per accelerator"
    if "mapping" in told:
        yield (
            f"  Mapping on {told['accelerators_used']:,} accelerators: {told['mapping']}; a step every {told['step_s']:.3g} s, "
            f"{memory}; known to {pod.throughput_band:.0%}"
        )
        if told["runner_up"]:
            yield f"  runner-up: {told['runner_up']}, {told['runner_up_share']:.1%} of the throughput"
    else:
        first = "" if told["ttft_s"] is None else f", first token after {told['ttft_s'] * 1e3:,.0f} ms"
        each = "" if told["tpot_s"] is None else f", {told['tpot_s'] * 1e3:,.1f} ms per token"
        yield (
            f"  {told['role'].capitalize()}: {told['replicas']:,} replicas of {told['replica']}, tensor {told['tensor']}, "
            f"batch {told['batch']:,}{first}{each}; {memory}; known to {pod.throughput_band:.0%}"
        )
    yield f"  binding: {told['binding']} ({terms}); accelerators compute {told['computing_share']:.0%} of the time"


def _rack_words(pod: PodChoice) -> str:
    """A full rack in one line: units, mass, power, and its feeds where the site states them."""
    rack = pod.rack
    used = rack["units_frame"] - rack["units_free"]
    words = (
        f"a full rack: {used:g} of {rack['units_frame']:g} units, {rack['weight_kg']:,.0f} kg ({rack['floor_load_kg_m2']:,.0f} kg/m2), "
        f"{rack['nameplate_w'] / 1e3:,.1f} kW nameplate, {rack['design_w'] / 1e3:,.1f} sustained, {rack['typical_w'] / 1e3:,.1f} typical"
    )
    if rack.get("supplies_w"):
        states = (
            (rack["supplies_reserve_w"], "with their reserve kept"),
            (rack["supplies_feed_lost_w"], "with a feed lost"),
        )
        less = ", ".join(f"{watts / 1e3:,.0f} {words_}" for watts, words_ in states if watts is not None)
        words += f"; supplies carry {rack['supplies_w'] / 1e3:,.0f} kW, {less}"
    if "supply_curve" in rack:
        words += (
            f"; supplies of {rack['supplies_installed_w'] / 1e3:,.0f} kW ({rack['supply_curve']}) at {rack['supply_efficiency_nameplate']:.1%}, "
            f"{rack['supply_efficiency_typical']:.1%} at typical power"
        )
    if "cdu" in rack:
        words += f"; {rack['cdus']} x {rack['cdu']}, {rack['liquid_w'] / 1e3:,.0f} kW into liquid of {rack['cdu_carries_w'] / 1e3:,.0f} each"
    if "manifold" in rack:
        words += f"; manifold {rack['manifold']}"
    if rack.get("weight_assumed"):
        words += f"; mass of {', '.join(rack['weight_assumed'])} assumed"
    if "whips_per_feed" in rack:
        held = f"; {rack['batteries']} x {rack['battery']}" if rack["batteries"] else ""
        words += (
            f"; {rack['whips_per_feed']} whips a feed, {rack['line_both_feeds_a']:.1f} A on the heaviest line with both feeds, "
            f"{rack['line_one_feed_a']:.1f} with one, of {rack['line_limit_a']:.1f}{held}"
        )
    return words


def _plant(design: Design) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [("units", "part", "chain", "option", "site")]
    rows += [(choice.units, choice.part, choice.chain, choice.option, choice.site) for choice in design.plant]
    return rows


def _rings(design: Design) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [("rings", "site", "option", "blocks", "cluster", "racks of", "count", "kW each")]
    for ring in design.rings:
        for group in ring.racks:
            blocks = f"{group.first + 1}+{group.second + 1}"
            kind = "systems" if group.kind == "nodes" else "switches"
            rows.append(
                (ring.count, ring.site, ring.option, blocks, group.cluster, kind, group.racks, f"{group.load_kw:,}")
            )
    return rows


def _power(design: Design) -> Iterator[str]:
    """Where the installed power of each site goes, and what the site draws and drinks."""
    f = design.figures
    yield ""
    for site in dict.fromkeys(pod.site for pod in design.pods):
        causes = {
            name.removeprefix(f"{site}.stranded_").removesuffix("_kw").replace("_", " "): kilowatts
            for name, kilowatts in f.items()
            if name.startswith(f"{site}.stranded_") and kilowatts >= 0.5
        }
        rings, least = f.get(f"{site}.rings"), f.get(f"{site}.rings_least")
        if rings is not None and least is not None:
            more = (
                f"at most {rings - least:.0f} more than any way to hang them needs" if rings > least else "the fewest"
            )
            yield f"  Rings of blocks of {site}: {rings:.0f} for these racks, {more}"
        standing = f.get(f"{site}.plant_availability")
        if standing is not None:
            yield f"  The plant of {site} carries its load {standing:.5%} of the time, as far as failures of its parts are stated"
        stranded = ", ".join(f"{cause} {kilowatts:,.0f}" for cause, kilowatts in causes.items()) or "nothing"
        yield (
            f"  Power of {site}: {f[f'{site}.installed_kw']:,.0f} kW installed = {f[f'{site}.used_kw']:,.0f} used + stranded by "
            f"{stranded} + {f[f'{site}.free_kw']:,.0f} free"
        )
    water = (
        f"; water {f['water_m3_per_year']:,.0f} m3 a year, WUE {f['wue_l_per_kwh']:.2f} L/kWh"
        if f["water_m3_per_year"]
        else ""
    )
    yield (
        f"  PUE {f['pue']:.3f} over the year; at the load the units carry {f['part_load_power_kw']:,.0f} kW peak, "
        f"{f['part_load_energy_mwh_per_year']:,.0f} MWh a year{water}"
    )


def _bill(design: Design) -> Iterator[str]:
    rows: list[tuple[Any, ...]] = [
        ("layer", "part", "vendor", "quantity", "unit USD", "range USD", "MUSD", "price", "confidence", "source")
    ]
    rows += [
        (
            line.layer,
            f"{line.part}{'*' if line.preliminary else ''}",
            line.vendor,
            f"{line.quantity:,}",
            f"{line.unit_price:,.0f}",
            f"{line.unit_price_low:,.0f}-{line.unit_price_high:,.0f}",
            f"{line.cost_usd / 1e6:,.2f}",
            "estimate" if line.price_is_estimate else "quote",
            line.confidence,
            line.source,
        )
        for line in design.bom
    ]
    total = sum(line.cost_usd for line in design.bom)
    rows.append(("total", "", "", "", "", "", f"{total / 1e6:,.2f}", "", "", "before freight, duty, tax and shell"))
    yield from _section("Bill of materials", rows, "lllrrrrlll")


def _orders(design: Design) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [
        ("quote", "vendor", "units", "tiers [USD]", "MUSD", "one-off MUSD", "first arrival", "of")
    ]
    for one in design.orders:
        contents = " + ".join(f"{count} {part}" if count > 1 else part for part, count in one.contents.items())
        money = (f"{one.goods_usd / 1e6:,.3f}", f"{one.one_off_usd / 1e6:,.3f}")
        tiers = " + ".join(f"{count:,} at {price:,.0f}" for count, price in one.tiers)
        rows.append((one.quote, one.vendor, f"{one.units:,}", tiers, *money, one.arrives or "not stated", contents))
    return rows


def _spend(design: Design) -> list[tuple[Any, ...]]:
    """The ledger, hardware summed by layer; the total is that of every line."""
    rows: list[tuple[Any, ...]] = [("category", "item", "site", "USD", "carbon t")]
    sums: dict[tuple[str, str, str], tuple[int, float]] = {}
    for line in design.spend:
        item = f"{line.item}: {line.layer}" if line.layer else line.item
        cents, carbon = sums.get((line.category, item, line.site), (0, 0.0))
        sums[line.category, item, line.site] = (cents + line.cents, carbon + line.carbon_kg)
    for (category, item, site), (cents, carbon) in sums.items():
        rows.append((category, item, site, f"{cents / 100:,.2f}", f"{carbon / 1e3:,.1f}" if carbon else ""))
    total, carbon = sum(line.cents for line in design.spend), sum(line.carbon_kg for line in design.spend)
    rows.append(("total", "", "", f"{total / 100:,.2f}", f"{carbon / 1e3:,.1f}"))
    return rows


def _margins(design: Design) -> Iterator[str]:
    """Binding limits in the words of their family, then the others by how near they are."""
    binding = [margin for margin in design.margins if margin.binding]
    others = [margin for margin in design.margins if not margin.binding]
    yield ""
    yield "Limits"
    for margin in binding:
        yield f"  binds: {margin.says}  [{margin.source}]"
    if not binding:
        yield "  none binds"
    rows: list[tuple[Any, ...]] = [("limit", "use", "of", "unit", "left", "stated in")]
    for margin in sorted(others, key=lambda m: abs(m.value - m.limit) / max(1.0, abs(m.limit))):
        left = abs(margin.limit - margin.value)
        # of nothing there is no share: rows of vendors' shares have all on one side
        said = f"{left / abs(margin.limit):.1%}" if abs(margin.limit) >= 1 else f"{left:,.7g} {margin.unit}"
        rows.append((margin.row, f"{margin.value:,.7g}", f"{margin.limit:,.7g}", margin.unit, said, margin.source))
    if len(rows) > 1:
        yield from table(rows, "lrrlrl")


def _footing(design: Design, instance: Instance) -> Iterator[str]:
    """What the figures lean on: assumptions with their owner, preliminary parts, and inputs nobody has verified."""
    given = instance.assumptions
    rows: list[tuple[Any, ...]] = [("assumption", "value", "owner", "reason", "stated in")]
    for name in type(given).model_fields:
        stated = getattr(given, name)
        if stated is not None:
            rows.append((name, *_assumption(instance, name, stated)))
    yield from _section("Assumptions that enter every figure", rows, "lrlll")
    yield ""
    yield f"Preliminary parts: {', '.join(design.preliminary) or 'none'}"
    unverified = {line.part: line.unverified for line in design.bom if line.unverified}
    rows = [("part", "columns nobody has verified")]
    rows += [(part, columns.replace(";", ", ")) for part, columns in unverified.items()]
    yield from _section("Unverified inputs", rows, "ll")


def _assumption(instance: Instance, name: str, stated: Stated[Any]) -> tuple[Any, str, str, str]:
    """Value as its author wrote it, owner, reason and place; what nobody wrote has its unit, and the catalogue for its owner."""
    written = instance.raw.get("assumptions", {}).get(name)
    if written is None:
        unit = unit_of(type(instance.assumptions), name)
        value = stated.value if unit is None else show(stated.value, unit)
        return value, stated.owner, stated.reason, "class_figures.csv"
    value = written.get("value") if isinstance(written, dict) else written
    return value, stated.owner or "not named", stated.reason, instance.origin(f"assumptions.{name}")
