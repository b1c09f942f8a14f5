"""Figures of a whole class of things, for what neither an instance nor a catalogue row states."""

from __future__ import annotations

from typing import ClassVar

from models.parts.part import Part, column


class ClassFigure(Part):
    """``value``, as an instance would write it, of ``field`` where that is left out; ``*`` in a field stands for any name or entry."""

    file: ClassVar[str] = "class_figures.csv"
    plural: ClassVar[str] = "class_figures"

    field: str = column("field", default=...)
    value: str = column("value", default=...)
