"""Price to win of the systems and switches that come nearest, with what is bought at every price."""

from __future__ import annotations

from models.parts.network_part import Switch
from models.parts.system import System
from optimizer.report.chapter import Asked, Chapter, Request, Told, Topic, Turn
from optimizer.sensitivity.price_section import displaced_text, dollars, price_data, price_markdown, price_sentence
from optimizer.sensitivity.price_to_win import PriceToWin, price_to_win

SYSTEMS, SWITCHES = 6, 4
WITHIN_REACH = 0.5
"""Share of the list price beyond which a cut is nothing to ask for."""


def _write(asked: Asked) -> Told:
    parts = [*asked.nearest("system", SYSTEMS), *asked.nearest("switch", SWITCHES)]
    found: list[PriceToWin] = []
    for number, part in enumerate(parts):
        asked.say(f"price to win of {part}")
        # systems and switches are not picked by price while candidates are made
        known = (asked.instance, asked.candidates) if isinstance(asked.parts[part], System | Switch) else None
        share = asked.effort(len(parts) - number)
        found.append(price_to_win(asked.instance, part, gap=asked.gap, candidates=known, effort=share))
    said = " ".join(price_sentence(r) for r in found[:2]) if found else "no part to ask about."
    return Told(
        said,
        price_markdown(found),
        [price_data(r) for r in found],
        all(r.proven for r in found),
        turns=tuple(t for r in found if (t := _turn(r)) is not None),
        requests=tuple(q for r in found if (q := _request(asked, r)) is not None),
        parts=tuple(parts),
    )


def _turn(result: PriceToWin) -> Turn | None:
    low, high = result.interval
    if not result.list_price or low is None or high is None or high <= 0:
        return None
    if result.wins_at_list is False:
        then, follows = f"below {dollars(low)}", f"{_bought(result)} {result.part} instead of {displaced_text(result)}"
        share = low / result.list_price - 1.0
    elif result.wins_at_list:
        then, follows = f"above {dollars(high)}", f"{displaced_text(result) or 'other parts'} instead of it"
        share = high / result.list_price - 1.0
    else:
        return None
    return Turn(f"price of {result.part}", f"{dollars(result.list_price)} a unit", then, follows, share, result.proven)


def _bought(result: PriceToWin) -> str:
    return f"{next((s.units for s in reversed(result.staircase) if s.units), 0):,}"


def _request(asked: Asked, result: PriceToWin) -> Request | None:
    low, _ = result.interval
    if not result.list_price or result.wins_at_list is not False or low is None or low <= 0:
        return None
    cut = 1.0 - low / result.list_price
    if cut > WITHIN_REACH:
        return None
    units = next((s.units for s in reversed(result.staircase) if s.units), 0)
    return Request(
        Topic.PRICE, asked.vendor(result.part), f"unit price of {result.part}", dollars(result.list_price),
        f"below {dollars(low)} (-{cut:.1%})", f"an order of {units:,} units, {units * low / 1e6:,.1f} MUSD", units * low,
    )  # fmt: skip


CHAPTER = Chapter("price-to-win", 50, "Price to win", _write)
