"""On every tiny instance the engine lists exactly the nondominated set that trying everything gives."""

from __future__ import annotations

import pytest

from models.shipped import shipped_instances

from .brute_force import nondominated, values
from .cases import TINY, candidates, designs, frontier, instance, points

OBJECTIVES = (
    ("tco", "throughput"),
    ("power", "goodput"),
    ("tco", "throughput", "power"),
    ("capex", "carbon", "throughput"),
    ("capex", "floor", "goodput"),
    ("tco", "goodput", "carbon"),
    ("capex", "availability", "blast_radius"),
)


@pytest.mark.parametrize("objectives", OBJECTIVES, ids="-".join)
@pytest.mark.parametrize("name", TINY)
def test_the_frontier_is_what_trying_everything_gives(name: str, objectives: tuple[str, ...]) -> None:
    inst, found = instance(name), candidates(name)
    expected = nondominated(values(inst, designs(name), objectives))
    assert expected
    assert points(frontier(inst, found, objectives)) == expected
    assert points(frontier(inst, found, objectives, pruned=False)) == expected


@pytest.mark.parametrize(
    "objectives", [("tco", "lead_time"), ("concentration", "throughput"), ("capex", "concentration", "lead_time")]
)
@pytest.mark.parametrize("name", ["tiny/sourcing", "tiny/supply", "tiny/price-basis", "tiny/rules"])
def test_time_and_concentration_are_what_trying_everything_gives(name: str, objectives: tuple[str, ...]) -> None:
    inst, found = instance(name), candidates(name)
    expected = nondominated(values(inst, designs(name), objectives))
    assert points(frontier(inst, found, objectives)) == expected
    assert points(frontier(inst, found, objectives, pruned=False)) == expected


@pytest.mark.parametrize("scenario", [None, "high"])
def test_the_price_basis_moves_the_frontier_as_the_ranges_say(scenario: str | None) -> None:
    inst, found = instance("tiny/price-basis", scenario), candidates("tiny/price-basis", scenario)
    objectives = ("capex", "throughput", "power")
    expected = nondominated(values(inst, designs("tiny/price-basis", scenario), objectives))
    assert points(frontier(inst, found, objectives)) == expected


def test_objectives_of_one_cluster_among_several() -> None:
    name = "tiny/two-clusters"
    objectives = ("tco", "throughput:chat", "throughput:train")
    expected = nondominated(values(instance(name), designs(name), objectives))
    assert len(expected) > 5
    assert points(frontier(instance(name), candidates(name), objectives)) == expected


@pytest.mark.parametrize("name", TINY)
def test_each_case_is_small_and_says_what_it_teaches(name: str) -> None:
    inst = instance(name)
    assert sum(len(p) for p in candidates(name).placements) <= 60
    assert name == f"tiny/{inst.name}"
    assert inst.document.title
    assert len(inst.document.description) > 80
    own = shipped_instances()[name].read_text(encoding="utf-8")
    assert len(own.splitlines()) <= 80
