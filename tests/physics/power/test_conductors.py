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


# the whole of NEC table 310.15(B)(1)(1), upper end of each step, as reprinted in building codes (up.codes, table E3705.2)
STEPS = (10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85)
COLUMNS = {
    60: (1.29, 1.22, 1.15, 1.08, 1.00, 0.91, 0.82, 0.71, 0.58, 0.41),
    75: (1.20, 1.15, 1.11, 1.05, 1.00, 0.94, 0.88, 0.82, 0.75, 0.67, 0.58, 0.47, 0.33),
    90: (1.15, 1.12, 1.08, 1.04, 1.00, 0.96, 0.91, 0.87, 0.82, 0.76, 0.71, 0.65, 0.58, 0.50, 0.41, 0.29),
}
PRINTED += [(i, a, factor) for i, column in COLUMNS.items() for a, factor in zip(STEPS, column, strict=False)]


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
