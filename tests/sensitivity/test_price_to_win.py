"""Prices to win are what trying every design gives, at any requirement, with a staircase that no price contradicts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.instance import Instance
from models.loading import load
from optimizer.sensitivity.parametric import Probe
from optimizer.sensitivity.part_field import part_of
from optimizer.sensitivity.part_program import PartProgram, Requirement, with_at_least
from optimizer.sensitivity.price_to_win import NO_DESIGN, PriceToWin, price_to_win
from optimizer.sensitivity.program import Answer, Effort
from optimizer.sensitivity.repricing import candidates_at_any_price, find_part, list_price
from optimizer.solve import solve
from tests.formulation.test_pruning_keeps_frontiers import changes
from tests.sensitivity.brute_money import Known, cheapest, known_designs, price_to_enter

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
# an example costs too much to try hundreds of variants of it

PARTS = {
    "train": ("dgx_h100", "mi300x_8u", "qm9700", "ups_1500k", "eia48", "sr8_800", "crah_fanwall"),
    "chat": ("dgx_h100", "mi300x_8u", "qm9700", "ups_1500k"),
}


def everything(inst: Instance, part: str) -> tuple[tuple[Any, Any], list[Known]]:
    stated = candidates_at_any_price(inst, find_part(inst, part))
    listed = list_price(find_part(inst, part), inst.money.price_basis)
    return stated, known_designs(stated[0], stated[1], part, listed or 0.0)


def holds(interval: tuple[float | None, float | None], truth: float) -> bool:
    low, high = interval
    room = 1e-6 * max(1.0, abs(truth))
    return (low is None or low <= truth + room) and (high is None or truth <= high + room)


def agrees(inst: Instance, result: PriceToWin, designs: list[Known], price: float) -> None:
    """The step at a price sells what some cheapest design buys."""
    step = next(s for s in result.staircase if s.price_low <= price and (s.price_high is None or price <= s.price_high))
    assert step.units in {d.units for d in cheapest(inst, designs, price)}, (price, step)


def check(inst: Instance, part: str, volume: int | None = None, wanted: Requirement | None = None) -> None:
    found, designs = everything(inst, part)
    for name, value in (wanted or Requirement()).values.items():
        keep = (lambda d, v=value: d.throughput >= v) if name == "throughput" else (lambda d, v=value: d.power <= v)
        designs = [d for d in designs if keep(d)]
    result = price_to_win(inst, part, volume=volume, requirement=wanted, candidates=found)
    assert result.proven
    open_to = [d for d in designs if d.affordable(inst, 0.0)]
    if not open_to:
        assert result.interval == (None, None)
        return
    if any(inst.limits.model_dump()[c] for c in ("capex", "opex", "tco")):
        prices = [s.price_high for s in result.staircase if s.price_high is not None]
        for price in [0.0, *(p * f for p in prices for f in (0.97, 0.9999, 1.0001, 1.03)), 3e5]:
            if result.staircase and any(d.affordable(inst, price) for d in designs):
                agrees(inst, result, designs, price)
        return
    truth = price_to_enter(designs, volume or 1)
    if truth is None:
        assert result.interval == (None, None)
        assert result.reason
        return
    if math.isinf(truth):
        assert result.interval[1] is None
    else:
        assert holds(result.interval, truth), (result.interval, truth)
        low, high = result.interval
        assert low is not None
        assert high is not None
        assert high - low <= 0.001 * max(abs(truth), 100.0)
    steps = result.staircase
    assert steps[0].price_low == 0
    assert [s.units for s in steps] == sorted((s.units for s in steps), reverse=True)
    assert result.solves <= 2 * (len(steps) - 1) + 3 or truth < 0
    for step in steps:
        for price in (step.price_low, step.price_high or 2 * step.price_low + 1.0):
            agrees(inst, result, designs, price)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(change=changes("train"), part=st.sampled_from(PARTS["train"]), volume=st.sampled_from([None, None, 4, 30]))
def test_one_training_cluster(change: dict[str, Any], part: str, volume: int | None) -> None:
    inst = load("tiny/performance", overrides=change)
    try:
        check(inst, part, volume)
    except InfeasibleError:
        assert not any(len(p) for p in everything(inst, part)[0][1].placements)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(change=changes("chat"), part=st.sampled_from(PARTS["chat"]))
def test_one_serving_cluster(change: dict[str, Any], part: str) -> None:
    inst = load("tiny/serving", overrides=change)
    try:
        check(inst, part)
    except InfeasibleError:
        assert not any(len(p) for p in everything(inst, part)[0][1].placements)


@pytest.mark.parametrize("part", ["dgx_h100", "qm9700", "ups_1500k"])
def test_clusters_that_share_a_plant(part: str) -> None:
    check(load("tiny/two-clusters"), part)


@pytest.mark.parametrize(
    ("name", "part"),
    [("two-sites", "dgx_h100"), ("two-sites", "qm9700"), ("two-sites", "ups_1500k"), ("twin-sites", "dgx_h100")],
)
def test_clusters_that_may_stand_at_several_sites(name: str, part: str) -> None:
    check(load(f"tiny/{name}"), part)


@pytest.mark.parametrize("part", ["dgx_h200", "mi300x_8u", "mi325x_8u", "qm9700"])
def test_under_ceilings_on_money(part: str) -> None:
    check(load("tiny/budget"), part)


@pytest.mark.parametrize("part", ["dgx_h100", "mi300x_8u", "qm9700"])
def test_at_a_requirement(part: str) -> None:
    inst = load("tiny/performance")
    _, designs = everything(inst, part)
    for level in sorted({d.throughput for d in designs})[:: max(1, len(designs) // 5)]:
        check(inst, part, wanted=Requirement({"throughput": float(level)}))
    strongest = min(d.power for d in designs)
    check(inst, part, wanted=Requirement({"power": float(strongest) * 1.2}))


def test_a_wider_gap_never_gives_a_narrower_interval() -> None:
    inst = load("tiny/performance")
    _, designs = everything(inst, "qm9700")
    truth = price_to_enter(designs)
    assert truth is not None
    width = math.inf
    for gap in (0.5, 0.25, 0.125, 0.05, 0.0):
        low, high = price_to_win(inst, "qm9700", gap=gap).interval
        assert low is not None
        assert high is not None
        assert holds((low, high), truth)
        assert high - low <= width
        width = high - low


def test_stopped_at_once_it_claims_nothing() -> None:
    result = price_to_win(load("tiny/performance"), "qm9700", time_limit=1e-6)
    assert not result.proven
    truth = price_to_enter(everything(load("tiny/performance"), "qm9700")[1])
    assert truth is not None
    assert holds(result.interval, truth)


def test_an_impossible_requirement_is_said() -> None:
    result = price_to_win(load("tiny/performance"), "qm9700", requirement=Requirement({"throughput": 1e12}))
    assert result.reason == NO_DESIGN


def test_a_part_outside_the_design_space_keeps_its_reason() -> None:
    result = price_to_win(load("tiny/performance"), "gb200_nvl72")
    assert result.interval == (None, None)
    assert "design_space" in result.reason


def scaled_quotes(inst: Instance, part: str, factor: float) -> Instance:
    """The instance with every price of the quotes that contain a part multiplied."""
    quotes = {}
    for name, quote in inst.document.quotes.items():
        contents = quote.parts if quote.parts else {quote.part: 1}
        changes: dict[str, Any] = {}
        if part in contents:
            if quote.price is not None:
                changes["price"] = quote.price * factor
            if quote.tiers:
                changes["tiers"] = tuple(t.model_copy(update={"price": t.price * factor}) for t in quote.tiers)
            if quote.one_off:
                changes["one_off"] = quote.one_off * factor
        quotes[name] = quote.model_copy(update=changes)
    return replace(inst, document=inst.document.model_copy(update={"quotes": quotes}))


def least_tco(inst: Instance) -> tuple[float, float]:
    """Least tco [kUSD] with and without servers of the quoted part, by the program itself."""
    result = solve(inst, ["tco"], "exact")
    (design,) = result.points
    return design.objectives["tco_usd"], sum(line.quantity for line in design.bom if line.part == "dgx_h100")


def test_a_quoted_part_has_a_factor_on_its_quotes() -> None:
    inst = load("tiny/sourcing")
    result = price_to_win(inst, "dgx_h100")
    assert result.unit == "times list price"
    assert result.list_price == 1.0
    low, high = result.interval
    assert low is not None
    assert high is not None
    assert least_tco(scaled_quotes(inst, "dgx_h100", low * 0.995))[1] > 0
    assert least_tco(scaled_quotes(inst, "dgx_h100", high * 1.005))[1] == 0


def test_a_bundle_of_parts_has_one_factor() -> None:
    inst = load("tiny/performance")
    both = price_to_win(inst, "dgx_h100,sn5600")
    assert both.unit == "times list price"
    alone = {part: price_to_win(inst, part) for part in ("dgx_h100", "sn5600")}
    factors = [r.interval[0] / r.list_price for r in alone.values() if r.interval[0] is not None and r.list_price]
    assert both.interval[0] is not None
    assert both.interval[0] >= max(factors) - 1e-6


def test_a_volume_is_bought_in_the_cheapest_way_that_buys_it() -> None:
    """Designs with the part are told from those without it, and volumes from one another, at a price from zero up."""
    inst = load("tiny/performance")
    found = enumerate_candidates(inst)
    price = list_price(part_of(inst, "dgx_h100"), inst.money.price_basis) or 0.0
    designs = known_designs(inst, found, "dgx_h100", price)
    for volume in (1, 20, 30):
        program = PartProgram.of(inst, "dgx_h100", found=(inst, found), volume=float(volume))
        for at in (0.0, price / 2, price):
            probe = program.probe(at, Effort(), with_at_least((), float(volume)))
            best = min((d.cost(at) for d in designs if d.units >= volume), default=None)
            if best is None:
                assert isinstance(probe, Answer)
                assert probe.infeasible
            else:
                assert isinstance(probe, Probe)
                assert probe.line.at(at) == pytest.approx(best, abs=1.0)


def test_what_is_surplus_is_not_bought_for_the_cents_its_price_was_rounded_by() -> None:
    plant = {
        "ups": {"equipment": [{"part": "ups_1500k", "redundancy": "2n", "loading": 0.0123}]},
        "other": {"equipment": [{"part": "xfmr_3000", "redundancy": "n+1", "loading": 0.0123}]},
    }
    space = {"sizes": {"smallest": 24, "largest": 24, "step": 24}}
    change = {
        "workloads": {"chat": {"design_space": space, "pods_at_most": 3, "rate": "25 ktoken/s"}},
        "sites": {"hall": {"utility": "187 kW", "utility_figure": "design", "rack_positions": 14, "power": plant}},
        "limits": {"capex": "17 MUSD", "goodput": 0.9918, "power": "600 kW", "floor": 12},
    }
    result = price_to_win(load("tiny/serving", overrides=change), "ups_1500k")
    assert [step.units for step in result.staircase] == [6, 0]
