"""Moist air against the ASHRAE tables, weather bins against their hours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import weather


@pytest.mark.parametrize(
    ("celsius", "pascal"),
    [(-60, 1.08), (-20, 103.24), (-5, 401.74), (5, 872.6), (25, 3169.7), (50, 12351.3), (100, 101418.0)],
)
def test_saturation_pressure_of_the_steam_tables(celsius, pascal):
    assert weather.saturation_pressure(celsius) == pytest.approx(pascal, rel=3e-3 if celsius == -60 else 4e-4)


@pytest.mark.parametrize(
    ("metres", "pascal"), [(-500, 107478), (0, 101325), (1000, 89875), (4000, 61640), (10000, 26436)]
)
def test_standard_atmosphere(metres, pascal):
    assert weather.station_pressure(metres) == pytest.approx(pascal, abs=3)


@pytest.mark.parametrize(
    ("dry", "wet", "pressure", "ratio"),
    [(30, 25, 95461, 0.01923), (-1, -5, 95461, 0.001204), (20, 20, 101325, 0.014696)],
)
def test_humidity_from_wet_bulb(dry, wet, pressure, ratio):
    assert weather.humidity_ratio_from_wet_bulb(dry, wet, pressure) == pytest.approx(ratio, rel=5e-4)


@pytest.mark.parametrize(
    ("dry", "rh", "pressure", "wet"),
    [
        (7, 0.61, 100_000, 3.926),
        (25, 0.5, 101_325, 17.889),
        (35, 0.4, 101_325, 23.934),
        (40, 0.2, 101_325, 22.032),
        (20, 0.9, 85_000, 18.801),
        (-3, 0.7, 101_325, -4.495),
    ],
)
def test_wet_bulb_as_psychrolib_computes_it(dry, rh, pressure, wet):
    assert weather.wet_bulb(dry, rh, pressure) == pytest.approx(wet, abs=0.002)


@given(st.floats(0.5, 48), st.floats(0.03, 1.0), st.floats(60_000, 102_000))
def test_wet_bulb_inverts_the_psychrometer(dry, rh, pressure):
    wet = float(weather.wet_bulb(dry, rh, pressure))
    dew = float(weather.dew_point(dry, rh))
    assert dew - 1e-6 <= wet <= dry + 1e-6
    if abs(wet) > 1e-6:
        ratio = float(weather.humidity_ratio(dry, rh, pressure))
        assert float(weather.humidity_ratio_from_wet_bulb(dry, wet, pressure)) == pytest.approx(ratio, abs=1e-9)
    assert float(weather.relative_humidity_from_dew_point(dry, dew)) == pytest.approx(rh, rel=1e-6)


@given(st.floats(5, 45), st.floats(0.15, 0.95))
def test_stull_is_within_about_a_kelvin_at_sea_level(dry, rh):
    assert float(weather.wet_bulb_stull(dry, rh)) == pytest.approx(float(weather.wet_bulb(dry, rh)), abs=1.05)


def test_stull_published_example():
    assert weather.wet_bulb_stull(20.0, 0.5) == pytest.approx(13.7, abs=0.01)


def test_moist_air():
    assert weather.enthalpy(30.0, 0.02) == pytest.approx(81316, abs=1)
    assert weather.air_density(20.0) == pytest.approx(1.2041, abs=1e-3)
    assert weather.air_density(20.0, 0.01) < weather.air_density(20.0)
    with pytest.raises(ValueError, match="fraction"):
        weather.humidity_ratio(20.0, 50.0)


hourly = st.lists(st.tuples(st.floats(-20, 45), st.floats(0, 15)), min_size=1, max_size=60)


@given(hourly, st.floats(0.5, 10))
def test_bins_keep_the_mean_and_the_extremes_within_a_width(hours, width):
    dry = np.array([h[0] for h in hours])
    wet = dry - np.array([h[1] for h in hours])
    bins = weather.bin_weather(dry, wet, width)
    assert bins.share.sum() == pytest.approx(1)
    assert bins.dry_bulb @ bins.share == pytest.approx(dry.mean(), abs=1e-9)
    assert bins.wet_bulb @ bins.share == pytest.approx(wet.mean(), abs=1e-9)
    assert dry.max() - bins.dry_bulb.max() < width
    again = weather.bin_weather(dry[::-1], wet[::-1], width)
    assert again.share == pytest.approx(bins.share)


def test_weights_are_repeated_hours():
    once = weather.bin_weather([10.0, 30.0], [5.0, 20.0], hours=[3, 1])
    repeated = weather.bin_weather([10.0, 10, 10, 30], [5.0, 5, 5, 20])
    assert once.share.tolist() == repeated.share.tolist() == [0.75, 0.25]


def test_design_temperature_is_exceeded_as_rarely_as_asked():
    rng = np.random.default_rng(2)
    dry = rng.normal(15, 8, 8760)
    bins = weather.bin_weather(dry, dry - 5, width=0.25)
    for share in (0.004, 0.02):
        limit = weather.design_temperature(bins, share)
        assert bins.share[bins.dry_bulb > limit].sum() <= share
        assert limit == pytest.approx(np.quantile(dry, 1 - share), abs=0.3)
    assert weather.design_temperature(bins, 0.0) == bins.dry_bulb.max()
    assert weather.design_temperature(bins, 0.0, wet=True) == bins.wet_bulb.max()


def test_broken_bins_are_refused():
    one = np.array([1.0])
    with pytest.raises(ValueError, match="sum to 1"):
        weather.WeatherBins(one, one, one * 0.5)
    with pytest.raises(ValueError, match="above its dry bulb"):
        weather.WeatherBins(one, one + 2, one)
    with pytest.raises(ValueError, match="one length"):
        weather.bin_weather([1.0, 2.0], [1.0])
