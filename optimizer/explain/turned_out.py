"""What became of the placements that have a target: how many break which limit alone, and what makes many of the others needless.

Where a design is one pod they are told while candidates are enumerated: those that break a limit alone are counted and dropped, so
that only the legal ones that have the target are held beside what the questions about it may choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Candidates, enumerate_candidates
from models.formulation.build import Formulation, formulated, group_of, narrowed
from models.formulation.core import block_name
from models.formulation.dominance import Pruning, broken_by_absence
from models.formulation.family import Direction
from models.instance import Instance
from optimizer.explain.target import Target, presence_of
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.limit_rows import movable_candidates, without_site_limits
from optimizer.sensitivity.pool import Judge, kept_rows, lone, sifted
from optimizer.sensitivity.program import assemble

Ints = npt.NDArray[np.int64]

LOOKED_AT = 200
"""Legal placements among which one that another replaces is looked for."""


@dataclass
class TurnedOut:
    """``candidates`` that ``judge`` or the telling of what became of a target need; ``_gone`` counts what was dropped of those that
    have it, by the row each breaks; ``_rows`` are the rows that placements of a site entered, in every lot that was looked at."""

    instance: Instance
    target: Target
    judge: Judge
    candidates: Candidates = field(init=False)
    _gone: Counter[str] = field(default_factory=Counter)
    _rows: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    @staticmethod
    def of(instance: Instance, target: Target, judge: Judge, given: Candidates | None) -> TurnedOut:
        """``given``: candidates as ``movable_candidates`` makes them, where they are known."""
        found = TurnedOut(instance, target, judge)
        if not lone(instance):
            found.candidates = movable_candidates(instance) if given is None else given
        elif given is None:
            wide = without_site_limits(instance)
            found.candidates = enumerate_candidates(wide, PerformanceCache(), sift=found._sift)
        else:
            found.candidates = sifted(instance, given, found._sift)
        if not found._exact():
            found._gone.clear()
            found.candidates = movable_candidates(instance) if given is None else given
        return found

    def said(self) -> list[str]:
        """What became of them, in words."""
        whole, prunings, present = self._pruned(self.candidates)
        said = []
        for cluster, pruning in prunings.items():
            empty = {name: np.zeros(len(whole.blocks[name])) for name in pruning.blocks}
            having = np.concatenate([present.get(name, empty[name]) for name in pruning.blocks]) > 0
            count = int(having.sum()) + self._gone.total()
            if not count:
                continue
            broken = Counter(pruning.rows[r] for r in pruning.broken_row[having] if r >= 0) + self._gone
            alive = np.flatnonzero(having & (pruning.broken_row < 0))
            looked_at = alive[:: max(1, len(alive) // LOOKED_AT)]
            replaced = [c for c in looked_at if pruning.dominator(int(c)) is not None]
            # of rows broken equally often the first of the program
            common = sorted(broken.items(), key=lambda item: (-item[1], pruning.rows.index(item[0])))[:3]
            said += [f"{n:,} of {count:,} placements of {cluster} break {row} alone" for row, n in common]
            if replaced:
                block, position = pruning.place(int(pruning.dominator(int(replaced[0])) or 0))
                table = next(p for p in self.candidates.of(cluster) if block_name(p) == block)
                said.append(
                    f"{len(alive):,} of {count:,} placements of {cluster} are legal alone; such as {table.key(position)} "
                    "is no dearer and no hungrier than many of them"
                )
        return said

    def _pruned(
        self, found: Candidates
    ) -> tuple[Formulation, Mapping[str, Pruning], Mapping[str, npt.NDArray[np.float64]]]:
        core, goals = assemble(self.instance, found, ["tco"])
        whole = formulated(core, goals)
        left, _ = narrowed(whole, [(goals[0].expression, Direction.MINIMISE)])
        return whole, left.prunings, presence_of(core, self.target).terms

    def _sift(self, some: Candidates) -> Ints:
        """What the questions may choose, what replaces others by cost, and every legal one that has the target."""
        (table,) = some.placements
        whole, prunings, present = self._pruned(some)
        pruning = prunings[table.cluster]
        having = present.get(block_name(table), np.zeros(len(table))) > 0
        alive = np.flatnonzero(having & (pruning.broken_row < 0))
        chosen = kept_rows(self.judge(some, False), table)
        rows = np.unique(np.concatenate([chosen, pruning.kept, alive]))
        gone = having & (pruning.broken_row >= 0)
        gone[rows] = False
        self._gone.update(pruning.rows[r] for r in pruning.broken_row[gone])
        self._rows.setdefault(table.site, set()).add(tuple(_entered(whole, block_name(table))))
        return rows

    def _exact(self) -> bool:
        """Whether each lot met the rows that all placements together meet, but for such as nothing breaks by not entering them: so each
        was counted under the same row."""
        if not self._rows:
            return True
        whole, _, _ = self._pruned(self.candidates)
        rows = {row.name: row for row in whole.rows}
        for table in self.candidates.placements:
            group = group_of(self.instance, self.candidates, table.cluster)
            every = tuple(_entered(whole, block_name(table)))
            for lot in self._rows.pop(table.site, ()):
                others = [rows[name] for name in every if name not in lot]
                alike = lot == tuple(name for name in every if name in lot)
                if not alike or any(broken_by_absence(row, group, whole.blocks) for row in others):
                    return False
        return not self._rows


def _entered(whole: Formulation, block: str) -> Iterator[str]:
    return (row.name for row in whole.rows if block in row.expression.terms)
