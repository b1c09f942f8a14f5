"""Columns of objectives in the units a person reads: ``tco_usd`` in MUSD, ``power_kw`` in MW."""

from __future__ import annotations

import math

_SHOWN = {
    "usd": (1e-6, "MUSD", 1),
    "kw": (1e-3, "MW", 2),
    "tokens_per_s": (1e-6, "Mtoken/s", 3),
    "fraction": (100.0, "%", 2),
    "x_demand": (1.0, "x demand", 3),
    "t": (1e-3, "kt", 1),
    "racks": (1.0, "racks", 0),
    "accelerators": (1.0, "accelerators", 0),
}


def shown_name(column: str) -> str:
    """The name of a column without its unit, in words."""
    suffix = next((suffix for suffix in _SHOWN if column.endswith(f"_{suffix}")), None)
    return (column if suffix is None else column.removesuffix(f"_{suffix}")).replace("_", " ")


def shown_unit(column: str) -> tuple[float, str, int]:
    """Factor, unit and digits with which the values of a column are shown."""
    return next((shown for suffix, shown in _SHOWN.items() if column.endswith(f"_{suffix}")), (1.0, "", 3))


def shown_error(column: str, value: float) -> str:
    """A certified error, ``tco 12.57 MUSD``: a digit more than values have, never rounded down."""
    factor, unit, digits = shown_unit(column)
    step = 10.0 ** (digits + 1)
    # what is rounding of the conversion alone is no reason for another step
    amount = math.ceil(value * factor * step - 1e-6) / step
    return f"{shown_name(column)} {amount:,.{digits + 1}f} {unit}".strip()
