"""Heat rejection: ASHRAE classes, what can run without a compressor, and yearly figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import cooling_plant as plant
from models.physics.cooling_plant import CoolingLoop, Rejection, RejectionPlant
from models.physics.weather import WeatherBins

DRY = RejectionPlant(Rejection.DRY, approach=8.0)
SPRAYED = RejectionPlant(Rejection.ADIABATIC, approach=8.0)
TOWER = RejectionPlant(Rejection.TOWER, approach=6.0)
CHILLER = RejectionPlant(Rejection.CHILLER)


def year(dry, wet, share=None):
    dry = np.atleast_1d(np.asarray(dry, dtype=float))
    share = np.full(dry.shape, 1 / dry.size) if share is None else np.asarray(share)
    return WeatherBins(dry, np.atleast_1d(np.asarray(wet, dtype=float)), share)


def test_classes():
    assert [plant.class_supply_limit(n) for n in ("W17", "w32", "W4", "S50")] == [17, 32, 45, 50]
    assert plant.class_supply_limit("W+") is None
    assert plant.class_supply_limit("W5") is None
    assert [plant.water_class_for(t) for t in (15, 17, 30, 40, 44, 46)] == ["W17", "W17", "W32", "W40", "W45", "W+"]
    assert plant.facility_supply_limit(40.0, [3.0, 5.0]).tolist() == [37, 35]
    with pytest.raises(ValueError, match="unknown liquid class 'W99'"):
        plant.class_supply_limit("W99")


def test_air_classes_fall_with_altitude():
    assert [float(plant.air_inlet_limit(n)) for n in ("A1", "a2", "A3", "A4", "H1")] == [32, 35, 40, 45, 25]
    assert plant.air_inlet_limit("A2", [900.0, 3000.0]).tolist() == pytest.approx([35, 28])
    with pytest.raises(ValueError, match="unknown air class"):
        plant.air_inlet_limit("B7")


@pytest.mark.parametrize(
    ("name", "dry", "wet", "kinds"),
    [
        ("W45", 36, 24, {Rejection.DRY, Rejection.ADIABATIC, Rejection.TOWER}),
        ("W40", 36, 24, {Rejection.ADIABATIC, Rejection.TOWER}),
        ("W40", 31, 24, {Rejection.DRY, Rejection.ADIABATIC, Rejection.TOWER}),
        ("W32", 36, 24, {Rejection.TOWER}),
        ("W27", 36, 24, set()),
        ("W27", 15, 10, {Rejection.DRY, Rejection.ADIABATIC, Rejection.TOWER}),
        ("W17", 36, 24, set()),
    ],
)
def test_which_plant_needs_no_compressor_on_the_design_day(name, dry, wet, kinds):
    free = plant.free_rejections(plant.class_supply_limit(name), dry, wet, [DRY, SPRAYED, TOWER, CHILLER])
    assert {p.kind for p in free} == kinds


@given(
    st.floats(10, 50),
    st.floats(-20, 45),
    st.floats(0, 20),
    st.sampled_from([DRY, SPRAYED, TOWER, CHILLER]),
    st.booleans(),
)
def test_heat_is_moved_free_by_compressor_or_not_at_all(supply, dry, depression, unit, trim):
    unit = RejectionPlant(unit.kind, approach=unit.approach, trim=trim)
    state = plant.plant_state(unit, supply, dry, dry - depression)
    assert 0 <= float(state.free) <= 1
    assert 0 <= float(state.unmet) <= 1 - float(state.free) + 1e-12
    assert float(state.power) >= float(state.compressor) >= 0
    assert float(state.water) >= 0
    holds = bool(plant.holds_supply(unit, supply, dry, dry - depression))
    if holds:
        assert float(state.unmet) == pytest.approx(0, abs=1e-9)
    if trim or unit.kind is Rejection.CHILLER:
        assert holds


@given(st.floats(10, 50), st.floats(-20, 40), st.floats(0.1, 5), st.sampled_from([DRY, SPRAYED, TOWER]))
def test_warmer_weather_or_colder_water_never_costs_less(supply, dry, step, unit):
    unit = RejectionPlant(unit.kind, approach=unit.approach, trim=True)
    here = plant.plant_state(unit, supply, dry, dry - 5)
    hotter = plant.plant_state(unit, supply, dry + step, dry - 5 + step)
    colder = plant.plant_state(unit, supply - step, dry, dry - 5)
    if unit.kind is not Rejection.ADIABATIC:  # sprays switch on and slow the fans
        assert float(hotter.power) >= float(here.power) - 1e-12
        assert float(colder.power) >= float(here.power) - 1e-12
    assert float(hotter.free) <= float(here.free) + 1e-12


def test_fans_follow_the_cube_law_and_the_chiller_takes_the_rest():
    trimmed = RejectionPlant(Rejection.DRY, approach=8.0, fan_share=0.02, pump_share=0.01, trim=True)
    state = plant.plant_state(trimmed, 40.0, [32.0, 24.0, 36.0, 45.0, -60.0], [20.0] * 4 + [-60.0])
    assert state.free.tolist() == [1, 1, 0.5, 0, 1]
    assert state.power[:2] == pytest.approx([0.03, 0.01 + 0.02 / 8])
    assert state.power[4] == pytest.approx(0.01 + 0.02 * 0.2**3)
    cop = plant.chiller_cop(trimmed, 40.0, [36.0, 45.0], 20.0)
    assert state.compressor[2:4] == pytest.approx([0.5 / cop[0], 1 / cop[1]])


def test_chiller_at_its_rating_point():
    # An air-cooled 1.5 MW chiller draws about 220 W per kW in 35 degC weather at 18 degC water.
    assert 1 / plant.chiller_cop(CHILLER, 18.0, 35.0, 24.0) == pytest.approx(0.22, abs=0.03)
    assert plant.chiller_cop(CHILLER, 30.0, -20.0, -22.0) == 12.0


def test_tower_water_is_the_usual_figure():
    # 3.6 MJ / 2.43 MJ/kg * 0.9 = 1.33 L evaporated per kWh; 5 cycles make it 1.67.
    state = plant.plant_state(TOWER, 32.0, 25.0, 18.0)
    assert float(state.water) * 3.6e6 == pytest.approx(1.667, abs=0.01)


def test_adiabatic_cooler_sprays_only_when_it_must():
    state = plant.plant_state(SPRAYED, 40.0, [25.0, 31.0, 36.0], [18.0, 20.0, 22.0])
    assert (state.water > 0).tolist() == [False, False, True]
    assert state.free.tolist() == [1, 1, 1]


def test_site_figures_are_the_bins_weighed():
    mild, hot = year(15, 10), year(34, 22)
    both = year([15, 34], [10, 22], [0.75, 0.25])
    loops = [
        CoolingLoop(0.85, 40.0, RejectionPlant(Rejection.DRY, trim=True), 0.02),
        CoolingLoop(0.15, 18.0, RejectionPlant(Rejection.CHILLER), 0.04),
    ]
    a, b, c = (plant.site_effectiveness(loops, w, 0.05, 0.01, 0.5) for w in (mild, hot, both))
    assert c.pue == pytest.approx(0.75 * a.pue + 0.25 * b.pue)
    assert c.peak_pue == pytest.approx(b.pue)
    assert c.unmet_share == 0
    assert 1.05 < c.pue < 1.2


def test_pue_by_hand():
    # One dry loop at rated weather: 1 + 0.05 + 0.01 + 0.02 + (1 + 0.02) * (0.02 + 0.01) = 1.1106.
    loop = CoolingLoop(1.0, 40.0, RejectionPlant(Rejection.DRY, approach=8.0, fan_share=0.02, pump_share=0.01), 0.02)
    got = plant.site_effectiveness([loop], year(32, 20), 0.05, 0.01)
    assert got.pue == pytest.approx(1.1106)
    assert got.wue == 0
    lost = plant.site_effectiveness([loop], year(32, 20), 0.05, 0.01, indoor_loss_share=1.0)
    assert lost.pue == pytest.approx(1.06 + 1.05 * (0.02 + 1.02 * 0.03))


def test_water_choice_and_climate_move_the_figures():
    def run(unit, supply, weather):
        return plant.site_effectiveness([CoolingLoop(1.0, supply, unit)], weather)

    temperate, tropical = year([5, 15, 25], [3, 12, 18]), year([27, 31, 34], [25, 26, 27])
    trimmed = RejectionPlant(Rejection.DRY, trim=True)
    warm, cold = run(trimmed, 40, temperate), run(trimmed, 20, temperate)
    assert warm.pue < cold.pue
    assert run(trimmed, 30, temperate).pue < run(trimmed, 30, tropical).pue
    assert run(TOWER, 32, temperate).wue > run(SPRAYED, 40, tropical).wue >= run(DRY, 40, temperate).wue == 0
    assert run(DRY, 30, tropical).unmet_share > 0


def test_shares_of_heat_must_sum_to_one():
    with pytest.raises(ValueError, match="not 1"):
        plant.site_effectiveness([CoolingLoop(0.5, 40.0, DRY)], year(20, 15))
