"""Properties: writing a quantity in any unit of its dimension and reading it back changes nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from models import units
from models.units import Unit, UnitError, parse

SHOWN_UNITS = {
    units.WATT: ["W", "kW", "MW", "GW", "mW"],
    units.JOULE: ["J", "kWh", "MWh", "Wh"],
    units.BYTE: ["B", "kB", "GB", "TB", "PB", "GiB", "Gbit"],
    units.BYTE_PER_SECOND: ["B/s", "GB/s", "Gbit/s", "Tbit/s", "Mbps"],
    units.USD: ["USD", "kUSD", "MUSD", "GUSD"],
    units.SECOND: ["s", "ms", "us", "min", "h", "days", "week", "years"],
    units.METER: ["m", "mm", "km", "ft", "inch"],
    units.KILOGRAM: ["kg", "g", "t", "lb"],
    units.FLOP_PER_SECOND: ["FLOP/s", "TFLOP/s", "PFLOP/s"],
    units.TOKEN: ["token", "Mtoken", "Ttoken", "tokens"],
    units.TOKEN_PER_SECOND: ["token/s", "ktoken/s", "Mtokens/s"],
    units.USD_PER_JOULE: ["USD/J", "USD/kWh", "USD/MWh"],
    units.KILOGRAM_PER_JOULE: ["kg/J", "g/kWh", "kg/MWh"],
    units.FRACTION: ["", "%"],
}
PAIRS = [(unit, shown) for unit, names in SHOWN_UNITS.items() for shown in names]
numbers = st.floats(min_value=1e-6, max_value=1e12, allow_nan=False)


@pytest.mark.parametrize(("unit", "shown"), PAIRS, ids=[f"{u.dimension}-{s}" for u, s in PAIRS])
@given(number=numbers)
def test_text_to_canonical_and_back(unit: Unit, shown: str, number: float) -> None:
    value = parse(f"{number!r} {shown}", unit)
    assert math.isclose(units.to_unit(value, unit, shown), number, rel_tol=1e-12)
    assert math.isclose(units.convert(number, shown, unit), value, rel_tol=1e-15)


@given(number=numbers, shown=st.sampled_from(SHOWN_UNITS[units.WATT]), factor=st.floats(min_value=1, max_value=1e3))
def test_order_is_kept(number: float, shown: str, factor: float) -> None:
    assert parse(f"{number!r} {shown}", units.WATT) <= parse(f"{number * factor!r} {shown}", units.WATT)


SHOWABLE = [unit for unit in SHOWN_UNITS if unit is not units.FRACTION]


@pytest.mark.parametrize("unit", SHOWABLE, ids=lambda unit: unit.dimension)
@given(value=st.floats(min_value=1e-3, max_value=1e15))
def test_shown_text_is_valid_input_and_names_the_same_value(unit: Unit, value: float) -> None:
    assert parse(units.show(value, unit, digits=17), unit) == pytest.approx(value, rel=1e-12)


class Box(BaseModel):
    power: units.Watts
    share: units.Fraction
    cap: units.WattsOrUnlimited


@given(value=st.integers(min_value=-(10**9), max_value=10**9))
def test_bare_numbers_never_become_watts(value: int) -> None:
    for bare in (value, float(value), str(value)):
        with pytest.raises(ValidationError, match="has no unit"):
            Box.model_validate({"power": bare, "share": 0.5, "cap": "unlimited"})


def test_absent_is_not_unlimited_and_unlimited_is_not_a_number() -> None:
    box = Box.model_validate({"power": "1 W", "share": "50 %", "cap": "unlimited"})
    assert box.cap is units.Unlimited.UNLIMITED
    for wrong in (None, "infinite", float("inf"), True, 1e9):
        with pytest.raises(ValidationError):
            Box.model_validate({"power": "1 W", "share": 0.5, "cap": wrong})
    with pytest.raises(ValidationError):
        Box.model_validate({"power": "unlimited", "share": 0.5, "cap": "1 W"})


@given(text=st.text(max_size=30))
def test_any_text_is_a_quantity_or_a_named_error(text: str) -> None:
    try:
        value = parse(text, units.WATT)
    except UnitError as error:
        message = str(error)
    else:
        assert math.isfinite(value)
        return
    assert repr(text) in message
