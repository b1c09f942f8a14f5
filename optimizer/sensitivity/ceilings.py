"""Money ceilings that a part's price runs into: the staircase where designs fall away as they become too dear.

With a ceiling on capex the designs that are legal change with the price, and the least cost may jump. While the price rises the
legal designs only become fewer, so the designs legal at the start of a stretch bound those of the whole stretch: a design that is
cheapest among them at both ends, and still affordable at the far end, is the cheapest throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from optimizer.sensitivity.parametric import Ask, Break, Envelope, Line, Probe, lower_envelope
from optimizer.sensitivity.part_program import PartProgram
from optimizer.sensitivity.program import Effort, Limit

BEYOND = 20.0
"""Money [USD] by which a ceiling must be broken before a design counts as fallen away: more than rounding to whole dollars can hide."""


def falling_away(
    program: PartProgram, limits: Sequence[Limit], effort: Effort, envelope: Envelope, end: Probe, gap: float
) -> Envelope:
    """The staircase with ceilings held at every price, from the one in which they are held at a price of zero only."""
    if all(program.ends(b.before) >= b.at for b in envelope.breaks) and _lasts(program, envelope, end):
        return envelope
    breaks: list[Break] = []
    probes: list[Probe] = list(envelope.probes)
    line, price, current = envelope.first, 0.0, envelope
    complete = envelope.complete
    while line.rate > 0 and price < end.p:
        last = program.ends(line)
        change = next((b for b in current.breaks if b.before is line and b.at <= last), None)
        if change is None and last >= end.p:
            break
        if change is not None and program.ends(change.after) >= change.at:
            breaks.append(change)
            line, price = change.after, change.at
            continue
        gone = line if change is None else change.after
        fallen = max(program.ends(gone), price)
        price = fallen + BEYOND / program.per_unit
        start = program.probe(price, effort, limits)
        if not isinstance(start, Probe):
            if start.infeasible and change is None:
                return Envelope(envelope.first, tuple(breaks), tuple(probes), complete, fallen)
            return Envelope(envelope.first, (*breaks, _unknown(price, end, line)), tuple(probes), False)
        current = lower_envelope(_asking(program, limits, effort, price), start, end, gap)
        complete &= current.complete
        probes.extend(current.probes)
        if current.first.tag.design.design_id != line.tag.design.design_id:
            breaks.append(Break(fallen, price, fallen, start.open, line, current.first))
        line = current.first
    return replace(envelope, breaks=tuple(breaks), probes=tuple(probes), complete=complete)


def _lasts(program: PartProgram, envelope: Envelope, end: Probe) -> bool:
    last = envelope.lines[-1]
    return last.rate == 0 or program.ends(last) >= end.p


def _unknown(price: float, end: Probe, line: Line) -> Break:
    return Break(price, end.p, price, math.inf, line, end.line)


def _asking(program: PartProgram, limits: Sequence[Limit], effort: Effort, held: float) -> Ask:
    def ask(price: float) -> Probe | None:
        if effort.over:
            return None
        found = program.probe(price, effort, limits, ceilings_at=held)
        return found if isinstance(found, Probe) else None

    return ask
