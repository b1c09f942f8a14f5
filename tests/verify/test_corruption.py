"""A solved run is corrupted in many ways, each everywhere it shows, and recomputation catches every one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import optimizer.verify as verify

Data = dict[str, Any]
LIQUID, DOOR, PLAIN, SERVING, ORDERS = "thermal-liquid", "doors", "performance", "serving", "orders"
BLOCKS = "power-blocks"
ROLES, MAPPING = "serving-roles", "mapping"


def _set(path: str, value: Any) -> Callable[[Data], None]:
    """Sets a dotted path; a callable value is applied to what stands there."""

    def mutate(data: Data) -> None:
        *steps, last = path.split("/")
        node: Any = data
        for step in steps:
            node = node[int(step) if isinstance(node, list) else step]
        place: Any = int(last) if isinstance(node, list) else last
        node[place] = value(node[place]) if callable(value) else value

    return mutate


def _all(*mutations: Callable[[Data], None]) -> Callable[[Data], None]:
    def mutate(data: Data) -> None:
        for one in mutations:
            one(data)

    return mutate


def _line(layer: str, name: str, value: Any) -> Callable[[Data], None]:
    """Changes a field of the first line of a layer, and the cost with it."""

    def mutate(data: Data) -> None:
        line = next(one for one in data["bom"] if one["layer"] == layer)
        line[name] = value(line[name]) if callable(value) else value
        line["unit_price"] = (line["unit_price_low"] + line["unit_price_high"]) / 2
        line["cost_usd"] = line["unit_price"] * line["quantity"]

    return mutate


def _drop_line(layer: str) -> Callable[[Data], None]:
    def mutate(data: Data) -> None:
        data["bom"].remove(next(one for one in data["bom"] if one["layer"] == layer))

    return mutate


def _one_unit_less(data: Data) -> None:
    """One power unit less, in the plant and in the bill alike."""
    choice = next(one for one in data["plant"] if one["chain"] == "power")
    choice["units"] -= 1
    line = next(one for one in data["bom"] if one["layer"] == "power" and one["part"] == choice["part"])
    line["quantity"] -= 1
    line["cost_usd"] = line["unit_price"] * line["quantity"]


def _move_heat(data: Data) -> None:
    pod = data["pods"][0]
    pod["air_w"] = [watts + 1e4 for watts in pod["air_w"]]
    pod["liquid_w"] = [watts - 1e4 for watts in pod["liquid_w"]]


def _order(quote: str, name: str, value: Any) -> Callable[[Data], None]:
    """Changes a field of the order from a quote."""

    def mutate(data: Data) -> None:
        for one in data["orders"]:
            if one["quote"] == quote:
                one[name] = value(one[name]) if callable(value) else value

    return mutate


def _spend(item: str, name: str, value: Any) -> Callable[[Data], None]:
    def mutate(data: Data) -> None:
        next(line for line in data["spend"] if line["item"] == item)[name] = value

    return mutate


def _move_spend(data: Data) -> None:
    """From one line of the ledger to another, the sum unchanged."""
    data["spend"][0]["cents"] -= 5000
    data["spend"][1]["cents"] += 5000


def _no_loan(data: Data) -> None:
    data["spend"] = [line for line in data["spend"] if line["category"] != "financing"]


def _margin(row: str, name: str, value: Any) -> Callable[[Data], None]:
    def mutate(data: Data) -> None:
        for one in data["margins"]:
            if row in one["row"]:
                one[name] = value(one[name]) if callable(value) else value

    return mutate


def _one_ring_a_rack(data: Data) -> None:
    """Every rack on a ring of its own: no block is overloaded, and nobody has bought so many rings."""
    data["rings"] = [
        {**ring, "count": ring["count"] * group["racks"], "racks": [{**group, "racks": 1}]}
        for ring in data["rings"]
        for group in ring["racks"]
    ]


def _pile_up(data: Data) -> None:
    """All racks of the rings on one pair of one ring."""
    groups = [{**group, "first": 0, "second": 1, "racks": group["racks"] * ring["count"]}
              for ring in data["rings"] for group in ring["racks"]]  # fmt: skip
    data["rings"] = [{**data["rings"][0], "count": 1, "racks": groups}]


DESIGNS: list[tuple[str, str, Callable[[Data], None], str]] = [
    ("objective cheaper", PLAIN, _set("objectives/tco_usd", lambda v: v - 1000.0), r"objectives\.tco_usd"),
    ("objective a token more", PLAIN, _set("objectives/throughput_tokens_per_s", lambda v: v + 1), r"objectives\.thr"),
    ("objective a kilowatt less", PLAIN, _set("objectives/power_kw", lambda v: v - 1), r"objectives\.power_kw"),
    ("bound on the wrong side", PLAIN, _set("bounds/tco_usd", 9e12), r"bounds\.tco_usd"),
    ("bound of nothing", PLAIN, _set("bounds/carbon_t", 1.0), r"bounds\.carbon_t"),
    ("drawing less in use", MAPPING, _set("pods/0/it_w/3", lambda v: v * 0.9), r"pods\[0\]\.it_w"),
    ("energy of typical power", MAPPING, _set("figures/in_use_kw", lambda v: v * 1.2), r"figures\.in_use_kw"),
    ("busier than it is", MAPPING, _set("pods/0/performance/computing_share", 0.99), r"computing_share"),
    ("known better than it is", MAPPING, _set("figures/train.throughput_band", 0.01), r"train\.throughput_band"),
    ("role of another pod", ROLES, _set("pods/0/role", lambda r: "prefill" if r == "decode" else "decode"), r"design|pods"),
    ("replicas that straddle domains", ROLES, _set("pods/0/performance/replica", 6), r"^design|do not tile"),
    ("one replica more", ROLES, _set("pods/0/performance/replicas", lambda n: n + 1), r"performance\.replicas"),
    ("a larger batch", ROLES, _set("pods/0/performance/batch", lambda n: n * 2), r"design|batch"),
    ("a quicker token", ROLES, _set("pods/0/performance/tpot_s", 1e-3), r"performance\.tpot_s"),
    ("prompts left out of the roles", ROLES, _set("choices/chat.roles", "2 decode"), r"choices\.chat\.roles"),
    ("leaf forgotten", PLAIN, _set("pods/0/fabric/leaf", lambda v: v - 1), r"fabric\.leaf$"),
    ("spine forgotten", PLAIN, _set("pods/0/fabric/spine", lambda v: v - 1), r"fabric\.spine$"),
    ("core invented", PLAIN, _set("pods/0/fabric/core", 4), r"fabric\.core"),
    ("links forgotten", PLAIN, _set("pods/0/fabric/links_leaf_spine", lambda v: v - 1), r"fabric\.links_leaf_spine"),
    ("spare ports invented", PLAIN, _set("pods/0/fabric/leaf_spare", lambda v: v + 8), r"fabric\.leaf_spare"),
    ("split beyond the ports", PLAIN, _set("pods/0/fabric/up", lambda v: v + 64), r"fabric\.up"),
    ("oversubscription denied", PLAIN, _set("pods/0/fabric/oversubscription", 0.5), r"fabric\.oversubscription"),
    ("ratio nobody allowed", PLAIN, _set("pods/0/fabric/asked_oversubscription", 3.0), r"asked_oversubscription"),
    ("rails denied", PLAIN, _set("pods/0/fabric/rail_optimised", lambda v: not v), r"fabric\.rail_optimised"),
    ("medium out of reach", PLAIN, _set("pods/0/fabric/medium_leaf_spine", "dac_400"), r"fabric\.medium_leaf_spine"),
    ("medium of another lane", PLAIN, _set("pods/0/fabric/medium_node_leaf", "dr8_800"), r"fabric\.medium_node_leaf"),
    ("module forgotten", PLAIN, _set("pods/0/fabric/near_units_leaf_spine", lambda v: v - 1), r"near_units_leaf_spine"),
    ("shorter run", PLAIN, _set("pods/0/fabric/length_leaf_spine", lambda v: v - 1.0), r"fabric\.length_leaf_spine"),
    ("bandwidth invented", PLAIN, _set("pods/0/bisection_b_s", lambda v: v * 1.01), r"bisection_b_s"),
    ("power understated", PLAIN, _set("pods/0/it_w/1", lambda v: v * 0.99), r"pods\[0\]\.it_w"),
    ("heat moved to liquid", LIQUID, _move_heat, r"pods\[0\]\.(air|liquid)_w"),
    ("heat of a door lost", DOOR, _set("pods/0/rear_door_w", [0.0, 0.0, 0.0, 0.0]), r"pods\[0\]\.rear_door_w"),
    ("goodput flattered", PLAIN, _set("pods/0/goodput", lambda v: v + 1e-4), r"pods\[0\]\.goodput"),
    ("failures forgotten", PLAIN, _set("pods/0/failure_rate_per_s", lambda v: v / 2), r"failure_rate_per_s"),
    ("throughput flattered", PLAIN, _set("pods/0/throughput_tokens_s", lambda v: v * 1.001), r"throughput_tokens_s"),
    ("band denied", PLAIN, _set("pods/0/throughput_band", 0.5), r"throughput_band"),
    ("another mapping", "mapping", _set("pods/0/performance/mapping", "tp1 pp1 dp1"), r"performance\.mapping"),
    ("shorter step", "mapping", _set("pods/0/performance/step_s", lambda v: v * 0.9), r"performance\.step_s"),
    ("mapping on more than there is", "mapping", _set("pods/0/performance/accelerators_used", 10**6), r"design"),
    ("mass understated", PLAIN, _set("pods/0/weight_kg", lambda v: v - 10.0), r"weight_kg"),
    ("racks forgotten", PLAIN, _set("pods/0/node_racks", lambda v: v - 1), r"node_racks"),
    ("network racks forgotten", PLAIN, _set("pods/0/network_racks", lambda v: v - 1), r"network_racks"),
    ("a frame for switches forgotten", PLAIN, _drop_line("network racks"), r"bom\..*network racks"),
    ("rack PDUs for switches forgotten", PLAIN, _drop_line("network rack power"), r"bom\..*network rack power"),
    ("fewer rack PDUs for switches", PLAIN, _line("network rack power", "quantity", lambda v: v - 1), r"bom\..*quantity"),
    ("one feed for switches", PLAIN, _set("pods/0/network_rack/distribution_per_rack", 1), r"network_rack"),
    ("another frame for switches", PLAIN, _set("pods/0/network_rack/frame", "eia42"), r"network_rack\.frame"),
    ("rack overfilled", PLAIN, _set("pods/0/systems_per_rack", lambda v: v + 6), r"systems_per_rack"),
    ("one feed only", PLAIN, _set("pods/0/distribution_per_rack", 1), r"distribution"),
    ("feed loss glossed over", PLAIN, _set("pods/0/feed_loss", "all is well"), r"feed_loss"),
    ("another system", PLAIN, _set("pods/0/system", "gb200_nvl72"), r"pods\[0\]\.system"),
    ("unknown system", PLAIN, _set("pods/0/system", "no_such_box"), r"pods\[0\]\.system"),
    ("another frame", PLAIN, _set("pods/0/frame", "eia42"), r"pods\[0\]\.frame"),
    ("two training pods", PLAIN, _set("pods/0/count", 2), r"limit workloads\.train"),
    ("size outside the range", PLAIN, _set("pods/0/systems", lambda v: v + 1), r"pods\[0\]\.systems"),
    ("cooling denied", PLAIN, _set("pods/0/cooling", "liquid"), r"pods\[0\]\.cooling"),
    ("door removed", DOOR, _set("pods/0/door", None), r"pods\[0\]\.door"),
    ("option of another chain", PLAIN, _set("pods/0/options/air", "ups"), r"options\.air"),
    ("chain left out", PLAIN, _set("pods/0/options", {"power": "ups"}), r"pods\[0\]\.options"),
    ("serving pods doubled", SERVING, _set("pods/0/count", lambda v: v * 2), r"figures\.tco_usd"),
    ("plant unit forgotten", PLAIN, _one_unit_less, r"plant\..*units"),
    ("plant forgotten", PLAIN, _set("plant", []), r"plant\."),
    ("rack taken off its blocks", BLOCKS, _set("rings/0/racks/0/racks", lambda v: v - 1), r"rings\."),
    ("racks on one block", BLOCKS, _set("rings/0/racks/0/second", 0), r"rings\..*pair"),
    ("pair of another topology", BLOCKS, _set("rings/0/racks/0/second", 7), r"rings\.|design"),
    ("block overloaded", BLOCKS, _pile_up, r"rings\..*block \d lost"),
    ("rings that nobody bought", BLOCKS, _one_ring_a_rack, r"rings\."),
    ("ring invented", BLOCKS, _set("rings/0/count", lambda v: v + 5), r"rings\."),
    ("stranded power hidden", BLOCKS, _set("figures/hall.stranded_failover_kw", 0.0), r"stranded_failover"),
    ("free power invented", PLAIN, _set("figures/hall.free_kw", lambda v: v + 1), r"free_kw"),
    ("installed power flattered", BLOCKS, _set("figures/hall.installed_kw", lambda v: v + 100), r"installed_kw"),
    ("used power understated", BLOCKS, _set("figures/hall.used_kw", lambda v: v - 1), r"used_kw"),
    ("derating hidden", PLAIN, _set("figures/hall.stranded_derating_kw", lambda v: v + 1), r"stranded_derating"),
    ("cooling blamed", PLAIN, _set("figures/hall.stranded_cooling_kw", lambda v: v + 1), r"stranded_cooling"),
    ("water denied", "thermal-weather", _set("figures/wue_l_per_kwh", lambda v: v / 2), r"wue_l_per_kwh"),
    ("coolers that draw nothing", "thermal-weather", _set("figures/part_load_power_kw", lambda v: v * 0.99), r"part_load_power"),
    ("effectiveness flattered", PLAIN, _set("figures/pue", 1.01), r"figures\.pue"),
    ("price lowered", PLAIN, _line("silicon", "unit_price_low", lambda v: v * 0.9), r"bom\..*unit_price_low"),
    ("quantity lowered", PLAIN, _line("network", "quantity", lambda v: v - 1), r"bom\..*quantity"),
    ("cost detached", PLAIN, _set("bom/0/cost_usd", lambda v: v - 1.0), r"bom\..*cost_usd"),
    ("vendor swapped", PLAIN, _line("silicon", "vendor", "another vendor"), r"bom\..*vendor"),
    ("source swapped", PLAIN, _line("silicon", "source", "a quote"), r"bom\..*source"),
    ("confidence raised", PLAIN, _line("rack", "confidence", "quote"), r"bom\..*confidence"),
    ("estimate denied", PLAIN, _line("silicon", "price_is_estimate", lambda v: not v), r"bom\..*price_is_estimate"),
    ("layer swapped", PLAIN, _line("rack", "layer", "silicon"), r"bom\."),
    ("line dropped", PLAIN, _drop_line("optics and cables"), r"bom\."),
    ("line doubled", PLAIN, lambda d: d["bom"].append(dict(d["bom"][1])), r"bom\."),
    ("id changed", PLAIN, _set("design_id", "0123456789ab"), r"design_id"),
    ("band narrowed", PLAIN, _set("figures/tco_usd_low", lambda v: v * 1.01), r"figures\.tco_usd_low"),
    ("carbon understated", PLAIN, _set("figures/carbon_t", lambda v: v * 0.999), r"figures\.carbon_t"),
    ("figure invented", PLAIN, _set("figures/happiness", 1.0), r"figures\.happiness"),
    ("limit shifted", PLAIN, _set("margins/0/limit", lambda v: v * 2), r"margins\..*limit"),
    ("use of a limit shifted", PLAIN, _set("margins/0/value", lambda v: v + 5), r"margins\..*value"),
    ("binding denied", PLAIN, _set("margins/0/binding", lambda v: not v), r"margins\..*binding"),
    ("margin dropped", PLAIN, lambda d: d["margins"].pop(), r"margins"),
    ("address of a limit swapped", PLAIN, _set("margins/0/source", "elsewhere.yaml:1"), r"margins\..*source"),
    ("choice misread", PLAIN, _set("choices/train.accelerators", lambda v: v + 8), r"choices\.train\.accelerators"),
    ("preliminary invented", PLAIN, _set("preliminary", ["dgx_h100"]), r"preliminary"),
    ("order dropped", ORDERS, lambda d: d["orders"].pop(), r"orders\."),
    ("order below need", ORDERS, _order("north", "units", lambda v: v - 1), r"orders\."),
    ("order below its minimum", ORDERS, _order("modules", "units", 1), r"orders\.modules\.units"),
    ("order cheaper", ORDERS, _order("north", "goods_usd", lambda v: v - 1.0), r"orders\.north\.goods_usd"),
    ("a better tier", ORDERS, _order("north", "tiers", lambda v: [[n, price - 1.0] for n, price in v]), r"orders\.north\.tiers"),
    ("one-off cost denied", ORDERS, _order("south", "one_off_usd", 0.0), r"orders\.south\.one_off_usd"),
    ("arrival brought forward", ORDERS, _order("north", "arrives", "2026-11-16"), r"orders\.north\.arrives"),
    ("another vendor's order", ORDERS, _order("north", "vendor", "Southern"), r"orders\.north\.vendor"),
    ("quote of nobody", ORDERS, _order("north", "quote", "west"), r"orders\.west"),
    ("validity stretched", ORDERS, _order("north", "valid_until", "2030-01-01"), r"valid_until"),
    ("bundle with more in it", ORDERS, _order("kit", "contents", {"qm9700": 9, "ups_1500k": 1}), r"kit\.contents"),
    ("order doubled", ORDERS, lambda d: d["orders"].append(dict(d["orders"][0])), r"orders"),
    ("quote called an estimate", ORDERS, _line("silicon", "price_is_estimate", True), r"bom\..*price_is_estimate"),
    ("cent lost", ORDERS, _set("spend/0/cents", lambda v: v - 1), r"spend\."),
    ("dollars moved between lines", ORDERS, _move_spend, r"spend\."),
    ("ledger line dropped", PLAIN, lambda d: d["spend"].pop(0), r"spend"),
    ("ledger line invented", PLAIN, lambda d: d["spend"].append(dict(d["spend"][0])), r"spend"),
    ("loan forgotten", ORDERS, _no_loan, r"spend"),
    ("carbon of a line denied", PLAIN, _spend("energy", "carbon_kg", 0.0), r"spend\..*carbon_kg"),
    ("financing understated", ORDERS, _set("figures/financing_usd", lambda v: v - 1e3), r"figures\.financing_usd"),
    ("residual value invented", ORDERS, _set("figures/residual_usd", lambda v: v * 2), r"figures\.residual_usd"),
    ("arrival earlier", "arrivals", _set("objectives/lead_time_days", lambda v: v - 1), r"objectives\.lead_time"),
    ("spend spread thinner", "vendors", _set("objectives/concentration_usd", lambda v: v - 1e3), r"objectives\.conc"),
    ("fewer sources counted", ORDERS, _margin("second_source", "value", 5.0), r"margins\.sourcing\.second_source"),
    ("share understated", ORDERS, _margin("share_at_most", "value", lambda v: v - 1), r"margins\.sourcing\.share"),
    ("rule without its spare", "ruled", _one_unit_less, r"plant\.|limit rules"),
    ("rule bent", "ruled", _margin("rules.few_racks", "limit", 99.0), r"margins\.rules\.few_racks"),
    ("several at once", PLAIN, _all(_set("pods/0/goodput", 1.0), _set("pods/0/it_w/0", 1.0)), r"goodput"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "mutate", "field"), [c[1:] for c in DESIGNS], ids=[c[0] for c in DESIGNS])
def test_a_corrupted_design_is_caught(
    tampered: Any, inputs: Any, monkeypatch: pytest.MonkeyPatch, name: str, mutate: Callable[[Data], None], field: str
) -> None:  # fmt: skip
    copy = tampered(name)
    monkeypatch.setattr(verify, "read_inputs", lambda _path: inputs(name))
    before, after = copy.change(mutate)
    report = verify.verify_run(copy.path)
    found = [f for f in report.findings if f.design in (before, after) and re.search(field, f.field)]
    assert found, f"not caught; other findings: {[str(f) for f in report.findings][:5]}"
    with pytest.raises(verify.RunMismatchError) as stop:
        report.require()
    assert stop.value.exit_code == 7
    assert found[0].as_dict().keys() == {"design", "field", "reported", "recomputed", "note"}


def test_every_case_is_another_one() -> None:
    assert len({case[0] for case in DESIGNS}) == len(DESIGNS) >= 25
