"""The value of a limit is what trying every design gives with the limit at its next looser and next tighter value."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError, UsageError
from models.loading import load
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.limit_rows import Steered
from optimizer.sensitivity.limits_section import limits_data, limits_markdown
from optimizer.sensitivity.value_of_limits import LimitValue, value_of_limits
from tests.formulation.brute_force import legal_designs, value
from tests.formulation.test_pruning_keeps_frontiers import changes

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
# an example costs too much to try hundreds of variants of it

UNITS = {"kW": "kW", "kUSD": "kUSD", "t": "t", "racks": None}
CHECKED = (
    "sites.hall.utility",
    "sites.hall.rack_positions",
    "limits.capex",
    "limits.carbon",
    "limits.floor",
    "limits.power",
)


def best(name: str, change: dict[str, Any]) -> int | None:
    """Least tco [kUSD] by trying everything; None where nothing is legal."""
    inst = load(name, overrides=change)
    return min((value(inst, c, p, "tco") for c, p in legal_designs(inst, enumerate_candidates(inst))), default=None)


def at(change: dict[str, Any], limit: LimitValue, amount: float | None) -> dict[str, Any]:
    """The change with one limit at another value in its row's unit; None lifts it."""
    made = copy.deepcopy(change)
    *path, last = limit.source.split(".")
    node = made
    for step in path:
        node = node.setdefault(step, {})
    unit = UNITS[limit.unit]
    if amount is None:
        node[last] = "unlimited" if limit.source.startswith("sites") else None
    else:
        node[last] = int(amount) if unit is None else f"{amount:.0f} {unit}"
    return made


def check(name: str, change: dict[str, Any]) -> None:
    truth = best(name, change)
    if truth is None:
        with pytest.raises(InfeasibleError):
            value_of_limits(load(name, overrides=change), pairs=False)
        return
    result = value_of_limits(load(name, overrides=change), pairs=False)
    assert result.proven
    assert round(result.best / 1e3) == truth
    for limit in result.limits:
        if limit.source not in CHECKED:
            continue
        looser = limit.looser.value
        unlimited = best(name, at(change, limit, None))
        assert unlimited is not None
        assert round((limit.lifted.objective or 0) / 1e3) == unlimited
        if looser is None:
            assert unlimited == truth
        else:
            assert best(name, at(change, limit, looser - 1)) == truth
            assert best(name, at(change, limit, looser)) == round((limit.looser.objective or 0) / 1e3) < truth
        tighter = limit.tighter.value
        assert tighter is not None
        assert best(name, at(change, limit, tighter + 1)) == truth
        after = None if limit.tighter.objective is None else round(limit.tighter.objective / 1e3)
        assert best(name, at(change, limit, tighter)) == after
        assert after is None or after > truth


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(change=changes("train"))
def test_one_training_cluster(change: dict[str, Any]) -> None:
    try:
        check("tiny/performance", change)
    except InfeasibleError:
        assert best("tiny/performance", change) is None


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(utility=st.integers(180, 500), positions=st.integers(5, 12))
def test_clusters_that_share_a_site(utility: int, positions: int) -> None:
    check("tiny/two-clusters", {"sites": {"hall": {"utility": f"{utility} kW", "rack_positions": positions}}})


def test_pairs_say_what_limits_give_only_together() -> None:
    change = {"sites": {"hall": {"utility": "230 kW", "rack_positions": 7}}}
    inst = load("tiny/two-clusters", overrides=change)
    result = value_of_limits(inst)
    by_name = {v.limit: v for v in result.limits}
    sources = {v.limit: v.source for v in result.limits}
    assert result.pairs
    truth = best("tiny/two-clusters", change)
    assert truth is not None
    for pair in result.pairs:
        if {sources[pair.first], sources[pair.second]} <= set(CHECKED):
            both = at(at(change, by_name[pair.first], None), by_name[pair.second], None)
            freed = best("tiny/two-clusters", both)
            assert freed is not None
            assert round(pair.gain / 1e3) == truth - freed
        apart = (by_name[pair.first].lifted.gain or 0.0) + (by_name[pair.second].lifted.gain or 0.0)
        assert pair.interaction == pytest.approx(pair.gain - apart)


