"""The smallest move of one limit at which what a person insists on is as cheap as anything without it.

Moving a limit step by step, each step the next value at which either side changes, so that no value in between can be missed:
looser values let in designs of the target, tighter ones shut out its rivals.
"""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.sensitivity.limit_rows import STEP, LimitRow, Steered
from optimizer.sensitivity.program import Answer, Effort, Limit

WITH = Limit("insisted", {"target": 1.0}, 1.0, None)
WITHOUT = Limit("left_out", {"target": 1.0}, None, 0.0)
MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Lever:
    """A change that makes the target win: ``source`` from ``value`` to ``to`` (None: no value does). ``proven``: nothing smaller does.

    ``searched``: how far was looked where no value was found before the search ended; none up to there does.
    """

    lever: str
    source: str
    unit: str
    value: float | None
    to: float | None
    proven: bool
    searched: float | None = None

    @property
    def change(self) -> float | None:
        """Relative change."""
        if self.to is None or not self.value:
            return None
        return self.to / self.value - 1.0


def smallest_move(steered: Steered, limit: LimitRow, looser: bool, effort: Effort) -> Lever:
    """The smallest looser (or tighter) value of a limit at which the target is among the best designs."""
    row = limit.row
    use: float | None = limit.bound
    proven = True
    searched: float | None = None
    for step in range(MOST_STEPS + 1):
        if use is None:
            break
        searched = limit.stated(use)
        if effort.over or step == MOST_STEPS:
            proven = False
            break
        mine = steered.least(effort, limit.bounds(use), [WITH])
        other = steered.least(effort, limit.bounds(use), [WITHOUT])
        proven &= mine.exact and other.exact
        if mine.value is not None and (other.value is None or mine.value <= other.value + 1e-6):
            return Lever(_word(looser), row.source, row.unit, limit.stated(limit.bound), limit.stated(use), proven)
        use = _looser(steered, limit, mine, effort) if looser else _tighter(steered, limit, mine, other, effort)
    return Lever(
        _word(looser),
        row.source,
        row.unit,
        limit.stated(limit.bound),
        None,
        proven,
        None if proven else searched,
    )


def _word(looser: bool) -> str:
    return "looser" if looser else "tighter"


def _looser(steered: Steered, limit: LimitRow, mine: Answer, effort: Effort) -> float | None:
    """The next value at which the target gets cheaper, or possible at all."""
    if mine.value is None:
        return steered.least_use(limit, effort, None, [WITH]).value
    return steered.least_use(limit, effort, mine.value - STEP, [WITH]).value


def _tighter(steered: Steered, limit: LimitRow, mine: Answer, other: Answer, effort: Effort) -> float | None:
    """The next value at which the best design without the target is shut out; None once the target is gone itself."""
    if mine.value is None or other.value is None:
        return None
    least = steered.least_use(limit, effort, other.value, [WITHOUT]).value
    return None if least is None else least - limit.step
