"""The candidates an analysis can need, cut from all there are: what its questions can never choose is left out once, and its memory freed.

Tables of candidates run into millions of rows. They are judged a stretch at a time, so that no expression over all of them ever exists;
what survives within its stretch is judged once more together. Being replaced is transitive, so that the outcome is that of one judgement.
Where a design is one pod, a stretch is judged as soon as it is enumerated, so that not even the candidates themselves are held together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Candidates, Placements, enumerate_candidates
from models.candidates.throughput_table import Memo
from models.formulation.build import Formulation
from models.formulation.core import block_name
from models.instance import Instance

STRETCH = 120_000
"""Placements judged at a time, where nothing else is said."""

Ints = npt.NDArray[np.int64]
Judge = Callable[[Candidates, bool], Sequence[Formulation]]
"""Narrowed programs of some candidates, all that remain in any of them being needed; True where only what no change of a limit could
bring back may go."""


Sift = Callable[[Candidates], Ints]
"""Rows to go on with of some candidates that are of one cluster and site."""


def lone(instance: Instance) -> bool:
    """Whether a design is one pod: one cluster that is never more."""
    return len(instance.workloads) == 1 and all(w.one_pod for w in instance.workloads.values())


def enumerated(
    instance: Instance,
    judge: Judge,
    memo: Memo,
    wide: Instance | None = None,
    stated: Callable[[Candidates], Candidates] = lambda made: made,
) -> Candidates:
    """The candidates that ``judge`` keeps, as ``worthwhile`` gives them of all; what else is enumerated is dropped on the way.

    ``wide``: the instance whose candidates they are, where it is not the one they are judged for; ``stated`` says what is judged
    where that is not the candidates as they are made, pod by pod.
    """

    def sift(some: Candidates) -> Ints:
        shown = stated(some)
        return kept_rows(judge(shown, False), shown.placements[0])

    found = enumerate_candidates(wide or instance, memo, sift=sift if lone(instance) else None)
    return worthwhile(instance, stated(found), judge)


def sifted(instance: Instance, found: Candidates, sift: Sift, stretch: int = STRETCH) -> Candidates:
    """What ``sift`` keeps of candidates that are all there, a stretch at a time; all of them where a design is several pods."""
    if not lone(instance):
        return found
    tables = []
    for number, table in enumerate(found.placements):
        parts = (
            (place, dataclasses.replace(part, placements=(part.placements[number],)))
            for place, part in _stretches(found, number, stretch)
        )
        rows = [np.zeros(0, dtype=np.int64), *(place[sift(part)] for place, part in parts)]
        tables.append(compacted(table, np.concatenate(rows)))
    return dataclasses.replace(found, placements=tuple(tables))


def worthwhile(
    instance: Instance, found: Candidates, judge: Judge, stretch: int = STRETCH, together: bool = True
) -> Candidates:
    """The candidates that ``judge`` keeps, with no table larger than they need.

    ``judge`` must prune by dominance and by limits alone, in terms of coefficients that depend on their own placement. ``stretch``
    placements are judged at a time; survivors of several stretches once more ``together``, where that is worth its time.
    """
    if sum(len(p) for p in found.placements) > stretch:
        # several pods add up in a row, and other clusters enter it: a stretch alone cannot tell whether the row can bind
        found = _cut(found, judge, not lone(instance), stretch)
        if not together:
            return found
    return kept_candidates(judge(found, False))


def kept_candidates(programs: Sequence[Formulation]) -> Candidates:
    """The candidates that some of several narrowed programs still has; one of a cluster that has none, which no limit lets in."""
    found = programs[0].candidates
    return _only(found, [kept_rows(programs, p) for p in found.placements])


def kept_rows(programs: Sequence[Formulation], table: Placements) -> Ints:
    """Rows of a table that some of several narrowed programs still has."""
    return np.unique(np.concatenate([one.positions[block_name(table)] for one in programs]))


def _only(found: Candidates, rows: Sequence[Ints]) -> Candidates:
    left = {p.cluster for p, kept in zip(found.placements, rows, strict=True) if len(kept)}
    tables = []
    for table, kept in zip(found.placements, rows, strict=True):
        if table.cluster not in left and len(table):
            left.add(table.cluster)
            kept = np.zeros(1, dtype=np.int64)
        tables.append(compacted(table, kept))
    return dataclasses.replace(found, placements=tuple(tables))


def compacted(placements: Placements, rows: Ints) -> Placements:
    """Some rows of a table, over a table of no more than their own pods."""
    used, pod = np.unique(placements.pod[rows], return_inverse=True)
    return Placements(
        placements.pods.take(used),
        placements.combinations,
        np.asarray(pod, dtype=np.int64).reshape(-1),
        placements.combination[rows],
    )


def _cut(found: Candidates, judge: Judge, relaxable: bool, stretch: int) -> Candidates:
    kept = []
    for number, table in enumerate(found.placements):
        rows = [np.zeros(0, dtype=np.int64)]
        for place, part in _stretches(found, number, stretch):
            rows.append(place[kept_rows(judge(part, relaxable), table)])
        kept.append(np.concatenate(rows))
    return _only(found, kept)


def _stretches(found: Candidates, number: int, stretch: int) -> Iterator[tuple[Ints, Candidates]]:
    """Rows of one table a stretch at a time, every other table with its first row alone."""
    table, first = found.placements[number], np.zeros(1, dtype=np.int64)
    others = [compacted(p, first[: len(p)]) for p in found.placements]
    for start in range(0, len(table), stretch):
        rows = np.arange(start, min(start + stretch, len(table)), dtype=np.int64)
        part = tuple(compacted(table, rows) if i == number else p for i, p in enumerate(others))
        yield rows, dataclasses.replace(found, placements=part, rejections=())
