"""Orders in the program: what they cost to the kUSD, when more is bought than is needed, and that pruning loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.candidates.offers import offers_of
from models.candidates.placement import enumerate_candidates
from models.formulation.build import build
from models.formulation.purchases import price_step
from models.loading import load
from models.physics.cost import PriceBasis
from optimizer.compile import compile_formulation
from optimizer.orders import order
from optimizer.solve import solve
from optimizer.verify import verify_design

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

ONE_SIZE = {
    "workloads": {
        "train": {
            "tokens": "4 Ttoken",
            "design_space": {
                "systems": ["dgx_h100"],
                "fabric": {"switches": ["qm9700"]},
                "sizes": {"smallest": 192, "largest": 192, "step": 64},
            },
        }
    }
}


@given(st.floats(0.01, 5e7))
def test_a_price_keeps_six_digits_or_its_cents(price: float) -> None:
    step = price_step(price)
    assert abs(round(price / step) * step - price) <= max(0.005, price * 5e-6) * 1.000001
    assert (1e3 / step).is_integer()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    price=st.integers(100_000_00, 400_000_00).map(lambda cents: cents / 100),
    rebate=st.floats(0.5, 0.99),
    start=st.integers(2, 40),
    kind=st.sampled_from(["all_unit", "incremental"]),
    once=st.integers(0, 10**8).map(lambda cents: cents / 100),
)
def test_what_is_paid_is_the_order_to_the_nearest_kusd(
    price: float, rebate: float, start: int, kind: str, once: float
) -> None:
    later = round(price * rebate, 2)
    quote = {
        "part": "dgx_h100", "vendor": "V", "tier_kind": kind, "one_off": f"{once} USD",
        "tiers": [{"at_least": 1, "price": f"{price} USD"}, {"at_least": start, "price": f"{later} USD"}],
    }  # fmt: skip
    inst = load("tiny/performance", overrides={**ONE_SIZE, "quotes": {"q": quote}})
    design = solve(inst, ["capex"], "exact").points[0]
    offer = offers_of(inst).by_name["q"]
    need = sum(line.quantity for line in design.bom if line.layer == "silicon")
    costs = {units: order(offer, units, inst).goods_usd for units in range(need, max(need, start) + 1)}
    # the cheapest number of units that covers the need, to the kUSD, and no other cost in the design rounds by more than that
    assert costs[design.orders[0].units] <= min(costs.values()) + 1e3
    assert abs(design.objectives["capex_usd"] - design.figures["capex_usd"]) <= 500 * (2 + len(design.plant))
    assert not verify_design(inst, design)


def test_five_hundred_are_bought_where_four_hundred_and_sixty_are_needed() -> None:
    """The worked example of the documents, as the program decides it."""
    tiers = [{"at_least": n, "price": f"{p} USD"} for n, p in ((1, 10000), (100, 9000), (500, 8200))]
    inst = load("tiny/performance", overrides={"quotes": {"q": {"part": "dgx_h100", "vendor": "V", "tiers": tiers}}})
    offer = offers_of(inst).by_name["q"]
    assert order(offer, 460, inst).goods_usd == 4_140_000
    assert order(offer, 500, inst).goods_usd == 4_100_000
    assert order(offer, 460, inst).tiers == ((460, 9000.0),)
    steps = {"part": "dgx_h100", "vendor": "V", "tiers": tiers, "tier_kind": "incremental"}
    stepped = load("tiny/performance", overrides={"quotes": {"q": steps}})
    one = order(offers_of(stepped).by_name["q"], 460, stepped)
    assert one.tiers == ((99, 10000.0), (361, 9000.0))
    assert one.goods_usd == sum(count * price for count, price in one.tiers)
    assert order(offers_of(stepped).by_name["q"], 501, stepped).tiers[-1] == (2, 8200.0)
    assert offer.prices(PriceBasis.MID) == (10000, 9000, 8200)
    small = [{"at_least": n, "price": f"{p} kUSD"} for n, p in ((1, 300), (30, 230))]
    few = load(
        "tiny/performance", overrides={**ONE_SIZE, "quotes": {"q": {"part": "dgx_h100", "vendor": "V", "tiers": small}}}
    )
    design = solve(few, ["tco"], "exact").points[0]
    assert [(one.units, one.goods_usd, one.tiers) for one in design.orders] == [(30, 30 * 230e3, ((30, 230e3),))]
    assert type(design).from_json(design.to_json()) == design
    surplus = [line for line in design.bom if line.layer == "surplus"]
    assert [(line.part, line.quantity, line.cost_usd) for line in surplus] == [("dgx_h100", 6, 6 * 230e3)]
    assert not any(line.price_is_estimate for line in design.bom if line.part == "dgx_h100")


def test_the_ledger_sums_to_the_objective_to_the_cent() -> None:
    money = {
        "freight": 0.013, "duty": 0.02, "tax": 0.07, "financing": {"share": "60 %", "rate": "7 %", "term": "4 years"},
        "residual_value": {"decline_per_year": "35 %", "at_least": "5 %"},
    }  # fmt: skip
    front = solve(load("tiny/sourcing", overrides={"money": money}), ["tco", "throughput"], "exact")
    for design in front.points:
        cents = {line.category: 0 for line in design.spend}
        for line in design.spend:
            cents[line.category] += line.cents
        assert sum(cents.values()) == round(design.objectives["tco_usd"] * 100)
        f = design.figures
        total = f["capex_usd"] + f["opex_usd"] + f["financing_usd"] - f["residual_usd"]
        assert f["tco_usd"] == pytest.approx(total, rel=1e-12)
        assert sum(cents.values()) - cents["rounding"] == pytest.approx(f["tco_usd"] * 100, abs=0.51)
        assert cents["residual"] == pytest.approx(-f["residual_usd"] * 100, abs=1)
        assert sum(line.carbon_kg for line in design.spend) / 1e3 == pytest.approx(f["carbon_t"], rel=1e-9)


@st.composite
def purchasing(draw: st.DrawFn) -> dict[str, Any]:
    """Random quotes for servers and modules, a share or a second source, and rules."""

    def quote(part: str, vendor: str, price: float) -> dict[str, Any]:
        tiers = [{"at_least": 1, "price": f"{price:.2f} USD"}]
        if draw(st.booleans()):
            tiers.append({"at_least": draw(st.integers(2, 30)), "price": f"{price * draw(st.floats(0.6, 1)):.2f} USD"})
        found: dict[str, Any] = {"part": part, "vendor": vendor, "tiers": tiers}
        found["tier_kind"] = draw(st.sampled_from(["all_unit", "incremental"]))
        found["minimum_order"] = draw(st.sampled_from([0, 0, 12]))
        found["one_off"] = f"{draw(st.sampled_from([0, 350_000]))} USD"
        return found

    quotes = {
        "v": quote("dgx_h100", "V", draw(st.floats(2.2e5, 3.4e5))),
        "w": quote("dgx_h100", "W", draw(st.floats(2.2e5, 3.4e5))),
    }
    if draw(st.booleans()):
        quotes["m"] = quote("sr4_400", "W", draw(st.floats(300, 1500)))
    change: dict[str, Any] = {"quotes": quotes}
    if draw(st.booleans()):
        change["sourcing"] = {
            "second_sources": {"s": {"part": "dgx_h100", "each_at_least": draw(st.sampled_from([0.2, 0.4]))}}
        }
    rules = {
        "cap": {"at_most": f"{draw(st.integers(1, 20))} MUSD", "of": {"measure": "spend", "vendor": "NVIDIA"}},
        "racks": {draw(st.sampled_from(["at_most", "at_least"])): draw(st.integers(3, 20)), "of": {"measure": "racks"}},
        "switches": {"at_least": draw(st.integers(3, 12)), "of": {"part": "qm9700"}},
        "imply": {
            "if": {"of": {"measure": "racks"}, "at_least": draw(st.integers(3, 12))},
            "then": {"of": {"part": "qm9700"}, "at_most": draw(st.integers(3, 12))},
        },
        "never": {"forbid": {"part": "rpdu_23k"}},
    }
    change["rules"] = {
        name: rules[name] for name in draw(st.lists(st.sampled_from(sorted(rules)), max_size=2, unique=True))
    }
    return change


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(
    change=purchasing(),
    objectives=st.sampled_from([("tco", "throughput"), ("capex", "power"), ("concentration", "tco")]),
)
def test_pruning_and_early_choices_lose_nothing(change: dict[str, Any], objectives: tuple[str, ...]) -> None:
    space = {
        "systems": ["dgx_h100", "mi300x_8u"],
        "fabric": {"switches": ["qm9700"]},
        "sizes": {"smallest": 128, "largest": 192, "step": 64},
    }
    inst = load(
        "tiny/performance", overrides={"workloads": {"train": {"tokens": "4 Ttoken", "design_space": space}}, **change}
    )
    found = enumerate_candidates(inst)
    expected = nondominated(values(inst, legal_designs(inst, found), objectives))
    if build(inst, objectives, candidates=found).hopeless:
        assert not expected
        return
    assert points(frontier(inst, found, objectives)) == expected
    assert points(frontier(inst, found, objectives, pruned=False)) == expected


def test_objectives_stay_whole_and_coefficients_close_together() -> None:
    model = compile_formulation(build(load("mixed-100mw"), ["tco", "throughput", "power"]))
    assert all(step is not None for step in model.steps)
    rows = model.matrix.tocsr()
    for number, name in enumerate(model.row_keys):
        if name.startswith(("sourcing.", "supply.")):
            data = np.abs(rows.data[rows.indptr[number] : rows.indptr[number + 1]])
            assert data.max() / data.min() < 1e6, name
