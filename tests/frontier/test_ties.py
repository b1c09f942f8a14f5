"""Designs that differ by less than the error band of their throughput are shown as ties."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.design import Design
from optimizer.ties import bands, tie_groups


def _design(clusters: dict[str, tuple[float, float | None]]) -> Design:
    """A design by its clusters' rate (demand is one) and band."""
    figures: dict[str, float] = {"throughput_x_demand": min(rate for rate, _ in clusters.values())}
    for name, (rate, band) in clusters.items():
        figures[f"{name}.tokens_per_s"] = rate
        if band is not None:
            figures[f"{name}.throughput_band"] = band
    return cast(Design, SimpleNamespace(figures=figures))


def _one(rate: float, band: float | None = 0.1) -> Design:
    return _design({"train": (rate, band)})


def test_groups_have_a_leader_and_do_not_chain() -> None:
    assert tie_groups([_one(r) for r in (70, 80, 88, 92, 100)]) == [3, 2, 2, 1, 1]
    assert tie_groups([_one(r) for r in (100, 91, 82, 74)]) == [1, 1, 2, 2]


def test_the_wider_band_of_two_decides() -> None:
    assert tie_groups([_one(100, 0.05), _one(85, 0.2)]) == [1, 1]
    assert tie_groups([_one(100, 0.05), _one(85, 0.1)]) == [1, 2]


def test_every_cluster_must_tie() -> None:
    near = _design({"train": (1.0, 0.1), "chat": (1.5, 0.2)})
    assert tie_groups([near, _design({"train": (0.95, 0.1), "chat": (1.3, 0.2)})]) == [1, 1]
    assert tie_groups([near, _design({"train": (0.95, 0.1), "chat": (1.1, 0.2)})]) == [1, 2]
    exact = _design({"train": (1.0, 0.1), "chat": (1.5, None)})
    assert tie_groups([exact, _design({"train": (0.95, 0.1), "chat": (1.49, None)})]) == [1, 2]


def test_nothing_is_said_where_throughput_has_no_band() -> None:
    assert tie_groups([_one(1, None), _one(2, None)]) == [None, None]
    assert bands(_one(1, None)) == {}
    assert tie_groups([]) == []


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 0.5)), min_size=1, max_size=30))
def test_leaders_differ_by_more_than_the_band_and_members_by_less(given_designs: list[tuple[float, float]]) -> None:
    groups = cast("list[int]", tie_groups([_one(*one) for one in given_designs]))
    members: dict[int, list[tuple[float, float]]] = {}
    for group, one in zip(groups, given_designs, strict=True):
        members.setdefault(group, []).append(one)
    leaders = {group: max(found, key=lambda one: one[0]) for group, found in members.items()}
    assert sorted(members) == list(range(1, len(members) + 1))
    for group, found in members.items():
        top = leaders[group][0]
        assert all(top - rate <= max(band, *(b for r, b in found if r == top)) * top for rate, band in found)
    tops = [leaders[group][0] for group in sorted(members)]
    assert tops == sorted(tops, reverse=True)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    from models.loading import load
    from optimizer.solve import solve

    overrides = {"workloads": {"train": {"throughput": "mapping", "global_batch": "4.194304 Mtoken"}}}
    return solve(load("tiny/performance", overrides=overrides), resolution="exact").rows()


def test_the_table_says_band_and_tie(rows: list[dict[str, Any]]) -> None:
    assert all(0.08 < row["train.throughput_band"] < 0.3 for row in rows)
    assert {row["tie"] for row in rows} == set(range(1, max(row["tie"] for row in rows) + 1))
    best = max(rows, key=lambda row: row["throughput_tokens_per_s"])
    assert best["tie"] == 1
