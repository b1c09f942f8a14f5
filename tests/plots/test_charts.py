"""Charts: what is drawn is the table it was given; computing needs no drawing library."""

from __future__ import annotations

import importlib.util

import pytest

from models.errors import UsageError
from models.loading import load
from optimizer.plots.frontier import frontier_points, plot_frontier
from optimizer.plots.regimes import axis_titles, plot_regimes, regime_table
from optimizer.plots.staircase import plot_staircase, staircase_points
from optimizer.plots.tornado import plot_tornado, tornado_bars
from optimizer.sensitivity.price_to_win import price_to_win
from optimizer.sensitivity.regimes import regime_map
from optimizer.sensitivity.tornado import tornado
from optimizer.solve import solve


def test_every_design_is_drawn_once_at_its_values() -> None:
    frontier = solve(load("tiny/performance"), ["tco", "throughput", "power"])
    points = frontier_points(frontier)
    assert len(points) == len(frontier)
    pytest.importorskip("plotly")
    drawn = plot_frontier(points, x="throughput", y="tco")
    marks = {(x, y) for trace in drawn.data for x, y in zip(trace.x, trace.y, strict=True)}
    expected = {
        (d.objectives["throughput_tokens_per_s"] * 1e-6, d.objectives["tco_usd"] * 1e-6) for d in frontier.points
    }
    assert marks == expected
    assert {trace.name for trace in drawn.data} == {d.choices["train.system"] for d in frontier.points}
    assert frontier.plot().data
    with pytest.raises(UsageError, match="tco"):
        plot_frontier(points, x="tcoo")


def test_a_staircase_has_the_steps_of_the_result() -> None:
    found = price_to_win(load("tiny/performance"), "dgx_h100")
    points = staircase_points(found)
    assert points["price_usd"].is_monotonic_increasing
    assert len(points) == 2 * len(found.staircase)
    pytest.importorskip("plotly")
    assert list(plot_staircase(points, "dgx_h100", found.list_price).data[0].y) == points["units"].tolist()


def test_a_regime_map_has_a_cell_for_every_pair() -> None:
    found = regime_map(
        load("tiny/performance"), "sites.hall.utility", "workloads.train.deadline",
        x_range=(3e5, 1e6), y_range=(15 * 86400.0, 40 * 86400.0), steps=4,
    )  # fmt: skip
    table = regime_table(found)
    assert len(table) == 16
    assert table["x"].min() == pytest.approx(300.0)
    pytest.importorskip("plotly")
    drawn = plot_regimes(table, axis_titles(found))
    cells = sum(1 for trace in drawn.data if trace.type == "heatmap" for row in trace.z for cell in row if cell == 1)
    assert cells == 16


def test_bars_begin_at_the_best_cost_of_today() -> None:
    found = tornado(load("tiny/performance"))
    bars = tornado_bars(found, most=5)
    assert bars["input"].nunique() == 5
    for row in bars.itertuples():
        bar = next(b for b in found.bars if b.name == row.input)
        end = bar.low if row.end == "low" else bar.high
        assert end.best is not None
        assert row.change_musd == pytest.approx((end.best - found.best) / 1e6)
    pytest.importorskip("plotly")
    assert len(plot_tornado(bars).data) == 2


def test_a_missing_library_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "plotly" else known(name))
    points = frontier_points(solve(load("tiny/space"), ["tco", "power"]))
    with pytest.raises(UsageError, match=r"refarch\[report\]"):
        plot_frontier(points)


def test_notebook_views_are_short_and_safe() -> None:
    instance = load("tiny/two-clusters", overrides={"title": "<script>"})
    frontier = solve(instance, ["tco", "power"])
    for view in (instance._repr_html_(), frontier._repr_html_(), frontier.points[0]._repr_html_()):
        assert view.count("<table") == 1
        assert "<script>" not in view
    assert len(repr(instance)) < 80
