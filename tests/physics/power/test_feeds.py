"""Feeds and phases: the usual nameplates, phasor sums by hand, part-load curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import power

NEC, IEC = power.BreakerCode.NEC, power.BreakerCode.IEC
watts = st.floats(0, 5e4)


@pytest.mark.parametrize(
    ("volts", "amps", "code", "kw"),
    [
        (415, 60, NEC, 34.5),
        (415, 100, NEC, 57.5),
        (415, 32, IEC, 23.0),
        (208, 60, NEC, 17.3),
        (415, 250, NEC, 143.8),
        (415, 400, NEC, 230.0),
        (415, 1200, NEC, 690.0),
    ],
)
def test_three_phase_nameplates(volts, amps, code, kw):
    assert power.feed_capacity(volts, amps, code) / 1e3 == pytest.approx(kw, rel=0.003)


def test_codes_and_derating():
    assert power.continuous_share(power.BreakerCode("nec")) == 0.8
    assert power.continuous_share(power.BreakerCode.NEC_FULL_RATED) == 1.0
    assert power.usable_current([60.0, 32.0], IEC, 0.9) == pytest.approx([54.0, 28.8])
    assert power.feed_capacity(240, 30, NEC, phases=1) == pytest.approx(5760)
    assert power.feed_capacity(415, 60, NEC, power_factor=0.95) == pytest.approx(
        0.95 * power.feed_capacity(415, 60, NEC)
    )
    with pytest.raises(ValueError, match="phases"):
        power.feed_capacity(415, 60, NEC, phases=2)


def test_equal_loads_of_any_kind_are_a_balanced_load():
    wye = power.line_currents([4e3] * 3, [0] * 3, 0.0, 415)
    delta = power.line_currents([0] * 3, [4e3] * 3, 0.0, 415)
    three = power.line_currents([0] * 3, [0] * 3, 12e3, 415)
    assert wye == pytest.approx(three)
    assert delta == pytest.approx(three)
    assert three == pytest.approx([12e3 / (np.sqrt(3) * 415)] * 3)


def test_one_pair_loads_two_lines_by_the_full_current():
    assert power.line_currents([0] * 3, [2080.0, 0, 0], 0.0, 208) == pytest.approx([10, 10, 0], abs=1e-9)


def test_two_pairs_share_a_line_by_root_three():
    # L1-L2 and L2-L3 meet in L2 at 120 degrees apart: sqrt(3) times one current.
    assert power.line_currents([0] * 3, [2080.0, 2080.0, 0], 0.0, 208) == pytest.approx([10, 10 * np.sqrt(3), 10])


def test_pair_beside_a_neutral_load_adds_at_thirty_degrees():
    # 10 A on L1-N and 10 A on L1-L2, which leads by 30 degrees: |1 + e^(j30)| = sqrt(2 + sqrt 3).
    lines = power.line_currents([208 / np.sqrt(3) * 10, 0, 0], [2080.0, 0, 0], 0.0, 208)
    assert lines == pytest.approx([10 * np.sqrt(2 + np.sqrt(3)), 10, 0], abs=1e-9)


@given(st.lists(watts, min_size=3, max_size=3), st.lists(watts, min_size=3, max_size=3), watts)
def test_turning_the_phases_turns_the_currents(wye, delta, even):
    lines = power.line_currents(wye, delta, even, 415)
    turned = power.line_currents(np.roll(wye, 1), np.roll(delta, 1), even, 415)
    assert turned == pytest.approx(np.roll(lines, 1), abs=1e-6)
    assert lines.max() * 415 * np.sqrt(3) >= (sum(wye) + sum(delta) + even) * (1 - 1e-9)


def test_neutral_and_imbalance():
    assert power.neutral_current([5e3] * 3, 415) == pytest.approx(0, abs=1e-9)
    assert power.neutral_current([2396.0, 0, 0], 415) == pytest.approx(10.0, rel=1e-3)
    assert power.phase_imbalance([[10.0, 12.0, 8.0], [0, 0, 0]]) == pytest.approx([0.2, 0])


@given(st.integers(0, 60), st.sampled_from([3, 6]))
def test_dealing_in_turn_is_even(loads, positions):
    counts = power.rotate_over_phases(loads, positions)
    assert counts.sum() == loads
    assert counts.max() - counts.min() <= 1


def test_the_heaviest_phase_binds():
    # Four loads of 4 kW on a 30 kW feed: two share a phase of 10 kW, all fit; at 6 kW the doubled phase lets only 5 kW each through.
    assert power.phase_limited_power([4, 4, 6], [4e3, 6e3, 5e3], 30e3).tolist() == pytest.approx([16e3, 20e3, 30e3])
    assert power.phase_limited_power(0, 4e3, 30e3) == 0


@given(st.integers(1, 12), st.floats(100, 9000))
def test_phase_limit_agrees_with_the_line_currents(loads, each):
    capacity = float(power.feed_capacity(415, 32, IEC))
    allowed = float(power.phase_limited_power(loads, each, capacity)) / loads
    lines = power.line_currents(power.rotate_over_phases(loads) * allowed, [0] * 3, 0.0, 415)
    assert lines.max() <= 32 * (1 + 1e-9)
    assert allowed == pytest.approx(each) or lines.max() == pytest.approx(32)


def test_transient_factor():
    assert power.transient_power(100.0, 1.4) == pytest.approx(140)
    with pytest.raises(ValueError, match="at least 1"):
        power.transient_power(100.0, 0.9)


TITANIUM = ([0.1, 0.2, 0.5, 1.0], [0.90, 0.94, 0.96, 0.91])  # 80 PLUS Titanium, 230 V redundant


def test_efficiency_is_linear_between_published_points():
    assert power.efficiency_at([0.1, 0.2, 0.35, 0.5, 1.0, 1.2], *TITANIUM) == pytest.approx(
        [0.90, 0.94, 0.95, 0.96, 0.91, 0.91]
    )


def test_below_the_first_point_the_loss_stands_still():
    losses = power.input_power(np.array([0.0, 0.02, 0.05, 0.1]) * 3000, 3000.0, *TITANIUM) - np.array([0, 60, 150, 300])
    assert losses == pytest.approx([300 / 0.9 - 300] * 4)
    assert power.efficiency_at(0.0, *TITANIUM) == 0


@given(st.floats(0.0, 1.2))
def test_input_covers_output_and_agrees_with_efficiency(share):
    drawn = float(power.input_power(share * 3e3, 3e3, *TITANIUM))
    assert drawn > share * 3e3
    assert share * 3e3 / drawn == pytest.approx(float(power.efficiency_at(share, *TITANIUM)), abs=1e-12)


@pytest.mark.parametrize(
    "curve", [([0.5, 0.2], [0.9, 0.9]), ([0.5], [0.9, 0.9]), ([0.2], [1.1]), ([0.0, 1.0], [0.9, 0.9]), ([], [])]
)
def test_broken_curves_are_refused(curve):
    with pytest.raises(ValueError, match=r"curve|efficiencies"):
        power.efficiency_at(0.5, *curve)


def test_a_pattern_shrinks_until_its_fullest_line_fits():
    # Four 208 V supplies dealt over three pairs: L1-L2 twice. 24 A is 80 % of 30 A.
    pairs = power.rotate_over_phases(4) * 3000.0
    lines = power.line_currents([0.0] * 3, pairs, 0.0, 208.0)
    scale = float(power.load_scale(lines, 24.0))
    assert scale < 1
    assert power.line_currents([0.0] * 3, pairs * scale, 0.0, 208.0).max() == pytest.approx(24.0)
    assert power.load_scale([[1.0, 2, 3], [0, 0, 0]], 24.0).tolist() == [1, 1]


def test_a_chain_loses_stage_by_stage():
    supply = power.ConversionStage("power supply", *(tuple(v) for v in TITANIUM))
    ups = power.ConversionStage("ups", (0.25, 0.5, 0.75, 1.0), (0.95, 0.97, 0.968, 0.965))
    drawn, losses = power.chain_input(500e3, [supply, ups], [1e6, 2e6])
    assert drawn == pytest.approx(500e3 / 0.96 / np.interp(500 / 0.96 / 2000, [0.25, 0.5], [0.95, 0.97]))
    assert 500e3 + sum(losses) == pytest.approx(float(drawn))
    # The same load on 2N blocks runs at half the share and loses more.
    _, spread = power.chain_input(500e3, [supply, ups], [1e6, 4e6])
    assert spread[1] > losses[1]
