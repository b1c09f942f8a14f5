"""Price to win where rivals are quoted: the same part quoted just below that price is in the cheapest design, just above it is not."""

from __future__ import annotations

from models.loading import load
from optimizer.sensitivity.price_to_win import price_to_win
from optimizer.solve import solve


def _cheapest(price: float) -> str:
    quote = {"part": "dgx_h200", "vendor": "Challenger", "price": f"{price:.0f} USD"}
    best = solve(load("tiny/sourcing", overrides={"quotes": {"challenger": quote}}), ["tco"], "exact").points[0]
    return str(best.choices["train.system"])


def test_a_quote_below_the_price_to_win_wins() -> None:
    low, high = price_to_win(load("tiny/sourcing"), "dgx_h200").interval
    assert low is not None
    assert high is not None
    # designs are counted in whole kUSD, twenty-four servers each
    assert _cheapest(low - 200) == "dgx_h200"
    assert _cheapest(high + 200) == "dgx_h100"
