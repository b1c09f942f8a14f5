"""Bridges between designs sum to the difference of their totals to the cent, with quotes, tiers, bundles and charges."""

from __future__ import annotations

import dataclasses
from itertools import permutations
from typing import Any

import pytest

from models.loading import load
from optimizer.explain.bridge import TIERS, bridge, money_lines
from optimizer.explain.why_not import Verdict, why_not
from optimizer.solve import solve

CHARGED: dict[str, Any] = {"money": {"freight": "3.7 %", "duty": "2 %"}}
CHANGES: list[dict[str, Any]] = [
    {},
    CHARGED,
    {"quotes": {"north": {"tiers": [{"at_least": 1, "price": "299999.99 USD"}, {"at_least": 9, "price": "250001.01 USD"},
                                    {"at_least": 15, "price": "249000.37 USD"}]}}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_two_designs_of_a_quoted_case(change: dict[str, Any]) -> None:
    inst = load("tiny/sourcing", overrides=change)
    designs = solve(inst, ["tco", "power"], "exact").points
    assert designs
    best = {name: min(t.price.high if hasattr(t.price, "high") else t.price for t in quote.tiers)
            for name, quote in inst.quotes.items() if quote.tiers}  # fmt: skip
    for design in designs:
        lines = money_lines(inst, design)
        assert round(sum(round(usd * 100) for usd in lines.values())) == round(design.figures["tco_usd"] * 100)
        premium = sum(o.goods_usd - o.units * best[o.quote] for o in design.orders if o.quote in best)
        assert lines.get(TIERS, 0.0) == pytest.approx(premium, abs=0.02)
        assert ("freight, duty, tax" in lines) is bool(change == CHARGED)
    for one, other in permutations(designs, 2):
        cents = sum(line.cents for line in bridge(inst, one, other))
        assert cents == round(other.figures["tco_usd"] * 100) - round(one.figures["tco_usd"] * 100)


@pytest.mark.parametrize("change", CHANGES[:2])
def test_insisting_among_quotes_costs_what_the_bridge_says(change: dict[str, Any]) -> None:
    found = why_not(load("tiny/sourcing", overrides=change), "dgx_h200", levers=False)
    assert found.verdict is Verdict.DEARER
    assert found.best is not None
    assert found.insisted is not None
    difference = round(found.insisted.figures["tco_usd"] * 100) - round(found.best.figures["tco_usd"] * 100)
    assert sum(line.cents for line in found.bridge) == difference == round((found.price or 0.0) * 100)
    told = {line.label: line.cents for line in found.bridge}
    assert told[TIERS] < 0  # none is bought from the quotes that have tiers


def test_cents_that_rounding_sets_apart_are_in_some_line() -> None:
    inst = load("tiny/sourcing")
    one = solve(inst, ["tco"], "exact").points[0]
    for cents in (-2, 1, 2):
        figures = {**one.figures, "tco_usd": one.figures["tco_usd"] + cents / 100}
        apart = dataclasses.replace(one, figures=figures)
        difference = round(figures["tco_usd"] * 100) - round(one.figures["tco_usd"] * 100)
        assert sum(line.cents for line in bridge(inst, one, apart)) == difference
