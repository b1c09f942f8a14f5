"""From which value of a field a part is in the cheapest design, and what a unit of that field is worth in money.

The part, real or hypothetical, is enumerated again at each value; everything else stays. What it is worth at a value is its price
to win there: the highest unit price at which it is in a cheapest design. The threshold is the value at which that price meets the
list price; it is bracketed by two values, at one of which the part is proven to be in and at the other proven to be out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.candidates.placement import Candidates
from models.errors import InfeasibleError, UsageError
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.network_part import Switch
from models.parts.part import Part
from models.parts.system import System
from optimizer.sensitivity.failure_field import field_of
from optimizer.sensitivity.part_field import PartField, find_part_field, part_of
from optimizer.sensitivity.part_program import PartProgram, Requirement, with_at_least
from optimizer.sensitivity.part_variants import Variants
from optimizer.sensitivity.price_to_win import price_in
from optimizer.sensitivity.program import Answer, Effort
from optimizer.sensitivity.repricing import with_part

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_GAP = 0.002
SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Worth:
    """At ``value`` of the field: whether the part is in the cheapest design, its price to win, and the least objective [USD]."""

    value: float
    wins: bool | None
    price_low: float | None
    price_high: float | None
    objective: float | None
    units: int
    design_id: str
    proven: bool


@dataclass(frozen=True)
class SpecToWin:
    """``interval``: the part enters somewhere in it (None, None: nowhere in the range, or everywhere: see ``wins_at``).

    ``better``: +1 where more of the field lets it in, -1 where less does, 0 where nothing changes. ``per_unit``: change of the price
    to win [USD] per unit of the field over the range; ``saving`` what the cheapest design gains from one end to the other.
    ``one_change`` is False where the samples show that it goes in and out more than once: the interval is then the change nearest to the best end.
    """

    part: str
    field: PartField
    objective: str
    requirement: Mapping[str, float]
    low: float
    high: float
    interval: tuple[float | None, float | None]
    better: int
    wins_at: str
    per_unit: float | None
    saving: float | None
    one_change: bool
    worths: tuple[Worth, ...]
    reason: str
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per value looked at."""
        import pandas as pd

        columns = ["value", "wins", "price_low", "price_high", "objective", "units", "design_id", "proven"]
        return pd.DataFrame([[getattr(w, c) for c in columns] for w in self.worths], columns=columns)


def hypothetical(instance: Instance, name: str, like: str, changes: Sequence[str] = ()) -> Instance:
    """The instance with a part called ``name`` that is ``like`` another with ``FIELD=VALUE`` changes, allowed wherever that one is."""
    part = part_of(instance, like).model_copy(update={"id": name, "name": f"{name} (like {like})"})
    for change in changes:
        field_name, equals, value = (t.strip() for t in change.partition("="))
        if not equals:
            raise UsageError(f"--set {change!r} is not FIELD=VALUE")
        known = find_part_field(part, field_name)
        part = known.variant(known.read(value))
    return _allowed(with_part(instance, part), part, like)


def _allowed(instance: Instance, part: Part, like: str) -> Instance:
    import dataclasses

    workloads = {}
    for cluster, workload in instance.workloads.items():
        space = workload.design_space
        if isinstance(part, System) and space.systems is not None and like in space.systems:
            space = space.model_copy(update={"systems": (*space.systems, part.id)})
        if isinstance(part, Switch) and space.fabric.switches is not None and like in space.fabric.switches:
            fabric = space.fabric.model_copy(update={"switches": (*space.fabric.switches, part.id)})
            space = space.model_copy(update={"fabric": fabric})
        workloads[cluster] = workload.model_copy(update={"design_space": space})
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"workloads": workloads}))


def spec_to_win(
    instance: Instance,
    part: str,
    field: str,
    *,
    low: float | None = None,
    high: float | None = None,
    requirement: Requirement | None = None,
    objective: str = "tco",
    gap: float = DEFAULT_GAP,
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: Candidates | None = None,
    effort: Effort | None = None,
) -> SpecToWin:
    """The value of a part's field at which it enters the cheapest design, within ``low`` to ``high`` (default: half to double).

    ``gap``: share of the range to which the threshold is narrowed. ``effort`` goes before time and backend. UsageError for a part or field there is not.
    """
    effort = effort or Effort(time_limit, backend)
    known = field_of(instance, part_of(instance, part), field)
    start, end = _span(known, low, high)
    wanted = requirement or Requirement()
    variants = Variants(instance, known.part, candidates, (objective, *wanted.values))
    search = _Search(variants, known, wanted, objective)
    samples = [start + (end - start) * i / (SAMPLES - 1) for i in range(SAMPLES)]
    values = list(dict.fromkeys(float(round(v)) if known.whole else v for v in samples))
    looked = list(effort.each(_worth, search, values))
    seen = {value: worth for value, (worth, _) in zip(values, looked, strict=True)}
    search.reason = next((reason for _, reason in looked if reason), "")
    wins = [(v, w.wins) for v, w in sorted(seen.items())]
    changes = [(a, b) for a, b in itertools.pairwise(wins) if a[1] is not b[1] and None not in (a[1], b[1])]
    interval: tuple[float | None, float | None] = (None, None)
    unsettled = False
    better = _better(list(seen.values()))
    if changes:
        (a, _), (b, _) = changes[-1] if better >= 0 else changes[0]
        a, b = search.narrow(a, b, seen, gap * (end - start), effort)
        interval, unsettled = (a, b), b - a > max(gap * (end - start), float(known.whole))
    per_unit, saving = _gains(seen[min(seen)], seen[max(seen)])
    decided = [w for _, w in wins if w is not None]
    return SpecToWin(
        part=part,
        field=known,
        objective=objective,
        requirement=dict(wanted.values),
        low=start,
        high=end,
        interval=interval,
        better=better,
        wins_at="" if interval != (None, None) or not decided else ("everywhere" if all(decided) else "nowhere"),
        per_unit=per_unit,
        saving=saving,
        one_change=len(changes) <= 1,
        worths=tuple(seen[v] for v in sorted(seen)),
        reason=search.reason,
        proven=all(w.proven for w in seen.values()) and not (unsettled and effort.over),
        solves=effort.solves,
        seconds=round(effort.spent, 3),
    )


