"""Energy and maintenance that cost more each year: in the objective, in the ledger to the cent, and in the recomputation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.candidates.economics import SECONDS_PER_YEAR, economics_of
from models.instance import Instance
from models.loading import load
from optimizer.solve import solve
from optimizer.verify import verify_design


def _instance(money: dict[str, Any] | None = None, **hall: Any) -> Instance:
    return load("tiny/performance", overrides={"money": money or {}, "sites": {"hall": hall}})


def _years(first: float, growth: float, rate: float, years: int) -> float:
    return sum(first * (1 + growth) ** year / (1 + rate) ** (year + 1) for year in range(years))


@pytest.mark.parametrize("growth", [-0.05, 0.0, 0.03, 0.08])
def test_a_watt_and_a_dollar_of_upkeep_through_the_horizon(growth: float) -> None:
    base = _instance()
    instance = _instance({"energy_growth": growth, "maintenance_growth": 0.02, "horizon": "6 years"})
    rate, given = instance.assumptions.discount_rate.value, economics_of(instance, "hall")
    price = economics_of(base, "hall").energy_price
    assert given.energy_cost == pytest.approx(_years(price * SECONDS_PER_YEAR, growth, rate, 6))
    assert given.upkeep == pytest.approx(_years(instance.assumptions.maintenance_per_year.value, 0.02, rate, 6))


def test_a_site_has_its_own_growth() -> None:
    instance = _instance({"energy_growth": 0.03}, electricity_growth=0.0)
    assert economics_of(instance, "hall") == economics_of(_instance(), "hall")


def test_the_ledger_with_growing_costs_sums_to_the_cent_and_verifies() -> None:
    plain, grown = _instance(), _instance({"energy_growth": 0.04, "maintenance_growth": 0.02})
    before = {d.pods[0].pod_id: d for d in solve(plain, resolution="20%").points}
    seen = 0
    for design in solve(grown, resolution="20%").points:
        assert verify_design(grown, design) == []
        cents = sum(line.cents for line in design.spend)
        assert cents == round(design.objectives["tco_usd"] * 100)
        old = before.get(design.pods[0].pod_id)
        if old is None or old.plant != design.plant:
            continue
        seen += 1
        energy, flat = (next(line for line in d.spend if line.item == "energy") for d in (design, old))
        rate, years = grown.assumptions.discount_rate.value, round(grown.money.horizon / SECONDS_PER_YEAR)
        assert energy.cents / flat.cents == pytest.approx(_years(1, 0.04, rate, years) / _years(1, 0, rate, years))
        told = replace(design, spend=tuple(flat if line is energy else line for line in design.spend))
        assert verify_design(grown, told)
    assert seen
