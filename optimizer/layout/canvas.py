"""A small SVG page: rectangles, lines, text, each with the title a browser shows on hovering."""

from __future__ import annotations

from html import escape

FONT = "font-family='Helvetica, Arial, DejaVu Sans, sans-serif'"


class Canvas:
    """Elements in drawing order; lengths in px, the page as large as what is asked for at the end."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "none", dash: str = "",
        title: str = "", radius: float = 0.0, line: float = 1.0,
    ) -> None:  # fmt: skip
        """A rectangle."""
        dashed = f" stroke-dasharray='{dash}'" if dash else ""
        rounded = f" rx='{radius:g}'" if radius else ""
        hover = f"<title>{escape(title)}</title>" if title else ""
        self._parts.append(
            f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{fill}' stroke='{stroke}' "
            f"stroke-width='{line:g}'{dashed}{rounded}>{hover}</rect>"
        )

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        stroke: str,
        *,
        width: float = 1.0,
        dash: str = "",
        arrow: bool = False,
    ) -> None:
        """A straight line, with a head at its end for an ``arrow``."""
        dashed = f" stroke-dasharray='{dash}'" if dash else ""
        head = " marker-end='url(#head)'" if arrow else ""
        self._parts.append(
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{stroke}' stroke-width='{width:g}'{dashed}{head}/>"
        )

    def text(
        self, x: float, y: float, words: str, *, size: float = 11, fill: str = "#1f2933", anchor: str = "start",
        bold: bool = False, turn: float = 0.0,
    ) -> None:  # fmt: skip
        """Text on the baseline ``y``; ``turn`` [degrees] around its anchor."""
        weight = " font-weight='600'" if bold else ""
        turned = f" transform='rotate({turn:g} {x:.1f} {y:.1f})'" if turn else ""
        self._parts.append(
            f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size:g}' fill='{fill}' text-anchor='{anchor}'{weight}{turned}>{escape(words)}</text>"
        )

    def page(self, width: float, height: float, title: str) -> str:
        """The whole document."""
        head = (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' "
            f"viewBox='0 0 {width:.0f} {height:.0f}' {FONT}>\n<title>{escape(title)}</title>\n"
            "<defs><marker id='head' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
            "<path d='M0 0 L8 4 L0 8 z' fill='#52606d'/></marker>"
            "<pattern id='blank' width='6' height='6' patternUnits='userSpaceOnUse' patternTransform='rotate(45)'>"
            "<rect width='6' height='6' fill='#f5f7fa'/><line x1='0' y1='0' x2='0' y2='6' stroke='#d5dae1' stroke-width='1.4'/></pattern></defs>\n"
            f"<rect width='{width:.0f}' height='{height:.0f}' fill='#ffffff'/>\n"
        )
        return head + "\n".join(self._parts) + "\n</svg>\n"


def fitted(words: str, width: float, size: float) -> str:
    """``words`` cut to what fits into ``width`` px at ``size``, with an ellipsis where something is left out."""
    most = int(width / (0.56 * size))
    return words if len(words) <= most else words[: max(most - 1, 0)] + "…" if most > 2 else ""
