"""Specs to win, worths and gaps are what trying every design gives with the part changed."""

from __future__ import annotations

import pytest

from models.candidates.placement import enumerate_candidates
from models.errors import UsageError
from models.instance import Instance
from models.loading import load
from models.parts.system import System
from optimizer.sensitivity.gap_list import gap_list
from optimizer.sensitivity.part_field import find_part_field, improvable, part_of
from optimizer.sensitivity.part_program import Requirement
from optimizer.sensitivity.repricing import list_price, with_part
from optimizer.sensitivity.spec_section import spec_data, spec_markdown
from optimizer.sensitivity.spec_to_win import SpecToWin, hypothetical, spec_to_win
from tests.sensitivity.brute_money import Known, known_designs, price_to_enter


def designs_at(inst: Instance, part: str, field: str, value: float) -> tuple[list[Known], float]:
    """Every design with the part's field at a value, and the part's list price there."""
    variant = find_part_field(part_of(inst, part), field).variant(value)
    changed = with_part(inst, variant)
    price = list_price(variant, inst.money.price_basis) or 0.0
    return known_designs(changed, enumerate_candidates(changed), part, price), price


def true_wins(designs: list[Known], price: float) -> bool:
    having = min((d.cost(price) for d in designs if d.units), default=None)
    without = min((d.cost(price) for d in designs if not d.units), default=None)
    return having is not None and (without is None or having <= without + 0.01)


def check(inst: Instance, result: SpecToWin) -> None:
    for worth in result.worths:
        designs, price = designs_at(inst, result.part, result.field.name, worth.value)
        assert worth.wins is true_wins(designs, price), worth
        assert worth.objective == pytest.approx(min(d.cost(price) for d in designs), abs=1.0)
        truth = price_to_enter(designs)
        if worth.price_low is not None and worth.price_high is not None:
            assert truth is not None
            assert worth.price_low - 1e-3 <= truth <= worth.price_high + 1e-3
    assert result.proven


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("dgx_h100", "power"),
        ("mi300x_8u", "weight"),
        ("mi300x_8u", "lead time"),
        ("sn5600", "radix"),
        ("ups_1500k", "efficiency"),
        ("crah_fanwall", "power_share"),
        ("dr8_800", "price"),
    ],
)
def test_worths_are_true_at_every_value(part: str, field: str) -> None:
    inst = load("tiny/performance")
    check(inst, spec_to_win(inst, part, field, gap=0.05))


def test_the_threshold_lies_between_in_and_out() -> None:
    inst = load("tiny/performance")
    result = spec_to_win(inst, "sn5600", "price", low=30e3, high=90e3, gap=0.002)
    low, high = result.interval
    assert low is not None
    assert high is not None
    assert result.better == -1
    assert high - low <= 0.002 * 60e3
    for value, wins in ((low, True), (high, False)):
        assert true_wins(*designs_at(inst, "sn5600", "price", value)) is wins
    assert result.one_change
    halved = spec_to_win(inst, "sn5600", "price", low=30e3, high=90e3, gap=0.001)
    assert halved.interval[0] is not None
    assert halved.interval[1] is not None
    assert low <= halved.interval[0] <= halved.interval[1] <= high


def test_an_accelerator_moves_the_systems_it_sits_in() -> None:
    inst = load("tiny/performance")
    result = spec_to_win(inst, "h100_sxm", "peak_bf16")
    assert [w.price_low for w in result.worths if w.price_low is not None]
    prices = [w.price_low for w in result.worths if w.price_low is not None]
    assert prices == sorted(prices)
    assert "h100_sxm" in spec_markdown(result)
    assert len(spec_data(result)["worths"]) == len(result.to_frame())


def test_a_hypothetical_part_is_allowed_where_its_model_is() -> None:
    inst = hypothetical(load("tiny/performance"), "next_server", "dgx_h100", ["price=130000", "power=9 kW"])
    assert part_of(inst, "next_server").id == "next_server"
    result = spec_to_win(inst, "next_server", "power", low=8e3, high=11e3)
    check(inst, result)
    assert result.wins_at == "everywhere"
    with pytest.raises(UsageError, match="colour"):
        hypothetical(inst, "other", "dgx_h100", ["colour=1"])


def test_at_a_requirement_other_designs_count() -> None:
    inst = load("tiny/performance")
    level = Requirement({"throughput": 3.6e6})
    result = spec_to_win(inst, "sn5600", "price", requirement=level)
    for worth in result.worths:
        designs, price = designs_at(inst, "sn5600", "price", worth.value)
        kept = [d for d in designs if d.throughput >= 3.6e6]
        assert worth.wins is true_wins(kept, price)


def test_gains_are_true_for_every_part() -> None:
    inst = load("tiny/performance")
    result = gap_list(inst)
    assert result.proven
    assert {g.layer for g in result.gaps} == {"silicon", "systems", "network", "optics", "power", "cooling"}
    for gap in result.gaps[:: max(1, len(result.gaps) // 8)]:
        if gap.layer == "silicon":
            continue
        designs, price = designs_at(inst, gap.part, gap.field, gap.improved)
        assert gap.gain == pytest.approx(max(0.0, result.best - min(d.cost(price) for d in designs)), abs=1.0)
    assert len(result.to_frame()) == len(result.gaps)


def test_fields_people_name() -> None:
    inst = load("tiny/performance")
    system = part_of(inst, "dgx_h100")
    assert isinstance(system, System)
    power = find_part_field(system, "power")
    assert power.names == ("max_power", "typical_power")
    half = power.variant((system.max_power or 0) / 2)
    assert isinstance(half, System)
    assert half.typical_power == pytest.approx((system.typical_power or 0) / 2)
    assert find_part_field(system, "max_power_w").names == ("max_power",)
    with pytest.raises(UsageError, match="price"):
        find_part_field(system, "prise")
    assert dict(improvable(system))["power"] == -1
