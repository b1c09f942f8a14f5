"""Sellers that only quotes name, and quotes by themselves: insisted on, and the factor on their prices at which they win."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from models.instance import Instance
from models.loading import load
from optimizer.explain.target import TargetKind
from optimizer.explain.why_not import Verdict, why_not
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.limit_rows import Steered
from optimizer.sensitivity.price_to_win import price_to_win


def _southern(factor: float) -> Instance:
    """The tiny case with the prices of one quote times a factor, so that no module keeps its vendor in business."""
    tiers = [
        {"at_least": 1, "price": f"{298e3 * factor:.2f} USD"},
        {"at_least": 11, "price": f"{240e3 * factor:.2f} USD"},
    ]
    quotes: dict[str, Any] = {
        "south": {"tiers": tiers, "one_off": f"{150e3 * factor:.2f} USD"},
        "modules": {"vendor": "Eastern"},
    }
    return load("tiny/sourcing", overrides={"quotes": quotes})


def _ordered(instance: Instance) -> int:
    design = Steered.of(instance).least(Effort(), {}).design
    return sum(order.units for order in design.orders if order.quote == "south")


def test_the_factor_on_one_quote_at_which_it_wins_holds_on_both_sides() -> None:
    found = price_to_win(_southern(1.0), "south")
    assert found.proven
    assert found.list_price == 1.0
    low, high = found.interval
    assert low is not None
    assert high is not None
    assert _ordered(_southern(low * 0.999)) > 0 == _ordered(_southern(high * 1.001))
    for step in found.staircase:
        if step.price_high is not None:
            assert _ordered(_southern((step.price_low + step.price_high) / 2)) == step.units


def test_a_seller_is_asked_about_as_anything_else_is() -> None:
    told = why_not(_southern(1.4), "Southern")
    assert told.kind == TargetKind.SELLER.value
    assert told.verdict is Verdict.DEARER
    assert told.insisted is not None
    assert any(order.vendor == "Southern" for order in told.insisted.orders)
    assert sum(line.cents for line in told.bridge) == round((told.price or 0.0) * 100)
    price = next(lever for lever in told.levers if lever.lever == "price")
    assert price.to is not None
    assert _ordered(_southern(1.4 * price.to * 0.999)) > 0 == _ordered(_southern(1.4 * price.to * 1.001))
    assert why_not(_southern(1.0), "seller:Southern").verdict is Verdict.CHOSEN


def test_a_quote_of_the_catalogue_is_a_target_until_it_expires(tmp_path: Path) -> None:
    rows = "id,vendor,parts,price,valid_until,source,confidence\n"
    rows += "dear,Northern,mi300x_8u,900 kUSD,2027-12,mail,quote\nlate,Northern,mi300x_8u,90 kUSD,2026-01,mail,quote\n"
    (tmp_path / "quotes.csv").write_text(rows)
    file = tmp_path / "mine.yaml"
    file.write_text(
        f"extends: tiny/performance\nname: mine\ncatalogues: [{tmp_path}]\nmoney: {{order_date: 2026-11-15}}\n"
    )
    instance = load(file)
    told = why_not(instance, "dear", levers=False)
    assert (told.kind, told.verdict) == ("quote", Verdict.DEARER)
    assert price_to_win(instance, "dear").interval[1] < 1  # type: ignore[operator]
    assert why_not(instance, "late").verdict is Verdict.NO_CANDIDATE
    assert any("valid until" in reason for reason in why_not(instance, "late").turned_down)
    with pytest.raises(UsageError, match="valid until"):
        price_to_win(instance, "late")
