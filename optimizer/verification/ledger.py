"""The ledger of a run against its frontier, without a solver: every claim it makes that arithmetic can check.

Whether closed zones are empty, and whether solutions give the points they are said to, is for the certificate, which builds the program again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import UsageError
from optimizer.frontier import Frontier
from optimizer.pareto.ledger import FORMAT, read_lines
from optimizer.pareto.query import Outcome
from optimizer.pareto.result import LISTING, Closure, FrontierStatus
from optimizer.verification.findings import Checks

Matrix = np.ndarray[Any, np.dtype[np.float64]]
Line = Mapping[str, Any]
KINDS = ("delta", "answer", "point", "zone")
ROUND = 1e-6
"""What sums of whole quanta round off."""
MOST_CORNERS = 5_000


def vectors(frontier: Frontier) -> Matrix:
    """Objectives of every design in whole quanta, smaller is better: designs x objectives."""
    rows = [
        [
            (-1 if o.maximise else 1) * round(design.objectives[o.column] / o.quantum, 6) + 0.0
            for o in frontier.objectives
        ]
        for design in frontier.points
    ]
    return np.array(rows, dtype=np.float64).reshape(len(frontier.points), len(frontier.objectives))


def check_ledger(path: Path, frontier: Frontier, manifest: Mapping[str, Any]) -> Checks:
    """The ledger against the frontier and the manifest of the run: the objectives, the resolution and what it certifies,
    the points listed and found, zones counted and, of a complete frontier, leaving nothing out."""
    checks = Checks(path.name)
    try:
        lines = read_lines(path)
    except UsageError as error:
        checks.rule("ledger", False, str(error), "a ledger that can be read")
        return checks
    head = lines[0] if lines else {}
    checks.same("kind", head.get("kind"), "run")
    checks.same("format", head.get("format"), FORMAT)
    checks.same("objectives", head.get("objectives"), [objective.name for objective in frontier.objectives])
    for line in lines[1:]:
        checks.rule("kind", line.get("kind") in KINDS, line.get("kind"), KINDS)
    zones, points, answers = (
        [line for line in lines if line.get("kind") == kind] for kind in ("zone", "point", "answer")
    )
    listed = bool(zones) and all(line["closed"] == Closure.LISTED.value for line in zones)
    checks.same("algorithm", frontier.proof.algorithm, LISTING if listed else head.get("algorithm"))
    checks.same("backend", frontier.proof.backend, LISTING if listed else head.get("backend"))
    proven = sum(1 for line in zones if Closure(line["closed"]).proven)
    checks.same("zones", frontier.proof.zones, proven, "zones closed by proof")
    left = len(zones) - proven
    checks.rule("open_zones", frontier.proof.open_zones >= left, frontier.proof.open_zones, left, "zones left open")
    k = len(frontier.objectives)
    scale = [np.array(head.get(name, ()), dtype=np.float64) for name in ("unit", "origin")]
    if not checks.same("scale", [axis.size for axis in scale], [k] * 2, "a unit and an origin per objective"):
        return checks
    _check_options(checks, head, manifest.get("options", {}))
    _check_answers(checks, answers, k)
    told = _matrix([line["point"] for line in points], k)
    found = _matrix([line["point"] for line in answers if line.get("point")], k)
    _check_points(checks, told, found, scale, frontier)
    deltas = [line for line in lines if line.get("kind") == "delta"]
    if deltas:
        _check_resolution(checks, head, deltas[-1], frontier)
        _check_zones(
            checks, zones, {line["solve"] for line in answers}, np.array(deltas[-1]["delta"], dtype=np.float64)
        )
    if frontier.status is FrontierStatus.COMPLETE:
        counted = max((line["solve"] for line in answers), default=0)
        checks.same("solves", manifest["frontier"].get("solves"), counted, "answers counted")
        _check_coverage(checks, told, zones)
    return checks


def _matrix(rows: Sequence[Sequence[float]], k: int) -> Matrix:
    return np.array(rows, dtype=np.float64).reshape(-1, k)


def _check_options(checks: Checks, head: Line, options: Mapping[str, Any]) -> None:
    """The solver and the resolution that the manifest says were asked for are those that the ledger began with."""
    asked = {name: options.get(name, {}).get("value") for name in ("backend", "resolution")}
    checks.same("asked_for", head.get("asked_for"), asked["backend"])
    stated = [*head["resolution"], *head["shares"]]
    wanted = asked["resolution"]
    if wanted in (None, "exact", 0):
        checks.rule("resolution", not any(stated), stated, "exact")
    elif isinstance(wanted, int | float) or (wanted.strip().endswith("%") and "=" not in wanted):
        share = wanted if isinstance(wanted, int | float) else float(wanted.strip().removesuffix("%")) / 100.0
        k = len(head["shares"])
        checks.same("resolution", stated, [None] * k + [share] * k, f"{wanted} of every objective")
    else:
        checks.rule("resolution", any(stated), stated, wanted)


def _check_answers(checks: Checks, answers: Sequence[Line], k: int) -> None:
    """Answers follow each other, and no point is better than the bound of the question it answers."""
    counted = 0
    for line in answers:
        number, query, point = line["solve"], line.get("query"), line.get("point")
        upwards = number == 0 if query is None else number >= counted
        checks.rule("answer.solve", upwards, number, counted, "counted upwards")
        counted = max(counted, number)
        checks.rule("answer.outcome", line["outcome"] in {one.value for one in Outcome}, line["outcome"], "an outcome")
        effort = line["effort"]
        checks.rule("answer.effort", all(one >= 0 for one in effort), effort, "counts")
        if query is None or point is None or line.get("bound") is None:
            continue
        value = _asked(query, point, k)
        if value is not None:
            room = ROUND * max(1.0, abs(value))
            checks.rule("answer.bound", line["bound"] <= value + room, line["bound"], value, "a bound of its point")


def _asked(query: Line, point: Sequence[float], k: int) -> float | None:
    """Value of what a question asked about at a point; None where that is another sum than is written down."""
    if query.get("direction") is not None:
        return float(point[query["direction"]]) if query["direction"] < k else math.nan
    weights = query.get("weights")
    return None if weights is None else math.fsum(w * v for w, v in zip(weights, point, strict=True))


def _check_points(checks: Checks, told: Matrix, found: Matrix, scale: Sequence[Matrix], frontier: Frontier) -> None:
    """Every point listed has been found; those that none of them dominates are the designs; every point found is matched by a design."""
    known = {tuple(row) for row in found.tolist()}
    for row in told.tolist():
        checks.rule("point", tuple(row) in known, row, "a point that an answer found")
    designs = vectors(frontier)
    best = told[_nondominated(told)] * scale[0] + scale[1]
    for design, row in zip(frontier.points, designs, strict=True):
        reported = dict(design.objectives)
        checks.rule(f"{design.design_id}.point", _among(row, best), reported, "a point of the ledger")
    for row in best:
        checks.rule("points", _among(row, designs), None, row.tolist(), "a listed point (in quanta) without a design")
    room = np.array([_room(frontier, number) for number in range(len(frontier.objectives))])
    for point in np.unique(found * scale[0] + scale[1], axis=0):
        matched = bool((designs <= point + room).all(axis=1).any())
        checks.rule("points", matched, None, point.tolist(), "a point found (in quanta) that no listed design matches")


def _nondominated(points: Matrix) -> list[int]:
    """Rows that no other row is better than; of equal ones the first."""
    kept = []
    for number, row in enumerate(points):
        as_good = (points <= row).all(axis=1)
        better = as_good & (points < row).any(axis=1)
        twin = as_good & (points == row).all(axis=1)
        if not better.any() and int(np.flatnonzero(twin)[0]) == number:
            kept.append(number)
    return kept


def _among(row: Matrix, rows: Matrix) -> bool:
    near = np.abs(rows - row) <= ROUND * np.maximum(1.0, np.abs(row) * ROUND)
    return bool(near.all(axis=1).any())


def _room(frontier: Frontier, number: int) -> float:
    """Certified error of an objective in quanta; unlimited while nothing is certified."""
    objective = frontier.objectives[number]
    error = frontier.proof.error.get(objective.column)
    return np.inf if error is None else error / objective.quantum + ROUND


def _check_resolution(checks: Checks, head: Line, plan: Line, frontier: Frontier) -> None:
    """What closed zones leave is a step less than delta; a complete frontier certifies that, a partial one no less; nothing leaves more than asked."""
    checks.same("delta.unit", plan["unit"], head["unit"])
    for number, objective in enumerate(frontier.objectives):
        delta, unit = plan["delta"][number], head["unit"][number]
        error, stated = frontier.proof.error.get(objective.column), head["resolution"][number]
        wanted = math.floor((stated or 0.0) / unit + 1e-9) + 1.0
        if head["shares"][number] is None:
            checks.same("delta", delta, wanted, f"the resolution of {objective.name}")
        checks.rule("delta", delta >= 1, delta, "a step at least")
        left = (delta - 1) * unit * objective.quantum
        name = f"error.{objective.column}"
        if frontier.status is FrontierStatus.COMPLETE:
            checks.same(name, error, left, "a step less than delta")
        elif error is not None:
            checks.rule(name, error >= left * (1.0 - ROUND), error, left, "at least a step less than delta")
    share = frontier.proof.hypervolume_share
    if share is not None:
        exact = frontier.status is FrontierStatus.COMPLETE and not any(frontier.proof.error.values())
        right = abs(share - 1.0) <= ROUND if exact else 0.0 <= share <= 1.0
        checks.rule("hypervolume_share", right, share, 1.0 if exact else "a share")


def _check_zones(checks: Checks, zones: Sequence[Line], numbers: set[Any], delta: Matrix) -> None:
    """Every zone was settled by an answer that is there, and one closed by a bound lies below it."""
    for line in zones:
        checks.rule(
            "zone.solve", line["solve"] is None or line["solve"] in numbers, line["solve"], "an answer's number"
        )
        direction, bound = line.get("direction"), line.get("bound")
        if direction is None or bound is None or not Closure(line["closed"]).proven:
            continue
        upper = line["upper"][direction]
        below = upper is not None and bound > upper - delta[direction] - ROUND
        checks.rule("zone.bound", below, bound, upper, "above the zone less delta")


def _check_coverage(checks: Checks, points: Matrix, zones: Sequence[Line]) -> None:
    """Points and closed zones leave no part of objective space out; of very many corners that is for the certificate."""
    k = points.shape[1]
    closed = [line["upper"] for line in zones if Closure(line["closed"]).proven]
    uppers = _matrix([[math.inf if u is None else u for u in upper] for upper in closed], k)
    corners = _corners(points[_nondominated(points)])
    for corner in () if corners is None else corners:
        within = bool((corner <= uppers + ROUND).all(axis=1).any())
        checks.rule("coverage", within, corner.tolist(), "within a closed zone", "what no listed point is as good as")


def _corners(points: Matrix) -> Matrix | None:
    """Largest corners u of the boxes y < u without a point: each of their values is that of a point, or there is none. None beyond MOST_CORNERS."""
    k = points.shape[1]
    found = np.full((1, k), math.inf)
    for point in points:
        above = (point < found).all(axis=1)
        cut = np.repeat(found[above], k, axis=0)
        place = np.arange(len(cut)) % k
        cut[np.arange(len(cut)), place] = point[place]
        cut, rest = np.unique(cut, axis=0), found[~above]
        largest = [not (u <= rest).all(axis=1).any() and int((u <= cut).all(axis=1).sum()) == 1 for u in cut]
        found = np.vstack([rest, cut[largest]])
        if len(found) > MOST_CORNERS:
            return None
    return found
