"""The tornado as bars: what each input does to the best cost between the ends of its range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.plots.drawing import COLOURS, figure, graph_objects
from optimizer.sensitivity.tornado import Tornado

if TYPE_CHECKING:
    import pandas as pd


def tornado_bars(result: Tornado, most: int = 12) -> pd.DataFrame:
    """One row per end of an input: change of the best cost [MUSD], and whether the decision moves; the widest inputs only."""
    import pandas as pd

    rows = []
    for bar in [b for b in result.bars if b.swing][:most]:
        for word, end in (("low", bar.low), ("high", bar.high)):
            if end.best is not None:
                rows.append({"input": bar.name, "end": word, "value": end.value, "unit": bar.unit, "change_musd": (end.best - result.best) / 1e6, "moved": end.moved})  # fmt: skip
    return pd.DataFrame(rows, columns=["input", "end", "value", "unit", "change_musd", "moved"])


def plot_tornado(bars: pd.DataFrame, title: str = "What swings the best cost") -> Any:
    """Bars from the best cost today; those at which another design is best are hatched."""
    go = graph_objects()
    made = figure(title, "change of the least total cost [MUSD]", "")
    order = list(dict.fromkeys(bars["input"]))[::-1]
    for number, end in enumerate(("low", "high")):
        mine = bars[bars["end"] == end]
        made.add_trace(
            go.Bar(
                x=mine["change_musd"].tolist(), y=mine["input"].tolist(), orientation="h", name=f"{end} end of its range",
                marker={"color": COLOURS[number], "pattern": {"shape": ["/" if m else "" for m in mine["moved"]]}},
                customdata=mine[["value", "unit"]].to_numpy().tolist(),
                hovertemplate="%{y} at %{customdata[0]:,.4g} %{customdata[1]}: %{x:+,.2f} MUSD<extra></extra>",
            )
        )  # fmt: skip
    made.update_layout(
        barmode="overlay", height=120 + 28 * max(len(order), 1), margin={"l": 260, "r": 20, "t": 60, "b": 60}
    )
    made.update_yaxes(categoryorder="array", categoryarray=order)
    if bars["moved"].any():
        made.add_annotation(
            text="hatched: another design is then the best", xref="paper", yref="paper", x=1, y=0, xanchor="right", yanchor="bottom",
            showarrow=False, font={"size": 11, "color": "#57606a"},
        )  # fmt: skip
    return made
