"""What the conductors of a whip carry where it is warm and where they lie together.

Ampacity is stated for 30 degC around the conductor and no others beside it. Warmer air leaves sqrt((Ti - Ta) / (Ti - 30)) of it, Ti being what
the insulation stands (NEC 310.15(B)(1)(2), IEC 60364-5-52 B.52.14; the printed NEC table to its two digits at the upper end of every step);
grouping leaves what NEC table 310.15(C)(1) says by current-carrying conductors, or IEC table B.52.17 (bunched) by circuits. A load of three hours and more must fit the conductor before these factors with the breaker's
share for continuous loads, and after them as it is (NEC 210.19(A)(1), 215.2(A)(1)).
"""

from __future__ import annotations

from math import sqrt

from models.physics.power import BreakerCode, continuous_share

REFERENCE = 30.0
NEC_GROUPS = ((3, 1.0), (6, 0.8), (9, 0.7), (20, 0.5), (30, 0.45), (40, 0.4))
NEC_MORE = 0.35
IEC_GROUPS = (
    (1, 1.0), (2, 0.8), (3, 0.7), (4, 0.65), (5, 0.6), (6, 0.57), (7, 0.54), (8, 0.52), (9, 0.5), (12, 0.45), (16, 0.41), (20, 0.38),
)  # fmt: skip
IEC_MORE = 0.38


def ambient_factor(ambient: float, insulation: float) -> float:
    """Share of its ampacity a conductor keeps at ``ambient`` [degC] with ``insulation`` good for so many degC; 0 where that is no more.

    90 degC insulation: 0.91 at 40 degC, 0.82 at 50, 1.04 at 25.
    """
    if ambient >= insulation:
        return 0.0
    return sqrt((insulation - ambient) / (insulation - REFERENCE))


def grouping_factor(code: BreakerCode, grouped: int) -> float:
    """Share kept by conductors that lie together: ``grouped`` current-carrying conductors under NEC, circuits under IEC."""
    table, more = (IEC_GROUPS, IEC_MORE) if code is BreakerCode.IEC else (NEC_GROUPS, NEC_MORE)
    return next((factor for most, factor in table if grouped <= most), more)


def conductor_current(ampacity: float, code: BreakerCode, ambient: float, insulation: float, grouped: int) -> float:
    """Continuous current [A] of conductors of ``ampacity`` [A]: the lesser of both rules."""
    kept = ambient_factor(ambient, insulation) * grouping_factor(code, grouped)
    return ampacity * min(continuous_share(code), kept)
