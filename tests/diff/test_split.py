"""Splits sum exactly, and Shapley's is the mean over all orders."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.diff.runs import exact_sum
from optimizer.diff.split import split

NAMES = ("a", "b", "c", "d")


def _subsets(names: tuple[str, ...]) -> list[frozenset[str]]:
    return [frozenset(n for i, n in enumerate(names) if mask >> i & 1) for mask in range(2 ** len(names))]


tables = st.lists(st.integers(-(10**9), 10**9), min_size=16, max_size=16)


@given(tables)
def test_shapley_is_the_mean_over_all_orders(values: list[int]) -> None:
    known = dict(zip(_subsets(NAMES), values, strict=True))
    found = split(NAMES, known.get, most=4)
    assert found is not None
    assert found.method == "shapley"
    orders = list(permutations(NAMES))
    for name in NAMES:
        steps = [
            known[frozenset(order[: order.index(name) + 1])] - known[frozenset(order[: order.index(name)])]
            for order in orders
        ]
        assert found.parts[name] == Fraction(sum(steps), len(orders))
    assert sum(found.parts.values()) == found.after - found.before


@settings(max_examples=300)
@given(tables, st.sets(st.integers(1, 14)), st.sampled_from([0, 4]))
def test_parts_sum_exactly_where_steps_have_no_design(values: list[int], absent: set[int], most: int) -> None:
    known = {s: None if n in absent else v for n, (s, v) in enumerate(zip(_subsets(NAMES), values, strict=True))}
    found = split(NAMES, known.get, most=most)
    assert found is not None
    assert sum(found.parts.values()) == found.after - found.before
    assert sorted(name for part in found.parts for name in part.split(" + ")) == sorted(NAMES)


def test_without_a_value_at_an_end_there_is_no_split() -> None:
    assert split(("a",), {frozenset(): 1, frozenset("a"): None}.get) is None


@given(
    st.lists(st.fractions(-(10**9), 10**9, max_denominator=24), min_size=1, max_size=8), st.integers(-(10**9), 10**9)
)
def test_columns_of_whole_quanta_sum_in_any_order(parts: list[Fraction], total: int) -> None:
    parts.append(total - sum(parts))
    found = list(exact_sum({str(n): float(part) for n, part in enumerate(parts)}, total).values())
    assert sum(found) == sum(reversed(found)) == sum(sorted(found)) == total
    assert all(abs(value - part) < 0.01 for value, part in zip(found, parts, strict=True))


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8))
def test_columns_of_small_quanta_sum_too(parts: list[int]) -> None:
    total = sum(parts) * 1e-6
    found = exact_sum({str(n): part * 1e-6 for n, part in enumerate(parts)}, total)
    assert math.fsum(found.values()) == pytest.approx(total, rel=0, abs=1e-15 * max(map(abs, parts)))
