"""Columns as people read them, and certified errors that no rounding makes smaller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.shown_units import shown_error, shown_name, shown_unit

COLUMNS = ("tco_usd", "power_kw", "throughput_tokens_per_s", "carbon_t", "floor_racks", "goodput_fraction", "anything")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("tco_usd", 12_560_001.0, "tco 12.57 MUSD"),
        ("tco_usd", 12_560_000.0, "tco 12.56 MUSD"),
        ("power_kw", 0.4, "power 0.001 MW"),
        ("floor_racks", 3.0, "floor 3.0 racks"),
        ("goodput_fraction", 0.01, "goodput 1.000 %"),
        ("anything", 0.25, "anything 0.2500"),
    ],
)
def test_an_error_in_words(column: str, value: float, words: str) -> None:
    assert shown_error(column, value) == words


@given(st.sampled_from(COLUMNS), st.floats(0.0, 1e12))
def test_an_error_is_never_told_smaller_than_it_is(column: str, value: float) -> None:
    factor, unit, digits = shown_unit(column)
    told = shown_error(column, value).removeprefix(shown_name(column)).removesuffix(unit).replace(",", "")
    step = 10.0 ** -(digits + 1)
    # short of it by no more than the conversion rounds
    assert float(told) >= value * factor * (1 - 1e-12) - 1e-5 * step
    assert float(told) <= value * factor * (1 + 1e-12) + step
