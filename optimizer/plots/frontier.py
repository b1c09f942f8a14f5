"""The frontier as a scatter: two objectives on the axes, a third as the size of the mark, systems by colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.frontier import Frontier
from optimizer.plots.drawing import COLOURS, figure, graph_objects
from optimizer.shown_units import shown_name, shown_unit

if TYPE_CHECKING:
    import pandas as pd


def shown(column: str) -> tuple[float, str, str]:
    """Factor, unit and axis title of a column; counts keep their column's own words."""
    factor, unit, _ = shown_unit(column)
    if factor == 1.0:
        return 1.0, "", column.replace("_", " ")
    return factor, unit, f"{shown_name(column)} [{unit}]"


def frontier_points(frontier: Frontier) -> pd.DataFrame:
    """One row per design: id, every objective in the unit people read, systems, a line of text."""
    import pandas as pd

    rows = []
    for design in frontier.points:
        row: dict[str, Any] = {"design_id": design.design_id}
        for objective in frontier.objectives:
            factor, _, title = shown(objective.column)
            row[title] = design.objectives[objective.column] * factor
        clusters = [k.partition(".")[0] for k in design.choices if k.endswith(".system")]
        row["systems"] = " + ".join(str(design.choices[f"{c}.system"]) for c in clusters)
        row["text"] = "<br>".join(
            f"{design.choices[f'{c}.accelerators']} in {design.choices[f'{c}.system']}, {design.choices.get(f'{c}.fabric', '')}"
            for c in clusters
        )
        rows.append(row)
    return pd.DataFrame(rows)


def plot_frontier(points: pd.DataFrame, x: str | None = None, y: str | None = None, title: str = "Frontier") -> Any:
    """A scatter of ``frontier_points``; ``x`` and ``y`` name objectives (default: the second and the first)."""
    go = graph_objects()
    axes = [c for c in points.columns if c not in ("design_id", "systems", "text")]
    across = _axis(axes, x, 1 if len(axes) > 1 else 0)
    up = _axis(axes, y, 0)
    third = next((a for a in axes if a not in (across, up)), None)
    made = figure(title, across, up)
    for number, (systems, mine) in enumerate(points.groupby("systems", sort=True)):
        sizes = _sizes(points, mine, third)
        extra = "" if third is None else f"<br>{third}: %{{customdata[1]:,.4g}}"
        made.add_trace(
            go.Scatter(
                x=mine[across].tolist(), y=mine[up].tolist(), mode="markers", name=str(systems),
                marker={"size": sizes, "color": COLOURS[number % len(COLOURS)], "line": {"width": 0.5, "color": "white"}},
                customdata=mine[["design_id", third or across, "text"]].to_numpy().tolist(),
                hovertemplate=f"<b>%{{customdata[0]}}</b><br>{across}: %{{x:,.4g}}<br>{up}: %{{y:,.4g}}{extra}<br>%{{customdata[2]}}<extra></extra>",
            )
        )  # fmt: skip
    if third is not None:
        made.add_annotation(
            text=f"size of marks: {third}", xref="paper", yref="paper", x=1, y=1.08, showarrow=False, font={"size": 11, "color": "#57606a"}
        )  # fmt: skip
    return made


def _sizes(points: pd.DataFrame, mine: pd.DataFrame, third: str | None) -> list[float]:
    """Diameters of marks by the third objective, from the smallest to the largest of the whole frontier."""
    if third is None:
        return [9.0] * len(mine)
    least, most = float(points[third].min()), float(points[third].max())
    return [7.0 + 15.0 * (float(value) - least) / max(most - least, 1e-12) for value in mine[third]]


def _axis(axes: list[str], named: str | None, default: int) -> str:
    from models.errors import UsageError, nearest

    if named is None:
        return axes[default]
    found = next(
        (a for a in axes if a == named or a.partition(" [")[0].split(" ")[0] == named or a.startswith(named)), None
    )
    if found is None:
        raise UsageError(f"no objective {named!r} in this frontier: {nearest(named, axes)}")
    return found
