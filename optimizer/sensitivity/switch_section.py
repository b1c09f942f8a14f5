"""Switch points and regime maps as plain data, sentences and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from optimizer.sensitivity.limits_section import amount
from optimizer.sensitivity.regimes import RegimeMap
from optimizer.sensitivity.switch_points import Range, SwitchPoints
from optimizer.tables import markdown_table

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def switch_data(result: SwitchPoints) -> dict[str, Any]:
    """``data`` of ``switch-points --json``: values of the field in its canonical unit."""
    return {
        "field": result.field.name,
        "unit": result.field.unit.symbol,
        "kind": result.kind.value,
        "value": result.field.value,
        "objective": result.objective,
        "column": result.column,
        "range": [result.low, result.high],
        "ranges": [asdict(r) for r in result.ranges],
        "switch_points": [asdict(p) for p in result.points],
        "today": result.today,
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }


def switch_sentence(result: SwitchPoints) -> str:
    """The answer in one sentence."""
    field = result.field
    here = next((r for r in result.ranges if field.value is not None and r.low <= field.value <= r.high), None)
    if here is None or not here.design_id:
        return f"{field.name}: {len(result.points)} changes between {field.shown(result.low)} and {field.shown(result.high)}."
    kept = f"from {field.shown(here.low)} to {field.shown(here.high)}"
    if not result.points:
        return f"{field.name}: the best design is the same {kept}, all of the range looked at."
    return f"{field.name}: today's best design stays the best {kept} (now {field.shown(field.value or 0.0)})."


def switch_rows(result: SwitchPoints) -> list[tuple[str, ...]]:
    """Cells of a table: range, objective at its ends, regret of today's design, design and architecture."""
    return [
        (
            result.field.shown(r.low),
            result.field.shown(r.high),
            _ends(result, r.objective_low, r.objective_high),
            _regret(result, r),
            r.design_id or "none is legal",
            r.architecture,
        )
        for r in result.ranges
    ]


SWITCH_HEADINGS = ("from", "to", "objective", "regret of today's", "design", "architecture")


def _ends(result: SwitchPoints, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "-"
    first, last = amount(result.column, low), amount(result.column, high)
    return first if first == last else f"{first} to {last}"


def _regret(result: SwitchPoints, piece: Range) -> str:
    if not piece.design_id or not result.today:
        return "-"
    if piece.regret_low is None or piece.regret_high is None:
        return "not legal"
    return _ends(result, piece.regret_low, piece.regret_high)


def switch_markdown(result: SwitchPoints) -> str:
    """A section of a sensitivity report."""
    lines = [
        f"## Switch points of {result.field.name}",
        "",
        f"Which design is the best at which value of {result.field.name}, and what keeping today's would cost beyond its range.",
        "",
        switch_sentence(result),
        "",
    ]
    lines += markdown_table(SWITCH_HEADINGS, switch_rows(result), SWITCH_HEADINGS[:4])
    return "\n".join(lines) + "\n"


def regime_data(result: RegimeMap) -> dict[str, Any]:
    """``data`` of ``switch-points --field2 --json``."""
    return {
        "field": result.x.name,
        "field2": result.y.name,
        "units": [result.x.unit.symbol, result.y.unit.symbol],
        "objective": result.objective,
        "architectures": list(result.architectures),
        "cells": [asdict(cell) for cell in result.cells],
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }


def regime_lines(result: RegimeMap) -> Iterator[str]:
    """The map with one letter per architecture, largest ``y`` on top; a dot where nothing is legal."""
    names = result.architectures
    xs = list(dict.fromkeys(c.x for c in result.cells))
    ys = list(dict.fromkeys(c.y for c in result.cells))
    at = {(c.x, c.y): c for c in result.cells}
    width = max(len(result.y.shown(y)) for y in ys)
    yield f"{result.y.name} upwards, {result.x.name} to the right"
    for y in reversed(ys):
        marks = " ".join(_letter(names, at[x, y].architecture) for x in xs)
        yield f"{result.y.shown(y):>{width}}  {marks}"
    yield f"{'':>{width}}  {result.x.shown(xs[0])} ... {result.x.shown(xs[-1])}"
    for number, name in enumerate(names):
        yield f"{LETTERS[number % len(LETTERS)]}: {name}"


def _letter(names: tuple[str, ...], name: str) -> str:
    return LETTERS[names.index(name) % len(LETTERS)] if name in names else "."


def regime_markdown(result: RegimeMap) -> str:
    """A section of a sensitivity report."""
    said = regime_sentence(result)
    lines = [
        f"## {result.x.name} and {result.y.name}",
        "",
        "The best architecture over two figures of the instance at once, one letter a value; a dot where nothing is legal.",
        "",
        said[0].upper() + said[1:],
        "",
        "```",
        *regime_lines(result),
        "```",
    ]
    return "\n".join(lines) + "\n"


def regime_sentence(result: RegimeMap) -> str:
    """The answer in one sentence."""
    names = result.architectures
    over = f"over {result.x.name} and {result.y.name}"
    wins = "one architecture wins everywhere" if len(names) == 1 else f"{len(names)} architectures win somewhere"
    unsure = sum(not cell.proven for cell in result.cells)
    proof = f"; {unsure} of {len(result.cells)} pairs of values are not proven" if unsure else ""
    return f"{wins} {over}{proof}."
