"""Linear expressions over blocks of columns, as numpy arrays: what families and objectives are written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import overload

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Kind(StrEnum):
    """Domain of a block's columns."""

    BINARY = "binary"
    INTEGER = "integer"
    CONTINUOUS = "continuous"


@dataclass(frozen=True)
class Numbered(Sequence[str]):
    """Keys ``p0``, ``p1``, ... made when they are read: blocks have millions of columns, of which few are looked at."""

    columns: int
    letter: str = "p"

    def __len__(self) -> int:
        return self.columns

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return tuple(f"{self.letter}{number}" for number in range(self.columns)[place])
        return f"{self.letter}{range(self.columns)[place]}"


@dataclass(frozen=True)
class Block:
    """Columns of one decision variable: ``name``, one key per column, domain and bounds (None: unbounded above)."""

    name: str
    keys: Sequence[str]
    kind: Kind
    upper: float | None = 1.0
    lower: float = 0.0
    prunable: bool = False

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True)
class Linear:
    """``constant`` plus, for each block name, one coefficient per column of that block."""

    terms: Mapping[str, Floats] = field(default_factory=dict)
    constant: float = 0.0

    def __add__(self, other: Linear | float) -> Linear:
        if not isinstance(other, Linear):
            return Linear(self.terms, self.constant + other)
        terms = dict(self.terms)
        for name, values in other.terms.items():
            terms[name] = terms[name] + values if name in terms else values
        return Linear(terms, self.constant + other.constant)

    def __neg__(self) -> Linear:
        return self * -1.0

    def __sub__(self, other: Linear | float) -> Linear:
        return self + (-other)

    def __mul__(self, factor: float) -> Linear:
        return Linear({name: values * factor for name, values in self.terms.items()}, self.constant * factor)

    __rmul__ = __mul__

    @staticmethod
    def total(parts: list[Linear]) -> Linear:
        """The sum of several expressions (zero for none)."""
        result = Linear()
        for part in parts:
            result = result + part
        return result
