"""The limit a tiny instance is about really cuts designs off: lifting it alone brings others back."""

from __future__ import annotations

from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.loading import load

from .brute_force import legal_designs, nondominated, values
from .cases import designs, instance

LIFTED: list[tuple[str, dict[str, Any]]] = [
    ("performance", {"workloads": {"train": {"deadline": "365 days"}}}),
    ("bandwidth", {"workloads": {"train": {"bisection_at_least": None}}}),
    ("power", {"sites": {"hall": {"utility": "unlimited"}}}),
    ("space", {"sites": {"hall": {"rack_positions": "unlimited"}}}),
    ("reliability", {"limits": {"goodput": None}}),
    ("budget", {"limits": {"capex": None}}),
    ("budget", {"limits": {"carbon": None}}),
    ("two-sites", {"sites": {"fjord": {"utility": "unlimited"}}}),
    ("serving", {"workloads": {"chat": {"rate": "60 ktoken/s"}}}),
    ("two-clusters", {"sites": {"hall": {"utility": "unlimited"}}}),
]


def _count(name: str, change: dict[str, Any]) -> int:
    instance = load(f"tiny/{name}", overrides=change)
    return len(legal_designs(instance, enumerate_candidates(instance)))


@pytest.mark.parametrize(("name", "change"), LIFTED, ids=lambda v: v if isinstance(v, str) else ".".join(v))
def test_lifting_the_limit_brings_designs_back(name: str, change: dict[str, Any]) -> None:
    assert _count(name, change) > len(designs(f"tiny/{name}"))


def test_a_limit_that_never_binds_changes_nothing() -> None:
    assert _count("budget", {"limits": {"tco": None}}) == len(designs("tiny/budget"))
    assert _count("budget", {"limits": {"tco": None, "capex": None, "carbon": None}}) > len(designs("tiny/budget"))


def test_racks_stand_on_the_floor_the_text_says_they_do() -> None:
    assert _count("space", {"sites": {"hall": {"floor": "slab"}}}) == len(designs("tiny/space"))


def test_the_end_of_the_price_ranges_decides_which_vendor_is_worth_its_money() -> None:
    name, objectives = "tiny/price-basis", ("tco", "throughput")
    efficient: dict[str | None, list[float]] = {}
    for scenario in (None, "high"):
        inst = instance(name, scenario)
        best = nondominated(values(inst, designs(name, scenario), objectives))
        kept = [d for d in designs(name, scenario) if values(inst, [d], objectives) <= best]
        efficient[scenario] = sorted(choice[0].capex for choice, _ in kept)
    assert len(efficient["high"]) < len(efficient[None])
    assert efficient["high"][0] > efficient[None][0]


def test_emptier_racks_are_kept_where_the_largest_loss_counts() -> None:
    inst = load("tiny/performance", overrides={"limits": {"blast_radius": 96}})
    for found in (
        enumerate_candidates(inst),
        enumerate_candidates(load("tiny/performance"), objectives=("blast_radius",)),
    ):
        assert {r.systems for p in found.placements for r in p.pods.racks} > {4}
    (table,) = enumerate_candidates(inst).placements
    assert len(set(table.pods.blast_radius.tolist())) > 2
    kept = legal_designs(inst, enumerate_candidates(inst))
    assert kept
    assert all(row.blast_radius <= 96 for choice, _ in kept for row in choice)
    fewer = legal_designs(
        load("tiny/performance", overrides={"limits": {"blast_radius": 40}}), enumerate_candidates(inst)
    )
    assert 0 < len(fewer) < len(kept)


def test_a_floor_on_availability_asks_for_spares() -> None:
    spares = {"confidence": "99.5 %", "replacement": "24 h"}
    by_parts = {"accelerator_failure_rate": None, "node_failure_rate": None}
    for change, empty in (({}, True), ({"spares": spares}, False)):
        over = {"workloads": {"train": change}, "limits": {"availability": "99 %"}, "assumptions": by_parts}
        inst = load("tiny/performance", overrides=over)
        assert (not legal_designs(inst, enumerate_candidates(inst))) is empty
