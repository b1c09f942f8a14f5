"""A map of two fields: which architecture is best where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.units import USD_PER_JOULE, WATT
from optimizer.plots.drawing import COLOURS, figure, graph_objects
from optimizer.sensitivity.instance_field import InstanceField
from optimizer.sensitivity.regimes import RegimeMap

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "nothing legal"


def regime_table(result: RegimeMap) -> pd.DataFrame:
    """One row per cell: both values in the unit people read, the architecture that wins, its cost [USD] where that is what counts."""
    import pandas as pd

    (across, _), (up, _) = _reading(result.x), _reading(result.y)
    return pd.DataFrame(
        [
            {"x": c.x * across, "y": c.y * up, "architecture": c.architecture if c.design_id else NOTHING, "cost": c.cost, "design_id": c.design_id}
            for c in result.cells
        ]
    )  # fmt: skip


def axis_titles(result: RegimeMap) -> tuple[str, str]:
    """Titles of both axes: field and unit."""
    return tuple(f"{f.name} [{_reading(f)[1]}]" if _reading(f)[1] else f.name for f in (result.x, result.y))  # type: ignore[return-value]


def _reading(field: InstanceField) -> tuple[float, str]:
    known = {WATT.symbol: (1e-3, "kW"), USD_PER_JOULE.symbol: (3.6e6, "USD/kWh")}
    symbol = getattr(field.unit, "symbol", "")
    return known.get(symbol, (1.0, symbol))


def plot_regimes(table: pd.DataFrame, titles: tuple[str, str], title: str = "Which architecture wins where") -> Any:
    """``regime_table`` as coloured cells, one colour per architecture."""
    go = graph_objects()
    names = [n for n in dict.fromkeys(table["architecture"]) if n != NOTHING]
    order = ([NOTHING] if (table["architecture"] == NOTHING).any() else []) + names
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)} | {NOTHING: "#eaeef2"}
    made = figure(title, *titles)
    for name in order:
        mine = table[table["architecture"] == name]
        if mine.empty:
            continue
        cells = mine.assign(here=1).pivot(index="y", columns="x", values="here")
        whole = cells.reindex(index=sorted(table["y"].unique()), columns=sorted(table["x"].unique()))
        made.add_trace(
            go.Heatmap(
                x=whole.columns.tolist(), y=whole.index.tolist(), z=[[None if v != v else 1 for v in row] for row in whole.to_numpy().tolist()],
                colorscale=[[0, colours[name]], [1, colours[name]]], showscale=False, xgap=1, ygap=1,
                hovertemplate=f"{name}<br>{titles[0]}: %{{x:,.4g}}<br>{titles[1]}: %{{y:,.4g}}<extra></extra>", hoverongaps=False,
            )
        )  # fmt: skip
        made.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", name=name, marker={"symbol": "square", "size": 12, "color": colours[name]})
        )  # fmt: skip
    made.update_layout(legend={"orientation": "h", "y": -0.22, "x": 0}, height=520)
    return made
