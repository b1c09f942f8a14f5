"""Checks a frontier from its ledger: points legal, none dominated, points and closed zones cover objective space, closed zones empty.

Nothing of the search is trusted. Local upper bounds are recomputed from the points alone by splitting and filtering; values are recomputed
from the solutions; a sample of the closed zones (or all) is proven empty again on the full program by another solver.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import UsageError
from optimizer.backends import backend_class, create
from optimizer.backends.protocol import DEFAULT_LIMITS, Proof, SolveLimits, SolverOptions
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.indicators import nondominated
from optimizer.pareto.ledger import read_lines
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.result import Closure, ParetoResult, ZoneRecord

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Certificate:
    """Outcome of a check. ``faults``: everything found wrong (empty: the frontier holds as far as it was checked).

    ``uncovered``: corners (k, units) that no closed zone contains; none means that the frontier is complete. ``reproved`` of ``zones`` closed
    zones were proven empty again, ``undecided`` could not be within the limits; ``backend`` did it.
    """

    points: int
    zones: int
    uncovered: tuple[tuple[float, ...], ...]
    reproved: int
    undecided: int
    backend: str
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when nothing was found wrong."""
        return not self.faults

    @property
    def complete(self) -> bool:
        """True when points and closed zones cover objective space."""
        return not self.uncovered


@dataclass(frozen=True, eq=False, slots=True)
class Claim:
    """What is checked: points (n x k) and solutions (n x columns), zones with their closures, delta (k); all in units, minimisation sense."""

    points: Floats
    solutions: Floats
    zones: Sequence[ZoneRecord]
    delta: Floats
    backend: str

    @classmethod
    def of(cls, result: ParetoResult) -> Claim:
        """The claim of a result."""
        return cls(result.points, result.solutions, result.ledger, np.array(result.delta), result.backend)

    @classmethod
    def read(cls, model: CompiledModel, path: str | Path) -> Claim:
        """The claim of a ledger file. UsageError when it belongs to another program or is not a finished plan."""
        lines = read_lines(path)
        if not lines or lines[0].get("fingerprint") != model.fingerprint:
            raise UsageError(f"{path} is not a ledger of this program")
        plans = [line for line in lines if line["kind"] == "delta"]
        if not plans:
            raise UsageError(f"{path} ends before its resolution was fixed")
        unit, delta = np.array(plans[-1]["unit"]), np.array(plans[-1]["delta"])
        found = {tuple(line["point"]): line["x"] for line in lines if line["kind"] == "answer" and "x" in line}
        listed = sorted({tuple(line["point"]) for line in lines if line["kind"] == "point"})
        solutions = np.zeros((len(listed), model.n_columns))
        for row, point in enumerate(listed):
            columns, values = found[point]
            solutions[row, columns] = values
        zones = [_zone(line["upper"], line, unit, model.offsets) for line in lines if line["kind"] == "zone"]
        points = np.array(listed, dtype=np.float64).reshape(-1, model.n_objectives) * unit + model.offsets
        keep = nondominated(points.tolist(), model.n_objectives)
        return cls(points[keep], solutions[keep], tuple(zones), delta * unit, str(lines[0]["backend"]))


def _zone(upper: Sequence[float | None], line: dict[str, object], unit: Floats, offsets: Floats) -> ZoneRecord:
    corner = [math.inf if u is None else u * s + o for u, s, o in zip(upper, unit, offsets, strict=True)]
    solve = line["solve"]
    return ZoneRecord(
        tuple(float(c) for c in corner), Closure(line["closed"]), solve if isinstance(solve, int) else None
    )


