"""The closed registry: every unit it knows parses, everything else is refused, and nothing is guessed."""

from __future__ import annotations

import math

import pytest

from models import units
from models.units import Unit, UnitError, parse

ALL_UNITS = sorted((value for value in vars(units).values() if isinstance(value, Unit)), key=lambda unit: unit.symbol)


@pytest.mark.parametrize("unit", ALL_UNITS, ids=lambda unit: unit.symbol or "fraction")
def test_example_of_every_unit_parses_to_a_finite_number(unit: Unit) -> None:
    example = unit.example.split(" or ")[0]
    assert math.isfinite(parse(example, unit))


@pytest.mark.parametrize("unit", ALL_UNITS, ids=lambda unit: unit.symbol or "fraction")
def test_canonical_unit_is_one(unit: Unit) -> None:
    assert parse(f"1 {unit.symbol}", unit) == 1.0


# Text, unit, value in the canonical unit: SI, ISO 80000-13 and the definitions of the inch, pound and foot.
TABLE = [
    ("30 MW", units.WATT, 30e6),
    ("1 kWh", units.JOULE, 3.6e6),
    ("80 GB", units.BYTE, 80e9),
    ("1 KiB", units.BYTE, 1024.0),
    ("1 TiB", units.BYTE, 1099511627776.0),
    ("400 Gbit/s", units.BYTE_PER_SECOND, 50e9),
    ("1 bps", units.BYTE_PER_SECOND, 0.125),
    ("3.35 TB/s", units.BYTE_PER_SECOND, 3.35e12),
    ("989 TFLOP/s", units.FLOP_PER_SECOND, 989e12),
    ("1 EFLOP/s", units.FLOP_PER_SECOND, 1e18),
    ("15.6 Ttoken", units.TOKEN, 15.6e12),
    ("15.6 Ttokens", units.TOKEN, 15.6e12),
    ("1.2 Mtoken/s", units.TOKEN_PER_SECOND, 1.2e6),
    ("120 days", units.SECOND, 120 * 86400.0),
    ("1 day", units.SECOND, 86400.0),
    ("5 years", units.SECOND, 5 * 365.25 * 86400.0),
    ("12 months", units.SECOND, 365.25 * 86400.0),
    ("600 mm", units.METER, 0.6),
    ("1 inch", units.METER, 0.0254),
    ("10 ft", units.METER, 3.048),
    ("1360 kg", units.KILOGRAM, 1360.0),
    ("1 t", units.KILOGRAM, 1000.0),
    ("1 lb", units.KILOGRAM, 0.45359237),
    ("1 CFM", units.CUBIC_METER_PER_SECOND, 0.3048**3 / 60),
    ("90 L/min", units.CUBIC_METER_PER_SECOND, 90e-3 / 60),
    ("0.07 USD/kWh", units.USD_PER_JOULE, 0.07 / 3.6e6),
    ("11 USD/W", units.USD_PER_WATT, 11.0),
    ("11 MUSD/MW", units.USD_PER_WATT, 11.0),
    ("15 USD/kW/month", units.USD_PER_WATT_SECOND, 15e-3 / (30.4375 * 86400)),
    ("0.384 kg/kWh", units.KILOGRAM_PER_JOULE, 0.384 / 3.6e6),
    ("384 g/kWh", units.KILOGRAM_PER_JOULE, 0.384 / 3.6e6),
    ("12600 FIT", units.PER_SECOND, 12600e-9 / 3600),
    ("95 %", units.FRACTION, 0.95),
    ("0.95", units.FRACTION, 0.95),
    ("1_000 W", units.WATT, 1000.0),
    ("1e3 W", units.WATT, 1000.0),
    ("-5 degC", units.CELSIUS, -5.0),
    ("250MUSD", units.USD, 250e6),
]


@pytest.mark.parametrize(("text", "unit", "value"), TABLE, ids=[row[0] for row in TABLE])
def test_defined_quantities(text: str, unit: Unit, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-12)


def test_percent_is_the_nearest_number_and_not_one_beside_it() -> None:
    assert [parse(f"{n} %", units.FRACTION) for n in range(101)] == [n / 100 for n in range(101)]


@pytest.mark.parametrize("unit", [unit for unit in ALL_UNITS if unit.symbol], ids=str)
def test_bare_number_is_refused_where_a_dimension_is_meant(unit: Unit) -> None:
    with pytest.raises(UnitError, match="has no unit"):
        parse("42", unit)


WRONG = [
    ("400 Gb/s", units.BYTE_PER_SECOND, "write Gbit/s for bits or GB/s for bytes"),
    ("80 Gb", units.BYTE, "write Gbit/s for bits or GB/s for bytes"),
    ("30 MVA", units.WATT, "unknown unit 'MVA'"),
    ("30 mw", units.WATT, "unknown unit 'mw'"),
    ("3 gilbert", units.WATT, "unknown unit 'gilbert'"),
    ("1 furlong", units.METER, "unknown unit 'furlong'"),
    ("30 MWh", units.WATT, "unit 'MWh' is not W"),
    ("30 MW", units.JOULE, "unit 'MW' is not J"),
    ("80 GB/s", units.BYTE, "is not B"),
    ("20 K", units.CELSIUS, "is not degC"),
    ("20 degC", units.KELVIN, "is not K"),
    ("thirty MW", units.WATT, "is not a number with a unit"),
    ("", units.WATT, "is not a number with a unit"),
    ("1e999 W", units.WATT, "is not finite"),
    ("5 %", units.WATT, "is not W"),
    ("5 W", units.FRACTION, "is not dimensionless"),
    ("3 EUR", units.USD, "currency EUR has no dated rate"),
    ("__import__('os') W", units.WATT, "is not a number with a unit"),
    ("1 W;W", units.WATT, "unknown unit"),
    ("1 W**9**9**9**9", units.WATT, "unknown unit"),
    ("1 W**99999999", units.WATT, "unknown unit"),
    ("1 W + 1 W", units.WATT, "unknown unit"),
]


@pytest.mark.parametrize(("text", "unit", "message"), WRONG, ids=[row[0] or "empty" for row in WRONG])
def test_refusals_say_why(text: str, unit: Unit, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, unit)
    assert message in str(caught.value)


def test_currency_is_converted_at_its_stated_rate_only() -> None:
    rates = {"EUR": 1.08, "JPY": 0.0066}
    assert parse("100 EUR", units.USD, rates) == pytest.approx(108.0)
    assert parse("2 MEUR", units.USD, rates) == pytest.approx(2.16e6)
    assert parse("10 EUR/kW", units.USD_PER_WATT, rates) == pytest.approx(10.8e-3)
    assert parse("1 USD", units.USD, rates) == 1.0
    with pytest.raises(UnitError, match="known: USD, EUR, JPY"):
        parse("1 GBP", units.USD, rates)


def test_registry_knows_none_of_the_units_of_general_registries() -> None:
    known = {str(name) for name in units.registry()}
    assert not known & {"gilbert", "parsec", "horsepower", "calorie", "fahrenheit", "barn", "dog_year"}


def test_every_spelling_offered_for_an_unknown_unit_is_known() -> None:
    for name in units._SPELT.split():
        assert units.registry().parse_units(name)
