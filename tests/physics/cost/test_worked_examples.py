"""The worked examples of the documentation, recomputed: every figure of its tables, and no table without a computation."""

import functools
import re
from pathlib import Path

import numpy as np
import pytest

from models.physics import (
    cooling_plant,
    cost,
    finance,
    first_order,
    ledger,
    power,
    power_redundancy,
    power_supplies,
    thermal,
)
from models.physics.cooling_plant import Rejection, RejectionPlant
from models.physics.network import site_exchange
from models.physics.power import BreakerCode

DOCUMENT = Path(__file__).parents[3] / "docs" / "worked-examples.md"
ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| (-?[0-9.]+) \|", re.MULTILINE)
PRINTED = dict(ROW.findall(DOCUMENT.read_text(encoding="utf-8")))


def rack():
    limit = power.usable_current(60.0, BreakerCode.NEC, 0.95)
    capacity = power.feed_capacity(415.0, 60.0, BreakerCode.NEC, derating=0.95)
    before = power.feed_capacity(415.0, 60.0, BreakerCode.NEC)
    supplies = power_supplies.supply_capacity(power_supplies.parse_supply("6x3.3kW 4+2"))
    assert supplies.feed_lost_w is not None

    def lines(node, share):
        per_phase = np.full(3, 3 * node / 3) + np.array([950.0, 950.0, 0.0])
        return power.line_currents(share * per_phase, [0.0] * 3, 0.0, 415.0)

    both, uncapped, capped = lines(10_200.0, 0.5), lines(10_200.0, 1.0), lines(supplies.feed_lost_w, 1.0)
    assert capacity > 32_500  # the sum alone would let the uncapped rack through
    assert uncapped.max() > limit > capped.max()
    remedy = power_supplies.feed_loss_remedy(10_200.0, 9_000.0, supplies.feed_lost_w)
    assert int(remedy) == power_supplies.FeedLossRemedy.CAPPING
    by_phase = 3 * (float(limit) * 415 / np.sqrt(3) - 950) + 1_900
    by_supplies = 3 * supplies.feed_lost_w + 1_900
    charges, free = power_redundancy.stranded_power(before, [float(capacity), by_phase, by_supplies], by_supplies)
    assert free == 0
    return {
        "line_limit": limit,
        "feed_capacity": capacity,
        "feed_capacity_before_derating": before,
        "l1_both_feeds": both[0],
        "l1_uncapped": uncapped[0],
        "node_on_one_feed": supplies.feed_lost_w,
        "l1_capped": capped[0],
        "l3_capped": capped[2],
        "imbalance": power.phase_imbalance(capped),
        "stranded_by_derating": charges[0],
        "stranded_by_phase": charges[1],
        "stranded_by_supplies": charges[2],
    }


def cdu():
    split = thermal.split_heat(1.42e6, 0.86)
    flow = thermal.volume_flow(split.liquid, 10.0, thermal.Fluid.PG25)
    each = thermal.cdu_capacity_at(600e3, 5.0, 4.0)
    units = int(thermal.group_size(split.liquid, each, 1))
    limit = 900 * thermal.LITER_PER_MINUTE
    state = thermal.cdu_group(split.liquid, units, each, limit, 10.0, 2e5, out=[0, 1, 2], pump_efficiency=0.55)
    assert state.carries.tolist() == [True, True, False]
    supply = float(cooling_plant.facility_supply_limit(cooling_plant.class_supply_limit("S40"), 4.0))
    dry, adiabatic = RejectionPlant(Rejection.DRY, approach=8.0), RejectionPlant(Rejection.ADIABATIC, approach=8.0)
    tower = RejectionPlant(Rejection.TOWER, approach=6.0)
    assert cooling_plant.free_rejections(supply, 33.0, 22.0, [dry, adiabatic, tower]) == (adiabatic, tower)
    return {
        "liquid_heat": split.liquid,
        "air_heat": split.air,
        "flow": flow / thermal.LITER_PER_MINUTE,
        "unit_capacity": each,
        "units": units,
        "unit_flow_one_out": state.unit_flow[1] / thermal.LITER_PER_MINUTE,
        "pump_power": state.pump[1],
        "facility_supply": supply,
        "dry_supply": cooling_plant.coldest_supply(dry, 33.0, 22.0),
        "adiabatic_supply": cooling_plant.coldest_supply(adiabatic, 33.0, 22.0),
        "tower_supply": cooling_plant.coldest_supply(tower, 33.0, 22.0),
    }


