"""Figures as sources print them: grouped digits, a unit, a ratio, a range, a bound, ``about``; and names that state their unit.

``142 kW`` under a name in W is 142,000; ``~24,000`` is read as about 24,000; ``40-50`` and ``[40, 50]`` as any value between.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Bound(Enum):
    """How a published figure is to be read."""

    EQUAL = "equal"
    ABOVE = "above"
    LEAST = "least"
    BELOW = "below"
    MOST = "most"
    ABOUT = "about"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, or a range where ``low`` < ``high``, in the unit its name states."""

    low: float | int
    high: float | int
    bound: Bound = Bound.EQUAL

    @property
    def is_range(self) -> bool:
        """True where any value between two ends is meant."""
        return self.low < self.high

    def nearest(self, value: float) -> float:
        """The value itself inside a range, else the end nearest to it."""
        return min(max(value, self.low), self.high)


_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_NAMED_UNIT = re.compile(r"(?:^|_)(?P<prefix>[kmgt]?)(?P<unit>wh|w|bps|usd)(?=_|$)")
_WRITTEN_UNIT = re.compile(r"(?P<prefix>[kmgt]?)(?P<unit>wh|w|va|bps|b/s|bit/s|be|usd)$", re.IGNORECASE)
_SAME_UNIT = {"va": "w", "b/s": "bps", "bit/s": "bps", "be": "bps"}
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RATIO = re.compile(r"(?P<a>\d+(?:\.\d+)?)\s*:\s*(?P<b>\d+(?:\.\d+)?)(?:\s*\(.*\))?$")
_PRINTED = re.compile(
    rf"(?P<low>{_DIGITS})\s*(?:(?:-|\u2013|\bto\b)\s*(?P<high>{_DIGITS}))?(?P<k>[kK](?=[\s+]|$))?(?P<more>\+)?\s*-?(?P<unit>[A-Za-z/]+)?(?:\s*\(.*\))?$"
)
_PREFIXES: tuple[tuple[str, Bound], ...] = (
    (r"~|\u2248|approx(?:imately|\.)?|about|around|roughly|circa|ca?\.", Bound.ABOUT),
    (r">=|\u2265|at least|min(?:imum|\.)?|no less than", Bound.LEAST),
    (r"<=|\u2264|at most|up to|max(?:imum|\.)?|no more than", Bound.MOST),
    (r">|more than|over|above|greater than", Bound.ABOVE),
    (r"<|less than|under|below|fewer than", Bound.BELOW),
)


def _plain(digits: str) -> float | int:
    text = digits.replace(",", "")
    return int(text) if text.isdigit() else float(text)


def _factor(unit: str | None, name: str) -> float | None:
    """What a figure in ``unit`` is multiplied by to stand under ``name``; None where the unit is of another kind."""
    if not unit:
        return 1.0
    if unit in ("k", "K"):
        return 1e3
    stated = _NAMED_UNIT.search(name)
    if re.fullmatch("[GT]", unit):
        unit += "bps"
    written = _WRITTEN_UNIT.match(unit)
    if written is None:
        # a word that names what is counted
        return 1.0 if stated is None or len(unit) > 3 else None
    kind = written["unit"].lower()
    if stated is None or _SAME_UNIT.get(kind, kind) != stated["unit"]:
        return None
    return _SCALE[written["prefix"].lower()] / _SCALE[stated["prefix"]]


def _times(value: float | int, factor: float) -> float | int:
    if factor == 1.0:
        return value
    scaled = float(f"{value * factor:.12g}")
    return int(scaled) if scaled.is_integer() else scaled


def _read_text(text: str, name: str) -> Figure | None:
    text, bound = text.strip(), Bound.EQUAL
    for pattern, meaning in _PREFIXES:
        found = re.match(rf"(?:{pattern})\s*(?=\d)", text, re.IGNORECASE)
        if found:
            text, bound = text[found.end() :], meaning
            break
    ratio = _RATIO.match(text)
    if ratio:
        value = float(ratio["a"]) / float(ratio["b"]) if float(ratio["b"]) else None
        return None if value is None else Figure(value, value, bound)
    printed = _PRINTED.match(text)
    if printed is None:
        return None
    factor = _factor(printed["unit"], name)
    if factor is None:
        return None
    factor *= 1e3 if printed["k"] else 1.0
    low = _times(_plain(printed["low"]), factor)
    high = _times(_plain(printed["high"]), factor) if printed["high"] else low
    if not math.isfinite(low) or not low <= high < math.inf:
        return None
    return Figure(low, high, Bound.LEAST if printed["more"] else bound)


def figure(value: Any, name: str = "") -> Figure | None:
    """The figure that ``value`` is under ``name``; None for what is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return Figure(value, value)
    if isinstance(value, str):
        return _read_text(value, name)
    if isinstance(value, (list, tuple)) and len(value) == 2:
        ends = [number(end, name) for end in value]
        low, high = ends
        if low is not None and high is not None and low < high:
            return Figure(low, high)
    return None


def number(value: Any, name: str = "") -> float | int | None:
    """A count, figure or ratio written as ``7:1``, also one given as about so much; None for ranges, bounds and anything else."""
    if not isinstance(value, (int, float, str)):
        return None
    found = figure(value, name)
    if found is None or found.is_range or found.bound not in (Bound.EQUAL, Bound.ABOUT):
        return None
    return found.low


def other_units(name: str) -> Iterator[tuple[str, float]]:
    """Names that differ in the prefix of their unit, each with what its value is multiplied by to stand under ``name``."""
    stated = _NAMED_UNIT.search(name)
    if stated is None:
        return
    for prefix, scale in _SCALE.items():
        if prefix != stated["prefix"]:
            other = name[: stated.start("prefix")] + prefix + name[stated.start("unit") :]
            yield other, scale / _SCALE[stated["prefix"]]


def edges(value: Any) -> tuple[int, ...] | None:
    """Edge lengths of a cube or torus, as a list or written ``4x4x4``; None unless all are positive whole numbers."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d+(?:\s*[xX\u00d7*,]\s*\d+)+\s*", value):
        value = [int(edge) for edge in re.findall(r"\d+", value)]
    parts = (
        [number(edge) if isinstance(edge, str) else edge for edge in value] if isinstance(value, (list, tuple)) else []
    )
    whole = all(isinstance(edge, int) and not isinstance(edge, bool) and edge > 0 for edge in parts)
    return tuple(int(edge) for edge in parts if edge is not None) if parts and whole else None
