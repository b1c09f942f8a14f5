"""The demand staircase of a part: units bought by its price, with the list price beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.plots.drawing import COLOURS, figure, graph_objects
from optimizer.sensitivity.price_to_win import PriceToWin

if TYPE_CHECKING:
    import pandas as pd


def staircase_points(result: PriceToWin) -> pd.DataFrame:
    """Corners of the staircase: price [USD a unit] and units bought; the last step is drawn a little beyond its beginning."""
    import pandas as pd

    last = max([s.price_low for s in result.staircase] + [result.list_price or 0.0], default=1.0)
    rows = []
    for step in result.staircase:
        high = step.price_high if step.price_high is not None else max(last, step.price_low) * 1.25 + 1.0
        rows.append({"price_usd": step.price_low, "units": step.units, "design_id": step.design_id})
        rows.append({"price_usd": high, "units": step.units, "design_id": step.design_id})
    return pd.DataFrame(rows, columns=["price_usd", "units", "design_id"])


def plot_staircase(points: pd.DataFrame, part: str, list_price: float | None = None) -> Any:
    """Units bought over the price of a unit; the list price is a dashed line, the price to win a dotted one."""
    go = graph_objects()
    made = figure(f"Demand for {part}: units in the cheapest design", "price of a unit [kUSD]", "units bought")
    made.add_trace(
        go.Scatter(
            x=(points["price_usd"] / 1e3).tolist(), y=points["units"].tolist(), mode="lines", name=part,
            line={"width": 3, "color": COLOURS[0]}, customdata=points[["design_id"]].to_numpy().tolist(),
            hovertemplate="%{y} units at %{x:,.1f} kUSD<br>design %{customdata[0]}<extra></extra>",
        )
    )  # fmt: skip
    if list_price is not None:
        made.add_vline(x=list_price / 1e3, line_dash="dash", line_color="#57606a")
        made.add_annotation(x=list_price / 1e3, y=1, yref="paper", text=" list price", showarrow=False, xanchor="left")
    for _, step in points.iloc[::2].iterrows():
        if step["units"]:
            made.add_annotation(
                x=step["price_usd"] / 1e3, y=step["units"], text=f"{step['units']:,.0f}", showarrow=False, xanchor="left",
                yanchor="bottom", xshift=4, font={"size": 11, "color": COLOURS[0]},
            )  # fmt: skip
    bought = points[points["units"] > 0]
    if len(bought) < len(points) and len(bought):
        wins = float(bought["price_usd"].max()) / 1e3
        made.add_vline(x=wins, line_dash="dot", line_color=COLOURS[0], line_width=1)
        made.add_annotation(
            x=wins, y=0.9, yref="paper", text=f" wins below {wins:,.1f}", showarrow=False, xanchor="left", font={"color": COLOURS[0]}
        )  # fmt: skip
    made.update_yaxes(rangemode="tozero")
    made.update_layout(showlegend=False)
    return made
