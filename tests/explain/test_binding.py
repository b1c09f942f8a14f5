"""What binds a design and what it leans on, against the figures of the design itself."""

from __future__ import annotations

from functools import cache

import pytest

from models.loading import load
from optimizer.explain.binding import explain_binding
from optimizer.frontier import Frontier
from optimizer.solve import solve


@cache
def _frontier(name: str) -> Frontier:
    return solve(load(name), ["tco", "throughput"], "exact")


@pytest.mark.parametrize("name", ["tiny/budget", "tiny/space", "tiny/two-clusters"])
def test_every_limit_is_listed_once_with_its_slack(name: str) -> None:
    instance = load(name)
    for design in _frontier(name).points:
        found = explain_binding(instance, design)
        assert sorted(x.row for x in found.limits) == sorted(m.row for m in design.margins)
        for limit in found.limits:
            assert limit.slack == (0.0 if limit.binds else pytest.approx(abs(limit.limit - limit.value)))
            assert limit.binds or limit.slack > 0
        flags = [limit.binds for limit in found.limits]
        assert flags == sorted(flags, reverse=True)


def test_who_decided_a_rule_and_why_stands_beside_it() -> None:
    instance = load("tiny/rules")
    for design in _frontier("tiny/rules").points:
        rules = [x for x in explain_binding(instance, design).limits if x.family == "rules"]
        assert rules
        for limit in rules:
            rule = instance.rules[limit.source.split(".")[1]]
            assert (limit.owner, limit.reason) == (rule.owner, rule.reason)
            assert limit.spoken_for == f"{rule.owner}: {rule.reason}"


@pytest.mark.parametrize("name", ["tiny/budget", "tiny/two-clusters"])
def test_shares_of_cost_and_power_are_whole(name: str) -> None:
    instance = load(name)
    for design in _frontier(name).points:
        found = explain_binding(instance, design)
        assert sum(x.cost_share for x in found.leanings) == pytest.approx(1.0)
        assert sum(x.power_share for x in found.leanings) == pytest.approx(1.0)
        bought = {line.part for line in design.bom}
        assert bought == {x.part for x in found.leanings if x.cost_share or not x.throughput_share}
        assert all(0 <= share <= 1 + 1e-12 for share in found.resting().values())


def test_an_estimate_is_weak_and_a_quote_is_not() -> None:
    instance = load("tiny/budget")
    design = _frontier("tiny/budget").points[0]
    found = {x.part: x for x in explain_binding(instance, design).leanings}
    for line in design.bom:
        if line.price_is_estimate:
            assert found[line.part].weak_cost
        elif line.confidence not in ("analyst-estimate", "unverified") and "price" not in line.unverified:
            assert not found[line.part].weak_cost


@pytest.mark.parametrize("confidence", ["quote", "analyst-estimate", "stated"])
@pytest.mark.parametrize("bundle", [False, True])
def test_what_is_quoted_rests_on_the_quote(confidence: str, bundle: bool) -> None:
    part = solve(load("tiny/performance"), ["tco"], "exact").points[0].pods[0].system
    what = {"parts": {part: 1, "eia48": 1}} if bundle else {"part": part}
    tiers = [{"at_least": 1, "price": "10 kUSD"}]
    quote = {**what, "vendor": "V", "tiers": tiers, "source": "a letter", "confidence": confidence}
    instance = load("tiny/performance", overrides={"quotes": {"q": quote}})
    design = solve(instance, ["tco"], "exact").points[0]
    assert [one.quote for one in design.orders][:1] == ["q"]
    name = "q" if bundle else part
    (found,) = [x for x in explain_binding(instance, design).leanings if x.part == name and x.cost_share]
    assert found.weak_cost is (confidence != "quote")
    assert "price" not in found.unverified
    assert sum(x.cost_share for x in explain_binding(instance, design).leanings) == pytest.approx(1.0)
