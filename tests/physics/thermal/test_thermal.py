"""Flow, pumps and CDU groups: rated figures and energy balances."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import thermal
from models.physics.thermal import LITER_PER_MINUTE, Fluid
from models.physics.weather import air_density, station_pressure


def test_published_flow_constants():
    assert thermal.volume_flow(1e3, 1.0) / LITER_PER_MINUTE == pytest.approx(14.33, abs=0.01)
    assert thermal.volume_flow(1e3, 1.0, Fluid.PG25) / LITER_PER_MINUTE == pytest.approx(15.3, abs=0.03)
    assert thermal.volume_flow(1e3, 1.0, Fluid.AIR) * 3600 == pytest.approx(2985, rel=1e-3)
    assert thermal.air_flow_cfm(1.0, 1.0) == pytest.approx(1.757, abs=1e-3)


@pytest.mark.parametrize(("rise", "cfm"), [(11.0, 8000), (5.9, 15000)])
def test_air_of_a_50_kw_rack(rise, cfm):
    assert thermal.air_flow_cfm(50e3, rise) == pytest.approx(cfm, rel=0.01)


def test_thin_air_takes_more_flow():
    high = air_density(25.0, 0.0, station_pressure(2200.0))
    ratio = thermal.air_flow_cfm(1e4, 11.0, high) / thermal.air_flow_cfm(1e4, 11.0, air_density(25.0))
    assert ratio == pytest.approx(101325 / float(station_pressure(2200.0)))


@given(st.floats(1, 1e8), st.floats(0.5, 40), st.sampled_from(list(Fluid)))
def test_flow_rise_and_heat_are_one_balance(heat, rise, fluid):
    flow = thermal.volume_flow(heat, rise, fluid)
    assert thermal.temperature_rise(heat, flow, fluid) == pytest.approx(rise)
    assert thermal.heat_carried(flow, rise, fluid) == pytest.approx(heat)


def test_no_rise_carries_no_heat():
    with pytest.raises(ValueError, match="above 0 K"):
        thermal.volume_flow(1e3, [10.0, 0.0])


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 2e5))
def test_heat_split_adds_up(load, share, door):
    split = thermal.split_heat(load, share, door)
    assert float(split.liquid + split.door + split.air) == pytest.approx(load)
    assert min(float(split.liquid), float(split.door), float(split.air)) >= -1e-9
    assert float(split.door) <= door


def test_split_refuses_a_share_above_one():
    with pytest.raises(ValueError, match="between 0 and 1"):
        thermal.split_heat(1.0, 1.2)


def test_pump_power_and_loop():
    # 2000 L/min against 2 bar at 55 %: 12.1 kW, in the range of published 2 MW units (12.24 kW at 2125 L/min and 35 psi).
    assert thermal.pump_power(2000 * LITER_PER_MINUTE, 2e5, 0.55) == pytest.approx(12_121, rel=1e-3)
    assert thermal.pump_power(2125 * LITER_PER_MINUTE, 35 * 6894.76, 0.7) == pytest.approx(12_240, rel=0.01)
    assert thermal.loop_pressure([0.0, 0.5, 1.0], 1.0, 2e5, static=4e4).tolist() == pytest.approx([4e4, 8e4, 2e5])


def test_pump_curve():
    flow, head = [0.0, 0.02, 0.04], [3e5, 2.5e5, 1e5]
    assert thermal.pump_head([0.01, 0.03, 0.05], flow, head).tolist() == pytest.approx([2.75e5, 1.75e5, 0.0])
    ok = thermal.within_pump_curve([0.01, 0.03, 0.05], 2e5, flow, head)
    assert ok.tolist() == [True, False, False]
    with pytest.raises(ValueError, match="pump curve"):
        thermal.pump_head(0.01, [0.0, 0.02], [1e5, 2e5])


def test_capacity_falls_with_the_approach():
    assert thermal.cdu_capacity_at(1.35e6, 4.0, [2.0, 4.0, 6.0, 20.0, -1.0]).tolist() == [
        675e3,
        1.35e6,
        2.025e6,
        2.7e6,
        0,
    ]


@given(st.floats(0, 1e8), st.floats(1e4, 3e6), st.integers(0, 3))
def test_group_size_is_the_smallest_that_carries(load, unit, redundant):
    n = int(thermal.group_size(load, unit, redundant))
    if load == 0:
        assert n == 0
    else:
        assert float(thermal.group_capacity(n, unit, redundant)) >= load * (1 - 1e-11)
        assert n - redundant == 1 or float(thermal.group_capacity(n - 1, unit, redundant)) < load


def test_group_edge_cases():
    assert thermal.group_capacity([0, 1, 4], 1e6).tolist() == [0, 0, 3e6]
    assert thermal.group_size(3 * 0.1e6, 0.1e6, 1) == 4
    with pytest.raises(ValueError, match="above 0 W"):
        thermal.group_size(1.0, 0.0)


def test_cdu_group_is_bound_by_heat_or_by_flow():
    flow_limit = 2000 * LITER_PER_MINUTE
    state = thermal.cdu_group(3.6e6, [3, 4, 4, 4], 1.35e6, flow_limit, [10.0, 10.0, 10.0, 8.0], 2e5, out=[0, 1, 0, 1])
    assert state.carries.tolist() == [True, True, True, False]  # 3.6 MW at 8 K is 2293 L/min for each of three
    assert state.unit_flow[3] / LITER_PER_MINUTE == pytest.approx(3600 * 15.279 / 8 / 3, rel=1e-3)
    assert state.unit_load[:2].tolist() == [1.2e6, 1.2e6]
    assert not thermal.cdu_group(1.0, 1, 1e6, 1.0, 10.0, 1e5, out=1).carries
    assert thermal.cdu_group(0.0, 1, 1e6, 1.0, 10.0, 1e5, out=1).carries
