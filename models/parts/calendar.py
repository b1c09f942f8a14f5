"""Days written as text, and the quarter they fall in."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

from models.parts.quarter import Quarter

_TEXT = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


class Day:
    """A day, or a month or year of which the first or the last day is meant, as the reader of it says."""

    __slots__ = ("first", "last", "text")

    def __init__(self, text: str) -> None:
        match = _TEXT.match(text.strip())
        if not match:
            raise ValueError(f"{text!r} is no day such as 2026-11-30, month such as 2026-11 or year")
        year, month, day = int(match.group(1)), match.group(2), match.group(3)
        try:
            self.first = dt.date(year, int(month or 1), int(day or 1))
            last_month = int(month or 12)
            self.last = dt.date(year, last_month, int(day or calendar.monthrange(year, last_month)[1]))
        except ValueError:
            raise ValueError(f"{text!r} is no day of the calendar") from None
        self.text = text.strip()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Day) and (self.first, self.last) == (other.first, other.last)

    def __hash__(self) -> int:
        return hash((self.first, self.last))

    def __repr__(self) -> str:
        return self.text


def quarter_of(day: dt.date) -> Quarter:
    """The quarter a day falls in."""
    return Quarter(f"{day.year}Q{(day.month - 1) // 3 + 1}")


def last_day(quarter: Quarter) -> dt.date:
    """The last day of a quarter."""
    month = 3 * quarter.number
    return dt.date(quarter.year, month, calendar.monthrange(quarter.year, month)[1])


def _read(value: Any) -> Day:
    if isinstance(value, Day):
        return value
    try:
        return Day(str(value))
    except ValueError as error:
        raise PydanticCustomError("day", "{message}", {"message": str(error)}) from None


DayField = Annotated[Day, BeforeValidator(_read), PlainSerializer(lambda day: day.text, return_type=str)]