def verify(
    model: CompiledModel,
    claim: ParetoResult | Claim,
    *,
    sample: int | None = 20,
    backend: str | None = None,
    seed: int = 0,
    limits: SolveLimits = DEFAULT_LIMITS,
) -> Certificate:
    """Check ``claim`` against ``model``. ``sample`` closed zones are proven again (None: all of them) by ``backend``
    (None: another one than found them, or the same with other settings on the full program where no other accepts the model).
    """
    stated = Claim.of(claim) if isinstance(claim, ParetoResult) else claim
    faults = _point_faults(model, stated)
    closed = [zone for zone in stated.zones if zone.closed.proven]
    corners = np.array([zone.upper for zone in closed], dtype=np.float64).reshape(-1, model.n_objectives)
    margin = _SAME * (1.0 + np.abs(np.where(np.isfinite(corners), corners, 0.0)))
    uncovered = tuple(
        tuple(bound.tolist())
        for bound in local_upper_bounds(stated.points, model.n_objectives)
        if not bool((bound <= corners + margin).all(axis=1).any())
    )
    every = np.array([zone.upper for zone in stated.zones], dtype=np.float64).reshape(-1, model.n_objectives)
    faults += [
        f"nothing in the ledger accounts for the zone below {bound}"
        for bound in uncovered
        if not bool(
            (np.array(bound) <= every + 1e-6 * (1.0 + np.abs(np.where(np.isfinite(every), every, 0.0))))
            .all(axis=1)
            .any()
        )
    ]
    name = _other_backend(model, stated.backend) if backend is None else backend
    chosen = _sampled(len(closed), sample, seed)
    reproved, undecided, wrong = _reprove(model, name, [closed[i] for i in chosen], stated.delta, limits)
    return Certificate(len(stated.points), len(closed), uncovered, reproved, undecided, name, tuple(faults + wrong))


def local_upper_bounds(points: Floats, k: int) -> Floats:
    """Corners (m x k) of the region that ``points`` (n x k) leave uncovered: split every corner above a point, keep the maximal ones."""
    corners = np.full((1, k), math.inf)
    for point in points:
        above = (point < corners).all(axis=1)
        if not above.any():
            continue
        rest = corners[~above]
        made = np.repeat(corners[above], k, axis=0)
        made[np.arange(len(made)), np.tile(np.arange(k), int(above.sum()))] = np.tile(point, int(above.sum()))
        made = np.unique(made, axis=0)
        keep = [not bool((u <= rest).all(axis=1).any()) and int((u <= made).all(axis=1).sum()) == 1 for u in made]
        corners = np.vstack([rest, made[keep]])
    return corners


def _point_faults(model: CompiledModel, claim: Claim) -> list[str]:
    faults = []
    problem = ScaledProblem.of(model, [1.0] * model.n_objectives)
    for number, (point, x) in enumerate(zip(claim.points, claim.solutions, strict=True)):
        broken = problem.violation(x)
        if broken is not None:
            faults.append(f"point {number} violates {broken}")
        value = problem.in_units(problem.image(x))
        if bool((np.abs(value - point) > 1e-7 * (1.0 + np.abs(point))).any()):
            faults.append(f"point {number} is listed as {point.tolist()}, its solution gives {value.tolist()}")
    good = nondominated(claim.points.tolist(), model.n_objectives)
    return faults + [f"point {number} is dominated" for number, flag in enumerate(good) if not flag]


def _other_backend(model: CompiledModel, used: str) -> str:
    for name in ("highs", "cpsat"):
        if name != used and backend_class(name).refusal(model) is None:
            return name
    return used


def _sampled(count: int, sample: int | None, seed: int) -> NDArray[np.int64]:
    if sample is None or sample >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=sample, replace=False))


def _reprove(
    model: CompiledModel, name: str, zones: Sequence[ZoneRecord], delta: Floats, limits: SolveLimits
) -> tuple[int, int, list[str]]:
    """How many of ``zones`` were proven empty, how many stayed undecided, and those that hold a legal point after all."""
    solver = create(name, model, SolverOptions(seed=1, presolve=True))
    slack = np.array([0.0 if step is not None else 1e-3 for step in model.steps]) * delta
    problem = ScaledProblem.of(model, [1.0] * model.n_objectives)
    reproved = undecided = 0
    wrong = []
    for zone in zones:
        tops = np.array(zone.upper) - delta - slack
        found = solver.solve(weights=[0.0] * model.n_objectives, objective_upper=tops.tolist(), limits=limits)
        if found.proof is Proof.INFEASIBLE:
            reproved += 1
        elif found.x is not None and _is_within(problem, found.x, tops):
            wrong.append(f"the closed zone below {zone.upper} holds a legal point: {model.values(found.x).tolist()}")
        else:
            undecided += 1
    return reproved, undecided, wrong


def _is_within(problem: ScaledProblem, x: Floats, tops: Floats) -> bool:
    """Whether ``x`` is legal and its values lie at or below ``tops``, not only by the solver's tolerances."""
    value = problem.in_units(problem.image(x))
    return problem.violation(x) is None and bool((value <= tops + _SAME * (1.0 + np.abs(value))).all())
