"""Edits of an instance move its optima the way they must, whatever the numbers are: cheaper power costs no more, a tighter limit helps nobody.

Each line changes a field or two of a tiny instance and says how the best cost, throughput, power and so on may move by it.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from models.errors import InfeasibleError
from models.instance import Instance
from models.loading import load
from optimizer.solve import solve

BETTER, NO_WORSE, SAME, NO_BETTER, WORSE = "better", "no worse", "the same", "no better", "worse"


def _at(path: str, value: Any) -> dict[str, Any]:
    """The overrides that put a value at a dotted path."""
    *above, last = path.split(".")
    changed: dict[str, Any] = {last: value}
    for step in reversed(above):
        changed = {step: changed}
    return changed


def _both(*changes: dict[str, Any]) -> dict[str, Any]:
    """Several overrides as one."""
    merged: dict[str, Any] = {}
    for change in changes:
        for key, value in change.items():
            known = merged.get(key)
            merged[key] = _both(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


BASES: dict[str, tuple[str, dict[str, Any]]] = {
    "services": ("performance", {
        "workloads": {"train": {
            "spares": {"confidence": 0.99, "replacement": "3 days", "swap": "10 min"},
            "storage": {"write": ["10 GB/s", "40 GB/s"], "dataset": "200 TB", "nodes": ["weka_node"]},
            "networks": {"storage": {"speed": "200 Gbit/s", "ports_per_system": 2, "wasted_ports_at_most": 0.9}},
        }},
        "assumptions": {"accelerator_failure_rate": None, "node_failure_rate": None, "checkpoint_write": None},
    }),
    "fed": ("performance", {"sites": {"hall": {"rack_feed": {"voltage": "415 V", "breaker": "60 A", "code": "nec", "whips_per_feed": 2}}}}),
    "by mapping": ("performance", {
        "workloads": {"train": {"throughput": "mapping", "tokens": "4 Ttoken", "global_batch": "4.194304 Mtoken"}}, "assumptions": {"production_factor": 0.8},
    }),
}  # fmt: skip
"""Tiny instances with more stated, by name."""


@functools.lru_cache(4)
def _instance(name: str, change: str) -> Instance:
    file, base = BASES.get(name, (name, {}))
    return load(f"tiny/{file}", overrides=_both(base, json.loads(change)))


@functools.cache
def _best(name: str, change: str, objective: str) -> float | None:
    """The best value of an objective, so that less is better; None where there is no design."""
    try:
        (design,) = solve(_instance(name, change), [objective], "exact").points
    except InfeasibleError:
        return None
    (value,) = design.objectives.values()
    return -value if objective in ("throughput", "goodput", "availability") else value


def _moved(before: float | None, after: float | None) -> str:
    if before == after:
        return SAME
    if before is None or after is None:
        return BETTER if before is None else WORSE
    return BETTER if after < before else WORSE


ALLOWED = {
    BETTER: {BETTER},
    NO_WORSE: {BETTER, SAME},
    SAME: {SAME},
    NO_BETTER: {WORSE, SAME},
    WORSE: {WORSE},
}

TRAIN, HALL, MONEY, GIVEN = "workloads.train.", "sites.hall.", "money.", "assumptions."
SPACE = f"{TRAIN}design_space."
UPS = {"part": "ups_1500k", "redundancy": "n"}

CHANGES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    # site
    ("performance", _at(f"{HALL}electricity_price", "0.01 USD/kWh"), {"tco": BETTER, "throughput": SAME, "power": SAME}),
    ("performance", _at(f"{HALL}electricity_price", "0.30 USD/kWh"), {"tco": WORSE, "capex": SAME, "carbon": SAME}),
    ("performance", _at(f"{HALL}electricity", "ca_qc"), {"carbon": BETTER, "power": SAME, "throughput": SAME}),
    ("performance", _at(f"{HALL}grid_carbon", "0.9 kg/kWh"), {"carbon": WORSE, "tco": SAME}),
    ("performance", _at(f"{HALL}electricity_growth", 0.05), {"tco": WORSE, "capex": SAME}),
    ("performance", _at(f"{HALL}utility", "400 kW"), {"throughput": WORSE, "tco": NO_BETTER, "power": SAME}),
    ("performance", _at(f"{HALL}utility", "unlimited"), {"throughput": NO_WORSE, "tco": NO_WORSE}),
    ("performance", _both(_at(f"{HALL}utility", "500 kW"), _at(f"{HALL}utility_figure", "nameplate")), {"throughput": WORSE}),
    ("performance", _at(f"{HALL}rack_positions", 9), {"throughput": WORSE, "floor": SAME, "tco": NO_BETTER}),
    ("performance", _at(f"{HALL}air_per_rack", "30 kW"), {"floor": WORSE, "tco": NO_BETTER}),
    ("performance", _at(f"{HALL}air_per_rack", "unlimited"), {"floor": NO_WORSE, "tco": NO_WORSE}),
    ("performance", _at(f"{HALL}needed_by", "2023Q2"), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("performance", _at(f"{HALL}shell_cost", "9 USD/W"), {"tco": WORSE, "power": SAME, "throughput": SAME}),
    ("performance", _at(f"{HALL}rows.row_pitch", "9 m"), {"tco": NO_BETTER}),
    ("performance", _at(f"{HALL}clear_height", "2.5 m"), {"tco": SAME}),
    ("performance", _at(f"{HALL}power.ups.equipment", [{**UPS, "redundancy": "2n"}]), {"tco": WORSE, "throughput": SAME}),
    ("performance", _at(f"{HALL}power.ups.equipment", [{**UPS, "loading": 0.1}]), {"tco": WORSE, "throughput": SAME}),
    ("performance", _at(f"{HALL}power.ups.loss", 0.1), {"tco": WORSE, "power": WORSE, "throughput": NO_BETTER}),
    ("performance", _at(f"{HALL}power.second", {"equipment": [{"part": "ups_1500k", "redundancy": "2n"}]}), {"tco": SAME, "availability": NO_WORSE}),
    # workload and design space
    ("performance", _at(f"{TRAIN}deadline", "25 days"), {"tco": NO_BETTER, "throughput": SAME}),
    ("performance", _at(f"{TRAIN}deadline", "90 days"), {"tco": BETTER, "power": BETTER, "throughput": SAME}),
    ("performance", _at(f"{TRAIN}tokens", "3 Ttoken"), {"tco": BETTER, "throughput": SAME}),
    ("performance", _at(f"{TRAIN}global_batch", "8 Mtoken"), {"throughput": NO_WORSE}),
    ("performance", _at(f"{TRAIN}bisection_at_least", "300 Gbit/s"), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("performance", _at(f"{SPACE}systems", ["dgx_h100"]), {"tco": NO_BETTER, "power": NO_BETTER, "throughput": NO_BETTER}),
    ("performance", _at(f"{SPACE}systems", None), {"tco": NO_WORSE, "power": NO_WORSE, "throughput": NO_WORSE}),
    ("performance", _at(f"{SPACE}preliminary_parts", True), {"tco": SAME}),  # both systems ship
    ("performance", _at(f"{SPACE}frames", None), {"tco": NO_WORSE, "floor": NO_WORSE}),
    ("performance", _at(f"{SPACE}sizes.step", 64), {"tco": NO_WORSE, "power": NO_WORSE, "throughput": SAME}),
    ("performance", _at(f"{SPACE}sizes.largest", 256), {"throughput": WORSE, "tco": SAME}),
    ("performance", _at(f"{SPACE}fabric.oversubscription", [4]), {"tco": NO_BETTER, "throughput": WORSE}),
    ("performance", _at(f"{SPACE}fabric.oversubscription", [1, 2, 4, 8]), {"tco": NO_WORSE}),
    ("performance", _at(f"{SPACE}fabric.media", None), {"tco": NO_WORSE}),
    ("performance", _at(f"{SPACE}fabric.switches", None), {"tco": NO_WORSE, "power": NO_WORSE}),
    ("performance", _at(f"{SPACE}fabric.tiers", [1, 2, 3]), {"tco": NO_WORSE}),
    ("performance", _at(f"{SPACE}fabric.wasted_ports_at_most", 0.5), {"tco": NO_WORSE}),
    # money
    ("performance", _at(f"{MONEY}price_basis", "low"), {"tco": BETTER, "power": SAME}),
    ("performance", _at(f"{MONEY}price_basis", "high"), {"tco": WORSE, "throughput": SAME}),
    ("performance", _at(f"{MONEY}horizon", "7 years"), {"tco": WORSE, "capex": SAME}),
    ("performance", _at(f"{MONEY}freight", "5 %"), {"tco": WORSE, "capex": WORSE, "power": SAME}),
    ("performance", _at(f"{MONEY}duty", "5 %"), {"tco": WORSE, "power": SAME}),
    ("performance", _at(f"{MONEY}tax", "5 %"), {"tco": WORSE, "power": SAME}),
    ("performance", _at(f"{MONEY}energy_growth", "3 %"), {"tco": WORSE, "capex": SAME}),
    ("performance", _at(f"{MONEY}maintenance_growth", "3 %"), {"tco": WORSE, "capex": SAME}),
    ("performance", _at(f"{MONEY}residual_value", {"decline_per_year": "30 %"}), {"tco": BETTER, "capex": SAME}),
    ("performance", _at(f"{MONEY}financing", {"share": 0.5, "rate": "5 %"}), {"tco": BETTER, "capex": SAME}),  # below the 9 %
    ("performance", _at(f"{MONEY}financing", {"share": 0.5, "rate": "15 %"}), {"tco": WORSE, "capex": SAME}),
    # assumptions
    ("performance", _at(f"{GIVEN}discount_rate", "15 %"), {"tco": BETTER, "capex": SAME}),
    ("performance", _at(f"{GIVEN}maintenance_per_year", "8 %"), {"tco": WORSE, "capex": SAME}),
    ("performance", _at(f"{GIVEN}training_derating", 0.5), {"throughput": BETTER, "tco": NO_WORSE}),
    ("performance", _at(f"{GIVEN}exposed_communication", 1), {"throughput": WORSE, "tco": NO_BETTER}),
    ("performance", _at(f"{GIVEN}accelerator_failure_rate", "50000 FIT"), {"throughput": WORSE, "goodput": WORSE}),
    ("performance", _at(f"{GIVEN}node_failure_rate", "0 FIT"), {"throughput": BETTER, "goodput": BETTER}),
    ("performance", _at(f"{GIVEN}checkpoint_write", "5 min"), {"throughput": WORSE, "goodput": WORSE}),
    ("performance", _at(f"{GIVEN}restart", "1 h"), {"throughput": WORSE, "goodput": WORSE}),
    ("performance", _at(f"{GIVEN}detection", "10 min"), {"throughput": WORSE, "goodput": WORSE}),
    ("performance", _at(f"{GIVEN}design_power_share", 1), {"power": WORSE, "tco": NO_BETTER}),
    ("performance", _at(f"{GIVEN}embodied_carbon_per_accelerator", "4 t"), {"carbon": WORSE, "tco": SAME}),
    ("performance", _at(f"{GIVEN}reserved_rack_units", 20), {"floor": WORSE, "tco": NO_BETTER}),
    ("performance", _at(f"{GIVEN}rack_pdus_per_feed", 1), {"tco": NO_BETTER, "floor": NO_BETTER}),
    ("performance", _at(f"{GIVEN}cable_depth", "0.6 m"), {"tco": NO_BETTER}),
    # limits
    ("performance", _at("limits.capex", "12 MUSD"), {"tco": NO_BETTER, "throughput": WORSE}),
    ("performance", _at("limits.power", "400 kW"), {"throughput": WORSE, "power": SAME}),
    ("performance", _at("limits.throughput", "4 Mtoken/s"), {"throughput": SAME, "tco": WORSE, "power": WORSE}),
    ("performance", _at("limits.blast_radius", 8), {"tco": NO_BETTER}),
    ("performance", _at("limits.carbon", "5100 t"), {"tco": NO_BETTER, "throughput": WORSE}),
    # quotes
    ("performance", _at("quotes.q", {"part": "mi300x_8u", "vendor": "X", "price": "100 kUSD"}), {"tco": BETTER, "power": SAME}),
    ("performance", _at("quotes.q", {"part": "mi300x_8u", "vendor": "X", "price": "900 kUSD"}), {"tco": WORSE, "power": SAME}),
    ("sourcing", _at("quotes.north.minimum_order", 40), {"tco": WORSE}),
    ("sourcing", _at("quotes.south.one_off", "900 kUSD"), {"tco": WORSE}),
    ("sourcing", _at("quotes.modules.minimum_order", 5000), {"tco": WORSE}),
    ("sourcing", _at("quotes.modules.price", "300 EUR"), {"tco": NO_WORSE}),
    ("sourcing", _at("money.currencies.EUR.usd", 2.0), {"tco": NO_BETTER}),
    ("sourcing", _at("quotes.kit", None), {"tco": NO_BETTER}),
    ("sourcing", _at("quotes.third", {"part": "dgx_h100", "vendor": "Third", "price": "200 kUSD"}), {"tco": BETTER}),
    ("sourcing", _at("quotes.south.supply", {"2027Q1": 2}), {"tco": NO_BETTER}),
    ("sourcing", _at("sourcing.second_sources", None), {"tco": NO_WORSE}),
    ("sourcing", _at("sourcing.second_sources.servers.each_at_least", "45 %"), {"tco": NO_BETTER}),
    ("sourcing", _at("sourcing.shares.south.at_most", "30 %"), {"tco": NO_BETTER}),
    ("sourcing", _at("sourcing.shares", None), {"tco": NO_WORSE}),
    ("supply", _at("quotes.cheap.lead_time", "1 month"), {"tco": NO_WORSE, "lead_time": NO_WORSE}),
    ("supply", _at("quotes.fast.supply", {"2027Q1": 2}), {"tco": NO_BETTER}),
    ("supply", _at("sourcing.supply", None), {"tco": NO_WORSE, "throughput": NO_WORSE}),
    ("supply", _at("money.order_date", "2027-03-01"), {"tco": NO_BETTER}),
    # rules
    *((("rules", _at(f"rules.{name}", None), {"tco": NO_WORSE, "throughput": NO_WORSE})) for name in
      ("few_racks", "chat_after_train", "spare_ups", "nvidia", "one_seller", "feeders")),
    ("rules", _at("rules.few_racks.at_most", 10), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("rules", _at("rules.spare_ups.at_least", 9), {"tco": WORSE, "power": SAME}),
    ("rules", _at("rules.feeders.at_most", "150 kW"), {"throughput": NO_BETTER}),
    ("rules", _at("rules.none", {"forbid": {"vendor": "AMD", "layer": "silicon"}}), {"tco": NO_BETTER}),
    ("rules", _at("rules.must", {"require": {"vendor": "AMD", "layer": "silicon"}}), {"tco": NO_BETTER}),
    ("rules", _at("rules.pods", {"fix": 2, "of": {"measure": "pods", "cluster": "chat"}}), {"tco": NO_BETTER}),
    # sites and links
    ("two-sites", _at("sites.fjord", None), {"tco": NO_BETTER, "carbon": WORSE, "throughput": NO_BETTER}),
    ("two-sites", _at(f"{TRAIN}sites", ["fjord"]), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("two-sites", _at("sites.fjord.electricity_price", "1 USD/kWh"), {"tco": NO_BETTER, "carbon": SAME}),
    ("split-training", _at("links.waves", None), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("split-training", _both(_at("links.fibre.price", "90 kUSD/month"), _at("links.waves.price", "90 kUSD/month")), {"tco": WORSE, "throughput": SAME}),
    ("split-training", _both(_at("links.fibre.latency", "2 s"), _at("links.waves.latency", "2 s")), {"throughput": WORSE}),
    ("split-training", _at("links.waves.bandwidth", "6.4 Tbit/s"), {"throughput": BETTER, "tco": NO_WORSE}),
    ("split-training", _at(f"{TRAIN}split.parts", 8), {"throughput": NO_WORSE, "tco": NO_WORSE}),
    ("split-training", _at(f"{TRAIN}split.sync_every", 1), {"throughput": WORSE, "tco": NO_BETTER}),
    ("split-training", _at(f"{TRAIN}split.sync_every", 16), {"throughput": BETTER, "tco": NO_WORSE}),
    ("split-training", _at(f"{TRAIN}split.bytes_per_parameter", 4), {"throughput": WORSE}),
    ("split-training", _at(f"{TRAIN}split", None), {"tco": NO_BETTER, "throughput": WORSE}),
    # serving
    ("serving", _at("workloads.chat.rate", "900 ktoken/s"), {"tco": WORSE, "power": WORSE}),
    ("serving", _at("workloads.chat.pods_at_most", 2), {"throughput": WORSE, "tco": NO_BETTER}),
    ("serving", _at("workloads.chat.prompt", "8 ktoken"), {"throughput": NO_BETTER, "tco": NO_BETTER}),
    ("serving", _at("assumptions.serving_derating", 0.5), {"throughput": BETTER, "tco": BETTER}),
    ("serving-roles", _at("workloads.chat.ttft_at_most", "0.2 s"), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("serving-roles", _at("workloads.chat.tpot_at_most", "12 ms"), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("serving-roles", _both(_at("workloads.chat.ttft_at_most", None), _at("workloads.chat.tpot_at_most", None)), {"tco": NO_WORSE, "throughput": NO_WORSE}),
    ("serving-roles", _at("workloads.chat.roles", ["mixed"]), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("serving-roles", _at("workloads.chat.roles", ["prefill", "decode"]), {"tco": NO_BETTER, "throughput": NO_BETTER}),
    ("serving-roles", _at("workloads.chat.rate", "60 ktoken/s"), {"tco": NO_BETTER, "power": NO_BETTER}),
    ("serving-roles", _at("workloads.chat.answer", "2 ktoken"), {"throughput": BETTER}),  # output tokens: fewer prompts beside each
    ("two-clusters", _at("workloads.chat.rate", "300 ktoken/s"), {"throughput": NO_BETTER, "tco": NO_BETTER}),
    ("two-clusters", _at(f"{HALL}utility", "350 kW"), {"throughput": NO_BETTER, "tco": NO_BETTER}),
    ("two-clusters", _at("workloads.chat", None), {"tco": BETTER, "power": BETTER}),
    # spares, storage, networks, components
    ("services", _at(f"{TRAIN}spares.confidence", 0.999999), {"tco": WORSE}),
    ("services", _at(f"{TRAIN}spares.replacement", "60 days"), {"tco": WORSE}),
    ("services", _at(f"{TRAIN}spares.swap", "2 h"), {"goodput": WORSE, "throughput": WORSE}),
    ("services", _at(f"{TRAIN}spares", None), {"tco": BETTER}),
    ("services", _at(f"{TRAIN}storage.dataset", "9 PB"), {"tco": WORSE}),
    ("services", _at(f"{TRAIN}storage.lost", 9), {"tco": WORSE, "goodput": WORSE}),
    ("services", _at(f"{TRAIN}storage.write", ["10 GB/s", "40 GB/s", "160 GB/s"]), {"tco": SAME, "goodput": BETTER}),
    ("services", _at(f"{TRAIN}storage.write", ["160 GB/s"]), {"tco": WORSE, "goodput": BETTER}),
    ("services", _at(f"{TRAIN}storage.bytes_per_parameter", 28), {"goodput": WORSE}),
    ("services", _at(f"{TRAIN}networks.storage.ports_per_system", 8), {"tco": WORSE, "throughput": SAME}),
    ("services", _at(f"{TRAIN}networks", None), {"tco": BETTER, "throughput": NO_WORSE}),
    ("services", _at("components.accelerator", "gpu_h100_replace"), {"goodput": BETTER}),
    ("services", _at("components.software", []), {"goodput": BETTER}),
    ("services", _at("components.fans_per_node", 400), {"goodput": WORSE}),
    # feeds, blocks, weather
    ("fed", _at(f"{HALL}rack_feed.breaker", "30 A"), {"floor": NO_BETTER, "tco": NO_BETTER}),
    ("fed", _at(f"{HALL}rack_feed.breaker", "100 A"), {"floor": NO_WORSE}),
    ("fed", _at(f"{HALL}rack_feed.code", "iec"), {"floor": NO_WORSE, "tco": NO_WORSE}),
    ("fed", _at(f"{HALL}rack_feed.derating", 0.8), {"floor": NO_BETTER, "tco": NO_BETTER}),
    ("power-blocks", _at(f"{HALL}power.pairs", None), {"tco": NO_BETTER, "availability": NO_BETTER}),
    ("power-blocks", _at(f"{HALL}power.catcher", None), {"tco": NO_BETTER}),
    ("power-blocks", _at(f"{GIVEN}training_transient", 1), {"tco": NO_WORSE}),
    ("power-blocks", _at(f"{GIVEN}training_transient", 3), {"tco": NO_BETTER}),
    ("thermal-weather", _at(f"{HALL}weather.bins", [{"dry_bulb": "10 degC", "wet_bulb": "5 degC", "hours": 8760}]), {"tco": BETTER, "power": NO_WORSE}),
    ("thermal-weather", _at(f"{HALL}liquid.dry_s40", None), {"tco": NO_BETTER, "power": NO_BETTER}),
    ("thermal-weather", _at(f"{HALL}liquid.tower_s40", None), {"tco": NO_BETTER, "power": NO_BETTER}),
    ("thermal-liquid", _at(f"{HALL}liquid.large_cdu", None), {"tco": NO_BETTER}),
    ("thermal-liquid", _at(f"{HALL}liquid.small_cdus", None), {"tco": NO_BETTER}),
    # searched mappings
    ("by mapping", _at(f"{GIVEN}production_factor", 0.6), {"throughput": WORSE, "tco": NO_BETTER}),
    ("by mapping", _at(f"{TRAIN}dtype", "fp8"), {"throughput": BETTER}),
    ("by mapping", _both(_at(f"{TRAIN}model", "llama31_70b"), _at(f"{TRAIN}tokens", "0.5 Ttoken")), {"throughput": WORSE}),
    ("by mapping", _at(f"{TRAIN}global_batch", "16.777216 Mtoken"), {"throughput": NO_WORSE}),
    ("by mapping", _at(f"{SPACE}fabric.oversubscription", [8]), {"throughput": WORSE}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "expected"), CHANGES, ids=[f"{name}: {json.dumps(change)[:90]}" for name, change, _ in CHANGES]
)
def test_an_edit_moves_the_optimum_the_way_it_must(name: str, change: dict[str, Any], expected: dict[str, str]) -> None:
    for objective, words in expected.items():
        before = _best(name, "{}", objective)
        after = _best(name, json.dumps(change), objective)
        assert _moved(before, after) in ALLOWED[words], f"{objective} {before} -> {after}, expected {words}"
