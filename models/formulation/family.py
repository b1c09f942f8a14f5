"""The contract of constraint families and objectives, and their discovery: one file each, found by looking.

A family declares which expressions it reads and which it adds; order follows from that, and a cycle or an expression that
nobody adds is an error when the program is built.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any

from models.errors import UsageError
from models.units import Unit

if TYPE_CHECKING:
    from models.formulation.core import Core
    from models.formulation.linear import Linear
    from models.instance import Instance


@dataclass(frozen=True, slots=True)
class BindingRow:
    """A row as a design meets it: its index, both sides in the row's unit, and where the right-hand side came from."""

    family: str
    what: str
    index: tuple[str, ...]
    value: float
    limit: float
    unit: str
    source: str

    @property
    def slack(self) -> float:
        """Distance between the two sides, never below zero for a legal design."""
        return abs(self.limit - self.value)


Says = Callable[[BindingRow], str]
Recomputes = Callable[[Any, Any], Sequence[str]]

GROUP = "refarch.families"
"""Entry points under which installed distributions offer constraint families."""


@dataclass
class Family:
    """A constraint family: its function, what it reads and adds, and the sentence it uses when a row of it binds.

    ``origin`` is the distribution a family from outside comes from. Such a family may recompute its rows for ``verify``: a
    function that is given the instance and a design and returns what is wrong, in words; its rows are not checked otherwise.
    """

    name: str
    apply: Callable[[Core, Instance], None]
    reads: tuple[str, ...]
    adds: tuple[str, ...]
    sentence: Says | None = field(default=None)
    origin: str = ""
    recomputation: Recomputes | None = field(default=None)

    def says(self, function: Says) -> Says:
        """Registers the sentence for binding rows."""
        self.sentence = function
        return function

    def verifies(self, function: Recomputes) -> Recomputes:
        """Registers how ``verify`` recomputes the rows of a family from outside."""
        self.recomputation = function
        return function

    def describe(self, row: BindingRow) -> str:
        """The family's own words for a binding row."""
        if self.sentence is None:
            return f"{row.family}.{row.what}{list(row.index)} is at its limit of {row.limit:g} {row.unit}"
        return self.sentence(row)


def family(
    *, reads: tuple[str, ...] = (), adds: tuple[str, ...] = ()
) -> Callable[[Callable[[Core, Instance], None]], Family]:
    """Marks the function of a family file."""

    def mark(function: Callable[[Core, Instance], None]) -> Family:
        return Family(function.__name__, function, reads, adds)

    return mark


class Direction(StrEnum):
    """Which way an objective is better."""

    MINIMISE = "min"
    MAXIMISE = "max"


@dataclass(frozen=True)
class Objective:
    """An objective: expression in whole ``quantum``s of ``unit``, and the column it fills in tables.

    ``scale`` turns the canonical unit into the column's unit: a column value is ``quanta * quantum * scale``.
    """

    name: str
    direction: Direction
    unit: Unit
    quantum: float
    column: str
    scale: float
    title: str
    express: Callable[[Core, Instance, str | None], Linear]

    def column_value(self, quanta: float) -> float:
        """A value in quanta as the table column shows it."""
        return quanta * self.quantum * self.scale

    def __reduce__(self) -> tuple[Callable[[str], Objective], tuple[str]]:
        """By name: the file of an objective exports it in place of its function, so that another process finds it there."""
        return _named, (self.name,)


def _named(name: str) -> Objective:
    return objectives()[name]


def objective(
    *, name: str, direction: Direction, unit: Unit, quantum: float, column: str, title: str, scale: float = 1.0
) -> Callable[[Callable[[Core, Instance, str | None], Linear]], Objective]:
    """Marks the function of an objective file; its third argument is the part after the colon in ``throughput:NAME``."""

    def mark(function: Callable[[Core, Instance, str | None], Linear]) -> Objective:
        return Objective(name, direction, unit, quantum, column, scale, title, function)

    return mark


def _members(package: ModuleType, kind: type) -> list[object]:
    found: list[object] = []
    for module in pkgutil.iter_modules(package.__path__):
        for value in vars(importlib.import_module(f"{package.__name__}.{module.name}")).values():
            if isinstance(value, kind) and value not in found:
                found.append(value)
    return found


@cache
def objectives() -> dict[str, Objective]:
    """Every objective by name."""
    import models.formulation.objectives as package

    return {o.name: o for o in _members(package, Objective) if isinstance(o, Objective)}


def outside_families() -> list[Family]:
    """Families that installed distributions offer as entry points of the group ``refarch.families``.

    Raises UsageError where one cannot be loaded, is no family, or has a name that is taken.
    """
    found: list[Family] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        where = f"entry point {point.name} = {point.value} of group {GROUP}"
        try:
            loaded = point.load()
        except Exception as error:
            raise UsageError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(loaded, Family):
            raise UsageError(f"{where} is a {type(loaded).__name__}, not a constraint family (see @family)")
        if loaded.name == "core" or any(loaded.name == other.name for other in found):
            raise UsageError(f"{where}: another family is called {loaded.name}")
        origin = point.dist.name if point.dist is not None else point.value
        found.append(replace(loaded, origin=origin))
    return found


@cache
def families() -> tuple[Family, ...]:
    """Every family, ordered so that what one reads an earlier one has added; by name where the order is free.

    Those of this package, and those that installed distributions offer (``outside_families``).
    """
    import models.formulation.families as package
    from models.formulation.core import CORE_EXPRESSIONS

    own = [f for f in _members(package, Family) if isinstance(f, Family)]
    outside = outside_families()
    taken = {f.name for f in own}
    for one in outside:
        if one.name in taken:
            raise UsageError(f"family {one.name} of {one.origin} has the name of a family of this package")
    waiting = sorted([*own, *outside], key=lambda f: f.name)
    known = set(CORE_EXPRESSIONS)
    ordered: list[Family] = []
    while waiting:
        ready = next((f for f in waiting if all(name in known for name in f.reads)), None)
        if ready is None:
            stuck = ", ".join(f"{f.name} reads {', '.join(sorted(set(f.reads) - known))}" for f in waiting)
            raise RuntimeError(f"constraint families wait for expressions nobody adds: {stuck}")
        waiting.remove(ready)
        known.update(ready.adds)
        ordered.append(ready)
    return tuple(ordered)
