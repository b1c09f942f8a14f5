"""Carbon year by year."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import carbon


@given(st.integers(1, 20), st.floats(0, 0.3))
def test_operational_is_a_sum_over_years(years, decline):
    by_year = sum(1e12 * 1e-7 * (1 - decline) ** t for t in range(years))
    assert float(carbon.operational_carbon(1e12, 1e-7, years, decline)) == pytest.approx(by_year, rel=1e-6)


def test_a_megawatt_year_on_a_grid_of_400_grams():
    energy = 1e6 * 8766 * 3600
    assert carbon.operational_carbon(energy, carbon.intensity_from_grams_per_kwh(400.0), 1) == pytest.approx(8766 * 400)
    with pytest.raises(ValueError, match="decline"):
        carbon.operational_carbon(1.0, 1.0, 1, 1.0)


def test_embodied():
    assert carbon.embodied_carbon([[8, 2], [1, 0]], [1500.0, 800.0]).tolist() == [13600, 1500]
    assert carbon.embodied_in_horizon(1000.0, [20, 5, 4], 5).tolist() == [250, 1000, 1000]
