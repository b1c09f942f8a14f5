"""Why-not answers are what trying every design gives: verdict, price, bridge to the cent, conflict and levers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.candidates.part_counts import units_per_pod
from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError, UsageError
from models.instance import Instance
from models.loading import load
from optimizer.explain.bridge import bridge, money_lines
from optimizer.explain.target import TargetKind, read_target
from optimizer.explain.why_not import Verdict, why_not
from optimizer.explain.why_not_section import why_not_markdown
from tests.formulation.brute_force import Money, choices, figures, legal, plant_of, value
from tests.formulation.test_pruning_keeps_frontiers import changes

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
# an example costs too much to try hundreds of variants of it


def best_with_and_without(inst: Instance, part: str) -> tuple[int | None, int | None]:
    """Least tco [kUSD] of designs that have the part, and of those that do not."""
    found = enumerate_candidates(inst)
    money = {site: Money.at(inst, site) for site in inst.sites}
    of_cluster: dict[str, list] = {}
    has: dict[int, bool] = {}
    for table in found.placements:
        rows = figures(inst, table, money[table.site])
        counts = units_per_pod(table.pods, part)
        has |= {id(made): bool(counts[int(table.pod[row])]) for row, made in enumerate(rows)}
        of_cluster.setdefault(table.cluster, []).extend(rows)
    best: dict[bool, int] = {}
    for choice in choices(inst, of_cluster):
        plant = plant_of(choice, money)
        if plant is not None and legal(inst, choice, plant):
            having = any(has[id(row)] for row in choice)
            cost = value(inst, choice, plant, "tco")
            best[having] = min(best.get(having, cost), cost)
    return best.get(True), best.get(False)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(change=changes("train"), part=st.sampled_from(["dgx_h100", "mi300x_8u", "qm9700", "aoc_800"]))
def test_one_training_cluster(change: dict[str, Any], part: str) -> None:
    inst = load("tiny/performance", overrides=change)
    try:
        with_it, without = best_with_and_without(inst, part)
        result = why_not(inst, part, levers=False)
    except InfeasibleError:
        return
    assert result.proven
    if with_it is None:
        assert result.verdict in (Verdict.CLASHES, Verdict.NO_CANDIDATE)
        return
    if result.verdict is Verdict.CHOSEN:
        assert without is None or with_it <= without
        return
    assert result.verdict is Verdict.DEARER
    assert result.best is not None
    assert result.insisted is not None
    assert without is not None
    assert round(result.best.objectives["tco_usd"] / 1e3) == without < with_it
    assert round(result.insisted.objectives["tco_usd"] / 1e3) == with_it
    total = round(result.insisted.figures["tco_usd"] * 100) - round(result.best.figures["tco_usd"] * 100)
    assert sum(line.cents for line in result.bridge) == total == round((result.price or 0.0) * 100)


def test_a_conflict_shuts_it_out_and_each_of_its_limits_is_needed() -> None:
    change = {"sites": {"hall": {"utility": "400 kW"}}}
    result = why_not(load("tiny/performance", overrides=change), "dgx_h100")
    assert result.verdict is Verdict.CLASHES
    assert {clash.source for clash in result.clashes} == {"workloads.train.deadline", "sites.hall.utility"}
    utility = next(c for c in result.clashes if c.source == "sites.hall.utility")
    assert utility.reach is not None
    enough = load("tiny/performance", overrides={"sites": {"hall": {"utility": f"{utility.reach:.0f} kW"}}})
    short = load("tiny/performance", overrides={"sites": {"hall": {"utility": f"{utility.reach - 1:.0f} kW"}}})
    assert why_not(enough, "dgx_h100", levers=False).verdict is not Verdict.CLASHES
    assert why_not(short, "dgx_h100", levers=False).verdict is Verdict.CLASHES


@pytest.mark.parametrize(("name", "target"), [("tiny/performance", "sn5600"), ("tiny/budget", "dgx_h200")])
def test_a_lever_makes_it_win_and_a_smaller_change_does_not(name: str, target: str) -> None:
    result = why_not(load(name), target)
    assert result.proven
    moved = [lever for lever in result.levers if lever.to is not None and lever.lever != "price"]
    for lever in moved:
        if lever.source != "sites.hall.utility":
            continue
        toward = -1 if lever.lever == "looser" else 1
        for offset, wins in ((0, True), (toward, False)):
            change = {"sites": {"hall": {"utility": f"{lever.to + offset:.0f} kW"}}}
            with_it, without = best_with_and_without(load(name, overrides=change), target)
            assert (with_it is not None and (without is None or with_it <= without)) is wins
    price = next(lever for lever in result.levers if lever.lever == "price")
    assert price.to is not None
    assert price.value is not None
    assert price.to < price.value


def test_every_kind_of_target_is_understood() -> None:
    inst = load("tiny/two-sites")
    kinds = {
        "dgx_h100": TargetKind.PART,
        "h100_sxm": TargetKind.ACCELERATOR,
        "nvidia": TargetKind.VENDOR,
        "liquid": TargetKind.COOLING,
        "2-tier": TargetKind.TOPOLOGY,
        "Eth": TargetKind.PROTOCOL,
        next(iter(inst.sites)): TargetKind.SITE,
    }
    for name, kind in kinds.items():
        assert read_target(inst, name).kind is kind
    assert read_target(inst, "vendor:AMD").kind is TargetKind.VENDOR if _sells(inst, "AMD") else True
    with pytest.raises(UsageError, match="dgx_h100"):
        read_target(inst, "dgx_h10")


def _sells(inst: Instance, vendor: str) -> bool:
    return any(part.vendor == vendor for part in inst.catalogue)


@pytest.mark.parametrize("target", ["hall", "1-tier", "air", "mi300x", "liquid", "gb200_nvl72"])
def test_targets_that_are_no_priced_parts(target: str) -> None:
    result = why_not(load("tiny/two-clusters"), target)
    assert result.proven
    if result.verdict is Verdict.NO_CANDIDATE:
        assert result.price is None
    assert result.target in why_not_markdown(result)


def test_lines_of_a_design_sum_to_its_total_cost() -> None:
    inst = load("tiny/two-clusters")
    best = why_not(inst, "sn5600").best
    assert best is not None
    assert sum(money_lines(inst, best).values()) == pytest.approx(best.figures["tco_usd"], abs=0.01)
    assert bridge(inst, best, best) == ()
