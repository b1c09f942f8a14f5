"""Weather files: hourly or binned CSV named in ``sites.NAME.weather.file``, turned into bins when an instance is loaded."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import Problem, why_unreadable

DRY, WET, HUMIDITY, HOURS = "dry_bulb_c", "wet_bulb_c", "relative_humidity", "hours"
EXPECTED = f"columns {DRY} and {WET} (or {HUMIDITY}, a fraction), and {HOURS} where rows are not hours"
BIN_WIDTH = 2.0
"""Width of a bin in dry and wet bulb [K]; each keeps the mean of its hours."""


def inline_weather(merged: dict[str, Any], origins: Mapping[str, str], problems: list[Problem]) -> None:
    """Replaces every ``weather.file`` by the bins read from it, so that an instance stands on its own from there on."""
    sites = merged.get("sites")
    for name, site in sites.items() if isinstance(sites, Mapping) else ():
        weather = site.get("weather") if isinstance(site, Mapping) else None
        if not isinstance(weather, dict) or not isinstance(weather.get("file"), str):
            continue
        where = origins.get(f"sites.{name}.weather.file", "")
        found = _read(where, weather["file"])
        if isinstance(found, Problem):
            problems.append(found)
        else:
            del weather["file"]
            weather["bins"] = found


def _read(where: str, named: str) -> list[dict[str, Any]] | Problem:
    """Bins of a file given relative to the instance file that names it (``where`` is ``file:line``)."""
    path = Path(where.rpartition(":")[0]).parent / named
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = str(error) if isinstance(error, csv.Error) else why_unreadable(error)
        return Problem("weather-file", where, f"{named} cannot be read: {reason}", "a CSV file of the site's weather")
    columns = set(rows[0]) if rows else set()
    if DRY not in columns or not columns & {WET, HUMIDITY}:
        return Problem("weather-file", f"{path}:1", f"columns {', '.join(sorted(map(str, columns)))}", EXPECTED)
    table: dict[str, list[float]] = {column: [] for column in (DRY, WET, HUMIDITY, HOURS) if column in columns}
    for number, row in enumerate(rows, start=2):
        for column, values in table.items():
            try:
                values.append(float(row[column]))
            except (TypeError, ValueError):
                return Problem("weather-file", f"{path}:{number}", f"{column} {row[column]!r}", "a number")
            if not math.isfinite(values[-1]):
                return Problem("weather-file", f"{path}:{number}", f"{column} {row[column]!r}", "a finite number")
    return _bins(path, table)


def _bins(path: Path, table: Mapping[str, list[float]]) -> list[dict[str, Any]] | Problem:
    import numpy as np

    from models.physics.weather import bin_weather, wet_bulb

    try:
        dry = np.array(table[DRY])
        wet = np.array(table[WET]) if WET in table else wet_bulb(dry, np.array(table[HUMIDITY]))
        hours = np.array(table[HOURS]) if HOURS in table else None
        bins = bin_weather(dry, wet, BIN_WIDTH, hours)
    except ValueError as error:
        return Problem("weather-file", f"{path}:1", str(error), EXPECTED)
    total = len(dry) if hours is None else float(hours.sum())
    return [
        {"dry_bulb": f"{d!r} degC", "wet_bulb": f"{min(w, d)!r} degC", "hours": s * total}
        for d, w, s in zip(bins.dry_bulb.tolist(), bins.wet_bulb.tolist(), bins.share.tolist(), strict=True)
    ]