def test_other_objectives_and_the_report() -> None:
    inst = load("tiny/two-clusters", overrides={"sites": {"hall": {"utility": "300 kW"}}})
    result = value_of_limits(inst, "throughput", pairs=False)
    assert result.column == "throughput_x_demand"
    (utility,) = [v for v in result.limits if v.source == "sites.hall.utility"]
    assert utility.looser.gain is not None
    assert utility.looser.gain > 0
    assert limits_data(result)["limits"][0]["source"] in limits_markdown(result)
    assert len(result.to_frame()) == len(result.limits)


def test_stopped_at_once_it_claims_nothing() -> None:
    result = value_of_limits(load("tiny/power"), time_limit=1e-6)
    assert not result.proven


def test_a_rule_that_fixes_a_value_gives_way_on_either_side() -> None:
    def fixed(count: int) -> dict[str, Any]:
        of = {"measure": "accelerators", "cluster": "train"}
        return {"rules": {"size": {"fix": count, "of": of, "owner": "operations", "reason": "what is staffed"}}}

    costs = {count: best("tiny/performance", fixed(count)) for count in (256, 384, 512)}
    assert costs[256] is not None
    assert costs[384] is not None
    result = value_of_limits(load("tiny/performance", overrides=fixed(384)))
    sides = {v.sense: v for v in result.limits if v.source.startswith("rules.")}
    assert set(sides) == {"at most", "at least"}
    less = sides["at least"]
    assert (less.value, less.looser.value, less.tighter.value) == (384, 256, None)
    assert less.looser.gain == pytest.approx((costs[384] - costs[256]) * 1e3)
    assert less.lifted.gain == pytest.approx((costs[384] - costs[256]) * 1e3)
    assert sides["at most"].looser.value is None
    assert sides["at most"].lifted.gain == 0.0
    assert result.proven
    assert len({v.limit for v in result.limits}) == len(result.limits)


def test_a_limit_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'sites.hall.utility'"):
        value_of_limits(load("tiny/performance"), only=["sites.hall.utilty"])


def test_the_demand_of_a_divided_service_is_one_limit_and_each_step_of_it_is_the_next() -> None:
    def cheapest(rate: float) -> float:
        steered = Steered.of(
            load("tiny/serving-roles", overrides={"workloads": {"chat": {"rate": f"{rate:.0f} token/s"}}})
        )
        found = steered.least(Effort(), {})
        return (found.value or 0.0) * steered.quantum

    result = value_of_limits(load("tiny/serving-roles"), only=["workloads.chat.rate"], pairs=False)
    (limit,) = result.limits
    assert result.proven
    assert limit.source == limit.limit == "workloads.chat.rate"
    looser, tighter = limit.looser.value, limit.tighter.value
    assert looser is not None
    assert tighter is not None
    assert cheapest(looser) == limit.looser.objective < result.best
    assert cheapest(looser + 1) == result.best == cheapest(limit.used) == cheapest(tighter - 1)
    assert cheapest(tighter) == limit.tighter.objective > result.best


@pytest.mark.parametrize("name", ["tiny/serving", "tiny/serving-roles"])
def test_without_its_demand_a_service_costs_nothing(name: str) -> None:
    (limit,) = value_of_limits(load(name), only=["workloads.chat.rate"], pairs=False).limits
    assert limit.lifted.objective == 0
    assert limit.lifted.proven


def test_a_step_worth_some_thousands_is_not_missed() -> None:
    change = {"sites": {"hall": {"utility": "344 kW"}}}
    check("tiny/power", change)
    (limit,) = value_of_limits(load("tiny/power", overrides=change), only=["sites.hall.utility"], pairs=False).limits
    assert limit.looser.value == 345
    assert 0 < (limit.looser.gain or 0.0) < 1e5
