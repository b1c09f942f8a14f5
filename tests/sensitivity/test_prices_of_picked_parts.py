"""Prices to win of parts that are picked by price before the program: held against candidates made afresh at many prices.

At each price the cheapest medium, feed or frame is picked before anything else is known of a design, so that what is picked at
another price may be cheaper in all: the truth is the cheapest of everything that is picked at any price.
"""

from __future__ import annotations

import itertools
import math

import pytest

from models.candidates.placement import enumerate_candidates
from models.instance import Instance
from models.loading import load
from models.parts.part import PriceRange
from optimizer.sensitivity.price_to_win import PriceToWin, price_to_win
from optimizer.sensitivity.repricing import find_part, picked_by_price, priced_at, with_part
from tests.sensitivity.brute_money import Known, known_designs


def _picked_at(inst: Instance, part: str, price: float) -> list[Known]:
    """Every legal design of what is picked at a price; what it costs at another follows from its units."""
    changed = with_part(inst, priced_at(find_part(inst, part), PriceRange(price, price)))
    return known_designs(changed, enumerate_candidates(changed), part, price)


def _prices(result: PriceToWin) -> list[float]:
    """Every change and just beside it, the middle of every step, and a grid over all of it."""
    changes = [s.price_high for s in result.staircase if s.price_high is not None]
    listed = result.list_price or 1.0
    bounded = result.staircase[-1].price_high is not None  # nothing does without it: there is no end to look beyond
    top = max(changes) if bounded else 1.6 * max([*changes, listed])
    ends = [0.0, *changes, top]
    beside = [c * f for c in changes for f in (0.999, 1.0, 1.001)]
    middles = [(a + b) / 2 for a, b in itertools.pairwise(ends)]
    return [p for p in (listed, *beside, *middles, *(top * n / 8 for n in range(9))) if p <= top]


@pytest.mark.parametrize(
    "part", ["sr8_800", "aoc_400", "sr4_400", "dr4_400", "dac_400", "dr8_800", "rpdu_23k", "eia48"]
)
def test_nothing_picked_at_any_price_contradicts_the_staircase(part: str) -> None:
    inst = load("tiny/performance")
    assert picked_by_price(find_part(inst, part))
    result = price_to_win(inst, part)
    assert result.proven
    if not result.staircase:
        assert result.interval == (None, None)
        assert not any(d.units for price in (0.0, result.list_price or 1.0) for d in _picked_at(inst, part, price))
        return
    prices = _prices(result)
    designs = [d for price in prices for d in _picked_at(inst, part, price)]
    for price in prices:
        best = min(d.cost(price) for d in designs)
        bought = {d.units for d in designs if d.cost(price) <= best + 0.02}
        steps = [
            s for s in result.staircase if s.price_low <= price and (s.price_high is None or price <= s.price_high)
        ]
        assert bought & {s.units for s in steps}, (price, bought, steps)
    low, high = result.interval
    if low is not None and high is not None and low > 0:
        for price, wins in ((low, True), (high, False)):
            having, without = (min(d.cost(price) for d in designs if bool(d.units) is has) for has in (True, False))
            assert (having - without) * (1 if wins else -1) <= 0.02


def test_stopped_early_only_the_lower_end_is_claimed() -> None:
    inst = load("tiny/performance")
    whole = price_to_win(inst, "sr8_800")
    for seconds in (1e-6, 0.3, 0.6, 1.0):
        result = price_to_win(inst, "sr8_800", time_limit=seconds)
        if not result.proven:
            truth = whole.interval[0] if whole.interval[0] is not None else math.inf
            assert result.interval[0] is None or result.interval[0] <= truth * (1 + 1e-6)
