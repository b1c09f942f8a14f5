"""What a split asks for is found beforehand: both ends, and what lies between where an objective has a value at both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from optimizer.diff.inputs import Between
from optimizer.diff.optima import Optima
from optimizer.sensitivity.effort import Effort


class Told(Effort):
    """Answers from a table: the objectives without a value where all changes are made."""

    def __init__(self, lost: Sequence[str]) -> None:
        super().__init__()
        self.lost, self.asked = lost, list[frozenset[str]]()

    def each(self, task: Callable[..., Any], hot: Any, items: Sequence[Any]) -> Iterator[Any]:
        for chosen in items:
            self.asked.append(chosen)
            yield {o: (None if chosen == {"a", "b", "c"} and o in self.lost else 1, True) for o in hot.objectives}


@pytest.mark.parametrize(
    ("lost", "most", "between"),
    [
        ([], 3, ["a", "b", "c", "ab", "ac", "bc"]),
        ([], 2, ["a", "ab"]),
        (["tco"], 3, ["a", "b", "c", "ab", "ac", "bc"]),
        (["tco", "power"], 3, []),
    ],
)
def test_what_lies_between_is_asked_once_where_some_objective_has_both_ends(
    lost: list[str], most: int, between: list[str]
) -> None:
    effort = Told(lost)
    optima = Optima(cast(Between, None), ["tco", "power"], effort, lambda _: None)
    for _ in range(2):
        optima.prepare_split(["a", "b", "c"], most)
    assert effort.asked == [frozenset(), frozenset("abc"), *map(frozenset, between)]
    assert optima.value("tco", frozenset("abc")) == (None if "tco" in lost else 1)
    assert not optima.stopped
