"""The change of an optimum split over the inputs that changed, so that the parts sum to the whole exactly.

With few changes the split is Shapley's: the mean over all orders of making the changes one after the other, so that it depends on
no order. With many it is sequential, in the order listed. Changes whose instance has no design without further ones are counted
together with these. Values are whole quanta, parts exact fractions of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import factorial

MOST_FOR_SHAPLEY = 4

Value = Callable[[frozenset[str]], int | None]


@dataclass(frozen=True)
class Split:
    """Parts by group in quanta; ``method`` is ``shapley`` or ``sequential``. Parts sum to ``after - before``."""

    before: int
    after: int
    parts: Mapping[str, Fraction]
    method: str


def split(groups: Sequence[str], value: Value, most: int = MOST_FOR_SHAPLEY) -> Split | None:
    """The split of ``value(all groups) - value(none)``; None where either end has no value."""
    before, after = value(frozenset()), value(frozenset(groups))
    if before is None or after is None:
        return None
    if len(groups) <= most:
        return Split(before, after, _shapley([frozenset((g,)) for g in groups], value), "shapley")
    return Split(before, after, _sequential(groups, value, before), "sequential")


def _shapley(players: list[frozenset[str]], value: Value) -> dict[str, Fraction]:
    """Shapley's parts; changes that have no value one without the other are one player."""
    n = len(players)
    values: dict[frozenset[str], int] = {}
    for size in range(n + 1):
        for chosen in combinations(players, size):
            together = frozenset().union(*chosen)
            reached = value(together)
            if reached is None:
                return _shapley(_joined(players, together, value), value)
            values[together] = reached
    parts = {}
    for player in players:
        others = [p for p in players if p != player]
        total = Fraction(0)
        for size in range(n):
            weight = Fraction(factorial(size) * factorial(n - size - 1), factorial(n))
            for chosen in combinations(others, size):
                without = frozenset().union(*chosen)
                total += weight * (values[without | player] - values[without])
        parts[" + ".join(sorted(player))] = total
    return parts


def _joined(players: list[frozenset[str]], failing: frozenset[str], value: Value) -> list[frozenset[str]]:
    """Players with those made one that complete ``failing`` to something that has a value, as few as possible."""
    inside = [p for p in players if p <= failing]
    outside = [p for p in players if not p <= failing]
    for size in range(1, len(outside) + 1):
        for more in combinations(outside, size):
            whole = failing.union(*more)
            if value(whole) is not None:
                return [whole, *(p for p in outside if p not in more)]
    raise AssertionError(f"all changes together have a value, so {sorted(inside[0])} is part of something that has one")


def _sequential(groups: Sequence[str], value: Value, before: int) -> dict[str, Fraction]:
    parts: dict[str, Fraction] = {}
    last, waiting, made = before, [], []
    for name in groups:
        made.append(name)
        waiting.append(name)
        reached = value(frozenset(made))
        if reached is None:
            continue
        parts[" + ".join(waiting)] = Fraction(reached - last)
        last, waiting = reached, []
    return parts