def _span(field: PartField, low: float | None, high: float | None) -> tuple[float, float]:
    if (low is None or high is None) and not field.value:
        raise UsageError(f"{field.part.id} has no {field.name} to start from: give --range LOW..HIGH")
    value = field.value or 0.0
    dated = field.unit.symbol == "quarters"
    start = low if low is not None else (value - 8 if dated else value / 2)
    end = high if high is not None else (value + 8 if dated else value * 2)
    if field.name == "efficiency" and high is None:
        end = 1.0
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise UsageError(f"{field.part.id} {field.name}: {field.shown(start)} to {field.shown(end)} is no range")
    return start, end


def _gains(first: Worth, last: Worth) -> tuple[float | None, float | None]:
    """Between the ends of a range: price to win [USD] per unit of the field, and by how much the objective differs; None where an end has none."""
    per_unit = None
    if first.price_low is not None and last.price_low is not None:
        per_unit = (last.price_low - first.price_low) / (last.value - first.value)
    saving = None if first.objective is None or last.objective is None else abs(first.objective - last.objective)
    return per_unit, saving


def _better(worths: list[Worth]) -> int:
    """Which way of the field is better: by winning, else by the price to win, else by the objective."""
    ordered = sorted(worths, key=lambda w: w.value)
    first, last = ordered[0], ordered[-1]
    if first.wins is not None and last.wins is not None and first.wins is not last.wins:
        return 1 if last.wins else -1
    if first.objective is not None and last.objective is not None and first.objective != last.objective:
        return 1 if last.objective < first.objective else -1
    priced = [(w.value, w.price_low) for w in ordered if w.price_low is not None]
    if len(priced) > 1 and priced[0][1] != priced[-1][1]:
        return 1 if priced[-1][1] > priced[0][1] else -1
    return 0


class _Search:
    """Values of one field, each looked at once."""

    def __init__(self, variants: Variants, field: PartField, wanted: Requirement, objective: str) -> None:
        self._variants, self._field, self._wanted = variants, field, wanted
        self._objective = objective
        self.reason = ""

    def program(self, value: float) -> PartProgram | None:
        """The program at a value of the field; None where no cluster can be placed."""
        part = self._variants.part
        changed = self._field.within(self._variants.base, value)
        found = self._variants.at(changed)
        name = part.id
        if isinstance(part, Accelerator):
            name = ",".join(s.id for s in changed.catalogue.of(System).values() if s.accelerator == part.id and s.price)
        try:
            return PartProgram.of(changed, name, self._objective, tuple(self._wanted.values), (changed, found))
        except InfeasibleError:
            return None

    def worth(self, value: float, effort: Effort, priced: bool = True) -> Worth:
        """What the part is worth at a value; without its price to win where only winning is asked."""
        if effort.over:
            return Worth(value, None, None, None, None, 0, "", False)
        program = self.program(value)
        if program is None:
            self.reason = self.reason or "no cluster can be placed"
            return Worth(value, False, None, None, None, 0, "", True)
        at_list = program.list_price or 0.0
        limits = [*self._wanted.limits(program.dear), *program.ceilings(at_list)]
        best = program.dear.least({"rest": 1.0, "paid": at_list}, effort, limits)
        low = high = None
        if priced:
            found = price_in(program, self._wanted, None, self._objective, 0.0, effort)
            # a part nothing does without has no price at which it stops winning
            low, high = found.interval if found.interval[1] is not None else (None, None)
            if low is None and high is None:
                self.reason = self.reason or found.reason
        if best.infeasible:
            self.reason = "no design meets every limit there, with the part or without"
        wins = self._wins(program, best, at_list, effort) if program.possible else False
        count = round(best.measures["units"]) if best.found else 0
        name = best.design.design_id if best.found else ""
        return Worth(value, wins, low, high, best.value, count, name, best.exact and wins is not None)

    def _wins(self, program: PartProgram, best: Answer, at_list: float, effort: Effort) -> bool | None:
        """Whether a cheapest design has the part, for certain: a tie with one that does not counts as in."""
        if not best.found:
            return False if best.infeasible else None
        if best.measures["units"] > 0:
            return True if best.exact else None
        limits = [*self._wanted.limits(program.dear), *program.ceilings(at_list)]
        mine = program.held.least({"rest": 1.0, "paid": at_list}, effort, with_at_least(limits, 1.0))
        if mine.infeasible:
            return False
        if mine.value is not None and mine.value <= (best.value or 0.0) + 0.01:
            return True
        return False if mine.bound > (best.value or 0.0) else None

    def narrow(self, a: float, b: float, seen: dict[float, Worth], gap: float, effort: Effort) -> tuple[float, float]:
        """Two values no further apart than ``gap`` between which the part enters."""
        first = seen[a].wins
        while b - a > max(gap, 1.0 if self._field.whole else 0.0) and not effort.over:
            middle = float(math.floor((a + b) / 2)) if self._field.whole else (a + b) / 2
            found = self.worth(middle, effort, priced=False)
            seen[middle] = found
            if found.wins is None:
                break
            a, b = (middle, b) if found.wins is first else (a, middle)
        return a, b


def _worth(search: _Search, value: float, effort: Effort) -> tuple[Worth, str]:
    search.reason = ""
    return search.worth(value, effort), search.reason
