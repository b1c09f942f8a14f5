"""What a price to win says: plain data for JSON, Markdown for a report, one sentence for a reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.sensitivity.part_program import UNIT_PRICE
from optimizer.sensitivity.price_to_win import PriceToWin
from optimizer.tables import markdown_table


def price_data(result: PriceToWin) -> dict[str, Any]:
    """``data`` of ``price-to-win --json``; money in USD a unit."""
    return {
        "part": result.part,
        "objective": result.objective,
        "requirement": dict(result.requirement),
        "volume": result.volume,
        "interval": list(result.interval),
        "unit": result.unit,
        "list_price": result.list_price,
        "wins_at_list": result.wins_at_list,
        "staircase": [
            {"price_low": s.price_low, "price_high": s.price_high, "units": s.units, "design_id": s.design_id}
            for s in result.staircase
        ],
        "displaces": [
            {"part": d.part, "layer": d.layer, "vendor": d.vendor, "units_without": d.units_without, "units_with": d.units_with}
            for d in result.displaces
        ],
        "reason": result.reason,
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }  # fmt: skip


def price_sentence(result: PriceToWin) -> str:
    """The answer in one sentence."""
    who = f"{result.part}" if result.volume == 1 else f"{result.volume:,} units of {result.part}"
    low, high = result.interval
    listed = "it has no list price" if result.list_price is None else f"list price {_price(result, result.list_price)}"
    each = " a unit" if result.unit == UNIT_PRICE else ""
    if low is None and high is None:
        return f"{who}: no price wins; {result.reason}."
    if low is not None and high is None:
        why = result.reason or "not proven beyond"
        return f"{who}: wins at any price examined, up to {_price(result, low)}{each}; {why} ({listed})."
    assert high is not None
    if high <= 0.0:
        paid = f"would have to be paid {_price(result, -high)}{each}" if high < 0 else "does not win"
        return f"{who}: {paid} even as a gift ({listed})."
    verdict = {True: "wins at list price", False: "loses at list price", None: "undecided at list price"}[
        result.wins_at_list
    ]
    change = ""
    if result.list_price and result.wins_at_list is False:
        change = f", which has to come down {1 - high / result.list_price:.1%}"
    if result.list_price and result.wins_at_list:
        change = f", which leaves {(low or 0.0) / result.list_price - 1:.1%} of room"
    proof = "" if result.proven else "; stopped early, the interval holds the truth but is not as narrow as it could be"
    return f"{who}: wins below {_interval(result)}{each}; {verdict} ({listed}{change}){proof}."


def _price(result: PriceToWin, amount: float) -> str:
    return dollars(amount) if result.unit == UNIT_PRICE else f"{amount:.4f} {result.unit}"


def _interval(result: PriceToWin) -> str:
    low, high = result.interval
    if result.unit == UNIT_PRICE or low is None or high is None:
        return interval_text(low, high)
    first, last = f"{low:.4f}", f"{high:.4f}"
    return f"{first if first == last else f'{first} to {last}'} {result.unit}"


def step_rows(result: PriceToWin) -> list[tuple[str, str, str, str]]:
    """Cells of the staircase: from, to, units, design."""
    return [
        (
            _price(result, s.price_low),
            "any" if s.price_high is None else _price(result, s.price_high),
            f"{s.units:,}",
            s.design_id,
        )
        for s in result.staircase
    ]


PRICE_HEADINGS = ("part", "requirement", "units", "wins below, a unit", "list price", "displaces", "proof")
STEP_HEADINGS = ("from", "to", "units", "design")


def price_markdown(results: Sequence[PriceToWin]) -> str:
    """A section of a sensitivity report: one row per part and requirement, then the staircases."""
    lines = [
        "## Price to win",
        "",
        (
            "The highest unit price at which a part is in the cheapest design, everything else at list price: below it the part is bought, "
            "above it is not. An interval holds the truth."
        ),
        "",
    ]
    rows = []
    for r in results:
        asked = ", ".join(f"{k} {v:,.6g}" for k, v in r.requirement.items()) or "demand"
        low, high = r.interval
        wins = r.reason if low is None and high is None else _interval(r)
        gone = displaced_text(r)
        price = "-" if r.list_price is None else _price(r, r.list_price)
        proof = "proven" if r.proven else "stopped early"
        rows.append((r.part, asked, f"{r.volume:,}", wins, price, gone or "-", proof))
    lines += markdown_table(PRICE_HEADINGS, rows, PRICE_HEADINGS[2:5])
    for r in results:
        if len(r.staircase) > 1:
            lines += ["", f"Demand for {r.part} by unit price:", ""]
            lines += markdown_table(STEP_HEADINGS, step_rows(r), STEP_HEADINGS[:3])
    return "\n".join(lines) + "\n"


def displaced_text(result: PriceToWin, most: int = 3) -> str:
    """What the part takes the place of: the parts with most money first."""
    return ", ".join(f"{d.units_without - d.units_with:,} {d.part}" for d in result.displaces[:most])


def interval_text(low: float | None, high: float | None) -> str:
    """An interval of money as people write it: one figure where both ends print the same."""
    if high is None:
        return f"more than {dollars(low)}" if low is not None else "-"
    if low is None:
        return f"less than {dollars(high)}"
    first, last = dollars(low), dollars(high)
    return first if first == last else f"{first} to {last}"


def dollars(amount: float) -> str:
    """Money to the dollar, to the cent below a hundred."""
    return f"{amount:,.2f} USD" if abs(amount) < 100 else f"{amount:,.0f} USD"
