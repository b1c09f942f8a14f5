"""How finely a frontier is wanted: exact, a share of each objective's range, or amounts with units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import UsageError, nearest
from models.formulation.build import Goal
from models.units import UnitError, parse

_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")


@dataclass(frozen=True, slots=True)
class Resolution:
    """Per objective an amount in quanta, or a share of its range; both None: exact."""

    amounts: tuple[float | None, ...]
    shares: tuple[float | None, ...]


def parse_resolution(text: str | float | None, goals: Sequence[Goal]) -> Resolution:
    """``1%``, ``0.01``, ``exact``, or ``tco=5 MUSD,power=100 kW`` (objectives not named stay exact).

    Raises UsageError naming the objective and the expected unit.
    """
    k = len(goals)
    if text is None or text == "exact" or text == 0:
        return Resolution((None,) * k, (None,) * k)
    if isinstance(text, float | int):
        return Resolution((None,) * k, (_share(float(text)),) * k)
    percent = _PERCENT.match(text)
    if percent:
        return Resolution((None,) * k, (_share(float(percent.group(1)) / 100),) * k)
    amounts: list[float | None] = [None] * k
    shares: list[float | None] = [None] * k
    names = [goal.name for goal in goals]
    for item in text.split(","):
        name, equals, value = item.partition("=")
        name = name.strip()
        if not equals:
            raise UsageError(f"resolution {item.strip()!r} is neither a percentage, 'exact', nor OBJECTIVE=AMOUNT")
        if name not in names:
            raise UsageError(f"resolution: no objective {name!r} in this run: {nearest(name, names)}")
        number = names.index(name)
        percent = _PERCENT.match(value)
        if percent:
            shares[number] = _share(float(percent.group(1)) / 100)
            continue
        objective = goals[number].objective
        try:
            amounts[number] = parse(value.strip(), objective.unit) / objective.quantum
        except UnitError as error:
            raise UsageError(
                f"resolution of {name}: {error}; expected {objective.unit.dimension}, for example {objective.unit.example}"
            ) from None
        if (amounts[number] or 0.0) < 0:
            raise UsageError(f"resolution of {name} is negative: {value.strip()}")
    return Resolution(tuple(amounts), tuple(shares))


def _share(value: float) -> float | None:
    if not 0 <= value < 1:
        raise UsageError(f"a resolution of {value:.6g} of the range is not between 0 and 1")
    return value or None
