"""Dropping candidates while they are enumerated changes no answer of any analysis, down to the words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.candidates import placing
from models.candidates.placement import Candidates
from models.formulation.build import Formulation
from models.instance import Instance
from models.loading import load
from optimizer.explain.why_not import why_not
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.alternatives import alternatives
from optimizer.sensitivity.limit_rows import Steering, movable_candidates, without_site_limits
from optimizer.sensitivity.pool import compacted, enumerated, lone, sifted, worthwhile
from optimizer.sensitivity.price_to_win import price_to_win
from optimizer.sensitivity.switch_points import switch_points
from optimizer.sensitivity.uncertain import Uncertain
from optimizer.sensitivity.value_of_limits import value_of_limits

NAMES = (
    "tiny/performance",
    "tiny/power",
    "tiny/sourcing",
    "tiny/power-blocks",
    "tiny/two-sites",
    "tiny/thermal-liquid",
)


def keys(found: Candidates) -> dict[tuple[str, str], list[str]]:
    return {(p.cluster, p.site): [p.key(row) for row in range(len(p))] for p in found.placements}


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], tuple[Any, Any]]:
    """Something done with all candidates held together, and with few at a time."""

    def both(done: Callable[[], Any]) -> tuple[Any, Any]:
        monkeypatch.setattr(placing, "TOGETHER", 10**9)
        whole = done()
        monkeypatch.setattr(placing, "TOGETHER", 7)
        return whole, done()

    return both


def plain(told: Any) -> Any:
    """An answer without what it took."""
    fields = dataclasses.asdict(told)
    return {name: value for name, value in fields.items() if name not in ("solves", "seconds")}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_judged_while_it_is_made_is_what_is_judged_afterwards(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = load(name)
    judge = Steering(instance, ("tco", "power")).judge
    every = movable_candidates(instance)
    shown: list[int] = []

    def watched(part: Candidates, relaxable: bool) -> tuple[Formulation]:
        shown.append(len(part.placements[0]))
        return judge(part, relaxable)

    monkeypatch.setattr(placing, "TOGETHER", 5)
    found = enumerated(instance, watched, PerformanceCache(), without_site_limits(instance))
    assert keys(found) == keys(worthwhile(instance, every, judge))
    assert found.rejections == every.rejections
    assert lone(instance)
    assert len(shown) > 1


def test_several_pods_are_judged_together() -> None:
    instance = load("tiny/two-clusters")
    judge = Steering(instance, ("tco",)).judge
    assert not lone(instance)
    every = movable_candidates(instance)
    found = enumerated(instance, judge, PerformanceCache(), without_site_limits(instance))
    assert keys(found) == keys(worthwhile(instance, every, judge))
    assert sifted(instance, every, lambda _some: pytest.fail("looked at")) is every


def test_a_sift_of_candidates_that_are_there_sees_each_once() -> None:
    instance = load("tiny/two-sites")
    every = movable_candidates(instance)
    seen = []

    def odd(some: Candidates) -> Any:
        (table,) = some.placements
        seen.extend(f"{table.site}:{table.key(row)}" for row in range(len(table)))
        return [row for row in range(len(table)) if len(table.key(row)) % 2]

    found = sifted(instance, every, odd, stretch=4)
    assert sorted(seen) == sorted(f"{site}:{key}" for (_, site), own in keys(every).items() for key in own)
    assert keys(found) == {at: [key for key in own if len(key) % 2] for at, own in keys(every).items()}
    for table in found.placements:
        assert len(compacted(table, range(len(table))).pods) == len(table.pods)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["tiny/power", "tiny/space"])
def test_values_of_limits(name: str, dropped: Callable[[Callable[[], Any]], tuple[Any, Any]]) -> None:
    whole, few = dropped(lambda: plain(value_of_limits(load(name), pairs=False)))
    assert few == whole


def test_alternatives(dropped: Callable[[Callable[[], Any]], tuple[Any, Any]]) -> None:
    whole, few = dropped(lambda: plain(alternatives(load("tiny/performance"), slack=0.3)))
    assert few == whole


TARGETS = [
    ("tiny/performance", "dgx_h100"),
    ("tiny/performance", "NVIDIA"),
    ("tiny/power", "mi300x_8u"),
    ("tiny/power-blocks", "dgx_h100"),
    ("tiny/two-sites", "fjord"),
]


@pytest.mark.parametrize(("name", "target"), TARGETS)
def test_why_not(name: str, target: str, dropped: Callable[[Callable[[], Any]], tuple[Any, Any]]) -> None:
    instance: Instance = load(name)
    whole, few = dropped(lambda: plain(why_not(instance, target, levers=False)))
    assert few == whole
    assert plain(why_not(instance, target, levers=False, candidates=movable_candidates(instance))) == whole


@pytest.mark.parametrize("part", ["dgx_h100", "dr4_800", "qm9700,dgx_h100"])
def test_prices_to_win(part: str, dropped: Callable[[Callable[[], Any]], tuple[Any, Any]]) -> None:
    whole, few = dropped(lambda: plain(price_to_win(load("tiny/performance"), part)))
    assert few == whole


@pytest.mark.parametrize("name", ["tiny/performance", "tiny/power"])
def test_uncertain_inputs(name: str, dropped: Callable[[Callable[[], Any]], tuple[Any, Any]]) -> None:
    whole, few = dropped(lambda: Uncertain(load(name)))
    assert list(few.ranges.values()) == list(whole.ranges.values())
    random = np.random.default_rng(7)
    for _ in range(8):
        values = {r.name: r.at(float(random.random())) for r in whole.ranges.values()}
        assert few.at(values).tco == whole.at(values).tco


@pytest.mark.parametrize("field", ["money.horizon", "sites.hall.electricity_price"])
def test_switch_points(field: str, dropped: Callable[[Callable[[], Any]], tuple[Any, Any]]) -> None:
    instance = load("tiny/performance")
    whole, few = dropped(lambda: plain(switch_points(instance, field)))
    assert few == whole
    assert plain(switch_points(instance, field, candidates=movable_candidates(instance))) == whole
