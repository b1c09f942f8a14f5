"""Calendar quarters and half-years, the precision at which availability is announced."""

from __future__ import annotations

import functools
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

_TEXT = re.compile(r"^(\d{4})\s*(Q[1-4]|H[12])$")


@functools.total_ordering
class Quarter:
    """A quarter, ordered by its end; a half-year counts as its last quarter (a part is not promised before)."""

    __slots__ = ("number", "text", "year")

    def __init__(self, text: str) -> None:
        match = _TEXT.match(text.strip())
        if not match:
            raise ValueError(f"{text!r} is no quarter such as 2027Q1 or half-year such as 2026H2")
        self.text = f"{match.group(1)}{match.group(2)}"
        self.year = int(match.group(1))
        part = match.group(2)
        self.number = int(part[1]) * (2 if part[0] == "H" else 1)

    @property
    def index(self) -> int:
        """Quarters since year zero, for comparison."""
        return self.year * 4 + self.number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quarter) and self.index == other.index

    def __lt__(self, other: Quarter) -> bool:
        return self.index < other.index

    def __hash__(self) -> int:
        return hash(self.index)

    def __repr__(self) -> str:
        return self.text


def _read(value: Any) -> Quarter:
    if isinstance(value, Quarter):
        return value
    try:
        return Quarter(str(value))
    except ValueError as error:
        raise PydanticCustomError("quarter", "{message}", {"message": str(error)}) from None


QuarterField = Annotated[Quarter, BeforeValidator(_read), PlainSerializer(lambda q: q.text, return_type=str)]
