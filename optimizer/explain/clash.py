"""Which limits clash when no design meets all of them, as the problems of an error: what ``solve`` says without being asked why.

The same search as ``explain infeasible``, over limits alone: candidates stay what they are, so that an answer comes soon.
"""

from __future__ import annotations

from models.errors import Problem
from models.instance import Instance
from optimizer.explain.asking import Asking, LimitRow
from optimizer.explain.infeasible import Conflict, ConflictSearch, Member
from optimizer.sensitivity.effort import Effort


def clashing_limits(instance: Instance, effort: Effort | None = None) -> list[Problem]:
    """Limits that clash: address of each, what it asks, and the best value it could have with everything else in force.

    Several sets may clash, each by itself; those of each stand together.
    """
    asking = Asking(instance, effort)
    rows = {row.key: row for row in asking.rows}
    return [
        _problem(member, [rows[key] for key in member.group.rows if key in rows])
        for found in conflicts_of_limits(asking)
        for member in found.members
    ]


def conflicts_of_limits(asking: Asking) -> list[Conflict]:
    """Irreducible sets of limits that clash, which share nothing, every filter on candidates in force."""
    return ConflictSearch(asking, lambda _line: None, hopeless=()).among_limits()


def _problem(member: Member, rows: list[LimitRow]) -> Problem:
    group = member.group
    asked = "; ".join(f"{_asked(row, group.asks)} ({row.key})" for row in rows)
    beyond = " beyond it" if rows and all(row.limit == 0 for row in rows) and group.asks else ""
    best = "nothing" if member.best is None else f"{member.best:,.7g} {member.unit}{beyond}"
    proven = "" if member.needed else " (not proven)"
    kept = "the other conflicts lifted" if member.apart else "the other limits kept"
    return Problem(
        "limit-clash",
        group.where,
        f"{group.name} asks {asked or group.asks}",
        hint=f"best reachable with {kept}: {best}{proven}",
    )


def _asked(row: LimitRow, stated: str) -> str:
    """What a row asks; in the words of the instance where all of it stands on one side, as that of a share does."""
    asked = f"{_side(row)} {row.limit:,.7g} {row.unit}"
    return stated.removesuffix(f" ({asked})") if stated and row.limit == 0 else asked


def _side(row: LimitRow) -> str:
    return "exactly" if row.exact else ("at most" if row.at_most else "at least")
