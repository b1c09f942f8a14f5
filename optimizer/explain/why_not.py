"""Why a vendor, part, cooling method, topology, option or site is not in the best design, and what would put it there.

Either no legal design has it, with the limits that clash with it or the rule that turned it down; or insisting on it costs so much
more, line by line; and for each lever, price and limits, the smallest change that makes it win.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from models.candidates.placement import Candidates
from models.formulation.core import Core
from models.formulation.linear import Linear
from models.instance import Instance
from optimizer.design import Design
from optimizer.explain.bridge import BridgeLine, bridge
from optimizer.explain.latency_levers import latency_levers
from optimizer.explain.levers import WITH, Lever, smallest_move
from optimizer.explain.target import Target, count_of, presence_of, read_target
from optimizer.explain.turned_out import TurnedOut
from optimizer.sensitivity.effort import without_best
from optimizer.sensitivity.limit_rows import LimitRow, Steered, Steering, without_site_limits
from optimizer.sensitivity.part_program import PartProgram, Requirement
from optimizer.sensitivity.pool import lone
from optimizer.sensitivity.price_to_win import price_in
from optimizer.sensitivity.program import Answer, Effort
from optimizer.sensitivity.turned_down import rejections_of

if TYPE_CHECKING:
    import pandas as pd

MOST_REASONS = 6


class Verdict(StrEnum):
    """What became of the target."""

    CHOSEN = "chosen"
    DEARER = "dearer"
    CLASHES = "clashes"
    NO_CANDIDATE = "no candidate"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Clash:
    """A limit that shuts the target out together with the others listed; ``reach``: the nearest value of it that lets the target in."""

    limit: str
    source: str
    origin: str
    unit: str
    value: float
    reach: float | None


@dataclass(frozen=True)
class WhyNot:
    """``price`` [USD] of insisting is the sum of ``bridge``; ``turned_down`` what became of candidates that have the target.

    ``proven`` speaks of verdict, price and clashes; each lever says for itself how far it was followed.
    """

    target: str
    kind: str
    verdict: Verdict
    objective: str
    best: Design | None
    insisted: Design | None
    price: float | None
    bridge: tuple[BridgeLine, ...]
    clashes: tuple[Clash, ...]
    levers: tuple[Lever, ...]
    turned_down: tuple[str, ...]
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """The bridge as a table."""
        import pandas as pd

        return pd.DataFrame([(line.label, line.usd) for line in self.bridge], columns=["line", "difference_usd"])


def why_not(
    instance: Instance,
    target: str,
    *,
    levers: bool = True,
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: Candidates | None = None,
    effort: Effort | None = None,
) -> WhyNot:
    """Why ``target`` is not in the design of least total cost.

    ``candidates`` as ``movable_candidates`` gives them, where they are known; ``effort`` goes before time and
    backend. UsageError for a name nothing has; InfeasibleError
    where there is no legal design at all.
    """
    asked = read_target(instance, target)

    def measured(core: Core) -> tuple[Linear, Linear]:
        return count_of(core, asked), presence_of(core, asked)

    def steer(changed: Instance, pool: Candidates | None = None) -> Steered:
        return Steered.of(changed, "tco", pool, target=measured)

    found = TurnedOut.of(instance, asked, Steering(instance, ("tco",), measured).judge, candidates)
    known = candidates if candidates is not None or lone(instance) else found.candidates
    return _Asking(instance, asked, found, known, steer, effort or Effort(time_limit, backend)).run(levers)


class _Asking:
    """The questions of one target, in order."""

    def __init__(
        self,
        instance: Instance,
        target: Target,
        found: TurnedOut,
        known: Candidates | None,
        steer: Callable[[Instance, Candidates | None], Steered],
        effort: Effort,
    ) -> None:
        self._instance, self._target, self._found, self._known = instance, target, found, known
        self._steer, self._steered, self._effort = steer, steer(instance, found.candidates), effort

    def run(self, levers: bool) -> WhyNot:
        """See ``why_not``."""
        best = self._steered.least(self._effort, {})
        if best.infeasible:
            raise without_best(self._instance.name, True)
        if best.found and best.measures["target"] > 0:
            return self._result(Verdict.CHOSEN, best, best)
        insisted = self._steered.least(self._effort, {}, [WITH])
        if insisted.infeasible:
            return self._shut_out(best, levers)
        if not (best.found and insisted.found):
            return self._result(Verdict.UNDECIDED, best, insisted)
        moves = self._levers() if levers else ()
        return self._result(Verdict.DEARER, best, insisted, moves)

    def _shut_out(self, best: Answer, levers: bool) -> WhyNot:
        everything = {name: bound for limit in self._steered.limits for name, bound in limit.bounds(None).items()}
        anywhere = self._steered.least(self._effort, everything, [WITH])
        if anywhere.infeasible:
            return self._result(Verdict.NO_CANDIDATE, best, None, tuple(self._latencies()) if levers else ())
        kept, proven = self._conflict()
        clashes = tuple(self._clash(limit, kept) for limit in kept)
        moves = self._levers() if levers else ()
        return self._result(Verdict.CLASHES, best, None, moves, clashes, proven)

    def _conflict(self) -> tuple[list[LimitRow], bool]:
        """Limits that together shut the target out, each of them needed for that: a deletion filter."""
        kept = list(self._steered.limits)
        lifted: dict[str, tuple[float | None, float | None]] = {}
        proven = True
        for limit in list(kept):
            if self._effort.over:
                return kept, False
            trial = {**lifted, **limit.bounds(None)}
            answer = self._steered.least(self._effort, trial, [WITH])
            if answer.infeasible:
                lifted = trial
                kept.remove(limit)
            elif not answer.found:
                proven = False
        return kept, proven

    def _clash(self, limit: LimitRow, kept: Sequence[LimitRow]) -> Clash:
        free = {n: b for row in self._steered.limits if row not in kept for n, b in row.bounds(None).items()}
        reach = self._steered.least_use(limit, self._effort, None, [WITH], free)
        row = limit.row
        return Clash(
            limit.name,
            row.source,
            self._instance.origin(row.source),
            row.unit,
            limit.stated(limit.bound),
            None if reach.value is None else limit.stated(reach.value),
        )

    def _levers(self) -> tuple[Lever, ...]:
        found = [lever for lever in (self._price_lever(),) if lever is not None]
        asked = [(limit, looser) for limit in self._steered.limits if limit.steps for looser in (True, False)]
        moved = self._effort.each(_moved, self._steered, asked)
        found += [lever for lever in moved if lever.to is not None or not lever.proven]
        return (*found, *self._latencies())

    def _latencies(self) -> list[Lever]:
        return latency_levers(self._instance, lambda changed: self._steer(changed, None), self._effort)

    def _price_lever(self) -> Lever | None:
        parts = self._priced_parts()
        if not parts or self._effort.over:
            return None
        name = ",".join(parts)
        bundle = len(parts) > 1 or self._target.orders
        known = (self._instance, self._known) if bundle and self._known is not None else None
        program = PartProgram.of(self._instance, name, "tco", (), known, bundled=without_site_limits(self._instance))
        result = price_in(program, Requirement(), None, "tco", 0.0, self._effort)
        low, high = result.interval
        to = low if low is not None and high is not None and high > 0 else None
        return Lever("price", name, result.unit, program.list_price, to, result.proven)

    def _priced_parts(self) -> list[str]:
        if self._target.orders:
            return [quote for quote in self._target.parts if quote in self._found.candidates.offers.by_name]
        present = set()
        for part in self._target.parts:
            program = self._steered.program.formulation.candidates
            if any(_buys(program, part)):
                present.add(part)
        return [part for part in self._target.parts if part in present]

    def _result(
        self,
        verdict: Verdict,
        best: Answer,
        insisted: Answer | None,
        levers: tuple[Lever, ...] = (),
        clashes: tuple[Clash, ...] = (),
        proven: bool = True,
    ) -> WhyNot:
        first = best.design if best.found else None
        second = insisted.design if insisted is not None and insisted.found else None
        lines = bridge(self._instance, first, second) if first and second else ()
        price = sum(line.cents for line in lines) / 100 if first and second else None
        known = verdict is not Verdict.UNDECIDED and best.exact and (insisted is None or insisted.exact)
        return WhyNot(
            target=self._target.name,
            kind=self._target.kind.value,
            verdict=verdict,
            objective="tco",
            best=first,
            insisted=second,
            price=price,
            bridge=lines,
            clashes=clashes,
            levers=levers,
            turned_down=() if verdict is Verdict.CHOSEN else tuple(self._turned_down()),
            proven=known and proven and not self._effort.over,
            solves=self._effort.solves,
            seconds=round(self._effort.spent, 3),
        )

    def _turned_down(self) -> list[str]:
        """Reasons kept while candidates were enumerated, then while the program was pruned."""
        names = self._target.parts or (self._target.name,)
        reasons = [reason for name in names for reason in rejections_of(self._found.candidates, name)]
        told = [r for r in dict.fromkeys(reasons) if not r.startswith("dominance:")]
        return told[:MOST_REASONS] + self._found.said()


def _moved(steered: Steered, asked: tuple[LimitRow, bool], effort: Effort) -> Lever:
    return smallest_move(steered, *asked, effort)


def _buys(candidates: Candidates, part: str):  # type: ignore[no-untyped-def]
    from models.candidates.part_counts import parts_of

    for placements in candidates.placements:
        yield part in parts_of(placements.pods)
    for chains in candidates.options.values():
        yield any(unit.part == part for options in chains.values() for option in options for unit in option.units)
