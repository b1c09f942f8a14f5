"""Conductors of a whip against the printed tables, and the lesser of the two rules for continuous loads."""

from __future__ import annotations

import pytest

from models.physics.conductors import ambient_factor, conductor_current, grouping_factor
from models.physics.power import BreakerCode

# NEC table 310.15(B)(1)(1), 90 degC and 75 degC columns; IEC 60364-5-52 table B.52.14, XLPE and PVC
PRINTED = [
    (90, 25, 1.04), (90, 35, 0.96), (90, 40, 0.91), (90, 45, 0.87), (90, 50, 0.82), (90, 60, 0.71), (75, 25, 1.05), (75, 40, 0.88),
    (75, 50, 0.75), (75, 60, 0.58), (70, 40, 0.87), (70, 50, 0.71),
]  # fmt: skip


@pytest.mark.parametrize(("insulation", "ambient", "factor"), PRINTED)
def test_ambient_factors_are_the_printed_ones(insulation: float, ambient: float, factor: float) -> None:
    assert ambient_factor(ambient, insulation) == pytest.approx(factor, abs=0.0051)


def test_no_current_where_the_air_is_as_hot_as_the_insulation_stands() -> None:
    assert ambient_factor(90, 90) == 0


@pytest.mark.parametrize(
    ("code", "grouped", "factor"),
    [
        (BreakerCode.NEC, 3, 1.0), (BreakerCode.NEC, 4, 0.8), (BreakerCode.NEC, 9, 0.7), (BreakerCode.NEC_FULL_RATED, 12, 0.5),
        (BreakerCode.NEC, 41, 0.35), (BreakerCode.IEC, 1, 1.0), (BreakerCode.IEC, 3, 0.7), (BreakerCode.IEC, 10, 0.45), (BreakerCode.IEC, 40, 0.38),
    ],
)  # fmt: skip
def test_grouping_factors_are_the_printed_ones(code: BreakerCode, grouped: int, factor: float) -> None:
    assert grouping_factor(code, grouped) == factor


def test_a_continuous_load_fits_before_and_after_the_factors() -> None:
    # 75 A of conductor: 60 A before the factors (80 %), 75 x 0.9129 = 68.5 A after 40 degC: the first binds
    assert conductor_current(75, BreakerCode.NEC, 40, 90, 3) == pytest.approx(60)
    # with six conductors together 75 x 0.9129 x 0.8 = 54.8 A: the second binds
    assert conductor_current(75, BreakerCode.NEC, 40, 90, 6) == pytest.approx(54.77, abs=0.01)
    assert conductor_current(75, BreakerCode.IEC, 40, 90, 1) == pytest.approx(68.47, abs=0.01)