def split():
    def step(accelerators, tokens):
        kept = first_order.communication_factor(accelerators, 400e12, 50e9, tokens, 8, 0.8)
        return tokens / float(first_order.training_rate(accelerators, 400e12, 8e9, kept))

    exchange = site_exchange.exchange_time(16e9, 2, [50e9], [0.02])
    large, small, even = step(256, 3e6), step(128, 1e6), step(128, 2e6)
    paces = [4e6 / (one + exchange / 4) for one in (large, small, even)]
    assert paces[0] < paces[1]
    goodput = paces[0] * (1 - 0.009 - 0.006)
    counted = paces[0] * 0.991 - paces[1] * 0.006
    assert counted < goodput
    return {
        "large_step": large,
        "small_step": small,
        "exchange": exchange,
        "large_pace": paces[0],
        "small_pace": paces[1],
        "even_pace": paces[2],
        "goodput": goodput,
        "counted": counted,
        "link": 20_000 * 12 * finance.annuity_factor(0.09, 5),
    }


def quote():
    breaks, prices = [1, 100, 500], [10_000.0, 9_000.0, 8_200.0]
    cheapest, bought = cost.cheapest_all_unit(460, breaks, prices)
    return {
        "all_unit": cost.all_unit_cost(460, breaks, prices),
        "cheapest": cheapest,
        "bought": bought,
        "incremental": cost.incremental_cost(460, breaks, prices),
    }


def five_years():
    terms = finance.FinanceTerms(5, 0.09, energy_growth=0.03, debt_share=0.6, debt_rate=0.07, debt_years=4)
    energy = float(finance.yearly_energy_cost(850e3, 0.0655 / 3.6e6, 1.12))
    owned = finance.ownership_cost(10e6, energy, 0.05, terms, residual=1e6)
    cash = finance.cash_schedule(10e6, energy, 0.05, terms, residual=1e6)
    lines = [owned.capex, owned.financing, owned.energy, owned.maintenance, -owned.residual]
    book = ledger.spend_ledger(["capex", "financing", "energy", "maintenance", "residual"], [float(v) for v in lines])
    assert book.cents == 1_327_976_800 == sum(line.cents for line in book.lines)
    capex, financing, power_bill, care, residual = (line.usd for line in book.lines)
    return {
        "energy_year_1": energy,
        "loan_payment": finance.yearly_payment(6e6, 0.07, 4),
        **{f"cash_year_{year}": amount for year, amount in enumerate(cash.sum(axis=0))},
        "pv_capex": capex,
        "pv_financing": financing,
        "pv_energy": power_bill,
        "pv_maintenance": care,
        "pv_residual": -residual,
        "total": book.cents / 100,
    }


@functools.cache
def computed():
    cases = (("rack", rack), ("cdu", cdu), ("split", split), ("quote", quote), ("ledger", five_years))
    return {f"{name}.{key}": float(value) for name, case in cases for key, value in case().items()}


def test_every_printed_figure_is_computed_and_the_other_way_round():
    assert len(PRINTED) == len(ROW.findall(DOCUMENT.read_text(encoding="utf-8")))
    assert sorted(PRINTED) == sorted(computed())


@pytest.mark.parametrize("key", sorted(PRINTED))
def test_figure_agrees_at_the_printed_precision(key):
    text = PRINTED[key]
    decimals = len(text.partition(".")[2])
    assert computed()[key] == pytest.approx(float(text), abs=0.5000001 * 10**-decimals)
