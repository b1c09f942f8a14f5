"""What every chart shares: the drawing library, asked for by name where it is missing, and one plain look."""

from __future__ import annotations

import importlib.util
from typing import Any

from models.errors import MissingExtraError

COLOURS = ("#1f6feb", "#e36209", "#2e8540", "#8250df", "#bf3989", "#0a7ea4", "#9a6700", "#57606a", "#cf222e", "#1b7c83")
"""Told apart on white paper and by most readers; categories take them in order."""


def graph_objects() -> Any:
    """The drawing library; MissingExtraError with the command that installs it where it is missing."""
    if importlib.util.find_spec("plotly") is None:
        raise MissingExtraError("plotly", "report", "drawing a chart")
    import plotly.graph_objects as go

    return go


def figure(title: str, x: str, y: str, **layout: Any) -> Any:
    """An empty chart with a title and axes that are named with their units."""
    go = graph_objects()
    made = go.Figure()
    made.update_layout(
        template="plotly_white",
        title={"text": title, "x": 0.01, "font": {"size": 16}},
        xaxis_title=x,
        yaxis_title=y,
        width=820,
        height=460,
        margin={"l": 70, "r": 20, "t": 60, "b": 60},
        legend={"bgcolor": "rgba(255,255,255,0.8)"},
        **layout,
    )
    return made
