"""Switch points are what trying every design gives at any value of a field: no grid contradicts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError, InstanceError, UsageError
from models.instance import Instance
from models.loading import load
from optimizer.sensitivity.instance_field import find_field
from optimizer.sensitivity.regimes import regime_map
from optimizer.sensitivity.switch_points import FieldKind, SwitchPoints, switch_points
from optimizer.sensitivity.switch_section import regime_data, regime_markdown, switch_data, switch_markdown
from tests.formulation.test_pruning_keeps_frontiers import changes
from tests.sensitivity.brute_money import cheapest, known_designs

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
# an example costs too much to try hundreds of variants of it


def least(inst: Instance, field: str, value: float) -> float | None:
    """Least total cost [USD] with a field at a value, by trying everything; None where nothing is legal."""
    moved = find_field(inst, field).within(inst, value)
    found = enumerate_candidates(moved)
    if not found.placements:
        return None
    best = cheapest(moved, known_designs(moved, found, "no part", 0.0), 0.0)
    return best[0].cost(0.0) if best else None


def agree(inst: Instance, result: SwitchPoints, values: np.ndarray) -> None:
    for value in values.tolist():
        inside = [r for r in result.ranges if r.low <= value <= r.high]
        truth = least(inst, result.field.name, value)
        if not inside:
            assert any(p.low < value < p.high for p in result.points)
            continue
        claimed = []
        for r in inside:
            if r.objective_low is None or r.objective_high is None:
                claimed.append(None)
                continue
            share = (value - r.low) / (r.high - r.low) if r.high > r.low else 0.0
            claimed.append(r.objective_low + share * (r.objective_high - r.objective_low))
        if truth is None:
            assert None in claimed, (value, claimed)
        else:
            assert any(c is not None and abs(c - truth) <= 1e-7 * truth + 1.0 for c in claimed), (value, truth, claimed)


def edges(result: SwitchPoints) -> np.ndarray:
    """Values just beside every change."""
    width = result.high - result.low
    ends = [r.low for r in result.ranges] + [r.high for r in result.ranges]
    return np.array([e + s * 1e-4 * width for e in ends for s in (-1, 1) if result.low < e < result.high])


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(
    change=changes("train"),
    field=st.sampled_from(
        ["electricity_price", "shell_cost", "hall.utility", "train.deadline", "maintenance_per_year"]
    ),
)
def test_one_training_cluster(change: dict[str, Any], field: str) -> None:
    inst = load("tiny/performance", overrides=change)
    try:
        result = switch_points(inst, field)
    except InfeasibleError:
        return
    assert result.proven
    if result.kind is FieldKind.OTHER:  # a price that moves a ceiling's own coefficients
        assert "capex" in change["limits"]
        agree(inst, result, np.array([r.low for r in result.ranges]))
        return
    agree(inst, result, np.concatenate([np.linspace(result.low, result.high, 9), edges(result)]))


def test_whole_numbers_change_at_whole_numbers() -> None:
    inst = load("tiny/two-clusters")
    result = switch_points(inst, "hall.rack_positions", low=3, high=14)
    assert result.kind is FieldKind.LIMIT
    assert all(r.low == round(r.low) for r in result.ranges)
    for value in range(3, 15):
        agree(inst, result, np.array([float(value)]))


def test_where_candidates_move_a_change_lies_between_two_answers() -> None:
    inst = load("tiny/performance", overrides={"sites": {"hall": {"utility": "350 kW"}}})
    result = switch_points(inst, "design_power_share", low=0.0, high=1.0, gap=0.02)
    assert result.kind is FieldKind.OTHER
    assert result.points
    assert all(p.high - p.low <= 0.02 + 1e-12 for p in result.points)
    for r in result.ranges:
        for value, claimed in ((r.low, r.objective_low), (r.high, r.objective_high)):
            truth = least(inst, "design_power_share", value)
            assert (truth is None) == (claimed is None)
            assert truth is None or claimed == pytest.approx(truth, abs=1.0)


def test_regret_is_what_keeping_todays_design_costs_more() -> None:
    inst = load("tiny/power")
    result = switch_points(inst, "train.deadline")
    now = next(r for r in result.ranges if r.design_id == result.today)
    assert now.low <= (result.field.value or 0) <= now.high
    assert now.regret_low == now.regret_high == 0.0
    last = result.ranges[-1]
    assert last.regret_high == pytest.approx((now.objective_low or 0) - (last.objective_low or 0), abs=1.0)
    first = next(r for r in result.ranges if r.design_id)
    assert first.regret_low is None


def test_a_regime_map_is_right_in_every_cell() -> None:
    inst = load("tiny/power")
    found = regime_map(inst, "hall.utility", "train.deadline", x_range=(3e5, 5e5), y_range=(2e6, 5e6), steps=3)
    assert found.proven
    for cell in found.cells:
        moved = find_field(inst, "train.deadline").within(inst, cell.y)
        truth = least(moved, "hall.utility", cell.x)
        assert (truth is None) == (cell.cost is None)
        assert truth is None or cell.cost == pytest.approx(truth, abs=1.0)
    assert len(found.architectures) >= 2
    assert regime_data(found)["cells"]
    assert found.architectures[0] in regime_markdown(found)
    assert len(found.to_frame()) == 9


def test_reports() -> None:
    result = switch_points(load("tiny/power"), "hall.utility", low=3e5, high=4e5)
    assert len(switch_data(result)["ranges"]) == len(result.to_frame())
    assert "sites.hall.utility" in switch_markdown(result)


def test_every_number_of_an_instance_can_be_moved() -> None:
    from optimizer.sensitivity.instance_field import numeric_fields

    inst = load("tiny/two-clusters")
    for name in numeric_fields(inst):
        if name.startswith("money.currencies") or name == "schema_version":
            continue
        field = find_field(inst, name)
        assert field.value is not None
        wanted = field.value + 1 if field.whole else field.value * 0.9
        try:
            assert find_field(field.within(inst, wanted), name).value == pytest.approx(wanted)
        except InstanceError:
            continue


@pytest.mark.parametrize("name", ["hall.utilty", "hall.floor", "limits.capex"])
def test_what_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        switch_points(load("tiny/power"), name)
