"""Everything a purchase may be subject to at once, at random: frontiers against trying everything, and ledgers to the cent."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.formulation.build import build
from models.instance import Instance
from models.loading import load
from optimizer.compile import compile_formulation
from optimizer.extract import design_of
from optimizer.pareto import RunLimits, solve
from optimizer.verification.designs import check_design
from optimizer.verification.plant import Plant

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

SPACE = {
    "systems": ["dgx_h100", "mi300x_8u"],
    "fabric": {"switches": ["qm9700"], "oversubscription": [1]},
    "sizes": {"smallest": 64, "largest": 128, "step": 64},
}
OBJECTIVES = [("tco", "throughput"), ("capex", "lead_time"), ("concentration", "tco"), ("lead_time", "throughput")]


@st.composite
def quote(draw: st.DrawFn, price: float, few: int, **contents: Any) -> dict[str, Any]:
    """A quote with every term drawn: tiers of either kind, a minimum, a one-off cost, validity, lead time and supply."""
    price *= draw(st.floats(0.7, 1.2))
    tiers = [{"at_least": 1, "price": f"{price:.2f} USD"}]
    for start in sorted(draw(st.sets(st.integers(2, few), max_size=2))):
        price *= draw(st.floats(0.75, 1))
        tiers.append({"at_least": start, "price": f"{price:.2f} USD"})
    found: dict[str, Any] = {
        **contents,
        "vendor": draw(st.sampled_from(["V", "W"])),
        "tiers": tiers,
        "tier_kind": draw(st.sampled_from(["all_unit", "incremental"])),
        "minimum_order": draw(st.sampled_from([0, 0, few // 2])),
        "one_off": f"{draw(st.sampled_from([0, 99_999.99]))} USD",
        "valid_until": draw(st.sampled_from(["2026-12-31", "2027-06"])),
    }
    if draw(st.booleans()):
        found["lead_time"] = draw(st.sampled_from(["30 days", "100 days", "200 days"]))
        if draw(st.booleans()):
            found["supply"] = {"2026Q4": draw(st.integers(0, few)), "2027Q1": draw(st.integers(0, few))}
            found["supply_continues"] = draw(st.booleans())
    return found


@st.composite
def purchases(draw: st.DrawFn) -> dict[str, Any]:
    """Servers from two offers, modules, a bundle of servers or switches; a share by layer, a second source, a supply cap, charges."""
    quotes = {
        "one": {**draw(quote(2.9e5, 14, part="dgx_h100")), "vendor": "V"},
        "two": {**draw(quote(2.9e5, 14, part="dgx_h100")), "vendor": "W"},
    }
    if draw(st.booleans()):
        quotes["modules"] = draw(quote(700.0, 90, part="sr4_400"))
    if draw(st.booleans()):
        quotes["switches"] = draw(quote(3.5e4, 5, part="qm9700"))
        quotes["kit"] = draw(quote(1.4e5, 2, parts={"qm9700": 3, "ups_1500k": 1}))
    sourcing: dict[str, Any] = {}
    if draw(st.booleans()):
        sourcing["second_sources"] = {"s": {"part": "dgx_h100", "each_at_least": draw(st.sampled_from([0.25, 0.5]))}}
    if draw(st.booleans()):
        cap = {"layer": "odm", "vendor": draw(st.sampled_from(["V", "W"])), "measure": "units", "at_most": 0.7}
        sourcing["shares"] = {"c": cap}
    if draw(st.booleans()):
        sourcing["supply"] = {"others": {"part": "mi300x_8u", "per_quarter": {"2027Q1": draw(st.integers(0, 20))}}}
    money: dict[str, Any] = {"order_date": "2026-11-15"}
    if draw(st.booleans()):
        money |= {"freight": 0.013, "duty": 0.02, "tax": 0.07}
    return {"quotes": quotes, "sourcing": sourcing, "money": money}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(change=purchases(), objectives=st.sampled_from(OBJECTIVES))
def test_orders_under_every_term_at_once(change: dict[str, Any], objectives: tuple[str, ...]) -> None:
    train = {"tokens": "1 Ttoken", "design_space": SPACE}
    inst = load("tiny/performance", overrides={"workloads": {"train": train}, **change})
    found = enumerate_candidates(inst)
    expected = nondominated(values(inst, legal_designs(inst, found), objectives))
    formulation = build(inst, objectives, candidates=found)
    if formulation.hopeless:
        assert not expected
        return
    assert points(frontier(inst, found, objectives)) == expected
    held(inst)


EUR = {"usd": 1.09, "date": "2026-11-02", "source": "planning rate"}
TWO_SIZES = {
    "systems": ["dgx_h100"],
    "fabric": {"oversubscription": [1]},
    "sizes": {"smallest": 64, "largest": 128, "step": 64},
}
HALLS = [("tco", "throughput"), ("capex", "lead_time"), ("concentration", "tco")]


@st.composite
def abroad(draw: st.DrawFn) -> dict[str, Any]:
    """Two sites needed at other dates, spare servers, two currencies; servers of two vendors and what the catalogue's estimates do not sell."""
    money: dict[str, Any] = {"order_date": "2026-11-15", "currencies": {"EUR": EUR}}
    quotes = {}
    for name, vendor in (("one", "V"), ("two", "W")):
        found = {**draw(quote(2.9e5, 20, part="dgx_h100")), "vendor": vendor}
        if draw(st.booleans()):
            found["tiers"] = [{**tier, "price": tier["price"].replace("USD", "EUR")} for tier in found["tiers"]]
            found["one_off"] = "50 kEUR"
        quotes[name] = found
    sourcing: dict[str, Any] = {}
    share = draw(st.sampled_from([None, {"at_most": 0.7}, {"at_least": 0.3}, {"at_least": 0.2, "at_most": 0.5}]))
    if share is not None:
        sourcing["shares"] = {
            "c": {"layer": "odm", "vendor": draw(st.sampled_from(["V", "W"])), "measure": "units", **share}
        }
    train: dict[str, Any] = {"tokens": "1 Ttoken", "design_space": TWO_SIZES}
    if draw(st.booleans()):
        train["spares"] = {"confidence": 0.9, "replacement": draw(st.sampled_from(["1 days", "60 days"]))}
    due = {
        "hall": {"needed_by": "2027Q1"},
        "fjord": {"needed_by": draw(st.sampled_from(["2026Q4", "2027Q1", "2027Q3"]))},
    }
    return {"quotes": quotes, "sourcing": sourcing, "money": money, "sites": due, "workloads": {"train": train}}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(change=abroad(), objectives=st.sampled_from(HALLS))
def test_orders_for_two_sites_in_two_currencies_with_spares(
    change: dict[str, Any], objectives: tuple[str, ...]
) -> None:
    inst = load("tiny/two-sites", overrides=change)
    found = enumerate_candidates(inst)
    expected = nondominated(values(inst, legal_designs(inst, found), objectives))
    if build(inst, objectives, candidates=found).hopeless:
        assert not expected
        return
    assert points(frontier(inst, found, objectives)) == expected
    held(inst)


def held(inst: Instance) -> None:
    """Designs of the frontier of cost and throughput verify, and their ledgers sum to the cent."""
    formulation = build(inst, ["tco", "throughput"])
    model = compile_formulation(formulation)
    plant = Plant(inst)
    for x in solve(model, limits=RunLimits(solves=60)).solutions:
        design = design_of(formulation, model, x)
        assert not check_design(inst, design, plant).findings
        assert sum(line.cents for line in design.spend) == round(design.objectives["tco_usd"] * 100)
